//! Conversations with end users as people look through them. Each answer is bounded, however much
//! there is.

use bowline_domain::effect::{EffectKey, EffectState};
use bowline_domain::ids::{CommentId, EventId, IssueKey, SiteName};
use bowline_domain::messaging::delivery::{Outbound, Resolved};
use bowline_domain::messaging::ids::{AccountName, DeskName, EndUserId, MessageId, RequestRef};
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;

use crate::error::StoreError;
use crate::model::{EffectView, WrittenLine};
use crate::sql::{talk_pages, transcript};
use crate::store::Store;

/// Whom or what conversations are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TalkSubject {
    /// The request with this key.
    Issue(IssueKey),
    /// This end user.
    EndUser(AccountName, EndUserId),
    /// Whoever is known by this value, such as a telephone number.
    Identity(String),
    /// Whoever has this in their name, in capitals or not.
    Name(String),
}

/// Where the time in which an active conversation can be answered is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowQuery {
    /// It ends after the first time and not after the second one; the earliest end comes first.
    EndsBetween(Millis, Millis),
    /// It has ended at this time; the latest end comes first.
    EndedBy(Millis),
}

/// Which messages to the end user a conversation has, of those about which nobody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendsQuery {
    /// One whose outcome is not known.
    Held,
    /// One that was not delivered or not sent.
    NotDelivered,
}

/// Which conversations. The newest comes first, unless the window is asked for.
#[derive(Clone, Debug, Default)]
pub struct TalkQuery {
    /// The active or the ended ones; `None`: both.
    pub live: Option<bool>,
    /// Of this desk only.
    pub desk: Option<DeskName>,
    /// Of this channel account only.
    pub account: Option<AccountName>,
    /// Those that go on by this platform now, by its word.
    pub platform: Option<String>,
    /// About this only.
    pub about: Option<TalkSubject>,
    /// With the window there only. Such are active.
    pub window: Option<WindowQuery>,
    /// With such messages only.
    pub sends: Option<SendsQuery>,
    /// After this one only.
    pub after: Option<TalkCursor>,
    /// At most this many.
    pub limit: i64,
}

/// A place in the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TalkCursor {
    /// When the conversation began, or when its window ends if that is asked for.
    pub at: Millis,
    /// Which.
    pub whose: RequestRef,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct TalkRow {
    /// Which.
    pub whose: RequestRef,
    /// How it is.
    pub request: Request,
    /// The end user's name, if it is known.
    pub name: Option<String>,
    /// Are they blocked?
    pub blocked: bool,
    /// Messages whose outcome is not known and about which nobody decided.
    pub held: i64,
    /// Messages that were not delivered or not sent and about which nobody decided.
    pub not_delivered: i64,
}

impl TalkRow {
    /// The place of this one among those that were asked for.
    pub fn cursor(&self, query: &TalkQuery) -> TalkCursor {
        let at = match query.window {
            Some(_) => self.request.window_ends_at().unwrap_or_default(),
            None => self.request.opened_at,
        };
        TalkCursor {
            at,
            whose: self.whose.clone(),
        }
    }
}

/// Which end users, the newest first.
#[derive(Clone, Debug, Default)]
pub struct EndUserQuery {
    /// The blocked ones only.
    pub blocked: bool,
    /// Whoever is known by this value only, such as a telephone number.
    pub identity: Option<String>,
    /// After this one only.
    pub after: Option<EndUserCursor>,
    /// At most this many.
    pub limit: i64,
}

/// A place in the list of end users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUserCursor {
    /// Since when they are known.
    pub since: Millis,
    /// The account.
    pub account: AccountName,
    /// Who.
    pub id: EndUserId,
}

/// An end user in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndUserRow {
    /// The account.
    pub account: AccountName,
    /// Who, without what they are known by.
    pub id: EndUserId,
    /// Their name, if it is known.
    pub name: Option<String>,
    /// The first thing that they are known by, in the order of the alphabet.
    pub identity: Option<String>,
    /// Are they blocked?
    pub blocked: bool,
    /// The Jira customer whom an agent said they are.
    pub customer: Option<String>,
    /// Since when they are known.
    pub since: Millis,
    /// Conversations so far.
    pub conversations: i64,
    /// Is one of them active?
    pub active: bool,
}

impl EndUserRow {
    /// The place of this one.
    pub fn cursor(&self) -> EndUserCursor {
        EndUserCursor {
            since: self.since,
            account: self.account.clone(),
            id: self.id.clone(),
        }
    }
}

/// A message to an end user, with what became of it.
#[derive(Clone, Debug)]
pub struct OutboundView {
    /// In which conversation.
    pub whose: RequestRef,
    /// The message.
    pub message: Outbound,
    /// What the provider calls it, once it took it.
    pub remote_id: Option<String>,
    /// What a person decided about it.
    pub resolved: Option<Resolved>,
    /// The delivery that made it; none, if nothing was to be sent at all.
    pub event: Option<EventId>,
    /// Where the write is.
    pub effect: Option<EffectState>,
}

/// What was said in a conversation, as far as it is kept, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// What the end user wrote.
    pub lines: Vec<WrittenLine>,
    /// The deliveries that brought it, by message.
    pub brought: Vec<(MessageId, EventId)>,
    /// In which comments it stands, by gathering. What is in none stands in the description.
    pub comments: Vec<(u32, CommentId)>,
    /// What went to the end user, or should have.
    pub outbound: Vec<OutboundView>,
    /// What the agents were told, internally.
    pub told: Vec<EffectView>,
    /// Is there more than is shown here? The latest is.
    pub cut: bool,
}

impl Store {
    /// A part of the conversations that are asked for.
    pub async fn talk_page(&self, query: &TalkQuery) -> Result<Vec<TalkRow>, StoreError> {
        talk_pages::talks(&mut self.reader().await?, query).await
    }

    /// How many conversations there are of those that are asked for, on all pages together.
    pub async fn talk_count(&self, query: &TalkQuery) -> Result<i64, StoreError> {
        talk_pages::count(&mut self.reader().await?, query).await
    }

    /// The keys of the requests at a site whose conversations are active.
    pub async fn live_requests(&self, site: &SiteName) -> Result<Vec<IssueKey>, StoreError> {
        talk_pages::live_requests(&mut self.reader().await?, site).await
    }

    /// A part of the end users that are asked for.
    pub async fn end_user_page(&self, query: &EndUserQuery) -> Result<Vec<EndUserRow>, StoreError> {
        talk_pages::end_users(&mut self.reader().await?, query).await
    }

    /// What was said in a conversation.
    pub async fn transcript(&self, whose: &RequestRef) -> Result<Transcript, StoreError> {
        transcript::read(&mut self.reader().await?, whose).await
    }

    /// A message to an end user with what became of it.
    pub async fn outbound_view(&self, key: &EffectKey) -> Result<Option<OutboundView>, StoreError> {
        transcript::one(&mut self.reader().await?, key).await
    }

    /// What a person decided about a message to an end user.
    pub async fn resolution(&self, key: &EffectKey) -> Result<Option<Resolved>, StoreError> {
        let found = self.outbound_view(key).await?;
        Ok(found.and_then(|found| found.resolved))
    }

    /// Messages about which a person has to decide, the latest first, at most this many.
    pub async fn unresolved(
        &self,
        which: SendsQuery,
        limit: i64,
    ) -> Result<Vec<OutboundView>, StoreError> {
        transcript::unresolved(&mut self.reader().await?, which, limit).await
    }
}
