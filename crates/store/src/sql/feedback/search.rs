//! Tickets by their words. The index knows nothing but words, and gives tickets from the newest on;
//! everything else that is asked for is held against what it finds, stretch by stretch, until a page
//! is full. So a page costs what it looks through, and what it did not come to is reached by going
//! on, however common a word is.

use std::collections::{HashMap, HashSet};

use bowline_domain::feedback::ids::ProductId;

use super::capture::product_word;
use super::list::{ROW, ROW_COLUMNS, column, fits, label, read_row};
use crate::db::{Conn, Dialect, Value, in_numbers, values};
use crate::error::StoreError;
use crate::feedback::{LOOKED_THROUGH_MAX, Sort, TicketPage, TicketQuery, TicketRow};
use crate::sql::views::Conditions;

/// How many finds a page looks through: a first stretch that fills most pages, then all the rest at
/// once, because finding where a stretch begins costs as much as going through it. Together they are
/// [`LOOKED_THROUGH_MAX`].
const STRETCHES: [usize; 2] = [1_000, 9_000];

const _: () = assert!(STRETCHES[0] + STRETCHES[1] == LOOKED_THROUGH_MAX);

/// One find of the index.
struct Find {
    /// The ticket that has the words.
    ticket: i64,
    /// The ticket that stands for it.
    stands: i64,
    /// What the standing one is sorted by.
    by: i64,
    /// Is the standing one as it is asked for?
    fits: bool,
}

/// A part of the tickets that have all words that are sought. The newest come first, each where the
/// newest ticket of its group stands that has the words; other orders are made among the newest
/// [`LOOKED_THROUGH_MAX`] finds.
pub(crate) async fn page(
    conn: &mut Conn,
    query: &TicketQuery,
    sought: &[String],
) -> Result<TicketPage, StoreError> {
    let text = asked(conn.dialect(), query.product, sought, false);
    match query.sort {
        Sort::Newest => newest(conn, query, &text).await,
        _ => sorted(conn, query, &text).await,
    }
}

async fn newest(
    conn: &mut Conn,
    query: &TicketQuery,
    text: &str,
) -> Result<TicketPage, StoreError> {
    let began = query.after.map_or(i64::MAX, |(_, ticket)| ticket);
    let mut before = began;
    // Each with the place of the find that showed it.
    let mut shown: Vec<(i64, i64)> = Vec::new();
    let mut seen: HashSet<i64> = HashSet::new();
    let mut exhausted = false;
    for size in STRETCHES {
        let finds = stretch(conn, query, text, before, size).await?;
        exhausted = finds.len() < size;
        before = finds.last().map_or(before, |find| find.ticket);
        let mut fresh: Vec<(i64, i64)> = finds
            .iter()
            .filter(|find| find.fits && seen.insert(find.stands))
            .map(|find| (find.ticket, find.stands))
            .collect();
        let told = shown_before(conn, text, &fresh, began).await?;
        fresh.retain(|(_, stands)| !told.contains(stands));
        shown.extend(fresh);
        if exhausted || shown.len() > query.limit {
            break;
        }
    }
    let full = shown.len() > query.limit;
    shown.truncate(query.limit);
    let next = if full {
        shown.last().map(|(ticket, _)| *ticket)
    } else {
        (!exhausted).then_some(before)
    };
    let ids: Vec<i64> = shown.iter().map(|(_, stands)| *stands).collect();
    Ok(TicketPage {
        rows: rows(conn, &ids).await?,
        next: next.map(|ticket| (ticket, ticket)),
        broken_off: !full && !exhausted,
    })
}

/// Which of these groups stand on an earlier part of the list, because a newer ticket of theirs has
/// the words too.
async fn shown_before(
    conn: &mut Conn,
    text: &str,
    fresh: &[(i64, i64)],
    began: i64,
) -> Result<HashSet<i64>, StoreError> {
    if fresh.is_empty() || began == i64::MAX {
        return Ok(HashSet::new());
    }
    let doing = "looking which tickets were shown before";
    // A group's ticket from the place on at which this part begins, with who stands for it.
    let mut newer: HashMap<i64, i64> = HashMap::new();
    let groups: Vec<i64> = fresh.iter().map(|(_, stands)| *stands).collect();
    newer.extend(
        groups
            .iter()
            .filter(|id| **id >= began)
            .map(|id| (*id, *id)),
    );
    for part in groups.chunks(crate::db::ROWS_MAX) {
        let (list, mut args) = in_numbers(2, part);
        args.insert(0, began.into());
        let sql =
            format!("SELECT id, merged_into FROM ticket WHERE id >= $1 AND merged_into IN {list}");
        for row in conn.rows(doing, &sql, args).await? {
            newer.insert(row.int(0)?, row.int(1)?);
        }
    }
    let ids: Vec<i64> = newer.keys().copied().collect();
    let mut told = HashSet::new();
    let has_words = conn.dialect().has_words("$1");
    for part in ids.chunks(crate::db::ROWS_MAX) {
        let (list, mut args) = in_numbers(2, part);
        args.insert(0, text.into());
        let sql = format!("SELECT rowid FROM ticket_text WHERE {has_words} AND rowid IN {list}");
        for row in conn.rows(doing, &sql, args).await? {
            told.extend(newer.get(&row.int(0)?));
        }
    }
    Ok(told)
}

async fn sorted(
    conn: &mut Conn,
    query: &TicketQuery,
    text: &str,
) -> Result<TicketPage, StoreError> {
    let finds = stretch(conn, query, text, i64::MAX, LOOKED_THROUGH_MAX).await?;
    let broken_off = finds.len() >= LOOKED_THROUGH_MAX;
    let mut places: Vec<(i64, i64)> = finds
        .iter()
        .filter(|find| find.fits)
        .map(|find| (find.by, find.stands))
        .filter(|place| query.after.is_none_or(|after| *place < after))
        .collect();
    places.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
    places.dedup();
    let more = places.len() > query.limit;
    places.truncate(query.limit);
    let ids: Vec<i64> = places.iter().map(|(_, id)| *id).collect();
    Ok(TicketPage {
        rows: rows(conn, &ids).await?,
        next: places.last().filter(|_| more).copied(),
        broken_off,
    })
}

/// The next finds before a ticket, the newest first.
async fn stretch(
    conn: &mut Conn,
    query: &TicketQuery,
    text: &str,
    before: i64,
    size: usize,
) -> Result<Vec<Find>, StoreError> {
    let mut conditions = Conditions {
        args: values![text, before],
        ..Conditions::default()
    };
    fits(&mut conditions, query);
    let asked = if conditions.sql.is_empty() {
        "1 = 1".to_owned()
    } else {
        conditions.sql.join(" AND ")
    };
    let sql = format!(
        "SELECT find.found, ticket.id, {by}, CAST(CASE WHEN {asked} THEN 1 ELSE 0 END AS BIGINT) \
         FROM (SELECT rowid AS found FROM ticket_text WHERE {has_words} AND rowid < $2 \
             ORDER BY rowid DESC LIMIT {size}) AS find \
           JOIN ticket AS own ON own.id = find.found \
           JOIN ticket ON ticket.id = COALESCE(own.merged_into, own.id) \
         ORDER BY find.found DESC",
        by = column(query.sort),
        has_words = conn.dialect().has_words("$1"),
    );
    let rows = conn
        .rows_with_words("looking for words in tickets", &sql, conditions.args)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Find {
                ticket: row.int(0)?,
                stands: row.int(1)?,
                by: row.int(2)?,
                fits: row.int(3)? == 1,
            })
        })
        .collect()
}

/// These tickets as lists show them, in this order.
async fn rows(conn: &mut Conn, ids: &[i64]) -> Result<Vec<TicketRow>, StoreError> {
    let mut read: HashMap<i64, TicketRow> = HashMap::new();
    for part in ids.chunks(crate::db::ROWS_MAX) {
        let (list, args) = in_numbers(1, part);
        let sql = format!("SELECT {ROW} FROM ticket WHERE ticket.id IN {list}");
        for row in conn.rows("listing tickets", &sql, args).await? {
            let row = read_row(&row)?;
            read.insert(row.id.0, row);
        }
    }
    let mut rows: Vec<TicketRow> = ids.iter().filter_map(|id| read.remove(id)).collect();
    label(conn, &mut rows).await?;
    Ok(rows)
}

/// What is asked of the index: all words or any of them, and those of one product only.
fn asked(dialect: Dialect, product: Option<ProductId>, sought: &[String], any: bool) -> String {
    let text = dialect.sought(sought, any);
    let Some(product) = product else {
        return text;
    };
    let word = dialect.sought(&[product_word(product)], false);
    let and = match dialect {
        Dialect::Sqlite => " AND ",
        Dialect::Postgres => " & ",
    };
    format!("({text}){and}{word}")
}

/// Tickets of a product with any of these words, with their texts: the newest.
pub(crate) async fn with_words(
    conn: &mut Conn,
    product: ProductId,
    sought: &[String],
    limit: usize,
) -> Result<Vec<(TicketRow, String)>, StoreError> {
    if sought.is_empty() {
        return Ok(Vec::new());
    }
    let text = asked(conn.dialect(), Some(product), sought, true);
    let find = format!(
        "SELECT rowid FROM ticket_text WHERE {} ORDER BY rowid DESC LIMIT {limit}",
        conn.dialect().has_words("$1")
    );
    let sql = format!(
        "SELECT {ROW}, ticket.body FROM ticket WHERE erased IS NULL AND ticket.id IN ( \
           SELECT COALESCE(own.merged_into, own.id) FROM ticket AS own \
           WHERE own.id IN (SELECT rowid FROM ({find}) AS find))"
    );
    let args: Vec<Value> = values![text];
    let rows = conn
        .rows_with_words("reading tickets with words", &sql, args)
        .await?;
    rows.iter()
        .map(|row| Ok((read_row(row)?, row.text(ROW_COLUMNS)?)))
        .collect()
}
