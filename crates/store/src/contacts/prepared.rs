//! What is made of a contact before the transaction that takes it in.

use std::borrow::Cow;
use std::sync::Arc;

use bowline_domain::contacts::field::{FieldName, FieldValue, email_key};
use bowline_domain::contacts::ids::{RemoteCompanyId, RemoteContactId};
use bowline_domain::contacts::profile::{Edits, Fields, Profile};
use bowline_domain::contacts::remote::{RemoteContact, tombstone};
use bowline_domain::ids::WorkspaceName;

use crate::error::StoreError;
use crate::sql::contacts::read_fields;
use crate::sql::decide::json;
use crate::sql::fulltext;

/// A contact that was read, as it is to be stored. Making this of it takes about as long as writing
/// it, so whoever reads many does it beside the one transaction of the moment instead of within it.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) id: RemoteContactId,
    pub(crate) role: String,
    pub(crate) updated_at: i64,
    pub(crate) companies: Vec<RemoteCompanyId>,
    pub(crate) companies_complete: bool,
    /// Of all that is kept.
    pub(crate) digest: i64,
    /// What its tombstone says, if it was erased.
    pub(crate) tombstone: i64,
    /// What is stored where nobody set a field here.
    pub(crate) kept: Kept,
}

impl Prepared {
    /// Makes a contact of a workspace ready.
    ///
    /// # Errors
    /// When its fields cannot be written as JSON.
    pub fn of(workspace: &WorkspaceName, mut contact: RemoteContact) -> Result<Self, StoreError> {
        let profile = Profile {
            remote: std::mem::take(&mut contact.fields),
            edits: Edits::new(),
        };
        let kept = Kept::of(&profile, &contact.role, Some(&contact.id))?;
        let digest = contact.digest_with(&kept.remote_fields);
        contact.companies.sort_unstable();
        contact.companies.dedup();
        Ok(Self {
            digest,
            tombstone: tombstone(workspace.as_str(), &contact.id),
            kept,
            id: contact.id,
            role: contact.role,
            updated_at: contact.updated_at,
            companies: contact.companies,
            companies_complete: contact.companies_complete,
        })
    }

    /// What is stored where these fields were set here.
    pub(crate) fn under(&self, edits: &Edits) -> Result<Cow<'_, Kept>, StoreError> {
        if edits.is_empty() {
            return Ok(Cow::Borrowed(&self.kept));
        }
        let mut profile = Profile {
            remote: Fields::new(),
            edits: edits.clone(),
        };
        profile.take_in(read_fields(&self.kept.remote_fields)?);
        Kept::of(&profile, &self.role, Some(&self.id)).map(Cow::Owned)
    }
}

/// What is stored of a contact's fields: what it is looked up by, and the fields themselves.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) external: Option<Arc<str>>,
    /// As it is compared.
    pub(crate) email: Option<Arc<str>>,
    /// What it is called.
    pub(crate) name: Arc<str>,
    /// Does a field that was set here say something else than Intercom does?
    pub(crate) differs: bool,
    /// As JSON.
    pub(crate) remote_fields: Arc<str>,
    /// As JSON; nothing where no field was set here.
    pub(crate) edits: Arc<str>,
    /// What it is found by.
    pub(crate) words: Arc<str>,
}

impl Kept {
    pub(crate) fn of(
        profile: &Profile,
        role: &str,
        remote: Option<&RemoteContactId>,
    ) -> Result<Self, StoreError> {
        let name = profile.called(role, remote.map_or("", RemoteContactId::as_str));
        let email = shown(profile, FieldName::EMAIL);
        Ok(Self {
            external: shown(profile, FieldName::EXTERNAL_ID).map(Arc::from),
            email: email.as_deref().and_then(email_key).map(Arc::from),
            differs: profile.differs(),
            remote_fields: json(&profile.remote)?.into(),
            edits: if profile.edits.is_empty() {
                "".into()
            } else {
                json(&profile.edits)?.into()
            },
            words: words(profile, &name).into(),
            name: name.into(),
        })
    }
}

fn shown(profile: &Profile, name: &str) -> Option<String> {
    let text = match profile.shown(&FieldName::new(name)).value? {
        FieldValue::Text(text) => text.clone(),
        other => other.as_text(),
    };
    (!text.is_empty()).then_some(text)
}

/// The words that a contact is found by. A lead without a name is found by what it is called.
fn words(profile: &Profile, called: &str) -> String {
    let fields = [
        FieldName::NAME,
        FieldName::EMAIL,
        FieldName::PHONE,
        FieldName::EXTERNAL_ID,
    ];
    let mut texts: Vec<String> = fields
        .into_iter()
        .filter_map(|name| shown(profile, name))
        .collect();
    if texts.is_empty() {
        texts.push(called.to_owned());
    }
    fulltext::kept(&texts.join(" "))
}
