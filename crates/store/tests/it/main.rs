//! One suite for both databases: each test is there as `sqlite::…` and as `postgres::…`. After each,
//! every lane is held against what waits in it.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, wherever its code stands"
)]

mod support;

mod accepting;
mod access;
mod alerting;
mod alone_or_together;
mod at_the_door;
mod broken_off;
mod browsing;
mod configuring;
mod contact_removal;
mod contact_runs;
mod contacts;
mod deciding;
mod early;
mod elsewhere;
mod feedback;
mod feedback_backfills;
mod feedback_search;
mod feedback_triage;
mod forget;
mod gathering;
mod lanes;
mod lost_connections;
mod plans;
mod project_access;
mod reading;
mod readings;
mod replays;
mod replicas;
mod reports;
mod retention;
mod schema;
mod settling;
mod signing_in;
mod statements;
mod taken_over;
mod talk_browsing;
mod talking;
mod tallies;
mod viewing;
