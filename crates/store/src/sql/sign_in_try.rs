//! Tries to sign in that have not succeeded.

use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::sign_in_try::{Tried, TryLimit, TryName};

/// How long nobody may try under this name, in milliseconds, and how many tries there were.
async fn counted(
    conn: &mut Conn,
    name: &TryName,
    since: i64,
    now: Millis,
) -> Result<(i64, i64), StoreError> {
    const SQL: &str =
        "SELECT at FROM sign_in_try WHERE name = $1 AND at > $2 ORDER BY at DESC LIMIT $3";
    let args = values![name.name.as_str(), since, name.max];
    let rows = conn.rows("counting tries to sign in", SQL, args).await?;
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let wait = match rows.last() {
        // Free again when so many are old that fewer than the maximum are left.
        Some(oldest) if count >= name.max => oldest.int(0)? - since,
        _ => 0,
    };
    // A clock that was set back must not lock anybody out for longer.
    Ok((wait.min(now.0 - since), count))
}

pub(crate) async fn take(
    conn: &mut Conn,
    names: &[TryName],
    limit: TryLimit,
    now: Millis,
) -> Result<Tried, StoreError> {
    const OLD: &str = "DELETE FROM sign_in_try WHERE at <= $1";
    const ADD: &str = "INSERT INTO sign_in_try (name, at) VALUES ($1,$2) RETURNING id";
    const SURPLUS: &str = "DELETE FROM sign_in_try WHERE id <= $1";
    let since = now.0 - limit.counted_ms;
    conn.run("dropping old tries to sign in", OLD, values![since])
        .await?;
    let (mut wait, mut last) = (0, false);
    for name in names {
        let (waits, count) = counted(conn, name, since, now).await?;
        wait = wait.max(waits);
        last |= count + 1 >= name.max;
    }
    if wait > 0 {
        return Ok(Tried::Wait(wait));
    }
    let mut rows = Vec::new();
    for name in names {
        let args = values![name.name.as_str(), now.0];
        let added = conn.rows("noting a try to sign in", ADD, args).await?;
        if let Some(row) = added.first() {
            rows.push(row.int(0)?);
        }
    }
    if let Some(newest) = rows.last() {
        let args = values![newest - limit.rows_max];
        conn.run("dropping surplus tries to sign in", SURPLUS, args)
            .await?;
    }
    Ok(Tried::Taken { rows, last })
}

pub(crate) async fn succeeded(
    conn: &mut Conn,
    rows: &[i64],
    forgotten: &str,
) -> Result<(), StoreError> {
    const ONE: &str = "DELETE FROM sign_in_try WHERE id = $1";
    const NAMED: &str = "DELETE FROM sign_in_try WHERE name = $1";
    for row in rows {
        conn.run("dropping a try that succeeded", ONE, values![*row])
            .await?;
    }
    conn.run(
        "forgetting tries to sign in",
        NAMED,
        values![forgotten.to_owned()],
    )
    .await
    .map(drop)
}
