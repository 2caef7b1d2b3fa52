//! Looking contacts up, and through them.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{ConflictId, ContactId, RemoteContactId};
use bowline_domain::contacts::matching::By;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

use super::{COLUMNS, LOCAL, WORDS, read_contact};
use crate::contacts::{Conflict, Contact, ContactQuery, Found};
use crate::db::{Conn, Row, in_list, values};
use crate::error::StoreError;
use crate::sql::contacts::take::locate;
use crate::sql::fulltext::sought;
use crate::sql::views::Conditions;

pub(crate) async fn page(
    conn: &mut Conn,
    query: &ContactQuery,
) -> Result<Vec<Contact>, StoreError> {
    let dialect = conn.dialect();
    let mut conditions = Conditions::default();
    let by_words = WORDS.id(dialect);
    let joined = format!("{} JOIN contact ON contact.id = {by_words}", WORDS.table);
    let (mut from, mut order) = ("contact", "contact.id");
    if !query.words.trim().is_empty() {
        let Some(sought) = sought(dialect, &query.words) else {
            return Ok(Vec::new());
        };
        // The words come first: SQLite then goes through what they find in order of the ids, and
        // stops at the end of the page.
        (from, order) = (&joined, &by_words);
        conditions.add(&WORDS.condition(dialect), sought);
    } else if let Some(company) = &query.company {
        order = "membership.contact";
        from = "membership JOIN contact ON contact.id = membership.contact";
        conditions.add("membership.workspace = ?", query.workspace.as_str());
        conditions.add("membership.company = ?", company.as_str());
    }
    conditions.add("contact.workspace = ?", query.workspace.as_str());
    if let Some(role) = &query.role {
        conditions.add("contact.role = ?", role.as_str());
    }
    conditions.add("contact.life = ?", query.life.code());
    if query.unclear {
        // Written out, so that the index of those is recognised.
        conditions.sql.push("contact.unclear = 1".to_owned());
    }
    if query.differs {
        conditions.sql.push("contact.differs = 1".to_owned());
    }
    if let (Some(company), true) = (&query.company, from.starts_with(WORDS.table)) {
        conditions.add(
            "EXISTS (SELECT 1 FROM membership WHERE membership.contact = contact.id \
             AND membership.company = ?)",
            company.as_str(),
        );
    }
    if let Some(before) = query.before {
        conditions.add(&format!("{order} < ?"), before.0);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} {} ORDER BY {order} DESC LIMIT {}",
        conditions.text(),
        query.limit
    );
    let doing = "looking through contacts";
    let rows = if query.words.trim().is_empty() {
        conn.rows(doing, &sql, conditions.args).await?
    } else {
        conn.rows_with_words(doing, &sql, conditions.args).await?
    };
    rows.iter().map(read_contact).collect()
}

/// The names of all fields that any contact of a workspace has, at Intercom or set here.
pub(crate) async fn field_names(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Vec<FieldName>, StoreError> {
    let dialect = conn.dialect();
    let sql = format!(
        "SELECT DISTINCT name FROM ({} UNION ALL {}) AS every ORDER BY name LIMIT $3",
        dialect.names_in("contact", "remote_fields", 1),
        dialect.names_in("contact", "edits", 2)
    );
    let args = values![workspace.as_str(), workspace.as_str(), limit];
    let rows = conn
        .rows("listing the fields of contacts", &sql, args)
        .await?;
    rows.iter()
        .map(|row| row.text(0).map(FieldName::new))
        .collect()
}

/// The contact with a number.
pub(crate) async fn by_id(conn: &mut Conn, id: ContactId) -> Result<Option<Contact>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM contact WHERE id = $1");
    let rows = conn.rows("reading a contact", &sql, values![id.0]).await?;
    rows.first().map(read_contact).transpose()
}

pub(crate) async fn one(conn: &mut Conn, id: ContactId) -> Result<Option<Found>, StoreError> {
    const MERGED: &str = "SELECT contact FROM contact_alias WHERE was = $1";
    if let Some(contact) = by_id(conn, id).await? {
        return Ok(Some(Found::Here(Box::new(contact))));
    }
    let rows = conn
        .rows("asking where a contact went", MERGED, values![id.0])
        .await?;
    rows.first()
        .map(|row| row.int(0).map(|into| Found::Merged(ContactId(into))))
        .transpose()
}

pub(crate) async fn by_remote(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
) -> Result<Option<Contact>, StoreError> {
    match locate(conn, workspace, remote).await? {
        Some(id) => by_id(conn, id).await,
        None => Ok(None),
    }
}

pub(crate) async fn by_email(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    email: &str,
    limit: i64,
) -> Result<Vec<Contact>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contact WHERE workspace = $1 AND email = $2 \
         ORDER BY id LIMIT $3"
    );
    let rows = conn
        .rows(
            "finding contacts by e-mail address",
            &sql,
            values![workspace.as_str(), email, limit],
        )
        .await?;
    rows.iter().map(read_contact).collect()
}

pub(crate) async fn newest_leads(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Vec<RemoteContactId>, StoreError> {
    const SQL: &str = "SELECT remote FROM contact \
        WHERE workspace = $1 AND role = 'lead' AND life = $2 AND remote IS NOT NULL \
        ORDER BY id DESC LIMIT $3";
    let args = values![workspace.as_str(), Life::Live.code(), limit];
    let rows = conn.rows("finding the newest leads", SQL, args).await?;
    rows.iter()
        .map(|row| row.text(0).map(RemoteContactId::new))
        .collect()
}

pub(crate) async fn aliases(conn: &mut Conn, id: ContactId) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT remote FROM contact_alias WHERE contact = $1 AND remote IS NOT NULL";
    let rows = conn
        .rows("reading a contact's other ids", SQL, values![id.0])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

const CONFLICT_COLUMNS: &str = "id, contact, known_by, candidates, at";

fn read_conflict(row: &Row) -> Result<Conflict, StoreError> {
    let by = row.text(2)?;
    Ok(Conflict {
        id: ConflictId(row.int(0)?),
        contact: ContactId(row.int(1)?),
        by: By::from_word(&by)
            .ok_or_else(|| StoreError::unreadable("a conflict", "it is of an unknown kind"))?,
        candidates: serde_json::from_str(&row.text(3)?)
            .map_err(|error| StoreError::unreadable("a conflict", error))?,
        at: Millis(row.int(4)?),
    })
}

pub(crate) async fn conflicts(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    limit: i64,
) -> Result<Vec<Conflict>, StoreError> {
    let sql = format!(
        "SELECT {CONFLICT_COLUMNS} FROM contact_conflict \
         WHERE workspace = $1 AND decided_at IS NULL ORDER BY id LIMIT $2"
    );
    let rows = conn
        .rows(
            "listing who is not clear",
            &sql,
            values![workspace.as_str(), limit],
        )
        .await?;
    rows.iter().map(read_conflict).collect()
}

pub(crate) async fn conflict_of(
    conn: &mut Conn,
    contact: ContactId,
) -> Result<Option<Conflict>, StoreError> {
    let sql = format!(
        "SELECT {CONFLICT_COLUMNS} FROM contact_conflict \
         WHERE contact = $1 AND decided_at IS NULL ORDER BY id LIMIT 1"
    );
    let rows = conn
        .rows("reading who is not clear", &sql, values![contact.0])
        .await?;
    rows.first().map(read_conflict).transpose()
}

/// A question that waits.
pub(crate) async fn conflict(
    conn: &mut Conn,
    id: ConflictId,
) -> Result<Option<Conflict>, StoreError> {
    let sql = format!(
        "SELECT {CONFLICT_COLUMNS} FROM contact_conflict WHERE id = $1 AND decided_at IS NULL"
    );
    let rows = conn.rows("reading a question", &sql, values![id.0]).await?;
    rows.first().map(read_conflict).transpose()
}

pub(crate) async fn issues_of(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    conversations: &[ConversationId],
) -> Result<Vec<(ConversationId, SiteName, IssueId)>, StoreError> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let (list, mut args) = in_list(2, conversations.iter().map(ConversationId::as_str));
    args.insert(0, workspace.as_str().into());
    let sql = format!(
        "SELECT conversation, site, issue FROM link \
         WHERE workspace = $1 AND conversation IN {list} AND live = 1"
    );
    let rows = conn
        .rows("finding the issues of conversations", &sql, args)
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                ConversationId::new(row.text(0)?),
                SiteName::new(row.text(1)?),
                IssueId::new(row.text(2)?),
            ))
        })
        .collect()
}

/// How many are listed that Intercom does not know, counted up to a bound.
pub(crate) async fn local(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    max: i64,
) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM (SELECT id FROM contact \
        WHERE workspace = $1 AND role = $2 AND life = 0 LIMIT $3) AS counted";
    let args = values![workspace.as_str(), LOCAL, max];
    let rows = conn
        .rows("counting who is not at Intercom", SQL, args)
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}
