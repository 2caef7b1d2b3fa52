//! Everything that can be read is read, in a world where there is something of each kind, and held
//! against the description.

use std::collections::BTreeMap;

use bowline::demo::{feedback, story, talk_story};
use bowline_sandbox::ChannelOptions;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(everything_that_can_be_read_is_as_described);

/// Lists in which there may be nothing in a world that is well.
const MAY_BE_EMPTY: [&str; 3] = [
    "/api/v1/problems",
    "/api/v1/contact-conflicts",
    "/api/v1/alerts",
];

/// What addresses with a part to fill in are read with: at most so many of each.
const EXAMPLES: usize = 3;

/// A world in which the demo's stories were played, with contacts, a backfill and a replay.
async fn lived_in(on: On) -> Stage {
    let mut stage = Stage::prepare_on(on, |plan| {
        plan.channels = Some(ChannelOptions::default());
        feedback::PRODUCT.clone_into(&mut plan.more);
        plan.intercom.invented_contacts = 30;
        plan.intercom.invented_companies = 5;
    })
    .await;
    feedback::prepare(&stage.world);
    stage.start().await;
    story::play(&stage.world, stage.addr(), |_| ())
        .await
        .unwrap();
    talk_story::play(&stage.world, |_| ()).await.unwrap();
    feedback::play(&stage.world, stage.service(), |_| ())
        .await
        .unwrap();
    let (issue, _) = stage.linked().await;
    stage.lena().comment(&issue, "On it.").unwrap();
    stage.settled().await;
    stage
}

/// The ids of a list.
async fn ids(script: &Script<'_>, list: &str, name: &str) -> Vec<String> {
    let items = script.get(list).await.body["items"].clone();
    let items = items.as_array().unwrap().clone();
    let ids = items.iter().filter_map(|item| match &item[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    ids.take(EXAMPLES).collect()
}

/// What stands for the parts of an address, by the address.
async fn examples(script: &Script<'_>) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let mut of = |template: &str, made: Vec<String>| {
        assert!(!made.is_empty(), "there is none for {template}");
        all.insert(template.to_owned(), made);
    };
    let under = |prefix: &str, ids: Vec<String>| -> Vec<String> {
        ids.into_iter().map(|id| format!("{prefix}{id}")).collect()
    };
    for (template, list) in [
        ("/api/v1/deliveries/{id}", "/api/v1/deliveries"),
        (
            "/api/v1/conversations/{account}/{end_user}/{generation}",
            "/api/v1/conversations",
        ),
        ("/api/v1/people/{id}", "/api/v1/people"),
        ("/api/v1/contacts/{id}", "/api/v1/contacts"),
        ("/api/v1/companies/{id}", "/api/v1/companies"),
        ("/api/v1/tickets/{id}", "/api/v1/tickets"),
    ] {
        let found = ids(script, list, "id").await;
        of(template, under(&format!("{list}/"), found));
    }
    let people = ids(script, "/api/v1/people", "id").await;
    let sessions = people
        .iter()
        .map(|id| format!("/api/v1/people/{id}/sessions"));
    of("/api/v1/people/{id}/sessions", sessions.collect());
    let people = script.get("/api/v1/end-users").await.body["items"].clone();
    let person = |one: &Value| {
        let (account, id) = (one["account"].as_str()?, one["id"].as_str()?);
        Some(format!("/api/v1/end-users/{account}/{id}"))
    };
    of(
        "/api/v1/end-users/{account}/{id}",
        people
            .as_array()
            .unwrap()
            .iter()
            .filter_map(person)
            .collect(),
    );
    let links = script.get("/api/v1/links").await.body["items"].clone();
    let links = links.as_array().unwrap();
    let issue = |link: &Value| {
        let (site, issue) = (link["site"].as_str()?, link["issue"].as_str()?);
        Some(format!("/api/v1/issues/{site}/{issue}"))
    };
    of(
        "/api/v1/issues/{site}/{key}",
        links.iter().filter_map(issue).take(EXAMPLES).collect(),
    );
    let whole = |link: &Value| {
        let conversation = link["conversation"].as_str()?;
        Some(format!("{}/conversations/{conversation}", issue(link)?))
    };
    of(
        "/api/v1/issues/{site}/{key}/conversations/{id}",
        links.iter().filter_map(whole).take(1).collect(),
    );
    for what in ["attributes", "tally", "try"] {
        of(
            &format!("/api/v1/bindings/{{site}}/{{project}}/{what}"),
            vec![format!("/api/v1/bindings/acme-jira/ENG/{what}")],
        );
    }
    of(
        "/api/v1/bindings/{site}/{project}",
        vec!["/api/v1/bindings/acme-jira/ENG".to_owned()],
    );
    of(
        "/api/v1/sites/{name}/projects",
        vec!["/api/v1/sites/acme-jira/projects".to_owned()],
    );
    of(
        "/api/v1/workspaces/{name}/teammates",
        vec!["/api/v1/workspaces/acme/teammates".to_owned()],
    );
    for list in [
        "/api/v1/channel-accounts",
        "/api/v1/desks",
        "/api/v1/sites",
        "/api/v1/workspaces",
    ] {
        let found = ids(script, list, "name").await;
        of(
            &format!("{list}/{{name}}"),
            under(&format!("{list}/"), found),
        );
    }
    // MessageBird tells of channels; WhatsApp of none.
    let accounts = script.get("/api/v1/channel-accounts").await.body["items"].clone();
    let accounts = accounts.as_array().into_iter().flatten();
    let telling = accounts.filter(|account| account["provider_key"] == "messagebird");
    let names = telling.filter_map(|account| account["name"].as_str());
    of(
        "/api/v1/channel-accounts/{name}/channels",
        names
            .map(|name| format!("/api/v1/channel-accounts/{name}/channels"))
            .collect(),
    );
    let product = ids(script, "/api/v1/products", "id").await.remove(0);
    of(
        "/api/v1/products/{id}/feedback",
        vec![format!("/api/v1/products/{product}/feedback")],
    );
    of(
        "/api/v1/products/{id}",
        vec![format!("/api/v1/products/{product}")],
    );
    of(
        "/api/v1/workspaces/{name}/feedback",
        vec!["/api/v1/workspaces/acme/feedback".to_owned()],
    );
    let body = json!({ "from": "2020-01-01T00:00:00Z" });
    let path = format!("/api/v1/products/{product}/backfills");
    let begun = script.call("POST", &path, Some(body), "").await.body;
    of(
        "/api/v1/backfills/{id}",
        vec![format!("/api/v1/backfills/{}", begun["id"])],
    );
    let body = json!({ "since": "2020-01-01T00:00:00Z" });
    let begun = script
        .call("POST", "/api/v1/replays", Some(body), "")
        .await
        .body;
    of(
        "/api/v1/replays/{id}",
        vec![format!("/api/v1/replays/{}", begun["id"])],
    );
    all
}

async fn everything_that_can_be_read_is_as_described(on: On) {
    let stage = lived_in(on).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let fields = [("workspace", "acme"), ("on", "yes"), ("updates", "yes")];
    owner.send("/contacts/settings/switch", &fields).await;
    crate::contacts::copied(&stage).await;
    let scopes = [
        "read", "audit", "settings", "contacts", "feedback", "replay", "talks", "people", "account",
    ];
    let script = Script::new(&stage, "owner", &scopes).await;
    let examples = examples(&script).await;
    let described = stage.client().get(stage.url("/api/v1/openapi.json"));
    let described: Value = described.send().await.unwrap().json().await.unwrap();
    let mut read = 0;
    for (template, operations) in described["paths"].as_object().unwrap() {
        if operations["get"].is_null() {
            continue;
        }
        let paths = match examples.get(template) {
            Some(paths) => paths.clone(),
            None => vec![template.clone()],
        };
        for path in paths {
            assert!(!path.contains('{'), "there is no example for {template}");
            let answer = script.get(&path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            if let Some(items) = answer.body["items"].as_array()
                && !MAY_BE_EMPTY.contains(&path.as_str())
            {
                assert!(!items.is_empty(), "{path} is empty, so it shows nothing");
            }
            read += 1;
        }
    }
    assert!(read > 30, "{read} were read");
}
