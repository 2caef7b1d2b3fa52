//! Where issues are made from feedback: tried when it is set, and by `bowline check`.

use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::{Browser, Page};
use crate::failure::{fault, status};
use crate::feedback::{Feedback, IDEAS};
use crate::process::run;
use crate::stage::{On, on_both};

on_both!(
    a_place_is_tried_before_it_is_kept,
    scripts_set_a_place_that_there_is
);

async fn with_product(on: On) -> (Feedback, Browser, String) {
    let mut it = Feedback::prepare(on, "", |_| ()).await;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let fields = [("name", "Mobile app"), ("workspace", "acme")];
    admin.send("/products", &fields).await;
    let path = format!("/products/{}", it.product("Mobile app").await.id);
    (it, admin, path)
}

async fn set(
    it: &Feedback,
    admin: &mut Browser,
    path: &str,
    (project, issue_type): (&str, &str),
) -> Page {
    let fields = [
        ("do", "on"),
        ("tags", it.idea.as_str()),
        ("issue_site", "acme-jira"),
        ("issue_project", project),
        ("issue_type", issue_type),
    ];
    admin.send(path, &fields).await
}

async fn a_place_is_tried_before_it_is_kept(on: On) {
    let (it, mut admin, path) = with_product(on).await;
    for (place, field, words) in [
        (
            ("ENG", "Wish"),
            "issue_type",
            "ENG has no issue type “Wish”. Choose among Task, Bug, Story.",
        ),
        (
            ("NOPE", "Task"),
            "issue_project",
            "There is no project NOPE",
        ),
    ] {
        let page = set(&it, &mut admin, &path, place).await;
        assert_eq!(page.status, 422);
        page.says(words);
        let beside = format!("id=\"{field}-fault\"");
        assert!(page.text.contains(&beside), "{field}");
        assert!(page.text.contains("<details open>"), "it is seen");
        let kept = format!("value=\"{}\"", place.1);
        assert!(page.text.contains(&kept), "what was typed is kept");
        assert!(!it.product("Mobile app").await.on, "nothing was kept");
    }
    // While Jira does not answer, nothing new is kept.
    let jira = it.stage.jira().faults();
    let away = || fault("GET", "/createmeta", 0, u32::MAX, status(503));
    let silent = jira.add(away());
    let page = set(&it, &mut admin, &path, ("ENG", "Task")).await;
    assert_eq!(page.status, 422);
    page.says("could not be found out");
    jira.remove(silent);

    let page = set(&it, &mut admin, &path, ("eng", "bug")).await;
    assert_eq!(page.goes_to(), format!("{path}?done=feedback-on"));
    let kept = async || it.product("Mobile app").await.settings.issues.unwrap();
    let target = kept().await;
    assert_eq!(
        (target.project.as_str(), target.issue_type.as_str()),
        ("ENG", "Bug"),
        "as Jira writes it"
    );
    // What was tried before does not keep other changes back.
    jira.add(away());
    let page = set(&it, &mut admin, &path, ("ENG", "Bug")).await;
    assert_eq!(page.goes_to(), format!("{path}?done=feedback-on"));
}

async fn scripts_set_a_place_that_there_is(on: On) {
    let (it, _, path) = with_product(on).await;
    let script = Script::new(&it.stage, "owner", &["read", "feedback"]).await;
    let path = format!("/api/v1{path}");
    let issues = |project: &str, issue_type: &str| -> Value {
        json!({ "issues": {
            "site": "acme-jira", "project": project, "issue_type": issue_type } })
    };
    for (body, words) in [
        (issues("ENG", "Wish"), "no issue type “Wish”"),
        (issues("NOPE", "Task"), "no project NOPE"),
    ] {
        let refused = script.call("PATCH", &path, Some(body), "").await;
        assert_eq!(refused.status, 422);
        let detail = refused.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{}", refused.body);
    }
    let changed = script
        .call("PATCH", &path, Some(issues("ENG", "story")), "")
        .await;
    assert_eq!(changed.status, 202, "{}", changed.body);
    assert_eq!(changed.body["issues"]["issue_type"], "Story");
}

#[tokio::test]
async fn check_looks_where_products_make_issues() {
    let products = format!("{IDEAS}issue_project = \"ENG\"\nissue_type = \"Wish\"\n");
    let it = Feedback::prepare(On::Sqlite, &products, |_| ()).await;
    let bad = run(&it.stage, &["check"]).await;
    assert_eq!(bad.code, Some(1));
    let words = "product Mobile app: ENG has no issue type “Wish”";
    assert!(bad.out.contains(words), "{}", bad.out);
    it.stage.edit_config("\"Wish\"", "\"Task\"");
    let good = run(&it.stage, &["check"]).await.good();
    let words = "product Mobile app: issues can be made in ENG, as Task";
    assert!(good.contains(words), "{good}");
}
