//! What people do from the panel of an issue: they write notes and answers, and say what became of
//! a send that was held.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, EffectState};
use bowline_domain::ids::{EffectId, EventId, IssueId, LaneKey, SiteName};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::plan::Plan;
use bowline_domain::plan::written::{Written, sent_again, written};
use bowline_domain::state::IssueState;
use bowline_store::Store;
use bowline_store::model::{
    Accepted, Decided, EventSource, HeldEnding, NewEvent, OnArrival, StoredEvent,
};
use serde::{Deserialize, Serialize};

use super::{Trouble, issue_of_lane, nothing};
use crate::ingress::Refusal;
use crate::shared::Shared;

/// What these events are called.
pub(super) const TOPIC: &str = "written by hand";

/// What a person does to the linked conversations of an issue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ByHand {
    /// Writes into them.
    Write(Written),
    /// Has a held answer sent again.
    SendAgain {
        /// The answer.
        effect: i64,
        /// Who says so.
        by: String,
    },
    /// Says that a held answer arrived.
    Arrived {
        /// The answer.
        effect: i64,
        /// Who says so.
        by: String,
    },
}

/// Puts what a person does into the queue of the issue, once for each `name`. Answers the event, or
/// nothing if it was there already.
///
/// # Errors
/// The store fails.
pub async fn queue_by_hand(
    shared: &Shared,
    (site, issue): (&SiteName, &IssueId),
    what: &ByHand,
    name: String,
) -> Result<Option<EventId>, Refusal> {
    let body = serde_json::to_string(what)
        .map_err(|error| Refusal::BadBody(format!("it cannot be written down: {error}")))?;
    let event = NewEvent {
        source: EventSource::Command,
        connection: Connection::Site(site.clone()),
        delivery: name,
        lane: LaneKey::events(site, issue),
        topic: TOPIC.to_owned(),
        received_at: shared.now(),
        body: body.into(),
        take: false,
        on_arrival: OnArrival::Queue,
    };
    let store: &Store = &shared.store;
    let accepted = store.accept(event).await?;
    store.wake().await?;
    Ok(match accepted {
        Accepted::Fresh { event, .. } | Accepted::Decided { event } => Some(event),
        Accepted::Duplicate => None,
    })
}

/// Plans it, from what is known: Jira is not asked.
pub(super) async fn decide(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let hopeless = |why: &str| Trouble::Hopeless(why.to_owned());
    let (Connection::Site(site), Some((_, issue))) =
        (&event.connection, issue_of_lane(&event.lane))
    else {
        return Err(hopeless("The event names no issue."));
    };
    let what: ByHand = serde_json::from_str(&event.body)
        .map_err(|error| Trouble::Hopeless(format!("The event cannot be read: {error}.")))?;
    let issue = IssueId::new(issue);
    match what {
        ByHand::Write(what) => {
            let facts = [what.fact()];
            let state = shared.store.issue_state(site, &issue, &facts).await?;
            let (site_url, wake_snoozed) = place(shared, &state)?;
            Ok(decided(
                &state,
                written(&state, &site_url, wake_snoozed, &what),
            ))
        }
        ByHand::SendAgain { effect, by } => again(shared, event, (site, &issue), effect, &by).await,
        ByHand::Arrived { effect, by } => {
            let Some(view) = held(shared, effect).await? else {
                return Ok(nothing(Reason::NotSentAgain));
            };
            Ok(Decided {
                held: vec![HeldEnding {
                    key: view.effect.key,
                    arrived: true,
                    reason: format!("{by} says that the customer got it."),
                }],
                outcome: Outcome::nothing(Reason::SettledByHand { by }),
                ..Decided::default()
            })
        }
    }
}

async fn again(
    shared: &Shared,
    event: &StoredEvent,
    (site, issue): (&SiteName, &IssueId),
    effect: i64,
    by: &str,
) -> Result<Decided, Trouble> {
    let Some(view) = held(shared, effect).await? else {
        return Ok(nothing(Reason::NotSentAgain));
    };
    let state = shared.store.issue_state(site, issue, &[]).await?;
    let plan = sent_again(&state, &view.effect, event.id);
    if plan.effects.is_empty() {
        // It stays held: nothing was done about it.
        return Ok(decided(&state, plan));
    }
    Ok(Decided {
        held: vec![HeldEnding {
            key: view.effect.key,
            arrived: false,
            reason: format!("{by} had it sent again."),
        }],
        ..decided(&state, plan)
    })
}

/// An answer, if it is held now.
async fn held(
    shared: &Shared,
    effect: i64,
) -> Result<Option<bowline_store::model::EffectView>, Trouble> {
    let view = shared.store.effect(EffectId(effect)).await?;
    Ok(view.filter(|view| {
        view.state == EffectState::Held && matches!(view.effect.act, Act::Reply { .. })
    }))
}

/// Where people open the site, and whether a note may wake a conversation.
fn place(shared: &Shared, state: &IssueState) -> Result<(String, bool), Trouble> {
    let registry = shared.registry();
    let site = registry.sites.get(&state.site).ok_or_else(|| {
        Trouble::Hopeless(format!(
            "The site “{}” is not configured any more.",
            state.site
        ))
    })?;
    let binding = state
        .record
        .as_ref()
        .and_then(|record| registry.binding(&state.site, &record.project));
    let wake_snoozed = binding.is_some_and(|binding| binding.wake_snoozed);
    Ok((site.browse_base(), wake_snoozed))
}

fn decided(state: &IssueState, plan: Plan) -> Decided {
    Decided {
        issue: Some((state.site.clone(), state.issue.clone())),
        record: plan.record,
        links: plan.links,
        facts: plan.facts,
        effects: plan.effects,
        outcome: plan.outcome,
        ..Decided::default()
    }
}
