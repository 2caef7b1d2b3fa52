//! What can go wrong here.

use std::sync::Arc;

/// A failed use of the database. Cloned to every waiter of a failed group.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the driver says.
        source: Arc<sqlx::Error>,
    },
    /// A row holds what this version cannot read.
    #[error("reading {what} from the database: {detail}")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// Why it cannot be read.
        detail: String,
    },
    /// So much waits to be written that more is refused for now.
    #[error("the database is busy: {waiting} writes are waiting")]
    Overloaded {
        /// How many wait.
        waiting: usize,
    },
    /// The lane was taken over by another worker; nothing was written.
    #[error("the lane {lane} was taken over by another worker")]
    Fenced {
        /// The lane.
        lane: String,
    },
    /// The store is shutting down.
    #[error("the database is closed")]
    Closed,
    /// The address of the database cannot be used.
    #[error("{0}")]
    Address(String),
}

impl StoreError {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source: Arc::new(source) }
    }

    pub(crate) fn unreadable(what: &'static str, detail: impl ToString) -> Self {
        Self::Unreadable { what, detail: detail.to_string() }
    }
}
