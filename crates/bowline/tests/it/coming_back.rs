//! Coming back from a sign-in service: whoever makes answers up does not keep the service busy, and an
//! administrator parts somebody else from who they are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bowline_store::access::AuditEntry;
use bowline_store::elsewhere::{Identity, Joined};
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(
    made_up_answers_are_refused_before_the_provider_is_asked,
    an_administrator_parts_who_somebody_is_elsewhere
);

/// Failures from one address before the next has to wait.
const FAILURES: usize = 50;

/// A provider that knows none of the codes that it is asked about; answers how often it was.
async fn provider() -> (String, Arc<AtomicUsize>) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", socket.local_addr().unwrap());
    let said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    let token = move || {
        counts.fetch_add(1, Ordering::Relaxed);
        async {
            (
                StatusCode::BAD_REQUEST,
                Json(json!({ "error": "invalid_grant" })),
            )
        }
    };
    let router = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(move || async move { Json(said) }),
        )
        .route("/keys", get(async || Json(json!({ "keys": [] }))))
        .route("/token", post(token));
    tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
    (issuer, asked)
}

/// With a provider declared.
async fn stage(on: On, issuer: &str) -> Stage {
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
    let (before, after) = text.split_once("[[site]]").unwrap();
    let oidc = format!("[oidc]\nissuer = \"{issuer}\"\nclient_id = \"bowline\"\n\n");
    std::fs::write(
        &stage.world.config_path,
        format!("{before}{oidc}[[site]]{after}"),
    )
    .unwrap();
    stage.start().await;
    stage
}

async fn made_up_answers_are_refused_before_the_provider_is_asked(on: On) {
    let (issuer, asked) = provider().await;
    let stage = stage(on, &issuer).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let mut browser = Browser::new(&stage);
    let come_back = async |browser: &mut Browser| {
        let there = browser.get("/sign-in/oidc").await;
        let there = url::Url::parse(there.goes_to()).unwrap();
        let mut parts = there.query_pairs();
        let (_, state) = parts.find(|(name, _)| name == "state").unwrap();
        let state: String = url::form_urlencoded::byte_serialize(state.as_bytes()).collect();
        let back = format!("/sign-in/oidc/back?state={state}&code=made-up");
        browser.get(&back).await
    };
    for number in 0..FAILURES {
        let refused = come_back(&mut browser).await;
        assert_eq!(refused.status, 403, "{number}: {}", refused.words());
    }
    assert_eq!(asked.load(Ordering::Relaxed), FAILURES);
    let refused = come_back(&mut browser).await;
    assert_eq!(refused.status, 429);
    refused.says("failed too often from your network. Wait");
    assert_eq!(asked.load(Ordering::Relaxed), FAILURES, "it is not asked");
    owner
        .get("/audit")
        .await
        .says("too many failures by single sign-on from 127.0.0.1");

    // Passwords are taken all the same.
    let mut other = Browser::new(&stage);
    other.get("/sign-in").await;
    let fields = [
        ("email", "owner@example.com"),
        ("password", crate::browser::PASSWORD),
    ];
    assert_eq!(other.send("/sign-in", &fields).await.status, 303);
}

async fn an_administrator_parts_who_somebody_is_elsewhere(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    Browser::signed_in(&stage, "viewer").await;
    let script = Script::new(&stage, "administrator", &["people"]).await;
    let people = script.get("/api/v1/people").await.body;
    let all = people["items"].as_array().unwrap();
    let viewer = all.iter().find(|one| one["role"] == "viewer").unwrap();
    let id = viewer["id"].as_i64().unwrap();
    let join = async || {
        let identity = Identity {
            issuer: "https://id.example.com".to_owned(),
            subject: "7".to_owned(),
            email: "vera@id.example.com".to_owned(),
        };
        let entry = AuditEntry {
            at: bowline_domain::time::Millis(0),
            who: "test".to_owned(),
            account: None,
            what: "identity_joined".to_owned(),
            subject: String::new(),
            detail: String::new(),
        };
        let joined = stage.store().join_identity(identity, id, entry).await;
        assert!(matches!(joined.unwrap(), Joined::Done(_)));
    };
    join().await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let page = owner.get(&format!("/people/{id}")).await;
    page.says("https://id.example.com");
    page.says("vera@id.example.com");
    let form = format!("/people/{id}/part-identity");
    let done = owner.send(&form, &[]).await;
    assert_eq!(
        done.goes_to(),
        format!("/people/{id}?done=identity-parted-of")
    );
    let page = owner.get(done.goes_to()).await;
    page.says("lets nobody into this account any more");
    assert!(!page.text.contains("vera@id.example.com"));
    let again = owner.send(&form, &[]).await;
    assert_eq!(again.goes_to(), format!("/people/{id}?done=no-identity"));

    // The same by REST.
    join().await;
    let one = script.get(&format!("/api/v1/people/{id}")).await.body;
    assert_eq!(one["joined"]["issuer"], "https://id.example.com");
    let path = format!("/api/v1/people/{id}/identity");
    let parted = script.call("DELETE", &path, None, "part").await;
    assert_eq!((parted.status, &parted.body["parted"]), (202, &json!(true)));
    let again = script.call("DELETE", &path, None, "").await;
    assert_eq!(again.body["parted"], false);
    let missing = script
        .call("DELETE", "/api/v1/people/99/identity", None, "")
        .await;
    assert_eq!(missing.status, 404);
    let log = owner.get("/audit").await;
    log.says("Sign-in elsewhere parted");
    log.says("for somebody else; 7 of https://id.example.com");
}
