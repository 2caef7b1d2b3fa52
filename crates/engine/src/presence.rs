//! Linked issues that Jira does not show any more, and those that it shows again.
//!
//! A search for what changed does not find a deleted issue. So all linked issues of a site are
//! asked for by id, soon after the start and then now and then. One that is missing twice, with a
//! pause in between, is looked at in its lane, where it is decided whether its links end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::ids::{IssueId, ProjectKey, SiteName};
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::model::{LinkedIssue, StatusSeen};

use crate::health;
use crate::pace::Priority;
use crate::planner::{Look, browses, queue_look};
use crate::registry::Site;
use crate::shared::Shared;

/// How often the linked issues of a site are asked for, in milliseconds.
const CHECK_EVERY_MS: i64 = 60 * 60 * 1_000;

/// How soon a check that failed is made again, in milliseconds.
const AGAIN_AFTER_MS: i64 = 5 * 60 * 1_000;

/// How often is looked whether a site is due and works.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between the two times that an issue must be missing: an index that is being rebuilt, or a
/// permission scheme that is being changed, shows it again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Checks every site, again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut next_at: HashMap<SiteName, Millis> = HashMap::new();
    loop {
        let sites: Vec<Arc<Site>> = shared.registry().sites.values().cloned().collect();
        for site in sites {
            let (name, now) = (&site.config.name, shared.now());
            let due = next_at.get(name).is_none_or(|at| now >= *at);
            // Unproven credentials may show nothing at all.
            if !due || !site.standing.works() || !site.standing.proven() {
                continue;
            }
            let check = Check {
                shared: &shared,
                site: &site,
                began: now,
            };
            let wait = match check.run().await {
                Ok(()) => CHECK_EVERY_MS,
                Err(error) => {
                    tracing::warn!(site = %name, error, "looking for issues that are gone failed");
                    AGAIN_AFTER_MS
                }
            };
            next_at.insert(name.clone(), now.plus_ms(wait));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One look at all linked issues of one site.
struct Check<'c> {
    shared: &'c Arc<Shared>,
    site: &'c Arc<Site>,
    began: Millis,
}

impl Check<'_> {
    async fn run(&self) -> Result<(), String> {
        let missing = self.missing().await?;
        if missing.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
        let mut by_project: BTreeMap<ProjectKey, Vec<IssueId>> = BTreeMap::new();
        for batch in missing.chunks(jira::SHOWN_MAX) {
            let shown = self.shown(batch.iter().map(|linked| &linked.issue)).await?;
            for linked in batch
                .iter()
                .filter(|linked| !shown.contains_key(linked.issue.as_str()))
            {
                let of_project = by_project.entry(linked.project.clone()).or_default();
                of_project.push(linked.issue.clone());
            }
        }
        for (project, issues) in by_project {
            let browsed = self.call(browses(&self.site.client, &project)).await;
            let browsed = browsed.map_err(|error| error.to_string())?;
            // Of a project that is hidden one issue is looked at, to say so; all the others would
            // say the same.
            let looked_at = if browsed { issues.len() } else { 1 };
            tracing::warn!(site = %self.site.config.name, %project, issues = issues.len(), browsed,
                "linked issues are not shown any more");
            for issue in issues.iter().take(looked_at) {
                self.look(issue, true).await?;
            }
        }
        Ok(())
    }

    /// Goes through all linked issues: has those looked at that are shown again, and gives those
    /// that are not shown.
    async fn missing(&self) -> Result<Vec<LinkedIssue>, String> {
        let mut missing = Vec::new();
        let mut after = None;
        loop {
            let store = &self.shared.store;
            let site = &self.site.config.name;
            let batch = store
                .linked_issues(site, after.as_ref(), jira::SHOWN_MAX)
                .await;
            let batch = batch.map_err(|error| error.to_string())?;
            let Some(last) = batch.last() else {
                return Ok(missing);
            };
            after = Some(last.issue.clone());
            let shown = self.shown(batch.iter().map(|linked| &linked.issue)).await?;
            self.follow_statuses(&batch, &shown).await?;
            for linked in batch {
                match (linked.live, shown.contains_key(linked.issue.as_str())) {
                    (true, false) => missing.push(linked),
                    (false, true) => self.look(&linked.issue, false).await?,
                    (true, true) | (false, false) => {}
                }
            }
        }
    }

    /// Records the statuses that Jira says here: those of issues that a version before looked at,
    /// and of those whose change nothing told.
    async fn follow_statuses(
        &self,
        batch: &[LinkedIssue],
        shown: &jira::Shown,
    ) -> Result<(), String> {
        let seen: Vec<StatusSeen> = batch
            .iter()
            .filter_map(|linked| {
                let now = shown.get(linked.issue.as_str())?.as_ref()?;
                (*now != linked.status).then(|| StatusSeen {
                    issue: linked.issue.clone(),
                    before: linked.status.clone(),
                    now: now.clone(),
                })
            })
            .collect();
        if seen.is_empty() {
            return Ok(());
        }
        let store = &self.shared.store;
        let followed = store.follow_statuses(self.site.config.name.clone(), seen);
        followed.await.map_err(|error| error.to_string())
    }

    /// Which of these issues Jira shows. Asks until an answer adds nothing: an answer may be cut
    /// short.
    async fn shown<'i>(
        &self,
        issues: impl Iterator<Item = &'i IssueId>,
    ) -> Result<jira::Shown, String> {
        let numeric = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let mut asked: Vec<&str> = issues.map(IssueId::as_str).filter(numeric).collect();
        let mut shown = jira::Shown::new();
        while !asked.is_empty() {
            let more = match self.call(self.site.client.shown(&asked)).await {
                Ok(more) => more,
                Err(error) if error.kind == ErrorKind::Data => self.one_by_one(&asked).await?,
                Err(error) => return Err(error.to_string()),
            };
            let before = asked.len();
            asked.retain(|id| !more.contains_key(*id));
            shown.extend(more);
            if asked.len() == before {
                break;
            }
        }
        Ok(shown)
    }

    async fn one_by_one(&self, asked: &[&str]) -> Result<jira::Shown, String> {
        let mut shown = jira::Shown::new();
        for id in asked {
            let read = self.site.client.issue(id, jira::IssueRead::default());
            match self.call(read).await {
                Ok(issue) => {
                    shown.insert((*id).to_owned(), Some(issue.status.name));
                }
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(shown)
    }

    async fn look(&self, issue: &IssueId, unseen: bool) -> Result<(), String> {
        let look = Look {
            issue: issue.to_string(),
            since: self.began,
            unseen,
        };
        let what = if unseen { "unseen" } else { "seen" };
        let name = format!("{issue}@{what}-{}", self.began.0);
        queue_look(self.shared, &self.site.config.name, &look, name).await
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        let standing = &self.site.standing;
        standing
            .pace
            .turn(Priority::Bulk, &*self.shared.clock)
            .await;
        match call.await {
            Ok(reply) => {
                standing.pace.learn(&reply.limits);
                Ok(reply.value)
            }
            Err(error) => {
                standing.pace.failed();
                if !matches!(error.kind, ErrorKind::Data | ErrorKind::NotFound) {
                    health::take_in(self.shared, standing, &error).await;
                }
                Err(error)
            }
        }
    }
}
