//! Links: which conversations are tied to which issues.

use askama::Template;
use axum::BoxError;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{ChangeLinks, Fault, Look, What};
use bowline_domain::ids::{
    ConversationId, EventId, IssueId, IssueKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::link::{Link, LinkEnd, Via};
use bowline_domain::time::Millis;
use bowline_engine::ingress::Refusal;
use bowline_engine::shared::queue_link_command;
use bowline_store::Store;
use bowline_store::browse::{LinkCursor, LinkQuery};
use bowline_store::model::LinkView;
use serde_json::{Value, json};

use crate::App;
use crate::answer::ended;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Lozenge, Ref, Select, Tone};
use crate::deliveries::projects;
use crate::error::{PageError, html, see_other};
use crate::export::{self, EXPORTED_AT_ONCE, Rows, iso};
use crate::notice;
use crate::query::{DONE, Query, asking};
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::sought::key_of;

/// Links on a page.
const ROWS: usize = 50;

/// Issues in the list of those that are asked for most.
const MOST_ASKED: i64 = 20;

#[derive(Template)]
#[template(path = "links.html")]
struct LinksPage {
    shell: Shell,
    project: Select,
    state: Select,
    about: Field,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    exported: String,
    /// What the list is asked by, for forms that lead back to it.
    back: String,
    filtered: bool,
    may_change: bool,
    issue: Field,
    conversation: Field,
    most: Vec<Most>,
}

struct Row {
    issue: Ref,
    conversation: Ref,
    workspace: String,
    state: Lozenge,
    live: bool,
    since: When,
    ended_at: Option<When>,
    sources: String,
    site: String,
    issue_id: String,
    conversation_id: String,
}

/// An issue that many ask for.
struct Most {
    issue: Ref,
    summary: String,
    conversations: i64,
    last: When,
}

/// What the list is asked by.
const ASKED_BY: [&str; 4] = ["about", "project", "state", "after"];

pub(crate) fn link_query(query: &Query, limit: usize) -> LinkQuery {
    let project = query.get("project").and_then(|text| text.split_once('/'));
    let about = query.text("about");
    let address = bowline_text::address::parse(about);
    let number = !about.is_empty() && about.bytes().all(|byte| byte.is_ascii_digit());
    let conversation = address
        .map(|address| address.conversation)
        .or_else(|| number.then(|| about.to_owned()));
    let live = match query.text("state") {
        "ended" => Some(false),
        "all" => None,
        _ => Some(true),
    };
    LinkQuery {
        site: project.map(|(site, _)| SiteName::new(site)),
        project: project.map(|(_, project)| ProjectKey::new(project)),
        issue: (conversation.is_none() && !about.is_empty())
            .then(|| key_of(about).unwrap_or_else(|| about.to_uppercase())),
        workspace: None,
        conversation: conversation.map(ConversationId::new),
        live,
        after: query.get("after").and_then(read_cursor),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

/// A place in the list, as it stands in an address.
pub(crate) fn cursor_text(cursor: &LinkCursor) -> String {
    json!([
        cursor.since.0,
        cursor.site.as_str(),
        cursor.issue.as_str(),
        cursor.workspace.as_str(),
        cursor.conversation.as_str()
    ])
    .to_string()
}

fn read_cursor(text: &str) -> Option<LinkCursor> {
    let (since, site, issue, workspace, conversation): (i64, String, String, String, String) =
        serde_json::from_str(text).ok()?;
    Some(LinkCursor {
        since: Millis(since),
        site: SiteName::new(site),
        issue: IssueId::new(issue),
        workspace: WorkspaceName::new(workspace),
        conversation: ConversationId::new(conversation),
    })
}

pub(crate) fn issue_ref(
    app: &App,
    site: &SiteName,
    issue: &IssueId,
    key: Option<&IssueKey>,
) -> Ref {
    let text = key.map_or_else(|| format!("issue {issue}"), IssueKey::to_string);
    Ref {
        here: asking("/why", "q", key.map_or(issue.as_str(), IssueKey::as_str)),
        there: key.and_then(|key| app.shared.issue_url(site, key)),
        text,
        far_side: "Jira",
    }
}

fn row(app: &App, reader: &Reader, view: &LinkView) -> Row {
    let link = &view.link;
    let sources: Vec<String> = link.sources.iter().map(ToString::to_string).collect();
    let state = match &link.ended {
        Some(end) if !link.live => Lozenge::new(Tone::Plain, format!("ended: {}", ended(end))),
        _ => Lozenge::new(Tone::Good, "linked"),
    };
    Row {
        issue: issue_ref(app, &view.site, &view.issue, view.key.as_ref()),
        conversation: Ref {
            text: link.conversation.to_string(),
            here: asking("/why", "q", link.conversation.as_str()),
            there: app
                .shared
                .conversation_url(&link.workspace, &link.conversation),
            far_side: "Intercom",
        },
        workspace: link.workspace.to_string(),
        state,
        live: link.live,
        since: reader.when(link.since),
        ended_at: link.ended_at.map(|at| reader.when(at)),
        sources: sources.join(", "),
        site: view.site.to_string(),
        issue_id: view.issue.to_string(),
        conversation_id: link.conversation.to_string(),
    }
}

/// What someone typed to link, and what is wrong with it.
#[derive(Default)]
struct Typed {
    issue: String,
    conversation: String,
    faults: Vec<Fault>,
}

async fn show<P: bowline_access::Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    typed: Typed,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let asked = link_query(query, ROWS + 1);
    let mut views = app.shared.store.link_page(&asked).await?;
    let more = views.len() > ROWS;
    views.truncate(ROWS);
    let older = views.last().filter(|_| more).map(LinkCursor::of);
    // Counting reads all links, so it is done where someone begins to look.
    let begins = query.without(&["done"]).is_empty();
    let most = if begins {
        app.shared.store.most_asked(MOST_ASKED).await?
    } else {
        Vec::new()
    };
    let most = most.into_iter().filter(|asked| asked.conversations > 1);
    let states = [
        ("", "Linked now"),
        ("ended", "Ended"),
        ("all", "Linked and ended"),
    ];
    let states = states.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let refused = !typed.faults.is_empty();
    let page = LinksPage {
        shell: caller
            .shell("Links", Place::Links)
            .noting(notice::of(query)),
        project: Select::new("project", "Project", projects(app), query.text("project")),
        state: Select::new("state", "State", states, query.text("state")),
        about: Field::new("about", "Issue or conversation", "text")
            .with(query.text("about"))
            .filled("off")
            .optional(),
        rows: views.iter().map(|view| row(app, reader, view)).collect(),
        older: older.map(|cursor| query.with("/links", "after", &cursor_text(&cursor))),
        newest: query
            .get("after")
            .map(|_| format!("/links{}", query.without(&["after"]))),
        exported: query.without(&["after", "done"]),
        back: query.without(&[]),
        filtered: !query.without(&["after", "done"]).is_empty(),
        may_change: caller.who().may::<ChangeLinks>(),
        issue: Field::new("issue", "Issue", "text")
            .with(&typed.issue)
            .filled("off")
            .hinting("Its key, for example ENG-17, or its address in Jira.")
            .faulty(&typed.faults),
        conversation: Field::new("conversation", "Conversation", "text")
            .with(&typed.conversation)
            .filled("off")
            .hinting("Its address in Intercom, or its number.")
            .faulty(&typed.faults),
        most: most
            .map(|asked| Most {
                issue: issue_ref(app, &asked.site, &asked.issue, asked.key.as_ref()),
                summary: asked.summary.unwrap_or_default(),
                conversations: asked.conversations,
                last: reader.when(asked.last_at),
            })
            .collect(),
    };
    let mut response = html(&page);
    if refused {
        *response.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, Typed::default()).await
}

/// An issue of a project that is joined.
pub(crate) struct Joined {
    pub(crate) key: String,
    pub(crate) site: SiteName,
    pub(crate) workspace: WorkspaceName,
}

/// The issue that someone names by its key or by its address in Jira, with the site and the
/// workspace that its project joins. Of projects with one key at several sites, the address tells
/// which it is.
pub(crate) fn place(app: &App, typed: &str) -> Result<Joined, String> {
    let typed = typed.trim();
    let no_issue = || {
        format!(
            "“{typed}” is no issue of a project that is joined to a workspace. Write its key, for \
             example ENG-17."
        )
    };
    let key = key_of(typed).ok_or_else(no_issue)?;
    let project = key.rsplit_once('-').map_or("", |(project, _)| project);
    let bindings = app.shared.bindings_now();
    let mut fitting: Vec<_> = bindings
        .into_iter()
        .filter(|binding| binding.project.as_str() == project)
        .collect();
    let issue = IssueKey::new(key.as_str());
    let named = typed.split(['?', '#']).next().unwrap_or_default();
    if fitting.len() > 1 {
        let url = |site: &SiteName| app.shared.issue_url(site, &issue);
        let here = |site: &SiteName| url(site).is_some_and(|url| url.eq_ignore_ascii_case(named));
        if fitting.iter().any(|binding| here(&binding.site)) {
            fitting.retain(|binding| here(&binding.site));
        }
    }
    if fitting.len() > 1 {
        return Err(format!(
            "Several sites have a project {project} that is joined. Write the issue's address as \
             the browser shows it in Jira, in place of its key."
        ));
    }
    let binding = fitting.pop().ok_or_else(no_issue)?;
    Ok(Joined {
        key,
        site: binding.site,
        workspace: binding.workspace,
    })
}

/// Puts a change of a link into the queue of its issue.
pub(crate) async fn queue(
    app: &App,
    (site, issue): (&SiteName, &str),
    (workspace, conversation): (&WorkspaceName, &str),
    by: Option<(&str, Via)>,
) -> Result<EventId, PageError> {
    let queued = queue_link_command(
        &app.shared.store,
        (site, issue),
        (workspace.as_str(), conversation),
        by,
        (app.shared.now(), app.shared.draw()),
    )
    .await;
    match queued {
        Ok(event) => Ok(event),
        Err(Refusal::Failed(error)) => Err(error.into()),
        Err(refusal) => Err(PageError::bad_form(&refusal.to_string())),
    }
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ChangeLinks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let typed = fields.get("conversation").trim();
    let address = bowline_text::address::parse(typed).map(|address| address.conversation);
    let conversation = address.unwrap_or_else(|| typed.to_owned());
    let again = |field, wrong: String| Typed {
        issue: fields.get("issue").to_owned(),
        conversation: typed.to_owned(),
        faults: vec![Fault::new(field, wrong)],
    };
    if conversation.is_empty() || !conversation.bytes().all(|byte| byte.is_ascii_digit()) {
        let wrong = format!(
            "“{typed}” is no conversation. Copy its address in Intercom, from the browser's bar."
        );
        let again = again("conversation", wrong);
        return show(&app, &caller, &Query::default(), again).await;
    }
    let Joined {
        key: issue,
        site,
        workspace,
    } = match place(&app, fields.get("issue")) {
        Ok(place) => place,
        Err(wrong) => {
            let again = again("issue", wrong);
            return show(&app, &caller, &Query::default(), again).await;
        }
    };
    let by = caller.visit.person.name.clone();
    queue(
        &app,
        (&site, &issue),
        (&workspace, &conversation),
        Some((&by, Via::Page)),
    )
    .await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(caller.who(), What::LinkAdded, &issue, &detail)
        .await?;
    Ok(see_other("/links?done=linked"))
}

pub(crate) async fn remove(
    State(app): State<App>,
    posted: Posted<ChangeLinks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let site = SiteName::new(fields.get("site"));
    let issue = IssueId::new(fields.get("issue"));
    let workspace = WorkspaceName::new(fields.get("workspace"));
    let conversation = ConversationId::new(fields.get("conversation"));
    let store = &app.shared.store;
    if !store
        .link_is_live((&site, &issue), (&workspace, &conversation))
        .await?
    {
        return Ok(see_other(&list_again(fields.get("back"), "no-link")));
    }
    let label = store.issue_label(&site, &issue).await?;
    let key = label.map_or_else(|| issue.to_string(), |label| label.key.to_string());
    queue(
        &app,
        (&site, &key),
        (&workspace, conversation.as_str()),
        None,
    )
    .await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(caller.who(), What::LinkRemoved, &key, &detail)
        .await?;
    Ok(see_other(&list_again(fields.get("back"), "unlinked")))
}

/// The list that somebody came from, with what was done. A form may say anything: only what a list is
/// asked by is taken from it.
fn list_again(back: &str, done: &str) -> String {
    let asked = Query::read(back.trim_start_matches('?')).only(&ASKED_BY);
    asked.with("/links", DONE, done)
}

/// All links that are asked for.
struct AllLinks {
    store: Store,
    asked: Option<LinkQuery>,
}

impl AllLinks {
    fn of(app: &App, query: &Query) -> Self {
        let mut asked = link_query(query, EXPORTED_AT_ONCE);
        asked.after = None;
        Self {
            store: app.shared.store.clone(),
            asked: Some(asked),
        }
    }
}

/// Who linked by hand and where, for programs, as far as it is known.
pub(crate) fn by_hand(link: &Link) -> Value {
    let hand = link.by_hand();
    hand.map_or(
        Value::Null,
        |hand| json!({ "by": hand.by, "via": hand.via.map(Via::word) }),
    )
}

fn sources(view: &LinkView) -> Vec<String> {
    let sources = view.link.sources.iter();
    sources.map(|source| source.origin.key()).collect()
}

impl Rows for AllLinks {
    type Row = LinkView;
    const COLUMNS: &'static [&'static str] = &[
        "site",
        "issue_id",
        "issue",
        "workspace",
        "conversation",
        "linked",
        "since",
        "ended",
        "sources",
        "ended_at",
    ];

    async fn next(&mut self) -> Result<Vec<LinkView>, BoxError> {
        let Some(asked) = &mut self.asked else {
            return Ok(Vec::new());
        };
        let part = self.store.link_page(asked).await?;
        asked.after = part.last().map(LinkCursor::of);
        if part.len() < EXPORTED_AT_ONCE {
            self.asked = None;
        }
        Ok(part)
    }

    fn cells(view: &LinkView) -> Vec<String> {
        let ended = view.link.ended.as_ref().map_or("", LinkEnd::word);
        vec![
            view.site.to_string(),
            view.issue.to_string(),
            view.key
                .as_ref()
                .map_or_else(String::new, IssueKey::to_string),
            view.link.workspace.to_string(),
            view.link.conversation.to_string(),
            if view.link.live { "yes" } else { "no" }.to_owned(),
            iso(view.link.since),
            ended.to_owned(),
            sources(view).join(" "),
            view.link.ended_at.map_or_else(String::new, iso),
        ]
    }

    fn json(view: &LinkView) -> Value {
        json!({
            "site": view.site.as_str(),
            "issue_id": view.issue.as_str(),
            "issue": view.key.as_ref().map(IssueKey::as_str),
            "workspace": view.link.workspace.as_str(),
            "conversation": view.link.conversation.as_str(),
            "linked": view.link.live,
            "since": iso(view.link.since),
            "ended": view.link.ended.as_ref().map(LinkEnd::word),
            "sources": sources(view),
            "ended_at": view.link.ended_at.map(iso),
            "by_hand": by_hand(&view.link),
        })
    }
}

pub(crate) async fn export_csv(
    State(app): State<App>,
    _caller: Caller<Look>,
    query: Query,
) -> Response {
    export::csv(AllLinks::of(&app, &query), "links")
}

pub(crate) async fn export_json(
    State(app): State<App>,
    _caller: Caller<Look>,
    query: Query,
) -> Response {
    export::json(AllLinks::of(&app, &query), "links")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        let cursor = LinkCursor {
            since: Millis(5),
            site: "acme".into(),
            issue: "10001".into(),
            workspace: "w\"x".into(),
            conversation: "7".into(),
        };
        assert_eq!(read_cursor(&cursor_text(&cursor)), Some(cursor));
        assert_eq!(read_cursor("[1]"), None);
    }
}
