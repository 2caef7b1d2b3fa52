//! Why is there no ticket of a conversation, or which ones are there?

use bowline_domain::feedback::product::Product;
use bowline_domain::ids::{ConversationId, LaneKey, WorkspaceName};
use bowline_domain::outcome::Reason;
use bowline_store::browse::{DeliveryFilter, DeliveryRow};

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::deliveries::{Row, row};
use crate::error::PageError;
use crate::reader::Reader;
use crate::words::some;

/// Deliveries of a conversation among which those about feedback are looked for.
const LOOKED_THROUGH: i64 = 100;

/// What became of so many of them is shown.
const SHOWN: usize = 10;

/// Topics that tell of tags and of texts that were taken out, and those of our own looks.
const TOPICS: [&str; 2] = ["conversation_part.", "feedback."];

/// What is known of a conversation's feedback.
pub(crate) struct FeedbackAnswer {
    pub(crate) state: Lozenge,
    pub(crate) answer: String,
    pub(crate) tickets: Vec<TicketLine>,
    /// What became of what was told of its tags, newest first.
    pub(crate) told: Vec<Row>,
}

/// A ticket of it.
pub(crate) struct TicketLine {
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) product: String,
    pub(crate) status: String,
}

/// What is known of a conversation's feedback; `None` where there is none to speak of.
pub(crate) async fn answer(
    app: &App,
    reader: &Reader,
    workspaces: &[WorkspaceName],
    conversation: &ConversationId,
) -> Result<Option<FeedbackAnswer>, PageError> {
    let store = &app.shared.store;
    let products = store.products().await?;
    let (mut tickets, mut told, mut gathers, mut on) = (Vec::new(), Vec::new(), false, false);
    for workspace in workspaces {
        let mut own = products.iter().filter(|one| one.workspace == *workspace);
        gathers |= own.clone().next().is_some();
        on |= own.any(|product| product.on);
        tickets.extend(lines(app, workspace, conversation, &products).await?);
        let filter = DeliveryFilter {
            lanes: Some(vec![LaneKey::workspace_events(workspace, conversation)]),
            limit: LOOKED_THROUGH,
            ..DeliveryFilter::default()
        };
        let rows = store.deliveries(&filter).await?.rows.into_iter();
        told.extend(rows.filter(is_about_feedback));
    }
    if !gathers && tickets.is_empty() {
        return Ok(None);
    }
    told.truncate(SHOWN);
    let (state, answer) = words(tickets.len(), !told.is_empty(), on);
    Ok(Some(FeedbackAnswer {
        state,
        answer,
        tickets,
        told: told
            .into_iter()
            .map(|delivery| row(app, reader, delivery))
            .collect(),
    }))
}

async fn lines(
    app: &App,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    products: &[Product],
) -> Result<Vec<TicketLine>, PageError> {
    let store = &app.shared.store;
    let known = store
        .tickets_of_conversation(workspace, conversation)
        .await?;
    let mut lines = Vec::new();
    for ticket in known {
        let Some(view) = store.ticket(ticket.id).await? else {
            continue;
        };
        let product = products.iter().find(|one| one.id == ticket.product);
        lines.push(TicketLine {
            path: format!("/feedback/{}", ticket.id),
            title: if ticket.erased {
                format!("Ticket {}, whose text was erased", ticket.id)
            } else {
                view.row.title
            },
            product: product.map_or_else(String::new, |one| one.name.clone()),
            status: product.map_or_else(
                || view.row.status.title().to_owned(),
                |one| one.status_name(view.row.status).to_owned(),
            ),
        });
    }
    Ok(lines)
}

fn is_about_feedback(delivery: &DeliveryRow) -> bool {
    TOPICS.iter().any(|topic| delivery.topic.starts_with(topic))
        || delivery.outcome.as_ref().is_some_and(|outcome| {
            let mut reasons = outcome.reasons.iter();
            reasons.any(Reason::is_about_feedback)
        })
}

fn words(tickets: usize, told: bool, on: bool) -> (Lozenge, String) {
    let off = if on {
        ""
    } else {
        " Feedback is switched off in its workspace, so nothing new comes in."
    };
    match (tickets, told) {
        (0, true) => (
            Lozenge::new(Tone::Plain, "no ticket"),
            format!("No ticket was made of it. Below is what its tags came to.{off}"),
        ),
        (0, false) => (
            Lozenge::new(Tone::Plain, "no ticket"),
            format!(
                "No ticket was made of it. No tag of its messages was told of. Tag a message in \
                 Intercom with a tag that a product counts; what no webhook tells is looked for \
                 every five minutes.{off}"
            ),
        ),
        (1, _) => (
            Lozenge::new(Tone::Good, "feedback"),
            format!("One ticket was made of it.{off}"),
        ),
        (count, _) => (
            Lozenge::new(Tone::Good, "feedback"),
            format!(
                "{} were made of it.{off}",
                some(i64::try_from(count).unwrap_or(i64::MAX), "ticket")
            ),
        ),
    }
}
