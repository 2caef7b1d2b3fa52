//! Replays of all deliveries since a time.

use std::collections::BTreeMap;

use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::{Conn, Row, Value, in_numbers, values};
use crate::error::StoreError;
use crate::feedback::BackfillState;
use crate::model::LaneKind;
use crate::replays::{REPLAY_DELIVERIES_MAX, ReplayAsked, ReplayPlan, ReplayRun};
use crate::sql::audit;
use crate::sql::deliveries::{self, NO_EFFECTS};
use crate::sql::lanes::{self, Enqueue};
use crate::sql::runs::{self, Run};

const COLUMNS: &str = "id, connection, since, first, last, state, found, looked, put_back, place, \
    who, at, ended_at";

/// Deliveries that are put back in one transaction.
const PART: i64 = 100;

/// What came from outside. What a person did on a page and what the reconciler found are no
/// deliveries: a command that was given once is not given again by deciding what came since.
const FROM_OUTSIDE: &str = "source IN ('jira', 'intercom', 'notify', 'channel')";

/// Where a replay is, beside what others see of it.
struct Place {
    run: ReplayRun,
    first: i64,
    /// The latest delivery that it went through.
    reached: i64,
}

fn read(row: &Row) -> Result<Place, StoreError> {
    let connection = row.text_or_null(1)?;
    let connection = connection.map(|key| deliveries::read_connection(&key));
    Ok(Place {
        run: ReplayRun {
            id: row.int(0)?,
            asked: ReplayAsked {
                connection: connection.transpose()?,
                since: Millis(row.int(2)?),
            },
            last: EventId(row.int(4)?),
            state: BackfillState::from_word(&row.text(5)?),
            found: row.int(6)?,
            looked: row.int(7)?,
            put_back: row.int(8)?,
            waiting: 0,
            who: row.text(10)?,
            at: Millis(row.int(11)?),
            ended_at: row.int_or_null(12)?.map(Millis),
        },
        first: row.int(3)?,
        reached: row.int(9)?,
    })
}

/// The deliveries that are asked for, as a condition whose values begin with `$from`.
fn condition(asked: &ReplayAsked, from: usize) -> (String, Vec<Value>) {
    match &asked.connection {
        Some(connection) => (
            format!("{FROM_OUTSIDE} AND connection = ${from}"),
            values![connection.key()],
        ),
        None => (FROM_OUTSIDE.to_owned(), Vec::new()),
    }
}

/// What a replay would do.
pub(crate) async fn plan(conn: &mut Conn, asked: &ReplayAsked) -> Result<ReplayPlan, StoreError> {
    let (first, end) = deliveries::since(conn, asked.since).await?;
    let (condition, more) = condition(asked, 5);
    let sql = format!(
        "SELECT state, gone, quiet, COUNT(*) FROM ( \
           SELECT state, CAST(CASE WHEN body = '' THEN 1 ELSE 0 END AS BIGINT) AS gone, \
             CAST(CASE WHEN outcome LIKE $1 THEN 1 ELSE 0 END AS BIGINT) AS quiet \
           FROM event WHERE id >= $2 AND id < $3 AND {condition} ORDER BY id LIMIT $4) AS came \
         GROUP BY state, gone, quiet"
    );
    let mut args = values![NO_EFFECTS, first, end, REPLAY_DELIVERIES_MAX + 1];
    args.extend(more);
    let mut plan = ReplayPlan::between(EventId(first), EventId(end - 1));
    for row in conn.rows("planning a replay", &sql, args).await? {
        let (state, gone, nothing) = (row.int(0)?, row.truth(1)?, row.truth(2)?);
        let count = row.int(3)?;
        plan.found += count;
        let kind = match (state, gone, nothing) {
            (0, _, _) => &mut plan.waiting,
            (_, true, _) => &mut plan.gone,
            (2, false, _) => &mut plan.quarantined,
            (_, false, true) => &mut plan.nothing,
            (_, false, false) => &mut plan.effects,
        };
        *kind += count;
    }
    if plan.found > REPLAY_DELIVERIES_MAX {
        return Ok(ReplayPlan {
            too_many: true,
            ..ReplayPlan::between(plan.first, plan.last)
        });
    }
    Ok(plan)
}

/// Begins one, unless one is under way.
pub(crate) async fn begin(
    conn: &mut Conn,
    (asked, plan): (&ReplayAsked, &ReplayPlan),
    (who, at): (&str, Millis),
    entries: &[AuditEntry],
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "INSERT INTO replay \
        (connection, since, first, last, state, found, looked, put_back, place, who, at, held_until) \
        VALUES ($1, $2, $3, $4, 'running', $5, 0, 0, $6, $7, $8, 0) \
        ON CONFLICT DO NOTHING RETURNING id";
    let args = values![
        asked
            .connection
            .as_ref()
            .map(bowline_domain::connection::Connection::key),
        asked.since.0,
        plan.first.0,
        plan.last.0,
        plan.again(),
        plan.first.0 - 1,
        who,
        at.0
    ];
    let rows = conn.rows("beginning a replay", SQL, args).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    for entry in entries {
        audit::add(conn, entry).await?;
    }
    row.int(0).map(Some)
}

/// Moves one to another state, if that may be.
pub(crate) async fn become_(
    conn: &mut Conn,
    id: i64,
    to: BackfillState,
    at: Millis,
    entries: &[AuditEntry],
) -> Result<bool, StoreError> {
    runs::become_(conn, Run::Replay, id, to, at, entries).await
}

/// Puts the next deliveries of one back.
pub(crate) async fn part(
    conn: &mut Conn,
    writer: &Writer,
    id: i64,
    (at, until): (Millis, Millis),
) -> Result<Option<ReplayRun>, StoreError> {
    const SQL: &str = "UPDATE replay SET looked = $1, put_back = $2, place = $3, state = $4, \
        ended_at = $5 WHERE id = $6";
    let row = runs::claim(conn, (Run::Replay, COLUMNS), &writer.owner, id, (at, until)).await?;
    let Some(mut it) = row.as_ref().map(read).transpose()? else {
        return Ok(None);
    };
    let (ids, full) = next(conn, &it).await?;
    let put_back = put_back(conn, writer, &ids, at).await?;
    let looked = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    it.run.looked += looked;
    it.run.put_back += put_back;
    it.reached = ids.last().copied().unwrap_or(it.reached);
    if !full {
        it.run.state = BackfillState::Done;
        it.run.ended_at = Some(at);
    }
    let args = values![
        it.run.looked,
        it.run.put_back,
        it.reached,
        it.run.state.as_str(),
        it.run.ended_at.map(|at| at.0),
        id
    ];
    conn.run("recording how far a replay came", SQL, args)
        .await?;
    Ok(Some(it.run))
}

/// The next deliveries, and whether there may be more after them.
async fn next(conn: &mut Conn, it: &Place) -> Result<(Vec<i64>, bool), StoreError> {
    let (condition, more) = condition(&it.run.asked, 4);
    let sql = format!(
        "SELECT id FROM event WHERE id > $1 AND id <= $2 AND {condition} ORDER BY id LIMIT $3"
    );
    let mut args = values![it.reached, it.run.last.0, PART];
    args.extend(more);
    let rows = conn.rows("taking the next of a replay", &sql, args).await?;
    let ids: Vec<i64> = rows
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<_, _>>()?;
    let full = i64::try_from(ids.len()).is_ok_and(|count| count == PART);
    Ok((ids, full))
}

/// Puts those back among the waiting that do not wait and can be read.
async fn put_back(
    conn: &mut Conn,
    writer: &Writer,
    ids: &[i64],
    at: Millis,
) -> Result<i64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let (list, args) = in_numbers(1, ids);
    let sql = format!(
        "UPDATE event SET state = 0, outcome = NULL, decided_at = NULL \
         WHERE id IN {list} AND state <> 0 AND body <> '' RETURNING lane, connection"
    );
    let rows = conn.rows("putting events back", &sql, args).await?;
    let mut queues: BTreeMap<LaneKey, Enqueue> = BTreeMap::new();
    for row in &rows {
        let connection = row.text(1)?;
        let queue = queues
            .entry(LaneKey::stored(row.text(0)?))
            .or_insert_with(|| Enqueue {
                kind: LaneKind::Events,
                connection,
                items: 0,
                at,
                take: false,
            });
        queue.items += 1;
    }
    lanes::enqueue(conn, writer, &queues).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

/// Those under way.
pub(crate) async fn running(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    const SQL: &str = "SELECT id FROM replay WHERE state = 'running' ORDER BY id";
    let rows = conn.rows("reading replays", SQL, Vec::new()).await?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// One of them.
pub(crate) async fn one(conn: &mut Conn, id: i64) -> Result<Option<ReplayRun>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM replay WHERE id = $1");
    let rows = conn.rows("reading a replay", &sql, values![id]).await?;
    match rows.first() {
        Some(row) => watched(conn, read(row)?).await.map(Some),
        None => Ok(None),
    }
}

/// The latest, the newest first.
pub(crate) async fn latest(conn: &mut Conn, limit: i64) -> Result<Vec<ReplayRun>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM replay ORDER BY id DESC LIMIT $1");
    let rows = conn
        .rows("reading the latest replays", &sql, values![limit])
        .await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in &rows {
        runs.push(watched(conn, read(row)?).await?);
    }
    Ok(runs)
}

/// With how many of what it put back wait still. Those that waited before it came count as well,
/// but never for more than it put back.
async fn watched(conn: &mut Conn, it: Place) -> Result<ReplayRun, StoreError> {
    let (condition, more) = condition(&it.run.asked, 3);
    let sql = format!(
        "SELECT COUNT(*) FROM event WHERE state = 0 AND id >= $1 AND id <= $2 AND {condition}"
    );
    let mut args = values![it.first, it.reached];
    args.extend(more);
    let rows = conn.rows("watching a replay", &sql, args).await?;
    let waiting = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(ReplayRun {
        waiting: waiting.min(it.run.put_back),
        ..it.run
    })
}
