//! Joining projects to workspaces, parting and joining again: the same as on their pages.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{delete, post};
use bowline_access::{ChangeBindings, Look};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_settings::JoinForm;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::desks::{Body, refused, version_of};
use super::problem::Problem;
use super::settings::written;
use super::writes::once;
use crate::App;
use crate::query::Query;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/bindings", post(join))
        .route("/api/v1/bindings/{site}/{project}", delete(forget).get(one))
        .route("/api/v1/bindings/{site}/{project}/part", post(part))
        .route("/api/v1/bindings/{site}/{project}/rejoin", post(rejoin))
}

fn answer(app: &App, site: &SiteName, project: &ProjectKey) -> Result<Value, Problem> {
    let now = app.settings.binding(site, project);
    now.as_ref()
        .map(written)
        .ok_or_else(|| Problem::not_found("This project is not joined to a workspace."))
}

async fn one(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    answer(&app, &SiteName::new(site), &ProjectKey::new(project)).map(Json)
}

async fn join(
    State(app): State<App>,
    by: Bearer<ChangeBindings>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("join {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let mut form = JoinForm::default();
        body.text("site", &mut form.site)?;
        body.text("project", &mut form.project)?;
        body.text("workspace", &mut form.workspace)?;
        app.settings.join(&by.0, &form).await.map_err(refused)?;
        let project = form.project.trim().to_uppercase();
        answer(
            &app,
            &SiteName::new(form.site.trim()),
            &ProjectKey::new(project),
        )
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn part(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("part {site}/{project} {}", String::from_utf8_lossy(&body));
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let write = Box::pin(async {
        let from = Body::read(&body)?.version()?;
        let parted = app.settings.part(&by.0, (&site, &project, from));
        parted.await.map_err(refused)?;
        answer(&app, &site, &project)
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn rejoin(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("rejoin {site}/{project} {}", String::from_utf8_lossy(&body));
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = app.settings.binding(&site, &project);
        // To the workspace before, unless another one is named.
        let before = now.map(|now| now.config.workspace.to_string());
        let mut workspace = before.unwrap_or_default();
        body.text("workspace", &mut workspace)?;
        let joined = app
            .settings
            .rejoin(&by.0, (&site, &project, from), &workspace);
        joined.await.map_err(refused)?;
        answer(&app, &site, &project)
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn forget(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let request = format!("forget {site}/{project} {}", query.text("version"));
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        let gone = app.settings.forget(&by.0, (&site, &project, from));
        gone.await.map_err(refused)?;
        Ok(json!({ "removed": format!("{site}/{project}") }))
    });
    once(&app, by.who(), &headers, &request, write).await
}
