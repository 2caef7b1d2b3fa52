//! What has to survive a restart about project bindings.

use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::model::BindingRecord;

fn read(row: &Row) -> Result<BindingRecord, StoreError> {
    Ok(BindingRecord {
        site: SiteName::new(row.text(0)?),
        project: ProjectKey::new(row.text(1)?),
        active_since: Millis(row.int(2)?),
        watermark: Millis(row.int(3)?),
        swept_to: row.text_or_null(4)?,
        swept_at: row.int_or_null(5)?.map(Millis),
    })
}

pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<BindingRecord>, StoreError> {
    const SQL: &str = "SELECT site, project, active_since, watermark, swept_to, swept_at \
        FROM binding ORDER BY site, project";
    conn.rows("reading bindings", SQL, Vec::new())
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Records a binding at first sight; one that is known stays as it is.
pub(crate) async fn activate(conn: &mut Conn, record: &BindingRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO binding (site, project, active_since, watermark) \
        VALUES ($1,$2,$3,$4) ON CONFLICT (site, project) DO NOTHING";
    let args = values![
        record.site.as_str(),
        record.project.as_str(),
        record.active_since.0,
        record.watermark.0
    ];
    conn.run("recording a binding", SQL, args).await.map(drop)
}

/// Records how far the reconciler came.
pub(crate) async fn advance(conn: &mut Conn, record: &BindingRecord) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE binding SET watermark = $1, swept_to = $2, swept_at = $3 \
        WHERE site = $4 AND project = $5";
    let args = values![
        record.watermark.0,
        record.swept_to.clone(),
        record.swept_at.map(|at| at.0),
        record.site.as_str(),
        record.project.as_str()
    ];
    conn.run("recording the reconciler's progress", SQL, args)
        .await
        .map(drop)
}
