//! Random histories through the real engine, many at once, with faults and restarts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bowline::demo::SITE;
use bowline::service::Service;
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::AccountName;
use bowline_store::model::EventFilter;
use bowline_store::testing::Backend;
use futures_util::future::join_all;

use crate::history::History;
use crate::install::{ACCOUNT, Install, at_rest};
use crate::{chronicle, number, seed, weather};

/// Histories of an ordinary run, unless `TALK_CASES` says otherwise, and rounds of each.
const CASES: usize = 24;
const ROUNDS: usize = 6;

/// How long the service runs before it is stopped and started again, in milliseconds.
const RUNS_MS: std::ops::Range<u64> = 12_000..20_000;

/// How long it may take at the end until nothing waits.
const REST: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_come_to_what_the_rules_say_on_sqlite() {
    histories(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_come_to_what_the_rules_say_on_postgres() {
    histories(Backend::Postgres).await;
}

async fn histories(database: Backend) {
    let (cases, seed) = (number("TALK_CASES").unwrap_or(CASES), seed());
    println!("seed {seed}, {database:?}: {cases} histories");
    let began = Instant::now();
    let install = Install::prepare(database, "quiet_seconds = 0").await;
    let enough = AtomicBool::new(false);
    let first = install.start().await;
    let (played, service, ()) = tokio::join!(
        play(&install, cases, seed, &enough),
        start_again_and_again(&install, first, seed, &enough),
        weather::be_bad(&install, seed, &enough)
    );
    let (service, starts) = service;
    // What failed again and again waits for long; all is mended now.
    let (store, now) = (&service.shared().store, service.shared().now());
    for connection in [
        Connection::Site(SiteName::new(SITE)),
        Connection::Account(AccountName::new(ACCOUNT)),
    ] {
        store.hasten(&connection, now).await.unwrap();
    }
    let rested = at_rest(&install, &service, REST).await;
    let (mut wrong, mut phones) = (Vec::new(), Vec::new());
    let (mut deeds, mut held) = (0, 0);
    for (history, result) in played {
        deeds += history.deeds;
        held += history.held;
        if let Err(why) = result.and_then(|()| history.is_right_still()) {
            wrong.push(why);
            phones.push(history.number_of_phone());
        }
    }
    if !phones.is_empty() {
        println!("{}", chronicle::of(&install, &service, &phones).await);
    }
    let waiting = waiting(&service).await;
    service.stop().await;
    println!(
        "seed {seed}, {database:?}: {cases} histories of {ROUNDS} rounds, {deeds} deeds, {starts} \
         starts of the service, {held} messages held for a person, in {:.1?}",
        began.elapsed()
    );
    install.assert_no_leak();
    assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n\n"));
    assert!(rested, "seed {seed}: still at work: {waiting:#?}");
}

/// The effects that are not settled, each with the reason.
async fn waiting(service: &Service) -> Vec<String> {
    let store = &service.shared().store;
    let all = EventFilter {
        limit: 100_000,
        ..EventFilter::default()
    };
    let mut waiting = Vec::new();
    for event in store.events(&all).await.unwrap() {
        for effect in store.effects_of(event.event.id).await.unwrap() {
            if !effect.state.settled() {
                waiting.push(format!(
                    "{} {:?} {:?}",
                    effect.effect.key, effect.state, effect.reason
                ));
            }
        }
    }
    waiting
}

/// Plays all histories at the same time. When they are over, it is enough.
async fn play<'i>(
    install: &'i Install,
    cases: usize,
    seed: u64,
    enough: &AtomicBool,
) -> Vec<(History<'i>, Result<(), String>)> {
    let all = (0..cases).map(|number| async move {
        let mut history = History::new(install, number, seed);
        let result = history.play(ROUNDS).await;
        (history, result)
    });
    let played = join_all(all).await;
    enough.store(true, Ordering::Relaxed);
    played
}

/// Stops the service and starts it again until it is enough. Leaves it running.
async fn start_again_and_again(
    install: &Install,
    mut service: Service,
    seed: u64,
    enough: &AtomicBool,
) -> (Service, usize) {
    let mut chance = fastrand::Rng::with_seed(seed ^ 0x57a7);
    let mut starts = 1;
    loop {
        let until = Instant::now() + Duration::from_millis(chance.u64(RUNS_MS));
        while Instant::now() < until && !enough.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if enough.load(Ordering::Relaxed) {
            return (service, starts);
        }
        service.stop().await;
        service = install.start().await;
        starts += 1;
    }
}
