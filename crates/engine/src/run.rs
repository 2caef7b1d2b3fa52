//! Starting and stopping.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bowline_domain::connection::{Connection, Health};
use bowline_domain::time::Clock;
use bowline_net::witness::Witness;
use bowline_net::{BoxFuture, Transport};
use bowline_store::model::{BindingRecord, ConnectionRecord};
use bowline_store::{Store, StoreError};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::breaker::Breaker;
use crate::config::EngineConfig;
use crate::pace::Priority;
use crate::registry::{Known, Registry, Standing};
use crate::shared::{Handed, Hands, Shared};
use crate::{
    asked, channel, contacts, courier, feedback, forget, health, planner, presence, reconciler,
    replays, retention, tally,
};

/// Lanes that are planned at once.
const PLANNERS_MAX: usize = 64;

/// Effects that are made at once for someone who just did something, and of those that waited.
const COURIERS_MAX: usize = 64;
const BULK_COURIERS_MAX: usize = 32;

/// Lanes and effects that are handed on in memory at most. What comes beyond it waits in the
/// database, so that a slow far side does not fill the memory.
const LANES_IN_HAND_MAX: usize = 512;
const EFFECTS_IN_HAND_MAX: usize = 512;

/// How often due lanes are looked for when nobody says that there is work.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often the lanes that are held are kept. Well within the lease.
const RENEW_EVERY: Duration = Duration::from_secs(8);

/// What the engine is given.
pub struct Setup {
    /// The durable state.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The way out.
    pub transport: Arc<dyn Transport>,
    /// Seeds the random numbers.
    pub seed: u64,
    /// How long the texts of deliveries and notes are kept.
    pub payload_age: Duration,
    /// What is connected.
    pub config: EngineConfig,
}

/// The running engine.
pub struct Engine {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    workers: TaskTracker,
}

impl Engine {
    /// Starts planning, sending, probing and reconciling.
    ///
    /// # Errors
    /// The store cannot be read or written.
    #[inline(never)]
    pub fn start(setup: Setup) -> BoxFuture<'static, Result<Self, StoreError>> {
        // Behind a pointer, so that what it starts is compiled with this crate and not with each that
        // starts an engine.
        Box::pin(Self::start_now(setup))
    }

    async fn start_now(setup: Setup) -> Result<Self, StoreError> {
        let (hands, work) = Hands::new(LANES_IN_HAND_MAX, EFFECTS_IN_HAND_MAX);
        let transport = Witness::over(setup.transport);
        let empty = Registry::build(EngineConfig::default(), &transport, |connection| {
            Arc::new(Standing::new(connection, unchecked(setup.clock.now())))
        });
        let shared = Arc::new(Shared {
            store: setup.store,
            clock: setup.clock,
            transport,
            chance: Mutex::new(fastrand::Rng::with_seed(setup.seed)),
            registry: RwLock::new(Arc::new(empty)),
            standings: Mutex::new(HashMap::new()),
            active_since: RwLock::new(HashMap::new()),
            hands,
            stopping: CancellationToken::new(),
            notes_per_link_hour: Breaker::new(),
            payload_age_ms: AtomicI64::new(
                i64::try_from(setup.payload_age.as_millis()).unwrap_or(i64::MAX),
            ),
            probe: tokio::sync::Notify::new(),
            configured: tokio::sync::Notify::new(),
            contacts_switched: tokio::sync::Notify::new(),
            tallies: tokio::sync::Notify::new(),
            reads: crate::panel::Reads::new(),
        });
        remember_connections(&shared).await?;
        configure(&shared, setup.config).await?;
        let (tasks, workers) = (TaskTracker::new(), TaskTracker::new());
        tasks.spawn(dispatch(Arc::clone(&shared), work, workers.clone()));
        // These may be in the middle of a remote call when the end comes; nothing of theirs is lost
        // when it is dropped.
        let until_stopped = |task: BoxFuture<'static, ()>| {
            let stopping = shared.stopping.clone();
            tasks.spawn(async move { stopping.run_until_cancelled(task).await });
        };
        until_stopped(Box::pin(renew(Arc::clone(&shared))));
        until_stopped(Box::pin(health::probe_all(Arc::clone(&shared))));
        until_stopped(Box::pin(reconciler::run(Arc::clone(&shared))));
        until_stopped(Box::pin(presence::run(Arc::clone(&shared))));
        until_stopped(Box::pin(retention::run(Arc::clone(&shared))));
        until_stopped(Box::pin(forget::run(Arc::clone(&shared))));
        until_stopped(Box::pin(channel::watch::run(Arc::clone(&shared))));
        until_stopped(Box::pin(contacts::run(Arc::clone(&shared))));
        until_stopped(Box::pin(feedback::watch(Arc::clone(&shared))));
        until_stopped(Box::pin(feedback::run_backfills(Arc::clone(&shared))));
        until_stopped(Box::pin(replays::run(Arc::clone(&shared))));
        until_stopped(Box::pin(asked::run(Arc::clone(&shared))));
        until_stopped(Box::pin(tally::run(Arc::clone(&shared))));
        Ok(Self {
            shared,
            tasks,
            workers,
        })
    }

    /// What others need of the engine: the store and the ways in.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Replaces what is connected. What is known of a connection is kept; one with new credentials
    /// is probed at once, and its queue drained when they work.
    ///
    /// # Errors
    /// A new binding cannot be recorded.
    pub async fn configure(&self, config: EngineConfig) -> Result<(), StoreError> {
        self.shared.configure(config).await
    }

    /// Stops taking work, waits for what is in flight for at most `patience`, and lets go of
    /// everything. What was not finished is found and finished after the next start.
    pub async fn stop(self, patience: Duration) {
        let Self {
            shared,
            tasks,
            workers,
        } = self;
        shared.stopping.cancel();
        tasks.close();
        tasks.wait().await;
        workers.close();
        if tokio::time::timeout(patience, workers.wait())
            .await
            .is_err()
        {
            tracing::warn!("work in flight was left; it is looked after at the next start");
        }
        let store = shared.store.clone();
        // The store closes when nobody has it any more.
        drop(shared);
        store.close().await;
    }
}

impl Shared {
    /// Replaces what is connected, as [`Engine::configure`] does.
    ///
    /// # Errors
    /// A new binding cannot be recorded.
    pub async fn configure(self: &Arc<Self>, config: EngineConfig) -> Result<(), StoreError> {
        configure(self, config).await?;
        self.probe.notify_waiters();
        self.configured.notify_waiters();
        Ok(())
    }

    /// Has the connections probed now.
    pub fn probe_now(&self) {
        self.probe.notify_waiters();
    }
}

fn unchecked(since: bowline_domain::time::Millis) -> Known {
    Known {
        health: Health::Unchecked,
        reason: None,
        since,
        mended_at: None,
        remote_id: None,
        actor_id: None,
        actor_name: None,
        webhook_seen_at: None,
    }
}

/// Takes over what was known of the connections before the start.
async fn remember_connections(shared: &Shared) -> Result<(), StoreError> {
    let records = shared.store.connections().await?;
    let mut standings = shared
        .standings
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    for record in records {
        let connection = record.connection.clone();
        let known = Known {
            health: record.health,
            reason: record.reason,
            since: record.since,
            mended_at: None,
            remote_id: record.remote_id,
            actor_id: record.actor_id,
            actor_name: None,
            webhook_seen_at: record.webhook_seen_at,
        };
        standings.insert(
            connection.clone(),
            Arc::new(Standing::new(connection, known)),
        );
    }
    Ok(())
}

async fn configure(shared: &Arc<Shared>, config: EngineConfig) -> Result<(), StoreError> {
    let now = shared.now();
    shared
        .notes_per_link_hour
        .set_limit(config.notes_per_link_hour_max);
    let mut new: Vec<Connection> = Vec::new();
    let registry = {
        let standings = Mutex::new((
            shared
                .standings
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            &mut new,
        ));
        Registry::build(config, &shared.transport, |connection| {
            let mut guard = standings.lock().unwrap_or_else(PoisonError::into_inner);
            let (known, new) = &mut *guard;
            Arc::clone(known.entry(connection.clone()).or_insert_with(|| {
                new.push(connection.clone());
                Arc::new(Standing::new(connection, unchecked(now)))
            }))
        })
    };
    for connection in new {
        let record = ConnectionRecord {
            connection,
            health: Health::Unchecked,
            reason: None,
            since: now,
            remote_id: None,
            actor_id: None,
            checked_at: None,
            webhook_seen_at: None,
        };
        shared.store.put_connection(record).await?;
    }
    for binding in &registry.bindings {
        let record = BindingRecord {
            site: binding.site.clone(),
            project: binding.project.clone(),
            active_since: now,
            watermark: now,
            swept_to: None,
            swept_at: None,
        };
        shared.store.activate_binding(record).await?;
    }
    feedback::declare(shared, &registry.products).await?;
    let active: HashMap<_, _> = shared
        .store
        .bindings()
        .await?
        .into_iter()
        .map(|record| ((record.site, record.project), record.active_since))
        .collect();
    *shared
        .active_since
        .write()
        .unwrap_or_else(PoisonError::into_inner) = active;
    // Before the new credentials are used, so that nothing is written with them unproven; and
    // after, so that a probe that began in between proves nothing.
    let anew = registry.connected_anew(&shared.registry());
    for standing in &anew {
        standing.doubt();
    }
    *shared
        .registry
        .write()
        .unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
    for standing in &anew {
        standing.doubt();
    }
    Ok(())
}

/// Gives work to workers: what is handed on at once, and what is found due.
async fn dispatch(
    shared: Arc<Shared>,
    mut handed: mpsc::UnboundedReceiver<Handed>,
    workers: TaskTracker,
) {
    let crew = Crew {
        shared: Arc::clone(&shared),
        workers,
        planners: Arc::new(Semaphore::new(PLANNERS_MAX)),
        couriers: Arc::new(Semaphore::new(COURIERS_MAX)),
        bulk: Arc::new(Semaphore::new(BULK_COURIERS_MAX)),
    };
    let (events, effects) = (crew.clone(), crew.clone());
    crew.workers
        .spawn(async move { events.find_events().await });
    crew.workers
        .spawn(async move { effects.find_effects().await });
    loop {
        tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            work = handed.recv() => match work {
                Some(work) => crew.take(work),
                None => return,
            },
        }
    }
}

#[derive(Clone)]
struct Crew {
    shared: Arc<Shared>,
    workers: TaskTracker,
    planners: Arc<Semaphore>,
    couriers: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
}

impl Crew {
    fn take(&self, work: Handed) {
        match work {
            Handed::Events(lease, first) => {
                let (shared, permits) = (Arc::clone(&self.shared), Arc::clone(&self.planners));
                self.workers.spawn(async move {
                    // Acquired inside the task: what is handed on never waits behind the
                    // dispatcher. The semaphore is never closed.
                    let _permit = permits.acquire_owned().await;
                    planner::work(Arc::clone(&shared), lease, first).await;
                    shared.hands.lanes.done();
                });
            }
            Handed::Effect(taken, ahead) => {
                let permits = Arc::clone(&self.couriers);
                self.courier(*taken, ahead, permits, Priority::Interactive);
            }
        }
    }

    fn courier(
        &self,
        taken: bowline_store::model::TakenEffect,
        ahead: Option<courier::Ahead>,
        permits: Arc<Semaphore>,
        priority: Priority,
    ) {
        let shared = Arc::clone(&self.shared);
        self.workers.spawn(async move {
            let _permit = permits.acquire_owned().await;
            courier::work(Arc::clone(&shared), taken, ahead, priority).await;
            if priority == Priority::Interactive {
                shared.hands.effects.done();
            }
        });
    }

    /// Finds lanes of events that are due and that nobody was handed.
    async fn find_events(&self) {
        while self.room(&self.planners, PLANNERS_MAX).await {
            let limit = free(&self.planners);
            let found = self
                .shared
                .store
                .claim_events(limit, self.shared.now())
                .await;
            let found = found.unwrap_or_else(|error| {
                tracing::error!(%error, "due events could not be claimed");
                Vec::new()
            });
            if found.is_empty() {
                self.pause().await;
            }
            for lease in found {
                self.shared.hands.found_lane();
                self.take(Handed::Events(lease, None));
            }
        }
    }

    /// Finds lanes of effects that are due and that nobody was handed.
    async fn find_effects(&self) {
        while self.room(&self.bulk, BULK_COURIERS_MAX).await {
            let limit = free(&self.bulk);
            let found = self
                .shared
                .store
                .claim_effects(limit, self.shared.now())
                .await;
            let found = found.unwrap_or_else(|error| {
                tracing::error!(%error, "due effects could not be claimed");
                Vec::new()
            });
            if found.is_empty() {
                self.pause().await;
            }
            for effect in found {
                self.courier(effect, None, Arc::clone(&self.bulk), Priority::Bulk);
            }
        }
    }

    /// Waits until a part of the workers is free, so that lanes are claimed several at a time.
    /// False when the engine stops.
    async fn room(&self, permits: &Semaphore, all: usize) -> bool {
        let several = u32::try_from(all / 4).unwrap_or(1).max(1);
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => false,
            _ = permits.acquire_many(several) => true,
        }
    }

    async fn pause(&self) {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = self.shared.store.work() => {}
            () = self.shared.stopping.cancelled() => {}
        }
    }
}

fn free(permits: &Semaphore) -> i64 {
    i64::try_from(permits.available_permits().max(1)).unwrap_or(1)
}

/// Keeps the lanes that this process holds.
async fn renew(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            () = shared.stopping.cancelled() => return,
        }
        if let Err(error) = shared.store.renew(shared.now()).await {
            tracing::error!(%error, "lanes could not be kept");
        }
    }
}
