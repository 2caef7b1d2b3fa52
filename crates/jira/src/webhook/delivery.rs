//! Reading a delivery.

use bowline_net::json::{at, filled, id, instant_ms, int, text};
use bowline_text::Doc;
use serde_json::Value;

use crate::model::comment::{Comment, issue_in_address};
use crate::model::history::{self, ChangeItem};
use crate::model::issue::{ProjectRef, Status, security};
use crate::model::person::Person;
use crate::model::rich;

use super::peek::is_number;

/// Why a body is no delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON, or nested too deep to be read safely.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON, but nothing that we know as a delivery.
    #[error("unknown shape: {0}")]
    UnknownShape(String),
}

/// What happened, by the name that Jira gave. Never enough to act on: one comment comes under up
/// to three names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// `jira:issue_created`
    IssueCreated,
    /// `jira:issue_updated`
    IssueUpdated,
    /// `jira:issue_deleted`
    IssueDeleted,
    /// `comment_created`
    CommentCreated,
    /// `comment_updated`
    CommentUpdated,
    /// `comment_deleted`
    CommentDeleted,
    /// `issue_property_set` and `issue_property_deleted`
    IssueProperty,
    /// `project_…`: the whole name
    Project(String),
    /// Any other name; empty for a payload without one (older Service Management automation).
    Other(String),
}

impl EventKind {
    fn read(name: &str) -> Self {
        match name.strip_prefix("jira:").unwrap_or(name) {
            "issue_created" => Self::IssueCreated,
            "issue_updated" => Self::IssueUpdated,
            "issue_deleted" => Self::IssueDeleted,
            "comment_created" => Self::CommentCreated,
            "comment_updated" => Self::CommentUpdated,
            "comment_deleted" => Self::CommentDeleted,
            "issue_property_set" | "issue_property_deleted" => Self::IssueProperty,
            project if project.starts_with("project_") => Self::Project(project.to_owned()),
            _ => Self::Other(name.to_owned()),
        }
    }
}

/// The issue as far as the payload shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IssueHint {
    /// The numeric id.
    pub id: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// The project's numeric id.
    pub project_id: Option<String>,
    /// The project's key, else the part of the issue key before the number.
    pub project_key: Option<String>,
    /// The summary.
    pub summary: Option<String>,
    /// The status.
    pub status: Option<Status>,
    /// The security level: `None` when the payload does not say, `Some(None)` when there is none.
    pub security: Option<Option<String>>,
    /// The assignee.
    pub assignee: Option<Person>,
    /// Who created it.
    pub creator: Option<Person>,
    /// On whose behalf.
    pub reporter: Option<Person>,
    /// When it was created, in Unix milliseconds.
    pub created_ms: Option<i64>,
    /// When it last changed, in Unix milliseconds.
    pub updated_ms: Option<i64>,
    /// The description as it came: `None` when it is not in the payload, null when there is none.
    pub description: Option<Value>,
}

impl IssueHint {
    fn read(value: &Value) -> Option<Self> {
        if !value.is_object() {
            return None;
        }
        let fields = at(value, &["fields"]);
        let key = filled(value, "key");
        let project = at(fields, &["project"]);
        let in_key = key
            .as_deref()
            .and_then(|k| Some(k.rsplit_once('-')?.0.to_owned()));
        let named = ProjectRef::read(project);
        Some(Self {
            id: id(value, "id")
                .or_else(|| text(value, "self").as_deref().and_then(issue_in_address))
                .filter(|id| is_number(id)),
            project_id: id(project, "id"),
            project_key: named
                .map(|p| p.key)
                .or_else(|| filled(project, "key"))
                .or(in_key),
            key,
            summary: text(fields, "summary"),
            status: Status::read(at(fields, &["status"])),
            security: fields.get("security").map(security),
            assignee: Person::read(at(fields, &["assignee"])),
            creator: Person::read(at(fields, &["creator"])),
            reporter: Person::read(at(fields, &["reporter"])),
            created_ms: instant_ms(fields, "created"),
            updated_ms: instant_ms(fields, "updated"),
            description: fields.get("description").cloned(),
        })
    }

    /// The description, read: of a long text that takes longer than the rest of the delivery, and is
    /// seldom needed.
    pub fn described(&self) -> Option<Doc> {
        self.description.as_ref().map(rich)
    }
}

/// A comment in a delivery, with the issue id that its own address names.
pub type CommentHint = Comment;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changelog {
    /// The id of the changelog entry, the same as in REST.
    pub id: Option<String>,
    /// The fields that changed.
    pub items: Vec<ChangeItem>,
}

/// One delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// What happened, by name.
    pub event: EventKind,
    /// When, in Unix milliseconds of Jira's clock.
    pub timestamp_ms: Option<i64>,
    /// Who did it. Comment events of Cloud do not say: it is the comment's author.
    pub user: Option<Person>,
    /// The issue.
    pub issue: Option<IssueHint>,
    /// The comment.
    pub comment: Option<CommentHint>,
    /// What changed.
    pub changelog: Option<Changelog>,
    /// The older, finer name (`issue_event_type_name`). Differs between deployments; never to be
    /// decided by.
    pub event_type_name: Option<String>,
    /// The key of the property in a property event.
    pub property_key: Option<String>,
}

impl Delivery {
    /// The numeric id of the issue, from the issue or from the comment's own address.
    pub fn issue_id(&self) -> Option<&str> {
        let from_issue = self.issue.as_ref().and_then(|issue| issue.id.as_deref());
        let from_comment = || self.comment.as_ref()?.issue_id.as_deref();
        from_issue.or_else(from_comment).filter(|id| is_number(id))
    }
}

/// Reads a delivery.
///
/// # Errors
/// [`ParseError`]; an event that we do not know is no error, and neither is a missing part.
pub fn parse(raw: &[u8]) -> Result<Delivery, ParseError> {
    let value: Value = serde_json::from_slice(raw).map_err(|_| ParseError::NotJson)?;
    let unknown = |words: &str| ParseError::UnknownShape(words.to_owned());
    if !value.is_object() {
        return Err(unknown("not an object"));
    }
    let name = filled(&value, "webhookEvent");
    let issue = IssueHint::read(at(&value, &["issue"]));
    let comment = Comment::read(at(&value, &["comment"])).filter(|comment| is_number(&comment.id));
    let names_issue = issue
        .as_ref()
        .is_some_and(|i| i.id.is_some() || i.key.is_some());
    if name.is_none() && !names_issue && comment.is_none() {
        return Err(unknown("neither an event name nor an issue nor a comment"));
    }
    let changelog = at(&value, &["changelog"]);
    Ok(Delivery {
        event: EventKind::read(name.as_deref().unwrap_or_default()),
        timestamp_ms: int(&value, "timestamp"),
        user: Person::read(at(&value, &["user"])),
        issue,
        comment,
        changelog: changelog.is_object().then(|| Changelog {
            id: id(changelog, "id").filter(|id| is_number(id)),
            items: history::items(changelog),
        }),
        event_type_name: filled(&value, "issue_event_type_name"),
        property_key: filled(at(&value, &["property"]), "key"),
    })
}
