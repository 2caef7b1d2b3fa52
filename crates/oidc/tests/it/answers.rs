//! What browsers bring back, and what the provider says to it.

use bowline_net::SendFailure;
use bowline_net::testing::{json, response};
use bowline_oidc::{Answer, BEGUN_MS_MAX, OidcError};
use serde_json::json;

use crate::stage::{ISSUER, Stage};

#[tokio::test]
async fn a_browser_is_sent_with_what_only_it_can_answer() {
    let stage = Stage::new();
    let sent = stage.sent(&stage.begun("one")).await;
    assert!(
        sent.0
            .as_str()
            .starts_with(&format!("{ISSUER}/authorize?tenant=a&"))
    );
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", "bowline"),
        (
            "redirect_uri",
            "https://bowline.example.com/sign-in/oidc/back",
        ),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(sent.get(name), wanted, "{name}");
    }
    let other = stage.sent(&stage.begun("two")).await;
    for name in ["state", "nonce", "code_challenge"] {
        assert!(sent.get(name).len() >= 43, "{name}");
        assert_ne!(sent.get(name), other.get(name), "{name}");
    }
    assert!(
        !sent.0.as_str().contains("one"),
        "the secret stays in the browser"
    );
    assert_eq!(stage.asked("/openid-configuration"), 1, "it is asked once");
}

#[tokio::test]
async fn what_does_not_belong_to_the_browser_is_not_taken_and_not_asked_about() {
    let stage = Stage::new();
    let (own, other) = (stage.begun("one"), stage.begun("two"));
    let state = stage.sent(&own).await.get("state");
    let answer = Answer {
        state: &state,
        code: "a code",
        ..Answer::default()
    };
    let session = stage.provider.finish(&own, "a session", &answer).await;
    assert_eq!(
        session,
        Err(OidcError::NotOurs),
        "somebody is signed in now"
    );
    assert_eq!(stage.back(&other, &state).await, Err(OidcError::NotOurs));
    assert_eq!(stage.back(&own, "").await, Err(OidcError::NotOurs));
    let none = Answer { code: "", ..answer };
    assert_eq!(
        stage.provider.finish(&own, "", &none).await,
        Err(OidcError::NotOurs)
    );
    let mixed_up = Answer {
        iss: "https://evil.example.com",
        ..answer
    };
    assert_eq!(
        stage.provider.finish(&own, "", &mixed_up).await,
        Err(OidcError::NotOurs)
    );
    stage.clock.turn(BEGUN_MS_MAX);
    assert_eq!(stage.back(&own, &state).await, Err(OidcError::NotOurs));
    assert_eq!(stage.asked("/token"), 0);
}

#[tokio::test]
async fn what_the_provider_says_no_to_is_said_in_words() {
    let stage = Stage::new();
    let begun = stage.begun("one");
    let state = stage.sent(&begun).await.get("state");
    for (error, description, words) in [
        ("access_denied", "", "you went back"),
        (
            "access_denied",
            "The user may not.\r\n",
            "did not let you in: The user may not.",
        ),
        ("server_error", "", "does not work at the moment"),
        ("odd_word", "", "odd_word"),
    ] {
        let answer = Answer {
            state: &state,
            error,
            description,
            ..Answer::default()
        };
        let refused = stage
            .provider
            .finish(&begun, "", &answer)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
    for (token, words) in [
        (
            Ok(json(
                400,
                &json!({ "error": "invalid_grant", "error_description": "used" }),
            )),
            "refuses what it sent a moment ago (invalid_grant: used)",
        ),
        (
            Ok(json(401, &json!({ "error": "invalid_client" }))),
            "oidc.client_secret",
        ),
        (Ok(response(200, &[], "<html>")), "cannot be relied on"),
        (
            Ok(json(
                200,
                &json!({ "access_token": "a", "token_type": "Bearer" }),
            )),
            "no ID token",
        ),
        (
            Err(SendFailure::NotSent("refused".to_owned())),
            "cannot be reached (not sent: refused)",
        ),
    ] {
        stage.answers.lock().unwrap().token = token;
        let refused = stage.back(&begun, &state).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[tokio::test]
async fn what_the_token_does_not_say_is_asked_for_of_the_same_person() {
    let bare = |stage: &Stage, nonce: &str| {
        let mut claims = stage.claims(nonce);
        for name in ["email", "email_verified", "name"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        stage.key.sign(&claims)
    };
    let stage = Stage::new();
    let says = |body| stage.answers.lock().unwrap().userinfo = json(200, &body);
    says(json!({ "sub": "7", "email": "ana@example.com", "email_verified": false }));
    let told = stage.round(bare).await.unwrap();
    assert_eq!(told.email.as_deref(), Some("ana@example.com"));
    assert_eq!((told.email_verified, told.name), (Some(false), None));
    says(json!({ "sub": "8", "email": "ana@example.com", "email_verified": true }));
    let told = stage.round(bare).await;
    assert!(matches!(told, Err(OidcError::Untrusted(_))), "{told:?}");
    // An address of the token is not verified by what the other place says.
    let half = |stage: &Stage, nonce: &str| {
        let mut claims = stage.claims(nonce);
        claims.as_object_mut().unwrap().remove("email_verified");
        claims.as_object_mut().unwrap().remove("name");
        stage.key.sign(&claims)
    };
    says(json!({ "sub": "7", "email": "other@example.com", "email_verified": true, "name": "A" }));
    let told = stage.round(half).await.unwrap();
    assert_eq!(told.email.as_deref(), Some("ana@example.com"));
    assert_eq!(
        (told.email_verified, told.name.as_deref()),
        (None, Some("A"))
    );
}
