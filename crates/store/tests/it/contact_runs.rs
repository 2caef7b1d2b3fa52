//! Runs of copying, sweeping and mending, and what people chose for themselves.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::time::Millis;
use bowline_store::access::AuditEntry;
use bowline_store::contacts::{
    ContactChange, ContactChanges, Pages, Phase, Run, RunKind, RunState, Sync, Unmet,
};
use bowline_store::model::Decided;
use bowline_store::{Store, StoreError};

use crate::contact_removal::removed;
use crate::contacts::*;
use crate::support::*;

on_both!(
    a_run_goes_on_where_it_was_and_is_fenced,
    a_run_that_failed_stands_until_one_that_covers_it_succeeds,
    what_was_copied_is_removed_and_can_be_copied_again,
    who_was_erased_here_is_counted_until_intercom_deletes_them_too,
    who_is_not_met_in_a_list_is_asked_for_once,
    choices_are_kept_for_who_made_them
);

pub(crate) async fn running(store: &Store, kind: RunKind) -> bowline_domain::contacts::ids::RunId {
    let run = store.begin_run(&workspace(), kind, T0).await.unwrap();
    let run = run.expect("none is under way");
    let claimed = store.claim_run(run, T0, T0.plus_ms(60_000)).await.unwrap();
    assert!(claimed.is_some());
    run
}

fn sync(on: bool) -> Sync {
    Sync {
        workspace: workspace(),
        switched_on: on,
        updates: true,
        since: on.then_some(T0),
        copied_at: None,
        swept_at: None,
        ours: None,
        theirs: None,
        counted_at: None,
    }
}

pub(crate) async fn a_run_that_failed_stands_until_one_that_covers_it_succeeds(world: &World) {
    use RunKind::{Copy, Mend, Sweep};
    use RunState::{Done, Failed, Stopped};
    let store = &world.store;
    store.switch_sync(sync(true), None).await.unwrap();
    let failed = async || {
        let found = store.failed_run(&workspace()).await.unwrap();
        found.map(|run| (run.kind, run.waiting.unwrap()))
    };
    assert_eq!(failed().await, None);
    for (kind, state, stands) in [
        (Copy, Done, None),
        (Sweep, Failed, Some(Sweep)),
        (Sweep, Done, None),
        (Copy, Failed, Some(Copy)),
        (Sweep, Done, Some(Copy)),
        (Copy, Stopped, Some(Copy)),
        (Mend, Done, None),
        (Mend, Failed, Some(Mend)),
        (Copy, Done, None),
    ] {
        let run = running(store, kind).await;
        let why = (state == Failed).then(|| "refused".to_owned());
        store.end_run(run, (state, why), None, T0).await.unwrap();
        let wanted = stands.map(|kind| (kind, "refused".to_owned()));
        assert_eq!(failed().await, wanted, "after {kind:?} {state:?}");
    }
    let run = running(store, Copy).await;
    let why = Some("refused".to_owned());
    store.end_run(run, (Failed, why), None, T0).await.unwrap();
    running(store, Copy).await;
    let stands = failed().await.map(|(kind, _)| kind);
    assert_eq!(stands, Some(Copy), "while the next one is under way");
}

pub(crate) async fn a_run_goes_on_where_it_was_and_is_fenced(world: &World) {
    let store = &world.store;
    store
        .switch_sync(sync(true), Some(entry("contacts.on")))
        .await
        .unwrap();
    let run = running(store, RunKind::Copy).await;
    assert_eq!(
        store
            .begin_run(&workspace(), RunKind::Copy, T0)
            .await
            .unwrap(),
        None
    );
    let until = T0.plus_ms(60_000);
    let page = |ids: std::ops::Range<i32>, cursor: Option<&str>| Pages {
        contacts: ids
            .map(|n| person(&format!("p{n}"), "Somebody", &format!("p{n}@example.com")))
            .map(prepared)
            .collect(),
        failed: vec![("p99".to_owned(), "It has no id.".to_owned())],
        cursor: cursor.map(str::to_owned),
        total: Some(10),
        requests: 1,
        phase: Some(Phase::Contacts),
        ..Pages::default()
    };
    let of = (run, &workspace());
    store
        .take_pages(of, page(0..3, Some("c1")), (T0, until))
        .await
        .unwrap();
    store
        .run_waits(run, Some("busy".to_owned()), until)
        .await
        .unwrap();
    store.merge_words().await.unwrap();
    // A process of another name gets it only when the holding ran out, and the first is refused.
    let other = world.other("second", 500).await;
    assert_eq!(other.claim_run(run, T0, until).await.unwrap(), None);
    let later = until.plus_ms(1);
    let claimed = other
        .claim_run(run, later, later.plus_ms(60_000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (claimed.cursor.as_deref(), claimed.position),
        (Some("c1"), 4)
    );
    assert_eq!(
        (claimed.fresh, claimed.failed, claimed.resumed_from),
        (3, 1, 4)
    );
    let refused = store
        .take_pages(of, page(3..6, Some("c2")), (later, until))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Fenced { .. })),
        "{refused:?}"
    );
    assert!(store.run_waits(run, None, until).await.is_err());
    assert_eq!(
        listed(store, |_| ()).await.len(),
        3,
        "nothing of it was written"
    );
    // The cursor is not good any more: the list begins again and nothing is doubled.
    other
        .restart_run(run, later, later.plus_ms(60_000))
        .await
        .unwrap();
    let held = later.plus_ms(60_000);
    other
        .take_pages(of, page(0..6, None), (later, held))
        .await
        .unwrap();
    other
        .end_run(run, (RunState::Done, None), Some(7), later)
        .await
        .unwrap();
    let ended = store.runs(&workspace(), 5).await.unwrap().remove(0);
    assert_eq!(ended.state, RunState::Done);
    assert_eq!((ended.position, ended.fresh, ended.restarts), (7, 6, 1));
    assert_eq!(ended.reasons.len(), 2);
    assert_eq!(listed(store, |_| ()).await.len(), 6);
    let now = store.syncs().await.unwrap().remove(0);
    assert_eq!(
        (now.ours, now.theirs, now.copied_at),
        (Some(6), Some(7), Some(later))
    );
    assert!(
        store
            .end_run(run, (RunState::Done, None), None, later)
            .await
            .is_err()
    );
    assert!(store.restart_run(run, later, until).await.is_err());
    let sweep = running(store, RunKind::Sweep).await;
    assert_eq!(store.stop_runs(&workspace(), T0).await.unwrap(), 1);
    assert_eq!(store.claim_run(sweep, T0, until).await.unwrap(), None);
    other.close().await;
}

pub(crate) async fn what_was_copied_is_removed_and_can_be_copied_again(world: &World) {
    let store = &world.store;
    store.switch_sync(sync(true), None).await.unwrap();
    let all = vec![person("x1", "Noa", "noa@example.com"), lead("x2")];
    take(store, all.clone()).await;
    let file = vec![imported(Some("u-9"), "nine@example.com", "Pro")];
    store
        .import_contacts(&workspace(), file, "ana", T0)
        .await
        .unwrap();
    let run = running(store, RunKind::Copy).await;
    let companies = Pages {
        companies: vec![firm("c1", "Acme")],
        ..Pages::default()
    };
    store
        .take_pages((run, &workspace()), companies, (T0, T0))
        .await
        .unwrap();
    let ended = store.end_run(run, (RunState::Done, None), Some(2), T0);
    ended.await.unwrap();
    let counted = store.syncs().await.unwrap().remove(0);
    assert_eq!((counted.ours, counted.theirs), (Some(2), Some(2)));
    assert_eq!(removed(store).await, (2, 1, 0));
    let now = store.syncs().await.unwrap().remove(0);
    assert_eq!((now.ours, now.theirs, now.counted_at), (None, None, None));
    assert_eq!(listed(store, |_| ()).await, ["nine@example.com"]);
    assert_eq!(take(store, all).await.fresh, 2);
}

pub(crate) async fn who_was_erased_here_is_counted_until_intercom_deletes_them_too(world: &World) {
    let store = &world.store;
    let ids = ["e1", "e2", "e3"];
    let people = ids.map(|id| person(id, "Somebody", &format!("{id}@example.com")));
    take(store, people.to_vec()).await;
    let erased = async || store.erased_here(&workspace()).await.unwrap();
    let deleted = async |remote: &str, at: Millis| {
        let (event, lease) = taken(store, "10", remote).await;
        let changes = ContactChanges {
            workspace: workspace(),
            changes: vec![ContactChange::Erase(RemoteContactId::new(remote))],
            at,
        };
        let decided = Decided {
            contacts: Some(Box::new(changes)),
            ..Decided::default()
        };
        decide(store, &lease, event, decided).await.unwrap();
    };
    // Deleted at Intercom: their list does not hold them any more.
    deleted("e1", T0.plus_ms(1)).await;
    assert_eq!(erased().await, 0);
    for (remote, ms) in [("e2", 2), ("e3", 3)] {
        let entry = AuditEntry {
            at: T0.plus_ms(ms),
            ..entry("contact_erased")
        };
        let id = known(store, remote).await.id;
        assert!(store.erase_contact(id, entry).await.unwrap());
    }
    assert_eq!(erased().await, 2);
    deleted("e3", T0.plus_ms(4)).await;
    assert_eq!(erased().await, 1);
    let elsewhere = bowline_domain::ids::WorkspaceName::new("elsewhere");
    assert_eq!(store.erased_here(&elsewhere).await.unwrap(), 0);
}

pub(crate) async fn who_is_not_met_in_a_list_is_asked_for_once(world: &World) {
    let store = &world.store;
    let people = (0..5).map(|n| person(&format!("p{n}"), "Somebody", &format!("p{n}@example.com")));
    take(store, people.collect()).await;
    let begun = T0.plus_ms(1);
    let run = store.begin_run(&workspace(), RunKind::Mend, begun).await;
    let run = run.unwrap().unwrap();
    let until = begun.plus_ms(60_000);
    store.claim_run(run, begun, until).await.unwrap().unwrap();
    let of = (run, &workspace());
    let page = Pages {
        contacts: vec![prepared(person("p5", "New", "p5@example.com"))],
        met: ["p0", "p2", "p5"].map(str::to_owned).to_vec(),
        requests: 1,
        phase: Some(Phase::Comparing),
        ..Pages::default()
    };
    // The same page again does no harm: a process may die before it knows that it was kept.
    for _ in 0..2 {
        store
            .take_pages(of, page.clone(), (begun, until))
            .await
            .unwrap();
    }
    let latest = async || -> Run { store.runs(&workspace(), 1).await.unwrap().remove(0) };
    assert_eq!(latest().await.phase, Phase::Comparing);
    let unmet = async |after: i64| {
        let part = store
            .unmet(&latest().await, ContactId(after), 2)
            .await
            .unwrap();
        let ids = part.iter().map(|(_, remote)| remote.as_str().to_owned());
        (ids.collect::<Vec<_>>(), part.last().map(|(id, _)| *id))
    };
    let (first, last) = unmet(0).await;
    assert_eq!(first, ["p1", "p3"]);
    let found = Unmet {
        changes: vec![
            ContactChange::SetLife(RemoteContactId::new("p1"), Life::Missing),
            ContactChange::SetLife(RemoteContactId::new("p3"), Life::Archived),
        ],
        after: last,
        requests: 3,
        last: false,
    };
    store
        .take_unmet(of, found.clone(), (begun, until))
        .await
        .unwrap();
    assert_eq!(known(store, "p1").await.life, Life::Missing);
    assert_eq!(latest().await.cursor, last.map(|id| id.to_string()));
    let (rest, _) = unmet(last.unwrap().0).await;
    assert_eq!(rest, ["p4"]);
    // Who took it over goes on, and the first is refused.
    let other = world.other("second", 500).await;
    let later = until.plus_ms(1);
    let claimed = other.claim_run(run, later, later.plus_ms(60_000)).await;
    assert!(claimed.unwrap().is_some());
    let refused = store.take_unmet(of, found, (later, until)).await;
    assert!(
        matches!(refused, Err(StoreError::Fenced { .. })),
        "{refused:?}"
    );
    let over = Unmet {
        last: true,
        ..Unmet::default()
    };
    let held = later.plus_ms(60_000);
    other.take_unmet(of, over, (later, held)).await.unwrap();
    assert_eq!(latest().await.phase, Phase::Counting);
    assert_eq!(other.forget_met(run).await.unwrap(), 3);
    assert_eq!(other.forget_met(run).await.unwrap(), 0);
    let sync = sync(true);
    other.switch_sync(sync, None).await.unwrap();
    let ended = other.end_run(run, (RunState::Done, None), Some(4), later);
    ended.await.unwrap();
    let now = other.syncs().await.unwrap().remove(0);
    assert_eq!(
        (now.ours, now.theirs, now.copied_at),
        (Some(4), Some(4), Some(later))
    );
    other.close().await;
}

pub(crate) async fn choices_are_kept_for_who_made_them(world: &World) {
    let store = &world.store;
    assert_eq!(store.choice(1, "columns").await.unwrap(), None);
    for value in ["email", "email\nphone"] {
        store
            .keep_choice(1, "columns", value.to_owned())
            .await
            .unwrap();
    }
    let kept = store.choice(1, "columns").await.unwrap();
    assert_eq!(kept.as_deref(), Some("email\nphone"));
    assert_eq!(store.choice(2, "columns").await.unwrap(), None);
    assert_eq!(store.choice(1, "other").await.unwrap(), None);
}
