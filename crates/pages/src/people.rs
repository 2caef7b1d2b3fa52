//! People: who may sign in, as what.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{
    AccountForm, ChangeRefusal, Fault, Invited, Invitee, ManagePeople, Role, RoleKind,
};

use crate::App;
use crate::caller::{Caller, Fields, Number, Posted};
use crate::component::{Choice, Field, Lozenge, Tone, fault_of};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::{Query, asking};
use crate::reader::When;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    invited: Option<ToHandOver>,
    wrong: Option<String>,
    people: Vec<PersonRow>,
    form: PersonForm,
    email: Field,
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    invited: Option<ToHandOver>,
    wrong: Option<String>,
    id: i64,
    version: i64,
    email: String,
    state: Lozenge,
    active: bool,
    form: PersonForm,
    sessions: Vec<SessionRow>,
    second_factor: bool,
    joined: Option<JoinedTo>,
}

/// Who they are at the sign-in service.
struct JoinedTo {
    issuer: String,
    email: String,
    since: When,
    used: Option<When>,
}

/// What can be chosen for a person.
struct PersonForm {
    name: Field,
    roles: Vec<RoleChoice>,
    role_fault: Option<String>,
    projects: Vec<Choice>,
    projects_fault: Option<String>,
}

struct RoleChoice {
    word: &'static str,
    title: &'static str,
    meaning: &'static str,
    chosen: bool,
}

/// A code that was just made, shown this once.
struct ToHandOver {
    email: String,
    code: String,
    path: String,
}

struct PersonRow {
    id: i64,
    name: String,
    email: String,
    role: String,
    state: Lozenge,
    signed_in: Option<When>,
}

struct SessionRow {
    browser: String,
    address: String,
    seen: When,
}

fn code(invited: Invited) -> ToHandOver {
    ToHandOver {
        path: asking("/welcome", "code", &invited.code),
        email: invited.email,
        code: invited.code,
    }
}

fn state(known: &Invitee) -> Lozenge {
    match (known.account.active, &known.account.password) {
        (false, _) => Lozenge::new(Tone::Plain, "switched off"),
        (true, None) if !known.account.elsewhere => Lozenge::new(Tone::Busy, "invited"),
        (true, _) => Lozenge::new(Tone::Good, "may sign in"),
    }
}

fn person_form(app: &App, typed: &AccountForm, faults: &[Fault]) -> PersonForm {
    let mut projects: Vec<String> = app
        .shared
        .bindings_now()
        .iter()
        .map(|binding| format!("{}/{}", binding.site, binding.project))
        .collect();
    // One that is not bound any more is shown as long as someone has it.
    projects.extend(typed.projects.iter().cloned());
    projects.sort();
    projects.dedup();
    PersonForm {
        name: Field::new("name", "Name", "text")
            .with(&typed.name)
            .filled("off")
            .faulty(faults),
        roles: RoleKind::ALL
            .into_iter()
            .map(|kind| RoleChoice {
                word: kind.as_str(),
                title: kind.title(),
                meaning: kind.meaning(),
                chosen: kind.as_str() == typed.role,
            })
            .collect(),
        role_fault: fault_of(faults, "role"),
        projects: projects
            .into_iter()
            .map(|project| Choice {
                chosen: typed.projects.contains(&project),
                title: project.clone(),
                value: project,
            })
            .collect(),
        projects_fault: fault_of(faults, "projects"),
    }
}

fn typed(fields: &Fields) -> AccountForm {
    AccountForm {
        name: fields.get("name").to_owned(),
        email: fields.get("email").to_owned(),
        role: fields.get("role").to_owned(),
        projects: fields.all("projects"),
    }
}

/// What came of a form.
#[derive(Default)]
struct Came {
    faults: Vec<Fault>,
    wrong: Option<String>,
    invited: Option<Invited>,
    notice: Option<&'static str>,
}

impl Came {
    fn refused(refusal: ChangeRefusal) -> Result<Self, PageError> {
        match refusal {
            ChangeRefusal::Failed(error) => Err(error.into()),
            ChangeRefusal::Faults(faults) => Ok(Self {
                faults,
                ..Self::default()
            }),
            refusal => Ok(Self {
                wrong: Some(refusal.to_string()),
                ..Self::default()
            }),
        }
    }

    fn status(&self) -> StatusCode {
        if self.faults.is_empty() && self.wrong.is_none() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

async fn show_list(
    app: &App,
    caller: &Caller<ManagePeople>,
    form: &AccountForm,
    came: Came,
) -> Result<Response, PageError> {
    let people = app.access.people(&caller.granted).await?;
    let status = came.status();
    let people = people.iter().map(|known| PersonRow {
        id: known.person.id,
        name: known.person.name.clone(),
        email: known.person.email.clone(),
        role: known.person.role.to_string(),
        state: state(known),
        signed_in: known.account.signed_in_at.map(|at| caller.reader.when(at)),
    });
    let page = PeoplePage {
        shell: caller.shell("People", Place::People).noting(came.notice),
        people: people.collect(),
        form: person_form(app, form, &came.faults),
        email: Field::new("email", "E-mail address", "email")
            .with(&form.email)
            .filled("off")
            .faulty(&came.faults),
        invited: came.invited.map(code),
        wrong: came.wrong,
    };
    Ok((status, html(&page)).into_response())
}

fn nobody_typed() -> AccountForm {
    AccountForm {
        role: RoleKind::Viewer.as_str().to_owned(),
        ..AccountForm::default()
    }
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<ManagePeople>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show_list(&app, &caller, &nobody_typed(), came).await
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = typed(&fields);
    match app.access.add_person(&caller.granted, &form).await {
        Ok(invited) => {
            let came = Came {
                invited: Some(invited),
                ..Came::default()
            };
            show_list(&app, &caller, &nobody_typed(), came).await
        }
        Err(refusal) => show_list(&app, &caller, &form, Came::refused(refusal)?).await,
    }
}

async fn show_one(
    app: &App,
    caller: &Caller<ManagePeople>,
    id: i64,
    form: Option<AccountForm>,
    came: Came,
) -> Result<Response, PageError> {
    let Some(known) = app.access.person(&caller.granted, id).await? else {
        return Err(caller.not_found("There is no such person."));
    };
    let sessions = app.access.sessions_of(&caller.granted, id).await?;
    let joined = app.access.identity_of(&caller.granted, id).await?;
    let form = form.unwrap_or_else(|| form_of(&known));
    let status = came.status();
    let page = PersonPage {
        shell: caller
            .shell(known.person.name.clone(), Place::People)
            .noting(came.notice),
        id,
        version: known.account.version,
        email: known.person.email.clone(),
        state: state(&known),
        active: known.account.active,
        form: person_form(app, &form, &came.faults),
        invited: came.invited.map(code),
        wrong: came.wrong,
        second_factor: known.account.second_factor,
        joined: joined.map(|kept| JoinedTo {
            issuer: kept.identity.issuer,
            email: kept.identity.email,
            since: caller.reader.when(kept.joined_at),
            used: kept.used_at.map(|at| caller.reader.when(at)),
        }),
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                browser: crate::account::browser_name(&session.browser).to_owned(),
                address: session.address,
                seen: caller.reader.when(session.seen_at),
            })
            .collect(),
    };
    Ok((status, html(&page)).into_response())
}

fn form_of(known: &Invitee) -> AccountForm {
    let role: &Role = &known.person.role;
    AccountForm {
        name: known.person.name.clone(),
        email: known.person.email.clone(),
        role: role.kind().as_str().to_owned(),
        projects: role.projects().iter().map(ToString::to_string).collect(),
    }
}

pub(crate) async fn one(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<ManagePeople>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show_one(&app, &caller, id, None, came).await
}

pub(crate) async fn change(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let version = fields.get("version").parse().unwrap_or(0);
    let form = typed(&fields);
    let active = fields.get("active") == "yes";
    let changed = app
        .access
        .change_person(&caller.granted, (id, version), &form, active)
        .await;
    match changed {
        Ok(()) => Ok(see_other(&format!("/people/{id}?done=person"))),
        Err(ChangeRefusal::Gone) => Err(caller.not_found("There is no such person.")),
        Err(refusal @ (ChangeRefusal::Overtaken | ChangeRefusal::LastOwner)) => {
            // What stands there now is shown, not what was typed.
            show_one(&app, &caller, id, None, Came::refused(refusal)?).await
        }
        Err(refusal) => show_one(&app, &caller, id, Some(form), Came::refused(refusal)?).await,
    }
}

pub(crate) async fn reset(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    let came = match app.access.reset_password(&caller.granted, id).await {
        Ok(invited) => Came {
            invited: Some(invited),
            ..Came::default()
        },
        Err(refusal) => Came::refused(refusal)?,
    };
    show_one(&app, &caller, id, None, came).await
}

pub(crate) async fn end_sessions(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    match app.access.end_sessions_of(&caller.granted, id).await {
        Ok(()) => Ok(see_other(&format!("/people/{id}?done=sessions"))),
        Err(refusal) => show_one(&app, &caller, id, None, Came::refused(refusal)?).await,
    }
}

pub(crate) async fn part_identity(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    let done = match app.access.part_identity_of(&caller.granted, id).await {
        Ok(true) => "identity-parted-of",
        Ok(false) => "no-identity",
        Err(ChangeRefusal::Gone) => return Err(caller.not_found("There is no such person.")),
        Err(refusal) => return show_one(&app, &caller, id, None, Came::refused(refusal)?).await,
    };
    Ok(see_other(&format!("/people/{id}?done={done}")))
}

pub(crate) async fn remove_second_factor(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManagePeople>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    let removed = app
        .access
        .remove_second_factor_of(&caller.granted, id)
        .await;
    let done = match removed {
        Ok(true) => "second-factor-off",
        Ok(false) => "no-second-factor",
        Err(ChangeRefusal::Gone) => return Err(caller.not_found("There is no such person.")),
        Err(refusal) => return show_one(&app, &caller, id, None, Came::refused(refusal)?).await,
    };
    Ok(see_other(&format!("/people/{id}?done={done}")))
}
