//! Keeping to a connection's remote limits: never more than allowed, and all of what is allowed.
//!
//! A window is counted down locally and corrected by every answer's headers. Before the first
//! answer a few calls go out; from then on the far side's own numbers rule.

use std::sync::Mutex;
use std::time::Duration;

use bowline_domain::time::{Clock, Millis};
use bowline_net::Limits;
use tokio::sync::Notify;

/// Calls that may go out before the far side has said what it allows.
const BLIND_CALLS: u32 = 8;

/// One in this many calls of a window is kept for interactive work.
const RESERVE_SHARE: u32 = 100;

/// The length of Intercom's windows, used to go on counting when a window ended while nothing was
/// sent, in milliseconds.
const WINDOW_MS: i64 = 10_000;

/// What is waited beyond the end of a window, so that a call does not arrive in the old one, in
/// milliseconds. Grows when the far side still refuses.
const GUARD_MS: i64 = 15;
const GUARD_MS_MAX: i64 = 1_000;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Someone just did something and looks for its effect.
    Interactive,
    /// One of many.
    Bulk,
}

/// The pace of one connection.
pub(crate) struct Pace {
    state: Mutex<Window>,
    changed: Notify,
}

/// What is known of the far side's present window.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// `None` until the far side said something.
    limit: Option<u32>,
    remaining: u32,
    /// When the window ends by our clock.
    ends_at: Millis,
    /// Nothing goes out before this.
    blocked_until: Millis,
    guard_ms: i64,
}

/// May a call go out now, or when to ask again?
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Go,
    At(Millis),
    /// When an answer of another call came.
    Later,
}

impl Window {
    fn new() -> Self {
        Self {
            limit: None,
            remaining: BLIND_CALLS,
            ends_at: Millis(0),
            blocked_until: Millis(0),
            guard_ms: GUARD_MS,
        }
    }

    fn ask(&mut self, priority: Priority, now: Millis) -> Answer {
        if now < self.blocked_until {
            return Answer::At(self.blocked_until);
        }
        let Some(limit) = self.limit else {
            if self.remaining == 0 {
                return Answer::Later;
            }
            self.remaining -= 1;
            return Answer::Go;
        };
        let over_at = self.ends_at.plus_ms(self.guard_ms);
        if now >= over_at {
            self.remaining = limit;
            let windows = now.since(self.ends_at) / WINDOW_MS + 1;
            self.ends_at = self.ends_at.plus_ms(windows * WINDOW_MS);
        }
        let reserve = match priority {
            Priority::Interactive => 0,
            Priority::Bulk => (limit / RESERVE_SHARE).max(u32::from(limit > 1)),
        };
        if self.remaining > reserve {
            self.remaining -= 1;
            Answer::Go
        } else {
            Answer::At(self.ends_at.plus_ms(self.guard_ms))
        }
    }

    /// Is most of the window there still?
    fn has_plenty(&self, now: Millis) -> bool {
        let over = now >= self.ends_at.plus_ms(self.guard_ms);
        now >= self.blocked_until
            && self
                .limit
                .is_some_and(|limit| over || self.remaining > limit / 2)
    }

    /// Takes in what an answer's headers said.
    fn learn(&mut self, limits: &Limits) {
        let (Some(limit), Some(remaining), Some(reset)) =
            (limits.limit, limits.remaining, limits.reset_at_unix_s)
        else {
            // No such headers: the far side does not count this way. Errors slow us down.
            if self.limit.is_none() {
                self.remaining = u32::MAX;
            }
            return;
        };
        let ends_at = Millis(reset.saturating_mul(1_000));
        if self.limit.is_none() || ends_at > self.ends_at {
            self.remaining = remaining;
            self.ends_at = ends_at;
        } else if ends_at == self.ends_at {
            self.remaining = self.remaining.min(remaining);
        }
        self.limit = Some(limit.max(1));
    }

    /// Takes in that a call was refused for being too many.
    fn refused(&mut self, retry_after: Option<Duration>, now: Millis) {
        if self.limit.is_some() && retry_after.is_none() {
            // The window is used up. Where none is known nothing would ever fill it again, and a
            // time that the far side names says more than its window.
            self.remaining = 0;
        }
        self.guard_ms = (self.guard_ms * 2).min(GUARD_MS_MAX);
        let wait_ms = retry_after.map_or_else(
            || self.ends_at.since(now).clamp(1_000, WINDOW_MS),
            |wait| i64::try_from(wait.as_millis()).unwrap_or(WINDOW_MS),
        );
        self.blocked_until = self.blocked_until.max(now.plus_ms(wait_ms + self.guard_ms));
    }
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(Window::new()),
            changed: Notify::new(),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Window) -> T) -> T {
        // A panic while holding this lock cannot leave the window half-changed.
        let mut window = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut window)
    }

    /// May calls go out that could prove to be for nothing? Where the far side says what it allows,
    /// and most of that is there still.
    pub(crate) fn has_plenty(&self, now: Millis) -> bool {
        self.with(|window| window.has_plenty(now))
    }

    /// Waits until a call may go out.
    pub(crate) async fn turn(&self, priority: Priority, clock: &dyn Clock) {
        loop {
            let changed = self.changed.notified();
            let now = clock.now();
            match self.with(|window| window.ask(priority, now)) {
                Answer::Go => return,
                Answer::At(at) => {
                    let wait_ms = u64::try_from(at.since(now).max(1)).unwrap_or(1);
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
                        () = changed => {}
                    }
                }
                Answer::Later => changed.await,
            }
        }
    }

    /// Takes in what an answer's headers said.
    pub(crate) fn learn(&self, limits: &Limits) {
        let first = self.with(|window| {
            let first = window.limit.is_none();
            window.learn(limits);
            first
        });
        if first {
            self.changed.notify_waiters();
        }
    }

    /// Takes in that a call gave no usable answer; without this, calls that never learn would
    /// stop for ever.
    pub(crate) fn failed(&self) {
        self.with(|window| {
            if window.limit.is_none() {
                window.remaining = window.remaining.saturating_add(1);
            }
        });
        self.changed.notify_waiters();
    }

    /// Takes in that a call was refused for being too many.
    pub(crate) fn refused(&self, retry_after: Option<Duration>, now: Millis) {
        self.with(|window| window.refused(retry_after, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(limit: u32, remaining: u32, reset: i64) -> Limits {
        Limits {
            limit: Some(limit),
            remaining: Some(remaining),
            reset_at_unix_s: Some(reset),
            server_date_unix_s: None,
        }
    }

    #[test]
    fn all_of_a_window_is_used_and_no_more() {
        let mut window = Window::new();
        assert_eq!(window.ask(Priority::Interactive, Millis(1_000)), Answer::Go);
        window.learn(&limits(100, 99, 10));
        let mut sent = 1;
        while window.ask(Priority::Interactive, Millis(2_000)) == Answer::Go {
            sent += 1;
        }
        assert_eq!(sent, 100);
        let over = Millis(10_000 + GUARD_MS);
        assert_eq!(
            window.ask(Priority::Interactive, Millis(3_000)),
            Answer::At(over)
        );
        assert_eq!(window.ask(Priority::Interactive, over), Answer::Go);
        assert_eq!(window.remaining, 99);
    }

    #[test]
    fn bulk_leaves_a_reserve() {
        let mut window = Window::new();
        window.learn(&limits(100, 2, 10));
        assert_eq!(window.ask(Priority::Bulk, Millis(0)), Answer::Go);
        assert_eq!(
            window.ask(Priority::Bulk, Millis(0)),
            Answer::At(Millis(10_000 + GUARD_MS))
        );
        assert_eq!(window.ask(Priority::Interactive, Millis(0)), Answer::Go);
    }

    #[test]
    fn what_others_use_is_taken_in_and_late_answers_are_not() {
        let mut window = Window::new();
        window.learn(&limits(100, 50, 20));
        window.learn(&limits(100, 10, 20));
        assert_eq!(window.remaining, 10);
        window.learn(&limits(100, 90, 10));
        assert_eq!(
            window.remaining, 10,
            "an answer of the window before says nothing"
        );
        window.learn(&limits(100, 99, 30));
        assert_eq!(window.remaining, 99);
    }

    #[test]
    fn a_refusal_blocks_for_as_long_as_it_says() {
        let mut window = Window::new();
        window.refused(Some(Duration::from_secs(3)), Millis(1_000));
        assert!(
            matches!(window.ask(Priority::Interactive, Millis(3_000)), Answer::At(at)
            if at >= Millis(4_000))
        );
    }

    #[test]
    fn a_refusal_where_no_window_is_known_ends() {
        for limits in [None, Some(Limits::default())] {
            let mut window = Window::new();
            if let Some(limits) = limits {
                window.learn(&limits);
            }
            window.refused(Some(Duration::from_secs(3)), Millis(1_000));
            assert!(matches!(
                window.ask(Priority::Bulk, Millis(1_001)),
                Answer::At(_)
            ));
            assert_eq!(window.ask(Priority::Bulk, Millis(60_000)), Answer::Go);
        }
    }

    #[test]
    fn windows_that_passed_unused_are_skipped() {
        let mut window = Window::new();
        window.learn(&limits(5, 0, 10));
        assert_eq!(
            window.ask(Priority::Interactive, Millis(47_000)),
            Answer::Go
        );
        assert_eq!(window.ends_at, Millis(50_000));
    }

    #[test]
    fn there_is_plenty_while_most_of_the_window_is_there() {
        let mut window = Window::new();
        assert!(!window.has_plenty(Millis(0)), "nothing is known");
        window.learn(&limits(100, 51, 10));
        assert!(window.has_plenty(Millis(1_000)));
        window.learn(&limits(100, 50, 10));
        assert!(!window.has_plenty(Millis(1_000)));
        let over = Millis(10_000 + GUARD_MS);
        assert!(window.has_plenty(over), "the next window is untouched");
        window.refused(Some(Duration::from_secs(3)), over);
        assert!(!window.has_plenty(over.plus_ms(1_000)), "it is blocked");
    }

    #[test]
    fn without_headers_calls_are_not_held_back() {
        let mut window = Window::new();
        window.learn(&Limits::default());
        for _ in 0..1_000 {
            assert_eq!(window.ask(Priority::Bulk, Millis(0)), Answer::Go);
        }
    }
}
