//! What no webhook tells and no search finds: that a tag was taken off. Conversations with tickets are
//! read again one by one, some in each round, the newest first; of those that show something else
//! than is known it is decided in their lane, as of any other.

use bowline_domain::feedback::capture::{Asked, capture};
use bowline_domain::feedback::product::Product;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_net::ErrorKind;

use super::event::FeedbackEvent;
use super::far::{call, seen};
use super::watch::store;
use crate::health;
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Conversations that are read in one round, five minutes apart: 1,200 within an hour, by a
/// five-hundredth of the calls that Intercom allows.
const READ_PER_ROUND: usize = 100;

/// Between the beginnings of two readings of all of them, in milliseconds, at the least.
const EVERY_MS: i64 = 60 * 60 * 1_000;

/// How far the reading of a workspace's conversations is.
#[derive(Default)]
pub(super) struct Untold {
    /// When the reading under way began, or the last one.
    began: Option<Millis>,
    /// The last one that was read; `None` at the beginning.
    before: Option<ConversationId>,
    /// Is one left in the reading under way?
    under_way: bool,
}

/// Reads some more, and has those looked at that changed.
pub(super) async fn round(
    shared: &Shared,
    name: &WorkspaceName,
    workspace: &Workspace,
    products: &[Product],
    untold: &mut Untold,
) -> Result<(), String> {
    let now = shared.now();
    if !untold.under_way {
        if untold.began.is_some_and(|at| now.since(at) < EVERY_MS) {
            return Ok(());
        }
        (untold.began, untold.before, untold.under_way) = (Some(now), None, true);
    }
    let limit = i64::try_from(READ_PER_ROUND).unwrap_or(i64::MAX);
    let part = shared
        .store
        .tagged_conversations(name, untold.before.as_ref(), limit)
        .await
        .map_err(|error| error.to_string())?;
    let more = part.len() == READ_PER_ROUND;
    for conversation in part {
        if changed(shared, name, workspace, products, &conversation).await? {
            let told = FeedbackEvent::Look {
                conversation: conversation.to_string(),
                backfill: None,
            };
            store(
                shared,
                name,
                &told,
                format!("untold-{conversation}@{}", now.0),
            )
            .await?;
        }
        untold.before = Some(conversation);
    }
    untold.under_way = more;
    Ok(())
}

/// Does the conversation show something else than is known of it? One that Intercom does not show is
/// left alone: what was deleted is listed by Intercom.
async fn changed(
    shared: &Shared,
    name: &WorkspaceName,
    workspace: &Workspace,
    products: &[Product],
    conversation: &ConversationId,
) -> Result<bool, String> {
    let reading = workspace.client.tagged_conversation(conversation.as_str());
    let read = match call(shared, workspace, Priority::Bulk, reading).await {
        Ok(read) => read,
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            return Ok(false);
        }
        Err(error) => {
            health::take_in(shared, &workspace.standing, &error).await;
            return Err(error.to_string());
        }
    };
    // Read after the conversation: what is decided meanwhile is known then.
    let known = shared
        .store
        .tickets_of_conversation(name, conversation)
        .await;
    let known = known.map_err(|error| error.to_string())?;
    Ok(!capture(products, &seen(&read), &known, &Asked::default()).is_empty())
}
