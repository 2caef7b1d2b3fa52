//! Settlements: how attempts ended, and how their lanes go on.

use bowline_domain::connection::Health;
use bowline_domain::effect::EffectState;
use bowline_domain::ids::EffectId;
use bowline_domain::time::Millis;
use bowline_store::model::{Ending, Settlement};
use bowline_store::testing::Backend;
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    each_ending_leaves_its_state,
    the_next_effect_of_the_lane_follows,
    an_effect_that_is_to_be_tried_again_stays_in_front,
    an_effect_that_waits_for_more_was_not_tried,
    a_worker_that_stops_leaves_its_lane_to_others,
    an_attempt_that_a_crash_cut_off_is_doubtful,
    an_unknown_outcome_is_doubtful_until_it_is_looked_for,
    what_follows_from_an_effect_waits_at_the_end_of_the_lane,
    what_follows_from_an_effect_is_stored_once,
    what_follows_from_an_effect_wakes_an_idle_lane,
    effects_wait_for_their_connection,
    many_settlements_at_once_each_go_on,
    a_settlement_of_nothing_is_nothing,
    a_remote_thing_that_we_made_is_ours,
);

/// A state, a remote id, words, and how often the lane failed.
type Wanted<'w> = (EffectState, Option<&'w str>, Option<&'w str>, i64);

async fn each_ending_leaves_its_state(world: &World) {
    let confirmed_with_words = Ending::Confirmed {
        remote_id: Some("r1".to_owned()),
        detail: Some("It was found.".to_owned()),
    };
    let done = |words: &str| Ending::Dropped {
        reason: words.to_owned(),
    };
    let cases: [(&str, Ending, Wanted<'_>); 6] = [
        (
            "a",
            confirmed_with_words,
            (EffectState::Confirmed, Some("r1"), Some("It was found."), 0),
        ),
        (
            "b",
            Ending::Confirmed {
                remote_id: None,
                detail: None,
            },
            (EffectState::Confirmed, None, None, 0),
        ),
        (
            "c",
            rejected(),
            (EffectState::Rejected, None, Some("It refuses."), 0),
        ),
        (
            "d",
            done("It ended."),
            (EffectState::Dropped, None, Some("It ended."), 0),
        ),
        (
            "e",
            later(T0, false),
            (EffectState::Planned, None, Some("It was busy."), 1),
        ),
        (
            "f",
            later(T0, true),
            (EffectState::Unknown, None, Some("It was busy."), 1),
        ),
    ];
    for (name, ending, (state, remote_id, reason, failures)) in cases {
        let effect = one_note(&world.store, name, name).await;
        assert!(settle(&world.store, &effect, ending).await.is_none());
        let view = seen(&world.store, &effect).await;
        assert_eq!(view.state, state, "{name}");
        assert_eq!(view.remote_id.as_deref(), remote_id, "{name}");
        assert_eq!(view.reason.as_deref(), reason, "{name}");
        assert_eq!(
            view.settled_at,
            state.settled().then(|| T0.plus_ms(1)),
            "{name}"
        );
        assert_eq!(
            world.store.lane_failures(&send_lane(name)).await.unwrap(),
            failures,
            "{name}"
        );
        let attempts = world.store.attempts_of(effect.id).await.unwrap();
        assert_eq!(attempts.len(), 1, "{name}");
        assert_eq!(attempts[0].outcome, state.as_str(), "{name}");
        assert_eq!(
            attempts[0].detail.as_deref(),
            remote_id.or(reason),
            "{name}"
        );
        assert_eq!(
            (attempts[0].started_at, attempts[0].ended_at),
            (T0, T0.plus_ms(1)),
            "{name}"
        );
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 2);
}

async fn the_next_effect_of_the_lane_follows(world: &World) {
    let names = ["a", "b", "c", "d"];
    let notes = names.map(|name| note("7", name)).to_vec();
    let mut current = planned(&world.store, "1", notes).await.pop();
    let endings = [
        confirmed("r1"),
        rejected(),
        Ending::Dropped {
            reason: "Gone.".to_owned(),
        },
    ];
    let endings = endings.into_iter().chain([confirmed("r4")]);
    for (name, ending) in names.into_iter().zip(endings) {
        let effect = current.expect("there is a next one");
        assert_eq!(effect.effect, note("7", name));
        assert_eq!((effect.doubtful, effect.attempts), (false, 1));
        current = settle(&world.store, &effect, ending).await;
    }
    assert!(current.is_none());
    assert!(world.store.claim_effects(9, T0).await.unwrap().is_empty());
}

async fn an_effect_that_is_to_be_tried_again_stays_in_front(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let due_at = T0.plus_ms(5_000);
    for attempt in 1..=3 {
        let due = T0.plus_ms(5_000 * attempt);
        let effect = if attempt == 1 {
            first.clone()
        } else {
            world
                .store
                .claim_effects(9, T0.plus_ms(5_000 * (attempt - 1)))
                .await
                .unwrap()
                .remove(0)
        };
        assert_eq!(
            (effect.id, effect.attempts, effect.doubtful),
            (first.id, attempt, false)
        );
        assert!(
            settle(&world.store, &effect, later(due, false))
                .await
                .is_none()
        );
        assert_eq!(
            world.store.lane_failures(&effect.lease.lane).await.unwrap(),
            attempt
        );
        assert!(
            world
                .store
                .claim_effects(9, due.plus_ms(-1))
                .await
                .unwrap()
                .is_empty()
        );
    }
    let effect = world
        .store
        .claim_effects(9, due_at.plus_ms(10_000))
        .await
        .unwrap()
        .remove(0);
    let next = settle(&world.store, &effect, confirmed("r1"))
        .await
        .expect("the second one");
    assert_eq!(next.effect, note("7", "b"));
    assert_eq!(
        world.store.lane_failures(&effect.lease.lane).await.unwrap(),
        0
    );
    assert_eq!(world.store.attempts_of(first.id).await.unwrap().len(), 4);
}

async fn a_worker_that_stops_leaves_its_lane_to_others(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let last = Settlement {
        go_on: false,
        ..settlement(&first, confirmed("r1"))
    };
    assert!(world.store.settle(last).await.unwrap().is_none());
    let other = world.other("second", 50_000).await;
    let next = other
        .claim_effects(9, T0.plus_ms(1))
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (next.effect.clone(), next.doubtful),
        (note("7", "b"), false)
    );
}

async fn an_attempt_that_a_crash_cut_off_is_doubtful(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let reborn = world.after_crash().await;
    let now = match world.backend {
        Backend::Sqlite => T0,
        Backend::Postgres => T0.plus_ms(LEASE_OVER),
    };
    let found = reborn.claim_effects(9, now).await.unwrap().remove(0);
    assert_eq!(
        (found.id, found.doubtful, found.attempts),
        (first.id, true, 2)
    );
    assert_eq!(found.effect, first.effect);
    assert_eq!(state(&reborn, &found).await, EffectState::Attempting);
    // Looked for, not found, to be sent again: no doubt is left.
    settle(&reborn, &found, later(now, false)).await;
    let again = reborn.claim_effects(9, now).await.unwrap().remove(0);
    assert_eq!((again.id, again.doubtful), (first.id, false));
    let next = settle(&reborn, &again, confirmed("r1"))
        .await
        .expect("the second one");
    assert_eq!(
        (next.effect.clone(), next.doubtful),
        (note("7", "b"), false)
    );
}

async fn an_unknown_outcome_is_doubtful_until_it_is_looked_for(world: &World) {
    let first = one_note(&world.store, "7", "a").await;
    settle(&world.store, &first, later(T0.plus_ms(5), true)).await;
    assert_eq!(state(&world.store, &first).await, EffectState::Unknown);
    let again = world
        .store
        .claim_effects(9, T0.plus_ms(5))
        .await
        .unwrap()
        .remove(0);
    assert!(again.doubtful);
    settle(&world.store, &again, later(T0.plus_ms(9), true)).await;
    let again = world
        .store
        .claim_effects(9, T0.plus_ms(9))
        .await
        .unwrap()
        .remove(0);
    assert!(again.doubtful);
    settle(&world.store, &again, confirmed("r1")).await;
    assert_eq!(state(&world.store, &first).await, EffectState::Confirmed);
}

pub(crate) async fn what_follows_from_an_effect_waits_at_the_end_of_the_lane(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    let follows = snooze_again(&first.effect, "7");
    world
        .store
        .follow_up(follows.clone(), first.event, T0)
        .await
        .unwrap();
    assert!(
        world.store.claim_effects(9, T0).await.unwrap().is_empty(),
        "the lane is held"
    );
    let second = settle(&world.store, &first, confirmed("r1")).await.unwrap();
    assert_eq!(second.effect, note("7", "b"));
    let third = settle(&world.store, &second, confirmed("r2"))
        .await
        .unwrap();
    assert_eq!((third.effect.clone(), third.event), (follows, first.event));
    assert!(
        settle(&world.store, &third, confirmed("r3"))
            .await
            .is_none()
    );
}

async fn what_follows_from_an_effect_is_stored_once(world: &World) {
    let first = one_note(&world.store, "7", "a").await;
    let follows = snooze_again(&first.effect, "7");
    for _ in 0..2 {
        world
            .store
            .follow_up(follows.clone(), first.event, T0)
            .await
            .unwrap();
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 2);
    let again = settle(&world.store, &first, later(T0, true)).await;
    assert!(again.is_none());
    world
        .store
        .follow_up(follows, first.event, T0)
        .await
        .unwrap();
    assert_eq!(world.store.backlog().await.unwrap().effects, 2);
}

async fn what_follows_from_an_effect_wakes_an_idle_lane(world: &World) {
    // As when the lane was taken over and emptied while its first worker was still at it.
    let first = one_note(&world.store, "7", "a").await;
    settle(&world.store, &first, confirmed("r1")).await;
    let elsewhere = snooze_again(&note("8", "never"), "8");
    for (follows, conversation) in [(snooze_again(&first.effect, "7"), "7"), (elsewhere, "8")] {
        world
            .store
            .follow_up(follows.clone(), first.event, T0.plus_ms(5))
            .await
            .unwrap();
        assert!(
            world
                .store
                .claim_effects(9, T0.plus_ms(4))
                .await
                .unwrap()
                .is_empty()
        );
        let claimed = world.store.claim_effects(9, T0.plus_ms(5)).await.unwrap();
        assert_eq!(claimed[0].lease.lane, send_lane(conversation));
        assert_eq!(claimed[0].effect, follows);
    }
}

async fn effects_wait_for_their_connection(world: &World) {
    let first = one_note(&world.store, "7", "a").await;
    world
        .store
        .put_connection(connection(intercom(), Health::Broken))
        .await
        .unwrap();
    settle(&world.store, &first, later(T0.plus_ms(900_000), false)).await;
    assert!(
        world
            .store
            .claim_effects(9, T0.plus_ms(LEASE_OVER))
            .await
            .unwrap()
            .is_empty()
    );
    world
        .store
        .put_connection(connection(intercom(), Health::Connected))
        .await
        .unwrap();
    assert!(
        world
            .store
            .claim_effects(9, T0.plus_ms(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        world
            .store
            .hasten(&intercom(), T0.plus_ms(1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        world.store.claim_effects(9, T0.plus_ms(1)).await.unwrap()[0].id,
        first.id
    );
}

async fn many_settlements_at_once_each_go_on(world: &World) {
    const LANES: usize = 150;
    let mut notes = Vec::new();
    for name in ["a", "b"] {
        notes.extend((0..LANES).map(|n| note(&format!("c{n}"), name)));
    }
    planned(&world.store, "1", notes).await;
    let now = T0.plus_ms(LEASE_OVER);
    let first = world.store.claim_effects(1_000, now).await.unwrap();
    assert_eq!(first.len(), LANES);
    let endings = join_all(first.iter().enumerate().map(|(n, effect)| {
        let ending = match n % 3 {
            0 => later(now.plus_ms(1), false),
            1 => rejected(),
            _ => confirmed(&format!("r{n}")),
        };
        world.store.settle(settlement(effect, ending))
    }))
    .await;
    for (n, (effect, next)) in first.iter().zip(endings).enumerate() {
        match next.unwrap() {
            None => assert_eq!(n % 3, 0),
            Some(next) => {
                assert_ne!(n % 3, 0);
                assert_eq!(next.lease, effect.lease);
                assert_ne!(next.id, effect.id);
            }
        }
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 200);
}

async fn a_settlement_of_nothing_is_nothing(world: &World) {
    let effect = one_note(&world.store, "7", "a").await;
    let unknown = Settlement {
        effect: EffectId(987_654),
        ..settlement(&effect, rejected())
    };
    let next = world.store.settle(unknown).await.unwrap();
    // The lane is its worker's still, and so is the effect that is first in it.
    assert_eq!(next.map(|next| next.id), Some(effect.id));
    assert!(
        world
            .store
            .attempts_of(EffectId(987_654))
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn a_remote_thing_that_we_made_is_ours(world: &World) {
    let effect = one_note(&world.store, "7", "a").await;
    assert!(!world.store.is_ours(&intercom(), "r1").await.unwrap());
    settle(&world.store, &effect, confirmed("r1")).await;
    let cases = [
        (intercom(), "r1", true),
        (intercom(), "r2", false),
        (jira(), "r1", false),
    ];
    for (connection, remote_id, ours) in cases {
        assert_eq!(
            world.store.is_ours(&connection, remote_id).await.unwrap(),
            ours,
            "{remote_id}"
        );
    }
    let never: Millis = seen(&world.store, &effect).await.settled_at.unwrap();
    assert!(never > T0);
}

async fn an_effect_that_waits_for_more_was_not_tried(world: &World) {
    let store = &world.store;
    let first = one_note(store, "7", "a").await;
    let due_at = T0.plus_ms(3_000);
    let next = settle(store, &first, Ending::NotYet { due_at }).await;
    assert!(next.is_none());
    let lane = &first.lease.lane;
    assert_eq!(store.lane_failures(lane).await.unwrap(), 0);
    assert_eq!(store.attempts_of(first.id).await.unwrap().len(), 0);
    let early = store.claim_effects(9, due_at.plus_ms(-1)).await.unwrap();
    assert!(early.is_empty());
    let taken = store.claim_effects(9, due_at).await.unwrap().remove(0);
    assert_eq!(
        (taken.id, taken.attempts, taken.doubtful),
        (first.id, 1, false)
    );
}
