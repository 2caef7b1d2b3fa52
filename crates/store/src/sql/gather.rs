//! Several changes in one note: the note takes up those that wait behind it in its lane.

use bowline_domain::effect::{Act, Effect, EffectState};
use bowline_domain::gather::gather;
use bowline_domain::ids::EffectId;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::Lease;
use crate::sql::decide::json;
use crate::sql::settle::read_effect;

/// Effects behind a note that are looked at.
const BEHIND_MAX: i64 = 50;

/// Has the note that is being attempted tell what waits behind it as well, and settles that. In one
/// transaction, before anything is sent: whatever happens then, the note that is found or sent again
/// is the whole one. Returns what the note says now; `None` if it tells its own change only, or if
/// the lane is not held any more.
pub(crate) async fn gather_note(
    conn: &mut Conn,
    writer: &Writer,
    (id, lease): (EffectId, &Lease),
    head: &Effect,
    now: Millis,
) -> Result<Option<Act>, StoreError> {
    const BEHIND: &str = "SELECT key, connection, site, issue, act, id FROM effect \
        WHERE lane = $1 AND state = 0 AND id > $2 ORDER BY id LIMIT $3";
    // Only while it is held: a worker that took it over sends the note as it stands.
    const LANE: &str = "UPDATE lane SET pending = pending - $1 \
        WHERE key = $2 AND owner = $3 AND token = $4";
    const TOLD: &str = "UPDATE effect SET state = $1, settled_at = $2, reason = $3 \
        WHERE id = $4 AND state = 0";
    const HEAD: &str = "UPDATE effect SET act = $1 WHERE id = $2";
    let args = values![lease.lane.as_str(), id.0, BEHIND_MAX];
    let rows = conn
        .rows("reading what waits behind a note", BEHIND, args)
        .await?;
    let mut behind = Vec::with_capacity(rows.len());
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        behind.push(read_effect(row, 0)?);
        ids.push(row.int(5)?);
    }
    let Some(gathered) = gather(head, &behind) else {
        return Ok(None);
    };
    let told: i64 = gathered.told.iter().map(|_| 1).sum();
    let args = values![
        told,
        lease.lane.as_str(),
        writer.owner.as_str(),
        lease.token
    ];
    if conn.run("counting gathered notes", LANE, args).await? == 0 {
        return Ok(None);
    }
    let mut act = head.act.clone();
    if let Act::Note { html, .. } = &mut act {
        *html = gathered.html;
    }
    let args = values![json(&act)?, id.0];
    conn.run("gathering a note", HEAD, args).await?;
    let reason =
        format!("It was told together with the change before it, in one note: effect {id}.");
    for at in &gathered.told {
        let state = EffectState::Dropped.code();
        let args = values![state, now.0, reason.as_str(), ids[*at]];
        conn.run("settling gathered notes", TOLD, args).await?;
    }
    Ok(Some(act))
}
