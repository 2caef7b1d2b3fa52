//! PostgreSQL. A message to the server and back takes longer than most statements do, and a note
//! waits for several of them. So a transaction begins with its first statement, and a connection is
//! kept at hand instead of being given back to a pool, which asks it each time whether it lives.
//!
//! What the driver does is awaited behind a [`BoxFuture`], made by a function that is never inlined:
//! without that it would be compiled anew, and stand in the program, once for each crate that awaits
//! the store.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::db::{Row, Value};
use crate::error::{DriverError, StoreError};

/// Connections for reading. Each is held for a round trip and the time until its caller is polled
/// again, not for work of this process, and as many as planners and couriers there are may want one
/// at the same moment.
pub(crate) const READERS_MAX: usize = 8;

/// How long PostgreSQL may take to be reached. Shorter than what senders of webhooks wait, so that
/// they get an answer when it is down.
pub(crate) const REACH_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection that was not used for so long is not used again: what stands between may have
/// forgotten it without a word.
const IDLE_MAX: Duration = Duration::from_mins(5);

/// Makes all durable that was committed before, however that was committed: it writes to the log, and so
/// has a commit of its own that waits for the disk. What it writes says nothing to anybody. A
/// transaction that writes nothing would not wait, even if it had a number.
const MAKE_DURABLE: &str = "SELECT pg_logical_emit_message(true, 'bowline', '')";

/// Whether PostgreSQL keeps what it made of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It is prepared once, and soon planned for any values.
    Kept,
    /// It is planned each time for the values that it has.
    Anew,
}

/// A statement with its values.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// A connection of a pool behind a pointer: what becomes of one that is dropped is the driver's too.
trait Pooled: DerefMut<Target = PgConnection> + Send {
    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), sqlx::Error>>;
}

impl Pooled for PoolConnection<Postgres> {
    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), sqlx::Error>> {
        Box::pin((*self).close())
    }
}

/// A connection to PostgreSQL.
pub(crate) struct PostgresConn {
    conn: Box<dyn Pooled>,
    transaction: Transaction,
    /// Is something visible that may not be durable yet?
    owes_durability: bool,
    /// Did the server answer what it was asked last?
    sound: bool,
    used_at: Instant,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    /// In none: each statement is one.
    Absent,
    /// It begins with the first statement.
    Due,
    /// The server answered within it.
    Begun,
    /// The first statement is the whole of it, and how it ended was not told.
    Unclear,
}

impl PostgresConn {
    /// A connection of the pool.
    #[inline(never)]
    pub(crate) fn reach(pool: &PgPool) -> BoxFuture<'_, Result<Self, StoreError>> {
        Box::pin(async {
            let conn = pool.acquire().await;
            Ok(Self {
                conn: Box::new(conn.map_err(StoreError::database("reaching the database"))?),
                transaction: Transaction::Absent,
                owes_durability: false,
                sound: true,
                used_at: Instant::now(),
            })
        })
    }

    pub(crate) async fn run(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, DriverError> {
        self.begun().await?;
        self.execute(bound(sql, args)).await
    }

    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        plan: Plan,
    ) -> Result<Vec<Row>, DriverError> {
        self.rows_of(bound(sql, args).persistent(plan == Plan::Kept))
            .await
    }

    pub(crate) async fn rows_of(&mut self, query: Statement) -> Result<Vec<Row>, DriverError> {
        self.begun().await?;
        self.fetch(query).await
    }

    /// Runs a statement that is the whole of its transaction, if none has begun: it needs neither a
    /// beginning nor a commit then.
    pub(crate) async fn rows_of_only(&mut self, query: Statement) -> Result<Vec<Row>, DriverError> {
        if self.transaction != Transaction::Due {
            return self.rows_of(query).await;
        }
        self.transaction = Transaction::Unclear;
        let rows = self.fetch(query).await;
        if self.sound {
            self.transaction = Transaction::Absent;
        }
        rows
    }

    /// Runs a statement whose values stand in it, together with the beginning of the transaction.
    pub(crate) async fn rows_at_begin(&mut self, sql: &str) -> Result<Vec<Row>, DriverError> {
        let due = self.transaction == Transaction::Due;
        let sql = format!("{}{sql}", if due { "BEGIN; " } else { "" });
        let rows = self.fetch_unprepared(sql).await;
        if due && self.sound {
            self.transaction = Transaction::Begun;
        }
        rows
    }

    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), DriverError> {
        self.begun().await?;
        self.fetch_unprepared(sql.to_owned()).await.map(drop)
    }

    /// Has a transaction begin with the next statement.
    pub(crate) fn begin(&mut self) {
        self.transaction = Transaction::Due;
    }

    /// Begins the transaction, if it is due.
    pub(crate) async fn begun(&mut self) -> Result<(), DriverError> {
        if self.transaction == Transaction::Due {
            self.execute(bound("BEGIN", Vec::new())).await?;
            self.transaction = Transaction::Begun;
        }
        Ok(())
    }

    /// Commits, and makes durable what is owed to be.
    pub(crate) async fn commit(&mut self) -> Result<(), DriverError> {
        self.end("COMMIT").await?;
        if self.owes_durability {
            self.execute(bound(MAKE_DURABLE, Vec::new())).await?;
            self.owes_durability = false;
        }
        Ok(())
    }

    /// Does a transaction begin with the next statement?
    pub(crate) fn is_due(&self) -> bool {
        self.transaction == Transaction::Due
    }

    /// Has [`Self::commit`] make durable whatever was committed before, by whomever.
    pub(crate) fn owe_durability(&mut self) {
        self.owes_durability = true;
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), DriverError> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, sql: &'static str) -> Result<(), DriverError> {
        if std::mem::replace(&mut self.transaction, Transaction::Absent) == Transaction::Begun {
            self.execute(bound(sql, Vec::new())).await?;
        }
        Ok(())
    }

    /// May a transaction have been committed, although that was not told?
    pub(crate) fn is_unclear(&self) -> bool {
        self.transaction == Transaction::Unclear
    }

    /// Was the connection lost before the server said anything of the transaction?
    pub(crate) fn is_lost_from_the_start(&self) -> bool {
        !self.sound && matches!(self.transaction, Transaction::Due | Transaction::Unclear)
    }

    /// May it be used again?
    pub(crate) fn is_good(&self) -> bool {
        self.sound && self.used_at.elapsed() < IDLE_MAX
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        // The server ends it by itself when it is gone.
        let _ = self.conn.close().await;
    }

    #[inline(never)]
    fn execute(&mut self, query: Statement) -> BoxFuture<'_, Result<u64, DriverError>> {
        Box::pin(async {
            self.sound = false;
            let done = query.execute(&mut **self.conn).await;
            self.answered(done).map(|done| done.rows_affected())
        })
    }

    #[inline(never)]
    fn fetch(&mut self, query: Statement) -> BoxFuture<'_, Result<Vec<Row>, DriverError>> {
        Box::pin(async {
            self.sound = false;
            let rows = query.fetch_all(&mut **self.conn).await;
            self.answered(rows).map(of_postgres)
        })
    }

    /// Runs statements that take no values, as the server's simple protocol does.
    #[inline(never)]
    fn fetch_unprepared(&mut self, sql: String) -> BoxFuture<'_, Result<Vec<Row>, DriverError>> {
        Box::pin(async {
            self.sound = false;
            let statements = sqlx::raw_sql(AssertSqlSafe(Arc::<str>::from(sql)));
            let rows = statements.fetch_all(&mut **self.conn).await;
            self.answered(rows).map(of_postgres)
        })
    }

    /// Takes note of an answer. A refusal is one.
    fn answered<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, DriverError> {
        self.used_at = Instant::now();
        let result = result.map_err(DriverError::from);
        self.sound = result.as_ref().err().is_none_or(DriverError::is_refusal);
        result
    }
}

fn of_postgres(rows: Vec<PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}

/// Binds values to a statement.
pub(crate) fn bound(sql: &str, args: Vec<Value>) -> Statement {
    let mut query = sqlx::query::<Postgres>(AssertSqlSafe(Arc::<str>::from(sql)));
    for arg in args {
        query = match arg {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Shared(value) => query.bind(value),
        };
    }
    query
}

/// A text as it stands in a statement, whatever the server takes a backslash for.
pub(crate) fn literal(text: &str) -> String {
    let text = text
        .replace('\0', "\u{fffd}")
        .replace('\\', "\\\\")
        .replace('\'', "''");
    format!("E'{text}'")
}

/// Connections for reading, lent to one after the other: the one that was used last comes first, so
/// that a few of them are warm.
pub(crate) struct PostgresReaders {
    pool: PgPool,
    free: Mutex<Vec<PostgresConn>>,
    places: Arc<Semaphore>,
}

impl PostgresReaders {
    /// `pool` makes [`READERS_MAX`] connections at most.
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            free: Mutex::default(),
            places: Arc::new(Semaphore::new(READERS_MAX)),
        }
    }

    /// Lends a connection, as soon as others have brought theirs back.
    pub(crate) async fn lend(self: &Arc<Self>) -> Result<LentPostgres, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let Ok(place) = tokio::time::timeout(REACH_TIMEOUT, place).await else {
            let late = StoreError::database("waiting for a connection to the database");
            return Err(late(sqlx::Error::PoolTimedOut));
        };
        let place = place.map_err(|_| StoreError::Closed)?;
        let known = self.free().pop();
        let conn = match known {
            Some(conn) if conn.is_good() => conn,
            Some(old) => {
                // The others were used before it.
                let older = std::mem::take(&mut *self.free());
                for conn in older.into_iter().chain([old]) {
                    conn.close().await;
                }
                PostgresConn::reach(&self.pool).await?
            }
            None => PostgresConn::reach(&self.pool).await?,
        };
        Ok(LentPostgres {
            conn: Some(conn),
            waited: true,
            from: Arc::clone(self),
            _place: place,
        })
    }

    /// Lends nothing more, and closes what is not lent.
    #[inline(never)]
    pub(crate) fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.places.close();
            let free = std::mem::take(&mut *self.free());
            for conn in free {
                conn.close().await;
            }
            self.pool.close().await;
        })
    }

    /// Until [`PostgresReaders::close`] is called.
    pub(crate) async fn closed(&self) {
        self.pool.close_event().await;
    }

    fn free(&self) -> MutexGuard<'_, Vec<PostgresConn>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lent connection, which goes back when this is dropped.
pub(crate) struct LentPostgres {
    /// Not here only while another one is made.
    conn: Option<PostgresConn>,
    /// May it have been idle until now?
    waited: bool,
    from: Arc<PostgresReaders>,
    _place: OwnedSemaphorePermit,
}

impl LentPostgres {
    pub(crate) async fn run(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, DriverError> {
        self.conn()?.run(sql, args).await
    }

    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        plan: Plan,
    ) -> Result<Vec<Row>, DriverError> {
        if !std::mem::take(&mut self.waited) {
            return self.conn()?.rows(sql, args, plan).await;
        }
        let rows = self.conn()?.rows(sql, args.clone(), plan).await;
        if rows.is_ok() || self.conn()?.sound {
            return rows;
        }
        // It died while it was idle, most likely. To read again does no harm.
        if let Some(lost) = self.conn.take() {
            lost.close().await;
        }
        let Ok(another) = PostgresConn::reach(&self.from.pool).await else {
            return rows;
        };
        self.conn.insert(another).rows(sql, args, plan).await
    }

    fn conn(&mut self) -> Result<&mut PostgresConn, DriverError> {
        self.conn.as_mut().ok_or(DriverError::Gone)
    }
}

impl Drop for LentPostgres {
    fn drop(&mut self) {
        // One whose answer nobody waited for goes back to the pool, which finds out whether it
        // still works.
        if let Some(conn) = self.conn.take()
            && conn.is_good()
            && conn.transaction == Transaction::Absent
            && !self.from.places.is_closed()
        {
            self.from.free().push(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_a_statement_stays_one_text() {
        assert_eq!(literal("event/acme/1"), "E'event/acme/1'");
        assert_eq!(
            literal("a'; DROP TABLE lane; --"),
            "E'a''; DROP TABLE lane; --'"
        );
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert_eq!(literal("a\0b"), "E'a\u{fffd}b'");
    }
}
