//! What went wrong, for programs and for people.

use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bowline_access::AccessError;
use bowline_store::StoreError;
use serde_json::json;

use crate::error::PageError;

/// Problem details.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// A word that does not change.
    code: &'static str,
    /// What happened, what it means, and how to mend it.
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
        }
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// What is asked for cannot be understood.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    fn failed(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a call of the API failed");
        let detail = "The database did not answer as it should; the log says why. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// The status and the body.
    pub(crate) fn parts(&self) -> (StatusCode, String) {
        let body = json!({
            "type": format!("urn:bowline:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (self.status, body.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        Self::failed(&error)
    }
}

impl From<PageError> for Problem {
    /// What pages share with the API fails only when the store does, and has logged it.
    fn from(_: PageError) -> Self {
        let detail = "The database did not answer as it should; the log says why. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An address that does not exist.
pub(super) async fn nowhere() -> Problem {
    Problem::not_found("There is no such address; /api/v1/openapi.json describes those there are.")
}

/// A method that the address does not take.
pub(super) async fn wrong_method() -> Problem {
    let detail = "The address does not take this method; /api/v1/openapi.json says which it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
