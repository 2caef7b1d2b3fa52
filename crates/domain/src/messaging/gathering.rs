//! Gathering what an end user writes into one text: the description, or a comment.

use serde::{Deserialize, Serialize};

use super::ids::MessageId;
use crate::time::Millis;

/// Characters that a gathering holds at most. Jira takes 32,767 in a description or comment; the
/// rest is for what stands around the lines and for how Jira counts line ends.
pub const GATHERING_CHARS_MAX: usize = 30_000;

/// Characters of one line. A longer message becomes several.
const LINE_CHARS_MAX: usize = 15_000;

/// Characters of a summary (Jira: 255).
const SUMMARY_CHARS_MAX: usize = 255;

/// What stands in front of a comment that goes on with a text that became too long.
pub const CONTINUED: &str = "(continued)";

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

/// The lines of one gathering in the order in which they stand: by their own time, and by that of
/// their coming where it is the same (some providers tell whole seconds).
pub fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| {
        let key = |one: &Line| (one.sent_at, one.received_at);
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
