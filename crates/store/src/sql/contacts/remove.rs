//! Removing what was copied, a part at a time. Leaves no tombstones: switched on again, all of it is
//! copied again.

use bowline_domain::contacts::ids::ContactId;
use bowline_domain::contacts::profile::{Edits, Profile};
use bowline_domain::ids::WorkspaceName;

use super::{COMPANY_WORDS, LOCAL, WORDS, read_edits};
use crate::contacts::{Kept, Removed};
use crate::db::{Conn, Value, values};
use crate::error::StoreError;

/// Removes a part: contacts that Intercom knows and that have no feedback, and after them companies
/// that nobody who stays belongs to and no ticket names. Who was in a file loses what Intercom says
/// and stays. What was counted before does not hold then.
pub(crate) async fn copied(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Removed, StoreError> {
    const PART: &str = "SELECT id, edits, imported FROM contact WHERE workspace = $1 AND role <> $2 \
        AND NOT EXISTS (SELECT 1 FROM ticket \
          WHERE ticket.workspace = contact.workspace AND ticket.contact = contact.remote) \
        LIMIT $3";
    let part = conn
        .rows(
            "finding what was copied",
            PART,
            values![workspace.as_str(), LOCAL, limit],
        )
        .await?;
    if part.is_empty() {
        return companies(conn, workspace, limit).await;
    }
    let (mut gone, mut stay) = (Vec::new(), Vec::new());
    for row in &part {
        let id = ContactId(row.int(0)?);
        let profile = Profile {
            edits: read_edits(&row.text(1)?)?,
            ..Profile::default()
        };
        let imported: Edits = read_edits(&row.text_or_null(2)?.unwrap_or_default())?;
        match profile.without_remote(&imported) {
            Some(left) => stay.push((id, left)),
            None => gone.push(id.0),
        }
    }
    contacts(conn, &gone).await?;
    for (id, profile) in &stay {
        let kept = Kept::of(profile, LOCAL, None)?;
        make_local(conn, *id, &kept).await?;
    }
    Ok(Removed {
        contacts: gone.len() as u64,
        kept: stay.len() as u64,
        companies: 0,
    })
}

async fn contacts(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    const MEMBER: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM membership WHERE contact IN (SELECT id FROM v)";
    const ASKED: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact_conflict WHERE contact IN (SELECT id FROM v)";
    const ALIASES: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact_alias WHERE contact IN (SELECT id FROM v)";
    const SQL: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM contact WHERE id IN (SELECT id FROM v)";
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
        .await
        .map(drop)
}

/// Somebody who was in a file is from now on known by it alone, as before Intercom told of them.
/// Their number stays, and numbers that lead to it; the companies are those of who stays.
async fn make_local(conn: &mut Conn, id: ContactId, kept: &Kept) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact SET remote = NULL, role = $2, life = 0, unclear = 0, \
        differs = $3, updated_at = 0, digest = 0, external = $4, email = $5, name = $6, \
        remote_fields = $7, edits = $8 WHERE id = $1";
    const ASKED: &str = "DELETE FROM contact_conflict WHERE contact = $1";
    const NUMBERS: &str = "UPDATE contact_alias SET remote = NULL WHERE contact = $1";
    let args = values![
        id.0,
        LOCAL,
        kept.differs,
        kept.external.as_ref(),
        kept.email.as_ref(),
        &kept.name,
        &kept.remote_fields,
        &kept.edits,
    ];
    conn.run("leaving what was imported", SQL, args).await?;
    conn.run("ending questions about who stays", ASKED, values![id.0])
        .await?;
    conn.run("forgetting ids of who stays", NUMBERS, values![id.0])
        .await?;
    let words = [(id.0, kept.words.clone())];
    WORDS
        .put(conn, "writing the words of contacts", words)
        .await
}

async fn companies(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Removed, StoreError> {
    const PART: &str = "SELECT id FROM company WHERE workspace = $1 \
        AND NOT EXISTS (SELECT 1 FROM membership WHERE membership.workspace = company.workspace \
          AND membership.company = company.remote) \
        AND NOT EXISTS (SELECT 1 FROM ticket WHERE ticket.workspace = company.workspace \
          AND ticket.company = company.remote) \
        LIMIT $2";
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
        return Ok(Removed::default());
    }
    COMPANY_WORDS
        .remove(conn, "removing words of companies", ids.iter().copied())
        .await?;
    let all: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    conn.rows_of_many("removing copied companies", SQL, 1, all)
        .await?;
    Ok(Removed {
        companies: ids.len() as u64,
        ..Removed::default()
    })
}
