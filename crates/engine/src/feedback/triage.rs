//! What people do to tickets, with the events that follow from it.

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::feedback::act::{FeedbackAct, issue_key};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{EventId, IssueId};
use bowline_store::StoreError;
use bowline_store::access::AuditEntry;
use bowline_store::feedback::{MergedAway, TicketChange};
use bowline_store::model::{Accepted, EventSource, NewEvent};

use super::event::{FeedbackEvent, event};
use crate::shared::Shared;

/// Changes tickets and stores what follows, in one piece. Answers how many changed; nothing does if
/// another ticket stands for one of them.
///
/// # Errors
/// The store fails.
pub async fn triage(
    shared: &Shared,
    tickets: Vec<TicketId>,
    change: TicketChange,
    who: &str,
    audit: Vec<AuditEntry>,
) -> Result<Result<u64, MergedAway>, StoreError> {
    let events = match &change {
        TicketChange::Status(status) => follow_ups(shared, &tickets, *status).await?,
        _ => Vec::new(),
    };
    let wakes = !events.is_empty();
    let by = (who.to_owned(), shared.now());
    let changed = shared
        .store
        .triage((tickets, change), by, events, audit)
        .await?;
    if wakes && changed.is_ok() {
        shared.store.wake().await?;
    }
    Ok(changed)
}

/// One event for each conversation that is told of a status. It has the same name whatever ticket of
/// the conversation moves, so that a conversation is told of a status once.
async fn follow_ups(
    shared: &Shared,
    tickets: &[TicketId],
    status: Status,
) -> Result<Vec<NewEvent>, StoreError> {
    let products = shared.store.products().await?;
    let wanted = |product: &Product| product.settings.notes.contains(&status);
    if !products.iter().any(wanted) {
        return Ok(Vec::new());
    }
    let mut events: Vec<NewEvent> = Vec::new();
    for id in tickets {
        let Some(view) = shared.store.ticket(*id).await? else {
            continue;
        };
        let product = products.iter().find(|one| one.id == view.row.product);
        if product.is_none_or(|product| !wanted(product)) || view.row.status == status {
            continue;
        }
        for (workspace, conversation) in shared.store.conversations_of_ticket(*id).await? {
            let told = FeedbackEvent::Moved {
                conversation: conversation.to_string(),
                ticket: id.0,
                status,
            };
            let name = format!("feedback-{conversation}-{}", status.as_str());
            let named = event(&workspace, &told, EventSource::Command, name, shared.now());
            events.extend(named.ok());
        }
    }
    Ok(events)
}

/// Why no issue can be made from a ticket.
#[derive(Debug, thiserror::Error)]
pub enum CannotMake {
    /// It is not there.
    #[error("There is no such ticket.")]
    NoTicket,
    /// It was erased.
    #[error("The ticket was erased; there is nothing to make an issue of.")]
    Erased,
    /// Another one stands for it.
    #[error(
        "The ticket is merged into ticket {0}, which stands for it. Make the issue from that one."
    )]
    Merged(TicketId),
    /// It has one.
    #[error("The ticket is tied to an issue already. Take that off first.")]
    Tied,
    /// The product does not say where.
    #[error("The product does not say in which project issues are made (issues).")]
    Nowhere,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Has an issue made from a ticket, once. Answers the event under which it is made.
///
/// # Errors
/// See [`CannotMake`].
pub async fn make_issue(shared: &Shared, id: TicketId) -> Result<EventId, CannotMake> {
    let store = &shared.store;
    let view = store.ticket(id).await?.ok_or(CannotMake::NoTicket)?;
    if view.row.erased.is_some() {
        return Err(CannotMake::Erased);
    }
    if let Some(into) = view.merged_into {
        return Err(CannotMake::Merged(into));
    }
    if view.issue.is_some() {
        return Err(CannotMake::Tied);
    }
    let product = store.product(view.row.product).await?;
    let target = product.and_then(|product| product.settings.issues);
    let target = target.ok_or(CannotMake::Nowhere)?;
    let key = issue_key(id, view.issues_made + 1);
    let url = shared.registry().ticket_url(id);
    let effect = Effect {
        connection: Connection::Site(target.site.clone()),
        site: target.site.clone(),
        issue: IssueId::new(""),
        act: Act::Feedback(FeedbackAct::CreateIssue {
            ticket: id,
            site: target.site,
            project: target.project,
            issue_type: target.issue_type,
            summary: view.row.title.clone(),
            text: view.text.clone(),
            url: format!("{url}#{}", key.marker().as_str()),
        }),
        key: key.clone(),
    };
    let told = FeedbackEvent::Make {
        conversation: view.conversation.to_string(),
        effect: Box::new(effect),
    };
    let named = event(
        &view.row.workspace,
        &told,
        EventSource::Command,
        key.as_str().to_owned(),
        shared.now(),
    );
    let named = named.map_err(|_| CannotMake::NoTicket)?;
    let accepted = store.accept(named).await?;
    store.wake().await?;
    match accepted {
        Accepted::Fresh { event, .. } | Accepted::Decided { event } => Ok(event),
        Accepted::Duplicate => Err(CannotMake::Tied),
    }
}
