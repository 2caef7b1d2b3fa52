//! Texts that leave, by who may read them. A text for one audience cannot be passed for the other.

use bowline_text::{Doc, channel};
use serde::{Deserialize, Serialize};

use super::act::ApprovedMessage;
use super::delivery::Outbound;
use super::news::CommentNews;
use super::platform::Platform;
use super::settings::WindowTemplate;
use crate::ids::IssueKey;
use crate::observation::{CommentVisibility, StatusRef};

/// What a test message says.
const TEST_MESSAGE: &str = "This is a test message. You need not answer it.";

/// Text for an end user. Made of a comment that Jira says is public, or of a template of the desk,
/// or the one test message; there is no other way to make one.
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
        let text = channel::write(body, platform.style());
        let text = text.trim();
        let parts = channel::split(text, platform.text_units_max(text), platform.style());
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

    /// What an approved message says to the end user, as far as we know.
    pub fn of_approved(template: &WindowTemplate, message: &ApprovedMessage) -> Self {
        let Some(text) = &template.text else {
            return Self(format!("[Template: {}]", template.name));
        };
        let places = message.values.iter().zip(1_u32..);
        Self(places.fold(text.clone(), |text, (value, place)| {
            text.replace(&format!("{{{{{place}}}}}"), value)
        }))
    }

    /// A status notification that was made before, to be sent again; `None` for anything else.
    pub fn of_notification(message: &Outbound) -> Option<Self> {
        let is_one = message.comment.is_none() && !message.is_template();
        is_one.then(|| Self(message.text.clone()))
    }

    /// What an administrator has sent to try a channel.
    pub fn test_message() -> Self {
        Self(TEST_MESSAGE.to_owned())
    }

    /// A message that carried a comment, to be sent again; `None` unless the comment, which was
    /// read again, is still positively public.
    pub fn again(message: &Outbound, visibility: CommentVisibility) -> Option<Self> {
        let is_text = message.file().is_none();
        (is_text && visibility == CommentVisibility::Public).then(|| Self(message.text.clone()))
    }

    /// One message of two: a comment and the status that it was given with. Two messages, if one
    /// would be too long. Besides, what the last one says without the status, if it says more.
    pub(super) fn joined(
        mut parts: Vec<Self>,
        with: Self,
        platform: &Platform,
    ) -> (Vec<Self>, Option<Self>) {
        let both = parts
            .last()
            .map(|last| format!("{}\n\n{}", last.0, with.0))
            .filter(|both| channel::length(both) <= platform.text_units_max(both));
        let without = if let (Some(both), Some(last)) = (both, parts.last_mut()) {
            Some(Self(std::mem::replace(&mut last.0, both)))
        } else {
            parts.push(with);
            None
        };
        (parts, without)
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

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_text::{Block, Inline};

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
    fn long_text_becomes_several_messages_in_the_form_of_the_platform() {
        let body = Doc {
            blocks: vec![
                Block::Paragraph(vec![Inline::strong("Bold")]),
                Block::Paragraph(vec![Inline::text("word ".repeat(400))]),
            ],
        };
        let public = CommentVisibility::Public;
        let parts =
            |platform| CustomerText::of_comment(public, &body, &platform).expect("it is public");
        let whatsapp = parts(Platform::Whatsapp);
        assert_eq!(whatsapp.len(), 1);
        assert!(whatsapp[0].as_str().starts_with("*Bold*"));
        let sms = parts(Platform::Sms);
        assert_eq!(sms.len(), 2);
        assert!(sms[0].as_str().starts_with("Bold\n"));
    }

    #[test]
    fn a_comment_and_a_status_are_one_message_if_they_fit() {
        let text = |text: &str| CustomerText(text.to_owned());
        let fits = CustomerText::joined(vec![text("a")], text("b"), &Platform::Sms);
        assert_eq!(fits, (vec![text("a\n\nb")], Some(text("a"))));
        let long = text(&"x".repeat(1_370));
        let two = CustomerText::joined(vec![long.clone()], text("more words"), &Platform::Sms);
        assert_eq!(two, (vec![long, text("more words")], None));
    }
}
