//! The way of a conversation: a message makes a request, further ones are gathered, the agent's public
//! comments reach the phone and nothing else does.

use bowline::demo::Plan;
use bowline_sandbox::jira::NewComment;

use crate::messaging_stage::Talk;
use crate::stage::{On, next_millisecond, on_both};

async fn rule_01_a_first_message_makes_a_request(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let issue = talk.stage.jira().issue(&request).unwrap();
    assert_eq!(issue.summary, "My router is red");
    assert_eq!(talk.description(&request), ["My router is red"]);
    assert_eq!(talk.requests().len(), 1);
}

async fn rules_02_to_06_the_talk_goes_on_in_comments(on: On) {
    the_talk_goes_on_in_comments(Talk::on(on).await).await;
}

#[tokio::test]
async fn rules_02_to_06_hold_on_data_center_too() {
    let data_center = |plan: &mut Plan| *plan = plan.clone().data_center();
    the_talk_goes_on_in_comments(Talk::with(On::Sqlite, data_center, "").await).await;
}

async fn the_talk_goes_on_in_comments(talk: Talk) {
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.noa().writes("It blinks");
    next_millisecond();
    talk.noa().writes("since noon");
    talk.settled().await;
    assert_eq!(
        talk.description(&request),
        ["My router is red", "It blinks", "since noon"]
    );

    talk.agent()
        .note(&request, "secret: probably the firmware")
        .unwrap();
    talk.settled().await;
    talk.noa().writes("and it hums");
    talk.settled().await;
    assert_eq!(
        talk.description(&request).len(),
        4,
        "a note does not end it"
    );

    talk.agent().comment(&request, "Which model?").unwrap();
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.noa().writes("The black one");
    talk.settled().await;
    talk.noa().writes("with two antennas");
    talk.settled().await;
    talk.agent()
        .note(&request, "secret: it is the old one")
        .unwrap();
    talk.settled().await;
    talk.noa().writes("Can you help?");
    talk.settled().await;
    assert_eq!(
        talk.comments(&request),
        [
            "internal: secret: probably the firmware",
            "agent: Which model?",
            "Noa: The black one / with two antennas",
            "internal: secret: it is the old one",
            "Noa: Can you help?",
        ]
    );
    assert_eq!(talk.received(), ["Which model?"]);
    assert_eq!(talk.requests().len(), 1);
}

async fn another_channel_and_another_name_go_on_in_the_description(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("one");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.noa().named("Noa Berg").on("sms").writes("two");
    talk.settled().await;
    assert_eq!(talk.description(&request), ["one", "two"]);
    assert!(talk.comments(&request).is_empty());
}

async fn rule_07_restricted_comments_never_leave(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("Hello");
    let request = talk.request(1).await;
    talk.settled().await;
    let restricted = NewComment::restricted("secret: for the team", "Administrators");
    talk.agent().comment_with(&request, restricted).unwrap();
    talk.agent().note(&request, "secret: a note").unwrap();
    talk.agent().comment(&request, "Good morning").unwrap();
    talk.settled().await;
    assert_eq!(talk.received(), ["Good morning"]);
}

async fn rule_06_a_comment_that_we_may_not_read_closes_the_open_comment(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("Hello");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent().comment(&request, "Good morning").unwrap();
    talk.settled().await;
    talk.noa().writes("It is red");
    talk.settled().await;
    let restricted = NewComment::restricted("secret: for the bosses", "Administrators");
    talk.agent().comment_with(&request, restricted).unwrap();
    talk.settled().await;
    talk.noa().writes("And it blinks");
    talk.settled().await;
    let comments = talk.comments(&request);
    let said: Vec<&str> = comments
        .iter()
        .filter(|one| one.starts_with("Noa"))
        .map(String::as_str)
        .collect();
    assert_eq!(said, ["Noa: It is red", "Noa: And it blinks"]);
    assert_eq!(talk.received(), ["Good morning"]);
}

on_both!(
    rule_06_a_comment_that_we_may_not_read_closes_the_open_comment,
    rule_01_a_first_message_makes_a_request,
    rules_02_to_06_the_talk_goes_on_in_comments,
    another_channel_and_another_name_go_on_in_the_description,
    rule_07_restricted_comments_never_leave
);
