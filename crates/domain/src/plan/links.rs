//! Which links live, by what was just read.

use std::collections::BTreeMap;

use crate::happening::Happening;
use crate::ids::{ConversationId, WorkspaceName};
use crate::link::{Hand, Link, LinkEnd, Origin};
use crate::observation::IssueSnapshot;
use crate::outcome::{Outcome, Reason};
use crate::settings::Settings;
use crate::state::IssueState;
use crate::time::Millis;

use super::sources::{
    Cause, CommentText, Found, Place, Reading, addresses, addresses_at, found, may_name,
};
use super::tombstones::Tombstones;

/// A link after the event, beside what it was before.
pub(super) struct LinkNow {
    pub(super) link: Link,
    pub(super) was_live: bool,
    pub(super) changed: bool,
    /// It had ended because Jira did not show the issue.
    pub(super) was_unseen: bool,
    /// What brought it to life, if it came to life just now.
    pub(super) cause: Option<Cause>,
}

impl LinkNow {
    fn of(link: Link) -> Self {
        Self {
            was_live: link.live,
            was_unseen: !link.live && link.ended == Some(LinkEnd::IssueUnseen),
            link,
            changed: false,
            cause: None,
        }
    }

    /// Did it come to life just now?
    pub(super) fn is_new(&self) -> bool {
        self.link.live && !self.was_live
    }

    /// What brought it to life just now, if it was this happening.
    pub(super) fn cause_if(&self, happening: &Happening) -> Option<&Cause> {
        let cause = self.cause.as_ref().filter(|_| self.is_new())?;
        (cause.fact.is_some() && cause.fact == happening.fact()).then_some(cause)
    }
}

type Links = BTreeMap<Place, LinkNow>;

/// Ends every link, with its sources, because the issue was deleted.
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

/// Ends every link because Jira does not show the issue any more. What held them is kept: should
/// the issue be shown again, what is still there holds them again.
pub(super) fn end_unseen(links: &[Link]) -> Vec<Link> {
    links
        .iter()
        .filter(|link| link.live)
        .map(|link| Link {
            live: false,
            ended: Some(LinkEnd::IssueUnseen),
            ..link.clone()
        })
        .collect()
}

/// Ends what people and the far side end, on an issue that cannot be read. Returns what changed.
pub(super) fn end_unread(
    state: &IssueState,
    happenings: &[Happening],
    outcome: &mut Outcome,
) -> Vec<LinkNow> {
    let mut links = known(state);
    let tombstones = Tombstones::among(&state.links);
    for happening in happenings {
        end_directly(&mut links, &tombstones, happening);
        merge(&mut links, happening, outcome);
    }
    // What is held but does not live is not brought to life by an issue that is not shown.
    links
        .into_values()
        .filter(|now| now.changed)
        .map(|now| settle(now, None))
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
    debug_assert!(
        state.issue == issue.id,
        "the observation is of the lane's issue"
    );
    let mut links = known(state);
    let tombstones = Tombstones::among(&state.links);
    for now in links.values_mut() {
        drop_sources_that_are_gone(now, issue, settings, &tombstones);
    }
    if let Some(settings) = settings.filter(|settings| settings.linking) {
        for (place, found) in (Reading {
            state,
            issue,
            settings,
            happenings,
            tombstones: &tombstones,
        })
        .sources(outcome)
        {
            add_source(links.entry(place).or_insert_with_key(new_link), found);
        }
        for happening in happenings {
            let place = (issue, settings, &tombstones);
            link_directly(&mut links, place, happening, outcome);
        }
    }
    for happening in happenings {
        end_directly(&mut links, &tombstones, happening);
        merge(&mut links, happening, outcome);
    }
    // A link that never lived is kept if a person ended it before it could.
    let worth_keeping = |now: &LinkNow| now.link.generation > 0 || !now.link.sources.is_empty();
    links
        .into_values()
        .map(|now| settle(now, Some(issue.updated_at)))
        .filter(worth_keeping)
        .collect()
}

/// Was something seen that links nothing now and might under other settings? Then everything has
/// to be read again when they change.
pub(super) fn overlooks(
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    links: &[LinkNow],
) -> bool {
    let following = settings.filter(|settings| settings.linking);
    if following.is_some_and(|settings| settings.workspace_code.is_some()) {
        return false;
    }
    let is_source = |(origin, address): &(Origin, _)| {
        links.iter().any(|LinkNow { link, .. }| {
            let place = (&link.workspace, &link.conversation);
            link.source(origin).is_some() && may_name(address, place, settings)
        })
    };
    let recorded = following.is_none() && !issue.recorded.is_empty();
    let tombstones = Tombstones::among(links.iter().map(|now| &now.link));
    recorded || !addresses(issue, &tombstones).iter().all(is_source)
}

fn known(state: &IssueState) -> Links {
    let place = |link: &Link| (link.workspace.clone(), link.conversation.clone());
    state
        .links
        .iter()
        .map(|link| (place(link), LinkNow::of(link.clone())))
        .collect()
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
        ended_at: None,
    })
}

/// Takes away the sources in places that we read just now and that no longer hold the address.
/// This does not ask whether the project is bound: removals are followed everywhere.
fn drop_sources_that_are_gone(
    now: &mut LinkNow,
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    tombstones: &Tombstones,
) {
    let place = (&now.link.workspace, &now.link.conversation);
    let still = |origin: &Origin| {
        addresses_at(issue, origin, tombstones)
            .iter()
            .any(|address| may_name(address, place, settings))
    };
    let kept: Vec<_> = now
        .link
        .sources
        .iter()
        .filter(|source| match &source.origin {
            Origin::Description => still(&source.origin),
            Origin::Comment(id) if issue.comment(id).is_some() => still(&source.origin),
            Origin::Comment(_) => !issue.comments_complete,
            Origin::Import | Origin::Command => true,
        })
        .cloned()
        .collect();
    now.changed |= kept.len() != now.link.sources.len();
    now.link.sources = kept;
}

fn add_source(now: &mut LinkNow, found: Found) {
    if now.link.source(&found.source.origin).is_some() {
        return;
    }
    // The earliest of several new sources is the one that made the link.
    if now
        .cause
        .as_ref()
        .is_none_or(|cause| found.cause.since < cause.since)
    {
        now.cause = Some(found.cause);
    }
    now.link.sources.push(found.source);
    now.changed = true;
}

/// What people link by command.
fn link_directly(
    links: &mut Links,
    (issue, settings, tombstones): (&IssueSnapshot, &Settings, &Tombstones),
    happening: &Happening,
    outcome: &mut Outcome,
) {
    let Happening::LinkAdded {
        workspace,
        conversation,
        by,
        via,
        imported,
    } = happening
    else {
        return;
    };
    if settings.workspace != *workspace {
        outcome.because(Reason::OtherWorkspace {
            named: workspace.to_string(),
        });
        return;
    }
    let place = (workspace.clone(), tombstones.survivor(conversation).clone());
    let now = links.entry(place).or_insert_with_key(new_link);
    let origin = if *imported {
        Origin::Import
    } else {
        Origin::Command
    };
    now.link
        .sources
        .retain(|source| source.origin != origin || !source.overruled);
    // After everything that we read: what was there before the command is not told.
    let since = issue.updated_at.plus_ms(1);
    let mut found = found(origin, since, Some(by.clone()), None, CommentText::None);
    found.source.hand = Some(Hand {
        by: by.clone(),
        via: *via,
    });
    add_source(now, found);
}

/// What people end by command, and what the far side ended.
fn end_directly(links: &mut Links, tombstones: &Tombstones, happening: &Happening) {
    match happening {
        Happening::LinkRemoved {
            workspace,
            conversation,
        } => {
            let conversation = tombstones.survivor(conversation);
            overrule(links, workspace, conversation, LinkEnd::ByHand);
        }
        Happening::ConversationGone {
            workspace,
            conversation,
        } => {
            overrule(links, workspace, conversation, LinkEnd::ConversationGone);
        }
        _ => {}
    }
}

/// The sources stay known, and no longer hold the link: it comes back when an address is put in
/// anew, not because it is still there.
fn overrule(
    links: &mut Links,
    workspace: &WorkspaceName,
    conversation: &ConversationId,
    end: LinkEnd,
) {
    let now = links.get_mut(&(workspace.clone(), conversation.clone()));
    let Some(now) = now.filter(|now| now.link.held()) else {
        return;
    };
    for source in &mut now.link.sources {
        source.overruled = true;
    }
    now.link.ended = Some(end);
    now.changed = true;
}

/// A conversation was merged into another one: what held its link holds one to that one since, and
/// a tombstone stays.
fn merge(links: &mut Links, happening: &Happening, outcome: &mut Outcome) {
    let Happening::ConversationMerged {
        workspace,
        conversation,
        into,
    } = happening
    else {
        return;
    };
    let from = links.get_mut(&(workspace.clone(), conversation.clone()));
    let Some(from) = from.filter(|now| now.link.live && conversation != into) else {
        return;
    };
    let sources = std::mem::take(&mut from.link.sources);
    from.link.ended = Some(LinkEnd::Merged(into.clone()));
    from.changed = true;
    let place = (workspace.clone(), into.clone());
    let survivor = links.entry(place).or_insert_with_key(new_link);
    for source in sources {
        match survivor
            .link
            .sources
            .iter_mut()
            .find(|known| known.origin == source.origin)
        {
            Some(known) => known.overruled &= source.overruled,
            None => survivor.link.sources.push(source),
        }
    }
    survivor.changed = true;
    outcome.because(Reason::Merged {
        into: into.to_string(),
    });
}

/// Decides whether the link lives, by its sources. `read` is when the issue changed last, if it was
/// read: an address that is gone was taken out then, or before.
fn settle(mut now: LinkNow, read: Option<Millis>) -> LinkNow {
    let held = now.link.held();
    if held && !now.was_live {
        now.link.generation += 1;
        let holding = now.link.sources.iter().filter(|source| !source.overruled);
        now.link.since = holding
            .map(|source| source.since)
            .min()
            .unwrap_or(now.link.since);
        now.changed = true;
    } else if !held && now.was_live {
        if now.link.ended.is_none() {
            now.link.ended = Some(LinkEnd::AddressRemoved);
            now.link.ended_at = read;
        }
        now.changed = true;
    }
    if held {
        now.link.ended = None;
        now.link.ended_at = None;
    }
    now.link.live = held;
    now
}
