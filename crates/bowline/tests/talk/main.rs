//! Messaging under stress: random histories against a model of its own, the real process killed at
//! random moments, and very many messages at once. What is true afterwards is read from what the
//! simulated platforms recorded.
//!
//! Every run prints its seed and its figures. `TALK_SEED=3` takes another seed, `TALK_CASES=500`
//! plays more histories, `TALK_KILLS=300` kills more often, `TALK_MESSAGES=10000` with
//! `TALK_PEOPLE=500` sends more.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

mod chronicle;
mod history;
mod install;
mod kill;
mod look;
mod model;
#[path = "../crash/process.rs"]
mod process;
mod random;
mod soak;
mod throughput;
mod weather;

/// A number from the environment.
fn number<N: std::str::FromStr>(variable: &str) -> Option<N> {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
}

/// The seed of a run: the same deeds in every run unless another one is asked for.
fn seed() -> u64 {
    number("TALK_SEED").unwrap_or(7)
}
