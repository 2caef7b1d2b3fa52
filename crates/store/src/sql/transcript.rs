//! What was said in a conversation, and what became of each message.

use bowline_domain::connection::Connection;
use bowline_domain::effect::{EffectKey, EffectState};
use bowline_domain::ids::{CommentId, EventId, LaneKey};
use bowline_domain::messaging::delivery::{Resolution, Resolved};
use bowline_domain::messaging::gathering::Line;
use bowline_domain::messaging::ids::{MessageId, RequestRef};
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::model::{EventSource, WrittenLine};
use crate::sql::talk_lookup::{read_outbound, read_place, read_within};
use crate::sql::talk_pages::{UNRESOLVED, deliveries};
use crate::sql::views::{EFFECT_COLUMNS, read_effect_view};
use crate::talk_browse::{OutboundView, SendsQuery, Transcript};

/// Entries of one kind that a transcript holds at most.
const ENTRIES_MAX: usize = 500;

pub(crate) async fn read(conn: &mut Conn, whose: &RequestRef) -> Result<Transcript, StoreError> {
    let lines = lines(conn, whose).await?;
    let outbound = sent(conn, whose).await?;
    let told = told(conn, whose).await?;
    let cut = [lines.len(), outbound.len(), told.len()].contains(&ENTRIES_MAX);
    Ok(Transcript {
        brought: brought(conn, whose, &lines).await?,
        comments: comments(conn, whose).await?,
        lines,
        outbound,
        told,
        cut,
    })
}

fn named(whose: &RequestRef) -> Vec<Value> {
    values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation)
    ]
}

/// The latest lines, the oldest of them first.
async fn lines(conn: &mut Conn, whose: &RequestRef) -> Result<Vec<WrittenLine>, StoreError> {
    let sql = format!(
        "SELECT message, part, place, sent_at, received_at, body, written, gathering, \
           written_at, sent_ns, arrived FROM line \
         WHERE account = $1 AND end_user = $2 AND generation = $3 \
         ORDER BY sent_at DESC, sent_ns DESC, received_at DESC, arrived DESC, message DESC, \
           part DESC LIMIT {ENTRIES_MAX}"
    );
    let doing = "reading what an end user wrote";
    let rows = conn.rows(doing, &sql, named(whose)).await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(WrittenLine {
                line: Line {
                    message: MessageId::new(row.text(0)?),
                    part: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
                    gathering: u32::try_from(row.int(7)?).unwrap_or(u32::MAX),
                    place: read_place(&row.text(2)?),
                    sent_at: Millis(row.int(3)?),
                    received_at: Millis(row.int(4)?),
                    within: read_within(row, 9)?,
                    text: row.text(5)?,
                },
                written: row.truth(6)?,
                written_at: row.int_or_null(8)?.map(Millis),
            })
        })
        .collect()
}

/// The deliveries that brought these lines: each is named by its message.
async fn brought(
    conn: &mut Conn,
    whose: &RequestRef,
    lines: &[WrittenLine],
) -> Result<Vec<(MessageId, EventId)>, StoreError> {
    const NAMED: &str = "in/";
    let names: Vec<String> = lines
        .iter()
        .map(|one| format!("{NAMED}{}", one.line.message))
        .collect();
    let (list, mut names) = in_list(3, names.iter().map(String::as_str));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let connection = Connection::Account(whose.account.clone());
    let mut args = values![connection.key(), EventSource::Channel.as_str()];
    args.append(&mut names);
    let sql = format!(
        "SELECT id, delivery FROM event WHERE connection = $1 AND source = $2 \
         AND delivery IN {list}"
    );
    let rows = conn
        .rows("finding what brought messages", &sql, args)
        .await?;
    rows.iter()
        .map(|row| {
            let name = row.text(1)?;
            let message = name.strip_prefix(NAMED).unwrap_or(&name);
            Ok((MessageId::new(message), EventId(row.int(0)?)))
        })
        .collect()
}

async fn comments(
    conn: &mut Conn,
    whose: &RequestRef,
) -> Result<Vec<(u32, CommentId)>, StoreError> {
    const SQL: &str = "SELECT number, comment FROM gathering \
        WHERE account = $1 AND end_user = $2 AND generation = $3";
    let doing = "reading the comments of an end user";
    let rows = conn.rows(doing, SQL, named(whose)).await?;
    rows.iter()
        .map(|row| {
            let number = u32::try_from(row.int(0)?).unwrap_or(u32::MAX);
            Ok((number, CommentId::new(row.text(1)?)))
        })
        .collect()
}

const VIEWED: &str = "SELECT outbound.key, outbound.comment, outbound.channel, outbound.body, \
      outbound.delivery, outbound.reason, outbound.at, outbound.account, outbound.end_user, \
      outbound.generation, outbound.remote_id, outbound.resolved, outbound.resolved_by, \
      outbound.resolved_at, effect.event, effect.state \
    FROM outbound LEFT JOIN effect ON effect.key = outbound.key";

fn read_view(row: &Row) -> Result<OutboundView, StoreError> {
    let (whose, message) = read_outbound(row)?;
    let resolved = match row.text_or_null(11)? {
        Some(word) => Some(Resolved {
            how: Resolution::from_word(&word)
                .ok_or_else(|| StoreError::unreadable("a decision about a message", &word))?,
            by: row.text_or_null(12)?.unwrap_or_default(),
            at: Millis(row.int_or_null(13)?.unwrap_or_default()),
        }),
        None => None,
    };
    Ok(OutboundView {
        whose,
        message,
        remote_id: row.text_or_null(10)?,
        resolved,
        event: row.int_or_null(14)?.map(EventId),
        effect: row.int_or_null(15)?.and_then(EffectState::from_code),
    })
}

/// The latest messages to the end user, the oldest of them first.
async fn sent(conn: &mut Conn, whose: &RequestRef) -> Result<Vec<OutboundView>, StoreError> {
    let sql = format!(
        "{VIEWED} WHERE outbound.account = $1 AND outbound.end_user = $2 \
         AND outbound.generation = $3 \
         ORDER BY outbound.at DESC, outbound.place DESC, outbound.key DESC LIMIT {ENTRIES_MAX}"
    );
    let doing = "reading what went to an end user";
    let rows = conn.rows(doing, &sql, named(whose)).await?;
    rows.iter().rev().map(read_view).collect()
}

/// A message to an end user.
pub(crate) async fn one(
    conn: &mut Conn,
    key: &EffectKey,
) -> Result<Option<OutboundView>, StoreError> {
    let sql = format!("{VIEWED} WHERE outbound.key = $1");
    let rows = conn
        .rows("reading a message", &sql, values![key.as_str()])
        .await?;
    rows.first().map(read_view).transpose()
}

/// Messages about which a person has to decide, the latest first.
pub(crate) async fn unresolved(
    conn: &mut Conn,
    which: SendsQuery,
    limit: i64,
) -> Result<Vec<OutboundView>, StoreError> {
    let sql = format!(
        "{VIEWED} WHERE {} AND {UNRESOLVED} ORDER BY outbound.at DESC, outbound.key DESC \
         LIMIT {limit}",
        deliveries(which),
    );
    let rows = conn
        .rows("finding messages to decide about", &sql, Vec::new())
        .await?;
    rows.iter().map(read_view).collect()
}

/// The latest of what agents were told in the request, the oldest of it first. Whatever told it
/// was decided in the lane of the end user.
async fn told(
    conn: &mut Conn,
    whose: &RequestRef,
) -> Result<Vec<crate::model::EffectView>, StoreError> {
    let prefix = EffectKey::talk("tell", whose, "");
    let columns: Vec<String> = EFFECT_COLUMNS
        .split(", ")
        .map(|name| format!("effect.{}", name.trim()))
        .collect();
    let sql = format!(
        "SELECT {} FROM (SELECT id FROM event WHERE lane = $1 AND state = 0 \
             UNION ALL SELECT id FROM event WHERE lane = $1 AND state <> 0) AS event \
           JOIN effect ON effect.event = event.id \
         WHERE substr(effect.key, 1, {}) = $2 \
         ORDER BY effect.id DESC LIMIT {ENTRIES_MAX}",
        columns.join(", "),
        prefix.as_str().chars().count()
    );
    let lane = LaneKey::end_user_events(&whose.account, &whose.end_user);
    let args = values![lane.as_str(), prefix.as_str()];
    let rows = conn
        .rows("reading what agents were told", &sql, args)
        .await?;
    rows.iter().rev().map(read_effect_view).collect()
}
