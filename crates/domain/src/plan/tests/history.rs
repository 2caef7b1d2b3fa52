//! A history as it unfolds, and what must be true at each step of it.

use std::collections::{BTreeMap, BTreeSet};

use super::builders::{
    Step, World, address, address_in, conversation_gone, created, link_added, link_removed,
    settings, settings_of_beta,
};
use crate::audience::Audience;
use crate::effect::Act;
use crate::happening::Happening;
use crate::observation::{CommentView, CommentVisibility};

/// One thing that happens. Numbers choose among what is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Describe(u8),
    Comment(u8, u8),
    Edit(u8, u8),
    Hide(u8),
    DeleteComment(u8),
    Assign,
    Transition,
    Secrecy(bool),
    Transfer(u8),
    Linking(bool),
    CodeKnown(bool),
    DeleteIssue,
    /// Delivers one of the events that wait, first or later ones.
    Deliver(u8),
    /// Delivers one that was delivered before.
    Redeliver(u8),
    Lose(u8),
    /// The reconciler looks, and tells everything that ever happened.
    Reconcile,
    AddByHand(u8),
    RemoveByHand(u8),
    EndConversation(u8),
}

/// Three conversations of the bound workspace and one of another; each bit is one of them.
pub(super) fn text(bits: u8) -> String {
    let all = [
        address("1"),
        address("2"),
        address("3"),
        address_in("betacode", "1"),
    ];
    let named = all
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    named
        .map(|(_, address)| address)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A history as it unfolds, with everything that was ever told.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) waiting: Vec<Happening>,
    delivered: Vec<Happening>,
    facts: Vec<Happening>,
    pub(super) lost: bool,
    pub(super) deletion_told: bool,
    pub(super) comments: u32,
    assignments: u32,
    /// Every note: conversation (with its workspace) and text.
    pub(super) told: Vec<(String, String)>,
}

impl Run {
    pub(super) fn new(described: u8) -> Self {
        let mut world = World::new(&text(described));
        world.reads_in_passing_say_less = true;
        Self {
            world,
            waiting: vec![created()],
            delivered: Vec::new(),
            facts: vec![created()],
            lost: false,
            deletion_told: false,
            comments: 0,
            assignments: 0,
            told: Vec::new(),
        }
    }

    pub(super) fn unfold(&mut self, deeds: &[Deed]) {
        for deed in deeds {
            if self.world.there || matches!(deed, Deed::Deliver(_) | Deed::Redeliver(_)) {
                self.act(*deed);
            }
        }
    }

    pub(super) fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Describe(bits) => self.did(|world| world.describe("Bob", &text(bits))),
            Deed::Comment(bits, who) => self.comment(bits, who),
            Deed::Edit(which, bits) => {
                let Some(id) = self.some_comment(which) else {
                    return;
                };
                let text = format!("word-{id}. {}", text(bits));
                self.did(|world| world.edit_comment(&id, "Cleo", &text));
            }
            Deed::Hide(which) => {
                let Some(id) = self.some_comment(which) else {
                    return;
                };
                self.did(|world| hide(world, &id));
            }
            Deed::DeleteComment(which) => {
                let Some(id) = self.some_comment(which) else {
                    return;
                };
                self.did(|world| world.delete_comment(&id));
            }
            Deed::Assign => {
                self.assignments += 1;
                let name = format!("word-a{}.", self.assignments);
                self.did(|world| world.assign("Bob", Some(&name)));
            }
            Deed::Transition => self.did(|world| world.transition("Bob", "Done")),
            Deed::Secrecy(level) => self.world.issue.confidential = level,
            Deed::Transfer(to) => {
                let (project, settings) = match to % 3 {
                    0 => ("ENG", Some(settings())),
                    1 => ("FREE", None),
                    _ => ("OPS", Some(settings_of_beta())),
                };
                self.did(|world| world.transfer(project, settings));
            }
            Deed::Linking(on) => {
                if let Some(settings) = &mut self.world.settings {
                    settings.linking = on;
                }
            }
            Deed::CodeKnown(known) => {
                if let Some(now) = &mut self.world.settings {
                    let code = settings()
                        .workspace_code
                        .filter(|_| now.project.as_str() == "ENG");
                    let code = code.or(settings_of_beta().workspace_code);
                    now.workspace_code = code.filter(|_| known);
                }
            }
            Deed::DeleteIssue => self.did(World::delete),
            Deed::Deliver(which) => {
                let Some(index) = index(which, self.waiting.len()) else {
                    return;
                };
                let happening = self.waiting.remove(index);
                self.delivered.push(happening.clone());
                self.deliver(&[happening]);
            }
            Deed::Redeliver(which) => {
                let Some(index) = index(which, self.delivered.len()) else {
                    return;
                };
                self.deliver(&[self.delivered[index].clone()]);
            }
            Deed::Lose(which) => {
                let Some(index) = index(which, self.waiting.len()) else {
                    return;
                };
                self.waiting.remove(index);
                self.lost = true;
            }
            Deed::Reconcile => self.reconcile(),
            Deed::AddByHand(which) => self.did(|_| link_added(conversation(which))),
            Deed::RemoveByHand(which) => self.did(|_| link_removed(conversation(which))),
            Deed::EndConversation(which) => self.did(|_| conversation_gone(conversation(which))),
        }
    }

    fn did(&mut self, deed: impl FnOnce(&mut World) -> Happening) {
        let happening = deed(&mut self.world);
        if happening.fact().is_some() {
            self.facts.push(happening.clone());
        }
        self.waiting.push(happening);
    }

    fn comment(&mut self, bits: u8, who: u8) {
        self.comments += 1;
        let id = format!("c{}", self.comments);
        let visibility = match who % 6 {
            0 => CommentVisibility::Internal,
            1 => CommentVisibility::Restricted,
            2 => CommentVisibility::Unstated,
            _ => CommentVisibility::Public,
        };
        let text = format!("word-{id}. {}", text(bits));
        self.did(|world| world.comment_for(visibility, &id, "Bob", &text));
    }

    fn some_comment(&self, which: u8) -> Option<String> {
        let comments = &self.world.issue.comments;
        index(which, comments.len()).map(|index| comments[index].id().to_string())
    }

    fn reconcile(&mut self) {
        let told: Vec<Happening> = self
            .facts
            .iter()
            .filter(|fact| match fact {
                Happening::Commented(id) => self.world.issue.comment(id).is_some(),
                _ => true,
            })
            .filter(|fact| {
                fact.fact()
                    .is_none_or(|key| !self.world.facts.contains(&key))
            })
            .cloned()
            .chain([Happening::Looked])
            .collect();
        let before = self.world.clone();
        let step = self.world.look(&told);
        self.check(&before, &step, &told);
    }

    fn deliver(&mut self, happenings: &[Happening]) {
        self.deletion_told |= !self.world.there && happenings.contains(&Happening::Deleted);
        let before = self.world.clone();
        let step = self.world.see(happenings);
        self.check(&before, &step, happenings);
        if !self
            .world
            .record
            .as_ref()
            .is_some_and(|record| record.scanned)
        {
            return; // More is read the second time.
        }
        let after = self.world.clone();
        let again = self.world.see(happenings);
        assert!(
            again.fresh.is_empty(),
            "the same event again writes {:#?}",
            again.fresh
        );
        assert_eq!(again.plan.links, [], "the same event again changes links");
        self.world = after;
    }

    /// Everything that must be true of one plan.
    fn check(&mut self, before: &World, step: &Step, happenings: &[Happening]) {
        let plan = &step.plan;
        let whole = !before.record.as_ref().is_some_and(|record| record.scanned);
        let seen = before.observe(happenings, whole);
        assert_eq!(
            before.plan(&seen, happenings),
            before.plan(&seen, happenings)
        );

        let explained = plan.outcome.effects > 0 || !plan.outcome.reasons.is_empty();
        assert!(explained, "every plan ends explained");
        assert_eq!(plan.outcome.effects, plan.effects.len());
        let keys: BTreeSet<_> = plan.effects.iter().map(|effect| &effect.key).collect();
        assert_eq!(keys.len(), plan.effects.len(), "keys are unique");
        self.check_links(before, happenings);
        for effect in &plan.effects {
            let Some((workspace, conversation)) = effect.act.conversation() else {
                continue;
            };
            let linked = self.world.links.iter().any(|link| {
                link.live && link.workspace == *workspace && link.conversation == *conversation
            });
            assert!(linked, "a write to a conversation that is not linked");
            let bound = self.world.settings.as_ref();
            let bound = bound.filter(|settings| settings.linking);
            assert!(bound.is_some_and(|settings| settings.workspace == *workspace));
            assert!(
                !self.world.issue.confidential,
                "a security level forwards nothing"
            );
        }
        for effect in &step.fresh {
            let Act::Note {
                workspace,
                conversation,
                audience,
                html,
                ..
            } = &effect.act
            else {
                continue;
            };
            assert_eq!(*audience, Audience::Internal);
            assert_eq!(html.matches(effect.key.marker().as_str()).count(), 1);
            self.check_secrets(html);
            self.told
                .push((format!("{workspace}/{conversation}"), html.clone()));
        }
    }

    fn check_links(&self, before: &World, happenings: &[Happening]) {
        let live = |world: &World| -> BTreeSet<(String, String)> {
            let live = world.links.iter().filter(|link| link.live);
            live.map(|link| (link.workspace.to_string(), link.conversation.to_string()))
                .collect()
        };
        let (was, now) = (live(before), live(&self.world));
        let by_command = happenings
            .iter()
            .any(|it| matches!(it, Happening::LinkAdded { .. }));
        for (workspace, conversation) in now.difference(&was) {
            let there = in_truth(&self.world).contains(&(workspace.clone(), conversation.clone()));
            assert!(
                there || by_command,
                "{conversation} was linked and its address is gone"
            );
        }
        let version = |world: &World| world.record.as_ref().map_or(0, |it| it.links_version);
        let changed = version(&self.world) != version(before);
        if self.world.there {
            assert_eq!(was != now, changed, "a version for each set of links");
        }
        for link in &self.world.links {
            assert_eq!(
                link.live,
                link.ended.is_none(),
                "ended links say why: {link:?}"
            );
            assert_eq!(link.live, link.held());
        }
    }

    /// Nothing of a comment that is for some people only.
    fn check_secrets(&self, html: &str) {
        for view in &self.world.issue.comments {
            let CommentView::Present(comment) = view else {
                continue;
            };
            let open = matches!(
                comment.visibility,
                CommentVisibility::Public | CommentVisibility::Unstated
            );
            let word = format!("word-{}.", comment.id);
            assert!(open || !html.contains(&word), "a secret in a note: {html}");
        }
    }

    /// Each comment and each assignment was told at most once to a conversation, and once more at
    /// most each time when that was linked anew.
    pub(super) fn check_told_once(&self) {
        let words = (1..=self.comments).map(|id| format!("word-c{id}."));
        let words: Vec<String> = words
            .chain((1..=self.assignments).map(|id| format!("word-a{id}.")))
            .collect();
        let mut generations = BTreeMap::new();
        for link in &self.world.links {
            let place = format!("{}/{}", link.workspace, link.conversation);
            generations.insert(
                place,
                usize::try_from(link.generation).expect("a small number"),
            );
        }
        for (place, generation) in generations {
            for word in &words {
                let told = self
                    .told
                    .iter()
                    .filter(|(at, html)| *at == place && html.contains(word));
                let told = told.count();
                let allowed = if word.contains('a') { 1 } else { generation };
                assert!(told <= allowed, "{word} was told {told} times to {place}");
            }
        }
    }
}

/// Links that the addresses in the issue make, wherever it is bound.
pub(super) fn in_truth(world: &World) -> BTreeSet<(String, String)> {
    let comments = world.issue.comments.iter().filter_map(|view| match view {
        CommentView::Present(comment) => Some(bowline_text::address::find(&comment.body)),
        CommentView::Absent(_) => None,
    });
    let all = comments
        .flatten()
        .chain(world.issue.described.iter().cloned());
    all.map(|address| {
        let beta = address.workspace.as_deref() == Some("betacode");
        let workspace = if beta { "beta" } else { "acme" };
        (workspace.to_owned(), address.conversation)
    })
    .collect()
}

fn hide(world: &mut World, id: &str) -> Happening {
    for view in &mut world.issue.comments {
        if let CommentView::Present(comment) = view
            && comment.id.as_str() == id
        {
            comment.visibility = CommentVisibility::Internal;
        }
    }
    Happening::CommentEdited(id.into())
}

pub(super) fn conversation(which: u8) -> &'static str {
    ["1", "2", "3"][usize::from(which) % 3]
}

pub(super) fn index(which: u8, len: usize) -> Option<usize> {
    usize::from(which).checked_rem(len)
}
