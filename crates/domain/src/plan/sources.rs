//! Where addresses stand, by what was just read, and what brought them there.

use bowline_text::{ConversationAddress, Doc};

use crate::fact::FactKey;
use crate::happening::{Change, Happening};
use crate::ids::{ConversationId, WorkspaceName};
use crate::link::{Origin, Source};
use crate::observation::{CommentSnapshot, CommentView, CommentVisibility, IssueSnapshot};
use crate::outcome::{Outcome, Reason};
use crate::settings::Settings;
use crate::state::IssueState;
use crate::time::Millis;

use super::rules;
use super::tombstones::Tombstones;

/// A conversation, by workspace.
pub(super) type Place = (WorkspaceName, ConversationId);

/// A source as it is now, with what is needed to speak of it.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) cause: Cause,
}

/// What brought a link to life.
pub(super) struct Cause {
    pub(super) origin: Origin,
    /// When, by Jira's clock.
    pub(super) since: Millis,
    /// Who did it, by name.
    pub(super) actor: Option<String>,
    /// The fact that did it, where that is known. Its own event may still come, and must not be
    /// told a second time.
    pub(super) fact: Option<FactKey>,
    pub(super) text: CommentText,
}

/// What the comment that brought the link says besides the address.
pub(super) enum CommentText {
    /// Nothing, or nothing that may be told.
    None,
    /// This.
    Told(Doc),
    /// Something that might be told, but the comment was read in passing, as a part of the issue:
    /// such a reading leaves out properties that may say that it is internal.
    Withheld,
}

impl Cause {
    /// Did the link come with the issue?
    pub(super) fn with_creation(&self) -> bool {
        self.fact == Some(FactKey::created())
    }

    /// Support knows of the link already: it comes from another app, or it is older than the
    /// binding. What a person orders is new, however old the issue is.
    pub(super) fn is_taken_over(&self, settings: &Settings) -> bool {
        match self.origin {
            Origin::Import => true,
            Origin::Command => false,
            Origin::Description | Origin::Comment(_) => self.since < settings.active_since,
        }
    }
}

/// The addresses at one place of the issue, as far as that was read, as what they mean now.
pub(super) fn addresses_at(
    issue: &IssueSnapshot,
    origin: &Origin,
    tombstones: &Tombstones,
) -> Vec<ConversationAddress> {
    let found = match origin {
        Origin::Description => issue.described.clone(),
        Origin::Comment(id) => match issue.comment(id) {
            Some(CommentView::Present(comment)) => bowline_text::address::find(&comment.body),
            _ => Vec::new(),
        },
        Origin::Import | Origin::Command => Vec::new(),
    };
    found
        .into_iter()
        .map(|address| tombstones.resolve(address))
        .collect()
}

/// Can this address mean that conversation? Where the code of a workspace is not known the
/// conversation id decides: not knowing must not end a link.
pub(super) fn may_name(
    address: &ConversationAddress,
    (workspace, conversation): (&WorkspaceName, &ConversationId),
    settings: Option<&Settings>,
) -> bool {
    if address.conversation != conversation.as_str() {
        return false;
    }
    let bound = settings.and_then(|settings| {
        settings
            .workspace_code
            .as_ref()
            .map(|code| (code.as_str(), &settings.workspace))
    });
    match (address.workspace.as_deref(), bound) {
        (Some(named), Some((code, bound))) => (named == code) == (bound == workspace),
        _ => true,
    }
}

/// Every address that was read, as what it means now, with where it stands.
pub(super) fn addresses(
    issue: &IssueSnapshot,
    tombstones: &Tombstones,
) -> Vec<(Origin, ConversationAddress)> {
    let comments = issue
        .comments
        .iter()
        .map(|view| Origin::Comment(view.id().clone()));
    std::iter::once(Origin::Description)
        .chain(comments)
        .flat_map(|origin| {
            let addresses = addresses_at(issue, &origin, tombstones);
            addresses
                .into_iter()
                .map(move |address| (origin.clone(), address))
        })
        .collect()
}

/// Reads the sources out of an observation.
pub(super) struct Reading<'a> {
    pub(super) state: &'a IssueState,
    pub(super) issue: &'a IssueSnapshot,
    pub(super) settings: &'a Settings,
    pub(super) happenings: &'a [Happening],
    pub(super) tombstones: &'a Tombstones,
}

impl Reading<'_> {
    /// The sources that links of the bound workspace have now.
    pub(super) fn sources(&self, outcome: &mut Outcome) -> Vec<(Place, Found)> {
        let mut all = Vec::new();
        for (origin, address) in addresses(self.issue, self.tombstones) {
            let Some(place) = self.place(&origin, &address, outcome) else {
                continue;
            };
            let found = match &origin {
                Origin::Comment(id) => match self.issue.comment(id) {
                    Some(CommentView::Present(comment)) => self.in_comment(comment, &place),
                    _ => continue,
                },
                _ => self.in_description(&place),
            };
            all.push((place, found));
        }
        if !self.scanned() {
            for id in &self.issue.recorded {
                let id = ConversationId::new(id.as_str());
                let place = (
                    self.settings.workspace.clone(),
                    self.tombstones.survivor(&id).clone(),
                );
                // An address says more than a record of it, and ends when it is taken out. Of a
                // link that we know, the record is our own.
                let better_known = self.is_known(&place) || all.iter().any(|(at, _)| *at == place);
                if !better_known {
                    all.push((place, self.recorded()));
                }
            }
        }
        all
    }

    /// The conversation that an address names in the bound workspace; another workspace's is
    /// explained and makes no link.
    fn place(
        &self,
        origin: &Origin,
        address: &ConversationAddress,
        outcome: &mut Outcome,
    ) -> Option<Place> {
        let conversation = ConversationId::new(address.conversation.as_str());
        let refused = match (&address.workspace, &self.settings.workspace_code) {
            (None, _) if self.is_held_elsewhere(origin, &conversation) => return None,
            (None, _) => None,
            (Some(named), Some(bound)) if named == bound.as_str() => None,
            (Some(named), Some(_)) => Some(Reason::OtherWorkspace {
                named: named.clone(),
            }),
            (Some(named), None) => Some(Reason::WorkspaceUnknown {
                named: named.clone(),
            }),
        };
        match refused {
            Some(reason) => {
                outcome.because(reason);
                None
            }
            None => Some((self.settings.workspace.clone(), conversation)),
        }
    }

    /// Does an address without a workspace mean a conversation of the workspace to which the
    /// issue belonged before it moved here?
    fn is_held_elsewhere(&self, origin: &Origin, conversation: &ConversationId) -> bool {
        self.state.links.iter().any(|link| {
            link.workspace != self.settings.workspace
                && link.conversation == *conversation
                && link.source(origin).is_some()
        })
    }

    /// Was everything looked through before? Then what is found now is new.
    fn scanned(&self) -> bool {
        self.state
            .record
            .as_ref()
            .is_some_and(|record| record.scanned)
    }

    /// Was it ever linked, or looked at with a view to linking?
    fn is_known(&self, (workspace, conversation): &Place) -> bool {
        self.state
            .links
            .iter()
            .any(|link| link.workspace == *workspace && link.conversation == *conversation)
    }

    /// An event of an earlier delivery is no news: it did not bring what was not there then.
    fn is_news(&self, happening: &Happening) -> bool {
        happening
            .fact()
            .is_some_and(|fact| !self.state.known.contains(&fact))
    }

    fn in_description(&self, place: &Place) -> Found {
        let edit = self.edit_that_put_in(&place.1);
        let (since, actor, fact) = match edit {
            Some(Change { id, at, actor, .. }) => (*at, actor.clone(), Some(FactKey::changed(id))),
            // It was not there before, and no event tells when it came: lately.
            None if self.scanned() || self.is_known(place) => (self.issue.updated_at, None, None),
            None => (
                self.issue.created_at,
                self.creator(),
                Some(FactKey::created()),
            ),
        };
        let actor = actor.map(|person| person.name);
        found(Origin::Description, since, actor, fact, CommentText::None)
    }

    /// The latest change that put the address into the description. Where the texts before and
    /// after do not tell (the history keeps another form of them), the latest change of all.
    fn edit_that_put_in(&self, conversation: &ConversationId) -> Option<&Change> {
        let mut edits = self
            .happenings
            .iter()
            .rev()
            .filter_map(|happening| match happening {
                Happening::Changed(change) if self.is_news(happening) => change
                    .described
                    .as_ref()
                    .map(|described| (change, described)),
                _ => None,
            })
            .peekable();
        let latest = edits.peek().map(|(change, _)| *change);
        let mut was_there = false;
        for (change, described) in edits {
            if described.puts_in(conversation) {
                return Some(change);
            }
            was_there |= described.held(conversation);
        }
        latest.filter(|_| !was_there)
    }

    fn creator(&self) -> Option<crate::observation::Person> {
        let told = self
            .happenings
            .iter()
            .find_map(|happening| match happening {
                Happening::Created { actor } => actor.clone(),
                _ => None,
            });
        told.or_else(|| self.issue.creator.clone())
    }

    fn in_comment(&self, comment: &CommentSnapshot, place: &Place) -> Found {
        let written = Happening::Commented(comment.id.clone());
        let edit_told = self
            .happenings
            .contains(&Happening::CommentEdited(comment.id.clone()));
        let written_told = self.happenings.contains(&written);
        let edited = comment.updated_at > comment.created_at
            && !(written_told && self.is_news(&written))
            && (edit_told || self.scanned() || self.is_known(place));
        let (since, author, fact) = if edited {
            (
                comment.updated_at,
                comment.editor.as_ref().unwrap_or(&comment.author),
                None,
            )
        } else {
            (comment.created_at, &comment.author, written.fact())
        };
        let text = self.text(comment, edit_told || written_told);
        let actor = Some(author.name.clone());
        found(
            Origin::Comment(comment.id.clone()),
            since,
            actor,
            fact,
            text,
        )
    }

    fn text(&self, comment: &CommentSnapshot, read_by_itself: bool) -> CommentText {
        let tellable = self.settings.notify.commented.note
            && rules::tellable(self.settings, self.issue, &comment.id).is_ok();
        let rest = comment.body.without_addresses();
        if !tellable || rest.is_blank() {
            CommentText::None
        } else if read_by_itself || comment.visibility == CommentVisibility::Public {
            CommentText::Told(rest)
        } else {
            CommentText::Withheld
        }
    }

    fn recorded(&self) -> Found {
        found(
            Origin::Import,
            self.issue.created_at,
            None,
            None,
            CommentText::None,
        )
    }
}

/// A source that holds its link, with its story.
pub(super) fn found(
    origin: Origin,
    since: Millis,
    actor: Option<String>,
    fact: Option<FactKey>,
    text: CommentText,
) -> Found {
    Found {
        source: Source {
            origin: origin.clone(),
            since,
            overruled: false,
            hand: None,
        },
        cause: Cause {
            origin,
            since,
            actor,
            fact,
            text,
        },
    }
}
