//! The pages and addresses of contacts, as people and scripts use them.

use bowline_domain::contacts::Life;
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;
use bowline_store::contacts::RunState;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{acme, copied, known, listed, sync, until_so};
use crate::failure::fault;
use crate::stage::{On, Stage, on_both};

on_both!(
    copying_is_switched_on_and_off_by_hand_and_what_was_copied_is_removed,
    a_copy_that_failed_is_shown_until_another_one_succeeds,
    a_person_is_edited_merged_and_erased,
    a_file_is_previewed_imported_and_joined
);

async fn stage(on: On) -> Stage {
    Stage::on(on, |plan| {
        plan.intercom.invented_contacts = 320;
        plan.intercom.invented_companies = 12;
    })
    .await
}

async fn switched_on(stage: &Stage, owner: &mut Browser) {
    let fields = [("workspace", "acme"), ("on", "yes"), ("updates", "yes")];
    let page = owner.send("/contacts/settings/switch", &fields).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=contacts-on");
    copied(stage).await;
}

async fn copying_is_switched_on_and_off_by_hand_and_what_was_copied_is_removed(on: On) {
    let stage = stage(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let page = owner.get("/contacts").await;
    page.says("Nobody is known yet.");
    owner.get("/contacts/settings").await.says("off");
    switched_on(&stage, &mut owner).await;
    let page = owner.get("/contacts/settings").await;
    page.says("in step");
    page.says("Both sides had 321 contacts");
    // The report of the copy: companies too, and how long it took.
    let companies = stage.intercom().companies_listed();
    assert!(companies > 0);
    page.says(&format!("321 0 0 0 {companies}"));
    page.says("Companies");
    page.says("after ");
    let page = owner.get("/contacts?q=mei+okaf").await;
    page.says("Mei Okafor");
    page.says("mei.okafor.23@example.com");
    owner.get("/companies?q=harb").await.says("Harbour 10");
    owner
        .get("/audit?what=contacts_switched")
        .await
        .says("on, with changes");
    // A file of all of them, as it is read.
    let file = owner.get("/contacts/export.csv?role=lead").await;
    let leads = listed(&stage, |query| query.role = Some("lead".to_owned())).await;
    assert_eq!(file.text.lines().count(), leads.len() + 1);
    assert!(file.text.starts_with("\"id\",\"intercom_id\",\"role\""));

    let sure = [("workspace", "acme"), ("sure", "yes")];
    let page = owner.send("/contacts/settings/remove", &sure).await;
    assert_eq!(page.status, 422);
    page.says("Switch copying off first");
    let off = [("workspace", "acme")];
    let page = owner.send("/contacts/settings/switch", &off).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=contacts-off");
    // What happens now is not followed, and what was copied stays.
    let new = stage
        .intercom()
        .create_contact(NewContact::user("Not Followed", "not@example.com"))
        .unwrap();
    stage.settled().await;
    assert!(known(&stage, &new).await.is_none());
    assert_eq!(listed(&stage, |_| ()).await.len(), 321);
    let page = owner.send("/contacts/settings/remove", &off).await;
    page.says("Tick that you are sure");
    let page = owner.send("/contacts/settings/remove", &sure).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=contacts-removed");
    let page = owner.get("/contacts/settings").await;
    assert!(!page.words().contains("counts agree"), "nobody is left");
    assert!(!page.words().contains("321 contacts"));
    assert_eq!(listed(&stage, |_| ()).await.len(), 0);
    // On again: all of it is copied, with what came meanwhile.
    until_so("it is seen to be off", async || {
        sync(&stage).await.since.is_none().then_some(())
    })
    .await;
    let before = stage.store().runs(&acme(), 1).await.unwrap().remove(0);
    let fields = [("workspace", "acme"), ("on", "yes"), ("updates", "yes")];
    owner.send("/contacts/settings/switch", &fields).await;
    until_so("the second copy", async || {
        let latest = stage.store().runs(&acme(), 1).await.unwrap().remove(0);
        (latest.id != before.id && latest.ended_at.is_some()).then_some(())
    })
    .await;
    assert_eq!(listed(&stage, |_| ()).await.len(), 322);
    let page = owner.send("/contacts/settings/copy", &off).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=copying");
}

/// Has everything copied again, and waits for the end of it.
async fn copied_again(stage: &Stage, owner: &mut Browser) -> RunState {
    let before = stage.store().runs(&acme(), 1).await.unwrap().remove(0);
    let fields = [("workspace", "acme"), ("do", "copy")];
    let page = owner.send("/contacts/settings/copy", &fields).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=copying");
    until_so("the copy ends", async || {
        let latest = stage.store().runs(&acme(), 1).await.unwrap().remove(0);
        (latest.id != before.id && latest.ended_at.is_some()).then_some(latest.state)
    })
    .await
}

async fn a_copy_that_failed_is_shown_until_another_one_succeeds(on: On) {
    let stage = stage(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    switched_on(&stage, &mut owner).await;
    owner.get("/problems").await.says("Everything works");
    let faults = stage.intercom().faults();
    let refuse = || {
        let body = json!({ "type": "error.list", "errors": [{ "code": "forbidden",
            "message": "You do not have the required scope to access this resource" }] });
        let kind = FaultKind::Status {
            status: 403,
            body: Some(body),
            headers: Vec::new(),
        };
        faults.add(fault("GET", "/contacts", 0, u32::MAX, kind));
    };
    refuse();
    assert_eq!(copied_again(&stage, &mut owner).await, RunState::Failed);
    let page = owner.get("/contacts/settings").await;
    page.says("last copy failed");
    page.says("“Read and list users and companies”");
    page.says("presses “Copy everything again”");
    assert!(!page.words().contains("in step"), "{}", page.words());
    assert!(!page.words().contains("counts agree"), "{}", page.words());
    let page = owner.get("/problems").await;
    page.says("Copying the contacts of “acme” failed");
    page.says("“Read and list users and companies”");
    let script = Script::new(&stage, "owner", &["read"]).await;
    let problems = script.get("/api/v1/problems").await.body;
    assert!(
        problems.to_string().contains("the contacts of “acme”"),
        "{problems}"
    );
    // Switched off it is no problem any more, and on again it is another matter.
    let off = [("workspace", "acme")];
    owner.send("/contacts/settings/switch", &off).await;
    owner.get("/problems").await.says("Everything works");
    until_so("it is seen to be off", async || {
        sync(&stage).await.since.is_none().then_some(())
    })
    .await;
    faults.clear();
    crate::stage::next_millisecond();
    let fields = [("workspace", "acme"), ("on", "yes"), ("updates", "yes")];
    owner.send("/contacts/settings/switch", &fields).await;
    until_so("it is copied anew", async || {
        let latest = stage.store().runs(&acme(), 1).await.unwrap().remove(0);
        (latest.state == RunState::Done).then_some(())
    })
    .await;
    owner.get("/problems").await.says("Everything works");
    // The next one that succeeds takes it away as well.
    refuse();
    assert_eq!(copied_again(&stage, &mut owner).await, RunState::Failed);
    let page = owner.get("/problems").await;
    page.says("Copying the contacts of “acme” failed");
    faults.clear();
    assert_eq!(copied_again(&stage, &mut owner).await, RunState::Done);
    owner.get("/problems").await.says("Everything works");
    owner.get("/contacts/settings").await.says("in step");
}

async fn a_person_is_edited_merged_and_erased(on: On) {
    let stage = stage(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    switched_on(&stage, &mut owner).await;
    let remote = stage.intercom().invented_contact(23);
    let mei = known(&stage, &remote).await.unwrap();
    let path = format!("/contacts/{}", mei.id);
    let (issue, _) = {
        let conversation = stage
            .intercom()
            .create_conversation(&remote, "It is slow.")
            .unwrap();
        let issue = stage.issue(stage.address(&conversation).as_str());
        stage.note(&conversation, &["created ", &issue]).await;
        (issue, conversation)
    };
    let page = owner.get(&path).await;
    page.says("Mei Okafor");
    page.says(&issue);
    page.says("Business");
    let wrong = [("name", "Mei O."), ("email", "nonsense"), ("phone", "")];
    let page = owner.send(&path, &wrong).await;
    assert_eq!(page.status, 422);
    page.says("is no e-mail address");
    assert!(
        page.text.contains("value=\"Mei O.\""),
        "what was typed is kept"
    );
    let right = [
        ("name", "Mei O."),
        ("email", "mei.okafor.23@example.com"),
        ("phone", ""),
    ];
    let page = owner.send(&path, &right).await;
    assert_eq!(page.goes_to(), format!("{path}?done=saved"));
    let page = owner.get(&path).await;
    page.says("set by owner@example.com");
    page.says("Use Intercom's");
    // Intercom goes on saying something else, and it stands beside.
    stage
        .intercom()
        .rename_contact(&remote, "Mei Changed")
        .unwrap();
    until_so("the other name", async || {
        let now = known(&stage, &remote).await?;
        (now.profile
            .shown(&bowline_domain::contacts::field::FieldName::new("name"))
            .other?
            .as_text()
            == "Mei Changed")
            .then_some(())
    })
    .await;
    assert_eq!(known(&stage, &remote).await.unwrap().name, "Mei O.");
    let page = owner
        .send(&format!("{path}/use-intercom"), &[("field", "name")])
        .await;
    assert_eq!(page.goes_to(), format!("{path}?done=intercoms"));
    assert_eq!(known(&stage, &remote).await.unwrap().name, "Mei Changed");

    let other = known(&stage, &stage.intercom().invented_contact(24))
        .await
        .unwrap();
    let merge = format!("{path}/merge");
    for (into, words) in [
        ("abc", "is no number of a contact"),
        ("999999", "There is no contact 999999"),
        (&mei.id.to_string(), "the same contact"),
    ] {
        let page = owner.send(&merge, &[("into", into)]).await;
        assert_eq!(page.status, 422);
        page.says(words);
        assert!(
            page.text.contains("value=\"Mei Changed\""),
            "the other form is as it was"
        );
    }
    let into = other.id.to_string();
    let page = owner.send(&merge, &[("into", &into)]).await;
    assert_eq!(
        page.goes_to(),
        format!("/contacts/{into}?done=contacts-merged")
    );
    assert_eq!(
        owner.get(&path).await.goes_to(),
        format!("/contacts/{into}")
    );

    let erase = format!("/contacts/{into}/erase");
    let page = owner.send(&erase, &[]).await;
    assert_eq!(page.status, 422);
    page.says("Tick that you are sure");
    let file = owner.get(&format!("/contacts/{into}/export.json")).await;
    let whole: serde_json::Value = serde_json::from_str(&file.text).unwrap();
    assert_eq!(whole["other_intercom_ids"][0], serde_json::json!(remote));
    let page = owner.send(&erase, &[("sure", "yes")]).await;
    assert_eq!(page.goes_to(), "/contacts?done=erased");
    assert_eq!(owner.get(&format!("/contacts/{into}")).await.status, 404);
    assert!(known(&stage, &remote).await.is_none());
    // Neither of the two comes back, whatever is told of them.
    stage
        .intercom()
        .rename_contact(&remote, "Back Again")
        .unwrap();
    stage.settled().await;
    assert!(known(&stage, &remote).await.is_none());
    // Nothing that deliveries said of them is left.
    let events = stage.events().await;
    let left: Vec<i64> = events
        .iter()
        .filter(|view| view.event.body.contains("Mei Changed"))
        .map(|view| view.event.id.0)
        .collect();
    assert_eq!(left, Vec::<i64>::new());
    owner
        .get("/audit?what=contact_erased")
        .await
        .says(&format!("contact {into}"));
}

async fn a_file_is_previewed_imported_and_joined(on: On) {
    let stage = stage(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let file = |text: &str, step: &str| {
        vec![
            ("workspace".to_owned(), "acme".to_owned()),
            ("text".to_owned(), text.to_owned()),
            ("step".to_owned(), step.to_owned()),
        ]
    };
    let fields = |all: &[(String, String)]| -> Vec<(String, String)> { all.to_vec() };
    let mut send = async |text: &str, step: &str| {
        let all = fields(&file(text, step));
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        owner.send("/contacts/import", &all).await
    };
    let page = send("name\nNoa", "").await;
    assert_eq!(page.status, 422);
    page.says("one of them must be email");
    let text = "external_id,email,plan\nx-1,twin@example.com,Pro\nx-2,twin@example.com,Free\n";
    let page = send(text, "").await;
    page.says("2 added, 0 changed");
    assert_eq!(
        listed(&stage, |_| ()).await.len(),
        0,
        "nothing is changed yet"
    );
    assert_eq!(
        send(text, "import").await.goes_to(),
        "/contacts?done=contacts-imported.2-0-0-0"
    );
    let people = listed(&stage, |_| ()).await;
    assert_eq!(people.len(), 2);
    // Intercom has somebody with that address: a person has to say who it is.
    let twin = stage
        .intercom()
        .create_contact(NewContact::user("A Twin", "twin@example.com"))
        .unwrap();
    switched_on(&stage, &mut owner).await;
    let who = known(&stage, &twin).await.unwrap();
    assert!(who.unclear && who.life == Life::Live);
    let page = owner.get(&format!("/contacts/{}", who.id)).await;
    page.says("Who is this?");
    let conflict = stage.store().conflict_of(who.id).await.unwrap().unwrap();
    let (conflict, into) = (conflict.id.to_string(), conflict.candidates[0].to_string());
    let decide = format!("/contacts/{}/decide", who.id);
    let page = owner
        .send(&decide, &[("conflict", &conflict), ("into", &into)])
        .await;
    assert_eq!(page.goes_to(), format!("/contacts/{into}?done=decided"));
    let now = known(&stage, &twin).await.unwrap();
    assert_eq!((now.id.to_string(), now.unclear), (into, false));
}

#[tokio::test]
async fn what_lacks_a_permission_is_named_and_not_switched_on() {
    let stage = Stage::with(|plan| plan.intercom.contacts_forbidden = true).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let page = owner.get("/contacts/settings").await;
    page.says("Read and list users and companies");
    let fields = [("workspace", "acme"), ("on", "yes")];
    let page = owner.send("/contacts/settings/switch", &fields).await;
    assert_eq!(page.status, 422);
    page.says("Nothing was switched on");
    let lacking = page.words().matches("lacks the permission").count();
    let named = page.words().matches("permission “Read and list").count();
    assert_eq!((lacking, named), (2, 1), "each is told once");
    let settings = stage.service().shared().contact_settings().await.unwrap();
    assert!(!settings[0].on);
}

#[tokio::test]
async fn what_the_configuration_declares_is_not_switched_here() {
    let stage = Stage::with(|plan| crate::contacts::ON.clone_into(&mut plan.top)).await;
    copied(&stage).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner
        .get("/contacts/settings")
        .await
        .says("The configuration declares this");
    let page = owner
        .send("/contacts/settings/switch", &[("workspace", "acme")])
        .await;
    assert_eq!(page.status, 422);
    page.says("[[contact_sync]]");
}
