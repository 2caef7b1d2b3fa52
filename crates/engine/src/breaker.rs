//! The breaker: bounds the notes of one link within an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use bowline_domain::time::Millis;

/// The time that notes are counted over, in milliseconds.
const SPAN_MS: i64 = 60 * 60 * 1_000;

/// Links that are counted at once; beyond it those that were quiet for an hour are forgotten.
const LINKS_MAX: usize = 20_000;

/// Counts notes per link. In memory: a restart forgets the count, which only lets more through.
pub(crate) struct Breaker {
    limit: AtomicU32,
    passed: Mutex<HashMap<String, VecDeque<Millis>>>,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            limit: AtomicU32::new(0),
            passed: Mutex::new(HashMap::new()),
        }
    }

    /// Sets the notes per link and hour; zero is no bound.
    pub(crate) fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Counts a note that is about to go out, or says when it may.
    pub(crate) fn pass(&self, link: &str, now: Millis) -> Result<(), Millis> {
        let limit = self.limit.load(Ordering::Relaxed) as usize;
        if limit == 0 {
            return Ok(());
        }
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.len() >= LINKS_MAX {
            passed.retain(|_, times| times.back().is_some_and(|at| now.since(*at) < SPAN_MS));
        }
        let times = passed.entry(link.to_owned()).or_default();
        while times.front().is_some_and(|at| now.since(*at) >= SPAN_MS) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= limit => Err(first.plus_ms(SPAN_MS)),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_so_many_pass_and_then_waits_for_the_hour() {
        let breaker = Breaker::new();
        assert_eq!(breaker.pass("a", Millis(0)), Ok(()), "no bound unless set");
        breaker.set_limit(2);
        assert_eq!(breaker.pass("a", Millis(10)), Ok(()));
        assert_eq!(breaker.pass("a", Millis(20)), Ok(()));
        assert_eq!(breaker.pass("a", Millis(30)), Err(Millis(10 + SPAN_MS)));
        assert_eq!(breaker.pass("b", Millis(30)), Ok(()), "each link by itself");
        assert_eq!(breaker.pass("a", Millis(10 + SPAN_MS)), Ok(()));
    }
}
