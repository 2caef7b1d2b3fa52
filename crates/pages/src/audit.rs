//! The audit log: who changed what.

use askama::Template;
use axum::BoxError;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{Access, Granted, ReadAudit, What};
use bowline_store::access::{AuditFilter, AuditView};
use serde_json::{Value, json};

use crate::App;
use crate::caller::Caller;
use crate::component::Select;
use crate::error::{PageError, html};
use crate::export::{self, EXPORTED_AT_ONCE, Rows, iso};
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Entries on a page.
const ROWS: usize = 50;

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

/// All entries that are asked for.
struct AllEntries {
    access: Access,
    granted: Granted<ReadAudit>,
    filter: Option<AuditFilter>,
}

impl AllEntries {
    fn of(app: &App, caller: Caller<ReadAudit>, query: &Query) -> Self {
        Self {
            access: app.access.clone(),
            granted: caller.granted,
            filter: Some(filter(query, EXPORTED_AT_ONCE)),
        }
    }
}

impl Rows for AllEntries {
    type Row = AuditView;
    const COLUMNS: &'static [&'static str] = &["id", "at", "who", "what", "subject", "detail"];

    async fn next(&mut self) -> Result<Vec<AuditView>, BoxError> {
        let Some(filter) = &mut self.filter else {
            return Ok(Vec::new());
        };
        let part = self.access.audit(&self.granted, filter).await?;
        filter.before = part.last().map(|view| view.id);
        if part.len() < EXPORTED_AT_ONCE {
            self.filter = None;
        }
        Ok(part)
    }

    fn cells(AuditView { id, entry }: &AuditView) -> Vec<String> {
        vec![
            id.to_string(),
            iso(entry.at),
            entry.who.clone(),
            entry.what.clone(),
            entry.subject.clone(),
            entry.detail.clone(),
        ]
    }

    fn json(AuditView { id, entry }: &AuditView) -> Value {
        json!({
            "id": id,
            "at": iso(entry.at),
            "who": entry.who,
            "what": entry.what,
            "subject": entry.subject,
            "detail": entry.detail,
        })
    }
}

pub(crate) async fn export_csv(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    query: Query,
) -> Response {
    export::csv(AllEntries::of(&app, caller, &query), "audit")
}

pub(crate) async fn export_json(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    query: Query,
) -> Response {
    export::json(AllEntries::of(&app, caller, &query), "audit")
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
