//! Backfills on both databases: begun, held by one process, paused, ended.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::feedback::ids::ContactId;
use bowline_domain::time::Millis;
use bowline_store::feedback::{BackfillState, BackfillStep};

use crate::feedback::*;
use crate::support::{T0, World, on_both, workspace};

on_both!(
    a_backfill_goes_its_way,
    who_gave_feedback_is_found_and_moves_when_they_are_merged
);

pub(crate) async fn a_backfill_goes_its_way(world: &World) {
    let store = &world.store;
    let app = product(store, "App").await;
    let begin = || {
        let audit = vec![entry("backfill_changed")];
        store.begin_backfill((app, Millis(5), 300), by(), audit)
    };
    let id = begin().await.unwrap().unwrap();
    assert_eq!(begin().await.unwrap(), None, "one at a time");
    let held = T0.plus_ms(60_000);
    let first = || BackfillStep {
        looked: 150,
        cursor: Some("next".to_owned()),
        ..BackfillStep::default()
    };
    assert!(
        !store.advance_backfill(id, first()).await.unwrap(),
        "nobody holds it"
    );
    assert!(store.claim_backfill(id, T0, held).await.unwrap().is_some());
    assert!(store.advance_backfill(id, first()).await.unwrap());
    // Another process gets it only when the holding ran out, and the first is refused then.
    let other = world.other("second", 500).await;
    assert_eq!(other.claim_backfill(id, T0, held).await.unwrap(), None);
    assert!(!other.advance_backfill(id, first()).await.unwrap());
    let later = held.plus_ms(1);
    let claimed = other
        .claim_backfill(id, later, later.plus_ms(60_000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (claimed.looked, claimed.cursor.as_deref()),
        (150, Some("next"))
    );
    assert!(!store.advance_backfill(id, first()).await.unwrap());
    assert_eq!(store.claim_backfill(id, later, held).await.unwrap(), None);
    other.close().await;
    let running = store.running_backfills().await.unwrap();
    assert_eq!(
        (running[0].looked, running[0].cursor.as_deref()),
        (150, Some("next"))
    );
    let move_to =
        async |to: BackfillState| store.move_backfill(id, to, T0, Vec::new()).await.unwrap();
    assert!(move_to(BackfillState::Paused).await);
    assert!(!move_to(BackfillState::Done).await);
    assert!(store.running_backfills().await.unwrap().is_empty());
    assert!(move_to(BackfillState::Running).await);
    let mut new = changes("1");
    new.made = vec![(new_ticket(app, "p", "Old"), person("a", None))];
    new.backfill = Some(id);
    commit(store, new).await;
    assert!(move_to(BackfillState::Cancelled).await);
    assert!(!move_to(BackfillState::Running).await);
    let latest = store.latest_backfill(app).await.unwrap().unwrap();
    assert_eq!((latest.made, latest.state), (1, BackfillState::Cancelled));
    assert_eq!(latest.ended_at, Some(T0));
    // Its end comes with its last page, also when it was paused while that was read.
    let id = begin().await.unwrap().unwrap();
    assert!(store.claim_backfill(id, T0, held).await.unwrap().is_some());
    let pause = store.move_backfill(id, BackfillState::Paused, T0, Vec::new());
    assert!(pause.await.unwrap());
    assert_eq!(store.claim_backfill(id, T0, held).await.unwrap(), None);
    let last = BackfillStep {
        looked: 3,
        over: Some(T0),
        ..BackfillStep::default()
    };
    assert!(store.advance_backfill(id, last.clone()).await.unwrap());
    let over = store.backfill(id).await.unwrap().unwrap();
    assert_eq!((over.state, over.looked), (BackfillState::Done, 3));
    assert!(!store.advance_backfill(id, last).await.unwrap());
    assert!(store.backfill(999).await.unwrap().is_none());
    assert!(
        !store
            .move_backfill(999, BackfillState::Paused, T0, Vec::new())
            .await
            .unwrap()
    );
}

pub(crate) async fn who_gave_feedback_is_found_and_moves_when_they_are_merged(world: &World) {
    let store = &world.store;
    let app = product(store, "App").await;
    for (number, contact) in ["lead", "user", "other"].into_iter().enumerate() {
        let mut new = changes(&number.to_string());
        let mut who = person(contact, None);
        if contact == "lead" {
            who.email = Some("user@example.com".to_owned());
        }
        new.made = vec![(new_ticket(app, "p", contact), who)];
        commit(store, new).await;
    }
    let given = async |contact: &str| {
        let contact = ContactId::new(contact);
        let rows = store.tickets_given_by(&workspace(), &contact, 10).await;
        rows.unwrap().len()
    };
    assert_eq!((given("lead").await, given("user").await), (1, 1));
    let same = store
        .ticket_contacts_of_email(&workspace(), "user@example.com", 10)
        .await;
    assert_eq!(same.unwrap(), ["lead", "user"].map(ContactId::new));
    let mut merged = changes("");
    merged.merged = vec![(RemoteContactId::new("lead"), RemoteContactId::new("user"))];
    commit(store, merged).await;
    assert_eq!((given("lead").await, given("user").await), (0, 2));
    assert_eq!(given("other").await, 1);
}
