//! The planner's shell: takes events under the lane of their subject, reads what is needed, and
//! commits what the plan says.

mod by_hand;
mod catch_up;
mod contact_event;
mod from_jira;
mod intercom_event;
mod internal;
mod jira_event;
mod names;
mod observe;
mod since_taken;
mod talk;
mod tally;
pub mod try_out;
mod unseen;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{LaneKey, WorkspaceName};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_net::ApiError;
use bowline_store::StoreError;
use bowline_store::model::{Decided, Decision, EventSource, Lease, StoredEvent, Verdict};
use futures_util::FutureExt as _;

use crate::backoff;
use crate::courier::Ahead;
use crate::health;
use crate::registry::Site;
use crate::shared::{Handed, Shared};

pub use by_hand::{ByHand, queue_by_hand};
pub(crate) use from_jira::is_absent;
pub(crate) use internal::{Look, conversation_gone, conversation_merged, queue_look};
pub use internal::{queue_link_command, queue_link_import};
pub(crate) use observe::Reader;
use since_taken::SinceTaken;
pub(crate) use talk::{COMMENT, TalkEvent, files_of, read_comment, talk_event};
pub use talk::{queue_about_send, queue_send_again, queue_send_template, queue_test_message};
pub(crate) use unseen::browses;

/// Lanes of effects that a decision takes at once. More wait for the couriers of bulk work.
const TAKE_UP_TO: usize = 16;

/// Events of a lane that are taken at once: what waits while one of them is planned. Each may be as
/// long as a delivery may be.
const AT_HAND_MAX: i64 = 4;

/// Failures in a row after which an event that is refused as invalid goes to quarantine.
const REFUSALS_MAX: i64 = 5;

/// The wait when the database failed, in milliseconds.
const DATABASE_WAIT_MS: i64 = 1_000;

/// The wait for what an event came before, in milliseconds.
const EARLY_WAIT_MS: i64 = 250;

/// Why an event could not be planned this time.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A remote system did not answer as needed.
    Remote(Box<(Connection, ApiError)>),
    /// The database.
    Store(StoreError),
    /// It says which workspace it means, and the code of ours is not known yet.
    UnknownWorkspace(WorkspaceName),
    /// It came before what it is about; it is looked at again in a moment.
    Early(String),
    /// It will never be planned as it is.
    Hopeless(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Works a lane until it is empty, must wait, or was taken over.
pub(crate) async fn work(shared: Arc<Shared>, lease: Lease, first: Option<StoredEvent>) {
    let mut at_hand = VecDeque::from_iter(first);
    let since_taken = SinceTaken::default();
    loop {
        if shared.stopping.is_cancelled() {
            return;
        }
        if at_hand.is_empty() {
            match next(&shared, &lease).await {
                Some(events) => at_hand.extend(events),
                None => return,
            }
            since_taken.over();
        }
        let Some(event) = at_hand.pop_front() else {
            return;
        };
        if !one(&shared, &lease, event, &since_taken).await {
            return;
        }
    }
}

async fn next(shared: &Shared, lease: &Lease) -> Option<Vec<StoredEvent>> {
    match shared.store.waiting_events(&lease.lane, AT_HAND_MAX).await {
        Ok(events) if !events.is_empty() => Some(events),
        Ok(_) => {
            // The row counts an item that cannot be found: worth a loud word, not worth a loop.
            tracing::error!(lane = %lease.lane, "a lane counts events that it does not have");
            let due_at = shared.now().plus_ms(backoff::delay_ms(20, 1.0));
            let _ = shared.store.postpone(lease.clone(), due_at, true).await;
            None
        }
        Err(error) => {
            tracing::error!(lane = %lease.lane, %error, "waiting events could not be read");
            let due_at = shared.now().plus_ms(DATABASE_WAIT_MS);
            let _ = shared.store.postpone(lease.clone(), due_at, true).await;
            None
        }
    }
}

/// Plans one event and commits the plan. Returns true if the lane has more and is still held.
async fn one(
    shared: &Arc<Shared>,
    lease: &Lease,
    event: StoredEvent,
    since_taken: &SinceTaken,
) -> bool {
    since_taken.next_event();
    let id = event.id;
    let received_at = event.received_at;
    let planned = AssertUnwindSafe(decide(shared, &event, since_taken))
        .catch_unwind()
        .await;
    let verdict = match planned {
        Ok(Ok(decided)) => Verdict::Decided(Box::new(decided)),
        Ok(Err(trouble)) => match troubled(shared, lease, &event, trouble).await {
            Some(text) => Verdict::Quarantined(text),
            None => return false,
        },
        Err(_) => Verdict::Quarantined(
            "Bowline failed on this event; that is a fault of Bowline's. It is kept as it came \
             and can be replayed with a version in which the fault is mended."
                .to_owned(),
        ),
    };
    let planned = Planned::of(&verdict);
    let mut ahead = match (&verdict, since_taken.at_rest()) {
        (Verdict::Decided(decided), Some(at_rest)) => Ahead::begin(shared, decided, at_rest),
        _ => None,
    };
    let at = shared.now();
    let take_up_to = shared.hands.effects.room().min(TAKE_UP_TO);
    let decision = Decision {
        lease: lease.clone(),
        event: id,
        at,
        verdict,
        take_up_to,
    };
    match shared.store.decide(decision).await {
        Ok(committed) => {
            let lag_s = f64::from(u32::try_from(at.since(received_at)).unwrap_or(0)) / 1_000.0;
            metrics::histogram!("bowline_plan_lag_seconds").record(lag_s);
            for taken in committed.taken {
                let ahead = ahead.take_if(|ahead| ahead.is_for(&taken));
                shared.hands.hand(Handed::Effect(Box::new(taken), ahead));
            }
            // What was planned goes on its way first: a customer waits for it, and not for the log.
            tokio::task::yield_now().await;
            planned.report(&event);
            committed.more
        }
        Err(error @ StoreError::Fenced { .. }) => {
            tracing::warn!(event.id = %id, %error, "decision refused");
            false
        }
        Err(error) => {
            tracing::error!(event.id = %id, %error, "decision not committed");
            let due_at = shared.now().plus_ms(DATABASE_WAIT_MS);
            let _ = shared.store.postpone(lease.clone(), due_at, true).await;
            false
        }
    }
}

/// What is told of a verdict that was committed.
enum Planned {
    Decided {
        effects: usize,
        reasons: Vec<&'static str>,
    },
    Quarantined(String),
}

impl Planned {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Decided(decided) => Self::Decided {
                effects: decided.outcome.effects,
                reasons: decided.outcome.reasons.iter().map(Reason::code).collect(),
            },
            Verdict::Quarantined(why) => Self::Quarantined(why.clone()),
        }
    }

    fn report(&self, event: &StoredEvent) {
        let source = event.source.as_str();
        match self {
            Self::Decided { effects, reasons } => {
                tracing::info!(event.id = %event.id, event.source = source, event.topic,
                    lane = %event.lane, effects, reasons = reasons.join(","), "event planned");
                for reason in reasons {
                    metrics::counter!("bowline_reasons_total", "reason" => *reason).increment(1);
                }
            }
            Self::Quarantined(why) => {
                tracing::error!(event.id = %event.id, event.source = source, why,
                    "event quarantined");
                metrics::counter!("bowline_quarantined_total").increment(1);
            }
        }
    }
}

/// Lets the lane wait. Returns a text if the event is to go to quarantine instead.
async fn troubled(
    shared: &Shared,
    lease: &Lease,
    event: &StoredEvent,
    trouble: Trouble,
) -> Option<String> {
    let failures = shared.store.lane_failures(&lease.lane).await.unwrap_or(0) + 1;
    let mut due_at = shared
        .now()
        .plus_ms(backoff::delay_ms(failures, shared.chance()));
    let mut waits_for = None;
    let words = match trouble {
        Trouble::Hopeless(text) => return Some(text),
        Trouble::Store(error) => error.to_string(),
        Trouble::Early(why) => {
            due_at = shared.now().plus_ms(EARLY_WAIT_MS);
            why
        }
        Trouble::UnknownWorkspace(name) => {
            // Made due when the workspace is reached for the first time.
            format!("the workspace “{name}” was never reached, so its addresses are not known")
        }
        Trouble::Remote(remote) => {
            let (connection, error) = *remote;
            let registry = shared.registry();
            if let Some(standing) = registry.standing(&connection)
                && health::take_in(shared, standing, &error).await
            {
                // The lane is due at once, and is not claimed before the connection works. It may
                // be another one than the event came by: a look at a request waits for Jira.
                due_at = shared.now();
                waits_for = Some(connection);
            }
            if error.kind == bowline_net::ErrorKind::Data && failures >= REFUSALS_MAX {
                return Some(format!(
                    "The far side refuses what is needed to read this: {error}"
                ));
            }
            error.to_string()
        }
    };
    tracing::warn!(event.id = %event.id, lane = %lease.lane, failures, why = words,
        "event waits");
    let _ = match waits_for {
        Some(connection) => {
            let lease = lease.clone();
            shared.store.postpone_for(lease, due_at, &connection).await
        }
        None => shared.store.postpone(lease.clone(), due_at, true).await,
    };
    None
}

async fn decide(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    since_taken: &SinceTaken,
) -> Result<Decided, Trouble> {
    if event.body.is_empty() {
        return Err(Trouble::Hopeless(
            "What the delivery said was taken out after the time that it is kept for \
             (limits.payload_days). It cannot be decided again."
                .to_owned(),
        ));
    }
    if event.topic.starts_with(crate::feedback::TOPIC) {
        return crate::feedback::decide_event(shared, event).await;
    }
    if talk::end_user_of_lane(&event.lane).is_some() {
        return talk::decide(shared, event).await;
    }
    match event.source {
        EventSource::Channel => talk::decide(shared, event).await,
        EventSource::Jira => jira_event::decide(shared, event, since_taken).await,
        EventSource::Intercom => intercom_event::decide(shared, event).await,
        EventSource::Notify => internal::notify(shared, event).await,
        EventSource::Reconciler if event.topic == crate::tally::TOPIC => tally::one_of_all(event),
        EventSource::Reconciler => internal::look(shared, event).await,
        EventSource::Command if event.topic == by_hand::TOPIC => {
            by_hand::decide(shared, event).await
        }
        EventSource::Command => internal::command(shared, event).await,
    }
}

/// Nothing is to be done about an event.
fn nothing(reason: Reason) -> Decided {
    Decided {
        outcome: Outcome::nothing(reason),
        ..Decided::default()
    }
}

/// The site that an event came by or is about.
fn site_of(shared: &Shared, event: &StoredEvent) -> Result<Arc<Site>, Trouble> {
    let registry = shared.registry();
    let site = match &event.connection {
        Connection::Site(name) => registry.sites.get(name),
        Connection::Workspace(_) | Connection::Account(_) => None,
    };
    site.map(Arc::clone).ok_or_else(|| {
        let name = event.connection.name();
        Trouble::Hopeless(format!(
            "The site “{name}” is not configured any more. Configure it again and replay the event."
        ))
    })
}

/// The issue of a lane of events, from its key.
fn issue_of_lane(lane: &LaneKey) -> Option<(&str, &str)> {
    let mut parts = lane.as_str().split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("event"), Some(site), Some(issue), None) => Some((site, issue)),
        _ => None,
    }
}
