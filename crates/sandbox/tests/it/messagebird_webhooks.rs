//! Webhooks of the simulated MessageBird: bodies, signatures, repeats and disturbances.

use std::collections::HashSet;

use bowline_sandbox::common::{Disturbance, Fault, FaultKind};
use bowline_sandbox::messagebird::{Config, Signature};
use bowline_sandbox::phones::{Failure, Habit};
use serde_json::{Value, json};

use crate::independent::{deprecated, from_base64, hex, jwt_claims, sha256};
use crate::intercom_webhooks::Receiver;
use crate::messagebird::{Bird, words};

const MONA: &str = "+15550100";
const KEY: &str = "sandbox-signing-key";
const EVENTS: [&str; 4] = [
    "conversation.created",
    "conversation.updated",
    "message.created",
    "message.updated",
];

async fn hooked(config: Config, query: &str) -> (Bird, Receiver) {
    let receiver = Receiver::new().await;
    let bird = Bird::with(config).await;
    let hook = json!({ "url": format!("{}{query}", receiver.url), "events": EVENTS });
    assert_eq!(bird.call("POST", "/v1/webhooks", hook).await.0, 201);
    (bird, receiver)
}

/// What was told, as event and status.
fn told(receiver: &Receiver) -> Vec<String> {
    let one = |body: &Value| {
        let status = body["message"]["status"]
            .as_str()
            .or(body["conversation"]["status"].as_str());
        format!("{} {}", body["type"].as_str().unwrap(), status.unwrap())
    };
    let mut told: Vec<String> = receiver.bodies().iter().map(one).collect();
    told.sort();
    told
}

#[tokio::test]
async fn everything_is_told_also_what_we_send() {
    let (bird, receiver) = hooked(Config::default(), "").await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let conversation = mona.conversation().unwrap();
    bird.reply(&conversation, "by the API").await;
    bird.state().inbox_reply(&conversation, "by hand").unwrap();
    mona.reads();
    bird.state().archive(&conversation).unwrap();
    bird.state().sender().quiet().await;
    assert_eq!(
        told(&receiver),
        [
            "conversation.created active",
            "conversation.updated archived",
            "message.created pending",
            "message.created pending",
            "message.created received",
            "message.updated delivered",
            "message.updated delivered",
            "message.updated read",
            "message.updated read",
            "message.updated sent",
            "message.updated sent",
        ]
    );
    let bodies = receiver.bodies();
    let by_hand = bodies
        .iter()
        .find(|body| body["message"]["content"]["text"] == "by hand")
        .unwrap();
    assert_eq!(by_hand["message"]["direction"], "sent");
    assert_eq!(by_hand["message"]["to"], MONA);
    assert_eq!(by_hand["conversation"]["messages"]["totalCount"], 0);
    assert_eq!(
        by_hand["contact"]["updatedDatetime"],
        "0001-01-01T00:00:00Z"
    );
    assert_eq!(by_hand["contact"]["customDetails"], json!([]));
    let lines = mona.lines();
    assert_eq!(
        lines.iter().map(|line| line.by_api).collect::<Vec<_>>(),
        [false, true, false]
    );
}

#[tokio::test]
async fn the_token_signs_the_registered_address_and_the_body() {
    let (bird, receiver) = hooked(Config::default(), "?b=2&a=1").await;
    bird.state().phone(MONA).writes("hello");
    bird.state().sender().quiet().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    for (headers, body) in &received {
        let token = headers["messagebird-signature-jwt"].to_str().unwrap();
        let claims = jwt_claims(token, KEY).unwrap();
        let url = format!("{}?b=2&a=1", receiver.url);
        assert_eq!(claims["iss"], "MessageBird");
        assert_eq!(claims["url_hash"], hex(&sha256(url.as_bytes())));
        assert_eq!(claims["payload_hash"], hex(&sha256(body)));
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(),
            60
        );
        assert!(headers.get("messagebird-signature").is_none());
    }
}

#[tokio::test]
async fn behind_a_proxy_the_public_address_is_signed() {
    let receiver = Receiver::new().await;
    let public = "https://bowline.example.com";
    let inside = receiver.url.trim_end_matches("/hook").to_owned();
    let bird = Bird::with(Config {
        reroute: vec![(public.to_owned(), inside)],
        ..Config::default()
    })
    .await;
    let hook = json!({ "url": format!("{public}/hook"), "events": EVENTS });
    bird.call("POST", "/v1/webhooks", hook).await;
    bird.state().phone(MONA).writes("hello");
    bird.state().sender().quiet().await;
    let (headers, _) = &receiver.received()[0];
    let token = headers["messagebird-signature-jwt"].to_str().unwrap();
    let url = format!("{public}/hook");
    let claims = jwt_claims(token, KEY).unwrap();
    assert_eq!(claims["url_hash"], hex(&sha256(url.as_bytes())));
}

#[tokio::test]
async fn the_deprecated_signature_sorts_the_query() {
    let config = Config {
        signature: Signature::Hmac,
        ..Config::default()
    };
    let (bird, receiver) = hooked(config, "?b=2&a=1").await;
    bird.state().phone(MONA).writes("hello");
    bird.state().sender().quiet().await;
    for (headers, body) in &receiver.received() {
        let header = |name: &str| headers[name].to_str().unwrap();
        let at = header("messagebird-request-timestamp");
        let expected = deprecated(KEY, at, "a=1&b=2", body);
        assert_eq!(from_base64(header("messagebird-signature")), expected);
        assert!(headers.get("messagebird-signature-jwt").is_none());
    }
}

#[tokio::test]
async fn repeats_carry_the_same_body_and_a_fresh_token() {
    let config = Config {
        retry_delays_ms: vec![1],
        ..Config::default()
    };
    let (bird, receiver) = hooked(config, "").await;
    receiver.answer_next(&[500]);
    bird.state().disturb(Disturbance {
        duplicate_every: 1,
        ..Disturbance::default()
    });
    bird.state().phone(MONA).writes("hello");
    bird.state().sender().quiet().await;
    let received = receiver.received();
    // Two deliveries, each twice, and one of them once more.
    assert_eq!(received.len(), 5);
    let bodies: HashSet<Vec<u8>> = received.iter().map(|(_, body)| body.to_vec()).collect();
    assert_eq!(bodies.len(), 2);
    let tokens: HashSet<String> = received
        .iter()
        .map(|(headers, _)| {
            let token = headers["messagebird-signature-jwt"].to_str().unwrap();
            jwt_claims(token, KEY).unwrap()["jti"].to_string()
        })
        .collect();
    assert_eq!(tokens.len(), 5);
}

#[tokio::test]
async fn a_webhook_may_overtake_the_answer() {
    let (bird, receiver) = hooked(Config::default(), "").await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    bird.state().sender().quiet().await;
    let path = format!(
        "/v1/conversations/{}/messages",
        mona.conversation().unwrap()
    );
    bird.state()
        .faults()
        .add(Fault::of(FaultKind::HangAfter).on("POST", "/messages"));
    let call = bird
        .request("POST", &path)
        .body(words("hm").to_string())
        .send();
    tokio::select! {
        _ = call => panic!("the answer came"),
        () = receiver.until(|bodies| bodies.iter().any(|body| body["message"]["status"] == "delivered")) => {}
    }
    assert_eq!(mona.texts(), ["hm"]);
}

#[tokio::test]
async fn failures_and_reports_are_told() {
    let (bird, receiver) = hooked(Config::default(), "").await;
    let reports = Receiver::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    mona.habit(Habit {
        fails: Some(Failure::new(301, "Failed to send message.")),
        ..Habit::default()
    });
    let mut body = words("hm");
    body["reportUrl"] = reports.url.clone().into();
    body["source"] = json!({ "effect": "e1" });
    let path = format!(
        "/v1/conversations/{}/messages",
        mona.conversation().unwrap()
    );
    bird.call("POST", &path, body).await;
    bird.state().sender().quiet().await;
    let bodies = receiver.bodies();
    let failed = bodies
        .iter()
        .find(|body| body["type"] == "message.updated")
        .unwrap();
    assert_eq!(failed["message"]["error"]["code"], 301);
    assert_eq!(failed["message"]["source"], json!({ "effect": "e1" }));
    let report = &reports.bodies()[0];
    assert_eq!(
        (&report["type"], &report["error"]["code"]),
        (&json!("message.status"), &json!(301))
    );
}

#[tokio::test]
async fn only_the_channels_and_events_asked_for_are_told() {
    let receiver = Receiver::new().await;
    let bird = Bird::new().await;
    let sms = bird.state().channels()[1].id.clone();
    let hook = json!({ "url": receiver.url, "events": ["message.created"], "channelId": sms });
    bird.call("POST", "/v1/webhooks", hook).await;
    let mona = bird.state().phone(MONA);
    mona.writes("over WhatsApp");
    mona.clone().on("sms").writes("over SMS");
    bird.state().sender().quiet().await;
    assert_eq!(told(&receiver), ["message.created received"]);
    assert_eq!(
        receiver.bodies()[0]["message"]["content"]["text"],
        "over SMS"
    );
}
