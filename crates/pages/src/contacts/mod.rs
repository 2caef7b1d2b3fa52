//! People and companies: the lists, a person, a company, what is switched on, files.

pub(crate) mod companies;
pub(crate) mod conflict;
pub(crate) mod export;
pub(crate) mod failed;
mod hanging;
mod hanging_on;
pub(crate) mod import;
mod issues;
pub(crate) mod list;
pub(crate) mod own;
pub(crate) mod person;
pub(crate) mod settings;

use axum::Router;
use axum::routing::{get, post};
use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::{ContactId, RemoteCompanyId};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;
use bowline_store::contacts::{Contact, ContactQuery};

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::error::PageError;
use crate::query::Query;
use crate::reader::Reader;

/// The addresses.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/contacts", get(list::page))
        .route("/contacts/export.csv", get(export::csv))
        .route("/contacts/import", get(import::page).post(import::send))
        .route("/contacts/settings", get(settings::page))
        .route("/contacts/settings/switch", post(settings::switch))
        .route("/contacts/settings/copy", post(settings::copy))
        .route("/contacts/settings/remove", post(settings::remove))
        .route("/contacts/{id}", get(person::page).post(person::edit))
        .route("/contacts/{id}/use-intercom", post(person::use_intercom))
        .route("/contacts/{id}/decide", post(person::decide))
        .route("/contacts/{id}/merge", post(person::merge))
        .route("/contacts/{id}/erase", post(person::erase))
        .route("/contacts/{id}/export.json", get(export::one))
        .route("/companies", get(companies::list))
        .route("/companies/{id}", get(companies::one))
}

/// The workspaces, and the one that is asked for: by default the first whose contacts are copied.
pub(crate) async fn workspaces(
    app: &App,
    query: &Query,
) -> Result<(Vec<WorkspaceName>, Option<WorkspaceName>), PageError> {
    let settings = app.shared.contact_settings().await?;
    let names: Vec<WorkspaceName> = settings
        .iter()
        .map(|setting| setting.workspace.clone())
        .collect();
    let asked = query
        .get("workspace")
        .and_then(|name| names.iter().find(|known| known.as_str() == name));
    let on = settings
        .iter()
        .find(|setting| setting.on || setting.sync.copied_at.is_some());
    let chosen = asked
        .or_else(|| on.map(|setting| &setting.workspace))
        .or_else(|| names.first());
    Ok((names.clone(), chosen.cloned()))
}

/// What the list is asked for.
pub(crate) fn contact_query(query: &Query, workspace: WorkspaceName, limit: usize) -> ContactQuery {
    let which = query.text("which");
    let role = match query.text("role") {
        word @ ("user" | "lead" | "local") => Some(word.to_owned()),
        _ => None,
    };
    ContactQuery {
        workspace,
        words: query.text("q").to_owned(),
        role,
        life: match which {
            "archived" => Life::Archived,
            "missing" => Life::Missing,
            _ => Life::Live,
        },
        company: query.get("company").map(RemoteCompanyId::new),
        unclear: which == "unclear",
        differs: which == "differs",
        before: query
            .get("before")
            .and_then(|id| id.parse().ok())
            .map(ContactId),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

/// How a contact is, as a word with its colour.
pub(crate) fn state(contact: &Contact) -> Lozenge {
    match contact.life {
        _ if contact.unclear => Lozenge::new(Tone::Warn, "who is it?"),
        Life::Archived => Lozenge::new(Tone::Plain, "archived"),
        Life::Missing => Lozenge::new(Tone::Warn, "not found at Intercom"),
        Life::Live if contact.differs => Lozenge::new(Tone::Busy, "differs from Intercom"),
        Life::Live => Lozenge::new(Tone::Good, role_title(&contact.role)),
    }
}

/// What a role is called.
pub(crate) fn role_title(role: &str) -> &'static str {
    match role {
        "user" => "user",
        "lead" => "lead",
        _ => "not at Intercom",
    }
}

/// A field's value for people.
pub(crate) fn value_text(reader: &Reader, name: &FieldName, value: &FieldValue) -> String {
    match value.as_time().filter(|_| name.is_time()) {
        Some(at) => reader.when(at).text(),
        None => value.as_text(),
    }
}

/// A field's value for machines.
pub(crate) fn value_plain(name: &FieldName, value: &FieldValue) -> String {
    match value.as_time().filter(|_| name.is_time()) {
        Some(at) => iso(at),
        None => value.as_text(),
    }
}

pub(crate) fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

/// An amount in hundredths.
pub(crate) fn amount(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let positive = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", positive / 100, positive % 100)
}
