//! Storing deliveries.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use bowline_domain::ids::{EventId, LaneKey};

use super::Proposals;
use crate::committer::Writer;
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::many::Forms;
use crate::model::{EventState, LaneKind, NewEvent, OnArrival};
use crate::sql::accept::{self, Arrived};
use crate::sql::lanes::{ADD_OR_TAKE, Enqueue};

/// What is asked for with a single delivery so that its commit does not wait for the disk, if it takes
/// its lane. Somebody waits for that then, to read what the delivery is about, while the disk does its
/// part ([`Conn::owe_durability`]). What follows from it cannot be durable before it: the log is in order.
const SOON: &str = "CASE WHEN $15 <> 0 AND $15 = (SELECT token FROM queued) \
    THEN set_config('synchronous_commit', 'off', true) END";

/// The statement about a single delivery, whose values stand in the order in which the list names them.
fn one(besides: &str) -> String {
    format!(
        "WITH seen AS MATERIALIZED (SELECT v.site IS NOT NULL AND NOT {} AS quiet \
           FROM (VALUES ($4, $10, $11, $12)) AS v (lane, site, issue, scanned_in)), \
         stored AS (INSERT INTO event (source, connection, delivery, lane, topic, \
             received_at, state, outcome, decided_at, body) \
           SELECT $1, $2, $3, $4, $5, $6, \
             CASE WHEN quiet THEN {decided} ELSE $7 END, \
             CASE WHEN quiet THEN $13 ELSE $8 END, CASE WHEN quiet THEN $6 END, $9 \
           FROM seen ON CONFLICT (connection, source, delivery) DO NOTHING \
           RETURNING id, state), \
         queued AS (INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, \
             lease_until, failures) \
           SELECT $4, {events}, $2, 1, $6, $14, $15, $16, 0 \
           FROM stored WHERE state = {waiting} {ADD_OR_TAKE}) \
         SELECT id, $1 || ' ' || $2 || ' ' || $3, $4, state, (SELECT token FROM queued), {besides} \
         FROM stored",
        accept::BUSY,
        decided = EventState::Decided.code(),
        waiting = EventState::Waiting.code(),
        events = LaneKind::Events.code(),
    )
}

/// Stores deliveries, decides those of which nothing is to come, and puts the others into lanes. `eager`:
/// of a single one its lane is wanted before the delivery is durable.
pub(in crate::sql) async fn accept(
    conn: &mut Conn,
    writer: &Writer,
    events: &[&NewEvent],
    eager: bool,
) -> Result<Arrived, StoreError> {
    static LIST: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (source, connection, delivery, lane, topic, at, state, why, body, \
               site, issue, scanned_in, nothing, owner, token, until) AS (VALUES {{rows}}), \
             seen AS MATERIALIZED (SELECT v.*, v.site IS NOT NULL AND NOT {} AS quiet FROM v \
               WHERE v.source IS NOT NULL), \
             stored AS (INSERT INTO event (source, connection, delivery, lane, topic, \
                 received_at, state, outcome, decided_at, body) \
               SELECT source, connection, delivery, lane, topic, at, \
                 CASE WHEN quiet THEN {decided} ELSE state END, \
                 CASE WHEN quiet THEN nothing ELSE why END, \
                 CASE WHEN quiet THEN at END, body FROM seen \
               ON CONFLICT (connection, source, delivery) DO NOTHING \
               RETURNING id, lane, state, \
                 source || ' ' || connection || ' ' || delivery AS name), \
             queued AS (INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, \
                 lease_until, failures) \
               SELECT wanted.lane, {events}, wanted.connection, waiting.items, wanted.at, \
                 wanted.owner, wanted.token, wanted.until, 0 \
               FROM (SELECT lane, COUNT(*) AS items FROM stored WHERE state = {waiting} \
                   GROUP BY lane) AS waiting \
                 JOIN (SELECT lane, MIN(connection) AS connection, MIN(at) AS at, \
                     MAX(owner) AS owner, MAX(token) AS token, MAX(until) AS until \
                   FROM seen GROUP BY lane) AS wanted ON wanted.lane = waiting.lane \
               ORDER BY wanted.lane COLLATE \"C\" {ADD_OR_TAKE}) \
             SELECT stored.id, stored.name, stored.lane, stored.state, queued.token \
             FROM stored LEFT JOIN queued ON queued.key = stored.lane",
            accept::BUSY,
            decided = EventState::Decided.code(),
            waiting = EventState::Waiting.code(),
            events = LaneKind::Events.code(),
        )
    });
    static ONE: LazyLock<String> = LazyLock::new(|| one("NULL"));
    static ONE_SOON: LazyLock<String> = LazyLock::new(|| one(SOON));
    // Within a transaction it would hold for all of that.
    let soon = eager && conn.is_due();
    let forms = Forms {
        list: &LIST,
        one: if soon { &ONE_SOON } else { &ONE },
    };
    let asked = accept::asked(events);
    let mut proposals = Proposals(HashMap::new());
    let mut lanes: BTreeMap<&LaneKey, [Value; 3]> = BTreeMap::new();
    let mut args = Vec::with_capacity(events.len() * 16);
    for event in events {
        let (state, why) = match &event.on_arrival {
            OnArrival::Quarantine(why) => (EventState::Quarantined, Some(why.clone())),
            OnArrival::Queue | OnArrival::NothingIfUnlinked(_) => (EventState::Waiting, None),
        };
        args.extend(accept::what_came(event));
        args.extend(values![state.code(), why, &event.body]);
        let about = asked.get(&event.lane);
        args.extend(values![
            about.map(|about| about.site.as_str().to_owned()),
            about.map(|about| about.issue.as_str().to_owned()),
            about.and_then(|about| Some(about.scanned_in.as_ref()?.as_str().to_owned())),
            about
                .map(|about| accept::nothing(&about.reason))
                .transpose()?,
        ]);
        let lane = lanes.entry(&event.lane).or_insert_with(|| {
            let queue = Enqueue::of_event(event);
            proposals.add(writer, &event.lane, &queue)
        });
        args.extend(lane.iter().cloned());
    }
    let mut arrived = Arrived::default();
    let mut ids = HashMap::with_capacity(events.len());
    let mut durable = true;
    for row in conn
        .only_rows_of_many("storing deliveries", forms, 16, args)
        .await?
    {
        ids.insert(row.text(1)?, EventId(row.int(0)?));
        let lane = LaneKey::stored(row.text(2)?);
        if row.int(3)? == EventState::Decided.code() {
            arrived.quiet.insert(lane);
        } else if let Some(lease) = proposals.lease(row.int_or_null(4)?) {
            durable &= !soon;
            arrived.leases.insert(lane, lease);
        }
    }
    if !durable || ids.is_empty() {
        // Where all were stored before, that may have been a moment ago, and not be durable yet.
        conn.owe_durability();
    }
    let each = events.iter().map(|event| ids.remove(&accept::name(event)));
    arrived.ids = each.collect();
    Ok(arrived)
}
