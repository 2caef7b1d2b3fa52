//! Deciding again what came since a time: counted first, then run part by part.

use bowline_domain::connection::Connection;
use bowline_domain::ids::EventId;
use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::feedback::BackfillState;
use crate::handover::Leases;
use crate::sql::replays;
use crate::store::Store;
use crate::writes::{Write, write};

/// Deliveries that one replay takes at most.
pub const REPLAY_DELIVERIES_MAX: i64 = 100_000;

/// Which deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayAsked {
    /// By this connection only.
    pub connection: Option<Connection>,
    /// Received at this time or later.
    pub since: Millis,
}

/// What a replay would do. Nothing is done by counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayPlan {
    /// The first delivery since the time.
    pub first: EventId,
    /// The latest delivery at the time of counting; a run goes no further.
    pub last: EventId,
    /// Deliveries that came.
    pub found: i64,
    /// Of those: in quarantine.
    pub quarantined: i64,
    /// Decided, and nothing was written.
    pub nothing: i64,
    /// Decided, and something was written.
    pub effects: i64,
    /// They wait already, and are left alone.
    pub waiting: i64,
    /// What they said was taken out, so that they cannot be decided again and are left alone.
    pub gone: i64,
    /// There are more than one replay takes; then nothing else is counted.
    pub too_many: bool,
}

impl ReplayPlan {
    pub(crate) fn between(first: EventId, last: EventId) -> Self {
        Self {
            first,
            last,
            found: 0,
            quarantined: 0,
            nothing: 0,
            effects: 0,
            waiting: 0,
            gone: 0,
            too_many: false,
        }
    }

    /// How many deliveries would be decided again.
    pub fn again(&self) -> i64 {
        self.found - self.waiting - self.gone
    }
}

/// A replay as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRun {
    /// Its number.
    pub id: i64,
    /// Which deliveries.
    pub asked: ReplayAsked,
    /// The latest of them.
    pub last: EventId,
    /// Where it is.
    pub state: BackfillState,
    /// Deliveries that were to be decided again when it was begun.
    pub found: i64,
    /// Deliveries that it went through.
    pub looked: i64,
    /// Deliveries that it put back to be decided.
    pub put_back: i64,
    /// Of those: how many wait still.
    pub waiting: i64,
    /// Who asked for it.
    pub who: String,
    /// When.
    pub at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

impl ReplayRun {
    /// Deliveries that were decided again.
    pub fn decided(&self) -> i64 {
        self.put_back - self.waiting
    }
}

impl Leases for Option<ReplayRun> {}

write!(BeginReplay {
    asked: ReplayAsked, plan: ReplayPlan, who: String, at: Millis, audit: Vec<AuditEntry>
} -> Option<i64>, |conn, _| replays::begin(conn, (&asked, &plan), (&who, at), &audit).await);
write!(MoveReplay { id: i64, to: BackfillState, at: Millis, audit: Vec<AuditEntry> } -> bool,
    |conn, _| replays::become_(conn, id, to, at, &audit).await);
write!(ReplayPart { id: i64, at: Millis, until: Millis } -> Option<ReplayRun>, |conn, writer|
    replays::part(conn, writer, id, (at, until)).await);

impl Store {
    /// What a replay would do.
    pub async fn plan_replay(&self, asked: &ReplayAsked) -> Result<ReplayPlan, StoreError> {
        replays::plan(&mut self.reader().await?, asked).await
    }

    /// Begins a replay of what was counted. `None` if one is under way.
    pub async fn begin_replay(
        &self,
        (asked, plan): (ReplayAsked, ReplayPlan),
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Option<i64>, StoreError> {
        self.write(BeginReplay {
            asked,
            plan,
            who,
            at,
            audit,
        })
        .await
    }

    /// Ends a replay that is under way. What was put back already is decided all the same. Answers
    /// whether there was one to end.
    pub async fn cancel_replay(
        &self,
        id: i64,
        at: Millis,
        audit: Vec<AuditEntry>,
    ) -> Result<bool, StoreError> {
        let to = BackfillState::Cancelled;
        self.write(MoveReplay { id, to, at, audit }).await
    }

    /// Puts the next deliveries of a replay back, in the order in which they came, and notes how
    /// far it is, in one piece. `None` if another process holds it, or it is not running.
    pub async fn replay_part(
        &self,
        id: i64,
        at: Millis,
        until: Millis,
    ) -> Result<Option<ReplayRun>, StoreError> {
        self.write(ReplayPart { id, at, until }).await
    }

    /// The replays that are under way.
    pub async fn running_replays(&self) -> Result<Vec<i64>, StoreError> {
        replays::running(&mut self.reader().await?).await
    }

    /// A replay.
    pub async fn replay_run(&self, id: i64) -> Result<Option<ReplayRun>, StoreError> {
        replays::one(&mut self.reader().await?, id).await
    }

    /// The latest replays, the newest first.
    pub async fn latest_replays(&self, limit: i64) -> Result<Vec<ReplayRun>, StoreError> {
        replays::latest(&mut self.reader().await?, limit).await
    }
}
