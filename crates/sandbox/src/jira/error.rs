//! Refusals in the shapes that Jira uses.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// A refused call: the status and the body Jira would answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
    /// Extra headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// `{"errorMessages": [message], "errors": {}}`.
    pub fn message(status: u16, message: impl Into<String>) -> Self {
        let body = json!({ "errorMessages": [message.into()], "errors": {} });
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    /// 400 about one field: `{"errorMessages": [], "errors": {field: message}}`.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::fields([(field.to_owned(), message.into())])
    }

    /// 400 about several fields.
    pub fn fields(errors: impl IntoIterator<Item = (String, String)>) -> Self {
        let errors: Map<String, Value> = errors
            .into_iter()
            .map(|(k, v)| (k, Value::String(v)))
            .collect();
        Self {
            status: 400,
            body: json!({ "errorMessages": [], "errors": errors }),
            headers: Vec::new(),
        }
    }

    /// 400 with a general message.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::message(400, message)
    }

    /// The one answer for an issue that is missing and for one that the caller may not see.
    pub fn no_issue(cloud: bool) -> Self {
        Self::message(
            404,
            if cloud {
                "Issue does not exist or you do not have permission to see it."
            } else {
                "Issue Does Not Exist"
            },
        )
    }

    /// A comment that is missing or restricted.
    pub fn no_comment(id: &str) -> Self {
        Self::message(404, format!("Can not find a comment for the id: {id}."))
    }

    /// Credentials are missing or wrong.
    pub fn unauthenticated(reason: &'static str) -> Self {
        Self {
            status: 401,
            body: json!({ "message": "Client must be authenticated to access this resource.", "status-code": 401 }),
            headers: vec![
                ("www-authenticate", "Basic realm=\"Sandbox\"".to_owned()),
                ("x-seraph-loginreason", reason.to_owned()),
            ],
        }
    }

    /// A refusal of Service Management, which words errors in its own way:
    /// `{"errorMessage": message, "i18nErrorMessage": {..}}`.
    pub fn desk(status: u16, message: impl Into<String>) -> Self {
        let body = json!({
            "errorMessage": message.into(),
            "i18nErrorMessage": { "i18nKey": "sd.rest.error", "parameters": [] },
        });
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    /// The same refusal in the words of Service Management.
    #[must_use]
    pub fn into_desk(self) -> Self {
        if self.body["errorMessage"].is_string() || self.status == 401 {
            return self;
        }
        let general = self.body["errorMessages"].as_array();
        let fields = self.body["errors"].as_object();
        let message: Vec<&str> = general
            .into_iter()
            .flatten()
            .chain(fields.into_iter().flat_map(Map::values))
            .filter_map(Value::as_str)
            .collect();
        Self {
            headers: self.headers,
            ..Self::desk(self.status, message.join(" "))
        }
    }

    /// A path that the platform does not have.
    pub fn no_route(uri: &str) -> Self {
        Self {
            status: 404,
            body: json!({ "message": format!("null for uri: {uri}"), "status-code": 404 }),
            headers: Vec::new(),
        }
    }

    /// A path that exists with another method.
    pub fn method() -> Self {
        Self {
            status: 405,
            body: json!({ "message": "HTTP 405 Method Not Allowed", "status-code": 405 }),
            headers: Vec::new(),
        }
    }

    /// Adds a response header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

impl std::error::Error for Refusal {}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=UTF-8"),
        );
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
