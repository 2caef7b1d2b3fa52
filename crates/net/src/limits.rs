//! What the response headers say about pace.

use std::time::Duration;

use http::HeaderMap;

use crate::time;

/// The pace that the remote system told us with an answer. Absent headers are `None`.
///
/// Intercom gives the reset in Unix seconds, Jira as an ISO instant; both are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls allowed in the window (`X-RateLimit-Limit`).
    pub limit: Option<u32>,
    /// Calls left in the window (`X-RateLimit-Remaining`).
    pub remaining: Option<u32>,
    /// When the window ends, in Unix seconds of the far side's clock (`X-RateLimit-Reset`).
    pub reset_at_unix_s: Option<i64>,
    /// The far side's clock, in Unix seconds (`Date`).
    pub server_date_unix_s: Option<i64>,
}

impl Limits {
    /// Reads the headers of an answer.
    pub fn read(headers: &HeaderMap) -> Self {
        Self {
            limit: number(headers, "x-ratelimit-limit"),
            remaining: number(headers, "x-ratelimit-remaining"),
            reset_at_unix_s: header(headers, "x-ratelimit-reset").and_then(instant_s),
            server_date_unix_s: server_date(headers),
        }
    }
}

/// A usable answer and the pace that came with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<T> {
    /// What was asked for.
    pub value: T,
    /// What the headers said.
    pub limits: Limits,
}

impl<T> Reply<T> {
    /// The same reply with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            value: f(self.value),
            limits: self.limits,
        }
    }
}

/// How long the far side asks us to wait: `Retry-After` in seconds or as a date, the latter
/// measured on the far side's own clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = header(headers, "retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = time::http_date_s(value)?;
    let now = server_date(headers)?;
    u64::try_from(until.saturating_sub(now))
        .ok()
        .map(Duration::from_secs)
}

fn server_date(headers: &HeaderMap) -> Option<i64> {
    header(headers, "date").and_then(time::http_date_s)
}

fn instant_s(value: &str) -> Option<i64> {
    value
        .parse()
        .ok()
        .or_else(|| time::iso_ms(value).map(|ms| ms.div_euclid(1000)))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    header(headers, name)?.parse().ok()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::headers;

    #[test]
    fn both_forms_of_the_reset_are_read() {
        let unix = headers(&[
            ("X-RateLimit-Limit", "1666"),
            ("X-RateLimit-Remaining", "12"),
            ("X-RateLimit-Reset", "1784541190"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]);
        assert_eq!(
            Limits::read(&unix),
            Limits {
                limit: Some(1666),
                remaining: Some(12),
                reset_at_unix_s: Some(1_784_541_190),
                server_date_unix_s: Some(784_111_777),
            }
        );
        let iso = headers(&[("x-ratelimit-reset", "1994-11-06T08:49Z")]);
        assert_eq!(Limits::read(&iso).reset_at_unix_s, Some(784_111_740));
        assert_eq!(Limits::read(&HeaderMap::new()), Limits::default());
    }

    #[test]
    fn retry_after_in_every_form() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, want) in [
            ("7", Some(Duration::from_secs(7))),
            (" 0.5 ", Some(Duration::from_millis(500))),
            (
                "Sun, 06 Nov 1994 08:50:37 GMT",
                Some(Duration::from_mins(1)),
            ),
            ("Sun, 06 Nov 1994 08:48:37 GMT", None),
            ("-3", None),
            ("NaN", None),
            ("soon", None),
        ] {
            assert_eq!(
                retry_after(&headers(&[("Retry-After", value), date])),
                want,
                "{value}"
            );
        }
    }
}
