//! Pages of a service desk: the queue, and a request with its public and internal comments.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::common::page::{Platform, Shell, html, see_other};

use super::automation::Automation;
use super::body::Body;
use super::comments::NewComment;
use super::config::RequestField;
use super::desk::Desk;
use super::error::Refusal;
use super::model::{FINISHED, Issue, User, status_named, workflow};
use super::ops::Edit;
use super::pages::{Choice, CommentView, acting, comment_view, people, refused, typed};
use super::sandbox::Sandbox;
use super::stamp;
use super::state::State as Site;

/// Requests that the queue shows at once, latest change first.
const MAX_LISTED: usize = 100;

/// The field that the queue page can make required, for trying out what then happens.
const EXTRA_FIELD: (&str, &str) = ("customfield_10050", "Customer");

type Fields = Form<HashMap<String, String>>;

/// The pages under `/servicedesk`.
pub(crate) fn routes(site: &Sandbox) -> Router {
    Router::new()
        .route("/servicedesk/{project}", get(queue))
        .route("/servicedesk/{project}/automation", post(automation))
        .route("/servicedesk/{project}/form", post(form))
        .route("/servicedesk/{project}/request/{key}", get(request))
        .route("/servicedesk/{project}/request/{key}/{action}", post(act))
        .with_state(site.clone())
}

#[derive(Template)]
#[template(path = "jira/queue.html")]
struct QueuePage {
    shell: Shell,
    people: Vec<Choice>,
    here: String,
    project: String,
    rows: Vec<Row>,
    total: usize,
    automated: bool,
    forms: Vec<FormView>,
}

struct Row {
    key: String,
    summary: String,
    kind: String,
    reporter: String,
    status: &'static str,
    done: bool,
    comments: usize,
    updated: String,
}

struct FormView {
    name: String,
    required: String,
    extra: bool,
}

#[derive(Template)]
#[template(path = "jira/request.html")]
struct RequestPage {
    shell: Shell,
    people: Vec<Choice>,
    here: String,
    project: String,
    key: String,
    summary: String,
    kind: String,
    description: Option<String>,
    status: &'static str,
    done: bool,
    reporter: String,
    created: String,
    updated: String,
    files: Vec<(u64, String, usize)>,
    comments: Vec<CommentView>,
    statuses: Vec<&'static str>,
}

fn kind(desk: &Desk, issue: &Issue) -> String {
    let id = issue.request.as_ref().map(|request| request.request_type);
    id.and_then(|id| desk.request_type(id))
        .map(|found| found.name.clone())
        .unwrap_or_default()
}

fn form_view(form: &super::config::RequestType) -> FormView {
    let required: Vec<&str> = form
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name.as_str())
        .collect();
    FormView {
        name: form.name.clone(),
        required: required.join(", "),
        extra: form
            .fields
            .iter()
            .any(|field| field.id == EXTRA_FIELD.0 && field.required),
    }
}

fn no_desk() -> Response {
    (StatusCode::NOT_FOUND, "There is no such service desk.").into_response()
}

async fn queue(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path(project): Path<String>,
) -> Response {
    let page = site.read(|state| {
        let me = acting(state, &headers)?;
        let desk = state.desk(&project)?;
        let mut all: Vec<&Issue> = state
            .issues
            .values()
            .map(AsRef::as_ref)
            .filter(|issue: &&Issue| issue.project == desk.project)
            .filter(|issue| state.may_see_issue(&me, issue.id))
            .collect();
        all.sort_unstable_by_key(|issue| (-issue.updated_ms, issue.id));
        let rows = all.iter().take(MAX_LISTED).map(|issue| Row {
            key: issue.key.clone(),
            summary: issue.summary.clone(),
            kind: kind(desk, issue),
            reporter: issue.reporter.display_name.clone(),
            status: issue.status.name,
            done: issue.status.category == FINISHED,
            comments: issue.comments.len(),
            updated: stamp::short(issue.updated_ms, state.utc_offset_minutes),
        });
        Some(QueuePage {
            shell: Shell::new("Queue", Platform::Jira, site.neighbours()).refreshing(),
            people: people(state, &me),
            here: format!("/servicedesk/{project}"),
            rows: rows.collect(),
            total: all.len(),
            automated: state.automations.iter().any(|rule| rule.project == project),
            forms: desk
                .request_types
                .iter()
                .map(|(_, form)| form_view(form))
                .collect(),
            project: project.clone(),
        })
    });
    page.map_or_else(no_desk, |page| html(&page))
}

/// Switches the usual rules of the desk on or off.
async fn automation(
    State(site): State<Sandbox>,
    Path(project): Path<String>,
    Form(fields): Fields,
) -> Response {
    site.write(|state| {
        state.automations.retain(|rule| rule.project != project);
        if fields.contains_key("on") {
            state.automations.extend(Automation::usual(&project));
        }
    });
    see_other(&format!("/servicedesk/{project}"))
}

/// Makes one more field of a form required, or takes it off.
async fn form(
    State(site): State<Sandbox>,
    Path(project): Path<String>,
    Form(fields): Fields,
) -> Response {
    let name = fields.get("type").map(String::as_str).unwrap_or_default();
    if fields.contains_key("required") {
        let field = RequestField::text(EXTRA_FIELD.0, EXTRA_FIELD.1, true);
        site.set_request_field(&project, name, field);
    } else {
        site.remove_request_field(&project, name, EXTRA_FIELD.0);
    }
    see_other(&format!("/servicedesk/{project}"))
}

async fn request(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path((project, key)): Path<(String, String)>,
) -> Response {
    let page = site.read(|state| {
        let me = acting(state, &headers).ok_or_else(|| Refusal::no_issue(true))?;
        let issue = state.visible_issue(&me, &key)?;
        let desk = state
            .desk(&project)
            .ok_or_else(|| Refusal::no_issue(true))?;
        Ok(request_page(&site, state, (&me, desk), issue, &project))
    });
    match page {
        Ok(page) => html(&page),
        Err(refusal) => refused(
            &site,
            &headers,
            &format!("/servicedesk/{project}"),
            &refusal,
        ),
    }
}

fn request_page(
    site: &Sandbox,
    state: &Site,
    (me, desk): (&User, &Desk),
    issue: &Issue,
    project: &str,
) -> RequestPage {
    let offset = state.utc_offset_minutes;
    RequestPage {
        shell: Shell::new(
            format!("{} {}", issue.key, issue.summary),
            Platform::Jira,
            site.neighbours(),
        )
        .refreshing(),
        people: people(state, me),
        here: format!("/servicedesk/{project}/request/{}", issue.key),
        project: project.to_owned(),
        key: issue.key.clone(),
        summary: issue.summary.clone(),
        kind: kind(desk, issue),
        description: issue.description.as_ref().map(Body::as_html),
        status: issue.status.name,
        done: issue.status.category == FINISHED,
        reporter: issue.reporter.display_name.clone(),
        created: stamp::short(issue.created_ms, offset),
        updated: stamp::short(issue.updated_ms, offset),
        files: issue
            .attachments
            .values()
            .map(|file| (file.id, file.file_name.clone(), file.content.len()))
            .collect(),
        comments: issue
            .comments
            .values()
            .filter(|comment| comment.visible_to(me))
            .map(|comment| comment_view(comment, me, offset))
            .collect(),
        statuses: workflow(state.project_of(issue).kind)
            .iter()
            .filter(|status| **status != issue.status)
            .map(|status| status.name)
            .collect(),
    }
}

/// A comment, a transition, or both in one action.
async fn act(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path((project, key, action)): Path<(String, String, String)>,
    Form(fields): Fields,
) -> Response {
    let here = format!("/servicedesk/{project}/request/{key}");
    let done = site.write(|state| {
        let me = acting(state, &headers).ok_or_else(|| Refusal::no_issue(true))?;
        let id = state.visible_issue(&me, &key)?.id;
        let text = typed(state, &fields, "text");
        let empty = || Refusal::field("comment", "Comment body can not be empty!");
        match action.as_str() {
            "reply" => {
                let new = NewComment::open(text.ok_or_else(empty)?);
                state.add_comment(&me, id, new).map(|_| ())
            }
            "note" => {
                let new = NewComment::internal(text.ok_or_else(empty)?);
                state.add_comment(&me, id, new).map(|_| ())
            }
            "status" => {
                let to = fields.get("status").and_then(|name| status_named(name));
                let to = to.ok_or_else(|| Refusal::bad("There is no such status."))?;
                state.allow_transition(id, to)?;
                let edit = Edit {
                    comment: text.map(NewComment::open),
                    ..Edit::default()
                };
                state.transition(&me, id, to, edit)
            }
            _ => Err(Refusal::message(404, "There is no such action.")),
        }
    });
    match done {
        Ok(()) => see_other(&here),
        Err(refusal) => refused(&site, &headers, &here, &refusal),
    }
}
