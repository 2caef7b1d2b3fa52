//! From a request's bytes to a stored event: verify over the raw bytes, find the lane, store.
//! Nothing else happens while the sender waits.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::contacts::ids::{RemoteCompanyId, RemoteContactId};
use bowline_domain::ids::{ConversationId, EventId, IssueId, LaneKey, SiteName, WorkspaceName};
use bowline_intercom as intercom;
use bowline_jira as jira;
use bowline_store::StoreError;
use bowline_store::model::{Accepted, EventSource, NewEvent, OnArrival, StoredEvent};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::glance::Glance;
use crate::registry::Registry;
use crate::shared::{Handed, Shared};

/// Why a delivery is not stored.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such connection, or it has no such address. Says no more on purpose.
    #[error("not found")]
    UnknownConnection,
    /// The signature or bearer is missing or wrong.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// The body is not JSON (or not of the form of the notify address).
    #[error("{0}")]
    BadBody(String),
    /// Too much waits; the sender is to come back.
    #[error("too much is waiting; send it again later")]
    Overloaded,
    /// It could not be stored.
    #[error("the delivery could not be stored")]
    Failed(#[source] StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded { .. } => Self::Overloaded,
            other => Self::Failed(other),
        }
    }
}

/// What was done with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id, if it was stored now; `None` if it had been stored before.
    pub event: Option<EventId>,
}

/// A delivery from Jira.
pub struct JiraDelivery<'r> {
    /// The site's name, from the address.
    pub site: &'r str,
    /// The body as it came.
    pub body: &'r [u8],
    /// `X-Hub-Signature`.
    pub signature: Option<&'r str>,
    /// `X-Atlassian-Webhook-Identifier`: the same on every retry. Data Center sends none.
    pub identifier: Option<&'r str>,
}

/// A delivery from Intercom.
pub struct IntercomDelivery<'r> {
    /// The workspace's name, from the address.
    pub workspace: &'r str,
    /// The body as it came.
    pub body: &'r [u8],
    /// `X-Hub-Signature`.
    pub signature: Option<&'r str>,
}

/// What the notify address takes.
#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyRequest {
    /// The issue, by key or id.
    pub issue: String,
    /// Post a note.
    #[serde(default)]
    pub note: bool,
    /// Re-open the linked conversations that are closed.
    #[serde(default)]
    pub reopen: bool,
    /// The text of the note.
    #[serde(default)]
    pub text: Option<String>,
}

impl Shared {
    /// Takes a Jira delivery. When this returns, the delivery is durable.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn receive_jira(&self, delivery: JiraDelivery<'_>) -> Result<Receipt, Refusal> {
        let registry = self.registry();
        let site = registry
            .sites
            .get(&SiteName::new(delivery.site))
            .ok_or(Refusal::UnknownConnection)?;
        let secrets: Vec<&str> = site
            .config
            .webhook_secrets
            .iter()
            .map(secrecy::ExposeSecret::expose_secret)
            .collect();
        if !jira::webhook::verify(&secrets, delivery.body, delivery.signature) {
            return Err(Refusal::BadSignature);
        }
        let text = utf8(delivery.body)?;
        let connection = Connection::Site(site.config.name.clone());
        let peek = jira::webhook::peek(delivery.body);
        let (lane, topic, on_arrival) = match peek {
            Ok(peek) => {
                let topic = topic_name(&peek.event);
                match peek.issue_id.as_deref().map(IssueId::new) {
                    Some(issue) => {
                        let lane = LaneKey::events(&site.config.name, &issue);
                        let glance = Glance {
                            shared: self,
                            registry: &registry,
                            site,
                        };
                        (lane, topic, glance.at(issue, &peek, &text))
                    }
                    None => (
                        LaneKey::loose_events(&connection.key()),
                        topic,
                        OnArrival::Queue,
                    ),
                }
            }
            Err(jira::webhook::ParseError::NotJson) => return Err(not_json()),
            Err(jira::webhook::ParseError::UnknownShape(why)) => {
                let lane = LaneKey::loose_events(&connection.key());
                (lane, "unknown".to_owned(), quarantined(&why))
            }
        };
        let name = delivery
            .identifier
            .map_or_else(|| digest(delivery.body), given_name);
        self.webhook_seen(&registry, &connection).await;
        self.store_event(NewEvent {
            source: EventSource::Jira,
            take: site.standing.works(),
            connection,
            delivery: name,
            lane,
            topic,
            received_at: self.now(),
            body: text,
            on_arrival,
        })
        .await
    }

    /// Takes an Intercom delivery. When this returns, the delivery is durable.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn receive_intercom(
        &self,
        delivery: IntercomDelivery<'_>,
    ) -> Result<Receipt, Refusal> {
        let registry = self.registry();
        let name = WorkspaceName::new(delivery.workspace);
        let workspace = registry
            .workspaces
            .get(&name)
            .ok_or(Refusal::UnknownConnection)?;
        let signed = workspace.config.client_secrets.iter().any(|secret| {
            intercom::webhook::verify(secret.expose_secret(), delivery.body, delivery.signature)
        });
        if !signed {
            return Err(Refusal::BadSignature);
        }
        let text = utf8(delivery.body)?;
        let connection = Connection::Workspace(name.clone());
        let loose = || LaneKey::loose_events(&connection.key());
        let mut delivery_name = None;
        let (lane, topic, on_arrival) = match intercom::webhook::parse(delivery.body) {
            Ok(notification) => {
                delivery_name = notification.id;
                let lane = match &notification.item {
                    intercom::webhook::Item::Conversation { conversation, .. }
                        if is_number(&conversation.id) =>
                    {
                        let id = ConversationId::new(conversation.id.as_str());
                        LaneKey::workspace_events(&name, &id)
                    }
                    intercom::webhook::Item::ConversationDeleted { conversation_id }
                        if is_number(conversation_id) =>
                    {
                        let id = ConversationId::new(conversation_id.as_str());
                        LaneKey::workspace_events(&name, &id)
                    }
                    intercom::webhook::Item::Contact { id, .. }
                    | intercom::webhook::Item::ContactDeleted { id }
                        if is_contact_id(id) =>
                    {
                        LaneKey::contact_events(&name, &RemoteContactId::new(id.as_str()))
                    }
                    intercom::webhook::Item::Company { id } if is_contact_id(id) => {
                        LaneKey::company_events(&name, &RemoteCompanyId::new(id.as_str()))
                    }
                    _ => loose(),
                };
                (lane, topic_name(&notification.topic), OnArrival::Queue)
            }
            Err(intercom::webhook::ParseError::NotJson) => return Err(not_json()),
            Err(intercom::webhook::ParseError::UnknownShape(why)) => {
                (loose(), "unknown".to_owned(), quarantined(&why))
            }
        };
        self.webhook_seen(&registry, &connection).await;
        self.store_event(NewEvent {
            source: EventSource::Intercom,
            take: workspace.standing.works(),
            connection,
            delivery: delivery_name.map_or_else(|| digest(delivery.body), |name| given_name(&name)),
            lane,
            topic,
            received_at: self.now(),
            body: text,
            on_arrival,
        })
        .await
    }

    /// Takes a call of a site's notify address. When this returns, it is durable. `key` is the
    /// caller's own name for the call, if it gave one: the same name is taken once.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn receive_notify(
        &self,
        site: &str,
        bearer: Option<&str>,
        key: Option<&str>,
        body: &[u8],
    ) -> Result<Receipt, Refusal> {
        let registry = self.registry();
        let site = registry
            .sites
            .get(&SiteName::new(site))
            .ok_or(Refusal::UnknownConnection)?;
        let token = site
            .config
            .notify_token
            .as_ref()
            .ok_or(Refusal::UnknownConnection)?;
        let given = bearer.unwrap_or_default();
        if !same_secret(given.as_bytes(), token.expose_secret().as_bytes()) {
            return Err(Refusal::BadSignature);
        }
        let request: NotifyRequest = serde_json::from_slice(body).map_err(|error| {
            Refusal::BadBody(format!(
                "the body must be like {{\"issue\": \"ENG-1\", \"note\": true, \"reopen\": true, \
                 \"text\": \"optional\"}}: {error}"
            ))
        })?;
        let name = &site.config.name;
        let connection = Connection::Site(name.clone());
        if request.issue.len() > NAME_BYTES_MAX || !is_printable(&request.issue) {
            return Err(Refusal::BadBody(
                "`issue` must be an issue's key or id".to_owned(),
            ));
        }
        let known = if is_number(&request.issue) {
            Some(IssueId::new(request.issue.as_str()))
        } else {
            self.store.issue_by_key(name, &request.issue).await?
        };
        let lane = known.map_or_else(
            || LaneKey::loose_events(&connection.key()),
            |issue| LaneKey::events(name, &issue),
        );
        let unnamed = || format!("{}-{:016x}", self.now().0, self.random());
        self.store_event(NewEvent {
            source: EventSource::Notify,
            connection,
            delivery: key.map_or_else(unnamed, given_name),
            lane,
            topic: "notify".to_owned(),
            received_at: self.now(),
            body: utf8(body)?,
            take: site.standing.works(),
            on_arrival: OnArrival::Queue,
        })
        .await
    }

    /// Stores an event and hands its lane on if it was idle.
    pub(crate) async fn store_event(&self, mut event: NewEvent) -> Result<Receipt, Refusal> {
        event.take &= self.hands.lanes.room() > 0;
        let stored = StoredEvent {
            id: EventId(0),
            source: event.source,
            connection: event.connection.clone(),
            lane: event.lane.clone(),
            topic: event.topic.clone(),
            received_at: event.received_at,
            body: Arc::clone(&event.body),
        };
        let (from, topic) = (event.source, event.topic.clone());
        let source = from.as_str();
        let reason = match &event.on_arrival {
            OnArrival::NothingIfUnlinked(asked) => asked.reason.code(),
            OnArrival::Queue | OnArrival::Quarantine(_) => "",
        };
        let (hands, kept) = (Arc::clone(&self.hands), stored.clone());
        let hand = move |event, lease| {
            let first = StoredEvent { id: event, ..kept };
            hands.hand(Handed::Events(lease, Some(first)));
        };
        let accepted = match from {
            // What it is about is read while it is made durable.
            EventSource::Jira => self.store.accept_early(event, hand.clone()).await?,
            _ => self.store.accept(event).await?,
        };
        match accepted {
            Accepted::Duplicate => {
                metrics::counter!("bowline_events_total", "source" => source, "fresh" => "no")
                    .increment(1);
                Ok(Receipt { event: None })
            }
            Accepted::Decided { event } => {
                metrics::counter!("bowline_events_total", "source" => source, "fresh" => "yes")
                    .increment(1);
                metrics::counter!("bowline_reasons_total", "reason" => reason).increment(1);
                tracing::debug!(event.id = %event, event.source = source, event.topic = topic,
                    lane = %stored.lane, effects = 0, reasons = reason, "event stored and decided");
                Ok(Receipt { event: Some(event) })
            }
            Accepted::Fresh { event, lease } => {
                metrics::counter!("bowline_events_total", "source" => source, "fresh" => "yes")
                    .increment(1);
                tracing::debug!(event.id = %event, event.source = source, event.topic = topic,
                    lane = %stored.lane, "event stored");
                if let Some(lease) = lease {
                    hand(event, lease);
                }
                Ok(Receipt { event: Some(event) })
            }
        }
    }

    pub(crate) fn random(&self) -> u64 {
        self.chance
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .u64(..)
    }

    /// Notes that a signed delivery came: the connection's page turns green by it. Recorded in the
    /// database at most once a minute.
    pub(crate) async fn webhook_seen(&self, registry: &Registry, connection: &Connection) {
        const RECORD_EVERY_MS: i64 = 60_000;
        let Some(standing) = registry.standing(connection) else {
            return;
        };
        let now = self.now();
        let due = standing.change(|known| {
            let due = known
                .webhook_seen_at
                .is_none_or(|at| now.since(at) >= RECORD_EVERY_MS);
            if due {
                known.webhook_seen_at = Some(now);
            }
            due
        });
        if due && let Err(error) = self.store.webhook_seen(connection, now).await {
            tracing::warn!(%error, %connection, "webhook sighting was not recorded");
        }
    }
}

pub(crate) fn utf8(body: &[u8]) -> Result<Arc<str>, Refusal> {
    // JSON is UTF-8 by its standard.
    std::str::from_utf8(body)
        .map(Arc::from)
        .map_err(|_| not_json())
}

pub(crate) fn not_json() -> Refusal {
    Refusal::BadBody("the body is not JSON".to_owned())
}

pub(crate) fn quarantined(why: &str) -> OnArrival {
    OnArrival::Quarantine(format!(
        "Bowline does not know this shape of delivery ({why}). It is kept as it came; a newer \
         version may read it when it is replayed."
    ))
}

/// The longest name of a delivery that is kept as it came, in bytes. Names stand in an index.
const NAME_BYTES_MAX: usize = 200;

/// The longest id of an issue or a conversation, in digits: what 64 bits can hold.
const ID_DIGITS_MAX: usize = 20;

/// The name that a sender gave; a very long or a broken one by its digest.
pub(crate) fn given_name(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX && is_printable(name) {
        name.to_owned()
    } else {
        digest(name.as_bytes())
    }
}

/// What a kind of delivery is called, for people: bounded, and without control characters.
pub(crate) fn topic_name(topic: &str) -> String {
    let printable = topic.chars().filter(|c| !c.is_control());
    printable
        .take(NAME_BYTES_MAX / char::MAX.len_utf8())
        .collect()
}

fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Is it an id as both platforms give them? Anything else gets no queue of its own.
fn is_number(id: &str) -> bool {
    (1..=ID_DIGITS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The longest id of a contact or company that gets a queue of its own, in digits and letters;
/// Intercom's have 24.
const CONTACT_ID_MAX: usize = 64;

/// Is it an id as Intercom gives them to contacts and companies?
fn is_contact_id(id: &str) -> bool {
    (1..=CONTACT_ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Names a delivery that has no name by what it says: a retry says the same.
pub(crate) fn digest(body: &[u8]) -> String {
    bowline_jira::webhook::digest(body)
}

fn same_secret(given: &[u8], wanted: &[u8]) -> bool {
    bowline_jira::webhook::same_secret(given, wanted)
}
