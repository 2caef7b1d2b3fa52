//! Desks by click and by script: made, changed and removed while the service runs, tried in Jira
//! before they are kept.

use bowline::demo::until;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::configuring::{ALLOWED, form, jira_form, named, send, version};
use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

on_both!(
    from_nothing_to_a_request_by_click,
    what_jira_does_not_take_is_said_beside_the_field,
    a_change_holds_at_once_and_a_second_tab_is_told,
    a_desk_with_open_conversations_is_not_removed_by_accident,
    desks_are_made_by_script,
    what_is_declared_later_wins
);

/// An installation in which nothing is declared, and channels.
pub(crate) async fn bare_talk(on: On) -> Talk {
    let mut talk = Talk::prepare(on, |plan| plan.jira.users[0].admin = true, "").await;
    talk.stage.start_bare(ALLOWED).await;
    talk
}

/// Connects Jira; gives the site's name.
pub(crate) async fn jira(talk: &Talk, browser: &mut Browser) -> String {
    named(&send(browser, "/connections/add/site", &jira_form(&talk.stage)).await)
}

pub(crate) fn bird_form(talk: &Talk) -> Vec<(String, String)> {
    let config = talk.bird().config();
    form(&[
        ("access_key", &config.access_key),
        ("signing_key", &config.signing_key),
        (
            "api_url",
            &format!("{}/v1", talk.channels.messagebird.url()),
        ),
    ])
}

/// A desk of the account `messagebird` that writes at once.
pub(crate) fn desk_form(site: &str) -> Vec<(String, String)> {
    form(&[
        ("name", "support"),
        ("account", "messagebird"),
        ("which", "all"),
        ("site", site),
        ("service_desk", "SUP"),
        ("request_type", "Get help"),
        ("tell_others", "yes"),
        ("closing", "category:done"),
        ("reopen_within", "0"),
        ("quiet_seconds", "0"),
        ("requests_per_hour", "20"),
        ("do", "save"),
    ])
}

pub(crate) fn with(
    mut fields: Vec<(String, String)>,
    changed: &[(&str, &str)],
) -> Vec<(String, String)> {
    fields.retain(|(name, _)| !changed.iter().any(|(known, _)| known == name));
    fields.extend(form(changed));
    fields
}

/// A desk of an account, both made by click; gives the site's name.
pub(crate) async fn made(talk: &Talk, browser: &mut Browser) -> String {
    let site = jira(talk, browser).await;
    let page = send(browser, "/connections/add/messagebird", &bird_form(talk)).await;
    assert_eq!(page.status, 303, "{}", page.words());
    let page = send(browser, "/desks/add", &desk_form(&site)).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    let registered = until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;
    assert!(registered.is_some(), "the webhook is registered");
    site
}

async fn from_nothing_to_a_request_by_click(on: On) {
    let mut talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    browser
        .get("/desks/add")
        .await
        .says("Connect a Jira site first");
    let site = jira(&talk, &mut browser).await;
    browser
        .get("/desks/add")
        .await
        .says("Add a MessageBird account first");
    send(
        &mut browser,
        "/connections/add/messagebird",
        &bird_form(&talk),
    )
    .await;
    browser
        .get("/connections")
        .await
        .says("Messages need a desk");
    let page = browser.get("/desks/add").await;
    page.says("Get help");
    page.says("(SUP)");
    let page = send(&mut browser, "/desks/add", &desk_form(&site)).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    browser.get("/desks").await.says("“Get help” in SUP");
    // Jira tells of the service project from now on.
    let page = browser.get(&format!("/connections/site/{site}")).await;
    page.says("project in (SUP)");
    browser
        .get("/audit?what=desk_added")
        .await
        .says("desk/support");
    until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;

    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(talk.description(&request), ["My router is red"]);
    talk.agent().comment(&request, "Which model?").unwrap();
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);

    // All of it is there after a restart.
    talk.stage.stop().await;
    talk.stage.start().await;
    talk.noa().writes("The blue one");
    talk.settled().await;
    assert!(
        talk.comments(&request)
            .contains(&"Noa: The blue one".to_owned())
    );
}

async fn what_jira_does_not_take_is_said_beside_the_field(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = jira(&talk, &mut browser).await;
    send(
        &mut browser,
        "/connections/add/messagebird",
        &bird_form(&talk),
    )
    .await;
    talk.require_impact();
    let desk = desk_form(&site);
    for (field, value, words) in [
        ("service_desk", "ENG", "is no service project"),
        ("service_desk", "", "Choose a service project."),
        ("request_type", "Get rich", "has no request type “Get rich”"),
        ("account", "nobody", "Choose one of the channel accounts."),
        ("site", "nowhere", "Choose one of the sites."),
        ("which", "named", "Give the provider's ids"),
        ("closing", "category:soon", "there is no status category"),
        ("reopen_within", "1w", "Write 0, or a number"),
        ("quiet_seconds", "-1", "Write a number from 0 to 300."),
        (
            "requests_per_hour",
            "many",
            "Write a number from 1 to 10000.",
        ),
        ("name", "My Desk", "A name stands in webhook addresses"),
    ] {
        let page = send(
            &mut browser,
            "/desks/add",
            &with(desk.clone(), &[(field, value)]),
        )
        .await;
        assert_eq!(page.status, 422, "{field} {value}");
        page.says(words);
        let kept = field == "which" || value.is_empty() || page.text.contains(value);
        assert!(kept, "{field}: what was typed is gone: {}", page.words());
    }
    // The same words as of `bowline check`, beside the field that is missing.
    let page = send(&mut browser, "/desks/add", &desk).await;
    page.says("needs “Impact” (customfield_10099), which no message fills");
    assert!(page.text.contains("name=\"field:customfield_10099\""));
    assert!(
        talk.stage
            .store()
            .settings()
            .await
            .unwrap()
            .iter()
            .all(|row| row.kind != "desk")
    );
    let looked = with(desk.clone(), &[("do", "look"), ("reporter", "somebody")]);
    let page = send(&mut browser, "/desks/add", &looked).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("value=\"somebody\""),
        "what was typed is kept"
    );

    let filled = with(desk, &[("field:customfield_10099", "Everybody")]);
    let page = send(&mut browser, "/desks/add", &filled).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
    // Two desks never serve one channel.
    let second = with(filled, &[("name", "second")]);
    let page = send(&mut browser, "/desks/add", &second).await;
    page.says("The desk “support” serves that already.");
    let page = browser.get("/desk/support").await;
    assert!(
        page.text.contains("value=\"Everybody\""),
        "{}",
        page.words()
    );

    until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;
    talk.noa().writes("Nothing works");
    talk.request(1).await;
}

async fn a_change_holds_at_once_and_a_second_tab_is_told(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let place = "/desk/support";
    let page = browser.get(place).await;
    page.says("Waiting for customer");
    let old = version(&page);
    let change = with(
        desk_form(&site),
        &[
            ("version", &old),
            ("status", "Waiting for customer"),
            ("text", "We work on {key}"),
        ],
    );
    let page = send(&mut browser, "/desk/support/settings", &change).await;
    assert_eq!(
        page.goes_to(),
        "/desk/support?done=desk-saved",
        "{}",
        page.words()
    );
    let page = browser.get("/desk/support?done=desk-saved").await;
    page.says("Saved. It holds from now on.");
    page.says("Last changed");

    // The other tab has the version from before.
    let other = with(
        desk_form(&site),
        &[("version", &old), ("quiet_seconds", "9")],
    );
    let page = send(&mut browser, "/desk/support/settings", &other).await;
    assert_eq!(page.status, 422);
    page.says("Someone changed this meanwhile");
    assert!(page.text.contains("We work on {key}"), "{}", page.words());
    assert_ne!(version(&page), old);
    let entry = browser.get("/audit?what=desk_changed").await;
    entry.says("by_status");

    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent()
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    let shown = talk.phone_shows(1).await;
    assert_eq!(shown, [format!("We work on {request}")]);
    // It is stored under its account while conversations are open.
    let config = talk.channels.messagebird.state.config();
    let second = with(bird_form(&talk), &[("name", "second")]);
    assert_eq!(config.access_key, talk.bird().config().access_key);
    send(&mut browser, "/connections/add/messagebird", &second).await;
    let now = version(&browser.get(place).await);
    let moved = with(
        desk_form(&site),
        &[("version", &now), ("account", "second")],
    );
    let page = send(&mut browser, "/desk/support/settings", &moved).await;
    page.says("Conversations of this desk are open");
}

async fn a_desk_with_open_conversations_is_not_removed_by_accident(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let page = browser.get("/desk/support").await;
    page.says("One conversation of this desk is open");
    let now = version(&page);
    let remove = form(&[("version", &now)]);
    let page = send(&mut browser, "/desk/support/remove", &remove).await;
    assert_eq!(page.status, 422);
    page.says("what their agents answer is not sent");
    page.says("is told so there");
    let remove = form(&[("version", &now), ("anyway", "yes")]);
    let page = send(&mut browser, "/desk/support/remove", &remove).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-removed");
    assert_eq!(browser.get("/desk/support").await.status, 404);

    // As the page said: nothing is sent.
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    assert!(talk.received().is_empty());
    let page = send(&mut browser, "/desks/add", &desk_form(&site)).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
}

async fn desks_are_made_by_script(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = jira(&talk, &mut browser).await;
    let script = Script::new(&talk.stage, "administrator", &["read", "settings"]).await;
    let config = talk.bird().config();
    let account = |key: &str| {
        json!({
            "name": "bird", "provider": "messagebird", "access_key": key,
            "signing_key": config.signing_key,
            "api_url": format!("{}/v1", talk.channels.messagebird.url()),
        })
    };
    let accounts = "/api/v1/channel-accounts";
    let wrong = script
        .call("POST", accounts, Some(account("wrong")), "")
        .await;
    assert_eq!(wrong.status, 422);
    let said = wrong.body["detail"].as_str().unwrap();
    assert!(
        said.starts_with("access_key: The provider refuses it."),
        "{said}"
    );
    let body = account(&config.access_key);
    let made = script
        .call("POST", accounts, Some(body.clone()), "account")
        .await;
    assert_eq!(made.status, 202, "{}", made.body);
    let again = script.call("POST", accounts, Some(body), "account").await;
    assert_eq!(
        again.body, made.body,
        "the same answer, and nothing is made"
    );
    assert!(!made.body.to_string().contains(&config.access_key));

    let offered = script
        .get(&format!("/api/v1/desk-choices?site={site}"))
        .await;
    assert_eq!(offered.body["service_desk"], "SUP", "{}", offered.body);
    assert_eq!(offered.body["trouble"], json!(null));
    let desk = json!({
        "name": "support", "account": "bird", "site": site, "service_desk": "SUP",
        "request_type": "Get help", "quiet_seconds": 0, "closing": ["category:done"],
        "status_notifications": { "*": false, "In Progress": "We work on {key}" },
    });
    let made = script
        .call("POST", "/api/v1/desks", Some(desk), "desk")
        .await;
    assert_eq!(made.status, 202, "{}", made.body);
    assert_eq!(made.body["request_type"], "Get help");
    assert_eq!(made.body["settings"]["status_notifications"]["*"], false);
    let version = made.body["version"].as_i64().unwrap();
    // The page shows the same.
    let page = browser.get("/desk/support").await;
    assert!(page.text.contains("We work on {key}"), "{}", page.words());

    let one = "/api/v1/desks/support";
    let change = json!({ "version": version, "reopen_within": "2h" });
    let changed = script.call("PATCH", one, Some(change.clone()), "").await;
    assert_eq!(changed.status, 202, "{}", changed.body);
    assert_eq!(changed.body["settings"]["reopen_within"], "2h");
    assert_eq!(changed.body["settings"]["status_notifications"]["*"], false);
    let late = script.call("PATCH", one, Some(change), "").await;
    assert_eq!(late.status, 409);
    let wrong = json!({ "version": changed.body["version"], "request_type": "Get rich" });
    let wrong = script.call("PATCH", one, Some(wrong), "").await;
    assert_eq!(wrong.status, 422);

    until(|| (!talk.bird().webhook_urls().is_empty()).then_some(())).await;
    talk.noa().writes("My router is red");
    talk.request(1).await;
    let used = script.get("/api/v1/channel-accounts/bird").await.body["version"].clone();
    let path = format!("/api/v1/channel-accounts/bird?version={used}");
    let kept = script.call("DELETE", &path, None, "").await;
    assert_eq!(kept.status, 422, "{}", kept.body);
    let now = script.get(one).await.body["version"].clone();
    let open = script
        .call("DELETE", &format!("{one}?version={now}"), None, "")
        .await;
    assert_eq!(open.status, 422, "{}", open.body);
    let removal = format!("{one}?version={now}&anyway=true");
    let removed = script.call("DELETE", &removal, None, "").await;
    assert_eq!(
        (removed.status, &removed.body["removed"]),
        (202, &json!("support"))
    );
    assert_eq!(script.get(one).await.status, 404);
    let removed = script.call("DELETE", &path, None, "").await;
    assert_eq!(removed.status, 202, "{}", removed.body);

    // Who may not administer may not; who has no scope may not.
    let reader = Script::new(&talk.stage, "agent", &["read"]).await;
    assert_eq!(reader.get("/api/v1/desks").await.status, 200);
    let refused = reader
        .call("POST", "/api/v1/desks", Some(json!({})), "")
        .await;
    assert_eq!(refused.status, 403);
}

async fn what_is_declared_later_wins(on: On) {
    let mut talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    made(&talk, &mut browser).await;
    talk.stage.stop().await;
    let path = &talk.stage.world.config_path;
    let text = std::fs::read_to_string(path).unwrap();
    let config = talk.bird().config();
    let declared = format!(
        "{text}\n[[channel_account]]\nname = \"messagebird\"\nprovider = \"messagebird\"\n\
         api_url = \"{}/v1\"\naccess_key = \"{}\"\nsigning_key = \"{}\"\n",
        talk.channels.messagebird.url(),
        config.access_key,
        config.signing_key,
    );
    std::fs::write(path, declared).unwrap();
    talk.stage.start().await;
    let mut browser = Browser::signed_in(&talk.stage, "administrator").await;
    let page = browser.get("/connections/account/messagebird").await;
    page.says("Declared in the configuration file as");
    // The desk goes on, with the declared account.
    talk.noa().writes("My router is red");
    talk.request(1).await;
}
