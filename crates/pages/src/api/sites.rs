//! Jira sites: the same as on their pages. Secrets go in and never come out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{Look, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_engine::Deployment;
use bowline_settings::check;
use bowline_settings::forms::SiteForm;
use bowline_settings::merge::Aside;
use bowline_settings::{HookFound, SiteNow};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::desks::{Body, refused, version_of};
use super::health;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::connection::{site_now, typed_before};
use crate::query::Query;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/sites", get(list).post(add))
        .route(
            "/api/v1/sites/{name}",
            get(one).patch(change).delete(remove),
        )
        .route("/api/v1/sites/{name}/test", post(test))
        .route("/api/v1/sites/{name}/webhook", post(hook))
        .route("/api/v1/sites/{name}/webhook-secret", post(renew))
        .route("/api/v1/sites/{name}/projects", get(projects))
}

/// A site as it is configured, and how it is.
async fn written(app: &App, now: &SiteNow) -> Result<Value, Problem> {
    let connection = Connection::Site(now.name.clone());
    let (kept, config) = (now.kept.as_ref(), now.config.as_ref());
    let row = kept.map(|row| &row.value);
    let url = config.map(|config| config.url.as_str().trim_end_matches('/').to_owned());
    let kind = config.map(|config| match config.deployment {
        Deployment::Cloud => "cloud",
        Deployment::DataCenter => "datacenter",
    });
    Ok(json!({
        "name": now.name.as_str(),
        "connection": connection.key(),
        "kind": kind.or(row.map(|row| row.kind.as_str())),
        "url": url.or_else(|| row.map(|row| row.url.clone())),
        "api_url": config.map(|config| config.api_url.to_string()),
        "email": row.and_then(|row| row.email.clone()).or_else(|| config?.email.clone()),
        "token_ends_on": app.settings.token_ends_on(&now.name),
        "declared": kept.is_none(),
        "version": kept.map(|row| row.version),
        "in_use": now.aside.is_none(),
        "not_in_use": now.aside.as_ref().map(Aside::words),
        "webhook": {
            "url": app.settings.site_hook(&now.name).to_string(),
            "events": check::EVENT_NAMES,
            "jql": app.settings.site_jql(&now.name).await,
        },
        "health": health::of(app, &connection).await?,
    }))
}

async fn answer(app: &App, name: &str) -> Result<Value, Problem> {
    match site_now(app, name) {
        Some(now) => written(app, &now).await,
        None => Err(Problem::not_found("There is no such site.")),
    }
}

async fn list(State(app): State<App>, _by: Bearer<Look>) -> Result<Json<Value>, Problem> {
    let mut items = Vec::new();
    for now in app.settings.sites() {
        items.push(written(&app, &now).await?);
    }
    Ok(Json(json!({ "items": items })))
}

async fn one(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    answer(&app, &name).await.map(Json)
}

/// Takes what the body names.
fn take(body: &Body, form: &mut SiteForm) -> Result<(), Problem> {
    body.text("name", &mut form.name)?;
    body.text("url", &mut form.url)?;
    body.text("email", &mut form.email)?;
    body.text("token", &mut form.token)?;
    body.text("api_url", &mut form.api_url)?;
    body.text("token_ends_on", &mut form.token_ends_on)
}

async fn add(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("sites {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let mut form = SiteForm::default();
        take(&Body::read(&body)?, &mut form)?;
        let made = app.settings.connect_site(&by.0, &form).await;
        answer(&app, &made.map_err(refused)?.name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("sites/{name} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = site_now(&app, &name);
        let kept = now.as_ref().and_then(|now| now.kept.as_ref());
        let mut form = kept.map_or_else(SiteForm::default, |row| typed_before(&name, &row.value));
        take(&body, &mut form)?;
        let changed = app.settings.change_site(&by.0, (&name, from), &form);
        changed.await.map_err(refused)?;
        answer(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let request = format!("remove sites/{name} {}", query.text("version"));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        answer(&app, &name).await?;
        let connection = Connection::Site(SiteName::new(name.as_str()));
        let removed = app.settings.remove_connection(&by.0, (&connection, from));
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": name }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Tries credentials and permissions now.
async fn test(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
) -> Response {
    let request = format!("test sites/{name}");
    let write = Box::pin(async {
        let connection = Connection::Site(SiteName::new(name.as_str()));
        app.settings.test(&connection).await;
        answer(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Has the webhook registered in Jira, or brought into step.
async fn hook(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
) -> Response {
    let request = format!("webhook of sites/{name}");
    let write = Box::pin(async {
        if site_now(&app, &name).is_none() {
            return Err(Problem::not_found("There is no such site."));
        }
        let found = app.settings.sync_hook(&SiteName::new(name.as_str())).await;
        let state = match found {
            HookFound::Registered => "registered",
            HookFound::Kept => "kept",
            HookFound::ByHand => "by_hand",
            HookFound::Failed(words) => {
                let detail = format!("The webhook was not brought into step: {words}.");
                return Err(Problem::new(StatusCode::BAD_GATEWAY, "far_side", detail));
            }
        };
        Ok(json!({ "webhook": state }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Has the webhook sign with a new secret, which is shown on the page alone.
async fn renew(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!(
        "webhook-secret of sites/{name} {}",
        String::from_utf8_lossy(&body)
    );
    let write = Box::pin(async {
        let from = Body::read(&body)?.version()?;
        let renewed = app.settings.renew_webhook_secret(&by.0, (&name, from));
        renewed.await.map_err(refused)?;
        // Jira is told where our account may; otherwise somebody enters it from the page.
        app.settings.sync_hook(&SiteName::new(name.as_str())).await;
        answer(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// The projects that can be joined.
async fn projects(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    if site_now(&app, &name).is_none() {
        return Err(Problem::not_found("There is no such site."));
    }
    let found = app.settings.projects(&SiteName::new(name.as_str())).await;
    let found = found.map_err(|words| Problem::new(StatusCode::BAD_GATEWAY, "far_side", words))?;
    let items = found
        .iter()
        .map(|project| json!({ "key": project.key, "name": project.name }));
    Ok(Json(json!({ "items": items.collect::<Vec<Value>>() })))
}
