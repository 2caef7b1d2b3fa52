//! Deliveries of every shape that was recorded, posted by themselves: what is in them is a hint,
//! and what they lead to is the same whatever they show.

use bowline_domain::link::LinkEnd;
use bowline_sandbox::jira::Issue;

use crate::stage::{SUMMARY, Stage};

/// Fills a recorded shape in for an issue of the sandbox and the person who did it.
fn shape(stage: &Stage, name: &str, issue: &Issue, user: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/it/fixtures/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let template = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let users = stage.jira().users();
    let person = users.iter().find(|known| known.name == user).unwrap();
    let id = if name.starts_with("server") {
        &person.name
    } else {
        &person.account_id
    };
    let last_comment = issue.comments.values().last();
    let history = issue
        .history
        .last()
        .map_or_else(|| "1".to_owned(), |entry| entry.id.to_string());
    let stamp = |ms: i64| {
        let at = jiff::Timestamp::from_millisecond(ms).unwrap();
        at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
    };
    let description = issue
        .description
        .as_ref()
        .map(|body| body.as_wiki().to_owned());
    let body = last_comment.map(|comment| comment.body.as_wiki().to_owned());
    let filled = [
        ("$ISSUE", issue.id.to_string()),
        ("$KEY", issue.key.clone()),
        (
            "$COMMENT",
            last_comment
                .map(|comment| comment.id.to_string())
                .unwrap_or_default(),
        ),
        ("$HISTORY", history),
        ("$BASE", stage.world.sandbox.jira.url()),
        ("$USER", id.clone()),
        ("$NAME", person.display_name.clone()),
        ("$CREATED", stamp(issue.updated_ms)),
        ("$TIME", issue.updated_ms.to_string()),
        ("$SUMMARY", issue.summary.clone()),
        ("$DESCRIPTION", description.unwrap_or_default()),
        ("$BODY", body.unwrap_or_default()),
    ]
    .into_iter()
    .fold(template, |text, (place, value)| {
        // Values stand inside JSON strings.
        let quoted = serde_json::to_string(&value).unwrap();
        text.replace(place, quoted.trim_matches('"'))
    });
    assert!(!filled.contains('$'), "{filled}");
    filled.into_bytes()
}

/// A world in which Jira itself delivers nothing.
async fn silent(data_center: bool) -> Stage {
    Stage::with(|plan| {
        if data_center {
            *plan = plan.clone().data_center();
        }
        plan.jira.switches.webhooks_off = true;
        // Looked for so seldom that the deliveries alone tell.
        "[log]\nlevel = \"info\"".clone_into(&mut plan.top);
    })
    .await
}

async fn deliver(stage: &Stage, name: &str, issue: &str, user: &str) {
    let issue = stage.jira().issue(issue).unwrap();
    let body = shape(stage, name, &issue, user);
    let (status, text) = stage.deliver_jira(&body, None).await;
    assert_eq!(status, 200, "{name}: {text}");
}

/// Looks by the reconciler that begin with the start are over before anything happens.
async fn swept(stage: &Stage) {
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !stage
        .store()
        .bindings()
        .await
        .unwrap()
        .iter()
        .all(|binding| binding.swept_at.is_some())
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let looked = |entry: &bowline_sandbox::common::Entry| entry.path.contains("/search");
    let seen =
        bowline::demo::until(|| (stage.jira().journal().count(looked) >= 2).then_some(())).await;
    assert!(seen.is_some());
    stage.settled().await;
}

fn named(pattern: &str, issue: &str) -> String {
    pattern.replace("KEY", &format!("{issue}: {SUMMARY}"))
}

#[tokio::test]
async fn shapes_of_cloud_lead_to_what_happened() {
    let stage = silent(false).await;
    swept(&stage).await;
    let conversation = stage.conversation();
    let issue = stage.issue("Before.");
    deliver(&stage, "cloud-issue-created", &issue, "priya").await;
    stage.settled().await;
    stage
        .lena()
        .describe(&issue, stage.address(&conversation).as_str())
        .unwrap();
    deliver(&stage, "cloud-issue-edited", &issue, "lena").await;
    stage.note(&conversation, &["linked"]).await;
    stage.priya().assign(&issue, Some("lena")).unwrap();
    deliver(&stage, "cloud-issue-assigned", &issue, "lena").await;
    stage.note(&conversation, &["assigned"]).await;
    stage.omar().comment(&issue, "Added a comment").unwrap();
    deliver(&stage, "cloud-comment-created", &issue, "omar").await;
    stage.note(&conversation, &["commented"]).await;
    stage.omar().transition(&issue, "Done", None).unwrap();
    deliver(&stage, "cloud-issue-resolved", &issue, "omar").await;
    stage.note(&conversation, &["moved"]).await;
    let told = [
        "Lena Fischer linked KEY",
        "Lena Fischer assigned KEY to Lena Fischer",
        "Omar Haddad commented Added a comment on KEY",
        "Omar Haddad moved KEY from To Do to Done",
    ]
    .map(|pattern| named(pattern, &issue));
    stage
        .expect_notes(&conversation, &told.each_ref().map(String::as_str))
        .await;

    let gone = stage.jira().issue(&issue).unwrap();
    stage.priya().delete(&issue).unwrap();
    let body = shape(&stage, "cloud-issue-deleted", &gone, "priya");
    assert_eq!(stage.deliver_jira(&body, None).await.0, 200);
    stage.settled().await;
    let link = stage.links_of(&conversation).await.remove(0).link;
    assert_eq!(link.ended, Some(LinkEnd::IssueDeleted));
    assert!(link.ended_at.is_some(), "{link:?}");
}

#[tokio::test]
async fn shapes_of_data_center_lead_to_what_happened() {
    let stage = silent(true).await;
    swept(&stage).await;
    let conversation = stage.conversation();
    let issue = stage.issue("No address.");
    stage
        .omar()
        .comment(&issue, stage.address(&conversation).as_str())
        .unwrap();
    // No issue, no event type, no headers: the comment's own address says which issue it is on.
    deliver(&stage, "server-comment-created", &issue, "omar").await;
    stage.note(&conversation, &["linked"]).await;
    stage.lena().comment(&issue, "And this.").unwrap();
    deliver(&stage, "server-issue-commented", &issue, "lena").await;
    stage.note(&conversation, &["And this."]).await;
    deliver(&stage, "server-comment-created", &issue, "lena").await;
    let told = [
        "Omar Haddad linked KEY",
        "Lena Fischer commented And this. on KEY",
    ]
    .map(|pattern| named(pattern, &issue));
    stage
        .expect_notes(&conversation, &told.each_ref().map(String::as_str))
        .await;
}

#[tokio::test]
async fn the_same_delivery_again_is_known_by_its_identifier_or_by_its_words() {
    let stage = silent(false).await;
    swept(&stage).await;
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    let body = shape(
        &stage,
        "cloud-issue-created",
        &stage.jira().issue(&issue).unwrap(),
        "priya",
    );
    let first = stage.deliver_jira(&body, Some("a-delivery")).await;
    let retried = stage.deliver_jira(&body, Some("a-delivery")).await;
    assert!(
        first.1.contains("event") && retried.1.contains("duplicate"),
        "{first:?} {retried:?}"
    );
    let unnamed = stage.deliver_jira(&body, None).await;
    let unnamed_again = stage.deliver_jira(&body, None).await;
    assert!(unnamed.1.contains("event") && unnamed_again.1.contains("duplicate"));
    stage.note(&conversation, &["created"]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
}

#[tokio::test]
async fn a_comment_that_overtakes_the_creation_makes_no_second_note_about_it() {
    let stage = silent(false).await;
    swept(&stage).await;
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    let created = shape(
        &stage,
        "cloud-issue-created",
        &stage.jira().issue(&issue).unwrap(),
        "priya",
    );
    stage.lena().comment(&issue, "Quick.").unwrap();
    deliver(&stage, "cloud-comment-created", &issue, "lena").await;
    stage.note(&conversation, &["Quick."]).await;
    assert_eq!(stage.deliver_jira(&created, None).await.0, 200);
    stage.settled().await;
    let texts = stage.texts(&conversation);
    assert_eq!(texts.len(), 2, "{texts:?}");
}
