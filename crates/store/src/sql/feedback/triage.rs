//! What people do with tickets.

use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::ticket::{Status, TicketIssue};
use bowline_domain::time::Millis;

use super::capture::index;
use super::group::{count, note, regroup, standing};
use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::feedback::{MergedAway, NotMerged, TicketChange};
use crate::model::NewEvent;
use crate::sql::decide::json;
use crate::sql::{accept, audit};

/// Who did something, and when.
type By<'b> = (&'b str, Millis);

/// Changes tickets and stores the events that follow: all of them, or none if another one stands for
/// one of them by now. Answers how many changed.
pub(crate) async fn change(
    conn: &mut Conn,
    writer: &Writer,
    (tickets, change): (&[TicketId], &TicketChange),
    by: By<'_>,
    events: &[NewEvent],
    entries: &[AuditEntry],
) -> Result<Result<u64, MergedAway>, StoreError> {
    let mut away = Vec::new();
    for id in tickets {
        let into = standing(conn, *id).await?.and_then(|one| one.merged_into);
        away.extend(into.map(|into| (*id, TicketId(into))));
    }
    if !away.is_empty() {
        return Ok(Err(MergedAway(away)));
    }
    let mut changed = 0;
    for id in tickets {
        changed += u64::from(one(conn, *id, change, by).await?);
    }
    if changed > 0 {
        let events: Vec<&NewEvent> = events.iter().collect();
        accept::accept(conn, writer, &events, false).await?;
        write_down(conn, entries).await?;
    }
    Ok(Ok(changed))
}

async fn write_down(conn: &mut Conn, entries: &[AuditEntry]) -> Result<(), StoreError> {
    for entry in entries {
        audit::add(conn, entry).await?;
    }
    Ok(())
}

async fn one(
    conn: &mut Conn,
    id: TicketId,
    change: &TicketChange,
    by: By<'_>,
) -> Result<bool, StoreError> {
    const ASSIGN: &str = "UPDATE ticket SET assignee = $1, version = version + 1 WHERE id = $2 \
        AND COALESCE(assignee, '') <> COALESCE($3, '')";
    const JUDGE: &str = "UPDATE ticket SET importance = $1, version = version + 1 \
        WHERE id = $2 AND importance <> $3";
    const LABEL: &str = "INSERT INTO ticket_label (label, ticket) \
        SELECT $1, id FROM ticket WHERE id = $2 ON CONFLICT (label, ticket) DO NOTHING";
    const UNLABEL: &str = "DELETE FROM ticket_label WHERE label = $1 AND ticket = $2";
    const TIE: &str = "UPDATE ticket SET site = $1, issue = $2, issue_key = $3, \
          version = version + 1 WHERE id = $4";
    let doing = "changing a ticket";
    let (touched, what, detail) = match change {
        TicketChange::Status(status) => return move_to(conn, id, *status, by).await,
        TicketChange::Assign(to) => {
            let args = values![to.clone(), id.0, to.clone()];
            let detail = to.clone().unwrap_or_default();
            (conn.run(doing, ASSIGN, args).await?, "assigned", detail)
        }
        TicketChange::Importance(importance) => {
            let args = values![importance.code(), id.0, importance.code()];
            let detail = importance.as_str().to_owned();
            (conn.run(doing, JUDGE, args).await?, "judged", detail)
        }
        TicketChange::AddLabel(label) => {
            let args = values![label.as_str(), id.0];
            (
                conn.run(doing, LABEL, args).await?,
                "labelled",
                label.clone(),
            )
        }
        TicketChange::RemoveLabel(label) => {
            let args = values![label.as_str(), id.0];
            let touched = conn.run(doing, UNLABEL, args).await?;
            (touched, "unlabelled", label.clone())
        }
        TicketChange::Issue(issue) => {
            let site = issue.as_ref().map(|tied| tied.site.as_str().to_owned());
            let number = issue.as_ref().map(|tied| tied.issue.as_str().to_owned());
            let key = issue.as_ref().map(|tied| tied.key.clone());
            let args = values![site, number, key.clone(), id.0];
            let what = if key.is_some() { "tied" } else { "untied" };
            (
                conn.run(doing, TIE, args).await?,
                what,
                key.unwrap_or_default(),
            )
        }
    };
    if touched > 0 {
        note(conn, id, by, what, &detail).await?;
    }
    Ok(touched > 0)
}

/// Moves a ticket, and those that it stands for, to a status. Answers whether it moved.
pub(crate) async fn move_to(
    conn: &mut Conn,
    id: TicketId,
    status: Status,
    by: By<'_>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE ticket SET status = $1, version = version + 1 \
        WHERE id = $2 OR merged_into = $3";
    let Some(before) = standing(conn, id).await? else {
        return Ok(false);
    };
    // One that another stands for moves with that only.
    if before.merged_into.is_some() || before.status == status.code() {
        return Ok(false);
    }
    let args = values![status.code(), id.0, id.0];
    conn.run("moving tickets", SQL, args).await?;
    count(conn, before.product, before.status, -1).await?;
    count(conn, before.product, status.code(), 1).await?;
    note(conn, id, by, "moved", status.as_str()).await?;
    Ok(true)
}

/// Merges a ticket, with those that it stands for, into another one.
pub(crate) async fn merge(
    conn: &mut Conn,
    ticket: TicketId,
    into: TicketId,
    by: By<'_>,
    entries: &[AuditEntry],
) -> Result<Result<(), NotMerged>, StoreError> {
    const MOVED: &str = "SELECT id FROM ticket WHERE merged_into = $1 ORDER BY id";
    const MERGE: &str = "UPDATE ticket SET merged_into = $1, version = version + 1 \
        WHERE id = $2 OR merged_into = $3";
    const KEEP: &str = "INSERT INTO ticket_merge (ticket, into_ticket, moved, at, who) \
        VALUES ($1,$2,$3,$4,$5)";
    let doing = "merging tickets";
    if let Some(why) = refused(conn, ticket, into).await? {
        return Ok(Err(why));
    }
    let Some(one) = standing(conn, ticket).await? else {
        return Ok(Err(NotMerged::Gone));
    };
    let rows = conn.rows(doing, MOVED, values![ticket.0]).await?;
    let moved: Vec<i64> = rows
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<_, _>>()?;
    conn.run(doing, MERGE, values![into.0, ticket.0, ticket.0])
        .await?;
    let args = values![ticket.0, into.0, json(&moved)?, by.1.0, by.0];
    conn.run(doing, KEEP, args).await?;
    count(conn, one.product, one.status, -1).await?;
    regroup(conn, into).await?;
    note(conn, ticket, by, "merged", &into.to_string()).await?;
    note(conn, into, by, "took_in", &ticket.to_string()).await?;
    write_down(conn, entries).await?;
    Ok(Ok(()))
}

/// Merges several tickets into another one: all of them, or none if one cannot be.
pub(crate) async fn merge_all(
    conn: &mut Conn,
    tickets: &[TicketId],
    into: TicketId,
    by: By<'_>,
    entries: &[AuditEntry],
) -> Result<Result<(), NotMerged>, StoreError> {
    for ticket in tickets {
        if let Some(why) = refused(conn, *ticket, into).await? {
            return Ok(Err(why));
        }
    }
    for ticket in tickets {
        // One that was chosen twice is merged by now.
        if refused(conn, *ticket, into).await?.is_none() {
            merge(conn, *ticket, into, by, &[]).await?.ok();
        }
    }
    write_down(conn, entries).await?;
    Ok(Ok(()))
}

/// Why a ticket cannot be merged into another one.
async fn refused(
    conn: &mut Conn,
    ticket: TicketId,
    into: TicketId,
) -> Result<Option<NotMerged>, StoreError> {
    if ticket == into {
        return Ok(Some(NotMerged::Same));
    }
    let (Some(one), Some(other)) = (standing(conn, ticket).await?, standing(conn, into).await?)
    else {
        return Ok(Some(NotMerged::Gone));
    };
    if one.product != other.product {
        return Ok(Some(NotMerged::OtherProduct));
    }
    let merged = one.merged_into.is_some() || other.merged_into.is_some();
    Ok(merged.then_some(NotMerged::MergedAlready))
}

/// Undoes a merge: the ticket stands by itself again, for those that it stood for before.
pub(crate) async fn undo(
    conn: &mut Conn,
    merge: i64,
    by: By<'_>,
    entries: &[AuditEntry],
) -> Result<Result<TicketId, NotMerged>, StoreError> {
    const READ: &str = "SELECT ticket, into_ticket, moved FROM ticket_merge \
        WHERE id = $1 AND undone_at IS NULL";
    const PART: &str = "UPDATE ticket SET merged_into = NULL, version = version + 1 \
        WHERE id = $1 AND merged_into = $2";
    const BACK: &str = "UPDATE ticket SET merged_into = $1 WHERE id = $2 AND merged_into = $3";
    const UNDONE: &str = "UPDATE ticket_merge SET undone_at = $1 WHERE id = $2";
    let doing = "undoing a merge";
    let rows = conn.rows(doing, READ, values![merge]).await?;
    let Some(row) = rows.first() else {
        return Ok(Err(NotMerged::NotUndoable));
    };
    let (ticket, into) = (TicketId(row.int(0)?), TicketId(row.int(1)?));
    let moved: Vec<i64> = serde_json::from_str(&row.text(2)?)
        .map_err(|error| StoreError::unreadable("a merge", error))?;
    if conn.run(doing, PART, values![ticket.0, into.0]).await? == 0 {
        return Ok(Err(NotMerged::NotUndoable));
    }
    for one in moved {
        conn.run(doing, BACK, values![ticket.0, one, into.0])
            .await?;
    }
    conn.run(doing, UNDONE, values![by.1.0, merge]).await?;
    if let Some(now) = standing(conn, ticket).await? {
        count(conn, now.product, now.status, 1).await?;
    }
    regroup(conn, ticket).await?;
    regroup(conn, into).await?;
    note(conn, ticket, by, "parted", &into.to_string()).await?;
    note(conn, into, by, "let_go", &ticket.to_string()).await?;
    write_down(conn, entries).await?;
    Ok(Ok(ticket))
}

/// Makes another ticket of the same message, of a part of its text.
pub(crate) async fn split(
    conn: &mut Conn,
    ticket: TicketId,
    (title, text): (&str, &str),
    by: By<'_>,
    entries: &[AuditEntry],
) -> Result<Result<TicketId, NotMerged>, StoreError> {
    const READ: &str = "SELECT product, author, email, company_name FROM ticket \
        WHERE id = $1 AND erased IS NULL";
    const SPLIT: &str = "INSERT INTO ticket (product, workspace, conversation, part, piece, \
          level, status, importance, assignee, title, body, author, email, contact, company, \
          company_name, plan, own_spend, transcript, said_at, said_by, captured_at, people, \
          companies, spend, issues_made, version) \
        SELECT product, workspace, conversation, part, \
          (SELECT MAX(piece) + 1 FROM ticket AS all_pieces \
            WHERE all_pieces.product = ticket.product \
              AND all_pieces.conversation = ticket.conversation \
              AND all_pieces.part = ticket.part), \
          level, 0, 0, assignee, $1, $2, author, email, contact, company, company_name, plan, \
          own_spend, transcript, said_at, said_by, $3, 0, 0, 0, 0, 1 FROM ticket WHERE id = $4 \
        RETURNING id";
    const TAGS: &str = "INSERT INTO ticket_tag (ticket, tag, name, applied_at, applied_by, \
          removed_at) \
        SELECT $1, tag, name, applied_at, applied_by, removed_at FROM ticket_tag \
        WHERE ticket = $2";
    let doing = "splitting a ticket";
    let rows = conn.rows(doing, READ, values![ticket.0]).await?;
    let Some(row) = rows.first() else {
        return Ok(Err(NotMerged::Gone));
    };
    let product = ProductId(row.int(0)?);
    let (author, email, company) = (
        row.text(1)?,
        row.text_or_null(2)?.unwrap_or_default(),
        row.text_or_null(3)?.unwrap_or_default(),
    );
    let args = values![title, text, by.1.0, ticket.0];
    let rows = conn.rows(doing, SPLIT, args).await?;
    let Some(row) = rows.first() else {
        return Ok(Err(NotMerged::Gone));
    };
    let id = TicketId(row.int(0)?);
    conn.run(doing, TAGS, values![id.0, ticket.0]).await?;
    index(conn, id, product, &[title, text, &author, &email, &company]).await?;
    count(conn, product.0, Status::New.code(), 1).await?;
    regroup(conn, id).await?;
    note(conn, ticket, by, "split", &id.to_string()).await?;
    note(conn, id, by, "split_off", &ticket.to_string()).await?;
    write_down(conn, entries).await?;
    Ok(Ok(id))
}

/// Records the issue that was made from a ticket.
pub(crate) async fn issue_made(
    conn: &mut Conn,
    ticket: TicketId,
    issue: &TicketIssue,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE ticket SET site = $1, issue = $2, issue_key = $3, \
          issues_made = issues_made + 1, version = version + 1 \
        WHERE id = $4 AND (issue IS NULL OR issue <> $5)";
    let args = values![
        issue.site.as_str(),
        issue.issue.as_str(),
        issue.key.as_str(),
        ticket.0,
        issue.issue.as_str()
    ];
    if conn
        .run("recording an issue of a ticket", SQL, args)
        .await?
        > 0
    {
        note(conn, ticket, ("Bowline", at), "issue_made", &issue.key).await?;
    }
    Ok(())
}
