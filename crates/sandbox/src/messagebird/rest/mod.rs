//! The API under `/v1`: who may call, how often, and where to.

mod conversations;
mod files;
mod hooks;
mod templates;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::common::guard;

use super::error::ApiError;
use super::sandbox::Sandbox;

/// Entries of a page unless asked otherwise.
const PAGE: usize = 10;
/// Most entries of a page.
const MAX_PAGE: usize = 20;

/// What handlers answer.
type Answer = Result<Response, ApiError>;

pub(crate) fn routes(sandbox: &Sandbox) -> Router {
    let api = Router::new()
        .route("/conversations", get(conversations::list))
        .route("/conversations/start", post(conversations::start))
        .route(
            "/conversations/contact/{id}",
            get(conversations::by_contact),
        )
        .route(
            "/conversations/{id}",
            get(conversations::read).patch(conversations::update),
        )
        .route(
            "/conversations/{id}/messages",
            get(conversations::messages).post(conversations::reply),
        )
        .route("/messages", get(conversations::find_messages))
        .route("/messages/{id}", get(conversations::message))
        .route("/send", post(conversations::send))
        .route("/webhooks", get(hooks::list).post(hooks::create))
        .route(
            "/webhooks/{id}",
            get(hooks::read)
                .patch(hooks::update)
                .put(hooks::update)
                .delete(hooks::remove),
        )
        .route("/files", post(files::upload))
        .route("/files/{id}", get(files::read))
        .route("/media/{id}", get(files::read))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(from_fn_with_state(sandbox.clone(), gate))
        .layer(guard::layer(
            sandbox.journal().clone(),
            sandbox.faults().clone(),
        ))
        .with_state(sandbox.clone());
    // The real one serves templates on another host, in two versions.
    let templates = Router::new()
        .route("/v2/platforms/whatsapp/templates", get(templates::all))
        .route("/v3/platforms/whatsapp/templates", get(templates::page))
        .layer(from_fn_with_state(sandbox.clone(), gate))
        .layer(guard::layer(
            sandbox.journal().clone(),
            sandbox.faults().clone(),
        ))
        .with_state(sandbox.clone());
    Router::new().nest("/v1", api).merge(templates)
}

async fn nowhere() -> ApiError {
    ApiError::not_found("resource")
}

/// Authenticates and counts a call.
async fn gate(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("AccessKey "))
        .map(|key| key.trim().to_owned());
    let known = sandbox.with(|state, _| given.is_some() && state.access_key == given);
    if !known {
        return ApiError::unauthorized().into_response();
    }
    if !sandbox.count_call() {
        return ApiError::too_many().into_response();
    }
    next.run(request).await
}

/// A JSON body; its media type is not looked at.
struct Payload(Value);

impl FromRequest<Sandbox> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, sandbox: &Sandbox) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, sandbox)
            .await
            .map_err(|_| ApiError::bad_request("the body is too large"))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(Value::Object(fields))),
            _ => Err(ApiError::bad_request("the body is not valid JSON")),
        }
    }
}

/// Query parameters.
struct Params(Vec<(String, String)>);

impl Params {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|value| value.split(',').collect())
    }

    /// Offset and limit; a limit beyond the largest page is cut.
    fn page(&self) -> Result<(usize, usize), ApiError> {
        let number = |name: &'static str, default| match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| ApiError::invalid(name, "must be a number")),
        };
        Ok((number("offset", 0)?, number("limit", PAGE)?.min(MAX_PAGE)))
    }

    /// The page of these entries that was asked for, in its envelope.
    fn cut<T>(&self, all: &[T], show: impl Fn(&T) -> Value) -> Answer {
        let (offset, limit) = self.page()?;
        let items: Vec<Value> = all.iter().skip(offset).take(limit).map(show).collect();
        Ok(ok(json!({
            "offset": offset, "limit": limit, "count": items.len(), "totalCount": all.len(), "items": items,
        })))
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Ok(Self(pairs.into_owned().collect()))
    }
}

fn ok(body: Value) -> Response {
    answer(StatusCode::OK, body)
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, axum::Json(body)).into_response()
}
