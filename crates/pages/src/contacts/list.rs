//! The list of people.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{ManageContacts, SeeContacts};
use bowline_domain::contacts::field::{FieldName, KNOWN};
use bowline_domain::ids::WorkspaceName;
use bowline_store::contacts::Contact;

use super::import::imported;
use super::{contact_query, state, value_text, workspaces};
use crate::App;
use crate::caller::Caller;
use crate::component::{Choice, Field, Lozenge, Select};
use crate::error::{PageError, html};
use crate::notice;
use crate::query::Query;
use crate::reader::Reader;
use crate::shell::{Place, Shell};

/// People on a page.
const ROWS: usize = 50;

/// Attributes of the workspace's own that can be chosen as columns.
const CUSTOM_MAX: usize = 40;

/// Columns that are shown unless others are chosen.
const USUAL: [&str; 3] = ["email", "companies", "last_seen_at"];

#[derive(Template)]
#[template(path = "contacts.html")]
struct ContactsPage {
    shell: Shell,
    none: bool,
    workspace: Option<Select>,
    words: Field,
    role: Select,
    which: Select,
    columns: Vec<Choice>,
    heads: Vec<String>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    exported: Option<String>,
    filtered: bool,
    company: Option<String>,
    none_ticked: bool,
    counted: Option<String>,
    manages: bool,
}

struct Row {
    name: String,
    path: String,
    state: Lozenge,
    cells: Vec<String>,
}

/// Under what the columns that somebody chose are kept.
const COLUMNS: &str = "contacts.columns";

/// Between the names of columns where they are kept.
const BETWEEN: char = '\n';

/// The longest list of columns that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 8 * 1_024;

/// The columns that are asked for, without doubles.
fn asked_for(query: &Query) -> Vec<String> {
    let mut seen = BTreeSet::new();
    query
        .all("column")
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .take(KNOWN.len() + CUSTOM_MAX)
        .collect()
}

/// Says in an address that columns were chosen, even if none was.
const CHOOSING: &str = "columns";

/// Were columns chosen, and none ticked?
fn none_ticked(query: &Query) -> bool {
    query.get(CHOOSING).is_some() && asked_for(query).is_empty()
}

/// The columns that are shown: those that are asked for, which are kept for the next time; or those
/// that this person chose the last time. The usual ones where none was ticked.
async fn chosen(
    app: &App,
    caller: &Caller<SeeContacts>,
    query: &Query,
) -> Result<Vec<String>, PageError> {
    let asked = if none_ticked(query) {
        usual()
    } else {
        asked_for(query)
    };
    let store = &app.shared.store;
    let Some(account) = caller.who().account() else {
        return Ok(if asked.is_empty() { usual() } else { asked });
    };
    let kept = store.choice(account, COLUMNS).await?;
    let kept: Option<Vec<String>> =
        kept.map(|text| text.split(BETWEEN).map(str::to_owned).collect());
    if asked.is_empty() {
        return Ok(kept.unwrap_or_else(usual));
    }
    let text = asked.join(&BETWEEN.to_string());
    if kept.as_ref() != Some(&asked) && text.len() <= KEPT_BYTES_MAX {
        store.keep_choice(account, COLUMNS, text).await?;
    }
    Ok(asked)
}

fn usual() -> Vec<String> {
    USUAL.map(str::to_owned).to_vec()
}

/// What may be chosen as a column: what everyone has, and what these people have.
fn choices(shown: &[Contact], chosen: &[String]) -> Vec<Choice> {
    let known = KNOWN
        .iter()
        .filter(|known| known.name != FieldName::NAME)
        .map(|known| known.name.to_owned());
    let own: BTreeSet<String> = shown
        .iter()
        .flat_map(|contact| contact.profile.names())
        .map(|name| name.as_str().to_owned())
        .filter(|name| KNOWN.iter().all(|known| known.name != name))
        .chain(
            chosen
                .iter()
                .filter(|name| name.starts_with("custom."))
                .cloned(),
        )
        .collect();
    known
        .chain(["companies".to_owned(), "known_since".to_owned()])
        .chain(own.into_iter().take(CUSTOM_MAX))
        .map(|value| Choice {
            chosen: chosen.contains(&value),
            title: title(&value),
            value,
        })
        .collect()
}

fn title(column: &str) -> String {
    match column {
        "companies" => "Companies".to_owned(),
        "known_since" => "Known here since".to_owned(),
        name => FieldName::new(name).title(),
    }
}

fn cell(reader: &Reader, contact: &Contact, companies: &str, column: &str) -> String {
    match column {
        "companies" => companies.to_owned(),
        "known_since" => reader.when(contact.since).text(),
        name => {
            let name = FieldName::new(name);
            let shown = contact.profile.shown(&name).value;
            shown.map_or_else(String::new, |value| value_text(reader, &name, value))
        }
    }
}

/// Who is not at Intercom is counted up to here.
const LOCAL_MAX: i64 = 10_000;

/// How many there are: of Intercom as last counted, since nobody counts a million for each page; who
/// is here only, as they are at this moment.
async fn counted(
    app: &App,
    reader: &Reader,
    workspace: &WorkspaceName,
) -> Result<Option<String>, PageError> {
    let settings = app.shared.contact_settings().await?;
    let mut found = settings.into_iter();
    let sync = found.find(|setting| setting.workspace == *workspace);
    let counted = sync.and_then(|setting| Some((setting.sync.ours?, setting.sync.counted_at?)));
    let local = app
        .shared
        .store
        .local_contacts(workspace, LOCAL_MAX + 1)
        .await?;
    let here = match local {
        0 => None,
        1 => Some("1 person who is not at Intercom".to_owned()),
        some if some > LOCAL_MAX => Some(format!("more than {LOCAL_MAX} who are not at Intercom")),
        some => Some(format!("{some} people who are not at Intercom")),
    };
    let there = counted.map(|(ours, at)| {
        let at = reader.when(at).text();
        format!("{ours} people of Intercom, as counted at {at}")
    });
    Ok(match (there, here) {
        (Some(there), Some(here)) => Some(format!("{there}, and {here}.")),
        (Some(only), None) | (None, Some(only)) => Some(format!("{only}.")),
        (None, None) => None,
    })
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<SeeContacts>,
    query: Query,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let (names, workspace) = workspaces(&app, &query).await?;
    let columns = chosen(&app, &caller, &query).await?;
    let mut shown = match &workspace {
        Some(workspace) => {
            let asked = contact_query(&query, workspace.clone(), ROWS + 1);
            app.shared.store.contacts(&asked).await?
        }
        None => Vec::new(),
    };
    let more = shown.len() > ROWS;
    shown.truncate(ROWS);
    let ids: Vec<_> = shown.iter().map(|contact| contact.id).collect();
    let companies = if columns.iter().any(|column| column == "companies") {
        app.shared.store.companies_of(&ids).await?
    } else {
        Vec::new()
    };
    let rows = shown.iter().map(|contact| {
        let own: Vec<&str> = companies
            .iter()
            .filter(|(id, _)| *id == contact.id)
            .map(|(_, company)| company.name.as_str())
            .collect();
        let own = own.join(", ");
        Row {
            name: contact.name.clone(),
            path: format!("/contacts/{}", contact.id),
            state: state(contact),
            cells: columns
                .iter()
                .map(|column| cell(reader, contact, &own, column))
                .collect(),
        }
    });
    let older = shown.last().filter(|_| more);
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter()
            .map(|(word, title)| ((*word).to_owned(), (*title).to_owned()))
            .collect()
    };
    let roles = [
        ("", "Everyone"),
        ("user", "Users"),
        ("lead", "Leads"),
        ("local", "Not at Intercom"),
    ];
    let which = [
        ("", "Listed"),
        ("unclear", "Who is it?"),
        ("differs", "Differs from Intercom"),
        ("archived", "Archived"),
        ("missing", "Not found at Intercom"),
    ];
    let several = names.len() > 1;
    let chosen_name = workspace
        .as_ref()
        .map_or("", bowline_domain::ids::WorkspaceName::as_str);
    let manages = caller.who().may::<ManageContacts>();
    let begins = query.without(&["workspace", "column", CHOOSING]).is_empty();
    let counted = match &workspace {
        Some(workspace) if begins => counted(&app, reader, workspace).await?,
        _ => None,
    };
    let page = ContactsPage {
        shell: caller
            .shell("Contacts", Place::Contacts)
            .noting(notice::of(&query))
            .telling(imported(&query)),
        none: workspace.is_none(),
        workspace: several.then(|| {
            let all = names
                .iter()
                .map(|name| (name.to_string(), name.to_string()));
            Select::new("workspace", "Workspace", all, chosen_name)
        }),
        words: Field::new("q", "Name, address or number", "search")
            .with(query.text("q"))
            .filled("off")
            .optional(),
        role: Select::new("role", "Role", pairs(&roles), query.text("role")),
        which: Select::new("which", "Which", pairs(&which), query.text("which")),
        columns: choices(&shown, &columns),
        heads: columns.iter().map(|column| title(column)).collect(),
        rows: rows.collect(),
        older: older.map(|last| query.at("/contacts", "before", &last.id.to_string(), &[CHOOSING])),
        newest: query
            .get("before")
            .map(|_| format!("/contacts{}", query.without(&["before", CHOOSING]))),
        exported: manages.then(|| {
            format!(
                "/contacts/export.csv{}",
                query.without(&["before", CHOOSING])
            )
        }),
        filtered: !query
            .without(&["before", "workspace", "column", CHOOSING])
            .is_empty(),
        company: query.get("company").map(str::to_owned),
        none_ticked: none_ticked(&query),
        counted,
        manages,
    };
    Ok(html(&page))
}
