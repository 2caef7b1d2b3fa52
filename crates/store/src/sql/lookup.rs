//! What workers look up.

use std::collections::BTreeSet;

use bowline_domain::connection::Connection;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    ConversationId, EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::link::{Link, LinkEnd, Origin, Source};
use bowline_domain::state::{IssueRecord, IssueState};
use bowline_domain::time::Millis;

use crate::db::{Conn, ROWS_MAX, Row, in_list, values};
use crate::error::StoreError;
use crate::model::{EventSource, StoredEvent};
use crate::sql::decide::StoredSource;

/// Everything known of an issue that a plan needs. An issue without a record has neither links nor
/// facts: they are stored together with it or after it.
pub(crate) async fn issue_state(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
    facts: &[FactKey],
) -> Result<IssueState, StoreError> {
    const RECORD: &str = "SELECT key, project, summary, scanned, deleted, links_version \
        FROM issue WHERE site = $1 AND issue = $2";
    const LINKS: &str = "SELECT workspace, conversation, live, since, generation, ended, sources \
        FROM link WHERE site = $1 AND issue = $2 ORDER BY since, workspace, conversation";
    let mut state = IssueState::unseen(site.clone(), issue.clone());
    let at = || values![site.as_str(), issue.as_str()];
    if let Some(row) = conn.rows("reading an issue", RECORD, at()).await?.first() {
        state.record = Some(read_record(row)?);
    }
    if state.record.is_some() {
        for row in conn.rows("reading an issue's links", LINKS, at()).await? {
            state.links.push(read_link(&row, 0)?);
        }
        // What was told matters to those that are linked, or were.
        if !state.links.is_empty() {
            state.known = known_facts(conn, site, issue, facts).await?;
        }
    }
    Ok(state)
}

fn read_record(row: &Row) -> Result<IssueRecord, StoreError> {
    Ok(IssueRecord {
        key: IssueKey::new(row.text(0)?),
        project: ProjectKey::new(row.text(1)?),
        summary: row.text(2)?,
        scanned: row.truth(3)?,
        deleted: row.truth(4)?,
        links_version: row.int(5)?,
    })
}

/// Reads workspace, conversation, live, since, generation, ended and sources from `first` on.
pub(crate) fn read_link(row: &Row, first: usize) -> Result<Link, StoreError> {
    let stored: Vec<StoredSource> = serde_json::from_str(&row.text(first + 6)?)
        .map_err(|error| StoreError::unreadable("a link's sources", error))?;
    let mut sources = Vec::with_capacity(stored.len());
    for source in stored {
        sources.push(Source {
            origin: Origin::from_key(&source.origin)
                .ok_or_else(|| StoreError::unreadable("a link's source", &source.origin))?,
            since: Millis(source.since),
            overruled: source.overruled,
        });
    }
    Ok(Link {
        workspace: WorkspaceName::new(row.text(first)?),
        conversation: ConversationId::new(row.text(first + 1)?),
        live: row.truth(first + 2)?,
        since: Millis(row.int(first + 3)?),
        generation: u32::try_from(row.int(first + 4)?).unwrap_or(u32::MAX),
        ended: row
            .text_or_null(first + 5)?
            .and_then(|word| LinkEnd::from_word(&word)),
        sources,
    })
}

/// Which of these facts of an issue were dealt with.
pub(crate) async fn known_facts(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
    facts: &[FactKey],
) -> Result<BTreeSet<FactKey>, StoreError> {
    let mut known = BTreeSet::new();
    for chunk in facts.chunks(ROWS_MAX) {
        let (list, listed) = in_list(3, chunk.iter().map(FactKey::as_str));
        let sql =
            format!("SELECT fact FROM fact WHERE site = $1 AND issue = $2 AND fact IN {list}");
        let mut args = values![site.as_str(), issue.as_str()];
        args.extend(listed);
        for row in conn.rows("reading facts", &sql, args).await? {
            known.insert(FactKey::stored(row.text(0)?));
        }
    }
    Ok(known)
}

/// The id of an issue by its present key.
pub(crate) async fn issue_by_key(
    conn: &mut Conn,
    site: &SiteName,
    key: &str,
) -> Result<Option<IssueId>, StoreError> {
    const SQL: &str = "SELECT issue FROM issue WHERE site = $1 AND key = $2 AND deleted = 0";
    let rows = conn
        .rows("looking for an issue", SQL, values![site.as_str(), key])
        .await?;
    rows.first()
        .map(|row| row.text(0).map(IssueId::new))
        .transpose()
}

/// Is the conversation linked to the issue at this moment?
pub(crate) async fn link_is_live(
    conn: &mut Conn,
    of: (&SiteName, &IssueId),
    at: (&WorkspaceName, &ConversationId),
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM link \
        WHERE site = $1 AND issue = $2 AND workspace = $3 AND conversation = $4 AND live = 1";
    let args = values![of.0.as_str(), of.1.as_str(), at.0.as_str(), at.1.as_str()];
    Ok(!conn.rows("reading a link", SQL, args).await?.is_empty())
}

/// The conversations linked to an issue at this moment.
pub(crate) async fn live_links(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
) -> Result<Vec<(WorkspaceName, ConversationId)>, StoreError> {
    const SQL: &str = "SELECT workspace, conversation FROM link \
        WHERE site = $1 AND issue = $2 AND live = 1 ORDER BY since, workspace, conversation";
    let rows = conn
        .rows(
            "reading an issue's live links",
            SQL,
            values![site.as_str(), issue.as_str()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                WorkspaceName::new(row.text(0)?),
                ConversationId::new(row.text(1)?),
            ))
        })
        .collect()
}

/// The issues that a conversation is linked to at this moment.
pub(crate) async fn issues_of(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
    const SQL: &str = "SELECT site, issue FROM link \
        WHERE workspace = $1 AND conversation = $2 AND live = 1 ORDER BY site, issue";
    let args = values![workspace.as_str(), conversation.as_str()];
    let rows = conn
        .rows("reading a conversation's links", SQL, args)
        .await?;
    rows.iter()
        .map(|row| Ok((SiteName::new(row.text(0)?), IssueId::new(row.text(1)?))))
        .collect()
}

/// Did we make the remote thing with this id?
pub(crate) async fn is_ours(
    conn: &mut Conn,
    connection: &Connection,
    remote_id: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM effect WHERE connection = $1 AND remote_id = $2 LIMIT 1";
    let args = values![connection.key(), remote_id];
    Ok(!conn
        .rows("looking for our own writes", SQL, args)
        .await?
        .is_empty())
}

/// The first events that wait in a lane.
pub(crate) async fn waiting_events(
    conn: &mut Conn,
    lane: &LaneKey,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    const SQL: &str = "SELECT id, source, connection, lane, topic, received_at, body FROM event \
        WHERE lane = $1 AND state = 0 ORDER BY id LIMIT $2";
    let rows = conn
        .rows("reading waiting events", SQL, values![lane.as_str(), limit])
        .await?;
    rows.iter().map(read_event).collect()
}

/// Reads id, source, connection, lane, topic, received_at and body.
pub(crate) fn read_event(row: &Row) -> Result<StoredEvent, StoreError> {
    let source = row.text(1)?;
    let connection = row.text(2)?;
    Ok(StoredEvent {
        id: EventId(row.int(0)?),
        source: EventSource::from_word(&source)
            .ok_or_else(|| StoreError::unreadable("an event's source", &source))?,
        connection: Connection::from_key(&connection)
            .ok_or_else(|| StoreError::unreadable("an event's connection", &connection))?,
        lane: LaneKey::stored(row.text(3)?),
        topic: row.text(4)?,
        received_at: Millis(row.int(5)?),
        body: row.text(6)?,
    })
}

/// How often the lane failed in a row.
pub(crate) async fn lane_failures(conn: &mut Conn, lane: &LaneKey) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT failures FROM lane WHERE key = $1";
    let rows = conn
        .rows("reading a lane", SQL, values![lane.as_str()])
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}
