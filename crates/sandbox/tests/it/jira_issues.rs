//! The simulated Jira's issues: texts, properties, links, keys, Data Center, and the pages.

use bowline_sandbox::jira::{BOT_TOKEN, Body};
use reqwest::Method;
use serde_json::{Value, json};

use crate::jira::{Site, adf, new_issue};

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
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = site
            .request(Method::POST, path)
            .header("cookie", "acting=omar")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
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
