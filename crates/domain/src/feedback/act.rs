//! The writes of feedback, planned as effects.

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::effect::EffectKey;
use crate::feedback::ids::{PartId, TicketId};
use crate::feedback::ticket::Status;
use crate::ids::{ConversationId, LaneKey, SiteName, WorkspaceName};

/// A write of feedback. Stored as JSON: change it additively.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "feedback")]
pub enum FeedbackAct {
    /// Tells the teammates in a conversation what became of its feedback, by a note.
    Note {
        /// The workspace.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Who may read it. The courier posts notes for `Internal` and refuses anything else.
        audience: Audience,
        /// The text, as the HTML that Intercom takes, with the marker in it.
        html: String,
        /// May it wake a snoozed conversation? If not, that is snoozed again.
        #[serde(default)]
        wake_snoozed: bool,
    },
    /// Snoozes a conversation again that such a note woke, until the old time.
    SnoozeAgain {
        /// The workspace.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// Until when, in Unix seconds.
        until_unix_s: i64,
    },
    /// Copies the files of a message before their addresses expire.
    CopyFiles {
        /// The workspace.
        workspace: WorkspaceName,
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        part: PartId,
    },
    /// Makes an issue from a ticket and ties them.
    CreateIssue {
        /// The ticket.
        ticket: TicketId,
        /// Where.
        site: SiteName,
        /// The key of the project.
        project: String,
        /// The issue type, by name.
        issue_type: String,
        /// The summary.
        summary: String,
        /// The description, plain.
        text: String,
        /// Where people open the ticket, with the marker in it.
        url: String,
    },
}

impl FeedbackAct {
    /// The word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Note { .. } => "feedback_note",
            Self::SnoozeAgain { .. } => "feedback_snooze_again",
            Self::CopyFiles { .. } => "feedback_files",
            Self::CreateIssue { .. } => "feedback_issue",
        }
    }

    /// The queue that it waits in. Files have one of their own, so that a large one keeps no note
    /// waiting.
    pub fn lane(&self) -> LaneKey {
        match self {
            Self::Note {
                workspace,
                conversation,
                ..
            }
            | Self::SnoozeAgain {
                workspace,
                conversation,
                ..
            } => LaneKey::conversation(workspace, conversation),
            Self::CopyFiles {
                workspace,
                conversation,
                ..
            } => LaneKey::stored(format!("send/{workspace}/f/{conversation}")),
            Self::CreateIssue { site, ticket, .. } => {
                LaneKey::stored(format!("send/{site}/t/{ticket}"))
            }
        }
    }

    /// The same without the text that it carries, if it carries one.
    pub fn without_text(&self) -> Option<Self> {
        let mut without = self.clone();
        match &mut without {
            Self::Note { html, .. } if !html.is_empty() => html.clear(),
            Self::CreateIssue { text, summary, .. } if !text.is_empty() => {
                text.clear();
                summary.clear();
            }
            _ => return None,
        }
        Some(without)
    }
}

/// The key of the note about a status: one per conversation and status, whatever ticket has it.
pub fn note_key(
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    status: Status,
) -> EffectKey {
    let status = status.as_str();
    EffectKey::stored(format!("feedback_note/{workspace}/{conversation}/{status}"))
}

/// The key of copying the files of a message: once, whatever tickets it has.
pub fn files_key(
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    part: &PartId,
) -> EffectKey {
    EffectKey::stored(format!("feedback_files/{workspace}/{conversation}/{part}"))
}

/// The key of the n-th issue that is made from a ticket: another one only after the one before was
/// taken off.
pub fn issue_key(ticket: TicketId, number: i64) -> EffectKey {
    EffectKey::stored(format!("feedback_issue/{ticket}/{number}"))
}
