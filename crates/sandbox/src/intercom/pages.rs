//! Pages for people: the inbox, a conversation, and what a customer or teammate does there.

use std::fmt;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use crate::common::page::{Platform, Shell, html as render, see_other};

use super::error::ApiError;
use super::html;
use super::model::{Conversation, NewContact, Part};
use super::sandbox::Sandbox;
use super::state::State as Workspace;

/// Conversations that the inbox shows at once.
const MAX_LISTED: usize = 100;

/// Letters of the newest message that the inbox shows.
const PREVIEW_LETTERS: usize = 90;

/// Longest snooze that the page offers, in minutes: a month.
const MAX_SNOOZE_MINUTES: i64 = 31 * 24 * 60;

/// The pages under `/`, and the paths of real conversation addresses.
pub(crate) fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/", get(inbox))
        .route("/app/conversations", post(begin))
        .route("/app/conversations/{id}", get(conversation))
        .route("/app/conversations/{id}/{action}", post(act))
        .route(
            "/oauth",
            get(super::consent::page).post(super::consent::give),
        )
        .route(
            super::developer_hub::PATH,
            get(super::developer_hub::page).post(super::developer_hub::register),
        )
        .route("/a/inbox/{*rest}", get(real_address))
        .with_state(sandbox)
}

/// A moment as the pages show it.
struct Moment(i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
            Err(_) => f.write_str("never"),
        }
    }
}

#[derive(Template)]
#[template(path = "intercom/inbox.html")]
struct InboxPage {
    shell: Shell,
    show: &'static str,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    total: usize,
}

struct Tab {
    key: &'static str,
    label: &'static str,
    count: usize,
}

impl Tab {
    fn is(&self, shown: &str) -> bool {
        self.key == shown
    }
}

struct Row {
    id: u64,
    who: String,
    preview: String,
    state: &'static str,
    tags: Vec<String>,
    updated: Moment,
}

#[derive(Debug, Default, Deserialize)]
struct InboxQuery {
    show: Option<String>,
}

const TABS: [(&str, &str); 4] = [
    ("open", "Open"),
    ("snoozed", "Snoozed"),
    ("closed", "Closed"),
    ("all", "All"),
];

async fn inbox(State(sandbox): State<Sandbox>, Query(query): Query<InboxQuery>) -> Response {
    let asked = query.show.as_deref().unwrap_or("all");
    let show = TABS
        .iter()
        .map(|(key, _)| *key)
        .find(|key| *key == asked)
        .unwrap_or("all");
    let page = sandbox.with(|state, _| {
        let belongs = |conversation: &Conversation, key: &str| {
            key == "all" || conversation.state.name() == key
        };
        let count = |key: &str| {
            state
                .conversations
                .values()
                .filter(|found| belongs(found, key))
                .count()
        };
        let tabs = TABS.map(|(key, label)| Tab {
            key,
            label,
            count: count(key),
        });
        let mut listed: Vec<&Conversation> = state
            .conversations
            .values()
            .filter(|found| belongs(found, show))
            .collect();
        listed.sort_by_key(|found| std::cmp::Reverse((found.updated_at, found.id)));
        let total = listed.len();
        listed.truncate(MAX_LISTED);
        InboxPage {
            shell: Shell::new("Inbox", Platform::Intercom, sandbox.neighbours()).refreshing(),
            show,
            tabs: tabs.into(),
            rows: listed.into_iter().map(|found| row(state, found)).collect(),
            total,
        }
    });
    render(&page)
}

fn display_name(name: Option<&String>, email: Option<&String>) -> String {
    // A lead may have neither; the platform then invents a name that its API does not give.
    name.or(email)
        .cloned()
        .unwrap_or_else(|| "Unknown visitor".to_owned())
}

/// With whom the conversation is, whoever wrote first.
fn with_whom(state: &Workspace, conversation: &Conversation) -> String {
    let author = &conversation.author;
    if author.is_teammate() {
        let contact = conversation.contacts.first();
        let known = contact.and_then(|id| state.contacts.get(id));
        let (name, email) =
            known.map_or((None, None), |one| (one.name.as_ref(), one.email.as_ref()));
        return display_name(name, email);
    }
    display_name(author.name.as_ref(), author.email.as_ref())
}

fn tag_names(state: &Workspace, conversation: &Conversation) -> Vec<String> {
    let tags = conversation.tags.iter();
    tags.filter_map(|applied| state.tags.get(&applied.tag).cloned())
        .collect()
}

fn row(state: &Workspace, conversation: &Conversation) -> Row {
    let newest = conversation
        .parts
        .iter()
        .rev()
        .find_map(|part| part.body.as_deref());
    let text = html::plain(newest.unwrap_or(&conversation.body));
    let mut preview: String = text.chars().take(PREVIEW_LETTERS).collect();
    if preview.len() < text.len() {
        preview.push('…');
    }
    Row {
        id: conversation.id,
        who: with_whom(state, conversation),
        preview,
        state: conversation.state.name(),
        tags: tag_names(state, conversation),
        updated: Moment(conversation.updated_at),
    }
}

#[derive(Template)]
#[template(path = "intercom/conversation.html")]
struct ConversationPage {
    shell: Shell,
    id: u64,
    address: String,
    who: String,
    state: &'static str,
    snoozed_until: Option<Moment>,
    assignee: String,
    tags: Vec<String>,
    parts: Vec<PartRow>,
    messages: Vec<Message>,
}

/// A message to choose.
struct Message {
    part: String,
    says: String,
}

/// The messages of a conversation, the newest first, by their beginnings.
fn messages(conversation: &Conversation) -> Vec<Message> {
    let says = |body: &str| {
        html::plain(body)
            .chars()
            .take(PREVIEW_LETTERS / 2)
            .collect()
    };
    let parts = conversation.parts.iter().rev().filter_map(|part| {
        Some(Message {
            part: part.id.to_string(),
            says: says(part.body.as_deref()?),
        })
    });
    let first = Message {
        part: "source".to_owned(),
        says: says(&conversation.body),
    };
    parts.chain(std::iter::once(first)).collect()
}

struct PartRow {
    id: u64,
    class: &'static str,
    who: String,
    label: &'static str,
    via_api: bool,
    at: Moment,
    /// Stored HTML, which holds only what the platform lets through.
    body: Option<String>,
}

fn part_row(part: &Part) -> PartRow {
    let customer = matches!(part.author.kind, "user" | "lead");
    let (class, label) = match part.part_type {
        "note" => ("note", "Internal note"),
        "open" if part.body.is_some() => ("customer", "replied and re-opened the conversation"),
        _ if customer => ("customer", "wrote"),
        "comment" | "quick_reply" => ("teammate", "replied to the customer"),
        "open" => ("event", "opened the conversation"),
        "close" => ("event", "closed the conversation"),
        "snoozed" => ("event", "snoozed the conversation"),
        "unsnoozed" => ("event", "woke the conversation"),
        "assignment" => ("event", "assigned the conversation"),
        "assign_and_reopen" => ("event", "assigned and re-opened the conversation"),
        "merged_secondary_conversation" => ("event", "merged this conversation into another"),
        "merged_primary_conversation" => ("event", "merged another conversation into this one"),
        _ => ("event", "changed the conversation"),
    };
    PartRow {
        id: part.id,
        class,
        who: display_name(part.author.name.as_ref(), part.author.email.as_ref()),
        label,
        via_api: part.via_api,
        at: Moment(part.created_at),
        body: part.body.clone(),
    }
}

async fn conversation(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<u64>() else {
        return gone(&sandbox);
    };
    let page = sandbox.with(|state, _| {
        let found = state.conversation(id).ok()?;
        let who = with_whom(state, found);
        let author = &found.author;
        let (class, label) = if author.is_teammate() {
            ("teammate", "wrote to the customer")
        } else {
            ("customer", "wrote")
        };
        let first = PartRow {
            id: found.source_id,
            class,
            who: display_name(author.name.as_ref(), author.email.as_ref()),
            label,
            via_api: false,
            at: Moment(found.created_at),
            body: Some(found.body.clone()),
        };
        let assignee = state.admin(&found.admin_assignee.to_string());
        let title = format!("Conversation with {who}");
        Some(ConversationPage {
            shell: Shell::new(title, Platform::Intercom, sandbox.neighbours()).refreshing(),
            id,
            messages: messages(found),
            address: sandbox.conversation_address(&id.to_string()),
            who,
            state: found.state.name(),
            snoozed_until: found.snoozed_until.map(Moment),
            assignee: assignee.map_or_else(|_| "nobody".to_owned(), |admin| admin.name.clone()),
            tags: tag_names(state, found),
            parts: std::iter::once(first)
                .chain(found.parts.iter().map(part_row))
                .collect(),
        })
    });
    page.map_or_else(|| gone(&sandbox), |page| render(&page))
}

#[derive(Template)]
#[template(path = "intercom/gone.html")]
struct GonePage {
    shell: Shell,
}

fn gone(sandbox: &Sandbox) -> Response {
    let shell = Shell::new(
        "No such conversation",
        Platform::Intercom,
        sandbox.neighbours(),
    );
    (StatusCode::NOT_FOUND, render(&GonePage { shell })).into_response()
}

/// A path such as people copy from the real product leads to the simulated page.
async fn real_address(State(sandbox): State<Sandbox>, Path(rest): Path<String>) -> Response {
    let id = rest
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    if id.bytes().all(|byte| byte.is_ascii_digit()) && sandbox.state(id).is_some() {
        return see_other(&format!("/app/conversations/{id}"));
    }
    gone(&sandbox)
}

#[derive(Debug, Deserialize)]
struct NewConversation {
    name: String,
    email: String,
    body: String,
    /// `teammate` if a teammate writes first.
    by: Option<String>,
}

async fn begin(State(sandbox): State<Sandbox>, Form(form): Form<NewConversation>) -> Response {
    let (name, email) = (form.name.trim(), form.email.trim());
    if form.body.trim().is_empty() || !email.contains('@') {
        return (
            StatusCode::BAD_REQUEST,
            "A message and an e-mail address are needed.",
        )
            .into_response();
    }
    let Some(teammate) = teammate(&sandbox) else {
        return after(Err(ApiError::admin_not_found()));
    };
    let made = sandbox.with(|state, now| {
        let contact = match state.user_emails.get(&email.to_lowercase()) {
            Some(contact) => contact.clone(),
            None => state.create_contact(NewContact::user(name, email), now)?,
        };
        let body = html::from_text(&form.body);
        if form.by.as_deref() == Some("teammate") {
            return state.begin_as_teammate(&teammate, &contact, &body, now);
        }
        state.create_conversation(&contact, &body, now)
    });
    after(made.map(|id| format!("/app/conversations/{id}")))
}

/// What the forms of a conversation send; each uses some of it.
#[derive(Debug, Default, Deserialize)]
struct Act {
    body: Option<String>,
    minutes: Option<i64>,
    tag: Option<String>,
    part: Option<String>,
    into: Option<String>,
}

/// Who does what is done by hand here: a teammate who is not the app.
fn teammate(sandbox: &Sandbox) -> Option<String> {
    let admins = &sandbox.config().admins;
    let found = admins.get(1).or(admins.first());
    found.map(|admin| admin.id.clone())
}

async fn act(
    State(sandbox): State<Sandbox>,
    Path((id, action)): Path<(String, String)>,
    Form(form): Form<Act>,
) -> Response {
    let page = format!("/app/conversations/{id}");
    let Some(teammate) = teammate(&sandbox) else {
        return after(Err(ApiError::admin_not_found()));
    };
    let text = form
        .body
        .filter(|body| !body.trim().is_empty())
        .map(|body| html::from_text(&body));
    let done = match (action.as_str(), text) {
        ("reply" | "note" | "answer", None) => Ok(()),
        ("reply", Some(text)) => sandbox.customer_reply(&id, &text).map(|_| ()),
        ("answer", Some(text)) => sandbox.teammate_reply(&id, &teammate, &text).map(|_| ()),
        ("note", Some(text)) => sandbox.teammate_note(&id, &teammate, &text).map(|_| ()),
        ("open", _) => sandbox.open(&id, &teammate),
        ("close", _) => sandbox.close(&id, &teammate),
        ("snooze", _) => {
            let minutes = form.minutes.unwrap_or(60).clamp(1, MAX_SNOOZE_MINUTES);
            sandbox.snooze(&id, &teammate, sandbox.now_s() + minutes * 60)
        }
        ("tag", _) => match form
            .tag
            .as_deref()
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
        {
            Some(tag) => {
                let tag = sandbox.create_tag(tag);
                match form.part.as_deref() {
                    Some("whole") => sandbox.tag_conversation(&id, &tag, &teammate),
                    Some(part) => sandbox.tag_message(&id, part, &tag, &teammate),
                    None => sandbox.tag(&id, &tag, &teammate),
                }
            }
            None => Ok(()),
        },
        ("redact", _) => sandbox.redact(&id, form.part.as_deref().unwrap_or("source")),
        ("merge", _) => {
            let into = form.into.as_deref().map_or("", str::trim).to_owned();
            let merged = sandbox.merge_conversations(&id, &into);
            return after(merged.map(|()| format!("/app/conversations/{into}")));
        }
        ("delete", _) => {
            return after(sandbox.delete_conversation(&id).map(|()| "/".to_owned()));
        }
        _ => Err(ApiError::not_found()),
    };
    after(done.map(|()| page))
}

fn after(done: Result<String, ApiError>) -> Response {
    match done {
        Ok(path) => see_other(&path),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, error.message).into_response()
        }
    }
}
