//! Looks at the tables from outside.

use rusqlite::types::ValueRef;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use bowline_domain::time::Millis;

use crate::error::DriverError;

/// Runs a query and returns its columns, all of which must be text. SQLite's `EXPLAIN QUERY PLAN`
/// works too.
///
/// # Errors
/// The database's own.
pub async fn texts(url: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, DriverError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Ok(sqlite_texts(path, sql)?);
    }
    let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
    let mut conn = PgConnection::connect(url).await?;
    let rows = statement.fetch_all(&mut conn).await?;
    let rows = rows
        .iter()
        .map(|row| (0..row.len()).map(|column| row.try_get(column)).collect());
    Ok(rows.collect::<Result<_, sqlx::Error>>()?)
}

fn sqlite_texts(path: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, rusqlite::Error> {
    let conn = sqlite(path)?;
    let mut statement = conn.prepare(sql)?;
    let columns = statement.column_count();
    // A plan is explained without values.
    let rows = statement.raw_query().mapped(|row| {
        let cells = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
            })
        });
        cells.collect()
    });
    rows.collect()
}

fn sqlite(path: &str) -> Result<rusqlite::Connection, rusqlite::Error> {
    // A wrong address must not make an empty file.
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let conn = rusqlite::Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(conn)
}

/// Keeps everybody else from writing to a SQLite file until it is dropped. PostgreSQL has nothing
/// like it, and `None` is answered.
///
/// # Errors
/// The database's own.
pub fn hold_writes(url: &str) -> Result<Option<WritesHeld>, DriverError> {
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Ok(None);
    };
    let conn = sqlite(path)?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    Ok(Some(WritesHeld { _conn: conn }))
}

/// See [`hold_writes`].
#[derive(Debug)]
pub struct WritesHeld {
    _conn: rusqlite::Connection,
}

/// Runs a statement and returns how many rows it touched.
///
/// # Errors
/// The database's own.
pub async fn execute(url: &str, sql: &str) -> Result<u64, DriverError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let conn = sqlite(path)?;
        conn.execute_batch(sql)?;
        return Ok(conn.changes());
    }
    let mut conn = PgConnection::connect(url).await?;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut conn)
        .await?;
    Ok(done.rows_affected())
}

/// Each lane with what it counts and what waits in it in truth.
const LANES: &str = "SELECT lane.key, CAST(pending AS TEXT), \
      CAST(CASE WHEN kind = 0 \
        THEN (SELECT COUNT(*) FROM event WHERE event.lane = lane.key AND event.state = 0) \
        ELSE (SELECT COUNT(*) FROM effect WHERE effect.lane = lane.key \
          AND effect.state IN (0, 1, 4)) END AS TEXT), \
      owner, CAST(token AS TEXT), CAST(lease_until AS TEXT), CAST(due_at AS TEXT) \
    FROM lane ORDER BY lane.key";

/// What waits in a lane that has no row.
const HOMELESS: &str = "SELECT lane FROM event WHERE state = 0 \
      AND lane NOT IN (SELECT key FROM lane WHERE kind = 0) \
    UNION SELECT lane FROM effect WHERE state IN (0, 1, 4) \
      AND lane NOT IN (SELECT key FROM lane WHERE kind = 1)";

/// Lanes in which two effects are being attempted.
const CROWDED: &str = "SELECT lane FROM effect WHERE state = 1 GROUP BY lane HAVING COUNT(*) > 1";

/// Holds the lanes against what waits in them, and says what is wrong. To be called while nothing
/// is being written.
///
/// For every lane: it counts what waits in it; it is idle (nobody holds it and it is due never)
/// exactly when it counts nothing; nobody holds it under a token or until a time; and at most one
/// effect of it is being attempted. And nothing waits outside of a lane.
///
/// # Errors
/// The database's own.
pub async fn check_lanes(url: &str) -> Result<Vec<String>, DriverError> {
    let mut wrong = Vec::new();
    for row in texts(url, LANES).await? {
        let column = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
        let number = |index: usize| column(index).parse::<i64>().unwrap_or(i64::MIN);
        let (lane, owner) = (column(0), column(3));
        let (pending, waiting, token, lease_until, due_at) =
            (number(1), number(2), number(4), number(5), number(6));
        if pending != waiting {
            wrong.push(format!("{lane} counts {pending}, and {waiting} wait in it"));
        }
        let idle = owner.is_empty() && due_at == Millis::NEVER.0;
        if idle != (pending == 0) {
            wrong.push(format!(
                "{lane} counts {pending}, held by “{owner}”, due at {due_at}"
            ));
        }
        if owner.is_empty() != (token == 0) || owner.is_empty() != (lease_until == 0) {
            wrong.push(format!(
                "{lane} is held by “{owner}” under {token} until {lease_until}"
            ));
        }
    }
    for row in texts(url, HOMELESS).await? {
        wrong.push(format!("{row:?} has no lane"));
    }
    for row in texts(url, CROWDED).await? {
        wrong.push(format!("{row:?} has two effects attempting"));
    }
    Ok(wrong)
}
