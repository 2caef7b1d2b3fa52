//! Contacts and companies as Intercom tells of them, reduced to what is kept.

use sha2::{Digest as _, Sha256};

use super::field::{FIELDS_MAX, FieldName, FieldValue, email_key};
use super::ids::{RemoteCompanyId, RemoteContactId};
use super::profile::Fields;

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteContact {
    /// Its id.
    pub id: RemoteContactId,
    /// `user` or `lead`.
    pub role: String,
    /// When it was changed, in milliseconds; 0 where it does not say.
    pub updated_at: i64,
    /// What it says.
    pub fields: Fields,
    /// The companies that it belongs to.
    pub companies: Vec<RemoteCompanyId>,
    /// Are those all? A list shows ten.
    pub companies_complete: bool,
}

impl RemoteContact {
    /// The fields without those beyond what is kept: the first by name.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        while self.fields.len() > FIELDS_MAX {
            self.fields.pop_last();
        }
        self
    }

    /// A digest of all that is kept, by which an unchanged contact is recognised. When it was
    /// changed is not a part of it: Intercom moves that for much that is not kept.
    pub fn digest(&self) -> i64 {
        self.digest_with(&json(&self.fields))
    }

    /// The same, by who has written the fields as JSON already.
    pub fn digest_with(&self, fields: &str) -> i64 {
        let mut companies: Vec<&str> = self.companies.iter().map(RemoteCompanyId::as_str).collect();
        companies.sort_unstable();
        digest(&[&self.role, fields, &companies.join(" ")])
    }

    /// What stands in a field, as one text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.fields
            .get(&FieldName::new(name))
            .map(FieldValue::as_text)
    }

    /// The e-mail address as it is compared.
    pub fn email_key(&self) -> Option<String> {
        email_key(&self.text(FieldName::EMAIL)?)
    }
}

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCompany {
    /// Its id.
    pub id: RemoteCompanyId,
    /// Its name; empty if it has none.
    pub name: String,
    /// The name of its plan.
    pub plan: Option<String>,
    /// What it spends in a month, in hundredths of the workspace's currency.
    pub monthly_spend: Option<i64>,
    /// How many people belong to it, as Intercom says.
    pub people: Option<i64>,
    /// When it was changed, in milliseconds; 0 where it does not say.
    pub updated_at: i64,
    /// What else it says.
    pub fields: Fields,
}

impl RemoteCompany {
    /// A digest of all that is kept.
    pub fn digest(&self) -> i64 {
        let number = |number: Option<i64>| number.map_or_else(String::new, |n| n.to_string());
        digest(&[
            &self.name,
            self.plan.as_deref().unwrap_or_default(),
            &number(self.monthly_spend),
            &number(self.people),
            &json(&self.fields),
        ])
    }

    /// What it is called.
    pub fn called(&self) -> String {
        if self.name.trim().is_empty() {
            format!("Company {}", self.id)
        } else {
            self.name.trim().to_owned()
        }
    }
}

fn json(fields: &Fields) -> String {
    // A map of texts, numbers and truths with texts for keys is always JSON.
    serde_json::to_string(fields).unwrap_or_default()
}

/// The first eight bytes of SHA-256: the same in every version and on every machine.
pub fn digest(parts: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    i64::from_be_bytes(first)
}

/// What a tombstone says of somebody: a digest of their id, so that not even that is kept.
pub fn tombstone(workspace: &str, id: &RemoteContactId) -> i64 {
    digest(&["tombstone", workspace, id.as_str()])
}
