//! Feedback as people and scripts use it: switching on, the inbox, triage, issues, backfill.

use bowline::demo::feedback as demo;
use bowline_domain::connection::Connection;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::SiteName;
use bowline_sandbox::common::FaultKind;
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::{fault, status};
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, Stage, on_both};

on_both!(
    feedback_is_switched_on_with_the_tags_that_there_are,
    tickets_are_triaged_merged_and_split_by_forms,
    an_issue_is_made_once_and_followed,
    an_issue_whose_answer_was_lost_is_found_behind_many_others,
    what_was_tagged_before_is_counted_and_taken_in,
    scripts_see_and_do_the_same
);

async fn feedback_is_switched_on_with_the_tags_that_there_are(on: On) {
    let it = Feedback::prepare(on, "", |_| ()).await;
    let mut it = it;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    admin
        .get("/feedback")
        .await
        .says("There is no product yet.");
    for (name, words) in [("", "Write a name"), (&"x".repeat(81), "Write a name")] {
        let page = admin
            .send("/products", &[("name", name), ("workspace", "acme")])
            .await;
        assert_eq!(page.status, 422);
        page.says(words);
    }
    let page = admin
        .send(
            "/products",
            &[("name", "Mobile app"), ("workspace", "nope")],
        )
        .await;
    page.says("Choose a workspace");
    let page = admin
        .send(
            "/products",
            &[("name", "Mobile app"), ("workspace", "acme")],
        )
        .await;
    assert_eq!(page.goes_to(), "/products/1?done=product");
    let again = [("name", "mobile APP"), ("workspace", "acme")];
    admin
        .send("/products", &again)
        .await
        .says("has a product of this name");

    // Nothing is switched on while the app may not read what it needs.
    let refused = |path: &str, method: &str| {
        let body = json!({"type": "error.list", "errors": [{"code": "forbidden", "message":
            "You do not have the required scope to access this resource"}]});
        let kind = FaultKind::Status {
            status: 403,
            body: Some(body),
            headers: Vec::new(),
        };
        it.stage
            .intercom()
            .faults()
            .add(fault(method, path, 0, 1, kind));
    };
    refused("/tags", "GET");
    refused("/conversations/search", "POST");
    let page = admin.get("/products/1?switch=on").await;
    page.says("Read tags");
    page.says("Read conversations");
    let words = page.words();
    let lacking = words.split("cannot be switched on yet").nth(1).unwrap();
    let lacking = lacking.split("Whoever administers").next().unwrap();
    assert!(!lacking.contains("Read one user"), "that one is there");
    it.stage
        .intercom()
        .faults()
        .add(fault("GET", "/tags", 0, 1, status(500)));
    admin
        .get("/products/1?switch=on")
        .await
        .says("Intercom did not answer as needed");
    let page = admin.get("/products/1?switch=on").await;
    page.says("Which tags count?");
    page.says("idea");
    page.says("bug");
    let page = admin
        .send(
            "/products/1",
            &[("do", "on"), ("tags", "999"), ("notes", "done")],
        )
        .await;
    assert_eq!(page.status, 422);
    page.says("Choose at least one tag that is there.");
    assert!(
        page.text.contains("value=\"done\" checked"),
        "what was chosen is kept"
    );
    let chosen = [
        ("do", "on"),
        ("tags", it.idea.as_str()),
        ("notes", "done"),
        ("name_planned", "On the list"),
    ];
    let page = admin.send("/products/1", &chosen).await;
    assert_eq!(page.goes_to(), "/products/1?done=feedback-on");
    let page = admin.get("/products/1").await;
    page.says("feedback on");
    page.says("On the list");

    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    it.ticket_count(1).await;
    admin.send("/products/1", &[("do", "off")]).await;
    let second = it
        .stage
        .intercom()
        .customer_reply(&conversation, "Another wish.")
        .unwrap();
    it.tag(&conversation, &second, &it.idea);
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 1, "it is off");
    admin.get("/audit").await.says("feedback on, tags: idea");
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    assert!(
        !agent
            .get("/products")
            .await
            .words()
            .contains("Add a product")
    );
}

/// A stage with two tickets of the product of the configuration.
pub(crate) async fn with_two(on: On, products: &str) -> (Feedback, i64, i64) {
    let it = Feedback::on(on, products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 700);
    let max = it.customer("Max Roth", "Sample GmbH", 300);
    let one = it.says(&noa, "Please add a dark mode to the mobile app <script>");
    it.tag(&one, "source", &it.idea);
    let first = it.ticket_count(1).await[0].id.0;
    let two = it.says(&max, "A dark mode for the mobile app please");
    it.tag(&two, "source", &it.idea);
    let second = it.ticket_count(2).await[0].id.0;
    (it, first, second)
}

async fn tickets_are_triaged_merged_and_split_by_forms(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let page = agent.get("/feedback?sort=spend").await;
    page.says("Max Roth, Sample GmbH");
    assert!(
        page.text.find("Noa Lind") < page.text.find("Max Roth"),
        "by spend"
    );
    assert!(!page.text.contains("<script>\n") && !page.text.contains("app <script>"));
    let (first, second) = (one.to_string(), two.to_string());
    let both = [
        ("ticket", first.as_str()),
        ("ticket", second.as_str()),
        ("back", "/feedback?sort=spend"),
    ];
    let bulk = async |agent: &mut Browser, act: &str, label: &str| {
        let mut fields = both.to_vec();
        fields.extend([("act", act), ("new_label", label)]);
        agent
            .send("/feedback/triage", &fields)
            .await
            .goes_to()
            .to_owned()
    };
    assert_eq!(
        bulk(&mut agent, "status:in_review", "").await,
        "/feedback?sort=spend&done=triaged"
    );
    bulk(&mut agent, "label", "night").await;
    bulk(&mut agent, "assign:agent@example.com", "").await;
    let nobody = agent
        .send(
            "/feedback/triage",
            &[("act", "merge"), ("back", "//evil.example.com")],
        )
        .await;
    assert_eq!(nobody.status, 422);
    nobody.says("Choose at least one ticket first.");
    assert!(!nobody.text.contains("evil.example.com"));
    let page = agent
        .get("/feedback?label=night&assignee=agent@example.com&status=in_review")
        .await;
    page.says("Noa Lind");
    page.says("Max Roth");
    let path = format!("/feedback/{one}");
    let page = agent.get(&path).await;
    page.says("% alike");
    page.says("Monthly spend 700");
    let page = agent
        .send(&format!("{path}/merge"), &[("into", "soon")])
        .await;
    assert_eq!(page.status, 422);
    page.says("Write the number of a ticket");
    agent
        .send(&format!("{path}/merge"), &[("into", &first)])
        .await
        .says("into itself");
    let page = agent
        .send(
            &format!("{path}/merge"),
            &[("into", &second), ("here", "yes")],
        )
        .await;
    assert_eq!(page.goes_to(), format!("{path}?done=merged"));
    let page = agent.get(&path).await;
    page.says("Their monthly spend 1");
    page.says("Merged into it");
    agent
        .get(&format!("/feedback/{two}"))
        .await
        .says("which stands for it");
    let merges = it
        .view(bowline_domain::feedback::ids::TicketId(one))
        .await
        .merges;
    let merge = merges[0].id.to_string();
    let undo = format!("{path}/undo");
    assert_eq!(
        agent.send(&undo, &[("merge", &merge)]).await.goes_to(),
        format!("/feedback/{two}?done=ticket-parted")
    );
    agent
        .send(&undo, &[("merge", &merge)])
        .await
        .says("undone already");
    let split = format!("{path}/split");
    let page = agent
        .send(&split, &[("title", " "), ("text", "kept")])
        .await;
    page.says("Say in 1 to 120 characters");
    assert!(page.text.contains(">kept</textarea>"));
    let page = agent
        .send(
            &split,
            &[("title", "A faster start"), ("text", "to the mobile app")],
        )
        .await;
    let made = page.goes_to().to_owned();
    agent.get(&made).await.says("A faster start");
    agent
        .send(&format!("{path}/change"), &[("act", "status:done")])
        .await;
    agent
        .get("/feedback?status=done")
        .await
        .says("Please add a dark mode");
    let page = agent
        .send(&format!("{path}/issue"), &[("issue", "NOPE-1")])
        .await;
    page.says("shows no issue NOPE-1");
    assert_eq!(agent.get("/feedback/999").await.status, 404);
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let page = viewer.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(!page.words().contains("Split off"));
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    owner.get("/audit").await.says("Feedback changed");
}

async fn an_issue_whose_answer_was_lost_is_found_behind_many_others(on: On) {
    let products = format!("{IDEAS}issue_project = \"ENG\"\n");
    let (it, one, _) = with_two(on, &products).await;
    let jira = it.stage.jira();
    let before = jira.issue_count();
    let lost = fault("POST", "/issue", 0, 1, FaultKind::DropAfter);
    jira.faults().add(lost);
    let blind = jira
        .faults()
        .add(fault("GET", "/search", 0, u32::MAX, status(503)));
    let blind_too = jira
        .faults()
        .add(fault("POST", "/search", 0, u32::MAX, status(503)));
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{one}/issue");
    agent.send(&path, &[("do", "make")]).await;
    until_async(async || (jira.issue_count() > before).then_some(())).await;
    // More than one page of a search, made before it is looked for.
    for number in 0..120 {
        let text = format!("Other {number}");
        it.stage.lena().create("ENG", &text, text.as_str()).unwrap();
    }
    jira.faults().remove(blind);
    jira.faults().remove(blind_too);
    let id = bowline_domain::feedback::ids::TicketId(one);
    let hasten = async || {
        let shared = it.stage.service().shared();
        let site = Connection::Site(SiteName::new("acme-jira"));
        shared.store.hasten(&site, shared.now()).await.unwrap();
    };
    until_async(async || {
        hasten().await;
        it.view(id).await.row.issue_key
    })
    .await;
    it.stage.settled().await;
    assert_eq!(jira.issue_count(), before + 121, "made once");
}

async fn an_issue_is_made_once_and_followed(on: On) {
    let products =
        format!("{IDEAS}issue_project = \"ENG\"\nfollow_issue = true\nnotes = [\"done\"]\n");
    let (it, one, _) = with_two(on, &products).await;
    // The answer to the call that makes it is lost.
    let before = it.stage.jira().issue_count();
    it.stage
        .jira()
        .faults()
        .add(fault("POST", "/issue", 0, 1, FaultKind::DropAfter));
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{one}/issue");
    let page = agent.send(&path, &[("do", "make")]).await;
    assert_eq!(page.goes_to(), format!("/feedback/{one}?done=making"));
    let id = bowline_domain::feedback::ids::TicketId(one);
    let key = until_async(async || it.view(id).await.row.issue_key).await;
    it.stage.settled().await;
    assert_eq!(it.stage.jira().issue_count(), before + 1, "made once");
    agent
        .send(&path, &[("do", "make")])
        .await
        .says("tied to an issue already");
    it.stage
        .lena()
        .transition(&key, "In Progress", None)
        .unwrap();
    until_async(async || (it.view(id).await.row.status == Status::Planned).then_some(())).await;
    it.stage.lena().transition(&key, "Done", None).unwrap();
    until_async(async || (it.view(id).await.row.status == Status::Done).then_some(())).await;
    let conversation = it.view(id).await.conversation.to_string();
    it.stage.note(&conversation, &["is done"]).await;
    it.stage.settled().await;
    assert_eq!(it.stage.texts(&conversation).len(), 1);
    agent.send(&path, &[("do", "untie")]).await;
    agent
        .send(&path, &[("issue", &key.to_lowercase()), ("do", "tie")])
        .await;
    assert_eq!(it.view(id).await.row.issue_key, Some(key));
}

async fn what_was_tagged_before_is_counted_and_taken_in(on: On) {
    let it = Feedback::prepare(on, IDEAS, |_| ()).await;
    let mut it = it;
    // Before the service was ever there: two days ago, as far as Intercom knows.
    let day = 86_400_000;
    it.stage.intercom().advance_clock(-2 * day);
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    for number in 0..3 {
        let conversation = it.says(&noa, &format!("Wish number {number}."));
        it.tag(&conversation, "source", &it.idea);
    }
    it.stage.intercom().advance_clock(2 * day);
    it.stage.start().await;
    it.resolved().await;
    it.stage.settled().await;
    assert!(it.tickets().await.is_empty(), "not by itself");
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let path = format!("/products/{}", it.product("Mobile app").await.id);
    admin
        .get(&format!("{path}?from=soon"))
        .await
        .says("Write a day that is over");
    let from = jiff::Timestamp::now() - jiff::Span::new().hours(24 * 5);
    let from = from.strftime("%Y-%m-%d").to_string();
    admin
        .get(&format!("{path}?from={from}"))
        .await
        .says("3 conversations");
    assert!(it.tickets().await.is_empty(), "a dry run takes nothing in");
    let begin = [("do", "begin"), ("from", from.as_str())];
    admin.send(&format!("{path}/backfill"), &begin).await;
    it.ticket_count(3).await;
    it.stage.settled().await;
    let page = admin.get(&path).await;
    page.says("3 of 3 conversations looked at, 3 tickets made");
    admin.send(&format!("{path}/backfill"), &begin).await;
    until_async(async || {
        let (store, product) = (it.stage.store(), it.product("Mobile app").await.id);
        let latest = store.latest_backfill(product).await.unwrap();
        latest.filter(|one| one.id == 2 && one.ended_at.is_some())
    })
    .await;
    it.stage.settled().await;
    assert_eq!(it.tickets().await.len(), 3, "nothing twice");
}

async fn scripts_see_and_do_the_same(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let products = script.get("/api/v1/products").await.body;
    assert_eq!(products["items"][0]["tags"][0]["name"], "idea");
    let product = products["items"][0]["id"].as_i64().unwrap();
    let tickets = script.get("/api/v1/tickets?sort=spend&q=dark").await.body;
    assert_eq!(tickets["items"][0]["id"], json!(one));
    let post = async |path: &str, body: Value, name: &str| {
        script.call("POST", path, Some(body), name).await
    };
    let path = format!("/api/v1/tickets/{one}");
    for (body, wanted) in [
        (json!({"status": "planned"}), true),
        (json!({"status": "planned"}), false),
        (json!({"importance": "high"}), true),
        (json!({"add_label": "night"}), true),
        (json!({"assignee": "administrator@example.com"}), true),
    ] {
        let answer = post(&path, body, "").await;
        assert_eq!(
            (answer.status, &answer.body["changed"]),
            (202, &json!(wanted))
        );
    }
    for body in [
        json!({"status": "never"}),
        json!({"assignee": "who@example.com"}),
        json!({}),
    ] {
        assert_eq!(post(&path, body, "").await.status, 422);
    }
    let ticket = script.get(&path).await.body;
    assert_eq!(
        (&ticket["status"], &ticket["labels"][0]),
        (&json!("planned"), &json!("night"))
    );
    assert!(ticket["url"].as_str().unwrap().starts_with("https://"));
    let into = json!({"into": one});
    let merged = post(&format!("/api/v1/tickets/{two}/merge"), into.clone(), "one").await;
    assert_eq!(merged.status, 202);
    let again = post(&format!("/api/v1/tickets/{two}/merge"), into.clone(), "one").await;
    assert_eq!(again.body, merged.body, "the same answer");
    assert_eq!(
        post(&format!("/api/v1/tickets/{two}/merge"), into, "")
            .await
            .status,
        409
    );
    let merge = script.get(&path).await.body["merges"][0]["id"].clone();
    assert_eq!(
        post(&format!("{path}/undo"), json!({"merge": merge}), "")
            .await
            .status,
        202
    );
    let split = post(&format!("{path}/split"), json!({"title": "Other"}), "").await;
    assert!(split.body["ticket"].as_i64().unwrap() > two);
    assert_eq!(
        post(&format!("{path}/issue"), json!({"make": true}), "")
            .await
            .status,
        409
    );
    assert_eq!(
        post(&format!("{path}/issue"), json!({"issue": "ENG-99"}), "")
            .await
            .status,
        404
    );
    assert_eq!(
        post(&format!("{path}/issue"), json!({"issue": null}), "")
            .await
            .status,
        202
    );
    assert_eq!(script.get("/api/v1/tickets/999").await.status, 404);
    let backfills = format!("/api/v1/products/{product}/backfills");
    let dry = post(
        &backfills,
        json!({"from": "2020-01-01T00:00:00Z", "dry_run": true}),
        "",
    )
    .await;
    assert_eq!(
        (&dry.body["found"], &dry.body["id"]),
        (&json!(2), &Value::Null)
    );
    let begun = post(&backfills, json!({"from": "2020-01-01T00:00:00Z"}), "")
        .await
        .body["id"]
        .clone();
    let one = script.get(&format!("/api/v1/backfills/{begun}")).await.body;
    assert_eq!(one["found"], 2);
    let path = format!("/api/v1/backfills/{begun}");
    assert_eq!(post(&path, json!({"do": "dance"}), "").await.status, 422);
    assert_eq!(
        post("/api/v1/backfills/999", json!({"do": "pause"}), "")
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn the_story_of_two_wishes_is_seen() {
    let mut stage = Stage::prepare(|plan| demo::PRODUCT.clone_into(&mut plan.more)).await;
    demo::prepare(&stage.world);
    stage.start().await;
    let mut said = Vec::new();
    demo::play(&stage.world, stage.service(), |line| {
        said.push(line.to_owned());
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}\n{}", said.join("\n")));
}
