//! The linked conversations, as cards.

use askama::Template;
use bowline_access::ChangeLinks;
use bowline_engine::panel::Card;

use super::{Drawn, Panel, Section};
use crate::component::{Lozenge, Tone};
use crate::error::PageError;
use crate::reader::When;

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-conversations.html")]
struct Conversations<'p> {
    cards: Vec<CardView>,
    more: usize,
    all: Option<String>,
    may_unlink: bool,
    unlink: String,
    hidden: (&'static str, &'p str),
}

struct CardView {
    id: String,
    workspace: String,
    /// With whom, as far as it is known.
    with: String,
    state: Lozenge,
    first: String,
    assignee: Option<String>,
    changed: Option<When>,
    trouble: Option<String>,
    known: bool,
    /// The whole conversation, where that may be read.
    whole: Option<String>,
    there: Option<String>,
}

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move { view(panel).render().map_err(PageError::template) })
}

fn view<'p>(panel: &'p Panel<'p>) -> Conversations<'p> {
    let (viewer, now) = (panel.viewer, panel.now);
    let all = crate::query::asking("/links", "about", &panel.issue.key);
    Conversations {
        cards: now
            .conversations
            .iter()
            .map(|card| of(panel, card))
            .collect(),
        more: now.more,
        all: (!viewer.framed()).then_some(all),
        may_unlink: viewer.may::<ChangeLinks>(),
        unlink: viewer.path(panel.issue.place(), "/unlink"),
        hidden: viewer.hidden(),
    }
}

fn of(panel: &Panel<'_>, card: &Card) -> CardView {
    let (now, reader) = (panel.now, &panel.viewer.reader);
    let settings = now.settings.as_ref();
    let seen = card.seen.as_ref();
    let below = format!("/conversations/{}", card.conversation);
    let may_read = settings.is_some_and(|settings| settings.conversation_view);
    CardView {
        id: card.conversation.to_string(),
        workspace: card.workspace.to_string(),
        with: with(panel, card),
        state: state(card),
        first: seen.map_or_else(String::new, |seen| seen.first.clone()),
        assignee: seen.and_then(|seen| {
            let id = seen.assignee.as_deref()?;
            Some(now.teammate(id).unwrap_or("somebody").to_owned())
        }),
        changed: seen.and_then(|seen| {
            let at_s = seen.updated_at_s?;
            Some(reader.when(bowline_domain::time::Millis(at_s * 1_000)))
        }),
        trouble: card.trouble.clone(),
        known: seen.is_some(),
        whole: (may_read && seen.is_some()).then(|| panel.viewer.link(panel.issue.place(), &below)),
        there: panel
            .app
            .shared
            .conversation_url(&card.workspace, &card.conversation),
    }
}

/// With whom a conversation is, by name.
pub(super) fn with(panel: &Panel<'_>, card: &Card) -> String {
    let Some(seen) = &card.seen else {
        return String::new();
    };
    let people = panel.now.contacts.iter();
    let mut names: Vec<&str> = people
        .filter(|contact| contact.workspace == card.workspace)
        .filter(|contact| seen.contacts.contains(&contact.seen.id))
        .filter_map(|contact| contact.seen.name.as_deref())
        .collect();
    if names.is_empty() {
        names.extend(seen.begun_by.as_deref());
    }
    if names.is_empty() {
        "a contact without a name".to_owned()
    } else {
        names.join(", ")
    }
}

fn state(card: &Card) -> Lozenge {
    let Some(seen) = &card.seen else {
        return if card.trouble.is_some() {
            Lozenge::new(Tone::Warn, "cannot be read")
        } else {
            Lozenge::new(Tone::Busy, "not read yet")
        };
    };
    if seen.merged {
        return Lozenge::new(Tone::Plain, "merged into another one");
    }
    let tone = match seen.state.as_str() {
        "open" => Tone::Good,
        "snoozed" => Tone::Busy,
        _ => Tone::Plain,
    };
    Lozenge::new(tone, seen.state.clone())
}
