//! Backfills.

use bowline_domain::feedback::ids::ProductId;
use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::feedback::{Backfill, BackfillState, BackfillStep};
use crate::sql::audit;
use crate::sql::runs::{self, Run};

const COLUMNS: &str = "id, product, since, state, found, looked, made, cursor, trouble, who, at, \
    ended_at";

fn read(row: &Row) -> Result<Backfill, StoreError> {
    Ok(Backfill {
        id: row.int(0)?,
        product: ProductId(row.int(1)?),
        since: Millis(row.int(2)?),
        state: BackfillState::from_word(&row.text(3)?),
        found: row.int(4)?,
        looked: row.int(5)?,
        made: row.int(6)?,
        cursor: row.text_or_null(7)?,
        trouble: row.text_or_null(8)?,
        who: row.text(9)?,
        at: Millis(row.int(10)?),
        ended_at: row.int_or_null(11)?.map(Millis),
    })
}

/// Begins one, unless one of the product is under way.
pub(crate) async fn begin(
    conn: &mut Conn,
    (product, since, found): (ProductId, Millis, i64),
    (who, at): (&str, Millis),
    entries: &[AuditEntry],
) -> Result<Option<i64>, StoreError> {
    const UNDER_WAY: &str = "SELECT 1 FROM backfill \
        WHERE product = $1 AND state IN ('running', 'paused')";
    const SQL: &str = "INSERT INTO backfill (product, since, state, found, looked, made, who, at) \
        VALUES ($1,$2,'running',$3,0,0,$4,$5) RETURNING id";
    let doing = "beginning a backfill";
    if !conn
        .rows(doing, UNDER_WAY, values![product.0])
        .await?
        .is_empty()
    {
        return Ok(None);
    }
    let args = values![product.0, since.0, found, who, at.0];
    let rows = conn.rows(doing, SQL, args).await?;
    for entry in entries {
        audit::add(conn, entry).await?;
    }
    rows.first().map(|row| row.int(0)).transpose()
}

/// Moves one to another state, if that may be.
pub(crate) async fn become_(
    conn: &mut Conn,
    id: i64,
    to: BackfillState,
    at: Millis,
    entries: &[AuditEntry],
) -> Result<bool, StoreError> {
    runs::become_(conn, Run::Backfill, id, to, at, entries).await
}

/// Takes one that is running and that nobody else holds, or goes on holding it.
pub(crate) async fn claim(
    conn: &mut Conn,
    owner: &str,
    id: i64,
    (at, until): (Millis, Millis),
) -> Result<Option<Backfill>, StoreError> {
    let row = runs::claim(conn, (Run::Backfill, COLUMNS), owner, id, (at, until)).await?;
    row.as_ref().map(read).transpose()
}

/// Records how far one came, unless somebody else took it over or it was cancelled meanwhile.
/// Answers whether it was recorded. One that was paused while its last page was read is over too.
pub(crate) async fn advance(
    conn: &mut Conn,
    owner: &str,
    id: i64,
    step: &BackfillStep,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE backfill SET looked = looked + $1, cursor = $2, trouble = $3, \
          state = CASE WHEN $4 = 1 THEN 'done' ELSE state END, \
          ended_at = CASE WHEN $4 = 1 THEN $5 ELSE ended_at END \
        WHERE id = $6 AND holder = $7 AND state IN ('running', 'paused')";
    let args = values![
        step.looked,
        step.cursor.clone(),
        step.trouble.clone(),
        step.over.is_some(),
        step.over.map_or(0, |at| at.0),
        id,
        owner
    ];
    conn.run("recording how far a backfill came", SQL, args)
        .await
        .map(|changed| changed > 0)
}

/// Those under way.
pub(crate) async fn running(conn: &mut Conn) -> Result<Vec<Backfill>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM backfill WHERE state = 'running' ORDER BY id");
    let rows = conn.rows("reading backfills", &sql, Vec::new()).await?;
    rows.iter().map(read).collect()
}

/// One of them.
pub(crate) async fn one(conn: &mut Conn, id: i64) -> Result<Option<Backfill>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM backfill WHERE id = $1");
    let rows = conn.rows("reading a backfill", &sql, values![id]).await?;
    rows.first().map(read).transpose()
}

/// The latest of a product.
pub(crate) async fn latest(
    conn: &mut Conn,
    product: ProductId,
) -> Result<Option<Backfill>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM backfill WHERE product = $1 ORDER BY id DESC LIMIT 1");
    let rows = conn
        .rows("reading the latest backfill", &sql, values![product.0])
        .await?;
    rows.first().map(read).transpose()
}
