//! Links and what holds them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, ConversationId, WorkspaceName};
use crate::time::Millis;

/// The tie between an issue and a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The workspace of the conversation.
    pub workspace: WorkspaceName,
    /// The conversation.
    pub conversation: ConversationId,
    /// What holds it, or held it when a person ended it.
    pub sources: Vec<Source>,
    /// Does it live?
    pub live: bool,
    /// Since when it lives (by Jira's clock), or when it last came to life.
    pub since: Millis,
    /// How often it has come to life; the first time is 1.
    pub generation: u32,
    /// Why it ended.
    pub ended: Option<LinkEnd>,
}

/// Why a link exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where the address stands, or who said so.
    pub origin: Origin,
    /// Since when, by Jira's clock.
    pub since: Millis,
    /// A person ended the link while this source was there: it no longer holds the link, until the
    /// address is taken out and put in again.
    pub overruled: bool,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The issue's description.
    Description,
    /// A comment.
    Comment(CommentId),
    /// The issue property of the app that people switch from, or an import file.
    Import,
    /// A person's command.
    Command,
}

impl Origin {
    /// As stored: `description`, `comment:17`, `import`, `command`.
    pub fn key(&self) -> String {
        match self {
            Self::Description => "description".to_owned(),
            Self::Comment(id) => format!("comment:{id}"),
            Self::Import => "import".to_owned(),
            Self::Command => "command".to_owned(),
        }
    }

    /// The reverse of [`Origin::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        match key {
            "description" => Some(Self::Description),
            "import" => Some(Self::Import),
            "command" => Some(Self::Command),
            other => other
                .strip_prefix("comment:")
                .map(|id| Self::Comment(CommentId::new(id))),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description => f.write_str("the description"),
            Self::Comment(id) => write!(f, "comment {id}"),
            Self::Import => f.write_str("an import"),
            Self::Command => f.write_str("a command"),
        }
    }
}

/// Why a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkEnd {
    /// The last source is gone.
    AddressRemoved,
    /// The issue was deleted.
    IssueDeleted,
    /// The conversation was deleted.
    ConversationGone,
    /// A person ended it.
    ByHand,
}

impl LinkEnd {
    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddressRemoved => "address_removed",
            Self::IssueDeleted => "issue_deleted",
            Self::ConversationGone => "conversation_gone",
            Self::ByHand => "by_hand",
        }
    }

    /// The reverse of [`LinkEnd::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::AddressRemoved,
            Self::IssueDeleted,
            Self::ConversationGone,
            Self::ByHand,
        ]
        .into_iter()
        .find(|end| end.as_str() == word)
    }
}

impl Link {
    /// The source at this place, if there is one.
    pub fn source(&self, origin: &Origin) -> Option<&Source> {
        self.sources.iter().find(|source| source.origin == *origin)
    }

    /// Does a source hold it?
    pub fn held(&self) -> bool {
        self.sources.iter().any(|source| !source.overruled)
    }
}
