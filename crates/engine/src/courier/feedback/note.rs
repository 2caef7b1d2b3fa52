//! Telling a conversation what became of its feedback, once.

use bowline_domain::audience::Audience;
use bowline_domain::connection::Health;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::feedback::act::FeedbackAct;
use bowline_domain::ids::ConversationId;
use bowline_intercom::{Conversation, State};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::Ending;

use super::confirmed;
use crate::courier::note::{SECOND_LOOK, part_id};
use crate::courier::snooze_again::leave_as_it_is;
use crate::courier::{Courier, PROBE_WAIT_MS, Stop};
use crate::health;
use crate::registry::Workspace;

/// Posts the note, unless an earlier attempt did. It needs no link: the ticket is the reason.
pub(super) async fn post(
    courier: &Courier<'_>,
    far: &Workspace,
    conversation: &ConversationId,
    html: &str,
    (audience, wake_snoozed): (Audience, bool),
) -> Result<Ending, Stop> {
    if audience != Audience::Internal {
        let reason = "Only internal text may be posted as a note.".to_owned();
        return Err(Stop(Ending::Rejected { reason }));
    }
    let actor = actor(courier, far)?;
    let marker = courier.effect().key.marker();
    let looks = if courier.taken.doubtful {
        2
    } else {
        usize::from(!wake_snoozed)
    };
    for look in 0..looks {
        if look > 0 {
            tokio::time::sleep(SECOND_LOOK).await;
        }
        let before = read(courier, far, conversation).await?;
        if let Some(part) = before.part_with_marker(marker.as_str()) {
            let detail = "It was there already; it was found and not sent again.";
            return Ok(confirmed(Some(part.id.clone()), Some(detail.to_owned())));
        }
        if !wake_snoozed {
            remember_snooze(courier, far, &before).await?;
        }
    }
    let posting = far.client.note(conversation.as_str(), &actor, html);
    match courier.call(&far.standing, posting).await {
        Ok(after) => Ok(confirmed(part_id(&after, &marker), None)),
        Err(error) => Err(refused(courier, far, &actor, conversation, &error).await),
    }
}

/// As whom is written.
fn actor(courier: &Courier<'_>, far: &Workspace) -> Result<String, Stop> {
    far.actor().ok_or_else(|| {
        let reason = "It is not known yet as whom Bowline writes.".to_owned();
        Stop(courier.later(PROBE_WAIT_MS, courier.taken.doubtful, reason))
    })
}

/// Intercom wakes a snoozed conversation when a note comes. The old time is written down before
/// the note goes out, as an effect that snoozes it again.
async fn remember_snooze(
    courier: &Courier<'_>,
    far: &Workspace,
    before: &Conversation,
) -> Result<(), Stop> {
    let (State::Snoozed, Some(until_unix_s)) = (&before.state, before.snoozed_until) else {
        return Ok(());
    };
    let effect = courier.effect();
    let again = Effect {
        key: effect.key.following("snooze_again"),
        act: Act::Feedback(FeedbackAct::SnoozeAgain {
            workspace: far.config.name.clone(),
            conversation: ConversationId::new(before.id.as_str()),
            until_unix_s,
        }),
        ..effect.clone()
    };
    let store = &courier.shared.store;
    store
        .follow_up(again, courier.taken.event, courier.now())
        .await
        .map_err(|error| courier.store_failed(&error))
}

/// Snoozes the conversation until its old time, unless something else happened to it since.
pub(super) async fn snooze_again(
    courier: &Courier<'_>,
    far: &Workspace,
    conversation: &ConversationId,
    until_unix_s: i64,
) -> Result<Ending, Stop> {
    let actor = actor(courier, far)?;
    let before = read(courier, far, conversation).await?;
    if let Some(reason) = leave_as_it_is(&before, until_unix_s, courier.now().0 / 1_000) {
        let reason = reason.to_owned();
        return Err(Stop(Ending::Dropped { reason }));
    }
    let call = far
        .client
        .snooze(conversation.as_str(), &actor, until_unix_s);
    match courier.call(&far.standing, call).await {
        Ok(after) => {
            let part = after.newest_part().map(|part| part.id.clone());
            Ok(confirmed(part.filter(|id| !id.is_empty()), None))
        }
        Err(error) => Err(refused(courier, far, &actor, conversation, &error).await),
    }
}

async fn read(
    courier: &Courier<'_>,
    far: &Workspace,
    conversation: &ConversationId,
) -> Result<Conversation, Stop> {
    let reading = far.client.conversation(conversation.as_str());
    match courier.call(&far.standing, reading).await {
        Ok(conversation) => Ok(conversation),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            Err(no_more(&error))
        }
        Err(error) => Err(courier
            .remote_failed(&far.standing, &error, courier.taken.doubtful)
            .await),
    }
}

fn no_more(error: &ApiError) -> Stop {
    let reason = format!("The conversation is no more. ({error})");
    Stop(Ending::Dropped { reason })
}

/// A refusal may be about the conversation or about the teammate as whom we write. Which of them is
/// there is asked.
async fn refused(
    courier: &Courier<'_>,
    far: &Workspace,
    actor: &str,
    conversation: &ConversationId,
    error: &ApiError,
) -> Stop {
    let about_one = matches!(
        error.kind,
        ErrorKind::NotFound
            | ErrorKind::Gone
            | ErrorKind::Data
            | ErrorKind::Permission
            | ErrorKind::Config
    );
    if about_one && let Ok(teammates) = courier.call(&far.standing, far.client.admins()).await {
        if !teammates.iter().any(|teammate| teammate.id == actor) {
            let reason = health::teammate_gone(actor, far);
            let broken = Some(reason.clone());
            health::set(courier.shared, &far.standing, Health::Broken, broken).await;
            courier.shared.probe.notify_waiters();
            return Stop(courier.later(0, false, reason));
        }
        if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone)
            && let Err(stop) = read(courier, far, conversation).await
        {
            return stop;
        }
    }
    courier.remote_failed(&far.standing, error, false).await
}
