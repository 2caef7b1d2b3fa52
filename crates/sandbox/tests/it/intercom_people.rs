//! Invented contacts, and companies by page and by scroll.

use bowline_sandbox::intercom::Config;
use serde_json::{Value, json};

use crate::intercom::{World, code, encoded};

async fn world(contacts: u64) -> World {
    let config = Config {
        invented_contacts: contacts,
        invented_companies: 250,
        timezone: "America/Los_Angeles".to_owned(),
        ..Config::default()
    };
    World::with(config).await
}

async fn get(world: &World, path: &str) -> (u16, Value) {
    world.call("GET", path, Value::Null).await
}

#[tokio::test]
async fn a_million_contacts_are_listed_page_by_page_and_change_like_any_other() {
    let world = world(1_000_000).await;
    let (_, first) = get(&world, "/contacts?per_page=150").await;
    assert_eq!(first["total_count"], 1_000_001, "and the one of the tests");
    assert_eq!(first["pages"]["total_pages"], 6_667);
    let ids = |page: &Value| -> Vec<String> {
        let items = page["data"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let on_first = ids(&first);
    assert_eq!(on_first.len(), 150);
    // The last of the page goes, and one of it is renamed: the next page begins after where it was.
    let last = on_first[149].clone();
    let renamed = on_first[2].clone();
    world.sandbox().delete_contact(&last).unwrap();
    world.sandbox().rename_contact(&renamed, "Renamed").unwrap();
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap();
    let query = encoded(&[("per_page", "150"), ("starting_after", cursor)]);
    let (_, second) = get(&world, &format!("/contacts?{query}")).await;
    let on_second = ids(&second);
    assert!(on_second.iter().all(|id| !on_first.contains(id)));
    assert_eq!(on_second[0], world.sandbox().invented_contact(151));
    let (_, again) = get(&world, "/contacts?per_page=150").await;
    assert_eq!(again["total_count"], 1_000_000);
    assert_eq!(again["data"][2]["name"], "Renamed");
    assert!(!ids(&again).contains(&last));
    // By id and by external id, with the company that it belongs to.
    let one = world.sandbox().invented_contact(999_998);
    let (status, read) = get(&world, &format!("/contacts/{one}")).await;
    assert_eq!((status, &read["external_id"]), (200, &json!("user-999998")));
    let (_, same) = get(&world, "/contacts/find_by_external_id/user-999998").await;
    assert_eq!(same["id"], json!(one));
    let company = read["companies"]["data"][0]["id"].as_str().unwrap();
    let (status, _) = get(&world, &format!("/companies/{company}")).await;
    assert_eq!(status, 200);
    assert_eq!(get(&world, &format!("/contacts/{last}")).await.0, 404);
}

#[tokio::test]
async fn one_scroll_is_open_at_a_time_and_ends_with_an_empty_part() {
    let world = world(5_000).await;
    let (_, first) = get(&world, "/companies/scroll").await;
    let param = first["scroll_param"].as_str().unwrap().to_owned();
    let (status, refused) = get(&world, "/companies/scroll").await;
    assert_eq!((status, code(&refused)), (400, "scroll_exists"));
    let on = format!("/companies/scroll?scroll_param={param}");
    let mut seen = first["data"].as_array().unwrap().len();
    let mut parts = 1;
    loop {
        let (status, part) = get(&world, &on).await;
        assert_eq!(status, 200);
        parts += 1;
        let items = part["data"].as_array().unwrap().len();
        if items == 0 {
            break;
        }
        seen += items;
    }
    // Every fifth company has no people, and is not shown.
    assert_eq!((seen, parts), (200, 3));
    assert_eq!(get(&world, &on).await.0, 404, "it has ended");
    // One that nobody goes on with ends after a minute.
    let (_, open) = get(&world, "/companies/scroll").await;
    let param = open["scroll_param"].as_str().unwrap();
    world.sandbox().advance_clock(61_000);
    let on = format!("/companies/scroll?scroll_param={param}");
    assert_eq!(get(&world, &on).await.0, 404);
    assert_eq!(get(&world, "/companies/scroll").await.0, 200);
}

#[tokio::test]
async fn companies_by_page_and_days_of_the_workspace() {
    let world = world(5_000).await;
    let (_, page) = get(&world, "/companies?per_page=60&page=4").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
    assert_eq!(get(&world, "/companies?per_page=61").await.0, 400);
    assert_eq!(get(&world, "/companies?per_page=60&page=200").await.0, 400);
    // The day of the search is that of the workspace: 00:30 in UTC is the day before there.
    let midnight = 1_599_955_200; // 2020-09-13T00:00:00Z
    let asked = |after: i64| {
        json!({ "query": { "operator": "AND", "value": [
            { "field": "updated_at", "operator": ">", "value": after },
            { "field": "updated_at", "operator": "<", "value": after + 2 * 86_400 },
        ]}, "pagination": { "per_page": 1 } })
    };
    // The first of the invented ones changed at 2020-09-13T13:27:40Z, a morning there.
    let (_, found) = world
        .call("POST", "/contacts/search", asked(midnight))
        .await;
    let first = world.sandbox().invented_contact(1);
    assert_eq!(found["data"][0]["id"], json!(first));
    let noon = midnight + 12 * 3_600;
    let (_, found) = world.call("POST", "/contacts/search", asked(noon)).await;
    assert_ne!(
        found["data"][0]["id"],
        json!(first),
        "noon in UTC is the same day there"
    );
}
