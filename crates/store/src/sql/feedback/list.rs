//! Lists of tickets. Each order has an index, and each status is looked through by itself, so that
//! a page costs what it shows, however many tickets there are.

use std::collections::HashMap;

use bowline_domain::feedback::ids::{ProductId, TicketId};
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_domain::feedback::words::words;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::capture::product_word;
use crate::db::{Conn, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::feedback::{AssigneeFilter, Sort, TicketPage, TicketQuery, TicketRow};
use crate::sql::views::Conditions;

/// Tickets that are looked through of those that words find: the newest.
const FOUND_MAX: usize = 2_000;

/// Words that are sought at once.
const SOUGHT_MAX: usize = 12;

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

fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "ticket.id",
        Sort::People => "ticket.people",
        Sort::Companies => "ticket.companies",
        Sort::Spend => "ticket.spend",
    }
}

/// A part of the tickets that are asked for.
pub(crate) async fn page(conn: &mut Conn, query: &TicketQuery) -> Result<TicketPage, StoreError> {
    let sought = match &query.text {
        Some(text) => {
            let mut sought = words(text);
            sought.truncate(SOUGHT_MAX);
            if sought.is_empty() {
                return Ok(TicketPage::default());
            }
            Some(sought)
        }
        None => None,
    };
    let found = match &sought {
        Some(sought) => Some(find(conn, query.product, sought, false, FOUND_MAX).await?),
        None => None,
    };
    let statuses: &[Status] = if query.statuses.is_empty() {
        &Status::ALL
    } else {
        &query.statuses
    };
    let mut rows = Vec::new();
    match &found {
        Some(found) => {
            for ids in found.chunks(crate::db::ROWS_MAX) {
                for status in statuses {
                    rows.extend(of_status(conn, query, *status, Some(ids)).await?);
                }
            }
        }
        None => {
            for status in statuses {
                rows.extend(of_status(conn, query, *status, None).await?);
            }
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.place(query.sort)));
    rows.dedup_by_key(|row| row.id);
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    label(conn, &mut rows).await?;
    Ok(TicketPage {
        next: rows
            .last()
            .filter(|_| more)
            .map(|row| row.place(query.sort)),
        broken_off: found.is_some_and(|found| found.len() >= FOUND_MAX),
        rows,
    })
}

/// The tickets of one status that are asked for, up to one more than the page has; of these only, if
/// they are given.
async fn of_status(
    conn: &mut Conn,
    query: &TicketQuery,
    status: Status,
    ids: Option<&[i64]>,
) -> Result<Vec<TicketRow>, StoreError> {
    let by = column(query.sort);
    let mut conditions = Conditions::default();
    conditions.sql.push("ticket.merged_into IS NULL".to_owned());
    conditions.add("ticket.status = ?", status.code());
    if let Some(product) = query.product {
        conditions.add("ticket.product = ?", product.0);
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
        conditions.add(
            "ticket.id IN (SELECT ticket FROM ticket_label WHERE label = ?)",
            label.as_str(),
        );
    }
    match (query.after, query.sort) {
        (Some((_, id)), Sort::Newest) => conditions.add("ticket.id < ?", id),
        (Some((value, id)), _) => {
            conditions.add(&format!("({by}, ticket.id) < (?"), value);
            conditions.go_on(", ?)", id);
        }
        (None, _) => {}
    }
    if let Some(ids) = ids {
        let places: Vec<String> = (1..=ids.len())
            .map(|place| format!("${}", conditions.args.len() + place))
            .collect();
        conditions
            .sql
            .push(format!("ticket.id IN ({})", places.join(",")));
        conditions
            .args
            .extend(ids.iter().map(|id| Value::from(*id)));
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

/// The newest tickets with these words, each by the ticket that stands for it.
async fn find(
    conn: &mut Conn,
    product: Option<ProductId>,
    sought: &[String],
    any: bool,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let dialect = conn.dialect();
    let mut text = dialect.sought(sought, any);
    if let Some(product) = product {
        let word = dialect.sought(&[product_word(product)], false);
        let and = dialect.sought(&["a".to_owned(), "b".to_owned()], false);
        // What stands between two words that are both sought.
        let and = if and.contains(" AND ") {
            " AND "
        } else {
            " & "
        };
        text = format!("({text}){and}{word}");
    }
    let sql = format!(
        "SELECT COALESCE(ticket.merged_into, ticket.id) FROM ( \
           SELECT rowid AS found FROM ticket_text WHERE {} ORDER BY rowid DESC LIMIT {limit} \
         ) AS hit JOIN ticket ON ticket.id = hit.found",
        dialect.has_words("$1")
    );
    let rows = conn
        .rows("looking for words in tickets", &sql, values![text])
        .await?;
    let mut ids: Vec<i64> = rows
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<_, _>>()?;
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    ids.dedup();
    Ok(ids)
}

/// Tickets of a product with any of these words, with their texts.
pub(crate) async fn with_words(
    conn: &mut Conn,
    product: ProductId,
    sought: &[String],
    limit: usize,
) -> Result<Vec<(TicketRow, String)>, StoreError> {
    if sought.is_empty() {
        return Ok(Vec::new());
    }
    let ids = find(conn, Some(product), sought, true, limit).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT {ROW}, ticket.body FROM ticket WHERE ticket.id IN ({}) AND erased IS NULL",
        places.join(",")
    );
    let args = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = conn.rows("reading tickets with words", &sql, args).await?;
    rows.iter()
        .map(|row| Ok((read_row(row)?, row.text(ROW_COLUMNS)?)))
        .collect()
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
