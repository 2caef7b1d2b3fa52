//! What MessageBird tells us, read from JSON of any shape it has been seen in.
//!
//! Real payloads hold a null or a year 1 for "never changed", nanoseconds, an object or an array
//! for `customDetails`, a number for `msisdn`, no contact, and errors with `description` or
//! `message`.

use bowline_net::json::{at, filled, id, instant_ms, list, text};
use serde_json::Value;

use super::error;
use crate::capabilities::Platform;
use crate::event::{Content, Location, Media, MediaAt, MediaKind, Message, Sender};
use crate::failure::DeliveryFailure;
use crate::ids::{Identity, IdentityKind};
use crate::provider::{ChannelSeen, Conversation, Listing, ProviderName, RemoteWebhook, Sent};
use crate::status::DeliveryStatus;

/// The state of a conversation that is closed.
pub(super) const ARCHIVED: &str = "archived";
/// The state of a conversation that goes on.
pub(super) const ACTIVE: &str = "active";
/// The status of a message whose file MessageBird is still fetching.
const PENDING_MEDIA: &str = "pending_media";

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    pub(super) fn read(message: &Value) -> Option<Self> {
        match text(message, "direction")?.as_str() {
            "received" => Some(Self::In),
            "sent" => Some(Self::Out),
            _ => None,
        }
    }
}

/// An instant in Unix milliseconds; what lies before 1970 means "never".
pub(super) fn instant(value: &Value, key: &str) -> Option<i64> {
    instant_ms(value, key).filter(|ms| *ms > 0)
}

/// The same to the nanosecond: with how far behind its millisecond it is.
fn moment(value: &Value, key: &str) -> Option<(i64, u32)> {
    let read = bowline_net::time::iso_ms_ns(value.get(key)?.as_str()?);
    read.filter(|(ms, _)| *ms > 0)
}

/// A message with the person it came from or went to. `None` without an id or a channel.
pub(super) fn message(message: &Value, contact: &Value, direction: Direction) -> Option<Message> {
    let platform = Platform::read(&text(message, "platform").unwrap_or_default());
    let address = match direction {
        Direction::In => id(message, "from"),
        Direction::Out => id(message, "to"),
    };
    let word = text(message, "status").filter(|_| direction == Direction::Out);
    let word = word.unwrap_or_default();
    let written = moment(message, "createdDatetime");
    let written = written.or_else(|| moment(message, "updatedDatetime"));
    Some(Message {
        id: id(message, "id")?.into(),
        channel: id(message, "channelId")?.into(),
        conversation: id(message, "conversationId").map(Into::into),
        person: person(contact, address.as_deref(), &platform),
        at_ms: written.map(|(ms, _)| ms),
        at_ns: written.map_or(0, |(_, ns)| ns),
        content: content(message),
        reply_to: reply_to(message),
        status: DeliveryStatus::read(&word),
        failure: failure(at(message, &["error"]), &word),
        platform,
    })
}

fn reply_to(message: &Value) -> Option<crate::RemoteMessageId> {
    let replied = at(message, &["replyTo"]);
    id(replied, "id")
        .or_else(|| id(message, "replyTo"))
        .map(Into::into)
}

/// Why a message failed, if its status says that it did: then always something.
pub(super) fn failure(error: &Value, status: &str) -> Option<DeliveryFailure> {
    if DeliveryStatus::read(status) != Some(DeliveryStatus::Failed) {
        return None;
    }
    let words = error::words(error).unwrap_or_default();
    let code = id(error, "code");
    let read = DeliveryFailure::read(ProviderName::MessageBird, code.as_deref(), &words);
    Some(read.unwrap_or_else(|| DeliveryFailure::Other {
        code: None,
        words: status.to_owned(),
    }))
}

/// Whether the file of a message is still on its way to MessageBird.
pub(super) fn is_waiting_for_media(message: &Value) -> bool {
    let waiting = text(message, "status").as_deref() == Some(PENDING_MEDIA);
    waiting && matches!(content(message), Content::Unsupported { .. })
}

/// A person: the platform's own name for them first, then what the address book knows.
pub(super) fn person(contact: &Value, address: Option<&str>, platform: &Platform) -> Sender {
    let own = address.and_then(|address| match platform {
        Platform::WhatsApp => Identity::whatsapp(address),
        Platform::Sms => {
            Identity::phone(address).or_else(|| Identity::of(IdentityKind::Other, address))
        }
        other => Identity::of(other.identity_kind(), address),
    });
    let contact_id = id(contact, "id");
    let number = id(contact, "msisdn").and_then(|number| Identity::phone(&number));
    let known = contact_id
        .as_deref()
        .and_then(|id| Identity::of(IdentityKind::Contact, id));
    let mut identities: Vec<Identity> = Vec::new();
    for identity in [own, number, known].into_iter().flatten() {
        if !identities.contains(&identity) {
            identities.push(identity);
        }
    }
    Sender {
        contact: contact_id.map(Into::into),
        identities,
        name: name(contact),
    }
}

/// The name of a contact. A display name that is only the number is no name.
fn name(contact: &Value) -> Option<String> {
    let full = [filled(contact, "firstName"), filled(contact, "lastName")];
    let full: Vec<String> = full.into_iter().flatten().collect();
    filled(contact, "displayName")
        .filter(|name| Identity::phone(name).is_none())
        .or_else(|| Some(full.join(" ")).filter(|name| !name.is_empty()))
        .map(|name| name.trim().to_owned())
}

/// What was said. What cannot be read is [`Content::Unsupported`], never nothing.
pub(super) fn content(message: &Value) -> Content {
    let kind = text(message, "type").unwrap_or_default();
    let content = at(message, &["content"]);
    let own = at(content, &[&kind]);
    let known = match kind.as_str() {
        "image" => media(MediaKind::Image, own),
        "video" => media(MediaKind::Video, own),
        "audio" => media(MediaKind::Audio, own),
        "file" => media(MediaKind::File, own),
        "whatsappSticker" => media(MediaKind::Sticker, own),
        "location" => location(own),
        "email" => email(own),
        "interactive" => choice(own),
        _ => None,
    };
    known
        .or_else(|| words(content, own).map(Content::Text))
        .unwrap_or(Content::Unsupported { kind })
}

/// The words of a text, and of the other types that are words.
fn words(content: &Value, own: &Value) -> Option<String> {
    let direct = |value: &Value| {
        ["text", "body"]
            .iter()
            .find_map(|key| filled(value, key).or_else(|| filled(at(value, &[key]), "body")))
    };
    own.as_str()
        .filter(|words| !words.trim().is_empty())
        .map(str::to_owned)
        .or_else(|| direct(content))
        .or_else(|| direct(own))
}

fn media(kind: MediaKind, own: &Value) -> Option<Content> {
    let address = ["url", "link"].iter().find_map(|key| filled(own, key))?;
    Some(Content::Media(Media {
        kind,
        at: MediaAt::Url(address),
        caption: filled(own, "caption"),
        file_name: ["fileName", "filename", "name"]
            .iter()
            .find_map(|key| filled(own, key)),
        mime_type: filled(own, "mimeType"),
        sha256: None,
    }))
}

fn location(own: &Value) -> Option<Content> {
    let degrees = |key| {
        let value = at(own, &[key]);
        value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())
    };
    Some(Content::Location(Location {
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
        name: filled(own, "name").or_else(|| filled(own, "label")),
        address: filled(own, "address"),
    }))
}

fn email(own: &Value) -> Option<Content> {
    let body = filled(at(own, &["content"]), "text");
    let parts: Vec<String> = [filled(own, "subject"), body]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| Content::Text(parts.join("\n\n")))
}

/// What was chosen from buttons or a list.
fn choice(own: &Value) -> Option<Content> {
    let replies = [
        "reply",
        "buttonReply",
        "listReply",
        "button_reply",
        "list_reply",
    ];
    replies
        .iter()
        .map(|key| at(own, &[key]))
        .find_map(|reply| filled(reply, "title").or_else(|| filled(reply, "text")))
        .map(Content::Text)
}

/// A message that MessageBird took: the answer of a send.
pub(super) fn sent(value: &Value) -> Option<Sent> {
    let status = text(value, "status").and_then(|s| DeliveryStatus::read(&s));
    Some(Sent {
        id: id(value, "id")?.into(),
        status: status.unwrap_or(DeliveryStatus::Accepted),
        conversation: id(value, "conversationId").map(Into::into),
    })
}

/// What was sent by beginning a conversation: the answer is the conversation, with its last message.
pub(super) fn started(value: &Value) -> Option<Sent> {
    let messages = at(value, &["messages"]);
    Some(Sent {
        id: id(messages, "lastMessageId")
            .or_else(|| id(value, "id"))?
            .into(),
        status: DeliveryStatus::Accepted,
        conversation: id(value, "id").map(Into::into),
    })
}

/// The channels that a conversation went by.
pub(super) fn channels(conversation: &Value) -> Vec<ChannelSeen> {
    let all = list(conversation, "channels").iter();
    all.filter_map(|channel| {
        Some(ChannelSeen {
            id: id(channel, "id")?.into(),
            name: filled(channel, "name"),
            platform: Platform::read(&text(channel, "platformId").unwrap_or_default()),
            active: text(channel, "status").as_deref() == Some(ACTIVE),
        })
    })
    .collect()
}

/// A conversation as it stands.
pub(super) fn conversation(value: &Value) -> Option<Conversation> {
    Some(Conversation {
        id: id(value, "id")?.into(),
        person: owner(value, at(value, &["contact"])),
        open: text(value, "status").as_deref() == Some(ACTIVE),
        last_channel: id(value, "lastUsedChannelId").map(Into::into),
        last_received_ms: instant(value, "lastReceivedDatetime"),
        updated_ms: instant(value, "updatedDatetime"),
    })
}

/// Whose a conversation is: its contact may be named by its id alone.
pub(super) fn owner(conversation: &Value, contact: &Value) -> Sender {
    let owner = person(contact, None, &Platform::Other(String::new()));
    let named = || id(conversation, "contactId").map(Into::into);
    Sender {
        contact: owner.contact.clone().or_else(named),
        ..owner
    }
}

/// A registered webhook.
pub(super) fn webhook(value: &Value) -> Option<RemoteWebhook> {
    Some(RemoteWebhook {
        id: id(value, "id")?.into(),
        url: filled(value, "url")?,
        channel: id(value, "channelId").map(Into::into),
        events: list(value, "events")
            .iter()
            .filter_map(|event| event.as_str().map(str::to_owned))
            .collect(),
        // Older answers have no status; such a webhook is on.
        enabled: text(value, "status").is_none_or(|status| status == "enabled"),
    })
}

/// One page of a list. A page without items is the end, whatever the counters say.
pub(super) fn listing<T>(
    value: &Value,
    asked_start: u64,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Listing<T>> {
    value.get("items")?.as_array()?;
    let raw = list(value, "items");
    let number = |key| at(value, &[key]).as_u64();
    let end = number("offset").unwrap_or(asked_start) + raw.len() as u64;
    let more = number("totalCount").is_some_and(|all| end < all);
    Some(Listing {
        items: raw.iter().filter_map(read).collect(),
        next: (more && !raw.is_empty() && end > asked_start).then_some(end),
    })
}
