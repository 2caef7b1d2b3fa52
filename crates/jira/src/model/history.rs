//! What changed on an issue.

use bowline_net::json::{at, filled, id, instant_ms, list, text};
use serde_json::Value;

use super::person::Person;

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeItem {
    /// The field's name in lower case: Jira writes `Status` in one place and `status` in another.
    pub field: String,
    /// The field's id; Data Center items have none.
    pub field_id: Option<String>,
    /// The old value's id.
    pub from: Option<String>,
    /// The old value's text; of a description the whole old text.
    pub from_string: Option<String>,
    /// The new value's id.
    pub to: Option<String>,
    /// The new value's text; of a description the whole new text.
    pub to_string: Option<String>,
}

impl ChangeItem {
    fn read(value: &Value) -> Option<Self> {
        let field_id = filled(value, "fieldId");
        let field = filled(value, "field")
            .or_else(|| field_id.clone())?
            .to_lowercase();
        Some(Self {
            field,
            field_id,
            from: id(value, "from"),
            from_string: text(value, "fromString"),
            to: id(value, "to"),
            to_string: text(value, "toString"),
        })
    }
}

/// The items of a list of changes; those without a field are left out.
pub(crate) fn items(holder: &Value) -> Vec<ChangeItem> {
    list(holder, "items")
        .iter()
        .filter_map(ChangeItem::read)
        .collect()
}

/// One entry of an issue's changelog: everything that changed in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The id, the same as that of the webhook's changelog.
    pub id: String,
    /// Who did it.
    pub author: Option<Person>,
    /// When, in Unix milliseconds.
    pub created_ms: Option<i64>,
    /// What changed.
    pub items: Vec<ChangeItem>,
}

impl History {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            author: Person::read(at(value, &["author"])),
            created_ms: instant_ms(value, "created"),
            items: items(value),
        })
    }
}

/// Oldest first, whichever way the deployment sends them.
pub(crate) fn sorted(mut histories: Vec<History>) -> Vec<History> {
    let age = |h: &History| (h.created_ms, h.id.len(), h.id.clone());
    histories.sort_by_cached_key(age);
    histories
}
