//! Projects: which are joined to which workspace, and joining another one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeBindings, ChangeRefusal, Fault, Look, Permission};
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_engine::look::ConnectionNow;
use bowline_settings::{BindingNow, JoinForm};

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Select, Tone, fault_of};
use crate::connecting::wrong_with;
use crate::connections::{Step, steps};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::shell::{Place, Shell};
use crate::words::health;

#[derive(Template)]
#[template(path = "bindings.html")]
struct BindingsPage {
    shell: Shell,
    steps: Vec<Step>,
    rows: Vec<Row>,
    join: Option<Join>,
}

struct Row {
    path: String,
    project: String,
    site: String,
    workspace: String,
    state: Lozenge,
    told: String,
    declared: bool,
}

/// The form that joins a project.
struct Join {
    site: Select,
    project: Option<Select>,
    workspace: Select,
    faults: Vec<String>,
    /// Why the projects of the site cannot be listed.
    trouble: Option<String>,
    chosen: String,
    /// Is there another site, whose projects can be listed?
    several: bool,
}

/// The page of a binding.
pub(crate) fn page_of(binding: &BindingNow) -> String {
    format!("/bindings/{}/{}", binding.site, binding.project)
}

/// The workspace and the site of a binding, as far as they are in use.
fn sides(app: &App, binding: &BindingNow) -> [Option<ConnectionNow>; 2] {
    let all = app.shared.connections_now();
    let of = |connection: Connection| {
        let mut all = all.iter();
        all.find(|one| one.connection == connection).cloned()
    };
    [
        of(Connection::Workspace(binding.config.workspace.clone())),
        of(Connection::Site(binding.site.clone())),
    ]
}

/// The connection of a binding that does not work, if one does not.
pub(crate) fn broken_of(app: &App, binding: &BindingNow) -> Option<ConnectionNow> {
    let mut sides = sides(app, binding).into_iter().flatten();
    sides
        .find(|one| !one.health.works())
        .filter(|_| binding.aside.is_none())
}

/// How a binding is: whether it is in use, and how its workspace is.
pub(crate) fn state_of(app: &App, binding: &BindingNow) -> (Lozenge, Option<String>) {
    if let Some(aside) = &binding.aside {
        return (Lozenge::new(Tone::Plain, "not in use"), Some(aside.words()));
    }
    let [workspace, _] = sides(app, binding);
    if let Some(broken) = broken_of(app, binding) {
        return (health(broken.health), broken.reason);
    }
    if let Some(lacking) = &binding.lacking {
        let words = format!("{} {} {}", lacking.reason, lacking.meaning, lacking.mend);
        return (Lozenge::new(Tone::Warn, "permission missing"), Some(words));
    }
    if binding.config.muted {
        return (Lozenge::new(Tone::Plain, "muted"), None);
    }
    if !binding.config.linking {
        return (Lozenge::new(Tone::Plain, "linking off"), None);
    }
    match workspace {
        Some(workspace) => (health(workspace.health), None),
        None => (Lozenge::new(Tone::Plain, "not in use"), None),
    }
}

/// What is told, in a few words.
fn told(binding: &BindingNow) -> String {
    let notify = &binding.config.notify;
    let all = [
        ("created", notify.created),
        ("assigned", notify.assigned),
        ("comments", notify.commented),
        ("moved", notify.transitioned),
    ];
    let notes: Vec<&str> = all
        .iter()
        .filter(|(_, trigger)| trigger.note)
        .map(|(word, _)| *word)
        .collect();
    let reopens: Vec<&str> = all
        .iter()
        .filter(|(_, trigger)| trigger.reopen)
        .map(|(word, _)| *word)
        .collect();
    let list = |words: Vec<&str>| {
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    };
    let rules = match binding.config.transitions.len() {
        0 => String::new(),
        1 => "; 1 rule for a transition".to_owned(),
        count => format!("; {count} rules for transitions"),
    };
    format!("notes: {}; re-opens: {}{rules}", list(notes), list(reopens))
}

#[derive(Default)]
struct Typed {
    form: JoinForm,
    faults: Vec<Fault>,
    wrong: Option<String>,
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    typed: Typed,
) -> Result<Response, PageError> {
    let may_join = caller.who().may::<ChangeBindings>();
    let refused = !typed.faults.is_empty() || typed.wrong.is_some();
    let rows = app.settings.bindings().into_iter().map(|binding| Row {
        path: page_of(&binding),
        project: binding.project.to_string(),
        site: binding.site.to_string(),
        workspace: binding.config.workspace.to_string(),
        state: state_of(app, &binding).0,
        told: told(&binding),
        declared: binding.kept.is_none(),
    });
    let page = BindingsPage {
        steps: steps(
            app,
            caller.who().may::<bowline_access::ManageConnections>(),
            false,
        ),
        shell: caller
            .shell("Projects", Place::Bindings)
            .noting(notice::of(query)),
        rows: rows.collect(),
        join: if may_join {
            join(app, query, typed).await
        } else {
            None
        },
    };
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, html(&page)).into_response())
}

/// The form, once there is a site and a workspace.
async fn join(app: &App, query: &Query, typed: Typed) -> Option<Join> {
    let config = app.settings.config();
    let first = config.sites.first()?;
    if config.workspaces.is_empty() {
        return None;
    }
    let asked = [typed.form.site.as_str(), query.text("site")];
    let chosen = asked
        .into_iter()
        .find(|name| config.sites.iter().any(|site| site.name.as_str() == *name))
        .unwrap_or(first.name.as_str())
        .to_owned();
    let joined = app.settings.bindings();
    let (project, trouble) = match app.settings.projects(&SiteName::new(chosen.as_str())).await {
        Ok(projects) => {
            let free = projects.into_iter().filter(|project| {
                !joined
                    .iter()
                    .any(|one| one.site.as_str() == chosen && one.project.as_str() == project.key)
            });
            let choices = free.map(|project| {
                let title = format!("{} ({})", project.name, project.key);
                (project.key, title)
            });
            let select = Select::new("project", "Project", choices, &typed.form.project);
            (Some(select), None)
        }
        Err(words) => (None, Some(words)),
    };
    let names = |names: Vec<String>| names.into_iter().map(|name| (name.clone(), name));
    let sites = config.sites.iter().map(|site| site.name.to_string());
    let workspaces = config.workspaces.iter().map(|one| one.name.to_string());
    let faults = ["site", "project", "workspace"]
        .into_iter()
        .filter_map(|field| fault_of(&typed.faults, field))
        .chain(typed.wrong);
    Some(Join {
        site: Select::new("site", "Site", names(sites.collect()), &chosen),
        project,
        workspace: Select::new(
            "workspace",
            "Workspace",
            names(workspaces.collect()),
            &typed.form.workspace,
        ),
        faults: faults.collect(),
        trouble,
        chosen,
        several: config.sites.len() > 1,
    })
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, Typed::default()).await
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ChangeBindings>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = JoinForm {
        site: fields.get("site").to_owned(),
        project: fields.get("project").to_owned(),
        workspace: fields.get("workspace").to_owned(),
    };
    match app.settings.join(&caller.granted, &form).await {
        Ok(_) => {
            let (site, project) = (form.site.trim(), form.project.trim().to_uppercase());
            Ok(see_other(&format!(
                "/bindings/{site}/{project}?done=joined"
            )))
        }
        Err(ChangeRefusal::Overtaken) => {
            let typed = Typed {
                form,
                wrong: Some("Someone joined it meanwhile.".to_owned()),
                ..Typed::default()
            };
            show(&app, &caller, &Query::default(), typed).await
        }
        Err(refusal) => {
            let (faults, wrong) = wrong_with(refusal)?;
            let typed = Typed {
                form,
                faults,
                wrong,
            };
            show(&app, &caller, &Query::default(), typed).await
        }
    }
}
