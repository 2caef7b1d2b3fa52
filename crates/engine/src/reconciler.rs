//! The reconciler: looks for what no webhook told. A webhook lowers latency; this guarantees the
//! result.
//!
//! Per binding, issues are asked for that changed since the watermark, with overlap (the search
//! index lags behind, and its dates are cut to minutes). Those that are linked, or that show a
//! conversation's address, are looked at as an event in their lane, once per change. At first sight
//! of a binding all its issues are gone through, so that addresses of any age make their links.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::ids::{IssueId, ProjectKey};
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_store::model::BindingRecord;

use crate::config::BindingConfig;
use crate::health;
use crate::pace::Priority;
use crate::planner::{Look, queue_look};
use crate::registry::Site;
use crate::shared::Shared;

/// How often changes are looked for where webhooks do not come.
const POLL_WITHOUT_WEBHOOKS: Duration = Duration::from_secs(5);

/// How often changes are looked for where nothing is bound: only to see whether something is now.
const POLL_NOTHING: Duration = Duration::from_mins(1);

/// How far a search reaches back behind the watermark, in milliseconds: index lag, minutes that
/// are cut off, and clocks that differ.
const OVERLAP_MS: i64 = 3 * 60 * 1_000;

/// Issues per page of a search.
const PAGE_SIZE: u32 = 50;

/// Looks at every binding, again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let configured = shared.configured.notified();
        let registry = shared.registry();
        let mut wait = POLL_NOTHING;
        for binding in registry.bindings.iter().filter(|binding| binding.linking) {
            if shared.stopping.is_cancelled() {
                return;
            }
            let Some(site) = registry.sites.get(&binding.site) else {
                continue;
            };
            let often = if binding.webhooks {
                site.config.poll
            } else {
                POLL_WITHOUT_WEBHOOKS
            };
            wait = wait.min(often);
            if !site.standing.works() {
                continue;
            }
            if let Err(error) = (Round {
                shared: &shared,
                site,
                binding,
            })
            .run()
            .await
            {
                tracing::warn!(site = %binding.site, project = %binding.project, error,
                    "looking for changes failed");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = configured => {}
            () = shared.stopping.cancelled() => return,
        }
    }
}

/// From when on changes of a binding are still looked for, by Jira's clock.
pub(crate) fn looks_back_to(record: &BindingRecord) -> Millis {
    record
        .watermark
        .plus_ms(-OVERLAP_MS)
        .max(record.active_since)
}

/// One look at one binding.
struct Round<'r> {
    shared: &'r Arc<Shared>,
    site: &'r Arc<Site>,
    binding: &'r BindingConfig,
}

impl Round<'_> {
    /// What the project is called now, as far as that is known.
    fn project(&self) -> ProjectKey {
        let renamed = self.site.renamed.lock();
        let renamed = renamed.unwrap_or_else(std::sync::PoisonError::into_inner);
        let configured = &self.binding.project;
        let mut present = renamed
            .configured
            .iter()
            .filter(|(_, key)| *key == configured);
        present
            .next()
            .map_or_else(|| configured.clone(), |(present, _)| present.clone())
    }

    async fn run(&self) -> Result<(), String> {
        let known = self
            .shared
            .store
            .bindings()
            .await
            .map_err(|error| error.to_string())?;
        let mut record = known
            .into_iter()
            .find(|record| {
                record.site == self.binding.site && record.project == self.binding.project
            })
            .ok_or("the binding is not recorded")?;
        if record.swept_at.is_none() {
            self.sweep(&mut record).await?;
        }
        self.changes(&mut record).await
    }

    /// Goes through all issues of the project once. Where it stands is kept page by page.
    async fn sweep(&self, record: &mut BindingRecord) -> Result<(), String> {
        let jql = format!("project = \"{}\" ORDER BY created ASC", self.project());
        let mut cursor = record.swept_to.as_deref().and_then(read_cursor);
        loop {
            let page = self.page(&jql, cursor.as_ref(), true).await?;
            for issue in &page.items {
                self.look_if_it_matters(issue, record.active_since).await?;
            }
            cursor = page.next;
            record.swept_to = cursor.as_ref().map(write_cursor);
            if cursor.is_none() {
                record.swept_at = Some(self.shared.now());
            }
            self.advance(record).await?;
            if cursor.is_none() || self.shared.stopping.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Looks for what changed since the watermark, and moves it to when the look began.
    async fn changes(&self, record: &mut BindingRecord) -> Result<(), String> {
        let began = self.shared.now();
        let since = record.watermark.plus_ms(-OVERLAP_MS);
        let minutes = began.since(since).max(0) / 60_000 + 1;
        let jql = format!(
            "project = \"{}\" AND updated >= \"-{minutes}m\" ORDER BY updated ASC",
            self.project()
        );
        let mut cursor = None;
        loop {
            let page = self.page(&jql, cursor.as_ref(), false).await?;
            for issue in &page.items {
                self.look_if_it_matters(issue, looks_back_to(record))
                    .await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        record.watermark = began;
        self.advance(record).await
    }

    async fn advance(&self, record: &BindingRecord) -> Result<(), String> {
        let advanced = self.shared.store.advance_binding(record.clone()).await;
        advanced.map_err(|error| error.to_string())
    }

    async fn page(
        &self,
        jql: &str,
        cursor: Option<&jira::Cursor>,
        first: bool,
    ) -> Result<jira::SearchPage, String> {
        let read = jira::IssueRead {
            comments: true,
            changelog: false,
            link_property: first,
        };
        let standing = &self.site.standing;
        standing
            .pace
            .turn(Priority::Bulk, &*self.shared.clock)
            .await;
        match self.site.client.search(jql, read, cursor, PAGE_SIZE).await {
            Ok(reply) => {
                standing.pace.learn(&reply.limits);
                Ok(reply.value)
            }
            Err(error) => {
                standing.pace.failed();
                health::take_in(self.shared, standing, &error).await;
                Err(error.to_string())
            }
        }
    }

    /// Has an issue looked at if something may have to be told or linked. The name of the event
    /// is the issue's version, so each version is looked at once.
    async fn look_if_it_matters(&self, issue: &jira::Issue, since: Millis) -> Result<(), String> {
        let id = IssueId::new(issue.id.as_str());
        if !shows_address(issue) && !self.has_links(&id).await? && !self.has_tickets(&id).await? {
            return Ok(());
        }
        let look = Look {
            issue: issue.id.clone(),
            since,
            unseen: false,
        };
        let name = format!("{}@{}", issue.id, issue.updated_ms.unwrap_or_default());
        queue_look(self.shared, &self.binding.site, &look, name).await
    }

    async fn has_tickets(&self, issue: &IssueId) -> Result<bool, String> {
        let tickets = self
            .shared
            .store
            .tickets_of_issue(&self.binding.site, issue);
        let tickets = tickets.await.map_err(|error| error.to_string())?;
        Ok(!tickets.is_empty())
    }

    async fn has_links(&self, issue: &IssueId) -> Result<bool, String> {
        let state = self
            .shared
            .store
            .issue_state(&self.binding.site, issue, &[])
            .await;
        state
            .map(|state| !state.links.is_empty())
            .map_err(|error| error.to_string())
    }
}

/// Does the issue show a conversation's address, or a record of links by another app? One whose
/// comments did not all come with it is looked at too.
fn shows_address(issue: &jira::Issue) -> bool {
    let in_doc = |doc: &bowline_text::Doc| !bowline_text::address::find(doc).is_empty();
    in_doc(&issue.description)
        || issue.comments.iter().any(|comment| in_doc(&comment.body))
        || !issue.comments_complete
        || issue
            .link_property
            .as_ref()
            .is_some_and(|ids| !ids.is_empty())
}

fn write_cursor(cursor: &jira::Cursor) -> String {
    match cursor {
        jira::Cursor::Token(token) => format!("token:{token}"),
        jira::Cursor::StartAt(start) => format!("start:{start}"),
    }
}

fn read_cursor(text: &str) -> Option<jira::Cursor> {
    match text.split_once(':')? {
        ("token", token) => Some(jira::Cursor::Token(token.to_owned())),
        ("start", start) => start.parse().ok().map(jira::Cursor::StartAt),
        _ => None,
    }
}
