//! The app itself, teammates and companies.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::Answer;
use super::body::Body;
use crate::intercom::error::ApiError;
use crate::intercom::json as shape;
use crate::intercom::sandbox::Sandbox;

pub(super) async fn me(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.with(|state, _| {
        let owner = &sandbox.config().admins;
        let owner = owner.first().ok_or_else(ApiError::admin_not_found)?;
        Ok(Json(shape::me(state, owner)))
    })
}

pub(super) async fn admins(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.with(|state, _| {
        let admins: Vec<Value> = state.admins.iter().map(shape::admin).collect();
        Ok(Json(json!({ "type": "admin.list", "admins": admins })))
    })
}

pub(super) async fn admin(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| {
        let found = state.admins.iter().find(|admin| admin.id == id);
        let found = found.ok_or_else(|| ApiError::missing("admin_not_found", "Admin not found"))?;
        Ok(Json(shape::admin(found)))
    })
}

/// `POST /auth/uninstall`: the token is worth nothing from now on.
pub(super) async fn uninstall(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.revoke_token();
    StatusCode::OK
}

/// `POST /auth/eagle/token`: a code, good once, for the token. Form or JSON. The shape of its
/// errors is not documented; the message is.
pub(super) async fn exchange_token(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    let field = |name: &str| -> Option<String> {
        if json {
            let value: Value = serde_json::from_slice(&body).ok()?;
            return value[name].as_str().map(str::to_owned);
        }
        let mut pairs = url::form_urlencoded::parse(&body);
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let config = sandbox.config();
    let known = field("client_id").as_ref() == Some(&config.client_id)
        && field("client_secret").as_ref() == Some(&config.client_secret);
    let code = field("code").unwrap_or_default();
    let token = sandbox.with(|state, _| {
        if !known || !state.codes.remove(&code) {
            return None;
        }
        // Installing again revives the app with the token it is set up with.
        let token = state
            .token
            .get_or_insert_with(|| config.access_token.clone());
        Some(token.clone())
    });
    match token {
        Some(token) => {
            Json(json!({ "token_type": "Bearer", "token": token, "access_token": token }))
                .into_response()
        }
        None => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Unauthorized Code",
        )
        .into_response(),
    }
}

/// `GET /companies`: all on one page.
pub(super) async fn companies(State(sandbox): State<Sandbox>) -> Answer {
    sandbox.with(|state, _| {
        let list = state.companies.iter();
        let list: Vec<Value> = list.map(|company| shape::company(state, company)).collect();
        let total = list.len();
        let pages =
            json!({ "type": "pages", "page": 1, "per_page": 15, "total_pages": 1, "next": null });
        Ok(Json(
            json!({ "type": "list", "data": list, "pages": pages, "total_count": total }),
        ))
    })
}

pub(super) async fn company(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| {
        let found = state.companies.iter().find(|company| company.id == id);
        let missing = || ApiError::missing("company_not_found", "Company Not Found");
        Ok(Json(shape::company(state, found.ok_or_else(missing)?)))
    })
}

/// Reads a teammate's id from a body and makes sure that there is such a teammate.
pub(super) fn acting_admin(sandbox: &Sandbox, body: &Body) -> Result<String, ApiError> {
    let id = body.required_id("admin_id")?;
    sandbox.with(|state, _| state.admin(&id).map(|_| ()))?;
    Ok(id)
}
