//! What was read of a request in Jira.

use bowline_text::Doc;

use super::act::AgentFile;
use crate::ids::{CommentId, IssueKey};
use crate::observation::{CommentVisibility, StatusRef};
use crate::time::Millis;

/// Who wrote or changed something, as far as it matters to the end user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Bowline itself.
    Us,
    /// An agent, or an automation.
    Agent,
    /// A customer: the reporter, a participant, an account that may only use the portal.
    Customer,
}

/// A request as it was when we read it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestNews {
    /// The issue is there and we may see it; its present key.
    pub key: Option<IssueKey>,
    /// An event says that it was deleted.
    pub deleted: bool,
    /// A comment was told of that is not among those we may read: restricted to others, or deleted.
    pub unreadable: bool,
    /// The comments that were not dealt with, in the order of their creation.
    pub comments: Vec<CommentNews>,
    /// The status changes that were not dealt with, in the order in which they happened.
    pub changes: Vec<StatusChange>,
}

/// A comment as it was when we read it by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentNews {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it: the account.
    pub author: String,
    /// Who wrote it: the part they have.
    pub role: Role,
    /// When, by Jira's clock.
    pub at: Millis,
    /// Who may read it, by everything that Jira says of it.
    pub visibility: CommentVisibility,
    /// Service Management does not know its issue as a request, so nothing says that customers may
    /// read it.
    pub outside: bool,
    /// What it says.
    pub body: Doc,
    /// How many files are shown in it.
    pub files: usize,
    /// Those of them that Jira names, where they are to be sent.
    pub attached: Vec<AgentFile>,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    /// The id of the history entry.
    pub id: String,
    /// Who did it: the account.
    pub author: Option<String>,
    /// When, by Jira's clock.
    pub at: Millis,
    /// The status since.
    pub to: StatusRef,
}
