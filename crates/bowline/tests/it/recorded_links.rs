//! Links that Jira has a record of: looked for, previewed and imported, without notes; and links
//! from a chosen file, and by scripts.

use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(
    what_jira_has_a_record_of_is_previewed_and_imported,
    on_data_center_issues_are_read_one_by_one,
    a_chosen_file_and_scripts_import_the_same
);

const PROPERTY: &str = "intercom.conversation.links";

/// An issue whose record names conversations that nothing in it shows.
async fn recorded(stage: &Stage, conversations: &[&str]) -> String {
    let issue = stage.issue("Nothing is pasted here.");
    // Planned by then: the record is there later than Bowline looked at the issue.
    stage.settled().await;
    let value = json!({ "count": conversations.len(), "conversationIds": conversations });
    stage.priya().set_property(&issue, PROPERTY, value).unwrap();
    issue
}

/// What is imported of a project: looked for on the page, then imported there.
async fn imported(stage: &Stage, words: &str) {
    let (one, other) = (stage.conversation(), stage.conversation());
    let (linked, _) = stage.linked().await;
    let first = recorded(stage, &[&one]).await;
    let second = recorded(stage, &[&one, &other]).await;
    stage.settled().await;
    let mut browser = Browser::signed_in(stage, "agent").await;
    browser
        .get("/links/import")
        .await
        .says("From Jira's own record");
    let page = browser.get("/links/import?from=acme-jira/ENG").await;
    page.says(words);
    page.says("3 would be linked, 0 linked already, 0 left out.");
    page.says(&second);
    stage.settled().await;
    assert!(stage.links(&first).await.is_empty(), "only looked at");
    let (_, rest) = page.text.split_once("name=\"file\" value=\"").unwrap();
    let text = rest.split('"').next().unwrap().replace("&#34;", "\"");
    let made = [("file", text.as_str()), ("import", "yes")];
    let done = browser.send("/links/import", &made).await;
    assert_eq!(
        done.goes_to(),
        "/links?done=links-imported",
        "{}",
        done.words()
    );
    stage.settled().await;
    assert_eq!(stage.links(&first).await, std::slice::from_ref(&one));
    assert_eq!(stage.links(&second).await.len(), 2);
    assert_eq!(stage.links(&linked).await.len(), 1);
    for conversation in [&one, &other] {
        assert!(
            stage.texts(conversation).is_empty(),
            "support knows already"
        );
    }
    let again = browser.get("/links/import?from=acme-jira/ENG").await;
    again.says("linked already");
    assert!(!again.text.contains("name=\"import\""), "nothing is left");
    let wrong = browser.get("/links/import?from=acme-jira/NO").await;
    assert_eq!(wrong.status, 422);
    wrong.says("is no project that is joined");
}

async fn what_jira_has_a_record_of_is_previewed_and_imported(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    imported(
        &stage,
        "gone through, because Jira does not search this property here",
    )
    .await;
    // Where an app declares an index, Jira finds the issues itself.
    stage
        .jira()
        .switch(|switches| switches.links_searchable = true);
    let conversation = stage.conversation();
    recorded(&stage, &[&conversation]).await;
    stage.issue("Without a record.");
    stage.settled().await;
    let script = Script::new(&stage, "owner", &["links"]).await;
    let body = json!({ "from": "acme-jira/ENG", "dry_run": true });
    let found = script
        .call("POST", "/api/v1/links/import", Some(body), "")
        .await;
    let words = found.body["found"].as_str().unwrap();
    assert!(words.contains("found by the property"), "{words}");
    assert_eq!(found.body["links"], 1);
}

async fn on_data_center_issues_are_read_one_by_one(on: On) {
    let stage = Stage::on(on, |plan| *plan = plan.clone().data_center()).await;
    imported(&stage, "gone through").await;
}

async fn a_chosen_file_and_scripts_import_the_same(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (one, other) = (stage.conversation(), stage.conversation());
    let issue = stage.issue("Nothing is linked here yet.");
    stage.settled().await;
    let file = format!("issue,conversation\n{issue},{one}\n{issue},{other}\n");
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let token = browser.form_token().await;
    let form = reqwest::multipart::Form::new()
        .text("form_token", token)
        .text("file", "")
        .part(
            "upload",
            reqwest::multipart::Part::bytes(file.clone().into_bytes()).file_name("links.csv"),
        );
    let session = browser.cookie("bowline_session").unwrap();
    let request = stage
        .client()
        .post(stage.url("/links/import"))
        .header("cookie", format!("bowline_session={session}"))
        .multipart(form);
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("2 would be linked"), "{page}");

    let script = Script::new(&stage, "owner", &["links", "read"]).await;
    let post = async |body: Value, name: &str| {
        let path = "/api/v1/links/import";
        script.call("POST", path, Some(body), name).await
    };
    let looked = post(json!({ "file": file, "dry_run": true }), "").await;
    assert_eq!((looked.status, &looked.body["links"]), (202, &json!(2)));
    assert_eq!(looked.body["made"], false);
    stage.settled().await;
    assert!(stage.links(&issue).await.is_empty(), "only looked at");
    let made = post(json!({ "file": file }), "i1").await;
    assert_eq!(made.body["made"], true);
    assert_eq!(post(json!({ "file": file }), "i1").await.body, made.body);
    stage.settled().await;
    assert_eq!(stage.links(&issue).await.len(), 2);
    for wrong in [
        json!({}),
        json!({ "file": "a,b" }),
        json!({ "from": "acme-jira/NO" }),
        json!({ "file": file, "from": "acme-jira/ENG" }),
    ] {
        assert_eq!(post(wrong, "").await.status, 422);
    }
}
