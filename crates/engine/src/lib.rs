//! The running parts: inbox, planner, lanes, courier, pace, health and reconciler.
//!
//! ```text
//! ingress ──> store (inbox) ──> planner ──> store (outbox) ──> courier ──> provider
//!                                  ^                              |
//!                              reconciler                   pace, health
//! ```
//!
//! Decisions are made by [`bowline_domain::plan::plan`]; this crate reads what it needs, commits
//! what it says, and makes the effects happen once. Time, randomness and the HTTP client are
//! passed in ([`Setup`]).

mod asked;
mod backoff;
mod breaker;
pub mod channel;
pub mod channel_choice;
pub mod config;
pub mod contacts;
mod courier;
pub mod desk;
pub mod feedback;
mod forget;
mod glance;
mod health;
pub mod ingress;
pub mod look;
mod pace;
mod paced;
pub mod panel;
pub mod permissions;
mod planner;
mod presence;
mod reconciler;
pub mod recorded;
mod registry;
mod replays;
mod retention;
mod run;
pub mod shared;
mod tally;

pub use bowline_jira::Deployment;
pub use config::{
    AccountConfig, BindingConfig, ContactSyncConfig, DeskConfig, EngineConfig, ProductConfig,
    Provider, SiteConfig, WorkspaceConfig,
};
pub use planner::try_out;
pub use run::{Engine, Setup};
