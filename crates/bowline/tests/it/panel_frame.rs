//! The issue panel in a frame of another page.

use bowline::demo::{PANEL_SECRET, SITE};
use bowline_sandbox::common::sign::jwt_hs256;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::panel::{at, panel, says};
use crate::stage::Stage;

#[tokio::test]
async fn a_frame_shows_the_issue_of_its_token_to_its_person_only() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let other = stage.issue("Another one.");
    stage.settled().await;
    let id = stage.jira().issue(&issue).unwrap().id.to_string();
    let now = jiff::Timestamp::now().as_second();
    let token = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({ "aud": "bowline-panel", "sub": "lena@example.com", "site": SITE,
            "issue": id, "may": ["read", "notes"], "iat": now, "exp": now + 300 });
        change(&mut claims);
        jwt_hs256(PANEL_SECRET, &claims)
    };
    let good = token(&|_| ());
    let mut browser = Browser::new(&stage);
    let frame = |key: &str, token: &str| format!("/embed/issues/{SITE}/{key}?token={token}");
    let page = says(
        &mut browser,
        &frame(&issue, &good),
        "Conversation with Noa Lind",
    )
    .await;
    let jira = stage.world.sandbox.jira.url();
    let policy = page.header("content-security-policy");
    assert!(
        policy.ends_with(&format!("frame-ancestors {jira}")),
        "{policy}"
    );
    assert_eq!(page.header("x-frame-options"), "");
    assert!(
        !page.text.contains("/deliveries"),
        "no page leads out of the frame"
    );
    assert!(!page.text.contains("Send to the customer"));

    let ended = token(&|claims| claims["exp"] = json!(now - 1));
    let long = token(&|claims| claims["exp"] = json!(now + 86_400));
    let blind = token(&|claims| claims["may"] = json!([]));
    let elsewhere = token(&|claims| claims["site"] = json!("other"));
    let forged = jwt_hs256("another-secret-of-32-letters-or-so", &json!({}));
    for (token, why) in [
        (ended.as_str(), "the token has ended"),
        (&long, "lives longer than a token may"),
        (&blind, "does not allow you to look at this"),
        (&elsewhere, "speaks of another issue"),
        (&forged, "not signed as it must be"),
        ("", "not signed as it must be"),
    ] {
        let page = browser.get(&frame(&issue, token)).await;
        assert_eq!(page.status, 403, "{why}");
        page.says(why);
    }
    let page = browser.get(&frame(&other, &good)).await;
    assert_eq!(page.status, 403);
    page.says("speaks of another issue");

    // Notes are allowed, answers are not.
    let post = |what: &str| format!("/embed/issues/{SITE}/{issue}/{what}");
    let form = [
        ("token", good.as_str()),
        ("note", "From the frame."),
        ("note_all", "yes"),
    ];
    let page = browser.post(&post("note"), &form, &[]).await;
    assert_eq!(page.status, 303, "{}", page.words());
    stage
        .note(&conversation, &["lena@example.com wrote From the frame."])
        .await;
    let to = at(&conversation);
    let form = [
        ("token", good.as_str()),
        ("answer", "x"),
        ("answer_to", to.as_str()),
    ];
    assert_eq!(browser.post(&post("answer"), &form, &[]).await.status, 403);
    let form = [
        ("token", ended.as_str()),
        ("note", "x"),
        ("note_all", "yes"),
    ];
    assert_eq!(browser.post(&post("note"), &form, &[]).await.status, 403);
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner
        .get("/audit")
        .await
        .says("lena@example.com by a panel in a frame");
    // The pages for those who are signed in stand in nobody's frame.
    let page = owner.get(&panel(&issue)).await;
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        page.header("content-security-policy")
            .ends_with("frame-ancestors 'none'")
    );
    let jira_page = stage.client().get(format!("{jira}/browse/{issue}"));
    let jira_page = jira_page.send().await.unwrap().text().await.unwrap();
    assert!(jira_page.contains(&format!("/embed/issues/{SITE}/{issue}?token=")));
}
