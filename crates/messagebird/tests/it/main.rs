//! Calls against a fake transport, and webhooks in every shape.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

mod hostile;
mod messagebird_calls;
mod messagebird_webhooks;
mod support;
mod whatsapp_calls;
mod whatsapp_webhooks;
