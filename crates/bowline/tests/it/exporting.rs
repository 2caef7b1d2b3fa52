//! Files of very many rows: whole, and sent as they are read.

use futures_util::StreamExt as _;
use serde_json::Value;

use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(a_hundred_thousand_links_are_exported_as_they_are_read);

/// Links that are there.
const LINKS: usize = 100_000;

/// Links of one issue.
const OF_ONE: usize = 4;

/// The largest piece that may come at once, in bytes: that of one part, with room.
const PIECE_BYTES_MAX: usize = 400_000;

/// Puts links there as if they had been made.
async fn fill(stage: &Stage) {
    let config = stage.world.config().unwrap();
    let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
    for block in 0..LINKS / 1_000 {
        let rows: Vec<String> = (block * 1_000..(block + 1) * 1_000)
            .map(|number| {
                let issue = number / OF_ONE;
                format!("('acme-jira','9{issue:07}','acme','7{number:09}',1,{number},1,NULL,'[]')")
            })
            .collect();
        let sql = format!(
            "INSERT INTO link (site, issue, workspace, conversation, live, since, generation, \
             ended, sources) VALUES {}",
            rows.join(",")
        );
        bowline_store::testing::execute(&url, &sql).await.unwrap();
    }
}

/// Reads a file piece by piece: its text, and the largest piece.
async fn file(stage: &Stage, browser: &Browser, path: &str) -> (String, usize) {
    let session = browser.cookie("bowline_session").unwrap();
    let request = stage
        .client()
        .get(stage.url(path))
        .header("cookie", format!("bowline_session={session}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{path}");
    assert!(
        response.headers().get("content-length").is_none(),
        "it is sent as it is read"
    );
    let mut pieces = response.bytes_stream();
    let (mut text, mut largest) = (Vec::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        largest = largest.max(piece.len());
        text.extend_from_slice(&piece);
    }
    (String::from_utf8(text).unwrap(), largest)
}

async fn a_hundred_thousand_links_are_exported_as_they_are_read(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    // As if a version before had made them, which knew nothing of the report.
    stage.stop().await;
    fill(&stage).await;
    stage.start().await;
    let browser = Browser::signed_in(&stage, "viewer").await;
    let (csv, largest) = file(&stage, &browser, "/links/export.csv").await;
    assert_eq!(csv.lines().count(), LINKS + 1);
    assert!(largest < PIECE_BYTES_MAX, "{largest}");
    let (json, largest) = file(&stage, &browser, "/links/export.json").await;
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(list.len(), LINKS);
    assert!(largest < PIECE_BYTES_MAX, "{largest}");

    let taken_up = async || {
        let (csv, _) = file(&stage, &browser, "/links/report.csv").await;
        (csv.lines().count() == LINKS / OF_ONE + 1).then_some(())
    };
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while taken_up().await.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "not all are there");
    }
    let path = "/links/report.csv?sort=last&project=acme-jira/ENG";
    let (csv, _) = file(&stage, &browser, path).await;
    assert_eq!(csv.lines().count(), 1, "Jira knows none of these issues");
    let (json, largest) = file(&stage, &browser, "/links/report.json").await;
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(list.len(), LINKS / OF_ONE);
    assert!(list.iter().all(|row| row["conversations"] == OF_ONE));
    assert!(largest < PIECE_BYTES_MAX, "{largest}");

    let script = Script::new(&stage, "owner", &["read"]).await;
    let first = script.get("/api/v1/reports/issues").await.body;
    let next = first["next"].as_str().unwrap();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("after", next);
    let path = format!("/api/v1/reports/issues?{}", query.finish());
    let second = script.get(&path).await.body;
    assert_eq!(
        second["items"][0],
        list[first["items"].as_array().unwrap().len()]
    );
    let wrong = script.get("/api/v1/reports/issues?after=x").await;
    assert_eq!(wrong.status, 422);
}
