//! Service Management: `/rest/servicedeskapi`.

mod attachment;
mod comment;
mod customer;
mod request;
mod servicedesk;

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::model::User;
use super::super::stamp;
use super::super::state::State;
use super::super::view::View;
use super::call::{Context, Params};

/// Entries of a page unless asked otherwise, and most of them.
const PAGE: usize = 50;

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/servicedesk", get(servicedesk::list))
        .route("/servicedesk/{desk}", get(servicedesk::read))
        .route("/servicedesk/{desk}/requesttype", get(servicedesk::types))
        .route(
            "/servicedesk/{desk}/requesttype/{type}",
            get(servicedesk::one_type),
        )
        .route(
            "/servicedesk/{desk}/requesttype/{type}/field",
            get(servicedesk::fields),
        )
        .route(
            "/servicedesk/{desk}/customer",
            get(customer::list)
                .post(customer::add)
                .delete(customer::remove),
        )
        .route(
            "/servicedesk/{desk}/attachTemporaryFile",
            post(attachment::upload),
        )
        .route("/customer", post(customer::create))
        .route("/request", post(request::create))
        .route("/request/{issue}", get(request::read))
        .route("/request/{issue}/status", get(request::statuses))
        .route(
            "/request/{issue}/transition",
            get(request::transitions).post(request::transition),
        )
        .route(
            "/request/{issue}/comment",
            get(comment::list).post(comment::create),
        )
        .route("/request/{issue}/comment/{comment}", get(comment::read))
        .route(
            "/request/{issue}/comment/{comment}/attachment",
            get(attachment::of_comment),
        )
        .route(
            "/request/{issue}/attachment",
            get(attachment::list).post(attachment::create),
        )
}

/// A page of values in its envelope.
fn paged(params: &Params, all: Vec<Value>) -> Result<Value, Refusal> {
    let start = params.number("start", 0).map_err(Refusal::into_desk)?;
    let limit = params
        .number("limit", PAGE)
        .map_err(Refusal::into_desk)?
        .min(PAGE);
    let total = all.len();
    let values: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    Ok(json!({
        "_expands": [],
        "size": values.len(),
        "start": start,
        "limit": limit,
        "isLastPage": start + values.len() >= total,
        "_links": {},
        "values": values,
    }))
}

fn link(state: &State, path: &str) -> String {
    format!("{}/rest/servicedeskapi/{path}", state.base)
}

/// A moment in the four spellings of Service Management.
fn moment(view: View<'_>, ms: i64) -> Value {
    let jira = view.stamp(ms);
    let seconds = jira.split('.').next().unwrap_or_default();
    let offset = jira.get(jira.len().saturating_sub(5)..).unwrap_or_default();
    json!({
        "iso8601": format!("{seconds}{offset}"),
        "jira": jira,
        "friendly": stamp::short(ms, view.state.utc_offset_minutes),
        "epochMillis": ms,
    })
}

/// A person as Service Management shows one. Addresses of customers are shown to agents.
fn person(view: View<'_>, user: &User) -> Value {
    let full = view.user(user);
    let mut shown = json!({
        "displayName": user.display_name,
        "active": true,
        "timeZone": full["timeZone"],
        "_links": { "jiraRest": full["self"], "self": full["self"], "avatarUrls": full["avatarUrls"] },
    });
    for key in ["accountId", "name", "key", "emailAddress"] {
        if !full[key].is_null() {
            shown[key] = full[key].clone();
        }
    }
    if user.is_customer() {
        shown["emailAddress"] = user.email.clone().into();
    }
    shown
}
