//! For those who run Bowline: is it alive, is it ready, how is it doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bowline_engine::shared::Shared;
use serde_json::json;

use crate::{App, RenderMetrics};

/// The process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// The process can do its work: the database answers. Tells how much waits and how the
/// connections are, without their names' secrets or reasons.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let store = &app.shared.store;
    let (backlog, connections) = match (store.backlog().await, store.connections().await) {
        (Ok(backlog), Ok(connections)) => (backlog, connections),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "not ready");
            let body = json!({ "ready": false, "why": "the database does not answer" });
            return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
        }
    };
    let connections: serde_json::Map<String, serde_json::Value> = connections
        .into_iter()
        .map(|record| (record.connection.key(), json!(record.health.as_str())))
        .collect();
    Json(json!({
        "ready": true,
        "events_waiting": backlog.events,
        "effects_waiting": backlog.effects,
        "events_quarantined": backlog.quarantined,
        "connections": connections,
    }))
    .into_response()
}

/// Metrics in Prometheus' text form.
pub(crate) async fn metrics(
    State((shared, render)): State<(Arc<Shared>, RenderMetrics)>,
) -> Response {
    if let Ok(backlog) = shared.store.backlog().await {
        let gauge = |name: &'static str, value: i64| {
            metrics::gauge!(name).set(f64::from(i32::try_from(value).unwrap_or(i32::MAX)));
        };
        gauge("bowline_events_waiting", backlog.events);
        gauge("bowline_effects_waiting", backlog.effects);
        gauge("bowline_events_quarantined", backlog.quarantined);
        let age_ms = backlog
            .oldest_event_at
            .map_or(0, |at| shared.now().since(at));
        gauge("bowline_oldest_event_age_seconds", age_ms / 1_000);
    }
    if let Ok(connections) = shared.store.connections().await {
        for record in connections {
            let works = if record.health.works() { 1.0 } else { 0.0 };
            metrics::gauge!("bowline_connection_works", "connection" => record.connection.key())
                .set(works);
        }
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        render(),
    )
        .into_response()
}
