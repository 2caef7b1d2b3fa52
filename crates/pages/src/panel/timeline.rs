//! What was told where, and why not; first what waits for a person.

use askama::Template;
use bowline_access::AnswerCustomers;

use super::{Drawn, Panel, Section};
use crate::component::Lozenge;
use crate::error::PageError;
use crate::held_answers::HeldAnswer;
use crate::why::{Told, section};

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-timeline.html")]
struct Timeline<'p> {
    held: Vec<HeldAnswer>,
    may_settle: bool,
    settle: String,
    hidden: (&'static str, &'p str),
    state: Lozenge,
    answer: String,
    told: Vec<Told>,
    framed: bool,
    all: String,
}

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move {
        let (app, viewer, issue) = (panel.app, panel.viewer, panel.issue);
        let label = issue.label.as_ref();
        let held = match label {
            Some(label) => app.shared.store.held_of(&label.site, &label.issue).await?,
            None => Vec::new(),
        };
        let known = section(app, &viewer.reader, &issue.key, label).await?;
        let timeline = Timeline {
            held: held
                .iter()
                .filter_map(|view| HeldAnswer::of(app, &viewer.reader, view))
                .collect(),
            may_settle: viewer.may::<AnswerCustomers>(),
            settle: viewer.path(issue.place(), "/held"),
            hidden: viewer.hidden(),
            state: known.state,
            answer: known.answer,
            told: known.deliveries,
            framed: viewer.framed(),
            all: known.all,
        };
        timeline.render().map_err(PageError::template)
    })
}
