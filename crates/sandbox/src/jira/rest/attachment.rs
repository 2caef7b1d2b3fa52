//! Attachments.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::common::multipart;

use super::super::error::Refusal;
use super::super::model::Attachment;
use super::super::state::State;
use super::call::{Answer, Caller, Params, nothing, ok};

/// Largest file, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 10_000_000;
/// Most files of one call.
pub(super) const MAX_FILES: usize = 60;

/// Whether an upload carries the header that no form of a browser can send.
pub(super) fn checked(headers: &HeaderMap) -> bool {
    let token = headers
        .get("x-atlassian-token")
        .and_then(|value| value.to_str().ok());
    matches!(token, Some("no-check" | "nocheck"))
}

pub(super) async fn meta(caller: Caller) -> Answer {
    let enabled = caller.look(|state, _| !state.switches.attachments_off);
    Ok(ok(
        json!({ "enabled": enabled, "uploadLimit": MAX_FILE_BYTES }),
    ))
}

pub(super) async fn add(
    caller: Caller,
    Path(issue): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    if !checked(&headers) {
        return Err(Refusal::message(403, "XSRF check failed"));
    }
    let boundary = multipart::boundary(&headers)
        .ok_or_else(|| Refusal::message(415, "Unsupported Media Type"))?;
    let files = multipart::files(&body, &boundary);
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(Refusal::bad(
            "Between 1 and 60 files in fields named 'file' are required.",
        ));
    }
    if files.iter().any(|file| file.content.len() > MAX_FILE_BYTES) {
        return Err(Refusal::message(413, "The attachment is too large."));
    }
    caller.act(|state| {
        let id = state.visible_issue(&caller.user, &issue)?.id;
        if state.switches.attachments_off || !state.may(&caller.user, "CREATE_ATTACHMENTS") {
            return Err(Refusal::message(
                403,
                "You do not have permission to create attachments for this issue.",
            ));
        }
        let mut shown = Vec::new();
        for file in files {
            let number =
                state.add_attachment(&caller.user, id, (file.name, file.kind), file.content)?;
            let (_, added) = find(state, &caller, &number.to_string())?;
            shown.push(caller.view(state).attachment(added));
        }
        Ok(ok(Value::Array(shown)))
    })
}

pub(super) async fn read(caller: Caller, Path(id): Path<String>) -> Answer {
    caller
        .look(|state, view| find(state, &caller, &id).map(|(_, found)| ok(view.attachment(found))))
}

pub(super) async fn content(caller: Caller, Path(id): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let (_, found) = find(state, &caller, &id)?;
        if params.get("redirect") != Some("false") && state.is_cloud() {
            let place = view.link(&format!("attachment/content/{id}?redirect=false"));
            return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response());
        }
        let kind = [(header::CONTENT_TYPE, found.mime_type.clone())];
        Ok((kind, found.content.clone()).into_response())
    })
}

/// The content by the address that Data Center gives.
pub(super) async fn by_address(caller: Caller, Path((id, _)): Path<(String, String)>) -> Answer {
    content(caller, Path(id), Params::default()).await
}

pub(super) async fn remove(caller: Caller, Path(id): Path<String>) -> Answer {
    caller.act(|state| {
        let (issue, found) = find(state, &caller, &id)?;
        let number = found.id;
        if !caller.user.admin && found.author.account_id != caller.user.account_id {
            return Err(Refusal::message(
                403,
                "You do not have permission to delete this attachment.",
            ));
        }
        state.issue_mut(issue)?.attachments.remove(&number);
        state.attachment_issues.remove(&number);
        Ok(nothing())
    })
}

fn find<'s>(state: &'s State, caller: &Caller, id: &str) -> Result<(u64, &'s Attachment), Refusal> {
    let missing = || Refusal::message(404, format!("The attachment with id '{id}' does not exist"));
    let number: u64 = id.parse().map_err(|_| missing())?;
    let issue = *state.attachment_issues.get(&number).ok_or_else(missing)?;
    let found = state
        .visible_issue(&caller.user, &issue.to_string())
        .map_err(|_| missing())?;
    found
        .attachments
        .get(&number)
        .map(|attachment| (issue, attachment))
        .ok_or_else(missing)
}
