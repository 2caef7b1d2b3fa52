//! Service desks and the forms of their request types.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::super::config::RequestType;
use super::super::super::desk::Desk;
use super::super::super::error::Refusal;
use super::super::super::model::{CUSTOM_FIELDS, ISSUE_TYPES};
use super::super::super::state::State;
use super::super::call::{Answer, Caller, Params, ok};
use super::{link, paged};

/// A desk that the caller may see.
pub(super) fn visible<'s>(
    state: &'s State,
    caller: &Caller,
    id: &str,
) -> Result<&'s Desk, Refusal> {
    state
        .desk(id)
        .filter(|desk| {
            let project = state.projects.get(&desk.project);
            let sees = project.is_some_and(|project| state.may_see_project(&caller.user, project));
            sees || desk.customers.contains(&caller.user.account_id)
        })
        .ok_or_else(|| {
            let words = "The service desk does not exist or you do not have permission to see it.";
            Refusal::desk(404, words)
        })
}

fn shown(state: &State, desk: &Desk) -> Value {
    let project = state.projects.get(&desk.project);
    json!({
        "id": desk.id.to_string(),
        "projectId": desk.project.to_string(),
        "projectName": project.map(|project| &project.name),
        "projectKey": project.map(|project| &project.key),
        "_links": { "self": link(state, &format!("servicedesk/{}", desk.id)) },
    })
}

pub(super) async fn list(caller: Caller, params: Params) -> Answer {
    caller.look(|state, _| {
        let all = state
            .desks
            .iter()
            .filter(|desk| visible(state, &caller, &desk.id.to_string()).is_ok())
            .map(|desk| shown(state, desk));
        Ok(ok(paged(&params, all.collect())?))
    })
}

pub(super) async fn read(caller: Caller, Path(id): Path<String>) -> Answer {
    caller.look(|state, _| Ok(ok(shown(state, visible(state, &caller, &id)?))))
}

fn shown_type(state: &State, desk: &Desk, id: u64, request_type: &RequestType) -> Value {
    json!({
        "_expands": [],
        "id": id.to_string(),
        "name": request_type.name,
        "description": "",
        "helpText": "",
        "issueTypeId": ISSUE_TYPES[0].0.to_string(),
        "serviceDeskId": desk.id.to_string(),
        "portalId": desk.id.to_string(),
        "groupIds": ["1"],
        "canCreateRequest": true,
        "_links": { "self": link(state, &format!("servicedesk/{}/requesttype/{id}", desk.id)) },
    })
}

pub(super) async fn types(caller: Caller, Path(id): Path<String>, params: Params) -> Answer {
    let wanted = params.get("searchQuery").unwrap_or_default().to_lowercase();
    caller.look(|state, _| {
        let desk = visible(state, &caller, &id)?;
        let all = desk
            .request_types
            .iter()
            .filter(|(_, found)| found.name.to_lowercase().contains(&wanted))
            .map(|(id, found)| shown_type(state, desk, *id, found));
        Ok(ok(paged(&params, all.collect())?))
    })
}

fn type_of<'d>(desk: &'d Desk, id: &str) -> Result<(u64, &'d RequestType), Refusal> {
    let number: u64 = id.parse().unwrap_or_default();
    desk.request_type(number)
        .map(|found| (number, found))
        .ok_or_else(|| Refusal::desk(404, "The request type does not exist."))
}

pub(super) async fn one_type(caller: Caller, Path((desk, id)): Path<(String, String)>) -> Answer {
    caller.look(|state, _| {
        let desk = visible(state, &caller, &desk)?;
        let (id, found) = type_of(desk, &id)?;
        Ok(ok(shown_type(state, desk, id, found)))
    })
}

pub(super) async fn fields(caller: Caller, Path((desk, id)): Path<(String, String)>) -> Answer {
    caller.look(|state, _| {
        let desk = visible(state, &caller, &desk)?;
        let (_, found) = type_of(desk, &id)?;
        let agent = !caller.user.is_customer();
        let fields: Vec<Value> = found
            .fields
            .iter()
            .map(|field| {
                let values: Vec<Value> = field
                    .values
                    .iter()
                    .map(|(value, label)| json!({ "value": value, "label": label, "children": [] }))
                    .collect();
                json!({
                    "fieldId": field.id, "name": field.name, "description": "", "required": field.required,
                    "defaultValues": [], "validValues": values, "presetValues": [], "visible": true,
                    "jiraSchema": schema(&field.id, !field.values.is_empty()),
                })
            })
            .collect();
        Ok(ok(json!({
            "requestTypeFields": fields, "canRaiseOnBehalfOf": agent, "canAddRequestParticipants": agent,
        })))
    })
}

fn schema(field: &str, choice: bool) -> Value {
    let Some(number) = field.strip_prefix("customfield_") else {
        return json!({ "type": "string", "system": field });
    };
    let rich = CUSTOM_FIELDS
        .iter()
        .any(|known| known.0 == field && known.2);
    let kind = match (choice, rich) {
        (true, _) => "select",
        (false, true) => "textarea",
        (false, false) => "textfield",
    };
    json!({
        "type": if choice { "option" } else { "string" },
        "custom": format!("com.atlassian.jira.plugin.system.customfieldtypes:{kind}"),
        "customId": number.parse::<u64>().ok(),
    })
}
