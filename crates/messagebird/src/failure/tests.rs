use super::*;
use DeliveryFailure::*;
use proptest::prelude::*;

const MB: ProviderName = ProviderName::MessageBird;
const WA: ProviderName = ProviderName::WhatsApp;

#[test]
fn every_spelling_is_one_reason() {
    for (provider, code, words, want) in [
        (MB, Some("470"), "", WindowClosed),
        (
            MB,
            Some("301"),
            "failed to send: (#131047) Re-engagement message",
            WindowClosed,
        ),
        (
            MB,
            None,
            "Twilio 63016: outside the allowed window",
            WindowClosed,
        ),
        (MB, Some("1"), "470: message failed", WindowClosed),
        (
            WA,
            Some("131047"),
            "More than 24 hours have passed since the recipient last replied",
            WindowClosed,
        ),
        (MB, Some("service_window_expired"), "", WindowClosed),
        (
            MB,
            Some("302"),
            "The contact is not registered on WhatsApp.",
            NotOnPlatform,
        ),
        (MB, Some("301"), "number is not on WhatsApp", NotOnPlatform),
        (MB, Some("21610"), "", OptedOut),
        (MB, None, "The recipient has opted out", OptedOut),
        (WA, Some("131050"), "", OptedOut),
        (MB, Some("25"), "Not enough balance", Payment),
        (
            WA,
            Some("131042"),
            "Business eligibility payment issue",
            Payment,
        ),
        (
            MB,
            Some("2"),
            "Request not allowed (incorrect access_key)",
            Credentials,
        ),
        (WA, Some("2"), "API Service", Temporary),
        (WA, Some("190"), "Access token has expired", Credentials),
        (WA, Some("4"), "", Throttled),
        (WA, Some("130429"), "", Throttled),
        (WA, Some("131056"), "", Throttled),
        (WA, Some("131049"), "", WithheldByPlatform),
        (WA, Some("131026"), "Message undeliverable", Undeliverable),
        (WA, Some("131051"), "", UnsupportedContent),
        (WA, Some("131053"), "", Media),
        (WA, Some("132001"), "", Template),
        (
            MB,
            Some("301"),
            "Failed to send message",
            Other {
                code: Some("301".into()),
                words: "Failed to send message".into(),
            },
        ),
        // A number that is part of a longer one is another number.
        (
            MB,
            None,
            "call 4701310479",
            Other {
                code: None,
                words: "call 4701310479".into(),
            },
        ),
    ] {
        assert_eq!(
            DeliveryFailure::read(provider, code, words),
            Some(want),
            "{provider} {code:?} {words}"
        );
    }
    assert_eq!(DeliveryFailure::read(MB, Some(" "), " "), None);
}

#[test]
fn a_refused_call_is_a_reason_and_a_lost_one_is_none() {
    let error = |kind, code: Option<&str>, words: &str| {
        let mut error = ApiError::new(kind, "sending", words);
        error.code = code.map(str::to_owned);
        error
    };
    for (kind, code, words, want) in [
        (ErrorKind::Transient, Some("470"), "", None),
        (ErrorKind::UnknownOutcome, None, "", None),
        (ErrorKind::RateLimited, None, "slow down", None),
        (ErrorKind::Auth, None, "", Some(Credentials)),
        (ErrorKind::Permission, None, "", Some(Credentials)),
        (ErrorKind::PlanRestricted, Some("77"), "", Some(Payment)),
        (ErrorKind::Data, Some("131047"), "", Some(WindowClosed)),
        (
            ErrorKind::Data,
            None,
            "no",
            Some(Other {
                code: None,
                words: "no".into(),
            }),
        ),
    ] {
        let read = DeliveryFailure::of_refusal(WA, &error(kind, code, words));
        assert_eq!(read, want, "{kind:?} {code:?} {words}");
    }
}

#[test]
fn every_reason_has_a_code_and_words() {
    let all = [
        WindowClosed,
        NotOnPlatform,
        OptedOut,
        InvalidRecipient,
        Undeliverable,
        WithheldByPlatform,
        Throttled,
        Payment,
        Credentials,
        ChannelDown,
        UnsupportedContent,
        Media,
        TooLong,
        Template,
        Temporary,
        Other {
            code: None,
            words: String::new(),
        },
    ];
    let mut codes: Vec<_> = all.iter().map(DeliveryFailure::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for failure in &all {
        let words = failure.words();
        assert!(
            words.what.ends_with('.') && words.how.ends_with('.'),
            "{failure:?}"
        );
        let stored = serde_json::to_value(failure).unwrap();
        let name = stored.as_str().map_or("other", |s| s);
        assert_eq!(name, failure.code());
    }
}

proptest! {
    #[test]
    fn any_words_can_be_read(code in proptest::option::of(".*"), words in ".*") {
        for provider in [MB, WA] {
            let _ = DeliveryFailure::read(provider, code.as_deref(), &words);
        }
    }
}
