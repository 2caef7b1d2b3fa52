//! Very many messages of very many people, with faults: every line stands once and in its order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bowline_sandbox::common::{Disturbance, Fault, FaultKind};
use bowline_sandbox::jira::Issue;
use bowline_store::testing::Backend;

use crate::install::{Install, at_rest};
use crate::{look, number, seed};

/// Messages and people of an ordinary run, unless `TALK_MESSAGES` and `TALK_PEOPLE` say otherwise.
const MESSAGES: usize = 480;
const PEOPLE: usize = 40;

/// How long half of an ordinary run may take to come to rest; a larger one takes longer.
const REST: Duration = Duration::from_mins(2);
const REST_PER_MESSAGE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_many_people_stands_once_and_in_order_on_sqlite() {
    soak(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_many_people_stands_once_and_in_order_on_postgres() {
    soak(Backend::Postgres).await;
}

/// Everybody writes half of their messages; then an agent answers every second one; then they write
/// the rest.
async fn soak(database: Backend) {
    let messages = number("TALK_MESSAGES").unwrap_or(MESSAGES);
    let people = number("TALK_PEOPLE").unwrap_or(PEOPLE);
    let each = (messages / people).max(2);
    let total = each * people;
    let install = Install::prepare(database, "quiet_seconds = 1").await;
    let service = install.start().await;
    let rest = REST + REST_PER_MESSAGE * u32::try_from(total).unwrap_or(u32::MAX);
    let began = Instant::now();
    let half = each / 2;
    everybody_writes(&install, people, 0..half).await;
    assert!(
        at_rest(&install, &service, rest).await,
        "after the first half"
    );
    let first = began.elapsed();
    for (number, issue) in install.jira().requests("SUP").iter().enumerate() {
        if number % 2 == 0 {
            let lena = install.jira().acting("lena");
            lena.comment(&issue.key, "Which model?").unwrap();
        }
    }
    assert!(at_rest(&install, &service, rest).await, "after the answers");
    let second_began = Instant::now();
    everybody_writes(&install, people, half..each).await;
    assert!(
        at_rest(&install, &service, rest).await,
        "after the second half"
    );
    let took = first + second_began.elapsed();
    service.stop().await;

    let requests = install.jira().requests("SUP");
    let wrong = check(&requests, people, each);
    let writes = install.jira().journal().count(|call| {
        call.method != "GET" && call.status < 300 && call.path.contains("/issue/")
            || call.path.ends_with("/comment") && call.method == "POST"
    });
    println!(
        "{database:?}: {total} messages of {people} people, {} webhooks delivered, in {took:.1?} \
         ({:.0} messages a second), {writes} writes to requests; {} wrong",
        install.bird().sender().log().len(),
        f64::from(u32::try_from(total).unwrap()) / took.as_secs_f64(),
        wrong.len(),
    );
    install.assert_no_leak();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everybody writes these messages, in turns, while things go wrong.
async fn everybody_writes(install: &Install, people: usize, messages: std::ops::Range<usize>) {
    let enough = AtomicBool::new(false);
    let writing = async {
        for message in messages {
            for person in 0..people {
                let phone = install.bird().phone(&format!("+15553{person:06}"));
                phone.writes(&format!("person {person} message {message:04}."));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        enough.store(true, Ordering::Relaxed);
    };
    tokio::join!(writing, go_wrong(install, &enough));
}

/// Webhooks come twice and in another order, calls to Jira are lost before or after they are done.
async fn go_wrong(install: &Install, enough: &AtomicBool) {
    let mut chance = fastrand::Rng::with_seed(seed() ^ 5);
    install.bird().disturb(Disturbance {
        duplicate_every: 3,
        reorder: true,
        ..Disturbance::default()
    });
    while !enough.load(Ordering::Relaxed) {
        let (kind, method, path) = match chance.u32(0..5) {
            0 => (FaultKind::DropAfter, "POST", "/servicedeskapi/request"),
            1 => (FaultKind::DropBefore, "PUT", "/issue/"),
            2 => (FaultKind::DropAfter, "PUT", "/issue/"),
            3 => (FaultKind::StatusAfter { status: 502 }, "PUT", "/issue/"),
            _ => (FaultKind::DropAfter, "POST", "/comment"),
        };
        let fault = Fault::of(kind).on(method, path).times(1);
        install.jira().faults().add(fault);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    install.mend();
}

fn check(requests: &[Issue], people: usize, each: usize) -> Vec<String> {
    let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in requests.iter().flat_map(look::gatherings).flatten() {
        let person = line.split(" message").next().unwrap_or_default().to_owned();
        by_person.entry(person).or_default().push(line);
    }
    let mut wrong = Vec::new();
    if requests.len() != people {
        wrong.push(format!("{} requests of {people} people", requests.len()));
    }
    for person in 0..people {
        let wanted: Vec<String> = (0..each)
            .map(|message| format!("person {person} message {message:04}."))
            .collect();
        let stands = by_person.remove(&format!("person {person}"));
        if stands.as_ref() != Some(&wanted) {
            wrong.push(format!("of person {person} stands {stands:?}"));
        }
    }
    wrong.extend(by_person.into_values().flatten());
    wrong
}
