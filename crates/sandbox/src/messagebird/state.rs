//! The memory of an account, and what people and teammates do to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::common::Delivery;
use crate::common::clock::now_ms;
use crate::common::sign::random_uuid;
use crate::phones::{Habit, Inbound, Media, State as Reach, Window};

use super::config::{Channel, Config, WHATSAPP};
use super::error::ApiError;
use super::model::{Contact, Conversation, File, Hook, Message, Status};
use super::view::NS_PER_MS;

/// The outcome of something that was tried.
pub(super) type Done<T> = Result<T, ApiError>;

/// The moment something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) ms: i64,
}

/// A person with a phone.
#[derive(Clone, Debug)]
pub(super) struct Handset {
    pub(super) name: String,
    pub(super) habit: Habit,
}

/// Everything the account remembers.
pub(crate) struct State {
    pub(super) config: Arc<Config>,
    pub(super) base: String,
    pub(super) made_ms: i64,
    pub(super) access_key: Option<String>,
    pub(super) channels: Vec<Channel>,
    pub(super) contacts: BTreeMap<String, Contact>,
    pub(super) by_phone: HashMap<String, String>,
    pub(super) conversations: HashMap<String, Conversation>,
    /// Conversation ids in the order they were made.
    pub(super) order: Vec<String>,
    pub(super) active: HashMap<String, String>,
    pub(super) messages: Vec<Message>,
    pub(super) by_id: HashMap<String, usize>,
    pub(super) hooks: Vec<Hook>,
    pub(super) files: HashMap<String, File>,
    pub(super) handsets: HashMap<String, Handset>,
    pub(super) phones: Vec<String>,
    pub(super) window: Window,
    pub(super) outbox: Vec<Delivery>,
    /// Conversations are shown without their contact, as in older samples.
    pub(super) hides_contacts: bool,
    last_ns: i128,
}

/// A new id: 32 hexadecimal digits.
pub(super) fn new_id() -> String {
    random_uuid().replace('-', "")
}

impl State {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self {
            base: String::new(),
            made_ms: now_ms(),
            access_key: Some(config.access_key.clone()),
            channels: config.channels.clone(),
            contacts: BTreeMap::new(),
            by_phone: HashMap::new(),
            conversations: HashMap::new(),
            order: Vec::new(),
            active: HashMap::new(),
            messages: Vec::new(),
            by_id: HashMap::new(),
            hooks: Vec::new(),
            files: HashMap::new(),
            handsets: HashMap::new(),
            phones: Vec::new(),
            window: Window::default(),
            outbox: Vec::new(),
            hides_contacts: false,
            last_ns: 0,
            config,
        }
    }

    pub(super) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    pub(super) fn conversation(&self, id: &str) -> Done<&Conversation> {
        self.conversations
            .get(id)
            .ok_or_else(|| ApiError::not_found("conversation"))
    }

    fn conversation_mut(&mut self, id: &str) -> Done<&mut Conversation> {
        self.conversations
            .get_mut(id)
            .ok_or_else(|| ApiError::not_found("conversation"))
    }

    pub(super) fn message(&self, id: &str) -> Done<&Message> {
        self.by_id
            .get(id)
            .map(|at| &self.messages[*at])
            .ok_or_else(|| ApiError::not_found("message"))
    }

    /// A person, made known on first sight.
    pub(super) fn handset(&mut self, phone: &str) -> &mut Handset {
        if !self.handsets.contains_key(phone) {
            self.phones.push(phone.to_owned());
        }
        self.handsets
            .entry(phone.to_owned())
            .or_insert_with(|| Handset {
                name: phone.trim_start_matches('+').to_owned(),
                habit: Habit::default(),
            })
    }

    /// The contact of a phone, made if there is none.
    pub(super) fn contact_of(&mut self, phone: &str, now: Now) -> String {
        if let Some(id) = self.by_phone.get(phone) {
            return id.clone();
        }
        let contact = Contact {
            id: new_id(),
            name: self.handset(phone).name.clone(),
            phones: vec![phone.to_owned()],
            created_ms: now.ms,
            updated_ms: None,
        };
        let id = contact.id.clone();
        self.by_phone.insert(phone.to_owned(), id.clone());
        self.contacts.insert(id.clone(), contact);
        id
    }

    /// The contact's active conversation, made if there is none.
    pub(super) fn active_of(&mut self, contact: &str, channel: &str, now: Now) -> String {
        if let Some(id) = self.active.get(contact) {
            return id.clone();
        }
        let conversation = Conversation {
            id: new_id(),
            contact: contact.to_owned(),
            status: Status::Active,
            created_ms: now.ms,
            updated_ms: now.ms,
            last_received_ms: now.ms,
            last_channel: channel.to_owned(),
            channels: BTreeSet::new(),
            messages: Vec::new(),
        };
        let id = conversation.id.clone();
        self.order.push(id.clone());
        self.active.insert(contact.to_owned(), id.clone());
        self.conversations.insert(id.clone(), conversation);
        self.tell_conversation("conversation.created", &id, channel);
        id
    }

    /// A moment in nanoseconds that no other message has.
    pub(super) fn moment_ns(&mut self, ms: i64) -> i128 {
        self.last_ns = (self.last_ns + 1) % NS_PER_MS;
        i128::from(ms) * NS_PER_MS + self.last_ns
    }

    /// Enters a message into its conversation.
    pub(super) fn enter(&mut self, message: Message, now: Now) {
        let (at, id) = (self.messages.len(), message.id.clone());
        if let Some(conversation) = self.conversations.get_mut(&message.conversation) {
            conversation.messages.push(at);
            conversation.channels.insert(message.channel.clone());
            conversation.last_channel.clone_from(&message.channel);
            conversation.updated_ms = now.ms;
            conversation.last_received_ms = now.ms;
        }
        self.by_id.insert(id, at);
        self.messages.push(message);
        self.tell_message("message.created", at);
    }

    /// A person sends something. `at_ms` is the message's own time, if it is not now.
    pub(super) fn receive(
        &mut self,
        (phone, platform): (&str, &str),
        inbound: Inbound,
        at_ms: Option<i64>,
        now: Now,
    ) -> Done<String> {
        let channel = self
            .channels
            .iter()
            .find(|channel| channel.platform == platform)
            .map(|channel| channel.id.clone())
            .ok_or_else(|| ApiError::not_found("channel"))?;
        self.handset(phone);
        let contact = self.contact_of(phone, now);
        let conversation = self.active_of(&contact, &channel, now);
        let (kind, content) = self.content(inbound, now);
        let made = at_ms.unwrap_or(now.ms);
        if platform == WHATSAPP {
            self.window.opened(&channel, phone, made);
        }
        let created_ns = self.moment_ns(made);
        let message = Message {
            id: new_id(),
            conversation,
            channel,
            platform: platform.to_owned(),
            phone: phone.to_owned(),
            sent: false,
            by_api: false,
            kind,
            content,
            filled: None,
            extra: serde_json::Map::new(),
            report_url: None,
            state: Reach::Delivered,
            failure: None,
            created_ns,
            updated_ns: created_ns,
            wall_ms: now_ms(),
        };
        let id = message.id.clone();
        self.enter(message, now);
        Ok(id)
    }

    fn content(&mut self, inbound: Inbound, now: Now) -> (String, Value) {
        match inbound {
            Inbound::Text(text) => ("text".to_owned(), json!({ "text": text })),
            Inbound::Location {
                latitude,
                longitude,
            } => (
                "location".to_owned(),
                json!({ "location": { "latitude": latitude, "longitude": longitude } }),
            ),
            Inbound::Other { kind, content } => (kind, content),
            Inbound::Media(media) => {
                let id = self.keep(&media, now);
                let mut shown = json!({ "url": format!("{}/v1/media/{id}", self.base) });
                if let Some(caption) = &media.caption {
                    shown["caption"] = caption.clone().into();
                }
                let content = json!({ media.kind.as_str(): shown });
                (media.kind, content)
            }
        }
    }

    fn keep(&mut self, media: &Media, now: Now) -> String {
        let id = random_uuid();
        let file = File {
            name: media.name.clone(),
            mime_type: media.mime_type.clone(),
            content: media.content.clone(),
            until_ms: now.ms + self.config.media_lifetime_ms,
        };
        self.files.insert(id.clone(), file);
        id
    }

    /// Archives a conversation or makes it active again. Nothing happens if it is so already.
    pub(super) fn set_status(&mut self, id: &str, status: Status, now: Now) -> Done<()> {
        let conversation = self.conversation(id)?;
        let contact = conversation.contact.clone();
        if conversation.status == status {
            return Ok(());
        }
        let other = self.active.get(&contact).is_some_and(|other| other != id);
        if status == Status::Active && other {
            // What the real one says is not known; it has at most one active conversation.
            return Err(ApiError::bad_request(
                "the contact has another active conversation",
            ));
        }
        let conversation = self.conversation_mut(id)?;
        conversation.status = status;
        conversation.updated_ms = now.ms;
        let channel = conversation.last_channel.clone();
        match status {
            Status::Active => self.active.insert(contact, id.to_owned()),
            Status::Archived => self.active.remove(&contact),
        };
        self.tell_conversation("conversation.updated", id, &channel);
        Ok(())
    }

    /// Merges a contact into another: phones and conversations move over, and of two active
    /// conversations the younger is archived.
    pub(super) fn merge(&mut self, from: &str, into: &str, now: Now) -> Done<()> {
        let missing = || ApiError::not_found("contact");
        if from == into || !self.contacts.contains_key(into) {
            return Err(missing());
        }
        let gone = self.contacts.remove(from).ok_or_else(missing)?;
        if let (Some(first), Some(second)) = (
            self.active.get(from).cloned(),
            self.active.get(into).cloned(),
        ) {
            let age = |id: &String| self.order.iter().position(|known| known == id);
            let younger = if age(&first) > age(&second) {
                first
            } else {
                second
            };
            self.set_status(&younger, Status::Archived, now)?;
        }
        if let Some(active) = self.active.remove(from) {
            self.active.insert(into.to_owned(), active);
        }
        for phone in &gone.phones {
            self.by_phone.insert(phone.clone(), into.to_owned());
        }
        if let Some(contact) = self.contacts.get_mut(into) {
            contact.phones.extend(gone.phones);
            contact.updated_ms = Some(now.ms);
        }
        let moved: Vec<(String, String)> = self
            .conversations
            .values_mut()
            .filter(|conversation| conversation.contact == from)
            .map(|conversation| {
                into.clone_into(&mut conversation.contact);
                conversation.updated_ms = now.ms;
                (conversation.id.clone(), conversation.last_channel.clone())
            })
            .collect();
        for (id, channel) in moved {
            self.tell_conversation("conversation.updated", &id, &channel);
        }
        Ok(())
    }
}
