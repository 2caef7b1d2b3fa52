//! The REST API: the same reads as the pages, and the writes that scripts need. Described by
//! `openapi.json`, which stands beside this file and is served at `/api/v1/openapi.json`.
//!
//! Callers show a token; cookies mean nothing here, so no other site's page can call. Errors are
//! problem details (RFC 9457). A write that names itself (`Idempotency-Key`) is made once.

mod caller;
mod panel;
mod problem;
mod reads;
mod settings;
mod writes;

pub(crate) use caller::{Bearer, Number};
pub(crate) use problem::Problem;
pub(crate) use reads::iso;
pub(crate) use writes::once;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch, post};

use crate::App;

/// The description, as it is served.
const OPENAPI: &str = include_str!("openapi.json");

/// The addresses of the API.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/connections", get(reads::connections))
        .route("/api/v1/queue", get(reads::queue))
        .route("/api/v1/problems", get(reads::problems))
        .route("/api/v1/deliveries", get(reads::deliveries))
        .route("/api/v1/deliveries/{id}", get(reads::delivery))
        .route("/api/v1/deliveries/{id}/replay", post(writes::replay))
        .route(
            "/api/v1/links",
            get(reads::links)
                .post(writes::add_link)
                .delete(writes::remove_link),
        )
        .route("/api/v1/audit", get(reads::audit))
        .route("/api/v1/bindings", get(settings::list))
        .route("/api/v1/bindings/{site}/{project}", patch(settings::change))
        .route("/api/v1/issues/{site}/{key}", get(panel::issue))
        .route(
            "/api/v1/issues/{site}/{key}/conversations/{id}",
            get(panel::whole_conversation),
        )
        .route("/api/v1/issues/{site}/{key}/notes", post(panel::note))
        .route("/api/v1/issues/{site}/{key}/answers", post(panel::answer))
        .route("/api/v1/issues/{site}/{key}/held/{id}", post(panel::held))
        .route("/api/{*rest}", get(problem::nowhere).post(problem::nowhere))
        .method_not_allowed_fallback(problem::wrong_method)
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
