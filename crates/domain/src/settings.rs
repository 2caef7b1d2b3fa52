//! The settings of a project binding.

use serde::{Deserialize, Serialize};

use crate::ids::{ProjectKey, SiteName, WorkspaceCode, WorkspaceName};
use crate::observation::{StatusCategory, StatusRef};
use crate::time::Millis;

/// A project binding as the planner needs it: a Jira project joined to a workspace, and its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The site of the project.
    pub site: SiteName,
    /// The address people open the site by, without a final slash.
    pub site_url: String,
    /// The project.
    pub project: ProjectKey,
    /// The workspace it is joined to.
    pub workspace: WorkspaceName,
    /// The workspace's code, once known; until then only addresses without a code match.
    pub workspace_code: Option<WorkspaceCode>,
    /// Is conversation linking on?
    pub linking: bool,
    /// When this binding was first seen; links older than that are taken over without a note.
    pub active_since: Millis,
    /// What is told when.
    pub notify: Notify,
    /// Rules for particular transitions.
    pub transitions: Vec<TransitionRule>,
    /// Does a re-opened conversation go back to the unassigned queue?
    pub unassign_on_open: bool,
    /// May a note wake a snoozed conversation?
    pub wake_snoozed: bool,
    /// Is everything silent for now? Links are followed all the same.
    pub muted: bool,
    /// What of the issue a note may hold.
    pub contents: NoteContents,
    /// Until when notes about what is decided now wait for further changes, which then go in the
    /// same note. Without it they do not wait.
    pub gather_until: Option<Millis>,
}

/// What of an issue a note may hold, besides its key and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoteContents {
    /// The summary.
    pub summary: bool,
    /// The texts of comments.
    pub comment: bool,
}

impl Default for NoteContents {
    fn default() -> Self {
        Self {
            summary: true,
            comment: true,
        }
    }
}

/// The general triggers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// An issue was created.
    pub created: Trigger,
    /// The assignee changed.
    pub assigned: Trigger,
    /// Someone commented.
    pub commented: Trigger,
    /// Which comments.
    pub filter: CommentFilter,
    /// The status changed.
    pub transitioned: Trigger,
}

impl Default for Notify {
    fn default() -> Self {
        let note = Trigger {
            note: true,
            reopen: false,
        };
        Self {
            created: note,
            assigned: note,
            commented: note,
            filter: CommentFilter::All,
            transitioned: Trigger {
                note: true,
                reopen: true,
            },
        }
    }
}

/// What a trigger does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Post a note.
    pub note: bool,
    /// Re-open the conversation if it is closed.
    pub reopen: bool,
}

impl Trigger {
    /// What both together do.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            note: self.note || other.note,
            reopen: self.reopen || other.reopen,
        }
    }

    /// Does it do anything?
    pub fn acts(self) -> bool {
        self.note || self.reopen
    }
}

/// Which comments are told. Restricted and internal comments never are, whatever this says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentFilter {
    /// Every comment that is not restricted.
    All,
    /// Only comments that Jira says are public.
    Public,
    /// Only comments that contain this text.
    Marker(String),
}

/// The equivalent of a workflow post function: what to do on particular transitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionRule {
    /// From which status.
    pub from: StatusMatch,
    /// To which status.
    pub to: StatusMatch,
    /// What to do.
    pub then: Trigger,
}

/// Which statuses a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusMatch {
    /// Any.
    Any,
    /// By name (letter case ignored) or by id.
    NameOrId(String),
    /// By category.
    Category(StatusCategory),
}

impl StatusMatch {
    /// Reads `*`, a name, an id or `category:done|new|indeterminate`.
    ///
    /// # Errors
    /// The text names a category that Jira does not have.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let Some(category) = text.strip_prefix("category:") else {
            return Ok(Self::NameOrId(text.to_owned()));
        };
        match StatusCategory::from_key(category.trim()) {
            StatusCategory::Unknown => Err(format!(
                "there is no status category “{category}”; use category:new, \
                 category:indeterminate or category:done"
            )),
            known => Ok(Self::Category(known)),
        }
    }

    /// Does it speak of this status?
    pub fn matches(&self, status: &StatusRef) -> bool {
        match self {
            Self::Any => true,
            Self::NameOrId(text) => status.is_named(text),
            Self::Category(category) => status.category == *category,
        }
    }
}
