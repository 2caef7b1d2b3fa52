//! Snoozing a conversation again that a note of ours woke.

use bowline_intercom::{Conversation, State};
use bowline_store::model::Ending;

use super::{Courier, Far, Stop};

/// Who counts as the customer among the authors of parts.
const CUSTOMERS: &[&str] = &["user", "lead", "contact"];

/// Snoozes the conversation until its old time, unless that has come, or something else happened
/// to it that should keep it open.
pub(super) async fn snooze_again(
    courier: &Courier<'_>,
    far: &Far<'_>,
    conversation: &Conversation,
    until_unix_s: i64,
) -> Result<Ending, Stop> {
    if let Some(reason) = leave_as_it_is(conversation, until_unix_s, courier.now().0 / 1_000) {
        return Err(Stop(Ending::Dropped {
            reason: reason.to_owned(),
        }));
    }
    let id = far.conversation.as_str();
    let call = far.workspace.client.snooze(id, &far.actor, until_unix_s);
    match courier.call(&far.standing, call).await {
        Ok(after) => {
            let remote_id = after
                .newest_part()
                .map(|part| part.id.clone())
                .filter(|id| !id.is_empty());
            Ok(Ending::Confirmed {
                remote_id,
                detail: None,
            })
        }
        Err(error) => Err(courier.failed(far, error, false).await),
    }
}

/// Why the conversation is not to be snoozed again, if it is not.
pub(super) fn leave_as_it_is(
    conversation: &Conversation,
    until_unix_s: i64,
    now_unix_s: i64,
) -> Option<&'static str> {
    if until_unix_s <= now_unix_s {
        return Some("The snooze would have ended by now.");
    }
    match conversation.state {
        State::Snoozed => return Some("It is snoozed."),
        State::Closed => return Some("It was closed meanwhile."),
        State::Open | State::Other(_) => {}
    }
    let last_message = conversation
        .parts
        .iter()
        .rev()
        .find(|part| part.part_type == "comment" || part.part_type == "note");
    let by_customer =
        last_message.is_some_and(|part| CUSTOMERS.contains(&part.author.kind.as_str()));
    by_customer.then_some("The customer wrote meanwhile; it stays open.")
}
