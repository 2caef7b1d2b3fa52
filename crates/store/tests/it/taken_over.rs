//! A worker whose lease ran out, and its successor: the events of a lane are decided once, and what
//! is known of an effect is not lost.

use bowline_domain::effect::EffectState;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::IssueId;
use bowline_store::model::{Decided, EventState, TakenEffect};
use bowline_store::{Store, StoreError};
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    who_lost_the_lane_decides_nothing,
    who_lost_the_lane_decides_nothing_in_the_company_of_its_successor,
    who_lost_the_lane_to_its_own_process_decides_nothing,
    a_late_confirmation_counts_once,
    a_late_refusal_is_left_to_the_successor,
    a_late_wish_to_try_again_is_left_to_the_successor,
    a_late_confirmation_stands_above_a_refusal,
    a_late_confirmation_of_what_waits_again_is_taken,
    a_lane_that_was_let_go_takes_what_its_last_worker_says,
    the_same_settlement_twice_is_recorded_once,
);

async fn who_lost_the_lane_decides_nothing(world: &World) {
    let (id, lost) = taken(&world.store, "10", "d1").await;
    let other = world.other("second", 50_000).await;
    let lease = other
        .claim_events(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    let decided = Decided {
        record: Some(record("ENG-1")),
        links: vec![link("7")],
        facts: vec![FactKey::created()],
        ..effects(vec![note("7", "a")])
    };
    let refused = decide(&world.store, &lost, id, decided).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })));

    assert_eq!(
        world.store.event(id).await.unwrap().unwrap().state,
        EventState::Waiting
    );
    assert!(world.store.effects_of(id).await.unwrap().is_empty());
    let state = world
        .store
        .issue_state(&site(), &IssueId::new("10"), &[])
        .await
        .unwrap();
    assert_eq!((state.record, state.links.len()), (None, 0));
    let committed = decide(&other, &lease, id, effects(vec![note("7", "b")]))
        .await
        .unwrap();
    assert_eq!(committed.taken.len(), 1);
}

async fn who_lost_the_lane_decides_nothing_in_the_company_of_its_successor(world: &World) {
    let (one, lost) = taken(&world.store, "1", "d1").await;
    world.store.accept(event("1", "d2")).await.unwrap();
    let lease = world
        .store
        .claim_events(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    let answers = join_all([
        decide(&world.store, &lost, one, effects(vec![note("7", "lost")])),
        decide(&world.store, &lease, one, effects(vec![note("7", "kept")])),
        decide(&world.store, &lost, one, effects(vec![note("7", "lost")])),
    ])
    .await;
    assert_eq!(
        answers.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [false, true, false]
    );
    let made = world.store.effects_of(one).await.unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].effect, note("7", "kept"));
    assert!(answers[1].as_ref().unwrap().more);
}

async fn who_lost_the_lane_to_its_own_process_decides_nothing(world: &World) {
    let (id, lost) = taken(&world.store, "1", "d1").await;
    let lease = world
        .store
        .claim_events(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    assert!(
        decide(&world.store, &lost, id, effects(vec![]))
            .await
            .is_err()
    );
    world.store.postpone(lost, T0, true).await.unwrap();
    assert!(
        decide(&world.store, &lease, id, effects(vec![]))
            .await
            .is_ok()
    );
}

/// A lane of two notes: the first worker's attempt at the first, the successor, and its attempt.
async fn overtaken(world: &World) -> (TakenEffect, Store, TakenEffect) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let other = world.other("second", 50_000).await;
    let again = other
        .claim_effects(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    assert_eq!((again.id, again.doubtful), (first.id, true));
    (first, other, again)
}

pub(crate) async fn a_late_confirmation_counts_once(world: &World) {
    let (first, other, again) = overtaken(world).await;
    assert!(
        settle(&world.store, &first, confirmed("r1"))
            .await
            .is_none()
    );
    assert_eq!(world.store.backlog().await.unwrap().effects, 1);
    assert!(world.store.is_ours(&intercom(), "r1").await.unwrap());
    // The successor has found it too, and goes on with the lane that it holds.
    let next = settle(&other, &again, confirmed("r1"))
        .await
        .expect("the second note");
    assert_eq!(next.effect, note("7", "b"));
    assert_eq!(world.store.backlog().await.unwrap().effects, 1);
    assert_eq!(world.store.attempts_of(first.id).await.unwrap().len(), 2);
    assert!(settle(&other, &next, confirmed("r2")).await.is_none());
}

async fn a_late_refusal_is_left_to_the_successor(world: &World) {
    let (first, other, again) = overtaken(world).await;
    assert!(settle(&world.store, &first, rejected()).await.is_none());
    assert_eq!(state(&world.store, &first).await, EffectState::Attempting);
    let next = settle(&other, &again, confirmed("r1"))
        .await
        .expect("the second note");
    assert_eq!(next.effect, note("7", "b"));
    assert_eq!(state(&world.store, &first).await, EffectState::Confirmed);
    let attempts = world.store.attempts_of(first.id).await.unwrap();
    let outcomes: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["rejected", "confirmed"]);
}

async fn a_late_wish_to_try_again_is_left_to_the_successor(world: &World) {
    for (name, doubtful) in [("c", false), ("d", true)] {
        let first = one_note(&world.store, name, name).await;
        let other = world.other("second", 50_000).await;
        let again = other
            .claim_effects(1, T0.plus_ms(LEASE_OVER))
            .await
            .unwrap()
            .remove(0);
        assert_eq!(again.id, first.id);
        settle(&world.store, &first, later(T0, doubtful)).await;
        // Nobody else gets it while the successor is at it, and what the successor did counts.
        assert!(world.store.claim_effects(9, T0).await.unwrap().is_empty());
        settle(&other, &again, confirmed("r1")).await;
        assert_eq!(state(&world.store, &first).await, EffectState::Confirmed);
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 0);
}

pub(crate) async fn a_late_confirmation_stands_above_a_refusal(world: &World) {
    let (first, other, again) = overtaken(world).await;
    let next = settle(&other, &again, rejected())
        .await
        .expect("the second note");
    settle(&world.store, &first, confirmed("r1")).await;
    let view = seen(&world.store, &first).await;
    assert_eq!(
        (view.state, view.remote_id.as_deref()),
        (EffectState::Confirmed, Some("r1"))
    );
    assert!(world.store.is_ours(&intercom(), "r1").await.unwrap());
    assert!(settle(&other, &next, confirmed("r2")).await.is_none());
}

async fn a_late_confirmation_of_what_waits_again_is_taken(world: &World) {
    let (first, other, again) = overtaken(world).await;
    let due_at = T0.plus_ms(2 * LEASE_OVER);
    settle(&other, &again, later(due_at, true)).await;
    settle(&world.store, &first, confirmed("r1")).await;
    assert_eq!(state(&world.store, &first).await, EffectState::Confirmed);
    let next = other.claim_effects(1, due_at).await.unwrap().remove(0);
    assert_eq!(next.effect, note("7", "b"));
}

async fn a_lane_that_was_let_go_takes_what_its_last_worker_says(world: &World) {
    let other = world.other("second", 50_000).await;
    let notes = |name: &str| vec![note(name, "a"), note(name, "b")];
    let cases = [
        ("1", confirmed("r1"), EffectState::Confirmed),
        ("2", rejected(), EffectState::Rejected),
        ("3", later(T0, true), EffectState::Unknown),
        ("4", later(T0, false), EffectState::Planned),
    ];
    let mut attempts = Vec::new();
    for (name, ..) in &cases {
        attempts.push(planned(&other, name, notes(name)).await.remove(0));
    }
    let late = other.clone();
    other.close().await;
    for (attempt, (name, ending, wanted)) in attempts.iter().zip(cases) {
        assert!(settle(&late, attempt, ending).await.is_none());
        let view = world.store.effects_of(attempt.event).await.unwrap();
        assert_eq!(view[0].state, wanted, "{name}");
    }
    let claimed = world.store.claim_effects(9, T0).await.unwrap();
    assert_eq!(claimed.len(), 4, "all four lanes go on");
}

async fn the_same_settlement_twice_is_recorded_once(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let next = settle(&world.store, &first, confirmed("r1"))
        .await
        .expect("the second note");
    let again = settle(&world.store, &first, confirmed("r1"))
        .await
        .expect("the second note");
    assert_eq!(next.id, again.id);
    assert!(again.doubtful, "it was handed out before");
    assert_eq!(world.store.attempts_of(first.id).await.unwrap().len(), 1);
    assert_eq!(world.store.backlog().await.unwrap().effects, 1);
}
