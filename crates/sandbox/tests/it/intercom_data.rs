//! Lists, searches, contacts, tags and pages of the simulated Intercom.

use std::collections::HashSet;

use bowline_sandbox::intercom::{Config, NewContact};
use serde_json::{Value, json};

use crate::intercom::{APP, World, code, encoded, form};

/// Follows cursors to the end and returns the ids in order.
async fn all_pages(world: &World, path: &str, query: Option<Value>, list: &str) -> Vec<String> {
    let (mut ids, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let (status, body) = if let Some(query) = &query {
            let mut body = json!({ "query": query, "pagination": { "per_page": 4 } });
            if let Some(cursor) = &cursor {
                body["pagination"]["starting_after"] = json!(cursor);
            }
            world.call("POST", path, body).await
        } else {
            let mut pairs = vec![("per_page", "4")];
            pairs.extend(
                cursor
                    .as_ref()
                    .map(|cursor| ("starting_after", cursor.as_str())),
            );
            let path = format!("{path}?{}", encoded(&pairs));
            world.call("GET", &path, Value::Null).await
        };
        assert_eq!(status, 200, "{body}");
        pages += 1;
        assert_eq!(body["pages"]["page"], pages);
        ids.extend(
            body[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = body["pages"]["next"]["starting_after"].as_str() else {
            assert_eq!(body["pages"]["total_pages"], pages);
            return ids;
        };
        cursor = Some(next.to_owned());
    }
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let world = World::new().await;
    for number in 0..9 {
        let contact = NewContact::user("N", &format!("n{number}@example.com"));
        let contact = world.sandbox().create_contact(contact).unwrap();
        world
            .sandbox()
            .create_conversation(&contact, "hello")
            .unwrap();
    }
    let open = json!({ "operator": "AND", "value": [{ "field": "state", "operator": "=", "value": "open" }] });
    let users = json!({ "field": "role", "operator": "=", "value": "user" });
    for (path, query, list) in [
        ("/conversations", None, "conversations"),
        ("/conversations/search", Some(open), "conversations"),
        ("/contacts", None, "data"),
        ("/contacts/search", Some(users), "data"),
    ] {
        let ids = all_pages(&world, path, query, list).await;
        assert_eq!(ids.len(), 10, "{path}");
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 10, "{path}");
    }
    for (path, status) in [
        ("/contacts?per_page=150", 200),
        ("/contacts?per_page=151", 400),
        ("/contacts?per_page=x", 400),
        ("/contacts?starting_after=nonsense", 400),
    ] {
        assert_eq!(
            world.call("GET", path, Value::Null).await.0,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn searches_find_by_field_and_lag_behind() {
    let lag = Config {
        rate_limit_per_10s: None,
        search_lag_ms: 60_000,
        ..Config::default()
    };
    let world = World::with(lag).await;
    let by = |field: &str, value: Value| json!({ "query": { "field": field, "operator": "=", "value": value } });
    let total = async |path: &str, body: Value| {
        world.call("POST", path, body).await.1["total_count"].clone()
    };
    let email = by("email", json!("GRACE@example.com"));
    assert_eq!(
        total("/contacts/search", email.clone()).await,
        0,
        "not indexed yet"
    );
    world.sandbox().advance_clock(61_000);
    assert_eq!(total("/contacts/search", email).await, 1);
    let mine = by("contact_ids", json!(world.contact));
    assert_eq!(total("/conversations/search", mine).await, 1);
    assert_eq!(
        total("/conversations/search", by("source.body", json!("work"))).await,
        1
    );
    assert_eq!(
        total(
            "/conversations/search",
            by("source.body", json!("not work"))
        )
        .await,
        0
    );
    let (status, body) = world
        .call("POST", "/conversations/search", by("nonsense", json!(1)))
        .await;
    assert_eq!((status, code(&body)), (400, "parameter_invalid"));
}

#[tokio::test]
async fn contacts_live_merge_and_go() {
    let world = World::new().await;
    let new = json!({ "email": "grace@example.com" });
    let (status, body) = world.call("POST", "/contacts", new).await;
    assert_eq!((status, code(&body)), (409, "conflict"));
    assert_eq!(world.call("POST", "/contacts", json!({})).await.0, 400);

    let lead = json!({ "role": "lead", "email": "grace@example.com", "name": "G" });
    let (status, lead) = world.call("POST", "/contacts", lead).await;
    assert_eq!(status, 200, "leads may share an address: {lead}");
    let lead_id = lead["id"].as_str().unwrap().to_owned();
    assert_eq!(lead_id.len(), 24);
    let path = format!("/contacts/{lead_id}");
    let (_, changed) = world
        .call("PUT", &path, json!({ "name": null, "phone": "+1" }))
        .await;
    assert_eq!(
        (&changed["name"], &changed["phone"]),
        (&Value::Null, &json!("+1"))
    );

    let merge = json!({ "from": lead_id, "into": world.contact });
    assert_eq!(world.call("POST", "/contacts/merge", merge).await.0, 200);
    let gone = world.authorised("GET", &path).send().await.unwrap();
    assert_eq!(gone.status(), 410);
    let link = format!("</contacts/{}>; rel=\"canonical\"", world.contact);
    assert_eq!(gone.headers()["link"], link.as_str());
    let mut older = world.authorised("GET", &path).build().unwrap();
    older
        .headers_mut()
        .insert("intercom-version", "2.15".parse().unwrap());
    assert_eq!(world.client.execute(older).await.unwrap().status(), 404);

    let stranger = json!({ "role": "lead", "email": "other@example.com" });
    let (_, stranger) = world.call("POST", "/contacts", stranger).await;
    let merge = json!({ "from": stranger["id"], "into": world.contact });
    let (status, body) = world.call("POST", "/contacts/merge", merge).await;
    assert_eq!((status, code(&body)), (400, "invalid_merge"));

    let path = format!("/contacts/{}", world.contact);
    let (_, deleted) = world.call("DELETE", &path, Value::Null).await;
    assert_eq!(deleted["deleted"], true);
    assert_eq!(world.call("GET", &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn tags_and_deletion() {
    let world = World::new().await;
    let path = format!("/conversations/{}", world.conversation);
    let set = |name: &str| json!({ "title": "T", "custom_attributes": { name: "ENG-1" } });
    assert_eq!(
        world.call("PUT", &path, set("Jira")).await.1["custom_attributes"]["Jira"],
        "ENG-1"
    );
    assert_eq!(
        code(&world.call("PUT", &path, set("Undefined")).await.1),
        "parameter_invalid"
    );
    let (_, tag) = world
        .call("POST", "/tags", json!({ "name": "feedback" }))
        .await;
    let (_, same) = world
        .call("POST", "/tags", json!({ "name": "Feedback" }))
        .await;
    assert_eq!(tag["id"], same["id"]);
    let path = format!("/conversations/{}/tags", world.conversation);
    let put = json!({ "id": tag["id"], "admin_id": APP });
    assert_eq!(world.call("POST", &path, put).await.0, 200);
    let unknown = json!({ "id": "1", "admin_id": APP });
    assert_eq!(
        code(&world.call("POST", &path, unknown).await.1),
        "tag_not_found"
    );
    let shown = world.sandbox().conversation(&world.conversation).unwrap();
    assert_eq!(shown["tags"]["tags"][0]["name"], "feedback");
    let one = format!("{path}/{}", tag["id"].as_str().unwrap());
    assert_eq!(
        world.call("DELETE", &one, Value::Null).await.0,
        400,
        "needs the teammate"
    );
    assert_eq!(
        world
            .call("DELETE", &one, json!({ "admin_id": APP }))
            .await
            .0,
        200
    );
    assert_eq!(
        code(
            &world
                .call("DELETE", &one, json!({ "admin_id": APP }))
                .await
                .1
        ),
        "tag_not_found"
    );

    let path = format!("/conversations/{}", world.conversation);
    assert_eq!(
        world.call("DELETE", &path, Value::Null).await.1["deleted"],
        true
    );
    assert_eq!(world.call("GET", &path, Value::Null).await.0, 404);
    let (_, deleted) = world
        .call("GET", "/conversations/deleted", Value::Null)
        .await;
    assert_eq!(
        deleted["conversations"][0]["id"],
        world.conversation.as_str()
    );
}

#[tokio::test]
async fn pages_work_without_scripts() {
    let world = World::new().await;
    let text = async |path: &str| {
        let page = world.request("GET", path).send().await.unwrap();
        (page.status().as_u16(), page.text().await.unwrap())
    };
    let fields = [
        ("name", "Hal"),
        ("email", "hal@example.com"),
        ("body", "1 < 2 &\nmore"),
    ];
    let made = form(world.request("POST", "/app/conversations"), &fields)
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 200);
    assert!(
        made.url().path().starts_with("/app/conversations/"),
        "{}",
        made.url()
    );
    let path = made.url().path().to_owned();
    let id = path.rsplit('/').next().unwrap();
    let body = made.text().await.unwrap();
    assert!(body.contains("1 &lt; 2 &amp;<br>more"), "{body}");
    let address = format!("https://app.intercom.com/a/inbox/sbx00001/inbox/conversation/{id}");
    assert!(body.contains(&address), "{body}");
    for (action, fields) in [
        ("close", vec![]),
        ("note", vec![("body", "seen <b>")]),
        ("tag", vec![("tag", "bug")]),
    ] {
        let request = world.request("POST", &format!("{path}/{action}"));
        let done = form(request, &fields).send().await;
        assert_eq!(done.unwrap().status(), 200, "{action}");
    }
    let (_, body) = text(&path).await;
    assert!(
        body.contains("seen &lt;b&gt;") && body.contains("part note"),
        "{body}"
    );
    assert!(text("/?show=closed").await.1.contains("Hal"));
    assert!(!text("/?show=open").await.1.contains("Hal"));
    let real = format!("/a/inbox/sbx00001/inbox/shared/all/conversation/{id}");
    assert_eq!(text(&real).await.0, 200);
    assert_eq!(text("/app/conversations/1").await.0, 404);
    assert_eq!(text("/_assets/sandbox.css").await.0, 200);
    assert_eq!(
        world.sandbox().journal().entries().len(),
        0,
        "pages are not journalled"
    );
}
