//! The store as others use it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::effect::Effect;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    ConversationId, EffectId, EventId, IssueId, LaneKey, SiteName, WorkspaceName,
};
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::committer::{self, Job, Source, WAITING_MAX, Writer};
use crate::db::{Conn, Dialect, values};
use crate::error::StoreError;
use crate::migrate;
use crate::model::{
    Accepted, AttemptView, Backlog, BindingRecord, Committed, ConnectionRecord, Decision,
    EffectView, EventFilter, EventView, LaneKind, Lease, LinkFilter, LinkView, NewEvent,
    Settlement, StoredEvent, TakenEffect,
};
use crate::sql::{bindings, claim, connections, lanes, lookup, settle, views};

/// Connections for reading.
const READERS_MAX: u32 = 4;

/// Prepared statements kept per connection: every statement in each of its few sizes.
const STATEMENTS_KEPT: usize = 256;

/// How long a write waits for another process that writes to the same SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// PostgreSQL channel on which a process tells the others that there is work.
const WORK_CHANNEL: &str = "bowline_work";

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Open {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Names this process among those that work the lanes.
    pub owner: String,
    /// The first lease token; to be drawn at random, so that two processes do not meet.
    pub first_token: i64,
    /// Is this the process that works the lanes? Only it may free lanes that a dead process held.
    pub works_lanes: bool,
}

/// The durable state. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    jobs: mpsc::Sender<Job>,
    readers: Readers,
    writer: Writer,
    work: Arc<Notify>,
    committing: Mutex<Option<JoinHandle<()>>>,
    listening: Option<JoinHandle<()>>,
}

enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// The address is of no known kind, or the database cannot be reached or migrated.
    pub async fn open(open: Open) -> Result<Self, StoreError> {
        let work = Arc::new(Notify::new());
        let (readers, source, listening) = if let Some(path) = open.url.strip_prefix("sqlite:") {
            let (readers, source) = open_sqlite(path.trim_start_matches("//"), &open).await?;
            (readers, source, None)
        } else if open.url.starts_with("postgres://") || open.url.starts_with("postgresql://") {
            open_postgres(&open, Arc::clone(&work)).await?
        } else {
            return Err(StoreError::Address(
                "the database address must start with sqlite: or postgres://".to_owned(),
            ));
        };
        let writer =
            Writer { owner: open.owner, tokens: Arc::new(AtomicI64::new(open.first_token.max(1))) };
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let committing = tokio::spawn(committer::run(waiting, source, writer.clone()));
        Ok(Self {
            inner: Arc::new(Inner {
                jobs,
                readers,
                writer,
                work,
                committing: Mutex::new(Some(committing)),
                listening,
            }),
        })
    }

    async fn reader(&self) -> Result<Conn, StoreError> {
        let doing = "reaching the database";
        Ok(match &self.inner.readers {
            Readers::Sqlite(pool) => {
                Conn::SqlitePooled(pool.acquire().await.map_err(StoreError::database(doing))?)
            }
            Readers::Postgres(pool) => {
                Conn::Postgres(pool.acquire().await.map_err(StoreError::database(doing))?)
            }
        })
    }

    async fn job<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.jobs.send(job(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs a write by itself in a transaction and hands out what it returns.
    async fn write<T: Send + 'static>(
        &self,
        work: impl for<'c> AsyncWrite<'c, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (hand_out, result) = oneshot::channel();
        self.job(|reply| {
            Job::Alone(
                Box::new(move |conn| {
                    Box::pin(async move {
                        let value = work.run(conn).await?;
                        let _ = hand_out.send(value);
                        Ok(())
                    })
                }),
                reply,
            )
        })
        .await?;
        result.await.map_err(|_| StoreError::Closed)
    }

    /// Stores a delivery. When this returns, it is durable.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when too much waits; database failures.
    pub async fn accept(&self, event: NewEvent) -> Result<Accepted, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.jobs.try_send(Job::Accept(event, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded { waiting: WAITING_MAX },
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits what an event means: state, effects and outcome in one piece.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the lane was taken over; database failures. Nothing is written
    /// then.
    pub async fn decide(&self, decision: Decision) -> Result<Committed, StoreError> {
        self.job(|reply| Job::Decide(decision, reply)).await
    }

    /// Records how an attempt ended; answers the lane's next effect if the worker goes on.
    pub async fn settle(&self, settlement: Settlement) -> Result<Option<TakenEffect>, StoreError> {
        self.job(|reply| Job::Settle(settlement, reply)).await
    }

    /// Takes up to `limit` lanes of events that are due.
    pub async fn claim_events(&self, limit: i64, now: Millis) -> Result<Vec<Lease>, StoreError> {
        if !claim::any_due(&mut self.reader().await?, LaneKind::Events, now).await? {
            return Ok(Vec::new());
        }
        let (owner, token) = (self.inner.writer.owner.clone(), self.inner.writer.token());
        self.write(Claim { owner, token, kind: LaneKind::Events, limit, now }).await
    }

    /// Takes up to `limit` lanes of effects that are due, each with its first effect marked
    /// `attempting`.
    pub async fn claim_effects(
        &self,
        limit: i64,
        now: Millis,
    ) -> Result<Vec<TakenEffect>, StoreError> {
        if !claim::any_due(&mut self.reader().await?, LaneKind::Effects, now).await? {
            return Ok(Vec::new());
        }
        let (owner, token) = (self.inner.writer.owner.clone(), self.inner.writer.token());
        let claim = Claim { owner, token, kind: LaneKind::Effects, limit, now };
        self.write(ClaimEffects(claim)).await
    }

    /// Lets a lane go until `due_at`. `failed` counts towards its back-off.
    pub async fn postpone(
        &self,
        lease: Lease,
        due_at: Millis,
        failed: bool,
    ) -> Result<(), StoreError> {
        self.write(Postpone { lease, due_at, failed }).await
    }

    /// Keeps every lane that this process holds.
    pub async fn renew(&self, now: Millis) -> Result<u64, StoreError> {
        self.write(Renew { owner: self.inner.writer.owner.clone(), now }).await
    }

    /// Puts an effect that follows from another one into its lane (which the caller holds).
    pub async fn follow_up(
        &self,
        effect: Effect,
        event: EventId,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(FollowUp { effect, event, at }).await
    }

    /// Makes everything that waits for a connection due now.
    pub async fn hasten(&self, connection: &Connection, now: Millis) -> Result<u64, StoreError> {
        let waiting = self.write(Hasten { connection: connection.key(), now }).await?;
        self.inner.work.notify_waiters();
        Ok(waiting)
    }

    /// Puts an event back among the waiting. Facts and effect keys keep it from doing again what
    /// was done.
    ///
    /// Answers whether there was such an event that was not waiting.
    pub async fn replay(&self, event: EventId, now: Millis) -> Result<bool, StoreError> {
        let writer = self.inner.writer.clone();
        let put_back = self.write(Replay { writer, event, now }).await?;
        self.inner.work.notify_waiters();
        Ok(put_back)
    }

    /// Waits until there may be work: a process said so, or `Store::wake` was called.
    pub async fn work(&self) {
        self.inner.work.notified().await;
    }

    /// Says that there may be work, here and, on PostgreSQL, in the other processes.
    pub async fn wake(&self) -> Result<(), StoreError> {
        self.inner.work.notify_waiters();
        let mut conn = self.reader().await?;
        if conn.dialect() == Dialect::Postgres {
            conn.rows("waking others", "SELECT pg_notify($1, '')", values![WORK_CHANNEL]).await?;
        }
        Ok(())
    }

    /// What is known of an issue, and which of `facts` were dealt with.
    pub async fn issue_state(
        &self,
        site: &SiteName,
        issue: &IssueId,
        facts: &[FactKey],
    ) -> Result<IssueState, StoreError> {
        lookup::issue_state(&mut self.reader().await?, site, issue, facts).await
    }

    /// The id of an issue by its present key, if it was seen.
    pub async fn issue_by_key(
        &self,
        site: &SiteName,
        key: &str,
    ) -> Result<Option<IssueId>, StoreError> {
        lookup::issue_by_key(&mut self.reader().await?, site, key).await
    }

    /// Is the conversation linked to the issue at this moment?
    pub async fn link_is_live(
        &self,
        of: (&SiteName, &IssueId),
        at: (&WorkspaceName, &ConversationId),
    ) -> Result<bool, StoreError> {
        lookup::link_is_live(&mut self.reader().await?, of, at).await
    }

    /// The conversations linked to an issue at this moment, the oldest link first.
    pub async fn live_links(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Vec<(WorkspaceName, ConversationId)>, StoreError> {
        lookup::live_links(&mut self.reader().await?, site, issue).await
    }

    /// The issues that a conversation is linked to at this moment.
    pub async fn issues_of(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
        lookup::issues_of(&mut self.reader().await?, workspace, conversation).await
    }

    /// Did we make the remote thing with this id?
    pub async fn is_ours(
        &self,
        connection: &Connection,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        lookup::is_ours(&mut self.reader().await?, connection, remote_id).await
    }

    /// The first events that wait in a lane.
    pub async fn waiting_events(
        &self,
        lane: &LaneKey,
        limit: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        lookup::waiting_events(&mut self.reader().await?, lane, limit).await
    }

    /// How often a lane failed in a row.
    pub async fn lane_failures(&self, lane: &LaneKey) -> Result<i64, StoreError> {
        lookup::lane_failures(&mut self.reader().await?, lane).await
    }

    /// All connections that were ever seen.
    pub async fn connections(&self) -> Result<Vec<ConnectionRecord>, StoreError> {
        connections::all(&mut self.reader().await?).await
    }

    /// Records the health of a connection (its `webhook_seen_at` only at first sight).
    pub async fn put_connection(&self, record: ConnectionRecord) -> Result<(), StoreError> {
        self.write(PutConnection(record)).await
    }

    /// Records that a signed delivery came by a connection.
    pub async fn webhook_seen(
        &self,
        connection: &Connection,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(WebhookSeen { connection: connection.clone(), at }).await
    }

    /// All bindings that were ever seen.
    pub async fn bindings(&self) -> Result<Vec<BindingRecord>, StoreError> {
        bindings::all(&mut self.reader().await?).await
    }

    /// Records a binding at first sight; one that is known stays as it is.
    pub async fn activate_binding(&self, record: BindingRecord) -> Result<(), StoreError> {
        self.write(ActivateBinding(record)).await
    }

    /// Records how far the reconciler came with a binding.
    pub async fn advance_binding(&self, record: BindingRecord) -> Result<(), StoreError> {
        self.write(AdvanceBinding(record)).await
    }

    /// Events, newest first.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<EventView>, StoreError> {
        views::events(&mut self.reader().await?, filter).await
    }

    /// One event.
    pub async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError> {
        views::event(&mut self.reader().await?, id).await
    }

    /// The effects of an event.
    pub async fn effects_of(&self, event: EventId) -> Result<Vec<EffectView>, StoreError> {
        views::effects_of(&mut self.reader().await?, event).await
    }

    /// The attempts at an effect.
    pub async fn attempts_of(&self, effect: EffectId) -> Result<Vec<AttemptView>, StoreError> {
        views::attempts_of(&mut self.reader().await?, effect).await
    }

    /// Links.
    pub async fn links(&self, filter: &LinkFilter) -> Result<Vec<LinkView>, StoreError> {
        views::links(&mut self.reader().await?, filter).await
    }

    /// How full the queues are.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        views::backlog(&mut self.reader().await?).await
    }

    /// Lets go of the lanes of this process, writes what waits, and closes.
    pub async fn close(self) {
        let freed = self.write(FreeOwn { owner: self.inner.writer.owner.clone() }).await;
        if let Err(error) = freed {
            tracing::warn!(%error, "the lanes of this process could not be freed");
        }
        let committing = self.inner.committing.lock().await.take();
        match &self.inner.readers {
            Readers::Sqlite(pool) => pool.close().await,
            Readers::Postgres(pool) => pool.close().await,
        }
        drop(self);
        if let Some(committing) = committing {
            // Ends when the last clone of the store is gone; others may still hold one.
            let _ = tokio::time::timeout(Duration::from_secs(1), committing).await;
        }
    }
}

async fn open_sqlite(path: &str, open: &Open) -> Result<(Readers, Source), StoreError> {
    let doing = "opening the SQLite file";
    if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Address(format!("the folder {} cannot be made: {error}", folder.display()))
        })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_KEPT);
    let conn = options.connect().await.map_err(StoreError::database(doing))?;
    let mut conn = Conn::Sqlite(Box::new(conn));
    migrate::migrate(&mut conn).await?;
    if open.works_lanes {
        lanes::free_all(&mut conn).await?;
    }
    let pool = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(READERS_MAX)
        .connect_with(options.pragma("query_only", "1"))
        .await
        .map_err(StoreError::database(doing))?;
    Ok((Readers::Sqlite(pool), Source::Sqlite(Some(conn))))
}

async fn open_postgres(
    open: &Open,
    work: Arc<Notify>,
) -> Result<(Readers, Source, Option<JoinHandle<()>>), StoreError> {
    let doing = "reaching PostgreSQL";
    let options: PgConnectOptions = open
        .url
        .parse::<PgConnectOptions>()
        .map_err(|error| StoreError::Address(format!("the database address: {error}")))?
        .statement_cache_capacity(STATEMENTS_KEPT)
        .application_name("bowline");
    let pool = |size| PgPoolOptions::new().max_connections(size).test_before_acquire(false);
    let writers = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::database(doing))?;
    let conn = writers.acquire().await.map_err(StoreError::database(doing))?;
    migrate::migrate(&mut Conn::Postgres(conn)).await?;
    let readers =
        pool(READERS_MAX).connect_with(options).await.map_err(StoreError::database(doing))?;
    let listening = open.works_lanes.then(|| tokio::spawn(listen(readers.clone(), work)));
    Ok((Readers::Postgres(readers), Source::Postgres(writers), listening))
}

/// Passes on what other processes say about work. A lost connection is made anew by the listener;
/// what was said meanwhile is found by the regular look.
async fn listen(pool: PgPool, work: Arc<Notify>) {
    let Ok(mut listener) = PgListener::connect_with(&pool).await else { return };
    if listener.listen(WORK_CHANNEL).await.is_err() {
        return;
    }
    while listener.recv().await.is_ok() {
        work.notify_waiters();
    }
}

/// A write that runs by itself.
trait AsyncWrite<'c, T> {
    fn run(
        self,
        conn: &'c mut Conn,
    ) -> impl std::future::Future<Output = Result<T, StoreError>> + Send + 'c;
}

/// Declares a write that runs by itself: its parameters and what it does with the connection.
macro_rules! write {
    ($name:ident { $($field:ident: $type:ty),* } -> $out:ty, |$conn:ident| $body:expr) => {
        struct $name { $($field: $type),* }
        impl<'c> AsyncWrite<'c, $out> for $name {
            async fn run(self, $conn: &'c mut Conn) -> Result<$out, StoreError> {
                let Self { $($field),* } = self;
                $body
            }
        }
    };
    ($name:ident ($field:ident: $type:ty) -> $out:ty, |$conn:ident| $body:expr) => {
        struct $name($type);
        impl<'c> AsyncWrite<'c, $out> for $name {
            async fn run(self, $conn: &'c mut Conn) -> Result<$out, StoreError> {
                let $field = self.0;
                $body
            }
        }
    };
}

write!(Claim { owner: String, token: i64, kind: LaneKind, limit: i64, now: Millis } -> Vec<Lease>,
    |conn| claim::claim(conn, (&owner, token), kind, limit, now).await);
write!(ClaimEffects(claim: Claim) -> Vec<TakenEffect>, |conn| {
    let leases = claim.run(conn).await?;
    settle::take_heads(conn, &leases.iter().collect::<Vec<_>>()).await
});
write!(Postpone { lease: Lease, due_at: Millis, failed: bool } -> (),
    |conn| lanes::postpone(conn, &lease, due_at, failed).await);
write!(Renew { owner: String, now: Millis } -> u64, |conn| lanes::renew(conn, &owner, now).await);
write!(Hasten { connection: String, now: Millis } -> u64,
    |conn| lanes::hasten(conn, &connection, now).await);
write!(FreeOwn { owner: String } -> u64, |conn| lanes::free_own(conn, &owner).await);
write!(PutConnection(record: ConnectionRecord) -> (),
    |conn| connections::put(conn, &record).await);
write!(WebhookSeen { connection: Connection, at: Millis } -> (),
    |conn| connections::webhook_seen(conn, &connection, at).await);
write!(ActivateBinding(record: BindingRecord) -> (),
    |conn| bindings::activate(conn, &record).await);
write!(AdvanceBinding(record: BindingRecord) -> (),
    |conn| bindings::advance(conn, &record).await);
write!(FollowUp { effect: Effect, event: EventId, at: Millis } -> (),
    |conn| crate::sql::decide::follow_up(conn, &effect, event, at).await);
write!(Replay { writer: Writer, event: EventId, now: Millis } -> bool,
    |conn| crate::sql::accept::replay(conn, &writer, event, now).await);
