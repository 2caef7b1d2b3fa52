//! The app itself, teammates and companies.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use super::body::Body;
use crate::intercom::error::ApiError;
use crate::intercom::json as shape;
use crate::intercom::sandbox::Sandbox;
use crate::intercom::state::Scroll;

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

/// Companies of a page, unless told otherwise, and at most.
const COMPANIES_PER_PAGE: usize = 15;
const COMPANIES_PER_PAGE_MAX: usize = 60;

/// Companies that the page-number lists reach.
const COMPANIES_LISTED_MAX: usize = 10_000;

/// Companies of one part of a scroll.
const SCROLL_SIZE: usize = 100;

/// How long a scroll stays open when nobody asks for more, in milliseconds.
const SCROLL_IDLE_MS: i64 = 60_000;

#[derive(Debug, Default, Deserialize)]
pub(super) struct CompanyQuery {
    page: Option<usize>,
    per_page: Option<usize>,
    scroll_param: Option<String>,
}

/// `GET /companies` and `POST /companies/list`: by page number.
pub(super) async fn companies(
    State(sandbox): State<Sandbox>,
    Query(query): Query<CompanyQuery>,
) -> Answer {
    let per_page = query.per_page.unwrap_or(COMPANIES_PER_PAGE);
    if !(1..=COMPANIES_PER_PAGE_MAX).contains(&per_page) {
        return Err(ApiError::invalid("per_page must be between 1 and 60"));
    }
    let page = query.page.unwrap_or(1).max(1);
    if (page - 1) * per_page >= COMPANIES_LISTED_MAX {
        let message = "Page out of range: use the Scroll API to list more than 10,000 companies";
        return Err(ApiError::invalid(message));
    }
    sandbox.with(|state, _| {
        let all = state.companies_with_people();
        let list: Vec<Value> = all
            .iter()
            .skip((page - 1) * per_page)
            .take(per_page)
            .map(|company| shape::company(state, company))
            .collect();
        let pages = json!({
            "type": "pages", "page": page, "per_page": per_page,
            "total_pages": all.len().div_ceil(per_page), "next": null,
        });
        Ok(Json(
            json!({ "type": "list", "data": list, "pages": pages, "total_count": all.len() }),
        ))
    })
}

/// `GET /companies/scroll`: one at a time, open for a minute.
pub(super) async fn scroll(
    State(sandbox): State<Sandbox>,
    Query(query): Query<CompanyQuery>,
) -> Answer {
    sandbox.with(|state, now| {
        let open = state
            .scroll
            .take()
            .filter(|scroll| now.ms - scroll.used_ms < SCROLL_IDLE_MS);
        let asked = query.scroll_param.filter(|param| !param.is_empty());
        let mut scroll = match (open, asked) {
            (Some(open), Some(param)) if open.param == param => open,
            (open, Some(_)) => {
                state.scroll = open;
                return Err(ApiError::missing("not_found", "scroll parameter not found"));
            }
            (Some(open), None) => {
                state.scroll = Some(open);
                let message = "scroll already exists for this workspace";
                let status = http::StatusCode::BAD_REQUEST;
                return Err(ApiError::new(status, "scroll_exists", message));
            }
            (None, None) => Scroll {
                param: crate::common::sign::random_uuid(),
                next: 0,
                used_ms: now.ms,
            },
        };
        let all = state.companies_with_people();
        let list: Vec<Value> = all
            .iter()
            .skip(scroll.next)
            .take(SCROLL_SIZE)
            .map(|company| shape::company(state, company))
            .collect();
        let answer = json!({
            "type": "list", "data": list, "pages": null, "total_count": null,
            "scroll_param": scroll.param,
        });
        // It ends with a part that is empty.
        if !list.is_empty() {
            scroll.next += list.len();
            scroll.used_ms = now.ms;
            state.scroll = Some(scroll);
        }
        Ok(Json(answer))
    })
}

pub(super) async fn company(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    sandbox.with(|state, _| {
        let missing = || ApiError::missing("company_not_found", "Company Not Found");
        let found = state.company(&id).ok_or_else(missing)?;
        Ok(Json(shape::company(state, &found)))
    })
}

/// Reads a teammate's id from a body and makes sure that there is such a teammate.
pub(super) fn acting_admin(sandbox: &Sandbox, body: &Body) -> Result<String, ApiError> {
    let id = body.required_id("admin_id")?;
    sandbox.with(|state, _| state.admin(&id).map(|_| ()))?;
    Ok(id)
}
