//! Connections and projects by the API alone: from nothing to the first note, broken, mended,
//! parted, joined again, removed.

use bowline_sandbox::jira::BOT_TOKEN;
use serde_json::{Value, json};

use crate::api::{Answer, Script};
use crate::configuring::{ALLOWED, bare};
use crate::connections::becomes;
use crate::stage::{On, Stage, on_both};

on_both!(
    from_nothing_to_the_first_note_by_the_api,
    a_connection_that_broke_is_reconnected_and_drained
);

fn site(stage: &Stage) -> Value {
    json!({
        "url": stage.world.sandbox.jira.url(),
        "email": "bowline-bot@example.com",
        "token": BOT_TOKEN,
    })
}

fn workspace(stage: &Stage) -> Value {
    let config = stage.intercom().config();
    json!({
        "access_token": config.access_token,
        "client_secret": config.client_secret,
        "api_url": stage.world.sandbox.intercom.url(),
    })
}

#[track_caller]
fn made(answer: Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

/// Connects both sides and joins ENG; gives the addresses of the three.
async fn installed(stage: &Stage, script: &Script<'_>) -> (String, String, String) {
    let add = async |path: &str, body: Value| made(script.call("POST", path, Some(body), "").await);
    let site = text(&add("/api/v1/sites", site(stage)).await, "name");
    let one = add("/api/v1/workspaces", workspace(stage)).await;
    let workspace = text(&one, "name");
    let body = json!({ "site": site, "project": "eng", "workspace": workspace });
    let binding = add("/api/v1/bindings", body).await;
    assert_eq!(
        (&binding["project"], &binding["in_use"]),
        (&json!("ENG"), &json!(true))
    );
    (
        format!("/api/v1/sites/{site}"),
        format!("/api/v1/workspaces/{workspace}"),
        format!("/api/v1/bindings/{site}/ENG"),
    )
}

/// No secret is in what the API ever said.
fn holds_no_secret(stage: &Stage, said: &Value) {
    let said = said.to_string();
    let config = stage.intercom().config();
    for secret in [BOT_TOKEN, &config.access_token, &config.client_secret] {
        assert!(!said.contains(secret), "{said}");
    }
}

async fn from_nothing_to_the_first_note_by_the_api(on: On) {
    let stage = bare(on, ALLOWED).await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    assert_eq!(script.get("/api/v1/sites").await.body["items"], json!([]));
    let (site_at, workspace_at, binding_at) = installed(&stage, &script).await;
    becomes(&stage, "site", "connected").await;
    becomes(&stage, "workspace", "connected").await;
    let (issue, conversation) = stage.linked().await;
    assert_eq!(stage.texts(&conversation).len(), 1, "{issue}");

    // The account may: Jira delivers by itself.
    let hook = format!("{site_at}/webhook");
    assert_eq!(
        made(script.call("POST", &hook, None, "").await)["webhook"],
        "kept"
    );
    let tested = made(
        script
            .call("POST", &format!("{site_at}/test"), None, "")
            .await,
    );
    let checks = tested["health"]["checks"].as_array().unwrap().clone();
    let of = |what: &str| checks.iter().find(|check| check["what"] == what);
    assert_eq!(of("the token").unwrap()["state"], "good");
    assert_eq!(of("webhook").unwrap()["state"], "good", "{checks:?}");
    for what in ["project ENG", "clock", "queue", "lag", "token's end"] {
        assert!(of(what).is_some(), "{what} is not among {checks:?}");
    }
    assert_eq!(tested["webhook"]["jql"], "project in (ENG)");
    let projects = script.get(&format!("{site_at}/projects")).await.body;
    let keys: Vec<&Value> = projects["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["key"])
        .collect();
    assert!(keys.contains(&&json!("ENG")), "{keys:?}");

    let tested = made(
        script
            .call("POST", &format!("{workspace_at}/test"), None, "")
            .await,
    );
    assert_eq!(tested["health"]["works"], true);
    let words = tested["health"]["checks"].to_string();
    assert!(words.contains("conversations can be read"), "{words}");
    for path in [&site_at, &workspace_at, &binding_at] {
        let read = script.get(path).await;
        assert_eq!(read.status, 200);
        holds_no_secret(&stage, &read.body);
    }

    // Another teammate writes from now on.
    let teammates = script.get(&format!("{workspace_at}/teammates")).await.body;
    let other = stage.teammate();
    assert!(teammates.to_string().contains(&other));
    let path = format!("{workspace_at}/app-user");
    let body = |id: &str| json!({ "version": tested["version"], "app_user": id });
    let nobody = script.call("POST", &path, Some(body("1")), "").await;
    assert_eq!(nobody.status, 422, "{}", nobody.body);
    made(script.call("POST", &path, Some(body(&other)), "u-1").await);
    let again = made(script.call("POST", &path, Some(body(&other)), "u-1").await);
    assert_eq!(
        again["app_user"],
        other.as_str(),
        "the same name is made once"
    );
    let late = script.call("POST", &path, Some(body(&other)), "u-2").await;
    assert_eq!(late.status, 409, "{}", late.body);
    stage.lena().comment(&issue, "And more.").unwrap();
    stage.note(&conversation, &["And more."]).await;
    assert_eq!(stage.intercom().notes(&conversation)[1].admin_id, other);
}

async fn a_connection_that_broke_is_reconnected_and_drained(on: On) {
    let stage = bare(on, ALLOWED).await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    let (site_at, workspace_at, binding_at) = installed(&stage, &script).await;
    let (issue, conversation) = stage.linked().await;
    stage.intercom().revoke_token();
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "broken").await;
    stage.lena().comment(&issue, "It waits.").unwrap();
    stage.jira().sender().quiet().await;
    let broken = script.get(&workspace_at).await.body;
    let health = &broken["health"];
    assert_eq!(
        (&health["works"], &health["health"]),
        (&json!(false), &json!("broken"))
    );
    assert!(text(health, "mend").contains("access token"), "{health}");
    assert!(text(health, "meaning").contains("queued"), "{health}");

    stage.intercom().set_token("a-new-token");
    let secret = stage.intercom().config().client_secret.clone();
    let change = |version: &Value, token: &str| json!({ "version": version, "access_token": token, "client_secret": secret });
    let wrong = change(&broken["version"], "a-wrong-token");
    let refused = script.call("PATCH", &workspace_at, Some(wrong), "").await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused.body, "detail").starts_with("access_token: Intercom refuses it."));
    let right = change(&broken["version"], "a-new-token");
    let mended = made(
        script
            .call("PATCH", &workspace_at, Some(right.clone()), "")
            .await,
    );
    holds_no_secret(&stage, &mended);
    assert!(!mended.to_string().contains("a-new-token"));
    let late = script.call("PATCH", &workspace_at, Some(right), "").await;
    assert_eq!(late.status, 409, "{}", late.body);
    stage.note(&conversation, &["It waits."]).await;

    // A project is parted, and joined again with its links.
    let path = format!("{binding_at}/part");
    let version = |value: &Value| json!({ "version": value["version"] });
    let now = script.get(&binding_at).await.body;
    let parted = made(script.call("POST", &path, Some(version(&now)), "").await);
    assert_eq!(parted["in_use"], false);
    let path = format!("{binding_at}/rejoin");
    let joined = made(script.call("POST", &path, Some(version(&parted)), "").await);
    assert_eq!(joined["in_use"], true);
    assert_eq!(
        stage.links(&issue).await,
        std::slice::from_ref(&conversation)
    );

    // What something hangs on is not removed.
    let remove = |at: &str, version: &Value| format!("{at}?version={version}");
    let site = script.get(&site_at).await.body;
    let path = remove(&site_at, &site["version"]);
    let refused = script.call("DELETE", &path, None, "").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let path = remove(&binding_at, &joined["version"]);
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 422);
    let path = format!("{binding_at}/part");
    let parted = made(script.call("POST", &path, Some(version(&joined)), "").await);
    made(
        script
            .call("DELETE", &remove(&binding_at, &parted["version"]), None, "")
            .await,
    );
    made(
        script
            .call("DELETE", &remove(&site_at, &site["version"]), None, "")
            .await,
    );
    assert_eq!(script.get(&site_at).await.status, 404);
    let workspace = script.get(&workspace_at).await.body;
    made(
        script
            .call(
                "DELETE",
                &remove(&workspace_at, &workspace["version"]),
                None,
                "",
            )
            .await,
    );
    assert_eq!(
        script.get("/api/v1/workspaces").await.body["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_new_token_does_not_end_when_the_old_one_did_unless_it_is_said() {
    const END: &str = "2099-01-31";
    let stage = bare(On::Sqlite, ALLOWED).await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    let mut form = site(&stage);
    form["token_ends_on"] = END.into();
    let mut now = made(script.call("POST", "/api/v1/sites", Some(form), "").await);
    let at = format!("/api/v1/sites/{}", text(&now, "name"));
    for (mut change, end) in [
        (json!({ "email": "bowline-bot@example.com" }), json!(END)),
        (json!({ "token": BOT_TOKEN }), Value::Null),
        (json!({ "token_ends_on": END }), json!(END)),
        // Both end on one day: a program that says so means it.
        (
            json!({ "token": BOT_TOKEN, "token_ends_on": END }),
            json!(END),
        ),
    ] {
        change["version"] = now["version"].clone();
        now = made(script.call("PATCH", &at, Some(change.clone()), "").await);
        assert_eq!(now["token_ends_on"], end, "{change}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field_and_who_may_not_is_refused() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let owner = Script::new(&stage, "owner", &["read", "settings"]).await;
    let mut wrong = site(&stage);
    wrong["email"] = json!("nobody");
    let refused = owner.call("POST", "/api/v1/sites", Some(wrong), "").await;
    assert_eq!(refused.status, 422);
    assert!(
        text(&refused.body, "detail").starts_with("email: "),
        "{}",
        refused.body
    );
    for (method, path) in [
        ("GET", "/api/v1/sites/nowhere"),
        ("POST", "/api/v1/sites/nowhere/test"),
        ("POST", "/api/v1/sites/nowhere/webhook"),
        ("GET", "/api/v1/sites/nowhere/projects"),
        ("GET", "/api/v1/workspaces/nowhere"),
        ("GET", "/api/v1/workspaces/nowhere/teammates"),
        ("GET", "/api/v1/bindings/nowhere/ENG"),
    ] {
        assert_eq!(
            owner.call(method, path, None, "").await.status,
            404,
            "{path}"
        );
    }
    // A teammate's consent is given on the page.
    let config = stage.intercom().config();
    let by_consent =
        json!({ "client_id": config.client_id, "client_secret": config.client_secret });
    let begun = made(
        owner
            .call("POST", "/api/v1/workspaces", Some(by_consent), "")
            .await,
    );
    assert_eq!(
        (&begun["in_use"], &begun["health"]),
        (&json!(false), &Value::Null)
    );
    assert!(text(&begun, "not_in_use").contains("consent"), "{begun}");

    let reader = Script::new(&stage, "owner", &["read"]).await;
    let agent = Script::new(&stage, "agent", &["read", "settings"]).await;
    for script in [&reader, &agent] {
        for path in ["/api/v1/sites", "/api/v1/workspaces", "/api/v1/bindings"] {
            let answer = script.call("POST", path, Some(json!({})), "").await;
            assert_eq!(answer.status, 403, "{path}");
        }
    }
}

#[tokio::test]
async fn what_the_file_declares_is_changed_there() {
    let stage = Stage::cloud().await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    let declared = script.get("/api/v1/sites/acme-jira").await.body;
    assert_eq!(
        (&declared["declared"], &declared["version"]),
        (&json!(true), &Value::Null)
    );
    let body = json!({ "version": 1, "token": "x", "url": "https://jira.example.com" });
    let refused = script
        .call("PATCH", "/api/v1/sites/acme-jira", Some(body), "")
        .await;
    assert_eq!(refused.status, 404, "{}", refused.body);
}
