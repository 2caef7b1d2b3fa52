//! The Graph API: sending, and media in two steps.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::guard;
use crate::common::multipart;
use crate::common::sign::sha256_hex;

use super::error::ApiError;
use super::sandbox::Sandbox;
use super::state::bare;

/// Longest text, in characters.
const MAX_TEXT: usize = 4_096;
/// Longest caption, in characters.
const MAX_CAPTION: usize = 1_024;

/// Types that can be sent, each the key of its content.
const TYPES: [&str; 11] = [
    "text",
    "image",
    "audio",
    "video",
    "document",
    "sticker",
    "location",
    "contacts",
    "interactive",
    "reaction",
    "template",
];

type Answer = Result<Response, ApiError>;

pub(super) fn routes(sandbox: &Sandbox) -> Router {
    let graph = Router::new()
        .route("/{version}/{number}/messages", post(send))
        .route("/{version}/{number}/media", post(upload))
        .route("/{version}/{node}", get(node).delete(forget))
        .route("/media-content/{media}/download", get(content))
        .layer(from_fn_with_state(sandbox.clone(), gate))
        .layer(guard::layer(
            sandbox.journal().clone(),
            sandbox.faults().clone(),
        ));
    graph.with_state(sandbox.clone())
}

async fn gate(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(|token| token.trim().to_owned());
    let known = sandbox.with(|state| given.is_some() && state.token == given);
    if known {
        next.run(request).await
    } else {
        ApiError::token().into_response()
    }
}

fn number(sandbox: &Sandbox, version: &str, number: &str) -> Result<(), ApiError> {
    let right = version.starts_with('v') && number == sandbox.config().phone_number_id;
    if right {
        Ok(())
    } else {
        Err(ApiError::unknown(number))
    }
}

async fn send(
    State(sandbox): State<Sandbox>,
    Path((version, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    number(&sandbox, &version, &id)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| ApiError::parameter("The parameter messaging_product is required."))?;
    if body["messaging_product"] != "whatsapp" {
        let words = "The parameter messaging_product is required.";
        return Err(ApiError::parameter(words));
    }
    let to = body["to"].as_str().or(body["recipient"].as_str());
    let to = to.ok_or_else(|| ApiError::parameter("The parameter to is required."))?;
    let kind = body["type"].as_str().unwrap_or("text");
    if !TYPES.contains(&kind) {
        return Err(ApiError::parameter(
            "Param type must be one of the known types.",
        ));
    }
    let content = &body[kind];
    let (text, limit) = match kind {
        "text" => (content["body"].as_str(), MAX_TEXT),
        _ => (content["caption"].as_str(), MAX_CAPTION),
    };
    if content.is_null() || (kind == "text" && text.is_none_or(str::is_empty)) {
        let words = format!("The parameter {kind} is required.");
        return Err(ApiError::parameter(&words));
    }
    if text.is_some_and(|text| text.chars().count() > limit) {
        let words = format!("Param text must be at most {limit} characters long.");
        return Err(ApiError::parameter(&words));
    }
    Ok(sandbox.with_now(|state, now| {
        let phone = state.named(to);
        let message = state.send(&phone, kind, content, now);
        let shown = json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": to, "wa_id": bare(&phone) }],
            "messages": [{ "id": message }],
        });
        axum::Json(shown).into_response()
    }))
}

async fn upload(
    State(sandbox): State<Sandbox>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    number(&sandbox, &version, &id)?;
    let boundary = multipart::boundary(&headers)
        .ok_or_else(|| ApiError::parameter("The parameter file is required."))?;
    let file = multipart::files(&body, &boundary)
        .into_iter()
        .next()
        .ok_or_else(|| ApiError::parameter("The parameter file is required."))?;
    let id = sandbox.with(|state| state.keep(&file.kind, file.content));
    Ok(axum::Json(json!({ "id": id })).into_response())
}

/// The fields that are asked for of a node.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    fields: String,
}

/// A node: the business number, whose token it is, or a file.
async fn node(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let config = sandbox.config();
    let known = if id == config.phone_number_id {
        json!({
            "display_phone_number": format!("+{}", config.display_number),
            "verified_name": config.verified_name,
        })
    } else if id == "me" {
        json!({ "name": "Bowline" })
    } else {
        return media(&sandbox, &id);
    };
    // Graph answers the id and what was asked for, and nothing else.
    let mut shown = json!({ "id": id });
    for field in asked.fields.split(',').map(str::trim) {
        if let Some(value) = known.get(field) {
            shown[field] = value.clone();
        }
    }
    Ok(axum::Json(shown).into_response())
}

fn media(sandbox: &Sandbox, id: &str) -> Answer {
    sandbox.with_now(|state, now| {
        let address = format!("{}/media-content/{id}/download", state.base);
        let good = now + state.config.media_address_ms;
        let file = state
            .files
            .get_mut(id)
            .ok_or_else(|| ApiError::unknown(id))?;
        file.address_until_ms = good;
        let shown = json!({
            "messaging_product": "whatsapp",
            "url": address,
            "mime_type": file.mime_type,
            "sha256": sha256_hex(&file.content),
            "file_size": file.content.len(),
            "id": id,
        });
        Ok(axum::Json(shown).into_response())
    })
}

async fn forget(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
) -> Answer {
    let gone = sandbox.with(|state| state.files.remove(&id).is_some());
    if gone {
        Ok(axum::Json(json!({ "success": true })).into_response())
    } else {
        Err(ApiError::unknown(&id))
    }
}

async fn content(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    sandbox.with_now(|state, now| match state.files.get(&id) {
        Some(file) if now < file.address_until_ms => {
            let kind = [(header::CONTENT_TYPE, file.mime_type.clone())];
            (kind, file.content.clone()).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}
