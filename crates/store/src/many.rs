//! Statements about any number of rows. They are a list of values, of one of a few fixed sizes; many
//! rows are an array for each column on PostgreSQL, of any length, and few are a statement each on
//! SQLite.
//!
//! A statement is written once, as a template. In it stands `VALUES {rows}` for the rows, or
//! `{inserted}` for what follows the columns of an `INSERT`. Each column holds one kind of value in
//! all calls of a template.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqlx::{AssertSqlSafe, Postgres};

use crate::db::{Conn, Dialect, ROWS_MAX, Row, Value, note, of_sqlite, size_for};
use crate::error::StoreError;
use crate::postgres::{Statement, bound};

/// From so many rows on PostgreSQL gets arrays, and plans the statement for what it finds at the
/// moment. A plan that is kept from when a table was empty goes through all of it, a minute long in
/// a first copy of contacts, until PostgreSQL counts the table by itself; planning costs less than
/// what so many rows cost. Few rows are a list, because of arrays it would make a plan for each call:
/// it takes them for longer than they are otherwise. Deliveries stay below it.
const ARRAYS_FROM: usize = 128;

/// Words that wait to be put into their index while rows are written by the thousand, in KiB. A
/// search goes through all of them; with a merge beside each transaction there are far fewer.
const WORDS_UNMERGED_KIB: u32 = 64 * 1024;

/// Up to so many rows SQLite gets one by one, and any number that are only inserted: what is written
/// straight into a table costs it less than a list of values, which it makes a table of first, and
/// calls of it cost next to nothing. Before it takes a list it also notes each page as it was, should
/// the statement fail in the middle, and writes out what it has gathered of an index of words.
const ONE_BY_ONE_MAX: usize = 64;

impl Conn {
    /// Runs a statement about any number of rows, each of `columns` values, and returns what it
    /// returns of all of them. `template`: see [the module](self).
    ///
    /// A list has up to [`ROWS_MAX`] rows. It has one of a few fixed sizes, so that it is prepared a
    /// few times only, and is filled up with rows of nothing: `{inserted}` leaves those out, and with
    /// `{rows}` the statement must find nothing for them.
    pub(crate) async fn rows_of_many(
        &mut self,
        doing: &'static str,
        template: &'static str,
        columns: usize,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        if args.is_empty() {
            return Ok(Vec::new());
        }
        if let Self::Postgres(conn) = self
            && args.len() / columns >= ARRAYS_FROM
        {
            let query = of_arrays(doing, template, columns, &args);
            let rows = conn.rows_of(query).await;
            return rows.map_err(StoreError::database(doing));
        }
        let dialect = self.dialect();
        if let Self::Sqlite(conn) = self
            && (args.len() / columns <= ONE_BY_ONE_MAX || only_inserts(template))
        {
            let sql = alone(template, columns);
            if !sql.is_empty() {
                note(dialect, doing, &sql);
                let rows = conn.each(&sql, columns, &args).map(of_sqlite);
                return rows.map_err(StoreError::database(doing));
            }
        }
        let mut found = Vec::new();
        let mut rest = args;
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(ROWS_MAX * columns));
            let rows = fill(&mut rest, columns);
            let name = (dialect, template, rows);
            let sql = once(name, || listed(dialect, template, rows, columns));
            found.extend(self.rows(doing, &sql, rest).await?);
            rest = tail;
        }
        Ok(found)
    }

    /// Inserts any number of rows, each of `columns` values, and returns the ids that they got, in
    /// order. `template` ends with `{inserted} RETURNING` and two columns, the id and one whose text
    /// no other of these rows has: the `nth` of the values of a row.
    pub(crate) async fn ids_of_many(
        &mut self,
        doing: &'static str,
        template: &'static str,
        (columns, nth): (usize, usize),
        args: Vec<Value>,
    ) -> Result<Vec<i64>, StoreError> {
        if let Self::Sqlite(conn) = self {
            let (insert, _) = template.split_once(RETURNING).unwrap_or((template, ""));
            let sql = alone(insert, columns);
            note(Dialect::Sqlite, doing, &sql);
            let ids = conn.insert_each(&sql, columns, &args);
            let ids = ids.map_err(StoreError::database(doing))?;
            return ids.into_iter().map(|id| id.ok_or_else(missing)).collect();
        }
        // Nobody promises that rows come back in the order in which they were given.
        let texts: Vec<Value> = args.iter().skip(nth).step_by(columns).cloned().collect();
        let mut ids = HashMap::with_capacity(texts.len());
        for row in self.rows_of_many(doing, template, columns, args).await? {
            ids.insert(row.text(1)?, row.int(0)?);
        }
        let id = |value: &Value| text(value).and_then(|text| ids.get(text).copied());
        let each = texts.iter().map(|value| id(value).ok_or_else(missing));
        each.collect()
    }

    /// Inserts rows into SQLite but for those that are there already, and returns the ids that the
    /// others got, in order. `template` ends with `{inserted} ON CONFLICT`, and that nothing is done.
    /// PostgreSQL does what belongs to it in the same statement.
    pub(crate) fn ids_of_new(
        &mut self,
        doing: &'static str,
        template: &'static str,
        columns: usize,
        args: &[Value],
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let Self::Sqlite(conn) = self else {
            return Err(StoreError::unreadable("new rows", "not on SQLite"));
        };
        let sql = alone(template, columns);
        note(Dialect::Sqlite, doing, &sql);
        let ids = conn.insert_each(&sql, columns, args);
        ids.map_err(StoreError::database(doing))
    }

    /// Changes rows of SQLite's, one for each row of values, and says which of them were there. `sql` is
    /// an `UPDATE` of one row. PostgreSQL does what belongs to it in the same statement.
    pub(crate) fn changed_of_each(
        &mut self,
        doing: &'static str,
        sql: &'static str,
        columns: usize,
        args: &[Value],
    ) -> Result<Vec<bool>, StoreError> {
        let Self::Sqlite(conn) = self else {
            return Err(StoreError::unreadable("changed rows", "not on SQLite"));
        };
        note(Dialect::Sqlite, doing, sql);
        let changed = conn.change_each(sql, columns, args);
        changed.map_err(StoreError::database(doing))
    }

    /// [`Self::rows_of_many`] for a statement of PostgreSQL's that is the whole of its transaction, if none has
    /// begun; it is one statement, however many rows there are, and another one if there is one row.
    pub(crate) async fn only_rows_of_many(
        &mut self,
        doing: &'static str,
        forms: Forms,
        columns: usize,
        mut args: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let template = forms.list;
        let Self::Postgres(conn) = self else {
            return self.rows_of_many(doing, template, columns, args).await;
        };
        let query = if args.len() == columns {
            note(Dialect::Postgres, doing, forms.one);
            bound(forms.one, args)
        } else if args.len() / columns >= ARRAYS_FROM {
            of_arrays(doing, template, columns, &args)
        } else {
            let rows = fill(&mut args, columns);
            let sql = once((Dialect::Postgres, template, rows), || {
                listed(Dialect::Postgres, template, rows, columns)
            });
            note(Dialect::Postgres, doing, &sql);
            bound(&sql, args)
        };
        let rows = conn.rows_of_only(query).await;
        rows.map_err(StoreError::database(doing))
    }

    /// Readies the rest of a transaction for rows by the thousand. PostgreSQL finds rows by their
    /// keys then instead of going through tables: what it knows of a table that is being filled is
    /// older than what stands in it. And words are put into the index of words by whoever merges
    /// them (`fulltext::merge`), beside the transaction and not within it.
    pub(crate) async fn ready_for_many(&mut self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => {
                let sql = format!(
                    "SET LOCAL enable_seqscan = off; SET LOCAL random_page_cost = 1; \
                     SET LOCAL gin_pending_list_limit = {WORDS_UNMERGED_KIB}"
                );
                self.script("readying a transaction for many rows", &sql)
                    .await
            }
        }
    }
}

/// A statement of PostgreSQL's in two forms, which do the same. A statement about a list reads it in as
/// many places as there are parts, and has to join, count and sort for what is one row as a rule; to
/// set that up takes longer than to do it.
#[derive(Clone, Copy)]
pub(crate) struct Forms {
    /// About any number of rows: see [the module](self).
    pub(crate) list: &'static str,
    /// About one, whose values are `$1` and so on.
    pub(crate) one: &'static str,
}

fn of_arrays(
    doing: &'static str,
    template: &'static str,
    columns: usize,
    args: &[Value],
) -> Statement {
    let kinds = &args[..columns];
    let sql = once((Dialect::Postgres, template, 0), || {
        arrayed(template, kinds)
    });
    note(Dialect::Postgres, doing, &sql);
    let mut query = sqlx::query::<Postgres>(AssertSqlSafe(sql)).persistent(false);
    for (column, kind) in kinds.iter().enumerate() {
        let values = args.iter().skip(column).step_by(columns);
        query = match kind {
            Value::Int(_) => query.bind(values.map(number).collect::<Vec<_>>()),
            Value::Text(_) | Value::Shared(_) => query.bind(values.map(text).collect::<Vec<_>>()),
        };
    }
    query
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => *number,
        Value::Text(_) | Value::Shared(_) => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => text.as_deref(),
        Value::Shared(text) => Some(text),
        Value::Int(_) => None,
    }
}

fn missing() -> StoreError {
    StoreError::unreadable("new rows", "one of them did not come back")
}

/// What parts an `INSERT` from what it returns.
const RETURNING: &str = " RETURNING ";

/// Does it insert its rows and return nothing of them?
fn only_inserts(template: &str) -> bool {
    template.contains("{inserted}") && !template.contains(RETURNING)
}

/// [`single`], written out once.
fn alone(template: &'static str, columns: usize) -> Arc<str> {
    once((Dialect::Sqlite, template, 0), || {
        single(template, columns).unwrap_or_default()
    })
}

/// Fills up the values of rows with rows of nothing, and says how many rows there are then.
fn fill(args: &mut Vec<Value>, columns: usize) -> usize {
    let rows = size_for(args.len() / columns);
    let nothing: Vec<Value> = args
        .iter()
        .take(columns)
        .map(|value| match value {
            Value::Int(_) => Value::Int(None),
            Value::Text(_) | Value::Shared(_) => Value::Text(None),
        })
        .collect();
    while args.len() < rows * columns {
        args.extend(nothing.iter().cloned());
    }
    rows
}

/// What a written statement is kept by: the database, its template and for how many rows it is;
/// none: for any number on PostgreSQL, for one by itself on SQLite.
type Name = (Dialect, &'static str, usize);

/// A statement, written out once.
fn once(name: Name, write: impl FnOnce() -> String) -> Arc<str> {
    static WRITTEN: LazyLock<RwLock<HashMap<Name, Arc<str>>>> = LazyLock::new(RwLock::default);
    let known = WRITTEN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(sql) = known.get(&name) {
        return Arc::clone(sql);
    }
    drop(known);
    let sql: Arc<str> = write().into();
    let mut known = WRITTEN.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(name).or_insert(sql))
}

/// The statement with a list of values.
fn listed(dialect: Dialect, template: &str, rows: usize, columns: usize) -> String {
    let values = format!("VALUES {}", placeholders(dialect, rows, columns));
    written(template, &values, &format!("({values}) AS v"), columns)
}

/// The statement about one row, for SQLite, which names its values where a list would be; nothing if
/// it needs the list for more than that.
fn single(template: &str, columns: usize) -> Option<String> {
    if template.contains("{inserted}") {
        let values = format!("VALUES {}", placeholders(Dialect::Sqlite, 1, columns));
        return Some(template.replace("{inserted}", &values));
    }
    let (names, rest) = template
        .strip_prefix("WITH v (")?
        .split_once(") AS (VALUES {rows}) ")?;
    let rest = rest
        .replace(" FROM v WHERE ", " WHERE ")
        .replace(" FROM v)", ")");
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let mut words = rest.split("v.");
    let mut sql = words.next()?.to_owned();
    for word in words {
        if sql.ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            return None;
        }
        let end = word.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let (name, after) = word.split_at(end.unwrap_or(word.len()));
        let place = names.iter().position(|known| *known == name)?;
        // Writing to a String cannot fail.
        let _ = write!(sql, "?{}{after}", place + 1);
    }
    let mut left = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let needs_the_list = left.any(|word| word == "v");
    // What is bound is counted by the highest number.
    let all_bound = names.len() == columns && sql.contains(&format!("?{columns}"));
    (all_bound && !needs_the_list).then_some(sql)
}

/// The statement with an array for each column, for PostgreSQL.
fn arrayed(template: &str, kinds: &[Value]) -> String {
    let types = |(nth, kind): (usize, &Value)| match kind {
        Value::Int(_) => format!("${}::bigint[]", nth + 1),
        Value::Text(_) | Value::Shared(_) => format!("${}::text[]", nth + 1),
    };
    let arrays: Vec<String> = kinds.iter().enumerate().map(types).collect();
    let names = names(kinds.len());
    let rows = format!("unnest({}) AS v ({names})", arrays.join(", "));
    written(
        template,
        &format!("SELECT {names} FROM {rows}"),
        &rows,
        kinds.len(),
    )
}

fn written(template: &str, rows: &str, from: &str, columns: usize) -> String {
    let inserted = format!(
        "SELECT {} FROM {from} WHERE column1 IS NOT NULL",
        names(columns)
    );
    template
        .replace("VALUES {rows}", rows)
        .replace("{inserted}", &inserted)
}

/// What both databases call the columns of a list of values.
fn names(columns: usize) -> String {
    let names: Vec<String> = (1..=columns).map(|n| format!("column{n}")).collect();
    names.join(", ")
}

/// `($1,$2),($3,$4)`: placeholders for `rows` rows of `columns` values; `(?,?),(?,?)` for SQLite.
fn placeholders(dialect: Dialect, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { "," });
            match dialect {
                Dialect::Sqlite => text.push('?'),
                // Writing to a String cannot fail.
                Dialect::Postgres => {
                    let _ = write!(text, "${}", row * columns + column + 1);
                }
            }
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::values;

    const INSERT: &str = "INSERT INTO t (a, b) {inserted} RETURNING a";
    const JOIN: &str = "WITH v (a, b) AS (VALUES {rows}) SELECT 1 FROM v";

    #[test]
    fn rows_are_filled_up_to_fixed_sizes_with_nothing_of_the_same_kind() {
        let mut args = values![1, "a", 2, "b", 3, "c"];
        assert_eq!(fill(&mut args, 2), 4);
        let words: Vec<String> = args.iter().map(|arg| format!("{arg:?}")).collect();
        assert_eq!(words[6..], ["Int(None)", "Text(None)"]);
        let mut one = values![1, "a"];
        assert_eq!(fill(&mut one, 2), 1);
        assert_eq!(one.len(), 2);
    }

    #[test]
    fn a_list_leaves_out_rows_of_nothing() {
        assert_eq!(
            listed(Dialect::Sqlite, INSERT, 2, 2),
            "INSERT INTO t (a, b) SELECT column1, column2 FROM (VALUES (?,?),(?,?)) AS v \
             WHERE column1 IS NOT NULL RETURNING a"
        );
        assert_eq!(
            listed(Dialect::Postgres, JOIN, 2, 2),
            "WITH v (a, b) AS (VALUES ($1,$2),($3,$4)) SELECT 1 FROM v"
        );
    }

    #[test]
    fn a_statement_about_one_row_names_its_values() {
        let single = |columns| move |template: &str| single(template, columns);
        let (of_one, of_two) = (single(1), single(2));
        assert_eq!(
            of_two(INSERT).as_deref(),
            Some("INSERT INTO t (a, b) VALUES (?,?) RETURNING a")
        );
        let update = "WITH v (id, state) AS (VALUES {rows}) UPDATE t SET state = v.state, was = 1 \
            FROM v WHERE t.id = v.id AND t.state <> v.state RETURNING t.id";
        assert_eq!(
            of_two(update).as_deref(),
            Some(
                "UPDATE t SET state = ?2, was = 1 WHERE t.id = ?1 AND t.state <> ?2 RETURNING t.id"
            )
        );
        let first = "WITH v (lane) AS (VALUES {rows}) UPDATE t SET a = 1 WHERE id IN \
            (SELECT (SELECT MIN(id) FROM t WHERE lane = v.lane) FROM v)";
        assert_eq!(
            of_one(first).as_deref(),
            Some("UPDATE t SET a = 1 WHERE id IN (SELECT (SELECT MIN(id) FROM t WHERE lane = ?1))")
        );
        for joined in [
            "WITH v (id) AS (VALUES {rows}) SELECT t.a FROM v JOIN t ON t.id = v.id",
            "WITH v (id) AS (VALUES {rows}) DELETE FROM t WHERE id IN (SELECT id FROM v)",
            "WITH v (id) AS (VALUES {rows}) SELECT conv.id FROM conv WHERE conv.id = v.id",
        ] {
            assert_eq!(of_one(joined), None, "{joined}");
        }
        let unused =
            "WITH v (id, spare) AS (VALUES {rows}) UPDATE t SET a = 1 FROM v WHERE id = v.id";
        assert_eq!(of_two(unused), None, "what is not bound would be missed");
    }

    #[test]
    fn what_is_only_inserted_is_told_from_what_is_asked_for() {
        assert!(only_inserts("INSERT INTO t (a, b) {inserted}"));
        assert!(!only_inserts(INSERT));
        assert!(!only_inserts(JOIN));
    }

    #[test]
    fn many_rows_are_an_array_for_each_column_on_postgres() {
        let kinds = values![1, "a"];
        assert_eq!(
            arrayed(INSERT, &kinds),
            "INSERT INTO t (a, b) SELECT column1, column2 FROM unnest($1::bigint[], $2::text[]) \
             AS v (column1, column2) WHERE column1 IS NOT NULL RETURNING a"
        );
        assert_eq!(
            arrayed(JOIN, &kinds),
            "WITH v (a, b) AS (SELECT column1, column2 FROM unnest($1::bigint[], $2::text[]) \
             AS v (column1, column2)) SELECT 1 FROM v"
        );
    }
}
