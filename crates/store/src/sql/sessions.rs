//! Sessions.

use bowline_domain::time::Millis;

use crate::access::{Account, Session};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::sql::{accounts, second_factor};

const COLUMNS: &str = "session.key, session.account, session.made_at, session.seen_at, \
    session.ends_at, session.browser, session.address";

/// Where the account begins in a row that has both.
const ACCOUNT_AT: usize = 7;

fn read(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        key: row.text(0)?,
        account: row.int(1)?,
        made_at: Millis(row.int(2)?),
        seen_at: Millis(row.int(3)?),
        ends_at: Millis(row.int(4)?),
        browser: row.text(5)?,
        address: row.text(6)?,
    })
}

pub(crate) async fn start(conn: &mut Conn, session: &Session) -> Result<(), StoreError> {
    const ENDED: &str = "DELETE FROM session WHERE ends_at <= $1";
    const ADD: &str = "INSERT INTO session \
        (key, account, made_at, seen_at, ends_at, browser, address) VALUES ($1,$2,$3,$4,$5,$6,$7)";
    const SIGNED_IN: &str = "UPDATE account SET signed_in_at = $1 WHERE id = $2";
    conn.run("dropping ended sessions", ENDED, values![session.made_at.0])
        .await?;
    let args = values![
        session.key.as_str(),
        session.account,
        session.made_at.0,
        session.seen_at.0,
        session.ends_at.0,
        session.browser.as_str(),
        session.address.as_str(),
    ];
    conn.run("starting a session", ADD, args).await?;
    let args = values![session.made_at.0, session.account];
    conn.run("noting a sign-in", SIGNED_IN, args)
        .await
        .map(drop)
}

pub(crate) async fn one(
    conn: &mut Conn,
    key: &str,
    now: Millis,
) -> Result<Option<(Session, Account)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM session JOIN account ON account.id = session.account \
         WHERE session.key = $1 AND session.ends_at > $2 AND account.active = 1",
        accounts::COLUMNS
    );
    let rows = conn
        .rows("reading a session", &sql, values![key, now.0])
        .await?;
    rows.first()
        .map(|row| Ok((read(row)?, accounts::read(row, ACCOUNT_AT)?)))
        .transpose()
}

pub(crate) async fn of(
    conn: &mut Conn,
    account: i64,
    now: Millis,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session WHERE account = $1 AND ends_at > $2 \
         ORDER BY seen_at DESC, key"
    );
    let rows = conn
        .rows("listing sessions", &sql, values![account, now.0])
        .await?;
    rows.iter().map(read).collect()
}

/// Sessions of an account that did not end, the latest begun first, a part of them: those behind one
/// that began then and has this key.
pub(crate) async fn part(
    conn: &mut Conn,
    account: i64,
    now: Millis,
    after: Option<&(Millis, String)>,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session WHERE account = $1 AND ends_at > $2 \
           AND (made_at, key) < ($3, $4) ORDER BY made_at DESC, key DESC LIMIT $5"
    );
    let (made_at, key) = after.map_or((i64::MAX, ""), |(at, key)| (at.0, key.as_str()));
    let rows = conn
        .rows(
            "listing a part of the sessions",
            &sql,
            values![account, now.0, made_at, key, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn seen(conn: &mut Conn, key: &str, at: Millis) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE session SET seen_at = $1 WHERE key = $2";
    conn.run("noting a session's use", SQL, values![at.0, key])
        .await
        .map(drop)
}

pub(crate) async fn end(conn: &mut Conn, key: &str, account: i64) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE key = $1 AND account = $2";
    let ended = conn
        .run("ending a session", SQL, values![key, account])
        .await?;
    Ok(ended > 0)
}

/// Ends all sessions of an account but the one with the key `keep`, and those that are half begun.
pub(crate) async fn end_all(conn: &mut Conn, account: i64, keep: &str) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE account = $1 AND key <> $2";
    second_factor::nobody_half_way(conn, account).await?;
    conn.run("ending sessions", SQL, values![account, keep])
        .await
}
