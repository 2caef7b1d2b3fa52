//! Several changes of one issue in one note: what waits behind a note and goes out in it.

use crate::audience::Audience;
use crate::effect::{Act, Effect};

/// The longest window in which changes are gathered, in seconds.
pub const COALESCE_SECONDS_MAX: u32 = 3_600;

/// The longest note that is gathered, in bytes of HTML; what does not fit goes in the next one.
const NOTE_HTML_BYTES_MAX: usize = 30_000;

/// Changes that one note tells.
const CHANGES_MAX: usize = 20;

/// A note that tells more than its own change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// What it says: its own text, then that of the others, the oldest first.
    pub html: String,
    /// Which of what waits behind it it tells.
    pub told: Vec<usize>,
}

/// What a note tells besides its own change. `behind` is what waits in its lane, in order.
///
/// Only notes that wait for more are gathered, and only those about the same issue that nothing of
/// another kind stands before: order is kept. Re-openings stay where they are, so that the
/// conversation is re-opened after the note if any of the changes says so.
pub fn gather(head: &Effect, behind: &[Effect]) -> Option<Gathered> {
    let Act::Note {
        html,
        due_at: Some(_),
        ..
    } = &head.act
    else {
        return None;
    };
    let mut gathered = Gathered {
        html: html.clone(),
        told: Vec::new(),
    };
    for (at, effect) in behind.iter().enumerate() {
        let same_issue = (&effect.site, &effect.issue) == (&head.site, &head.issue);
        let same_place = effect.act.conversation() == head.act.conversation();
        if !same_issue || !same_place {
            break;
        }
        match &effect.act {
            Act::Reopen { .. } => {}
            Act::Note { html, .. } if joins(head, effect) => {
                let fits = gathered.html.len() + html.len() <= NOTE_HTML_BYTES_MAX;
                if !fits || gathered.told.len() + 1 >= CHANGES_MAX {
                    break;
                }
                gathered.html.push_str(html);
                gathered.told.push(at);
            }
            _ => break,
        }
    }
    (!gathered.told.is_empty()).then_some(gathered)
}

/// May this note go out in that one?
fn joins(head: &Effect, other: &Effect) -> bool {
    let (
        Act::Note {
            wake_snoozed: wakes,
            ..
        },
        Act::Note {
            audience: Audience::Internal,
            html,
            wake_snoozed,
            due_at: Some(_),
            ..
        },
    ) = (&head.act, &other.act)
    else {
        return false;
    };
    wakes == wake_snoozed && !html.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::Connection;
    use crate::effect::EffectKey;
    use crate::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
    use crate::time::Millis;

    /// `n1`: a note about the issue 1 that waits for more; `h1`: one that does not; `w1`: one that
    /// may wake the conversation; `o1`: a re-opening.
    fn effect(word: &str) -> Effect {
        let (kind, issue) = word.split_at(1);
        let workspace = WorkspaceName::new("acme");
        let conversation = ConversationId::new("7");
        let act = if kind == "o" {
            Act::Reopen {
                workspace: workspace.clone(),
                conversation,
                unassign: false,
            }
        } else {
            Act::Note {
                workspace: workspace.clone(),
                conversation,
                audience: Audience::Internal,
                html: format!("<p>{word}</p>"),
                wake_snoozed: kind == "w",
                due_at: (kind != "h").then_some(Millis(1)),
            }
        };
        Effect {
            key: EffectKey::stored(word),
            connection: Connection::Workspace(workspace),
            site: SiteName::new("jira"),
            issue: IssueId::new(issue),
            act,
        }
    }

    fn effects(words: &str) -> Vec<Effect> {
        words.split_whitespace().map(effect).collect()
    }

    #[test]
    fn one_note_tells_what_follows_it_without_a_break() {
        for (head, behind, told) in [
            ("n1", "", vec![]),
            ("n1", "n1 n1", vec![0, 1]),
            ("n1", "o1 n1 o1", vec![1]),
            ("n1", "o1", vec![]),
            ("n1", "n1 n2 n1", vec![0]),
            ("n1", "n2 n1", vec![]),
            ("n1", "n1 h1 n1", vec![0]),
            ("n1", "w1 n1", vec![]),
            ("w1", "w1", vec![0]),
            ("h1", "n1", vec![]),
            ("o1", "n1", vec![]),
        ] {
            let behind = effects(behind);
            let gathered = gather(&effect(head), &behind);
            let found = gathered.as_ref().map_or(vec![], |found| found.told.clone());
            assert_eq!(found, told, "{head}: {behind:?}");
            if let Some(gathered) = gathered {
                let paragraphs = gathered.html.matches("<p>").count();
                assert_eq!(paragraphs, told.len() + 1);
            }
        }
    }

    #[test]
    fn a_note_has_an_end() {
        let many = vec![effect("n1"); 60];
        let gathered = gather(&many[0], &many[1..]).unwrap();
        assert_eq!(gathered.told.len(), CHANGES_MAX - 1);
        let mut long = effect("n1");
        if let Act::Note { html, .. } = &mut long.act {
            *html = "x".repeat(NOTE_HTML_BYTES_MAX / 2);
        }
        let behind = [long.clone(), effect("n1")];
        assert_eq!(gather(&long, &behind).unwrap().told, [0]);
    }

    proptest! {
        /// Taking the lane off head by head tells every note once, in order.
        #[test]
        fn every_note_is_told_once_and_in_order(
            words in prop::collection::vec("[nhwo][12]", 1..40),
        ) {
            let mut lane: Vec<Effect> = words.iter().map(|word| effect(word)).collect();
            for (at, effect) in lane.iter_mut().enumerate() {
                if let Act::Note { html, .. } = &mut effect.act {
                    *html = format!("<{at}>");
                }
            }
            let mut said = String::new();
            while !lane.is_empty() {
                let head = lane.remove(0);
                let gathered = gather(&head, &lane);
                if let Act::Note { html, .. } = &head.act {
                    said.push_str(gathered.as_ref().map_or(html, |found| &found.html));
                }
                for at in gathered.iter().flat_map(|found| found.told.iter().rev()) {
                    lane.remove(*at);
                }
            }
            let notes = words.iter().enumerate().filter(|(_, word)| !word.starts_with('o'));
            let wanted: Vec<String> = notes.map(|(at, _)| format!("<{at}>")).collect();
            prop_assert_eq!(said, wanted.concat());
        }
    }
}
