//! The audit log: who changed what.

use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ReadAudit, What};
use bowline_store::access::{AuditFilter, AuditView};
use serde_json::json;

use crate::App;
use crate::caller::Caller;
use crate::component::Select;
use crate::error::{PageError, html};
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::words::csv_line;

/// Entries on a page.
const ROWS: usize = 50;

/// Entries that are read at once for an export.
const EXPORTED_AT_ONCE: usize = 1_000;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    what: Select,
    exported: String,
    rows: Vec<Row>,
    older: Option<String>,
    first: bool,
}

struct Row {
    at: When,
    who: String,
    what: String,
    subject: String,
    detail: String,
}

pub(crate) fn filter(query: &Query, limit: usize) -> AuditFilter {
    AuditFilter {
        before: query.get("before").and_then(|id| id.parse().ok()),
        what: query
            .get("what")
            .and_then(What::from_word)
            .map(|what| what.as_str().to_owned()),
        account: None,
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

fn title(what: &str) -> String {
    What::from_word(what).map_or_else(|| what.to_owned(), |what| what.title().to_owned())
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    query: Query,
) -> Result<Response, PageError> {
    let mut views = app
        .access
        .audit(&caller.granted, &filter(&query, ROWS + 1))
        .await?;
    let more = views.len() > ROWS;
    views.truncate(ROWS);
    let older = views.last().filter(|_| more);
    let older = older.map(|view| query.with("/audit", "before", &view.id.to_string()));
    let kinds = What::ALL
        .into_iter()
        .map(|what| (what.as_str().to_owned(), what.title().to_owned()));
    let all = std::iter::once((String::new(), "Everything".to_owned()));
    let page = AuditPage {
        shell: caller.shell("Audit log", Place::Audit),
        what: Select::new("what", "What", all.chain(kinds), query.text("what")),
        exported: query.without(&["before"]),
        first: query.get("before").is_none(),
        rows: views
            .into_iter()
            .map(|view| row(view, &caller.reader))
            .collect(),
        older,
    };
    Ok(html(&page))
}

fn row(view: AuditView, reader: &Reader) -> Row {
    let entry = view.entry;
    Row {
        at: reader.when(entry.at),
        who: entry.who,
        what: title(&entry.what),
        subject: entry.subject,
        detail: entry.detail,
    }
}

/// All entries that are asked for, read a part at a time.
async fn all(
    app: &App,
    caller: &Caller<ReadAudit>,
    query: &Query,
) -> Result<Vec<AuditView>, PageError> {
    let mut filter = filter(query, EXPORTED_AT_ONCE);
    let mut all = Vec::new();
    loop {
        let part = app.access.audit(&caller.granted, &filter).await?;
        let full = part.len() == EXPORTED_AT_ONCE;
        filter.before = part.last().map(|view| view.id);
        all.extend(part);
        if !full {
            return Ok(all);
        }
    }
}

fn iso(at: bowline_domain::time::Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

pub(crate) async fn export_csv(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    query: Query,
) -> Result<Response, PageError> {
    let mut text = csv_line(["id", "at", "who", "what", "subject", "detail"]);
    for AuditView { id, entry } in all(&app, &caller, &query).await? {
        let (id, at) = (id.to_string(), iso(entry.at));
        text.push_str(&csv_line([
            id.as_str(),
            &at,
            &entry.who,
            &entry.what,
            &entry.subject,
            &entry.detail,
        ]));
    }
    Ok(download("text/csv; charset=utf-8", "audit.csv", text))
}

pub(crate) async fn export_json(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    query: Query,
) -> Result<Response, PageError> {
    let entries: Vec<serde_json::Value> = all(&app, &caller, &query)
        .await?
        .into_iter()
        .map(|AuditView { id, entry }| {
            json!({
                "id": id,
                "at": iso(entry.at),
                "who": entry.who,
                "what": entry.what,
                "subject": entry.subject,
                "detail": entry.detail,
            })
        })
        .collect();
    let text = serde_json::Value::Array(entries).to_string();
    Ok(download("application/json", "audit.json", text))
}

/// A file to keep.
pub(crate) fn download(kind: &'static str, name: &str, text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"bowline-{name}\""),
        ),
    ];
    (headers, text).into_response()
}
