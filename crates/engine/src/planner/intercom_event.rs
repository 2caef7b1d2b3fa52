//! What an Intercom delivery means. Bowline's own notes come back as deliveries too; they end here
//! as echoes.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::outcome::Reason;
use bowline_intercom::Part;
use bowline_intercom::webhook::{Item, Notification, parse};
use bowline_store::model::{Decided, StoredEvent};

use super::contact_event::{self, About};
use super::internal::{Command, command_event, effects_only, store};
use super::{Trouble, nothing};
use crate::feedback::of_delivery;
use crate::shared::Shared;

/// Topics after which a conversation may be in another state, which the issue's remote link shows.
const STATE_TOPICS: &[&str] = &[
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.user.replied",
];

pub(super) async fn decide(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let Connection::Workspace(workspace) = &event.connection else {
        return Err(Trouble::Hopeless(
            "An Intercom delivery must come by a workspace.".to_owned(),
        ));
    };
    let notification = parse(event.body.as_bytes())
        .map_err(|error| Trouble::Hopeless(format!("The delivery cannot be read: {error}.")))?;
    let feedback = of_delivery(shared, event, workspace, &notification).await?;
    let decided = decide_links(shared, event, workspace, notification).await?;
    Ok(match feedback {
        Some(feedback) => together(decided, feedback),
        None => decided,
    })
}

/// What a delivery means for links and for feedback, as one decision. That it means nothing to
/// links is not said where it means something to feedback.
fn together(links: Decided, mut feedback: Decided) -> Decided {
    let means_something = !feedback.outcome.reasons.is_empty();
    for reason in links.outcome.reasons {
        if !means_something || !matches!(reason, Reason::NotLinked | Reason::NotFollowed { .. }) {
            feedback.outcome.because(reason);
        }
    }
    let mut effects = links.effects;
    effects.append(&mut feedback.effects);
    feedback.outcome.effects = effects.len();
    Decided {
        effects,
        outcome: feedback.outcome,
        feedback: feedback.feedback,
        ..links
    }
}

/// What a delivery means for the issues that its conversation is linked to.
async fn decide_links(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    workspace: &WorkspaceName,
    notification: Notification,
) -> Result<Decided, Trouble> {
    let conversation = match notification.item {
        Item::Ping => return Ok(nothing(Reason::Ping)),
        Item::ConversationDeleted { conversation_id } => {
            return gone(shared, event, workspace, &conversation_id).await;
        }
        Item::Conversation { conversation, .. } => conversation,
        Item::Contact { id, merged_from } => {
            let about = About::Contact(id, merged_from);
            return contact_event::decide(shared, workspace, notification.topic, about).await;
        }
        Item::ContactDeleted { id } => {
            let about = About::Deleted(id);
            return contact_event::decide(shared, workspace, notification.topic, about).await;
        }
        Item::Company { id } => {
            let about = About::Company(id);
            return contact_event::decide(shared, workspace, notification.topic, about).await;
        }
        Item::Admin(_) | Item::Other(_) => {
            return Ok(nothing(Reason::NotFollowed {
                what: notification.topic,
            }));
        }
    };
    for part in &conversation.parts {
        let known =
            !part.id.is_empty() && shared.store.is_ours(&event.connection, &part.id).await?;
        if known || made_by_us(shared, workspace, part) {
            return Ok(nothing(Reason::Echo));
        }
    }
    // Should a delivery show a merge: the record reads the conversation, and that follows it.
    let merged = conversation.merged_at().is_some();
    if !merged && !STATE_TOPICS.contains(&notification.topic.as_str()) {
        return Ok(nothing(Reason::NotFollowed {
            what: notification.topic,
        }));
    }
    let id = ConversationId::new(conversation.id.as_str());
    let issues = shared.store.issues_of(workspace, &id).await?;
    if issues.is_empty() {
        return Ok(nothing(Reason::NotLinked));
    }
    Ok(effects_only(
        issues.into_iter().map(|at| show_state(event, at)).collect(),
    ))
}

/// The second test of an echo, for a delivery that overtakes the answer to our own call: made
/// through the API, by the teammate as whom we write.
fn made_by_us(shared: &Shared, workspace: &WorkspaceName, part: &Part) -> bool {
    let registry = shared.registry();
    let actor = registry
        .workspaces
        .get(workspace)
        .and_then(|workspace| workspace.actor());
    part.app_package_code.is_some() && part.author.id.is_some() && part.author.id == actor
}

/// Has the issue's record in Jira show the conversation's present state.
fn show_state(event: &StoredEvent, (site, issue): (SiteName, IssueId)) -> Effect {
    Effect {
        key: EffectKey::stored(format!("record/{site}/{issue}/event-{}", event.id)),
        connection: Connection::Site(site.clone()),
        site,
        issue,
        act: Act::Record,
    }
}

/// The conversation was deleted: ends its links, each in the lane of its issue.
async fn gone(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    workspace: &WorkspaceName,
    conversation: &str,
) -> Result<Decided, Trouble> {
    let issues = shared
        .store
        .issues_of(workspace, &ConversationId::new(conversation))
        .await?;
    if issues.is_empty() {
        return Ok(nothing(Reason::NotLinked));
    }
    let mut keys = Vec::new();
    for (site, issue) in issues {
        let command = Command::ConversationGone {
            issue: issue.to_string(),
            workspace: workspace.to_string(),
            conversation: conversation.to_owned(),
        };
        keys.push(issue.to_string());
        let name = format!("event-{}-{issue}", event.id);
        let handed = command_event(&site, Some(issue), &command, name, event.received_at)
            .map_err(|error| Trouble::Hopeless(error.to_string()))?;
        store(shared, handed).await?;
    }
    Ok(nothing(Reason::HandedOn {
        key: keys.join(", "),
    }))
}
