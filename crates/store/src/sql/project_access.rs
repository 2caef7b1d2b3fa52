//! What our account lacks in the joined projects.

use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::project_access::ProjectAccess;

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<ProjectAccess>, StoreError> {
    const SQL: &str = "SELECT site, project, lacks, since, checked_at FROM project_access \
        ORDER BY site, project";
    let rows = conn.rows("reading what may be done in projects", SQL, Vec::new());
    rows.await?
        .iter()
        .map(|row| {
            let lacks = row.text(2)?;
            Ok(ProjectAccess {
                site: SiteName::new(row.text(0)?),
                project: ProjectKey::new(row.text(1)?),
                lacks: lacks.split_whitespace().map(str::to_owned).collect(),
                since: Millis(row.int(3)?),
                checked_at: Millis(row.int(4)?),
            })
        })
        .collect()
}

pub(crate) async fn put(
    conn: &mut Conn,
    (site, project): (&SiteName, &ProjectKey),
    lacks: &[String],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO project_access (site, project, lacks, since, checked_at) \
        VALUES ($1,$2,$3,$4,$4) \
        ON CONFLICT (site, project) DO UPDATE SET lacks = excluded.lacks, \
          since = CASE WHEN project_access.lacks = excluded.lacks THEN project_access.since \
            ELSE excluded.since END, \
          checked_at = excluded.checked_at";
    let args = values![site.as_str(), project.as_str(), lacks.join(" "), at.0];
    conn.run("recording what may be done in a project", SQL, args)
        .await
        .map(drop)
}

pub(crate) async fn forget(
    conn: &mut Conn,
    (site, project): (&SiteName, &ProjectKey),
) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM project_access WHERE site = $1 AND project = $2";
    let args = values![site.as_str(), project.as_str()];
    conn.run("forgetting what may be done in a project", SQL, args)
        .await
        .map(drop)
}
