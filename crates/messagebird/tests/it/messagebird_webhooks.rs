use bowline_messagebird::{ChannelProvider as _, conversations::MessageBird};
use bowline_messagebird::{
    Content, DeliveryFailure, DeliveryStatus, MediaAt, MediaKind, ParseError, Platform,
    ProviderEvent,
};
use bowline_net::testing::no_content;
use serde_json::{Value, json};

use crate::support::{identities, inbound, messagebird, parse, text, unknown};

fn provider() -> MessageBird {
    messagebird(Ok(no_content())).0
}

fn contact() -> Value {
    json!({"id": "cont-1", "href": "", "msisdn": 4_915_550_100_u64,
        "displayName": "4915550100", "firstName": "Kim", "lastName": "Berg",
        "customDetails": {}, "attributes": {}, "createdDatetime": "2026-01-18T11:22:26Z",
        "updatedDatetime": "2026-04-24T11:43:16Z"})
}

fn message(direction: &str, status: &str, kind: &str, content: &Value) -> Value {
    let (from, to) = match direction {
        "received" => ("+4915550100", "+4915550999"),
        _ => ("+4915550999", "+4915550100"),
    };
    json!({"id": "msg-1", "conversationId": "conv-1", "platform": "whatsapp", "to": to,
        "from": from, "channelId": "chan-1", "type": kind, "content": content,
        "direction": direction, "status": status, "createdDatetime": "2026-09-21T10:00:00Z",
        "updatedDatetime": "2026-09-21T10:00:00.935687353Z"})
}

fn delivery(kind: &str, message: &Value) -> Value {
    json!({"type": kind, "contact": contact(), "message": message,
        "conversation": {"id": "conv-1", "contactId": "cont-1", "status": "active",
            "createdDatetime": "2026-09-20T10:00:00Z",
            "updatedDatetime": "2026-09-21T10:00:00.744164323Z",
            "lastReceivedDatetime": "2026-09-21T10:00:00Z", "lastUsedChannelId": "chan-1",
            "messages": {"totalCount": 0, "href": "https://x.example.com"}}})
}

fn only(body: &Value) -> ProviderEvent {
    let mut events = parse(&provider(), body);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn a_message_from_a_person() {
    let hi = message("received", "received", "text", &json!({"text": "hi"}));
    let event = only(&delivery("message.created", &hi));
    let read = inbound(&event);
    assert_eq!(read.id.as_str(), "msg-1");
    assert_eq!(read.channel.as_str(), "chan-1");
    assert_eq!(read.platform, Platform::WhatsApp);
    assert_eq!(read.conversation, Some("conv-1".into()));
    assert_eq!(read.at_ms, Some(1_789_984_800_000));
    assert_eq!(read.content, text("hi"));
    assert_eq!(
        identities(&read.person),
        ["phone +4915550100", "contact cont-1"]
    );
    assert_eq!(read.person.name.as_deref(), Some("Kim Berg"));
    assert_eq!((read.status, &read.failure), (None, &None));
}

#[test]
fn everything_optional_may_be_missing_or_strange() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 12] = [
        ("no contact", |v| v["contact"] = Value::Null),
        ("no contact key", |v| {
            v.as_object_mut().unwrap().remove("contact");
        }),
        ("details are a list", |v| {
            v["contact"]["customDetails"] = json!([]);
        }),
        ("attributes are a list", |v| {
            v["contact"]["attributes"] = json!([]);
        }),
        ("the number is text", |v| {
            v["contact"]["msisdn"] = json!("4915550100");
        }),
        ("the number is nothing", |v| {
            v["contact"]["msisdn"] = json!(0);
        }),
        ("never updated", |v| {
            v["message"]["updatedDatetime"] = Value::Null;
        }),
        ("updated in year 1", |v| {
            v["message"]["updatedDatetime"] = json!("0001-01-01T00:00:00Z");
        }),
        ("no conversation", |v| v["conversation"] = Value::Null),
        ("conversation only beside", |v| {
            v["message"]["conversationId"] = Value::Null;
        }),
        ("more than we know", |v| {
            v["message"]["fallback"] = json!({"from": "x"});
        }),
        ("nanoseconds", |v| {
            v["message"]["createdDatetime"] = json!("2026-09-21T10:00:00.000664784Z");
        }),
    ];
    let hi = message("received", "received", "text", &json!({"text": "hi"}));
    for (name, change) in cases {
        let mut body = delivery("message.created", &hi);
        change(&mut body);
        let event = only(&body);
        let read = inbound(&event);
        assert_eq!(read.content, text("hi"), "{name}");
        assert_eq!(read.at_ms, Some(1_789_984_800_000), "{name}");
        assert_eq!(read.conversation, Some("conv-1".into()), "{name}");
        assert_eq!(read.person.identities[0].value, "+4915550100", "{name}");
    }
}

#[test]
fn a_message_without_a_usable_time_has_none() {
    let mut hi = message("received", "received", "text", &json!({"text": "hi"}));
    hi["createdDatetime"] = json!("0001-01-01T00:00:00Z");
    hi["updatedDatetime"] = Value::Null;
    let event = only(&delivery("message.created", &hi));
    assert_eq!(inbound(&event).at_ms, None);
}

#[test]
fn people_on_every_platform() {
    for (platform, from, want) in [
        ("sms", json!("4915550100"), "phone +4915550100"),
        ("sms", json!(4_915_550_100_u64), "phone +4915550100"),
        ("sms", json!("Parcels"), "other Parcels"),
        (
            "whatsapp_sandbox",
            json!("+4915550100"),
            "phone +4915550100",
        ),
        (
            "whatsapp",
            json!("DE.1349120865"),
            "whats_app_user DE.1349120865",
        ),
        ("telegram", json!("12345678"), "other 12345678"),
        ("email", json!("Kim@Example.com"), "email kim@example.com"),
        ("pigeon", json!("grey-7"), "other grey-7"),
    ] {
        let mut hi = message("received", "received", "text", &json!({"text": "hi"}));
        hi["platform"] = json!(platform);
        hi["from"] = from;
        let mut body = delivery("message.created", &hi);
        body["contact"]["msisdn"] = Value::Null;
        let event = only(&body);
        assert_eq!(
            identities(&inbound(&event).person),
            [want, "contact cont-1"],
            "{platform}"
        );
    }
}

#[test]
fn every_kind_of_content_becomes_something() {
    let url = "https://media.messagebird.com/v1/media/52296e61";
    for (kind, content, want) in [
        ("text", json!({"text": "a\nb"}), Some("a\nb")),
        (
            "whatsappText",
            json!({"whatsappText": {"text": {"body": "c"}}}),
            Some("c"),
        ),
        (
            "interactive",
            json!({"interactive": {"reply": {"id": "1", "text": "Yes"}}}),
            Some("Yes"),
        ),
        (
            "interactive",
            json!({"interactive": {"listReply": {"id": "1", "title": "Express"}}}),
            Some("Express"),
        ),
        (
            "email",
            json!({"email": {"subject": "Help", "content": {"text": "It broke", "html": "<p>"}}}),
            Some("Help\n\nIt broke"),
        ),
        (
            "buttons",
            json!({"buttons": {"text": "Choose"}}),
            Some("Choose"),
        ),
        ("text", json!({"text": " "}), None),
        ("text", json!({}), None),
        ("text", json!([]), None),
        ("hologram", json!({"hologram": {"depth": 3}}), None),
        ("image", json!({"image": {}}), None),
        ("location", json!({"location": {"latitude": "north"}}), None),
    ] {
        let read = message("received", "received", kind, &content);
        let event = only(&delivery("message.created", &read));
        let want = want.map_or_else(
            || Content::Unsupported {
                kind: kind.to_owned(),
            },
            text,
        );
        assert_eq!(inbound(&event).content, want, "{kind} {content}");
    }
    for (kind, content, want) in [
        (
            "image",
            json!({"image": {"url": url, "caption": "a tree"}}),
            MediaKind::Image,
        ),
        ("video", json!({"video": {"url": url}}), MediaKind::Video),
        ("audio", json!({"audio": {"url": url}}), MediaKind::Audio),
        (
            "file",
            json!({"file": {"url": url, "caption": null}}),
            MediaKind::File,
        ),
        (
            "whatsappSticker",
            json!({"whatsappSticker": {"link": url}}),
            MediaKind::Sticker,
        ),
    ] {
        let read = message("received", "received", kind, &content);
        let event = only(&delivery("message.created", &read));
        let Content::Media(media) = &inbound(&event).content else {
            panic!("{kind} is no file");
        };
        assert_eq!(
            (media.kind, &media.at),
            (want, &MediaAt::Url(url.to_owned()))
        );
        assert_eq!(media.caption.is_some(), kind == "image");
    }
    let place = json!({"location": {"latitude": 52.37, "longitude": "4.89"}});
    let read = message("received", "received", "location", &place);
    let event = only(&delivery("message.created", &read));
    let Content::Location(place) = &inbound(&event).content else {
        panic!("no place");
    };
    assert!((place.latitude - 52.37).abs() < 1e-9 && (place.longitude - 4.89).abs() < 1e-9);
}

#[test]
fn a_file_that_is_still_coming_is_told_by_its_update() {
    let mut waiting = message("received", "pending_media", "image", &json!({"image": {}}));
    let event = only(&delivery("message.created", &waiting));
    assert!(unknown(&event).why.contains("not there yet"));
    waiting["status"] = json!("received");
    waiting["content"] = json!({"image": {"url": "https://media.messagebird.com/v1/media/1"}});
    let event = only(&delivery("message.updated", &waiting));
    assert!(matches!(inbound(&event).content, Content::Media(_)));
}

#[test]
fn what_was_sent_is_no_message_from_a_person() {
    let hello = message("sent", "pending", "text", &json!({"text": "Hello!"}));
    let event = only(&delivery("message.created", &hello));
    let ProviderEvent::EchoOut(echo) = event else {
        panic!("not an echo: {event:?}");
    };
    assert_eq!(echo.status, Some(DeliveryStatus::Accepted));
    assert_eq!(
        identities(&echo.person),
        ["phone +4915550100", "contact cont-1"]
    );
}

#[test]
fn news_of_what_was_sent() {
    for (status, error, want, failure) in [
        ("transmitted", Value::Null, DeliveryStatus::Sent, None),
        ("delivered", Value::Null, DeliveryStatus::Delivered, None),
        ("read", Value::Null, DeliveryStatus::Read, None),
        (
            "failed",
            json!({"code": 302, "description": "The contact is not registered."}),
            DeliveryStatus::Failed,
            Some(DeliveryFailure::NotOnPlatform),
        ),
        (
            "rejected",
            json!({"code": "470", "message": "outside the window"}),
            DeliveryStatus::Failed,
            Some(DeliveryFailure::WindowClosed),
        ),
        (
            "expired",
            Value::Null,
            DeliveryStatus::Failed,
            Some(DeliveryFailure::Other {
                code: None,
                words: "expired".to_owned(),
            }),
        ),
    ] {
        let mut sent = message("sent", status, "text", &json!({"text": "Hello!"}));
        sent["error"] = error;
        let event = only(&delivery("message.updated", &sent));
        let ProviderEvent::Status(report) = event else {
            panic!("not a status: {event:?}");
        };
        assert_eq!(report.message.as_str(), "msg-1");
        assert_eq!(report.conversation, Some("conv-1".into()));
        assert_eq!((report.status, report.failure), (want, failure), "{status}");
        assert_eq!(report.at_ms, Some(1_789_984_800_935));
    }
    let sent = message("sent", "deleted", "text", &json!({"text": "Hello!"}));
    let event = only(&delivery("message.updated", &sent));
    assert!(unknown(&event).why.contains("deleted"));
}

#[test]
fn a_report_has_its_error_beside_the_message() {
    let body = json!({"type": "message.status", "message": {"id": "msg-1", "status": "failed"},
        "error": {"code": 301, "description": "(#131047) Re-engagement message"}});
    let event = only(&body);
    let ProviderEvent::Status(report) = event else {
        panic!("not a status: {event:?}");
    };
    assert_eq!(report.failure, Some(DeliveryFailure::WindowClosed));
    assert_eq!((report.channel, report.at_ms), (None, None));
}

#[test]
fn a_conversation_ends_or_changes() {
    let body = |status: &str| {
        json!({"type": "conversation.updated", "contact": contact(), "conversation":
            {"id": "conv-1", "contactId": "cont-1", "status": status,
             "updatedDatetime": "2026-09-21T10:00:00.744164323Z"}})
    };
    let event = only(&body("archived"));
    let ProviderEvent::ConversationClosed(closed) = event else {
        panic!("not closed: {event:?}");
    };
    assert_eq!(closed.conversation.as_str(), "conv-1");
    assert_eq!(closed.person.contact, Some("cont-1".into()));
    assert_eq!(closed.at_ms, Some(1_789_984_800_744));
    let event = only(&body("active"));
    let ProviderEvent::ContactChanged(change) = event else {
        panic!("no change: {event:?}");
    };
    assert_eq!(change.conversation, Some("conv-1".into()));
    assert_eq!(
        identities(&change.person),
        ["phone +4915550100", "contact cont-1"]
    );
    // A state that we do not know must not end a conversation.
    assert!(unknown(&only(&body("paused"))).why.contains("paused"));
    let mut began = body("active");
    began["type"] = json!("conversation.created");
    assert!(unknown(&only(&began)).why.contains("began"));
}

#[test]
fn what_cannot_be_used_is_kept_and_explained() {
    let mut nobody = message("received", "received", "text", &json!({"text": "hi"}));
    nobody["from"] = Value::Null;
    let mut no_sender = delivery("message.created", &nobody);
    no_sender["contact"] = Value::Null;
    let mut no_id = delivery("message.created", &nobody);
    no_id["message"]["id"] = Value::Null;
    let mut no_way = delivery("message.created", &nobody);
    no_way["message"]["direction"] = json!("sideways");
    for (body, why) in [
        (no_sender, "names no sender"),
        (no_id, "without an id"),
        (no_way, "neither received nor sent"),
        (json!({"type": "contact.created"}), "contact.created"),
        (
            json!({"type": "message.updated"}),
            "says nothing about delivery",
        ),
        (
            json!({"type": "message.status", "message": {"status": "read"}}),
            "without the id",
        ),
        (json!({"type": "conversation.updated"}), "without an id"),
    ] {
        let event = only(&body);
        let kept = unknown(&event);
        assert!(kept.why.contains(why), "{}", kept.why);
        assert_eq!(kept.raw, body);
    }
    for (raw, not_json) in [("", true), ("<html>", true), ("[]", false), ("{}", false)] {
        let error = provider().parse(raw.as_bytes()).unwrap_err();
        assert_eq!(error == ParseError::NotJson, not_json, "{raw}");
    }
}

#[test]
fn an_answer_names_what_it_answers() {
    for reply in [json!({"id": "msg-0"}), json!("msg-0")] {
        let mut hi = message("received", "received", "text", &json!({"text": "yes"}));
        hi["replyTo"] = reply;
        let event = only(&delivery("message.created", &hi));
        assert_eq!(inbound(&event).reply_to, Some("msg-0".into()));
    }
}
