//! What all running parts share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bowline_domain::connection::Connection;
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::time::{Clock, Millis};
use bowline_net::Transport;
use bowline_store::Store;
use bowline_store::model::{StoredEvent, TakenEffect};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::breaker::Breaker;
use crate::courier::Ahead;
pub use crate::planner::{
    ByHand, queue_about_send, queue_by_hand, queue_link_command, queue_link_import,
    queue_send_again, queue_send_template, queue_test_message,
};
use crate::registry::{Registry, Standing};

/// Work that is handed from one part to the next without asking the database.
pub(crate) enum Handed {
    /// A lane of events that is held, and its first event if it is at hand.
    Events(bowline_store::model::Lease, Option<StoredEvent>),
    /// An effect that is marked `attempting`, and what is being read for it.
    Effect(Box<TakenEffect>, Option<Ahead>),
}

/// Counts work that is handed on in memory.
pub(crate) struct InHand {
    count: AtomicUsize,
    max: usize,
}

impl InHand {
    fn new(max: usize) -> Self {
        Self {
            count: AtomicUsize::new(0),
            max,
        }
    }

    /// Is there room for more?
    pub(crate) fn room(&self) -> usize {
        self.max.saturating_sub(self.count())
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn more(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn done(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where work is handed on.
pub(crate) struct Hands {
    to: mpsc::UnboundedSender<Handed>,
    /// Lanes of events that are handed on.
    pub(crate) lanes: InHand,
    /// Effects that are.
    pub(crate) effects: InHand,
}

impl Hands {
    /// What is handed on comes out of the receiver.
    pub(crate) fn new(
        lanes_max: usize,
        effects_max: usize,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Handed>) {
        let (to, work) = mpsc::unbounded_channel();
        let hands = Self {
            to,
            lanes: InHand::new(lanes_max),
            effects: InHand::new(effects_max),
        };
        (Arc::new(hands), work)
    }

    /// Hands work on. After the end of the workers nobody takes it; its lane is freed at close.
    pub(crate) fn hand(&self, work: Handed) {
        match &work {
            Handed::Events(..) => self.lanes.more(),
            Handed::Effect(..) => self.effects.more(),
        }
        let _ = self.to.send(work);
    }

    /// Counts a lane that a worker found by itself.
    pub(crate) fn found_lane(&self) {
        self.lanes.more();
    }
}

/// What all running parts share.
pub struct Shared {
    /// The durable state.
    pub store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) chance: Mutex<fastrand::Rng>,
    pub(crate) registry: RwLock<Arc<Registry>>,
    pub(crate) standings: Mutex<HashMap<Connection, Arc<Standing>>>,
    pub(crate) active_since: RwLock<HashMap<(SiteName, ProjectKey), Millis>>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) stopping: CancellationToken,
    pub(crate) notes_per_link_hour: Breaker,
    /// How long payloads are kept, in milliseconds.
    pub(crate) payload_age_ms: AtomicI64,
    /// Wakes the prober when a connection broke or was configured anew.
    pub(crate) probe: tokio::sync::Notify,
    /// Wakes the reconciler when something was configured anew.
    pub(crate) configured: tokio::sync::Notify,
    /// Wakes what copies contacts when something was switched.
    pub(crate) contacts_switched: tokio::sync::Notify,
    /// Wakes what keeps tallies in step when something was mended.
    pub(crate) tallies: tokio::sync::Notify,
    /// What is being read for people to look at.
    pub(crate) reads: crate::panel::Reads,
}

impl Shared {
    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has what is wanted of tallies looked at now.
    pub fn hasten_tallies(&self) {
        self.tallies.notify_one();
    }

    /// The present time.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// A random number from 0 to 1.
    pub(crate) fn chance(&self) -> f64 {
        self.chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .f64()
    }

    /// When a binding was first seen; a binding that is not recorded yet is as old as now.
    pub(crate) fn active_since(&self, site: &SiteName, project: &ProjectKey) -> Millis {
        let known = self
            .active_since
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .get(&(site.clone(), project.clone()))
            .copied()
            .unwrap_or_else(|| self.now())
    }
}
