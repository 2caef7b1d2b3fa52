//! What the rules would have told in the last week: shown, and nothing sent or kept.

use bowline_sandbox::common::journal::Journal;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(
    the_last_week_is_tried_by_the_present_rules_and_nothing_is_sent,
    a_link_made_by_hand_was_not_there_before,
    what_came_while_a_link_lived_counts_and_nothing_after_it,
    more_issues_than_a_trial_reads_are_counted
);

/// What a trial must not change: what either platform was asked to write, and what is kept.
async fn written(stage: &Stage) -> (i64, usize, usize) {
    let config = stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    let count = "SELECT CAST(COUNT(*) AS TEXT) FROM effect";
    let rows = bowline_store::testing::texts(&url, count).await.unwrap();
    let effects = rows[0][0].as_deref().unwrap().parse().unwrap();
    let writes = |journal: &Journal| {
        journal.count(|entry| {
            let reads = ["/search", "/bulkfetch"];
            entry.method != "GET" && !reads.iter().any(|read| entry.path.contains(read))
        })
    };
    (
        effects,
        writes(stage.intercom().journal()),
        writes(stage.jira().journal()),
    )
}

async fn the_last_week_is_tried_by_the_present_rules_and_nothing_is_sent(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage
        .lena()
        .comment(&issue, "I <can> reproduce it.")
        .unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.note(&conversation, &["Done"]).await;
    let alone = stage.issue("Nothing pasted.");
    stage.settled().await;
    let before = written(&stage).await;

    let script = Script::new(&stage, "administrator", &["settings"]).await;
    let path = "/api/v1/bindings/acme-jira/ENG/try";
    let tried = script.get(path).await.body;
    let rows = happened(&tried, &issue);
    let texts: Vec<&str> = rows
        .iter()
        .flat_map(|row| row["notes"].as_array().unwrap())
        .map(|note| note["text"].as_str().unwrap())
        .collect();
    // Told as it was told then, each once.
    assert_eq!(texts.len(), stage.texts(&conversation).len(), "{tried:#}");
    assert!(
        texts
            .iter()
            .any(|text| text.contains("I <can> reproduce it."))
    );
    assert_eq!(tried["notes"], texts.len());
    assert_eq!(tried["unlinked"], 1, "{alone} is not linked");
    let reopened: usize = rows
        .iter()
        .map(|row| row["reopens"].as_array().unwrap().len())
        .sum();
    assert_eq!(tried["reopens"], reopened);
    assert!(reopened > 0, "{tried:#}");
    assert_eq!(written(&stage).await, before, "nothing was sent or kept");

    // By other rules, other notes: comments are not told any more, and that is said.
    stage.edit_config("[[binding]]", "[[binding]]\nmuted = true");
    stage.configure().await;
    let muted = script.get(path).await.body;
    assert_eq!((&muted["notes"], &muted["reopens"]), (&0.into(), &0.into()));
    let rows = happened(&muted, &issue);
    assert!(
        rows.iter()
            .any(|row| row["reasons"].to_string().contains("muted")),
        "{muted:#}"
    );

    let mut admin = Browser::signed_in(&stage, "project_administrator").await;
    let page = admin.get("/bindings/acme-jira/ENG").await;
    page.says("Try it on last week");
    let page = admin.get("/bindings/acme-jira/ENG/try").await;
    page.says("0 notes and 0 re-openings");
    page.says(&issue);
    assert_eq!(admin.get("/bindings/acme-jira/OPS/try").await.status, 404);
    assert_eq!(written(&stage).await, before, "nothing was sent or kept");
    // What was tried is not taken for told: by the old rules all goes on.
    stage.edit_config("muted = true", "muted = false");
    stage.configure().await;
    stage.lena().comment(&issue, "And on it goes.").unwrap();
    stage.note(&conversation, &["And on it goes."]).await;
    stage.stop().await;
}

fn happened(tried: &Value, issue: &str) -> Vec<Value> {
    let issues = tried["issues"].as_array().unwrap();
    let found = issues.iter().find(|one| one["issue"] == issue);
    let found = found.unwrap_or_else(|| panic!("{issue} is not in {tried:#}"));
    found["happened"].as_array().unwrap().clone()
}

async fn a_link_made_by_hand_was_not_there_before(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let conversation = stage.conversation();
    let issue = stage.issue("Nothing pasted.");
    stage.settled().await;
    let script = Script::new(&stage, "administrator", &["settings", "links"]).await;
    let link = json!({ "issue": issue, "conversation": stage.address(&conversation).as_str() });
    let made = script.call("POST", "/api/v1/links", Some(link), "").await;
    assert_eq!(made.status, 202, "{}", made.body);
    stage.note(&conversation, &["linked"]).await;
    stage.lena().comment(&issue, "Now they hear it.").unwrap();
    stage.note(&conversation, &["Now they hear it."]).await;
    stage.settled().await;

    let tried = script.get("/api/v1/bindings/acme-jira/ENG/try").await.body;
    for row in happened(&tried, &issue) {
        let told = row["notes"].to_string();
        assert!(!told.contains("created"), "{tried:#}");
    }
    assert!(tried.to_string().contains("Now they hear it."), "{tried:#}");
}

/// What the trial says was told of an issue.
async fn told_of(script: &Script<'_>, issue: &str) -> Vec<String> {
    let tried = script.get("/api/v1/bindings/acme-jira/ENG/try").await.body;
    let rows = happened(&tried, issue);
    let notes = rows.iter().flat_map(|row| row["notes"].as_array().unwrap());
    notes
        .map(|note| note["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Comments one after the other, each dealt with before the next.
async fn comment(stage: &Stage, issue: &str, text: &str) {
    stage.lena().comment(issue, text).unwrap();
    stage.settled().await;
}

async fn what_came_while_a_link_lived_counts_and_nothing_after_it(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (pasted, first) = stage.linked().await;
    let (by_hand, second) = (stage.issue("Nothing pasted."), stage.conversation());
    stage.settled().await;
    let script = Script::new(&stage, "administrator", &["settings", "links"]).await;
    let address = stage.address(&second);
    let link = json!({ "issue": by_hand, "conversation": address.as_str() });
    script
        .call("POST", "/api/v1/links", Some(link.clone()), "a")
        .await;
    stage.settled().await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    for (issue, conversation) in [(&pasted, &first), (&by_hand, &second)] {
        comment(&stage, issue, "While it is linked.").await;
        unlink_by_hand(&stage, &mut agent, (issue, conversation)).await;
        comment(&stage, issue, "After it was unlinked.").await;
        let told = told_of(&script, issue).await;
        let count = |part| told.iter().filter(|text| text.contains(part)).count();
        assert_eq!(count("While it is linked."), 1, "{issue}: {told:#?}");
        assert_eq!(count("After it was unlinked."), 0, "{issue}: {told:#?}");
        // That it was linked was told when it was, too: as many as were posted.
        let posted = stage.texts(conversation);
        assert_eq!(told.len(), posted.len(), "{told:#?} {posted:#?}");
    }

    // Made again, it lives from then on.
    script.call("POST", "/api/v1/links", Some(link), "b").await;
    stage.settled().await;
    comment(&stage, &by_hand, "Linked again.").await;
    let told = told_of(&script, &by_hand).await;
    let count = |part| told.iter().filter(|text| text.contains(part)).count();
    assert_eq!(count("Linked again."), 1, "{told:#?}");
    assert_eq!(count("After it was unlinked."), 0, "{told:#?}");
}

async fn more_issues_than_a_trial_reads_are_counted(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, _) = stage.linked().await;
    for _ in 0..bowline_engine::try_out::TRIED_ISSUES_MAX {
        stage.issue("Nothing pasted.");
    }
    stage.settled().await;
    let script = Script::new(&stage, "administrator", &["settings"]).await;
    let tried = script.get("/api/v1/bindings/acme-jira/ENG/try").await.body;
    assert_eq!(tried["left_out"], 1);
    assert_eq!(tried["issues"][0]["issue"], issue, "the linked ones first");
    let mut admin = Browser::signed_in(&stage, "owner").await;
    let page = admin.get("/bindings/acme-jira/ENG/try").await;
    page.says("1 issue more had changes; one trial reads 50");
}

async fn unlink_by_hand(stage: &Stage, agent: &mut Browser, (issue, conversation): (&str, &str)) {
    let link = stage.all_links(issue).await.remove(0);
    let unlink = [
        ("site", "acme-jira"),
        ("issue", link.issue.as_str()),
        ("workspace", "acme"),
        ("conversation", conversation),
    ];
    agent.send("/links/remove", &unlink).await;
    stage.settled().await;
}

#[tokio::test]
async fn a_pasted_address_that_was_linked_by_hand_too_makes_no_second_note() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    let address = stage.address(&conversation);
    let link = [
        ("issue", issue.as_str()),
        ("conversation", address.as_str()),
    ];
    agent.send("/links/add", &link).await;
    stage.settled().await;
    unlink_by_hand(&stage, &mut agent, (&issue, &conversation)).await;
    let posted = stage.texts(&conversation).len();
    let script = Script::new(&stage, "administrator", &["settings"]).await;
    let tried = script.get("/api/v1/bindings/acme-jira/ENG/try").await.body;
    let notes: usize = happened(&tried, &issue)
        .iter()
        .map(|row| row["notes"].as_array().unwrap().len())
        .sum();
    assert_eq!(notes, posted, "{tried:#}");
}

#[tokio::test]
async fn an_older_link_counts_until_its_address_was_taken_out() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    // It was linked a month ago.
    let url = stage.world.config().unwrap().database.url();
    let url = secrecy::ExposeSecret::expose_secret(&url).to_owned();
    let sql = "UPDATE link SET since = since - 2592000000";
    assert_eq!(bowline_store::testing::execute(&url, sql).await.unwrap(), 1);
    comment(&stage, &issue, "While it is linked.").await;
    stage.lena().describe(&issue, "Nothing pasted.").unwrap();
    stage.settled().await;
    assert!(stage.links(&issue).await.is_empty());
    comment(&stage, &issue, "After the address was taken out.").await;

    let script = Script::new(&stage, "administrator", &["settings"]).await;
    let told = told_of(&script, &issue).await;
    let count = |part| told.iter().filter(|text| text.contains(part)).count();
    assert_eq!(count("While it is linked."), 1, "{told:#?}");
    assert_eq!(count("After the address"), 0, "{told:#?}");
    // The time of an end that a version before did not keep is not known: nothing of it counts.
    let sql = "UPDATE link SET ended_at = NULL";
    assert_eq!(bowline_store::testing::execute(&url, sql).await.unwrap(), 1);
    assert_eq!(told_of(&script, &issue).await, Vec::<String>::new());
    assert!(!stage.texts(&conversation).is_empty());
}

#[tokio::test]
async fn what_people_ended_before_the_last_week_is_not_linked_anew() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    unlink_by_hand(&stage, &mut agent, (&issue, &conversation)).await;
    // All of that was a month ago.
    let url = stage.world.config().unwrap().database.url();
    let url = secrecy::ExposeSecret::expose_secret(&url).to_owned();
    let sql = "UPDATE link SET since = since - 2592000000, ended_at = ended_at - 2592000000 \
               WHERE live = 0";
    assert_eq!(bowline_store::testing::execute(&url, sql).await.unwrap(), 1);
    stage.lena().comment(&issue, "Nobody hears it.").unwrap();
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);

    let script = Script::new(&stage, "administrator", &["settings"]).await;
    let tried = script.get("/api/v1/bindings/acme-jira/ENG/try").await.body;
    assert_eq!(tried["notes"], 0, "{tried:#}");
}
