//! Second factors, recovery codes, and who is half way in.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::db::{Conn, Dialect, Row, values};
use crate::error::StoreError;
use crate::second_factor::{FactorCode, FactorLimit, FactorUsed, SecondFactor};
use crate::sql::audit;

const COLUMNS: &str = "account, sealed, sealed_by, made_at, confirmed_at";

fn read(row: &Row) -> Result<SecondFactor, StoreError> {
    Ok(SecondFactor {
        account: row.int(0)?,
        sealed: row.text(1)?,
        sealed_by: row.text(2)?,
        made_at: Millis(row.int(3)?),
        confirmed_at: row.int_or_null(4)?.map(Millis),
    })
}

pub(crate) async fn one(conn: &mut Conn, account: i64) -> Result<Option<SecondFactor>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM second_factor WHERE account = $1");
    let rows = conn
        .rows("reading a second factor", &sql, values![account])
        .await?;
    rows.first().map(read).transpose()
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<SecondFactor>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM second_factor ORDER BY account");
    conn.rows("reading second factors", &sql, Vec::new())
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(crate) async fn codes_left(conn: &mut Conn, account: i64) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM recovery_code WHERE account = $1";
    let rows = conn
        .rows("counting recovery codes", SQL, values![account])
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

pub(crate) async fn keep(conn: &mut Conn, factor: &SecondFactor) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO second_factor \
        (account, sealed, sealed_by, made_at, confirmed_at, last_step, failures, failed_at) \
        VALUES ($1,$2,$3,$4,NULL,0,0,0) ON CONFLICT (account) DO UPDATE SET sealed = $2, \
        sealed_by = $3, made_at = $4 WHERE second_factor.confirmed_at IS NULL";
    let args = values![
        factor.account,
        factor.sealed.as_str(),
        factor.sealed_by.as_str(),
        factor.made_at.0,
    ];
    Ok(conn.run("keeping a second factor", SQL, args).await? > 0)
}

pub(crate) async fn confirm(
    conn: &mut Conn,
    account: i64,
    step: i64,
    codes: &[String],
    entry: &AuditEntry,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE second_factor SET confirmed_at = $1, last_step = $2 \
        WHERE account = $3 AND confirmed_at IS NULL";
    let args = values![entry.at.0, step, account];
    if conn.run("confirming a second factor", SQL, args).await? == 0 {
        return Ok(false);
    }
    put_codes(conn, account, codes).await?;
    audit::add(conn, entry).await?;
    Ok(true)
}

pub(crate) async fn replace_codes(
    conn: &mut Conn,
    account: i64,
    codes: &[String],
    entry: &AuditEntry,
) -> Result<bool, StoreError> {
    // Held to the end of the transaction, so that two replacements do not both stay.
    if locked(conn, account).await?.is_none() {
        return Ok(false);
    }
    put_codes(conn, account, codes).await?;
    audit::add(conn, entry).await?;
    Ok(true)
}

async fn put_codes(conn: &mut Conn, account: i64, codes: &[String]) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO recovery_code (account, key) VALUES ($1,$2)";
    drop_codes(conn, account).await?;
    for code in codes {
        let args = values![account, code.as_str()];
        conn.run("keeping a recovery code", ADD, args).await?;
    }
    Ok(())
}

async fn drop_codes(conn: &mut Conn, account: i64) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM recovery_code WHERE account = $1";
    conn.run("dropping recovery codes", SQL, values![account])
        .await
        .map(drop)
}

pub(crate) async fn remove(
    conn: &mut Conn,
    account: i64,
    entry: &AuditEntry,
) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM second_factor WHERE account = $1 RETURNING confirmed_at";
    let rows = conn
        .rows("removing a second factor", SQL, values![account])
        .await?;
    let counted = match rows.first() {
        Some(row) => row.int_or_null(0)?.is_some(),
        None => false,
    };
    drop_codes(conn, account).await?;
    if counted {
        audit::add(conn, entry).await?;
    }
    Ok(counted)
}

/// The last step, the failures and since when they count, of a second factor that counts itself.
async fn locked(conn: &mut Conn, account: i64) -> Result<Option<(i64, i64, i64)>, StoreError> {
    let lock = match conn.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE",
    };
    let sql = format!(
        "SELECT last_step, failures, failed_at FROM second_factor \
         WHERE account = $1 AND confirmed_at IS NOT NULL {lock}"
    );
    let rows = conn
        .rows("using a second factor", &sql, values![account])
        .await?;
    rows.first()
        .map(|row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)))
        .transpose()
}

pub(crate) async fn use_code(
    conn: &mut Conn,
    account: i64,
    code: &FactorCode,
    limit: FactorLimit,
    entry: &AuditEntry,
) -> Result<FactorUsed, StoreError> {
    const RIGHT: &str = "UPDATE second_factor SET last_step = $1, failures = 0 WHERE account = $2";
    const WRONG: &str = "UPDATE second_factor SET failures = $1, failed_at = $2 WHERE account = $3";
    const RECOVER: &str = "DELETE FROM recovery_code WHERE account = $1 AND key = $2";
    let Some((last_step, failures, failed_at)) = locked(conn, account).await? else {
        return Ok(FactorUsed::Wrong);
    };
    let ends = failed_at + limit.counted_ms;
    let (failures, failed_at) = if entry.at.0 < ends {
        (failures, failed_at)
    } else {
        (0, entry.at.0)
    };
    if failures >= limit.failures_max {
        return Ok(FactorUsed::Wait(ends - entry.at.0));
    }
    let used = match code {
        FactorCode::Step(step) if *step > last_step => Some(*step),
        FactorCode::Recovery(key) => {
            let args = values![account, key.as_str()];
            let found = conn.run("using a recovery code", RECOVER, args).await? > 0;
            if found {
                audit::add(conn, entry).await?;
            }
            found.then_some(last_step)
        }
        FactorCode::Step(_) | FactorCode::Nothing => None,
    };
    if let Some(step) = used {
        conn.run("using a code", RIGHT, values![step, account])
            .await?;
        return Ok(FactorUsed::Right);
    }
    let args = values![failures + 1, failed_at, account];
    conn.run("counting a wrong code", WRONG, args).await?;
    if failures + 1 == limit.failures_max {
        let refused = AuditEntry {
            what: "sign_in_refused".to_owned(),
            detail: "too many wrong codes of the second factor".to_owned(),
            ..entry.clone()
        };
        audit::add(conn, &refused).await?;
    }
    Ok(FactorUsed::Wrong)
}

pub(crate) async fn reseal(
    conn: &mut Conn,
    factor: &SecondFactor,
    from: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE second_factor SET sealed = $1, sealed_by = $2 \
        WHERE account = $3 AND sealed = $4";
    let args = values![
        factor.sealed.as_str(),
        factor.sealed_by.as_str(),
        factor.account,
        from,
    ];
    Ok(conn.run("sealing a second factor", SQL, args).await? > 0)
}

pub(crate) async fn go_half_way(
    conn: &mut Conn,
    key: &str,
    account: i64,
    ends_at: Millis,
    now: Millis,
) -> Result<(), StoreError> {
    const ENDED: &str = "DELETE FROM half_way WHERE ends_at <= $1";
    const ADD: &str = "INSERT INTO half_way (key, account, ends_at) VALUES ($1,$2,$3)";
    conn.run("dropping who came half way", ENDED, values![now.0])
        .await?;
    conn.run(
        "noting who is half way",
        ADD,
        values![key, account, ends_at.0],
    )
    .await
    .map(drop)
}

pub(crate) async fn half_way(
    conn: &mut Conn,
    key: &str,
    now: Millis,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT half_way.account FROM half_way \
        JOIN account ON account.id = half_way.account \
        WHERE half_way.key = $1 AND half_way.ends_at > $2 AND account.active = 1";
    let rows = conn
        .rows("finding who is half way", SQL, values![key, now.0])
        .await?;
    rows.first().map(|row| row.int(0)).transpose()
}

pub(crate) async fn leave_half_way(conn: &mut Conn, key: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM half_way WHERE key = $1";
    conn.run("letting somebody in", SQL, values![key])
        .await
        .map(drop)
}

/// Nobody is half way into this account any more.
pub(crate) async fn nobody_half_way(conn: &mut Conn, account: i64) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM half_way WHERE account = $1";
    conn.run("ending what is half way", SQL, values![account])
        .await
        .map(drop)
}
