//! The store as the issue panel uses it: what was last read of remote things, and sends that wait
//! for a person.

use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectKey;
use bowline_domain::ids::{EffectId, IssueId, SiteName};
use bowline_domain::time::Millis;

use crate::error::StoreError;
use crate::model::EffectView;
use crate::sql::{readings, views};
use crate::store::Store;
use crate::writes::{ForgetReadings, PutReading};

/// A kind of remote thing that is read for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadingKind {
    /// A conversation.
    Conversation,
    /// A contact with its companies.
    Contact,
    /// The contacts with an e-mail address.
    SameEmail,
    /// The reporter of an issue.
    Reporter,
    /// The teammates of a workspace.
    Teammates,
    /// What attributes are called.
    Attributes,
}

impl ReadingKind {
    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Contact => "contact",
            Self::SameEmail => "same_email",
            Self::Reporter => "reporter",
            Self::Teammates => "teammates",
            Self::Attributes => "attributes",
        }
    }
}

/// What was last read of a remote thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its id there; empty for what there is one of.
    pub remote: String,
    /// What was read, as JSON; none until a read succeeds, and when it is gone.
    pub body: Option<String>,
    /// When that was.
    pub read_at: Option<Millis>,
    /// When it was last tried.
    pub tried_at: Millis,
    /// Why the latest try failed, in words.
    pub trouble: Option<String>,
}

/// What a try at reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was read.
    Read(String),
    /// It was not: what was read before stays.
    Failed(String),
    /// The far side says that there is no such thing for us: what was read before is dropped.
    Gone(String),
}

impl Store {
    /// What was last read of these remote things; those that were never tried are missing.
    pub async fn readings(
        &self,
        connection: &Connection,
        kind: ReadingKind,
        remote: &[String],
    ) -> Result<Vec<Reading>, StoreError> {
        readings::get(&mut self.reader().await?, connection, kind, remote).await
    }

    /// Records a try at reading a remote thing.
    pub async fn put_reading(
        &self,
        connection: &Connection,
        kind: ReadingKind,
        remote: &str,
        tried: Tried,
        at: Millis,
    ) -> Result<(), StoreError> {
        let write = PutReading {
            connection: connection.clone(),
            kind,
            remote: remote.to_owned(),
            tried,
            at,
        };
        self.write(write).await
    }

    /// Forgets what was not looked at since `before`. Answers how many there were.
    pub async fn forget_readings(&self, before: Millis) -> Result<u64, StoreError> {
        self.write(ForgetReadings { before }).await
    }

    /// One effect.
    pub async fn effect(&self, id: EffectId) -> Result<Option<EffectView>, StoreError> {
        views::effect(&mut self.reader().await?, id).await
    }

    /// The effect of this key.
    pub async fn effect_of_key(&self, key: &EffectKey) -> Result<Option<EffectView>, StoreError> {
        views::effect_of_key(&mut self.reader().await?, key).await
    }

    /// The sends of an issue that wait for a person.
    pub async fn held_of(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Vec<EffectView>, StoreError> {
        views::held_of(&mut self.reader().await?, site, issue).await
    }
}

/// Answers to customers that wait for a person, at one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAnswers {
    /// The site.
    pub site: SiteName,
    /// The key of the issue.
    pub key: String,
    /// How many.
    pub count: i64,
    /// Since when the first of them waits.
    pub since: Millis,
}

/// How many answers to customers wait for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldCounts {
    /// All of them.
    pub answers: i64,
    /// The issues that they are at.
    pub issues: i64,
    /// Since when the first of them waits.
    pub since: Option<Millis>,
}

impl Store {
    /// Answers to customers that wait for a person, by issue, in the order of sites and keys: of at
    /// most so many issues, from this one on.
    pub async fn held_answers(
        &self,
        from: Option<(&SiteName, &str)>,
        issues: i64,
    ) -> Result<Vec<HeldAnswers>, StoreError> {
        views::held_answers(&mut self.reader().await?, from, issues).await
    }

    /// How many answers to customers wait for a person.
    pub async fn held_counts(&self) -> Result<HeldCounts, StoreError> {
        views::held_counts(&mut self.reader().await?).await
    }
}

/// What a person says of a send that was held: committed together with the decision about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldEnding {
    /// The send.
    pub key: EffectKey,
    /// Did it arrive? Otherwise it is given up, in favour of another one if that is planned.
    pub arrived: bool,
    /// In words.
    pub reason: String,
}
