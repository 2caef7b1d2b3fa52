//! Jira sites: the same as on their pages. Secrets go in and never come out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{ChangeRefusal, Granted, Look, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_engine::Deployment;
use bowline_settings::check;
use bowline_settings::forms::SiteForm;
use bowline_settings::merge::Aside;
use bowline_settings::{HookFound, SiteNow};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::configured::{self, Configured, answer, known};
use super::desks::{Body, refused};
use super::health;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::connection::{site_now, typed_before};

pub(super) fn routes() -> Router<App> {
    configured::routes::<Sites>()
        .route("/api/v1/sites/{name}/webhook", post(hook))
        .route("/api/v1/sites/{name}/webhook-secret", post(renew))
        .route("/api/v1/sites/{name}/projects", get(projects))
}

/// Jira sites.
struct Sites;

impl Configured for Sites {
    type Now = SiteNow;
    type Form = SiteForm;

    const PLURAL: &'static str = "sites";
    const MISSING: &'static str = "There is no such site.";

    fn all(app: &App) -> Vec<SiteNow> {
        app.settings.sites()
    }

    fn now(app: &App, name: &str) -> Option<SiteNow> {
        site_now(app, name)
    }

    fn connection(name: &str) -> Connection {
        Connection::Site(SiteName::new(name))
    }

    fn typed_before(name: &str, now: &SiteNow) -> Option<SiteForm> {
        let kept = now.kept.as_ref();
        kept.map(|row| typed_before(name, &row.value))
    }

    fn take(body: &Body, form: &mut SiteForm) -> Result<(), Problem> {
        body.text("name", &mut form.name)?;
        body.text("url", &mut form.url)?;
        body.text("email", &mut form.email)?;
        body.text("token", &mut form.token)?;
        body.text("api_url", &mut form.api_url)?;
        // A program that says the day means it; of a new token of which it says none, none is known.
        form.same_end = true;
        if !form.token.is_empty() {
            form.token_ends_on.clear();
        }
        body.text("token_ends_on", &mut form.token_ends_on)
    }

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

    async fn add(
        app: &App,
        by: &Granted<ManageConnections>,
        form: &SiteForm,
    ) -> Result<String, ChangeRefusal> {
        let made = app.settings.connect_site(by, form).await?;
        Ok(made.name)
    }

    async fn change(
        app: &App,
        by: &Granted<ManageConnections>,
        from: (&str, i64),
        form: &SiteForm,
    ) -> Result<(), ChangeRefusal> {
        app.settings.change_site(by, from, form).await.map(drop)
    }
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
        known::<Sites>(&app, &name)?;
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
        answer::<Sites>(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// The projects that can be joined.
async fn projects(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    known::<Sites>(&app, &name)?;
    let found = app.settings.projects(&SiteName::new(name.as_str())).await;
    let found = found.map_err(|words| Problem::new(StatusCode::BAD_GATEWAY, "far_side", words))?;
    let items = found
        .iter()
        .map(|project| json!({ "key": project.key, "name": project.name }));
    Ok(Json(json!({ "items": items.collect::<Vec<Value>>() })))
}
