//! Claiming lanes that are due.

use bowline_domain::ids::LaneKey;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::{LaneKind, Lease};
use crate::sql::lanes::{LEASE_MS, WAITS};

/// Lanes of connections that do not work wait, whatever they are due. Not the events of a channel
/// account: to plan them nothing is asked of the provider.
const WORKING: &str = "(connection NOT IN \
       (SELECT key FROM connection WHERE health IN ('broken', 'limited')) \
     OR (kind = 0 AND connection LIKE 'account/%'))";

/// Is a lane due that nobody holds?
pub(crate) async fn any_due(
    conn: &mut Conn,
    kind: LaneKind,
    now: Millis,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 FROM lane WHERE kind = $1 AND {WAITS} AND due_at <= $2 \
         AND lease_until <= $3 AND {WORKING} LIMIT 1"
    );
    let args = values![kind.code(), now.0, now.0];
    Ok(!conn
        .rows("looking for due lanes", &sql, args)
        .await?
        .is_empty())
}

/// Takes up to `limit` lanes that are due: those that have been due for longest. They come in no
/// particular order.
pub(crate) async fn claim(
    conn: &mut Conn,
    writer: &Writer,
    kind: LaneKind,
    limit: i64,
    now: Millis,
) -> Result<Vec<Lease>, StoreError> {
    // The list of keys is made once: a plain sub-select might be run anew for every row, and each
    // run would skip what the one before locked.
    let sql = format!(
        "WITH due AS MATERIALIZED ( \
           SELECT key FROM lane WHERE kind = $4 AND {WAITS} AND due_at <= $5 \
             AND lease_until <= $6 AND {WORKING} ORDER BY due_at LIMIT $7 {}) \
         UPDATE lane SET owner = $1, token = $2, lease_until = $3 \
         WHERE key IN (SELECT key FROM due) RETURNING key",
        conn.dialect().skip_locked()
    );
    let until = now.plus_ms(LEASE_MS).0;
    let token = writer.token();
    let args = values![
        writer.owner.as_str(),
        token,
        until,
        kind.code(),
        now.0,
        now.0,
        limit
    ];
    conn.rows("claiming lanes", &sql, args)
        .await?
        .iter()
        .map(|row| {
            Ok(Lease {
                lane: LaneKey::stored(row.text(0)?),
                token,
            })
        })
        .collect()
}
