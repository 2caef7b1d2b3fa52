//! Comments, as far as the caller may see them.

use serde_json::{Map, Value, json};

use super::super::model::{Comment, Issue};
use super::{View, expands};

impl View<'_> {
    /// One comment; `expand` may ask for the rendered body and the properties.
    pub(crate) fn comment(&self, issue: u64, comment: &Comment, expand: &str) -> Value {
        let mut shown = Map::new();
        shown.insert(
            "self".into(),
            self.link(&format!("issue/{issue}/comment/{}", comment.id))
                .into(),
        );
        shown.insert("id".into(), comment.id.to_string().into());
        shown.insert("author".into(), self.user(&comment.author));
        shown.insert("body".into(), self.text(&comment.body));
        if expands(expand, "renderedBody") {
            shown.insert("renderedBody".into(), comment.body.as_html().into());
        }
        shown.insert("updateAuthor".into(), self.user(&comment.update_author));
        shown.insert("created".into(), self.stamp(comment.created_ms).into());
        shown.insert("updated".into(), self.stamp(comment.updated_ms).into());
        if let Some(visibility) = &comment.visibility {
            let mut shown_visibility =
                json!({ "type": visibility.kind, "value": visibility.value });
            if self.state.is_cloud() {
                shown_visibility["identifier"] = visibility.value.clone().into();
            }
            shown.insert("visibility".into(), shown_visibility);
        }
        if self.state.is_cloud() {
            shown.insert("jsdPublic".into(), (!comment.is_internal()).into());
        }
        let hidden = self.state.switches.comment_properties_hidden;
        if expands(expand, "properties") && !hidden && !comment.properties.is_empty() {
            let list: Vec<Value> = comment
                .properties
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
            shown.insert("properties".into(), list.into());
        }
        Value::Object(shown)
    }

    /// The comments of an issue, as its field has them.
    pub(super) fn comments(&self, issue: &Issue) -> Value {
        let visible: Vec<Value> = issue
            .comments
            .values()
            .filter(|comment| self.viewer.is_none_or(|viewer| comment.visible_to(viewer)))
            .map(|comment| self.comment(issue.id, comment, ""))
            .collect();
        let count = visible.len();
        let mut shown =
            json!({ "comments": visible, "maxResults": count, "total": count, "startAt": 0 });
        if self.viewer.is_some() {
            shown["self"] = self.link(&format!("issue/{}/comment", issue.id)).into();
        }
        shown
    }
}
