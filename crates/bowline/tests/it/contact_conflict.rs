//! Who somebody is: what tells the candidates apart, and what becomes of a decision.

use bowline_sandbox::intercom::NewContact;
use bowline_store::contacts::Contact;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known, listed, until_so};
use crate::stage::{On, Stage, on_both};

on_both!(
    candidates_show_what_tells_them_apart,
    what_names_no_candidate_decides_nothing
);

/// Two who were imported with one address, and somebody of Intercom's who has it too.
async fn twins(on: On) -> (Stage, Browser, Contact) {
    let stage = Stage::on(on, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&stage).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let file = "external_id,email,plan\nx-1,twin@example.com,Pro\nx-2,twin@example.com,Free\n";
    let fields = [("workspace", "acme"), ("text", file), ("step", "import")];
    let page = owner.send("/contacts/import", &fields).await;
    assert_eq!(page.status, 303, "{}", page.words());
    let intercom = stage.intercom();
    let twin = NewContact::user("A Twin", "twin@example.com");
    let remote = intercom.create_contact(twin).unwrap();
    intercom.create_company("Twin Works", &remote).unwrap();
    let unclear = until_so("the question", async || {
        let who = known(&stage, &remote).await.filter(|who| who.unclear)?;
        let companies = stage.store().companies_of(&[who.id]).await.unwrap();
        (!companies.is_empty()).then_some(who)
    })
    .await;
    (stage, owner, unclear)
}

async fn candidates_show_what_tells_them_apart(on: On) {
    let (stage, mut owner, who) = twins(on).await;
    let remote = who.remote.clone().unwrap();
    owner
        .get("/contacts?which=unclear")
        .await
        .says("A Twin ! who is it?");
    let path = format!("/contacts/{}", who.id);
    let page = owner.get(&path).await;
    for words in [
        "What tells them apart",
        &format!("Intercom id {remote} none none"),
        "Role user not at Intercom not at Intercom",
        "Companies Twin Works none none",
        "External id none x-1 x-2",
        "plan none Pro Free",
        "Came from Intercom an import by owner@example.com an import by owner@example.com",
        "What they have in common",
        "E-mail address twin@example.com twin@example.com twin@example.com",
    ] {
        page.says(words);
    }
    let mut viewer = Browser::signed_in(&stage, "viewer").await;
    assert_eq!(viewer.get(&path).await.status, 403);

    let script = Script::new(&stage, "administrator", &["contacts"]).await;
    let asked = script.get("/api/v1/contact-conflicts").await.body;
    let people = &asked["items"][0]["people"];
    assert_eq!(people[0]["companies"], json!(["Twin Works"]), "{asked}");
    assert_eq!(people[0]["came_from"], "Intercom");
    assert_eq!(people[2]["fields"]["external_id"], "x-2");
    assert_eq!(people[2]["came_from"], "an import by owner@example.com");

    // The second of them it is: they are one from then on, and the other stays.
    let second = people[2]["id"].to_string();
    let conflict = asked["items"][0]["id"].to_string();
    let fields = [("conflict", conflict.as_str()), ("into", second.as_str())];
    let page = owner.send(&format!("{path}/decide"), &fields).await;
    assert_eq!(page.goes_to(), format!("/contacts/{second}?done=decided"));
    let page = owner.get(&format!("/contacts/{second}")).await;
    assert!(!page.words().contains("Who is this?"));
    page.says(&format!("at Intercom {remote}"));
    page.says("x-2");
    page.says("Twin Works");
    let left = script.get("/api/v1/contact-conflicts").await.body;
    assert_eq!(left["items"], json!([]));
    assert_eq!(
        listed(&stage, |query| "twin".clone_into(&mut query.words))
            .await
            .len(),
        2
    );
}

async fn what_names_no_candidate_decides_nothing(on: On) {
    let (stage, mut owner, who) = twins(on).await;
    let asked = stage.store().conflict_of(who.id).await.unwrap().unwrap();
    let conflict = asked.id.to_string();
    let decide = format!("/contacts/{}/decide", who.id);
    for into in ["somebody", "999999"] {
        let fields = [("conflict", conflict.as_str()), ("into", into)];
        let page = owner.send(&decide, &fields).await;
        assert_eq!(page.goes_to(), format!("/contacts/{}?done=gone", who.id));
    }
    assert!(stage.store().conflict_of(who.id).await.unwrap().is_some());
    let page = owner.send(&decide, &[("conflict", &conflict)]).await;
    assert_eq!(page.goes_to(), format!("/contacts/{}?done=decided", who.id));
    let page = owner.get(&format!("/contacts/{}", who.id)).await;
    assert!(!page.words().contains("Who is this?"));
    let people = listed(&stage, |query| "twin".clone_into(&mut query.words)).await;
    assert_eq!(people.len(), 3, "all of them are somebody of their own");
}
