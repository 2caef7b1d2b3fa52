//! Jira's side: the label and the number field that say how many conversations are linked, seen in
//! Jira and asked for by JQL.

use bowline::demo::{PATIENCE, SITE, until};
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::jira::{BOT_ACCOUNT, BOT_TOKEN, CustomValue, Edit, History};
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::configuring::{ALLOWED, bare, connected, form, send, version};
use crate::failure::fault;
use crate::panel::says;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_label_and_a_number_follow_the_links,
    what_is_changed_by_hand_is_put_right,
    it_is_switched_on_over_what_is_linked_and_off_again,
    what_jira_does_not_let_be_set_is_a_problem_until_it_does,
    an_answer_that_is_lost_changes_nothing_twice,
    the_other_project_says_what_it_wants
);

const LABEL: &str = "intercom-linked";
const FIELD: &str = "customfield_10061";

/// What the binding declares.
const BOTH: &str =
    "linked_label = \"intercom-linked\"\nlinked_number_field = \"customfield_10061\"";

async fn both(on: On) -> Stage {
    Stage::on(on, |plan| BOTH.clone_into(&mut plan.binding)).await
}

/// What an issue says: has it the label, and which number.
fn said(stage: &Stage, issue: &str) -> (bool, Option<f64>) {
    let issue = stage.jira().issue(issue).unwrap();
    let number = match issue.custom.get(FIELD) {
        Some(CustomValue::Number(number)) => Some(*number),
        _ => None,
    };
    (issue.labels.iter().any(|one| one == LABEL), number)
}

/// Waits until an issue says this.
async fn comes_to_say(stage: &Stage, issue: &str, wanted: (bool, Option<f64>)) {
    let seen = until(|| (said(stage, issue) == wanted).then_some(())).await;
    assert!(seen.is_some(), "{issue} says {:?}", said(stage, issue));
}

/// How often Bowline changed the label or the number of an issue.
fn edits(stage: &Stage, issue: &str) -> usize {
    let issue = stage.jira().issue(issue).unwrap();
    let says = |one: &&History| {
        let mut items = one.items.iter();
        let ours = one.author.account_id == BOT_ACCOUNT;
        ours && items.any(|item| item.field == "labels" || item.custom)
    };
    issue.history.iter().filter(says).count()
}

/// The keys of the issues that Jira finds.
async fn found(stage: &Stage, jql: &str) -> Vec<String> {
    let asked = json!({ "jql": jql, "fields": ["key"], "maxResults": 50 });
    let request = stage
        .client()
        .post(format!(
            "{}/rest/api/3/search/jql",
            stage.world.sandbox.jira.url()
        ))
        .basic_auth("bowline-bot@example.com", Some(BOT_TOKEN))
        .header("content-type", "application/json")
        .body(asked.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{jql}");
    let page: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let issues = page["issues"].as_array().unwrap().iter();
    issues
        .map(|issue| issue["key"].as_str().unwrap().to_owned())
        .collect()
}

async fn a_label_and_a_number_follow_the_links(on: On) {
    let stage = both(on).await;
    let (issue, one) = stage.linked().await;
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    let other = stage.conversation();
    let address = stage.address(&other);
    let comment = stage.lena().comment(&issue, address.as_str()).unwrap();
    comes_to_say(&stage, &issue, (true, Some(2.0))).await;
    let plain = stage.issue("Nobody asks for this.");
    stage.settled().await;
    assert_eq!(said(&stage, &plain), (false, None), "it is left alone");

    // The queries that the project's page offers are asked of Jira.
    let script = Script::new(&stage, "viewer", &["read"]).await;
    let state = script.get("/api/v1/bindings/acme-jira/ENG/tally").await;
    assert_eq!(state.status, 200, "{}", state.body);
    let examples = state.body["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 5);
    for (example, wanted) in examples.iter().zip([
        vec![issue.clone()],
        vec![],
        vec![issue.clone()],
        vec![],
        vec![plain.clone()],
    ]) {
        let jql = example["jql"].as_str().unwrap();
        assert_eq!(found(&stage, jql).await, wanted, "{jql}");
    }
    let named = found(&stage, "\"Linked conversations\" >= 2").await;
    assert_eq!(named, std::slice::from_ref(&issue));

    // Our own changes come back as webhooks, are known as ours, and nobody is told of them.
    stage.settled().await;
    assert!(stage.reasons().await.contains(&"echo"));
    let notes = stage.texts(&one);
    assert!(
        notes.iter().all(|note| !note.contains("label")),
        "{notes:?}"
    );
    assert_eq!(notes.len(), 2, "created and commented: {notes:?}");

    stage.lena().delete_comment(&issue, comment).unwrap();
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    stage.priya().describe(&issue, "It is well.").unwrap();
    comes_to_say(&stage, &issue, (false, Some(0.0))).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let page = browser.get(&format!("/why?q={issue}")).await;
    page.says("Bring the issue's label and number field in step");
}

async fn what_is_changed_by_hand_is_put_right(on: On) {
    let stage = both(on).await;
    let (issue, _) = stage.linked().await;
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    stage.settled().await;
    let before = edits(&stage, &issue);
    let labels = |labels: &[&str]| Edit {
        labels: Some(labels.iter().map(|&one| one.to_owned()).collect()),
        ..Edit::default()
    };
    stage
        .lena()
        .edit(&issue, labels(&["ui", "wanted"]))
        .unwrap();
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    let now = stage.jira().issue(&issue).unwrap();
    assert_eq!(now.labels, [LABEL, "ui", "wanted"], "others stay");
    let number = Edit {
        custom: [(FIELD.to_owned(), Some(CustomValue::Number(7.0)))].into(),
        ..Edit::default()
    };
    stage.omar().edit(&issue, number).unwrap();
    stage.settled().await;
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    // On an issue that nobody asks for it is taken off.
    let plain = stage.issue("Nobody asks for this.");
    stage.lena().edit(&plain, labels(&[LABEL])).unwrap();
    stage.settled().await;
    comes_to_say(&stage, &plain, (false, None)).await;
    // Other labels are nobody's business.
    stage.lena().edit(&plain, labels(&["ui"])).unwrap();
    stage.settled().await;
    assert_eq!(edits(&stage, &plain), 1);
    assert_eq!(edits(&stage, &issue), before + 2, "each was put right once");
}

async fn it_is_switched_on_over_what_is_linked_and_off_again(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let (issue, _) = stage.linked().await;
    let (second, _) = stage.linked().await;
    let path = format!("/bindings/{site}/ENG");
    let page = browser.get(&path).await;
    page.says("Linked conversations (customfield_10061)");
    page.says("Story points (customfield_10060)");
    assert!(!page.text.contains("customfield_10050"), "that is a text");
    let seen = version(&page);
    let wrong = [
        ("version", seen.as_str()),
        ("label", "two words"),
        ("number_field", ""),
    ];
    let refused = send(&mut browser, &format!("{path}/tally"), &form(&wrong)).await;
    assert_eq!(refused.status, 422);
    refused.says("A label is one word");
    assert!(refused.text.contains("value=\"two words\""), "it is kept");
    let wrong = [
        ("version", seen.as_str()),
        ("label", ""),
        ("number_field", "customfield_1"),
    ];
    let refused = send(&mut browser, &format!("{path}/tally"), &form(&wrong)).await;
    refused.says("Jira has no number field with this id.");

    let right = [
        ("version", seen.as_str()),
        ("label", LABEL),
        ("number_field", FIELD),
    ];
    let saved = send(&mut browser, &format!("{path}/tally"), &form(&right)).await;
    assert_eq!(saved.goes_to(), format!("{path}?done=saved"));
    for issue in [&issue, &second] {
        comes_to_say(&stage, issue, (true, Some(1.0))).await;
    }
    let page = says(&mut browser, &path, "kept in step").await;
    page.says("project = \"ENG\" AND labels = \"intercom-linked\"");
    let audit = browser.get("/audit/export.csv").await.text;
    assert!(
        audit.contains("Label of linked issues: none → intercom-linked"),
        "{audit}"
    );

    // Another label takes the place of the first one, and off takes everything away.
    let other = json!({ "version": version(&page).parse::<i64>().unwrap(),
        "tally": { "label": "asked-for", "number_field": null } });
    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    let address = format!("/api/v1{path}");
    let done = script.call("PATCH", &address, Some(other), "").await;
    assert_eq!(done.status, 202, "{}", done.body);
    comes_to_say(&stage, &issue, (false, None)).await;
    let labels = |issue: &str| stage.jira().issue(issue).unwrap().labels;
    assert_eq!(labels(&issue), ["asked-for"]);
    let off = json!({ "version": done.body["version"], "tally": { "label": null } });
    let done = script.call("PATCH", &address, Some(off), "").await;
    assert_eq!(
        done.body["tally"],
        json!({ "label": null, "number_field": null })
    );
    for issue in [&issue, &second] {
        let gone = until(|| labels(issue).is_empty().then_some(())).await;
        assert!(gone.is_some(), "{:?}", labels(issue));
    }
}

async fn what_jira_does_not_let_be_set_is_a_problem_until_it_does(on: On) {
    let stage = both(on).await;
    stage.jira().put_on_screen("labels", false);
    let (issue, conversation) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let page = says(&mut browser, "/problems", "do not say how many").await;
    page.says("Jira does not let Bowline set the labels of an issue");
    page.says("not on the edit screen");
    page.says("1 issue of acme-jira");
    comes_to_say(&stage, &issue, (false, Some(1.0))).await;
    browser
        .get("/bindings/acme-jira/ENG")
        .await
        .says("not everywhere in step");
    // Links and notes are not kept waiting by it.
    stage.lena().comment(&issue, "Looking into it.").unwrap();
    stage.note(&conversation, &["Looking into it."]).await;

    stage.jira().put_on_screen("labels", true);
    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    let address = "/api/v1/bindings/acme-jira/ENG/tally";
    assert_eq!(
        script.call("POST", address, None, "again").await.status,
        202
    );
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    let state = until_well(&script, address).await;
    assert_eq!(state["troubles"], json!([]));
    let problems = browser.get("/problems").await;
    assert!(!problems.words().contains("do not say how many"));

    // Without the permission to edit it is the same.
    stage
        .jira()
        .set_permission("bowline-bot", "EDIT_ISSUES", false);
    let (other, _) = stage.linked().await;
    says(&mut browser, "/problems", "may not edit issues").await;
    assert_eq!(said(&stage, &other), (false, None));
    // The account does not administer the project, so that mail cannot be left out: that is said.
    stage
        .jira()
        .set_permission("bowline-bot", "EDIT_ISSUES", true);
    assert_eq!(
        script.call("POST", address, None, "once-more").await.status,
        202
    );
    comes_to_say(&stage, &other, (true, Some(1.0))).await;
}

/// The state of the tallies, once nothing is wrong or under way.
async fn until_well(script: &Script<'_>, address: &str) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let state = script.get(address).await.body;
        if state["troubles"] == json!([]) && state["going_through"] == json!(false) {
            return state;
        }
        assert!(tokio::time::Instant::now() < deadline, "{state}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn an_answer_that_is_lost_changes_nothing_twice(on: On) {
    let mut stage = Stage::prepare_on(on, |plan| BOTH.clone_into(&mut plan.binding)).await;
    stage.start().await;
    // The changes are made, and their answers are lost.
    let faults = stage.jira().faults();
    faults.add(fault("PUT", "/issue/", 0, 4, FaultKind::DropAfter));
    let (issue, _) = stage.linked().await;
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    stage.settled().await;
    assert_eq!(edits(&stage, &issue), 1, "label and number in one change");
    // What was decided already makes nothing new, after a restart too.
    stage.stop().await;
    stage.start().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let events = stage.events().await;
    for view in &events {
        let path = format!("/deliveries/{}/replay", view.event.id);
        browser.send(&path, &[]).await;
    }
    stage.settled().await;
    assert_eq!(edits(&stage, &issue), 1);
    assert_eq!(said(&stage, &issue), (true, Some(1.0)));
}

async fn the_other_project_says_what_it_wants(on: On) {
    let stage = both(on).await;
    let (issue, _) = stage.linked().await;
    comes_to_say(&stage, &issue, (true, Some(1.0))).await;
    // OPS is joined to no workspace: what Bowline put on the issue is taken off again.
    let moved = stage.priya().move_to(&issue, "OPS").unwrap();
    comes_to_say(&stage, &moved, (false, None)).await;
    let back = stage.priya().move_to(&moved, "ENG").unwrap();
    comes_to_say(&stage, &back, (true, Some(1.0))).await;
    let mails = stage.jira().mails();
    let ours = mails.iter().filter(|mail| mail.by == BOT_ACCOUNT);
    assert!(ours.count() > 0, "the bot administers nothing here: {SITE}");
}
