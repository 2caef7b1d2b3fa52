use bowline_messagebird::{
    ChannelProvider as _, DeliveryFailure, DeliveryStatus, Destination, Identity, MediaAt,
    MediaKind, Outgoing, OutgoingMedia, Platform, ProviderName, Template, Upload,
};
use bowline_net::testing::{FakeTransport, body_of, json as json_answer, response};
use bowline_net::{ErrorKind, SendFailure};
use http::Method;
use serde_json::json;

use crate::support::{KEY, media, only, whatsapp, whatsapp_on};

const API: &str = "https://graph.facebook.com/v23.0";
const PHONE_ID: &str = "106540352242922";

fn destination(to: &str) -> Destination {
    Destination {
        channel: PHONE_ID.into(),
        conversation: None,
        to: Identity::whatsapp(to).unwrap(),
    }
}

fn file(kind: MediaKind) -> Outgoing {
    Outgoing::Media(OutgoingMedia {
        upload: Upload("900".to_owned()),
        kind,
        caption: Some("see".to_owned()),
        file_name: Some("a.pdf".to_owned()),
    })
}

#[tokio::test]
async fn sending() {
    let answer = json!({"messaging_product": "whatsapp",
        "contacts": [{"input": "4915550100", "wa_id": "4915550100"}],
        "messages": [{"id": "wamid.A1", "message_status": "accepted"}]});
    let template = Outgoing::Template(Template {
        namespace: None,
        name: "reopen".to_owned(),
        language: "en_US".to_owned(),
        values: vec!["SUP-1".to_owned()],
    });
    let bare = Outgoing::Template(Template {
        namespace: None,
        name: "hello".to_owned(),
        language: "de".to_owned(),
        values: vec![],
    });
    for (to, what, want) in [
        (
            "+4915550100",
            Outgoing::Text("Hello".to_owned()),
            json!({"to": "4915550100", "type": "text",
                "text": {"body": "Hello", "preview_url": false}}),
        ),
        (
            "DE.1349120865",
            Outgoing::Text("Hello".to_owned()),
            json!({"recipient": "DE.1349120865", "type": "text",
                "text": {"body": "Hello", "preview_url": false}}),
        ),
        (
            "+4915550100",
            file(MediaKind::Image),
            json!({"to": "4915550100", "type": "image", "image": {"id": "900", "caption": "see"}}),
        ),
        (
            "+4915550100",
            file(MediaKind::File),
            json!({"to": "4915550100", "type": "document",
                "document": {"id": "900", "caption": "see", "filename": "a.pdf"}}),
        ),
        (
            "+4915550100",
            file(MediaKind::Audio),
            json!({"to": "4915550100", "type": "audio", "audio": {"id": "900"}}),
        ),
        (
            "+4915550100",
            template,
            json!({"to": "4915550100", "type": "template", "template": {"name": "reopen",
                "language": {"code": "en_US"}, "components": [{"type": "body",
                    "parameters": [{"type": "text", "text": "SUP-1"}]}]}}),
        ),
        (
            "+4915550100",
            bare,
            json!({"to": "4915550100", "type": "template",
                "template": {"name": "hello", "language": {"code": "de"}}}),
        ),
    ] {
        let (provider, fake) = whatsapp(Ok(json_answer(200, &answer)));
        let sent = provider.send(&destination(to), &what).await.unwrap().value;
        assert_eq!(
            (sent.id.as_str(), sent.status),
            ("wamid.A1", DeliveryStatus::Accepted)
        );
        let request = only(&fake);
        assert_eq!(request.method, Method::POST);
        assert_eq!(request.url.as_str(), format!("{API}/{PHONE_ID}/messages"));
        assert_eq!(
            request.headers["authorization"],
            format!("Bearer {KEY}").as_str()
        );
        assert!(
            !format!("{request:?}").contains(KEY),
            "the token shows in a debug form"
        );
        let mut body = body_of(&request);
        let fixed = body.as_object_mut().unwrap();
        assert_eq!(fixed.remove("messaging_product"), Some(json!("whatsapp")));
        assert_eq!(fixed.remove("recipient_type"), Some(json!("individual")));
        assert_eq!(body, want);
    }
}

#[tokio::test]
async fn a_refused_send_says_why_and_a_lost_one_does_not() {
    let refused = |code: i64, words: &str| {
        let body = json!({"error": {"message": words, "type": "OAuthException", "code": code}});
        Ok(json_answer(400, &body))
    };
    for (answer, kind, failure) in [
        (
            refused(131_047, "late"),
            ErrorKind::Data,
            Some(DeliveryFailure::WindowClosed),
        ),
        (
            refused(131_026, "no"),
            ErrorKind::Data,
            Some(DeliveryFailure::Undeliverable),
        ),
        (
            refused(190, "expired"),
            ErrorKind::Auth,
            Some(DeliveryFailure::Credentials),
        ),
        (refused(131_056, "slow"), ErrorKind::RateLimited, None),
        (refused(131_000, "oops"), ErrorKind::UnknownOutcome, None),
        (
            Err(SendFailure::Unknown("reset".into())),
            ErrorKind::UnknownOutcome,
            None,
        ),
        (
            Ok(response(200, &[], "{\"messages\":[]}")),
            ErrorKind::UnknownOutcome,
            None,
        ),
    ] {
        let (provider, _) = whatsapp(answer);
        let what = Outgoing::Text("Hello".to_owned());
        let error = provider
            .send(&destination("+4915550100"), &what)
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let read = DeliveryFailure::of_refusal(ProviderName::WhatsApp, &error);
        assert_eq!(read, failure, "{error}");
    }
}

#[tokio::test]
async fn a_file_is_fetched_through_its_address() {
    let fake = FakeTransport::new(|request| {
        Ok(match request.url.host_str() {
            Some("graph.facebook.com") => json_answer(
                200,
                &json!({"url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
                    "mime_type": "image/jpeg", "sha256": "00", "file_size": 4, "id": "1003"}),
            ),
            _ => response(200, &[("content-type", "image/jpeg")], "abcd"),
        })
    });
    let provider = whatsapp_on(fake.clone());
    let picture = media(MediaKind::Image, MediaAt::Id("1003".to_owned()));
    let file = provider.fetch_media(&picture, 4).await.unwrap();
    assert_eq!(file.content_type.as_deref(), Some("image/jpeg"));
    assert_eq!(&file.collect().await.unwrap()[..], b"abcd");
    let asked = fake.requests();
    assert_eq!(asked[0].url.as_str(), format!("{API}/1003"));
    assert_eq!(asked[1].url.host_str(), Some("lookaside.fbsbx.com"));
    assert!(
        asked
            .iter()
            .all(|r| r.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn a_file_at_an_address_of_another_is_not_asked_for() {
    let elsewhere = json!({"url": "https://fbsbx.com.example.com/x"});
    let (provider, fake) = whatsapp(Ok(json_answer(200, &elsewhere)));
    let picture = media(MediaKind::Image, MediaAt::Id("1003".to_owned()));
    let error = provider.fetch_media(&picture, 4).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert_eq!(fake.requests().len(), 1);
    let gone = json!({"error": {"message": "no", "code": 100, "error_subcode": 33}});
    let (provider, _) = whatsapp(Ok(json_answer(400, &gone)));
    let error = provider.fetch_media(&picture, 4).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Gone);
}

#[tokio::test]
async fn a_file_is_given_as_a_form() {
    let (provider, fake) = whatsapp(Ok(json_answer(200, &json!({"id": "900"}))));
    let channel = PHONE_ID.into();
    let upload = provider
        .upload(&channel, "a.pdf", "application/pdf", b"%PDF"[..].into())
        .await
        .unwrap();
    assert_eq!(upload.value, Upload("900".to_owned()));
    let request = only(&fake);
    assert_eq!(request.url.as_str(), format!("{API}/{PHONE_ID}/media"));
    let kind = request.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("multipart/form-data; boundary="));
    let body = String::from_utf8(request.body.unwrap().to_vec()).unwrap();
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp\r\n",
        "name=\"type\"\r\n\r\napplication/pdf\r\n",
        "name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n",
    ] {
        assert!(body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn who_answers() {
    let answer = json!({"verified_name": "Example Ltd", "display_phone_number": "+49 155 50100",
        "id": PHONE_ID});
    let (provider, fake) = whatsapp(Ok(json_answer(200, &answer)));
    let channel = PHONE_ID.into();
    let seen = provider.check(Some(&channel)).await.unwrap().value;
    assert_eq!(seen.name.as_deref(), Some("Example Ltd"));
    let target = format!("{API}/{PHONE_ID}?fields=display_phone_number%2Cverified_name");
    assert_eq!(only(&fake).url.as_str(), target);
    let (provider, fake) = whatsapp(Ok(json_answer(200, &json!({"id": "1", "name": "App"}))));
    assert_eq!(
        provider.check(None).await.unwrap().value.name.as_deref(),
        Some("App")
    );
    assert_eq!(only(&fake).url.as_str(), format!("{API}/me?fields=name"));
}

#[test]
fn what_it_can_do() {
    let (provider, _) = whatsapp(Ok(response(200, &[], "")));
    let can = provider.capabilities(&Platform::WhatsApp);
    assert!(!can.has_conversation && can.media_out && can.read_receipts);
    assert_eq!(can.max_text.for_text("any"), 4096);
    assert!(provider.conversations().is_none() && provider.registration().is_none());
}
