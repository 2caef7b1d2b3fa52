//! The simulated MessageBird: a running account for the tests, its conversations and its refusals.

use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::messagebird::{Config, Handle, SMS, Sandbox, WHATSAPP, start};
use bowline_sandbox::phones::{Failure, Habit, Inbound, Media, State, WINDOW_MS};
use serde_json::{Value, json};

const MONA: &str = "+15550100";

/// A running account and a client that holds its key.
pub(crate) struct Bird {
    pub(crate) handle: Handle,
    client: reqwest::Client,
}

impl Bird {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            handle: start(config, addr, Neighbours::new()).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(crate) fn state(&self) -> &Sandbox {
        &self.handle.state
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.handle.url());
        self.client
            .request(method.parse().unwrap(), url)
            .header("authorization", "AccessKey sandbox-access-key")
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path);
        let request = if body.is_null() {
            request
        } else {
            request.body(body.to_string())
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Answers in a conversation over the channel used last.
    pub(crate) async fn reply(&self, conversation: &str, text: &str) -> Value {
        let path = format!("/v1/conversations/{conversation}/messages");
        let (status, body) = self.call("POST", &path, words(text)).await;
        assert_eq!(status, 201, "{body}");
        body
    }
}

pub(crate) fn words(text: &str) -> Value {
    json!({ "type": "text", "content": { "text": text } })
}

#[tokio::test]
async fn one_active_conversation_gathers_all_channels_until_it_is_archived() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA).named("Mona Lindqvist");
    mona.writes("hello");
    let first = mona.conversation().unwrap();
    mona.clone().on(SMS).writes("by text message");
    assert_eq!(mona.conversation().unwrap(), first);
    let shown = bird.get(&format!("/v1/conversations/{first}")).await;
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["contact"]["msisdn"], 15_550_100);
    assert_eq!(shown["contact"]["displayName"], "Mona Lindqvist");
    assert_eq!(shown["channels"].as_array().unwrap().len(), 2);
    assert_eq!(shown["messages"]["totalCount"], 2);
    let sms = &bird.state().channels()[1];
    assert_eq!(shown["lastUsedChannelId"], sms.id);

    // The answer goes to the channel used last.
    let sent = bird.reply(&first, "we are on it").await;
    assert_eq!(sent["platform"], "sms");
    assert_eq!(
        (&sent["direction"], &sent["status"]),
        (&json!("sent"), &json!("pending"))
    );
    assert_eq!(mona.received()[0].platform, "sms");

    let path = format!("/v1/conversations/{first}");
    let (status, closed) = bird
        .call("PATCH", &path, json!({ "status": "archived" }))
        .await;
    assert_eq!((status, &closed["status"]), (200, &json!("archived")));
    assert_eq!(mona.conversation(), None);
    mona.writes("again");
    let second = mona.conversation().unwrap();
    assert_ne!(first, second);
    let (status, _) = bird
        .call("PATCH", &path, json!({ "status": "active" }))
        .await;
    assert_eq!(status, 400, "the contact has another active conversation");
}

#[tokio::test]
async fn a_reply_to_an_archived_conversation_opens_a_new_one() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let first = mona.conversation().unwrap();
    bird.state().archive(&first).unwrap();
    let sent = bird.reply(&first, "one more thing").await;
    let second = mona.conversation().unwrap();
    assert_ne!(first, second);
    assert_eq!(sent["conversationId"], second);
    assert_eq!(mona.texts(), ["one more thing"]);
    // A second one goes to the conversation that is active by now.
    let again = bird.reply(&first, "and another").await;
    assert_eq!(again["conversationId"], second);
}

#[tokio::test]
async fn starting_and_sending_resume_the_active_conversation() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let active = mona.conversation().unwrap();
    let channel = bird.state().channels()[0].id.clone();
    let start = json!({ "to": "15550100", "channelId": channel, "type": "text", "content": { "text": "one" } });
    let (status, shown) = bird.call("POST", "/v1/conversations/start", start).await;
    assert_eq!((status, &shown["id"]), (201, &json!(active)));
    let send = json!({ "to": mona.contact(), "from": channel, "type": "text", "content": { "text": "two" } });
    let (status, shown) = bird.call("POST", "/v1/send", send).await;
    assert_eq!((status, &shown["status"]), (202, &json!("accepted")));
    let message = bird
        .get(&format!("/v1/messages/{}", shown["id"].as_str().unwrap()))
        .await;
    assert_eq!(message["conversationId"], active);
    assert_eq!(mona.texts(), ["one", "two"]);
}

#[tokio::test]
async fn outside_the_window_a_message_is_accepted_and_then_fails() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let conversation = mona.conversation().unwrap();
    bird.state().advance_clock(WINDOW_MS - 60_000);
    bird.reply(&conversation, "in time").await;
    bird.state().advance_clock(60_000);
    let late = bird.reply(&conversation, "too late").await;
    assert_eq!(late["status"], "pending");
    assert!(late["error"].is_null());
    let path = format!("/v1/messages/{}", late["id"].as_str().unwrap());
    let now = bird.get(&path).await;
    assert_eq!(
        (&now["status"], &now["error"]["code"]),
        (&json!("failed"), &json!(470))
    );
    let template = json!({
        "type": "hsm",
        "content": { "hsm": {
            "namespace": "ns", "templateName": "reopen", "language": { "policy": "deterministic", "code": "en" },
            "params": [{ "default": "Your request" }],
        } },
    });
    let path = format!("/v1/conversations/{conversation}/messages");
    assert_eq!(bird.call("POST", &path, template).await.0, 201);
    let unknown = json!({
        "type": "hsm",
        "content": { "hsm": { "templateName": "reopen", "language": { "code": "xx" } } },
    });
    let (_, sent) = bird.call("POST", &path, unknown).await;
    let shown = bird.state().message(sent["id"].as_str().unwrap()).unwrap();
    assert_eq!(shown["status"], "failed");
    let listed = bird.get("/v3/platforms/whatsapp/templates").await;
    assert_eq!(
        listed["items"],
        bird.get("/v2/platforms/whatsapp/templates").await
    );
    mona.writes("I am back");
    bird.reply(&conversation, "welcome").await;
    assert_eq!(
        mona.texts(),
        [
            "in time",
            "There is news about Your request. Answer to hear it.",
            "welcome"
        ]
    );
    // SMS has no window.
    bird.state().advance_clock(WINDOW_MS * 2);
    mona.clone().on(SMS).writes("by text message");
    bird.state().advance_clock(WINDOW_MS * 2);
    bird.reply(&conversation, "any time").await;
    assert_eq!(mona.texts().last().unwrap(), "any time");
}

#[tokio::test]
async fn messages_come_as_far_as_the_phone_lets_them() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let conversation = mona.conversation().unwrap();
    let with = |reach| Habit {
        reach,
        ..Habit::default()
    };
    let fails = Habit {
        fails: Some(Failure::new(301, "Failed to send message.")),
        ..Habit::default()
    };
    let absent = Habit {
        on_whatsapp: false,
        ..Habit::default()
    };
    for (habit, status, code) in [
        (with(State::Pending), "pending", Value::Null),
        (with(State::Sent), "sent", Value::Null),
        (with(State::Delivered), "delivered", Value::Null),
        (with(State::Read), "read", Value::Null),
        (fails, "failed", json!(301)),
        (absent, "failed", json!(302)),
    ] {
        mona.habit(habit);
        let sent = bird.reply(&conversation, "hm").await;
        let id = sent["id"].as_str().unwrap();
        let shown = bird.get(&format!("/v1/messages/{id}")).await;
        assert_eq!(
            (&shown["status"], &shown["error"]["code"]),
            (&json!(status), &code)
        );
    }
    mona.habit(with(State::Pending));
    let sent = bird.reply(&conversation, "by hand").await;
    let id = sent["id"].as_str().unwrap();
    bird.state().advance_message(id, State::Read);
    bird.state().advance_message(id, State::Sent);
    assert_eq!(bird.state().message(id).unwrap()["status"], "read");
    bird.state().fail_message(id, Failure::new(301, "late"));
    assert_eq!(bird.state().message(id).unwrap()["status"], "failed");
    mona.habit(Habit::default());
    let long = bird.reply(&conversation, &"x".repeat(4_097)).await;
    let shown = bird.state().message(long["id"].as_str().unwrap()).unwrap();
    assert_eq!(shown["status"], "failed");
}

#[tokio::test]
async fn equal_numbers_are_one_contact_and_merges_keep_the_older_conversation() {
    let bird = Bird::new().await;
    let (mona, nameless) = (
        bird.state().phone(MONA).named("Mona"),
        bird.state().phone("US.1234").named("Mona"),
    );
    mona.writes("hello");
    nameless.writes("hello from nowhere");
    let (older, younger) = (
        mona.conversation().unwrap(),
        nameless.conversation().unwrap(),
    );
    assert_ne!(mona.contact(), nameless.contact(), "names join nobody");
    let shown = bird.get(&format!("/v1/conversations/{younger}")).await;
    assert_eq!(shown["contact"]["msisdn"], 0);
    let (from, into) = (mona.contact().unwrap(), nameless.contact().unwrap());
    bird.state().merge_contacts(&from, &into).unwrap();
    assert!(bird.state().contact(&from).is_none());
    assert_eq!(bird.state().contact(&into).unwrap().phones.len(), 2);
    assert_eq!(mona.conversation().unwrap(), older);
    assert_eq!(nameless.conversation().unwrap(), older);
    let shown = bird.get(&format!("/v1/conversations/{younger}")).await;
    assert_eq!(shown["status"], "archived");
    let ids = bird
        .get(&format!("/v1/conversations/contact/{into}?status=active"))
        .await;
    assert_eq!(ids["items"], json!([older]));
}

#[tokio::test]
async fn lists_are_newest_first_in_pages() {
    let bird = Bird::new().await;
    for number in 0..23 {
        bird.state()
            .phone(&format!("+1555020{number:02}"))
            .writes("hi");
        bird.state().advance_clock(1_000);
    }
    let page = bird.get("/v1/conversations?limit=50&offset=1").await;
    assert_eq!(
        (
            &page["limit"],
            &page["count"],
            &page["totalCount"],
            &page["offset"]
        ),
        (&json!(20), &json!(20), &json!(23), &json!(1))
    );
    let newest = bird.get("/v1/conversations").await;
    assert_eq!(newest["count"], 10);
    assert_eq!(newest["items"][0]["contact"]["msisdn"], 155_502_022);
    bird.state().phone("+155502000").writes("me again");
    let newest = bird.get("/v1/conversations?limit=1").await;
    assert_eq!(newest["items"][0]["contact"]["msisdn"], 155_502_000);
    let id = newest["items"][0]["id"].as_str().unwrap();
    bird.state().phone("+155502000").on(SMS).writes("third");
    bird.state().archive(id).unwrap();
    let archived = bird.get("/v1/conversations?status=archived").await;
    assert_eq!(
        (&archived["totalCount"], &archived["items"][0]["id"]),
        (&json!(1), &json!(id))
    );

    let texts = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["content"]["text"].as_str().unwrap().to_owned())
            .collect()
    };
    let path = format!("/v1/conversations/{id}/messages");
    let all = bird.get(&path).await;
    assert_eq!(texts(&all), ["third", "me again", "hi"]);
    let without = bird.get(&format!("{path}?excludePlatforms=sms")).await;
    assert_eq!(texts(&without), ["me again", "hi"]);
    let from = all["items"][1]["createdDatetime"].as_str().unwrap();
    let since = bird.get(&format!("/v1/messages?from={from}")).await;
    assert_eq!(texts(&since), ["third", "me again"]);
    let one = all["items"][2]["id"].as_str().unwrap();
    let named = bird.get(&format!("/v1/messages?ids={one}")).await;
    assert_eq!(texts(&named), ["hi"]);
}

#[tokio::test]
async fn media_is_fetched_with_the_key_until_it_expires() {
    let bird = Bird::with(Config {
        expired_media_status: 410,
        ..Config::default()
    })
    .await;
    let mona = bird.state().phone(MONA);
    let id = mona.sends_media(Media::image("tree.png", b"pixels", Some("Just a tree")));
    let shown = bird.state().message(&id).unwrap();
    assert_eq!(shown["content"]["image"]["caption"], "Just a tree");
    let url = shown["content"]["image"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix(&bird.handle.url()).unwrap();
    let answer = bird.request("GET", path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap(), "pixels");
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 401);
    bird.state().expire_media();
    assert_eq!(
        bird.request("GET", path).send().await.unwrap().status(),
        410
    );

    let upload = bird
        .request("POST", "/v1/files")
        .header("filename", "plan.pdf")
        .header("content-type", "application/pdf")
        .body("pdf");
    let file: Value =
        serde_json::from_slice(&upload.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let address = format!(
        "{}/v1/files/{}",
        bird.handle.url(),
        file["id"].as_str().unwrap()
    );
    let conversation = mona.conversation().unwrap();
    let path = format!("/v1/conversations/{conversation}/messages");
    for (url, status) in [
        (address.as_str(), "delivered"),
        (&format!("{address}0"), "failed"),
    ] {
        let body =
            json!({ "type": "file", "content": { "file": { "url": url, "caption": "The plan" } } });
        let (_, sent) = bird.call("POST", &path, body).await;
        let shown = bird.state().message(sent["id"].as_str().unwrap()).unwrap();
        assert_eq!(shown["status"], status);
    }
    assert_eq!(mona.received()[0].media.as_deref(), Some(address.as_str()));
}

#[tokio::test]
async fn what_it_refuses() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA);
    mona.writes("hello");
    let reply = format!(
        "/v1/conversations/{}/messages",
        mona.conversation().unwrap()
    );
    let hook = |url: &str, event: &str| json!({ "url": url, "events": [event] });
    for (method, path, body, status, code) in [
        ("GET", "/v1/conversations/nope", Value::Null, 404, 20),
        ("GET", "/v1/messages/nope", Value::Null, 404, 20),
        ("GET", "/v1/nope", Value::Null, 404, 20),
        ("GET", "/v1/conversations?status=open", Value::Null, 422, 10),
        ("GET", "/v1/conversations?limit=many", Value::Null, 422, 10),
        ("POST", &reply, json!([]), 400, 21),
        (
            "POST",
            &reply,
            json!({ "content": { "text": "x" } }),
            422,
            9,
        ),
        ("POST", &reply, json!({ "type": "carrier pigeon" }), 422, 10),
        ("POST", &reply, words(""), 422, 9),
        (
            "POST",
            &reply,
            json!({ "type": "text", "content": { "text": "x" }, "channelId": "no" }),
            404,
            20,
        ),
        ("POST", "/v1/send", words("x"), 422, 9),
        (
            "POST",
            "/v1/webhooks",
            hook("ftp://example.com", "message.created"),
            422,
            10,
        ),
        (
            "POST",
            "/v1/webhooks",
            hook("https://example.com", "message.eaten"),
            422,
            10,
        ),
        ("DELETE", "/v1/webhooks/nope", Value::Null, 404, 20),
    ] {
        let (got, answer) = bird.call(method, path, body).await;
        assert_eq!(
            (got, &answer["errors"][0]["code"]),
            (status, &json!(code)),
            "{method} {path} {answer}"
        );
    }
    bird.state().set_calls_per_second(Some(0));
    let (status, _) = bird.call("GET", "/v1/conversations", Value::Null).await;
    assert_eq!(status, 429);
    bird.state().set_calls_per_second(None);
    bird.state().set_access_key(Some("another"));
    let (status, answer) = bird.call("GET", "/v1/conversations", Value::Null).await;
    assert_eq!((status, &answer["errors"][0]["code"]), (401, &json!(2)));
    assert_eq!(answer["errors"][0]["parameter"], "access_key");
}

#[tokio::test]
async fn webhooks_can_be_managed() {
    let bird = Bird::new().await;
    let channel = bird.state().channels()[0].id.clone();
    let body = json!({
        "url": "https://example.com/hook", "events": ["message.created"], "channelId": channel,
        "settings": { "timeout": 10 },
    });
    let (status, made) = bird.call("POST", "/v1/webhooks", body).await;
    assert_eq!(
        (status, &made["status"], &made["updatedDatetime"]),
        (201, &json!("enabled"), &Value::Null)
    );
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let change = json!({ "status": "disabled", "events": ["conversation.updated"] });
    let (status, changed) = bird.call("PATCH", &path, change).await;
    assert_eq!((status, &changed["status"]), (200, &json!("disabled")));
    assert_eq!(changed["settings"]["timeout"], 10);
    assert_eq!(bird.get(&path).await, changed);
    assert_eq!(bird.get("/v1/webhooks").await["totalCount"], 1);
    assert_eq!(bird.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(bird.call("GET", &path, Value::Null).await.0, 404);
    assert!(bird.state().webhook_urls().is_empty());
}

#[tokio::test]
async fn everything_else_that_people_send_keeps_its_shape() {
    let bird = Bird::new().await;
    let mona = bird.state().phone(MONA).on(WHATSAPP);
    let place = Inbound::Location {
        latitude: 52.5,
        longitude: 13.4,
    };
    let sticker = Inbound::Other {
        kind: "whatsappSticker".to_owned(),
        content: json!({ "whatsappSticker": { "link": "https://example.com/s.webp" } }),
    };
    let (place, sticker) = (mona.sends(place), mona.sends(sticker));
    let shown = bird.state().message(&place).unwrap();
    assert_eq!(
        shown["content"],
        json!({ "location": { "latitude": 52.5, "longitude": 13.4 } })
    );
    let shown = bird.state().message(&sticker).unwrap();
    assert_eq!(
        (&shown["type"], &shown["status"]),
        (&json!("whatsappSticker"), &json!("received"))
    );
    let late = mona.sends_at(
        Inbound::Text("written earlier".to_owned()),
        bird.state().now_ms() - 60_000,
    );
    let page = bird
        .get(&format!(
            "/v1/conversations/{}/messages",
            mona.conversation().unwrap()
        ))
        .await;
    assert_eq!(
        page["items"][2]["id"], late,
        "lists go by the message's own time"
    );
}
