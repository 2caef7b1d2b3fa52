//! The report of what is asked for, for scripts.

use axum::Json;
use axum::extract::State;
use bowline_access::Look;
use bowline_domain::ids::{IssueId, SiteName};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use crate::App;
use crate::query::Query;
use crate::report::asked_json;

/// Issues on a page.
const ISSUES: usize = 200;

pub(super) async fn issues(
    State(app): State<App>,
    _by: Bearer<Look>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let after = match query.get("after") {
        None => None,
        Some(text) => {
            let (site, issue): (String, String) = serde_json::from_str(text)
                .map_err(|_| Problem::invalid("“after” is no place that a page ended at."))?;
            Some((SiteName::new(site), IssueId::new(issue)))
        }
    };
    let limit = i64::try_from(ISSUES + 1).unwrap_or(i64::MAX);
    let mut rows = app.shared.store.asked_page(after.as_ref(), limit).await?;
    let more = rows.len() > ISSUES;
    rows.truncate(ISSUES);
    let next = rows.last().filter(|_| more);
    let next = next.map(|last| json!([last.site.as_str(), last.issue.as_str()]).to_string());
    let items: Vec<Value> = rows.iter().map(asked_json).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}
