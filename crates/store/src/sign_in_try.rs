//! Tries to sign in: counted in the database, so that several processes take no more of them than
//! one.

use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::sign_in_try;
use crate::store::Store;
use crate::writes::{Write, write};

/// How many tries under one name are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryName {
    /// The name, as a digest: what people type into a form is not kept.
    pub name: String,
    /// Tries before somebody has to wait.
    pub max: i64,
}

/// How long tries count, and how many rows there are at most.
#[derive(Clone, Copy, Debug)]
pub struct TryLimit {
    /// How long a try counts, in milliseconds.
    pub counted_ms: i64,
    /// Rows that are kept at most; beyond it the oldest go.
    pub rows_max: i64,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is taken, and counts as failed until it succeeds.
    Taken {
        /// The rows that it is.
        rows: Vec<i64>,
        /// Was it the last one that is taken for now?
        last: bool,
    },
    /// There were too many: this long, in milliseconds, none is taken.
    Wait(i64),
}

impl Leases for Tried {}

write!(TrySignIn { names: Vec<TryName>, limit: TryLimit, now: Millis } -> Tried,
    |conn, _| sign_in_try::take(conn, &names, limit, now).await);
write!(TrySucceeded { rows: Vec<i64>, forgotten: String } -> (),
    |conn, _| sign_in_try::succeeded(conn, &rows, &forgotten).await);

impl Store {
    /// Takes a try to sign in under each of these names, if there were not too many under one of
    /// them.
    ///
    /// On PostgreSQL each process counts in its own transaction, so that at most one try for each
    /// further process is taken beyond the number.
    pub async fn try_sign_in(
        &self,
        names: Vec<TryName>,
        limit: TryLimit,
        now: Millis,
    ) -> Result<Tried, StoreError> {
        self.write(TrySignIn { names, limit, now }).await
    }

    /// A try succeeded: it does not count, nor does what failed under the name `forgotten`.
    pub async fn sign_in_succeeded(
        &self,
        rows: Vec<i64>,
        forgotten: String,
    ) -> Result<(), StoreError> {
        self.write(TrySucceeded { rows, forgotten }).await
    }
}
