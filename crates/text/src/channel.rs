//! Text for a messenger or a text message.
//!
//! [`write()`] makes it from a document, [`split()`] parts it where it is too long for one message.
//! WhatsApp has no way to escape its marks: a character that would be taken for one is kept apart
//! from its word by an invisible space. What WhatsApp takes for a mark is described in `marks`.

mod marks;
mod split;
mod write;

use serde::{Deserialize, Serialize};

pub use split::{SMALLEST_LIMIT, length, split};
pub use write::write;

/// How formatting is written on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// WhatsApp's own: `*bold*`, `_italic_`, `~struck~`, code in backticks, lists and quotes.
    WhatsApp,
    /// None: words, line breaks and list markers.
    Plain,
}

/// What begins and ends a block of code.
const FENCE: &str = "```";
/// The invisible space (U+200B) that keeps a character from being taken for a mark.
const GUARD: char = '\u{200b}';
/// Characters that make a list or a quote when they begin a line and a space follows.
const LINE_MARKS: [char; 3] = ['>', '*', '-'];

/// Whether a line would be taken for an item of a list or for a quote.
fn begins_block(line: &str) -> bool {
    let mut chars = line.chars();
    chars.next().is_some_and(|c| LINE_MARKS.contains(&c)) && chars.next() == Some(' ')
}
