//! Reading a request's body, with a bound on its size and on its time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Reads the whole body, or says what to answer instead.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Bytes, Response> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(too_large(bytes_max)),
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body broke off").into_response()),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response()),
    }
}

fn too_large(bytes_max: usize) -> Response {
    let text = format!("the body is larger than {bytes_max} bytes");
    (StatusCode::PAYLOAD_TOO_LARGE, text).into_response()
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if inner.to_string().contains("length limit exceeded") {
            return true;
        }
        source = inner.source();
    }
    false
}
