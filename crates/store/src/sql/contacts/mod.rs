//! Contacts and companies.

pub(crate) mod change;
pub(crate) mod companies;
pub(crate) mod erase;
pub(crate) mod imported;
pub(crate) mod mend;
pub(crate) mod read;
pub(crate) mod remove;
pub(crate) mod runs;
pub(crate) mod take;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::profile::{Edits, Fields, Profile};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use crate::contacts::{Contact, Kept};
use crate::db::{Row, Value, values};
use crate::error::StoreError;
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

/// A contact as it is to be stored.
pub(crate) struct Stored<'s> {
    pub(crate) remote: Option<&'s RemoteContactId>,
    pub(crate) role: &'s str,
    pub(crate) life: Life,
    pub(crate) unclear: bool,
    pub(crate) updated_at: i64,
    pub(crate) digest: i64,
    pub(crate) kept: &'s Kept,
}

impl Stored<'_> {
    /// The values of `remote, external, email, name, role, life, unclear, differs, updated_at,
    /// digest, remote_fields, edits`, in this order.
    fn values(&self) -> Vec<Value> {
        let kept = self.kept;
        values![
            self.remote.map(|remote| remote.as_str().to_owned()),
            kept.external.as_ref(),
            kept.email.as_ref(),
            &kept.name,
            self.role,
            self.life.code(),
            self.unclear,
            kept.differs,
            self.updated_at,
            self.digest,
            &kept.remote_fields,
            &kept.edits,
        ]
    }
}
