//! What we read back from Jira.

use bowline_text::{ConversationAddress, Doc};
use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, IssueId, IssueKey, ProjectKey};
use crate::time::Millis;

/// An issue as it was when we read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It is there and we may see it.
    Present(Box<IssueSnapshot>),
    /// Jira answers that there is no such issue: deleted, or hidden from our account.
    Absent,
}

impl Observation {
    /// The project of the issue, if it is there.
    pub fn project(&self) -> Option<&ProjectKey> {
        match self {
            Self::Present(issue) => Some(&issue.project),
            Self::Absent => None,
        }
    }
}

/// What we read of an issue.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueSnapshot {
    /// Its lasting id.
    pub id: IssueId,
    /// Its present key.
    pub key: IssueKey,
    /// Its present project.
    pub project: ProjectKey,
    /// Its summary.
    pub summary: String,
    /// Its present status.
    pub status: StatusRef,
    /// Has it a security level?
    pub confidential: bool,
    /// Who created it.
    pub creator: Option<Person>,
    /// When it was created, by Jira's clock.
    pub created_at: Millis,
    /// When it was last changed, by Jira's clock.
    pub updated_at: Millis,
    /// The conversation addresses in its description.
    pub described: Vec<ConversationAddress>,
    /// The comments that we read, in the order of their creation.
    pub comments: Vec<CommentView>,
    /// Are these all comments of the issue?
    pub comments_complete: bool,
    /// Conversations named by the issue property that the app people switch from keeps.
    /// Read at first sight of the issue only.
    pub recorded: Vec<String>,
}

impl IssueSnapshot {
    /// The comment with this id, if it was read.
    pub fn comment(&self, id: &CommentId) -> Option<&CommentView> {
        self.comments.iter().find(|view| view.id() == id)
    }
}

/// A comment that we looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum CommentView {
    /// It is there.
    Present(CommentSnapshot),
    /// It is gone, or hidden from our account.
    Absent(CommentId),
}

impl CommentView {
    /// The id that was looked for.
    pub fn id(&self) -> &CommentId {
        match self {
            Self::Present(comment) => &comment.id,
            Self::Absent(id) => id,
        }
    }
}

/// What we read of a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentSnapshot {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it.
    pub author: Person,
    /// Who changed it last.
    pub editor: Option<Person>,
    /// When it was written, by Jira's clock.
    pub created_at: Millis,
    /// When it was last changed, by Jira's clock.
    pub updated_at: Millis,
    /// What it says.
    pub body: Doc,
    /// Who may read it.
    pub visibility: CommentVisibility,
}

/// Who may read a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentVisibility {
    /// Jira says that it is public.
    Public,
    /// Jira says nothing (Data Center outside Service Management).
    Unstated,
    /// For the service team only.
    Internal,
    /// For a role or a group only.
    Restricted,
}

/// Someone in Jira.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Account id, or user name on Data Center.
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// A status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRef {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its category, `Unknown` where the source does not say.
    pub category: StatusCategory,
}

impl StatusRef {
    /// Is this what it is called, or its id?
    pub fn is_named(&self, text: &str) -> bool {
        self.id == text || self.name.to_lowercase() == text.to_lowercase()
    }
}

/// The category of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusCategory {
    /// To do.
    New,
    /// In progress.
    Indeterminate,
    /// Done.
    Done,
    /// Not said.
    Unknown,
}

impl StatusCategory {
    /// Jira's key of a category (`new`, `indeterminate`, `done`).
    pub fn from_key(key: &str) -> Self {
        match key.to_ascii_lowercase().as_str() {
            "new" => Self::New,
            "indeterminate" => Self::Indeterminate,
            "done" => Self::Done,
            _ => Self::Unknown,
        }
    }
}
