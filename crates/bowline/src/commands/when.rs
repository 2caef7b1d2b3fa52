//! Times for people.

use bowline_domain::time::Millis;

/// A time as `2026-11-21 10:08:46.123 UTC`.
pub(crate) fn text(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string(),
        Err(_) => "never".to_owned(),
    }
}
