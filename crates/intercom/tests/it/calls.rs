use std::sync::Arc;

use bowline_intercom::{API_VERSION, Client, Conversation, State};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer, response};
use bowline_net::{ApiError, ErrorKind, Reply, Request, Response, SendFailure};
use http::Method;
use serde_json::{Value, json};

const TOKEN: &str = "dG9rOmV4YW1wbGU=";
const ID: &str = "215475827415413";

/// A conversation as the REST API of 2.16 writes it, part id as an integer.
fn conversation() -> Value {
    json!({
        "type": "conversation", "id": ID, "title": null, "created_at": 1_734_537_511,
        "updated_at": 1_734_537_600, "snoozed_until": null, "open": false, "state": "closed",
        "admin_assignee_id": 0, "team_assignee_id": 31,
        "source": {"type": "conversation", "author":
            {"type": "lead", "id": "6762f0", "name": null, "email": ""}},
        "contacts": {"type": "contact.list", "contacts": [
            {"type": "contact", "id": "6762f0", "external_id": null},
            {"type": "contact", "id": "6762f1", "external_id": "70"}]},
        "conversation_parts": {"type": "conversation_part.list", "total_count": 612,
            "conversation_parts": [
                {"type": "conversation_part", "id": 37_358_198_341_u64, "part_type": "note",
                 "body": "<p>noted</p>", "created_at": 1_734_537_590, "assigned_to": null,
                 "author": {"type": "admin", "id": 274, "name": "Robin", "email": "r@example.com"},
                 "app_package_code": "bowline-x1"}]}
    })
}

fn client(answer: Result<Response, SendFailure>) -> (Client, Arc<FakeTransport>) {
    let fake = FakeTransport::always(answer);
    let base = "https://api.eu.intercom.io".parse().unwrap();
    (Client::new(fake.clone(), base, TOKEN.into()), fake)
}

fn only(fake: &FakeTransport) -> Request {
    let mut all = fake.requests();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[tokio::test]
async fn every_call_has_its_method_path_and_body() {
    type Sent = Result<Reply<Conversation>, ApiError>;
    async fn check(
        call: impl AsyncFnOnce(&Client) -> Sent,
        method: Method,
        path: &str,
        body: Value,
    ) {
        let (client, fake) = client(Ok(json_answer(200, &conversation())));
        call(&client).await.unwrap();
        let sent = only(&fake);
        assert_eq!((&sent.method, sent.url.path()), (&method, path));
        assert_eq!(sent.url.host_str(), Some("api.eu.intercom.io"));
        assert_eq!(body_of(&sent), body);
        assert_eq!(
            sent.headers["authorization"],
            format!("Bearer {TOKEN}").as_str()
        );
        assert_eq!(sent.headers["intercom-version"], API_VERSION);
        assert_eq!(sent.headers["accept"], "application/json");
        assert_eq!(sent.headers.contains_key("content-type"), !body.is_null());
        assert!(
            !format!("{sent:?}").contains(TOKEN),
            "the token shows in a debug form"
        );
    }
    let reply = format!("/conversations/{ID}/reply");
    let parts = format!("/conversations/{ID}/parts");
    check(
        async |c| c.conversation(ID).await,
        Method::GET,
        &format!("/conversations/{ID}"),
        Value::Null,
    )
    .await;
    check(
        async |c| c.note(ID, "9", "<p>a &amp; b</p>").await,
        Method::POST,
        &reply,
        json!({"message_type": "note", "type": "admin", "admin_id": "9", "body": "<p>a &amp; b</p>"}),
    )
    .await;
    check(
        async |c| c.open(ID, "9").await,
        Method::POST,
        &parts,
        json!({"message_type": "open", "type": "admin", "admin_id": "9"}),
    )
    .await;
    check(
        async |c| c.close(ID, "9").await,
        Method::POST,
        &parts,
        json!({"message_type": "close", "type": "admin", "admin_id": "9"}),
    )
    .await;
    check(
        async |c| c.snooze(ID, "9", 1_734_541_187).await,
        Method::POST,
        &parts,
        json!({"message_type": "snoozed", "admin_id": "9", "snoozed_until": 1_734_541_187}),
    )
    .await;
    check(
        async |c| c.assign(ID, "9", "22").await,
        Method::POST,
        &parts,
        json!({"message_type": "assignment", "type": "admin", "admin_id": "9", "assignee_id": "22"}),
    )
    .await;
    check(
        async |c| c.unassign(ID, "9").await,
        Method::POST,
        &parts,
        json!({"message_type": "assignment", "type": "admin", "admin_id": "9", "assignee_id": "0"}),
    )
    .await;
}

#[tokio::test]
async fn a_conversation_is_read_with_its_pace() {
    let mut answer = json_answer(200, &conversation());
    answer
        .headers
        .insert("x-ratelimit-remaining", "1600".parse().unwrap());
    let (client, _) = client(Ok(answer));
    let reply = client.conversation(ID).await.unwrap();
    assert_eq!(reply.limits.remaining, Some(1600));
    let read = reply.value;
    assert_eq!(
        (read.id.as_str(), &read.state, read.open),
        (ID, &State::Closed, Some(false))
    );
    assert_eq!(read.admin_assignee_id, None);
    assert_eq!(read.team_assignee_id.as_deref(), Some("31"));
    assert_eq!(read.total_parts, Some(612));
    assert_eq!(read.source_author.kind, "lead");
    assert_eq!(read.source_author.email, None);
    let externals: Vec<_> = read
        .contacts
        .iter()
        .map(|c| c.external_id.as_deref())
        .collect();
    assert_eq!(externals, [None, Some("70")]);
    let part = &read.parts[0];
    assert_eq!(
        (part.id.as_str(), part.part_type.as_str()),
        ("37358198341", "note")
    );
    assert_eq!(part.author.id.as_deref(), Some("274"));
    assert_eq!(part.app_package_code.as_deref(), Some("bowline-x1"));
}

#[tokio::test]
async fn who_we_are_and_who_else_is_there() {
    let me = json!({"type": "admin", "id": "991267459", "email": "ann@example.com", "name": "Ann",
        "app": {"type": "app", "id_code": "abc12345", "name": "Example", "region": "EU"}});
    let (one, fake) = client(Ok(json_answer(200, &me)));
    let read = one.me().await.unwrap().value;
    assert_eq!(only(&fake).url.path(), "/me");
    assert_eq!(
        (read.admin_id.as_str(), read.workspace.as_str()),
        ("991267459", "abc12345")
    );
    assert_eq!(read.region.as_deref(), Some("EU"));

    let admins = json!({"type": "admin.list", "admins": [
        {"type": "admin", "id": 1, "name": "Ann", "email": "ann@example.com"},
        {"type": "admin", "id": "2", "name": null}, {"type": "admin", "id": null}]});
    let (two, fake) = client(Ok(json_answer(200, &admins)));
    let read = two.admins().await.unwrap().value;
    assert_eq!(only(&fake).url.path(), "/admins");
    assert_eq!(
        read.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_a_write_unknown_and_a_read_repeatable() {
    let lost = || Err(SendFailure::Unknown("reset".into()));
    let refused = || Err(SendFailure::NotSent("refused".into()));
    let page = || {
        Ok(response(
            200,
            &[("content-type", "text/html")],
            "<title>Sign in</title>",
        ))
    };
    let empty = || Ok(json_answer(200, &json!({"type": "conversation"})));
    for (answer, on_read, on_write) in [
        (lost(), ErrorKind::Transient, ErrorKind::UnknownOutcome),
        (refused(), ErrorKind::Transient, ErrorKind::Transient),
        (
            Ok(response(502, &[], "")),
            ErrorKind::Transient,
            ErrorKind::UnknownOutcome,
        ),
        (page(), ErrorKind::Config, ErrorKind::UnknownOutcome),
        (empty(), ErrorKind::Data, ErrorKind::UnknownOutcome),
    ] {
        let (client, _) = client(answer.clone());
        assert_eq!(
            client.conversation(ID).await.unwrap_err().kind,
            on_read,
            "{answer:?}"
        );
        assert_eq!(
            client.note(ID, "9", "x").await.unwrap_err().kind,
            on_write,
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn an_id_from_outside_cannot_name_another_call() {
    let (client, fake) = client(Ok(json_answer(200, &conversation())));
    for id in ["", "..", "."] {
        assert_eq!(
            client.conversation(id).await.unwrap_err().kind,
            ErrorKind::Data
        );
    }
    assert!(fake.requests().is_empty());
    client.conversation("1/../../me?x#y").await.unwrap();
    assert_eq!(
        only(&fake).url.path(),
        "/conversations/1%2F..%2F..%2Fme%3Fx%23y"
    );
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_an_auth_error_and_not_shown() {
    let fake = FakeTransport::always(Ok(json_answer(200, &json!({}))));
    let client = Client::new(
        fake,
        "https://api.intercom.io".parse().unwrap(),
        "to\nken".to_owned().into(),
    );
    let error = client.me().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(!error.to_string().contains("to\nken"));
}

#[tokio::test]
async fn conversations_of_a_contact_are_searched_and_a_search_is_a_read() {
    let found = json!({"type": "conversation.list", "conversations": [conversation()],
        "total_count": 1});
    let (client, fake) = client(Ok(json_answer(200, &found)));
    let all = client.conversations_of("6762f0", 17, 20).await.unwrap();
    assert_eq!(all.value.len(), 1);
    let sent = only(&fake);
    assert_eq!(
        (&sent.method, sent.url.path()),
        (&Method::POST, "/conversations/search")
    );
    let query = json!({"operator": "AND", "value": [
        {"field": "contact_ids", "operator": "=", "value": "6762f0"},
        {"field": "updated_at", "operator": ">", "value": 17}]});
    assert_eq!(
        body_of(&sent),
        json!({"query": query, "pagination": {"per_page": 20}})
    );
    let (client, _) = self::client(Ok(response(500, &[], "")));
    let error = client.conversations_of("1", 1, 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient, "it may be asked again");
}
