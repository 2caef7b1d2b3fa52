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

/// Tells one start of this machine from another, where the system does (Linux).
pub fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    (!id.is_empty() && !id.contains(char::is_whitespace)).then(|| id.to_owned())
}
