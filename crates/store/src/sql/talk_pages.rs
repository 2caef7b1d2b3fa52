//! Conversations and end users, a page at a time.

use bowline_domain::ids::{IssueKey, SiteName};
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::sql::talk_lookup::read_request;
use crate::sql::views::Conditions;
use crate::talk_browse::{
    EndUserQuery, EndUserRow, SendsQuery, TalkQuery, TalkRow, TalkSubject, WindowQuery,
};

/// The condition of the index of messages about which a person has to decide.
pub(crate) const UNRESOLVED: &str =
    "delivery IN ('failed', 'not_sent', 'held') AND resolved IS NULL";

/// The states of messages that a person is asked about.
pub(crate) fn deliveries(which: SendsQuery) -> &'static str {
    match which {
        SendsQuery::Held => "delivery = 'held'",
        SendsQuery::NotDelivered => "delivery IN ('failed', 'not_sent')",
    }
}

/// How many of a conversation's messages are so.
fn counted(which: SendsQuery) -> String {
    format!(
        "(SELECT COUNT(*) FROM outbound WHERE outbound.account = request.account \
           AND outbound.end_user = request.end_user \
           AND outbound.generation = request.generation AND {} AND {UNRESOLVED})",
        deliveries(which)
    )
}

pub(crate) async fn talks(conn: &mut Conn, query: &TalkQuery) -> Result<Vec<TalkRow>, StoreError> {
    let mut conditions = Conditions::default();
    narrow(&mut conditions, query);
    let (column, direction) = order(query);
    go_on(&mut conditions, query, column, direction);
    let columns = ["account", "end_user", "generation", "state", "issue", "key"];
    let columns = columns.map(|name| format!("request.{name}")).join(", ");
    let (held, failed) = (counted(SendsQuery::Held), counted(SendsQuery::NotDelivered));
    let sql = format!(
        "SELECT {columns}, end_user.name, end_user.blocked, {held}, {failed} \
         FROM request LEFT JOIN end_user ON end_user.account = request.account \
           AND end_user.id = request.end_user \
         {} ORDER BY {column} {direction}, request.account {direction}, \
           request.end_user {direction}, request.generation {direction} LIMIT {}",
        conditions.text(),
        query.limit
    );
    let rows = conn
        .rows("looking through conversations", &sql, conditions.args)
        .await?;
    rows.iter().map(read_talk).collect()
}

/// How many there are.
pub(crate) async fn count(conn: &mut Conn, query: &TalkQuery) -> Result<i64, StoreError> {
    let mut conditions = Conditions::default();
    narrow(&mut conditions, query);
    let sql = format!("SELECT COUNT(*) FROM request {}", conditions.text());
    let rows = conn
        .rows("counting conversations for a page", &sql, conditions.args)
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// The keys of the requests at a site whose conversations are active.
pub(crate) async fn live_requests(
    conn: &mut Conn,
    site: &SiteName,
) -> Result<Vec<IssueKey>, StoreError> {
    const SQL: &str =
        "SELECT key FROM request WHERE live = 1 AND site = $1 AND key IS NOT NULL ORDER BY key";
    let args = values![site.as_str()];
    let rows = conn.rows("reading active requests", SQL, args).await?;
    rows.iter()
        .map(|row| row.text(0).map(IssueKey::new))
        .collect()
}

fn read_talk(row: &Row) -> Result<TalkRow, StoreError> {
    let (whose, request) = read_request(row)?;
    Ok(TalkRow {
        whose,
        request,
        name: row.text_or_null(6)?,
        blocked: row.int_or_null(7)?.unwrap_or(0) != 0,
        held: row.int(8)?,
        not_delivered: row.int(9)?,
    })
}

/// By what conversations are ordered: each order has an index.
fn order(query: &TalkQuery) -> (&'static str, &'static str) {
    match query.window {
        None => ("request.opened_at", "DESC"),
        Some(WindowQuery::EndedBy(_)) => ("request.window_ends_at", "DESC"),
        Some(WindowQuery::EndsBetween(..)) => ("request.window_ends_at", "ASC"),
    }
}

fn narrow(conditions: &mut Conditions, query: &TalkQuery) {
    match query.window {
        // In the text and not a value, so that the index of active ones is used.
        Some(WindowQuery::EndsBetween(after, until)) => {
            conditions.sql.push("request.live = 1".to_owned());
            conditions.add("request.window_ends_at > ?", after.0);
            conditions.add("request.window_ends_at <= ?", until.0);
        }
        Some(WindowQuery::EndedBy(at)) => {
            conditions.sql.push("request.live = 1".to_owned());
            conditions.add("request.window_ends_at <= ?", at.0);
        }
        None => {}
    }
    if let Some(live) = query.live {
        conditions.add("request.live = ?", live);
    }
    if let Some(desk) = &query.desk {
        conditions.add("request.desk = ?", desk.as_str());
    }
    if let Some(account) = &query.account {
        conditions.add("request.account = ?", account.as_str());
    }
    if let Some(platform) = &query.platform {
        conditions.add("request.platform = ?", platform.as_str());
    }
    match &query.about {
        Some(TalkSubject::Issue(key)) => conditions.add("request.key = ?", key.as_str()),
        Some(TalkSubject::EndUser(account, end_user)) => {
            conditions.add("request.account = ?", account.as_str());
            conditions.add("request.end_user = ?", end_user.as_str());
        }
        Some(TalkSubject::Identity(value)) => conditions.add(
            "(request.account, request.end_user) IN \
             (SELECT account, end_user FROM identity WHERE value = ?)",
            value.as_str(),
        ),
        Some(TalkSubject::Name(name)) => conditions.add(
            "(request.account, request.end_user) IN \
             (SELECT account, id FROM end_user WHERE LOWER(name) LIKE LOWER(?) ESCAPE '!')",
            format!("%{}%", literally(name)),
        ),
        None => {}
    }
    if let Some(sends) = query.sends {
        conditions.sql.push(format!(
            "(request.account, request.end_user, request.generation) IN \
             (SELECT account, end_user, generation FROM outbound WHERE {} AND {UNRESOLVED})",
            deliveries(sends)
        ));
    }
}

/// A text that stands for itself in a pattern.
fn literally(text: &str) -> String {
    let special = ['!', '%', '_'];
    text.chars().fold(String::new(), |mut pattern, c| {
        if special.contains(&c) {
            pattern.push('!');
        }
        pattern.push(c);
        pattern
    })
}

fn go_on(conditions: &mut Conditions, query: &TalkQuery, column: &str, direction: &str) {
    let Some(after) = &query.after else { return };
    let sign = if direction == "DESC" { "<" } else { ">" };
    // The first condition is the one that an index has.
    conditions.add(&format!("{column} {sign}= ?"), after.at.0);
    conditions.add(
        &format!("({column}, request.account, request.end_user, request.generation) {sign} (?"),
        after.at.0,
    );
    conditions.go_on(", ?", after.whose.account.as_str());
    conditions.go_on(", ?", after.whose.end_user.as_str());
    conditions.go_on(", ?)", i64::from(after.whose.generation));
}

pub(crate) async fn end_users(
    conn: &mut Conn,
    query: &EndUserQuery,
) -> Result<Vec<EndUserRow>, StoreError> {
    let mut conditions = Conditions::default();
    if query.blocked {
        conditions.sql.push("end_user.blocked = 1".to_owned());
    }
    if let Some(value) = &query.identity {
        conditions.add(
            "(end_user.account, end_user.id) IN \
             (SELECT account, end_user FROM identity WHERE value = ?)",
            value.as_str(),
        );
    }
    if let Some(after) = &query.after {
        conditions.add("end_user.since <= ?", after.since.0);
        conditions.add(
            "(end_user.since, end_user.account, end_user.id) < (?",
            after.since.0,
        );
        conditions.go_on(", ?", after.account.as_str());
        conditions.go_on(", ?)", after.id.as_str());
    }
    let sql = format!(
        "SELECT end_user.account, end_user.id, end_user.name, end_user.blocked, \
           end_user.customer, end_user.since, \
           (SELECT MIN(value) FROM identity WHERE identity.account = end_user.account \
             AND identity.end_user = end_user.id), \
           (SELECT COUNT(*) FROM request WHERE request.account = end_user.account \
             AND request.end_user = end_user.id), \
           (SELECT COUNT(*) FROM request WHERE request.account = end_user.account \
             AND request.end_user = end_user.id AND request.live = 1) \
         FROM end_user {} ORDER BY end_user.since DESC, end_user.account DESC, \
           end_user.id DESC LIMIT {}",
        conditions.text(),
        query.limit
    );
    let rows = conn
        .rows("looking through end users", &sql, conditions.args)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(EndUserRow {
                account: AccountName::new(row.text(0)?),
                id: EndUserId::new(row.text(1)?),
                name: row.text_or_null(2)?,
                blocked: row.truth(3)?,
                customer: row.text_or_null(4)?,
                since: Millis(row.int(5)?),
                identity: row.text_or_null(6)?,
                conversations: row.int(7)?,
                active: row.int(8)? > 0,
            })
        })
        .collect()
}
