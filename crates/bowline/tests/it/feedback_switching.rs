//! The switch of a workspace's feedback, on its page and for scripts; products that scripts add and
//! change.

use std::time::SystemTime;

use bowline::demo::until;
use bowline_sandbox::common::FaultKind;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::fault;
use crate::feedback::{Feedback, IDEAS};
use crate::stage::{On, on_both};

on_both!(
    all_products_of_a_workspace_are_switched_together,
    what_stands_in_the_file_is_not_switched,
    scripts_add_products_and_change_them
);

const SETTINGS: &str = "/contacts/settings";
const SWITCH: &str = "/contacts/settings/feedback";

/// Adds a product for each name, by its page, and chooses the tag for those that are to be on.
async fn with_products(on: On, names: &[(&str, bool)]) -> (Feedback, Browser) {
    let mut it = Feedback::prepare(on, "", |_| ()).await;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    for (name, is_on) in names {
        let fields = [("name", *name), ("workspace", "acme")];
        let page = admin.send("/products", &fields).await;
        let path = page
            .goes_to()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        if *is_on {
            let chosen = [("do", "on"), ("tags", it.idea.as_str())];
            assert_eq!(admin.send(&path, &chosen).await.status, 303);
        }
    }
    (it, admin)
}

/// The second of now, since the Unix epoch.
fn second() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// Has somebody say something that is tagged, and answers the conversation.
fn tagged(it: &Feedback, name: &str) -> String {
    let who = it.customer(name, "Example Ltd", 10);
    let conversation = it.says(&who, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    conversation
}

async fn all_products_of_a_workspace_are_switched_together(on: On) {
    let products = [("Mobile app", true), ("Web", true), ("Paused", false)];
    let (it, mut admin) = with_products(on, &products).await;
    let page = admin.get(SETTINGS).await;
    page.says("on for 2 of 3 products");
    page.says("Switch feedback off");
    tagged(&it, "Noa Lind");
    it.ticket_count(2).await;
    let switch = async |admin: &mut Browser, on: &str| {
        let fields = [("workspace", "acme"), ("on", on)];
        admin.send(SWITCH, &fields).await
    };
    let page = switch(&mut admin, "no").await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=gathering-off");
    admin.get(SETTINGS).await.says("off with the workspace");
    let meanwhile = tagged(&it, "Max Roth");
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 2, "it is off");
    // Intercom tells times in whole seconds: what is tagged in the second of the switching counts.
    let tagged_in = second();
    until(|| (second() > tagged_in).then_some(()))
        .await
        .unwrap();

    // While a permission is missing it is named, and nothing is switched on.
    let body = json!({ "type": "error.list", "errors": [{ "code": "forbidden",
        "message": "You do not have the required scope to access this resource" }] });
    let kind = FaultKind::Status {
        status: 403,
        body: Some(body),
        headers: Vec::new(),
    };
    let faults = it.stage.intercom().faults();
    faults.add(fault("GET", "/tags", 0, u32::MAX, kind));
    admin
        .get(SETTINGS)
        .await
        .says("lacks the permission “Read tags”");
    let page = switch(&mut admin, "yes").await;
    assert_eq!(page.status, 422);
    page.says("Nothing was switched on. The app in Intercom lacks Read tags.");
    assert!(!it.product("Web").await.on);
    it.stage.intercom().faults().clear();

    let page = switch(&mut admin, "yes").await;
    assert_eq!(page.goes_to(), "/contacts/settings?done=gathering-on");
    for (name, was_on) in products {
        assert_eq!(it.product(name).await.on, was_on, "{name}");
    }
    tagged(&it, "Ida Berg");
    it.ticket_count(4).await;
    it.stage.settled().await;
    for ticket in it.tickets().await {
        let conversation = it.view(ticket.id).await.conversation;
        assert_ne!(
            conversation.as_str(),
            meanwhile,
            "it was tagged while all were off"
        );
    }
    let page = admin.get("/audit").await;
    page.says("feedback switched off, all products");
    page.says("feedback on again");
    let nowhere = [("workspace", "nowhere"), ("on", "no")];
    assert_eq!(admin.send(SWITCH, &nowhere).await.status, 404);
    // One that is switched by itself meanwhile does not come back.
    switch(&mut admin, "no").await;
    let web = it.product("Web").await.id;
    let chosen = [("do", "on"), ("tags", it.idea.as_str())];
    admin.send(&format!("/products/{web}"), &chosen).await;
    admin
        .send(&format!("/products/{web}"), &[("do", "off")])
        .await;
    switch(&mut admin, "yes").await;
    assert!(it.product("Mobile app").await.on);
    assert!(!it.product("Web").await.on);
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    assert_eq!(switch(&mut agent, "no").await.status, 403);
}

async fn what_stands_in_the_file_is_not_switched(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let page = admin.get(SETTINGS).await;
    page.says("stands in the configuration file");
    page.says("switched on in the configuration file");
    let switch = page
        .text
        .split("<button")
        .find(|part| part.contains("Switch feedback off"));
    assert!(
        switch.unwrap().contains(" disabled "),
        "it is there, and cannot be pressed"
    );
    assert!(!page.text.contains("name=\"on\" value=\"no\""));
    let page = admin
        .send(SWITCH, &[("workspace", "acme"), ("on", "no")])
        .await;
    assert_eq!(page.status, 422);
    page.says("are changed there, by whoever runs");
    let script = Script::new(&it.stage, "owner", &["feedback"]).await;
    let path = "/api/v1/workspaces/acme/feedback";
    let off = script
        .call("POST", path, Some(json!({ "on": false })), "")
        .await;
    assert_eq!(off.status, 409);
    assert_eq!(script.get(path).await.body["on"], true);
}

async fn scripts_add_products_and_change_them(on: On) {
    let (it, mut admin) = with_products(on, &[]).await;
    let script = Script::new(&it.stage, "owner", &["read", "feedback"]).await;
    let call = async |method: &str, path: &str, body: Value, name: &str| {
        script.call(method, path, Some(body), name).await
    };
    let wanted = json!({ "name": "Mobile app", "workspace": "acme" });
    let made = call("POST", "/api/v1/products", wanted.clone(), "add-1").await;
    assert_eq!((made.status, &made.body["on"]), (202, &json!(false)));
    let again = call("POST", "/api/v1/products", wanted.clone(), "add-1").await;
    assert_eq!(again.body, made.body, "the same write is made once");
    for wrong in [
        wanted,
        json!({ "name": "", "workspace": "acme" }),
        json!({ "name": "Web", "workspace": "nowhere" }),
        json!({ "name": "Web" }),
    ] {
        let refused = call("POST", "/api/v1/products", wrong, "").await;
        assert_eq!(refused.status, 422);
    }
    let path = format!("/api/v1/products/{}", made.body["id"]);
    let change = json!({ "notes": ["done"], "status_names": { "planned": "On the list" },
        "issues": { "site": "acme-jira", "project": "eng" } });
    let changed = call("PATCH", &path, change, "").await;
    assert_eq!(changed.status, 202);
    assert_eq!(changed.body, script.get(&path).await.body);
    let issues = json!({ "site": "acme-jira", "project": "ENG", "issue_type": "Task" });
    assert_eq!(changed.body["issues"], issues);
    let named = changed.body["statuses"].as_array().unwrap();
    assert!(
        named.iter().any(|one| one["name"] == "On the list"),
        "{named:?}"
    );
    for wrong in [
        json!({ "issues": { "site": "nowhere", "project": "ENG" } }),
        json!({ "status_names": { "planned": "x".repeat(41) } }),
        json!({ "notes": ["new"] }),
    ] {
        assert_eq!(call("PATCH", &path, wrong, "").await.status, 422);
    }
    assert_eq!(script.get("/api/v1/products/999").await.status, 404);
    let on = json!({ "on": true, "tags": [it.idea] });
    let switched = call("POST", &format!("{path}/feedback"), on, "").await;
    assert_eq!(switched.body["issues"], issues, "settings stay");
    admin.get("/products/1").await.says("On the list");

    let all = "/api/v1/workspaces/acme/feedback";
    let off = call("POST", all, json!({ "on": false }), "").await;
    assert_eq!((off.status, &off.body["on"]), (202, &json!(false)));
    assert_eq!(off.body["products"][0]["comes_back"], true);
    let back = call("POST", all, json!({ "on": true }), "").await;
    assert_eq!((back.status, &back.body["on"]), (202, &json!(true)));
    assert_eq!(call("POST", all, json!({}), "").await.status, 422);
    let nowhere = "/api/v1/workspaces/nowhere/feedback";
    assert_eq!(script.get(nowhere).await.status, 404);
    let agent = Script::new(&it.stage, "agent", &["read", "feedback"]).await;
    let refused = agent.call("PATCH", &path, Some(json!({})), "").await;
    assert_eq!(refused.status, 403);
}
