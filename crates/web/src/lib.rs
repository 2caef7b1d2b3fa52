//! The addresses that others call: webhooks in, health and metrics out.
//!
//! A handler verifies, stores and answers; nothing else happens in a request. What a delivery
//! means is found out by the engine.

mod body;
mod hooks;
mod operations;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use bowline_engine::shared::Shared;
use tokio::sync::Semaphore;

pub use serve::{Limits, Listening, listen};

/// Renders the metrics in Prometheus' text form.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) body_bytes_max: usize,
    pub(crate) free: Arc<Semaphore>,
}

/// What deliveries are held to.
#[derive(Clone, Copy, Debug)]
pub struct HookLimits {
    /// The largest body, in bytes; a larger one is answered 413.
    pub body_bytes_max: usize,
    /// Deliveries taken in at once; one more is answered 503.
    pub at_once_max: usize,
}

/// The routes that others call. `metrics` adds `/metrics`.
pub fn router(shared: Arc<Shared>, limits: HookLimits, metrics: Option<RenderMetrics>) -> Router {
    let app = App {
        shared,
        body_bytes_max: limits.body_bytes_max,
        free: Arc::new(Semaphore::new(limits.at_once_max)),
    };
    let hooks = Router::new()
        .route("/hooks/jira/{site}", post(hooks::jira).get(hooks::here))
        .route("/hooks/jira/{site}/notify", post(hooks::notify))
        .route(
            "/hooks/intercom/{workspace}",
            post(hooks::intercom).get(hooks::here),
        )
        .route(
            "/hooks/messagebird/{account}",
            post(hooks::channel).get(hooks::channel_setup),
        )
        .route(
            "/hooks/whatsapp/{account}",
            post(hooks::channel).get(hooks::channel_setup),
        )
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .with_state(app.clone());
    match metrics {
        Some(render) => hooks.merge(metrics_router(app.shared, render)),
        None => hooks,
    }
}

/// `/metrics` by itself, for an address of its own.
pub fn metrics_router(shared: Arc<Shared>, render: RenderMetrics) -> Router {
    Router::new()
        .route("/metrics", get(operations::metrics))
        .with_state((shared, render))
}
