//! Rate limits: requests per second and endpoint, and writes per issue.

use std::collections::{HashMap, VecDeque};

use super::config::Limits;
use super::error::Refusal;

/// Length of a burst window, in milliseconds.
const BURST_MS: i64 = 1_000;
/// Counters kept before old ones are thrown away.
const MAX_COUNTERS: usize = 10_000;

/// Counts requests. One per site: all callers share it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bursts: HashMap<String, (i64, u32)>,
    writes: HashMap<u64, VecDeque<i64>>,
}

impl Meter {
    /// Counts a request to an endpoint; refuses it if there were too many this second.
    pub(crate) fn request(
        &mut self,
        limits: &Limits,
        method: &str,
        endpoint: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        let limit = match method {
            "GET" if endpoint.ends_with("/issue/{issue}") => limits.get_issue_per_second,
            "GET" | "HEAD" => limits.get_per_second,
            "PUT" => limits.put_per_second,
            "DELETE" => limits.delete_per_second,
            _ => limits.post_per_second,
        };
        if self.bursts.len() > MAX_COUNTERS {
            self.bursts.retain(|_, (since, _)| now - *since < BURST_MS);
        }
        let window = self
            .bursts
            .entry(format!("{method} {endpoint}"))
            .or_insert((now, 0));
        if now - window.0 >= BURST_MS {
            *window = (now, 0);
        }
        if window.1 >= limit {
            let wait = BURST_MS - (now - window.0);
            return Err(too_many("jira-burst-based", limit, now, wait));
        }
        window.1 += 1;
        Ok(())
    }

    /// Counts a write to an issue; refuses it if one of the windows is full.
    pub(crate) fn write(&mut self, limits: &Limits, issue: u64, now: i64) -> Result<(), Refusal> {
        let longest = limits
            .issue_writes
            .iter()
            .map(|(_, window)| *window)
            .max()
            .unwrap_or(0);
        if self.writes.len() > MAX_COUNTERS {
            self.writes
                .retain(|_, times| times.back().is_some_and(|last| now - *last < longest));
        }
        let times = self.writes.entry(issue).or_default();
        while times.front().is_some_and(|first| now - *first >= longest) {
            times.pop_front();
        }
        for &(count, window) in &limits.issue_writes {
            let inside = times
                .iter()
                .rev()
                .take_while(|at| now - **at < window)
                .count();
            if inside >= count as usize {
                let oldest = times[times.len() - inside];
                return Err(too_many(
                    "jira-per-issue-on-write",
                    count,
                    now,
                    window - (now - oldest),
                ));
            }
        }
        times.push_back(now);
        Ok(())
    }
}

fn too_many(reason: &'static str, limit: u32, now: i64, wait_ms: i64) -> Refusal {
    // Whole seconds, rounded up: who waits this long is let in.
    let seconds = (wait_ms + 999) / 1_000;
    let reset =
        jiff::Timestamp::from_millisecond(now + wait_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Refusal::message(429, "Rate limit exceeded.")
        .with("retry-after", seconds.to_string())
        .with("ratelimit-reason", reason)
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", "0")
        .with(
            "x-ratelimit-reset",
            reset.strftime("%Y-%m-%dT%H:%MZ").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_per_endpoint_and_second() {
        let (mut meter, limits) = (
            Meter::default(),
            Limits {
                post_per_second: 2,
                ..Limits::default()
            },
        );
        let mut ask = |endpoint: &str, now| {
            meter
                .request(&limits, "POST", endpoint, now)
                .map_err(|r| r.status)
        };
        assert_eq!(ask("/a", 0), Ok(()));
        assert_eq!(ask("/a", 10), Ok(()));
        assert_eq!(ask("/a", 20), Err(429));
        assert_eq!(ask("/b", 20), Ok(()));
        assert_eq!(ask("/a", 1_000), Ok(()));
    }

    #[test]
    fn writes_to_one_issue_fill_both_windows() {
        let (mut meter, limits) = (Meter::default(), Limits::default());
        let mut refused = 0;
        for step in 0..300 {
            // One write each 100 ms is exactly 20 in 2 s, until 100 have been done in 30 s.
            if let Err(refusal) = meter.write(&limits, 1, step * 100) {
                refused += 1;
                assert_eq!(
                    refusal.headers[1],
                    ("ratelimit-reason", "jira-per-issue-on-write".to_owned())
                );
            }
        }
        assert_eq!(refused, 200);
        assert!(meter.write(&limits, 2, 30_000).is_ok());
    }
}
