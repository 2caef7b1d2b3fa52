//! Channel accounts by click: keys are tried before they are kept, sealed, replaced without a
//! restart, and removed when nothing hangs on them.

use bowline::demo::{SITE, until};
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::configuring::{form, send, version};
use crate::desk_pages::{bare_talk, bird_form, desk_form, jira};
use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

on_both!(
    a_key_is_tried_before_it_is_kept_and_never_shown,
    a_new_key_drains_what_waited_without_a_restart,
    an_account_at_meta_shows_what_to_enter,
    declared_accounts_are_read_only
);

async fn a_key_is_tried_before_it_is_kept_and_never_shown(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    browser
        .get("/connections")
        .await
        .says("Add a MessageBird account");
    let add = "/connections/add/messagebird";
    browser.get(add).await.says("At MessageBird first");

    // What is wrong is said beside the field; what was typed is kept, but no secret.
    let page = send(
        &mut browser,
        add,
        &form(&[("api_url", "ftp://x.example.com")]),
    )
    .await;
    assert_eq!(page.status, 422);
    page.says("Paste it here.");
    page.says("It must begin with https:// or http://");
    assert!(
        page.text.contains("ftp://x.example.com"),
        "{}",
        page.words()
    );
    let mut wrong = bird_form(&talk);
    wrong.retain(|(name, _)| name != "access_key");
    wrong.push(("access_key".to_owned(), "a-wrong-key".to_owned()));
    let page = send(&mut browser, add, &wrong).await;
    assert_eq!(page.status, 422);
    page.says("The provider refuses it.");
    assert!(!page.text.contains("a-wrong-key"), "a secret is sent back");
    assert!(talk.stage.store().settings().await.unwrap().is_empty());

    let page = send(&mut browser, add, &bird_form(&talk)).await;
    assert_eq!(
        page.goes_to(),
        "/connections/account/messagebird?done=account-added"
    );
    let place = "/connections/account/messagebird";
    let hook = talk.stage.url("/hooks/messagebird/messagebird");
    let page = browser.get(&format!("{place}?done=account-added")).await;
    page.says("Added. The key works.");
    page.says("Bowline registers it by itself");
    assert!(page.text.contains(&hook), "{}", page.words());
    let key = talk.bird().config().access_key.clone();
    let signing = talk.bird().config().signing_key.clone();
    assert!(!page.text.contains(&key) && !page.text.contains(&signing));
    let rows = talk.stage.store().settings().await.unwrap();
    assert!(rows.iter().all(|row| !row.body.contains(&key)));
    assert!(
        rows.iter()
            .all(|row| row.sealed.as_ref().is_none_or(|text| !text.contains(&key)))
    );
    let registered = until(|| talk.bird().webhook_urls().contains(&hook).then_some(())).await;
    assert!(registered.is_some(), "the webhook is registered");

    // A name that is taken; an address where nobody answers.
    let page = send(&mut browser, add, &bird_form(&talk)).await;
    page.says("There is one named “messagebird”");
    let mut nowhere = bird_form(&talk);
    nowhere.retain(|(name, _)| name != "api_url");
    nowhere.extend(form(&[
        ("api_url", "http://127.0.0.1:1/v1"),
        ("name", "other"),
    ]));
    let page = send(&mut browser, add, &nowhere).await;
    page.says("It cannot be reached from here");

    // The audit log has it, without a secret.
    let page = browser.get("/audit?what=connection_added").await;
    page.says("account/messagebird");
    assert!(!page.text.contains(&key));

    // A second tab does not overwrite what somebody else saved.
    let old = version(&browser.get(place).await);
    let save = |version: &str, poll: &str| {
        let mut fields = form(&[("poll_seconds", poll), ("version", version)]);
        fields.extend(
            bird_form(&talk)
                .into_iter()
                .filter(|(name, _)| name == "api_url"),
        );
        fields
    };
    let credentials = format!("{place}/credentials");
    let page = send(&mut browser, &credentials, &save(&old, "60")).await;
    assert_eq!(
        page.goes_to(),
        format!("{place}?done=reconnected"),
        "{}",
        page.words()
    );
    let page = send(&mut browser, &credentials, &save(&old, "90")).await;
    page.says("Someone changed this meanwhile");
    let page = browser.get(place).await;
    assert!(page.text.contains("value=\"60\""), "{}", page.words());

    let remove = form(&[("version", &version(&page))]);
    let page = send(&mut browser, &format!("{place}/remove"), &remove).await;
    assert_eq!(page.goes_to(), "/connections?done=removed");
    assert_eq!(browser.get(place).await.status, 404);
}

async fn a_new_key_drains_what_waited_without_a_restart(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = jira(&talk, &mut browser).await;
    send(
        &mut browser,
        "/connections/add/messagebird",
        &bird_form(&talk),
    )
    .await;
    let page = send(&mut browser, "/desks/add", &desk_form(&site)).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    let place = "/connections/account/messagebird";
    let remove = form(&[("version", &version(&browser.get(place).await))]);
    let page = send(&mut browser, &format!("{place}/remove"), &remove).await;
    page.says("The desk “support” uses it.");

    until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;
    talk.noa().writes("Is anybody there?");
    let request = talk.request(1).await;
    talk.bird().set_access_key(Some("the-next-key"));
    talk.agent().comment(&request, "We are.").unwrap();
    crate::connections::becomes(&talk.stage, "account/messagebird", "broken").await;
    assert!(talk.received().is_empty());

    let page = browser.get(place).await;
    let fields = |key: &str, version: &str| {
        let mut fields = form(&[("access_key", key), ("version", version)]);
        fields.extend(
            bird_form(&talk)
                .into_iter()
                .filter(|(name, _)| name == "api_url"),
        );
        fields
    };
    let credentials = format!("{place}/credentials");
    let wrong = send(
        &mut browser,
        &credentials,
        &fields("wrong", &version(&page)),
    )
    .await;
    wrong.says("The provider refuses it.");
    let done = send(
        &mut browser,
        &credentials,
        &fields("the-next-key", &version(&page)),
    )
    .await;
    assert_eq!(
        done.goes_to(),
        format!("{place}?done=reconnected"),
        "{}",
        done.words()
    );
    assert_eq!(talk.phone_shows(1).await, ["We are."]);
}

async fn an_account_at_meta_shows_what_to_enter(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let meta = talk.channels.whatsapp.state.config();
    let add = "/connections/add/whatsapp";
    let url = talk.channels.whatsapp.url();
    let fields = |phone: &str| {
        form(&[
            ("phone_number_id", phone),
            ("access_key", &meta.token),
            ("signing_key", &meta.app_secret),
            ("api_url", &url),
        ])
    };
    let page = send(&mut browser, add, &fields("my phone")).await;
    page.says("Copy the phone number id from Meta");
    let page = send(&mut browser, add, &fields(&meta.phone_number_id)).await;
    assert_eq!(
        page.goes_to(),
        "/connections/account/whatsapp?done=account-added",
        "{}",
        page.words()
    );
    let page = browser.get("/connections/account/whatsapp").await;
    let hook = talk.stage.url("/hooks/whatsapp/whatsapp");
    assert!(page.text.contains("data-copy=\"hook-url\""));
    assert!(page.text.contains(&hook), "{}", page.words());
    let (_, token) = page
        .text
        .split_once("id=\"hook-token\" tabindex=\"0\">")
        .unwrap();
    let token = token.split('<').next().unwrap();
    let entered = talk.channels.whatsapp.state.connect_webhook(&hook, token);
    entered.await.unwrap();
}

async fn declared_accounts_are_read_only(on: On) {
    let talk = Talk::on(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let page = browser.get("/connections/account/bird").await;
    page.says("Declared in the configuration file as");
    assert!(!page.text.contains("/connections/account/bird/credentials"));
    let fields = form(&[("access_key", "x"), ("version", "1")]);
    let page = send(
        &mut browser,
        "/connections/account/bird/credentials",
        &fields,
    )
    .await;
    page.says("The configuration file declares it");
    let page = browser.get("/desk/support").await;
    assert_eq!(page.status, 404);

    let script = Script::new(&talk.stage, "administrator", &["read", "settings"]).await;
    let read = script.get("/api/v1/channel-accounts/bird").await;
    assert_eq!((read.status, &read.body["declared"]), (200, &json!(true)));
    let all = script.get("/api/v1/channel-accounts").await;
    assert_eq!(all.body["items"].as_array().unwrap().len(), 1);
    let change = json!({ "version": 1, "access_key": "x" });
    let change = script.call("PATCH", "/api/v1/channel-accounts/bird", Some(change), "");
    assert_eq!(change.await.status, 422);
    let desk = script.get("/api/v1/desks/support").await;
    assert_eq!(desk.body["declared"], json!(true));
    assert_eq!(desk.body["settings"]["site"], json!(SITE));
    let gone = script.call("DELETE", "/api/v1/desks/support?version=1", None, "");
    assert_eq!(gone.await.status, 422);
}
