//! For tests and benchmarks, of this crate and of others: databases that come and go, and looks at
//! the tables that the store itself never takes.
//!
//! PostgreSQL is started from the binaries of this machine. A test that needs it fails where it is
//! not installed: a suite that skips half of itself says nothing.

pub mod census;
mod cluster;
mod inspect;
mod scratch;

pub use cluster::{Cluster, Options};
pub use inspect::{WritesHeld, check_lanes, execute, hold_writes, texts};
pub use scratch::{Backend, Scratch, for_each_database};
