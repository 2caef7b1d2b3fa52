//! Contacts: copied in full, followed by webhooks, and what is in the way of both.

use bowline::demo::{PATIENCE, WORKSPACE};
use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::ids::WorkspaceName;
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;
use bowline_store::contacts::{Contact, ContactQuery, Run, RunKind, RunState, Sync};
use serde_json::json;

use crate::failure::{fault, status};
use crate::stage::{On, Stage, on_both};

on_both!(
    everything_is_copied_once_with_as_few_calls_as_pages_allow,
    what_changes_afterwards_follows,
    refusals_errors_and_a_lost_place_double_nothing,
    odd_contacts_are_taken_in
);

/// Switches copying on in the configuration.
pub(crate) const ON: &str = "\n[[contact_sync]]\nworkspace = \"acme\"\n";

pub(crate) fn acme() -> WorkspaceName {
    WorkspaceName::new(WORKSPACE)
}

/// Looks until it is so, with a bound.
pub(crate) async fn until_so<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// Waits until the latest run of a workspace ended, and gives it.
pub(crate) async fn copied(stage: &Stage) -> Run {
    let run = until_so("the copy ends", async || {
        let runs = stage.store().runs(&acme(), 1).await.unwrap();
        runs.into_iter().find(|run| run.ended_at.is_some())
    })
    .await;
    assert_eq!(run.state, RunState::Done, "{run:?}");
    run
}

pub(crate) async fn sync(stage: &Stage) -> Sync {
    stage.store().syncs().await.unwrap().remove(0)
}

pub(crate) async fn listed(stage: &Stage, change: impl FnOnce(&mut ContactQuery)) -> Vec<Contact> {
    let mut query = ContactQuery::all(acme(), 1_000);
    change(&mut query);
    stage.store().contacts(&query).await.unwrap()
}

pub(crate) async fn known(stage: &Stage, remote: &str) -> Option<Contact> {
    let remote = RemoteContactId::new(remote);
    let found = stage.store().contact_by_remote(&acme(), &remote).await;
    found.unwrap()
}

fn with_contacts(plan: &mut bowline::demo::Plan) {
    ON.clone_into(&mut plan.top);
    plan.intercom.invented_contacts = 400;
    plan.intercom.invented_companies = 130;
}

async fn everything_is_copied_once_with_as_few_calls_as_pages_allow(on: On) {
    let mut stage = Stage::prepare_on(on, with_contacts).await;
    stage.start().await;
    let run = copied(&stage).await;
    // The stage itself has made one, Noa.
    assert_eq!((run.position, run.fresh, run.failed), (401, 401, 0));
    assert_eq!((run.total, run.restarts), (Some(401), 0));
    let calls = |path: &str| {
        let journal = stage.intercom().journal();
        journal.count(|entry| entry.path == path)
    };
    assert_eq!(calls("/contacts"), 401_usize.div_ceil(150));
    assert_eq!(calls("/companies/scroll"), 3, "two parts and the empty end");
    let now = sync(&stage).await;
    assert_eq!((now.ours, now.theirs), (Some(401), Some(401)));
    let all = listed(&stage, |_| ()).await;
    assert_eq!(all.len(), 401);
    let one = known(&stage, &stage.intercom().invented_contact(23))
        .await
        .unwrap();
    assert_eq!(
        (one.name.as_str(), one.role.as_str()),
        ("Mei Okafor", "user")
    );
    assert_eq!(one.profile.text("custom.plan"), "Business");
    let companies = stage.store().companies_of(&[one.id]).await.unwrap();
    assert_eq!(companies[0].1.monthly_spend, Some(23_000));
    let found = listed(&stage, |query| "okaf mei 23".clone_into(&mut query.words)).await;
    assert_eq!(found.len(), 1);
    // Again: nothing is written, nothing is doubled.
    assert!(
        stage
            .service()
            .shared()
            .begin_contact_run(&acme(), RunKind::Copy)
            .await
            .unwrap()
    );
    let again = until_so("the second copy", async || {
        let runs = stage.store().runs(&acme(), 1).await.unwrap();
        runs.into_iter()
            .find(|latest| latest.id != run.id && latest.ended_at.is_some())
    })
    .await;
    assert_eq!((again.fresh, again.updated, again.unchanged()), (0, 0, 401));
    // Stopped and started again it does not copy what it has.
    stage.stop().await;
    let before = stage.intercom().journal().entries().len();
    stage.start().await;
    stage.settled().await;
    assert_eq!(listed(&stage, |_| ()).await.len(), 401);
    let since = stage.intercom().journal().entries().split_off(before);
    assert!(
        since.iter().all(|entry| entry.path != "/contacts"),
        "{since:?}"
    );
}

async fn what_changes_afterwards_follows(on: On) {
    let stage = Stage::on(on, with_contacts).await;
    copied(&stage).await;
    let intercom = stage.intercom();
    let new = intercom
        .create_contact(NewContact::user("Quentin Brook", "quentin@example.com"))
        .unwrap();
    until_so("the new one", async || known(&stage, &new).await).await;
    let invented = intercom.invented_contact(8);
    intercom
        .rename_contact(&invented, "Renamed Person")
        .unwrap();
    until_so("the new name", async || {
        let one = known(&stage, &invented).await?;
        (one.name == "Renamed Person").then_some(())
    })
    .await;
    intercom.archive_contact(&new, true).unwrap();
    until_so("archived", async || {
        let one = known(&stage, &new).await?;
        (one.life == Life::Archived).then_some(())
    })
    .await;
    assert!(
        listed(&stage, |_| ())
            .await
            .iter()
            .all(|one| one.name != "Quentin Brook")
    );
    intercom.archive_contact(&new, false).unwrap();
    until_so("back again", async || {
        let one = known(&stage, &new).await?;
        (one.life == Life::Live).then_some(())
    })
    .await;
    // Leads turn out to be the user: the deliveries do not say who was merged.
    for email in [Some("quentin@example.com"), None] {
        let lead = intercom
            .create_contact(NewContact {
                lead: true,
                email: email.map(str::to_owned),
                phone: Some("+46701112233".to_owned()),
                ..NewContact::default()
            })
            .unwrap();
        let was = until_so("the lead", async || known(&stage, &lead).await).await;
        intercom.merge_contacts(&lead, &new).unwrap();
        let into = until_so("the merge", async || {
            let one = known(&stage, &lead).await?;
            (one.remote.as_ref().unwrap().as_str() == new).then_some(one)
        })
        .await;
        assert_ne!(into.id, was.id);
        assert_eq!(into.profile.text("phone"), "+46701112233", "taken over");
    }
    // Deleted there: erased here, and a late event does not bring it back.
    let late = json!({
        "type": "notification_event", "topic": "contact.user.updated", "id": "notif_late",
        "app_id": intercom.config().workspace, "created_at": 1_700_000_000,
        "data": {"type": "notification_event_data", "item": {
            "type": "contact", "id": new, "role": "user", "name": "Quentin Brook"}},
    });
    intercom.delete_contact(&new).unwrap();
    until_so("erased", async || {
        known(&stage, &new).await.is_none().then_some(())
    })
    .await;
    let (answered, _) = stage.deliver_intercom(late.to_string().as_bytes()).await;
    assert_eq!(answered, 200);
    stage.settled().await;
    assert!(known(&stage, &new).await.is_none());
    let reasons = stage.reasons().await;
    assert!(reasons.contains(&"contact_followed"), "{reasons:?}");
}

async fn refusals_errors_and_a_lost_place_double_nothing(on: On) {
    let mut stage = Stage::prepare_on(on, with_contacts).await;
    let faults = stage.intercom().faults().clone();
    let refused = FaultKind::Status {
        status: 429,
        body: Some(json!({"type": "error.list", "errors": [
            {"code": "rate_limit_exceeded", "message": "Too many"}]})),
        headers: vec![("retry-after".to_owned(), "1".to_owned())],
    };
    let lost = FaultKind::Status {
        status: 400,
        body: Some(json!({"type": "error.list", "errors": [
            {"code": "client_error", "message": "Invalid starting_after param."}]})),
        headers: Vec::new(),
    };
    // Page 1; 429; page 2; 500; page 3 is refused because its place is lost; then all again, with a
    // connection that breaks in the middle of an answer.
    faults.add(fault("GET", "/contacts", 1, 1, refused));
    faults.add(fault("GET", "/contacts", 2, 1, status(500)));
    faults.add(fault("GET", "/contacts", 2, 1, lost));
    faults.add(fault("GET", "/contacts", 4, 1, FaultKind::DropAfter));
    stage.start().await;
    let run = copied(&stage).await;
    assert_eq!(
        (run.fresh, run.updated, run.position),
        (401, 0, 401),
        "{run:?}"
    );
    assert_eq!((run.restarts, run.failed), (1, 0));
    assert_eq!(listed(&stage, |_| ()).await.len(), 401);
}

async fn odd_contacts_are_taken_in(on: On) {
    let mut stage = Stage::prepare_on(on, with_contacts).await;
    let intercom = stage.intercom().clone();
    let bare = intercom
        .create_contact(NewContact {
            lead: true,
            ..NewContact::default()
        })
        .unwrap();
    let odd = intercom.invented_contact(2);
    let value = json!({"type": "Order.list", "instances": [{"id": 5}], "null": null});
    intercom
        .set_contact_attribute(&odd, "orders", value)
        .unwrap();
    intercom
        .set_contact_attribute(&odd, "story", json!("long ".repeat(200_000)))
        .unwrap();
    stage.start().await;
    let run = copied(&stage).await;
    assert_eq!((run.fresh, run.failed), (402, 0));
    let called = known(&stage, &bare).await.unwrap().name;
    assert_eq!(called, format!("Lead {}", &bare[20..]));
    let one = known(&stage, &odd).await.unwrap();
    assert!(one.profile.text("custom.orders").contains("Order.list"));
    assert_eq!(
        one.profile.text("custom.story").len(),
        4 * 1_024,
        "cut to what is kept"
    );
    // A delivery of a megabyte is taken; what it means is read back.
    intercom.rename_contact(&odd, "Still Taken").unwrap();
    until_so("the name", async || {
        (known(&stage, &odd).await?.name == "Still Taken").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_contact_that_changes_between_two_pages_is_known_as_it_is_last() {
    let mut stage = Stage::prepare(with_contacts).await;
    // The second page waits; meanwhile somebody of the first is renamed.
    let faults = stage.intercom().faults().clone();
    faults.add(fault(
        "GET",
        "/contacts",
        1,
        1,
        FaultKind::Delay { ms: 600 },
    ));
    stage.start().await;
    let early = stage.intercom().invented_contact(3);
    until_so("the first page", async || known(&stage, &early).await).await;
    stage
        .intercom()
        .rename_contact(&early, "Changed Meanwhile")
        .unwrap();
    let late = stage.intercom().invented_contact(390);
    stage
        .intercom()
        .rename_contact(&late, "Changed Ahead")
        .unwrap();
    let run = copied(&stage).await;
    assert_eq!(run.position, 401);
    stage.settled().await;
    assert_eq!(
        known(&stage, &early).await.unwrap().name,
        "Changed Meanwhile"
    );
    assert_eq!(known(&stage, &late).await.unwrap().name, "Changed Ahead");
    assert_eq!(listed(&stage, |_| ()).await.len(), 401);
}

#[tokio::test]
async fn without_the_permission_nothing_is_copied_and_it_is_named() {
    let stage = Stage::with(|plan| {
        with_contacts(plan);
        plan.intercom.contacts_forbidden = true;
    })
    .await;
    let run = until_so("the run gives up", async || {
        let runs = stage.store().runs(&acme(), 1).await.unwrap();
        runs.into_iter().find(|run| run.state == RunState::Failed)
    })
    .await;
    let why = run.waiting.unwrap();
    assert!(why.contains("Read and list users and companies"), "{why}");
    let missing = stage.service().shared().missing_for_contacts(&acme()).await;
    let missing = missing.unwrap();
    assert_eq!(
        missing[0].permission.title(),
        "Read and list users and companies"
    );
    let new = stage
        .intercom()
        .create_contact(NewContact::user("Unread", "unread@example.com"))
        .unwrap();
    stage.settled().await;
    assert!(known(&stage, &new).await.is_none());
    assert!(stage.reasons().await.contains(&"contacts_forbidden"));
    // The connection itself works: nothing else waits for this.
    let (issue, conversation) = stage.linked().await;
    assert!(!issue.is_empty() && !conversation.is_empty());
}

#[tokio::test]
async fn updates_can_be_left_out_and_deletions_cannot() {
    let stage = Stage::with(|plan| {
        plan.top = format!("{ON}updates = false\n");
        plan.intercom.invented_contacts = 10;
    })
    .await;
    copied(&stage).await;
    let intercom = stage.intercom();
    let one = intercom.invented_contact(3);
    let before = known(&stage, &one).await.unwrap().name;
    intercom.rename_contact(&one, "Not Followed").unwrap();
    let new = intercom
        .create_contact(NewContact::user("Followed", "followed@example.com"))
        .unwrap();
    until_so("the new one", async || known(&stage, &new).await).await;
    stage.settled().await;
    assert_eq!(known(&stage, &one).await.unwrap().name, before);
    intercom.delete_contact(&one).unwrap();
    until_so("erased", async || {
        known(&stage, &one).await.is_none().then_some(())
    })
    .await;
    assert!(stage.reasons().await.contains(&"contact_updates_off"));
}

#[tokio::test]
async fn what_no_webhook_told_is_found_by_the_daily_sweep() {
    let stage = Stage::with(|plan| {
        with_contacts(plan);
        plan.intercom.timezone = "Pacific/Auckland".to_owned();
    })
    .await;
    copied(&stage).await;
    stage.intercom().set_webhook(None);
    let lost = stage
        .intercom()
        .create_contact(NewContact::user("Told Nobody", "told@example.com"))
        .unwrap();
    // As if a day had passed since.
    let now = sync(&stage).await;
    let past = bowline_domain::time::Millis(1);
    let due = Sync {
        since: Some(past),
        copied_at: Some(past),
        swept_at: Some(past),
        ..now
    };
    stage.store().switch_sync(due, None).await.unwrap();
    let database = stage.folder.path().join("data/bowline.db");
    let url = format!("sqlite:{}", database.display());
    let sql = "UPDATE contact_run SET ended_at = 1, began_at = began_at";
    bowline_store::testing::execute(&url, sql).await.unwrap();
    stage.configure().await;
    until_so("it is found", async || known(&stage, &lost).await).await;
    let run = copied(&stage).await;
    assert_eq!((run.kind.as_str(), run.fresh), ("sweep", 1));
    let now = until_so("it is counted", async || {
        let now = sync(&stage).await;
        (now.theirs == Some(402)).then_some(now)
    })
    .await;
    assert_eq!(now.ours, Some(402));
}
