//! The account of a token's own owner: sessions, password, second factor.
//!
//! What is a secret is not part of a write's name: a digest of it would be kept. And an answer that
//! holds one is told once.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{Door, FactorState, OwnAccount, Visit};
use serde_json::{Value, json};

use super::caller::{Bearer, Come};
use super::parts::{Part, whole};
use super::people::{began, body, identity, refused, session, who};
use super::problem::Problem;
use super::writes::{Answered, once, once_secret};
use crate::App;
use crate::query::Query;

/// The owner of a token, as if they were signed in by it.
fn visit(by: &Bearer<OwnAccount>) -> Result<Visit, Problem> {
    Visit::by_token(by.who()).ok_or_else(|| {
        let detail = "The token has no owner.";
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    })
}

pub(super) async fn own(
    State(app): State<App>,
    by: Bearer<OwnAccount>,
) -> Result<Json<Value>, Problem> {
    let visit = visit(&by)?;
    let (access, may) = (&app.access, &by.0);
    let codes_left = match access.own_second_factor(may, &visit).await? {
        FactorState::Off => None,
        FactorState::On { codes_left } => Some(codes_left),
    };
    let joined = access.own_identity(may, &visit).await?;
    let mut value = who(&visit.person);
    value["has_password"] = json!(access.has_password(may, &visit).await?);
    value["second_factor"] = json!(codes_left.is_some());
    value["recovery_codes_left"] = json!(codes_left);
    value["joined"] = json!(joined.as_ref().map(identity));
    Ok(Json(value))
}

pub(super) async fn sessions(
    State(app): State<App>,
    by: Bearer<OwnAccount>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let visit = visit(&by)?;
    let Some(part) = Part::asked(&query)? else {
        let sessions = app.access.own_sessions(&by.0, &visit).await?;
        return Ok(Json(whole(&sessions, session)));
    };
    let after = part.after.as_ref();
    let read = app
        .access
        .own_sessions_part(&by.0, &visit, after, part.read())
        .await?;
    Ok(Json(part.told(read, began, session)))
}

pub(super) async fn end_session(
    State(app): State<App>,
    Path(id): Path<String>,
    by: Bearer<OwnAccount>,
    headers: HeaderMap,
) -> Response {
    let write = async {
        let ended = app.access.end_own_session(&by.0, &visit(&by)?, &id).await?;
        if ended {
            Ok(json!({ "id": id }))
        } else {
            Err(Problem::not_found("There is no such session of yours."))
        }
    };
    let request = format!("end session {id}");
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}

/// A text of a body.
fn text(bytes: &[u8], name: &str) -> Result<String, Problem> {
    let body = body(bytes)?;
    let text = body.get(name).and_then(Value::as_str);
    text.map(ToOwned::to_owned)
        .ok_or_else(|| Problem::invalid(format!("Send {{\"{name}\": \"…\"}}: a text.")))
}

pub(super) async fn change_password(
    State(app): State<App>,
    Come(door): Come,
    by: Bearer<OwnAccount>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let write = async {
        let (present, new) = (text(&bytes, "present")?, text(&bytes, "password")?);
        let visit = visit(&by)?;
        let changed = app
            .access
            .change_own_password(&by.0, &visit, &present, &new, &door);
        changed.await.map_err(refused)?;
        Ok(json!({ "changed": true }))
    };
    once(&app, by.who(), &headers, "password", Box::pin(write)).await
}

pub(super) async fn begin_second_factor(
    State(app): State<App>,
    Come(door): Come,
    by: Bearer<OwnAccount>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let write = Box::pin(begun(&app, &by, &door, &bytes));
    once_secret(&app, by.who(), &headers, "begin second factor", write).await
}

async fn begun(
    app: &App,
    by: &Bearer<OwnAccount>,
    door: &Door,
    bytes: &[u8],
) -> Result<Answered, Problem> {
    let (present, visit) = (text(bytes, "present")?, visit(by)?);
    let setup = app
        .access
        .begin_second_factor(&by.0, &visit, &present, door);
    let setup = setup.await.map_err(refused)?;
    Ok(Answered {
        told: json!({ "secret": setup.secret, "address": setup.address }),
        kept: json!({ "secret": null, "address": null }),
    })
}

pub(super) async fn confirm_second_factor(
    State(app): State<App>,
    by: Bearer<OwnAccount>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let write = async {
        let (code, visit) = (text(&bytes, "code")?, visit(&by)?);
        let codes = app.access.confirm_second_factor(&by.0, &visit, &code).await;
        Ok(Answered {
            told: json!({ "recovery_codes": codes.map_err(refused)? }),
            kept: json!({ "recovery_codes": null }),
        })
    };
    let request = "confirm second factor";
    once_secret(&app, by.who(), &headers, request, Box::pin(write)).await
}

pub(super) async fn remove_second_factor(
    State(app): State<App>,
    Come(door): Come,
    by: Bearer<OwnAccount>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let write = async {
        let (present, visit) = (text(&bytes, "present")?, visit(&by)?);
        let removed = app
            .access
            .remove_own_second_factor(&by.0, &visit, &present, &door);
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": true }))
    };
    let request = "remove own second factor";
    once(&app, by.who(), &headers, request, Box::pin(write)).await
}
