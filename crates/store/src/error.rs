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
        source: Arc<DriverError>,
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

/// What the driver of a database says.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// The connection was lost with the task that used it.
    #[error("the connection is gone")]
    Gone,
    /// A write was tried where only reading is meant.
    #[error("this connection only reads")]
    OnlyReads,
}

impl DriverError {
    /// Does the database itself say so? Then it did nothing of what was asked.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error().is_some(),
            Self::Postgres(error) => error.as_database_error().is_some(),
            Self::Gone | Self::OnlyReads => false,
        }
    }
}

/// By which code a database refused.
enum Refusal {
    /// SQLite's primary result code.
    Sqlite(i32),
    /// PostgreSQL's `SQLSTATE`.
    Postgres(String),
}

impl StoreError {
    pub(crate) fn database<E: Into<DriverError>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Database {
            doing,
            source: Arc::new(source.into()),
        }
    }

    pub(crate) fn unreadable(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Unreadable {
            what,
            detail: detail.to_string(),
        }
    }

    /// Why the database itself refused, if it did.
    fn refusal(&self) -> Option<Refusal> {
        let Self::Database { source, .. } = self else {
            return None;
        };
        match &**source {
            DriverError::Sqlite(error) => {
                let code = error.sqlite_error()?.extended_code;
                // The kind stands above the lowest byte.
                Some(Refusal::Sqlite(code & 0xff))
            }
            DriverError::Postgres(error) => {
                let code = error.as_database_error()?.code()?;
                Some(Refusal::Postgres(code.into_owned()))
            }
            DriverError::Gone | DriverError::OnlyReads => None,
        }
    }

    /// Did two replicas get in each other's way? PostgreSQL's codes for a serialisation failure, a
    /// deadlock, and a row that the other one made first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self.refusal(), Some(Refusal::Postgres(code))
            if ["40001", "40P01", "23505"].contains(&&*code))
    }

    /// Is it one write that cannot be taken, and not the database that fails? By the class of
    /// PostgreSQL's code, or SQLite's primary code.
    pub(crate) fn is_about_one_write(&self) -> bool {
        /// PostgreSQL: cardinality, data, integrity, conflicts, program limits.
        const CLASSES: [&str; 5] = ["21", "22", "23", "40", "54"];
        /// SQLite: too big, constraint, mismatch.
        const PRIMARY: [i32; 3] = [18, 19, 20];
        match self.refusal() {
            Some(Refusal::Sqlite(code)) => PRIMARY.contains(&code),
            Some(Refusal::Postgres(code)) => CLASSES.iter().any(|class| code.starts_with(class)),
            None => matches!(self, Self::Unreadable { .. }),
        }
    }
}
