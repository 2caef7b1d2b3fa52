//! Times for people.

use bowline_domain::time::Millis;

/// A time as `2026-11-21 10:08:46.123 UTC`.
pub(crate) fn text(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
        .unwrap_or_else(|_| "never".to_owned())
}
