//! Migrations: only forward, each safe while the version before still runs.

use std::collections::BTreeSet;

use crate::db::{Conn, Dialect, Durable, values};
use crate::error::StoreError;
use crate::sql::fulltext;

/// The steps, in order. A step that was released is never changed.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_linking.sql")),
    (2, include_str!("../migrations/0002_access.sql")),
    (3, include_str!("../migrations/0003_messaging.sql")),
    (4, include_str!("../migrations/0004_settings.sql")),
    (5, include_str!("../migrations/0005_panel.sql")),
    (6, include_str!("../migrations/0006_talk_pages.sql")),
    (8, include_str!("../migrations/0008_contacts.sql")),
    (9, include_str!("../migrations/0009_feedback.sql")),
    (10, include_str!("../migrations/0010_sign_in.sql")),
    (11, include_str!("../migrations/0011_why.sql")),
    (12, include_str!("../migrations/0012_alert.sql")),
    (13, include_str!("../migrations/0013_written.sql")),
    (14, include_str!("../migrations/0014_mending.sql")),
    (15, include_str!("../migrations/0015_elsewhere.sql")),
    (16, include_str!("../migrations/0016_report.sql")),
    (18, include_str!("../migrations/0018_replay.sql")),
    (19, include_str!("../migrations/0019_link_pages.sql")),
    (20, include_str!("../migrations/0020_status.sql")),
    (21, include_str!("../migrations/0021_order.sql")),
    (23, include_str!("../migrations/0023_imported.sql")),
    (24, include_str!("../migrations/0024_language.sql")),
    (26, include_str!("../migrations/0026_people_in_parts.sql")),
    (27, include_str!("../migrations/0027_link_end.sql")),
    (28, include_str!("../migrations/0028_said_by.sql")),
    (29, include_str!("../migrations/0029_to_forget.sql")),
    (30, include_str!("../migrations/0030_lane_waits.sql")),
    (31, include_str!("../migrations/0031_event_lane.sql")),
];

/// PostgreSQL advisory lock under which one replica at a time migrates.
const MIGRATION_LOCK: i64 = 0x626f_776c;

/// Brings the schema up to date.
pub(crate) async fn migrate(conn: &mut Conn) -> Result<(), StoreError> {
    let doing = "migrating the database";
    conn.begin(Durable::AtCommit).await?;
    if conn.dialect() == Dialect::Postgres {
        conn.rows(
            doing,
            "SELECT pg_advisory_xact_lock($1)",
            values![MIGRATION_LOCK],
        )
        .await?;
    }
    let result = steps(conn, doing).await;
    match result {
        Ok(()) => conn.commit().await,
        Err(error) => {
            conn.rollback().await?;
            Err(error)
        }
    }
}

async fn steps(conn: &mut Conn, doing: &'static str) -> Result<(), StoreError> {
    conn.script(
        doing,
        "CREATE TABLE IF NOT EXISTS schema_step (step BIGINT NOT NULL PRIMARY KEY)",
    )
    .await?;
    let done = conn
        .rows(doing, "SELECT step FROM schema_step", vec![])
        .await?
        .iter()
        .map(|row| row.int(0))
        .collect::<Result<BTreeSet<i64>, _>>()?;
    // Each step that is missing, not those above the highest: steps that were written side by
    // side may arrive in another order than their numbers.
    for (step, sql) in STEPS.iter().filter(|(step, _)| !done.contains(step)) {
        let sql = fulltext::expand(conn.dialect(), sql);
        let sql = sql
            .replace("{ID}", conn.dialect().identity())
            .replace("{FULL_TEXT}", conn.dialect().full_text());
        conn.script(doing, &sql).await?;
        conn.run(
            doing,
            "INSERT INTO schema_step (step) VALUES ($1)",
            values![*step],
        )
        .await?;
    }
    Ok(())
}
