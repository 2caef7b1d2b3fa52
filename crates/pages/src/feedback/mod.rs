//! Feedback: products, the inbox, one ticket, and the same for scripts.

mod acts;
mod api;
mod backfill;
mod bulk;
mod inbox;
mod keeping;
mod live;
mod product;
mod product_api;
mod products;
mod ticket;
mod tie;
pub(crate) mod words;
pub(crate) mod workspace;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// The addresses of feedback, for people and for scripts.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/feedback", get(inbox::page))
        .route("/feedback/triage", post(bulk::act))
        .route("/feedback/{id}", get(ticket::page))
        .route("/feedback/{id}/files/{number}", get(ticket::file))
        .route("/feedback/{id}/change", post(acts::change))
        .route("/feedback/{id}/merge", post(acts::merge))
        .route("/feedback/{id}/undo", post(acts::undo))
        .route("/feedback/{id}/split", post(acts::split))
        .route("/feedback/{id}/issue", post(acts::issue))
        .route("/products", get(products::page).post(products::add))
        .route("/products/{id}", get(product::page).post(product::change))
        .route("/products/{id}/backfill", post(backfill::act))
        .route("/contacts/settings/feedback", post(workspace::switch))
        .merge(workspace::routes())
        .merge(api::routes())
        .merge(product_api::routes())
}
