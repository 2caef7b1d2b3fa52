//! The rate limit: the quota is dealt out in windows of ten seconds of Unix time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Length of a window, in seconds.
pub const WINDOW_SECONDS: i64 = 10;

/// Calls per window that 10,000 calls per minute amount to.
pub const DEFAULT_PER_WINDOW: u32 = 1_666;

/// What the headers name as the limit when there is none.
pub const NO_LIMIT: u32 = 10_000_000;

/// Windows that are remembered.
const MAX_WINDOWS: usize = 10_000;

/// Calls of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first second, in Unix time; a multiple of ten.
    pub start: i64,
    /// Calls that were let through.
    pub calls: u32,
    /// Calls that got 429.
    pub refused: u32,
}

/// What the headers of an answer say.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// `X-RateLimit-Limit`
    pub limit: u32,
    /// `X-RateLimit-Remaining`
    pub remaining: u32,
    /// `X-RateLimit-Reset`, in Unix seconds
    pub reset: i64,
    /// Whether this call goes beyond.
    pub exceeded: bool,
}

/// Counts calls in windows.
#[derive(Debug)]
pub struct Limiter {
    state: Mutex<(Option<u32>, VecDeque<Window>)>,
}

impl Limiter {
    /// A limiter that lets this many calls through per window, or all.
    pub fn new(per_window: Option<u32>) -> Self {
        Self {
            state: Mutex::new((per_window, VecDeque::new())),
        }
    }

    /// Changes the limit from now on.
    pub fn set(&self, per_window: Option<u32>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = per_window;
    }

    /// Counts a call.
    pub fn count(&self, now_s: i64) -> Quota {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (per_window, windows) = &mut *guard;
        let start = now_s - now_s.rem_euclid(WINDOW_SECONDS);
        if windows.back().is_none_or(|window| window.start != start) {
            if windows.len() >= MAX_WINDOWS {
                windows.pop_front();
            }
            windows.push_back(Window {
                start,
                calls: 0,
                refused: 0,
            });
        }
        let limit = per_window.unwrap_or(NO_LIMIT);
        let exceeded = match windows.back_mut() {
            Some(window) if window.calls < limit => {
                window.calls += 1;
                false
            }
            Some(window) => {
                window.refused += 1;
                true
            }
            None => false,
        };
        let calls = windows.back().map_or(0, |window| window.calls);
        Quota {
            limit,
            remaining: limit - calls.min(limit),
            reset: start + WINDOW_SECONDS,
            exceeded,
        }
    }

    /// All windows in which there were calls, oldest first.
    pub fn windows(&self) -> Vec<Window> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .iter()
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_aligned_and_refill() {
        let limiter = Limiter::new(Some(2));
        let seen: Vec<(u32, bool, i64)> = [1_009, 1_010, 1_011, 1_019, 1_020]
            .into_iter()
            .map(|now| limiter.count(now))
            .map(|quota| (quota.remaining, quota.exceeded, quota.reset))
            .collect();
        assert_eq!(
            seen,
            [
                (1, false, 1_010),
                (1, false, 1_020),
                (0, false, 1_020),
                (0, true, 1_020),
                (1, false, 1_030)
            ]
        );
        assert_eq!(
            limiter.windows()[1],
            Window {
                start: 1_010,
                calls: 2,
                refused: 1
            }
        );
    }
}
