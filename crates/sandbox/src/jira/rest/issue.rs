//! Issues: create, read, edit, delete, assign, transitions, changelog.

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::model::{ISSUE_TYPES, workflow};
use super::super::ops::{Edit, NewIssue};
use super::super::view::FieldSet;
use super::call::{Answer, Caller, Params, Payload, created, nothing, ok};
use super::input::{Reader, properties};

/// Most issues of one bulk fetch.
const MAX_BULK: usize = 100;
/// Most changelog entries of one page.
const MAX_CHANGELOG_PAGE: usize = 100;

pub(super) async fn create(caller: Caller, Payload(body): Payload) -> Answer {
    caller.act(|state| {
        let mut reader = Reader::new(state, &caller);
        let mut read = reader.read(&body, None)?;
        if read.project.is_none() {
            reader
                .errors
                .entry("project".into())
                .or_insert_with(|| "Specify a valid project ID or key".into());
        }
        if read.issue_type.is_none() {
            reader
                .errors
                .entry("issuetype".into())
                .or_insert_with(|| "Specify an issue type".into());
        }
        if read.edit.summary.is_none() {
            let missing = || "You must specify a summary of the issue.".into();
            reader
                .errors
                .entry("summary".into())
                .or_insert_with(missing);
        }
        if !state.may(&caller.user, "CREATE_ISSUES") {
            reader.errors.insert(
                "project".into(),
                "You cannot create issues in this project.".into(),
            );
        }
        reader.finish()?;
        let new = NewIssue {
            project: read.project.unwrap_or_default(),
            issue_type: read.issue_type.unwrap_or(ISSUE_TYPES[0].0),
            summary: read.edit.summary.take().unwrap_or_default(),
            rest: read.edit,
            properties: properties(&body["properties"])?,
            request: None,
        };
        let id = state.create_issue(&caller.user, new)?;
        let key = state.issue(id).map(|issue| issue.key.clone());
        let link = caller.view(state).link(&format!("issue/{id}"));
        Ok(created(
            json!({ "id": id.to_string(), "key": key, "self": link }),
        ))
    })
}

pub(super) async fn read(caller: Caller, Path(issue): Path<String>, params: Params) -> Answer {
    let fields = FieldSet::parse(params.all("fields"), true);
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        Ok(ok(view.issue(
            issue,
            &fields,
            &params.expand(),
            &params.list("properties"),
        )))
    })
}

pub(super) async fn edit(
    caller: Caller,
    Path(issue): Path<String>,
    params: Params,
    Payload(body): Payload,
) -> Answer {
    if params.get("notifyUsers") == Some("false") && !caller.user.admin {
        return Err(Refusal::bad(
            "To discard the user notification either admin or project admin permissions are required.",
        ));
    }
    caller.act(|state| {
        let found = state.visible_issue(&caller.user, &issue)?;
        let id = found.id;
        if !state.may(&caller.user, "EDIT_ISSUES") {
            return Err(Refusal::bad("You do not have permission to edit issues in this project."));
        }
        let mut reader = Reader::new(state, &caller);
        let read = reader.read(&body, Some(found))?;
        for (field, given) in [("project", read.project), ("issuetype", read.issue_type)] {
            // Moving between projects or workflows is not an edit.
            let current = if field == "project" { found.project } else { found.issue_type };
            if given.is_some_and(|given| given != current) {
                let message = format!("Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.");
                reader.errors.insert(field.into(), message);
            }
        }
        reader.finish()?;
        let set = properties(&body["properties"])?;
        if body.get("fields").is_none() && body.get("update").is_none() && set.is_empty() {
            return Err(Refusal::bad("one of 'fields' or 'update' required"));
        }
        if params.get("notifyUsers") == Some("false") {
            state.without_mail(|state| state.edit_issue(&caller.user, id, read.edit))?;
        } else {
            state.edit_issue(&caller.user, id, read.edit)?;
        }
        for (key, value) in set {
            state.set_property(&caller.user, id, &key, value)?;
        }
        if params.get("returnIssue") == Some("true") {
            let changed = state.visible_issue(&caller.user, &issue)?;
            return Ok(ok(caller.view(state).issue(changed, &FieldSet::all(), &params.expand(), &[])));
        }
        Ok(nothing())
    })
}

pub(super) async fn remove(caller: Caller, Path(issue): Path<String>) -> Answer {
    caller.act(|state| {
        let id = state.visible_issue(&caller.user, &issue)?.id;
        if !state.may(&caller.user, "DELETE_ISSUES") {
            return Err(Refusal::message(
                403,
                "You do not have permission to delete issues in this project.",
            ));
        }
        state.delete_issue(&caller.user, id)?;
        Ok(nothing())
    })
}

pub(super) async fn assign(
    caller: Caller,
    Path(issue): Path<String>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let id = state.visible_issue(&caller.user, &issue)?.id;
        if !state.may(&caller.user, "ASSIGN_ISSUES") {
            return Err(Refusal::bad("You do not have permission to assign issues."));
        }
        let assignee = Reader::new(state, &caller)
            .person(&body)
            .map_err(|message| Refusal::field("assignee", message))?;
        state.edit_issue(
            &caller.user,
            id,
            Edit {
                assignee: Some(assignee),
                ..Edit::default()
            },
        )?;
        Ok(nothing())
    })
}

pub(super) async fn transitions(
    caller: Caller,
    Path(issue): Path<String>,
    params: Params,
) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        let mut all = view.transitions(issue);
        if let (Some(wanted), Value::Array(list)) = (params.get("transitionId"), &mut all) {
            list.retain(|transition| transition["id"] == wanted);
        }
        Ok(ok(json!({ "expand": "transitions", "transitions": all })))
    })
}

pub(super) async fn transition(
    caller: Caller,
    Path(issue): Path<String>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let found = state.visible_issue(&caller.user, &issue)?;
        let id = found.id;
        let wanted = match &body["transition"]["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Err(Refusal::bad("Missing 'transition' identifier")),
        };
        if wanted.parse::<u64>().is_err() {
            return Err(Refusal::bad(format!(
                "'transition' identifier must be an integer, got '{wanted}'"
            )));
        }
        let statuses = workflow(state.project_of(found).kind);
        let to = statuses
            .iter()
            .copied()
            .find(|s| s.transition.to_string() == wanted && *s != found.status);
        let Some(to) = to.filter(|_| state.may(&caller.user, "TRANSITION_ISSUES")) else {
            // Data Center answers 500 when the workflow has no such transition at all.
            let known = statuses.iter().any(|s| s.transition.to_string() == wanted);
            let status = if known || state.is_cloud() { 400 } else { 500 };
            return Err(Refusal::message(
                status,
                format!("Transition id '{wanted}' is not valid for this issue."),
            ));
        };
        let mut reader = Reader::new(state, &caller);
        let read = reader.read(&body, Some(found))?;
        reader.finish()?;
        state.transition(&caller.user, id, to, read.edit)?;
        Ok(nothing())
    })
}

pub(super) async fn changelog(caller: Caller, Path(issue): Path<String>, params: Params) -> Answer {
    let start = params.number("startAt", 0)?;
    let size = params
        .number("maxResults", MAX_CHANGELOG_PAGE)?
        .min(MAX_CHANGELOG_PAGE);
    caller.look(|state, view| {
        let found = state.visible_issue(&caller.user, &issue)?;
        let values: Vec<Value> = found.history.iter().skip(start).take(size).map(|h| view.history(h)).collect();
        let total = found.history.len();
        let link = |start: usize| view.link(&format!("issue/{issue}/changelog?maxResults={size}&startAt={start}"));
        let last = start + values.len() >= total;
        let mut page = json!({
            "self": link(start), "maxResults": size, "startAt": start, "total": total, "isLast": last, "values": values,
        });
        if !last {
            page["nextPage"] = link(start + size).into();
        }
        Ok(ok(page))
    })
}

pub(super) async fn bulk_fetch(caller: Caller, Payload(body): Payload) -> Answer {
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let keys = strings(&body["issueIdsOrKeys"]);
    if keys.is_empty() || keys.len() > MAX_BULK {
        return Err(Refusal::bad(
            "The number of issues must be between 1 and 100.",
        ));
    }
    let fields = strings(&body["fields"]);
    let fields = FieldSet::parse(fields.iter().map(String::as_str), true);
    let expand = strings(&body["expand"]).join(",");
    let properties = strings(&body["properties"]);
    caller.look(|state, view| {
        let mut ids: Vec<u64> = keys.iter().filter_map(|key| state.resolve(key)).collect();
        ids.sort_unstable();
        ids.dedup();
        let issues: Vec<Value> = ids
            .into_iter()
            .filter(|id| state.may_see_issue(&caller.user, *id))
            .filter_map(|id| state.issue(id))
            .map(|issue| view.issue(issue, &fields, &expand, &properties))
            .collect();
        let answer: Response =
            ok(json!({ "expand": "schema,names", "issues": issues, "issueErrors": [] }));
        Ok(answer)
    })
}
