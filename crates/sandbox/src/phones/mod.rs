//! Phones of people, as both simulated channel providers see them: what a person writes and how a
//! message to that person fares.

pub mod leaks;
pub(crate) mod pages;
mod window;

use serde::Serialize;
use serde_json::Value;

use crate::common::page::{Neighbours, Platform};

pub use leaks::{Leak, Markers};
pub use window::{WINDOW_MS, Window};

/// How far a message to a phone has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Taken over by the provider, nothing more.
    Pending,
    /// On its way.
    Sent,
    /// On the phone.
    Delivered,
    /// Seen by the person.
    Read,
    /// It will not reach the phone.
    Failed,
}

impl State {
    /// The state's name in the providers' payloads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// The states between this one and that one, without this one, in order.
    pub(crate) fn until(self, last: Self) -> impl Iterator<Item = Self> {
        [Self::Sent, Self::Delivered, Self::Read]
            .into_iter()
            .filter(move |state| *state > self && *state <= last)
    }
}

/// Why a message failed, in the provider's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The provider's code.
    pub code: u32,
    /// The provider's words.
    pub description: String,
}

impl Failure {
    /// A failure with a code and a sentence.
    pub fn new(code: u32, description: &str) -> Self {
        Self {
            code,
            description: description.to_owned(),
        }
    }
}

/// What becomes of messages to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit {
    /// Whether the person has WhatsApp.
    pub on_whatsapp: bool,
    /// How far a message comes by itself; further only when a test or a person moves it.
    pub reach: State,
    /// Every message fails like this.
    pub fails: Option<Failure>,
}

impl Default for Habit {
    /// On WhatsApp, and every message is delivered at once but not read.
    fn default() -> Self {
        Self {
            on_whatsapp: true,
            reach: State::Delivered,
            fails: None,
        }
    }
}

/// A file that a person sends.
#[derive(Clone, Debug)]
pub struct Media {
    /// `image`, `audio`, `video` or `file`.
    pub kind: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub mime_type: String,
    /// The bytes.
    pub content: bytes::Bytes,
    /// Text beside it.
    pub caption: Option<String>,
}

impl Media {
    /// A small picture with a caption or without.
    pub fn image(name: &str, content: &[u8], caption: Option<&str>) -> Self {
        Self {
            kind: "image".to_owned(),
            name: name.to_owned(),
            mime_type: "image/png".to_owned(),
            content: bytes::Bytes::copy_from_slice(content),
            caption: caption.map(str::to_owned),
        }
    }

    /// A document.
    pub fn document(name: &str, mime_type: &str, content: &[u8]) -> Self {
        Self {
            kind: "file".to_owned(),
            name: name.to_owned(),
            mime_type: mime_type.to_owned(),
            content: bytes::Bytes::copy_from_slice(content),
            caption: None,
        }
    }
}

/// What a person sends.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// Text.
    Text(String),
    /// A file.
    Media(Media),
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// Anything else, by the provider's name for its type, with the provider's content.
    Other {
        /// Type of the message.
        kind: String,
        /// Content as the provider shows it.
        content: Value,
    },
}

/// One message as the phone shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The provider's id of the message.
    pub message: String,
    /// The channel it went through.
    pub channel: String,
    /// `whatsapp`, `sms`, ...
    pub platform: String,
    /// The phone's number or the person's user id.
    pub phone: String,
    /// Whether the person wrote it.
    pub from_phone: bool,
    /// Whether it came in by a call with the API key, and not from the provider's own inbox.
    pub by_api: bool,
    /// Type of the message.
    pub kind: String,
    /// The text or the caption.
    pub text: Option<String>,
    /// The file's name or address.
    pub media: Option<String>,
    /// How far it came. A message of the person counts as delivered.
    pub state: State,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was made, in milliseconds since the Unix epoch by the provider's clock.
    pub at_ms: i64,
    /// When it was made by the clock on the wall, which nobody moves.
    pub wall_ms: i64,
}

impl Line {
    /// Whether it came to the phone.
    pub fn arrived(&self) -> bool {
        !self.from_phone && matches!(self.state, State::Delivered | State::Read)
    }
}

/// A person with a phone, as the pages list them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Number in international form with a plus sign, or a user id.
    pub phone: String,
    /// Name that the provider shows.
    pub name: String,
    /// What becomes of messages to the phone.
    pub habit: Habit,
}

/// What the phone pages need of a provider.
pub(crate) trait Carrier: Clone + Send + Sync + 'static {
    /// Whose page it is.
    const PLATFORM: Platform;
    /// Why a message fails when the page makes it fail.
    fn ordinary_failure() -> Failure;
    /// The pages that this one links to.
    fn neighbours(&self) -> &Neighbours;
    /// The kinds of channels there are, such as `whatsapp`.
    fn platforms(&self) -> Vec<String>;
    /// Everybody, in the order of their first appearance.
    fn people(&self) -> Vec<Person>;
    /// Makes a person known.
    fn meet(&self, phone: &str, name: &str);
    /// What a phone shows, oldest first.
    fn lines(&self, phone: &str) -> Vec<Line>;
    /// Everything that was written or sent, oldest first.
    fn every_line(&self) -> Vec<Line>;
    /// Sends something from a phone over a kind of channel.
    fn hand_over(&self, phone: &str, platform: &str, inbound: Inbound) -> Result<String, String>;
    /// Marks everything on the phone as read.
    fn read_all(&self, phone: &str);
    /// Changes what becomes of messages to a phone.
    fn set_habit(&self, phone: &str, habit: Habit);
    /// Moves the clock forward.
    fn move_clock(&self, ms: i64);
    /// The provider's time, in milliseconds since the Unix epoch.
    fn clock_ms(&self) -> i64;
    /// Until when free text to the phone is possible; `None` if it is not.
    fn open_until(&self, phone: &str) -> Option<i64>;
}
