//! What workers look up.

use std::collections::BTreeSet;

use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectKey;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    ConversationId, EffectId, EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName,
    WorkspaceName,
};
use bowline_domain::link::{Hand, Link, LinkEnd, Origin, Source, Via};
use bowline_domain::state::{IssueRecord, IssueState};
use bowline_domain::time::Millis;

use crate::db::{Conn, ROWS_MAX, Row, in_list, values};
use crate::error::StoreError;
use crate::model::{Behind, EventSource, LinkedIssue, StoredEvent};
use crate::sql::decide::StoredSource;

/// Everything known of an issue that a plan needs, and what else stands behind it, in one look. An
/// issue without a record has neither links nor facts: they are stored together with it or after it.
pub(crate) async fn issue_state(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
    facts: &[FactKey],
) -> Result<(IssueState, Behind), StoreError> {
    // Told apart by the first column; the others are those of a link, as `read_link` takes them. A
    // conversation's lane is named as `LaneKey::conversation` names it.
    const ISSUE_AND_LINKS: &str = "SELECT CAST(1 AS BIGINT), key, project, scanned, deleted, links_version, \
          summary, status, CAST(NULL AS BIGINT) FROM issue WHERE site = $1 AND issue = $2 \
        UNION ALL SELECT 2, workspace, conversation, live, since, generation, ended, sources, \
          ended_at FROM link WHERE site = $1 AND issue = $2 \
        UNION ALL SELECT 4, '', '', 0, 0, 0, NULL, NULL, NULL \
          WHERE EXISTS (SELECT 1 FROM request WHERE site = $1 AND issue = $2) \
        UNION ALL SELECT 5, '', '', 0, 0, 0, NULL, NULL, NULL \
          WHERE EXISTS (SELECT 1 FROM ticket WHERE site = $1 AND issue = $2) \
        UNION ALL SELECT 6, '', '', 0, 0, 0, NULL, NULL, NULL \
          WHERE EXISTS (SELECT 1 FROM link WHERE site = $1 AND issue = $2 AND live = 1 \
            AND (SELECT pending FROM lane \
              WHERE lane.key = 'send/' || link.workspace || '/' || link.conversation) > 0)";
    const FACTS: &str = "UNION ALL SELECT 3, fact, '', 0, 0, 0, \
          CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS BIGINT) \
          FROM fact WHERE site = $1 AND issue = $2 AND fact IN";
    let (first, others) = facts.split_at(facts.len().min(ROWS_MAX));
    let mut args = values![site.as_str(), issue.as_str()];
    let mut sql = ISSUE_AND_LINKS.to_owned();
    if !first.is_empty() {
        let (list, listed) = in_list(3, first.iter().map(FactKey::as_str));
        sql = format!("{ISSUE_AND_LINKS} {FACTS} {list}");
        args.extend(listed);
    }
    let mut state = IssueState::unseen(site.clone(), issue.clone());
    let mut behind = Behind::default();
    for row in conn
        .rows("reading what is known of an issue", &sql, args)
        .await?
    {
        match row.int(0)? {
            1 => state.record = Some(read_record(&row)?),
            2 => state.links.push(read_link(&row, 1)?),
            4 => behind.talk = true,
            5 => behind.tickets = true,
            6 => behind.writing = true,
            _ => {
                state.known.insert(FactKey::stored(row.text(1)?));
            }
        }
    }
    state.links.sort_by(|a, b| {
        (a.since, &a.workspace, &a.conversation).cmp(&(b.since, &b.workspace, &b.conversation))
    });
    if !others.is_empty() {
        state
            .known
            .extend(known_facts(conn, site, issue, others).await?);
    }
    if state.links.is_empty() {
        // What was told matters to those that are linked, or were.
        state.known.clear();
    }
    Ok((state, behind))
}

fn read_record(row: &Row) -> Result<IssueRecord, StoreError> {
    Ok(IssueRecord {
        key: IssueKey::new(row.text(1)?),
        project: ProjectKey::new(row.text(2)?),
        summary: row.text(6)?,
        status: Some(row.text(7)?).filter(|status| !status.is_empty()),
        scanned: row.truth(3)?,
        deleted: row.truth(4)?,
        links_version: row.int(5)?,
    })
}

/// Reads workspace, conversation, live, since, generation, ended, sources and ended_at from `first`
/// on.
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
            hand: source.by.map(|by| Hand {
                by,
                via: source.via.as_deref().and_then(Via::from_word),
            }),
        });
    }
    let (live, since) = (row.truth(first + 2)?, Millis(row.int(first + 3)?));
    // A version before, which may still run, leaves the time of an earlier end there.
    let ended_at = row.int_or_null(first + 7)?.map(Millis);
    let ended_at = ended_at.filter(|at| !live && *at >= since);
    Ok(Link {
        workspace: WorkspaceName::new(row.text(first)?),
        conversation: ConversationId::new(row.text(first + 1)?),
        live,
        since,
        generation: u32::try_from(row.int(first + 4)?).unwrap_or(u32::MAX),
        ended: row
            .text_or_null(first + 5)?
            .and_then(|key| LinkEnd::from_key(&key)),
        ended_at,
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

/// What the conversation of a link was merged into, if that ended the link.
pub(crate) async fn merged_into(
    conn: &mut Conn,
    of: (&SiteName, &IssueId),
    at: (&WorkspaceName, &ConversationId),
) -> Result<Option<ConversationId>, StoreError> {
    const SQL: &str = "SELECT ended FROM link \
        WHERE site = $1 AND issue = $2 AND workspace = $3 AND conversation = $4 AND live = 0";
    let args = values![of.0.as_str(), of.1.as_str(), at.0.as_str(), at.1.as_str()];
    let rows = conn.rows("reading how a link ended", SQL, args).await?;
    let key = rows.first().map(|row| row.text_or_null(0)).transpose()?;
    Ok(
        match key.flatten().and_then(|key| LinkEnd::from_key(&key)) {
            Some(LinkEnd::Merged(into)) => Some(into),
            _ => None,
        },
    )
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

/// The next issues of a site that are linked, or were until Jira stopped showing them.
pub(crate) async fn linked_issues(
    conn: &mut Conn,
    site: &SiteName,
    after: Option<&IssueId>,
    limit: usize,
) -> Result<Vec<LinkedIssue>, StoreError> {
    const SQL: &str = "SELECT link.issue, MIN(issue.project), MAX(link.live), MIN(issue.status) \
        FROM link \
        JOIN issue ON issue.site = link.site AND issue.issue = link.issue \
        WHERE link.site = $1 AND link.issue > $2 AND (link.live = 1 OR link.ended = $3) \
          AND issue.deleted = 0 \
        GROUP BY link.issue ORDER BY link.issue LIMIT $4";
    let args = values![
        site.as_str(),
        after.map_or("", IssueId::as_str),
        LinkEnd::IssueUnseen.key(),
        i64::try_from(limit).unwrap_or(i64::MAX)
    ];
    let rows = conn.rows("reading linked issues", SQL, args).await?;
    rows.iter()
        .map(|row| {
            Ok(LinkedIssue {
                issue: IssueId::new(row.text(0)?),
                project: ProjectKey::new(row.text(1)?),
                live: row.truth(2)?,
                status: row.text(3)?,
            })
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

/// Is a conversation linked to an issue at this moment, and which notes of the link were confirmed
/// since, the oldest first, with when? They are found by the facts of the issue, which their keys are
/// made of, so no index is kept for this. The one note that names a link which no fact made is not
/// among them.
pub(crate) async fn link_and_notes(
    conn: &mut Conn,
    (site, issue): (&SiteName, &IssueId),
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    since: Millis,
) -> Result<(bool, Vec<(EffectId, Millis)>), StoreError> {
    // Keys are looked up one by one. As a join PostgreSQL, which cannot tell how many effects such
    // a key has, reads and hashes a table of its choice before each note.
    const SQL: &str = "SELECT id, settled_at FROM (SELECT \
            (SELECT effect.id FROM effect WHERE effect.key = $1 || fact.fact \
               AND effect.state = 2 AND effect.settled_at > $2) AS id, \
            (SELECT effect.settled_at FROM effect WHERE effect.key = $3 || fact.fact) AS settled_at \
          FROM fact WHERE fact.site = $4 AND fact.issue = $5) AS told \
        WHERE id IS NOT NULL \
        UNION ALL SELECT NULL, live FROM link WHERE site = $6 AND issue = $7 AND workspace = $8 \
          AND conversation = $9 AND live = 1";
    let keys = EffectKey::about("note", (workspace, conversation), (site, issue));
    let (site, issue) = (site.as_str(), issue.as_str());
    let told = values![keys.clone(), since.0, keys, site, issue];
    let link = values![site, issue, workspace.as_str(), conversation.as_str()];
    let args = told.into_iter().chain(link).collect();
    let (mut live, mut notes) = (false, Vec::new());
    for row in conn.rows("reading a link and its notes", SQL, args).await? {
        match row.int_or_null(0)? {
            Some(id) => notes.push((EffectId(id), Millis(row.int(1)?))),
            None => live = true,
        }
    }
    notes.sort_by_key(|(_, at)| *at);
    Ok((live, notes))
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
        body: row.text(6)?.into(),
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
