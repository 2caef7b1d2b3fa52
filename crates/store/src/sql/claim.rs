//! Claiming lanes that are due.

use bowline_domain::ids::LaneKey;
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::{LaneKind, Lease};
use crate::sql::lanes::LEASE_MS;

/// Lanes of connections that do not work wait, whatever they are due.
const WORKING: &str =
    "connection NOT IN (SELECT key FROM connection WHERE health IN ('broken', 'limited'))";

/// Is a lane due that nobody holds?
pub(crate) async fn any_due(
    conn: &mut Conn,
    kind: LaneKind,
    now: Millis,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 FROM lane WHERE kind = $1 AND pending > 0 AND due_at <= $2 \
         AND lease_until <= $3 AND {WORKING} LIMIT 1"
    );
    let args = values![kind.code(), now.0, now.0];
    Ok(!conn.rows("looking for due lanes", &sql, args).await?.is_empty())
}

/// Takes up to `limit` lanes that are due, the longest due first.
pub(crate) async fn claim(
    conn: &mut Conn,
    (owner, token): (&str, i64),
    kind: LaneKind,
    limit: i64,
    now: Millis,
) -> Result<Vec<Lease>, StoreError> {
    let sql = format!(
        "UPDATE lane SET owner = $1, token = $2, lease_until = $3 \
         WHERE key IN (SELECT key FROM lane WHERE kind = $4 AND pending > 0 AND due_at <= $5 \
           AND lease_until <= $6 AND {WORKING} ORDER BY due_at LIMIT $7 {}) \
         RETURNING key",
        conn.dialect().skip_locked()
    );
    let until = now.plus_ms(LEASE_MS).0;
    let args = values![owner, token, until, kind.code(), now.0, now.0, limit];
    conn.rows("claiming lanes", &sql, args)
        .await?
        .iter()
        .map(|row| Ok(Lease { lane: LaneKey::stored(row.text(0)?), token }))
        .collect()
}
