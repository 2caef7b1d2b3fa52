//! One history: an end user, agents and an automation at work, and what is seen of it compared with
//! the model after each round.

use std::time::{Duration, Instant};

use bowline_sandbox::common::Entry;
use bowline_sandbox::jira::{Issue, NewComment};
use bowline_sandbox::messagebird::Phone;
use bowline_sandbox::phones::Inbound;

use crate::install::Install;
use crate::look;
use crate::model::{Deed, State, after};

/// Things done at once, at most.
const AT_ONCE_MAX: usize = 3;

/// How long it may take until what is seen is right. What fails again and again waits for long.
const PATIENCE: Duration = Duration::from_secs(150);

/// How old what comes may be, in milliseconds: new, a while on the way, too old to be answered.
const AGES_MS: [i64; 5] = [0, 0, 0, 60 * 60 * 1_000, 26 * 60 * 60 * 1_000];

/// The statuses that requests are moved to. The last one ends the conversation.
const STATUSES: [&str; 3] = ["Waiting for customer", "Waiting for support", "Resolved"];

/// One history in the making.
pub(crate) struct History<'i> {
    install: &'i Install,
    number: usize,
    chance: fastrand::Rng,
    phone: Phone,
    words: i64,
    /// The requests as they are known, oldest first, with their status.
    requests: Vec<Known>,
    /// Whispers of this round, as Jira's API names them. They change nothing that could be seen;
    /// that they are dealt with is seen by their being read.
    whispers: Vec<String>,
    states: Vec<State>,
    pub(crate) deeds: usize,
    /// Messages that were held for a person.
    pub(crate) held: usize,
}

struct Known {
    key: String,
    status: String,
}

impl<'i> History<'i> {
    pub(crate) fn new(install: &'i Install, number: usize, seed: u64) -> Self {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
        Self {
            install,
            number,
            chance: fastrand::Rng::with_seed(seed),
            phone: install.bird().phone(&number_of_phone(number)),
            words: 0,
            requests: Vec::new(),
            whispers: Vec::new(),
            states: vec![State::default()],
            deeds: 0,
            held: 0,
        }
    }

    pub(crate) fn number_of_phone(&self) -> String {
        number_of_phone(self.number)
    }

    /// Plays so many rounds. Says what is wrong, if something is.
    pub(crate) async fn play(&mut self, rounds: usize) -> Result<(), String> {
        for round in 0..rounds {
            let deeds = self.deeds_of_a_round();
            for deed in &deeds {
                self.act(deed);
                if self.chance.bool() {
                    tokio::time::sleep(Duration::from_millis(self.chance.u64(1..40))).await;
                }
            }
            self.deeds += deeds.len();
            self.states = after(&self.states, &deeds, now_ms());
            self.becomes_right().await.map_err(|why| {
                format!("history {}, round {round}: {deeds:?}\n{why}", self.number)
            })?;
        }
        Ok(())
    }

    /// What is done at the same time. What would decide differently by a hair's breadth, and both
    /// times rightly, is done alone: an end and what comes just then.
    fn deeds_of_a_round(&mut self) -> Vec<Deed> {
        if self.requests.is_empty() {
            return vec![self.write()];
        }
        let mut deeds = Vec::new();
        for _ in 0..self.chance.usize(1..=AT_ONCE_MAX) {
            let deed = self.deed();
            let alone = matches!(
                deed,
                Deed::Archive
                    | Deed::Move { to: "Resolved", .. }
                    | Deed::MoveWith { to: "Resolved", .. }
            );
            if alone && !deeds.is_empty() {
                break;
            }
            // Of one person there is one action at a time, by which they are told apart.
            let again = deeds.iter().any(|one| {
                std::mem::discriminant(one) == std::mem::discriminant(&deed)
                    && !matches!(deed, Deed::Write { .. } | Deed::Answer { .. })
            });
            let moves = |one: &Deed| matches!(one, Deed::Move { .. } | Deed::MoveWith { .. });
            if again || (moves(&deed) && deeds.iter().any(moves)) {
                continue;
            }
            deeds.push(deed);
            if alone {
                break;
            }
        }
        deeds
    }

    fn deed(&mut self) -> Deed {
        // The newest request, and now and then one that ended long ago.
        let newest = self.requests.len() - 1;
        let on = match self.chance.u32(0..8) {
            0 => self.chance.usize(0..=newest),
            _ => newest,
        };
        match self.chance.u32(0..20) {
            0..8 => self.write(),
            8..12 => Deed::Answer {
                on,
                text: self.word("answer"),
            },
            12..15 => Deed::Whisper { on },
            15..17 => match self.another_status(on) {
                Some(to) => Deed::Move { on, to },
                None => self.write(),
            },
            17..19 => match self.another_status(on) {
                Some(to) => Deed::MoveWith {
                    on,
                    text: self.word("answer"),
                    to,
                },
                None => self.write(),
            },
            _ if !self.may_be_archived() => self.write(),
            _ => Deed::Archive,
        }
    }

    /// Nobody can archive what is archived and about to be opened again; and where our call to open
    /// it was made but its answer was lost, it is made again and undoes what was done in between.
    fn may_be_archived(&self) -> bool {
        let Some(conversation) = self.phone.conversation() else {
            return false;
        };
        let calls = self.install.bird().journal().entries();
        let last = calls
            .iter()
            .rfind(|call| call.method == "PATCH" && call.path.ends_with(&conversation));
        last.is_none_or(|call| call.fault.is_none())
    }

    fn another_status(&mut self, on: usize) -> Option<&'static str> {
        let now = self.requests[on].status.clone();
        let others: Vec<&'static str> = STATUSES
            .into_iter()
            .filter(|status| *status != now)
            .collect();
        self.chance.choice(others)
    }

    fn write(&mut self) -> Deed {
        let age = *self.chance.choice(&AGES_MS).unwrap();
        Deed::Write {
            text: self.word("message"),
            // Of two of one millisecond nobody could say which was first.
            at: now_ms() - age + self.words,
        }
    }

    fn word(&mut self, what: &str) -> String {
        self.words += 1;
        format!("{what} {} of {}", self.words, self.number)
    }

    fn act(&mut self, deed: &Deed) {
        let jira = self.install.jira();
        match deed {
            Deed::Write { text, at } => {
                let phone = if self.chance.u32(0..6) == 0 {
                    self.phone.clone().named("Noa")
                } else {
                    self.phone.clone()
                };
                phone.sends_at(Inbound::Text(text.clone()), *at);
            }
            Deed::Answer { on, text } => {
                let key = &self.requests[*on].key;
                jira.acting("lena").comment(key, text.as_str()).unwrap();
            }
            Deed::Whisper { on } => {
                let secret = self.word("secret: only for us, number");
                let comment = if self.chance.bool() {
                    NewComment::internal(secret.as_str())
                } else {
                    // To a role that Bowline has too: what it may not see closes nothing.
                    NewComment::restricted(secret.as_str(), "Developers")
                };
                let key = &self.requests[*on].key;
                let comment = jira.acting("priya").comment_with(key, comment).unwrap();
                self.whispers.push(format!("/comment/{comment}"));
            }
            Deed::Move { on, to } => {
                let key = &self.requests[*on].key;
                jira.acting("omar").transition(key, to, None).unwrap();
            }
            Deed::MoveWith { on, text, to } => {
                let comment = NewComment::open(text.as_str());
                let key = &self.requests[*on].key;
                jira.acting("priya")
                    .transition(key, to, Some(comment))
                    .unwrap();
            }
            Deed::Archive => {
                if let Some(conversation) = self.phone.conversation() {
                    self.install.bird().archive(&conversation).unwrap();
                }
            }
        }
    }

    /// Waits until what is seen is one of the states that are right, and goes on from that.
    async fn becomes_right(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.look();
            let right = self.states.iter();
            let right: Vec<State> = right
                .filter(|state| seen.differs_from(state).is_none())
                .cloned()
                .collect();
            if !right.is_empty() && self.whispers_are_read() {
                self.states = right;
                self.held = seen.held();
                self.requests = seen.known();
                return Ok(());
            }
            if Instant::now() > deadline {
                let why = self
                    .states
                    .iter()
                    .filter_map(|state| seen.differs_from(state));
                return Err(format!(
                    "{}\nseen: {seen:#?}",
                    why.collect::<Vec<_>>().join("\nor ")
                ));
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }

    /// Was every whisper of the round read? What comes for the end user is dealt with behind it then.
    fn whispers_are_read(&mut self) -> bool {
        let journal = self.install.jira().journal();
        self.whispers.retain(|whisper| {
            let read = |call: &Entry| {
                call.method == "GET" && call.status == 200 && call.path.ends_with(whisper.as_str())
            };
            journal.count(read) == 0
        });
        self.whispers.is_empty()
    }

    /// After the end of all histories: nothing changed any more. Says what is wrong, if something
    /// is.
    pub(crate) fn is_right_still(&self) -> Result<(), String> {
        let seen = self.look();
        let differences = self.states.iter().map(|state| seen.differs_from(state));
        let wrong: Option<Vec<String>> = differences.collect();
        match wrong {
            Some(why) => Err(format!(
                "history {} in the end: {}\nseen: {seen:#?}",
                self.number,
                why.join("\nor ")
            )),
            None => Ok(()),
        }
    }

    fn look(&self) -> Seen {
        let mine = format!(" of {}", self.number);
        let mut requests = self.install.jira().requests("SUP");
        requests.retain(|issue| issue.summary.ends_with(&mine));
        Seen {
            requests,
            phone: look::received(&self.phone),
        }
    }
}

/// What stands in the requests of one end user and on their phone.
struct Seen {
    requests: Vec<Issue>,
    phone: Vec<String>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let requests: Vec<_> = self
            .requests
            .iter()
            .map(|issue| (&issue.key, look::description(issue), look::comments(issue)))
            .collect();
        f.debug_struct("Seen")
            .field("requests", &requests)
            .field("phone", &self.phone)
            .finish()
    }
}

impl Seen {
    fn known(&self) -> Vec<Known> {
        let known = self.requests.iter().map(|issue| Known {
            key: issue.key.clone(),
            status: issue.status.name.to_owned(),
        });
        known.collect()
    }

    /// Notes of this beginning in a request.
    fn count(issue: &Issue, begins: &str) -> usize {
        let notes = look::notes(issue);
        notes.iter().filter(|note| note.starts_with(begins)).count()
    }

    fn held(&self) -> usize {
        let held = |issue| Self::count(issue, "It is not known whether");
        self.requests.iter().map(held).sum()
    }

    /// What is not as in the state, if something is not.
    fn differs_from(&self, state: &State) -> Option<String> {
        if self.requests.len() != state.requests.len() {
            return Some(format!("{} requests are wanted", state.requests.len()));
        }
        for (issue, request) in self.requests.iter().zip(&state.requests) {
            let texts = request.texts();
            if look::gatherings(issue) != texts {
                return Some(format!("in {} should stand {texts:?}", issue.key));
            }
            for (begins, wanted) in [
                ("Not delivered. The customer last wrote", request.late),
                ("Not sent: the conversation", request.ended),
                ("The conversation was archived", request.archived),
                ("Not delivered to the customer", 0),
            ] {
                let found = Self::count(issue, begins);
                if found != wanted {
                    return Some(format!(
                        "in {} should be {wanted} notes “{begins}”, not {found}",
                        issue.key
                    ));
                }
            }
        }
        self.phone_differs_from(state)
    }

    /// Everything came in its order, once, except what is held for a person.
    fn phone_differs_from(&self, state: &State) -> Option<String> {
        let keys: Vec<String> = self.requests.iter().map(|one| one.key.clone()).collect();
        let wanted: Vec<String> = state.phone.iter().map(|one| one.shown(&keys)).collect();
        let mut came = self.phone.iter().peekable();
        let missing = wanted
            .iter()
            .filter(|text| came.next_if(|came| came == text).is_none())
            .count();
        if let Some(strange) = came.next() {
            return Some(format!("“{strange}” came, which is not next of {wanted:?}"));
        }
        (missing != self.held()).then(|| {
            format!(
                "{missing} of {wanted:?} did not come, and {} are held",
                self.held()
            )
        })
    }
}

fn number_of_phone(history: usize) -> String {
    format!("+1555{history:07}")
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
