//! Runs of copying and sweeping. Who works one holds it until a time; what somebody else wants to
//! write under it is refused.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::RunId;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::contacts::{Pages, Phase, REASONS_MAX, Run, RunKind, RunState, Sync, Taken};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::sql::contacts::{companies, mend, take};
use crate::sql::decide::json;

pub(crate) async fn syncs(conn: &mut Conn) -> Result<Vec<Sync>, StoreError> {
    const SQL: &str = "SELECT workspace, switched_on, updates, since, copied_at, swept_at, ours, \
        theirs, counted_at FROM contact_sync ORDER BY workspace";
    let rows = conn
        .rows("reading what is switched on", SQL, vec![])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Sync {
                workspace: WorkspaceName::new(row.text(0)?),
                switched_on: row.truth(1)?,
                updates: row.truth(2)?,
                since: row.int_or_null(3)?.map(Millis),
                copied_at: row.int_or_null(4)?.map(Millis),
                swept_at: row.int_or_null(5)?.map(Millis),
                ours: row.int_or_null(6)?,
                theirs: row.int_or_null(7)?,
                counted_at: row.int_or_null(8)?.map(Millis),
            })
        })
        .collect()
}

/// Keeps what is switched on; what was counted stays as it is.
pub(crate) async fn switch(conn: &mut Conn, sync: &Sync) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_sync \
          (workspace, switched_on, updates, since, copied_at, swept_at) \
        VALUES ($1,$2,$3,$4,$5,$6) \
        ON CONFLICT (workspace) DO UPDATE SET switched_on = excluded.switched_on, \
          updates = excluded.updates, since = excluded.since, copied_at = excluded.copied_at, \
          swept_at = excluded.swept_at";
    let args = values![
        sync.workspace.as_str(),
        sync.switched_on,
        sync.updates,
        sync.since.map(|at| at.0),
        sync.copied_at.map(|at| at.0),
        sync.swept_at.map(|at| at.0),
    ];
    conn.run("switching contacts", SQL, args).await.map(drop)
}

const COLUMNS: &str = "id, workspace, kind, state, phase, cursor, position, total, began_at, \
    resumed_at, resumed_from, ended_at, fresh, updated, failed, companies, requests, restarts, \
    waiting, reasons";

fn read(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: RunId(row.int(0)?),
        workspace: WorkspaceName::new(row.text(1)?),
        kind: match row.text(2)?.as_str() {
            "copy" => RunKind::Copy,
            "mend" => RunKind::Mend,
            _ => RunKind::Sweep,
        },
        state: RunState::from_word(&row.text(3)?),
        phase: match row.text(4)?.as_str() {
            "companies" => Phase::Companies,
            "counting" => Phase::Counting,
            "comparing" => Phase::Comparing,
            _ => Phase::Contacts,
        },
        cursor: row.text_or_null(5)?,
        position: row.int(6)?,
        total: row.int_or_null(7)?,
        began_at: Millis(row.int(8)?),
        resumed_at: Millis(row.int(9)?),
        resumed_from: row.int(10)?,
        ended_at: row.int_or_null(11)?.map(Millis),
        fresh: row.int(12)?,
        updated: row.int(13)?,
        failed: row.int(14)?,
        companies: row.int(15)?,
        requests: row.int(16)?,
        restarts: row.int(17)?,
        waiting: row.text_or_null(18)?,
        reasons: serde_json::from_str(&row.text(19)?)
            .map_err(|error| StoreError::unreadable("a run", error))?,
    })
}

pub(crate) async fn latest(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Vec<Run>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM contact_run WHERE workspace = $1 ORDER BY id DESC LIMIT $2");
    let rows = conn
        .rows("reading runs", &sql, values![workspace.as_str(), limit])
        .await?;
    rows.iter().map(read).collect()
}

/// The latest run that failed, unless a later one that covers it came to its end: a look for changes
/// covers no run that goes through everything.
pub(crate) async fn failed(
    conn: &mut Conn,
    workspace: &WorkspaceName,
) -> Result<Option<Run>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contact_run \
         WHERE workspace = $1 AND state = 'failed' AND NOT EXISTS \
           (SELECT 1 FROM contact_run AS later WHERE later.workspace = $1 \
              AND later.id > contact_run.id AND later.state = 'done' \
              AND (later.kind <> 'sweep' OR contact_run.kind = 'sweep')) \
         ORDER BY id DESC LIMIT 1"
    );
    let args = values![workspace.as_str()];
    let rows = conn
        .rows("looking for a run that failed", &sql, args)
        .await?;
    rows.first().map(read).transpose()
}

/// Begins a run unless one is under way. Companies come first: there is no search for those that
/// changed, so a sweep goes through all of them too.
pub(crate) async fn begin(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    kind: RunKind,
    at: Millis,
) -> Result<Option<RunId>, StoreError> {
    const UNDER_WAY: &str =
        "SELECT id FROM contact_run WHERE workspace = $1 AND ended_at IS NULL LIMIT 1";
    const SQL: &str = "INSERT INTO contact_run (workspace, kind, state, phase, position, began_at, \
          resumed_at, resumed_from, held_until, fresh, updated, failed, companies, requests, \
          restarts, reasons) \
        VALUES ($1,$2,'running',$3,0,$4,$4,0,0,0,0,0,0,0,0,'[]') RETURNING id";
    let under_way = conn
        .rows(
            "asking for a run under way",
            UNDER_WAY,
            values![workspace.as_str()],
        )
        .await?;
    if !under_way.is_empty() {
        return Ok(None);
    }
    let phase = Phase::Companies.as_str();
    let args = values![workspace.as_str(), kind.as_str(), phase, at.0];
    let rows = conn.rows("beginning a run", SQL, args).await?;
    rows.first().map(|row| row.int(0).map(RunId)).transpose()
}

/// Takes a run over that nobody holds any more, or that an earlier process of our name held.
pub(crate) async fn claim(
    conn: &mut Conn,
    run: RunId,
    owner: &str,
    at: Millis,
    until: Millis,
) -> Result<Option<Run>, StoreError> {
    let sql = format!(
        "UPDATE contact_run SET holder = $2, held_until = $4, resumed_at = $3, \
           resumed_from = position, waiting = NULL \
         WHERE id = $1 AND ended_at IS NULL AND (holder IS NULL OR holder = $2 OR held_until < $3) \
         RETURNING {COLUMNS}"
    );
    let args = values![run.0, owner, at.0, until.0];
    let rows = conn.rows("taking a run", &sql, args).await?;
    rows.first().map(read).transpose()
}

pub(super) fn fenced(run: RunId) -> StoreError {
    StoreError::Fenced {
        lane: format!("contacts, run {run}"),
    }
}

/// Takes in what pages hold and keeps where the run goes on, together.
pub(crate) async fn take_pages(
    conn: &mut Conn,
    writer: &Writer,
    (run, workspace): (RunId, &WorkspaceName),
    pages: &Pages,
    (at, until): (Millis, Millis),
) -> Result<Taken, StoreError> {
    const HELD: &str = "UPDATE contact_run SET held_until = $3, waiting = NULL \
        WHERE id = $1 AND holder = $2 AND ended_at IS NULL RETURNING reasons";
    const SQL: &str = "UPDATE contact_run SET cursor = $2, position = position + $3, \
        total = COALESCE($4, total), fresh = fresh + $5, updated = updated + $6, \
        failed = failed + $7, companies = companies + $8, requests = requests + $9, \
        phase = COALESCE($10, phase), reasons = $11 WHERE id = $1";
    // First, so that two workers of one run meet at its row and not at the contacts.
    let held = values![run.0, writer.owner.as_str(), until.0];
    let rows = conn.rows("keeping a run", HELD, held).await?;
    let Some(row) = rows.first() else {
        return Err(fenced(run));
    };
    let mut reasons: Vec<(String, String)> = serde_json::from_str(&row.text(0)?)
        .map_err(|error| StoreError::unreadable("a run", error))?;
    reasons.extend(pages.failed.iter().cloned());
    reasons.truncate(REASONS_MAX);
    conn.ready_for_many().await?;
    mend::met(conn, run, &pages.met).await?;
    companies::take_in(conn, workspace, &pages.companies, at).await?;
    let taken = take::take_in(conn, workspace, &pages.contacts, Some(Life::Live), at).await?;
    let gone_through = count(pages.contacts.len() + pages.failed.len());
    let args = values![
        run.0,
        pages.cursor.clone(),
        gone_through,
        pages.total,
        taken.fresh,
        taken.updated,
        count(pages.failed.len()),
        count(pages.companies.len()),
        pages.requests,
        pages.phase.map(|phase| phase.as_str().to_owned()),
        json(&reasons)?,
    ];
    conn.run("keeping where a run goes on", SQL, args).await?;
    Ok(taken)
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

pub(crate) async fn waits(
    conn: &mut Conn,
    writer: &Writer,
    run: RunId,
    why: Option<&str>,
    until: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact_run SET held_until = $3, waiting = $4 \
        WHERE id = $1 AND holder = $2 AND ended_at IS NULL";
    let args = values![
        run.0,
        writer.owner.as_str(),
        until.0,
        why.map(str::to_owned)
    ];
    match conn.run("saying what a run waits for", SQL, args).await? {
        0 => Err(fenced(run)),
        _ => Ok(()),
    }
}

pub(crate) async fn restart(
    conn: &mut Conn,
    writer: &Writer,
    run: RunId,
    at: Millis,
    until: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact_run SET held_until = $4, cursor = NULL, position = 0, \
        resumed_at = $3, resumed_from = 0, restarts = restarts + 1 \
        WHERE id = $1 AND holder = $2 AND ended_at IS NULL";
    let args = values![run.0, writer.owner.as_str(), at.0, until.0];
    match conn.run("beginning a list again", SQL, args).await? {
        0 => Err(fenced(run)),
        _ => Ok(()),
    }
}

/// Ends a run. One that came to its end says how far both sides agree.
pub(crate) async fn end(
    conn: &mut Conn,
    writer: &Writer,
    run: RunId,
    state: RunState,
    theirs: Option<i64>,
    why: Option<&str>,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact_run SET state = $3, ended_at = $4, waiting = $5 \
        WHERE id = $1 AND holder = $2 AND ended_at IS NULL RETURNING workspace, kind";
    let args = values![
        run.0,
        writer.owner.as_str(),
        state.as_str(),
        at.0,
        why.map(str::to_owned),
    ];
    let rows = conn.rows("ending a run", SQL, args).await?;
    let Some(row) = rows.first() else {
        return Err(fenced(run));
    };
    if state == RunState::Done {
        counted(conn, &row.text(0)?, row.text(1)? != "sweep", theirs, at).await?;
    }
    Ok(())
}

async fn counted(
    conn: &mut Conn,
    workspace: &str,
    whole: bool,
    theirs: Option<i64>,
    at: Millis,
) -> Result<(), StoreError> {
    const OURS: &str = "SELECT COUNT(*) FROM contact \
        WHERE workspace = $1 AND life = 0 AND role <> 'local'";
    const SQL: &str = "UPDATE contact_sync SET swept_at = $2, \
        copied_at = CASE WHEN $3 = 1 THEN $2 ELSE copied_at END, \
        ours = $4, theirs = COALESCE($5, theirs), counted_at = $2 WHERE workspace = $1";
    let rows = conn
        .rows("counting contacts", OURS, values![workspace])
        .await?;
    let ours = rows.first().map(|row| row.int(0)).transpose()?;
    conn.run(
        "keeping what was counted",
        SQL,
        values![workspace, at.0, whole, ours, theirs],
    )
    .await
    .map(drop)
}

/// Contacts that a person erased here and of whose deletion Intercom has told nothing: those that
/// its list may still hold. An erasure is written down with the time that its tombstones have; those
/// of one contact, who may have had several ids, count once.
pub(crate) async fn erased_here(
    conn: &mut Conn,
    workspace: &WorkspaceName,
) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(DISTINCT contact_tombstone.at) FROM contact_tombstone \
        JOIN audit ON audit.at = contact_tombstone.at AND audit.what = 'contact_erased' \
        WHERE contact_tombstone.workspace = $1";
    let rows = conn
        .rows(
            "counting who was erased here",
            SQL,
            values![workspace.as_str()],
        )
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

pub(crate) async fn stop(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    at: Millis,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE contact_run SET state = 'stopped', ended_at = $2, waiting = NULL \
        WHERE workspace = $1 AND ended_at IS NULL";
    conn.run("stopping runs", SQL, values![workspace.as_str(), at.0])
        .await
}
