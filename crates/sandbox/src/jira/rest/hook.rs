//! Webhook administration: Cloud's and Data Center's routes, and the behaviour switches of the sandbox.

use axum::Json;
use axum::extract::{Path, State as AxumState};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::common::clock::now_ms;

use super::super::config::{Switches, WebhookConfig};
use super::super::error::Refusal;
use super::super::hooks::{EVENTS, MAX_HOOKS};
use super::super::jql;
use super::super::model::Hook;
use super::super::sandbox::Sandbox;
use super::super::state::State;
use super::call::{Answer, Caller, Payload, created, nothing, ok};

/// Where Cloud keeps the JQL of a webhook.
const FILTER: &str = "issue-related-events-section";

/// Dynamic webhooks belong to apps; a plain token may not touch them.
pub(super) async fn dynamic(_caller: Caller) -> Refusal {
    Refusal::message(
        403,
        "Only Connect and OAuth 2.0 apps can use this operation.",
    )
}

pub(super) async fn list(caller: Caller) -> Answer {
    caller.look(|state, _| {
        administrator(&caller)?;
        Ok(ok(state
            .hooks
            .iter()
            .map(|hook| shown(state, hook))
            .collect()))
    })
}

pub(super) async fn read(caller: Caller, Path(id): Path<String>) -> Answer {
    caller.look(|state, _| {
        administrator(&caller)?;
        let at = find(state, &id)?;
        Ok(ok(shown(state, &state.hooks[at])))
    })
}

pub(super) async fn create(caller: Caller, Payload(body): Payload) -> Answer {
    caller.act(|state| {
        administrator(&caller)?;
        if state.hooks.len() >= MAX_HOOKS {
            return Err(Refusal::bad(format!(
                "No more than {MAX_HOOKS} webhooks are allowed."
            )));
        }
        let id = state.add_hook(&WebhookConfig::default());
        let at = state.hooks.len() - 1;
        "".clone_into(&mut state.hooks[at].name);
        if let Err(refusal) = apply(state, at, &body, &caller, true) {
            state.hooks.retain(|hook| hook.id != id);
            return Err(refusal);
        }
        Ok(created(shown(state, &state.hooks[at])))
    })
}

pub(super) async fn update(
    caller: Caller,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        administrator(&caller)?;
        let at = find(state, &id)?;
        apply(state, at, &body, &caller, false)?;
        Ok(ok(shown(state, &state.hooks[at])))
    })
}

pub(super) async fn remove(caller: Caller, Path(id): Path<String>) -> Answer {
    caller.act(|state| {
        administrator(&caller)?;
        let at = find(state, &id)?;
        state.hooks.remove(at);
        Ok(nothing())
    })
}

fn administrator(caller: &Caller) -> Result<(), Refusal> {
    if caller.user.admin {
        return Ok(());
    }
    Err(Refusal::message(
        403,
        "You do not have permission to administer webhooks.",
    ))
}

fn find(state: &State, id: &str) -> Result<usize, Refusal> {
    state
        .hooks
        .iter()
        .position(|hook| hook.id.to_string() == id)
        .ok_or_else(|| Refusal::message(404, format!("The webhook with id '{id}' does not exist.")))
}

/// Takes over what the body says. On Data Center the secret counts only inside `configuration`; one at the top is
/// ignored without a word, and deliveries come unsigned.
fn apply(
    state: &mut State,
    at: usize,
    body: &Value,
    caller: &Caller,
    new: bool,
) -> Result<(), Refusal> {
    let cloud = state.is_cloud();
    let mut hook = state.hooks[at].clone();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    if let Some(name) = text("name") {
        hook.name = name;
    }
    if let Some(url) = text("url") {
        hook.url = url;
    }
    if let Some(events) = body["events"].as_array() {
        hook.events = events
            .iter()
            .filter_map(|event| event.as_str().map(str::to_owned))
            .collect();
    } else if new {
        hook.events.clear();
    }
    if let Some(description) = text("description") {
        hook.description = description;
    }
    let filters = &body["filters"];
    if let Some(filter) = filters[FILTER]
        .as_str()
        .or_else(|| body["configuration"]["FILTERS"].as_str())
    {
        filter.clone_into(&mut hook.jql);
    }
    if cloud {
        hook.secret = text("secret")
            .filter(|secret| !secret.is_empty())
            .or(hook.secret);
        hook.exclude_body = body["excludeBody"].as_bool().unwrap_or(hook.exclude_body);
        hook.enabled = body["enabled"].as_bool().unwrap_or(hook.enabled);
    } else {
        let configuration = &body["configuration"];
        hook.secret = configuration["SECRET"]
            .as_str()
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .or(hook.secret);
        hook.exclude_body = configuration["EXCLUDE_BODY"]
            .as_str()
            .map_or(hook.exclude_body, |flag| flag == "true");
        hook.enabled = body["active"].as_bool().unwrap_or(hook.enabled);
    }
    check(state, &hook, caller)?;
    hook.updated_ms = now_ms();
    hook.updated_by = caller.user.clone();
    state.hooks[at] = hook;
    Ok(())
}

fn check(state: &State, hook: &Hook, caller: &Caller) -> Result<(), Refusal> {
    if hook.name.trim().is_empty() {
        return Err(Refusal::field("name", "The name of a webhook is required."));
    }
    let url = url::Url::parse(&hook.url.replace(['{', '}', '$'], "x"));
    if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(Refusal::field(
            "url",
            "The webhook URL must be absolute and use http or https.",
        ));
    }
    if let Some(unknown) = hook
        .events
        .iter()
        .find(|event| !EVENTS.contains(&event.as_str()))
    {
        return Err(Refusal::field(
            "events",
            format!("Unknown event: {unknown}"),
        ));
    }
    if !hook.jql.trim().is_empty() {
        jql::parse(&hook.jql)
            .and_then(|query| jql::Bound::new(&query, state, &caller.user, now_ms()))?;
    }
    Ok(())
}

fn shown(state: &State, hook: &Hook) -> Value {
    if state.is_cloud() {
        return json!({
            "name": hook.name,
            "description": hook.description,
            "url": hook.url,
            "excludeBody": hook.exclude_body,
            "filters": { FILTER: hook.jql },
            "events": hook.events,
            "enabled": hook.enabled,
            "self": format!("{}/rest/webhooks/1.0/webhook/{}", state.base, hook.id),
            "lastUpdatedUser": hook.updated_by.account_id,
            "lastUpdatedDisplayName": hook.updated_by.display_name,
            "lastUpdated": hook.updated_ms,
            "isSigned": hook.secret.is_some(),
        });
    }
    json!({
        "id": hook.id,
        "name": hook.name,
        "createdDate": hook.updated_ms,
        "updatedDate": hook.updated_ms,
        "events": hook.events,
        "configuration": { "EXCLUDE_BODY": hook.exclude_body.to_string(), "FILTERS": hook.jql },
        "url": hook.url,
        "active": hook.enabled,
        "scopeType": "global",
        "sslVerificationRequired": true,
        "self": format!("{}/rest/jira-webhook/1.0/webhooks/{}", state.base, hook.id),
    })
}

/// The behaviour switches.
pub(super) async fn switches(AxumState(site): AxumState<Sandbox>) -> Response {
    Json(site.read(|state| state.switches.clone())).into_response()
}

/// Replaces the behaviour switches; those not named go back to their default.
pub(super) async fn switch(
    AxumState(site): AxumState<Sandbox>,
    Json(new): Json<Switches>,
) -> Response {
    site.switch(|switches| *switches = new);
    nothing()
}
