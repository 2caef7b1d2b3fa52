//! Which rule speaks of a happening, and what it asks for.

use bowline_text::plain;

use crate::happening::{Change, Happening};
use crate::ids::CommentId;
use crate::observation::{CommentSnapshot, CommentView, CommentVisibility, IssueSnapshot};
use crate::outcome::Reason;
use crate::settings::{CommentFilter, Settings, Trigger};
use crate::time::Millis;

/// What to do about a happening and when it happened by Jira's clock (`None`: it has no time of
/// its own), or why nothing is to be done.
pub(super) fn decide(
    settings: &Settings,
    issue: &IssueSnapshot,
    happening: &Happening,
) -> Result<(Trigger, Option<Millis>), Reason> {
    if issue.confidential {
        return Err(Reason::SecurityLevel);
    }
    if settings.muted && happening.fact().is_some() {
        return Err(muted(settings));
    }
    let (trigger, name, at) = match happening {
        Happening::Created { .. } => (settings.notify.created, "created", Some(issue.created_at)),
        Happening::Changed(change) => {
            let (trigger, name) = changed(settings, change)?;
            (trigger, name, Some(change.at))
        }
        Happening::Commented(id) => {
            let comment = tellable(settings, issue, id)?;
            (
                settings.notify.commented,
                "commented",
                Some(comment.created_at),
            )
        }
        Happening::Asked {
            note: false,
            reopen: false,
            ..
        } => return Err(Reason::NothingAsked),
        Happening::Asked { note, reopen, .. } => (
            Trigger {
                note: *note,
                reopen: *reopen,
            },
            "asked for",
            None,
        ),
        _ => return Err(Reason::NothingChanged),
    };
    if trigger.acts() {
        Ok((trigger, at))
    } else {
        Err(Reason::RuleOff {
            trigger: name.to_owned(),
        })
    }
}

/// Why a muted project says nothing.
pub(super) fn muted(settings: &Settings) -> Reason {
    Reason::Muted {
        project: settings.project.to_string(),
    }
}

/// The parts of a change that are told: assigned, moved, or both in one note.
pub(super) struct ToldParts {
    pub(super) assigned: bool,
    pub(super) moved: bool,
}

/// Which parts of a change its note speaks of.
pub(super) fn told_parts(settings: &Settings, change: &Change) -> ToldParts {
    ToldParts {
        assigned: change.assigned.is_some() && settings.notify.assigned.note,
        moved: change.moved.is_some() && moved(settings, change).note,
    }
}

fn changed(settings: &Settings, change: &Change) -> Result<(Trigger, &'static str), Reason> {
    let assigned = change
        .assigned
        .as_ref()
        .map_or(Trigger::default(), |_| settings.notify.assigned);
    let name = match (&change.moved, &change.assigned) {
        (Some(_), _) => "transitioned",
        (None, Some(_)) => "assigned",
        (None, None) => return Err(Reason::NothingChanged),
    };
    Ok((assigned.or(moved(settings, change)), name))
}

/// The general trigger and every transition rule that matches, together: one note, and re-open if
/// one of them says so.
fn moved(settings: &Settings, change: &Change) -> Trigger {
    let Some((from, to)) = &change.moved else {
        return Trigger::default();
    };
    settings
        .transitions
        .iter()
        .filter(|rule| rule.from.matches(from) && rule.to.matches(to))
        .fold(settings.notify.transitioned, |sum, rule| sum.or(rule.then))
}

/// The comment, if its text may be told to teammates in Intercom.
pub(super) fn tellable<'i>(
    settings: &Settings,
    issue: &'i IssueSnapshot,
    id: &CommentId,
) -> Result<&'i CommentSnapshot, Reason> {
    let Some(CommentView::Present(comment)) = issue.comment(id) else {
        return Err(Reason::CommentGone);
    };
    match (comment.visibility, &settings.notify.filter) {
        (CommentVisibility::Internal | CommentVisibility::Restricted, _) => {
            Err(Reason::RestrictedComment)
        }
        (CommentVisibility::Unstated, CommentFilter::Public) => Err(Reason::FilteredOut),
        (_, CommentFilter::Marker(marker)) if !plain::write(&comment.body).contains(marker) => {
            Err(Reason::FilteredOut)
        }
        _ => Ok(comment),
    }
}
