//! What attempts sent and were answered is kept, shown, and without secrets.

use bowline_domain::call::{self, Call};
use bowline_sandbox::common::FaultKind;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::fault;
use crate::stage::{On, Stage, on_both};

on_both!(
    an_attempt_shows_what_was_sent_and_answered,
    no_secret_of_the_configuration_is_in_what_is_kept_of_attempts
);

/// A far side that fails, and tells what it was sent.
fn telling(status: u16, body: Value) -> FaultKind {
    FaultKind::Status {
        status,
        body: Some(body),
        headers: vec![("x-request-id".to_owned(), "req-4711".to_owned())],
    }
}

async fn an_attempt_shows_what_was_sent_and_answered(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let words = json!({ "errors": [{ "code": "service_unavailable", "message": "Try later" }] });
    let faults = stage.intercom().faults();
    faults.add(fault("POST", "/reply", 0, 1, telling(503, words.clone())));
    stage.lena().comment(&issue, "Reproduced.").unwrap();
    stage.note(&conversation, &["Reproduced."]).await;
    stage.settled().await;

    let script = Script::new(&stage, "owner", &["read"]).await;
    let path = format!("/api/v1/deliveries?about={issue}&outcome=effects");
    let list = script.get(&path).await.body;
    let path = format!("/api/v1/deliveries/{}", list["items"][0]["id"]);
    let told = script.get(&path).await.body;
    let attempts = told["effects"][0]["attempts"].as_array().unwrap();
    let (first, last) = (
        &attempts[0]["calls"],
        &attempts[attempts.len() - 1]["calls"],
    );
    let failed = first.as_array().unwrap().last().unwrap();
    let reply = format!("/conversations/{conversation}/reply");
    assert_eq!(
        (&failed["method"], &failed["path"]),
        (&"POST".into(), &reply.clone().into())
    );
    assert_eq!(failed["status"], 503);
    assert_eq!(failed["headers"]["x-request-id"], "req-4711");
    assert_eq!(failed["response"], words.to_string());
    assert!(
        failed["request"].as_str().unwrap().contains("Reproduced."),
        "{failed}"
    );
    assert_eq!(
        last.as_array().unwrap().len(),
        1,
        "what was done keeps its write"
    );
    assert_eq!(
        (&last[0]["path"], &last[0]["status"]),
        (&reply.clone().into(), &200.into())
    );
    assert!(last[0]["response"].is_null() && last[0]["response_bytes"].as_i64() > Some(0));

    let page = told["id"].as_i64().unwrap();
    let page = format!("/deliveries/{page}");
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    let shown = browser.get(&page).await;
    shown.says(&format!("POST {reply}"));
    shown.says("answered 503");
    shown.says("req-4711");
    shown.says("Answered:");

    // What was said is for administrators.
    let viewer = Script::new(&stage, "agent", &["read"]).await;
    let told = viewer.get(&path).await.body;
    let call = &told["effects"][0]["attempts"][0]["calls"][0];
    assert!(
        call["method"].is_string() && call["request"].is_null(),
        "{call}"
    );
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let shown = browser.get(&page).await;
    shown.says("answered 503");
    assert!(!shown.text.contains("What was answered"));
}

/// The values of the configuration that are secret, by their names.
fn secrets(stage: &Stage) -> Vec<String> {
    let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| name.contains("token") || name.contains("secret"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .collect()
}

async fn no_secret_of_the_configuration_is_in_what_is_kept_of_attempts(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let secrets = secrets(&stage);
    assert!(secrets.len() >= 5, "{secrets:?}");
    // The far side says all that it was ever sent.
    let config = std::fs::read_to_string(&stage.world.config_path).unwrap();
    let (_, token) = config.split_once("access_token = \"").unwrap();
    let token = token.split('"').next().unwrap();
    assert!(secrets.iter().any(|secret| secret == token));
    let words = format!("Authorization: Bearer {token}, that is {token}");
    let words = json!({
        "type": "error.list", "request_id": token,
        "errors": [{ "code": "x", "message": words }],
    });
    let bot = json!({ "errorMessages": [bowline_sandbox::jira::BOT_TOKEN] });
    for status in [500, 422] {
        let faults = stage.intercom().faults();
        faults.add(fault(
            "POST",
            "/reply",
            0,
            1,
            telling(status, words.clone()),
        ));
        let faults = stage.jira().faults();
        faults.add(fault(
            "PUT",
            "/properties/",
            0,
            1,
            telling(500, bot.clone()),
        ));
        let text = format!("Comment {status}.");
        stage.lena().comment(&issue, text.as_str()).unwrap();
        stage.note(&conversation, &[&text]).await;
    }
    stage.settled().await;

    let rows = |sql: &'static str| {
        let config = stage.world.config().unwrap();
        let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
        async move { bowline_store::testing::texts(&url, sql).await.unwrap() }
    };
    let kept = rows("SELECT calls, detail FROM attempt").await;
    let calls: Vec<Call> = kept
        .iter()
        .flat_map(|row| call::read(row[0].as_deref()))
        .collect();
    for status in [200, 422, 500] {
        let status = Some(status);
        assert!(
            calls.iter().any(|call| call.status == status),
            "{status:?} in {calls:#?}"
        );
    }
    let all = [kept, rows("SELECT reason, remote_id FROM effect").await].concat();
    let all = format!("{all:?}");
    assert!(all.contains("[removed]"), "{all}");
    for secret in &secrets {
        assert!(!all.contains(secret.as_str()), "{secret} is kept");
    }
}
