//! The one writer. Everything that waits to be written goes into one transaction, so that the cost
//! of making it durable is shared by all of it: while one group is being committed, the next
//! gathers.

use std::future::Future;
use std::pin::Pin;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use tokio::sync::{mpsc, oneshot};

use crate::db::Conn;
use crate::error::StoreError;
use crate::model::{Accepted, Committed, Decision, NewEvent, Settlement, TakenEffect};
use crate::sql::{accept, decide, settle};

/// Writes that one transaction carries at most.
const GROUP_MAX: usize = 256;

/// Writes that may wait. Beyond it deliveries are refused (503), which makes the sender come back.
pub const WAITING_MAX: usize = 8_192;

/// How often a write is tried again that met a deadlock or a serialisation failure with another
/// replica.
const CONFLICT_RETRIES_MAX: u32 = 5;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What a single write that shares no transaction does.
pub(crate) type Alone = Box<
    dyn for<'c> FnOnce(&'c mut Conn) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'c>>
        + Send,
>;

pub(crate) enum Job {
    Accept(NewEvent, Reply<Accepted>),
    Decide(Decision, Reply<Committed>),
    Settle(Settlement, Reply<Option<TakenEffect>>),
    Alone(Alone, Reply<()>),
}

/// Where the writer gets its connection.
pub(crate) enum Source {
    Sqlite(Option<Conn>),
    Postgres(PgPool),
}

/// Who writes: the process, as the lanes know it.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) owner: String,
    pub(crate) tokens: std::sync::Arc<std::sync::atomic::AtomicI64>,
}

impl Writer {
    /// A token that no other holding of a lane has.
    pub(crate) fn token(&self) -> i64 {
        self.tokens.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Takes jobs until all senders are gone and everything is written.
pub(crate) async fn run(mut jobs: mpsc::Receiver<Job>, mut source: Source, writer: Writer) {
    let mut group = Group::default();
    while let Some(job) = jobs.recv().await {
        let mut alone = group.add(job);
        while alone.is_none() && group.len() < GROUP_MAX {
            match jobs.try_recv() {
                Ok(job) => alone = group.add(job),
                Err(_) => break,
            }
        }
        std::mem::take(&mut group).commit(&mut source, &writer).await;
        if let Some((job, reply)) = alone {
            let _ = reply.send(run_alone(&mut source, job).await);
        }
    }
}

/// The jobs of one transaction, by kind; within a kind in the order of their arrival.
#[derive(Default)]
struct Group {
    accepts: Vec<(NewEvent, Reply<Accepted>)>,
    decisions: Vec<(Decision, Reply<Committed>)>,
    settlements: Vec<(Settlement, Reply<Option<TakenEffect>>)>,
}

/// The answers of a group, in the order of its jobs.
struct Answers {
    accepts: Vec<Accepted>,
    decisions: Vec<Result<Committed, StoreError>>,
    settlements: Vec<Option<TakenEffect>>,
}

impl Group {
    fn add(&mut self, job: Job) -> Option<(Alone, Reply<()>)> {
        match job {
            Job::Accept(event, reply) => self.accepts.push((event, reply)),
            Job::Decide(decision, reply) => self.decisions.push((decision, reply)),
            Job::Settle(settlement, reply) => self.settlements.push((settlement, reply)),
            Job::Alone(write, reply) => return Some((write, reply)),
        }
        None
    }

    fn len(&self) -> usize {
        self.accepts.len() + self.decisions.len() + self.settlements.len()
    }

    async fn commit(self, source: &mut Source, writer: &Writer) {
        if self.len() == 0 {
            return;
        }
        match self.attempt(source, writer).await {
            Ok(answers) => self.answer(answers),
            // One bad write must not fail its neighbours: each is tried by itself.
            Err(_) if self.len() > 1 => {
                for single in self.split() {
                    single.commit_single(source, writer).await;
                }
            }
            Err(error) => self.retry_or_fail(source, writer, error).await,
        }
    }

    async fn commit_single(self, source: &mut Source, writer: &Writer) {
        match self.attempt(source, writer).await {
            Ok(answers) => self.answer(answers),
            Err(error) => self.retry_or_fail(source, writer, error).await,
        }
    }

    async fn retry_or_fail(self, source: &mut Source, writer: &Writer, mut error: StoreError) {
        for _ in 0..CONFLICT_RETRIES_MAX {
            if !is_conflict(&error) {
                break;
            }
            match self.attempt(source, writer).await {
                Ok(answers) => return self.answer(answers),
                Err(again) => error = again,
            }
        }
        tracing::error!(error = %error, "a write failed");
        self.fail(&error);
    }

    async fn attempt(&self, source: &mut Source, writer: &Writer) -> Result<Answers, StoreError> {
        in_transaction(source, async |conn| {
            let events: Vec<&NewEvent> = self.accepts.iter().map(|(event, _)| event).collect();
            let decisions: Vec<&Decision> = self.decisions.iter().map(|(plan, _)| plan).collect();
            let endings: Vec<&Settlement> = self.settlements.iter().map(|(end, _)| end).collect();
            Ok(Answers {
                accepts: accept::accept(conn, writer, &events).await?,
                decisions: decide::decide(conn, writer, &decisions).await?,
                settlements: settle::settle(conn, writer, &endings).await?,
            })
        })
        .await
    }

    fn answer(self, answers: Answers) {
        for ((_, reply), answer) in self.accepts.into_iter().zip(answers.accepts) {
            let _ = reply.send(Ok(answer));
        }
        for ((_, reply), answer) in self.decisions.into_iter().zip(answers.decisions) {
            let _ = reply.send(answer);
        }
        for ((_, reply), answer) in self.settlements.into_iter().zip(answers.settlements) {
            let _ = reply.send(Ok(answer));
        }
    }

    fn fail(self, error: &StoreError) {
        for (_, reply) in self.accepts {
            let _ = reply.send(Err(error.clone()));
        }
        for (_, reply) in self.decisions {
            let _ = reply.send(Err(error.clone()));
        }
        for (_, reply) in self.settlements {
            let _ = reply.send(Err(error.clone()));
        }
    }

    fn split(self) -> impl Iterator<Item = Self> {
        let accepts = self
            .accepts
            .into_iter()
            .map(|job| Self { accepts: vec![job], ..Self::default() });
        let decisions = self
            .decisions
            .into_iter()
            .map(|job| Self { decisions: vec![job], ..Self::default() });
        let settlements = self
            .settlements
            .into_iter()
            .map(|job| Self { settlements: vec![job], ..Self::default() });
        accepts.chain(decisions).chain(settlements)
    }
}

async fn run_alone(source: &mut Source, write: Alone) -> Result<(), StoreError> {
    in_transaction(source, async |conn| write(conn).await).await
}

/// Runs `work` in one transaction on the writer's connection.
async fn in_transaction<T>(
    source: &mut Source,
    work: impl AsyncFnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut conn = match source {
        Source::Sqlite(conn) => conn.take().ok_or(StoreError::Closed)?,
        Source::Postgres(pool) => {
            let conn: PoolConnection<Postgres> =
                pool.acquire().await.map_err(StoreError::database("reaching the database"))?;
            Conn::Postgres(conn)
        }
    };
    let result = match conn.begin().await {
        Ok(()) => match work(&mut conn).await {
            Ok(value) => conn.commit().await.map(|()| value),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    if result.is_err() {
        // A connection that cannot even roll back is not given back to the pool.
        let rolled_back = conn.rollback().await;
        if let (Err(_), Conn::Postgres(broken)) = (rolled_back, &mut conn) {
            broken.close_on_drop();
        }
    }
    if let Source::Sqlite(slot) = source {
        *slot = Some(conn);
    }
    result
}

/// Did two replicas get in each other's way? PostgreSQL's codes for a serialisation failure and a
/// deadlock.
fn is_conflict(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else { return false };
    source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "40001" || code == "40P01")
}
