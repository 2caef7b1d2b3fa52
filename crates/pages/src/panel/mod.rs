//! The panel of an issue: the conversations behind it, the people in them, and what was told.
//!
//! It is a list of sections. To add one, write a file that draws it and name it in [`SECTIONS`].
//! Everything is drawn from what is known; reading anew goes on beside it, and the script (or the
//! link) shows what came of it.

pub(crate) mod act;
mod contacts;
mod conversations;
mod files;
pub(crate) mod people;
mod talk;
mod tickets;
mod timeline;
mod viewer;
pub(crate) mod whole;
mod write;

use std::pin::Pin;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bowline_access::{AnswerCustomers, ChangeLinks, Look, WriteNotes};
use bowline_domain::ids::{IssueKey, ProjectKey, SiteName};
use bowline_engine::panel::PanelNow;
use bowline_store::browse::IssueLabel;
use url::form_urlencoded::byte_serialize;

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Tone};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::{Query, asking};
use crate::reader::When;
use crate::shell::Shell;
use act::Wrong;
use viewer::{Framed, FramedPost, Viewer, in_frame, label};

/// A part of the panel: a file draws it, [`SECTIONS`] names it.
pub(crate) struct Section {
    /// Draws it as HTML; an empty text if there is nothing to show.
    pub(crate) draw: for<'p> fn(&'p Panel<'p>) -> Drawn<'p>,
    /// Is it something to read, which the script keeps fresh? Otherwise it is a form, which stays.
    pub(crate) read: bool,
}

/// A section that is being drawn.
pub(crate) type Drawn<'p> = Pin<Box<dyn Future<Output = Result<String, PageError>> + Send + 'p>>;

/// The sections, in order.
const SECTIONS: [Section; 6] = [
    conversations::SECTION,
    talk::SECTION,
    contacts::SECTION,
    tickets::SECTION,
    timeline::SECTION,
    write::SECTION,
];

/// How often a page looks for news, in seconds: while things are being read, after something was
/// done, and otherwise.
const SOON_SECONDS: u32 = 1;
const AFTER_SECONDS: u32 = 2;
const LATER_SECONDS: u32 = 30;

/// How long somebody waits who asks for everything to be read again.
const PATIENCE: Duration = Duration::from_secs(4);

/// The addresses.
pub(crate) fn routes() -> Router<App> {
    let own = Router::new()
        .route("/issues/{site}/{key}", get(page))
        .route("/issues/{site}/{key}/conversations/{id}", get(whole::page))
        .route(
            "/issues/{site}/{key}/conversations/{id}/files/{part}/{number}",
            get(files::file),
        )
        .route("/issues/{site}/{key}/link", post(link))
        .route("/issues/{site}/{key}/unlink", post(unlink))
        .route("/issues/{site}/{key}/note", post(note))
        .route("/issues/{site}/{key}/answer", post(answer))
        .route("/issues/{site}/{key}/held", post(held));
    let framed = Router::new()
        .route("/embed/issues/{site}/{key}", get(framed_page))
        .route(
            "/embed/issues/{site}/{key}/conversations/{id}",
            get(whole::framed_page),
        )
        .route(
            "/embed/issues/{site}/{key}/conversations/{id}/files/{part}/{number}",
            get(files::framed_file),
        )
        .route("/embed/issues/{site}/{key}/link", post(framed_link))
        .route("/embed/issues/{site}/{key}/unlink", post(framed_unlink))
        .route("/embed/issues/{site}/{key}/note", post(framed_note))
        .route("/embed/issues/{site}/{key}/answer", post(framed_answer))
        .route("/embed/issues/{site}/{key}/held", post(framed_held));
    own.merge(framed)
}

/// The address of the panel of an issue.
pub(crate) fn path(site: &SiteName, key: &str) -> String {
    let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("/issues/{}/{}", part(site.as_str()), part(key))
}

/// An issue that somebody looks at.
pub(crate) struct Issue {
    pub(crate) site: SiteName,
    pub(crate) key: String,
    /// What is known of it; `None` if it was never heard of.
    pub(crate) label: Option<IssueLabel>,
    pub(crate) project: ProjectKey,
}

impl Issue {
    /// By its address; `None` if there is no such site, or the key is none.
    pub(crate) async fn find(app: &App, site: &str, key: &str) -> Result<Option<Self>, PageError> {
        let (site, key) = (SiteName::new(site), key.to_uppercase());
        let known_site = app
            .shared
            .issue_url(&site, &IssueKey::new(key.as_str()))
            .is_some();
        let label = label(app, &site, &key).await?;
        let project = match &label {
            Some(label) => Some(label.project.clone()),
            None => ProjectKey::of(&IssueKey::new(key.as_str())),
        };
        Ok(project.filter(|_| known_site).map(|project| Self {
            site,
            key,
            label,
            project,
        }))
    }

    pub(crate) fn place(&self) -> (&SiteName, &str) {
        (&self.site, &self.key)
    }
}

/// A panel that is being drawn for someone.
pub(crate) struct Panel<'p> {
    pub(crate) app: &'p App,
    pub(crate) viewer: &'p Viewer,
    pub(crate) issue: &'p Issue,
    pub(crate) now: &'p PanelNow,
    pub(crate) query: &'p Query,
    pub(crate) typed: &'p Typed,
}

/// What somebody typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    pub(crate) conversation: String,
    pub(crate) note: String,
    pub(crate) note_to: Vec<String>,
    pub(crate) answer: String,
    pub(crate) answer_to: String,
    /// The field, and what is wrong with it.
    pub(crate) fault: Option<(&'static str, String)>,
}

impl Typed {
    /// What is wrong with a field.
    pub(crate) fn fault(&self, field: &str) -> Option<&str> {
        let (at, words) = self.fault.as_ref()?;
        (*at == field).then_some(words.as_str())
    }
}

/// What both forms of the page hold.
struct Content {
    key: String,
    summary: String,
    there: Option<String>,
    /// Why there is nothing to show.
    obstacle: Option<String>,
    /// How what is read of Intercom stands to what is there; `None` where nothing is.
    state: Option<Lozenge>,
    read_at: Option<When>,
    again: String,
    refresh: u32,
    read: Vec<String>,
    forms: Vec<String>,
}

#[derive(Template)]
#[template(path = "panel.html")]
struct PanelPage {
    shell: Shell,
    content: Content,
}

#[derive(Template)]
#[template(path = "panel-frame.html")]
struct FramePage {
    shell: Shell,
    content: Content,
}

/// What is known of the conversations and people of an issue; begins to read what is old.
pub(crate) async fn known(app: &App, issue: &Issue, again: bool) -> Result<PanelNow, PageError> {
    let shared = &app.shared;
    let Some(label) = &issue.label else {
        let unseen = bowline_domain::ids::IssueId::new("");
        return Ok(shared
            .panel_now((&issue.site, &unseen), &issue.project)
            .await?);
    };
    let of = (&label.site, &label.issue);
    let mut now = shared.panel_now(of, &issue.project).await?;
    if now.stale {
        shared.refresh_panel(of.0, of.1, &issue.project);
        now.reading = true;
    }
    if again && now.reading {
        shared.panel_read(of.0, of.1, PATIENCE).await;
        now = shared.panel_now(of, &issue.project).await?;
    }
    Ok(now)
}

async fn show(
    app: &App,
    viewer: Viewer,
    issue: &Issue,
    query: &Query,
    typed: &Typed,
) -> Result<Response, PageError> {
    let again = query.get("refresh").is_some();
    let now = known(app, issue, again).await?;
    let mut obstacle = obstacle(issue, &now);
    let (mut read, mut forms) = (Vec::new(), Vec::new());
    let panel = Panel {
        app,
        viewer: &viewer,
        issue,
        now: &now,
        query,
        typed,
    };
    let of_intercom = obstacle.is_none();
    if of_intercom {
        for section in &SECTIONS {
            let drawn = (section.draw)(&panel).await?;
            let list = if section.read { &mut read } else { &mut forms };
            list.push(drawn);
        }
    } else {
        // A request of a project that is not joined to a workspace has nothing else to show.
        let talk = (talk::SECTION.draw)(&panel).await?;
        if !talk.is_empty() {
            obstacle = None;
            read.push(talk);
        }
    }
    let content = Content {
        key: issue.key.clone(),
        summary: issue
            .label
            .as_ref()
            .map_or_else(String::new, |label| label.summary.clone()),
        there: app
            .shared
            .issue_url(&issue.site, &IssueKey::new(issue.key.as_str()))
            .filter(|_| !viewer.framed()),
        obstacle,
        state: of_intercom.then(|| freshness(&now)),
        read_at: now.read_at.map(|at| viewer.reader.when(at)),
        again: viewer.asking(issue.place(), "refresh", "now"),
        refresh: match (now.reading, query.get("done")) {
            (true, _) => SOON_SECONDS,
            (false, Some(_)) => AFTER_SECONDS,
            (false, None) => LATER_SECONDS,
        },
        read,
        forms,
    };
    let framed = viewer.framed();
    let mut shell = viewer.shell().noting(notice::of(query));
    shell.title = format!("{} {}", content.key, content.summary);
    let mut response = if framed {
        in_frame(app, html(&FramePage { shell, content }))
    } else {
        html(&PanelPage { shell, content })
    };
    if typed.fault.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Why there is no panel, if there is none.
fn obstacle(issue: &Issue, now: &PanelNow) -> Option<String> {
    match &now.settings {
        None => Some(format!(
            "The project {} is not joined to an Intercom workspace, so Bowline knows of no \
             conversations behind its issues. Whoever administers it joins it on the page \
             Projects.",
            issue.project
        )),
        Some(settings) if !settings.enabled => Some(format!(
            "The panel is switched off for the project {}. An administrator can switch it on.",
            issue.project
        )),
        Some(_) if issue.label.as_ref().is_some_and(|label| label.deleted) => Some(format!(
            "{} is deleted in Jira, or Bowline's account may not see it any more.",
            issue.key
        )),
        Some(_) => None,
    }
}

/// How what is shown stands to what is there.
fn freshness(now: &PanelNow) -> Lozenge {
    let failing = now.conversations.iter().any(|card| card.trouble.is_some());
    if now.reading {
        Lozenge::new(Tone::Busy, "being read")
    } else if failing {
        Lozenge::new(Tone::Warn, "not all of it could be read")
    } else {
        Lozenge::new(Tone::Good, "as in Intercom")
    }
}

fn no_issue() -> PageError {
    PageError::not_found("There is no such site here, or this is no issue's key.")
}

type At = Path<(String, String)>;

async fn page(
    State(app): State<App>,
    Path((site, key)): At,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let Some(issue) = Issue::find(&app, &site, &key).await? else {
        return Err(caller.not_found("There is no such site here, or this is no issue's key."));
    };
    let viewer = Viewer::signed_in(&caller);
    show(&app, viewer, &issue, &query, &Typed::default()).await
}

async fn framed_page(
    State(app): State<App>,
    Path((site, key)): At,
    framed: Framed<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let issue = Issue::find(&app, &site, &key).await?.ok_or_else(no_issue)?;
    show(&app, framed.viewer, &issue, &query, &Typed::default()).await
}

/// After a form: on to the panel, or the form again with what is wrong.
async fn after(
    app: &App,
    viewer: Viewer,
    issue: &Issue,
    done: Result<&'static str, Wrong>,
    mut typed: Typed,
) -> Result<Response, PageError> {
    match done {
        Ok(word) => {
            let place = viewer.asking(issue.place(), "done", word);
            let response = see_other(&place);
            Ok(if viewer.framed() {
                in_frame(app, response)
            } else {
                response
            })
        }
        Err(Wrong::Field(field, words)) => {
            typed.fault = Some((field, words));
            show(app, viewer, issue, &Query::default(), &typed).await
        }
        Err(Wrong::Page(error)) => Err(error),
    }
}

/// The handlers of a form: one for those who are signed in, one for those in a frame.
macro_rules! form {
    ($own:ident, $framed:ident, $permission:ty, $act:expr) => {
        async fn $own(
            State(app): State<App>,
            Path((site, key)): At,
            posted: Posted<$permission>,
        ) -> Result<Response, PageError> {
            let Posted { caller, fields } = posted;
            let Some(issue) = Issue::find(&app, &site, &key).await? else {
                return Err(caller.not_found("There is no such issue."));
            };
            let viewer = Viewer::signed_in(&caller);
            let typed = act::typed(&fields);
            let done = $act(&app, &viewer, &issue, &fields).await;
            if let (Ok(word), "problems") = (&done, fields.get("back")) {
                return Ok(see_other(&asking(
                    "/problems",
                    "done",
                    &format!("held-{word}"),
                )));
            }
            after(&app, viewer, &issue, done, typed).await
        }

        async fn $framed(
            State(app): State<App>,
            Path((site, key)): At,
            posted: FramedPost<$permission>,
        ) -> Response {
            let FramedPost { framed, fields } = posted;
            let answer = async {
                let issue = Issue::find(&app, &site, &key).await?.ok_or_else(no_issue)?;
                let typed = act::typed(&fields);
                let done = $act(&app, &framed.viewer, &issue, &fields).await;
                after(&app, framed.viewer, &issue, done, typed).await
            };
            let answer = answer.await;
            answer.unwrap_or_else(|error: PageError| in_frame(&app, error.into_response()))
        }
    };
}

form!(link, framed_link, ChangeLinks, act::link);
form!(unlink, framed_unlink, ChangeLinks, act::unlink);
form!(note, framed_note, WriteNotes, act::note);
form!(answer, framed_answer, AnswerCustomers, act::answer);
form!(held, framed_held, AnswerCustomers, act::held);
