//! The store as it is used to keep the tally of issues in step.

use bowline_domain::ids::{EffectId, IssueId, LaneKey, ProjectKey, SiteName};
use bowline_domain::tally::{PutOn, TallySettings};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::tally;
use crate::store::Store;
use crate::writes::{Write, write};

/// What was put on an issue, and why it could not be brought in step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What may be there of ours.
    pub put_on: PutOn,
    /// Why the latest try came to nothing, in words.
    pub trouble: Option<String>,
}

/// A run through all issues of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyRun {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// What is wanted there.
    pub wants: TallySettings,
    /// Which run it is; each change begins another one.
    pub round: i64,
    /// Up to which issue it came; none at its end.
    pub place: Option<IssueId>,
}

/// What cannot be brought in step, for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyTrouble {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// The cause, in words.
    pub trouble: String,
    /// How many issues.
    pub issues: i64,
    /// Since when.
    pub since: Millis,
    /// When one of them was tried last.
    pub last_at: Millis,
}

impl Leases for Vec<(SiteName, IssueId)> {}

write!(PutTally { site: SiteName, issue: IssueId, tally: Tally, at: Millis } -> (),
    |conn, _| tally::put(conn, (&site, &issue), &tally, at).await);
write!(BeginTallies { site: SiteName, project: ProjectKey, wants: TallySettings } -> (),
    |conn, _| tally::begin(conn, (&site, &project), &wants).await);
write!(TalliesAgain { site: SiteName, project: ProjectKey } -> bool,
    |conn, _| tally::again(conn, (&site, &project)).await);
write!(AdvanceTallies { run: TallyRun, place: Option<IssueId> } -> (),
    |conn, _| tally::advance(conn, &run, place.as_ref()).await);
write!(ClaimTroubled { before: Millis, now: Millis, limit: i64 } -> Vec<(SiteName, IssueId)>,
    |conn, _| tally::claim_troubled(conn, (before, now), limit).await);

impl Store {
    /// What was put on an issue.
    pub async fn tally(&self, site: &SiteName, issue: &IssueId) -> Result<Tally, StoreError> {
        tally::get(&mut self.quick_reader().await?, (site, issue)).await
    }

    /// Records what is on an issue.
    pub async fn put_tally(
        &self,
        (site, issue): (SiteName, IssueId),
        tally: Tally,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(PutTally {
            site,
            issue,
            tally,
            at,
        })
        .await
    }

    /// How far the issues of each project were gone through.
    pub async fn tally_runs(&self) -> Result<Vec<TallyRun>, StoreError> {
        tally::runs(&mut self.reader().await?).await
    }

    /// Begins to go through the issues of a project, because something else is wanted there.
    pub async fn begin_tallies(
        &self,
        (site, project): (SiteName, ProjectKey),
        wants: TallySettings,
    ) -> Result<(), StoreError> {
        self.write(BeginTallies {
            site,
            project,
            wants,
        })
        .await
    }

    /// Goes through the issues of a project once more. False if nothing was ever wanted there.
    pub async fn tallies_again(
        &self,
        site: SiteName,
        project: ProjectKey,
    ) -> Result<bool, StoreError> {
        self.write(TalliesAgain { site, project }).await
    }

    /// Notes how far a run is; `None` at its end.
    pub async fn advance_tallies(
        &self,
        run: TallyRun,
        place: Option<IssueId>,
    ) -> Result<(), StoreError> {
        self.write(AdvanceTallies { run, place }).await
    }

    /// The next issues of a project that are linked, or that something was put on, by id.
    pub async fn tally_issues(
        &self,
        place: (&SiteName, &ProjectKey),
        after: &IssueId,
        limit: i64,
    ) -> Result<Vec<IssueId>, StoreError> {
        tally::issues(&mut self.reader().await?, place, after, limit).await
    }

    /// Issues that could not be brought in step and were not tried since `before`.
    pub async fn claim_troubled_tallies(
        &self,
        (before, now): (Millis, Millis),
        limit: i64,
    ) -> Result<Vec<(SiteName, IssueId)>, StoreError> {
        self.write(ClaimTroubled { before, now, limit }).await
    }

    /// Does a later effect wait in the same lane?
    pub async fn later_effect_waits(
        &self,
        lane: &LaneKey,
        effect: EffectId,
    ) -> Result<bool, StoreError> {
        tally::later_waits(&mut self.quick_reader().await?, lane, effect).await
    }

    /// What cannot be brought in step, by project and cause.
    pub async fn tally_troubles(&self) -> Result<Vec<TallyTrouble>, StoreError> {
        tally::troubles(&mut self.reader().await?).await
    }
}
