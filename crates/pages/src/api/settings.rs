//! The settings of projects: read by all who look, changed by who administers them. A change names
//! the version that it was made from, as the pages do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{ChangeBindings, ChangeRefusal, Fault, Look};
use bowline_domain::gather::COALESCE_SECONDS_MAX;
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::settings::{CommentFilter, StatusMatch, TransitionRule, Trigger};
use bowline_settings::stored::StoredBinding;
use bowline_settings::{BindingNow, import};
use serde_json::{Value, json};

use super::binding_panel as panel;
use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;

/// Which projects are joined, and what is told of each.
pub(super) async fn list(
    State(app): State<App>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let items: Vec<Value> = app.settings.bindings().iter().map(written).collect();
    Ok(Json(json!({ "items": items })))
}

fn trigger(trigger: Trigger) -> Value {
    json!({ "note": trigger.note, "reopen": trigger.reopen })
}

pub(super) fn written(binding: &BindingNow) -> Value {
    let config = &binding.config;
    let notify = &config.notify;
    let filter = match &notify.filter {
        CommentFilter::All => "all".to_owned(),
        CommentFilter::Public => "public".to_owned(),
        CommentFilter::Marker(text) => format!("marker:{text}"),
    };
    let rules: Vec<Value> = config
        .transitions
        .iter()
        .map(|rule| {
            json!({
                "from": import::status(&rule.from),
                "to": import::status(&rule.to),
                "note": rule.then.note,
                "reopen": rule.then.reopen,
            })
        })
        .collect();
    json!({
        "site": config.site.as_str(),
        "project": config.project.as_str(),
        "workspace": config.workspace.as_str(),
        "in_use": binding.aside.is_none(),
        "reason": binding.aside.as_ref().map(bowline_settings::merge::Aside::words),
        "lacks": binding.lacking.as_ref().map(|lacking| json!({
            "permissions": lacking.names,
            "reason": lacking.reason,
            "meaning": lacking.meaning,
            "mend": lacking.mend,
            "since": iso(lacking.since),
        })),
        "declared": binding.kept.is_none(),
        "version": binding.kept.as_ref().map(|row| row.version),
        "linking": config.linking,
        "muted": config.muted,
        "webhooks": config.webhooks,
        "unassign_on_open": config.unassign_on_open,
        "wake_snoozed": config.wake_snoozed,
        "coalesce_seconds": config.coalesce_seconds,
        "note_summary": config.contents.summary,
        "note_comments": config.contents.comment,
        "comment_filter": filter,
        "notify": {
            "created": trigger(notify.created),
            "assigned": trigger(notify.assigned),
            "commented": trigger(notify.commented),
            "transitioned": trigger(notify.transitioned),
        },
        "transitions": rules,
        "panel": panel::written(&config.panel),
        "tally": {
            "label": config.tally.label,
            "number_field": config.tally.number_field,
        },
    })
}

/// Changes what is named in the body and leaves the rest.
pub(super) async fn change(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("{site}/{project} {}", String::from_utf8_lossy(&body));
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let write = Box::pin(changed(&app, &by, (&site, &project), &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn changed(
    app: &App,
    by: &Bearer<ChangeBindings>,
    (site, project): (&SiteName, &ProjectKey),
    body: &[u8],
) -> Result<Value, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
    let Some(from) = body.get("version").and_then(Value::as_i64) else {
        return Err(Problem::invalid(
            "Send the version that the change was made from, as GET /api/v1/bindings told it.",
        ));
    };
    let change = |stored: &mut StoredBinding| {
        let before = stored.clone();
        take(&body, stored)
            .map_err(|words| ChangeRefusal::Faults(vec![Fault::new("form", words)]))?;
        let changes = import::changes(&before, stored).into_iter();
        let words = changes.map(|(title, was, is)| format!("{title}: {was} → {is}"));
        Ok(words.collect::<Vec<_>>().join("; "))
    };
    let place = (site, project, from);
    let changed = app.settings.change_binding(&by.0, place, change).await;
    match changed {
        Ok(_) => {}
        Err(ChangeRefusal::Gone) => {
            return Err(Problem::not_found(
                "This project is not joined to a workspace.",
            ));
        }
        Err(refusal @ ChangeRefusal::Overtaken) => {
            let words = refusal.to_string();
            return Err(Problem::new(StatusCode::CONFLICT, "overtaken", words));
        }
        Err(ChangeRefusal::Failed(error)) => return Err(error.into()),
        Err(refusal) => return Err(Problem::invalid(refusal.to_string())),
    }
    let now = app.settings.binding(site, project);
    now.as_ref()
        .map(written)
        .ok_or_else(|| Problem::not_found("It was parted meanwhile."))
}

/// Takes what the body names.
fn take(body: &Value, stored: &mut StoredBinding) -> Result<(), String> {
    if let Some(named) = body.get("tally") {
        super::tally::take(named, &mut stored.tally)?;
    }
    let flag = |name: &str, into: &mut bool| match body.get(name) {
        None => Ok(()),
        Some(Value::Bool(flag)) => {
            *into = *flag;
            Ok(())
        }
        Some(_) => Err(format!("{name} is true or false.")),
    };
    flag("linking", &mut stored.linking)?;
    flag("muted", &mut stored.muted)?;
    flag("webhooks", &mut stored.webhooks)?;
    flag("unassign_on_open", &mut stored.unassign_on_open)?;
    flag("wake_snoozed", &mut stored.wake_snoozed)?;
    flag("note_summary", &mut stored.contents.summary)?;
    flag("note_comments", &mut stored.contents.comment)?;
    if let Some(seconds) = body.get("coalesce_seconds") {
        let seconds = seconds
            .as_u64()
            .and_then(|seconds| u32::try_from(seconds).ok());
        let fits = seconds.filter(|seconds| *seconds <= COALESCE_SECONDS_MAX);
        let words = format!("coalesce_seconds is a number from 0 to {COALESCE_SECONDS_MAX}.");
        stored.coalesce_seconds = fits.ok_or(words)?;
    }
    if let Some(filter) = body.get("comment_filter") {
        let text = filter.as_str().unwrap_or_default();
        stored.notify.filter = match (text, text.strip_prefix("marker:").map(str::trim)) {
            ("all", _) => CommentFilter::All,
            ("public", _) => CommentFilter::Public,
            (_, Some(mark)) if !mark.is_empty() => CommentFilter::Marker(mark.to_owned()),
            _ => return Err("comment_filter is “all”, “public” or “marker:TEXT”.".to_owned()),
        };
    }
    if let Some(notify) = body.get("notify") {
        let all = [
            ("created", &mut stored.notify.created),
            ("assigned", &mut stored.notify.assigned),
            ("commented", &mut stored.notify.commented),
            ("transitioned", &mut stored.notify.transitioned),
        ];
        for (name, into) in all {
            if let Some(value) = notify.get(name) {
                *into = read_trigger(value)
                    .ok_or_else(|| format!("notify.{name} has note and reopen."))?;
            }
        }
    }
    if let Some(rules) = body.get("transitions") {
        let rules = rules.as_array().ok_or("transitions is a list.")?;
        stored.transitions = rules.iter().map(rule).collect::<Result<_, _>>()?;
    }
    if let Some(panel) = body.get("panel") {
        panel::take(panel, &mut stored.panel)?;
    }
    Ok(())
}

fn read_trigger(value: &Value) -> Option<Trigger> {
    Some(Trigger {
        note: value.get("note")?.as_bool()?,
        reopen: value.get("reopen")?.as_bool()?,
    })
}

fn rule(value: &Value) -> Result<TransitionRule, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let to = StatusMatch::read(text("to"))?;
    if to == StatusMatch::Any || text("to").trim().is_empty() {
        return Err("A transition names the status that it leads to.".to_owned());
    }
    let from = match text("from") {
        "" => StatusMatch::Any,
        from => StatusMatch::read(from)?,
    };
    let then = read_trigger(value).ok_or("A transition has note and reopen.")?;
    Ok(TransitionRule { from, to, then })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_taken_and_the_rest_stays() {
        let mut stored = StoredBinding::default();
        let body = json!({
            "muted": true, "comment_filter": "marker: #tell ", "coalesce_seconds": 30,
            "notify": { "created": { "note": false, "reopen": true } },
            "transitions": [{ "to": "category:done", "note": true, "reopen": false }],
        });
        take(&body, &mut stored).unwrap();
        assert_eq!(stored.coalesce_seconds, 30);
        assert!(stored.muted && stored.linking && stored.notify.assigned.note);
        assert_eq!(
            stored.notify.filter,
            CommentFilter::Marker("#tell".to_owned())
        );
        assert!(!stored.notify.created.note && stored.notify.created.reopen);
        assert_eq!(stored.transitions[0].from, StatusMatch::Any);
    }

    #[test]
    fn what_cannot_be_understood_is_refused_whole() {
        for body in [
            json!({ "muted": "yes" }),
            json!({ "coalesce_seconds": 3_601 }),
            json!({ "coalesce_seconds": -1 }),
            json!({ "coalesce_seconds": "5" }),
            json!({ "comment_filter": "marker:" }),
            json!({ "comment_filter": 1 }),
            json!({ "notify": { "created": { "note": true } } }),
            json!({ "transitions": {} }),
            json!({ "transitions": [{ "to": "*", "note": true, "reopen": true }] }),
            json!({ "transitions": [{ "to": "category:soon", "note": true, "reopen": true }] }),
            json!({ "transitions": [{ "to": "Done" }] }),
        ] {
            assert!(
                take(&body, &mut StoredBinding::default()).is_err(),
                "{body}"
            );
        }
    }
}
