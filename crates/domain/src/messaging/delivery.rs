//! What became of what was to be sent to an end user.

use serde::{Deserialize, Serialize};

use super::act::{AgentFile, SEND_FILE, SEND_TEMPLATE};
use super::ids::ChannelId;
use super::words;
use crate::effect::EffectKey;
use crate::ids::CommentId;
use crate::time::Millis;

/// Where an outbound message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It waits to be sent.
    Queued,
    /// The provider took it.
    Sent,
    /// It is on the end user's device.
    Delivered,
    /// The end user saw it.
    Read,
    /// It was not delivered.
    Failed,
    /// It was not sent.
    NotSent,
    /// Whether it was sent is not known; a person decides.
    Held,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::NotSent,
        Self::Held,
    ];

    /// The word for storage and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::NotSent => "not_sent",
            Self::Held => "held",
        }
    }

    /// The reverse of [`Delivery::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Where it is after the provider said `told`. Reports come in any order: what was read is not
    /// merely delivered, and what arrived did not fail.
    #[must_use]
    pub fn after(self, told: Self) -> Self {
        let rank = |one: Self| match one {
            Self::Queued | Self::NotSent | Self::Held => 0,
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Delivered => 3,
            Self::Read => 4,
        };
        if rank(told) > rank(self) { told } else { self }
    }

    /// Did it reach nobody, so that a person may have it sent again?
    pub fn may_be_sent_again(self) -> bool {
        matches!(self, Self::Failed | Self::NotSent | Self::Held)
    }
}

/// What a person decided about a message that reached nobody, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It was sent again, as a message of its own.
    SentAgain,
    /// It did arrive, as somebody found out.
    Arrived,
    /// It is not wanted any more.
    Dropped,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SentAgain, Self::Arrived, Self::Dropped];

    /// The word for storage and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SentAgain => "sent_again",
            Self::Arrived => "arrived",
            Self::Dropped => "dropped",
        }
    }

    /// The reverse of [`Resolution::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// A decision about a message, with who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// What was decided.
    pub how: Resolution,
    /// By whom, for people.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// A message to an end user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The effect that sends it, or would have.
    pub key: EffectKey,
    /// The comment it carries, if it carries one.
    pub comment: Option<CommentId>,
    /// The channel.
    pub channel: ChannelId,
    /// What it says.
    pub text: String,
    /// Where it is.
    pub delivery: Delivery,
    /// Why it was not delivered.
    pub reason: Option<String>,
    /// When it was decided.
    pub at: Millis,
}

impl Outbound {
    /// Is it a message that the platform approved before?
    pub fn is_template(&self) -> bool {
        self.is_by(SEND_TEMPLATE)
    }

    /// The file that it is, if it is one: its key names it, its text shows its name.
    pub fn file(&self) -> Option<AgentFile> {
        let (_, id) = self.key.as_str().rsplit_once(FILE_IN_KEY)?;
        self.is_by(SEND_FILE).then(|| AgentFile {
            id: id.to_owned(),
            name: words::name_of_sent_file(&self.text).to_owned(),
        })
    }

    /// Is it about a status that held no more when it could have been sent?
    pub fn is_superseded(&self) -> bool {
        let reason = self.reason.as_deref();
        self.delivery == Delivery::NotSent
            && reason.is_some_and(|reason| reason.starts_with(words::SUPERSEDED))
    }

    fn is_by(&self, kind: &str) -> bool {
        let key = self.key.as_str().strip_prefix("talk-");
        key.and_then(|key| key.split_once('/'))
            .is_some_and(|(word, _)| word == kind)
    }
}

/// What stands in the key of an effect that sends a file before the file's id.
pub(super) const FILE_IN_KEY: &str = "/file/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_in_any_order_come_to_the_same() {
        let reports = [Delivery::Sent, Delivery::Delivered, Delivery::Read];
        for first in reports {
            for second in reports {
                for third in reports {
                    let end = Delivery::Queued.after(first).after(second).after(third);
                    let best = [first, second, third]
                        .into_iter()
                        .max_by_key(|one| *one as u8);
                    assert_eq!(Some(end), best);
                }
            }
        }
        assert_eq!(Delivery::Sent.after(Delivery::Failed), Delivery::Failed);
        assert_eq!(Delivery::Read.after(Delivery::Failed), Delivery::Read);
        for one in Delivery::ALL {
            assert_eq!(Delivery::from_word(one.as_str()), Some(one));
        }
    }
}
