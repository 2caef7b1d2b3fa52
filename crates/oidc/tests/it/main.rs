//! Signing in at a provider that is made of closures: what is taken of its answers and what is not.
//! The tokens are made by hand, with another library than the one that reads them.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, wherever its code stands"
)]

mod answers;
mod provider;
mod stage;
mod tokens;
