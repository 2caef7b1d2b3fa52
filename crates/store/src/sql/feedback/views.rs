//! Tickets as capture, pages and others look at them.

use std::collections::HashMap;

use bowline_domain::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use bowline_domain::feedback::ticket::{AppliedTag, KnownTicket, Level, Line, TicketIssue};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

use super::files;
use super::list::{ROW, ROW_COLUMNS, label, read_row};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::feedback::{HistoryView, MergeView, TicketRow, TicketView};

/// Merged tickets and steps of history that are shown at most.
const SHOWN_MAX: i64 = 500;

fn transcript(text: &str) -> Result<Vec<Line>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable("a transcript", error))
}

/// The tickets of a conversation's messages. A message's later pieces follow its first.
pub(crate) async fn known(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
) -> Result<Vec<KnownTicket>, StoreError> {
    const TICKETS: &str = "SELECT id, product, part, level, erased, transcript FROM ticket \
        WHERE workspace = $1 AND conversation = $2 ORDER BY piece DESC, id";
    const TAGS: &str = "SELECT ticket.id, ticket_tag.tag, ticket_tag.removed_at \
        FROM ticket JOIN ticket_tag ON ticket_tag.ticket = ticket.id \
        WHERE ticket.workspace = $1 AND ticket.conversation = $2";
    let doing = "reading tickets of a conversation";
    let args = values![workspace.as_str(), conversation.as_str()];
    let rows = conn.rows(doing, TICKETS, args.clone()).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut tags: HashMap<i64, Vec<(TagId, bool)>> = HashMap::new();
    for row in conn.rows(doing, TAGS, args).await? {
        let taken_off = row.int_or_null(2)?.is_some();
        tags.entry(row.int(0)?)
            .or_default()
            .push((TagId::new(row.text(1)?), taken_off));
    }
    let mut known = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let id = row.int(0)?;
        known.push(KnownTicket {
            id: TicketId(id),
            product: ProductId(row.int(1)?),
            part: PartId::new(row.text(2)?),
            level: Level::from_word(&row.text(3)?),
            tags: tags.remove(&id).unwrap_or_default(),
            erased: row.text_or_null(4)?.is_some(),
            transcript: transcript(&row.text(5)?)?,
        });
    }
    Ok(known)
}

/// Has a contact tickets that are not erased?
pub(crate) async fn of_contact(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &ContactId,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM ticket WHERE workspace = $1 AND contact = $2 LIMIT 1";
    let args = values![workspace.as_str(), contact.as_str()];
    let rows = conn
        .rows("looking for tickets of a contact", SQL, args)
        .await?;
    Ok(!rows.is_empty())
}

/// The tickets of a contact, the newest first, those that were merged into others too.
pub(crate) async fn given_by(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &ContactId,
    limit: i64,
) -> Result<Vec<TicketRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW} FROM ticket WHERE workspace = $1 AND contact = $2 ORDER BY id DESC LIMIT $3"
    );
    let args = values![workspace.as_str(), contact.as_str(), limit];
    let rows = conn
        .rows("reading tickets of a contact", &sql, args)
        .await?;
    rows.iter().map(read_row).collect()
}

/// The issues that the tickets of a contact are tied to, by themselves or by those that stand for
/// them.
pub(crate) async fn issues_given_by(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &ContactId,
    limit: i64,
) -> Result<Vec<(TicketId, TicketIssue)>, StoreError> {
    const SQL: &str = "SELECT ticket.id, stands.site, stands.issue, stands.issue_key \
        FROM ticket JOIN ticket AS stands ON stands.id = COALESCE(ticket.merged_into, ticket.id) \
        WHERE ticket.workspace = $1 AND ticket.contact = $2 AND stands.site IS NOT NULL \
          AND stands.issue IS NOT NULL \
        ORDER BY ticket.id DESC LIMIT $3";
    let args = values![workspace.as_str(), contact.as_str(), limit];
    let rows = conn
        .rows("reading issues of a contact's tickets", SQL, args)
        .await?;
    rows.iter()
        .map(|row| {
            let issue = TicketIssue {
                site: SiteName::new(row.text(1)?),
                issue: IssueId::new(row.text(2)?),
                key: row.text_or_null(3)?.unwrap_or_default(),
            };
            Ok((TicketId(row.int(0)?), issue))
        })
        .collect()
}

/// The contacts of tickets that were given under an e-mail address.
pub(crate) async fn contacts_of_email(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    email: &str,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    const SQL: &str = "SELECT DISTINCT contact FROM ticket \
        WHERE workspace = $1 AND email = $2 AND contact IS NOT NULL ORDER BY contact LIMIT $3";
    let args = values![workspace.as_str(), email, limit];
    let rows = conn
        .rows("looking for who gave feedback", SQL, args)
        .await?;
    rows.iter()
        .map(|row| row.text(0).map(ContactId::new))
        .collect()
}

/// Those who have tickets, in the order of the index.
pub(crate) async fn contacts_after(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    after: Option<&ContactId>,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    const SQL: &str = "SELECT DISTINCT contact FROM ticket \
        WHERE workspace = $1 AND contact > $2 AND contact IS NOT NULL ORDER BY contact LIMIT $3";
    let after = after.map(ContactId::as_str).unwrap_or_default();
    let args = values![workspace.as_str(), after, limit];
    let rows = conn.rows("listing who gave feedback", SQL, args).await?;
    rows.iter()
        .map(|row| row.text(0).map(ContactId::new))
        .collect()
}

/// Conversations with tickets that have a tag, from the highest id on, which is the newest.
pub(crate) async fn tagged_before(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    before: Option<&ConversationId>,
    limit: i64,
) -> Result<Vec<ConversationId>, StoreError> {
    let mut args = values![workspace.as_str(), limit];
    let bound = before.map_or("", |before| {
        args.extend(values![before.as_str()]);
        "AND conversation < $3"
    });
    let sql = format!(
        "SELECT DISTINCT conversation FROM ticket \
         WHERE workspace = $1 {bound} AND erased IS NULL AND EXISTS (SELECT 1 FROM ticket_tag \
           WHERE ticket_tag.ticket = ticket.id AND ticket_tag.removed_at IS NULL) \
         ORDER BY conversation DESC LIMIT $2"
    );
    let rows = conn
        .rows("listing tagged conversations", &sql, args)
        .await?;
    rows.iter()
        .map(|row| row.text(0).map(ConversationId::new))
        .collect()
}

/// Who gave the newest feedback, but for one.
pub(crate) async fn newest_contacts(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    but: &ContactId,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    // Among the newest tickets only, however many there are.
    const SQL: &str = "SELECT contact FROM (SELECT contact, id FROM ticket \
          WHERE workspace = $1 AND contact IS NOT NULL AND contact <> $2 \
          ORDER BY id DESC LIMIT 200) AS newest \
        GROUP BY contact ORDER BY MAX(id) DESC LIMIT $3";
    let args = values![workspace.as_str(), but.as_str(), limit];
    let rows = conn
        .rows("looking for who gave feedback lately", SQL, args)
        .await?;
    rows.iter()
        .map(|row| row.text(0).map(ContactId::new))
        .collect()
}

/// The tickets that are tied to an issue.
pub(crate) async fn of_issue(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
) -> Result<Vec<TicketRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW} FROM ticket WHERE site = $1 AND issue = $2 ORDER BY id LIMIT {SHOWN_MAX}"
    );
    let args = values![site.as_str(), issue.as_str()];
    let rows = conn.rows("reading tickets of an issue", &sql, args).await?;
    rows.iter().map(read_row).collect()
}

/// The conversations of a ticket and of those that it stands for, each once.
pub(crate) async fn conversations(
    conn: &mut Conn,
    id: TicketId,
) -> Result<Vec<(WorkspaceName, ConversationId)>, StoreError> {
    const SQL: &str = "SELECT DISTINCT workspace, conversation FROM ticket \
        WHERE (id = $1 OR merged_into = $2) AND COALESCE(erased, '') <> 'conversation_deleted' \
        ORDER BY workspace, conversation";
    let rows = conn
        .rows(
            "reading conversations of a ticket",
            SQL,
            values![id.0, id.0],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                WorkspaceName::new(row.text(0)?),
                ConversationId::new(row.text(1)?),
            ))
        })
        .collect()
}

/// A ticket with all that belongs to it.
pub(crate) async fn one(conn: &mut Conn, id: TicketId) -> Result<Option<TicketView>, StoreError> {
    let sql = format!(
        "SELECT {ROW}, conversation, part, level, piece, body, email, contact, company, plan, \
           own_spend, transcript, captured_at, merged_into, site, issue, issues_made, erased_at, \
           version, said_by \
         FROM ticket WHERE id = $1"
    );
    let rows = conn.rows("reading a ticket", &sql, values![id.0]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let mut view = read_view(row)?;
    label(conn, std::slice::from_mut(&mut view.row)).await?;
    view.tags = tags(conn, id).await?;
    let message = (&view.row.workspace, &view.conversation, &view.part);
    view.files = files::of_message(conn, message).await?;
    view.history = history(conn, id).await?;
    view.merged = merged(conn, id).await?;
    view.merges = merges(conn, id).await?;
    Ok(Some(view))
}

fn read_view(row: &Row) -> Result<TicketView, StoreError> {
    let short = read_row(row)?;
    let at = |offset: usize| ROW_COLUMNS + offset;
    let (site, issue) = (row.text_or_null(at(13))?, row.text_or_null(at(14))?);
    let issue = site.zip(issue).map(|(site, issue)| TicketIssue {
        site: SiteName::new(site),
        issue: IssueId::new(issue),
        key: short.issue_key.clone().unwrap_or_default(),
    });
    Ok(TicketView {
        conversation: ConversationId::new(row.text(at(0))?),
        part: PartId::new(row.text(at(1))?),
        level: Level::from_word(&row.text(at(2))?),
        piece: row.int(at(3))?,
        text: row.text(at(4))?,
        email: row.text_or_null(at(5))?,
        contact: row.text_or_null(at(6))?.map(ContactId::new),
        company: row.text_or_null(at(7))?,
        plan: row.text_or_null(at(8))?,
        own_spend: row.int(at(9))?,
        transcript: transcript(&row.text(at(10))?)?,
        captured_at: Millis(row.int(at(11))?),
        merged_into: row.int_or_null(at(12))?.map(TicketId),
        issue,
        issues_made: row.int(at(15))?,
        erased_at: row.int_or_null(at(16))?.map(Millis),
        version: row.int(at(17))?,
        said_by: row.text_or_null(at(18))?,
        tags: Vec::new(),
        files: Vec::new(),
        history: Vec::new(),
        merged: Vec::new(),
        merges: Vec::new(),
        row: short,
    })
}

async fn tags(
    conn: &mut Conn,
    id: TicketId,
) -> Result<Vec<(AppliedTag, Option<Millis>)>, StoreError> {
    const SQL: &str = "SELECT tag, name, applied_at, applied_by, removed_at FROM ticket_tag \
        WHERE ticket = $1 ORDER BY name, tag";
    let rows = conn
        .rows("reading tags of a ticket", SQL, values![id.0])
        .await?;
    rows.iter()
        .map(|row| {
            let tag = AppliedTag {
                tag: TagId::new(row.text(0)?),
                name: row.text(1)?,
                at: row.int_or_null(2)?.map(Millis),
                by: row.text_or_null(3)?,
            };
            Ok((tag, row.int_or_null(4)?.map(Millis)))
        })
        .collect()
}

async fn history(conn: &mut Conn, id: TicketId) -> Result<Vec<HistoryView>, StoreError> {
    let sql = format!(
        "SELECT at, who, what, detail FROM ticket_history WHERE ticket = $1 ORDER BY id \
         LIMIT {SHOWN_MAX}"
    );
    let rows = conn
        .rows("reading the history of a ticket", &sql, values![id.0])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(HistoryView {
                at: Millis(row.int(0)?),
                who: row.text(1)?,
                what: row.text(2)?,
                detail: row.text(3)?,
            })
        })
        .collect()
}

async fn merged(conn: &mut Conn, id: TicketId) -> Result<Vec<TicketRow>, StoreError> {
    let sql =
        format!("SELECT {ROW} FROM ticket WHERE merged_into = $1 ORDER BY id LIMIT {SHOWN_MAX}");
    let rows = conn
        .rows("reading merged tickets", &sql, values![id.0])
        .await?;
    rows.iter().map(read_row).collect()
}

async fn merges(conn: &mut Conn, id: TicketId) -> Result<Vec<MergeView>, StoreError> {
    let sql = format!(
        "SELECT ticket_merge.id, ticket_merge.ticket, ticket_merge.at, ticket_merge.who \
         FROM ticket_merge JOIN ticket ON ticket.id = ticket_merge.ticket \
           AND ticket.merged_into = ticket_merge.into_ticket \
         WHERE ticket_merge.into_ticket = $1 AND undone_at IS NULL \
         ORDER BY ticket_merge.id DESC LIMIT {SHOWN_MAX}"
    );
    let rows = conn
        .rows("reading merges of a ticket", &sql, values![id.0])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(MergeView {
                id: row.int(0)?,
                ticket: TicketId(row.int(1)?),
                at: Millis(row.int(2)?),
                who: row.text(3)?,
            })
        })
        .collect()
}
