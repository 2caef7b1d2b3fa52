//! What happened at Intercom while no webhook came: it is found by going through the whole list.

use bowline_domain::contacts::Life;
use bowline_domain::time::Millis;
use bowline_sandbox::intercom::NewContact;
use bowline_store::contacts::{Run, RunKind, RunState, Sync};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, acme, copied, known, sync, until_so};
use crate::stage::{On, Stage, on_both};

on_both!(
    who_was_erased_here_does_not_count_as_missing,
    who_went_while_nobody_told_is_found_by_mending,
    a_daily_look_that_leaves_a_difference_is_followed_by_mending
);

/// Contacts of the workspace: some pages.
const CONTACTS: u64 = 400;

async fn without_webhooks(on: On) -> Stage {
    let stage = Stage::on(on, |plan| {
        ON.clone_into(&mut plan.top);
        plan.intercom.invented_contacts = CONTACTS;
        plan.intercom.invented_companies = 3;
    })
    .await;
    copied(&stage).await;
    stage.intercom().set_webhook(None);
    stage
}

/// Waits until a run of this kind came to its end.
async fn mended(stage: &Stage, kind: RunKind) -> Run {
    let run = until_so("the run ends", async || {
        let runs = stage.store().runs(&acme(), 5).await.unwrap();
        runs.into_iter()
            .find(|run| run.kind == kind && run.ended_at.is_some())
    })
    .await;
    assert_eq!(run.state, RunState::Done, "{run:?}");
    run
}

async fn life(stage: &Stage, remote: &str) -> Option<Life> {
    known(stage, remote).await.map(|contact| contact.life)
}

async fn who_went_while_nobody_told_is_found_by_mending(on: On) {
    let stage = without_webhooks(on).await;
    let intercom = stage.intercom();
    let id = |number| intercom.invented_contact(number);
    let (deleted, archived, stays) = (id(20), id(21), id(22));
    let lead = intercom
        .create_contact(NewContact {
            lead: true,
            email: Some("late@example.com".to_owned()),
            ..NewContact::default()
        })
        .unwrap();
    // The lead is known here before they are merged.
    let copy = stage.service().shared();
    copy.begin_contact_run(&acme(), RunKind::Copy)
        .await
        .unwrap();
    until_so("the lead", async || known(&stage, &lead).await).await;
    copied(&stage).await;
    crate::stage::next_millisecond();
    intercom.delete_contact(&deleted).unwrap();
    intercom.archive_contact(&archived, true).unwrap();
    intercom.merge_contacts(&lead, &stays).unwrap();
    let new = intercom
        .create_contact(NewContact::user("Told Nobody", "told@example.com"))
        .unwrap();

    let mut admin = Browser::signed_in(&stage, "administrator").await;
    let fields = [("workspace", "acme"), ("do", "mend")];
    let page = admin.send("/contacts/settings/copy", &fields).await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=copying");
    let run = mended(&stage, RunKind::Mend).await;
    // Its pages, one search for all who were not met, and what is asked of each.
    let pages = i64::try_from(CONTACTS.div_ceil(150)).unwrap();
    assert!(run.requests <= pages + 10, "{run:?}");
    assert_eq!(life(&stage, &deleted).await, Some(Life::Missing));
    assert_eq!(life(&stage, &archived).await, Some(Life::Archived));
    assert_eq!(life(&stage, &new).await, Some(Life::Live));
    let went = known(&stage, &lead).await.unwrap();
    assert_eq!(went.remote.unwrap().as_str(), stays);
    let now = sync(&stage).await;
    assert_eq!((now.ours, now.theirs), (Some(400), Some(400)));
    let page = admin.get("/contacts/settings").await;
    page.says("counts agree");
    page.says("Comparison with Intercom's list");
    let page = admin.get("/contacts?which=missing").await;
    page.says("Noa Okafor ! not found at Intercom");

    // Nothing of it is left, and scripts can do the same.
    assert_eq!(stage.store().forget_met(run.id).await.unwrap(), 0);
    let script = Script::new(&stage, "owner", &["read", "contacts"]).await;
    let body = json!({ "workspace": "acme", "mend": true });
    let path = "/api/v1/contact-syncs/copy";
    let answer = script.call("POST", path, Some(body), "").await;
    assert_eq!((answer.status, &answer.body["begun"]), (202, &json!(true)));
}

async fn a_daily_look_that_leaves_a_difference_is_followed_by_mending(on: On) {
    let stage = without_webhooks(on).await;
    let deleted = stage.intercom().invented_contact(20);
    stage.intercom().delete_contact(&deleted).unwrap();
    a_day_later(&stage).await;
    mended(&stage, RunKind::Sweep).await;
    mended(&stage, RunKind::Mend).await;
    assert_eq!(life(&stage, &deleted).await, Some(Life::Missing));
    let now = sync(&stage).await;
    assert_eq!((now.ours, now.theirs), (Some(400), Some(400)));
    // Once a day, whatever differs.
    stage.configure().await;
    stage.settled().await;
    let runs = stage.store().runs(&acme(), 10).await.unwrap();
    assert_eq!(runs.len(), 3, "{runs:?}");
}

async fn who_was_erased_here_does_not_count_as_missing(on: On) {
    let stage = without_webhooks(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let erased = known(&stage, &stage.intercom().invented_contact(20)).await;
    let path = format!("/contacts/{}/erase", erased.unwrap().id);
    owner.send(&path, &[("sure", "yes")]).await;
    a_day_later(&stage).await;
    mended(&stage, RunKind::Sweep).await;
    stage.configure().await;
    stage.settled().await;
    let runs = stage.store().runs(&acme(), 10).await.unwrap();
    assert_eq!(runs.len(), 2, "nothing is mended because of it: {runs:?}");
    let page = owner.get("/contacts/settings").await;
    page.says("in step");
    page.says("nothing is missing");
    page.says("Intercom has 401 contacts and 400 are here");
    page.says("1 was erased here by a person and is not copied again");
    assert!(!page.words().contains("counts agree"), "they do not");
    // One more is a difference all the same, and is found.
    let new = NewContact::user("Told Nobody", "told@example.com");
    stage.intercom().create_contact(new).unwrap();
    let deleted: Vec<String> = (30..33)
        .map(|number| stage.intercom().invented_contact(number))
        .collect();
    for one in &deleted {
        stage.intercom().delete_contact(one).unwrap();
    }
    a_day_later(&stage).await;
    mended(&stage, RunKind::Mend).await;
    assert_eq!(life(&stage, &deleted[0]).await, Some(Life::Missing));
    owner
        .get("/contacts/settings")
        .await
        .says("1 was erased here by a person and is not copied again");
}

/// As if a day had passed since everything.
async fn a_day_later(stage: &Stage) {
    let past = Millis(1);
    let due = Sync {
        since: Some(past),
        copied_at: Some(past),
        swept_at: Some(past),
        ..sync(stage).await
    };
    stage.store().switch_sync(due, None).await.unwrap();
    let url = stage.world.config().unwrap().database.url();
    let sql = "UPDATE contact_run SET ended_at = 1";
    bowline_store::testing::execute(url.expose_secret(), sql)
        .await
        .unwrap();
    stage.configure().await;
}
