//! Links, a page at a time.

use bowline_domain::ids::{IssueId, IssueKey, SiteName};

use crate::browse::LinkQuery;
use crate::db::Conn;
use crate::error::StoreError;
use crate::model::LinkView;
use crate::sql::lookup::read_link;
use crate::sql::views::Conditions;

pub(crate) async fn page(conn: &mut Conn, query: &LinkQuery) -> Result<Vec<LinkView>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(site) = &query.site {
        conditions.add("link.site = ?", site.as_str());
    }
    if let Some(project) = &query.project {
        conditions.add("issue.project = ?", project.as_str());
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
    if let Some(live) = query.live {
        conditions.add("link.live = ?", live);
    }
    if let Some(after) = &query.after {
        // The first condition is the one that an index has.
        conditions.add("link.since <= ?", after.since.0);
        conditions.add(
            "(link.since, link.site, link.issue, link.workspace, link.conversation) < (?",
            after.since.0,
        );
        conditions.go_on(", ?", after.site.as_str());
        conditions.go_on(", ?", after.issue.as_str());
        conditions.go_on(", ?", after.workspace.as_str());
        conditions.go_on(", ?)", after.conversation.as_str());
    }
    let sql = format!(
        "SELECT link.site, link.issue, issue.key, link.workspace, link.conversation, link.live, \
           link.since, link.generation, link.ended, link.sources \
         FROM link LEFT JOIN issue ON issue.site = link.site AND issue.issue = link.issue \
         {} ORDER BY link.since DESC, link.site DESC, link.issue DESC, link.workspace DESC, \
           link.conversation DESC LIMIT {}",
        conditions.text(),
        query.limit
    );
    let rows = conn
        .rows("looking through links", &sql, conditions.args)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(LinkView {
                site: SiteName::new(row.text(0)?),
                issue: IssueId::new(row.text(1)?),
                key: row.text_or_null(2)?.map(IssueKey::new),
                link: read_link(row, 3)?,
            })
        })
        .collect()
}
