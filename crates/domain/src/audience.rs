//! Who may read an outbound text.

use serde::{Deserialize, Serialize};

/// Who may read an outbound text. There is no default on purpose: whoever makes a text says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Teammates and agents only: an Intercom note, an internal comment.
    Internal,
    /// The customer. Only for text that is positively known to be public.
    Customer,
}
