//! Contacts.

use std::borrow::Cow;

use axum::extract::{Path, Query as UrlQuery, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde_json::{Value, json};

use super::Answer;
use super::body::{Body, id_of};
use super::paging::{CONTACTS_PER_PAGE, PageQuery, Wanted};
use crate::intercom::contact_json::{self as shape, Page, page};
use crate::intercom::contacts::{Changes, Edit};
use crate::intercom::error::ApiError;
use crate::intercom::json;
use crate::intercom::model::{Contact, NewContact};
use crate::intercom::sandbox::Sandbox;
use crate::intercom::search::{Query, contact_field};
use crate::intercom::version::Version;

pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    UrlQuery(query): UrlQuery<PageQuery>,
    Extension(version): Extension<Version>,
) -> Result<Json<Page>, ApiError> {
    let wanted = Wanted::of_query(&query, CONTACTS_PER_PAGE)?;
    sandbox.with(|state, _| {
        let total = state.count_listed();
        let mut found: Vec<Cow<'_, Contact>> = state
            .listed_after(wanted.after())
            .take(wanted.size() + 1)
            .collect();
        let more = found.len() > wanted.size();
        found.truncate(wanted.size());
        let last = found.last().filter(|_| more).map(|contact| contact.seq);
        let pages = wanted.describe(usize::try_from(total).unwrap_or(usize::MAX), last);
        let as_of = (&*state, version);
        Ok(Json(page(as_of, &found, (total, pages))))
    })
}

pub(super) async fn search(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let query = Query::parse(
        body.0
            .get("query")
            .ok_or_else(|| ApiError::required("query"))?,
    )?;
    let wanted = Wanted::of_body(body.0.get("pagination"), CONTACTS_PER_PAGE)?;
    let descending = match body.0.get("sort").map(|sort| &sort["order"]) {
        None | Some(Value::Null) => false,
        Some(order) if order == "ascending" => false,
        Some(order) if order == "descending" => true,
        Some(_) => {
            let message = "Sort order must be ascending or descending";
            let code = "invalid_sort_order";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, code, message));
        }
    };
    let by_update = body
        .0
        .get("sort")
        .is_some_and(|sort| sort["field"] == "updated_at");
    let lag = sandbox.config().search_lag_ms;
    sandbox.with(|state, now| {
        let mut found: Vec<Cow<'_, Contact>> = Vec::new();
        for contact in state.listed_after(0) {
            let read = |field: &str| contact_field(state, &contact, field, version);
            if query.matches(&read)? && contact.created_ms + lag <= now.ms {
                found.push(contact);
            }
        }
        if by_update {
            found.sort_by_key(|contact| (contact.updated_at, contact.seq));
        }
        if descending {
            found.reverse();
        }
        let keyed: Vec<(u64, &Contact)> = found
            .iter()
            .map(|contact| (contact.seq, contact.as_ref()))
            .collect();
        let (page, pages) = wanted.cut(&keyed);
        let list: Vec<Value> = page
            .into_iter()
            .map(|found| shape::contact(state, found, version))
            .collect();
        Ok(Json(
            json!({ "type": "list", "data": list, "total_count": keyed.len(), "pages": pages }),
        ))
    })
}

pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
) -> Answer {
    sandbox.with(|state, _| {
        state.hold(&id);
        Ok(Json(shape::contact(
            state,
            state.contact(&id, version)?,
            version,
        )))
    })
}

pub(super) async fn by_external_id(
    State(sandbox): State<Sandbox>,
    Path(external_id): Path<String>,
    Extension(version): Extension<Version>,
) -> Answer {
    sandbox.with(|state, _| {
        state.hold_by(&external_id);
        let id = state.external_ids.get(&external_id).cloned();
        let id = id.ok_or_else(|| ApiError::missing("not_found", "User Not Found"))?;
        Ok(Json(shape::contact(
            state,
            state.contact(&id, version)?,
            version,
        )))
    })
}

/// What a body says about a contact; a field that is there and null is emptied.
fn changes(body: &Body, defined: &[String]) -> Result<Changes, ApiError> {
    let text = |field: &str| match body.0.get(field) {
        None => Ok(Edit::Keep),
        Some(Value::Null) => Ok(Edit::Clear),
        Some(value) => match id_of(value) {
            Some(text) => Ok(Edit::Set(text)),
            // A blank text empties the field too.
            None if value.is_string() => Ok(Edit::Clear),
            None => Err(ApiError::invalid(format!("{field} must be a string"))),
        },
    };
    let role = match body.0.get("role").map(Value::as_str) {
        None => None,
        Some(Some("user")) => Some("user"),
        Some(Some("lead")) => Some("lead"),
        Some(_) => return Err(ApiError::invalid("role must be user or lead")),
    };
    let email = text("email")?;
    if let Edit::Set(email) = &email
        && !email.contains('@')
    {
        return Err(ApiError::invalid("email is invalid"));
    }
    Ok(Changes {
        role,
        email,
        phone: text("phone")?,
        name: text("name")?,
        external_id: text("external_id")?,
        owner_id: text("owner_id")?,
        custom_attributes: body.custom_attributes(defined)?,
    })
}

pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let changes = changes(&body, &sandbox.config().contact_attributes)?;
    let (email, external_id) = (changes.email.text(), changes.external_id.text());
    if email.is_none() && external_id.is_none() && changes.role.is_none() {
        return Err(ApiError::required("email, external_id or role"));
    }
    let contact = NewContact {
        lead: changes.role == Some("lead"),
        email,
        name: changes.name.text(),
        external_id,
        phone: changes.phone.text(),
        custom_attributes: changes.custom_attributes,
    };
    sandbox.with(|state, now| {
        let id = state.create_contact(contact, now)?;
        Ok(Json(shape::contact(
            state,
            state.contact(&id, version)?,
            version,
        )))
    })
}

pub(super) async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let changes = changes(&body, &sandbox.config().contact_attributes)?;
    sandbox.with(|state, now| {
        state.hold(&id);
        state.contact(&id, version)?;
        state.update_contact(&id, changes, now)?;
        Ok(Json(shape::contact(
            state,
            state.contact(&id, version)?,
            version,
        )))
    })
}

pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
) -> Answer {
    sandbox.with(|state, _| {
        state.hold(&id);
        state.contact(&id, version)?;
        let gone = state.delete_contact(&id)?;
        Ok(Json(json!({
            "type": "contact", "id": gone.id, "external_id": gone.external_id, "deleted": true,
        })))
    })
}

pub(super) async fn archive(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    set_archived(&sandbox, &id, true)
}

pub(super) async fn unarchive(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    set_archived(&sandbox, &id, false)
}

fn set_archived(sandbox: &Sandbox, id: &str, archived: bool) -> Answer {
    sandbox.with(|state, now| {
        state.set_archived(id, archived, now)?;
        let external_id = state
            .contacts
            .get(id)
            .and_then(|contact| contact.external_id.clone());
        Ok(Json(json!({
            "type": "contact", "id": id, "external_id": external_id, "archived": archived,
        })))
    })
}

pub(super) async fn merge(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let (from, into) = (body.required_id("from")?, body.required_id("into")?);
    let check = version >= Version::V2_16 && !body.flag("skip_duplicate_validation");
    sandbox.with(|state, now| {
        state.merge_contacts(&from, &into, check, now)?;
        Ok(Json(shape::contact(
            state,
            state.contact(&into, version)?,
            version,
        )))
    })
}

pub(super) async fn companies(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
) -> Answer {
    sandbox.with(|state, _| {
        state.hold(&id);
        state.contact(&id, version)?;
        let list: Vec<Value> = state
            .companies_of(&id)
            .iter()
            .filter_map(|company| state.company(company))
            .map(|company| json::company(state, &company))
            .collect();
        let total = list.len();
        let pages = json!({ "type": "pages", "page": 1, "per_page": 50, "total_pages": 1 });
        Ok(Json(
            json!({ "type": "list", "data": list, "pages": pages, "total_count": total }),
        ))
    })
}

pub(super) async fn tags(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
) -> Answer {
    sandbox.with(|state, _| {
        state.hold(&id);
        state.contact(&id, version)?;
        let ids = state.contact_tags.get(&id).cloned().unwrap_or_default();
        let list: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "type": "tag", "id": id.to_string(), "name": state.tags.get(id) }))
            .collect();
        Ok(Json(json!({ "type": "list", "data": list })))
    })
}

pub(super) async fn attach_tag(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Extension(version): Extension<Version>,
    body: Body,
) -> Answer {
    let missing = || ApiError::missing("tag_not_found", "Tag not found");
    let tag: u64 = body.required_id("id")?.parse().map_err(|_| missing())?;
    sandbox.with(|state, now| {
        state.hold(&id);
        state.contact(&id, version)?;
        let name = state.tags.get(&tag).cloned().ok_or_else(missing)?;
        let tags = state.contact_tags.entry(id.clone()).or_default();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if let Some(contact) = state.contacts.get_mut(&id) {
            contact.updated_at = now.s;
        }
        Ok(Json(
            json!({ "type": "tag", "id": tag.to_string(), "name": name }),
        ))
    })
}
