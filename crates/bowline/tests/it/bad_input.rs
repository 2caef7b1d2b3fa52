//! What comes from outside and is not as it should be.

use bowline::demo::{NOTIFY_TOKEN, Plan, SITE, WEBHOOK_SECRET, WORKSPACE};
use bowline::system::SystemClock;
use bowline_domain::time::Clock as _;
use bowline_sandbox::common::sign::{hmac_sha1_hex, hmac_sha256_hex};
use bowline_store::model::{EventState, Redacted};

use crate::process::run;
use crate::stage::{On, Stage, answer, on_both};

/// The largest body that these services take, in bytes.
const BODY_BYTES: usize = 65_536;

fn small_bodies(plan: &mut Plan) {
    plan.top = format!("[limits]\nbody_bytes = {BODY_BYTES}");
}

fn sha256(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_sha256_hex(secret, body))
}

#[tokio::test]
async fn signatures_are_asked_for_before_anything_else() {
    let stage = Stage::with(small_bodies).await;
    let secret = stage.intercom().config().client_secret.clone();
    let jira = format!("/hooks/jira/{SITE}");
    let intercom = format!("/hooks/intercom/{WORKSPACE}");
    let ping = br#"{"topic":"ping","data":{"item":{"type":"ping"}}}"#.as_slice();
    let created = br#"{"webhookEvent":"jira:issue_created"}"#.as_slice();
    let (good_jira, good_intercom) = (
        sha256(WEBHOOK_SECRET, created),
        format!("sha1={}", hmac_sha1_hex(&secret, ping)),
    );
    let broken = b"{\"webhookEvent\":".as_slice();
    let broken_signed = sha256(WEBHOOK_SECRET, broken);
    let large = vec![b' '; BODY_BYTES + 1];
    let large_signed = sha256(WEBHOOK_SECRET, &large);
    for (path, body, signature, expected) in [
        (&jira, created, Some(&good_jira), 200),
        (&jira, created, None, 401),
        (&jira, created, Some(&String::new()), 401),
        (&jira, created, Some(&"sha256=".to_owned()), 401),
        (
            &jira,
            created,
            Some(&sha256("another secret", created)),
            401,
        ),
        (
            &jira,
            created,
            Some(&good_jira.replace("sha256=", "sha1=")),
            401,
        ),
        (&jira, created, Some(&good_jira.replace("sha256=", "")), 401),
        (&jira, broken, None, 401),
        (&jira, broken, Some(&broken_signed), 400),
        (
            &jira,
            b"".as_slice(),
            Some(&sha256(WEBHOOK_SECRET, b"")),
            400,
        ),
        (&jira, large.as_slice(), Some(&large_signed), 413),
        (
            &"/hooks/jira/another".to_owned(),
            created,
            Some(&good_jira),
            404,
        ),
        (&"/hooks/jira/another".to_owned(), created, None, 404),
        (&intercom, ping, Some(&good_intercom), 200),
        (&intercom, ping, None, 401),
        (
            &intercom,
            ping,
            Some(&good_intercom.replace("sha1=", "sha1=0")),
            401,
        ),
        (
            &intercom,
            broken,
            Some(&format!("sha1={}", hmac_sha1_hex(&secret, broken))),
            400,
        ),
        (
            &"/hooks/intercom/another".to_owned(),
            ping,
            Some(&good_intercom),
            404,
        ),
        (&"/hooks/intercom/another".to_owned(), ping, None, 404),
    ] {
        let mut request = stage.client().post(stage.url(path)).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("x-hub-signature", signature);
        }
        let (status, text) = answer(request).await;
        assert_eq!(
            status,
            expected,
            "{path} {signature:?} {}: {text}",
            String::from_utf8_lossy(&body[..body.len().min(80)])
        );
        for name in [SITE, WORKSPACE, WEBHOOK_SECRET, &secret] {
            assert!(!text.contains(name), "{text}");
        }
    }
}

#[tokio::test]
async fn two_secrets_are_good_while_one_replaces_the_other() {
    let stage = Stage::cloud().await;
    stage.edit_config(
        "webhook_secret = ",
        "webhook_secret_previous = \"the-one-before-it\"\nwebhook_secret = ",
    );
    stage.configure().await;
    let body = br#"{"webhookEvent":"jira:issue_created"}"#;
    for (secret, expected) in [
        ("the-one-before-it", 200),
        (WEBHOOK_SECRET, 200),
        ("another", 401),
    ] {
        let request = stage
            .client()
            .post(stage.url(&format!("/hooks/jira/{SITE}")))
            .header("x-hub-signature", sha256(secret, body))
            .header("x-atlassian-webhook-identifier", secret)
            .body(body.to_vec());
        assert_eq!(answer(request).await.0, expected, "{secret}");
    }
}

#[tokio::test]
async fn intercom_gets_200_for_head_and_never_410() {
    let stage = Stage::cloud().await;
    for (method, path, expected) in [
        ("HEAD", format!("/hooks/intercom/{WORKSPACE}"), 200),
        ("HEAD", format!("/hooks/jira/{SITE}"), 200),
        ("GET", format!("/hooks/intercom/{WORKSPACE}"), 200),
        ("PUT", format!("/hooks/intercom/{WORKSPACE}"), 405),
        ("POST", "/hooks/intercom".to_owned(), 404),
        ("POST", "/hooks/intercom/a/b".to_owned(), 404),
        ("GET", "/nothing/here".to_owned(), 404),
    ] {
        let request = stage
            .client()
            .request(method.parse().unwrap(), stage.url(&path));
        assert_eq!(answer(request).await.0, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn the_notify_address_wants_its_bearer_and_its_form() {
    let stage = Stage::cloud().await;
    let (issue, _) = stage.linked().await;
    let path = format!("/hooks/jira/{SITE}/notify");
    let good = format!("{{\"issue\":\"{issue}\",\"note\":true}}");
    for (path, bearer, body, expected) in [
        (&path, Some(NOTIFY_TOKEN), good.as_str(), 200),
        (
            &path,
            Some(NOTIFY_TOKEN),
            r#"{"issue":"NONE-1","note":true}"#,
            200,
        ),
        (&path, Some("wrong"), &good, 401),
        (&path, Some(""), &good, 401),
        (&path, None, &good, 401),
        (&path, None, "{", 401),
        (
            &"/hooks/jira/another/notify".to_owned(),
            Some(NOTIFY_TOKEN),
            &good,
            404,
        ),
        (&path, Some(NOTIFY_TOKEN), "{", 400),
        (&path, Some(NOTIFY_TOKEN), "[]", 400),
        (&path, Some(NOTIFY_TOKEN), r#"{"note":true}"#, 400),
        (&path, Some(NOTIFY_TOKEN), r#"{"issue":7,"note":true}"#, 400),
        (
            &path,
            Some(NOTIFY_TOKEN),
            r#"{"issue":"ENG-1","notes":true}"#,
            400,
        ),
        (
            &path,
            Some(NOTIFY_TOKEN),
            "{\"issue\":\"\u{0}\",\"note\":true}",
            400,
        ),
    ] {
        let mut request = stage.client().post(stage.url(path)).body(body.to_owned());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let (status, text) = answer(request).await;
        assert_eq!(status, expected, "{path} {bearer:?} {body}: {text}");
    }
    stage.settled().await;
    assert!(stage.reasons().await.contains(&"issue_gone"));

    let stage = Stage::prepare(|_| ()).await;
    stage.edit_config(&format!("notify_token = \"{NOTIFY_TOKEN}\"\n"), "");
    let mut stage = stage;
    stage.start().await;
    for token in ["", NOTIFY_TOKEN] {
        let request = stage
            .client()
            .post(stage.url(&path))
            .bearer_auth(token)
            .body(good.clone());
        assert_eq!(
            answer(request).await.0,
            404,
            "without a token there is no such address"
        );
    }
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_again() {
    let stage =
        Stage::with(|plan| "[limits]\ndeliveries_at_once = 1".clone_into(&mut plan.top)).await;
    stage.settled().await;
    // One whose body does not come takes the only place.
    let mut slow = tokio::net::TcpStream::connect(stage.addr()).await.unwrap();
    let head =
        format!("POST /hooks/jira/{SITE} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{{");
    tokio::io::AsyncWriteExt::write_all(&mut slow, head.as_bytes())
        .await
        .unwrap();
    let body = br#"{"webhookEvent":"jira:issue_created"}"#;
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    loop {
        let request = stage
            .client()
            .post(stage.url(&format!("/hooks/jira/{SITE}")))
            .header("x-hub-signature", sha256(WEBHOOK_SECRET, body))
            .body(body.to_vec());
        let response = request.send().await.unwrap();
        if response.status() == 503 {
            assert!(response.headers().contains_key("retry-after"));
            break;
        }
        assert!(tokio::time::Instant::now() < deadline);
    }
    drop(slow);
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while stage.deliver_jira(body, None).await.0 != 200 {
        assert!(tokio::time::Instant::now() < deadline);
    }
}

on_both!(
    hostile_bodies_are_answered_and_do_no_harm,
    unknown_shapes_are_kept_and_shown,
    a_quarantined_text_goes_after_its_time_and_a_replay_says_so
);

async fn a_quarantined_text_goes_after_its_time_and_a_replay_says_so(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (_, text) = stage
        .deliver_jira(br#"{"some":"thing that a customer said"}"#, None)
        .await;
    let event = text
        .trim_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap();
    assert_eq!(stage.decided(event).await.state, EventState::Quarantined);
    // As the hourly look does when `limits.payload_days` are over.
    let mut done = Redacted {
        more: true,
        ..Redacted::default()
    };
    let later = SystemClock.now().plus_ms(1);
    while done.more {
        done = stage.store().redact(later, done).await.unwrap();
    }
    let view = stage.decided(event).await;
    assert_eq!(
        (view.state, &*view.event.body),
        (EventState::Quarantined, "")
    );

    let id = event.to_string();
    run(&stage, &["events", "replay", &id]).await.good();
    let view = stage.decided(event).await;
    assert_eq!(view.state, EventState::Quarantined);
    let shown = run(&stage, &["events", "show", &id]).await.good();
    assert!(shown.contains("limits.payload_days"), "{shown}");
}

async fn unknown_shapes_are_kept_and_shown(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    for body in [
        r#"{"some":"thing else"}"#,
        "[1,2,3]",
        "\"text\"",
        "7",
        "null",
        r#"{"webhookEvent":{"a":1}}"#,
    ] {
        let (status, text) = stage.deliver_jira(body.as_bytes(), None).await;
        assert_eq!(status, 200, "{body}: {text}");
        let event = text
            .trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap();
        let view = stage.decided(event).await;
        assert_eq!(view.state, EventState::Quarantined, "{body}");
        assert_eq!(&*view.event.body, body);
    }
    let (status, text) = stage
        .deliver_intercom(br#"{"type":"notification_event"}"#)
        .await;
    assert_eq!(status, 200, "{text}");
    let listed = run(&stage, &["events", "list", "--state", "quarantined"])
        .await
        .good();
    assert_eq!(listed.lines().count(), 7, "{listed}");
    let first = listed
        .lines()
        .last()
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let shown = run(&stage, &["events", "show", first, "--body"])
        .await
        .good();
    assert!(
        shown.contains("thing else") && shown.contains("does not know this shape"),
        "{shown}"
    );
}

async fn hostile_bodies_are_answered_and_do_no_harm(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    let id = stage.jira().issue(&issue).unwrap().id;
    let deep =
        |depth: usize, inside: &str| format!("{}{inside}{}", "[".repeat(depth), "]".repeat(depth));
    let long = "x".repeat(1_000_000);
    let digits = "9".repeat(100_000);
    let bodies: Vec<Vec<u8>> = vec![
        deep(100_000, "").into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","x":{}}}"#, deep(5_000, "1")).into_bytes(),
        format!(r#"{{"webhookEvent":"{long}"}}"#).into_bytes(),
        br#"{"webhookEvent":"a\u0000b","issue":{"id":"1","key":"ENG-\u0000"}}"#.to_vec(),
        b"{\"webhookEvent\":\"a\x00b\"}".to_vec(),
        b"{\"webhookEvent\":\"\xff\xfe\"}".to_vec(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","issue":{{"id":"{digits}"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","timestamp":{digits},"issue":{{"id":{id},"key":"{issue}"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","timestamp":1e400,"issue":{{"id":"{id}"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","timestamp":-9223372036854775808,"issue":{{"id":"{id}","key":"{issue}","fields":{{"created":"0000-00-00","updated":"99999-99-99T99:99:99.999+9999","project":[],"status":"x","description":{{"type":"doc"}}}}}},"changelog":{{"id":"{digits}","items":[null,7,{{"field":7}},{{"field":"status","from":{{}},"toString":null}}]}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_updated","issue":{{"id":"{id}"}},"changelog":{{"id":"a\u0000b","items":[{{"field":"status","fromString":"\u0000","toString":"\u0000","from":"1","to":"2"}}]}},"user":{{"accountId":"\u0000","displayName":"N\u0000l"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"comment_created","comment":{{"id":"7\u0000","self":"http://x/rest/api/2/issue/{id}/comment/7","body":{{"type":"doc","content":{}}}}}}}"#, deep(100, "")).into_bytes(),
        format!(r#"{{"webhookEvent":"comment_created","comment":{{"id":"../../../myself","self":"http://x/rest/api/2/issue/{id}/comment/7"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"comment_created","comment":{{"id":"{long}","self":"http://x/rest/api/2/issue/{id}/comment/7"}}}}"#).into_bytes(),
        format!(r#"{{"webhookEvent":"jira:issue_deleted","issue":{{"id":"{id}","key":"{issue}"}}}}"#).into_bytes(),
        br#"{"webhookEvent":"jira:issue_deleted","webhookEvent":"jira:issue_created","issue":{"id":"1"},"issue":{"id":"2"}}"#.to_vec(),
        br#"{"webhookEvent":"jira:issue_created","issue":{"id":"123456789","key":"ENG-9","fields":{"summary":"\u0000","description":"\u0000","project":{"key":"ENG"},"status":{"id":"1","name":"\u0000"},"created":"2026-01-01T00:00:00.000+0000","security":null}}}"#.to_vec(),
    ];
    for body in &bodies {
        let (status, text) = stage.deliver_jira(body, None).await;
        let start = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        assert!([200, 400].contains(&status), "{status} {text}: {start}");
    }
    for body in [
        format!(r#"{{"topic":"{long}"}}"#),
        r#"{"topic":"a\u0000","id":"\u0000"}"#.to_owned(),
        format!(r#"{{"topic":"conversation.admin.closed","id":"{long}","data":{{"item":{{"type":"conversation","id":"{digits}"}}}}}}"#),
        r#"{"topic":"conversation.deleted","data":{"item":{"conversation_id":"a\u0000b"}}}"#.to_owned(),
        r#"{"topic":"conversation.admin.closed","data":{"item":{"type":"conversation","id":"1/../../me","conversation_parts":7}}}"#.to_owned(),
        deep(100_000, "{"),
    ] {
        let (status, text) = stage.deliver_intercom(body.as_bytes()).await;
        assert!([200, 400].contains(&status), "{status} {text}: {}", &body[..body.len().min(200)]);
    }
    let long_name = "n".repeat(8_000);
    let named = stage
        .deliver_jira(
            br#"{"webhookEvent":"jira:issue_updated"}"#,
            Some(&long_name),
        )
        .await;
    assert_eq!(named.0, 200, "{}", named.1);
    for (name, key) in [
        (long_name.as_str(), issue.as_str()),
        ("k", "ENG-\\u0000"),
        ("l", &long[..100_000]),
        ("m", &digits),
    ] {
        let request = stage
            .client()
            .post(stage.url(&format!("/hooks/jira/{SITE}/notify")))
            .bearer_auth(NOTIFY_TOKEN)
            .header("idempotency-key", name)
            .body(format!(
                "{{\"issue\":\"{key}\",\"note\":true,\"text\":\"nul \\u0000 in it\"}}"
            ));
        let (status, text) = answer(request).await;
        assert!(
            [200, 400].contains(&status),
            "{status} {text}: {}",
            &key[..key.len().min(60)]
        );
    }
    stage.note(&conversation, &["nul", "in it"]).await;
    // After all that it still does its work, and everything is explained.
    stage.lena().comment(&issue, "Still here.").unwrap();
    stage.note(&conversation, &["Still here."]).await;
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [conversation]);
    for view in stage.events().await {
        let panicked = view
            .trouble
            .as_deref()
            .is_some_and(|trouble| trouble.contains("fault of Bowline"));
        assert!(
            !panicked,
            "{} {:?}",
            &view.event.body[..view.event.body.len().min(200)],
            view.trouble
        );
    }
}
