//! Which tokens are taken.

use bowline_oidc::OidcError;
use serde_json::{Value, json};

use crate::stage::{CLIENT, ISSUER, Key, Stage, by_secret, unsigned};

/// The claims with this changed.
fn with(stage: &Stage, nonce: &str, changes: &Value) -> Value {
    let mut claims = stage.claims(nonce);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn a_good_token_says_who_somebody_is() {
    let stage = Stage::new();
    let told = stage
        .round(|stage, nonce| stage.key.sign(&stage.claims(nonce)))
        .await;
    let told = told.unwrap();
    assert_eq!((told.issuer.as_str(), told.subject.as_str()), (ISSUER, "7"));
    assert_eq!(told.email.as_deref(), Some("ana@example.com"));
    assert_eq!(told.email_verified, Some(true));
    assert_eq!(told.name.as_deref(), Some("Ana Lind"));
    assert_eq!(stage.asked("/userinfo"), 0, "nothing is missing");
    // Some say it as a text.
    let changes = json!({ "email_verified": "true", "azp": CLIENT, "aud": [CLIENT] });
    let told = stage.round(|stage, nonce| stage.key.sign(&with(stage, nonce, &changes)));
    assert_eq!(told.await.unwrap().email_verified, Some(true));
}

#[tokio::test]
async fn a_token_that_is_not_the_providers_for_us_for_this_sign_in_now_is_not_taken() {
    let now_s = crate::stage::T0 / 1_000;
    for (what, changes, words) in [
        (
            "another issuer",
            json!({ "iss": "https://evil.example.com" }),
            "Invalid issuer",
        ),
        (
            "the issuer's neighbour",
            json!({ "iss": "https://id.example.com/other" }),
            "Invalid issuer",
        ),
        (
            "another audience",
            json!({ "aud": "other" }),
            "Invalid audiences",
        ),
        ("no audience", json!({ "aud": [] }), "Invalid audiences"),
        (
            "another one too",
            json!({ "aud": [CLIENT, "other"] }),
            "Invalid audiences",
        ),
        (
            "given to another",
            json!({ "azp": "other" }),
            "another application",
        ),
        (
            "another nonce",
            json!({ "nonce": "guessed" }),
            "Invalid nonce",
        ),
        ("no nonce", json!({ "nonce": null }), "Invalid nonce"),
        ("expired", json!({ "exp": now_s - 1 }), "Expired"),
        ("expires now", json!({ "exp": now_s }), "Expired"),
    ] {
        let stage = Stage::new();
        let told = stage.round(|stage, nonce| stage.key.sign(&with(stage, nonce, &changes)));
        match told.await {
            Err(OidcError::Untrusted(said)) => assert!(said.contains(words), "{what}: {said}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_with_another_signature_is_not_taken() {
    type Make = fn(&Stage, &str) -> String;
    let table: [(&str, Make); 8] = [
        ("none at all", |stage, nonce| {
            let header = json!({ "alg": "none" });
            format!("{}.", unsigned(&header, &stage.claims(nonce)))
        }),
        ("none, and something in its place", |stage, nonce| {
            let header = json!({ "alg": "none", "kid": "k1" });
            format!("{}.c2ln", unsigned(&header, &stage.claims(nonce)))
        }),
        ("with the client secret", |stage, nonce| {
            by_secret(&stage.claims(nonce))
        }),
        ("by somebody else's key of the same name", |stage, nonce| {
            Key::new("k1").sign(&stage.claims(nonce))
        }),
        ("by a key that is not published", |stage, nonce| {
            Key::new("k2").sign(&stage.claims(nonce))
        }),
        ("of other claims", |stage, nonce| {
            let good = stage.key.sign(&stage.claims(nonce));
            let (_, signature) = good.rsplit_once('.').unwrap();
            let other = with(stage, nonce, &json!({ "sub": "1" }));
            let header = json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" });
            format!("{}.{signature}", unsigned(&header, &other))
        }),
        ("cut off", |stage, nonce| {
            let good = stage.key.sign(&stage.claims(nonce));
            good[..good.len() - 4].to_owned()
        }),
        ("no token", |_, _| "not.a.token".to_owned()),
    ];
    for (what, make) in table {
        let stage = Stage::new();
        let told = stage.round(make).await;
        assert!(
            matches!(told, Err(OidcError::Untrusted(_))),
            "{what}: {told:?}"
        );
    }
    // A public client has no secret; nobody may sign with an empty one.
    let stage = Stage::as_client(None);
    let told = stage
        .round(|stage, nonce| by_secret(&stage.claims(nonce)))
        .await;
    assert!(matches!(told, Err(OidcError::Untrusted(_))), "{told:?}");
}

#[tokio::test]
async fn keys_that_change_are_read_again_but_not_for_each_false_token() {
    let stage = Stage::new();
    let sign = |stage: &Stage, nonce: &str| stage.key.sign(&stage.claims(nonce));
    stage.round(sign).await.unwrap();
    let next = Key::new("k2");
    stage.answers.lock().unwrap().keys = vec![next.published()];
    let by_next = |stage: &Stage, nonce: &str| next.sign(&stage.claims(nonce));
    // Just read: they are not read again at once.
    assert!(stage.round(by_next).await.is_err());
    assert_eq!(stage.asked("/keys"), 1);
    stage.clock.turn(11_000);
    stage.round(by_next).await.unwrap();
    assert_eq!(stage.asked("/keys"), 2);
    // The old key is gone with it.
    assert!(stage.round(sign).await.is_err());
    // Known for an hour, and no longer.
    stage.clock.turn(59 * 60_000);
    stage.round(by_next).await.unwrap();
    assert_eq!(stage.asked("/keys"), 2);
    stage.clock.turn(2 * 60_000);
    stage.round(by_next).await.unwrap();
    assert_eq!(stage.asked("/keys"), 3);
}
