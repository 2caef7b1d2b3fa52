//! Credentials and plans that stop working, and work again.

use bowline::demo::until;
use bowline_sandbox::common::FaultKind;

use crate::api::Script;
use crate::failure::fault;
use crate::stage::{On, Stage, on_both};

/// How a connection is and why, as it is recorded.
async fn health(stage: &Stage, connection: &str) -> (&'static str, String) {
    let all = stage.store().connections().await.unwrap();
    let found = all
        .into_iter()
        .find(|record| record.connection.key().contains(connection))
        .unwrap();
    (found.health.as_str(), found.reason.unwrap_or_default())
}

/// Waits until a connection is in this state, and gives the reason.
pub(crate) async fn becomes(stage: &Stage, connection: &str, expected: &str) -> String {
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    loop {
        let (health, reason) = health(stage, connection).await;
        if health == expected {
            return reason;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{connection} is {health}: {reason}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

on_both!(
    a_revoked_token_keeps_the_queue_and_a_new_one_drains_it,
    a_plan_without_conversations_limits_the_workspace_and_loses_nothing
);

async fn a_revoked_token_keeps_the_queue_and_a_new_one_drains_it(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.intercom().revoke_token();
    for number in 0..5 {
        stage
            .lena()
            .comment(&issue, format!("Comment {number}.").as_str())
            .unwrap();
        // Deliveries that are on the way at the same time may arrive in any order.
        stage.jira().sender().quiet().await;
    }
    let reason = becomes(&stage, "workspace", "broken").await;
    assert!(
        reason.contains("refuses the access token") && reason.contains("Developer Hub"),
        "{reason}"
    );
    assert_eq!(stage.texts(&conversation).len(), 1);
    stage.intercom().set_token("a-new-token");
    stage.world.write_config("a-new-token").unwrap();
    stage.configure().await;
    stage.note(&conversation, &["Comment 4."]).await;
    stage.settled().await;
    let texts = stage.texts(&conversation);
    assert_eq!(texts.len(), 6, "{texts:?}");
    for (number, text) in texts[1..].iter().enumerate() {
        assert!(
            text.contains(&format!("Comment {number}.")),
            "in order: {texts:?}"
        );
    }
    becomes(&stage, "workspace", "connected").await;
}

#[tokio::test]
async fn a_token_that_never_worked_loses_nothing() {
    let mut stage = Stage::prepare(|_| ()).await;
    stage.world.write_config("a-wrong-token").unwrap();
    stage.start().await;
    becomes(&stage, "workspace", "broken").await;
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    // What comes from Jira is taken meanwhile.
    let sender = stage.jira().sender().clone();
    let arrived = |count| {
        let sender = sender.clone();
        until(move || (sender.log().len() >= count).then_some(()))
    };
    assert!(arrived(1).await.is_some());
    stage.lena().comment(&issue, "And more.").unwrap();
    assert!(arrived(2).await.is_some());
    stage
        .world
        .write_config(&stage.intercom().config().access_token.clone())
        .unwrap();
    stage.configure().await;
    stage.note(&conversation, &["created ", &issue]).await;
    stage.note(&conversation, &["And more."]).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        2,
        "{:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn a_token_of_another_workspace_is_refused() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let config = bowline_sandbox::intercom::Config {
        workspace: "other002".to_owned(),
        access_token: "a-token-of-another".to_owned(),
        ..bowline_sandbox::intercom::Config::default()
    };
    let other = bowline_sandbox::intercom::start(
        config,
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        bowline_sandbox::common::Neighbours::new(),
    )
    .await
    .unwrap();
    let ours = stage.world.sandbox.intercom.url();
    stage.world.write_config("a-token-of-another").unwrap();
    stage.edit_config(&ours, &other.url());
    // The other workspace is slow to say who it is; meanwhile there is something to write.
    other
        .state
        .faults()
        .add(fault("GET", "/me", 0, 1, FaultKind::Delay { ms: 500 }));
    stage.configure().await;
    stage.lena().comment(&issue, "Not for them.").unwrap();
    let reason = becomes(&stage, "workspace", "broken").await;
    assert!(reason.contains("other002"), "{reason}");
    let written = other
        .state
        .journal()
        .count(|entry| entry.method != "GET" || entry.path.contains("/conversations"));
    assert_eq!(written, 0, "{:#?}", other.state.journal().entries());
    assert_eq!(
        stage.links(&issue).await,
        std::slice::from_ref(&conversation),
        "the link is kept"
    );

    stage
        .world
        .write_config(&stage.intercom().config().access_token.clone())
        .unwrap();
    stage.configure().await;
    stage.note(&conversation, &["Not for them."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 2);
}

async fn a_plan_without_conversations_limits_the_workspace_and_loses_nothing(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.intercom().set_plan_restricted(true);
    stage.lena().comment(&issue, "One.").unwrap();
    let reason = becomes(&stage, "workspace", "limited").await;
    assert!(
        reason.contains("trial or subscription") && reason.contains("api_plan_restricted"),
        "{reason}"
    );
    stage.lena().comment(&issue, "Two.").unwrap();
    stage.intercom().set_plan_restricted(false);
    stage.note(&conversation, &["Two."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 3);
    becomes(&stage, "workspace", "connected").await;
}

#[tokio::test]
async fn a_removed_app_user_breaks_the_connection_and_another_drains_it() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let bot = stage.intercom().config().admins[0].id.clone();
    stage.intercom().remove_admin(&bot);
    stage.lena().comment(&issue, "Who writes this?").unwrap();
    let reason = becomes(&stage, "workspace", "broken").await;
    assert!(
        reason.contains(&bot) && reason.contains("app_user"),
        "{reason}"
    );
    assert_eq!(
        stage.links(&issue).await,
        std::slice::from_ref(&conversation)
    );
    let other = stage.teammate();
    stage.edit_config(
        "client_secret =",
        &format!("app_user = \"{other}\"\nclient_secret ="),
    );
    stage.configure().await;
    stage.note(&conversation, &["Who writes this?"]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 2);
    assert_eq!(stage.intercom().notes(&conversation)[1].admin_id, other);
    // Who that is, is said by name, also where the token belongs to somebody else.
    let script = Script::new(&stage, "owner", &["read"]).await;
    let all = script.get("/api/v1/connections").await.body["items"].clone();
    let mut items = all.as_array().unwrap().iter();
    let workspace = items.find(|one| one["connection"] == "workspace/acme");
    let workspace = workspace.unwrap();
    let named = stage.intercom().config().admins[1].name.clone();
    assert_eq!(workspace["actor_id"], other, "{workspace}");
    assert_eq!(workspace["actor_name"], named, "{workspace}");
}
