//! Why nothing was posted: each reason is reached, and said.

use bowline::demo::{NOTIFY_TOKEN, SITE};
use bowline_domain::outcome::Reason;
use bowline_sandbox::jira::Edit;
use serde_json::{Value, json};

use crate::process::run;
use crate::stage::{Stage, answer};

/// Waits until all is done; the reason must have been given by then.
async fn gives(stage: &Stage, reason: &str) {
    stage.settled().await;
    let given = stage.reasons().await;
    assert!(given.contains(&reason), "{reason}: {given:?}");
}

async fn notify(stage: &Stage, body: &Value) {
    let url = stage.url(&format!("/hooks/jira/{SITE}/notify"));
    let request = stage
        .client()
        .post(url)
        .bearer_auth(NOTIFY_TOKEN)
        .json(body);
    let (status, text) = answer(request).await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test]
async fn what_does_not_concern_a_conversation_is_explained() {
    let stage = Stage::cloud().await;
    gives(&stage, "ping").await;
    let (issue, conversation) = stage.linked().await;
    gives(&stage, "echo").await;
    // Of its own record, which it has just written.
    gives(&stage, "record_written").await;
    let id = stage.jira().issue(&issue).unwrap().id.to_string();
    let told = json!({
        "webhookEvent": "issue_property_set", "issue": { "id": id, "key": issue },
        "property": { "key": "sprint.board" },
    });
    stage.deliver_jira(told.to_string().as_bytes(), None).await;
    stage.settled().await;
    let words = |reason: &Reason| reason.to_string().contains("“sprint.board”");
    let events = stage.events().await;
    let mut outcomes = events.iter().filter_map(|event| event.outcome.as_ref());
    assert!(outcomes.any(|outcome| outcome.reasons.iter().any(words)));
    gives(&stage, "not_followed").await;

    stage
        .deliver_jira(br#"{"webhookEvent":"jira:issue_updated"}"#, None)
        .await;
    gives(&stage, "no_issue").await;

    let elsewhere = stage.address(&conversation);
    stage
        .priya()
        .create("OPS", "Elsewhere", elsewhere.as_str())
        .unwrap();
    gives(&stage, "not_bound").await;

    let unlinked = stage.issue("No address.");
    stage
        .lena()
        .comment(&unlinked, "None here either.")
        .unwrap();
    gives(&stage, "not_linked").await;

    let priority = Edit {
        priority: Some(1),
        ..Edit::default()
    };
    stage.priya().edit(&issue, priority).unwrap();
    gives(&stage, "nothing_changed").await;

    notify(&stage, &json!({ "issue": issue })).await;
    gives(&stage, "nothing_asked").await;
    assert_eq!(
        stage.texts(&conversation).len(),
        1,
        "and all of it is silent"
    );
}

#[tokio::test]
async fn what_is_not_as_an_event_says_is_explained() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;

    stage.hold();
    let comment = stage.lena().comment(&issue, "Never mind.").unwrap();
    stage.lena().delete_comment(&issue, comment).unwrap();
    stage.release();
    gives(&stage, "comment_gone").await;

    let id = stage.jira().issue(&issue).unwrap().id.to_string();
    let deleted = json!({
        "webhookEvent": "jira:issue_deleted", "issue": { "id": id, "key": issue },
    });
    stage
        .deliver_jira(deleted.to_string().as_bytes(), None)
        .await;
    gives(&stage, "still_there").await;
    assert_eq!(
        stage.links(&issue).await,
        std::slice::from_ref(&conversation)
    );

    stage.hold();
    let unknown = stage.issue("Nobody told of it yet.");
    notify(&stage, &json!({ "issue": unknown, "note": true })).await;
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !stage.reasons().await.contains(&"handed_on") {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stage.release();

    stage
        .priya()
        .describe(&issue, "No address any more.")
        .unwrap();
    gives(&stage, "links_followed").await;
    assert_eq!(
        stage.texts(&conversation).len(),
        1,
        "and all of it is silent"
    );
}

#[tokio::test]
async fn what_is_older_than_a_link_is_explained() {
    let mut stage = Stage::prepare(|_| ()).await;
    let old = stage.conversation();
    stage.issue(stage.address(&old).as_str());
    stage.start().await;
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !stage.reasons().await.contains(&"taken_over") {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }

    let issue = stage.issue("No address yet.");
    let conversation = stage.conversation();
    stage.settled().await;
    stage.hold();
    stage.lena().comment(&issue, "Before the link.").unwrap();
    let add = ["links", "add", &issue, &conversation, "--by", "Ada"];
    run(&stage, &add).await.good();
    stage.release();
    stage.note(&conversation, &["Ada linked"]).await;
    gives(&stage, "before_link").await;
    assert_eq!(stage.texts(&conversation).len(), 1);
}
