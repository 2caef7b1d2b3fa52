//! End users and what they are known by.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::{AccountName, EndUserId};
use super::language::Language;

/// Digits of a telephone number in its international form: at most 15 (E.164), and fewer than 7
/// are no subscriber's.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What kind of thing an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A telephone number in its international form. The one kind that joins people over channels.
    Phone,
    /// A WhatsApp user id that belongs to one business.
    WhatsappUser,
    /// An e-mail address.
    Email,
    /// The provider's own contact.
    Contact,
    /// The name by which another platform knows the person.
    Other,
}

impl IdentityKind {
    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::WhatsappUser => "whatsapp_user",
            Self::Email => "email",
            Self::Contact => "contact",
            Self::Other => "other",
        }
    }

    /// The reverse of [`IdentityKind::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Phone,
            Self::WhatsappUser,
            Self::Email,
            Self::Contact,
            Self::Other,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// One thing that an end user is known by within a channel account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// What kind of thing.
    pub kind: IdentityKind,
    /// Its value, in the one form that is compared.
    pub value: String,
}

impl Identity {
    /// A telephone number as a provider writes it: digits, perhaps after `+` or `00`. `None` if it
    /// is none.
    pub fn phone(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let strange = text
            .chars()
            .any(|c| !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.'));
        let digits = digits.trim_start_matches("00");
        (!strange && PHONE_DIGITS.contains(&digits.len())).then(|| Self {
            kind: IdentityKind::Phone,
            value: format!("+{digits}"),
        })
    }

    /// The provider's contact.
    pub fn contact(id: &str) -> Self {
        Self {
            kind: IdentityKind::Contact,
            value: id.to_owned(),
        }
    }
}

/// A person on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUser {
    /// Who.
    pub id: EndUserId,
    /// What they are known by, most telling first.
    pub identities: Vec<Identity>,
    /// The name that the provider gives.
    pub name: Option<String>,
    /// An administrator does not want to hear of them.
    pub blocked: bool,
    /// The Jira customer whom an agent said they are: account id, or user name on Data Center.
    pub customer: Option<String>,
    /// The language in which an agent said they are to be written to.
    pub language: Option<Language>,
}

impl EndUser {
    /// A person who was never seen, by what they come with. `None` if they come with nothing.
    pub fn new(account: &AccountName, identities: &[Identity], name: Option<&str>) -> Option<Self> {
        let mut identities = identities.to_vec();
        identities.sort();
        identities.dedup();
        let first = identities.first()?;
        let named = format!("{account}\n{}\n{}", first.kind.as_str(), first.value);
        let digest = Sha256::digest(named.as_bytes());
        let id = digest[..8].iter().fold(String::new(), |mut id, byte| {
            use std::fmt::Write as _;
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
            id
        });
        Some(Self {
            id: EndUserId::new(id),
            identities,
            name: name.map(str::to_owned),
            blocked: false,
            customer: None,
            language: None,
        })
    }

    /// The same person with what a message adds: identities are kept, the newest name counts.
    #[must_use]
    pub fn with(&self, identities: &[Identity], name: Option<&str>) -> Self {
        let mut all = self.identities.clone();
        all.extend_from_slice(identities);
        all.sort();
        all.dedup();
        Self {
            identities: all,
            name: name.map(str::to_owned).or_else(|| self.name.clone()),
            ..self.clone()
        }
    }

    /// What to call them: their name, else their number, else their id at the provider.
    pub fn label(&self) -> &str {
        self.name
            .as_deref()
            .or_else(|| self.identities.first().map(|one| one.value.as_str()))
            .unwrap_or("Someone")
    }

    /// Their telephone number, if it is known.
    pub fn phone(&self) -> Option<&str> {
        self.identities
            .iter()
            .find(|one| one.kind == IdentityKind::Phone)
            .map(|one| one.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for (text, want) in [
            ("31612345678", Some("+31612345678")),
            ("+31 6 1234-5678", Some("+31612345678")),
            ("0031612345678", Some("+31612345678")),
            ("NL.1234567890", None),
            ("12345", None),
            ("", None),
        ] {
            let phone = Identity::phone(text).map(|phone| phone.value);
            assert_eq!(phone.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_number_names_a_person_before_anything_else_and_names_never_do() {
        let account = AccountName::new("bird");
        let phone = Identity::phone("+31612345678").expect("a number");
        let by_phone = EndUser::new(&account, std::slice::from_ref(&phone), Some("Noa"));
        let both = [Identity::contact("c1"), phone];
        let by_both = EndUser::new(&account, &both, Some("Somebody else"));
        assert_eq!(by_phone.map(|one| one.id), by_both.map(|one| one.id));
        let by_contact = EndUser::new(&account, &both[..1], Some("Noa"));
        let other = EndUser::new(&account, &[Identity::contact("c2")], Some("Noa"));
        assert_ne!(by_contact.map(|one| one.id), other.map(|one| one.id));
        assert_eq!(EndUser::new(&account, &[], Some("Noa")), None);
    }
}
