//! No outside bytes can make a parser panic, and none are lost without a word.

use bowline_messagebird::{ChannelProvider, ProviderEvent};
use bowline_net::testing::no_content;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{messagebird, whatsapp};

/// The keys and words that the parsers look for, so that random values reach deep.
const WORDS: &[&str] = &[
    "type",
    "message",
    "conversation",
    "contact",
    "id",
    "channelId",
    "direction",
    "received",
    "sent",
    "from",
    "to",
    "content",
    "text",
    "image",
    "url",
    "status",
    "failed",
    "error",
    "code",
    "description",
    "message.created",
    "message.updated",
    "conversation.updated",
    "archived",
    "createdDatetime",
    "2026-09-21T10:00:00Z",
    "0001-01-01T00:00:00Z",
    "msisdn",
    "entry",
    "changes",
    "value",
    "metadata",
    "phone_number_id",
    "messages",
    "contacts",
    "statuses",
    "field",
    "body",
    "timestamp",
    "1789984800",
    "system",
    "wa_id",
    "location",
    "latitude",
    "longitude",
    "reaction",
    "emoji",
    "interactive",
    "order",
    "whatsapp_business_account",
    "object",
    "message_echoes",
    "smb_message_echoes",
    "errors",
    "sha256",
    "mime_type",
    "DE.1",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Quarters, which are written and read back as they are.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 4.0)),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::vec((word(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn check(provider: &dyn ChannelProvider, raw: &[u8]) {
    let Ok(events) = provider.parse(raw) else {
        return;
    };
    for event in &events {
        if let ProviderEvent::Inbound(message) = event {
            assert!(!message.person.identities.is_empty());
            assert!(message.at_ms.is_none_or(|ms| ms > 0));
        }
        if let ProviderEvent::Unknown(unknown) = event {
            assert!(!unknown.why.is_empty());
        }
        let stored = serde_json::to_string(event).unwrap();
        let back: ProviderEvent = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), stored);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&messagebird(Ok(no_content())).0, &raw);
        check(&whatsapp(Ok(no_content())).0, &raw);
    }

    #[test]
    fn any_json_that_looks_right(inner in value(), message in value(), kind in word()) {
        let bird = json!({"type": kind, "message": message, "conversation": inner,
            "contact": inner});
        check(&messagebird(Ok(no_content())).0, bird.to_string().as_bytes());
        let field = json!({"object": "whatsapp_business_account", "entry": [{"changes": [
            {"field": "messages", "value": {"metadata": {"phone_number_id": "1"},
                "messages": [message, inner], "statuses": [inner], "contacts": [message]}},
            {"field": kind, "value": inner}]}]});
        check(&whatsapp(Ok(no_content())).0, field.to_string().as_bytes());
    }
}

#[test]
fn a_deep_nest_is_refused_and_not_followed() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let within = format!("{{\"type\":\"message.created\",\"message\":{deep}}}");
    assert!(
        messagebird(Ok(no_content()))
            .0
            .parse(within.as_bytes())
            .is_err()
    );
    assert!(whatsapp(Ok(no_content())).0.parse(deep.as_bytes()).is_err());
}
