//! How things look in JSON, in answers and in webhooks.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::phones::State as Reach;

use super::config::Channel;
use super::model::{Contact, Conversation, Hook, Message};
use super::state::State;

/// What stands for "never" in webhooks.
const ZERO: &str = "0001-01-01T00:00:00Z";

/// Nanoseconds of a millisecond.
pub(super) const NS_PER_MS: i128 = 1_000_000;

pub(super) fn stamp_ns(ns: i128) -> String {
    Timestamp::from_nanosecond(ns)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

fn stamp(ms: i64) -> String {
    stamp_ns(i128::from(ms) * NS_PER_MS)
}

impl State {
    /// A contact, in an answer or in a webhook: only the latter writes "never" as the year 1.
    pub(super) fn show_contact(&self, contact: &Contact, webhook: bool) -> Value {
        let number = contact
            .phones
            .iter()
            .find_map(|phone| phone.strip_prefix('+')?.parse::<u64>().ok());
        let updated = match (contact.updated_ms, webhook) {
            (Some(at), _) => stamp(at).into(),
            (None, true) => ZERO.into(),
            (None, false) => Value::Null,
        };
        json!({
            "id": contact.id,
            "href": if webhook { String::new() } else { format!("{}/1/contacts/{}", self.base, contact.id) },
            // A number, and 0 where there is none: WhatsApp users may come without one.
            "msisdn": number.unwrap_or(0),
            "displayName": contact.name,
            "firstName": if webhook { "" } else { contact.name.split(' ').next().unwrap_or_default() },
            "lastName": if webhook { "" } else { contact.name.split_once(' ').map_or("", |name| name.1) },
            "customDetails": if webhook { json!([]) } else { json!({}) },
            "attributes": {},
            "createdDatetime": stamp(contact.created_ms),
            "updatedDatetime": updated,
        })
    }

    fn show_channel(&self, channel: &Channel) -> Value {
        let made = stamp(self.made_ms);
        json!({
            "id": channel.id, "name": channel.name, "platformId": channel.platform,
            "status": channel.status, "createdDatetime": made, "updatedDatetime": made,
        })
    }

    /// The conversation of a webhook or of PATCH: without contact and channels.
    pub(super) fn show_bare(&self, conversation: &Conversation, webhook: bool) -> Value {
        let count = if webhook {
            0
        } else {
            conversation.messages.len()
        };
        let mut messages = json!({
            "totalCount": count,
            "href": format!("{}/v1/conversations/{}/messages", self.base, conversation.id),
        });
        let last = conversation.messages.last();
        if let (false, Some(last)) = (webhook, last) {
            messages["lastMessageId"] = self.messages[*last].id.clone().into();
        }
        json!({
            "id": conversation.id,
            "contactId": conversation.contact,
            "status": conversation.status.name(),
            "createdDatetime": stamp(conversation.created_ms),
            "updatedDatetime": stamp(conversation.updated_ms),
            "lastReceivedDatetime": stamp(conversation.last_received_ms),
            "lastUsedChannelId": conversation.last_channel,
            "messages": messages,
        })
    }

    pub(super) fn show_conversation(&self, conversation: &Conversation) -> Value {
        let mut shown = self.show_bare(conversation, false);
        if !self.hides_contacts
            && let Some(contact) = self.contacts.get(&conversation.contact)
        {
            shown["contact"] = self.show_contact(contact, false);
        }
        shown["channels"] = self
            .channels
            .iter()
            .filter(|channel| conversation.channels.contains(&channel.id))
            .map(|channel| self.show_channel(channel))
            .collect();
        shown
    }

    pub(super) fn show_message(&self, message: &Message) -> Value {
        let own = self
            .channel(&message.channel)
            .map(|channel| channel.address.clone())
            .unwrap_or_default();
        let (to, from) = if message.sent {
            (message.phone.clone(), own)
        } else {
            (own, message.phone.clone())
        };
        let created = if self.config.whole_seconds {
            message.created_ns - message.created_ns.rem_euclid(1_000 * NS_PER_MS)
        } else {
            message.created_ns
        };
        let mut shown = json!({
            "id": message.id,
            "conversationId": message.conversation,
            "platform": message.platform,
            "to": to,
            "from": from,
            "channelId": message.channel,
            "type": message.kind,
            "content": message.content,
            "direction": if message.sent { "sent" } else { "received" },
            "status": if message.sent { message.state.name() } else { "received" },
            "createdDatetime": stamp_ns(created),
            "updatedDatetime": stamp_ns(message.updated_ns),
        });
        for (key, value) in &message.extra {
            shown[key] = value.clone();
        }
        if let (Reach::Failed, Some(failure)) = (message.state, &message.failure) {
            shown["error"] = json!({ "code": failure.code, "description": failure.description });
        }
        shown
    }
}

pub(super) fn show_hook(hook: &Hook) -> Value {
    let mut shown = json!({
        "id": hook.id,
        "url": hook.url,
        "channelId": hook.channel,
        "events": hook.events,
        "status": if hook.enabled { "enabled" } else { "disabled" },
        "createdDatetime": stamp(hook.created_ms),
        "updatedDatetime": hook.updated_ms.map(stamp),
    });
    if !hook.settings.is_null() {
        shown["settings"] = hook.settings.clone();
    }
    shown
}
