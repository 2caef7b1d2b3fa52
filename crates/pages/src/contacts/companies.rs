//! Companies: the list, and one of them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::SeeContacts;
use bowline_domain::contacts::ids::CompanyId;
use bowline_domain::ids::WorkspaceName;
use bowline_store::contacts::{CompanyQuery, ContactQuery};

use super::{amount, value_text, workspaces};
use crate::App;
use crate::caller::{Caller, Number};
use crate::component::{Field, Select};
use crate::error::{PageError, html};
use crate::query::{Query, asking};
use crate::shell::{Place, Shell};

/// Companies on a page, and people on the page of one.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "companies.html")]
struct CompaniesPage {
    shell: Shell,
    workspace: Option<Select>,
    words: Field,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    filtered: bool,
}

struct Row {
    path: String,
    name: String,
    plan: String,
    spend: String,
    people: String,
}

#[derive(Template)]
#[template(path = "company.html")]
struct CompanyPage {
    shell: Shell,
    workspace: String,
    remote: String,
    gone: bool,
    facts: Vec<(String, String)>,
    people: Vec<(String, String, String)>,
    all: Option<String>,
}

pub(crate) fn company_query(query: &Query, workspace: WorkspaceName, limit: usize) -> CompanyQuery {
    CompanyQuery {
        workspace,
        words: query.text("q").to_owned(),
        before: query
            .get("before")
            .and_then(|id| id.parse().ok())
            .map(CompanyId),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<SeeContacts>,
    query: Query,
) -> Result<Response, PageError> {
    let (names, workspace) = workspaces(&app, &query).await?;
    let mut shown = match &workspace {
        Some(workspace) => {
            let asked = company_query(&query, workspace.clone(), ROWS + 1);
            app.shared.store.companies(&asked).await?
        }
        None => Vec::new(),
    };
    let more = shown.len() > ROWS;
    shown.truncate(ROWS);
    let older = shown.last().filter(|_| more);
    let chosen = workspace.as_ref().map_or("", WorkspaceName::as_str);
    let several = names.len() > 1;
    let page = CompaniesPage {
        shell: caller.shell("Companies", Place::Contacts),
        workspace: several.then(|| {
            let all = names
                .iter()
                .map(|name| (name.to_string(), name.to_string()));
            Select::new("workspace", "Workspace", all, chosen)
        }),
        words: Field::new("q", "Name", "search")
            .with(query.text("q"))
            .filled("off")
            .optional(),
        older: older.map(|last| query.with("/companies", "before", &last.id.to_string())),
        newest: query
            .get("before")
            .map(|_| format!("/companies{}", query.without(&["before"]))),
        filtered: query.get("q").is_some(),
        rows: shown
            .into_iter()
            .map(|company| Row {
                path: format!("/companies/{}", company.id),
                name: company.name,
                plan: company.plan.unwrap_or_default(),
                spend: company.monthly_spend.map_or_else(String::new, amount),
                people: company
                    .people
                    .map_or_else(String::new, |people| people.to_string()),
            })
            .collect(),
    };
    Ok(html(&page))
}

pub(crate) async fn one(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<SeeContacts>,
) -> Result<Response, PageError> {
    let Some(company) = app.shared.store.company(CompanyId(id)).await? else {
        return Err(caller.not_found("There is no such company."));
    };
    let asked = ContactQuery {
        company: Some(company.remote.clone()),
        ..ContactQuery::all(
            company.workspace.clone(),
            i64::try_from(ROWS + 1).unwrap_or(i64::MAX),
        )
    };
    let mut people = app.shared.store.contacts(&asked).await?;
    let more = people.len() > ROWS;
    people.truncate(ROWS);
    let mut facts = Vec::new();
    let mut fact = |title: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push((title.to_owned(), value));
        }
    };
    fact("Plan", company.plan.clone());
    fact("Spends in a month", company.monthly_spend.map(amount));
    fact(
        "People, as Intercom says",
        company.people.map(|people| people.to_string()),
    );
    for (name, value) in &company.fields {
        fact(&name.title(), Some(value_text(&caller.reader, name, value)));
    }
    let page = CompanyPage {
        shell: caller.shell(company.name.clone(), Place::Contacts),
        workspace: company.workspace.to_string(),
        all: more.then(|| asking("/contacts", "company", company.remote.as_str())),
        remote: company.remote.to_string(),
        gone: company.gone,
        facts,
        people: people
            .into_iter()
            .map(|contact| {
                (
                    format!("/contacts/{}", contact.id),
                    contact.name,
                    contact.email.unwrap_or_default(),
                )
            })
            .collect(),
    };
    Ok(html(&page))
}
