//! Instants as remote systems write them.

use jiff::Timestamp;

/// An ISO 8601 instant in Unix milliseconds. The offset may have a colon or not: Jira writes
/// `2026-09-27T10:03:11.123+0200`, Intercom `2026-01-10T06:29:21.953+00:00`. Text without an
/// offset is not an instant and gives `None`.
pub fn iso_ms(text: &str) -> Option<i64> {
    text.trim()
        .parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

/// An ISO 8601 instant in Unix milliseconds, and how far behind that it is in nanoseconds.
pub fn iso_ms_ns(text: &str) -> Option<(i64, u32)> {
    const NS_PER_MS: i32 = 1_000_000;
    let moment = text.trim().parse::<Timestamp>().ok()?;
    let within = moment.subsec_nanosecond().rem_euclid(NS_PER_MS);
    Some((moment.as_millisecond(), u32::try_from(within).unwrap_or(0)))
}

/// An HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`) in Unix seconds.
pub fn http_date_s(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text.trim())
        .ok()
        .map(|zoned| zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_instants() {
        for (text, want) in [
            ("2019-06-04T00:15:17.234+0000", Some(1_559_607_317_234)),
            ("2019-06-04T00:15:17.234+00:00", Some(1_559_607_317_234)),
            ("2019-06-03T17:15:17.234-0700", Some(1_559_607_317_234)),
            ("2019-06-04T05:45:17.234+0530", Some(1_559_607_317_234)),
            ("2019-06-04T00:15:17Z", Some(1_559_607_317_000)),
            ("2019-06-04T00:15:17.234", None),
            ("2019-06-04", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(iso_ms(text), want, "{text}");
            assert_eq!(iso_ms_ns(text), want.map(|ms| (ms, 0)), "{text}");
        }
    }

    #[test]
    fn iso_instants_to_the_nanosecond() {
        for (text, want) in [
            ("2019-06-04T00:15:17.234000001Z", (1_559_607_317_234, 1)),
            (
                "2019-06-04T00:15:17.234999999+00:00",
                (1_559_607_317_234, 999_999),
            ),
            ("2019-06-04T00:15:17.2345Z", (1_559_607_317_234, 500_000)),
        ] {
            assert_eq!(iso_ms_ns(text), Some(want), "{text}");
        }
    }
}
