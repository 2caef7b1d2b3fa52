//! What was configured on the pages.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::settings::{Resealed, SettingChange, SettingRow, Stored};
use crate::sql::audit;

fn read(row: &Row) -> Result<SettingRow, StoreError> {
    Ok(SettingRow {
        kind: row.text(0)?,
        name: row.text(1)?,
        version: row.int(2)?,
        body: row.text(3)?,
        sealed: row.text_or_null(4)?,
        sealed_by: row.text_or_null(5)?,
        changed_at: Millis(row.int(6)?),
        changed_by: row.text(7)?,
    })
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<SettingRow>, StoreError> {
    const SQL: &str = "SELECT kind, name, version, body, sealed, sealed_by, changed_at, changed_by \
        FROM setting ORDER BY kind, name";
    conn.rows("reading settings", SQL, Vec::new())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn changes(conn: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT changes FROM setting_count WHERE one = 1";
    let rows = conn.rows("counting settings", SQL, Vec::new()).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// Counts one more change. Whoever counts holds the row to the end of the transaction, so that
/// changes are made one after the other.
async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    const SQL: &str = "UPDATE setting_count SET changes = changes + 1 WHERE one = 1 \
        RETURNING changes";
    let rows = conn
        .rows("counting a change of settings", SQL, Vec::new())
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// Makes or changes a row, if it still has the version that the change was made from.
pub(crate) async fn put(
    conn: &mut Conn,
    change: &SettingChange,
    entry: &AuditEntry,
) -> Result<Stored, StoreError> {
    const ADD: &str = "INSERT INTO setting \
        (kind, name, version, body, sealed, sealed_by, changed_at, changed_by) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (kind, name) DO NOTHING";
    const CHANGE: &str = "UPDATE setting SET version = $3, body = $4, sealed = $5, sealed_by = $6, \
        changed_at = $7, changed_by = $8 WHERE kind = $1 AND name = $2 AND version = $9";
    let version = count(conn).await?;
    let mut args = values![
        change.kind.as_str(),
        change.name.as_str(),
        version,
        change.body.as_str(),
        change.sealed.clone(),
        change.sealed_by.clone(),
        entry.at.0,
        entry.who.as_str(),
    ];
    let written = match change.from {
        None => conn.run("adding a setting", ADD, args).await?,
        Some(from) => {
            args.extend(values![from]);
            conn.run("changing a setting", CHANGE, args).await?
        }
    };
    if written == 0 {
        return Ok(Stored::Overtaken);
    }
    audit::add(conn, entry).await?;
    Ok(Stored::Done { version })
}

/// Removes a row, if it still has this version.
pub(crate) async fn remove(
    conn: &mut Conn,
    kind: &str,
    name: &str,
    from: i64,
    entry: &AuditEntry,
) -> Result<Stored, StoreError> {
    const SQL: &str = "DELETE FROM setting WHERE kind = $1 AND name = $2 AND version = $3";
    let version = count(conn).await?;
    let removed = conn
        .run("removing a setting", SQL, values![kind, name, from])
        .await?;
    if removed == 0 {
        return Ok(Stored::Overtaken);
    }
    audit::add(conn, entry).await?;
    Ok(Stored::Done { version })
}

/// Replaces the sealed secrets of a row by the same under another key. Not a change of what is
/// configured: the version stays.
pub(crate) async fn reseal(conn: &mut Conn, row: &Resealed) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE setting SET sealed = $1, sealed_by = $2 \
        WHERE kind = $3 AND name = $4 AND version = $5";
    let args = values![
        row.sealed.as_str(),
        row.sealed_by.as_str(),
        row.kind.as_str(),
        row.name.as_str(),
        row.version,
    ];
    Ok(conn.run("sealing a secret anew", SQL, args).await? > 0)
}
