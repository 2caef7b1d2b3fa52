//! Contacts: how they come, change, merge and go.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::json;
use super::model::{Contact, NewContact};
use super::state::{Company, Done, Now, State};
use super::topics::{self, Event};
use super::version::Version;

/// Hops that are followed from a merged contact to the survivor.
const MAX_MERGE_HOPS: usize = 3;

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
        self.tell(topics::CONTACT_MERGED, into);
        Ok(())
    }

    pub(crate) fn create_company(&mut self, name: &str, now: Now) -> String {
        let id = format!(
            "{:08x}c0a51f00{:08x}",
            now.s & 0xffff_ffff,
            self.companies.len() + 1
        );
        self.companies.push(Company {
            id: id.clone(),
            name: name.to_owned(),
            created_at: now.s,
        });
        id
    }

    fn tell_by_role(&mut self, (user, lead): (&'static str, &'static str), id: &str) {
        let is_lead = self
            .contacts
            .get(id)
            .is_some_and(|contact| contact.role == "lead");
        self.tell(if is_lead { lead } else { user }, id);
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
