//! Events about conversations with end users: what providers tell, what happened in requests, and
//! what became of our own sends. Each is planned in the lane of its end user.

mod archived;
mod by_hand;
mod join;
mod provider;
mod request;

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectKey;
use bowline_domain::ids::{CommentId, EventId, IssueId, LaneKey, SiteName};
use bowline_domain::messaging::delivery::{Delivery, Outbound, Resolution};
use bowline_domain::messaging::ids::{AccountName, EndUserId, RequestRef};
use bowline_domain::messaging::plan::{self, Plan, Report};
use bowline_domain::messaging::text::CustomerText;
use bowline_domain::messaging::words::Missing;
use bowline_domain::observation::CommentVisibility;
use bowline_domain::outcome::Reason;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_store::Store;
use bowline_store::model::{
    Accepted, Decided, EventSource, NewEvent, OnArrival, StoredEvent, Talk, TalkChanges,
};
use serde::{Deserialize, Serialize};

use super::internal::store;
use super::{Trouble, nothing};
use crate::ingress::Refusal;
use crate::shared::Shared;

pub use by_hand::{queue_about_send, queue_test_message};
pub(crate) use request::{COMMENT, files_of, read_comment};

/// An event of our own making about a conversation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "talk", rename_all = "snake_case")]
pub(crate) enum TalkEvent {
    /// Something happened in the request, or may have.
    Look {
        /// Which of the end user's.
        generation: u32,
        /// A delivery says that the issue was deleted.
        #[serde(default)]
        deleted: bool,
        /// A delivery says that somebody else wrote this comment, which we may not be able to read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commented: Option<CommentId>,
    },
    /// A message of ours is where it is for good, as the courier found.
    Outcome {
        /// The effect that was to send it.
        key: EffectKey,
        /// Where it is.
        delivery: Delivery,
        /// Why.
        reason: String,
        /// The status since, if it is about one that held no more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        superseded_by: Option<String>,
    },
    /// A file of the end user's could not be attached.
    FileMissing {
        /// Which of the end user's conversations.
        generation: u32,
        /// The file's name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The window for answers ends soon.
    WindowEnds {
        /// Which of the end user's conversations.
        generation: u32,
    },
    /// A person wants a message sent again.
    SendAgain {
        /// The effect that was to send it.
        key: EffectKey,
        /// Who wants it, for people.
        #[serde(default)]
        by: String,
    },
    /// A person decided that a message is not to be sent again.
    LetBe {
        /// The effect that was to send it.
        key: EffectKey,
        /// Did it arrive, as they found out?
        arrived: bool,
        /// Who decided, for people.
        by: String,
    },
    /// An administrator wants a test message sent.
    TestMessage {
        /// In which of the end user's conversations.
        generation: u32,
    },
    /// A person wants the approved message sent.
    SendTemplate {
        /// In which of the end user's conversations.
        generation: u32,
    },
    /// Something waits to be sent, and the account for it is not configured any more.
    Unserved {
        /// In which of the end user's conversations.
        generation: u32,
    },
}

impl TalkEvent {
    /// The word for what it is.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Look { .. } => "look",
            Self::Outcome { .. } => "outcome",
            Self::FileMissing { .. } => "file",
            Self::WindowEnds { .. } => "window",
            Self::SendAgain { .. } => "again",
            Self::SendTemplate { .. } => "template",
            Self::LetBe { .. } => "let_be",
            Self::TestMessage { .. } => "test",
            Self::Unserved { .. } => "unserved",
        }
    }
}

/// The end user of a lane, if it is one of an end user.
pub(super) fn end_user_of_lane(lane: &LaneKey) -> Option<(AccountName, EndUserId)> {
    let mut parts = lane.as_str().split('/');
    match (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) {
        (Some("event"), Some(account), Some("u"), Some(end_user), None) => {
            Some((AccountName::new(account), EndUserId::new(end_user)))
        }
        _ => None,
    }
}

/// Plans an event of a conversation.
pub(super) async fn decide(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    if event.source == EventSource::Channel {
        return provider::decide(shared, event).await;
    }
    let Some((account, end_user)) = end_user_of_lane(&event.lane) else {
        return Ok(nothing(Reason::NotOurs));
    };
    let told: TalkEvent = serde_json::from_str(&event.body)
        .map_err(|error| Trouble::Hopeless(format!("The event cannot be read: {error}.")))?;
    let of = |generation| RequestRef {
        account: account.clone(),
        end_user: end_user.clone(),
        generation,
    };
    match told {
        TalkEvent::Look {
            generation,
            deleted,
            commented,
        } => request::look(shared, &of(generation), (deleted, commented)).await,
        TalkEvent::Outcome {
            key,
            delivery,
            reason,
            superseded_by,
        } => outcome(shared, &key, (delivery, reason), superseded_by).await,
        TalkEvent::FileMissing {
            generation,
            name,
            reason,
        } => {
            report(
                shared,
                &of(generation),
                &Report::FileMissing { name, reason },
            )
            .await
        }
        TalkEvent::WindowEnds { generation } => {
            report(shared, &of(generation), &Report::WindowEnds).await
        }
        TalkEvent::SendAgain { key, by } => send_again(shared, event, &key, by).await,
        TalkEvent::LetBe { key, arrived, by } => let_be(shared, &key, arrived, by).await,
        TalkEvent::TestMessage { generation } => {
            let asked = event.id.to_string();
            report(shared, &of(generation), &Report::TestMessage { asked }).await
        }
        TalkEvent::SendTemplate { generation } => {
            send_template(shared, event, &of(generation)).await
        }
        TalkEvent::Unserved { generation } => unserved(shared, &of(generation)).await,
    }
}

/// Plans what became of a message of ours.
async fn outcome(
    shared: &Shared,
    key: &EffectKey,
    (now, reason): (Delivery, String),
    superseded_by: Option<String>,
) -> Result<Decided, Trouble> {
    let Some((whose, message)) = shared.store.outbound(key).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let told = match superseded_by {
        Some(by) => Report::Overtaken { message, by },
        None => Report::Delivery {
            message,
            now,
            reason: Some(reason),
        },
    };
    report(shared, &whose, &told).await
}

async fn send_again(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    key: &EffectKey,
    by: String,
) -> Result<Decided, Trouble> {
    let Some((whose, message)) = shared.store.outbound(key).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    if shared.store.resolution(key).await?.is_some() {
        // Asked for twice, or let be meanwhile: one new message at most.
        return Ok(nothing(Reason::NotSentAgain));
    }
    let asked = event.id.to_string();
    let visibility = visibility(shared, &whose, &message).await?;
    let told = if message.file().is_some() {
        Report::SendFileAgain {
            message,
            asked,
            public: visibility == Some(CommentVisibility::Public),
            by,
        }
    } else {
        let text = match visibility {
            Some(visibility) => CustomerText::again(&message, visibility),
            None => CustomerText::of_notification(&message),
        };
        Report::SendAgain {
            message,
            asked,
            text,
            by,
        }
    };
    report(shared, &whose, &told).await
}

async fn let_be(
    shared: &Arc<Shared>,
    key: &EffectKey,
    arrived: bool,
    by: String,
) -> Result<Decided, Trouble> {
    let Some((whose, message)) = shared.store.outbound(key).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    if shared.store.resolution(key).await?.is_some() {
        return Ok(nothing(Reason::AlreadyHandled));
    }
    let told = Report::LetBe {
        message,
        arrived,
        by,
    };
    report(shared, &whose, &told).await
}

/// Who may read the comment that a message carries, as it is now; `None` if it carries none or the
/// comment is gone.
async fn visibility(
    shared: &Arc<Shared>,
    whose: &RequestRef,
    message: &Outbound,
) -> Result<Option<CommentVisibility>, Trouble> {
    let (Some(comment), Some(talk)) = (&message.comment, shared.store.talk(whose).await?) else {
        return Ok(None);
    };
    let read = read_comment(shared, &talk, comment).await?;
    Ok(read.map(|read| read.visibility))
}

async fn send_template(
    shared: &Shared,
    event: &StoredEvent,
    whose: &RequestRef,
) -> Result<Decided, Trouble> {
    let Some(talk) = shared.store.talk(whose).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let template = shared.window_template(&talk);
    let key = talk.request.issue.map(|(_, key)| key);
    let told = Report::SendTemplate {
        template: key.zip(template),
        asked: event.id.to_string(),
    };
    report(shared, whose, &told).await
}

/// Something waits for an account that is not there, unless it is again.
async fn unserved(shared: &Shared, whose: &RequestRef) -> Result<Decided, Trouble> {
    let registry = shared.registry();
    if registry.accounts.contains_key(&whose.account) {
        return Ok(nothing(Reason::NothingNew));
    }
    let missing = Missing::Account(whose.account.clone());
    report(shared, whose, &Report::Unserved { missing }).await
}

/// Plans a report about a conversation.
async fn report(shared: &Shared, whose: &RequestRef, told: &Report) -> Result<Decided, Trouble> {
    let Some(talk) = shared.store.talk(whose).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let Talk {
        whose,
        end_user,
        request,
    } = talk;
    let plan = plan::provider(&whose.account, &end_user, &request, told, shared.now());
    Ok(decided(
        whose,
        &request.site,
        request.issue.map(|(id, _)| id),
        plan,
    ))
}

/// A plan as the store takes it.
fn decided(whose: RequestRef, site: &SiteName, issue: Option<IssueId>, plan: Plan) -> Decided {
    let Plan {
        changes,
        facts,
        effects,
        outcome,
    } = plan;
    Decided {
        issue: issue.map(|issue| (site.clone(), issue)),
        facts,
        talk: Some(Box::new(TalkChanges { whose, changes })),
        effects,
        outcome,
        ..Decided::default()
    }
}

/// An event of ours about a conversation, in the lane of its end user. `name` is what it is known
/// by, so that it is stored once.
pub(crate) fn talk_event(
    whose: &RequestRef,
    told: &TalkEvent,
    source: EventSource,
    name: String,
    at: Millis,
) -> Result<NewEvent, Refusal> {
    let body = serde_json::to_string(told)
        .map_err(|error| Refusal::BadBody(format!("the event cannot be written: {error}")))?;
    Ok(NewEvent {
        source,
        connection: Connection::Account(whose.account.clone()),
        delivery: name,
        lane: LaneKey::end_user_events(&whose.account, &whose.end_user),
        topic: told.word().to_owned(),
        received_at: at,
        body: body.into(),
        take: true,
        on_arrival: OnArrival::Queue,
    })
}

/// If the issue of a Jira delivery is a request of messaging, has it looked at in the lane of its
/// end user. Answers the key of the issue then. Whether a desk still serves it does not matter: if
/// none does, its agents have to be told.
pub(super) async fn hand_on(
    shared: &Arc<Shared>,
    event: &StoredEvent,
) -> Result<Option<String>, Trouble> {
    let Connection::Site(site) = &event.connection else {
        return Ok(None);
    };
    let Ok(peek) = jira::webhook::peek(event.body.as_bytes()) else {
        return Ok(None);
    };
    let Some(issue) = peek.issue_id.map(IssueId::new) else {
        return Ok(None);
    };
    let Some(talk) = shared.store.talk_of_issue(site, &issue).await? else {
        return Ok(None);
    };
    let look = TalkEvent::Look {
        generation: talk.whose.generation,
        deleted: peek.event == "jira:issue_deleted",
        commented: commented(shared, site, event),
    };
    let name = format!("jira-{}", event.id);
    let new = talk_event(
        &talk.whose,
        &look,
        EventSource::Reconciler,
        name,
        event.received_at,
    );
    let new = new.map_err(|error| Trouble::Hopeless(error.to_string()))?;
    store(shared, new).await?;
    Ok(talk.request.issue.map(|(_, key)| key.to_string()))
}

/// The comment that a delivery says somebody else wrote. Only that one did is taken from it.
fn commented(shared: &Shared, site: &SiteName, event: &StoredEvent) -> Option<CommentId> {
    let told = jira::webhook::parse(event.body.as_bytes()).ok()?;
    if told.event != jira::webhook::EventKind::CommentCreated {
        return None;
    }
    let comment = told.comment?;
    let registry = shared.registry();
    let us = registry.sites.get(site)?.standing.known().actor_id;
    let author = comment.author.map(|person| person.id);
    (author.is_some() && author != us).then(|| CommentId::new(comment.id))
}

/// Has a message to an end user sent again, by a person's word. `now` and `chance` name the asking.
///
/// # Errors
/// The store fails, or there is no such message.
pub async fn queue_send_again(
    store: &Store,
    key: &EffectKey,
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    queue_about_send(store, key, (Resolution::SentAgain, ""), (now, chance)).await
}

/// Has the approved message of the desk sent in a conversation, by a person's word, because the
/// reply window has ended. `now` and `chance` name the asking. What becomes of it, or why it is not
/// sent, is the outcome of the event.
///
/// # Errors
/// The store fails, or there is no such conversation.
pub async fn queue_send_template(
    store: &Store,
    whose: &RequestRef,
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    if store.talk(whose).await?.is_none() {
        return Err(Refusal::BadBody("there is no such conversation".to_owned()));
    }
    let told = TalkEvent::SendTemplate {
        generation: whose.generation,
    };
    let name = format!("template-{}-{chance:016x}", now.0);
    queue(store, whose, &told, (name, now)).await
}

/// Puts what a person wants into the lane of its end user.
async fn queue(
    store: &Store,
    whose: &RequestRef,
    told: &TalkEvent,
    (name, now): (String, Millis),
) -> Result<EventId, Refusal> {
    let event = talk_event(whose, told, EventSource::Command, name, now)?;
    let accepted = store
        .accept(NewEvent {
            take: false,
            ..event
        })
        .await?;
    store.wake().await?;
    match accepted {
        Accepted::Fresh { event, .. } => Ok(event),
        Accepted::Duplicate | Accepted::Decided { .. } => Err(Refusal::Overloaded),
    }
}
