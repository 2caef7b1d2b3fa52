//! Projects and their properties.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::model::{ISSUE_TYPES, Project, workflow};
use super::super::state::State;
use super::super::view::{View, expands};
use super::call::{Answer, Caller, Params, Payload, created, nothing, ok};
use super::input::check_property;

/// Largest page of projects.
const MAX_PAGE: usize = 100;

/// A project that is missing or hidden.
pub(super) fn missing(key: &str) -> Refusal {
    Refusal::message(404, format!("No project could be found with key '{key}'."))
}

fn visible<'s>(state: &'s State, caller: &Caller, key: &str) -> Result<&'s Project, Refusal> {
    state
        .project(key)
        .filter(|project| state.may_see_project(&caller.user, project))
        .ok_or_else(|| missing(key))
}

fn shown(state: &State, view: View<'_>, project: &Project, expand: &str) -> Value {
    let mut shown = view.project(project);
    shown["expand"] = "description,lead,issueTypes,url,projectKeys,permissions,insight".into();
    if state.is_cloud() {
        shown["style"] = "classic".into();
        shown["isPrivate"] = project.hidden.into();
        shown["properties"] = json!({});
    }
    if expands(expand, "projectKeys") {
        let keys = state
            .project_keys
            .iter()
            .filter(|(_, id)| **id == project.id)
            .map(|(key, _)| key.clone());
        shown["projectKeys"] = keys.collect::<Vec<_>>().into();
    }
    shown
}

pub(super) async fn list(caller: Caller, params: Params) -> Answer {
    caller.look(|state, view| {
        let all = state
            .projects
            .values()
            .filter(|project| state.may_see_project(&caller.user, project));
        Ok(ok(all
            .map(|project| shown(state, view, project, &params.expand()))
            .collect()))
    })
}

pub(super) async fn search(caller: Caller, params: Params) -> Answer {
    let (start, size) = (
        params.number("startAt", 0)?,
        params.number("maxResults", 50)?.min(MAX_PAGE),
    );
    if let Some(action) = params.get("action")
        && !["view", "browse", "edit", "create"].contains(&action)
    {
        return Err(Refusal::bad(format!("Unsupported action: {action}")));
    }
    let (keys, kinds) = (params.list("keys"), params.list("typeKey"));
    let query = params.get("query").unwrap_or_default().to_lowercase();
    caller.look(|state, view| {
        let all: Vec<Value> = state
            .projects
            .values()
            .filter(|p| state.may_see_project(&caller.user, p))
            .filter(|p| keys.is_empty() || keys.iter().any(|key| state.project_keys.get(key) == Some(&p.id)))
            .filter(|p| kinds.is_empty() || kinds.iter().any(|kind| kind == p.kind.key()))
            .filter(|p| p.key.to_lowercase().contains(&query) || p.name.to_lowercase().contains(&query))
            .map(|p| shown(state, view, p, &params.expand()))
            .collect();
        let total = all.len();
        let values: Vec<Value> = all.into_iter().skip(start).take(size).collect();
        let last = start + values.len() >= total;
        let link = |start: usize| view.link(&format!("project/search?maxResults={size}&startAt={start}"));
        let mut page = json!({
            "self": link(start), "maxResults": size, "startAt": start, "total": total, "isLast": last, "values": values,
        });
        if !last {
            page["nextPage"] = link(start + size).into();
        }
        Ok(ok(page))
    })
}

pub(super) async fn one(caller: Caller, Path(key): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let project = visible(state, &caller, &key)?;
        let mut shown = shown(state, view, project, &params.expand());
        shown["issueTypes"] = ISSUE_TYPES.iter().map(|t| view.issue_type(t.0)).collect();
        shown["lead"] = state
            .users
            .iter()
            .find(|user| user.admin)
            .map_or(Value::Null, |user| view.user(user));
        shown["description"] = "".into();
        shown["components"] = json!([]);
        shown["versions"] = json!([]);
        shown["roles"] = json!({});
        shown["assigneeType"] = "UNASSIGNED".into();
        Ok(ok(shown))
    })
}

pub(super) async fn statuses(caller: Caller, Path(key): Path<String>) -> Answer {
    caller.look(|state, view| {
        let kind = visible(state, &caller, &key)?.kind;
        let list: Vec<Value> = ISSUE_TYPES
            .iter()
            .map(|(id, name, _)| {
                json!({
                    "self": view.link(&format!("issuetype/{id}")), "id": id.to_string(), "name": name, "subtask": false,
                    "statuses": workflow(kind).iter().map(|s| view.status(*s)).collect::<Vec<_>>(),
                })
            })
            .collect();
        Ok(ok(list.into()))
    })
}

pub(super) async fn properties(caller: Caller, Path(key): Path<String>) -> Answer {
    caller.look(|state, view| {
        let project = visible(state, &caller, &key)?;
        let link = |name: &str| view.link(&format!("project/{}/properties/{name}", project.key));
        let keys: Vec<Value> = project
            .properties
            .keys()
            .map(|name| json!({ "self": link(name), "key": name }))
            .collect();
        Ok(ok(json!({ "keys": keys })))
    })
}

pub(super) async fn property(caller: Caller, Path((key, name)): Path<(String, String)>) -> Answer {
    caller.look(|state, _| {
        let value = visible(state, &caller, &key)?
            .properties
            .get(&name)
            .ok_or_else(|| no_property(&name))?;
        Ok(ok(json!({ "key": name, "value": value })))
    })
}

pub(super) async fn set_property(
    caller: Caller,
    Path((key, name)): Path<(String, String)>,
    Payload(value): Payload,
) -> Answer {
    caller.act(|state| {
        let id = administered(state, &caller, &key)?;
        check_property(&name, &value)?;
        let project = state.projects.get_mut(&id).ok_or_else(|| missing(&key))?;
        let new = project.properties.insert(name, value).is_none();
        Ok(if new {
            created(json!({}))
        } else {
            ok(json!({}))
        })
    })
}

pub(super) async fn delete_property(
    caller: Caller,
    Path((key, name)): Path<(String, String)>,
) -> Answer {
    caller.act(|state| {
        let id = administered(state, &caller, &key)?;
        let removed = state
            .projects
            .get_mut(&id)
            .and_then(|project| project.properties.remove(&name));
        if removed.is_some() {
            Ok(nothing())
        } else {
            Err(no_property(&name))
        }
    })
}

fn administered(state: &State, caller: &Caller, key: &str) -> Result<u64, Refusal> {
    let id = visible(state, caller, key)?.id;
    if caller.user.admin {
        return Ok(id);
    }
    Err(Refusal::message(
        403,
        "You cannot edit the configuration of this project.",
    ))
}

fn no_property(name: &str) -> Refusal {
    Refusal::message(404, format!("The property {name} does not exist."))
}
