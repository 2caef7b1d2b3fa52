//! The memory of a business account.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::common::Delivery;
use crate::common::clock::now_ms;
use crate::common::sign::{random_uuid, sha256_base64};
use crate::phones::{Failure, Habit, Inbound, Line, State as Reach, Window};

use super::config::{Config, MEDIA, OUTSIDE_WINDOW, UNDELIVERABLE};

/// A user with a phone.
#[derive(Clone, Debug)]
pub(super) struct Handset {
    pub(super) name: String,
    pub(super) habit: Habit,
    /// The user id that belongs to the business alone.
    pub(super) user_id: String,
}

/// A file that a user sent or that was uploaded.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) mime_type: String,
    pub(super) content: bytes::Bytes,
    /// Until when the address given out last is good, in milliseconds.
    pub(super) address_until_ms: i64,
}

/// Everything the account remembers.
pub(crate) struct State {
    pub(super) config: Arc<Config>,
    pub(super) base: String,
    pub(super) token: Option<String>,
    pub(super) callback: Option<String>,
    pub(super) handsets: HashMap<String, Handset>,
    pub(super) phones: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) by_id: HashMap<String, usize>,
    pub(super) files: HashMap<String, File>,
    pub(super) window: Window,
    /// Messages and states that are not told yet.
    pub(super) news: VecDeque<News>,
    pub(super) outbox: Vec<Delivery>,
    last_file: u64,
}

/// Something to tell the webhook.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// A message and the contact who sent it.
    Message(Value, Value),
    /// A state of a sent message.
    Status(Value),
}

/// A number without the plus sign, as the platform writes it.
pub(super) fn bare(phone: &str) -> &str {
    phone.trim_start_matches('+')
}

impl State {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self {
            base: String::new(),
            token: Some(config.token.clone()),
            callback: None,
            handsets: HashMap::new(),
            phones: Vec::new(),
            lines: Vec::new(),
            by_id: HashMap::new(),
            files: HashMap::new(),
            window: Window::default(),
            news: VecDeque::new(),
            outbox: Vec::new(),
            last_file: 1_000_000_000,
            config,
        }
    }

    pub(super) fn handset(&mut self, phone: &str) -> &mut Handset {
        if !self.handsets.contains_key(phone) {
            self.phones.push(phone.to_owned());
        }
        let count = self.phones.len();
        self.handsets
            .entry(phone.to_owned())
            .or_insert_with(|| Handset {
                name: bare(phone).to_owned(),
                habit: Habit::default(),
                user_id: if phone.starts_with('+') {
                    format!("US.{}", 1_000_000_000 + count)
                } else {
                    phone.to_owned()
                },
            })
    }

    /// The phone that a caller names: a number in any spelling, or a user id.
    pub(super) fn named(&self, to: &str) -> String {
        let by_id = self
            .handsets
            .iter()
            .find(|(_, handset)| handset.user_id == to)
            .map(|(phone, _)| phone.clone());
        by_id.unwrap_or_else(|| {
            let digits: String = to.chars().filter(char::is_ascii_digit).collect();
            format!("+{digits}")
        })
    }

    pub(super) fn keep(&mut self, mime_type: &str, content: bytes::Bytes) -> String {
        self.last_file += 1;
        let file = File {
            mime_type: mime_type.to_owned(),
            content,
            address_until_ms: 0,
        };
        self.files.insert(self.last_file.to_string(), file);
        self.last_file.to_string()
    }

    /// A user sends something.
    pub(super) fn receive(&mut self, phone: &str, inbound: Inbound, now: i64) -> String {
        let handset = self.handset(phone).clone();
        let id = format!("wamid.{}", random_uuid().replace('-', ""));
        let mut message = json!({ "id": id, "timestamp": now.div_euclid(1_000).to_string() });
        let mut contact = json!({
            "profile": { "name": handset.name }, "user_id": handset.user_id,
        });
        message["from_user_id"] = handset.user_id.into();
        if phone.starts_with('+') && !self.config.numbers_hidden {
            message["from"] = bare(phone).into();
            contact["wa_id"] = bare(phone).into();
        }
        let (kind, content, text, media) = self.content(inbound);
        message["type"] = kind.clone().into();
        message[&kind] = content;
        // What the platform itself says about a user opens no window.
        if kind != "system" {
            self.window.opened(&self.config.phone_number_id, phone, now);
        }
        self.enter(Line {
            message: id.clone(),
            channel: self.config.phone_number_id.clone(),
            platform: "whatsapp".to_owned(),
            phone: phone.to_owned(),
            from_phone: true,
            by_api: false,
            kind,
            text,
            media,
            state: Reach::Delivered,
            failure: None,
            at_ms: now,
            wall_ms: now_ms(),
        });
        self.news.push_back(News::Message(message, contact));
        id
    }

    fn content(&mut self, inbound: Inbound) -> (String, Value, Option<String>, Option<String>) {
        match inbound {
            Inbound::Text(text) => {
                let content = json!({ "body": text });
                ("text".to_owned(), content, Some(text), None)
            }
            Inbound::Location {
                latitude,
                longitude,
            } => {
                let content = json!({ "latitude": latitude, "longitude": longitude });
                ("location".to_owned(), content, None, None)
            }
            Inbound::Other { kind, content } => {
                let content = content.get(&kind).cloned().unwrap_or(content);
                // The platform's own name for a sticker differs from MessageBird's.
                let kind = kind
                    .strip_prefix("whatsapp")
                    .map_or_else(|| kind.clone(), str::to_lowercase);
                (kind, content, None, None)
            }
            Inbound::Media(media) => {
                let kind = if media.kind == "file" {
                    "document".to_owned()
                } else {
                    media.kind
                };
                let mut content = json!({
                    "mime_type": media.mime_type,
                    "sha256": sha256_base64(&media.content),
                    "id": self.keep(&media.mime_type, media.content.clone()),
                });
                if let Some(caption) = &media.caption {
                    content["caption"] = caption.clone().into();
                }
                if kind == "document" {
                    content["filename"] = media.name.clone().into();
                }
                (kind, content, media.caption, Some(media.name))
            }
        }
    }

    fn enter(&mut self, line: Line) {
        self.by_id.insert(line.message.clone(), self.lines.len());
        self.lines.push(line);
    }

    /// Sends an accepted message and lets it come as far as the phone's habit says.
    pub(super) fn send(&mut self, phone: &str, kind: &str, content: &Value, now: i64) -> String {
        let id = format!("wamid.{}", random_uuid().replace('-', ""));
        let text = ["body", "caption", "name"]
            .iter()
            .find_map(|key| content[*key].as_str())
            .or_else(|| content["body"]["text"].as_str());
        let media = content["id"].as_str().or(content["link"].as_str());
        let failure = self.judge(phone, kind, content, now);
        let reach = self.handset(phone).habit.reach;
        let at = self.lines.len();
        self.enter(Line {
            message: id.clone(),
            channel: self.config.phone_number_id.clone(),
            platform: "whatsapp".to_owned(),
            phone: phone.to_owned(),
            from_phone: false,
            by_api: true,
            kind: kind.to_owned(),
            text: text.map(str::to_owned),
            media: media.map(str::to_owned),
            state: Reach::Pending,
            failure: None,
            at_ms: now,
            wall_ms: now_ms(),
        });
        match failure {
            Some(failure) => self.advance(at, Reach::Failed, Some(failure), now),
            None => {
                for state in Reach::Pending.until(reach) {
                    self.advance(at, state, None, now);
                }
            }
        }
        id
    }

    fn judge(&mut self, phone: &str, kind: &str, content: &Value, now: i64) -> Option<Failure> {
        let habit = self.handset(phone).habit.clone();
        if let Some(failure) = habit.fails {
            return Some(failure);
        }
        if !habit.on_whatsapp {
            return Some(Failure::new(UNDELIVERABLE, "Message undeliverable"));
        }
        let number = self.config.phone_number_id.clone();
        if kind != "template" && !self.window.is_open(&number, phone, now) {
            return Some(Failure::new(OUTSIDE_WINDOW, "Re-engagement message"));
        }
        let lost = content["id"]
            .as_str()
            .is_some_and(|id| !self.files.contains_key(id));
        lost.then(|| Failure::new(MEDIA, "Media upload error"))
    }

    /// Moves a sent message on. It never steps back, and what failed stays so.
    pub(super) fn advance(&mut self, at: usize, to: Reach, failure: Option<Failure>, now: i64) {
        let line = &mut self.lines[at];
        if line.from_phone || line.state >= to {
            return;
        }
        line.state = to;
        line.failure = failure;
        let mut status = json!({
            "id": line.message,
            "status": to.name(),
            "timestamp": now.div_euclid(1_000).to_string(),
            "recipient_id": bare(&line.phone),
        });
        if let Some(failure) = &line.failure {
            let mut error = json!({
                "code": failure.code, "title": failure.description, "message": failure.description,
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            });
            if failure.code == OUTSIDE_WINDOW {
                let words = "Message failed to send because more than 24 hours have passed since the customer last replied to this number.";
                error["error_data"] = json!({ "details": words });
            }
            status["errors"] = json!([error]);
        }
        self.news.push_back(News::Status(status));
    }
}
