//! The platforms that messages travel on, and what each allows.

use std::fmt;

use bowline_text::channel::Style;
use serde::{Deserialize, Serialize};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The longest WhatsApp text, in UTF-16 units (Meta's Cloud API: `text.body` up to 4096).
const WHATSAPP_UNITS_MAX: usize = 4_096;

/// The longest short message: nine joined parts, of 153 letters in the short alphabet and of 67 in
/// the other, which is where MessageBird ends.
const SMS_SHORT_UNITS_MAX: usize = 9 * 153;
const SMS_UNITS_MAX: usize = 9 * 67;

/// The longest text where nothing is known of the platform, in UTF-16 units.
const OTHER_UNITS_MAX: usize = 1_000;

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

    /// How long the parts of this text may be, in UTF-16 units.
    pub fn text_units_max(&self, text: &str) -> usize {
        match self {
            Self::Whatsapp => WHATSAPP_UNITS_MAX,
            // What is not plain ASCII may need the other alphabet, and so may some of what is:
            // the few signs that take two places in the short one.
            Self::Sms
                if text
                    .chars()
                    .all(|c| c.is_ascii() && !"^{}\\[~]|`".contains(c)) =>
            {
                SMS_SHORT_UNITS_MAX
            }
            Self::Sms => SMS_UNITS_MAX,
            Self::Other(_) => OTHER_UNITS_MAX,
        }
    }

    /// Can files be sent there? Where little is known of the platform, they are not.
    pub fn takes_files(&self) -> bool {
        *self == Self::Whatsapp
    }

    /// How formatting is written there.
    pub fn style(&self) -> Style {
        match self {
            Self::Whatsapp => Style::WhatsApp,
            Self::Sms | Self::Other(_) => Style::Plain,
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
