//! Accounts, sessions and tokens on a real store, under a clock that the test turns.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, wherever its code stands"
)]

mod elsewhere;
mod people;
mod second_factor;
mod sessions;
mod stage;
mod tokens;
