//! Pages of the report, and what it can be filtered by.

use bowline_domain::ids::{IssueId, IssueKey, SiteName};
use bowline_domain::time::Millis;

use crate::asked::{Asked, AskedCursor, AskedOrder, AskedQuery};
use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::model::StatusSeen;
use crate::sql::views::Conditions;

/// Issues of one status up to which they are found by it and sorted. Of more, a page is soon full of
/// those that are met in the order that is asked for.
const FEW: i64 = 1_000;

/// Statuses that are offered to choose from at most.
const STATUSES_MAX: i64 = 500;

/// The column that a page is sorted by; none for site and issue alone.
fn column(order: AskedOrder) -> Option<&'static str> {
    match order {
        AskedOrder::Issue => None,
        AskedOrder::Conversations => Some("conversations"),
        AskedOrder::Contacts => Some("contacts"),
        AskedOrder::Companies => Some("companies"),
        AskedOrder::Spend => Some("spend"),
        AskedOrder::Last => Some("last_at"),
    }
}

/// A page of the report.
pub(crate) async fn page(conn: &mut Conn, query: &AskedQuery) -> Result<Vec<Asked>, StoreError> {
    let few = query.status.is_some() && few(conn, query).await?;
    let mut conditions = found(query, few);
    let (t, table) = if few {
        // The limit holds the database to it: these first, and then sorted.
        let these = std::mem::take(&mut conditions.sql).join(" AND ");
        let limit = FEW * 2;
        (
            "few",
            format!("(SELECT * FROM asked WHERE {these} LIMIT {limit}) few"),
        )
    } else {
        ("asked", "asked".to_owned())
    };
    let column = column(query.order).map(|column| format!("{t}.{column}"));
    let (way, than) = if query.ascending {
        ("ASC", ">")
    } else {
        ("DESC", "<")
    };
    if let Some(AskedCursor { value, site, issue }) = &query.after {
        // One comparison of the columns that the index has behind those that are given, so that both
        // databases begin in it at just this place.
        let in_project = query.site.is_some() && query.project.is_some();
        match &column {
            Some(column) if in_project => {
                conditions.add(&format!("({column}, {t}.issue) {than} (?"), *value);
            }
            Some(column) => {
                conditions.add(
                    &format!("({column}, {t}.site, {t}.issue) {than} (?"),
                    *value,
                );
                conditions.go_on(", ?", site.as_str());
            }
            None => conditions.add(&format!("({t}.site, {t}.issue) {than} (?"), site.as_str()),
        }
        conditions.go_on(", ?)", issue.as_str());
    }
    let sorted = column.map_or_else(String::new, |column| format!("{column} {way}, "));
    let sql = format!(
        "SELECT {t}.site, {t}.issue, issue.key, issue.summary, {t}.conversations, {t}.last_at, \
           {t}.contacts, {t}.companies, {t}.spend, {t}.unread, {t}.status \
         FROM {table} LEFT JOIN issue ON issue.site = {t}.site AND issue.issue = {t}.issue \
         {} ORDER BY {sorted}{t}.site {way}, {t}.issue {way} LIMIT {}",
        conditions.text(),
        query.limit
    );
    let rows = conn
        .rows("reading what is asked", &sql, conditions.args)
        .await?;
    rows.iter().map(read).collect()
}

/// What is asked for, wherever a page begins. `by_status`: it is found by its status.
fn found(query: &AskedQuery, by_status: bool) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.add("asked.live = ?", query.live);
    if let Some(status) = &query.status {
        let column = if by_status {
            "asked.status = ?"
        } else {
            "asked.status || '' = ?"
        };
        conditions.add(column, status.as_str());
    }
    match (&query.site, &query.project) {
        (Some(site), Some(project)) => {
            conditions.add("asked.site = ?", site.as_str());
            conditions.add("asked.project = ?", project.as_str());
        }
        (Some(site), None) if by_status => conditions.add("asked.site = ?", site.as_str()),
        (Some(site), None) => {
            // Not as one value: SQLite would leave the site out of the order, and sort all issues
            // with the same number anew instead of reading them from the index.
            conditions.add("asked.site >= ?", site.as_str());
            conditions.add("asked.site <= ?", site.as_str());
        }
        (None, Some(project)) => conditions.add("asked.project = ?", project.as_str()),
        (None, None) => {}
    }
    conditions
}

/// Are there only few issues of the status?
async fn few(conn: &mut Conn, query: &AskedQuery) -> Result<bool, StoreError> {
    let conditions = found(query, true);
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT asked.site FROM asked {} LIMIT {FEW}) counted",
        conditions.text()
    );
    let rows = conn
        .rows("counting issues of a status", &sql, conditions.args)
        .await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))? < FEW)
}

/// The statuses of issues that are linked, or of those that were.
pub(crate) async fn statuses(conn: &mut Conn, live: bool) -> Result<Vec<String>, StoreError> {
    // From one to the next by the index: there are few of them, and many issues.
    const SQL: &str = "WITH RECURSIVE known (status) AS ( \
          SELECT MIN(status) FROM asked WHERE live = $1 AND status > '' \
          UNION ALL \
          SELECT (SELECT MIN(asked.status) FROM asked \
            WHERE asked.live = $1 AND asked.status > known.status) \
          FROM known WHERE known.status IS NOT NULL) \
        SELECT status FROM known WHERE status IS NOT NULL LIMIT $2";
    let rows = conn
        .rows("reading statuses", SQL, values![live, STATUSES_MAX])
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Records what issues are called now that were looked at, unless something else was recorded since.
pub(crate) async fn follow_statuses(
    conn: &mut Conn,
    site: &SiteName,
    seen: &[StatusSeen],
) -> Result<(), StoreError> {
    const ISSUES: &str = "WITH v (site, issue, before, now) AS (VALUES {rows}) \
        UPDATE issue SET status = v.now FROM v \
        WHERE issue.site = v.site AND issue.issue = v.issue AND issue.status = v.before \
        RETURNING issue.site, issue.issue, issue.status";
    const ASKED: &str = "WITH v (site, issue, status) AS (VALUES {rows}) \
        UPDATE asked SET status = v.status FROM v \
        WHERE asked.site = v.site AND asked.issue = v.issue";
    let doing = "recording statuses";
    let args = seen.iter().flat_map(|one| {
        values![
            site.as_str(),
            one.issue.as_str(),
            one.before.as_str(),
            one.now.as_str()
        ]
    });
    let mut changed = Vec::new();
    for row in conn.rows_of_many(doing, ISSUES, 4, args.collect()).await? {
        changed.extend(values![row.text(0)?, row.text(1)?, row.text(2)?]);
    }
    conn.rows_of_many(doing, ASKED, 3, changed).await.map(drop)
}

fn read(row: &Row) -> Result<Asked, StoreError> {
    Ok(Asked {
        site: SiteName::new(row.text(0)?),
        issue: IssueId::new(row.text(1)?),
        key: row.text_or_null(2)?.map(IssueKey::new),
        summary: row.text_or_null(3)?,
        conversations: row.int(4)?,
        last_at: Millis(row.int(5)?),
        contacts: row.int(6)?,
        companies: row.int(7)?,
        spend: row.int(8)?,
        unread: row.int(9)?,
        status: row.text(10)?,
    })
}
