//! Conversations: reading, listing, searching, and what is neither a reply nor managing.

use axum::extract::{Path, Query as UrlQuery, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use super::body::{Body, id_of};
use super::paging::{CONVERSATIONS_PER_PAGE, PageQuery, Wanted};
use crate::intercom::error::ApiError;
use crate::intercom::html;
use crate::intercom::json::{self as shape, Parts};
use crate::intercom::model::Conversation;
use crate::intercom::sandbox::Sandbox;
use crate::intercom::search::{Query, conversation_field};
use crate::intercom::state::State as Workspace;
use crate::intercom::version::Version;

/// Most entries of a page of deleted conversations.
const MAX_DELETED_PER_PAGE: usize = 60;

/// A conversation's id from a path.
pub(super) fn id_from(path: &str) -> Result<u64, ApiError> {
    path.parse().map_err(|_| ApiError::not_found())
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Display {
    display_as: Option<String>,
}

pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    UrlQuery(display): UrlQuery<Display>,
    Extension(version): Extension<Version>,
) -> Answer {
    let id = id_from(&id)?;
    let plain = display.display_as.as_deref() == Some("plaintext");
    sandbox.with(|state, _| {
        let found = state.conversation(id)?;
        Ok(Json(shape::conversation(
            state,
            found,
            version,
            Parts::Newest,
            plain,
        )))
    })
}

fn page(
    state: &Workspace,
    wanted: Wanted,
    found: &[(u64, &Conversation)],
    version: Version,
) -> Value {
    let (page, pages) = wanted.cut(found);
    let list: Vec<Value> = page
        .into_iter()
        .map(|found| shape::conversation(state, found, version, Parts::Absent, false))
        .collect();
    json!({
        "type": "conversation.list",
        "pages": pages,
        "total_count": found.len(),
        "conversations": list,
    })
}

/// Newest first. The platform does not say in which order it lists.
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    UrlQuery(query): UrlQuery<PageQuery>,
    Extension(version): Extension<Version>,
) -> Answer {
    let wanted = Wanted::of_query(&query, CONVERSATIONS_PER_PAGE)?;
    sandbox.with(|state, _| {
        let found: Vec<(u64, &Conversation)> = state
            .conversations
            .iter()
            .rev()
            .map(|(id, found)| (*id, found))
            .collect();
        Ok(Json(page(state, wanted, &found, version)))
    })
}

pub(super) async fn search(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let query = Query::parse(
        body.0
            .get("query")
            .ok_or_else(|| ApiError::required("query"))?,
    )?;
    let wanted = Wanted::of_body(body.0.get("pagination"), CONVERSATIONS_PER_PAGE)?;
    let lag = sandbox.config().search_lag_ms;
    sandbox.with(|state, now| {
        let mut found = Vec::new();
        for (id, conversation) in state.conversations.iter().rev() {
            let indexed = conversation.created_ms + lag <= now.ms;
            if query.matches(&|field| conversation_field(conversation, field))? && indexed {
                found.push((*id, conversation));
            }
        }
        Ok(Json(page(state, wanted, &found, version)))
    })
}

/// A contact begins a conversation; the answer is the message.
pub(super) async fn create(State(sandbox): State<Sandbox>, body: Body) -> Answer {
    let from = body
        .0
        .get("from")
        .ok_or_else(|| ApiError::required("from"))?;
    if !matches!(from["type"].as_str(), Some("user" | "lead" | "contact")) {
        return Err(ApiError::invalid("from type must be user, lead or contact"));
    }
    let contact = id_of(&from["id"]).ok_or_else(|| ApiError::required("from.id"))?;
    let text = body
        .text("body")
        .ok_or_else(|| ApiError::required("body"))?;
    sandbox.with(|state, now| {
        let id = state.create_conversation(&contact, text, now)?;
        let source = state.conversation(id)?.source_id;
        Ok(Json(json!({
            "type": "user_message",
            "id": source.to_string(),
            "created_at": now.s,
            "body": text,
            "message_type": "inapp",
            "conversation_id": id.to_string(),
        })))
    })
}

pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let id = id_from(&id)?;
    let attributes = body.custom_attributes(&sandbox.config().conversation_attributes)?;
    sandbox.with(|state, now| {
        let conversation = state
            .conversations
            .get_mut(&id)
            .ok_or_else(ApiError::not_found)?;
        if let Some(read) = body.0.get("read") {
            conversation.read = read
                .as_bool()
                .ok_or_else(|| ApiError::invalid("read must be a boolean"))?;
        }
        if let Some(title) = body.0.get("title") {
            conversation.title = title.as_str().map(str::to_owned);
        }
        conversation.custom_attributes.extend(attributes);
        conversation.updated_at = now.s;
        let found = state.conversation(id)?;
        Ok(Json(shape::conversation(
            state,
            found,
            version,
            Parts::Newest,
            false,
        )))
    })
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Retain {
    retain_metrics: Option<String>,
}

pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    UrlQuery(retain): UrlQuery<Retain>,
) -> Answer {
    let number = id_from(&id)?;
    let keep = retain.retain_metrics.as_deref() == Some("true");
    sandbox.with(|state, now| state.delete_conversation(number, keep, now))?;
    Ok(Json(
        json!({ "id": number.to_string(), "object": "conversation", "deleted": true }),
    ))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct DeletedQuery {
    page: Option<usize>,
    per_page: Option<usize>,
    order: Option<String>,
}

/// Ids of deleted conversations, since 2.16; paged by number.
pub(super) async fn deleted(
    State(sandbox): State<Sandbox>,
    UrlQuery(query): UrlQuery<DeletedQuery>,
    Extension(version): Extension<Version>,
) -> Answer {
    if version < Version::V2_16 {
        let message = "Requested resource is not available in current API version.";
        let code = "intercom_version_invalid";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, code, message));
    }
    let per_page = query
        .per_page
        .unwrap_or(CONVERSATIONS_PER_PAGE)
        .clamp(1, MAX_DELETED_PER_PAGE);
    let number = query.page.unwrap_or(1).max(1);
    sandbox.with(|state, _| {
        let mut all: Vec<(i64, u64, bool)> =
            state.deleted.iter().map(|(id, (at, keep))| (*at, *id, *keep)).collect();
        all.sort_unstable();
        if query.order.as_deref() != Some("asc") {
            all.reverse();
        }
        let total_pages = all.len().div_ceil(per_page);
        let list: Vec<Value> = all
            .iter()
            .skip((number - 1).saturating_mul(per_page))
            .take(per_page)
            .map(|(at, id, keep)| {
                json!({ "type": "conversation", "id": id.to_string(), "metrics_retained": keep, "deleted_at": at })
            })
            .collect();
        let next = (number < total_pages).then(|| {
            format!("https://api.intercom.io/conversations/deleted?per_page={per_page}&page={}", number + 1)
        });
        Ok(Json(json!({
            "type": "conversations.list",
            "total_count": all.len(),
            "pages": { "type": "pages", "next": next, "page": number, "per_page": per_page, "total_pages": total_pages },
            "conversations": list,
        })))
    })
}

/// Blanks a part of a conversation.
pub(super) async fn redact(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let id = id_from(&body.required_id("conversation_id")?)?;
    let part = match body.text("type") {
        Some("conversation_part") => Some(id_from(&body.required_id("conversation_part_id")?)?),
        Some("source") => None,
        _ => {
            let words = "type must be conversation_part or source";
            return Err(ApiError::invalid(words));
        }
    };
    sandbox.with(|state, _| {
        if let Some(part) = part {
            state.redact(id, part)?;
        } else {
            let source = id_from(&body.required_id("source_id")?)?;
            if state.conversation(id)?.source_id != source {
                let code = "conversation_part_or_message_not_found";
                let words = "Conversation part or message not found";
                return Err(ApiError::missing(code, words));
            }
            state.redact_source(id)?;
        }
        let found = state.conversation(id)?;
        Ok(Json(shape::conversation(
            state,
            found,
            version,
            Parts::Newest,
            false,
        )))
    })
}

/// Bodies of replies must say something, even if they are nothing but tags.
pub(super) fn says_something(body: &str) -> bool {
    let stored = html::normalise(body);
    stored.contains("<img") || !html::plain(&stored).trim().is_empty()
}
