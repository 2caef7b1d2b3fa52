//! Bowline's durable state on SQLite or PostgreSQL, with one set of semantics.
//!
//! All writes go through one [`committer`], which puts everything that waits into one transaction,
//! so that the cost of making it durable is shared. Reads use connections of their own.
//!
//! # Lanes
//!
//! A lane is a queue whose items are handled in order by one worker at a time. Every decision
//! about it is made on its one row, under that row's lock: it counts its waiting items, says when
//! it is due and who holds it. A worker whose lease ran out is fenced: what it then wants to commit
//! under that lease is refused.
//!
//! A lease that nobody uses any more is let go by the store itself: one whose answer nobody waited
//! for, and one whose worker was told that [`Store::settle`] or [`Store::postpone`] failed. After
//! an error of [`Store::decide`] the worker still has its lease and postpones it.
//!
//! What an attempt at an effect came to is recorded even if its lane was taken over meanwhile, as
//! far as the successor does not know better: see [`Store::settle`].
//!
//! # Invariants
//!
//! - A delivery is stored before it is acknowledged, once per (connection, source, delivery).
//! - State changes, effects and the outcome of an event commit together.
//! - The key of an effect is unique, and an effect is `attempting` before its bytes leave.

pub mod access;
pub mod alert;
pub mod asked;
pub mod browse;
mod checkpoint;
mod choices;
pub mod committer;
pub mod contacts;
mod db;
pub mod elsewhere;
mod error;
pub mod feedback;
pub mod forget;
mod group;
mod handover;
mod many;
mod migrate;
pub mod model;
mod open;
mod people;
mod postgres;
pub mod project_access;
pub mod reading;
pub mod replays;
pub mod second_factor;
pub mod settings;
pub mod sign_in_try;
mod sql;
mod sqlite;
mod store;
mod talk;
pub mod talk_browse;
pub mod tally;
pub mod testing;
mod writes;

pub use error::{DriverError, StoreError};
pub use open::Open;
pub use store::Store;
