//! Limits, faults and the journal.

use std::time::Duration;

use bowline_sandbox::common::{Fault, FaultKind};
use bowline_sandbox::intercom::{self, Config};
use serde_json::{Value, json};

use crate::intercom::{World, note};

#[tokio::test]
async fn windows_refuse_beyond_the_limit() {
    let limited = Config {
        rate_limit_per_10s: Some(3),
        ..Config::default()
    };
    let world = World::with(limited).await;
    let mut refused = 0;
    // Enough calls for one window to overflow wherever the boundary falls.
    for _ in 0..8 {
        let answer = world.authorised("GET", "/me").send().await.unwrap();
        let header = |name: &str| {
            answer.headers()[name]
                .to_str()
                .unwrap()
                .parse::<i64>()
                .unwrap()
        };
        assert_eq!(header("x-ratelimit-limit"), 3);
        assert_eq!(header("x-ratelimit-reset") % 10, 0);
        if answer.status() == 429 {
            refused += 1;
            assert_eq!(header("x-ratelimit-remaining"), 0);
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["errors"][0]["code"], "rate_limit_exceeded");
        }
    }
    let windows = world.sandbox().windows();
    assert!(
        windows
            .iter()
            .all(|window| window.calls <= 3 && window.start % 10 == 0)
    );
    let counted: u32 = windows.iter().map(|window| window.refused).sum();
    assert!(refused >= 2 && refused == counted, "{windows:?}");
    assert!(world.sandbox().refused_any());
    world.sandbox().advance_clock(10_000);
    assert_eq!(
        world.call("GET", "/me", Value::Null).await.0,
        200,
        "a new window"
    );
}

#[tokio::test]
async fn faults_do_what_they_say() {
    let world = World::new().await;
    for (kind, status, done) in [
        (FaultKind::DropBefore, None, false),
        (FaultKind::DropAfter, None, true),
        (FaultKind::Hang, None, false),
        (FaultKind::HangAfter, None, true),
        (FaultKind::StatusAfter { status: 502 }, Some(502), true),
        (
            FaultKind::Status {
                status: 503,
                body: None,
                headers: vec![],
            },
            Some(503),
            false,
        ),
        (FaultKind::Delay { ms: 1 }, Some(200), true),
        (FaultKind::DelayAfter { ms: 1 }, Some(200), true),
    ] {
        let name = kind.name();
        world.sandbox().journal().clear();
        let before = world.sandbox().notes(&world.conversation).len();
        world
            .sandbox()
            .faults()
            .add(Fault::of(kind).on("POST", "/reply").times(1));
        let hangs = name.starts_with("hang");
        let timeout = Duration::from_millis(if hangs { 300 } else { 10_000 });
        let request = world
            .authorised("POST", &world.reply_path())
            .json(&note(name));
        let answer = request.timeout(timeout).send().await;
        assert_eq!(
            answer.ok().map(|answer| answer.status().as_u16()),
            status,
            "{name}"
        );
        let made = world.sandbox().notes(&world.conversation).len() - before;
        assert_eq!(made, usize::from(done), "{name}");
        let entries = world.sandbox().journal().entries();
        assert_eq!(entries.len(), 1, "{name}");
        assert_eq!(entries[0].fault.as_deref(), Some(name));
        assert_eq!(entries[0].request_body["body"], name);
        assert_eq!(entries[0].status == 200, done, "{name}");
        assert_eq!(
            world
                .call("POST", &world.reply_path(), note("after"))
                .await
                .0,
            200,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_arrived_is_done_although_the_caller_is_gone() {
    let world = World::new().await;
    let slow = Fault::of(FaultKind::Delay { ms: 200 }).on("POST", "/reply");
    world.sandbox().faults().add(slow);
    let request = world.authorised("POST", &world.reply_path());
    let request = request
        .json(&note("late"))
        .timeout(Duration::from_millis(50));
    assert!(request.send().await.is_err(), "the caller lost patience");
    assert_eq!(world.sandbox().notes(&world.conversation).len(), 0);
    let patience = std::time::Instant::now() + Duration::from_secs(10);
    while world.sandbox().notes(&world.conversation).is_empty() {
        assert!(std::time::Instant::now() < patience, "it was called back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn controls_arm_faults_and_read_the_journal() {
    let world = World::new().await;
    let fault = json!({
        "method": "GET", "path_contains": "/me", "skip": 1, "times": 1,
        "kind": "status", "status": 429, "headers": [["Retry-After", "2"]],
        "body": { "type": "error.list" },
    });
    let armed = world
        .request("POST", "/_control/faults")
        .json(&fault)
        .send()
        .await
        .unwrap();
    assert_eq!(armed.status(), 201);
    let bad = world
        .request("POST", "/_control/faults")
        .json(&json!({ "kind": "explode" }));
    assert!(bad.send().await.unwrap().status().is_client_error());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = world.authorised("GET", "/me?x=1").send().await.unwrap();
        seen.push((
            answer.status().as_u16(),
            answer.headers().contains_key("retry-after"),
        ));
    }
    assert_eq!(seen, [(200, false), (429, true), (200, false)]);
    let journal: Value = world
        .request("GET", "/_control/journal")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let entries = journal["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &journal["lost"]), (3, &json!(0)));
    assert_eq!(
        (&entries[1]["fault"], &entries[0]["query"]),
        (&json!("status"), &json!("x=1"))
    );
    let off = world
        .request("POST", "/_control/journal")
        .json(&json!({ "enabled": false }));
    assert_eq!(off.send().await.unwrap().status(), 204);
    world.call("GET", "/me", Value::Null).await;
    assert_eq!(world.sandbox().journal().entries().len(), 3);
    let cleared = world
        .request("DELETE", "/_control/journal")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            cleared.status().as_u16(),
            world.sandbox().journal().entries().len()
        ),
        (204, 0)
    );
}

#[tokio::test]
async fn it_goes_away_and_comes_back_with_its_state() {
    let world = World::new().await;
    let (state, addr, url) = (
        world.sandbox().clone(),
        world.handle.addr,
        format!("{}/me", world.handle.url()),
    );
    world.handle.shutdown().await;
    assert!(world.client.get(&url).send().await.is_err());
    let back = intercom::serve(state, addr).await.unwrap();
    assert_eq!(world.client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(back.state.conversation_ids(), [world.conversation]);
}
