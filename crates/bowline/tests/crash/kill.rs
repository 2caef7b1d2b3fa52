//! `kill -9` at random moments of a busy run, restart, and at the end nothing is lost or doubled.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bowline::demo::World;
use bowline::service::open_store;
use bowline_sandbox::common::{Fault, FaultKind};
use bowline_store::testing::{Backend, Scratch};

use crate::checker::{Report, check};
use crate::driver::Driver;
use crate::model::Model;
use crate::process::{Serving, Starter, ready};
use crate::{records, site};

/// Conversations of a run.
const CONVERSATIONS: usize = 20;

/// Kills that are left when people do their last things, so that those are killed into too.
const LAST_KILLS: usize = 10;

/// The pause between two things that people do, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 10..90;

/// How long everything may take to come to rest after the last start.
const REST: Duration = Duration::from_secs(150);

/// How long the first start may take.
const FIRST_START: Duration = Duration::from_mins(1);

/// Kills of a run, unless `CRASH_KILLS` says otherwise.
const KILLS: usize = 200;

/// Seed, kills and database of a run.
struct Run {
    seed: u64,
    kills: usize,
    database: Backend,
}

impl Run {
    fn on(database: Backend) -> Self {
        Self {
            seed: seed(),
            kills: number("CRASH_KILLS").unwrap_or(KILLS),
            database,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_and_double_nothing_on_sqlite() {
    survive(Run::on(Backend::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_and_double_nothing_on_postgres() {
    survive(Run::on(Backend::Postgres)).await;
}

fn number<N: std::str::FromStr>(variable: &str) -> Option<N> {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
}

/// The same actions in every run unless another seed is asked for; the moments differ anyway.
fn seed() -> u64 {
    number("CRASH_SEED").unwrap_or(7)
}

async fn survive(run: Run) {
    let folder = tempfile::tempdir().unwrap();
    println!("seed {}, {:?}: {} kills", run.seed, run.database, run.kills);
    let began = Instant::now();
    let mut plan = site::plan(folder.path());
    // Goes with its scratch. The SQLite file lies in the folder of the run, so that it is kept with
    // it when the run fails.
    let scratch = (run.database == Backend::Postgres).then(|| Scratch::new(Backend::Postgres));
    plan.database_url = scratch.as_ref().map(|scratch| scratch.url().to_owned());
    let service = plan.listen;
    let world = World::prepare(plan).await.unwrap();
    site::connect(&world, service);
    let conversations = site::conversations(&world, CONVERSATIONS);
    let starter = Starter::new(&world.config_path, folder.path());
    let base = format!("http://{service}");

    // What is older than the binding is taken over without a note. People begin when the service
    // has seen its bindings once.
    let first = starter.start();
    until_ready(&world, &base).await;
    first.kill();
    let driver = Driver::new(&world, conversations, run.seed);
    let enough = AtomicBool::new(false);
    let (model, ()) = tokio::join!(
        drive(driver, &enough, run.seed),
        kill_again_and_again(&world, &starter, &run, &enough)
    );
    world.sandbox.intercom.state.faults().clear();
    world.sandbox.jira.state.faults().clear();
    let killed_for = began.elapsed();

    let last = starter.start();
    let report = at_rest(&world, &model, &base).await;
    last.kill();
    let store = open_store(&world.config().unwrap()).await.unwrap();
    let records = records::read(&store).await;
    store.close().await;
    println!(
        "seed {}, {:?}: {} things done, {} kills in {:.1?}, at rest after {:.1?} more; {report}; of {} \
         events and {} effects, {} were found on the far side by their mark after a kill",
        run.seed,
        run.database,
        model.facts(),
        run.kills,
        killed_for,
        began.elapsed().saturating_sub(killed_for),
        records.events,
        records.effects,
        records.found_by_mark,
    );
    if !report.clean() || !records.faults.is_empty() {
        keep(folder);
        panic!("seed {}: {:#?}\n{report}", run.seed, records.faults);
    }
    assert!(
        records.found_by_mark > 0,
        "no kill fell between a note and its record"
    );
}

/// People work until it is enough, and then move what is closed.
async fn drive(mut driver: Driver<'_>, enough: &AtomicBool, seed: u64) -> Model {
    let mut chance = fastrand::Rng::with_seed(seed ^ 1);
    while !enough.load(Ordering::Relaxed) {
        driver.step();
        tokio::time::sleep(Duration::from_millis(chance.u64(PAUSE_MS))).await;
    }
    driver.last_round();
    driver.model
}

async fn kill_again_and_again(world: &World, starter: &Starter, run: &Run, enough: &AtomicBool) {
    let mut chance = fastrand::Rng::with_seed(run.seed ^ 2);
    for kill in 0..run.kills {
        if kill + LAST_KILLS >= run.kills {
            enough.store(true, Ordering::Relaxed);
        }
        weather(world, &mut chance);
        let life = life(&mut chance);
        let serving: Serving = starter.start();
        tokio::time::sleep(life).await;
        assert!(serving.kill(), "the process ended by itself");
    }
    enough.store(true, Ordering::Relaxed);
}

/// How long a process lives: some die while they start, most in the middle of work, some live long
/// enough to look twice at what the one before left in doubt.
fn life(chance: &mut fastrand::Rng) -> Duration {
    Duration::from_millis(match chance.u32(0..10) {
        0..2 => chance.u64(0..150),
        2..8 => chance.u64(150..800),
        _ => chance.u64(800..3_200),
    })
}

/// Calls take their time, before or after they are done, so that kills fall inside them.
fn weather(world: &World, chance: &mut fastrand::Rng) {
    let intercom = world.sandbox.intercom.state.faults();
    intercom.clear();
    for path in ["/reply", "/parts"] {
        let kind = match chance.u32(0..4) {
            0 => FaultKind::Delay {
                ms: chance.u64(20..400),
            },
            1..3 => FaultKind::DelayAfter {
                ms: chance.u64(20..300),
            },
            _ => continue,
        };
        intercom.add(Fault::of(kind).on("POST", path));
    }
    let jira = world.sandbox.jira.state.faults();
    jira.clear();
    for (method, path) in [
        ("GET", "/issue/"),
        ("PUT", "/properties/"),
        ("POST", "/remotelink"),
    ] {
        let kind = match chance.u32(0..4) {
            0 => FaultKind::Delay {
                ms: chance.u64(5..100),
            },
            1 => FaultKind::DelayAfter {
                ms: chance.u64(5..100),
            },
            _ => continue,
        };
        jira.add(Fault::of(kind).on(method, path));
    }
}

async fn until_ready(world: &World, base: &str) {
    let deadline = Instant::now() + FIRST_START;
    while ready(world.sandbox.jira.state.sender(), base)
        .await
        .is_none()
    {
        assert!(Instant::now() < deadline, "the service did not get ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until every webhook was taken and every queue is empty, and everything is as it must be;
/// or for as long as that may take.
async fn at_rest(world: &World, model: &Model, base: &str) -> Report {
    let jira = world.sandbox.jira.state.sender();
    let deadline = Instant::now() + REST;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let over = Instant::now() > deadline;
        let empty = ready(jira, base)
            .await
            .is_some_and(|state| state["events_waiting"] == 0 && state["effects_waiting"] == 0);
        let quiet = tokio::time::timeout(Duration::from_millis(1), jira.quiet())
            .await
            .is_ok();
        let settled = empty && quiet;
        if !over && !settled {
            continue;
        }
        let mut report = check(world, model);
        if !settled {
            report
                .faults
                .push("the queues did not get empty".to_owned());
        }
        if report.clean() || over {
            return report;
        }
    }
}

/// Leaves the files of a failed run where they are.
fn keep(folder: tempfile::TempDir) {
    let path: &Path = &folder.keep();
    println!("the files of the failed run are in {}", path.display());
}
