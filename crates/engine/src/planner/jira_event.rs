//! What a Jira delivery means.

use std::sync::Arc;
use std::task::Poll;

use bowline_domain::happening::Happening;
use bowline_domain::ids::{CommentId, IssueId, IssueKey, ProjectKey};
use bowline_domain::link::{Link, Origin};
use bowline_domain::observation::{IssueSnapshot, Observation};
use bowline_domain::outcome::Reason;
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_jira::webhook::{Delivery, EventKind, IssueHint};
use bowline_store::model::{Behind, Decided, StoredEvent};

use super::catch_up::{catch_up, comes_to_life};
use super::from_jira::{change, person, status};
use super::observe::Reader;
use super::since_taken::SinceTaken;
use super::{Trouble, nothing};
use crate::courier::TICKET_PROPERTY;
use crate::shared::Shared;

pub(super) async fn decide(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    since_taken: &SinceTaken,
) -> Result<Decided, Trouble> {
    let delivery = jira::webhook::parse(event.body.as_bytes())
        .map_err(|error| Trouble::Hopeless(format!("The delivery cannot be read: {error}.")))?;
    let reader = Reader {
        shared,
        site: super::site_of(shared, event)?,
        since_taken: Some(since_taken),
    };
    let Some(issue) = delivery.issue_id().map(IssueId::new) else {
        return Ok(nothing(no_issue(&delivery)));
    };
    let happenings = happenings(&delivery);
    let told = happenings.as_deref().unwrap_or_default();
    let asked_at = shared.now();
    let (state, behind) = known_and_read_ahead(&reader, &issue, &delivery, told).await?;
    since_taken.found_at_rest((!behind.writing).then_some(asked_at));
    // A customer waits for the note: what stands behind the issue besides is read beside it.
    let (handed, decided, tickets) = tokio::try_join!(
        async {
            if behind.talk {
                Box::pin(super::talk::hand_on(shared, event)).await
            } else {
                Ok(None)
            }
        },
        Box::pin(decide_links(&reader, &state, &delivery, happenings)),
        async {
            if behind.tickets {
                crate::feedback::tickets_behind(shared, event).await
            } else {
                Ok(Vec::new())
            }
        },
    )?;
    let decided = super::tally::follow(&reader, &delivery, decided).await?;
    let mut decided = crate::feedback::follow(shared, event, &tickets, decided).await?;
    if let Some(key) = handed {
        decided.outcome.because(Reason::HandedOn { key });
    }
    Ok(decided)
}

/// What is known of the issue. While a database that is elsewhere is asked for it, Jira is asked what the
/// issue is like: of a change as such it is nearly always needed next, because deliveries about issues
/// without a link seldom come so far. A comment is told of twice, and the second time nothing is read.
async fn known_and_read_ahead(
    reader: &Reader<'_>,
    issue: &IssueId,
    delivery: &Delivery,
    happenings: &[Happening],
) -> Result<(IssueState, Behind), Trouble> {
    let mut known = std::pin::pin!(reader.state_and_behind(issue, happenings));
    if let Poll::Ready(known) = futures_util::poll!(known.as_mut()) {
        return known;
    }
    let changed = matches!(happenings, [Happening::Changed(_)]);
    if !changed || changes_nothing_told(delivery, happenings) || !is_followed(reader, delivery) {
        return known.await;
    }
    let (known, ()) = futures_util::future::join(known, reader.read_ahead(issue)).await;
    known
}

/// Is the issue in a project whose issues are linked, as far as the delivery shows?
fn is_followed(reader: &Reader<'_>, delivery: &Delivery) -> bool {
    let told = delivery.issue.as_ref();
    let project = told.and_then(|issue| issue.project_key.as_deref());
    let registry = reader.shared.registry();
    project
        .and_then(|project| registry.binding(reader.name(), &ProjectKey::new(project)))
        .is_some_and(|binding| binding.linking)
}

/// What it means for the conversations that are linked to its issue.
async fn decide_links(
    reader: &Reader<'_>,
    state: &IssueState,
    delivery: &Delivery,
    happenings: Result<Vec<Happening>, Reason>,
) -> Result<Decided, Trouble> {
    let mut happenings = match happenings {
        Ok(happenings) => happenings,
        Err(reason) => return Ok(nothing(reason)),
    };
    if let Some(decided) = without_reading(reader, state, delivery, &happenings).await? {
        return Ok(decided);
    }
    let seen = reader.observe(state, &happenings).await?;
    reader.name_categories(&mut happenings).await?;
    let decided = reader.plan(state, &seen, &happenings).await?;
    if comes_late(state, &seen, &decided, delivery, &happenings)
        && let Some(since) = reader.looked_up_to(&seen).await?
    {
        return catch_up(reader, &state.issue, since, &happenings).await;
    }
    Ok(decided)
}

/// Does a link come to life although the delivery does not tell of what made it, or although more
/// has happened since? Deliveries overtake each other: then what made the link is still on its way,
/// or what came after it was taken for the matter of an issue that is not linked. Who linked the
/// conversation, and what is to be told since, is in the issue's history.
fn comes_late(
    state: &IssueState,
    seen: &Observation,
    decided: &Decided,
    delivery: &Delivery,
    happenings: &[Happening],
) -> bool {
    let Observation::Present(seen) = seen else {
        return false;
    };
    let mut new = decided
        .links
        .iter()
        .filter(|link| comes_to_life(state, link))
        .peekable();
    if new.peek().is_none() {
        return false;
    }
    let went_on = delivery
        .timestamp_ms
        .is_some_and(|at_ms| seen.updated_at > Millis(at_ms));
    went_on || new.any(|link| !announced(link, happenings))
}

/// Does the delivery tell of what made the link?
fn announced(link: &Link, happenings: &[Happening]) -> bool {
    link.sources.iter().any(|source| match &source.origin {
        Origin::Description => happenings.iter().any(|happening| match happening {
            Happening::Created { .. } => true,
            Happening::Changed(change) => {
                let described = change.described.as_ref();
                described.is_some_and(|described| described.puts_in(&link.conversation))
            }
            _ => false,
        }),
        Origin::Comment(id) => happenings.iter().any(|happening| {
            matches!(happening, Happening::Commented(told) | Happening::CommentEdited(told)
                if told == id)
        }),
        Origin::Import | Origin::Command => true,
    })
}

fn no_issue(delivery: &Delivery) -> Reason {
    match &delivery.event {
        EventKind::Project(what) | EventKind::Other(what) => {
            Reason::NotFollowed { what: what.clone() }
        }
        _ => Reason::NoIssue,
    }
}

/// What the delivery says happened. One delivery may tell of a change and of a comment.
fn happenings(delivery: &Delivery) -> Result<Vec<Happening>, Reason> {
    let comment = delivery
        .comment
        .as_ref()
        .map(|comment| CommentId::new(comment.id.as_str()));
    let mut happenings = Vec::new();
    match (&delivery.event, comment) {
        (EventKind::IssueCreated, _) => {
            let actor = delivery.user.as_ref().map(person);
            happenings.push(Happening::Created { actor });
        }
        (EventKind::IssueDeleted, _) => happenings.push(Happening::Deleted),
        (EventKind::CommentCreated, Some(id)) => happenings.push(Happening::Commented(id)),
        (EventKind::CommentUpdated, Some(id)) => happenings.push(Happening::CommentEdited(id)),
        (EventKind::CommentDeleted, Some(id)) => happenings.push(Happening::CommentDeleted(id)),
        (EventKind::IssueUpdated, comment) => {
            happenings.extend(changed(delivery));
            happenings.extend(comment.map(|id| told_with_update(delivery, id)));
            if happenings.is_empty() {
                happenings.push(Happening::Looked);
            }
        }
        (EventKind::IssueProperty, _) => {
            return Err(property(delivery.property_key.as_deref()));
        }
        (EventKind::Project(what) | EventKind::Other(what), _) => {
            return Err(Reason::NotFollowed { what: what.clone() });
        }
        (_, None) => return Err(Reason::NoIssue),
    }
    Ok(happenings)
}

/// What there is to say of a property that was written.
fn property(key: Option<&str>) -> Reason {
    match key {
        Some(ours @ (jira::LINK_PROPERTY | TICKET_PROPERTY)) => Reason::RecordWritten {
            property: ours.to_owned(),
        },
        other => Reason::NotFollowed {
            what: other.unwrap_or("issue property").to_owned(),
        },
    }
}

/// A comment told together with an update: by its own times, not by the event's name, which
/// differs between deployments.
fn told_with_update(delivery: &Delivery, id: CommentId) -> Happening {
    let edited = delivery.comment.as_ref().is_some_and(|comment| {
        comment
            .updated_ms
            .zip(comment.created_ms)
            .is_some_and(|(updated, created)| updated > created)
    });
    if edited {
        Happening::CommentEdited(id)
    } else {
        Happening::Commented(id)
    }
}

fn changed(delivery: &Delivery) -> Option<Happening> {
    let changelog = delivery.changelog.as_ref()?;
    let at = Millis(delivery.timestamp_ms.unwrap_or_default());
    // Without an id the entry is named by its time; all known shapes have one.
    let id = changelog
        .id
        .clone()
        .unwrap_or_else(|| format!("at-{}", at.0));
    let now = delivery
        .issue
        .as_ref()
        .and_then(|issue| issue.status.as_ref())
        .map(status);
    Some(Happening::Changed(change(
        &id,
        at,
        delivery.user.as_ref(),
        &changelog.items,
        now.as_ref(),
    )))
}

/// Decides without reading the issue where the answer is already certain.
async fn without_reading(
    reader: &Reader<'_>,
    state: &IssueState,
    delivery: &Delivery,
    happenings: &[Happening],
) -> Result<Option<Decided>, Trouble> {
    let told = |happening: &Happening| {
        happening
            .fact()
            .is_some_and(|fact| state.known.contains(&fact))
    };
    if happenings.iter().all(told) {
        return Ok(Some(nothing(Reason::AlreadyHandled)));
    }
    if changes_nothing_told(delivery, happenings) {
        return Ok(Some(nothing(Reason::NothingChanged)));
    }
    if !state.links.is_empty() {
        return Ok(None);
    }
    let hint = delivery.issue.as_ref();
    let told_project = hint
        .and_then(|issue| issue.project_key.as_deref())
        .map(ProjectKey::new);
    let known_project = || state.record.as_ref().map(|record| record.project.clone());
    let Some(project) = told_project.or_else(known_project) else {
        return Ok(None);
    };
    let registry = reader.shared.registry();
    let bound = reader.bound_project(&project).await?;
    let binding = bound.and_then(|configured| registry.binding(reader.name(), &configured));
    let project = project.to_string();
    let Some(binding) = binding else {
        return Ok(Some(nothing(Reason::NotBound { project })));
    };
    if !binding.linking {
        return Ok(Some(nothing(Reason::LinkingOff { project })));
    }
    if mentions_address(delivery) {
        return Ok(None);
    }
    if state.record.as_ref().is_some_and(|record| record.scanned) {
        return Ok(Some(nothing(Reason::NotLinked)));
    }
    // A new issue without an address needs no reading: it has no comments and no older text.
    let created = matches!(happenings, [Happening::Created { .. }]);
    match hint.filter(|_| created).and_then(new_issue) {
        Some(seen) => reader.plan(state, &seen, happenings).await.map(Some),
        None => Ok(None),
    }
}

/// Fields whose changes matter: to a note, to a link, or to what is kept of the issue.
const FOLLOWED_FIELDS: &[&str] = &[
    "assignee",
    "status",
    "description",
    "key",
    "project",
    "summary",
    "security",
];

/// Did only fields change that nobody is told of? Our own remote links come back like this.
fn changes_nothing_told(delivery: &Delivery, happenings: &[Happening]) -> bool {
    let only_a_change = matches!(happenings, [Happening::Changed(_)]);
    only_a_change
        && delivery.changelog.as_ref().is_some_and(|changelog| {
            !changelog.items.is_empty()
                && changelog.items.iter().all(|item| {
                    let field = item.field_id.as_deref().unwrap_or(&item.field);
                    !FOLLOWED_FIELDS.contains(&field.to_lowercase().as_str())
                        && !FOLLOWED_FIELDS.contains(&item.field.as_str())
                })
        })
}

/// Does the delivery show a conversation's address anywhere that may hold one?
fn mentions_address(delivery: &Delivery) -> bool {
    let in_doc = |doc: &bowline_text::Doc| !bowline_text::address::find(doc).is_empty();
    let described = delivery.issue.as_ref().and_then(IssueHint::described);
    let in_change = delivery.changelog.as_ref().is_some_and(|changelog| {
        changelog.items.iter().any(|item| {
            item.to_string
                .as_deref()
                .is_some_and(|text| !bowline_text::address::find_in_text(text).is_empty())
        })
    });
    described.as_ref().is_some_and(in_doc)
        || delivery
            .comment
            .as_ref()
            .is_some_and(|comment| in_doc(&comment.body))
        || in_change
}

/// A new issue as its own event shows it, if it shows enough.
fn new_issue(hint: &IssueHint) -> Option<Observation> {
    hint.description.as_ref()?;
    Some(Observation::Present(Box::new(IssueSnapshot {
        id: IssueId::new(hint.id.clone()?),
        key: IssueKey::new(hint.key.clone()?),
        project: ProjectKey::new(hint.project_key.clone()?),
        summary: hint.summary.clone()?,
        status: status(hint.status.as_ref()?),
        confidential: hint.security.as_ref().is_none_or(Option::is_some),
        creator: hint.creator.as_ref().map(person),
        created_at: Millis(hint.created_ms?),
        updated_at: Millis(hint.updated_ms.or(hint.created_ms)?),
        described: Vec::new(),
        comments: Vec::new(),
        comments_complete: true,
        recorded: Vec::new(),
    })))
}
