//! The workspace as tests and the demo use it: what teammates and customers do, and a look at what
//! came of it.

mod app;
mod looks;
mod people;
mod tags;
mod talk;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::common::clock::now_ms;
use crate::common::delivery::{Delivery, Outgoing, RetryPolicy, Sender, not_2xx};
use crate::common::faults::Faults;
use crate::common::journal::Journal;
use crate::common::page::Neighbours;
use crate::common::sign::hmac_sha1_hex;

use super::error::ApiError;
use super::limit::{Limiter, Window};
use super::model::Config;
use super::state::{Done, Now, State};
use super::topics::{Event, Notification};

/// How often snoozed conversations are looked at, in milliseconds.
const TICK_MS: u64 = 250;

/// Attempts of a webhook: the first and one more.
const WEBHOOK_ATTEMPTS: u32 = 2;

/// A simulated workspace. Cloning gives another handle to the same workspace.
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
    limiter: Limiter,
    clock_offset_ms: AtomicI64,
    webhook_disabled: Arc<AtomicBool>,
    state: Mutex<State>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("workspace", &self.inner.config.workspace)
            .finish()
    }
}

/// Wakes snoozed conversations in time until the server stops.
pub(crate) async fn keep_time(sandbox: Sandbox, stopped: CancellationToken) {
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(TICK_MS)) => {
                sandbox.with(|_, _| ());
            }
        }
    }
}

fn number(id: &str) -> Done<u64> {
    id.parse().map_err(|_| ApiError::not_found())
}

impl Sandbox {
    /// A workspace without contacts or conversations.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(config: Config, neighbours: Neighbours) -> Self {
        let config = Arc::new(config);
        Self {
            inner: Arc::new(Inner {
                limiter: Limiter::new(config.rate_limit_per_10s),
                state: Mutex::new(State::new(config.clone())),
                config,
                neighbours,
                journal: Journal::new(),
                faults: Faults::new(),
                sender: Sender::new(),
                clock_offset_ms: AtomicI64::new(0),
                webhook_disabled: Arc::new(AtomicBool::new(false)),
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
        let now = self.now();
        state.wake_due(now);
        let result = act(&mut state, now);
        if !state.events.is_empty() {
            let events = std::mem::take(&mut state.events);
            if let Some(url) = state.webhook_url.clone() {
                for event in events {
                    self.notify(&url, event, now);
                }
            }
        }
        result
    }

    fn notify(&self, url: &str, event: Event, now: Now) {
        if self.inner.webhook_disabled.load(Ordering::Relaxed) {
            return;
        }
        let topic = event.topic.to_owned();
        let config = &self.inner.config;
        let notification = Notification::new(&config.workspace, event, now.s);
        let secret = config.client_secret.clone();
        let identifier = notification.id.clone();
        let outgoing = move |attempt: u32| {
            let body = notification.body(attempt);
            let signature = format!("sha1={}", hmac_sha1_hex(&secret, &body));
            let headers = [
                ("User-Agent", "intercom-parrot-service-client/1.0"),
                ("Accept", "application/json"),
                ("Content-Type", "application/json"),
                ("X-Hub-Signature", signature.as_str()),
            ];
            let headers = headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
            Outgoing { headers, body }
        };
        let first = outgoing(1);
        let disabled = self.inner.webhook_disabled.clone();
        self.inner.sender.enqueue(Delivery {
            url: url.to_owned(),
            topic,
            identifier,
            headers: first.headers,
            body: first.body,
            retry: RetryPolicy {
                attempts: WEBHOOK_ATTEMPTS,
                delay_ms: vec![config.webhook_retry_ms],
                timeout_ms: config.webhook_timeout_ms,
                retry_on: not_2xx,
            },
            rewrite: Some(Arc::new(move |attempt, _| outgoing(attempt))),
            sign: None,
            // 410 ends the subscription for good.
            on_answer: Some(Arc::new(move |status| {
                if status == 410 {
                    disabled.store(true, Ordering::Relaxed);
                }
            })),
        });
    }

    fn now(&self) -> Now {
        let ms = now_ms() + self.inner.clock_offset_ms.load(Ordering::Relaxed);
        Now {
            ms,
            s: ms.div_euclid(1_000),
        }
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Every REST call that was received.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// The faults of REST calls.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The sender of webhooks, with its log and disturbances.
    pub fn sender(&self) -> &Sender {
        &self.inner.sender
    }

    pub(crate) fn neighbours(&self) -> &Neighbours {
        &self.inner.neighbours
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.now().s
    }

    /// Moves the workspace's clock forward; its time goes on from there.
    pub fn advance_clock(&self, ms: i64) {
        self.inner.clock_offset_ms.fetch_add(ms, Ordering::Relaxed);
        self.with(|_, _| ());
    }

    /// Calls per window of ten seconds, oldest first; `refused` counts the 429s.
    pub fn windows(&self) -> Vec<Window> {
        self.inner.limiter.windows()
    }

    /// Whether any call got 429.
    pub fn refused_any(&self) -> bool {
        self.windows().iter().any(|window| window.refused > 0)
    }

    /// Changes the rate limit from now on; `None` is no limit.
    pub fn set_rate_limit(&self, per_10s: Option<u32>) {
        self.inner.limiter.set(per_10s);
    }
}
