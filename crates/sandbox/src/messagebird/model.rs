//! What the account remembers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::phones::{Failure, State};

/// Error of a message outside WhatsApp's 24 hours.
pub const OUTSIDE_WINDOW: u32 = 470;
/// Error of a message to somebody who has no WhatsApp.
pub(crate) const NOT_ON_WHATSAPP: u32 = 302;
/// Error of a message that failed for another reason.
pub(crate) const FAILED_TO_SEND: u32 = 301;

/// Status of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    Active,
    /// It is over.
    Archived,
}

impl Status {
    /// The status' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// One contact. Its phones are its identities.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Id.
    pub id: String,
    /// Name that the dashboard shows.
    pub name: String,
    /// Numbers and user ids, the first one first seen.
    pub phones: Vec<String>,
    /// When it was made, in milliseconds.
    pub created_ms: i64,
    /// When it was changed, in milliseconds.
    pub updated_ms: Option<i64>,
}

/// One conversation: everything between the account and a contact until it is archived.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Id.
    pub id: String,
    /// Contact id.
    pub contact: String,
    /// Whether it goes on.
    pub status: Status,
    /// When it was made, in milliseconds.
    pub created_ms: i64,
    /// When it was changed, in milliseconds.
    pub updated_ms: i64,
    /// When something was said last, in milliseconds.
    pub last_received_ms: i64,
    /// The channel used last.
    pub last_channel: String,
    /// Channels that were used.
    pub channels: BTreeSet<String>,
    /// Positions of its messages in the account's list, oldest first.
    pub messages: Vec<usize>,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Id.
    pub id: String,
    /// Conversation id.
    pub conversation: String,
    /// Channel id.
    pub channel: String,
    /// The channel's platform.
    pub platform: String,
    /// The person's number or user id.
    pub phone: String,
    /// Whether the account sent it.
    pub sent: bool,
    /// Whether it came by the API.
    pub by_api: bool,
    /// Type.
    pub kind: String,
    /// Content by type.
    pub content: Value,
    /// What a template comes to on the phone.
    pub filled: Option<String>,
    /// What a sender adds: `source`, `tag`, ...
    pub extra: serde_json::Map<String, Value>,
    /// Where the message's states are told, besides the webhooks.
    pub report_url: Option<String>,
    /// How far it came; a received one counts as delivered.
    pub state: State,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was made, in nanoseconds since the Unix epoch.
    pub created_ns: i128,
    /// When it was changed, in nanoseconds since the Unix epoch.
    pub updated_ns: i128,
    /// When it was made by the clock on the wall, in milliseconds.
    pub wall_ms: i64,
}

impl Message {
    /// The text, or the caption of a file.
    pub fn text(&self) -> Option<&str> {
        if let Some(filled) = &self.filled {
            return Some(filled);
        }
        let content = self.content.as_object()?;
        content.values().find_map(|value| match value {
            Value::String(text) => Some(text.as_str()),
            Value::Object(_) => value["caption"]
                .as_str()
                .or_else(|| value["body"]["text"].as_str()),
            _ => None,
        })
    }

    /// The address of its file.
    pub fn media_url(&self) -> Option<&str> {
        self.content[&self.kind]["url"].as_str()
    }
}

/// One webhook.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Id.
    pub id: String,
    /// The only channel it is about.
    pub channel: Option<String>,
    /// Where to.
    pub url: String,
    /// Names of events.
    pub events: Vec<String>,
    /// Whether it is called.
    pub enabled: bool,
    /// Settings as given.
    pub settings: Value,
    /// When it was made, in milliseconds.
    pub created_ms: i64,
    /// When it was changed, in milliseconds.
    pub updated_ms: Option<i64>,
}

/// A file that a person sent or that was uploaded.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime_type: String,
    /// What is in it.
    pub content: bytes::Bytes,
    /// Until when it can be fetched, in milliseconds since the Unix epoch.
    pub until_ms: i64,
}

/// Events that a webhook can ask for.
pub(crate) const EVENTS: [&str; 4] = [
    "conversation.created",
    "conversation.updated",
    "message.created",
    "message.updated",
];
