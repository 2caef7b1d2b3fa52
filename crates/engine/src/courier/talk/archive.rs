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
    changed(courier, &account, done).await
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
