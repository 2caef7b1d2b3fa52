//! Two processes on one PostgreSQL that work the same lanes: nothing is lost, nothing is done twice,
//! and each lane is worked in order, while workers vanish and lag.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bowline_domain::effect::Act;
use bowline_domain::time::Millis;
use bowline_store::model::{Lease, TakenEffect};
use bowline_store::testing::{Backend, Scratch, check_lanes};
use bowline_store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::support::*;

const LANES: usize = 6;
const EVENTS_PER_LANE: usize = 25;

/// One process's part in the run.
struct Replica {
    store: Store,
    clock: Arc<AtomicI64>,
    /// Deliveries that are still to come.
    coming: Arc<AtomicUsize>,
    chance: fastrand::Rng,
}

impl Replica {
    fn now(&self) -> Millis {
        Millis(self.clock.load(Ordering::Relaxed))
    }

    /// One in so many times.
    fn one_in(&mut self, times: u32) -> bool {
        self.chance.u32(0..times) == 0
    }

    /// Works a lane of events until it is empty or lost, or its worker vanishes.
    async fn plan(&mut self, lease: Lease) {
        loop {
            if self.one_in(12) {
                return;
            }
            if self.one_in(8) {
                let due_at = self.now().plus_ms(5);
                self.store.postpone(lease, due_at, true).await.unwrap();
                return;
            }
            let waiting = self.store.waiting_events(&lease.lane, 1).await.unwrap();
            let Some(event) = waiting.into_iter().next() else {
                return;
            };
            // One note for each event, to the conversation of the lane's name, and one to a
            // conversation that all lanes share.
            let lane = event.lane.as_str().rsplit('/').next().unwrap().to_owned();
            let name = format!("{:06}", event.id.0);
            let made = effects(vec![note(&lane, &name), note("shared", &name)]);
            let committed = match decide(&self.store, &lease, event.id, made).await {
                Ok(committed) => committed,
                Err(StoreError::Fenced { .. }) => return,
                Err(error) => panic!("{error}"),
            };
            for taken in committed.taken {
                self.send(taken).await;
            }
            if !committed.more {
                return;
            }
        }
    }

    /// Works a lane of effects until it is empty or lost, or its worker vanishes.
    async fn send(&mut self, first: TakenEffect) {
        let mut current = Some(first);
        while let Some(taken) = current {
            if self.one_in(12) {
                return;
            }
            if self.one_in(20) {
                // The call takes longer than the lease.
                self.clock.fetch_add(60_001, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            let ending = if self.one_in(8) {
                later(self.now().plus_ms(3), self.chance.bool())
            } else {
                confirmed(&format!("r{}", taken.id))
            };
            let settlement = bowline_store::model::Settlement {
                started_at: self.now(),
                ended_at: self.now(),
                ..settlement(&taken, ending)
            };
            current = self.store.settle(settlement).await.unwrap();
        }
    }

    async fn run(mut self) {
        loop {
            let leases = self.store.claim_events(2, self.now()).await.unwrap();
            let taken = self.store.claim_effects(2, self.now()).await.unwrap();
            if leases.is_empty() && taken.is_empty() {
                let all_came = self.coming.load(Ordering::SeqCst) == 0;
                let backlog = self.store.backlog().await.unwrap();
                if all_came && backlog.events + backlog.effects == 0 {
                    return;
                }
                // Nothing is due: time goes on, and now and then beyond the leases of the vanished.
                self.clock.fetch_add(20_000, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            for lease in leases {
                self.plan(lease).await;
            }
            for effect in taken {
                self.send(effect).await;
            }
        }
    }
}

/// Sends a lane's deliveries, each after the one before was acknowledged.
async fn deliver(store: Store, clock: Arc<AtomicI64>, coming: Arc<AtomicUsize>, lane: usize) {
    for n in 0..EVENTS_PER_LANE {
        let received_at = Millis(clock.load(Ordering::Relaxed));
        let event = event(&format!("l{lane}"), &format!("{lane}-{n}"));
        let event = bowline_store::model::NewEvent {
            received_at,
            ..left(event)
        };
        fresh(&store.accept(event).await.unwrap());
        coming.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_on_one_postgres_work_the_same_lanes() {
    for seed in [1, 2, 3] {
        let scratch = Scratch::new(Backend::Postgres);
        let clock = Arc::new(AtomicI64::new(T0.0));
        let coming = Arc::new(AtomicUsize::new(LANES * EVENTS_PER_LANE));
        let one = open(scratch.url(), "one", 1_000, true).await;
        let two = open(scratch.url(), "two", 5_000_000, true).await;
        let mut tasks = JoinSet::new();
        for lane in 0..LANES {
            let store = if lane % 2 == 0 { &one } else { &two };
            tasks.spawn(deliver(
                store.clone(),
                Arc::clone(&clock),
                Arc::clone(&coming),
                lane,
            ));
        }
        for worker in 0..6 {
            let store = if worker % 2 == 0 { &one } else { &two };
            let chance = fastrand::Rng::with_seed(seed * 100 + worker);
            let (clock, coming) = (Arc::clone(&clock), Arc::clone(&coming));
            let replica = Replica {
                store: store.clone(),
                clock,
                coming,
                chance,
            };
            tasks.spawn(replica.run());
        }
        let all = async {
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        };
        let over = tokio::time::timeout(Duration::from_mins(1), all).await;
        assert!(over.is_ok(), "seed {seed}: it does not come to an end");
        assert_eq!(
            check_lanes(scratch.url()).await.unwrap(),
            Vec::<String>::new(),
            "seed {seed}"
        );
        check_order(&one, scratch.url()).await;
        one.close().await;
        two.close().await;
    }
}

/// Every event made its two effects; the effects of each lane were made, and confirmed once, in the
/// order of the events.
async fn check_order(store: &Store, url: &str) {
    let confirmed = bowline_store::testing::texts(
        url,
        "SELECT effect.lane, effect.key, CAST(attempt.id AS TEXT) FROM attempt \
         JOIN effect ON effect.id = attempt.effect \
         WHERE attempt.outcome = 'confirmed' ORDER BY attempt.id",
    )
    .await
    .unwrap();
    let waiting = bowline_store::testing::texts(
        url,
        "SELECT key FROM effect WHERE state <> 2 UNION SELECT delivery FROM event WHERE state <> 1",
    )
    .await
    .unwrap();
    assert!(waiting.is_empty(), "{waiting:?}");
    // The first confirmation of each effect counts: one that lagged may say so again.
    let mut by_lane: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &confirmed {
        let (lane, key) = (row[0].clone().unwrap(), row[1].clone().unwrap());
        let keys = by_lane.entry(lane).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    assert_eq!(by_lane.len(), LANES + 1);
    for (lane, keys) in &by_lane {
        let shared = lane.ends_with("/shared");
        assert_eq!(
            keys.len(),
            if shared {
                LANES * EVENTS_PER_LANE
            } else {
                EVENTS_PER_LANE
            }
        );
        // Keys end in the event's id, so their order is the events'. Between the lanes that share
        // a conversation there is no order to keep, only within each.
        if !shared {
            assert!(keys.is_sorted(), "{lane}: {keys:?}");
        }
    }
    let filter = bowline_store::model::EventFilter {
        limit: 10_000,
        ..Default::default()
    };
    let events = store.events(&filter).await.unwrap();
    assert_eq!(events.len(), LANES * EVENTS_PER_LANE);
    for view in events {
        let made = store.effects_of(view.event.id).await.unwrap();
        assert_eq!(made.len(), 2);
        assert!(
            made.iter()
                .all(|effect| matches!(effect.effect.act, Act::Note { .. }))
        );
    }
}
