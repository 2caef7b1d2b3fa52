//! What can be done on a channel.

use std::fmt;
use std::time::Duration;

use bowline_text::channel::Style;
use serde::{Deserialize, Serialize};

use crate::ids::IdentityKind;

/// How long after the person's last message a free answer may be sent on WhatsApp; also Meta's
/// window for Messenger and Instagram. Source: Meta, "customer service window".
pub const REPLY_WINDOW: Duration = Duration::from_hours(24);

/// The network behind a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Text messages of the phone network.
    Sms,
    /// WhatsApp, its sandbox included.
    WhatsApp,
    /// Facebook Messenger.
    Messenger,
    /// Instagram direct messages.
    Instagram,
    /// Telegram.
    Telegram,
    /// LINE.
    Line,
    /// WeChat.
    WeChat,
    /// E-mail.
    Email,
    /// Another one, by the provider's name for it; empty when not said.
    Other(String),
}

impl Platform {
    /// Reads a platform in MessageBird's words. The set is open: a new name is kept.
    pub fn read(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "sms" => Self::Sms,
            "whatsapp" | "whatsapp_sandbox" => Self::WhatsApp,
            "facebook" | "messenger" => Self::Messenger,
            "instagram" => Self::Instagram,
            "telegram" => Self::Telegram,
            "line" => Self::Line,
            "wechat" => Self::WeChat,
            "email" => Self::Email,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The kind of name by which this platform addresses people.
    pub fn identity_kind(&self) -> IdentityKind {
        match self {
            Self::Sms | Self::WhatsApp => IdentityKind::Phone,
            Self::Email => IdentityKind::Email,
            _ => IdentityKind::Other,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sms => "SMS",
            Self::WhatsApp => "WhatsApp",
            Self::Messenger => "Messenger",
            Self::Instagram => "Instagram",
            Self::Telegram => "Telegram",
            Self::Line => "LINE",
            Self::WeChat => "WeChat",
            Self::Email => "e-mail",
            Self::Other(name) if name.is_empty() => "an unnamed channel",
            Self::Other(name) => name,
        })
    }
}

/// How long one text may be, in UTF-16 units (a character, or two for most emoji).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimit {
    /// For a text that the platform sends in its short alphabet.
    pub short_alphabet: usize,
    /// For any other text. The same where a platform has one alphabet.
    pub any: usize,
}

impl TextLimit {
    /// The same limit for every text.
    pub const fn of(units: usize) -> Self {
        Self {
            short_alphabet: units,
            any: units,
        }
    }

    /// The limit for the parts of this text.
    pub fn for_text(self, text: &str) -> usize {
        if self.short_alphabet == self.any {
            return self.any;
        }
        match gsm_extras(text) {
            // Each of them costs two places. All of them may come to stand in one part.
            Some(extras) => self.short_alphabet.saturating_sub(extras).max(self.any),
            None => self.any,
        }
    }
}

/// The number of characters that take two places in the default alphabet of GSM 03.38; `None`
/// when the text needs another alphabet.
fn gsm_extras(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";
    let mut extras = 0;
    for c in text.chars() {
        if EXTENSION.contains(c) {
            extras += 1;
        } else if !BASIC.contains(c) {
            return None;
        }
    }
    Some(extras)
}

/// What can be done on one platform through one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether the provider keeps a conversation with a state of its own, which can be closed on
    /// either side. Without, "one active conversation per end user" is ours to keep.
    pub has_conversation: bool,
    /// How long after the person's last message a free answer may be sent; `None` for always.
    pub reply_window: Option<Duration>,
    /// How long one text may be.
    pub max_text: TextLimit,
    /// Whether files can be sent.
    pub media_out: bool,
    /// The largest file that can be sent, in bytes, where it is known.
    pub max_media_bytes: Option<u64>,
    /// Whether messages come back as read.
    pub read_receipts: bool,
    /// The kinds of identity that people on it may have.
    pub identity_kinds: &'static [IdentityKind],
    /// How formatting is written.
    pub style: Style,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_is_longer_in_the_short_alphabet() {
        let limit = TextLimit {
            short_alphabet: 1377,
            any: 603,
        };
        for (text, want) in [
            ("Hello, how are you?", 1377),
            ("Grüße aus Köln", 1377),
            ("5 € [net]", 1374),
            ("Привет", 603),
            ("ok 👍", 603),
        ] {
            assert_eq!(limit.for_text(text), want, "{text}");
        }
        assert_eq!(limit.for_text(&"€".repeat(1300)), 603);
        assert_eq!(TextLimit::of(4096).for_text("Привет"), 4096);
    }

    #[test]
    fn an_unknown_platform_keeps_its_name() {
        for (word, want) in [
            ("whatsapp_sandbox", "WhatsApp"),
            ("SMS", "SMS"),
            ("facebook", "Messenger"),
            ("pigeon", "pigeon"),
            ("", "an unnamed channel"),
        ] {
            assert_eq!(Platform::read(word).to_string(), want);
        }
    }
}
