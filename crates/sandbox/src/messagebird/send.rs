//! Sending: what is accepted, and how far a message then comes.

use serde_json::{Map, Value};

use crate::common::clock::now_ms;
use crate::phones::{Failure, State as Reach};

use super::config::{SMS, WHATSAPP};
use super::error::ApiError;
use super::model::{FAILED_TO_SEND, Message, NOT_ON_WHATSAPP, OUTSIDE_WINDOW, Status};
use super::state::{Done, Now, State, new_id};

/// Longest text of a WhatsApp message, in characters (Meta's limit).
const WHATSAPP_CHARS: usize = 4_096;
/// Longest text of an SMS, in characters: nine parts.
const SMS_CHARS: usize = 1_377;

/// Types that can be sent, each the key of its content.
const TYPES: [&str; 16] = [
    "text",
    "image",
    "video",
    "audio",
    "file",
    "location",
    "event",
    "rich",
    "menu",
    "buttons",
    "link",
    "hsm",
    "whatsappSticker",
    "interactive",
    "whatsappText",
    "email",
];

/// What a sender may add to a message and gets back with it.
const EXTRAS: [&str; 5] = ["source", "tag", "trackId", "eventType", "fallback"];

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    pub(super) kind: String,
    pub(super) content: Value,
    pub(super) extra: Map<String, Value>,
    pub(super) report_url: Option<String>,
    pub(super) by_api: bool,
}

impl Outbound {
    /// Text that an agent writes in MessageBird's own inbox.
    pub(super) fn by_hand(text: &str) -> Self {
        Self {
            kind: "text".to_owned(),
            content: serde_json::json!({ "text": text }),
            extra: Map::new(),
            report_url: None,
            by_api: false,
        }
    }

    /// Reads the body of a call.
    pub(super) fn read(body: &Value) -> Done<Self> {
        let kind = body["type"]
            .as_str()
            .ok_or_else(|| ApiError::missing("type"))?;
        if !TYPES.contains(&kind) {
            return Err(ApiError::invalid("type", "type is not supported"));
        }
        let content = &body["content"];
        let filled = match &content[kind] {
            Value::String(text) => !text.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Array(parts) => !parts.is_empty(),
            _ => false,
        };
        if !filled || (kind == "text" && !content[kind].is_string()) {
            return Err(ApiError::missing("content"));
        }
        let extra = EXTRAS
            .iter()
            .filter(|key| !body[**key].is_null())
            .map(|key| ((*key).to_owned(), body[*key].clone()))
            .collect();
        Ok(Self {
            kind: kind.to_owned(),
            content: content.clone(),
            extra,
            report_url: body["reportUrl"].as_str().map(str::to_owned),
            by_api: true,
        })
    }
}

impl State {
    /// Answers in a conversation; the channel used last unless another is named. An archived
    /// conversation gets no message: the contact's active one does, or a new one.
    pub(super) fn reply(
        &mut self,
        conversation: &str,
        channel: Option<&str>,
        outbound: Outbound,
        now: Now,
    ) -> Done<String> {
        let found = self.conversation(conversation)?;
        let (contact, last) = (found.contact.clone(), found.last_channel.clone());
        let channel = channel.map_or(last, str::to_owned);
        let phone = self.address(&contact, conversation, &channel)?;
        let target = if found_active(self, conversation) {
            conversation.to_owned()
        } else {
            self.active_of(&contact, &channel, now)
        };
        self.send(&target, &channel, &phone, outbound, now)
    }

    /// Sends to a number or a contact id, in the active conversation or a new one.
    pub(super) fn start(
        &mut self,
        to: &str,
        channel: &str,
        outbound: Outbound,
        now: Now,
    ) -> Done<String> {
        if self.channel(channel).is_none() {
            return Err(ApiError::not_found("channel"));
        }
        let (contact, phone) = if let Some(contact) = self.contacts.get(to) {
            let phone = contact.phones.first().cloned();
            (to.to_owned(), phone.ok_or_else(|| ApiError::missing("to"))?)
        } else {
            let digits = to.trim_start_matches('+');
            if digits.is_empty() || digits.bytes().any(|byte| !byte.is_ascii_digit()) {
                return Err(ApiError::missing("to"));
            }
            let phone = format!("+{digits}");
            (self.contact_of(&phone, now), phone)
        };
        let conversation = self.active_of(&contact, channel, now);
        self.send(&conversation, channel, &phone, outbound, now)
    }

    /// The contact's phone on a channel: the one used there last, or the first.
    fn address(&self, contact: &str, conversation: &str, channel: &str) -> Done<String> {
        if self.channel(channel).is_none() {
            return Err(ApiError::not_found("channel"));
        }
        let messages = &self.conversation(conversation)?.messages;
        let used = messages
            .iter()
            .rev()
            .map(|at| &self.messages[*at])
            .find(|message| message.channel == channel)
            .map(|message| message.phone.clone());
        used.or_else(|| self.contacts.get(contact)?.phones.first().cloned())
            .ok_or_else(|| ApiError::not_found("contact"))
    }

    fn send(
        &mut self,
        conversation: &str,
        channel: &str,
        phone: &str,
        outbound: Outbound,
        now: Now,
    ) -> Done<String> {
        let platform = self
            .channel(channel)
            .map(|channel| channel.platform.clone())
            .ok_or_else(|| ApiError::not_found("channel"))?;
        let created_ns = self.moment_ns(now.ms);
        let message = Message {
            id: new_id(),
            conversation: conversation.to_owned(),
            channel: channel.to_owned(),
            platform,
            phone: phone.to_owned(),
            sent: true,
            by_api: outbound.by_api,
            kind: outbound.kind,
            filled: self.filled(&outbound.content["hsm"]),
            content: outbound.content,
            extra: outbound.extra,
            report_url: outbound.report_url,
            state: Reach::Pending,
            failure: None,
            created_ns,
            updated_ns: created_ns,
            wall_ms: now_ms(),
        };
        let failure = self.judge(&message, now);
        let id = message.id.clone();
        let reach = self.handset(phone).habit.reach;
        let at = self.messages.len();
        self.enter(message, now);
        match failure {
            // Accepted all the same: a failure is known only later, by status.
            Some(failure) => self.advance(at, Reach::Failed, Some(failure), now),
            None => {
                for state in Reach::Pending.until(reach) {
                    self.advance(at, state, None, now);
                }
            }
        }
        Ok(id)
    }

    /// The text of a template that is named by a message.
    fn filled(&self, hsm: &Value) -> Option<String> {
        let name = hsm["templateName"].as_str()?;
        let language = hsm["language"]["code"].as_str()?;
        let mut known = self.config.templates.iter();
        let template =
            known.find(|template| template.name == name && template.language == language)?;
        let own = hsm["params"].as_array().into_iter().flatten();
        let components = hsm["components"].as_array().into_iter().flatten();
        let body = components
            .filter(|component| component["type"] == "body")
            .flat_map(|component| component["parameters"].as_array().into_iter().flatten());
        let parameters: Vec<&str> = own
            .filter_map(|parameter| parameter["default"].as_str())
            .chain(body.filter_map(|parameter| parameter["text"].as_str()))
            .collect();
        Some(template.fill(&parameters))
    }

    /// Why a message will not arrive, if it will not.
    fn judge(&mut self, message: &Message, now: Now) -> Option<Failure> {
        let habit = self.handset(&message.phone).habit.clone();
        let whatsapp = message.platform == WHATSAPP;
        let open = self
            .window
            .is_open(&message.channel, &message.phone, now.ms);
        let letters = message.text().map_or(0, |text| text.chars().count());
        let limit = match message.platform.as_str() {
            WHATSAPP => WHATSAPP_CHARS,
            SMS => SMS_CHARS,
            _ => usize::MAX,
        };
        if let Some(failure) = habit.fails {
            return Some(failure);
        }
        if whatsapp && !habit.on_whatsapp {
            let words = "The contact is not registered on WhatsApp.";
            return Some(Failure::new(NOT_ON_WHATSAPP, words));
        }
        if whatsapp && !open && message.kind != "hsm" {
            let words = "Failed to send message because you are outside the support window for \
                         freeform messages to this user. For more information visit: \
                         https://developers.messagebird.com/docs/conversations";
            return Some(Failure::new(OUTSIDE_WINDOW, words));
        }
        // How the real one words an unknown template or a text that is too long is not known.
        if message.kind == "hsm" && message.filled.is_none() {
            let words = "Failed to send: the template does not exist in this language.";
            return Some(Failure::new(FAILED_TO_SEND, words));
        }
        if letters > limit {
            let words = format!("Failed to send: the text is longer than {limit} characters.");
            return Some(Failure::new(FAILED_TO_SEND, &words));
        }
        let unknown = message.media_url().is_some_and(|url| {
            url.strip_prefix(&self.base)
                .and_then(|path| path.rsplit('/').next())
                .is_some_and(|id| !self.files.contains_key(id))
        });
        unknown.then(|| Failure::new(FAILED_TO_SEND, "Failed to send: the media was not found."))
    }

    /// Moves a sent message on. It never steps back, and what failed stays so.
    pub(super) fn advance(&mut self, at: usize, to: Reach, failure: Option<Failure>, now: Now) {
        let updated_ns = self.moment_ns(now.ms);
        let message = &mut self.messages[at];
        if !message.sent || message.state >= to {
            return;
        }
        message.state = to;
        message.failure = failure;
        message.updated_ns = updated_ns;
        self.tell_message("message.updated", at);
        self.report(at);
    }
}

fn found_active(state: &State, conversation: &str) -> bool {
    state
        .conversations
        .get(conversation)
        .is_some_and(|found| found.status == Status::Active)
}
