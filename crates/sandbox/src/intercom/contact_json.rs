//! A contact as the platform's JSON. Lists write it straight to text: a workspace may have a million.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::model::Contact;
use super::state::State;
use super::version::Version;

/// Entries that a contact shows of its tags, notes and companies.
const MAX_EMBEDDED: usize = 10;

/// What is there and says nothing.
type Null = ();

/// An address below the contact's own.
struct Below<'s> {
    contact: &'s str,
    what: &'static str,
}

impl Serialize for Below<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Below<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "/contacts/{}/{}", self.contact, self.what)
    }
}

#[derive(Serialize)]
struct Item {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

/// A list that a contact shows of something of its own.
#[derive(Serialize)]
struct Embedded<'s> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: Vec<Item>,
    url: Below<'s>,
    total_count: usize,
    has_more: bool,
}

impl<'s> Embedded<'s> {
    fn of(
        contact: &'s str,
        what: &'static str,
        (kind, under): (&'static str, &str),
        ids: impl Iterator<Item = String>,
    ) -> Self {
        let item = |id: String| Item {
            url: format!("/{under}/{id}"),
            id,
            kind,
        };
        let mut data: Vec<Item> = ids.map(item).collect();
        let total_count = data.len();
        data.truncate(MAX_EMBEDDED);
        Self {
            kind: "list",
            data,
            url: Below { contact, what },
            total_count,
            has_more: total_count > MAX_EMBEDDED,
        }
    }

    fn empty(contact: &'s str, what: &'static str) -> Self {
        Self::of(contact, what, ("", ""), std::iter::empty())
    }
}

#[derive(Serialize)]
struct Profiles {
    #[serde(rename = "type")]
    kind: &'static str,
    data: [Null; 0],
}

#[derive(Serialize)]
struct Place {
    #[serde(rename = "type")]
    kind: &'static str,
    country: Null,
    region: Null,
    city: Null,
    country_code: Null,
    continent_code: Null,
}

#[derive(Serialize)]
struct Shown<'s> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'s str,
    workspace_id: &'s str,
    external_id: Option<&'s str>,
    role: &'s str,
    email: Option<&'s str>,
    email_domain: Option<&'s str>,
    phone: Option<&'s str>,
    name: Option<&'s str>,
    avatar: Null,
    owner_id: Option<Value>,
    social_profiles: Profiles,
    has_hard_bounced: bool,
    marked_email_as_spam: bool,
    unsubscribed_from_emails: bool,
    created_at: i64,
    updated_at: i64,
    signed_up_at: Option<i64>,
    last_seen_at: Null,
    last_replied_at: Option<i64>,
    last_contacted_at: Null,
    last_email_opened_at: Null,
    last_email_clicked_at: Null,
    language_override: Null,
    browser: Null,
    browser_version: Null,
    browser_language: Null,
    os: Null,
    location: Place,
    android_app_name: Null,
    android_last_seen_at: Null,
    ios_app_name: Null,
    ios_last_seen_at: Null,
    custom_attributes: &'s Map<String, Value>,
    tags: Embedded<'s>,
    notes: Embedded<'s>,
    companies: Embedded<'s>,
    opted_out_subscription_types: Embedded<'s>,
    opted_in_subscription_types: Embedded<'s>,
    utm_campaign: Null,
    utm_content: Null,
    utm_medium: Null,
    utm_source: Null,
    utm_term: Null,
    referrer: Null,
    sms_consent: bool,
}

fn shown<'s>(state: &'s State, contact: &'s Contact, version: Version) -> Shown<'s> {
    let id = contact.id.as_str();
    let email = contact.email.as_deref();
    // The owner's id was a number before 2.16.
    let owner_id = match &contact.owner_id {
        Some(owner) if version < Version::V2_16 => owner.parse::<u64>().ok().map(Value::from),
        owner => owner.clone().map(Value::from),
    };
    let tags = state.contact_tags.get(id).into_iter().flatten();
    let tags = tags.map(ToString::to_string);
    let companies = state.companies_of(id).into_iter();
    Shown {
        kind: "contact",
        id,
        workspace_id: &state.config.workspace,
        external_id: contact.external_id.as_deref(),
        role: contact.role,
        email,
        email_domain: email
            .and_then(|email| email.split_once('@'))
            .map(|(_, domain)| domain),
        phone: contact.phone.as_deref(),
        name: contact.name.as_deref(),
        avatar: (),
        owner_id,
        social_profiles: Profiles {
            kind: "list",
            data: [],
        },
        has_hard_bounced: false,
        marked_email_as_spam: false,
        unsubscribed_from_emails: false,
        created_at: contact.created_at,
        updated_at: contact.updated_at,
        signed_up_at: (contact.role == "user").then_some(contact.created_at),
        last_seen_at: (),
        last_replied_at: contact.last_replied_at,
        last_contacted_at: (),
        last_email_opened_at: (),
        last_email_clicked_at: (),
        language_override: (),
        browser: (),
        browser_version: (),
        browser_language: (),
        os: (),
        location: Place {
            kind: "location",
            country: (),
            region: (),
            city: (),
            country_code: (),
            continent_code: (),
        },
        android_app_name: (),
        android_last_seen_at: (),
        ios_app_name: (),
        ios_last_seen_at: (),
        custom_attributes: &contact.custom_attributes,
        tags: Embedded::of(id, "tags", ("tag", "tags"), tags),
        notes: Embedded::empty(id, "notes"),
        companies: Embedded::of(id, "companies", ("company", "companies"), companies),
        opted_out_subscription_types: Embedded::empty(id, "subscriptions"),
        opted_in_subscription_types: Embedded::empty(id, "subscriptions"),
        utm_campaign: (),
        utm_content: (),
        utm_medium: (),
        utm_source: (),
        utm_term: (),
        referrer: (),
        sms_consent: false,
    }
}

/// A contact, with what tests say of it besides.
pub(super) fn contact(state: &State, contact: &Contact, version: Version) -> Value {
    let value = json!(shown(state, contact, version));
    with_described(state, &contact.id, value)
}

/// A contact as text, for lists.
fn contact_text(state: &State, one: &Contact, version: Version) -> Box<RawValue> {
    let text = if state.described.contains_key(&one.id) {
        to_raw_value(&contact(state, one, version))
    } else {
        to_raw_value(&shown(state, one, version))
    };
    text.expect("what a contact holds can be written as JSON: its keys are texts")
}

/// What is shown of something with what is known of it besides.
pub(super) fn with_described(state: &State, id: &str, mut value: Value) -> Value {
    let known = state.described.get(id).into_iter().flatten();
    for (field, known) in known {
        match (value.get_mut(field), known) {
            (Some(Value::Object(shown)), Value::Object(known)) => shown.extend(known.clone()),
            (_, known) => value[field] = known.clone(),
        }
    }
    value
}

/// A page of a list.
#[derive(Serialize)]
pub(in crate::intercom) struct Page {
    #[serde(rename = "type")]
    kind: &'static str,
    data: Vec<Box<RawValue>>,
    total_count: u64,
    pages: Value,
}

/// A page of these contacts.
pub(in crate::intercom) fn page(
    (state, version): (&State, Version),
    found: &[Cow<'_, Contact>],
    (total_count, pages): (u64, Value),
) -> Page {
    let shown = found.iter().map(|one| contact_text(state, one, version));
    Page {
        kind: "list",
        data: shown.collect(),
        total_count,
        pages,
    }
}
