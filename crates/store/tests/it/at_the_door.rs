//! Deliveries that mean nothing for an issue without a link are decided as they are stored, unless
//! something of their lane waits.

use bowline_domain::ids::{EventId, IssueId, ProjectKey};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_store::model::{Accepted, Decided, EventState, IfUnlinked, NewEvent, OnArrival};
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    what_means_nothing_for_an_unlinked_issue_is_decided_at_once,
    a_linked_issue_has_it_planned,
    an_issue_whose_link_ended_has_it_planned,
    an_issue_that_was_not_looked_through_has_it_planned,
    another_project_than_the_one_looked_through_has_it_planned,
    what_waits_is_not_overtaken,
    what_arrives_together_is_not_overtaken,
    it_is_stored_once_like_any_other,
    it_can_be_replayed,
);

/// A delivery that means nothing unless its issue is linked; `scanned_in`: in a bound project.
fn idle(issue: &str, delivery: &str, scanned_in: Option<&str>) -> NewEvent {
    NewEvent {
        on_arrival: OnArrival::NothingIfUnlinked(IfUnlinked {
            site: site(),
            issue: IssueId::new(issue),
            scanned_in: scanned_in.map(ProjectKey::new),
            reason: Reason::NotLinked,
        }),
        ..event(issue, delivery)
    }
}

fn decided_at_once(accepted: &Accepted) -> EventId {
    match accepted {
        Accepted::Decided { event } => *event,
        other => panic!("not decided at once: {other:?}"),
    }
}

/// Has the store know an issue, looked through, with or without a link.
async fn know(world: &World, issue: &str, linked: bool) {
    let (id, lease) = taken(&world.store, issue, &format!("known-{issue}")).await;
    let decided = Decided {
        issue: Some((site(), IssueId::new(issue))),
        record: Some(record("ENG-1")),
        links: linked.then(|| link("215")).into_iter().collect(),
        ..Decided::default()
    };
    let decision = decision(&lease, id, decided);
    world.store.decide(decision).await.unwrap();
}

pub(crate) async fn what_means_nothing_for_an_unlinked_issue_is_decided_at_once(world: &World) {
    let unknown = world.store.accept(idle("1", "d1", None)).await.unwrap();
    know(world, "2", false).await;
    let known = world
        .store
        .accept(idle("2", "d2", Some("ENG")))
        .await
        .unwrap();
    for id in [unknown, known].iter().map(decided_at_once) {
        let seen = world.store.event(id).await.unwrap().unwrap();
        assert_eq!(seen.state, EventState::Decided);
        assert_eq!(seen.outcome, Some(Outcome::nothing(Reason::NotLinked)));
        assert_eq!(seen.decided_at, Some(seen.event.received_at));
    }
    assert_eq!(world.store.backlog().await.unwrap().events, 0);
    assert!(world.store.claim_events(10, T0).await.unwrap().is_empty());
}

async fn a_linked_issue_has_it_planned(world: &World) {
    know(world, "1", true).await;
    let accepted = world
        .store
        .accept(idle("1", "d1", Some("ENG")))
        .await
        .unwrap();
    assert!(fresh(&accepted).1.is_some(), "its lane is taken");
}

async fn an_issue_whose_link_ended_has_it_planned(world: &World) {
    know(world, "1", true).await;
    world.execute("UPDATE link SET live = 0").await;
    fresh(&world.store.accept(idle("1", "d1", None)).await.unwrap());
}

async fn an_issue_that_was_not_looked_through_has_it_planned(world: &World) {
    fresh(
        &world
            .store
            .accept(idle("1", "d1", Some("ENG")))
            .await
            .unwrap(),
    );
    know(world, "2", false).await;
    world.execute("UPDATE issue SET scanned = 0").await;
    fresh(
        &world
            .store
            .accept(idle("2", "d2", Some("ENG")))
            .await
            .unwrap(),
    );
}

async fn another_project_than_the_one_looked_through_has_it_planned(world: &World) {
    know(world, "1", false).await;
    fresh(
        &world
            .store
            .accept(idle("1", "d1", Some("OPS")))
            .await
            .unwrap(),
    );
}

async fn what_waits_is_not_overtaken(world: &World) {
    world.store.accept(left(event("1", "first"))).await.unwrap();
    let (id, _) = fresh(&world.store.accept(idle("1", "second", None)).await.unwrap());
    let waiting = world
        .store
        .waiting_events(&event_lane("1"), 10)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[1].id, id);
}

async fn what_arrives_together_is_not_overtaken(world: &World) {
    let together = [
        left(idle("1", "a", None)),
        left(event("1", "b")),
        left(idle("1", "c", None)),
        left(idle("2", "d", None)),
    ];
    let answers = join_all(together.map(|event| world.store.accept(event))).await;
    let waiting = world
        .store
        .waiting_events(&event_lane("1"), 10)
        .await
        .unwrap();
    // The first of them may have been alone; what came with or after the one that waits waits.
    let names: Vec<&str> = waiting.iter().map(|event| &*event.body).collect();
    assert!(names.ends_with(&["{\"delivery\":\"b\"}", "{\"delivery\":\"c\"}"]));
    decided_at_once(answers[3].as_ref().unwrap());
}

async fn it_is_stored_once_like_any_other(world: &World) {
    decided_at_once(&world.store.accept(idle("1", "d1", None)).await.unwrap());
    let again = world.store.accept(idle("1", "d1", None)).await.unwrap();
    assert!(matches!(again, Accepted::Duplicate));
    let waits = world.store.accept(event("1", "d1")).await.unwrap();
    assert!(matches!(waits, Accepted::Duplicate));
    assert_eq!(world.store.backlog().await.unwrap().events, 0);
}

async fn it_can_be_replayed(world: &World) {
    let id = decided_at_once(&world.store.accept(idle("1", "d1", None)).await.unwrap());
    assert!(world.store.replay(id, T0).await.unwrap());
    let claimed = world.store.claim_events(10, T0).await.unwrap();
    assert_eq!(lanes_of(&claimed), ["event/acme-jira/1"]);
}
