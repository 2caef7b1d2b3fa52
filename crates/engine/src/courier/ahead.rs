//! A conversation that is read while the decision to write to it is being made durable, so that who
//! waits for the note waits for the longer of the two and not for both.

use std::sync::Arc;

use bowline_domain::effect::{Act, EffectKey};
use bowline_domain::ids::ConversationId;
use bowline_domain::time::Millis;
use bowline_intercom::Conversation;
use bowline_net::ApiError;
use bowline_net::witness::{self, Seen};
use bowline_store::model::{Decided, TakenEffect};
use tokio_util::task::AbortOnDropHandle;

use super::counted::CountedLink;
use crate::pace::Priority;
use crate::paced::Paced;
use crate::registry::Workspace;
use crate::shared::Shared;

/// How long what was read serves, in milliseconds, from the beginning of the reading. It is as old
/// then as what is read may be by the time that the note it was read for arrives.
const SERVES_MS: i64 = 1_000;

/// Nothing is read ahead once so many effects are in hand: then nobody waits for a single reading, and
/// those that prove to be for nothing cost the others their turn.
const EFFECTS_IN_HAND_MAX: usize = 4;

/// How long ago it may have been, in milliseconds, that nothing was being written to the conversation.
/// What began since shows in the conversation as something that is younger than [`QUIET_S`].
const AT_REST_MS: i64 = 10_000;

/// A conversation in which something happened within so many seconds is read again. It may be in the
/// middle of what comes with a note, such as being snoozed again; generous, because the clocks of two
/// machines tell the time.
const QUIET_S: i64 = 60;
const QUIET_MS: i64 = QUIET_S * 1_000;

/// The reading for the first note of a decision. It is given up when this is dropped.
pub(crate) struct Ahead {
    of: EffectKey,
    workspace: Arc<Workspace>,
    began: Millis,
    reading: AbortOnDropHandle<Read>,
}

/// What came of it, and what was seen of the call.
struct Read {
    came: Result<Conversation, ApiError>,
    seen: Vec<Seen>,
}

impl Ahead {
    /// Begins to read for the first note of what was decided, if the note will want it and calls are
    /// there to be made. A decision that changes links has none: whether its notes go out is not
    /// settled before it is durable. `at_rest`: when nothing was being written to the conversation.
    pub(crate) fn begin(shared: &Arc<Shared>, decided: &Decided, at_rest: Millis) -> Option<Self> {
        let effect = decided.effects.first()?;
        let Act::Note {
            workspace,
            conversation,
            wake_snoozed: false,
            due_at: None,
            ..
        } = &effect.act
        else {
            return None;
        };
        let now = shared.now();
        let busy = shared.hands.effects.count() >= EFFECTS_IN_HAND_MAX;
        if busy || !decided.links.is_empty() || !is_within(AT_REST_MS, at_rest, now) {
            return None;
        }
        let link = CountedLink::of(effect, (workspace, conversation))?;
        if link.had_a_note_since(shared, now.plus_ms(-QUIET_MS)) {
            return None;
        }
        let workspace = Arc::clone(shared.registry().workspaces.get(workspace)?);
        let standing = &workspace.standing;
        if !standing.works() || !standing.proven() || !standing.pace.has_plenty(now) {
            return None;
        }
        let (shared, of) = (Arc::clone(shared), effect.key.clone());
        let reading = read(shared, Arc::clone(&workspace), conversation.clone());
        Some(Self {
            of,
            workspace,
            began: now,
            reading: AbortOnDropHandle::new(tokio::spawn(reading)),
        })
    }

    /// Is it the reading for this effect?
    pub(crate) fn is_for(&self, taken: &TakenEffect) -> bool {
        self.of == taken.effect.key
    }

    /// What came of the reading, if it still serves and goes by the connection as it is now.
    pub(super) async fn read(
        self,
        now: Millis,
        workspace: &Arc<Workspace>,
    ) -> Option<Result<Conversation, ApiError>> {
        let same = Arc::ptr_eq(&self.workspace, workspace);
        if !same || !is_within(SERVES_MS, self.began, now) {
            return None;
        }
        let read = self.reading.await.ok()?;
        if !is_quiet(&read.came, self.began) {
            return None;
        }
        witness::recall(read.seen);
        Some(read.came)
    }
}

async fn read(
    shared: Arc<Shared>,
    workspace: Arc<Workspace>,
    conversation: ConversationId,
) -> Read {
    let paced = Paced {
        shared: &shared,
        priority: Priority::Interactive,
    };
    let call = workspace.client.conversation(conversation.as_str());
    let call = paced.call(&workspace.standing, call);
    let (came, seen) = witness::witnessed(call).await;
    Read { came, seen }
}

/// Was it so lately? A clock that was set back makes nothing younger.
fn is_within(span_ms: i64, at: Millis, now: Millis) -> bool {
    (0..=span_ms).contains(&now.since(at))
}

/// Had nothing happened in the conversation for a while? A failure tells of it as it is.
fn is_quiet(read: &Result<Conversation, ApiError>, now: Millis) -> bool {
    let Ok(conversation) = read else {
        return true;
    };
    let parts = conversation.parts.iter().map(|part| part.created_at);
    let last = parts.chain([conversation.updated_at]).flatten().max();
    last.is_some_and(|at| now.0 / 1_000 - at > QUIET_S)
}

#[cfg(test)]
mod tests {
    use bowline_intercom::webhook::{self, Item};

    use super::*;

    fn conversation(updated_at: &str, parts: &[i64]) -> Conversation {
        let part = |at: &i64| {
            format!(
                r#"{{"type":"conversation_part","id":"{at}","part_type":"note","created_at":{at}}}"#
            )
        };
        let parts: Vec<String> = parts.iter().map(part).collect();
        let told = format!(
            r#"{{"topic":"conversation.admin.noted","data":{{"item":{{
                "type":"conversation","id":"21","state":"open",{updated_at}"conversation_parts":{{
                "type":"conversation_part.list","conversation_parts":[{}]}}}}}}}}"#,
            parts.join(",")
        );
        match webhook::parse(told.as_bytes()).unwrap().item {
            Item::Conversation { conversation, .. } => *conversation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_read_serves_if_nothing_had_happened_for_a_while() {
        let now = Millis(1_000_000_000);
        let at = |ago_s: i64| 1_000_000 - ago_s;
        let updated = |ago_s| format!(r#""updated_at":{},"#, at(ago_s));
        for (quiet, updated_at, parts) in [
            (true, updated(QUIET_S + 1), vec![]),
            (true, updated(QUIET_S + 1), vec![at(900), at(QUIET_S + 1)]),
            (false, updated(QUIET_S), vec![]),
            (false, updated(900), vec![at(1)]),
            (false, updated(1), vec![at(900)]),
            // The far side's clock is ahead.
            (false, updated(-30), vec![]),
            // It does not say.
            (false, String::new(), vec![]),
        ] {
            let read = Ok(conversation(&updated_at, &parts));
            assert_eq!(is_quiet(&read, now), quiet, "{updated_at} {parts:?}");
        }
    }
}
