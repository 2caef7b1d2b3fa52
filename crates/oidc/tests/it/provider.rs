//! What a provider says of itself.

use bowline_net::testing::body_of;
use bowline_oidc::{Checked, OidcError};
use serde_json::json;

use crate::stage::{ISSUER, Stage};

#[tokio::test]
async fn a_provider_is_the_one_that_it_says_it_is() {
    let stage = Stage::new();
    let found = stage.provider.check().await.unwrap();
    let wanted = Checked {
        issuer: ISSUER.to_owned(),
        authorize: format!("{ISSUER}/authorize?tenant=a"),
        keys: 1,
        signs: true,
        gives_codes: true,
    };
    assert_eq!(found, wanted);
    stage.answers.lock().unwrap().discovery["issuer"] = json!("https://other.example.com");
    let refused = stage.provider.check().await.unwrap_err();
    assert!(matches!(refused, OidcError::NoProvider { .. }), "{refused}");
    stage.answers.lock().unwrap().discovery = json!({ "hello": "world" });
    stage.clock.turn(60_000);
    let refused = stage.provider.check().await.unwrap_err();
    assert!(matches!(refused, OidcError::NoProvider { .. }), "{refused}");
}

#[tokio::test]
async fn one_that_calls_itself_with_a_slash_at_the_end_is_the_same() {
    let stage = Stage::new();
    let slash = format!("{ISSUER}/");
    stage.answers.lock().unwrap().discovery["issuer"] = json!(slash);
    let told = stage.round(|stage, nonce| {
        let mut claims = stage.claims(nonce);
        claims["iss"] = json!(slash);
        stage.key.sign(&claims)
    });
    assert_eq!(told.await.unwrap().issuer, slash);
}

#[tokio::test]
async fn a_provider_that_fails_is_not_called_for_each_browser() {
    let stage = Stage::new();
    let good = std::mem::replace(
        &mut stage.answers.lock().unwrap().discovery,
        json!({ "hello": "world" }),
    );
    let begun = stage.begun("one");
    assert!(stage.provider.begin(&begun, "").await.is_err());
    let asked = stage.asked("/openid-configuration");
    for _ in 0..5 {
        assert!(stage.provider.begin(&begun, "").await.is_err());
    }
    assert_eq!(stage.asked("/openid-configuration"), asked);
    stage.answers.lock().unwrap().discovery = good;
    stage.clock.turn(3_000);
    assert!(stage.provider.begin(&begun, "").await.is_ok());
}

#[tokio::test]
async fn the_secret_goes_where_the_provider_wants_it() {
    for (methods, in_header) in [
        (json!(null), true),
        (json!(["client_secret_basic", "client_secret_post"]), true),
        (json!(["client_secret_post"]), false),
    ] {
        let stage = Stage::new();
        if !methods.is_null() {
            stage.answers.lock().unwrap().discovery["token_endpoint_auth_methods_supported"] =
                methods.clone();
        }
        let sign = |stage: &Stage, nonce: &str| stage.key.sign(&stage.claims(nonce));
        stage.round(sign).await.unwrap();
        let requests = stage.transport.requests();
        let token = requests
            .iter()
            .find(|request| request.url.path().ends_with("/token"));
        let token = token.unwrap();
        let body = String::from_utf8(token.body.as_deref().unwrap().to_vec()).unwrap();
        assert_eq!(
            token.headers.contains_key("authorization"),
            in_header,
            "{methods}"
        );
        assert_eq!(body.contains("client_secret="), !in_header, "{methods}");
        assert!(
            body.contains("code_verifier=") && body.contains("code=a+code"),
            "{body}"
        );
        assert!(body_of(token).is_null(), "it is a form");
        let header = token.headers.get("authorization");
        assert!(header.is_none_or(http::HeaderValue::is_sensitive));
    }
}
