//! The report of what is asked for: each linked issue with its conversations, the people in them,
//! their companies and what those spend.

use askama::Template;
use axum::BoxError;
use axum::extract::State;
use axum::response::Response;
use bowline_access::Look;
use bowline_domain::ids::{IssueId, IssueKey, ProjectKey, SiteName};
use bowline_store::Store;
use bowline_store::asked::{Asked, AskedCursor, AskedOrder, AskedQuery};
use serde_json::{Value, json};

use crate::App;
use crate::caller::Caller;
use crate::component::{Ref, Select};
use crate::contacts::amount;
use crate::deliveries::projects;
use crate::error::{PageError, html};
use crate::export::{self, EXPORTED_AT_ONCE, Rows, iso};
use crate::links::issue_ref;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

/// Issues on a page.
const ROWS: usize = 50;

/// How many issues that are not wholly known are counted at most; above it the page says “more
/// than”.
const UNKNOWN_MAX: i64 = 10_000;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    shell: Shell,
    site: Select,
    project: Select,
    status: Select,
    state: Select,
    sort: &'static str,
    order: &'static str,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Issues of which not everybody is known yet, in words.
    unknown: Option<String>,
    older: Option<String>,
    first: Option<String>,
    exported: String,
    filtered: bool,
}

/// The head of a column that the report can be sorted by.
struct Column {
    title: &'static str,
    path: String,
    /// What `aria-sort` says, if it is sorted by this one.
    sorted: Option<&'static str>,
}

struct Row {
    issue: Ref,
    summary: String,
    /// The name of its status; empty if it is not known.
    status: String,
    conversations: i64,
    contacts: i64,
    companies: i64,
    spend: String,
    last: When,
    unread: i64,
}

/// What an address asks of the report. Without a word about it, it is sorted by `usual`.
///
/// # Errors
/// In words: what cannot be understood.
pub(crate) fn asked_query(
    query: &Query,
    usual: AskedOrder,
    limit: usize,
) -> Result<AskedQuery, String> {
    let order = match query.get("sort") {
        None => usual,
        Some(word) => AskedOrder::from_word(word).ok_or_else(|| {
            let words = AskedOrder::ALL.map(AskedOrder::word).join(", ");
            format!("“sort” is one of {words}.")
        })?,
    };
    let ascending = match query.get("order") {
        None => order == AskedOrder::Issue,
        Some("asc") => true,
        Some("desc") => false,
        Some(_) => return Err("“order” is asc or desc.".to_owned()),
    };
    let live = match query.get("state") {
        None | Some("linked") => true,
        Some("ended") => false,
        Some(_) => return Err("“state” is linked or ended.".to_owned()),
    };
    let (mut site, mut project) = (query.get("site").map(SiteName::new), None);
    if let Some(text) = query.get("project") {
        let (of, key) = text
            .split_once('/')
            .ok_or_else(|| "“project” is a site and a project, SITE/PROJECT.".to_owned())?;
        if site.as_ref().is_some_and(|site| site.as_str() != of) {
            return Err(format!("The project {text} is not of that site."));
        }
        site = Some(SiteName::new(of));
        project = Some(ProjectKey::new(key));
    }
    let after = query.get("after").map(|text| {
        read_cursor(text).ok_or_else(|| "“after” is no place that a page ended at.".to_owned())
    });
    Ok(AskedQuery {
        site,
        project,
        status: query.get("status").map(str::to_owned),
        live,
        order,
        ascending,
        after: after.transpose()?,
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    })
}

/// A place in the report, as it stands in an address.
pub(crate) fn cursor_text(cursor: &AskedCursor, order: AskedOrder) -> String {
    let (site, issue) = (cursor.site.as_str(), cursor.issue.as_str());
    match order {
        AskedOrder::Issue => json!([site, issue]),
        _ => json!([cursor.value, site, issue]),
    }
    .to_string()
}

fn read_cursor(text: &str) -> Option<AskedCursor> {
    let short = || serde_json::from_str(text).map(|(site, issue)| (0, site, issue));
    let whole = serde_json::from_str(text).or_else(|_| short());
    let (value, site, issue): (i64, String, String) = whole.ok()?;
    Some(AskedCursor {
        value,
        site: SiteName::new(site),
        issue: IssueId::new(issue),
    })
}

fn sites(app: &App) -> Vec<(String, String)> {
    let mut known: Vec<String> = app
        .shared
        .bindings_now()
        .into_iter()
        .map(|binding| binding.site.to_string())
        .collect();
    known.sort_unstable();
    known.dedup();
    let all = std::iter::once((String::new(), "Any site".to_owned()));
    all.chain(known.into_iter().map(|site| (site.clone(), site)))
        .collect()
}

/// The statuses to choose from. One that no issue has any more stays chosen.
async fn statuses(app: &App, asked: &AskedQuery) -> Result<Select, PageError> {
    let chosen = asked.status.as_deref().unwrap_or_default();
    let mut known = app.shared.store.asked_statuses(asked.live).await?;
    if !chosen.is_empty() && !known.iter().any(|status| status == chosen) {
        known.push(chosen.to_owned());
    }
    let all = std::iter::once((String::new(), "Any status".to_owned()));
    let known = known.into_iter().map(|status| (status.clone(), status));
    Ok(Select::new("status", "Status", all.chain(known), chosen))
}

fn columns(query: &Query, asked: &AskedQuery) -> Vec<Column> {
    let column = |title, order: AskedOrder| {
        let mine = asked.order == order;
        let turned = if mine && !asked.ascending || !mine && order == AskedOrder::Issue {
            "asc"
        } else {
            "desc"
        };
        let path = query.with("/links/report", "sort", order.word());
        let path = path.replace("&order=asc", "").replace("&order=desc", "");
        let path = path
            .replace("?order=asc&", "?")
            .replace("?order=desc&", "?");
        let sorted = if asked.ascending {
            "ascending"
        } else {
            "descending"
        };
        Column {
            title,
            path: format!("{}&order={turned}", without_after(&path)),
            sorted: mine.then_some(sorted),
        }
    };
    vec![
        column("Issue", AskedOrder::Issue),
        column("Conversations", AskedOrder::Conversations),
        column("Contacts", AskedOrder::Contacts),
        column("Companies", AskedOrder::Companies),
        column("Monthly spend", AskedOrder::Spend),
        column("Last asked", AskedOrder::Last),
    ]
}

/// Another order begins at its beginning.
fn without_after(path: &str) -> String {
    let Some((place, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let parts = query.split('&').filter(|part| !part.starts_with("after="));
    format!("{place}?{}", parts.collect::<Vec<_>>().join("&"))
}

fn unknown_words(issues: i64) -> Option<String> {
    let many = match issues {
        0 => return None,
        1 => "1 issue".to_owned(),
        UNKNOWN_MAX.. => format!("more than {UNKNOWN_MAX} issues"),
        few => format!("{few} issues"),
    };
    Some(many)
}

/// Shows the report.
pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let asked = asked_query(&query, AskedOrder::Conversations, ROWS + 1)
        .map_err(|words| PageError::bad_form(&words))?;
    let store = &app.shared.store;
    let mut rows = store.asked_page(&asked).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    // Who looks at an issue wants to know it now.
    let unknown: Vec<(SiteName, IssueId)> = rows
        .iter()
        .filter(|row| row.unread > 0)
        .map(|row| (row.site.clone(), row.issue.clone()))
        .collect();
    if !unknown.is_empty() {
        store.hasten_asked(unknown).await?;
    }
    let known = store.asked_known().await?;
    let older = rows.last().filter(|_| more).map(|last| {
        let cursor = AskedCursor::after(last, asked.order);
        let place = cursor_text(&cursor, asked.order);
        query.with("/links/report", "after", &place)
    });
    let states = [("", "Linked now"), ("ended", "Linked before, not now")];
    let states = states.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let chosen = match query.text("state") {
        "ended" => "ended",
        _ => "",
    };
    let page = ReportPage {
        shell: caller.shell("Report", Place::Links),
        site: Select::new("site", "Site", sites(&app), query.text("site")),
        project: Select::new("project", "Project", projects(&app), query.text("project")),
        status: statuses(&app, &asked).await?,
        state: Select::new("state", "Links", states, chosen),
        sort: asked.order.word(),
        order: if asked.ascending { "asc" } else { "desc" },
        columns: columns(&query, &asked),
        rows: rows
            .into_iter()
            .map(|row| Row {
                issue: issue_ref(&app, &row.site, &row.issue, row.key.as_ref()),
                summary: row.summary.unwrap_or_default(),
                status: row.status,
                conversations: row.conversations,
                contacts: row.contacts,
                companies: row.companies,
                spend: amount(row.spend),
                last: reader.when(row.last_at),
                unread: row.unread,
            })
            .collect(),
        unknown: unknown_words(known.issues),
        older,
        first: query
            .get("after")
            .map(|_| format!("/links/report{}", query.without(&["after"]))),
        exported: query.without(&["after"]),
        filtered: !query.without(&["after", "sort", "order"]).is_empty(),
    };
    Ok(html(&page))
}

/// All issues that are asked for.
struct AllAsked {
    store: Store,
    asked: Option<AskedQuery>,
}

impl AllAsked {
    fn of(app: &App, query: &Query) -> Result<Self, PageError> {
        let asked = asked_query(query, AskedOrder::Issue, EXPORTED_AT_ONCE);
        let asked = asked.map_err(|words| PageError::bad_form(&words))?;
        Ok(Self {
            store: app.shared.store.clone(),
            asked: Some(asked),
        })
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
        "contacts": asked.contacts,
        "companies": asked.companies,
        "monthly_spend": amount(asked.spend),
        "not_read": asked.unread,
        "status": Some(asked.status.as_str()).filter(|status| !status.is_empty()),
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
        "contacts",
        "companies",
        "monthly_spend",
        "not_read",
        "status",
    ];

    async fn next(&mut self) -> Result<Vec<Asked>, BoxError> {
        let Some(asked) = &mut self.asked else {
            return Ok(Vec::new());
        };
        let part = self.store.asked_page(asked).await?;
        asked.after = part
            .last()
            .map(|last| AskedCursor::after(last, asked.order));
        if part.len() < EXPORTED_AT_ONCE {
            self.asked = None;
        }
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
            asked.contacts.to_string(),
            asked.companies.to_string(),
            amount(asked.spend),
            asked.unread.to_string(),
            asked.status.clone(),
        ]
    }

    fn json(asked: &Asked) -> Value {
        asked_json(asked)
    }
}

pub(crate) async fn export_csv(
    State(app): State<App>,
    _caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    Ok(export::csv(AllAsked::of(&app, &query)?, "report"))
}

pub(crate) async fn export_json(
    State(app): State<App>,
    _caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    Ok(export::json(AllAsked::of(&app, &query)?, "report"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_report_survives_the_address() {
        let cursor = AskedCursor {
            value: 7,
            site: "acme".into(),
            issue: "10001".into(),
        };
        let text = cursor_text(&cursor, AskedOrder::Spend);
        assert_eq!(read_cursor(&text), Some(cursor.clone()));
        let text = cursor_text(&cursor, AskedOrder::Issue);
        assert_eq!(text, "[\"acme\",\"10001\"]", "as it was before");
        assert_eq!(read_cursor(&text), Some(AskedCursor { value: 0, ..cursor }));
        assert_eq!(read_cursor("x"), None);
    }

    #[test]
    fn another_order_begins_at_its_beginning() {
        for (path, wanted) in [
            ("/r?after=1&sort=spend", "/r?sort=spend"),
            ("/r?site=a&after=1&sort=spend", "/r?site=a&sort=spend"),
            ("/r?sort=spend", "/r?sort=spend"),
        ] {
            assert_eq!(without_after(path), wanted);
        }
    }
}
