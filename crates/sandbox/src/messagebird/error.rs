//! Error bodies: `{"errors":[{"code","description","parameter"}]}`.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// A refusal, as the platform words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The platform's code.
    pub code: u32,
    /// The platform's words.
    pub description: String,
    /// The parameter at fault.
    pub parameter: Option<&'static str>,
}

impl ApiError {
    fn new(status: u16, code: u32, description: &str, parameter: Option<&'static str>) -> Self {
        Self {
            status,
            code,
            description: description.to_owned(),
            parameter,
        }
    }

    /// The access key is wrong: code 2.
    pub(crate) fn unauthorized() -> Self {
        let words = "Request not allowed (incorrect access_key)";
        Self::new(401, 2, words, Some("access_key"))
    }

    /// There is no such thing: code 20.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, 20, &format!("{what} not found"), None)
    }

    /// A parameter is missing: code 9.
    pub(crate) fn missing(parameter: &'static str) -> Self {
        let words = format!("no (correct) {parameter} found");
        Self::new(422, 9, &words, Some(parameter))
    }

    /// A parameter is wrong: code 10.
    pub(crate) fn invalid(parameter: &'static str, why: &str) -> Self {
        Self::new(422, 10, why, Some(parameter))
    }

    /// The body is no JSON object: code 21.
    pub(crate) fn bad_request(why: &str) -> Self {
        Self::new(400, 21, why, None)
    }

    /// Too many calls.
    pub(crate) fn too_many() -> Self {
        Self::new(429, 29, "Too many requests", None)
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.status, self.code, self.description)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let error = json!({
            "code": self.code, "description": self.description, "parameter": self.parameter,
        });
        (status, axum::Json(json!({ "errors": [error] }))).into_response()
    }
}
