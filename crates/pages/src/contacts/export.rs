//! Files of contacts: all that are asked for as CSV, sent as they are read; all that is known of one
//! person as JSON.

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ManageContacts, What};
use bowline_domain::contacts::field::{FieldName, KNOWN};
use bowline_domain::contacts::ids::ContactId;
use bowline_store::contacts::{Contact, ContactQuery, Found};
use futures_util::stream;
use serde_json::{Value, json};

use super::{contact_query, hanging_on, iso, value_plain, workspaces};
use crate::App;
use crate::audit::download;
use crate::caller::{Caller, Number};
use crate::error::PageError;
use crate::query::Query;
use crate::words::csv_line;

/// Contacts that are read at once.
const AT_ONCE: usize = 500;

/// Columns that a file has at most. A workspace may define 250 attributes; an import may bring more.
const COLUMNS_MAX: i64 = 2_000;

/// Where an export is.
struct Going {
    app: App,
    query: ContactQuery,
    columns: Vec<FieldName>,
    ready: VecDeque<String>,
    over: bool,
}

impl Going {
    async fn read(&mut self) -> Result<(), bowline_store::StoreError> {
        let part = self.app.shared.store.contacts(&self.query).await?;
        self.over = part.len() < AT_ONCE;
        self.query.before = part.last().map(|contact| contact.id);
        let mut text = String::new();
        for contact in &part {
            text.push_str(&self.line(contact));
        }
        self.ready.push_back(text);
        Ok(())
    }

    fn line(&self, contact: &Contact) -> String {
        let (id, since) = (contact.id.to_string(), iso(contact.since));
        let remote = contact.remote.as_ref();
        let mut cells = vec![
            id,
            remote.map_or_else(String::new, ToString::to_string),
            contact.role.clone(),
            contact.life.as_str().to_owned(),
            since,
        ];
        for name in &self.columns {
            let shown = contact.profile.shown(name).value;
            cells.push(shown.map_or_else(String::new, |value| value_plain(name, value)));
        }
        csv_line(cells.iter().map(String::as_str))
    }
}

/// The columns: what Intercom tells of everyone, and then what any contact of the workspace has.
fn columns(names: Vec<FieldName>) -> Vec<FieldName> {
    let mut columns: Vec<FieldName> = KNOWN
        .iter()
        .map(|known| FieldName::new(known.name))
        .collect();
    let own = names
        .into_iter()
        .filter(|name| KNOWN.iter().all(|known| known.name != name.as_str()));
    columns.extend(own);
    columns
}

pub(crate) async fn csv(
    State(app): State<App>,
    caller: Caller<ManageContacts>,
    query: Query,
) -> Result<Response, PageError> {
    let (_, workspace) = workspaces(&app, &query).await?;
    let Some(workspace) = workspace else {
        return Err(caller.not_found("No workspace is configured."));
    };
    let mut asked = contact_query(&query, workspace.clone(), AT_ONCE);
    asked.before = None;
    let names = app
        .shared
        .store
        .contact_fields(&workspace, COLUMNS_MAX)
        .await?;
    let columns = columns(names);
    app.access
        .write_down(
            caller.who(),
            What::ContactsExported,
            workspace.as_str(),
            &query.without(&["workspace"]),
        )
        .await?;
    let head = ["id", "intercom_id", "role", "state", "known_since"]
        .into_iter()
        .chain(columns.iter().map(FieldName::as_str));
    let going = Going {
        ready: VecDeque::from([csv_line(head)]),
        app,
        query: asked,
        columns,
        over: false,
    };
    // A part is read when the part before was sent, so an export takes no more memory than one.
    let parts = stream::try_unfold(going, |mut going| async move {
        if going.ready.is_empty() && !going.over {
            going.read().await?;
        }
        let part = going.ready.pop_front();
        Ok::<_, bowline_store::StoreError>(part.map(|part| (Bytes::from(part), going)))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"bowline-contacts.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// All that is known of one person.
pub(crate) async fn everything(app: &App, contact: &Contact) -> Result<Value, PageError> {
    let store = &app.shared.store;
    let fields: Vec<Value> = contact
        .profile
        .names()
        .into_iter()
        .map(|name| {
            let shown = contact.profile.shown(name);
            json!({
                "field": name.as_str(),
                "value": shown.value.map(|value| value_plain(name, value)),
                "from": shown.edit.map_or("intercom", |_| "here"),
                "set_by": shown.edit.map(|edit| edit.by.as_str()),
                "set_at": shown.edit.map(|edit| iso(edit.at)),
                "intercom_says": shown.other.map(|value| value_plain(name, value)),
            })
        })
        .collect();
    let imported = store.imported_of(contact.id).await?;
    let imported: Vec<Value> = imported
        .iter()
        .map(|(name, edit)| {
            json!({
                "field": name.as_str(),
                "value": edit.value.as_ref().map(|value| value_plain(name, value)),
                "set_by": edit.by,
                "set_at": iso(edit.at),
            })
        })
        .collect();
    let companies: Vec<Value> = store
        .companies_of(&[contact.id])
        .await?
        .into_iter()
        .map(|(_, company)| {
            json!({ "id": company.id.0, "intercom_id": company.remote.as_str(), "name": company.name })
        })
        .collect();
    let known = hanging_on::all(app, contact).await?;
    Ok(json!({
        "id": contact.id.0,
        "workspace": contact.workspace.as_str(),
        "intercom_id": contact.remote.as_ref().map(ToString::to_string),
        "other_intercom_ids": store.aliases_of(contact.id).await?,
        "name": contact.name,
        "role": contact.role,
        "state": contact.life.as_str(),
        "known_since": iso(contact.since),
        "changed_at_intercom": iso(contact.updated_at),
        "fields": fields,
        "imported": imported,
        "companies": companies,
        "feedback": known.feedback,
        "conversations": known.conversations,
        "conversations_unknown": known.conversations_unknown,
        "issues": known.issues,
        "messages": known.messages,
    }))
}

pub(crate) async fn one(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<ManageContacts>,
) -> Result<Response, PageError> {
    let Some(Found::Here(contact)) = app.shared.store.contact(ContactId(id)).await? else {
        return Err(caller.not_found("There is no such contact."));
    };
    let all = everything(&app, &contact).await?;
    app.access
        .write_down(
            caller.who(),
            What::ContactsExported,
            &format!("contact {id}"),
            "",
        )
        .await?;
    let name = format!("contact-{id}.json");
    Ok(download("application/json", &name, all.to_string()))
}
