//! How far a copy is, for people.

use crate::time::Millis;

/// What the rate is measured over at least, in milliseconds: less says nothing.
const MEASURED_MS_MIN: i64 = 1_000;

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Gone through so far.
    pub done: i64,
    /// Of so many, if that is known.
    pub total: Option<i64>,
    /// When the present stretch began (a start, or going on after a stop) and what was done then.
    pub since: Millis,
    /// What was done when the present stretch began.
    pub done_then: i64,
}

impl Progress {
    /// Per second, over the present stretch; `None` as long as that says nothing.
    pub fn rate(&self, now: Millis) -> Option<i64> {
        let ms = now.since(self.since);
        let done = self.done - self.done_then;
        (ms >= MEASURED_MS_MIN && done > 0).then(|| done.saturating_mul(1_000) / ms)
    }

    /// Milliseconds until the end at this rate.
    pub fn left_ms(&self, now: Millis) -> Option<i64> {
        let ms = now.since(self.since);
        let done = self.done - self.done_then;
        let left = self.total? - self.done;
        (ms >= MEASURED_MS_MIN && done > 0 && left >= 0)
            .then(|| i64::try_from(i128::from(left) * i128::from(ms) / i128::from(done)).ok())?
    }

    /// How much of it is done, in hundredths.
    pub fn percent(&self) -> Option<i64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some((self.done.saturating_mul(100) / total).clamp(0, 100))
    }
}
