//! The simulated Jira's REST and pages.

use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::jira::{
    BOT_TOKEN, Body, Config, Handle, Limits, NewComment, Sandbox, UserConfig, start,
};
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

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }
}

fn adf(text: &str) -> Value {
    json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": text }] }] })
}

fn new_issue(fields: Value) -> Value {
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

#[tokio::test]
async fn both_versions_show_one_text_in_their_form() {
    let site = Site::cloud().await;
    let made = site
        .call(
            "POST",
            "/rest/api/2/issue",
            new_issue(json!({ "description": "a *b*" })),
        )
        .await;
    let key = made.body["key"].as_str().unwrap().to_owned();
    assert_eq!(made.status, 201);
    assert_eq!(
        site.get(&format!("/rest/api/2/issue/{key}")).await["fields"]["description"],
        "a *b*"
    );
    let as_adf =
        site.get(&format!("/rest/api/3/issue/{key}")).await["fields"]["description"].clone();
    assert_eq!(
        as_adf["content"][0]["content"][1]["marks"][0]["type"], "strong",
        "{as_adf}"
    );
    let document = adf("exactly this");
    let comment = site
        .call(
            "POST",
            &format!("/rest/api/3/issue/{key}/comment"),
            json!({ "body": document }),
        )
        .await;
    assert_eq!((comment.status, &comment.body["body"]), (201, &document));
    let id = comment.body["id"].as_str().unwrap();
    assert_eq!(
        site.get(&format!("/rest/api/2/issue/{key}/comment/{id}"))
            .await["body"],
        "exactly this"
    );
    let stamp = comment.body["created"].as_str().unwrap();
    assert!(stamp.ends_with("+0200") && stamp.len() == 28, "{stamp}");
    let typed = site
        .site()
        .acting("lena")
        .create("ENG", "t", Body::typed("see https://example.com/1"))
        .unwrap();
    let shown = site
        .get(&format!("/rest/api/3/issue/{typed}?fields=description"))
        .await;
    assert_eq!(
        shown["fields"]["description"]["content"][0]["content"][1]["type"], "inlineCard",
        "{shown}"
    );
    assert_eq!(shown["fields"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn properties_and_remote_links_are_upserted() {
    let site = Site::cloud().await;
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "One", "text")
        .unwrap();
    let property = format!("/rest/api/3/issue/{key}/properties/p");
    let link = format!("/rest/api/3/issue/{key}/remotelink");
    let object = |title: &str| json!({ "globalId": "g", "relationship": "r", "object": { "url": "https://example.com", "title": title } });
    for (method, path, body, status) in [
        ("GET", &property, Value::Null, 404),
        ("PUT", &property, json!([1]), 201),
        ("PUT", &property, json!({ "a": 1 }), 200),
        ("GET", &property, Value::Null, 200),
        ("DELETE", &property, Value::Null, 204),
        ("DELETE", &property, Value::Null, 404),
        ("PUT", &property, json!("x".repeat(33_000)), 400),
        ("POST", &link, object("one"), 201),
        (
            "POST",
            &link,
            json!({ "globalId": "g", "object": { "url": "https://example.com", "title": "two" } }),
            200,
        ),
        ("GET", &format!("{link}?globalId=g"), Value::Null, 200),
        ("GET", &format!("{link}?globalId=h"), Value::Null, 404),
    ] {
        let answer = site.call(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let links = site.site().remote_links(&key);
    assert_eq!(
        (links.len(), links[0].title(), &links[0].relationship),
        (1, "two", &None),
        "what is not given is gone"
    );
    let history = site
        .get(&format!("/rest/api/3/issue/{key}/changelog"))
        .await;
    assert_eq!(history["values"][0]["items"][0]["field"], "RemoteIssueLink");
    assert_eq!(
        site.call("DELETE", &format!("{link}?globalId=g"), Value::Null)
            .await
            .status,
        204
    );
    assert!(site.site().remote_links(&key).is_empty());
    let with =
        json!({ "properties": [{ "key": "marker", "value": { "effect": 1 } }], "body": adf("x") });
    let comment = site
        .call("POST", &format!("/rest/api/3/issue/{key}/comment"), with)
        .await
        .body;
    let marker = format!(
        "/rest/api/3/comment/{}/properties/marker",
        comment["id"].as_str().unwrap()
    );
    assert_eq!(site.get(&marker).await["value"]["effect"], 1);
}

#[tokio::test]
async fn former_keys_lead_to_the_issue() {
    let site = Site::cloud().await;
    let (lena, priya) = (site.site().acting("lena"), site.site().acting("priya"));
    let old = lena.create("ENG", "Wanders", "text").unwrap();
    let id = site.site().issue(&old).unwrap().id.to_string();
    let new = lena.move_to(&old, "OPS").unwrap();
    priya.rename_project("OPS", "RUN").unwrap();
    let newest = new.replace("OPS", "RUN");
    for key in [&old, &new, &newest, &id] {
        let shown = site
            .get(&format!("/rest/api/3/issue/{key}?fields=project"))
            .await;
        assert_eq!(
            (&shown["id"], &shown["key"]),
            (&json!(id), &json!(newest)),
            "{key}"
        );
    }
    let history = site.get(&format!("/rest/api/3/issue/{id}/changelog")).await;
    let items: Vec<(&str, &str)> = history["values"][0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["field"].as_str().unwrap(),
                item["toString"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(items, [("project", "Operations"), ("Key", new.as_str())]);
    let found = site
        .get(&format!(
            "/rest/api/3/search/jql?jql=key={old}&fields=summary"
        ))
        .await;
    assert_eq!(found["issues"][0]["key"], json!(newest));
    lena.delete(&id).unwrap();
    for key in [&old, &newest, &id] {
        assert_eq!(
            site.call("GET", &format!("/rest/api/3/issue/{key}"), Value::Null)
                .await
                .status,
            404
        );
    }
}

/// Keys or ids on all pages of a search.
async fn pages(site: &Site, jql: &str, size: usize) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut asked = json!({ "jql": jql, "maxResults": size, "fields": ["summary"] });
        if !token.is_null() {
            asked["nextPageToken"] = token;
        }
        let page = site.call("POST", "/rest/api/3/search/jql", asked).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let keys = page.body["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["key"].as_str().unwrap().to_owned());
        pages.push(keys.collect());
        if page.body["isLast"] == true {
            assert!(
                page.body.get("nextPageToken").is_none(),
                "the last page has no token"
            );
            return pages;
        }
        token = page.body["nextPageToken"].clone();
        assert!(token.is_string() && pages.len() < 100);
    }
}

#[tokio::test]
async fn search_pages_by_token() {
    let site = Site::cloud().await;
    let lena = site.site().acting("lena");
    let keys: Vec<String> = (0..10)
        .map(|n| lena.create("ENG", &format!("n{n}"), "x").unwrap())
        .collect();
    let query = "project = ENG ORDER BY key ASC";
    assert_eq!(pages(&site, query, 4).await.concat(), keys);
    site.site()
        .switch(|switches| switches.short_pages = Some(3));
    let short = pages(&site, query, 100).await;
    assert_eq!(
        (short.len(), short.concat()),
        (4, keys.clone()),
        "pages may be shorter than asked"
    );
    site.site().switch(|switches| switches.short_pages = None);

    // An issue that moves to the end between two pages pushes no other issue out of sight.
    let by_id = "project = ENG ORDER BY id ASC";
    let first = site
        .call(
            "POST",
            "/rest/api/3/search/jql",
            json!({ "jql": by_id, "maxResults": 5 }),
        )
        .await
        .body;
    assert_eq!(
        first["issues"][0],
        json!({ "id": site.site().issue(&keys[0]).unwrap().id.to_string() }),
        "only ids by default"
    );
    lena.delete(&keys[0]).unwrap();
    let token = first["nextPageToken"].clone();
    let rest = site
        .call(
            "POST",
            "/rest/api/3/search/jql",
            json!({ "jql": by_id, "nextPageToken": token }),
        )
        .await
        .body;
    assert_eq!(rest["issues"].as_array().unwrap().len(), 5);
    let other = json!({ "jql": "project = OPS", "nextPageToken": first["nextPageToken"] });
    assert_eq!(
        site.call("POST", "/rest/api/3/search/jql", other)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn search_understands_the_query_language() {
    let site = Site::cloud().await;
    let (lena, priya) = (site.site().acting("lena"), site.site().acting("priya"));
    let one = lena
        .create(
            "ENG",
            "Login page broken",
            "see https://app.intercom.com/a/apps/x",
        )
        .unwrap();
    let two = lena.create("OPS", "Disk full", "y").unwrap();
    priya.create("HR", "Login of the chief", "z").unwrap();
    lena.assign(&one, Some("omar")).unwrap();
    lena.transition(&two, "Done", None).unwrap();
    let (both, none) = (vec![one.clone(), two.clone()], Vec::new());
    let one_only = vec![one.clone()];
    let two_only = vec![two.clone()];
    for (jql, expected) in [
        ("project in (ENG, OPS)", &both),
        ("project = Eng or project = OPS", &none),
        ("statusCategory = Done", &two_only),
        ("statusCategory != Done and project = ENG", &one_only),
        (
            "status in (\"To Do\", \"In Progress\") and updated >= -5m",
            &one_only,
        ),
        ("assignee is not empty", &one_only),
        ("assignee is EMPTY and project in (ENG, OPS)", &two_only),
        (
            "assignee != currentUser() and project in (ENG, OPS)",
            &one_only,
        ),
        ("text ~ \"app.intercom.com\"", &one_only),
        ("summary ~ login", &one_only),
        (
            "updated >= \"2020/01/01 00:00\" and project = ENG",
            &one_only,
        ),
        ("updated < \"2020-01-01\"", &none),
        ("not (project = ENG) and created >= -1h", &two_only),
        (&format!("key in ({one}, ENG-999)"), &one_only),
        (
            &format!("id = {}", site.site().issue(&two).unwrap().id),
            &two_only,
        ),
    ] {
        let answer = site
            .call(
                "POST",
                "/rest/api/3/search/jql",
                json!({ "jql": jql, "fields": ["key"] }),
            )
            .await;
        if jql.contains("Eng or") {
            assert_eq!(answer.status, 400, "project names are keys here");
            continue;
        }
        let mut keys: Vec<String> = answer.body["issues"]
            .as_array()
            .unwrap_or_else(|| panic!("{jql}: {}", answer.body))
            .iter()
            .map(|i| i["key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        assert_eq!(&keys, expected, "{jql}");
    }
    for (jql, words) in [
        ("nonsense = 1", "Field 'nonsense' does not exist"),
        ("project = HR", ""),
        ("project = NOPE", "does not exist for the field 'project'"),
        (
            "key = ENG-999",
            "An issue with key 'ENG-999' does not exist",
        ),
        ("project =", "Error in the JQL Query"),
        ("order by created", "Unbounded JQL"),
        ("updated > tomorrow", "is invalid"),
    ] {
        let answer = site
            .call("POST", "/rest/api/3/search/jql", json!({ "jql": jql }))
            .await;
        if words.is_empty() {
            assert_eq!(
                answer.body["issues"],
                json!([]),
                "{jql}: hidden issues are not found"
            );
        } else {
            let text = answer.body["errorMessages"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                answer.status == 400 && text.contains(words),
                "{jql}: {} {text}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn search_lags_behind_but_reads_do_not() {
    let site = Site::cloud().await;
    let lena = site.site().acting("lena");
    let before = lena.create("ENG", "Before", "x").unwrap();
    site.site().set_search_lag(60_000);
    let after = lena.create("ENG", "After", "x").unwrap();
    lena.transition(&before, "Done", None).unwrap();
    let search = |jql: &str| json!({ "jql": jql, "fields": ["status"] });
    let path = "/rest/api/3/search/jql";
    let stale = site
        .call(
            "POST",
            path,
            search("project = ENG AND statusCategory = new"),
        )
        .await
        .body;
    assert_eq!(stale["issues"].as_array().unwrap().len(), 1, "{stale}");
    assert_eq!(stale["issues"][0]["key"], json!(before));
    assert_eq!(
        site.get(&format!("/rest/api/3/issue/{after}")).await["key"],
        json!(after)
    );
    let mut fresh = search("project = ENG AND statusCategory = done");
    fresh["reconcileIssues"] = json!([site.site().issue(&before).unwrap().id]);
    assert_eq!(
        site.call("POST", path, fresh).await.body["issues"][0]["key"],
        json!(before)
    );
}

#[tokio::test]
async fn limits_are_answered_with_what_to_wait_for() {
    let limits = Limits {
        get_issue_per_second: 5,
        ..Limits::default()
    };
    let site = Site::with(Config {
        limits: Some(limits),
        ..Config::cloud()
    })
    .await;
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "Busy", "x")
        .unwrap();
    let path = format!("/rest/api/3/issue/{key}");
    let mut refused = Vec::new();
    for n in 0..25 {
        let answer = site
            .call("PUT", &format!("{path}/properties/p"), json!(n))
            .await;
        if answer.status == 429 {
            refused.push(answer);
        }
    }
    assert_eq!(refused.len(), 5, "20 writes to one issue in two seconds");
    let header = |name: &str| refused[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("ratelimit-reason"), "jira-per-issue-on-write");
    assert!(header("retry-after").parse::<u64>().unwrap() <= 2);
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(site.call("GET", &path, Value::Null).await.status);
    }
    assert!(
        statuses.starts_with(&[200; 5]) && statuses.contains(&429),
        "{statuses:?}"
    );
    site.site().set_limits(None);
    assert_eq!(site.call("GET", &path, Value::Null).await.status, 200);
}

#[tokio::test]
async fn data_center_differs() {
    let site = Site::data_center().await;
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "One", "text")
        .unwrap();
    let me = site.get("/rest/api/2/myself").await;
    assert!(
        me.get("accountId").is_none()
            && me["name"] == "bowline-bot"
            && me["key"] == "JIRAUSER10100",
        "{me}"
    );
    assert_eq!(
        site.get("/rest/api/2/serverInfo").await["deploymentType"],
        "Server"
    );
    let found = site
        .get("/rest/api/2/search?jql=project%20%3D%20ENG&maxResults=1")
        .await;
    assert_eq!(
        (&found["total"], &found["issues"][0]["key"]),
        (&json!(1), &json!(key))
    );
    assert_eq!(found["issues"][0]["fields"]["description"], "text");
    let link = json!({ "globalId": "g", "object": { "url": "https://example.com", "title": "t" } });
    for (method, path, body, status) in [
        ("GET", "/rest/api/3/myself".to_owned(), Value::Null, 404),
        (
            "GET",
            "/rest/api/2/search/jql?jql=project=ENG".to_owned(),
            Value::Null,
            404,
        ),
        (
            "GET",
            "/rest/webhooks/1.0/webhook".to_owned(),
            Value::Null,
            404,
        ),
        (
            "POST",
            format!("/rest/api/2/issue/{key}/remotelink"),
            link,
            200,
        ),
        (
            "POST",
            format!("/rest/api/2/issue/{key}/transitions"),
            json!({ "transition": { "id": "999" } }),
            500,
        ),
        (
            "PUT",
            format!("/rest/api/2/issue/{key}/assignee"),
            json!({ "name": "lena" }),
            204,
        ),
        (
            "POST",
            format!("/rest/api/2/issue/{key}/comment"),
            json!({ "body": "plain" }),
            201,
        ),
    ] {
        let answer = site.call(method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let basic = site
        .request(Method::GET, "/rest/api/2/myself")
        .basic_auth("bowline-bot@example.com", Some(BOT_TOKEN));
    assert_eq!(
        Site::answer(basic).await.status,
        401,
        "basic authentication is off"
    );
}

#[tokio::test]
async fn people_work_on_pages() {
    let site = Site::cloud().await;
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = site
            .request(Method::POST, path)
            .header("cookie", "acting=omar")
            .form(form);
        let answer = Site::answer(request).await;
        (
            answer.status,
            answer
                .headers
                .get("location")
                .map(|to| to.to_str().unwrap().to_owned()),
        )
    };
    let to = |path: &str| (303, Some(path.to_owned()));
    let address = "https://app.intercom.com/a/apps/abc123/conversations/77";
    let form = [
        ("project", "ENG"),
        ("summary", "<b>Pasted"),
        ("description", address),
    ];
    assert_eq!(post("/create", &form).await, to("/browse/ENG-1"));
    let issue = site.site().issue("ENG-1").unwrap();
    assert_eq!(issue.creator.name, "omar");
    assert!(
        issue
            .description
            .unwrap()
            .as_adf()
            .to_string()
            .contains("inlineCard")
    );
    for (path, form, expected) in [
        (
            "/browse/ENG-1/comment",
            vec![("text", "Hello")],
            "/browse/ENG-1",
        ),
        (
            "/browse/ENG-1/comment",
            vec![("text", "Quiet"), ("audience", "developers")],
            "/browse/ENG-1",
        ),
        (
            "/browse/ENG-1/assign",
            vec![("user", "lena")],
            "/browse/ENG-1",
        ),
        (
            "/browse/ENG-1/status",
            vec![("status", "Done"), ("comment", "ready")],
            "/browse/ENG-1",
        ),
        (
            "/browse/ENG-1/edit",
            vec![("summary", "Renamed"), ("description", "other")],
            "/browse/ENG-1",
        ),
        (
            "/browse/ENG-1/move",
            vec![("project", "OPS")],
            "/browse/OPS-1",
        ),
    ] {
        assert_eq!(post(path, &form).await, to(expected), "{path}");
    }
    let issue = site.site().issue("ENG-1").unwrap();
    assert_eq!(
        (
            issue.summary.as_str(),
            issue.status.name,
            issue.comments.len()
        ),
        ("Renamed", "Done", 3)
    );
    let (first, _) = issue.comments.first_key_value().unwrap();
    assert_eq!(
        post(
            &format!("/browse/OPS-1/comment/{first}/edit"),
            &[("text", "Changed")]
        )
        .await
        .0,
        303
    );
    let page = site
        .request(Method::GET, "/browse/OPS-1")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for shown in ["Renamed", "Changed", "was ENG-1", "only Developers"] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
    assert!(!page.contains("<b>Pasted"), "input is escaped");
    assert_eq!(
        post(&format!("/browse/OPS-1/comment/{first}/delete"), &[])
            .await
            .0,
        303
    );
    assert_eq!(
        post("/browse/OPS-1/comment", &[("text", "  ")]).await.0,
        400
    );
    assert_eq!(post("/browse/OPS-1/delete", &[]).await, to("/"));
    assert_eq!(post("/browse/OPS-1/delete", &[]).await.0, 404);
    assert!(
        site.site().journal().entries().is_empty(),
        "pages are no REST calls"
    );
}
