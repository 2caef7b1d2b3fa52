//! What sites and workspaces have in common here: they are listed, made, changed, tested and removed
//! the same way. Secrets go in and never come out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_access::{ChangeRefusal, Granted, Look, ManageConnections};
use bowline_domain::connection::Connection;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::desks::{Body, refused, version_of};
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::query::Query;

/// A kind of connection that is configured here.
pub(super) trait Configured: 'static {
    /// How it is configured, and how it is.
    type Now: Send + Sync;
    /// What a body fills in.
    type Form: Default + Send + Sync;

    /// Its part of an address.
    const PLURAL: &'static str;
    /// What is said of one that is not there.
    const MISSING: &'static str;

    /// All of them.
    fn all(app: &App) -> Vec<Self::Now>;

    /// The one of this name.
    fn now(app: &App, name: &str) -> Option<Self::Now>;

    /// The connection of this name.
    fn connection(name: &str) -> Connection;

    /// What was typed when it was last kept; the secrets stay.
    fn typed_before(name: &str, now: &Self::Now) -> Option<Self::Form>;

    /// Takes what the body names.
    fn take(body: &Body, form: &mut Self::Form) -> Result<(), Problem>;

    /// For programs.
    fn written(app: &App, now: &Self::Now) -> impl Future<Output = Result<Value, Problem>> + Send;

    /// Makes one, and answers its name.
    fn add(
        app: &App,
        by: &Granted<ManageConnections>,
        form: &Self::Form,
    ) -> impl Future<Output = Result<String, ChangeRefusal>> + Send;

    /// Changes the one of this name, from this version.
    fn change(
        app: &App,
        by: &Granted<ManageConnections>,
        from: (&str, i64),
        form: &Self::Form,
    ) -> impl Future<Output = Result<(), ChangeRefusal>> + Send;
}

/// The addresses that each kind has.
pub(super) fn routes<C: Configured>() -> Router<App> {
    let all = format!("/api/v1/{}", C::PLURAL);
    Router::new()
        .route(&all, get(list::<C>).post(add::<C>))
        .route(
            &format!("{all}/{{name}}"),
            get(one::<C>).patch(change::<C>).delete(remove::<C>),
        )
        .route(&format!("{all}/{{name}}/test"), post(test::<C>))
}

/// The one of this name, for programs.
pub(super) async fn answer<C: Configured>(app: &App, name: &str) -> Result<Value, Problem> {
    let now = known::<C>(app, name)?;
    C::written(app, &now).await
}

/// The one of this name.
pub(super) fn known<C: Configured>(app: &App, name: &str) -> Result<C::Now, Problem> {
    C::now(app, name).ok_or_else(|| Problem::not_found(C::MISSING))
}

async fn list<C: Configured>(
    State(app): State<App>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let mut items = Vec::new();
    for now in C::all(&app) {
        items.push(C::written(&app, &now).await?);
    }
    Ok(Json(json!({ "items": items })))
}

async fn one<C: Configured>(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    answer::<C>(&app, &name).await.map(Json)
}

async fn add<C: Configured>(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("{} {}", C::PLURAL, String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let mut form = C::Form::default();
        C::take(&Body::read(&body)?, &mut form)?;
        let name = C::add(&app, &by.0, &form).await.map_err(refused)?;
        answer::<C>(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn change<C: Configured>(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("{}/{name} {}", C::PLURAL, String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = C::now(&app, &name);
        let before = now.and_then(|now| C::typed_before(&name, &now));
        let mut form = before.unwrap_or_default();
        C::take(&body, &mut form)?;
        let changed = C::change(&app, &by.0, (&name, from), &form);
        changed.await.map_err(refused)?;
        answer::<C>(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn remove<C: Configured>(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let request = format!("remove {}/{name} {}", C::PLURAL, query.text("version"));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        answer::<C>(&app, &name).await?;
        let connection = C::connection(&name);
        let removed = app.settings.remove_connection(&by.0, (&connection, from));
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": name }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// Tries credentials and permissions now.
async fn test<C: Configured>(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
) -> Response {
    let request = format!("test {}/{name}", C::PLURAL);
    let write = Box::pin(async {
        app.settings.test(&C::connection(&name)).await;
        answer::<C>(&app, &name).await
    });
    once(&app, by.who(), &headers, &request, write).await
}
