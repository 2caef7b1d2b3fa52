//! Which fields of contacts the panel of a project shows, and in which order.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeBindings, ChangeRefusal, Fault, Look, Permission, ProjectRef};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::panel::{VisibleFields, name_now};
use bowline_domain::visible::{Edit, Whose, edit};
use bowline_engine::panel::{AttributesNow, NamedAttribute};
use bowline_settings::stored::StoredBinding;

use crate::App;
use crate::binding::people_of;
use crate::binding_form::detail;
use crate::bindings::page_of;
use crate::caller::{Caller, Fields, Posted};
use crate::component::Choice;
use crate::connecting::wrong_with;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::panel::people::spelled;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

/// How long the page waits for Intercom before it shows what is known.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "fields.html")]
struct FieldsPage {
    shell: Shell,
    binding: String,
    project: String,
    workspace: String,
    declared: Option<String>,
    version: i64,
    may_change: bool,
    wrong: Option<String>,
    lists: Vec<List>,
    read_at: Option<When>,
    trouble: Option<String>,
    reading: bool,
}

/// The fields of users, leads or companies.
struct List {
    word: &'static str,
    title: &'static str,
    rows: Vec<Row>,
    choices: Vec<Choice>,
    typed: String,
    fault: Option<String>,
    usual: bool,
}

struct Row {
    name: String,
    label: String,
    description: Option<String>,
    custom: bool,
    date: bool,
    first: bool,
    last: bool,
}

/// What came of a form.
#[derive(Default)]
struct Came {
    wrong: Option<String>,
    /// What is wrong with a list, and what was typed there.
    list: Option<(Whose, String, String)>,
    notice: Option<&'static str>,
}

/// The attributes of contacts or companies.
fn known(all: &AttributesNow, whose: Whose) -> Vec<&NamedAttribute> {
    let company = whose == Whose::Company;
    let these = all.known.iter().filter(|one| one.company == company);
    these.collect()
}

/// What Intercom says of a listed attribute; a list may hold the name that it had before.
pub(crate) fn named<'n>(known: &[&'n NamedAttribute], name: &str) -> Option<&'n NamedAttribute> {
    let own = name.strip_prefix("custom_attributes.");
    let bare = own.unwrap_or(name);
    let is = |one: &&&NamedAttribute| one.name == bare && (own.is_none() || one.custom);
    let standard = known.iter().filter(is).find(|one| !one.custom);
    let found = standard.filter(|_| own.is_none());
    let found = found.or_else(|| known.iter().find(is));
    let renamed = || {
        known
            .iter()
            .find(|one| one.name == name_now(name) && !one.custom)
    };
    found.or_else(renamed).copied()
}

fn rows(listed: &[String], known: &[&NamedAttribute]) -> Vec<Row> {
    let rows = listed.iter().enumerate().map(|(at, name)| {
        let bare = name.strip_prefix("custom_attributes.").unwrap_or(name);
        let found = named(known, name);
        Row {
            label: found.map_or_else(|| spelled(bare), |one| one.label.clone()),
            description: found.and_then(|one| one.description.clone()),
            custom: found.is_some_and(|one| one.custom) || bare != name,
            date: name.ends_with("_at"),
            first: at == 0,
            last: at + 1 == listed.len(),
            name: name.clone(),
        }
    });
    rows.collect()
}

/// What may be added: Intercom's attributes that are not listed, and of the usual ones those that
/// Intercom does not name.
fn choices(whose: Whose, listed: &[String], known: &[&NamedAttribute]) -> Vec<Choice> {
    let is_listed = |key: &str, one: Option<&NamedAttribute>| {
        listed.iter().any(|name| {
            name == key || name_now(name) == key || one.is_some() && named(known, name) == one
        })
    };
    let mut all: Vec<Choice> = Vec::new();
    for one in known {
        let double = one.custom
            && known
                .iter()
                .any(|other| !other.custom && other.name == one.name);
        let key = if double {
            format!("custom_attributes.{}", one.name)
        } else {
            one.name.clone()
        };
        if is_listed(&key, Some(one)) {
            continue;
        }
        let mark = if one.custom { " – CUSTOM" } else { "" };
        let meaning = one.description.as_deref().unwrap_or_default();
        let meaning = if meaning.is_empty() {
            String::new()
        } else {
            format!(": {meaning}")
        };
        all.push(Choice {
            title: format!("{} ({key}){mark}{meaning}", one.label),
            value: key,
            chosen: false,
        });
    }
    let usual = VisibleFields::default();
    for name in whose.list(&usual) {
        if named(known, name).is_none() && !is_listed(name, None) {
            all.push(Choice {
                title: format!("{} ({name})", spelled(name)),
                value: name.clone(),
                chosen: false,
            });
        }
    }
    all
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    (site, project): (&SiteName, &ProjectKey),
    came: Came,
) -> Result<Response, PageError> {
    let Some(binding) = app.settings.binding(site, project) else {
        return Err(caller.not_found("This project is not joined to a workspace."));
    };
    let mine = ProjectRef {
        site: site.to_string(),
        project: project.to_string(),
    };
    let may = caller.who().granted::<ChangeBindings>();
    let workspace = &binding.config.workspace;
    let now = app.shared.attributes_now(workspace, PATIENCE).await?;
    let visible = &binding.config.panel.visible;
    let usual = VisibleFields::default();
    let lists = Whose::ALL.map(|whose| {
        let (listed, known) = (whose.list(visible), known(&now, whose));
        let here = came.list.as_ref().filter(|(wrong, ..)| *wrong == whose);
        List {
            word: whose.word(),
            title: people_of(whose),
            rows: rows(listed, &known),
            choices: choices(whose, listed, &known),
            typed: here.map_or_else(String::new, |(_, typed, _)| typed.clone()),
            fault: here.map(|(.., words)| words.clone()),
            usual: listed == whose.list(&usual),
        }
    });
    let refused = came.wrong.is_some() || came.list.is_some();
    let page = FieldsPage {
        shell: caller
            .shell(format!("Fields of {project} of {site}"), Place::Bindings)
            .noting(came.notice),
        binding: page_of(&binding),
        project: project.to_string(),
        workspace: workspace.to_string(),
        declared: binding
            .kept
            .is_none()
            .then(|| format!("[[binding]] site = \"{site}\", project = \"{project}\"")),
        version: binding.kept.as_ref().map_or(0, |row| row.version),
        may_change: may.is_some_and(|may| may.covers(&mine)) && binding.kept.is_some(),
        wrong: came.wrong,
        lists: lists.into_iter().collect(),
        read_at: now.read_at.map(|at| caller.reader.when(at)),
        trouble: now.trouble,
        reading: now.reading,
    };
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    show(&app, &caller, (&site, &project), came).await
}

/// What a button asks for: `up:email`, for example.
fn asked(fields: &Fields) -> Option<Edit> {
    let (act, name) = fields
        .get("act")
        .split_once(':')
        .unwrap_or((fields.get("act"), ""));
    let name = name.to_owned();
    Some(match act {
        "up" => Edit::Up(name),
        "down" => Edit::Down(name),
        "remove" => Edit::Remove(name),
        "order" => Edit::Order(fields.all("field")),
        "reset" => Edit::Reset,
        "add" => {
            let typed = fields.get("key").trim();
            let chosen = fields.get("choice");
            Edit::Add(if typed.is_empty() { chosen } else { typed }.to_owned())
        }
        _ => return None,
    })
}

pub(crate) async fn change(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    posted: Posted<ChangeBindings>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let from: i64 = fields.get("version").parse().unwrap_or(0);
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let (Some(whose), Some(wanted)) = (Whose::read(fields.get("of")), asked(&fields)) else {
        return Err(caller.not_found("There is no such form."));
    };
    let anchor = match &wanted {
        Edit::Up(name) | Edit::Down(name) => format!("#{}-{name}", whose.word()),
        _ => format!("#{}", whose.word()),
    };
    let change = |stored: &mut StoredBinding| {
        let before = stored.clone();
        let list = whose.list_mut(&mut stored.panel.visible);
        edit(list, whose, wanted)
            .map_err(|words| ChangeRefusal::Faults(vec![Fault::new("list", words)]))?;
        Ok(detail(&before, stored))
    };
    let place = (&site, &project, from);
    let changed = app.settings.change_binding(&caller.granted, place, change);
    match changed.await {
        Ok(_) => {
            let path = format!("/bindings/{site}/{project}/fields?done=saved{anchor}");
            Ok(see_other(&path))
        }
        Err(ChangeRefusal::Gone) => {
            Err(caller.not_found("This project is not joined to a workspace."))
        }
        Err(refusal) => {
            let (faults, wrong) = wrong_with(refusal)?;
            let fault = faults.into_iter().find(|fault| fault.field == "list");
            let came = Came {
                list: fault.map(|fault| (whose, fields.get("key").to_owned(), fault.words)),
                wrong,
                notice: None,
            };
            show(&app, &caller, (&site, &project), came).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, custom: bool) -> NamedAttribute {
        NamedAttribute {
            company: false,
            name: name.to_owned(),
            label: format!("L {name}"),
            description: custom.then(|| "What it means.".to_owned()),
            custom,
        }
    }

    #[test]
    fn what_is_listed_is_not_offered_again_by_any_of_its_names() {
        let all = [
            attribute("email", false),
            attribute("external_id", false),
            attribute("plan", false),
            attribute("plan", true),
            attribute("tier", true),
        ];
        let known: Vec<&NamedAttribute> = all.iter().collect();
        let listed = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let offered = |names: &[&str]| {
            let choices = choices(Whose::User, &listed(names), &known);
            choices.into_iter().map(|one| one.value).collect::<Vec<_>>()
        };
        let usual = ["phone", "created_at", "last_request_at", "session_count"];
        let with = |first: &[&'static str]| [first, &usual].concat();
        assert_eq!(
            offered(&["email"]),
            with(&["external_id", "plan", "custom_attributes.plan", "tier"])
        );
        assert_eq!(
            offered(&["user_id", "custom_attributes.plan", "tier"]),
            with(&["email", "plan"])
        );
        assert_eq!(
            offered(&["plan", "custom_attributes.tier"]),
            with(&["email", "external_id", "custom_attributes.plan"])
        );
        let rows = rows(
            &listed(&["user_id", "custom_attributes.plan", "renews_at"]),
            &known,
        );
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.label.as_str(), row.custom, row.date))
            .collect();
        assert_eq!(
            seen,
            [
                ("L external_id", false, false),
                ("L plan", true, false),
                ("Renews at", false, true)
            ]
        );
    }
}
