//! How a failed call is to be treated.

use std::fmt;
use std::time::Duration;

use crate::transport::{Response, SendFailure};

/// The longest text of a remote system that we carry in an error, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// What a call does to the remote system. It decides what a lost answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Changes nothing (GET, or a POST that only searches): may always be repeated.
    Read,
    /// May change something: a lost answer leaves the outcome unknown.
    Write,
}

impl Access {
    /// The kind of a call whose answer was lost or was a server error.
    pub fn lost(self) -> ErrorKind {
        match self {
            Self::Read => ErrorKind::Transient,
            Self::Write => ErrorKind::UnknownOutcome,
        }
    }
}

/// How a failed call is to be treated: whether it is repeated and what pauses meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Nothing happened and it may work later. Repeat with growing delay; the lane waits.
    Transient,
    /// Refused for pace, certainly not executed. Repeat after `retry_after` or the window named
    /// in the limits; the connection slows down.
    RateLimited,
    /// The credentials do not work. Do not repeat; the connection is broken and all its lanes
    /// pause until somebody reconnects.
    Auth,
    /// The credentials work but may not do this. Do not repeat; the effect is rejected and an
    /// administrator is told which permission is missing.
    Permission,
    /// The plan of the remote account does not include this (Intercom `api_plan_restricted`). Do
    /// not repeat; the connection is shown as limited and its linking pauses.
    PlanRestricted,
    /// Our set-up is wrong: address, version, proxy. Do not repeat; the connection pauses until
    /// the configuration is changed.
    Config,
    /// The remote system understood and refused what we sent, or answered something unreadable.
    /// Do not repeat unchanged; only this effect fails.
    Data,
    /// The thing existed and does not any more; `canonical` may name what took its place.
    Gone,
    /// There is no such thing, or it is hidden from us.
    NotFound,
    /// Somebody changed it at the same time, or it exists already; not executed. Read, then
    /// decide again.
    Conflict,
    /// A write that may or may not have happened. Never repeat blind: read back first.
    UnknownOutcome,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "did not work this time",
            Self::RateLimited => "refused for now: too many calls",
            Self::Auth => "the credentials were not accepted",
            Self::Permission => "not permitted",
            Self::PlanRestricted => "not part of the account's plan",
            Self::Config => "the set-up does not fit",
            Self::Data => "refused as invalid",
            Self::Gone => "no longer there",
            Self::NotFound => "not found, or hidden from this account",
            Self::Conflict => "in conflict with what is there",
            Self::UnknownOutcome => "it is unknown whether it was done",
        })
    }
}

/// A call that did not give a usable answer. Its `Display` form is meant for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    /// How to treat it.
    pub kind: ErrorKind,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The machine-readable code of the provider, if it gave one.
    pub code: Option<String>,
    /// What the provider or the transport said, shortened and free of control characters.
    pub message: String,
    /// The id under which the provider's support finds this call.
    pub request_id: Option<Box<str>>,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Duration>,
    /// The address (path) of the thing that took the place of one that is gone.
    pub canonical: Option<Box<str>>,
    /// What we were doing, as "posting a note".
    pub doing: &'static str,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.kind)?;
        match (self.status, self.code.as_deref()) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " [request {id}]")?;
        }
        Ok(())
    }
}

impl ApiError {
    /// An error without an answer.
    pub fn new(kind: ErrorKind, doing: &'static str, message: &str) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            message: short(message),
            request_id: None,
            retry_after: None,
            canonical: None,
            doing,
        }
    }

    /// The error of a request that got no answer. A connect failure is transient for reads and
    /// writes alike, because nothing left; everything else depends on `access`.
    pub fn of_failure(failure: &SendFailure, access: Access, doing: &'static str) -> Self {
        let kind = match (failure, access) {
            (SendFailure::NotSent(_), _) => ErrorKind::Transient,
            (SendFailure::Unknown(_), access) => access.lost(),
            (SendFailure::BodyTooLarge { .. }, Access::Read) => ErrorKind::Data,
            (SendFailure::BodyTooLarge { .. }, Access::Write) => ErrorKind::UnknownOutcome,
        };
        Self::new(kind, doing, &failure.to_string())
    }

    /// The error of an answer, judged by its status alone: the provider crates refine it from
    /// the body.
    pub fn of_status(response: &Response, access: Access, doing: &'static str) -> Self {
        let message = match response.header("location") {
            Some(target) if (300..400).contains(&response.status) => {
                format!("the address answers with a redirect to {}", origin(target))
            }
            _ => page_words(response).unwrap_or_default(),
        };
        Self {
            status: Some(response.status),
            retry_after: wait(response),
            ..Self::new(kind_of_status(response.status, access), doing, &message)
        }
    }

    /// The error of a successful answer that cannot be read. A write was probably executed, so
    /// its outcome is unknown; a web page in place of JSON means that something else answers at
    /// the configured address.
    pub fn unreadable(response: &Response, access: Access, doing: &'static str, why: &str) -> Self {
        let page = page_words(response);
        let kind = match (access, &page) {
            (Access::Write, _) => ErrorKind::UnknownOutcome,
            (Access::Read, Some(_)) => ErrorKind::Config,
            (Access::Read, None) => ErrorKind::Data,
        };
        Self {
            status: Some(response.status),
            ..Self::new(kind, doing, page.as_deref().unwrap_or(why))
        }
    }

    /// The same error with another message.
    #[must_use]
    pub fn saying(mut self, message: &str) -> Self {
        self.message = short(message);
        self
    }
}

/// The kind that a status code alone gives.
///
/// A 503 with `Retry-After` on a write is still of unknown outcome: neither provider promises
/// that it was not executed. 425 and 429 say that it was not.
pub fn kind_of_status(status: u16, access: Access) -> ErrorKind {
    match status {
        401 => ErrorKind::Auth,
        402 => ErrorKind::PlanRestricted,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        410 => ErrorKind::Gone,
        425 => ErrorKind::Transient,
        429 => ErrorKind::RateLimited,
        408 | 500..=599 => access.lost(),
        300..=399 | 405 | 406 | 407 | 415 | 421 | 426 | 431 => ErrorKind::Config,
        _ => ErrorKind::Data,
    }
}

/// How long to wait: `Retry-After`, or for a 429 without it (Intercom) the rest of the window by
/// the far side's own clock.
fn wait(response: &Response) -> Option<Duration> {
    let named = crate::limits::retry_after(&response.headers);
    if named.is_some() || response.status != 429 {
        return named;
    }
    let limits = crate::Limits::read(&response.headers);
    let left = limits
        .reset_at_unix_s?
        .saturating_sub(limits.server_date_unix_s?);
    u64::try_from(left)
        .ok()
        .filter(|s| *s > 0)
        .map(Duration::from_secs)
}

/// Text of a remote system made fit for a log line: one line, bounded, no control characters.
pub fn short(text: &str) -> String {
    let mut out = String::new();
    let mut space = false;
    for (taken, c) in text.trim().chars().enumerate() {
        if taken == MAX_MESSAGE_CHARS {
            out.push('…');
            break;
        }
        if c.is_control() || c.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// If the answer is a web page: words that say so, with the title of the page.
fn page_words(response: &Response) -> Option<String> {
    /// How far into a page we look for its title, in bytes.
    const TITLE_WINDOW_BYTES: usize = 8 * 1024;
    let html = response
        .header("content-type")
        .is_some_and(|t| t.contains("html"));
    let start = &response.body[..response.body.len().min(TITLE_WINDOW_BYTES)];
    let text = String::from_utf8_lossy(start);
    if !html && !text.trim_start().starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let from = at + text[at..].find('>')? + 1;
        let to = from + lower[from..].find("</title")?;
        Some(short(&text[from..to]))
    });
    Some(match title {
        Some(title) if !title.is_empty() => {
            format!("a web page answered in place of the API, titled \"{title}\"")
        }
        _ => "a web page answered in place of the API".to_owned(),
    })
}

/// Scheme and host of an address; the rest may hold secrets.
fn origin(target: &str) -> String {
    match url::Url::parse(target) {
        Ok(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or("?")),
        Err(_) => "another path".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_lost_answer_is_transient_for_reads_and_unknown_for_writes() {
        let not_sent = SendFailure::NotSent("connection refused".into());
        let unknown = SendFailure::Unknown("timed out".into());
        let large = SendFailure::BodyTooLarge { limit_bytes: 1 };
        for (failure, read, write) in [
            (&not_sent, ErrorKind::Transient, ErrorKind::Transient),
            (&unknown, ErrorKind::Transient, ErrorKind::UnknownOutcome),
            (&large, ErrorKind::Data, ErrorKind::UnknownOutcome),
        ] {
            assert_eq!(ApiError::of_failure(failure, Access::Read, "x").kind, read);
            assert_eq!(
                ApiError::of_failure(failure, Access::Write, "x").kind,
                write
            );
        }
    }

    #[test]
    fn status_table() {
        use ErrorKind::*;
        for (status, read, write) in [
            (301, Config, Config),
            (400, Data, Data),
            (401, Auth, Auth),
            (402, PlanRestricted, PlanRestricted),
            (403, Permission, Permission),
            (404, NotFound, NotFound),
            (405, Config, Config),
            (408, Transient, UnknownOutcome),
            (409, Conflict, Conflict),
            (410, Gone, Gone),
            (413, Data, Data),
            (425, Transient, Transient),
            (429, RateLimited, RateLimited),
            (500, Transient, UnknownOutcome),
            (503, Transient, UnknownOutcome),
        ] {
            assert_eq!(kind_of_status(status, Access::Read), read, "{status} read");
            assert_eq!(
                kind_of_status(status, Access::Write),
                write,
                "{status} write"
            );
        }
    }

    #[test]
    fn a_page_in_place_of_json_is_named_and_a_redirect_hides_its_path() {
        let page = testing::response(
            200,
            &[("content-type", "text/html; charset=utf-8")],
            "<html><head><TITLE>\n Sign  in </TITLE>",
        );
        let error = ApiError::unreadable(&page, Access::Read, "reading who we are", "not JSON");
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains("\"Sign in\""), "{}", error.message);
        let write = ApiError::unreadable(&page, Access::Write, "posting a note", "not JSON");
        assert_eq!(write.kind, ErrorKind::UnknownOutcome);

        let away = testing::response(
            302,
            &[("location", "https://sso.example.com/in?ticket=abc")],
            "",
        );
        let error = ApiError::of_status(&away, Access::Read, "reading");
        assert!(error.message.contains("https://sso.example.com"));
        assert!(!error.message.contains("ticket"));
    }

    #[test]
    fn a_429_without_retry_after_waits_for_the_end_of_the_window() {
        let pace = [
            ("x-ratelimit-reset", "784111785"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        for (status, want) in [(429, Some(Duration::from_secs(8))), (500, None)] {
            let answer = testing::response(status, &pace, "");
            let error = ApiError::of_status(&answer, Access::Read, "x");
            assert_eq!(error.retry_after, want, "{status}");
        }
    }

    #[test]
    fn display_reads_as_a_sentence() {
        let error = ApiError {
            status: Some(403),
            code: Some("api_plan_restricted".into()),
            request_id: Some("r1".into()),
            ..ApiError::new(
                ErrorKind::PlanRestricted,
                "posting a note",
                "Active subscription\n",
            )
        };
        assert_eq!(
            error.to_string(),
            "posting a note: not part of the account's plan (403 api_plan_restricted): \
             Active subscription [request r1]"
        );
    }

    #[test]
    fn short_is_bounded_and_one_line() {
        assert_eq!(short("  a\r\n\tb \u{7} c "), "a b c");
        assert_eq!(
            short(&"é".repeat(5000)).chars().count(),
            MAX_MESSAGE_CHARS + 1
        );
    }
}
