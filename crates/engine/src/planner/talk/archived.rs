//! A conversation was archived at the provider: by somebody, which ends it, or by us.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::messaging::ids::{AccountName, RemoteConversationId};
use bowline_domain::messaging::plan::Report;
use bowline_domain::messaging::request::{Archiving, Reopening};
use bowline_domain::outcome::Reason;
use bowline_net::ErrorKind;
use bowline_store::model::{Decided, StoredEvent};

use super::provider::{WAITS_MS_MAX, in_lane};
use crate::channel::words;
use crate::pace::Priority;
use crate::planner::{Trouble, nothing};
use crate::shared::Shared;

/// Decides what it means. A request may go on in a conversation that we archived for the request
/// before: until it is opened again, its archiving is told late.
pub(super) async fn decide(
    shared: &Arc<Shared>,
    account: &AccountName,
    event: &StoredEvent,
    conversation: RemoteConversationId,
) -> Result<Decided, Trouble> {
    let found = shared.store.talk_of_conversation(account, &conversation);
    let Some(talk) = found.await? else {
        return Ok(nothing(Reason::OtherConversation));
    };
    let reopening = talk.request.reopening.as_ref();
    if let Some(reopening) = reopening.filter(|one| one.conversation == conversation) {
        match archiving(shared, reopening).await? {
            Archiving::NotKnownYet if shared.now().since(event.received_at) < WAITS_MS_MAX => {
                let why =
                    "the conversation is being opened again; this may be its archiving before";
                return Err(Trouble::Early(why.to_owned()));
            }
            Archiving::Ours | Archiving::NotKnownYet => return Ok(nothing(Reason::Echo)),
            Archiving::SomebodysIfArchived => {
                if is_open(shared, account, &conversation).await? {
                    return Ok(nothing(Reason::ConversationOpen));
                }
            }
        }
    }
    let told = Report::Archived { conversation };
    in_lane(shared, event, &talk.whose, &told).await
}

/// Whose doing it is, as far as our own record tells.
async fn archiving(shared: &Shared, reopening: &Reopening) -> Result<Archiving, Trouble> {
    let archive = match &reopening.archive {
        Some(key) => shared.store.effect_of_key(key).await?,
        None => None,
    };
    let opened = shared.store.effect_of_key(&reopening.open).await?;
    let archive = archive.map(|it| (it.state, it.attempts));
    Ok(opened.map_or(Archiving::SomebodysIfArchived, |opened| {
        Reopening::archiving(archive, opened.state)
    }))
}

/// Is the conversation open at the provider now? With a key that does not work nothing can be
/// looked at, and nobody waits for it.
async fn is_open(
    shared: &Shared,
    account: &AccountName,
    conversation: &RemoteConversationId,
) -> Result<bool, Trouble> {
    let registry = shared.registry();
    let far = registry.accounts.get(account);
    let Some(far) = far.filter(|far| far.standing.works()) else {
        return Ok(false);
    };
    let Some(conversations) = far.provider.conversations() else {
        return Ok(false);
    };
    let id = words::remote_conversation(conversation);
    far.standing
        .pace
        .turn(Priority::Interactive, &*shared.clock)
        .await;
    match conversations.get(&id).await {
        Ok(now) => Ok(now.value.open),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => Ok(false),
        Err(error) => {
            let connection = Connection::Account(account.clone());
            Err(Trouble::Remote(Box::new((connection, error))))
        }
    }
}
