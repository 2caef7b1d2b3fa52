//! Opening a database: where the writer and the readers get their connections.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::committer::Source;
use crate::db::{Conn, Dialect};
use crate::error::StoreError;
use crate::migrate;
use crate::postgres::{PostgresConn, PostgresReaders, REACH_TIMEOUT, READERS_MAX};
use crate::sql::lanes;
use crate::sqlite::{SqliteConn, SqliteReaders};

/// Prepared statements kept per connection: every statement in each of its few sizes.
const STATEMENTS_KEPT: usize = 256;

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
    Sqlite(Arc<SqliteReaders>),
    Postgres(Arc<PostgresReaders>),
}

impl Readers {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
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
    let path = PathBuf::from(path);
    if let Some(folder) = path
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
    let readers = Readers::Sqlite(Arc::new(SqliteReaders::new(&path)));
    let works_lanes = open.works_lanes;
    let runtime = Handle::current();
    // A migration of a large file takes its time.
    let opening = tokio::task::spawn_blocking(move || {
        runtime.block_on(async move {
            let conn = SqliteConn::for_writing(&path).map_err(StoreError::database(doing))?;
            let mut conn = Conn::Sqlite(Box::new(conn));
            migrate::migrate(&mut conn).await?;
            if works_lanes {
                lanes::free_all(&mut conn).await?;
            }
            Ok::<_, StoreError>(conn)
        })
    });
    let conn = opening.await.map_err(|_| StoreError::Closed)??;
    Ok(Opened {
        readers,
        source: Source::Sqlite(Some(conn)),
        listening: None,
    })
}

async fn open_postgres(open: &Open, work: Arc<Notify>) -> Result<Opened, StoreError> {
    let doing = "reaching PostgreSQL";
    let options: PgConnectOptions = open
        .url
        .parse::<PgConnectOptions>()
        .map_err(|error| StoreError::Address(format!("the database address: {error}")))?
        .statement_cache_capacity(STATEMENTS_KEPT)
        .application_name("bowline");
    let pool = |size: usize| {
        PgPoolOptions::new()
            .max_connections(u32::try_from(size).unwrap_or(u32::MAX))
            .test_before_acquire(false)
            .acquire_timeout(REACH_TIMEOUT)
    };
    let writers = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::database(doing))?;
    let mut conn = Conn::Postgres(PostgresConn::reach(&writers).await?);
    migrate::migrate(&mut conn).await?;
    if open.works_lanes {
        // A process of this name that died held them.
        lanes::free_own(&mut conn, &open.owner).await?;
    }
    let readers = pool(READERS_MAX)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::database(doing))?;
    let readers = Arc::new(PostgresReaders::new(readers));
    // An ear is held for as long as the process lives, so it is none of the readers.
    let listening = open.works_lanes.then(|| {
        let ear = pool(1).connect_lazy_with(options);
        tokio::spawn(listen((ear, Arc::clone(&readers)), work))
    });
    Ok(Opened {
        readers: Readers::Postgres(readers),
        source: Source::Postgres(writers, Some(conn)),
        listening,
    })
}

/// Passes on what other processes say about work, until the readers are closed. What was said while
/// the connection was lost is found by the regular look.
async fn listen((ear, readers): (PgPool, Arc<PostgresReaders>), work: Arc<Notify>) {
    tokio::select! {
        () = hear(&ear, &work) => {}
        () = readers.closed() => {}
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
        for _ in 0..READERS_MAX {
            held.push(store.reader().await.unwrap());
        }
        drop(held);
        store.close().await;
    }
}
