//! Taking out what was kept for long enough: what deliveries said and what notes say. The rows
//! stay, so that a delivery or a fact that comes again is still known.

use bowline_domain::effect::Act;
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::Redacted;
use crate::sql::decide::json;

/// Rows that one transaction goes through.
const ROWS_AT_ONCE: i64 = 500;

/// Goes on from `done`, in the order in which rows were made, up to the first that is newer than
/// `before`. What still waits to be decided or settled is passed over; what is in quarantine waits
/// for a person, who had the whole time to look at it.
pub(crate) async fn redact(
    conn: &mut Conn,
    before: Millis,
    done: Redacted,
) -> Result<Redacted, StoreError> {
    let event = redact_events(conn, before, done.event).await?;
    let effect = redact_effects(conn, before, done.effect).await?;
    let attempt = redact_attempts(conn, before, done.attempt).await?;
    redact_talks(conn, before).await?;
    let more = event > done.event || effect > done.effect || attempt > done.attempt;
    Ok(Redacted {
        event,
        effect,
        attempt,
        more,
    })
}

/// What was said in conversations that are closed. While one is active its texts are written whole
/// again and again, so they stay.
async fn redact_talks(conn: &mut Conn, before: Millis) -> Result<(), StoreError> {
    const LINES: &str = "UPDATE line SET body = '' WHERE body <> '' AND written = 1 \
        AND received_at < $1 AND NOT EXISTS (SELECT 1 FROM request \
          WHERE request.account = line.account AND request.end_user = line.end_user \
            AND request.generation = line.generation AND request.live = 1)";
    const OUTBOUND: &str = "UPDATE outbound SET body = '' WHERE body <> '' AND at < $1 \
        AND NOT EXISTS (SELECT 1 FROM request \
          WHERE request.account = outbound.account AND request.end_user = outbound.end_user \
            AND request.generation = outbound.generation AND request.live = 1)";
    conn.run("redacting messages of end users", LINES, values![before.0])
        .await?;
    conn.run(
        "redacting messages to end users",
        OUTBOUND,
        values![before.0],
    )
    .await
    .map(drop)
}

async fn redact_events(conn: &mut Conn, before: Millis, done: i64) -> Result<i64, StoreError> {
    const OLD: &str = "SELECT id, received_at FROM event WHERE id > $1 ORDER BY id LIMIT $2";
    const REDACT: &str =
        "UPDATE event SET body = '' WHERE id > $1 AND id <= $2 AND state <> 0 AND body <> ''";
    let mut reached = done;
    for row in conn
        .rows("reading old events", OLD, values![done, ROWS_AT_ONCE])
        .await?
    {
        if row.int(1)? >= before.0 {
            break;
        }
        reached = row.int(0)?;
    }
    if reached > done {
        conn.run("redacting events", REDACT, values![done, reached])
            .await?;
    }
    Ok(reached)
}

async fn redact_effects(conn: &mut Conn, before: Millis, done: i64) -> Result<i64, StoreError> {
    const OLD: &str = "SELECT id, planned_at, settled_at, act FROM effect \
        WHERE id > $1 ORDER BY id LIMIT $2";
    const REDACT: &str = "UPDATE effect SET act = $1 WHERE id = $2";
    let mut reached = done;
    for row in conn
        .rows("reading old effects", OLD, values![done, ROWS_AT_ONCE])
        .await?
    {
        if row.int(1)? >= before.0 {
            break;
        }
        reached = row.int(0)?;
        if row.int_or_null(2)?.is_none() {
            continue;
        }
        let act: Act = serde_json::from_str(&row.text(3)?)
            .map_err(|error| StoreError::unreadable("an effect", error))?;
        if let Some(act) = act.without_text() {
            let args = values![json(&act)?, reached];
            conn.run("redacting an effect", REDACT, args).await?;
        }
    }
    Ok(reached)
}

/// What attempts asked and were answered. Whether their effect is settled does not matter: it keeps
/// what it is to write, and its next attempt is told of by itself.
async fn redact_attempts(conn: &mut Conn, before: Millis, done: i64) -> Result<i64, StoreError> {
    const OLD: &str = "SELECT id, ended_at FROM attempt WHERE id > $1 ORDER BY id LIMIT $2";
    const REDACT: &str =
        "UPDATE attempt SET calls = NULL WHERE id > $1 AND id <= $2 AND calls IS NOT NULL";
    let mut reached = done;
    for row in conn
        .rows("reading old attempts", OLD, values![done, ROWS_AT_ONCE])
        .await?
    {
        if row.int(1)? >= before.0 {
            break;
        }
        reached = row.int(0)?;
    }
    if reached > done {
        conn.run("redacting attempts", REDACT, values![done, reached])
            .await?;
    }
    Ok(reached)
}
