//! What the panel of a project's issues shows, as it is set on pages and by scripts.

use bowline_domain::panel::{ContactSource, VisibleFields};
use bowline_sandbox::common::FaultKind;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::{Browser, Page};
use crate::configuring::{ALLOWED, bare, connected, form, send, version};
use crate::panel::{says, silence};
use crate::projects::settings;
use crate::stage::{On, Stage, on_both};

on_both!(
    what_the_panel_is_can_be_set_on_its_page_and_by_scripts,
    visible_fields_are_chosen_from_what_intercom_has,
    a_dead_intercom_leaves_the_fields_to_be_chosen
);

async fn what_the_panel_is_can_be_set_on_its_page_and_by_scripts(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG");
    let now = || stage.service().shared().bindings_now()[0].panel.clone();
    let seen = version(&browser.get(&path).await);
    let changes = [("contact_source", "reporter"), ("conversation_view", "")];
    let typed = settings(&seen, &changes);
    send(&mut browser, &format!("{path}/settings"), &typed).await;
    assert_eq!(now().contact_source, ContactSource::Reporter);
    assert!(now().enabled && !now().conversation_view);
    assert_eq!(now().visible, VisibleFields::default(), "not in this form");
    let audit = browser.get("/audit/export.csv").await.text;
    assert!(
        audit.contains("Contacts of the panel: linked conversations → the reporter"),
        "{audit}"
    );

    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    let binding = script.get("/api/v1/bindings").await.body["items"][0].clone();
    assert_eq!(binding["panel"]["contact_source"], "reporter");
    let address = format!("/api/v1{path}");
    let patch = async |body: Value| script.call("PATCH", &address, Some(body), "").await;
    let change = json!({ "version": binding["version"], "panel": { "enabled": false,
        "contact_source": "linked", "visible_fields": { "company": ["plan", "size"] } } });
    let done = patch(change.clone()).await;
    assert_eq!(done.status, 202, "{}", done.body);
    let panel = &done.body["panel"];
    assert_eq!(panel["visible_fields"]["company"], json!(["plan", "size"]));
    assert_eq!(
        (panel["enabled"].clone(), now().enabled),
        (json!(false), false)
    );
    assert_eq!(
        patch(change).await.status,
        409,
        "made from an older version"
    );
    let wrong = json!({ "version": done.body["version"], "panel": { "contact_source": "both" } });
    assert_eq!(patch(wrong).await.status, 422);
    let offered = script.get(&format!("{address}/attributes")).await;
    assert_eq!(offered.status, 200, "{}", offered.body);
    let plan = json!({ "of": "contact", "name": "plan", "label": "plan", "custom": true,
        "description": "What the customer pays for." });
    assert!(offered.body["items"].as_array().unwrap().contains(&plan));
    let nowhere = script.get("/api/v1/bindings/no/ENG/attributes").await;
    assert_eq!(nowhere.status, 404);
}

async fn step(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let now = version(&browser.get(path).await);
    let fields: Vec<_> = [("version", now.as_str())]
        .into_iter()
        .chain(fields.iter().copied())
        .collect();
    send(browser, path, &form(&fields)).await
}

async fn visible_fields_are_chosen_from_what_intercom_has(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG/fields");
    let page = says(
        &mut browser,
        &path,
        "plan (plan) – CUSTOM: What the customer pays for.",
    )
    .await;
    page.says("First seen created_at as a date");
    let user = || {
        stage.service().shared().bindings_now()[0]
            .panel
            .visible
            .user
            .clone()
    };
    let old = version(&page);
    for (fields, wanted) in [
        (
            vec![("act", "add"), ("choice", "plan")],
            "email phone user_id created_at last_request_at session_count plan",
        ),
        (
            vec![("act", "remove:user_id")],
            "email phone created_at last_request_at session_count plan",
        ),
        (
            vec![("act", "remove:phone")],
            "email created_at last_request_at session_count plan",
        ),
        (
            vec![("act", "down:email")],
            "created_at email last_request_at session_count plan",
        ),
        (
            vec![("act", "up:plan")],
            "created_at email last_request_at plan session_count",
        ),
        (
            [
                "plan",
                "email",
                "created_at",
                "session_count",
                "last_request_at",
            ]
            .iter()
            .map(|name| ("field", *name))
            .chain([("act", "order")])
            .collect(),
            "plan email created_at session_count last_request_at",
        ),
    ] {
        let fields: Vec<_> = [("of", "user")].into_iter().chain(fields).collect();
        let saved = step(&mut browser, &path, &fields).await;
        assert!(
            saved
                .goes_to()
                .starts_with(&format!("{path}?done=saved#user")),
            "{}",
            saved.words()
        );
        assert_eq!(user().join(" "), wanted);
    }
    let late = form(&[("version", &old), ("of", "user"), ("act", "reset")]);
    let late = send(&mut browser, &path, &late).await;
    assert_eq!(late.status, 422);
    late.says("Someone changed this meanwhile");
    let wrong = [
        ("of", "lead"),
        ("act", "add"),
        ("key", "email"),
        ("choice", ""),
    ];
    let wrong = step(&mut browser, &path, &wrong).await;
    assert_eq!(wrong.status, 422);
    wrong.says("“email” is in the list already.");
    assert!(
        wrong
            .text
            .contains("value=\"email\" autocomplete=\"off\" aria-invalid=\"true\"")
    );

    // The panel shows them in this order.
    let noa = stage.intercom().contact_of(&stage.conversation());
    let attributes = json!({ "custom_attributes": { "plan": "Pro" } });
    stage
        .intercom()
        .describe(&noa, attributes.as_object().unwrap().clone());
    let conversation = stage.conversation();
    let issue = stage.issue(stage.address(&conversation).as_str());
    stage.note(&conversation, &["created ", &issue]).await;
    says(
        &mut browser,
        &format!("/issues/{site}/{issue}"),
        "plan CUSTOM Pro Email noa@example.com",
    )
    .await;

    step(&mut browser, &path, &[("of", "user"), ("act", "reset")]).await;
    assert_eq!(user(), VisibleFields::OF_PEOPLE);
    let audit = browser.get("/audit/export.csv").await.text;
    assert!(audit.contains("Fields of users: plan, email"), "{audit}");
    let nothing = step(&mut browser, &path, &[("of", "them"), ("act", "reset")]).await;
    assert_eq!(nothing.status, 404);
}

async fn a_dead_intercom_leaves_the_fields_to_be_chosen(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG/fields");
    silence(&stage, FaultKind::DropBefore);
    let page = says(
        &mut browser,
        &path,
        "Intercom does not tell the attributes of",
    )
    .await;
    page.says("Any field can be added by its key.");
    let add = [
        ("of", "company"),
        ("act", "add"),
        ("choice", ""),
        ("key", "renews_at"),
    ];
    let saved = step(&mut browser, &path, &add).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let page = browser.get(&path).await;
    page.says("Renews at renews_at as a date");
}

#[tokio::test]
async fn declared_fields_are_shown_and_not_changed() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let path = "/bindings/acme-jira/ENG/fields";
    let page = browser.get(path).await;
    page.says("in the configuration file declares them");
    assert!(!page.text.contains("name=\"act\""), "{}", page.words());
    let reset = form(&[("version", "1"), ("of", "user"), ("act", "reset")]);
    let refused = send(&mut browser, path, &reset).await;
    assert_eq!(refused.status, 422);
    refused.says("it is changed there");
}
