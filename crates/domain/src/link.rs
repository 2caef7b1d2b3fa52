//! Links and what holds them.

use std::fmt;

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
    /// When it ended: by Jira's clock where an issue that was read shows it, otherwise when that was
    /// decided. `None` while it lives, in a plan that leaves the time to whoever keeps it, and of
    /// what ended before this was kept.
    pub ended_at: Option<Millis>,
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
    /// Who it was, of what somebody linked or imported. `None` of addresses, and of what was linked
    /// before this was kept.
    pub hand: Option<Hand>,
}

/// Somebody who linked a conversation, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Their name, as it was then.
    pub by: String,
    /// Where they did it, as far as it is known.
    pub via: Option<Via>,
}

/// Where people link conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// On a page of the web application.
    Page,
    /// In the panel of the issue.
    Panel,
    /// By a program, through the REST API.
    Api,
    /// On the command line.
    CommandLine,
}

impl Via {
    const ALL: [Self; 4] = [Self::Page, Self::Panel, Self::Api, Self::CommandLine];

    /// As stored, and for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Panel => "panel",
            Self::Api => "api",
            Self::CommandLine => "command_line",
        }
    }

    /// The reverse of [`Via::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.word() == word)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "on a page",
            Self::Panel => "in the issue panel",
            Self::Api => "by the API",
            Self::CommandLine => "on the command line",
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, &self.hand) {
            (Origin::Command, Some(Hand { by, via: Some(via) })) => write!(f, "{by}, {via}"),
            (Origin::Command, Some(Hand { by, via: None })) => write!(f, "{by}, by hand"),
            (origin, _) => origin.fmt(f),
        }
    }
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
            Self::Command => f.write_str("somebody, by hand"),
        }
    }
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// The last source is gone.
    AddressRemoved,
    /// The issue was deleted.
    IssueDeleted,
    /// Jira has stopped showing the issue, though it shows the project: deleted, or hidden from
    /// our account. The link comes back if the issue does.
    IssueUnseen,
    /// The conversation was deleted.
    ConversationGone,
    /// The conversation was merged into this one of the same workspace, to which its sources hold
    /// a link since. What is left is the tombstone: addresses of it mean the other one.
    Merged(ConversationId),
    /// A person ended it.
    ByHand,
}

/// What the stored form of [`LinkEnd::Merged`] begins with.
const MERGED: &str = "merged:";

impl LinkEnd {
    /// Those that say nothing more.
    const PLAIN: [Self; 5] = [
        Self::AddressRemoved,
        Self::IssueDeleted,
        Self::IssueUnseen,
        Self::ConversationGone,
        Self::ByHand,
    ];

    /// The word for filters and scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::AddressRemoved => "address_removed",
            Self::IssueDeleted => "issue_deleted",
            Self::IssueUnseen => "issue_unseen",
            Self::ConversationGone => "conversation_gone",
            Self::Merged(_) => "merged",
            Self::ByHand => "by_hand",
        }
    }

    /// As stored: the word, or `merged:` and the conversation.
    pub fn key(&self) -> String {
        match self {
            Self::Merged(into) => format!("{MERGED}{into}"),
            plain => plain.word().to_owned(),
        }
    }

    /// The reverse of [`LinkEnd::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        match key.strip_prefix(MERGED) {
            Some(into) => Some(Self::Merged(ConversationId::new(into))),
            None => Self::PLAIN.into_iter().find(|end| end.word() == key),
        }
    }
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressRemoved => f.write_str("address removed"),
            Self::IssueDeleted => f.write_str("issue deleted"),
            Self::IssueUnseen => {
                f.write_str("Jira does not show the issue any more: deleted, or hidden from us")
            }
            Self::ConversationGone => f.write_str("conversation gone"),
            Self::Merged(into) => write!(f, "merged into conversation {into}"),
            Self::ByHand => f.write_str("by hand"),
        }
    }
}

impl Link {
    /// The source at this place, if there is one.
    pub fn source(&self, origin: &Origin) -> Option<&Source> {
        self.sources.iter().find(|source| source.origin == *origin)
    }

    /// What the conversation was merged into, if that ended the link.
    pub fn merged_into(&self) -> Option<&ConversationId> {
        match &self.ended {
            Some(LinkEnd::Merged(into)) if !self.live => Some(into),
            _ => None,
        }
    }

    /// Who linked it by hand, as far as it is known.
    pub fn by_hand(&self) -> Option<&Hand> {
        self.source(&Origin::Command)?.hand.as_ref()
    }

    /// Does a source hold it?
    pub fn held(&self) -> bool {
        self.sources.iter().any(|source| !source.overruled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_linked_by_hand_is_said_as_far_as_it_is_known() {
        let made = |origin, via| Source {
            origin,
            since: Millis(0),
            overruled: false,
            hand: via,
        };
        let by = |via| {
            Some(Hand {
                by: "Lena".to_owned(),
                via,
            })
        };
        for (via, words) in [
            (by(Some(Via::Page)), "Lena, on a page"),
            (by(Some(Via::Panel)), "Lena, in the issue panel"),
            (by(Some(Via::Api)), "Lena, by the API"),
            (by(Some(Via::CommandLine)), "Lena, on the command line"),
            (by(None), "Lena, by hand"),
            (None, "somebody, by hand"),
        ] {
            assert_eq!(made(Origin::Command, via).to_string(), words);
        }
        let imported = made(Origin::Import, by(None));
        assert_eq!(imported.to_string(), "an import");
        for via in Via::ALL {
            assert_eq!(Via::from_word(via.word()), Some(via));
        }
        assert_eq!(Via::from_word("something newer"), None);
    }

    #[test]
    fn ends_are_read_as_they_were_stored() {
        let merged = LinkEnd::Merged(ConversationId::new("215475"));
        assert_eq!(merged.key(), "merged:215475");
        for end in LinkEnd::PLAIN.into_iter().chain([merged]) {
            assert_eq!(LinkEnd::from_key(&end.key()), Some(end));
        }
        assert_eq!(LinkEnd::from_key("something newer"), None);
    }
}
