//! People, as the page does it: added, changed, switched off, given a code, signed out.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{AccountForm, ChangeRefusal, Invited, Invitee, ManagePeople, Person};
use bowline_domain::time::Millis;
use bowline_store::access::Session;
use bowline_store::elsewhere::KeptIdentity;
use serde_json::{Value, json};

use super::caller::{Bearer, Number};
use super::parts::{Part, whole};
use super::problem::Problem;
use super::reads::iso;
use super::writes::{Answered, once, once_secret};
use crate::App;
use crate::query::Query;

/// The body of a write.
pub(super) fn body(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))
}

/// Why something is not changed.
pub(super) fn refused(refusal: ChangeRefusal) -> Problem {
    let words = refusal.to_string();
    match refusal {
        ChangeRefusal::Failed(error) => error.into(),
        ChangeRefusal::Gone => Problem::not_found("There is no such person."),
        ChangeRefusal::Overtaken => Problem::new(StatusCode::CONFLICT, "overtaken", words),
        ChangeRefusal::OwnersOnly => Problem::new(StatusCode::FORBIDDEN, "forbidden", words),
        ChangeRefusal::Faults(_) | ChangeRefusal::LastOwner => Problem::invalid(words),
    }
}

/// Who somebody is, for programs.
pub(super) fn who(person: &Person) -> Value {
    let projects = person.role.projects();
    json!({
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role.kind().as_str(),
        "projects": projects.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn written(known: &Invitee) -> Value {
    let account = &known.account;
    let mut value = who(&known.person);
    value["version"] = json!(account.version);
    value["active"] = json!(account.active);
    value["has_password"] = json!(account.password.is_some());
    value["joined_elsewhere"] = json!(account.elsewhere);
    value["second_factor"] = json!(account.second_factor);
    value["made_at"] = json!(iso(account.made_at));
    value["signed_in_at"] = json!(account.signed_in_at.map(iso));
    value
}

/// A session, for programs. Its id is no secret: it lets nobody in.
pub(super) fn session(session: &Session) -> Value {
    json!({
        "id": session.key,
        "browser": session.browser,
        "address": session.address,
        "made_at": iso(session.made_at),
        "seen_at": iso(session.seen_at),
        "ends_at": iso(session.ends_at),
    })
}

/// Who somebody is at the sign-in service, for programs.
pub(super) fn identity(kept: &KeptIdentity) -> Value {
    json!({
        "issuer": kept.identity.issuer,
        "email": kept.identity.email,
        "joined_at": iso(kept.joined_at),
        "used_at": kept.used_at.map(iso),
    })
}

/// A code is answered once and not kept: asked again by the same name, there is none.
fn invited(invited: &Invited) -> Answered {
    let told =
        |code: Option<&str>| json!({ "id": invited.id, "email": invited.email, "code": code });
    Answered {
        told: told(Some(&invited.code)),
        kept: told(None),
    }
}

pub(super) async fn list(
    State(app): State<App>,
    by: Bearer<ManagePeople>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    let Some(part) = Part::asked(&query)? else {
        let people = app.access.people(&by.0).await?;
        return Ok(Json(whole(&people, written)));
    };
    let read = app
        .access
        .people_part(&by.0, part.after.as_ref(), part.read());
    let place = |known: &Invitee| (known.person.name.clone(), known.person.id);
    Ok(Json(part.told(read.await?, place, written)))
}

/// Where a session stands in parts: the latest begun first, which does not change while they are
/// used.
pub(super) fn began(session: &Session) -> (Millis, String) {
    (session.made_at, session.key.clone())
}

pub(super) async fn sessions(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    query: Query,
) -> Result<Json<Value>, Problem> {
    known(&app, &by, id).await?;
    let Some(part) = Part::asked(&query)? else {
        let sessions = app.access.sessions_of(&by.0, id).await?;
        return Ok(Json(whole(&sessions, session)));
    };
    let after = part.after.as_ref();
    let read = app
        .access
        .sessions_part_of(&by.0, id, after, part.read())
        .await?;
    Ok(Json(part.told(read, began, session)))
}

async fn known(app: &App, by: &Bearer<ManagePeople>, id: i64) -> Result<Invitee, Problem> {
    let known = app.access.person(&by.0, id).await?;
    known.ok_or_else(|| Problem::not_found("There is no such person."))
}

pub(super) async fn one(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
) -> Result<Json<Value>, Problem> {
    let known = known(&app, &by, id).await?;
    let sessions = app.access.sessions_of(&by.0, id).await?;
    let mut value = written(&known);
    value["sessions"] = sessions.iter().map(session).collect();
    let joined = app.access.identity_of(&by.0, id).await?;
    value["joined"] = json!(joined.as_ref().map(identity));
    Ok(Json(value))
}

/// What the body names, on top of what is there.
fn form(body: &Value, from: AccountForm) -> Result<AccountForm, Problem> {
    let text = |name: &str, present: String| match body.get(name) {
        None => Ok(present),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Problem::invalid(format!("{name} is a text."))),
    };
    let not_projects = || Problem::invalid("projects is a list of texts: [\"site/PROJECT\"].");
    let projects = match body.get("projects") {
        None => from.projects,
        Some(projects) => projects
            .as_array()
            .and_then(|all| {
                let texts = all.iter().map(|one| one.as_str().map(ToOwned::to_owned));
                texts.collect::<Option<Vec<String>>>()
            })
            .ok_or_else(not_projects)?,
    };
    Ok(AccountForm {
        name: text("name", from.name)?,
        email: text("email", from.email)?,
        role: text("role", from.role)?,
        projects,
    })
}

pub(super) async fn add(
    State(app): State<App>,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("person {}", String::from_utf8_lossy(&bytes));
    let write = async {
        let form = form(&body(&bytes)?, AccountForm::default())?;
        let made = app.access.add_person(&by.0, &form).await;
        made.map(|made| invited(&made)).map_err(refused)
    };
    once_secret(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn change(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let request = format!("person {id} {}", String::from_utf8_lossy(&bytes));
    let write = Box::pin(changed(&app, &by, id, &bytes));
    once(&app, by.who(), &headers, &request, write).await
}

async fn changed(
    app: &App,
    by: &Bearer<ManagePeople>,
    id: i64,
    bytes: &[u8],
) -> Result<Value, Problem> {
    let body = body(bytes)?;
    let Some(version) = body.get("version").and_then(Value::as_i64) else {
        return Err(Problem::invalid(
            "Send the version that the change was made from, as GET /api/v1/people told it.",
        ));
    };
    if body.get("email").is_some() {
        return Err(Problem::invalid(
            "The e-mail address of an account does not change.",
        ));
    }
    let present = known(app, by, id).await?;
    let active = match body.get("active") {
        None => present.account.active,
        Some(active) => active
            .as_bool()
            .ok_or_else(|| Problem::invalid("active is true or false."))?,
    };
    let projects = present.person.role.projects();
    let from = AccountForm {
        name: present.person.name.clone(),
        email: present.person.email.clone(),
        role: present.person.role.kind().as_str().to_owned(),
        projects: projects.iter().map(ToString::to_string).collect(),
    };
    let form = form(&body, from)?;
    if version != present.account.version {
        return Err(refused(ChangeRefusal::Overtaken));
    }
    let changed = app
        .access
        .change_person(&by.0, (id, version), &form, active);
    changed.await.map_err(refused)?;
    Ok(written(&known(app, by, id).await?))
}

pub(super) async fn code(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
) -> Response {
    let write = async {
        let made = app.access.reset_password(&by.0, id).await;
        made.map(|made| invited(&made)).map_err(refused)
    };
    let request = format!("code {id}");
    once_secret(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn end_sessions(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
) -> Response {
    let write = async {
        let ended = app.access.end_sessions_of(&by.0, id).await;
        ended.map(|()| json!({ "id": id })).map_err(refused)
    };
    let request = format!("end sessions {id}");
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn part_identity(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
) -> Response {
    let write = async {
        let parted = app.access.part_identity_of(&by.0, id).await;
        parted
            .map(|parted| json!({ "parted": parted }))
            .map_err(refused)
    };
    let request = format!("part identity {id}");
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn remove_second_factor(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManagePeople>,
    headers: HeaderMap,
) -> Response {
    let write = async {
        let removed = app.access.remove_second_factor_of(&by.0, id).await;
        removed
            .map(|removed| json!({ "removed": removed }))
            .map_err(refused)
    };
    let request = format!("remove second factor {id}");
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}
