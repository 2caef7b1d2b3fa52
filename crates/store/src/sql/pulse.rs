//! How all is going: queues, what was done, what goes wrong.

use bowline_domain::connection::Connection;
use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::time::Millis;

use crate::browse::{Day, Failing, Pace, Queue, Trouble};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::model::LaneKind;
use crate::sql::deliveries::{first_since, read_connection};
use crate::sql::lanes::WAITS;

/// Causes that are told apart at most; what is rarer is left out.
const CAUSES_MAX: i64 = 50;

fn read_kind(code: i64) -> LaneKind {
    if code == LaneKind::Events.code() {
        LaneKind::Events
    } else {
        LaneKind::Effects
    }
}

pub(crate) async fn queues(conn: &mut Conn) -> Result<Vec<Queue>, StoreError> {
    let sql = format!(
        "SELECT connection, kind, CAST(SUM(pending) AS BIGINT) FROM lane \
         WHERE {WAITS} GROUP BY connection, kind ORDER BY connection, kind"
    );
    let rows = conn.rows("measuring the queues", &sql, Vec::new()).await?;
    rows.iter()
        .map(|row| {
            Ok(Queue {
                connection: read_connection(&row.text(0)?)?,
                kind: read_kind(row.int(1)?),
                waiting: row.int(2)?,
            })
        })
        .collect()
}

pub(crate) async fn oldest_effect(conn: &mut Conn) -> Result<Option<Millis>, StoreError> {
    const SQL: &str = "SELECT MIN(planned_at) FROM effect WHERE state IN (0, 1, 4)";
    let rows = conn
        .rows("reading the oldest effect", SQL, Vec::new())
        .await?;
    let oldest = rows.first().map_or(Ok(None), |row| row.int_or_null(0))?;
    Ok(oldest.map(Millis))
}

/// How the time of the next row from a number on is read, of attempts.
const ATTEMPTS: (&str, &str) = (
    "finding attempts by time",
    "SELECT id, started_at FROM attempt WHERE id >= $1 ORDER BY id LIMIT 1",
);

pub(crate) async fn pace(
    conn: &mut Conn,
    connection: &Connection,
    since: Millis,
    now: Millis,
) -> Result<Pace, StoreError> {
    // A lane that is due later and did not fail waits on purpose: for more that belongs together,
    // or for its time.
    // Found by the index of what waits, not by that of all deliveries of a connection.
    const EVENT: &str = "SELECT MIN(event.received_at) FROM event \
        JOIN lane ON lane.key = event.lane \
        WHERE event.state = 0 AND event.connection || '' = $1 \
          AND (lane.due_at <= $2 OR lane.failures > 0)";
    const EFFECT: &str = "SELECT MIN(effect.planned_at) FROM effect \
        JOIN lane ON lane.key = effect.lane \
        WHERE effect.state IN (0, 1, 4) AND effect.connection = $1 \
          AND (lane.due_at <= $2 OR lane.failures > 0)";
    const LAST: &str = "SELECT id FROM attempt ORDER BY id DESC LIMIT 1";
    const COUNT: &str = "SELECT COUNT(*), \
          CAST(COALESCE(SUM(CASE WHEN attempt.outcome IN ('confirmed', 'dropped') THEN 0 ELSE 1 END), 0) \
            AS BIGINT) \
        FROM attempt JOIN effect ON effect.id = attempt.effect \
        WHERE attempt.id >= $1 AND attempt.started_at >= $2 AND effect.connection = $3";
    let key = connection.key();
    let mut oldest: Option<i64> = None;
    for (doing, sql) in [
        ("reading the oldest event of a connection", EVENT),
        ("reading the oldest effect of a connection", EFFECT),
    ] {
        let rows = conn.rows(doing, sql, values![key.as_str(), now.0]).await?;
        let found = rows.first().map_or(Ok(None), |row| row.int_or_null(0))?;
        oldest = oldest.into_iter().chain(found).min();
    }
    let rows = conn
        .rows("finding the latest attempt", LAST, Vec::new())
        .await?;
    let last = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let first = first_since(conn, since, last, ATTEMPTS).await?;
    let args = values![first, since.0, key.as_str()];
    let rows = conn.rows("counting attempts", COUNT, args).await?;
    let count = |at| rows.first().map_or(Ok(0), |row| row.int(at));
    Ok(Pace {
        oldest_at: oldest.map(Millis),
        attempts: count(0)?,
        failed: count(1)?,
    })
}

/// How the time of the next row from a number on is read, of effects.
const EFFECTS: (&str, &str) = (
    "finding effects by time",
    "SELECT id, planned_at FROM effect WHERE id >= $1 ORDER BY id LIMIT 1",
);

pub(crate) async fn days(
    conn: &mut Conn,
    since: Millis,
    offset_ms: i64,
) -> Result<Vec<Day>, StoreError> {
    const LAST: &str = "SELECT id FROM effect ORDER BY id DESC LIMIT 1";
    // The key of an effect begins with its kind.
    const COUNT: &str = "SELECT (settled_at + $1) / 86400000, \
          CAST(SUM(CASE WHEN key LIKE 'note/%' THEN 1 ELSE 0 END) AS BIGINT), \
          CAST(SUM(CASE WHEN key LIKE 'reopen/%' THEN 1 ELSE 0 END) AS BIGINT) \
        FROM effect WHERE id >= $2 AND state = 2 AND settled_at >= $3 \
        GROUP BY 1 ORDER BY 1";
    let rows = conn
        .rows("finding the latest effect", LAST, Vec::new())
        .await?;
    let last = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let first = first_since(conn, since, last, EFFECTS).await?;
    let args = values![offset_ms, first, since.0];
    let rows = conn.rows("counting by day", COUNT, args).await?;
    rows.iter()
        .map(|row| {
            Ok(Day {
                day: row.int(0)?,
                notes: row.int(1)?,
                reopens: row.int(2)?,
            })
        })
        .collect()
}

/// Reads connection, cause, count, affected, first, last and event.
fn read_trouble(row: &Row) -> Result<Trouble, StoreError> {
    Ok(Trouble {
        connection: read_connection(&row.text(0)?)?,
        cause: row.text_or_null(1)?.unwrap_or_default(),
        count: row.int(2)?,
        affected: row.int(3)?,
        first_at: Millis(row.int(4)?),
        last_at: Millis(row.int(5)?),
        event: EventId(row.int(6)?),
    })
}

pub(crate) async fn quarantined(conn: &mut Conn) -> Result<Vec<Trouble>, StoreError> {
    const SQL: &str = "SELECT connection, outcome, COUNT(*), COUNT(DISTINCT lane), \
          MIN(received_at), MAX(received_at), MAX(id) \
        FROM event WHERE state = 2 GROUP BY connection, outcome \
        ORDER BY COUNT(*) DESC, connection, outcome LIMIT $1";
    let rows = conn
        .rows("grouping quarantine", SQL, values![CAUSES_MAX])
        .await?;
    rows.iter().map(read_trouble).collect()
}

pub(crate) async fn rejected(conn: &mut Conn, since: Millis) -> Result<Vec<Trouble>, StoreError> {
    // Tallies are a problem of their own, which ends when they are in step.
    const SQL: &str = "SELECT connection, reason, COUNT(*), COUNT(DISTINCT lane), \
          MIN(settled_at), MAX(settled_at), MAX(event) \
        FROM effect WHERE state = 3 AND settled_at >= $1 AND key NOT LIKE 'tally/%' GROUP BY connection, reason \
        ORDER BY COUNT(*) DESC, connection, reason LIMIT $2";
    let rows = conn
        .rows("grouping refusals", SQL, values![since.0, CAUSES_MAX])
        .await?;
    rows.iter().map(read_trouble).collect()
}

pub(crate) async fn doubtful(conn: &mut Conn) -> Result<Vec<Trouble>, StoreError> {
    // The first condition is that of the index.
    const SQL: &str = "SELECT connection, '', COUNT(*), COUNT(DISTINCT lane), \
          MIN(planned_at), MAX(planned_at), MAX(event) \
        FROM effect WHERE state IN (0, 1, 4) AND state = 4 GROUP BY connection \
        ORDER BY connection";
    let rows = conn.rows("grouping doubts", SQL, Vec::new()).await?;
    rows.iter().map(read_trouble).collect()
}

pub(crate) async fn failing(conn: &mut Conn, failures: i64) -> Result<Vec<Failing>, StoreError> {
    // The first condition is that of the index.
    const SQL: &str = "SELECT connection, kind, COUNT(*), CAST(SUM(pending) AS BIGINT), \
          MAX(failures), MIN(key) \
        FROM lane WHERE failures > 0 AND failures >= $1 AND pending > 0 \
        GROUP BY connection, kind ORDER BY connection, kind";
    let rows = conn
        .rows("finding failing lanes", SQL, values![failures])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Failing {
                connection: read_connection(&row.text(0)?)?,
                kind: read_kind(row.int(1)?),
                lanes: row.int(2)?,
                waiting: row.int(3)?,
                failures: row.int(4)?,
                example: LaneKey::stored(row.text(5)?),
            })
        })
        .collect()
}
