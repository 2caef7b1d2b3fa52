//! A note that takes up those that wait behind it: all or nothing, whatever happens then.

use bowline_domain::effect::{Act, Effect, EffectState};
use bowline_domain::ids::EventId;
use bowline_store::Store;
use bowline_store::model::TakenEffect;

use crate::support::*;

on_both!(
    a_note_takes_up_what_waits_behind_it,
    after_a_crash_the_note_is_the_whole_one,
    a_lane_that_was_taken_over_is_left_alone,
);

/// A note that waits until [`T0`] is over.
fn waiting(name: &str) -> Effect {
    let mut effect = note("9", name);
    if let Act::Note { due_at, html, .. } = &mut effect.act {
        *due_at = Some(T0);
        *html = format!("<p>{name}</p>");
    }
    effect
}

/// Three notes in one lane, of which the first is being attempted.
async fn three(world: &World) -> (EventId, TakenEffect) {
    let notes = ["a", "b", "c"].map(waiting).to_vec();
    // They are decided when the first is due.
    let head = planned(&world.store, "1", notes).await.pop();
    let head = head.expect("the lane was idle");
    let event = head.event;
    (event, head)
}

async fn states(store: &Store, event: EventId) -> Vec<EffectState> {
    let effects = store.effects_of(event).await.unwrap();
    effects.iter().map(|view| view.state).collect()
}

async fn gathered(store: &Store, head: &TakenEffect) -> Option<String> {
    let now = T0.plus_ms(1);
    let act = store.gather_note(head.id, &head.lease, &head.effect, now);
    match act.await.unwrap() {
        Some(Act::Note { html, .. }) => Some(html),
        _ => None,
    }
}

const WHOLE: &str = "<p>a</p><p>b</p><p>c</p>";

pub(crate) async fn a_note_takes_up_what_waits_behind_it(world: &World) {
    let (event, head) = three(world).await;
    assert_eq!(gathered(&world.store, &head).await.as_deref(), Some(WHOLE));
    let wanted = [
        EffectState::Attempting,
        EffectState::Dropped,
        EffectState::Dropped,
    ];
    assert_eq!(states(&world.store, event).await, wanted);
    assert_eq!(gathered(&world.store, &head).await, None, "once");
    let next = settle(&world.store, &head, confirmed("part-1")).await;
    assert!(next.is_none(), "the lane is empty");
}

async fn after_a_crash_the_note_is_the_whole_one(world: &World) {
    let (_, head) = three(world).await;
    gathered(&world.store, &head).await;
    let reborn = world.after_crash().await;
    let later = T0.plus_ms(LEASE_OVER);
    let found = reborn.claim_effects(5, later).await.unwrap();
    let [found] = found.as_slice() else {
        panic!("one effect is left: {found:?}")
    };
    assert!(found.doubtful && found.id == head.id);
    assert!(matches!(&found.effect.act, Act::Note { html, .. } if html == WHOLE));
}

async fn a_lane_that_was_taken_over_is_left_alone(world: &World) {
    let (event, head) = three(world).await;
    let other = world.other("second", 50_000).await;
    let later = T0.plus_ms(LEASE_OVER);
    assert_eq!(other.claim_effects(5, later).await.unwrap().len(), 1);
    assert_eq!(gathered(&world.store, &head).await, None);
    let states = states(&world.store, event).await;
    assert_eq!(states[1..], [EffectState::Planned; 2]);
}
