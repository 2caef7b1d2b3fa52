//! Which links live, by what was just read.

use std::collections::BTreeMap;

use bowline_text::ConversationAddress;

use crate::happening::Happening;
use crate::ids::{ConversationId, WorkspaceName};
use crate::link::{Link, LinkEnd, Origin, Source};
use crate::observation::{CommentSnapshot, CommentView, IssueSnapshot, Person};
use crate::outcome::{Outcome, Reason};
use crate::settings::Settings;
use crate::state::IssueState;
use crate::time::Millis;

/// A link after the event, beside what it was before.
pub(super) struct LinkNow {
    pub(super) link: Link,
    pub(super) was_live: bool,
    pub(super) changed: bool,
    /// What brought it to life, if it came to life just now.
    pub(super) cause: Option<Cause>,
}

impl LinkNow {
    fn of(link: Link) -> Self {
        Self { was_live: link.live, link, changed: false, cause: None }
    }

    /// Is this happening the one that made the link?
    pub(super) fn caused_by(&self, happening: &Happening) -> bool {
        let Some(cause) = &self.cause else { return false };
        match (happening, &cause.origin) {
            (Happening::Created { .. }, Origin::Description) => cause.with_creation,
            (Happening::Changed(change), Origin::Description) => change.described,
            (Happening::Commented(id), Origin::Comment(source)) => id == source,
            _ => false,
        }
    }
}

/// What brought a link to life.
pub(super) struct Cause {
    pub(super) origin: Origin,
    pub(super) actor: Option<String>,
    pub(super) comment: Option<CommentSnapshot>,
    /// The address was in the description from the first.
    pub(super) with_creation: bool,
    /// Support knows of the link already; no note is due.
    pub(super) silent: bool,
}

/// A source as it is now, with what is needed to speak of it.
struct Found {
    source: Source,
    cause: Cause,
}

type Place = (WorkspaceName, ConversationId);

/// Ends every live link because the issue was deleted.
pub(super) fn end_all(links: &[Link]) -> Vec<Link> {
    links
        .iter()
        .filter(|link| link.live || !link.sources.is_empty())
        .map(|link| Link {
            live: false,
            sources: Vec::new(),
            ended: Some(LinkEnd::IssueDeleted),
            ..link.clone()
        })
        .collect()
}

/// Follows the addresses: a link lives while one source holds it.
pub(super) fn follow(
    state: &IssueState,
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    happenings: &[Happening],
    outcome: &mut Outcome,
) -> Vec<LinkNow> {
    let mut links: BTreeMap<Place, LinkNow> = state
        .links
        .iter()
        .map(|link| {
            let place = (link.workspace.clone(), link.conversation.clone());
            (place, LinkNow::of(link.clone()))
        })
        .collect();

    let found = settings
        .filter(|settings| settings.linking)
        .map(|settings| Reading { state, issue, settings, happenings }.sources(outcome))
        .unwrap_or_default();
    for now in links.values_mut() {
        drop_sources_that_are_gone(now, state, issue, settings, &found);
    }
    for (place, found) in found {
        add_source(links.entry(place).or_insert_with_key(new_link), found);
    }
    for happening in happenings {
        by_hand(&mut links, issue, settings, happening, outcome);
    }
    links.into_values().map(settle).filter(|now| now.link.generation > 0).collect()
}

fn new_link(place: &Place) -> LinkNow {
    LinkNow::of(Link {
        workspace: place.0.clone(),
        conversation: place.1.clone(),
        sources: Vec::new(),
        live: false,
        since: Millis(0),
        generation: 0,
        ended: None,
    })
}

/// Takes away the sources in places that we read just now and that no longer hold the address.
fn drop_sources_that_are_gone(
    now: &mut LinkNow,
    state: &IssueState,
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    found: &[(Place, Found)],
) {
    let place = (now.link.workspace.clone(), now.link.conversation.clone());
    // In a project that is not bound (or with linking off) addresses are not looked up as such, so
    // what is there is judged by the conversation id alone: removals are still followed.
    let still = |origin: &Origin| {
        if settings.is_some_and(|settings| settings.linking) {
            found.iter().any(|(at, found)| *at == place && found.source.origin == *origin)
        } else {
            addresses_at(issue, origin)
                .iter()
                .any(|address| address.conversation == place.1.as_str())
        }
    };
    let before = now.link.sources.len();
    now.link.sources.retain(|source| match &source.origin {
        Origin::Description => still(&source.origin),
        Origin::Comment(id) => match issue.comment(id) {
            Some(_) => still(&source.origin),
            None => !issue.comments_complete,
        },
        Origin::Import | Origin::Command => true,
    });
    now.changed |= now.link.sources.len() != before;
    debug_assert!(state.issue == issue.id, "the observation is of the lane's issue");
}

fn addresses_at(issue: &IssueSnapshot, origin: &Origin) -> Vec<ConversationAddress> {
    match origin {
        Origin::Description => issue.described.clone(),
        Origin::Comment(id) => match issue.comment(id) {
            Some(CommentView::Present(comment)) => bowline_text::address::find(&comment.body),
            _ => Vec::new(),
        },
        Origin::Import | Origin::Command => Vec::new(),
    }
}

fn add_source(now: &mut LinkNow, found: Found) {
    if now.link.source(&found.source.origin).is_some() {
        return;
    }
    // The earliest of several new sources is the one that made the link.
    let earlier = now.cause.is_none()
        || now.link.sources.last().is_some_and(|source| found.source.since < source.since);
    if earlier {
        now.cause = Some(found.cause);
    }
    now.link.sources.push(found.source);
    now.changed = true;
}

/// What people do to links directly, and what the far side did to the conversation.
fn by_hand(
    links: &mut BTreeMap<Place, LinkNow>,
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    happening: &Happening,
    outcome: &mut Outcome,
) {
    match happening {
        Happening::LinkAdded { workspace, conversation, by } => {
            if settings.is_none_or(|settings| settings.workspace != *workspace) {
                outcome.because(Reason::OtherWorkspace { named: workspace.to_string() });
                return;
            }
            let place = (workspace.clone(), conversation.clone());
            let now = links.entry(place).or_insert_with_key(new_link);
            now.link.sources.retain(|source| source.origin != Origin::Command);
            let cause = Cause {
                origin: Origin::Command,
                actor: Some(by.clone()),
                comment: None,
                with_creation: false,
                silent: false,
            };
            let source =
                Source { origin: Origin::Command, since: issue.updated_at, overruled: false };
            add_source(now, Found { source, cause });
        }
        Happening::LinkRemoved { workspace, conversation } => {
            overrule(links, workspace, conversation, LinkEnd::ByHand);
        }
        Happening::ConversationGone { workspace, conversation } => {
            overrule(links, workspace, conversation, LinkEnd::ConversationGone);
        }
        _ => {}
    }
}

/// The sources stay known, and no longer hold the link: it comes back when an address is put in
/// anew, not because it is still there.
fn overrule(
    links: &mut BTreeMap<Place, LinkNow>,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    end: LinkEnd,
) {
    let Some(now) = links.get_mut(&(workspace.clone(), conversation.clone())) else { return };
    for source in &mut now.link.sources {
        source.overruled = true;
    }
    now.link.ended = Some(end);
    now.changed = true;
}

/// Decides whether the link lives, by its sources.
fn settle(mut now: LinkNow) -> LinkNow {
    let held = now.link.held();
    if held && !now.was_live {
        now.link.generation += 1;
        now.link.ended = None;
        now.link.since = now
            .link
            .sources
            .iter()
            .filter(|source| !source.overruled)
            .map(|source| source.since)
            .min()
            .unwrap_or(now.link.since);
        now.changed = true;
    } else if !held && now.was_live {
        now.link.ended = now.link.ended.or(Some(LinkEnd::AddressRemoved));
        now.changed = true;
    }
    if held {
        now.link.ended = None;
    }
    now.link.live = held;
    now
}

/// Reads the sources out of an observation.
struct Reading<'a> {
    state: &'a IssueState,
    issue: &'a IssueSnapshot,
    settings: &'a Settings,
    happenings: &'a [Happening],
}

impl Reading<'_> {
    fn sources(&self, outcome: &mut Outcome) -> Vec<(Place, Found)> {
        let mut all = Vec::new();
        for address in &self.issue.described {
            if let Some(place) = self.place(address, outcome) {
                all.push((place, self.in_description()));
            }
        }
        for view in &self.issue.comments {
            let CommentView::Present(comment) = view else { continue };
            for address in bowline_text::address::find(&comment.body) {
                if let Some(place) = self.place(&address, outcome) {
                    all.push((place, self.in_comment(comment)));
                }
            }
        }
        if !self.scanned() {
            for id in &self.issue.recorded {
                let place = (self.settings.workspace.clone(), ConversationId::new(id.as_str()));
                all.push((place, self.recorded()));
            }
        }
        all
    }

    /// The conversation that an address names in the bound workspace; another workspace's is
    /// explained and makes no link.
    fn place(&self, address: &ConversationAddress, outcome: &mut Outcome) -> Option<Place> {
        let ours = match (&address.workspace, &self.settings.workspace_code) {
            (None, _) => true,
            (Some(code), Some(bound)) => code == bound.as_str(),
            (Some(_), None) => false,
        };
        if !ours {
            let named = address.workspace.clone().unwrap_or_default();
            outcome.because(Reason::OtherWorkspace { named });
            return None;
        }
        let conversation = ConversationId::new(address.conversation.as_str());
        Some((self.settings.workspace.clone(), conversation))
    }

    fn scanned(&self) -> bool {
        self.state.record.as_ref().is_some_and(|record| record.scanned)
    }

    fn in_description(&self) -> Found {
        let edit = self.happenings.iter().rev().find_map(|happening| match happening {
            Happening::Changed(change) if change.described => Some(change),
            _ => None,
        });
        let created = self.happenings.iter().find_map(|happening| match happening {
            Happening::Created { actor } => Some(actor.clone()),
            _ => None,
        });
        let (since, actor, with_creation) = match (edit, created) {
            (Some(change), _) => (change.at, change.actor.clone(), false),
            (None, Some(actor)) => {
                (self.issue.created_at, actor.or_else(|| self.issue.creator.clone()), true)
            }
            // Seen before without it and no event tells when it came: lately.
            (None, None) if self.scanned() => (self.issue.updated_at, None, false),
            (None, None) => (self.issue.created_at, self.issue.creator.clone(), false),
        };
        Found {
            source: Source { origin: Origin::Description, since, overruled: false },
            cause: Cause {
                origin: Origin::Description,
                actor: actor.map(|person: Person| person.name),
                comment: None,
                with_creation,
                silent: false,
            },
        }
    }

    fn in_comment(&self, comment: &CommentSnapshot) -> Found {
        let edited = comment.updated_at > comment.created_at
            && !self.happenings.contains(&Happening::Commented(comment.id.clone()))
            && self.scanned();
        let (since, author) = if edited {
            (comment.updated_at, comment.editor.as_ref().unwrap_or(&comment.author))
        } else {
            (comment.created_at, &comment.author)
        };
        let origin = Origin::Comment(comment.id.clone());
        Found {
            source: Source { origin: origin.clone(), since, overruled: false },
            cause: Cause {
                origin,
                actor: Some(author.name.clone()),
                comment: Some(comment.clone()),
                with_creation: false,
                silent: false,
            },
        }
    }

    fn recorded(&self) -> Found {
        Found {
            source: Source {
                origin: Origin::Import,
                since: self.issue.created_at,
                overruled: false,
            },
            cause: Cause {
                origin: Origin::Import,
                actor: None,
                comment: None,
                with_creation: false,
                silent: true,
            },
        }
    }
}
