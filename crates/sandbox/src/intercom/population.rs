//! Invented contacts and companies by number: a workspace may have a million of them without
//! holding them. The n-th is always the same. One that is read or changed by its id is held from
//! then on.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::model::Contact;
use super::state::Company;

/// When the first of them came, in Unix seconds; each came a minute after the one before.
const FIRST_AT: i64 = 1_600_000_000;

const FIRST: [&str; 20] = [
    "Noa", "Ben", "Ada", "Mei", "Omar", "Lena", "Ravi", "Zoe", "Ivo", "Ana", "Kai", "Uma", "Leo",
    "Eva", "Max", "Ida", "Tom", "Sia", "Jon", "Pia",
];

const LAST: [&str; 20] = [
    "Lind", "Okafor", "Moreau", "Chen", "Haddad", "Vogel", "Iyer", "Novak", "Petrov", "Silva",
    "Tanaka", "Kumar", "Rossi", "Berg", "Weber", "Holm", "Reed", "Kaya", "Dahl", "Costa",
];

const FIRMS: [&str; 10] = [
    "Harbour",
    "Northwind",
    "Lumen",
    "Alder",
    "Quarry",
    "Meadow",
    "Beacon",
    "Tidal",
    "Juniper",
    "Cobalt",
];

const PLANS: [&str; 3] = ["Free", "Pro", "Business"];

/// How many invented contacts and companies there are, and which of them are held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Population {
    pub(crate) contacts: u64,
    pub(crate) companies: u64,
    /// Numbers of contacts that are held, or that are gone.
    pub(crate) taken: BTreeSet<u64>,
}

fn created_at(number: u64) -> i64 {
    FIRST_AT + i64::try_from(number).unwrap_or(0) * 60
}

/// The id of the n-th contact, as [`super::contacts`] makes them.
pub(crate) fn id(number: u64) -> String {
    format!("{:08x}5b0a51f0{number:08x}", created_at(number))
}

fn pick<'t>(from: &[&'t str], number: u64) -> &'t str {
    let count = from.len() as u64;
    from[usize::try_from(number % count).unwrap_or(0)]
}

/// Every seventh is a lead, and every second of those has neither name nor address.
fn is_lead(number: u64) -> bool {
    number.is_multiple_of(7)
}

fn is_nameless(number: u64) -> bool {
    number.is_multiple_of(14)
}

fn email(number: u64) -> String {
    let (first, last) = (pick(&FIRST, number), pick(&LAST, number / 20));
    format!("{first}.{last}.{number}@example.com").to_lowercase()
}

/// The n-th contact.
pub(crate) fn contact(number: u64) -> Contact {
    let at = created_at(number);
    let nameless = is_nameless(number);
    let lead = is_lead(number);
    let mut custom_attributes = Map::new();
    if !lead {
        custom_attributes.insert("plan".to_owned(), json!(pick(&PLANS, number)));
        custom_attributes.insert("company_size".to_owned(), json!(number % 500 + 1));
    }
    Contact {
        seq: number,
        id: id(number),
        external_id: (!lead).then(|| format!("user-{number}")),
        role: if lead { "lead" } else { "user" },
        email: (!nameless).then(|| email(number)),
        phone: number
            .is_multiple_of(3)
            .then(|| format!("+4670{:07}", number % 10_000_000)),
        name: (!nameless).then(|| format!("{} {}", pick(&FIRST, number), pick(&LAST, number / 20))),
        owner_id: None,
        created_ms: at * 1_000,
        created_at: at,
        updated_at: at + 3_600,
        last_replied_at: None,
        custom_attributes,
        archived: false,
    }
}

impl Population {
    /// The number of an id that is one of ours and not held yet.
    pub(crate) fn number_of(&self, id_text: &str) -> Option<u64> {
        let number = u64::from_str_radix(id_text.get(16..)?, 16).ok()?;
        let ours = (1..=self.contacts).contains(&number) && id(number) == id_text;
        (ours && !self.taken.contains(&number)).then_some(number)
    }

    /// The number in an external id or an e-mail address.
    pub(crate) fn number_by(&self, text: &str) -> Option<u64> {
        let digits = match text.strip_prefix("user-") {
            Some(digits) => digits,
            None => text.split('@').next()?.rsplit('.').next()?,
        };
        let number: u64 = digits.parse().ok()?;
        let there = (1..=self.contacts).contains(&number) && !self.taken.contains(&number);
        let contact = there.then(|| contact(number))?;
        let same = contact.external_id.as_deref() == Some(text)
            || contact.email.as_deref() == Some(text.to_lowercase().as_str());
        same.then_some(number)
    }

    /// How many are not held.
    pub(crate) fn free(&self) -> u64 {
        self.contacts - self.taken.len() as u64
    }

    /// The companies of the n-th contact.
    pub(crate) fn companies_of(&self, number: u64) -> Vec<String> {
        if self.companies == 0 || is_lead(number) || number.is_multiple_of(5) {
            return Vec::new();
        }
        vec![company_id((number - 1) % self.companies + 1)]
    }

    /// How many contacts the n-th company has.
    pub(crate) fn people_of(&self, company: u64) -> u64 {
        if self.companies == 0 {
            return 0;
        }
        let mut people = 0;
        let mut number = company;
        while number <= self.contacts {
            people += u64::from(!self.companies_of(number).is_empty());
            number += self.companies;
        }
        people
    }
}

/// The id of the n-th company.
pub(crate) fn company_id(number: u64) -> String {
    format!("{FIRST_AT:08x}c0a51f00{number:08x}")
}

/// The n-th company.
pub(crate) fn company(number: u64) -> Company {
    Company {
        id: company_id(number),
        name: format!("{} {number}", pick(&FIRMS, number)),
        created_at: created_at(number),
        plan: Some(pick(&PLANS, number).to_owned()),
        monthly_spend: i64::try_from(number % 90).unwrap_or(0) * 10,
    }
}
