//! Jira's own record of linked conversations: an issue property and remote links.

use bowline_net::json::{as_id, at, filled, flag, id, text};
use serde_json::{Value, json};

/// The issue property with the ids of the linked conversations. The name and the shape are those
/// of the existing Intercom apps for Jira, so that people who switch keep their links.
pub const LINK_PROPERTY: &str = "intercom.conversation.links";

/// The ids in the property: `{"count":2,"conversationIds":["a","b"]}`, or the older array
/// `[{"id":"a"}]`. First-seen order, without doubles. `None` for null and for any other shape.
pub fn read_link_property(value: &Value) -> Option<Vec<String>> {
    let found: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(|item| id(item, "id")).collect(),
        Value::Object(_) => value
            .get("conversationIds")?
            .as_array()?
            .iter()
            .filter_map(as_id)
            .collect(),
        _ => return None,
    };
    let mut seen = std::collections::HashSet::new();
    Some(
        found
            .into_iter()
            .filter(|id| seen.insert(id.clone()))
            .collect(),
    )
}

/// The current shape of the property. `count` is stored because it can be indexed.
pub fn link_property_value(conversation_ids: &[String]) -> Value {
    json!({ "count": conversation_ids.len(), "conversationIds": conversation_ids })
}

/// The small picture of a remote link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// A 16 by 16 picture.
    pub url: String,
    /// Its text.
    pub title: String,
}

/// A remote issue link: a thing elsewhere, shown on the issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLink {
    /// What makes it the same link on the next write. Empty on links that others made without.
    pub global_id: String,
    /// The application's type, a reverse domain name.
    pub application_type: Option<String>,
    /// The application's name; Jira groups by it.
    pub application_name: Option<String>,
    /// How the thing relates to the issue.
    pub relationship: Option<String>,
    /// Where it is.
    pub url: String,
    /// Its title; Jira refuses a link without.
    pub title: String,
    /// A second line.
    pub summary: Option<String>,
    /// Shown struck through when true.
    pub resolved: bool,
    /// Its picture.
    pub icon: Option<Icon>,
}

impl RemoteLink {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let object = at(value, &["object"]);
        let application = at(value, &["application"]);
        let icon = at(object, &["icon"]);
        Some(Self {
            global_id: text(value, "globalId").unwrap_or_default(),
            application_type: filled(application, "type"),
            application_name: filled(application, "name"),
            relationship: filled(value, "relationship"),
            url: filled(object, "url")?,
            title: text(object, "title").unwrap_or_default(),
            summary: filled(object, "summary"),
            resolved: flag(at(object, &["status"]), "resolved").unwrap_or(false),
            icon: filled(icon, "url16x16").map(|url| Icon {
                url,
                title: text(icon, "title").unwrap_or_default(),
            }),
        })
    }

    /// The body of the write. A write replaces the whole link, so everything is in it; what is
    /// not known is left out rather than sent as null.
    pub(crate) fn body(&self) -> Value {
        let mut object = json!({
            "url": self.url, "title": self.title, "status": { "resolved": self.resolved },
        });
        if let Some(summary) = &self.summary {
            object["summary"] = json!(summary);
        }
        if let Some(icon) = &self.icon {
            object["icon"] = json!({ "url16x16": icon.url, "title": icon.title });
        }
        let mut body = json!({ "globalId": self.global_id, "object": object });
        if let Some(kind) = &self.application_type {
            body["application"]["type"] = json!(kind);
        }
        if let Some(name) = &self.application_name {
            body["application"]["name"] = json!(name);
        }
        if let Some(relationship) = &self.relationship {
            body["relationship"] = json!(relationship);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_the_property() {
        for (value, want) in [
            (
                json!({"count": 2, "conversationIds": [" a", "b", "a"]}),
                Some(vec!["a", "b"]),
            ),
            (json!({"conversationIds": [215, ""]}), Some(vec!["215"])),
            (json!({"count": 0, "conversationIds": []}), Some(vec![])),
            (
                json!([{"id": "a"}, {"id": 7}, {"x": 1}, "b"]),
                Some(vec!["a", "7"]),
            ),
            (json!({"count": 2}), None),
            (json!(null), None),
            (json!("a"), None),
        ] {
            let read = read_link_property(&value);
            let read = read
                .as_ref()
                .map(|ids| ids.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(read, want, "{value}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let ids = ["a".to_owned(), "b".to_owned()];
        let value = link_property_value(&ids);
        assert_eq!(value, json!({"count": 2, "conversationIds": ["a", "b"]}));
        assert_eq!(read_link_property(&value).as_deref(), Some(&ids[..]));
    }
}
