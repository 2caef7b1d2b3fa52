//! How many messages of one person come into one request, where Jira bounds the writes to it.

use std::time::{Duration, Instant};

use bowline_sandbox::jira::Limits;
use bowline_store::testing::Backend;

use crate::install::{Install, at_rest};
use crate::look;

/// Messages that one person writes, and the pause between them.
const MESSAGES: usize = 300;
const PAUSE: Duration = Duration::from_millis(20);

/// What Jira Cloud allows: writes to one issue within a time in milliseconds.
const WRITES_MAX: [(usize, i64); 2] = [(20, 2_000), (100, 30_000)];

/// Writes that a request needs besides: what marks it as made, and the text before the first quiet
/// moment.
const FIRST_WRITES: f64 = 2.0;

/// How long it may take until all of them stand there.
const REST: Duration = Duration::from_mins(2);

/// Whether messages are gathered for some seconds or written at once: all of them stand there, the
/// bound is kept, and no more is refused than it takes to learn of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_takes_many_messages_within_jira_s_bound_of_writes() {
    for quiet_seconds in [0, 3] {
        measure(quiet_seconds).await;
    }
}

async fn measure(quiet_seconds: u32) {
    let desk = format!("quiet_seconds = {quiet_seconds}");
    let install = Install::prepare(Backend::Sqlite, &desk).await;
    install.jira().set_limits(Some(Limits::default()));
    let service = install.start().await;
    let phone = install.bird().phone("+15557700");
    let began = Instant::now();
    for message in 0..MESSAGES {
        phone.writes(&format!("message {message:04}."));
        tokio::time::sleep(PAUSE).await;
    }
    let written = began.elapsed();
    assert!(at_rest(&install, &service, REST).await);
    let took = began.elapsed();
    service.stop().await;

    let requests = install.jira().requests("SUP");
    let stands: Vec<String> = requests
        .iter()
        .flat_map(look::gatherings)
        .flatten()
        .collect();
    let wanted: Vec<String> = (0..MESSAGES).map(|n| format!("message {n:04}.")).collect();
    assert_eq!(stands, wanted);
    let calls = install.jira().journal().entries();
    let of_issue = calls
        .iter()
        .filter(|call| call.method != "GET" && call.path.contains("/issue/"));
    let (refused, made): (Vec<_>, Vec<_>) = of_issue.partition(|call| call.status == 429);
    let times: Vec<i64> = made.iter().map(|call| call.at_ms).collect();
    let most = |window: i64| {
        let within = |from: i64| {
            let inside = times
                .iter()
                .filter(|at| (0..window).contains(&(**at - from)));
            inside.count()
        };
        times.iter().map(|from| within(*from)).max().unwrap_or(0)
    };
    println!(
        "{quiet_seconds} quiet seconds: {MESSAGES} messages written in {written:.1?} stood in Jira \
         after {took:.1?} ({:.0} a second) by {} writes, at most {} within 2 s and {} within 30 s, \
         {} refused",
        f64::from(u32::try_from(MESSAGES).unwrap()) / took.as_secs_f64(),
        made.len(),
        most(2_000),
        most(30_000),
        refused.len(),
    );
    assert!(made.len() < MESSAGES / 2, "messages are written together");
    if quiet_seconds > 0 {
        // Whoever writes without a pause is waited for as long as any message waits; then, and when
        // they pause, there is one write.
        let waits = written.as_secs_f64() / f64::from(quiet_seconds);
        let most = FIRST_WRITES + waits.ceil();
        let made = f64::from(u32::try_from(made.len()).unwrap());
        assert!(made <= most, "{made} writes and not {most} at most");
    }
    for (writes, window) in WRITES_MAX {
        assert!(most(window) <= writes);
    }
    assert!(refused.len() <= made.len() / 4, "{} refused", refused.len());
}
