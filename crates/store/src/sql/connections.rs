//! Connections and their health.

use bowline_domain::connection::{Connection, Health};
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::model::ConnectionRecord;

const COLUMNS: &str =
    "key, health, reason, since, remote_id, actor_id, checked_at, webhook_seen_at";

fn read(row: &Row) -> Result<ConnectionRecord, StoreError> {
    let key = row.text(0)?;
    Ok(ConnectionRecord {
        connection: Connection::from_key(&key)
            .ok_or_else(|| StoreError::unreadable("a connection", &key))?,
        health: Health::from_word(&row.text(1)?),
        reason: row.text_or_null(2)?,
        since: Millis(row.int(3)?),
        remote_id: row.text_or_null(4)?,
        actor_id: row.text_or_null(5)?,
        checked_at: row.int_or_null(6)?.map(Millis),
        webhook_seen_at: row.int_or_null(7)?.map(Millis),
    })
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<ConnectionRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM connection ORDER BY key");
    conn.rows("reading connections", &sql, Vec::new())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn put(conn: &mut Conn, record: &ConnectionRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO connection \
        (key, health, reason, since, remote_id, actor_id, checked_at, webhook_seen_at) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8) \
        ON CONFLICT (key) DO UPDATE SET health = excluded.health, reason = excluded.reason, \
          since = excluded.since, remote_id = excluded.remote_id, actor_id = excluded.actor_id, \
          checked_at = excluded.checked_at";
    let args = values![
        record.connection.key(),
        record.health.as_str(),
        record.reason.clone(),
        record.since.0,
        record.remote_id.clone(),
        record.actor_id.clone(),
        record.checked_at.map(|at| at.0),
        record.webhook_seen_at.map(|at| at.0),
    ];
    conn.run("recording a connection", SQL, args)
        .await
        .map(drop)
}

pub(crate) async fn webhook_seen(
    conn: &mut Conn,
    connection: &Connection,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE connection SET webhook_seen_at = $1 WHERE key = $2";
    conn.run("recording a webhook", SQL, values![at.0, connection.key()])
        .await
        .map(drop)
}
