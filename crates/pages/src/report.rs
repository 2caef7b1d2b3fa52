//! The report of what is asked for: each issue with how many conversations are linked to it.

use axum::BoxError;
use axum::extract::State;
use axum::response::Response;
use bowline_access::Look;
use bowline_domain::ids::{IssueId, IssueKey, SiteName};
use bowline_store::Store;
use bowline_store::browse::Asked;
use serde_json::{Value, json};

use crate::App;
use crate::caller::Caller;
use crate::export::{self, EXPORTED_AT_ONCE, Rows, iso};

/// All issues that somebody asks for.
struct AllAsked {
    store: Store,
    after: Option<(SiteName, IssueId)>,
    over: bool,
}

impl AllAsked {
    fn of(app: &App) -> Self {
        Self {
            store: app.shared.store.clone(),
            after: None,
            over: false,
        }
    }
}

/// One issue of the report, as JSON.
pub(crate) fn asked_json(asked: &Asked) -> Value {
    json!({
        "site": asked.site.as_str(),
        "issue_id": asked.issue.as_str(),
        "issue": asked.key.as_ref().map(IssueKey::as_str),
        "summary": asked.summary,
        "conversations": asked.conversations,
        "last_linked": iso(asked.last_at),
    })
}

impl Rows for AllAsked {
    type Row = Asked;
    const COLUMNS: &'static [&'static str] = &[
        "site",
        "issue_id",
        "issue",
        "summary",
        "conversations",
        "last_linked",
    ];

    async fn next(&mut self) -> Result<Vec<Asked>, BoxError> {
        if self.over {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(EXPORTED_AT_ONCE).unwrap_or(i64::MAX);
        let part = self.store.asked_page(self.after.as_ref(), limit).await?;
        self.over = part.len() < EXPORTED_AT_ONCE;
        self.after = part
            .last()
            .map(|last| (last.site.clone(), last.issue.clone()));
        Ok(part)
    }

    fn cells(asked: &Asked) -> Vec<String> {
        vec![
            asked.site.to_string(),
            asked.issue.to_string(),
            asked
                .key
                .as_ref()
                .map_or_else(String::new, IssueKey::to_string),
            asked.summary.clone().unwrap_or_default(),
            asked.conversations.to_string(),
            iso(asked.last_at),
        ]
    }

    fn json(asked: &Asked) -> Value {
        asked_json(asked)
    }
}

pub(crate) async fn export_csv(State(app): State<App>, _caller: Caller<Look>) -> Response {
    export::csv(AllAsked::of(&app), "report")
}

pub(crate) async fn export_json(State(app): State<App>, _caller: Caller<Look>) -> Response {
    export::json(AllAsked::of(&app), "report")
}
