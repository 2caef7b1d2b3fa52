use bowline_messagebird::{
    ChannelProvider as _, Content, DeliveryFailure, DeliveryStatus, MediaAt, MediaKind, ParseError,
    ProviderEvent,
};
use bowline_net::testing::no_content;
use serde_json::{Value, json};

use crate::support::{identities, inbound, parse, text, unknown, whatsapp};

const PHONE_ID: &str = "106540352242922";

fn value(more: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "4915550999", "phone_number_id": PHONE_ID}});
    for (key, part) in more.as_object().unwrap() {
        value[key] = part.clone();
    }
    value
}

fn delivery(field: &str, more: &Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "2150001",
        "changes": [{"field": field, "value": value(more)}]}]})
}

fn message(kind: &str, own: &Value) -> Value {
    json!({"from": "4915550100", "id": "wamid.A1", "timestamp": "1789984800", "type": kind,
        kind: own})
}

fn contact() -> Value {
    json!({"profile": {"name": "Kim Berg"}, "wa_id": "4915550100"})
}

fn events(body: &Value) -> Vec<ProviderEvent> {
    parse(&whatsapp(Ok(no_content())).0, body)
}

fn only(body: &Value) -> ProviderEvent {
    let mut events = events(body);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn content(message: &Value) -> Content {
    let body = delivery(
        "messages",
        &json!({"contacts": [contact()], "messages": [message]}),
    );
    inbound(&only(&body)).content.clone()
}

#[test]
fn a_message_from_a_person() {
    let mut hi = message("text", &json!({"body": "hi"}));
    hi["context"] = json!({"from": "4915550999", "id": "wamid.A0"});
    let body = delivery(
        "messages",
        &json!({"contacts": [contact()], "messages": [hi]}),
    );
    let event = only(&body);
    let read = inbound(&event);
    assert_eq!(
        (read.id.as_str(), read.channel.as_str()),
        ("wamid.A1", PHONE_ID)
    );
    assert_eq!(read.content, text("hi"));
    assert_eq!(read.at_ms, Some(1_789_984_800_000));
    assert_eq!(read.reply_to, Some("wamid.A0".into()));
    assert_eq!((&read.conversation, read.status), (&None, None));
    assert_eq!(identities(&read.person), ["phone +4915550100"]);
    assert_eq!(read.person.name.as_deref(), Some("Kim Berg"));
}

#[test]
fn timestamps_in_seconds_and_milliseconds() {
    for (stamp, want) in [
        (json!("1789984800"), Some(1_789_984_800_000)),
        (json!("1789984800123"), Some(1_789_984_800_123)),
        (json!(1_789_984_800), Some(1_789_984_800_000)),
        (json!("0"), None),
        (json!("-5"), None),
        (json!("soon"), None),
        (Value::Null, None),
    ] {
        let mut hi = message("text", &json!({"body": "hi"}));
        hi["timestamp"] = stamp;
        let body = delivery("messages", &json!({"messages": [hi]}));
        assert_eq!(inbound(&only(&body)).at_ms, want);
    }
}

#[test]
fn people_without_a_phone_number() {
    let user = "DE.1349120865";
    let hi = |from: Value, from_user: Value| {
        let mut hi = message("text", &json!({"body": "hi"}));
        hi["from"] = from;
        hi["from_user_id"] = from_user;
        hi
    };
    let named = |more: Value| {
        let mut contact = json!({"profile": {"name": "Kim"}});
        for (key, part) in more.as_object().unwrap() {
            contact[key] = part.clone();
        }
        contact
    };
    let number = json!("4915550100");
    let by_user = format!("whats_app_user {user}");
    let both = vec!["phone +4915550100".to_owned(), by_user.clone()];
    for (message, contact, want) in [
        (
            hi(number.clone(), json!(user)),
            named(json!({"wa_id": "4915550100", "user_id": user})),
            both.clone(),
        ),
        (
            hi(number, Value::Null),
            named(json!({"wa_id": "4915550100", "user_id": user})),
            both.clone(),
        ),
        (
            hi(Value::Null, json!(user)),
            named(json!({"user_id": user})),
            vec![by_user.clone()],
        ),
        (
            hi(json!(user), Value::Null),
            named(json!({"user_id": user})),
            vec![by_user.clone()],
        ),
        (
            hi(json!(user), Value::Null),
            named(json!({"wa_id": "4915550100", "user_id": user})),
            both,
        ),
        (
            hi(Value::Null, json!(user)),
            named(json!({})),
            vec![by_user],
        ),
    ] {
        let body = delivery(
            "messages",
            &json!({"contacts": [contact], "messages": [message]}),
        );
        let event = only(&body);
        assert_eq!(identities(&inbound(&event).person), want, "{body}");
        assert_eq!(inbound(&event).person.name.as_deref(), Some("Kim"));
    }
    let nobody = delivery(
        "messages",
        &json!({"messages": [hi(Value::Null, Value::Null)]}),
    );
    assert!(unknown(&only(&nobody)).why.contains("no sender"));
}

#[test]
fn a_contact_of_another_message_is_not_taken() {
    let other = json!({"profile": {"name": "Lou"}, "wa_id": "4915550222"});
    let hi = message("text", &json!({"body": "hi"}));
    let body = delivery("messages", &json!({"contacts": [other], "messages": [hi]}));
    let event = only(&body);
    assert_eq!(inbound(&event).person.name, None);
    assert_eq!(identities(&inbound(&event).person), ["phone +4915550100"]);
}

#[test]
fn many_entries_changes_and_messages_in_one_call() {
    let hi = |id: &str| {
        let mut hi = message("text", &json!({"body": id}));
        hi["id"] = json!(id);
        hi
    };
    let report = json!({"id": "wamid.S1", "status": "sent", "timestamp": "1789984800"});
    let change = |more: &Value| json!({"field": "messages", "value": value(more)});
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": "1", "changes": [
            change(&json!({"messages": [hi("a"), hi("b")], "contacts": [contact()]})),
            change(&json!({"statuses": [report, report]}))]},
        {"id": "2", "changes": [change(&json!({"messages": [hi("c")]}))]},
        {"id": "3"}]});
    let kinds: Vec<String> = events(&body)
        .iter()
        .map(|event| match event {
            ProviderEvent::Inbound(message) => message.id.to_string(),
            ProviderEvent::Status(report) => format!("{:?}", report.status),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["a", "b", "Sent", "Sent", "c"]);
}

#[test]
fn every_kind_of_content_becomes_something() {
    for (kind, own, want) in [
        ("text", json!({"body": "a\nb"}), text("a\nb")),
        (
            "button",
            json!({"payload": "P", "text": "Unsubscribe"}),
            text("Unsubscribe"),
        ),
        (
            "interactive",
            json!({"type": "list_reply", "list_reply": {"id": "x", "title": "Express"}}),
            text("Express"),
        ),
        (
            "interactive",
            json!({"type": "button_reply", "button_reply": {"id": "x", "title": "Yes"}}),
            text("Yes"),
        ),
        (
            "order",
            json!({"catalog_id": "1", "text": "", "product_items": [
                {"product_retailer_id": "di9", "quantity": 2, "item_price": 30, "currency": "EUR"},
                {"product_retailer_id": "nq3", "item_price": 25, "currency": "EUR"}]}),
            text("2 x di9\n1 x nq3"),
        ),
        (
            "reaction",
            json!({"message_id": "wamid.A0", "emoji": "👍"}),
            Content::Reaction {
                emoji: Some("👍".to_owned()),
                to: "wamid.A0".into(),
            },
        ),
        (
            "reaction",
            json!({"message_id": "wamid.A0", "emoji": ""}),
            Content::Reaction {
                emoji: None,
                to: "wamid.A0".into(),
            },
        ),
    ] {
        assert_eq!(content(&message(kind, &own)), want, "{kind}");
    }
    for (kind, own) in [
        ("text", json!({"body": ""})),
        ("text", json!("bare")),
        ("image", json!({"mime_type": "image/jpeg"})),
        ("location", json!({"latitude": "north"})),
        ("reaction", json!({"emoji": "👍"})),
        ("unsupported", json!({})),
        ("hologram", json!({"depth": 3})),
    ] {
        let want = Content::Unsupported {
            kind: kind.to_owned(),
        };
        assert_eq!(content(&message(kind, &own)), want, "{kind} {own}");
    }
    let cards = json!([{"name": {"formatted_name": "Lou Ek"}, "phones": [{"phone": "+49 1"}],
        "emails": [{"email": "lou@example.com"}]}, {"name": {}}]);
    let want = Content::Contacts(vec!["Lou Ek, +49 1, lou@example.com".to_owned()]);
    assert_eq!(content(&message("contacts", &cards)), want);
}

#[test]
fn files_and_places() {
    let hex = "29fd00623cdd9623f910b98f906f0555a9a295706c99b120307e651b9bd7321f".to_owned();
    for (kind, own, want) in [
        (
            "image",
            json!({"caption": "Tree", "mime_type": "image/jpeg", "id": "1003",
                "sha256": "Kf0AYjzdliP5ELmPkG8FVamilXBsmbEgMH5lG5vXMh8="}),
            (MediaKind::Image, Some("Tree"), None, "image/jpeg", true),
        ),
        (
            "document",
            json!({"filename": "a.pdf", "mime_type": "application/pdf", "id": "1003",
                "sha256": hex}),
            (
                MediaKind::File,
                None,
                Some("a.pdf"),
                "application/pdf",
                true,
            ),
        ),
        (
            "audio",
            json!({"voice": true, "mime_type": "audio/ogg; codecs=opus", "id": 1003,
                "sha256": "?"}),
            (MediaKind::Audio, None, None, "audio/ogg", false),
        ),
        (
            "sticker",
            json!({"animated": false, "mime_type": "image/webp", "id": "1003"}),
            (MediaKind::Sticker, None, None, "image/webp", false),
        ),
    ] {
        let Content::Media(media) = content(&message(kind, &own)) else {
            panic!("{kind} is no file");
        };
        let (of_kind, caption, name, mime, has_hash) = want;
        assert_eq!(
            (media.kind, media.at),
            (of_kind, MediaAt::Id("1003".to_owned()))
        );
        assert_eq!(
            (media.caption.as_deref(), media.file_name.as_deref()),
            (caption, name)
        );
        assert_eq!(media.mime_type.as_deref(), Some(mime));
        assert_eq!(media.sha256, has_hash.then(|| hex.clone()), "{kind}");
    }
    let own = json!({"address": "1 Quay", "latitude": 52.37, "longitude": 4.89, "name": "Cafe"});
    let Content::Location(place) = content(&message("location", &own)) else {
        panic!("no place");
    };
    assert_eq!(
        (place.name.as_deref(), place.address.as_deref()),
        (Some("Cafe"), Some("1 Quay"))
    );
}

#[test]
fn news_of_what_was_sent() {
    let late = json!([{"code": 131_047, "title": "Re-engagement message",
        "message": "Re-engagement message", "error_data": {"details": "more than 24 hours"}}]);
    for (status, errors, want, failure) in [
        ("sent", Value::Null, DeliveryStatus::Sent, None),
        ("delivered", Value::Null, DeliveryStatus::Delivered, None),
        ("read", Value::Null, DeliveryStatus::Read, None),
        (
            "failed",
            late,
            DeliveryStatus::Failed,
            Some(DeliveryFailure::WindowClosed),
        ),
        (
            "failed",
            json!([{"code": 999, "title": "New", "error_data": {"details": "reason"}}]),
            DeliveryStatus::Failed,
            Some(DeliveryFailure::Other {
                code: Some("999".to_owned()),
                words: "New: reason".to_owned(),
            }),
        ),
        (
            "failed",
            Value::Null,
            DeliveryStatus::Failed,
            Some(DeliveryFailure::Other {
                code: None,
                words: String::new(),
            }),
        ),
    ] {
        let report = json!({"id": "wamid.S1", "status": status, "timestamp": "1789984800",
            "recipient_id": "4915550100", "errors": errors});
        let event = only(&delivery("messages", &json!({"statuses": [report]})));
        let ProviderEvent::Status(report) = event else {
            panic!("not a status: {event:?}");
        };
        assert_eq!(report.message.as_str(), "wamid.S1");
        assert_eq!(report.channel, Some(PHONE_ID.into()));
        assert_eq!((report.status, report.failure), (want, failure), "{status}");
    }
}

#[test]
fn a_changed_number_is_one_more_identity_of_the_same_person() {
    let notice = message(
        "system",
        &json!({"body": "Kim changed from 4915550100 to 4915550222", "wa_id": "4915550222",
            "type": "user_changed_number"}),
    );
    let event = only(&delivery("messages", &json!({"messages": [notice]})));
    let ProviderEvent::ContactChanged(change) = event else {
        panic!("no change: {event:?}");
    };
    assert_eq!(identities(&change.person), ["phone +4915550100"]);
    assert_eq!(change.added.len(), 1);
    assert_eq!(change.added[0].value, "+4915550222");
    let same = message(
        "system",
        &json!({"type": "user_changed_number", "wa_id": "4915550100"}),
    );
    let event = only(&delivery("messages", &json!({"messages": [same]})));
    assert!(unknown(&event).why.contains("user_changed_number"));
}

#[test]
fn what_was_written_on_the_business_phone_is_an_echo() {
    let echo = json!({"from": "4915550999", "to": "4915550100", "id": "wamid.E1",
        "timestamp": "1789984800", "type": "text", "text": {"body": "We come on Thursday"}});
    let event = only(&delivery(
        "smb_message_echoes",
        &json!({"message_echoes": [echo]}),
    ));
    let ProviderEvent::EchoOut(echo) = event else {
        panic!("not an echo: {event:?}");
    };
    assert_eq!(identities(&echo.person), ["phone +4915550100"]);
    assert_eq!(echo.content, text("We come on Thursday"));
}

#[test]
fn what_cannot_be_used_is_kept_and_explained() {
    let mut no_channel = delivery("messages", &json!({"messages": [{}]}));
    no_channel["entry"][0]["changes"][0]["value"]["metadata"] = Value::Null;
    let mut no_id = message("text", &json!({"body": "hi"}));
    no_id["id"] = Value::Null;
    for (body, why) in [
        (no_channel, "names no phone number"),
        (
            delivery("messages", &json!({"messages": [no_id]})),
            "without an id",
        ),
        (
            delivery("messages", &json!({"statuses": [{"status": "sent"}]})),
            "without the id",
        ),
        (
            delivery(
                "messages",
                &json!({"statuses": [{"id": "w", "status": "deleted"}]}),
            ),
            "deleted",
        ),
        (
            delivery(
                "messages",
                &json!({"errors": [{"code": 1, "title": "Fault"}]}),
            ),
            "Fault",
        ),
        (delivery("messages", &json!({})), "nothing is made of"),
        (
            delivery("message_template_status_update", &json!({})),
            "message_template_status_update",
        ),
    ] {
        let event = only(&body);
        assert!(unknown(&event).why.contains(why), "{}", unknown(&event).why);
    }
    for (raw, not_json) in [
        ("", true),
        ("[]", false),
        ("{\"object\":\"page\",\"entry\":[]}", false),
        ("{\"object\":\"whatsapp_business_account\"}", false),
    ] {
        let error = whatsapp(Ok(no_content()))
            .0
            .parse(raw.as_bytes())
            .unwrap_err();
        assert_eq!(error == ParseError::NotJson, not_json, "{raw}");
    }
    let empty = json!({"object": "whatsapp_business_account", "entry": []});
    assert!(events(&empty).is_empty());
}
