//! Contacts and companies.

pub(crate) mod change;
pub(crate) mod companies;
pub(crate) mod erase;
pub(crate) mod mend;
pub(crate) mod read;
pub(crate) mod runs;
pub(crate) mod take;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::{FieldName, FieldValue, email_key};
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::profile::{Edits, Fields, Profile};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use crate::contacts::Contact;
use crate::db::{Row, Value, values};
use crate::error::StoreError;
use crate::sql::decide::json;
use crate::sql::fulltext::{FullText, fulltext};

/// The words of contacts.
pub(crate) const WORDS: FullText = fulltext!("contact_text");

/// The words of companies.
pub(crate) const COMPANY_WORDS: FullText = fulltext!("company_text");

/// What a contact that Intercom does not know has for a role.
pub(crate) const LOCAL: &str = "local";

/// The columns of [`read_contact`].
pub(crate) const COLUMNS: &str = "contact.id, contact.workspace, contact.remote, contact.name, \
    contact.email, contact.role, contact.life, contact.unclear, contact.differs, \
    contact.updated_at, contact.since, contact.remote_fields, contact.edits";

pub(crate) fn read_contact(row: &Row) -> Result<Contact, StoreError> {
    Ok(Contact {
        id: ContactId(row.int(0)?),
        workspace: WorkspaceName::new(row.text(1)?),
        remote: row.text_or_null(2)?.map(RemoteContactId::new),
        name: row.text(3)?,
        email: row.text_or_null(4)?,
        role: row.text(5)?,
        life: Life::from_code(row.int(6)?),
        unclear: row.truth(7)?,
        differs: row.truth(8)?,
        updated_at: Millis(row.int(9)?),
        since: Millis(row.int(10)?),
        profile: Profile {
            remote: read_fields(&row.text(11)?)?,
            edits: read_edits(&row.text(12)?)?,
        },
    })
}

pub(crate) fn read_fields(text: &str) -> Result<Fields, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable("fields", error))
}

/// Most contacts have none, and nothing is stored for them.
pub(crate) fn read_edits(text: &str) -> Result<Edits, StoreError> {
    if text.is_empty() {
        return Ok(Edits::new());
    }
    serde_json::from_str(text).map_err(|error| StoreError::unreadable("edits", error))
}

fn write_edits(edits: &Edits) -> Result<String, StoreError> {
    if edits.is_empty() {
        Ok(String::new())
    } else {
        json(edits)
    }
}

/// A contact as it is to be stored: what is looked up by, made from its fields.
pub(crate) struct Stored<'s> {
    pub(crate) remote: Option<&'s RemoteContactId>,
    pub(crate) role: &'s str,
    pub(crate) life: Life,
    pub(crate) unclear: bool,
    pub(crate) updated_at: i64,
    pub(crate) digest: i64,
    pub(crate) profile: &'s Profile,
}

impl Stored<'_> {
    fn shown(&self, name: &str) -> Option<String> {
        let text = match self.profile.shown(&FieldName::new(name)).value? {
            FieldValue::Text(text) => text.clone(),
            other => other.as_text(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The values of `remote, external, email, name, role, life, unclear, differs, updated_at,
    /// digest, remote_fields, edits`, in this order.
    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let id = self.remote.map_or("", RemoteContactId::as_str);
        let email = self.shown(FieldName::EMAIL);
        Ok(values![
            self.remote.map(|remote| remote.as_str().to_owned()),
            self.shown(FieldName::EXTERNAL_ID),
            email.as_deref().and_then(email_key),
            self.profile.called(self.role, id),
            self.role,
            self.life.code(),
            self.unclear,
            self.profile.differs(),
            self.updated_at,
            self.digest,
            json(&self.profile.remote)?,
            write_edits(&self.profile.edits)?,
        ])
    }

    /// What it is found by.
    fn words(&self) -> String {
        let mut words = Vec::new();
        for name in [
            FieldName::NAME,
            FieldName::EMAIL,
            FieldName::PHONE,
            FieldName::EXTERNAL_ID,
        ] {
            words.extend(self.shown(name));
        }
        // A lead without a name is found by what it is called.
        if words.is_empty() {
            words.push(
                self.profile
                    .called(self.role, self.remote.map_or("", RemoteContactId::as_str)),
            );
        }
        words.join(" ")
    }
}
