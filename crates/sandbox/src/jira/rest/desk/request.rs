//! Requests: raising one, reading it, and its status.

use std::sync::Arc;

use axum::extract::Path;
use serde_json::{Map, Value, json};

use super::super::super::body::{Body, is_adf};
use super::super::super::comments::{NewComment, check_length};
use super::super::super::config::RequestField;
use super::super::super::desk::Desk;
use super::super::super::error::Refusal;
use super::super::super::model::{
    CUSTOM_FIELDS, Category, CustomValue, FINISHED, ISSUE_TYPES, Issue, NEW, Request, Status, User,
    workflow,
};
use super::super::super::ops::{Edit, MAX_SUMMARY_CHARS, NewIssue};
use super::super::super::state::State;
use super::super::super::view::View;
use super::super::call::{Answer, Caller, Params, Payload, created, nothing, ok};
use super::servicedesk::visible;
use super::{link, moment, paged, person};

/// The category of a status as Service Management names it.
fn category(category: Category) -> &'static str {
    match category {
        NEW => "NEW",
        FINISHED => "DONE",
        _ => "INDETERMINATE",
    }
}

fn shown_status(view: View<'_>, status: &str, group: Category, at_ms: i64) -> Value {
    json!({ "status": status, "statusCategory": category(group), "statusDate": moment(view, at_ms) })
}

fn shown(view: View<'_>, issue: &Issue) -> Value {
    let state = view.state;
    let request = issue.request.as_ref();
    let since = issue
        .history
        .iter()
        .rev()
        .find(|history| history.items.iter().any(|item| item.field == "status"))
        .map_or(issue.created_ms, |history| history.created_ms);
    let desk = request.map(|request| request.desk).unwrap_or_default();
    let values = json!([
        { "fieldId": "summary", "label": "Summary", "value": issue.summary },
        {
            "fieldId": "description", "label": "Description",
            "value": issue.description.as_ref().map_or("", Body::as_wiki),
        },
    ]);
    json!({
        "_expands": ["participant", "status", "sla", "requestType", "serviceDesk", "attachment", "action", "comment"],
        "issueId": issue.id.to_string(),
        "issueKey": issue.key,
        "summary": issue.summary,
        "requestTypeId": request.map(|request| request.request_type.to_string()),
        "serviceDeskId": desk.to_string(),
        "createdDate": moment(view, issue.created_ms),
        "reporter": person(view, &issue.reporter),
        "requestFieldValues": values,
        "currentStatus": shown_status(view, issue.status.name, issue.status.category, since),
        "_links": {
            "web": format!("{}/servicedesk/customer/portal/{desk}/{}", state.base, issue.key),
            "self": link(state, &format!("request/{}", issue.id)),
            "jiraRest": view.link(&format!("issue/{}", issue.id)),
            "agent": format!("{}/browse/{}", state.base, issue.key),
        },
    })
}

pub(super) async fn read(caller: Caller, Path(key): Path<String>) -> Answer {
    caller.look(|state, view| Ok(ok(shown(view, state.visible_request(&caller.user, &key)?))))
}

pub(super) async fn create(caller: Caller, Payload(body): Payload) -> Answer {
    let text = |key: &str| match &body[key] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let adf = body["isAdfRequest"] == true;
    caller.act(|state| {
        let desk = visible(state, &caller, &text("serviceDeskId"))?.clone();
        let number: u64 = text("requestTypeId").parse().unwrap_or_default();
        let form = desk
            .request_type(number)
            .ok_or_else(|| {
                Refusal::desk(400, "The request type is not valid for the service desk.")
            })?
            .clone();
        let reporter = reporter(state, &desk, &caller.user, &body["raiseOnBehalfOf"])?;
        let empty = Map::new();
        let values = body["requestFieldValues"].as_object().unwrap_or(&empty);
        let (summary, mut rest) = fill(&form.fields, values, adf)?;
        rest.reporter = Some(reporter);
        let participants = body["requestParticipants"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|name| state.user(name))
            .map(|user| user.account_id.clone())
            .collect();
        let new = NewIssue {
            project: desk.project,
            issue_type: ISSUE_TYPES[0].0,
            summary,
            rest,
            properties: std::collections::BTreeMap::new(),
            request: Some(Request {
                desk: desk.id,
                request_type: number,
                participants,
            }),
        };
        let id = state
            .create_issue(&caller.user, new)
            .map_err(Refusal::into_desk)?;
        let issue = state
            .issue(id)
            .ok_or_else(|| Refusal::desk(404, "The request does not exist."))?;
        Ok(created(shown(caller.view(state), issue)))
    })
}

/// Who the request is from: the caller, or the one it is raised for.
fn reporter(
    state: &State,
    desk: &Desk,
    caller: &Arc<User>,
    behalf: &Value,
) -> Result<Arc<User>, Refusal> {
    let Some(name) = behalf.as_str().filter(|name| !name.is_empty()) else {
        return if desk.lets_raise(caller) {
            Ok(caller.clone())
        } else {
            Err(Refusal::desk(
                403,
                "You are not a customer of this service desk.",
            ))
        };
    };
    if caller.is_customer() {
        let words = "You do not have permission to raise a request on behalf of another user.";
        return Err(Refusal::desk(403, words));
    }
    // Cloud takes the account id alone; Data Center takes the user name or the address.
    let found = state
        .user(name)
        .filter(|user| !state.is_cloud() || user.account_id == name)
        .cloned();
    let Some(user) = found else {
        let words = format!("The user '{name}' does not exist.");
        return Err(Refusal::desk(400, words));
    };
    if desk.lets_raise(&user) {
        Ok(user)
    } else {
        let words = format!(
            "{} is not a customer of this service desk.",
            user.display_name
        );
        Err(Refusal::desk(400, words))
    }
}

fn wrong(field: &RequestField, why: &str) -> Refusal {
    Refusal::desk(
        400,
        format!(
            "Your request could not be created. Please check the fields have been correctly filled in. {}: {why}",
            field.name
        ),
    )
}

/// Fills the form: the summary, and everything else.
fn fill(
    fields: &[RequestField],
    values: &Map<String, Value>,
    adf: bool,
) -> Result<(String, Edit), Refusal> {
    if let Some(unknown) = values
        .keys()
        .find(|key| !fields.iter().any(|field| field.id == **key))
    {
        let words = format!("The field '{unknown}' is not valid for the request type.");
        return Err(Refusal::desk(400, words));
    }
    let (mut summary, mut edit) = (String::new(), Edit::default());
    for field in fields {
        let value = values.get(&field.id).unwrap_or(&Value::Null);
        let blank = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        };
        if blank {
            if field.required {
                return Err(wrong(field, "This field is required."));
            }
            continue;
        }
        match field.id.as_str() {
            "summary" => summary = line(field, value)?,
            "description" => edit.description = Some(Some(rich(field, value, adf)?)),
            custom => {
                let is_rich = CUSTOM_FIELDS
                    .iter()
                    .any(|known| known.0 == custom && known.2);
                let value = if is_rich {
                    CustomValue::Rich(rich(field, value, adf)?)
                } else {
                    CustomValue::Line(choice(field, value)?)
                };
                edit.custom.insert(custom.to_owned(), Some(value));
            }
        }
    }
    Ok((summary, edit))
}

fn line(field: &RequestField, value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Err(wrong(field, "A text is required."));
    }
    if text.contains(['\n', '\r']) {
        return Err(wrong(field, "The summary must not contain line breaks."));
    }
    if text.chars().count() > MAX_SUMMARY_CHARS {
        let words = format!(
            "Summary must be less than {} characters.",
            MAX_SUMMARY_CHARS + 1
        );
        return Err(wrong(field, &words));
    }
    Ok(text.to_owned())
}

fn rich(field: &RequestField, value: &Value, adf: bool) -> Result<Body, Refusal> {
    let body = match value {
        Value::String(text) if !adf => Body::wiki(text),
        document if adf && is_adf(document) => Body::adf(document.clone()),
        _ => {
            return Err(wrong(
                field,
                "The value is not a text of the announced form.",
            ));
        }
    };
    check_length(&field.id, &body).map_err(Refusal::into_desk)?;
    Ok(body)
}

/// A plain value, or one of the values the form offers.
fn choice(field: &RequestField, value: &Value) -> Result<String, Refusal> {
    let given = value
        .as_str()
        .or_else(|| value["id"].as_str())
        .or_else(|| value["value"].as_str());
    let given = given.ok_or_else(|| wrong(field, "The value is not valid."))?;
    if field.values.is_empty() {
        return Ok(given.to_owned());
    }
    field
        .values
        .iter()
        .find(|(value, label)| value == given || label == given)
        .map(|(_, label)| label.clone())
        .ok_or_else(|| wrong(field, "The value is not valid."))
}

pub(super) async fn statuses(caller: Caller, Path(key): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let known = workflow(state.project_of(issue).kind);
        let named = |name: &str| known.iter().find(|status| status.name == name).copied();
        let mut all: Vec<Value> = Vec::new();
        for history in issue.history.iter().rev() {
            for item in history.items.iter().filter(|item| item.field == "status") {
                let status: Option<Status> = item.to_string.as_deref().and_then(named);
                if let Some(status) = status {
                    all.push(shown_status(
                        view,
                        status.name,
                        status.category,
                        history.created_ms,
                    ));
                }
            }
        }
        all.push(shown_status(
            view,
            known[0].name,
            known[0].category,
            issue.created_ms,
        ));
        Ok(ok(paged(&params, all)?))
    })
}

pub(super) async fn transitions(caller: Caller, Path(key): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let all = view.transitions(issue);
        let all = all.as_array().into_iter().flatten();
        let all = all.map(|one| json!({ "id": one["id"], "name": one["name"] }));
        Ok(ok(paged(&params, all.collect())?))
    })
}

pub(super) async fn transition(
    caller: Caller,
    Path(key): Path<String>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let issue = state.visible_request(&caller.user, &key)?;
        let id = issue.id;
        let wanted = match &body["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => String::new(),
        };
        let to = workflow(state.project_of(issue).kind)
            .iter()
            .copied()
            .find(|status| status.transition.to_string() == wanted && *status != issue.status)
            .ok_or_else(|| Refusal::desk(400, "The transition is not valid for the request."))?;
        let comment = match body["additionalComment"]["body"].as_str() {
            None => None,
            Some(text) => {
                let text = Body::wiki(text);
                check_length("comment", &text).map_err(Refusal::into_desk)?;
                Some(NewComment::open(text))
            }
        };
        let edit = Edit {
            comment,
            ..Edit::default()
        };
        state.transition(&caller.user, id, to, edit)?;
        Ok(nothing())
    })
}
