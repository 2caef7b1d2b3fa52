//! Posting a note, once.

use std::time::Duration;

use bowline_domain::audience::Audience;
use bowline_domain::effect::{Act, Effect, Marker};
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::{Conversation, State};
use bowline_store::model::Ending;

use super::{Courier, Far, Stop};

/// Between the two looks at a conversation in which a doubtful note was not found. A note that was
/// accepted but not shown yet shows by the second.
pub(super) const SECOND_LOOK: Duration = Duration::from_secs(2);

/// A note of a link.
pub(super) struct Note<'n> {
    pub(super) audience: Audience,
    pub(super) html: &'n str,
    pub(super) due_at: Option<Millis>,
    pub(super) wake_snoozed: bool,
}

impl Note<'_> {
    /// Posts it, unless it is found to be there already: posted by an earlier attempt, or before the
    /// database was brought back from an older copy.
    pub(super) async fn make(
        &self,
        courier: &Courier<'_>,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Ending, Stop> {
        if self.audience != Audience::Internal {
            let reason = "Only internal text may be posted as a note.".to_owned();
            return Err(Stop(Ending::Rejected { reason }));
        }
        wait(courier, self.due_at)?;
        let mut parts_before = None;
        let far = if courier.taken.doubtful || !self.wake_snoozed {
            let (far, before) = self.look(courier, workspace, conversation).await?;
            let before = not_there(courier, &far, before).await?;
            if !self.wake_snoozed {
                remember_snooze(courier, &far, &before).await?;
            }
            parts_before = Some(before.parts.len());
            far
        } else {
            courier.far(workspace, conversation).await?
        };
        let gathered = gather(courier, self.due_at).await?;
        let html = gathered.as_deref().unwrap_or(self.html);
        post(courier, &far, html, parts_before).await
    }

    /// The conversation as it is, or as the answer to the note before this one showed it a moment ago.
    async fn look<'c>(
        &self,
        courier: &Courier<'_>,
        workspace: &WorkspaceName,
        conversation: &'c ConversationId,
    ) -> Result<(Far<'c>, Conversation), Stop> {
        let shown = courier.shown.take(courier.now(), workspace, conversation);
        match shown.filter(|_| !courier.taken.doubtful) {
            Some(before) => Ok((courier.far(workspace, conversation).await?, before)),
            None => courier.far_as_it_is(workspace, conversation).await,
        }
    }
}

/// A note that gathers changes waits for its time. One that may have been posted does not: it says
/// what it says.
fn wait(courier: &Courier<'_>, due_at: Option<Millis>) -> Result<(), Stop> {
    match due_at.filter(|at| *at > courier.now() && !courier.taken.doubtful) {
        None => Ok(()),
        Some(due_at) => Err(Stop(Ending::Later {
            due_at,
            doubtful: false,
            reason: "It waits for further changes of the issue, which then go in the same note."
                .to_owned(),
        })),
    }
}

/// Has the note tell what waits behind it as well, if it gathers changes. Returns what it says then.
/// Only a note that is not there yet gathers: what is posted says nothing more.
async fn gather(courier: &Courier<'_>, due_at: Option<Millis>) -> Result<Option<String>, Stop> {
    if due_at.is_none() || courier.taken.doubtful {
        return Ok(None);
    }
    let (taken, store) = (courier.taken, &courier.shared.store);
    let gathered = store
        .gather_note(taken.id, &taken.lease, &taken.effect, courier.now())
        .await
        .map_err(|error| courier.store_failed(&error))?;
    Ok(match gathered {
        Some(Act::Note { html, .. }) => Some(html),
        _ => None,
    })
}

/// Posts a note. `parts_before`: how many parts the conversation showed before, if it was looked at.
async fn post(
    courier: &Courier<'_>,
    far: &Far<'_>,
    html: &str,
    parts_before: Option<usize>,
) -> Result<Ending, Stop> {
    let conversation = far.conversation.as_str();
    let posting = far.workspace.client.note(conversation, &far.actor, html);
    match courier.call(&far.standing, posting).await {
        Ok(after) => {
            let remote_id = part_id(&after, &courier.effect().key.marker());
            let goes_on_here = goes_on_here(courier, far, &after).await;
            if let Some(before) = parts_before.filter(|_| goes_on_here) {
                let workspace = &far.workspace.config.name;
                courier.shown.keep(courier.now(), workspace, before, after);
            }
            Ok(Ending::Confirmed {
                remote_id,
                detail: None,
            })
        }
        Err(error) => Err(courier.failed(far, error, false).await),
    }
}

/// Does the conversation go on where the note was posted? A note that may wake it is posted without a
/// look at it before. If the answer shows that it was merged into another one, what follows goes there.
async fn goes_on_here(courier: &Courier<'_>, far: &Far<'_>, after: &Conversation) -> bool {
    let Ok(into) = courier.went_on_in(&far.workspace, after).await else {
        return false;
    };
    if let Some(into) = &into {
        let effect = courier.effect();
        let of = (&effect.site, &effect.issue);
        let at = (&far.workspace.config.name, far.conversation);
        courier.have_led_on(of, at, into).await;
    }
    into.is_none()
}

/// What our note is called on the far side: the part with our marker, which is the newest unless
/// someone wrote at the same moment.
pub(super) fn part_id(after: &Conversation, marker: &Marker) -> Option<String> {
    let part = after
        .part_with_marker(marker.as_str())
        .or_else(|| after.newest_part())?;
    (!part.id.is_empty()).then(|| part.id.clone())
}

/// Stops if the note is in the conversation. A doubtful note that is not there is looked for again
/// after a while, before it is taken for not posted.
async fn not_there(
    courier: &Courier<'_>,
    far: &Far<'_>,
    mut conversation: Conversation,
) -> Result<Conversation, Stop> {
    let marker = courier.effect().key.marker();
    if courier.taken.doubtful && conversation.part_with_marker(marker.as_str()).is_none() {
        tokio::time::sleep(SECOND_LOOK).await;
        conversation = courier.read(far).await?;
    }
    match conversation.part_with_marker(marker.as_str()) {
        None => Ok(conversation),
        Some(part) => Err(Stop(Ending::Confirmed {
            remote_id: Some(part.id.clone()),
            detail: Some("It was there already; it was found and not sent again.".to_owned()),
        })),
    }
}

/// Intercom wakes a snoozed conversation when a note comes. The old time is written down before
/// the note goes out, as an effect that snoozes it again.
async fn remember_snooze(
    courier: &Courier<'_>,
    far: &Far<'_>,
    before: &Conversation,
) -> Result<(), Stop> {
    let (State::Snoozed, Some(until_unix_s)) = (&before.state, before.snoozed_until) else {
        return Ok(());
    };
    let effect = courier.effect();
    let again = Effect {
        key: effect.key.following("snooze_again"),
        act: Act::SnoozeAgain {
            workspace: far.workspace.config.name.clone(),
            conversation: far.conversation.clone(),
            until_unix_s,
        },
        ..effect.clone()
    };
    let store = &courier.shared.store;
    store
        .follow_up(again, courier.taken.event, courier.now())
        .await
        .map_err(|error| courier.store_failed(&error))
}
