//! Webhooks from WhatsApp.
//!
//! One call may hold many entries, changes and messages, at least once and in no order.
//! Timestamps are strings of seconds, and have been seen in milliseconds. Since 2026 a person may
//! have no phone number but a user id of the form `CC.…`, which stands in a field of its own or
//! where the number was. Source: Meta, "Webhooks: messages", and recorded payloads.

use bowline_net::json::{at, filled, id, int, list, text};
use bowline_net::{hex, json};
use serde_json::Value;

use super::error;
use crate::capabilities::Platform;
use crate::event::{
    ContactChange, Content, Location, Media, MediaAt, MediaKind, Message, ProviderEvent, Sender,
    StatusReport, UnknownEvent,
};
use crate::failure::DeliveryFailure;
use crate::ids::{ChannelId, Identity, IdentityKind};
use crate::provider::{ParseError, ProviderName};
use crate::status::DeliveryStatus;

/// What every webhook of a WhatsApp account says it is about.
const OBJECT: &str = "whatsapp_business_account";
/// Above this, a timestamp is in milliseconds: as seconds it would lie in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Reads one delivery.
pub(super) fn parse(raw: &[u8]) -> Result<Vec<ProviderEvent>, ParseError> {
    let value: Value = serde_json::from_slice(raw).map_err(|_| ParseError::NotJson)?;
    let unknown = |words: &str| ParseError::UnknownShape(words.to_owned());
    if text(&value, "object").as_deref() != Some(OBJECT) {
        return Err(unknown("it is not about a WhatsApp account"));
    }
    if !at(&value, &["entry"]).is_array() {
        return Err(unknown("there are no entries"));
    }
    let changes = list(&value, "entry")
        .iter()
        .flat_map(|entry| list(entry, "changes"));
    Ok(changes.flat_map(change).collect())
}

fn unknown(why: impl Into<String>, raw: &Value) -> ProviderEvent {
    ProviderEvent::Unknown(UnknownEvent {
        why: why.into(),
        raw: raw.clone(),
    })
}

fn change(change: &Value) -> Vec<ProviderEvent> {
    let field = text(change, "field").unwrap_or_default();
    let value = at(change, &["value"]);
    let Some(channel) = id(at(value, &["metadata"]), "phone_number_id") else {
        return vec![unknown(
            format!("\"{field}\" names no phone number of ours"),
            change,
        )];
    };
    let channel = ChannelId::new(channel);
    let events: Vec<ProviderEvent> = match field.as_str() {
        "messages" => messages(value, &channel),
        // What was written in the WhatsApp app on the business's own phone.
        "smb_message_echoes" => list(value, "message_echoes")
            .iter()
            .map(|message| echo(message, &channel))
            .collect(),
        _ => Vec::new(),
    };
    if events.is_empty() {
        return vec![unknown(format!("nothing is made of \"{field}\""), change)];
    }
    events
}

fn messages(value: &Value, channel: &ChannelId) -> Vec<ProviderEvent> {
    let contacts = list(value, "contacts");
    let inbound = list(value, "messages")
        .iter()
        .map(|message| inbound(message, contacts, channel));
    let statuses = list(value, "statuses")
        .iter()
        .map(|report| status(report, channel));
    let errors = list(value, "errors").iter().map(|error| {
        let words = error::words(error).unwrap_or_default();
        unknown(format!("WhatsApp reports a fault: {words}"), error)
    });
    inbound.chain(statuses).chain(errors).collect()
}

fn inbound(raw: &Value, contacts: &[Value], channel: &ChannelId) -> ProviderEvent {
    let person = person(raw, contacts);
    if text(raw, "type").as_deref() == Some("system") {
        return system(raw, person, channel);
    }
    if person.identities.is_empty() {
        return unknown("a message that names no sender", raw);
    }
    match message(raw, person, channel) {
        Some(message) => ProviderEvent::Inbound(message),
        None => unknown("a message without an id", raw),
    }
}

fn echo(raw: &Value, channel: &ChannelId) -> ProviderEvent {
    let address = ["to", "to_user_id"].iter().find_map(|key| id(raw, key));
    let person = Sender {
        identities: address
            .as_deref()
            .and_then(Identity::whatsapp)
            .into_iter()
            .collect(),
        ..Sender::default()
    };
    match message(raw, person, channel) {
        Some(message) => ProviderEvent::EchoOut(message),
        None => unknown("an echo without an id", raw),
    }
}

fn message(raw: &Value, person: Sender, channel: &ChannelId) -> Option<Message> {
    Some(Message {
        id: id(raw, "id")?.into(),
        channel: channel.clone(),
        platform: Platform::WhatsApp,
        conversation: None,
        person,
        at_ms: instant(raw),
        at_ns: 0,
        content: content(raw),
        reply_to: id(at(raw, &["context"]), "id").map(Into::into),
        status: None,
        failure: None,
    })
}

fn instant(value: &Value) -> Option<i64> {
    let stamp = int(value, "timestamp").filter(|stamp| *stamp > 0)?;
    if stamp >= FIRST_MILLISECONDS {
        Some(stamp)
    } else {
        Some(stamp * 1000)
    }
}

/// The sender with every identity that the payload gives: phone number first.
fn person(raw: &Value, contacts: &[Value]) -> Sender {
    let from = id(raw, "from");
    let user = id(raw, "from_user_id");
    let is_theirs = |contact: &&Value| {
        let number = id(contact, "wa_id");
        let contact_user = id(contact, "user_id");
        (from.is_some() && (number == from || contact_user == from))
            || (user.is_some() && contact_user == user)
    };
    let contact = contacts
        .iter()
        .find(is_theirs)
        // A lone contact that names nobody else belongs to the message.
        .or_else(|| {
            contacts
                .first()
                .filter(|c| contacts.len() == 1 && names_nobody(c))
        });
    let contact = contact.unwrap_or(&Value::Null);
    let found = [
        from.as_deref().and_then(Identity::whatsapp),
        id(contact, "wa_id").as_deref().and_then(Identity::whatsapp),
        user.as_deref().and_then(user_id),
        id(contact, "user_id").as_deref().and_then(user_id),
    ];
    let mut identities: Vec<Identity> = Vec::new();
    for identity in found.into_iter().flatten() {
        if !identities.contains(&identity) {
            identities.push(identity);
        }
    }
    identities.sort_by_key(|identity| identity.kind != IdentityKind::Phone);
    Sender {
        contact: None,
        identities,
        name: filled(at(contact, &["profile"]), "name"),
    }
}

fn names_nobody(contact: &Value) -> bool {
    id(contact, "wa_id").is_none() && id(contact, "user_id").is_none()
}

fn user_id(text: &str) -> Option<Identity> {
    Identity::of(IdentityKind::WhatsAppUser, text)
}

/// News of the person: a new number or a new user id is one more identity of the same person.
fn system(raw: &Value, person: Sender, channel: &ChannelId) -> ProviderEvent {
    let system = at(raw, &["system"]);
    let mut added: Vec<Identity> = Vec::new();
    for key in ["wa_id", "new_wa_id"] {
        added.extend(id(system, key).as_deref().and_then(Identity::whatsapp));
    }
    for key in ["user_id", "new_user_id"] {
        added.extend(id(system, key).as_deref().and_then(user_id));
    }
    added.retain(|identity| !person.identities.contains(identity));
    if added.is_empty() || person.identities.is_empty() {
        let kind = text(system, "type").unwrap_or_default();
        return unknown(
            format!("WhatsApp's notice \"{kind}\" changes nothing here"),
            raw,
        );
    }
    ProviderEvent::ContactChanged(ContactChange {
        channel: Some(channel.clone()),
        conversation: None,
        person,
        added,
    })
}

fn status(report: &Value, channel: &ChannelId) -> ProviderEvent {
    let word = text(report, "status").unwrap_or_default();
    let Some(message) = id(report, "id") else {
        return unknown("a status without the id of a message", report);
    };
    let Some(status) = DeliveryStatus::read(&word) else {
        return unknown(
            format!("the status \"{word}\" says nothing about delivery"),
            report,
        );
    };
    let failed = status == DeliveryStatus::Failed;
    ProviderEvent::Status(StatusReport {
        message: message.into(),
        channel: Some(channel.clone()),
        conversation: None,
        status,
        failure: failed.then(|| failure(report)),
        at_ms: instant(report),
    })
}

fn failure(report: &Value) -> DeliveryFailure {
    let first = list(report, "errors").first().unwrap_or(&Value::Null);
    let words = error::words(first).unwrap_or_default();
    let code = id(first, "code");
    let read = DeliveryFailure::read(ProviderName::WhatsApp, code.as_deref(), &words);
    read.unwrap_or_else(|| DeliveryFailure::Other {
        code: None,
        words: String::new(),
    })
}

/// What was said. What cannot be read is [`Content::Unsupported`], never nothing.
fn content(raw: &Value) -> Content {
    let kind = text(raw, "type").unwrap_or_default();
    let own = at(raw, &[&kind]);
    let known = match kind.as_str() {
        "text" => filled(own, "body").map(Content::Text),
        "image" => media(MediaKind::Image, own),
        "video" => media(MediaKind::Video, own),
        "audio" | "voice" => media(MediaKind::Audio, own),
        "document" => media(MediaKind::File, own),
        "sticker" => media(MediaKind::Sticker, own),
        "location" => location(own),
        "reaction" => id(own, "message_id").map(|to| Content::Reaction {
            emoji: filled(own, "emoji"),
            to: to.into(),
        }),
        "contacts" => contacts(list(raw, "contacts")),
        "button" => filled(own, "text").map(Content::Text),
        "interactive" => choice(own),
        "order" => order(own),
        _ => None,
    };
    known.unwrap_or(Content::Unsupported { kind })
}

fn media(kind: MediaKind, own: &Value) -> Option<Content> {
    let at = match (id(own, "id"), filled(own, "link")) {
        (Some(id), _) => MediaAt::Id(id),
        (None, Some(link)) => MediaAt::Url(link),
        (None, None) => return None,
    };
    Some(Content::Media(Media {
        kind,
        at,
        caption: filled(own, "caption"),
        file_name: filled(own, "filename"),
        mime_type: filled(own, "mime_type")
            .and_then(|kind| Some(kind.split(';').next()?.trim().to_ascii_lowercase())),
        sha256: text(own, "sha256").as_deref().and_then(sha256),
    }))
}

/// A SHA-256 in hexadecimal digits; webhooks write base64, the media call hexadecimal.
fn sha256(text: &str) -> Option<String> {
    use base64::Engine as _;
    let text = text.trim();
    let bytes = hex::decode(text)
        .filter(|bytes| bytes.len() == 32)
        .or_else(|| base64::engine::general_purpose::STANDARD.decode(text).ok())?;
    (bytes.len() == 32).then(|| hex::encode(&bytes))
}

fn location(own: &Value) -> Option<Content> {
    let degrees = |key| {
        let value = json::at(own, &[key]);
        value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())
    };
    Some(Content::Location(Location {
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
        name: filled(own, "name"),
        address: filled(own, "address"),
    }))
}

/// Address cards, each as name and numbers in one line.
fn contacts(cards: &[Value]) -> Option<Content> {
    let lines: Vec<String> = cards.iter().filter_map(card).collect();
    (!lines.is_empty()).then_some(Content::Contacts(lines))
}

fn card(card: &Value) -> Option<String> {
    let name = at(card, &["name"]);
    let name = filled(name, "formatted_name").or_else(|| filled(name, "first_name"));
    let values = |list_key, key| {
        let items = list(card, list_key).iter();
        items
            .filter_map(|item| filled(item, key))
            .collect::<Vec<_>>()
    };
    let reached = [values("phones", "phone"), values("emails", "email")].concat();
    let parts: Vec<String> = name.into_iter().chain(reached).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What was chosen from buttons or a list, or filled into a form.
fn choice(own: &Value) -> Option<Content> {
    ["button_reply", "list_reply"]
        .iter()
        .map(|key| at(own, &[key]))
        .find_map(|reply| filled(reply, "title"))
        .or_else(|| filled(at(own, &["nfm_reply"]), "body"))
        .map(Content::Text)
}

/// An order from a catalogue: its text, and one line for each product.
fn order(own: &Value) -> Option<Content> {
    let products = list(own, "product_items").iter().filter_map(|item| {
        let name = id(item, "product_retailer_id")?;
        Some(format!("{} x {name}", int(item, "quantity").unwrap_or(1)))
    });
    let lines: Vec<String> = filled(own, "text").into_iter().chain(products).collect();
    (!lines.is_empty()).then(|| Content::Text(lines.join("\n")))
}
