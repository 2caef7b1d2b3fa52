//! One person's page with all that hangs on them; attributes of the workspace's own edited by hand;
//! columns that are remembered; a file that is chosen.

use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_sandbox::intercom::NewContact;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known, listed, until_so};
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::{NOA, Talk};
use crate::stage::{On, Stage, on_both};

on_both!(
    a_persons_page_shows_their_feedback,
    a_persons_page_shows_what_they_write_on_channels,
    attributes_are_edited_by_their_kind,
    columns_are_remembered_for_who_chose_them,
    a_chosen_file_is_previewed_and_imported
);

async fn a_persons_page_shows_their_feedback(on: On) {
    let it = Feedback::on(on, IDEAS, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&it.stage).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    it.stage.settled().await;
    let person = known(&it.stage, &noa).await.unwrap();
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let page = agent.get(&format!("/contacts/{}", person.id)).await;
    page.says("A dark mode, please. new, Mobile app");
    assert!(
        page.text
            .contains(&format!("href=\"/feedback/{}\"", ticket.id))
    );
    page.says("Example Ltd");
    page.says(&conversation);
    // All of it stands in what is handed out of them, to people and to scripts.
    let key = it.stage.issue(it.stage.address(&conversation).as_str());
    it.stage.note(&conversation, &["created ", &key]).await;
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    let file = owner
        .get(&format!("/contacts/{}/export.json", person.id))
        .await;
    let whole: serde_json::Value = serde_json::from_str(&file.text).unwrap();
    let script = Script::new(&it.stage, "owner", &["read", "contacts"]).await;
    let answer = script.get(&format!("/api/v1/contacts/{}", person.id)).await;
    for all in [&whole, &answer.body] {
        let given = &all["feedback"][0];
        assert_eq!(given["id"], json!(ticket.id.0), "{all}");
        assert_eq!(given["text"], json!("A dark mode, please."));
        assert_eq!(all["conversations"][0]["id"], json!(conversation));
        assert_eq!(all["issues"][0]["key"], json!(key));
        assert_eq!(all["messages"], json!([]));
    }
}

async fn a_persons_page_shows_what_they_write_on_channels(on: On) {
    let talk = Talk::with(on, |plan| plan.top.push_str(ON), "").await;
    let stage = &talk.stage;
    copied(stage).await;
    let contact = stage
        .intercom()
        .create_contact(NewContact {
            phone: Some(format!("{} {}", &NOA[..4], &NOA[4..])),
            ..NewContact::user("Noa Berg", "noa.berg@example.com")
        })
        .unwrap();
    let person = until_so("the contact", async || known(stage, &contact).await).await;
    let mut agent = Browser::signed_in(stage, "agent").await;
    let path = format!("/contacts/{}", person.id);
    agent.get(&path).await.says("has written on a channel");
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let page = agent.get(&path).await;
    page.says(&request);
    page.says(&format!("by {NOA}, last written"));
    let script = Script::new(stage, "owner", &["read", "contacts"]).await;
    let answer = script.get(&format!("/api/v1{path}")).await.body;
    assert_eq!(answer["messages"][0]["issue"], json!(request), "{answer}");
    assert_eq!(answer["messages"][0]["by"], json!(NOA));
    assert!(page.text.contains("href=\"/conversations/"));
}

async fn with_attributes(on: On) -> (Stage, String, i64) {
    let stage = Stage::on(on, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&stage).await;
    let remote = stage
        .intercom()
        .create_contact(NewContact {
            custom_attributes: json!({"seats": 5, "paid": true, "plan": "Pro"})
                .as_object()
                .unwrap()
                .clone(),
            ..NewContact::user("Mei Okafor", "mei@example.com")
        })
        .unwrap();
    let known = until_so("the contact", async || known(&stage, &remote).await).await;
    (stage, remote, known.id.0)
}

async fn attributes_are_edited_by_their_kind(on: On) {
    let (stage, remote, id) = with_attributes(on).await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    let path = format!("/contacts/{id}");
    let form = |seats: &'static str, paid: &'static str| {
        [
            ("name", "Mei Okafor"),
            ("email", "mei@example.com"),
            ("phone", ""),
            ("custom.seats", seats),
            ("custom.paid", paid),
            ("custom.plan", "Pro"),
        ]
    };
    let page = agent.send(&path, &form("many", "perhaps")).await;
    assert_eq!(page.status, 422);
    page.says("“many” is no number.");
    page.says("“perhaps” is neither yes nor no.");
    assert!(page.text.contains("value=\"many\""), "it is kept");
    let page = agent.send(&path, &form("7", "no")).await;
    assert_eq!(page.goes_to(), format!("{path}?done=saved"));
    let shown = async |name: &str| {
        let contact = known(&stage, &remote).await.unwrap();
        let value = contact
            .profile
            .shown(&FieldName::custom(name))
            .value
            .cloned();
        value.unwrap()
    };
    assert_eq!(shown("seats").await, FieldValue::Whole(7));
    assert_eq!(shown("paid").await, FieldValue::Flag(false));
    let page = agent.get(&path).await;
    page.says("seats 7 set by agent@example.com");
    assert!(
        page.text.contains("Use Intercom's seats"),
        "and Intercom's beside it"
    );
    let use_theirs = [("field", "custom.seats")];
    agent
        .send(&format!("{path}/use-intercom"), &use_theirs)
        .await;
    assert_eq!(shown("seats").await, FieldValue::Whole(5));

    let script = Script::new(&stage, "administrator", &["read", "contacts"]).await;
    let path = format!("/api/v1/contacts/{id}");
    let wrong = json!({ "set": { "custom.seats": "many" } });
    assert_eq!(
        script.call("POST", &path, Some(wrong), "").await.status,
        422
    );
    let right = json!({ "set": { "custom.seats": 9 } });
    let answer = script.call("POST", &path, Some(right), "").await;
    assert_eq!((answer.status, &answer.body["changed"]), (202, &json!(1)));
    assert_eq!(shown("seats").await, FieldValue::Whole(9));
}

async fn columns_are_remembered_for_who_chose_them(on: On) {
    let (stage, ..) = with_attributes(on).await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    let head = "<th scope=\"col\">seats</th>";
    let page = agent.get("/contacts").await;
    assert!(!page.text.contains(head));
    let page = agent
        .get("/contacts?column=phone&column=custom.seats")
        .await;
    assert!(page.text.contains(head));
    let page = agent.get("/contacts").await;
    assert!(page.text.contains(head), "the next time too");
    assert!(!page.text.contains("<th scope=\"col\">Companies</th>"));
    let mut other = Browser::signed_in(&stage, "viewer").await;
    other.get("/contacts").await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let page = owner.get("/contacts").await;
    assert!(!page.text.contains(head), "others choose for themselves");
}

async fn a_chosen_file_is_previewed_and_imported(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let mut upload = async |file: &[u8], step: &str| {
        let fields = [("workspace", "acme"), ("step", step)];
        owner.upload("/contacts/import", &fields, file).await
    };
    let row = |number| format!("p{number}@example.com,\"Person, {number}\",5\r\n");
    let rows: Vec<String> = (0..1_200).map(row).collect();
    let file = format!("email,name,seats\r\n{}", rows.concat());
    let page = upload(file.as_bytes(), "").await;
    assert_eq!(page.status, 200, "{}", page.words());
    page.says("1200 added, 0 changed");
    assert_eq!(
        listed(&stage, |_| ()).await.len(),
        0,
        "nothing is changed yet"
    );
    let page = upload(b"email\n\xe4\xf6@example.com\n", "").await;
    assert_eq!(page.status, 422);
    page.says("not written in UTF-8");
    let large = format!("email\n{}", "x".repeat(1_100_000));
    let page = upload(large.as_bytes(), "").await;
    assert_eq!(page.status, 400);
    page.says("larger than 1 MB");
    let page = upload(file.as_bytes(), "import").await;
    assert_eq!(
        page.goes_to(),
        "/contacts?done=contacts-imported.1200-0-0-0"
    );
    let people = listed(&stage, |query| query.limit = 2_000).await;
    assert_eq!(people.len(), 1_200);
    assert!(people.iter().any(|one| one.name == "Person, 7"));

    // A form that is not ours is refused, file or not.
    let page = owner
        .post_file("/contacts/import", &[("workspace", "acme")], b"email\n")
        .await;
    assert_eq!(page.status, 403);
}
