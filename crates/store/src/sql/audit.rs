//! The audit log. There is no statement that changes or removes an entry.

use bowline_domain::time::Millis;

use crate::access::{AuditEntry, AuditFilter, AuditView};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::sql::views::Conditions;

pub(crate) async fn add(conn: &mut Conn, entry: &AuditEntry) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO audit (at, who, account, what, subject, detail) \
        VALUES ($1,$2,$3,$4,$5,$6)";
    let args = values![
        entry.at.0,
        entry.who.as_str(),
        entry.account,
        entry.what.as_str(),
        entry.subject.as_str(),
        entry.detail.as_str(),
    ];
    conn.run("adding to the audit log", SQL, args)
        .await
        .map(drop)
}

fn read(row: &Row) -> Result<AuditView, StoreError> {
    Ok(AuditView {
        id: row.int(0)?,
        entry: AuditEntry {
            at: Millis(row.int(1)?),
            who: row.text(2)?,
            account: row.int_or_null(3)?,
            what: row.text(4)?,
            subject: row.text(5)?,
            detail: row.text(6)?,
        },
    })
}

pub(crate) async fn list(
    conn: &mut Conn,
    filter: &AuditFilter,
) -> Result<Vec<AuditView>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(before) = filter.before {
        conditions.add("id < ?", before);
    }
    if let Some(what) = &filter.what {
        conditions.add("what = ?", what.as_str());
    }
    if let Some(account) = filter.account {
        conditions.add("account = ?", account);
    }
    let sql = format!(
        "SELECT id, at, who, account, what, subject, detail FROM audit {} \
         ORDER BY id DESC LIMIT {}",
        conditions.text(),
        filter.limit
    );
    let rows = conn
        .rows("reading the audit log", &sql, conditions.args)
        .await?;
    rows.iter().map(read).collect()
}
