//! Reading Intercom for feedback.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::feedback::ids::{ContactId, PartId, TagId};
use bowline_domain::feedback::seen::{AuthorKind, SeenConversation, SeenMessage};
use bowline_domain::feedback::ticket::AppliedTag;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::feedback as far;
use bowline_net::{ApiError, Reply};

use crate::health;
use crate::pace::Priority;
use crate::planner::Trouble;
use crate::registry::Workspace;
use crate::shared::Shared;

/// The workspace of this name, if it is configured and reached.
pub(super) fn work_with(shared: &Shared, name: &WorkspaceName) -> Result<Arc<Workspace>, Trouble> {
    let registry = shared.registry();
    let found = registry.workspaces.get(name).map(Arc::clone);
    found.ok_or_else(|| {
        Trouble::Hopeless(format!(
            "The workspace “{name}” is not configured any more. Configure it again and replay the \
             event."
        ))
    })
}

/// Makes a call at the workspace's pace.
pub(super) async fn call<T>(
    shared: &Shared,
    workspace: &Workspace,
    priority: Priority,
    call: impl Future<Output = Result<Reply<T>, ApiError>>,
) -> Result<T, ApiError> {
    let standing = &workspace.standing;
    standing.pace.turn(priority, &*shared.clock).await;
    match call.await {
        Ok(reply) => {
            standing.pace.learn(&reply.limits);
            Ok(reply.value)
        }
        Err(error) => {
            standing.pace.failed();
            Err(error)
        }
    }
}

/// The same for what looks by itself: an error is taken in, and told in words.
pub(super) async fn look<T>(
    shared: &Shared,
    workspace: &Workspace,
    asked: impl Future<Output = Result<Reply<T>, ApiError>>,
) -> Result<T, String> {
    match call(shared, workspace, Priority::Bulk, asked).await {
        Ok(value) => Ok(value),
        Err(error) => {
            health::take_in(shared, &workspace.standing, &error).await;
            Err(error.to_string())
        }
    }
}

/// An error of a call about a workspace, for the planner.
pub(super) fn trouble(workspace: &WorkspaceName, error: ApiError) -> Trouble {
    Trouble::Remote(Box::new((Connection::Workspace(workspace.clone()), error)))
}

fn millis(seconds: Option<i64>) -> Millis {
    Millis(seconds.unwrap_or_default().saturating_mul(1_000))
}

fn tag(tag: &far::AppliedTag) -> AppliedTag {
    AppliedTag {
        tag: TagId::new(tag.id.as_str()),
        name: tag.name.clone(),
        at: tag.applied_at.map(|at| millis(Some(at))),
        by: tag.applied_by.clone(),
    }
}

/// What a conversation shows, as the decision takes it. Parts that say nothing and were never a
/// message are left out.
pub(super) fn seen(conversation: &far::TaggedConversation) -> SeenConversation {
    let tags: Vec<AppliedTag> = conversation.tags.iter().map(tag).collect();
    let said = conversation.parts.iter().filter(|part| is_message(part));
    let messages = std::iter::once(&conversation.source).chain(said);
    let shown = i64::try_from(conversation.parts.len()).unwrap_or(i64::MAX);
    SeenConversation {
        id: ConversationId::new(conversation.id.as_str()),
        messages: messages.map(|one| message(one, &tags)).collect(),
        contacts: conversation
            .contacts
            .iter()
            .map(|id| ContactId::new(id.as_str()))
            .collect(),
        cut: conversation.total_parts.is_some_and(|all| all > shown),
        tags,
    }
}

fn is_message(part: &far::Message) -> bool {
    part.text.is_some()
        || part.redacted
        || !part.tags.is_empty()
        || !part.files.is_empty()
        || matches!(part.kind.as_str(), "comment" | "note")
}

pub(super) fn message(message: &far::Message, on_whole: &[AppliedTag]) -> SeenMessage {
    let kind = if is_customer(&message.author.kind) {
        AuthorKind::Customer
    } else {
        AuthorKind::Ours
    };
    let author = message.author.id.as_ref();
    SeenMessage {
        part: message
            .part
            .as_deref()
            .map_or_else(PartId::first, PartId::new),
        kind,
        contact: author
            .filter(|_| kind == AuthorKind::Customer)
            .map(|id| ContactId::new(id.as_str())),
        name: message.author.name.clone(),
        email: message.author.email.clone(),
        text: message.text.clone().unwrap_or_default(),
        at: millis(message.created_at),
        tags: message
            .tags
            .iter()
            .map(|one| with_time(tag(one), on_whole))
            .collect(),
        files: message.files.len(),
        redacted: message.redacted,
        internal: message.kind == "note",
    }
}

/// A tag of a message of which only the conversation says when it was put there.
fn with_time(mut tag: AppliedTag, on_whole: &[AppliedTag]) -> AppliedTag {
    let same = on_whole.iter().find(|one| one.tag == tag.tag);
    if let Some(same) = same {
        tag.at = tag.at.or(same.at);
        tag.by = tag.by.or_else(|| same.by.clone());
    }
    tag
}

pub(super) fn is_customer(kind: &str) -> bool {
    matches!(kind, "user" | "lead" | "contact")
}
