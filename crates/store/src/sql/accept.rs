//! Storing deliveries.

use std::collections::{BTreeMap, HashMap};

use bowline_domain::ids::{EventId, LaneKey};

use crate::committer::Writer;
use crate::db::{Conn, chunks, values, with_rows};
use crate::error::StoreError;
use crate::model::{Accepted, EventState, LaneKind, NewEvent};
use crate::sql::lanes::{self, Enqueue};

/// What names a delivery: connection, source, and the name the sender gave it.
type Name = (String, &'static str, String);

fn name(event: &NewEvent) -> Name {
    (
        event.connection.key(),
        event.source.as_str(),
        event.delivery.clone(),
    )
}

/// Stores deliveries, each once, and puts the new ones into their lanes.
pub(crate) async fn accept(
    conn: &mut Conn,
    writer: &Writer,
    events: &[&NewEvent],
) -> Result<Vec<Accepted>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = insert(conn, events).await?;
    // Of two equal deliveries in one group, the first is the fresh one.
    let fresh: Vec<Option<EventId>> = events
        .iter()
        .map(|event| ids.remove(&name(event)))
        .collect();

    let mut queues: BTreeMap<LaneKey, Enqueue> = BTreeMap::new();
    for (event, _) in events
        .iter()
        .zip(&fresh)
        .filter(|(event, id)| id.is_some() && event.quarantine.is_none())
    {
        let queue = queues.entry(event.lane.clone()).or_insert_with(|| Enqueue {
            kind: LaneKind::Events,
            connection: event.connection.key(),
            items: 0,
            at: event.received_at,
            take: event.take,
        });
        queue.items += 1;
    }
    let mut leases = lanes::enqueue(conn, writer, &queues).await?;
    Ok(events
        .iter()
        .zip(fresh)
        .map(|(event, id)| match id {
            // One that is quarantined is not in the lane, so it is not the one to start with.
            Some(id) if event.quarantine.is_some() => Accepted::Fresh {
                event: id,
                lease: None,
            },
            Some(id) => Accepted::Fresh {
                event: id,
                lease: leases.remove(&event.lane),
            },
            None => Accepted::Duplicate,
        })
        .collect())
}

async fn insert(
    conn: &mut Conn,
    events: &[&NewEvent],
) -> Result<HashMap<Name, EventId>, StoreError> {
    const SQL: &str = "INSERT INTO event \
        (source, connection, delivery, lane, topic, received_at, state, outcome, body) \
        VALUES {rows} \
        ON CONFLICT (connection, source, delivery) DO NOTHING \
        RETURNING id, connection, source, delivery";
    let mut ids = HashMap::with_capacity(events.len());
    for chunk in chunks(events) {
        let mut args = Vec::with_capacity(chunk.len() * 9);
        for event in chunk {
            let state = if event.quarantine.is_some() {
                EventState::Quarantined
            } else {
                EventState::Waiting
            };
            args.extend(values![
                event.source.as_str(),
                event.connection.key(),
                event.delivery.as_str(),
                event.lane.as_str(),
                event.topic.as_str(),
                event.received_at.0,
                state.code(),
                event.quarantine.clone(),
                event.body.as_str(),
            ]);
        }
        for row in conn
            .rows("storing deliveries", &with_rows(SQL, chunk.len(), 9), args)
            .await?
        {
            let source = row.text(2)?;
            let source = crate::model::EventSource::from_word(&source)
                .ok_or_else(|| StoreError::unreadable("an event's source", &source))?;
            ids.insert(
                (row.text(1)?, source.as_str(), row.text(3)?),
                EventId(row.int(0)?),
            );
        }
    }
    Ok(ids)
}

/// Puts an event that is decided or quarantined back among the waiting.
pub(crate) async fn replay(
    conn: &mut Conn,
    writer: &Writer,
    event: EventId,
    now: bowline_domain::time::Millis,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE event SET state = 0, outcome = NULL, decided_at = NULL \
        WHERE id = $1 AND state <> 0 RETURNING lane, connection";
    let rows = conn
        .rows("putting an event back", SQL, values![event.0])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let queue = Enqueue {
        kind: LaneKind::Events,
        connection: row.text(1)?,
        items: 1,
        at: now,
        take: false,
    };
    let queues = BTreeMap::from([(LaneKey::stored(row.text(0)?), queue)]);
    lanes::enqueue(conn, writer, &queues).await?;
    Ok(true)
}
