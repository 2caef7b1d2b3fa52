//! Intercom workspaces: the same as on their pages. Secrets go in and never come out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{ChangeRefusal, Granted, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs;
use bowline_settings::WorkspaceNow;

use bowline_settings::forms::WorkspaceForm;
use bowline_settings::merge::Aside;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::configured::{self, Configured, answer, known};
use super::desks::{Body, refused};
use super::health;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::connection::{workspace_now, workspace_typed_before};

pub(super) fn routes() -> Router<App> {
    configured::routes::<Workspaces>()
        .route("/api/v1/workspaces/{name}/app-user", post(app_user))
        .route("/api/v1/workspaces/{name}/teammates", get(teammates))
}

/// Intercom workspaces.
struct Workspaces;

impl Configured for Workspaces {
    type Now = WorkspaceNow;
    type Form = WorkspaceForm;

    const PLURAL: &'static str = "workspaces";
    const MISSING: &'static str = "There is no such workspace.";

    fn all(app: &App) -> Vec<WorkspaceNow> {
        app.settings.workspaces()
    }

    fn now(app: &App, name: &str) -> Option<WorkspaceNow> {
        workspace_now(app, name)
    }

    fn connection(name: &str) -> Connection {
        Connection::Workspace(WorkspaceName::new(name))
    }

    fn typed_before(name: &str, now: &WorkspaceNow) -> Option<WorkspaceForm> {
        let kept = now.kept.as_ref();
        kept.map(|row| workspace_typed_before(name, &row.value))
    }

    fn take(body: &Body, form: &mut WorkspaceForm) -> Result<(), Problem> {
        body.text("name", &mut form.name)?;
        body.text("access_token", &mut form.access_token)?;
        body.text("client_secret", &mut form.client_secret)?;
        body.text("client_id", &mut form.client_id)?;
        body.text("api_url", &mut form.api_url)?;
        body.text("authorize_url", &mut form.authorize_url)
    }

    async fn written(app: &App, now: &WorkspaceNow) -> Result<Value, Problem> {
        let connection = Connection::Workspace(now.name.clone());
        let (kept, config) = (now.kept.as_ref(), now.config.as_ref());
        let row = kept.map(|row| &row.value);
        let uses = app.shared.in_use(&now.name).await?;
        let topics = needs::topics(&uses).into_iter();
        let topics: Vec<&str> = topics.map(|one| one.what).collect();
        let permissions = needs::permissions(&uses).into_iter();
        let permissions: Vec<&str> = permissions.map(|one| one.what.title()).collect();
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
                "topics": topics,
            },
            "permissions": permissions,
            "health": health::of(app, &connection).await?,
        }))
    }

    async fn add(
        app: &App,
        by: &Granted<ManageConnections>,
        form: &WorkspaceForm,
    ) -> Result<String, ChangeRefusal> {
        // With a client id and no token, a teammate gives their consent on the page.
        let by_consent = form.access_token.trim().is_empty() && !form.client_id.trim().is_empty();
        if by_consent {
            app.settings.begin_consent(by, form).await
        } else {
            let made = app.settings.connect_workspace(by, form).await?;
            Ok(made.name)
        }
    }

    async fn change(
        app: &App,
        by: &Granted<ManageConnections>,
        from: (&str, i64),
        form: &WorkspaceForm,
    ) -> Result<(), ChangeRefusal> {
        app.settings
            .change_workspace(by, from, form)
            .await
            .map(drop)
    }
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
        answer::<Workspaces>(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// The teammates as whom can be written.
async fn teammates(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<ManageConnections>,
) -> Result<Json<Value>, Problem> {
    known::<Workspaces>(&app, &name)?;
    let found = app.settings.teammates(&WorkspaceName::new(name)).await;
    let found = found.map_err(|words| Problem::new(StatusCode::BAD_GATEWAY, "far_side", words))?;
    let items = found
        .iter()
        .map(|one| json!({ "id": one.id, "name": one.name, "email": one.email }));
    Ok(Json(json!({ "items": items.collect::<Vec<Value>>() })))
}
