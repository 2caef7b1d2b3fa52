//! Webhooks of the simulated Intercom: envelope, signature, retry, and disturbances.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::common::server::{self, Server};
use bowline_sandbox::common::sign::hmac_sha1_hex;
use bowline_sandbox::intercom::Config;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::intercom::{TEAMMATE, World, note};

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver of webhooks that answers from a list of statuses, then 200.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Received,
    answers: Arc<Mutex<Vec<u16>>>,
    _server: Server,
}

impl Receiver {
    pub(crate) async fn new() -> Self {
        let received = Received::default();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let take = async |state: State<(Received, Arc<Mutex<Vec<u16>>>)>,
                          headers: HeaderMap,
                          body: Bytes| {
            state.0.0.lock().unwrap().push((headers, body));
            StatusCode::from_u16(state.0.1.lock().unwrap().pop().unwrap_or(200)).unwrap()
        };
        let router = Router::new()
            .route("/hook", post(take).head(async || StatusCode::OK))
            .with_state((received.clone(), answers.clone()));
        let server = server::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), router)
            .await
            .unwrap();
        Self {
            url: format!("http://{}/hook", server.addr()),
            received,
            answers,
            _server: server,
        }
    }

    /// Everything that came, oldest first.
    pub(crate) fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.lock().unwrap().clone()
    }

    /// Answers the next deliveries with these statuses, the last one first.
    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// Ends when what came fulfils the predicate.
    pub(crate) async fn until(&self, enough: impl Fn(&[Value]) -> bool) {
        while !enough(&self.bodies()) {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .map(|(_, body)| serde_json::from_slice(body).unwrap())
            .collect()
    }

    fn topics(&self) -> Vec<String> {
        self.bodies()
            .iter()
            .map(|body| body["topic"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn hooked(retry_ms: u64) -> (World, Receiver) {
    let config = Config {
        rate_limit_per_10s: None,
        webhook_retry_ms: retry_ms,
        ..Config::default()
    };
    let (world, receiver) = (World::with(config).await, Receiver::new().await);
    world.sandbox().set_webhook(Some(receiver.url.clone()));
    (world, receiver)
}

#[tokio::test]
async fn what_happens_is_told_signed_and_in_plain_text() {
    let (world, receiver) = hooked(1).await;
    let sandbox = world.sandbox();
    let id = world.conversation.as_str();
    let until = jiff::Timestamp::now().as_second() + 900;
    let mut expected = Vec::new();
    let tag = sandbox.create_tag("feedback");
    world
        .call(
            "POST",
            &world.reply_path(),
            note("<p>a <b>bold</b> note</p>"),
        )
        .await;
    expected.push("conversation.admin.noted");
    for (topics, act) in [
        (
            vec!["conversation.user.replied"],
            sandbox.customer_reply(id, "hm").map(|_| ()),
        ),
        (
            vec!["conversation.admin.replied"],
            sandbox.teammate_reply(id, TEAMMATE, "ok").map(|_| ()),
        ),
        (
            vec!["conversation_part.tag.created"],
            sandbox.tag(id, &tag, TEAMMATE),
        ),
        (
            vec!["conversation.admin.snoozed"],
            sandbox.snooze(id, TEAMMATE, until),
        ),
        (
            vec!["conversation.admin.opened"],
            sandbox.open(id, TEAMMATE),
        ),
        (
            vec!["conversation.admin.closed"],
            sandbox.close(id, TEAMMATE),
        ),
        (
            vec!["conversation.admin.assigned"],
            sandbox.assign(id, TEAMMATE, TEAMMATE),
        ),
        (
            vec!["conversation.deleted"],
            sandbox.delete_conversation(id),
        ),
        (
            vec!["contact.deleted"],
            sandbox.delete_contact(&world.contact),
        ),
    ] {
        act.unwrap();
        expected.extend(topics);
    }
    sandbox.sender().quiet().await;
    let mut topics = receiver.topics();
    topics.sort_unstable();
    expected.sort_unstable();
    assert_eq!(topics, expected);

    for (headers, body) in receiver.received.lock().unwrap().iter() {
        let signature = format!("sha1={}", hmac_sha1_hex("sandbox-client-secret", body));
        assert_eq!(headers["x-hub-signature"], signature.as_str());
        assert_eq!(headers["user-agent"], "intercom-parrot-service-client/1.0");
    }
    let find = |topic: &str| {
        receiver
            .bodies()
            .into_iter()
            .find(|body| body["topic"] == topic)
            .unwrap()
    };
    let noted = find("conversation.admin.noted");
    assert_eq!(
        (&noted["app_id"], &noted["delivery_attempts"]),
        (&json!("sbx00001"), &json!(1))
    );
    let item = &noted["data"]["item"];
    let part = &item["conversation_parts"]["conversation_parts"][0];
    assert_eq!(
        (&part["body"], &item["source"]["body"]),
        (&json!("a bold note"), &json!("It does not work"))
    );
    assert_eq!(item["conversation_parts"]["total_count"], 1);
    assert_eq!(
        find("conversation_part.tag.created")["data"]["item"]["tags_added"]["tags"][0]["name"],
        "feedback"
    );
    assert_eq!(
        find("conversation.deleted")["data"]["item"],
        json!({ "type": "conversation", "conversation_id": id })
    );
}

#[tokio::test]
async fn a_failed_delivery_comes_once_more_with_the_same_id() {
    let (world, receiver) = hooked(1).await;
    *receiver.answers.lock().unwrap() = vec![200, 500];
    world
        .sandbox()
        .close(&world.conversation, TEAMMATE)
        .unwrap();
    world.sandbox().sender().quiet().await;
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["id"], bodies[1]["id"]);
    assert_eq!(
        (
            &bodies[0]["delivery_attempts"],
            &bodies[1]["delivery_attempts"]
        ),
        (&json!(1), &json!(2))
    );
    for (headers, body) in receiver.received.lock().unwrap().iter() {
        let signature = format!("sha1={}", hmac_sha1_hex("sandbox-client-secret", body));
        assert_eq!(headers["x-hub-signature"], signature.as_str());
    }
    receiver.answers.lock().unwrap().extend([500, 500]);
    world.sandbox().open(&world.conversation, TEAMMATE).unwrap();
    world.sandbox().sender().quiet().await;
    let log = world.sandbox().sender().log();
    let attempts: Vec<(u32, Option<u16>)> = log
        .iter()
        .map(|entry| (entry.attempt, entry.status))
        .collect();
    assert_eq!(
        attempts,
        [
            (1, Some(500)),
            (2, Some(200)),
            (1, Some(500)),
            (2, Some(500))
        ]
    );
}

#[tokio::test]
async fn setting_up_checks_the_address_and_pings() {
    let (world, receiver) = hooked(1).await;
    world.sandbox().set_webhook(None);
    world
        .sandbox()
        .connect_webhook(&receiver.url)
        .await
        .unwrap();
    world.sandbox().sender().quiet().await;
    assert_eq!(receiver.topics(), ["ping"]);
    assert!(
        world
            .sandbox()
            .connect_webhook(&format!("{}/nowhere", receiver.url))
            .await
            .is_err()
    );

    receiver.answers.lock().unwrap().extend([410, 410]);
    world
        .sandbox()
        .close(&world.conversation, TEAMMATE)
        .unwrap();
    world.sandbox().sender().quiet().await;
    assert!(
        world.sandbox().webhook_disabled(),
        "410 ends the subscription"
    );
    let before = receiver.topics().len();
    world.sandbox().open(&world.conversation, TEAMMATE).unwrap();
    world.sandbox().sender().quiet().await;
    assert_eq!(receiver.topics().len(), before);
}

#[tokio::test]
async fn deliveries_can_be_disturbed() {
    let (world, receiver) = hooked(1).await;
    let sender = world.sandbox().sender();
    let write = |count: usize| {
        for number in 0..count {
            world
                .sandbox()
                .teammate_note(&world.conversation, TEAMMATE, &format!("{number}"))
                .unwrap();
        }
    };
    let texts = || -> Vec<String> {
        let mut received = receiver.received.lock().unwrap();
        let taken = received
            .drain(..)
            .map(|(_, body)| serde_json::from_slice::<Value>(&body).unwrap());
        taken
            .map(|body| {
                body["data"]["item"]["conversation_parts"]["conversation_parts"][0]["body"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    sender.disturb(Disturbance {
        duplicate_every: 2,
        ..Disturbance::default()
    });
    write(4);
    sender.quiet().await;
    assert_eq!(texts().len(), 6);

    sender.disturb(Disturbance {
        drop_every: 2,
        ..Disturbance::default()
    });
    write(4);
    sender.quiet().await;
    assert_eq!(texts().len(), 2);

    sender.disturb(Disturbance {
        reorder: true,
        ..Disturbance::default()
    });
    write(2);
    sender.quiet().await;
    assert_eq!(texts(), ["1", "0"]);
    write(1);
    sender.quiet().await;
    assert_eq!(
        texts(),
        ["0"],
        "with none to overtake it, it goes out alone"
    );

    let control = world
        .request("POST", "/_control/disturb")
        .json(&json!({ "hold": true }));
    assert_eq!(control.send().await.unwrap().status(), 204);
    write(3);
    sender.quiet().await;
    assert_eq!(texts().len(), 0);
    sender.disturb(Disturbance::default());
    sender.quiet().await;
    assert_eq!(texts().into_iter().collect::<HashSet<_>>().len(), 3);
}
