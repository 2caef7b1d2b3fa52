//! Conversations that were merged into others: what their addresses mean since.

use std::collections::BTreeMap;

use bowline_text::ConversationAddress;

use crate::ids::ConversationId;
use crate::link::Link;

/// What each merged conversation of an issue was merged into. Conversation ids are unique only
/// within a workspace; that one issue is linked to two of the same id in two workspaces, one of
/// which was merged, is not provided for.
pub(super) struct Tombstones(BTreeMap<ConversationId, ConversationId>);

impl Tombstones {
    /// The tombstones among the links of an issue.
    pub(super) fn among<'l>(links: impl IntoIterator<Item = &'l Link>) -> Self {
        let merged = |link: &Link| Some((link.conversation.clone(), link.merged_into()?.clone()));
        Self(links.into_iter().filter_map(merged).collect())
    }

    /// The conversation that goes on: this one, or what it was merged into, however often.
    pub(super) fn survivor<'c>(&'c self, conversation: &'c ConversationId) -> &'c ConversationId {
        let mut at = conversation;
        // No more steps than there are tombstones, should they ever go round in a circle.
        for _ in 0..self.0.len() {
            match self.0.get(at) {
                Some(into) => at = into,
                None => break,
            }
        }
        at
    }

    /// The address of the conversation that goes on.
    pub(super) fn resolve(&self, address: ConversationAddress) -> ConversationAddress {
        if self.0.is_empty() {
            return address;
        }
        let named = ConversationId::new(address.conversation.as_str());
        ConversationAddress {
            conversation: self.survivor(&named).to_string(),
            ..address
        }
    }
}
