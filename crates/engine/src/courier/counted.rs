//! Counting what is written, so that two automations cannot keep each other going.

use bowline_domain::effect::{Act, Effect};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::model::Ending;

use super::{Courier, Stop};
use crate::breaker::{self, Passed};
use crate::shared::Shared;

/// The link of a note, as the breaker counts its notes.
pub(super) struct CountedLink(String);

impl CountedLink {
    /// Nothing if the effect is no note.
    pub(super) fn of(
        effect: &Effect,
        (workspace, conversation): (&WorkspaceName, &ConversationId),
    ) -> Option<Self> {
        let (site, issue) = (&effect.site, &effect.issue);
        let link = || Self(format!("{site}/{issue}/{workspace}/{conversation}"));
        matches!(effect.act, Act::Note { .. }).then(link)
    }

    /// The same, if the breaker has to know what was posted before this process met the link.
    pub(super) fn untold(
        shared: &Shared,
        effect: &Effect,
        at: (&WorkspaceName, &ConversationId),
    ) -> Option<Self> {
        let breaker = &shared.notes_per_link_hour;
        Self::of(effect, at).filter(|link| breaker.must_be_told(&link.0))
    }

    /// Did a note of it go out since, as far as this process knows?
    pub(super) fn had_a_note_since(&self, shared: &Shared, since: Millis) -> bool {
        shared.notes_per_link_hour.passed_since(&self.0, since)
    }

    /// Tells the breaker, and answers whether the link is live; both are asked together.
    pub(super) async fn tell(
        &self,
        shared: &Shared,
        effect: &Effect,
        at: (&WorkspaceName, &ConversationId),
    ) -> Result<bool, StoreError> {
        let now = shared.now();
        let (of, since) = ((&effect.site, &effect.issue), breaker::counted_from(now));
        let (live, posted) = shared.store.link_and_notes(of, at, since).await?;
        let passed = posted.into_iter().map(|(effect, at)| Passed { effect, at });
        let breaker = &shared.notes_per_link_hour;
        breaker.tell(&self.0, passed.collect(), now);
        Ok(live)
    }
}

/// Tells the breaker what it was not told before the note went out. So the first note of a link that
/// this process meets may be one too many; the next is not.
pub(super) async fn tell_afterwards(shared: &Shared, effect: &Effect) {
    let Some(at) = effect.act.conversation() else {
        return;
    };
    if let Some(link) = CountedLink::untold(shared, effect, at)
        && let Err(error) = link.tell(shared, effect, at).await
    {
        tracing::debug!(%error, "the notes of a link were not counted; they are asked for again");
    }
}

impl Courier<'_> {
    /// Is the link live? The breaker is told beside it what it has to know.
    pub(super) async fn link_is_live(
        &self,
        at: (&WorkspaceName, &ConversationId),
    ) -> Result<bool, StoreError> {
        let (shared, effect) = (&**self.shared, self.effect());
        if let Some(link) = CountedLink::untold(shared, effect, at) {
            return link.tell(shared, effect, at).await;
        }
        let of = (&effect.site, &effect.issue);
        shared.store.link_is_live(of, at).await
    }

    /// Notes of one link wait when there were very many of them within an hour: something is going
    /// round in circles, or a machine is talking.
    pub(super) fn breaker(&self, at: (&WorkspaceName, &ConversationId)) -> Result<(), Stop> {
        let Some(link) = CountedLink::of(self.effect(), at) else {
            return Ok(());
        };
        let (breaker, now) = (&self.shared.notes_per_link_hour, self.now());
        match breaker.pass(&link.0, self.taken.id, now) {
            Ok(()) => Ok(()),
            Err(due_at) => Err(Stop(Ending::Later {
                due_at,
                doubtful: self.taken.doubtful,
                reason: "This conversation got very many notes about this issue within an hour. \
                         The next ones wait, so that two automations cannot keep each other going."
                    .to_owned(),
            })),
        }
    }

    /// What was changed by hand is put right; what is changed again and again is left for a while.
    pub(super) fn tally_breaker(&self, site: &SiteName, issue: &IssueId) -> Result<(), Stop> {
        if !self.effect().key.as_str().contains("/changed-") {
            return Ok(());
        }
        let breaker = &self.shared.notes_per_link_hour;
        let what = format!("tally/{site}/{issue}");
        let passed = breaker.pass(&what, self.taken.id, self.now());
        passed.map_err(|due_at| {
            Stop(Ending::Later {
                due_at,
                doubtful: false,
                reason: "Somebody else, perhaps an automation, changes this issue's label or \
                         number field again and again. Bowline puts it right once more later, so \
                         that the two do not keep each other going."
                    .to_owned(),
            })
        })
    }
}
