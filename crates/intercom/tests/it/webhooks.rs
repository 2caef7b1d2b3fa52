use bowline_intercom::State;
use bowline_intercom::webhook::{Item, Notification, ParseError, TagRef, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn envelope(topic: &str, item: &Value) -> Value {
    json!({"type": "notification_event", "app_id": "abc12345", "id": "notif_7", "topic": topic,
        "data": {"type": "notification_event_data", "item": item}, "links": {}, "self": null,
        "delivery_status": "pending", "delivery_attempts": 1, "delivered_at": 0,
        "first_sent_at": 1_768_026_561, "created_at": 1_768_026_561})
}

fn read(topic: &str, item: &Value) -> Notification {
    parse(envelope(topic, item).to_string().as_bytes()).unwrap()
}

#[test]
fn the_envelope() {
    let read = read("ping", &json!({"type": "ping", "message": "hello"}));
    assert_eq!(read.id.as_deref(), Some("notif_7"));
    assert_eq!(read.app_id.as_deref(), Some("abc12345"));
    assert_eq!(read.created_at, Some(1_768_026_561));
    assert_eq!(read.item, Item::Ping);
    let bare = parse(br#"{"topic":"ping","id":null,"data":null}"#).unwrap();
    assert_eq!((bare.id, bare.item), (None, Item::Ping));
}

#[test]
fn a_conversation_with_the_parts_of_the_event() {
    let item = json!({"type": "conversation", "id": "215", "state": "snoozed", "open": true,
        "snoozed_until": "2026-01-10T06:29:21.953+00:00",
        "statistics": {"first_admin_reply_at": "2026-01-10T06:29:21.953+00:00"},
        "conversation_parts": {"type": "conversation_part.list", "total_count": 1,
            "conversation_parts": [{"type": "conversation_part", "id": "9", "part_type": "note",
                "body": "plain text", "author": {"type": "admin", "id": "4", "name": "Ann"}}]}});
    let Item::Conversation {
        conversation,
        tags_added,
    } = read("conversation.admin.noted", &item).item
    else {
        panic!("no conversation")
    };
    assert_eq!(
        (conversation.id.as_str(), &conversation.state),
        ("215", &State::Snoozed)
    );
    assert_eq!(conversation.snoozed_until, Some(1_768_026_561));
    assert_eq!(conversation.parts[0].part_type, "note");
    assert_eq!(conversation.parts[0].author.id.as_deref(), Some("4"));
    assert!(tags_added.is_empty());
}

#[test]
fn items_that_name_a_conversation_in_other_ways() {
    for (topic, item, want) in [
        (
            "conversation.admin.closed",
            json!({"type": "conversation", "id": 215}),
            "215",
        ),
        (
            "conversation_part.tag.created",
            json!({"type": "conversation_part", "id": "9", "conversation_id": "215"}),
            "215",
        ),
        ("conversation.admin.opened", json!({"id": "215"}), "215"),
    ] {
        match read(topic, &item).item {
            Item::Conversation { conversation, .. } => assert_eq!(conversation.id, want, "{item}"),
            other => panic!("{item} became {other:?}"),
        }
    }
    let part = json!({"type": "conversation_part", "id": "9", "conversation_id": "215",
        "tags_added": {"type": "tag.list", "tags": [{"id": 3, "name": "feedback"}]}});
    let Item::Conversation {
        conversation,
        tags_added,
    } = read("conversation_part.tag.created", &part).item
    else {
        panic!("no conversation")
    };
    assert_eq!(conversation.parts[0].id, "9");
    assert_eq!(
        tags_added,
        [TagRef {
            id: "3".into(),
            name: "feedback".into()
        }]
    );
}

#[test]
fn deleted_conversations_teammates_and_the_rest() {
    let deleted = json!({"type": "conversation", "conversation_id": "215"});
    assert_eq!(
        read("conversation.deleted", &deleted).item,
        Item::ConversationDeleted {
            conversation_id: "215".into()
        }
    );
    let admin = json!({"type": "admin", "id": "4", "name": "Ann"});
    assert!(matches!(
        read("admin.removed_from_workspace", &admin).item,
        Item::Admin(teammate) if teammate.id == "4"
    ));
    let contact = json!({"type": "contact", "id": "6762f0", "deleted": true});
    assert_eq!(
        read("contact.deleted", &contact).item,
        Item::ContactDeleted {
            id: "6762f0".into()
        }
    );
    let merged = json!({"type": "contact", "id": "6762f0", "merged_from": "6762e9"});
    assert_eq!(
        read("contact.merged", &merged).item,
        Item::Contact {
            id: "6762f0".into(),
            merged_from: vec!["6762e9".into()],
        }
    );
    let tagged = json!({"type": "contact_tag", "tag": {"id": 1}, "contact": {"id": "6762f0"}});
    assert!(matches!(
        read("contact.user.tag.created", &tagged).item,
        Item::Contact { id, .. } if id == "6762f0"
    ));
    let company = json!({"type": "company", "id": "c1"});
    assert_eq!(
        read("company.deleted", &company).item,
        Item::Company { id: "c1".into() }
    );
    assert_eq!(
        read("conversation.deleted", &json!(null)).item,
        Item::Other(Value::Null)
    );
    let nameless = json!({"type": "conversation", "id": null});
    assert_eq!(
        read("conversation.read", &nameless).item,
        Item::Other(nameless)
    );
}

#[test]
fn what_is_no_notification() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (raw, not_json) in [
        ("", true),
        ("topic=ping", true),
        ("\u{feff}{}", true),
        (deep.as_str(), true),
        ("{}", false),
        ("[]", false),
        ("null", false),
        (r#"{"topic":""}"#, false),
        (r#"{"topic":5}"#, false),
    ] {
        let error = parse(raw.as_bytes()).unwrap_err();
        assert_eq!(
            error == ParseError::NotJson,
            not_json,
            "{}",
            &raw[..raw.len().min(20)]
        );
    }
}

/// JSON made of the keys and values that the parser looks at, in places where they do not belong.
fn odd_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "type",
        "topic",
        "id",
        "data",
        "item",
        "conversation_id",
        "conversation_parts",
        "tags",
        "tags_added",
        "state",
        "open",
        "snoozed_until",
        "author",
        "source",
        "contacts",
        "body",
        "admin_assignee_id",
        "created_at",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec!["conversation", "ping", "conversation_part", "admin"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_any_bytes_never_panics(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&raw);
    }

    #[test]
    fn parsing_odd_json_never_panics(value in odd_json(), topic in ".{0,20}") {
        let _ = parse(value.to_string().as_bytes());
        let _ = parse(envelope(&topic, &value).to_string().as_bytes());
        let _ = parse(envelope("conversation.admin.noted", &value).to_string().as_bytes());
    }
}
