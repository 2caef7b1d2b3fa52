//! Who is here and not in Intercom's list: a mending run keeps whom it met, and asks for the others.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId, RunId};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::runs::fenced;
use super::take;
use crate::committer::Writer;
use crate::contacts::{ContactChanges, Phase, Run, Unmet};
use crate::db::{Conn, Value, values};
use crate::error::StoreError;

/// How many of those that were met are forgotten at once, so that no other write waits long.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Keeps who was met.
pub(super) async fn met(conn: &mut Conn, run: RunId, ids: &[String]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_met (run, remote) \
        SELECT v.column1, v.column2 FROM (VALUES {rows}) AS v \
        WHERE v.column2 IS NOT NULL ON CONFLICT DO NOTHING";
    if ids.is_empty() {
        return Ok(());
    }
    let args: Vec<Value> = ids
        .iter()
        .flat_map(|id| values![run.0, id.as_str()])
        .collect();
    conn.rows_of_many("keeping whom a list shows", SQL, 2, args)
        .await
        .map(drop)
}

/// Those that were not met, though they were here before the run began.
pub(crate) async fn unmet(
    conn: &mut Conn,
    run: &Run,
    after: ContactId,
    limit: i64,
) -> Result<Vec<(ContactId, RemoteContactId)>, StoreError> {
    const SQL: &str = "SELECT id, remote FROM contact \
        WHERE workspace = $1 AND life = $2 AND id > $3 AND since < $4 AND remote IS NOT NULL \
          AND NOT EXISTS (SELECT 1 FROM contact_met \
            WHERE contact_met.run = $5 AND contact_met.remote = contact.remote) \
        ORDER BY id LIMIT $6";
    let args = values![
        run.workspace.as_str(),
        Life::Live.code(),
        after.0,
        run.began_at.0,
        run.id.0,
        limit,
    ];
    let rows = conn
        .rows("looking for contacts that a list lacks", SQL, args)
        .await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.int(0)?), RemoteContactId::new(row.text(1)?))))
        .collect()
}

/// Takes in what was found of them, and keeps where the run goes on, together.
pub(crate) async fn take_unmet(
    conn: &mut Conn,
    writer: &Writer,
    (run, workspace): (RunId, &WorkspaceName),
    unmet: &Unmet,
    (at, until): (Millis, Millis),
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact_run SET held_until = $3, waiting = NULL, \
          cursor = COALESCE($4, cursor), requests = requests + $5, updated = updated + $6, \
          phase = CASE WHEN $7 = 1 THEN $8 ELSE phase END \
        WHERE id = $1 AND holder = $2 AND ended_at IS NULL";
    let args = values![
        run.0,
        writer.owner.as_str(),
        until.0,
        unmet.after.map(|after| after.to_string()),
        unmet.requests,
        i64::try_from(unmet.changes.len()).unwrap_or(i64::MAX),
        unmet.last,
        Phase::Counting.as_str(),
    ];
    if conn.run("keeping where a run goes on", SQL, args).await? == 0 {
        return Err(fenced(run));
    }
    let changes = ContactChanges {
        workspace: workspace.clone(),
        changes: unmet.changes.clone(),
        at,
    };
    take::apply(conn, &changes).await
}

/// Forgets some of those that a run met. Answers how many.
pub(crate) async fn forget(conn: &mut Conn, run: RunId) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM contact_met WHERE run = $1 AND remote IN \
        (SELECT remote FROM contact_met WHERE run = $1 LIMIT $2)";
    let args = values![run.0, FORGOTTEN_AT_ONCE];
    conn.run("forgetting whom a list showed", SQL, args).await
}
