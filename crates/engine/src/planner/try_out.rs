//! What the present rules of a project would have told lately: planned like the real thing, from
//! what Jira says now, over a state that is carried along. Nothing is stored and nothing is sent.

mod lives;

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::effect::Act;
use bowline_domain::happening::Happening;
use bowline_domain::ids::{ConversationId, IssueId, IssueKey, ProjectKey, SiteName};
use bowline_domain::link::Link;
use bowline_domain::observation::{CommentView, IssueSnapshot, Observation};
use bowline_domain::outcome::Reason;
use bowline_domain::plan::plan;
use bowline_domain::settings::Settings;
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::browse::DeliveryFilter;
use futures_util::{StreamExt as _, stream};

use lives::Lives;

use super::Trouble;
use super::catch_up::read_history;
use super::observe::Reader;
use crate::shared::Shared;

/// Days that are tried.
pub const TRIED_DAYS: i64 = 7;

/// Issues that one trial reads from Jira at most, the linked ones first.
pub const TRIED_ISSUES_MAX: usize = 50;

/// Pages of deliveries that are gone through at most to find those issues.
const PAGES_MAX: usize = 20;

/// Deliveries on such a page.
const PAGE: i64 = 500;

/// Issues that are read at the same time.
const AT_ONCE: usize = 4;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What would have been told.
#[derive(Clone, Debug)]
pub struct TryOut {
    /// Since when.
    pub since: Millis,
    /// The issues that were read, the latest first; of those that are not linked, none.
    pub issues: Vec<TriedIssue>,
    /// Issues that were read and are not linked.
    pub unlinked: usize,
    /// Issues that something was delivered about and that were not read, because there are more
    /// than [`TRIED_ISSUES_MAX`].
    pub left_out: usize,
    /// There were more deliveries than are gone through, so that there may be more issues.
    pub broken_off: bool,
}

impl TryOut {
    /// How many notes would have been posted.
    pub fn notes(&self) -> usize {
        let all = self.issues.iter().flat_map(|issue| &issue.happened);
        all.map(|tried| tried.notes.len()).sum()
    }

    /// How often a closed conversation would have been re-opened.
    pub fn reopens(&self) -> usize {
        let all = self.issues.iter().flat_map(|issue| &issue.happened);
        all.map(|tried| tried.reopens.len()).sum()
    }

    /// How many things happened of which nothing would have been told.
    pub fn silent(&self) -> usize {
        let all = self.issues.iter().flat_map(|issue| &issue.happened);
        all.filter(|tried| tried.notes.is_empty() && tried.reopens.is_empty())
            .count()
    }
}

/// What would have been told of one issue.
#[derive(Clone, Debug)]
pub struct TriedIssue {
    /// Its key, or its id as long as that is all that is known.
    pub key: String,
    /// Its summary.
    pub summary: String,
    /// What happened, in order.
    pub happened: Vec<Tried>,
    /// Why it could not be read.
    pub trouble: Option<String>,
}

/// One thing that happened, with what would have come of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When.
    pub at: Millis,
    /// What.
    pub what: &'static str,
    /// The notes, as HTML, with the conversation that would have got them.
    pub notes: Vec<(ConversationId, String)>,
    /// The conversations that would have been re-opened, had they been closed.
    pub reopens: Vec<ConversationId>,
    /// Why nothing would have been told, or not all.
    pub reasons: Vec<Reason>,
}

/// Why nothing can be tried.
#[derive(Debug, thiserror::Error)]
pub enum CannotTry {
    /// The site is not configured.
    #[error("The site is not connected now.")]
    NoSite,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries the present rules of a project on the last days.
///
/// # Errors
/// See [`CannotTry`].
pub async fn try_out(
    shared: &Arc<Shared>,
    site: &SiteName,
    project: &ProjectKey,
) -> Result<TryOut, CannotTry> {
    let registry = shared.registry();
    let configured = registry.sites.get(site).ok_or(CannotTry::NoSite)?;
    let since = shared.now().plus_ms(-TRIED_DAYS * DAY_MS);
    let reader = Reader {
        shared,
        site: Arc::clone(configured),
        since_taken: None,
    };
    let (states, broken_off) = issues(&reader, project, since).await?;
    let found = states.len();
    let chosen: Vec<IssueState> = states.into_iter().take(TRIED_ISSUES_MAX).collect();
    let left_out = found - chosen.len();
    let reader = &reader;
    let tried: Vec<Option<TriedIssue>> = stream::iter(chosen)
        .map(|state| async move { one(reader, project, since, state).await })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let read = tried.len();
    let issues: Vec<TriedIssue> = tried.into_iter().flatten().collect();
    Ok(TryOut {
        since,
        unlinked: read - issues.len(),
        issues,
        left_out,
        broken_off,
    })
}

/// The issues of a project that something was delivered about, as they are known: the linked ones
/// first, then the latest first.
async fn issues(
    reader: &Reader<'_>,
    project: &ProjectKey,
    since: Millis,
) -> Result<(Vec<IssueState>, bool), StoreError> {
    let store = &reader.shared.store;
    let mut filter = DeliveryFilter {
        connection: Some(Connection::Site(reader.name().clone())),
        project: Some((reader.name().clone(), project.clone())),
        from: Some(since),
        limit: PAGE,
        ..DeliveryFilter::default()
    };
    let mut seen: BTreeSet<IssueId> = BTreeSet::new();
    let mut in_order = Vec::new();
    let mut broken_off = true;
    for _ in 0..PAGES_MAX {
        let page = store.deliveries(&filter).await?;
        for row in &page.rows {
            if let Some((_, issue)) = row.lane.issue_events()
                && seen.insert(issue.clone())
            {
                in_order.push(issue);
            }
        }
        filter.before = page.next;
        if page.next.is_none() {
            broken_off = false;
            break;
        }
    }
    let mut states = Vec::with_capacity(in_order.len());
    for issue in in_order {
        states.push(store.issue_state(reader.name(), &issue, &[]).await?);
    }
    // A sort that keeps the order of equals.
    states.sort_by_key(|state| state.links.is_empty());
    Ok((states, broken_off))
}

/// What would have been told of one issue; `None` if it is not linked, or of another project now.
async fn one(
    reader: &Reader<'_>,
    project: &ProjectKey,
    since: Millis,
    state: IssueState,
) -> Option<TriedIssue> {
    let known = state.record.clone();
    let name = |key: Option<&IssueKey>| {
        key.map_or_else(|| format!("issue {}", state.issue), IssueKey::to_string)
    };
    let read = async {
        let Some(history) = read_history(reader, &state.issue, since, true).await? else {
            return Ok(None);
        };
        let mut happenings: Vec<Happening> =
            history.dated.iter().map(|(_, told)| told.clone()).collect();
        reader.name_categories(&mut happenings).await?;
        let times = history.dated.iter().map(|(at, _)| *at);
        let dated: Vec<(Millis, Happening)> = times.zip(happenings).collect();
        let settings = reader.settings(&history.seen).await?;
        Ok::<_, Trouble>(Some((history.seen, dated, settings)))
    };
    match read.await {
        Ok(Some((Observation::Present(seen), dated, Some(settings))))
            if settings.project == *project =>
        {
            let (then, mut lives) = before(state.clone(), since);
            let mut dated = dated;
            dated.append(&mut lives.by_hand);
            // Sorting keeps the order of what happened at one time.
            dated.sort_by_key(|(at, _)| *at);
            let happened = walk(then, lives, &seen, &settings, &dated);
            let linked =
                !state.links.is_empty() || happened.iter().any(|tried| !tried.notes.is_empty());
            linked.then(|| TriedIssue {
                key: name(Some(&seen.key)),
                summary: seen.summary.clone(),
                happened,
                trouble: None,
            })
        }
        Ok(_) => None,
        Err(trouble) => Some(TriedIssue {
            key: name(known.as_ref().map(|record| &record.key)),
            summary: known.map_or_else(String::new, |record| record.summary),
            happened: Vec::new(),
            trouble: Some(words(trouble)),
        }),
    }
}

fn words(trouble: Trouble) -> String {
    match trouble {
        Trouble::Store(error) => error.to_string(),
        Trouble::Remote(remote) => remote.1.to_string(),
        Trouble::UnknownWorkspace(name) => {
            format!("the workspace “{name}” was never reached, so its addresses are not known")
        }
        Trouble::Early(why) | Trouble::Hopeless(why) => why,
    }
}

/// An issue as it was known before, with nothing told yet, and what became of its links since.
fn before(mut state: IssueState, since: Millis) -> (IssueState, Lives) {
    let mut lives = Lives::of(std::mem::take(&mut state.links), since);
    if lives.to_be_found
        && let Some(record) = &mut state.record
    {
        // Otherwise what is found again would count as pasted just now.
        record.scanned = false;
    }
    state.links = std::mem::take(&mut lives.at_first);
    state.known.clear();
    (state, lives)
}

/// The issue as it was at a time, as far as its comments go.
fn as_at(seen: &IssueSnapshot, at: Millis) -> IssueSnapshot {
    let mut then = seen.clone();
    let there = |view: &CommentView| match view {
        CommentView::Present(comment) => comment.created_at <= at,
        CommentView::Absent(_) => true,
    };
    then.comments.retain(there);
    then.updated_at = at.max(seen.created_at);
    then.comments_complete = seen.comments_complete && then.comments.len() == seen.comments.len();
    then
}

/// Plans what happened, one after the other: each tells what it did while a link lived.
fn walk(
    mut state: IssueState,
    mut lives: Lives,
    seen: &IssueSnapshot,
    settings: &Settings,
    dated: &[(Millis, Happening)],
) -> Vec<Tried> {
    let mut made = BTreeSet::new();
    let mut all = Vec::new();
    for (at, happening) in dated {
        put(&mut state.links, lives.up_to(*at));
        let then = Observation::Present(Box::new(as_at(seen, *at)));
        let plan = plan(
            &state,
            &then,
            Some(settings),
            std::slice::from_ref(happening),
        );
        let mut tried = Tried {
            at: *at,
            what: what(happening),
            notes: Vec::new(),
            reopens: Vec::new(),
            reasons: plan.outcome.reasons,
        };
        for effect in plan.effects {
            // The same fact makes an effect once, whatever tells it.
            if !made.insert(effect.key.to_string()) {
                continue;
            }
            match effect.act {
                Act::Note {
                    conversation, html, ..
                } => tried.notes.push((conversation, html)),
                Act::Reopen { conversation, .. } => tried.reopens.push(conversation),
                _ => {}
            }
        }
        state.known.extend(plan.facts);
        state.record = plan.record.or(state.record);
        put(&mut state.links, plan.links);
        all.push(tried);
    }
    all
}

/// Has links be as these are.
fn put(links: &mut Vec<Link>, changed: Vec<Link>) {
    let place = |link: &Link| (link.workspace.clone(), link.conversation.clone());
    for link in changed {
        match links.iter_mut().find(|known| place(known) == place(&link)) {
            Some(known) => *known = link,
            None => links.push(link),
        }
    }
}

/// What happened, in a few words.
fn what(happening: &Happening) -> &'static str {
    match happening {
        Happening::Created { .. } => "created",
        Happening::Commented(_) => "commented",
        Happening::Changed(change) => match (&change.assigned, &change.moved) {
            (Some(_), Some(_)) => "assigned and moved",
            (Some(_), None) => "assigned",
            (None, Some(_)) => "moved",
            (None, None) => "edited",
        },
        Happening::LinkAdded { .. } => "linked by hand",
        _ => "changed",
    }
}
