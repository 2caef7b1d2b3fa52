//! What Jira says about a desk to be: what can be chosen, what a request type needs, and what the
//! values of its fields have to look like.

use std::collections::BTreeMap;
use std::time::Duration;

use bowline_access::Fault;
use bowline_domain::ids::SiteName;
use bowline_engine::desk::{needed, request_types};
use bowline_jira::{Client as Jira, RequestField, RequestFields, RequestType};
use serde_json::{Value, json};

use crate::desk_form::Given;
use crate::service::Settings;

/// How long a list for a page may take to come; a slow Jira does not keep the page back for longer.
const LIST_DEADLINE: Duration = Duration::from_secs(5);

/// Pages of service desks that are listed.
const PAGES_MAX: usize = 20;

/// What can be chosen for a desk, as Jira says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskChoices {
    /// Service projects: key and name.
    pub service_desks: Vec<(String, String)>,
    /// The service project that the rest is of.
    pub service_desk: String,
    /// Its request types: id and name.
    pub request_types: Vec<(String, String)>,
    /// The request type that the fields are of, by id.
    pub request_type: String,
    /// The fields that no message fills and that need a fixed value.
    pub needed: Vec<NeededField>,
    /// The names of the statuses that requests of the project have.
    pub statuses: Vec<String>,
    /// Why there is less than all of it, in words.
    pub trouble: Option<String>,
}

/// A field that needs a fixed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededField {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The values that it takes: value and label. Empty where it takes any.
    pub values: Vec<(String, String)>,
}

impl Settings {
    /// What can be chosen for a desk at a site. Where the service project or the request type is
    /// none of those there are, or empty, the first one is taken.
    pub async fn desk_choices(
        &self,
        site: &SiteName,
        service_desk: &str,
        request_type: &str,
    ) -> DeskChoices {
        let mut found = DeskChoices::default();
        let Some(config) = self.site_in_use(site) else {
            found.trouble = Some("Choose one of the sites.".to_owned());
            return found;
        };
        let jira = self.jira(&config).with_deadline(LIST_DEADLINE);
        if let Err(words) = fill(&jira, service_desk, request_type, &mut found).await {
            found.trouble = Some(words);
        }
        found
    }
}

async fn fill(
    jira: &Jira,
    service_desk: &str,
    request_type: &str,
    found: &mut DeskChoices,
) -> Result<(), String> {
    let mut ids = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let page = jira.service_desks(cursor.as_ref()).await;
        let page = page
            .map_err(|error| format!("The service projects cannot be listed: {error}."))?
            .value;
        for desk in page.items {
            let name = if desk.name.is_empty() {
                desk.project_key.clone()
            } else {
                desk.name
            };
            ids.push((desk.project_key.clone(), desk.id));
            found.service_desks.push((desk.project_key, name));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let wanted = service_desk.trim();
    let chosen = ids
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(wanted))
        .or_else(|| ids.first());
    let Some((key, id)) = chosen else {
        return Err(
            "Bowline's account sees no service project in this Jira. A Jira administrator makes it \
             an agent of one."
                .to_owned(),
        );
    };
    found.service_desk.clone_from(key);
    let types = request_types(jira, id).await;
    let types = types.map_err(|error| format!("The request types cannot be listed: {error}."))?;
    found.request_types = types
        .iter()
        .map(|one| (one.id.clone(), one.name.clone()))
        .collect();
    // Statuses are a help for what is typed, and nothing depends on them.
    if let Ok(statuses) = jira.project_statuses(key).await {
        let mut names: Vec<String> = statuses.value.into_iter().map(|one| one.name).collect();
        names.dedup();
        found.statuses = names;
    }
    let Some(chosen) = find_type(&types, request_type).or(types.first()) else {
        return Err(format!("{key} has no request types."));
    };
    found.request_type.clone_from(&chosen.id);
    let fields = jira.request_fields(id, &chosen.id).await;
    let fields = fields.map_err(|error| format!("The fields cannot be listed: {error}."))?;
    found.needed = needed(&fields.value)
        .into_iter()
        .map(|field| NeededField {
            id: field.id.clone(),
            name: field.name.clone(),
            values: field
                .valid_values
                .iter()
                .map(|value| (value.value.clone(), value.label.clone()))
                .collect(),
        })
        .collect();
    Ok(())
}

/// The request type of this id or name.
pub(crate) fn find_type<'t>(types: &'t [RequestType], wanted: &str) -> Option<&'t RequestType> {
    let wanted = wanted.trim();
    let by_id = types.iter().find(|one| one.id == wanted);
    by_id.or_else(|| {
        let wanted = wanted.to_lowercase();
        types.iter().find(|one| one.name.to_lowercase() == wanted)
    })
}

/// Fixed values as Jira wants them.
///
/// # Errors
/// What cannot be read.
pub(crate) fn values(
    given: &[(String, Given)],
    fields: &RequestFields,
) -> Result<BTreeMap<String, Value>, Vec<Fault>> {
    let mut values = BTreeMap::new();
    let mut faults = Vec::new();
    for (id, given) in given {
        let id = id.trim();
        if matches!(given, Given::Text(text) if text.trim().is_empty()) || id.is_empty() {
            continue;
        }
        let field = fields.fields.iter().find(|field| field.id == id);
        match value(given, field) {
            Ok(value) => {
                values.insert(id.to_owned(), value);
            }
            Err(words) => {
                let name = field.map_or(id, |field| field.name.as_str());
                faults.push(Fault::new("fields", format!("“{name}”: {words}")));
            }
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(faults)
    }
}

fn value(given: &Given, field: Option<&RequestField>) -> Result<Value, String> {
    let text = match given {
        Given::Value(value) => return Ok(value.clone()),
        Given::Text(text) => text.trim(),
    };
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text)
            .map_err(|error| format!("this is meant as JSON, and is none: {error}."));
    }
    let schema = field.and_then(|field| field.schema.as_deref());
    let listed = field.filter(|field| !field.valid_values.is_empty());
    if let Some(field) = listed {
        let known = field
            .valid_values
            .iter()
            .find(|known| known.value == text || known.label == text);
        let Some(known) = known else {
            let labels = field.valid_values.iter().map(|known| known.label.as_str());
            let labels: Vec<&str> = labels.collect();
            return Err(format!("it takes one of {}.", labels.join(", ")));
        };
        let one = json!({ "id": known.value });
        return Ok(if schema == Some("array") {
            json!([one])
        } else {
            one
        });
    }
    match schema {
        Some("number") => text
            .parse::<serde_json::Number>()
            .map(Value::Number)
            .map_err(|_| "it takes a number.".to_owned()),
        Some("array") => Ok(json!(text.split(',').map(str::trim).collect::<Vec<&str>>())),
        _ => Ok(Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bowline_jira::FieldValue;

    use super::*;

    fn field(schema: &str, values: &[(&str, &str)]) -> RequestField {
        let values = values.iter().map(|(value, label)| FieldValue {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            children: Vec::new(),
        });
        RequestField {
            id: "customfield_1".to_owned(),
            name: "Impact".to_owned(),
            required: true,
            visible: true,
            has_default: false,
            schema: Some(schema.to_owned()),
            valid_values: values.collect(),
        }
    }

    #[test]
    fn a_text_becomes_what_the_field_wants() {
        let option = field("option", &[("1", "High"), ("2", "Low")]);
        let many = field("array", &[("1", "High")]);
        for (text, field, wanted) in [
            ("High", Some(&option), json!({ "id": "1" })),
            ("2", Some(&option), json!({ "id": "2" })),
            ("High", Some(&many), json!([{ "id": "1" }])),
            ("5", Some(&field("number", &[])), json!(5)),
            ("5", Some(&field("string", &[])), json!("5")),
            ("a, b", Some(&field("array", &[])), json!(["a", "b"])),
            (r#"{"value":"x"}"#, None, json!({ "value": "x" })),
            ("x", None, json!("x")),
        ] {
            let given = Given::Text(text.to_owned());
            assert_eq!(value(&given, field), Ok(wanted), "{text}");
        }
        for (text, field) in [
            ("Middle", Some(&option)),
            ("many", Some(&field("number", &[]))),
            ("{", None),
        ] {
            assert!(
                value(&Given::Text(text.to_owned()), field).is_err(),
                "{text}"
            );
        }
    }
}
