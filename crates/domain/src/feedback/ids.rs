//! Identifiers of feedback.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{row_id, text_id};

text_id! {
    /// The id of a tag, unique within its workspace. It stays when the tag is renamed.
    TagId
}
text_id! {
    /// Intercom's id of a contact, unique within its workspace.
    ContactId
}
text_id! {
    /// The id of a part of a conversation, unique within its workspace; [`PartId::first`] for the
    /// message that began it.
    PartId
}

impl PartId {
    /// The message that began the conversation, which is no part on the wire.
    pub fn first() -> Self {
        Self::new("source")
    }

    /// Is it the message that began the conversation?
    pub fn is_first(&self) -> bool {
        *self == Self::first()
    }
}

row_id! {
    /// One product.
    ProductId
}
row_id! {
    /// One ticket.
    TicketId
}
