//! The REST API: who may call, how often, in which version, and where to.

mod account;
mod attributes;
mod body;
mod contacts;
mod conversations;
mod manage;
mod paging;
mod tags;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::Value;

use crate::common::guard;

use super::error::ApiError;
use super::limit::Quota;
use super::sandbox::Sandbox;
use super::version::Version;

/// What most handlers answer.
type Answer = Result<axum::Json<Value>, ApiError>;

/// The REST routes with everything around them: faults, journal, authentication, limits.
pub(crate) fn routes(sandbox: Sandbox) -> Router {
    let layer = guard::layer(sandbox.journal().clone(), sandbox.faults().clone());
    let authenticated = Router::new()
        .route("/me", get(account::me))
        .route("/admins", get(account::admins))
        .route("/admins/{id}", get(account::admin))
        .route("/auth/uninstall", post(account::uninstall))
        .route("/companies", get(account::companies))
        .route("/companies/list", post(account::companies))
        .route("/companies/scroll", get(account::scroll))
        .route("/companies/{id}", get(account::company))
        .route("/data_attributes", get(attributes::list))
        .route("/tags", get(tags::list).post(tags::create))
        .route(
            "/conversations",
            get(conversations::list).post(conversations::create),
        )
        .route("/conversations/search", post(conversations::search))
        .route("/conversations/deleted", get(conversations::deleted))
        .route("/conversations/redact", post(conversations::redact))
        .route(
            "/conversations/{id}",
            get(conversations::read)
                .put(conversations::update)
                .delete(conversations::remove),
        )
        .route("/conversations/{id}/reply", post(manage::reply))
        .route("/conversations/{id}/parts", post(manage::manage))
        .route("/conversations/{id}/merge", post(manage::merge))
        .route("/conversations/{id}/tags", post(tags::attach))
        .route("/conversations/{id}/tags/{tag}", delete(tags::detach))
        .route("/contacts", get(contacts::list).post(contacts::create))
        .route("/contacts/search", post(contacts::search))
        .route("/contacts/merge", post(contacts::merge))
        .route(
            "/contacts/find_by_external_id/{id}",
            get(contacts::by_external_id),
        )
        .route(
            "/contacts/{id}",
            get(contacts::read)
                .put(contacts::update)
                .delete(contacts::remove),
        )
        .route("/contacts/{id}/archive", post(contacts::archive))
        .route("/contacts/{id}/unarchive", post(contacts::unarchive))
        .route("/contacts/{id}/companies", get(contacts::companies))
        .route(
            "/contacts/{id}/tags",
            get(contacts::tags).post(contacts::attach_tag),
        )
        .fallback(nowhere)
        // A wrong method is a missing route to this platform.
        .method_not_allowed_fallback(nowhere)
        .layer(from_fn_with_state(sandbox.clone(), gate));
    Router::new()
        .route("/auth/eagle/token", post(account::exchange_token))
        .route("/_files/{key}", get(attributes::file))
        .fallback_service(authenticated.with_state(sandbox.clone()))
        .layer(layer)
        .with_state(sandbox)
}

async fn nowhere() -> ApiError {
    ApiError::not_found()
}

/// Authenticates, counts, and reads the version of a call.
async fn gate(State(sandbox): State<Sandbox>, mut request: Request, next: Next) -> Response {
    let latency = sandbox.config().latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let quota = sandbox.limiter().count(sandbox.now_s());
    let mut response = match admit(&sandbox, &request, quota) {
        Ok(version) => {
            request.extensions_mut().insert(version);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    let headers = [
        ("x-ratelimit-limit", i64::from(quota.limit)),
        ("x-ratelimit-remaining", i64::from(quota.remaining)),
        ("x-ratelimit-reset", quota.reset),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value.into());
    }
    response
}

fn admit(sandbox: &Sandbox, request: &Request, quota: Quota) -> Result<Version, ApiError> {
    let headers = request.headers();
    let restricted = sandbox.with(|state, _| {
        let token = state.token.as_deref();
        let given = bearer(headers);
        (token.is_some() && token == given)
            .then_some((state.plan_restricted, state.conversations_forbidden))
    });
    let (restricted, forbidden) = restricted.ok_or_else(ApiError::unauthorized)?;
    if quota.exceeded {
        let message = format!("More than {} requests received in 10 seconds", quota.limit);
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_exceeded",
            message,
        ));
    }
    let version = match headers.get("intercom-version") {
        Some(name) => Version::parse(name.to_str().unwrap_or_default())?,
        None => Version::V2_16,
    };
    if !accepts_json(headers) {
        let message = "The Accept header should send a media type of application/json";
        return Err(ApiError::new(
            StatusCode::NOT_ACCEPTABLE,
            "media_type_not_acceptable",
            message,
        ));
    }
    let path = request.uri().path();
    let about_contacts = ["/contacts", "/companies"].iter().any(|begin| {
        path.strip_prefix(begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if sandbox.config().contacts_forbidden && about_contacts {
        let message =
            "You do not have the required scope (read_write_users) to access this resource";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    let about_conversations = path == "/conversations" || path.starts_with("/conversations/");
    if forbidden && about_conversations {
        let message =
            "You do not have the required scope (read_conversations) to access this resource";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    if restricted && about_conversations {
        return Err(ApiError::plan_restricted());
    }
    Ok(version)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
    else {
        return true;
    };
    accept.split(',').any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim();
        matches!(range, "*/*" | "application/*" | "application/json")
    })
}
