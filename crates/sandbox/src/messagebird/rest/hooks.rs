//! Webhooks.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use serde_json::Value;

use super::super::error::ApiError;
use super::super::model::{EVENTS, Hook};
use super::super::sandbox::Sandbox;
use super::super::state::new_id;
use super::super::view::show_hook;
use super::{Answer, Params, Payload, answer, ok};

fn missing() -> ApiError {
    ApiError::not_found("webhook")
}

pub(super) async fn list(State(sandbox): State<Sandbox>, params: Params) -> Answer {
    sandbox.with(|state, _| params.cut(&state.hooks, show_hook))
}

pub(super) async fn read(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| {
        let found = state.hooks.iter().find(|hook| hook.id == id);
        found.map(|hook| ok(show_hook(hook))).ok_or_else(missing)
    })
}

pub(super) async fn create(State(sandbox): State<Sandbox>, Payload(body): Payload) -> Answer {
    sandbox.with(|state, now| {
        let channel = body["channelId"].as_str().map(str::to_owned);
        if channel
            .as_ref()
            .is_some_and(|id| state.channel(id).is_none())
        {
            return Err(ApiError::not_found("channel"));
        }
        let mut hook = Hook {
            id: new_id(),
            channel,
            url: String::new(),
            events: Vec::new(),
            enabled: true,
            settings: Value::Null,
            created_ms: now.ms,
            updated_ms: None,
        };
        change(&mut hook, &body)?;
        if hook.url.is_empty() {
            return Err(ApiError::missing("url"));
        }
        if hook.events.is_empty() {
            return Err(ApiError::missing("events"));
        }
        let shown = show_hook(&hook);
        state.hooks.push(hook);
        Ok(answer(StatusCode::CREATED, shown))
    })
}

pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Answer {
    sandbox.with(|state, now| {
        let found = state.hooks.iter_mut().find(|hook| hook.id == id);
        let hook = found.ok_or_else(missing)?;
        change(hook, &body)?;
        hook.updated_ms = Some(now.ms);
        Ok(ok(show_hook(hook)))
    })
}

pub(super) async fn remove(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| {
        let before = state.hooks.len();
        state.hooks.retain(|hook| hook.id != id);
        if state.hooks.len() == before {
            return Err(missing());
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

/// Takes over what a body says, or nothing of it.
fn change(hook: &mut Hook, body: &Value) -> Result<(), ApiError> {
    let mut changed = hook.clone();
    if let Some(url) = body["url"].as_str() {
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(ApiError::invalid("url", "url must be an http(s) address"));
        }
        url.clone_into(&mut changed.url);
    }
    if let Some(events) = body["events"].as_array() {
        changed.events = events
            .iter()
            .filter_map(|event| event.as_str().map(str::to_owned))
            .collect();
        if changed
            .events
            .iter()
            .any(|event| !EVENTS.contains(&event.as_str()))
        {
            return Err(ApiError::invalid("events", "unknown event"));
        }
    }
    match body["status"].as_str() {
        None => {}
        Some("enabled") => changed.enabled = true,
        Some("disabled") => changed.enabled = false,
        Some(_) => {
            return Err(ApiError::invalid(
                "status",
                "status must be enabled or disabled",
            ));
        }
    }
    if !body["settings"].is_null() {
        changed.settings = body["settings"].clone();
    }
    *hook = changed;
    Ok(())
}
