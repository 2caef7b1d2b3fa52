//! Webhooks of the simulated Jira: shapes, signatures, retries and disturbances.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::common::server::{self, Server};
use bowline_sandbox::common::sign::hmac_sha256_hex;
use bowline_sandbox::jira::{Config, NewComment, WebhookConfig};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::jira::Site;

const SECRET: &str = "It's a Secret to Everybody";

type Deliveries = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Takes deliveries and answers with a list of statuses, then with 200.
struct Receiver {
    deliveries: Deliveries,
    answers: Arc<Mutex<Vec<u16>>>,
    server: Server,
}

impl Receiver {
    async fn new() -> Self {
        let (deliveries, answers) = (Deliveries::default(), Arc::new(Mutex::new(Vec::new())));
        let take = async |state: State<(Deliveries, Arc<Mutex<Vec<u16>>>)>,
                          headers: HeaderMap,
                          body: Bytes| {
            state.0.0.lock().unwrap().push((headers, body));
            StatusCode::from_u16(state.0.1.lock().unwrap().pop().unwrap_or(200)).unwrap()
        };
        let router = Router::new()
            .fallback(post(take))
            .with_state((deliveries.clone(), answers.clone()));
        let server = server::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), router)
            .await
            .unwrap();
        Self {
            deliveries,
            answers,
            server,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/hook/{{issue.key}}", self.server.addr())
    }

    /// What came, in the order of its time stamps, and forgets it.
    fn take(&self) -> Vec<(HeaderMap, Value)> {
        let taken = std::mem::take(&mut *self.deliveries.lock().unwrap());
        taken
            .into_iter()
            .map(|(headers, body)| (headers, serde_json::from_slice(&body).unwrap_or_default()))
            .collect()
    }

    /// Bodies by event name; each may occur once only.
    fn by_event(&self) -> std::collections::BTreeMap<String, Value> {
        let mut found = std::collections::BTreeMap::new();
        for (_, body) in self.take() {
            let kind = body["issue_event_type_name"]
                .as_str()
                .map(|kind| format!("/{kind}"))
                .unwrap_or_default();
            let name = format!("{}{kind}", body["webhookEvent"].as_str().unwrap());
            assert!(
                found.insert(name.clone(), body).is_none(),
                "{name} came twice"
            );
        }
        found
    }
}

async fn hooked(mut config: Config) -> (Site, Receiver) {
    let receiver = Receiver::new().await;
    config.webhooks.push(WebhookConfig {
        name: "test".to_owned(),
        url: receiver.url(),
        secret: Some(SECRET.to_owned()),
        ..WebhookConfig::default()
    });
    (Site::with(config).await, receiver)
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn cloud_deliveries_have_the_recorded_shapes() {
    let (site, receiver) = hooked(Config::cloud()).await;
    let lena = site.site().acting("lena");
    let quiet = async || site.site().sender().quiet().await;

    let key = lena
        .create("ENG", "One", "a *b* https://example.com/1")
        .unwrap();
    quiet().await;
    let got = receiver.by_event();
    let created = &got["jira:issue_created/issue_created"];
    assert_eq!(got.len(), 1);
    assert_eq!(
        keys(created),
        [
            "changelog",
            "issue",
            "issue_event_type_name",
            "timestamp",
            "user",
            "webhookEvent"
        ]
    );
    assert_eq!(keys(&created["issue"]), ["fields", "id", "key", "self"]);
    assert_eq!(
        created["issue"]["fields"]["description"], "a *b* https://example.com/1",
        "bodies are wiki text"
    );
    assert!(
        created["issue"]["self"]
            .as_str()
            .unwrap()
            .contains("/rest/api/2/issue/"),
        "links are of version 2"
    );
    assert!(
        created["user"].get("emailAddress").is_none() && created["user"]["accountId"].is_string()
    );
    let items = created["changelog"]["items"].as_array().unwrap();
    assert!(
        items
            .iter()
            .any(|item| item["field"] == "Status" && item["fieldId"] == "status"),
        "{items:?}"
    );

    let comment = lena.comment(&key, "Hello").unwrap();
    lena.edit_comment(&key, comment, "Changed").unwrap();
    lena.delete_comment(&key, comment).unwrap();
    quiet().await;
    let got = receiver.by_event();
    assert_eq!(
        got.keys().collect::<Vec<_>>(),
        ["comment_created", "comment_deleted", "comment_updated"]
    );
    for body in got.values() {
        assert_eq!(
            keys(body),
            ["comment", "issue", "timestamp", "webhookEvent"],
            "no user and no changelog"
        );
        assert_eq!(
            keys(&body["comment"]),
            [
                "author",
                "body",
                "created",
                "id",
                "jsdPublic",
                "self",
                "updateAuthor",
                "updated"
            ]
        );
        assert_eq!(
            keys(&body["issue"]["fields"]),
            [
                "assignee",
                "issuetype",
                "priority",
                "project",
                "status",
                "summary"
            ]
        );
    }
    assert_eq!(got["comment_deleted"]["comment"]["body"], "Changed");

    lena.comment_with(&key, NewComment::restricted("r", "Developers"))
        .unwrap();
    quiet().await;
    assert_eq!(
        receiver.by_event()["comment_created"]["comment"]["visibility"]["value"],
        "Developers"
    );
    lena.comment_with(&key, NewComment::internal("i")).unwrap();
    quiet().await;
    let internal = receiver.by_event().remove("comment_created").unwrap();
    assert_eq!(internal["comment"]["jsdPublic"], false);
    assert_eq!(
        internal["comment"]["properties"][0]["key"],
        "sd.public.comment"
    );

    lena.transition(&key, "Done", None).unwrap();
    quiet().await;
    let moved = receiver
        .by_event()
        .remove("jira:issue_updated/issue_generic")
        .unwrap();
    let fields: Vec<&str> = moved["changelog"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["resolution", "status"]);
    let history = site
        .call(
            "GET",
            &format!("/rest/api/3/issue/{key}/changelog"),
            Value::Null,
        )
        .await
        .body;
    assert_eq!(
        history["values"][0]["id"], moved["changelog"]["id"],
        "history and delivery agree on the id"
    );
    let item = &moved["changelog"]["items"][1];
    assert_eq!(
        keys(item),
        [
            "field",
            "fieldId",
            "fieldtype",
            "from",
            "fromString",
            "to",
            "toString"
        ]
    );

    lena.assign(&key, Some("omar")).unwrap();
    lena.assign(&key, None).unwrap();
    quiet().await;
    let last = receiver
        .take()
        .into_iter()
        .map(|(_, body)| body["changelog"]["items"][0].clone());
    assert!(
        last.into_iter()
            .any(|item| item["to"].is_null() && item["toString"].is_null())
    );

    lena.set_property(&key, "p", json!({ "a": 1 })).unwrap();
    quiet().await;
    assert_eq!(
        receiver.by_event()["issue_property_set"]["property"],
        json!({ "key": "p", "value": { "a": 1 } })
    );

    lena.delete(&key).unwrap();
    quiet().await;
    let flows: Vec<(String, String)> = receiver
        .take()
        .into_iter()
        .map(|(headers, body)| {
            let flow = headers["x-atlassian-webhook-flow"]
                .to_str()
                .unwrap()
                .to_owned();
            (body["webhookEvent"].as_str().unwrap().to_owned(), flow)
        })
        .collect();
    let count =
        |event: &str, flow: &str| flows.iter().filter(|f| f.0 == event && f.1 == flow).count();
    assert_eq!(
        (
            count("jira:issue_deleted", "Primary"),
            count("comment_deleted", "Secondary")
        ),
        (1, 2),
        "{flows:?}"
    );
}

#[tokio::test]
async fn data_center_deliveries_have_the_recorded_shapes() {
    let (site, receiver) = hooked(Config::data_center()).await;
    let lena = site.site().acting("lena");
    let key = lena.create("ENG", "One", "text").unwrap();
    let comment = lena.comment(&key, "Hello").unwrap();
    site.site().sender().quiet().await;
    let got = receiver.by_event();
    assert_eq!(
        keys(&got["comment_created"]),
        ["comment", "timestamp", "webhookEvent"],
        "without issue and user"
    );
    let doubled = &got["jira:issue_updated/issue_commented"];
    assert_eq!(
        keys(doubled),
        [
            "comment",
            "issue",
            "issue_event_type_name",
            "timestamp",
            "user",
            "webhookEvent"
        ]
    );
    assert_eq!(doubled["comment"]["id"], json!(comment.to_string()));
    assert!(doubled["comment"].get("jsdPublic").is_none());
    let created = &got["jira:issue_created/issue_created"];
    assert!(
        created["changelog"]["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item.get("fieldId").is_none())
    );
    assert_eq!(
        (&created["user"]["name"], created["user"].get("accountId")),
        (&json!("lena"), None)
    );

    lena.delete_comment(&key, comment).unwrap();
    lena.transition(&key, "Done", None).unwrap();
    site.site().sender().quiet().await;
    for (headers, _) in &receiver.deliveries.lock().unwrap().clone() {
        assert!(headers.get("x-atlassian-webhook-identifier").is_none());
        assert!(headers.get("x-hub-signature").is_some());
    }
    let got = receiver.by_event();
    assert_eq!(
        keys(&got["comment_deleted"]),
        ["comment", "timestamp", "user", "webhookEvent"]
    );
    assert!(
        got["jira:issue_updated/issue_comment_deleted"]
            .get("comment")
            .is_none()
    );
    assert!(got.contains_key("jira:issue_updated/issue_resolved"));
}

#[tokio::test]
async fn bodies_are_signed_and_retried_under_the_same_identifier() {
    let config = Config {
        retry_delays_ms: vec![1, 1, 1, 1],
        ..Config::cloud()
    };
    let (site, receiver) = hooked(config).await;
    receiver.answers.lock().unwrap().extend([503, 429, 500]);
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "One", "text")
        .unwrap();
    site.site().sender().quiet().await;
    let got = receiver.deliveries.lock().unwrap().clone();
    let header = |n: usize, name: &str| got[n].0.get(name).map(|v| v.to_str().unwrap().to_owned());
    let retries: Vec<Option<String>> = (0..got.len())
        .map(|n| header(n, "x-atlassian-webhook-retry"))
        .collect();
    assert_eq!(
        retries,
        [None, Some("1".into()), Some("2".into()), Some("3".into())]
    );
    for (n, (_, body)) in got.iter().enumerate() {
        assert_eq!(
            header(n, "x-hub-signature").unwrap(),
            format!("sha256={}", hmac_sha256_hex(SECRET, body))
        );
        assert_eq!(
            header(n, "x-atlassian-webhook-identifier"),
            header(0, "x-atlassian-webhook-identifier")
        );
        assert_eq!(body, &got[0].1);
    }
    assert!(
        site.site()
            .sender()
            .log()
            .iter()
            .all(|attempt| attempt.url.ends_with(&format!("/hook/{key}")))
    );

    receiver.take();
    receiver.answers.lock().unwrap().push(401);
    site.site().acting("lena").comment(&key, "x").unwrap();
    site.site().sender().quiet().await;
    assert_eq!(receiver.take().len(), 1, "401 is final");
}

#[tokio::test]
async fn the_published_signature_vector_holds() {
    let expected = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    assert_eq!(hmac_sha256_hex(SECRET, b"Hello World!"), expected);
}

#[tokio::test]
async fn switches_change_what_is_delivered() {
    let (site, receiver) = hooked(Config::cloud()).await;
    let lena = site.site().acting("lena");
    let key = lena.create("ENG", "One", "text").unwrap();
    site.site().sender().quiet().await;
    receiver.take();
    site.site().switch(|switches| {
        switches.adf_in_webhooks = true;
        switches.comment_events_without_issue = true;
        switches.doubled_comments = true;
    });
    lena.comment(&key, "Hello").unwrap();
    site.site().sender().quiet().await;
    let got = receiver.by_event();
    assert_eq!(
        keys(&got["comment_created"]),
        ["comment", "timestamp", "webhookEvent"]
    );
    assert_eq!(got["comment_created"]["comment"]["body"]["type"], "doc");
    assert!(got["jira:issue_updated/issue_commented"]["comment"]["id"].is_string());
    site.site().switch(|switches| switches.webhooks_off = true);
    lena.comment(&key, "Nobody hears").unwrap();
    site.site().switch(|switches| switches.webhooks_off = false);
    site.site().disturb(Disturbance {
        duplicate_every: 1,
        ..Disturbance::default()
    });
    lena.describe(&key, "heard twice").unwrap();
    site.site().sender().quiet().await;
    let twice = receiver.take();
    assert_eq!(twice.len(), 2);
    let id = |n: usize| twice[n].0["x-atlassian-webhook-identifier"].clone();
    assert_eq!(id(0), id(1), "a duplicate carries the same identifier");
}

#[tokio::test]
async fn administrators_manage_webhooks() {
    let site = Site::cloud().await;
    let receiver = Receiver::new().await;
    let path = "/rest/webhooks/1.0/webhook";
    let lena = site.site().acting("lena");
    let hook = json!({
        "name": "n", "url": receiver.url(), "events": ["jira:issue_created", "comment_created"], "secret": SECRET,
        "filters": { "issue-related-events-section": "project = OPS" }, "excludeBody": false,
    });
    let made = site.admin("POST", path, hook.clone()).await;
    assert_eq!(
        (made.status, &made.body["isSigned"], &made.body["enabled"]),
        (201, &json!(true), &json!(true))
    );
    assert!(made.body.get("secret").is_none(), "a secret is never shown");
    let own = made.body["self"].as_str().unwrap().to_owned();
    let own = &own[own.find(path).unwrap()..];
    lena.create("ENG", "Filtered out", "x").unwrap();
    let key = lena.create("OPS", "Passes", "x").unwrap();
    lena.transition(&key, "Done", None).unwrap();
    site.site().sender().quiet().await;
    assert_eq!(
        receiver.by_event().into_keys().collect::<Vec<_>>(),
        ["jira:issue_created/issue_created"]
    );
    let kept = site.admin("PUT", own, json!({ "name": "renamed" })).await;
    assert_eq!(
        (kept.status, &kept.body["isSigned"]),
        (200, &json!(true)),
        "without a secret the old one stays"
    );
    for (name, change) in [
        ("unknown event", json!({ "events": ["issue_moved"] })),
        ("no address", json!({ "url": "example" })),
        (
            "bad filter",
            json!({ "filters": { "issue-related-events-section": "nonsense = 1" } }),
        ),
    ] {
        assert_eq!(site.admin("PUT", own, change).await.status, 400, "{name}");
    }
    assert_eq!(site.admin("DELETE", own, Value::Null).await.status, 204);
    assert_eq!(site.admin("GET", own, Value::Null).await.status, 404);
}

#[tokio::test]
async fn data_center_takes_a_secret_only_in_the_configuration() {
    let site = Site::data_center().await;
    let path = "/rest/jira-webhook/1.0/webhooks";
    let receiver = Receiver::new().await;
    let lena = site.site().acting("lena");
    let hook = |extra: Value| {
        let mut hook = json!({ "name": "n", "url": receiver.url(), "events": ["jira:issue_created"], "active": true });
        if let (Value::Object(hook), Value::Object(extra)) = (&mut hook, extra) {
            hook.extend(extra);
        }
        hook
    };
    for (extra, signed) in [
        (json!({ "secret": SECRET }), false),
        (
            json!({ "configuration": { "SECRET": SECRET, "EXCLUDE_BODY": "false" } }),
            true,
        ),
    ] {
        let made = site.admin("POST", path, hook(extra)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        lena.create("ENG", "One", "x").unwrap();
        site.site().sender().quiet().await;
        let got = receiver.take();
        assert_eq!(
            (got.len(), got[0].0.contains_key("x-hub-signature")),
            (1, signed)
        );
        let id = &made.body["id"];
        assert_eq!(
            site.admin("DELETE", &format!("{path}/{id}"), Value::Null)
                .await
                .status,
            204
        );
    }
}

#[tokio::test]
async fn a_move_is_told_as_two_changes_and_a_rename_of_the_project_is_silent() {
    let (site, receiver) = hooked(Config::cloud()).await;
    let (lena, priya) = (site.site().acting("lena"), site.site().acting("priya"));
    let old = lena.create("ENG", "Wanders", "x").unwrap();
    site.site().sender().quiet().await;
    receiver.take();
    let new = lena.move_to(&old, "OPS").unwrap();
    site.site().sender().quiet().await;
    let told = receiver
        .by_event()
        .remove("jira:issue_updated/issue_updated")
        .unwrap();
    let items: Vec<(&str, &str)> = told["changelog"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["field"].as_str().unwrap(),
                item["fromString"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(items, [("project", "Engineering"), ("Key", old.as_str())]);
    assert_eq!(told["issue"]["key"], json!(new));
    priya.rename_project("OPS", "RUN").unwrap();
    site.site().sender().quiet().await;
    let told = receiver.by_event();
    assert_eq!(told.keys().collect::<Vec<_>>(), ["project_updated"]);
    assert_eq!(told["project_updated"]["project"]["key"], "RUN");
}
