//! What the report shows of each issue: counted when it changes, so that a page is read from an
//! index.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::contacts::remote::tombstone;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

use crate::asked::{Came, Known, Spending, Unread};
use crate::db::{Conn, Value, values};
use crate::error::StoreError;

/// Brings the rows of issues in step whose links or whose project changed just now. What is known
/// of the people is counted later.
pub(crate) async fn follow(conn: &mut Conn, issues: &[(&str, &str)]) -> Result<(), StoreError> {
    const SQL: &str = "WITH v (site, issue) AS (VALUES {rows}) \
        INSERT INTO asked (site, issue, project, live, conversations, contacts, companies, spend, \
          last_at, unread, stale, status) \
        SELECT link.site, link.issue, COALESCE(MAX(issue.project), ''), MAX(link.live), \
          CAST(SUM(link.live) AS BIGINT), 0, 0, 0, MAX(link.since), CAST(SUM(link.live) AS BIGINT), 1, \
          COALESCE(MAX(issue.status), '') \
        FROM v JOIN link ON link.site = v.site AND link.issue = v.issue \
        LEFT JOIN issue ON issue.site = link.site AND issue.issue = link.issue \
        WHERE 1 = 1 GROUP BY link.site, link.issue \
        ON CONFLICT (site, issue) DO UPDATE SET project = excluded.project, live = excluded.live, \
          conversations = excluded.conversations, last_at = excluded.last_at, \
          status = excluded.status, stale = 1";
    let args = issues
        .iter()
        .flat_map(|(site, issue)| values![*site, *issue])
        .collect();
    conn.rows_of_many("counting what is asked", SQL, 2, args)
        .await
        .map(drop)
}

/// Of the next `limit` issues with links after `after`, those that have no row, or whose links do not
/// name their project: a version before made them. Answers them, and the last issue that was looked
/// at.
pub(crate) async fn missing(
    conn: &mut Conn,
    after: &(SiteName, IssueId),
    limit: i64,
) -> Result<(Vec<(SiteName, IssueId)>, Option<(SiteName, IssueId)>), StoreError> {
    const PART: &str = "SELECT found.site, found.issue, \
          CAST(CASE WHEN found.project = asked.project THEN 1 ELSE 0 END AS BIGINT) FROM \
          (SELECT site, issue, MIN(project) AS project FROM link WHERE (site, issue) > ($1, $2) \
            GROUP BY site, issue ORDER BY site, issue LIMIT $3) found \
        LEFT JOIN asked ON asked.site = found.site AND asked.issue = found.issue \
        ORDER BY found.site, found.issue";
    let args = values![after.0.as_str(), after.1.as_str(), limit];
    let rows = conn.rows("looking for what is asked", PART, args).await?;
    let (mut missing, mut last) = (Vec::new(), None);
    for row in &rows {
        let place = (SiteName::new(row.text(0)?), IssueId::new(row.text(1)?));
        if !row.truth(2)? {
            missing.push(place.clone());
        }
        last = Some(place);
    }
    Ok((missing, last))
}

/// Issues whose people are to be counted again, at most `limit`.
pub(crate) async fn stale(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
    const SQL: &str = "SELECT site, issue FROM asked WHERE stale = 1 ORDER BY site, issue LIMIT $1";
    let rows = conn
        .rows("finding what is to be counted", SQL, values![limit])
        .await?;
    rows.iter()
        .map(|row| Ok((SiteName::new(row.text(0)?), IssueId::new(row.text(1)?))))
        .collect()
}

/// Counts an issue again, and has those of its conversations read that never were, at `due_at`.
pub(crate) async fn recount(
    conn: &mut Conn,
    (site, issue): (&SiteName, &IssueId),
    due_at: Millis,
) -> Result<(), StoreError> {
    // First, so that a link that is made meanwhile makes it stale after this.
    const BEGIN: &str = "UPDATE asked SET stale = 0 WHERE site = $1 AND issue = $2";
    const UNKNOWN: &str = "INSERT INTO conversation_read (workspace, conversation, due_at) \
        SELECT workspace, conversation, CAST($3 AS BIGINT) FROM link \
        WHERE site = $1 AND issue = $2 AND live = 1 ON CONFLICT DO NOTHING";
    // Of contact and company an expression is taken, so that SQLite begins with the few links and not with
    // the index of all participants, which is in the order of what is told apart.
    const COUNT: &str = "WITH linked AS ( \
          SELECT link.workspace, link.conversation, link.live, link.since FROM link \
          WHERE link.site = $1 AND link.issue = $2), \
        people AS (SELECT DISTINCT linked.workspace AS workspace, \
            COALESCE(participant.contact, '') AS contact FROM linked \
          JOIN participant ON participant.workspace = linked.workspace \
            AND participant.conversation = linked.conversation WHERE linked.live = 1), \
        companies AS (SELECT DISTINCT people.workspace AS workspace, \
            COALESCE(person_company.company, '') AS company \
          FROM people JOIN person_company ON person_company.workspace = people.workspace \
            AND person_company.contact = people.contact) \
        UPDATE asked SET \
          live = (SELECT COALESCE(MAX(live), 0) FROM linked), \
          conversations = (SELECT COUNT(*) FROM linked WHERE live = 1), \
          last_at = (SELECT COALESCE(MAX(since), 0) FROM linked), \
          project = COALESCE((SELECT issue.project FROM issue \
            WHERE issue.site = $1 AND issue.issue = $2), ''), \
          status = COALESCE((SELECT issue.status FROM issue \
            WHERE issue.site = $1 AND issue.issue = $2), ''), \
          contacts = (SELECT COUNT(*) FROM people), \
          companies = (SELECT COUNT(*) FROM companies), \
          spend = (SELECT CAST(COALESCE(SUM(company_spend.spend), 0) AS BIGINT) FROM companies \
            JOIN company_spend ON company_spend.workspace = companies.workspace \
              AND company_spend.company = companies.company), \
          unread = (SELECT COUNT(*) FROM linked LEFT JOIN conversation_read known \
              ON known.workspace = linked.workspace AND known.conversation = linked.conversation \
              WHERE linked.live = 1 AND known.read_at IS NULL) \
            + (SELECT COUNT(*) FROM people LEFT JOIN person_read known \
              ON known.workspace = people.workspace AND known.contact = people.contact \
              WHERE known.read_at IS NULL) \
        WHERE asked.site = $1 AND asked.issue = $2";
    let place = || values![site.as_str(), issue.as_str()];
    conn.run("counting an issue", BEGIN, place()).await?;
    let mut args = place();
    args.push(Value::from(due_at.0));
    conn.run("having conversations read", UNKNOWN, args).await?;
    conn.run("counting an issue", COUNT, place())
        .await
        .map(drop)
}

/// Is anybody due to be read, or forgotten?
pub(crate) async fn due(conn: &mut Conn, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM conversation_read WHERE due_at <= $1 \
        UNION ALL SELECT 1 FROM person_read WHERE due_at <= $1 LIMIT 1";
    let rows = conn.rows("asking what is due to be read", SQL, values![now.0]);
    Ok(!rows.await?.is_empty())
}

/// Conversations and people that are due to be read, at most `limit` of each. They are not due again
/// before `until`.
pub(crate) async fn claim(
    conn: &mut Conn,
    (now, until): (Millis, Millis),
    limit: i64,
) -> Result<Unread, StoreError> {
    const CONVERSATIONS: &str = "UPDATE conversation_read SET due_at = $2 \
        WHERE (workspace, conversation) IN (SELECT workspace, conversation FROM conversation_read \
          WHERE due_at <= $1 ORDER BY due_at LIMIT $3) RETURNING workspace, conversation";
    const PEOPLE: &str = "UPDATE person_read SET due_at = $2 \
        WHERE (workspace, contact) IN (SELECT workspace, contact FROM person_read \
          WHERE due_at <= $1 ORDER BY due_at LIMIT $3) RETURNING workspace, contact";
    forget(conn, now, limit).await?;
    let args = || values![now.0, until.0, limit];
    let mut unread = Unread::default();
    for row in conn
        .rows("claiming conversations to read", CONVERSATIONS, args())
        .await?
    {
        let workspace = WorkspaceName::new(row.text(0)?);
        let conversation = ConversationId::new(row.text(1)?);
        unread.conversations.push((workspace, conversation));
    }
    for row in conn.rows("claiming people to read", PEOPLE, args()).await? {
        unread
            .people
            .push((WorkspaceName::new(row.text(0)?), row.text(1)?));
    }
    Ok(unread)
}

/// Drops what is due and not needed any more: conversations that nothing links, and people who are
/// in none.
async fn forget(conn: &mut Conn, now: Millis, limit: i64) -> Result<(), StoreError> {
    const CONVERSATIONS: &str = "DELETE FROM conversation_read \
        WHERE (workspace, conversation) IN (SELECT workspace, conversation FROM conversation_read \
          WHERE due_at <= $1 AND NOT EXISTS (SELECT 1 FROM link \
            WHERE link.workspace = conversation_read.workspace \
              AND link.conversation = conversation_read.conversation AND link.live = 1) \
          ORDER BY due_at LIMIT $2) RETURNING workspace, conversation";
    const PARTICIPANTS: &str = "WITH v (workspace, conversation) AS (VALUES {rows}) \
        DELETE FROM participant WHERE (workspace, conversation) IN (SELECT * FROM v)";
    const PEOPLE: &str = "DELETE FROM person_read \
        WHERE (workspace, contact) IN (SELECT workspace, contact FROM person_read \
          WHERE due_at <= $1 AND NOT EXISTS (SELECT 1 FROM participant \
            WHERE participant.workspace = person_read.workspace \
              AND participant.contact = person_read.contact) \
          ORDER BY due_at LIMIT $2) RETURNING workspace, contact";
    const COMPANIES: &str = "WITH v (workspace, contact) AS (VALUES {rows}) \
        DELETE FROM person_company WHERE (workspace, contact) IN (SELECT * FROM v)";
    for (what, of_it) in [(CONVERSATIONS, PARTICIPANTS), (PEOPLE, COMPANIES)] {
        let doing = "forgetting who asked";
        let mut args = Vec::new();
        for row in conn.rows(doing, what, values![now.0, limit]).await? {
            args.extend(values![row.text(0)?, row.text(1)?]);
        }
        conn.rows_of_many(doing, of_it, 2, args).await?;
    }
    Ok(())
}

/// Makes the issues stale that a conversation is linked to.
async fn disturb(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    conversation: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE asked SET stale = 1 WHERE stale = 0 AND (site, issue) IN ( \
        SELECT site, issue FROM link WHERE workspace = $1 AND conversation = $2)";
    conn.run(
        "having issues counted",
        SQL,
        values![workspace.as_str(), conversation],
    )
    .await
    .map(drop)
}

/// Makes the issues stale that a person asks for.
async fn disturb_person(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE asked SET stale = 1 WHERE stale = 0 AND (site, issue) IN ( \
        SELECT link.site, link.issue FROM participant \
        JOIN link ON link.workspace = participant.workspace \
          AND link.conversation = participant.conversation \
        WHERE participant.workspace = $1 AND participant.contact = $2)";
    conn.run(
        "having issues counted",
        SQL,
        values![workspace.as_str(), contact],
    )
    .await
    .map(drop)
}

/// Records a try at reading who is in a conversation.
pub(crate) async fn conversation(
    conn: &mut Conn,
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    came: &Came<Vec<String>>,
    (at, due_at): (Millis, Millis),
) -> Result<(), StoreError> {
    const READ: &str = "INSERT INTO conversation_read \
          (workspace, conversation, read_at, due_at, trouble) VALUES ($1,$2,$3,$4,$5) \
        ON CONFLICT (workspace, conversation) DO UPDATE SET \
          read_at = COALESCE(excluded.read_at, conversation_read.read_at), \
          due_at = excluded.due_at, trouble = excluded.trouble";
    const EMPTY: &str = "DELETE FROM participant WHERE workspace = $1 AND conversation = $2";
    const IN: &str = "INSERT INTO participant (workspace, conversation, contact) {inserted} \
        ON CONFLICT (workspace, conversation, contact) DO NOTHING";
    const DUE: &str = "INSERT INTO person_read (workspace, contact, due_at) {inserted} \
        ON CONFLICT (workspace, contact) DO NOTHING";
    let doing = "recording who is in a conversation";
    let (read_at, trouble) = came.row(at);
    let place = || values![workspace.as_str(), conversation.as_str()];
    let mut args = place();
    args.extend(values![read_at, due_at.0, trouble]);
    conn.run(doing, READ, args).await?;
    if let Came::Read(people) = came {
        let mut people: Vec<&String> = people.iter().collect();
        people.sort_unstable();
        people.dedup();
        let (mut within, mut due) = (Vec::new(), Vec::new());
        for contact in people {
            // Who was erased does not come back.
            if !erased(conn, workspace, contact).await? {
                within.extend(place());
                within.push(Value::from(contact.as_str()));
                due.extend(values![workspace.as_str(), contact.as_str(), at.0]);
            }
        }
        conn.run(doing, EMPTY, place()).await?;
        conn.rows_of_many(doing, IN, 3, within).await?;
        conn.rows_of_many(doing, DUE, 3, due).await?;
    }
    disturb(conn, workspace, conversation.as_str()).await
}

async fn erased(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT digest FROM contact_tombstone WHERE workspace = $1 AND digest = $2";
    let digest = tombstone(workspace.as_str(), &RemoteContactId::new(contact));
    let found = conn
        .rows(
            "looking for a tombstone",
            SQL,
            values![workspace.as_str(), digest],
        )
        .await?;
    Ok(!found.is_empty())
}

/// Records a try at reading the companies of a person.
pub(crate) async fn person(
    conn: &mut Conn,
    (workspace, contact): (&WorkspaceName, &str),
    came: &Came<Vec<Spending>>,
    (at, due_at): (Millis, Millis),
) -> Result<(), StoreError> {
    const READ: &str = "INSERT INTO person_read (workspace, contact, read_at, due_at, trouble) \
        VALUES ($1,$2,$3,$4,$5) \
        ON CONFLICT (workspace, contact) DO UPDATE SET \
          read_at = COALESCE(excluded.read_at, person_read.read_at), \
          due_at = excluded.due_at, trouble = excluded.trouble";
    const EMPTY: &str = "DELETE FROM person_company WHERE workspace = $1 AND contact = $2";
    const OF: &str = "INSERT INTO person_company (workspace, contact, company) {inserted} \
        ON CONFLICT (workspace, contact, company) DO NOTHING";
    const SPENDS: &str = "INSERT INTO company_spend (workspace, company, spend) {inserted} \
        ON CONFLICT (workspace, company) DO UPDATE SET spend = excluded.spend";
    let doing = "recording the companies of a person";
    let (read_at, trouble) = came.row(at);
    let args = values![workspace.as_str(), contact, read_at, due_at.0, trouble];
    conn.run(doing, READ, args).await?;
    if let Came::Read(companies) = came {
        let mut companies: Vec<&Spending> = companies.iter().collect();
        companies.sort_unstable_by(|one, other| one.company.cmp(&other.company));
        companies.dedup_by(|one, other| one.company == other.company);
        let (mut of, mut spends) = (Vec::new(), Vec::new());
        for one in companies {
            of.extend(values![workspace.as_str(), contact, one.company.as_str()]);
            spends.extend(values![workspace.as_str(), one.company.as_str(), one.spend]);
        }
        conn.run(doing, EMPTY, values![workspace.as_str(), contact])
            .await?;
        conn.rows_of_many(doing, OF, 3, of).await?;
        conn.rows_of_many(doing, SPENDS, 3, spends).await?;
    }
    disturb_person(conn, workspace, contact).await
}

/// Forgets a person who is erased.
pub(crate) async fn erase(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
) -> Result<(), StoreError> {
    disturb_person(conn, workspace, contact).await?;
    for sql in [
        "DELETE FROM participant WHERE workspace = $1 AND contact = $2",
        "DELETE FROM person_company WHERE workspace = $1 AND contact = $2",
        "DELETE FROM person_read WHERE workspace = $1 AND contact = $2",
    ] {
        let args = values![workspace.as_str(), contact];
        conn.run("forgetting who asked", sql, args).await?;
    }
    Ok(())
}

/// The companies of a person as they were copied; `None` if contacts of the workspace are not
/// copied, or this one is not.
pub(crate) async fn copied(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contact: &str,
) -> Result<Option<Vec<Spending>>, StoreError> {
    const SQL: &str = "SELECT membership.company, company.monthly_spend FROM contact_sync \
        JOIN contact ON contact.workspace = contact_sync.workspace AND contact.remote = $2 \
        LEFT JOIN membership ON membership.contact = contact.id \
        LEFT JOIN company ON company.workspace = membership.workspace \
          AND company.remote = membership.company \
        WHERE contact_sync.workspace = $1 AND contact_sync.switched_on = 1 \
          AND contact_sync.copied_at IS NOT NULL";
    let rows = conn
        .rows(
            "reading copied companies",
            SQL,
            values![workspace.as_str(), contact],
        )
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut companies = Vec::new();
    for row in &rows {
        if let Some(company) = row.text_or_null(0)? {
            let spend = row.int_or_null(1)?.unwrap_or_default();
            companies.push(Spending { company, spend });
        }
    }
    Ok(Some(companies))
}

/// Has what is not known of these issues read now.
pub(crate) async fn hasten(
    conn: &mut Conn,
    issues: &[(SiteName, IssueId)],
) -> Result<(), StoreError> {
    const SQL: &str = "WITH v (site, issue) AS (VALUES {rows}) \
        UPDATE conversation_read SET due_at = 0 \
        WHERE read_at IS NULL AND trouble IS NULL AND due_at > 0 \
          AND (workspace, conversation) IN ( \
          SELECT link.workspace, link.conversation FROM v \
          JOIN link ON link.site = v.site AND link.issue = v.issue WHERE link.live = 1)";
    let args = issues
        .iter()
        .flat_map(|(site, issue)| values![site.as_str(), issue.as_str()])
        .collect();
    conn.rows_of_many("having conversations read soon", SQL, 2, args)
        .await
        .map(drop)
}

/// What is not known.
pub(crate) async fn known(conn: &mut Conn) -> Result<Known, StoreError> {
    const ISSUES: &str = "SELECT COUNT(*) FROM ( \
        SELECT site FROM asked WHERE live = 1 AND unread > 0 LIMIT 10000) few";
    let rows = conn
        .rows("counting what is not known", ISSUES, vec![])
        .await?;
    let issues = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(Known { issues })
}
