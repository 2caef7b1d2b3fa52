//! One rich-text model for everything that people write, and the ways in and out of it.
//!
//! * [`adf`] reads and writes the Atlassian Document Format (Jira Cloud REST v3).
//! * [`wiki`] reads and writes Jira wiki markup (REST v2, Data Center, webhook bodies).
//! * [`html`] writes the HTML of Intercom notes and replies.
//! * [`plain`] writes plain text; [`words_of_html`] reads the words of HTML that others wrote.
//! * [`channel`] writes what end users read in a messenger or as a text message.
//! * [`lines`] gathers messages of a person in one text.
//! * [`address`] recognises addresses of Intercom conversations, in text and in documents.
//!
//! The crate is pure: no I/O, no clock, no randomness. Every reader is total (any input gives a
//! document, none panics), works in time linear in its input, and nests at most [`MAX_DEPTH`]
//! deep, so that no outside text can exhaust the stack.

pub mod address;
pub mod adf;
pub mod channel;
mod clean;
mod cut;
pub mod html;
pub mod lines;
mod model;
pub mod plain;
mod urls;
pub mod wiki;
mod words;

pub use address::{ConversationAddress, Host, find as find_in_doc, find_in_text};
pub use model::{Attachment, Block, Doc, Inline, ListItem, MAX_DEPTH, Marks};
pub use words::words_of_html;
