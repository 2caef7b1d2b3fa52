//! Telling people that a connection broke, when whoever is told is away.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bowline::demo::until;
use serde_json::Value;

use crate::stage::{On, Stage, on_both};

on_both!(
    what_could_not_be_told_is_told_later_and_then_once,
    what_was_mended_before_anybody_could_be_told_is_no_news
);

/// Somebody who is told, and may be away.
#[derive(Clone, Default)]
struct Listener {
    away: Arc<Mutex<bool>>,
    /// What came while they were away, and what they took.
    missed: Arc<Mutex<Vec<Value>>>,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Listener {
    async fn start() -> (String, Self) {
        let listener = Self::default();
        let kept = listener.clone();
        let take = move |body: String| {
            let kept = kept.clone();
            async move {
                let value = serde_json::from_str(&body).unwrap();
                if *kept.away.lock().unwrap() {
                    kept.missed.lock().unwrap().push(value);
                    return StatusCode::SERVICE_UNAVAILABLE;
                }
                kept.told.lock().unwrap().push(value);
                StatusCode::OK
            }
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told", socket.local_addr().unwrap());
        let router = Router::new().route("/told", post(take));
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        (url, listener)
    }

    fn away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }

    async fn missed(&self, count: usize) {
        let missed = || (self.missed.lock().unwrap().len() >= count).then_some(());
        assert!(until(missed).await.is_some(), "it was not tried");
    }

    async fn told(&self, count: usize) -> Vec<Value> {
        let told = || (self.told.lock().unwrap().len() >= count).then_some(());
        assert!(until(told).await.is_some(), "nobody was told");
        self.told.lock().unwrap().clone()
    }
}

async fn watched(on: On) -> (Stage, Listener) {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    let top = format!("alert_webhook_url = \"{url}\"\npublic_url = ");
    stage.edit_config("public_url = ", &top);
    stage.start().await;
    works(&stage, true).await;
    (stage, listener)
}

/// Waits until the workspace works, or does not.
async fn works(stage: &Stage, wanted: bool) {
    let shared = stage.service().shared();
    let came = until(|| {
        let all = shared.connections_now();
        let one = all
            .iter()
            .find(|one| one.connection.key().starts_with("workspace/"))?;
        (one.health.works() == wanted).then_some(())
    });
    assert!(came.await.is_some(), "it did not become so: {wanted}");
}

fn breaks(stage: &Stage) {
    stage.intercom().revoke_token();
    stage.service().shared().probe_now();
}

fn mended(stage: &Stage) {
    let token = stage.intercom().config().access_token.clone();
    stage.intercom().set_token(&token);
    stage.service().shared().probe_now();
}

/// Waits until nothing is being told any more.
async fn all_told(stage: &Stage) {
    let store = stage.store();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !store.alert_tries().await.unwrap().is_empty() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it is still being told"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn what_could_not_be_told_is_told_later_and_then_once(on: On) {
    let (mut stage, listener) = watched(on).await;
    listener.away(true);
    breaks(&stage);
    works(&stage, false).await;
    listener.missed(1).await;
    // What was not told outlives a restart.
    stage.stop().await;
    stage.start().await;
    listener.missed(2).await;
    listener.away(false);
    let told = listener.told(1).await;
    assert_eq!(told[0]["works"], false);
    all_told(&stage).await;
    let audited = stage
        .store()
        .settings()
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.kind == "alert")
        .count();
    assert_eq!(audited, 1, "written down once it was told");
    mended(&stage);
    works(&stage, true).await;
    let told = listener.told(2).await;
    assert_eq!(told[1]["works"], true);
    all_told(&stage).await;
    assert_eq!(listener.told.lock().unwrap().len(), 2, "once each");
}

async fn what_was_mended_before_anybody_could_be_told_is_no_news(on: On) {
    let (stage, listener) = watched(on).await;
    listener.away(true);
    breaks(&stage);
    works(&stage, false).await;
    listener.missed(1).await;
    mended(&stage);
    works(&stage, true).await;
    all_told(&stage).await;
    listener.away(false);
    // It breaks again, and that is told.
    breaks(&stage);
    works(&stage, false).await;
    let told = listener.told(1).await;
    assert_eq!((told.len(), &told[0]["works"]), (1, &Value::from(false)));
}
