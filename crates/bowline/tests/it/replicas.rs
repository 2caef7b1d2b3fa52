//! Several processes on one database.

use std::time::Duration;

use bowline::demo::until;
use bowline_sandbox::common::FaultKind;

use crate::failure::fault;
use crate::operations::{get, idle};
use crate::process::Serving;
use crate::stage::{On, Stage};

/// Issues, each with a conversation of its own.
const ISSUES: usize = 6;

/// Comments on each issue, half of them before one process is killed.
const COMMENTS: usize = 10;

/// Notes that are to be out before it is killed.
const BEFORE_THE_KILL: usize = 12;

/// How long what the killed one held may take: its leases run out first, and what was on its way
/// is looked for on the far side.
const LEFT_OVER_PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn two_processes_share_the_work_and_one_finishes_what_a_killed_one_left() {
    let stage = Stage::prepare(|plan| plan.database_url = On::Postgres.database()).await;
    let mut doomed = Serving::start(&stage).await;
    let survivor = Serving::beside(&stage).await;
    // Every delivery of Jira comes to both, each time under another name.
    stage.world.connect_webhooks(doomed.addr).await.unwrap();
    stage.world.connect_webhooks(survivor.addr).await.unwrap();
    let mut linked = Vec::new();
    for _ in 0..ISSUES {
        linked.push(stage.linked().await);
    }
    for serving in [&doomed, &survivor] {
        let (_, metrics) = get(&stage, serving, "/metrics").await;
        assert!(metrics.contains("bowline_events_total{"), "{metrics}");
    }

    // Slow answers: the kill finds notes on their way.
    let slow = FaultKind::Delay { ms: 200 };
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1_000, slow));
    let came = || {
        let notes = linked.iter().map(|(_, at)| stage.texts(at).len());
        notes.sum::<usize>() - ISSUES
    };
    comment(&stage, &linked, 0..COMMENTS / 2);
    let busy = until(|| (came() >= BEFORE_THE_KILL).then_some(())).await;
    assert!(busy.is_some(), "{} notes came", came());
    doomed.kill().await;
    assert!(
        came() < ISSUES * COMMENTS / 2,
        "it was killed in the middle"
    );
    stage.intercom().faults().clear();
    comment(&stage, &linked, COMMENTS / 2..COMMENTS);

    let deadline = tokio::time::Instant::now() + LEFT_OVER_PATIENCE;
    while came() < ISSUES * COMMENTS {
        let late = tokio::time::Instant::now() >= deadline;
        assert!(!late, "{} notes came: {}", came(), survivor.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    idle(&stage, &survivor).await;
    for (issue, conversation) in &linked {
        let texts = stage.texts(conversation);
        assert_eq!(texts.len(), 1 + COMMENTS, "{issue}: {texts:#?}");
        for number in 0..COMMENTS {
            let words = words(number);
            let told = texts.iter().filter(|text| text.contains(&words));
            assert_eq!(told.count(), 1, "{issue}, {words}: {texts:#?}");
        }
    }
}

fn words(number: usize) -> String {
    format!("Comment <{number}>")
}

fn comment(stage: &Stage, linked: &[(String, String)], numbers: std::ops::Range<usize>) {
    for number in numbers {
        for (issue, _) in linked {
            let lena = stage.lena();
            lena.comment(issue, words(number).as_str()).unwrap();
        }
    }
}
