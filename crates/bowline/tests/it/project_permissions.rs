//! A permission that is missing in a joined project: its page is yellow and says who mends it, people
//! are told once, and once when it is granted.

use std::time::Duration;

use bowline::demo::PATIENCE;

use crate::alerts::{Listener, configure, receivers};
use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_lost_permission_is_shown_told_and_mended,
    a_project_that_cannot_be_browsed_is_said_to_be_so
);

/// Whom Bowline writes as in Jira.
const BOT: &str = "bowline-bot";

/// Waits until the page says this.
async fn says(browser: &mut Browser, path: &str, part: &str) -> String {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let words = browser.get(path).await.words();
        if words.contains(part) {
            return words;
        }
        assert!(tokio::time::Instant::now() < deadline, "{part}: {words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_lost_permission_is_shown_told_and_mended(on: On) {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    configure(&stage, &receivers(Some(&url), None));
    stage.jira().set_permission(BOT, "EDIT_ISSUES", false);
    stage.start().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;

    // It is found out by itself.
    says(&mut browser, "/bindings", "permission missing").await;
    let page = browser.get("/bindings/acme-jira/ENG").await;
    page.says("lacks “Edit issues” in the project ENG of “acme-jira”");
    page.says("Notes go on.");
    page.says("an administrator of the project, grants it");
    let problems = browser.get("/problems").await;
    problems.says("A permission is missing in the project ENG of “acme-jira”");
    browser
        .get("/")
        .await
        .says("A permission is missing in the project ENG");
    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    let one = script.get("/api/v1/bindings/acme-jira/ENG").await;
    assert_eq!(one.body["lacks"]["permissions"][0], "EDIT_ISSUES");

    let told = listener.told(1).await;
    assert_eq!(told[0]["kind"], "broken");
    assert_eq!(told[0]["connection"], "site/acme-jira");
    assert_eq!(told[0]["project"], "ENG");
    let text = told[0]["text"].as_str().unwrap();
    for part in [
        "What happened: Bowline's account lacks “Edit issues”",
        "What it means: Notes go on.",
        "Who can mend it: A Jira administrator, or an administrator of the project",
        "/bindings/acme-jira/ENG",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    // Notes go on meanwhile.
    stage.linked().await;

    stage.jira().set_permission(BOT, "EDIT_ISSUES", true);
    let test = "/api/v1/sites/acme-jira/test";
    assert_eq!(script.call("POST", test, None, "").await.status, 202);
    let words = says(&mut browser, "/bindings", "connected").await;
    assert!(!words.contains("permission missing"), "{words}");
    browser.get("/problems").await.says("Everything works");
    let one = script.get("/api/v1/bindings/acme-jira/ENG").await;
    assert!(one.body["lacks"].is_null());
    let told = listener.told(2).await;
    assert_eq!(told[1]["kind"], "mended");
    assert_eq!(told[1]["project"], "ENG");
    let alerts = script.get("/api/v1/alerts").await;
    let about: Vec<&str> = (alerts.body["items"].as_array().unwrap().iter())
        .map(|alert| alert["project"].as_str().unwrap())
        .collect();
    assert_eq!(about, ["ENG", "ENG"], "once each");
}

async fn a_project_that_cannot_be_browsed_is_said_to_be_so(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    stage.jira().set_permission(BOT, "BROWSE_PROJECTS", false);
    let test = "/api/v1/sites/acme-jira/test";
    assert_eq!(script.call("POST", test, None, "").await.status, 202);
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = browser.get("/bindings/acme-jira/ENG").await;
    page.says("lacks “Browse projects”");
    page.says("Nothing is told of its issues as long as this lasts");
    let one = script.get("/api/v1/bindings/acme-jira/ENG").await;
    let lacks = one.body["lacks"]["permissions"].as_array().unwrap();
    assert_eq!(
        lacks,
        &["BROWSE_PROJECTS"],
        "what else is lacking is found after it"
    );
    stage.jira().set_permission(BOT, "BROWSE_PROJECTS", true);
    assert_eq!(script.call("POST", test, None, "").await.status, 202);
    says(&mut browser, "/bindings", "connected").await;
    stage.lena().comment(&issue, "Seen again.").unwrap();
    stage.note(&conversation, &["Seen again."]).await;
}
