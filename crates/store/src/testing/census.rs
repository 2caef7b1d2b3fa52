//! Which statements were run on which database. Kept in builds with debug assertions only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::db::Dialect;
use crate::testing::Backend;

type Statements = BTreeMap<&'static str, BTreeSet<String>>;

static SQLITE: Mutex<Statements> = Mutex::new(BTreeMap::new());
static POSTGRES: Mutex<Statements> = Mutex::new(BTreeMap::new());

#[cfg_attr(
    not(debug_assertions),
    expect(dead_code, reason = "called in debug builds only")
)]
pub(crate) fn note(dialect: Dialect, doing: &'static str, sql: &str) {
    let seen = match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let texts = seen.entry(doing).or_default();
    if !texts.contains(sql) {
        texts.insert(sql.to_owned());
    }
}

/// The statements that this process ran on one kind of database so far, by what they were for.
pub fn statements(backend: Backend) -> BTreeMap<&'static str, BTreeSet<String>> {
    let seen = match backend {
        Backend::Sqlite => &SQLITE,
        Backend::Postgres => &POSTGRES,
    };
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
