//! What an end user wrote.

use serde::{Deserialize, Serialize};

use super::end_user::Identity;
use super::ids::{ChannelId, MessageId, RemoteConversationId};
use super::platform::Platform;
use crate::time::Millis;

/// Where a message came in, and thus where an answer goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The channel.
    pub channel: ChannelId,
    /// What it is.
    pub platform: Platform,
    /// Whom the provider reaches there.
    pub to: Identity,
    /// The provider's conversation, where it has such a thing.
    pub conversation: Option<RemoteConversationId>,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it is fetched, or the provider's id of it.
    pub source: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it is, for people: image, audio, file.
    pub kind: String,
    /// Its type, if it is told.
    pub content_type: Option<String>,
}

/// What orders messages whose times are the same to the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Within {
    /// How far behind its millisecond it was written, in nanoseconds, where the provider tells so
    /// much.
    pub sent_ns: u32,
    /// The number under which it came to us: what one delivery brings stands as it was told.
    pub arrived: i64,
}

/// One message of an end user.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// Its id at the provider.
    pub message: MessageId,
    /// When it was written, by the provider's clock.
    pub sent_at: Millis,
    /// When it came to us.
    pub received_at: Millis,
    /// Its place among those of the same times.
    pub within: Within,
    /// What its sender is known by.
    pub identities: Vec<Identity>,
    /// The sender's name as the provider gives it.
    pub name: Option<String>,
    /// Where it came in.
    pub route: Route,
    /// What it says.
    pub text: Option<String>,
    /// The files that came with it.
    pub media: Vec<Media>,
    /// What it is, if it is of a kind that is not shown.
    pub unsupported: Option<String>,
}
