//! Making an issue.

use bowline_net::json::id;
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

impl Client {
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
