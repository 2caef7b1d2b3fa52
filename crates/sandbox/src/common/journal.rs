//! Everything the simulated platform was asked, for an independent checker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// Entries kept before the oldest is dropped. [`Journal::lost`] says how many were dropped, so
/// that a checker cannot mistake a cut journal for a whole one.
pub const MAX_ENTRIES: usize = 200_000;

/// One call that was received.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Position in the journal, from 1, set by [`Journal::record`].
    pub seq: u64,
    /// When the call was finished, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The request's method.
    pub method: String,
    /// The request's path as it was sent.
    pub path: String,
    /// The request's query as it was sent, without the question mark.
    pub query: Option<String>,
    /// The status of what was done; 0 if nothing was done and nothing answered. A fault may have
    /// answered something else: see `fault`.
    pub status: u16,
    /// The request's body: JSON as it is, anything else as a string, null if there was none.
    pub request_body: Value,
    /// The fault that was applied, by its name in the control API.
    pub fault: Option<String>,
}

/// The record of calls of one simulated platform. Cloning gives another handle to the same record.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    enabled: AtomicBool,
    next_seq: AtomicU64,
    lost: AtomicU64,
    entries: Mutex<VecDeque<Entry>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

impl Journal {
    /// An empty journal, switched on.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                enabled: AtomicBool::new(true),
                next_seq: AtomicU64::new(1),
                lost: AtomicU64::new(0),
                entries: Mutex::new(VecDeque::new()),
            }),
        }
    }

    /// Switches recording on or off. Off, a call costs nothing here; benchmarks use that.
    pub fn enable(&self, on: bool) {
        self.shared.enabled.store(on, Ordering::Relaxed);
    }

    /// Whether calls are recorded.
    pub fn is_enabled(&self) -> bool {
        self.shared.enabled.load(Ordering::Relaxed)
    }

    /// Adds an entry and numbers it. Does nothing while switched off.
    pub fn record(&self, mut entry: Entry) {
        if !self.is_enabled() {
            return;
        }
        let mut entries = self.lock();
        entry.seq = self.shared.next_seq.fetch_add(1, Ordering::Relaxed);
        if entries.len() >= MAX_ENTRIES {
            entries.pop_front();
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
        entries.push_back(entry);
    }

    /// A copy of all entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().iter().cloned().collect()
    }

    /// How many entries fulfil the predicate.
    pub fn count(&self, predicate: impl Fn(&Entry) -> bool) -> usize {
        self.lock().iter().filter(|entry| predicate(entry)).count()
    }

    /// How many entries were dropped because the journal was full.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Forgets all entries. Numbering goes on.
    pub fn clear(&self) {
        self.lock().clear();
        self.shared.lost.store(0, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.shared
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
