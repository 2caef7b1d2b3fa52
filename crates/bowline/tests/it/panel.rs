//! The issue panel: what it shows, when Intercom is away too.

use std::time::Duration;

use bowline::demo::{PATIENCE, SITE, WORKSPACE};
use bowline_sandbox::common::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::stage::{On, Stage, on_both};

on_both!(
    cards_and_contacts_show_what_intercom_knows,
    a_dead_intercom_leaves_what_was_known
);

/// Reads the panel again and again until it says this.
pub(crate) async fn says(browser: &mut Browser, path: &str, part: &str) -> Page {
    says_all(browser, path, &[part]).await
}

/// Reads the panel again and again until it says all of this: conversations, contacts and companies
/// are read from Intercom one after the other.
async fn says_all(browser: &mut Browser, path: &str, parts: &[&str]) -> Page {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{}", page.words());
        let words = page.words();
        let Some(missing) = parts.iter().find(|part| !words.contains(**part)) else {
            return page;
        };
        let late = tokio::time::Instant::now() >= deadline;
        assert!(!late, "“{missing}” does not come: {words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where the panel of an issue is.
pub(crate) fn panel(key: &str) -> String {
    format!("/issues/{SITE}/{key}")
}

/// What a form names a conversation by.
pub(crate) fn at(conversation: &str) -> String {
    format!("{WORKSPACE}/{conversation}")
}

fn fields(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn cards_and_contacts_show_what_intercom_knows(on: On) {
    let stage = Stage::on(on, |plan| {
        "visible_fields.user = [\"plan\", \"email\", \"last_seen_at\"]\n\
             visible_fields.company = [\"website\", \"renews_at\"]"
            .clone_into(&mut plan.binding);
    })
    .await;
    let noa = stage.intercom().contact_of(&stage.conversation());
    stage.intercom().describe(
        &noa,
        fields(
            &json!({ "last_seen_at": 1_764_000_000, "phone": "+46 555 0100",
            "custom_attributes": { "plan": "Pro", "margin": "secret-margin" } }),
        ),
    );
    let company = stage.intercom().create_company("Lind AB", &noa).unwrap();
    stage.intercom().describe(
        &company,
        fields(
            &json!({ "website": "https://lind.example.com", "monthly_spend": 98_765,
            "custom_attributes": { "renews_at": 1_764_000_000 } }),
        ),
    );
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .assign(&conversation, &stage.teammate(), &stage.teammate())
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    assert!(page.text.len() < 150_000);
    let parts = [
        "Assigned to Ada Moreau",
        "Export button does nothing",
        "The export button does nothing.",
        "open",
        "last activity",
        "Noa Lind USER",
        "plan CUSTOM Pro",
        "Email noa@example.com",
        "Last seen 24 Nov 2025, 16:00:00",
        "Lind AB Company website https://lind.example.com renews_at CUSTOM 24 Nov 2025, 16:00:00",
        "as in Intercom",
        "Post a note",
        "read by: internal: teammates only",
    ];
    let page = says_all(&mut browser, &panel(&issue), &parts).await;
    for address in [
        format!("/inbox/conversation/{conversation}"),
        format!("/a/apps/sbx00001/users/{noa}\" target=\"_blank\""),
    ] {
        assert!(page.text.contains(&address), "{address}");
    }
    // What is not listed does not leave the server.
    for hidden in ["+46 555 0100", "secret-margin", "98765", "Example Shop"] {
        assert!(!page.text.contains(hidden), "{hidden}");
    }
    assert!(page.text.contains("What the customer pays for."));
}

/// Nobody at Intercom answers from now on.
pub(crate) fn silence(stage: &Stage, kind: FaultKind) {
    stage.intercom().faults().add(Fault {
        method: None,
        path_contains: None,
        times: None,
        skip: 0,
        kind,
    });
}

async fn a_dead_intercom_leaves_what_was_known(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, _) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    says(&mut browser, &panel(&issue), "Email noa@example.com").await;
    silence(&stage, FaultKind::Hang);
    let asked = tokio::time::timeout(PATIENCE, browser.get(&panel(&issue))).await;
    let page = asked.expect("what is known is shown at once");
    page.says("Conversation with Noa Lind");
    page.says("Email noa@example.com");
    // Its age counts; it is read again, in vain, and that is said beside what is known.
    stage.make_readings_old().await;
    silence(&stage, FaultKind::DropBefore);
    stage.intercom().faults().remove(1);
    let page = says(&mut browser, &panel(&issue), "not all of it could be read").await;
    page.says("did not answer as needed");
    page.says("Conversation with Noa Lind");
    page.says("Email noa@example.com");
}

#[tokio::test]
async fn a_conversation_that_is_gone_is_shown_by_its_id() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let (_, other) = (issue.clone(), stage.conversation());
    stage
        .lena()
        .comment(&issue, stage.address(&other).as_str())
        .unwrap();
    stage.note(&other, &["linked ", &issue]).await;
    stage.settled().await;
    stage.intercom().set_topics(&[]);
    stage.intercom().delete_conversation(&conversation).unwrap();
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = says(
        &mut browser,
        &panel(&issue),
        "Intercom has no such thing any more",
    )
    .await;
    page.says(&format!("Conversation {conversation}"));
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    assert!(page.text.contains(&format!(
        "aria-label=\"Unlink conversation {conversation}\""
    )));
    let form = [
        ("workspace", WORKSPACE),
        ("conversation", conversation.as_str()),
    ];
    let page = browser
        .send(&format!("{}/unlink", panel(&issue)), &form)
        .await;
    assert_eq!(page.goes_to(), format!("{}?done=unlinked", panel(&issue)));
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [other]);
}

#[tokio::test]
async fn a_merged_conversation_leads_its_link_on() {
    let stage = Stage::cloud().await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let part = format!("/inbox/conversation/{survivor}");
    let shown = async {
        loop {
            if browser.get(&panel(&issue)).await.text.contains(&part) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, shown)
        .await
        .expect("the link is led on");
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [survivor]);
}

#[tokio::test]
async fn a_whole_conversation_is_read_with_its_notes_marked_and_its_files() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let intercom = stage.intercom();
    let base = stage.world.sandbox.intercom.url();
    let file = (
        "über.html",
        "text/html",
        b"<script>alert(1)</script>".as_slice(),
    );
    let part = intercom.customer_file(&conversation, &base, file).unwrap();
    intercom
        .teammate_reply(
            &conversation,
            &stage.teammate(),
            "<p>We <b>look</b> at it.</p>",
        )
        .unwrap();
    intercom.close(&conversation, &stage.teammate()).unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let path = format!("{}/conversations/{conversation}", panel(&issue));
    let page = browser.get(&path).await;
    for words in [
        "Noa Lind user",
        "The export button does nothing.",
        "Internal note",
        "created ENG-1",
        "We look at it.",
        "closed it",
        "closed",
    ] {
        page.says(words);
    }
    let link = format!("{path}/files/{part}/0");
    assert!(page.text.contains(&link), "{}", page.text);
    let download = browser.get(&link).await;
    assert_eq!(
        (download.status, download.text.as_str()),
        (200, "<script>alert(1)</script>")
    );
    assert_eq!(download.header("content-type"), "application/octet-stream");
    assert_eq!(
        download.header("content-disposition"),
        "attachment; filename*=UTF-8''%C3%BCber.html"
    );
    assert!(
        download
            .header("content-security-policy")
            .contains("sandbox")
    );
    for (path, status) in [
        (format!("{path}/files/{part}/1"), 404),
        (format!("{}/conversations/1", panel(&issue)), 404),
    ] {
        assert_eq!(browser.get(&path).await.status, status, "{path}");
    }
    silence(&stage, FaultKind::DropBefore);
    browser
        .get(&path)
        .await
        .says("Intercom did not answer as needed");

    let closed = Stage::binding("conversation_view = false").await;
    let (issue, conversation) = closed.linked().await;
    let mut browser = Browser::signed_in(&closed, "owner").await;
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    let path = format!("{}/conversations/{conversation}", panel(&issue));
    assert!(!page.text.contains(&path));
    assert_eq!(browser.get(&path).await.status, 403);
}

#[tokio::test]
async fn a_panel_that_is_switched_off_shows_and_does_nothing() {
    let stage = Stage::binding("panel = false").await;
    let (issue, conversation) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = browser.get(&panel(&issue)).await;
    page.says("The panel is switched off");
    assert!(!page.text.contains("noa@example.com"));
    let to = at(&conversation);
    let form = [("note", "x"), ("note_to", to.as_str())];
    let page = browser
        .send(&format!("{}/note", panel(&issue)), &form)
        .await;
    assert_eq!(page.status, 403);
    browser
        .get(&format!("/issues/{SITE}/OPS-1"))
        .await
        .says("is not joined to an Intercom workspace");
    assert_eq!(browser.get("/issues/nowhere/ENG-1").await.status, 404);
}
