//! What goes into the store and comes out of it.

use std::sync::Arc;

use bowline_domain::call::Call;
use bowline_domain::connection::{Connection, Health};
use bowline_domain::effect::{Effect, EffectState};
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    ConversationId, EffectId, EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName,
    WorkspaceName,
};
use bowline_domain::link::Link;
use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::gathering::Line;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::plan::Changes;
use bowline_domain::messaging::request::Request;
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use serde::{Deserialize, Serialize};

use crate::contacts::ContactChanges;
use crate::feedback::FeedbackChanges;
pub use crate::reading::HeldEnding;

/// Where a delivery came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// A Jira webhook.
    Jira,
    /// An Intercom webhook.
    Intercom,
    /// The notify address of a site.
    Notify,
    /// The reconciler found it.
    Reconciler,
    /// A person's command.
    Command,
    /// A webhook of a messaging provider.
    Channel,
}

impl EventSource {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Jira,
        Self::Intercom,
        Self::Notify,
        Self::Reconciler,
        Self::Command,
        Self::Channel,
    ];

    /// The word for storage, logs and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jira => "jira",
            Self::Intercom => "intercom",
            Self::Notify => "notify",
            Self::Reconciler => "reconciler",
            Self::Command => "command",
            Self::Channel => "channel",
        }
    }

    /// The reverse of [`EventSource::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// A delivery to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Where it came from.
    pub source: EventSource,
    /// The connection it came by.
    pub connection: Connection,
    /// What names the delivery: the same delivery sent again has the same name.
    pub delivery: String,
    /// The queue of what it is about.
    pub lane: LaneKey,
    /// What kind of delivery, for people.
    pub topic: String,
    /// When it came.
    pub received_at: Millis,
    /// The body as it came. Shared, since it is what makes an event large.
    pub body: Arc<str>,
    /// Take the lane for this process if it is idle?
    pub take: bool,
    /// What is done with it as it is stored.
    pub on_arrival: OnArrival,
}

/// What is done with a delivery as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnArrival {
    /// It waits in its lane until it is planned.
    Queue,
    /// It is kept as quarantined, with this outcome: nobody can plan it.
    Quarantine(String),
    /// There is nothing to do about it if its issue has no link. That is decided with it, in one
    /// transaction, if nothing of its lane waits; else it waits in its lane as well.
    NothingIfUnlinked(IfUnlinked),
}

/// What is asked of an issue whose events may mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfUnlinked {
    /// The site of the issue.
    pub site: SiteName,
    /// The issue.
    pub issue: IssueId,
    /// If given, the issue must be known, looked through and in this project when it was.
    pub scanned_in: Option<ProjectKey>,
    /// Why there is nothing to do, if all that is so.
    pub reason: Reason,
}

/// What became of a delivery to be stored.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// It is stored. If its lane was idle and wanted, this process holds the lane now.
    Fresh {
        /// Its id.
        event: EventId,
        /// The lane, if it was taken.
        lease: Option<Lease>,
    },
    /// It is stored, and decided: there was nothing to do about it.
    Decided {
        /// Its id.
        event: EventId,
    },
    /// It was stored before.
    Duplicate,
}

/// The right to work a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The lane.
    pub lane: LaneKey,
    /// Tells this holding of the lane from every other.
    pub token: i64,
}

/// An event as stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its id.
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
    /// The body as it came.
    pub body: Arc<str>,
}

/// An event with what became of it, for people.
#[derive(Clone, Debug)]
pub struct EventView {
    /// The event.
    pub event: StoredEvent,
    /// Where it is.
    pub state: EventState,
    /// What became of it, once decided.
    pub outcome: Option<Outcome>,
    /// What made it go to quarantine.
    pub trouble: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Millis>,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Waits to be planned.
    Waiting,
    /// Planned; its outcome says what came of it.
    Decided,
    /// It cannot be planned as it is; kept for a person.
    Quarantined,
}

impl EventState {
    /// The number for storage.
    pub fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Decided => 1,
            Self::Quarantined => 2,
        }
    }

    /// The reverse of [`EventState::code`]; an unknown number is `Waiting`.
    pub fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Decided,
            2 => Self::Quarantined,
            _ => Self::Waiting,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Decided => "decided",
            Self::Quarantined => "quarantined",
        }
    }
}

/// What one event means, to be committed in one piece.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The lane under which it was decided.
    pub lease: Lease,
    /// The event.
    pub event: EventId,
    /// When it was decided.
    pub at: Millis,
    /// What is planned, or why it cannot be.
    pub verdict: Verdict,
    /// Lanes of effects that may be taken at once (their connection works and there is room).
    pub take_up_to: usize,
}

/// What is planned for an event, or why it cannot be.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is decided.
    Decided(Box<Decided>),
    /// It cannot be planned as it is; the text says why.
    Quarantined(String),
}

/// The state changes and effects of a decided event.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// The issue that the changes below are about. Links and facts are read back only of an issue
    /// that has a record, so its first decision brings one.
    pub issue: Option<(SiteName, IssueId)>,
    /// What to keep of the issue.
    pub record: Option<IssueRecord>,
    /// Is the issue in another project than the record said before?
    pub moved: bool,
    /// Has it another status than the record said before?
    pub transitioned: bool,
    /// The links that changed, whole.
    pub links: Vec<Link>,
    /// The facts that are dealt with.
    pub facts: Vec<FactKey>,
    /// What changes in the conversation with an end user.
    pub talk: Option<Box<TalkChanges>>,
    /// What changes of contacts.
    pub contacts: Option<Box<ContactChanges>>,
    /// What changes in feedback.
    pub feedback: Option<Box<FeedbackChanges>>,
    /// What a person says of sends that were held.
    pub held: Vec<HeldEnding>,
    /// The writes to be made, in order.
    pub effects: Vec<Effect>,
    /// What became of the event.
    pub outcome: Outcome,
}

/// What changes in the conversation with an end user.
#[derive(Clone, Debug)]
pub struct TalkChanges {
    /// Which conversation.
    pub whose: RequestRef,
    /// What changes.
    pub changes: Changes,
}

/// A conversation with its end user.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    /// Which.
    pub whose: RequestRef,
    /// With whom.
    pub end_user: EndUser,
    /// How it is.
    pub request: Request,
}

/// A line of a gathering.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenLine {
    /// The line.
    pub line: Line,
    /// Does it stand in Jira, as far as that is recorded?
    pub written: bool,
    /// Since when, as far as that is recorded.
    pub written_at: Option<Millis>,
}

/// What a committed decision leaves to do.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The lane under which it was decided.
    pub lease: Lease,
    /// More events wait in the lane; the lease is still held.
    pub more: bool,
    /// Effects whose lanes were idle and are held by this process now.
    pub taken: Vec<TakenEffect>,
}

/// An effect marked `attempting`, with the right to work its lane.
#[derive(Clone, Debug)]
pub struct TakenEffect {
    /// Its id.
    pub id: EffectId,
    /// The event it came from.
    pub event: EventId,
    /// The right to its lane.
    pub lease: Lease,
    /// What to do.
    pub effect: Effect,
    /// An attempt before this one has an unknown outcome: look before sending.
    pub doubtful: bool,
    /// Which attempt this is; the first is 1.
    pub attempts: i64,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The effect.
    pub effect: EffectId,
    /// The lane under which it was attempted.
    pub lease: Lease,
    /// How it ended.
    pub ending: Ending,
    /// When the attempt started.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Millis,
    /// What is kept of the calls it made: the JSON of [`bowline_domain::call::Call`]s.
    pub calls: Option<String>,
    /// Keep the lane for its next effect?
    pub go_on: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Done.
    Confirmed {
        /// What the far side calls it, where it has a name there.
        remote_id: Option<String>,
        /// What is worth knowing of it, for people.
        detail: Option<String>,
    },
    /// Refused for good.
    Rejected {
        /// Why, in words.
        reason: String,
    },
    /// Not sent, because the reason for it ended.
    Dropped {
        /// Why, in words.
        reason: String,
    },
    /// It may have reached a customer and is not found: left to a person.
    Held {
        /// Why, in words.
        reason: String,
    },
    /// To be tried again.
    Later {
        /// Not before.
        due_at: Millis,
        /// It may have happened.
        doubtful: bool,
        /// Why, in words.
        reason: String,
    },
    /// Not tried: more comes to be made together with it.
    NotYet {
        /// Not before.
        due_at: Millis,
    },
}

impl Ending {
    /// The same ending with what it says for people changed.
    #[must_use]
    pub fn in_words(self, change: impl Fn(String) -> String) -> Self {
        match self {
            Self::Confirmed { remote_id, detail } => Self::Confirmed {
                remote_id,
                detail: detail.map(change),
            },
            Self::Rejected { reason } => Self::Rejected {
                reason: change(reason),
            },
            Self::Dropped { reason } => Self::Dropped {
                reason: change(reason),
            },
            Self::Held { reason } => Self::Held {
                reason: change(reason),
            },
            Self::Later {
                due_at,
                doubtful,
                reason,
            } => Self::Later {
                due_at,
                doubtful,
                reason: change(reason),
            },
            Self::NotYet { due_at } => Self::NotYet { due_at },
        }
    }

    /// The state the effect is in from now on.
    pub fn state(&self) -> EffectState {
        match self {
            Self::Confirmed { .. } => EffectState::Confirmed,
            Self::Rejected { .. } => EffectState::Rejected,
            Self::Dropped { .. } => EffectState::Dropped,
            Self::Held { .. } => EffectState::Held,
            Self::Later { doubtful: true, .. } => EffectState::Unknown,
            Self::Later {
                doubtful: false, ..
            }
            | Self::NotYet { .. } => EffectState::Planned,
        }
    }
}

/// An effect with its history, for people.
#[derive(Clone, Debug)]
pub struct EffectView {
    /// Its id.
    pub id: EffectId,
    /// The event it came from.
    pub event: EventId,
    /// What it does.
    pub effect: Effect,
    /// Where it is.
    pub state: EffectState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was planned.
    pub planned_at: Millis,
    /// When it was settled.
    pub settled_at: Option<Millis>,
    /// What the far side calls it.
    pub remote_id: Option<String>,
    /// Why it is where it is.
    pub reason: Option<String>,
}

/// One try at an effect, for people.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// When it started.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Millis,
    /// How it ended, in one word.
    pub outcome: String,
    /// More about it.
    pub detail: Option<String>,
    /// What is kept of the calls it made; empty after the time that texts are kept for.
    pub calls: Vec<Call>,
}

/// What is kept of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Which.
    pub connection: Connection,
    /// How it is.
    pub health: Health,
    /// Why, in words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Millis,
    /// What it is connected to: the workspace's code, or the site's own address.
    pub remote_id: Option<String>,
    /// As whom we act there.
    pub actor_id: Option<String>,
    /// When the credential was last tried.
    pub checked_at: Option<Millis>,
    /// When a signed delivery last came.
    pub webhook_seen_at: Option<Millis>,
}

/// What is kept of a project binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRecord {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// When the binding was first seen.
    pub active_since: Millis,
    /// Up to when changes were looked for, by Jira's clock.
    pub watermark: Millis,
    /// Where the first look through all issues stands; `None` before it starts.
    pub swept_to: Option<String>,
    /// When the first look was finished.
    pub swept_at: Option<Millis>,
}

/// A link with its issue, for people.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// The site.
    pub site: SiteName,
    /// The issue.
    pub issue: IssueId,
    /// The issue's key, if it is known.
    pub key: Option<IssueKey>,
    /// The link.
    pub link: Link,
}

/// What stands behind an issue besides its conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// It is a request of messaging.
    pub talk: bool,
    /// Tickets of feedback are joined to it.
    pub tickets: bool,
    /// Something is being written, or waits to be, to one of the conversations that it is linked to.
    pub writing: bool,
}

/// An issue that is linked, or was until Jira stopped showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIssue {
    /// The issue.
    pub issue: IssueId,
    /// Its project when we last saw it.
    pub project: ProjectKey,
    /// Has it a live link?
    pub live: bool,
    /// The name of its status as it was last read; empty if it was not.
    pub status: String,
}

/// The status of an issue, as it was when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSeen {
    /// The issue.
    pub issue: IssueId,
    /// What was recorded before it was looked at.
    pub before: String,
    /// What it is called now.
    pub now: String,
}

/// Which links to list.
#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    /// Of this site only.
    pub site: Option<SiteName>,
    /// Of this issue only, by key or id.
    pub issue: Option<String>,
    /// Of this workspace only.
    pub workspace: Option<WorkspaceName>,
    /// Of this conversation only.
    pub conversation: Option<ConversationId>,
    /// Ended ones too.
    pub ended: bool,
    /// At most this many.
    pub limit: i64,
}

/// Which events to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// In this state only.
    pub state: Option<EventState>,
    /// Of this lane only.
    pub lane: Option<LaneKey>,
    /// Older than this one only.
    pub before: Option<EventId>,
    /// At most this many.
    pub limit: i64,
}

/// How far old texts were taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// The last event that was gone through.
    pub event: i64,
    /// The last effect that was gone through.
    pub effect: i64,
    /// The last attempt that was gone through.
    pub attempt: i64,
    /// Is there more to go through at once?
    pub more: bool,
}

/// How full the queues are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that wait to be planned.
    pub events: i64,
    /// Effects that wait to be made.
    pub effects: i64,
    /// Events in quarantine.
    pub quarantined: i64,
    /// When the oldest waiting event came.
    pub oldest_event_at: Option<Millis>,
}

/// Which queues: those of events or those of effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LaneKind {
    /// Events that wait to be planned.
    Events,
    /// Effects that wait to be made.
    Effects,
}

impl LaneKind {
    /// The number for storage.
    pub fn code(self) -> i64 {
        match self {
            Self::Events => 0,
            Self::Effects => 1,
        }
    }
}
