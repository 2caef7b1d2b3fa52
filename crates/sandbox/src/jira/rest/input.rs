//! Field values in the body of a create, edit or transition call.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::body::{Body, is_adf};
use super::super::comments::{NewComment, check_length};
use super::super::error::Refusal;
use super::super::model::{
    AUDIENCES, CUSTOM_FIELDS, CustomValue, ISSUE_TYPES, Issue, NUMBER_FIELDS, PRIORITIES,
    SECURITY_LEVELS, User, Visibility,
};
use super::super::ops::{Edit, MAX_SUMMARY_CHARS};
use super::super::state::State;
use super::call::Caller;

/// Longest value of an entity property, in characters.
pub(super) const MAX_PROPERTY_CHARS: usize = 32_768;
/// Longest key of an entity property, in characters.
pub(super) const MAX_PROPERTY_KEY_CHARS: usize = 255;

/// Reads fields for one caller. Errors are collected, as Jira reports all of them at once.
pub(super) struct Reader<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Caller,
    pub(super) errors: BTreeMap<String, String>,
}

/// What the fields of a call come to.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) edit: Edit,
    pub(super) project: Option<u64>,
    pub(super) issue_type: Option<u64>,
}

const NOT_ADF: &str =
    "Operation value must be an Atlassian Document (see the Atlassian Document Format)";
const NOT_STRING: &str = "Operation value must be a string";
const NOT_ON_SCREEN: &str = "cannot be set. It is not on the appropriate screen, or unknown.";

impl<'a> Reader<'a> {
    pub(super) fn new(state: &'a State, caller: &'a Caller) -> Self {
        Self {
            state,
            caller,
            errors: BTreeMap::new(),
        }
    }

    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.errors.insert(field.to_owned(), message.into());
    }

    /// Ends with all errors, if there were any.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::fields(self.errors))
        }
    }

    /// Reads `fields` and `update`. `issue` is the issue as it is, or none on create.
    pub(super) fn read(&mut self, body: &Value, issue: Option<&Issue>) -> Result<Fields, Refusal> {
        let mut read = Fields::default();
        for (name, value) in object(&body["fields"], "fields")? {
            self.field(&mut read, name, value);
        }
        for (name, operations) in object(&body["update"], "update")? {
            self.update(&mut read, name, operations, issue)?;
        }
        Ok(read)
    }

    fn field(&mut self, read: &mut Fields, name: &str, value: &Value) {
        if self.state.off_screen.contains(name) {
            self.wrong(name, format!("Field '{name}' {NOT_ON_SCREEN}"));
            return;
        }
        let edit = &mut read.edit;
        match name {
            "project" => {
                let named = value["id"].as_str().or_else(|| value["key"].as_str());
                match named.and_then(|name| self.state.project(name)) {
                    Some(found) if self.state.may_see_project(&self.caller.user, found) => {
                        read.project = Some(found.id);
                    }
                    _ => self.wrong("project", "valid project is required"),
                }
            }
            "issuetype" => match pick(ISSUE_TYPES.iter().map(|t| (t.0, t.1)), value) {
                Some(id) => read.issue_type = Some(id),
                None => self.wrong("issuetype", "Specify a valid issue type"),
            },
            "summary" => match Self::summary(value) {
                Ok(summary) => edit.summary = Some(summary),
                Err(message) => self.wrong(name, message),
            },
            "description" => match self.rich(name, value) {
                Ok(body) => edit.description = Some(body),
                Err(message) => self.wrong(name, message),
            },
            "assignee" => match self.person(value) {
                Ok(user) => edit.assignee = Some(user),
                Err(message) => self.wrong(name, message),
            },
            "reporter" => match self.person(value) {
                Ok(Some(user)) => edit.reporter = Some(user),
                Ok(None) => self.wrong(name, "Reporter is required."),
                Err(message) => self.wrong(name, message),
            },
            "priority" => match pick(PRIORITIES.into_iter(), value) {
                Some(id) => edit.priority = Some(id),
                None => self.wrong(name, "The priority selected is invalid."),
            },
            "labels" => match labels(value) {
                Ok(labels) => edit.labels = Some(labels),
                Err(message) => self.wrong(name, message),
            },
            "security" if value.is_null() => edit.security = Some(None),
            "security" => match pick(SECURITY_LEVELS.iter().map(|l| (l.0, l.1)), value) {
                Some(id) => edit.security = Some(Some(id)),
                None => self.wrong(name, "Security level is not valid."),
            },
            custom => self.custom(edit, custom, value),
        }
    }

    fn custom(&mut self, edit: &mut Edit, name: &str, value: &Value) {
        if NUMBER_FIELDS.iter().any(|field| field.0 == name) {
            let read = match value {
                Value::Null => Some(None),
                value => value
                    .as_f64()
                    .map(|number| Some(CustomValue::Number(number))),
            };
            match read {
                Some(value) => {
                    edit.custom.insert(name.to_owned(), value);
                }
                None => self.wrong(name, "Operation value must be a number"),
            }
            return;
        }
        let Some((_, _, rich)) = CUSTOM_FIELDS.iter().find(|field| field.0 == name) else {
            self.wrong(name, format!("Field '{name}' {NOT_ON_SCREEN}"));
            return;
        };
        let read = match (rich, value) {
            (_, Value::Null) => Ok(None),
            (true, value) => self
                .rich(name, value)
                .map(|body| body.map(CustomValue::Rich)),
            (false, Value::String(line)) => Ok(Some(CustomValue::Line(line.clone()))),
            (false, _) => Err(NOT_STRING.to_owned()),
        };
        match read {
            Ok(value) => {
                edit.custom.insert(name.to_owned(), value);
            }
            Err(message) => self.wrong(name, message),
        }
    }

    fn update(
        &mut self,
        read: &mut Fields,
        name: &str,
        operations: &Value,
        issue: Option<&Issue>,
    ) -> Result<(), Refusal> {
        let Some(operations) = operations.as_array() else {
            return Err(Refusal::field(name, "Operations must be a list."));
        };
        if self.state.off_screen.contains(name) {
            self.wrong(name, format!("Field '{name}' {NOT_ON_SCREEN}"));
            return Ok(());
        }
        for operation in operations.iter().filter_map(Value::as_object).flatten() {
            match (name, operation.0.as_str()) {
                ("comment", "add") => read.edit.comment = Some(self.comment(operation.1)?),
                ("labels", verb @ ("add" | "remove")) => {
                    let current = read.edit.labels.take();
                    let mut all = current
                        .or_else(|| issue.map(|issue| issue.labels.clone()))
                        .unwrap_or_default();
                    let label = operation.1.as_str().unwrap_or_default().to_owned();
                    match (verb, labels(&Value::Array(vec![operation.1.clone()]))) {
                        (_, Err(message)) => self.wrong(name, message),
                        ("add", _) => all.push(label),
                        _ => all.retain(|known| *known != label),
                    }
                    read.edit.labels = Some(all);
                }
                (_, "set") => self.field(read, name, operation.1),
                (_, verb) => {
                    return Err(Refusal::field(
                        name,
                        format!("Field does not support update '{verb}'"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn summary(value: &Value) -> Result<String, String> {
        let Some(text) = value.as_str() else {
            return Err(if value.is_null() {
                "You must specify a summary of the issue.".into()
            } else {
                NOT_STRING.into()
            });
        };
        if text.trim().is_empty() {
            return Err("You must specify a summary of the issue.".into());
        }
        if text.contains(['\n', '\r']) {
            return Err("The summary is invalid because it contains newline characters.".into());
        }
        if text.chars().count() > MAX_SUMMARY_CHARS {
            return Err(format!(
                "Summary can't exceed {MAX_SUMMARY_CHARS} characters."
            ));
        }
        Ok(text.trim().to_owned())
    }

    fn rich(&self, field: &str, value: &Value) -> Result<Option<Body>, String> {
        let body = match value {
            Value::Null => return Ok(None),
            Value::String(text) if !self.caller.speaks_adf() => Body::wiki(text),
            _ if !self.caller.speaks_adf() => return Err(NOT_STRING.into()),
            value if !is_adf(value) => return Err(NOT_ADF.into()),
            value if !super::super::adf_check::is_valid(value) => {
                return Err("INVALID_INPUT".into());
            }
            value => Body::adf(value.clone()),
        };
        check_length(field, &body).map_err(|refusal| {
            refusal.body["errors"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })?;
        let empty = body.as_wiki().trim().is_empty();
        Ok((!empty).then_some(body))
    }

    /// A user as a field value: account id on Cloud, name on Data Center.
    pub(super) fn person(&self, value: &Value) -> Result<Option<Arc<User>>, String> {
        let cloud = self.state.is_cloud();
        let named = if cloud {
            ["accountId", "id"].iter().find_map(|key| value.get(*key))
        } else {
            ["name", "key"].iter().find_map(|key| value.get(*key))
        };
        match named {
            _ if value.is_null() => Ok(None),
            Some(Value::Null) => Ok(None),
            Some(Value::String(name)) if name == "-1" => Ok(None),
            Some(Value::String(name)) => self
                .state
                .user(name)
                .filter(|user| if cloud { user.account_id == *name } else { user.email != *name })
                .map(|user| Some(user.clone()))
                .ok_or_else(|| format!("User '{name}' does not exist.")),
            _ if cloud => Err("'accountId' must be the only user identifying query parameter in GDPR strict mode.".into()),
            _ => Err("expected Object containing a \"name\" property".into()),
        }
    }

    /// A comment: `body`, `visibility`, `properties`.
    pub(super) fn comment(&self, value: &Value) -> Result<NewComment, Refusal> {
        Ok(NewComment {
            body: self.comment_body(&value["body"])?,
            visibility: self.visibility(&value["visibility"])?,
            properties: properties(&value["properties"])?,
        })
    }

    /// The text of a comment.
    pub(super) fn comment_body(&self, value: &Value) -> Result<Body, Refusal> {
        let body = match value {
            Value::Null => return Err(Refusal::field("comment", "Comment body can not be empty!")),
            Value::String(text) if !self.caller.speaks_adf() => Body::wiki(text),
            _ if !self.caller.speaks_adf() => {
                return Err(Refusal::field("comment", "Comment body is not valid!"));
            }
            value if !is_adf(value) => {
                return Err(Refusal::field("comment", "Comment body is not valid!"));
            }
            value if !super::super::adf_check::is_valid(value) => {
                return Err(Refusal::bad("INVALID_INPUT"));
            }
            value => Body::adf(value.clone()),
        };
        if body.as_wiki().trim().is_empty() {
            return Err(Refusal::field("comment", "Comment body can not be empty!"));
        }
        check_length("comment", &body)?;
        Ok(body)
    }

    /// A restriction: it must name a role or group that the caller is a member of.
    pub(super) fn visibility(&self, value: &Value) -> Result<Option<Visibility>, Refusal> {
        if value.is_null() {
            return Ok(None);
        }
        let (kind, name) = (
            value["type"].as_str().unwrap_or_default(),
            value["value"].as_str().unwrap_or_default(),
        );
        let Some((_, _, admins)) = AUDIENCES.iter().find(|(k, v, _)| *k == kind && *v == name)
        else {
            return Err(Refusal::field(
                "commentLevel",
                format!("The {kind} '{name}' does not exist."),
            ));
        };
        if *admins && !self.caller.user.admin {
            let word = if kind == "role" {
                "project role"
            } else {
                "group"
            };
            return Err(Refusal::field(
                "commentLevel",
                format!("You are currently not a member of the {word}: {name}."),
            ));
        }
        Ok(Some(Visibility {
            kind: kind.to_owned(),
            value: name.to_owned(),
        }))
    }
}

/// Entity properties as a list of `{key, value}`.
pub(super) fn properties(value: &Value) -> Result<BTreeMap<String, Value>, Refusal> {
    let Some(list) = value.as_array() else {
        return if value.is_null() {
            Ok(BTreeMap::new())
        } else {
            Err(Refusal::field("properties", "properties must be a list"))
        };
    };
    list.iter()
        .map(|entry| {
            let key = entry["key"]
                .as_str()
                .ok_or_else(|| Refusal::field("properties", "a property needs a key"))?;
            check_property(key, &entry["value"])?;
            Ok((key.to_owned(), entry["value"].clone()))
        })
        .collect()
}

/// Whether an entity property keeps the limits.
pub(super) fn check_property(key: &str, value: &Value) -> Result<(), Refusal> {
    if key.chars().count() > MAX_PROPERTY_KEY_CHARS {
        return Err(Refusal::bad(
            "The property key cannot exceed 255 characters.",
        ));
    }
    if value.to_string().chars().count() > MAX_PROPERTY_CHARS {
        return Err(Refusal::bad(
            "The property value cannot exceed 32768 characters.",
        ));
    }
    Ok(())
}

fn object<'v>(
    value: &'v Value,
    name: &str,
) -> Result<impl Iterator<Item = (&'v String, &'v Value)>, Refusal> {
    let object: Option<&Map<String, Value>> = value.as_object();
    if object.is_none() && !value.is_null() {
        return Err(Refusal::bad(format!("'{name}' must be an object.")));
    }
    Ok(object.into_iter().flatten())
}

fn pick<'n>(mut known: impl Iterator<Item = (u64, &'n str)>, value: &Value) -> Option<u64> {
    let (id, name) = (value["id"].as_str(), value["name"].as_str());
    known
        .find(|(i, n)| id.map_or(name == Some(*n), |id| *id == i.to_string()))
        .map(|(id, _)| id)
}

fn labels(value: &Value) -> Result<Vec<String>, String> {
    let Some(list) = value.as_array() else {
        return Err("data was not an array".into());
    };
    list.iter()
        .map(|label| match label.as_str() {
            None => Err("string expected".to_owned()),
            Some(label) if label.is_empty() || label.contains(char::is_whitespace) => Err(format!(
                "The label '{label}' contains spaces which is invalid."
            )),
            Some(label) => Ok(label.to_owned()),
        })
        .collect()
}
