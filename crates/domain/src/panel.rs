//! What the issue panel shows of people: which attributes, in which order, and how their values
//! read.
//!
//! What a binding does not list never leaves the server: pages are made of [`Shown`] alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::time::Millis;

/// Where the panel of an issue takes its contacts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactSource {
    /// The contacts of all linked conversations.
    #[default]
    Linked,
    /// The users and leads with the e-mail address of the reporter.
    Reporter,
}

/// The attributes that are shown, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisibleFields {
    /// Of users.
    pub user: Vec<String>,
    /// Of leads.
    pub lead: Vec<String>,
    /// Of the companies of either.
    pub company: Vec<String>,
}

impl VisibleFields {
    /// What users and leads show unless a binding says otherwise; the default of the app that
    /// people switch from.
    pub const OF_PEOPLE: [&str; 6] = [
        "email",
        "phone",
        "user_id",
        "created_at",
        "last_request_at",
        "session_count",
    ];

    /// What companies show unless a binding says otherwise.
    pub const OF_COMPANIES: [&str; 2] = ["size", "website"];
}

impl Default for VisibleFields {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            user: list(&Self::OF_PEOPLE),
            lead: list(&Self::OF_PEOPLE),
            company: list(&Self::OF_COMPANIES),
        }
    }
}

/// What a binding says of the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PanelSettings {
    /// Is there a panel?
    pub enabled: bool,
    /// May whole conversations be read?
    pub conversation_view: bool,
    /// Whose contacts are shown.
    pub contact_source: ContactSource,
    /// What is shown of them.
    pub visible: VisibleFields,
}

impl Default for PanelSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            conversation_view: true,
            contact_source: ContactSource::default(),
            visible: VisibleFields::default(),
        }
    }
}

/// How the value of an attribute reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As this text.
    Text(String),
    /// As this time.
    At(Millis),
}

/// What older versions of Intercom's API called attributes, as settings still do, and what they are
/// called since 2.0. (Its guide to the contacts model names them.)
const RENAMED: [(&str, &str); 2] = [
    ("user_id", "external_id"),
    ("last_request_at", "last_seen_at"),
];

/// What an attribute is called since 2.0 of Intercom's API; the same unless it was renamed.
pub fn name_now(name: &str) -> &str {
    let renamed = RENAMED.iter().find(|(before, _)| *before == name);
    renamed.map_or(name, |(_, now)| now)
}

/// Entries of a list that are shown.
const ITEMS_MAX: usize = 20;

/// Letters of a value that are shown.
const LETTERS_MAX: usize = 500;

/// The value of an attribute, if it has one: `name` is standard or the workspace's own. A name that
/// ends in `_at` is a time.
pub fn shown(attributes: &Map<String, Value>, name: &str) -> Option<Shown> {
    let bare = name.strip_prefix("custom_attributes.");
    let standard = bare.is_none().then(|| attributes.get(name)).flatten();
    let own = || {
        let own = attributes.get("custom_attributes")?.as_object()?;
        own.get(bare.unwrap_or(name))
    };
    let renamed = || {
        let (_, now) = RENAMED.iter().find(|(before, _)| *before == name)?;
        attributes.get(*now)
    };
    let said = |value: &&Value| !is_nothing(value);
    let value = standard
        .filter(said)
        .or_else(|| own().filter(said))
        .or_else(|| renamed().filter(said))?;
    if name.ends_with("_at")
        && let Some(at) = time(value)
    {
        return Some(Shown::At(at));
    }
    let text = match (name, value) {
        ("browser", Value::String(browser)) => browser_words(attributes, browser),
        _ => words(value)?,
    };
    Some(Shown::Text(text.chars().take(LETTERS_MAX).collect()))
}

/// Who someone is, as far as it tells two apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of the contact.
    pub id: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Is it a lead?
    pub lead: bool,
}

/// Everyone once: of contacts with one id, or with one e-mail address, the first, and a user before
/// a lead. In the order in which they first come.
pub fn one_each<P>(people: Vec<P>, identity: impl Fn(&P) -> Identity) -> Vec<P> {
    let mut once: Vec<P> = Vec::new();
    for person in people {
        let this = identity(&person);
        let email = |who: &Identity| who.email.as_deref().map(str::to_lowercase);
        let known = once.iter().position(|known| {
            let known = identity(known);
            known.id == this.id || email(&known).is_some() && email(&known) == email(&this)
        });
        match known {
            None => once.push(person),
            Some(at) if identity(&once[at]).lead && !this.lead => once[at] = person,
            Some(_) => {}
        }
    }
    once
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Unix seconds, or ISO 8601 as webhooks write it.
fn time(value: &Value) -> Option<Millis> {
    if let Some(seconds) = value.as_i64() {
        return Some(Millis(seconds.saturating_mul(1_000)));
    }
    let text = value.as_str()?;
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Millis(at.as_millisecond()))
}

/// Browser, version and operating system, as far as they are known.
fn browser_words(attributes: &Map<String, Value>, browser: &str) -> String {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let mut words = browser.to_owned();
    if let Some(version) = text("browser_version").filter(|text| !text.is_empty()) {
        words = format!("{words} {version}");
    }
    if let Some(os) = text("os").filter(|text| !text.is_empty()) {
        words = format!("{words} on {os}");
    }
    words
}

fn words(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().take(ITEMS_MAX).filter_map(words).collect();
            items.join(", ")
        }
        Value::Object(fields) => return object_words(fields),
    })
    .filter(|text| !text.is_empty())
}

/// What an object is called: its name (a plan), its place (a location), or what its list holds.
fn object_words(fields: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| {
        let text = fields.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    if let Some(name) = text("name") {
        return Some(name);
    }
    let place: Vec<String> = ["city", "region", "country"]
        .into_iter()
        .filter_map(text)
        .collect();
    if !place.is_empty() {
        return Some(place.join(", "));
    }
    let listed = ["data", "tags", "segments"]
        .into_iter()
        .find_map(|name| fields.get(name)?.as_array());
    words(&Value::Array(listed?.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn attributes(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn values_read_as_people_write_them() {
        let known = attributes(json!({
            "email": "noa@example.com", "phone": "", "external_id": "u-7", "session_count": 12,
            "created_at": 1_764_000_000, "last_seen_at": "2025-11-24T16:00:00.000+00:00",
            "unsubscribed": false, "browser": "firefox", "browser_version": "145", "os": "Linux",
            "location": { "type": "location", "city": "Lund", "region": null, "country": "Sweden" },
            "plan": {}, "tags": { "type": "tag.list", "tags": [{ "name": "vip" }, { "name": "eu" }] },
            "custom_attributes": { "plan": "Pro", "renews_at": 1_764_000_000, "odd_at": "soon",
                "seats": [1, 2] },
        }));
        let text = |text: &str| Some(Shown::Text(text.to_owned()));
        let noon = Some(Shown::At(Millis(1_764_000_000_000)));
        for (name, wanted) in [
            ("email", text("noa@example.com")),
            ("phone", None),
            ("user_id", text("u-7")),
            ("session_count", text("12")),
            ("created_at", noon.clone()),
            ("last_request_at", noon.clone()),
            ("unsubscribed", text("no")),
            ("browser", text("firefox 145 on Linux")),
            ("location", text("Lund, Sweden")),
            ("tags", text("vip, eu")),
            ("renews_at", noon),
            ("custom_attributes.plan", text("Pro")),
            ("odd_at", text("soon")),
            ("seats", text("1, 2")),
            ("nothing", None),
        ] {
            assert_eq!(shown(&known, name), wanted, "{name}");
        }
    }

    #[test]
    fn everyone_is_there_once() {
        let person = |id: &str, email: Option<&str>, lead| Identity {
            id: id.to_owned(),
            email: email.map(str::to_owned),
            lead,
        };
        let noa = person("u1", Some("Noa@example.com"), false);
        let before = person("l1", Some("noa@example.com"), true);
        let (nameless, other) = (person("l2", None, true), person("l3", None, true));
        let all = vec![
            before.clone(),
            nameless.clone(),
            noa.clone(),
            nameless.clone(),
            other.clone(),
            before,
        ];
        assert_eq!(one_each(all, Identity::clone), [noa, nameless, other]);
    }

    #[test]
    fn the_defaults_are_those_that_people_know() {
        let defaults = PanelSettings::default();
        assert!(defaults.enabled && defaults.conversation_view);
        assert_eq!(defaults.contact_source, ContactSource::Linked);
        assert_eq!(defaults.visible.user, defaults.visible.lead);
        assert_eq!(defaults.visible.company, ["size", "website"]);
    }

    proptest! {
        #[test]
        fn no_value_is_too_odd(text in ".*", number in any::<i64>(), name in "[a-z_]{0,12}(_at)?") {
            for value in [json!(text), json!(number), json!([text, number]), json!({ "name": text })] {
                let known = attributes(json!({ name.clone(): value, "custom_attributes": text }));
                let _ = shown(&known, &name);
            }
        }
    }
}
