//! Recording what decided events change in feedback.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::feedback::act::issue_key;
use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::person::CapturedPerson;
use bowline_domain::feedback::ticket::{AppliedTag, Erased, NewTicket, Status};
use bowline_domain::feedback::words::indexed;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;

use super::group::{self, count, note, regroup};
use super::person;
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::feedback::{Erase, FeedbackChanges};
use crate::model::{Decided, Decision};
use crate::sql::contacts;
use crate::sql::decide::json;
use crate::sql::forget;

/// Who is written down for what Intercom told.
const BY_INTERCOM: &str = "Intercom";

/// Who did what follows from something that was done here; the audit log says by whom.
const BY_US: &str = "Bowline";

/// Records what decisions change in feedback.
pub(crate) async fn store(
    conn: &mut Conn,
    decided: &[(&Decision, &Decided)],
) -> Result<(), StoreError> {
    for (decision, decided) in decided {
        if let Some(changes) = &decided.feedback {
            store_one(conn, changes, decision.at).await?;
        }
    }
    Ok(())
}

async fn store_one(
    conn: &mut Conn,
    changes: &FeedbackChanges,
    at: Millis,
) -> Result<(), StoreError> {
    let mut made = 0;
    for (ticket, person) in &changes.made {
        made += i64::from(make(conn, changes, ticket, person, at).await?);
    }
    for (id, tag) in &changes.tagged {
        let told = match tag_stands(conn, *id, tag).await? {
            None => Some("tagged"),
            Some(false) => Some("tagged_again"),
            Some(true) => None,
        };
        put_tag(conn, *id, tag).await?;
        if let Some(told) = told {
            note(conn, *id, (BY_INTERCOM, at), told, tag.tag.as_str()).await?;
        }
    }
    for (id, tag) in &changes.untagged {
        const SQL: &str = "UPDATE ticket_tag SET removed_at = $1 \
            WHERE ticket = $2 AND tag = $3 AND removed_at IS NULL";
        let args = values![at.0, id.0, tag.as_str()];
        if conn.run("marking a tag as taken off", SQL, args).await? > 0 {
            note(conn, *id, (BY_INTERCOM, at), "untagged", tag.as_str()).await?;
        }
    }
    for (id, lines) in &changes.transcripts {
        const SQL: &str = "UPDATE ticket SET transcript = $1 WHERE id = $2";
        let args = values![json(lines)?, id.0];
        conn.run("taking messages out of a transcript", SQL, args)
            .await?;
    }
    for id in &changes.redacted {
        erase_message(conn, *id, at).await?;
    }
    if changes.forget {
        forget::of_conversation(conn, &changes.workspace, &changes.conversation, at).await?;
    }
    if let Some(erase) = &changes.erase {
        erase_whole(conn, changes, erase, at).await?;
    }
    for (id, status) in &changes.moved {
        follow(conn, *id, *status, at).await?;
    }
    for (from, into) in &changes.merged {
        person::move_to(conn, &changes.workspace, from, into).await?;
    }
    if let (Some(backfill), 1..) = (changes.backfill, made) {
        const SQL: &str = "UPDATE backfill SET made = made + $1 WHERE id = $2";
        conn.run(
            "counting what a backfill made",
            SQL,
            values![made, backfill],
        )
        .await?;
    }
    Ok(())
}

/// Makes a ticket, unless there is one for the message. Answers whether it was made.
async fn make(
    conn: &mut Conn,
    changes: &FeedbackChanges,
    new: &NewTicket,
    person: &CapturedPerson,
    at: Millis,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO ticket (product, workspace, conversation, part, piece, level, \
          status, importance, title, body, author, email, contact, company, company_name, plan, \
          own_spend, transcript, said_at, captured_at, people, companies, spend, said_by, \
          issues_made, version) \
        VALUES ($1,$2,$3,$4,0,$5,0,0,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21, \
          0,1) \
        ON CONFLICT (product, conversation, part, piece) DO NOTHING RETURNING id";
    let company = person.company.as_ref();
    let spend = company.map_or(0, |company| company.monthly_spend);
    let contact = person.contact.as_ref().map(|id| id.as_str().to_owned());
    let args = values![
        new.product.0,
        changes.workspace.as_str(),
        changes.conversation.as_str(),
        new.part.as_str(),
        new.level.as_str(),
        new.title.as_str(),
        new.text.as_str(),
        person.name.as_str(),
        person.email.clone(),
        contact.clone(),
        company.map(|company| company.id.clone()),
        company.map(|company| company.name.clone()),
        company.and_then(|company| company.plan.clone()),
        spend,
        json(&new.transcript)?,
        new.said_at.0,
        at.0,
        contact.is_some(),
        company.is_some(),
        spend,
        new.by_teammate.then(|| new.author.clone())
    ];
    let rows = conn.rows("making a ticket", SQL, args).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let id = TicketId(row.int(0)?);
    for tag in &new.tags {
        put_tag(conn, id, tag).await?;
    }
    let company = company.map_or("", |company| company.name.as_str());
    let email = person.email.as_deref().unwrap_or_default();
    let texts = [new.text.as_str(), &person.name, email, company];
    index(conn, id, new.product, &texts).await?;
    count(conn, new.product.0, Status::New.code(), 1).await?;
    let by = new.tags.iter().find_map(|tag| tag.by.clone());
    let detail = by.unwrap_or_default();
    note(conn, id, (BY_INTERCOM, at), "made", &detail).await?;
    if let Some(contact) = &contact
        && person::was_erased(conn, &changes.workspace, contact).await?
    {
        erase(conn, id, Erased::ContactErased, at).await?;
    }
    Ok(true)
}

/// A character for private use: both indexes take it for a part of a word, and no text that people
/// search for becomes a word with it.
const PRIVATE: char = '\u{e000}';

/// The word in the index by which the tickets of a product are told from others.
pub(crate) fn product_word(product: ProductId) -> String {
    format!("{PRIVATE}{}{PRIVATE}", product.0)
}

/// Puts the words of a ticket into the index.
pub(crate) async fn index(
    conn: &mut Conn,
    id: TicketId,
    product: ProductId,
    texts: &[&str],
) -> Result<(), StoreError> {
    let words = conn.dialect().words("$2");
    let sql = format!("INSERT INTO ticket_text (rowid, words) VALUES ($1, {words})");
    let text = indexed(texts);
    let text = format!("{} {text}", product_word(product));
    conn.run(
        "indexing the words of a ticket",
        &sql,
        values![id.0, text.trim_end()],
    )
    .await
    .map(drop)
}

/// Is a tag on a ticket? `None`: it never was.
async fn tag_stands(
    conn: &mut Conn,
    id: TicketId,
    tag: &AppliedTag,
) -> Result<Option<bool>, StoreError> {
    const SQL: &str = "SELECT removed_at FROM ticket_tag WHERE ticket = $1 AND tag = $2";
    let rows = conn
        .rows(
            "looking for a tag of a ticket",
            SQL,
            values![id.0, tag.tag.as_str()],
        )
        .await?;
    let found = rows.first().map(|row| row.int_or_null(0)).transpose()?;
    Ok(found.map(|removed| removed.is_none()))
}

async fn put_tag(conn: &mut Conn, id: TicketId, tag: &AppliedTag) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ticket_tag \
          (ticket, tag, name, applied_at, applied_by) VALUES ($1,$2,$3,$4,$5) \
        ON CONFLICT (ticket, tag) DO UPDATE SET name = excluded.name, removed_at = NULL, \
          applied_at = excluded.applied_at, applied_by = excluded.applied_by";
    let args = values![
        id.0,
        tag.tag.as_str(),
        tag.name.as_str(),
        tag.at.map(|at| at.0),
        tag.by.clone()
    ];
    conn.run("recording a tag of a ticket", SQL, args)
        .await
        .map(drop)
}

/// What is known of a ticket's message goes: in all tickets and pieces of it, and its files.
async fn erase_message(conn: &mut Conn, id: TicketId, at: Millis) -> Result<(), StoreError> {
    const SAME: &str = "SELECT other.id FROM ticket AS one JOIN ticket AS other \
        ON other.workspace = one.workspace AND other.conversation = one.conversation \
          AND other.part = one.part \
        WHERE one.id = $1 AND other.erased IS NULL";
    let rows = conn
        .rows("looking for tickets of a message", SAME, values![id.0])
        .await?;
    for row in rows {
        erase(conn, TicketId(row.int(0)?), Erased::Redacted, at).await?;
    }
    Ok(())
}

async fn erase_whole(
    conn: &mut Conn,
    changes: &FeedbackChanges,
    what: &Erase,
    at: Millis,
) -> Result<(), StoreError> {
    const CONVERSATION: &str = "SELECT id FROM ticket \
        WHERE workspace = $1 AND conversation = $2 AND erased IS NULL";
    const CONTACT: &str = "SELECT id FROM ticket \
        WHERE workspace = $1 AND contact = $2 AND erased IS NULL";
    let (sql, name) = match what {
        Erase::Conversation => (CONVERSATION, changes.conversation.as_str()),
        Erase::Contact(contact) => (CONTACT, contact.as_str()),
    };
    let args = values![changes.workspace.as_str(), name];
    let rows = conn.rows("looking for tickets to erase", sql, args).await?;
    for row in rows {
        erase(conn, TicketId(row.int(0)?), what.because(), at).await?;
    }
    match what {
        Erase::Conversation => {
            forget::of_conversation(conn, &changes.workspace, &changes.conversation, at).await
        }
        Erase::Contact(contact) => {
            let remote = RemoteContactId::new(contact.as_str());
            contacts::erase::told_of(conn, &changes.workspace, &remote, at).await
        }
    }
}

/// Text, identity, transcript, files, words and what was written down of the text go, and what was
/// told in its conversation. The shell stays: product, tags, times, status.
pub(super) async fn erase(
    conn: &mut Conn,
    id: TicketId,
    because: Erased,
    at: Millis,
) -> Result<(), StoreError> {
    const SHELL: &str = "UPDATE ticket SET title = '', body = '', author = '', email = NULL, \
          contact = NULL, said_by = NULL, company = NULL, company_name = NULL, \
          plan = NULL, own_spend = 0, transcript = '[]', erased = $1, erased_at = $2, version = version + 1 WHERE id = $3";
    const FILES: &str = "DELETE FROM feedback_file WHERE (workspace, conversation, part) IN \
        (SELECT workspace, conversation, part FROM ticket WHERE id = $1)";
    const HISTORY: &str = "UPDATE ticket_history SET detail = '' \
        WHERE ticket = $1 AND what IN ('split', 'labelled', 'unlabelled')";
    const PLACE: &str = "SELECT workspace, conversation, issues_made FROM ticket WHERE id = $1";
    let doing = "erasing a ticket";
    if let Some(row) = conn.rows(doing, PLACE, values![id.0]).await?.first() {
        let workspace = WorkspaceName::new(row.text(0)?);
        let conversation = ConversationId::new(row.text(1)?);
        forget::of_conversation(conn, &workspace, &conversation, at).await?;
        // One more was tried, perhaps.
        for number in 1..=row.int(2)? + 1 {
            forget::of_effect(conn, &issue_key(id, number)).await?;
        }
    }
    let by_word: Vec<Value> = values![because.as_str(), at.0, id.0];
    conn.run(doing, SHELL, by_word).await?;
    conn.run(doing, FILES, values![id.0]).await?;
    conn.run(doing, HISTORY, values![id.0]).await?;
    unindex(conn, id).await?;
    let stands = group::standing(conn, id).await?;
    let stands = stands.and_then(|standing| standing.merged_into);
    regroup(conn, stands.map_or(id, TicketId)).await?;
    let by = if because == Erased::ContactErased {
        BY_US
    } else {
        BY_INTERCOM
    };
    note(conn, id, (by, at), "erased", because.as_str()).await
}

async fn unindex(conn: &mut Conn, id: TicketId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM ticket_text WHERE rowid = $1";
    conn.run("taking a ticket out of the index", SQL, values![id.0])
        .await
        .map(drop)
}

/// A ticket moves along with its issue, and those merged into it with it.
async fn follow(
    conn: &mut Conn,
    id: TicketId,
    status: Status,
    at: Millis,
) -> Result<(), StoreError> {
    let by = ("Jira", at);
    super::triage::move_to(conn, id, status, by).await.map(drop)
}
