//! Archiving the provider's conversation, and opening it again. Archiving an archived one changes
//! nothing, nor does opening an open one, so this may be done again.

use bowline_domain::messaging::ids::RemoteConversationId;
use bowline_domain::messaging::request::Reopening;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::{Ending, Talk};

use super::confirmed;
use crate::channel::words;
use crate::courier::{Courier, Stop};
use crate::registry::Account;

/// How often it is tried to open a conversation again while the provider refuses it.
const REOPENING_TRIES: i64 = 30;

/// How soon it is tried again, in milliseconds.
const REOPENING_AGAIN_MS: i64 = 2_000;

/// What the remote id of an archiving begins with. The provider's time of it follows.
const ARCHIVED_AT: &str = "archived-at:";

/// Archives the conversation, unless a newer one of the end user's goes on in it.
pub(super) async fn archive(
    courier: &Courier<'_>,
    talk: &Talk,
    conversation: &RemoteConversationId,
) -> Result<Ending, Stop> {
    let account = courier.account_of(&talk.whose)?;
    let Some(conversations) = account.provider.conversations() else {
        let detail = "The provider keeps no conversations; ours is closed.";
        return Ok(confirmed(None, Some(detail)));
    };
    let active = courier
        .shared
        .store
        .talk_of_conversation(&talk.whose.account, conversation)
        .await
        .map_err(|error| courier.store_failed(&error))?;
    if active.is_some() {
        let reason = "The customer has written again meanwhile; the conversation goes on.";
        return Err(Stop(Ending::Dropped {
            reason: reason.to_owned(),
        }));
    }
    let id = words::remote_conversation(conversation);
    let done = courier
        .call(&account.standing, conversations.close(&id))
        .await;
    let at = done.as_ref().ok().and_then(|now| now.updated_ms);
    let ending = changed(courier, &account, done).await?;
    Ok(match at {
        Some(at) => confirmed(Some(format!("{ARCHIVED_AT}{at}")), None),
        None => ending,
    })
}

/// Opens the conversation again: a message that begins a new request was put into it before it was
/// archived, and can be answered there only.
pub(super) async fn reopen(
    courier: &Courier<'_>,
    talk: &Talk,
    conversation: &RemoteConversationId,
) -> Result<Ending, Stop> {
    let account = courier.account_of(&talk.whose)?;
    let Some(conversations) = account.provider.conversations() else {
        return Ok(confirmed(
            None,
            Some("The provider keeps no conversations."),
        ));
    };
    if !talk.request.is_live() {
        let reason = "The request's conversation ended before it was opened again.".to_owned();
        return Err(Stop(Ending::Dropped { reason }));
    }
    if talk.request.route.conversation.as_ref() != Some(conversation) {
        let reason = "The customer goes on in another conversation.".to_owned();
        return Err(Stop(Ending::Dropped { reason }));
    }
    if !may_be_archived(courier, talk).await? {
        let detail = "We never archived it: the customer had written again before.";
        return Ok(confirmed(None, Some(detail)));
    }
    let id = words::remote_conversation(conversation);
    // A try before this one may have opened it; then whoever archived it since wants it archived.
    if courier.taken.attempts > 1 {
        let get = courier
            .call(&account.standing, conversations.get(&id))
            .await;
        let found = match get {
            Ok(found) => found,
            Err(error) => return changed(courier, &account, Err::<(), _>(error)).await,
        };
        if found.open {
            return Ok(confirmed(None, Some("It was opened by the try before.")));
        }
        if let (Some(ours), Some(now)) = (archived_at(courier, talk).await?, found.updated_ms)
            && now > ours
        {
            let detail = "It was opened by the try before, and archived by somebody since.";
            return Ok(confirmed(None, Some(detail)));
        }
    }
    match courier
        .call(&account.standing, conversations.reopen(&id))
        .await
    {
        // The customer has begun another conversation. What they wrote there says soon where to
        // answer; what is to be sent waits behind this until then.
        Err(error) if error.kind == ErrorKind::Data => {
            let reason = error.to_string();
            Err(Stop(if courier.taken.attempts < REOPENING_TRIES {
                courier.later(REOPENING_AGAIN_MS, false, reason)
            } else {
                Ending::Rejected { reason }
            }))
        }
        done => changed(courier, &account, done).await,
    }
}

/// When we archived the conversation, by the provider's clock, if it said so.
async fn archived_at(courier: &Courier<'_>, talk: &Talk) -> Result<Option<i64>, Stop> {
    let reopening = talk.request.reopening.as_ref();
    let Some(archive) = reopening.and_then(|reopening| reopening.archive.as_ref()) else {
        return Ok(None);
    };
    let archive = courier.shared.store.effect_of_key(archive).await;
    let archive = archive.map_err(|error| courier.store_failed(&error))?;
    let named = archive.and_then(|archive| archive.remote_id);
    Ok(named.and_then(|named| named.strip_prefix(ARCHIVED_AT)?.parse().ok()))
}

/// May we have archived the conversation? Whoever else did it meanwhile wants it archived.
async fn may_be_archived(courier: &Courier<'_>, talk: &Talk) -> Result<bool, Stop> {
    let reopening = talk.request.reopening.as_ref();
    let Some(archive) = reopening.and_then(|reopening| reopening.archive.as_ref()) else {
        return Ok(true);
    };
    let archive = courier.shared.store.effect_of_key(archive).await;
    let archive = archive.map_err(|error| courier.store_failed(&error))?;
    Ok(archive.is_none_or(|it| !Reopening::never_archived(it.state, it.attempts)))
}

/// What became of a change of state: doing it again does no harm.
async fn changed<T>(
    courier: &Courier<'_>,
    account: &Account,
    done: Result<T, ApiError>,
) -> Result<Ending, Stop> {
    match done {
        Ok(_) => Ok(confirmed(None, None)),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            Ok(confirmed(None, Some("It was not there any more.")))
        }
        Err(error) => Err(courier
            .remote_failed(&account.standing, &error, false)
            .await),
    }
}
