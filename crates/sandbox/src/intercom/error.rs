//! Error bodies of the platform.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::common::sign::random_uuid;

/// A refusal, as the platform words it: `{"type":"error.list","request_id":..,"errors":[..]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Machine-readable code, such as `not_found`.
    pub code: &'static str,
    /// The platform's words.
    pub message: String,
    /// The parameter at fault.
    pub field: Option<String>,
    /// Path of the resource that took the place of this one (410 of merged contacts).
    pub canonical: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (status, message) = (status.as_u16(), message.into());
        Self {
            status,
            code,
            message,
            field: None,
            canonical: None,
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Access Token Invalid",
        )
    }

    pub(crate) fn plan_restricted() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "api_plan_restricted",
            "Active subscription needed.",
        )
    }

    /// What unknown routes, wrong methods and most unknown ids get.
    pub(crate) fn not_found() -> Self {
        Self::missing("not_found", "Resource Not Found")
    }

    pub(crate) fn missing(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn admin_not_found() -> Self {
        Self::missing("admin_not_found", "Admin for admin_id not found")
    }

    /// A value that cannot be used (400).
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter_invalid", message)
    }

    /// A required value that is not there (400).
    pub(crate) fn required(field: &str) -> Self {
        let message = format!("{field} is required");
        let error = Self::new(StatusCode::BAD_REQUEST, "parameter_not_found", message);
        Self {
            field: Some(field.to_owned()),
            ..error
        }
    }

    pub(crate) fn merged(survivor: &str) -> Self {
        let message =
            "This contact has been merged. See the 'Link' header for the canonical contact.";
        let error = Self::new(StatusCode::GONE, "contact_merged", message);
        Self {
            canonical: Some(format!("/contacts/{survivor}")),
            ..error
        }
    }

    fn body(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(field) = &self.field {
            error["field"] = json!(field);
        }
        json!({ "type": "error.list", "request_id": random_uuid(), "errors": [error] })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, axum::Json(self.body())).into_response();
        if let Some(path) = &self.canonical
            && let Ok(link) = HeaderValue::try_from(format!("<{path}>; rel=\"canonical\""))
        {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
