//! Erasing: of one person everything, of what was copied what nobody needs.

use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::remote::tombstone;
use bowline_domain::ids::{LaneKey, WorkspaceName};
use bowline_domain::time::Millis;

use super::{LOCAL, WORDS};
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::forget::Mark;
use crate::sql::asked;
use crate::sql::contacts::read;
use crate::sql::contacts::take::locate;
use crate::sql::feedback::person;
use crate::sql::forget;

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
    told_of(conn, workspace, remote, at).await?;
    asked::erase(conn, workspace, remote.as_str()).await?;
    if let Some(id) = known
        && let Some(found) = read::by_id(conn, id).await?
        && found.remote.as_ref() == Some(remote)
    {
        contact(conn, id, at).await?;
    }
    Ok(())
}

/// Erases a contact, and has gone what deliveries said of them. False if there is none.
pub(crate) async fn contact(
    conn: &mut Conn,
    id: ContactId,
    at: Millis,
) -> Result<bool, StoreError> {
    const ALIASES: &str = "DELETE FROM contact_alias WHERE contact = $1";
    const ASKED: &str = "DELETE FROM contact_conflict WHERE contact = $1";
    let Some(known) = read::by_id(conn, id).await? else {
        return Ok(false);
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
        told_of(conn, &known.workspace, &remote, at).await?;
        person::erase_of(conn, &known.workspace, remote.as_str(), at).await?;
        asked::erase(conn, &known.workspace, remote.as_str()).await?;
    }
    conn.run("forgetting other ids of a contact", ALIASES, values![id.0])
        .await?;
    conn.run("forgetting who is not clear", ASKED, values![id.0])
        .await?;
    rows(conn, id).await?;
    let marks = [FieldName::EMAIL, FieldName::PHONE].map(|name| known.profile.text(name));
    let marks = marks
        .into_iter()
        .filter(|text| text.len() >= MARK_BYTES_MIN);
    let marks: Vec<Mark> = marks.map(Mark::Text).collect();
    forget::remember(conn, &known.workspace, &marks, at).await?;
    Ok(true)
}

/// What deliveries said of somebody goes, as far as they are known by the id.
pub(crate) async fn told_of(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    let lane = LaneKey::contact_events(workspace, remote);
    let marks = vec![Mark::Text(remote.as_str().to_owned())];
    forget::of_lane(conn, workspace, (&lane, marks), at).await
}

/// The shortest address or number by which deliveries are looked for: a shorter one stands in what
/// is about others.
const MARK_BYTES_MIN: usize = 6;

/// Removes a part of what was copied: contacts that Intercom knows and that have no feedback, and
/// after them the companies. Leaves no tombstones: switched on again, all of it is copied again. What
/// was counted before does not hold then.
pub(crate) async fn copied(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<u64, StoreError> {
    const PART: &str = "SELECT id FROM contact WHERE workspace = $1 AND role <> $2 \
        AND NOT EXISTS (SELECT 1 FROM ticket \
          WHERE ticket.workspace = contact.workspace AND ticket.contact = contact.remote) \
        LIMIT $3";
    const MEMBER: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM membership WHERE contact IN (SELECT id FROM v)";
    const ASKED: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact_conflict WHERE contact IN (SELECT id FROM v)";
    const ALIASES: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact_alias WHERE contact IN (SELECT id FROM v)";
    const SQL: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact WHERE id IN (SELECT id FROM v)";
    let part = conn
        .rows(
            "finding what was copied",
            PART,
            values![workspace.as_str(), LOCAL, limit],
        )
        .await?;
    let ids: Result<Vec<i64>, StoreError> = part.iter().map(|row| row.int(0)).collect();
    let ids = ids?;
    if ids.is_empty() {
        return copied_companies(conn, workspace, limit).await;
    }
    let all: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    conn.rows_of_many("removing copied memberships", MEMBER, 1, all.clone())
        .await?;
    conn.rows_of_many("removing copied questions", ASKED, 1, all.clone())
        .await?;
    conn.rows_of_many("removing copied aliases", ALIASES, 1, all.clone())
        .await?;
    WORDS
        .remove(conn, "removing copied words", ids.iter().copied())
        .await?;
    conn.rows_of_many("removing copied contacts", SQL, 1, all)
        .await?;
    Ok(ids.len() as u64)
}

async fn copied_companies(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<u64, StoreError> {
    const PART: &str = "SELECT id FROM company WHERE workspace = $1 LIMIT $2";
    const COUNTS: &str = "UPDATE contact_sync SET ours = NULL, theirs = NULL, counted_at = NULL \
        WHERE workspace = $1";
    const SQL: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM company WHERE id IN (SELECT id FROM v)";
    let part = conn
        .rows(
            "finding copied companies",
            PART,
            values![workspace.as_str(), limit],
        )
        .await?;
    let ids: Result<Vec<i64>, StoreError> = part.iter().map(|row| row.int(0)).collect();
    let ids = ids?;
    if ids.is_empty() {
        let args = values![workspace.as_str()];
        conn.run("forgetting what was counted", COUNTS, args)
            .await?;
        return Ok(0);
    }
    super::COMPANY_WORDS
        .remove(conn, "removing words of companies", ids.iter().copied())
        .await?;
    let all: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    conn.rows_of_many("removing copied companies", SQL, 1, all)
        .await?;
    Ok(ids.len() as u64)
}
