//! Deciding again all that came since a time: planned, run, watched and cancelled, on the page and
//! by scripts.

use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::messaging_stage::until_async;
use crate::stage::{On, Stage, on_both};

on_both!(
    what_went_to_quarantine_is_decided_again_and_nothing_is_told_twice,
    a_replay_is_planned_run_and_cancelled_by_scripts,
    a_replay_goes_on_after_a_restart
);

/// A time before everything, as a form writes it.
const LONG_AGO: &str = "2020-01-01T00:00";

async fn done(script: &Script<'_>, id: i64) -> Value {
    until_async(async || {
        let run = script.get(&format!("/api/v1/replays/{id}")).await.body;
        (run["state"] == "done" && run["waiting"] == 0).then_some(run)
    })
    .await
}

async fn what_went_to_quarantine_is_decided_again_and_nothing_is_told_twice(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.lena().comment(&issue, "Reproduced.").unwrap();
    stage.note(&conversation, &["Reproduced."]).await;
    assert_eq!(stage.deliver_jira(b"{\"odd\":1}", None).await.0, 200);
    stage.settled().await;
    let before = stage.texts(&conversation);
    // As if a fault had sent the comment's deliveries to quarantine after all, and it were not
    // known any more that it was dealt with: what was confirmed stands above that.
    let config = stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    for sql in [
        "DELETE FROM fact WHERE fact LIKE 'commented%'",
        "UPDATE event SET state = 2, outcome = 'a fault' WHERE topic = 'comment_created'",
    ] {
        assert!(bowline_store::testing::execute(&url, sql).await.unwrap() > 0);
    }
    let mut admin = Browser::signed_in(&stage, "administrator").await;
    admin
        .get("/deliveries")
        .await
        .says("Decide all since a time again");
    let path = format!("/deliveries/replay?since={LONG_AGO}");
    let page = admin.get(&path).await;
    page.says("would be decided again. Nothing is done yet.");
    page.says("2 are in quarantine");
    stage.expect_notes(&conversation, &strs(&before)).await;
    let wrong = admin.get("/deliveries/replay?since=soon").await;
    wrong.says("Write a day and a time that are over");
    assert!(
        wrong.text.contains("value=\"soon\""),
        "what was typed stays"
    );
    let odd = format!("/deliveries/replay?since={LONG_AGO}&connection=site/none");
    admin.get(&odd).await.says("is no connection");

    let run = [("do", "run"), ("since", LONG_AGO), ("connection", "")];
    let sent = admin.send("/deliveries/replay", &run).await;
    assert_eq!(sent.goes_to(), "/deliveries/replay?done=replaying");
    let ended = until_async(async || {
        let page = admin.get("/deliveries/replay").await;
        page.words().contains("✓ done").then_some(page)
    })
    .await;
    ended.says("all connections");
    stage.settled().await;
    assert_eq!(stage.texts(&conversation), before, "nothing was told twice");
    let left = admin.get("/deliveries?outcome=quarantined").await;
    assert_eq!(left.text.matches("<td><a href=\"/deliveries/").count(), 1);

    let audit = admin.get("/audit").await;
    audit.says("Deliveries since a time decided again");
    // Decided again once more, nothing comes of it; also after a restart.
    stage.stop().await;
    stage.start().await;
    admin.at(stage.addr());
    admin.send("/deliveries/replay", &run).await;
    until_async(async || {
        let page = admin.get("/deliveries/replay").await;
        (page.words().matches("✓ done").count() == 2).then_some(())
    })
    .await;
    stage.expect_notes(&conversation, &strs(&before)).await;

    let mut manager = Browser::signed_in(&stage, "project_administrator").await;
    assert_eq!(manager.get("/deliveries/replay").await.status, 403);
    let page = manager.get("/deliveries").await;
    assert!(!page.text.contains("/deliveries/replay"));
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

async fn a_replay_is_planned_run_and_cancelled_by_scripts(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (_, conversation) = stage.linked().await;
    stage.settled().await;
    let before = stage.texts(&conversation);
    let script = Script::new(&stage, "administrator", &["read", "replay"]).await;
    let since = json!({ "since": "2020-01-01T00:00:00Z", "connection": "site/acme-jira" });
    let plan = async |body: &Value| {
        let path = "/api/v1/replays/plan";
        script.call("POST", path, Some(body.clone()), "").await
    };
    let counted = plan(&since).await;
    assert_eq!(counted.status, 200);
    let again = counted.body["again"].as_i64().unwrap();
    assert!(again > 0, "{}", counted.body);
    for wrong in [
        json!({}),
        json!({ "since": "yesterday" }),
        json!({ "since": "2999-01-01T00:00:00Z" }),
        json!({ "since": "2020-01-01T00:00:00Z", "connection": "site/none" }),
    ] {
        assert_eq!(plan(&wrong).await.status, 422, "{wrong}");
    }

    let run = async |name: &str| {
        let path = "/api/v1/replays";
        script.call("POST", path, Some(since.clone()), name).await
    };
    let begun = run("r1").await;
    assert_eq!(
        (begun.status, begun.body["again"].as_i64()),
        (202, Some(again))
    );
    assert_eq!(run("r1").await.body, begun.body, "named, it is made once");
    let id = begun.body["id"].as_i64().unwrap();
    let ended = done(&script, id).await;
    assert_eq!(ended["put_back"], again);
    let cancel = async |id: i64| {
        let path = format!("/api/v1/replays/{id}/cancel");
        script.call("POST", &path, None, "").await
    };
    assert_eq!(cancel(id).await.status, 404, "it is over");
    assert_eq!(script.get("/api/v1/replays/999").await.status, 404);
    stage.expect_notes(&conversation, &strs(&before)).await;

    // While so much waits that a replay holds back, it is cancelled.
    let url = stage.world.config().unwrap().database.url();
    let url = secrecy::ExposeSecret::expose_secret(&url).to_owned();
    let busy = "UPDATE lane SET pending = pending + 2000 WHERE key = 'event/acme-jira/none'";
    let lane = "INSERT INTO lane (key, kind, connection, pending, due_at, owner, token, lease_until, \
                failures) VALUES ('event/acme-jira/none', 0, 'site/acme-jira', 0, \
                9000000000000000, '', 0, 0, 0)";
    for sql in [lane, busy] {
        bowline_store::testing::execute(&url, sql).await.unwrap();
    }
    let begun = run("r2").await;
    let id = begun.body["id"].as_i64().unwrap();
    assert_eq!(run("r3").await.status, 409, "one at a time");
    let ended = cancel(id).await;
    assert_eq!(
        (ended.status, &ended.body["state"]),
        (202, &json!("cancelled"))
    );

    let manager = Script::new(&stage, "project_administrator", &["read", "replay"]).await;
    let path = "/api/v1/replays/plan";
    let refused = manager.call("POST", path, Some(since.clone()), "").await;
    assert_eq!(refused.status, 403);
}

async fn a_replay_goes_on_after_a_restart(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    for number in 0..5 {
        stage
            .lena()
            .comment(&issue, format!("Number {number}.").as_str())
            .unwrap();
    }
    stage.note(&conversation, &["Number 4."]).await;
    stage.settled().await;
    let before = stage.texts(&conversation);
    let mut admin = Browser::signed_in(&stage, "administrator").await;
    let run = [("do", "run"), ("since", LONG_AGO), ("connection", "")];
    admin.send("/deliveries/replay", &run).await;
    // At once: the run may not have begun, be in its midst, or be over.
    stage.stop().await;
    stage.start().await;
    admin.at(stage.addr());
    until_async(async || {
        let page = admin.get("/deliveries/replay").await;
        page.words().contains("✓ done").then_some(())
    })
    .await;
    stage.expect_notes(&conversation, &strs(&before)).await;
}
