//! Archiving the provider's conversation. Archiving an archived one changes nothing, so this may be
//! done again.

use bowline_domain::messaging::ids::RemoteConversationId;
use bowline_net::ErrorKind;
use bowline_store::model::{Ending, Talk};

use super::confirmed;
use crate::channel::words;
use crate::courier::{Courier, Stop};

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
    match courier
        .call(&account.standing, conversations.close(&id))
        .await
    {
        Ok(_) => Ok(confirmed(None, None)),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            Ok(confirmed(None, Some("It was not there any more.")))
        }
        // A change of state: doing it again does no harm.
        Err(error) => Err(courier
            .remote_failed(&account.standing, &error, false)
            .await),
    }
}
