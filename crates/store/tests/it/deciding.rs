//! Decisions: state, effects and outcome in one piece, or nothing.

use std::collections::HashSet;

use bowline_domain::effect::EffectState;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{ConversationId, IssueId};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_store::StoreError;
use bowline_store::model::{Decided, Decision, EventState, Verdict};
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    all_of_a_decision_is_stored_together,
    an_effect_is_made_once_whatever_tells_it,
    a_key_that_two_decisions_of_a_group_share_is_made_once,
    taken_effects_are_attempting,
    no_more_lanes_are_taken_than_asked_for,
    the_effects_of_a_busy_lane_wait,
    a_quarantined_event_makes_nothing,
    a_decision_that_cannot_be_stored_leaves_nothing_and_fails_no_neighbour,
    a_decision_about_an_event_that_does_not_wait_is_refused,
    the_same_row_twice_is_stored_as_it_was_last,
    words_that_no_database_takes_are_stored_without_the_odd_character,
    many_decisions_at_once_each_get_their_own,
);

mod many {
    on_both!(ten_thousand_effects_fit_in_one_decision);

    use super::*;

    async fn ten_thousand_effects_fit_in_one_decision(world: &World) {
        const EFFECTS: usize = 10_000;
        let notes: Vec<_> = (0..EFFECTS)
            .map(|n| note(&format!("c{}", n / 2), &format!("n{n}")))
            .collect();
        let (id, lease) = taken(&world.store, "10", "big").await;
        let committed = decide(&world.store, &lease, id, effects(notes.clone()))
            .await
            .unwrap();
        assert_eq!(committed.taken.len(), 16);
        let stored = world.store.effects_of(id).await.unwrap();
        let keys = stored.iter().map(|view| view.effect.key.as_str());
        assert!(
            keys.eq(notes.iter().map(|note| note.key.as_str())),
            "in order, each once"
        );
        assert_eq!(world.store.backlog().await.unwrap().effects, 10_000);
        let waiting = world.store.claim_effects(10_000, T0).await.unwrap();
        assert_eq!(waiting.len(), EFFECTS / 2 - 16);
    }
}

pub(crate) async fn all_of_a_decision_is_stored_together(world: &World) {
    let (id, lease) = taken(&world.store, "10", "d1").await;
    let decided = Decided {
        record: Some(record("ENG-1")),
        links: vec![link("7"), link("8")],
        facts: vec![FactKey::created(), FactKey::changed("5")],
        outcome: Outcome {
            effects: 2,
            reasons: vec![Reason::TakenOver],
        },
        ..effects(vec![note("7", "a"), note("8", "a")])
    };
    let at = T0.plus_ms(3);
    let made = Decision {
        at,
        ..decision(&lease, id, decided.clone())
    };
    let committed = world.store.decide(made).await.unwrap();
    assert!(!committed.more);

    let view = world.store.event(id).await.unwrap().unwrap();
    assert_eq!(view.state, EventState::Decided);
    assert_eq!(view.outcome, Some(decided.outcome));
    assert_eq!(view.decided_at, Some(at));
    let facts = [
        FactKey::created(),
        FactKey::changed("5"),
        FactKey::changed("6"),
    ];
    let state = world
        .store
        .issue_state(&site(), &IssueId::new("10"), &facts)
        .await
        .unwrap();
    assert_eq!(state.record, decided.record);
    assert_eq!(state.links, decided.links);
    assert_eq!(
        state.known.into_iter().collect::<Vec<_>>(),
        [facts[1].clone(), facts[0].clone()]
    );
    let made = world.store.effects_of(id).await.unwrap();
    let made: Vec<_> = made.into_iter().map(|view| view.effect).collect();
    assert_eq!(made, decided.effects);
    let found = world.store.effect_of_key(&made[0].key).await.unwrap();
    assert_eq!(found.unwrap().effect, made[0]);
}

async fn an_effect_is_made_once_whatever_tells_it(world: &World) {
    let first = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")]).await;
    assert_eq!(first.len(), 1);
    let second = planned(&world.store, "2", vec![note("7", "b"), note("8", "a")]).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].effect, note("8", "a"));
    assert_eq!(world.store.backlog().await.unwrap().effects, 3);
    // Nor again when it is done.
    settle(&world.store, &second[0], confirmed("r1")).await;
    assert!(
        planned(&world.store, "3", vec![note("8", "a")])
            .await
            .is_empty()
    );
    assert_eq!(world.store.backlog().await.unwrap().effects, 2);
}

async fn a_key_that_two_decisions_of_a_group_share_is_made_once(world: &World) {
    let (one, first) = taken(&world.store, "1", "d1").await;
    let (two, second) = taken(&world.store, "2", "d2").await;
    let answers = join_all([
        decide(
            &world.store,
            &first,
            one,
            effects(vec![note("7", "a"), note("7", "a")]),
        ),
        decide(
            &world.store,
            &second,
            two,
            effects(vec![note("7", "a"), note("7", "b")]),
        ),
    ])
    .await;
    let taken: usize = answers
        .iter()
        .map(|answer| answer.as_ref().unwrap().taken.len())
        .sum();
    assert_eq!(taken, 1);
    assert_eq!(world.store.backlog().await.unwrap().effects, 2);
}

async fn taken_effects_are_attempting(world: &World) {
    let taken = planned(
        &world.store,
        "1",
        vec![note("7", "a"), note("7", "b"), note("8", "a")],
    )
    .await;
    let lanes: HashSet<_> = taken.iter().map(|taken| taken.lease.lane.clone()).collect();
    assert_eq!(lanes, HashSet::from([send_lane("7"), send_lane("8")]));
    for effect in &taken {
        assert_eq!((effect.doubtful, effect.attempts), (false, 1));
        let view = seen(&world.store, effect).await;
        assert_eq!((view.state, view.attempts), (EffectState::Attempting, 1));
        assert_eq!(view.effect, effect.effect);
        assert_eq!((view.planned_at, view.settled_at), (T0, None));
    }
    let states: Vec<EffectState> = world
        .store
        .effects_of(taken[0].event)
        .await
        .unwrap()
        .iter()
        .map(|view| view.state)
        .collect();
    assert_eq!(
        states,
        [
            EffectState::Attempting,
            EffectState::Planned,
            EffectState::Attempting
        ]
    );
}

async fn no_more_lanes_are_taken_than_asked_for(world: &World) {
    let notes = || {
        ["1", "2", "3", "4"]
            .map(|conversation| note(conversation, "a"))
            .to_vec()
    };
    let (id, lease) = taken(&world.store, "1", "d1").await;
    let asked = Decision {
        take_up_to: 3,
        ..decision(&lease, id, effects(notes()))
    };
    let committed = world.store.decide(asked).await.unwrap();
    let lanes = lanes_of(committed.taken.iter().map(|taken| &taken.lease));
    assert_eq!(lanes, ["send/acme/1", "send/acme/2", "send/acme/3"]);
    let rest = world.store.claim_effects(9, T0).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].effect, note("4", "a"));
    assert_eq!((rest[0].doubtful, rest[0].attempts), (false, 1));

    let (id, lease) = taken(&world.store, "2", "d2").await;
    let asked = Decision {
        take_up_to: 0,
        ..decision(&lease, id, effects(vec![note("9", "a")]))
    };
    assert!(world.store.decide(asked).await.unwrap().taken.is_empty());
}

async fn the_effects_of_a_busy_lane_wait(world: &World) {
    let first = one_note(&world.store, "7", "a").await;
    assert!(
        planned(&world.store, "2", vec![note("7", "b")])
            .await
            .is_empty()
    );
    assert!(world.store.claim_effects(9, T0).await.unwrap().is_empty());
    settle(&world.store, &first, later(T0.plus_ms(100), false)).await;
    assert!(
        planned(&world.store, "3", vec![note("7", "c")])
            .await
            .is_empty(),
        "it backs off"
    );
}

async fn a_quarantined_event_makes_nothing(world: &World) {
    let (id, lease) = taken(&world.store, "1", "d1").await;
    world.store.accept(event("1", "d2")).await.unwrap();
    let verdict = Verdict::Quarantined("It cannot be read.".to_owned());
    let made = Decision {
        verdict,
        ..decision(&lease, id, Decided::default())
    };
    let committed = world.store.decide(made).await.unwrap();
    assert!(committed.more, "the lane goes on without it");
    let view = world.store.event(id).await.unwrap().unwrap();
    assert_eq!(view.state, EventState::Quarantined);
    assert_eq!(view.trouble.as_deref(), Some("It cannot be read."));
    assert_eq!(world.store.backlog().await.unwrap().quarantined, 1);
}

async fn a_decision_that_cannot_be_stored_leaves_nothing_and_fails_no_neighbour(world: &World) {
    let mut held = Vec::new();
    for issue in ["1", "2", "3"] {
        held.push(taken(&world.store, issue, issue).await);
    }
    // The second changes an issue that it does not name.
    let nameless = Decided {
        issue: None,
        links: vec![link("7")],
        ..effects(vec![note("7", "x")])
    };
    let made = [
        effects(vec![note("1", "a")]),
        nameless,
        effects(vec![note("3", "a")]),
    ];
    let all = held
        .iter()
        .zip(made)
        .map(|((id, lease), made)| decide(&world.store, lease, *id, made));
    let answers = join_all(all).await;
    assert_eq!(
        answers.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    let (id, lease) = &held[1];
    let view = world.store.event(*id).await.unwrap().unwrap();
    assert_eq!(view.state, EventState::Waiting);
    assert!(world.store.effects_of(*id).await.unwrap().is_empty());
    // The worker still has its lease.
    assert!(
        decide(&world.store, lease, *id, effects(vec![]))
            .await
            .is_ok()
    );
}

pub(crate) async fn a_decision_about_an_event_that_does_not_wait_is_refused(world: &World) {
    let (one, lease) = taken(&world.store, "1", "d1").await;
    let (two, _) = fresh(&world.store.accept(event("1", "d2")).await.unwrap());
    let (elsewhere, _) = taken(&world.store, "2", "d3").await;
    decide(&world.store, &lease, one, effects(vec![]))
        .await
        .unwrap();
    for id in [one, elsewhere] {
        let again = decide(&world.store, &lease, id, effects(vec![note("7", "x")])).await;
        assert!(matches!(again, Err(StoreError::Fenced { .. })));
    }
    assert_eq!(world.store.backlog().await.unwrap().effects, 0);
    // Its worker stops there, so somebody else goes on.
    let claimed = world.store.claim_events(9, T0).await.unwrap();
    assert_eq!(lanes_of(&claimed), lanes_of([&lease]));
    assert_eq!(
        world.store.waiting_events(&lease.lane, 9).await.unwrap()[0].id,
        two
    );
}

async fn the_same_row_twice_is_stored_as_it_was_last(world: &World) {
    let (id, lease) = taken(&world.store, "10", "d1").await;
    let mut second = link("7");
    second.generation = 2;
    let decided = Decided {
        record: Some(record("ENG-1")),
        links: vec![link("7"), second.clone()],
        facts: vec![FactKey::created(), FactKey::created()],
        ..effects(vec![])
    };
    decide(&world.store, &lease, id, decided).await.unwrap();
    let state = world
        .store
        .issue_state(&site(), &IssueId::new("10"), &[FactKey::created()])
        .await
        .unwrap();
    assert_eq!(state.links, [second]);
    assert_eq!(state.known.len(), 1);
}

async fn words_that_no_database_takes_are_stored_without_the_odd_character(world: &World) {
    let (id, lease) = taken(&world.store, "10", "d1").await;
    let summary = "nul \0 and ’ and \u{1F980}".to_owned();
    let odd = bowline_domain::state::IssueRecord {
        summary,
        ..record("ENG-1")
    };
    let decided = Decided {
        record: Some(odd),
        ..effects(vec![note("7", "a")])
    };
    let effect = decide(&world.store, &lease, id, decided)
        .await
        .unwrap()
        .taken
        .remove(0);
    let refusal = "It said: \0".to_owned();
    settle(
        &world.store,
        &effect,
        bowline_store::model::Ending::Rejected { reason: refusal },
    )
    .await;
    let state = world
        .store
        .issue_state(&site(), &IssueId::new("10"), &[])
        .await
        .unwrap();
    assert_eq!(
        state.record.unwrap().summary,
        "nul \u{fffd} and ’ and \u{1F980}"
    );
    let view = seen(&world.store, &effect).await;
    assert_eq!(view.reason.as_deref(), Some("It said: \u{fffd}"));
}

async fn many_decisions_at_once_each_get_their_own(world: &World) {
    const LANES: usize = 300;
    let issues: Vec<String> = (0..LANES).map(|n| format!("i{n}")).collect();
    let accepted = join_all(
        issues
            .iter()
            .map(|issue| world.store.accept(event(issue, issue))),
    )
    .await;
    let held: Vec<_> = accepted
        .iter()
        .map(|answer| fresh(answer.as_ref().unwrap()))
        .collect();
    let answers = join_all(held.iter().enumerate().map(|(n, (id, lease))| {
        let made = effects(vec![
            note(&format!("c{n}"), "a"),
            note("shared", &format!("n{n}")),
        ]);
        decide(&world.store, lease.as_ref().unwrap(), *id, made)
    }))
    .await;
    let mut shared = 0;
    for (n, (answer, (id, _))) in answers.iter().zip(&held).enumerate() {
        let committed = answer.as_ref().unwrap();
        let own = ConversationId::new(format!("c{n}"));
        let (mine, others): (Vec<_>, Vec<_>) = committed.taken.iter().partition(|taken| {
            taken
                .effect
                .act
                .conversation()
                .is_some_and(|(_, conversation)| *conversation == own)
        });
        assert_eq!(mine.len(), 1);
        assert!(committed.taken.iter().all(|taken| taken.event == *id));
        shared += others.len();
    }
    assert_eq!(shared, 1, "the lane that all share is taken once");
}
