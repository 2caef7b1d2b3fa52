//! Opening a database: where the writer and the readers get their connections.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqliteConnection, SqlitePool};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::committer::Source;
use crate::db::{Conn, ROWS_MAX};
use crate::error::StoreError;
use crate::migrate;
use crate::sql::lanes;

/// Connections for reading. SQLite's share one file and two or three processors.
const READERS_MAX: u32 = 4;

/// Connections for reading from PostgreSQL. Each is held for a round trip and the time until its
/// caller is polled again, not for work of this process, and as many as planners and couriers
/// there are may want one at the same moment.
const POSTGRES_READERS_MAX: u32 = 8;

/// Prepared statements kept per connection: every statement in each of its few sizes.
const STATEMENTS_KEPT: usize = 256;

/// Pages of the SQLite file that the writing connection keeps in memory, in KiB. With SQLite's own
/// 2,000 a large write pushes changed pages out and reads them again before it is over. Memory is
/// taken as pages are met.
const WRITER_CACHE_KIB: u32 = 24 * 1024;

/// Pages in the write-ahead log after which they are moved to the file. A page that changes often
/// is moved once for many changes; the log stays below 16 MiB.
const CHECKPOINT_PAGES: u32 = 4_000;

/// How long a write waits for another process that writes to the same SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How soon a file that was busy as it was opened is tried again.
const BUSY_AGAIN: Duration = Duration::from_millis(20);

/// How long PostgreSQL may take to be reached. Shorter than what senders of webhooks wait, so that
/// they get an answer when it is down.
const REACH_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a process that lost its ear for the others waits before it listens again.
const LISTEN_AGAIN: Duration = Duration::from_secs(2);

/// PostgreSQL channel on which a process tells the others that there is work.
pub(crate) const WORK_CHANNEL: &str = "bowline_work";

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Open {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Names this process among those that work the lanes; not empty. A process that starts under
    /// the name of another one takes that one for dead.
    pub owner: String,
    /// The first lease token; to be drawn at random, so that two processes do not meet.
    pub first_token: i64,
    /// Is this the process that works the lanes? Only it may free lanes that a dead process held.
    pub works_lanes: bool,
}

/// Where readers get their connections.
pub(crate) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// An opened database.
pub(crate) struct Opened {
    pub(crate) readers: Readers,
    pub(crate) source: Source,
    /// Hears what other processes say.
    pub(crate) listening: Option<JoinHandle<()>>,
}

/// Opens the database, brings its schema up to date and frees what a dead process held.
pub(crate) async fn open(open: &Open, work: Arc<Notify>) -> Result<Opened, StoreError> {
    if open.owner.is_empty() {
        return Err(StoreError::Address(
            "a process that opens the database needs a name".into(),
        ));
    }
    if let Some(path) = open.url.strip_prefix("sqlite:") {
        open_sqlite(path.trim_start_matches("//"), open).await
    } else if open.url.starts_with("postgres://") || open.url.starts_with("postgresql://") {
        open_postgres(open, work).await
    } else {
        Err(StoreError::Address(
            "the database address must start with sqlite: or postgres://".to_owned(),
        ))
    }
}

async fn open_sqlite(path: &str, open: &Open) -> Result<Opened, StoreError> {
    let doing = "opening the SQLite file";
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(StoreError::Address(
            "the SQLite address must name a file: sqlite:PATH".to_owned(),
        ));
    }
    if let Some(folder) = Path::new(path)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Address(format!(
                "the folder {} cannot be made: {error}",
                folder.display()
            ))
        })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .row_buffer_size(ROWS_MAX);
    let writing = options
        .clone()
        .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
        // A statement about many rows notes each page as it was, should it fail in the middle.
        // Otherwise that goes to a temporary file, which was most of what a copy of contacts wrote.
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string());
    let conn = connect(&writing)
        .await
        .map_err(StoreError::database(doing))?;
    let mut conn = Conn::Sqlite(Box::new(conn));
    migrate::migrate(&mut conn).await?;
    if open.works_lanes {
        lanes::free_all(&mut conn).await?;
    }
    let pool = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(READERS_MAX)
        // A connection to a file does not go stale; asking it first would double every look-up.
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "1"))
        .await
        .map_err(StoreError::database(doing))?;
    let (readers, source) = (Readers::Sqlite(pool), Source::Sqlite(Some(conn)));
    Ok(Opened {
        readers,
        source,
        listening: None,
    })
}

/// Connects, and waits for a process that makes the file at this moment. SQLite itself waits for
/// other writers, but not where the journal of a new file is set up.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let began = Instant::now();
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(BUSY_AGAIN).await;
            }
            done => return done,
        }
    }
}

/// Is it SQLite's `SQLITE_BUSY`, in any of its kinds? The kind stands above the lowest byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

async fn open_postgres(open: &Open, work: Arc<Notify>) -> Result<Opened, StoreError> {
    let doing = "reaching PostgreSQL";
    let options: PgConnectOptions = open
        .url
        .parse::<PgConnectOptions>()
        .map_err(|error| StoreError::Address(format!("the database address: {error}")))?
        .statement_cache_capacity(STATEMENTS_KEPT)
        .application_name("bowline");
    let pool = |size| {
        PgPoolOptions::new()
            .max_connections(size)
            .test_before_acquire(false)
            .acquire_timeout(REACH_TIMEOUT)
    };
    let writers = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::database(doing))?;
    let conn = writers
        .acquire()
        .await
        .map_err(StoreError::database(doing))?;
    let mut conn = Conn::Postgres(conn);
    migrate::migrate(&mut conn).await?;
    if open.works_lanes {
        // A process of this name that died held them.
        lanes::free_own(&mut conn, &open.owner).await?;
    }
    drop(conn);
    let readers = pool(POSTGRES_READERS_MAX)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::database(doing))?;
    // An ear is held for as long as the process lives, so it is none of the readers.
    let listening = open.works_lanes.then(|| {
        let ear = pool(1).connect_lazy_with(options);
        tokio::spawn(listen((ear, readers.clone()), work))
    });
    let (readers, source) = (Readers::Postgres(readers), Source::Postgres(writers));
    Ok(Opened {
        readers,
        source,
        listening,
    })
}

/// Passes on what other processes say about work, until the readers are closed. What was said while
/// the connection was lost is found by the regular look.
async fn listen((ear, readers): (PgPool, PgPool), work: Arc<Notify>) {
    tokio::select! {
        () = hear(&ear, &work) => {}
        () = readers.close_event() => {}
    }
    ear.close().await;
}

async fn hear(ear: &PgPool, work: &Notify) {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(ear).await
            && listener.listen(WORK_CHANNEL).await.is_ok()
        {
            while listener.recv().await.is_ok() {
                work.notify_waiters();
            }
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::{Backend, Scratch, texts};

    #[tokio::test]
    async fn who_listens_for_others_takes_no_reader() {
        let scratch = Scratch::new(Backend::Postgres);
        let url = scratch.url().to_owned();
        let store = Store::open(Open {
            url: url.clone(),
            owner: "first".to_owned(),
            first_token: 1,
            works_lanes: true,
        })
        .await
        .unwrap();
        let listening = "SELECT '1' FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
        while texts(&url, listening).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut held = Vec::new();
        for _ in 0..POSTGRES_READERS_MAX {
            held.push(store.reader().await.unwrap());
        }
        drop(held);
        store.close().await;
    }
}
