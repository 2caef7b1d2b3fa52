//! One project: what is told of it, saved as it is changed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeBindings, Fault, Look, ManageConnections, Permission, ProjectRef};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::panel::{ContactSource, PanelSettings};
use bowline_domain::settings::{CommentFilter, Notify, StatusMatch, Trigger};
use bowline_domain::time::Millis;
use bowline_domain::visible::Whose;
use bowline_settings::{BindingNow, import, preview};

use crate::App;
use crate::bindings::{broken_of, page_of, state_of};
use crate::caller::Caller;
use crate::component::{Field, Lozenge, Select};
use crate::connections::page_of as connection_page;
use crate::error::{PageError, html};
use crate::notice;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};
use crate::tally::{self, TallyPart};

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
    /// Whose consent or token the workspace is connected with.
    connected_by: Option<String>,
    may_change_user: bool,
    state: Lozenge,
    reason: Option<String>,
    /// Where what does not work is connected anew.
    reconnect: Option<String>,
    joined: Option<(When, String)>,
    changed: Option<(When, String)>,
    declared: Option<String>,
    version: i64,
    may_change: bool,
    may_try: bool,
    parted: bool,
    wrong: Option<String>,
    triggers: Vec<TriggerRow>,
    flags: Vec<Flag>,
    panel: PanelPart,
    tally: TallyPart,
    coalesce: Field,
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

/// What came of a form.
#[derive(Default)]
pub(crate) struct Came {
    pub(crate) wrong: Option<String>,
    pub(crate) notice: Option<&'static str>,
    /// What was typed as the time of gathering, and what is wrong with it.
    pub(crate) coalesce: Option<(String, String)>,
    pub(crate) import: bool,
    /// What was typed about Jira's side, and what is wrong with it.
    pub(crate) tally: Option<tally::Typed>,
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

/// What the panel shows.
struct PanelPart {
    flags: Vec<Flag>,
    source: Select,
    /// Whose fields, and which.
    fields: Vec<(&'static str, String)>,
}

fn panel_part(panel: &PanelSettings) -> PanelPart {
    let sources = [
        ("linked", "Those of the linked conversations"),
        (
            "reporter",
            "Users and leads with the reporter's e-mail address",
        ),
    ];
    let chosen = match panel.contact_source {
        ContactSource::Linked => "linked",
        ContactSource::Reporter => "reporter",
    };
    let sources = sources.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let fields = Whose::ALL.map(|whose| {
        let names = whose.list(&panel.visible).join(", ");
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names
        };
        (people_of(whose), names)
    });
    PanelPart {
        flags: vec![
            Flag {
                word: "panel",
                title: "Panel on the issue",
                meaning: "Conversations and contacts behind an issue, on its page in Bowline.",
                on: panel.enabled,
            },
            Flag {
                word: "conversation_view",
                title: "Whole conversations can be read",
                meaning: "Off: the panel shows the first message only.",
                on: panel.conversation_view,
            },
        ],
        source: Select::new("contact_source", "Which contacts", sources, chosen),
        fields: fields.to_vec(),
    }
}

/// The time in which changes are gathered.
fn coalesce(seconds: u32, wrong: Option<(String, String)>) -> Field {
    let field = Field::new(
        "coalesce_seconds",
        "Seconds in which changes are gathered",
        "text",
    )
    .hinting(
        "Several changes of an issue within this time go in one note, which says all of them. \
             0: each has its own, at once.",
    )
    .filled("off");
    match wrong {
        None => field.with(&seconds.to_string()),
        Some((typed, words)) => field
            .with(&typed)
            .faulty(&[Fault::new("coalesce_seconds", words)]),
    }
}

/// What the people of a list are called.
pub(crate) fn people_of(whose: Whose) -> &'static str {
    match whose {
        Whose::User => "Users",
        Whose::Lead => "Leads",
        Whose::Company => "Companies",
    }
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

/// Shows the page.
pub(crate) async fn show<P: Permission>(
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
    let may = may.is_some_and(|may| may.covers(&mine));
    let may_change = may && binding.kept.is_some();
    let parted = binding.kept.as_ref().is_some_and(|row| row.value.parted);
    let (state, reason) = state_of(app, &binding);
    let config = &binding.config;
    let workspaces = app.settings.workspaces();
    let kept = workspaces.iter().find(|one| one.name == config.workspace);
    let stored = kept.and_then(|one| Some(&one.kept.as_ref()?.value));
    let connected_by = stored.and_then(|row| row.authorized_with.clone());
    let chosen = stored.and_then(|row| row.app_user.clone());
    let declared_user = || kept.and_then(|one| one.config.as_ref()?.app_user.clone());
    let app_user = match chosen.or_else(declared_user) {
        // Of a declared workspace, the connection itself says to whom the token belongs.
        None => connected_by.clone().or_else(|| {
            let connection = Connection::Workspace(config.workspace.clone());
            let mut all = app.shared.connections_now().into_iter();
            all.find(|one| one.connection == connection)?.actor_name
        }),
        Some(id) => {
            let named = app.shared.teammate_now(&config.workspace, &id).await?;
            Some(named.unwrap_or_else(|| format!("the teammate {id}")))
        }
    };
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
    let refused = came.wrong.is_some() || came.coalesce.is_some() || came.tally.is_some();
    let page = BindingPage {
        shell: caller
            .shell(format!("{project} of {site}"), Place::Bindings)
            .noting(came.notice),
        path: page_of(&binding),
        project: project.to_string(),
        site: site.to_string(),
        workspace: config.workspace.to_string(),
        workspace_page: format!("/connections/workspace/{}", config.workspace),
        app_user: app_user.unwrap_or_else(|| "who the token belongs to".to_owned()),
        connected_by,
        may_change_user: stored.is_some() && caller.who().may::<ManageConnections>(),
        state,
        reason,
        reconnect: broken_of(app, &binding)
            .filter(|_| caller.who().may::<ManageConnections>())
            .map(|broken| format!("{}#credentials", connection_page(&broken.connection))),
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
        panel: panel_part(&config.panel),
        tally: tally::part(app, &binding, may_change && !parted, came.tally).await?,
        coalesce: coalesce(config.coalesce_seconds, came.coalesce),
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
        may_try: may && !parted,
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
