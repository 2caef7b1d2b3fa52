//! Conversations and messages.

use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::model::{Conversation, Message, Status};
use super::super::sandbox::Sandbox;
use super::super::send::Outbound;
use super::{Answer, Params, Payload, answer, ok};

fn status_of(name: &str) -> Result<Status, ApiError> {
    match name {
        "active" => Ok(Status::Active),
        "archived" => Ok(Status::Archived),
        _ => Err(ApiError::invalid(
            "status",
            "status must be active or archived",
        )),
    }
}

pub(super) async fn list(State(sandbox): State<Sandbox>, params: Params) -> Answer {
    let status = params.get("status").map(status_of).transpose()?;
    let ids = params.list("ids");
    sandbox.with(|state, _| {
        let mut all: Vec<&Conversation> = state
            .order
            .iter()
            .filter_map(|id| state.conversations.get(id))
            .filter(|found| status.is_none_or(|status| found.status == status))
            .filter(|found| {
                ids.as_ref()
                    .is_none_or(|ids| ids.contains(&found.id.as_str()))
            })
            .collect();
        all.reverse();
        all.sort_by_key(|found| std::cmp::Reverse(found.last_received_ms));
        params.cut(&all, |found| state.show_conversation(found))
    })
}

pub(super) async fn by_contact(
    State(sandbox): State<Sandbox>,
    Path(contact): Path<String>,
    params: Params,
) -> Answer {
    let status = params.get("status").map(status_of).transpose()?;
    sandbox.with(|state, _| {
        if !state.contacts.contains_key(&contact) {
            return Err(ApiError::not_found("contact"));
        }
        let mut all: Vec<&Conversation> = state
            .order
            .iter()
            .filter_map(|id| state.conversations.get(id))
            .filter(|found| found.contact == contact)
            .filter(|found| status.is_none_or(|status| found.status == status))
            .collect();
        all.reverse();
        params.cut(&all, |found| found.id.clone().into())
    })
}

pub(super) async fn read(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| Ok(ok(state.show_conversation(state.conversation(&id)?))))
}

pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Answer {
    let name = body["status"]
        .as_str()
        .ok_or_else(|| ApiError::missing("status"))?;
    let status = status_of(name)?;
    sandbox.with(|state, now| {
        state.set_status(&id, status, now)?;
        Ok(ok(state.show_bare(state.conversation(&id)?, false)))
    })
}

pub(super) async fn messages(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let without = params.list("excludePlatforms").unwrap_or_default();
    sandbox.with(|state, _| {
        let mut all: Vec<&Message> = state
            .conversation(&id)?
            .messages
            .iter()
            .map(|at| &state.messages[*at])
            .filter(|message| !without.contains(&message.platform.as_str()))
            .collect();
        newest_first(&mut all);
        params.cut(&all, |message| state.show_message(message))
    })
}

fn newest_first(messages: &mut [&Message]) {
    messages.reverse();
    messages.sort_by_key(|message| std::cmp::Reverse(message.created_ns));
}

pub(super) async fn find_messages(State(sandbox): State<Sandbox>, params: Params) -> Answer {
    let ids = params.list("ids");
    let from = match params.get("from") {
        None => None,
        Some(text) => Some(
            text.parse::<Timestamp>()
                .map_err(|_| ApiError::invalid("from", "must be an RFC 3339 datetime"))?
                .as_nanosecond(),
        ),
    };
    sandbox.with(|state, _| {
        let mut all: Vec<&Message> = state
            .messages
            .iter()
            .filter(|message| {
                ids.as_ref()
                    .is_none_or(|ids| ids.contains(&message.id.as_str()))
            })
            .filter(|message| from.is_none_or(|from| message.created_ns >= from))
            .collect();
        newest_first(&mut all);
        params.cut(&all, |message| state.show_message(message))
    })
}

pub(super) async fn message(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| Ok(ok(state.show_message(state.message(&id)?))))
}

pub(super) async fn reply(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Answer {
    let outbound = Outbound::read(&body)?;
    // One SDK writes the channel in small letters, and the real one takes it.
    let channel = body["channelId"].as_str().or(body["channelid"].as_str());
    sandbox.with(|state, now| {
        let message = state.reply(&id, channel, outbound, now)?;
        Ok(answer(
            StatusCode::CREATED,
            pending(state.show_message(state.message(&message)?)),
        ))
    })
}

/// A fresh message as the answer shows it: its states come later.
fn pending(mut message: Value) -> Value {
    message["status"] = "pending".into();
    if let Some(fields) = message.as_object_mut() {
        fields.remove("error");
    }
    message
}

pub(super) async fn start(State(sandbox): State<Sandbox>, Payload(body): Payload) -> Answer {
    let outbound = Outbound::read(&body)?;
    let to = recipient(&body)?;
    let channel = body["channelId"]
        .as_str()
        .ok_or_else(|| ApiError::missing("channelId"))?;
    sandbox.with(|state, now| {
        let message = state.start(&to, channel, outbound, now)?;
        let conversation = state.message(&message)?.conversation.clone();
        let shown = state.show_conversation(state.conversation(&conversation)?);
        Ok(answer(StatusCode::CREATED, shown))
    })
}

pub(super) async fn send(State(sandbox): State<Sandbox>, Payload(body): Payload) -> Answer {
    let outbound = Outbound::read(&body)?;
    let to = recipient(&body)?;
    let channel = body["from"]
        .as_str()
        .ok_or_else(|| ApiError::missing("from"))?;
    sandbox.with(|state, now| {
        let message = state.start(&to, channel, outbound, now)?;
        let shown = json!({ "id": message, "status": "accepted" });
        Ok(answer(StatusCode::ACCEPTED, shown))
    })
}

fn recipient(body: &Value) -> Result<String, ApiError> {
    match &body["to"] {
        Value::String(to) => Ok(to.clone()),
        Value::Number(to) => Ok(to.to_string()),
        _ => Err(ApiError::missing("to")),
    }
}
