//! Meta's WhatsApp Cloud API. It knows no conversations: "one active conversation per end user"
//! is ours to keep, and what was missed cannot be asked for.

mod error;
mod signature;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use bowline_net::json::{at, filled, id, list, text};
use bowline_net::multipart::{self, Part};
use bowline_net::{ApiError, BoxFuture, ErrorKind, Reply, Transport};
use bowline_text::channel::Style;
use bytes::Bytes;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::capabilities::{Capabilities, Platform, REPLY_WINDOW, TextLimit};
use crate::event::{Media, MediaAt, MediaKind, ProviderEvent};
use crate::http::{Body, Call, Caller, DEFAULT_DEADLINE, FILE_DEADLINE, is_below, same_origin};
use crate::ids::{ChannelId, Identity, IdentityKind};
use crate::media::{self, MediaStream};
use crate::provider::{
    AccountSeen, Answer, ChannelList, ChannelProvider, Conversations, Destination, Outgoing,
    OutgoingMedia, ParseError, ProviderName, Refusal, Registration, Sent, SetupCheck, Starting,
    Template, Upload, Verified, WebhookCall,
};
use crate::status::DeliveryStatus;

pub use signature::SIGNATURE_HEADER;

/// Where the API is unless configured otherwise.
pub const API_URL: &str = "https://graph.facebook.com";
/// The version that every call asks for.
pub const API_VERSION: &str = "v23.0";

/// The domains whose addresses get the token: where Meta keeps the files of messages.
const FILE_DOMAINS: [&str; 4] = ["fbsbx.com", "facebook.com", "fbcdn.net", "whatsapp.net"];
/// Longest text of a message (Meta: 4096 characters).
const TEXT: TextLimit = TextLimit::of(4096);
/// The largest file that can be sent, in bytes: a document. Pictures, sound and films are less.
const MAX_FILE_BYTES: u64 = 100 * 1024 * 1024;

/// The secrets of one account.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The token of a system user, with `whatsapp_business_messaging`.
    pub access_token: SecretString,
    /// The app's secret, which signs webhooks. Several while one is changed.
    pub app_secrets: Vec<SecretString>,
    /// What Meta has to name when it asks whether the webhook's address is ours.
    pub verify_token: SecretString,
}

/// One account.
#[derive(Clone)]
pub struct WhatsApp {
    caller: Caller,
    api: Url,
    app_secrets: Vec<SecretString>,
    verify_token: SecretString,
}

impl WhatsApp {
    /// A client for one account. `api` is [`API_URL`], or where a test listens.
    pub fn new(transport: Arc<dyn Transport>, api: Url, secrets: Secrets) -> Self {
        Self {
            caller: Caller {
                transport,
                scheme: "Bearer",
                secret: secrets.access_token,
                deadline: DEFAULT_DEADLINE,
                read_error: error::read,
            },
            api,
            app_secrets: secrets.app_secrets,
            verify_token: secrets.verify_token,
        }
    }

    /// The same client with another deadline per call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.caller.deadline = deadline;
        self
    }

    async fn post(&self, to: &Destination, what: &Outgoing) -> Result<Reply<Sent>, ApiError> {
        let path = [API_VERSION, to.channel.as_str(), "messages"];
        let doing = "sending a message through WhatsApp";
        let call = Call::new(Method::POST, &self.api, &path, doing).body(body(&to.to, what));
        self.caller.send(call, sent).await
    }

    async fn fetch(&self, media: &Media, limit_bytes: u64) -> Result<MediaStream, ApiError> {
        let is_own = |url: &Url| {
            FILE_DOMAINS.iter().any(|domain| is_below(url, domain)) || same_origin(url, &self.api)
        };
        let address = match &media.at {
            MediaAt::Url(address) => address.clone(),
            MediaAt::Id(id) => self.address_of(id).await?,
        };
        self.caller.file(&address, is_own, limit_bytes).await
    }

    /// The address of a file, good for five minutes.
    async fn address_of(&self, media_id: &str) -> Result<String, ApiError> {
        let path = [API_VERSION, media_id];
        let call = Call::new(Method::GET, &self.api, &path, media::DOING);
        let found = self.caller.send(call, |v| filled(v, "url")).await;
        found.map(|reply| reply.value).map_err(|mut error| {
            if error.kind == ErrorKind::NotFound {
                error.kind = ErrorKind::Gone;
            }
            error
        })
    }

    async fn store(
        &self,
        channel: &ChannelId,
        file_name: &str,
        mime_type: &str,
        bytes: Bytes,
    ) -> Result<Reply<Upload>, ApiError> {
        let (content_type, bytes) = multipart::form(&[
            Part::Text {
                name: "messaging_product",
                value: "whatsapp",
            },
            Part::Text {
                name: "type",
                value: mime_type,
            },
            Part::File {
                name: "file",
                file_name,
                mime_type,
                bytes: &bytes,
            },
        ]);
        let path = [API_VERSION, channel.as_str(), "media"];
        let doing = "giving WhatsApp a file";
        let mut call = Call::new(Method::POST, &self.api, &path, doing).body(Body {
            content_type,
            bytes,
        });
        call.deadline = Some(FILE_DEADLINE);
        self.caller.send(call, |v| id(v, "id").map(Upload)).await
    }
}

/// The body of a send.
fn body(to: &Identity, what: &Outgoing) -> Value {
    let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual" });
    // A user id without a phone number goes into a field of its own.
    let field = match to.kind {
        IdentityKind::WhatsAppUser => "recipient",
        _ => "to",
    };
    body[field] = json!(to.wire());
    let (kind, content) = match what {
        // No preview: it would fetch what an agent links to.
        Outgoing::Text(text) => ("text", json!({ "body": text, "preview_url": false })),
        Outgoing::Media(media) => media_content(media),
        Outgoing::Template(template) => ("template", template_content(template)),
    };
    body["type"] = json!(kind);
    body[kind] = content;
    body
}

fn media_content(media: &OutgoingMedia) -> (&'static str, Value) {
    let (kind, takes_caption) = match media.kind {
        MediaKind::Image => ("image", true),
        MediaKind::Video => ("video", true),
        MediaKind::Audio => ("audio", false),
        MediaKind::File => ("document", true),
        MediaKind::Sticker => ("sticker", false),
    };
    let mut content = json!({ "id": media.upload.0 });
    if let Some(caption) = media.caption.as_ref().filter(|_| takes_caption) {
        content["caption"] = json!(caption);
    }
    if let Some(name) = media
        .file_name
        .as_ref()
        .filter(|_| media.kind == MediaKind::File)
    {
        content["filename"] = json!(name);
    }
    (kind, content)
}

fn template_content(template: &Template) -> Value {
    let mut content = json!({
        "name": template.name, "language": { "code": template.language },
    });
    if !template.values.is_empty() {
        let values: Vec<Value> = template
            .values
            .iter()
            .map(|value| json!({ "type": "text", "text": value }))
            .collect();
        content["components"] = json!([{ "type": "body", "parameters": values }]);
    }
    content
}

/// The answer of a send: `{"messages":[{"id","message_status"}]}`.
fn sent(value: &Value) -> Option<Sent> {
    let message = list(value, "messages").first()?;
    let status = text(message, "message_status").and_then(|s| DeliveryStatus::read(&s));
    Some(Sent {
        id: id(message, "id")?.into(),
        status: status.unwrap_or(DeliveryStatus::Accepted),
        conversation: None,
    })
}

impl ChannelProvider for WhatsApp {
    fn name(&self) -> ProviderName {
        ProviderName::WhatsApp
    }

    fn capabilities(&self, _platform: &Platform) -> Capabilities {
        Capabilities {
            has_conversation: false,
            reply_window: Some(REPLY_WINDOW),
            max_text: TEXT,
            media_out: true,
            max_media_bytes: Some(MAX_FILE_BYTES),
            read_receipts: true,
            identity_kinds: &[IdentityKind::Phone, IdentityKind::WhatsAppUser],
            style: Style::WhatsApp,
        }
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
        signature::verify(&self.app_secrets, call)
    }

    fn setup_check(&self, query: &str) -> SetupCheck {
        signature::setup_check(&self.verify_token, query)
    }

    fn parse(&self, raw: &[u8]) -> Result<Vec<ProviderEvent>, ParseError> {
        webhook::parse(raw)
    }

    fn check<'a>(&'a self, channel: Option<&'a ChannelId>) -> Answer<'a, AccountSeen> {
        Box::pin(async move {
            let of = channel.map_or("me", ChannelId::as_str);
            let fields = match channel {
                Some(_) => "display_phone_number,verified_name",
                None => "name",
            };
            let path = [API_VERSION, of];
            let doing = "asking WhatsApp who we are";
            let call = Call::new(Method::GET, &self.api, &path, doing).query("fields", fields);
            let read = |v: &Value| {
                at(v, &["id"]).as_str()?;
                let name = ["verified_name", "name", "display_phone_number"];
                Some(AccountSeen {
                    name: name.iter().find_map(|key| filled(v, key)),
                })
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
        channel: &'a ChannelId,
        file_name: &'a str,
        mime_type: &'a str,
        bytes: Bytes,
    ) -> Answer<'a, Upload> {
        Box::pin(self.store(channel, file_name, mime_type, bytes))
    }

    fn conversations(&self) -> Option<&dyn Conversations> {
        None
    }

    /// The address is entered in Meta's dashboard, with the verify token; there is no call for it
    /// that the account's own token may make.
    fn registration(&self) -> Option<&dyn Registration> {
        None
    }

    /// Meta lists numbers by the business account, which no token names.
    fn channels(&self) -> Option<&dyn ChannelList> {
        None
    }

    /// Meta takes an approved message only from who begins.
    fn starting(&self) -> Option<&dyn Starting> {
        None
    }
}
