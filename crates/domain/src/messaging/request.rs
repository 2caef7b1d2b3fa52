//! The active conversation of an end user, and the request that it feeds.

use serde::{Deserialize, Serialize};

use super::gathering::Gathering;
use super::ids::{DeskName, RemoteConversationId};
use super::inbound::Route;
use crate::effect::{EffectKey, EffectState};
use crate::ids::{IssueId, IssueKey, ProjectKey, SiteName};
use crate::time::Millis;

/// Where a conversation is. A person without one, or whose last one is closed, has none active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What the end user writes is gathered in the description.
    Describing,
    /// An agent has answered; the talk goes on in comments.
    Commenting,
    /// Ended. Nothing goes in or out any more.
    Closed,
}

/// Why a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// The request came into a closing status.
    Done,
    /// It was archived at the provider.
    Archived,
    /// The request was deleted.
    Deleted,
    /// The provider joined its contact with one that has an older conversation.
    Merged,
}

/// The provider had put a message into a conversation of its that we archive because the request
/// before ended, and it goes on in there: what archives it, and what opens it again behind that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// The provider's conversation.
    pub conversation: RemoteConversationId,
    /// What archives it, if we do.
    pub archive: Option<EffectKey>,
    /// What opens it again.
    pub open: EffectKey,
}

/// The status of a request, as the change to it was dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastStatus {
    /// The id of the change.
    pub change: String,
    /// The status since.
    pub name: String,
}

/// Whose doing it is that the conversation of a [`Reopening`] was archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archiving {
    /// Ours, for the request before: nothing ends.
    Ours,
    /// Ours perhaps: what would tell is under way.
    NotKnownYet,
    /// Somebody else's if it is archived now: it was open in between.
    SomebodysIfArchived,
}

impl Reopening {
    /// Whose doing an archiving is that we are told of now, by where our own two writes are:
    /// archiving, with how often that was tried, and opening again.
    pub fn archiving(archive: Option<(EffectState, i64)>, opened: EffectState) -> Archiving {
        match opened {
            EffectState::Confirmed => Archiving::SomebodysIfArchived,
            // It could not be opened, as when the customer has begun another one meanwhile.
            EffectState::Rejected | EffectState::Dropped | EffectState::Held => Archiving::Ours,
            EffectState::Attempting | EffectState::Unknown => Archiving::NotKnownYet,
            EffectState::Planned => match archive {
                Some((state, _)) if !state.settled() => Archiving::NotKnownYet,
                Some((state, tried)) if Self::never_archived(state, tried) => {
                    Archiving::SomebodysIfArchived
                }
                Some(_) | None => Archiving::Ours,
            },
        }
    }

    /// Was the conversation never archived by us? Its turn came once, when the customer had written
    /// again already.
    pub fn never_archived(archive: EffectState, tried: i64) -> bool {
        archive == EffectState::Dropped && tried <= 1
    }
}

/// One conversation of an end user with the request that it feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Which of the end user's conversations; the first is 1.
    pub generation: u32,
    /// The desk that it came in at.
    pub desk: DeskName,
    /// The site of the request.
    pub site: SiteName,
    /// Where it is.
    pub stage: Stage,
    /// Where the next message goes, while that is open.
    pub gathering: Option<Gathering>,
    /// How many gatherings there were.
    pub gatherings: u32,
    /// Where an answer goes: the channel that was used last.
    pub route: Route,
    /// When it began.
    pub opened_at: Millis,
    /// When the end user last wrote, by the provider's clock.
    pub last_inbound_at: Millis,
    /// The end of the window that the agent was reminded of.
    #[serde(default)]
    pub reminded_of: Option<Millis>,
    /// When and why it ended.
    #[serde(default)]
    pub closed: Option<(Millis, Closing)>,
    /// The opening again that it needs, if it goes on in a conversation that was archived.
    #[serde(default)]
    pub reopening: Option<Reopening>,
    /// The provider's conversation of the request before, which ended: what was put into it and is
    /// told late does not turn this one back to it.
    #[serde(default)]
    pub before: Option<RemoteConversationId>,
    /// What agents answered up to this time, by Jira's clock, waits because no desk serves the
    /// conversation any more; they were told so.
    #[serde(default)]
    pub unserved: Option<Millis>,
    /// The project in which the issue is no request, so that no comment of it reaches the customer;
    /// the agents were told so.
    #[serde(default)]
    pub outside: Option<ProjectKey>,
    /// The status change that was dealt with last.
    #[serde(default)]
    pub status: Option<LastStatus>,
    /// The issue, once it is made.
    #[serde(skip)]
    pub issue: Option<(IssueId, IssueKey)>,
}

impl Request {
    /// Is it not ended?
    pub fn is_live(&self) -> bool {
        self.stage != Stage::Closed
    }

    /// Until when an answer can be sent; `None` where there is no such bound.
    pub fn window_ends_at(&self) -> Option<Millis> {
        let window_ms = self.route.platform.reply_window_ms()?;
        Some(self.last_inbound_at.plus_ms(window_ms))
    }

    /// Can an answer be sent at this time?
    pub fn can_reply(&self, now: Millis) -> bool {
        self.window_ends_at().is_none_or(|end| now < end)
    }

    /// Ends it.
    pub(super) fn close(&mut self, at: Millis, why: Closing) {
        self.stage = Stage::Closed;
        self.gathering = None;
        self.closed = Some((at, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_an_archiving_is() {
        use Archiving::{NotKnownYet, Ours, SomebodysIfArchived};
        use EffectState::{Attempting, Confirmed, Dropped, Planned, Rejected, Unknown};
        for (archive, opened, wanted) in [
            (Some((Confirmed, 1)), Confirmed, SomebodysIfArchived),
            (Some((Confirmed, 1)), Planned, Ours),
            (Some((Confirmed, 1)), Attempting, NotKnownYet),
            (Some((Confirmed, 1)), Unknown, NotKnownYet),
            (Some((Confirmed, 1)), Rejected, Ours),
            (Some((Confirmed, 1)), Dropped, Ours),
            (Some((Unknown, 1)), Planned, NotKnownYet),
            (Some((Planned, 0)), Planned, NotKnownYet),
            // Our turn came too late: whoever archived it is somebody else.
            (Some((Dropped, 1)), Planned, SomebodysIfArchived),
            // It was tried before, so it may have been done.
            (Some((Dropped, 2)), Planned, Ours),
            (None, Planned, Ours),
            (None, Confirmed, SomebodysIfArchived),
        ] {
            let found = Reopening::archiving(archive, opened);
            assert_eq!(found, wanted, "{archive:?}, {opened:?}");
        }
    }
}
