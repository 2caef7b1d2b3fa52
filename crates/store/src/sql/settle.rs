//! Recording how attempts ended, and going on with their lanes.

use std::collections::{HashMap, HashSet};

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::ids::{EffectId, EventId, IssueId, LaneKey, SiteName};

use crate::committer::Writer;
use crate::db::{Conn, Row, Value, values};
use crate::error::StoreError;
use crate::model::{Ending, Lease, Settlement, TakenEffect};
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
    let changed = update_effects(conn, &standings).await?;
    let (counted, late): (Vec<&Settlement>, Vec<&Settlement>) = settlements
        .iter()
        .copied()
        .partition(|settlement| changed.contains(&settlement.effect));
    store_attempts(conn, &counted).await?;
    for settlement in late.into_iter().filter(|one| tried(&one.ending)) {
        record_late(conn, settlement).await?;
    }
    let go_on = move_lanes(conn, writer, &standings, &changed).await?;
    let mut next = take_heads(conn, &go_on).await?;
    Ok(settlements
        .iter()
        .map(|settlement| next.remove(&settlement.lease.lane))
        .collect())
}

/// Counts what is settled out of the lanes, and returns those that are gone on with. What is not
/// taken in one statement is rare: failures, a stop, a lane that was taken over.
async fn move_lanes<'s>(
    conn: &mut Conn,
    writer: &Writer,
    standings: &[(&'s Settlement, Standing)],
    changed: &HashSet<EffectId>,
) -> Result<Vec<&'s Lease>, StoreError> {
    let settled = |settlement: &Settlement| {
        changed.contains(&settlement.effect) && settlement.ending.state().settled()
    };
    let done: Vec<&Lease> = standings
        .iter()
        .filter(|(settlement, standing)| *standing == Standing::Held && settled(settlement))
        .map(|(settlement, _)| &settlement.lease)
        .collect();
    let left = lanes::finish_held(conn, writer, &done).await?;
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

/// Updates the effects that the settlements still have a say in, and returns which those were:
/// the attempt that is under way under its own lease or that nobody followed, and any effect that
/// is not settled if it was done.
async fn update_effects(
    conn: &mut Conn,
    settlements: &[(&Settlement, Standing)],
) -> Result<HashSet<EffectId>, StoreError> {
    const SQL: &str = "WITH v (id, own, state, doubtful, settled_at, remote_id, reason, tried) AS \
        (VALUES {rows}) \
        UPDATE effect SET state = v.state, doubtful = v.doubtful, settled_at = v.settled_at, \
          remote_id = v.remote_id, reason = v.reason, \
          attempts = CASE WHEN v.tried = 1 THEN attempts ELSE attempts - 1 END \
        FROM v WHERE effect.id = v.id \
          AND (effect.state = 1 AND v.own = 1 OR effect.state IN (0, 1, 4) AND v.state = 2) \
        RETURNING effect.id";
    const COLUMNS: usize = 8;
    let mut changed = HashSet::with_capacity(settlements.len());
    let mut args = Vec::with_capacity(settlements.len() * COLUMNS);
    for (settlement, standing) in settlements {
        let state = settlement.ending.state();
        let settled_at = state.settled().then_some(settlement.ended_at.0);
        let doubtful = matches!(settlement.ending, Ending::Later { doubtful: true, .. });
        let (remote_id, words) = found(&settlement.ending);
        args.extend(values![
            settlement.effect.0,
            *standing != Standing::TakenOver,
            state.code(),
            doubtful,
            settled_at,
            remote_id,
            words,
            tried(&settlement.ending)
        ]);
    }
    let rows = conn.rows_of_many("settling effects", SQL, COLUMNS, args);
    for row in rows.await? {
        changed.insert(EffectId(row.int(0)?));
    }
    Ok(changed)
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

async fn store_attempts(conn: &mut Conn, settlements: &[&Settlement]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO attempt (effect, started_at, ended_at, outcome, detail, calls) \
        {inserted}";
    let args = settlements
        .iter()
        .filter(|settlement| tried(&settlement.ending))
        .flat_map(|settlement| attempt_row(settlement))
        .collect();
    conn.rows_of_many("recording attempts", SQL, 6, args)
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
