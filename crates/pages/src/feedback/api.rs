//! Feedback for scripts: what the pages show and do.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{Look, ManageProducts, Triage, What};
use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::split::is_part;
use bowline_domain::time::Millis;
use bowline_engine::feedback::{CannotMake, count_backfill, make_issue, triage};
use bowline_engine::panel::Unread;
use bowline_store::access::AuditEntry;
use bowline_store::feedback::{Backfill, MergedAway, TicketChange, TicketRow, TicketView};
use serde_json::{Value, json};

use super::acts::{TITLE_CHARS_MAX, change_of, merged_away, subject, words_of};
use super::backfill::wanted;
use super::inbox::{place_text, ticket_query};
use super::ticket::message_url;
use super::tie::{find, tied};
use super::words;
use crate::App;
use crate::api::{Bearer, Number, Problem, iso, once};
use crate::query::Query;

/// Tickets in an answer.
const TICKETS: usize = 100;

type Answer = Result<Json<Value>, Problem>;

/// The addresses.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/products/{id}/backfills", post(backfill))
        .route(
            "/api/v1/backfills/{id}",
            get(one_backfill).post(move_backfill),
        )
        .route("/api/v1/tickets", get(tickets))
        .route("/api/v1/tickets/{id}", get(ticket).post(change))
        .route("/api/v1/tickets/{id}/merge", post(merge))
        .route("/api/v1/tickets/{id}/undo", post(undo))
        .route("/api/v1/tickets/{id}/split", post(split))
        .route("/api/v1/tickets/{id}/issue", post(issue))
}

fn row_json(row: &TicketRow) -> Value {
    json!({
        "id": row.id.0,
        "product": row.product.0,
        "workspace": row.workspace.as_str(),
        "status": row.status.as_str(),
        "importance": row.importance.as_str(),
        "assignee": row.assignee,
        "title": row.title,
        "author": row.author,
        "company": row.company_name,
        "people": row.people,
        "companies": row.companies,
        "monthly_spend": row.spend,
        "monthly_spend_cents": row.spend.saturating_mul(100),
        "said_at": iso(row.said_at),
        "erased": row.erased,
        "issue": row.issue_key,
        "labels": row.labels,
    })
}

async fn tickets(State(app): State<App>, _by: Bearer<Look>, query: Query) -> Answer {
    let asked = ticket_query(&query, TICKETS);
    let page = app.shared.store.ticket_page(&asked).await?;
    let items: Vec<Value> = page.rows.iter().map(row_json).collect();
    Ok(Json(json!({
        "items": items,
        "next": page.next.map(place_text),
        "broken_off": page.broken_off,
    })))
}

async fn view_json(app: &App, view: &TicketView) -> Result<Value, Problem> {
    let mut value = row_json(&view.row);
    let by = view.tags.iter().filter_map(|(tag, _)| tag.by.as_deref());
    let named = app.shared.teammates_named(&view.row.workspace, by).await?;
    let tags: Vec<Value> = view
        .tags
        .iter()
        .map(|(tag, removed)| {
            json!({
                "id": tag.tag.as_str(),
                "name": tag.name,
                "at": tag.at.and_then(iso),
                "by": tag.by,
                "by_name": tag.by.as_ref().and_then(|id| named.get(id)),
                "removed_at": removed.and_then(iso),
            })
        })
        .collect();
    let transcript: Vec<Value> = view
        .transcript
        .iter()
        .map(|line| {
            json!({
                "who": line.who,
                "customer": line.customer,
                "at": iso(line.at),
                "text": line.text,
            })
        })
        .collect();
    let history: Vec<Value> = view
        .history
        .iter()
        .map(|step| {
            json!({
                "at": iso(step.at),
                "who": step.who,
                "what": step.what,
                "detail": step.detail,
            })
        })
        .collect();
    let merges: Vec<Value> = view
        .merges
        .iter()
        .map(|merge| json!({ "id": merge.id, "ticket": merge.ticket.0, "at": iso(merge.at) }))
        .collect();
    value["conversation"] = json!(view.conversation.as_str());
    value["part"] = json!(view.part.as_str());
    value["url"] = json!(message_url(app, view));
    value["text"] = json!(view.text);
    value["said_by"] = json!(view.said_by);
    value["email"] = json!(view.email);
    value["plan_then"] = json!(view.plan);
    value["spend_then"] = json!(view.own_spend);
    value["spend_then_cents"] = json!(view.own_spend.saturating_mul(100));
    value["captured_at"] = json!(iso(view.captured_at));
    value["merged_into"] = json!(view.merged_into.map(|id| id.0));
    value["tags"] = json!(tags);
    value["transcript"] = json!(transcript);
    value["history"] = json!(history);
    value["merges"] = json!(merges);
    Ok(value)
}

async fn ticket(State(app): State<App>, Number(id): Number, _by: Bearer<Look>) -> Answer {
    let view = app.shared.store.ticket(TicketId(id)).await?;
    let view = view.ok_or_else(no_ticket)?;
    view_json(&app, &view).await.map(Json)
}

fn no_ticket() -> Problem {
    Problem::not_found("There is no ticket of this number.")
}

pub(super) fn body_of(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))
}

fn entry(app: &App, by: &Bearer<Triage>, ticket: TicketId, detail: &str) -> AuditEntry {
    app.access
        .entry(by.who(), What::TicketsChanged, subject(&[ticket]), detail)
}

fn name_of(by: &Bearer<Triage>) -> String {
    let name = by.who().person().map(|person| person.name.clone());
    name.unwrap_or_else(|| by.who().name())
}

/// What the body of a change asks for: `{"status": "done"}` and the like.
fn asked(body: &Value) -> Option<TicketChange> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if let Some(status) = text("status") {
        return change_of(&format!("status:{status}"), "");
    }
    if let Some(importance) = text("importance") {
        return change_of(&format!("importance:{importance}"), "");
    }
    if let Some(label) = text("add_label") {
        return change_of("label", label);
    }
    if let Some(label) = text("remove_label") {
        return change_of("unlabel", label);
    }
    match body.get("assignee")? {
        Value::Null => Some(TicketChange::Assign(None)),
        Value::String(email) => Some(TicketChange::Assign(Some(email.clone()))),
        _ => None,
    }
}

async fn change(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Triage>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("ticket {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let change = asked(&body_of(&body)?).ok_or_else(|| {
            Problem::invalid(
                "Send one of: {\"status\": \"new | in_review | planned | done | declined\"}, \
                 {\"importance\": \"unset | low | medium | high\"}, {\"assignee\": \"e-mail \
                 address, or null\"}, {\"add_label\": \"…\"}, {\"remove_label\": \"…\"}.",
            )
        })?;
        if let TicketChange::Assign(Some(email)) = &change {
            let known = app.shared.store.assignees().await?;
            if !known.iter().any(|(one, _)| one == email) {
                return Err(Problem::invalid("Nobody who may sign in has this address."));
            }
        }
        if app.shared.store.ticket(TicketId(id)).await?.is_none() {
            return Err(no_ticket());
        }
        stands(&app, TicketId(id)).await?;
        let audit = vec![entry(&app, &by, TicketId(id), &words_of(&change))];
        let who = name_of(&by);
        let changed = triage(&app.shared, vec![TicketId(id)], change, &who, audit).await?;
        let changed = changed.map_err(|away| merged(&away))?;
        Ok(json!({ "ticket": id, "changed": changed > 0 }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

fn refused(words: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_merged", words)
}

fn merged(away: &MergedAway) -> Problem {
    Problem::new(StatusCode::CONFLICT, "merged", words::merged_away(away))
}

/// A problem, if another ticket stands for this one.
async fn stands(app: &App, ticket: TicketId) -> Result<(), Problem> {
    match merged_away(app, ticket).await? {
        None => Ok(()),
        Some(away) => Err(merged(&away)),
    }
}

async fn merge(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Triage>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("merge {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let into = body_of(&body)?.get("into").and_then(Value::as_i64);
        let into = into.ok_or_else(|| {
            Problem::invalid("Send {\"into\": 7}: the number of the ticket that is to stand.")
        })?;
        let audit = vec![entry(
            &app,
            &by,
            TicketId(id),
            &format!("merged into ticket {into}"),
        )];
        let whom = (name_of(&by), app.shared.now());
        let store = &app.shared.store;
        let merged = store.merge_tickets((TicketId(id), TicketId(into)), whom, audit);
        match merged.await? {
            Ok(()) => Ok(json!({ "ticket": id, "changed": true })),
            Err(why) => Err(refused(words::not_merged(why))),
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn undo(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Triage>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("undo {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let merge = body_of(&body)?.get("merge").and_then(Value::as_i64);
        let merge = merge.ok_or_else(|| {
            Problem::invalid("Send {\"merge\": 3}: its number, as GET /api/v1/tickets/{id} shows.")
        })?;
        let audit = vec![entry(&app, &by, TicketId(id), "merge undone")];
        let whom = (name_of(&by), app.shared.now());
        match app.shared.store.undo_merge(merge, whom, audit).await? {
            Ok(ticket) => Ok(json!({ "ticket": ticket.0, "changed": true })),
            Err(why) => Err(refused(words::not_merged(why))),
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn split(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Triage>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("split {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim()
        };
        let title = text("title");
        if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX {
            return Err(Problem::invalid(
                "Send {\"title\": \"…\", \"text\": \"…\"}: what the other ticket is about, in 1 \
                 to 120 characters.",
            ));
        }
        stands(&app, TicketId(id)).await?;
        let view = app.shared.store.ticket(TicketId(id)).await?;
        if !is_part(text("text"), &view.ok_or_else(no_ticket)?.text) {
            return Err(Problem::invalid(words::NOT_SAID));
        }
        let audit = vec![entry(&app, &by, TicketId(id), "split")];
        let whom = (name_of(&by), app.shared.now());
        let said = (title.to_owned(), text("text").to_owned());
        let made = app
            .shared
            .store
            .split_ticket(TicketId(id), said, whom, audit);
        match made.await? {
            Ok(ticket) => Ok(json!({ "ticket": ticket.0, "changed": true })),
            Err(why) => Err(refused(words::not_merged(why))),
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn issue(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Triage>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("issue {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        stands(&app, TicketId(id)).await?;
        let found = match body.get("issue") {
            Some(Value::Null) => None,
            Some(Value::String(named)) => Some(find(&app, named).await?.map_err(not_shown)?),
            _ if body.get("make") == Some(&Value::Bool(true)) => {
                return match make_issue(&app.shared, TicketId(id)).await {
                    Ok(event) => {
                        let detail = entry(&app, &by, TicketId(id), "issue wanted");
                        app.shared.store.add_audit(detail).await?;
                        Ok(json!({ "delivery": event.0 }))
                    }
                    Err(CannotMake::Store(error)) => Err(error.into()),
                    Err(CannotMake::NoTicket) => Err(no_ticket()),
                    Err(why) => Err(refused(&why.to_string())),
                };
            }
            _ => {
                return Err(Problem::invalid(
                    "Send {\"issue\": \"ENG-17\"} (a key, or an address in Jira), {\"issue\": null} \
                     or {\"make\": true}.",
                ));
            }
        };
        let change = TicketChange::Issue(found.as_ref().map(|found| found.issue.clone()));
        let audit = vec![entry(&app, &by, TicketId(id), &words_of(&change))];
        let who = name_of(&by);
        let changed = triage(&app.shared, vec![TicketId(id)], change, &who, audit).await?;
        let changed = changed.map_err(|away| merged(&away))?;
        if let Some(found) = found {
            tied(&app, &found).await;
        }
        Ok(json!({ "ticket": id, "changed": changed > 0 }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Why an issue is not to be had: there is none, or Jira does not answer now.
fn not_shown(why: Unread) -> Problem {
    if why.gone {
        return Problem::not_found(&why.words);
    }
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "jira_not_asked", why.words)
}

fn backfill_json(backfill: &Backfill) -> Value {
    json!({
        "id": backfill.id,
        "product": backfill.product.0,
        "from": iso(backfill.since),
        "state": backfill.state.as_str(),
        "found": backfill.found,
        "looked_at": backfill.looked,
        "made": backfill.made,
        "trouble": backfill.trouble,
        "begun_at": iso(backfill.at),
        "ended_at": backfill.ended_at.and_then(iso),
    })
}

async fn backfill(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("backfill {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let from = body.get("from").and_then(Value::as_str).unwrap_or_default();
        let at: jiff::Timestamp = from.parse().map_err(|_| {
            Problem::invalid(
                "Send {\"from\": \"2026-01-31T00:00:00Z\", \"dry_run\": true}: the time from \
                 which on tags count.",
            )
        })?;
        let since = Millis(at.as_millisecond());
        let store = &app.shared.store;
        let product = store.product(ProductId(id)).await?;
        let product = product.filter(|product| product.on);
        let product =
            product.ok_or_else(|| Problem::not_found("There is no such product that is on."))?;
        let found = count_backfill(&app.shared, &product, since)
            .await
            .map_err(|why| Problem::invalid(why.to_string()))?;
        if body.get("dry_run") == Some(&Value::Bool(true)) {
            return Ok(json!({ "found": found, "id": null }));
        }
        let name = product.name.as_str();
        let audit = vec![app.access.entry(
            by.who(),
            What::BackfillChanged,
            name,
            format!("begun, from {from}"),
        )];
        let whom = (by.who().name(), app.shared.now());
        let begun = store.begin_backfill((product.id, since, found), whom, audit);
        match begun.await? {
            Some(id) => Ok(json!({ "found": found, "id": id })),
            None => Err(refused("A backfill of the product is under way already.")),
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn one_backfill(State(app): State<App>, Number(id): Number, _by: Bearer<Look>) -> Answer {
    let found = app.shared.store.backfill(id).await?;
    let found = found.ok_or_else(|| Problem::not_found("There is no such backfill."))?;
    Ok(Json(backfill_json(&found)))
}

async fn move_backfill(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("backfill {id} to {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let word = body.get("do").and_then(Value::as_str).unwrap_or_default();
        let to = wanted(word)
            .ok_or_else(|| Problem::invalid("Send {\"do\": \"pause | resume | cancel\"}."))?;
        let store = &app.shared.store;
        let entry = app.access.entry(
            by.who(),
            What::BackfillChanged,
            format!("backfill {id}"),
            word,
        );
        let moved = store
            .move_backfill(id, to, app.shared.now(), vec![entry])
            .await?;
        if !moved {
            return Err(refused(
                "The backfill is not in a state in which that can be done.",
            ));
        }
        let found = store.backfill(id).await?;
        Ok(found.map_or(Value::Null, |found| backfill_json(&found)))
    });
    once(&app, by.who(), &headers, &request, write).await
}
