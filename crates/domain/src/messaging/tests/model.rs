//! Random interleavings of end user, agent, automation, archiving, doubled and late deliveries,
//! against a model that knows nothing of plans, gatherings or effects: it follows the rules as a
//! reader of them would, one decided event after the other.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{HOUR, World};
use crate::messaging::inbound::Inbound;
use crate::messaging::news::Role;
use crate::observation::CommentVisibility;

/// Histories that are tried.
const CASES: u32 = 2_000;

/// Deeds in one history.
const DEEDS_MAX: usize = 60;

/// What is put into everything that must never reach a phone.
const SECRET: &str = "secret";

#[derive(Clone, Debug)]
enum Deed {
    /// The end user writes; the delivery waits.
    Write { sms: bool },
    /// A waiting delivery comes in: which, and whether it stays to come again.
    Deliver { which: u8, again: bool },
    /// A public comment by an agent or an automation.
    Answer,
    /// An internal or restricted one.
    Whisper(u8),
    /// A public one by a participant.
    Participate,
    /// A transition.
    Move(u8),
    /// A transition with a comment.
    MoveWith(u8),
    /// Something tells that the newest request changed, and it is read.
    Look,
    /// The same of an older one.
    LookBack(u8),
    /// It is archived at the provider.
    Archive,
    /// Writes to Jira are made.
    Jira(u8),
    /// Writes to the channel are made.
    Channel(u8),
    /// Time passes.
    Hours(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => any::<bool>().prop_map(|sms| Deed::Write { sms }),
        8 => (any::<u8>(), prop::bool::weighted(0.2))
            .prop_map(|(which, again)| Deed::Deliver { which, again }),
        4 => Just(Deed::Answer),
        3 => any::<u8>().prop_map(Deed::Whisper),
        1 => Just(Deed::Participate),
        3 => any::<u8>().prop_map(Deed::Move),
        1 => any::<u8>().prop_map(Deed::MoveWith),
        6 => Just(Deed::Look),
        1 => any::<u8>().prop_map(Deed::LookBack),
        1 => Just(Deed::Archive),
        4 => (0_u8..4).prop_map(Deed::Jira),
        4 => (0_u8..4).prop_map(Deed::Channel),
        1 => (1_u8..30).prop_map(Deed::Hours),
    ]
}

/// What an agent or a participant did, as the model is told of it when the request is read.
#[derive(Clone, Debug)]
enum Seen {
    Public { text: String, moved: Option<String> },
    Whisper,
    Moved(String),
}

/// One conversation by the rules.
#[derive(Default, Debug)]
struct Talk {
    live: bool,
    answered: bool,
    description: Vec<String>,
    /// The end user's comments, each with its messages.
    comments: Vec<Vec<String>>,
    open: bool,
    notes: usize,
}

#[derive(Default, Debug)]
struct Model {
    talks: Vec<Talk>,
    phone: Vec<String>,
    /// By message: when it was written.
    times: BTreeMap<String, i64>,
    last_inbound: i64,
    sms: bool,
}

impl Model {
    fn received(&mut self, text: &str, at: i64, sms: bool) {
        if self.times.insert(text.to_owned(), at).is_some() {
            return;
        }
        if !self.talks.last().is_some_and(|talk| talk.live) {
            self.talks.push(Talk {
                live: true,
                ..Talk::default()
            });
            self.last_inbound = i64::MIN;
        }
        if at >= self.last_inbound {
            (self.last_inbound, self.sms) = (at, sms);
        }
        let Some(talk) = self.talks.last_mut() else {
            return;
        };
        if !talk.answered {
            talk.description.push(text.to_owned());
        } else if let (true, Some(comment)) = (talk.open, talk.comments.last_mut()) {
            comment.push(text.to_owned());
        } else {
            talk.comments.push(vec![text.to_owned()]);
            talk.open = true;
        }
    }

    fn reachable(&self, now: i64) -> bool {
        self.sms || now - self.last_inbound < 24 * HOUR
    }

    fn seen(&mut self, which: usize, seen: &[Seen], now: i64) {
        let reachable = self.reachable(now);
        for one in seen {
            let Some(talk) = self.talks.get_mut(which) else {
                return;
            };
            let (text, closes, comments) = match one {
                Seen::Public { text, moved } => {
                    let told = moved.as_ref().map(|to| notification(which, to));
                    let text = match &told {
                        Some(told) => format!("{text}\n\n{told}"),
                        None => text.clone(),
                    };
                    (Some(text), moved.as_deref() == Some("Done"), true)
                }
                Seen::Whisper => (None, false, true),
                Seen::Moved(to) => (Some(notification(which, to)), to == "Done", false),
            };
            if comments && talk.answered {
                talk.open = false;
            }
            let Some(text) = text else { continue };
            if !talk.live {
                talk.notes += usize::from(comments);
                continue;
            }
            if comments {
                talk.answered = true;
                talk.open = false;
            }
            if reachable {
                self.phone.push(text);
            } else {
                talk.notes += 1;
            }
            if closes {
                talk.live = false;
            }
        }
    }
}

fn notification(which: usize, to: &str) -> String {
    format!("Your request SUP-{} is now: {to}", which + 1)
}

/// The world and the model, and what is on the way between them.
struct Run {
    world: World,
    model: Model,
    waiting: Vec<(Inbound, bool)>,
    /// By request: what was done there and not read yet.
    unread: Vec<Vec<Seen>>,
    words: u32,
    outside: usize,
}

impl Run {
    fn new() -> Self {
        Self {
            world: World::new(),
            model: Model::default(),
            waiting: Vec::new(),
            unread: Vec::new(),
            words: 0,
            outside: 0,
        }
    }

    fn word(&mut self, what: &str) -> String {
        self.words += 1;
        format!("{what} {}", self.words)
    }

    fn unread(&mut self) -> Option<&mut Vec<Seen>> {
        let made = self.world.issues.len();
        self.unread.resize_with(made, Vec::new);
        self.unread.last_mut()
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Write { sms } => {
                let text = self.word("message");
                let channel = if *sms { "sms" } else { "whatsapp" };
                let message = self.world.message(&text, channel);
                self.waiting.push((message, *sms));
            }
            Deed::Deliver { which, again } => self.deliver(usize::from(*which), *again),
            Deed::Answer => {
                let text = self.word("answer");
                self.done(
                    Seen::Public {
                        text: text.clone(),
                        moved: None,
                    },
                    |world| {
                        world.comment("agent", &text);
                    },
                );
            }
            Deed::Whisper(how) => {
                let text = self.word(SECRET);
                let visibility = [
                    CommentVisibility::Internal,
                    CommentVisibility::Restricted,
                    CommentVisibility::Unstated,
                ][usize::from(*how) % 3];
                self.done(Seen::Whisper, |world| {
                    world.comment_as("agent", Role::Agent, visibility, &text);
                });
            }
            Deed::Participate => {
                if self.unread().is_some() {
                    let public = CommentVisibility::Public;
                    self.world.pass(3_000);
                    self.world
                        .comment_as("participant", Role::Customer, public, SECRET);
                }
            }
            Deed::Move(to) => {
                let to = target(*to);
                self.done(Seen::Moved(to.to_owned()), |world| {
                    world.transition("automation", to);
                });
            }
            Deed::MoveWith(to) => {
                let (to, text) = (target(*to), self.word("answer"));
                let seen = Seen::Public {
                    text: text.clone(),
                    moved: Some(to.to_owned()),
                };
                self.done(seen, |world| {
                    world.transition("agent", to);
                    world.comment("agent", &text);
                });
            }
            Deed::Look => self.look(self.world.requests.len()),
            Deed::LookBack(which) => {
                let count = self.world.requests.len();
                if count > 0 {
                    self.look(usize::from(*which) % count + 1);
                }
            }
            Deed::Archive => self.archive(),
            Deed::Jira(count) => {
                for _ in 0..*count {
                    self.world.step_jira();
                }
            }
            Deed::Channel(count) => {
                for _ in 0..*count {
                    self.world.step_channel();
                }
            }
            Deed::Hours(hours) => self.world.pass(i64::from(*hours) * HOUR),
        }
    }

    /// Something is done in the newest request that is made, if there is one.
    fn done(&mut self, seen: Seen, work: impl FnOnce(&mut World)) {
        if let Some(unread) = self.unread() {
            unread.push(seen);
            self.outside += 1;
            // What is done by one person within a moment is one action; these are several.
            self.world.pass(3_000);
            work(&mut self.world);
        }
    }

    fn deliver(&mut self, which: usize, again: bool) {
        if self.waiting.is_empty() {
            return;
        }
        let at = which % self.waiting.len();
        let (message, sms) = if again {
            self.waiting[at].clone()
        } else {
            self.waiting.remove(at)
        };
        self.outside += 1;
        self.world.receive(&message);
        let text = message.text.clone().unwrap_or_default();
        self.model.received(&text, message.sent_at.0, sms);
    }

    fn look(&mut self, number: usize) {
        let Ok(generation) = u32::try_from(number) else {
            return;
        };
        if generation == 0 || self.world.look_at(generation).is_none() {
            return;
        }
        self.unread();
        let seen = std::mem::take(&mut self.unread[number - 1]);
        self.model.seen(number - 1, &seen, self.world.now.0);
    }

    fn archive(&mut self) {
        // Everything on the way to the phone arrives first: what is overtaken by the archiving is
        // not sent, and the model does not follow the lanes.
        while self.world.step_channel() {}
        if self.world.requests.is_empty() {
            return;
        }
        self.outside += 1;
        self.world.archive_remotely();
        if let Some(talk) = self.model.talks.last_mut()
            && talk.live
        {
            talk.live = false;
            talk.notes += 1;
        }
    }

    fn come_to_rest(&mut self) {
        while !self.waiting.is_empty() {
            self.deliver(0, false);
        }
        loop {
            while self.world.step_jira() || self.world.step_channel() {}
            for number in 1..=self.world.requests.len() {
                self.look(number);
            }
            if !self.world.step_jira() && !self.world.step_channel() {
                break;
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(&self.world.phone, &self.model.phone);
        prop_assert!(!self.world.phone.iter().any(|text| text.contains(SECRET)));
        prop_assert_eq!(self.world.issues.len(), self.model.talks.len());
        for (issue, talk) in self.world.issues.iter().zip(&self.model.talks) {
            prop_assert_eq!(&issue.description, &self.by_time(&talk.description));
            let comments: Vec<&str> = issue
                .comments
                .iter()
                .filter(|one| one.author == "Noa")
                .map(|one| one.text.as_str())
                .collect();
            let wanted: Vec<String> = talk
                .comments
                .iter()
                .map(|lines| self.by_time(lines).join("\n"))
                .collect();
            prop_assert_eq!(comments, wanted);
            let notes = issue.comments.iter().filter(|one| one.author == "note");
            prop_assert_eq!(notes.count(), talk.notes);
        }
        // Each thing that happens outside has at most two effects of its own: a message to be
        // gathered or sent, and a word to the agents; the end of a conversation is one more, and so
        // is going on in what it left.
        prop_assert!(self.world.effects <= 3 * self.outside + self.world.reopened);
        Ok(())
    }

    fn by_time(&self, lines: &[String]) -> Vec<String> {
        let mut lines = lines.to_vec();
        lines.sort_by_key(|line| self.model.times[line]);
        lines
    }
}

fn target(which: u8) -> &'static str {
    ["In progress", "Waiting for customer", "Done"][usize::from(which) % 3]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_interleaving_comes_to_what_the_rules_say(
        deeds in prop::collection::vec(deed(), 0..DEEDS_MAX),
    ) {
        let mut run = Run::new();
        for deed in &deeds {
            run.act(deed);
        }
        run.come_to_rest();
        run.check()?;
    }
}
