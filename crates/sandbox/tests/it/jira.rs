//! The simulated Jira: a running site for the tests, who may do what, and what is refused.

use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::jira::{BOT_TOKEN, Config, Handle, NewComment, Sandbox, UserConfig, start};
use reqwest::Method;
use serde_json::{Value, json};

/// A running site and a client that speaks as the bot.
pub(crate) struct Site {
    pub(crate) handle: Handle,
    client: reqwest::Client,
    cloud: bool,
}

/// An answer: status, headers and JSON body (null if it is none).
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Site {
    pub(crate) async fn cloud() -> Self {
        Self::with(Config::cloud()).await
    }

    pub(crate) async fn data_center() -> Self {
        Self::with(Config::data_center()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let cloud = config.deployment == bowline_sandbox::jira::Deployment::Cloud;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let handle = start(config, addr, Neighbours::new()).await.unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            handle,
            client,
            cloud,
        }
    }

    pub(crate) fn site(&self) -> &Sandbox {
        &self.handle.state
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.handle.url()))
    }

    pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    /// As the bot.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let bot = if self.cloud { "bowline-bot" } else { "" };
        self.call_as((bot, BOT_TOKEN), method, path, body).await
    }

    /// As somebody: Cloud takes address and token, Data Center the token alone.
    pub(crate) async fn call_as(
        &self,
        who: (&str, &str),
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let request = self.request(method.parse().unwrap(), path);
        let request = if self.cloud {
            request.basic_auth(format!("{}@example.com", who.0), Some(who.1))
        } else {
            request.bearer_auth(who.1)
        };
        Self::answer(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    }

    /// As the administrator.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(("priya", "token-of-priya"), method, path, body)
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }
}

pub(crate) fn adf(text: &str) -> Value {
    json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": text }] }] })
}

pub(crate) fn new_issue(fields: Value) -> Value {
    let mut all =
        json!({ "project": { "key": "ENG" }, "issuetype": { "name": "Task" }, "summary": "s" });
    if let (Value::Object(all), Value::Object(fields)) = (&mut all, fields) {
        all.extend(fields);
    }
    json!({ "fields": all })
}

#[tokio::test]
async fn who_calls_decides_the_answer() {
    let mut config = Config::cloud();
    let scoped = UserConfig {
        scoped_token: true,
        ..UserConfig::person("scoped", "712020:5c", "Scoped")
    };
    config.users.push(scoped);
    let gateway = format!("/ex/jira/{}/rest/api/3/myself", config.cloud_id);
    let site = Site::with(config).await;
    let direct = "/rest/api/3/myself";
    let (bot, wrong) = (("bowline-bot", BOT_TOKEN), ("bowline-bot", "wrong"));
    let scoped = ("scoped", "token-of-scoped");
    for (name, who, path, expected) in [
        ("right", bot, direct, 200),
        ("wrong token", wrong, direct, 401),
        ("somebody else's address", ("lena", BOT_TOKEN), direct, 401),
        ("classic token at the gateway", bot, gateway.as_str(), 401),
        ("scoped token at the site", scoped, direct, 401),
        ("scoped token at the gateway", scoped, gateway.as_str(), 200),
        (
            "wrong token, open to all",
            wrong,
            "/rest/api/3/serverInfo",
            200,
        ),
        (
            "wrong token in a search",
            wrong,
            "/rest/api/3/search/jql?jql=project=ENG",
            401,
        ),
    ] {
        assert_eq!(
            site.call_as(who, "GET", path, Value::Null).await.status,
            expected,
            "{name}"
        );
    }
    site.site()
        .switch(|switches| switches.anonymous_search = true);
    let lenient = site
        .call_as(
            wrong,
            "GET",
            "/rest/api/3/search/jql?jql=project=ENG",
            Value::Null,
        )
        .await;
    assert_eq!(
        (lenient.status, lenient.body),
        (200, json!({ "issues": [], "isLast": true }))
    );
    site.site().set_token("bowline-bot", Some("new"));
    assert_eq!(site.call("GET", direct, Value::Null).await.status, 401);
    assert_eq!(
        site.call_as(("bowline-bot", "new"), "GET", direct, Value::Null)
            .await
            .status,
        200
    );
    let open = Site::answer(site.request(Method::GET, "/_edge/tenant_info")).await;
    assert!(open.body["cloudId"].is_string());
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_jiras_words() {
    let site = Site::cloud().await;
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "One", "text")
        .unwrap();
    let issue = format!("/rest/api/3/issue/{key}");
    let comment = format!("{issue}/comment");
    let create = "/rest/api/3/issue";
    let bad_adf =
        json!({ "type": "doc", "version": 1, "content": [{ "type": "text", "text": "" }] });
    for (method, path, body, status, words) in [
        (
            "POST",
            create,
            new_issue(json!({ "description": "text" })),
            400,
            "Atlassian Document Format",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "description": bad_adf })),
            400,
            "INVALID_INPUT",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "summary": " " })),
            400,
            "You must specify a summary",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "summary": "x".repeat(256) })),
            400,
            "255",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "labels": ["a b"] })),
            400,
            "contains spaces",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "nonsense": 1 })),
            400,
            "appropriate screen",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "project": { "key": "HR" } })),
            400,
            "valid project",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "assignee": { "name": "lena" } })),
            400,
            "accountId",
        ),
        (
            "POST",
            create,
            new_issue(json!({ "description": adf(&"x".repeat(32_768)) })),
            400,
            "too long",
        ),
        (
            "POST",
            &comment,
            json!({ "body": "text" }),
            400,
            "Comment body is not valid!",
        ),
        ("POST", &comment, json!({}), 400, "can not be empty"),
        (
            "POST",
            &comment,
            json!({ "body": adf("x"), "visibility": { "type": "role", "value": "Administrators" } }),
            400,
            "not a member",
        ),
        (
            "PUT",
            &issue,
            json!({ "fields": { "project": { "key": "OPS" } } }),
            400,
            "appropriate screen",
        ),
        (
            "POST",
            &format!("{issue}/transitions"),
            json!({ "transition": { "id": "999" } }),
            400,
            "is not valid for this issue",
        ),
        (
            "GET",
            "/rest/api/3/issue/ENG-999",
            Value::Null,
            404,
            "do not have permission to see it",
        ),
        (
            "GET",
            "/rest/api/3/nonsense",
            Value::Null,
            404,
            "null for uri",
        ),
        ("GET", "/rest/nonsense", Value::Null, 404, "null for uri"),
        ("PATCH", &issue, json!({}), 405, "405"),
        (
            "GET",
            "/rest/api/3/search?jql=project=ENG",
            Value::Null,
            410,
            "search/jql",
        ),
        (
            "POST",
            "/rest/api/3/webhook",
            json!({}),
            403,
            "Only Connect and OAuth 2.0 apps",
        ),
        (
            "GET",
            "/rest/webhooks/1.0/webhook",
            Value::Null,
            403,
            "administer webhooks",
        ),
        (
            "PUT",
            &format!("{issue}?notifyUsers=false"),
            json!({ "fields": { "summary": "x" } }),
            400,
            "notification",
        ),
        (
            "POST",
            &format!("{issue}/remotelink"),
            json!({ "object": { "url": "https://example.com" } }),
            400,
            "title",
        ),
    ] {
        let answer = site.call(method, path, body).await;
        let text = answer.body.to_string();
        assert!(
            answer.status == status && text.contains(words),
            "{method} {path}: {} {text}",
            answer.status
        );
    }
    let raw = site
        .request(Method::POST, create)
        .basic_auth("bowline-bot@example.com", Some(BOT_TOKEN));
    let no_type = Site::answer(raw.try_clone().unwrap().body("{}")).await;
    assert_eq!(no_type.status, 415);
    let no_json = Site::answer(raw.header("content-type", "application/json").body("{")).await;
    assert_eq!(no_json.status, 400);
    assert_eq!(
        site.site().issue_count(),
        1,
        "a refused call must do nothing"
    );
}

#[tokio::test]
async fn rights_and_hiding() {
    let site = Site::cloud().await;
    let (lena, priya) = (site.site().acting("lena"), site.site().acting("priya"));
    let key = lena.create("ENG", "Ours", "text").unwrap();
    let theirs = lena.comment(&key, "by Lena").unwrap();
    let secret = priya
        .comment_with(&key, NewComment::restricted("secret", "Administrators"))
        .unwrap();
    let open = format!("/rest/api/3/issue/{key}/comment");
    let edited = site
        .call(
            "PUT",
            &format!("{open}/{theirs}"),
            json!({ "body": adf("x") }),
        )
        .await;
    assert_eq!(
        edited.status, 400,
        "editing without the right is 400, not 403"
    );
    assert_eq!(
        site.call("GET", &format!("{open}/{secret}"), Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(site.get(&open).await["total"], 1);
    assert_eq!(site.admin("GET", &open, Value::Null).await.body["total"], 2);

    let hr = priya.create("HR", "Hidden", "text").unwrap();
    let hidden = format!("/rest/api/3/issue/{hr}");
    assert_eq!(site.call("GET", &hidden, Value::Null).await.status, 404);
    assert_eq!(site.admin("GET", &hidden, Value::Null).await.status, 200);

    let path = format!("/rest/api/3/issue/{key}");
    lena.secure(&key, Some(10_100)).unwrap();
    assert_eq!(
        site.get(&path).await["fields"]["security"]["name"],
        "Staff only"
    );
    lena.secure(&key, Some(10_101)).unwrap();
    assert_eq!(site.call("GET", &path, Value::Null).await.status, 404);
    priya.secure(&key, None).unwrap();

    site.site()
        .set_permission("bowline-bot", "LINK_ISSUES", false);
    let link = json!({ "object": { "url": "https://example.com", "title": "t" } });
    assert_eq!(
        site.call("POST", &format!("{path}/remotelink"), link)
            .await
            .status,
        403
    );
    let rights = site
        .get("/rest/api/3/mypermissions?permissions=LINK_ISSUES,ADD_COMMENTS")
        .await;
    let have = |name: &str| rights["permissions"][name]["havePermission"].clone();
    assert_eq!(
        (have("LINK_ISSUES"), have("ADD_COMMENTS")),
        (json!(false), json!(true))
    );
}
