//! What no webhook told is found again.

use bowline_sandbox::common::Disturbance;
use bowline_sandbox::jira::NewComment;

use crate::stage::{Stage, next_millisecond};

#[tokio::test]
async fn polling_alone_is_enough() {
    for data_center in [false, true] {
        let stage = Stage::with(|plan| {
            if data_center {
                *plan = plan.clone().data_center();
            }
            plan.jira.switches.webhooks_off = true;
            "webhooks = false".clone_into(&mut plan.binding);
        })
        .await;
        let conversation = stage.conversation();
        let issue = stage.issue(stage.address(&conversation).as_str());
        next_millisecond();
        stage.priya().assign(&issue, Some("lena")).unwrap();
        next_millisecond();
        stage.lena().comment(&issue, "Found by looking.").unwrap();
        stage
            .lena()
            .comment_with(&issue, NewComment::internal("not for them"))
            .unwrap();
        next_millisecond();
        stage
            .lena()
            .transition(&issue, "In Progress", None)
            .unwrap();
        stage
            .note(&conversation, &["moved", "from To Do to In Progress"])
            .await;
        stage.lena().comment(&issue, "Later.").unwrap();
        stage.note(&conversation, &["Later."]).await;
        let texts = stage.texts(&conversation);
        let parts = [
            "created",
            "assigned",
            "Found by looking.",
            "moved",
            "Later.",
        ];
        assert_eq!(texts.len(), parts.len(), "{texts:#?}");
        for (text, part) in texts.iter().zip(parts) {
            assert!(text.contains(part), "in order: {texts:#?}");
        }
    }
}

#[tokio::test]
async fn what_was_missed_while_down_is_told_once() {
    let mut stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage.stop().await;
    // Jira's own retries go nowhere: these deliveries are lost.
    stage.jira().disturb(Disturbance {
        drop_every: 1,
        ..Disturbance::default()
    });
    stage.lena().comment(&issue, "While it was down.").unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    let fresh = stage.conversation();
    let other = stage.issue(stage.address(&fresh).as_str());
    stage.jira().disturb(Disturbance::default());
    stage.start().await;
    stage.note(&conversation, &["While it was down."]).await;
    stage.note(&conversation, &["moved"]).await;
    stage.note(&fresh, &["created ", &other]).await;
    stage.lena().comment(&issue, "Up again.").unwrap();
    stage.note(&conversation, &["Up again."]).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        4,
        "{:#?}",
        stage.texts(&conversation)
    );
    assert_eq!(stage.texts(&fresh).len(), 1);
}

#[tokio::test]
async fn lost_deliveries_are_found_while_running() {
    let stage = Stage::with(|_| ()).await;
    stage.edit_config("webhook_secret =", "poll_seconds = 10\nwebhook_secret =");
    stage.configure().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage.jira().disturb(Disturbance {
        drop_every: 1,
        ..Disturbance::default()
    });
    let comment = stage.lena().comment(&issue, "Nobody told.").unwrap();
    stage.jira().disturb(Disturbance::default());
    stage.note(&conversation, &["Nobody told."]).await;
    // Told late all the same, it is known.
    stage
        .lena()
        .edit_comment(&issue, comment, "Nobody told!")
        .unwrap();
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        2,
        "{:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn the_first_look_takes_old_links_over_silently() {
    let mut stage = Stage::prepare(|plan| {
        plan.jira.switches.short_pages = Some(3);
    })
    .await;
    let mut all = Vec::new();
    for number in 0..8 {
        let conversation = stage.conversation();
        let address = stage.address(&conversation);
        let issue = if number % 2 == 0 {
            stage.issue(address.as_str())
        } else {
            let issue = stage.issue("By a comment.");
            stage.omar().comment(&issue, address.as_str()).unwrap();
            issue
        };
        all.push((issue, conversation));
    }
    stage.start().await;
    for (issue, conversation) in &all {
        let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
        while stage.links(issue).await != [conversation.clone()] {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{issue} is not linked"
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    stage.settled().await;
    for (issue, conversation) in &all {
        assert_eq!(stage.texts(conversation), Vec::<String>::new());
        let named = stage
            .jira()
            .property(issue, "intercom.conversation.links")
            .unwrap();
        assert_eq!(named["count"], 1);
    }
    stage.lena().transition(&all[3].0, "Done", None).unwrap();
    stage.note(&all[3].1, &["moved"]).await;
}

#[tokio::test]
async fn a_search_that_lags_behind_loses_nothing() {
    let stage = Stage::with(|plan| {
        plan.jira.switches.webhooks_off = true;
        plan.jira.search_lag_ms = 3_000;
        "webhooks = false".clone_into(&mut plan.binding);
    })
    .await;
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    stage.lena().comment(&issue, "One.").unwrap();
    stage.note(&conversation, &["One."]).await;
    assert_eq!(stage.texts(&conversation).len(), 2);
}
