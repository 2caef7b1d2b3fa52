//! What the service stored and did for one history, for whoever looks for what went wrong.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bowline::service::Service;
use bowline_sandbox::common::Entry;
use bowline_store::model::{EventFilter, EventView};

use crate::install::Install;

/// Characters of a stored body that are shown.
const BODY_CHARS_MAX: usize = 700;

/// Everything of the histories whose phones these are, with the provider's own account of changes.
pub(crate) async fn of(install: &Install, service: &Service, phones: &[String]) -> String {
    let mut told = String::new();
    let all = EventFilter {
        limit: 1_000_000,
        ..EventFilter::default()
    };
    let mut events = service.shared().store.events(&all).await.unwrap();
    events.reverse();
    for phone in phones {
        let _ = writeln!(told, "\n== {phone}");
        let bird = install.bird();
        let whose = bird.phone(phone).contact();
        let mut conversations = bird.conversations();
        conversations.retain(|id| bird.conversation(id).map(|one| one.contact) == whose);
        let lanes: BTreeSet<_> = events
            .iter()
            .filter(|event| event.event.body.contains(phone.as_str()))
            .map(|event| event.event.lane.clone())
            .collect();
        for event in &events {
            let body = &event.event.body;
            let theirs = lanes.contains(&event.event.lane)
                || conversations.iter().any(|id| body.contains(id.as_str()));
            if theirs {
                tell(&mut told, service, event).await;
            }
        }
        let changes = |call: &Entry| {
            call.method != "GET"
                && conversations
                    .iter()
                    .any(|id| call.path.contains(id.as_str()))
        };
        for call in bird.journal().entries().iter().filter(|call| changes(call)) {
            let _ = writeln!(
                told,
                "  provider at {}: {} {} {} {:?} {}",
                call.at_ms, call.method, call.path, call.status, call.fault, call.request_body
            );
        }
    }
    told
}

async fn tell(told: &mut String, service: &Service, event: &EventView) {
    let store = &service.shared().store;
    let stored = &event.event;
    let body: String = stored.body.chars().take(BODY_CHARS_MAX).collect();
    let _ = writeln!(
        told,
        "event {} at {} by {:?} in {}: {} {:?} at {:?}, {:?} {:?}\n    {body}",
        stored.id,
        stored.received_at.0,
        stored.source,
        stored.lane,
        stored.topic,
        event.state,
        event.decided_at.map(|at| at.0),
        event.outcome,
        event.trouble,
    );
    for effect in store.effects_of(stored.id).await.unwrap() {
        let _ = writeln!(
            told,
            "  effect {} planned at {}: {:?} at {:?}, {:?}",
            effect.effect.key,
            effect.planned_at.0,
            effect.state,
            effect.settled_at.map(|at| at.0),
            effect.reason
        );
        for attempt in store.attempts_of(effect.id).await.unwrap() {
            let _ = writeln!(
                told,
                "    {} to {}: {} {:?} {:?}",
                attempt.started_at.0,
                attempt.ended_at.0,
                attempt.outcome,
                attempt.detail,
                attempt.calls
            );
        }
    }
}
