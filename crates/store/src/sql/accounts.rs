//! Accounts, and invitations to choose a password.

use bowline_domain::time::Millis;

use crate::access::{Account, AccountChange, AuditEntry, Changed, Invitation, NewAccount};
use crate::db::{Conn, Dialect, Row, values};
use crate::error::StoreError;
use crate::sql::{audit, sessions};

/// Invitations for the first owner that are kept: one for each process that started.
const OWNER_INVITATIONS_MAX: i64 = 8;

/// The account of the first owner, who has none yet.
const NOBODY: i64 = 0;

/// The columns that [`read`] reads, in its order.
pub(crate) const COLUMNS: &str = "account.id, account.email, account.name, account.role, \
    account.projects, account.password, account.active, account.version, account.made_at, \
    account.signed_in_at, (SELECT COUNT(*) FROM second_factor factor \
      WHERE factor.account = account.id AND factor.confirmed_at IS NOT NULL), \
    (SELECT COUNT(*) FROM account_identity known WHERE known.account = account.id)";

/// Reads an account from the column `first` on.
pub(crate) fn read(row: &Row, first: usize) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.int(first)?,
        email: row.text(first + 1)?,
        name: row.text(first + 2)?,
        role: row.text(first + 3)?,
        projects: row.text(first + 4)?,
        password: row.text_or_null(first + 5)?,
        active: row.truth(first + 6)?,
        version: row.int(first + 7)?,
        made_at: Millis(row.int(first + 8)?),
        signed_in_at: row.int_or_null(first + 9)?.map(Millis),
        second_factor: row.truth(first + 10)?,
        elsewhere: row.truth(first + 11)?,
    })
}

pub(crate) async fn any(conn: &mut Conn) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT id FROM account LIMIT 1";
    let rows = conn.rows("looking for accounts", SQL, Vec::new()).await?;
    Ok(!rows.is_empty())
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<Account>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account ORDER BY name, id");
    let rows = conn.rows("reading accounts", &sql, Vec::new()).await?;
    rows.iter().map(|row| read(row, 0)).collect()
}

/// Accounts by name, a part of them: those behind one of this name and number.
pub(crate) async fn part(
    conn: &mut Conn,
    after: Option<&(String, i64)>,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    // No number is below one, so everybody stands behind this place.
    let (name, id) = after.map_or(("", 0), |(name, id)| (name.as_str(), *id));
    let sql = format!(
        "SELECT {COLUMNS} FROM account WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3"
    );
    let rows = conn
        .rows(
            "reading a part of the accounts",
            &sql,
            values![name, id, limit],
        )
        .await?;
    rows.iter().map(|row| read(row, 0)).collect()
}

pub(crate) async fn one(conn: &mut Conn, id: i64) -> Result<Option<Account>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE id = $1");
    let rows = conn.rows("reading an account", &sql, values![id]).await?;
    rows.first().map(|row| read(row, 0)).transpose()
}

pub(crate) async fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Account>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE email = $1");
    let rows = conn
        .rows("finding an account", &sql, values![email])
        .await?;
    rows.first().map(|row| read(row, 0)).transpose()
}

pub(crate) async fn add(
    conn: &mut Conn,
    account: &NewAccount,
    at: Millis,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "INSERT INTO account \
        (email, name, role, projects, password, active, version, made_at) \
        VALUES ($1,$2,$3,$4,$5,1,1,$6) ON CONFLICT (email) DO NOTHING RETURNING id";
    let args = values![
        account.email.as_str(),
        account.name.as_str(),
        account.role.as_str(),
        account.projects.as_str(),
        account.password.clone(),
        at.0,
    ];
    let rows = conn.rows("making an account", SQL, args).await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Changes an account, unless it was changed since, or nobody would keep the role that someone
/// must have.
pub(crate) async fn change(conn: &mut Conn, change: &AccountChange) -> Result<Changed, StoreError> {
    const SQL: &str = "UPDATE account SET name = $1, role = $2, projects = $3, active = $4, \
        version = version + 1 WHERE id = $5 AND version = $6";
    let keeps = change.active && change.role == change.keep_one;
    let keepers = keepers(conn, change.keep_one).await?;
    if !keeps && keepers == [change.id] {
        return Ok(Changed::LastOne);
    }
    let args = values![
        change.name.as_str(),
        change.role.as_str(),
        change.projects.as_str(),
        change.active,
        change.id,
        change.version,
    ];
    if conn.run("changing an account", SQL, args).await? == 0 {
        return Ok(Changed::Overtaken);
    }
    if !change.active {
        sessions::end_all(conn, change.id, "").await?;
    }
    Ok(Changed::Done)
}

/// The active accounts of a role. Their rows stay locked to the end of the transaction: else two
/// replicas could each take the role away from one of the last two.
async fn keepers(conn: &mut Conn, role: &str) -> Result<Vec<i64>, StoreError> {
    let lock = match conn.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE",
    };
    let sql = format!("SELECT id FROM account WHERE role = $1 AND active = 1 ORDER BY id {lock}");
    conn.rows("finding who keeps a role", &sql, values![role])
        .await?
        .iter()
        .map(|row| row.int(0))
        .collect()
}

pub(crate) async fn invite(conn: &mut Conn, invitation: &Invitation) -> Result<(), StoreError> {
    const DROP: &str = "DELETE FROM invitation WHERE account = $1 AND key NOT IN \
        (SELECT key FROM invitation WHERE account = $1 ORDER BY made_at DESC LIMIT $2)";
    const ADD: &str = "INSERT INTO invitation (key, account, made_at, ends_at) \
        VALUES ($1,$2,$3,$4)";
    let account = invitation.account.unwrap_or(NOBODY);
    let kept = if account == NOBODY {
        OWNER_INVITATIONS_MAX - 1
    } else {
        0
    };
    conn.run("dropping invitations", DROP, values![account, kept])
        .await?;
    let args = values![
        invitation.key.as_str(),
        account,
        invitation.made_at.0,
        invitation.ends_at.0,
    ];
    conn.run("keeping an invitation", ADD, args).await.map(drop)
}

pub(crate) async fn invitation(
    conn: &mut Conn,
    key: &str,
    now: Millis,
) -> Result<Option<Option<i64>>, StoreError> {
    const SQL: &str = "SELECT account FROM invitation WHERE key = $1 AND ends_at > $2";
    let rows = conn
        .rows("finding an invitation", SQL, values![key, now.0])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let account = row.int(0)?;
    Ok(Some((account != NOBODY).then_some(account)))
}

/// Takes an invitation away and says for whom it was.
pub(crate) async fn use_up(
    conn: &mut Conn,
    key: &str,
    now: Millis,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "DELETE FROM invitation WHERE key = $1 AND ends_at > $2 RETURNING account";
    let rows = conn
        .rows("using an invitation up", SQL, values![key, now.0])
        .await?;
    rows.first().map(|row| row.int(0)).transpose()
}

pub(crate) async fn make_owner(
    conn: &mut Conn,
    key: &str,
    account: &NewAccount,
    entry: &AuditEntry,
) -> Result<Option<i64>, StoreError> {
    const REST: &str = "DELETE FROM invitation WHERE account = $1";
    if use_up(conn, key, entry.at).await? != Some(NOBODY) || any(conn).await? {
        return Ok(None);
    }
    let made = add(conn, account, entry.at).await?;
    conn.run("dropping owners' invitations", REST, values![NOBODY])
        .await?;
    audit::add(
        conn,
        &AuditEntry {
            account: made,
            ..entry.clone()
        },
    )
    .await?;
    Ok(made)
}

async fn set_password(conn: &mut Conn, account: i64, password: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE account SET password = $1, version = version + 1 WHERE id = $2";
    conn.run("setting a password", SQL, values![password, account])
        .await
        .map(drop)
}

pub(crate) async fn choose_password(
    conn: &mut Conn,
    key: &str,
    password: &str,
    entry: &AuditEntry,
) -> Result<Option<Account>, StoreError> {
    let Some(id) = use_up(conn, key, entry.at).await? else {
        return Ok(None);
    };
    let Some(account) = one(conn, id).await?.filter(|account| account.active) else {
        return Ok(None);
    };
    set_password(conn, id, password).await?;
    sessions::end_all(conn, id, "").await?;
    let entry = AuditEntry {
        who: account.email.clone(),
        account: Some(id),
        subject: account.email.clone(),
        ..entry.clone()
    };
    audit::add(conn, &entry).await?;
    Ok(Some(account))
}

pub(crate) async fn change_password(
    conn: &mut Conn,
    account: i64,
    password: &str,
    keep: &str,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    set_password(conn, account, password).await?;
    sessions::end_all(conn, account, keep).await?;
    audit::add(conn, entry).await
}
