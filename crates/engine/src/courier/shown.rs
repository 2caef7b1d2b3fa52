//! What the answer to a note showed of its conversation, for the next note of the same lane.

use std::sync::{Mutex, PoisonError};

use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::Conversation;

/// How long an answer serves, in milliseconds. It is as old then as what is read may be by the time
/// that the note it was read for arrives.
const SERVES_MS: i64 = 250;

/// The conversation as the answer to the last note of a lane showed it. Changes that come together
/// make notes that go out one after the other; each but the first needs no reading then, which is
/// half of what it takes of Intercom's rate. Only for the very next effect, and only for a note: what
/// comes of a note in a moment, as that it wakes a conversation, may not show in its answer yet, and
/// what else is done, as snoozing it again, it does not show.
#[derive(Default)]
pub(super) struct Shown(Mutex<Option<Answer>>);

struct Answer {
    at: Millis,
    workspace: WorkspaceName,
    conversation: Conversation,
}

impl Shown {
    /// Keeps the answer to a note, if it shows all that was there before and the note besides. Where a
    /// conversation has more parts than Intercom shows, it does not show what stood in the first ones.
    pub(super) fn keep(
        &self,
        at: Millis,
        workspace: &WorkspaceName,
        parts_before: usize,
        conversation: Conversation,
    ) {
        let whole = conversation.parts.len() > parts_before;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = whole.then(|| Answer {
            at,
            workspace: workspace.clone(),
            conversation,
        });
    }

    /// Something else is done to the conversation.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Takes the conversation as it was shown a moment ago. Once: what comes of it shows more.
    pub(super) fn take(
        &self,
        now: Millis,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Option<Conversation> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = kept.take()?;
        // A clock that was set back makes it no younger.
        let fresh = (0..=SERVES_MS).contains(&now.since(answer.at));
        let same = answer.workspace == *workspace
            && answer.conversation.id.as_str() == conversation.as_str();
        (fresh && same).then_some(answer.conversation)
    }
}

#[cfg(test)]
mod tests {
    use bowline_intercom::webhook::{self, Item};

    use super::*;

    fn conversation(id: &str, parts: usize) -> Conversation {
        let part = r#"{"type":"conversation_part","id":"1","part_type":"note"}"#;
        let parts = vec![part; parts].join(",");
        let told = format!(
            r#"{{"topic":"conversation.admin.noted","data":{{"item":{{
                "type":"conversation","id":"{id}","state":"open","conversation_parts":{{
                "type":"conversation_part.list","conversation_parts":[{parts}]}}}}}}}}"#
        );
        match webhook::parse(told.as_bytes()).unwrap().item {
            Item::Conversation { conversation, .. } => *conversation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_serves_the_next_note_of_its_conversation_once_and_for_a_moment() {
        let acme = WorkspaceName::new("acme");
        let takes = |parts_before, wait_ms, workspace: &str, id: &str| {
            let shown = Shown::default();
            shown.keep(Millis(1_000), &acme, parts_before, conversation("21", 3));
            let (workspace, id) = (WorkspaceName::new(workspace), ConversationId::new(id));
            let now = Millis(1_000 + wait_ms);
            let first = shown.take(now, &workspace, &id).is_some();
            assert!(shown.take(now, &workspace, &id).is_none(), "it serves once");
            first
        };
        assert!(takes(2, 0, "acme", "21"));
        assert!(takes(2, SERVES_MS, "acme", "21"));
        assert!(!takes(2, SERVES_MS + 1, "acme", "21"), "it is old");
        assert!(!takes(2, -1, "acme", "21"), "the clock was set back");
        assert!(!takes(3, 0, "acme", "21"), "it does not show everything");
        assert!(!takes(2, 0, "acme", "22"), "it is another conversation");
        assert!(!takes(2, 0, "umbra", "21"), "of another workspace");
    }

    #[test]
    fn what_else_is_done_ends_it() {
        let (shown, acme) = (Shown::default(), WorkspaceName::new("acme"));
        shown.keep(Millis(1_000), &acme, 2, conversation("21", 3));
        shown.forget();
        let id = ConversationId::new("21");
        assert!(shown.take(Millis(1_000), &acme, &id).is_none());
    }
}
