//! Configuration by click, beside the configuration in the file, in whole installations.

use bowline::demo::{PATIENCE, SITE, WORKSPACE, until};
use bowline_sandbox::jira::BOT_TOKEN;
use serde_json::Value;

use crate::browser::{Browser, Page};
use crate::connections::becomes;
use crate::process::run;
use crate::projects::settings;
use crate::stage::{On, Stage, on_both};

/// Loopback is where the simulated platforms are; an operator allows it.
pub(crate) const ALLOWED: &str = "allowed_addresses = [\"127.0.0.1\"]";

/// An installation in which nothing is declared, and a Jira account that may register webhooks.
pub(crate) async fn bare(on: On, top: &str) -> Stage {
    let mut stage = Stage::prepare_on(on, |plan| plan.jira.users[0].admin = true).await;
    stage.start_bare(top).await;
    stage
}

pub(crate) fn jira_form(stage: &Stage) -> Vec<(String, String)> {
    form(&[
        ("url", &stage.world.sandbox.jira.url()),
        ("email", "bowline-bot@example.com"),
        ("token", BOT_TOKEN),
    ])
}

pub(crate) fn intercom_form(stage: &Stage) -> Vec<(String, String)> {
    let config = stage.intercom().config();
    form(&[
        ("access_token", &config.access_token),
        ("client_secret", &config.client_secret),
        ("api_url", &stage.world.sandbox.intercom.url()),
    ])
}

pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

pub(crate) async fn send(browser: &mut Browser, path: &str, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.send(path, &fields).await
}

/// The name that a form led to: the last part of the path.
pub(crate) fn named(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.words());
    let path = page.goes_to().split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

/// Connects both sides and joins ENG; gives the site's and the workspace's name.
pub(crate) async fn connected(stage: &Stage, browser: &mut Browser) -> (String, String) {
    let site = named(&send(browser, "/connections/add/site", &jira_form(stage)).await);
    let page = send(browser, "/connections/add/workspace", &intercom_form(stage)).await;
    let workspace = named(&page);
    let join = form(&[
        ("site", &site),
        ("project", "ENG"),
        ("workspace", &workspace),
    ]);
    let page = send(browser, "/bindings", &join).await;
    assert_eq!(
        page.goes_to(),
        format!("/bindings/{site}/ENG?done=joined"),
        "{}",
        page.words()
    );
    (site, workspace)
}

/// The version that the forms of a page carry.
pub(crate) fn version(page: &Page) -> String {
    let (_, rest) = page
        .text
        .split_once("name=\"version\" value=\"")
        .unwrap_or_else(|| panic!("no form: {}", page.words()));
    rest.split('"').next().unwrap().to_owned()
}

on_both!(
    from_nothing_to_the_first_note_by_click,
    secrets_are_sealed_and_keys_rotate
);

async fn from_nothing_to_the_first_note_by_click(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let page = browser.get("/").await;
    page.says("On the way to the first note");
    assert!(page.text.contains("href=\"/connections/add/site\""));
    let page = browser.get("/connections").await;
    page.says("On the way to the first note");
    page.says("Nothing is connected yet.");

    let (site, workspace) = connected(&stage, &mut browser).await;
    let hooks = stage.jira_rest("priya", "GET", "/rest/webhooks/1.0/webhook", Value::Null);
    assert_eq!(hooks.await, 200);
    // The account may: Jira delivers by itself.
    let place = format!("/connections/site/{site}");
    browser.get(&place).await.says("project in (ENG)");
    until_says(
        &mut browser,
        &place,
        "may “Browse projects” (BROWSE_PROJECTS), to read issues",
    )
    .await;

    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    stage.note(&conversation, &["created ", &issue]).await;
    let page = browser.get(&format!("/connections/site/{site}")).await;
    page.says("signed deliveries arrive");

    // Intercom's webhook turns green when its ping arrives.
    let path = format!("/connections/workspace/{workspace}");
    let page = browser.get(&path).await;
    page.says("no signed delivery arrived yet");
    let hook = stage.url(&format!("/hooks/intercom/{workspace}"));
    assert!(page.text.contains(&hook), "{}", page.words());
    stage.intercom().connect_webhook(&hook).await.unwrap();
    until_says(&mut browser, &path, "signed deliveries arrive").await;
    let page = browser.get("/connections").await;
    assert!(!page.text.contains("On the way to the first note"));

    // All of it is there after a restart.
    let mut stage = stage;
    stage.stop().await;
    stage.start().await;
    stage.lena().comment(&issue, "After the restart.").unwrap();
    stage.note(&conversation, &["After the restart."]).await;
}

async fn until_says(browser: &mut Browser, path: &str, part: &str) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = browser.get(path).await;
        if page.words().contains(part) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "“{part}” never came: {}",
            page.words()
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn secrets_are_sealed_and_keys_rotate(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let secrets = [
        BOT_TOKEN.to_owned(),
        stage.intercom().config().access_token.clone(),
        stage.intercom().config().client_secret.clone(),
    ];
    let rows = stage.store().settings().await.unwrap();
    let whole = format!("{rows:?}");
    for secret in &secrets {
        assert!(!whole.contains(secret.as_str()), "{whole}");
        for path in ["/connections", &format!("/connections/site/{site}")] {
            assert!(!browser.get(path).await.text.contains(secret.as_str()));
        }
    }
    let key = |rows: &[bowline_store::settings::SettingRow]| {
        let all = rows.iter().filter_map(|row| row.sealed_by.clone());
        all.collect::<std::collections::BTreeSet<_>>()
    };
    let before = key(&rows);
    assert_eq!(before.len(), 1);
    // While the service runs.
    let said = run(&stage, &["key", "rotate"]).await.good();
    assert!(said.contains("2 secrets are sealed"), "{said}");
    let after = key(&stage.store().settings().await.unwrap());
    assert!(after.len() == 1 && after != before, "{before:?} {after:?}");
    // What is changed next is sealed with the new key, and all of it opens after a restart.
    let path = format!("/connections/site/{site}");
    let seen = version(&browser.get(&path).await);
    let made = form(&[("version", &seen)]);
    let shown = send(&mut browser, &format!("{path}/secret"), &made).await;
    shown.says("shown this once");
    assert_eq!(key(&stage.store().settings().await.unwrap()), after);
    let mut stage = stage;
    stage.stop().await;
    stage.start().await;
    becomes(&stage, "site", "connected").await;

    // Without the key file nothing is lost, and it is said what is missing.
    stage.stop().await;
    let file = stage.folder.path().join("data/bowline.key");
    let aside = stage.folder.path().join("aside.key");
    std::fs::rename(&file, &aside).unwrap();
    stage.start().await;
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    let page = browser.get(&path).await;
    page.says("restore the key file");
    stage.stop().await;
    std::fs::rename(&aside, &file).unwrap();
    stage.start().await;
    becomes(&stage, "site", "connected").await;
}

#[tokio::test]
async fn wrong_credentials_are_said_beside_the_field_and_not_kept() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let mut typed = jira_form(&stage);
    typed[2].1 = "a-wrong-token".to_owned();
    let page = send(&mut browser, "/connections/add/site", &typed).await;
    assert_eq!(page.status, 422);
    page.says("Jira refuses it. The e-mail address and the API token must belong together");
    assert!(page.text.contains(&format!("value=\"{}\"", typed[0].1)));
    assert!(
        !page.text.contains("a-wrong-token"),
        "a secret is not sent back"
    );
    typed[1].1 = String::new();
    let page = send(&mut browser, "/connections/add/site", &typed).await;
    page.says("This is Jira Cloud, where the token goes with the e-mail address");
    let mut typed = intercom_form(&stage);
    typed[0].1 = "a-wrong-token".to_owned();
    let page = send(&mut browser, "/connections/add/workspace", &typed).await;
    assert_eq!(page.status, 422);
    page.says("Intercom refuses it.");
    let page = send(&mut browser, "/connections/add/site", &form(&[])).await;
    page.says("Give the address that people open it by");
    page.says("Paste it here.");
    assert!(stage.store().settings().await.unwrap().is_empty());
}

#[tokio::test]
async fn addresses_inside_the_network_are_refused_unless_the_operator_allows_them() {
    let stage = bare(On::Sqlite, "").await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let page = send(&mut browser, "/connections/add/site", &jira_form(&stage)).await;
    assert_eq!(page.status, 422);
    page.says("which is no public address");
    page.says("allowed_addresses");
    let page = send(
        &mut browser,
        "/connections/add/workspace",
        &intercom_form(&stage),
    )
    .await;
    page.says("which is no public address");
    let asked = stage.jira().journal().count(|_| true) + stage.intercom().journal().count(|_| true);
    assert_eq!(asked, 0, "nothing was called");
    // A name that means an address inside is no way around.
    let mut typed = jira_form(&stage);
    typed[0].1 = typed[0].1.replace("127.0.0.1", "localhost");
    let page = send(&mut browser, "/connections/add/site", &typed).await;
    page.says("which is no public address");
}

#[tokio::test]
async fn what_is_declared_wins_and_is_read_only() {
    let mut stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, workspace) = connected(&stage, &mut browser).await;
    stage.stop().await;
    stage
        .world
        .write_config(&stage.intercom().config().access_token.clone())
        .unwrap();
    stage.edit_config(&format!("\"{SITE}\""), &format!("\"{site}\""));
    stage.edit_config(&format!("\"{WORKSPACE}\""), &format!("\"{workspace}\""));
    stage.edit_config("[[binding]]", "[[binding]]\nlinking = false");
    stage.start().await;
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    let path = format!("/bindings/{site}/ENG");
    let page = browser.get(&path).await;
    page.says("in the configuration file, and changed there");
    assert!(!page.text.contains(&format!(
        "{path}/settings\" data-autosave>\n<h2>What is told</h2>\n<button"
    )));
    assert!(!stage.service().shared().bindings_now()[0].linking);
    let refused = send(
        &mut browser,
        &format!("{path}/settings"),
        &settings("1", &[]),
    )
    .await;
    assert_eq!(refused.status, 422);
    refused.says("The configuration file declares it");
    let page = browser.get("/connections").await;
    page.says(&format!("[[site]] name = \"{site}\""));
    let page = browser.get(&format!("/connections/site/{site}")).await;
    page.says("Declared in the configuration file");
    // Taken out of the file again, what was clicked holds, while the service runs.
    let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
    let (bare, _) = text.split_once("[[site]]").unwrap();
    std::fs::write(&stage.world.config_path, format!("{ALLOWED}\n{bare}")).unwrap();
    stage.configure().await;
    assert!(stage.service().shared().bindings_now()[0].linking);
}

#[tokio::test]
async fn what_is_declared_is_tested_on_its_page_as_well() {
    let stage = Stage::cloud().await;
    let mut viewer = Browser::signed_in(&stage, "viewer").await;
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    for place in ["/connections/site/acme-jira", "/connections/workspace/acme"] {
        browser.get(place).await.says("Test it now");
        let done = browser.send(&format!("{place}/test"), &[]).await;
        assert_eq!(done.goes_to(), format!("{place}?done=tested"));
        browser.get(place).await.says("Tested ");
        let seen = viewer.get(place).await;
        assert!(!seen.text.contains("Test it now"), "{}", seen.words());
    }
}

#[tokio::test]
async fn a_broken_workspace_is_reconnected_on_its_page_and_drains() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, workspace) = connected(&stage, &mut browser).await;
    let (issue, conversation) = stage.linked().await;
    stage.intercom().revoke_token();
    for number in 0..3 {
        let text = format!("Comment {number}.");
        stage.lena().comment(&issue, text.as_str()).unwrap();
    }
    becomes(&stage, "workspace", "broken").await;
    let page = browser.get("/connections").await;
    page.says("Reconnect");
    page.says("queued");
    browser
        .get(&format!("/bindings/{site}/ENG"))
        .await
        .says("refuses the access token");
    stage.intercom().set_token("a-new-token");
    let place = format!("/connections/workspace/{workspace}");
    let mut typed = intercom_form(&stage);
    typed[0].1 = "a-new-token".to_owned();
    let seen = version(&browser.get(&place).await);
    typed.push(("version".to_owned(), seen));
    let saved = send(&mut browser, &format!("{place}/credentials"), &typed).await;
    assert_eq!(saved.goes_to(), format!("{place}?done=reconnected"));
    stage.note(&conversation, &["Comment 2."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 4);
    becomes(&stage, "workspace", "connected").await;

    // Another app user.
    let teammate = stage.teammate();
    let seen = version(&browser.get(&place).await);
    let chosen = form(&[("version", &seen), ("app_user", &teammate)]);
    let saved = send(&mut browser, &format!("{place}/app-user"), &chosen).await;
    assert_eq!(saved.goes_to(), format!("{place}?done=app-user"));
    stage.lena().comment(&issue, "As someone else.").unwrap();
    stage.note(&conversation, &["As someone else."]).await;
    let notes = stage.intercom().notes(&conversation);
    assert_eq!(notes.last().unwrap().admin_id, teammate);
}

#[tokio::test]
async fn other_processes_notice_what_was_changed() {
    let mut stage = Stage::prepare_on(On::Postgres, |plan| plan.jira.users[0].admin = true).await;
    stage.start_bare(ALLOWED).await;
    // Another process of the same database, with a data folder of its own and the same key file.
    let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
    let data = stage.folder.path().join("data");
    let other = stage.folder.path().join("other");
    let text = text
        .replace(
            &format!("data_dir = \"{}\"", data.display()),
            &format!(
                "data_dir = \"{}\"\nkey_file = \"{}\"",
                other.display(),
                data.join("bowline.key").display()
            ),
        )
        .replace(
            &format!("listen = \"{}\"", stage.addr()),
            "listen = \"127.0.0.1:0\"",
        );
    let path = stage.folder.path().join("other.toml");
    std::fs::write(&path, text).unwrap();
    let read = |path: &std::path::Path| std::fs::read_to_string(path);
    let config = bowline::config::Config::load(Some(&path), [], &read)
        .unwrap()
        .config;
    let beside = bowline::service::Service::start(&config, std::sync::Arc::new(String::new))
        .await
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "owner").await;
    connected(&stage, &mut browser).await;
    let known = until(|| {
        let bindings = beside.shared().bindings_now();
        (bindings.len() == 1).then_some(())
    });
    assert!(known.await.is_some());
    beside.stop().await;
}
