//! Deliveries, a page at a time.
//!
//! Deliveries of a lane are found by an index. Anything else goes back through them by number, and
//! gives up after [`LOOKED_THROUGH_MAX`] of them: the answer then says where to go on, and a page
//! takes equally long with a hundred thousand rows and with a hundred million.

use std::collections::HashMap;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName};
use bowline_domain::time::Millis;

use crate::browse::{
    AnswerFilter, DeliveryFilter, DeliveryPage, DeliveryRow, IssueLabel, OutcomeFilter,
};
use crate::db::{Conn, ROWS_MAX, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::model::{EventSource, EventState};
use crate::sql::views::{Conditions, read_became};

/// Deliveries that one page goes back through at most.
const LOOKED_THROUGH_MAX: i64 = 20_000;

pub(crate) async fn page(
    conn: &mut Conn,
    filter: &DeliveryFilter,
) -> Result<DeliveryPage, StoreError> {
    let (first, end) = bounds(conn, filter).await?;
    let indexed = filter.lanes.is_some();
    let start = if indexed {
        first
    } else {
        first.max(end.saturating_sub(LOOKED_THROUGH_MAX))
    };
    let mut conditions = Conditions::default();
    conditions.add("event.id >= ?", start);
    conditions.add("event.id < ?", end);
    narrow(&mut conditions, filter);
    let sql = conditions.latest_events(
        "id, source, connection, lane, topic, received_at, state, outcome, decided_at",
        indexed,
        filter.limit + 1,
    );
    let rows = conn
        .rows("looking through deliveries", &sql, conditions.args)
        .await?;
    let mut rows: Vec<DeliveryRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let limit = usize::try_from(filter.limit).unwrap_or(0);
    let full = rows.len() > limit;
    rows.truncate(limit);
    name(conn, &mut rows).await?;
    let broken_off = !full && start > first;
    let next = if full {
        rows.last().map(|row| row.id)
    } else {
        broken_off.then_some(EventId(start))
    };
    Ok(DeliveryPage {
        rows,
        next,
        broken_off,
    })
}

fn read(row: &Row) -> Result<DeliveryRow, StoreError> {
    let (source, connection) = (row.text(1)?, row.text(2)?);
    let state = EventState::from_code(row.int(6)?);
    let (outcome, trouble) = read_became(state, row.text_or_null(7)?)?;
    Ok(DeliveryRow {
        id: EventId(row.int(0)?),
        source: EventSource::from_word(&source)
            .ok_or_else(|| StoreError::unreadable("an event's source", &source))?,
        connection: read_connection(&connection)?,
        lane: LaneKey::stored(row.text(3)?),
        topic: row.text(4)?,
        received_at: Millis(row.int(5)?),
        state,
        outcome,
        trouble,
        decided_at: row.int_or_null(8)?.map(Millis),
        issue: None,
    })
}

pub(crate) fn read_connection(key: &str) -> Result<Connection, StoreError> {
    Connection::from_key(key).ok_or_else(|| StoreError::unreadable("a connection", key))
}

fn narrow(conditions: &mut Conditions, filter: &DeliveryFilter) {
    if let Some(connection) = &filter.connection {
        conditions.add("event.connection = ?", connection.key());
    }
    if let Some(lanes) = &filter.lanes {
        let mut lanes: Vec<&str> = lanes.iter().map(LaneKey::as_str).collect();
        lanes.truncate(ROWS_MAX);
        conditions.add_list("event.lane", lanes);
    }
    if let Some((site, project)) = &filter.project {
        // The lane of an issue's events ends with the issue's id.
        let prefix = LaneKey::events(site, &IssueId::new(""));
        let length = prefix.as_str().chars().count();
        // Numbers in the text: PostgreSQL's substr takes no 64-bit ones.
        let of_site = format!("substr(event.lane, 1, {length}) = ?");
        conditions.add(&of_site, prefix.as_str());
        let of_project = format!(
            "substr(event.lane, {}) IN (SELECT issue FROM issue WHERE site = ?",
            length + 1
        );
        conditions.add(&of_project, site.as_str());
        conditions.go_on(" AND project = ?)", project.as_str());
    }
    match &filter.outcome {
        None => {}
        Some(OutcomeFilter::Waiting) => {
            conditions.sql.push("event.state = 0".to_owned());
        }
        Some(OutcomeFilter::Quarantined) => {
            conditions.sql.push("event.state = 2".to_owned());
        }
        Some(OutcomeFilter::Effects) => {
            conditions.sql.push("event.state = 1".to_owned());
            conditions.add("event.outcome NOT LIKE ?", NO_EFFECTS);
        }
        Some(OutcomeFilter::Nothing) => {
            conditions.sql.push("event.state = 1".to_owned());
            conditions.add("event.outcome LIKE ?", NO_EFFECTS);
        }
        Some(OutcomeFilter::Reason(code)) => {
            conditions.sql.push("event.state = 1".to_owned());
            conditions.add("event.outcome LIKE ?", format!("%\"code\":\"{code}\"%"));
        }
        Some(OutcomeFilter::Effect(state)) => conditions.add(
            "EXISTS (SELECT 1 FROM effect WHERE effect.event = event.id AND effect.state = ?)",
            state.code(),
        ),
    }
    if let Some(answer) = filter.answer {
        // Calls are kept as JSON, in which a quotation mark within a text is written otherwise.
        let call = match answer {
            AnswerFilter::Hundred(hundred) => format!("%\"status\":{hundred}__%"),
            AnswerFilter::Nothing => "%\"failure\":%".to_owned(),
        };
        let made = "EXISTS (SELECT 1 FROM effect JOIN attempt ON attempt.effect = effect.id \
            WHERE effect.event = event.id AND attempt.calls LIKE ?)";
        conditions.add(made, call);
    }
}

/// How an outcome without effects begins, as it is stored.
pub(crate) const NO_EFFECTS: &str = "{\"effects\":0,%";

/// The numbers between which the deliveries are that are asked for: the first, and the end.
async fn bounds(conn: &mut Conn, filter: &DeliveryFilter) -> Result<(i64, i64), StoreError> {
    const LAST: &str = "SELECT id FROM event ORDER BY id DESC LIMIT 1";
    let rows = conn
        .rows("finding the latest delivery", LAST, Vec::new())
        .await?;
    let last = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let mut end = last + 1;
    if let Some(until) = filter.until {
        end = end.min(first_since(conn, until, last, EVENTS).await?);
    }
    if let Some(before) = filter.before {
        end = end.min(before.0);
    }
    let first = match filter.from {
        Some(from) => first_since(conn, from, last, EVENTS).await?,
        None => 1,
    };
    Ok((first, end))
}

/// The number of the first delivery since a time, and the end of those there are.
pub(crate) async fn since(conn: &mut Conn, at: Millis) -> Result<(i64, i64), StoreError> {
    let filter = DeliveryFilter {
        from: Some(at),
        ..DeliveryFilter::default()
    };
    bounds(conn, &filter).await
}

/// How the time of the next row from a number on is read, of deliveries.
const EVENTS: (&str, &str) = (
    "finding deliveries by time",
    "SELECT id, received_at FROM event WHERE id >= $1 ORDER BY id LIMIT 1",
);

/// The number of the first row from `at` on. Numbers rise with time, but for moments, so that it
/// is found by halving.
pub(crate) async fn first_since(
    conn: &mut Conn,
    at: Millis,
    last: i64,
    (doing, sql): (&'static str, &str),
) -> Result<i64, StoreError> {
    let (mut low, mut high) = (0, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let rows = conn.rows(doing, sql, values![middle]).await?;
        match rows.first() {
            Some(row) if row.int(1)? < at.0 => low = row.int(0)? + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Adds to each delivery what its issue is called.
async fn name(conn: &mut Conn, rows: &mut [DeliveryRow]) -> Result<(), StoreError> {
    let ids: Vec<(SiteName, IssueId)> = rows
        .iter()
        .filter_map(|row| row.lane.issue_events())
        .collect();
    let labels = labels(conn, &ids).await?;
    for row in rows {
        row.issue = row
            .lane
            .issue_events()
            .and_then(|id| labels.get(&id).cloned());
    }
    Ok(())
}

/// What issues are called.
pub(crate) async fn labels(
    conn: &mut Conn,
    ids: &[(SiteName, IssueId)],
) -> Result<HashMap<(SiteName, IssueId), IssueLabel>, StoreError> {
    let mut by_site: HashMap<&SiteName, Vec<&str>> = HashMap::new();
    for (site, issue) in ids {
        by_site.entry(site).or_default().push(issue.as_str());
    }
    let mut labels = HashMap::new();
    for (site, issues) in by_site {
        for chunk in issues.chunks(ROWS_MAX) {
            let (list, more) = in_list(2, chunk.iter().copied());
            let mut args: Vec<Value> = values![site.as_str()];
            args.extend(more);
            let sql = format!(
                "SELECT issue, key, project, summary, deleted FROM issue \
                 WHERE site = $1 AND issue IN {list}"
            );
            for row in conn.rows("naming issues", &sql, args).await? {
                let issue = IssueId::new(row.text(0)?);
                let label = IssueLabel {
                    site: site.clone(),
                    issue: issue.clone(),
                    key: IssueKey::new(row.text(1)?),
                    project: ProjectKey::new(row.text(2)?),
                    summary: row.text(3)?,
                    deleted: row.truth(4)?,
                };
                labels.insert((site.clone(), issue), label);
            }
        }
    }
    Ok(labels)
}
