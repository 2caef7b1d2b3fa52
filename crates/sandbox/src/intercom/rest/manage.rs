//! Replies and notes, and opening, closing, snoozing, assigning and merging.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde_json::{Value, json};

use super::Answer;
use super::account::acting_admin;
use super::body::Body;
use super::conversations::{id_from, says_something};
use crate::intercom::cursor;
use crate::intercom::error::ApiError;
use crate::intercom::json::{self as shape, Parts};
use crate::intercom::sandbox::Sandbox;
use crate::intercom::state::{Message, State as Workspace};
use crate::intercom::version::Version;

/// Attachments of each kind in one reply.
const MAX_ATTACHMENTS: usize = 10;

fn answer(state: &Workspace, id: u64, version: Version) -> Answer {
    let found = state.conversation(id)?;
    Ok(Json(shape::conversation(
        state,
        found,
        version,
        Parts::Newest,
        false,
    )))
}

/// `POST /conversations/{id}/reply`, where the id may be `last`.
pub(super) async fn reply(
    State(sandbox): State<Sandbox>,
    Path(path): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let message_type = body
        .text("message_type")
        .ok_or_else(|| ApiError::required("message_type"))?;
    match body
        .text("type")
        .ok_or_else(|| ApiError::required("type"))?
    {
        "admin" => {
            let message = match message_type {
                "note" => Message::Note,
                "comment" => Message::Comment,
                "quick_reply" => Message::QuickReply,
                _ => return Err(ApiError::invalid("message_type is invalid")),
            };
            let id = target(&sandbox, &path, None)?;
            admin_reply(&sandbox, id, message, version, &body)
        }
        "user" => {
            if !matches!(message_type, "comment" | "quick_reply") {
                return Err(ApiError::invalid("message_type is invalid"));
            }
            let contact = replying_contact(&sandbox, &body)?;
            let id = target(&sandbox, &path, Some(&contact))?;
            let text = required_body(&body)?;
            sandbox.with(|state, now| {
                state.customer_message(id, &contact, text, true, now)?;
                answer(state, id, version)
            })
        }
        _ => Err(ApiError::invalid("type must be admin or user")),
    }
}

/// The conversation that a path names; `last` is the newest of the contact, or of all.
fn target(sandbox: &Sandbox, path: &str, contact: Option<&str>) -> Result<u64, ApiError> {
    if path != "last" {
        return id_from(path);
    }
    sandbox.with(|state, _| {
        let belongs = |contacts: &[String]| {
            contact.is_none_or(|wanted| contacts.iter().any(|contact| contact == wanted))
        };
        let newest = state
            .conversations
            .values()
            .filter(|conversation| belongs(&conversation.contacts))
            .max_by_key(|conversation| (conversation.updated_at, conversation.id));
        newest
            .map(|conversation| conversation.id)
            .ok_or_else(ApiError::not_found)
    })
}

fn required_body(body: &Body) -> Result<&str, ApiError> {
    body.text("body")
        .filter(|text| says_something(text))
        .ok_or_else(|| ApiError::required("body"))
}

fn admin_reply(
    sandbox: &Sandbox,
    id: u64,
    message: Message,
    version: Version,
    body: &Body,
) -> Answer {
    // An unknown conversation is reported before an unknown teammate.
    sandbox.with(|state, _| state.conversation(id).map(|_| ()))?;
    let admin = acting_admin(sandbox, body)?;
    let text = match message {
        Message::QuickReply => None,
        Message::Note | Message::Comment => Some(required_body(body)?.to_owned()),
    };
    let attachments = attachments(body)?;
    // Only Preview can leave a snoozed conversation asleep.
    let wake = !(version == Version::Preview && body.flag("skip_unsnooze"));
    sandbox.with(|state, now| {
        state.admin_message(id, &admin, message, (text, attachments), (wake, true), now)?;
        answer(state, id, version)
    })
}

fn attachments(body: &Body) -> Result<Vec<Value>, ApiError> {
    let list = |field: &str| match body.0.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= MAX_ATTACHMENTS => Ok(items.clone()),
        Some(_) => Err(ApiError::invalid(format!(
            "{field} must be a list of at most 10"
        ))),
    };
    let files = list("attachment_files")?;
    let urls = list("attachment_urls")?;
    // Files win over addresses.
    if files.is_empty() {
        return urls
            .iter()
            .map(|url| {
                let url = url.as_str().filter(|url| url.starts_with("http"));
                let url = url.ok_or_else(|| ApiError::invalid("attachment_urls must be URLs"))?;
                Ok(json!({ "type": "upload", "name": url, "url": url, "content_type": "image/png", "filesize": 0, "width": null, "height": null }))
            })
            .collect();
    }
    files
        .iter()
        .map(|file| {
            let name = file["name"].as_str();
            let data = file["data"].as_str().and_then(cursor::decode);
            let (Some(name), Some(data)) = (name, data) else {
                return Err(ApiError::invalid("attachment_files need name and base64 data"));
            };
            let url = format!("https://downloads.example.com/i/{name}");
            Ok(json!({ "type": "upload", "name": name, "url": url, "content_type": file["content_type"], "filesize": data.len(), "width": null, "height": null }))
        })
        .collect()
}

/// Who replies: by the platform's id, by the workspace's own id, or by e-mail.
fn replying_contact(sandbox: &Sandbox, body: &Body) -> Result<String, ApiError> {
    let unknown = || ApiError::missing("not_found", "User Not Found");
    sandbox.with(|state, _| {
        if let Some(id) = body.id("intercom_user_id") {
            return state
                .contacts
                .contains_key(&id)
                .then_some(id)
                .ok_or_else(unknown);
        }
        if let Some(id) = body.id("user_id") {
            return state.external_ids.get(&id).cloned().ok_or_else(unknown);
        }
        let email = body
            .text("email")
            .ok_or_else(|| ApiError::required("intercom_user_id"))?;
        state
            .user_emails
            .get(&email.to_lowercase())
            .cloned()
            .ok_or_else(unknown)
    })
}

/// `POST /conversations/{id}/parts`.
pub(super) async fn manage(
    State(sandbox): State<Sandbox>,
    Path(path): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let id = id_from(&path)?;
    sandbox.with(|state, _| state.conversation(id).map(|_| ()))?;
    let message_type = body
        .text("message_type")
        .ok_or_else(|| ApiError::required("message_type"))?;
    let admin = acting_admin(&sandbox, &body)?;
    let text = body.text("body");
    sandbox.with(|state, now| {
        match message_type {
            "open" => state.open(id, &admin, true, now)?,
            "close" => state.close(id, &admin, text, true, now)?,
            "snoozed" => {
                let until = body.0.get("snoozed_until").and_then(|until| {
                    until
                        .as_i64()
                        .or_else(|| until.as_str().and_then(|text| text.parse().ok()))
                });
                let until = until.ok_or_else(|| ApiError::required("snoozed_until"))?;
                state.snooze(id, &admin, until, true, now)?;
            }
            "assignment" => {
                let missing = || ApiError::missing("assignee_not_found", "Assignee not found");
                let assignee = body.required_id("assignee_id")?;
                // There are no teams in this workspace, so only nobody can be assigned as one.
                if body.text("type") == Some("team") && assignee != "0" {
                    return Err(missing());
                }
                let assignee = assignee.parse().map_err(|_| missing())?;
                state.assign(id, &admin, assignee, text, true, now)?;
            }
            _ => return Err(ApiError::invalid("message_type is invalid")),
        }
        answer(state, id, version)
    })
}

/// `POST /conversations/{id}/merge`, since 2.16.
pub(super) async fn merge(
    State(sandbox): State<Sandbox>,
    Path(path): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    if version < Version::V2_16 {
        let message = "Requested resource is not available in current API version.";
        let code = "intercom_version_invalid";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, code, message));
    }
    let secondary = id_from(&path)?;
    let primary = body
        .id("merge_into_conversation_id")
        .and_then(|id| id.parse().ok());
    let primary = primary.ok_or_else(|| {
        ApiError::invalid("merge_into_conversation_id must be a valid integer conversation ID")
    })?;
    sandbox.with(|state, now| {
        state.merge_conversations(secondary, primary, now)?;
        answer(state, primary, version)
    })
}
