//! How far behind a connection is, and how much of what is tried through it fails: what of it is
//! good, worth a note, or to be mended.

use bowline_domain::time::Millis;
use bowline_store::browse::Pace;

use crate::check::{Finding, State};

/// From this age on, of what has waited longest, the lag is worth a note: in milliseconds.
pub const LAG_NOTE_MS: i64 = 60_000;

/// From this age on it is to be mended: in milliseconds.
pub const LAG_BAD_MS: i64 = 10 * 60_000;

/// The time over which attempts are counted, in milliseconds.
pub const RATE_OVER_MS: i64 = 60 * 60_000;

/// From this share of attempts on that failed, the error rate is worth a note: in percent.
pub const ERRORS_NOTE_PERCENT: i64 = 5;

/// From this share on it is to be mended: in percent.
pub const ERRORS_BAD_PERCENT: i64 = 25;

/// With fewer attempts, failures are worth a note at most: one of two says nothing.
pub const ATTEMPTS_LEAST: i64 = 4;

/// The lag: how old what has waited longest for the connection is.
pub(crate) fn lag(pace: &Pace, now: Millis) -> Finding {
    let what = "lag";
    let Some(oldest) = pace.oldest_at else {
        return Finding::good(what, "nothing waits longer than it should");
    };
    let age = now.since(oldest).max(0);
    let waits = format!("what has waited longest came {} ago", in_words(age));
    match age {
        ..LAG_NOTE_MS => Finding::good(what, waits),
        LAG_NOTE_MS..LAG_BAD_MS => Finding::note(
            what,
            format!("{waits}; it should be less than a minute. It may catch up by itself."),
        ),
        _ => Finding::new(
            what,
            State::Bad,
            format!(
                "{waits}. Nothing is lost. If the connection is broken, mend that first; \
                 otherwise Problems says what fails."
            ),
        ),
    }
}

/// The error rate: the share of attempts of the last hour that failed.
pub(crate) fn errors(pace: &Pace) -> Finding {
    let what = "error rate";
    let (attempts, failed) = (pace.attempts, pace.failed);
    if attempts == 0 {
        return Finding::new(what, State::Unknown, "nothing was tried in the last hour");
    }
    let percent = failed * 100 / attempts;
    let of = format!("{failed} of {attempts} attempts of the last hour failed ({percent} %)");
    if percent < ERRORS_NOTE_PERCENT {
        Finding::good(what, of)
    } else if percent < ERRORS_BAD_PERCENT || attempts < ATTEMPTS_LEAST {
        Finding::note(what, format!("{of}; each is tried again by itself"))
    } else {
        Finding::new(
            what,
            State::Bad,
            format!("{of}. Problems groups them by cause and says who can mend each."),
        )
    }
}

fn in_words(age_ms: i64) -> String {
    let seconds = age_ms / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_764_000_000_000);

    #[test]
    fn the_lag_has_three_degrees() {
        let of = |age: Option<i64>| {
            let pace = Pace {
                oldest_at: age.map(|age| NOW.plus_ms(-age)),
                attempts: 0,
                failed: 0,
            };
            lag(&pace, NOW).state
        };
        assert_eq!(of(None), State::Good);
        assert_eq!(of(Some(-5)), State::Good, "clocks differ");
        assert_eq!(of(Some(LAG_NOTE_MS - 1)), State::Good);
        assert_eq!(of(Some(LAG_NOTE_MS)), State::Note);
        assert_eq!(of(Some(LAG_BAD_MS - 1)), State::Note);
        assert_eq!(of(Some(LAG_BAD_MS)), State::Bad);
    }

    #[test]
    fn the_error_rate_has_three_degrees_and_few_attempts_say_little() {
        let of = |attempts, failed| {
            let pace = Pace {
                oldest_at: None,
                attempts,
                failed,
            };
            errors(&pace).state
        };
        assert_eq!(of(0, 0), State::Unknown);
        assert_eq!(of(100, 4), State::Good);
        assert_eq!(of(100, 5), State::Note);
        assert_eq!(of(100, 24), State::Note);
        assert_eq!(of(100, 25), State::Bad);
        assert_eq!(of(3, 3), State::Note);
        assert_eq!(of(4, 1), State::Bad);
    }
}
