//! Effects: writes to a remote system that happen once.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audience::Audience;
use crate::connection::Connection;
use crate::fact::FactKey;
use crate::feedback::act::FeedbackAct;
use crate::ids::{ConversationId, IssueId, LaneKey, SiteName, WorkspaceName};
use crate::messaging::act::TalkAct;
use crate::time::Millis;

/// The name of an effect, made of the fact and of what it does to what. The same fact gives the
/// same key, whatever delivery told it; the store keeps keys unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectKey(String);

impl EffectKey {
    /// The key of what a fact does to a conversation.
    pub fn conversation(
        kind: &str,
        at: (&WorkspaceName, &ConversationId),
        of: (&SiteName, &IssueId),
        fact: &FactKey,
    ) -> Self {
        Self(format!("{}{fact}", Self::about(kind, at, of)))
    }

    /// What the keys of everything of a kind begin with that an issue does to a conversation; a
    /// fact follows.
    pub fn about(
        kind: &str,
        at: (&WorkspaceName, &ConversationId),
        of: (&SiteName, &IssueId),
    ) -> String {
        format!("{kind}/{}/{}/{}/{}/", at.0, at.1, of.0, of.1)
    }

    /// The key of one version of an issue's record of its links.
    pub fn record(site: &SiteName, issue: &IssueId, links_version: i64) -> Self {
        Self(format!("record/{site}/{issue}/{links_version}"))
    }

    /// The key of what follows from another effect.
    #[must_use]
    pub fn following(&self, kind: &str) -> Self {
        Self(format!("{kind}/{}", self.0))
    }

    /// A key read back from the store.
    pub fn stored(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mark by which the effect is recognised on the far side.
    pub fn marker(&self) -> Marker {
        Marker::of(self)
    }
}

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short text that stands in what we write and is found again when an outcome is unknown. In a
/// note it is the fragment of the issue link that the note contains anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

/// Bytes of the key's digest that a marker carries: 80 bits, so that two effects on one
/// conversation do not meet by chance.
const MARKER_BYTES: usize = 10;

impl Marker {
    fn of(key: &EffectKey) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let digest = Sha256::digest(key.as_str().as_bytes());
        let mut text = String::from("bowline-");
        for five in digest[..MARKER_BYTES].chunks(5) {
            let bits = five
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for place in (0..8).rev() {
                let letter = (bits >> (place * 5)) & 31;
                text.push(ALPHABET[usize::try_from(letter).unwrap_or(0)] as char);
            }
        }
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One write, as planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Its name.
    pub key: EffectKey,
    /// The connection whose credentials it needs.
    pub connection: Connection,
    /// The issue it speaks of.
    pub site: SiteName,
    /// The issue it speaks of; empty where that is still to be made (a request of messaging).
    pub issue: IssueId,
    /// What is done.
    pub act: Act,
}

impl Effect {
    /// The queue it waits in.
    pub fn lane(&self) -> LaneKey {
        match &self.act {
            Act::Talk(talk) => {
                let request = talk.request();
                let (account, end_user) = (&request.account, &request.end_user);
                if talk.goes_to_channel() {
                    LaneKey::end_user_sends(account, end_user)
                } else {
                    LaneKey::end_user_writes(&self.site, account, end_user)
                }
            }
            Act::Feedback(act) => act.lane(),
            Act::Tally => LaneKey::tally(&self.site, &self.issue),
            act => match act.conversation() {
                Some((workspace, conversation)) => LaneKey::conversation(workspace, conversation),
                None => LaneKey::issue(&self.site, &self.issue),
            },
        }
    }
}

impl Effect {
    /// The same for the conversation that the effect's own was merged into: with the key and the
    /// marker that the fact has there, so that nothing is told there twice. `None` for what is not
    /// done to a conversation, and for a snooze, which ended with the conversation.
    #[must_use]
    pub fn led_to(&self, into: &ConversationId) -> Option<Self> {
        let (workspace, conversation) = self.act.conversation()?;
        let of = (&self.site, &self.issue);
        let kind = self.act.kind();
        let fact = self.key.as_str().strip_prefix(&EffectKey::about(
            kind,
            (workspace, conversation),
            of,
        ))?;
        let key = EffectKey(EffectKey::about(kind, (workspace, into), of) + fact);
        let mut act = self.act.clone();
        match &mut act {
            Act::Note {
                conversation, html, ..
            } => {
                conversation.clone_from(into);
                *html = html.replace(self.key.marker().as_str(), key.marker().as_str());
            }
            Act::Reopen { conversation, .. } => conversation.clone_from(into),
            // Whether an answer to a customer still fits there, a person decides.
            Act::Reply { .. }
            | Act::SnoozeAgain { .. }
            | Act::Record
            | Act::Tally
            | Act::Talk(_)
            | Act::Feedback(_) => {
                return None;
            }
        }
        Some(Self {
            key,
            act,
            ..self.clone()
        })
    }
}

/// What an effect does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Posts a note.
    Note {
        /// The workspace of the conversation.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Who may read it. The courier posts notes for `Internal` and refuses anything else.
        audience: Audience,
        /// The text, as the HTML that Intercom takes, with the marker in it.
        html: String,
        /// May it wake the conversation if that is snoozed?
        wake_snoozed: bool,
        /// Until when it waits for further changes of the issue, which then go in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Millis>,
    },
    /// Answers the customer, by a person's word.
    Reply {
        /// The workspace of the conversation.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Who may read it. The courier answers for `Customer` and refuses anything else.
        audience: Audience,
        /// The text, as the HTML that Intercom takes.
        html: String,
    },
    /// Re-opens a conversation that is closed.
    Reopen {
        /// The workspace of the conversation.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Return it to the unassigned queue as well.
        unassign: bool,
    },
    /// Snoozes a conversation again that a note of ours woke.
    SnoozeAgain {
        /// The workspace of the conversation.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Until when, in Unix seconds.
        until_unix_s: i64,
    },
    /// Brings Jira's own record of the issue's links in step: the issue property and remote links.
    Record,
    /// Brings the tally of the issue in step: the label and the number field that say how many
    /// conversations are linked.
    Tally,
    /// A write of messaging.
    Talk(TalkAct),
    /// A write of feedback.
    Feedback(FeedbackAct),
}

impl Act {
    /// The word for storage, logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Note { .. } => "note",
            Self::Reply { .. } => "reply",
            Self::Reopen { .. } => "reopen",
            Self::SnoozeAgain { .. } => "snooze_again",
            Self::Record => "record",
            Self::Tally => "tally",
            Self::Talk(talk) => talk.kind(),
            Self::Feedback(act) => act.kind(),
        }
    }

    /// Not before this, if it waits for more to come.
    pub fn due_at(&self) -> Option<Millis> {
        match self {
            Self::Note { due_at, .. } => *due_at,
            Self::Talk(talk) => talk.due_at(),
            _ => None,
        }
    }

    /// The same without the text that it carries, if it carries one.
    pub fn without_text(&self) -> Option<Self> {
        match self {
            Self::Note { html, .. } if html.is_empty() => None,
            Self::Note {
                workspace,
                conversation,
                audience,
                wake_snoozed,
                due_at,
                ..
            } => Some(Self::Note {
                workspace: workspace.clone(),
                conversation: conversation.clone(),
                audience: *audience,
                html: String::new(),
                wake_snoozed: *wake_snoozed,
                due_at: *due_at,
            }),
            Self::Reply { html, .. } if html.is_empty() => None,
            Self::Reply {
                workspace,
                conversation,
                audience,
                ..
            } => Some(Self::Reply {
                workspace: workspace.clone(),
                conversation: conversation.clone(),
                audience: *audience,
                html: String::new(),
            }),
            Self::Reopen { .. } | Self::SnoozeAgain { .. } | Self::Record | Self::Tally => None,
            Self::Talk(talk) => talk.without_text().map(Self::Talk),
            Self::Feedback(act) => act.without_text().map(Self::Feedback),
        }
    }

    /// The conversation it writes to, if it writes to one.
    pub fn conversation(&self) -> Option<(&WorkspaceName, &ConversationId)> {
        match self {
            Self::Note {
                workspace,
                conversation,
                ..
            }
            | Self::Reply {
                workspace,
                conversation,
                ..
            }
            | Self::Reopen {
                workspace,
                conversation,
                ..
            }
            | Self::SnoozeAgain {
                workspace,
                conversation,
                ..
            } => Some((workspace, conversation)),
            Self::Record | Self::Tally | Self::Talk(_) | Self::Feedback(_) => None,
        }
    }
}

/// Where an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// Waits for its turn.
    Planned,
    /// Written down before the bytes leave. Found after a crash, its outcome is unknown.
    Attempting,
    /// Done; the remote id is stored where there is one.
    Confirmed,
    /// Refused by the far side for good, with the reason.
    Rejected,
    /// It may or may not have happened; is looked for before anything is sent again.
    Unknown,
    /// Not sent, because the reason for it ended before its turn.
    Dropped,
    /// It may or may not have reached a customer, and cannot be found: a person decides whether it
    /// is sent again.
    Held,
}

impl EffectState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Planned,
        Self::Attempting,
        Self::Confirmed,
        Self::Rejected,
        Self::Unknown,
        Self::Dropped,
        Self::Held,
    ];

    /// The number for storage.
    pub fn code(self) -> i64 {
        match self {
            Self::Planned => 0,
            Self::Attempting => 1,
            Self::Confirmed => 2,
            Self::Rejected => 3,
            Self::Unknown => 4,
            Self::Dropped => 5,
            Self::Held => 6,
        }
    }

    /// The reverse of [`EffectState::code`].
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Is nothing more to be done by itself?
    pub fn settled(self) -> bool {
        matches!(
            self,
            Self::Confirmed | Self::Rejected | Self::Dropped | Self::Held
        )
    }

    /// The word for logs and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Attempting => "attempting",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
            Self::Held => "held",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_differ_by_key_and_are_stable() {
        let one = EffectKey::stored("note/acme/1/jira/10/created").marker();
        let two = EffectKey::stored("note/acme/2/jira/10/created").marker();
        assert_ne!(one, two);
        assert_eq!(
            one,
            EffectKey::stored("note/acme/1/jira/10/created").marker()
        );
        assert_eq!(one.as_str().len(), "bowline-".len() + 16);
    }

    #[test]
    fn what_is_led_to_another_conversation_is_the_same_fact_there() {
        let (acme, fact) = (WorkspaceName::new("acme"), FactKey::changed("77"));
        let (site, issue) = (SiteName::new("jira"), IssueId::new("10"));
        let [one, two] = ["1", "2"].map(ConversationId::new);
        let note = |conversation: &ConversationId| {
            let key =
                EffectKey::conversation("note", (&acme, conversation), (&site, &issue), &fact);
            let html = format!(
                "<a href=\"https://x/browse/A-1#{}\">",
                key.marker().as_str()
            );
            Effect {
                key,
                connection: Connection::Workspace(acme.clone()),
                site: site.clone(),
                issue: issue.clone(),
                act: Act::Note {
                    workspace: acme.clone(),
                    conversation: conversation.clone(),
                    audience: Audience::Internal,
                    html,
                    wake_snoozed: false,
                    due_at: None,
                },
            }
        };
        assert_eq!(note(&one).led_to(&two), Some(note(&two)));
        let again = Act::SnoozeAgain {
            workspace: acme.clone(),
            conversation: one.clone(),
            until_unix_s: 1,
        };
        for act in [again, Act::Record] {
            let other = Effect { act, ..note(&one) };
            assert_eq!(other.led_to(&two), None);
        }
    }

    #[test]
    fn states_round_trip() {
        for state in EffectState::ALL {
            assert_eq!(EffectState::from_code(state.code()), Some(state));
        }
        assert_eq!(EffectState::from_code(99), None);
    }
}
