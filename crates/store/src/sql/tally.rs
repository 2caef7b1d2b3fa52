//! What was put on issues to say how many conversations are linked to them.

use bowline_domain::ids::{EffectId, IssueId, LaneKey, ProjectKey, SiteName};
use bowline_domain::tally::TallySettings;
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::sql::decide::json;
use crate::tally::{Tally, TallyRun, TallyTrouble};

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable("a tally", error.to_string()))
}

/// What was put on an issue.
pub(crate) async fn get(
    conn: &mut Conn,
    (site, issue): (&SiteName, &IssueId),
) -> Result<Tally, StoreError> {
    const SQL: &str = "SELECT put_on, trouble FROM tally WHERE site = $1 AND issue = $2";
    let args = values![site.as_str(), issue.as_str()];
    let rows = conn.rows("reading a tally", SQL, args).await?;
    rows.first().map_or_else(
        || Ok(Tally::default()),
        |row| {
            Ok(Tally {
                put_on: read(&row.text(0)?)?,
                trouble: row.text_or_null(1)?,
            })
        },
    )
}

/// Records what is on an issue. An issue with nothing of ours, and without trouble, is forgotten.
pub(crate) async fn put(
    conn: &mut Conn,
    (site, issue): (&SiteName, &IssueId),
    tally: &Tally,
    at: Millis,
) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM tally WHERE site = $1 AND issue = $2";
    const SQL: &str = "INSERT INTO tally (site, issue, put_on, trouble, since, tried_at) \
        VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (site, issue) DO UPDATE SET \
          put_on = excluded.put_on, trouble = excluded.trouble, \
          since = CASE WHEN excluded.trouble IS NULL THEN NULL \
            ELSE COALESCE(tally.since, excluded.since) END, \
          tried_at = excluded.tried_at";
    if tally.put_on.is_empty() && tally.trouble.is_none() {
        let args = values![site.as_str(), issue.as_str()];
        return conn.run("forgetting a tally", FORGET, args).await.map(drop);
    }
    let since = tally.trouble.as_ref().map(|_| at.0);
    let args = values![
        site.as_str(),
        issue.as_str(),
        json(&tally.put_on)?,
        tally.trouble.clone(),
        since,
        at.0
    ];
    conn.run("recording a tally", SQL, args).await.map(drop)
}

/// How far the issues of each project were gone through.
pub(crate) async fn runs(conn: &mut Conn) -> Result<Vec<TallyRun>, StoreError> {
    const SQL: &str = "SELECT site, project, wants, round, place FROM tally_run \
        ORDER BY site, project";
    let rows = conn.rows("reading runs of tallies", SQL, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(TallyRun {
                site: SiteName::new(row.text(0)?),
                project: ProjectKey::new(row.text(1)?),
                wants: read(&row.text(2)?)?,
                round: row.int(3)?,
                place: row.text_or_null(4)?.map(IssueId::new),
            })
        })
        .collect()
}

/// Begins to go through a project because something else is wanted there. Nothing, if another
/// process began already.
pub(crate) async fn begin(
    conn: &mut Conn,
    (site, project): (&SiteName, &ProjectKey),
    wants: &TallySettings,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO tally_run (site, project, wants, round, place) \
        VALUES ($1,$2,$3,1,'') ON CONFLICT (site, project) DO UPDATE SET \
          wants = excluded.wants, round = tally_run.round + 1, place = '' \
        WHERE tally_run.wants <> excluded.wants";
    let args = values![site.as_str(), project.as_str(), json(wants)?];
    conn.run("beginning a run of tallies", SQL, args)
        .await
        .map(drop)
}

/// Goes through a project once more. False if nothing was ever wanted there.
pub(crate) async fn again(
    conn: &mut Conn,
    (site, project): (&SiteName, &ProjectKey),
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE tally_run SET round = round + 1, place = '' \
        WHERE site = $1 AND project = $2";
    let args = values![site.as_str(), project.as_str()];
    let begun = conn
        .run("beginning a run of tallies again", SQL, args)
        .await?;
    Ok(begun > 0)
}

/// Notes how far a run is; `None` at its end.
pub(crate) async fn advance(
    conn: &mut Conn,
    run: &TallyRun,
    place: Option<&IssueId>,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE tally_run SET place = $4 \
        WHERE site = $1 AND project = $2 AND round = $3 AND place IS NOT NULL";
    let args = values![
        run.site.as_str(),
        run.project.as_str(),
        run.round,
        place.map(|place| place.as_str().to_owned())
    ];
    conn.run("noting how far a run of tallies is", SQL, args)
        .await
        .map(drop)
}

/// The next issues of a project that are linked, or that something was put on.
pub(crate) async fn issues(
    conn: &mut Conn,
    (site, project): (&SiteName, &ProjectKey),
    after: &IssueId,
    limit: i64,
) -> Result<Vec<IssueId>, StoreError> {
    const SQL: &str = "SELECT issue FROM ( \
          SELECT issue FROM asked \
            WHERE live = 1 AND site = $1 AND project = $2 AND issue > $3 \
          UNION \
          SELECT tally.issue FROM tally \
            JOIN issue ON issue.site = tally.site AND issue.issue = tally.issue \
            WHERE tally.site = $1 AND tally.issue > $3 AND issue.project = $2 \
        ) both_of_them ORDER BY issue LIMIT $4";
    let args = values![site.as_str(), project.as_str(), after.as_str(), limit];
    let rows = conn.rows("finding issues for tallies", SQL, args).await?;
    rows.iter()
        .map(|row| row.text(0).map(IssueId::new))
        .collect()
}

/// Issues that could not be brought in step and were not tried since `before`. They are not given
/// again before that time has gone by once more.
pub(crate) async fn claim_troubled(
    conn: &mut Conn,
    (before, now): (Millis, Millis),
    limit: i64,
) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
    const SQL: &str = "UPDATE tally SET tried_at = $2 WHERE (site, issue) IN ( \
          SELECT site, issue FROM tally WHERE trouble IS NOT NULL AND tried_at < $1 \
          ORDER BY tried_at LIMIT $3) RETURNING site, issue";
    let args = values![before.0, now.0, limit];
    let rows = conn
        .rows("claiming tallies to try again", SQL, args)
        .await?;
    rows.iter()
        .map(|row| Ok((SiteName::new(row.text(0)?), IssueId::new(row.text(1)?))))
        .collect()
}

/// Does a later effect wait in the same lane?
pub(crate) async fn later_waits(
    conn: &mut Conn,
    lane: &LaneKey,
    effect: EffectId,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT id FROM effect \
        WHERE lane = $1 AND id > $2 AND state IN (0, 1, 4) LIMIT 1";
    let args = values![lane.as_str(), effect.0];
    let rows = conn.rows("looking for a later effect", SQL, args).await?;
    Ok(!rows.is_empty())
}

/// What cannot be brought in step, by project and cause.
pub(crate) async fn troubles(conn: &mut Conn) -> Result<Vec<TallyTrouble>, StoreError> {
    const SQL: &str = "SELECT tally.site, COALESCE(issue.project, ''), tally.trouble, COUNT(*), \
          MIN(tally.since), MAX(tally.tried_at) \
        FROM tally LEFT JOIN issue ON issue.site = tally.site AND issue.issue = tally.issue \
        WHERE tally.trouble IS NOT NULL \
        GROUP BY tally.site, COALESCE(issue.project, ''), tally.trouble \
        ORDER BY COUNT(*) DESC, tally.site, COALESCE(issue.project, '')";
    let rows = conn
        .rows("reading troubles of tallies", SQL, vec![])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(TallyTrouble {
                site: SiteName::new(row.text(0)?),
                project: ProjectKey::new(row.text(1)?),
                trouble: row.text(2)?,
                issues: row.int(3)?,
                since: Millis(row.int_or_null(4)?.unwrap_or_default()),
                last_at: Millis(row.int(5)?),
            })
        })
        .collect()
}
