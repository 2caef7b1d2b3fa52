//! Tokens of the REST API, and writes by it that named themselves.

use bowline_domain::time::Millis;

use crate::access::{Account, ApiToken, ApiWrite};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::sql::accounts;

const COLUMNS: &str = "api_token.id, api_token.key, api_token.account, api_token.name, \
    api_token.hint, api_token.scopes, api_token.made_at, api_token.ends_at, api_token.used_at, \
    api_token.ended_at";

/// Where the account begins in a row that has both.
const ACCOUNT_AT: usize = 10;

/// How long the name of a write is remembered, in milliseconds: a day.
const WRITE_MS_KEPT: i64 = 24 * 60 * 60 * 1_000;

fn read(row: &Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.int(0)?,
        key: row.text(1)?,
        account: row.int(2)?,
        name: row.text(3)?,
        hint: row.text(4)?,
        scopes: row.text(5)?,
        made_at: Millis(row.int(6)?),
        ends_at: Millis(row.int(7)?),
        used_at: row.int_or_null(8)?.map(Millis),
        ended_at: row.int_or_null(9)?.map(Millis),
    })
}

pub(crate) async fn add(conn: &mut Conn, token: &ApiToken) -> Result<i64, StoreError> {
    const SQL: &str = "INSERT INTO api_token \
        (key, account, name, hint, scopes, made_at, ends_at) VALUES ($1,$2,$3,$4,$5,$6,$7) \
        RETURNING id";
    let args = values![
        token.key.as_str(),
        token.account,
        token.name.as_str(),
        token.hint.as_str(),
        token.scopes.as_str(),
        token.made_at.0,
        token.ends_at.0,
    ];
    let rows = conn.rows("making a token", SQL, args).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

pub(crate) async fn end(
    conn: &mut Conn,
    id: i64,
    account: i64,
    at: Millis,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE api_token SET ended_at = $1 \
        WHERE id = $2 AND account = $3 AND ended_at IS NULL";
    let ended = conn
        .run("ending a token", SQL, values![at.0, id, account])
        .await?;
    Ok(ended > 0)
}

pub(crate) async fn of(conn: &mut Conn, account: i64) -> Result<Vec<ApiToken>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_token WHERE account = $1 ORDER BY id DESC");
    let rows = conn.rows("listing tokens", &sql, values![account]).await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn one(
    conn: &mut Conn,
    key: &str,
    now: Millis,
) -> Result<Option<(ApiToken, Account)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM api_token JOIN account ON account.id = api_token.account \
         WHERE api_token.key = $1 AND api_token.ends_at > $2 AND api_token.ended_at IS NULL \
           AND account.active = 1",
        accounts::COLUMNS
    );
    let rows = conn
        .rows("reading a token", &sql, values![key, now.0])
        .await?;
    rows.first()
        .map(|row| Ok((read(row)?, accounts::read(row, ACCOUNT_AT)?)))
        .transpose()
}

pub(crate) async fn used(conn: &mut Conn, id: i64, at: Millis) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE api_token SET used_at = $1 WHERE id = $2";
    conn.run("noting a token's use", SQL, values![at.0, id])
        .await
        .map(drop)
}

/// Notes a write unless its name is known; names are forgotten after a day.
pub(crate) async fn begin_write(
    conn: &mut Conn,
    account: i64,
    key: &str,
    request: &str,
    at: Millis,
) -> Result<ApiWrite, StoreError> {
    const FORGET: &str = "DELETE FROM api_write WHERE made_at < $1";
    const ADD: &str = "INSERT INTO api_write (account, key, request, made_at) \
        VALUES ($1,$2,$3,$4) ON CONFLICT (account, key) DO NOTHING";
    const KNOWN: &str =
        "SELECT request, status, body FROM api_write WHERE account = $1 AND key = $2";
    let before = at.plus_ms(-WRITE_MS_KEPT);
    conn.run("forgetting named writes", FORGET, values![before.0])
        .await?;
    let args = values![account, key, request, at.0];
    if conn.run("naming a write", ADD, args).await? > 0 {
        return Ok(ApiWrite::Fresh);
    }
    let rows = conn
        .rows("finding a named write", KNOWN, values![account, key])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(ApiWrite::UnderWay);
    };
    if row.text(0)? != request {
        return Ok(ApiWrite::OtherRequest);
    }
    Ok(match (row.int_or_null(1)?, row.text_or_null(2)?) {
        (Some(status), Some(body)) => ApiWrite::Answered {
            status: u16::try_from(status).unwrap_or(200),
            body,
        },
        _ => ApiWrite::UnderWay,
    })
}

pub(crate) async fn end_write(
    conn: &mut Conn,
    account: i64,
    key: &str,
    status: i64,
    body: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE api_write SET status = $1, body = $2 WHERE account = $3 AND key = $4";
    conn.run(
        "keeping a write's answer",
        SQL,
        values![status, body, account, key],
    )
    .await
    .map(drop)
}
