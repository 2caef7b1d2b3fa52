//! Why a message did not reach the person, whatever code the provider has for it.

use bowline_net::{ApiError, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::provider::ProviderName;

/// Why a message did not reach the person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryFailure {
    /// The person's last message is too long ago for a free answer.
    WindowClosed,
    /// The person has no account on the platform.
    NotOnPlatform,
    /// The person asked for no more messages.
    OptedOut,
    /// The address is none.
    InvalidRecipient,
    /// The platform could not bring it: phone off for long, old app, blocked.
    Undeliverable,
    /// The platform decided not to bring it.
    WithheldByPlatform,
    /// Too many messages, to this person or altogether.
    Throttled,
    /// The account has no money or no payment method.
    Payment,
    /// The account's credentials do not work or may not do this.
    Credentials,
    /// The channel itself does not work: not registered, suspended, in maintenance.
    ChannelDown,
    /// The platform does not take this kind of content.
    UnsupportedContent,
    /// The file could not be passed on.
    Media,
    /// The text is too long.
    TooLong,
    /// The approved message does not fit: unknown, paused, or with wrong values.
    Template,
    /// Something failed at the far side and may work later.
    Temporary,
    /// Another reason, in the provider's words.
    Other {
        /// The provider's code.
        code: Option<String>,
        /// The provider's words; empty when there were none.
        words: String,
    },
}

/// Who can mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mender {
    /// The service agent who wrote the message.
    Agent,
    /// An administrator of Bowline or of the provider's account.
    Administrator,
    /// Only the person on the channel.
    EndUser,
    /// Time, or the provider.
    Provider,
}

/// What an agent reads about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureWords {
    /// What happened.
    pub what: &'static str,
    /// Who can mend it.
    pub who: Mender,
    /// How.
    pub how: &'static str,
}

impl DeliveryFailure {
    /// Reads a failure from a provider's code and words. `None` only if both are missing.
    ///
    /// Providers pass each other's codes through, also inside the words: all spellings are looked
    /// for in both. What only one provider means by a small number counts only for it.
    pub fn read(provider: ProviderName, code: Option<&str>, words: &str) -> Option<Self> {
        let code = code.map(str::trim).filter(|c| !c.is_empty());
        let words = words.trim();
        if code.is_none() && words.is_empty() {
            return None;
        }
        let number = code.and_then(|c| c.parse().ok());
        let known = number
            .and_then(|n| by_own_code(provider, n).or_else(|| by_code(n)))
            .or_else(|| code.and_then(by_name))
            .or_else(|| numbers_in(words).find_map(by_code))
            .or_else(|| by_words(words));
        Some(known.unwrap_or_else(|| Self::Other {
            code: code.map(str::to_owned),
            words: bowline_net::error::short(words),
        }))
    }

    /// The failure that a refused send means. `None` for an error that says nothing about the
    /// message: it is to be tried again or looked after first.
    pub fn of_refusal(provider: ProviderName, error: &ApiError) -> Option<Self> {
        match error.kind {
            ErrorKind::Transient | ErrorKind::UnknownOutcome | ErrorKind::RateLimited => None,
            ErrorKind::Auth => Some(Self::Credentials),
            _ => {
                let read = Self::read(provider, error.code.as_deref(), &error.message);
                match (read, error.kind) {
                    (Some(Self::Other { .. }) | None, ErrorKind::Permission) => {
                        Some(Self::Credentials)
                    }
                    (Some(Self::Other { .. }) | None, ErrorKind::PlanRestricted) => {
                        Some(Self::Payment)
                    }
                    (Some(read), _) => Some(read),
                    (None, _) => Some(Self::Other {
                        code: error.status.map(|s| s.to_string()),
                        words: error.message.clone(),
                    }),
                }
            }
        }
    }

    /// Whether the same message may be sent again later and arrive, with nobody doing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Throttled | Self::Temporary)
    }

    /// A word that never changes, for keys and columns.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WindowClosed => "window_closed",
            Self::NotOnPlatform => "not_on_platform",
            Self::OptedOut => "opted_out",
            Self::InvalidRecipient => "invalid_recipient",
            Self::Undeliverable => "undeliverable",
            Self::WithheldByPlatform => "withheld_by_platform",
            Self::Throttled => "throttled",
            Self::Payment => "payment",
            Self::Credentials => "credentials",
            Self::ChannelDown => "channel_down",
            Self::UnsupportedContent => "unsupported_content",
            Self::Media => "media",
            Self::TooLong => "too_long",
            Self::Template => "template",
            Self::Temporary => "temporary",
            Self::Other { .. } => "other",
        }
    }

    /// What an agent reads. The provider's own words, where this is
    /// [`Other`](DeliveryFailure::Other), stand beside it.
    pub fn words(&self) -> FailureWords {
        let (what, who, how) = match self {
            Self::WindowClosed => (
                "More than 24 hours have passed since the customer last wrote, and the channel \
                 takes no free answer after that.",
                Mender::EndUser,
                "Wait until the customer writes again, or have an approved template message set \
                 up for this case.",
            ),
            Self::NotOnPlatform => (
                "The customer's number has no account on this channel any more.",
                Mender::Agent,
                "Reach the customer another way, for example by phone or e-mail.",
            ),
            Self::OptedOut => (
                "The customer has asked to get no more messages on this channel.",
                Mender::EndUser,
                "Only the customer can take that back, by writing START or by allowing messages \
                 in the app. Reach the customer another way.",
            ),
            Self::InvalidRecipient => (
                "The customer's address is not one that the channel can send to.",
                Mender::Agent,
                "Check the number or name under which the customer is known, and reach the \
                 customer another way.",
            ),
            Self::Undeliverable => (
                "The channel could not bring the message to the customer's device: it may be off \
                 for long, use an outdated app, or block this number.",
                Mender::Agent,
                "Send the message again later, or reach the customer another way.",
            ),
            Self::WithheldByPlatform => (
                "The platform decided not to deliver this message.",
                Mender::Agent,
                "Do not send it again at once, which makes it worse. Wait for the customer to \
                 write, or reach the customer another way.",
            ),
            Self::Throttled => (
                "The channel has taken too many messages in too short a time.",
                Mender::Provider,
                "Send the message again later. If it happens often, an administrator can ask the \
                 provider for a higher limit.",
            ),
            Self::Payment => (
                "The provider's account has no balance or no valid payment method.",
                Mender::Administrator,
                "An administrator has to settle it in the provider's dashboard; then send the \
                 message again.",
            ),
            Self::Credentials => (
                "The provider does not accept the credentials of this channel account, or does \
                 not permit it to send.",
                Mender::Administrator,
                "An administrator has to renew the access key or its permissions; then send the \
                 message again.",
            ),
            Self::ChannelDown => (
                "The channel itself does not work at the provider: it is not registered, \
                 suspended or in maintenance.",
                Mender::Administrator,
                "An administrator has to look at the channel in the provider's dashboard; then \
                 send the message again.",
            ),
            Self::UnsupportedContent => (
                "The channel does not take this kind of content.",
                Mender::Agent,
                "Send it as plain text, or without the file.",
            ),
            Self::Media => (
                "The file could not be passed on: its type or size does not suit the channel, or \
                 it could not be fetched.",
                Mender::Agent,
                "Send the message without the file, or with a smaller one of a common type.",
            ),
            Self::TooLong => (
                "The text is longer than the channel takes.",
                Mender::Agent,
                "Send it in shorter comments.",
            ),
            Self::Template => (
                "The approved template message is unknown, paused, or does not fit its values.",
                Mender::Administrator,
                "An administrator has to compare the template's name, language and values with \
                 the provider's dashboard.",
            ),
            Self::Temporary => (
                "The provider had a fault of its own.",
                Mender::Provider,
                "Send the message again later.",
            ),
            Self::Other { .. } => (
                "The provider refused the message.",
                Mender::Administrator,
                "The provider's own words say why. Send the message again when that is settled, \
                 or reach the customer another way.",
            ),
        };
        FailureWords { what, who, how }
    }
}

/// Numbers that only this provider means so.
fn by_own_code(provider: ProviderName, number: u32) -> Option<DeliveryFailure> {
    match provider {
        ProviderName::MessageBird => messagebird_code(number),
        ProviderName::WhatsApp => meta_code(number),
    }
}

/// Source: MessageBird's pages on the Conversations API and on its errors.
fn messagebird_code(number: u32) -> Option<DeliveryFailure> {
    Some(match number {
        2 | 1001 => DeliveryFailure::Credentials,
        25 => DeliveryFailure::Payment,
        99 => DeliveryFailure::Temporary,
        302 => DeliveryFailure::NotOnPlatform,
        _ => return None,
    })
}

/// Source: Meta's pages on the errors of the Cloud API and of the Graph API.
fn meta_code(number: u32) -> Option<DeliveryFailure> {
    Some(match number {
        0 | 3 | 10 | 190 | 200..=299 => DeliveryFailure::Credentials,
        1 | 2 => DeliveryFailure::Temporary,
        4 => DeliveryFailure::Throttled,
        33 => DeliveryFailure::InvalidRecipient,
        368 => DeliveryFailure::ChannelDown,
        _ => return None,
    })
}

/// Numbers that mean the same wherever they appear: Meta's codes of six digits and Twilio's of
/// five, and the 470 of Meta's older interface, which MessageBird still passes on.
fn by_code(number: u32) -> Option<DeliveryFailure> {
    use DeliveryFailure::{
        ChannelDown, Credentials, InvalidRecipient, Media, NotOnPlatform, OptedOut, Payment,
        Template, Temporary, Throttled, TooLong, Undeliverable, UnsupportedContent, WindowClosed,
        WithheldByPlatform,
    };
    Some(match number {
        470 | 131_047 | 63_016 => WindowClosed,
        63_003 | 63_024 => NotOnPlatform,
        131_050 | 21_610 | 63_033 => OptedOut,
        131_021 | 131_030 | 21_211 | 21_614 => InvalidRecipient,
        131_026 | 30_003 | 30_005 | 30_006 => Undeliverable,
        131_049 | 130_472 | 130_497 | 30_007 | 63_049 => WithheldByPlatform,
        80_007 | 130_429 | 131_048 | 131_056 | 133_016 | 63_018 | 20_429 => Throttled,
        131_042 => Payment,
        131_005 | 20_003 => Credentials,
        131_031 | 131_037 | 131_045 | 131_057 | 133_010 | 63_007 => ChannelDown,
        131_051 | 63_005 | 63_021 => UnsupportedContent,
        131_052 | 131_053 | 63_019 => Media,
        21_617 => TooLong,
        132_000..=132_999 | 63_040 | 63_041 | 63_042 => Template,
        131_000 | 131_016 | 133_004 => Temporary,
        _ => return None,
    })
}

/// Codes that are words, as Bird's newer interfaces write them.
fn by_name(code: &str) -> Option<DeliveryFailure> {
    use DeliveryFailure::{NotOnPlatform, OptedOut, Payment, Throttled, WindowClosed};
    Some(match code.to_ascii_lowercase().as_str() {
        "service_window_expired" | "outside_window" => WindowClosed,
        "not_on_whatsapp" | "recipient_not_on_whatsapp" => NotOnPlatform,
        "opted_out" | "recipient_opted_out" | "unsubscribed" => OptedOut,
        "insufficient_balance" | "payment_required" => Payment,
        "rate_limited" | "too_many_requests" => Throttled,
        _ => return None,
    })
}

/// Phrases that providers use; each in lower case.
const PHRASES: &[(&str, DeliveryFailure)] = &[
    ("24 hour", DeliveryFailure::WindowClosed),
    ("24-hour", DeliveryFailure::WindowClosed),
    ("24h window", DeliveryFailure::WindowClosed),
    ("re-engagement", DeliveryFailure::WindowClosed),
    ("reengagement", DeliveryFailure::WindowClosed),
    ("outside the allowed window", DeliveryFailure::WindowClosed),
    ("outside the window", DeliveryFailure::WindowClosed),
    ("customer service window", DeliveryFailure::WindowClosed),
    ("not registered on whatsapp", DeliveryFailure::NotOnPlatform),
    ("not a whatsapp user", DeliveryFailure::NotOnPlatform),
    ("not on whatsapp", DeliveryFailure::NotOnPlatform),
    ("opted out", DeliveryFailure::OptedOut),
    ("opted-out", DeliveryFailure::OptedOut),
    ("unsubscribed", DeliveryFailure::OptedOut),
    ("blacklist", DeliveryFailure::OptedOut),
    ("not enough balance", DeliveryFailure::Payment),
    ("insufficient balance", DeliveryFailure::Payment),
    ("payment issue", DeliveryFailure::Payment),
    ("rate limit", DeliveryFailure::Throttled),
    ("too many", DeliveryFailure::Throttled),
    ("access token", DeliveryFailure::Credentials),
    ("access key", DeliveryFailure::Credentials),
];

fn by_words(words: &str) -> Option<DeliveryFailure> {
    let words = words.to_lowercase();
    let hit = PHRASES.iter().find(|(phrase, _)| words.contains(phrase));
    hit.map(|(_, failure)| failure.clone())
}

/// The whole numbers that stand in a text.
fn numbers_in(text: &str) -> impl Iterator<Item = u32> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests;
