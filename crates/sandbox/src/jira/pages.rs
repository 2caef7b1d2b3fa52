//! Pages for people: the projects with their issues, and an issue with everything that can be done to it.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::common::page::{Platform, Shell, html, see_other};

use super::body::Body;
use super::comments::NewComment;
use super::error::Refusal;
use super::model::{Comment, Issue, Project, User, Visibility, status_named, workflow};
use super::ops::{Edit, NewIssue};
use super::sandbox::Sandbox;
use super::stamp;
use super::state::State as Site;

/// Issues that the list shows at once, newest change first.
const MAX_LISTED: usize = 100;
/// Name of the cookie that says who is at work.
const COOKIE: &str = "acting";

type Fields = Form<HashMap<String, String>>;

/// The pages under `/`, and the path of real issue links.
pub(crate) fn routes(site: &Sandbox) -> Router {
    Router::new()
        .route("/", get(board))
        .route("/act", post(act_as))
        .route("/create", post(create))
        .route("/browse/{key}", get(issue))
        .route("/browse/{key}/{action}", post(change))
        .route(
            "/browse/{key}/comment/{comment}/{action}",
            post(change_comment),
        )
        .with_state(site.clone())
}

#[derive(Template)]
#[template(path = "jira/board.html")]
struct BoardPage {
    shell: Shell,
    people: Vec<Choice>,
    here: String,
    projects: Vec<Choice>,
    shown: Option<String>,
    rows: Vec<Row>,
    total: usize,
    desks: Vec<String>,
}

#[derive(Template)]
#[template(path = "jira/issue.html")]
struct IssuePage {
    shell: Shell,
    people: Vec<Choice>,
    here: String,
    key: String,
    id: u64,
    project: String,
    summary: String,
    description: Option<String>,
    description_text: String,
    status: &'static str,
    done: bool,
    level: Option<&'static str>,
    assignee: Option<String>,
    reporter: String,
    labels: Vec<String>,
    created: String,
    updated: String,
    service_desk: bool,
    statuses: Vec<&'static str>,
    assignees: Vec<Choice>,
    projects: Vec<Choice>,
    comments: Vec<CommentView>,
    links: Vec<LinkView>,
    history: Vec<Entry>,
    former_keys: Vec<String>,
    /// The product's panel in a frame.
    panel: Option<String>,
}

#[derive(Template)]
#[template(path = "jira/refused.html")]
struct RefusedPage {
    shell: Shell,
    people: Vec<Choice>,
    here: String,
    status: u16,
    reason: String,
}

pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

struct Row {
    key: String,
    summary: String,
    status: &'static str,
    done: bool,
    assignee: Option<String>,
    comments: usize,
    updated: String,
}

pub(super) struct CommentView {
    pub(super) id: u64,
    pub(super) who: String,
    pub(super) at: String,
    pub(super) edited: bool,
    pub(super) note: Option<String>,
    pub(super) html: String,
    text: String,
    mine: bool,
}

struct LinkView {
    title: String,
    url: String,
    resolved: bool,
}

struct Entry {
    who: String,
    at: String,
    items: Vec<(String, String, String)>,
}

/// Who is at work: the person of the cookie, or the second user (the first is the bot).
pub(super) fn acting(site: &Site, headers: &HeaderMap) -> Option<Arc<User>> {
    let cookies = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    name.and_then(|name| site.user(name))
        .or_else(|| site.users.get(1))
        .or_else(|| site.users.first())
        .cloned()
}

pub(super) fn people(site: &Site, me: &User) -> Vec<Choice> {
    let choice = |user: &Arc<User>| Choice {
        value: user.name.clone(),
        label: user.display_name.clone(),
        selected: user.account_id == me.account_id,
    };
    site.users.iter().skip(1).map(choice).collect()
}

fn projects(site: &Site, me: &User, selected: Option<u64>) -> Vec<Choice> {
    let choice = |project: &Project| Choice {
        value: project.key.clone(),
        label: format!("{} ({})", project.name, project.key),
        selected: Some(project.id) == selected,
    };
    site.projects
        .values()
        .filter(|project| site.may_see_project(me, project))
        .map(choice)
        .collect()
}

/// What a person typed: browsers send CR LF, Jira keeps LF.
pub(super) fn typed(site: &Site, fields: &HashMap<String, String>, name: &str) -> Option<Body> {
    let text = fields.get(name)?.replace("\r\n", "\n");
    let text = text.trim();
    (!text.is_empty()).then(|| {
        if site.is_cloud() {
            Body::typed(text)
        } else {
            Body::wiki(text)
        }
    })
}

pub(super) fn refused(
    site: &Sandbox,
    headers: &HeaderMap,
    here: &str,
    refusal: &Refusal,
) -> Response {
    let general = refusal.body["errorMessages"]
        .as_array()
        .into_iter()
        .flatten();
    let fields = refusal.body["errors"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.values());
    let reason: Vec<&str> = general
        .chain(fields)
        .filter_map(|text| text.as_str())
        .collect();
    let people = site.read(|state| {
        acting(state, headers)
            .map(|me| people(state, &me))
            .unwrap_or_default()
    });
    let page = RefusedPage {
        shell: Shell::new("Not possible", Platform::Jira, site.neighbours()),
        people,
        here: here.to_owned(),
        status: refusal.status,
        reason: reason.join(" "),
    };
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, html(&page)).into_response()
}

async fn act_as(Form(fields): Fields) -> Response {
    let name: String = fields
        .get("user")
        .into_iter()
        .flat_map(|name| name.chars())
        .filter(char::is_ascii_alphanumeric)
        .collect();
    // Only a path of this site, never another host.
    let back = fields
        .get("back")
        .filter(|back| back.starts_with('/') && !back.starts_with("//"))
        .map_or("/", String::as_str);
    let mut response = see_other(back);
    if let Ok(cookie) = format!("{COOKIE}={name}; Path=/; SameSite=Lax; HttpOnly").parse() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn board(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let page = site.read(|state| {
        let me = acting(state, &headers)?;
        let shown = query.get("project").and_then(|key| state.project(key));
        let offset = state.utc_offset_minutes;
        let mut all: Vec<&Issue> = state
            .issues
            .values()
            .map(Arc::as_ref)
            .filter(|issue| shown.is_none_or(|project| issue.project == project.id))
            .filter(|issue| state.may_see_issue(&me, issue.id))
            .collect();
        all.sort_unstable_by_key(|issue| (-issue.updated_ms, issue.id));
        let rows = all.iter().take(MAX_LISTED).map(|issue| Row {
            key: issue.key.clone(),
            summary: issue.summary.clone(),
            status: issue.status.name,
            done: issue.resolved_ms.is_some(),
            assignee: issue
                .assignee
                .as_ref()
                .map(|user| user.display_name.clone()),
            comments: issue.comments.len(),
            updated: stamp::short(issue.updated_ms, offset),
        });
        Some(BoardPage {
            shell: Shell::new("Issues", Platform::Jira, site.neighbours()).refreshing(),
            people: people(state, &me),
            here: shown.map_or_else(
                || "/".to_owned(),
                |project| format!("/?project={}", project.key),
            ),
            projects: projects(state, &me, shown.map(|project| project.id)),
            shown: shown.map(|project| project.key.clone()),
            rows: rows.collect(),
            total: all.len(),
            desks: state
                .desks
                .iter()
                .filter_map(|desk| state.projects.get(&desk.project))
                .filter(|project| state.may_see_project(&me, project))
                .map(|project| project.key.clone())
                .collect(),
        })
    });
    page.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |page| html(&page))
}

async fn create(State(site): State<Sandbox>, headers: HeaderMap, Form(fields): Fields) -> Response {
    let key = site.write(|state| {
        let me = acting(state, &headers)
            .ok_or_else(|| Refusal::message(404, "There is nobody here."))?;
        let text = |name: &str| {
            fields
                .get(name)
                .map(|text| text.trim().to_owned())
                .unwrap_or_default()
        };
        let project = state
            .project(&text("project"))
            .map_or(0, |project| project.id);
        let summary = text("summary");
        if summary.is_empty() {
            return Err(Refusal::field(
                "summary",
                "You must specify a summary of the issue.",
            ));
        }
        let rest = Edit {
            description: Some(typed(state, &fields, "description")),
            ..Edit::default()
        };
        let issue_type = super::model::ISSUE_TYPES[0].0;
        let new = NewIssue {
            project,
            issue_type,
            summary,
            rest,
            properties: std::collections::BTreeMap::new(),
            request: None,
        };
        let id = state.create_issue(&me, new)?;
        state
            .issue(id)
            .map(|issue| issue.key.clone())
            .ok_or_else(|| Refusal::no_issue(true))
    });
    match key {
        Ok(key) => see_other(&format!("/browse/{key}")),
        Err(refusal) => refused(&site, &headers, "/", &refusal),
    }
}

async fn issue(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path(key): Path<String>,
) -> Response {
    let page = site.read(|state| {
        let me = acting(state, &headers).ok_or_else(|| Refusal::no_issue(true))?;
        let issue = state.visible_issue(&me, &key)?;
        // A former key leads to the issue under its new one.
        Ok(if issue.key == key {
            Ok(issue_page(&site, state, &me, issue))
        } else {
            Err(issue.key.clone())
        })
    });
    match page {
        Ok(Ok(page)) => html(&page),
        Ok(Err(key)) => see_other(&format!("/browse/{key}")),
        Err(refusal) => refused(&site, &headers, "/", &refusal),
    }
}

fn issue_page(site: &Sandbox, state: &Site, me: &User, issue: &Issue) -> IssuePage {
    let offset = state.utc_offset_minutes;
    let project = state.project_of(issue);
    let mut assignees = people(state, me);
    for choice in &mut assignees {
        choice.selected = issue
            .assignee
            .as_ref()
            .is_some_and(|user| user.name == choice.value);
    }
    let mut former_keys: Vec<String> = state
        .keys
        .iter()
        .filter(|(key, id)| **id == issue.id && **key != issue.key)
        .map(|(key, _)| key.clone())
        .collect();
    former_keys.sort();
    let now_s = crate::common::clock::now_ms() / 1_000;
    let id = issue.id.to_string();
    let panel = site.neighbours().panel(&me.email, &issue.key, &id, now_s);
    IssuePage {
        panel,
        shell: Shell::new(
            format!("{} {}", issue.key, issue.summary),
            Platform::Jira,
            site.neighbours(),
        )
        .refreshing(),
        people: people(state, me),
        here: format!("/browse/{}", issue.key),
        key: issue.key.clone(),
        id: issue.id,
        project: project.key.clone(),
        summary: issue.summary.clone(),
        description: issue.description.as_ref().map(Body::as_html),
        description_text: issue
            .description
            .as_ref()
            .map(|body| body.as_wiki().to_owned())
            .unwrap_or_default(),
        status: issue.status.name,
        done: issue.resolved_ms.is_some(),
        level: issue
            .security
            .and_then(|id| super::model::SECURITY_LEVELS.iter().find(|l| l.0 == id))
            .map(|l| l.1),
        assignee: issue
            .assignee
            .as_ref()
            .map(|user| user.display_name.clone()),
        reporter: issue.reporter.display_name.clone(),
        labels: issue.labels.clone(),
        created: stamp::short(issue.created_ms, offset),
        updated: stamp::short(issue.updated_ms, offset),
        service_desk: project.kind == super::config::ProjectKind::ServiceDesk,
        statuses: workflow(project.kind)
            .iter()
            .filter(|status| **status != issue.status)
            .map(|status| status.name)
            .collect(),
        assignees,
        projects: projects(state, me, None)
            .into_iter()
            .filter(|choice| choice.value != project.key)
            .collect(),
        comments: issue
            .comments
            .values()
            .filter(|comment| comment.visible_to(me))
            .map(|comment| comment_view(comment, me, offset))
            .collect(),
        links: issue
            .remote_links
            .values()
            .map(|link| LinkView {
                title: link.title().to_owned(),
                url: link.object["url"]
                    .as_str()
                    .filter(|url| url.starts_with("http"))
                    .unwrap_or("#")
                    .to_owned(),
                resolved: link.object["status"]["resolved"] == true,
            })
            .collect(),
        history: issue
            .history
            .iter()
            .rev()
            .map(|entry| Entry {
                who: entry.author.display_name.clone(),
                at: stamp::short(entry.created_ms, offset),
                items: entry
                    .items
                    .iter()
                    .map(|item| {
                        let side = |text: &Option<String>| {
                            text.clone().unwrap_or_else(|| "nothing".to_owned())
                        };
                        (
                            item.field.clone(),
                            side(&item.from_string),
                            side(&item.to_string),
                        )
                    })
                    .collect(),
            })
            .collect(),
        former_keys,
    }
}

pub(super) fn comment_view(comment: &Comment, me: &User, offset: i32) -> CommentView {
    let restricted = comment
        .visibility
        .as_ref()
        .map(|visibility| format!("only {}", visibility.value));
    CommentView {
        id: comment.id,
        who: comment.author.display_name.clone(),
        at: stamp::short(comment.created_ms, offset),
        edited: comment.updated_ms != comment.created_ms,
        note: restricted.or_else(|| comment.is_internal().then(|| "internal note".to_owned())),
        html: comment.body.as_html(),
        text: comment.body.as_wiki().to_owned(),
        mine: me.admin || comment.author.account_id == me.account_id,
    }
}

/// Does something to an issue and shows it again, or the list if it is gone.
async fn change(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path((key, action)): Path<(String, String)>,
    Form(fields): Fields,
) -> Response {
    let done = site.write(|state| {
        let me = acting(state, &headers).ok_or_else(|| Refusal::no_issue(true))?;
        let id = state.visible_issue(&me, &key)?.id;
        match action.as_str() {
            "edit" => edit(state, &me, id, &fields),
            "comment" => comment(state, &me, id, &fields),
            "assign" => {
                let assignee = fields
                    .get("user")
                    .filter(|name| !name.is_empty())
                    .and_then(|name| state.user(name))
                    .cloned();
                state.edit_issue(
                    &me,
                    id,
                    Edit {
                        assignee: Some(assignee),
                        ..Edit::default()
                    },
                )
            }
            "status" => {
                let to = fields.get("status").and_then(|name| status_named(name));
                let to = to.ok_or_else(|| Refusal::bad("There is no such status."))?;
                let comment = typed(state, &fields, "comment").map(NewComment::open);
                state.allow_transition(id, to)?;
                state.transition(
                    &me,
                    id,
                    to,
                    Edit {
                        comment,
                        ..Edit::default()
                    },
                )
            }
            "move" => {
                let to = fields
                    .get("project")
                    .and_then(|key| state.project(key))
                    .map_or(0, |project| project.id);
                state.move_issue(&me, id, to)
            }
            "delete" => state.delete_issue(&me, id),
            _ => Err(Refusal::message(404, "There is no such action.")),
        }?;
        Ok(state.issue(id).map(|issue| issue.key.clone()))
    });
    shown_again(&site, &headers, &key, done)
}

fn edit(
    state: &mut Site,
    me: &Arc<User>,
    id: u64,
    fields: &HashMap<String, String>,
) -> Result<(), Refusal> {
    let summary = fields
        .get("summary")
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    let description = typed(state, fields, "description");
    let before = state
        .issue(id)
        .and_then(|issue| issue.description.as_ref())
        .map(|body| body.as_wiki().trim().to_owned());
    // A text that nobody touched keeps whatever a round through the text box would lose.
    let given = fields
        .get("description")
        .map(|text| text.replace("\r\n", "\n").trim().to_owned());
    let same = given.unwrap_or_default() == before.unwrap_or_default();
    state.edit_issue(
        me,
        id,
        Edit {
            summary,
            description: (!same).then_some(description),
            ..Edit::default()
        },
    )
}

fn comment(
    state: &mut Site,
    me: &Arc<User>,
    id: u64,
    fields: &HashMap<String, String>,
) -> Result<(), Refusal> {
    let body = typed(state, fields, "text")
        .ok_or_else(|| Refusal::field("comment", "Comment body can not be empty!"))?;
    let new = match fields.get("audience").map(String::as_str) {
        Some("internal") => NewComment::internal(body),
        Some("developers") => NewComment::restricted(body, "Developers"),
        Some("administrators") => NewComment {
            visibility: Some(Visibility {
                kind: "role".to_owned(),
                value: "Administrators".to_owned(),
            }),
            ..NewComment::open(body)
        },
        _ => NewComment::open(body),
    };
    state.add_comment(me, id, new).map(|_| ())
}

async fn change_comment(
    State(site): State<Sandbox>,
    headers: HeaderMap,
    Path((key, comment, action)): Path<(String, u64, String)>,
    Form(fields): Fields,
) -> Response {
    let done = site.write(|state| {
        let me = acting(state, &headers).ok_or_else(|| Refusal::no_issue(true))?;
        let (issue, found) = state.visible_comment(&me, &key, &comment.to_string())?;
        let (id, mine) = (
            issue.id,
            me.admin || found.author.account_id == me.account_id,
        );
        match action.as_str() {
            _ if !mine => Err(Refusal::bad(format!(
                "You do not have permission to change comment with id: {comment}"
            ))),
            "edit" => {
                let body = typed(state, &fields, "text");
                let body = body
                    .ok_or_else(|| Refusal::field("comment", "Comment body can not be empty!"))?;
                state.edit_comment(&me, (id, comment), |found| found.body = body)
            }
            "delete" => state.delete_comment(&me, id, comment),
            _ => Err(Refusal::message(404, "There is no such action.")),
        }?;
        Ok(state.issue(id).map(|issue| issue.key.clone()))
    });
    shown_again(&site, &headers, &key, done)
}

fn shown_again(
    site: &Sandbox,
    headers: &HeaderMap,
    key: &str,
    done: Result<Option<String>, Refusal>,
) -> Response {
    match done {
        Ok(Some(key)) => see_other(&format!("/browse/{key}")),
        Ok(None) => see_other("/"),
        Err(refusal) => refused(site, headers, &format!("/browse/{key}"), &refusal),
    }
}
