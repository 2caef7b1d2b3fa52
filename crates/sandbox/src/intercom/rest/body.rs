//! Reading what a call sends.

use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::common::guard::MAX_BODY_BYTES;
use crate::intercom::error::ApiError;

/// A JSON object that was sent; an absent body counts as an empty one.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES)
            .await
            .map_err(|_| ApiError::invalid("The body could not be read"))?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        let media_type = content_type.as_ref().and_then(|value| value.to_str().ok());
        let json = media_type.is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim() == "application/json")
        });
        if !json {
            let message = "The Content-Type header should send a media type of application/json";
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                message,
            ));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            _ => Err(ApiError::invalid("The body is not a JSON object")),
        }
    }
}

impl Body {
    /// A text that is there and not blank.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0
            .get(field)?
            .as_str()
            .filter(|text| !text.trim().is_empty())
    }

    /// An id, sent as text or as a number.
    pub(crate) fn id(&self, field: &str) -> Option<String> {
        id_of(self.0.get(field)?)
    }

    /// An id that must be there.
    pub(crate) fn required_id(&self, field: &str) -> Result<String, ApiError> {
        self.id(field).ok_or_else(|| ApiError::required(field))
    }

    /// Custom attributes, all of which the workspace must have defined.
    pub(crate) fn custom_attributes(
        &self,
        defined: &[String],
    ) -> Result<Map<String, Value>, ApiError> {
        let attributes = match self.0.get("custom_attributes") {
            None | Some(Value::Null) => return Ok(Map::new()),
            Some(Value::Object(attributes)) => attributes,
            Some(_) => return Err(ApiError::invalid("custom_attributes must be an object")),
        };
        match attributes.keys().find(|name| !defined.contains(name)) {
            Some(name) => Err(ApiError::invalid(format!(
                "Custom attribute '{name}' does not exist"
            ))),
            None => Ok(attributes.clone()),
        }
    }

    /// A switch; absent is off.
    pub(crate) fn flag(&self, field: &str) -> bool {
        self.0.get(field).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// An id, as text or as a number.
pub(crate) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.trim().is_empty() => Some(id.trim().to_owned()),
        Value::Number(id) => id.as_u64().map(|id| id.to_string()),
        _ => None,
    }
}
