//! What can be written: links, notes, answers. Each composer says who will read it.

use askama::Template;
use bowline_access::{AnswerCustomers, ChangeLinks, WriteNotes};
use bowline_engine::panel::Found;

use super::conversations::with;
use super::{Drawn, Panel, Section};
use crate::component::{Field, Lozenge, Tone};
use crate::error::PageError;

/// The longest search, in letters.
const SOUGHT_LETTERS_MAX: usize = 200;

pub(super) const SECTION: Section = Section { draw, read: false };

#[derive(Template)]
#[template(path = "panel-write.html")]
struct Write<'p> {
    hidden: (&'static str, &'p str),
    /// Names what is written, so that a form that is sent twice counts once.
    once: String,
    link: Option<LinkForm>,
    note: Option<NoteForm>,
    answer: Option<AnswerForm>,
}

struct LinkForm {
    action: String,
    conversation: Field,
    fault: Option<String>,
    search: String,
    /// What a search in a frame carries along.
    token: Option<String>,
    sought: String,
    found: Vec<FoundView>,
    /// What a search came to, if it found nothing.
    words: Option<String>,
}

struct FoundView {
    id: String,
    by: String,
    first: String,
    state: Lozenge,
    linked: bool,
}

struct NoteForm {
    action: String,
    /// Into all of them?
    all: bool,
    to: Vec<Target>,
    text: String,
    fault: Option<String>,
}

struct AnswerForm {
    action: String,
    to: Vec<Target>,
    text: String,
    fault: Option<String>,
}

/// A conversation to write into.
struct Target {
    value: String,
    title: String,
    chosen: bool,
}

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move {
        let viewer = panel.viewer;
        let link = if viewer.may::<ChangeLinks>() {
            Some(link(panel).await)
        } else {
            None
        };
        let linked = !panel.now.conversations.is_empty();
        let write = Write {
            hidden: viewer.hidden(),
            once: panel.app.access.new_secret(),
            link,
            note: (linked && viewer.may::<WriteNotes>()).then(|| note(panel)),
            answer: (linked && viewer.may::<AnswerCustomers>()).then(|| answer(panel)),
        };
        write.render().map_err(PageError::template)
    })
}

async fn link(panel: &Panel<'_>) -> LinkForm {
    let (viewer, typed) = (panel.viewer, panel.typed);
    let sought: String = panel
        .query
        .text("find")
        .chars()
        .take(SOUGHT_LETTERS_MAX)
        .collect();
    let (found, words) = match &panel.now.workspace {
        Some(workspace) if !sought.is_empty() => {
            let found = panel
                .app
                .shared
                .find_conversations(workspace, &sought)
                .await;
            match found {
                Ok(found) if found.is_empty() => {
                    let words = format!(
                        "No conversation began with “{sought}”, and nobody of that name or e-mail \
                         address began one. Intercom compares whole words."
                    );
                    (Vec::new(), Some(words))
                }
                Ok(found) => (found, None),
                Err(unread) => {
                    let words = format!("Intercom could not be searched: {}", unread.words);
                    (Vec::new(), Some(words))
                }
            }
        }
        _ => (Vec::new(), None),
    };
    let (name, token) = viewer.hidden();
    LinkForm {
        action: viewer.path(panel.issue.place(), "/link"),
        conversation: Field::new("conversation", "Conversation", "text")
            .with(&typed.conversation)
            .filled("off")
            .hinting("Its address in Intercom, or its number."),
        fault: typed.fault("conversation").map(str::to_owned),
        search: viewer.path(panel.issue.place(), ""),
        token: (name == "token").then(|| token.to_owned()),
        found: found.iter().map(|one| found_view(panel, one)).collect(),
        sought,
        words,
    }
}

fn found_view(panel: &Panel<'_>, found: &Found) -> FoundView {
    let linked = &panel.now.conversations;
    FoundView {
        id: found.conversation.to_string(),
        by: found
            .seen
            .begun_by
            .clone()
            .unwrap_or_else(|| "someone without a name".to_owned()),
        first: found.seen.first.clone(),
        state: Lozenge::new(Tone::Plain, found.seen.state.clone()),
        linked: linked
            .iter()
            .any(|card| card.conversation == found.conversation),
    }
}

fn targets(panel: &Panel<'_>, chosen: &[String]) -> Vec<Target> {
    let cards = panel.now.conversations.iter();
    cards
        .map(|card| {
            let value = format!("{}/{}", card.workspace, card.conversation);
            let who = with(panel, card);
            Target {
                chosen: chosen.contains(&value),
                title: if who.is_empty() {
                    format!("Conversation {}", card.conversation)
                } else {
                    format!("{who} (conversation {})", card.conversation)
                },
                value,
            }
        })
        .collect()
}

fn note(panel: &Panel<'_>) -> NoteForm {
    let typed = panel.typed;
    NoteForm {
        all: typed.note_to.is_empty(),
        action: panel.viewer.path(panel.issue.place(), "/note"),
        to: targets(panel, &typed.note_to),
        text: typed.note.clone(),
        fault: typed.fault("note").map(str::to_owned),
    }
}

fn answer(panel: &Panel<'_>) -> AnswerForm {
    let typed = panel.typed;
    AnswerForm {
        action: panel.viewer.path(panel.issue.place(), "/answer"),
        to: targets(panel, std::slice::from_ref(&typed.answer_to)),
        text: typed.answer.clone(),
        fault: typed.fault("answer").map(str::to_owned),
    }
}
