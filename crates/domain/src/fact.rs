//! Facts: what happened, by a name that does not depend on who told it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, EventId};

/// The name of a fact within its issue. One Jira comment arrives as up to three webhook shapes and
/// is seen again by the reconciler; it has one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactKey(String);

impl FactKey {
    /// The issue was created.
    pub fn created() -> Self {
        Self("created".to_owned())
    }

    /// The change with this history id.
    pub fn changed(history_id: &str) -> Self {
        Self(format!("changed.{history_id}"))
    }

    /// The comment was written.
    pub fn commented(comment: &CommentId) -> Self {
        Self(format!("commented.{comment}"))
    }

    /// The notify address was called.
    pub fn asked(event: EventId) -> Self {
        Self(format!("asked.{event}"))
    }

    /// The link came to life for the n-th time.
    pub fn linked(generation: u32) -> Self {
        Self(format!("linked.{generation}"))
    }

    /// The comment was looked at for the end user of its request.
    pub fn talked(comment: &CommentId) -> Self {
        Self(format!("talked.{comment}"))
    }

    /// The change with this history id was looked at for the end user of its request.
    pub fn announced(history_id: &str) -> Self {
        Self(format!("announced.{history_id}"))
    }

    /// A person wrote something, by this name of their writing.
    pub fn by_hand(name: &str) -> Self {
        Self(format!("by_hand.{name}"))
    }

    /// A key read back from the store.
    pub fn stored(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
