//! Committing plain decisions.

use std::collections::HashMap;
use std::sync::LazyLock;

use bowline_domain::effect::EffectState;
use bowline_domain::ids::{EffectId, EventId};

use super::{NUMBER, Proposals, TEXT, side_by_side};
use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::many::Forms;
use crate::model::{EventState, LaneKind};
use crate::sql::decide::Lists;
use crate::sql::effects::HeldEffect;
use crate::sql::lanes::{ADD_OR_TAKE, COUNT_ONE_OUT};

/// What became of plain decisions.
#[derive(Default)]
pub(in crate::sql) struct Committed {
    /// How many items are left in the lanes of those whose events waited there, by event.
    pub(in crate::sql) left: HashMap<EventId, i64>,
    /// The effects that are being attempted.
    pub(in crate::sql) held: Vec<HeldEffect>,
}

/// Commits decisions that change nothing but the outcome of their event, facts and lanes, and put at
/// most one effect into a lane: lanes are locked, events finished, effects that are not there yet
/// stored. A decision whose lane is not held under its lease, or whose event does not wait, leaves
/// nothing.
pub(in crate::sql) async fn decide(
    conn: &mut Conn,
    writer: &Writer,
    lists: Lists,
) -> Result<Committed, StoreError> {
    static LIST: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (id, lane, lease, state, outcome, at, owner, site, issue, fact, told_by, \
               key, event, effect_lane, connection, effect_site, effect_issue, act, planned_at, \
               place, due_at, proposer, token, until) AS (VALUES {{rows}}), \
             locked AS MATERIALIZED (SELECT key, owner, token FROM lane \
               WHERE key IN (SELECT lane FROM v UNION ALL SELECT effect_lane FROM v) \
               ORDER BY key COLLATE \"C\" FOR UPDATE), \
             finished AS (UPDATE event SET state = v.state, outcome = v.outcome, \
                 decided_at = v.at \
               FROM v JOIN locked ON locked.key = v.lane AND locked.token = v.lease \
                 AND locked.owner = v.owner \
               WHERE event.id = v.id AND event.lane = v.lane AND event.state + 0 = {waiting} \
               RETURNING event.id), \
             counted AS (UPDATE lane SET {COUNT_ONE_OUT} \
               FROM v JOIN finished ON finished.id = v.id WHERE lane.key = v.lane \
               RETURNING lane.key, lane.pending), \
             told AS (INSERT INTO fact (site, issue, fact, event) \
               SELECT v.site, v.issue, v.fact, v.told_by \
               FROM v JOIN finished ON finished.id = v.told_by WHERE v.fact IS NOT NULL \
               ON CONFLICT (site, issue, fact) DO NOTHING), \
             new AS MATERIALIZED (SELECT v.* FROM v JOIN finished ON finished.id = v.event \
               WHERE NOT EXISTS (SELECT 1 FROM effect WHERE effect.key = v.key)), \
             queued AS (INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, \
                 lease_until, failures) \
               SELECT effect_lane, {effects}, connection, 1, due_at, proposer, token, until, 0 \
               FROM new ORDER BY effect_lane COLLATE \"C\" {ADD_OR_TAKE}), \
             placed AS (SELECT new.*, new.token <> 0 AND new.token = queued.token AS held \
               FROM new JOIN queued ON queued.key = new.effect_lane), \
             stored AS (INSERT INTO effect (key, event, lane, connection, site, issue, act, \
                 state, doubtful, attempts, planned_at) \
               SELECT key, event, effect_lane, connection, effect_site, effect_issue, act, \
                 CASE WHEN held THEN {attempting} ELSE {planned} END, 0, \
                 CASE WHEN held THEN 1 ELSE 0 END, planned_at \
               FROM placed ORDER BY place RETURNING id, key) \
             SELECT finished.id, counted.pending, NULL, NULL \
               FROM finished JOIN v ON v.id = finished.id JOIN counted ON counted.key = v.lane \
             UNION ALL SELECT NULL, stored.id, stored.key, placed.token \
               FROM stored JOIN placed ON placed.key = stored.key WHERE placed.held",
            waiting = EventState::Waiting.code(),
            effects = LaneKind::Effects.code(),
            attempting = EffectState::Attempting.code(),
            planned = EffectState::Planned.code(),
        )
    });
    // The values in the order in which the list names them. `BOOL_OR` looks at all that is locked, so
    // both lanes are locked, in their order, before anything is changed.
    static ONE: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH locked AS MATERIALIZED (SELECT key, owner, token FROM lane \
               WHERE key IN ($2, $14) ORDER BY key COLLATE \"C\" FOR UPDATE), \
             finished AS (UPDATE event SET state = $4, outcome = $5, decided_at = $6 \
               WHERE id = $1 AND lane = $2 AND state + 0 = {waiting} \
                 AND (SELECT BOOL_OR(key = $2 AND token = $3 AND owner = $7) FROM locked) \
               RETURNING id), \
             counted AS (UPDATE lane SET {COUNT_ONE_OUT} FROM finished WHERE lane.key = $2 \
               RETURNING lane.pending), \
             told AS (INSERT INTO fact (site, issue, fact, event) \
               SELECT $8, $9, $10, $11 FROM finished WHERE $10 IS NOT NULL AND id = $11 \
               ON CONFLICT (site, issue, fact) DO NOTHING), \
             queued AS (INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, \
                 lease_until, failures) \
               SELECT $14, {effects}, $15, 1, $21, $22, $23, $24, 0 \
               FROM finished WHERE $12 IS NOT NULL AND id = $13 \
                 AND NOT EXISTS (SELECT 1 FROM effect WHERE effect.key = $12) {ADD_OR_TAKE}), \
             stored AS (INSERT INTO effect (key, event, lane, connection, site, issue, act, \
                 state, doubtful, attempts, planned_at) \
               SELECT $12, $13, $14, $15, $16, $17, $18, \
                 CASE WHEN held THEN {attempting} ELSE {planned} END, 0, \
                 CASE WHEN held THEN 1 ELSE 0 END, $19 \
               FROM (SELECT $23 <> 0 AND token = $23 AS held FROM queued) AS placed \
               RETURNING id, state) \
             SELECT finished.id, counted.pending, NULL, NULL FROM finished, counted \
             UNION ALL SELECT NULL, stored.id, $12, $23 \
               FROM stored WHERE stored.state = {attempting}",
            waiting = EventState::Waiting.code(),
            effects = LaneKind::Effects.code(),
            attempting = EffectState::Attempting.code(),
            planned = EffectState::Planned.code(),
        )
    });
    let forms = Forms {
        list: &LIST,
        one: &ONE,
    };
    let no_effect = || {
        let effect = [TEXT, NUMBER, TEXT, TEXT, TEXT, TEXT, TEXT, NUMBER];
        let queue = [NUMBER, NUMBER, TEXT, NUMBER, NUMBER];
        effect.into_iter().chain(queue)
    };
    let mut proposals = Proposals(HashMap::new());
    let rows = side_by_side(writer, lists.outcomes, lists.facts, lists.effects.len());
    let mut effects = (0_i64..).zip(lists.effects);
    let mut args = Vec::with_capacity(rows.len() * 24);
    for row in rows {
        args.extend(row);
        let Some((place, (lane, effect))) = effects.next() else {
            args.extend(no_effect());
            continue;
        };
        let queue = lists.queues.get(&lane);
        args.extend(effect);
        args.extend(values![place, queue.map(|queue| queue.at.0)]);
        match queue {
            Some(queue) => args.extend(proposals.add(writer, &lane, queue)),
            None => args.extend(values!["", 0, 0]),
        }
    }
    let mut committed = Committed::default();
    let doing = "recording outcomes";
    for row in conn.only_rows_of_many(doing, forms, 24, args).await? {
        let number = row.int(1)?;
        match row.int_or_null(0)? {
            Some(event) => {
                committed.left.insert(EventId(event), number);
            }
            None => {
                if let Some(lease) = proposals.lease(row.int_or_null(3)?) {
                    let effect = (EffectId(number), row.text(2)?, lease);
                    committed.held.push(effect);
                }
            }
        }
    }
    Ok(committed)
}
