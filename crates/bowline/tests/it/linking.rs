//! What makes a link, what ends it, and what leaves it alone.

use bowline_domain::link::LinkEnd;
use bowline_sandbox::jira::Body;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Waits until exactly these conversations are linked to the issue.
async fn linked_to(stage: &Stage, issue: &str, expected: &[&str]) {
    stage.settled().await;
    let mut links = stage.links(issue).await;
    links.sort();
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(links, expected);
}

fn adf(node: &Value) -> Body {
    Body::adf(json!({ "type": "doc", "version": 1, "content": [node] }))
}

fn paragraph(node: &Value) -> Body {
    adf(&json!({ "type": "paragraph", "content": [node] }))
}

/// A way to write an address down.
type Write = fn(&str) -> Body;

#[tokio::test]
async fn every_way_to_write_the_address_makes_a_link() {
    let stage = Stage::cloud().await;
    let code = &stage.intercom().config().workspace.clone();
    let ways: &[(&str, Write)] = &[
        ("plain wiki text", |url| Body::wiki(&format!("see {url}."))),
        ("named wiki link", |url| Body::wiki(&format!("[Mia|{url}]"))),
        ("smart wiki link", |url| {
            Body::wiki(&format!("[{url}|{url}|smart-link]"))
        }),
        ("bare wiki link", |url| Body::wiki(&format!("[{url}]"))),
        ("as the editor stores it", |url| {
            Body::typed(&format!("look: {url}"))
        }),
        ("link mark", |url| {
            paragraph(&json!({ "type": "text", "text": "here", "marks": [
                { "type": "link", "attrs": { "href": url } },
            ] }))
        }),
        ("inline card", |url| {
            paragraph(&json!({ "type": "inlineCard", "attrs": { "url": url } }))
        }),
        ("inline card with data", |url| {
            paragraph(&json!({ "type": "inlineCard", "attrs": { "data": { "url": url } } }))
        }),
        ("block card", |url| {
            adf(&json!({ "type": "blockCard", "attrs": { "url": url } }))
        }),
        ("embed card", |url| {
            adf(&json!({ "type": "embedCard", "attrs": { "url": url, "layout": "center" } }))
        }),
        ("plain rich text", |url| {
            paragraph(&json!({ "type": "text", "text": format!("It is {url}?utm=1#part") }))
        }),
    ];
    let forms = [
        format!("https://app.intercom.com/a/inbox/{code}/inbox/conversation/ID"),
        format!("https://app.intercom.com/a/apps/{code}/conversations/ID"),
        format!("https://app.intercom.io/a/apps/{code}/inbox/all/conversations/ID"),
        format!(
            "https://app.eu.intercom.com/a/inbox/{code}/inbox/admin/1/conversation/ID?view=List"
        ),
        "https://app.intercom.com/a/inbox/_/inbox/conversation/ID".to_owned(),
    ];
    for (name, write) in ways {
        let conversation = stage.conversation();
        let issue = stage.issue(write(&stage.address(&conversation)));
        stage.note(&conversation, &["created ", &issue]).await;
        let commented = stage.conversation();
        stage
            .omar()
            .comment(&issue, write(&stage.address(&commented)))
            .unwrap();
        stage.note(&commented, &["linked ", &issue]).await;
        assert_eq!(stage.links(&issue).await.len(), 2, "{name}");
    }
    for form in forms {
        let conversation = stage.conversation();
        let issue = stage.issue(form.replace("ID", &conversation).as_str());
        let all = stage.note(&conversation, &["created ", &issue]).await;
        assert!(!all.is_empty(), "{form}");
    }
}

#[tokio::test]
async fn what_is_no_address_of_ours_makes_no_link() {
    let stage = Stage::cloud().await;
    let conversation = stage.conversation();
    let ours = stage.address(&conversation);
    for text in [
        ours.replace("app.intercom.com", "app.intercom.com.example.com"),
        ours.replace("app.intercom.com", "app-intercom.com"),
        ours.replace("https://", "https://app.intercom.com@evil.example.com/"),
        format!("{{code}}{ours}{{code}}"),
        format!("{{noformat}}{ours}{{noformat}}"),
        ours.replace(&conversation, "notanumber"),
    ] {
        let issue = stage.issue(text.as_str());
        linked_to(&stage, &issue, &[]).await;
    }
    assert_eq!(stage.texts(&conversation), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_of_another_workspace_is_explained() {
    let stage = Stage::cloud().await;
    let conversation = stage.conversation();
    let ours = stage.intercom().config().workspace.clone();
    let other = stage.address(&conversation).replace(&ours, "zzz99999");
    let issue = stage.issue(other.as_str());
    linked_to(&stage, &issue, &[]).await;
    assert!(
        stage.reasons().await.contains(&"other_workspace"),
        "{:?}",
        stage.reasons().await
    );
    assert_eq!(stage.texts(&conversation), Vec::<String>::new());
}

#[tokio::test]
async fn edits_and_removals_are_followed() {
    let stage = Stage::cloud().await;
    let (first, second) = (stage.conversation(), stage.conversation());
    let (one, two) = (stage.address(&first), stage.address(&second));
    let issue = stage.issue("Nothing yet.");
    linked_to(&stage, &issue, &[]).await;

    stage.lena().describe(&issue, one.as_str()).unwrap();
    stage.note(&first, &["Lena Fischer linked "]).await;
    linked_to(&stage, &issue, &[&first]).await;

    let comment = stage.omar().comment(&issue, one.as_str()).unwrap();
    linked_to(&stage, &issue, &[&first]).await;
    stage.lena().describe(&issue, "Taken out.").unwrap();
    linked_to(&stage, &issue, &[&first]).await;

    stage
        .omar()
        .edit_comment(&issue, comment, two.as_str())
        .unwrap();
    stage.note(&second, &["Omar Haddad linked "]).await;
    linked_to(&stage, &issue, &[&second]).await;

    stage.omar().delete_comment(&issue, comment).unwrap();
    linked_to(&stage, &issue, &[]).await;
    let ended = stage.all_links(&issue).await;
    assert!(
        ended
            .iter()
            .all(|view| view.link.ended == Some(LinkEnd::AddressRemoved)),
        "{ended:?}"
    );
    // When they ended is told by the issue.
    assert!(ended.iter().all(|view| view.link.ended_at.is_some()));

    let (before, also_before) = (stage.texts(&first), stage.texts(&second));
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.settled().await;
    assert_eq!(
        (stage.texts(&first), stage.texts(&second)),
        (before, also_before),
        "they stay silent"
    );

    // Put in anew, it is linked anew, with a note.
    stage.lena().describe(&issue, one.as_str()).unwrap();
    linked_to(&stage, &issue, &[&first]).await;
    let again = stage
        .texts(&first)
        .iter()
        .filter(|text| text.contains("linked"))
        .count();
    assert_eq!(again, 2);
}

#[tokio::test]
async fn an_old_comment_counts_at_the_first_event() {
    // Written while nobody listened, in a project that is joined only now.
    let mut stage = Stage::prepare(|_| ()).await;
    let conversation = stage.conversation();
    let issue = stage.issue("Old.");
    stage
        .omar()
        .comment(&issue, stage.address(&conversation).as_str())
        .unwrap();
    for number in 0..30 {
        stage
            .omar()
            .comment(&issue, format!("and more {number}").as_str())
            .unwrap();
    }
    stage.start().await;
    stage.lena().comment(&issue, "Now.").unwrap();
    stage
        .note(&conversation, &["Lena Fischer commented Now."])
        .await;
    linked_to(&stage, &issue, &[&conversation]).await;
    assert_eq!(
        stage.texts(&conversation).len(),
        1,
        "taken over silently: {:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn many_to_many() {
    let stage = Stage::cloud().await;
    let (first, second) = (stage.conversation(), stage.conversation());
    let both = format!("{} and {}", stage.address(&first), stage.address(&second));
    let (one, two) = (stage.issue(both.as_str()), stage.issue(both.as_str()));
    for conversation in [&first, &second] {
        for issue in [&one, &two] {
            stage.note(conversation, &["created ", issue]).await;
        }
    }
    stage.lena().transition(&one, "Done", None).unwrap();
    for conversation in [&first, &second] {
        stage.note(conversation, &["moved ", &one]).await;
        stage.settled().await;
        assert_eq!(stage.texts(conversation).len(), 3);
    }
}

#[tokio::test]
async fn deleting_the_issue_ends_all() {
    for data_center in [false, true] {
        let stage = if data_center {
            Stage::data_center().await
        } else {
            Stage::cloud().await
        };
        let (issue, conversation) = stage.linked().await;
        stage
            .omar()
            .comment(&issue, stage.address(&conversation).as_str())
            .unwrap();
        stage.settled().await;
        let before = stage.texts(&conversation);
        stage.priya().delete(&issue).unwrap();
        stage.settled().await;
        let links = stage.links_of(&conversation).await;
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].link.ended, Some(LinkEnd::IssueDeleted));
        assert!(!links[0].link.live);
        assert_eq!(stage.texts(&conversation), before);
    }
}

#[tokio::test]
async fn a_late_older_event_never_brings_an_ended_link_back() {
    let stage = Stage::cloud().await;
    let conversation = stage.conversation();
    let issue = stage.issue("Nothing yet.");
    stage.settled().await;
    stage.hold();
    stage
        .lena()
        .describe(&issue, stage.address(&conversation).as_str())
        .unwrap();
    stage.lena().describe(&issue, "Taken out.").unwrap();
    let comment = stage
        .omar()
        .comment(&issue, stage.address(&conversation).as_str())
        .unwrap();
    stage.omar().delete_comment(&issue, comment).unwrap();
    stage.release();
    stage.expect_notes(&conversation, &[]).await;
    linked_to(&stage, &issue, &[]).await;
}

#[tokio::test]
async fn moving_to_an_unbound_project_keeps_the_link_silent_and_says_so() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let moved = stage.priya().move_to(&issue, "OPS").unwrap();
    stage.lena().comment(&moved, "Said in OPS.").unwrap();
    stage.settled().await;
    linked_to(&stage, &moved, &[&conversation]).await;
    assert!(stage.reasons().await.contains(&"kept_silent"));
    assert_eq!(stage.texts(&conversation).len(), 1);

    let back = stage.priya().move_to(&moved, "ENG").unwrap();
    stage.lena().comment(&back, "Back again.").unwrap();
    stage.note(&conversation, &["Back again.", &back]).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        2,
        "{:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn moving_to_a_bound_project_goes_on() {
    let more = "\n[[binding]]\nsite = \"acme-jira\"\nproject = \"OPS\"\nworkspace = \"acme\"";
    let stage = Stage::binding(more).await;
    let (issue, conversation) = stage.linked().await;
    let moved = stage.priya().move_to(&issue, "OPS").unwrap();
    stage.lena().comment(&moved, "Said in OPS.").unwrap();
    stage.note(&conversation, &["Said in OPS.", &moved]).await;
    linked_to(&stage, &moved, &[&conversation]).await;
    assert_eq!(stage.texts(&conversation).len(), 2);
}

#[tokio::test]
async fn renaming_the_project_keeps_its_links_and_its_binding() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.priya().rename_project("ENG", "PLAT").unwrap();
    let renamed = issue.replace("ENG", "PLAT");
    stage
        .lena()
        .comment(&renamed, "After the renaming.")
        .unwrap();
    stage
        .note(&conversation, &["After the renaming.", &renamed])
        .await;
    linked_to(&stage, &renamed, &[&conversation]).await;
    let fresh = stage.conversation();
    let issue = stage
        .priya()
        .create("PLAT", "New", stage.address(&fresh).as_str())
        .unwrap();
    stage.note(&fresh, &["created ", &issue]).await;
}

#[tokio::test]
async fn moving_to_a_project_of_another_workspace_keeps_the_link() {
    let config = bowline_sandbox::intercom::Config {
        workspace: "other002".to_owned(),
        access_token: "a-token-of-another".to_owned(),
        ..bowline_sandbox::intercom::Config::default()
    };
    let other = bowline_sandbox::intercom::start(
        config,
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        bowline_sandbox::common::Neighbours::new(),
    )
    .await
    .unwrap();
    let more = format!(
        "\n[[binding]]\nsite = \"acme-jira\"\nproject = \"OPS\"\nworkspace = \"other\"\n\n\
         [[workspace]]\nname = \"other\"\napi_url = \"{}\"\naccess_token = \"a-token-of-another\"\n\
         client_secret = \"another-secret\"",
        other.url()
    );
    let stage = Stage::binding(&more).await;
    let (issue, conversation) = stage.linked().await;
    let moved = stage.priya().move_to(&issue, "OPS").unwrap();
    stage.lena().comment(&moved, "Said in OPS.").unwrap();
    stage.settled().await;
    linked_to(&stage, &moved, &[&conversation]).await;
}
