//! Erasing: of one person everything.

use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::remote::tombstone;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::WORDS;
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::sql::asked;
use crate::sql::contacts::read;
use crate::sql::contacts::take::locate;
use crate::sql::feedback::person;

/// Deliveries that one transaction goes through.
const EVENTS_AT_ONCE: i64 = 500;

/// Takes a contact's rows out of every table of contacts, but for where others went.
pub(crate) async fn rows(conn: &mut Conn, id: ContactId) -> Result<(), StoreError> {
    const MEMBER: &str = "DELETE FROM membership WHERE contact = $1";
    const SQL: &str = "DELETE FROM contact WHERE id = $1";
    conn.run("leaving all companies", MEMBER, values![id.0])
        .await?;
    WORDS
        .remove(conn, "taking out the words of contacts", [id.0])
        .await?;
    conn.run("removing a contact", SQL, values![id.0])
        .await
        .map(drop)
}

/// Leaves a tombstone. Who was erased by a person here and is deleted at Intercom later has the later
/// time: [`runs::erased_here`](super::runs::erased_here) tells by it who may still be there.
async fn bury(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_tombstone (workspace, digest, at) VALUES ($1,$2,$3) \
        ON CONFLICT (workspace, digest) DO UPDATE SET at = excluded.at";
    let digest = tombstone(workspace.as_str(), remote);
    conn.run(
        "leaving a tombstone",
        SQL,
        values![workspace.as_str(), digest, at.0],
    )
    .await
    .map(drop)
}

/// Erases who is known by an id. A tombstone is left even if nobody is: an event about them may
/// still be on the way. Of one that was merged into somebody else nothing is left but the alias,
/// and the other one stays.
pub(crate) async fn remote(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    let known = locate(conn, workspace, remote).await?;
    bury(conn, workspace, remote, at).await?;
    asked::erase(conn, workspace, remote.as_str()).await?;
    if let Some(id) = known
        && let Some(found) = read::by_id(conn, id).await?
        && found.remote.as_ref() == Some(remote)
    {
        contact(conn, id, at).await?;
    }
    Ok(())
}

/// Erases a contact, and answers by which marks deliveries about it are known.
pub(crate) async fn contact(
    conn: &mut Conn,
    id: ContactId,
    at: Millis,
) -> Result<Option<(WorkspaceName, Vec<String>)>, StoreError> {
    const ALIASES: &str = "DELETE FROM contact_alias WHERE contact = $1";
    const ASKED: &str = "DELETE FROM contact_conflict WHERE contact = $1";
    let Some(known) = read::by_id(conn, id).await? else {
        return Ok(None);
    };
    let mut ids = read::aliases(conn, id).await?;
    ids.extend(
        known
            .remote
            .as_ref()
            .map(|remote| remote.as_str().to_owned()),
    );
    for remote in &ids {
        let remote = RemoteContactId::new(remote.as_str());
        bury(conn, &known.workspace, &remote, at).await?;
        person::erase_of(conn, &known.workspace, remote.as_str(), at).await?;
        asked::erase(conn, &known.workspace, remote.as_str()).await?;
    }
    conn.run("forgetting other ids of a contact", ALIASES, values![id.0])
        .await?;
    conn.run("forgetting who is not clear", ASKED, values![id.0])
        .await?;
    rows(conn, id).await?;
    let mut marks = ids;
    for name in [FieldName::EMAIL, FieldName::PHONE] {
        let text = known.profile.text(name);
        if text.len() >= MARK_BYTES_MIN {
            marks.push(text);
        }
    }
    Ok(Some((known.workspace, marks)))
}

/// The shortest address or number by which deliveries are looked for: a shorter one stands in what
/// is about others.
const MARK_BYTES_MIN: usize = 6;

/// Takes the texts out of deliveries that hold one of the marks; those that still wait keep theirs,
/// and meet the tombstone. Answers how far it came.
pub(crate) async fn payloads(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    marks: &[String],
    after: i64,
) -> Result<Option<i64>, StoreError> {
    const PART: &str = "SELECT id, body, connection FROM event WHERE id > $1 ORDER BY id LIMIT $2";
    const REDACT: &str = "WITH v (id) AS (VALUES {rows}) UPDATE event SET body = '' \
        FROM v WHERE event.id = v.id AND event.state <> 0";
    let part = conn
        .rows(
            "reading deliveries for erasure",
            PART,
            values![after, EVENTS_AT_ONCE],
        )
        .await?;
    let ours = bowline_domain::connection::Connection::Workspace(workspace.clone()).key();
    let (mut last, mut found) = (None, Vec::new());
    for row in &part {
        let (id, body) = (row.int(0)?, row.text(1)?);
        last = Some(id);
        // Ids are unique in their workspace only; addresses and numbers are the person's anywhere.
        let from_ours = row.text(2)? == ours;
        let holds = |mark: &&String| {
            (from_ours || mark.contains('@') || mark.starts_with('+'))
                && body.contains(mark.as_str())
        };
        if !body.is_empty() && marks.iter().any(|mark| holds(&mark)) {
            found.push(Value::from(id));
        }
    }
    conn.rows_of_many("erasing what deliveries say", REDACT, 1, found)
        .await?;
    if let Some(last) = last {
        attempts(conn, &ours, marks, (after, last)).await?;
    }
    Ok(last)
}

/// Takes out what attempts asked and were answered, of the effects of these deliveries, where it
/// holds one of the marks.
async fn attempts(
    conn: &mut Conn,
    ours: &str,
    marks: &[String],
    (after, last): (i64, i64),
) -> Result<(), StoreError> {
    const CALLS: &str = "SELECT attempt.id, attempt.calls, effect.connection FROM effect \
        JOIN attempt ON attempt.effect = effect.id \
        WHERE effect.event > $1 AND effect.event <= $2 AND attempt.calls IS NOT NULL";
    const REDACT: &str = "WITH v (id) AS (VALUES {rows}) UPDATE attempt SET calls = NULL \
        FROM v WHERE attempt.id = v.id";
    let mut found = Vec::new();
    for row in conn
        .rows("reading attempts for erasure", CALLS, values![after, last])
        .await?
    {
        let (calls, from_ours) = (row.text(1)?, row.text(2)? == ours);
        let holds = |mark: &String| {
            (from_ours || mark.contains('@') || mark.starts_with('+'))
                && calls.contains(mark.as_str())
        };
        if marks.iter().any(holds) {
            found.push(Value::from(row.int(0)?));
        }
    }
    conn.rows_of_many("erasing what attempts said", REDACT, 1, found)
        .await
        .map(drop)
}
