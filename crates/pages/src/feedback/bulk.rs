//! What is done to several tickets of the inbox at once. What cannot be done is said beside what was
//! chosen, which stays chosen.

use axum::extract::State;
use axum::response::Response;
use bowline_access::Triage;
use bowline_domain::feedback::ids::TicketId;
use bowline_store::feedback::MergedAway;

use super::acts::{LABEL_CHARS_MAX, change_of, entry, make, name_of};
use super::inbox::{Came, show};
use super::words;
use crate::App;
use crate::caller::{Caller, Fields, Posted};
use crate::error::{PageError, see_other};
use crate::query::{Query, ours};

/// Tickets that are changed at once at most.
const BULK_MAX: usize = 200;

/// The list that somebody comes from, and goes back to.
fn back(fields: &Fields) -> String {
    let back = ours(fields.get("back"));
    let path = back.split(['?', '#']).next().unwrap_or_default();
    if path == "/feedback" {
        back
    } else {
        "/feedback".to_owned()
    }
}

/// What that list was asked for.
fn asked(back: &str) -> Query {
    Query::read(back.split_once('?').map_or("", |(_, query)| query))
}

fn tickets_of(fields: &Fields) -> Vec<TicketId> {
    let chosen = fields.all("ticket").into_iter();
    let ids = chosen.filter_map(|id| id.parse().ok()).map(TicketId);
    ids.take(BULK_MAX).collect()
}

/// The list again, at the ticket with which somebody goes on, if they said which.
fn done(back: &str, fields: &Fields) -> Response {
    let query = asked(back).with("/feedback", "done", "triaged");
    let place = fields.get("next").parse::<i64>();
    let place = place.map_or_else(|_| String::new(), |id| format!("#ticket-{id}"));
    see_other(&format!("{query}{place}"))
}

/// Why nothing is done, whose fault it is not.
fn all_or_none(away: &MergedAway) -> String {
    format!(
        "Nothing was changed, because another ticket stands for one of the chosen by now. {} What \
         is still in the list stays chosen.",
        words::merged_away(away)
    )
}

pub(crate) async fn act(
    State(app): State<App>,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let back = back(&fields);
    let tickets = tickets_of(&fields);
    let came = Came {
        chosen: tickets.iter().map(|id| id.0).collect(),
        act: fields.get("act").to_owned(),
        new_label: fields.get("new_label").to_owned(),
        ..Came::default()
    };
    let wrong = |words: String| Came {
        wrong: Some(words),
        ..came.clone()
    };
    let refused = if tickets.is_empty() {
        wrong("Choose at least one ticket first.".to_owned())
    } else if came.act == "merge" {
        match merge_all(&app, &caller, tickets).await? {
            Ok(into) => return Ok(see_other(&format!("/feedback/{into}?done=merged"))),
            Err(words) => wrong(words.to_owned()),
        }
    } else if let Some(change) = change_of(&came.act, &came.new_label) {
        match make(&app, &caller, tickets, change).await? {
            Ok(_) => return Ok(done(&back, &fields)),
            Err(away) => wrong(all_or_none(&away)),
        }
    } else if matches!(came.act.as_str(), "label" | "unlabel") {
        Came {
            label_fault: Some(format!(
                "Write the label, of 1 to {LABEL_CHARS_MAX} characters."
            )),
            ..came
        }
    } else {
        wrong("Choose what is to be done with them.".to_owned())
    };
    show(&app, &caller, &asked(&back), refused).await
}

/// Merges tickets into the oldest of them. Answers that one, or why none was merged.
async fn merge_all(
    app: &App,
    caller: &Caller<Triage>,
    mut tickets: Vec<TicketId>,
) -> Result<Result<TicketId, &'static str>, PageError> {
    tickets.sort_unstable();
    let Some((oldest, others)) = tickets
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    else {
        return Ok(Err("Choose at least two tickets to merge."));
    };
    let detail = format!("merged into ticket {oldest}");
    let audit = vec![entry(app, caller, others, &detail)];
    let by = (name_of(caller), app.shared.now());
    let store = &app.shared.store;
    let merged = store.merge_all_tickets((others.to_vec(), *oldest), by, audit);
    Ok(match merged.await? {
        Ok(()) => Ok(*oldest),
        Err(why) => Err(words::not_merged(why)),
    })
}
