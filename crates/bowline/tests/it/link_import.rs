//! Links from files, in whole installations.

use bowline::demo::WORKSPACE;
use serde_json::json;

use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

on_both!(a_file_of_links_is_previewed_and_imported_without_notes);

async fn a_file_of_links_is_previewed_and_imported_without_notes(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (linked, known) = stage.linked().await;
    let (one, other) = (stage.conversation(), stage.conversation());
    let issue = stage.issue("Nothing is linked here yet.");
    stage.settled().await;
    let file = format!(
        "issue,workspace,conversation,linked\n\
         {linked},{WORKSPACE},{known},yes\n\
         {issue},{WORKSPACE},{one},yes\n\
         {issue},,{other},\n\
         {issue},elsewhere,7,yes\n\
         NO-1,,8,\n\
         {issue},,9,no\n"
    );
    let mut browser = Browser::signed_in(&stage, "agent").await;
    browser.get("/links").await.says("Import");
    let page = browser.send("/links/import", &[("file", &file)]).await;
    assert_eq!(page.status, 200, "{}", page.words());
    page.says("2 would be linked, 1 linked already, 3 left out.");
    page.says("the workspace “elsewhere”");
    page.says("It had ended when the file was made.");
    stage.settled().await;
    assert!(stage.links(&issue).await.is_empty(), "only looked at");

    let made = [("file", file.as_str()), ("import", "yes")];
    let page = browser.send("/links/import", &made).await;
    page.says("2 queued, 1 linked already, 3 left out.");
    stage.settled().await;
    let mut links = stage.links(&issue).await;
    links.sort();
    let mut wanted = vec![one.clone(), other.clone()];
    wanted.sort();
    assert_eq!(links, wanted);
    for conversation in [&one, &other] {
        assert!(
            stage.texts(conversation).is_empty(),
            "support knows already"
        );
    }
    // Again: nothing changes. What happens from now on is told.
    let page = browser.send("/links/import", &made).await;
    page.says("0 queued, 3 linked already, 3 left out.");
    stage.lena().comment(&issue, "Out tomorrow.").unwrap();
    stage.note(&one, &["Out tomorrow."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&one).len(), 1);

    // Lines of the other app's migration tool.
    let third = stage.conversation();
    let line = json!({ "workItemConversationLinks":
        { "spaceKey": "ENG", "workItemKey": issue, "conversationIds": [third] } });
    let lines = [("file", line.to_string()), ("import", "yes".to_owned())];
    let lines: Vec<(&str, &str)> = lines
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let page = browser.send("/links/import", &lines).await;
    assert_eq!(page.goes_to(), "/links?done=links-imported");
    stage.settled().await;
    assert_eq!(stage.links(&issue).await.len(), 3);
    let wrong = browser.send("/links/import", &[("file", "a,b")]).await;
    assert_eq!(wrong.status, 422);
    wrong.says("The first line names the columns");
}
