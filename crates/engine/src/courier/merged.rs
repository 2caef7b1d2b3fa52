//! Conversations that were merged into others.
//!
//! Intercom closes a merged conversation and lets it be read; a part of it tells of the merge, and
//! the API does not say into which conversation. That one has a part of the same moment. No webhook
//! topic for merges is documented, so a merge is noticed when a conversation is read.

use bowline_domain::effect::Act;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_intercom::Conversation;
use bowline_net::ApiError;
use bowline_store::model::Ending;

use super::{Courier, Far, Stop};
use crate::backoff;
use crate::registry::Workspace;

/// The conversation that an answer names as the one that took the place of what was asked for
/// (`Link: </conversations/…>; rel="canonical"`). Documented for merged contacts only; read here in
/// case conversations come to be told of in the same way.
pub(super) fn named_by(error: &ApiError) -> Option<ConversationId> {
    let id = error
        .canonical
        .as_deref()?
        .strip_prefix("/conversations/")?;
    let numeric = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    numeric.then(|| ConversationId::new(id))
}

impl Courier<'_> {
    /// What the conversation of an ended link was merged into; stops if that is not why it ended.
    pub(super) async fn survivor(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<ConversationId, Stop> {
        let effect = self.effect();
        let into = self
            .shared
            .store
            .merged_into((&effect.site, &effect.issue), (workspace, conversation))
            .await
            .map_err(|error| self.store_failed(&error))?;
        into.ok_or_else(|| {
            let reason = "The link ended before it was this effect's turn.".to_owned();
            Stop(Ending::Dropped { reason })
        })
    }

    /// Hands the effect on to the conversation that its own was merged into, unless an earlier
    /// attempt at it arrived before the merge.
    pub(super) async fn hand_on(&self, far: &Far<'_>, into: &ConversationId) -> Stop {
        let effect = self.effect();
        if self.taken.doubtful && matches!(effect.act, Act::Note { .. }) {
            let marker = effect.key.marker();
            match self.read_as_it_is(far).await {
                Ok(before) => {
                    if let Some(part) = before.part_with_marker(marker.as_str()) {
                        let detail = "It was there before the conversation was merged.".to_owned();
                        return Stop(Ending::Confirmed {
                            remote_id: Some(part.id.clone()),
                            detail: Some(detail),
                        });
                    }
                }
                Err(stop) => return stop,
            }
        }
        if matches!(effect.act, Act::Reply { .. }) {
            let reason = format!(
                "The conversation was merged into the conversation {into} in Intercom before it is \
                 known that this reached the customer. Read it there; then have it sent again, or \
                 say that it arrived."
            );
            return Stop(Ending::Held { reason });
        }
        if let Some(led) = effect.led_to(into) {
            let store = &self.shared.store;
            let handed = store.follow_up(led, self.taken.event, self.now()).await;
            if let Err(error) = handed {
                return self.store_failed(&error);
            }
        }
        let reason = format!(
            "The conversation was merged into the conversation {into} in Intercom; what is to be \
             done there is done there, once."
        );
        Stop(Ending::Dropped { reason })
    }

    /// Stops if the conversation was merged and the one that goes on is found: the link is led
    /// there first. Otherwise it is written to as it is.
    pub(super) async fn follow(
        &self,
        far: &Far<'_>,
        conversation: &Conversation,
    ) -> Result<(), Stop> {
        let into = match self.went_on_in(&far.workspace, conversation).await {
            Ok(into) => into,
            Err(error) => {
                let doubtful = self.taken.doubtful;
                return Err(self.remote_failed(&far.standing, &error, doubtful).await);
            }
        };
        match into {
            Some(into) => Err(self.lead_on(far, &into).await),
            None => Ok(()),
        }
    }

    /// Has the link led on, and waits for that.
    pub(super) async fn lead_on(&self, far: &Far<'_>, into: &ConversationId) -> Stop {
        let effect = self.effect();
        let of = (&effect.site, &effect.issue);
        let at = (&far.workspace.config.name, far.conversation);
        self.have_led_on(of, at, into).await;
        let wait = backoff::delay_ms(self.taken.attempts, self.shared.chance());
        let reason = format!(
            "The conversation was merged into the conversation {into} in Intercom. The link is led \
             there first."
        );
        Stop(self.later(wait, self.taken.doubtful, reason))
    }

    /// Puts the leading on into the lane of the issue, once for each effect that notices.
    pub(super) async fn have_led_on(
        &self,
        of: (&SiteName, &IssueId),
        at: (&WorkspaceName, &ConversationId),
        into: &ConversationId,
    ) {
        let name = format!("merged-{}-{}", self.taken.id, at.1);
        let told = crate::planner::conversation_merged(self.shared, of, at, into, name).await;
        if let Err(error) = told {
            tracing::error!(effect.id = %self.taken.id, %error, "a link could not be led on");
        }
    }

    /// See [`Paced::went_on_in`].
    pub(super) async fn went_on_in(
        &self,
        workspace: &Workspace,
        conversation: &Conversation,
    ) -> Result<Option<ConversationId>, ApiError> {
        self.paced().went_on_in(workspace, conversation).await
    }
}
