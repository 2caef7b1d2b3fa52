//! What people are told about connections.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::alert::{
    ALERTS_KEPT, AlertCame, AlertMatter, AlertSend, AlertState, AlertTry, AlertView, NewAlert,
};
use crate::db::{Conn, Row, in_numbers, values};
use crate::error::StoreError;
use crate::sql::audit;

pub(crate) async fn matters(conn: &mut Conn) -> Result<Vec<AlertMatter>, StoreError> {
    const SQL: &str = "SELECT name, works, told FROM alert_matter ORDER BY name";
    conn.rows("reading what people were told", SQL, Vec::new())
        .await?
        .iter()
        .map(|row| {
            Ok(AlertMatter {
                name: row.text(0)?,
                works: row.truth(1)?,
                told: row.int(2)?,
            })
        })
        .collect()
}

/// Writes down that a matter is so now, if the news was decided from what was told last.
async fn news(conn: &mut Conn, name: &str, works: bool, from: i64) -> Result<bool, StoreError> {
    const FIRST: &str = "INSERT INTO alert_matter (name, works, told) VALUES ($1,$2,1) \
        ON CONFLICT (name) DO NOTHING";
    const NEXT: &str = "UPDATE alert_matter SET works = $2, told = told + 1 \
        WHERE name = $1 AND told = $3";
    let written = if from == 0 {
        let args = values![name, works];
        conn.run("noting first news of a matter", FIRST, args)
            .await?
    } else {
        let args = values![name, works, from];
        conn.run("noting news of a matter", NEXT, args).await?
    };
    Ok(written > 0)
}

pub(crate) async fn make(
    conn: &mut Conn,
    alert: &NewAlert,
    entry: &AuditEntry,
) -> Result<Option<i64>, StoreError> {
    const ALERT: &str = "INSERT INTO alert (uid, matter, body, made_at) VALUES ($1,$2,$3,$4) \
        RETURNING id";
    const SEND: &str = "INSERT INTO alert_send \
        (alert, receiver, matter, state, tries, due_at, failure) \
        VALUES ($1,$2,$3,'waiting',0,$4,'') ON CONFLICT (alert, receiver) DO NOTHING";
    if let Some((works, from)) = alert.news
        && !news(conn, &alert.matter, works, from).await?
    {
        return Ok(None);
    }
    let args = values![
        alert.uid.as_str(),
        alert.matter.as_str(),
        alert.body.as_str(),
        alert.at.0,
    ];
    let rows = conn.rows("writing an alert down", ALERT, args).await?;
    let id = rows.first().map_or(Ok(0), |row| row.int(0))?;
    for receiver in &alert.receivers {
        let args = values![id, receiver.as_str(), alert.matter.as_str(), alert.at.0];
        conn.run("adding a receiver of an alert", SEND, args)
            .await?;
    }
    audit::add(conn, entry).await?;
    drop_old(conn, id - ALERTS_KEPT).await?;
    Ok(Some(id))
}

/// Drops alerts up to this one that nobody waits for any more.
async fn drop_old(conn: &mut Conn, last: i64) -> Result<(), StoreError> {
    const SENDS: &str = "DELETE FROM alert_send WHERE alert <= $1 AND state <> 'waiting'";
    const ALERTS: &str = "DELETE FROM alert WHERE id <= $1 AND NOT EXISTS \
        (SELECT 1 FROM alert_send WHERE alert_send.alert = alert.id)";
    conn.run("dropping receivers of old alerts", SENDS, values![last])
        .await?;
    conn.run("dropping old alerts", ALERTS, values![last])
        .await
        .map(drop)
}

pub(crate) async fn take(
    conn: &mut Conn,
    now: Millis,
    until: Millis,
    limit: i64,
) -> Result<Vec<AlertTry>, StoreError> {
    // What is due is asked again outside: of two processes that found it, the second waits for the
    // first and then finds it taken.
    const TAKE: &str = "UPDATE alert_send SET due_at = $2, tries = tries + 1 \
        WHERE state = 'waiting' AND due_at <= $1 AND (alert, receiver) IN \
          (SELECT one.alert, one.receiver FROM alert_send AS one \
           WHERE one.state = 'waiting' AND one.due_at <= $1 AND NOT EXISTS \
             (SELECT 1 FROM alert_send AS earlier WHERE earlier.state = 'waiting' \
              AND earlier.receiver = one.receiver AND earlier.matter = one.matter \
              AND earlier.alert < one.alert) \
           ORDER BY one.alert, one.receiver LIMIT $3) \
        RETURNING alert, receiver, matter, tries";
    const READ: &str = "SELECT uid, body, made_at FROM alert WHERE id = $1";
    let args = values![now.0, until.0, limit];
    let taken = conn.rows("taking alerts to tell them", TAKE, args).await?;
    let mut tries = Vec::new();
    for row in &taken {
        let id = row.int(0)?;
        let alert = conn
            .rows("reading an alert to tell it", READ, values![id])
            .await?;
        let Some(alert) = alert.first() else { continue };
        tries.push(AlertTry {
            alert: id,
            uid: alert.text(0)?,
            matter: row.text(2)?,
            body: alert.text(1)?,
            made_at: Millis(alert.int(2)?),
            receiver: row.text(1)?,
            tries: row.int(3)?,
        });
    }
    Ok(tries)
}

pub(crate) async fn came(
    conn: &mut Conn,
    tried: &AlertTry,
    came: &AlertCame,
    at: Millis,
) -> Result<bool, StoreError> {
    // A try that took longer than it may is not the one that counts, unless it delivered.
    const SQL: &str = "UPDATE alert_send SET state = $1, due_at = $2, failure = $3, ended_at = $4 \
        WHERE alert = $5 AND receiver = $6 AND state = 'waiting' \
        AND (tries = $7 OR $1 = 'delivered')";
    let (state, due_at, failure, ended) = match came {
        AlertCame::Delivered => (AlertState::Delivered, at, "", Some(at.0)),
        AlertCame::Again { due_at, failure } => {
            (AlertState::Waiting, *due_at, failure.as_str(), None)
        }
        AlertCame::GivenUp { failure } => (AlertState::GivenUp, at, failure.as_str(), Some(at.0)),
    };
    let args = values![
        state.as_str(),
        due_at.0,
        failure,
        ended,
        tried.alert,
        tried.receiver.as_str(),
        tried.tries,
    ];
    Ok(conn.run("noting what came of an alert", SQL, args).await? > 0)
}

pub(crate) async fn forget(conn: &mut Conn, name: &str, told: i64) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM alert_matter WHERE name = $1 AND told = $2";
    let gone = conn
        .run("forgetting a matter", SQL, values![name, told])
        .await?;
    Ok(gone > 0)
}

fn read_send(row: &Row) -> Result<AlertSend, StoreError> {
    Ok(AlertSend {
        receiver: row.text(1)?,
        state: AlertState::from_word(&row.text(2)?),
        tries: row.int(3)?,
        due_at: Millis(row.int(4)?),
        failure: row.text(5)?,
        ended_at: row.int_or_null(6)?.map(Millis),
    })
}

pub(crate) async fn list(
    conn: &mut Conn,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AlertView>, StoreError> {
    const SQL: &str = "SELECT id, uid, matter, body, made_at FROM alert WHERE id < $1 \
        ORDER BY id DESC LIMIT $2";
    let args = values![before.unwrap_or(i64::MAX), limit];
    let mut views = conn
        .rows("listing alerts", SQL, args)
        .await?
        .iter()
        .map(|row| {
            Ok(AlertView {
                id: row.int(0)?,
                uid: row.text(1)?,
                matter: row.text(2)?,
                body: row.text(3)?,
                made_at: Millis(row.int(4)?),
                sends: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    if views.is_empty() {
        return Ok(views);
    }
    let ids: Vec<i64> = views.iter().map(|view| view.id).collect();
    let (ids, args) = in_numbers(1, &ids);
    let sql = format!(
        "SELECT alert, receiver, state, tries, due_at, failure, ended_at FROM alert_send \
         WHERE alert IN {ids} ORDER BY alert, receiver"
    );
    for row in conn.rows("listing receivers of alerts", &sql, args).await? {
        let alert = row.int(0)?;
        if let Some(view) = views.iter_mut().find(|view| view.id == alert) {
            view.sends.push(read_send(&row)?);
        }
    }
    Ok(views)
}
