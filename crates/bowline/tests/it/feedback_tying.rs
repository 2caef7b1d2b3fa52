//! A ticket is tied to any issue that Jira shows, whether Bowline has met it or not.

use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{IssueKey, SiteName};
use bowline_sandbox::common::Disturbance;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    a_ticket_is_tied_to_an_issue_that_was_never_seen,
    what_jira_does_not_show_is_refused_in_words
);

async fn one_ticket(on: On) -> (Feedback, i64) {
    let products = format!("{IDEAS}follow_issue = true\n");
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0).id.0;
    it.stage.settled().await;
    (it, ticket)
}

/// An issue of which no delivery tells, as all those are that are older than Bowline.
fn unseen(it: &Feedback, summary: &str) -> String {
    let jira = it.stage.jira();
    jira.disturb(Disturbance {
        drop_every: 1,
        ..Disturbance::default()
    });
    let key = it.stage.lena().create("ENG", summary, "").unwrap();
    jira.disturb(Disturbance::default());
    key
}

async fn a_ticket_is_tied_to_an_issue_that_was_never_seen(on: On) {
    let (it, ticket) = one_ticket(on).await;
    let id = bowline_domain::feedback::ids::TicketId(ticket);
    let (first, second, third) = (unseen(&it, "One"), unseen(&it, "Two"), unseen(&it, "Three"));
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{ticket}/issue");
    let tie = |issue: &str| {
        vec![
            ("do".to_owned(), "tie".to_owned()),
            ("issue".to_owned(), issue.to_owned()),
        ]
    };
    let mut send = async |issue: &str| {
        let fields = tie(issue);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let page = agent.send(&path, &fields).await;
        assert_eq!(page.goes_to(), format!("/feedback/{ticket}?done=triaged"));
    };
    send(&first.to_lowercase()).await;
    assert_eq!(it.view(id).await.row.issue_key, Some(first.clone()));
    // It is followed from then on, and has a page here.
    until_async(async || {
        let site = SiteName::new("acme-jira");
        let store = it.stage.store();
        store.issue_by_key(&site, &first).await.unwrap()
    })
    .await;
    it.stage
        .lena()
        .transition(&first, "In Progress", None)
        .unwrap();
    until_async(async || (it.view(id).await.row.status == Status::Planned).then_some(())).await;
    // By the address that the browser shows.
    let site = SiteName::new("acme-jira");
    let shared = it.stage.service().shared();
    let key = IssueKey::new(second.as_str());
    let address = shared.issue_url(&site, &key).unwrap();
    send(&format!(" {address}?focusedId=1 ")).await;
    assert_eq!(it.view(id).await.row.issue_key, Some(second));
    // By script.
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let address = format!("/api/v1/tickets/{ticket}/issue");
    let done = script
        .call("POST", &address, Some(json!({"issue": third})), "")
        .await;
    assert_eq!(done.status, 202, "{}", done.body);
    assert_eq!(it.view(id).await.row.issue_key, Some(third));
}

async fn what_jira_does_not_show_is_refused_in_words(on: On) {
    let (it, ticket) = one_ticket(on).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{ticket}/issue");
    for (typed, words) in [
        ("a wish", "is no issue. Write its key"),
        ("ENG-999", "shows no issue ENG-999"),
        (
            "https://jira.elsewhere.example.com/browse/ENG-1",
            "is at no Jira site that is connected",
        ),
    ] {
        let page = agent.send(&path, &[("do", "tie"), ("issue", typed)]).await;
        assert_eq!(page.status, 422, "{typed}");
        page.says(words);
        assert!(page.text.contains(&format!("value=\"{typed}\"")), "{typed}");
        assert!(page.text.contains("id=\"issue-fault\""), "beside the field");
    }
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let address = format!("/api/v1/tickets/{ticket}/issue");
    let refused = script
        .call("POST", &address, Some(json!({"issue": "ENG-999"})), "")
        .await;
    assert_eq!(refused.status, 404);
    let words = refused.body["detail"].as_str().unwrap().to_owned();
    assert!(words.contains("may not see it"), "{words}");
}
