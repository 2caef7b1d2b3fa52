//! A lane that is told of while its delivery is being made durable.

use std::sync::{Arc, Mutex, mpsc};

use bowline_domain::ids::EventId;
use bowline_store::model::{Accepted, Lease, NewEvent, OnArrival};
use bowline_store::testing::{Backend, Cluster, Options, Scratch, check_lanes, texts};
use bowline_store::{Store, StoreError};

use crate::lost_connections::behind_a_relay;
use crate::support::*;

on_both!(
    a_lane_that_is_told_of_early_is_worked_like_any_other,
    what_takes_no_lane_is_not_told_of,
);

type Told = Option<(EventId, Lease)>;

/// Stores a delivery; answers beside what became of it what was told early.
async fn accept(store: &Store, event: NewEvent) -> (Result<Accepted, StoreError>, Told) {
    let told = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&told);
    let early = move |event, lease| *tell.lock().unwrap() = Some((event, lease));
    let accepted = store.accept_early(event, early).await;
    let told = told.lock().unwrap().take();
    (accepted, told)
}

async fn a_lane_that_is_told_of_early_is_worked_like_any_other(world: &World) {
    let store = &world.store;
    let (accepted, told) = accept(store, event("1", "d1")).await;
    let (id, lease) = told.expect("the lane was idle");
    assert_eq!(fresh(&accepted.unwrap()), (id, None), "it is told once");
    assert_eq!(lease.lane, event_lane("1"));
    let made = effects(vec![note("7", "n")]);
    let committed = decide(store, &lease, id, made).await.unwrap();
    assert_eq!(committed.taken.len(), 1);
}

async fn what_takes_no_lane_is_not_told_of(world: &World) {
    let store = &world.store;
    let (_, told) = accept(store, event("1", "d1")).await;
    assert!(told.is_some());
    let unwanted = NewEvent {
        take: false,
        ..event("2", "d3")
    };
    let quarantined = NewEvent {
        on_arrival: OnArrival::Quarantine("unknown".to_owned()),
        ..event("3", "d4")
    };
    for (what, event) in [
        ("it was stored before", event("1", "d1")),
        ("its lane is held", event("1", "d2")),
        ("its lane is not wanted", unwanted),
        ("nobody can plan it", quarantined),
    ] {
        let (accepted, told) = accept(store, event).await;
        assert!(told.is_none(), "{what}");
        match accepted.unwrap() {
            Accepted::Fresh { lease, .. } => assert_eq!(lease, None, "{what}"),
            Accepted::Duplicate => assert_eq!(what, "it was stored before"),
            Accepted::Decided { .. } => panic!("{what}: decided"),
        }
    }
}

/// Of a server that nobody else uses, how much of what it has written is not on the disk.
async fn not_durable(url: &str) -> i64 {
    let sql = "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), \
        pg_current_wal_flush_lsn()) AS TEXT)";
    let rows = texts(url, sql).await.unwrap();
    rows[0][0].as_deref().unwrap().parse().unwrap()
}

/// A delivery that is being stored, and stays where its lane was told of.
struct Halted {
    told: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Halted {
    fn new() -> (Self, impl FnOnce(EventId, Lease) + Send + 'static) {
        let ((tell, told), (go_on, gone_on)) = (mpsc::channel(), mpsc::channel());
        let halt = move |_, _| {
            tell.send(()).unwrap();
            // Whoever halted it is gone: then it goes on.
            tokio::task::block_in_place(|| gone_on.recv().ok());
        };
        (Self { told, go_on }, halt)
    }
}

/// The server makes things durable by itself now and then, so one of a few is looked for that it left
/// alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delivery_is_told_of_before_it_is_durable_and_answered_afterwards() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let url = cluster.database().unwrap();
    let store = open(&url, "first", 1_000, false).await;
    let other = open(&url, "second", 2_000, false).await;
    let mut seen = false;
    for nth in 0..20 {
        let delivery = event(&nth.to_string(), &format!("d{nth}"));
        let (halted, early) = Halted::new();
        let accepting = {
            let (store, delivery) = (store.clone(), delivery.clone());
            tokio::spawn(async move { store.accept_early(delivery, early).await })
        };
        let told = tokio::task::spawn_blocking(move || (halted.told.recv(), halted.go_on));
        let (told, go_on) = told.await.unwrap();
        told.unwrap();
        seen |= not_durable(&url).await > 0;
        if nth % 2 == 0 {
            // It is there for everybody, and whoever says so answers for it.
            let again = other.accept(delivery).await.unwrap();
            assert!(matches!(again, Accepted::Duplicate), "{again:?}");
            assert_eq!(not_durable(&url).await, 0);
        }
        go_on.send(()).unwrap();
        assert_eq!(fresh(&accepting.await.unwrap().unwrap()).1, None);
        assert_eq!(not_durable(&url).await, 0);
    }
    assert!(seen, "none was told of before it was durable");
    store.close().await;
    other.close().await;
}

/// What was answered is there after the server's death. What was only told of may be gone with it, and
/// its sender is not told that it is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_outlives_the_server() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let url = cluster.database().unwrap();
    let (mut answered, mut lost) = (Vec::new(), false);
    for round in 0..4 {
        let store = open(&url, &format!("p{round}"), 1_000 * (round + 1), false).await;
        for nth in 0..5 {
            let name = format!("answered-{round}-{nth}");
            let (accepted, told) = accept(&store, event(&name, &name)).await;
            assert!(accepted.is_ok() && told.is_some());
            answered.push(name);
        }
        let name = format!("told-{round}");
        let (halted, early) = Halted::new();
        let accepting = {
            let (store, delivery) = (store.clone(), event(&name, &name));
            tokio::spawn(async move { store.accept_early(delivery, early).await })
        };
        let crashed = tokio::task::block_in_place(|| {
            halted.told.recv().unwrap();
            cluster.crash()
        });
        crashed.unwrap();
        halted.go_on.send(()).unwrap();
        let refused = accepting.await.unwrap();
        assert!(refused.is_err(), "{refused:?}");
        store.close().await;
        let stored = texts(&url, "SELECT delivery FROM event").await.unwrap();
        let there = |name: &String| stored.iter().any(|row| row[0].as_ref() == Some(name));
        assert!(answered.iter().all(there), "answered, and gone: {stored:?}");
        lost |= !there(&name);
    }
    assert!(lost, "the server made all of them durable by itself");
}

#[tokio::test]
async fn a_delivery_that_could_not_be_made_durable_is_refused_and_its_lane_let_go() {
    let scratch = Scratch::new(Backend::Postgres);
    let (store, relay) = behind_a_relay(&scratch).await;
    let told = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&told);
    let refused = store.accept_early(event("1", "d1"), move |event, lease| {
        relay.swallow_next_answer();
        *tell.lock().unwrap() = Some((event, lease, relay));
    });
    assert!(refused.await.is_err(), "nobody can say that it is durable");
    let (id, lease, _relay) = told.lock().unwrap().take().unwrap();
    let claimed = eventually("the lane is free", async || {
        store.claim_events(1, T0).await.unwrap().pop()
    })
    .await;
    assert_eq!(claimed.lane, event_lane("1"));
    let late = decide(&store, &lease, id, effects(vec![note("7", "n")])).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    let again = store.accept(event("1", "d1")).await.unwrap();
    assert!(matches!(again, Accepted::Duplicate), "{again:?}");
    let made = effects(vec![note("7", "n")]);
    decide(&store, &claimed, id, made).await.unwrap();
    assert_eq!(
        check_lanes(scratch.url()).await.unwrap(),
        Vec::<String>::new()
    );
    store.close().await;
}
