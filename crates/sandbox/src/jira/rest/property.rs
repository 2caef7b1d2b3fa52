//! Entity properties of issues and comments.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::state::State;
use super::call::{Answer, Caller, Payload, created, nothing, ok};
use super::input::check_property;

pub(super) async fn keys(caller: Caller, Path(issue): Path<String>) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        let link = |key: &str| view.link(&format!("issue/{}/properties/{key}", issue.key));
        Ok(ok(list(issue.properties.keys(), link)))
    })
}

pub(super) async fn read(caller: Caller, Path((issue, key)): Path<(String, String)>) -> Answer {
    caller.look(|state, _| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        let value = issue.properties.get(&key).ok_or_else(|| missing(&key))?;
        Ok(ok(json!({ "key": key, "value": value })))
    })
}

pub(super) async fn set(
    caller: Caller,
    Path((issue, key)): Path<(String, String)>,
    Payload(value): Payload,
) -> Answer {
    caller.act(|state| {
        let id = editable(state, &caller, &issue)?;
        check_property(&key, &value)?;
        let new = state.set_property(&caller.user, id, &key, value)?;
        Ok(if new {
            created(json!({}))
        } else {
            ok(json!({}))
        })
    })
}

pub(super) async fn remove(caller: Caller, Path((issue, key)): Path<(String, String)>) -> Answer {
    caller.act(|state| {
        let id = editable(state, &caller, &issue)?;
        if state.delete_property(&caller.user, id, &key)? {
            Ok(nothing())
        } else {
            Err(missing(&key))
        }
    })
}

pub(super) async fn comment_keys(caller: Caller, Path(comment): Path<String>) -> Answer {
    caller.look(|state, view| {
        let (issue, id) = find_comment(state, &caller, &comment)?;
        let link = |key: &str| view.link(&format!("comment/{comment}/properties/{key}"));
        let found = &state
            .issue(issue)
            .and_then(|i| i.comments.get(&id))
            .ok_or_else(|| Refusal::no_comment(&comment))?;
        Ok(ok(list(found.properties.keys(), link)))
    })
}

pub(super) async fn comment_read(
    caller: Caller,
    Path((comment, key)): Path<(String, String)>,
) -> Answer {
    caller.look(|state, _| {
        let (issue, id) = find_comment(state, &caller, &comment)?;
        let value = state
            .issue(issue)
            .and_then(|i| i.comments.get(&id))
            .and_then(|c| c.properties.get(&key));
        let value = value.ok_or_else(|| missing(&key))?;
        Ok(ok(json!({ "key": key, "value": value })))
    })
}

pub(super) async fn comment_set(
    caller: Caller,
    Path((comment, key)): Path<(String, String)>,
    Payload(value): Payload,
) -> Answer {
    caller.act(|state| {
        let (issue, id) = find_comment(state, &caller, &comment)?;
        check_property(&key, &value)?;
        let found = state
            .issue_mut(issue)?
            .comments
            .get_mut(&id)
            .ok_or_else(|| Refusal::no_comment(&comment))?;
        let new = found.properties.insert(key, value).is_none();
        state.mark_comment(issue, id);
        Ok(if new {
            created(json!({}))
        } else {
            ok(json!({}))
        })
    })
}

pub(super) async fn comment_remove(
    caller: Caller,
    Path((comment, key)): Path<(String, String)>,
) -> Answer {
    caller.act(|state| {
        let (issue, id) = find_comment(state, &caller, &comment)?;
        let removed = state
            .issue_mut(issue)?
            .comments
            .get_mut(&id)
            .and_then(|c| c.properties.remove(&key));
        if removed.is_some() {
            state.mark_comment(issue, id);
            Ok(nothing())
        } else {
            Err(missing(&key))
        }
    })
}

fn editable(state: &State, caller: &Caller, issue: &str) -> Result<u64, Refusal> {
    let id = state.visible_issue(&caller.user, issue)?.id;
    if state.may(&caller.user, "EDIT_ISSUES") {
        return Ok(id);
    }
    Err(Refusal::message(
        403,
        "The user does not have permission to edit the issue.",
    ))
}

fn find_comment(state: &State, caller: &Caller, comment: &str) -> Result<(u64, u64), Refusal> {
    let issue = comment
        .parse()
        .ok()
        .and_then(|id: u64| state.comment_issues.get(&id))
        .copied();
    let issue = issue.ok_or_else(|| Refusal::no_comment(comment))?;
    let (issue, comment) = state.visible_comment(&caller.user, &issue.to_string(), comment)?;
    Ok((issue.id, comment.id))
}

fn list<'k>(keys: impl Iterator<Item = &'k String>, link: impl Fn(&str) -> String) -> Value {
    let keys: Vec<Value> = keys
        .map(|key| json!({ "self": link(key), "key": key }))
        .collect();
    json!({ "keys": keys })
}

fn missing(key: &str) -> Refusal {
    Refusal::message(404, format!("The property {key} does not exist."))
}
