//! The report of what is asked for, for scripts.

use axum::Json;
use axum::extract::State;
use bowline_access::Look;
use bowline_store::asked::{AskedCursor, AskedOrder};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use crate::App;
use crate::query::Query;
use crate::report::{asked_json, asked_query, cursor_text};

/// Issues on a page.
const ISSUES: usize = 200;

pub(super) async fn issues(
    State(app): State<App>,
    _by: Bearer<Look>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let asked = asked_query(&query, AskedOrder::Issue, ISSUES + 1)
        .map_err(|words| Problem::invalid(&words))?;
    let mut rows = app.shared.store.asked_page(&asked).await?;
    let more = rows.len() > ISSUES;
    rows.truncate(ISSUES);
    let next = rows.last().filter(|_| more);
    let next = next.map(|last| cursor_text(&AskedCursor::after(last, asked.order), asked.order));
    let items: Vec<Value> = rows.iter().map(asked_json).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}
