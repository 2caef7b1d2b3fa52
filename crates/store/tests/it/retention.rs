//! Texts are taken out after their time; the rows stay, and what is not done yet keeps its text.

use bowline_domain::call::Call;
use bowline_domain::effect::Act;
use bowline_store::model::{Accepted, EventState, NewEvent, OnArrival, Redacted, Settlement};

use crate::support::*;

on_both!(
    old_texts_are_taken_out_and_what_waits_keeps_its_own,
    a_quarantined_text_is_taken_out_after_its_time_too,
    what_attempts_said_is_taken_out_after_its_time
);

pub(crate) async fn old_texts_are_taken_out_and_what_waits_keeps_its_own(world: &World) {
    let old = planned(&world.store, "1", vec![note("7", "a"), note("7", "b")])
        .await
        .remove(0);
    settle(&world.store, &old, confirmed("r1")).await;
    let (waiting, _) = taken(&world.store, "2", "waiting").await;
    let newer = NewEvent {
        received_at: T0.plus_ms(10),
        ..event("3", "newer")
    };
    let (newer, lease) = fresh(&world.store.accept(newer).await.unwrap());
    decide(&world.store, &lease.unwrap(), newer, effects(vec![]))
        .await
        .unwrap();

    let nothing = world.store.redact(T0, Redacted::default()).await.unwrap();
    assert_eq!(nothing, Redacted::default());
    let mut done = nothing;
    loop {
        done = world.store.redact(T0.plus_ms(10), done).await.unwrap();
        if !done.more {
            break;
        }
    }

    for (id, kept) in [(old.event, false), (waiting, true), (newer, true)] {
        let body = world.store.event(id).await.unwrap().unwrap().event.body;
        assert_eq!(!body.is_empty(), kept, "{id}");
    }
    let made = world.store.effects_of(old.event).await.unwrap();
    let texts: Vec<bool> = made
        .iter()
        .map(|view| matches!(&view.effect.act, Act::Note { html, .. } if !html.is_empty()))
        .collect();
    assert_eq!(texts, [false, true], "the second is not made yet");
    // What comes again is still known.
    let again = world.store.accept(event("1", "planned-1")).await.unwrap();
    assert!(matches!(again, Accepted::Duplicate));
    assert!(
        planned(&world.store, "4", vec![note("7", "a")])
            .await
            .is_empty()
    );
}

pub(crate) async fn a_quarantined_text_is_taken_out_after_its_time_too(world: &World) {
    let unreadable = NewEvent {
        on_arrival: OnArrival::Quarantine("unknown shape".to_owned()),
        ..event("1", "planned-1")
    };
    let (id, lease) = fresh(&world.store.accept(unreadable).await.unwrap());
    assert!(lease.is_none(), "nobody plans it");

    let reached = world
        .store
        .redact(T0.plus_ms(10), Redacted::default())
        .await
        .unwrap();
    assert!(reached.more, "it was gone through");
    let view = world.store.event(id).await.unwrap().unwrap();
    assert_eq!(&*view.event.body, "");
    assert_eq!(view.state, EventState::Quarantined);
    assert_eq!(view.trouble.as_deref(), Some("unknown shape"), "why stays");
}

pub(crate) async fn what_attempts_said_is_taken_out_after_its_time(world: &World) {
    let call = Call {
        method: "POST".to_owned(),
        path: "/conversations/7/reply".to_owned(),
        status: Some(503),
        response: Some("{\"errors\":[]}".to_owned()),
        took_ms: 7,
        ..Call::default()
    };
    let stored = serde_json::to_string(&[&call]).unwrap();
    let attempt = |taken, ending| Settlement {
        calls: Some(stored.clone()),
        ..settlement(taken, ending)
    };
    let first = one_note(&world.store, "7", "a").await;
    let due = T0.plus_ms(5);
    let failed = attempt(&first, later(due, false));
    world.store.settle(failed).await.unwrap();
    let again = world.store.claim_effects(9, due).await.unwrap().remove(0);
    let done = Settlement {
        ended_at: T0.plus_ms(20),
        ..attempt(&again, confirmed("r1"))
    };
    world.store.settle(done).await.unwrap();
    let calls = async || {
        let attempts = world.store.attempts_of(first.id).await.unwrap();
        let calls: Vec<Vec<Call>> = attempts.into_iter().map(|one| one.calls).collect();
        calls
    };
    assert_eq!(calls().await, [vec![call.clone()], vec![call.clone()]]);
    let mut reached = Redacted::default();
    loop {
        reached = world.store.redact(T0.plus_ms(10), reached).await.unwrap();
        if !reached.more {
            break;
        }
    }
    assert_eq!(calls().await, [vec![], vec![call]]);
    world.store.redact(T0.plus_ms(30), reached).await.unwrap();
    assert_eq!(calls().await, [vec![], vec![]]);
}
