//! Texts that leave, by who may read them. A text for one audience cannot be passed for the other.

use bowline_text::Doc;
use serde::{Deserialize, Serialize};

use super::delivery::Outbound;
use super::news::CommentNews;
use super::platform::Platform;
use crate::ids::IssueKey;
use crate::observation::{CommentVisibility, StatusRef};

/// Text for an end user. Made of a comment that Jira says is public, or of a template of the desk;
/// there is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerText(String);

impl CustomerText {
    /// The text of a comment in the form of a platform, in as many messages as it takes; `None`
    /// unless the comment is positively public.
    pub fn of_comment(
        visibility: CommentVisibility,
        body: &Doc,
        platform: &Platform,
    ) -> Option<Vec<Self>> {
        if visibility != CommentVisibility::Public {
            return None;
        }
        let text = shown(body, platform);
        let parts = split(text.trim(), platform.text_chars_max());
        Some(parts.into_iter().map(Self).collect())
    }

    /// The text of a comment that was read by itself.
    pub(super) fn of_news(comment: &CommentNews, platform: &Platform) -> Option<Vec<Self>> {
        Self::of_comment(comment.visibility, &comment.body, platform)
    }

    /// A status notification: a template of the desk with the request's key and status in it.
    pub fn of_template(template: &str, key: &IssueKey, status: &StatusRef) -> Self {
        let text = template
            .replace("{status}", &status.name)
            .replace("{key}", key.as_str());
        Self(text)
    }

    /// A status notification that was made before, to be sent again; `None` for anything else.
    pub fn of_notification(message: &Outbound) -> Option<Self> {
        message
            .comment
            .is_none()
            .then(|| Self(message.text.clone()))
    }

    /// A message that carried a comment, to be sent again; `None` unless the comment, which was
    /// read again, is still positively public.
    pub fn again(message: &Outbound, visibility: CommentVisibility) -> Option<Self> {
        (visibility == CommentVisibility::Public).then(|| Self(message.text.clone()))
    }

    /// One message of two: a comment and the status that it was given with. Two messages, if one
    /// would be too long.
    pub(super) fn joined(mut parts: Vec<Self>, with: Self, platform: &Platform) -> Vec<Self> {
        let both = parts
            .last()
            .map(|last| format!("{}\n\n{}", last.0, with.0))
            .filter(|both| both.chars().count() <= platform.text_chars_max());
        match (both, parts.last_mut()) {
            (Some(both), Some(last)) => last.0 = both,
            _ => parts.push(with),
        }
        parts
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing, for a text that was kept for long enough.
    pub(super) fn taken_out() -> Self {
        Self(String::new())
    }
}

/// Text for agents only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InternalText(String);

impl InternalText {
    /// Wraps a text. Whatever it is, agents may read it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A document in the form of a platform.
fn shown(body: &Doc, _platform: &Platform) -> String {
    bowline_text::plain::write(body)
}

/// Splits a text into parts of at most `max` characters: between paragraphs, else between lines,
/// else between words, else anywhere. A blank text has no parts.
fn split(text: &str, max: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = byte_of_char(rest, max);
        if end == rest.len() {
            parts.push(rest.to_owned());
            break;
        }
        let head = &rest[..end];
        let at = ["\n\n", "\n", " "]
            .iter()
            .find_map(|between| head.rfind(between).filter(|at| *at > 0))
            .unwrap_or(end);
        parts.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Where the character after the first `count` begins, or the end.
fn byte_of_char(text: &str, count: usize) -> usize {
    text.char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_text::Inline;

    #[test]
    fn only_what_is_positively_public_becomes_text_for_a_customer() {
        let body = Doc::paragraph(vec![Inline::text("Hello")]);
        for visibility in [
            CommentVisibility::Unstated,
            CommentVisibility::Internal,
            CommentVisibility::Restricted,
        ] {
            assert_eq!(
                CustomerText::of_comment(visibility, &body, &Platform::Sms),
                None
            );
        }
        let public = CustomerText::of_comment(CommentVisibility::Public, &body, &Platform::Sms);
        assert_eq!(public, Some(vec![CustomerText("Hello".to_owned())]));
    }

    #[test]
    fn long_text_is_split_where_people_pause() {
        for (text, max, want) in [
            ("one\n\ntwo three", 9, vec!["one", "two three"]),
            ("one two three", 8, vec!["one two", "three"]),
            ("onetwothree", 4, vec!["onet", "woth", "ree"]),
            ("äöüß äöüß", 5, vec!["äöüß", "äöüß"]),
            ("  ", 4, vec![]),
        ] {
            assert_eq!(split(text, max), want, "{text}");
        }
    }
}
