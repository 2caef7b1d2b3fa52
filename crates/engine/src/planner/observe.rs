//! Reading an issue back, and planning with what was read.

use std::sync::{Arc, PoisonError};

use bowline_domain::connection::Connection;
use bowline_domain::fact::FactKey;
use bowline_domain::happening::Happening;
use bowline_domain::ids::{CommentId, IssueId, IssueKey, ProjectKey, SiteName};
use bowline_domain::observation::{CommentSnapshot, CommentView, IssueSnapshot, Observation};
use bowline_domain::plan::plan;
use bowline_domain::settings::Settings;
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::{ApiError, Reply};
use bowline_store::model::{Behind, Decided};
use futures_util::future;

use super::Trouble;
use super::from_jira::{comment_snapshot, is_absent, person, status};
use super::since_taken::SinceTaken;
use crate::config::BindingConfig;
use crate::pace::Priority;
use crate::reconciler;
use crate::registry::{Renamed, Site};
use crate::shared::Shared;

/// Comments of one issue that are read at most. Jira's own limit is near it.
const COMMENTS_MAX: usize = 5_000;

/// Reads and plans for one issue.
pub(crate) struct Reader<'s> {
    pub(crate) shared: &'s Arc<Shared>,
    pub(crate) site: Arc<Site>,
    /// Nothing where what is planned is not one of several events of a lane.
    pub(crate) since_taken: Option<&'s SinceTaken>,
}

impl Reader<'_> {
    pub(crate) fn name(&self) -> &SiteName {
        &self.site.config.name
    }

    /// Makes a call at the site's pace and takes in what the answer says of it.
    pub(crate) async fn call<T>(
        &self,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        let pace = &self.site.standing.pace;
        pace.turn(Priority::Interactive, &*self.shared.clock).await;
        match call.await {
            Ok(reply) => {
                pace.learn(&reply.limits);
                Ok(reply.value)
            }
            Err(error) => {
                pace.failed();
                Err(error)
            }
        }
    }

    pub(crate) fn trouble(&self, error: ApiError) -> Trouble {
        Trouble::Remote(Box::new((Connection::Site(self.name().clone()), error)))
    }

    pub(crate) async fn state(
        &self,
        issue: &IssueId,
        happenings: &[Happening],
    ) -> Result<IssueState, Trouble> {
        let known = self.state_and_behind(issue, happenings).await?;
        Ok(known.0)
    }

    /// What is known of an issue, and what stands behind it besides.
    pub(crate) async fn state_and_behind(
        &self,
        issue: &IssueId,
        happenings: &[Happening],
    ) -> Result<(IssueState, Behind), Trouble> {
        let facts: Vec<FactKey> = happenings.iter().filter_map(Happening::fact).collect();
        let store = &self.shared.store;
        Ok(store
            .issue_state_and_behind(self.name(), issue, &facts)
            .await?)
    }

    /// Reads the issue, and everything of it if it was never looked through, and plans.
    pub(crate) async fn observe_and_plan(
        &self,
        state: &IssueState,
        happenings: &[Happening],
    ) -> Result<Decided, Trouble> {
        let seen = self.observe(state, happenings).await?;
        self.plan(state, &seen, happenings).await
    }

    /// The settings of the issue's present project, if it is bound.
    pub(crate) async fn settings(&self, seen: &Observation) -> Result<Option<Settings>, Trouble> {
        let Observation::Present(issue) = seen else {
            return Ok(None);
        };
        let registry = self.shared.registry();
        let Some(project) = self.bound_project(&issue.project).await? else {
            return Ok(None);
        };
        let active_since =
            |binding: &BindingConfig| self.shared.active_since(&binding.site, &binding.project);
        let now = self.shared.now();
        Ok(registry.settings(&self.site, &project, active_since, now))
    }

    /// Since when things may have happened in the issue's project that nobody told of: the
    /// reconciler has looked for everything before.
    pub(crate) async fn looked_up_to(&self, seen: &Observation) -> Result<Option<Millis>, Trouble> {
        let Observation::Present(issue) = seen else {
            return Ok(None);
        };
        let Some(project) = self.bound_project(&issue.project).await? else {
            return Ok(None);
        };
        let bindings = self.shared.store.bindings().await?;
        let record = bindings
            .iter()
            .find(|record| record.site == *self.name() && record.project == project);
        Ok(record.map(reconciler::looks_back_to))
    }

    pub(crate) async fn plan(
        &self,
        state: &IssueState,
        seen: &Observation,
        happenings: &[Happening],
    ) -> Result<Decided, Trouble> {
        let settings = self.settings(seen).await?;
        if let (Some(settings), Observation::Present(issue)) = (&settings, seen)
            && settings.linking
            && settings.workspace_code.is_none()
            && names_a_workspace(issue)
        {
            // Before ours was reached for the first time, its address would be taken for that of
            // another workspace.
            return Err(Trouble::UnknownWorkspace(settings.workspace.clone()));
        }
        let mut plan = plan(state, seen, settings.as_ref(), happenings);
        if self.shared.registry().tallies(self.name()) {
            bowline_domain::tally::follow(&mut plan, state);
        }
        let (moved, transitioned) = match (&state.record, &plan.record) {
            (Some(before), Some(now)) => {
                (before.project != now.project, before.status != now.status)
            }
            _ => (false, false),
        };
        Ok(Decided {
            issue: Some((self.name().clone(), state.issue.clone())),
            moved,
            transitioned,
            record: plan.record,
            links: plan.links,
            facts: plan.facts,
            effects: plan.effects,
            outcome: plan.outcome,
            ..Decided::default()
        })
    }

    /// What the configuration calls a project, if it is bound. A project whose key was changed
    /// keeps its binding: Jira still finds it by the old key, and tells the present one.
    pub(crate) async fn bound_project(
        &self,
        project: &ProjectKey,
    ) -> Result<Option<ProjectKey>, Trouble> {
        let registry = self.shared.registry();
        if registry.binding(self.name(), project).is_some() {
            return Ok(Some(project.clone()));
        }
        let now = self.shared.now();
        let known = self.renamed(|renamed| {
            let ask = !renamed.asked_lately(now);
            if ask {
                renamed.asked_at = Some(now);
            }
            (renamed.configured.get(project).cloned(), ask)
        });
        let (None, true) = known else {
            return Ok(known.0);
        };
        for binding in registry
            .bindings
            .iter()
            .filter(|bound| bound.site == *self.name())
        {
            match self
                .call(self.site.client.project(binding.project.as_str()))
                .await
            {
                Ok(found) => self.renamed(|renamed| {
                    renamed
                        .configured
                        .insert(ProjectKey::new(found.key), binding.project.clone());
                }),
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    self.renamed(|renamed| renamed.asked_at = None);
                    return Err(self.trouble(error));
                }
            }
        }
        Ok(self.renamed(|renamed| renamed.configured.get(project).cloned()))
    }

    fn renamed<T>(&self, work: impl FnOnce(&mut Renamed) -> T) -> T {
        work(
            &mut self
                .site
                .renamed
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Reads the issue, and everything of it if it was never looked through where it is now.
    pub(crate) async fn observe(
        &self,
        state: &IssueState,
        happenings: &[Happening],
    ) -> Result<Observation, Trouble> {
        let known = state.record.as_ref().filter(|record| record.scanned);
        let seen = self.read(&state.issue, happenings, known.is_none()).await?;
        let moved = known
            .zip(seen.project())
            .is_some_and(|(known, now)| known.project != *now);
        if moved {
            // Addresses that were pasted while it was elsewhere were not looked at.
            return self.read(&state.issue, happenings, true).await;
        }
        Ok(seen)
    }

    /// Reads the issue as it will be needed, unless it was read just now. If that fails, it is told where
    /// the issue is needed; Jira is not asked a second time.
    pub(super) async fn read_ahead(&self, issue: &IssueId) {
        if let Some(memory) = self.since_taken {
            let read = self.read_issue(issue, false).await;
            memory.fail(read.err());
        }
    }

    async fn read_issue(&self, issue: &IssueId, whole: bool) -> Result<jira::Issue, ApiError> {
        let read = jira::IssueRead {
            comments: whole,
            changelog: false,
            link_property: whole,
        };
        // Of all of it there is more to be read, and our own record is a part of it.
        let memory = self.since_taken.filter(|_| !whole);
        let began = self.shared.now();
        if let Some(found) = memory.and_then(|memory| memory.get(began)) {
            return Ok(found);
        }
        if let Some(failure) = memory.and_then(|memory| memory.fail(None)) {
            return Err(failure);
        }
        let found = self
            .call(self.site.client.issue(issue.as_str(), read))
            .await;
        if let (Some(memory), Ok(found)) = (memory, &found) {
            memory.keep(Some((began, found.clone())));
        }
        found
    }

    async fn read(
        &self,
        issue: &IssueId,
        happenings: &[Happening],
        whole: bool,
    ) -> Result<Observation, Trouble> {
        let wanted = comments_in(happenings);
        let reading = self.read_issue(issue, whole);
        let comments = future::join_all(wanted.iter().map(|id| self.comment(issue, id)));
        let (found, comments) = future::join(reading, comments).await;
        let found = match found {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(Observation::Absent),
            Err(error) => return Err(self.trouble(error)),
        };
        let mut views = Vec::with_capacity(comments.len());
        for view in comments {
            views.push(view?);
        }
        self.snapshot(found, views, whole).await
    }

    /// Puts together what was read of an issue; reads the rest of its comments if all are wanted.
    pub(crate) async fn snapshot(
        &self,
        found: jira::Issue,
        mut views: Vec<CommentView>,
        whole: bool,
    ) -> Result<Observation, Trouble> {
        let mut complete = found.comments_complete;
        if whole {
            let rest = if complete {
                found.comments.iter().map(comment_snapshot).collect()
            } else {
                let (rest, all) = self.all_comments(&found.id).await?;
                complete = all;
                rest
            };
            for comment in rest {
                // What was read by itself is told more fully.
                if !views.iter().any(|view| *view.id() == comment.id) {
                    views.push(CommentView::Present(comment));
                }
            }
            views.sort_by_key(|view| match view {
                CommentView::Present(comment) => comment.created_at,
                CommentView::Absent(_) => Millis(0),
            });
        }
        Ok(Observation::Present(Box::new(IssueSnapshot {
            id: IssueId::new(found.id),
            key: IssueKey::new(found.key),
            project: ProjectKey::new(found.project.key),
            summary: found.summary,
            status: status(&found.status),
            confidential: found.security.is_some(),
            creator: found
                .creator
                .as_ref()
                .or(found.reporter.as_ref())
                .map(person),
            created_at: Millis(found.created_ms.unwrap_or_default()),
            updated_at: Millis(found.updated_ms.unwrap_or_default()),
            described: bowline_text::address::find(&found.description),
            comments: views,
            comments_complete: whole && complete,
            recorded: found.link_property.unwrap_or_default(),
        })))
    }

    async fn comment(&self, issue: &IssueId, id: &CommentId) -> Result<CommentView, Trouble> {
        match self
            .call(self.site.client.comment(issue.as_str(), id.as_str()))
            .await
        {
            Ok(comment) => {
                let mut comment = comment_snapshot(&comment);
                self.name_mentions(&mut comment.body).await;
                Ok(CommentView::Present(comment))
            }
            Err(error) if is_absent(&error) => Ok(CommentView::Absent(id.clone())),
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// All comments by pages, and whether those were all.
    async fn all_comments(&self, issue: &str) -> Result<(Vec<CommentSnapshot>, bool), Trouble> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self
                .call(self.site.client.comments(issue, cursor.as_ref()))
                .await
                .map_err(|error| self.trouble(error))?;
            all.extend(page.items.iter().map(comment_snapshot));
            cursor = page.next;
            if cursor.is_none() {
                return Ok((all, true));
            }
            if all.len() >= COMMENTS_MAX {
                return Ok((all, false));
            }
        }
    }
}

fn names_a_workspace(issue: &IssueSnapshot) -> bool {
    let in_comments = issue.comments.iter().flat_map(|view| match view {
        CommentView::Present(comment) => bowline_text::address::find(&comment.body),
        CommentView::Absent(_) => Vec::new(),
    });
    issue
        .described
        .iter()
        .cloned()
        .chain(in_comments)
        .any(|address| address.workspace.is_some())
}

fn comments_in(happenings: &[Happening]) -> Vec<CommentId> {
    happenings
        .iter()
        .filter_map(|happening| match happening {
            Happening::Commented(id)
            | Happening::CommentEdited(id)
            | Happening::CommentDeleted(id) => Some(id.clone()),
            _ => None,
        })
        .collect()
}
