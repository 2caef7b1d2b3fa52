//! A conversation is read while the decision to write to it is being made durable, and no more often
//! for that.

use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::ConversationState::Snoozed;
use bowline_store::testing::hold_writes;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::fault;
use crate::messaging_stage::until_async;
use crate::stage::{On, Stage, on_both};
use bowline::demo::{WORKSPACE, until};

on_both!(
    one_reading_is_enough_for_a_note,
    a_conversation_in_which_something_just_happened_is_read_again
);

/// How far the clock of the workspace is behind, in milliseconds: what happens there has happened some
/// time ago.
const SOME_TIME_MS: i64 = 600_000;

/// Issues with a conversation each, to which nothing was written yet: the links come from a file.
async fn linked(on: On, behind_ms: i64, count: usize) -> (Stage, Vec<(String, String)>) {
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    stage.intercom().advance_clock(-behind_ms);
    stage.start().await;
    let pair = |_| (stage.issue("It does nothing."), stage.conversation());
    let pairs: Vec<(String, String)> = (0..count).map(pair).collect();
    let line = |pair: &(String, String)| format!("{},{WORKSPACE},{}", pair.0, pair.1);
    let lines: Vec<String> = pairs.iter().map(line).collect();
    let file = format!("issue,workspace,conversation\n{}\n", lines.join("\n"));
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let made = [("file", file.as_str()), ("import", "yes")];
    browser.send("/links/import", &made).await;
    stage.settled().await;
    for (issue, conversation) in &pairs {
        assert_eq!(stage.links(issue).await, [conversation.as_str()]);
        assert_eq!(stage.texts(conversation), Vec::<String>::new());
    }
    (stage, pairs)
}

async fn one_linked(on: On, behind_ms: i64) -> (Stage, String, String) {
    let (stage, mut pairs) = linked(on, behind_ms, 1).await;
    let (issue, conversation) = pairs.pop().unwrap();
    (stage, issue, conversation)
}

fn reads(stage: &Stage, conversation: &str) -> usize {
    let path = format!("/conversations/{conversation}");
    let journal = stage.intercom().journal();
    journal.count(|entry| entry.method == "GET" && entry.path == path)
}

#[tokio::test]
async fn it_is_read_while_the_decision_waits_for_the_database() {
    let (stage, issue, conversation) = one_linked(On::Sqlite, SOME_TIME_MS).await;
    let before = reads(&stage, &conversation);
    // The decision is held up while Jira is asked, and cannot be written down then.
    let slow = FaultKind::Delay { ms: 1_000 };
    stage
        .jira()
        .faults()
        .add(fault("GET", "/issue/", 0, 1, slow));
    let delivered = stage.jira().sender().log().len();
    stage.lena().comment(&issue, "Reproduced.").unwrap();
    let sender = stage.jira().sender();
    let taken = until(|| (sender.log().len() > delivered).then_some(())).await;
    assert!(taken.is_some(), "the delivery is taken");
    let database = stage.world.config().unwrap().database.url();
    let held = hold_writes(secrecy::ExposeSecret::expose_secret(&database)).unwrap();
    let read = until(|| (reads(&stage, &conversation) > before).then_some(())).await;
    assert!(read.is_some(), "it is read before the decision is durable");
    assert_eq!(
        stage.texts(&conversation).len(),
        0,
        "and nothing else is done"
    );
    drop(held);
    stage.note(&conversation, &["Reproduced."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
}

/// What is read serves for a moment; a machine that is busy may need longer now and then.
async fn one_reading_is_enough_for_a_note(on: On) {
    let (stage, pairs) = linked(on, SOME_TIME_MS, 5).await;
    let mut enough = false;
    for (issue, conversation) in pairs {
        let before = reads(&stage, &conversation);
        stage.lena().assign(&issue, Some("priya")).unwrap();
        stage.note(&conversation, &["assigned"]).await;
        stage.settled().await;
        let read = reads(&stage, &conversation) - before;
        assert!((1..=2).contains(&read), "{read}");
        enough |= read == 1;
    }
    assert!(enough, "each was read twice");
}

async fn a_conversation_in_which_something_just_happened_is_read_again(on: On) {
    let (stage, issue, conversation) = one_linked(on, 0).await;
    let before = reads(&stage, &conversation);
    stage.lena().assign(&issue, Some("priya")).unwrap();
    stage.note(&conversation, &["assigned"]).await;
    stage.settled().await;
    assert_eq!(
        reads(&stage, &conversation) - before,
        2,
        "the first shows that"
    );
    // Of what it did itself it knows.
    stage.lena().assign(&issue, None).unwrap();
    stage.note(&conversation, &["unassigned"]).await;
    stage.settled().await;
    assert_eq!(reads(&stage, &conversation) - before, 3);
}

#[tokio::test]
async fn one_that_was_snoozed_is_snoozed_again() {
    let (stage, issue, conversation) = one_linked(On::Sqlite, SOME_TIME_MS).await;
    let until = jiff::Timestamp::now().as_second() + 86_400;
    let teammate = stage.teammate();
    stage
        .intercom()
        .snooze(&conversation, &teammate, until)
        .unwrap();
    stage.lena().comment(&issue, "One.").unwrap();
    stage.note(&conversation, &["One."]).await;
    stage.settled().await;
    assert_eq!(stage.state(&conversation), Snoozed);
    assert_eq!(stage.intercom().snoozed_until(&conversation), Some(until));
}

#[tokio::test]
async fn one_that_is_gone_ends_its_link_and_the_attempt_tells_of_the_reading() {
    let (stage, issue, conversation) = one_linked(On::Sqlite, SOME_TIME_MS).await;
    let path = format!("/conversations/{conversation}");
    let words = json!({ "type": "error.list",
        "errors": [{ "code": "not_found", "message": "Resource Not Found" }] });
    let gone = FaultKind::Status {
        status: 404,
        body: Some(words),
        headers: Vec::new(),
    };
    let faults = stage.intercom().faults();
    faults.add(fault("GET", &path, 0, 1, gone));
    stage.lena().assign(&issue, Some("priya")).unwrap();
    let ended = until_async(async || stage.links(&issue).await.is_empty().then_some(()));
    ended.await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation), Vec::<String>::new());
    let script = Script::new(&stage, "owner", &["read"]).await;
    let path = format!("/api/v1/deliveries?about={issue}&outcome=effects");
    let list = script.get(&path).await.body;
    let mut rejected = Vec::new();
    for item in list["items"].as_array().unwrap() {
        let told = script
            .get(&format!("/api/v1/deliveries/{}", item["id"]))
            .await
            .body;
        let effects = told["effects"].as_array().unwrap().clone();
        rejected.extend(
            effects
                .into_iter()
                .filter(|effect| effect["state"] == "rejected"),
        );
    }
    let [note] = &rejected[..] else {
        panic!("one note is rejected: {rejected:?}");
    };
    let calls = note["attempts"][0]["calls"].as_array().unwrap();
    let made = calls.iter().map(|call| (&call["method"], &call["status"]));
    assert!(made.eq([(&json!("GET"), &json!(404))]), "{note}");
}
