//! Messaging: an end user on a channel talks with an agent in a service request.
//!
//! The end user's messages are gathered in the description until the agent's first public comment,
//! and from then on in comments; the agent's public comments and the status notifications reach the
//! end user, and nothing else ever does. What an event means is decided by three pure functions:
//! [`plan::inbound`] for a message of the end user, [`plan::jira`] for what happened in the request,
//! and [`plan::provider`] for what the provider says of deliveries and conversations.
//!
//! # Invariants kept here
//!
//! 1. What goes to a channel is a [`text::CustomerText`], and only a comment that is positively
//!    public or a template of the desk makes one.
//! 2. Every message of an end user stands in one gathering, once, in the order of its own time.
//! 3. Nothing is sent for a request that is closed by our own record.
//! 4. The number of effects of an event is bounded by what the event tells.

pub mod act;
pub mod delivery;
pub mod end_user;
pub mod gathering;
pub mod ids;
pub mod inbound;
pub mod language;
pub mod news;
pub mod overtaken;
pub mod plan;
pub mod platform;
pub mod request;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod text;
pub mod words;
