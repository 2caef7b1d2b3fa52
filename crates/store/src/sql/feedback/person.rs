//! What becomes of tickets when their person is erased, or is somebody else.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::contacts::remote::tombstone;
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Erased;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::capture::erase;
use super::group::{regroup, standing};
use crate::db::{Conn, values};
use crate::error::StoreError;

/// Was a person erased? What is told of them later makes shells only.
pub(crate) async fn was_erased(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM contact_tombstone WHERE workspace = $1 AND digest = $2";
    let digest = tombstone(workspace.as_str(), &RemoteContactId::new(contact));
    let args = values![workspace.as_str(), digest];
    let rows = conn.rows("looking whether a person was erased", SQL, args);
    Ok(!rows.await?.is_empty())
}

/// Erases what a person said: all tickets of theirs, down to their shells.
pub(crate) async fn erase_of(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "SELECT id FROM ticket \
        WHERE workspace = $1 AND contact = $2 AND erased IS NULL";
    let args = values![workspace.as_str(), contact];
    for row in conn
        .rows("looking for tickets of a person", SQL, args)
        .await?
    {
        erase(conn, TicketId(row.int(0)?), Erased::ContactErased, at).await?;
    }
    Ok(())
}

/// Of two contacts that are one person, the tickets go to the one that stays.
pub(crate) async fn move_to(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    from: &RemoteContactId,
    into: &RemoteContactId,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE ticket SET contact = $3 \
        WHERE workspace = $1 AND contact = $2 RETURNING id";
    let args = values![workspace.as_str(), from.as_str(), into.as_str()];
    for row in conn
        .rows("moving the tickets of a person", SQL, args)
        .await?
    {
        let id = TicketId(row.int(0)?);
        let stands = standing(conn, id).await?;
        let stands = stands.and_then(|standing| standing.merged_into);
        regroup(conn, stands.map_or(id, TicketId)).await?;
    }
    Ok(())
}
