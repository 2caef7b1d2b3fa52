//! Effects on their way into the table and their lanes.

use std::collections::{BTreeMap, HashMap, HashSet};

use bowline_domain::effect::{Effect, EffectState};
use bowline_domain::ids::{EffectId, EventId, LaneKey};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, Dialect, ROWS_MAX, Value, in_list, values};
use crate::error::StoreError;
use crate::model::{Decided, Decision, LaneKind, Lease, TakenEffect};
use crate::sql::at_once;
use crate::sql::decide::json;
use crate::sql::lanes::{self, Enqueue};

/// One effect on its way into the table.
pub(super) struct Outgoing<'d> {
    decision: &'d Decision,
    effect: &'d Effect,
    lane: LaneKey,
}

/// Stores the effects that are not there yet and puts them into their lanes. Returns, by event,
/// those whose lanes were idle and are held now.
pub(super) async fn store(
    conn: &mut Conn,
    writer: &Writer,
    decided: &[(&Decision, &Decided)],
    existing: &HashSet<String>,
) -> Result<HashMap<EventId, Vec<TakenEffect>>, StoreError> {
    let mut outgoing = outgoing(decided);
    let mut seen = HashSet::new();
    outgoing.retain(|out| {
        let key = out.effect.key.as_str();
        !existing.contains(key) && seen.insert(key)
    });
    if outgoing.is_empty() {
        return Ok(HashMap::new());
    }
    let queues = queues(&outgoing);
    let held = match conn.dialect() {
        Dialect::Sqlite => {
            let leases = lanes::enqueue(conn, writer, &queues).await?;
            insert(conn, &outgoing, leases).await?
        }
        Dialect::Postgres => at_once::put(conn, writer, effect_rows(&outgoing)?, &queues).await?,
    };
    Ok(taken(&outgoing, held))
}

/// The effects of decisions.
pub(super) fn outgoing<'d>(decided: &[(&'d Decision, &'d Decided)]) -> Vec<Outgoing<'d>> {
    let effects = decided.iter().flat_map(|(decision, decided)| {
        let effects = decided.effects.iter();
        effects.map(|effect| Outgoing {
            decision,
            effect,
            lane: effect.lane(),
        })
    });
    effects.collect()
}

/// What [`Lists`](super::decide::Lists) has of each.
pub(super) fn effect_rows(
    outgoing: &[Outgoing<'_>],
) -> Result<Vec<(LaneKey, Vec<Value>)>, StoreError> {
    outgoing
        .iter()
        .map(|out| Ok((out.lane.clone(), effect_row(out)?)))
        .collect()
}

/// Which of these keys are those of stored effects.
pub(super) async fn existing_keys(
    conn: &mut Conn,
    keys: &[&str],
) -> Result<HashSet<String>, StoreError> {
    let mut existing = HashSet::new();
    for chunk in keys.chunks(ROWS_MAX) {
        let (list, args) = in_list(1, chunk.iter().copied());
        let sql = format!("SELECT key FROM effect WHERE key IN {list}");
        for row in conn.rows("looking for effects", &sql, args).await? {
            existing.insert(row.text(0)?);
        }
    }
    Ok(existing)
}

/// What they put into their lanes.
pub(super) fn queues(outgoing: &[Outgoing<'_>]) -> BTreeMap<LaneKey, Enqueue> {
    let mut queues: BTreeMap<LaneKey, Enqueue> = BTreeMap::new();
    let mut takes: HashMap<EventId, usize> = HashMap::new();
    for out in outgoing {
        if let Some(queue) = queues.get_mut(&out.lane) {
            queue.items += 1;
            continue;
        }
        let takes = takes.entry(out.decision.event).or_default();
        // What waits for more to come is found when it is due.
        let due_at = out.effect.act.due_at().filter(|at| *at > out.decision.at);
        let take = *takes < out.decision.take_up_to && due_at.is_none();
        *takes += usize::from(take);
        let queue = Enqueue {
            kind: LaneKind::Effects,
            connection: out.effect.connection.key(),
            items: 1,
            at: due_at.unwrap_or(out.decision.at),
            take,
        };
        queues.insert(out.lane.clone(), queue);
    }
    queues
}

/// Key, event, lane, connection, site, issue, act and time.
fn effect_row(out: &Outgoing<'_>) -> Result<Vec<Value>, StoreError> {
    Ok(values![
        out.effect.key.as_str(),
        out.decision.event.0,
        out.lane.as_str(),
        out.effect.connection.key(),
        out.effect.site.as_str(),
        out.effect.issue.as_str(),
        json(&out.effect.act)?,
        out.decision.at.0,
    ])
}

/// An effect that is being attempted from the start, by its key.
pub(super) type HeldEffect = (EffectId, String, Lease);

async fn insert(
    conn: &mut Conn,
    outgoing: &[Outgoing<'_>],
    mut leases: HashMap<LaneKey, Lease>,
) -> Result<Vec<HeldEffect>, StoreError> {
    const SQL: &str = "INSERT INTO effect \
        (key, event, lane, connection, site, issue, act, planned_at, state, attempts, doubtful) \
        {inserted} RETURNING id, key";
    let mut args = Vec::with_capacity(outgoing.len() * 11);
    let mut heads: HashMap<&str, Lease> = HashMap::new();
    for out in outgoing {
        args.extend(effect_row(out)?);
        let (state, attempts) = match leases.remove(&out.lane) {
            Some(lease) => {
                heads.insert(out.effect.key.as_str(), lease);
                (EffectState::Attempting, 1)
            }
            None => (EffectState::Planned, 0),
        };
        args.extend(values![state.code(), attempts, false]);
    }
    let mut held = Vec::with_capacity(heads.len());
    for row in conn.rows_of_many("storing effects", SQL, 11, args).await? {
        let key = row.text(1)?;
        if let Some(lease) = heads.remove(key.as_str()) {
            held.push((EffectId(row.int(0)?), key, lease));
        }
    }
    Ok(held)
}

/// What is being attempted, by event.
pub(super) fn taken(
    outgoing: &[Outgoing<'_>],
    held: Vec<HeldEffect>,
) -> HashMap<EventId, Vec<TakenEffect>> {
    let of: HashMap<&str, &Outgoing<'_>> = outgoing
        .iter()
        .map(|out| (out.effect.key.as_str(), out))
        .collect();
    let mut taken: HashMap<EventId, Vec<TakenEffect>> = HashMap::new();
    for (id, key, lease) in held {
        let Some(out) = of.get(key.as_str()) else {
            continue;
        };
        let event = out.decision.event;
        taken.entry(event).or_default().push(TakenEffect {
            id,
            event,
            lease,
            effect: out.effect.clone(),
            doubtful: false,
            attempts: 1,
        });
    }
    taken
}

/// Puts an effect that follows from another one at the end of its lane, unless it is there already.
pub(crate) async fn follow_up(
    conn: &mut Conn,
    writer: &Writer,
    effect: &Effect,
    event: EventId,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO effect \
        (key, event, lane, connection, site, issue, act, state, doubtful, attempts, planned_at) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,0,0,0,$8) ON CONFLICT (key) DO NOTHING";
    let lane = effect.lane();
    let connection = effect.connection.key();
    let args = values![
        effect.key.as_str(),
        event.0,
        lane.as_str(),
        connection.as_str(),
        effect.site.as_str(),
        effect.issue.as_str(),
        json(&effect.act)?,
        at.0
    ];
    if conn.run("storing an effect", SQL, args).await? > 0 {
        let queue = Enqueue {
            kind: LaneKind::Effects,
            connection,
            items: 1,
            at,
            take: false,
        };
        lanes::enqueue(conn, writer, &BTreeMap::from([(lane, queue)])).await?;
    }
    Ok(())
}
