//! The simulated Jira's search and its rate limits.

use bowline_sandbox::jira::{Config, Limits};
use serde_json::{Value, json};

use crate::jira::Site;

/// Keys or ids on all pages of a search.
async fn pages(site: &Site, jql: &str, size: usize) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut asked = json!({ "jql": jql, "maxResults": size, "fields": ["summary"] });
        if !token.is_null() {
            asked["nextPageToken"] = token;
        }
        let page = site.call("POST", "/rest/api/3/search/jql", asked).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let keys = page.body["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["key"].as_str().unwrap().to_owned());
        pages.push(keys.collect());
        if page.body["isLast"] == true {
            assert!(
                page.body.get("nextPageToken").is_none(),
                "the last page has no token"
            );
            return pages;
        }
        token = page.body["nextPageToken"].clone();
        assert!(token.is_string() && pages.len() < 100);
    }
}

#[tokio::test]
async fn search_pages_by_token() {
    let site = Site::cloud().await;
    let lena = site.site().acting("lena");
    let keys: Vec<String> = (0..10)
        .map(|n| lena.create("ENG", &format!("n{n}"), "x").unwrap())
        .collect();
    let query = "project = ENG ORDER BY key ASC";
    assert_eq!(pages(&site, query, 4).await.concat(), keys);
    site.site()
        .switch(|switches| switches.short_pages = Some(3));
    let short = pages(&site, query, 100).await;
    assert_eq!(
        (short.len(), short.concat()),
        (4, keys.clone()),
        "pages may be shorter than asked"
    );
    site.site().switch(|switches| switches.short_pages = None);

    // An issue that moves to the end between two pages pushes no other issue out of sight.
    let by_id = "project = ENG ORDER BY id ASC";
    let first = site
        .call(
            "POST",
            "/rest/api/3/search/jql",
            json!({ "jql": by_id, "maxResults": 5 }),
        )
        .await
        .body;
    assert_eq!(
        first["issues"][0],
        json!({ "id": site.site().issue(&keys[0]).unwrap().id.to_string() }),
        "only ids by default"
    );
    lena.delete(&keys[0]).unwrap();
    let token = first["nextPageToken"].clone();
    let rest = site
        .call(
            "POST",
            "/rest/api/3/search/jql",
            json!({ "jql": by_id, "nextPageToken": token }),
        )
        .await
        .body;
    assert_eq!(rest["issues"].as_array().unwrap().len(), 5);
    let other = json!({ "jql": "project = OPS", "nextPageToken": first["nextPageToken"] });
    assert_eq!(
        site.call("POST", "/rest/api/3/search/jql", other)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn search_understands_the_query_language() {
    let site = Site::cloud().await;
    let (lena, priya) = (site.site().acting("lena"), site.site().acting("priya"));
    let one = lena
        .create(
            "ENG",
            "Login page broken",
            "see https://app.intercom.com/a/apps/x",
        )
        .unwrap();
    let two = lena.create("OPS", "Disk full", "y").unwrap();
    priya.create("HR", "Login of the chief", "z").unwrap();
    lena.assign(&one, Some("omar")).unwrap();
    lena.transition(&two, "Done", None).unwrap();
    let (both, none) = (vec![one.clone(), two.clone()], Vec::new());
    let one_only = vec![one.clone()];
    let two_only = vec![two.clone()];
    for (jql, expected) in [
        ("project in (ENG, OPS)", &both),
        ("project = eng or project = Operations", &both),
        ("statusCategory = Done", &two_only),
        ("statusCategory != Done and project = ENG", &one_only),
        (
            "status in (\"To Do\", \"In Progress\") and updated >= -5m",
            &one_only,
        ),
        ("assignee is not empty", &one_only),
        ("assignee is EMPTY and project in (ENG, OPS)", &two_only),
        (
            "assignee != currentUser() and project in (ENG, OPS)",
            &one_only,
        ),
        ("text ~ \"app.intercom.com\"", &one_only),
        ("summary ~ login", &one_only),
        (
            "updated >= \"2020/01/01 00:00\" and project = ENG",
            &one_only,
        ),
        ("updated < \"2020-01-01\"", &none),
        ("not (project = ENG) and created >= -1h", &two_only),
        (&format!("key in ({one}, ENG-999)"), &one_only),
        (
            &format!("id = {}", site.site().issue(&two).unwrap().id),
            &two_only,
        ),
    ] {
        let answer = site
            .call(
                "POST",
                "/rest/api/3/search/jql",
                json!({ "jql": jql, "fields": ["key"] }),
            )
            .await;
        let mut keys: Vec<String> = answer.body["issues"]
            .as_array()
            .unwrap_or_else(|| panic!("{jql}: {}", answer.body))
            .iter()
            .map(|i| i["key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        assert_eq!(&keys, expected, "{jql}");
    }
    for (jql, words) in [
        ("nonsense = 1", "Field 'nonsense' does not exist"),
        ("project = HR", ""),
        ("project = NOPE", "does not exist for the field 'project'"),
        (
            "key = ENG-999",
            "An issue with key 'ENG-999' does not exist",
        ),
        ("project =", "Error in the JQL Query"),
        ("order by created", "Unbounded JQL"),
        ("updated > tomorrow", "is invalid"),
    ] {
        let answer = site
            .call("POST", "/rest/api/3/search/jql", json!({ "jql": jql }))
            .await;
        if words.is_empty() {
            assert_eq!(
                answer.body["issues"],
                json!([]),
                "{jql}: hidden issues are not found"
            );
        } else {
            let text = answer.body["errorMessages"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                answer.status == 400 && text.contains(words),
                "{jql}: {} {text}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn search_lags_behind_but_reads_do_not() {
    let site = Site::cloud().await;
    let lena = site.site().acting("lena");
    let before = lena.create("ENG", "Before", "x").unwrap();
    site.site().set_search_lag(60_000);
    let after = lena.create("ENG", "After", "x").unwrap();
    lena.transition(&before, "Done", None).unwrap();
    let search = |jql: &str| json!({ "jql": jql, "fields": ["status"] });
    let path = "/rest/api/3/search/jql";
    let stale = site
        .call(
            "POST",
            path,
            search("project = ENG AND statusCategory = new"),
        )
        .await
        .body;
    assert_eq!(stale["issues"].as_array().unwrap().len(), 1, "{stale}");
    assert_eq!(stale["issues"][0]["key"], json!(before));
    assert_eq!(
        site.get(&format!("/rest/api/3/issue/{after}")).await["key"],
        json!(after)
    );
    let mut fresh = search("project = ENG AND statusCategory = done");
    fresh["reconcileIssues"] = json!([site.site().issue(&before).unwrap().id]);
    assert_eq!(
        site.call("POST", path, fresh).await.body["issues"][0]["key"],
        json!(before)
    );
}

#[tokio::test]
async fn limits_are_answered_with_what_to_wait_for() {
    let limits = Limits {
        get_issue_per_second: 5,
        ..Limits::default()
    };
    let site = Site::with(Config {
        limits: Some(limits),
        ..Config::cloud()
    })
    .await;
    let key = site
        .site()
        .acting("lena")
        .create("ENG", "Busy", "x")
        .unwrap();
    let path = format!("/rest/api/3/issue/{key}");
    let mut refused = Vec::new();
    for n in 0..25 {
        let answer = site
            .call("PUT", &format!("{path}/properties/p"), json!(n))
            .await;
        if answer.status == 429 {
            refused.push(answer);
        }
    }
    assert_eq!(refused.len(), 5, "20 writes to one issue in two seconds");
    let header = |name: &str| refused[0].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("ratelimit-reason"), "jira-per-issue-on-write");
    assert!(header("retry-after").parse::<u64>().unwrap() <= 2);
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(site.call("GET", &path, Value::Null).await.status);
    }
    assert!(
        statuses.starts_with(&[200; 5]) && statuses.contains(&429),
        "{statuses:?}"
    );
    site.site().set_limits(None);
    assert_eq!(site.call("GET", &path, Value::Null).await.status, 200);
}
