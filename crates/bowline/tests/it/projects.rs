//! The settings of projects, on their pages, in whole installations.

use bowline::demo::SITE;
use bowline_sandbox::intercom::ConversationState;
use serde_json::json;

use crate::browser::Browser;
use crate::configuring::{
    ALLOWED, bare, connected, form, intercom_form, jira_form, named, send, version,
};
use crate::stage::{On, on_both};

/// What the settings form holds when nothing is touched, with these fields changed: an empty value
/// takes a field out.
pub(crate) fn settings(version: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields = vec![("version", version), ("filter", "all"), ("mark", "")];
    let on = [
        "created_note",
        "assigned_note",
        "commented_note",
        "transitioned_note",
        "transitioned_reopen",
        "linking",
        "summary",
        "comment",
        "webhooks",
        "panel",
        "conversation_view",
    ];
    fields.extend(on.map(|name| (name, "yes")));
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    form(&fields)
}

on_both!(a_second_tab_never_overwrites_a_newer_change);

async fn a_second_tab_never_overwrites_a_newer_change(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG");
    let page = browser.get(&path).await;
    let seen = version(&page);
    let save = format!("{path}/settings");
    let first = settings(&seen, &[("commented_note", "")]);
    let saved = send(&mut browser, &save, &first).await;
    assert_eq!(saved.goes_to(), format!("{path}?done=saved"));
    let second = settings(&seen, &[("assigned_note", "")]);
    let refused = send(&mut browser, &save, &second).await;
    assert_eq!(refused.status, 422);
    refused.says("Someone changed this meanwhile");
    let binding = &stage.service().shared().bindings_now()[0];
    assert!(!binding.notify.commented.note && binding.notify.assigned.note);
    let audit = browser.get("/audit/export.csv").await;
    assert!(
        audit.text.contains("Comment: note → nothing"),
        "{}",
        audit.text
    );
    // What is off says why nothing comes; what is on shows the note.
    let page = browser.get(&path).await;
    page.says("Nothing: ");
    page.says("Lena Fischer assigned ENG-17");
}

#[tokio::test]
async fn a_project_administrator_changes_their_own_projects_only() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let mut typed = jira_form(&stage);
    typed.push(("name".to_owned(), SITE.to_owned()));
    assert_eq!(
        named(&send(&mut owner, "/connections/add/site", &typed).await),
        SITE
    );
    let page = send(
        &mut owner,
        "/connections/add/workspace",
        &intercom_form(&stage),
    )
    .await;
    let workspace = named(&page);
    let join = |project: &str| {
        form(&[
            ("site", SITE),
            ("project", project),
            ("workspace", &workspace),
        ])
    };
    let mut theirs = Browser::signed_in(&stage, "project_administrator").await;
    let refused = send(&mut theirs, "/bindings", &join("OPS")).await;
    assert_eq!(refused.status, 422);
    refused.says("You administer other projects than this one");
    let made = send(&mut theirs, "/bindings", &join("ENG")).await;
    assert_eq!(made.goes_to(), format!("/bindings/{SITE}/ENG?done=joined"));
    send(&mut owner, "/bindings", &join("OPS")).await;
    let page = theirs.get(&format!("/bindings/{SITE}/OPS")).await;
    assert_eq!(page.status, 200, "looking is for everyone");
    let seen = "1";
    let path = format!("/bindings/{SITE}/OPS/settings");
    let refused = send(&mut theirs, &path, &settings(seen, &[])).await;
    refused.says("You administer other projects than this one");
    let own = theirs.get(&format!("/bindings/{SITE}/ENG")).await;
    let path = format!("/bindings/{SITE}/ENG/settings");
    let saved = send(
        &mut theirs,
        &path,
        &settings(&version(&own), &[("muted", "yes")]),
    )
    .await;
    assert_eq!(saved.goes_to(), format!("/bindings/{SITE}/ENG?done=saved"));
    assert_eq!(theirs.get("/connections/add/site").await.status, 403);
}

#[tokio::test]
async fn what_is_set_on_the_page_holds_at_once() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let (issue, conversation) = stage.linked().await;
    let path = format!("/bindings/{site}/ENG");
    let save = format!("{path}/settings");
    let mut change = async |changes: &[(&str, &str)]| {
        let seen = version(&browser.get(&path).await);
        let saved = send(&mut browser, &save, &settings(&seen, changes)).await;
        assert_eq!(saved.status, 303, "{}", saved.words());
    };
    change(&[("comment", ""), ("summary", "")]).await;
    stage.lena().comment(&issue, "The words.").unwrap();
    let text = stage.note(&conversation, &["commented on ", &issue]).await;
    assert!(
        !text.contains("The words.") && !text.contains("Export"),
        "{text}"
    );
    change(&[("filter", "marker"), ("mark", "#tell")]).await;
    stage.lena().comment(&issue, "Not for them.").unwrap();
    stage.lena().comment(&issue, "For them #tell.").unwrap();
    stage.note(&conversation, &["For them #tell."]).await;
    stage.settled().await;
    assert!(stage.reasons().await.contains(&"filtered_out"));
    change(&[("muted", "yes")]).await;
    stage.lena().comment(&issue, "Muted.").unwrap();
    stage.settled().await;
    assert!(stage.reasons().await.contains(&"muted"));
    assert_eq!(stage.texts(&conversation).len(), 3);

    // A rule for one transition, from the workflow's statuses.
    change(&[("transitioned_note", ""), ("transitioned_reopen", "")]).await;
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("<option value=\"In Progress\""),
        "{}",
        page.text
    );
    let seen = version(&page);
    let rule = form(&[
        ("version", &seen),
        ("from", "*"),
        ("to", "Done"),
        ("note", "yes"),
        ("reopen", "yes"),
    ]);
    let added = send(&mut browser, &format!("{path}/add-rule"), &rule).await;
    assert_eq!(added.status, 303, "{}", added.words());
    let teammate = stage.teammate();
    stage.intercom().close(&conversation, &teammate).unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.note(&conversation, &["moved ", "Done"]).await;
    stage.becomes(&conversation, ConversationState::Open).await;
    let page = browser.get(&path).await;
    page.says("any status → Done: note and re-open");
    let seen = version(&page);
    let remove = form(&[("version", &seen), ("rule", "0")]);
    send(&mut browser, &format!("{path}/remove-rule"), &remove).await;
    assert!(
        stage.service().shared().bindings_now()[0]
            .transitions
            .is_empty()
    );
}

#[tokio::test]
async fn a_parted_project_keeps_its_links_and_goes_on_with_the_same_workspace_only() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, workspace) = connected(&stage, &mut browser).await;
    let (issue, conversation) = stage.linked().await;
    let path = format!("/bindings/{site}/ENG");
    let seen = version(&browser.get(&path).await);
    let parted = send(
        &mut browser,
        &format!("{path}/part"),
        &form(&[("version", &seen)]),
    )
    .await;
    assert_eq!(parted.goes_to(), format!("{path}?done=parted"));
    stage.lena().comment(&issue, "While parted.").unwrap();
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
    assert_eq!(
        stage.links(&issue).await,
        std::slice::from_ref(&conversation)
    );

    // Another workspace means other conversations by the same numbers.
    let config = bowline_sandbox::intercom::Config {
        workspace: "other002".to_owned(),
        ..bowline_sandbox::intercom::Config::default()
    };
    let token = config.access_token.clone();
    let other = bowline_sandbox::intercom::start(
        config,
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        bowline_sandbox::common::Neighbours::new(),
    )
    .await
    .unwrap();
    let typed = form(&[
        ("name", "other"),
        ("access_token", &token),
        ("client_secret", "other-secret"),
        ("api_url", &other.url()),
    ]);
    let added = send(&mut browser, "/connections/add/workspace", &typed).await;
    assert_eq!(named(&added), "other");
    let page = browser.get(&path).await;
    let seen = version(&page);
    let rejoin = |workspace: &str| form(&[("version", &seen), ("workspace", workspace)]);
    let refused = send(&mut browser, &format!("{path}/rejoin"), &rejoin("other")).await;
    assert_eq!(refused.status, 422);
    refused.says("Its issues are linked to conversations of the workspace");
    let again = send(&mut browser, &format!("{path}/rejoin"), &rejoin(&workspace)).await;
    assert_eq!(again.goes_to(), format!("{path}?done=rejoined"));
    stage.lena().comment(&issue, "Joined again.").unwrap();
    stage.note(&conversation, &["Joined again."]).await;
    // Nor does a token of another workspace take the place of this one's.
    let place = format!("/connections/workspace/{workspace}");
    let seen = version(&browser.get(&place).await);
    let typed = form(&[
        ("version", &seen),
        ("access_token", &token),
        ("client_secret", "other-secret"),
        ("api_url", &other.url()),
    ]);
    let refused = send(&mut browser, &format!("{place}/credentials"), &typed).await;
    assert_eq!(refused.status, 422);
    refused.says("links and waiting notes are those of the workspace");
    let seen = version(&browser.get(&place).await);
    let kept = send(
        &mut browser,
        &format!("{place}/remove"),
        &form(&[("version", &seen)]),
    )
    .await;
    kept.says("is joined through it");
}

#[tokio::test]
async fn settings_of_the_other_app_are_shown_before_they_are_taken_over() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG");
    browser
        .get(&format!("{path}?import=yes"))
        .await
        .says("It kept no settings for this project");
    let property = json!({
        "conversationLinking": { "enabled": true, "unassignOnOpen": true, "notificationTriggers": {
            "issueAssignmentChanged": { "enabled": false, "reopenConversations": false },
            "issueCommented": { "enabled": true, "reopenConversations": true, "filterEnabled": true },
            "issueTransitioned": { "enabled": true, "reopenConversations": false } } },
        "_version": 0
    });
    let url = "/rest/api/3/project/ENG/properties/intercom.connection.configuration";
    let put = stage.jira_rest("priya", "PUT", url, property).await;
    assert!(put < 300, "{put}");
    let page = browser.get(&format!("{path}?import=yes")).await;
    page.says("Importing would change:");
    page.says("Assignee changed note nothing");
    page.says("filterEnabled");
    let unchanged = stage.service().shared().bindings_now()[0].clone();
    assert!(unchanged.notify.assigned.note, "only shown");
    let seen = version(&page);
    let done = send(
        &mut browser,
        &format!("{path}/import"),
        &form(&[("version", &seen)]),
    )
    .await;
    assert_eq!(done.goes_to(), format!("{path}?done=imported"));
    let binding = stage.service().shared().bindings_now()[0].clone();
    assert!(!binding.notify.assigned.note && binding.notify.commented.reopen);
    assert!(!binding.notify.transitioned.reopen && binding.unassign_on_open);
}
