use std::time::Duration;

use bowline_messagebird::conversations::{EVENTS, FILES_URL};
use bowline_messagebird::{
    ChannelProvider as _, Conversations, DeliveryStatus, Destination, Identity, Listed, MediaAt,
    MediaKind, Outgoing, OutgoingMedia, Platform, Registration, Template, Upload, WantedWebhook,
    Which,
};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer, no_content, response};
use bowline_net::{ApiError, ErrorKind, Response, SendFailure};
use bowline_text::channel::Style;
use http::Method;
use serde_json::{Value, json};

use crate::support::{KEY, media, messagebird, messagebird_on, only, text};

const API: &str = "https://conversations.messagebird.com/v1";

fn conversations(provider: &dyn bowline_messagebird::ChannelProvider) -> &dyn Conversations {
    provider.conversations().unwrap()
}

fn registration(provider: &dyn bowline_messagebird::ChannelProvider) -> &dyn Registration {
    provider.registration().unwrap()
}

fn destination() -> Destination {
    Destination {
        channel: "chan-1".into(),
        conversation: Some("conv-1".into()),
        to: Identity::phone("+4915550100").unwrap(),
    }
}

fn conversation(status: &str) -> Value {
    json!({"id": "conv-1", "contactId": "cont-1", "status": status,
        "createdDatetime": "2026-09-20T10:00:00Z",
        "updatedDatetime": "2026-09-21T10:00:00.593332415Z",
        "lastReceivedDatetime": "2026-09-21T09:00:00Z", "lastUsedChannelId": "chan-1",
        "messages": {"totalCount": 0, "href": "https://x.example.com"}})
}

/// Runs one call and checks what was sent.
async fn sent<T>(
    answer: Response,
    call: impl AsyncFnOnce(&dyn bowline_messagebird::ChannelProvider) -> Result<T, ApiError>,
    method: Method,
    target: &str,
    body: Value,
) -> T {
    let (provider, fake) = messagebird(Ok(answer));
    let value = call(&provider).await.unwrap();
    let request = only(&fake);
    let want = format!("{API}{target}");
    assert_eq!(
        (&request.method, request.url.as_str()),
        (&method, want.as_str())
    );
    assert_eq!(body_of(&request), body);
    assert_eq!(
        request.headers["authorization"],
        format!("AccessKey {KEY}").as_str()
    );
    assert_eq!(
        request.headers.contains_key("content-type"),
        !body.is_null()
    );
    assert!(
        !format!("{request:?}").contains(KEY),
        "the key shows in a debug form"
    );
    value
}

#[tokio::test]
async fn sending() {
    let answer = json!({"id": "msg-1", "conversationId": "conv-1", "channelId": "chan-1",
        "status": "pending", "type": "text", "direction": "sent", "content": {"text": "Hello"},
        "createdDatetime": "2026-09-21T10:00:00Z", "updatedDatetime": null});
    let to = destination();
    let file = |kind, caption: Option<&str>| {
        Outgoing::Media(OutgoingMedia {
            upload: Upload("file-1".to_owned()),
            kind,
            caption: caption.map(str::to_owned),
            file_name: None,
        })
    };
    let template = Outgoing::Template(Template {
        namespace: Some("ns".to_owned()),
        name: "reopen".to_owned(),
        language: "en_US".to_owned(),
        values: vec!["SUP-1".to_owned()],
    });
    let address = format!("{FILES_URL}/files/file-1");
    for (what, kind, content) in [
        (
            Outgoing::Text("Hello".to_owned()),
            "text",
            json!({"text": "Hello"}),
        ),
        (
            file(MediaKind::Image, Some("a tree")),
            "image",
            json!({"image": {"url": address, "caption": "a tree"}}),
        ),
        (
            file(MediaKind::File, None),
            "file",
            json!({"file": {"url": address}}),
        ),
        (
            file(MediaKind::Sticker, None),
            "whatsappSticker",
            json!({"whatsappSticker": {"link": address}}),
        ),
        (
            template,
            "hsm",
            json!({"hsm": {"namespace": "ns", "templateName": "reopen",
                "language": {"policy": "deterministic", "code": "en_US"},
                "params": [{"default": "SUP-1"}]}}),
        ),
    ] {
        let got = sent(
            json_answer(201, &answer),
            async |p| p.send(&to, &what).await,
            Method::POST,
            "/conversations/conv-1/messages",
            json!({"type": kind, "content": content, "channelId": "chan-1"}),
        )
        .await;
        assert_eq!(got.value.id.as_str(), "msg-1");
        assert_eq!(got.value.status, DeliveryStatus::Accepted);
        assert_eq!(got.value.conversation, Some("conv-1".into()));
    }
}

#[tokio::test]
async fn nothing_is_sent_without_a_conversation() {
    let (provider, fake) = messagebird(Ok(no_content()));
    let to = Destination {
        conversation: None,
        ..destination()
    };
    let what = Outgoing::Text("Hello".to_owned());
    let error = provider.send(&to, &what).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(fake.requests().is_empty());
    let hostile = Destination {
        conversation: Some("..".into()),
        ..destination()
    };
    assert!(provider.send(&hostile, &what).await.is_err());
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_lost_answer_to_a_send_is_of_unknown_outcome() {
    for (answer, want) in [
        (
            Err(SendFailure::NotSent("refused".into())),
            ErrorKind::Transient,
        ),
        (
            Err(SendFailure::Unknown("reset".into())),
            ErrorKind::UnknownOutcome,
        ),
        (Ok(response(503, &[], "")), ErrorKind::UnknownOutcome),
        (Ok(response(200, &[], "{}")), ErrorKind::UnknownOutcome),
        (
            Ok(response(429, &[("retry-after", "3")], "")),
            ErrorKind::RateLimited,
        ),
        (
            Ok(json_answer(
                422,
                &json!({"errors": [{"code": 470, "description": "late"}]}),
            )),
            ErrorKind::Data,
        ),
    ] {
        let (provider, _) = messagebird(answer);
        let what = Outgoing::Text("Hello".to_owned());
        let error = provider.send(&destination(), &what).await.unwrap_err();
        assert_eq!(error.kind, want, "{error}");
    }
}

#[tokio::test]
async fn conversations_are_listed_read_and_closed() {
    let page = json!({"offset": 20, "limit": 20, "count": 1, "totalCount": 30,
        "items": [conversation("active"), {"no": "id"}]});
    let listed = sent(
        json_answer(200, &page),
        async |p| conversations(p).list(Which::Open, 20).await,
        Method::GET,
        "/conversations?limit=20&offset=20&status=active",
        Value::Null,
    )
    .await
    .value;
    assert_eq!(listed.next, Some(22));
    let one = &listed.items[0];
    assert!(one.open);
    assert_eq!(one.person.contact, Some("cont-1".into()));
    assert_eq!(one.last_channel, Some("chan-1".into()));
    assert_eq!(one.last_received_ms, Some(1_789_981_200_000));
    assert_eq!(one.updated_ms, Some(1_789_984_800_593));
    let all = json!({"offset": 0, "limit": 20, "count": 0, "totalCount": 5, "items": []});
    let listed = sent(
        json_answer(200, &all),
        async |p| conversations(p).list(Which::All, 0).await,
        Method::GET,
        "/conversations?limit=20&offset=0",
        Value::Null,
    )
    .await
    .value;
    assert_eq!((listed.items.len(), listed.next), (0, None));
    let id = "conv-1".into();
    for (status, open) in [("active", true), ("archived", false), ("paused", false)] {
        let got = sent(
            json_answer(200, &conversation(status)),
            async |p| conversations(p).get(&id).await,
            Method::GET,
            "/conversations/conv-1",
            Value::Null,
        )
        .await;
        assert_eq!(got.value.open, open, "{status}");
    }
    let closed = sent(
        json_answer(200, &conversation("archived")),
        async |p| conversations(p).close(&id).await,
        Method::PATCH,
        "/conversations/conv-1",
        json!({"status": "archived"}),
    )
    .await;
    assert!(!closed.value.open);
}

#[tokio::test]
async fn messages_of_a_conversation_keep_their_direction() {
    let item = |id: &str, direction: &str, status: &str| {
        json!({"id": id, "conversationId": "conv-1", "channelId": "chan-1", "status": status,
            "direction": direction, "type": "text", "content": {"text": id},
            "createdDatetime": "2026-09-21T10:00:00Z",
            "updatedDatetime": "0001-01-01T00:00:00Z"})
    };
    let mut waiting = item("in-2", "received", "pending_media");
    waiting["type"] = json!("image");
    waiting["content"] = json!({"image": {}});
    let page = json!({"count": 4, "limit": 20, "offset": 0, "totalCount": 4, "items": [
        item("out-1", "sent", "read"), item("in-1", "received", "received"),
        item("x", "sideways", "sent"), waiting]});
    let id = "conv-1".into();
    let got = sent(
        json_answer(200, &page),
        async |p| conversations(p).messages(&id, 0).await,
        Method::GET,
        "/conversations/conv-1/messages?limit=20&offset=0",
        Value::Null,
    )
    .await
    .value;
    assert_eq!((got.items.len(), got.next), (2, None));
    let Listed::Outbound(out) = &got.items[0] else {
        panic!("the newest was sent");
    };
    assert_eq!(
        (out.content.clone(), out.status),
        (text("out-1"), Some(DeliveryStatus::Read))
    );
    let Listed::Inbound(inbound) = &got.items[1] else {
        panic!("the older was received");
    };
    assert_eq!(inbound.at_ms, Some(1_789_984_800_000));
    assert_eq!(inbound.status, None);
}

#[tokio::test]
async fn webhooks_are_listed_made_mended_and_deleted() {
    let hook = |events: &[&str], status: Option<&str>| {
        let mut hook = json!({"id": "wh-1", "url": "https://hooks.example.com/x",
            "channelId": "chan-1", "events": events, "createdDatetime": "2026-09-21T10:00:00Z",
            "updatedDatetime": null});
        if let Some(status) = status {
            hook["status"] = json!(status);
        }
        hook
    };
    let page = json!({"offset": 0, "limit": 20, "count": 4, "totalCount": 4, "items": [
        hook(&EVENTS, Some("enabled")), hook(&EVENTS, None), hook(&EVENTS, Some("disabled")),
        hook(&EVENTS[..3], Some("enabled"))]});
    let got = sent(
        json_answer(200, &page),
        async |p| registration(p).list(0).await,
        Method::GET,
        "/webhooks?limit=20&offset=0",
        Value::Null,
    )
    .await
    .value;
    let (provider, _) = messagebird(Ok(no_content()));
    let complete: Vec<bool> = got
        .items
        .iter()
        .map(|hook| registration(&provider).is_complete(hook))
        .collect();
    assert_eq!(complete, [true, true, false, false]);
    let wanted = WantedWebhook {
        url: "https://hooks.example.com/x".to_owned(),
        channel: Some("chan-1".into()),
    };
    let made = sent(
        json_answer(201, &hook(&EVENTS, Some("enabled"))),
        async |p| registration(p).create(&wanted).await,
        Method::POST,
        "/webhooks",
        json!({"url": wanted.url, "events": EVENTS, "channelId": "chan-1"}),
    )
    .await
    .value;
    assert_eq!(made.channel, Some("chan-1".into()));
    sent(
        json_answer(200, &hook(&EVENTS, Some("enabled"))),
        async |p| registration(p).update(&made.id, &wanted).await,
        Method::PATCH,
        "/webhooks/wh-1",
        json!({"url": wanted.url, "events": EVENTS, "status": "enabled"}),
    )
    .await;
    sent(
        no_content(),
        async |p| registration(p).delete(&made.id).await,
        Method::DELETE,
        "/webhooks/wh-1",
        Value::Null,
    )
    .await;
}

#[tokio::test]
async fn the_version_is_added_where_it_is_missing_and_the_sandbox_takes_files_itself() {
    for (api, want, files) in [
        (
            "http://127.0.0.1:4030",
            "http://127.0.0.1:4030/v1",
            "http://127.0.0.1:4030/v1/files",
        ),
        (
            "http://127.0.0.1:4030/v1/",
            "http://127.0.0.1:4030/v1",
            "http://127.0.0.1:4030/v1/files",
        ),
        (
            "https://whatsapp-sandbox.messagebird.com/v1",
            "https://whatsapp-sandbox.messagebird.com/v1",
            "https://messaging.messagebird.com/v1/files",
        ),
    ] {
        let fake = FakeTransport::always(Ok(json_answer(200, &json!({"items": [], "id": "f"}))));
        let provider = messagebird_on(fake.clone(), api);
        provider.check(None).await.unwrap();
        let channel = "chan-1".into();
        let upload = provider
            .upload(
                &channel,
                "a \"b\".pdf",
                "application/pdf",
                b"%PDF"[..].into(),
            )
            .await
            .unwrap();
        assert_eq!(upload.value, Upload("f".to_owned()));
        let asked = fake.requests();
        assert_eq!(
            asked[0].url.as_str(),
            format!("{want}/conversations?limit=1")
        );
        assert_eq!(asked[1].url.as_str(), files);
        assert_eq!(asked[1].headers["content-type"], "application/pdf");
        let disposition = "attachment; filename=\"a %22b%22.pdf\"";
        assert_eq!(asked[1].headers["content-disposition"], disposition);
        assert_eq!(asked[1].headers["filename"], "a \"b\".pdf");
        assert_eq!(asked[1].body.as_deref(), Some(&b"%PDF"[..]));
    }
}

#[tokio::test]
async fn a_file_is_fetched_with_the_key_and_never_elsewhere() {
    let answer = response(
        200,
        &[("content-type", "Image/PNG; q=1"), ("content-length", "4")],
        "abcd",
    );
    let at = |url: &str| media(MediaKind::Image, MediaAt::Url(url.to_owned()));
    let own = at("https://media.messagebird.com/v1/media/52296e61");
    let (provider, fake) = messagebird(Ok(answer.clone()));
    let file = provider.fetch_media(&own, 4).await.unwrap();
    assert_eq!(
        (file.content_type.as_deref(), file.length),
        (Some("image/png"), Some(4))
    );
    assert_eq!(&file.collect().await.unwrap()[..], b"abcd");
    assert_eq!(
        only(&fake).headers["authorization"],
        format!("AccessKey {KEY}").as_str()
    );
    for elsewhere in [
        "https://example.com/x.png",
        "http://media.messagebird.com/x.png",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ] {
        let (provider, fake) = messagebird(Ok(answer.clone()));
        let error = provider.fetch_media(&at(elsewhere), 4).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "{elsewhere}");
        assert!(fake.requests().is_empty(), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_file_has_a_limit_and_an_end() {
    let own = media(
        MediaKind::File,
        MediaAt::Url("https://media.messagebird.com/v1/media/1".to_owned()),
    );
    let (provider, _) = messagebird(Ok(response(200, &[("content-length", "5")], "abcde")));
    let error = provider.fetch_media(&own, 4).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Data, Some("too_large"))
    );
    // A length that is not told, or is wrong, does not help.
    let (provider, _) = messagebird(Ok(response(200, &[("content-length", "1")], "abcde")));
    let error = provider
        .fetch_media(&own, 4)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap_err();
    assert_eq!(error.code.as_deref(), Some("too_large"));
    for (status, want) in [
        (404, ErrorKind::Gone),
        (410, ErrorKind::Gone),
        (401, ErrorKind::Auth),
        (500, ErrorKind::Transient),
        (302, ErrorKind::Config),
    ] {
        let (provider, _) = messagebird(Ok(response(status, &[], "")));
        let error = provider.fetch_media(&own, 4).await.unwrap_err();
        assert_eq!(error.kind, want, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_file_carries_no_key() {
    let fake = FakeTransport::new(|request| {
        Ok(match request.url.host_str() {
            Some("media.messagebird.com") => response(
                302,
                &[("location", "https://store.example.com/1?sig=x")],
                "",
            ),
            Some("store.example.com") => response(200, &[], "abcd"),
            _ => response(302, &[("location", "http://127.0.0.1/")], ""),
        })
    });
    let provider = messagebird_on(fake.clone(), API);
    let at = |url: &str| media(MediaKind::File, MediaAt::Url(url.to_owned()));
    let file = provider
        .fetch_media(&at("https://media.messagebird.com/v1/media/1"), 9)
        .await
        .unwrap();
    assert_eq!(&file.collect().await.unwrap()[..], b"abcd");
    let asked = fake.requests();
    assert!(asked[0].headers.contains_key("authorization"));
    assert!(!asked[1].headers.contains_key("authorization"));
    let unsafe_target = at("https://other.messagebird.com/v1/media/1");
    let error = provider.fetch_media(&unsafe_target, 9).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn endless_redirects_end() {
    let (provider, fake) = messagebird(Ok(response(
        302,
        &[("location", "https://media.messagebird.com/again")],
        "",
    )));
    let at = MediaAt::Url("https://media.messagebird.com/v1/media/1".to_owned());
    let error = provider
        .fetch_media(&media(MediaKind::File, at), 9)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert_eq!(fake.requests().len(), 4);
}

#[test]
fn what_each_platform_can_do() {
    let (provider, _) = messagebird(Ok(no_content()));
    let day = Some(Duration::from_hours(24));
    for (platform, window, any_text, media_out, style) in [
        (Platform::WhatsApp, day, 4096, true, Style::WhatsApp),
        (Platform::Sms, None, 603, false, Style::Plain),
        (Platform::Messenger, day, 2000, true, Style::Plain),
        (Platform::Telegram, None, 4096, true, Style::Plain),
        (
            Platform::Other("pigeon".to_owned()),
            None,
            1000,
            true,
            Style::Plain,
        ),
    ] {
        let can = provider.capabilities(&platform);
        assert!(can.has_conversation);
        assert_eq!(
            (can.reply_window, can.max_text.any, can.media_out, can.style),
            (window, any_text, media_out, style),
            "{platform}"
        );
    }
}
