//! Which notes come, and what they say.

use bowline_sandbox::jira::{Edit, NewComment};
use serde_json::json;

use crate::stage::{On, SUMMARY, Stage, on_both};

fn line(pattern: &str, issue: &str) -> String {
    pattern.replace("KEY", &format!("{issue}: {SUMMARY}"))
}

fn lines(patterns: &[&str], issue: &str) -> Vec<String> {
    patterns
        .iter()
        .map(|pattern| line(pattern, issue))
        .collect()
}

async fn expect(stage: &Stage, conversation: &str, issue: &str, patterns: &[&str]) {
    let lines = lines(patterns, issue);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    stage.expect_notes(conversation, &lines).await;
}

on_both!(a_change_is_read_once);

/// Also where the issue is read while the database is asked, which is seldom in vain.
async fn a_change_is_read_once(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    let id = stage.jira().issue(&issue).unwrap().id;
    let path = format!("/rest/api/3/issue/{id}");
    let reads = || {
        let journal = stage.jira().journal();
        journal.count(|entry| entry.method == "GET" && entry.path == path)
    };
    stage.settled().await;
    let before = reads();
    stage.priya().assign(&issue, Some("lena")).unwrap();
    stage.note(&conversation, &["assigned"]).await;
    stage.settled().await;
    assert_eq!(reads(), before + 1, "a change");
    // What nobody is told of needs no reading.
    let labels = Some(vec!["urgent".to_owned()]);
    let edit = Edit {
        labels,
        ..Edit::default()
    };
    stage.priya().edit(&issue, edit).unwrap();
    stage.settled().await;
    assert_eq!(reads(), before + 1, "a label");
    // Neither is asked twice what Jira does not tell.
    stage.jira().hide_issue("bowline-bot", &issue, true);
    stage.omar().assign(&issue, None).unwrap();
    stage.settled().await;
    assert_eq!(reads(), before + 2, "a hidden issue");
}

async fn every_kind(stage: Stage) {
    let (issue, conversation) = stage.linked().await;
    stage.priya().assign(&issue, Some("lena")).unwrap();
    stage.note(&conversation, &["assigned"]).await;
    stage.lena().assign(&issue, None).unwrap();
    stage.note(&conversation, &["unassigned"]).await;
    stage
        .lena()
        .comment(&issue, "Looks like the licence check.")
        .unwrap();
    stage.note(&conversation, &["commented"]).await;
    stage
        .omar()
        .transition(&issue, "In Progress", None)
        .unwrap();
    stage.note(&conversation, &["moved"]).await;
    let told = [
        "Priya Nair created KEY",
        "Priya Nair assigned KEY to Lena Fischer",
        "Lena Fischer unassigned KEY",
        "Lena Fischer commented Looks like the licence check. on KEY",
        "Omar Haddad moved KEY from To Do to In Progress",
    ];
    expect(&stage, &conversation, &issue, &told).await;

    // All of them are notes for teammates, by the app's teammate, and nothing else was written.
    let bot = &stage.intercom().config().admins[0].id;
    for part in stage.intercom().parts(&conversation) {
        assert_eq!(
            (part.part_type.as_str(), &part.author_id),
            ("note", bot),
            "{part:?}"
        );
    }
    let href = format!("{}/browse/{issue}#", stage.world.sandbox.jira.url());
    for note in stage.intercom().notes(&conversation) {
        assert!(note.body.contains(&href), "{}", note.body);
    }
}

#[tokio::test]
async fn every_kind_of_note_on_cloud() {
    every_kind(Stage::cloud().await).await;
}

#[tokio::test]
async fn every_kind_of_note_on_data_center() {
    every_kind(Stage::data_center().await).await;
}

#[tokio::test]
async fn moved_and_assigned_in_one_go_is_one_note() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let lena = stage
        .jira()
        .users()
        .iter()
        .find(|user| user.name == "lena")
        .unwrap()
        .account_id
        .clone();
    let body = json!({
        "transition": { "id": "21" },
        "fields": { "assignee": { "accountId": lena } },
    });
    let path = format!("/rest/api/3/issue/{issue}/transitions");
    assert_eq!(stage.jira_rest("priya", "POST", &path, body).await, 204);
    stage.note(&conversation, &["moved"]).await;
    let told = [
        "Priya Nair created KEY",
        "Priya Nair moved KEY from To Do to In Progress and assigned it to Lena Fischer",
    ];
    expect(&stage, &conversation, &issue, &told).await;
}

#[tokio::test]
async fn a_comment_told_by_two_deliveries_is_one_note() {
    for data_center in [false, true] {
        let stage = if data_center {
            Stage::data_center().await
        } else {
            Stage::cloud().await
        };
        stage
            .jira()
            .switch(|switches| switches.doubled_comments = true);
        let (issue, conversation) = stage.linked().await;
        stage.lena().comment(&issue, "Reproduced.").unwrap();
        stage.note(&conversation, &["Reproduced."]).await;
        let told = [
            "Priya Nair created KEY",
            "Lena Fischer commented Reproduced. on KEY",
        ];
        expect(&stage, &conversation, &issue, &told).await;
        assert!(stage.reasons().await.contains(&"already_handled"));
    }
}

#[tokio::test]
async fn a_comment_in_a_transition_is_told_beside_the_move() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage
        .lena()
        .transition(&issue, "Done", Some(NewComment::open("Shipped.")))
        .unwrap();
    stage.note(&conversation, &["moved"]).await;
    stage.note(&conversation, &["Shipped."]).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        3,
        "{:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn an_edited_comment_makes_no_new_note() {
    for data_center in [false, true] {
        let stage = if data_center {
            Stage::data_center().await
        } else {
            Stage::cloud().await
        };
        let (issue, conversation) = stage.linked().await;
        let comment = stage.lena().comment(&issue, "Found it.").unwrap();
        stage.note(&conversation, &["Found it."]).await;
        stage
            .lena()
            .edit_comment(&issue, comment, "Found and mended.")
            .unwrap();
        stage
            .priya()
            .edit(
                &issue,
                Edit {
                    priority: Some(1),
                    ..Edit::default()
                },
            )
            .unwrap();
        let told = [
            "Priya Nair created KEY",
            "Lena Fischer commented Found it. on KEY",
        ];
        expect(&stage, &conversation, &issue, &told).await;
    }
}

#[tokio::test]
async fn the_comment_that_carries_the_address_is_one_note() {
    let stage = Stage::cloud().await;
    stage
        .jira()
        .switch(|switches| switches.doubled_comments = true);
    let issue = stage.issue("No address here.");
    let conversation = stage.conversation();
    let text = format!("A customer sees it too: {}", stage.address(&conversation));
    stage.omar().comment(&issue, text.as_str()).unwrap();
    stage.note(&conversation, &["linked"]).await;
    let told = ["Omar Haddad linked KEY A customer sees it too:"];
    expect(&stage, &conversation, &issue, &told).await;
}

#[tokio::test]
async fn restricted_and_internal_comments_stay_in_jira() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    for secret in [
        NewComment::restricted("secret one", "Administrators"),
        NewComment::internal("secret two"),
    ] {
        stage.priya().comment_with(&issue, secret).unwrap();
    }
    stage.priya().comment(&issue, "Said openly.").unwrap();
    stage.note(&conversation, &["Said openly."]).await;
    let told = [
        "Priya Nair created KEY",
        "Priya Nair commented Said openly. on KEY",
    ];
    expect(&stage, &conversation, &issue, &told).await;
    assert!(stage.reasons().await.contains(&"restricted_comment"));
}

#[tokio::test]
async fn an_issue_with_a_security_level_is_silent() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.priya().secure(&issue, Some(10_100)).unwrap();
    stage.lena().comment(&issue, "Confidential.").unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.settled().await;
    stage.priya().secure(&issue, None).unwrap();
    stage.lena().comment(&issue, "Public again.").unwrap();
    stage.note(&conversation, &["Public again."]).await;
    let told = [
        "Priya Nair created KEY",
        "Lena Fischer commented Public again. on KEY",
    ];
    expect(&stage, &conversation, &issue, &told).await;
    assert!(stage.reasons().await.contains(&"security_level"));
}

#[tokio::test]
async fn filters_let_through_what_they_say() {
    for (filter, passes) in [
        ("public", ["public", "#support: marked"].as_slice()),
        ("marker:#support", &["#support: marked"]),
    ] {
        let binding =
            format!("notify.commented = {{ note = true, reopen = false, filter = \"{filter}\" }}");
        let stage = Stage::binding(&binding).await;
        let (issue, conversation) = stage.linked().await;
        stage
            .lena()
            .comment_with(&issue, NewComment::internal("#support: internal"))
            .unwrap();
        stage.lena().comment(&issue, "public").unwrap();
        stage.lena().comment(&issue, "#support: marked").unwrap();
        stage.note(&conversation, &["#support: marked"]).await;
        stage.settled().await;
        let texts = stage.texts(&conversation);
        let told: Vec<&String> = texts
            .iter()
            .filter(|text| text.contains("commented"))
            .collect();
        assert_eq!(told.len(), passes.len(), "{filter}: {texts:?}");
        for (text, part) in told.iter().zip(passes) {
            assert!(text.contains(part), "{filter}: {text}");
        }
    }
}

#[tokio::test]
async fn switched_off_rules_are_silent_and_say_so() {
    let off = "{ note = false, reopen = false }";
    let binding =
        format!("notify.assigned = {off}\nnotify.commented = {off}\nnotify.transitioned = {off}");
    let stage = Stage::binding(&binding).await;
    let (issue, conversation) = stage.linked().await;
    stage.priya().assign(&issue, Some("lena")).unwrap();
    stage.lena().comment(&issue, "Words.").unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    expect(&stage, &conversation, &issue, &["Priya Nair created KEY"]).await;
    let off = stage
        .reasons()
        .await
        .into_iter()
        .filter(|reason| *reason == "rule_off")
        .count();
    assert_eq!(off, 3);
}

#[tokio::test]
async fn linking_off_makes_nothing_at_all() {
    let stage = Stage::binding("linking = false").await;
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    stage
        .lena()
        .comment(&issue, stage.address(&conversation).as_str())
        .unwrap();
    expect(&stage, &conversation, &issue, &[]).await;
    assert_eq!(stage.links(&issue).await, Vec::<String>::new());
    assert!(stage.reasons().await.contains(&"linking_off"));
}

#[tokio::test]
async fn the_notify_address_posts_a_note_and_reopens() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    let url = stage.url(&format!("/hooks/jira/{}/notify", bowline::demo::SITE));
    let body =
        json!({ "issue": issue, "note": true, "reopen": true, "text": "Tell the <customer>." });
    for _ in 0..2 {
        let request = stage
            .client()
            .post(&url)
            .bearer_auth(bowline::demo::NOTIFY_TOKEN)
            .header("idempotency-key", "rule-7-run-1")
            .json(&body);
        assert_eq!(crate::stage::answer(request).await.0, 200);
    }
    stage
        .becomes(
            &conversation,
            bowline_sandbox::intercom::ConversationState::Open,
        )
        .await;
    let told = ["Priya Nair created KEY", "Tell the <customer>. on KEY"];
    expect(&stage, &conversation, &issue, &told).await;
}
