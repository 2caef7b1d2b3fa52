//! People at work: random actions, each of which is written into the model.

use std::time::{SystemTime, UNIX_EPOCH};

use bowline::demo::World;
use bowline_sandbox::intercom::ConversationState;
use bowline_sandbox::jira::{Edit, NewComment};

use crate::model::{Holder, Issue, Model, Presence, Words};
use crate::site::{PEOPLE, handle, person};

/// Issues that are made at most.
const ISSUES_MAX: usize = 24;

/// Conversations that one issue is linked to at most.
const LINKS_MAX: usize = 4;

/// The statuses of the simulated site.
const STATUSES: [&str; 4] = ["To Do", "In Progress", "In Review", "Done"];

/// The teammate who closes conversations.
const ADA: &str = "991267460";

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Does random things and remembers what is to follow from them.
pub(crate) struct Driver<'w> {
    world: &'w World,
    conversations: Vec<String>,
    chance: fastrand::Rng,
    pub(crate) model: Model,
}

impl<'w> Driver<'w> {
    pub(crate) fn new(world: &'w World, conversations: Vec<String>, seed: u64) -> Self {
        let chance = fastrand::Rng::with_seed(seed);
        Self {
            world,
            conversations,
            chance,
            model: Model::default(),
        }
    }

    /// One random action.
    pub(crate) fn step(&mut self) {
        if self.model.issues.len() < 4 {
            return self.create();
        }
        match self.chance.u32(0..100) {
            0..38 => self.comment(),
            38..50 => self.assign(),
            50..64 => self.transition(),
            64..68 => self.edit_comment(),
            68..71 => self.label(),
            71..76 => self.link_by_comment(),
            76..80 => self.unlink_by_comment(),
            80..83 => self.describe(),
            83..86 => self.confide(),
            86..96 => self.close(),
            _ => self.create(),
        }
    }

    /// Has every closed conversation that is linked to something moved, so that all are re-opened.
    pub(crate) fn last_round(&mut self) {
        for issue in 0..self.model.issues.len() {
            let intercom = &self.world.sandbox.intercom.state;
            let closed = self.model.issues[issue]
                .links
                .keys()
                .any(|id| intercom.state(id) == Some(ConversationState::Closed));
            if closed {
                self.transition_of(issue);
            }
        }
    }

    fn issue(&mut self) -> usize {
        self.chance.usize(0..self.model.issues.len())
    }

    fn key(&self, issue: usize) -> String {
        self.model.issues[issue].key.clone()
    }

    fn someone(&mut self) -> usize {
        self.chance.usize(0..PEOPLE)
    }

    fn token(&mut self, fact: usize) -> String {
        format!("word-{fact:06}-{:08x}", self.chance.u32(..))
    }

    fn address(&self, conversation: &str) -> String {
        self.world
            .sandbox
            .intercom
            .state
            .conversation_address(conversation)
    }

    fn create(&mut self) {
        if self.model.issues.len() >= ISSUES_MAX {
            return self.comment();
        }
        let (fact, at) = (self.model.fact(), now_ms());
        let wanted = self.chance.usize(1..=2);
        let mut linked: Vec<String> = Vec::new();
        for _ in 0..wanted {
            let conversation = self.chance.choice(&self.conversations).unwrap().clone();
            if !linked.contains(&conversation) {
                linked.push(conversation);
            }
        }
        let summary = format!("Summary {fact:06}");
        let text = self.description(&linked);
        let who = self.someone();
        let jira = &self.world.sandbox.jira.state;
        let key = jira
            .acting(&handle(who))
            .create("ENG", &summary, text.as_str())
            .unwrap();
        let line = format!("{} created {key}: {summary}", person(who));
        self.model.issues.push(Issue {
            key,
            summary,
            links: linked
                .iter()
                .map(|id| (id.clone(), Holder::Description))
                .collect(),
            former: std::collections::BTreeMap::new(),
            comments: Vec::new(),
            assigned: 0,
            moved: 0,
            status: STATUSES[0],
        });
        let words = (line.clone(), String::new(), line);
        self.model
            .tell_all(self.model.issues.len() - 1, (fact, at), &words, None);
    }

    fn description(&self, conversations: &[String]) -> String {
        let mut text = "Reported by customers.".to_owned();
        for conversation in conversations {
            text.push(' ');
            text.push_str(&self.address(conversation));
        }
        text
    }

    fn comment(&mut self) {
        let issue = self.issue();
        let (fact, at) = (self.model.fact(), now_ms());
        let token = self.token(fact);
        let text = match self.chance.u32(0..3) {
            0 => format!("{token} is *bold* and has a [link|https://example.com/x?a=1&b=2]."),
            1 => format!("First line\n\n* {token}\n* two"),
            _ => token.clone(),
        };
        let who = self.someone();
        let jira = &self.world.sandbox.jira.state;
        let comment = jira
            .acting(&handle(who))
            .comment(&self.key(issue), text.as_str())
            .unwrap();
        self.model.issues[issue].comments.push((comment, text));
        let words = self.commented(issue, who, &token);
        self.model
            .tell_all(issue, (fact, at), &words, Some(comment));
    }

    fn commented(&self, issue: usize, who: usize, token: &str) -> Words {
        let Issue { key, summary, .. } = &self.model.issues[issue];
        (
            format!("{} commented", person(who)),
            token.to_owned(),
            format!("on {key}: {summary}"),
        )
    }

    /// A comment that is not for everyone.
    fn confide(&mut self) {
        let issue = self.issue();
        let fact = self.model.fact();
        let token = self.token(fact);
        let text = format!("Only for us: {token}");
        let comment = if self.chance.bool() {
            NewComment::internal(text.as_str())
        } else {
            NewComment::restricted(text.as_str(), "Administrators")
        };
        self.model.secrets.push(token);
        // An administrator, who may read what is restricted afterwards too.
        let jira = &self.world.sandbox.jira.state;
        jira.acting("priya")
            .comment_with(&self.key(issue), comment)
            .unwrap();
    }

    fn edit_comment(&mut self) {
        let issue = self.issue();
        let Some((comment, text)) = self
            .chance
            .choice(&self.model.issues[issue].comments)
            .cloned()
        else {
            return self.comment();
        };
        let who = self.someone();
        let text = format!("{text} (edited)");
        let jira = &self.world.sandbox.jira.state;
        let key = self.key(issue);
        jira.acting(&handle(who))
            .edit_comment(&key, comment, text.as_str())
            .unwrap();
    }

    /// A change that nobody is told of.
    fn label(&mut self) {
        let issue = self.issue();
        let labels = vec![format!("label-{}", self.chance.u32(..))];
        let edit = Edit {
            labels: Some(labels),
            ..Edit::default()
        };
        let who = self.someone();
        let jira = &self.world.sandbox.jira.state;
        jira.acting(&handle(who))
            .edit(&self.key(issue), edit)
            .unwrap();
    }

    fn assign(&mut self) {
        let issue = self.issue();
        let to = self.model.issues[issue].assigned;
        if to >= PEOPLE {
            return self.comment();
        }
        self.model.issues[issue].assigned += 1;
        let (fact, at) = (self.model.fact(), now_ms());
        let who = self.someone();
        let key = self.key(issue);
        let jira = &self.world.sandbox.jira.state;
        jira.acting(&handle(who))
            .assign(&key, Some(&handle(to)))
            .unwrap();
        let summary = &self.model.issues[issue].summary;
        let line = format!(
            "{} assigned {key}: {summary} to {}",
            person(who),
            person(to)
        );
        self.model.tell_all(
            issue,
            (fact, at),
            &(line.clone(), String::new(), line),
            None,
        );
    }

    fn transition(&mut self) {
        let issue = self.issue();
        self.transition_of(issue);
    }

    fn transition_of(&mut self, issue: usize) {
        let who = self.model.issues[issue].moved;
        if who >= PEOPLE {
            return;
        }
        self.model.issues[issue].moved += 1;
        let from = self.model.issues[issue].status;
        let others: Vec<&'static str> = STATUSES
            .into_iter()
            .filter(|status| *status != from)
            .collect();
        let to = *self.chance.choice(&others).unwrap();
        let (fact, at) = (self.model.fact(), now_ms());
        let key = self.key(issue);
        let jira = &self.world.sandbox.jira.state;
        jira.acting(&handle(who))
            .transition(&key, to, None)
            .unwrap();
        self.model.issues[issue].status = to;
        let summary = &self.model.issues[issue].summary;
        let line = format!("{} moved {key}: {summary} from {from} to {to}", person(who));
        self.model.tell_all(
            issue,
            (fact, at),
            &(line.clone(), String::new(), line),
            None,
        );
    }

    fn unlinked_conversation(&mut self, issue: usize) -> Option<String> {
        let links = &self.model.issues[issue].links;
        if links.len() >= LINKS_MAX {
            return None;
        }
        let free: Vec<&String> = self
            .conversations
            .iter()
            .filter(|id| !links.contains_key(*id))
            .collect();
        self.chance.choice(free).cloned()
    }

    fn link_by_comment(&mut self) {
        let issue = self.issue();
        let Some(conversation) = self.unlinked_conversation(issue) else {
            return self.comment();
        };
        let (fact, at) = (self.model.fact(), now_ms());
        let token = self.token(fact);
        let text = format!("{token} see {}", self.address(&conversation));
        let who = self.someone();
        let jira = &self.world.sandbox.jira.state;
        let comment = jira
            .acting(&handle(who))
            .comment(&self.key(issue), text.as_str())
            .unwrap();
        let words = self.commented(issue, who, &token);
        self.model
            .link(issue, &conversation, Holder::Comment(comment));
        let others: Vec<String> = self.model.issues[issue].links.keys().cloned().collect();
        for other in others.into_iter().filter(|other| *other != conversation) {
            let at = (fact, at);
            self.model
                .tell(issue, &other, at, &words, Some(comment), Presence::Once);
        }
        self.model
            .keep_from_former(issue, (fact, at), &words, Some(comment));
        let Issue { key, summary, .. } = &self.model.issues[issue];
        let begins = format!("{} linked {key}: {summary}", person(who));
        let words = (begins, token, String::new());
        let at = (fact, at);
        self.model.tell(
            issue,
            &conversation,
            at,
            &words,
            Some(comment),
            Presence::Once,
        );
    }

    fn unlink_by_comment(&mut self) {
        let issue = self.issue();
        let held: Vec<(String, u64)> = self.model.issues[issue]
            .links
            .iter()
            .filter_map(|(id, holder)| match holder {
                Holder::Comment(comment) => Some((id.clone(), *comment)),
                Holder::Description => None,
            })
            .collect();
        let Some((conversation, comment)) = self.chance.choice(held) else {
            return self.comment();
        };
        self.model.fact();
        let key = self.key(issue);
        let jira = &self.world.sandbox.jira.state;
        jira.acting("priya").delete_comment(&key, comment).unwrap();
        self.model.unlink(issue, &conversation);
        self.model.comment_deleted(comment);
    }

    /// Puts an address into the description or takes one out.
    fn describe(&mut self) {
        let issue = self.issue();
        let mut described: Vec<String> = self.model.issues[issue]
            .links
            .iter()
            .filter(|(_, holder)| **holder == Holder::Description)
            .map(|(id, _)| id.clone())
            .collect();
        let (fact, at) = (self.model.fact(), now_ms());
        let who = self.someone();
        let add = if self.chance.bool() {
            self.unlinked_conversation(issue)
        } else {
            None
        };
        let removed = if add.is_none() && !described.is_empty() {
            Some(described.swap_remove(self.chance.usize(0..described.len())))
        } else {
            None
        };
        described.extend(add.clone());
        let text = self.description(&described);
        let key = self.key(issue);
        let jira = &self.world.sandbox.jira.state;
        jira.acting(&handle(who))
            .describe(&key, text.as_str())
            .unwrap();
        if let Some(conversation) = removed {
            self.model.unlink(issue, &conversation);
        }
        if let Some(conversation) = add {
            self.model.link(issue, &conversation, Holder::Description);
            let summary = &self.model.issues[issue].summary;
            let line = format!("{} linked {key}: {summary}", person(who));
            let words = (line.clone(), String::new(), line);
            self.model.tell(
                issue,
                &conversation,
                (fact, at),
                &words,
                None,
                Presence::Once,
            );
        }
    }

    /// Support closes a conversation.
    fn close(&mut self) {
        let conversation = self.chance.choice(&self.conversations).unwrap().clone();
        self.world
            .sandbox
            .intercom
            .state
            .close(&conversation, ADA)
            .unwrap();
    }
}
