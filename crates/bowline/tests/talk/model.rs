//! The rules as a reader of them would follow them, one thing after the other: no plans, effects,
//! lanes or stored states. What happens at the same time may come in any order, so there may be
//! several states that are right; what is seen later tells which of them it is.

/// How long after the end user's last message an answer may be sent, in milliseconds.
const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// The status that ends a conversation.
const LAST: &str = "Resolved";

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// The end user writes, or what they wrote some time ago comes now.
    Write { text: String, at: i64 },
    /// A public comment of an agent on the n-th request.
    Answer { on: usize, text: String },
    /// An internal or restricted comment.
    Whisper { on: usize },
    /// A transition.
    Move { on: usize, to: &'static str },
    /// A transition with a public comment, in one action.
    MoveWith {
        on: usize,
        text: String,
        to: &'static str,
    },
    /// The conversation is archived at the provider.
    Archive,
}

/// One request by the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    live: bool,
    answered: bool,
    /// The description, then the end user's comments: messages with the time of each.
    texts: Vec<Vec<(i64, String)>>,
    open: bool,
    /// Words to the agents: late answers, answers after the end, the archiving.
    pub(crate) late: usize,
    pub(crate) ended: usize,
    pub(crate) archived: usize,
}

/// What is sent to the phone: on which request, and what it says without the request's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(String),
    Status {
        on: usize,
        to: &'static str,
    },
    Both {
        text: String,
        on: usize,
        to: &'static str,
    },
}

impl Message {
    /// As the phone shows it.
    pub(crate) fn shown(&self, keys: &[String]) -> String {
        let status = |on: usize, to: &str| format!("Your request {} is now: {to}", keys[on]);
        match self {
            Self::Text(text) => text.clone(),
            Self::Status { on, to } => status(*on, to),
            Self::Both { text, on, to } => format!("{text}\n\n{}", status(*on, to)),
        }
    }
}

/// One state that is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) requests: Vec<Request>,
    pub(crate) phone: Vec<Message>,
    last_inbound: i64,
}

impl Request {
    /// The texts as they stand: each in the order of its messages' own times.
    pub(crate) fn texts(&self) -> Vec<Vec<String>> {
        let sorted = |text: &Vec<(i64, String)>| {
            let mut text = text.clone();
            text.sort_by_key(|(at, _)| *at);
            text.into_iter().map(|(_, said)| said).collect()
        };
        self.texts.iter().map(sorted).collect()
    }
}

impl State {
    /// The state after a deed, at this time.
    fn after(&self, deed: &Deed, now: i64) -> Self {
        let mut state = self.clone();
        match deed {
            Deed::Write { text, at } => state.write(text, *at),
            Deed::Answer { on, text } => {
                state.comment(*on, Some(Message::Text(text.clone())), now);
            }
            Deed::Whisper { on } => state.comment(*on, None, now),
            Deed::Move { on, to } => {
                if state.requests[*on].live {
                    state.send(*on, Message::Status { on: *on, to }, now);
                    state.moved(*on, to);
                }
            }
            Deed::MoveWith { on, text, to } => {
                let (on, text) = (*on, text.clone());
                state.comment(on, Some(Message::Both { text, on, to }), now);
                state.moved(on, to);
            }
            Deed::Archive => {
                if let Some(request) = state.requests.last_mut().filter(|one| one.live) {
                    request.live = false;
                    request.archived += 1;
                }
            }
        }
        state
    }

    fn write(&mut self, text: &str, at: i64) {
        if !self.requests.last().is_some_and(|request| request.live) {
            self.requests.push(Request {
                live: true,
                texts: vec![Vec::new()],
                ..Request::default()
            });
            self.last_inbound = at;
        }
        self.last_inbound = self.last_inbound.max(at);
        let Some(request) = self.requests.last_mut() else {
            return;
        };
        if request.answered && !request.open {
            request.texts.push(Vec::new());
            request.open = true;
        }
        if let Some(open) = request.texts.last_mut() {
            open.push((at, text.to_owned()));
        }
    }

    fn comment(&mut self, on: usize, public: Option<Message>, now: i64) {
        let request = &mut self.requests[on];
        if request.answered {
            request.open = false;
        }
        let Some(message) = public else { return };
        if !request.live {
            request.ended += 1;
            return;
        }
        request.answered = true;
        request.open = false;
        self.send(on, message, now);
    }

    fn send(&mut self, on: usize, message: Message, now: i64) {
        if now - self.last_inbound < WINDOW_MS {
            self.phone.push(message);
        } else {
            self.requests[on].late += 1;
        }
    }

    fn moved(&mut self, on: usize, to: &str) {
        if to == LAST {
            self.requests[on].live = false;
        }
    }
}

/// All states that are right after deeds that were done at the same time.
pub(crate) fn after(states: &[State], deeds: &[Deed], now: i64) -> Vec<State> {
    let mut found: Vec<State> = Vec::new();
    for order in orders(deeds.len()) {
        for state in states {
            let end = order
                .iter()
                .fold(state.clone(), |state, at| state.after(&deeds[*at], now));
            if !found.contains(&end) {
                found.push(end);
            }
        }
    }
    found
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for at in 0..=shorter.len() {
            let mut order = shorter.clone();
            order.insert(at, count - 1);
            all.push(order);
        }
    }
    all
}

#[test]
fn three_things_come_in_six_orders() {
    let mut all = orders(3);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
}
