//! Contacts and companies of a workspace: copied from Intercom, kept in step, and edited here.
//!
//! What comes from Intercom is matched with what is known ([`matching`]), taken in unless it is
//! older than that ([`freshness`]), and laid under what was edited here ([`profile::Profile`]).
//!
//! # Invariants kept here
//!
//! 1. Two contacts of Intercom are never made one by a guess: by external id and e-mail address
//!    only a contact is joined that Intercom does not know yet, and only if it is the only one.
//! 2. A local edit is shown before Intercom's value until somebody says otherwise, and Intercom's
//!    value is never lost beside it.
//! 3. What was erased does not come back: its tombstone stands above everything that is told of it.
//! 4. Taking the same in again, or something older, changes nothing.

pub mod field;
pub mod ids;
pub mod matching;
pub mod profile;
pub mod progress;
pub mod remote;
pub mod sweep;
#[cfg(test)]
mod tests;

/// How a contact is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Life {
    /// Listed.
    #[default]
    Live,
    /// Archived in Intercom: kept, not listed.
    Archived,
    /// Intercom does not find it and did not say that it was deleted: kept, not listed.
    Missing,
}

impl Life {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Live, Self::Archived, Self::Missing];

    /// The number by which it is stored; it never changes.
    pub fn code(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::Archived => 1,
            Self::Missing => 2,
        }
    }

    /// By its number; what a newer version stored counts as not listed.
    pub fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Live,
            1 => Self::Archived,
            _ => Self::Missing,
        }
    }

    /// The word for addresses and the API; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Archived => "archived",
            Self::Missing => "missing",
        }
    }
}

/// What is to be done with something that was read of a contact that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It says what is known.
    Same,
    /// It was read before what is known.
    Older,
    /// It is news.
    Newer,
}

/// Compares versions: when the contact was changed at Intercom, in milliseconds, and a digest of
/// all that is kept of it. Intercom's times are whole seconds, so two versions may have the same;
/// then the one that comes later counts.
pub fn freshness(known: (i64, i64), come: (i64, i64)) -> Freshness {
    if known.1 == come.1 && known.0 >= come.0 {
        Freshness::Same
    } else if come.0 < known.0 {
        Freshness::Older
    } else {
        Freshness::Newer
    }
}
