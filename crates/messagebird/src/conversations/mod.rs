//! MessageBird's Conversations API, version 1: the "classic" one, in which a conversation gathers
//! all channels of one contact and is active or archived.

mod error;
mod model;
mod signature;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use bowline_net::{ApiError, BoxFuture, ErrorKind, Reply, Transport};
use bowline_text::channel::Style;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_DISPOSITION, HeaderName};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::capabilities::{Capabilities, Platform, REPLY_WINDOW, TextLimit};
use crate::event::{Media, MediaAt, MediaKind, ProviderEvent};
use crate::http::{Body, Call, Caller, DEFAULT_DEADLINE, FILE_DEADLINE, is_below, same_origin};
use crate::ids::{ChannelId, Identity, IdentityKind, RemoteConversationId, RemoteWebhookId};
use crate::media::{self, MediaStream};
use crate::provider::{
    AccountSeen, Answer, ChannelList, ChannelProvider, ChannelSeen, Conversation, Conversations,
    Destination, Listed, Listing, Outgoing, OutgoingMedia, ParseError, ProviderName, Refusal,
    Registration, RemoteWebhook, Sent, SetupCheck, Starting, Template, Upload, Verified,
    WantedWebhook, WebhookCall, Which,
};

pub use signature::{HMAC_HEADER, HMAC_TIME_HEADER, JWT_HEADER};

/// Where the API is unless configured otherwise.
pub const API_URL: &str = "https://conversations.messagebird.com/v1";
/// Where files are given to the real API.
pub const FILES_URL: &str = "https://messaging.messagebird.com/v1";
/// All that we are told about.
pub const EVENTS: [&str; 4] = [
    "conversation.created",
    "conversation.updated",
    "message.created",
    "message.updated",
];

/// The domain whose addresses get the access key.
const DOMAIN: &str = "messagebird.com";
/// The last segment of the API's address.
const VERSION: &str = "v1";
/// Items asked for per page.
const PAGE_SIZE: u64 = 20;
/// The largest file that MessageBird's storage takes, in bytes (its documentation: 100 MB).
const MAX_FILE_BYTES: u64 = 100_000_000;
/// Longest text on WhatsApp (Meta), Telegram and LINE, and on platforms that we do not know.
const LONG_TEXT: TextLimit = TextLimit::of(4096);
/// Longest text on Messenger.
const MESSENGER_TEXT: TextLimit = TextLimit::of(2000);
/// Longest text on Instagram and on platforms that we do not know.
const SHORT_TEXT: TextLimit = TextLimit::of(1000);
/// Longest joined text message: nine parts of 153 places in the short alphabet, 67 in the other.
const SMS_TEXT: TextLimit = TextLimit {
    short_alphabet: 9 * 153,
    any: 9 * 67,
};

/// One account.
#[derive(Clone)]
pub struct MessageBird {
    caller: Caller,
    api: Url,
    files: Url,
    signing_keys: Vec<SecretString>,
}

impl MessageBird {
    /// A client for the account that `access_key` belongs to. `api` is [`API_URL`], the address
    /// of the sandbox, or where a test listens; the version is added where it is missing.
    /// Webhooks verify under any of `signing_keys`.
    pub fn new(
        transport: Arc<dyn Transport>,
        api: &Url,
        access_key: SecretString,
        signing_keys: Vec<SecretString>,
    ) -> Self {
        let api = versioned(api);
        let files = match Url::parse(FILES_URL) {
            Ok(files) if is_below(&api, DOMAIN) => files,
            _ => api.clone(),
        };
        Self {
            caller: Caller {
                transport,
                scheme: "AccessKey",
                secret: access_key,
                deadline: DEFAULT_DEADLINE,
                read_error: error::read,
            },
            api,
            files,
            signing_keys,
        }
    }

    /// The same client with another deadline per call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.caller.deadline = deadline;
        self
    }

    fn call<'a>(&'a self, method: Method, path: &'a [&'a str], doing: &'static str) -> Call<'a> {
        Call::new(method, &self.api, path, doing)
    }

    async fn post(&self, to: &Destination, what: &Outgoing) -> Result<Reply<Sent>, ApiError> {
        let doing = "sending a message through MessageBird";
        let conversation = to.conversation.as_ref().ok_or_else(|| {
            let words = "MessageBird sends only into a conversation, and none is known";
            ApiError::new(ErrorKind::Data, doing, words)
        })?;
        let (kind, content) = wire(what, &self.files);
        let body = json!({ "type": kind, "content": content, "channelId": to.channel.as_str() });
        let path = ["conversations", conversation.as_str(), "messages"];
        let call = self.call(Method::POST, &path, doing).body(body);
        self.caller.send(call, model::sent).await
    }

    async fn fetch(&self, media: &Media, limit_bytes: u64) -> Result<MediaStream, ApiError> {
        let MediaAt::Url(address) = &media.at else {
            let words = "a file of MessageBird has an address, and this one has none";
            return Err(ApiError::new(ErrorKind::Data, media::DOING, words));
        };
        let is_own = |url: &Url| is_below(url, DOMAIN) || same_origin(url, &self.api);
        self.caller.file(address, is_own, limit_bytes).await
    }

    async fn store(
        &self,
        file_name: &str,
        mime_type: &str,
        bytes: Bytes,
    ) -> Result<Reply<Upload>, ApiError> {
        let doing = "giving MessageBird a file";
        let mut call = Call::new(Method::POST, &self.files, &["files"], doing).body(Body {
            content_type: mime_type.to_owned(),
            bytes,
        });
        let name = bowline_net::multipart::quoted(file_name);
        // The name is told in a header of its own (MessageBird's documentation of media uploads).
        // What is not ASCII cannot stand in one.
        let plain = file_name.chars();
        let plain: String = plain
            .map(|c| {
                if c.is_ascii_graphic() || c == ' ' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        call.headers = vec![
            (
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
            (HeaderName::from_static("filename"), plain),
        ];
        call.deadline = Some(FILE_DEADLINE);
        self.caller
            .send(call, |v| bowline_net::json::id(v, "id").map(Upload))
            .await
    }

    async fn set_status(
        &self,
        id: &RemoteConversationId,
        status: &'static str,
        doing: &'static str,
    ) -> Result<Reply<Conversation>, ApiError> {
        let path = ["conversations", id.as_str()];
        let call = self
            .call(Method::PATCH, &path, doing)
            .body(json!({ "status": status }));
        self.caller.send(call, model::conversation).await
    }

    async fn list_of<T>(
        &self,
        path: &[&str],
        start: u64,
        query: &[(&'static str, &str)],
        doing: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Reply<Listing<T>>, ApiError> {
        let mut call = self
            .call(Method::GET, path, doing)
            .query("limit", PAGE_SIZE.to_string())
            .query("offset", start.to_string());
        for (name, value) in query {
            call = call.query(name, *value);
        }
        self.caller
            .send(call, |v| model::listing(v, start, read))
            .await
    }
}

/// The address with the version at its end.
fn versioned(api: &Url) -> Url {
    let mut url = api.clone();
    let has_version = url
        .path_segments()
        .is_some_and(|mut segments| segments.rfind(|s| !s.is_empty()) == Some(VERSION));
    if !has_version && let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(VERSION);
    }
    url
}

/// Type and content of a message.
fn wire(what: &Outgoing, files: &Url) -> (&'static str, Value) {
    match what {
        Outgoing::Text(text) => ("text", json!({ "text": text })),
        Outgoing::Media(media) => media_content(media, files),
        Outgoing::Template(template) => ("hsm", json!({ "hsm": template_content(template) })),
    }
}

fn media_content(media: &OutgoingMedia, files: &Url) -> (&'static str, Value) {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::File => "file",
        MediaKind::Sticker => "whatsappSticker",
    };
    let address = bowline_net::endpoint::endpoint(files, &["files", &media.upload.0])
        .map_or_else(String::new, String::from);
    let key = if media.kind == MediaKind::Sticker {
        "link"
    } else {
        "url"
    };
    let mut own = json!({ key: address });
    if let Some(caption) = &media.caption {
        own["caption"] = json!(caption);
    }
    (kind, json!({ kind: own }))
}

fn template_content(template: &Template) -> Value {
    let values: Vec<Value> = template
        .values
        .iter()
        .map(|value| json!({ "default": value }))
        .collect();
    json!({
        "namespace": template.namespace.as_deref().unwrap_or_default(),
        "templateName": template.name,
        "language": { "policy": "deterministic", "code": template.language },
        "params": values,
    })
}

impl ChannelProvider for MessageBird {
    fn name(&self) -> ProviderName {
        ProviderName::MessageBird
    }

    fn capabilities(&self, platform: &Platform) -> Capabilities {
        let (reply_window, max_text, style) = match platform {
            Platform::WhatsApp => (Some(REPLY_WINDOW), LONG_TEXT, Style::WhatsApp),
            Platform::Sms => (None, SMS_TEXT, Style::Plain),
            Platform::Messenger => (Some(REPLY_WINDOW), MESSENGER_TEXT, Style::Plain),
            Platform::Instagram => (Some(REPLY_WINDOW), SHORT_TEXT, Style::Plain),
            Platform::Telegram | Platform::Line | Platform::Email => {
                (None, LONG_TEXT, Style::Plain)
            }
            Platform::WeChat | Platform::Other(_) => (None, SHORT_TEXT, Style::Plain),
        };
        let identity_kinds: &[IdentityKind] = match platform {
            Platform::Sms => &[IdentityKind::Phone, IdentityKind::Contact],
            Platform::WhatsApp => &[
                IdentityKind::Phone,
                IdentityKind::WhatsAppUser,
                IdentityKind::Contact,
            ],
            Platform::Email => &[IdentityKind::Email, IdentityKind::Contact],
            _ => &[IdentityKind::Other, IdentityKind::Contact],
        };
        Capabilities {
            has_conversation: true,
            reply_window,
            max_text,
            media_out: *platform != Platform::Sms,
            max_media_bytes: Some(MAX_FILE_BYTES),
            read_receipts: matches!(
                platform,
                Platform::WhatsApp | Platform::Messenger | Platform::Instagram | Platform::Email
            ),
            identity_kinds,
            style,
        }
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
        signature::verify(&self.signing_keys, call)
    }

    fn setup_check(&self, _query: &str) -> SetupCheck {
        SetupCheck::NotOffered
    }

    fn parse(&self, raw: &[u8]) -> Result<Vec<ProviderEvent>, ParseError> {
        webhook::parse(raw)
    }

    /// The API has no call for "who am I": whether a list can be read says that the key works.
    fn check<'a>(&'a self, _channel: Option<&'a ChannelId>) -> Answer<'a, AccountSeen> {
        Box::pin(async {
            let call = self
                .call(
                    Method::GET,
                    &["conversations"],
                    "asking MessageBird whether the key works",
                )
                .query("limit", "1");
            let read = |v: &Value| {
                v.get("items")?.as_array()?;
                Some(AccountSeen { name: None })
            };
            self.caller.send(call, read).await
        })
    }

    fn send<'a>(&'a self, to: &'a Destination, what: &'a Outgoing) -> Answer<'a, Sent> {
        Box::pin(self.post(to, what))
    }

    fn fetch_media<'a>(
        &'a self,
        media: &'a Media,
        limit_bytes: u64,
    ) -> BoxFuture<'a, Result<MediaStream, ApiError>> {
        Box::pin(self.fetch(media, limit_bytes))
    }

    fn upload<'a>(
        &'a self,
        _channel: &'a ChannelId,
        file_name: &'a str,
        mime_type: &'a str,
        bytes: Bytes,
    ) -> Answer<'a, Upload> {
        Box::pin(self.store(file_name, mime_type, bytes))
    }

    fn conversations(&self) -> Option<&dyn Conversations> {
        Some(self)
    }

    fn registration(&self) -> Option<&dyn Registration> {
        Some(self)
    }

    fn channels(&self) -> Option<&dyn ChannelList> {
        Some(self)
    }

    fn starting(&self) -> Option<&dyn Starting> {
        Some(self)
    }
}

/// The API has no list of channels; each conversation tells of those that it went by.
impl ChannelList for MessageBird {
    fn seen(&self, start: u64) -> Answer<'_, Listing<ChannelSeen>> {
        Box::pin(async move {
            let doing = "looking for the channels of the account";
            let path = ["conversations"];
            let read = |v: &Value| Some(model::channels(v));
            let reply = self.list_of(&path, start, &[], doing, read).await?;
            Ok(Reply {
                value: Listing {
                    items: reply.value.items.into_iter().flatten().collect(),
                    next: reply.value.next,
                },
                limits: reply.limits,
            })
        })
    }
}

impl Starting for MessageBird {
    fn start<'a>(
        &'a self,
        channel: &'a ChannelId,
        to: &'a Identity,
        text: &'a str,
    ) -> Answer<'a, Sent> {
        Box::pin(async move {
            let body = json!({
                "to": to.value,
                "channelId": channel.as_str(),
                "type": "text",
                "content": { "text": text },
            });
            let doing = "beginning a conversation through MessageBird";
            let path = ["conversations", "start"];
            let call = self.call(Method::POST, &path, doing).body(body);
            self.caller.send(call, model::started).await
        })
    }
}

impl Conversations for MessageBird {
    fn list(&self, which: Which, start: u64) -> Answer<'_, Listing<Conversation>> {
        Box::pin(async move {
            let query: &[_] = match which {
                Which::Open => &[("status", model::ACTIVE)],
                Which::All => &[],
            };
            let doing = "listing conversations";
            self.list_of(&["conversations"], start, query, doing, model::conversation)
                .await
        })
    }

    fn get<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation> {
        Box::pin(async {
            let path = ["conversations", id.as_str()];
            let call = self.call(Method::GET, &path, "reading a conversation");
            self.caller.send(call, model::conversation).await
        })
    }

    fn messages<'a>(
        &'a self,
        id: &'a RemoteConversationId,
        start: u64,
    ) -> Answer<'a, Listing<Listed>> {
        Box::pin(async move {
            let path = ["conversations", id.as_str(), "messages"];
            let doing = "reading the messages of a conversation";
            self.list_of(&path, start, &[], doing, |v| listed(v, id))
                .await
        })
    }

    fn close<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation> {
        Box::pin(self.set_status(id, model::ARCHIVED, "archiving a conversation"))
    }

    fn reopen<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation> {
        Box::pin(self.set_status(id, model::ACTIVE, "opening a conversation again"))
    }
}

/// A message of a list, which names neither contact nor, at times, conversation.
fn listed(value: &Value, conversation: &RemoteConversationId) -> Option<Listed> {
    let direction = model::Direction::read(value)?;
    if direction == model::Direction::In && model::is_waiting_for_media(value) {
        return None;
    }
    let mut message = model::message(value, &Value::Null, direction)?;
    message
        .conversation
        .get_or_insert_with(|| conversation.clone());
    Some(match direction {
        model::Direction::In => Listed::Inbound(message),
        model::Direction::Out => Listed::Outbound(message),
    })
}

impl Registration for MessageBird {
    fn list(&self, start: u64) -> Answer<'_, Listing<RemoteWebhook>> {
        Box::pin(async move {
            let doing = "listing webhooks";
            self.list_of(&["webhooks"], start, &[], doing, model::webhook)
                .await
        })
    }

    fn is_complete(&self, webhook: &RemoteWebhook) -> bool {
        let told = |event: &&str| webhook.events.iter().any(|e| e == event);
        webhook.enabled && EVENTS.iter().all(told)
    }

    fn create<'a>(&'a self, wanted: &'a WantedWebhook) -> Answer<'a, RemoteWebhook> {
        Box::pin(async {
            let mut body = json!({ "url": wanted.url, "events": EVENTS });
            if let Some(channel) = &wanted.channel {
                body["channelId"] = json!(channel.as_str());
            }
            let call = self
                .call(Method::POST, &["webhooks"], "registering a webhook")
                .body(body);
            self.caller.send(call, model::webhook).await
        })
    }

    fn update<'a>(
        &'a self,
        id: &'a RemoteWebhookId,
        wanted: &'a WantedWebhook,
    ) -> Answer<'a, RemoteWebhook> {
        Box::pin(async {
            let path = ["webhooks", id.as_str()];
            let body = json!({ "url": wanted.url, "events": EVENTS, "status": "enabled" });
            let call = self
                .call(Method::PATCH, &path, "changing a webhook")
                .body(body);
            self.caller.send(call, model::webhook).await
        })
    }

    fn delete<'a>(&'a self, id: &'a RemoteWebhookId) -> Answer<'a, ()> {
        Box::pin(async {
            let path = ["webhooks", id.as_str()];
            let call = self.call(Method::DELETE, &path, "deleting a webhook");
            self.caller.send(call, |_| Some(())).await
        })
    }
}
