//! The history of an issue, and its remote links.

use serde_json::{Value, json};

use super::super::model::{Change, History, Issue, RemoteLink};
use super::View;

impl View<'_> {
    /// One changelog item. Data Center has no field ids.
    pub(crate) fn change(&self, change: &Change) -> Value {
        let mut shown = json!({
            "field": change.field,
            "fieldtype": if change.custom { "custom" } else { "jira" },
            "from": change.from,
            "fromString": change.from_string,
            "to": change.to,
            "toString": change.to_string,
        });
        if let (true, Some(id)) = (self.state.is_cloud(), &change.field_id) {
            shown["fieldId"] = id.clone().into();
        }
        shown
    }

    /// One entry of the change history.
    pub(crate) fn history(&self, history: &History) -> Value {
        json!({
            "id": history.id.to_string(),
            "author": self.user(&history.author),
            "created": self.stamp(history.created_ms),
            "items": history.items.iter().map(|item| self.change(item)).collect::<Vec<_>>(),
        })
    }

    /// One remote link.
    pub(crate) fn remote_link(&self, issue: &Issue, link: &RemoteLink) -> Value {
        let mut shown = json!({
            "id": link.id,
            "self": self.link(&format!("issue/{}/remotelink/{}", issue.key, link.id)),
            "application": link.application,
            "object": link.object,
        });
        if let Some(global_id) = &link.global_id {
            shown["globalId"] = global_id.clone().into();
        }
        if let Some(relationship) = &link.relationship {
            shown["relationship"] = relationship.clone().into();
        }
        shown
    }
}
