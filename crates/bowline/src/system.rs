//! The outside world as the engine is given it: the clock and random numbers.

use bowline_domain::time::{Clock, Millis};

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        Millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// A number nobody can guess, for seeds and names.
pub fn random() -> u64 {
    fastrand::Rng::new().u64(..)
}

/// A name for this process among those that work the same database.
pub fn process_name() -> String {
    format!("{}-{:016x}", std::process::id(), random())
}
