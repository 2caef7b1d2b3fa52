//! The installation under the worst that can happen to it: the real process killed at random
//! moments, and both platforms failing in every way they know. What is true afterwards is read from
//! what the simulated platforms recorded.
//!
//! Every run prints its seed. `CRASH_SEEDS=1,2,3` runs other ones, `CRASH_KILLS=1000` kills more
//! often.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step in a test helper is a failed test"
)]

mod checker;
mod copying;
mod driver;
mod faults;
mod kill;
mod mending;
mod model;
mod overtaken;
mod process;
mod records;
mod site;
mod taking_in;
