//! Calls against a fake transport, and deliveries in every recorded shape.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

mod calls;
mod deliveries;
mod projects;
mod service_desk;
