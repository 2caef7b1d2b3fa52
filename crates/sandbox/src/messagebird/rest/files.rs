//! Files: what people send, and what is uploaded to be sent to them.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::common::sign::random_uuid;

use super::super::error::ApiError;
use super::super::model::File;
use super::super::sandbox::Sandbox;
use super::{Answer, answer};

/// Largest upload, in bytes.
const MAX_FILE_BYTES: usize = 16_000_000;

pub(super) async fn upload(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let name = text("filename").ok_or_else(|| ApiError::missing("filename"))?;
    let mime_type =
        text(header::CONTENT_TYPE.as_str()).ok_or_else(|| ApiError::missing("content-type"))?;
    if body.is_empty() || body.len() > MAX_FILE_BYTES {
        return Err(ApiError::bad_request("the file is empty or too large"));
    }
    sandbox.with(|state, now| {
        let id = random_uuid();
        let file = File {
            name,
            mime_type,
            content: body,
            until_ms: now.ms + state.config.media_lifetime_ms,
        };
        state.files.insert(id.clone(), file);
        Ok(answer(StatusCode::CREATED, json!({ "id": id })))
    })
}

pub(super) async fn read(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, now| {
        let file = state
            .files
            .get(&id)
            .ok_or_else(|| ApiError::not_found("media"))?;
        if now.ms >= file.until_ms {
            return Err(ApiError {
                status: state.config.expired_media_status,
                ..ApiError::not_found("media")
            });
        }
        let headers = [
            (header::CONTENT_TYPE, file.mime_type.clone()),
            (
                header::CONTENT_DISPOSITION,
                format!(
                    "inline; filename=\"{}\"",
                    file.name.replace(['"', '\r', '\n'], "_")
                ),
            ),
        ];
        Ok((headers, file.content.clone()).into_response())
    })
}
