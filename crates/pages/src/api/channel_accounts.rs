//! Channel accounts: the same as on their pages. Secrets go in and never come out.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::{Look, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::messaging::ids::AccountName;
use bowline_settings::merge::Aside;
use bowline_settings::{AccountForm, AccountNow};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::desks::{Body, refused, version_of};
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;
use crate::desks::provider as title;
use crate::query::Query;

/// An account as it is configured, and how it is.
pub(super) fn written(app: &App, now: &AccountNow) -> Value {
    let known = app.shared.accounts_now().into_iter();
    let known = known.into_iter().find(|one| one.name == now.name);
    let kept = now.kept.as_ref();
    let row = kept.map(|row| &row.value);
    let config = now.config.as_ref();
    let provider = config
        .map(|config| config.provider)
        .or(row.map(|row| row.provider.provider()));
    let known = known.as_ref();
    json!({
        "name": now.name.as_str(),
        "provider": provider.map_or("", title),
        "provider_key": provider.map(bowline_engine::Provider::as_str),
        "health": known.map_or("unchecked", |known| known.health.as_str()),
        "works": known.is_some_and(|known| known.health.works()),
        "reason": known.and_then(|known| known.reason.clone()),
        "since": known.and_then(|known| iso(known.since)),
        "webhook": provider.map_or_else(String::new, |provider| {
            app.settings.account_hook(provider, &now.name).to_string()
        }),
        "webhook_seen_at": known.and_then(|known| known.webhook_seen_at).and_then(iso),
        "declared": kept.is_none(),
        "version": kept.map(|row| row.version),
        "in_use": now.aside.is_none(),
        "not_in_use": now.aside.as_ref().map(Aside::words),
        "api_url": config.map(|config| config.api_url.to_string()),
        "phone_number_id": row.and_then(|row| row.phone_number_id.clone()),
        "register_webhook": config.map(|config| config.register_webhook),
        "poll_seconds": config.map(|config| config.poll.as_secs()),
    })
}

fn answer(app: &App, name: &str) -> Result<Value, Problem> {
    let now = app.settings.account(name);
    now.map(|now| written(app, &now))
        .ok_or_else(|| Problem::not_found("There is no such channel account."))
}

pub(super) async fn list(State(app): State<App>, _by: Bearer<Look>) -> Json<Value> {
    let accounts = app.settings.accounts();
    let items: Vec<Value> = accounts.iter().map(|now| written(&app, now)).collect();
    Json(json!({ "items": items }))
}

pub(super) async fn one(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    answer(&app, &name).map(Json)
}

/// The channels of an account, as its provider tells of them now.
pub(super) async fn channels(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<ManageConnections>,
) -> Result<Json<Value>, Problem> {
    if app.settings.account(&name).is_none() {
        return Err(Problem::not_found("There is no such channel account."));
    }
    let name = AccountName::new(name);
    let found = app.settings.account_channels(&name).await;
    let items = found.channels.iter().map(|one| {
        json!({
            "id": one.id,
            "name": one.name,
            "platform": one.platform,
            "active": one.active,
        })
    });
    let items: Vec<Value> = items.collect();
    Ok(Json(
        json!({ "items": items, "listed": found.listed, "words": found.words }),
    ))
}

/// Takes what the body names.
fn take(body: &Body, form: &mut AccountForm) -> Result<(), Problem> {
    body.text("name", &mut form.name)?;
    body.text("provider", &mut form.provider)?;
    body.text("access_key", &mut form.access_key)?;
    body.text("signing_key", &mut form.signing_key)?;
    body.text("verify_token", &mut form.verify_token)?;
    body.text("phone_number_id", &mut form.phone_number_id)?;
    body.text("api_url", &mut form.api_url)?;
    body.flag("register_webhook", &mut form.register_webhook)?;
    body.number("poll_seconds", &mut form.poll_seconds)
}

pub(super) async fn add(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("channel-accounts {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let mut form = AccountForm::new("");
        take(&Body::read(&body)?, &mut form)?;
        let made = app.settings.add_account(&by.0, &form).await;
        answer(&app, &made.map_err(refused)?.name)
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("channel-accounts/{name} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = app.settings.account(&name);
        let kept = now.as_ref().and_then(|now| now.kept.as_ref());
        let mut form = kept.map_or_else(
            || AccountForm::new(""),
            |row| AccountForm::of(&name, &row.value),
        );
        take(&body, &mut form)?;
        let changed = app.settings.change_account(&by.0, (&name, from), &form);
        changed.await.map_err(refused)?;
        answer(&app, &name)
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let request = format!("remove channel-accounts/{name} {}", query.text("version"));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        answer(&app, &name)?;
        let connection = Connection::Account(AccountName::new(name.as_str()));
        let removed = app.settings.remove_connection(&by.0, (&connection, from));
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": name }))
    });
    once(&app, by.who(), &headers, &request, write).await
}
