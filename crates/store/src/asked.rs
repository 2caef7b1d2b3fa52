//! The report of what is asked for, as people read it and as it is kept up.

use bowline_domain::ids::{ConversationId, IssueId, IssueKey, ProjectKey, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::model::StatusSeen;
use crate::sql::{asked, asked_pages, link_pages};
use crate::store::Store;
use crate::writes::{Write, write};

/// An issue with who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The site.
    pub site: SiteName,
    /// The issue.
    pub issue: IssueId,
    /// Its key, if known.
    pub key: Option<IssueKey>,
    /// Its summary, if known.
    pub summary: Option<String>,
    /// Conversations linked to it now.
    pub conversations: i64,
    /// When the latest of them was linked.
    pub last_at: Millis,
    /// The name of its status as it was last read; empty if it was not.
    pub status: String,
    /// The people in them, each once, as far as they were read.
    pub contacts: i64,
    /// Their companies, each once.
    pub companies: i64,
    /// What these companies spend in a month, in hundredths.
    pub spend: i64,
    /// Conversations and people that were not read yet, or cannot be.
    pub unread: i64,
}

/// What the report is sorted by. Equal ones follow each other by site and issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedOrder {
    /// Site and issue.
    #[default]
    Issue,
    /// Linked conversations.
    Conversations,
    /// People.
    Contacts,
    /// Companies.
    Companies,
    /// What the companies spend.
    Spend,
    /// When the latest conversation was linked.
    Last,
}

impl AskedOrder {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Issue,
        Self::Conversations,
        Self::Contacts,
        Self::Companies,
        Self::Spend,
        Self::Last,
    ];

    /// The word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Conversations => "conversations",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Spend => "spend",
            Self::Last => "last",
        }
    }

    /// The reverse of [`AskedOrder::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }

    /// What an issue has of it.
    pub fn value(self, asked: &Asked) -> i64 {
        match self {
            Self::Issue => 0,
            Self::Conversations => asked.conversations,
            Self::Contacts => asked.contacts,
            Self::Companies => asked.companies,
            Self::Spend => asked.spend,
            Self::Last => asked.last_at.0,
        }
    }
}

/// A place in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCursor {
    /// What the last issue before it had of what is sorted by.
    pub value: i64,
    /// Its site.
    pub site: SiteName,
    /// Its id.
    pub issue: IssueId,
}

impl AskedCursor {
    /// The place after an issue.
    pub fn after(asked: &Asked, order: AskedOrder) -> Self {
        Self {
            value: order.value(asked),
            site: asked.site.clone(),
            issue: asked.issue.clone(),
        }
    }
}

/// Which part of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedQuery {
    /// Of this site only.
    pub site: Option<SiteName>,
    /// Of this project only; with its site.
    pub project: Option<ProjectKey>,
    /// Whose status has this name only.
    pub status: Option<String>,
    /// Those that are linked now; otherwise those that were and are not.
    pub live: bool,
    /// Sorted by this.
    pub order: AskedOrder,
    /// The least first.
    pub ascending: bool,
    /// After this place.
    pub after: Option<AskedCursor>,
    /// At most this many.
    pub limit: i64,
}

impl Default for AskedQuery {
    fn default() -> Self {
        Self {
            site: None,
            project: None,
            status: None,
            live: true,
            order: AskedOrder::default(),
            ascending: true,
            after: None,
            limit: 50,
        }
    }
}

/// What the report does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Linked issues with conversations or people that were not read; counted up to 10,000.
    pub issues: i64,
}

/// What is due to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Linked conversations.
    pub conversations: Vec<(WorkspaceName, ConversationId)>,
    /// People in them.
    pub people: Vec<(WorkspaceName, String)>,
}

impl Leases for Unread {}

/// A company and what it spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Its id in the workspace.
    pub company: String,
    /// In a month, in hundredths.
    pub spend: i64,
}

/// What a try at reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came<T> {
    /// It was read.
    Read(T),
    /// It was not; what was read before stays.
    Failed(String),
}

impl<T> Came<T> {
    pub(crate) fn row(&self, at: Millis) -> (Option<i64>, Option<String>) {
        match self {
            Self::Read(_) => (Some(at.0), None),
            Self::Failed(why) => (None, Some(why.clone())),
        }
    }
}

write!(Recount { issues: Vec<(SiteName, IssueId)>, due_at: Millis } -> (), |conn, _| {
    for (site, issue) in &issues {
        asked::recount(conn, (site, issue), due_at).await?;
    }
    Ok(())
});
write!(FollowAsked { issues: Vec<(SiteName, IssueId)> } -> (), |conn, _| {
    let issues: Vec<(&str, &str)> = issues
        .iter()
        .map(|(site, issue)| (site.as_str(), issue.as_str()))
        .collect();
    asked::follow(conn, &issues).await?;
    link_pages::follow(conn, &issues).await
});
write!(ClaimUnread { now: Millis, until: Millis, limit: i64 } -> Unread,
    |conn, _| asked::claim(conn, (now, until), limit).await);
write!(Participants {
        workspace: WorkspaceName, conversation: ConversationId, came: Came<Vec<String>>,
        at: Millis, due_at: Millis
    } -> (),
    |conn, _| asked::conversation(conn, (&workspace, &conversation), &came, (at, due_at)).await);
write!(CompaniesOf {
        workspace: WorkspaceName, contact: String, came: Came<Vec<Spending>>,
        at: Millis, due_at: Millis
    } -> (),
    |conn, _| asked::person(conn, (&workspace, &contact), &came, (at, due_at)).await);
write!(FollowStatuses { site: SiteName, seen: Vec<StatusSeen> } -> (),
    |conn, _| asked_pages::follow_statuses(conn, &site, &seen).await);
write!(HastenAsked { issues: Vec<(SiteName, IssueId)> } -> (),
    |conn, _| asked::hasten(conn, &issues).await);

impl Store {
    /// A part of the report.
    pub async fn asked_page(&self, query: &AskedQuery) -> Result<Vec<Asked>, StoreError> {
        asked_pages::page(&mut self.reader().await?, query).await
    }

    /// The names of the statuses that issues have which are linked, or (`live` is false) were.
    pub async fn asked_statuses(&self, live: bool) -> Result<Vec<String>, StoreError> {
        asked_pages::statuses(&mut self.reader().await?, live).await
    }

    /// Records the statuses of issues that were looked at, except of those of which something else
    /// was recorded meanwhile.
    pub async fn follow_statuses(
        &self,
        site: SiteName,
        seen: Vec<StatusSeen>,
    ) -> Result<(), StoreError> {
        self.write(FollowStatuses { site, seen }).await
    }

    /// What the report does not know yet.
    pub async fn asked_known(&self) -> Result<Known, StoreError> {
        asked::known(&mut self.reader().await?).await
    }

    /// Issues that are to be counted again.
    pub async fn asked_stale(&self, limit: i64) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
        asked::stale(&mut self.reader().await?, limit).await
    }

    /// Counts these issues again. Those of their conversations that were never read are due at
    /// `due_at`.
    pub async fn recount_asked(
        &self,
        issues: Vec<(SiteName, IssueId)>,
        due_at: Millis,
    ) -> Result<(), StoreError> {
        self.write(Recount { issues, due_at }).await
    }

    /// Takes up linked issues that the report does not have, of the next `limit` after `after`.
    /// Answers the last that was looked at; `None` at the end.
    pub async fn take_up_asked(
        &self,
        after: (SiteName, IssueId),
        limit: i64,
    ) -> Result<Option<(SiteName, IssueId)>, StoreError> {
        let (issues, last) = asked::missing(&mut self.reader().await?, &after, limit).await?;
        if !issues.is_empty() {
            self.write(FollowAsked { issues }).await?;
        }
        Ok(last)
    }

    /// Is anybody due to be read? It is asked often, and claiming is a write.
    pub async fn asked_due(&self, now: Millis) -> Result<bool, StoreError> {
        asked::due(&mut self.reader().await?, now).await
    }

    /// What is due to be read, at most `limit` conversations and people; nobody else gets it before
    /// `until`.
    pub async fn claim_unread(
        &self,
        (now, until): (Millis, Millis),
        limit: i64,
    ) -> Result<Unread, StoreError> {
        self.write(ClaimUnread { now, until, limit }).await
    }

    /// Records a try at reading who is in a conversation, which is due again at `due_at`.
    pub async fn put_participants(
        &self,
        (workspace, conversation): (WorkspaceName, ConversationId),
        came: Came<Vec<String>>,
        (at, due_at): (Millis, Millis),
    ) -> Result<(), StoreError> {
        self.write(Participants {
            workspace,
            conversation,
            came,
            at,
            due_at,
        })
        .await
    }

    /// Records a try at reading the companies of a person, who is due again at `due_at`.
    pub async fn put_companies_of(
        &self,
        (workspace, contact): (WorkspaceName, String),
        came: Came<Vec<Spending>>,
        (at, due_at): (Millis, Millis),
    ) -> Result<(), StoreError> {
        self.write(CompaniesOf {
            workspace,
            contact,
            came,
            at,
            due_at,
        })
        .await
    }

    /// The companies of a person as contact sync copied them; `None` if it did not.
    pub async fn copied_companies(
        &self,
        workspace: &WorkspaceName,
        contact: &str,
    ) -> Result<Option<Vec<Spending>>, StoreError> {
        asked::copied(&mut self.reader().await?, workspace, contact).await
    }

    /// Has the conversations of these issues that were never tried read now.
    pub async fn hasten_asked(&self, issues: Vec<(SiteName, IssueId)>) -> Result<(), StoreError> {
        self.write(HastenAsked { issues }).await
    }

    /// The issues with the most conversations.
    pub async fn most_asked(&self, limit: i64) -> Result<Vec<Asked>, StoreError> {
        let query = AskedQuery {
            order: AskedOrder::Conversations,
            ascending: false,
            limit,
            ..AskedQuery::default()
        };
        self.asked_page(&query).await
    }
}
