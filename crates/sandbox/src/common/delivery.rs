//! The sender of webhooks: real HTTP, retries, and disturbances of the kind that networks and
//! platforms cause: doubled, reordered, lost and held deliveries.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::clock::now_ms;

/// Deliveries that are on the way to one URL at the same time, unless told otherwise; Jira sends
/// this many.
pub const DEFAULT_PARALLELISM: usize = 20;

/// Attempts kept in the log before the oldest is dropped.
pub const MAX_LOG: usize = 100_000;

/// How long a delivery that is to be overtaken waits for one that overtakes it, in milliseconds.
const OVERTAKE_WAIT_MS: u64 = 150;

/// When and how often a failed delivery is tried again.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// All attempts, with the first. At least one is made.
    pub attempts: u32,
    /// Wait before the second, third … attempt, in milliseconds; the last value repeats.
    pub delay_ms: Vec<u64>,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u64,
    /// Whether an outcome calls for another attempt; `None` is a connection error or a time-out.
    pub retry_on: fn(Option<u16>) -> bool,
}

impl Default for RetryPolicy {
    /// One attempt, 5 seconds, and any outcome but 2xx counts as failed.
    fn default() -> Self {
        Self {
            attempts: 1,
            delay_ms: Vec::new(),
            timeout_ms: 5_000,
            retry_on: not_2xx,
        }
    }
}

/// The usual test for another attempt: everything but 2xx.
pub fn not_2xx(status: Option<u16>) -> bool {
    !matches!(status, Some(200..=299))
}

impl RetryPolicy {
    fn delay_before(&self, attempt: u32) -> Duration {
        let retry = usize::try_from(attempt.saturating_sub(2)).unwrap_or(usize::MAX);
        let ms = self
            .delay_ms
            .get(retry)
            .or(self.delay_ms.last())
            .copied()
            .unwrap_or(0);
        Duration::from_millis(ms)
    }
}

/// What goes out at one attempt.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Headers, all of them.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Vec<u8>,
}

/// Makes what goes out at the given attempt (2 or later) from what went out at the first.
pub type Rewrite = Arc<dyn Fn(u32, &Outgoing) -> Outgoing + Send + Sync>;

/// Headers made anew at every sending from the body, such as a signature that holds the time: a
/// delivery may be held, doubled or repeated long after it was made.
pub type Sign = Arc<dyn Fn(&[u8]) -> Vec<(String, String)> + Send + Sync>;

/// Told the status of every answer, for platforms that switch a webhook off.
pub type OnAnswer = Arc<dyn Fn(u16) + Send + Sync>;

/// One webhook to deliver.
#[derive(Clone)]
pub struct Delivery {
    /// Where to.
    pub url: String,
    /// What it is about, for the log.
    pub topic: String,
    /// The same for all attempts and duplicates.
    pub identifier: String,
    /// Headers of the first attempt, and of later ones unless rewritten.
    pub headers: Vec<(String, String)>,
    /// Body of the first attempt, and of later ones unless rewritten.
    pub body: Vec<u8>,
    /// When it is tried again.
    pub retry: RetryPolicy,
    /// What later attempts change, such as a retry counter or a signature; nothing if absent.
    pub rewrite: Option<Rewrite>,
    /// What is signed at every sending, if anything.
    pub sign: Option<Sign>,
    /// Who wants to know the answers.
    pub on_answer: Option<OnAnswer>,
}

/// One attempt that was made, or a delivery that a disturbance dropped (attempt 0).
#[derive(Clone, Debug, Serialize)]
pub struct DeliveryLog {
    /// When the attempt ended, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Where to.
    pub url: String,
    /// What it was about.
    pub topic: String,
    /// The delivery's identifier.
    pub identifier: String,
    /// From 1; 0 for a delivery that was dropped on purpose.
    pub attempt: u32,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// Why none came.
    pub error: Option<String>,
}

/// What is done to deliveries on purpose. The default is nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Disturbance {
    /// Every n-th delivery goes out twice; 0 for none.
    pub duplicate_every: u32,
    /// Neighbouring deliveries change places.
    pub reorder: bool,
    /// Every n-th delivery is lost; 0 for none.
    pub drop_every: u32,
    /// Deliveries wait until a disturbance without this is set.
    pub hold: bool,
}

/// Sends webhooks in the background. Cloning gives another handle to the same sender.
#[derive(Clone)]
pub struct Sender {
    shared: Arc<Shared>,
}

struct Shared {
    client: reqwest::Client,
    runtime: Handle,
    parallelism: usize,
    unfinished: watch::Sender<usize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    disturbance: Disturbance,
    count: u64,
    targets: HashMap<String, Arc<Semaphore>>,
    log: VecDeque<DeliveryLog>,
    held: Vec<Delivery>,
    to_be_overtaken: Option<(u64, Delivery)>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender")
            .field("unfinished", &*self.shared.unfinished.borrow())
            .finish()
    }
}

impl Sender {
    /// A sender with [`DEFAULT_PARALLELISM`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[expect(
        clippy::new_without_default,
        reason = "it needs a runtime, so it is no plain value"
    )]
    pub fn new() -> Self {
        Self::with_parallelism(DEFAULT_PARALLELISM)
    }

    /// A sender that has at most this many deliveries on the way to one URL.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn with_parallelism(parallelism: usize) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without files or proxies to read can be built");
        Self {
            shared: Arc::new(Shared {
                client,
                runtime: Handle::current(),
                parallelism: parallelism.max(1),
                unfinished: watch::Sender::new(0),
                state: Mutex::default(),
            }),
        }
    }

    /// The client that deliveries use, for checks of a URL.
    pub fn client(&self) -> &reqwest::Client {
        &self.shared.client
    }

    /// Takes a delivery over. Returns at once.
    pub fn enqueue(&self, delivery: Delivery) {
        let mut state = self.lock();
        if state.disturbance.hold {
            state.held.push(delivery);
            return;
        }
        self.take(&mut state, delivery);
    }

    fn take(&self, state: &mut State, delivery: Delivery) {
        state.count += 1;
        let nth = |every: u32| every > 0 && state.count.is_multiple_of(u64::from(every));
        if nth(state.disturbance.drop_every) {
            let error = Some("dropped by a disturbance".to_owned());
            state.log_attempt(&delivery, 0, None, error);
            return;
        }
        let twice = nth(state.disturbance.duplicate_every);
        let mut batch = vec![delivery; if twice { 2 } else { 1 }];
        if !state.disturbance.reorder {
            self.launch(state, batch);
            return;
        }
        match state.to_be_overtaken.take() {
            Some((_, earlier)) => {
                batch.push(earlier);
                self.launch(state, batch);
                // The stashed one was counted as unfinished when it was stashed.
                self.shared.unfinished.send_modify(|count| *count -= 1);
            }
            None => self.stash(state, batch),
        }
    }

    /// Keeps the delivery back for the next one to overtake it; a second copy goes out at once.
    fn stash(&self, state: &mut State, mut batch: Vec<Delivery>) {
        let Some(delivery) = batch.pop() else { return };
        self.launch(state, batch);
        self.shared.unfinished.send_modify(|count| *count += 1);
        let mark = state.count;
        state.to_be_overtaken = Some((mark, delivery));
        let sender = self.clone();
        self.shared.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(OVERTAKE_WAIT_MS)).await;
            let mut state = sender.lock();
            if state
                .to_be_overtaken
                .as_ref()
                .is_some_and(|(waiting, _)| *waiting == mark)
            {
                let alone = state.to_be_overtaken.take();
                sender.launch(
                    &mut state,
                    alone.into_iter().map(|(_, delivery)| delivery).collect(),
                );
                sender.shared.unfinished.send_modify(|count| *count -= 1);
            }
        });
    }

    /// Sends a batch one after the other; batches run beside each other.
    fn launch(&self, state: &mut State, batch: Vec<Delivery>) {
        let Some(first) = batch.first() else { return };
        let permits = state
            .targets
            .entry(first.url.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.shared.parallelism)))
            .clone();
        self.shared
            .unfinished
            .send_modify(|count| *count += batch.len());
        let sender = self.clone();
        self.shared.runtime.spawn(async move {
            for delivery in batch {
                if sender.attempt(&delivery, 1, &permits).await {
                    let (sender, permits) = (sender.clone(), permits.clone());
                    tokio::spawn(async move { sender.retry(&delivery, &permits).await });
                } else {
                    sender.shared.unfinished.send_modify(|count| *count -= 1);
                }
            }
        });
    }

    async fn retry(&self, delivery: &Delivery, permits: &Semaphore) {
        for attempt in 2..=delivery.retry.attempts {
            tokio::time::sleep(delivery.retry.delay_before(attempt)).await;
            if !self.attempt(delivery, attempt, permits).await {
                break;
            }
        }
        self.shared.unfinished.send_modify(|count| *count -= 1);
    }

    /// Makes one attempt; true if another one is due.
    async fn attempt(&self, delivery: &Delivery, attempt: u32, permits: &Semaphore) -> bool {
        let Ok(_permit) = permits.acquire().await else {
            return false;
        };
        let first = Outgoing {
            headers: delivery.headers.clone(),
            body: delivery.body.clone(),
        };
        let outgoing = match &delivery.rewrite {
            Some(rewrite) if attempt > 1 => rewrite(attempt, &first),
            _ => first,
        };
        let mut request = self
            .shared
            .client
            .post(&delivery.url)
            .timeout(Duration::from_millis(delivery.retry.timeout_ms));
        let signed = delivery
            .sign
            .as_ref()
            .map(|sign| sign(&outgoing.body))
            .unwrap_or_default();
        request = request.body(outgoing.body);
        for (name, value) in outgoing.headers.iter().chain(&signed) {
            request = request.header(name, value);
        }
        let (status, error) = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                // Read to the end, so that the connection can be used again.
                let _ = response.bytes().await;
                (Some(status), None)
            }
            Err(error) => (None, Some(error.to_string())),
        };
        if let (Some(status), Some(on_answer)) = (status, &delivery.on_answer) {
            on_answer(status);
        }
        self.lock().log_attempt(delivery, attempt, status, error);
        attempt < delivery.retry.attempts && (delivery.retry.retry_on)(status)
    }

    /// Every attempt that was made, oldest first.
    pub fn log(&self) -> Vec<DeliveryLog> {
        self.lock().log.iter().cloned().collect()
    }

    /// Sets what is done to deliveries from now on. Ending a hold sends what was held.
    pub fn disturb(&self, disturbance: Disturbance) {
        let mut state = self.lock();
        state.disturbance = disturbance;
        if !disturbance.hold {
            for delivery in std::mem::take(&mut state.held) {
                self.take(&mut state, delivery);
            }
        }
    }

    /// Ends when every delivery that was taken over has been delivered or given up, with all its
    /// retries. Held ones do not count.
    pub async fn quiet(&self) {
        let mut unfinished = self.shared.unfinished.subscribe();
        // The sender outlives this call, so the channel cannot close.
        let _ = unfinished.wait_for(|count| *count == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn log_attempt(
        &mut self,
        delivery: &Delivery,
        attempt: u32,
        status: Option<u16>,
        error: Option<String>,
    ) {
        if self.log.len() >= MAX_LOG {
            self.log.pop_front();
        }
        self.log.push_back(DeliveryLog {
            at_ms: now_ms(),
            url: delivery.url.clone(),
            topic: delivery.topic.clone(),
            identifier: delivery.identifier.clone(),
            attempt,
            status,
            error,
        });
    }
}
