//! Deliveries are stored once, before they are acknowledged, and wait in their lanes.

use bowline_domain::ids::EventId;
use bowline_store::StoreError;
use bowline_store::committer::WAITING_MAX;
use bowline_store::model::{Accepted, EventFilter, EventSource, EventState, NewEvent, OnArrival};
use bowline_store::testing::hold_writes;
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    a_delivery_is_stored_once,
    doubles_that_arrive_together_are_stored_once,
    the_name_of_a_delivery_is_its_connections_and_sources_own,
    events_of_a_lane_wait_in_the_order_of_their_arrival,
    only_an_idle_lane_is_taken,
    a_lane_that_nobody_wants_is_due_at_once,
    a_quarantined_delivery_is_kept_outside_of_its_lane,
    a_quarantined_delivery_does_not_get_its_neighbours_lease,
    groups_of_any_size_are_stored,
    a_delivery_that_the_database_refuses_does_not_fail_its_neighbours,
);

mod too_many {
    on_both!(more_than_may_wait_is_refused);

    use super::*;

    async fn more_than_may_wait_is_refused(world: &World) {
        // More than the writer takes for itself before it is held.
        const BEYOND: usize = 600;
        let held = hold_writes(&world.url).unwrap();
        let names: Vec<String> = (0..WAITING_MAX + BEYOND).map(|n| format!("d{n}")).collect();
        let all = names
            .iter()
            .map(|name| world.store.accept(left(event("1", name))));
        let (answers, ()) = tokio::join!(join_all(all), async { drop(held) });
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(StoreError::Overloaded { .. })))
            .count();
        assert!(refused > 0 && refused <= BEYOND, "{refused}");
        let stored = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(stored + refused, answers.len());
        assert_eq!(
            world.store.backlog().await.unwrap().events,
            i64::try_from(stored).unwrap()
        );
    }
}

async fn a_delivery_is_stored_once(world: &World) {
    let first = world.store.accept(event("1", "d1")).await.unwrap();
    let again = world.store.accept(event("1", "d1")).await.unwrap();
    let (id, _) = fresh(&first);
    assert!(matches!(again, Accepted::Duplicate));
    let waiting = world
        .store
        .waiting_events(&event_lane("1"), 10)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].id, id);
    assert_eq!(&*waiting[0].body, "{\"delivery\":\"d1\"}");
    assert_eq!(waiting[0].source, EventSource::Jira);
    assert_eq!(waiting[0].connection, jira());
    assert_eq!(waiting[0].topic, "jira:issue_updated");
    assert_eq!(waiting[0].received_at, T0);
}

async fn doubles_that_arrive_together_are_stored_once(world: &World) {
    let names = ["a", "b", "a", "c", "a", "b"];
    let answers = join_all(names.map(|name| world.store.accept(event("1", name)))).await;
    let fresh: Vec<bool> = answers
        .iter()
        .map(|answer| matches!(answer, Ok(Accepted::Fresh { .. })))
        .collect();
    assert_eq!(fresh, [true, true, false, true, false, false]);
    assert_eq!(world.store.backlog().await.unwrap().events, 3);
}

async fn the_name_of_a_delivery_is_its_connections_and_sources_own(world: &World) {
    let same = event("1", "d1");
    let others = [
        same.clone(),
        NewEvent {
            connection: intercom(),
            ..same.clone()
        },
        NewEvent {
            source: EventSource::Notify,
            ..same.clone()
        },
        NewEvent {
            source: EventSource::Command,
            ..same.clone()
        },
        NewEvent {
            source: EventSource::Reconciler,
            ..same.clone()
        },
        NewEvent {
            source: EventSource::Intercom,
            ..same
        },
    ];
    for other in others {
        fresh(&world.store.accept(other).await.unwrap());
    }
    assert_eq!(world.store.backlog().await.unwrap().events, 6);
}

async fn events_of_a_lane_wait_in_the_order_of_their_arrival(world: &World) {
    let names: Vec<String> = (0..90).map(|n| format!("d{n}")).collect();
    let all = names.iter().enumerate().map(|(n, name)| {
        let issue = ["1", "2", "3"][n % 3];
        world.store.accept(event(issue, name))
    });
    join_all(all).await;
    for (start, issue) in ["1", "2", "3"].into_iter().enumerate() {
        let waiting = world
            .store
            .waiting_events(&event_lane(issue), 100)
            .await
            .unwrap();
        let bodies: Vec<&str> = waiting.iter().map(|event| &*event.body).collect();
        let wanted: Vec<String> = (start..90)
            .step_by(3)
            .map(|n| format!("{{\"delivery\":\"d{n}\"}}"))
            .collect();
        assert_eq!(bodies, wanted);
        let first = world
            .store
            .waiting_events(&event_lane(issue), 1)
            .await
            .unwrap();
        assert_eq!(first[0].id, waiting[0].id);
    }
}

async fn only_an_idle_lane_is_taken(world: &World) {
    let (first, lease) = taken(&world.store, "1", "d1").await;
    let (_, while_held) = fresh(&world.store.accept(event("1", "d2")).await.unwrap());
    assert_eq!(while_held, None);
    let committed = decide(&world.store, &lease, first, effects(vec![]))
        .await
        .unwrap();
    assert!(committed.more, "the second one waits");
    let second = world.store.waiting_events(&lease.lane, 1).await.unwrap()[0].id;
    let committed = decide(&world.store, &lease, second, effects(vec![]))
        .await
        .unwrap();
    assert!(!committed.more);
    let (_, again) = fresh(&world.store.accept(event("1", "d3")).await.unwrap());
    assert_ne!(again.expect("it is idle again").token, lease.token);
}

async fn a_lane_that_nobody_wants_is_due_at_once(world: &World) {
    let (_, lease) = fresh(&world.store.accept(left(event("1", "d1"))).await.unwrap());
    assert_eq!(lease, None);
    // Who comes second does not take it over the head of the first.
    let (_, lease) = fresh(&world.store.accept(event("1", "d2")).await.unwrap());
    assert_eq!(lease, None);
    let claimed = world.store.claim_events(10, T0).await.unwrap();
    assert_eq!(lanes_of(&claimed), ["event/acme-jira/1"]);
}

fn quarantined(issue: &str, delivery: &str) -> NewEvent {
    NewEvent {
        on_arrival: OnArrival::Quarantine("of no known shape".to_owned()),
        ..event(issue, delivery)
    }
}

async fn a_quarantined_delivery_is_kept_outside_of_its_lane(world: &World) {
    let (id, lease) = fresh(&world.store.accept(quarantined("1", "odd")).await.unwrap());
    assert_eq!(lease, None);
    let again = world.store.accept(quarantined("1", "odd")).await.unwrap();
    assert!(matches!(again, Accepted::Duplicate));
    assert!(world.store.claim_events(10, T0).await.unwrap().is_empty());
    let view = world.store.event(id).await.unwrap().expect("it is kept");
    assert_eq!(view.state, EventState::Quarantined);
    assert_eq!(view.trouble.as_deref(), Some("of no known shape"));
    assert_eq!(view.outcome, None);
    let backlog = world.store.backlog().await.unwrap();
    assert_eq!((backlog.events, backlog.quarantined), (0, 1));
}

async fn a_quarantined_delivery_does_not_get_its_neighbours_lease(world: &World) {
    let answers = join_all([
        world.store.accept(quarantined("1", "odd")),
        world.store.accept(event("1", "even")),
    ])
    .await;
    let leases: Vec<bool> = answers
        .iter()
        .map(|answer| fresh(answer.as_ref().unwrap()).1.is_some())
        .collect();
    assert_eq!(leases, [false, true]);
}

async fn groups_of_any_size_are_stored(world: &World) {
    let mut names = 0;
    let mut ids: Vec<EventId> = Vec::new();
    for size in [1, 3, 4, 5, 17, 66, 255, 256, 257, 300] {
        let events: Vec<NewEvent> = (names..names + size)
            .map(|name| event(&format!("{}", name % 40), &format!("d{name}")))
            .collect();
        names += size;
        let answers = join_all(events.into_iter().map(|event| world.store.accept(event))).await;
        ids.extend(
            answers
                .iter()
                .map(|answer| fresh(answer.as_ref().unwrap()).0),
        );
    }
    for lane in 0..40 {
        let of_lane: Vec<EventId> = ids.iter().skip(lane).step_by(40).copied().collect();
        assert!(
            of_lane.is_sorted(),
            "in a lane ids follow the order of arrival"
        );
    }
    let filter = EventFilter {
        limit: 10_000,
        ..EventFilter::default()
    };
    assert_eq!(world.store.events(&filter).await.unwrap().len(), ids.len());
}

/// Makes the database refuse a transaction at its very end if it stores the delivery “poison”.
pub(crate) async fn refuse_poison_at_commit(world: &World) {
    if world.backend == bowline_store::testing::Backend::Sqlite {
        world
            .execute("CREATE TABLE saint (id INTEGER PRIMARY KEY)")
            .await;
        world
            .execute(
                "CREATE TABLE sinner (saint INTEGER \
                 REFERENCES saint (id) DEFERRABLE INITIALLY DEFERRED)",
            )
            .await;
        world
            .execute(
                "CREATE TRIGGER refuse AFTER INSERT ON event WHEN NEW.delivery = 'poison' \
                 BEGIN INSERT INTO sinner VALUES (1); END",
            )
            .await;
    } else {
        world
            .execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$",
            )
            .await;
        world
            .execute(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON event \
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
                 WHEN (NEW.delivery = 'poison') EXECUTE FUNCTION refuse()",
            )
            .await;
    }
}

pub(crate) async fn a_delivery_that_the_database_refuses_does_not_fail_its_neighbours(
    world: &World,
) {
    refuse_poison_at_commit(world).await;
    let deliveries = [("1", "a"), ("2", "poison"), ("3", "b")];
    let answers =
        join_all(deliveries.map(|(issue, name)| world.store.accept(event(issue, name)))).await;
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [true, false, true]);
    let (_, lease) = fresh(answers[2].as_ref().unwrap());
    assert!(lease.is_some(), "what failed first was undone");
    assert_eq!(world.store.backlog().await.unwrap().events, 2);
}
