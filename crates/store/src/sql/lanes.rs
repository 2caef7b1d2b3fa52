//! Lanes: enqueue, finish an item, postpone, renew.

use std::collections::{BTreeMap, HashMap};

use bowline_domain::ids::LaneKey;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, Value, chunks, values, with_rows};
use crate::error::StoreError;
use crate::model::{LaneKind, Lease};

/// How long a lane is held without being renewed. Longer than any remote call's deadline, so that
/// a lane is not taken over while a call of a live worker is under way.
pub(crate) const LEASE_MS: i64 = 60_000;

/// Items that are put into one lane.
pub(crate) struct Enqueue {
    pub(crate) kind: LaneKind,
    pub(crate) connection: String,
    pub(crate) items: i64,
    pub(crate) at: Millis,
    /// Take the lane if it is idle.
    pub(crate) take: bool,
}

/// Counts new items into their lanes and takes those that are idle and wanted. Lanes are touched
/// in the order of their keys, so that two replicas do not lock each other out.
pub(crate) async fn enqueue(
    conn: &mut Conn,
    writer: &Writer,
    lanes: &BTreeMap<LaneKey, Enqueue>,
) -> Result<HashMap<LaneKey, Lease>, StoreError> {
    const SQL: &str = "INSERT INTO lane \
        (key, kind, connection, pending, due_at, owner, token, lease_until, failures) \
        VALUES {rows} \
        ON CONFLICT (key) DO UPDATE SET \
          pending = lane.pending + excluded.pending, \
          connection = excluded.connection, \
          owner = CASE WHEN lane.pending = 0 THEN excluded.owner ELSE lane.owner END, \
          token = CASE WHEN lane.pending = 0 THEN excluded.token ELSE lane.token END, \
          lease_until = CASE WHEN lane.pending = 0 THEN excluded.lease_until \
            ELSE lane.lease_until END, \
          due_at = CASE WHEN lane.pending = 0 THEN excluded.due_at ELSE lane.due_at END \
        RETURNING key, token";
    let mut proposed = HashMap::new();
    let mut leases = HashMap::new();
    let rows: Vec<(&LaneKey, &Enqueue)> = lanes.iter().collect();
    for chunk in chunks(&rows) {
        let mut args = Vec::with_capacity(chunk.len() * 9);
        for (key, lane) in chunk {
            let (owner, token, until) = if lane.take {
                let token = writer.token();
                proposed.insert(token, ());
                (writer.owner.as_str(), token, lane.at.plus_ms(LEASE_MS).0)
            } else {
                ("", 0, 0)
            };
            args.extend(values![
                key.as_str(),
                lane.kind.code(),
                lane.connection.as_str(),
                lane.items,
                lane.at.0,
                owner,
                token,
                until,
                0
            ]);
        }
        let sql = with_rows(SQL, chunk.len(), 9);
        for row in conn.rows("putting work into lanes", &sql, args).await? {
            let token = row.int(1)?;
            if token != 0 && proposed.contains_key(&token) {
                let lane = LaneKey::stored(row.text(0)?);
                leases.insert(lane.clone(), Lease { lane, token });
            }
        }
    }
    Ok(leases)
}

/// Counts one item out of each lane that is still held under its lease. Returns how many items are
/// left in each; a lane that is missing from the answer was taken over. An empty lane is let go.
pub(crate) async fn finish_held(
    conn: &mut Conn,
    writer: &Writer,
    leases: &[&Lease],
) -> Result<HashMap<LaneKey, i64>, StoreError> {
    const SQL: &str = "WITH v (key, token, owner) AS (VALUES {rows}) \
        UPDATE lane SET \
          pending = lane.pending - 1, \
          owner = CASE WHEN lane.pending <= 1 THEN '' ELSE lane.owner END, \
          token = CASE WHEN lane.pending <= 1 THEN 0 ELSE lane.token END, \
          lease_until = CASE WHEN lane.pending <= 1 THEN 0 ELSE lane.lease_until END, \
          due_at = CASE WHEN lane.pending <= 1 THEN 9223372036854775807 ELSE lane.due_at END, \
          failures = 0 \
        FROM v WHERE lane.key = v.key AND lane.token = v.token AND lane.owner = v.owner \
        RETURNING key, pending";
    let mut sorted = leases.to_vec();
    sorted.sort_by(|a, b| a.lane.cmp(&b.lane));
    let mut left = HashMap::new();
    for chunk in chunks(&sorted) {
        let args = chunk
            .iter()
            .flat_map(|lease| values![lease.lane.as_str(), lease.token, writer.owner.as_str()])
            .collect();
        let sql = with_rows(&returning_own(conn, SQL), chunk.len(), 3);
        for row in conn.rows("finishing work in lanes", &sql, args).await? {
            left.insert(LaneKey::stored(row.text(0)?), row.int(1)?);
        }
    }
    Ok(left)
}

/// PostgreSQL wants to know whose `key` is returned where `v` has one too; SQLite returns the
/// updated table's columns only and knows no other.
fn returning_own(conn: &Conn, sql: &str) -> String {
    match conn.dialect() {
        crate::db::Dialect::Sqlite => sql.to_owned(),
        crate::db::Dialect::Postgres => {
            sql.replace("RETURNING key, pending", "RETURNING lane.key, lane.pending")
        }
    }
}

/// Counts an item out of a lane whoever holds it, and lets an empty lane go.
pub(crate) async fn finish_any(conn: &mut Conn, lane: &LaneKey) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE lane SET \
          pending = pending - 1, \
          owner = CASE WHEN pending <= 1 THEN '' ELSE owner END, \
          token = CASE WHEN pending <= 1 THEN 0 ELSE token END, \
          lease_until = CASE WHEN pending <= 1 THEN 0 ELSE lease_until END, \
          due_at = CASE WHEN pending <= 1 THEN 9223372036854775807 ELSE due_at END \
        WHERE key = $1 AND pending > 0";
    conn.run("finishing work in a lane", SQL, values![lane.as_str()]).await.map(drop)
}

/// Lets a lane go until `due_at`.
pub(crate) async fn postpone(
    conn: &mut Conn,
    lease: &Lease,
    due_at: Millis,
    failed: bool,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0, due_at = $1, \
        failures = CASE WHEN $2 = 1 THEN failures + 1 ELSE failures END \
        WHERE key = $3 AND token = $4";
    let failed = i64::from(failed);
    let args = values![due_at.0, failed, lease.lane.as_str(), lease.token];
    conn.run("letting a lane go", SQL, args).await.map(drop)
}

/// Keeps every lane that this process holds.
pub(crate) async fn renew(conn: &mut Conn, owner: &str, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE lane SET lease_until = $1 WHERE owner = $2";
    conn.run("keeping lanes", SQL, values![now.plus_ms(LEASE_MS).0, owner]).await
}

/// Frees every lane, whoever held it: right after the start of the only process.
pub(crate) async fn free_all(conn: &mut Conn) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0 WHERE owner <> ''";
    conn.run("freeing lanes", SQL, Vec::new()).await
}

/// Frees the lanes of one process: when it ends.
pub(crate) async fn free_own(conn: &mut Conn, owner: &str) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0 WHERE owner = $1";
    conn.run("freeing lanes", SQL, values![owner]).await
}

/// Makes the waiting lanes of a connection due now: after it was mended.
pub(crate) async fn hasten(
    conn: &mut Conn,
    connection: &str,
    now: Millis,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE lane SET due_at = $1, failures = 0 \
        WHERE connection = $2 AND pending > 0 AND owner = ''";
    conn.run("hastening lanes", SQL, values![now.0, connection]).await
}

/// `($1,$2,…)` for an `IN`, and the values for it.
pub(crate) fn key_list(keys: &[&LaneKey]) -> (String, Vec<Value>) {
    let list = crate::db::placeholders(1, keys.len());
    (list, keys.iter().map(|key| Value::from(key.as_str())).collect())
}
