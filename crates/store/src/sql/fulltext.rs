//! Full-text search: the one thing in which the two databases have nothing in common. A full-text
//! table holds words for the rows of another table, by their ids; what words are is decided here,
//! so that both find the same.
//!
//! A table is made in a migration by `{FULLTEXT name};` and used through [`FullText`].

use std::sync::Arc;

use crate::db::{Conn, Dialect, Value, values};
use crate::error::StoreError;

/// The longest word that is kept, in characters.
const WORD_CHARS_MAX: usize = 40;

/// Words that are kept of one row.
const WORDS_MAX: usize = 4_000;

/// Words of a search that are looked for.
const SOUGHT_MAX: usize = 8;

/// Letters from which on a word of a search finds words that only begin with it. With fewer nearly
/// everything would be found.
const PREFIX_CHARS_MIN: usize = 2;

/// A full-text table.
pub(crate) struct FullText {
    pub(crate) table: &'static str,
    add: [&'static str; 2],
    put: [&'static str; 2],
    remove: [&'static str; 2],
}

/// Names a full-text table.
macro_rules! fulltext {
    ($table:literal) => {
        $crate::sql::fulltext::FullText::of(
            $table,
            [
                concat!("INSERT INTO ", $table, " (rowid, words) {inserted}"),
                $crate::sql::fulltext::fulltext!(@insert $table, ""),
            ],
            [
                concat!(
                    "INSERT OR REPLACE INTO ",
                    $table,
                    " (rowid, words) {inserted}"
                ),
                $crate::sql::fulltext::fulltext!(
                    @insert $table, " ON CONFLICT (id) DO UPDATE SET words = excluded.words"
                ),
            ],
            [
                concat!(
                    "WITH v (id) AS (VALUES {rows}) DELETE FROM ",
                    $table,
                    " WHERE rowid IN (SELECT id FROM v WHERE id IS NOT NULL)"
                ),
                concat!(
                    "WITH v (id) AS (VALUES {rows}) DELETE FROM ",
                    $table,
                    " WHERE id IN (SELECT id FROM v)"
                ),
            ],
        )
    };
    // Words are told apart already: to have PostgreSQL do it again takes it five times as long.
    (@insert $table:literal, $conflict:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (id, words) \
             SELECT t.column1, array_to_tsvector(string_to_array(t.column2, ' ')) \
             FROM (VALUES {rows}) AS t WHERE t.column1 IS NOT NULL",
            $conflict
        )
    };
}
pub(crate) use fulltext;

/// Expands `{FULLTEXT name}` in a migration.
pub(crate) fn expand(dialect: Dialect, sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("{FULLTEXT ") {
        text.push_str(before);
        let (table, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(&schema(dialect, table));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn schema(dialect: Dialect, table: &str) -> String {
    match dialect {
        // Words come folded and parted, so nothing but blanks parts them here. The words
        // themselves are not kept: they stand in the row.
        Dialect::Sqlite => format!(
            "CREATE VIRTUAL TABLE {table} USING fts5 \
             (words, content='', contentless_delete=1, prefix='2 3', \
             tokenize=\"unicode61 remove_diacritics 0\")"
        ),
        Dialect::Postgres => format!(
            "CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL);\n\
             CREATE INDEX {table}_words ON {table} USING gin (words)"
        ),
    }
}

fn nth(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Sqlite => 0,
        Dialect::Postgres => 1,
    }
}

impl FullText {
    pub(crate) const fn of(
        table: &'static str,
        add: [&'static str; 2],
        put: [&'static str; 2],
        remove: [&'static str; 2],
    ) -> Self {
        Self {
            table,
            add,
            put,
            remove,
        }
    }

    /// Puts words as [`kept`] gives them in for rows that are new. Each row once.
    pub(crate) async fn add(
        &self,
        conn: &mut Conn,
        doing: &'static str,
        rows: impl IntoIterator<Item = (i64, Arc<str>)>,
    ) -> Result<(), StoreError> {
        let sql = self.add[nth(conn.dialect())];
        let args = pairs(rows);
        conn.rows_of_many(doing, sql, 2, args).await.map(drop)
    }

    /// Puts words as [`kept`] gives them in, instead of those that are there. Each row once.
    pub(crate) async fn put(
        &self,
        conn: &mut Conn,
        doing: &'static str,
        rows: impl IntoIterator<Item = (i64, Arc<str>)>,
    ) -> Result<(), StoreError> {
        let sql = self.put[nth(conn.dialect())];
        let args = pairs(rows);
        conn.rows_of_many(doing, sql, 2, args).await.map(drop)
    }

    /// Takes the words of rows out.
    pub(crate) async fn remove(
        &self,
        conn: &mut Conn,
        doing: &'static str,
        rows: impl IntoIterator<Item = i64>,
    ) -> Result<(), StoreError> {
        let args: Vec<Value> = rows.into_iter().map(Value::from).collect();
        let sql = self.remove[nth(conn.dialect())];
        conn.rows_of_many(doing, sql, 1, args).await.map(drop)
    }

    /// The table's column that holds the ids.
    pub(crate) fn id(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Sqlite => format!("{}.rowid", self.table),
            Dialect::Postgres => format!("{}.id", self.table),
        }
    }

    /// The condition that finds rows, with `?` for what [`sought`] gives.
    pub(crate) fn condition(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Sqlite => format!("{} MATCH ?", self.table),
            Dialect::Postgres => format!("{}.words @@ CAST(? AS tsquery)", self.table),
        }
    }
}

fn pairs(rows: impl IntoIterator<Item = (i64, Arc<str>)>) -> Vec<Value> {
    rows.into_iter()
        .flat_map(|(id, words)| values![id, &words])
        .collect()
}

/// Puts words that wait for it into the index of a table. Only PostgreSQL lets words wait.
pub(crate) async fn merge(conn: &mut Conn, table: &str) -> Result<(), StoreError> {
    match conn.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => {
            let sql = format!("SELECT gin_clean_pending_list('{table}_words')");
            conn.rows("merging words into their index", &sql, Vec::new())
                .await
                .map(drop)
        }
    }
}

/// The words of a text as they are put in.
pub(crate) fn kept(text: &str) -> String {
    words(text).join(" ")
}

/// The words of a text: runs of letters and digits, in lower case.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(|word| word.to_lowercase().chars().take(WORD_CHARS_MAX).collect())
        .collect()
}

/// What finds the rows that have all words of a search, or words that begin with them. `None` if
/// the search has no word, which finds nothing.
pub(crate) fn sought(dialect: Dialect, text: &str) -> Option<String> {
    let mut sought = words(text);
    sought.truncate(SOUGHT_MAX);
    let sought: Vec<String> = sought
        .into_iter()
        .map(|word| {
            let prefix = word.chars().count() >= PREFIX_CHARS_MIN;
            match dialect {
                Dialect::Sqlite => format!("\"{word}\"{}", if prefix { "*" } else { "" }),
                Dialect::Postgres => format!("'{word}'{}", if prefix { ":*" } else { "" }),
            }
        })
        .collect();
    let and = match dialect {
        Dialect::Sqlite => " AND ",
        Dialect::Postgres => " & ",
    };
    (!sought.is_empty()).then(|| sought.join(and))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_and_quotes_do_no_harm() {
        assert_eq!(
            words("Noa Lind <noa.lind+x@Example.com>, +46 70"),
            [
                "noa", "lind", "noa", "lind", "x", "example", "com", "46", "70"
            ]
        );
        assert_eq!(words("'; DROP \"x\" & | ! :*"), ["drop", "x"]);
        assert_eq!(words("Ünal 北京"), ["ünal", "北京"]);
        assert_eq!(words(&"a".repeat(100))[0].len(), WORD_CHARS_MAX);
    }

    #[test]
    fn all_words_are_sought_by_their_beginnings() {
        assert_eq!(
            sought(Dialect::Sqlite, "no li x").as_deref(),
            Some("\"no\"* AND \"li\"* AND \"x\"")
        );
        assert_eq!(
            sought(Dialect::Postgres, "no@li x").as_deref(),
            Some("'no':* & 'li':* & 'x'")
        );
        assert_eq!(sought(Dialect::Sqlite, " -- "), None);
    }
}
