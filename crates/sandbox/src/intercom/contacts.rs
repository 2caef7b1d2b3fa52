//! Contacts: how they come, change, merge and go.

use std::borrow::Cow;
use std::ops::Bound;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::json;
use super::model::{Contact, NewContact};
use super::population;
use super::state::{Company, Done, Now, State};
use super::topics::{self, Event};
use super::version::Version;

/// Hops that are followed from a merged contact to the survivor.
const MAX_MERGE_HOPS: usize = 3;

fn no_company() -> ApiError {
    ApiError::missing("company_not_found", "Company Not Found")
}

/// What a call does to one text of a contact.
#[derive(Clone, Debug, Default)]
pub(crate) enum Edit {
    /// Leaves it as it is.
    #[default]
    Keep,
    /// Empties it.
    Clear,
    /// Replaces it.
    Set(String),
}

impl Edit {
    fn apply(self, target: &mut Option<String>) {
        match self {
            Self::Keep => {}
            Self::Clear => *target = None,
            Self::Set(text) => *target = Some(text),
        }
    }

    /// The new text, for a contact that has none yet.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::Keep | Self::Clear => None,
            Self::Set(text) => Some(text),
        }
    }
}

/// What a call does to a contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// The new role, if it changes.
    pub(crate) role: Option<&'static str>,
    pub(crate) email: Edit,
    pub(crate) phone: Edit,
    pub(crate) name: Edit,
    pub(crate) external_id: Edit,
    pub(crate) owner_id: Edit,
    /// Added to the ones that are there.
    pub(crate) custom_attributes: Map<String, Value>,
}

impl State {
    /// Holds an invented contact from now on, if the id is one's.
    pub(crate) fn hold(&mut self, id: &str) {
        let Some(number) = self.population.number_of(id) else {
            return;
        };
        let contact = population::contact(number);
        let companies = self.population.companies_of(number);
        self.population.taken.insert(number);
        if !companies.is_empty() {
            self.contact_companies.insert(contact.id.clone(), companies);
        }
        self.index(&contact);
        self.contact_order.insert(contact.seq, contact.id.clone());
        self.contacts.insert(contact.id.clone(), contact);
    }

    /// Holds the invented contact with this external id or e-mail address.
    pub(crate) fn hold_by(&mut self, text: &str) {
        if let Some(number) = self.population.number_by(text) {
            self.hold(&population::id(number));
        }
    }

    /// The companies of a contact, by their ids.
    pub(crate) fn companies_of(&self, id: &str) -> Vec<String> {
        match self.population.number_of(id) {
            Some(number) => self.population.companies_of(number),
            None => self.contact_companies.get(id).cloned().unwrap_or_default(),
        }
    }

    /// All companies that have people: lists and scrolls show no others.
    pub(crate) fn companies_with_people(&self) -> Vec<Company> {
        let invented = (1..=self.population.companies).map(population::company);
        let made = self.companies.iter().cloned();
        let held = |company: &Company| self.people_of(&company.id) > 0;
        invented.chain(made).filter(held).collect()
    }

    /// A company by its id.
    pub(crate) fn company(&self, id: &str) -> Option<Company> {
        let made = self.companies.iter().find(|company| company.id == id);
        let invented = || {
            let number = u64::from_str_radix(id.get(16..)?, 16).ok()?;
            let ours = (1..=self.population.companies).contains(&number);
            (ours && population::company_id(number) == id).then(|| population::company(number))
        };
        made.cloned().or_else(invented)
    }

    /// How many contacts a company has.
    pub(crate) fn people_of(&self, id: &str) -> u64 {
        let held = self.contact_companies.iter();
        let held = held.filter(|(_, companies)| companies.iter().any(|company| company == id));
        let held = held.count() as u64;
        let number = id
            .get(16..)
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let invented = number
            .filter(|number| population::company_id(*number) == id)
            .map_or(0, |number| {
                let taken = self.population.taken.iter();
                let taken = taken.filter(|taken| {
                    self.population
                        .companies_of(**taken)
                        .iter()
                        .any(|company| company == id)
                });
                self.population.people_of(number) - taken.count() as u64
            });
        held + invented
    }

    /// The contacts that lists and searches show (neither merged nor archived), after a number, in
    /// the order in which they came.
    pub(crate) fn listed_after(&self, after: u64) -> impl Iterator<Item = Cow<'_, Contact>> {
        let mut held = self
            .contact_order
            .range((Bound::Excluded(after), Bound::Unbounded))
            .filter_map(|(_, id)| self.contacts.get(id))
            .filter(|contact| !contact.archived)
            .peekable();
        let taken = &self.population.taken;
        let mut invented = (after + 1..=self.population.contacts)
            .filter(|number| !taken.contains(number))
            .peekable();
        std::iter::from_fn(move || {
            let held_first = match (held.peek(), invented.peek()) {
                (Some(contact), Some(number)) => contact.seq < *number,
                (held, _) => held.is_some(),
            };
            if held_first {
                held.next().map(Cow::Borrowed)
            } else {
                invented
                    .next()
                    .map(|number| Cow::Owned(population::contact(number)))
            }
        })
    }

    /// How many contacts lists show.
    pub(crate) fn count_listed(&self) -> u64 {
        let held = self.contacts.values().filter(|contact| !contact.archived);
        self.population.free() + held.count() as u64
    }

    /// The contact, or why it cannot be had: 404, or 410 with the survivor of a merge.
    pub(crate) fn contact(&self, id: &str, version: Version) -> Done<&Contact> {
        if let Some(contact) = self.contacts.get(id) {
            return Ok(contact);
        }
        let mut survivor = id;
        for _ in 0..MAX_MERGE_HOPS {
            let Some(next) = self.merged_contacts.get(survivor) else {
                break;
            };
            survivor = next;
        }
        if survivor != id && version >= Version::V2_16 && self.contacts.contains_key(survivor) {
            return Err(ApiError::merged(survivor));
        }
        Err(ApiError::missing("not_found", "User Not Found"))
    }

    pub(crate) fn create_contact(&mut self, new: NewContact, now: Now) -> Done<String> {
        let role = if new.lead { "lead" } else { "user" };
        for text in [&new.email, &new.external_id].into_iter().flatten() {
            self.hold_by(text);
        }
        self.check_unique(None, role, new.email.as_deref(), new.external_id.as_deref())?;
        let seq = self.next_contact;
        self.next_contact += 1;
        // 24 hex digits, as object ids have: a time, something fixed, a counter.
        let id = format!("{:08x}5b0a51f0{seq:08x}", now.s & 0xffff_ffff);
        let contact = Contact {
            seq,
            id: id.clone(),
            external_id: new.external_id,
            role,
            email: new.email,
            phone: new.phone,
            name: new.name,
            owner_id: None,
            created_ms: now.ms,
            created_at: now.s,
            updated_at: now.s,
            last_replied_at: None,
            custom_attributes: new.custom_attributes,
            archived: false,
        };
        self.index(&contact);
        self.contact_order.insert(seq, id.clone());
        self.contacts.insert(id.clone(), contact);
        let topics = (topics::USER_CONTACT_CREATED, topics::LEAD_CONTACT_CREATED);
        self.tell_by_role(topics, &id);
        Ok(id)
    }

    fn index(&mut self, contact: &Contact) {
        if let Some(external_id) = &contact.external_id {
            self.external_ids
                .insert(external_id.clone(), contact.id.clone());
        }
        if let (Some(email), "user") = (&contact.email, contact.role) {
            self.user_emails
                .insert(email.to_lowercase(), contact.id.clone());
        }
    }

    fn unindex(&mut self, contact: &Contact) {
        if let Some(external_id) = &contact.external_id {
            self.external_ids.remove(external_id);
        }
        if let (Some(email), "user") = (&contact.email, contact.role) {
            self.user_emails.remove(&email.to_lowercase());
        }
    }

    /// Users are unique by e-mail and everyone by external id; leads may share an e-mail.
    fn check_unique(
        &self,
        own: Option<&str>,
        role: &str,
        email: Option<&str>,
        external_id: Option<&str>,
    ) -> Done<()> {
        let by_email = email
            .filter(|_| role == "user")
            .and_then(|email| self.user_emails.get(&email.to_lowercase()));
        let by_external = external_id.and_then(|external| self.external_ids.get(external));
        match by_external.or(by_email) {
            Some(id) if own != Some(id.as_str()) => {
                let message =
                    format!("A contact matching those details already exists with id={id}");
                Err(ApiError::new(StatusCode::CONFLICT, "conflict", message))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn update_contact(&mut self, id: &str, changes: Changes, now: Now) -> Done<()> {
        self.hold(id);
        let before = self.contact(id, Version::V2_16)?.clone();
        let mut contact = before.clone();
        if let Some(role) = changes.role {
            contact.role = role;
        }
        changes.email.apply(&mut contact.email);
        changes.phone.apply(&mut contact.phone);
        changes.name.apply(&mut contact.name);
        changes.external_id.apply(&mut contact.external_id);
        changes.owner_id.apply(&mut contact.owner_id);
        contact.custom_attributes.extend(changes.custom_attributes);
        let (email, external) = (contact.email.as_deref(), contact.external_id.as_deref());
        self.check_unique(Some(id), contact.role, email, external)?;
        contact.updated_at = now.s;
        self.unindex(&before);
        self.index(&contact);
        self.contacts.insert(id.to_owned(), contact);
        self.tell_by_role(
            (topics::USER_CONTACT_UPDATED, topics::LEAD_CONTACT_UPDATED),
            id,
        );
        Ok(())
    }

    pub(crate) fn set_archived(&mut self, id: &str, archived: bool, now: Now) -> Done<()> {
        self.hold(id);
        self.contact(id, Version::V2_16)?;
        if let Some(contact) = self.contacts.get_mut(id) {
            contact.archived = archived;
            contact.updated_at = now.s;
        }
        let topic = if archived {
            topics::CONTACT_ARCHIVED
        } else {
            topics::CONTACT_UNARCHIVED
        };
        self.tell(topic, id);
        Ok(())
    }

    pub(crate) fn delete_contact(&mut self, id: &str) -> Done<Contact> {
        self.hold(id);
        self.contact(id, Version::V2_16)?;
        let contact = self.contacts.remove(id).ok_or_else(ApiError::not_found)?;
        self.contact_order.remove(&contact.seq);
        self.unindex(&contact);
        if self.wants(topics::CONTACT_DELETED) {
            let external_id = &contact.external_id;
            let item =
                json!({ "type": "contact", "id": id, "external_id": external_id, "deleted": true });
            self.events.push(Event {
                topic: topics::CONTACT_DELETED,
                item,
            });
        }
        Ok(contact)
    }

    /// Merges a lead into a contact. Since 2.16 only duplicates by e-mail or phone are merged.
    pub(crate) fn merge_contacts(
        &mut self,
        from: &str,
        into: &str,
        check_duplicate: bool,
        now: Now,
    ) -> Done<()> {
        self.hold(from);
        self.hold(into);
        let source = self.contact(from, Version::V2_16)?.clone();
        let target = self.contact(into, Version::V2_16)?;
        let refused =
            |message: &str| ApiError::new(StatusCode::BAD_REQUEST, "invalid_merge", message);
        if from == into || source.role != "lead" {
            return Err(refused(
                "Only a lead can be merged, and only into another contact",
            ));
        }
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let duplicate = same(&source.email, &target.email) || same(&source.phone, &target.phone);
        if check_duplicate && !duplicate {
            return Err(refused(
                "Contacts can only be merged when they are duplicates (matching email or phone). \
                 Pass skip_duplicate_validation=true to override this check.",
            ));
        }
        self.contacts.remove(from);
        self.contact_order.remove(&source.seq);
        self.unindex(&source);
        self.merged_contacts
            .insert(from.to_owned(), into.to_owned());
        for conversation in self.conversations.values_mut() {
            for contact in &mut conversation.contacts {
                if contact == from {
                    into.clone_into(contact);
                }
            }
        }
        if let Some(target) = self.contacts.get_mut(into) {
            target.updated_at = now.s;
        }
        if self.config.tells_merged_from {
            self.tell_with(topics::CONTACT_MERGED, into, ("merged_from", json!(from)));
        } else {
            self.tell(topics::CONTACT_MERGED, into);
        }
        Ok(())
    }

    pub(crate) fn create_company(&mut self, name: &str, now: Now) -> String {
        let id = format!(
            "{:08x}c0a51f00{:08x}",
            now.s & 0xffff_ffff,
            u64::try_from(self.companies.len()).unwrap_or(0) + self.population.companies + 1
        );
        self.companies.push(Company {
            id: id.clone(),
            name: name.to_owned(),
            created_at: now.s,
            plan: None,
            monthly_spend: 0,
        });
        self.tell_of_company(topics::COMPANY_CREATED, &id);
        id
    }

    /// Calls a company something else.
    pub(crate) fn rename_company(&mut self, id: &str, name: &str) -> Done<()> {
        let found = self.companies.iter_mut().find(|company| company.id == id);
        let found = found.ok_or_else(no_company)?;
        name.clone_into(&mut found.name);
        self.tell_of_company(topics::COMPANY_UPDATED, id);
        Ok(())
    }

    /// Deletes a company. Its people stay.
    pub(crate) fn delete_company(&mut self, id: &str) -> Done<()> {
        let before = self.companies.len();
        self.companies.retain(|company| company.id != id);
        if self.companies.len() == before {
            return Err(no_company());
        }
        for companies in self.contact_companies.values_mut() {
            companies.retain(|company| company != id);
        }
        if self.wants(topics::COMPANY_DELETED) {
            self.events.push(Event {
                topic: topics::COMPANY_DELETED,
                item: json!({ "type": "company", "id": id, "company_id": id, "deleted": true }),
            });
        }
        Ok(())
    }

    /// Puts a contact in a company, or takes them out of it.
    pub(crate) fn set_member(&mut self, contact: &str, company: &str, member: bool) -> Done<()> {
        self.hold(contact);
        self.contact(contact, Version::V2_16)?;
        let shown = self.company(company).ok_or_else(no_company)?;
        let companies = self
            .contact_companies
            .entry(contact.to_owned())
            .or_default();
        companies.retain(|known| known != company);
        if member {
            companies.push(company.to_owned());
        }
        let topic = if member {
            topics::COMPANY_ATTACHED
        } else {
            topics::COMPANY_DETACHED
        };
        if let (true, Some(of)) = (self.wants(topic), self.contacts.get(contact)) {
            let item = json!({
                "type": "company_contact",
                "company": json::company(self, &shown),
                "contact": json::contact_in_webhook(self, of),
            });
            self.events.push(Event { topic, item });
        }
        Ok(())
    }

    pub(crate) fn tell_of_company(&mut self, topic: &'static str, id: &str) {
        if let (true, Some(company)) = (self.wants(topic), self.company(id)) {
            let item = json::company(self, &company);
            self.events.push(Event { topic, item });
        }
    }

    fn tell_by_role(&mut self, (user, lead): (&'static str, &'static str), id: &str) {
        let is_lead = self
            .contacts
            .get(id)
            .is_some_and(|contact| contact.role == "lead");
        self.tell(if is_lead { lead } else { user }, id);
    }

    fn tell_with(&mut self, topic: &'static str, id: &str, (name, value): (&str, Value)) {
        if let (true, Some(contact)) = (self.wants(topic), self.contacts.get(id)) {
            let mut item = json::contact_in_webhook(self, contact);
            item[name] = value;
            self.events.push(Event { topic, item });
        }
    }

    fn tell(&mut self, topic: &'static str, id: &str) {
        if !self.wants(topic) {
            return;
        }
        if let Some(contact) = self.contacts.get(id) {
            let item = json::contact_in_webhook(self, contact);
            self.events.push(Event { topic, item });
        }
    }
}
