//! Finds internal text in what reached a channel.
//!
//! The simulated Jira enters every text that is internal when it is written or changed, and every
//! text that customers may read. What was sent is compared word by word, because the channels'
//! formats change marks, cards and line ends: a run of words that only internal text contains is a
//! leak. Words that were public at the time of sending are none, nor are words that the person wrote
//! or was sent before they stood in an internal text: such a text quotes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::common::clock::now_ms;

use super::Line;

/// Words of a run that is compared; shorter lines are compared whole.
const RUN_WORDS: usize = 5;

/// Letters and digits that a shorter line must have to count: "ok, thanks" proves nothing.
const MIN_LETTERS: usize = 8;

/// How long a text still counts as public after it was made internal or deleted, in milliseconds:
/// between the last look at a comment and the sending there is always some time.
const RACE_MS: i64 = 2_000;

/// A text and where and when it stood.
#[derive(Clone, Debug)]
struct Entry {
    place: String,
    text: String,
    from_ms: i64,
    until_ms: Option<i64>,
}

#[derive(Debug, Default)]
struct Known {
    internal: Vec<Entry>,
    public: Vec<Entry>,
}

/// Internal text that a channel got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The provider's id of the message.
    pub message: String,
    /// The whole text that was sent.
    pub sent: String,
    /// The words that are internal, in small letters and without marks.
    pub words: String,
    /// Where they stand, such as `SUP-1 comment 10101`.
    pub place: String,
}

/// The register of internal and public texts. Cloning gives another handle to the same one.
#[derive(Clone, Debug, Default)]
pub struct Markers {
    known: Arc<Mutex<Known>>,
}

impl Markers {
    /// Enters a text that must not leave. A text at the same place that was public is so no more.
    pub fn internal(&self, place: &str, text: &str) {
        self.enter(place, text, false);
    }

    /// Enters a text that may leave.
    pub fn public(&self, place: &str, text: &str) {
        self.enter(place, text, true);
    }

    fn enter(&self, place: &str, text: &str, public: bool) {
        let now = now_ms();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.end(place, now);
        let entry = Entry {
            place: place.to_owned(),
            text: text.to_owned(),
            from_ms: now,
            until_ms: None,
        };
        if public {
            known.public.push(entry);
        } else {
            known.internal.push(entry);
        }
    }

    /// The text at this place is gone. What was internal stays internal.
    pub fn gone(&self, place: &str) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(place, now_ms());
    }

    /// Every internal text that was sent by a call with an API key, whether it arrived or not.
    pub fn leaks(&self, lines: &[Line]) -> Vec<Leak> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut internal: HashMap<String, (&Entry, i64)> = HashMap::new();
        for entry in &known.internal {
            for run in runs(&entry.text) {
                internal.entry(run).or_insert((entry, entry.from_ms));
            }
        }
        let sent = lines.iter().filter(|line| !line.from_phone && line.by_api);
        sent.filter_map(|line| known.leak(&internal, line, lines))
            .collect()
    }
}

impl Known {
    fn end(&mut self, place: &str, now: i64) {
        let open = self
            .public
            .iter_mut()
            .rev()
            .find(|entry| entry.place == place && entry.until_ms.is_none());
        if let Some(entry) = open {
            entry.until_ms = Some(now + RACE_MS);
        }
    }

    fn leak(
        &self,
        internal: &HashMap<String, (&Entry, i64)>,
        line: &Line,
        all: &[Line],
    ) -> Option<Leak> {
        let sent = line.text.as_deref()?;
        let words = words(sent);
        (1..=RUN_WORDS)
            .flat_map(|length| words.windows(length))
            .map(|run| run.join(" "))
            .find_map(|run| {
                let (entry, from_ms) = internal.get(&run)?;
                let quoted = all
                    .iter()
                    .filter(|other| {
                        other.phone == line.phone
                            && other.wall_ms <= *from_ms
                            && other.message != line.message
                    })
                    .filter_map(|other| other.text.as_deref())
                    .any(|text| holds(text, &run));
                let secret =
                    *from_ms <= line.wall_ms && !quoted && !self.was_public(&run, line.wall_ms);
                secret.then(|| Leak {
                    message: line.message.clone(),
                    sent: sent.to_owned(),
                    words: run,
                    place: entry.place.clone(),
                })
            })
    }

    fn was_public(&self, run: &str, at_ms: i64) -> bool {
        self.public.iter().any(|entry| {
            entry.from_ms <= at_ms
                && entry.until_ms.is_none_or(|until| at_ms < until)
                && holds(&entry.text, run)
        })
    }
}

/// Whether a text holds a run of words.
fn holds(text: &str, run: &str) -> bool {
    format!(" {} ", words(text).join(" ")).contains(&format!(" {run} "))
}

/// The words of a text: runs of letters and digits in small letters.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The runs of words by which a text is recognised.
fn runs(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let words = words(line);
        if words.len() > RUN_WORDS {
            found.extend(words.windows(RUN_WORDS).map(|run| run.join(" ")));
        } else {
            let whole = words.join(" ");
            if whole.chars().filter(|c| *c != ' ').count() >= MIN_LETTERS {
                found.push(whole);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phones::State;

    fn sent(text: &str) -> Line {
        Line {
            message: "m1".to_owned(),
            channel: "w".to_owned(),
            platform: "whatsapp".to_owned(),
            phone: "+15550100".to_owned(),
            from_phone: false,
            by_api: true,
            kind: "text".to_owned(),
            text: Some(text.to_owned()),
            media: None,
            state: State::Pending,
            failure: None,
            at_ms: 0,
            wall_ms: now_ms(),
        }
    }

    #[test]
    fn internal_words_are_found_whatever_the_marks() {
        let markers = Markers::default();
        markers.internal(
            "SUP-1 comment 1",
            "*Password* is hunter2-hunter2\nok\nthis customer is on the list of late payers",
        );
        markers.public(
            "SUP-1 comment 2",
            "We look into it. The list of late payers is long.",
        );
        markers.internal("SUP-1 comment 3", "We look into it");
        for (text, leaked) in [
            ("ok", false),
            ("We look into it.", false),
            ("_Password_ is\nhunter2 hunter2!", true),
            ("Dear customer, you are on the list of late payers", true),
            ("This customer is on the list", true),
            ("the list of late payers", false),
        ] {
            assert_eq!(!markers.leaks(&[sent(text)]).is_empty(), leaked, "{text}");
        }
        let person = Line {
            from_phone: true,
            ..sent("Password is hunter2 hunter2")
        };
        let inbox = Line {
            by_api: false,
            ..sent("Password is hunter2 hunter2")
        };
        assert_eq!(markers.leaks(&[person, inbox]), []);
    }

    #[test]
    fn what_was_public_once_is_internal_after_the_change() {
        let markers = Markers::default();
        markers.public("c", "we will refund the whole sum");
        markers.internal("c", "we will refund the whole sum");
        let before = sent("We will refund the whole sum");
        let later = Line {
            wall_ms: now_ms() + RACE_MS + 1,
            ..before.clone()
        };
        assert_eq!(markers.leaks(&[before]), []);
        assert_eq!(markers.leaks(&[later])[0].place, "c");
    }
}
