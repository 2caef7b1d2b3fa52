//! Issues that Jira stops showing while nobody tells us of it.

use bowline_domain::link::LinkEnd;
use bowline_sandbox::common::Disturbance;
use bowline_store::model::LinkView;

use crate::process::run;
use crate::stage::Stage;

const BOT: &str = "bowline-bot";

async fn stage(data_center: bool) -> Stage {
    Stage::with(|plan| {
        if data_center {
            *plan = plan.clone().data_center();
        } else {
            // What is found on Cloud is not found by a search.
            plan.jira.search_lag_ms = 60 * 60 * 1_000;
        }
        // Data Center's search gives fewer than were asked for.
        plan.jira.switches.short_pages = Some(2);
    })
    .await
}

/// Does something while the service is down; no delivery tells of it.
async fn while_down(stage: &mut Stage, act: impl FnOnce(&Stage)) {
    stage.settled().await;
    stage.stop().await;
    stage.jira().disturb(Disturbance {
        drop_every: 1,
        ..Disturbance::default()
    });
    act(stage);
    stage.jira().disturb(Disturbance::default());
    stage.start().await;
}

/// Waits until the only link of a conversation is as wanted.
async fn link(stage: &Stage, conversation: &str, wanted: impl Fn(&LinkView) -> bool) {
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    loop {
        let links = stage.links_of(conversation).await;
        assert_eq!(links.len(), 1);
        if wanted(&links[0]) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{links:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn unseen(view: &LinkView) -> bool {
    let link = &view.link;
    !link.live && link.ended == Some(LinkEnd::IssueUnseen) && link.ended_at.is_some()
}

#[tokio::test]
async fn an_issue_that_was_deleted_while_down_loses_its_link() {
    for data_center in [false, true] {
        let mut stage = stage(data_center).await;
        let (deleted, conversation) = stage.linked().await;
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(stage.linked().await);
        }
        while_down(&mut stage, |stage| {
            stage.priya().delete(&deleted).unwrap();
        })
        .await;
        link(&stage, &conversation, unseen).await;
        stage.settled().await;
        assert!(stage.reasons().await.contains(&"issue_unseen"));
        for (issue, conversation) in &others {
            link(&stage, conversation, |view| view.link.live).await;
            stage.lena().comment(issue, "Still here.").unwrap();
            stage.note(conversation, &["Still here."]).await;
        }
        let list = ["links", "list", "--ended", "--conversation", &conversation];
        let listed = run(&stage, &list).await.good();
        assert!(
            listed.contains("deleted, or hidden from us"),
            "data center: {data_center}: {listed}"
        );
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_ends_nothing() {
    for data_center in [false, true] {
        let mut stage = stage(data_center).await;
        let (issue, conversation) = stage.linked().await;
        while_down(&mut stage, |stage| {
            stage.jira().set_permission(BOT, "BROWSE_PROJECTS", false);
        })
        .await;
        let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
        while !stage.reasons().await.contains(&"project_unseen") {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        link(&stage, &conversation, |view| view.link.live).await;
        stage.jira().set_permission(BOT, "BROWSE_PROJECTS", true);
        stage.lena().comment(&issue, "Seen again.").unwrap();
        stage.note(&conversation, &["Seen again."]).await;
    }
}

#[tokio::test]
async fn an_issue_that_is_shown_again_is_linked_again() {
    for data_center in [false, true] {
        let mut stage = stage(data_center).await;
        let (issue, conversation) = stage.linked().await;
        let by_hand = stage.conversation();
        let add = ["links", "add", &issue, &by_hand, "--by", "Ada"];
        run(&stage, &add).await.good();
        stage.note(&by_hand, &["Ada linked"]).await;
        while_down(&mut stage, |stage| {
            stage.jira().hide_issue(BOT, &issue, true);
        })
        .await;
        link(&stage, &conversation, unseen).await;
        link(&stage, &by_hand, unseen).await;
        stage
            .lena()
            .comment(&issue, "Behind closed doors.")
            .unwrap();
        stage.settled().await;
        assert_eq!(stage.texts(&conversation).len(), 1);
        while_down(&mut stage, |stage| {
            stage.jira().hide_issue(BOT, &issue, false);
        })
        .await;
        link(&stage, &conversation, |view| view.link.live).await;
        link(&stage, &by_hand, |view| view.link.live).await;
        stage.settled().await;
        let reasons = stage.reasons().await;
        assert!(reasons.contains(&"seen_again"), "{reasons:?}");
        stage.lena().comment(&issue, "In the open.").unwrap();
        stage.note(&conversation, &["In the open."]).await;
        stage.note(&by_hand, &["In the open."]).await;
        stage.settled().await;
        for told in ["created ", "In the open."] {
            let texts = stage.texts(&conversation);
            let times = texts.iter().filter(|text| text.contains(told)).count();
            assert_eq!(times, 1, "data center: {data_center}: {texts:#?}");
        }
    }
}
