//! What can be read.

use axum::Json;
use axum::extract::State;
use bowline_access::{Look, ReadAudit, SeeCalls};
use bowline_domain::call::Call;
use bowline_domain::ids::EventId;
use bowline_domain::link::LinkEnd;
use bowline_domain::outcome::Outcome;
use bowline_domain::time::Millis;
use bowline_settings::rates::RATE_OVER_MS;
use bowline_store::browse::{DeliveryRow, IssueLabel, LinkCursor};
use bowline_store::model::{EffectView, LaneKind, LinkView};
use serde_json::{Value, json};

use super::caller::{Bearer, Number};
use super::problem::Problem;
use crate::App;
use crate::audit;
use crate::deliveries::asked;
use crate::links::{by_hand, cursor_text, link_query};
use crate::problems::all_problems;
use crate::query::Query;
use crate::reader::Reader;

/// Links in an answer.
const LINKS: usize = 100;

/// Entries of the audit log in an answer.
const ENTRIES: usize = 100;

type Answer = Result<Json<Value>, Problem>;

/// A time as the API writes it.
pub(crate) fn iso(at: Millis) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_string())
}

pub(super) async fn connections(State(app): State<App>, _by: Bearer<Look>) -> Answer {
    let queues = app.shared.store.queues().await?;
    let waiting = |connection: &str, kind| {
        let found = queues
            .iter()
            .find(|queue| queue.connection.key() == connection && queue.kind == kind);
        found.map_or(0, |queue| queue.waiting)
    };
    let now = app.shared.now();
    let since = now.plus_ms(-RATE_OVER_MS);
    let mut items = Vec::new();
    for connection in app.shared.connections_now() {
        let key = connection.connection.key();
        let pace = app
            .shared
            .store
            .pace(&connection.connection, since, now)
            .await?;
        let projects: Vec<String> = connection
            .projects
            .iter()
            .map(|(site, project)| format!("{site}/{project}"))
            .collect();
        items.push(json!({
            "connection": key,
            "far_side": connection.far_side.title(),
            "url": connection.url,
            "health": connection.health.as_str(),
            "works": connection.health.works(),
            "reason": connection.reason,
            "since": iso(connection.since),
            "remote_id": connection.remote_id,
            "actor_id": connection.actor_id,
            "actor_name": connection.actor_name,
            "webhook_seen_at": connection.webhook_seen_at.and_then(iso),
            "projects": projects,
            "deliveries_waiting": waiting(&key, LaneKind::Events),
            "effects_waiting": waiting(&key, LaneKind::Effects),
            "oldest_waiting_at": pace.oldest_at.and_then(iso),
            "attempts_last_hour": pace.attempts,
            "failed_last_hour": pace.failed,
        }));
    }
    Ok(Json(json!({ "items": items })))
}

pub(super) async fn queue(State(app): State<App>, _by: Bearer<Look>) -> Answer {
    let backlog = app.shared.store.backlog().await?;
    let oldest_effect = app.shared.store.oldest_waiting_effect().await?;
    Ok(Json(json!({
        "deliveries_waiting": backlog.events,
        "effects_waiting": backlog.effects,
        "quarantined": backlog.quarantined,
        "oldest_delivery_at": backlog.oldest_event_at.and_then(iso),
        "oldest_effect_at": oldest_effect.and_then(iso),
    })))
}

pub(super) async fn problems(State(app): State<App>, _by: Bearer<Look>) -> Answer {
    let items: Vec<Value> = all_problems(&app, &Reader::unknown())
        .await?
        .into_iter()
        .map(|problem| {
            json!({
                "state": problem.state.word,
                "title": problem.title,
                "cause": problem.cause,
                "extent": problem.extent,
                "mend": problem.mend,
                "since": problem.since.and_then(|at| at.iso()),
                "last": problem.last.and_then(|at| at.iso()),
            })
        })
        .collect();
    Ok(Json(json!({ "items": items })))
}

fn issue(label: &IssueLabel) -> Value {
    json!({
        "site": label.site.as_str(),
        "id": label.issue.as_str(),
        "key": label.key.as_str(),
        "project": label.project.as_str(),
        "summary": label.summary,
        "deleted": label.deleted,
    })
}

fn reasons(outcome: Option<&Outcome>) -> Vec<Value> {
    let reasons = outcome.iter().flat_map(|outcome| &outcome.reasons);
    reasons
        .map(|reason| json!({ "code": reason.code(), "text": reason.to_string() }))
        .collect()
}

fn row(row: &DeliveryRow) -> Value {
    json!({
        "id": row.id.0,
        "received_at": iso(row.received_at),
        "decided_at": row.decided_at.and_then(iso),
        "source": row.source.as_str(),
        "connection": row.connection.key(),
        "topic": row.topic,
        "issue": row.issue.as_ref().map(issue),
        "state": row.state.as_str(),
        "effects": row.outcome.as_ref().map(|outcome| outcome.effects),
        "reasons": reasons(row.outcome.as_ref()),
        "trouble": row.trouble,
    })
}

pub(super) async fn deliveries(State(app): State<App>, _by: Bearer<Look>, query: Query) -> Answer {
    let asked = asked(&app, &query, &Reader::unknown()).await?;
    if let Some(wrong) = asked.wrong {
        return Err(Problem::invalid(wrong));
    }
    let page = app.shared.store.deliveries(&asked.filter).await?;
    let items: Vec<Value> = page.rows.iter().map(row).collect();
    let next = page.next.map(|id| id.to_string());
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn delivery(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Look>,
) -> Answer {
    let bodies = by.who().may::<SeeCalls>();
    let store = &app.shared.store;
    let Some(view) = store.event(EventId(id)).await? else {
        return Err(Problem::not_found("There is no delivery of this number."));
    };
    let label = match view.event.lane.issue_events() {
        Some((site, issue)) => store.issue_label(&site, &issue).await?,
        None => None,
    };
    let mut effects = Vec::new();
    for effect_view in store.effects_of(EventId(id)).await? {
        let attempts = store.attempts_of(effect_view.id).await?;
        let attempts: Vec<Value> = attempts
            .into_iter()
            .map(|attempt| {
                json!({
                    "started_at": iso(attempt.started_at),
                    "ended_at": iso(attempt.ended_at),
                    "outcome": attempt.outcome,
                    "detail": attempt.detail,
                    "calls": attempt.calls.into_iter().map(|call| told(call, bodies))
                        .collect::<Vec<Value>>(),
                })
            })
            .collect();
        effects.push(effect(&effect_view, &attempts));
    }
    Ok(Json(json!({
        "id": view.event.id.0,
        "received_at": iso(view.event.received_at),
        "decided_at": view.decided_at.and_then(iso),
        "source": view.event.source.as_str(),
        "connection": view.event.connection.key(),
        "topic": view.event.topic,
        "issue": label.as_ref().map(issue),
        "state": view.state.as_str(),
        "effects": effects,
        "reasons": reasons(view.outcome.as_ref()),
        "trouble": view.trouble,
    })))
}

/// One call of an attempt. `bodies`: with what was sent and answered?
fn told(call: Call, bodies: bool) -> Value {
    let headers: serde_json::Map<String, Value> = call
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    json!({
        "method": call.method,
        "path": call.path,
        "request": call.request.filter(|_| bodies),
        "status": call.status,
        "headers": headers,
        "response": call.response.filter(|_| bodies),
        "response_bytes": call.response_bytes,
        "failure": call.failure,
        "took_ms": call.took_ms,
    })
}

fn effect(view: &EffectView, attempts: &[Value]) -> Value {
    let conversation = view.effect.act.conversation();
    json!({
        "id": view.id.0,
        "act": view.effect.act.kind(),
        "state": view.state.as_str(),
        "audience": crate::words::audience(&view.effect.act),
        "workspace": conversation.map(|(workspace, _)| workspace.as_str()),
        "conversation": conversation.map(|(_, conversation)| conversation.as_str()),
        "key": view.effect.key.as_str(),
        "planned_at": iso(view.planned_at),
        "settled_at": view.settled_at.and_then(iso),
        "remote_id": view.remote_id,
        "reason": view.reason,
        "attempts": attempts,
    })
}

fn link(view: &LinkView) -> Value {
    let sources: Vec<String> = view
        .link
        .sources
        .iter()
        .map(|source| source.origin.key())
        .collect();
    json!({
        "site": view.site.as_str(),
        "issue_id": view.issue.as_str(),
        "issue": view.key.as_ref().map(ToString::to_string),
        "workspace": view.link.workspace.as_str(),
        "conversation": view.link.conversation.as_str(),
        "linked": view.link.live,
        "since": iso(view.link.since),
        "ended": view.link.ended.as_ref().map(LinkEnd::word),
        "ended_at": view.link.ended_at.and_then(iso),
        "sources": sources,
        "by_hand": by_hand(&view.link),
    })
}

pub(super) async fn links(State(app): State<App>, _by: Bearer<Look>, query: Query) -> Answer {
    let asked = link_query(&query, LINKS + 1);
    let mut views = app.shared.store.link_page(&asked).await?;
    let more = views.len() > LINKS;
    views.truncate(LINKS);
    let next = views.last().filter(|_| more);
    let next = next.map(|view| cursor_text(&LinkCursor::of(view)));
    let items: Vec<Value> = views.iter().map(link).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn audit(State(app): State<App>, by: Bearer<ReadAudit>, query: Query) -> Answer {
    let filter = audit::filter(&query, ENTRIES + 1);
    let mut views = app.access.audit(&by.0, &filter).await?;
    let more = views.len() > ENTRIES;
    views.truncate(ENTRIES);
    let next = views.last().filter(|_| more);
    let next = next.map(|view| view.id.to_string());
    let items: Vec<Value> = views
        .into_iter()
        .map(|view| {
            json!({
                "id": view.id,
                "at": iso(view.entry.at),
                "who": view.entry.who,
                "what": view.entry.what,
                "subject": view.entry.subject,
                "detail": view.entry.detail,
            })
        })
        .collect();
    Ok(Json(json!({ "items": items, "next": next })))
}
