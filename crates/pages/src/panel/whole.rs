//! A whole conversation, read at the moment somebody opens it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bowline_access::Look;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_engine::panel::{Unread, Whole};

use super::viewer::{Framed, Viewer, in_frame};
use super::{Issue, no_issue};
use crate::App;
use crate::caller::Caller;
use crate::component::{Lozenge, Tone};
use crate::error::{PageError, html};
use crate::reader::{Reader, When};
use crate::shell::Shell;

struct Content {
    id: String,
    back: String,
    key: String,
    title: String,
    there: Option<String>,
    state: Option<Lozenge>,
    /// Why it cannot be read.
    trouble: Option<String>,
    /// Older entries that Intercom does not give out.
    missing: i64,
    entries: Vec<Entry>,
}

struct Entry {
    author: String,
    kind: &'static str,
    /// Do teammates only read it?
    internal: bool,
    at: Option<When>,
    /// What was said, or what was done.
    text: String,
    said: bool,
    redacted: bool,
    files: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "conversation.html")]
struct WholePage {
    shell: Shell,
    content: Content,
}

#[derive(Template)]
#[template(path = "conversation-frame.html")]
struct FramePage {
    shell: Shell,
    content: Content,
}

type At = Path<(String, String, String)>;

pub(super) async fn page(
    State(app): State<App>,
    Path((site, key, id)): At,
    caller: Caller<Look>,
) -> Result<Response, PageError> {
    let viewer = Viewer::signed_in(&caller);
    show(&app, viewer, (&site, &key, &id)).await
}

pub(super) async fn framed_page(
    State(app): State<App>,
    Path((site, key, id)): At,
    framed: Framed<Look>,
) -> Response {
    let shown = show(&app, framed.viewer, (&site, &key, &id)).await;
    let answer = shown.unwrap_or_else(PageError::into_response);
    in_frame(&app, answer)
}

/// The workspace of a conversation that is linked to the issue, if its whole may be read.
pub(crate) async fn readable(
    app: &App,
    issue: &Issue,
    id: &str,
) -> Result<(WorkspaceName, ConversationId), PageError> {
    let bindings = app.shared.bindings_now();
    let binding = bindings
        .iter()
        .find(|binding| binding.site == issue.site && binding.project == issue.project);
    let allowed = binding.is_some_and(|one| one.panel.enabled && one.panel.conversation_view);
    if !allowed {
        let words = format!(
            "Whole conversations are not shown for the project {}; an administrator can change \
             that. Who has an account in Intercom can read them there.",
            issue.project
        );
        return Err(PageError::forbidden(&words));
    }
    let missing = || PageError::not_found("This conversation is not linked to this issue.");
    let label = issue.label.as_ref().ok_or_else(missing)?;
    let links = app
        .shared
        .store
        .live_links(&label.site, &label.issue)
        .await?;
    let found = links
        .into_iter()
        .find(|(_, conversation)| conversation.as_str() == id);
    found.ok_or_else(missing)
}

async fn show(
    app: &App,
    viewer: Viewer,
    (site, key, id): (&str, &str, &str),
) -> Result<Response, PageError> {
    let issue = Issue::find(app, site, key).await?.ok_or_else(no_issue)?;
    let framed = viewer.framed();
    let (workspace, conversation) = match readable(app, &issue, id).await {
        Ok(place) => place,
        Err(error) if framed => return Err(error),
        Err(error) => return Err(error.in_shell(viewer.shell())),
    };
    let whole = app
        .shared
        .whole_conversation(&workspace, &conversation)
        .await;
    let teammates = super::known(app, &issue, false).await?;
    let there = app.shared.conversation_url(&workspace, &conversation);
    let mut content = Content {
        id: id.to_owned(),
        back: viewer.link(issue.place(), ""),
        key: issue.key.clone(),
        title: format!("Conversation {id}"),
        there,
        state: None,
        trouble: None,
        missing: 0,
        entries: Vec::new(),
    };
    match whole {
        Ok(whole) => {
            let file = |part: &str, number: usize| {
                let below = format!("/conversations/{id}/files/{part}/{number}");
                viewer.link(issue.place(), &below)
            };
            let name = |id: &str| teammates.teammate(id).map(str::to_owned);
            if let Some(title) = &whole.title {
                content.title.clone_from(title);
            }
            content.state = Some(state(&whole));
            let parts = i64::try_from(whole.parts.len()).unwrap_or(i64::MAX);
            content.missing = whole.total_parts.unwrap_or(0).saturating_sub(parts).max(0);
            content.entries = entries(&whole, &viewer.reader, &file, &name);
        }
        Err(unread) => content.trouble = Some(why(&unread)),
    }
    let mut shell = viewer.shell();
    shell.title = format!("{} · {}", content.title, content.key);
    Ok(if framed {
        html(&FramePage { shell, content })
    } else {
        html(&WholePage { shell, content })
    })
}

/// Why a conversation cannot be read, for people.
pub(crate) fn why(unread: &Unread) -> String {
    if unread.gone {
        format!(
            "Intercom has no such conversation any more: it was deleted, or belongs to another \
             workspace. Remove its link if it is of no use. ({})",
            unread.words
        )
    } else {
        format!(
            "Intercom did not answer as needed; try again in a moment, or open the conversation in \
             Intercom. ({})",
            unread.words
        )
    }
}

fn state(whole: &Whole) -> Lozenge {
    let word = bowline_engine::panel::state_word(whole);
    let tone = match word {
        "open" => Tone::Good,
        "snoozed" => Tone::Busy,
        _ => Tone::Plain,
    };
    Lozenge::new(tone, word)
}

fn entries(
    whole: &Whole,
    reader: &Reader,
    file: &dyn Fn(&str, usize) -> String,
    name: &dyn Fn(&str) -> Option<String>,
) -> Vec<Entry> {
    let when = |at_s: Option<i64>| at_s.map(|at_s| reader.when(Millis(at_s * 1_000)));
    let files = |part: &str, files: &[bowline_engine::panel::Attachment]| {
        let named = files.iter().enumerate().map(|(number, one)| {
            let title = if one.name.is_empty() {
                "A file without a name".to_owned()
            } else {
                one.name.clone()
            };
            (title, file(part, number))
        });
        named.collect::<Vec<_>>()
    };
    let source = &whole.source_author;
    let first = Entry {
        author: author(source.name.as_deref(), &source.kind),
        kind: kind(&source.kind),
        internal: false,
        at: when(whole.created_at),
        text: bowline_text::words_of_html(whole.source_body.as_deref().unwrap_or_default()),
        said: true,
        redacted: false,
        files: files("source", &whole.source_attachments),
    };
    let parts = whole.parts.iter().map(|part| {
        let body = part.body.as_deref().map(bowline_text::words_of_html);
        let said = body.filter(|text| !text.is_empty());
        let done = did(part, name);
        Entry {
            author: author(part.author.name.as_deref(), &part.author.kind),
            kind: kind(&part.author.kind),
            internal: part.part_type == "note",
            at: when(part.created_at),
            said: said.is_some() || !part.attachments.is_empty(),
            text: said.unwrap_or(done),
            redacted: part.redacted,
            files: files(&part.id, &part.attachments),
        }
    });
    std::iter::once(first).chain(parts).collect()
}

fn author(name: Option<&str>, kind: &str) -> String {
    match (name, kind) {
        (Some(name), _) => name.to_owned(),
        (None, "lead") => "A lead without a name".to_owned(),
        (None, "bot") => "Intercom".to_owned(),
        (None, _) => "Someone".to_owned(),
    }
}

fn kind(kind: &str) -> &'static str {
    match kind {
        "user" => "user",
        "lead" => "lead",
        "admin" => "teammate",
        "bot" => "bot",
        "team" => "team",
        _ => "contact",
    }
}

/// What was done where nothing was said.
fn did(part: &bowline_engine::panel::Part, name: &dyn Fn(&str) -> Option<String>) -> String {
    let assigned = || match part.assigned_to.as_deref() {
        Some(id) => format!(
            "assigned it to {}",
            name(id).unwrap_or_else(|| "somebody".to_owned())
        ),
        None => "returned it to the unassigned queue".to_owned(),
    };
    match part.part_type.as_str() {
        "open" => "opened it".to_owned(),
        "close" => "closed it".to_owned(),
        "snoozed" => "snoozed it".to_owned(),
        "unsnoozed" => "woke it".to_owned(),
        "assignment" => assigned(),
        "merged_primary_conversation" => "merged another conversation into it".to_owned(),
        "merged_secondary_conversation" => "merged it into another conversation".to_owned(),
        "note" | "comment" => String::new(),
        other => other.replace('_', " "),
    }
}
