//! From when on the daily sweep asks for changes.

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::time::Millis;

/// Whole days that a sweep looks back, besides the present one. Webhooks are repeated once and then
/// lost, and what is new shows in the search with delay.
pub const DAYS_BACK: i64 = 2;

/// What to ask `updated_at >` for, in Unix seconds. The search cuts times to days in the
/// workspace's time zone, and `>` means from the next day on: so this is an instant in the middle
/// of the day before the first one that is wanted.
pub fn asked_after(now: Millis, zone: &TimeZone) -> i64 {
    let day_s = 24 * 60 * 60;
    let by_hand = now.0.div_euclid(1_000) - (DAYS_BACK + 1) * day_s;
    let Ok(at) = Timestamp::from_millisecond(now.0) else {
        return by_hand;
    };
    let today = at.to_zoned(zone.clone()).date();
    today
        .checked_sub((DAYS_BACK + 1).days())
        .and_then(|day| day.to_datetime(time(12, 0, 0, 0)).to_zoned(zone.clone()))
        .map_or(by_hand, |noon| noon.timestamp().as_second())
}
