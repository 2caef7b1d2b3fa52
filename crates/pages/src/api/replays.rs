//! Deciding again all deliveries since a time, for scripts.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{Look, ReplayAll};
use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_store::replays::{ReplayAsked, ReplayPlan, ReplayRun};
use serde_json::{Value, json};

use super::caller::{Bearer, Number};
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;
use crate::replay::{begin, cancel, connection_of, plan, too_many};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/replays", post(run))
        .route("/api/v1/replays/plan", post(counted))
        .route("/api/v1/replays/{id}", get(one))
        .route("/api/v1/replays/{id}/cancel", post(ended))
}

fn asked(app: &App, body: &[u8]) -> Result<ReplayAsked, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
    let since = body.get("since").and_then(Value::as_str);
    let since: jiff::Timestamp = since.unwrap_or_default().parse().map_err(|_| {
        Problem::invalid(
            "Send {\"since\": \"2026-01-31T08:00:00Z\", \"connection\": null}: the time since \
             which deliveries are decided again, and the connection, of all that \
             GET /api/v1/connections lists, if it is to be one only.",
        )
    })?;
    let since = Millis(since.as_millisecond());
    if since > app.shared.now() {
        return Err(Problem::invalid("“since” is a time that is not over."));
    }
    let connection = body.get("connection").and_then(Value::as_str);
    let connection =
        connection_of(app, connection.unwrap_or_default()).map_err(Problem::invalid)?;
    Ok(ReplayAsked { connection, since })
}

async fn planned(app: &App, asked: &ReplayAsked) -> Result<ReplayPlan, Problem> {
    let plan = plan(app, asked).await?;
    if plan.too_many {
        return Err(Problem::invalid(too_many()));
    }
    Ok(plan)
}

fn plan_json(plan: &ReplayPlan) -> Value {
    json!({
        "found": plan.found,
        "again": plan.again(),
        "quarantined": plan.quarantined,
        "without_effect": plan.nothing,
        "with_effect": plan.effects,
        "waiting": plan.waiting,
        "gone": plan.gone,
    })
}

fn run_json(run: &ReplayRun) -> Value {
    json!({
        "id": run.id,
        "connection": run.asked.connection.as_ref().map(Connection::key),
        "since": iso(run.asked.since),
        "state": run.state.as_str(),
        "found": run.found,
        "looked": run.looked,
        "put_back": run.put_back,
        "decided": run.decided(),
        "waiting": run.waiting,
        "by": run.who,
        "begun_at": iso(run.at),
        "ended_at": run.ended_at.and_then(iso),
    })
}

async fn counted(
    State(app): State<App>,
    _by: Bearer<ReplayAll>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let asked = asked(&app, &body)?;
    let plan = planned(&app, &asked).await?;
    Ok(Json(plan_json(&plan)))
}

async fn run(
    State(app): State<App>,
    by: Bearer<ReplayAll>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("replay since {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let asked = asked(&app, &body)?;
        let plan = planned(&app, &asked).await?;
        let begun = begin(&app, by.who(), asked, plan).await?;
        let id = begun.ok_or_else(|| {
            let detail = "A replay is under way. Cancel it, or wait for its end.";
            Problem::new(StatusCode::CONFLICT, "refused", detail)
        })?;
        Ok(json!({ "id": id, "again": plan.again() }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn one(
    State(app): State<App>,
    Number(id): Number,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let run = app.shared.store.replay_run(id).await?;
    let run = run.ok_or_else(|| Problem::not_found("There is no such replay."))?;
    Ok(Json(run_json(&run)))
}

async fn ended(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ReplayAll>,
    headers: HeaderMap,
) -> Response {
    let request = format!("cancel replay {id}");
    let write = Box::pin(async {
        if !cancel(&app, by.who(), id).await? {
            let detail = "There is no such replay that is under way.";
            return Err(Problem::not_found(detail));
        }
        let run = app.shared.store.replay_run(id).await?;
        let run = run.ok_or_else(|| Problem::not_found("There is no such replay."))?;
        Ok(run_json(&run))
    });
    once(&app, by.who(), &headers, &request, write).await
}
