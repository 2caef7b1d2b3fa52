//! Looking at a conversation: its tags are compared with what is known, and what that means is
//! decided. A delivery is only the reason to look.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::feedback::act::{FeedbackAct, files_key};
use bowline_domain::feedback::capture::{Asked, capture};
use bowline_domain::feedback::ids::{ContactId, PartId, TagId};
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::seen::{AuthorKind, SeenConversation, SeenMessage, without_markup};
use bowline_domain::feedback::ticket::{AppliedTag, KnownTicket};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::time::Millis;
use bowline_intercom::webhook::{Item, Notification};
use bowline_net::ErrorKind;
use bowline_store::feedback::{Erase, FeedbackChanges};
use bowline_store::model::{Decided, StoredEvent};

use super::far::{call, is_customer, seen, trouble, work_with};
use super::{merged, person};
use crate::pace::Priority;
use crate::planner::Trouble;
use crate::shared::Shared;

/// Topics that tell of a tag or of a text that was taken out.
const TAGGED: &str = "conversation_part.tag.created";
const REDACTED: &str = "conversation_part.redacted";

/// The topic that tells that two contacts are one.
const MERGED: &str = "contact.merged";

/// What a delivery means for feedback; `None` if it is not about any.
pub(crate) async fn of_delivery(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    workspace: &WorkspaceName,
    notification: &Notification,
) -> Result<Option<Decided>, Trouble> {
    match &notification.item {
        Item::ConversationDeleted { conversation_id } => {
            let id = ConversationId::new(conversation_id.as_str());
            let gone = gone(shared, workspace, &id).await?;
            Ok(Some(gone.unwrap_or_else(|| {
                let mut changes = FeedbackChanges::of(workspace, &id);
                changes.forget = true;
                without_reason(changes)
            })))
        }
        Item::Conversation {
            conversation,
            tags_added,
        } => {
            let id = ConversationId::new(conversation.id.as_str());
            let products = shared.store.products_of(workspace).await?;
            let known = shared.store.tickets_of_conversation(workspace, &id).await?;
            let tags: Vec<TagId> = tags_added
                .iter()
                .map(|tag| TagId::new(tag.id.as_str()))
                .collect();
            if !concerns(&notification.topic, &products, &known, &tags) {
                if notification.topic == REDACTED {
                    let mut changes = FeedbackChanges::of(workspace, &id);
                    changes.forget = true;
                    return Ok(Some(without_reason(changes)));
                }
                let counted_for_none = notification.topic == TAGGED && !products.is_empty();
                return Ok(counted_for_none.then(|| nothing(Reason::TagNotChosen)));
            }
            let when = notification.created_at.map(|at| Millis(at * 1_000));
            let when = when.unwrap_or(event.received_at);
            let told = tags.iter().map(|tag| (tag.clone(), when)).collect();
            let hint = Hint {
                message: hinted(notification, tags_added),
                asked: Asked {
                    backfill: None,
                    told,
                    whole: if conversation.total_parts == Some(0) {
                        tags
                    } else {
                        Vec::new()
                    },
                },
            };
            let mut decided = look(shared, (workspace, &id), &products, &known, hint).await?;
            if let Some(changes) = &mut decided.feedback {
                changes.forget |= notification.topic == REDACTED;
            }
            Ok(Some(decided))
        }
        Item::Contact { id, merged_from } if notification.topic == MERGED => {
            merged::follow(shared, workspace, id, merged_from).await
        }
        Item::ContactDeleted { id } => {
            contact_gone(shared, workspace, ContactId::new(id.as_str())).await
        }
        _ => Ok(None),
    }
}

/// Is it worth reading the conversation? A tag that no product counts, on a conversation without
/// tickets, is not.
fn concerns(topic: &str, products: &[Product], known: &[KnownTicket], added: &[TagId]) -> bool {
    if !known.is_empty() {
        return true;
    }
    let counts = |tag: &TagId| {
        products
            .iter()
            .any(|product| product.tags.iter().any(|watched| watched.tag == *tag))
    };
    topic == TAGGED && !products.is_empty() && (added.is_empty() || added.iter().any(counts))
        || topic == REDACTED && !known.is_empty()
}

/// What is known besides what reading shows.
#[derive(Default)]
pub(super) struct Hint {
    /// The message that a delivery shows, with the tags that it names: reading shows the newest 500
    /// parts only.
    pub(super) message: Option<SeenMessage>,
    pub(super) asked: Asked,
}

fn hinted(
    notification: &Notification,
    added: &[bowline_intercom::webhook::TagRef],
) -> Option<SeenMessage> {
    let Item::Conversation { conversation, .. } = &notification.item else {
        return None;
    };
    let part = conversation
        .parts
        .first()
        .filter(|part| !part.id.is_empty())?;
    let body = part.body.as_ref()?;
    let customer = is_customer(&part.author.kind);
    let contact = part.author.id.as_ref().filter(|_| customer);
    let tags = added.iter().map(|tag| AppliedTag {
        tag: TagId::new(tag.id.as_str()),
        name: tag.name.clone(),
        at: None,
        by: None,
    });
    Some(SeenMessage {
        part: PartId::new(part.id.as_str()),
        kind: if customer {
            AuthorKind::Customer
        } else {
            AuthorKind::Ours
        },
        contact: contact.map(|id| ContactId::new(id.as_str())),
        name: part.author.name.clone(),
        email: part.author.email.clone(),
        text: without_markup(body),
        at: Millis(part.created_at.unwrap_or_default() * 1_000),
        tags: tags.collect(),
        files: 0,
        redacted: false,
        internal: part.part_type == "note",
    })
}

/// Puts a message that reading does not show where it belongs in time.
fn add_hinted(seen: &mut SeenConversation, message: SeenMessage) {
    if !seen.cut || seen.message(&message.part).is_some() {
        return;
    }
    // After the first message, before those that are shown.
    let place = seen.messages.len().min(1);
    seen.messages.insert(place, message);
}

/// Reads a conversation and decides what its tags mean.
pub(super) async fn look(
    shared: &Arc<Shared>,
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    products: &[Product],
    known: &[KnownTicket],
    hint: Hint,
) -> Result<Decided, Trouble> {
    let far = work_with(shared, workspace)?;
    let reading = far.client.tagged_conversation(conversation.as_str());
    let read = call(shared, &far, Priority::Interactive, reading).await;
    let mut seen = match read {
        Ok(conversation) => seen(&conversation),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            let gone = gone(shared, workspace, conversation).await?;
            return Ok(gone.unwrap_or_else(|| nothing(Reason::FeedbackErased)));
        }
        Err(error) => return Err(trouble(workspace, error)),
    };
    if let Some(message) = hint.message {
        add_hinted(&mut seen, message);
    }
    let captured = capture(products, &seen, known, &hint.asked);
    // Who put the tags on is called by name when a ticket is looked at.
    let made = captured.made.iter().flat_map(|ticket| &ticket.tags);
    let tags = made.chain(captured.tagged.iter().map(|(_, tag)| tag));
    let by = tags.filter_map(|tag| tag.by.as_deref());
    shared.teammates_named(workspace, by).await?;
    let mut changes = FeedbackChanges::of(workspace, conversation);
    let mut effects: Vec<Effect> = Vec::new();
    for ticket in captured.made {
        // A teammate's name is nobody's whose feedback it is.
        let said = if ticket.by_teammate {
            ""
        } else {
            &ticket.author
        };
        let person = person::read(shared, &far, ticket.contact.as_ref(), said).await;
        let person = person.map_err(|error| trouble(workspace, error))?;
        if ticket.files > 0 {
            let copy = copy_files(workspace, conversation, &ticket.part);
            if !effects.contains(&copy) {
                effects.push(copy);
            }
        }
        changes.made.push((ticket, person));
    }
    changes.tagged = captured.tagged;
    changes.untagged = captured.untagged;
    changes.forget = !captured.redacted.is_empty() || !captured.transcripts.is_empty();
    changes.redacted = captured.redacted;
    changes.transcripts = captured.transcripts;
    Ok(Decided {
        outcome: Outcome {
            effects: effects.len(),
            reasons: captured.reasons,
        },
        feedback: Some(Box::new(changes)),
        effects,
        ..Decided::default()
    })
}

fn copy_files(workspace: &WorkspaceName, conversation: &ConversationId, part: &PartId) -> Effect {
    Effect {
        key: files_key(workspace, conversation, part),
        connection: Connection::Workspace(workspace.clone()),
        site: SiteName::new(""),
        issue: IssueId::new(""),
        act: Act::Feedback(FeedbackAct::CopyFiles {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            part: part.clone(),
        }),
    }
}

/// The conversation is no more: what its tickets hold is erased. `None` if it has none.
pub(super) async fn gone(
    shared: &Shared,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
) -> Result<Option<Decided>, Trouble> {
    let known = shared
        .store
        .tickets_of_conversation(workspace, conversation)
        .await?;
    if known.is_empty() {
        return Ok(None);
    }
    let mut changes = FeedbackChanges::of(workspace, conversation);
    changes.erase = Some(Erase::Conversation);
    Ok(Some(erased(changes)))
}

async fn contact_gone(
    shared: &Shared,
    workspace: &WorkspaceName,
    contact: ContactId,
) -> Result<Option<Decided>, Trouble> {
    let has_tickets = shared
        .store
        .contact_has_tickets(workspace, &contact)
        .await?;
    let mut changes = FeedbackChanges::of(workspace, &ConversationId::new(""));
    changes.erase = Some(Erase::Contact(contact));
    Ok(Some(if has_tickets {
        erased(changes)
    } else {
        without_reason(changes)
    }))
}

/// What deliveries said goes, which there is no feedback of; what it means besides is told by others.
fn without_reason(changes: FeedbackChanges) -> Decided {
    Decided {
        feedback: Some(Box::new(changes)),
        ..Decided::default()
    }
}

pub(super) fn erased(changes: FeedbackChanges) -> Decided {
    Decided {
        feedback: Some(Box::new(changes)),
        ..nothing(Reason::FeedbackErased)
    }
}

pub(super) fn nothing(reason: Reason) -> Decided {
    Decided {
        outcome: Outcome::nothing(reason),
        ..Decided::default()
    }
}
