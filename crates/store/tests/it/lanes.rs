//! Lanes: one worker at a time, in order; postponed, claimed, hastened, kept.

use bowline_domain::connection::{Connection, Health};
use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_store::model::{EventState, NewEvent, OnArrival};
use bowline_store::testing::Backend;
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    a_lane_has_one_worker_at_a_time,
    a_postponed_lane_waits,
    failures_count_until_something_is_done,
    the_longest_due_are_claimed_first_and_no_more_than_asked_for,
    lanes_of_a_connection_that_does_not_work_are_not_claimed,
    what_end_users_wrote_is_planned_though_their_provider_does_not_work,
    a_lane_waits_for_the_connection_that_failed_it,
    hastened_lanes_are_due_and_keep_their_order,
    hastening_leaves_lanes_that_are_held,
    a_renewed_lane_is_kept,
    after_its_lease_a_lane_is_claimed_again,
    lanes_that_a_dead_process_held_are_found,
    a_closed_store_lets_its_lanes_go,
    a_replayed_event_waits_again,
    an_event_that_waits_is_not_replayed,
    work_is_heard_of,
);

async fn a_lane_has_one_worker_at_a_time(world: &World) {
    for delivery in ["d1", "d2", "d3"] {
        world
            .store
            .accept(left(event("1", delivery)))
            .await
            .unwrap();
    }
    let other = world.other("second", 50_000).await;
    let claims =
        join_all([&world.store, &other, &world.store].map(|store| store.claim_events(5, T0))).await;
    let leases: usize = claims
        .iter()
        .map(|claim| claim.as_ref().unwrap().len())
        .sum();
    assert_eq!(leases, 1);
    assert!(
        other
            .claim_events(5, T0.plus_ms(1_000))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_postponed_lane_waits(world: &World) {
    let (id, lease) = taken(&world.store, "1", "d1").await;
    let due_at = T0.plus_ms(5_000);
    world
        .store
        .postpone(lease.clone(), due_at, true)
        .await
        .unwrap();
    assert!(
        world
            .store
            .claim_events(5, T0.plus_ms(4_999))
            .await
            .unwrap()
            .is_empty()
    );
    // What comes meanwhile waits behind the head, however idle the lane looks.
    let (_, second) = fresh(&world.store.accept(event("1", "d2")).await.unwrap());
    assert_eq!(second, None);
    assert!(
        world
            .store
            .claim_events(5, T0.plus_ms(4_999))
            .await
            .unwrap()
            .is_empty()
    );
    let claimed = world.store.claim_events(5, due_at).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        world.store.waiting_events(&lease.lane, 5).await.unwrap()[0].id,
        id
    );
    // The old lease is good for nothing now.
    world.store.postpone(lease, T0, false).await.unwrap();
    assert!(
        world
            .store
            .claim_events(5, due_at)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn failures_count_until_something_is_done(world: &World) {
    let lane = event_lane("1");
    assert_eq!(
        world.store.lane_failures(&lane).await.unwrap(),
        0,
        "of a lane that never was"
    );
    let (id, mut lease) = taken(&world.store, "1", "d1").await;
    world.store.accept(event("1", "d2")).await.unwrap();
    for (failed, wanted) in [(true, 1), (true, 2), (false, 2), (true, 3)] {
        world.store.postpone(lease, T0, failed).await.unwrap();
        assert_eq!(world.store.lane_failures(&lane).await.unwrap(), wanted);
        lease = world.store.claim_events(1, T0).await.unwrap().remove(0);
    }
    decide(&world.store, &lease, id, effects(vec![]))
        .await
        .unwrap();
    assert_eq!(world.store.lane_failures(&lane).await.unwrap(), 0);
}

async fn the_longest_due_are_claimed_first_and_no_more_than_asked_for(world: &World) {
    for (issue, since) in [("1", 30), ("2", 10), ("3", 50), ("4", 20), ("5", 40)] {
        let event = NewEvent {
            received_at: T0.plus_ms(since),
            ..left(event(issue, issue))
        };
        world.store.accept(event).await.unwrap();
    }
    let now = T0.plus_ms(45);
    let first = world.store.claim_events(2, now).await.unwrap();
    assert_eq!(lanes_of(&first), ["event/acme-jira/2", "event/acme-jira/4"]);
    let second = world.store.claim_events(5, now).await.unwrap();
    assert_eq!(
        lanes_of(&second),
        ["event/acme-jira/1", "event/acme-jira/5"]
    );
    assert!(
        world
            .store
            .claim_events(0, T0.plus_ms(99))
            .await
            .unwrap()
            .is_empty()
    );
    let third = world.store.claim_events(5, T0.plus_ms(99)).await.unwrap();
    assert_eq!(lanes_of(&third), ["event/acme-jira/3"]);
    // Lanes of events and lanes of effects are claimed apart.
    assert!(
        world
            .store
            .claim_effects(5, T0.plus_ms(99))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn lanes_of_a_connection_that_does_not_work_are_not_claimed(world: &World) {
    for issue in ["1", "2"] {
        world.store.accept(left(event(issue, issue))).await.unwrap();
    }
    world
        .store
        .put_connection(connection(intercom(), Health::Broken))
        .await
        .unwrap();
    for health in [Health::Broken, Health::Limited] {
        world
            .store
            .put_connection(connection(jira(), health))
            .await
            .unwrap();
        assert!(
            world.store.claim_events(5, T0).await.unwrap().is_empty(),
            "{health}"
        );
    }
    for health in [Health::Connected, Health::Unchecked] {
        world
            .store
            .put_connection(connection(jira(), health))
            .await
            .unwrap();
        assert_eq!(
            world.store.claim_events(1, T0).await.unwrap().len(),
            1,
            "{health}"
        );
    }
}

fn account() -> Connection {
    Connection::Account(AccountName::new("bird"))
}

async fn what_end_users_wrote_is_planned_though_their_provider_does_not_work(world: &World) {
    let written = NewEvent {
        connection: account(),
        lane: LaneKey::end_user_events(&AccountName::new("bird"), &EndUserId::new("noa")),
        ..event("1", "1")
    };
    world.store.accept(left(written)).await.unwrap();
    let broken = connection(account(), Health::Broken);
    world.store.put_connection(broken).await.unwrap();
    let claimed = world.store.claim_events(5, T0).await.unwrap();
    assert_eq!(lanes_of(&claimed), ["event/bird/u/noa"]);
}

pub(crate) async fn a_lane_waits_for_the_connection_that_failed_it(world: &World) {
    let look = NewEvent {
        connection: account(),
        ..event("1", "1")
    };
    let (_, lease) = fresh(&world.store.accept(look).await.unwrap());
    let health = |health| world.store.put_connection(connection(jira(), health));
    health(Health::Broken).await.unwrap();
    let lease = lease.unwrap();
    let postponed = world.store.postpone_for(lease, T0, &jira()).await;
    postponed.unwrap();
    assert!(world.store.claim_events(5, T0).await.unwrap().is_empty());
    health(Health::Connected).await.unwrap();
    assert_eq!(world.store.hasten(&jira(), T0).await.unwrap(), 1);
    assert_eq!(world.store.claim_events(5, T0).await.unwrap().len(), 1);
}

pub(crate) async fn hastened_lanes_are_due_and_keep_their_order(world: &World) {
    for issue in ["1", "2", "3"] {
        let (_, lease) = taken(&world.store, issue, issue).await;
        let due_at = if issue == "3" {
            T0.plus_ms(10)
        } else {
            T0.plus_ms(900_000)
        };
        world.store.postpone(lease, due_at, true).await.unwrap();
    }
    let elsewhere = NewEvent {
        connection: intercom(),
        ..event("4", "4")
    };
    let (_, lease) = fresh(&world.store.accept(elsewhere).await.unwrap());
    world
        .store
        .postpone(lease.unwrap(), T0.plus_ms(900_000), true)
        .await
        .unwrap();

    let now = T0.plus_ms(20);
    assert_eq!(world.store.hasten(&jira(), now).await.unwrap(), 3);
    assert_eq!(
        world.store.lane_failures(&event_lane("1")).await.unwrap(),
        0
    );
    assert_eq!(
        world.store.lane_failures(&event_lane("4")).await.unwrap(),
        1
    );
    let first = world.store.claim_events(1, now).await.unwrap();
    assert_eq!(lanes_of(&first), ["event/acme-jira/3"]);
    let rest = world.store.claim_events(9, now).await.unwrap();
    assert_eq!(lanes_of(&rest), ["event/acme-jira/1", "event/acme-jira/2"]);
    assert_eq!(
        world.store.hasten(&jira(), now).await.unwrap(),
        0,
        "none waits"
    );
}

async fn hastening_leaves_lanes_that_are_held(world: &World) {
    let (id, lease) = taken(&world.store, "1", "1").await;
    assert_eq!(world.store.hasten(&jira(), T0).await.unwrap(), 0);
    assert!(world.store.claim_events(9, T0).await.unwrap().is_empty());
    decide(&world.store, &lease, id, effects(vec![]))
        .await
        .unwrap();
    assert_eq!(
        world.store.hasten(&jira(), T0).await.unwrap(),
        0,
        "an idle lane stays so"
    );
}

pub(crate) async fn a_renewed_lane_is_kept(world: &World) {
    let (_, one) = taken(&world.store, "1", "d1").await;
    taken(&world.store, "2", "d2").await;
    let other = world.other("second", 50_000).await;
    let (_, others) = taken(&other, "3", "d3").await;
    let halfway = T0.plus_ms(30_000);
    assert_eq!(world.store.renew(halfway).await.unwrap(), 2);
    // The other process did not renew its lane.
    let claimed = world
        .store
        .claim_events(9, T0.plus_ms(60_000))
        .await
        .unwrap();
    assert_eq!(lanes_of(&claimed), lanes_of([&others]));
    world.store.postpone(one, T0, false).await.unwrap();
    assert_eq!(world.store.renew(halfway).await.unwrap(), 2);
}

async fn after_its_lease_a_lane_is_claimed_again(world: &World) {
    let (_, lease) = taken(&world.store, "1", "d1").await;
    assert!(
        world
            .store
            .claim_events(9, T0.plus_ms(34_999))
            .await
            .unwrap()
            .is_empty()
    );
    let claimed = world
        .store
        .claim_events(9, T0.plus_ms(35_000))
        .await
        .unwrap();
    assert_eq!(claimed[0].lane, lease.lane);
    assert_ne!(claimed[0].token, lease.token);
}

pub(crate) async fn lanes_that_a_dead_process_held_are_found(world: &World) {
    let (id, _) = taken(&world.store, "1", "d1").await;
    // Nobody lets go of anything: the process is gone.
    let reborn = world.after_crash().await;
    let now = match world.backend {
        // It was the only process, so its lanes are free at once.
        Backend::Sqlite => T0,
        // Others may live; a lane is free when its lease is over.
        Backend::Postgres => {
            assert!(reborn.claim_events(9, T0).await.unwrap().is_empty());
            T0.plus_ms(LEASE_OVER)
        }
    };
    let claimed = reborn.claim_events(9, now).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let waiting = reborn.waiting_events(&claimed[0].lane, 9).await.unwrap();
    assert_eq!(waiting[0].id, id);
    // A process that starts under the name of a dead one has its lanes at once.
    let namesake = open(&world.url, "reborn", 2_000_000, true).await;
    assert_eq!(namesake.claim_events(9, now).await.unwrap().len(), 1);
}

pub(crate) async fn a_closed_store_lets_its_lanes_go(world: &World) {
    let other = world.other("second", 50_000).await;
    taken(&other, "1", "d1").await;
    assert!(world.store.claim_events(9, T0).await.unwrap().is_empty());
    other.close().await;
    assert_eq!(world.store.claim_events(9, T0).await.unwrap().len(), 1);
}

pub(crate) async fn a_replayed_event_waits_again(world: &World) {
    let (odd, _) = fresh(
        &world
            .store
            .accept(NewEvent {
                on_arrival: OnArrival::Quarantine("odd".to_owned()),
                ..event("1", "odd")
            })
            .await
            .unwrap(),
    );
    let (done, lease) = taken(&world.store, "2", "done").await;
    decide(&world.store, &lease, done, effects(vec![note("7", "a")]))
        .await
        .unwrap();

    for (id, issue) in [(odd, "1"), (done, "2")] {
        assert!(world.store.replay(id, T0.plus_ms(7)).await.unwrap());
        let view = world.store.event(id).await.unwrap().unwrap();
        assert_eq!(view.state, EventState::Waiting);
        assert_eq!(
            (view.outcome, view.trouble, view.decided_at),
            (None, None, None)
        );
        let claimed = world.store.claim_events(1, T0.plus_ms(7)).await.unwrap();
        assert_eq!(claimed[0].lane, event_lane(issue));
        let again = effects(vec![note("7", "a")]);
        let committed = decide(&world.store, &claimed[0], id, again).await.unwrap();
        assert!(committed.taken.is_empty(), "the effect was there already");
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 1);
}

async fn an_event_that_waits_is_not_replayed(world: &World) {
    let (id, _) = taken(&world.store, "1", "d1").await;
    assert!(!world.store.replay(id, T0).await.unwrap());
    assert!(!world.store.replay(EventId(987_654), T0).await.unwrap());
    assert_eq!(world.store.backlog().await.unwrap().events, 1);
}

pub(crate) async fn work_is_heard_of(world: &World) {
    let heard = world.store.work();
    tokio::pin!(heard);
    tokio::select! {
        biased;
        () = &mut heard => panic!("nobody said anything"),
        () = std::future::ready(()) => {}
    }
    let other = world.other("second", 50_000).await;
    // On PostgreSQL another process is heard; SQLite has one process only.
    let caller = if world.backend == Backend::Postgres {
        &other
    } else {
        &world.store
    };
    eventually("the call is heard", async || {
        caller.wake().await.unwrap();
        tokio::select! {
            () = &mut heard => Some(()),
            () = tokio::task::yield_now() => None,
        }
    })
    .await;
}
