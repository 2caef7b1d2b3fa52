//! Lists of tickets. Each order has an index, and each status is looked through by itself, so that
//! a page costs what it shows, however many tickets there are.

use std::collections::HashMap;

use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_domain::feedback::words::words;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::search;
use crate::db::{Conn, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::feedback::{AssigneeFilter, Shells, Sort, TicketPage, TicketQuery, TicketRow};
use crate::sql::views::Conditions;

/// Words that are sought at once.
const SOUGHT_MAX: usize = 12;

/// Up to how many tickets with a label are looked up one by one.
const FEW_LABELLED_MAX: i64 = 5_000;

/// Labels that are offered.
const LABELS_MAX: i64 = 500;

/// The columns of a row of a list.
pub(crate) const ROW: &str = "ticket.id, ticket.product, ticket.workspace, ticket.status, \
    ticket.importance, ticket.assignee, ticket.title, ticket.author, ticket.company_name, \
    ticket.people, ticket.companies, ticket.spend, ticket.said_at, ticket.erased, \
    ticket.issue_key";

/// How many columns these are.
pub(crate) const ROW_COLUMNS: usize = 15;

/// Reads the columns of [`ROW`]; labels come by [`label`].
pub(crate) fn read_row(row: &Row) -> Result<TicketRow, StoreError> {
    let status = row.int(3)?;
    Ok(TicketRow {
        id: TicketId(row.int(0)?),
        product: ProductId(row.int(1)?),
        workspace: WorkspaceName::new(row.text(2)?),
        status: Status::from_code(status)
            .ok_or_else(|| StoreError::unreadable("a ticket's status", status))?,
        importance: Importance::from_code(row.int(4)?),
        assignee: row.text_or_null(5)?,
        title: row.text(6)?,
        author: row.text(7)?,
        company_name: row.text_or_null(8)?,
        people: row.int(9)?,
        companies: row.int(10)?,
        spend: row.int(11)?,
        said_at: Millis(row.int(12)?),
        erased: row.text_or_null(13)?,
        issue_key: row.text_or_null(14)?,
        labels: Vec::new(),
    })
}

/// Adds the labels of tickets.
pub(crate) async fn label(conn: &mut Conn, rows: &mut [TicketRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let (list, _) = in_list(1, ids.iter().map(String::as_str));
    let mut args: Vec<Value> = rows.iter().map(|row| Value::from(row.id.0)).collect();
    // As many as the list has places: it is filled up to a fixed size.
    if let Some(last) = args.last().cloned() {
        args.resize(list.matches('$').count(), last);
    }
    let sql =
        format!("SELECT ticket, label FROM ticket_label WHERE ticket IN {list} ORDER BY label");
    let mut labels: HashMap<i64, Vec<String>> = HashMap::new();
    for row in conn.rows("reading labels of tickets", &sql, args).await? {
        labels.entry(row.int(0)?).or_default().push(row.text(1)?);
    }
    for row in rows {
        row.labels = labels.remove(&row.id.0).unwrap_or_default();
    }
    Ok(())
}

/// The column that lists are sorted by.
pub(crate) fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "ticket.id",
        Sort::People => "ticket.people",
        Sort::Companies => "ticket.companies",
        Sort::Spend => "ticket.spend",
    }
}

/// A part of the tickets that are asked for.
pub(crate) async fn page(conn: &mut Conn, query: &TicketQuery) -> Result<TicketPage, StoreError> {
    if let Some(text) = &query.text {
        let mut sought = words(text);
        sought.truncate(SOUGHT_MAX);
        if sought.is_empty() {
            return Ok(TicketPage::default());
        }
        return search::page(conn, query, &sought).await;
    }
    let statuses: &[Status] = if query.statuses.is_empty() {
        &Status::ALL
    } else {
        &query.statuses
    };
    let labelled = match &query.label {
        Some(label) => labelled(conn, label).await?,
        None => Labelled::Many,
    };
    let mut rows = Vec::new();
    for status in statuses {
        rows.extend(of_status(conn, query, *status, labelled).await?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.place(query.sort)));
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    label(conn, &mut rows).await?;
    Ok(TicketPage {
        next: rows
            .last()
            .filter(|_| more)
            .map(|row| row.place(query.sort)),
        broken_off: false,
        rows,
    })
}

/// How tickets with a label are got at: few are taken from the label's own list, many are met on
/// the way through the order that is asked for.
#[derive(Clone, Copy)]
enum Labelled {
    Few,
    Many,
}

async fn labelled(conn: &mut Conn, label: &str) -> Result<Labelled, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM ticket_label WHERE label = $1 LIMIT {}) AS counted",
        FEW_LABELLED_MAX + 1
    );
    let rows = conn.rows("counting tickets with a label", &sql, values![label]);
    let count = rows.await?.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(if count > FEW_LABELLED_MAX {
        Labelled::Many
    } else {
        Labelled::Few
    })
}

/// Of a ticket that was erased: does it stand for another one of which something is left?
const STANDS_FOR_SOME: &str = "EXISTS (SELECT 1 FROM ticket AS behind \
    WHERE behind.merged_into = ticket.id AND behind.erased IS NULL)";

/// What is asked of a ticket besides its words, its status and its place.
fn wanted(conditions: &mut Conditions, query: &TicketQuery, labelled: Labelled) {
    if let Some(product) = query.product {
        conditions.add("ticket.product = ?", product.0);
    }
    match query.shells {
        Shells::Among => {}
        Shells::Without => conditions
            .sql
            .push(format!("(ticket.erased IS NULL OR {STANDS_FOR_SOME})")),
        Shells::Only => {
            conditions.sql.push("ticket.erased IS NOT NULL".to_owned());
            conditions.sql.push(format!("NOT {STANDS_FOR_SOME}"));
        }
    }
    match &query.assignee {
        Some(AssigneeFilter::Nobody) => conditions.sql.push("ticket.assignee IS NULL".to_owned()),
        Some(AssigneeFilter::Person(email)) => {
            conditions.add("ticket.assignee = ?", email.as_str());
        }
        None => {}
    }
    if let Some(importance) = query.importance {
        conditions.add("ticket.importance = ?", importance.code());
    }
    if let Some(label) = &query.label {
        let condition = match labelled {
            Labelled::Few => "ticket.id IN (SELECT ticket FROM ticket_label WHERE label = ?)",
            Labelled::Many => {
                "EXISTS (SELECT 1 FROM ticket_label \
                   WHERE ticket_label.label = ? AND ticket_label.ticket = ticket.id)"
            }
        };
        conditions.add(condition, label.as_str());
    }
}

/// What is asked of a ticket besides its words and its place.
pub(crate) fn fits(conditions: &mut Conditions, query: &TicketQuery) {
    if !query.statuses.is_empty() {
        let codes = query
            .statuses
            .iter()
            .map(|status| status.code().to_string());
        let codes: Vec<String> = codes.collect();
        let any = format!("ticket.status IN ({})", codes.join(","));
        conditions.sql.push(any);
    }
    wanted(conditions, query, Labelled::Many);
}

/// The tickets of one status that are asked for, up to one more than the page has.
async fn of_status(
    conn: &mut Conn,
    query: &TicketQuery,
    status: Status,
    labelled: Labelled,
) -> Result<Vec<TicketRow>, StoreError> {
    let by = column(query.sort);
    let mut conditions = Conditions::default();
    conditions.sql.push("ticket.merged_into IS NULL".to_owned());
    conditions.add("ticket.status = ?", status.code());
    wanted(&mut conditions, query, labelled);
    match (query.after, query.sort) {
        (Some((_, id)), Sort::Newest) => conditions.add("ticket.id < ?", id),
        (Some((value, id)), _) => {
            conditions.add(&format!("({by}, ticket.id) < (?"), value);
            conditions.go_on(", ?)", id);
        }
        (None, _) => {}
    }
    let order = match query.sort {
        Sort::Newest => "ticket.id DESC".to_owned(),
        _ => format!("{by} DESC, ticket.id DESC"),
    };
    let sql = format!(
        "SELECT {ROW} FROM ticket {} ORDER BY {order} LIMIT {}",
        conditions.text(),
        query.limit + 1
    );
    let rows = conn.rows("listing tickets", &sql, conditions.args).await?;
    rows.iter().map(read_row).collect()
}

/// How many tickets stand in each status.
pub(crate) async fn counts(
    conn: &mut Conn,
    product: Option<ProductId>,
) -> Result<Vec<(Status, i64)>, StoreError> {
    const ALL: &str = "SELECT status, CAST(SUM(tickets) AS BIGINT) FROM ticket_count \
        GROUP BY status";
    const OF: &str = "SELECT status, tickets FROM ticket_count WHERE product = $1";
    let doing = "reading how many tickets there are";
    let rows = match product {
        Some(product) => conn.rows(doing, OF, values![product.0]).await?,
        None => conn.rows(doing, ALL, Vec::new()).await?,
    };
    let mut counted: HashMap<i64, i64> = HashMap::new();
    for row in rows {
        counted.insert(row.int(0)?, row.int(1)?);
    }
    let of = |status: Status| (status, counted.get(&status.code()).copied().unwrap_or(0));
    Ok(Status::ALL.into_iter().map(of).collect())
}

/// How many of the tickets in each status are shells of what was erased. They are few, and counted
/// from an index that holds nothing else.
pub(crate) async fn shells(
    conn: &mut Conn,
    product: Option<ProductId>,
) -> Result<Vec<(Status, i64)>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.sql.push("ticket.merged_into IS NULL".to_owned());
    let query = TicketQuery {
        product,
        shells: Shells::Only,
        ..TicketQuery::default()
    };
    wanted(&mut conditions, &query, Labelled::Many);
    let sql = format!(
        "SELECT ticket.status, COUNT(*) FROM ticket {} GROUP BY ticket.status",
        conditions.text()
    );
    let rows = conn
        .rows("counting erased tickets", &sql, conditions.args)
        .await?;
    let mut counted: HashMap<i64, i64> = HashMap::new();
    for row in rows {
        counted.insert(row.int(0)?, row.int(1)?);
    }
    let of = |status: Status| (status, counted.get(&status.code()).copied().unwrap_or(0));
    Ok(Status::ALL.into_iter().map(of).collect())
}

/// The labels there are. Each is found by a step through their index, not by reading all of it.
pub(crate) async fn labels(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "WITH RECURSIVE known (label) AS ( \
          SELECT MIN(label) FROM ticket_label \
          UNION ALL \
          SELECT (SELECT MIN(label) FROM ticket_label WHERE label > known.label) \
          FROM known WHERE known.label IS NOT NULL) \
        SELECT label FROM known WHERE label IS NOT NULL LIMIT $1";
    let rows = conn
        .rows("listing labels", SQL, values![LABELS_MAX])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Everyone who may sign in.
pub(crate) async fn assignees(conn: &mut Conn) -> Result<Vec<(String, String)>, StoreError> {
    const SQL: &str = "SELECT email, name FROM account WHERE active = 1 ORDER BY name, email";
    let rows = conn
        .rows("listing who may sign in", SQL, Vec::new())
        .await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect()
}
