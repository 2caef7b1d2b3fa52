//! What goes into the store of feedback and comes out of it.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use bowline_domain::feedback::person::CapturedPerson;
use bowline_domain::feedback::product::{ListedTag, ProductSettings};
use bowline_domain::feedback::ticket::{
    AppliedTag, Erased, Importance, Level, Line, NewTicket, Status, TicketIssue,
};
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;

/// What a decided event changes in feedback.
#[derive(Clone, Debug)]
pub struct FeedbackChanges {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The conversation.
    pub conversation: ConversationId,
    /// Tickets to be made, each with who gave it.
    pub made: Vec<(NewTicket, CapturedPerson)>,
    /// Tags that are on tickets now.
    pub tagged: Vec<(TicketId, AppliedTag)>,
    /// Tags that were taken off.
    pub untagged: Vec<(TicketId, TagId)>,
    /// Tickets whose message was redacted.
    pub redacted: Vec<TicketId>,
    /// Transcripts that lost messages.
    pub transcripts: Vec<(TicketId, Vec<Line>)>,
    /// Does what was told of the conversation go?
    pub forget: bool,
    /// What was erased as a whole.
    pub erase: Option<Erase>,
    /// Tickets that move along with their issue.
    pub moved: Vec<(TicketId, Status)>,
    /// Contacts that were merged, each with the one that stays.
    pub merged: Vec<(RemoteContactId, RemoteContactId)>,
    /// The backfill that asked for it.
    pub backfill: Option<i64>,
}

impl FeedbackChanges {
    /// Nothing yet.
    pub fn of(workspace: &WorkspaceName, conversation: &ConversationId) -> Self {
        Self {
            workspace: workspace.clone(),
            conversation: conversation.clone(),
            made: Vec::new(),
            tagged: Vec::new(),
            untagged: Vec::new(),
            redacted: Vec::new(),
            transcripts: Vec::new(),
            forget: false,
            erase: None,
            moved: Vec::new(),
            merged: Vec::new(),
            backfill: None,
        }
    }
}

/// What was erased as a whole in Intercom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erase {
    /// The conversation.
    Conversation,
    /// A contact, in all conversations of the workspace.
    Contact(ContactId),
}

impl Erase {
    pub(crate) fn because(&self) -> Erased {
        match self {
            Self::Conversation => Erased::ConversationDeleted,
            Self::Contact(_) => Erased::ContactDeleted,
        }
    }
}

/// A product to be kept.
#[derive(Clone, Debug)]
pub struct ProductDraft {
    /// The workspace whose tags count.
    pub workspace: WorkspaceName,
    /// Its name.
    pub name: String,
    /// Is its feedback switched on?
    pub on: bool,
    /// Does it stand in the configuration file?
    pub declared: bool,
    /// How it works.
    pub settings: ProductSettings,
    /// The tags that count from now on; `None`: as before.
    pub tags: Option<Vec<ListedTag>>,
    /// Since when tags count that did not before; `None`: from now on.
    pub counts_from: Option<Millis>,
}

/// How tickets are sorted, the greatest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// By distinct people.
    People,
    /// By distinct companies.
    Companies,
    /// By what those companies spend a month.
    Spend,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Newest, Self::People, Self::Companies, Self::Spend];

    /// The word for addresses and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::People => "people",
            Self::Companies => "companies",
            Self::Spend => "spend",
        }
    }

    /// The reverse of [`Sort::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }
}

/// Which assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// Nobody.
    Nobody,
    /// The person with this e-mail address.
    Person(String),
}

/// What of tickets that were erased. One that stands for others of which something is left is none of
/// them: it is as open as those are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shells {
    /// They are among the others.
    #[default]
    Among,
    /// They are left out.
    Without,
    /// Nothing else.
    Only,
}

/// Which tickets.
#[derive(Clone, Debug, Default)]
pub struct TicketQuery {
    /// Of this product only.
    pub product: Option<ProductId>,
    /// In these statuses only; none: in any.
    pub statuses: Vec<Status>,
    /// Of this assignee only.
    pub assignee: Option<AssigneeFilter>,
    /// With this label only.
    pub label: Option<String>,
    /// Of this importance only.
    pub importance: Option<Importance>,
    /// With words that begin like each of these.
    pub text: Option<String>,
    /// What of those that were erased.
    pub shells: Shells,
    /// In which order.
    pub sort: Sort,
    /// After this place only: what it is sorted by, and the ticket.
    pub after: Option<(i64, i64)>,
    /// At most this many.
    pub limit: usize,
}

/// A ticket in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Its number.
    pub id: TicketId,
    /// Its product.
    pub product: ProductId,
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Where it is on its way.
    pub status: Status,
    /// How much it matters.
    pub importance: Importance,
    /// Who looks after it, by e-mail address.
    pub assignee: Option<String>,
    /// The first words.
    pub title: String,
    /// Who gave it.
    pub author: String,
    /// Their company then.
    pub company_name: Option<String>,
    /// Distinct people.
    pub people: i64,
    /// Distinct companies.
    pub companies: i64,
    /// What those companies spend a month.
    pub spend: i64,
    /// When it was said.
    pub said_at: Millis,
    /// Why it was erased, if it was.
    pub erased: Option<String>,
    /// The key of its issue.
    pub issue_key: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
}

impl TicketRow {
    /// Its place in a list that is sorted so.
    pub fn place(&self, sort: Sort) -> (i64, i64) {
        let by = match sort {
            Sort::Newest => self.id.0,
            Sort::People => self.people,
            Sort::Companies => self.companies,
            Sort::Spend => self.spend,
        };
        (by, self.id.0)
    }
}

/// A part of a list of tickets.
#[derive(Clone, Debug, Default)]
pub struct TicketPage {
    /// The tickets.
    pub rows: Vec<TicketRow>,
    /// Where the next part begins.
    pub next: Option<(i64, i64)>,
    /// Did the look stop at [`LOOKED_THROUGH_MAX`] before it came to the end of what the words
    /// find? The newest go on at `next` then, though the page may not be full; other orders are
    /// made among those that were looked through.
    pub broken_off: bool,
}

/// How many tickets that have the words a page looks through at most.
pub const LOOKED_THROUGH_MAX: usize = 10_000;

/// A ticket with all that belongs to it.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// What lists show.
    pub row: TicketRow,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub part: PartId,
    /// What carried the tag.
    pub level: Level,
    /// Which piece of the message's feedback; 0 is the whole.
    pub piece: i64,
    /// The text.
    pub text: String,
    /// The person's e-mail address then.
    pub email: Option<String>,
    /// The person.
    pub contact: Option<ContactId>,
    /// Their company, by Intercom's id.
    pub company: Option<String>,
    /// Its plan then.
    pub plan: Option<String>,
    /// What it spent a month then.
    pub own_spend: i64,
    /// The messages around it.
    pub transcript: Vec<Line>,
    /// When it became a ticket.
    pub captured_at: Millis,
    /// The ticket that stands for it.
    pub merged_into: Option<TicketId>,
    /// Its issue.
    pub issue: Option<TicketIssue>,
    /// Issues that were made from it so far.
    pub issues_made: i64,
    /// When it was erased.
    pub erased_at: Option<Millis>,
    /// The teammate who wrote the message, if it was not the person.
    pub said_by: Option<String>,
    /// Counts its changes.
    pub version: i64,
    /// Its tags, with when each was taken off.
    pub tags: Vec<(AppliedTag, Option<Millis>)>,
    /// The files of its message.
    pub files: Vec<FileView>,
    /// What happened to it, oldest first.
    pub history: Vec<HistoryView>,
    /// The tickets merged into it, the oldest first.
    pub merged: Vec<TicketRow>,
    /// The merges into it that can be undone.
    pub merges: Vec<MergeView>,
}

/// A file of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    /// Which of the message's.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Its size, in bytes.
    pub bytes: i64,
    /// Why it was not copied, if it was not.
    pub why_not: Option<String>,
}

/// A file to be kept.
#[derive(Clone, Debug)]
pub struct FileDraft {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Its size, in bytes.
    pub bytes: i64,
    /// What is in it, as base64; or why it was not copied.
    pub content: Result<String, String>,
}

/// What happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryView {
    /// When.
    pub at: Millis,
    /// Who did it.
    pub who: String,
    /// What, in one word.
    pub what: String,
    /// More about it.
    pub detail: String,
}

/// A merge that can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeView {
    /// Its number.
    pub id: i64,
    /// The ticket that was merged.
    pub ticket: TicketId,
    /// When.
    pub at: Millis,
    /// Who did it.
    pub who: String,
}

/// What a person does to tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketChange {
    /// Moves them.
    Status(Status),
    /// Gives them to someone, by e-mail address, or to nobody.
    Assign(Option<String>),
    /// Judges how much they matter.
    Importance(Importance),
    /// Puts a label on.
    AddLabel(String),
    /// Takes a label off.
    RemoveLabel(String),
    /// Ties them to an issue, or to none.
    Issue(Option<TicketIssue>),
}

/// Tickets for which others stand by now, each with the one that does: nothing is done to any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedAway(pub Vec<(TicketId, TicketId)>);

/// Why tickets are not merged, undone or split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMerged {
    /// One of them is not there.
    Gone,
    /// It is one ticket.
    Same,
    /// They are of different products.
    OtherProduct,
    /// One of them is merged into another one already.
    MergedAlready,
    /// It was undone already, or another merge came after it.
    NotUndoable,
}

/// How far a backfill came by one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackfillStep {
    /// Conversations that were handed on to be looked at.
    pub looked: i64,
    /// Where it goes on.
    pub cursor: Option<String>,
    /// What is in the way, in words.
    pub trouble: Option<String>,
    /// When it came to its end, if that was the last page.
    pub over: Option<Millis>,
}

/// A backfill as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// Its number.
    pub id: i64,
    /// Its product.
    pub product: ProductId,
    /// From when on tags count.
    pub since: Millis,
    /// Where it is.
    pub state: BackfillState,
    /// Conversations that Intercom found.
    pub found: i64,
    /// Conversations that were handed to the planner.
    pub looked: i64,
    /// Tickets that came of it.
    pub made: i64,
    /// Where the next page begins.
    pub cursor: Option<String>,
    /// What keeps it from going on.
    pub trouble: Option<String>,
    /// Who asked for it.
    pub who: String,
    /// When.
    pub at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// Where a backfill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackfillState {
    /// It goes through conversations.
    Running,
    /// A person stopped it for a while.
    Paused,
    /// A person ended it.
    Cancelled,
    /// All conversations were handed on.
    Done,
}

impl BackfillState {
    /// The word for storage and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "paused" => Self::Paused,
            "cancelled" => Self::Cancelled,
            _ => Self::Done,
        }
    }

    /// May a person do this to a backfill in this state?
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Running, Self::Paused | Self::Cancelled | Self::Done)
                | (Self::Paused, Self::Running | Self::Cancelled)
        )
    }
}
