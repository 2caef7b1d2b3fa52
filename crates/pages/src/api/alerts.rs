//! Alerts: the same as on their page. The webhook's address may hold a secret, so only its host
//! comes out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::ManageConnections;
use bowline_domain::connection::Connection;
use bowline_settings::AlertNow;
use bowline_store::alert::AlertSend;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;
use crate::alerts::LISTED;
use crate::query::Query;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/alerts", get(list))
        .route("/api/v1/alerts/test", post(test))
}

fn send(send: &AlertSend) -> Value {
    json!({
        "receiver": send.receiver,
        "state": send.state.as_str(),
        "tries": send.tries,
        "failure": Some(&send.failure).filter(|words| !words.is_empty()),
        "next_try_at": send.ended_at.map_or_else(|| iso(send.due_at), |_| None),
        "ended_at": send.ended_at.and_then(iso),
    })
}

fn written(alert: &AlertNow) -> Value {
    json!({
        "id": alert.uid,
        "kind": alert.kind,
        "connection": alert.connection.as_ref().map(Connection::key),
        "project": alert.project,
        "subject": alert.subject,
        "text": alert.text,
        "at": iso(alert.at),
        "receivers": alert.sends.iter().map(send).collect::<Vec<Value>>(),
    })
}

async fn list(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let before =
        match query.text("before") {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                Problem::invalid("“before” is what “next” of the page before said.")
            })?),
        };
    let mut alerts = app.settings.alerts(&by.0, before, LISTED + 1).await?;
    let more = alerts.len() > usize::try_from(LISTED).unwrap_or(usize::MAX);
    if more {
        alerts.pop();
    }
    let next = alerts.last().filter(|_| more);
    let next = next.map(|alert| alert.id.to_string());
    let receivers = app.settings.receivers();
    let items: Vec<Value> = alerts.iter().map(written).collect();
    Ok(Json(json!({
        "webhook": receivers.webhook,
        "mail_server": receivers.server,
        "mail_from": receivers.from,
        "mail_to": receivers.mail,
        "items": items,
        "next": next,
    })))
}

async fn test(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
) -> Response {
    let write = Box::pin(async {
        let made = app.settings.test_alerts(&by.0).await?;
        let id = made.ok_or_else(|| {
            let detail = "There is nobody to tell. Whoever runs Bowline names receivers in the \
                          configuration file: alert_webhook_url or [alert_mail].";
            Problem::new(StatusCode::CONFLICT, "refused", detail)
        })?;
        let alerts = app.settings.alerts(&by.0, Some(id + 1), 1).await?;
        let made = alerts.first().map(written);
        made.ok_or_else(|| Problem::not_found("The alert is gone."))
    });
    once(&app, by.who(), &headers, "test alerts", write).await
}
