//! Events of our own making about feedback. Each is planned in the lane of its conversation.

use std::sync::Arc;

use bowline_domain::audience::Audience;
use bowline_domain::connection::Connection;
use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::feedback::act::{FeedbackAct, note_key};
use bowline_domain::feedback::capture::Asked;
use bowline_domain::feedback::ids::{ContactId, TicketId};
use bowline_domain::feedback::note;
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{ConversationId, IssueId, LaneKey, SiteName, WorkspaceName};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::time::Millis;
use bowline_store::feedback::{BackfillState, TicketRow};
use bowline_store::model::{Decided, EventSource, NewEvent, OnArrival, StoredEvent};
use serde::{Deserialize, Serialize};

use super::look::{self, Hint};
use super::people;
use crate::planner::Trouble;
use crate::shared::Shared;

/// What the topics of these events begin with.
pub(crate) const TOPIC: &str = "feedback";

/// An event about feedback.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "feedback", rename_all = "snake_case")]
pub(super) enum FeedbackEvent {
    /// The conversation changed, or a backfill comes by.
    Look {
        conversation: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backfill: Option<i64>,
    },
    /// Intercom lists the conversation among the deleted.
    Gone { conversation: String },
    /// A ticket of the conversation has a new status.
    Moved {
        conversation: String,
        ticket: i64,
        status: Status,
    },
    /// A person wants an issue made from a ticket of the conversation.
    Make {
        conversation: String,
        effect: Box<Effect>,
    },
    /// Intercom did not show a contact with tickets, or another one stays.
    Person { contact: String },
}

impl FeedbackEvent {
    fn conversation(&self) -> ConversationId {
        ConversationId::new(match self {
            Self::Look { conversation, .. }
            | Self::Gone { conversation }
            | Self::Moved { conversation, .. }
            | Self::Make { conversation, .. } => conversation.as_str(),
            // It is about all their conversations, and has the lane of the contact.
            Self::Person { .. } => "",
        })
    }

    fn topic(&self) -> String {
        let what = match self {
            Self::Look {
                backfill: Some(_), ..
            } => "backfill",
            Self::Look { .. } => "look",
            Self::Gone { .. } => "gone",
            Self::Moved { .. } => "moved",
            Self::Make { .. } => "issue",
            Self::Person { .. } => "person",
        };
        format!("{TOPIC}.{what}")
    }
}

/// An event in the lane of its conversation or contact.
pub(super) fn event(
    workspace: &WorkspaceName,
    told: &FeedbackEvent,
    source: EventSource,
    delivery: String,
    at: Millis,
) -> Result<NewEvent, String> {
    let body = serde_json::to_string(told).map_err(|error| error.to_string())?;
    let lane = match told {
        FeedbackEvent::Person { contact } => {
            LaneKey::contact_events(workspace, &RemoteContactId::new(contact.as_str()))
        }
        told => LaneKey::workspace_events(workspace, &told.conversation()),
    };
    Ok(NewEvent {
        source,
        connection: Connection::Workspace(workspace.clone()),
        delivery,
        lane,
        topic: told.topic(),
        received_at: at,
        body: body.into(),
        take: false,
        on_arrival: OnArrival::Queue,
    })
}

/// What an event about feedback means.
pub(crate) async fn decide(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let Connection::Workspace(workspace) = &event.connection else {
        return Err(Trouble::Hopeless(
            "An event about feedback must name a workspace.".to_owned(),
        ));
    };
    let told: FeedbackEvent = serde_json::from_str(&event.body)
        .map_err(|error| Trouble::Hopeless(format!("The event cannot be read: {error}.")))?;
    let conversation = told.conversation();
    match told {
        FeedbackEvent::Look { backfill, .. } => {
            look_at(shared, workspace, &conversation, backfill).await
        }
        FeedbackEvent::Gone { .. } => {
            let gone = look::gone(shared, workspace, &conversation).await?;
            Ok(gone.unwrap_or_else(|| nothing(Reason::NothingNew)))
        }
        FeedbackEvent::Moved { ticket, status, .. } => {
            let ticket = TicketId(ticket);
            moved(shared, (workspace, &conversation), ticket, status).await
        }
        FeedbackEvent::Person { contact } => {
            people::decide(shared, workspace, ContactId::new(contact)).await
        }
        FeedbackEvent::Make { effect, .. } => Ok(Decided {
            effects: vec![*effect],
            outcome: Outcome {
                effects: 1,
                reasons: Vec::new(),
            },
            ..Decided::default()
        }),
    }
}

async fn look_at(
    shared: &Arc<Shared>,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    backfill: Option<i64>,
) -> Result<Decided, Trouble> {
    let products = shared.store.products_of(workspace).await?;
    let known = shared
        .store
        .tickets_of_conversation(workspace, conversation)
        .await?;
    let mut hint = Hint::default();
    if let Some(id) = backfill {
        let under_way = shared.store.backfill(id).await?;
        let Some(under_way) = under_way.filter(|one| one.state != BackfillState::Cancelled) else {
            return Ok(nothing(Reason::BackfillOver));
        };
        hint.asked = Asked {
            backfill: Some((under_way.product, under_way.since)),
            ..Asked::default()
        };
    }
    let at = (workspace, conversation);
    let mut decided = look::look(shared, at, &products, &known, hint).await?;
    if let Some(changes) = &mut decided.feedback {
        changes.backfill = backfill;
    }
    Ok(decided)
}

async fn moved(
    shared: &Shared,
    at: (&WorkspaceName, &ConversationId),
    ticket: TicketId,
    status: Status,
) -> Result<Decided, Trouble> {
    let Some(view) = shared.store.ticket(ticket).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let Some(product) = shared.store.product(view.row.product).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let effects: Vec<Effect> = tell(shared, &product, &view.row, status, at)
        .into_iter()
        .collect();
    let mut outcome = Outcome {
        effects: effects.len(),
        reasons: Vec::new(),
    };
    if effects.is_empty() {
        let status = product.status_name(status).to_lowercase();
        outcome.because(Reason::FeedbackNoteOff { status });
    }
    Ok(Decided {
        effects,
        outcome,
        ..Decided::default()
    })
}

/// The note that tells a conversation of a status, if the product wants one.
pub(super) fn tell(
    shared: &Shared,
    product: &Product,
    ticket: &TicketRow,
    status: Status,
    (workspace, conversation): (&WorkspaceName, &ConversationId),
) -> Option<Effect> {
    if !product.settings.notes.contains(&status) {
        return None;
    }
    let key = note_key(workspace, conversation, status);
    let title = if ticket.title.is_empty() {
        format!("ticket {}", ticket.id)
    } else {
        ticket.title.clone()
    };
    let url = shared.registry().ticket_url(ticket.id);
    let named = product.status_name(status);
    let html = note::told(&product.name, status, named, &title, &url, &key.marker());
    Some(Effect {
        key,
        connection: Connection::Workspace(workspace.clone()),
        site: SiteName::new(""),
        issue: IssueId::new(""),
        act: Act::Feedback(FeedbackAct::Note {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            audience: Audience::Internal,
            html,
            wake_snoozed: product.settings.wake_snoozed,
        }),
    })
}

fn nothing(reason: Reason) -> Decided {
    Decided {
        outcome: Outcome::nothing(reason),
        ..Decided::default()
    }
}
