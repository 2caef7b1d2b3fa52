//! Contacts and companies, as customers and teammates change them.

use serde_json::Value;

use crate::intercom::contacts::{Changes, Edit};
use crate::intercom::model::NewContact;
use crate::intercom::state::Done;
use crate::intercom::topics;
use crate::intercom::version::Version;

use super::Sandbox;

impl Sandbox {
    /// Makes a contact and returns its id.
    pub fn create_contact(&self, contact: NewContact) -> Done<String> {
        self.with(|state, now| state.create_contact(contact, now))
    }

    /// Renames a contact.
    pub fn rename_contact(&self, id: &str, name: &str) -> Done<()> {
        let changes = Changes {
            name: Edit::Set(name.to_owned()),
            ..Changes::default()
        };
        self.with(|state, now| state.update_contact(id, changes, now))
    }

    /// Sets an attribute of a contact, of whatever kind, also one that REST would refuse.
    pub fn set_contact_attribute(&self, id: &str, name: &str, value: Value) -> Done<()> {
        let changes = Changes {
            custom_attributes: [(name.to_owned(), value)].into_iter().collect(),
            ..Changes::default()
        };
        self.with(|state, now| state.update_contact(id, changes, now))
    }

    /// The id of the n-th invented contact.
    pub fn invented_contact(&self, number: u64) -> String {
        crate::intercom::population::id(number)
    }

    /// How many contacts lists show.
    pub fn contacts_listed(&self) -> u64 {
        self.with(|state, _| state.count_listed())
    }

    /// How many companies lists and scrolls show: those that have people.
    pub fn companies_listed(&self) -> usize {
        self.with(|state, _| state.companies_with_people().len())
    }

    /// Deletes a contact.
    pub fn delete_contact(&self, id: &str) -> Done<()> {
        self.with(|state, _| state.delete_contact(id).map(|_| ()))
    }

    /// Archives a contact or brings it back.
    pub fn archive_contact(&self, id: &str, archived: bool) -> Done<()> {
        self.with(|state, now| state.set_archived(id, archived, now))
    }

    /// Merges a lead into another contact, whether they look like duplicates or not.
    pub fn merge_contacts(&self, from: &str, into: &str) -> Done<()> {
        self.with(|state, now| state.merge_contacts(from, into, false, now))
    }

    /// Makes a company, puts the contact in it, and returns the company's id.
    pub fn create_company(&self, name: &str, contact: &str) -> Done<String> {
        self.with(|state, now| {
            state.hold(contact);
            state.contact(contact, Version::V2_16)?;
            let id = state.create_company(name, now);
            state.set_member(contact, &id, true)?;
            Ok(id)
        })
    }

    /// Calls a company something else.
    pub fn rename_company(&self, company: &str, name: &str) -> Done<()> {
        self.with(|state, _| state.rename_company(company, name))
    }

    /// Deletes a company. Its people stay.
    pub fn delete_company(&self, company: &str) -> Done<()> {
        self.with(|state, _| state.delete_company(company))
    }

    /// Puts a contact in a company, or takes them out of it.
    pub fn set_member(&self, contact: &str, company: &str, member: bool) -> Done<()> {
        self.with(|state, _| state.set_member(contact, company, member))
    }

    /// What is known of a contact or a company besides what calls can change: fields as they are
    /// shown, such as `last_seen_at` or `size`, the workspace's own below `custom_attributes`.
    pub fn describe(&self, id: &str, fields: serde_json::Map<String, Value>) {
        self.with(|state, _| {
            let known = state.described.entry(id.to_owned()).or_default();
            known.extend(fields);
        });
    }

    /// What a company pays.
    pub fn set_company_money(&self, company: &str, plan: Option<&str>, monthly_spend: i64) {
        let money = (plan.map(str::to_owned), monthly_spend);
        self.with(|state, _| {
            state.company_money.insert(company.to_owned(), money);
            state.tell_of_company(topics::COMPANY_UPDATED, company);
        });
    }
}
