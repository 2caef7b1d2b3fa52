//! One project: what is told of it, saved as it is changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeBindings, ChangeRefusal, Look, Permission, ProjectRef};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::settings::{
    CommentFilter, NoteContents, Notify, StatusMatch, TransitionRule, Trigger,
};
use bowline_domain::time::Millis;
use bowline_settings::stored::StoredBinding;
use bowline_settings::{BindingNow, import, preview};

use crate::App;
use crate::bindings::{page_of, state_of};
use crate::caller::{Caller, Fields, Posted};
use crate::component::{Lozenge, Select, fault_of};
use crate::connecting::wrong_with;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

/// The longest mark of a comment filter, in letters.
const MARK_LETTERS_MAX: usize = 100;

/// Rules for single transitions that a project may have.
const RULES_MAX: usize = 50;

#[derive(Template)]
#[template(path = "binding.html")]
struct BindingPage {
    shell: Shell,
    path: String,
    project: String,
    site: String,
    workspace: String,
    workspace_page: String,
    app_user: String,
    state: Lozenge,
    reason: Option<String>,
    joined: Option<(When, String)>,
    changed: Option<(When, String)>,
    declared: Option<String>,
    version: i64,
    may_change: bool,
    parted: bool,
    wrong: Option<String>,
    triggers: Vec<TriggerRow>,
    flags: Vec<Flag>,
    filter: Select,
    mark: String,
    rules: Vec<RuleRow>,
    new_rule: Option<NewRule>,
    examples: Vec<preview::Example>,
    workspaces: Select,
    import: Option<ImportPlan>,
}

struct TriggerRow {
    word: &'static str,
    title: &'static str,
    note: bool,
    reopen: bool,
}

struct Flag {
    word: &'static str,
    title: &'static str,
    meaning: &'static str,
    on: bool,
}

struct RuleRow {
    number: usize,
    words: String,
}

struct NewRule {
    from: Select,
    to: Select,
    trouble: Option<String>,
}

/// What importing the other app's settings would do.
struct ImportPlan {
    found: bool,
    changes: Vec<(String, String, String)>,
    left: Vec<String>,
    trouble: Option<String>,
}

#[derive(Default)]
struct Came {
    wrong: Option<String>,
    notice: Option<&'static str>,
    import: bool,
}

fn triggers(notify: &Notify) -> Vec<TriggerRow> {
    let row = |word, title, trigger: Trigger| TriggerRow {
        word,
        title,
        note: trigger.note,
        reopen: trigger.reopen,
    };
    vec![
        row("created", "Issue created", notify.created),
        row("assigned", "Assignee changed", notify.assigned),
        row("commented", "Someone comments", notify.commented),
        row("transitioned", "Status changed", notify.transitioned),
    ]
}

fn flags(config: &bowline_engine::BindingConfig) -> Vec<Flag> {
    let flag = |word, title, meaning, on| Flag {
        word,
        title,
        meaning,
        on,
    };
    vec![
        flag(
            "linking",
            "Conversation linking",
            "Off: addresses in issues make no links, and nothing is told.",
            config.linking,
        ),
        flag(
            "muted",
            "Mute",
            "Links are followed, nothing is told. What happens meanwhile is not told later.",
            config.muted,
        ),
        flag(
            "summary",
            "Notes hold the issue's summary",
            "Off: its key alone.",
            config.contents.summary,
        ),
        flag(
            "comment",
            "Notes hold the texts of comments",
            "Off: they say who commented. Restricted and internal comments are never told.",
            config.contents.comment,
        ),
        flag(
            "unassign_on_open",
            "Unassign when re-opened",
            "A conversation that Bowline re-opens goes back to the unassigned queue.",
            config.unassign_on_open,
        ),
        flag(
            "wake_snoozed",
            "Notes wake snoozed conversations",
            "Off: a snoozed conversation that a note would wake is snoozed again to its old time.",
            config.wake_snoozed,
        ),
        flag(
            "webhooks",
            "Jira delivers webhooks",
            "Off: where Jira cannot reach Bowline, which then asks often.",
            config.webhooks,
        ),
    ]
}

fn in_words(trigger: Trigger) -> &'static str {
    match (trigger.note, trigger.reopen) {
        (true, true) => "note and re-open",
        (true, false) => "note",
        (false, true) => "re-open",
        (false, false) => "nothing",
    }
}

fn status_words(status: &StatusMatch) -> String {
    match import::status(status).as_str() {
        "*" => "any status".to_owned(),
        "category:new" => "any to-do status".to_owned(),
        "category:indeterminate" => "any status in progress".to_owned(),
        "category:done" => "any done status".to_owned(),
        named => named.to_owned(),
    }
}

/// The form of a new rule, with the statuses of the project's workflows.
async fn new_rule(app: &App, binding: &BindingNow) -> NewRule {
    let (statuses, trouble) = match app.settings.statuses(&binding.site, &binding.project).await {
        Ok(statuses) => (statuses, None),
        Err(words) => (Vec::new(), Some(words)),
    };
    let named: Vec<(String, String)> = statuses
        .into_iter()
        .map(|status| (status.name.clone(), status.name))
        .collect();
    let any = ("*".to_owned(), "any status".to_owned());
    let categories = ["category:new", "category:indeterminate", "category:done"].map(|word| {
        let status = StatusMatch::read(word).unwrap_or(StatusMatch::Any);
        (word.to_owned(), status_words(&status))
    });
    let from = std::iter::once(any)
        .chain(named.clone())
        .chain(categories.clone());
    let to = named.into_iter().chain(categories);
    NewRule {
        from: Select::new("from", "From", from, "*"),
        to: Select::new("to", "To", to, ""),
        trouble,
    }
}

async fn import_plan(app: &App, binding: &BindingNow) -> ImportPlan {
    let empty = ImportPlan {
        found: false,
        changes: Vec::new(),
        left: Vec::new(),
        trouble: None,
    };
    let Some(row) = &binding.kept else {
        return empty;
    };
    match app
        .settings
        .other_app(&binding.site, &binding.project)
        .await
    {
        Ok(None) => empty,
        Ok(Some(property)) => {
            let imported = import::read(&property, &row.value);
            ImportPlan {
                found: true,
                changes: imported.changes,
                left: imported.left,
                trouble: None,
            }
        }
        Err(words) => ImportPlan {
            trouble: Some(words),
            ..empty
        },
    }
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
    let may_change = may.is_some_and(|may| may.covers(&mine)) && binding.kept.is_some();
    let parted = binding.kept.as_ref().is_some_and(|row| row.value.parted);
    let (state, reason) = state_of(app, &binding);
    let config = &binding.config;
    let workspaces = app.settings.workspaces();
    let kept = workspaces.iter().find(|one| one.name == config.workspace);
    let app_user = kept.and_then(|one| {
        let row = &one.kept.as_ref()?.value;
        row.app_user
            .as_ref()
            .map(|id| format!("the teammate {id}"))
            .or_else(|| row.authorized_with.clone())
    });
    let declared_user = kept
        .and_then(|one| one.config.as_ref()?.app_user.clone())
        .map(|id| format!("the teammate {id}"));
    let in_use = app.settings.config();
    let names = in_use.workspaces.iter().map(|one| one.name.to_string());
    let site_url = in_use
        .sites
        .iter()
        .find(|one| one.name == *site)
        .map_or_else(String::new, |one| one.url.to_string());
    let filter = match &config.notify.filter {
        CommentFilter::All => ("all", String::new()),
        CommentFilter::Public => ("public", String::new()),
        CommentFilter::Marker(text) => ("marker", text.clone()),
    };
    let filters = [
        ("all", "All that everyone may read"),
        (
            "public",
            "Only those that Service Management customers may read",
        ),
        ("marker", "Only those with the mark"),
    ];
    let filters = filters.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let refused = came.wrong.is_some();
    let page = BindingPage {
        shell: caller
            .shell(format!("{project} of {site}"), Place::Bindings)
            .noting(came.notice),
        path: page_of(&binding),
        project: project.to_string(),
        site: site.to_string(),
        workspace: config.workspace.to_string(),
        workspace_page: format!("/connections/workspace/{}", config.workspace),
        app_user: app_user
            .or(declared_user)
            .unwrap_or_else(|| "who the token belongs to".to_owned()),
        state,
        reason,
        joined: binding.kept.as_ref().map(|row| {
            let at = caller.reader.when(Millis(row.value.joined_at));
            (at, row.value.joined_by.clone())
        }),
        changed: binding
            .kept
            .as_ref()
            .map(|row| (caller.reader.when(row.changed_at), row.changed_by.clone())),
        declared: binding
            .kept
            .is_none()
            .then(|| format!("[[binding]] site = \"{site}\", project = \"{project}\"")),
        version: binding.kept.as_ref().map_or(0, |row| row.version),
        triggers: triggers(&config.notify),
        flags: flags(config),
        filter: Select::new("filter", "Which comments", filters, filter.0),
        mark: filter.1,
        rules: config
            .transitions
            .iter()
            .enumerate()
            .map(|(number, rule)| RuleRow {
                number,
                words: format!(
                    "{} → {}: {}",
                    status_words(&rule.from),
                    status_words(&rule.to),
                    in_words(rule.then)
                ),
            })
            .collect(),
        new_rule: if may_change && !parted {
            Some(new_rule(app, &binding).await)
        } else {
            None
        },
        examples: preview::examples(config, &site_url),
        workspaces: Select::new(
            "workspace",
            "Workspace",
            names.map(|name| (name.clone(), name)),
            config.workspace.as_str(),
        ),
        import: if came.import && may_change {
            Some(import_plan(app, &binding).await)
        } else {
            None
        },
        may_change,
        parted,
        wrong: came.wrong,
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
        import: query.get("import").is_some(),
        ..Came::default()
    };
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    show(&app, &caller, (&site, &project), came).await
}

/// Reads the form into what is kept.
fn typed(fields: &Fields, stored: &mut StoredBinding) -> Result<(), ChangeRefusal> {
    let on = |name: &str| fields.get(name) == "yes";
    let trigger = |word: &str| Trigger {
        note: on(&format!("{word}_note")),
        reopen: on(&format!("{word}_reopen")),
    };
    let mark = fields.get("mark").trim();
    let filter = match fields.get("filter") {
        "public" => CommentFilter::Public,
        "marker" if mark.is_empty() || mark.chars().count() > MARK_LETTERS_MAX => {
            let words = format!("Write the mark, in at most {MARK_LETTERS_MAX} letters.");
            let fault = bowline_access::Fault::new("form", words);
            return Err(ChangeRefusal::Faults(vec![fault]));
        }
        "marker" => CommentFilter::Marker(mark.to_owned()),
        _ => CommentFilter::All,
    };
    stored.notify = Notify {
        created: trigger("created"),
        assigned: trigger("assigned"),
        commented: trigger("commented"),
        filter,
        transitioned: trigger("transitioned"),
    };
    stored.linking = on("linking");
    stored.muted = on("muted");
    stored.contents = NoteContents {
        summary: on("summary"),
        comment: on("comment"),
    };
    stored.unassign_on_open = on("unassign_on_open");
    stored.wake_snoozed = on("wake_snoozed");
    stored.webhooks = on("webhooks");
    Ok(())
}

/// What changed, for the audit log.
fn detail(before: &StoredBinding, after: &StoredBinding) -> String {
    let changes = import::changes(before, after);
    let words = changes
        .iter()
        .map(|(title, was, is)| format!("{title}: {was} → {is}"));
    words.collect::<Vec<_>>().join("; ")
}

fn add_rule(fields: &Fields, stored: &mut StoredBinding) -> Result<(), ChangeRefusal> {
    let wrong = |words: &str| {
        let fault = bowline_access::Fault::new("form", words);
        ChangeRefusal::Faults(vec![fault])
    };
    let status = |name: &str| StatusMatch::read(fields.get(name)).map_err(|words| wrong(&words));
    let (from, to) = (status("from")?, status("to")?);
    if fields.get("to").trim().is_empty() || to == StatusMatch::Any {
        return Err(wrong("Choose the status that it moves to."));
    }
    let then = Trigger {
        note: fields.get("note") == "yes",
        reopen: fields.get("reopen") == "yes",
    };
    if !then.acts() {
        return Err(wrong("Choose a note, re-opening, or both."));
    }
    if stored.transitions.len() >= RULES_MAX {
        return Err(wrong("There are too many rules; remove one first."));
    }
    stored.transitions.push(TransitionRule { from, to, then });
    Ok(())
}

/// What a form on the page asks for.
pub(crate) async fn change(
    State(app): State<App>,
    Path((site, project, what)): Path<(String, String, String)>,
    posted: Posted<ChangeBindings>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let from: i64 = fields.get("version").parse().unwrap_or(0);
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let by = &caller.granted;
    let place = (&site, &project, from);
    let settings = &app.settings;
    let changed = match what.as_str() {
        "settings" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                typed(&fields, stored)?;
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "add-rule" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                add_rule(&fields, stored)?;
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "remove-rule" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                let number = fields.get("rule").parse().unwrap_or(usize::MAX);
                if number < stored.transitions.len() {
                    stored.transitions.remove(number);
                }
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "import" => match settings.other_app(&site, &project).await {
            Ok(Some(property)) => {
                let change = |stored: &mut StoredBinding| {
                    let imported = import::read(&property, stored);
                    let detail = detail(stored, &imported.after);
                    *stored = imported.after;
                    Ok(format!("imported: {detail}"))
                };
                settings.change_binding(by, place, change).await.map(drop)
            }
            Ok(None) => Err(ChangeRefusal::Gone),
            Err(words) => {
                let fault = bowline_access::Fault::new("form", words);
                Err(ChangeRefusal::Faults(vec![fault]))
            }
        },
        "part" => settings.part(by, place).await,
        "rejoin" => settings.rejoin(by, place, fields.get("workspace")).await,
        "forget" => match settings.forget(by, place).await {
            Ok(()) => return Ok(see_other("/bindings?done=forgotten")),
            Err(refusal) => Err(refusal),
        },
        _ => return Err(caller.not_found("There is no such form.")),
    };
    match changed {
        Ok(()) => {
            let done = match what.as_str() {
                "part" => "parted",
                "rejoin" => "rejoined",
                "import" => "imported",
                _ => "saved",
            };
            let next = format!("/bindings/{site}/{project}?done={done}");
            Ok(see_other(&next))
        }
        Err(ChangeRefusal::Gone) => {
            Err(caller.not_found("This project is not joined to a workspace."))
        }
        Err(refusal) => {
            let (faults, wrong) = wrong_with(refusal)?;
            let came = Came {
                wrong: wrong.or_else(|| fault_of(&faults, "workspace")),
                ..Came::default()
            };
            show(&app, &caller, (&site, &project), came).await
        }
    }
}
