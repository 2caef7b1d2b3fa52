//! Tags, and tags on conversations.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Answer;
use super::account::acting_admin;
use super::body::Body;
use super::conversations::id_from;
use crate::intercom::error::ApiError;
use crate::intercom::json as shape;
use crate::intercom::sandbox::Sandbox;

pub(super) async fn list(State(sandbox): State<Sandbox>) -> Answer {
    let tags: Vec<Value> = sandbox
        .tags()
        .into_iter()
        .map(|tag| json!({ "type": "tag", "id": tag.id, "name": tag.name }))
        .collect();
    Ok(Json(json!({ "type": "list", "data": tags })))
}

/// Makes a tag, or returns the one of this name.
pub(super) async fn create(State(sandbox): State<Sandbox>, body: Body) -> Answer {
    let invalid = || ApiError::invalid("invalid tag parameters");
    let name = body.text("name").ok_or_else(invalid)?;
    let id = sandbox.create_tag(name);
    Ok(Json(json!({ "type": "tag", "id": id, "name": name })))
}

fn no_conversation(error: ApiError) -> ApiError {
    if error.code == "not_found" {
        return ApiError::missing("not_found", "Conversation not found");
    }
    error
}

fn tag_from(id: &str) -> Result<u64, ApiError> {
    id.parse()
        .map_err(|_| ApiError::missing("tag_not_found", "Tag not found"))
}

pub(super) async fn attach(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let id = id_from(&id).map_err(no_conversation)?;
    sandbox
        .with(|state, _| state.conversation(id).map(|_| ()))
        .map_err(no_conversation)?;
    let tag = tag_from(&body.required_id("id")?)?;
    let admin = acting_admin(&sandbox, &body)?;
    sandbox.with(|state, now| {
        state.tag(id, tag, &admin, now)?;
        Ok(Json(shape::applied_tag(
            state,
            state.conversation(id)?,
            tag,
        )))
    })
}

/// Needs a body that names the teammate, though it is a DELETE.
pub(super) async fn detach(
    State(sandbox): State<Sandbox>,
    Path((id, tag)): Path<(String, String)>,
    body: Body,
) -> Answer {
    let id = id_from(&id).map_err(no_conversation)?;
    sandbox
        .with(|state, _| state.conversation(id).map(|_| ()))
        .map_err(no_conversation)?;
    let tag = tag_from(&tag)?;
    let admin = acting_admin(&sandbox, &body)?;
    sandbox.with(|state, now| {
        let shown = shape::applied_tag(state, state.conversation(id)?, tag);
        state.untag(id, tag, &admin, now)?;
        Ok(Json(shown))
    })
}
