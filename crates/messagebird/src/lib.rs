//! Channel providers: the calls that Bowline makes to them, the webhooks it receives, and their
//! signatures.
//!
//! * [`ChannelProvider`] is what the rest of the product knows. What a provider cannot do is not
//!   in its answer: [`ChannelProvider::conversations`] and [`ChannelProvider::registration`] are
//!   optional, and [`Capabilities`] says what one platform allows.
//! * [`conversations`] is MessageBird's Conversations API, version 1 ("classic").
//! * [`whatsapp`] is Meta's WhatsApp Cloud API.
//!
//! Another provider is one more directory like these two. Everything that a provider writes is
//! read tolerantly; what cannot be read becomes an explained [`ProviderEvent::Unknown`], or a
//! message of unsupported content, and is never lost.

mod capabilities;
pub mod conversations;
mod event;
mod failure;
mod http;
mod ids;
mod media;
mod provider;
mod status;
pub mod whatsapp;

pub use capabilities::{Capabilities, Platform, REPLY_WINDOW, TextLimit};
pub use event::{
    ClosedConversation, ContactChange, Content, Location, Media, MediaAt, MediaKind, Message,
    ProviderEvent, Sender, StatusReport, UnknownEvent,
};
pub use failure::{DeliveryFailure, FailureWords, Mender};
pub use http::{DEFAULT_DEADLINE, FILE_DEADLINE};
pub use ids::{
    ChannelId, Identity, IdentityKind, RemoteContactId, RemoteConversationId, RemoteMessageId,
    RemoteWebhookId,
};
pub use media::{MediaStream, file_name_for};
pub use provider::{
    AccountSeen, Answer, CallId, ChannelList, ChannelProvider, ChannelSeen, Conversation,
    Conversations, Destination, Listed, Listing, Outgoing, OutgoingMedia, ParseError, ProviderName,
    Refusal, Registration, RemoteWebhook, Sent, SetupCheck, Starting, Template, Upload, Verified,
    WantedWebhook, WebhookCall, Which, find_doubtful,
};
pub use status::DeliveryStatus;
