//! What a messaging provider tells.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::ids::LaneKey;
use bowline_domain::messaging::delivery::{Delivery, Outbound};
use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::ids::{
    AccountName, EndUserId, MessageId, RemoteConversationId, RequestRef,
};
use bowline_domain::messaging::inbound::Inbound;
use bowline_domain::messaging::plan::{Person, Report, inbound};
use bowline_domain::messaging::settings::Desk;
use bowline_domain::outcome::Reason;
use bowline_domain::time::Millis;
use bowline_messagebird::{Content, Message, ProviderEvent, StatusReport};
use bowline_store::model::{Decided, NewEvent, OnArrival, StoredEvent, Talk, TalkChanges};

use super::{archived, end_user_of_lane, join, report};
use crate::channel::{Carried, words};
use crate::planner::internal::store;
use crate::planner::{Trouble, nothing};
use crate::shared::Shared;

/// How long a report about a message that nobody knows is kept waiting, in milliseconds: the
/// provider's webhook may overtake its answer to our call.
const OVERTAKES_MS: i64 = 5_000;

/// How long at most what may be the echo of our own doing is kept waiting for it, in milliseconds.
pub(super) const WAITS_MS_MAX: i64 = 5 * 60 * 1_000;

/// Within this time a sender's requests are counted, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

pub(super) async fn decide(shared: &Arc<Shared>, event: &StoredEvent) -> Result<Decided, Trouble> {
    let Connection::Account(account) = &event.connection else {
        return Err(Trouble::Hopeless(
            "A delivery of a messaging provider must come by a channel account.".to_owned(),
        ));
    };
    let carried: Carried = serde_json::from_str(&event.body)
        .map_err(|error| Trouble::Hopeless(format!("The delivery cannot be read: {error}.")))?;
    let lane = end_user_of_lane(&event.lane).map(|(_, end_user)| end_user);
    match carried.event {
        ProviderEvent::Inbound(message) => {
            match words::inbound(&message, (event.received_at, event.id)) {
                Some(message) => arrived(shared, account, event, lane, message).await,
                None => Ok(nothing(Reason::NoSender)),
            }
        }
        ProviderEvent::EchoOut(message) => sent(shared, account, event, lane, &message).await,
        ProviderEvent::Status(status) => reported(shared, account, event, &status).await,
        ProviderEvent::ConversationClosed(closed) => {
            let conversation = RemoteConversationId::new(closed.conversation.as_str());
            archived::decide(shared, account, event, conversation).await
        }
        ProviderEvent::ContactChanged(change) => {
            join::contact(shared, account, (event, lane), &change).await
        }
        ProviderEvent::Unknown(unknown) => Ok(nothing(Reason::NotFollowed { what: unknown.why })),
    }
}

/// A message of an end user.
async fn arrived(
    shared: &Arc<Shared>,
    account: &AccountName,
    event: &StoredEvent,
    lane: Option<EndUserId>,
    message: Inbound,
) -> Result<Decided, Trouble> {
    let Some(lane) = lane else {
        return Ok(nothing(Reason::NoSender));
    };
    let mut sorted = message.identities.clone();
    sorted.sort();
    let known = shared.store.end_user_by(account, &sorted).await?;
    if let Some(known) = &known
        && *known != lane
    {
        // Two processes saw the person for the first time by different identities.
        return elsewhere(shared, account, event, known).await;
    }
    let end_user = shared.store.end_user(account, &lane).await?;
    let known = end_user.is_some();
    let new = || EndUser::new(account, &message.identities, message.name.as_deref());
    let Some(end_user) = end_user.or_else(new) else {
        return Ok(nothing(Reason::NoSender));
    };
    let person = Person {
        known,
        latest: shared.store.latest_talk(account, &lane).await?,
        seen: shared.store.message_seen(account, &message.message).await?,
        requests_lately: shared
            .store
            .talks_begun_since(account, &lane, message.received_at.plus_ms(-HOUR_MS))
            .await?,
        end_user,
    };
    let registry = shared.registry();
    // An active conversation stays at its desk, whatever channel it goes on by.
    let active = person.latest.as_ref().filter(|latest| latest.is_live());
    let desk = active
        .and_then(|active| registry.desk_for(account, active))
        .or_else(|| registry.desk_of(account, &message.route.channel))
        .map(|config| &config.desk);
    // Without a desk it goes on too: what an end user writes is not lost, and their agents see it.
    let left = active
        .filter(|_| desk.is_none())
        .map(|active| Desk::left(&active.desk, account, &active.site));
    let plan = inbound(&person, &message, desk.or(left.as_ref()));
    let latest = person.latest.as_ref().map_or(0, |latest| latest.generation);
    let generation = plan
        .changes
        .request
        .as_ref()
        .map_or(latest, |request| request.generation);
    let whose = RequestRef {
        account: account.clone(),
        end_user: person.end_user.id.clone(),
        generation,
    };
    Ok(Decided {
        talk: Some(Box::new(TalkChanges {
            whose,
            changes: plan.changes,
        })),
        effects: plan.effects,
        outcome: plan.outcome,
        ..Decided::default()
    })
}

/// Plans a report in the lane of its end user: an event that was stored before it was known whom it
/// is about is put there first.
pub(super) async fn in_lane(
    shared: &Shared,
    event: &StoredEvent,
    whose: &RequestRef,
    told: &Report,
) -> Result<Decided, Trouble> {
    let lane = LaneKey::end_user_events(&whose.account, &whose.end_user);
    if event.lane == lane {
        report(shared, whose, told).await
    } else {
        elsewhere(shared, &whose.account, event, &whose.end_user).await
    }
}

/// Puts an event into the lane of the end user whom it turned out to be about.
pub(super) async fn elsewhere(
    shared: &Shared,
    account: &AccountName,
    event: &StoredEvent,
    end_user: &EndUserId,
) -> Result<Decided, Trouble> {
    let handed = NewEvent {
        source: event.source,
        connection: event.connection.clone(),
        delivery: format!("event-{}", event.id),
        lane: LaneKey::end_user_events(account, end_user),
        topic: event.topic.clone(),
        received_at: event.received_at,
        body: Arc::clone(&event.body),
        take: true,
        on_arrival: OnArrival::Queue,
    };
    store(shared, handed).await?;
    Ok(nothing(Reason::HandedOn {
        key: end_user.to_string(),
    }))
}

/// Something was sent to the end user: by us, or in the provider's own inbox.
async fn sent(
    shared: &Arc<Shared>,
    account: &AccountName,
    event: &StoredEvent,
    lane: Option<EndUserId>,
    message: &Message,
) -> Result<Decided, Trouble> {
    let id = MessageId::new(message.id.as_str());
    let talk = talk_of(shared, account, lane, message).await?;
    let whose = talk.as_ref().map(|talk| &talk.whose.end_user);
    let may_be_ours = on_its_way(shared, account, whose, event).await?;
    if shared
        .store
        .outbound_by_remote(account, &id)
        .await?
        .is_some()
    {
        return match message.status {
            Some(status) => {
                let told = StatusReport {
                    message: message.id.clone(),
                    channel: None,
                    conversation: message.conversation.clone(),
                    status,
                    failure: message.failure.clone(),
                    at_ms: message.at_ms,
                };
                reported(shared, account, event, &told).await
            }
            None => Ok(nothing(Reason::Echo)),
        };
    }
    let Some(talk) = talk else {
        return Ok(nothing(Reason::NotOurs));
    };
    if may_be_ours {
        return Err(Trouble::Early(
            "a message of ours is being sent; this may be its echo".to_owned(),
        ));
    }
    if let Some(held) = held_as(shared, &talk, message).await? {
        shared
            .store
            .outbound_sent(held.key.clone(), message.id.as_str().to_owned())
            .await?;
        let told = Report::Delivery {
            message: held,
            now: Delivery::Sent,
            reason: None,
        };
        return in_lane(shared, event, &talk.whose, &told).await;
    }
    let told = Report::AnsweredElsewhere {
        message: id,
        text: words::shown(&message.content),
        at: message.at_ms.map_or(event.received_at, Millis),
    };
    in_lane(shared, event, &talk.whose, &told).await
}

/// May a message of ours be on its way, whose name is not known yet? It is asked before the name is
/// looked for: a message that is not on its way any more has its name by then. The other way round
/// one that was named in between would be taken for somebody else's.
async fn on_its_way(
    shared: &Shared,
    account: &AccountName,
    end_user: Option<&EndUserId>,
    event: &StoredEvent,
) -> Result<bool, Trouble> {
    let Some(end_user) = end_user else {
        return Ok(false);
    };
    let lane = LaneKey::end_user_sends(account, end_user);
    let waits = shared.store.lane_waits(&lane).await?;
    Ok(waits && shared.now().since(event.received_at) < WAITS_MS_MAX)
}

/// The message of ours that was held because nobody knew whether it was sent, if this is it.
async fn held_as(
    shared: &Shared,
    talk: &Talk,
    message: &Message,
) -> Result<Option<Outbound>, Trouble> {
    let Content::Text(text) = &message.content else {
        return Ok(None);
    };
    let all = shared.store.outbounds(&talk.whose).await?;
    Ok(all
        .into_iter()
        .find(|one| one.delivery == Delivery::Held && one.text.trim() == text.trim()))
}

async fn talk_of(
    shared: &Shared,
    account: &AccountName,
    lane: Option<EndUserId>,
    message: &Message,
) -> Result<Option<Talk>, Trouble> {
    if let Some(conversation) = &message.conversation {
        let conversation = RemoteConversationId::new(conversation.as_str());
        let found = shared
            .store
            .talk_of_conversation(account, &conversation)
            .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let Some(end_user) = lane else {
        return Ok(None);
    };
    let Some(latest) = shared.store.latest_talk(account, &end_user).await? else {
        return Ok(None);
    };
    let whose = RequestRef {
        account: account.clone(),
        end_user,
        generation: latest.generation,
    };
    Ok(shared.store.talk(&whose).await?)
}

/// A message of ours got further, or failed.
async fn reported(
    shared: &Arc<Shared>,
    account: &AccountName,
    event: &StoredEvent,
    status: &StatusReport,
) -> Result<Decided, Trouble> {
    let id = MessageId::new(status.message.as_str());
    let lane = end_user_of_lane(&event.lane).map(|(_, end_user)| end_user);
    let waits = on_its_way(shared, account, lane.as_ref(), event).await?;
    let Some((whose, message)) = shared.store.outbound_by_remote(account, &id).await? else {
        if waits || shared.now().since(event.received_at) < OVERTAKES_MS {
            return Err(Trouble::Early(
                "the report is about a message that is not known yet".to_owned(),
            ));
        }
        return Ok(nothing(Reason::NotOurs));
    };
    let now = words::delivery(status.status);
    let reason = (now == Delivery::Failed).then(|| {
        status
            .failure
            .as_ref()
            .map_or_else(|| "The provider gave no reason.".to_owned(), words::failure)
    });
    let told = Report::Delivery {
        message,
        now,
        reason,
    };
    in_lane(shared, event, &whose, &told).await
}
