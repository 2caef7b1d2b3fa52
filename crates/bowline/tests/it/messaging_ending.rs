//! Status notifications, and how a conversation ends.

use bowline_sandbox::jira::{Automation, NewComment};

use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

/// A request that was answered once.
async fn answered(talk: &Talk) -> String {
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.phone_shows(1).await;
    talk.settled().await;
    request
}

async fn rule_08_every_status_change_is_told(on: On) {
    let talk = Talk::on(on).await;
    let request = answered(&talk).await;
    talk.agent()
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    talk.settled().await;
    talk.agent()
        .transition(&request, "Waiting for support", None)
        .unwrap();
    talk.settled().await;
    assert_eq!(
        talk.received(),
        [
            "Which model?".to_owned(),
            format!("Your request {request} is now: Waiting for customer"),
            format!("Your request {request} is now: Waiting for support"),
        ]
    );
}

async fn rule_08_what_an_automation_does_is_told_too(on: On) {
    let desk = "status_notifications = { \"Waiting for customer\" = \"{key}: we wait for you\", \"*\" = false }";
    let talk = Talk::with(on, |_| (), desk).await;
    talk.stage.jira().set_automations(Automation::usual("SUP"));
    let request = answered(&talk).await;
    talk.settled().await;
    let mut told = talk.received();
    told.sort();
    let moved = format!("{request}: we wait for you");
    assert_eq!(told, [moved, "Which model?".to_owned()]);
    talk.noa().writes("The black one");
    talk.settled().await;
    assert_eq!(talk.received().len(), 2);
}

async fn rule_09_done_is_told_then_the_conversation_is_archived(on: On) {
    let talk = Talk::on(on).await;
    let request = answered(&talk).await;
    let conversation = talk.noa().conversation().unwrap();
    let last = Some(NewComment::open("Replaced it."));
    talk.agent().transition(&request, "Resolved", last).unwrap();
    talk.settled().await;
    assert_eq!(
        talk.received()[1..],
        [format!(
            "Replaced it.\n\nYour request {request} is now: Resolved"
        )]
    );
    assert!(!talk.is_open(&conversation));
    assert!(
        talk.comments(&request)
            .iter()
            .all(|one| !one.starts_with("note"))
    );
}

async fn rules_10_to_12_archived_at_the_provider(on: On) {
    let talk = Talk::on(on).await;
    let request = answered(&talk).await;
    let conversation = talk.noa().conversation().unwrap();
    talk.bird().archive(&conversation).unwrap();
    talk.settled().await;
    let comments = talk.comments(&request);
    assert!(
        comments
            .last()
            .unwrap()
            .starts_with("note: The conversation was archived")
    );
    let status = talk.stage.jira().issue(&request).unwrap().status;
    assert_eq!(
        status.name, "Waiting for support",
        "the request keeps its status"
    );

    talk.agent()
        .comment(&request, "secret: Are you there?")
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.received().len(), 1);
    let comments = talk.comments(&request);
    assert!(
        comments.last().unwrap().starts_with("note: Not sent"),
        "{comments:?}"
    );

    talk.noa().writes("It is red again");
    let second = talk.request(2).await;
    talk.settled().await;
    assert_eq!(talk.description(&second), ["It is red again"]);
}

async fn rule_11_a_reopened_request_stays_closed(on: On) {
    let talk = Talk::on(on).await;
    let request = answered(&talk).await;
    talk.agent().transition(&request, "Resolved", None).unwrap();
    talk.settled().await;
    let told = talk.received().len();
    talk.agent()
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    talk.settled().await;
    talk.agent().comment(&request, "One more thing").unwrap();
    talk.settled().await;
    assert_eq!(talk.received().len(), told);
    let comments = talk.comments(&request);
    assert!(
        comments.last().unwrap().starts_with("note: Not sent"),
        "{comments:?}"
    );
    talk.noa().writes("Thanks");
    talk.request(2).await;
}

async fn rule_13_another_channel_feeds_the_same_request(on: On) {
    let talk = Talk::on(on).await;
    let request = answered(&talk).await;
    talk.noa().on("sms").writes("I am on the road now");
    talk.settled().await;
    talk.agent().comment(&request, "All right").unwrap();
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1);
    let platforms: Vec<String> = talk.sent().into_iter().map(|line| line.platform).collect();
    assert_eq!(platforms, ["whatsapp", "sms"]);
}

on_both!(
    rule_08_every_status_change_is_told,
    rule_08_what_an_automation_does_is_told_too,
    rule_09_done_is_told_then_the_conversation_is_archived,
    rules_10_to_12_archived_at_the_provider,
    rule_11_a_reopened_request_stays_closed,
    rule_13_another_channel_feeds_the_same_request
);
