//! What every channel provider can do. One implementation per provider; the rest of the product
//! knows only this.

use std::fmt;

use bowline_net::{ApiError, BoxFuture, Reply};
use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::capabilities::{Capabilities, Platform};
use crate::event::{Content, Media, MediaKind, Message, ProviderEvent, Sender};
use crate::ids::{ChannelId, Identity, RemoteConversationId, RemoteMessageId, RemoteWebhookId};
use crate::media::MediaStream;
use crate::status::DeliveryStatus;

/// The answer of a call that is still to come.
pub type Answer<'a, T> = BoxFuture<'a, Result<Reply<T>, ApiError>>;

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    /// MessageBird's Conversations API, version 1.
    MessageBird,
    /// Meta's WhatsApp Cloud API.
    WhatsApp,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageBird => "MessageBird",
            Self::WhatsApp => "WhatsApp",
        })
    }
}

/// One webhook call as it came in.
#[derive(Clone, Copy, Debug)]
pub struct WebhookCall<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The complete address by which the provider called: scheme, host, path and query. Behind a
    /// proxy only the configuration knows it.
    pub public_url: &'a str,
    /// The body, byte for byte.
    pub raw: &'a [u8],
    /// The time, in Unix seconds.
    pub now_unix_s: i64,
}

/// A call that is really the provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The name of this one call, if the scheme has one. The caller refuses a name that it has
    /// seen, and may forget it at `until_unix_s`, when the signature itself has expired.
    pub call_id: Option<CallId>,
}

/// The name of one webhook call (`jti`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallId {
    /// The name.
    pub id: String,
    /// When the signature expires for certain, clock skew included, in Unix seconds.
    pub until_unix_s: i64,
}

/// Why a call is not taken for the provider's. Told to the log, never to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no signature header.
    #[error("the call is not signed")]
    NotSigned,
    /// The signature is not in the form of the scheme.
    #[error("the signature cannot be read: {0}")]
    Unreadable(&'static str),
    /// Signed with an algorithm that proves nothing.
    #[error("the signature uses an algorithm that is not accepted")]
    Algorithm,
    /// Signed with another key.
    #[error(
        "the signature was made with another key: compare the signing key in the configuration \
         with the provider's"
    )]
    WrongKey,
    /// Signed for another address.
    #[error(
        "the signature is for another address: the public address in the configuration has to be \
         the one that the provider calls"
    )]
    WrongUrl,
    /// Signed for another body.
    #[error("the signature is for another body")]
    WrongBody,
    /// Not issued by the provider.
    #[error("the signature names another issuer")]
    WrongIssuer,
    /// Signed in the future.
    #[error("the signature is not valid yet: compare this machine's clock")]
    TooEarly,
    /// Signed too long ago.
    #[error("the signature has expired")]
    Expired,
    /// No key is configured.
    #[error("no signing key is configured")]
    NoKey,
}

/// What answers a GET at the webhook's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupCheck {
    /// The provider asks whether the address is ours: answer 200 with this as plain text.
    Answer(String),
    /// Not the provider, or a wrong token: answer 403.
    Refused,
    /// This provider does not check.
    NotOffered,
}

/// Why a body says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON, or nested too deep to be read safely.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but nothing that this provider sends.
    #[error("unknown shape: {0}")]
    UnknownShape(String),
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The channel it leaves through.
    pub channel: ChannelId,
    /// The provider's conversation. Needed where there is one: the caller makes sure that it is
    /// not closed, because MessageBird would open a new one.
    pub conversation: Option<RemoteConversationId>,
    /// The person.
    pub to: Identity,
}

/// What is sent. Every text here is read by the end user.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// Text in the channel's own formatting, within its limit.
    Text(String),
    /// A file that was uploaded before.
    Media(OutgoingMedia),
    /// A message that the platform approved before; the only thing that may be sent outside the
    /// reply window.
    Template(Template),
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMedia {
    /// The upload, from [`ChannelProvider::upload`].
    pub upload: Upload,
    /// What it is.
    pub kind: MediaKind,
    /// What is written with it.
    pub caption: Option<String>,
    /// Its name on the person's device.
    pub file_name: Option<String>,
}

/// A file that the provider keeps for us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Upload(pub String);

/// An approved message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The namespace, which MessageBird asks for.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The language, as `en_US`.
    pub language: String,
    /// The values for the places in its text, in order.
    pub values: Vec<String>,
}

/// A message that the provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id; the echo and all reports carry it.
    pub id: RemoteMessageId,
    /// How far it got already.
    pub status: DeliveryStatus,
    /// The conversation it went to, where the provider says. Another one than asked for means
    /// that ours was closed.
    pub conversation: Option<RemoteConversationId>,
}

/// Who answers at the far side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSeen {
    /// The name to show: the number behind a channel, or the account.
    pub name: Option<String>,
}

/// A channel provider with one account's credentials.
///
/// Calls are never repeated here. A send whose outcome is
/// [`UnknownOutcome`](bowline_net::ErrorKind::UnknownOutcome) may have reached the person; what
/// became of it is found through [`Conversations::messages`] or not at all.
pub trait ChannelProvider: Send + Sync + 'static {
    /// Which one it is.
    fn name(&self) -> ProviderName;

    /// What can be done on a platform.
    fn capabilities(&self, platform: &Platform) -> Capabilities;

    /// Whether a webhook call is really the provider's. Reads nothing of the body.
    ///
    /// # Errors
    /// [`Refusal`], which is for the log only.
    fn verify(&self, call: &WebhookCall<'_>) -> Result<Verified, Refusal>;

    /// What a GET at the webhook's address means; `query` is what follows the `?`.
    fn setup_check(&self, query: &str) -> SetupCheck;

    /// What a webhook call tells, in the order it is told.
    ///
    /// # Errors
    /// [`ParseError`]; news that we do not know are no error.
    fn parse(&self, raw: &[u8]) -> Result<Vec<ProviderEvent>, ParseError>;

    /// Asks the far side who we are.
    fn check<'a>(&'a self, channel: Option<&'a ChannelId>) -> Answer<'a, AccountSeen>;

    /// Sends one message.
    fn send<'a>(&'a self, to: &'a Destination, what: &'a Outgoing) -> Answer<'a, Sent>;

    /// Opens a file of a message for reading. What is longer than `limit_bytes` ends in an error
    /// when the limit is passed, or at once when the far side tells the length.
    fn fetch_media<'a>(
        &'a self,
        media: &'a Media,
        limit_bytes: u64,
    ) -> BoxFuture<'a, Result<MediaStream, ApiError>>;

    /// Gives the provider a file to send.
    fn upload<'a>(
        &'a self,
        channel: &'a ChannelId,
        file_name: &'a str,
        mime_type: &'a str,
        bytes: Bytes,
    ) -> Answer<'a, Upload>;

    /// The conversations that the provider keeps, if it does.
    fn conversations(&self) -> Option<&dyn Conversations>;

    /// How the provider's webhooks are registered, if that can be done by call.
    fn registration(&self) -> Option<&dyn Registration>;

    /// The channels of the account, if the provider tells of them.
    fn channels(&self) -> Option<&dyn ChannelList>;

    /// How a conversation is begun from our side, if it can be with a text of our own.
    fn starting(&self) -> Option<&dyn Starting>;
}

/// A channel of an account, as the provider tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSeen {
    /// Its id.
    pub id: ChannelId,
    /// What it is called there.
    pub name: Option<String>,
    /// The platform.
    pub platform: Platform,
    /// Does it work there? `false` for every state but active.
    pub active: bool,
}

/// The channels of an account.
pub trait ChannelList: Send + Sync {
    /// A page of what tells of channels: each may come more than once.
    fn seen(&self, start: u64) -> Answer<'_, Listing<ChannelSeen>>;
}

/// Conversations that are begun from our side.
pub trait Starting: Send + Sync {
    /// Sends a text to a person who need not have written before. If they have an open
    /// conversation it goes into that one, else one is begun.
    fn start<'a>(
        &'a self,
        channel: &'a ChannelId,
        to: &'a Identity,
        text: &'a str,
    ) -> Answer<'a, Sent>;
}

/// A provider's conversation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: RemoteConversationId,
    /// Whose it is, as far as the provider says: the messages in it may not name them.
    pub person: Sender,
    /// Whether it is open. `false` for archived and for every state that we do not know.
    pub open: bool,
    /// The channel used last, through which an answer goes.
    pub last_channel: Option<ChannelId>,
    /// When the person wrote last, in Unix milliseconds.
    pub last_received_ms: Option<i64>,
    /// When it changed last, in Unix milliseconds.
    pub updated_ms: Option<i64>,
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u64>,
}

/// A message in a list, with its direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed {
    /// A person wrote to us.
    Inbound(Message),
    /// Something was sent to the person.
    Outbound(Message),
}

/// Finds a message of ours whose sending was doubtful: the oldest outbound one with this text,
/// not written before `not_before_ms` (Unix milliseconds of the provider's clock: leave room for
/// the difference), and not `known` as another one. A message without a time counts.
///
/// What is compared is the text without white space at its ends, which platforms trim.
pub fn find_doubtful<'l>(
    newest_first: &'l [Listed],
    text: &str,
    not_before_ms: i64,
    known: impl Fn(&RemoteMessageId) -> bool,
) -> Option<&'l Message> {
    newest_first
        .iter()
        .rev()
        .filter_map(|listed| match listed {
            Listed::Outbound(message) => Some(message),
            Listed::Inbound(_) => None,
        })
        .filter(|message| message.at_ms.is_none_or(|at| at >= not_before_ms))
        .filter(|message| !known(&message.id))
        .find(|message| matches!(&message.content, Content::Text(t) if t.trim() == text.trim()))
}

/// Which conversations are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The open ones.
    Open,
    /// All of them.
    All,
}

/// Conversations that the provider keeps.
pub trait Conversations: Send + Sync {
    /// A page of conversations, the one with the newest inbound message first.
    fn list(&self, which: Which, start: u64) -> Answer<'_, Listing<Conversation>>;

    /// One conversation.
    fn get<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation>;

    /// A page of the messages of a conversation, newest first: for what was missed, and to find
    /// out whether a doubtful send arrived.
    fn messages<'a>(
        &'a self,
        id: &'a RemoteConversationId,
        start: u64,
    ) -> Answer<'a, Listing<Listed>>;

    /// Closes a conversation. Closing a closed one changes nothing.
    fn close<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation>;

    /// Opens a closed conversation again. Opening an open one changes nothing.
    fn reopen<'a>(&'a self, id: &'a RemoteConversationId) -> Answer<'a, Conversation>;
}

/// A webhook as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteWebhook {
    /// Its id.
    pub id: RemoteWebhookId,
    /// Where it calls.
    pub url: String,
    /// The channel it is limited to.
    pub channel: Option<ChannelId>,
    /// What it tells.
    pub events: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// A webhook to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedWebhook {
    /// Where it is to call.
    pub url: String,
    /// The channel it is limited to; `None` for all of the account.
    pub channel: Option<ChannelId>,
}

/// How webhooks are registered.
pub trait Registration: Send + Sync {
    /// A page of the webhooks there are, those of others included.
    fn list(&self, start: u64) -> Answer<'_, Listing<RemoteWebhook>>;

    /// Whether this one tells all that we need, and is switched on.
    fn is_complete(&self, webhook: &RemoteWebhook) -> bool;

    /// Registers a webhook for all that we need.
    fn create<'a>(&'a self, wanted: &'a WantedWebhook) -> Answer<'a, RemoteWebhook>;

    /// Makes one as it should be: the address, all events, switched on.
    fn update<'a>(
        &'a self,
        id: &'a RemoteWebhookId,
        wanted: &'a WantedWebhook,
    ) -> Answer<'a, RemoteWebhook>;

    /// Deletes one.
    fn delete<'a>(&'a self, id: &'a RemoteWebhookId) -> Answer<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, at_ms: Option<i64>, words: &str) -> Message {
        Message {
            id: id.into(),
            channel: "chan-1".into(),
            platform: Platform::WhatsApp,
            conversation: None,
            person: Sender::default(),
            at_ms,
            at_ns: 0,
            content: Content::Text(words.to_owned()),
            reply_to: None,
            status: None,
            failure: None,
        }
    }

    #[test]
    fn a_doubtful_message_is_found_once() {
        let list = [
            Listed::Outbound(message("5", Some(50), "done")),
            Listed::Inbound(message("4", Some(40), "hello")),
            Listed::Outbound(message("3", Some(30), " hello\n")),
            Listed::Outbound(message("2", Some(20), "hello")),
            Listed::Outbound(message("1", Some(10), "hello")),
        ];
        for (text, not_before_ms, known, want) in [
            ("hello", 15, "", Some("2")),
            ("hello", 15, "2", Some("3")),
            ("hello", 31, "", None),
            ("done", 0, "", Some("5")),
            ("done", 0, "5", None),
            ("other", 0, "", None),
        ] {
            let found = find_doubtful(&list, text, not_before_ms, |id| id.as_str() == known);
            assert_eq!(
                found.map(|m| m.id.as_str()),
                want,
                "{text} {not_before_ms} {known}"
            );
        }
        let untimed = [Listed::Outbound(message("1", None, "hello"))];
        assert!(find_doubtful(&untimed, "hello", 99, |_| false).is_some());
    }
}
