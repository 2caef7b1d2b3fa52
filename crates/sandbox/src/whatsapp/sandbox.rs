//! The business account as tests and the demo use it.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::common::clock::now_ms;
use crate::common::page::{Neighbours, Platform};
use crate::common::sign::random_uuid;
use crate::common::{Disturbance, Faults, Journal, Sender};
use crate::phones::{Carrier, Failure, Habit, Inbound, Line, Media, Person, State as Reach};

use super::config::{Config, UNDELIVERABLE};
use super::state::{State, bare};

/// A simulated business account. Cloning gives another handle to the same account.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    neighbours: Neighbours,
    journal: Journal,
    faults: Faults,
    sender: Sender,
    clock_offset_ms: AtomicI64,
    state: Mutex<State>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// An account that nobody has written to.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(config: Config, neighbours: Neighbours) -> Self {
        let config = Arc::new(config);
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State::new(config.clone())),
                config,
                neighbours,
                journal: Journal::new(),
                faults: Faults::new(),
                sender: Sender::new(),
                clock_offset_ms: AtomicI64::new(0),
            }),
        }
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.with_now(|state, _| act(state))
    }

    /// Does something with the state at this moment, and sends the webhooks that follow from it.
    pub(super) fn with_now<T>(&self, act: impl FnOnce(&mut State, i64) -> T) -> T {
        let mut state = self
            .inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut state, self.now_ms());
        state.pack();
        for delivery in state.outbox.drain(..) {
            self.inner.sender.enqueue(delivery);
        }
        result
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Every API call that was received.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// The faults of API calls.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The sender of webhooks, with its log and disturbances.
    pub fn sender(&self) -> &Sender {
        &self.inner.sender
    }

    /// Disturbs webhooks: doubles, reorders, drops or holds them.
    pub fn disturb(&self, disturbance: Disturbance) {
        self.inner.sender.disturb(disturbance);
    }

    /// What its pages know of the other platforms.
    pub fn neighbours(&self) -> &Neighbours {
        &self.inner.neighbours
    }

    /// The account's time, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        now_ms() + self.inner.clock_offset_ms.load(Ordering::Relaxed)
    }

    /// Moves the account's clock forward; its time goes on from there.
    pub fn advance_clock(&self, ms: i64) {
        self.inner.clock_offset_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Makes this the only valid token, or none at all.
    pub fn set_token(&self, token: Option<&str>) {
        self.with(|state| state.token = token.map(str::to_owned));
    }

    /// Sends webhooks there from now on, without the check of [`Self::connect_webhook`].
    pub fn set_webhook(&self, url: Option<&str>) {
        self.with(|state| state.callback = url.map(str::to_owned));
    }

    /// Enters a webhook as a person does in Meta's console: a GET with the verify token must be
    /// answered with the challenge.
    ///
    /// # Errors
    /// What the URL answered instead.
    pub async fn connect_webhook(&self, url: &str, verify_token: &str) -> Result<(), String> {
        let challenge = random_uuid();
        let mut asked = url::Url::parse(url).map_err(|error| error.to_string())?;
        asked
            .query_pairs_mut()
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.verify_token", verify_token)
            .append_pair("hub.challenge", &challenge);
        let timeout = Duration::from_millis(self.inner.config.webhook_timeout_ms);
        let client = self.inner.sender.client();
        let answer = client.get(asked).timeout(timeout).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        if !status.is_success() || body != challenge {
            return Err(format!(
                "The URL couldn't be validated. It answered {status}: {body}"
            ));
        }
        self.set_webhook(Some(url));
        Ok(())
    }

    /// A user's phone, by its number (`+15550100`) or a user id (`US.1234`). Made known at once.
    pub fn phone(&self, phone: &str) -> Phone {
        self.with(|state| {
            state.handset(phone);
        });
        Phone {
            sandbox: self.clone(),
            number: phone.to_owned(),
        }
    }

    /// Everything that was written or sent, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.with(|state| state.lines.clone())
    }

    /// Moves a sent message on by hand; it never steps back.
    pub fn advance_message(&self, id: &str, to: Reach) {
        self.move_message(id, to, None);
    }

    /// Lets a sent message fail.
    pub fn fail_message(&self, id: &str, failure: Failure) {
        self.move_message(id, Reach::Failed, Some(failure));
    }

    fn move_message(&self, id: &str, to: Reach, failure: Option<Failure>) {
        self.with_now(|state, now| {
            if let Some(at) = state.by_id.get(id).copied() {
                state.advance(at, to, failure, now);
            }
        });
    }
}

/// A user's phone.
#[derive(Clone, Debug)]
pub struct Phone {
    sandbox: Sandbox,
    number: String,
}

impl Phone {
    /// The same phone, called by this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.sandbox.meet(&self.number, name);
        self
    }

    /// Writes a text. Returns the message's id.
    pub fn writes(&self, text: &str) -> String {
        self.sends(Inbound::Text(text.to_owned()))
    }

    /// Sends a file. Returns the message's id.
    pub fn sends_media(&self, media: Media) -> String {
        self.sends(Inbound::Media(media))
    }

    /// Sends anything. Returns the message's id.
    pub fn sends(&self, inbound: Inbound) -> String {
        self.sandbox
            .with_now(|state, now| state.receive(&self.number, inbound, now))
    }

    /// The person gets another number, and the platform says so. Returns the new phone, which the
    /// business knows by the same user id.
    #[must_use]
    pub fn changes_number(&self, new: &str) -> Phone {
        self.sandbox.with_now(|state, now| {
            let handset = state.handset(&self.number).clone();
            let words = format!(
                "User {} changed from {} to {}",
                handset.name,
                bare(&self.number),
                bare(new)
            );
            let content = json!({ "system": {
                "body": words, "wa_id": bare(new), "type": "user_changed_number",
            } });
            let inbound = Inbound::Other {
                kind: "system".to_owned(),
                content,
            };
            state.receive(&self.number, inbound, now);
            state.handsets.remove(&self.number);
            *state.handset(new) = handset;
        });
        self.sandbox.phone(new)
    }

    /// Everything on the phone and everything that should have come to it, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        Carrier::lines(&self.sandbox, &self.number)
    }

    /// What came to the phone, oldest first.
    pub fn received(&self) -> Vec<Line> {
        self.lines().into_iter().filter(Line::arrived).collect()
    }

    /// The texts that came to the phone, oldest first.
    pub fn texts(&self) -> Vec<String> {
        self.received()
            .into_iter()
            .filter_map(|line| line.text)
            .collect()
    }

    /// The user reads everything.
    pub fn reads(&self) {
        self.sandbox.read_all(&self.number);
    }

    /// Changes what becomes of messages to this phone.
    pub fn habit(&self, habit: Habit) {
        self.sandbox.set_habit(&self.number, habit);
    }

    /// The user id that the business knows the person by.
    pub fn user_id(&self) -> String {
        self.sandbox
            .with(|state| state.handset(&self.number).user_id.clone())
    }
}

impl Carrier for Sandbox {
    const PLATFORM: Platform = Platform::WhatsApp;

    fn ordinary_failure() -> Failure {
        Failure::new(UNDELIVERABLE, "Message undeliverable")
    }

    fn neighbours(&self) -> &Neighbours {
        &self.inner.neighbours
    }

    fn platforms(&self) -> Vec<String> {
        vec!["whatsapp".to_owned()]
    }

    fn people(&self) -> Vec<Person> {
        self.with(|state| {
            let one = |phone: &String| {
                let handset = state.handsets.get(phone)?;
                Some(Person {
                    phone: phone.clone(),
                    name: handset.name.clone(),
                    habit: handset.habit.clone(),
                })
            };
            state.phones.iter().filter_map(one).collect()
        })
    }

    fn meet(&self, phone: &str, name: &str) {
        self.with(|state| name.clone_into(&mut state.handset(phone).name));
    }

    fn lines(&self, phone: &str) -> Vec<Line> {
        self.with(|state| {
            let of_phone = state.lines.iter().filter(|line| line.phone == phone);
            of_phone.cloned().collect()
        })
    }

    fn every_line(&self) -> Vec<Line> {
        Sandbox::lines(self)
    }

    fn hand_over(&self, phone: &str, _: &str, inbound: Inbound) -> Result<String, String> {
        Ok(self.with_now(|state, now| state.receive(phone, inbound, now)))
    }

    fn read_all(&self, phone: &str) {
        self.with_now(|state, now| {
            let unread: Vec<usize> = (0..state.lines.len())
                .filter(|at| {
                    let line = &state.lines[*at];
                    line.phone == phone && !line.from_phone && line.state == Reach::Delivered
                })
                .collect();
            for at in unread {
                state.advance(at, Reach::Read, None, now);
            }
        });
    }

    fn set_habit(&self, phone: &str, habit: Habit) {
        self.with(|state| state.handset(phone).habit = habit);
    }

    fn move_clock(&self, ms: i64) {
        self.advance_clock(ms);
    }

    fn clock_ms(&self) -> i64 {
        self.now_ms()
    }

    fn open_until(&self, phone: &str) -> Option<i64> {
        self.with_now(|state, now| {
            let until = state.window.until(&state.config.phone_number_id, phone);
            until.filter(|until| now < *until)
        })
    }
}
