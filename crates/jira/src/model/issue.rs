//! Issues.

use bowline_net::json::{at, filled, id, instant_ms, int, list, text};
use bowline_text::Doc;
use serde_json::Value;

use super::comment::Comment;
use super::history::{self, History};
use super::links::{LINK_PROPERTY, read_link_property};
use super::person::Person;
use super::rich;

/// What to read of an issue besides its fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IssueRead {
    /// The comments that Jira puts into the issue.
    pub comments: bool,
    /// The newest part of the changelog.
    pub changelog: bool,
    /// The property with the linked conversations. Data Center's search cannot return it.
    pub link_property: bool,
}

impl IssueRead {
    /// The fields to ask for.
    pub(crate) fn fields(self) -> Vec<&'static str> {
        let mut fields = vec![
            "summary",
            "project",
            "status",
            "security",
            "assignee",
            "creator",
            "reporter",
            "created",
            "updated",
            "description",
        ];
        if self.comments {
            fields.push("comment");
        }
        fields
    }
}

/// Which third of a workflow a status belongs to; equal in every language and project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Not begun (`new`).
    New,
    /// Under way (`indeterminate`).
    Indeterminate,
    /// Done (`done`).
    Done,
    /// No category, or one that this version does not know.
    Other,
}

/// A status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The id.
    pub id: String,
    /// The name, in the language of the account we read with.
    pub name: String,
    /// The category.
    pub category: Category,
}

impl Status {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            name: text(value, "name").unwrap_or_default(),
            category: match at(value, &["statusCategory", "key"]).as_str() {
                Some("new") => Category::New,
                Some("indeterminate") => Category::Indeterminate,
                Some("done") => Category::Done,
                _ => Category::Other,
            },
        })
    }
}

/// The project of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRef {
    /// The numeric id.
    pub id: String,
    /// The key, which may change.
    pub key: String,
    /// The name.
    pub name: String,
}

impl ProjectRef {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            key: filled(value, "key")?,
            name: text(value, "name").unwrap_or_default(),
        })
    }
}

/// An issue as read through REST.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// The numeric id, which never changes.
    pub id: String,
    /// The key, a label that changes when the issue moves.
    pub key: String,
    /// The summary; empty when not given.
    pub summary: String,
    /// The project.
    pub project: ProjectRef,
    /// The status.
    pub status: Status,
    /// The name of the security level, if it has one: such an issue is not for everybody.
    pub security: Option<String>,
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
    /// The description; empty when there is none.
    pub description: Doc,
    /// The comments, if they were asked for, as far as Jira put them in.
    pub comments: Vec<Comment>,
    /// True when `comments` are all that we may see. False when they were not asked for.
    pub comments_complete: bool,
    /// The changelog, if it was asked for, oldest first, as far as Jira put it in.
    pub changelog: Vec<History>,
    /// True when `changelog` is all of it. False when it was not asked for.
    pub changelog_complete: bool,
    /// The ids of the linked conversations. `None` when there is no such property or it was not
    /// asked for.
    pub link_property: Option<Vec<String>>,
}

impl Issue {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let fields = at(value, &["fields"]);
        let comments = at(fields, &["comment"]);
        let changelog = at(value, &["changelog"]);
        let property = at(value, &["properties", LINK_PROPERTY]);
        Some(Self {
            id: id(value, "id")?,
            key: filled(value, "key")?,
            summary: text(fields, "summary").unwrap_or_default(),
            project: ProjectRef::read(at(fields, &["project"]))?,
            status: Status::read(at(fields, &["status"]))?,
            security: security(at(fields, &["security"])),
            assignee: Person::read(at(fields, &["assignee"])),
            creator: Person::read(at(fields, &["creator"])),
            reporter: Person::read(at(fields, &["reporter"])),
            created_ms: instant_ms(fields, "created"),
            updated_ms: instant_ms(fields, "updated"),
            description: rich(at(fields, &["description"])),
            comments: list(comments, "comments")
                .iter()
                .filter_map(Comment::read)
                .collect(),
            comments_complete: is_complete(comments, "comments"),
            changelog: histories(changelog),
            changelog_complete: is_complete(changelog, "histories"),
            link_property: read_link_property(property),
        })
    }
}

/// The changelog inside an issue, oldest first.
pub(crate) fn histories(changelog: &Value) -> Vec<History> {
    let all = list(changelog, "histories")
        .iter()
        .filter_map(History::read)
        .collect();
    history::sorted(all)
}

/// The name of a security level; `None` only when there is none at all.
pub(crate) fn security(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let name = filled(value, "name").or_else(|| id(value, "id"));
    Some(name.unwrap_or_else(|| "a level without a name".to_owned()))
}

/// Whether a page inside an issue holds everything: from the start, and as many as it says there
/// are.
fn is_complete(page: &Value, key: &str) -> bool {
    let Some(items) = page.get(key).and_then(Value::as_array) else {
        return false;
    };
    let held = i64::try_from(items.len()).unwrap_or(i64::MAX);
    int(page, "startAt").unwrap_or(0) == 0 && int(page, "total").is_none_or(|all| held >= all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn issue(extra: &Value) -> Option<Issue> {
        let mut value = json!({"id": 10040, "key": "ENG-1", "fields": {
            "project": {"id": "1", "key": "ENG", "name": "Engine"},
            "status": {"id": "3", "name": "Erledigt", "statusCategory": {"key": "done"}}}});
        for (key, v) in extra.as_object().unwrap() {
            value[key.as_str()] = v.clone();
        }
        Issue::read(&value)
    }

    #[test]
    fn the_least_that_is_an_issue() {
        let read = issue(&json!({})).unwrap();
        assert_eq!(
            (read.id.as_str(), read.status.category),
            ("10040", Category::Done)
        );
        assert!(!read.comments_complete && !read.changelog_complete);
        assert_eq!(read.link_property, None);
        assert!(issue(&json!({"id": null})).is_none());
        assert!(issue(&json!({"fields": null})).is_none());
    }

    #[test]
    fn completeness_is_never_assumed() {
        for (page, want) in [
            (json!({"histories": [], "total": 0}), true),
            (json!({"histories": []}), true),
            (
                json!({"histories": [{"id": "1"}], "startAt": 0, "total": 1}),
                true,
            ),
            (
                json!({"histories": [{"id": "1"}], "startAt": 0, "total": 2}),
                false,
            ),
            (
                json!({"histories": [{"id": "1"}], "startAt": 1, "total": 1}),
                false,
            ),
            (json!(null), false),
        ] {
            assert_eq!(
                issue(&json!({"changelog": page}))
                    .unwrap()
                    .changelog_complete,
                want,
                "{page}"
            );
        }
    }

    #[test]
    fn histories_are_oldest_first() {
        let entry = |id: &str, at: &str| json!({"id": id, "created": at, "items": []});
        let changelog = json!({"histories": [
            entry("100", "2026-09-27T10:00:02.000+0200"),
            entry("99", "2026-09-27T10:00:02.000+0200"),
            entry("101", "2026-09-27T10:00:01.000+0200"),
        ]});
        let read = issue(&json!({"changelog": changelog})).unwrap();
        let ids: Vec<_> = read.changelog.iter().map(|h| h.id.as_str()).collect();
        assert_eq!(ids, ["101", "99", "100"]);
    }

    #[test]
    fn a_security_level_without_a_name_is_still_one() {
        for (value, want) in [
            (json!(null), None),
            (json!({"id": "1", "name": "Staff"}), Some("Staff")),
            (json!({"id": 1}), Some("1")),
            (json!({}), Some("a level without a name")),
        ] {
            assert_eq!(security(&value).as_deref(), want, "{value}");
        }
    }
}
