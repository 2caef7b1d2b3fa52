//! Links, a page at a time.

use crate::browse::LinkQuery;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::model::LinkView;
use crate::sql::views::{Conditions, read_link_view};

/// What pages follow each other by.
const ORDER: &str = "ORDER BY since DESC, site DESC, issue DESC, workspace DESC, conversation DESC";

/// Brings the project of links in step with that of their issues.
pub(crate) async fn follow(conn: &mut Conn, issues: &[(&str, &str)]) -> Result<(), StoreError> {
    const SQL: &str = "WITH v (site, issue) AS (VALUES {rows}) \
        UPDATE link SET project = issue.project \
        FROM v JOIN issue ON issue.site = v.site AND issue.issue = v.issue \
        WHERE link.site = v.site AND link.issue = v.issue AND link.project <> issue.project";
    let args = issues
        .iter()
        .flat_map(|(site, issue)| values![*site, *issue])
        .collect();
    conn.rows_of_many("having links follow their issue", SQL, 2, args)
        .await
        .map(drop)
}

pub(crate) async fn page(conn: &mut Conn, query: &LinkQuery) -> Result<Vec<LinkView>, StoreError> {
    let mut conditions = Conditions::default();
    let sql = match query.live {
        Some(live) => part(query, live, &mut conditions),
        // Each in its order from the index; what lives and what ended is put together here.
        None => format!(
            "SELECT * FROM ({}) lives UNION ALL SELECT * FROM ({}) ended {ORDER} LIMIT {}",
            part(query, true, &mut conditions),
            part(query, false, &mut conditions),
            query.limit
        ),
    };
    let rows = conn
        .rows("looking through links", &sql, conditions.args)
        .await?;
    rows.iter().map(read_link_view).collect()
}

/// The statement for links that live, or that ended. Its values are added to those of `all`.
fn part(query: &LinkQuery, live: bool, all: &mut Conditions) -> String {
    let mut conditions = Conditions {
        sql: Vec::new(),
        args: std::mem::take(&mut all.args),
    };
    // The indexes of the lists have this expression. Who asks for one issue or conversation gets few
    // links, which are sorted: nothing of the order is offered to the database then, because SQLite
    // would go through all links in it, as it expects no fewer of one conversation than of all that
    // live.
    let few = query.issue.is_some() || query.conversation.is_some();
    let lives = if few {
        "link.live * 1 = ?"
    } else {
        "link.live + 0 = ?"
    };
    conditions.add(lives, live);
    if let Some(site) = &query.site {
        conditions.add("link.site = ?", site.as_str());
    }
    if let Some(project) = &query.project {
        conditions.add("link.project = ?", project.as_str());
    }
    if let Some(issue) = &query.issue {
        // One or the other, so that an index finds it. No key is a number.
        let number = issue.bytes().all(|byte| byte.is_ascii_digit());
        let column = if number {
            "link.issue = ?"
        } else {
            "issue.key = ?"
        };
        conditions.add(column, issue.as_str());
    }
    if let Some(workspace) = &query.workspace {
        conditions.add("link.workspace = ?", workspace.as_str());
    }
    if let Some(conversation) = &query.conversation {
        conditions.add("link.conversation = ?", conversation.as_str());
    }
    if let Some(after) = &query.after {
        // One comparison of the columns that the index has behind those that are given, so that both
        // databases begin in it at just this place.
        if query.site.is_some() && query.project.is_some() {
            let place = "(link.since, link.issue, link.workspace, link.conversation) < (?";
            conditions.add(place, after.since.0);
        } else {
            let place =
                "(link.since, link.site, link.issue, link.workspace, link.conversation) < (?";
            conditions.add(place, after.since.0);
            conditions.go_on(", ?", after.site.as_str());
        }
        conditions.go_on(", ?", after.issue.as_str());
        conditions.go_on(", ?", after.workspace.as_str());
        conditions.go_on(", ?)", after.conversation.as_str());
    }
    let sql = format!(
        "SELECT link.site AS site, link.issue AS issue, issue.key AS key, \
           link.workspace AS workspace, link.conversation AS conversation, link.live AS live, \
           link.since AS since, link.generation AS generation, link.ended AS ended, \
           link.sources AS sources, link.ended_at AS ended_at \
         FROM link LEFT JOIN issue ON issue.site = link.site AND issue.issue = link.issue \
         {} ORDER BY link.since DESC, link.site DESC, link.issue DESC, link.workspace DESC, \
           link.conversation DESC LIMIT {}",
        conditions.text(),
        query.limit
    );
    all.args = conditions.args;
    sql
}
