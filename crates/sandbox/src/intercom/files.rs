//! Files of messages. Their addresses are signed and end soon, as on the platform; each time that a
//! message is shown, they are new.

use axum::Router;
use axum::extract::{Path, Query, State as Extracted};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sandbox::Sandbox;
use super::state::State;
use crate::common::clock::now_ms;
use crate::common::sign::hmac_sha256_hex;

/// How long an address of a file can be used, in milliseconds. The platform says 30 minutes of some.
pub(crate) const LIFE_MS: i64 = 30 * 60 * 1_000;

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) bytes: Bytes,
}

fn signature(state: &State, number: usize, until: i64) -> String {
    let text = format!("{number}.{until}");
    hmac_sha256_hex(&state.config.client_secret, text.as_bytes())
}

/// What a message shows of its attachments: those of ours with a fresh address.
pub(crate) fn shown(state: &State, attachments: &[Value]) -> Vec<Value> {
    let one = |value: &Value| {
        let number = value.get("sandbox_file").and_then(Value::as_u64);
        let number = number.and_then(|number| usize::try_from(number).ok());
        let Some((number, file)) = number.and_then(|at| Some((at, state.attached.get(at)?))) else {
            return value.clone();
        };
        let until = now_ms() + state.file_life_ms;
        let signature = signature(state, number, until);
        let base = &state.base_url;
        json!({
            "type": "upload",
            "name": file.name,
            "url": format!("{base}/attached/{number}?until={until}&signature={signature}"),
            "content_type": file.kind,
            "filesize": file.bytes.len(),
            "width": null,
            "height": null,
        })
    };
    attachments.iter().map(one).collect()
}

#[derive(Deserialize)]
struct Signed {
    until: i64,
    signature: String,
}

/// The addresses of files. They take no token: the address is signed.
pub(crate) fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/attached/{number}", get(serve))
        .with_state(sandbox)
}

async fn serve(
    Extracted(sandbox): Extracted<Sandbox>,
    Path(number): Path<usize>,
    Query(signed): Query<Signed>,
) -> Response {
    let found = sandbox.with(|state, _| {
        let right = signature(state, number, signed.until) == signed.signature;
        let file = state.attached.get(number).filter(|_| right).cloned();
        file.filter(|_| now_ms() <= signed.until)
    });
    match found {
        Some(file) => ([(header::CONTENT_TYPE, file.kind)], file.bytes).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}
