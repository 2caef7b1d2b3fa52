//! Recording how attempts ended, and going on with their lanes.

use std::collections::HashSet;

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::ids::{EffectId, EventId, IssueId, LaneKey, SiteName};

use crate::committer::Writer;
use crate::db::{Conn, Row, chunks, values, with_rows};
use crate::error::StoreError;
use crate::model::{Ending, Lease, Settlement, TakenEffect};
use crate::sql::lanes;

/// Records how attempts ended. Returns, for each, the lane's next effect, marked `attempting`, if
/// the lane is still held and the worker wants to go on.
pub(crate) async fn settle(
    conn: &mut Conn,
    writer: &Writer,
    settlements: &[&Settlement],
) -> Result<Vec<Option<TakenEffect>>, StoreError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let changed = update_effects(conn, settlements).await?;
    let counted: Vec<&Settlement> = settlements
        .iter()
        .copied()
        .filter(|settlement| changed.contains(&settlement.effect))
        .collect();
    store_attempts(conn, &counted).await?;

    let done: Vec<&Lease> = counted
        .iter()
        .filter(|settlement| settlement.ending.state().settled())
        .map(|settlement| &settlement.lease)
        .collect();
    let left = lanes::finish_held(conn, writer, &done).await?;
    let mut go_on = Vec::new();
    for settlement in &counted {
        match &settlement.ending {
            Ending::Later { due_at, .. } => {
                lanes::postpone(conn, &settlement.lease, *due_at, true).await?;
            }
            _ => match left.get(&settlement.lease.lane) {
                Some(0) => {}
                Some(_) if settlement.go_on => go_on.push(&settlement.lease),
                Some(_) => {
                    lanes::postpone(conn, &settlement.lease, settlement.ended_at, false).await?;
                }
                // The lane was taken over while the call was under way. What the call did is
                // recorded all the same, and its item counted out.
                None => lanes::finish_any(conn, &settlement.lease.lane).await?,
            },
        }
    }
    let mut next = take_heads(conn, &go_on).await?;
    Ok(settlements
        .iter()
        .map(|settlement| {
            let at = next.iter().position(|taken| taken.lease == settlement.lease)?;
            Some(next.swap_remove(at))
        })
        .collect())
}

/// Updates the effects that are still `attempting`, and returns which those were.
async fn update_effects(
    conn: &mut Conn,
    settlements: &[&Settlement],
) -> Result<HashSet<EffectId>, StoreError> {
    const SQL: &str = "WITH v (id, state, doubtful, settled_at, remote_id, reason) AS \
        (VALUES {rows}) \
        UPDATE effect SET state = v.state, doubtful = v.doubtful, settled_at = v.settled_at, \
          remote_id = v.remote_id, reason = v.reason \
        FROM v WHERE effect.id = v.id AND effect.state = 1";
    let returning = match conn.dialect() {
        crate::db::Dialect::Sqlite => " RETURNING id",
        crate::db::Dialect::Postgres => " RETURNING effect.id",
    };
    let mut changed = HashSet::new();
    for chunk in chunks(settlements) {
        let mut args = Vec::with_capacity(chunk.len() * 6);
        for settlement in chunk {
            let (doubtful, remote_id, reason) = match &settlement.ending {
                Ending::Confirmed { remote_id, detail } => {
                    (false, remote_id.clone(), detail.clone())
                }
                Ending::Rejected { reason } | Ending::Dropped { reason } => {
                    (false, None, Some(reason.clone()))
                }
                Ending::Later { doubtful, reason, .. } => (*doubtful, None, Some(reason.clone())),
            };
            let state = settlement.ending.state();
            let settled_at = state.settled().then_some(settlement.ended_at.0);
            args.extend(values![
                settlement.effect.0,
                state.code(),
                doubtful,
                settled_at,
                remote_id,
                reason
            ]);
        }
        let sql = with_rows(&format!("{SQL}{returning}"), chunk.len(), 6);
        for row in conn.rows("settling effects", &sql, args).await? {
            changed.insert(EffectId(row.int(0)?));
        }
    }
    Ok(changed)
}

async fn store_attempts(conn: &mut Conn, settlements: &[&Settlement]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO attempt (effect, started_at, ended_at, outcome, detail) \
        VALUES {rows}";
    for chunk in chunks(settlements) {
        let mut args = Vec::with_capacity(chunk.len() * 5);
        for settlement in chunk {
            let detail = match &settlement.ending {
                Ending::Confirmed { remote_id, .. } => remote_id.clone(),
                Ending::Rejected { reason }
                | Ending::Dropped { reason }
                | Ending::Later { reason, .. } => Some(reason.clone()),
            };
            args.extend(values![
                settlement.effect.0,
                settlement.started_at.0,
                settlement.ended_at.0,
                settlement.ending.state().as_str(),
                detail
            ]);
        }
        conn.run("recording attempts", &with_rows(SQL, chunk.len(), 5), args).await?;
    }
    Ok(())
}

/// Marks the first effect of each lane `attempting` and returns them. One that is found
/// `attempting` or `unknown` is doubtful: an attempt before may have reached the far side.
pub(crate) async fn take_heads(
    conn: &mut Conn,
    leases: &[&Lease],
) -> Result<Vec<TakenEffect>, StoreError> {
    let mut taken = Vec::new();
    for chunk in chunks(leases) {
        let keys: Vec<&LaneKey> = chunk.iter().map(|lease| &lease.lane).collect();
        let (list, args) = lanes::key_list(&keys);
        let sql = format!(
            "UPDATE effect SET attempts = attempts + 1, \
               doubtful = CASE WHEN state IN (1, 4) THEN 1 ELSE doubtful END, state = 1 \
             WHERE id IN (SELECT MIN(id) FROM effect \
               WHERE lane IN {list} AND state IN (0, 1, 4) GROUP BY lane) \
             RETURNING id, event, lane, key, connection, site, issue, act, doubtful, attempts"
        );
        for row in conn.rows("taking effects", &sql, args).await? {
            let lane = LaneKey::stored(row.text(2)?);
            let Some(lease) = chunk.iter().find(|lease| lease.lane == lane) else { continue };
            taken.push(TakenEffect {
                id: EffectId(row.int(0)?),
                event: EventId(row.int(1)?),
                lease: (*lease).clone(),
                effect: read_effect(&row, 3)?,
                doubtful: row.truth(8)?,
                attempts: row.int(9)?,
            });
        }
    }
    Ok(taken)
}

/// Reads key, connection, site, issue and act from `first` on.
pub(crate) fn read_effect(row: &Row, first: usize) -> Result<Effect, StoreError> {
    let connection = row.text(first + 1)?;
    let act: Act = serde_json::from_str(&row.text(first + 4)?)
        .map_err(|error| StoreError::unreadable("an effect", error))?;
    Ok(Effect {
        key: EffectKey::stored(row.text(first)?),
        connection: Connection::from_key(&connection)
            .ok_or_else(|| StoreError::unreadable("an effect's connection", &connection))?,
        site: SiteName::new(row.text(first + 2)?),
        issue: IssueId::new(row.text(first + 3)?),
        act,
    })
}
