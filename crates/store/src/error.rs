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
        move |source| Self::Database {
            doing,
            source: Arc::new(source),
        }
    }

    pub(crate) fn unreadable(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Unreadable {
            what,
            detail: detail.to_string(),
        }
    }

    /// The code that the database gave, if the database itself refused.
    fn code(&self) -> Option<(bool, String)> {
        let Self::Database { source, .. } = self else {
            return None;
        };
        let refusal = source.as_database_error()?;
        let sqlite = refusal
            .try_downcast_ref::<sqlx::sqlite::SqliteError>()
            .is_some();
        Some((sqlite, refusal.code()?.into_owned()))
    }

    /// Did two replicas get in each other's way? PostgreSQL's codes for a serialisation failure, a
    /// deadlock, and a row that the other one made first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.code(), Some((false, code)) if ["40001", "40P01", "23505"].contains(&&*code))
    }

    /// Is it one write that cannot be taken, and not the database that fails? By the class of
    /// PostgreSQL's code, or SQLite's primary code.
    pub(crate) fn is_about_one_write(&self) -> bool {
        /// PostgreSQL: cardinality, data, integrity, conflicts, program limits.
        const CLASSES: [&str; 5] = ["21", "22", "23", "40", "54"];
        /// SQLite: too big, constraint, mismatch.
        const PRIMARY: [u32; 3] = [18, 19, 20];
        match self.code() {
            Some((true, code)) => code
                .parse::<u32>()
                .is_ok_and(|code| PRIMARY.contains(&(code & 0xff))),
            Some((false, code)) => CLASSES.iter().any(|class| code.starts_with(class)),
            None => matches!(self, Self::Unreadable { .. }),
        }
    }
}
