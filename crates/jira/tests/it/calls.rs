use std::sync::Arc;

use bowline_jira::{
    Auth, Category, Client, Cursor, Deployment, Icon, IssueRead, NewWebhook, RemoteLink, Visibility,
};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer, no_content, response};
use bowline_net::{ApiError, ErrorKind, Request, Response, SendFailure};
use bowline_text::plain;
use http::Method;
use serde_json::{Value, json};

use Deployment::{Cloud, DataCenter};

const TOKEN: &str = "ATATT-example";
const CLOUD_BASE: &str = "https://api.example.com/ex/jira/1-2-3";
const DC_BASE: &str = "https://jira.example.com/ctx/";
const ALL: IssueRead = IssueRead {
    comments: true,
    changelog: true,
    link_property: true,
};

pub(crate) fn client(
    deployment: Deployment,
    answer: Result<Response, SendFailure>,
) -> (Client, Arc<FakeTransport>) {
    let fake = FakeTransport::always(answer);
    let (base, auth) = match deployment {
        Cloud => (
            CLOUD_BASE,
            Auth::Basic {
                email: "bot@example.com".into(),
                token: TOKEN.into(),
            },
        ),
        DataCenter => (
            DC_BASE,
            Auth::Bearer {
                token: TOKEN.into(),
            },
        ),
    };
    (
        Client::new(fake.clone(), base.parse().unwrap(), deployment, auth),
        fake,
    )
}

pub(crate) fn only(fake: &FakeTransport) -> Request {
    let mut all = fake.requests();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Runs one call and checks what was sent: method, path with query below the base, body.
pub(crate) async fn sent<T>(
    deployment: Deployment,
    answer: Response,
    call: impl AsyncFnOnce(&Client) -> Result<T, ApiError>,
    method: Method,
    target: &str,
    body: Value,
) -> T {
    let (client, fake) = client(deployment, Ok(answer));
    let value = call(&client).await.unwrap();
    let request = only(&fake);
    let base = if deployment == Cloud {
        CLOUD_BASE
    } else {
        DC_BASE
    };
    let want = format!("{}{target}", base.trim_end_matches('/'));
    assert_eq!(
        (&request.method, request.url.as_str()),
        (&method, want.as_str())
    );
    assert_eq!(body_of(&request), body);
    assert_eq!(
        request.headers.contains_key("content-type"),
        !body.is_null()
    );
    assert!(
        !format!("{request:?}").contains(TOKEN),
        "the token shows in a debug form"
    );
    value
}

pub(crate) fn ok(value: &Value) -> Response {
    json_answer(200, value)
}

pub(crate) fn paragraph(text: &str) -> Value {
    json!({"type": "doc", "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

fn issue(deployment: Deployment) -> Value {
    let (text, person) = match deployment {
        Cloud => (
            paragraph("It stops"),
            json!({"accountId": "5c5f", "displayName": "Ann"}),
        ),
        DataCenter => (
            json!("It *stops*"),
            json!({"name": "ann", "displayName": "Ann"}),
        ),
    };
    let comment = json!({"self": "https://x.example.com/rest/api/2/issue/10040/comment/7",
        "id": "7", "author": person, "body": text, "created": "2026-09-27T10:03:11.123+0200",
        "updated": "2026-09-27T10:03:12.123+0200", "jsdPublic": true});
    json!({"id": "10040", "key": "ENG-7", "fields": {
            "summary": "Export stops", "project": {"id": "1", "key": "ENG", "name": "Engine"},
            "status": {"id": "3", "name": "Doing", "statusCategory": {"key": "indeterminate"}},
            "security": null, "assignee": null, "creator": person, "reporter": person,
            "created": "2026-09-27T10:00:00.000+0200", "updated": "2026-09-27T10:03:12.123+0200",
            "description": text,
            "comment": {"comments": [comment], "maxResults": 1, "total": 2, "startAt": 0}},
        "changelog": {"startAt": 0, "maxResults": 1, "total": 1, "histories": [
            {"id": "5", "author": person, "created": "2026-09-27T10:01:00.000+0200", "items": [
                {"field": "Status", "from": "1", "fromString": "To Do", "to": "3",
                 "toString": "Doing"}]}]},
        "properties": {"intercom.conversation.links":
            {"count": 1, "conversationIds": ["4137"]}}})
}

const FIELDS: &str = "summary%2Cproject%2Cstatus%2Csecurity%2Cassignee%2Ccreator%2Creporter\
                      %2Ccreated%2Cupdated%2Cdescription";

#[tokio::test]
async fn an_issue_of_both_deployments_is_the_same_thing() {
    for (deployment, version) in [(Cloud, 3), (DataCenter, 2)] {
        let target = format!(
            "/rest/api/{version}/issue/10040?fields={FIELDS}%2Ccomment&updateHistory=false\
             &expand=changelog&properties=intercom.conversation.links"
        );
        let answer = ok(&issue(deployment));
        let call = async |c: &Client| c.issue("10040", ALL).await;
        let read = sent(deployment, answer, call, Method::GET, &target, Value::Null)
            .await
            .value;
        assert_eq!((read.id.as_str(), read.key.as_str()), ("10040", "ENG-7"));
        assert_eq!(read.status.category, Category::Indeterminate);
        assert_eq!(read.created_ms, Some(1_790_496_000_000));
        assert_eq!(plain::write(&read.description).trim(), "It stops");
        assert_eq!(read.comments.len(), 1);
        assert_eq!(read.comments[0].visibility, Visibility::Public);
        assert_eq!(read.comments[0].issue_id.as_deref(), Some("10040"));
        assert!(!read.comments_complete && read.changelog_complete);
        assert_eq!(read.changelog[0].items[0].field, "status");
        assert_eq!(
            read.link_property.as_deref(),
            Some(&["4137".to_owned()][..])
        );
        assert_eq!(read.reporter.map(|p| p.name).as_deref(), Some("Ann"));
    }
    let target = format!("/rest/api/3/issue/ENG-7?fields={FIELDS}&updateHistory=false");
    let call = async |c: &Client| c.issue("ENG-7", IssueRead::default()).await;
    sent(
        Cloud,
        ok(&issue(Cloud)),
        call,
        Method::GET,
        &target,
        Value::Null,
    )
    .await;
}

#[tokio::test]
async fn credentials_of_both_kinds() {
    for (deployment, want) in [
        (Cloud, "Basic Ym90QGV4YW1wbGUuY29tOkFUQVRULWV4YW1wbGU="),
        (DataCenter, "Bearer ATATT-example"),
    ] {
        let (client, fake) = client(deployment, Ok(no_content()));
        client.put_link_property("1", &[]).await.unwrap();
        assert_eq!(only(&fake).headers["authorization"], want);
    }
}

#[tokio::test]
async fn comments_one_and_by_page() {
    let comment = issue(Cloud)["fields"]["comment"]["comments"][0].clone();
    let one = sent(
        Cloud,
        ok(&comment),
        async |c| c.comment("10040", "7").await,
        Method::GET,
        "/rest/api/3/issue/10040/comment/7?expand=properties",
        Value::Null,
    )
    .await;
    assert_eq!(one.value.id, "7");
    let page = json!({"comments": [comment], "startAt": 100, "maxResults": 100, "total": 102});
    let read = sent(
        DataCenter,
        ok(&page),
        async |c| c.comments("10040", Some(&Cursor::StartAt(100))).await,
        Method::GET,
        "/rest/api/2/issue/10040/comment?startAt=100&maxResults=100&orderBy=created\
         &expand=properties",
        Value::Null,
    )
    .await;
    assert_eq!(read.value.items.len(), 1);
    assert_eq!(read.value.next, Some(Cursor::StartAt(101)));
}

#[tokio::test]
async fn a_changelog_by_page_on_cloud_and_whole_on_data_center() {
    let histories = issue(Cloud)["changelog"]["histories"].clone();
    let page = json!({"values": histories, "startAt": 0, "total": 9, "isLast": false});
    let read = sent(
        Cloud,
        ok(&page),
        async |c| c.changelog("10040", None).await,
        Method::GET,
        "/rest/api/3/issue/10040/changelog?startAt=0&maxResults=100",
        Value::Null,
    )
    .await;
    assert_eq!(
        (read.value.items[0].id.as_str(), read.value.next),
        ("5", Some(Cursor::StartAt(1)))
    );
    let read = sent(
        DataCenter,
        ok(&issue(DataCenter)),
        async |c| c.changelog("10040", None).await,
        Method::GET,
        "/rest/api/2/issue/10040?fields=summary&expand=changelog&updateHistory=false",
        Value::Null,
    )
    .await;
    assert_eq!((read.value.items.len(), read.value.next), (1, None));
}

#[tokio::test]
async fn search_hides_how_pages_are_made() {
    let fields: Vec<_> = FIELDS.split("%2C").map(str::trim).collect();
    let cloud_body = |token: Option<&str>| {
        let mut body = json!({"jql": "project = ENG", "fields": fields, "maxResults": 50,
            "properties": ["intercom.conversation.links"]});
        if let Some(token) = token {
            body["nextPageToken"] = json!(token);
        }
        body
    };
    let read = IssueRead {
        link_property: true,
        ..IssueRead::default()
    };
    let first = json!({"issues": [issue(Cloud)], "nextPageToken": "T2", "isLast": false});
    let last = json!({"issues": [], "isLast": true});
    let target = "/rest/api/3/search/jql";
    let call = async |c: &Client| c.search("project = ENG", read, None, 50).await;
    let page = sent(
        Cloud,
        ok(&first),
        call,
        Method::POST,
        target,
        cloud_body(None),
    )
    .await
    .value;
    assert_eq!(
        (page.items.len(), &page.next),
        (1, &Some(Cursor::Token("T2".into())))
    );
    let next = page.next;
    let call = async |c: &Client| c.search("project = ENG", read, next.as_ref(), 50).await;
    let page = sent(
        Cloud,
        ok(&last),
        call,
        Method::POST,
        target,
        cloud_body(Some("T2")),
    )
    .await
    .value;
    assert_eq!((page.items.len(), page.next), (0, None));

    let body = json!({"jql": "project = ENG", "fields": fields, "maxResults": 50, "startAt": 50,
        "expand": ["changelog"]});
    let found = json!({"issues": [issue(DataCenter)], "startAt": 50, "total": 90});
    let read = IssueRead {
        changelog: true,
        link_property: true,
        comments: false,
    };
    let cursor = Cursor::StartAt(50);
    let call = async |c: &Client| c.search("project = ENG", read, Some(&cursor), 50).await;
    let page = sent(
        DataCenter,
        ok(&found),
        call,
        Method::POST,
        "/rest/api/2/search",
        body,
    )
    .await
    .value;
    assert_eq!(page.next, Some(Cursor::StartAt(51)));
}

#[tokio::test]
async fn what_is_left_out_without_a_word_is_not_shown() {
    let asked = ["10040", "10041", "10042"];
    let call = async |c: &Client| c.shown(&asked).await;
    let failed = json!([{"id": "10042", "errorMessage": "Try again"}]);
    let shown = sent(
        Cloud,
        ok(
            &json!({"issues": [{"id": "10040", "fields": {"status": {"name": "Done"}}}],
            "issueErrors": failed}),
        ),
        call,
        Method::POST,
        "/rest/api/3/issue/bulkfetch",
        json!({"issueIdsOrKeys": asked, "fields": ["status"]}),
    )
    .await
    .value;
    let done = Some("Done".to_owned());
    let wanted = [("10040".to_owned(), done), ("10042".to_owned(), None)];
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), wanted);
    let shown = sent(
        DataCenter,
        ok(&json!({"issues": [{"id": "10041"}], "startAt": 0, "total": 1})),
        call,
        Method::POST,
        "/rest/api/2/search",
        json!({"jql": "id in (10040,10041,10042)", "fields": ["status"], "maxResults": 3,
            "validateQuery": false}),
    )
    .await
    .value;
    let wanted = [("10041".to_owned(), None)];
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), wanted);
    for deployment in [Cloud, DataCenter] {
        let (client, _) = client(deployment, Ok(ok(&json!({}))));
        assert!(client.shown(&asked).await.is_err(), "nothing is no answer");
    }
}

fn old_shape(property: &Value) -> Value {
    json!({"id": "10040", "properties": {"intercom.conversation.links": property}})
}

#[tokio::test]
async fn the_link_property_is_written_and_read_through_the_issue() {
    let ids = ["4137".to_owned(), "215".to_owned()];
    sent(
        Cloud,
        response(201, &[], ""),
        async |c| c.put_link_property("10040", &ids).await,
        Method::PUT,
        "/rest/api/3/issue/10040/properties/intercom.conversation.links",
        json!({"count": 2, "conversationIds": ["4137", "215"]}),
    )
    .await;
    let target = "/rest/api/3/issue/10040?fields=summary&properties=intercom.conversation.links\
                  &updateHistory=false";
    for (answer, want) in [
        (issue(Cloud), Some(vec!["4137".to_owned()])),
        (json!({"id": "10040", "properties": {}}), None),
        (old_shape(&json!({"conversationIds": ["4137"]})), None),
        (old_shape(&json!([{"id": "4137"}])), None),
        (json!({"id": "10040"}), None),
    ] {
        let call = async |c: &Client| c.get_link_property("10040").await;
        let read = sent(Cloud, ok(&answer), call, Method::GET, target, Value::Null).await;
        assert_eq!(read.value, want, "{answer}");
    }
}

#[tokio::test]
async fn remote_links() {
    let link = RemoteLink {
        global_id: "bowline:abc12345:4137&x".into(),
        application_type: Some("com.example.bowline".into()),
        application_name: Some("Intercom".into()),
        relationship: Some("conversation".into()),
        url: "https://app.intercom.com/a/inbox/abc12345/inbox/conversation/4137".into(),
        title: "Conversation 4137".into(),
        summary: Some("open".into()),
        resolved: true,
        icon: Some(Icon {
            url: "https://x.example.com/i.png".into(),
            title: "Intercom".into(),
        }),
    };
    let body = json!({"globalId": link.global_id, "relationship": "conversation",
        "application": {"type": "com.example.bowline", "name": "Intercom"},
        "object": {"url": link.url, "title": "Conversation 4137", "summary": "open",
            "status": {"resolved": true},
            "icon": {"url16x16": "https://x.example.com/i.png", "title": "Intercom"}}});
    let target = "/rest/api/2/issue/10040/remotelink";
    let created = ok(&json!({"id": 10000, "self": "https://x.example.com/10000"}));
    let call = async |c: &Client| c.upsert_remote_link("10040", &link).await;
    sent(
        DataCenter,
        created,
        call,
        Method::POST,
        target,
        body.clone(),
    )
    .await;

    let bare = json!({"id": 2, "object": {"url": "https://y.example.com", "title": "Y"}});
    let list = ok(&json!([body, bare, {"id": 3}]));
    let call = async |c: &Client| c.remote_links("10040").await;
    let found = sent(DataCenter, list, call, Method::GET, target, Value::Null)
        .await
        .value;
    assert_eq!(found[0], link);
    assert_eq!((found.len(), found[1].global_id.as_str()), (2, ""));

    let target = "/rest/api/2/issue/10040/remotelink?globalId=bowline%3Aabc12345%3A4137%26x";
    let call = async |c: &Client| c.delete_remote_link("10040", &link.global_id).await;
    sent(
        DataCenter,
        no_content(),
        call,
        Method::DELETE,
        target,
        Value::Null,
    )
    .await;
}

#[tokio::test]
async fn who_what_and_where() {
    let me = json!({"accountId": "5c5f", "displayName": "Bot", "timeZone": "Europe/Berlin"});
    let call = async |c: &Client| c.myself().await;
    let me = sent(
        Cloud,
        ok(&me),
        call,
        Method::GET,
        "/rest/api/3/myself",
        Value::Null,
    )
    .await
    .value;
    assert_eq!(
        (me.person.id.as_str(), me.time_zone.as_deref()),
        ("5c5f", Some("Europe/Berlin"))
    );

    for (kind, want) in [("Cloud", Cloud), ("Server", DataCenter)] {
        let info = json!({"baseUrl": "https://x.example.com", "version": "10.3.4",
            "deploymentType": kind});
        let call = async |c: &Client| c.server_info().await;
        let target = "/rest/api/2/serverInfo";
        let info = sent(Cloud, ok(&info), call, Method::GET, target, Value::Null)
            .await
            .value;
        assert_eq!((info.deployment, info.version.as_str()), (want, "10.3.4"));
    }

    let project = json!({"id": "1", "key": "ENG", "name": "Engine", "projectTypeKey": "software"});
    let call = async |c: &Client| c.project("ENG").await;
    let target = "/rest/api/3/project/ENG";
    let read = sent(Cloud, ok(&project), call, Method::GET, target, Value::Null)
        .await
        .value;
    assert_eq!(read.type_key.as_deref(), Some("software"));

    let all = json!({"permissions": {"BROWSE_PROJECTS": {"havePermission": true},
        "LINK_ISSUES": {"havePermission": false}, "ADMINISTER": {"havePermission": true}}});
    let call = async |c: &Client| {
        c.my_permissions(&["BROWSE_PROJECTS", "LINK_ISSUES"], Some("ENG"))
            .await
    };
    let target =
        "/rest/api/2/mypermissions?permissions=BROWSE_PROJECTS%2CLINK_ISSUES&projectKey=ENG";
    let read = sent(DataCenter, ok(&all), call, Method::GET, target, Value::Null)
        .await
        .value;
    assert_eq!(
        read.into_iter().collect::<Vec<_>>(),
        [
            ("BROWSE_PROJECTS".to_owned(), true),
            ("LINK_ISSUES".to_owned(), false)
        ]
    );
}

#[tokio::test]
async fn webhooks_of_both_deployments() {
    let new = NewWebhook {
        name: "Bowline".into(),
        url: "https://bowline.example.com/hooks/jira/acme".into(),
        events: vec!["jira:issue_updated".into(), "comment_created".into()],
        jql: Some("project = ENG".into()),
        secret: "whsec".into(),
    };
    let filters = json!({"issue-related-events-section": "project = ENG"});
    let answer = json!({"name": "Bowline", "url": new.url, "events": new.events, "enabled": true,
        "filters": filters, "isSigned": true, "self":
        "https://x.example.com/rest/webhooks/1.0/webhook/72"});
    let body = json!({"name": "Bowline", "url": new.url, "events": new.events, "description": "",
        "excludeBody": false, "secret": "whsec", "filters": filters});
    let target = "/rest/webhooks/1.0/webhook";
    let call = async |c: &Client| c.register_webhook(&new).await;
    let made = sent(
        Cloud,
        json_answer(201, &answer),
        call,
        Method::POST,
        target,
        body,
    )
    .await
    .value;
    assert_eq!(
        (made.id.as_deref(), made.signed, made.enabled),
        (Some("72"), Some(true), true)
    );
    assert_eq!(made.jql.as_deref(), Some("project = ENG"));

    let body = json!({"name": "Bowline", "url": new.url, "events": new.events, "active": true,
        "configuration": {"EXCLUDE_BODY": "false", "SECRET": "whsec"}, "filters": filters,
        "sslVerificationRequired": true});
    let answer = json!({"id": 5, "name": "Bowline", "url": new.url, "events": new.events,
        "active": false});
    let target = "/rest/jira-webhook/1.0/webhooks";
    let call = async |c: &Client| c.register_webhook(&new).await;
    let made = sent(
        DataCenter,
        json_answer(201, &answer),
        call,
        Method::POST,
        target,
        body,
    )
    .await
    .value;
    assert_eq!(
        (made.id.as_deref(), made.signed, made.enabled),
        (Some("5"), None, false)
    );

    for list in [json!([answer]), json!({"values": [answer]})] {
        let call = async |c: &Client| c.webhooks().await;
        let found = sent(
            DataCenter,
            ok(&list),
            call,
            Method::GET,
            target,
            Value::Null,
        )
        .await
        .value;
        assert_eq!(found.len(), 1);
    }
    assert!(!format!("{new:?}").contains("whsec"));
}

#[tokio::test]
async fn a_lost_answer_leaves_a_write_unknown_and_a_read_or_search_repeatable() {
    let page = response(
        200,
        &[("content-type", "text/html")],
        "<title>Sign in</title>",
    );
    for (answer, on_read, on_write) in [
        (
            Err(SendFailure::Unknown("reset".into())),
            ErrorKind::Transient,
            ErrorKind::UnknownOutcome,
        ),
        (
            Err(SendFailure::NotSent("refused".into())),
            ErrorKind::Transient,
            ErrorKind::Transient,
        ),
        (
            Ok(response(503, &[("retry-after", "5")], "")),
            ErrorKind::Transient,
            ErrorKind::UnknownOutcome,
        ),
        (Ok(page), ErrorKind::Config, ErrorKind::UnknownOutcome),
    ] {
        let (client, _) = client(Cloud, answer.clone());
        let read = IssueRead::default();
        assert_eq!(
            client.issue("1", read).await.unwrap_err().kind,
            on_read,
            "{answer:?}"
        );
        let found = client.search("project = ENG", read, None, 50).await;
        assert_eq!(found.unwrap_err().kind, on_read, "{answer:?}");
        let put = client.put_link_property("1", &[]).await;
        assert_eq!(put.unwrap_err().kind, on_write, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_to_nobody_is_an_auth_error_except_where_anybody_may_ask() {
    let mut answer = ok(&json!({"issues": [], "total": 0, "startAt": 0,
        "baseUrl": "https://x.example.com", "deploymentType": "Server"}));
    answer
        .headers
        .insert("x-ausername", "anonymous".parse().unwrap());
    let (client, _) = client(DataCenter, Ok(answer));
    let found = client
        .search("project = ENG", IssueRead::default(), None, 50)
        .await;
    assert_eq!(found.unwrap_err().kind, ErrorKind::Auth);
    assert_eq!(
        client.server_info().await.unwrap().value.deployment,
        DataCenter
    );
}

#[tokio::test]
async fn an_id_from_outside_cannot_name_another_call() {
    let (client, fake) = client(Cloud, Ok(ok(&issue(Cloud))));
    assert_eq!(
        client.comment("1", "..").await.unwrap_err().kind,
        ErrorKind::Data
    );
    assert!(fake.requests().is_empty());
    client
        .issue("1/../2?x", IssueRead::default())
        .await
        .unwrap();
    assert_eq!(
        only(&fake).url.path(),
        "/ex/jira/1-2-3/rest/api/3/issue/1%2F..%2F2%3Fx"
    );
}
