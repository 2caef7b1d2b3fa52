//! Handing answers over, with the lanes that come with them.
//!
//! An answer may carry the right to work a lane. If nobody takes it (a request was broken off, a
//! commit was not confirmed), the lane would be kept for a worker that does not exist. What nobody
//! took is collected here, and the committer lets those lanes go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline_domain::ids::EventId;
use tokio::sync::{mpsc, oneshot};

use crate::committer::Job;
use crate::error::StoreError;
use crate::model::{Accepted, Committed, Lease, NewEvent, Redacted, TakenEffect};

/// What an answer may carry: rights to work lanes.
pub(crate) trait Leases {
    fn leases(&self) -> Vec<Lease> {
        Vec::new()
    }
}

impl Leases for () {}
impl Leases for bool {}
impl Leases for u64 {}
impl Leases for Redacted {}
impl Leases for bowline_domain::time::Millis {}

impl Leases for Accepted {
    fn leases(&self) -> Vec<Lease> {
        match self {
            Self::Fresh { lease, .. } => lease.iter().cloned().collect(),
            Self::Decided { .. } | Self::Duplicate => Vec::new(),
        }
    }
}

impl Leases for Committed {
    fn leases(&self) -> Vec<Lease> {
        let more = self.more.then(|| self.lease.clone());
        more.into_iter().chain(self.taken.leases()).collect()
    }
}

impl Leases for Option<bowline_domain::effect::Act> {}

impl Leases for Option<TakenEffect> {
    fn leases(&self) -> Vec<Lease> {
        self.iter().map(|taken| taken.lease.clone()).collect()
    }
}

impl Leases for Vec<TakenEffect> {
    fn leases(&self) -> Vec<Lease> {
        self.iter().map(|taken| taken.lease.clone()).collect()
    }
}

impl Leases for Vec<Lease> {
    fn leases(&self) -> Vec<Lease> {
        self.clone()
    }
}

/// A lane, or lanes, that nobody works although this process holds them.
#[derive(Clone, Debug)]
pub(crate) enum Orphan {
    One(Lease),
    /// Every lane that this process holds under a token from the first up to but not the second.
    Tokens(i64, i64),
}

/// What is to be let go at the next occasion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans(Arc<Mutex<Vec<Orphan>>>);

impl Orphans {
    pub(crate) fn put(&self, orphans: impl IntoIterator<Item = Orphan>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(orphans);
    }

    pub(crate) fn put_leases(&self, leases: Vec<Lease>) {
        self.put(leases.into_iter().map(Orphan::One));
    }

    pub(crate) fn take(&self) -> Vec<Orphan> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where goes what an answer carries that nobody hears.
#[derive(Clone)]
struct Unheard {
    orphans: Orphans,
    jobs: mpsc::Sender<Job>,
}

impl Unheard {
    fn take(&self, answer: &impl Leases) {
        let leases = answer.leases();
        if !leases.is_empty() {
            self.orphans.put_leases(leases);
            // If the queue is full, the committer comes by without being called.
            let _ = self.jobs.try_send(Job::Tidy);
        }
    }
}

/// Where an answer goes.
pub(crate) struct Reply<T: Leases> {
    sender: oneshot::Sender<Result<T, StoreError>>,
    unheard: Unheard,
}

impl<T: Leases> Reply<T> {
    pub(crate) fn send(self, answer: Result<T, StoreError>) {
        if let Err(Ok(answer)) = self.sender.send(answer) {
            self.unheard.take(&answer);
        }
    }
}

/// Where an answer comes from.
pub(crate) struct Answer<T: Leases> {
    receiver: oneshot::Receiver<Result<T, StoreError>>,
    unheard: Unheard,
}

impl<T: Leases> Answer<T> {
    pub(crate) async fn wait(mut self) -> Result<T, StoreError> {
        (&mut self.receiver).await.map_err(|_| StoreError::Closed)?
    }
}

impl<T: Leases> Drop for Answer<T> {
    fn drop(&mut self) {
        // From here on a sender gets its answer back.
        self.receiver.close();
        if let Ok(Ok(answer)) = self.receiver.try_recv() {
            self.unheard.take(&answer);
        }
    }
}

/// The two ends of an answer. Both keep the committer at work until the answer is given: what nobody
/// hears is let go.
pub(crate) fn answer<T: Leases>(
    jobs: &mpsc::Sender<Job>,
    orphans: &Orphans,
) -> (Reply<T>, Answer<T>) {
    let (sender, receiver) = oneshot::channel();
    let unheard = Unheard {
        orphans: orphans.clone(),
        jobs: jobs.clone(),
    };
    let reply = Reply {
        sender,
        unheard: unheard.clone(),
    };
    (reply, Answer { receiver, unheard })
}

/// Is told of a lane that a delivery took, before the delivery is durable.
pub(crate) type Early = Box<dyn FnOnce(EventId, Lease) + Send>;

/// A delivery on its way into the store.
pub(crate) struct Accepting {
    pub(crate) event: NewEvent,
    early: Mutex<Option<Early>>,
    pub(crate) reply: Reply<Accepted>,
}

impl Accepting {
    pub(crate) fn new(event: NewEvent, early: Option<Early>, reply: Reply<Accepted>) -> Self {
        Self {
            event,
            early: Mutex::new(early),
            reply,
        }
    }

    fn early(&self) -> MutexGuard<'_, Option<Early>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does somebody want to be told of its lane early?
    pub(crate) fn is_eager(&self) -> bool {
        self.event.take && self.early().is_some()
    }

    /// Tells early of the lane that comes with the answer, if somebody wants that. Once: what is done
    /// again after a failure is told with the answer.
    pub(crate) fn tell_early(&self, answer: &mut Accepted) {
        let Accepted::Fresh { event, lease } = answer else {
            return;
        };
        let event = *event;
        if let Some((lease, early)) = lease.take_if(|_| self.is_eager()).zip(self.early().take()) {
            early(event, lease);
        }
    }
}
