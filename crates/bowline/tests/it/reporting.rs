//! The report of what is asked for: who asks, counted once, honest about what is not known.

use std::time::Duration;

use bowline::demo::PATIENCE;
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;
use serde_json::Value;

use crate::api::Script;
use crate::browser::Browser;
use crate::panel::silence;
use crate::stage::{On, SUMMARY, Stage, on_both};

on_both!(
    the_report_says_who_asks_and_what_they_spend,
    the_report_is_filtered_by_status,
    a_dead_intercom_leaves_the_report_to_what_is_known
);

/// Two people of one company, and one of another, ask for two issues.
async fn asked(stage: &Stage) -> (String, String) {
    let intercom = stage.intercom();
    let person = |name: &str| {
        let email = format!("{}@example.com", name.to_lowercase());
        intercom
            .create_contact(NewContact::user(name, &email))
            .unwrap()
    };
    let (mia, ben, kim) = (person("Mia"), person("Ben"), person("Kim"));
    let lind = intercom.create_company("Lind AB", &mia).unwrap();
    intercom.set_member(&ben, &lind, true).unwrap();
    intercom.set_company_money(&lind, Some("Pro"), 120);
    let orchard = intercom.create_company("Orchard", &kim).unwrap();
    intercom.set_company_money(&orchard, None, 30);
    let link = async |people: &[&str]| {
        let conversations: Vec<String> = people
            .iter()
            .map(|contact| {
                intercom
                    .create_conversation(contact, "It is broken.")
                    .unwrap()
            })
            .collect();
        let addresses: Vec<String> = conversations.iter().map(|id| stage.address(id)).collect();
        let issue = stage.issue(addresses.join(" and ").as_str());
        for id in &conversations {
            stage.note(id, &["created ", &issue]).await;
        }
        issue
    };
    (link(&[&mia, &ben, &mia]).await, link(&[&kim]).await)
}

/// The report, once everybody is known.
async fn known(browser: &mut Browser) -> String {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let words = browser.get("/links/report").await.words();
        if !words.contains("not read yet") && !words.contains("not everybody") {
            return words;
        }
        assert!(tokio::time::Instant::now() < deadline, "{words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn the_report_says_who_asks_and_what_they_spend(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (first, second) = asked(&stage).await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = browser.get("/links/report").await;
    page.says("Of 2 issues not everybody is known yet");
    page.says("3 not read yet");
    // Whoever looks has it read now.
    let words = known(&mut browser).await;
    for part in [
        format!("{SUMMARY} To Do 3 2 1 120.00"),
        format!("{SUMMARY} To Do 1 1 1 30.00"),
    ] {
        assert!(words.contains(&part), "{part}: {words}");
    }
    let place = |words: &str, issue: &str| words.find(&format!("{issue} ↗")).unwrap();
    assert!(
        place(&words, &first) < place(&words, &second),
        "most asked first"
    );
    let least = browser.get("/links/report?sort=spend&order=asc").await;
    let words = least.words();
    assert!(place(&words, &second) < place(&words, &first));
    assert!(least.text.contains("aria-sort=\"ascending\""));
    browser
        .get("/links/report?project=acme-jira/OTHER")
        .await
        .says("No issue is like that.");
    browser
        .get("/links/report?state=ended")
        .await
        .says("No issue is like that.");
    assert_eq!(browser.get("/links/report?sort=luck").await.status, 400);

    // The same by file and by script.
    let csv = browser
        .get("/links/report.csv?sort=spend&project=acme-jira/ENG")
        .await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(
        lines[0].ends_with("\"contacts\",\"companies\",\"monthly_spend\",\"not_read\",\"status\"")
    );
    assert!(
        lines[1].contains(&first) && lines[1].ends_with("\"2\",\"1\",\"120.00\",\"0\",\"To Do\""),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].contains(&second) && lines[2].ends_with("\"1\",\"1\",\"30.00\",\"0\",\"To Do\""),
        "{}",
        lines[2]
    );
    assert_eq!(lines.len(), 3);
    let list: Value = serde_json::from_str(
        &browser
            .get("/links/report.json?sort=contacts&order=asc")
            .await
            .text,
    )
    .unwrap();
    assert_eq!(list[0]["issue"], *second);
    let script = Script::new(&stage, "agent", &["read"]).await;
    let api = script
        .get("/api/v1/reports/issues?sort=last&site=acme-jira")
        .await;
    assert_eq!(api.status, 200, "{}", api.body);
    let of_first = api.body["items"].as_array().unwrap();
    let of_first = of_first.iter().find(|row| row["issue"] == *first).unwrap();
    assert_eq!(of_first["conversations"], 3);
    assert_eq!(of_first["monthly_spend"], "120.00");
    for wrong in [
        "sort=luck",
        "order=up",
        "state=all",
        "project=ENG",
        "after=x",
    ] {
        let path = format!("/api/v1/reports/issues?{wrong}");
        assert_eq!(script.get(&path).await.status, 422, "{wrong}");
    }
}

/// Waits until the report with this filter names these issues and no other of these two.
async fn shows(browser: &mut Browser, filter: &str, wanted: &[&String], not: &[&String]) {
    let path = format!("/links/report?{filter}");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let words = browser.get(&path).await.words();
        let named = |issue: &&&String| words.contains(&format!("{issue} ↗"));
        if wanted.iter().all(|issue| named(&issue)) && !not.iter().any(|issue| named(&issue)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{filter}: {words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn the_report_is_filtered_by_status(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    let (first, second) = asked(&stage).await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    shows(&mut browser, "status=To+Do", &[&first, &second], &[]).await;
    let page = browser.get("/links/report").await;
    assert!(page.text.contains("<option value=\"To Do\""), "to choose");

    // The status follows what Bowline hears of.
    stage.omar().transition(&first, "Done", None).unwrap();
    shows(&mut browser, "status=Done", &[&first], &[&second]).await;
    shows(
        &mut browser,
        "status=To+Do&sort=last",
        &[&second],
        &[&first],
    )
    .await;
    let of_project = "status=Done&project=acme-jira%2FENG&sort=spend&order=asc";
    shows(&mut browser, of_project, &[&first], &[&second]).await;
    browser
        .get("/links/report?status=Lost")
        .await
        .says("No issue is like that.");

    let csv = browser.get("/links/report.csv?status=Done").await.text;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains(&first) && csv.contains("\"Done\""), "{csv}");
    let script = Script::new(&stage, "agent", &["read"]).await;
    let found = script.get("/api/v1/reports/issues?status=Done").await;
    assert_eq!(found.body["items"][0]["issue"], *first);
    assert_eq!(found.body["items"][0]["status"], "Done");
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1);

    // Of what a version before read, the status is not known; it is found out by itself.
    stage.settled().await;
    stage.stop().await;
    let config = stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    for table in ["issue", "asked"] {
        let sql = format!("UPDATE {table} SET status = ''");
        bowline_store::testing::execute(&url, &sql).await.unwrap();
    }
    stage.start().await;
    browser.at(stage.addr());
    shows(&mut browser, "status=Done", &[&first], &[&second]).await;
    shows(&mut browser, "status=To+Do", &[&second], &[&first]).await;
}

async fn a_dead_intercom_leaves_the_report_to_what_is_known(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (first, _) = asked(&stage).await;
    silence(&stage, FaultKind::Hang);
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = tokio::time::timeout(PATIENCE, browser.get("/links/report")).await;
    let page = page.expect("what is known is shown at once");
    page.says(&format!("{SUMMARY} To Do 3 0 3 not read yet 0 0.00"));
    page.says(&first);
}
