//! The REST API: the same reads as the pages, and the writes that scripts need. Described by
//! `openapi.json`, which stands beside this file and is served at `/api/v1/openapi.json`
//! and, for people, at `/api/docs`.
//!
//! Callers show a token; cookies mean nothing here, so no other site's page can call. Errors are
//! problem details (RFC 9457). A write that names itself (`Idempotency-Key`) is made once.

mod account;
mod alerts;
mod binding_panel;
mod caller;
mod channel_accounts;
mod configured;
mod contact_import;
mod contacts;
mod desk_test;
mod desk_texts;
mod desks;
mod docs;
mod health;
mod joining;
mod link_import;
mod panel;
mod parts;
mod people;
mod problem;
mod reads;
mod replays;
mod report;
mod settings;
mod sites;
mod spoken;
mod talks;
mod tally;
mod trying;
mod workspaces;
mod writes;

pub(crate) use caller::{Bearer, Number};
pub(crate) use problem::Problem;
pub(crate) use reads::iso;
pub(crate) use writes::once;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post};

use crate::App;

/// The description, as it is served.
const OPENAPI: &str = include_str!("openapi.json");

/// The addresses of the API.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/docs", get(docs::page))
        .route("/api/docs/{group}", get(docs::group))
        .route("/api/v1/connections", get(reads::connections))
        .route("/api/v1/queue", get(reads::queue))
        .route("/api/v1/problems", get(reads::problems))
        .route("/api/v1/deliveries", get(reads::deliveries))
        .route("/api/v1/deliveries/{id}", get(reads::delivery))
        .route("/api/v1/deliveries/{id}/replay", post(writes::replay))
        .merge(alerts::routes())
        .merge(joining::routes())
        .merge(sites::routes())
        .merge(workspaces::routes())
        .merge(replays::routes())
        .route("/api/v1/links/import", post(link_import::import))
        .route("/api/v1/reports/issues", get(report::issues))
        .route(
            "/api/v1/links",
            get(reads::links)
                .post(writes::add_link)
                .delete(writes::remove_link),
        )
        .merge(talking())
        .merge(accounts())
        .route("/api/v1/audit", get(reads::audit))
        .route("/api/v1/bindings", get(settings::list))
        .route("/api/v1/bindings/{site}/{project}", patch(settings::change))
        .route(
            "/api/v1/bindings/{site}/{project}/attributes",
            get(binding_panel::attributes),
        )
        .route("/api/v1/bindings/{site}/{project}/try", get(trying::tried))
        .route(
            "/api/v1/bindings/{site}/{project}/tally",
            get(tally::state).post(tally::again),
        )
        .route("/api/v1/contacts", get(contacts::list))
        .route("/api/v1/contacts/import", post(contact_import::import))
        .route(
            "/api/v1/contacts/{id}",
            get(contacts::one)
                .post(contacts::change)
                .delete(contacts::erase),
        )
        .route("/api/v1/contacts/{id}/merge", post(contacts::merge))
        .route("/api/v1/contact-conflicts", get(contacts::conflicts))
        .route("/api/v1/contact-conflicts/{id}", post(contacts::decide))
        .route("/api/v1/companies", get(contacts::companies))
        .route("/api/v1/companies/{id}", get(contacts::one_company))
        .route(
            "/api/v1/contact-syncs",
            get(contacts::syncs).post(contacts::switch),
        )
        .route("/api/v1/contact-syncs/copy", post(contacts::copy))
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

/// The addresses about people and one's own account.
fn accounts() -> Router<App> {
    Router::new()
        .route("/api/v1/people", get(people::list).post(people::add))
        .route(
            "/api/v1/people/{id}",
            get(people::one).patch(people::change),
        )
        .route("/api/v1/people/{id}/code", post(people::code))
        .route(
            "/api/v1/people/{id}/sessions",
            get(people::sessions).delete(people::end_sessions),
        )
        .route(
            "/api/v1/people/{id}/identity",
            delete(people::part_identity),
        )
        .route(
            "/api/v1/people/{id}/second-factor",
            delete(people::remove_second_factor),
        )
        .route("/api/v1/account", get(account::own))
        .route("/api/v1/account/sessions", get(account::sessions))
        .route(
            "/api/v1/account/sessions/{id}",
            delete(account::end_session),
        )
        .route("/api/v1/account/password", post(account::change_password))
        .route(
            "/api/v1/account/second-factor",
            post(account::begin_second_factor),
        )
        .route(
            "/api/v1/account/second-factor/confirm",
            post(account::confirm_second_factor),
        )
        .route(
            "/api/v1/account/second-factor/remove",
            post(account::remove_second_factor),
        )
}

/// The addresses about messaging.
fn talking() -> Router<App> {
    Router::new()
        .route("/api/v1/desks", get(desks::list).post(desks::add))
        .route(
            "/api/v1/desks/{name}",
            get(desks::one).patch(desks::change).delete(desks::remove),
        )
        .route("/api/v1/desk-choices", get(desks::choices))
        .route(
            "/api/v1/channel-accounts",
            get(channel_accounts::list).post(channel_accounts::add),
        )
        .route(
            "/api/v1/channel-accounts/{name}",
            get(channel_accounts::one)
                .patch(channel_accounts::change)
                .delete(channel_accounts::remove),
        )
        .route(
            "/api/v1/channel-accounts/{name}/channels",
            get(channel_accounts::channels),
        )
        .route("/api/v1/desks/{name}/test", post(desk_test::begin))
        .route("/api/v1/conversations", get(talks::conversations))
        .route(
            "/api/v1/conversations/{account}/{end_user}/{generation}",
            get(talks::one_conversation),
        )
        .route(
            "/api/v1/conversations/{account}/{end_user}/{generation}/sends",
            post(talks::sends),
        )
        .route(
            "/api/v1/conversations/{account}/{end_user}/{generation}/approved",
            post(talks::approved),
        )
        .route("/api/v1/end-users", get(talks::end_users))
        .route("/api/v1/end-users/{account}/{id}", get(talks::one_end_user))
        .route("/api/v1/end-users/{account}/{id}/block", post(talks::block))
        .route(
            "/api/v1/end-users/{account}/{id}/customer",
            post(talks::customer),
        )
        .route(
            "/api/v1/end-users/{account}/{id}/language",
            post(spoken::language),
        )
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
