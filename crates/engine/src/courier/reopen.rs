//! Re-opening a closed conversation.

use bowline_intercom::{Conversation, State};
use bowline_store::model::Ending;

use super::{Courier, Far, Stop};

/// Re-opens the conversation if it is closed, and first returns it to the unassigned queue if that
/// is wanted. In this order a process that dies in between leaves it closed, and the next attempt
/// sees what is left to do.
pub(super) async fn reopen(
    courier: &Courier<'_>,
    far: &Far<'_>,
    mut conversation: Conversation,
    unassign: bool,
) -> Result<Ending, Stop> {
    if conversation.state != State::Closed {
        let detail = Some("It was not closed; nothing was to be done.".to_owned());
        return Ok(Ending::Confirmed {
            remote_id: None,
            detail,
        });
    }
    let id = far.conversation.as_str();
    if unassign && is_assigned(&conversation) {
        let call = far.workspace.client.unassign(id, &far.actor);
        conversation = write(courier, far, call).await?;
    }
    if conversation.state == State::Closed {
        let call = far.workspace.client.open(id, &far.actor);
        conversation = write(courier, far, call).await?;
    }
    let remote_id = conversation
        .parts
        .iter()
        .rfind(|part| part.part_type == "open" && part.author.id.as_deref() == Some(&far.actor))
        .or_else(|| conversation.newest_part())
        .map(|part| part.id.clone())
        .filter(|id| !id.is_empty());
    Ok(Ending::Confirmed {
        remote_id,
        detail: None,
    })
}

fn is_assigned(conversation: &Conversation) -> bool {
    conversation.admin_assignee_id.is_some() || conversation.team_assignee_id.is_some()
}

async fn write(
    courier: &Courier<'_>,
    far: &Far<'_>,
    call: impl Future<Output = Result<bowline_net::Reply<Conversation>, bowline_net::ApiError>>,
) -> Result<Conversation, Stop> {
    match courier.call(&far.standing, call).await {
        Ok(conversation) => Ok(conversation),
        // A change of state is read before it is written: doing it again does no harm.
        Err(error) => Err(courier.failed(far, error, false).await),
    }
}
