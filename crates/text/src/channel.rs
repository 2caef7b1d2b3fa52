//! Text for a messenger or a text message.

use serde::{Deserialize, Serialize};

/// How formatting is written on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// WhatsApp's own: `*bold*`, `_italic_`, `~struck~`, code in backticks, lists and quotes.
    WhatsApp,
    /// None: words, line breaks and list markers.
    Plain,
}
