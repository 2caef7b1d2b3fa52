//! A quick look into a delivery while its sender waits: only what is needed to put it into the
//! right queue. What it means is read later, by [`parse`](super::parse).

use aws_lc_rs::{constant_time, digest as sha};
use serde::Deserialize;

use super::delivery::ParseError;
use crate::model::comment::issue_in_address;

/// What a delivery is called and which issue it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The event's name as it came; empty when there is none.
    pub event: String,
    /// The numeric id of the issue, from the issue or from the comment's own address.
    pub issue_id: Option<String>,
    /// The key of the issue, if it says one.
    pub issue_key: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'b> {
    #[serde(rename = "webhookEvent", borrow, default)]
    event: Option<std::borrow::Cow<'b, str>>,
    #[serde(borrow, default)]
    issue: Option<Named<'b>>,
    #[serde(borrow, default)]
    comment: Option<Named<'b>>,
}

#[derive(Deserialize)]
struct Named<'b> {
    #[serde(borrow, default)]
    id: Option<Id<'b>>,
    #[serde(borrow, default)]
    key: Option<std::borrow::Cow<'b, str>>,
    #[serde(rename = "self", borrow, default)]
    address: Option<std::borrow::Cow<'b, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id<'b> {
    Number(u64),
    #[serde(borrow)]
    Text(std::borrow::Cow<'b, str>),
}

impl Id<'_> {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

/// Looks into a delivery.
///
/// # Errors
/// [`ParseError::NotJson`]; [`ParseError::UnknownShape`] when it names neither an event nor an
/// issue nor a comment, or when those have a shape that was never seen.
pub fn peek(raw: &[u8]) -> Result<Peek, ParseError> {
    let envelope: Envelope<'_> = serde_json::from_slice(raw).map_err(|error| {
        if error.is_data() {
            ParseError::UnknownShape("the parts are not of the known form".to_owned())
        } else {
            ParseError::NotJson
        }
    })?;
    if envelope.event.is_none() && envelope.issue.is_none() && envelope.comment.is_none() {
        return Err(ParseError::UnknownShape(
            "neither an event name nor an issue nor a comment".to_owned(),
        ));
    }
    let issue_key = envelope
        .issue
        .as_ref()
        .and_then(|issue| issue.key.as_deref());
    let issue_key = issue_key.map(str::to_owned);
    let from_issue = envelope
        .issue
        .and_then(|issue| issue.id)
        .map(|id| id.text());
    let from_comment = || issue_in_address(envelope.comment?.address.as_deref()?);
    Ok(Peek {
        event: envelope.event.unwrap_or_default().into_owned(),
        issue_id: from_issue.or_else(from_comment).filter(|id| is_number(id)),
        issue_key,
    })
}

/// May a conversation's address stand anywhere in the delivery? Quick, and never wrongly no: every
/// address names Intercom's host, and a letter can be hidden only behind an escape.
pub fn may_name_a_conversation(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let named = memchr::memchr2_iter(HOST_PART_RARE.0, HOST_PART_RARE.1, bytes).any(|at| {
        let start = at.checked_sub(HOST_PART_RARE_AT);
        let window = start.and_then(|start| bytes.get(start..start + HOST_PART.len()));
        window.is_some_and(|window| window.eq_ignore_ascii_case(HOST_PART))
    });
    named || memchr::memmem::find(bytes, b"\\u00").is_some()
}

/// What every host of Intercom's has in its name.
const HOST_PART: &[u8] = b"intercom";

/// The letter of it that is rarest in JSON, in both cases, and where it stands in it.
const HOST_PART_RARE: (u8, u8) = (b'm', b'M');
const HOST_PART_RARE_AT: usize = 7;

/// Longest id in digits: what 64 bits can hold.
const ID_DIGITS_MAX: usize = 20;

/// Is it an id as Jira gives them to issues, comments and history entries? Anything else names
/// nothing that could be read back.
pub(super) fn is_number(id: &str) -> bool {
    (1..=ID_DIGITS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names a delivery by what it says, for senders that give no name: SHA-256 in hexadecimal.
pub fn digest(raw: &[u8]) -> String {
    bowline_net::hex::encode(sha::digest(&sha::SHA256, raw).as_ref())
}

/// Compares a given secret with the wanted one without telling by its time where they differ.
pub fn same_secret(given: &[u8], wanted: &[u8]) -> bool {
    let (given, wanted) = (
        sha::digest(&sha::SHA256, given),
        sha::digest(&sha::SHA256, wanted),
    );
    constant_time::verify_slices_are_equal(given.as_ref(), wanted.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_issue_in_every_shape() {
        for (body, want) in [
            (
                r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10","key":"A-1"}}"#,
                Ok(Some("10")),
            ),
            (
                r#"{"webhookEvent":"jira:issue_updated","issue":{"id":10}}"#,
                Ok(Some("10")),
            ),
            (
                r#"{"webhookEvent":"comment_created","comment":{"id":"7","self":"https://j.example.com/rest/api/2/issue/10/comment/7"}}"#,
                Ok(Some("10")),
            ),
            (
                r#"{"webhookEvent":"project_created","project":{"id":1}}"#,
                Ok(None),
            ),
            (r#"{"webhookEvent":"x","issue":{"id":"../etc"}}"#, Ok(None)),
            (
                r#"{"webhookEvent":"x","issue":{"id":"123456789012345678901"}}"#,
                Ok(None),
            ),
            (r#"{"webhookEvent":null,"issue":null}"#, Err(false)),
            (r#"{"a":1}"#, Err(false)),
            ("[1]", Err(false)),
            (r#"{"webhookEvent":{"a":1}}"#, Err(false)),
            ("{\"webhookEvent\":", Err(true)),
            ("<xml/>", Err(true)),
            ("", Err(true)),
        ] {
            let got = peek(body.as_bytes());
            let short = got
                .as_ref()
                .map(|peek| peek.issue_id.as_deref())
                .map_err(|error| *error == ParseError::NotJson);
            assert_eq!(short, want, "{body}");
        }
    }

    #[test]
    fn a_conversation_is_never_overlooked() {
        for (body, may) in [
            (
                r#"{"a":"https://app.intercom.com/a/inbox/x/inbox/conversation/1"}"#,
                true,
            ),
            (r#"{"a":"HTTPS:\/\/APP.INTERCOM.IO\/a"}"#, true),
            (r#"{"a":"https://app.\u0069ntercom.com/a"}"#, true),
            (r#"{"a":"https://example.com/a"}"#, false),
            ("", false),
        ] {
            assert_eq!(may_name_a_conversation(body), may, "{body}");
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret(b"abc", b"abc"));
        assert!(!same_secret(b"abc", b"abcd"));
        assert!(!same_secret(b"", b"a"));
    }
}
