//! Identities at a provider, and sign-ins there that came to their end.

use bowline_domain::time::Millis;

use crate::access::{Account, AuditEntry, NewAccount};
use crate::db::{Conn, values};
use crate::elsewhere::{Identity, Joined, KeptIdentity, MadeFor};
use crate::error::StoreError;
use crate::sql::{accounts, audit, sessions};

pub(crate) async fn use_sign_in(
    conn: &mut Conn,
    key: &str,
    ends_at: Millis,
    now: Millis,
) -> Result<bool, StoreError> {
    const OVER: &str = "DELETE FROM used_sign_in WHERE ends_at <= $1";
    const ADD: &str = "INSERT INTO used_sign_in (key, ends_at) VALUES ($1,$2) \
        ON CONFLICT (key) DO NOTHING";
    conn.run("dropping used sign-ins", OVER, values![now.0])
        .await?;
    let added = conn
        .run("using a sign-in up", ADD, values![key, ends_at.0])
        .await?;
    Ok(added > 0)
}

pub(crate) async fn account_of(
    conn: &mut Conn,
    issuer: &str,
    subject: &str,
) -> Result<Option<Account>, StoreError> {
    let sql = format!(
        "SELECT {} FROM account_identity held JOIN account ON account.id = held.account \
         WHERE held.issuer = $1 AND held.subject = $2",
        accounts::COLUMNS
    );
    let rows = conn
        .rows(
            "finding the account of an identity",
            &sql,
            values![issuer, subject],
        )
        .await?;
    rows.first().map(|row| accounts::read(row, 0)).transpose()
}

pub(crate) async fn of(conn: &mut Conn, account: i64) -> Result<Option<KeptIdentity>, StoreError> {
    const SQL: &str = "SELECT issuer, subject, email, joined_at, used_at FROM account_identity \
        WHERE account = $1";
    let rows = conn
        .rows("reading an identity", SQL, values![account])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(KeptIdentity {
        identity: Identity {
            issuer: row.text(0)?,
            subject: row.text(1)?,
            email: row.text(2)?,
        },
        joined_at: Millis(row.int(3)?),
        used_at: row.int_or_null(4)?.map(Millis),
    }))
}

/// Gives an identity to an account that has none. If another process gave it away in this moment,
/// the database refuses, and nothing of the transaction holds.
async fn give(
    conn: &mut Conn,
    identity: &Identity,
    account: i64,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO account_identity \
        (issuer, subject, account, email, joined_at, used_at) VALUES ($1,$2,$3,$4,$5,NULL)";
    let args = values![
        identity.issuer.as_str(),
        identity.subject.as_str(),
        account,
        identity.email.as_str(),
        at.0,
    ];
    conn.run("keeping an identity", SQL, args).await.map(drop)
}

async fn take(conn: &mut Conn, account: i64) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM account_identity WHERE account = $1";
    let taken = conn
        .run("taking an identity away", SQL, values![account])
        .await?;
    Ok(taken > 0)
}

pub(crate) async fn make_for(
    conn: &mut Conn,
    identity: &Identity,
    account: &NewAccount,
    entry: &AuditEntry,
) -> Result<MadeFor, StoreError> {
    if account_of(conn, &identity.issuer, &identity.subject)
        .await?
        .is_some()
    {
        return Ok(MadeFor::IdentityTaken);
    }
    let Some(id) = accounts::add(conn, account, entry.at).await? else {
        return Ok(MadeFor::AddressTaken);
    };
    give(conn, identity, id, entry.at).await?;
    let entry = AuditEntry {
        account: Some(id),
        ..entry.clone()
    };
    audit::add(conn, &entry).await?;
    let made = accounts::one(conn, id).await?;
    Ok(made.map_or(MadeFor::AddressTaken, MadeFor::Made))
}

/// The account that may take this identity, or why none may.
async fn taker(conn: &mut Conn, identity: &Identity, account: i64) -> Result<Joined, StoreError> {
    let holder = account_of(conn, &identity.issuer, &identity.subject).await?;
    if holder.is_some_and(|holder| holder.id != account) {
        return Ok(Joined::Taken);
    }
    let found = accounts::one(conn, account).await?;
    let active = found.filter(|account| account.active);
    Ok(active.map_or(Joined::NoAccount, Joined::Done))
}

pub(crate) async fn join(
    conn: &mut Conn,
    identity: &Identity,
    account: i64,
    entry: &AuditEntry,
) -> Result<Joined, StoreError> {
    let taker = taker(conn, identity, account).await?;
    if matches!(taker, Joined::Done(_)) {
        take(conn, account).await?;
        give(conn, identity, account, entry.at).await?;
        audit::add(conn, entry).await?;
    }
    Ok(taker)
}

pub(crate) async fn join_invited(
    conn: &mut Conn,
    identity: &Identity,
    key: &str,
    entry: &AuditEntry,
) -> Result<Joined, StoreError> {
    let invited = accounts::invitation(conn, key, entry.at).await?.flatten();
    let Some(id) = invited else {
        return Ok(Joined::NoAccount);
    };
    let taker = taker(conn, identity, id).await?;
    let Joined::Done(account) = &taker else {
        return Ok(taker);
    };
    if accounts::use_up(conn, key, entry.at).await?.is_none() {
        return Ok(Joined::NoAccount);
    }
    let entry = AuditEntry {
        who: account.email.clone(),
        account: Some(id),
        subject: account.email.clone(),
        ..entry.clone()
    };
    sessions::end_all(conn, id, "").await?;
    take(conn, id).await?;
    give(conn, identity, id, entry.at).await?;
    audit::add(conn, &entry).await?;
    Ok(taker)
}

pub(crate) async fn part(
    conn: &mut Conn,
    account: i64,
    entry: &AuditEntry,
) -> Result<bool, StoreError> {
    let taken = take(conn, account).await?;
    if taken {
        audit::add(conn, entry).await?;
    }
    Ok(taken)
}

pub(crate) async fn used(
    conn: &mut Conn,
    identity: &Identity,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE account_identity SET used_at = $1, email = $2 \
        WHERE issuer = $3 AND subject = $4";
    let args = values![
        at.0,
        identity.email.as_str(),
        identity.issuer.as_str(),
        identity.subject.as_str(),
    ];
    conn.run("noting an identity's use", SQL, args)
        .await
        .map(drop)
}
