//! Reading an issue back, and planning with what was read.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bowline_domain::connection::Connection;
use bowline_domain::fact::FactKey;
use bowline_domain::happening::{Change, Happening, Redescribed};
use bowline_domain::ids::{CommentId, IssueId, IssueKey, ProjectKey, SiteName};
use bowline_domain::observation::{
    CommentSnapshot, CommentView, CommentVisibility, IssueSnapshot, Observation, Person,
    StatusCategory, StatusRef,
};
use bowline_domain::plan::plan;
use bowline_domain::settings::Settings;
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::model::{Behind, Decided};
use futures_util::future;

use super::Trouble;
use crate::config::BindingConfig;
use crate::pace::Priority;
use crate::reconciler;
use crate::registry::{Renamed, Site};
use crate::shared::Shared;

/// Comments of one issue that are read at most. Jira's own limit is near it.
const COMMENTS_MAX: usize = 5_000;

/// How long one reading of an issue serves several of its events, in milliseconds.
const MOMENT_MS: i64 = 1_000;

/// People mentioned in one comment that are looked up at most.
const MENTIONS_MAX: usize = 20;

/// Names that are kept at most.
const NAMES_MAX: usize = 10_000;

/// What was read of the issue of a lane since its events that are at hand were taken. Each of them
/// had come before the reading began, so it shows what each of them tells of, and what many changes
/// in a moment cost is one reading for several of them. Only for that moment: who has hidden the
/// issue meanwhile does not want it told.
#[derive(Default)]
pub(crate) struct SinceTaken {
    read: Mutex<Option<(Millis, jira::Issue)>>,
    /// Why it could not be read ahead for the event that is planned: an answer to its first reading.
    failed_ahead: Mutex<Option<ApiError>>,
    /// When nothing was being written to its conversations, as it was looked up for that event.
    at_rest: Mutex<Option<Millis>>,
}

impl SinceTaken {
    fn get(&self, now: Millis) -> Option<jira::Issue> {
        let kept = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, issue) = kept.as_ref()?;
        // A clock that was set back makes it no younger.
        (0..=MOMENT_MS)
            .contains(&now.since(*began))
            .then(|| issue.clone())
    }

    fn keep(&self, read: Option<(Millis, jira::Issue)>) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }

    /// Keeps a failure, and returns the one that was kept.
    fn fail(&self, failure: Option<ApiError>) -> Option<ApiError> {
        let kept = self.failed_ahead.lock();
        std::mem::replace(&mut *kept.unwrap_or_else(PoisonError::into_inner), failure)
    }

    /// Another event is planned: what failed for the one before is not its concern.
    pub(super) fn next_event(&self) {
        self.fail(None);
        self.found_at_rest(None);
    }

    pub(super) fn found_at_rest(&self, at: Option<Millis>) {
        *self.at_rest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// When nothing was being written to the conversations of the issue, if that is known for the event
    /// that is planned.
    pub(super) fn at_rest(&self) -> Option<Millis> {
        *self.at_rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others were taken, which came since.
    pub(super) fn over(&self) {
        self.keep(None);
    }
}

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
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// The category of a status by its id, if the site has such a status.
    pub(crate) async fn category(&self, id: &str) -> Result<Option<StatusCategory>, Trouble> {
        let known = || {
            let known = self.site.categories.lock();
            let known = known.unwrap_or_else(std::sync::PoisonError::into_inner);
            known.get(id).copied()
        };
        if let Some(category) = known() {
            return Ok(Some(category));
        }
        self.learn_categories().await?;
        Ok(known())
    }

    async fn learn_categories(&self) -> Result<(), Trouble> {
        let read = self.call(self.site.client.statuses()).await;
        let read = read.map_err(|error| self.trouble(error))?;
        let known = self.site.categories.lock();
        known
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend(
                read.iter()
                    .map(status)
                    .map(|status| (status.id, status.category)),
            );
        Ok(())
    }

    /// Fills in the categories of statuses where a rule asks for them: a history entry has ids and
    /// names only.
    pub(crate) async fn name_categories(
        &self,
        happenings: &mut [Happening],
    ) -> Result<(), Trouble> {
        if !self.shared.registry().rules_by_category(self.name()) {
            return Ok(());
        }
        let missing = |known: &HashMap<String, StatusCategory>, happenings: &[Happening]| {
            statuses_in(happenings).any(|status| {
                status.category == StatusCategory::Unknown && !known.contains_key(&status.id)
            })
        };
        let known = || {
            let known = self.site.categories.lock();
            known
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .clone()
        };
        if missing(&known(), happenings) {
            self.learn_categories().await?;
        }
        let known = known();
        for happening in happenings {
            let Happening::Changed(Change {
                moved: Some((from, to)),
                ..
            }) = happening
            else {
                continue;
            };
            for status in [from, to] {
                if let Some(category) = known.get(&status.id) {
                    status.category = *category;
                }
            }
        }
        Ok(())
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

    /// Wiki text mentions people by id. Who cannot be looked up keeps it.
    pub(crate) async fn name_mentions(&self, body: &mut bowline_text::Doc) {
        let unnamed = RefCell::new(Vec::new());
        body.name_mentions(|id| {
            unnamed.borrow_mut().push(id.to_owned());
            None
        });
        for id in unnamed.into_inner().into_iter().take(MENTIONS_MAX) {
            if self.names(|names| names.contains_key(&id)) {
                continue;
            }
            match self.call(self.site.client.user(&id)).await {
                Ok(person) => self.names(|names| {
                    if names.len() >= NAMES_MAX {
                        names.clear();
                    }
                    names.insert(id, person.name);
                }),
                Err(error) => tracing::debug!(%error, "someone mentioned could not be looked up"),
            }
        }
        self.names(|names| body.name_mentions(|id| names.get(id).cloned()));
    }

    fn names<T>(&self, work: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        work(
            &mut self
                .site
                .names
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
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

fn statuses_in(happenings: &[Happening]) -> impl Iterator<Item = &StatusRef> {
    happenings.iter().flat_map(|happening| match happening {
        Happening::Changed(Change {
            moved: Some((from, to)),
            ..
        }) => vec![from, to],
        _ => Vec::new(),
    })
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

pub(crate) fn is_absent(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone)
}

pub(crate) fn person(person: &jira::Person) -> Person {
    Person {
        id: person.id.clone(),
        name: person.name.clone(),
    }
}

pub(crate) fn status(status: &jira::Status) -> StatusRef {
    StatusRef {
        id: status.id.clone(),
        name: status.name.clone(),
        category: match status.category {
            jira::Category::New => StatusCategory::New,
            jira::Category::Indeterminate => StatusCategory::Indeterminate,
            jira::Category::Done => StatusCategory::Done,
            jira::Category::Other => StatusCategory::Unknown,
        },
    }
}

pub(crate) fn comment_snapshot(comment: &jira::Comment) -> CommentSnapshot {
    let created_at = Millis(comment.created_ms.unwrap_or_default());
    CommentSnapshot {
        id: CommentId::new(comment.id.as_str()),
        author: comment.author.as_ref().map_or_else(
            || Person {
                id: String::new(),
                name: "Someone".to_owned(),
            },
            person,
        ),
        editor: comment.update_author.as_ref().map(person),
        created_at,
        updated_at: comment.updated_ms.map_or(created_at, Millis),
        body: comment.body.clone(),
        visibility: match &comment.visibility {
            jira::Visibility::Public => CommentVisibility::Public,
            jira::Visibility::Unstated => CommentVisibility::Unstated,
            jira::Visibility::Internal(_) => CommentVisibility::Internal,
            jira::Visibility::Restricted(_) => CommentVisibility::Restricted,
        },
    }
}

/// One history entry as a change. `now` is the issue's present status, whose category is known.
pub(crate) fn change(
    id: &str,
    at: Millis,
    actor: Option<&jira::Person>,
    items: &[jira::ChangeItem],
    now: Option<&StatusRef>,
) -> Change {
    let item = |name: &str| {
        items.iter().find(|item| {
            item.field == name || item.field_id.as_deref().is_some_and(|field| field == name)
        })
    };
    let at_status = |id: Option<&String>, name: Option<&String>| {
        let id = id.cloned().unwrap_or_default();
        let category = now
            .filter(|now| now.id == id)
            .map_or(StatusCategory::Unknown, |now| now.category);
        StatusRef {
            id,
            name: name.cloned().unwrap_or_default(),
            category,
        }
    };
    Change {
        id: id.to_owned(),
        at,
        actor: actor.map(person),
        assigned: item("assignee").map(|item| item.to_string.clone().filter(|to| !to.is_empty())),
        moved: item("status").map(|item| {
            (
                at_status(item.from.as_ref(), item.from_string.as_ref()),
                at_status(item.to.as_ref(), item.to_string.as_ref()),
            )
        }),
        described: item("description").map(|item| Redescribed {
            before: addresses(item.from_string.as_deref()),
            after: addresses(item.to_string.as_deref()),
        }),
        transferred: item("key").is_some() || item("project").is_some(),
    }
}

/// The addresses in the text of a history entry, which is wiki text or plain.
fn addresses(text: Option<&str>) -> Vec<bowline_text::ConversationAddress> {
    text.map(bowline_text::address::find_in_text)
        .unwrap_or_default()
}
