//! The feedback that an issue is to answer.

use askama::Template;
use bowline_store::feedback::TicketRow;

use super::{Drawn, Panel, Section};
use crate::error::PageError;
use crate::feedback::words;

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-tickets.html")]
struct Tickets {
    rows: Vec<Row>,
    framed: bool,
}

struct Row {
    id: i64,
    title: String,
    status: String,
    who: String,
    counts: Option<String>,
}

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move {
        let Some(label) = &panel.issue.label else {
            return Ok(String::new());
        };
        let store = &panel.app.shared.store;
        let tickets = store.tickets_of_issue(&label.site, &label.issue).await?;
        if tickets.is_empty() {
            return Ok(String::new());
        }
        let products = store.products().await?;
        let called = |ticket: &TicketRow| {
            let product = products.iter().find(|product| product.id == ticket.product);
            product.map_or_else(
                || ticket.status.title().to_owned(),
                |product| product.status_name(ticket.status).to_owned(),
            )
        };
        let rows = tickets.iter().map(|ticket| Row {
            id: ticket.id.0,
            title: words::title(ticket),
            status: called(ticket),
            who: ticket.company_name.as_ref().map_or_else(
                || ticket.author.clone(),
                |company| format!("{}, {company}", ticket.author),
            ),
            counts: (ticket.people > 1).then(|| {
                let (people, companies) = (ticket.people, ticket.companies);
                format!("{people} people, {companies} companies")
            }),
        });
        let section = Tickets {
            rows: rows.collect(),
            framed: panel.viewer.framed(),
        };
        section.render().map_err(PageError::template)
    })
}
