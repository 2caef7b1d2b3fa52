//! What people chose for themselves.

use crate::db::{Conn, values};
use crate::error::StoreError;

pub(crate) async fn read(
    conn: &mut Conn,
    account: i64,
    name: &str,
) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT value FROM account_choice WHERE account = $1 AND name = $2";
    let rows = conn
        .rows("reading what somebody chose", SQL, values![account, name])
        .await?;
    rows.first().map(|row| row.text(0)).transpose()
}

pub(crate) async fn keep(
    conn: &mut Conn,
    account: i64,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO account_choice (account, name, value) VALUES ($1,$2,$3) \
        ON CONFLICT (account, name) DO UPDATE SET value = excluded.value";
    let args = values![account, name, value];
    conn.run("keeping what somebody chose", SQL, args)
        .await
        .map(drop)
}
