//! Channels of a desk are picked from what the provider tells of, and a desk is tried before anybody
//! has written to it.

use bowline::demo::until;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::configuring::{form, send};
use crate::desk_pages::{bare_talk, bird_form, desk_form, jira, with};
use crate::messaging_broken::refuse_all;
use crate::messaging_stage::{NOA, Talk};
use crate::stage::{On, on_both};

on_both!(
    channels_are_picked_from_what_the_provider_tells_of,
    ids_are_typed_where_the_provider_does_not_tell,
    a_test_begins_a_conversation_where_the_channel_can
);

const SMS: &str = "c0ffee00000040008000000000000002";
const ADA: &str = "+15557711";
const TEST: &str = "This is a test message. You need not answer it.";

async fn account(talk: &Talk, browser: &mut Browser) -> String {
    let site = jira(talk, browser).await;
    send(browser, "/connections/add/messagebird", &bird_form(talk)).await;
    let registered = until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;
    assert!(registered.is_some(), "the webhook is registered");
    site
}

async fn channels_are_picked_from_what_the_provider_tells_of(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = account(&talk, &mut browser).await;
    browser
        .get("/desks/add")
        .await
        .says("tells of a channel once somebody wrote by it");
    talk.noa().writes("Hello");
    talk.bird().phone(ADA).on("sms").writes("Hi");
    // What came before there was a desk is dealt with before there is one.
    talk.settled().await;
    let page = browser.get("/desks/add").await;
    page.says("WhatsApp support");
    page.says("Text line");
    page.says(SMS);
    let script = Script::new(&talk.stage, "administrator", &["read", "settings"]).await;
    let path = "/api/v1/channel-accounts/messagebird/channels";
    let told = script.get(path).await.body;
    assert_eq!(told["listed"], json!(true));
    assert_eq!(told["items"][0]["name"], json!("Text line"), "{told}");
    assert_eq!(told["items"][0]["active"], json!(true));
    assert_eq!(told["items"].as_array().map(Vec::len), Some(2));
    let none = "/api/v1/channel-accounts/nobody/channels";
    assert_eq!(script.get(none).await.status, 404);

    let picked = with(desk_form(&site), &[("which", "named"), ("channel", SMS)]);
    let page = send(&mut browser, "/desks/add", &picked).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    let page = browser.get("/desk/support").await;
    let chosen = format!("name=\"channel\" value=\"{SMS}\" checked");
    assert!(page.text.contains(&chosen), "{}", page.words());
    talk.noa().writes("My router is red");
    talk.bird().phone(ADA).on("sms").writes("My router is blue");
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(talk.requests(), std::slice::from_ref(&request));
    assert_eq!(talk.description(&request), ["My router is blue"]);
}

async fn ids_are_typed_where_the_provider_does_not_tell(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = account(&talk, &mut browser).await;
    refuse_all(talk.bird().faults());
    browser
        .get("/desks/add")
        .await
        .says("could not be asked for the channels");
    let typed = with(desk_form(&site), &[("which", "named"), ("channels", SMS)]);
    let page = send(&mut browser, "/desks/add", &typed).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    let page = browser.get("/desk/support").await;
    let there = format!("value=\"{SMS}\"");
    assert!(page.text.contains(&there), "{}", page.words());
}

async fn a_test_begins_a_conversation_where_the_channel_can(on: On) {
    let talk = Talk::on(on).await;
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    let to = |more: &[(&str, &str)]| {
        let fields = form(&[("desk", "support"), ("number", ADA)]);
        with(fields, more)
    };
    // WhatsApp takes no text from who begins, and no other channel is known.
    talk.noa().writes("Hello");
    talk.request(1).await;
    talk.settled().await;
    let page = send(&mut owner, "/desks/test", &to(&[])).await;
    assert_eq!(page.status, 422);
    page.says("WhatsApp takes nothing but approved messages from who begins");
    let known = "c0ffee00000040008000000000000001";
    let fields = to(&[("begin", "yes"), ("channel", known)]);
    let page = send(&mut owner, "/desks/test", &fields).await;
    assert_eq!(page.status, 422);
    page.says("Choose one of the channels");
    assert_eq!(talk.sent().len(), 0);

    talk.noa().on("sms").writes("And by text");
    talk.settled().await;
    let page = send(&mut owner, "/desks/test", &to(&[])).await;
    assert_eq!(page.status, 422, "it is asked first");
    page.says("No conversation is open with +15557711");
    page.says("Text line (SMS)");
    assert_eq!(talk.sent().len(), 0);
    let fields = to(&[("begin", "yes"), ("channel", SMS)]);
    let page = send(&mut owner, "/desks/test", &fields).await;
    assert_eq!(page.goes_to(), "/desks?done=test-begun", "{}", page.words());
    let shown = || -> Vec<String> {
        let lines = talk.bird().phone(ADA).received().into_iter();
        lines.filter_map(|line| line.text).collect()
    };
    assert_eq!(shown(), [TEST]);
    owner.get("/audit?what=test_message").await.says(ADA);
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1, "a test makes no request");
    // Who answers makes one, and is answered.
    talk.bird().phone(ADA).on("sms").writes("It works");
    let request = talk.request(2).await;
    talk.settled().await;
    talk.agent().comment(&request, "Thank you").unwrap();
    let answered = until(|| (shown().len() == 2).then_some(())).await;
    assert!(answered.is_some(), "{:?}", shown());

    // By script too; who has an open conversation is not begun with again.
    let script = Script::new(&talk.stage, "administrator", &["read", "settings"]).await;
    let path = "/api/v1/desks/support/test";
    let third = json!({ "number": "+15557712" });
    let asked = script.call("POST", path, Some(third), "").await;
    assert_eq!(asked.status, 422, "{}", asked.body);
    let third = json!({ "number": "+15557712", "begin": true, "channel": SMS });
    let begun = script.call("POST", path, Some(third.clone()), "once").await;
    assert_eq!(begun.body["sent"], json!("begun"), "{}", begun.body);
    script.call("POST", path, Some(third), "once").await;
    assert_eq!(talk.bird().phone("+15557712").received().len(), 1);
    let open = json!({ "number": NOA, "begin": true, "channel": SMS });
    let open = script.call("POST", path, Some(open), "").await;
    assert_eq!(open.body["sent"], json!("queued"), "{}", open.body);
    assert_eq!(talk.phone_shows(1).await, [TEST]);
}
