//! Fields of contacts and companies: what they are called and what stands in them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// The longest text that is kept of one field, in bytes. Intercom's own attributes hold 255
/// characters; anything longer is something else in disguise.
pub const TEXT_BYTES_MAX: usize = 4 * 1_024;

/// Fields that are kept of one contact or company. A workspace may define 250 attributes.
pub const FIELDS_MAX: usize = 400;

/// What attributes that a workspace defined itself begin with.
const CUSTOM: &str = "custom.";

/// The name of a field: one of [`KNOWN`], or `custom.` and the name of an attribute that the
/// workspace defined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldName(String);

impl FieldName {
    /// The name.
    pub const NAME: &'static str = "name";
    /// The e-mail address.
    pub const EMAIL: &'static str = "email";
    /// The telephone number.
    pub const PHONE: &'static str = "phone";
    /// The id that the workspace's own system uses.
    pub const EXTERNAL_ID: &'static str = "external_id";

    /// A field by its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// An attribute that the workspace defined.
    pub fn custom(name: &str) -> Self {
        Self(format!("{CUSTOM}{}", cut(name, 200)))
    }

    /// The name as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people call it.
    pub fn title(&self) -> String {
        let known = KNOWN.iter().find(|known| known.name == self.0);
        known.map_or_else(
            || {
                self.0
                    .strip_prefix(CUSTOM)
                    .unwrap_or(&self.0)
                    .replace('_', " ")
            },
            |known| known.title.to_owned(),
        )
    }

    /// May it be edited here? What Intercom itself observes may not.
    pub fn may_be_edited(&self) -> bool {
        let known = KNOWN.iter().find(|known| known.name == self.0);
        known.map_or_else(|| self.0.starts_with(CUSTOM), |known| known.editable)
    }

    /// Is what stands in it a time, in milliseconds?
    pub fn is_time(&self) -> bool {
        let known = KNOWN.iter().find(|known| known.name == self.0);
        known.map_or_else(|| self.0.ends_with("_at"), |known| known.time)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A field that every contact has.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The name as it is stored, which is Intercom's own.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// May it be edited here?
    pub editable: bool,
    /// Is it a time?
    pub time: bool,
}

const fn known(name: &'static str, title: &'static str, editable: bool, time: bool) -> Known {
    Known {
        name,
        title,
        editable,
        time,
    }
}

/// The fields of a contact that Intercom's API names, in the order in which people read them.
pub const KNOWN: &[Known] = &[
    known(FieldName::NAME, "Name", true, false),
    known(FieldName::EMAIL, "E-mail address", true, false),
    known(FieldName::PHONE, "Telephone", true, false),
    known(FieldName::EXTERNAL_ID, "External id", false, false),
    known("owner_id", "Owner", false, false),
    known("created_at", "Created", false, true),
    known("signed_up_at", "Signed up", false, true),
    known("last_seen_at", "Last seen", false, true),
    known("last_replied_at", "Last replied", false, true),
    known("last_contacted_at", "Last contacted", false, true),
    known("language_override", "Language", false, false),
    known("browser", "Browser", false, false),
    known("os", "System", false, false),
    known("country", "Country", false, false),
    known("region", "Region", false, false),
    known("city", "City", false, false),
    known("unsubscribed_from_emails", "Unsubscribed", false, false),
    known("has_hard_bounced", "E-mail bounces", false, false),
    known("marked_email_as_spam", "Marked as spam", false, false),
];

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number; a time in milliseconds where the field is one.
    Whole(i64),
    /// A text.
    Text(String),
    /// A number with decimals, as it was written.
    Decimal {
        /// Its digits.
        d: String,
    },
    /// A kind of value that this version does not know, as JSON: kept and shown, not understood.
    Unknown {
        /// The JSON.
        u: String,
    },
}

impl FieldValue {
    /// A text, shortened to what is kept.
    pub fn text(text: &str) -> Self {
        Self::Text(cut(text, TEXT_BYTES_MAX).to_owned())
    }

    /// From JSON as others write it. Null, an empty text and an empty list say nothing.
    pub fn of_json(value: &serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        Some(match value {
            Value::Null => return None,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Whole(whole),
                None => Self::Decimal {
                    d: number.to_string(),
                },
            },
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => Self::text(text),
            Value::Array(items) if items.is_empty() => return None,
            other => Self::Unknown {
                u: cut(&other.to_string(), TEXT_BYTES_MAX).to_owned(),
            },
        })
    }

    /// As one text.
    pub fn as_text(&self) -> String {
        match self {
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Decimal { d } => d.clone(),
            Self::Unknown { u } => u.clone(),
        }
    }

    /// As a time, where the field is one.
    pub fn as_time(&self) -> Option<Millis> {
        match self {
            Self::Whole(ms) => Some(Millis(*ms)),
            _ => None,
        }
    }
}

/// The first bytes of a text, whole characters only.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// An e-mail address as it is compared: without blanks around it, in lower case. `None` for what
/// is none.
pub fn email_key(text: &str) -> Option<String> {
    let text = cut(text.trim(), TEXT_BYTES_MAX);
    let (local, domain) = text.rsplit_once('@')?;
    let plain = !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace);
    plain.then(|| text.to_lowercase())
}
