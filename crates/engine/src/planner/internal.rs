//! Events of our own making: the notify address, the reconciler's looks, people's commands.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::happening::Happening;
use bowline_domain::ids::{ConversationId, EventId, IssueId, LaneKey, SiteName, WorkspaceName};
use bowline_domain::link::Via;
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_store::Store;
use bowline_store::model::{Accepted, Decided, EventSource, NewEvent, OnArrival, StoredEvent};
use serde::{Deserialize, Serialize};

use super::catch_up::catch_up;
use super::from_jira::is_absent;
use super::observe::Reader;
use super::{Trouble, issue_of_lane, nothing, site_of, unseen};
use crate::ingress::{NotifyRequest, Refusal};
use crate::shared::Shared;

/// The reconciler saw that an issue changed, or sees it for the first time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The issue.
    pub(crate) issue: String,
    /// What happened from then on is told, by Jira's clock.
    pub(crate) since: Millis,
    /// Jira did not show it, twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unseen: bool,
}

/// Puts a look into the queue of its issue. Of several with one name the first counts.
///
/// # Errors
/// It cannot be stored.
pub(crate) async fn queue_look(
    shared: &Shared,
    site: &SiteName,
    look: &Look,
    name: String,
) -> Result<(), String> {
    let event = NewEvent {
        source: EventSource::Reconciler,
        connection: Connection::Site(site.clone()),
        delivery: name,
        lane: LaneKey::events(site, &IssueId::new(look.issue.as_str())),
        topic: "look".to_owned(),
        received_at: shared.now(),
        body: serde_json::to_string(look)
            .map_err(|error| error.to_string())?
            .into(),
        take: false,
        on_arrival: OnArrival::Queue,
    };
    let stored = shared.store_event(event).await;
    stored.map(drop).map_err(|error| error.to_string())
}

/// What a person, or another event, asks to be done to an issue's links.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Command {
    /// Link a conversation.
    Link {
        issue: String,
        workspace: String,
        conversation: String,
        by: String,
        /// Where they did it, as [`Via::word`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<String>,
        #[serde(default)]
        imported: bool,
    },
    /// End a link.
    Unlink {
        issue: String,
        workspace: String,
        conversation: String,
    },
    /// The conversation is no more.
    ConversationGone {
        issue: String,
        workspace: String,
        conversation: String,
    },
    /// The conversation was merged into another one.
    ConversationMerged {
        issue: String,
        workspace: String,
        conversation: String,
        into: String,
    },
}

impl Command {
    fn issue(&self) -> &str {
        match self {
            Self::Link { issue, .. }
            | Self::Unlink { issue, .. }
            | Self::ConversationGone { issue, .. }
            | Self::ConversationMerged { issue, .. } => issue,
        }
    }

    fn happening(&self) -> Happening {
        let at = |workspace: &str, conversation: &str| {
            (
                WorkspaceName::new(workspace),
                ConversationId::new(conversation),
            )
        };
        match self {
            Self::Link {
                workspace,
                conversation,
                by,
                via,
                imported,
                ..
            } => {
                let (workspace, conversation) = at(workspace, conversation);
                Happening::LinkAdded {
                    workspace,
                    conversation,
                    by: by.clone(),
                    via: via.as_deref().and_then(Via::from_word),
                    imported: *imported,
                }
            }
            Self::Unlink {
                workspace,
                conversation,
                ..
            } => {
                let (workspace, conversation) = at(workspace, conversation);
                Happening::LinkRemoved {
                    workspace,
                    conversation,
                }
            }
            Self::ConversationGone {
                workspace,
                conversation,
                ..
            } => {
                let (workspace, conversation) = at(workspace, conversation);
                Happening::ConversationGone {
                    workspace,
                    conversation,
                }
            }
            Self::ConversationMerged {
                workspace,
                conversation,
                into,
                ..
            } => {
                let (workspace, conversation) = at(workspace, conversation);
                Happening::ConversationMerged {
                    workspace,
                    conversation,
                    into: ConversationId::new(into.as_str()),
                }
            }
        }
    }
}

fn body<'e, T: Deserialize<'e>>(event: &'e StoredEvent) -> Result<T, Trouble> {
    serde_json::from_str(&event.body)
        .map_err(|error| Trouble::Hopeless(format!("The event cannot be read: {error}.")))
}

/// A call of the notify address.
pub(super) async fn notify(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let site = site_of(shared, event)?;
    let request: NotifyRequest = body(event)?;
    let reader = Reader {
        shared,
        site,
        since_taken: None,
    };
    let Some((_, issue)) = issue_of_lane(&event.lane) else {
        return hand_on(&reader, event, &request.issue).await;
    };
    let happenings = [Happening::Asked {
        event: event.id,
        note: request.note,
        reopen: request.reopen,
        text: request.text.filter(|text| !text.trim().is_empty()),
    }];
    let state = reader.state(&IssueId::new(issue), &happenings).await?;
    reader.observe_and_plan(&state, &happenings).await
}

/// The event names its issue by key, and the lane is found by id: asks Jira for the id and puts
/// the event into its lane.
async fn hand_on(reader: &Reader<'_>, event: &StoredEvent, key: &str) -> Result<Decided, Trouble> {
    let found = reader
        .call(reader.site.client.issue(key, jira::IssueRead::default()))
        .await;
    let issue = match found {
        Ok(issue) => issue,
        Err(error) if is_absent(&error) => return Ok(nothing(Reason::IssueGone)),
        Err(error) => return Err(reader.trouble(error)),
    };
    let handed = NewEvent {
        source: event.source,
        connection: event.connection.clone(),
        delivery: format!("event-{}", event.id),
        lane: LaneKey::events(reader.name(), &IssueId::new(issue.id)),
        topic: event.topic.clone(),
        received_at: event.received_at,
        body: Arc::clone(&event.body),
        take: true,
        on_arrival: OnArrival::Queue,
    };
    store(reader.shared, handed).await?;
    Ok(nothing(Reason::HandedOn { key: issue.key }))
}

pub(super) async fn store(shared: &Shared, event: NewEvent) -> Result<(), Trouble> {
    match shared.store_event(event).await {
        Ok(_) => Ok(()),
        Err(Refusal::Failed(error)) => Err(Trouble::Store(error)),
        Err(_) => Err(Trouble::Store(bowline_store::StoreError::Overloaded {
            waiting: bowline_store::committer::WAITING_MAX,
        })),
    }
}

/// A person's command.
pub(super) async fn command(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let site = site_of(shared, event)?;
    let command: Command = body(event)?;
    let reader = Reader {
        shared,
        site,
        since_taken: None,
    };
    if issue_of_lane(&event.lane).is_none() {
        return hand_on(&reader, event, command.issue()).await;
    }
    let issue = issue_of_lane(&event.lane).map_or_else(String::new, |(_, issue)| issue.to_owned());
    let happenings = [command.happening()];
    let state = reader.state(&IssueId::new(issue), &happenings).await?;
    reader.observe_and_plan(&state, &happenings).await
}

/// A look by the reconciler: tells what was missed.
pub(super) async fn look(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let site = site_of(shared, event)?;
    let look: Look = body(event)?;
    let reader = Reader {
        shared,
        site,
        since_taken: None,
    };
    let issue = IssueId::new(look.issue);
    if look.unseen {
        return unseen::look(&reader, &issue, look.since).await;
    }
    let decided = catch_up(&reader, &issue, look.since, &[Happening::Looked]).await?;
    let decided = super::tally::looked(shared, event, &issue, decided).await?;
    let tickets = crate::feedback::tickets_behind(shared, event).await?;
    crate::feedback::follow(shared, event, &tickets, decided).await
}

/// Puts a person's command about a link into the queue of its issue: linking `by` someone, who did
/// it there, or ending the link. Carried out by whichever process works the lanes. `now` and
/// `chance` name it.
///
/// # Errors
/// The store fails.
pub async fn queue_link_command(
    store: &Store,
    (site, issue): (&SiteName, &str),
    (workspace, conversation): (&str, &str),
    by: Option<(&str, Via)>,
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    let (issue, workspace, conversation) = (
        issue.to_owned(),
        workspace.to_owned(),
        conversation.to_owned(),
    );
    let command = match by {
        Some((by, via)) => Command::Link {
            issue,
            workspace,
            conversation,
            by: by.to_owned(),
            via: Some(via.word().to_owned()),
            imported: false,
        },
        None => Command::Unlink {
            issue,
            workspace,
            conversation,
        },
    };
    queue_command(store, site, &command, (now, chance)).await
}

/// Puts a link from a file into the queue of its issue: its conversation gets no note.
///
/// # Errors
/// The store fails.
pub async fn queue_link_import(
    store: &Store,
    (site, issue): (&SiteName, &str),
    (workspace, conversation): (&str, &str),
    by: &str,
    drawn: (Millis, u64),
) -> Result<EventId, Refusal> {
    let command = Command::Link {
        issue: issue.to_owned(),
        workspace: workspace.to_owned(),
        conversation: conversation.to_owned(),
        by: by.to_owned(),
        via: None,
        imported: true,
    };
    queue_command(store, site, &command, drawn).await
}

async fn queue_command(
    store: &Store,
    site: &SiteName,
    command: &Command,
    (now, chance): (Millis, u64),
) -> Result<EventId, Refusal> {
    let known = store.issue_by_key(site, command.issue()).await?;
    let event = command_event(
        site,
        known,
        command,
        format!("{}-{chance:016x}", now.0),
        now,
    )?;
    let accepted = store
        .accept(NewEvent {
            take: false,
            ..event
        })
        .await?;
    store.wake().await?;
    match accepted {
        Accepted::Fresh { event, .. } | Accepted::Decided { event } => Ok(event),
        Accepted::Duplicate => Err(Refusal::Overloaded),
    }
}

/// A command as an event in the lane of its issue, or in the site's loose lane while the issue's
/// id is not known.
pub(super) fn command_event(
    site: &SiteName,
    issue: Option<IssueId>,
    command: &Command,
    delivery: String,
    at: Millis,
) -> Result<NewEvent, Refusal> {
    let connection = Connection::Site(site.clone());
    let body = serde_json::to_string(command)
        .map_err(|error| Refusal::BadBody(format!("the command cannot be written: {error}")))?;
    Ok(NewEvent {
        source: EventSource::Command,
        lane: issue.map_or_else(
            || LaneKey::loose_events(&connection.key()),
            |issue| LaneKey::events(site, &issue),
        ),
        connection,
        delivery,
        topic: "command".to_owned(),
        received_at: at,
        body: body.into(),
        take: true,
        on_arrival: OnArrival::Queue,
    })
}

/// An outcome that only made effects.
pub(super) fn effects_only(effects: Vec<bowline_domain::effect::Effect>) -> Decided {
    let outcome = Outcome {
        effects: effects.len(),
        reasons: Vec::new(),
    };
    Decided {
        effects,
        outcome,
        ..Decided::default()
    }
}

/// Ends the link of a conversation that is no more, in the lane of its issue.
pub(crate) async fn conversation_gone(
    shared: &Shared,
    (site, issue): (&SiteName, &IssueId),
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    delivery: String,
) -> Result<(), Refusal> {
    let command = Command::ConversationGone {
        issue: issue.to_string(),
        workspace: workspace.to_string(),
        conversation: conversation.to_string(),
    };
    let event = command_event(site, Some(issue.clone()), &command, delivery, shared.now())?;
    shared.store_event(event).await.map(drop)
}

/// Has the link of a conversation that was merged led to the one that goes on, in the lane of its
/// issue.
pub(crate) async fn conversation_merged(
    shared: &Shared,
    (site, issue): (&SiteName, &IssueId),
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    into: &ConversationId,
    delivery: String,
) -> Result<(), Refusal> {
    let command = Command::ConversationMerged {
        issue: issue.to_string(),
        workspace: workspace.to_string(),
        conversation: conversation.to_string(),
        into: into.to_string(),
    };
    let event = command_event(site, Some(issue.clone()), &command, delivery, shared.now())?;
    shared.store_event(event).await.map(drop)
}
