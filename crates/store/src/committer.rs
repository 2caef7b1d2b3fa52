//! The one writer. Everything that waits to be written goes into one transaction, so that the cost
//! of making it durable is shared by all of it: while one group is being committed, the next
//! gathers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::db::Conn;
use crate::error::StoreError;
use crate::group::{Added, Group};
use crate::handover::{Orphan, Orphans, Reply};
use crate::model::{Accepted, Committed, Decision, NewEvent, Settlement, TakenEffect};
use crate::sql::lanes;
use crate::writes::Alone;

/// Writes that one transaction carries at most.
const GROUP_MAX: usize = 256;

/// A group of so many writes says that the process is busy. What is about to be written joins it
/// then: a transaction for each few of them costs more than they do.
const BUSY_FROM: usize = 8;

/// Writes that may wait. Beyond it deliveries are refused (503), which makes the sender come back.
pub const WAITING_MAX: usize = 8_192;

/// How often a write is tried again that met another replica's.
const CONFLICT_RETRIES_MAX: u32 = 5;

pub(crate) enum Job {
    Accept(NewEvent, Reply<Accepted>),
    Decide(Decision, Reply<Committed>),
    Settle(Settlement, Reply<Option<TakenEffect>>),
    Alone(Box<dyn Alone>),
    /// Let go of lanes that nobody works.
    Tidy,
}

/// Where the writer gets its connection.
pub(crate) enum Source {
    Sqlite(Option<Conn>),
    Postgres(PgPool),
}

impl Source {
    /// Lets those go on who are about to bring a write.
    async fn let_others_go_on(&mut self) {
        match self {
            // The committer has a thread of its own.
            Self::Sqlite(_) => std::thread::yield_now(),
            Self::Postgres(_) => tokio::task::yield_now().await,
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

    fn run(
        &mut self,
        conn: &mut Conn,
        writer: &Writer,
    ) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;
}

/// A write that has a transaction of its own.
struct Lonely<'j>(&'j mut Box<dyn Alone>);

impl Work for Lonely<'_> {
    type Out = ();

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
    let mut conn = begin(source).await?;
    let first_token = writer.next_token();
    let result = match work.run(&mut conn, writer).await {
        Ok(value) => match conn.commit().await {
            Ok(()) => Ok(value),
            Err(error) => {
                // It may be committed all the same, and then lanes are held for nobody.
                writer
                    .orphans
                    .put([Orphan::Tokens(first_token, writer.next_token())]);
                Err(error)
            }
        },
        Err(error) => Err(error),
    };
    if result.is_err() {
        roll_back(&mut conn).await;
    }
    if let Source::Sqlite(slot) = source {
        *slot = Some(conn);
    }
    result
}

/// A connection with a transaction begun. A connection of the pool may have died while it was
/// idle; nothing was written on it then, so another one is tried once.
async fn begin(source: &mut Source) -> Result<Conn, StoreError> {
    match source {
        Source::Sqlite(slot) => {
            let mut conn = slot.take().ok_or(StoreError::Closed)?;
            let begun = conn.begin().await;
            if let Err(error) = begun {
                *slot = Some(conn);
                return Err(error);
            }
            Ok(conn)
        }
        Source::Postgres(pool) => {
            let mut conn = reach(pool).await?;
            if conn.begin().await.is_err() {
                roll_back(&mut conn).await;
                drop(conn);
                conn = reach(pool).await?;
                if let Err(error) = conn.begin().await {
                    roll_back(&mut conn).await;
                    return Err(error);
                }
            }
            Ok(conn)
        }
    }
}

async fn reach(pool: &PgPool) -> Result<Conn, StoreError> {
    let conn = pool
        .acquire()
        .await
        .map_err(StoreError::database("reaching the database"))?;
    Ok(Conn::Postgres(conn))
}

/// Rolls back. A connection that cannot even do that is not given back to the pool.
async fn roll_back(conn: &mut Conn) {
    let rolled_back = conn.rollback().await;
    if let (Err(_), Conn::Postgres(broken)) = (rolled_back, conn) {
        broken.close_on_drop();
    }
}
