//! Feedback: tags that teammates put on messages in Intercom become tickets of products.
//!
//! [`capture::capture`] decides, from what a conversation shows now and what is known of it, which
//! tickets are made, marked or erased. Nothing here depends on which delivery told it.
//!
//! # Rules kept here
//!
//! 1. One ticket per (product, conversation, message), whatever is told how often, in any order.
//! 2. Only a tag that was applied after its product began to count it makes a ticket, unless a
//!    person asked for older ones.
//! 3. Taking a tag off marks a ticket; it never ends it.
//! 4. What is erased in Intercom is erased here: text, files, transcript and identity. The shell
//!    with product, tag and time stays.

pub mod act;
pub mod capture;
pub mod ids;
pub mod note;
pub mod person;
pub mod product;
pub mod seen;
pub mod similar;
pub mod split;
pub mod ticket;
pub mod words;

#[cfg(test)]
mod tests;
