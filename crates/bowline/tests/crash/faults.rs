//! Everything that platforms and networks do to a service, at random, while people work. Then all
//! is mended, and within a bounded time it is as if nothing had happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline::demo::{World, until};
use bowline::service::Service;
use bowline_sandbox::common::{Disturbance, Entry, Fault, FaultKind, Faults};
use bowline_sandbox::jira::BOT_TOKEN;
use bowline_store::Store;

use crate::checker::{Report, check};
use crate::driver::Driver;
use crate::model::Model;
use crate::records::Records;
use crate::{records, site};

/// Seeds of an ordinary run.
const SEEDS: [u64; 6] = [1, 2, 3, 4, 5, 6];

/// Conversations of one run.
const CONVERSATIONS: usize = 8;

/// How long things go wrong.
const BAD_TIMES: Duration = Duration::from_secs(20);

/// How long one spell of bad weather lasts, and the pause between two things that people do, in
/// milliseconds.
const SPELL_MS: std::ops::Range<u64> = 200..1_200;
const PAUSE_MS: std::ops::Range<u64> = 50..400;

/// What people do after everything was mended.
const STEPS_AFTER: usize = 40;

/// How long it may take, once all is mended, until everything is as it should be. The longest part
/// of it is the wait of what failed again and again.
const CONVERGES_WITHIN: Duration = Duration::from_secs(150);

/// Calls that Intercom allows in ten seconds.
const CALLS_PER_WINDOW: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_bad_times_everything_is_as_if_nothing_had_happened() {
    let seeds = match std::env::var("CRASH_SEEDS") {
        Ok(text) => text
            .split(',')
            .map(|seed| seed.trim().parse().unwrap())
            .collect(),
        Err(_) => SEEDS.to_vec(),
    };
    let runs: Vec<_> = seeds
        .into_iter()
        .map(|seed| tokio::spawn(weather_through(seed)))
        .collect();
    let mut failed = Vec::new();
    for run in runs {
        failed.extend(run.await.unwrap());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn a_refused_token_is_tried_again_at_growing_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::prepare(site::plan(folder.path())).await.unwrap();
    world.sandbox.intercom.state.revoke_token();
    let service = Service::start(&world.config().unwrap(), Arc::new(String::new))
        .await
        .unwrap();
    let journal = world.sandbox.intercom.state.journal();
    let tries = || -> Vec<i64> {
        let refused = journal
            .entries()
            .into_iter()
            .filter(|call| call.status == 401);
        refused.map(|call| call.at_ms).collect()
    };
    let tried = until(|| Some(tries()).filter(|tries| tries.len() >= 4))
        .await
        .unwrap();
    service.stop().await;
    // At least half of 1, 2 and 4 seconds.
    assert!(tried[3] - tried[0] >= 3_500, "tried at {tried:?}");
}

/// One run. Returns what is wrong in the end.
async fn weather_through(seed: u64) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut plan = site::plan(folder.path());
    plan.intercom.rate_limit_per_10s = Some(CALLS_PER_WINDOW);
    let world = World::prepare(plan).await.unwrap();
    poll_often(&world);
    let service = Service::start(&world.config().unwrap(), Arc::new(String::new))
        .await
        .unwrap();
    site::connect(&world, service.addr);
    let conversations = site::conversations(&world, CONVERSATIONS);

    let mut driver = Driver::new(&world, conversations, seed);
    driver.model.lossy = true;
    let mut weather = Weather {
        world: &world,
        chance: fastrand::Rng::with_seed(seed ^ 1),
    };
    let (mut driver, ()) = tokio::join!(work(driver, seed), weather.be_bad());
    weather.mend();
    let mended = Instant::now();
    let first = converge(&world, &driver.model, &service).await;
    let first_took = mended.elapsed();

    // Now everybody knows everything, and nothing may come late any more.
    driver.model.lossy = false;
    let mut chance = fastrand::Rng::with_seed(seed ^ 2);
    for _ in 0..STEPS_AFTER {
        driver.step();
        tokio::time::sleep(Duration::from_millis(chance.u64(20..60))).await;
    }
    driver.last_round();
    let mut report = converge(&world, &driver.model, &service).await;
    if !first.clean() {
        report
            .faults
            .push(format!("before the last steps: {first}"));
    }
    limits(&world, &mut report);
    let records = records_at_rest(&service.shared().store).await;
    report.faults.extend(records.faults);
    service.stop().await;
    println!(
        "seed {seed}: {} things done in {:.1?}, converged {first_took:.1?} after the end of bad \
         times; {report}; {} events, {} effects, {} found by their mark",
        driver.model.facts(),
        began.elapsed(),
        records.events,
        records.effects,
        records.found_by_mark,
    );
    if report.clean() {
        return None;
    }
    println!(
        "the files of seed {seed} are in {}",
        folder.keep().display()
    );
    Some(format!("seed {seed}: {report}"))
}

/// Looks for missed changes as often as the configuration allows.
fn poll_often(world: &World) {
    let text = std::fs::read_to_string(&world.config_path).unwrap();
    let text = text.replace("webhook_secret", "poll_seconds = 10\nwebhook_secret");
    std::fs::write(&world.config_path, text).unwrap();
}

async fn work(mut driver: Driver<'_>, seed: u64) -> Driver<'_> {
    let mut chance = fastrand::Rng::with_seed(seed ^ 3);
    let end = Instant::now() + BAD_TIMES;
    while Instant::now() < end {
        driver.step();
        tokio::time::sleep(Duration::from_millis(chance.u64(PAUSE_MS))).await;
    }
    driver
}

/// What goes wrong.
struct Weather<'w> {
    world: &'w World,
    chance: fastrand::Rng,
}

impl Weather<'_> {
    async fn be_bad(&mut self) {
        let end = Instant::now() + BAD_TIMES;
        while Instant::now() < end {
            self.spell();
            tokio::time::sleep(Duration::from_millis(self.chance.u64(SPELL_MS))).await;
        }
    }

    fn spell(&mut self) {
        let intercom = self.world.sandbox.intercom.state.clone();
        let jira = self.world.sandbox.jira.state.clone();
        match self.chance.u32(0..16) {
            0..5 => {
                let path = *self.chance.choice(&["/reply", "/reply", "/parts"]).unwrap();
                self.fault(intercom.faults(), "POST", path);
            }
            5..7 => self.fault(intercom.faults(), "GET", "/conversations/"),
            7..9 => self.fault(jira.faults(), "GET", "/issue/"),
            9 => {
                let calls = [
                    ("PUT", "/properties/"),
                    ("POST", "/remotelink"),
                    ("GET", "/search"),
                ];
                let (method, path) = *self.chance.choice(&calls).unwrap();
                self.fault(jira.faults(), method, path);
            }
            10..12 => {
                let disturbance = self.disturbance();
                jira.disturb(disturbance);
            }
            12 => {
                let disturbance = self.disturbance();
                intercom.sender().disturb(disturbance);
            }
            13 => self.access(),
            14 => jira.set_search_lag(self.chance.i64(0..3_000)),
            _ => {
                let (twice, adf, bare) =
                    (self.chance.bool(), self.chance.bool(), self.chance.bool());
                jira.switch(|switches| {
                    switches.doubled_comments = twice;
                    switches.adf_in_webhooks = adf;
                    switches.comment_events_without_issue = bare;
                });
            }
        }
    }

    /// A few calls suffer.
    fn fault(&mut self, faults: &Faults, method: &str, path: &str) {
        let status = |status, headers: &[(&str, &str)]| FaultKind::Status {
            status,
            body: None,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        };
        let kind = match self.chance.u32(0..20) {
            0..3 => FaultKind::DropBefore,
            3..7 => FaultKind::DropAfter,
            7..9 => status(500, &[]),
            9 => status(503, &[("Retry-After", "1")]),
            10..12 => status(429, &[("Retry-After", "1")]),
            12..15 => FaultKind::StatusAfter { status: 502 },
            15 => FaultKind::Delay {
                ms: self.chance.u64(50..900),
            },
            16..18 => FaultKind::DelayAfter {
                ms: self.chance.u64(50..900),
            },
            18 => FaultKind::HangAfter,
            _ => FaultKind::Hang,
        };
        let hangs = matches!(kind, FaultKind::Hang | FaultKind::HangAfter);
        let times = if hangs { 1 } else { self.chance.u32(1..6) };
        faults.add(Fault::of(kind).on(method, path).times(times));
    }

    fn disturbance(&mut self) -> Disturbance {
        Disturbance {
            duplicate_every: self.chance.u32(0..4),
            reorder: self.chance.bool(),
            drop_every: *self.chance.choice(&[0, 0, 3, 5]).unwrap(),
            hold: self.chance.u32(0..4) == 0,
        }
    }

    /// What the service is allowed comes and goes.
    fn access(&mut self) {
        let intercom = &self.world.sandbox.intercom.state;
        let jira = &self.world.sandbox.jira.state;
        match self.chance.u32(0..4) {
            0 => intercom.revoke_token(),
            1 => jira.set_token("bowline-bot", None),
            2 => intercom.set_plan_restricted(true),
            _ => self.allow(),
        }
    }

    fn allow(&self) {
        let intercom = &self.world.sandbox.intercom.state;
        let token = intercom.config().access_token.clone();
        intercom.set_token(&token);
        intercom.set_plan_restricted(false);
        self.world
            .sandbox
            .jira
            .state
            .set_token("bowline-bot", Some(BOT_TOKEN));
    }

    /// Everything is as it should be again.
    fn mend(&self) {
        let (intercom, jira) = (
            &self.world.sandbox.intercom.state,
            &self.world.sandbox.jira.state,
        );
        intercom.faults().clear();
        jira.faults().clear();
        jira.disturb(Disturbance::default());
        intercom.sender().disturb(Disturbance::default());
        jira.set_search_lag(0);
        self.allow();
    }
}

/// Waits until everything is as it should be and nothing waits; or for as long as that may take.
async fn converge(world: &World, model: &Model, service: &Service) -> Report {
    let deadline = Instant::now() + CONVERGES_WITHIN;
    let store = &service.shared().store;
    loop {
        let over = Instant::now() > deadline;
        let backlog = store.backlog().await.unwrap();
        let empty = backlog.events == 0 && backlog.effects == 0;
        let jira = world.sandbox.jira.state.sender();
        let quiet = tokio::time::timeout(Duration::from_millis(1), jira.quiet())
            .await
            .is_ok();
        if over || (empty && quiet) {
            let mut report = check(world, model);
            if !(empty && quiet) {
                report
                    .faults
                    .push(format!("the queues did not get empty: {backlog:?}"));
            }
            if over || report.clean() {
                return report;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The records when nothing waits. A look for missed changes, every few seconds, may have found
/// something after everything was seen to be as it should be; it is then decided and explained
/// like anything else, within the same time.
async fn records_at_rest(store: &Store) -> Records {
    let deadline = Instant::now() + CONVERGES_WITHIN;
    loop {
        let records = records::read(store).await;
        if records.waiting == 0 || Instant::now() > deadline {
            return records;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Intercom's limit was kept: what it refused for being too many, it refused before the service
/// could know the limit.
fn limits(world: &World, report: &mut Report) {
    let windows = world.sandbox.intercom.state.windows();
    let journal = world.sandbox.intercom.state.journal().entries();
    for window in windows.iter().skip(1).filter(|window| window.refused > 0) {
        let inside = |call: &&Entry| call.at_ms.div_euclid(10_000) * 10 == window.start;
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for call in journal.iter().filter(inside) {
            let what = call.path.rsplit('/').next().unwrap_or_default();
            let what = if what.parse::<u64>().is_ok() {
                "conversation"
            } else {
                what
            };
            *calls
                .entry(format!("{} {what}: {}", call.method, call.status))
                .or_default() += 1;
        }
        report
            .faults
            .push(format!("too many calls: {window:?}: {calls:?}"));
    }
}
