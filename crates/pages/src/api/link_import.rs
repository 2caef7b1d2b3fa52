//! Importing links, for scripts: from a file, or from Jira's own record.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::ChangeLinks;
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::link_import::{for_script, recorded};

pub(super) async fn import(
    State(app): State<App>,
    by: Bearer<ChangeLinks>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("import links {}", String::from_utf8_lossy(&body));
    let write = Box::pin(imported(&app, &by, &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn imported(app: &App, by: &Bearer<ChangeLinks>, body: &[u8]) -> Result<Value, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let make = body.get("dry_run") != Some(&Value::Bool(true));
    let (file, words) = match (text("file"), text("from")) {
        (Some(file), None) => (file.to_owned(), None),
        (None, Some(from)) => {
            let found = recorded(app, from).await?.map_err(Problem::invalid)?;
            if found.none {
                return Ok(nothing(make, &found.words));
            }
            (found.text, Some(found.words))
        }
        _ => {
            return Err(Problem::invalid(
                "Send {\"file\": \"…\", \"dry_run\": true} with the text of a file, or \
                 {\"from\": \"acme-jira/ENG\"} for what Jira has a record of.",
            ));
        }
    };
    let came = for_script(app, by.who(), &file, make).await?;
    let mut came = came.map_err(Problem::invalid)?;
    came["found"] = json!(words);
    Ok(came)
}

fn nothing(made: bool, words: &str) -> Value {
    json!({
        "made": made,
        "links": 0,
        "linked_already": 0,
        "left_out": 0,
        "rows": [],
        "more_rows": 0,
        "found": words,
    })
}
