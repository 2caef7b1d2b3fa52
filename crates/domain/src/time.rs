//! Time, passed in.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// A time that never comes; what an idle lane is due at.
    pub const NEVER: Self = Self(i64::MAX);

    /// This time and `ms` milliseconds, not beyond the ends of the scale.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; negative when it is the later one.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where the present time comes from. The one way to it for everything but the binary's wiring.
pub trait Clock: Send + Sync + 'static {
    /// The present time.
    fn now(&self) -> Millis;
}
