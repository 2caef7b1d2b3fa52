//! Storing deliveries.

use std::collections::{BTreeMap, HashMap};

use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::outcome::{Outcome, Reason};

use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::{Accepted, EventState, IfUnlinked, LaneKind, NewEvent, OnArrival};
use crate::sql::decide::json;
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

/// How an event is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored<'e> {
    Waiting,
    Quarantined(&'e str),
    /// There is nothing to do about it.
    Nothing(&'e Reason),
}

/// Stores deliveries, each once, and puts those that are to be planned into their lanes.
pub(crate) async fn accept(
    conn: &mut Conn,
    writer: &Writer,
    events: &[&NewEvent],
) -> Result<Vec<Accepted>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let unlinked = unlinked(conn, events).await?;
    let stored: Vec<Stored<'_>> = events.iter().map(|event| how(event, &unlinked)).collect();
    let mut ids = insert(conn, events, &stored).await?;
    // Of two equal deliveries in one group, the first is the fresh one.
    let fresh: Vec<Option<EventId>> = events
        .iter()
        .map(|event| ids.remove(&name(event)))
        .collect();

    let mut queues: BTreeMap<LaneKey, Enqueue> = BTreeMap::new();
    for ((event, id), stored) in events.iter().zip(&fresh).zip(&stored) {
        if id.is_none() || *stored != Stored::Waiting {
            continue;
        }
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
        .zip(stored)
        .map(|((event, id), stored)| match (id, stored) {
            (None, _) => Accepted::Duplicate,
            (Some(event), Stored::Nothing(_)) => Accepted::Decided { event },
            // One that is quarantined is not in the lane, so it is not the one to start with.
            (Some(event), Stored::Quarantined(_)) => Accepted::Fresh { event, lease: None },
            (Some(id), Stored::Waiting) => Accepted::Fresh {
                event: id,
                lease: leases.remove(&event.lane),
            },
        })
        .collect())
}

fn how<'e>(event: &'e NewEvent, unlinked: &HashMap<&LaneKey, Unlinked>) -> Stored<'e> {
    match &event.on_arrival {
        OnArrival::Queue => Stored::Waiting,
        OnArrival::Quarantine(why) => Stored::Quarantined(why),
        OnArrival::NothingIfUnlinked(asked) => match unlinked.get(&event.lane) {
            Some(found) if found.is_as(asked) => Stored::Nothing(&asked.reason),
            _ => Stored::Waiting,
        },
    }
}

/// What is known of an issue that has no link and in whose lane nothing waits.
struct Unlinked {
    /// The project in which it was looked through.
    scanned_in: Option<String>,
}

impl Unlinked {
    fn is_as(&self, asked: &IfUnlinked) -> bool {
        asked
            .scanned_in
            .as_ref()
            .is_none_or(|wanted| self.scanned_in.as_deref() == Some(wanted.as_str()))
    }
}

/// Which of the issues that are asked for have neither a link nor anything waiting in their lanes,
/// and are no end user's request, by lane. All of it is seen at one moment, so that an event that
/// waits and may make a link is never overtaken: a link and the end of the wait are committed
/// together.
async fn unlinked<'e>(
    conn: &mut Conn,
    events: &[&'e NewEvent],
) -> Result<HashMap<&'e LaneKey, Unlinked>, StoreError> {
    const SQL: &str = "WITH v (lane, site, issue) AS (VALUES {rows}) \
        SELECT v.lane, issue.project, issue.scanned FROM v \
        LEFT JOIN issue ON issue.site = v.site AND issue.issue = v.issue \
        WHERE v.lane IS NOT NULL \
          AND NOT EXISTS (SELECT 1 FROM link WHERE link.site = v.site AND link.issue = v.issue) \
          AND NOT EXISTS (SELECT 1 FROM request \
            WHERE request.site = v.site AND request.issue = v.issue) \
          AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.key = v.lane AND lane.pending > 0)";
    let mut asked: BTreeMap<&LaneKey, &IfUnlinked> = BTreeMap::new();
    for event in events {
        if let OnArrival::NothingIfUnlinked(about) = &event.on_arrival {
            asked.insert(&event.lane, about);
        }
    }
    for event in events {
        if event.on_arrival == OnArrival::Queue {
            asked.remove(&event.lane);
        }
    }
    let args = asked
        .iter()
        .flat_map(|(lane, about)| values![lane.as_str(), about.site.as_str(), about.issue.as_str()])
        .collect();
    let mut by_name: HashMap<&str, &LaneKey> =
        asked.keys().map(|lane| (lane.as_str(), *lane)).collect();
    let mut found = HashMap::with_capacity(asked.len());
    for row in conn.rows_of_many("looking for links", SQL, 3, args).await? {
        let Some(lane) = by_name.remove(row.text(0)?.as_str()) else {
            continue;
        };
        let scanned = row.int_or_null(2)?.is_some_and(|scanned| scanned != 0);
        let scanned_in = row.text_or_null(1)?.filter(|_| scanned);
        found.insert(lane, Unlinked { scanned_in });
    }
    Ok(found)
}

async fn insert(
    conn: &mut Conn,
    events: &[&NewEvent],
    stored: &[Stored<'_>],
) -> Result<HashMap<Name, EventId>, StoreError> {
    const SQL: &str = "INSERT INTO event \
        (source, connection, delivery, lane, topic, received_at, state, outcome, decided_at, body) \
        {inserted} \
        ON CONFLICT (connection, source, delivery) DO NOTHING \
        RETURNING id, connection, source, delivery";
    let mut args = Vec::with_capacity(events.len() * 10);
    for (event, stored) in events.iter().zip(stored) {
        let (state, outcome, decided_at) = match stored {
            Stored::Waiting => (EventState::Waiting, None, None),
            Stored::Quarantined(why) => (EventState::Quarantined, Some((*why).to_owned()), None),
            Stored::Nothing(reason) => (
                EventState::Decided,
                Some(json(&Outcome::nothing((*reason).clone()))?),
                Some(event.received_at.0),
            ),
        };
        args.extend(values![
            event.source.as_str(),
            event.connection.key(),
            event.delivery.as_str(),
            event.lane.as_str(),
            event.topic.as_str(),
            event.received_at.0,
            state.code(),
            outcome,
            decided_at,
            event.body.as_str(),
        ]);
    }
    let mut ids = HashMap::with_capacity(events.len());
    for row in conn
        .rows_of_many("storing deliveries", SQL, 10, args)
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
