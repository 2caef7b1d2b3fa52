//! What an event says happened. A hint: what is true is read back.

use bowline_text::ConversationAddress;

use crate::fact::FactKey;
use crate::ids::{CommentId, ConversationId, EventId, WorkspaceName};
use crate::link::Via;
use crate::observation::{Person, StatusRef};
use crate::time::Millis;

/// One thing that an event says happened to an issue.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The issue was created.
    Created {
        /// Who did it; the observation knows it too.
        actor: Option<Person>,
    },
    /// Fields were changed in one go.
    Changed(Change),
    /// A comment was written.
    Commented(CommentId),
    /// A comment was changed.
    CommentEdited(CommentId),
    /// A comment was deleted.
    CommentDeleted(CommentId),
    /// The issue was deleted.
    Deleted,
    /// Someone's rule asks for a note or for re-opening (the notify address).
    Asked {
        /// The event that asked; each counts once.
        event: EventId,
        /// Post a note.
        note: bool,
        /// Re-open the conversations.
        reopen: bool,
        /// The text of the note, if given.
        text: Option<String>,
    },
    /// A person linked a conversation by command.
    LinkAdded {
        /// In which workspace.
        workspace: WorkspaceName,
        /// Which conversation.
        conversation: ConversationId,
        /// Who did it.
        by: String,
        /// Where they did it, as far as it is known.
        via: Option<Via>,
        /// Does it come from a file? Support knows of such a link already.
        imported: bool,
    },
    /// A person ended a link by command.
    LinkRemoved {
        /// In which workspace.
        workspace: WorkspaceName,
        /// Which conversation.
        conversation: ConversationId,
    },
    /// The conversation of a link is no more.
    ConversationGone {
        /// In which workspace.
        workspace: WorkspaceName,
        /// Which conversation.
        conversation: ConversationId,
    },
    /// The conversation of a link was merged into another one of its workspace.
    ConversationMerged {
        /// In which workspace.
        workspace: WorkspaceName,
        /// Which conversation.
        conversation: ConversationId,
        /// The one that goes on.
        into: ConversationId,
    },
    /// Jira did not show the issue several times, and showed the project that it was in.
    Unseen,
    /// Nothing in particular: the issue was looked at.
    Looked,
}

impl Happening {
    /// The fact behind it, where it is one that is told once.
    pub fn fact(&self) -> Option<FactKey> {
        match self {
            Self::Created { .. } => Some(FactKey::created()),
            Self::Changed(change) => Some(FactKey::changed(&change.id)),
            Self::Commented(id) => Some(FactKey::commented(id)),
            Self::Asked { event, .. } => Some(FactKey::asked(*event)),
            _ => None,
        }
    }
}

/// One entry of an issue's history: fields changed in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The id of the history entry, the same in webhooks and in the history that is read back.
    pub id: String,
    /// When, by Jira's clock.
    pub at: Millis,
    /// Who.
    pub actor: Option<Person>,
    /// The new assignee's name, if the assignee changed: `Some(None)` is unassigned.
    pub assigned: Option<Option<String>>,
    /// Old and new status, if the status changed.
    pub moved: Option<(StatusRef, StatusRef)>,
    /// The addresses of conversations before and after, if the description was changed.
    pub described: Option<Redescribed>,
    /// Was it moved to another project?
    pub transferred: bool,
}

/// What a change of the description did to the addresses in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redescribed {
    /// The addresses in the old text.
    pub before: Vec<ConversationAddress>,
    /// The addresses in the new text.
    pub after: Vec<ConversationAddress>,
}

impl Redescribed {
    /// Did it put the conversation's address in?
    pub fn puts_in(&self, conversation: &ConversationId) -> bool {
        names(&self.after, conversation) && !self.held(conversation)
    }

    /// Was the conversation's address there already?
    pub fn held(&self, conversation: &ConversationId) -> bool {
        names(&self.before, conversation)
    }
}

fn names(addresses: &[ConversationAddress], conversation: &ConversationId) -> bool {
    addresses
        .iter()
        .any(|address| address.conversation == conversation.as_str())
}
