//! The status of tickets follows their issue, where the product wishes it.

use std::sync::Arc;

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::outcome::Reason;
use bowline_jira as jira;
use bowline_net::ErrorKind;
use bowline_store::feedback::{FeedbackChanges, TicketRow};
use bowline_store::model::{Decided, StoredEvent};

use super::event::tell;
use crate::pace::Priority;
use crate::planner::Trouble;
use crate::shared::Shared;

/// The tickets that are joined to the issue of an event. They are read beside what the event means
/// for conversations, not after it, since a customer waits for the note.
pub(crate) async fn tickets_behind(
    shared: &Shared,
    event: &StoredEvent,
) -> Result<Vec<TicketRow>, Trouble> {
    match event.lane.issue_events() {
        Some((site, issue)) => Ok(shared.store.tickets_of_issue(&site, &issue).await?),
        None => Ok(Vec::new()),
    }
}

/// Adds to what an event about an issue means what it means for the tickets of that issue.
pub(crate) async fn follow(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    tickets: &[TicketRow],
    mut decided: Decided,
) -> Result<Decided, Trouble> {
    let Some((site, issue)) = event.lane.issue_events() else {
        return Ok(decided);
    };
    if tickets.is_empty() {
        return Ok(decided);
    }
    let products = shared.store.products().await?;
    let followed: Vec<&TicketRow> = tickets
        .iter()
        .filter(|ticket| {
            let product = products.iter().find(|one| one.id == ticket.product);
            product.is_some_and(|product| product.settings.follow_issue)
        })
        .collect();
    if followed.is_empty() {
        return Ok(decided);
    }
    let Some(status) = status_of(shared, &site, &issue).await? else {
        return Ok(decided);
    };
    let mut changes = FeedbackChanges::of(&WorkspaceName::new(""), &ConversationId::new(""));
    for ticket in followed {
        if ticket.status == status || ticket.status == Status::Declined {
            continue;
        }
        changes.moved.push((ticket.id, status));
        let product = products.iter().find(|one| one.id == ticket.product);
        for (workspace, conversation) in conversations(shared, ticket.id).await? {
            let at = (&workspace, &conversation);
            let note = product.and_then(|product| tell(shared, product, ticket, status, at));
            decided.effects.extend(note);
        }
    }
    if !changes.moved.is_empty() {
        decided.outcome.effects = decided.effects.len();
        decided
            .outcome
            .reasons
            .retain(|reason| *reason != Reason::NotLinked);
        decided.outcome.because(Reason::TicketsFollowed);
        decided.feedback = Some(Box::new(changes));
    }
    Ok(decided)
}

async fn conversations(
    shared: &Shared,
    ticket: TicketId,
) -> Result<Vec<(WorkspaceName, ConversationId)>, Trouble> {
    Ok(shared.store.conversations_of_ticket(ticket).await?)
}

/// The status that tickets of an issue have by its own; `None` where that says nothing.
async fn status_of(
    shared: &Shared,
    site: &SiteName,
    issue: &IssueId,
) -> Result<Option<Status>, Trouble> {
    let registry = shared.registry();
    let Some(site) = registry.sites.get(site) else {
        return Ok(None);
    };
    let pace = &site.standing.pace;
    pace.turn(Priority::Interactive, &*shared.clock).await;
    let reading = site
        .client
        .issue(issue.as_str(), jira::IssueRead::default());
    match reading.await {
        Ok(reply) => {
            pace.learn(&reply.limits);
            Ok(match reply.value.status.category {
                jira::Category::Done => Some(Status::Done),
                jira::Category::Indeterminate => Some(Status::Planned),
                _ => None,
            })
        }
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            pace.failed();
            Ok(None)
        }
        Err(error) => {
            pace.failed();
            let connection = site.standing.connection.clone();
            Err(Trouble::Remote(Box::new((connection, error))))
        }
    }
}
