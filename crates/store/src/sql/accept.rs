//! Storing deliveries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use bowline_domain::ids::{EventId, LaneKey};
use bowline_domain::outcome::{Outcome, Reason};

use crate::committer::Writer;
use crate::db::{Conn, Dialect, Value, values};
use crate::error::StoreError;
use crate::model::{Accepted, EventState, IfUnlinked, LaneKind, Lease, NewEvent, OnArrival};
use crate::sql::at_once;
use crate::sql::decide::json;
use crate::sql::lanes::{self, Enqueue};

/// What names a delivery: source, connection, and the name the sender gave it, as one text. The
/// first two are words without spaces.
pub(super) fn name(event: &NewEvent) -> String {
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

/// What was stored of deliveries.
#[derive(Default)]
pub(super) struct Arrived {
    /// The ids of those that are new, in their order. Of two equal deliveries in one group, the first
    /// is.
    pub(super) ids: Vec<Option<EventId>>,
    /// Lanes of which nothing is to come.
    pub(super) quiet: HashSet<LaneKey>,
    /// Lanes that were idle and are held now.
    pub(super) leases: HashMap<LaneKey, Lease>,
}

/// Stores deliveries, each once, and puts those that are to be planned into their lanes. `eager`: of a
/// single one its lane is wanted before the delivery is durable.
pub(crate) async fn accept(
    conn: &mut Conn,
    writer: &Writer,
    events: &[&NewEvent],
    eager: bool,
) -> Result<Vec<Accepted>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut arrived = match conn.dialect() {
        Dialect::Sqlite => store(conn, writer, events).await?,
        Dialect::Postgres => at_once::accept(conn, writer, events, eager).await?,
    };
    let ids = std::mem::take(&mut arrived.ids);
    let mut answer = |(event, id): (&&NewEvent, Option<EventId>)| {
        let Some(id) = id else {
            return Accepted::Duplicate;
        };
        match how(event, &arrived.quiet) {
            Stored::Nothing(_) => Accepted::Decided { event: id },
            // One that is quarantined is not in the lane, so it is not the one to start with.
            Stored::Quarantined(_) => Accepted::Fresh {
                event: id,
                lease: None,
            },
            Stored::Waiting => Accepted::Fresh {
                event: id,
                lease: arrived.leases.remove(&event.lane),
            },
        }
    };
    Ok(events.iter().zip(ids).map(&mut answer).collect())
}

async fn store(
    conn: &mut Conn,
    writer: &Writer,
    events: &[&NewEvent],
) -> Result<Arrived, StoreError> {
    let quiet = quiet(conn, events).await?;
    let stored: Vec<Stored<'_>> = events.iter().map(|event| how(event, &quiet)).collect();
    let ids = insert(conn, events, &stored)?;
    let mut queues: BTreeMap<LaneKey, Enqueue> = BTreeMap::new();
    for ((event, stored), id) in events.iter().zip(&stored).zip(&ids) {
        if *stored == Stored::Waiting && id.is_some() {
            let queue = queues.entry(event.lane.clone());
            queue.or_insert_with(|| Enqueue::of_event(event)).items += 1;
        }
    }
    let leases = lanes::enqueue(conn, writer, &queues).await?;
    Ok(Arrived { ids, quiet, leases })
}

fn how<'e>(event: &'e NewEvent, quiet: &HashSet<LaneKey>) -> Stored<'e> {
    match &event.on_arrival {
        OnArrival::Quarantine(why) => Stored::Quarantined(why),
        OnArrival::NothingIfUnlinked(asked) if quiet.contains(&event.lane) => {
            Stored::Nothing(&asked.reason)
        }
        OnArrival::NothingIfUnlinked(_) | OnArrival::Queue => Stored::Waiting,
    }
}

/// Is there anything about an issue, `v`, for which its deliveries have to be planned? A link,
/// something that waits in its lane, an end user's request, feedback; or it was not looked through,
/// if that is asked. All of it is seen at one moment, so that an event that waits and may make a link
/// is never overtaken: a link and the end of the wait are committed together.
pub(super) const BUSY: &str = "( \
    EXISTS (SELECT 1 FROM link WHERE link.site = v.site AND link.issue = v.issue) \
    OR EXISTS (SELECT 1 FROM request WHERE request.site = v.site AND request.issue = v.issue) \
    OR EXISTS (SELECT 1 FROM ticket WHERE ticket.site = v.site AND ticket.issue = v.issue) \
    OR EXISTS (SELECT 1 FROM lane WHERE lane.key = v.lane AND lane.pending > 0) \
    OR (v.scanned_in IS NOT NULL AND NOT EXISTS (SELECT 1 FROM issue \
      WHERE issue.site = v.site AND issue.issue = v.issue AND issue.scanned = 1 \
        AND issue.project = v.scanned_in)))";

/// The lanes of those issues that are asked for about which there is nothing.
async fn quiet(conn: &mut Conn, events: &[&NewEvent]) -> Result<HashSet<LaneKey>, StoreError> {
    // It finds the others: as a rule there are none.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (lane, site, issue, scanned_in) AS (VALUES {{rows}}) \
             SELECT v.lane FROM v WHERE v.lane IS NOT NULL AND {BUSY}"
        )
    });
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
    let mut quiet: HashSet<LaneKey> = asked.into_keys().cloned().collect();
    for row in conn
        .rows_of_many("looking for links", &SQL, 4, args)
        .await?
    {
        quiet.remove(&LaneKey::stored(row.text(0)?));
    }
    Ok(quiet)
}

/// The outcome of a delivery about an issue of which there is nothing, as it is stored.
pub(super) fn nothing(reason: &Reason) -> Result<String, StoreError> {
    json(&Outcome::nothing(reason.clone()))
}

/// What is to be looked up, by lane. Of a lane that another delivery of the group is to wait in,
/// or of which different things are asked, nothing: all of its deliveries wait.
pub(super) fn asked<'e>(events: &[&'e NewEvent]) -> BTreeMap<&'e LaneKey, &'e IfUnlinked> {
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

/// Source, connection, name, lane, topic and time of a delivery.
pub(super) fn what_came(event: &NewEvent) -> Vec<Value> {
    values![
        event.source.as_str(),
        event.connection.key(),
        event.delivery.as_str(),
        event.lane.as_str(),
        event.topic.as_str(),
        event.received_at.0,
    ]
}

fn insert(
    conn: &mut Conn,
    events: &[&NewEvent],
    stored: &[Stored<'_>],
) -> Result<Vec<Option<EventId>>, StoreError> {
    const SQL: &str = "INSERT INTO event \
        (source, connection, delivery, lane, topic, received_at, state, outcome, decided_at, body) \
        {inserted} ON CONFLICT (connection, source, delivery) DO NOTHING";
    let mut args = Vec::with_capacity(events.len() * 10);
    for (event, stored) in events.iter().zip(stored) {
        let (state, outcome, decided_at) = match stored {
            Stored::Waiting => (EventState::Waiting, None, None),
            Stored::Quarantined(why) => (EventState::Quarantined, Some((*why).to_owned()), None),
            Stored::Nothing(reason) => (
                EventState::Decided,
                Some(nothing(reason)?),
                Some(event.received_at.0),
            ),
        };
        args.extend(what_came(event));
        args.extend(values![state.code(), outcome, decided_at, &event.body]);
    }
    let ids = conn.ids_of_new("storing deliveries", SQL, 10, &args)?;
    Ok(ids.into_iter().map(|id| id.map(EventId)).collect())
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
