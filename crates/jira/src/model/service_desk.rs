//! Service Management: desks, request types and their fields, requests, comments with their
//! audience, customers. Source: the REST API of Jira Service Management.

use bowline_net::json::{at, filled, flag, id, instant_ms, list, text};
use bowline_text::Doc;
use serde_json::{Map, Value, json};

use super::page::{Cursor, Page};
use super::person::Person;
use crate::client::Deployment;

/// A service project, as customers and agents see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDesk {
    /// The desk's own id, which its other calls want.
    pub id: String,
    /// The id of its project.
    pub project_id: String,
    /// The key of its project, which may change.
    pub project_key: String,
    /// Its name; empty when not given.
    pub name: String,
}

impl ServiceDesk {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            project_id: id(value, "projectId")?,
            project_key: filled(value, "projectKey")?,
            name: text(value, "projectName").unwrap_or_default(),
        })
    }
}

/// A kind of request that a desk takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestType {
    /// Its id.
    pub id: String,
    /// Its name, in the language of the account we read with.
    pub name: String,
    /// The issue type behind it.
    pub issue_type_id: Option<String>,
    /// Whether our account may create requests of it; `None` where Jira does not say (Data
    /// Center).
    pub can_create: Option<bool>,
}

impl RequestType {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            name: filled(value, "name")?,
            issue_type_id: id(value, "issueTypeId"),
            can_create: flag(value, "canCreateRequest"),
        })
    }
}

/// A value that a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// What is sent.
    pub value: String,
    /// What people see; the value where there is no label.
    pub label: String,
    /// Values of the second step, in a field of two.
    pub children: Vec<FieldValue>,
}

impl FieldValue {
    /// How deep values may hang in one another; Jira's own fields have two steps.
    const MAX_STEPS: usize = 4;

    fn read(value: &Value, steps: usize) -> Option<Self> {
        let own = id(value, "value")?;
        let children = if steps > 1 {
            let children = list(value, "children").iter();
            children.filter_map(|v| Self::read(v, steps - 1)).collect()
        } else {
            Vec::new()
        };
        Some(Self {
            label: filled(value, "label").unwrap_or_else(|| own.clone()),
            value: own,
            children,
        })
    }
}

/// A field of a request type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestField {
    /// The id that a value is sent under.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether a request needs it.
    pub required: bool,
    /// Whether customers see it. A hidden one has values of its own.
    pub visible: bool,
    /// Whether a request without it gets a value by itself.
    pub has_default: bool,
    /// The type of its value, as `string`, `option`, `array`.
    pub schema: Option<String>,
    /// The values it takes; empty when any.
    pub valid_values: Vec<FieldValue>,
}

impl RequestField {
    fn read(value: &Value) -> Option<Self> {
        let own = id(value, "fieldId")?;
        let some = |key| !list(value, key).is_empty();
        Some(Self {
            name: filled(value, "name").unwrap_or_else(|| own.clone()),
            id: own,
            required: flag(value, "required").unwrap_or(false),
            visible: flag(value, "visible").unwrap_or(true),
            has_default: some("defaultValues") || some("presetValues"),
            schema: filled(at(value, &["jiraSchema"]), "type"),
            valid_values: list(value, "validValues")
                .iter()
                .filter_map(|v| FieldValue::read(v, FieldValue::MAX_STEPS))
                .collect(),
        })
    }

    /// Whether the field takes this value: as sent or as people see it. Every value, where the
    /// field has no list.
    pub fn takes(&self, wanted: &str) -> bool {
        let is_it = |v: &FieldValue| v.value == wanted || v.label == wanted;
        self.valid_values.is_empty() || self.valid_values.iter().any(is_it)
    }
}

/// The fields of a request type, and what our account may do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFields {
    /// The fields in the order of the portal.
    pub fields: Vec<RequestField>,
    /// Whether we may name another reporter.
    pub can_raise_on_behalf_of: bool,
}

impl RequestFields {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        value.get("requestTypeFields")?.as_array()?;
        Some(Self {
            fields: list(value, "requestTypeFields")
                .iter()
                .filter_map(RequestField::read)
                .collect(),
            can_raise_on_behalf_of: flag(value, "canRaiseOnBehalfOf").unwrap_or(false),
        })
    }

    /// The fields without which Jira refuses a request that has values for `filled` only.
    pub fn unfilled(&self, filled: &[&str]) -> Vec<&RequestField> {
        let is_missing = |field: &&RequestField| {
            field.required
                && field.visible
                && !field.has_default
                && !filled.contains(&field.id.as_str())
        };
        self.fields.iter().filter(is_missing).collect()
    }
}

/// A request to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// The desk's id.
    pub service_desk_id: String,
    /// The request type's id.
    pub request_type_id: String,
    /// One line of text.
    pub summary: String,
    /// What is wanted; `None` where the request type has no description.
    pub description: Option<Doc>,
    /// Values of other fields, as Jira wants them.
    pub fields: Map<String, Value>,
    /// The reporter: an account id on Cloud, a user name on Data Center. `None` for our own
    /// account.
    pub raise_on_behalf_of: Option<String>,
}

impl NewRequest {
    /// The longest summary that Jira takes, in characters.
    pub const MAX_SUMMARY_CHARS: usize = 255;

    pub(crate) fn body(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("summary".to_owned(), json!(one_line(&self.summary)));
        if let Some(description) = &self.description {
            // Wiki markup on both deployments: ADF is experimental here.
            let markup = bowline_text::wiki::write(description);
            fields.insert("description".to_owned(), json!(markup));
        }
        let mut body = json!({
            "serviceDeskId": self.service_desk_id,
            "requestTypeId": self.request_type_id,
            "requestFieldValues": fields,
        });
        if let Some(reporter) = &self.raise_on_behalf_of {
            body["raiseOnBehalfOf"] = json!(reporter);
        }
        body
    }
}

/// A summary may have no line breaks, and no more than so many characters.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= NewRequest::MAX_SUMMARY_CHARS {
        return line;
    }
    let kept: String = line
        .chars()
        .take(NewRequest::MAX_SUMMARY_CHARS - 1)
        .collect();
    format!("{}…", kept.trim_end())
}

/// A request as its reporter sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerRequest {
    /// The numeric id of the issue.
    pub issue_id: String,
    /// The key of the issue.
    pub issue_key: String,
    /// The desk.
    pub service_desk_id: Option<String>,
    /// The request type; `None` after an agent took it away.
    pub request_type_id: Option<String>,
    /// The reporter.
    pub reporter: Option<Person>,
    /// The name of the status as customers see it.
    pub status: Option<String>,
    /// When it was created, in Unix milliseconds.
    pub created_ms: Option<i64>,
}

impl CustomerRequest {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            issue_id: id(value, "issueId")?,
            issue_key: filled(value, "issueKey")?,
            service_desk_id: id(value, "serviceDeskId"),
            request_type_id: id(value, "requestTypeId"),
            reporter: Person::read(at(value, &["reporter"])),
            status: filled(at(value, &["currentStatus"]), "status"),
            created_ms: date(at(value, &["createdDate"])),
        })
    }
}

/// A date of Service Management: `{"iso8601","jira","friendly","epochMillis"}`.
fn date(value: &Value) -> Option<i64> {
    at(value, &["epochMillis"])
        .as_i64()
        .or_else(|| instant_ms(value, "jira"))
        .or_else(|| instant_ms(value, "iso8601"))
}

/// Who reads a comment on a request. There is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommentAudience {
    /// Agents only.
    Internal,
    /// The customer and the participants as well, who get mail about it.
    Customer,
}

/// A comment on a request, with its audience as Service Management tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestComment {
    /// Its id, the same as in the platform API.
    pub id: String,
    /// Who reads it. Anything but a plain "public" is internal.
    pub audience: CommentAudience,
    /// Who wrote it.
    pub author: Option<Person>,
    /// When, in Unix milliseconds.
    pub created_ms: Option<i64>,
    /// The text.
    pub body: Doc,
}

impl RequestComment {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            audience: match flag(value, "public") {
                Some(true) => CommentAudience::Customer,
                _ => CommentAudience::Internal,
            },
            author: Person::read(at(value, &["author"])),
            created_ms: date(at(value, &["created"])),
            body: super::rich(at(value, &["body"])),
        })
    }
}

/// A file on an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its id.
    pub id: String,
    /// Its name, which Jira may have changed.
    pub file_name: String,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
    /// Its type.
    pub mime_type: Option<String>,
}

impl AttachedFile {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            file_name: filled(value, "filename")?,
            size_bytes: at(value, &["size"]).as_u64(),
            mime_type: filled(value, "mimeType"),
        })
    }

    /// As Service Management shows one: its id stands at the end of its address.
    pub(crate) fn read_in_desk(value: &Value) -> Option<Self> {
        let address = filled(at(value, &["_links"]), "jiraRest")?;
        let id = address.trim_end_matches('/').rsplit('/').next()?;
        let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            id: is_number.then(|| id.to_owned())?,
            file_name: filled(value, "filename")?,
            size_bytes: at(value, &["size"]).as_u64(),
            mime_type: filled(value, "mimeType"),
        })
    }
}

/// Whether watchers got mail about an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notified {
    /// Nobody: Jira took the edit without.
    Nobody,
    /// Those whom the project's notification scheme names: Jira has no way without here, or does
    /// not permit it to our account.
    Watchers,
}

/// The body of "create a customer".
pub(crate) fn new_customer(deployment: Deployment, email: &str, name: &str) -> Value {
    match deployment {
        Deployment::Cloud => json!({ "email": email, "displayName": name }),
        Deployment::DataCenter => json!({ "email": email, "fullName": name }),
    }
}

/// The body of "add customers to a desk".
pub(crate) fn customers(deployment: Deployment, ids: &[&str]) -> Value {
    match deployment {
        Deployment::Cloud => json!({ "accountIds": ids }),
        Deployment::DataCenter => json!({ "usernames": ids }),
    }
}

/// A page of Service Management: `start`, `size`, `isLastPage`, `values`. An empty page is the
/// end, whatever it says.
pub(crate) fn paged<T>(
    value: &Value,
    asked_start: u64,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Page<T>> {
    value.get("values")?.as_array()?;
    let raw = list(value, "values");
    let start = at(value, &["start"]).as_u64().unwrap_or(asked_start);
    let end = start.saturating_add(raw.len() as u64);
    let is_last = flag(value, "isLastPage").unwrap_or(true);
    let next = (!is_last && !raw.is_empty() && end > asked_start).then_some(Cursor::StartAt(end));
    Some(Page {
        items: raw.iter().filter_map(read).collect(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_fields_that_nothing_fills_are_found() {
        let field = |id: &str, required: bool, visible: bool, preset: Value| {
            json!({"fieldId": id, "name": id.to_uppercase(), "required": required,
                "visible": visible, "presetValues": preset, "validValues": [
                    {"value": "10", "label": "High", "children": [{"value": "11", "label": "x"}]},
                    {"label": "no value"}],
                "jiraSchema": {"type": "option"}})
        };
        let fields = RequestFields::read(&json!({"canRaiseOnBehalfOf": true,
            "requestTypeFields": [field("summary", true, true, json!([])),
                field("impact", true, true, json!([])), field("labels", false, true, json!([])),
                field("team", true, false, json!(["7"])), field("area", true, true, json!(["7"])),
                {"name": "no id"}]}))
        .unwrap();
        let missing: Vec<_> = fields.unfilled(&["summary", "description"]);
        let names: Vec<_> = missing.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["IMPACT"]);
        assert!(fields.can_raise_on_behalf_of);
        let impact = missing[0];
        assert_eq!(impact.schema.as_deref(), Some("option"));
        assert!(impact.takes("10") && impact.takes("High") && !impact.takes("Low"));
        assert_eq!(impact.valid_values[0].children[0].value, "11");
        assert_eq!(RequestFields::read(&json!({})), None);
    }

    #[test]
    fn a_summary_is_one_line_of_255_characters() {
        for (text, want) in [
            ("It broke\nand burns", "It broke and burns".to_owned()),
            ("  ", String::new()),
        ] {
            assert_eq!(one_line(text), want);
        }
        let long = one_line(&"ä".repeat(300));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with('…'));
        assert_eq!(one_line(&"ä".repeat(255)), "ä".repeat(255));
    }

    #[test]
    fn only_a_plain_public_is_public() {
        for (public, want) in [
            (json!(true), CommentAudience::Customer),
            (json!(false), CommentAudience::Internal),
            (json!("true"), CommentAudience::Internal),
            (Value::Null, CommentAudience::Internal),
        ] {
            let comment = json!({"id": "7", "body": "x", "public": public});
            assert_eq!(
                RequestComment::read(&comment).unwrap().audience,
                want,
                "{public}"
            );
        }
    }

    #[test]
    fn a_walk_goes_on_only_while_there_is_more() {
        for (page, asked, want) in [
            (
                json!({"values": [1, 2], "start": 0, "isLastPage": false}),
                0,
                Some(2),
            ),
            (
                json!({"values": [1], "start": 2, "isLastPage": true}),
                2,
                None,
            ),
            (json!({"values": [1], "isLastPage": false}), 4, Some(5)),
            (
                json!({"values": [], "start": 2, "isLastPage": false}),
                2,
                None,
            ),
            (
                json!({"values": [1], "start": 0, "isLastPage": false}),
                3,
                None,
            ),
            (json!({"values": [1]}), 0, None),
        ] {
            let read = paged(&page, asked, Value::as_u64).unwrap();
            assert_eq!(read.next, want.map(Cursor::StartAt), "{page} {asked}");
        }
        assert_eq!(paged(&json!({}), 0, Value::as_u64), None);
    }
}
