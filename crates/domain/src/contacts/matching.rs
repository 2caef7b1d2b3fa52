//! Who somebody is: Intercom's id first, then the external id, then the e-mail address if exactly
//! one has it. Never by name or telephone number alone.

use super::ids::ContactId;

/// What somebody was known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The id that the workspace's own system uses.
    ExternalId,
    /// The e-mail address.
    Email,
}

impl By {
    /// The word by which it is stored; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::Email => "email",
        }
    }

    /// By its word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::ExternalId, Self::Email]
            .into_iter()
            .find(|by| by.as_str() == word)
    }
}

/// Who is found for a contact that comes from Intercom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The one with its id.
    pub by_id: Option<ContactId>,
    /// The one that it was merged into.
    pub merged_into: Option<ContactId>,
    /// Was one with its id erased?
    pub erased: bool,
    /// Those with its external id that Intercom does not know: imported, or made by hand.
    pub by_external_id: Vec<ContactId>,
    /// Those with its e-mail address that Intercom does not know.
    pub by_email: Vec<ContactId>,
}

/// Who a contact that comes from Intercom is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// One that is known by this id.
    Known(ContactId),
    /// It was merged away; what is told of it is late.
    Merged(ContactId),
    /// It was erased, and stays so.
    Erased,
    /// One that was here before Intercom told of it.
    Joins(ContactId, By),
    /// Nobody that is known.
    New,
    /// Several have what it is known by: it is kept as somebody of its own until a person decides.
    Unclear(By, Vec<ContactId>),
}

/// Decides who a contact is.
///
/// Only somebody whom Intercom does not know yet is joined: where two contacts of Intercom share
/// an e-mail address (a user and leads may), Intercom itself holds them to be two.
pub fn find(candidates: &Candidates) -> Match {
    if candidates.erased {
        return Match::Erased;
    }
    if let Some(known) = candidates.by_id {
        return Match::Known(known);
    }
    if let Some(survivor) = candidates.merged_into {
        return Match::Merged(survivor);
    }
    let ways = [
        (By::ExternalId, &candidates.by_external_id),
        (By::Email, &candidates.by_email),
    ];
    for (by, found) in ways {
        match found.as_slice() {
            [] => {}
            [one] => return Match::Joins(*one, by),
            several => return Match::Unclear(by, several.to_vec()),
        }
    }
    Match::New
}

/// May two with the same e-mail address be the same person? Not if the workspace's own system
/// tells them apart.
pub fn may_be_one(external_id: Option<&str>, other: Option<&str>) -> bool {
    external_id.is_none() || other.is_none() || external_id == other
}
