//! Remote issue links.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::model::{Issue, RemoteLink};
use super::super::state::{Counters, State};
use super::call::{Answer, Caller, Params, Payload, created, nothing, ok};

/// Longest global id, in characters.
const MAX_GLOBAL_ID_CHARS: usize = 255;

pub(super) async fn list(caller: Caller, Path(issue): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        match params.get("globalId") {
            None => Ok(ok(issue
                .remote_links
                .values()
                .map(|link| view.remote_link(issue, link))
                .collect())),
            Some(global) => match by_global_id(issue, global) {
                Some(link) => Ok(ok(view.remote_link(issue, link))),
                None => Err(missing(global)),
            },
        }
    })
}

pub(super) async fn read(caller: Caller, Path((issue, link)): Path<(String, String)>) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        let link = by_id(issue, &link)?;
        Ok(ok(view.remote_link(issue, link)))
    })
}

pub(super) async fn upsert(
    caller: Caller,
    Path(issue): Path<String>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let id = linkable(state, &caller, &issue)?;
        let new = parse(&body)?;
        let issue = state.issue_mut(id)?;
        let known = new
            .global_id
            .as_deref()
            .and_then(|global| by_global_id(issue, global))
            .map(|link| link.id);
        let link = store(state, &caller, id, known, new)?;
        let shown = json!({
            "id": link,
            "self": caller.view(state).link(&format!("issue/{id}/remotelink/{link}")),
        });
        // Data Center answers 200 for a new link, too.
        Ok(if known.is_none() && state.is_cloud() {
            created(shown)
        } else {
            ok(shown)
        })
    })
}

pub(super) async fn replace(
    caller: Caller,
    Path((issue, link)): Path<(String, String)>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let id = linkable(state, &caller, &issue)?;
        let known = by_id(state.issue_mut(id)?, &link)?.id;
        store(state, &caller, id, Some(known), parse(&body)?)?;
        Ok(nothing())
    })
}

pub(super) async fn remove(caller: Caller, Path((issue, link)): Path<(String, String)>) -> Answer {
    caller.act(|state| {
        let id = linkable(state, &caller, &issue)?;
        let known = by_id(state.issue_mut(id)?, &link)?.id;
        drop_link(state, &caller, id, known)
    })
}

pub(super) async fn remove_global(
    caller: Caller,
    Path(issue): Path<String>,
    params: Params,
) -> Answer {
    caller.act(|state| {
        let id = linkable(state, &caller, &issue)?;
        let Some(global) = params.get("globalId") else {
            return Err(Refusal::field(
                "globalId",
                "The globalId query parameter is required.",
            ));
        };
        let known = by_global_id(state.issue_mut(id)?, global)
            .map(|link| link.id)
            .ok_or_else(|| missing(global))?;
        drop_link(state, &caller, id, known)
    })
}

fn linkable(state: &State, caller: &Caller, issue: &str) -> Result<u64, Refusal> {
    let id = state.visible_issue(&caller.user, issue)?.id;
    if state.may(&caller.user, "LINK_ISSUES") {
        return Ok(id);
    }
    Err(Refusal::message(403, "No Link Issue Permission for issue"))
}

fn store(
    state: &mut State,
    caller: &Caller,
    issue: u64,
    known: Option<u64>,
    mut new: RemoteLink,
) -> Result<u64, Refusal> {
    let id = known.unwrap_or_else(|| Counters::next(&mut state.next.remote_link));
    new.id = id;
    let title = new.title().to_owned();
    let old = state.issue_mut(issue)?.remote_links.insert(id, new);
    let from = old.map(|old| (id, old.title().to_owned()));
    state.remote_links_changed(&caller.user, issue, from, Some((id, title)));
    Ok(id)
}

fn drop_link(state: &mut State, caller: &Caller, issue: u64, link: u64) -> Answer {
    let old = state.issue_mut(issue)?.remote_links.remove(&link);
    state.remote_links_changed(
        &caller.user,
        issue,
        old.map(|old| (link, old.title().to_owned())),
        None,
    );
    Ok(nothing())
}

fn by_global_id<'i>(issue: &'i Issue, global_id: &str) -> Option<&'i RemoteLink> {
    issue
        .remote_links
        .values()
        .find(|link| link.global_id.as_deref() == Some(global_id))
}

fn by_id<'i>(issue: &'i Issue, id: &str) -> Result<&'i RemoteLink, Refusal> {
    id.parse()
        .ok()
        .and_then(|id: u64| issue.remote_links.get(&id))
        .ok_or_else(|| missing(id))
}

fn missing(link: &str) -> Refusal {
    Refusal::message(
        404,
        format!("The remote link with id '{link}' does not exist."),
    )
}

/// What is not given becomes null, also when an existing link is replaced.
fn parse(body: &Value) -> Result<RemoteLink, Refusal> {
    let object = &body["object"];
    let mut errors = Vec::new();
    for (field, name) in [("title", "title"), ("url", "url")] {
        if object[field]
            .as_str()
            .is_none_or(|text| text.trim().is_empty())
        {
            errors.push((name.to_owned(), format!("'{name}' is required.")));
        }
    }
    let url = object["url"].as_str().unwrap_or_default();
    if errors.is_empty() && url::Url::parse(url).is_err() {
        errors.push(("url".to_owned(), format!("'{url}' is not a valid URL.")));
    }
    let global_id = body["globalId"].as_str().map(str::to_owned);
    if global_id
        .as_ref()
        .is_some_and(|id| id.chars().count() > MAX_GLOBAL_ID_CHARS)
    {
        errors.push((
            "globalId".to_owned(),
            "The globalId cannot exceed 255 characters.".to_owned(),
        ));
    }
    if !errors.is_empty() {
        return Err(Refusal::fields(errors));
    }
    let icon = |value: &Value| json!({ "url16x16": value["url16x16"], "title": value["title"], "link": value["link"] });
    let strip = |mut value: Value| {
        strip_nulls(&mut value);
        value
    };
    let status = &object["status"];
    Ok(RemoteLink {
        id: 0,
        global_id,
        application: strip(
            json!({ "type": body["application"]["type"], "name": body["application"]["name"] }),
        ),
        relationship: body["relationship"].as_str().map(str::to_owned),
        object: strip(json!({
            "url": url,
            "title": object["title"],
            "summary": object["summary"],
            "icon": icon(&object["icon"]),
            "status": { "resolved": status["resolved"], "icon": icon(&status["icon"]) },
        })),
    })
}

fn strip_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, inner| !inner.is_null());
        map.values_mut().for_each(strip_nulls);
    }
}
