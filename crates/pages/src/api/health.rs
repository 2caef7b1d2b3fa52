//! How a connection is, with its sub-checks: the same as on its page.

use bowline_domain::connection::Connection;
use bowline_settings::check::State;
use bowline_store::model::LaneKind;
use serde_json::{Value, json};

use super::problem::Problem;
use super::reads::iso;
use crate::App;
use crate::overview::cards;
use crate::reader::Reader;

/// The word of a sub-check.
fn word(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Note => "note",
        State::Bad => "to_mend",
        State::Unknown => "unknown",
    }
}

/// How a site or workspace is; one that is not in use is nothing.
pub(super) async fn of(app: &App, connection: &Connection) -> Result<Value, Problem> {
    let mut all = app.shared.connections_now().into_iter();
    let Some(now) = all.find(|one| one.connection == *connection) else {
        return Ok(Value::Null);
    };
    let queues = app.shared.store.queues().await?;
    let waiting = |kind| {
        let mut of_it = queues.iter();
        let found = of_it.find(|queue| queue.connection == *connection && queue.kind == kind);
        found.map_or(0, |queue| queue.waiting)
    };
    let pulse = app.settings.pulse(connection).await?;
    let checks = pulse.findings.iter().map(
        |found| json!({ "what": found.what, "state": word(found.state), "words": found.words }),
    );
    let checks: Vec<Value> = checks.collect();
    let card = cards(
        vec![now.clone()],
        &queues,
        &Reader::unknown(),
        app.shared.now(),
    )
    .pop();
    let card = card.as_ref();
    Ok(json!({
        "health": now.health.as_str(),
        "works": now.health.works(),
        "reason": now.reason,
        "since": iso(now.since),
        "meaning": card.map(|card| card.meaning.as_str()),
        "mend": card.and_then(|card| card.mend),
        "deliveries_waiting": waiting(LaneKind::Events),
        "effects_waiting": waiting(LaneKind::Effects),
        "remote_id": now.remote_id,
        "actor_id": now.actor_id,
        "actor_name": now.actor_name,
        "webhook_seen_at": now.webhook_seen_at.and_then(iso),
        "tested_at": pulse.tested_at.and_then(iso),
        "checks": checks,
    }))
}
