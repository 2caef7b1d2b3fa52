//! How long the panel takes from what is known, with many conversations and a dead Intercom.

use std::time::{Duration, Instant};

use bowline::demo::SITE;
use bowline_sandbox::common::FaultKind;

use crate::browser::Browser;
use crate::panel::{says, silence};
use crate::stage::{On, Stage, on_both};

on_both!(a_panel_of_fifty_conversations_does_not_wait_for_a_dead_intercom);

/// Conversations behind the issue: as many as a panel shows.
const CONVERSATIONS: usize = 50;

/// How often the page is asked for.
const TIMES: usize = 15;

/// What the page may take, in this build and on a loaded machine. An optimised build on a quiet one
/// is to take less than 200 ms; Intercom would be given up only after ten seconds.
const BOUND: Duration = Duration::from_secs(2);

async fn a_panel_of_fifty_conversations_does_not_wait_for_a_dead_intercom(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let conversations: Vec<String> = (0..CONVERSATIONS).map(|_| stage.conversation()).collect();
    let addresses: Vec<String> = conversations
        .iter()
        .map(|conversation| stage.address(conversation))
        .collect();
    let issue = stage.issue(addresses.join("\n").as_str());
    for conversation in &conversations {
        stage.note(conversation, &["created ", &issue]).await;
    }
    let path = format!("/issues/{SITE}/{issue}");
    let mut browser = Browser::signed_in(&stage, "agent").await;
    says(&mut browser, &path, "Email noa@example.com").await;
    stage.settled().await;
    let cards = |text: &str| text.matches("Conversation with").count();
    let known = says(&mut browser, &path, "as in Intercom").await;
    let shown = cards(&known.text);
    silence(&stage, FaultKind::Hang);
    stage.make_readings_old().await;
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        let page = browser.get(&path).await;
        times.push(began.elapsed());
        assert_eq!(cards(&page.text), shown, "{}", page.words());
        page.says("Email noa@example.com");
    }
    times.sort();
    let median = times[TIMES / 2];
    println!("{on:?}: median {median:?}, slowest {:?}", times[TIMES - 1]);
    assert!(median < BOUND, "{times:?}");
}
