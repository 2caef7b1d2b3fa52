//! Service Management.

use std::sync::Arc;

use bowline_jira::{
    Auth, Client, CommentAudience, Cursor, Deployment, FILE_DEADLINE, NewRequest, Notified,
};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer, no_content, response};
use bowline_net::{ErrorKind, Response};
use bowline_text::{Doc, Inline, plain};
use http::Method;
use serde_json::{Map, Value, json};

use Deployment::{Cloud, DataCenter};

use crate::calls::{client, ok, only, paragraph, sent};

fn desk(id: &str, key: &str) -> Value {
    json!({"id": id, "projectId": "10010", "projectKey": key, "projectName": "Support",
        "_links": {"self": "https://x.example.com"}})
}

fn page(start: u64, is_last: bool, values: &Value) -> Value {
    json!({"start": start, "limit": 50, "size": 1, "isLastPage": is_last, "values": values})
}

fn date() -> Value {
    json!({"iso8601": "2026-09-21T10:00:00+0000", "jira": "2026-09-21T10:00:00.000+0000",
        "friendly": "Today", "epochMillis": 1_789_984_800_000_i64})
}

fn request() -> Value {
    json!({"issueId": "10040", "issueKey": "SUP-7", "requestTypeId": "25",
        "serviceDeskId": "3", "createdDate": date(),
        "reporter": {"accountId": "5c5f", "displayName": "Ann"},
        "currentStatus": {"status": "Waiting for support", "statusCategory": "INDETERMINATE"}})
}

fn text(words: &str) -> Doc {
    Doc::paragraph(vec![Inline::text(words)])
}

#[tokio::test]
async fn desks_are_listed_and_found_by_the_key_of_their_project() {
    let cursor = Cursor::StartAt(50);
    let read = sent(
        Cloud,
        ok(&page(50, false, &json!([desk("3", "SUP")]))),
        async |c| c.service_desks(Some(&cursor)).await,
        Method::GET,
        "/rest/servicedeskapi/servicedesk?start=50&limit=50",
        Value::Null,
    )
    .await
    .value;
    assert_eq!(read.next, Some(Cursor::StartAt(51)));
    assert_eq!(
        (read.items[0].id.as_str(), read.items[0].name.as_str()),
        ("3", "Support")
    );
    let fake = FakeTransport::new(|request| {
        let is_first = request.url.query().is_some_and(|q| q.contains("start=0"));
        Ok(if is_first {
            json_answer(200, &page(0, false, &json!([desk("3", "SUP")])))
        } else {
            json_answer(200, &page(1, true, &json!([desk("4", "HR")])))
        })
    });
    let client = on(fake.clone());
    assert_eq!(client.service_desk("hr").await.unwrap().value.id, "4");
    let error = client.service_desk("ENG").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(fake.requests().len(), 4);
}

fn on(fake: Arc<FakeTransport>) -> Client {
    let auth = Auth::Bearer {
        token: "token".into(),
    };
    Client::new(
        fake,
        "https://jira.example.com".parse().unwrap(),
        Cloud,
        auth,
    )
}

#[tokio::test]
async fn request_types_and_their_fields() {
    let kind = json!({"id": "25", "name": "Get help", "issueTypeId": "10003", "portalId": "2",
        "canCreateRequest": true});
    let read = sent(
        DataCenter,
        ok(&page(0, true, &json!([kind, {"id": "26"}]))),
        async |c| c.request_types("3", None).await,
        Method::GET,
        "/rest/servicedeskapi/servicedesk/3/requesttype?start=0&limit=50",
        Value::Null,
    )
    .await
    .value;
    assert_eq!((read.items.len(), read.next), (1, None));
    assert_eq!(read.items[0].can_create, Some(true));
    let fields = json!({"requestTypeFields": [
        {"fieldId": "summary", "name": "Summary", "required": true, "jiraSchema":
            {"type": "string", "system": "summary"}, "validValues": []}],
        "canRaiseOnBehalfOf": false, "canAddRequestParticipants": true});
    let read = sent(
        Cloud,
        ok(&fields),
        async |c| c.request_fields("3", "25").await,
        Method::GET,
        "/rest/servicedeskapi/servicedesk/3/requesttype/25/field",
        Value::Null,
    )
    .await
    .value;
    assert_eq!(read.unfilled(&[]).len(), 1);
    assert!(!read.can_raise_on_behalf_of);
}

#[tokio::test]
async fn a_request_is_created_and_read() {
    let mut fields = Map::new();
    fields.insert("priority".to_owned(), json!({"id": "3"}));
    let mut new = NewRequest {
        service_desk_id: "3".to_owned(),
        request_type_id: "25".to_owned(),
        summary: "It *broke*\nbadly".to_owned(),
        description: Some(text("It *broke*")),
        fields,
        raise_on_behalf_of: Some("5c5f".to_owned()),
    };
    let want = json!({"serviceDeskId": "3", "requestTypeId": "25", "raiseOnBehalfOf": "5c5f",
        "requestFieldValues": {"summary": "It *broke* badly", "description": "It \\*broke\\*",
            "priority": {"id": "3"}}});
    let target = "/rest/servicedeskapi/request";
    let made = sent(
        Cloud,
        json_answer(201, &request()),
        async |c| c.create_request(&new).await,
        Method::POST,
        target,
        want,
    )
    .await
    .value;
    assert_eq!(
        (made.issue_id.as_str(), made.issue_key.as_str()),
        ("10040", "SUP-7")
    );
    assert_eq!(made.created_ms, Some(1_789_984_800_000));
    assert_eq!(made.status.as_deref(), Some("Waiting for support"));
    assert_eq!(made.reporter.map(|p| p.name).as_deref(), Some("Ann"));
    new.description = None;
    new.raise_on_behalf_of = None;
    new.fields.clear();
    let want = json!({"serviceDeskId": "3", "requestTypeId": "25",
        "requestFieldValues": {"summary": "It *broke* badly"}});
    let create = async |c: &Client| c.create_request(&new).await;
    sent(
        DataCenter,
        json_answer(201, &request()),
        create,
        Method::POST,
        target,
        want,
    )
    .await;
    let read = async |c: &Client| c.request_of("10040").await;
    let target = "/rest/servicedeskapi/request/10040";
    let got = sent(
        Cloud,
        ok(&request()),
        read,
        Method::GET,
        target,
        Value::Null,
    )
    .await;
    assert_eq!(got.value.request_type_id.as_deref(), Some("25"));
}

#[tokio::test]
async fn a_refused_request_says_which_field_and_a_lost_one_is_unknown() {
    let missing = json!({"errorMessage": "Impact is required.",
        "i18nErrorMessage": {"i18nKey": "sd.x", "parameters": []}});
    for (answer, kind, words) in [
        (
            json_answer(400, &missing),
            ErrorKind::Data,
            "Impact is required.",
        ),
        (
            json_answer(403, &missing),
            ErrorKind::Permission,
            "Impact is required.",
        ),
        (response(500, &[], ""), ErrorKind::UnknownOutcome, ""),
        (response(201, &[], ""), ErrorKind::UnknownOutcome, "lacks"),
    ] {
        let (client, _) = client(Cloud, Ok(answer));
        let new = NewRequest {
            service_desk_id: "3".to_owned(),
            request_type_id: "25".to_owned(),
            summary: "x".to_owned(),
            description: None,
            fields: Map::new(),
            raise_on_behalf_of: None,
        };
        let error = client.create_request(&new).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[tokio::test]
async fn comments_with_their_audience() {
    let comment = |id: &str, public: bool| {
        json!({"id": id, "body": "It is *on*", "public": public, "created": date(),
            "author": {"accountId": "5c5f", "displayName": "Ann"}})
    };
    let both = page(0, true, &json!([comment("1", true), comment("2", false)]));
    let read = sent(
        Cloud,
        ok(&both),
        async |c| c.request_comments("SUP-7", None).await,
        Method::GET,
        "/rest/servicedeskapi/request/SUP-7/comment?public=true&internal=true&start=0&limit=50",
        Value::Null,
    )
    .await
    .value;
    let audiences: Vec<_> = read.items.iter().map(|c| c.audience).collect();
    assert_eq!(
        audiences,
        [CommentAudience::Customer, CommentAudience::Internal]
    );
    assert_eq!(plain::write(&read.items[0].body), "It is on");
    let one = sent(
        DataCenter,
        ok(&comment("2", false)),
        async |c| c.request_comment("10040", "2").await,
        Method::GET,
        "/rest/servicedeskapi/request/10040/comment/2",
        Value::Null,
    )
    .await
    .value;
    assert_eq!(
        (one.audience, one.created_ms),
        (CommentAudience::Internal, Some(1_789_984_800_000))
    );
    for (audience, public) in [
        (CommentAudience::Customer, true),
        (CommentAudience::Internal, false),
    ] {
        let made = sent(
            Cloud,
            json_answer(201, &comment("3", public)),
            async |c| {
                c.create_request_comment("10040", &text("a *b*"), audience)
                    .await
            },
            Method::POST,
            "/rest/servicedeskapi/request/10040/comment",
            json!({"body": "a \\*b\\*", "public": public}),
        )
        .await;
        assert_eq!(made.value.audience, audience);
    }
}

#[tokio::test]
async fn a_comment_on_what_is_no_request_says_who_may_read_it_if_it_becomes_one() {
    for (audience, internal) in [
        (CommentAudience::Customer, false),
        (CommentAudience::Internal, true),
    ] {
        let made = sent(
            Cloud,
            json_answer(201, &json!({ "id": "9", "body": paragraph("new") })),
            async |c| c.create_comment("10040", &text("new"), audience).await,
            Method::POST,
            "/rest/api/3/issue/10040/comment",
            json!({
                "body": paragraph("new"),
                "properties": [{ "key": "sd.public.comment", "value": { "internal": internal } }],
            }),
        )
        .await;
        assert_eq!(made.value.id, "9");
    }
}

/// Answers an edit without mail and one with mail.
fn mail(quiet: Response, loud: Response) -> Arc<FakeTransport> {
    FakeTransport::new(move |request| {
        let is_quiet = request.url.query() == Some("notifyUsers=false");
        Ok(if is_quiet {
            quiet.clone()
        } else {
            loud.clone()
        })
    })
}

#[tokio::test]
async fn edits_are_quiet_where_jira_permits() {
    let body = paragraph("new");
    let edit = async |c: &Client| c.edit_comment("10040", "7", &text("new")).await;
    let done = sent(
        Cloud,
        ok(&json!({"id": "7"})),
        edit,
        Method::PUT,
        "/rest/api/3/issue/10040/comment/7?notifyUsers=false",
        json!({"body": body}),
    )
    .await;
    assert_eq!(done.value, Notified::Nobody);
    let done = sent(
        DataCenter,
        ok(&json!({"id": "7"})),
        edit,
        Method::PUT,
        "/rest/api/2/issue/10040/comment/7",
        json!({"body": "new"}),
    )
    .await;
    assert_eq!(done.value, Notified::Watchers);
    let edit = async |c: &Client| c.edit_description("10040", &text("new")).await;
    for (deployment, version, body) in [(Cloud, 3, body), (DataCenter, 2, json!("new"))] {
        let done = sent(
            deployment,
            no_content(),
            edit,
            Method::PUT,
            &format!("/rest/api/{version}/issue/10040?notifyUsers=false"),
            json!({"fields": {"description": body}}),
        )
        .await;
        assert_eq!(done.value, Notified::Nobody);
    }
}

#[tokio::test]
async fn an_edit_that_may_not_be_quiet_is_made_once_with_mail() {
    let refused = || {
        json_answer(
            403,
            &json!({"errorMessages": ["notifyUsers needs an admin"]}),
        )
    };
    let fake = mail(refused(), no_content());
    let client = on(fake.clone());
    let done = client
        .edit_description("10040", &text("new"))
        .await
        .unwrap();
    assert_eq!(done.value, Notified::Watchers);
    let done = client
        .edit_comment("10040", "7", &text("new"))
        .await
        .unwrap();
    assert_eq!(done.value, Notified::Watchers);
    let asked = fake.requests();
    assert_eq!(asked.len(), 4);
    assert_eq!(body_of(&asked[0]), body_of(&asked[1]));
    // May not edit at all.
    let error = on(mail(refused(), refused()))
        .edit_description("10040", &text("x"))
        .await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Permission);
    // A doubtful edit is not made again by itself.
    let fake = mail(response(502, &[], ""), no_content());
    let error = on(fake.clone()).edit_description("10040", &text("x")).await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::UnknownOutcome);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_file_is_attached_through_the_platform() {
    let answer = json!([{"id": "500", "filename": "a.png", "size": 4, "mimeType": "image/png"}]);
    let (client, fake) = client(Cloud, Ok(ok(&answer)));
    let bytes = b"\x89PNG"[..].into();
    let file = client
        .attach("10040", "a.png", "image/png", &bytes)
        .await
        .unwrap()
        .value;
    assert_eq!((file.id.as_str(), file.size_bytes), ("500", Some(4)));
    let request = only(&fake);
    assert_eq!(request.method, Method::POST);
    assert!(
        request
            .url
            .path()
            .ends_with("/rest/api/3/issue/10040/attachments")
    );
    assert_eq!(request.headers["x-atlassian-token"], "no-check");
    let kind = request.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("multipart/form-data; boundary="));
    assert_eq!(request.deadline, FILE_DEADLINE);
    let body = request.body.unwrap();
    let part = b"name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n";
    assert!(body.windows(part.len()).any(|window| window == part));
}

#[tokio::test]
async fn customers_are_found_created_and_added() {
    let ann = json!({"accountId": "5c5f", "displayName": "Ann", "emailAddress": "a@example.com"});
    let find = async |c: &Client| c.customers("3", "a@example.com", None).await;
    let target =
        "/rest/servicedeskapi/servicedesk/3/customer?query=a%40example.com&start=0&limit=50";
    let found = page(0, true, &json!([ann]));
    let found = sent(Cloud, ok(&found), find, Method::GET, target, Value::Null).await;
    assert_eq!(found.value.items[0].email.as_deref(), Some("a@example.com"));
    let create = async |c: &Client| c.create_customer("a@example.com", "Ann").await;
    let made = sent(
        Cloud,
        json_answer(201, &ann),
        create,
        Method::POST,
        "/rest/servicedeskapi/customer?strictConflictStatusCode=true",
        json!({"email": "a@example.com", "displayName": "Ann"}),
    )
    .await;
    assert_eq!(made.value.id, "5c5f");
    let user = json!({"name": "a@example.com", "displayName": "Ann"});
    let target = "/rest/servicedeskapi/customer";
    let body = json!({"email": "a@example.com", "fullName": "Ann"});
    sent(
        DataCenter,
        json_answer(201, &user),
        create,
        Method::POST,
        target,
        body,
    )
    .await;
    let target = "/rest/servicedeskapi/servicedesk/3/customer";
    let add = async |c: &Client| c.add_customers("3", &["x"]).await;
    for (deployment, body) in [
        (Cloud, json!({"accountIds": ["x"]})),
        (DataCenter, json!({"usernames": ["x"]})),
    ] {
        sent(deployment, no_content(), add, Method::POST, target, body).await;
    }
    for (deployment, opt_in) in [(Cloud, "opt-in"), (DataCenter, "true")] {
        let (client, fake) = client(deployment, Ok(no_content()));
        client.add_customers("3", &["x"]).await.unwrap();
        assert_eq!(only(&fake).headers["x-experimentalapi"], opt_in);
    }
}

#[tokio::test]
async fn properties_of_an_issue() {
    let value = json!({"request": "r1"});
    let put = async |c: &Client| {
        c.put_issue_property("10040", "bowline.request", &value)
            .await
    };
    let target = "/rest/api/3/issue/10040/properties/bowline.request";
    sent(Cloud, no_content(), put, Method::PUT, target, value.clone()).await;
    let get = async |c: &Client| c.get_issue_property("10040", "bowline.request").await;
    let target = "/rest/api/2/issue/10040?fields=summary&properties=bowline.request\
                  &updateHistory=false";
    for (properties, want) in [
        (json!({"bowline.request": value}), Some(value.clone())),
        (json!({}), None),
        (Value::Null, None),
    ] {
        let answer = json!({"id": "10040", "properties": properties});
        let got = sent(
            DataCenter,
            ok(&answer),
            get,
            Method::GET,
            target,
            Value::Null,
        )
        .await;
        assert_eq!(got.value, want);
    }
}
