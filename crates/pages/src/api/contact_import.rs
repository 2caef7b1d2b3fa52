//! Importing people by script: what that would come to, or the import itself.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::{ManageContacts, What, Who};
use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::RemoteContactId;
use bowline_store::contacts::{FieldChange, ImportStep, Imported};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::contacts::{body, named};
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::contacts::import::Tally;
use crate::contacts::person::fault;
use crate::contacts::value_plain;

/// People that one call imports.
const PEOPLE_MAX: usize = 1_000;

/// People that one transaction takes.
const AT_ONCE: usize = 50;

/// People of whom the answer says what changes.
const CHANGES_MAX: usize = 100;

fn imported(value: &Value) -> Result<Imported, Problem> {
    let wrong = || {
        Problem::invalid(
            "A person is {\"email\": \"…\", \"external_id\": \"…\", \"intercom_id\": \"…\", \
             \"name\": \"…\", \"phone\": \"…\", \"custom.plan\": \"…\"}, texts all of them, and at \
             least one of the first three.",
        )
    };
    let mut imported = Imported {
        remote: None,
        external_id: None,
        fields: bowline_domain::contacts::profile::Fields::new(),
    };
    for (name, value) in value.as_object().ok_or_else(wrong)? {
        let text = value.as_str().ok_or_else(wrong)?.trim();
        if text.is_empty() {
            continue;
        }
        match name.as_str() {
            "intercom_id" => imported.remote = Some(RemoteContactId::new(text)),
            "external_id" => imported.external_id = Some(text.to_owned()),
            name => {
                let field = FieldName::new(name);
                if !field.may_be_edited() {
                    return Err(wrong());
                }
                if let Some(why) = fault(name, text) {
                    return Err(Problem::invalid(why));
                }
                imported.fields.insert(field, FieldValue::text(text));
            }
        }
    }
    let known = imported.remote.is_some()
        || imported.external_id.is_some()
        || imported
            .fields
            .contains_key(&FieldName::new(FieldName::EMAIL));
    if known { Ok(imported) } else { Err(wrong()) }
}

pub(super) async fn import(
    State(app): State<App>,
    by: Bearer<ManageContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("import {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(take(&app, by.who(), &bytes));
    once(&app, by.who(), &headers, &request, write).await
}

async fn take(app: &App, who: &Who, bytes: &[u8]) -> Result<Value, Problem> {
    let body = body(bytes)?;
    let setting = named(app, &body).await?;
    let people = body.get("people").and_then(Value::as_array);
    let people = people.ok_or_else(|| {
        Problem::invalid("Send {\"workspace\": \"acme\", \"people\": […], \"preview\": true}.")
    })?;
    if people.len() > PEOPLE_MAX {
        return Err(Problem::invalid(format!(
            "At most {PEOPLE_MAX} people are taken at once."
        )));
    }
    let people: Vec<Imported> = people.iter().map(imported).collect::<Result<_, _>>()?;
    let preview = body.get("preview").and_then(Value::as_bool) == Some(true);
    let (store, now) = (&app.shared.store, app.shared.now());
    let mut steps = Vec::with_capacity(people.len());
    for part in people.chunks(AT_ONCE) {
        let part = part.to_vec();
        steps.extend(if preview {
            store.preview_import(&setting.workspace, part, now).await?
        } else {
            store
                .import_contacts(&setting.workspace, part, &who.name(), now)
                .await?
        });
    }
    if !preview {
        let detail = format!("{} people", people.len());
        app.access
            .write_down(
                who,
                What::ContactsImported,
                setting.workspace.as_str(),
                &detail,
            )
            .await?;
    }
    let tally = Tally::of(&steps);
    Ok(json!({
        "workspace": setting.workspace.as_str(),
        "preview": preview,
        "added": tally.adds,
        "changed": tally.edits,
        "known": tally.same,
        "unclear": tally.unclear,
        "changes": changes(&steps),
    }))
}

/// The first of those who change: which of the people that were sent it is, who that is here, and
/// what each field says before and after.
fn changes(steps: &[ImportStep]) -> Vec<Value> {
    let over = steps
        .iter()
        .enumerate()
        .filter_map(|(at, step)| match step {
            ImportStep::Edits(over) => Some((at, over)),
            ImportStep::Adds | ImportStep::Same(_) | ImportStep::Unclear => None,
        });
    let field = |change: &FieldChange| {
        let old = change.old.as_ref();
        json!({
            "field": change.name.as_str(),
            "old": old.map(|old| value_plain(&change.name, old)),
            "new": value_plain(&change.name, &change.new),
        })
    };
    let told = over.take(CHANGES_MAX).map(|(at, over)| {
        json!({
            "person": at,
            "id": over.id.0,
            "name": over.known_as,
            "fields": over.changes.iter().map(field).collect::<Vec<Value>>(),
        })
    });
    told.collect()
}
