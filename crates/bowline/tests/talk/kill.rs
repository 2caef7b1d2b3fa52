//! `kill -9` at random moments of a busy talk, restart, and at the end every line stands once and in
//! its order, and every message to a customer came at most once; what did not come is held and said.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bowline::service::open_store;
use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::common::{Fault, FaultKind};
use bowline_sandbox::jira::Issue;
use bowline_sandbox::messagebird::Phone;
use bowline_store::Store;
use bowline_store::testing::Backend;

use crate::install::Install;
use crate::process::{Starter, ready};
use crate::{look, number, seed};

/// People who write.
const PEOPLE: usize = 10;

/// Kills of an ordinary run, unless `TALK_KILLS` says otherwise.
const KILLS: usize = 40;

/// Kills that are left when people do their last things, so that those are killed into too.
const LAST_KILLS: usize = 5;

/// The pause between two things that people do, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 20..120;

/// How long the service may take to get ready.
const START: Duration = Duration::from_mins(1);

/// How long everything may take to come to rest after the last start.
const REST: Duration = Duration::from_secs(150);

/// The status that ends a conversation.
const LAST: &str = "Resolved";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_no_line_and_no_message_on_sqlite() {
    survive(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_no_line_and_no_message_on_postgres() {
    survive(Backend::Postgres).await;
}

async fn survive(database: Backend) {
    let (kills, seed) = (number("TALK_KILLS").unwrap_or(KILLS), seed());
    println!("seed {seed}, {database:?}: {kills} kills");
    let began = Instant::now();
    let install = Install::prepare(database, "quiet_seconds = 0").await;
    let starter = Starter::new(&install.world.config_path, install.folder.path());
    let base = format!("http://{}", install.listen);
    let first = starter.start();
    until_ready(&install, &base).await;
    install.registered().await;
    first.kill();

    let enough = AtomicBool::new(false);
    let (done, ()) = tokio::join!(
        work(&install, seed, &enough),
        kill_again_and_again(&install, &starter, (kills, seed), &enough)
    );
    install.mend();
    let killed_for = began.elapsed();
    let last = starter.start();
    let rested = at_rest(&install, &base).await;
    last.kill();
    let store = open_store(&install.world.config().unwrap()).await.unwrap();
    let mut report = Report::default();
    done.check(&install, &mut report);
    held(&install, &store, &mut report).await;
    store.close().await;
    println!(
        "seed {seed}, {database:?}: {kills} kills in {killed_for:.1?}; {} messages of {PEOPLE} \
         people in {} requests, {} answers and {} changes of status, {} messages came, {} are held, \
         {} were not sent and said so; at rest after {:.1?} more",
        done.written,
        install.jira().requests("SUP").len(),
        done.answers.len(),
        done.changes,
        report.came,
        report.held,
        report.not_sent,
        began.elapsed().saturating_sub(killed_for),
    );
    install.assert_no_leak();
    if !rested {
        report.wrong.push("the queues did not get empty".to_owned());
    }
    if !report.wrong.is_empty() {
        let wrong = report.wrong.join("\n");
        install.keep();
        panic!("seed {seed}: {wrong}");
    }
}

/// What was done.
struct Done {
    phones: Vec<Phone>,
    /// How many messages each person wrote.
    written_by: Vec<usize>,
    written: usize,
    /// Public comments: on which request, and what they say.
    answers: Vec<(String, String)>,
    changes: usize,
}

/// What was found.
#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    came: usize,
    held: usize,
    not_sent: usize,
}

/// People and agents work until it is enough.
async fn work(install: &Install, seed: u64, enough: &AtomicBool) -> Done {
    let mut chance = fastrand::Rng::with_seed(seed ^ 1);
    let phone = |number| install.bird().phone(&format!("+15552{number:06}"));
    let mut done = Done {
        phones: (0..PEOPLE).map(phone).collect(),
        written_by: vec![0; PEOPLE],
        written: 0,
        answers: Vec::new(),
        changes: 0,
    };
    while !enough.load(Ordering::Relaxed) {
        step(install, &mut chance, &mut done);
        tokio::time::sleep(Duration::from_millis(chance.u64(PAUSE_MS))).await;
    }
    done
}

fn step(install: &Install, chance: &mut fastrand::Rng, done: &mut Done) {
    let requests = install.jira().requests("SUP");
    let Some(request) = chance.choice(&requests).filter(|_| chance.u32(0..5) > 2) else {
        let person = chance.usize(0..PEOPLE);
        let text = format!("person {person} message {:04}.", done.written_by[person]);
        done.written_by[person] += 1;
        done.written += 1;
        done.phones[person].writes(&text);
        return;
    };
    let key = request.key.as_str();
    let jira = install.jira();
    match chance.u32(0..10) {
        0..5 => {
            let text = format!("answer {:04}.", done.answers.len());
            jira.acting("lena").comment(key, text.as_str()).unwrap();
            done.answers.push((key.to_owned(), text));
        }
        5..7 => {
            let text = format!("secret: only for us {:08x}", chance.u32(..));
            jira.acting("priya").note(key, text.as_str()).unwrap();
        }
        _ => {
            let now = request.status.name;
            // An end is rare, so that much is answered before it.
            let end = if chance.u32(0..6) == 0 { LAST } else { now };
            let others = ["Waiting for customer", "Waiting for support", end];
            let others: Vec<&str> = others.into_iter().filter(|to| *to != now).collect();
            let to = *chance.choice(&others).unwrap();
            if now != LAST {
                jira.acting("omar").transition(key, to, None).unwrap();
                done.changes += 1;
            }
        }
    }
}

async fn kill_again_and_again(
    install: &Install,
    starter: &Starter,
    (kills, seed): (usize, u64),
    enough: &AtomicBool,
) {
    let mut chance = fastrand::Rng::with_seed(seed ^ 2);
    for kill in 0..kills {
        if kill + LAST_KILLS >= kills {
            enough.store(true, Ordering::Relaxed);
        }
        slow(install, &mut chance);
        // Some die while they start, most in the middle of work.
        let life = match chance.u32(0..10) {
            0..2 => chance.u64(0..150),
            2..8 => chance.u64(150..1_200),
            _ => chance.u64(1_200..4_000),
        };
        let serving = starter.start();
        tokio::time::sleep(Duration::from_millis(life)).await;
        assert!(serving.kill(), "the process ended by itself");
    }
    enough.store(true, Ordering::Relaxed);
}

/// Calls take their time, before or after they are done, so that kills fall inside them.
fn slow(install: &Install, chance: &mut fastrand::Rng) {
    let calls = [
        (install.jira().faults(), "POST", "/servicedeskapi/request"),
        (install.jira().faults(), "PUT", "/issue/"),
        (install.bird().faults(), "POST", "/messages"),
        (install.bird().faults(), "PATCH", "/conversations/"),
    ];
    install.mend();
    for (faults, method, path) in calls {
        let kind = match chance.u32(0..4) {
            0 => FaultKind::Delay {
                ms: chance.u64(10..300),
            },
            1 | 2 => FaultKind::DelayAfter {
                ms: chance.u64(10..300),
            },
            _ => continue,
        };
        faults.add(Fault::of(kind).on(method, path));
    }
}

async fn until_ready(install: &Install, base: &str) {
    let deadline = Instant::now() + START;
    while ready(install.jira().sender(), base).await.is_none() {
        assert!(Instant::now() < deadline, "the service did not get ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn at_rest(install: &Install, base: &str) -> bool {
    let deadline = Instant::now() + REST;
    let mut quiet = 0;
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let empty = ready(install.jira().sender(), base)
            .await
            .is_some_and(|state| state["events_waiting"] == 0 && state["effects_waiting"] == 0);
        quiet = if empty && install.told().await {
            quiet + 1
        } else {
            0
        };
        if quiet >= 3 {
            return true;
        }
    }
    false
}

impl Done {
    fn check(&self, install: &Install, report: &mut Report) {
        let requests = install.jira().requests("SUP");
        self.lines(&requests, report);
        self.messages(&requests, report);
    }

    /// Every message stands once, and in each text in its order.
    fn lines(&self, requests: &[Issue], report: &mut Report) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for issue in requests {
            for text in look::gatherings(issue) {
                if !text.is_sorted() {
                    let key = &issue.key;
                    report.wrong.push(format!("{key}: not in order: {text:?}"));
                }
                for line in text {
                    *counts.entry(line).or_default() += 1;
                }
            }
        }
        for (person, written) in self.written_by.iter().enumerate() {
            for message in 0..*written {
                let line = format!("person {person} message {message:04}.");
                let count = counts.remove(&line).unwrap_or(0);
                if count != 1 {
                    report.wrong.push(format!("“{line}” stands {count} times"));
                }
            }
        }
        let strange = counts
            .into_keys()
            .map(|line| format!("who wrote “{line}”?"));
        report.wrong.extend(strange);
    }

    /// Every answer came once; or not, and a word to the agents says so.
    fn messages(&self, requests: &[Issue], report: &mut Report) {
        let came: Vec<String> = self.phones.iter().flat_map(look::received).collect();
        report.came = came.len();
        let notes: BTreeMap<&str, Vec<String>> = requests
            .iter()
            .map(|issue| (issue.key.as_str(), look::notes(issue)))
            .collect();
        let mut silent: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, text) in &self.answers {
            let count = came
                .iter()
                .filter(|one| one.starts_with(text.as_str()))
                .count();
            if count > 1 {
                report.wrong.push(format!("“{text}” came {count} times"));
            }
            let named = notes[key.as_str()]
                .iter()
                .any(|note| note.contains(text.as_str()));
            if count == 0 && !named {
                *silent.entry(key).or_default() += 1;
            }
        }
        // What came after the end is told without its text.
        for (key, count) in silent {
            let told = notes[key]
                .iter()
                .filter(|note| note.starts_with("Not sent:"));
            report.not_sent += count;
            if told.count() < count {
                report.wrong.push(format!(
                    "{key}: {count} answers did not come, and the agents were not told of each: {:?}",
                    notes[key]
                ));
            }
        }
        let told: BTreeMap<&String, usize> =
            came.iter().fold(BTreeMap::new(), |mut counts, text| {
                *counts.entry(text).or_default() += 1;
                counts
            });
        for issue in requests {
            for status in ["Waiting for customer", "Waiting for support", LAST] {
                let text = format!("Your request {} is now: {status}", issue.key);
                let moved = moved_to(issue, status);
                let came = told.get(&text).copied().unwrap_or(0);
                if came > moved {
                    let wrong = format!("“{text}” came {came} times for {moved} changes");
                    report.wrong.push(wrong);
                }
            }
        }
    }
}

/// How often an issue came into a status.
fn moved_to(issue: &Issue, status: &str) -> usize {
    let changes = issue.history.iter().flat_map(|entry| &entry.items);
    changes
        .filter(|change| change.field == "status" && change.to_string.as_deref() == Some(status))
        .count()
}

/// What is held is listed as held, and what the list says came did come.
async fn held(install: &Install, store: &Store, report: &mut Report) {
    let came: Vec<String> = install
        .bird()
        .lines()
        .into_iter()
        .filter(|line| line.by_api)
        .filter_map(|line| line.text)
        .collect();
    let mut sent = 0;
    for issue in install.jira().requests("SUP") {
        let id = bowline_domain::ids::IssueId::new(issue.id.to_string());
        let site = bowline_domain::ids::SiteName::new(bowline::demo::SITE);
        let Some(talk) = store.talk_of_issue(&site, &id).await.unwrap() else {
            report.wrong.push(format!("{} is not known", issue.key));
            continue;
        };
        for message in store.outbounds(&talk.whose).await.unwrap() {
            match message.delivery {
                Delivery::Held => report.held += 1,
                Delivery::NotSent => report.not_sent += 1,
                Delivery::Queued | Delivery::Failed => report.wrong.push(format!(
                    "{}: “{}” is {}",
                    issue.key,
                    message.text,
                    message.delivery.as_str()
                )),
                Delivery::Sent | Delivery::Delivered | Delivery::Read => sent += 1,
            }
        }
    }
    if sent != came.len() {
        let count = came.len();
        report.wrong.push(format!(
            "{count} messages were sent, and {sent} are kept as sent"
        ));
    }
}
