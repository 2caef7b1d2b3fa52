//! The simulated WhatsApp Cloud: the webhook, sending, states, and media in two steps.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::common::server;
use bowline_sandbox::phones::{Habit, Media, WINDOW_MS};
use bowline_sandbox::whatsapp::{Config, Handle, start};
use serde_json::{Value, json};

use crate::independent::{from_base64, hex, hmac, sha256};
use crate::intercom_webhooks::Receiver;

const MONA: &str = "+15550100";
const SEND: &str = "/v23.0/100000000000002/messages";

struct Cloud {
    handle: Handle,
    client: reqwest::Client,
}

impl Cloud {
    async fn with(config: Config) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            handle: start(config, addr, Neighbours::new()).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.handle.url());
        self.client
            .request(method.parse().unwrap(), url)
            .bearer_auth("sandbox-whatsapp-token")
    }

    async fn send(&self, to: &str, text: &str) -> (u16, Value) {
        let body = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
            "type": "text", "text": { "body": text },
        });
        Self::answer(self.request("POST", SEND).body(body.to_string())).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }
}

/// Every value of every change that came.
fn values(receiver: &Receiver) -> Vec<Value> {
    let bodies = receiver.bodies();
    let entries = bodies
        .iter()
        .flat_map(|body| body["entry"].as_array().unwrap());
    let changes = entries.flat_map(|entry| entry["changes"].as_array().unwrap());
    changes.map(|change| change["value"].clone()).collect()
}

#[tokio::test]
async fn the_business_number_tells_what_is_asked_of_it() {
    let cloud = Cloud::with(Config::default()).await;
    let ask = async |path: &str| Cloud::answer(cloud.request("GET", path)).await;
    let number = "/v23.0/100000000000002";
    let (status, all) = ask(&format!(
        "{number}?fields=display_phone_number,verified_name"
    ))
    .await;
    assert_eq!(status, 200);
    assert_eq!(all["display_phone_number"], "+15550003");
    assert_eq!(all["verified_name"], "Acme Support");
    let (_, bare) = ask(number).await;
    assert_eq!(bare, json!({ "id": "100000000000002" }));
    assert_eq!(ask("/v23.0/100000000000009?fields=id").await.0, 400);
}

#[tokio::test]
async fn a_webhook_must_repeat_the_challenge() {
    let cloud = Cloud::with(Config::default()).await;
    let check = async |RawQuery(query): RawQuery| {
        let query = query.unwrap();
        let value = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
                .unwrap()
        };
        let right = value("hub.mode") == "subscribe" && value("hub.verify_token") == "right";
        if right {
            value("hub.challenge")
        } else {
            "no".to_owned()
        }
    };
    let router = Router::new().route("/hook", get(check));
    let product = server::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), router)
        .await
        .unwrap();
    let url = format!("http://{}/hook", product.addr());
    let state = &cloud.handle.state;
    assert!(state.connect_webhook(&url, "wrong").await.is_err());
    state.connect_webhook(&url, "right").await.unwrap();
}

#[tokio::test]
async fn messages_and_states_come_signed() {
    let (cloud, receiver) = (Cloud::with(Config::default()).await, Receiver::new().await);
    let state = &cloud.handle.state;
    state.set_webhook(Some(&receiver.url));
    let mona = state.phone(MONA).named("Mona");
    let id = mona.writes("hello");
    let (status, sent) = cloud.send("15550100", "hi Mona").await;
    assert_eq!(
        (status, &sent["contacts"][0]["wa_id"]),
        (200, &json!("15550100"))
    );
    mona.reads();
    state.sender().quiet().await;
    for (headers, body) in &receiver.received() {
        let expected = hex(&hmac(b"sandbox-app-secret", body));
        let signature = headers["x-hub-signature-256"].to_str().unwrap();
        assert_eq!(signature, format!("sha256={expected}"));
    }
    let values = values(&receiver);
    let inbound = values
        .iter()
        .find(|value| value["messages"].is_array())
        .unwrap();
    assert_eq!(inbound["metadata"]["phone_number_id"], "100000000000002");
    assert_eq!(inbound["messages"][0]["id"], id);
    assert_eq!(inbound["messages"][0]["from"], "15550100");
    assert_eq!(inbound["messages"][0]["text"]["body"], "hello");
    assert_eq!(inbound["contacts"][0]["profile"]["name"], "Mona");
    let mut states: Vec<&str> = values
        .iter()
        .flat_map(|value| value["statuses"].as_array().into_iter().flatten())
        .inspect(|status| assert_eq!(status["id"], sent["messages"][0]["id"]))
        .map(|status| status["status"].as_str().unwrap())
        .collect();
    states.sort_unstable();
    assert_eq!(states, ["delivered", "read", "sent"]);
    assert_eq!(mona.texts(), ["hi Mona"]);
}

#[tokio::test]
async fn outside_the_window_the_state_says_131047() {
    let (cloud, receiver) = (Cloud::with(Config::default()).await, Receiver::new().await);
    let state = &cloud.handle.state;
    let mona = state.phone(MONA);
    mona.writes("hello");
    state.set_webhook(Some(&receiver.url));
    state.advance_clock(WINDOW_MS);
    assert_eq!(cloud.send(MONA, "too late").await.0, 200);
    mona.habit(Habit {
        on_whatsapp: false,
        ..Habit::default()
    });
    assert_eq!(cloud.send(MONA, "nobody there").await.0, 200);
    state.sender().quiet().await;
    let mut codes: Vec<i64> = values(&receiver)
        .iter()
        .map(|value| value["statuses"][0]["errors"][0]["code"].as_i64().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [131_026, 131_047]);
    assert!(mona.texts().is_empty());
}

#[tokio::test]
async fn people_without_a_number_have_a_user_id() {
    let (cloud, receiver) = (Cloud::with(Config::default()).await, Receiver::new().await);
    let state = &cloud.handle.state;
    state.set_webhook(Some(&receiver.url));
    let noor = state.phone("US.1234").named("Noor");
    noor.writes("hello");
    state.sender().quiet().await;
    let value = &values(&receiver)[0];
    assert_eq!(value["messages"][0]["from_user_id"], "US.1234");
    assert!(value["messages"][0]["from"].is_null() && value["contacts"][0]["wa_id"].is_null());
    let body = json!({
        "messaging_product": "whatsapp", "recipient": "US.1234", "type": "text", "text": { "body": "hi" },
    });
    let (status, _) = Cloud::answer(cloud.request("POST", SEND).body(body.to_string())).await;
    assert_eq!(status, 200);
    assert_eq!(noor.texts(), ["hi"]);

    let mona = state.phone(MONA).named("Mona");
    let moved = mona.changes_number("+15550199");
    assert_eq!(moved.user_id(), "US.1000000002");
    moved.writes("my new number");
    state.sender().quiet().await;
    let values = values(&receiver);
    let message = |kind: &str| {
        let mut all = values.iter().map(|value| &value["messages"][0]);
        all.find(|message| message["type"] == kind && message["from_user_id"] == "US.1000000002")
            .unwrap()
    };
    assert_eq!(message("system")["from"], "15550100");
    assert_eq!(message("system")["system"]["wa_id"], "15550199");
    assert_eq!(message("system")["system"]["type"], "user_changed_number");
    assert_eq!(message("text")["from"], "15550199");
}

#[tokio::test]
async fn media_comes_and_goes_in_two_steps() {
    let (cloud, receiver) = (Cloud::with(Config::default()).await, Receiver::new().await);
    let state = &cloud.handle.state;
    state.set_webhook(Some(&receiver.url));
    let mona = state.phone(MONA);
    mona.sends_media(Media::document("plan.pdf", "application/pdf", b"pdf"));
    state.sender().quiet().await;
    let document = values(&receiver)[0]["messages"][0]["document"].clone();
    assert_eq!(document["filename"], "plan.pdf");
    assert_eq!(
        from_base64(document["sha256"].as_str().unwrap()),
        sha256(b"pdf")
    );
    let path = format!("/v23.0/{}", document["id"].as_str().unwrap());
    let (_, found) = Cloud::answer(cloud.request("GET", &path)).await;
    assert_eq!(
        (&found["file_size"], &found["sha256"]),
        (&json!(3), &json!(hex(&sha256(b"pdf"))))
    );
    let url = found["url"].as_str().unwrap();
    let place = url.strip_prefix(&cloud.handle.url()).unwrap();
    let bytes = cloud
        .request("GET", place)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(bytes, "pdf");
    assert_eq!(reqwest::get(url).await.unwrap().status(), 401);
    state.advance_clock(5 * 60 * 1_000);
    assert_eq!(
        cloud.request("GET", place).send().await.unwrap().status(),
        404
    );

    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
                Content-Type: image/png\r\n\r\npixels\r\n--b--\r\n";
    let upload = cloud
        .request("POST", "/v23.0/100000000000002/media")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(form);
    let (_, file) = Cloud::answer(upload).await;
    let body = json!({
        "messaging_product": "whatsapp", "to": MONA, "type": "image",
        "image": { "id": file["id"], "caption": "look" },
    });
    let (status, _) = Cloud::answer(cloud.request("POST", SEND).body(body.to_string())).await;
    assert_eq!(status, 200);
    let line = &mona.received()[0];
    assert_eq!(
        (line.text.as_deref(), line.media.as_deref()),
        (Some("look"), file["id"].as_str())
    );
}

#[tokio::test]
async fn what_it_refuses() {
    let cloud = Cloud::with(Config::default()).await;
    let long = "x".repeat(4_097);
    for (body, status, code) in [
        (json!({ "to": MONA, "text": { "body": "x" } }), 400, 100),
        (
            json!({ "messaging_product": "whatsapp", "text": { "body": "x" } }),
            400,
            100,
        ),
        (
            json!({ "messaging_product": "whatsapp", "to": MONA, "type": "pigeon" }),
            400,
            100,
        ),
        (
            json!({ "messaging_product": "whatsapp", "to": MONA, "text": { "body": "" } }),
            400,
            100,
        ),
        (
            json!({ "messaging_product": "whatsapp", "to": MONA, "text": { "body": long } }),
            400,
            100,
        ),
    ] {
        let request = cloud.request("POST", SEND).body(body.to_string());
        let (got, answer) = Cloud::answer(request).await;
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{answer}"
        );
    }
    let (status, _) = Cloud::answer(cloud.request("GET", "/v23.0/404")).await;
    assert_eq!(status, 400);
    cloud.handle.state.set_token(None);
    let (status, answer) = cloud.send(MONA, "x").await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
}
