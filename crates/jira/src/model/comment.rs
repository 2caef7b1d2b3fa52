//! Comments, and who may see them.

use bowline_net::json::{at, id, instant_ms, list, text};
use bowline_text::Doc;
use serde_json::Value;

use super::person::Person;
use super::rich;

/// The comment property in which Jira Service Management keeps "internal note".
pub(crate) const INTERNAL_PROPERTY: &str = "sd.public.comment";

/// Who may see a comment, as far as the payload says. Any sign of a restriction wins over any
/// sign of none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// Said to be public, with no restriction.
    Public,
    /// Nothing said: Data Center payloads have no `jsdPublic`. Never to be taken for public where
    /// a customer would see the text.
    Unstated,
    /// A Service Management internal note; the text says by what we know.
    Internal(String),
    /// Limited to a role or group; the text names it.
    Restricted(String),
}

impl Visibility {
    /// True when anything says that not everybody who sees the issue may read this.
    pub fn is_limited(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Restricted(_))
    }

    fn read(comment: &Value) -> Self {
        let restriction = at(comment, &["visibility"]);
        if !restriction.is_null() {
            let kind = text(restriction, "type").unwrap_or_else(|| "restriction".to_owned());
            let whom = text(restriction, "value").or_else(|| id(restriction, "identifier"));
            let whom = whom.unwrap_or_else(|| "not named".to_owned());
            return Self::Restricted(format!("limited to {kind} {whom}"));
        }
        let stated = at(comment, &["jsdPublic"]);
        let property = list(comment, "properties")
            .iter()
            .find(|p| p.get("key").and_then(Value::as_str) == Some(INTERNAL_PROPERTY))
            .map(|p| at(p, &["value", "internal"]));
        match (stated, property) {
            (Value::Bool(true) | Value::Null, Some(Value::Bool(false)))
            | (Value::Bool(true), None) => Self::Public,
            (Value::Null, None) => Self::Unstated,
            (Value::Bool(true) | Value::Null, Some(_)) => {
                Self::Internal(format!("property {INTERNAL_PROPERTY} says internal"))
            }
            // False, or something that is no plain true.
            (_, _) => Self::Internal("jsdPublic is not true".to_owned()),
        }
    }
}

/// A comment on an issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its id, unique in the site.
    pub id: String,
    /// The numeric id of the issue, from the comment's own address (`self`): the only place where
    /// a Data Center comment event names its issue.
    pub issue_id: Option<String>,
    /// Who wrote it; `None` for an anonymous or erased author.
    pub author: Option<Person>,
    /// Who changed it last.
    pub update_author: Option<Person>,
    /// When it was written, in Unix milliseconds.
    pub created_ms: Option<i64>,
    /// When it was changed last, in Unix milliseconds; the version of the comment.
    pub updated_ms: Option<i64>,
    /// The text.
    pub body: Doc,
    /// Who may see it.
    pub visibility: Visibility,
}

impl Comment {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            issue_id: text(value, "self").as_deref().and_then(issue_in_address),
            author: Person::read(at(value, &["author"])),
            update_author: Person::read(at(value, &["updateAuthor"])),
            created_ms: instant_ms(value, "created"),
            updated_ms: instant_ms(value, "updated"),
            body: rich(at(value, &["body"])),
            visibility: Visibility::read(value),
        })
    }
}

/// The numeric issue id in `…/issue/{id}` or `…/issue/{id}/comment/{cid}`.
pub(crate) fn issue_in_address(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.rsplit('/').filter(|s| !s.is_empty());
    let last = segments.next()?;
    let mut before = segments.next()?;
    let mut candidate = last;
    if before == "comment" {
        candidate = segments.next()?;
        before = segments.next()?;
    }
    let numeric = !candidate.is_empty() && candidate.bytes().all(|b| b.is_ascii_digit());
    (before == "issue" && numeric).then(|| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_sign_of_a_restriction_wins() {
        let role = json!({"type": "role", "value": "Developers"});
        let internal = json!([{"key": "sd.public.comment", "value": {"internal": true}}]);
        let external = json!([{"key": "sd.public.comment", "value": {"internal": false}}]);
        let strange = json!([{"key": "sd.public.comment", "value": "internal"}]);
        let other = json!([{"key": "x", "value": {"internal": true}}]);
        for (comment, want) in [
            (json!({}), "unstated"),
            (
                json!({"jsdPublic": null, "visibility": null, "properties": null}),
                "unstated",
            ),
            (json!({"jsdPublic": true}), "public"),
            (json!({"jsdPublic": true, "properties": []}), "public"),
            (json!({"jsdPublic": true, "properties": other}), "public"),
            (json!({"jsdPublic": true, "properties": external}), "public"),
            (json!({"properties": external}), "public"),
            (json!({"jsdPublic": false}), "internal"),
            (
                json!({"jsdPublic": false, "properties": external}),
                "internal",
            ),
            (
                json!({"jsdPublic": true, "properties": internal}),
                "internal",
            ),
            (
                json!({"jsdPublic": true, "properties": strange}),
                "internal",
            ),
            (json!({"properties": internal}), "internal"),
            (json!({"jsdPublic": "true"}), "internal"),
            (json!({"jsdPublic": true, "visibility": role}), "restricted"),
            (
                json!({"jsdPublic": false, "visibility": role}),
                "restricted",
            ),
            (json!({"visibility": {}}), "restricted"),
            (json!({"visibility": "everybody?"}), "restricted"),
        ] {
            let visibility = Visibility::read(&comment);
            let (name, limited) = match &visibility {
                Visibility::Public => ("public", false),
                Visibility::Unstated => ("unstated", false),
                Visibility::Internal(_) => ("internal", true),
                Visibility::Restricted(_) => ("restricted", true),
            };
            assert_eq!(name, want, "{comment}");
            assert_eq!(visibility.is_limited(), limited, "{comment}");
        }
    }

    #[test]
    fn the_issue_is_found_in_the_address() {
        for (address, want) in [
            (
                "https://j.example.com/rest/api/2/issue/10013/comment/10082",
                Some("10013"),
            ),
            (
                "https://j.example.com/ctx/rest/api/3/issue/10013/comment/10082?x=/issue/1",
                Some("10013"),
            ),
            (
                "https://j.example.com/rest/api/2/issue/10013/",
                Some("10013"),
            ),
            (
                "https://j.example.com/rest/api/2/issue/ENG-1/comment/10082",
                None,
            ),
            ("https://j.example.com/rest/api/2/project/10013", None),
            ("10013", None),
            ("", None),
            ("///", None),
        ] {
            assert_eq!(issue_in_address(address).as_deref(), want, "{address}");
        }
    }
}
