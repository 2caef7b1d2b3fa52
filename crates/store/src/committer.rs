//! The one writer. Everything that waits to be written goes into one transaction, so that the cost
//! of making it durable is shared by all of it: while one group is being committed, the next
//! gathers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::db::{Conn, Durable};
use crate::error::StoreError;
use crate::group::{Added, Group};
use crate::handover::{Accepting, Orphan, Orphans, Reply};
use crate::model::{Committed, Decision, Settlement, TakenEffect};
use crate::postgres::PostgresConn;
use crate::sql::lanes;
use crate::writes::Alone;

/// Writes that one transaction carries at most.
const GROUP_MAX: usize = 256;

/// A group of so many writes says that the process is busy. What is about to be written joins it
/// then: a transaction for each few of them costs more than they do.
pub(crate) const BUSY_FROM: usize = 8;

/// Writes that may wait. Beyond it deliveries are refused (503), which makes the sender come back.
pub const WAITING_MAX: usize = 8_192;

/// How often a write is tried again that met another replica's.
const CONFLICT_RETRIES_MAX: u32 = 5;

pub(crate) enum Job {
    Accept(Box<Accepting>),
    Decide(Decision, Reply<Committed>),
    Settle(Settlement, Reply<Option<TakenEffect>>),
    Alone(Box<dyn Alone>),
    /// Let go of lanes that nobody works.
    Tidy,
}

/// Where the writer gets its connection: the one that it had before, if it is good.
pub(crate) enum Source {
    Sqlite(Option<Conn>),
    Postgres(PgPool, Option<Conn>),
}

impl Source {
    async fn take(&mut self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite(slot) => slot.take().ok_or(StoreError::Closed),
            Self::Postgres(pool, slot) => match slot.take() {
                Some(conn) if conn.is_good() => Ok(conn),
                old => {
                    if let Some(old) = old {
                        old.close().await;
                    }
                    Ok(Conn::Postgres(PostgresConn::reach(pool).await?))
                }
            },
        }
    }

    async fn put_back(&mut self, conn: Conn) {
        match self {
            Self::Sqlite(slot) => *slot = Some(conn),
            Self::Postgres(_, slot) if conn.is_good() => *slot = Some(conn),
            Self::Postgres(..) => conn.close().await,
        }
    }

    /// Ends the connection.
    async fn close(self) {
        if let Self::Sqlite(Some(conn)) | Self::Postgres(_, Some(conn)) = self {
            conn.close().await;
        }
    }

    /// Hands many answers over. From SQLite's own thread each would wake a thread of the runtime by
    /// itself; from within the runtime, those who get them are its next tasks.
    pub(crate) fn hand_over(&self, answer: impl FnOnce() + Send + 'static) {
        match self {
            Self::Sqlite(_) => drop(tokio::spawn(async move { answer() })),
            Self::Postgres(..) => answer(),
        }
    }

    /// Lets those go on who are about to bring a write.
    async fn let_others_go_on(&mut self) {
        match self {
            // The committer has a thread of its own.
            Self::Sqlite(_) => std::thread::yield_now(),
            Self::Postgres(..) => tokio::task::yield_now().await,
        }
    }
}

/// Who writes: the process, as the lanes know it.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) owner: String,
    pub(crate) orphans: Orphans,
    tokens: Arc<AtomicI64>,
}

impl Writer {
    pub(crate) fn new(owner: String, first_token: i64) -> Self {
        let tokens = Arc::new(AtomicI64::new(first_token.max(1)));
        Self {
            owner,
            orphans: Orphans::default(),
            tokens,
        }
    }

    /// A token that no other holding of a lane has. Drawn by the committer only, while it writes.
    pub(crate) fn token(&self) -> i64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    fn next_token(&self) -> i64 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// What was taken under the tokens from `first` on may be held, and for nobody: whether it was
    /// committed was not told.
    fn disown(&self, first: i64) {
        self.orphans.put([Orphan::Tokens(first, self.next_token())]);
    }
}

/// Takes jobs until all senders are gone and everything is written.
pub(crate) async fn run(mut jobs: mpsc::Receiver<Job>, mut source: Source, writer: Writer) {
    // A job that has to wait for the next group.
    let mut carried = None;
    loop {
        let Some(job) = (match carried.take() {
            Some(job) => Some(job),
            None => jobs.recv().await,
        }) else {
            break;
        };
        let mut group = Group::default();
        let mut added = group.add(job);
        let mut seen = 0;
        while matches!(added, Added::InGroup) && group.len() < GROUP_MAX {
            match jobs.try_recv() {
                Ok(job) => added = group.add(job),
                Err(_) if group.len() >= BUSY_FROM.max(seen + 1) => {
                    seen = group.len();
                    source.let_others_go_on().await;
                }
                Err(_) => break,
            }
        }
        group.commit(&mut source, &writer).await;
        match added {
            Added::InGroup => {}
            Added::NextGroup(job) => carried = Some(*job),
            Added::Alone(mut job) => {
                let result = with_retries(&mut source, &writer, &mut Lonely(&mut job)).await;
                job.finish(result, &writer.orphans);
            }
        }
        tidy(&mut source, &writer).await;
    }
    source.close().await;
}

/// Lets go of lanes that this process holds and nobody works.
async fn tidy(source: &mut Source, writer: &Writer) {
    let orphans = writer.orphans.take();
    if orphans.is_empty() {
        return;
    }
    let result = with_retries(source, writer, &mut LettingGo(&orphans)).await;
    if let Err(error) = result {
        tracing::warn!(%error, "lanes that nobody works could not be let go; tried again");
        writer.orphans.put(orphans);
    }
}

struct LettingGo<'o>(&'o [Orphan]);

impl Work for LettingGo<'_> {
    type Out = ();

    async fn run(&mut self, conn: &mut Conn, writer: &Writer) -> Result<(), StoreError> {
        for orphan in self.0 {
            match orphan {
                Orphan::One(lease) => lanes::release(conn, lease).await?,
                Orphan::Tokens(first, end) => {
                    lanes::release_tokens(conn, &writer.owner, (*first, *end)).await?;
                }
            }
        }
        Ok(())
    }
}

/// What is done in one transaction. It is done again if it met another replica's.
pub(crate) trait Work {
    type Out: Send;

    /// Does the transaction begin with the first statement, instead of by one of its own? Then the
    /// work is done again if the connection proves to be lost by that, so it must do no harm twice.
    const BEGINS_WITH_FIRST: bool = false;

    fn durable(&self) -> Durable {
        Durable::AtCommit
    }

    fn run(
        &mut self,
        conn: &mut Conn,
        writer: &Writer,
    ) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;

    /// All is done but to make it durable, which takes its time.
    fn nearly_done(&self, _out: &mut Self::Out) {}
}

/// A write that has a transaction of its own.
struct Lonely<'j>(&'j mut Box<dyn Alone>);

impl Work for Lonely<'_> {
    type Out = ();

    fn durable(&self) -> Durable {
        self.0.durable()
    }

    async fn run(&mut self, conn: &mut Conn, writer: &Writer) -> Result<(), StoreError> {
        self.0.run(conn, writer).await
    }
}

/// Runs `work` in one transaction, again if it met another replica's.
pub(crate) async fn with_retries<W: Work + Send>(
    source: &mut Source,
    writer: &Writer,
    work: &mut W,
) -> Result<W::Out, StoreError> {
    let mut tries = 0;
    loop {
        match in_transaction(source, writer, work).await {
            Err(error) if error.is_conflict() && tries < CONFLICT_RETRIES_MAX => tries += 1,
            result => return result,
        }
    }
}

async fn in_transaction<W: Work + Send>(
    source: &mut Source,
    writer: &Writer,
    work: &mut W,
) -> Result<W::Out, StoreError> {
    let durable = work.durable();
    let mut conn = begin(source, durable, W::BEGINS_WITH_FIRST).await?;
    let mut first_token = writer.next_token();
    let mut done = work.run(&mut conn, writer).await;
    if done.is_err() && conn.is_lost_from_the_start() {
        // It died while it was idle, most likely.
        if conn.is_unclear() {
            writer.disown(first_token);
        }
        first_token = writer.next_token();
        conn.close().await;
        conn = begin(source, durable, false).await?;
        done = work.run(&mut conn, writer).await;
    }
    let result = match done {
        Ok(mut value) => {
            work.nearly_done(&mut value);
            match conn.commit().await {
                Ok(()) => Ok(value),
                Err(error) => {
                    writer.disown(first_token);
                    Err(error)
                }
            }
        }
        Err(error) => Err(error),
    };
    if result.is_err() {
        // One that cannot even do that is not good any more.
        let _ = conn.rollback().await;
    }
    source.put_back(conn).await;
    result
}

/// A connection with a transaction begun, or due to begin with the first statement if `with_first`.
/// A connection may have died while it was idle; nothing was written on it then, so another one is
/// tried once.
async fn begin(
    source: &mut Source,
    durable: Durable,
    with_first: bool,
) -> Result<Conn, StoreError> {
    let mut conn = source.take().await?;
    let mut begun = if with_first {
        conn.begin_with_first().await
    } else {
        conn.begin(durable).await
    };
    if begun.is_err() && !conn.is_good() {
        conn.close().await;
        conn = source.take().await?;
        begun = conn.begin(durable).await;
    }
    match begun {
        Ok(()) => Ok(conn),
        Err(error) => {
            source.put_back(conn).await;
            Err(error)
        }
    }
}
