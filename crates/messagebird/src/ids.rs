//! Identifiers of the far side. Each is a type of its own, so that one cannot be passed for
//! another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! remote_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it came.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

remote_id! {
    /// A channel of an account: MessageBird's channel id, or WhatsApp's phone number id.
    ChannelId
}
remote_id! {
    /// A conversation that the provider keeps. Only where
    /// [`Capabilities::has_conversation`](crate::Capabilities::has_conversation).
    RemoteConversationId
}
remote_id! {
    /// One message, inbound or outbound: MessageBird's message id, or WhatsApp's `wamid`.
    RemoteMessageId
}
remote_id! {
    /// A contact in the provider's own address book.
    RemoteContactId
}
remote_id! {
    /// A registered webhook.
    RemoteWebhookId
}

/// What an identity is. A value means a person only together with its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A phone number in E.164 form, with `+`. The only kind that joins one person across
    /// channels.
    Phone,
    /// A WhatsApp user id that belongs to one business (`CC.…`). WhatsApp sends it since 2026,
    /// and the phone number may be absent then.
    WhatsAppUser,
    /// An e-mail address, in lower case.
    Email,
    /// A contact of the provider's address book; unique within the account.
    Contact,
    /// The name by which another platform knows the person, unique within the channel.
    Other,
}

impl IdentityKind {
    /// A word that never changes, for keys and columns.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::WhatsAppUser => "whats_app_user",
            Self::Email => "email",
            Self::Contact => "contact",
            Self::Other => "other",
        }
    }
}

/// One way by which a provider knows a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// The value, normalised so that equal ones are the same text. Never blank.
    pub value: String,
}

/// Fewest digits of a number that is taken for an international one. Shorter ones are service
/// numbers, which mean different subscribers in different countries.
const MIN_PHONE_DIGITS: usize = 7;
/// Most digits of an E.164 number (ITU-T E.164).
const MAX_PHONE_DIGITS: usize = 15;

impl Identity {
    /// A phone number, written with or without `+`, `00`, spaces and dashes. `None` for what is
    /// no international number.
    pub fn phone(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains(|c: char| {
            !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '\u{a0}')
        }) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        let is_number = (MIN_PHONE_DIGITS..=MAX_PHONE_DIGITS).contains(&digits.len())
            && !digits.starts_with('0');
        is_number.then(|| Self {
            kind: IdentityKind::Phone,
            value: format!("+{digits}"),
        })
    }

    /// An identity of a kind whose values are taken as they are; `None` for a blank one.
    pub fn of(kind: IdentityKind, value: &str) -> Option<Self> {
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        match kind {
            IdentityKind::Phone => Self::phone(value),
            IdentityKind::Email => Some(Self {
                kind,
                value: value.to_lowercase(),
            }),
            _ => Some(Self {
                kind,
                value: value.to_owned(),
            }),
        }
    }

    /// A WhatsApp sender or recipient: a phone number, or a user id in the form `CC.…`.
    pub fn whatsapp(text: &str) -> Option<Self> {
        Self::phone(text).or_else(|| Self::of(IdentityKind::WhatsAppUser, text))
    }

    /// The digits of a phone number without `+`, as the providers want them in calls; the value
    /// of any other kind.
    pub fn wire(&self) -> &str {
        self.value.strip_prefix('+').unwrap_or(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_one_identity() {
        for (text, want) in [
            ("+4915550100", Some("+4915550100")),
            ("4915550100", Some("+4915550100")),
            ("004915550100", Some("+4915550100")),
            (" +49 (155) 50-100 ", Some("+4915550100")),
            ("+49.155.50100", Some("+4915550100")),
            ("22395", None),
            ("015550100", None),
            ("1234567890123456", None),
            ("DE.13491208655302741918", None),
            ("Support", None),
            ("", None),
        ] {
            let read = Identity::phone(text).map(|i| i.value);
            assert_eq!(read.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_whatsapp_sender_may_have_no_number() {
        let user = Identity::whatsapp("DE.13491208655302741918").unwrap();
        assert_eq!(user.kind, IdentityKind::WhatsAppUser);
        assert_eq!(user.wire(), "DE.13491208655302741918");
        let phone = Identity::whatsapp("4915550100").unwrap();
        assert_eq!(
            (&phone.kind, phone.wire()),
            (&IdentityKind::Phone, "4915550100")
        );
        assert_eq!(Identity::whatsapp(" "), None);
    }

    #[test]
    fn the_code_of_a_kind_is_its_stored_form() {
        for kind in [
            IdentityKind::Phone,
            IdentityKind::WhatsAppUser,
            IdentityKind::Email,
            IdentityKind::Contact,
            IdentityKind::Other,
        ] {
            let stored = serde_json::to_value(&kind).unwrap();
            assert_eq!(stored.as_str(), Some(kind.code()));
        }
    }
}
