//! Making an issue.

use bowline_net::json::{filled, flag, id, int};
use bowline_net::{ApiError, Reply};
use bowline_text::Doc;
use http::Method;
use serde_json::{Value, json};

use crate::client::Client;

/// An issue to be made.
#[derive(Debug, Clone)]
pub struct NewIssue {
    /// The key of the project.
    pub project: String,
    /// The issue type, by name.
    pub issue_type: String,
    /// The summary.
    pub summary: String,
    /// The description.
    pub description: Doc,
    /// An entity property, set in the same call: what it is called and what it holds.
    pub property: (String, Value),
}

/// An issue that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedIssue {
    /// The numeric id.
    pub id: String,
    /// The key.
    pub key: String,
}

/// An issue type of which issues can be made in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueType {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Are they made below another issue only?
    pub subtask: bool,
}

/// A field of the form in which issues of a type are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateField {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Must something stand in it that Jira does not fill in by itself?
    pub needed: bool,
}

/// Issue types, or fields, that are asked for at once; Jira's own maximum is 200.
const META_AT_ONCE: usize = 200;

/// Issue types, or fields, that are listed at most.
const META_MAX: usize = 2_000;

impl Client {
    /// The issue types of which our account can make issues in a project.
    pub async fn create_types(&self, project: &str) -> Result<Vec<IssueType>, ApiError> {
        let path = ["issue", "createmeta", project, "issuetypes"];
        let read = |value: &Value| {
            Some(IssueType {
                id: id(value, "id")?,
                name: filled(value, "name")?,
                subtask: flag(value, "subtask") == Some(true),
            })
        };
        let doing = "listing the issue types of a project";
        self.create_meta(&path, ("issueTypes", doing), read).await
    }

    /// The fields of the form in which issues of a type are made.
    pub async fn create_fields(
        &self,
        project: &str,
        issue_type: &str,
    ) -> Result<Vec<CreateField>, ApiError> {
        let path = ["issue", "createmeta", project, "issuetypes", issue_type];
        let read = |value: &Value| {
            let filled_in = flag(value, "hasDefaultValue") == Some(true);
            Some(CreateField {
                id: filled(value, "fieldId")?,
                name: filled(value, "name")?,
                needed: flag(value, "required") == Some(true) && !filled_in,
            })
        };
        let doing = "listing the fields of an issue type";
        self.create_meta(&path, ("fields", doing), read).await
    }

    /// All parts of a list about making issues. Cloud names it, Data Center calls it `values`, and
    /// neither says reliably whether a part is the last.
    async fn create_meta<T>(
        &self,
        path: &[&str],
        (named, doing): (&str, &'static str),
        read: impl Fn(&Value) -> Option<T> + Send + Sync,
    ) -> Result<Vec<T>, ApiError>
    where
        T: Send,
    {
        let mut all: Vec<T> = Vec::new();
        let mut seen = 0;
        loop {
            let call = self
                .api(Method::GET, path, doing)
                .query("maxResults", META_AT_ONCE.to_string())
                .query("startAt", seen.to_string());
            let part = |value: &Value| {
                let list = value.get(named).or_else(|| value.get("values"))?;
                let list = list.as_array()?;
                let total = int(value, "total");
                Some((list.len(), list.iter().filter_map(&read).collect(), total))
            };
            let (got, part, total): (usize, Vec<T>, Option<i64>) =
                self.send(call, part).await?.value;
            all.extend(part);
            seen += got;
            let known = i64::try_from(seen).unwrap_or(i64::MAX);
            if got == 0 || total.is_none_or(|total| known >= total) || seen >= META_MAX {
                return Ok(all);
            }
        }
    }

    /// Makes an issue, with an entity property by which it is recognised.
    pub async fn create_issue(&self, new: &NewIssue) -> Result<Reply<CreatedIssue>, ApiError> {
        let (name, value) = &new.property;
        let body = json!({
            "fields": {
                "project": { "key": new.project },
                "issuetype": { "name": new.issue_type },
                "summary": new.summary,
                "description": self.written(&new.description),
            },
            "properties": [{ "key": name, "value": value }],
        });
        let call = self
            .api(Method::POST, &["issue"], "making an issue")
            .body(body);
        let read = |value: &Value| {
            Some(CreatedIssue {
                id: id(value, "id")?,
                key: id(value, "key")?,
            })
        };
        self.send(call, read).await
    }
}
