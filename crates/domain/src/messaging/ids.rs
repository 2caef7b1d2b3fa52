//! Identifiers of messaging.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::text_id;

text_id! {
    /// The configured name of a channel account.
    AccountName
}
text_id! {
    /// The configured name of a desk.
    DeskName
}
text_id! {
    /// A channel of a channel account, as the provider calls it.
    ChannelId
}
text_id! {
    /// An end user. Made of the first identity that was seen, so that two processes that see the
    /// same new person call them the same.
    EndUserId
}
text_id! {
    /// A message, as the provider calls it. Unique within its account.
    MessageId
}
text_id! {
    /// A conversation, as the provider calls it. Archived and begun anew it may keep its name, so
    /// it does not name a request.
    RemoteConversationId
}

/// One request of an end user: the n-th conversation that fed one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestRef {
    /// The channel account.
    pub account: AccountName,
    /// The end user.
    pub end_user: EndUserId,
    /// Which of their conversations; the first is 1.
    pub generation: u32,
}

impl fmt::Display for RequestRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.end_user, self.generation)
    }
}
