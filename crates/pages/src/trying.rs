//! What the present rules of a project would have told in the last days, without telling it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use bowline_access::{ChangeBindings, ProjectRef};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_engine::try_out::{CannotTry, TRIED_DAYS, TRIED_ISSUES_MAX, Tried, TryOut, try_out};

use crate::App;
use crate::bindings::page_of;
use crate::caller::Caller;
use crate::error::{PageError, html};
use crate::query::asking;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::words::some;

#[derive(Template)]
#[template(path = "trying.html")]
struct TryingPage {
    shell: Shell,
    binding: String,
    project: String,
    days: i64,
    since: When,
    sum: String,
    silent: String,
    issues: Vec<Issue>,
    unlinked: Option<String>,
    left_out: Option<String>,
    broken_off: bool,
    gathered: Option<u32>,
}

struct Issue {
    key: String,
    why: String,
    summary: String,
    rows: Vec<Row>,
    trouble: Option<String>,
}

struct Row {
    at: When,
    what: &'static str,
    notes: Vec<(String, String)>,
    reopens: Vec<String>,
    silent: Vec<String>,
}

fn row(reader: &Reader, tried: Tried) -> Row {
    let told = !tried.notes.is_empty() || !tried.reopens.is_empty();
    let reasons = tried.reasons.iter().map(ToString::to_string);
    Row {
        at: reader.when(tried.at),
        what: tried.what,
        notes: tried
            .notes
            .into_iter()
            .map(|(conversation, html)| (conversation.to_string(), html))
            .collect(),
        reopens: tried.reopens.iter().map(ToString::to_string).collect(),
        silent: if told { Vec::new() } else { reasons.collect() },
    }
}

fn issues(reader: &Reader, tried: &TryOut) -> Vec<Issue> {
    let issues = tried.issues.iter().cloned().map(|issue| Issue {
        why: asking("/why", "q", &issue.key),
        key: issue.key,
        summary: issue.summary,
        trouble: issue.trouble,
        rows: issue
            .happened
            .into_iter()
            .map(|tried| row(reader, tried))
            .collect(),
    });
    issues.collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) async fn page(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    caller: Caller<ChangeBindings>,
) -> Result<Response, PageError> {
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let Some(binding) = app.settings.binding(&site, &project) else {
        return Err(caller.not_found("This project is not joined to a workspace."));
    };
    let mine = ProjectRef {
        site: site.to_string(),
        project: project.to_string(),
    };
    if !caller.granted.covers(&mine) {
        return Err(caller.forbidden("You administer other projects than this one."));
    }
    let tried = match try_out(&app.shared, &site, &project).await {
        Ok(tried) => tried,
        Err(CannotTry::Store(error)) => return Err(error.into()),
        Err(refusal @ CannotTry::NoSite) => return Err(caller.not_found(&refusal.to_string())),
    };
    let (notes, reopens) = (count(tried.notes()), count(tried.reopens()));
    let seconds = binding.config.coalesce_seconds;
    let page = TryingPage {
        shell: caller.shell(format!("{project}: the last week"), Place::Bindings),
        binding: page_of(&binding),
        project: project.to_string(),
        days: TRIED_DAYS,
        since: caller.reader.when(tried.since),
        sum: format!(
            "{} and {}",
            some(notes, "note"),
            some(reopens, "re-opening")
        ),
        silent: some(count(tried.silent()), "change"),
        issues: issues(&caller.reader, &tried),
        unlinked: (tried.unlinked > 0).then(|| some(count(tried.unlinked), "issue")),
        left_out: (tried.left_out > 0).then(|| {
            format!(
                "{} more had changes; one trial reads {TRIED_ISSUES_MAX}, the linked ones first.",
                some(count(tried.left_out), "issue")
            )
        }),
        broken_off: tried.broken_off,
        gathered: (seconds > 0).then_some(seconds),
    };
    Ok(html(&page))
}
