//! Companies.

use std::collections::HashMap;

use bowline_domain::contacts::ids::{CompanyId, ContactId, RemoteCompanyId};
use bowline_domain::contacts::remote::RemoteCompany;
use bowline_domain::contacts::{Freshness, freshness};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::{COMPANY_WORDS, read_fields};
use crate::contacts::{Company, CompanyQuery};
use crate::db::{Conn, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::sql::decide::json;
use crate::sql::fulltext::{self, sought};
use crate::sql::views::Conditions;

const COLUMNS: &str = "company.id, company.workspace, company.remote, company.name, company.plan, \
    company.monthly_spend, company.people, company.updated_at, company.gone, company.remote_fields";

fn read(row: &Row, first: usize) -> Result<Company, StoreError> {
    Ok(Company {
        id: CompanyId(row.int(first)?),
        workspace: WorkspaceName::new(row.text(first + 1)?),
        remote: RemoteCompanyId::new(row.text(first + 2)?),
        name: row.text(first + 3)?,
        plan: row.text_or_null(first + 4)?,
        monthly_spend: row.int_or_null(first + 5)?,
        people: row.int_or_null(first + 6)?,
        updated_at: Millis(row.int(first + 7)?),
        gone: row.truth(first + 8)?,
        fields: read_fields(&row.text(first + 9)?)?,
    })
}

/// Takes companies in. One that says what is known, or something older, is not written.
pub(crate) async fn take_in(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    companies: &[RemoteCompany],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO company (workspace, remote, name, plan, monthly_spend, people, \
          updated_at, digest, since, gone, remote_fields) {inserted} \
        ON CONFLICT (workspace, remote) DO UPDATE SET name = excluded.name, plan = excluded.plan, \
          monthly_spend = excluded.monthly_spend, people = excluded.people, \
          updated_at = excluded.updated_at, digest = excluded.digest, gone = excluded.gone, \
          remote_fields = excluded.remote_fields \
        RETURNING id, name, remote";
    // The newest version of each, in the order in which they came.
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(companies.len());
    let mut newest: Vec<&RemoteCompany> = Vec::with_capacity(companies.len());
    for company in companies {
        let place = *places.entry(company.id.as_str()).or_insert(newest.len());
        match newest.get_mut(place) {
            None => newest.push(company),
            Some(known) if company.updated_at >= known.updated_at => *known = company,
            Some(_) => {}
        }
    }
    let ids = newest.iter().map(|company| company.id.as_str());
    let known = versions(conn, workspace, ids).await?;
    let mut args = Vec::new();
    for company in newest {
        let version = (company.updated_at, company.digest());
        let known = known.get(company.id.as_str());
        if known.is_some_and(|known| freshness(*known, version) != Freshness::Newer) {
            continue;
        }
        args.extend(values![
            workspace.as_str(),
            company.id.as_str(),
            company.called(),
            company.plan.clone(),
            company.monthly_spend,
            company.people,
            company.updated_at,
            version.1,
            at.0,
            false,
            json(&company.fields)?,
        ]);
    }
    let rows = conn
        .rows_of_many("keeping companies", SQL, 11, args)
        .await?;
    let mut words = Vec::with_capacity(rows.len());
    for row in &rows {
        words.push((row.int(0)?, fulltext::kept(&row.text(1)?).into()));
    }
    COMPANY_WORDS
        .put(conn, "writing the words of companies", words)
        .await
}

async fn versions<'c>(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    ids: impl Iterator<Item = &'c str>,
) -> Result<HashMap<String, (i64, i64)>, StoreError> {
    let (list, mut args) = in_list(2, ids);
    if args.is_empty() {
        return Ok(HashMap::new());
    }
    args.insert(0, workspace.as_str().into());
    // One that was gone and is told of again is news.
    let sql = format!(
        "SELECT remote, updated_at, digest FROM company \
         WHERE workspace = $1 AND remote IN {list} AND gone = 0"
    );
    let rows = conn.rows("finding companies by id", &sql, args).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, (row.int(1)?, row.int(2)?))))
        .collect()
}

pub(crate) async fn gone(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteCompanyId,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE company SET gone = 1 WHERE workspace = $1 AND remote = $2";
    const LEFT: &str = "DELETE FROM membership WHERE workspace = $1 AND company = $2";
    let of = values![workspace.as_str(), remote.as_str()];
    conn.run("marking a company as gone", SQL, of.clone())
        .await?;
    conn.run("leaving a company", LEFT, of).await.map(drop)
}

pub(crate) async fn of(
    conn: &mut Conn,
    contacts: &[ContactId],
) -> Result<Vec<(ContactId, Company)>, StoreError> {
    let sql = "WITH v (id) AS (VALUES {rows}) SELECT membership.contact, company.id, \
          company.workspace, company.remote, company.name, company.plan, company.monthly_spend, \
          company.people, company.updated_at, company.gone, company.remote_fields \
        FROM v JOIN membership ON membership.contact = v.id \
          JOIN company ON company.workspace = membership.workspace \
            AND company.remote = membership.company \
        ORDER BY membership.contact, company.name, company.id";
    let args: Vec<Value> = contacts.iter().map(|id| Value::from(id.0)).collect();
    let rows = conn
        .rows_of_many("reading the companies of contacts", sql, 1, args)
        .await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.int(0)?), read(row, 1)?)))
        .collect()
}

pub(crate) async fn page(
    conn: &mut Conn,
    query: &CompanyQuery,
) -> Result<Vec<Company>, StoreError> {
    let dialect = conn.dialect();
    let mut conditions = Conditions::default();
    let by_words = COMPANY_WORDS.id(dialect);
    let joined = format!(
        "{} JOIN company ON company.id = {by_words}",
        COMPANY_WORDS.table
    );
    let (mut from, mut order) = ("company", "company.id");
    if !query.words.trim().is_empty() {
        let Some(sought) = sought(dialect, &query.words) else {
            return Ok(Vec::new());
        };
        (from, order) = (&joined, &by_words);
        conditions.add(&COMPANY_WORDS.condition(dialect), sought);
    }
    conditions.add("company.workspace = ?", query.workspace.as_str());
    conditions.add("company.gone = ?", false);
    if let Some(before) = query.before {
        conditions.add(&format!("{order} < ?"), before.0);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} {} ORDER BY {order} DESC LIMIT {}",
        conditions.text(),
        query.limit
    );
    let doing = "looking through companies";
    let rows = if query.words.trim().is_empty() {
        conn.rows(doing, &sql, conditions.args).await?
    } else {
        conn.rows_with_words(doing, &sql, conditions.args).await?
    };
    rows.iter().map(|row| read(row, 0)).collect()
}

pub(crate) async fn one(conn: &mut Conn, id: CompanyId) -> Result<Option<Company>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM company WHERE id = $1");
    let rows = conn.rows("reading a company", &sql, values![id.0]).await?;
    rows.first().map(|row| read(row, 0)).transpose()
}

pub(crate) async fn by_remote(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteCompanyId,
) -> Result<Option<Company>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM company WHERE workspace = $1 AND remote = $2");
    let args = values![workspace.as_str(), remote.as_str()];
    let rows = conn
        .rows("reading a company by its id at Intercom", &sql, args)
        .await?;
    rows.first().map(|row| read(row, 0)).transpose()
}
