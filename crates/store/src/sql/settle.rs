//! Recording how attempts ended, and going on with their lanes.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::ids::{EffectId, EventId, IssueId, LaneKey, SiteName};

use crate::committer::Writer;
use crate::db::{Conn, Dialect, Row, Value, values};
use crate::error::StoreError;
use crate::model::{Ending, Lease, Settlement, TakenEffect};
use crate::sql::at_once;
use crate::sql::lanes::{self, Holder};

/// How the worker of a settlement stands to its lane now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It still holds it.
    Held,
    /// It lost it, and nobody has it.
    Free,
    /// Another worker has it, and may be trying the same effect at this moment.
    TakenOver,
}

fn standing(
    writer: &Writer,
    holders: &HashMap<LaneKey, Holder>,
    settlement: &Settlement,
) -> Standing {
    match holders.get(&settlement.lease.lane) {
        Some(holder) if holder.holds(writer, &settlement.lease) => Standing::Held,
        Some(holder) if !holder.nobody() => Standing::TakenOver,
        _ => Standing::Free,
    }
}

/// Records how attempts ended. Returns, for each, the lane's next effect, marked `attempting`, if
/// the lane is still held and the worker wants to go on.
pub(crate) async fn settle(
    conn: &mut Conn,
    writer: &Writer,
    holders: &HashMap<LaneKey, Holder>,
    settlements: &[&Settlement],
) -> Result<Vec<Option<TakenEffect>>, StoreError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let standings: Vec<(&Settlement, Standing)> = settlements
        .iter()
        .map(|settlement| (*settlement, standing(writer, holders, settlement)))
        .collect();
    let (changed, left) = match conn.dialect() {
        Dialect::Sqlite => end(conn, writer, &standings).await?,
        Dialect::Postgres => {
            let ends = standings.iter().flat_map(|of| end_row(writer, of));
            at_once::settle(conn, ends.collect()).await?
        }
    };
    for settlement in settlements {
        if !changed.contains(&settlement.effect) && tried(&settlement.ending) {
            record_late(conn, settlement).await?;
        }
    }
    let go_on = move_lanes(conn, &standings, &changed, &left).await?;
    let mut next = take_heads(conn, &go_on).await?;
    Ok(settlements
        .iter()
        .map(|settlement| next.remove(&settlement.lease.lane))
        .collect())
}

/// Records how attempts ended, and counts what is settled out of the lanes that are still held.
/// Returns the effects that they had a say in, and how many items are left in those lanes.
async fn end(
    conn: &mut Conn,
    writer: &Writer,
    standings: &[(&Settlement, Standing)],
) -> Result<(HashSet<EffectId>, HashMap<LaneKey, i64>), StoreError> {
    let changed = update_effects(conn, standings).await?;
    let counted = standings
        .iter()
        .filter(|(settlement, _)| changed.contains(&settlement.effect));
    let tried = counted
        .clone()
        .filter(|(settlement, _)| tried(&settlement.ending));
    let attempts = tried.flat_map(|(settlement, _)| attempt_row(settlement));
    store_attempts(conn, attempts.collect()).await?;
    let done = counted.filter(|(settlement, standing)| counts(settlement, *standing));
    let done: Vec<&Lease> = done.map(|(settlement, _)| &settlement.lease).collect();
    Ok((changed, lanes::finish_held(conn, writer, &done).await?))
}

/// Is it to be counted out of its lane, if it has a say in its effect?
fn counts(settlement: &Settlement, standing: Standing) -> bool {
    standing == Standing::Held && settlement.ending.state().settled()
}

/// What [`END`] names, the attempt, and lane, token and owner if it is to be counted.
fn end_row(writer: &Writer, (settlement, standing): &(&Settlement, Standing)) -> Vec<Value> {
    let mut row = change_row(settlement, *standing);
    row.extend(attempt_row(settlement));
    if counts(settlement, *standing) {
        let Lease { lane, token } = &settlement.lease;
        row.extend(values![lane.as_str(), *token, writer.owner.as_str()]);
    } else {
        row.extend(values![None::<String>, None::<i64>, None::<String>]);
    }
    row
}

/// Goes on with lanes, or lets them go. Returns those that are gone on with. What is done for each
/// is rare: failures, a stop, a lane that was taken over.
async fn move_lanes<'s>(
    conn: &mut Conn,
    standings: &[(&'s Settlement, Standing)],
    changed: &HashSet<EffectId>,
    left: &HashMap<LaneKey, i64>,
) -> Result<Vec<&'s Lease>, StoreError> {
    let settled = |settlement: &Settlement| {
        changed.contains(&settlement.effect) && settlement.ending.state().settled()
    };
    let mut go_on = Vec::new();
    for (settlement, standing) in standings {
        let lease = &settlement.lease;
        match (standing, &settlement.ending) {
            (Standing::Held, Ending::Later { due_at, .. }) => {
                lanes::postpone(conn, lease, *due_at, true, None).await?;
            }
            (Standing::Held, Ending::NotYet { due_at }) => {
                lanes::postpone(conn, lease, *due_at, false, None).await?;
            }
            (Standing::Held, _) if left.get(&lease.lane) == Some(&0) => {}
            (Standing::Held, _) if settlement.go_on => go_on.push(lease),
            (Standing::Held, _) => {
                lanes::postpone(conn, lease, settlement.ended_at, false, None).await?;
            }
            (_, _) if settled(settlement) => lanes::finish_any(conn, &lease.lane).await?,
            (_, _) => {}
        }
    }
    Ok(go_on)
}

/// What [`UPDATE_EFFECTS`] takes of a settlement, as `v`.
pub(super) const END: &str = "id, own, state, doubtful, settled_at, remote_id, reason, tried";

/// Updates the effects that settlements still have a say in: the attempt that is under way under its
/// own lease or that nobody followed, and any effect that is not settled if it was done.
pub(super) const UPDATE_EFFECTS: &str = "UPDATE effect SET state = v.state, \
      doubtful = v.doubtful, settled_at = v.settled_at, remote_id = v.remote_id, \
      reason = v.reason, attempts = CASE WHEN v.tried = 1 THEN attempts ELSE attempts - 1 END \
    FROM v WHERE effect.id = v.id \
      AND (effect.state = 1 AND v.own = 1 OR effect.state IN (0, 1, 4) AND v.state = 2)";

async fn update_effects(
    conn: &mut Conn,
    settlements: &[(&Settlement, Standing)],
) -> Result<HashSet<EffectId>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!("WITH v ({END}) AS (VALUES {{rows}}) {UPDATE_EFFECTS} RETURNING effect.id")
    });
    let rows = settlements.iter();
    let args = rows.flat_map(|(settlement, standing)| change_row(settlement, *standing));
    let args = args.collect();
    let rows = conn.rows_of_many("settling effects", &SQL, 8, args).await?;
    rows.iter().map(|row| row.int(0).map(EffectId)).collect()
}

fn change_row(settlement: &Settlement, standing: Standing) -> Vec<Value> {
    let state = settlement.ending.state();
    let (remote_id, words) = found(&settlement.ending);
    values![
        settlement.effect.0,
        standing != Standing::TakenOver,
        state.code(),
        matches!(settlement.ending, Ending::Later { doubtful: true, .. }),
        state.settled().then_some(settlement.ended_at.0),
        remote_id,
        words,
        tried(&settlement.ending)
    ]
}

/// Was anything tried?
fn tried(ending: &Ending) -> bool {
    !matches!(ending, Ending::NotYet { .. })
}

/// The remote id and the words of an ending.
fn found(ending: &Ending) -> (Option<String>, Option<String>) {
    match ending {
        Ending::Confirmed { remote_id, detail } => (remote_id.clone(), detail.clone()),
        Ending::Rejected { reason }
        | Ending::Dropped { reason }
        | Ending::Held { reason }
        | Ending::Later { reason, .. } => (None, Some(reason.clone())),
        Ending::NotYet { .. } => (None, None),
    }
}

fn attempt_row(settlement: &Settlement) -> Vec<Value> {
    let (remote_id, words) = found(&settlement.ending);
    values![
        settlement.effect.0,
        settlement.started_at.0,
        settlement.ended_at.0,
        settlement.ending.state().as_str(),
        remote_id.or(words),
        settlement.calls.clone()
    ]
}

async fn store_attempts(conn: &mut Conn, attempts: Vec<Value>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO attempt (effect, started_at, ended_at, outcome, detail, calls) \
        {inserted}";
    conn.rows_of_many("recording attempts", SQL, 6, attempts)
        .await
        .map(drop)
}

/// Records an attempt that has no say in its effect any more, once. If it was done, it stands above
/// a successor's refusal: it is there.
async fn record_late(conn: &mut Conn, settlement: &Settlement) -> Result<(), StoreError> {
    const ATTEMPT: &str = "INSERT INTO attempt \
          (effect, started_at, ended_at, outcome, detail, calls) \
        SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM effect WHERE id = $1) \
          AND NOT EXISTS (SELECT 1 FROM attempt \
            WHERE effect = $1 AND started_at = $2 AND ended_at = $3 AND outcome = $4)";
    const EFFECT: &str = "UPDATE effect SET state = 2, remote_id = $1, reason = $2 \
        WHERE id = $3 AND state IN (3, 5, 6)";
    conn.run("recording a late attempt", ATTEMPT, attempt_row(settlement))
        .await?;
    if let Ending::Confirmed { remote_id, detail } = &settlement.ending {
        let args = values![remote_id.clone(), detail.clone(), settlement.effect.0];
        conn.run("confirming an effect late", EFFECT, args).await?;
    }
    Ok(())
}

/// Marks the first effect of each lane `attempting` and returns them by lane. One that is found
/// `attempting` or `unknown` is doubtful: an attempt before may have reached the far side.
pub(crate) async fn take_heads(
    conn: &mut Conn,
    leases: &[&Lease],
) -> Result<HashMap<LaneKey, TakenEffect>, StoreError> {
    // One look at the index for each lane, however many effects wait in it.
    const SQL: &str = "WITH v (lane) AS (VALUES {rows}) \
        UPDATE effect SET attempts = attempts + 1, \
          doubtful = CASE WHEN state IN (1, 4) THEN 1 ELSE doubtful END, state = 1 \
        WHERE id IN (SELECT (SELECT MIN(head.id) FROM effect AS head \
          WHERE head.lane = v.lane AND head.state IN (0, 1, 4)) FROM v) \
        RETURNING id, event, lane, key, connection, site, issue, act, doubtful, attempts";
    let mut by_lane: HashMap<&LaneKey, &Lease> =
        leases.iter().map(|lease| (&lease.lane, *lease)).collect();
    let mut taken = HashMap::with_capacity(leases.len());
    let args = leases
        .iter()
        .flat_map(|lease| values![lease.lane.as_str()])
        .collect();
    for row in conn.rows_of_many("taking effects", SQL, 1, args).await? {
        let lane = LaneKey::stored(row.text(2)?);
        let Some(lease) = by_lane.remove(&lane) else {
            continue;
        };
        let head = TakenEffect {
            id: EffectId(row.int(0)?),
            event: EventId(row.int(1)?),
            lease: lease.clone(),
            effect: read_effect(&row, 3)?,
            doubtful: row.truth(8)?,
            attempts: row.int(9)?,
        };
        taken.insert(lane, head);
    }
    for lane in by_lane.keys() {
        tracing::error!(%lane, "a lane counts effects that it does not have");
    }
    Ok(taken)
}

/// Reads key, connection, site, issue and act from `first` on.
pub(crate) fn read_effect(row: &Row, first: usize) -> Result<Effect, StoreError> {
    let connection = row.text(first + 1)?;
    let act: Act = serde_json::from_str(&row.text(first + 4)?)
        .map_err(|error| StoreError::unreadable("an effect", error))?;
    Ok(Effect {
        key: EffectKey::stored(row.text(first)?),
        connection: Connection::from_key(&connection)
            .ok_or_else(|| StoreError::unreadable("an effect's connection", &connection))?,
        site: SiteName::new(row.text(first + 2)?),
        issue: IssueId::new(row.text(first + 3)?),
        act,
    })
}
