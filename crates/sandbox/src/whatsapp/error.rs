//! Error bodies of the Graph API: `{"error":{"message","type","code","fbtrace_id",..}}`.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::common::sign::random_uuid;

/// A refusal, as the platform words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The platform's code.
    pub code: u32,
    /// The platform's words.
    pub message: String,
}

impl ApiError {
    pub(super) fn new(status: u16, code: u32, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    /// The token is wrong: code 190.
    pub(super) fn token() -> Self {
        Self::new(401, 190, "Invalid OAuth access token.")
    }

    /// A parameter is missing or wrong: code 100.
    pub(super) fn parameter(words: &str) -> Self {
        Self::new(400, 100, &format!("(#100) {words}"))
    }

    /// There is no such object: code 100 as well.
    pub(super) fn unknown(id: &str) -> Self {
        let words = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to \
             missing permissions, or does not support this operation"
        );
        Self::new(400, 100, &words)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({ "error": {
            "message": self.message, "type": "OAuthException", "code": self.code,
            "fbtrace_id": random_uuid(),
        } });
        (status, axum::Json(body)).into_response()
    }
}
