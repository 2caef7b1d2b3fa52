//! What people look at: events, effects, attempts, links, backlog.

use bowline_domain::call;
use bowline_domain::effect::{EffectKey, EffectState};
use bowline_domain::ids::{EffectId, EventId, IssueId, IssueKey, SiteName};
use bowline_domain::outcome::Outcome;
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::model::{
    AttemptView, Backlog, EffectView, EventFilter, EventState, EventView, LinkFilter, LinkView,
};
use crate::reading::{HeldAnswers, HeldCounts};
use crate::sql::lanes::WAITS;
use crate::sql::lookup::{read_event, read_link};
use crate::sql::settle::read_effect;

const EVENT_COLUMNS: &str =
    "id, source, connection, lane, topic, received_at, body, state, outcome, decided_at";

fn read_event_view(row: &Row) -> Result<EventView, StoreError> {
    let state = EventState::from_code(row.int(7)?);
    let (outcome, trouble) = read_became(state, row.text_or_null(8)?)?;
    Ok(EventView {
        event: read_event(row)?,
        state,
        outcome,
        trouble,
        decided_at: row.int_or_null(9)?.map(Millis),
    })
}

/// What became of an event: its outcome, or what made it go to quarantine.
pub(crate) fn read_became(
    state: EventState,
    text: Option<String>,
) -> Result<(Option<Outcome>, Option<String>), StoreError> {
    match (state, text) {
        (EventState::Decided, Some(text)) => {
            let outcome = serde_json::from_str(&text)
                .map_err(|error| StoreError::unreadable("an outcome", error))?;
            Ok((Some(outcome), None))
        }
        (_, text) => Ok((None, text)),
    }
}

/// Conditions of a `WHERE`, with their values numbered as they come.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) sql: Vec<String>,
    pub(crate) args: Vec<Value>,
}

impl Conditions {
    pub(crate) fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.args.push(value.into());
        self.sql
            .push(condition.replace('?', &format!("${}", self.args.len())));
    }

    /// Goes on with the latest condition.
    pub(crate) fn go_on(&mut self, more: &str, value: impl Into<Value>) {
        self.args.push(value.into());
        let more = more.replace('?', &format!("${}", self.args.len()));
        if let Some(condition) = self.sql.last_mut() {
            condition.push_str(&more);
        }
    }

    /// `column IN (…)`
    pub(crate) fn add_list<'v>(&mut self, column: &str, items: impl IntoIterator<Item = &'v str>) {
        let (list, args) = in_list(self.args.len() + 1, items);
        if args.is_empty() {
            self.sql.push("1 = 0".to_owned());
            return;
        }
        self.args.extend(args);
        self.sql.push(format!("{column} IN {list}"));
    }

    /// The latest deliveries that fit, the last one first; `columns` begin with the id. `by_lane`: it is
    /// a condition which lanes they are of. What waits in a lane and what does not have an index each,
    /// so that is a statement of two halves.
    pub(crate) fn latest_events(&self, columns: &str, by_lane: bool, limit: i64) -> String {
        let all = format!("SELECT {columns} FROM event {}", self.text());
        let order = format!("ORDER BY id DESC LIMIT {limit}");
        if by_lane {
            format!("{all} AND state = 0 UNION ALL {all} AND state <> 0 {order}")
        } else {
            format!("{all} {order}")
        }
    }

    pub(crate) fn text(&self) -> String {
        if self.sql.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.sql.join(" AND "))
        }
    }
}

pub(crate) async fn events(
    conn: &mut Conn,
    filter: &EventFilter,
) -> Result<Vec<EventView>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(state) = filter.state {
        // In the text and not a value, so that the index of the few that wait is used.
        conditions.sql.push(format!("state = {}", state.code()));
    }
    if let Some(lane) = &filter.lane {
        conditions.add("lane = ?", lane.as_str());
    }
    if let Some(before) = filter.before {
        conditions.add("id < ?", before.0);
    }
    let sql = conditions.latest_events(EVENT_COLUMNS, filter.lane.is_some(), filter.limit);
    conn.rows("listing events", &sql, conditions.args)
        .await?
        .iter()
        .map(read_event_view)
        .collect()
}

pub(crate) async fn event(conn: &mut Conn, id: EventId) -> Result<Option<EventView>, StoreError> {
    let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE id = $1");
    let rows = conn.rows("reading one event", &sql, values![id.0]).await?;
    rows.first().map(read_event_view).transpose()
}

pub(crate) const EFFECT_COLUMNS: &str = "id, event, key, connection, site, issue, act, state, attempts, \
    planned_at, settled_at, remote_id, reason";

pub(crate) fn read_effect_view(row: &Row) -> Result<EffectView, StoreError> {
    let code = row.int(7)?;
    Ok(EffectView {
        id: EffectId(row.int(0)?),
        event: EventId(row.int(1)?),
        effect: read_effect(row, 2)?,
        state: EffectState::from_code(code)
            .ok_or_else(|| StoreError::unreadable("an effect's state", code))?,
        attempts: row.int(8)?,
        planned_at: Millis(row.int(9)?),
        settled_at: row.int_or_null(10)?.map(Millis),
        remote_id: row.text_or_null(11)?,
        reason: row.text_or_null(12)?,
    })
}

pub(crate) async fn effects_of(
    conn: &mut Conn,
    event: EventId,
) -> Result<Vec<EffectView>, StoreError> {
    let sql = format!("SELECT {EFFECT_COLUMNS} FROM effect WHERE event = $1 ORDER BY id");
    let rows = conn.rows("reading effects", &sql, values![event.0]).await?;
    rows.iter().map(read_effect_view).collect()
}

/// One effect.
pub(crate) async fn effect(
    conn: &mut Conn,
    id: EffectId,
) -> Result<Option<EffectView>, StoreError> {
    let sql = format!("SELECT {EFFECT_COLUMNS} FROM effect WHERE id = $1");
    let rows = conn.rows("reading one effect", &sql, values![id.0]).await?;
    rows.first().map(read_effect_view).transpose()
}

/// The effect of this key.
pub(crate) async fn effect_of_key(
    conn: &mut Conn,
    key: &EffectKey,
) -> Result<Option<EffectView>, StoreError> {
    let sql = format!("SELECT {EFFECT_COLUMNS} FROM effect WHERE key = $1");
    let args = values![key.as_str()];
    let rows = conn
        .rows("reading an effect by its key", &sql, args)
        .await?;
    rows.first().map(read_effect_view).transpose()
}

/// Answers to customers that wait for a person, by issue: of so many issues, from this one on. Sends
/// of messaging are of issues too; they are told apart by their connection.
pub(crate) async fn held_answers(
    conn: &mut Conn,
    from: Option<(&SiteName, &str)>,
    issues: i64,
) -> Result<Vec<HeldAnswers>, StoreError> {
    const SQL: &str = "SELECT effect.site, issue.key, COUNT(*), MIN(effect.settled_at) FROM effect \
        JOIN issue ON issue.site = effect.site AND issue.issue = effect.issue \
        WHERE effect.state = 6 AND effect.connection LIKE 'workspace/%' \
          AND (effect.site, issue.key) >= ($1, $2) \
        GROUP BY effect.site, issue.key ORDER BY effect.site, issue.key LIMIT $3";
    let (site, key) = from.map_or(("", ""), |(site, key)| (site.as_str(), key));
    let rows = conn
        .rows("listing held answers", SQL, values![site, key, issues])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(HeldAnswers {
                site: SiteName::new(row.text(0)?),
                key: row.text(1)?,
                count: row.int(2)?,
                since: Millis(row.int(3)?),
            })
        })
        .collect()
}

/// How many answers to customers wait for a person, and at how many issues.
pub(crate) async fn held_counts(conn: &mut Conn) -> Result<HeldCounts, StoreError> {
    const SQL: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(answers), 0) AS BIGINT), MIN(since) FROM \
        (SELECT COUNT(*) AS answers, MIN(effect.settled_at) AS since FROM effect \
          JOIN issue ON issue.site = effect.site AND issue.issue = effect.issue \
          WHERE effect.state = 6 AND effect.connection LIKE 'workspace/%' \
          GROUP BY effect.site, issue.key) AS held";
    let rows = conn.rows("counting held answers", SQL, Vec::new()).await?;
    let mut counts = HeldCounts::default();
    if let Some(row) = rows.first() {
        counts.issues = row.int(0)?;
        counts.answers = row.int(1)?;
        counts.since = row.int_or_null(2)?.map(Millis);
    }
    Ok(counts)
}

/// The sends of an issue that wait for a person.
pub(crate) async fn held_of(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
) -> Result<Vec<EffectView>, StoreError> {
    let sql = format!(
        "SELECT {EFFECT_COLUMNS} FROM effect WHERE site = $1 AND issue = $2 AND state = 6 \
         ORDER BY id"
    );
    let args = values![site.as_str(), issue.as_str()];
    let rows = conn.rows("reading held sends", &sql, args).await?;
    rows.iter().map(read_effect_view).collect()
}

pub(crate) async fn attempts_of(
    conn: &mut Conn,
    effect: EffectId,
) -> Result<Vec<AttemptView>, StoreError> {
    const SQL: &str = "SELECT started_at, ended_at, outcome, detail, calls FROM attempt \
        WHERE effect = $1 ORDER BY id";
    let rows = conn
        .rows("reading attempts", SQL, values![effect.0])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AttemptView {
                started_at: Millis(row.int(0)?),
                ended_at: Millis(row.int(1)?),
                outcome: row.text(2)?,
                detail: row.text_or_null(3)?,
                calls: call::read(row.text_or_null(4)?.as_deref()),
            })
        })
        .collect()
}

pub(crate) async fn links(
    conn: &mut Conn,
    filter: &LinkFilter,
) -> Result<Vec<LinkView>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(site) = &filter.site {
        conditions.add("link.site = ?", site.as_str());
    }
    if let Some(issue) = &filter.issue {
        conditions.add("(link.issue = ? OR issue.key = ?)", issue.as_str());
    }
    if let Some(workspace) = &filter.workspace {
        conditions.add("link.workspace = ?", workspace.as_str());
    }
    if let Some(conversation) = &filter.conversation {
        conditions.add("link.conversation = ?", conversation.as_str());
    }
    if !filter.ended {
        conditions.add("link.live = ?", 1_i64);
    }
    let sql = format!(
        "SELECT link.site, link.issue, issue.key, link.workspace, link.conversation, link.live, \
           link.since, link.generation, link.ended, link.sources, \
           link.ended_at \
         FROM link LEFT JOIN issue ON issue.site = link.site AND issue.issue = link.issue \
         {} ORDER BY link.site, link.issue, link.since, link.workspace, link.conversation \
         LIMIT {}",
        conditions.text(),
        filter.limit
    );
    let rows = conn.rows("listing links", &sql, conditions.args).await?;
    rows.iter().map(read_link_view).collect()
}

/// A row of site, issue, the issue's key and the columns of [`read_link`].
pub(crate) fn read_link_view(row: &Row) -> Result<LinkView, StoreError> {
    Ok(LinkView {
        site: SiteName::new(row.text(0)?),
        issue: IssueId::new(row.text(1)?),
        key: row.text_or_null(2)?.map(IssueKey::new),
        link: read_link(row, 3)?,
    })
}

pub(crate) async fn backlog(conn: &mut Conn) -> Result<Backlog, StoreError> {
    const QUARANTINED: &str = "SELECT COUNT(*) FROM event WHERE state = 2";
    const OLDEST: &str = "SELECT MIN(received_at) FROM event WHERE state = 0";
    let waiting =
        format!("SELECT kind, CAST(SUM(pending) AS BIGINT) FROM lane WHERE {WAITS} GROUP BY kind");
    let mut backlog = Backlog::default();
    for row in conn
        .rows("counting the backlog", &waiting, Vec::new())
        .await?
    {
        match row.int(0)? {
            0 => backlog.events = row.int(1)?,
            _ => backlog.effects = row.int(1)?,
        }
    }
    if let Some(row) = conn
        .rows("counting quarantine", QUARANTINED, Vec::new())
        .await?
        .first()
    {
        backlog.quarantined = row.int(0)?;
    }
    if let Some(row) = conn
        .rows("reading the oldest event", OLDEST, Vec::new())
        .await?
        .first()
    {
        backlog.oldest_event_at = row.int_or_null(0)?.map(Millis);
    }
    Ok(backlog)
}
