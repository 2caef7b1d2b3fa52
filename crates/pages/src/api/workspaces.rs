//! Intercom workspaces: the same as on their pages. Secrets go in and never come out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{Look, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_settings::WorkspaceNow;
use bowline_settings::check;
use bowline_settings::forms::WorkspaceForm;
use bowline_settings::merge::Aside;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::desks::{Body, refused, version_of};
use super::health;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::connection::{workspace_now, workspace_typed_before};
use crate::query::Query;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/workspaces", get(list).post(add))
        .route(
            "/api/v1/workspaces/{name}",
            get(one).patch(change).delete(remove),
        )
        .route("/api/v1/workspaces/{name}/test", post(test))
        .route("/api/v1/workspaces/{name}/app-user", post(app_user))
        .route("/api/v1/workspaces/{name}/teammates", get(teammates))
}

/// A workspace as it is configured, and how it is.
async fn written(app: &App, now: &WorkspaceNow) -> Result<Value, Problem> {
    let connection = Connection::Workspace(now.name.clone());
    let (kept, config) = (now.kept.as_ref(), now.config.as_ref());
    let row = kept.map(|row| &row.value);
    let app_user = config.and_then(|config| config.app_user.clone());
    Ok(json!({
        "name": now.name.as_str(),
        "connection": connection.key(),
        "title": row.and_then(|row| row.title.clone()),
        "authorized_with": row.and_then(|row| row.authorized_with.clone()),
        "api_url": config.map(|config| config.api_url.to_string()),
        "client_id": row.and_then(|row| row.client_id.clone()),
        "app_user": app_user.or_else(|| row?.app_user.clone()),
        "declared": kept.is_none(),
        "version": kept.map(|row| row.version),
        "in_use": now.aside.is_none(),
        "not_in_use": now.aside.as_ref().map(Aside::words),
        "webhook": {
            "url": app.settings.workspace_hook(&now.name).to_string(),
            "topics": check::TOPICS,
        },
        "permissions": check::APP_PERMISSIONS,
        "health": health::of(app, &connection).await?,
    }))
}

async fn answer(app: &App, name: &str) -> Result<Value, Problem> {
    match workspace_now(app, name) {
        Some(now) => written(app, &now).await,
        None => Err(Problem::not_found("There is no such workspace.")),
    }
}

async fn list(State(app): State<App>, _by: Bearer<Look>) -> Result<Json<Value>, Problem> {
    let mut items = Vec::new();
    for now in app.settings.workspaces() {
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
fn take(body: &Body, form: &mut WorkspaceForm) -> Result<(), Problem> {
    body.text("name", &mut form.name)?;
    body.text("access_token", &mut form.access_token)?;
    body.text("client_secret", &mut form.client_secret)?;
    body.text("client_id", &mut form.client_id)?;
    body.text("api_url", &mut form.api_url)?;
    body.text("authorize_url", &mut form.authorize_url)
}

async fn add(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("workspaces {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let mut form = WorkspaceForm::default();
        take(&Body::read(&body)?, &mut form)?;
        // With a client id and no token, a teammate gives their consent on the page.
        let by_consent = form.access_token.trim().is_empty() && !form.client_id.trim().is_empty();
        let name = if by_consent {
            let begun = app.settings.begin_consent(&by.0, &form).await;
            begun.map_err(refused)?
        } else {
            let made = app.settings.connect_workspace(&by.0, &form).await;
            made.map_err(refused)?.name
        };
        answer(&app, &name).await
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
    let request = format!("workspaces/{name} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = workspace_now(&app, &name);
        let kept = now.as_ref().and_then(|now| now.kept.as_ref());
        let mut form = kept.map_or_else(WorkspaceForm::default, |row| {
            workspace_typed_before(&name, &row.value)
        });
        take(&body, &mut form)?;
        let changed = app.settings.change_workspace(&by.0, (&name, from), &form);
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
    let request = format!("remove workspaces/{name} {}", query.text("version"));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        answer(&app, &name).await?;
        let connection = Connection::Workspace(WorkspaceName::new(name.as_str()));
        let removed = app.settings.remove_connection(&by.0, (&connection, from));
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": name }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Tries the token, the permissions and the teammate now.
async fn test(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
) -> Response {
    let request = format!("test workspaces/{name}");
    let write = Box::pin(async {
        let connection = Connection::Workspace(WorkspaceName::new(name.as_str()));
        app.settings.test(&connection).await;
        answer(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Has us write as another teammate; as who the token belongs to if none is named.
async fn app_user(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!(
        "app-user of workspaces/{name} {}",
        String::from_utf8_lossy(&body)
    );
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let mut teammate = String::new();
        body.text("app_user", &mut teammate)?;
        let changed = app
            .settings
            .change_app_user(&by.0, (&name, from), teammate.trim());
        changed.await.map_err(refused)?;
        answer(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// The teammates as whom can be written.
async fn teammates(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<ManageConnections>,
) -> Result<Json<Value>, Problem> {
    if workspace_now(&app, &name).is_none() {
        return Err(Problem::not_found("There is no such workspace."));
    }
    let found = app.settings.teammates(&WorkspaceName::new(name)).await;
    let found = found.map_err(|words| Problem::new(StatusCode::BAD_GATEWAY, "far_side", words))?;
    let items = found
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name, "email": one.email }));
    Ok(Json(json!({ "items": items.collect::<Vec<Value>>() })))
}
