//! News that people are being told.

use bowline_domain::time::Millis;

use crate::alert::AlertTry;
use crate::db::{Conn, Row, values};
use crate::error::StoreError;

fn read(row: &Row) -> Result<AlertTry, StoreError> {
    Ok(AlertTry {
        name: row.text(0)?,
        works: row.truth(1)?,
        tries: row.int(2)?,
        due_at: Millis(row.int(3)?),
        failure: row.text(4)?,
    })
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<AlertTry>, StoreError> {
    const SQL: &str = "SELECT name, works, tries, due_at, failure FROM alert_try ORDER BY name";
    conn.rows("reading what is being told", SQL, Vec::new())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn take(
    conn: &mut Conn,
    name: &str,
    works: bool,
    now: Millis,
    until: Millis,
) -> Result<Option<AlertTry>, StoreError> {
    const SQL: &str = "INSERT INTO alert_try (name, works, tries, due_at, failure) \
        VALUES ($1,$2,1,$3,'') ON CONFLICT (name) DO UPDATE SET \
        tries = CASE WHEN alert_try.works = $2 THEN alert_try.tries + 1 ELSE 1 END, \
        works = $2, due_at = $3 \
        WHERE alert_try.works <> $2 OR alert_try.due_at <= $4 \
        RETURNING name, works, tries, due_at, failure";
    let args = values![name, works, until.0, now.0];
    let rows = conn.rows("taking news to tell it", SQL, args).await?;
    rows.first().map(read).transpose()
}

pub(crate) async fn failed(conn: &mut Conn, tried: &AlertTry) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE alert_try SET due_at = $1, failure = $2 \
        WHERE name = $3 AND works = $4 AND tries = $5";
    let args = values![
        tried.due_at.0,
        tried.failure.as_str(),
        tried.name.as_str(),
        tried.works,
        tried.tries,
    ];
    conn.run("noting that nobody could be told", SQL, args)
        .await
        .map(drop)
}

pub(crate) async fn remove(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM alert_try WHERE name = $1";
    conn.run("dropping news that was told", SQL, values![name])
        .await
        .map(drop)
}
