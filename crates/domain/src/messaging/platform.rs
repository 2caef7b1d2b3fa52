//! The platforms that messages travel on, and what each allows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Characters of one WhatsApp text (Meta's Cloud API: `text.body` up to 4096).
const WHATSAPP_CHARS_MAX: usize = 4_096;

/// Characters of one SMS text: nine joined parts of 153 characters, which is where MessageBird
/// ends.
const SMS_CHARS_MAX: usize = 1_377;

/// Characters where nothing is known of the platform.
const OTHER_CHARS_MAX: usize = 1_000;

/// What a message travels on. Providers add platforms, so the set is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// WhatsApp.
    Whatsapp,
    /// Short messages.
    Sms,
    /// Another, by the provider's word.
    Other(String),
}

impl Platform {
    /// Reads the provider's word. WhatsApp's sandbox behaves as WhatsApp does.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "whatsapp" | "whatsapp_sandbox" => Self::Whatsapp,
            "sms" => Self::Sms,
            other => Self::Other(other.to_owned()),
        }
    }

    /// How long after the end user's last message an answer may be sent, in milliseconds; `None`
    /// where there is no such bound. WhatsApp, and Meta's other platforms alike: 24 hours.
    pub fn reply_window_ms(&self) -> Option<i64> {
        match self {
            Self::Whatsapp => Some(DAY_MS),
            Self::Other(word) if matches!(word.as_str(), "facebook" | "instagram") => Some(DAY_MS),
            Self::Sms | Self::Other(_) => None,
        }
    }

    /// How many characters one text may have.
    pub fn text_chars_max(&self) -> usize {
        match self {
            Self::Whatsapp => WHATSAPP_CHARS_MAX,
            Self::Sms => SMS_CHARS_MAX,
            Self::Other(_) => OTHER_CHARS_MAX,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whatsapp => f.write_str("WhatsApp"),
            Self::Sms => f.write_str("SMS"),
            Self::Other(word) => f.write_str(word),
        }
    }
}
