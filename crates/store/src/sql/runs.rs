//! What runs that a person asked for have in common: where they are, and which process works one.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::feedback::BackfillState;
use crate::sql::audit;

/// A kind of run. Each has a table of its own with the columns `state`, `ended_at`, `holder` and
/// `held_until`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Backfill,
    Replay,
}

impl Run {
    fn table(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Replay => "replay",
        }
    }

    /// What a move to another state clears as well.
    fn cleared(self) -> &'static str {
        match self {
            Self::Backfill => ", trouble = NULL",
            Self::Replay => "",
        }
    }

    fn moving(self) -> &'static str {
        match self {
            Self::Backfill => "moving a backfill",
            Self::Replay => "moving a replay",
        }
    }

    fn taking(self) -> &'static str {
        match self {
            Self::Backfill => "taking a backfill",
            Self::Replay => "taking a replay",
        }
    }
}

/// Moves one to another state, if that may be.
pub(crate) async fn become_(
    conn: &mut Conn,
    run: Run,
    id: i64,
    to: BackfillState,
    at: Millis,
    entries: &[AuditEntry],
) -> Result<bool, StoreError> {
    let (table, doing) = (run.table(), run.moving());
    let sql = format!("SELECT state FROM {table} WHERE id = $1");
    let rows = conn.rows(doing, &sql, values![id]).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    if !BackfillState::from_word(&row.text(0)?).may_become(to) {
        return Ok(false);
    }
    let sql = format!(
        "UPDATE {table} SET state = $1, ended_at = $2{} WHERE id = $3",
        run.cleared()
    );
    let over = matches!(to, BackfillState::Done | BackfillState::Cancelled);
    let args = values![to.as_str(), over.then_some(at.0), id];
    conn.run(doing, &sql, args).await?;
    for entry in entries {
        audit::add(conn, entry).await?;
    }
    Ok(true)
}

/// Takes one that is running and that nobody else holds, or goes on holding it.
pub(crate) async fn claim(
    conn: &mut Conn,
    (run, columns): (Run, &str),
    owner: &str,
    id: i64,
    (at, until): (Millis, Millis),
) -> Result<Option<Row>, StoreError> {
    let sql = format!(
        "UPDATE {} SET holder = $2, held_until = $4 \
         WHERE id = $1 AND state = 'running' \
           AND (holder IS NULL OR holder = $2 OR held_until < $3) RETURNING {columns}",
        run.table()
    );
    let args = values![id, owner, at.0, until.0];
    let rows = conn.rows(run.taking(), &sql, args).await?;
    Ok(rows.into_iter().next())
}
