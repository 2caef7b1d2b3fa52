//! Permissions that the app lacks are named before feedback is switched on, on the page and to
//! scripts, and while one is missing nothing is switched on.

use bowline_sandbox::common::FaultKind;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::fault;
use crate::feedback::Feedback;
use crate::stage::{On, on_both};

on_both!(
    what_feedback_lacks_is_named_one_by_one_and_not_switched_on,
    scripts_switch_feedback_on_and_off
);

/// Calls that take a permission, and what the Developer Hub calls it.
const NEEDED: [(&str, &str, &str); 3] = [
    ("GET", "/tags", "Read tags"),
    ("POST", "/conversations/search", "Read conversations"),
    ("GET", "/contacts/", "Read one user and one company"),
];

/// The workspace refuses calls for want of a permission until its faults are taken away.
fn refuse(it: &Feedback, method: &str, path: &str) {
    let body = json!({ "type": "error.list", "errors": [{ "code": "forbidden",
        "message": "You do not have the required scope to access this resource" }] });
    let kind = FaultKind::Status {
        status: 403,
        body: Some(body),
        headers: Vec::new(),
    };
    let faults = it.stage.intercom().faults();
    faults.add(fault(method, path, 0, u32::MAX, kind));
}

/// A product that was added on its page, and its number.
async fn with_product(on: On) -> (Feedback, Browser, i64) {
    let mut it = Feedback::prepare(on, "", |_| ()).await;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let fields = [("name", "Mobile app"), ("workspace", "acme")];
    let page = admin.send("/products", &fields).await;
    assert_eq!(page.goes_to(), "/products/1?done=product");
    (it, admin, 1)
}

async fn what_feedback_lacks_is_named_one_by_one_and_not_switched_on(on: On) {
    let (it, mut admin, id) = with_product(on).await;
    let script = Script::new(&it.stage, "owner", &["read", "feedback"]).await;
    let path = format!("/api/v1/products/{id}/feedback");
    let body = json!({ "on": true, "tags": [it.idea] });
    for (method, called, title) in NEEDED {
        refuse(&it, method, called);
        let page = admin.get("/products/1?switch=on").await;
        page.says("lacks permissions");
        page.says(title);
        page.says("Whoever administers the Intercom workspace adds them");
        let chosen = [("do", "on"), ("tags", it.idea.as_str())];
        let page = admin.send("/products/1", &chosen).await;
        assert_eq!(page.status, 422);
        page.says(title);
        let choices = script.get(&path).await.body;
        let missing = choices["missing_permissions"].as_array().unwrap();
        assert_eq!((missing.len(), &missing[0]["name"]), (1, &json!(title)));
        assert_eq!(choices["tags"], json!([]));
        let answer = script.call("POST", &path, Some(body.clone()), "").await;
        assert_eq!(answer.status, 409);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(title), "{detail}");
        for (_, _, other) in NEEDED.iter().filter(|(_, _, other)| *other != title) {
            assert!(!detail.contains(other), "{detail}");
            let words = page.words();
            let lacking = words.split("cannot be switched on yet").nth(1).unwrap();
            let lacking = lacking.split("Whoever administers").next().unwrap();
            assert!(!lacking.contains(other), "{other} is there");
        }
        assert!(!it.product("Mobile app").await.on);
        it.stage.intercom().faults().clear();
    }
    for (method, called, _) in NEEDED {
        refuse(&it, method, called);
    }
    let page = admin.get("/products/1?switch=on").await;
    for (_, _, title) in NEEDED {
        page.says(title);
    }
    it.stage.intercom().faults().clear();
    let answer = script.call("POST", &path, Some(body), "").await;
    assert_eq!((answer.status, &answer.body["on"]), (202, &json!(true)));
}

async fn scripts_switch_feedback_on_and_off(on: On) {
    let (it, mut admin, id) = with_product(on).await;
    let script = Script::new(&it.stage, "owner", &["read", "feedback"]).await;
    let path = format!("/api/v1/products/{id}/feedback");
    let post = async |body| script.call("POST", &path, Some(body), "").await;
    let choices = script.get(&path).await.body;
    let names: Vec<&str> = choices["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    assert_eq!(names, ["bug", "idea"]);
    for wrong in [
        json!({}),
        json!({ "on": true }),
        json!({ "on": true, "tags": [] }),
        json!({ "on": true, "tags": ["999"] }),
        json!({ "on": true, "tags": [it.idea], "notes": ["new"] }),
        json!({ "on": true, "tags": [it.idea], "follow_issue": "yes" }),
    ] {
        assert_eq!(post(wrong).await.status, 422);
    }
    assert!(!it.product("Mobile app").await.on);
    let wanted = json!({ "on": true, "tags": [it.idea], "notes": ["done"], "follow_issue": true });
    let product = post(wanted).await.body;
    assert_eq!(product["tags"][0]["name"], "idea");
    assert_eq!(product["notes"], json!(["done"]));
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    it.ticket_count(1).await;
    let product = post(json!({ "on": false })).await.body;
    assert_eq!(
        (&product["on"], &product["follow_issue"]),
        (&json!(false), &json!(true))
    );
    admin.get("/audit").await.says("feedback switched off");
    let missing = "/api/v1/products/999/feedback";
    assert_eq!(script.get(missing).await.status, 404);
    let viewer = Script::new(&it.stage, "agent", &["read", "feedback"]).await;
    assert_eq!(viewer.get(&path).await.status, 403);
}
