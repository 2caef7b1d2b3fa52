//! Taking out what deliveries and attempts said of what is erased. What is found by its lane goes with
//! what erases it; the rest is gone through afterwards, part by part.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};
use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, EffectKey};
use bowline_domain::ids::{ConversationId, LaneKey, WorkspaceName};
use bowline_domain::time::Millis;

use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::forget::{Forgotten, Mark, Marks};
use crate::sql::decide::json;

/// Deliveries that one transaction goes through.
const EVENTS_AT_ONCE: i64 = 500;

const TEXT: &str = "text";
const CONVERSATION: &str = "conversation";

/// Takes out what a lane's deliveries said that do not wait, and has the rest gone through.
pub(crate) async fn of_lane(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    (lane, marks): (&LaneKey, Vec<Mark>),
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE event SET body = '' WHERE lane = $1 AND state <> 0 AND body <> ''";
    conn.run("erasing what a lane was told", SQL, values![lane.as_str()])
        .await?;
    remember(conn, workspace, &marks, at).await
}

/// The same of a conversation.
pub(crate) async fn of_conversation(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    at: Millis,
) -> Result<(), StoreError> {
    let lane = LaneKey::workspace_events(workspace, conversation);
    let marks = vec![Mark::Conversation(conversation.clone())];
    of_lane(conn, workspace, (&lane, marks), at).await
}

/// Takes the text out of an effect that is settled.
pub(crate) async fn of_effect(conn: &mut Conn, key: &EffectKey) -> Result<(), StoreError> {
    const SQL: &str = "SELECT id, act FROM effect WHERE key = $1 AND settled_at IS NOT NULL";
    let doing = "reading what was written for erasure";
    for row in conn.rows(doing, SQL, values![key.as_str()]).await? {
        without_text(conn, row.int(0)?, &row.text(1)?).await?;
    }
    Ok(())
}

async fn without_text(conn: &mut Conn, effect: i64, act: &str) -> Result<(), StoreError> {
    const REDACT: &str = "UPDATE effect SET act = $1 WHERE id = $2";
    let act: Act =
        serde_json::from_str(act).map_err(|error| StoreError::unreadable("an effect", error))?;
    if matches!(act, Act::Feedback(_))
        && let Some(act) = act.without_text()
    {
        let args = values![json(&act)?, effect];
        conn.run("erasing what was written", REDACT, args).await?;
    }
    Ok(())
}

/// Has all that deliveries and attempts said gone through for marks.
pub(crate) async fn remember(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    marks: &[Mark],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO to_forget (workspace, kind, mark, due_at, looks) {inserted} \
        ON CONFLICT (workspace, kind, mark) DO UPDATE SET due_at = excluded.due_at, \
          looks = excluded.looks";
    let args = marks.iter().flat_map(|mark| {
        let (kind, mark) = written(mark);
        values![workspace.as_str(), kind, mark, at.0, 0]
    });
    let args = args.collect();
    conn.rows_of_many("remembering what is erased", SQL, 5, args)
        .await
        .map(drop)
}

fn written(mark: &Mark) -> (&'static str, &str) {
    match mark {
        Mark::Text(text) => (TEXT, text),
        Mark::Conversation(id) => (CONVERSATION, id.as_str()),
    }
}

pub(crate) async fn due(conn: &mut Conn, now: Millis, limit: i64) -> Result<Marks, StoreError> {
    const SQL: &str = "SELECT workspace, kind, mark FROM to_forget WHERE due_at <= $1 \
        ORDER BY due_at, workspace, kind, mark LIMIT $2";
    let rows = conn
        .rows("looking for what is erased", SQL, values![now.0, limit])
        .await?;
    let mark = |row: &crate::db::Row| {
        let text = row.text(2)?;
        let mark = if row.text(1)? == CONVERSATION {
            Mark::Conversation(ConversationId::new(text))
        } else {
            Mark::Text(text)
        };
        Ok((WorkspaceName::new(row.text(0)?), mark))
    };
    rows.iter().map(mark).collect()
}

/// Between a look that met a delivery that waits and the next one, in milliseconds: after the first
/// look, after the second, and after any later one. Most are decided at once; a broken connection may
/// keep some for days.
const AGAIN_AFTER_MS: [i64; 3] = [5_000, 60_000, 3_600_000];

pub(crate) async fn again(
    conn: &mut Conn,
    marks: &[(WorkspaceName, Mark)],
    now: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE to_forget SET looks = looks + 1, due_at = CASE looks \
          WHEN 0 THEN $1 WHEN 1 THEN $2 ELSE $3 END \
        WHERE workspace = $4 AND kind = $5 AND mark = $6";
    for (workspace, mark) in marks {
        let [first, second, later] = AGAIN_AFTER_MS.map(|ms| now.plus_ms(ms).0);
        let (kind, mark) = written(mark);
        let args = values![first, second, later, workspace.as_str(), kind, mark];
        conn.run("looking for what is erased again", SQL, args)
            .await?;
    }
    Ok(())
}

pub(crate) async fn done(
    conn: &mut Conn,
    marks: &[(WorkspaceName, Mark)],
) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM to_forget WHERE workspace = $1 AND kind = $2 AND mark = $3";
    for (workspace, mark) in marks {
        let (kind, mark) = written(mark);
        let args = values![workspace.as_str(), kind, mark];
        conn.run("being done with what is erased", SQL, args)
            .await?;
    }
    Ok(())
}

/// Marks, ready to be looked for.
struct Sought {
    /// Whose each of the texts is, by its place.
    whose: Vec<Connection>,
    /// Texts that are the person's anywhere: addresses and numbers. Ids are unique in their
    /// workspace only.
    anywhere: Vec<bool>,
    texts: AhoCorasick,
    told_in: HashSet<LaneKey>,
    said_in: HashSet<LaneKey>,
}

impl Sought {
    fn of(marks: &[(WorkspaceName, Mark)]) -> Result<Self, StoreError> {
        let (mut whose, mut anywhere, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut told_in, mut said_in) = (HashSet::new(), HashSet::new());
        for (workspace, mark) in marks {
            match mark {
                Mark::Text(text) => {
                    whose.push(Connection::Workspace(workspace.clone()));
                    anywhere.push(text.contains('@') || text.starts_with('+'));
                    texts.push(text.as_str());
                }
                Mark::Conversation(id) => {
                    told_in.insert(LaneKey::workspace_events(workspace, id));
                    said_in.insert(LaneKey::conversation(workspace, id));
                }
            }
        }
        // Of texts that stand within each other each has to be found.
        let texts = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .map_err(|error| StoreError::unreadable("what is erased", error))?;
        Ok(Self {
            whose,
            anywhere,
            texts,
            told_in,
            said_in,
        })
    }

    fn stands_in(&self, text: &str, connection: &str) -> bool {
        self.texts.find_overlapping_iter(text).any(|found| {
            let place = found.pattern().as_usize();
            self.anywhere[place] || self.whose[place].key() == connection
        })
    }
}

/// Goes through the next deliveries and what was done because of them.
pub(crate) async fn part(
    conn: &mut Conn,
    marks: &[(WorkspaceName, Mark)],
    after: i64,
) -> Result<Forgotten, StoreError> {
    const PART: &str = "SELECT id, body, connection, lane, state FROM event WHERE id > $1 \
        ORDER BY id LIMIT $2";
    const REDACT: &str = "WITH v (id) AS (VALUES {rows}) UPDATE event SET body = '' \
        FROM v WHERE event.id = v.id AND event.state <> 0";
    let sought = Sought::of(marks)?;
    let part = conn
        .rows(
            "reading deliveries for erasure",
            PART,
            values![after, EVENTS_AT_ONCE],
        )
        .await?;
    let mut come = Forgotten::default();
    let mut found = Vec::new();
    for row in &part {
        let (id, body, lane) = (row.int(0)?, row.text(1)?, LaneKey::stored(row.text(3)?));
        come.up_to = Some(id);
        if body.is_empty() {
            continue;
        }
        if sought.told_in.contains(&lane) || sought.stands_in(&body, &row.text(2)?) {
            come.waits |= row.int(4)? == 0;
            found.push(Value::from(id));
        }
    }
    conn.rows_of_many("erasing what deliveries say", REDACT, 1, found)
        .await?;
    if let Some(last) = come.up_to {
        attempts(conn, &sought, (after, last)).await?;
        notes(conn, &sought, (after, last)).await?;
    }
    Ok(come)
}

/// Takes out what attempts asked and were answered, of the effects of these deliveries.
async fn attempts(
    conn: &mut Conn,
    sought: &Sought,
    (after, last): (i64, i64),
) -> Result<(), StoreError> {
    const CALLS: &str = "SELECT attempt.id, attempt.calls, effect.connection, effect.lane \
        FROM effect JOIN attempt ON attempt.effect = effect.id \
        WHERE effect.event > $1 AND effect.event <= $2 AND attempt.calls IS NOT NULL";
    const REDACT: &str = "WITH v (id) AS (VALUES {rows}) UPDATE attempt SET calls = NULL \
        FROM v WHERE attempt.id = v.id";
    let mut found = Vec::new();
    for row in conn
        .rows("reading attempts for erasure", CALLS, values![after, last])
        .await?
    {
        let lane = LaneKey::stored(row.text(3)?);
        if sought.said_in.contains(&lane) || sought.stands_in(&row.text(1)?, &row.text(2)?) {
            found.push(Value::from(row.int(0)?));
        }
    }
    conn.rows_of_many("erasing what attempts said", REDACT, 1, found)
        .await
        .map(drop)
}

/// Takes the text out of notes about feedback that are settled: they quote it. What a note tells of
/// an issue is not the customer's.
async fn notes(
    conn: &mut Conn,
    sought: &Sought,
    (after, last): (i64, i64),
) -> Result<(), StoreError> {
    const NOTES: &str = "SELECT id, act, lane FROM effect \
        WHERE event > $1 AND event <= $2 AND settled_at IS NOT NULL";
    if sought.said_in.is_empty() {
        return Ok(());
    }
    for row in conn
        .rows("reading notes for erasure", NOTES, values![after, last])
        .await?
    {
        if sought.said_in.contains(&LaneKey::stored(row.text(2)?)) {
            without_text(conn, row.int(0)?, &row.text(1)?).await?;
        }
    }
    Ok(())
}
