//! Gathering what an end user writes into one text: the description, or a comment.

use serde::{Deserialize, Serialize};

use super::ids::MessageId;
use super::inbound::Within;
use crate::time::Millis;

/// Characters that a gathering holds at most. Jira takes 32,767 in a description or comment; the
/// rest is for what stands around the lines and for how Jira counts line ends.
pub const GATHERING_CHARS_MAX: usize = 30_000;

/// Characters of one line. A longer message becomes several.
const LINE_CHARS_MAX: usize = 15_000;

/// Characters of a summary (Jira: 255).
const SUMMARY_CHARS_MAX: usize = 255;

/// How many times the quiet time the oldest message waits at most for a quiet moment.
const QUIET_TIMES_MAX: i64 = 4;

/// How long at most a message waits for a quiet moment, in milliseconds, where the quiet time itself
/// is not longer.
const WAIT_MS_MAX: i64 = 60_000;

/// What stands in front of a comment that goes on with a text that became too long.
pub const CONTINUED: &str = "(continued)";

/// When messages that came in at these times are written: once nothing more came for the quiet time,
/// or the oldest has waited for as long as any message does; and the quiet time behind the last
/// write, so that what comes late and at once is written together too. `None` if none waits.
pub fn due_at(
    received_at: impl Iterator<Item = Millis>,
    last_write: Option<Millis>,
    quiet_ms: i64,
) -> Option<Millis> {
    let (oldest, newest) = received_at.fold(None, |span: Option<(Millis, Millis)>, at| {
        let (oldest, newest) = span.unwrap_or((at, at));
        Some((oldest.min(at), newest.max(at)))
    })?;
    let longest = quiet_ms
        .saturating_mul(QUIET_TIMES_MAX)
        .min(WAIT_MS_MAX)
        .max(quiet_ms);
    let pause = newest.plus_ms(quiet_ms).min(oldest.plus_ms(longest));
    Some(last_write.map_or(pause, |last| pause.max(last.plus_ms(quiet_ms))))
}

/// Where gathered text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the request's description.
    Description,
    /// In a comment.
    Comment,
    /// In a comment that goes on with a text that became too long.
    Continued,
}

/// A text to which messages are still added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    /// Which of the request's gatherings; the first is 1 and stands in the description.
    pub number: u32,
    /// Where it stands.
    pub place: Place,
    /// How long it is, in characters.
    pub chars: usize,
}

/// A message, or a part of a very long one, as it stands in a gathering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The message.
    pub message: MessageId,
    /// Which part of it, from 0.
    pub part: u32,
    /// The gathering it stands in.
    pub gathering: u32,
    /// Where the gathering stands.
    pub place: Place,
    /// When it was written, by the provider's clock.
    pub sent_at: Millis,
    /// When it came to us.
    pub received_at: Millis,
    /// Its place among those of the same times.
    pub within: Within,
    /// What it says, on one line or several, without the time.
    pub text: String,
}

impl Line {
    /// The line as it stands in Jira.
    pub fn shown(&self) -> String {
        format!("[{}] {}", minute(self.sent_at), self.text)
    }

    /// How much of a gathering it takes, in characters.
    pub fn chars(&self) -> usize {
        self.shown().chars().count() + 2
    }
}

/// The lines of one gathering in the order in which they stand: by their own time, as finely as the
/// provider tells it, and by that of their coming where it is the same (some tell whole seconds).
pub fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| {
        let key = |one: &Line| {
            let Within { sent_ns, arrived } = one.within;
            (one.sent_at, sent_ns, one.received_at, arrived)
        };
        (key(a), &a.message, a.part).cmp(&(key(b), &b.message, b.part))
    });
    lines
}

/// Cuts a message's text into what one line can hold.
pub(super) fn cut(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for (count, c) in text.chars().enumerate() {
        if count > 0 && count % LINE_CHARS_MAX == 0 {
            parts.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    parts.push(part);
    parts
}

/// The summary of a request: the first line of its first message.
pub fn summary(text: Option<&str>, name: &str, platform: &str) -> String {
    let first = text
        .and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()))
        .map_or_else(
            || format!("Message from {name} via {platform}"),
            |line| line.split_whitespace().collect::<Vec<_>>().join(" "),
        );
    if first.chars().count() <= SUMMARY_CHARS_MAX {
        return first;
    }
    let kept: String = first.chars().take(SUMMARY_CHARS_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

/// A time as people read it, in UTC.
pub fn minute(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| "at an unknown time".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_waited_for_and_not_for_ever() {
        for (received, last, quiet, want) in [
            (vec![], None, 3, None),
            (vec![10], None, 0, Some(10)),
            (vec![10], None, 3, Some(13)),
            (vec![12, 10], None, 3, Some(15)),
            (vec![10, 21], None, 3, Some(22)),
            (vec![10], Some(11), 3, Some(14)),
            (vec![10], Some(4), 3, Some(13)),
            (vec![10, 11], Some(40), 3, Some(43)),
            (vec![0, 70_000], None, 30_000, Some(60_000)),
            (vec![0, 70_000], None, 300_000, Some(300_000)),
        ] {
            let due = due_at(
                received.iter().copied().map(Millis),
                last.map(Millis),
                quiet,
            );
            assert_eq!(due, want.map(Millis), "{received:?} {last:?} {quiet}");
        }
    }

    #[test]
    fn a_summary_is_one_line_of_at_most_255_characters() {
        assert_eq!(
            summary(Some("\n  My  router\tis red \nsince noon"), "Noa", "SMS"),
            "My router is red"
        );
        assert_eq!(
            summary(None, "Noa", "WhatsApp"),
            "Message from Noa via WhatsApp"
        );
        assert_eq!(
            summary(Some(" \n "), "Noa", "SMS"),
            "Message from Noa via SMS"
        );
        let long = "wörd ".repeat(100);
        let cut = summary(Some(&long), "Noa", "SMS");
        assert!(cut.chars().count() <= SUMMARY_CHARS_MAX && cut.ends_with('…'));
    }

    #[test]
    fn a_very_long_text_is_cut_without_loss() {
        let text = "é".repeat(LINE_CHARS_MAX * 2 + 7);
        let parts = cut(&text);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), text);
        assert_eq!(cut(""), [""]);
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(minute(Millis(1_764_000_000_000)), "2025-11-24 16:00 UTC");
    }
}
