//! The description of the API and the running server name the same addresses and methods.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::browser::Browser;
use crate::stage::Stage;

/// Served beside the API, and not a part of it.
const NOT_DESCRIBED: [&str; 1] = ["/api/v1/openapi.json"];

/// The largest page, in bytes.
const PAGE_BYTES_MAX: usize = 150_000;

/// What the running server says it takes at an address.
async fn methods(stage: &Stage, path: &str) -> BTreeSet<String> {
    let mut path = path.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (_, after) = rest.split_once('}').unwrap();
        path = format!("{before}1{after}");
    }
    let wrong = stage
        .client()
        .request("BREW".parse().unwrap(), stage.url(&path));
    let answer = wrong.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 405, "{path}");
    let allowed = answer.headers().get("allow").unwrap().to_str().unwrap();
    let all = allowed
        .split(',')
        .map(|method| method.trim().to_lowercase());
    // HEAD comes with GET.
    all.filter(|method| method != "head").collect()
}

#[tokio::test]
async fn what_is_served_is_described_and_what_is_described_is_served() {
    let stage = Stage::cloud().await;
    let description = stage.client().get(stage.url("/api/v1/openapi.json"));
    let description = description.send().await.unwrap().text().await.unwrap();
    let description: Value = serde_json::from_str(&description).unwrap();
    let described = description["paths"].as_object().unwrap();
    let served: BTreeSet<String> = bowline_pages::addresses()
        .into_iter()
        .filter(|path| path.starts_with("/api/v1/") && !NOT_DESCRIBED.contains(&path.as_str()))
        .collect();
    assert!(served.len() > 40, "the router is read: {served:?}");
    let named: BTreeSet<String> = described.keys().cloned().collect();
    let undescribed: Vec<&String> = served.difference(&named).collect();
    let missing: Vec<&String> = named.difference(&served).collect();
    assert!(
        undescribed.is_empty() && missing.is_empty(),
        "not described: {undescribed:?}; not served: {missing:?}"
    );
    for (path, operations) in described {
        let described: BTreeSet<String> = operations.as_object().unwrap().keys().cloned().collect();
        assert_eq!(methods(&stage, path).await, described, "{path}");
    }
}

#[tokio::test]
async fn the_description_is_in_pages_that_are_not_heavy() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = browser.get("/api/docs").await;
    page.says("GET /api/v1/deliveries/{id}");
    page.says("Idempotency-Key");
    let groups: BTreeSet<&str> = page
        .text
        .split("href=\"/api/docs/")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '#']).next())
        .collect();
    assert!(groups.contains("deliveries"), "{groups:?}");
    for group in groups {
        let page = browser.get(&format!("/api/docs/{group}")).await;
        assert_eq!(page.status, 200, "{group}");
        let heavy = page.text.len() >= PAGE_BYTES_MAX;
        assert!(!heavy, "{group} has {} bytes", page.text.len());
    }
    let deliveries = browser.get("/api/docs/deliveries").await;
    assert!(
        deliveries.text.contains("href=\"#schema-Call\""),
        "schemas are linked"
    );
    assert_eq!(browser.get("/api/docs/nothing").await.status, 404);
    assert!(
        page.text.len() < PAGE_BYTES_MAX,
        "{} bytes",
        page.text.len()
    );
}
