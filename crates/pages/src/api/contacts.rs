//! Contacts and companies.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{EditContacts, ManageContacts, SeeContacts, What, Who};
use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{CompanyId, ConflictId, ContactId};
use bowline_domain::ids::WorkspaceName;
use bowline_engine::contacts::ContactSetting;
use bowline_store::contacts::{Company, Conflict, Contact, Found, Run, RunKind};
use serde_json::{Map, Value, json};

use super::caller::{Bearer, Number};
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;
use crate::contacts::companies::company_query;
use crate::contacts::conflict::source;
use crate::contacts::export::everything;
use crate::contacts::own;
use crate::contacts::person::{To, merge_into, set};
use crate::contacts::settings;
use crate::contacts::{contact_query, value_plain, workspaces};
use crate::query::Query;

/// Contacts or companies in an answer.
const ITEMS: usize = 100;

type Answer = Result<Json<Value>, Problem>;

async fn workspace(app: &App, query: &Query) -> Result<WorkspaceName, Problem> {
    let (names, chosen) = workspaces(app, query).await?;
    if let Some(asked) = query.get("workspace")
        && names.iter().all(|name| name.as_str() != asked)
    {
        return Err(Problem::invalid(format!(
            "There is no workspace “{asked}” in the configuration."
        )));
    }
    chosen.ok_or_else(|| Problem::invalid("No workspace is configured."))
}

fn contact(contact: &Contact) -> Value {
    let fields: Map<String, Value> = contact
        .profile
        .names()
        .into_iter()
        .filter_map(|name| {
            let value = contact.profile.shown(name).value?;
            Some((name.to_string(), Value::String(value_plain(name, value))))
        })
        .collect();
    json!({
        "id": contact.id.0,
        "workspace": contact.workspace.as_str(),
        "intercom_id": contact.remote.as_ref().map(ToString::to_string),
        "name": contact.name,
        "email": contact.email,
        "role": contact.role,
        "state": contact.life.as_str(),
        "unclear": contact.unclear,
        "differs": contact.differs,
        "known_since": iso(contact.since),
        "fields": fields,
    })
}

pub(super) async fn list(State(app): State<App>, _by: Bearer<SeeContacts>, query: Query) -> Answer {
    let of = workspace(&app, &query).await?;
    let asked = contact_query(&query, of, ITEMS + 1);
    let mut found = app.shared.store.contacts(&asked).await?;
    let more = found.len() > ITEMS;
    found.truncate(ITEMS);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| last.id.to_string());
    let items: Vec<Value> = found.iter().map(contact).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn one(
    State(app): State<App>,
    Number(id): Number,
    _by: Bearer<SeeContacts>,
) -> Result<Response, Problem> {
    match app.shared.store.contact(ContactId(id)).await? {
        Some(Found::Here(found)) => Ok(Json(everything(&app, &found).await?).into_response()),
        Some(Found::Merged(into)) => {
            let detail = format!("The contact was merged into the contact {into}.");
            let (status, body) = Problem::new(StatusCode::GONE, "contact_merged", detail).parts();
            let headers = [
                (CONTENT_TYPE, "application/problem+json".to_owned()),
                (
                    LINK,
                    format!("</api/v1/contacts/{into}>; rel=\"canonical\""),
                ),
            ];
            Ok((status, headers, body).into_response())
        }
        None => Err(Problem::not_found("There is no contact of this number.")),
    }
}

pub(super) fn body(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))
}

pub(super) async fn change(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<EditContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("contact {id} {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(edit(&app, by.who(), ContactId(id), &bytes));
    once(&app, by.who(), &headers, &request, write).await
}

async fn edit(app: &App, who: &Who, id: ContactId, bytes: &[u8]) -> Result<Value, Problem> {
    let wanted = "Send {\"set\": {\"name\": \"Noa\", \"custom.plan\": null}, \"use_intercom\": \
                  [\"email\"]}: texts to set, null to empty, and fields that follow Intercom again.";
    let body = body(bytes)?;
    let sets = body.get("set").and_then(Value::as_object);
    let uses = body.get("use_intercom").and_then(Value::as_array);
    if sets.is_none() && uses.is_none() {
        return Err(Problem::invalid(wanted));
    }
    let Some(Found::Here(known)) = app.shared.store.contact(id).await? else {
        return Err(Problem::not_found("There is no contact of this number."));
    };
    let mut edits: Vec<(String, To)> = Vec::new();
    for (name, value) in sets.into_iter().flatten() {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(_) | Value::Number(_) if name.starts_with("custom.") => value.to_string(),
            _ => return Err(Problem::invalid(wanted)),
        };
        if !FieldName::new(name.as_str()).may_be_edited() {
            return Err(Problem::invalid(format!(
                "The field “{name}” is Intercom's own and cannot be set here."
            )));
        }
        let field = FieldName::new(name.as_str());
        let value = own::read(&known.profile, &field, &text).map_err(Problem::invalid)?;
        edits.push((name.clone(), To::Value(value)));
    }
    for name in uses.into_iter().flatten() {
        let name = name.as_str().ok_or_else(|| Problem::invalid(wanted))?;
        edits.push((name.to_owned(), To::Intercoms));
    }
    let mut changed = 0;
    for (name, value) in edits {
        changed += i64::from(set(app, who, id, &name, value).await?);
    }
    Ok(json!({ "contact": id.0, "changed": changed }))
}

pub(super) async fn merge(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<EditContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("merge contact {id} {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(async {
        let into = body(&bytes)?.get("into").and_then(Value::as_i64);
        let into = into.ok_or_else(|| {
            Problem::invalid("Send {\"into\": 17}: the number of the contact that is to stay.")
        })?;
        let merged = merge_into(&app, by.who(), ContactId(id), ContactId(into)).await?;
        merged.map_err(Problem::invalid)?;
        Ok(json!({ "contact": into, "merged": id }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn erase(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManageContacts>,
    headers: HeaderMap,
) -> Response {
    let request = format!("erase contact {id}");
    let write = Box::pin(async {
        let subject = format!("contact {id}");
        let entry = app.access.entry(by.who(), What::ContactErased, subject, "");
        if app.shared.erase_contact(ContactId(id), entry).await? {
            Ok(json!({ "contact": id, "erased": true }))
        } else {
            Err(Problem::not_found("There is no contact of this number."))
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}

fn company(company: &Company) -> Value {
    let fields: Map<String, Value> = company
        .fields
        .iter()
        .map(|(name, value)| (name.to_string(), Value::String(value_plain(name, value))))
        .collect();
    json!({
        "id": company.id.0,
        "workspace": company.workspace.as_str(),
        "intercom_id": company.remote.as_str(),
        "name": company.name,
        "plan": company.plan,
        "monthly_spend": company.monthly_spend,
        "monthly_spend_cents": company.monthly_spend,
        "people": company.people,
        "gone": company.gone,
        "fields": fields,
    })
}

pub(super) async fn companies(
    State(app): State<App>,
    _by: Bearer<SeeContacts>,
    query: Query,
) -> Answer {
    let of = workspace(&app, &query).await?;
    let asked = company_query(&query, of, ITEMS + 1);
    let mut found = app.shared.store.companies(&asked).await?;
    let more = found.len() > ITEMS;
    found.truncate(ITEMS);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| last.id.to_string());
    let items: Vec<Value> = found.iter().map(company).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn one_company(
    State(app): State<App>,
    Number(id): Number,
    _by: Bearer<SeeContacts>,
) -> Answer {
    let found = app.shared.store.company(CompanyId(id)).await?;
    let found = found.ok_or_else(|| Problem::not_found("There is no company of this number."))?;
    Ok(Json(company(&found)))
}

fn run(app: &App, run: &Run) -> Value {
    let (how_far, now) = (run.progress(), app.shared.now());
    json!({
        "id": run.id.0,
        "kind": run.kind.as_str(),
        "state": run.state.as_str(),
        "phase": run.phase.as_str(),
        "began_at": iso(run.began_at),
        "ended_at": run.ended_at.and_then(iso),
        "done": run.position,
        "total": run.total,
        "per_second": how_far.rate(now),
        "left_ms": how_far.left_ms(now),
        "new": run.fresh,
        "updated": run.updated,
        "unchanged": run.unchanged(),
        "failed": run.failed,
        "companies": run.companies,
        "requests": run.requests,
        "restarts": run.restarts,
        "waiting": run.waiting,
        "reasons": run.reasons.iter().map(|(who, why)| json!({ "who": who, "why": why }))
            .collect::<Vec<_>>(),
    })
}

pub(super) async fn syncs(State(app): State<App>, _by: Bearer<SeeContacts>) -> Answer {
    let mut items = Vec::new();
    for setting in app.shared.contact_settings().await? {
        let runs = app.shared.store.runs(&setting.workspace, 1).await?;
        let sync = &setting.sync;
        items.push(json!({
            "workspace": setting.workspace.as_str(),
            "on": setting.on,
            "updates": setting.updates,
            "declared": setting.declared,
            "copied_at": sync.copied_at.and_then(iso),
            "swept_at": sync.swept_at.and_then(iso),
            "contacts_here": sync.ours,
            "contacts_at_intercom": sync.theirs,
            "counted_at": sync.counted_at.and_then(iso),
            "run": runs.first().map(|latest| run(&app, latest)),
        }));
    }
    Ok(Json(json!({ "items": items })))
}

pub(super) async fn named(app: &App, body: &Value) -> Result<ContactSetting, Problem> {
    let name = body.get("workspace").and_then(Value::as_str);
    let name =
        name.ok_or_else(|| Problem::invalid("Name the workspace: {\"workspace\": \"…\"}."))?;
    let found = app
        .shared
        .contact_setting(&WorkspaceName::new(name))
        .await?;
    found.ok_or_else(|| Problem::not_found("There is no such workspace in the configuration."))
}

pub(super) async fn switch(
    State(app): State<App>,
    by: Bearer<ManageContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("switch contacts {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(async {
        let body = body(&bytes)?;
        let setting = named(&app, &body).await?;
        let flag = |name: &str| body.get(name).and_then(Value::as_bool);
        let on = flag("on").ok_or_else(|| {
            Problem::invalid("Send {\"workspace\": \"acme\", \"on\": true, \"updates\": true}.")
        })?;
        let updates = flag("updates").unwrap_or(setting.updates);
        let switched = settings::set(&app, by.who(), &setting, (on, updates)).await?;
        switched.map_err(|why| Problem::invalid(why.words()))?;
        Ok(json!({ "workspace": setting.workspace.as_str(), "on": on, "updates": updates }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn copy(
    State(app): State<App>,
    by: Bearer<ManageContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("copy contacts {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(async {
        let setting = named(&app, &body(&bytes)?).await?;
        if !setting.on {
            return Err(Problem::invalid(
                "Copying is switched off for this workspace.",
            ));
        }
        let (kind, detail) = match body(&bytes)?.get("mend") {
            Some(Value::Bool(true)) => (RunKind::Mend, "mended"),
            _ => (RunKind::Copy, "copied again"),
        };
        let name = setting.workspace.as_str();
        let begun = app
            .shared
            .begin_contact_run(&setting.workspace, kind)
            .await?;
        if begun {
            app.access
                .write_down(by.who(), What::ContactsSwitched, name, detail)
                .await?;
        }
        Ok(json!({ "workspace": name, "begun": begun }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn conflicts(
    State(app): State<App>,
    _by: Bearer<SeeContacts>,
    query: Query,
) -> Answer {
    let of = workspace(&app, &query).await?;
    let limit = i64::try_from(ITEMS).unwrap_or(i64::MAX);
    let found = app.shared.store.conflicts(&of, limit).await?;
    let mut items = Vec::with_capacity(found.len());
    for conflict in &found {
        items.push(json!({
            "id": conflict.id.0,
            "contact": conflict.contact.0,
            "known_by": conflict.by.as_str(),
            "candidates": conflict.candidates,
            "people": compared(&app, conflict).await?,
            "at": iso(conflict.at),
        }));
    }
    Ok(Json(json!({ "items": items })))
}

/// Whom a question is about, and then who they may be, with what tells them apart.
async fn compared(app: &App, conflict: &Conflict) -> Result<Vec<Value>, Problem> {
    let store = &app.shared.store;
    let mut people = Vec::new();
    for id in std::iter::once(&conflict.contact).chain(&conflict.candidates) {
        if let Some(Found::Here(found)) = store.contact(*id).await? {
            people.push(*found);
        }
    }
    let ids: Vec<ContactId> = people.iter().map(|one| one.id).collect();
    let companies = store.companies_of(&ids).await?;
    let of = |id: ContactId| -> Vec<&str> {
        let own = companies.iter().filter(|(of, _)| *of == id);
        own.map(|(_, company)| company.name.as_str()).collect()
    };
    let rows = people.iter().map(|one| {
        let mut row = contact(one);
        row["companies"] = json!(of(one.id));
        row["came_from"] = json!(source(one));
        row
    });
    Ok(rows.collect())
}

pub(super) async fn decide(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<EditContacts>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("decide {id} {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(async {
        let into = match body(&bytes)?.get("into") {
            Some(Value::Null) => None,
            Some(value) if value.is_i64() => value.as_i64().map(ContactId),
            _ => {
                return Err(Problem::invalid(
                    "Send {\"into\": 17}, a candidate's number, or {\"into\": null} for somebody \
                     of their own.",
                ));
            }
        };
        let detail = into.map_or_else(
            || "somebody of their own".to_owned(),
            |into| format!("the same as contact {into}"),
        );
        let entry = app.access.entry(
            by.who(),
            What::ContactDecided,
            format!("question {id}"),
            detail,
        );
        let store = &app.shared.store;
        if store.decide_conflict(ConflictId(id), into, entry).await? {
            Ok(json!({ "decided": id }))
        } else {
            Err(Problem::not_found(
                "There is no such question now, or that is none of its candidates.",
            ))
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}
