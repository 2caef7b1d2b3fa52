//! Jira's way of writing and reading instants.
//!
//! REST stamps look like `2026-09-27T10:03:11.123+0200`: the site's offset without a colon, which RFC 3339
//! parsers refuse. JQL dates carry no offset at all and are read in the caller's zone.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};

/// Milliseconds in one minute.
const MINUTE_MS: i64 = 60_000;

fn civil(ms: i64, offset_minutes: i32) -> DateTime {
    let moment = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = Offset::from_seconds(offset_minutes * 60).unwrap_or(Offset::UTC);
    offset.to_datetime(moment)
}

/// `2026-09-27T10:03:11.123+0200`.
pub(crate) fn rest(ms: i64, offset_minutes: i32) -> String {
    let at = civil(ms, offset_minutes);
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let minutes = offset_minutes.unsigned_abs();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{sign}{:02}{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond(),
        minutes / 60,
        minutes % 60
    )
}

/// `2026-09-27 10:03`, for pages.
pub(crate) fn short(ms: i64, offset_minutes: i32) -> String {
    let at = civil(ms, offset_minutes);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute()
    )
}

/// Reads a JQL date: `yyyy/MM/dd HH:mm`, `yyyy-MM-dd HH:mm`, the same without a time, or relative such as `-15m`,
/// `2h`, `-1d`, `-1w`. The result is in milliseconds since 1970.
pub(crate) fn jql(text: &str, now_ms: i64, offset_minutes: i32) -> Option<i64> {
    relative(text, now_ms).or_else(|| absolute(text, offset_minutes))
}

fn relative(text: &str, now_ms: i64) -> Option<i64> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let step = match unit {
        'm' => MINUTE_MS,
        'h' => 60 * MINUTE_MS,
        'd' => 24 * 60 * MINUTE_MS,
        'w' => 7 * 24 * 60 * MINUTE_MS,
        _ => return None,
    };
    now_ms.checked_add(count.checked_mul(step)?)
}

fn absolute(text: &str, offset_minutes: i32) -> Option<i64> {
    let text = text.trim().replace('/', "-");
    let (date, time) = text.split_once(' ').unwrap_or((&text, "0:00"));
    let mut date = date.split('-');
    let (year, month, day) = (
        date.next()?.parse().ok()?,
        date.next()?.parse().ok()?,
        date.next()?.parse().ok()?,
    );
    let (hour, minute) = time.trim().split_once(':')?;
    if date.next().is_some() {
        return None;
    }
    let at = DateTime::new(
        year,
        month,
        day,
        hour.parse().ok()?,
        minute.parse().ok()?,
        0,
        0,
    )
    .ok()?;
    let utc = Offset::UTC.to_timestamp(at).ok()?;
    let shifted = utc
        .checked_sub(SignedDuration::from_mins(i64::from(offset_minutes)))
        .ok()?;
    Some(shifted.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-09-27T08:03:11.123Z
    const MOMENT: i64 = 1_790_496_191_123;

    #[test]
    fn rest_stamps_have_the_site_offset_without_colon() {
        for (offset, expected) in [
            (120, "2026-09-27T10:03:11.123+0200"),
            (0, "2026-09-27T08:03:11.123+0000"),
            (-570, "2026-09-26T22:33:11.123-0930"),
        ] {
            assert_eq!(rest(MOMENT, offset), expected);
        }
    }

    #[test]
    fn jql_dates() {
        let minute = MOMENT - 11_123;
        for (text, expected) in [
            ("2026/09/27 10:03", Some(minute)),
            ("2026-09-27 10:03", Some(minute)),
            ("2026-09-27", Some(minute - 603 * MINUTE_MS)),
            ("-15m", Some(MOMENT - 15 * MINUTE_MS)),
            ("-1w", Some(MOMENT - 10_080 * MINUTE_MS)),
            ("2026-13-01", None),
            ("2026-09-27T10:03:11", None),
            ("yesterday", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(jql(text, MOMENT, 120), expected, "{text}");
        }
    }
}
