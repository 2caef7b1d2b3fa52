//! Texts are taken out after their time; the rows stay, and what is not done yet keeps its text.

use bowline_domain::effect::Act;
use bowline_store::model::{Accepted, EventState, NewEvent, OnArrival, Redacted};

use crate::support::*;

on_both!(
    old_texts_are_taken_out_and_what_waits_keeps_its_own,
    a_quarantined_text_is_taken_out_after_its_time_too
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
