//! Webhooks from Intercom.
//!
//! There is no order and no promise of a single delivery, and one retry at most: a notification
//! is a hint after which the conversation is read again.

use bowline_net::json::{at, filled, id, instant_s, list, text};
use serde_json::Value;

use crate::contact::merged_from;
use crate::model::{Conversation, Teammate};
use crate::signature;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Verifies `X-Hub-Signature` (`sha1=` and 40 hex digits) over the raw body, in constant time.
/// False for a missing header and for an empty secret.
pub fn verify(secret: &str, raw: &[u8], header: Option<&str>) -> bool {
    signature::verify_hub(secret, raw, header)
}

/// Why a body is no notification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON, or nested too deep to be read safely.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but nothing that we know as a notification.
    #[error("unknown shape: {0}")]
    UnknownShape(String),
}

/// A tag that was put on a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRef {
    /// The tag's id.
    pub id: String,
    /// The tag's name; empty when not given.
    pub name: String,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A sign of life: sent when the address is saved, and now and then.
    Ping,
    /// A conversation with only the parts of this event. Bodies are plain text since 2.15.
    Conversation {
        /// The conversation, as far as the payload shows it.
        conversation: Box<Conversation>,
        /// The tags that this event put on it (`conversation_part.tag.created`).
        tags_added: Vec<TagRef>,
    },
    /// The conversation is gone.
    ConversationDeleted {
        /// Its id.
        conversation_id: String,
    },
    /// A contact, as far as the payload shows it: a hint after which it is read again.
    Contact {
        /// Its id.
        id: String,
        /// The contacts that were merged into it, where a merge is told and they are named.
        merged_from: Vec<String>,
    },
    /// A contact was deleted.
    ContactDeleted {
        /// Its id.
        id: String,
    },
    /// A company was made, changed or deleted; the topic says which.
    Company {
        /// Its id.
        id: String,
    },
    /// A teammate joined, left or changed.
    Admin(Teammate),
    /// Anything else, as it came.
    Other(Value),
}

/// One notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Unique per notification and the same on a retry; some pings have none.
    pub id: Option<String>,
    /// What happened, as `conversation.admin.closed`; open-ended.
    pub topic: String,
    /// The workspace code it comes from.
    pub app_id: Option<String>,
    /// When it happened, in Unix seconds.
    pub created_at: Option<i64>,
    /// What it is about.
    pub item: Item,
}

/// Reads a notification.
///
/// # Errors
/// [`ParseError`]; a topic or an item that we do not know is no error.
pub fn parse(raw: &[u8]) -> Result<Notification, ParseError> {
    let value: Value = serde_json::from_slice(raw).map_err(|_| ParseError::NotJson)?;
    let topic = filled(&value, "topic")
        .ok_or_else(|| ParseError::UnknownShape("there is no topic".to_owned()))?;
    let item = item(&topic, at(&value, &["data", "item"]));
    Ok(Notification {
        id: id(&value, "id"),
        app_id: id(&value, "app_id"),
        created_at: instant_s(&value, "created_at").filter(|t| *t > 0),
        topic,
        item,
    })
}

fn item(topic: &str, item: &Value) -> Item {
    let kind = text(item, "type").unwrap_or_default();
    let known = match (topic, kind.as_str()) {
        ("ping", _) | (_, "ping") => Some(Item::Ping),
        ("conversation.deleted", _) => id(item, "conversation_id")
            .or_else(|| id(item, "id"))
            .map(|conversation_id| Item::ConversationDeleted { conversation_id }),
        (_, "conversation" | "conversation_part") => conversation(item),
        (topic, "") if topic.starts_with("conversation") => conversation(item),
        ("contact.deleted", _) => id(item, "id").map(|id| Item::ContactDeleted { id }),
        (_, "contact") => contact(item, item),
        // Somebody was tagged, or came to a company or left it.
        (topic, _) if topic.starts_with("contact.") || topic.starts_with("company.contact.") => {
            contact(at(item, &["contact"]), item)
        }
        (_, "company") => id(item, "id").map(|id| Item::Company { id }),
        (_, "admin") => Teammate::read(item).map(Item::Admin),
        _ => None,
    };
    known.unwrap_or_else(|| Item::Other(item.clone()))
}

fn contact(contact: &Value, item: &Value) -> Option<Item> {
    Some(Item::Contact {
        id: id(contact, "id")?,
        merged_from: merged_from(item),
    })
}

fn conversation(item: &Value) -> Option<Item> {
    let tags_added = list(at(item, &["tags_added"]), "tags")
        .iter()
        .filter_map(|t| {
            Some(TagRef {
                id: id(t, "id")?,
                name: text(t, "name").unwrap_or_default(),
            })
        })
        .collect();
    let conversation = Box::new(Conversation::read(item)?);
    Some(Item::Conversation {
        conversation,
        tags_added,
    })
}
