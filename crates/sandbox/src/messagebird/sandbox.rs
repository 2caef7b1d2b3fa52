//! The account as tests and the demo use it: what people with phones and teammates in
//! MessageBird's own dashboard do, and a look at what came of it.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::common::clock::now_ms;
use crate::common::page::{Neighbours, Platform};
use crate::common::{Disturbance, Faults, Journal, Sender};
use crate::phones::{Carrier, Failure, Habit, Inbound, Line, Media, Person, State as Reach};

use super::config::{Channel, Config, WHATSAPP};
use super::model::{Contact, Conversation, FAILED_TO_SEND, Message, Status};
use super::send::Outbound;
use super::state::{Done, Now, State};

/// Length of the window in which calls are counted, in milliseconds.
const SECOND_MS: i64 = 1_000;

/// A simulated account. Cloning gives another handle to the same account.
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
    /// Limit, begin of the current second, and calls in it.
    calls: Mutex<(Option<u32>, i64, u32)>,
    state: Mutex<State>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// An account without contacts or conversations.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(config: Config, neighbours: Neighbours) -> Self {
        let config = Arc::new(config);
        Self {
            inner: Arc::new(Inner {
                calls: Mutex::new((config.calls_per_second, 0, 0)),
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

    /// Does something with the state at this moment, and sends the webhooks that follow from it,
    /// in order.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State, Now) -> T) -> T {
        let mut state = self
            .inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Now { ms: self.now_ms() };
        let result = act(&mut state, now);
        for delivery in state.outbox.drain(..) {
            self.inner.sender.enqueue(delivery);
        }
        result
    }

    pub(super) fn set_base(&self, base: &str) {
        self.with(|state, _| base.clone_into(&mut state.base));
    }

    /// Counts a call; false if it is one too many.
    pub(super) fn count_call(&self) -> bool {
        let mut guard = self
            .inner
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (limit, since, calls) = &mut *guard;
        let now = now_ms();
        if now - *since >= SECOND_MS {
            (*since, *calls) = (now, 0);
        }
        if limit.is_some_and(|limit| *calls >= limit) {
            return false;
        }
        *calls += 1;
        true
    }

    // ---- the sandbox itself ----

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

    /// Makes this the only valid access key, or none at all.
    pub fn set_access_key(&self, key: Option<&str>) {
        self.with(|state, _| state.access_key = key.map(str::to_owned));
    }

    /// Calls per second before 429 from now on; `None` is no limit.
    pub fn set_calls_per_second(&self, limit: Option<u32>) {
        *self
            .inner
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = (limit, 0, 0);
    }

    /// The channels, as they were set up.
    pub fn channels(&self) -> Vec<Channel> {
        self.with(|state, _| state.channels.clone())
    }

    /// Takes every webhook away, as somebody in the dashboard may.
    pub fn remove_webhooks(&self) {
        self.with(|state, _| state.hooks.clear());
    }

    /// Addresses of the registered webhooks.
    pub fn webhook_urls(&self) -> Vec<String> {
        self.with(|state, _| state.hooks.iter().map(|hook| hook.url.clone()).collect())
    }

    /// Shows conversations without their contact from now on: only webhooks say who it is.
    pub fn hide_contacts(&self) {
        self.with(|state, _| state.hides_contacts = true);
    }

    /// Lets every file of a person expire now.
    pub fn expire_media(&self) {
        self.with(|state, now| {
            for file in state.files.values_mut() {
                file.until_ms = now.ms;
            }
        });
    }

    // ---- people ----

    /// A person's phone, by its number (`+15550100`) or a WhatsApp user id (`US.1234`); it speaks
    /// WhatsApp unless told otherwise. Made known at once.
    pub fn phone(&self, phone: &str) -> Phone {
        self.with(|state, _| {
            state.handset(phone);
        });
        Phone {
            sandbox: self.clone(),
            number: phone.to_owned(),
            platform: WHATSAPP.to_owned(),
        }
    }

    /// Everything that was written or sent, oldest first: what phones sent, what the API sent, and
    /// what was sent by hand.
    pub fn lines(&self) -> Vec<Line> {
        self.with(|state, _| state.messages.iter().map(line).collect())
    }

    /// A contact by id.
    pub fn contact(&self, id: &str) -> Option<Contact> {
        self.with(|state, _| state.contacts.get(id).cloned())
    }

    /// A conversation by id.
    pub fn conversation(&self, id: &str) -> Option<Conversation> {
        self.with(|state, _| state.conversations.get(id).cloned())
    }

    /// Ids of all conversations, oldest first.
    pub fn conversations(&self) -> Vec<String> {
        self.with(|state, _| state.order.clone())
    }

    /// A message by id, in the platform's JSON.
    pub fn message(&self, id: &str) -> Option<Value> {
        self.with(|state, _| {
            state
                .message(id)
                .ok()
                .map(|message| state.show_message(message))
        })
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
        self.with(|state, now| {
            if let Some(at) = state.by_id.get(id).copied() {
                state.advance(at, to, failure, now);
            }
        });
    }

    // ---- the dashboard ----

    /// Somebody archives a conversation in the dashboard.
    ///
    /// # Errors
    /// There is no such conversation.
    pub fn archive(&self, conversation: &str) -> Done<()> {
        self.with(|state, now| state.set_status(conversation, Status::Archived, now))
    }

    /// Somebody makes an archived conversation active again.
    ///
    /// # Errors
    /// There is none, or its contact has another active one.
    pub fn reactivate(&self, conversation: &str) -> Done<()> {
        self.with(|state, now| state.set_status(conversation, Status::Active, now))
    }

    /// An agent answers in MessageBird's own inbox. Returns the message's id.
    ///
    /// # Errors
    /// There is no such conversation.
    pub fn inbox_reply(&self, conversation: &str, text: &str) -> Done<String> {
        self.with(|state, now| state.reply(conversation, None, Outbound::by_hand(text), now))
    }

    /// Somebody merges two contacts: the first goes, the second gets its phones and conversations.
    ///
    /// # Errors
    /// One of them does not exist.
    pub fn merge_contacts(&self, from: &str, into: &str) -> Done<()> {
        self.with(|state, now| state.merge(from, into, now))
    }
}

fn line(message: &Message) -> Line {
    Line {
        message: message.id.clone(),
        channel: message.channel.clone(),
        platform: message.platform.clone(),
        phone: message.phone.clone(),
        from_phone: !message.sent,
        by_api: message.by_api,
        kind: message.kind.clone(),
        text: message.text().map(str::to_owned),
        media: message.media_url().map(str::to_owned),
        state: message.state,
        failure: message.failure.clone(),
        at_ms: i64::try_from(message.created_ns / super::view::NS_PER_MS).unwrap_or(i64::MAX),
        wall_ms: message.wall_ms,
    }
}

/// A person's phone.
#[derive(Clone, Debug)]
pub struct Phone {
    sandbox: Sandbox,
    number: String,
    platform: String,
}

impl Phone {
    /// The same phone, called by this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.sandbox.meet(&self.number, name);
        self
    }

    /// The same phone, speaking over another kind of channel, such as `sms`.
    #[must_use]
    pub fn on(mut self, platform: &str) -> Self {
        platform.clone_into(&mut self.platform);
        self
    }

    /// Writes a text. Returns the message's id.
    ///
    /// # Panics
    /// The account has no such channel.
    pub fn writes(&self, text: &str) -> String {
        self.sends(Inbound::Text(text.to_owned()))
    }

    /// Sends a file. Returns the message's id.
    ///
    /// # Panics
    /// The account has no such channel.
    pub fn sends_media(&self, media: Media) -> String {
        self.sends(Inbound::Media(media))
    }

    /// Sends anything. Returns the message's id.
    ///
    /// # Panics
    /// The account has no such channel.
    pub fn sends(&self, inbound: Inbound) -> String {
        self.sends_at(inbound, self.sandbox.now_ms())
    }

    /// Sends something that was written at another time, by the message's own clock.
    ///
    /// # Panics
    /// The account has no such channel.
    pub fn sends_at(&self, inbound: Inbound, at_ms: i64) -> String {
        self.sandbox
            .with(|state, now| {
                state.receive((&self.number, &self.platform), inbound, Some(at_ms), now)
            })
            .expect("the account has a channel of this kind")
    }

    /// Everything on the phone and everything that should have come to it, oldest first, over all
    /// kinds of channels.
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

    /// The person reads everything.
    pub fn reads(&self) {
        self.sandbox.read_all(&self.number);
    }

    /// Changes what becomes of messages to this phone.
    pub fn habit(&self, habit: Habit) {
        self.sandbox.set_habit(&self.number, habit);
    }

    /// The id of the person's contact.
    pub fn contact(&self) -> Option<String> {
        self.sandbox
            .with(|state, _| state.by_phone.get(&self.number).cloned())
    }

    /// The id of the person's active conversation.
    pub fn conversation(&self) -> Option<String> {
        self.sandbox.with(|state, _| {
            let contact = state.by_phone.get(&self.number)?;
            state.active.get(contact).cloned()
        })
    }
}

impl Carrier for Sandbox {
    const PLATFORM: Platform = Platform::MessageBird;

    fn ordinary_failure() -> Failure {
        Failure::new(FAILED_TO_SEND, "Failed to send message.")
    }

    fn neighbours(&self) -> &Neighbours {
        &self.inner.neighbours
    }

    fn platforms(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for channel in self.channels() {
            if !all.contains(&channel.platform) {
                all.push(channel.platform);
            }
        }
        all
    }

    fn people(&self) -> Vec<Person> {
        self.with(|state, _| {
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
        self.with(|state, _| {
            name.clone_into(&mut state.handset(phone).name);
            let contact = state.by_phone.get(phone).cloned();
            if let Some(contact) = contact.and_then(|id| state.contacts.get_mut(&id)) {
                name.clone_into(&mut contact.name);
            }
        });
    }

    fn lines(&self, phone: &str) -> Vec<Line> {
        self.with(|state, _| {
            let of_phone = state
                .messages
                .iter()
                .filter(|message| message.phone == phone);
            of_phone.map(line).collect()
        })
    }

    fn every_line(&self) -> Vec<Line> {
        Sandbox::lines(self)
    }

    fn hand_over(&self, phone: &str, platform: &str, inbound: Inbound) -> Result<String, String> {
        self.with(|state, now| state.receive((phone, platform), inbound, None, now))
            .map_err(|error| error.description)
    }

    fn read_all(&self, phone: &str) {
        self.with(|state, now| {
            let unread: Vec<usize> = (0..state.messages.len())
                .filter(|at| {
                    let message = &state.messages[*at];
                    message.phone == phone && message.sent && message.state == Reach::Delivered
                })
                .collect();
            for at in unread {
                state.advance(at, Reach::Read, None, now);
            }
        });
    }

    fn set_habit(&self, phone: &str, habit: Habit) {
        self.with(|state, _| state.handset(phone).habit = habit);
    }

    fn move_clock(&self, ms: i64) {
        self.advance_clock(ms);
    }

    fn clock_ms(&self) -> i64 {
        self.now_ms()
    }

    fn open_until(&self, phone: &str) -> Option<i64> {
        self.with(|state, now| {
            state
                .channels
                .iter()
                .filter(|channel| channel.platform == WHATSAPP)
                .filter_map(|channel| state.window.until(&channel.id, phone))
                .filter(|until| now.ms < *until)
                .max()
        })
    }
}
