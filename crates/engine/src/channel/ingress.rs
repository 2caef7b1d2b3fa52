//! A messaging provider's webhook: verify over the raw bytes, find the end user's lane, store.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::ids::LaneKey;
use bowline_domain::messaging::end_user::{EndUser, Identity};
use bowline_domain::messaging::ids::{AccountName, EndUserId, MessageId, RemoteConversationId};
use bowline_domain::time::Millis;
use bowline_messagebird as far;
use bowline_messagebird::{ContactChange, ProviderEvent, SetupCheck, WebhookCall};
use bowline_store::StoreError;
use bowline_store::model::{EventSource, NewEvent, OnArrival};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::words;
use crate::ingress::{
    Receipt, Refusal, digest, given_name, not_json, quarantined, topic_name, utf8,
};
use crate::registry::Account;
use crate::shared::Shared;

/// A delivery from a messaging provider.
pub struct ChannelDelivery<'r> {
    /// The account's name, from the address.
    pub account: &'r str,
    /// The query of the address that was called, without the question mark.
    pub query: Option<&'r str>,
    /// All headers.
    pub headers: &'r HeaderMap,
    /// The body as it came.
    pub body: &'r [u8],
}

/// One thing that a provider told, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// What it says.
    pub(crate) event: ProviderEvent,
    /// The delivery as it came, if it told this one thing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<Box<RawValue>>,
}

impl Shared {
    /// Takes a delivery from a messaging provider. When this returns, it is durable.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn receive_channel(&self, delivery: ChannelDelivery<'_>) -> Result<Receipt, Refusal> {
        let registry = self.registry();
        let name = AccountName::new(delivery.account);
        let account = registry
            .accounts
            .get(&name)
            .ok_or(Refusal::UnknownConnection)?;
        let now = self.now();
        let verified = verify(account, &delivery, now)?;
        if let Some(call) = &verified.call_id
            && self.store.call_is_known(&name, &call.id).await?
        {
            return Err(Refusal::BadSignature);
        }
        let connection = Connection::Account(name.clone());
        self.webhook_seen(&registry, &connection).await;
        let receipt = self.store_told(account, &delivery, now).await?;
        // Last, so that a delivery that could not be stored may come again under its name.
        if let Some(call) = verified.call_id {
            let until = Millis(call.until_unix_s.saturating_mul(1_000));
            self.store.call_seen(name, call.id, until, now).await?;
        }
        Ok(receipt)
    }

    async fn store_told(
        &self,
        account: &Account,
        delivery: &ChannelDelivery<'_>,
        now: Millis,
    ) -> Result<Receipt, Refusal> {
        let text = utf8(delivery.body)?;
        let events = match account.provider.parse(delivery.body) {
            Ok(events) => events,
            Err(far::ParseError::NotJson) => return Err(not_json()),
            Err(far::ParseError::UnknownShape(why)) => {
                let event = loose(account, digest(delivery.body), text, quarantined(&why), now);
                return self.store_event(event).await;
            }
        };
        let single = events.len() == 1;
        let mut receipt = Receipt { event: None };
        for event in events {
            let raw = single
                .then(|| RawValue::from_string(text.to_string()).ok())
                .flatten();
            let stored = take_in(self, account, Carried { event, raw }, now).await?;
            receipt.event = stored.event.or(receipt.event);
        }
        Ok(receipt)
    }

    /// What answers a provider that asks whether the webhook's address is ours.
    ///
    /// # Errors
    /// There is no such account.
    pub fn channel_setup(&self, account: &str, query: &str) -> Result<SetupCheck, Refusal> {
        let registry = self.registry();
        let account = registry
            .accounts
            .get(&AccountName::new(account))
            .ok_or(Refusal::UnknownConnection)?;
        Ok(account.provider.setup_check(query))
    }
}

fn verify(
    account: &Account,
    delivery: &ChannelDelivery<'_>,
    now: Millis,
) -> Result<far::Verified, Refusal> {
    let mut url: Url = account.config.hook_url.clone();
    url.set_query(delivery.query.filter(|query| !query.is_empty()));
    let call = WebhookCall {
        headers: delivery.headers,
        public_url: url.as_str(),
        raw: delivery.body,
        now_unix_s: now.0 / 1_000,
    };
    account.provider.verify(&call).map_err(|why| {
        tracing::warn!(account = %account.config.name, %why, "a webhook call is not the provider's");
        Refusal::BadSignature
    })
}

/// An event that belongs to nobody's lane.
fn loose(
    account: &Account,
    delivery: String,
    body: Arc<str>,
    on_arrival: OnArrival,
    now: Millis,
) -> NewEvent {
    let connection = Connection::Account(account.config.name.clone());
    NewEvent {
        source: EventSource::Channel,
        lane: LaneKey::loose_events(&connection.key()),
        connection,
        delivery,
        topic: "unknown".to_owned(),
        received_at: now,
        body,
        take: on_arrival == OnArrival::Queue,
        on_arrival,
    }
}

/// Stores what a provider told. A message that is known may be told again with more of who sent
/// it: the provider's lists and its webhooks do not say the same.
pub(crate) async fn take_in(
    shared: &Shared,
    account: &Account,
    carried: Carried,
    now: Millis,
) -> Result<Receipt, Refusal> {
    let told_again = match &carried.event {
        ProviderEvent::Inbound(message) => Some((message.id.clone(), message.person.clone())),
        _ => None,
    };
    let event = event_of(shared, account, carried, now).await?;
    let lane = event.lane.clone();
    let stored = shared.store_event(event).await?;
    if let (None, Some((message, person))) = (stored.event, told_again)
        && is_more(shared, &account.config.name, &person).await?
    {
        let change = ContactChange {
            channel: None,
            conversation: None,
            added: person.identities.clone(),
            person,
        };
        let event = ProviderEvent::ContactChanged(change);
        let body = serde_json::to_string(&Carried { event, raw: None }).map_err(|_| not_json())?;
        let name = given_name(&format!("who/{message}"));
        let event = loose(account, name, body.into(), OnArrival::Queue, now);
        let event = NewEvent {
            topic: topic_name("contact"),
            lane,
            ..event
        };
        return shared.store_event(event).await;
    }
    Ok(stored)
}

/// Is a person told of who has a name here that is not known yet, or is not known by all that is
/// named?
async fn is_more(
    shared: &Shared,
    account: &AccountName,
    person: &far::Sender,
) -> Result<bool, StoreError> {
    let identities = words::identities(person);
    let Some(id) = by_identity(shared, account, &identities).await? else {
        // Not planned yet. What is told now is planned behind it.
        return Ok(person.name.is_some());
    };
    let known = shared.store.end_user(account, &id).await?;
    Ok(known.is_some_and(|known| {
        let named = known.name.is_none() && person.name.is_some();
        named || known.with(&identities, None) != known
    }))
}

/// What a provider told, as an event in the lane of the end user whom it is about.
async fn event_of(
    shared: &Shared,
    account: &Account,
    carried: Carried,
    now: Millis,
) -> Result<NewEvent, Refusal> {
    let name = &account.config.name;
    let body = serde_json::to_string(&carried).map_err(|_| not_json())?;
    let end_user = end_user_of(shared, name, &carried.event).await?;
    let (delivery, topic) = named(&carried.event, &body);
    let event = loose(account, delivery, body.into(), OnArrival::Queue, now);
    Ok(NewEvent {
        topic: topic_name(topic),
        lane: end_user.map_or(event.lane, |id| LaneKey::end_user_events(name, &id)),
        ..event
    })
}

/// What names the event, the same however often it is told, and what kind it is.
fn named(event: &ProviderEvent, body: &str) -> (String, &'static str) {
    let (name, topic) = match event {
        ProviderEvent::Inbound(message) => (format!("in/{}", message.id), "message"),
        ProviderEvent::EchoOut(message) => (format!("out/{}", message.id), "sent"),
        ProviderEvent::Status(report) => (
            format!("{}/{}", report.status.code(), report.message),
            "status",
        ),
        ProviderEvent::ConversationClosed(closed) => match closed.at_ms {
            Some(at) => (format!("closed/{}/{at}", closed.conversation), "archived"),
            None => (format!("closed/{}", digest(body.as_bytes())), "archived"),
        },
        ProviderEvent::ContactChanged(_) => {
            (format!("contact/{}", digest(body.as_bytes())), "contact")
        }
        ProviderEvent::Unknown(_) => (digest(body.as_bytes()), "unknown"),
    };
    (given_name(&name), topic)
}

/// Whom an event is about. A person who was never seen is called after what they come with.
async fn end_user_of(
    shared: &Shared,
    account: &AccountName,
    event: &ProviderEvent,
) -> Result<Option<EndUserId>, StoreError> {
    match event {
        ProviderEvent::Inbound(message) => {
            let identities = words::identities(&message.person);
            Ok(match by_identity(shared, account, &identities).await? {
                Some(known) => Some(known),
                None => EndUser::new(account, &identities, None).map(|new| new.id),
            })
        }
        ProviderEvent::EchoOut(message) => {
            if let Some((whose, _)) = shared
                .store
                .outbound_by_remote(account, &MessageId::new(message.id.as_str()))
                .await?
            {
                return Ok(Some(whose.end_user));
            }
            let known = by_conversation(shared, account, message.conversation.as_ref()).await?;
            match known {
                Some(known) => Ok(Some(known)),
                None => by_identity(shared, account, &words::identities(&message.person)).await,
            }
        }
        ProviderEvent::Status(report) => {
            let message = MessageId::new(report.message.as_str());
            match shared.store.outbound_by_remote(account, &message).await? {
                Some((whose, _)) => Ok(Some(whose.end_user)),
                None => by_conversation(shared, account, report.conversation.as_ref()).await,
            }
        }
        ProviderEvent::ConversationClosed(closed) => {
            match by_conversation(shared, account, Some(&closed.conversation)).await? {
                Some(known) => Ok(Some(known)),
                None => by_identity(shared, account, &words::identities(&closed.person)).await,
            }
        }
        ProviderEvent::ContactChanged(change) => {
            by_identity(shared, account, &words::identities(&change.person)).await
        }
        ProviderEvent::Unknown(_) => Ok(None),
    }
}

async fn by_identity(
    shared: &Shared,
    account: &AccountName,
    identities: &[Identity],
) -> Result<Option<EndUserId>, StoreError> {
    let mut sorted = identities.to_vec();
    sorted.sort();
    shared.store.end_user_by(account, &sorted).await
}

async fn by_conversation(
    shared: &Shared,
    account: &AccountName,
    conversation: Option<&far::RemoteConversationId>,
) -> Result<Option<EndUserId>, StoreError> {
    let Some(conversation) = conversation else {
        return Ok(None);
    };
    let conversation = RemoteConversationId::new(conversation.as_str());
    let found = shared
        .store
        .talk_of_conversation(account, &conversation)
        .await?;
    Ok(found.map(|talk| talk.whose.end_user))
}
