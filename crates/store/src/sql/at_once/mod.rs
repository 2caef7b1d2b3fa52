//! What SQLite does in several statements, PostgreSQL does in one: to be asked costs it a round trip,
//! which a delivery or a note waits for. All parts of a statement see the tables as they were before
//! it, so a part that needs what another one did takes it from there, by the other's name. What a customer
//! waits for has a form for a single delivery or decision, too.

mod accept;
mod decide;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use bowline_domain::effect::EffectState;
use bowline_domain::ids::{EffectId, EventId, LaneKey};

use crate::committer::Writer;
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::model::{EventState, LaneKind, Lease};
use crate::sql::decide::Finished;
use crate::sql::effects::HeldEffect;
use crate::sql::lanes::{ADD_OR_TAKE, COUNT_ONE_OUT, Enqueue};
use crate::sql::settle;

pub(super) use accept::accept;
pub(super) use decide::decide;

/// Nothing, in a column of numbers.
const NUMBER: Value = Value::Int(None);

/// Nothing, in a column of texts.
const TEXT: Value = Value::Text(None);

/// Which lanes a statement would take, and under which tokens.
struct Proposals(HashMap<i64, LaneKey>);

impl Proposals {
    /// Owner, token and time, as they are bound for a lane; nothing for one that is not to be taken.
    fn add(&mut self, writer: &Writer, key: &LaneKey, lane: &Enqueue) -> [Value; 3] {
        let (owner, token, until) = lane.proposal(writer);
        if token != 0 {
            self.0.insert(token, key.clone());
        }
        [owner.into(), token.into(), until.into()]
    }

    /// The lease of a lane, if it stands under the token that was proposed for it.
    fn lease(&mut self, token: Option<i64>) -> Option<Lease> {
        let token = token?;
        let lane = self.0.remove(&token)?;
        Some(Lease { lane, token })
    }
}

/// Records the outcomes of events that wait in the lane of their decision, counts them out of it,
/// records their facts, and looks which effects are stored already. Of the lists see
/// [`Lists`](crate::sql::decide::Lists).
pub(super) async fn finish(
    conn: &mut Conn,
    writer: &Writer,
    (outcomes, facts): (Vec<Vec<Value>>, Vec<Vec<Value>>),
    keys: &[&str],
) -> Result<Finished, StoreError> {
    // `state + 0`: PostgreSQL takes the index of waiting events for nearly empty, because it was
    // when it last counted, and would go through all of a backlog instead of looking up the ids.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (id, lane, token, state, outcome, at, owner, site, issue, fact, told_by, key) \
               AS (VALUES {{rows}}), \
             finished AS (UPDATE event SET state = v.state, outcome = v.outcome, \
                 decided_at = v.at \
               FROM v WHERE event.id = v.id AND event.lane = v.lane AND event.state + 0 = {} \
               RETURNING event.id), \
             counted AS (UPDATE lane SET {COUNT_ONE_OUT} \
               FROM v JOIN finished ON finished.id = v.id \
               WHERE lane.key = v.lane AND lane.token = v.token AND lane.owner = v.owner \
               RETURNING lane.key, lane.pending), \
             told AS (INSERT INTO fact (site, issue, fact, event) \
               SELECT v.site, v.issue, v.fact, v.told_by \
               FROM v JOIN finished ON finished.id = v.told_by WHERE v.fact IS NOT NULL \
               ON CONFLICT (site, issue, fact) DO NOTHING) \
             SELECT finished.id, counted.pending, NULL \
               FROM finished JOIN v ON v.id = finished.id JOIN counted ON counted.key = v.lane \
             UNION ALL SELECT NULL, NULL, effect.key FROM v JOIN effect ON effect.key = v.key",
            EventState::Waiting.code(),
        )
    });
    let mut finished = Finished::default();
    let rows = side_by_side(writer, outcomes, facts, keys.len());
    let keys = keys.iter().map(|key| Value::from(*key));
    let keys = keys.chain(std::iter::repeat(TEXT));
    let args = rows.into_iter().zip(keys).flat_map(|(mut row, key)| {
        row.push(key);
        row
    });
    let (args, doing) = (args.collect(), "recording outcomes");
    for row in conn.rows_of_many(doing, &SQL, 12, args).await? {
        match row.int_or_null(0)? {
            Some(event) => {
                finished.left.insert(EventId(event), row.int(1)?);
            }
            None => {
                finished.existing.insert(row.text(2)?);
            }
        }
    }
    Ok(finished)
}

/// Two lists as one of at least `count` rows, with the owner between them.
fn side_by_side(
    writer: &Writer,
    outcomes: Vec<Vec<Value>>,
    facts: Vec<Vec<Value>>,
    count: usize,
) -> Vec<Vec<Value>> {
    let no_outcome = || vec![NUMBER, TEXT, NUMBER, NUMBER, TEXT, NUMBER];
    let no_fact = || vec![TEXT, TEXT, TEXT, NUMBER];
    let count = outcomes.len().max(facts.len()).max(count);
    let (mut outcomes, mut facts) = (outcomes.into_iter(), facts.into_iter());
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        let mut row = outcomes.next().unwrap_or_else(no_outcome);
        row.push(writer.owner.as_str().into());
        row.extend(facts.next().unwrap_or_else(no_fact));
        rows.push(row);
    }
    rows
}

/// Puts effects at the ends of their lanes; of the lists see [`Lists`](crate::sql::decide::Lists). Returns id, key and lease of those
/// whose lanes were idle and are held now: they are being attempted.
pub(super) async fn put(
    conn: &mut Conn,
    writer: &Writer,
    effects: Vec<(LaneKey, Vec<Value>)>,
    queues: &BTreeMap<LaneKey, Enqueue>,
) -> Result<Vec<HeldEffect>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (key, event, lane, connection, site, issue, act, at, place, first, items, \
               lane_connection, due_at, owner, token, until) AS (VALUES {{rows}}), \
             queued AS (INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, \
                 lease_until, failures) \
               SELECT lane, {}, lane_connection, items, due_at, owner, token, until, 0 \
               FROM v WHERE first = 1 ORDER BY lane COLLATE \"C\" {ADD_OR_TAKE}), \
             placed AS (SELECT v.*, \
                 v.first = 1 AND v.token <> 0 AND v.token = queued.token AS held \
               FROM v JOIN queued ON queued.key = v.lane), \
             stored AS (INSERT INTO effect (key, event, lane, connection, site, issue, act, \
                 state, doubtful, attempts, planned_at) \
               SELECT key, event, lane, connection, site, issue, act, \
                 CASE WHEN held THEN {} ELSE {} END, 0, CASE WHEN held THEN 1 ELSE 0 END, at \
               FROM placed ORDER BY place RETURNING id, key) \
             SELECT stored.id, stored.key, placed.token \
             FROM stored JOIN placed ON placed.key = stored.key WHERE placed.held",
            LaneKind::Effects.code(),
            EffectState::Attempting.code(),
            EffectState::Planned.code(),
        )
    });
    let mut proposals = Proposals(HashMap::new());
    let mut begun = HashSet::new();
    let mut args = Vec::with_capacity(effects.len() * 16);
    for (place, (lane, effect)) in (0_i64..).zip(effects) {
        args.extend(effect);
        args.extend(values![place]);
        let begins = begun.insert(lane.clone());
        match queues.get(&lane).filter(|_| begins) {
            Some(queue) => {
                let connection = queue.connection.as_str();
                args.extend(values![1, queue.items, connection, queue.at.0]);
                args.extend(proposals.add(writer, &lane, queue));
            }
            None => args.extend(values![0, 0, "", 0, "", 0, 0]),
        }
    }
    let mut taken = Vec::new();
    for row in conn.rows_of_many("storing effects", &SQL, 16, args).await? {
        if let Some(lease) = proposals.lease(Some(row.int(2)?)) {
            taken.push((EffectId(row.int(0)?), row.text(1)?, lease));
        }
    }
    Ok(taken)
}

/// Records how attempts ended, and counts what is settled out of the lanes that are still held.
/// `ends`: what `settle::END` names of each, then its attempt, then lane, token and owner if it is to
/// be counted. Returns the effects that the ends had a say in, and how many items are left in lanes.
pub(super) async fn settle(
    conn: &mut Conn,
    ends: Vec<Value>,
) -> Result<(HashSet<EffectId>, HashMap<LaneKey, i64>), StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v ({}, tried_effect, started_at, ended_at, outcome, detail, calls, \
               lane, token, owner) AS (VALUES {{rows}}), \
             changed AS ({} RETURNING effect.id), \
             attempted AS (INSERT INTO attempt (effect, started_at, ended_at, outcome, detail, \
                 calls) \
               SELECT v.id, v.started_at, v.ended_at, v.outcome, v.detail, v.calls \
               FROM v JOIN changed ON changed.id = v.id WHERE v.tried = 1), \
             counted AS (UPDATE lane SET {COUNT_ONE_OUT} \
               FROM v JOIN changed ON changed.id = v.id \
               WHERE lane.key = v.lane AND lane.token = v.token AND lane.owner = v.owner \
               RETURNING lane.key, lane.pending) \
             SELECT changed.id, counted.key, counted.pending \
               FROM changed JOIN v ON v.id = changed.id \
               LEFT JOIN counted ON counted.key = v.lane",
            settle::END,
            settle::UPDATE_EFFECTS,
        )
    });
    let (mut changed, mut left) = (HashSet::new(), HashMap::new());
    for row in conn
        .rows_of_many("settling effects", &SQL, 17, ends)
        .await?
    {
        changed.insert(EffectId(row.int(0)?));
        if let (Some(lane), Some(pending)) = (row.text_or_null(1)?, row.int_or_null(2)?) {
            left.insert(LaneKey::stored(lane), pending);
        }
    }
    Ok((changed, left))
}
