//! Contacts and companies as Intercom writes them.

use std::fmt;

use bowline_net::json::{as_id, at, filled, id, instant_s, int, list, text};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Most entries of a page of contacts.
pub const CONTACTS_PER_PAGE_MAX: u32 = 150;

/// A user or lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// Its id, unique within the workspace.
    pub id: String,
    /// `user` or `lead`.
    pub role: String,
    /// When it was changed, in Unix seconds.
    pub updated_at_s: Option<i64>,
    /// What else it says, by Intercom's name; times are left out.
    pub values: Vec<(&'static str, Value)>,
    /// Its times, in Unix seconds.
    pub times: Vec<(&'static str, i64)>,
    /// The attributes that the workspace defined.
    pub custom: Vec<(String, Value)>,
    /// The ids of companies that it belongs to, ten at most.
    pub companies: Vec<String>,
    /// Does it belong to more of them?
    pub more_companies: bool,
}

/// What is read of a contact besides what has a place of its own.
const VALUES: [&str; 11] = [
    "name",
    "email",
    "phone",
    "external_id",
    "owner_id",
    "language_override",
    "browser",
    "os",
    "unsubscribed_from_emails",
    "has_hard_bounced",
    "marked_email_as_spam",
];

/// The rest of what is read of a contact, besides its times.
const PARTS: [&str; 6] = [
    "id",
    "role",
    "updated_at",
    "location",
    "custom_attributes",
    "companies",
];

const PLACES: [&str; 3] = ["country", "region", "city"];

/// Whole seconds in the REST API, ISO 8601 in webhooks.
const TIMES: [&str; 5] = [
    "created_at",
    "signed_up_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
];

impl Contact {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let own = VALUES.iter().map(|name| (*name, value.get(*name)));
        let location = at(value, &["location"]);
        let places = PLACES.iter().map(|name| (*name, location.get(*name)));
        let values = own
            .chain(places)
            .filter_map(|(name, value)| Some((name, value?.clone())))
            // The owner's id was a number before 2.16.
            .map(|(name, value)| match as_id(&value) {
                Some(id) if name == "owner_id" => (name, Value::String(id)),
                _ => (name, value),
            });
        let times = TIMES
            .iter()
            .filter_map(|name| Some((*name, instant_s(value, name)?)));
        let custom = value
            .get("custom_attributes")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()));
        let companies = at(value, &["companies"]);
        Some(Self {
            id: id(value, "id")?,
            role: filled(value, "role").unwrap_or_else(|| "user".to_owned()),
            updated_at_s: instant_s(value, "updated_at"),
            values: values.collect(),
            times: times.collect(),
            custom: custom.collect(),
            companies: list(companies, "data")
                .iter()
                .filter_map(|company| id(company, "id"))
                .collect(),
            more_companies: companies.get("has_more").and_then(Value::as_bool) == Some(true),
        })
    }
}

/// An entry of a list as far as it is read: a contact has some fifty fields, and most of them say
/// nothing or nothing that is kept. Passing over them is most of the speed of a full copy.
struct Sparse(Value);

impl<'de> Deserialize<'de> for Sparse {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Sparse;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a contact")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Sparse, A::Error> {
                let mut kept = Map::new();
                while let Some(Field(name)) = fields.next_key()? {
                    let Some(name) = name else {
                        fields.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    // What is told twice is as it was told last.
                    match fields.next_value()? {
                        Value::Null => drop(kept.remove(name)),
                        value => drop(kept.insert(name.to_owned(), value)),
                    }
                }
                Ok(Sparse(Value::Object(kept)))
            }
        }
        from.deserialize_map(Read)
    }
}

/// The name of a field; `None`: of one that is not read.
struct Field(Option<&'static str>);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E>(self, name: &str) -> Result<Field, E> {
                let mut read = VALUES.iter().chain(&PARTS).chain(&TIMES);
                Ok(Field(read.find(|read| **read == name).copied()))
            }
        }
        from.deserialize_identifier(Read)
    }
}

/// A company.
#[derive(Debug, Clone, PartialEq)]
pub struct Company {
    /// Its id at Intercom.
    pub id: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// The name of its plan.
    pub plan: Option<String>,
    /// What it spends in a month, in hundredths.
    pub monthly_spend: Option<i64>,
    /// How many users it has.
    pub user_count: Option<i64>,
    /// When it was changed, in Unix seconds.
    pub updated_at_s: Option<i64>,
    /// What else it says, by Intercom's name.
    pub values: Vec<(&'static str, Value)>,
    /// The attributes that the workspace defined.
    pub custom: Vec<(String, Value)>,
}

const COMPANY_VALUES: [&str; 5] = ["company_id", "website", "industry", "size", "session_count"];

impl Company {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let values = COMPANY_VALUES
            .iter()
            .filter_map(|name| Some((*name, value.get(*name)?.clone())));
        let custom = value
            .get("custom_attributes")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()));
        Some(Self {
            id: id(value, "id")?,
            name: text(value, "name").unwrap_or_default(),
            plan: filled(at(value, &["plan"]), "name"),
            monthly_spend: value.get("monthly_spend").and_then(hundredths),
            user_count: int(value, "user_count"),
            updated_at_s: instant_s(value, "updated_at"),
            values: values.collect(),
            custom: custom.collect(),
        })
    }
}

/// An amount in hundredths: a number or its digits, with or without decimals.
pub fn hundredths(value: &Value) -> Option<i64> {
    let digits = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    let negative = whole.starts_with('-');
    let whole: i64 = whole.parse().ok()?;
    let part: String = part.chars().chain("00".chars()).take(2).collect();
    let part: i64 = part.parse().ok()?;
    let part = if negative { -part } else { part };
    whole.checked_mul(100)?.checked_add(part)
}

/// Why one entry of a page cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A page of contacts. Where it goes on is known as soon as it is there; what stands on it is read
/// when it is asked for, so that the next page can be on its way meanwhile.
#[derive(Debug, Clone)]
pub struct ContactPage {
    entries: Vec<Box<RawValue>>,
    /// Where the next page begins; `None`: this is the last one.
    pub next: Option<String>,
    /// How many contacts there are.
    pub total: Option<i64>,
}

#[derive(Deserialize)]
struct Wire {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    total_count: Option<i64>,
    #[serde(default)]
    pages: Value,
}

impl ContactPage {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(body).ok()?;
        Some(Self {
            next: filled(at(&wire.pages, &["next"]), "starting_after"),
            total: wire.total_count,
            entries: wire.data,
        })
    }

    /// How many entries stand on it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there nothing on it?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The contacts, each read as it is its turn. One that cannot be read does not spoil the others.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact, BadEntry>> {
        self.entries.iter().map(|entry| {
            // It is JSON, so only its shape can be in the way.
            let Sparse(value) = serde_json::from_str(entry.get()).map_err(|_| BadEntry {
                id: None,
                why: "it is no object, or nested too deep to be read",
            })?;
            Contact::read(&value).ok_or(BadEntry {
                id: id(&value, "id"),
                why: "it has no id",
            })
        })
    }
}

/// A part of the companies.
#[derive(Debug, Clone, PartialEq)]
pub struct CompanyPage {
    /// The companies.
    pub companies: Vec<Company>,
    /// What asks for the next part; `None`: this was the last.
    pub next: Option<String>,
}

impl CompanyPage {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let companies: Vec<Company> = value
            .get("data")?
            .as_array()?
            .iter()
            .filter_map(Company::read)
            .collect();
        // The end of a scroll is a part with nothing on it.
        let next = filled(value, "scroll_param").filter(|_| !list(value, "data").is_empty());
        Some(Self { companies, next })
    }
}

/// The ids that were merged into a contact, as a webhook tells them: a text, an object with an id,
/// or a list of those. The oldest captures tell none.
pub(crate) fn merged_from(value: &Value) -> Vec<String> {
    let one = |value: &Value| as_id(value).or_else(|| id(value, "id"));
    match value.get("merged_from") {
        Some(Value::Array(items)) => items.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_contact_is_read_as_rest_and_as_webhooks_write_it() {
        let rest = json!({
            "type": "contact", "id": "6762f0", "role": "lead", "name": null, "email": "",
            "owner_id": 12, "created_at": 1_700_000_000, "updated_at": 1_700_000_060,
            "last_seen_at": null, "location": {"type": "location", "country": "Sweden", "city": null},
            "custom_attributes": {"plan": "Pro", "odd": {"type": "Order.list"}},
            "companies": {"type": "list", "data": [{"type": "company", "id": "c1", "url": "/companies/c1"}],
                "total_count": 11, "has_more": true},
        });
        let read = Contact::read(&rest).unwrap();
        assert_eq!((read.id.as_str(), read.role.as_str()), ("6762f0", "lead"));
        assert_eq!(read.updated_at_s, Some(1_700_000_060));
        assert_eq!(read.times, [("created_at", 1_700_000_000)]);
        assert!(read.values.contains(&("owner_id", json!("12"))));
        assert!(read.values.contains(&("country", json!("Sweden"))));
        assert_eq!(read.custom.len(), 2);
        assert_eq!((read.companies.len(), read.more_companies), (1, true));
        let webhook = json!({"id": 7, "updated_at": "2026-01-10T06:29:21.953+00:00"});
        let read = Contact::read(&webhook).unwrap();
        assert_eq!(
            (read.id.as_str(), read.updated_at_s),
            ("7", Some(1_768_026_561))
        );
        assert_eq!(Contact::read(&json!({"type": "contact", "id": null})), None);
    }

    #[test]
    fn amounts_are_hundredths() {
        for (value, wanted) in [
            (json!(49), Some(4_900)),
            (json!(49.5), Some(4_950)),
            (json!(0.129), Some(12)),
            (json!("12.30"), Some(1_230)),
            (json!(-1.5), Some(-150)),
            (json!(null), None),
            (json!("much"), None),
        ] {
            assert_eq!(hundredths(&value), wanted, "{value}");
        }
    }

    #[test]
    fn one_bad_entry_does_not_spoil_a_page() {
        let body = json!({"type": "list", "total_count": 3, "pages": {"next": {"page": 2,
            "starting_after": "WzE="}}, "data": [{"id": "a"}, {"id": null}, {"id": "b"}]});
        let page = ContactPage::read(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            (page.next.as_deref(), page.total, page.len()),
            (Some("WzE="), Some(3), 3)
        );
        let read: Vec<bool> = page.contacts().map(|read| read.is_ok()).collect();
        assert_eq!(read, [true, false, true]);
        assert!(ContactPage::read(b"{\"data\": 1}").is_none());
        let last = json!({"data": [], "pages": {"next": null}});
        let last = ContactPage::read(last.to_string().as_bytes()).unwrap();
        assert!(last.next.is_none() && last.is_empty());
    }

    #[test]
    fn what_is_passed_over_makes_no_difference() {
        let entry = json!({
            "type": "contact", "id": "a", "role": "lead", "name": "Mia", "email": null,
            "phone": "+46", "external_id": "x-1", "owner_id": 12, "language_override": "sv",
            "browser": "firefox", "os": "Linux", "unsubscribed_from_emails": true,
            "has_hard_bounced": false, "marked_email_as_spam": false, "avatar": {"a": [1, null]},
            "created_at": 1, "signed_up_at": "2", "last_seen_at": 3, "last_replied_at": 4,
            "last_contacted_at": 5, "updated_at": 6, "tags": {"data": [{"id": "t"}]},
            "location": {"country": "Sweden", "region": "Skåne", "city": "Lund", "more": 1},
            "custom_attributes": {"plan": "Pro", "none": null, "odd": {"x": [1]}},
            "companies": {"data": [{"id": "c1"}, {"id": 2}], "has_more": true},
        });
        let body = json!({"data": [entry], "pages": {}}).to_string();
        let page = ContactPage::read(body.as_bytes()).unwrap();
        let read = page.contacts().last().unwrap().unwrap();
        let mut whole = Contact::read(&entry).unwrap();
        assert_eq!((whole.values.len(), whole.times.len()), (14, 5));
        // Null says nothing, in a list as elsewhere.
        whole.values.retain(|(_, value)| !value.is_null());
        assert_eq!(read, whole);
    }

    #[test]
    fn entries_that_are_none_and_deep_ones_are_told() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let entries = [
            "7".to_owned(),
            "null".to_owned(),
            format!(r#"{{"id": "a", "avatar": {deep}}}"#),
            format!(r#"{{"id": "b", "location": {deep}}}"#),
            r#"{"id": "c", "id": "d", "name": "Mia", "name": null}"#.to_owned(),
        ];
        let body = format!(r#"{{"data": [{}], "pages": null}}"#, entries.join(","));
        let page = ContactPage::read(body.as_bytes()).unwrap();
        let read: Vec<_> = page.contacts().collect();
        let ids: Vec<Option<&str>> = read
            .iter()
            .map(|read| read.as_ref().ok().map(|contact| contact.id.as_str()))
            .collect();
        assert_eq!(ids, [None, None, Some("a"), None, Some("d")]);
        assert_eq!(read[4].as_ref().unwrap().values, []);
    }

    #[test]
    fn who_was_merged_is_read_in_every_shape() {
        for (value, wanted) in [
            (json!({"merged_from": "a"}), vec!["a"]),
            (
                json!({"merged_from": {"type": "contact", "id": "a"}}),
                vec!["a"],
            ),
            (json!({"merged_from": ["a", {"id": "b"}]}), vec!["a", "b"]),
            (json!({}), vec![]),
        ] {
            assert_eq!(merged_from(&value), wanted, "{value}");
        }
    }
}
