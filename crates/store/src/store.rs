//! The store as others use it.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    ConversationId, EffectId, EventId, IssueId, LaneKey, SiteName, WorkspaceName,
};
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::committer::{self, Job, WAITING_MAX, Writer};
use crate::db::{Conn, Dialect, values};
use crate::error::StoreError;
use crate::handover::{self, Accepting, Answer, Early, Leases, Reply};
use crate::model::{
    Accepted, AttemptView, Backlog, Behind, BindingRecord, Committed, ConnectionRecord, Decision,
    EffectView, EventFilter, EventView, LaneKind, Lease, LinkFilter, LinkView, LinkedIssue,
    NewEvent, Redacted, Settlement, StoredEvent, TakenEffect,
};
use crate::open::{self, Open, Opened, Readers, WORK_CHANNEL};
use crate::sql::{bindings, claim, connections, lookup, views};
use crate::sqlite::Runs;
use crate::writes::{
    ActivateBinding, AdvanceBinding, ClaimEffects, ClaimEvents, FollowUp, FreeOwn, GatherNote,
    Hasten, Postpone, PutConnection, Redact, Renew, Replay, Single, WebhookSeen, Write,
};

/// Has the committer work until it ends. SQLite's statements run where they are called, and making
/// them durable takes its time, so there it has a thread of its own.
fn commit(
    committing: impl Future<Output = ()> + Send + 'static,
    dialect: Dialect,
) -> Result<oneshot::Receiver<()>, StoreError> {
    let (ended, end) = oneshot::channel();
    let work = async move {
        committing.await;
        // Whoever closes may not wait for it any more.
        let _ = ended.send(());
    };
    match dialect {
        Dialect::Postgres => drop(tokio::spawn(work)),
        Dialect::Sqlite => {
            let runtime = Handle::current();
            let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
            let started = thread.spawn(move || runtime.block_on(work));
            started.map_err(|error| {
                StoreError::Address(format!("a thread for SQLite could not be started: {error}"))
            })?;
        }
    }
    Ok(end)
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
    /// Ends when everything is written.
    committing: Mutex<Option<oneshot::Receiver<()>>>,
    listening: Option<JoinHandle<()>>,
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
    #[inline(never)]
    pub fn open(open: Open) -> BoxFuture<'static, Result<Self, StoreError>> {
        // Behind a pointer, so that what writes is compiled with this crate and not with each that
        // opens a store.
        Box::pin(Self::open_now(open))
    }

    async fn open_now(open: Open) -> Result<Self, StoreError> {
        let work = Arc::new(Notify::new());
        let Opened {
            readers,
            source,
            listening,
        } = open::open(&open, Arc::clone(&work)).await?;
        let dialect = readers.dialect();
        let writer = Writer::new(open.owner, open.first_token);
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let committing = commit(committer::run(waiting, source, writer.clone()), dialect)?;
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

    /// A connection for reading what may take its time.
    pub(crate) async fn reader(&self) -> Result<Conn, StoreError> {
        self.reading(Runs::Aside).await
    }

    /// A connection for look-ups by key, of which a delivery needs several.
    pub(crate) async fn quick_reader(&self) -> Result<Conn, StoreError> {
        self.reading(Runs::Here).await
    }

    async fn reading(&self, runs: Runs) -> Result<Conn, StoreError> {
        Ok(match &self.inner.readers {
            Readers::Sqlite(pool) => Conn::SqliteReader(pool.lend(runs).await?),
            Readers::Postgres(pool) => Conn::PostgresReader(pool.lend().await?),
        })
    }

    fn answer<T: Leases>(&self) -> (Reply<T>, Answer<T>) {
        handover::answer(&self.inner.jobs, &self.inner.writer.orphans)
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.inner
            .jobs
            .send(job)
            .await
            .map_err(|_| StoreError::Closed)
    }

    /// Runs a write by itself in a transaction.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Out, StoreError> {
        let (reply, answer) = self.answer();
        self.send(Job::Alone(Box::new(Single::new(write, reply))))
            .await?;
        answer.wait().await
    }

    /// Stores a delivery. When this returns, it is durable.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when too much waits; database failures.
    pub async fn accept(&self, event: NewEvent) -> Result<Accepted, StoreError> {
        self.take_in(event, None).await
    }

    /// The same. If the delivery takes its lane, `early` is told so as soon as nothing is left but to
    /// make that durable, and the answer has no lease; it may be so as well that the answer has it.
    /// Who is told may read, and decide: a decision is committed after the delivery, or refused as
    /// fenced if the delivery was not stored after all.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub async fn accept_early(
        &self,
        event: NewEvent,
        early: impl FnOnce(EventId, Lease) + Send + 'static,
    ) -> Result<Accepted, StoreError> {
        self.take_in(event, Some(Box::new(early))).await
    }

    async fn take_in(&self, event: NewEvent, early: Option<Early>) -> Result<Accepted, StoreError> {
        let (reply, answer) = self.answer();
        let coming = Box::new(Accepting::new(event, early, reply));
        self.inner
            .jobs
            .try_send(Job::Accept(coming))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Overloaded {
                    waiting: WAITING_MAX,
                },
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            })?;
        answer.wait().await
    }

    /// Commits what an event means: state, effects and outcome in one piece.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the lane was taken over; database failures. Nothing is written
    /// then.
    pub async fn decide(&self, decision: Decision) -> Result<Committed, StoreError> {
        let (reply, answer) = self.answer();
        self.send(Job::Decide(decision, reply)).await?;
        answer.wait().await
    }

    /// Records how an attempt ended; answers the lane's next effect if the worker goes on and the
    /// lane is still its own.
    ///
    /// If the lane was taken over, a confirmation is recorded all the same: it is a fact. Any other
    /// ending is left to the successor, who looked at the far side later. The effect is counted out
    /// of its lane once.
    ///
    /// # Errors
    /// Database failures. The lease is given up then: the effect stays `attempting`, and is
    /// doubtful when its lane is taken next.
    pub async fn settle(&self, settlement: Settlement) -> Result<Option<TakenEffect>, StoreError> {
        let (reply, answer) = self.answer();
        self.send(Job::Settle(settlement, reply)).await?;
        answer.wait().await
    }

    /// Takes up to `limit` lanes of events that are due.
    pub async fn claim_events(&self, limit: i64, now: Millis) -> Result<Vec<Lease>, StoreError> {
        if !claim::any_due(&mut self.quick_reader().await?, LaneKind::Events, now).await? {
            return Ok(Vec::new());
        }
        self.write(ClaimEvents { limit, now }).await
    }

    /// Takes up to `limit` lanes of effects that are due, each with its first effect marked
    /// `attempting`.
    pub async fn claim_effects(
        &self,
        limit: i64,
        now: Millis,
    ) -> Result<Vec<TakenEffect>, StoreError> {
        if !claim::any_due(&mut self.quick_reader().await?, LaneKind::Effects, now).await? {
            return Ok(Vec::new());
        }
        self.write(ClaimEffects { limit, now }).await
    }

    /// Lets a lane go until `due_at`. `failed` counts towards its back-off.
    pub async fn postpone(
        &self,
        lease: Lease,
        due_at: Millis,
        failed: bool,
    ) -> Result<(), StoreError> {
        self.write(Postpone {
            lease,
            due_at,
            failed,
            connection: None,
        })
        .await
    }

    /// Lets a lane go until `due_at`, to wait for this connection: while it does not work the lane
    /// is not claimed, and it is due when the connection works again. What comes into the lane next
    /// names its own.
    pub async fn postpone_for(
        &self,
        lease: Lease,
        due_at: Millis,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        self.write(Postpone {
            lease,
            due_at,
            failed: true,
            connection: Some(connection.key()),
        })
        .await
    }

    /// Keeps every lane that this process holds.
    pub async fn renew(&self, now: Millis) -> Result<u64, StoreError> {
        self.write(Renew { now }).await
    }

    /// Takes the texts out of a part of the events received before `before` that do not wait, and
    /// of the effects planned before it that are settled, going on from `done`.
    pub async fn redact(&self, before: Millis, done: Redacted) -> Result<Redacted, StoreError> {
        self.write(Redact { before, done }).await
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

    /// Has a note that is being attempted tell what waits behind it in its lane as well, and
    /// settles that. Returns what it is now, if it tells more than before.
    ///
    /// # Errors
    /// Database failures. Nothing is written then.
    pub async fn gather_note(
        &self,
        effect: EffectId,
        lease: &Lease,
        head: &Effect,
        now: Millis,
    ) -> Result<Option<Act>, StoreError> {
        self.write(GatherNote {
            effect,
            lease: lease.clone(),
            head: head.clone(),
            now,
        })
        .await
    }

    /// Makes everything that waits for a connection due now.
    pub async fn hasten(&self, connection: &Connection, now: Millis) -> Result<u64, StoreError> {
        let waiting = self
            .write(Hasten {
                connection: connection.key(),
                now,
            })
            .await?;
        self.inner.work.notify_waiters();
        Ok(waiting)
    }

    /// Puts an event back among the waiting. Facts and effect keys keep it from doing again what
    /// was done.
    ///
    /// Answers whether there was such an event that was not waiting.
    pub async fn replay(&self, event: EventId, now: Millis) -> Result<bool, StoreError> {
        let put_back = self.write(Replay { event, now }).await?;
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
        let mut conn = self.quick_reader().await?;
        if conn.dialect() == Dialect::Postgres {
            conn.rows(
                "waking others",
                "SELECT pg_notify($1, '')",
                values![WORK_CHANNEL],
            )
            .await?;
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
        let known = self.issue_state_and_behind(site, issue, facts).await?;
        Ok(known.0)
    }

    /// The same, and what else stands behind the issue: each delivery needs to know, and few issues
    /// have anything.
    pub async fn issue_state_and_behind(
        &self,
        site: &SiteName,
        issue: &IssueId,
        facts: &[FactKey],
    ) -> Result<(IssueState, Behind), StoreError> {
        lookup::issue_state(&mut self.quick_reader().await?, site, issue, facts).await
    }

    /// The id of an issue by its present key, if it was seen.
    pub async fn issue_by_key(
        &self,
        site: &SiteName,
        key: &str,
    ) -> Result<Option<IssueId>, StoreError> {
        lookup::issue_by_key(&mut self.quick_reader().await?, site, key).await
    }

    /// Is the conversation linked to the issue at this moment?
    pub async fn link_is_live(
        &self,
        of: (&SiteName, &IssueId),
        at: (&WorkspaceName, &ConversationId),
    ) -> Result<bool, StoreError> {
        lookup::link_is_live(&mut self.quick_reader().await?, of, at).await
    }

    /// What the conversation of an ended link was merged into, if that ended it.
    pub async fn merged_into(
        &self,
        of: (&SiteName, &IssueId),
        at: (&WorkspaceName, &ConversationId),
    ) -> Result<Option<ConversationId>, StoreError> {
        lookup::merged_into(&mut self.quick_reader().await?, of, at).await
    }

    /// The conversations linked to an issue at this moment, the oldest link first.
    pub async fn live_links(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Vec<(WorkspaceName, ConversationId)>, StoreError> {
        lookup::live_links(&mut self.quick_reader().await?, site, issue).await
    }

    /// A part of the issues of a site that are linked, or were until Jira stopped showing them, by
    /// id: at most `limit`, those after `after`.
    pub async fn linked_issues(
        &self,
        site: &SiteName,
        after: Option<&IssueId>,
        limit: usize,
    ) -> Result<Vec<LinkedIssue>, StoreError> {
        lookup::linked_issues(&mut self.quick_reader().await?, site, after, limit).await
    }

    /// The issues that a conversation is linked to at this moment.
    pub async fn issues_of(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
        lookup::issues_of(&mut self.quick_reader().await?, workspace, conversation).await
    }

    /// Did we make the remote thing with this id?
    pub async fn is_ours(
        &self,
        connection: &Connection,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        lookup::is_ours(&mut self.quick_reader().await?, connection, remote_id).await
    }

    /// Is the conversation linked to the issue at this moment, and which notes of the link were
    /// confirmed after `since`, the oldest first, with when?
    pub async fn link_and_notes(
        &self,
        of: (&SiteName, &IssueId),
        at: (&WorkspaceName, &ConversationId),
        since: Millis,
    ) -> Result<(bool, Vec<(EffectId, Millis)>), StoreError> {
        lookup::link_and_notes(&mut self.quick_reader().await?, of, at, since).await
    }

    /// The first events that wait in a lane.
    pub async fn waiting_events(
        &self,
        lane: &LaneKey,
        limit: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        lookup::waiting_events(&mut self.quick_reader().await?, lane, limit).await
    }

    /// How often a lane failed in a row.
    pub async fn lane_failures(&self, lane: &LaneKey) -> Result<i64, StoreError> {
        lookup::lane_failures(&mut self.quick_reader().await?, lane).await
    }

    /// All connections that were ever seen.
    pub async fn connections(&self) -> Result<Vec<ConnectionRecord>, StoreError> {
        connections::all(&mut self.quick_reader().await?).await
    }

    /// Records the health of a connection (its `webhook_seen_at` only at first sight).
    pub async fn put_connection(&self, record: ConnectionRecord) -> Result<(), StoreError> {
        self.write(PutConnection { record }).await
    }

    /// Records that a signed delivery came by a connection.
    pub async fn webhook_seen(
        &self,
        connection: &Connection,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(WebhookSeen {
            connection: connection.clone(),
            at,
        })
        .await
    }

    /// All bindings that were ever seen.
    pub async fn bindings(&self) -> Result<Vec<BindingRecord>, StoreError> {
        bindings::all(&mut self.quick_reader().await?).await
    }

    /// Records a binding at first sight; one that is known stays as it is.
    pub async fn activate_binding(&self, record: BindingRecord) -> Result<(), StoreError> {
        self.write(ActivateBinding { record }).await
    }

    /// Records how far the reconciler came with a binding.
    pub async fn advance_binding(&self, record: BindingRecord) -> Result<(), StoreError> {
        self.write(AdvanceBinding { record }).await
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
        let freed = self.write(FreeOwn {}).await;
        if let Err(error) = freed {
            tracing::warn!(%error, "the lanes of this process could not be freed");
        }
        let committing = self.inner.committing.lock().await.take();
        match &self.inner.readers {
            Readers::Sqlite(pool) => pool.close(),
            Readers::Postgres(pool) => pool.close().await,
        }
        drop(self);
        if let Some(committing) = committing {
            // Ends when the last clone of the store is gone; others may still hold one.
            let _ = tokio::time::timeout(Duration::from_secs(1), committing).await;
        }
    }
}
