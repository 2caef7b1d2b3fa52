//! A small Jira, and what the store would keep of our plans about it.

use std::collections::BTreeSet;

use bowline_text::{Doc, Inline, address};

use crate::effect::{Act, Effect, EffectKey};
use crate::fact::FactKey;
use crate::happening::{Change, Happening, Redescribed};
use crate::ids::{CommentId, ConversationId, IssueId, IssueKey, ProjectKey, SiteName};
use crate::ids::{WorkspaceCode, WorkspaceName};
use crate::link::{Link, Via};
use crate::observation::{
    CommentSnapshot, CommentView, CommentVisibility, IssueSnapshot, Observation, Person,
    StatusCategory, StatusRef,
};
use crate::outcome::Reason;
use crate::plan::{Plan, plan};
use crate::settings::{CommentFilter, NoteContents, Notify, Settings, Trigger};
use crate::state::{IssueRecord, IssueState};
use crate::time::Millis;

pub(super) const NOTE: Trigger = Trigger {
    note: true,
    reopen: false,
};
pub(super) const REOPEN: Trigger = Trigger {
    note: false,
    reopen: true,
};
pub(super) const BOTH: Trigger = Trigger {
    note: true,
    reopen: true,
};
pub(super) const OFF: Trigger = Trigger {
    note: false,
    reopen: false,
};

/// When bindings begin, unless a test says otherwise.
pub(super) const ACTIVE_SINCE: Millis = Millis(100);

/// When the issue is created, unless a test says otherwise.
pub(super) const CREATED_AT: Millis = Millis(1_000);

/// The address of a conversation of the bound workspace.
pub(super) fn address(conversation: &str) -> String {
    address_in("acmecode", conversation)
}

/// The address of a conversation of any workspace.
pub(super) fn address_in(code: &str, conversation: &str) -> String {
    format!("https://app.intercom.com/a/inbox/{code}/inbox/conversation/{conversation}")
}

pub(super) fn person(name: &str) -> Person {
    Person {
        id: format!("id-of-{name}"),
        name: name.to_owned(),
    }
}

pub(super) fn status(name: &str) -> StatusRef {
    let (id, category) = match name {
        "To Do" => ("1", StatusCategory::New),
        "In Progress" => ("3", StatusCategory::Indeterminate),
        "Done" => ("5", StatusCategory::Done),
        _ => ("9", StatusCategory::Unknown),
    };
    StatusRef {
        id: id.to_owned(),
        name: name.to_owned(),
        category,
    }
}

/// The settings of ENG: every trigger on, joined to the workspace `acme`.
pub(super) fn settings() -> Settings {
    Settings {
        site: SiteName::new("jira"),
        site_url: "https://jira.example.com".to_owned(),
        project: ProjectKey::new("ENG"),
        workspace: WorkspaceName::new("acme"),
        workspace_code: Some(WorkspaceCode::new("acmecode")),
        linking: true,
        active_since: ACTIVE_SINCE,
        notify: Notify {
            created: NOTE,
            assigned: NOTE,
            commented: NOTE,
            filter: CommentFilter::All,
            transitioned: BOTH,
        },
        transitions: Vec::new(),
        unassign_on_open: false,
        wake_snoozed: false,
        muted: false,
        contents: NoteContents::default(),
        gather_until: None,
    }
}

/// The settings of another project, joined to the workspace `beta`.
pub(super) fn settings_of_beta() -> Settings {
    Settings {
        project: ProjectKey::new("OPS"),
        workspace: WorkspaceName::new("beta"),
        workspace_code: Some(WorkspaceCode::new("betacode")),
        ..settings()
    }
}

/// An issue in Jira as it is now, the settings that hold now, and what the store keeps.
#[derive(Clone)]
pub(super) struct World {
    /// The truth, with all comments.
    pub(super) issue: IssueSnapshot,
    pub(super) there: bool,
    pub(super) settings: Option<Settings>,
    pub(super) record: Option<IssueRecord>,
    pub(super) links: Vec<Link>,
    pub(super) facts: BTreeSet<FactKey>,
    pub(super) keys: BTreeSet<EffectKey>,
    pub(super) now: Millis,
    /// A comment that is read in passing does not say that it is internal.
    pub(super) reads_in_passing_say_less: bool,
    changes: u32,
}

impl World {
    /// An issue that Ann just created, with this description.
    pub(super) fn new(description: &str) -> Self {
        Self {
            issue: IssueSnapshot {
                id: IssueId::new("10001"),
                key: IssueKey::new("ENG-1"),
                project: ProjectKey::new("ENG"),
                summary: "Checkout fails".to_owned(),
                status: status("To Do"),
                confidential: false,
                creator: Some(person("Ann")),
                created_at: CREATED_AT,
                updated_at: CREATED_AT,
                described: address::find_in_text(description),
                comments: Vec::new(),
                comments_complete: true,
                recorded: Vec::new(),
            },
            there: true,
            settings: Some(settings()),
            record: None,
            links: Vec::new(),
            facts: BTreeSet::new(),
            keys: BTreeSet::new(),
            now: CREATED_AT,
            reads_in_passing_say_less: false,
            changes: 0,
        }
    }

    /// An issue that was seen without an address, and got one of conversation 1 by Bob's edit.
    pub(super) fn linked() -> Self {
        let mut world = Self::new(&address("1"));
        world.see(&[created()]);
        assert_eq!(world.live(), ["1"], "the issue to start from is linked");
        world
    }

    pub(super) fn settings(&mut self) -> &mut Settings {
        self.settings.as_mut().expect("the project is bound")
    }

    fn tick(&mut self) -> Millis {
        self.now = self.now.plus_ms(100);
        self.issue.updated_at = self.now;
        self.now
    }

    fn change(&mut self, by: &str) -> Change {
        self.changes += 1;
        Change {
            id: format!("{}", 500 + self.changes),
            at: self.tick(),
            actor: Some(person(by)),
            assigned: None,
            moved: None,
            described: None,
            transferred: false,
        }
    }

    // What people do in Jira; each answers what an event would say of it.

    pub(super) fn describe(&mut self, by: &str, text: &str) -> Happening {
        let after = address::find_in_text(text);
        let before = std::mem::replace(&mut self.issue.described, after.clone());
        Happening::Changed(Change {
            described: Some(Redescribed { before, after }),
            ..self.change(by)
        })
    }

    pub(super) fn comment(&mut self, id: &str, by: &str, text: &str) -> Happening {
        self.comment_for(CommentVisibility::Public, id, by, text)
    }

    pub(super) fn comment_for(
        &mut self,
        visibility: CommentVisibility,
        id: &str,
        by: &str,
        text: &str,
    ) -> Happening {
        let at = self.tick();
        self.issue
            .comments
            .push(CommentView::Present(CommentSnapshot {
                id: CommentId::new(id),
                author: person(by),
                editor: None,
                created_at: at,
                updated_at: at,
                body: Doc::paragraph(vec![Inline::text(text)]),
                visibility,
            }));
        Happening::Commented(CommentId::new(id))
    }

    pub(super) fn edit_comment(&mut self, id: &str, by: &str, text: &str) -> Happening {
        let at = self.tick();
        for view in &mut self.issue.comments {
            if let CommentView::Present(comment) = view
                && comment.id.as_str() == id
            {
                comment.body = Doc::paragraph(vec![Inline::text(text)]);
                comment.updated_at = at;
                comment.editor = Some(person(by));
            }
        }
        Happening::CommentEdited(CommentId::new(id))
    }

    pub(super) fn delete_comment(&mut self, id: &str) -> Happening {
        self.tick();
        self.issue.comments.retain(|view| view.id().as_str() != id);
        Happening::CommentDeleted(CommentId::new(id))
    }

    pub(super) fn assign(&mut self, by: &str, to: Option<&str>) -> Happening {
        Happening::Changed(Change {
            assigned: Some(to.map(str::to_owned)),
            ..self.change(by)
        })
    }

    pub(super) fn transition(&mut self, by: &str, to: &str) -> Happening {
        let from = std::mem::replace(&mut self.issue.status, status(to));
        Happening::Changed(Change {
            moved: Some((from, status(to))),
            ..self.change(by)
        })
    }

    /// Moves the issue to another project, with the settings of that.
    pub(super) fn transfer(&mut self, project: &str, settings: Option<Settings>) -> Happening {
        self.issue.project = ProjectKey::new(project);
        self.issue.key = IssueKey::new(format!("{project}-7"));
        self.settings = settings;
        Happening::Changed(Change {
            transferred: true,
            ..self.change("Bob")
        })
    }

    pub(super) fn delete(&mut self) -> Happening {
        self.there = false;
        Happening::Deleted
    }

    // What we make of it.

    /// Plans as the engine does for a delivery: the comments that it names are read, and
    /// everything if the issue was never looked through. The store then takes the plan.
    pub(super) fn see(&mut self, happenings: &[Happening]) -> Step {
        let whole = !self.record.as_ref().is_some_and(|record| record.scanned);
        self.take(&self.observe(happenings, whole), happenings)
    }

    /// Plans as the engine does when the reconciler looks: everything is read.
    pub(super) fn look(&mut self, happenings: &[Happening]) -> Step {
        self.take(&self.observe(happenings, true), happenings)
    }

    /// Plans without keeping anything.
    pub(super) fn plan(&self, seen: &Observation, happenings: &[Happening]) -> Plan {
        plan(
            &self.state(happenings),
            seen,
            self.settings.as_ref(),
            happenings,
        )
    }

    pub(super) fn state(&self, happenings: &[Happening]) -> IssueState {
        IssueState {
            site: SiteName::new("jira"),
            issue: self.issue.id.clone(),
            record: self.record.clone(),
            links: self.links.clone(),
            known: happenings
                .iter()
                .filter_map(Happening::fact)
                .filter(|fact| self.facts.contains(fact))
                .collect(),
        }
    }

    pub(super) fn observe(&self, happenings: &[Happening], whole: bool) -> Observation {
        if !self.there {
            return Observation::Absent;
        }
        let mut seen = self.issue.clone();
        let named = comments_in(happenings);
        if self.reads_in_passing_say_less {
            for view in &mut seen.comments {
                if let CommentView::Present(comment) = view
                    && comment.visibility != CommentVisibility::Restricted
                    && !named.contains(&comment.id)
                {
                    comment.visibility = CommentVisibility::Unstated;
                }
            }
        }
        if !whole {
            seen.comments.retain(|view| named.contains(view.id()));
            for id in named {
                if seen.comment(&id).is_none() {
                    seen.comments.push(CommentView::Absent(id));
                }
            }
            seen.comments_complete = false;
            seen.recorded.clear();
        }
        Observation::Present(Box::new(seen))
    }

    fn take(&mut self, seen: &Observation, happenings: &[Happening]) -> Step {
        let plan = self.plan(seen, happenings);
        if let Some(record) = &plan.record {
            self.record = Some(record.clone());
        }
        for link in &plan.links {
            let same = |known: &Link| {
                known.workspace == link.workspace && known.conversation == link.conversation
            };
            self.links.retain(|known| !same(known));
            self.links.push(link.clone());
        }
        self.facts.extend(plan.facts.iter().cloned());
        let fresh = plan
            .effects
            .iter()
            .filter(|effect| self.keys.insert(effect.key.clone()))
            .cloned()
            .collect();
        Step { plan, fresh }
    }

    /// The conversations that are linked, in order.
    pub(super) fn live(&self) -> Vec<String> {
        let mut live: Vec<String> = self
            .links
            .iter()
            .filter(|link| link.live)
            .map(|link| link.conversation.to_string())
            .collect();
        live.sort();
        live
    }

    pub(super) fn link(&self, conversation: &str) -> &Link {
        self.links
            .iter()
            .find(|link| link.conversation.as_str() == conversation)
            .expect("there is such a link")
    }
}

/// A comment with the address of conversation 1 on an issue whose description has it too.
pub(super) fn mentioned_twice() -> World {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(&[comment]);
    assert_eq!(world.link("1").sources.len(), 2, "two sources hold it");
    world
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

/// A plan, and those of its effects that the store did not have yet.
pub(super) struct Step {
    pub(super) plan: Plan,
    pub(super) fresh: Vec<Effect>,
}

impl Step {
    /// The notes: conversation and text, in which `ISSUE` stands for key, link and summary.
    pub(super) fn notes(&self) -> Vec<(String, String)> {
        self.fresh
            .iter()
            .filter_map(|effect| match &effect.act {
                Act::Note {
                    conversation, html, ..
                } => {
                    let html = html.replace(effect.key.marker().as_str(), "M");
                    Some((conversation.to_string(), html.replace(ISSUE_HTML, "ISSUE")))
                }
                _ => None,
            })
            .collect()
    }

    /// Only the texts of the notes.
    pub(super) fn texts(&self) -> Vec<String> {
        self.notes().into_iter().map(|(_, text)| text).collect()
    }

    /// The conversations that are re-opened.
    pub(super) fn reopened(&self) -> Vec<String> {
        self.fresh
            .iter()
            .filter_map(|effect| match &effect.act {
                Act::Reopen { conversation, .. } => Some(conversation.to_string()),
                _ => None,
            })
            .collect()
    }

    /// Is Jira's own record brought in step?
    pub(super) fn records(&self) -> bool {
        self.fresh.iter().any(|effect| effect.act == Act::Record)
    }

    /// Does it write nothing to any conversation?
    pub(super) fn is_silent(&self) -> bool {
        self.fresh.iter().all(|effect| effect.act == Act::Record)
    }

    /// The words of the reasons.
    pub(super) fn reasons(&self) -> Vec<&'static str> {
        self.plan.outcome.reasons.iter().map(Reason::code).collect()
    }
}

/// Key and summary of the issue in ENG, with the marker replaced.
const ISSUE_HTML: &str = "<a href=\"https://jira.example.com/browse/ENG-1#M\"><b>ENG-1</b></a>\
                          <b>: Checkout fails</b>";

pub(super) fn created() -> Happening {
    Happening::Created {
        actor: Some(person("Ann")),
    }
}

pub(super) fn link_added(conversation: &str) -> Happening {
    Happening::LinkAdded {
        workspace: WorkspaceName::new("acme"),
        conversation: ConversationId::new(conversation),
        by: "Olga".to_owned(),
        via: Some(Via::Page),
        imported: false,
    }
}

pub(super) fn link_removed(conversation: &str) -> Happening {
    Happening::LinkRemoved {
        workspace: WorkspaceName::new("acme"),
        conversation: ConversationId::new(conversation),
    }
}

pub(super) fn conversation_gone(conversation: &str) -> Happening {
    Happening::ConversationGone {
        workspace: WorkspaceName::new("acme"),
        conversation: ConversationId::new(conversation),
    }
}

pub(super) fn conversation_merged(conversation: &str, into: &str) -> Happening {
    Happening::ConversationMerged {
        workspace: WorkspaceName::new("acme"),
        conversation: ConversationId::new(conversation),
        into: ConversationId::new(into),
    }
}
