//! Identifiers. Each is a type of its own, so that one cannot be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contacts::ids::{RemoteCompanyId, RemoteContactId};
use crate::messaging::ids::{AccountName, EndUserId};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it came.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// The configured name of a site (one Jira instance).
    SiteName
}
text_id! {
    /// The configured name of a workspace (one Intercom workspace).
    WorkspaceName
}
text_id! {
    /// The workspace's own code, as it stands in addresses and as `app_id` in webhooks.
    WorkspaceCode
}
text_id! {
    /// The numeric id of an issue, which never changes; the identity of an issue within its site.
    IssueId
}
text_id! {
    /// The key of an issue (`ENG-1`): a label that changes when the issue moves.
    IssueKey
}
text_id! {
    /// The key of a project (`ENG`).
    ProjectKey
}
text_id! {
    /// The id of a comment, unique within its site.
    CommentId
}
text_id! {
    /// The id of a conversation, unique within its workspace only.
    ConversationId
}

impl ProjectKey {
    /// The project of an issue key: what stands before the last dash.
    pub fn of(key: &IssueKey) -> Option<Self> {
        key.as_str()
            .rsplit_once('-')
            .map(|(project, _)| Self::new(project))
    }
}

pub(crate) use text_id;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

pub(crate) use row_id;

row_id! {
    /// One accepted delivery.
    EventId
}
row_id! {
    /// One effect.
    EffectId
}

/// A queue whose items are handled one after the other. See [`LaneKey::events`] and the others for
/// what has a lane of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneKey(String);

impl LaneKey {
    /// The lane of what happens to one issue.
    pub fn events(site: &SiteName, issue: &IssueId) -> Self {
        Self(format!("event/{site}/{issue}"))
    }

    /// The lane of what a workspace tells about one conversation.
    pub fn workspace_events(workspace: &WorkspaceName, conversation: &ConversationId) -> Self {
        Self(format!("event/{workspace}/c/{conversation}"))
    }

    /// The lane of what a workspace tells about one of its contacts.
    pub fn contact_events(workspace: &WorkspaceName, contact: &RemoteContactId) -> Self {
        Self(format!("event/{workspace}/p/{contact}"))
    }

    /// The lane of what a workspace tells about one of its companies.
    pub fn company_events(workspace: &WorkspaceName, company: &RemoteCompanyId) -> Self {
        Self(format!("event/{workspace}/o/{company}"))
    }

    /// The lane of events that name no remote thing (a ping), one per connection.
    pub fn loose_events(connection: &str) -> Self {
        Self(format!("event/{connection}/-"))
    }

    /// The lane of our writes to one conversation.
    pub fn conversation(workspace: &WorkspaceName, conversation: &ConversationId) -> Self {
        Self(format!("send/{workspace}/{conversation}"))
    }

    /// The lane of our writes to one issue.
    pub fn issue(site: &SiteName, issue: &IssueId) -> Self {
        Self(format!("send/{site}/i/{issue}"))
    }

    /// The lane of the tally of one issue: what an administrator of Jira has to mend about it keeps
    /// nothing else waiting.
    pub fn tally(site: &SiteName, issue: &IssueId) -> Self {
        Self(format!("send/{site}/n/{issue}"))
    }

    /// The issue whose events it holds, if it holds those of one.
    pub fn issue_events(&self) -> Option<(SiteName, IssueId)> {
        let (site, issue) = self.0.strip_prefix("event/")?.split_once('/')?;
        let number = !issue.is_empty() && issue.bytes().all(|byte| byte.is_ascii_digit());
        number.then(|| (SiteName::new(site), IssueId::new(issue)))
    }

    /// The lane of what happens to one end user of a channel account, whoever tells it.
    pub fn end_user_events(account: &AccountName, end_user: &EndUserId) -> Self {
        Self(format!("event/{account}/u/{end_user}"))
    }

    /// The lane of what is sent to one end user.
    pub fn end_user_sends(account: &AccountName, end_user: &EndUserId) -> Self {
        Self(format!("send/{account}/u/{end_user}"))
    }

    /// The lane of what is written to Jira for one end user.
    pub fn end_user_writes(site: &SiteName, account: &AccountName, end_user: &EndUserId) -> Self {
        Self(format!("send/{site}/u/{account}/{end_user}"))
    }

    /// A key read back from the store.
    pub fn stored(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
