//! REST of the simulated Intercom: who may call, what comes back, and what changes.

use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::intercom::{self, Config, ConversationState, Handle, NewContact, Sandbox};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

pub(crate) const APP: &str = "991267459";
pub(crate) const TEAMMATE: &str = "991267460";

/// A running workspace with one contact and one conversation.
pub(crate) struct World {
    pub(crate) handle: Handle,
    pub(crate) client: Client,
    pub(crate) contact: String,
    pub(crate) conversation: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config {
            rate_limit_per_10s: None,
            ..Config::default()
        })
        .await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let handle = intercom::start(config, addr, Neighbours::new())
            .await
            .unwrap();
        let contact = handle
            .state
            .create_contact(NewContact::user("Grace", "grace@example.com"))
            .unwrap();
        let conversation = handle
            .state
            .create_conversation(&contact, "<p>It does not <b>work</b></p>")
            .unwrap();
        Self {
            handle,
            client: Client::new(),
            contact,
            conversation,
        }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.handle.state
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, format!("{}{path}", self.handle.url()))
    }

    pub(crate) fn authorised(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(&self.sandbox().config().access_token)
            .header("Accept", "application/json")
            .header("Intercom-Version", "2.16")
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.authorised(method, path);
        answer(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    }

    pub(crate) fn reply_path(&self) -> String {
        format!("/conversations/{}/reply", self.conversation)
    }

    pub(crate) fn parts_path(&self) -> String {
        format!("/conversations/{}/parts", self.conversation)
    }

    fn part_types(&self) -> Vec<String> {
        let parts = self.sandbox().parts(&self.conversation);
        parts.into_iter().map(|part| part.part_type).collect()
    }
}

pub(crate) fn note(body: &str) -> Value {
    json!({ "message_type": "note", "type": "admin", "admin_id": APP, "body": body })
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub(crate) fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encoded(fields))
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// The code of the first error.
pub(crate) fn code(body: &Value) -> &str {
    body["errors"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn only_good_calls_get_in() {
    let world = World::new().await;
    let token = world.sandbox().config().access_token.clone();
    let good = || world.request("GET", "/me").bearer_auth(&token);
    let post = || world.authorised("POST", "/conversations");
    for (name, request, status, expected) in [
        ("no token", world.request("GET", "/me"), 401, "unauthorized"),
        (
            "wrong token",
            world.request("GET", "/me").bearer_auth("x"),
            401,
            "unauthorized",
        ),
        (
            "basic",
            world.request("GET", "/me").basic_auth(&token, None::<&str>),
            401,
            "unauthorized",
        ),
        ("no version", good(), 200, ""),
        (
            "old version",
            good().header("Intercom-Version", "2.14"),
            200,
            "",
        ),
        (
            "preview",
            good().header("Intercom-Version", "Preview"),
            200,
            "",
        ),
        (
            "bad version",
            good().header("Intercom-Version", "9"),
            400,
            "intercom_version_invalid",
        ),
        (
            "html",
            good().header("Accept", "text/html"),
            406,
            "media_type_not_acceptable",
        ),
        (
            "list of types",
            good().header("Accept", "text/html, */*;q=0.1"),
            200,
            "",
        ),
        (
            "unknown route",
            world.authorised("GET", "/nowhere"),
            404,
            "not_found",
        ),
        (
            "wrong method",
            world.authorised("PATCH", "/conversations/1"),
            404,
            "not_found",
        ),
        (
            "unknown id",
            world.authorised("GET", "/conversations/1"),
            404,
            "not_found",
        ),
        (
            "no id",
            world.authorised("GET", "/conversations/abc"),
            404,
            "not_found",
        ),
        (
            "not JSON",
            post().header("Content-Type", "application/json").body("{"),
            400,
            "parameter_invalid",
        ),
        ("a form", form(post(), &[("body", "x")]), 400, "bad_request"),
        (
            "no route, no token",
            world.request("GET", "/nowhere"),
            401,
            "unauthorized",
        ),
    ] {
        let (got, body) = answer(request).await;
        assert_eq!((got, code(&body)), (status, expected), "{name}: {body}");
        if status != 200 {
            assert_eq!(body["type"], "error.list", "{name}");
            assert!(body["request_id"].is_string(), "{name}");
        }
    }
    let (_, me) = world.call("GET", "/me", Value::Null).await;
    assert_eq!(
        (me["id"].as_str(), me["app"]["id_code"].as_str()),
        (Some(APP), Some("sbx00001"))
    );
}

#[tokio::test]
async fn token_and_plan_end_and_come_back() {
    let world = World::new().await;
    let sandbox = world.sandbox();
    let path = format!("/conversations/{}", world.conversation);
    sandbox.set_plan_restricted(true);
    let (status, body) = world.call("GET", &path, Value::Null).await;
    assert_eq!((status, code(&body)), (403, "api_plan_restricted"));
    assert_eq!(world.call("GET", "/me", Value::Null).await.0, 200);
    sandbox.set_plan_restricted(false);
    sandbox.revoke_token();
    assert_eq!(world.call("GET", &path, Value::Null).await.0, 401);

    let exchange = |code: String| {
        let fields = [
            ("code", code.as_str()),
            ("client_id", "sandbox-client"),
            ("client_secret", "sandbox-client-secret"),
        ];
        form(world.request("POST", "/auth/eagle/token"), &fields)
    };
    let issued = sandbox.issue_code();
    let cut = issued.trim_end_matches('=').to_owned();
    assert_eq!(
        answer(exchange(cut)).await.0,
        401,
        "the code's = belongs to it"
    );
    let (status, body) = answer(exchange(issued.clone())).await;
    assert_eq!((status, &body["token"]), (200, &body["access_token"]));
    assert_eq!(answer(exchange(issued)).await.0, 401, "a code is good once");
    assert_eq!(world.call("GET", &path, Value::Null).await.0, 200);
    assert_eq!(
        world.call("POST", "/auth/uninstall", Value::Null).await.0,
        200
    );
    assert_eq!(world.call("GET", &path, Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_teammate_lets_an_app_in_and_is_sent_back_with_a_code() {
    let world = World::new().await;
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/oauth", world.handle.url());
    let back = "https://bowline.example.com/back?x=1";
    let ask = async |app: &str, redirect: &str| {
        let query = [
            ("client_id", app),
            ("state", "s 1"),
            ("redirect_uri", redirect),
        ];
        let asked = format!(
            "{url}?{}",
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish()
        );
        client.get(asked).send().await.unwrap()
    };
    assert_eq!(
        ask("sandbox-client", back).await.status(),
        400,
        "not registered"
    );
    world.handle.state.register_redirect(back);
    assert_eq!(ask("another-app", back).await.status(), 400);
    let elsewhere = "https://evil.example.com/";
    assert_eq!(ask("sandbox-client", elsewhere).await.status(), 400);
    let shown = ask("sandbox-client", "").await;
    assert_eq!(
        shown.status(),
        200,
        "the first that is registered is the default"
    );
    assert!(shown.text().await.unwrap().contains("Connect"));
    let fields = [
        ("client_id", "sandbox-client"),
        ("state", "s 1"),
        ("redirect_uri", back),
    ];
    let given = form(client.post(&url), &fields).send().await.unwrap();
    assert_eq!(given.status(), 303);
    let to = given.headers()["location"].to_str().unwrap();
    let (code, state) = to
        .strip_prefix("https://bowline.example.com/back?x=1&code=")
        .and_then(|rest| rest.split_once("&state="))
        .unwrap_or_else(|| panic!("{to}"));
    assert!(code.ends_with("%3D") && state == "s+1", "{to}");
}

#[tokio::test]
async fn redirect_urls_are_registered_in_the_developer_hub() {
    let world = World::new().await;
    let hub = format!("{}/a/apps/_/developer-hub", world.handle.url());
    let register = async |url: &str| {
        let sent = form(world.client.post(&hub), &[("url", url)]).send().await;
        let answer = sent.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (url, why) in [
        ("soon", "no address"),
        ("http://bowline.example.com/back", "must begin with https"),
        ("ftp://127.0.0.1/back", "must begin with https"),
    ] {
        let (status, said) = register(url).await;
        assert_eq!(status, 422, "{url}");
        assert!(said.contains(why), "{url}: {said}");
    }
    for url in [
        "https://bowline.example.com/back",
        "http://127.0.0.1:4000/back",
        "http://localhost/back",
    ] {
        let (status, said) = register(url).await;
        assert!(status == 200 && said.contains(url), "{url}: {said}");
    }
    let (status, said) = register("http://localhost/back").await;
    assert!(status == 422 && said.contains("registered already"));
    let default = format!(
        "{}/oauth?client_id=sandbox-client&state=s",
        world.handle.url()
    );
    assert_eq!(
        world.client.get(default).send().await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn notes_are_stored_as_the_platform_stores_them() {
    let world = World::new().await;
    let sent = "<p><strong>Ann</strong> moved <a href=\"https://jira.example.com/browse/ENG-1#bw-1a2b\" onclick=\"x\">ENG-1</a></p><script>x</script>";
    let (status, body) = world.call("POST", &world.reply_path(), note(sent)).await;
    assert_eq!(status, 200, "{body}");
    let part = &body["conversation_parts"]["conversation_parts"][0];
    assert_eq!(part["part_type"], "note");
    assert_eq!(part["app_package_code"], "bowline-sandbox");
    assert_eq!(part["author"]["id"], APP);
    let stored = part["body"].as_str().unwrap();
    assert!(
        stored.starts_with(
            "<p><b>Ann</b> moved <a href=\"https://jira.example.com/browse/ENG-1#bw-1a2b\" "
        ),
        "{stored}"
    );
    assert!(
        !stored.contains("script") && !stored.contains("onclick"),
        "{stored}"
    );

    let notes = world.sandbox().notes(&world.conversation);
    assert_eq!((notes.len(), notes[0].body.as_str()), (1, stored));
    world
        .sandbox()
        .teammate_note(&world.conversation, TEAMMATE, "by hand")
        .unwrap();
    let path = format!("/conversations/{}?display_as=plaintext", world.conversation);
    let (_, plain) = world.call("GET", &path, Value::Null).await;
    let parts = plain["conversation_parts"]["conversation_parts"]
        .as_array()
        .unwrap();
    assert_eq!(
        parts[0]["body"],
        "Ann moved ENG-1 (https://jira.example.com/browse/ENG-1#bw-1a2b)"
    );
    assert_eq!(
        (&parts[1]["body"], &parts[1]["app_package_code"]),
        (&json!("by hand"), &Value::Null)
    );
}

#[tokio::test]
async fn bad_replies_and_changes_are_refused() {
    let world = World::new().await;
    let (reply, parts) = (world.reply_path(), world.parts_path());
    let with = |path: &str, changes: Value| {
        let mut body = note("<p>x</p>");
        if path.ends_with("/parts") {
            body = json!({ "message_type": "open", "admin_id": APP });
        }
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        (path.to_owned(), body)
    };
    for ((path, body), status, expected) in [
        (
            with(&reply, json!({ "body": null })),
            400,
            "parameter_not_found",
        ),
        (
            with(&reply, json!({ "body": "<p> </p>" })),
            400,
            "parameter_not_found",
        ),
        (
            with(&reply, json!({ "message_type": null })),
            400,
            "parameter_not_found",
        ),
        (
            with(&reply, json!({ "message_type": "shout" })),
            400,
            "parameter_invalid",
        ),
        (
            with(&reply, json!({ "type": "bot" })),
            400,
            "parameter_invalid",
        ),
        (
            with(&reply, json!({ "admin_id": null })),
            400,
            "parameter_not_found",
        ),
        (
            with(&reply, json!({ "admin_id": "5" })),
            404,
            "admin_not_found",
        ),
        (with("/conversations/77/reply", json!({})), 404, "not_found"),
        (
            with(&reply, json!({ "attachment_urls": "x" })),
            400,
            "parameter_invalid",
        ),
        (
            with(
                &reply,
                json!({ "attachment_files": [{ "name": "a", "data": "?" }] }),
            ),
            400,
            "parameter_invalid",
        ),
        (
            with(&parts, json!({ "message_type": "reopen" })),
            400,
            "parameter_invalid",
        ),
        (
            with(&parts, json!({ "admin_id": "5" })),
            404,
            "admin_not_found",
        ),
        (
            with(&parts, json!({ "message_type": "snoozed" })),
            400,
            "parameter_not_found",
        ),
        (
            with(
                &parts,
                json!({ "message_type": "snoozed", "snoozed_until": 5 }),
            ),
            400,
            "parameter_invalid",
        ),
        (
            with(&parts, json!({ "message_type": "assignment" })),
            400,
            "parameter_not_found",
        ),
        (
            with(
                &parts,
                json!({ "message_type": "assignment", "assignee_id": "5" }),
            ),
            404,
            "assignee_not_found",
        ),
        (with("/conversations/77/parts", json!({})), 404, "not_found"),
    ] {
        let (got, answer) = world.call("POST", &path, body.clone()).await;
        assert_eq!(
            (got, code(&answer)),
            (status, expected),
            "{path} {body}: {answer}"
        );
    }
    assert_eq!(world.part_types(), Vec::<String>::new(), "nothing was done");
    let numeric =
        json!({ "message_type": "note", "type": "admin", "admin_id": 991_267_459, "body": "x" });
    assert_eq!(
        world.call("POST", &reply, numeric).await.0,
        200,
        "numbers are ids too"
    );
}

#[tokio::test]
async fn states_follow_what_happens() {
    let world = World::new().await;
    let sandbox = world.sandbox();
    let now = jiff::Timestamp::now().as_second();
    let (reply, parts) = (world.reply_path(), world.parts_path());
    let manage = |kind: &str, more: Value| {
        let mut body = json!({ "message_type": kind, "admin_id": APP });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let until = now + 3_600;
    let snooze = manage("snoozed", json!({ "snoozed_until": until }));
    for (name, path, body, state, newest) in [
        ("snooze", &parts, snooze.clone(), "snoozed", "snoozed"),
        ("a note wakes", &reply, note("x"), "open", "unsnoozed"),
        (
            "close",
            &parts,
            manage("close", json!({ "type": "admin" })),
            "closed",
            "close",
        ),
        ("a note leaves closed", &reply, note("y"), "closed", "note"),
        ("reopen", &parts, manage("open", json!({})), "open", "open"),
        (
            "open again: nothing",
            &parts,
            manage("open", json!({})),
            "open",
            "open",
        ),
        ("snooze again", &parts, snooze, "snoozed", "snoozed"),
        (
            "open a snoozed one",
            &parts,
            manage("open", json!({})),
            "open",
            "open",
        ),
        (
            "assign",
            &parts,
            manage("assignment", json!({ "assignee_id": TEAMMATE })),
            "open",
            "assignment",
        ),
        (
            "close with words",
            &parts,
            manage("close", json!({ "body": "Goodbye" })),
            "closed",
            "close",
        ),
        (
            "assign reopens",
            &parts,
            manage("assignment", json!({ "assignee_id": APP })),
            "open",
            "assign_and_reopen",
        ),
        (
            "nobody",
            &parts,
            manage("assignment", json!({ "assignee_id": "0" })),
            "open",
            "assignment",
        ),
    ] {
        let (status, body) = world.call("POST", path, body).await;
        assert_eq!(
            (status, body["state"].as_str()),
            (200, Some(state)),
            "{name}: {body}"
        );
        assert_eq!(body["open"], state != "closed", "{name}");
        assert_eq!(
            body["snoozed_until"],
            if state == "snoozed" {
                json!(until)
            } else {
                Value::Null
            },
            "{name}"
        );
        assert_eq!(
            world.part_types().last().map(String::as_str),
            Some(newest),
            "{name}"
        );
    }
    assert_eq!(
        sandbox.conversation(&world.conversation).unwrap()["admin_assignee_id"],
        0
    );
    assert_eq!(
        world
            .part_types()
            .iter()
            .filter(|kind| *kind == "open")
            .count(),
        2
    );

    sandbox.close(&world.conversation, TEAMMATE).unwrap();
    sandbox
        .customer_reply(&world.conversation, "still broken")
        .unwrap();
    assert_eq!(
        sandbox.state(&world.conversation),
        Some(ConversationState::Open)
    );
    assert_eq!(world.part_types().last().map(String::as_str), Some("open"));

    // Only Preview can leave it asleep, and time wakes it.
    sandbox
        .snooze(&world.conversation, TEAMMATE, now + 600)
        .unwrap();
    let mut quiet = note("z");
    quiet["skip_unsnooze"] = json!(true);
    let mut preview = world
        .authorised("POST", &reply)
        .json(&quiet)
        .build()
        .unwrap();
    preview
        .headers_mut()
        .insert("intercom-version", "Preview".parse().unwrap());
    assert_eq!(world.client.execute(preview).await.unwrap().status(), 200);
    assert_eq!(
        sandbox.state(&world.conversation),
        Some(ConversationState::Snoozed)
    );
    sandbox.advance_clock(601_000);
    assert_eq!(
        sandbox.state(&world.conversation),
        Some(ConversationState::Open)
    );
}

#[tokio::test]
async fn only_the_newest_500_parts_are_shown() {
    let world = World::new().await;
    for number in 0..503 {
        world
            .sandbox()
            .teammate_note(&world.conversation, TEAMMATE, &format!("n{number}"))
            .unwrap();
    }
    let path = format!("/conversations/{}", world.conversation);
    let (_, body) = world.call("GET", &path, Value::Null).await;
    let parts = body["conversation_parts"]["conversation_parts"]
        .as_array()
        .unwrap();
    assert_eq!(
        (parts.len(), &body["conversation_parts"]["total_count"]),
        (500, &json!(503))
    );
    assert_eq!(
        (&parts[0]["body"], &parts[499]["body"]),
        (&json!("<p>n3</p>"), &json!("<p>n502</p>"))
    );
}
