//! Tickets: one piece of feedback each.

use serde::{Deserialize, Serialize};

use crate::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use crate::ids::{ConversationId, IssueId, SiteName};
use crate::time::Millis;

/// The longest text that a ticket keeps of its message, in characters. The rest is read in Intercom.
pub const TEXT_CHARS_MAX: usize = 20_000;

/// The longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// Where a ticket is on its way. The words are stored and do not change; what people call them can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody looked at it.
    New,
    /// Someone looks at it.
    InReview,
    /// It will be done.
    Planned,
    /// It is done.
    Done,
    /// It will not be done.
    Declined,
}

impl Status {
    /// All of them, in the order of the way.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::InReview,
        Self::Planned,
        Self::Done,
        Self::Declined,
    ];

    /// Those of which a conversation can be told.
    pub const TELLABLE: [Self; 3] = [Self::Planned, Self::Done, Self::Declined];

    /// The number for storage.
    pub fn code(self) -> i64 {
        match self {
            Self::New => 0,
            Self::InReview => 1,
            Self::Planned => 2,
            Self::Done => 3,
            Self::Declined => 4,
        }
    }

    /// The reverse of [`Status::code`].
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The word for settings, addresses and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InReview => "in_review",
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Declined => "declined",
        }
    }

    /// The reverse of [`Status::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// What people call it unless a product says otherwise.
    pub fn title(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::InReview => "In review",
            Self::Planned => "Planned",
            Self::Done => "Done",
            Self::Declined => "Declined",
        }
    }
}

/// How much it matters, as a person judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Importance {
    /// Nobody judged.
    #[default]
    Unset,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl Importance {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Unset, Self::Low, Self::Medium, Self::High];

    /// The number for storage.
    pub fn code(self) -> i64 {
        match self {
            Self::Unset => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }

    /// The reverse of [`Importance::code`]; an unknown number is `Unset`.
    pub fn from_code(code: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|importance| importance.code() == code)
            .unwrap_or_default()
    }

    /// The word for addresses and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The reverse of [`Importance::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|importance| importance.as_str() == word)
    }
}

/// What carries the tag that made a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// One message.
    Message,
    /// The conversation as a whole.
    Conversation,
}

impl Level {
    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Conversation => "conversation",
        }
    }

    /// The reverse of [`Level::as_str`]; an unknown word is a message.
    pub fn from_word(word: &str) -> Self {
        if word == "conversation" {
            Self::Conversation
        } else {
            Self::Message
        }
    }
}

/// A tag that was put on something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedTag {
    /// The tag.
    pub tag: TagId,
    /// What it was called then.
    pub name: String,
    /// When, if Intercom says.
    pub at: Option<Millis>,
    /// Which teammate put it there, if Intercom says.
    pub by: Option<String>,
}

/// A message of the transcript around a ticket's own. Stored as JSON: change it additively.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which message.
    pub part: PartId,
    /// Who wrote it.
    pub who: String,
    /// By the customer?
    pub customer: bool,
    /// When.
    pub at: Millis,
    /// What it says, cut.
    pub text: String,
}

/// A ticket to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// For which product.
    pub product: ProductId,
    /// The message it is about.
    pub part: PartId,
    /// What carries the tag.
    pub level: Level,
    /// Its tags.
    pub tags: Vec<AppliedTag>,
    /// The first words.
    pub title: String,
    /// The text of the message, cut to [`TEXT_CHARS_MAX`].
    pub text: String,
    /// Who wrote it.
    pub author: String,
    /// Is it a teammate who wrote it, and not the customer whose feedback it is?
    pub by_teammate: bool,
    /// The customer whose feedback it is.
    pub contact: Option<ContactId>,
    /// When it was written.
    pub said_at: Millis,
    /// The messages around it.
    pub transcript: Vec<Line>,
    /// How many files the message has.
    pub files: usize,
}

/// A ticket of a conversation, as far as capture needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTicket {
    /// Its number.
    pub id: TicketId,
    /// Its product.
    pub product: ProductId,
    /// Its message.
    pub part: PartId,
    /// What carried the tag that made it.
    pub level: Level,
    /// Its tags, with whether each was taken off since.
    pub tags: Vec<(TagId, bool)>,
    /// Was it erased?
    pub erased: bool,
    /// The messages around it.
    pub transcript: Vec<Line>,
}

/// Why a ticket was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Erased {
    /// Its message was redacted in Intercom.
    Redacted,
    /// Its conversation was deleted in Intercom.
    ConversationDeleted,
    /// Its contact was deleted in Intercom.
    ContactDeleted,
    /// Its contact was erased here.
    ContactErased,
}

impl Erased {
    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::ConversationDeleted => "conversation_deleted",
            Self::ContactDeleted => "contact_deleted",
            Self::ContactErased => "contact_erased",
        }
    }

    /// What happened, for people.
    pub fn words(word: &str) -> &'static str {
        match word {
            "redacted" => "The message was redacted in Intercom.",
            "conversation_deleted" => "The conversation was deleted in Intercom.",
            "contact_deleted" => "The contact was deleted in Intercom.",
            "contact_erased" => "The contact was erased here.",
            _ => "It was erased in Intercom.",
        }
    }
}

/// The issue that a ticket is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketIssue {
    /// The site.
    pub site: SiteName,
    /// The issue.
    pub issue: IssueId,
    /// Its key when it was tied.
    pub key: String,
}

/// A message as one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message in it.
    pub part: PartId,
}
