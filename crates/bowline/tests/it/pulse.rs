//! How a connection is: how far behind, and how much of what is tried fails.

use serde_json::Value;

use crate::api::Script;
use crate::browser::Browser;
use crate::connections::becomes;
use crate::failure::{fault, status};
use crate::messaging_stage::until_async;
use crate::stage::{On, Stage, on_both};

on_both!(
    the_error_rate_of_a_connection_counts_its_own_attempts,
    the_lag_of_a_connection_is_that_of_what_waits_for_it
);

async fn connection(stage: &Stage, script: &Script<'_>, key: &str) -> Value {
    let all = script.get("/api/v1/connections").await.body["items"].clone();
    let found = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["connection"] == key);
    found
        .unwrap_or_else(|| panic!("{key} at {}", stage.addr()))
        .clone()
}

async fn the_error_rate_of_a_connection_counts_its_own_attempts(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = browser.get("/connections/workspace/acme").await;
    page.says("nothing waits longer than it should");
    page.says("attempts of the last hour failed (0 %)");
    let down = fault("POST", "/reply", 0, 2, status(503));
    stage.intercom().faults().add(down);
    stage.lena().comment(&issue, "Reproduced.").unwrap();
    stage.note(&conversation, &["Reproduced."]).await;
    stage.settled().await;
    let script = Script::new(&stage, "owner", &["read"]).await;
    let workspace = connection(&stage, &script, "workspace/acme").await;
    let (attempts, failed) = (
        workspace["attempts_last_hour"].as_i64().unwrap(),
        workspace["failed_last_hour"].as_i64().unwrap(),
    );
    assert!(failed >= 2 && attempts > failed, "{workspace}");
    let page = browser.get("/connections/workspace/acme").await;
    page.says(&format!(
        "! to mend error rate {failed} of {attempts} attempts of the last hour failed"
    ));
    let site = connection(&stage, &script, "site/acme-jira").await;
    assert_eq!(site["failed_last_hour"], 0, "{site}");
}

async fn the_lag_of_a_connection_is_that_of_what_waits_for_it(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, _) = stage.linked().await;
    stage.settled().await;
    stage.intercom().revoke_token();
    stage.lena().comment(&issue, "It waits.").unwrap();
    becomes(&stage, "workspace", "broken").await;
    let script = Script::new(&stage, "owner", &["read"]).await;
    until_async(async || {
        let workspace = connection(&stage, &script, "workspace/acme").await;
        workspace["oldest_waiting_at"].is_string().then_some(())
    })
    .await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let path = "/connections/workspace/acme";
    browser.get(path).await.says("✓ good lag");
    let config = stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    for (age_ms, words) in [(120_000, "– note lag"), (1_200_000, "! to mend lag")] {
        let older = format!(
            "UPDATE effect SET planned_at = {} WHERE state IN (0, 1, 4)",
            stage.service().shared().now().plus_ms(-age_ms).0
        );
        bowline_store::testing::execute(&url, &older).await.unwrap();
        browser.get(path).await.says(words);
    }
    let site = connection(&stage, &script, "site/acme-jira").await;
    assert_eq!(site["oldest_waiting_at"], Value::Null, "{site}");
}
