//! What settings are chosen from: projects, statuses, properties; and changing a webhook.

use std::sync::Arc;

use bowline_jira::{AdminWebhook, Client, Deployment, cloud_id};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer};
use bowline_net::{ErrorKind, Transport};
use http::Method;
use serde_json::{Value, json};
use url::Url;

use Deployment::{Cloud, DataCenter};

use crate::calls::{client, only, sent};

fn project(key: &str) -> Value {
    json!({ "id": "1", "key": key, "name": key })
}

#[tokio::test]
async fn projects_are_read_page_by_page_on_cloud_and_whole_on_data_center() {
    let fake = FakeTransport::new(|request| {
        let second = request
            .url
            .query()
            .unwrap_or_default()
            .contains("startAt=2");
        Ok(json_answer(
            200,
            &if second {
                json!({ "values": [project("OPS")], "isLast": true, "total": 3 })
            } else {
                json!({ "values": [project("ENG"), project("HR")], "isLast": false, "total": 3 })
            },
        ))
    });
    let auth = bowline_jira::Auth::Bearer { token: "t".into() };
    let base: Url = "https://api.example.com/ex/jira/1".parse().unwrap();
    let cloud = Client::new(fake.clone(), base, Cloud, auth);
    let keys: Vec<String> = cloud
        .projects()
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.key)
        .collect();
    assert_eq!(keys, ["ENG", "HR", "OPS"]);
    assert_eq!(fake.requests().len(), 2);

    let (center, fake) = client(DataCenter, Ok(json_answer(200, &json!([project("ENG")]))));
    assert_eq!(center.projects().await.unwrap().len(), 1);
    assert!(only(&fake).url.path().ends_with("/ctx/rest/api/2/project"));
}

#[tokio::test]
async fn a_page_that_never_ends_is_not_asked_for_ever() {
    let answer = json!({ "values": [], "isLast": false });
    let (cloud, fake) = client(Cloud, Ok(json_answer(200, &answer)));
    assert!(cloud.projects().await.unwrap().is_empty());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn each_status_of_a_workflow_is_named_once() {
    let status = |id: &str, name: &str| json!({ "id": id, "name": name, "statusCategory": { "key": "new" } });
    let answer = json!([
        { "name": "Bug", "statuses": [status("1", "To Do"), status("2", "Done")] },
        { "name": "Task", "statuses": [status("1", "To Do"), status("3", "Review")] },
    ]);
    let call = async |c: &Client| c.project_statuses("ENG").await;
    let target = "/rest/api/3/project/ENG/statuses";
    let found = sent(
        Cloud,
        json_answer(200, &answer),
        call,
        Method::GET,
        target,
        Value::Null,
    )
    .await;
    let names: Vec<&str> = found
        .value
        .iter()
        .map(|status| status.name.as_str())
        .collect();
    assert_eq!(names, ["To Do", "Done", "Review"]);
}

#[tokio::test]
async fn a_property_that_is_not_there_is_none() {
    let there = json!({ "key": "x", "value": { "a": 1 } });
    let (cloud, _) = client(Cloud, Ok(json_answer(200, &there)));
    let found = cloud.project_property("ENG", "x").await.unwrap();
    assert_eq!(found, Some(json!({ "a": 1 })));
    let missing = json!({ "errorMessages": ["no"] });
    let (cloud, _) = client(Cloud, Ok(json_answer(404, &missing)));
    assert_eq!(cloud.project_property("ENG", "x").await.unwrap(), None);
    let (cloud, _) = client(Cloud, Ok(json_answer(401, &missing)));
    let refused = cloud.project_property("ENG", "x").await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Auth);
}

#[tokio::test]
async fn a_webhook_is_changed_where_each_deployment_keeps_its_secret() {
    let webhook = AdminWebhook {
        id: Some("72".to_owned()),
        name: "Bowline".to_owned(),
        url: "https://b.example.com/hooks/jira/x".to_owned(),
        events: vec!["jira:issue_created".to_owned()],
        jql: None,
        enabled: false,
        signed: None,
    };
    let answer = json!({ "name": "Bowline", "url": webhook.url, "id": 72 });
    for (deployment, path, place) in [
        (
            Cloud,
            "/ex/jira/1-2-3/rest/webhooks/1.0/webhook/72",
            "/secret",
        ),
        (
            DataCenter,
            "/ctx/rest/jira-webhook/1.0/webhooks/72",
            "/configuration/SECRET",
        ),
    ] {
        let (jira, fake) = client(deployment, Ok(json_answer(200, &answer)));
        let secret = "whsec".into();
        jira.change_webhook(&webhook, "project in (ENG)", &secret)
            .await
            .unwrap();
        let request = only(&fake);
        assert_eq!((request.method.as_str(), request.url.path()), ("PUT", path));
        let body = body_of(&request);
        assert_eq!(body.pointer(place), Some(&json!("whsec")), "{body}");
        assert_eq!(
            body["filters"]["issue-related-events-section"],
            "project in (ENG)"
        );
    }
}

#[tokio::test]
async fn the_cloud_id_is_asked_for_without_credentials() {
    let fake = FakeTransport::always(Ok(json_answer(200, &json!({ "cloudId": "1-2-3" }))));
    let transport: Arc<dyn Transport> = fake.clone();
    let site: Url = "https://acme.example.com".parse().unwrap();
    assert_eq!(cloud_id(&transport, &site).await.unwrap(), "1-2-3");
    let request = only(&fake);
    assert_eq!(
        request.url.as_str(),
        "https://acme.example.com/_edge/tenant_info"
    );
    assert!(!request.headers.contains_key("authorization"));
    for answer in [
        json_answer(404, &json!({ "cloudId": "1" })),
        json_answer(200, &json!([])),
    ] {
        let transport: Arc<dyn Transport> = FakeTransport::always(Ok(answer));
        assert!(cloud_id(&transport, &site).await.is_err());
    }
}

#[tokio::test]
async fn what_issues_can_be_made_of_is_read_to_its_end_whatever_the_list_is_called() {
    let one = |number: usize| json!({ "id": number, "name": format!("Type {number}"), "subtask": number == 0 });
    for (deployment, named) in [(Cloud, "issueTypes"), (DataCenter, "values")] {
        let fake = FakeTransport::new(move |request| {
            let query = request.url.query().unwrap_or_default();
            let part = if query.contains("startAt=0") {
                0..200
            } else {
                200..203
            };
            let list: Vec<Value> = part.map(one).collect();
            Ok(json_answer(200, &json!({ named: list, "total": 203 })))
        });
        let auth = bowline_jira::Auth::Bearer { token: "t".into() };
        let base: Url = "https://api.example.com/".parse().unwrap();
        let jira = Client::new(fake.clone(), base, deployment, auth);
        let types = jira.create_types("ENG").await.unwrap();
        assert_eq!((types.len(), fake.requests().len()), (203, 2));
        assert!(types[0].subtask && !types[1].subtask);
        assert_eq!(
            (types[202].id.as_str(), types[202].name.as_str()),
            ("202", "Type 202")
        );
        let path = fake.requests()[0].url.path().to_owned();
        assert!(path.ends_with("/issue/createmeta/ENG/issuetypes"), "{path}");
    }
}

#[tokio::test]
async fn a_field_is_needed_unless_jira_fills_it_in() {
    let answer = json!({ "total": 3, "fields": [
        { "fieldId": "summary", "name": "Summary", "required": true, "hasDefaultValue": false },
        { "fieldId": "priority", "name": "Priority", "required": true, "hasDefaultValue": true },
        { "fieldId": "labels", "name": "Labels", "required": false },
    ] });
    let (cloud, fake) = client(Cloud, Ok(json_answer(200, &answer)));
    let fields = cloud.create_fields("ENG", "10001").await.unwrap();
    let needed: Vec<bool> = fields.iter().map(|field| field.needed).collect();
    assert_eq!(needed, [true, false, false]);
    let path = only(&fake).url.path().to_owned();
    assert!(path.ends_with("/createmeta/ENG/issuetypes/10001"), "{path}");
}
