//! Jira's own record of an issue's links: the issue property and the remote links.

use bowline::demo::until;
use bowline_sandbox::jira::RemoteLink;
use serde_json::json;

use crate::stage::Stage;

const PROPERTY: &str = "intercom.conversation.links";

/// Waits until the property names these conversations, in any order.
async fn property_names(stage: &Stage, issue: &str, expected: &[&str]) {
    let mut expected: Vec<String> = expected.iter().map(|&id| id.to_owned()).collect();
    expected.sort();
    let look = || {
        let value = stage.jira().property(issue, PROPERTY)?;
        let mut ids: Vec<String> = serde_json::from_value(value["conversationIds"].clone()).ok()?;
        ids.sort();
        (ids == expected && value["count"] == ids.len()).then_some(())
    };
    assert!(
        until(look).await.is_some(),
        "{expected:?} in {:?}",
        stage.jira().property(issue, PROPERTY)
    );
}

async fn remote_link(stage: &Stage, issue: &str, what: &str, holds: impl Fn(&RemoteLink) -> bool) {
    let found = until(|| stage.jira().remote_links(issue).into_iter().find(&holds)).await;
    assert!(
        found.is_some(),
        "{what}: {:#?}",
        stage.jira().remote_links(issue)
    );
}

#[tokio::test]
async fn is_kept_in_step_with_the_links() {
    for data_center in [false, true] {
        let stage = if data_center {
            Stage::data_center().await
        } else {
            Stage::cloud().await
        };
        let (issue, first) = stage.linked().await;
        property_names(&stage, &issue, &[&first]).await;
        remote_link(&stage, &issue, "open", |link| {
            link.object["url"]
                .as_str()
                .is_some_and(|url| url.ends_with(&first))
                && link.object["status"]["resolved"] == json!(false)
                && !link.title().is_empty()
                && link
                    .global_id
                    .as_deref()
                    .is_some_and(|id| id.contains(&first))
        })
        .await;
        let second = stage.conversation();
        let comment = stage
            .omar()
            .comment(&issue, stage.address(&second).as_str())
            .unwrap();
        property_names(&stage, &issue, &[&first, &second]).await;
        assert!(
            until(|| (stage.jira().remote_links(&issue).len() == 2).then_some(()))
                .await
                .is_some()
        );
        stage.omar().delete_comment(&issue, comment).unwrap();
        property_names(&stage, &issue, &[&first]).await;
        assert!(
            until(|| (stage.jira().remote_links(&issue).len() == 1).then_some(()))
                .await
                .is_some()
        );
        stage.lena().describe(&issue, "Nothing.").unwrap();
        property_names(&stage, &issue, &[]).await;
        assert!(
            until(|| stage.jira().remote_links(&issue).is_empty().then_some(()))
                .await
                .is_some()
        );
        stage.settled().await;
    }
}

#[tokio::test]
async fn shows_the_state_of_the_conversation() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    remote_link(&stage, &issue, "closed", |link| {
        link.object["status"]["resolved"] == json!(true)
    })
    .await;
    stage
        .intercom()
        .customer_reply(&conversation, "Still broken.")
        .unwrap();
    remote_link(&stage, &issue, "open", |link| {
        link.object["status"]["resolved"] == json!(false)
    })
    .await;
}

#[tokio::test]
async fn has_twenty_remote_links_and_one_summary_above() {
    let stage = Stage::cloud().await;
    let conversations: Vec<String> = (0..21).map(|_| stage.conversation()).collect();
    let text = |count: usize| {
        let addresses: Vec<String> = conversations
            .iter()
            .take(count)
            .map(|id| stage.address(id))
            .collect();
        addresses.join(" ")
    };
    let issue = stage.issue(text(20).as_str());
    stage.settled().await;
    assert_eq!(stage.jira().remote_links(&issue).len(), 20);
    stage.lena().describe(&issue, text(21).as_str()).unwrap();
    stage.settled().await;
    let links = stage.jira().remote_links(&issue);
    assert_eq!(links.len(), 1);
    assert!(links[0].title().contains("21"), "{}", links[0].title());
    assert_eq!(
        stage.jira().property(&issue, PROPERTY).unwrap()["count"],
        21
    );
    stage.lena().describe(&issue, text(3).as_str()).unwrap();
    stage.settled().await;
    assert_eq!(stage.jira().remote_links(&issue).len(), 3);
}

#[tokio::test]
async fn of_the_app_before_is_taken_over_silently_in_both_shapes() {
    let mut stage = Stage::prepare(|_| ()).await;
    let (first, second) = (stage.conversation(), stage.conversation());
    let shapes = [
        json!({ "count": 2, "conversationIds": [first, second] }),
        json!({ "conversationIds": [first, second] }),
        json!([{ "id": first }, { "id": second }]),
    ];
    let issues = shapes.map(|value| {
        let issue = stage.issue("Linked by the app before.");
        stage.priya().set_property(&issue, PROPERTY, value).unwrap();
        issue
    });
    stage.start().await;
    for (number, issue) in issues.iter().enumerate() {
        stage
            .lena()
            .comment(issue, format!("Words {number}.").as_str())
            .unwrap();
        stage
            .note(&first, &[&format!("Words {number}."), issue])
            .await;
        stage
            .note(&second, &[&format!("Words {number}."), issue])
            .await;
        stage.settled().await;
        assert_eq!(
            stage.texts(&first).len(),
            number + 1,
            "{:?}",
            stage.texts(&first)
        );
        let mut linked = stage.links(issue).await;
        linked.sort();
        assert_eq!(linked, [first.clone(), second.clone()]);
        property_names(&stage, issue, &[&first, &second]).await;
    }
}

#[tokio::test]
async fn without_the_right_to_link_the_notes_still_come() {
    let stage = Stage::cloud().await;
    stage
        .jira()
        .set_permission("bowline-bot", "LINK_ISSUES", false);
    let (issue, conversation) = stage.linked().await;
    stage.lena().comment(&issue, "Words.").unwrap();
    stage.note(&conversation, &["Words."]).await;
    property_names(&stage, &issue, &[&conversation]).await;
    stage.settled().await;
    assert_eq!(stage.jira().remote_links(&issue).len(), 0);
}
