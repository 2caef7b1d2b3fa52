//! Webhooks from MessageBird: `message.created`, `message.updated`, `conversation.created`,
//! `conversation.updated`, and the `message.status` of a report address.
//!
//! There is no order and no promise of a single delivery. `message.created` comes for what we
//! sent as well.

use bowline_net::json::{at, id, text};
use serde_json::Value;

use super::model::{self, Direction};
use crate::event::{ClosedConversation, ContactChange, ProviderEvent, StatusReport, UnknownEvent};
use crate::provider::ParseError;
use crate::status::DeliveryStatus;

/// Reads one delivery.
pub(super) fn parse(raw: &[u8]) -> Result<Vec<ProviderEvent>, ParseError> {
    let value: Value = serde_json::from_slice(raw).map_err(|_| ParseError::NotJson)?;
    if !value.is_object() {
        return Err(ParseError::UnknownShape("not an object".to_owned()));
    }
    let kind = text(&value, "type").unwrap_or_default();
    let event = match kind.as_str() {
        "message.created" => created(&value),
        "message.updated" => updated(&value),
        "message.status" => status(&value),
        "conversation.updated" => conversation(&value),
        "conversation.created" => Err("a conversation began; its first message says more".into()),
        "" => {
            let words = "there is no type".to_owned();
            return Err(ParseError::UnknownShape(words));
        }
        other => Err(format!("MessageBird's event {other} is not one we know")),
    };
    let event =
        event.unwrap_or_else(|why| ProviderEvent::Unknown(UnknownEvent { why, raw: value }));
    Ok(vec![event])
}

/// An event, or why there is none.
type Read = Result<ProviderEvent, String>;

fn created(value: &Value) -> Read {
    let message = at(value, &["message"]);
    match Direction::read(message) {
        Some(Direction::In) => inbound(value),
        Some(Direction::Out) => read_message(value, Direction::Out).map(ProviderEvent::EchoOut),
        None => Err("a message that was neither received nor sent".to_owned()),
    }
}

fn updated(value: &Value) -> Read {
    let message = at(value, &["message"]);
    match Direction::read(message) {
        // Its file has arrived, or it was changed: known by its id, so telling it again is safe.
        Some(Direction::In) => inbound(value),
        Some(Direction::Out) | None => status(value),
    }
}

fn inbound(value: &Value) -> Read {
    if model::is_waiting_for_media(at(value, &["message"])) {
        return Err("the file of this message is not there yet; an update will bring it".into());
    }
    let message = read_message(value, Direction::In)?;
    if message.person.identities.is_empty() {
        return Err("a message that names no sender".to_owned());
    }
    Ok(ProviderEvent::Inbound(message))
}

fn read_message(value: &Value, direction: Direction) -> Result<crate::Message, String> {
    let message = model::message(at(value, &["message"]), contact(value), direction);
    let mut message = message.ok_or("a message without an id or a channel")?;
    let conversation = || id(at(value, &["conversation"]), "id").map(Into::into);
    message.conversation = message.conversation.or_else(conversation);
    Ok(message)
}

/// The contact stands beside the message, in the conversation, or nowhere; then its id may.
fn contact(value: &Value) -> &Value {
    let beside = at(value, &["contact"]);
    if beside.is_object() {
        return beside;
    }
    at(value, &["conversation", "contact"])
}

fn status(value: &Value) -> Read {
    let message = at(value, &["message"]);
    let word = text(message, "status").unwrap_or_default();
    let status = DeliveryStatus::read(&word)
        .ok_or_else(|| format!("the status \"{word}\" says nothing about delivery"))?;
    let message_id = id(message, "id").ok_or("a status without the id of a message")?;
    // The error stands in the message, or beside it in a report.
    let error = [message, value]
        .map(|holder| at(holder, &["error"]))
        .into_iter()
        .find(|error| !error.is_null());
    let conversation = id(message, "conversationId")
        .or_else(|| id(at(value, &["conversation"]), "id"))
        .map(Into::into);
    Ok(ProviderEvent::Status(StatusReport {
        message: message_id.into(),
        channel: id(message, "channelId").map(Into::into),
        conversation,
        status,
        failure: model::failure(error.unwrap_or(&Value::Null), &word),
        at_ms: model::instant(message, "updatedDatetime")
            .or_else(|| model::instant(message, "createdDatetime")),
    }))
}

fn conversation(value: &Value) -> Read {
    let conversation = at(value, &["conversation"]);
    let id_of = id(conversation, "id").ok_or("a conversation without an id")?;
    let person = model::owner(conversation, contact(value));
    match text(conversation, "status").as_deref() {
        Some(model::ARCHIVED) => Ok(ProviderEvent::ConversationClosed(ClosedConversation {
            conversation: id_of.into(),
            person,
            at_ms: model::instant(conversation, "updatedDatetime"),
        })),
        Some(model::ACTIVE) => Ok(ProviderEvent::ContactChanged(ContactChange {
            channel: None,
            conversation: Some(id_of.into()),
            person,
            added: Vec::new(),
        })),
        other => {
            let word = other.unwrap_or_default();
            Err(format!(
                "the conversation is in the unknown state \"{word}\""
            ))
        }
    }
}
