//! Looks at the tables from outside.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use bowline_domain::time::Millis;

/// Runs a query and returns its columns, all of which must be text. SQLite's `EXPLAIN QUERY PLAN`
/// works too.
///
/// # Errors
/// The database's own.
pub async fn texts(url: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
    let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
    if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await?;
        let rows = statement.fetch_all(&mut conn).await?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|column| row.try_get_unchecked(column))
                    .collect()
            })
            .collect()
    } else {
        let statement = sqlx::query(AssertSqlSafe(sql.to_owned()));
        let mut conn = PgConnection::connect(url).await?;
        let rows = statement.fetch_all(&mut conn).await?;
        rows.iter()
            .map(|row| (0..row.len()).map(|column| row.try_get(column)).collect())
            .collect()
    }
}

/// Runs a statement and returns how many rows it touched.
///
/// # Errors
/// The database's own.
pub async fn execute(url: &str, sql: &str) -> Result<u64, sqlx::Error> {
    if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await?;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await?;
        Ok(done.rows_affected())
    } else {
        let mut conn = PgConnection::connect(url).await?;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await?;
        Ok(done.rows_affected())
    }
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
pub async fn check_lanes(url: &str) -> Result<Vec<String>, sqlx::Error> {
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
