//! What people look through: deliveries by what they ask for, links page by page, and how all is
//! going. Each answer is bounded, however much there is.

use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectState;
use bowline_domain::ids::{
    ConversationId, EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::outcome::Outcome;
use bowline_domain::time::Millis;

use crate::error::StoreError;
use crate::model::{EventSource, EventState, LaneKind, LinkView};
use crate::sql::{deliveries, link_pages, pulse};
use crate::store::Store;

/// What an issue is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueLabel {
    /// The site.
    pub site: SiteName,
    /// Its id.
    pub issue: IssueId,
    /// Its present key.
    pub key: IssueKey,
    /// Its project.
    pub project: ProjectKey,
    /// Its summary.
    pub summary: String,
    /// Is it deleted?
    pub deleted: bool,
}

/// What became of a delivery, as a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutcomeFilter {
    /// It made effects.
    Effects,
    /// It made none.
    Nothing,
    /// It names this reason, by its code.
    Reason(&'static str),
    /// It waits.
    Waiting,
    /// It cannot be planned.
    Quarantined,
    /// One of its effects is in this state.
    Effect(EffectState),
}

/// How the far side answered a call that a delivery's effects made, as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFilter {
    /// With a status of this hundred: 4 for 400 to 499.
    Hundred(u8),
    /// Not at all.
    Nothing,
}

/// Which deliveries, newest first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// By this connection only.
    pub connection: Option<Connection>,
    /// About issues of this project only.
    pub project: Option<(SiteName, ProjectKey)>,
    /// In these lanes only.
    pub lanes: Option<Vec<LaneKey>>,
    /// With this outcome only.
    pub outcome: Option<OutcomeFilter>,
    /// With a call that was answered like this only.
    pub answer: Option<AnswerFilter>,
    /// Received at this time or later.
    pub from: Option<Millis>,
    /// Received before this time.
    pub until: Option<Millis>,
    /// Older than this one only.
    pub before: Option<EventId>,
    /// At most this many.
    pub limit: i64,
}

/// A delivery in a list: without what it said.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its number.
    pub id: EventId,
    /// Where it came from.
    pub source: EventSource,
    /// The connection it came by.
    pub connection: Connection,
    /// The queue of what it is about.
    pub lane: LaneKey,
    /// What kind of delivery.
    pub topic: String,
    /// When it came.
    pub received_at: Millis,
    /// Where it is.
    pub state: EventState,
    /// What became of it, once decided.
    pub outcome: Option<Outcome>,
    /// What made it go to quarantine.
    pub trouble: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Millis>,
    /// The issue that it is about, if it is known.
    pub issue: Option<IssueLabel>,
}

/// A part of the deliveries that are asked for.
#[derive(Clone, Debug, Default)]
pub struct DeliveryPage {
    /// The deliveries, newest first.
    pub rows: Vec<DeliveryRow>,
    /// Where the next part begins: the next page is before this one.
    pub next: Option<EventId>,
    /// Was the looking broken off, so that the next part is to be looked for although this one is
    /// not full?
    pub broken_off: bool,
}

/// What waits for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The connection.
    pub connection: Connection,
    /// Events or effects.
    pub kind: LaneKind,
    /// How many.
    pub waiting: i64,
}

/// How far behind a connection is, and how much of what is tried through it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When what has waited longest came, of what does not wait on purpose.
    pub oldest_at: Option<Millis>,
    /// Attempts since a time.
    pub attempts: i64,
    /// Of those: failed.
    pub failed: i64,
}

/// What was done on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01, in the zone that was asked for.
    pub day: i64,
    /// Notes that were posted.
    pub notes: i64,
    /// Conversations that were re-opened.
    pub reopens: i64,
}

/// Deliveries or effects that went wrong for the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The connection.
    pub connection: Connection,
    /// The cause, in words.
    pub cause: String,
    /// How many there are.
    pub count: i64,
    /// How many conversations or issues are affected.
    pub affected: i64,
    /// When the first of them went wrong.
    pub first_at: Millis,
    /// When the latest of them went wrong.
    pub last_at: Millis,
    /// The latest delivery of them.
    pub event: EventId,
}

/// Lanes whose first item fails again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The connection.
    pub connection: Connection,
    /// Events or effects.
    pub kind: LaneKind,
    /// How many lanes.
    pub lanes: i64,
    /// How many items wait in them.
    pub waiting: i64,
    /// The most failures in a row.
    pub failures: i64,
    /// One of them.
    pub example: LaneKey,
}

/// Which links, the newest first.
#[derive(Clone, Debug, Default)]
pub struct LinkQuery {
    /// Of this site only.
    pub site: Option<SiteName>,
    /// Of this project only.
    pub project: Option<ProjectKey>,
    /// Of this issue only, by key or id.
    pub issue: Option<String>,
    /// Of this workspace only.
    pub workspace: Option<WorkspaceName>,
    /// Of this conversation only.
    pub conversation: Option<ConversationId>,
    /// Those that ended instead of those that live; `None`: both.
    pub live: Option<bool>,
    /// After this one only.
    pub after: Option<LinkCursor>,
    /// At most this many.
    pub limit: i64,
}

/// A place in the list of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkCursor {
    /// Since when the link lives.
    pub since: Millis,
    /// Its site.
    pub site: SiteName,
    /// Its issue.
    pub issue: IssueId,
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its conversation.
    pub conversation: ConversationId,
}

impl LinkCursor {
    /// The place of a link.
    pub fn of(view: &LinkView) -> Self {
        Self {
            since: view.link.since,
            site: view.site.clone(),
            issue: view.issue.clone(),
            workspace: view.link.workspace.clone(),
            conversation: view.link.conversation.clone(),
        }
    }
}

impl Store {
    /// A part of the deliveries that are asked for.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        deliveries::page(&mut self.reader().await?, filter).await
    }

    /// What an issue is called, by its id.
    pub async fn issue_label(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Option<IssueLabel>, StoreError> {
        let ids = [(site.clone(), issue.clone())];
        let labels = deliveries::labels(&mut self.reader().await?, &ids).await?;
        Ok(labels.into_values().next())
    }

    /// What waits for each connection.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        pulse::queues(&mut self.reader().await?).await
    }

    /// When the oldest effect that waits was planned.
    pub async fn oldest_waiting_effect(&self) -> Result<Option<Millis>, StoreError> {
        pulse::oldest_effect(&mut self.reader().await?).await
    }

    /// How far behind a connection is, and what failed since `since`.
    pub async fn pace(
        &self,
        connection: &Connection,
        since: Millis,
        now: Millis,
    ) -> Result<Pace, StoreError> {
        pulse::pace(&mut self.reader().await?, connection, since, now).await
    }

    /// What was done on each day since `since`; days without anything are missing. `offset_ms` is
    /// what the zone of the days is ahead of UTC.
    pub async fn days(&self, since: Millis, offset_ms: i64) -> Result<Vec<Day>, StoreError> {
        pulse::days(&mut self.reader().await?, since, offset_ms).await
    }

    /// Deliveries in quarantine, by cause, the most frequent first.
    pub async fn quarantined(&self) -> Result<Vec<Trouble>, StoreError> {
        pulse::quarantined(&mut self.reader().await?).await
    }

    /// Effects that were refused for good since `since`, by cause, the most frequent first.
    pub async fn rejected(&self, since: Millis) -> Result<Vec<Trouble>, StoreError> {
        pulse::rejected(&mut self.reader().await?, since).await
    }

    /// Effects whose outcome is not known at the moment, by connection.
    pub async fn doubtful(&self) -> Result<Vec<Trouble>, StoreError> {
        pulse::doubtful(&mut self.reader().await?).await
    }

    /// Lanes whose first item failed `failures` times in a row or more.
    pub async fn failing(&self, failures: i64) -> Result<Vec<Failing>, StoreError> {
        pulse::failing(&mut self.reader().await?, failures).await
    }

    /// A part of the links that are asked for.
    pub async fn link_page(&self, query: &LinkQuery) -> Result<Vec<LinkView>, StoreError> {
        link_pages::page(&mut self.reader().await?, query).await
    }
}
