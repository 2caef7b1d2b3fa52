//! What people do to tickets, by forms.

use axum::extract::State;
use axum::response::Response;
use bowline_access::{Triage, What};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::split::is_part;
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_engine::feedback::{CannotMake, make_issue, triage};
use bowline_store::access::AuditEntry;
use bowline_store::feedback::{MergedAway, TicketChange};

use super::ticket::{Typed, show};
use super::tie::{find, tie};
use super::words;
use crate::App;
use crate::caller::{Caller, Number, Posted};
use crate::error::{PageError, see_other};

/// The longest label, in characters.
pub(super) const LABEL_CHARS_MAX: usize = 40;

/// The longest title of a ticket that is split off, in characters.
pub(super) const TITLE_CHARS_MAX: usize = 120;

/// What a form, or a script, asks for: `status:done`, `assign:ada@example.com`, `label`, ….
pub(super) fn change_of(act: &str, label: &str) -> Option<TicketChange> {
    let label = label.trim();
    let usable = !label.is_empty() && label.chars().count() <= LABEL_CHARS_MAX;
    match act.split_once(':') {
        Some(("status", word)) => Status::from_word(word).map(TicketChange::Status),
        Some(("importance", word)) => Importance::from_word(word).map(TicketChange::Importance),
        Some(("assign", "")) => Some(TicketChange::Assign(None)),
        Some(("assign", email)) => Some(TicketChange::Assign(Some(email.to_owned()))),
        None if act == "label" && usable => Some(TicketChange::AddLabel(label.to_owned())),
        None if act == "unlabel" && usable => Some(TicketChange::RemoveLabel(label.to_owned())),
        _ => None,
    }
}

/// The audit log's words for a change.
pub(super) fn words_of(change: &TicketChange) -> String {
    match change {
        TicketChange::Status(status) => format!("status: {}", status.as_str()),
        TicketChange::Assign(to) => format!("assignee: {}", to.as_deref().unwrap_or("nobody")),
        TicketChange::Importance(importance) => format!("importance: {}", importance.as_str()),
        TicketChange::AddLabel(label) => format!("label put on: {label}"),
        TicketChange::RemoveLabel(label) => format!("label taken off: {label}"),
        TicketChange::Issue(Some(issue)) => format!("issue: {}", issue.key),
        TicketChange::Issue(None) => "issue: none".to_owned(),
    }
}

pub(super) fn subject(tickets: &[TicketId]) -> String {
    let named: Vec<String> = tickets.iter().take(20).map(ToString::to_string).collect();
    let more = if tickets.len() > 20 { " …" } else { "" };
    format!("ticket {}{more}", named.join(", "))
}

pub(super) fn entry(
    app: &App,
    caller: &Caller<Triage>,
    tickets: &[TicketId],
    detail: &str,
) -> AuditEntry {
    app.access
        .entry(caller.who(), What::TicketsChanged, subject(tickets), detail)
}

pub(super) fn name_of(caller: &Caller<Triage>) -> String {
    caller.visit.person.name.clone()
}

/// Makes a change; nothing if the assignee is nobody who may sign in, or another ticket stands for
/// one of these.
pub(super) async fn make(
    app: &App,
    caller: &Caller<Triage>,
    tickets: Vec<TicketId>,
    change: TicketChange,
) -> Result<Result<u64, MergedAway>, PageError> {
    if let TicketChange::Assign(Some(email)) = &change {
        let known = app.shared.store.assignees().await?;
        if !known.iter().any(|(one, _)| one == email) {
            return Err(caller.not_found("Nobody who may sign in has this address."));
        }
    }
    let audit = vec![entry(app, caller, &tickets, &words_of(&change))];
    let who = name_of(caller);
    Ok(triage(&app.shared, tickets, change, &who, audit).await?)
}

/// Another ticket that stands for this one, if one does.
pub(super) async fn merged_away(
    app: &App,
    ticket: TicketId,
) -> Result<Option<MergedAway>, bowline_store::StoreError> {
    let view = app.shared.store.ticket(ticket).await?;
    let into = view.and_then(|view| view.merged_into);
    Ok(into.map(|into| MergedAway(vec![(ticket, into)])))
}

/// The page of a ticket for which another one stands, with the words that nothing was done.
async fn show_merged(
    app: &App,
    caller: &Caller<Triage>,
    ticket: TicketId,
    away: &MergedAway,
) -> Result<Response, PageError> {
    let typed = Typed {
        wrong: Some(words::merged_away(away)),
        ..Typed::default()
    };
    show(app, caller, ticket, typed, None).await
}

/// The same, if another one stands for the ticket.
async fn refuse_merged(
    app: &App,
    caller: &Caller<Triage>,
    ticket: TicketId,
) -> Result<Option<Response>, PageError> {
    let Some(away) = merged_away(app, ticket).await? else {
        return Ok(None);
    };
    show_merged(app, caller, ticket, &away).await.map(Some)
}

async fn merge_one(
    app: &App,
    caller: &Caller<Triage>,
    ticket: TicketId,
    into: TicketId,
) -> Result<Result<(), &'static str>, PageError> {
    let audit = vec![entry(
        app,
        caller,
        &[ticket],
        &format!("merged into ticket {into}"),
    )];
    let by = (name_of(caller), app.shared.now());
    let merged = app.shared.store.merge_tickets((ticket, into), by, audit);
    Ok(merged.await?.map_err(words::not_merged))
}

pub(crate) async fn change(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    if let Some(refused) = refuse_merged(&app, &caller, TicketId(id)).await? {
        return Ok(refused);
    }
    let act = fields.get("act");
    let Some(change) = change_of(act, fields.get("new_label")) else {
        let typed = Typed {
            label: fields.get("new_label").to_owned(),
            label_fault: Some(format!(
                "Write a label of 1 to {LABEL_CHARS_MAX} characters."
            )),
            ..Typed::default()
        };
        return show(&app, &caller, TicketId(id), typed, None).await;
    };
    match make(&app, &caller, vec![TicketId(id)], change).await? {
        Ok(_) => Ok(see_other(&format!("/feedback/{id}?done=triaged"))),
        Err(away) => show_merged(&app, &caller, TicketId(id), &away).await,
    }
}

pub(crate) async fn merge(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    if let Some(refused) = refuse_merged(&app, &caller, TicketId(id)).await? {
        return Ok(refused);
    }
    let ticket = TicketId(id);
    let wanted = fields.get("into").trim();
    let refused = match wanted.parse::<i64>() {
        // One that is suggested is merged into the ticket that is looked at.
        Ok(other) if fields.get("here") == "yes" => {
            merge_one(&app, &caller, TicketId(other), ticket)
                .await?
                .err()
        }
        Ok(other) => merge_one(&app, &caller, ticket, TicketId(other))
            .await?
            .err(),
        Err(_) => Some("Write the number of a ticket; it stands in its address."),
    };
    match refused {
        None if fields.get("here") == "yes" => {
            Ok(see_other(&format!("/feedback/{id}?done=merged")))
        }
        None => Ok(see_other(&format!("/feedback/{wanted}?done=merged"))),
        Some(words) => {
            let typed = Typed {
                into: wanted.to_owned(),
                into_fault: Some(words.to_owned()),
                ..Typed::default()
            };
            show(&app, &caller, ticket, typed, None).await
        }
    }
}

pub(crate) async fn undo(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let merge = fields.get("merge").parse().unwrap_or(0);
    let audit = vec![entry(&app, &caller, &[TicketId(id)], "merge undone")];
    let by = (name_of(&caller), app.shared.now());
    match app.shared.store.undo_merge(merge, by, audit).await? {
        Ok(ticket) => Ok(see_other(&format!("/feedback/{ticket}?done=ticket-parted"))),
        Err(why) => {
            let typed = Typed {
                wrong: Some(words::not_merged(why).to_owned()),
                ..Typed::default()
            };
            show(&app, &caller, TicketId(id), typed, None).await
        }
    }
}

pub(crate) async fn split(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    if let Some(refused) = refuse_merged(&app, &caller, TicketId(id)).await? {
        return Ok(refused);
    }
    let (title, text) = (fields.get("title").trim(), fields.get("text").trim());
    let Some(view) = app.shared.store.ticket(TicketId(id)).await? else {
        return Err(caller.not_found("There is no such ticket."));
    };
    let usable = !title.is_empty() && title.chars().count() <= TITLE_CHARS_MAX;
    let title_fault = (!usable).then(|| {
        format!("Say in 1 to {TITLE_CHARS_MAX} characters what the other ticket is about.")
    });
    let text_fault = (!is_part(text, &view.text)).then(|| words::NOT_SAID.to_owned());
    if title_fault.is_some() || text_fault.is_some() {
        let typed = Typed {
            title: title.to_owned(),
            text: text.to_owned(),
            title_fault,
            text_fault,
            ..Typed::default()
        };
        return show(&app, &caller, TicketId(id), typed, None).await;
    }
    let audit = vec![entry(&app, &caller, &[TicketId(id)], "split")];
    let by = (name_of(&caller), app.shared.now());
    let said = (title.to_owned(), text.to_owned());
    let made = app.shared.store.split_ticket(TicketId(id), said, by, audit);
    match made.await? {
        Ok(made) => Ok(see_other(&format!("/feedback/{made}?done=split"))),
        Err(why) => {
            let typed = Typed {
                wrong: Some(words::not_merged(why).to_owned()),
                ..Typed::default()
            };
            show(&app, &caller, TicketId(id), typed, None).await
        }
    }
}

pub(crate) async fn issue(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Triage>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    if let Some(refused) = refuse_merged(&app, &caller, TicketId(id)).await? {
        return Ok(refused);
    }
    let ticket = TicketId(id);
    let done = match fields.get("do") {
        "make" => {
            let refused = match make_issue(&app.shared, ticket).await {
                Ok(_) => None,
                Err(CannotMake::Store(error)) => return Err(error.into()),
                Err(why) => Some(why.to_string()),
            };
            if refused.is_none() {
                app.access
                    .write_down(
                        caller.who(),
                        What::TicketsChanged,
                        &subject(&[ticket]),
                        "issue wanted",
                    )
                    .await?;
            }
            refused.map_or(Ok("making"), Err)
        }
        "untie" => tie(&app, &caller, ticket, None).await?,
        _ => match find(&app, fields.get("issue")).await? {
            Ok(found) => tie(&app, &caller, ticket, Some(found)).await?,
            Err(why) => Err(why.words),
        },
    };
    match done {
        Ok(word) => Ok(see_other(&format!("/feedback/{id}?done={word}"))),
        Err(fault) => {
            let typed = Typed {
                issue: fields.get("issue").to_owned(),
                issue_fault: Some(fault),
                ..Typed::default()
            };
            show(&app, &caller, ticket, typed, None).await
        }
    }
}
