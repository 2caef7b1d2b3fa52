//! Storing deliveries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::outcome::{Outcome, Reason};

use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::{Accepted, EventState, IfUnlinked, LaneKind, NewEvent, OnArrival};
use crate::sql::decide::json;
use crate::sql::lanes::{self, Enqueue};

/// What names a delivery: source, connection, and the name the sender gave it, as one text. The
/// first two are words without spaces.
fn name(event: &NewEvent) -> String {
    let (source, connection) = (event.source.as_str(), event.connection.key());
    format!("{source} {connection} {}", event.delivery)
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
    let quiet = quiet(conn, events).await?;
    let stored: Vec<Stored<'_>> = events.iter().map(|event| how(event, &quiet)).collect();
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

fn how<'e>(event: &'e NewEvent, quiet: &HashSet<&LaneKey>) -> Stored<'e> {
    match &event.on_arrival {
        OnArrival::Quarantine(why) => Stored::Quarantined(why),
        OnArrival::NothingIfUnlinked(asked) if quiet.contains(&event.lane) => {
            Stored::Nothing(&asked.reason)
        }
        OnArrival::NothingIfUnlinked(_) | OnArrival::Queue => Stored::Waiting,
    }
}

/// Which of the issues that are asked for have neither a link nor anything waiting in their lanes,
/// are no end user's request, and were looked through if that is asked, by lane. All of it is seen
/// at one moment, so that an event that waits and may make a link is never overtaken: a link and
/// the end of the wait are committed together.
async fn quiet<'e>(
    conn: &mut Conn,
    events: &[&'e NewEvent],
) -> Result<HashSet<&'e LaneKey>, StoreError> {
    // It finds the others: as a rule there are none, and a row that comes back costs a change
    // between threads.
    const SQL: &str = "WITH v (lane, site, issue, scanned_in) AS (VALUES {rows}) \
        SELECT v.lane FROM v \
        LEFT JOIN issue ON issue.site = v.site AND issue.issue = v.issue \
        WHERE v.lane IS NOT NULL AND ( \
          EXISTS (SELECT 1 FROM link WHERE link.site = v.site AND link.issue = v.issue) \
          OR EXISTS (SELECT 1 FROM request \
            WHERE request.site = v.site AND request.issue = v.issue) \
          OR EXISTS (SELECT 1 FROM ticket \
            WHERE ticket.site = v.site AND ticket.issue = v.issue) \
          OR EXISTS (SELECT 1 FROM lane WHERE lane.key = v.lane AND lane.pending > 0) \
          OR (v.scanned_in IS NOT NULL AND (issue.scanned IS NULL OR issue.scanned = 0 \
            OR issue.project IS NULL OR issue.project <> v.scanned_in)))";
    let asked = asked(events);
    let args = asked
        .iter()
        .flat_map(|(lane, about)| {
            values![
                lane.as_str(),
                about.site.as_str(),
                about.issue.as_str(),
                about
                    .scanned_in
                    .as_ref()
                    .map(|project| project.as_str().to_owned()),
            ]
        })
        .collect();
    let mut quiet: HashSet<&LaneKey> = asked.into_keys().collect();
    for row in conn.rows_of_many("looking for links", SQL, 4, args).await? {
        quiet.remove(&LaneKey::stored(row.text(0)?));
    }
    Ok(quiet)
}

/// What is to be looked up, by lane. Of a lane that another delivery of the group is to wait in,
/// or of which different things are asked, nothing: all of its deliveries wait.
fn asked<'e>(events: &[&'e NewEvent]) -> BTreeMap<&'e LaneKey, &'e IfUnlinked> {
    let mut asked: BTreeMap<&LaneKey, &IfUnlinked> = BTreeMap::new();
    let mut waiting: BTreeSet<&LaneKey> = BTreeSet::new();
    for event in events {
        match &event.on_arrival {
            OnArrival::Quarantine(_) => {}
            OnArrival::Queue => {
                waiting.insert(&event.lane);
            }
            OnArrival::NothingIfUnlinked(about) => {
                let first = asked.entry(&event.lane).or_insert(about);
                if first.scanned_in != about.scanned_in {
                    waiting.insert(&event.lane);
                }
            }
        }
    }
    asked.retain(|lane, _| !waiting.contains(lane));
    asked
}

async fn insert(
    conn: &mut Conn,
    events: &[&NewEvent],
    stored: &[Stored<'_>],
) -> Result<HashMap<String, EventId>, StoreError> {
    const SQL: &str = "INSERT INTO event \
        (source, connection, delivery, lane, topic, received_at, state, outcome, decided_at, body) \
        {inserted} \
        ON CONFLICT (connection, source, delivery) DO NOTHING \
        RETURNING id, source || ' ' || connection || ' ' || delivery";
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
            &event.body,
        ]);
    }
    let mut ids = HashMap::with_capacity(events.len());
    for row in conn
        .rows_of_many("storing deliveries", SQL, 10, args)
        .await?
    {
        ids.insert(row.text(1)?, EventId(row.int(0)?));
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

#[cfg(test)]
mod tests {
    use bowline_domain::connection::Connection;
    use bowline_domain::ids::{IssueId, ProjectKey, SiteName};
    use bowline_domain::time::Millis;

    use super::*;
    use crate::model::EventSource;

    fn delivery(issue: &str, on_arrival: OnArrival) -> NewEvent {
        let site = SiteName::new("acme-jira");
        NewEvent {
            source: EventSource::Jira,
            connection: Connection::Site(site.clone()),
            delivery: "d1".to_owned(),
            lane: LaneKey::events(&site, &IssueId::new(issue)),
            topic: "jira:issue_updated".to_owned(),
            received_at: Millis(1),
            body: "{}".into(),
            take: true,
            on_arrival,
        }
    }

    fn if_unlinked(issue: &str, scanned_in: &str) -> OnArrival {
        OnArrival::NothingIfUnlinked(IfUnlinked {
            site: SiteName::new("acme-jira"),
            issue: IssueId::new(issue),
            scanned_in: Some(ProjectKey::new(scanned_in)),
            reason: Reason::NotLinked,
        })
    }

    #[test]
    fn deliveries_of_one_issue_are_decided_together_or_wait_together() {
        let events = [
            delivery("1", if_unlinked("1", "ENG")),
            delivery("2", if_unlinked("2", "ENG")),
            delivery("2", OnArrival::Queue),
            delivery("3", if_unlinked("3", "ENG")),
            delivery("3", if_unlinked("3", "OPS")),
            delivery("4", OnArrival::Quarantine("unknown".to_owned())),
            delivery("4", if_unlinked("4", "ENG")),
        ];
        let events: Vec<&NewEvent> = events.iter().collect();
        let asked = asked(&events);
        let issues: Vec<&str> = asked.values().map(|about| about.issue.as_str()).collect();
        assert_eq!(issues, ["1", "4"]);
    }
}
