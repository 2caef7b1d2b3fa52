//! What a provider tells us.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::capabilities::Platform;
use crate::failure::DeliveryFailure;
use crate::ids::{ChannelId, Identity, RemoteContactId, RemoteConversationId, RemoteMessageId};
use crate::status::DeliveryStatus;

/// One thing that a webhook or a list tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderEvent {
    /// A person wrote to us.
    Inbound(Message),
    /// Something was sent to the person: by us (known by its id), or by somebody in the
    /// provider's own inbox.
    EchoOut(Message),
    /// An outbound message got further, or failed.
    Status(StatusReport),
    /// The provider's conversation was closed.
    ConversationClosed(ClosedConversation),
    /// What is known of a person changed.
    ContactChanged(ContactChange),
    /// Kept and explained, nothing else.
    Unknown(UnknownEvent),
}

/// A person as a message shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The contact in the provider's address book.
    pub contact: Option<RemoteContactId>,
    /// Every identity that the payload names, the platform's own first. Never empty for an
    /// inbound message.
    pub identities: Vec<Identity>,
    /// The name that the person or the address book gives. Never a reason to take two people for
    /// one.
    pub name: Option<String>,
}

impl Sender {
    /// The same person with what else is said of them elsewhere. What is said here counts first.
    pub fn complete(&mut self, elsewhere: &Self) {
        for identity in &elsewhere.identities {
            if !self.identities.contains(identity) {
                self.identities.push(identity.clone());
            }
        }
        self.contact = self.contact.take().or_else(|| elsewhere.contact.clone());
        self.name = self.name.take().or_else(|| elsewhere.name.clone());
    }
}

/// A message in either direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id; the same on every repetition.
    pub id: RemoteMessageId,
    /// The channel it went through.
    pub channel: ChannelId,
    /// The network behind the channel.
    pub platform: Platform,
    /// The provider's conversation.
    pub conversation: Option<RemoteConversationId>,
    /// The person, also for a message that was sent to them.
    pub person: Sender,
    /// When it was written by the provider's clock, in Unix milliseconds; `None` when the payload
    /// has no usable time.
    pub at_ms: Option<i64>,
    /// How far behind that millisecond, in nanoseconds, where the provider tells so much.
    #[serde(default)]
    pub at_ns: u32,
    /// What was said.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<RemoteMessageId>,
    /// How far it got, for one that was sent.
    pub status: Option<DeliveryStatus>,
    /// Why it failed, if it did.
    pub failure: Option<DeliveryFailure>,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Words.
    Text(String),
    /// A file.
    Media(Media),
    /// A place.
    Location(Location),
    /// An emoji put on a message; `None` when it was taken away.
    Reaction {
        /// The emoji.
        emoji: Option<String>,
        /// The message it was put on.
        to: RemoteMessageId,
    },
    /// Address cards, each as one line.
    Contacts(Vec<String>),
    /// Something that we cannot show. It still becomes a line that says so.
    Unsupported {
        /// The provider's word for it; empty when not said.
        kind: String,
    },
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound, a voice message included.
    Audio,
    /// Any other file.
    File,
    /// A sticker.
    Sticker,
}

impl MediaKind {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
            Self::Sticker => "sticker",
        }
    }
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaAt {
    /// An address.
    Url(String),
    /// An id, to be turned into an address first.
    Id(String),
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is. Fetched through [`ChannelProvider::fetch_media`](crate::ChannelProvider).
    pub at: MediaAt,
    /// What was written with it.
    pub caption: Option<String>,
    /// Its name, if the person's device gave one.
    pub file_name: Option<String>,
    /// Its type, as the provider says.
    pub mime_type: Option<String>,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<String>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The name of the place.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// News of an outbound message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The message.
    pub message: RemoteMessageId,
    /// The channel, where the report names it.
    pub channel: Option<ChannelId>,
    /// The provider's conversation, where the report names it.
    pub conversation: Option<RemoteConversationId>,
    /// How far it got.
    pub status: DeliveryStatus,
    /// Why it failed; present when `status` is [`DeliveryStatus::Failed`].
    pub failure: Option<DeliveryFailure>,
    /// When, in Unix milliseconds.
    pub at_ms: Option<i64>,
}

/// The provider's conversation was closed (MessageBird: archived).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedConversation {
    /// The conversation.
    pub conversation: RemoteConversationId,
    /// The person.
    pub person: Sender,
    /// When, in Unix milliseconds.
    pub at_ms: Option<i64>,
}

/// What is known of a person changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChange {
    /// The channel, where the news come from one.
    pub channel: Option<ChannelId>,
    /// The provider's conversation, where the news name one.
    pub conversation: Option<RemoteConversationId>,
    /// The person as known before.
    pub person: Sender,
    /// Identities that the same person has from now on.
    pub added: Vec<Identity>,
}

/// Something that is kept and explained, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnknownEvent {
    /// Why nothing is made of it, in words.
    pub why: String,
    /// What came.
    pub raw: Value,
}
