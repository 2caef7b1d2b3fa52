//! Calls against a fake transport, and notifications in every shape.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

mod calls;
mod webhooks;
