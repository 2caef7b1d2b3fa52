//! SQLite: a library that runs a statement where it is called, so nothing is handed to another
//! thread and waited for. What a write costs is then what SQLite does, and not the thirty changes
//! of thread that a note would take otherwise.
//!
//! Writes run on a thread of their own, because making them durable takes its time. Look-ups by key
//! run where they are asked; everything else that is read may take long and runs aside.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::checkpoint::Checkpoints;
use crate::db::{Durable, Value};
use crate::error::{DriverError, StoreError};

/// Looks that run aside at the same time: they share one file and two or three processors.
const READERS_MAX: usize = 4;

/// Prepared statements kept per connection: every statement in each of its few sizes.
const STATEMENTS_KEPT: usize = 256;

/// Pages of the file that the writing connection keeps in memory, in KiB. As many as SQLite would by
/// itself: after a page of an index was split it goes through all that it keeps as it commits, which
/// with twelve times as many was a twentieth of what taking in a delivery costs.
const CACHE_KIB: i64 = 2_000;

/// The same while contacts are copied. Their transactions are large; with fewer pages SQLite pushes
/// changed ones out and reads them again before one is over.
const LARGE_CACHE_KIB: i64 = 24 * 1024;

/// Other transactions in a row after which a copy is taken to be over, and pages are let go.
const LARGE_CACHE_FOR: u32 = 256;

/// How long a write waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How soon a file that was busy as it was opened is tried again.
const BUSY_AGAIN: Duration = Duration::from_millis(20);

/// SQLite's primary result code for a file that another one uses.
const BUSY: i32 = 5;

/// A connection to a file.
pub(crate) struct SqliteConn {
    conn: Connection,
    /// What its next commit is.
    durable: Durable,
    /// Other transactions since the last one of a copy, while many pages are kept for it.
    since_copy: Option<u32>,
}

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    /// A kind of value that nothing is stored as.
    Other(&'static str),
}

/// A row.
pub(crate) type Cells = Box<[Cell]>;

impl SqliteConn {
    /// Opens the file for the one who writes, and makes it where it is missing.
    pub(crate) fn for_writing(path: &Path) -> Result<Self, DriverError> {
        let began = Instant::now();
        // SQLite itself waits for other writers, but not where the journal of a new file is set up.
        let mut conn = loop {
            match Self::opened(path) {
                Err(DriverError::Sqlite(error))
                    if is_busy(&error) && began.elapsed() < BUSY_TIMEOUT =>
                {
                    std::thread::sleep(BUSY_AGAIN);
                }
                done => break done?,
            }
        };
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // A statement about many rows notes each page as it was, should it fail in the middle.
        // Otherwise that goes to a temporary file, which was most of what a copy of contacts wrote.
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        Checkpoints::of(path, Self::opened).see_to(&mut conn)?;
        Ok(Self::of(conn))
    }

    /// Opens the file for somebody who only reads.
    fn for_reading(path: &Path) -> Result<Self, DriverError> {
        let conn = Self::opened(path)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(Self::of(conn))
    }

    /// `conn`: as it is [opened](Self::opened).
    fn of(conn: Connection) -> Self {
        Self {
            conn,
            durable: Durable::AtCommit,
            since_copy: None,
        }
    }

    fn opened(path: &Path) -> Result<Connection, DriverError> {
        let conn = Connection::open(path)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        // A plan is made for a statement, not for the values that it is run with. Otherwise each run of
        // one with a `LIMIT ?`, or that compares a column which no index is used for, prepares it anew.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", synchronous(Durable::AtCommit))?;
        conn.pragma_update(None, "foreign_keys", true)?;
        Ok(conn)
    }

    /// Begins a transaction. A deferred one that reads and then writes would fail at once when another
    /// process writes, whatever the busy time-out.
    pub(crate) fn begin(&mut self, durable: Durable) -> Result<(), DriverError> {
        self.keep_pages(durable)?;
        if self.durable != durable {
            let pragma = synchronous(durable);
            self.conn.pragma_update(None, "synchronous", pragma)?;
            self.durable = durable;
        }
        self.run("BEGIN IMMEDIATE", &[]).map(drop)
    }

    /// Keeps many pages from the first transaction of a copy on until others are all there is.
    fn keep_pages(&mut self, durable: Durable) -> Result<(), DriverError> {
        let (kept, since_copy) = match (durable, self.since_copy) {
            (Durable::Soon, None) => (LARGE_CACHE_KIB, Some(0)),
            (Durable::AtCommit, Some(LARGE_CACHE_FOR..)) => (CACHE_KIB, None),
            (Durable::Soon, Some(_)) => {
                self.since_copy = Some(0);
                return Ok(());
            }
            (Durable::AtCommit, since) => {
                self.since_copy = since.map(|count| count + 1);
                return Ok(());
            }
        };
        self.conn.pragma_update(None, "cache_size", -kept)?;
        self.since_copy = since_copy;
        Ok(())
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) fn run(&mut self, sql: &str, args: &[Value]) -> Result<u64, DriverError> {
        self.rows(sql, args)?;
        Ok(self.conn.changes())
    }

    /// Runs a statement and returns its rows.
    pub(crate) fn rows(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Cells>, DriverError> {
        let mut statement = self.conn.prepare_cached(&numbered(sql))?;
        let mut found = Vec::new();
        run(&mut statement, args, &mut found)?;
        Ok(found)
    }

    /// Runs a statement once for each row of values, `columns` of them each, and returns the rows of
    /// all of it. Without a row of values that fails, it is as one statement about them all; the ones
    /// before it stay, until whoever began the transaction rolls it back.
    pub(crate) fn each(
        &mut self,
        sql: &str,
        columns: usize,
        args: &[Value],
    ) -> Result<Vec<Cells>, DriverError> {
        let mut statement = self.conn.prepare_cached(&numbered(sql))?;
        let mut found = Vec::new();
        for row in args.chunks(columns) {
            run(&mut statement, row, &mut found)?;
        }
        Ok(found)
    }

    /// Runs an `INSERT` once for each row of values, and returns the ids that the rows got; none for a
    /// row that was there already and was left as it is.
    pub(crate) fn insert_each(
        &mut self,
        sql: &str,
        columns: usize,
        args: &[Value],
    ) -> Result<Vec<Option<i64>>, DriverError> {
        self.came_of_each(sql, columns, args, |conn| {
            (conn.changes() > 0).then(|| conn.last_insert_rowid())
        })
    }

    /// Runs an `UPDATE` once for each row of values, and says for each whether there was a row for it.
    pub(crate) fn change_each(
        &mut self,
        sql: &str,
        columns: usize,
        args: &[Value],
    ) -> Result<Vec<bool>, DriverError> {
        self.came_of_each(sql, columns, args, |conn| conn.changes() > 0)
    }

    /// Runs a statement that returns no rows once for each row of values, and says what came of each.
    fn came_of_each<T>(
        &self,
        sql: &str,
        columns: usize,
        args: &[Value],
        came: impl Fn(&Connection) -> T,
    ) -> Result<Vec<T>, DriverError> {
        let mut statement = self.conn.prepare_cached(&numbered(sql))?;
        let mut all = Vec::with_capacity(args.len() / columns);
        for row in args.chunks(columns) {
            run(&mut statement, row, &mut Vec::new())?;
            all.push(came(&self.conn));
        }
        Ok(all)
    }

    /// Runs several statements that take no values.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), DriverError> {
        Ok(self.conn.execute_batch(sql)?)
    }
}

/// How SQLite makes commits durable. Of those that are so soon, the log is written out before anything
/// of it is moved to the file, so a machine that fails leaves the database as it was some commits ago.
fn synchronous(durable: Durable) -> &'static str {
    match durable {
        Durable::AtCommit => "FULL",
        Durable::Soon => "NORMAL",
    }
}

fn run(
    statement: &mut Statement<'_>,
    args: &[Value],
    found: &mut Vec<Cells>,
) -> Result<(), rusqlite::Error> {
    bind(statement, args)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|column| Ok(cell(row.get_ref(column)?)));
        found.push(cells.collect::<Result<Cells, rusqlite::Error>>()?);
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, args: &[Value]) -> Result<(), rusqlite::Error> {
    let places = statement.parameter_count();
    if args.len() != places {
        return Err(rusqlite::Error::InvalidParameterCount(args.len(), places));
    }
    for (place, arg) in args.iter().enumerate() {
        match arg {
            Value::Int(value) => statement.raw_bind_parameter(place + 1, value)?,
            Value::Text(value) => statement.raw_bind_parameter(place + 1, value.as_deref())?,
            Value::Shared(value) => statement.raw_bind_parameter(place + 1, &**value)?,
        }
    }
    Ok(())
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Real(_) => Cell::Other("a number with decimals"),
        ValueRef::Blob(_) => Cell::Other("bytes"),
    }
}

/// The statement with `?1` for `$1`: to SQLite a `$1` is a name, which it would look for among all
/// others whenever a value is bound.
fn numbered(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(sql.len());
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        let number = letters.peek().is_some_and(char::is_ascii_digit);
        text.push(if letter == '$' && number { '?' } else { letter });
    }
    Cow::Owned(text)
}

/// Is it SQLite's `SQLITE_BUSY`, in any of its kinds? The kind stands above the lowest byte.
fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code.is_some_and(|code| code & 0xff == BUSY)
}

/// Connections for reading, lent to one after the other.
pub(crate) struct SqliteReaders {
    path: std::path::PathBuf,
    free: Mutex<Vec<SqliteConn>>,
    places: Arc<Semaphore>,
}

impl SqliteReaders {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            free: Mutex::default(),
            places: Arc::new(Semaphore::new(READERS_MAX)),
        }
    }

    /// Lends a connection: at once for a quick look, which holds it for no longer than it runs, and
    /// otherwise as soon as others have brought theirs back.
    pub(crate) async fn lend(self: &Arc<Self>, runs: Runs) -> Result<Lent, StoreError> {
        let place = match runs {
            Runs::Here => None,
            Runs::Aside => {
                let place = Arc::clone(&self.places).acquire_owned().await;
                Some(place.map_err(|_| StoreError::Closed)?)
            }
        };
        let free = self.free().pop();
        let conn = match free {
            Some(conn) => conn,
            None => SqliteConn::for_reading(&self.path)
                .map_err(StoreError::database("opening the SQLite file"))?,
        };
        let held = Held {
            conn: Some(conn),
            from: Arc::clone(self),
            _place: place,
        };
        Ok(Lent {
            held: Some(held),
            runs,
        })
    }

    /// Lends nothing more, and closes what is not lent.
    pub(crate) fn close(&self) {
        self.places.close();
        self.free().clear();
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConn>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a look into the database runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// Where it is asked: for look-ups by key, which take less time than handing them over.
    Here,
    /// On a thread for what takes its time.
    Aside,
}

/// A lent connection.
pub(crate) struct Lent {
    /// Not here only while a look runs aside.
    held: Option<Held>,
    runs: Runs,
}

impl Lent {
    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
    ) -> Result<Vec<Cells>, DriverError> {
        let mut held = self.held.take().ok_or(DriverError::Gone)?;
        if self.runs == Runs::Here {
            let rows = held.rows(sql, &args);
            self.held = Some(held);
            return rows;
        }
        let sql = sql.to_owned();
        let aside = tokio::task::spawn_blocking(move || (held.rows(&sql, &args), held));
        let (rows, held) = aside.await.map_err(|_| DriverError::Gone)?;
        self.held = Some(held);
        rows
    }
}

/// A connection that goes back when this is dropped, wherever that is: nobody may wait for its
/// answer any more.
struct Held {
    conn: Option<SqliteConn>,
    from: Arc<SqliteReaders>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn rows(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Cells>, DriverError> {
        self.conn.as_mut().ok_or(DriverError::Gone)?.rows(sql, args)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && !self.from.places.is_closed()
        {
            self.from.free().push(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_values_it_is_run_with() {
        const SQL: &str =
            "SELECT name FROM fact WHERE issue = ? AND name > ? ORDER BY name LIMIT ?";
        let folder = tempfile::tempdir().unwrap();
        let mut conn = SqliteConn::for_writing(&folder.path().join("some.db")).unwrap();
        conn.script(
            "CREATE TABLE fact (issue TEXT, name TEXT, PRIMARY KEY (issue, name)); \
             CREATE TABLE effect (id INTEGER PRIMARY KEY, key TEXT UNIQUE, told_at BIGINT)",
        )
        .unwrap();
        for after in ["a", "b", "c", "d", "e"] {
            conn.rows(SQL, &["10".into(), after.into(), 4.into()])
                .unwrap();
        }
        let statement = conn.conn.prepare_cached(SQL).unwrap();
        assert_eq!(statement.get_status(StatementStatus::Run), 5);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn only_a_commit_that_may_wait_does_not_wait_for_the_disk() {
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let mut conn = SqliteConn::for_writing(&folder.path().join("some.db")).unwrap();
        for (durable, want) in [
            (Durable::AtCommit, FULL),
            (Durable::Soon, NORMAL),
            (Durable::Soon, NORMAL),
            (Durable::AtCommit, FULL),
        ] {
            conn.begin(durable).unwrap();
            let found = conn.rows("PRAGMA synchronous", &[]).unwrap();
            assert_eq!(found[0][0], Cell::Int(want), "{durable:?}");
            conn.run("COMMIT", &[]).unwrap();
        }
    }

    #[test]
    fn many_pages_are_kept_while_contacts_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = SqliteConn::for_writing(&folder.path().join("some.db")).unwrap();
        let mut kept_after = |durable, times: u32| {
            for _ in 0..times {
                conn.begin(durable).unwrap();
                conn.run("COMMIT", &[]).unwrap();
            }
            conn.rows("PRAGMA cache_size", &[]).unwrap()[0][0].clone()
        };
        let (few, many) = (Cell::Int(-CACHE_KIB), Cell::Int(-LARGE_CACHE_KIB));
        assert_eq!(kept_after(Durable::AtCommit, 1), few);
        assert_eq!(kept_after(Durable::Soon, 1), many);
        assert_eq!(kept_after(Durable::AtCommit, LARGE_CACHE_FOR), many);
        assert_eq!(kept_after(Durable::Soon, 1), many, "it goes on");
        assert_eq!(kept_after(Durable::AtCommit, LARGE_CACHE_FOR + 1), few);
    }

    #[test]
    fn a_statement_for_each_row_returns_what_it_returns_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = SqliteConn::for_writing(&folder.path().join("some.db")).unwrap();
        conn.script("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT UNIQUE)")
            .unwrap();
        let insert = "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO NOTHING";
        let ids = conn.insert_each(insert, 1, &["x".into(), "x".into(), "y".into()]);
        assert_eq!(ids.unwrap(), [Some(1), None, Some(3)]);
        let update = "UPDATE t SET a = ?2 WHERE id = ?1 RETURNING a";
        let args = [
            3.into(),
            "b".into(),
            1.into(),
            "a".into(),
            9.into(),
            "c".into(),
        ];
        let changed = conn.each(update, 2, &args).unwrap();
        let changed: Vec<&Cell> = changed.iter().map(|cells| &cells[0]).collect();
        assert_eq!(changed, [&Cell::Text("b".into()), &Cell::Text("a".into())]);
    }
}
