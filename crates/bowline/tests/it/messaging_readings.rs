//! Points that the rules leave open, as they are read.

use bowline::demo::{SITE, until};
use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::jira::{DeskConfig, ProjectConfig, ProjectKind};
use bowline_sandbox::phones::{Failure, Habit, Inbound};

use crate::browser::Browser;
use crate::messaging_stage::{ACCOUNT, Talk, until_async};
use crate::stage::{On, on_both};

on_both!(
    rule_15_the_agent_is_reminded_once_before_the_window_ends,
    a_comment_that_is_changed_or_deleted_after_it_was_sent_is_not_sent_again,
    a_request_that_is_deleted_ends_the_conversation,
    a_request_that_is_moved_keeps_its_conversation,
    what_is_answered_where_it_is_no_request_is_not_sent_and_that_is_told,
    who_wants_no_more_messages_keeps_their_request
);

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn rule_15_the_agent_is_reminded_once_before_the_window_ends(on: On) {
    let talk = Talk::on(on).await;
    let ago = talk.bird().now_ms() - DAY_MS + 30 * MINUTE_MS;
    talk.noa()
        .sends_at(Inbound::Text("My router is red".to_owned()), ago);
    let request = talk.request(1).await;
    let said = until(|| talk.notes(&request).first().cloned()).await;
    let said = said.expect("the agent is reminded");
    assert!(
        said.starts_with("note: The customer can be answered until"),
        "{said}"
    );
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.phone_shows(1).await;
    talk.settled().await;
    assert_eq!(talk.notes(&request), [said], "once");
    assert_eq!(talk.description(&request), ["My router is red"]);

    // The next look reminds of others, and not of this again.
    let ada = talk.bird().phone("+15557709").named("Ada");
    ada.sends_at(Inbound::Text("Hello".to_owned()), ago - 10 * MINUTE_MS);
    let other = talk.request(2).await;
    until(|| (!talk.notes(&other).is_empty()).then_some(()))
        .await
        .expect("the agent is reminded of the other one, too");
    assert_eq!(talk.notes(&request).len(), 1);
}

async fn a_comment_that_is_changed_or_deleted_after_it_was_sent_is_not_sent_again(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let agent = talk.agent();
    let changed = agent.comment(&request, "The blue one?").unwrap();
    let deleted = agent.comment(&request, "Or the green one?").unwrap();
    talk.phone_shows(3).await;
    talk.settled().await;
    agent
        .edit_comment(&request, changed, "The black one?")
        .unwrap();
    agent.delete_comment(&request, deleted).unwrap();
    talk.settled().await;
    assert_eq!(
        talk.received(),
        ["Which model?", "The blue one?", "Or the green one?"]
    );
    assert!(talk.notes(&request).is_empty());
}

async fn a_request_that_is_deleted_ends_the_conversation(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let conversation = talk.noa().conversation().unwrap();
    talk.stage.jira().acting("priya").delete(&request).unwrap();
    let archived = until(|| (!talk.is_open(&conversation)).then_some(())).await;
    assert!(archived.is_some(), "the conversation is archived");
    talk.settled().await;
    assert!(talk.requests().is_empty());
    talk.noa().writes("Hello?");
    let next = talk.request(1).await;
    talk.settled().await;
    assert_ne!(next, request);
    assert_eq!(talk.description(&next), ["Hello?"]);
    assert_eq!(talk.received(), ["Which model?"]);
}

async fn a_request_that_is_moved_keeps_its_conversation(on: On) {
    let another_desk = |plan: &mut bowline::demo::Plan| {
        plan.jira.projects.push(ProjectConfig {
            kind: ProjectKind::ServiceDesk,
            ..ProjectConfig::software("HLP", "Help desk")
        });
        plan.jira.desks.push(DeskConfig::support("HLP", "casey"));
    };
    let talk = Talk::with(on, another_desk, "").await;
    let request = talk.answered().await;
    let moved = talk.agent().move_to(&request, "HLP").unwrap();
    talk.settled().await;
    talk.noa().writes("The blue one");
    talk.settled().await;
    assert_eq!(
        talk.comments(&moved),
        ["agent: Which model?", "Noa: The blue one"]
    );
    talk.agent().comment(&moved, "Thank you").unwrap();
    assert_eq!(talk.phone_shows(2).await, ["Which model?", "Thank you"]);
    talk.agent()
        .transition(&moved, "Waiting for customer", None)
        .unwrap();
    let told = talk.phone_shows(3).await;
    assert_eq!(
        told[2],
        format!("Your request {moved} is now: Waiting for customer")
    );
    let requests = talk.requests();
    assert_eq!(requests, std::slice::from_ref(&moved), "no new one is made");
}

async fn what_is_answered_where_it_is_no_request_is_not_sent_and_that_is_told(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let moved = talk.agent().move_to(&request, "ENG").unwrap();
    talk.settled().await;
    talk.agent().comment(&moved, "It is the driver").unwrap();
    talk.agent().comment(&moved, "I look into it").unwrap();
    talk.settled().await;
    talk.noa().writes("Are you there?");
    talk.settled().await;
    let comments = talk.comments(&moved);
    let notes: Vec<&String> = comments
        .iter()
        .filter(|one| one.starts_with("note"))
        .collect();
    assert_eq!(notes.len(), 1, "{comments:?}");
    assert!(notes[0].contains("as a request any more"), "{notes:?}");
    assert!(
        comments.contains(&"Noa: Are you there?".to_owned()),
        "what a customer writes is not lost: {comments:?}"
    );
    assert_eq!(talk.received(), ["Which model?"]);
    assert!(talk.stage.reasons().await.contains(&"not_a_request"));
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let whose = talk.whose(&moved, SITE).await;
    for page in [
        format!("/conversations/{ACCOUNT}/{}/1", whose.end_user),
        format!("/issues/{SITE}/{moved}"),
    ] {
        agent
            .get(&page)
            .await
            .says("No comment reaches this customer");
    }

    let back = talk.agent().move_to(&moved, "SUP").unwrap();
    talk.settled().await;
    talk.agent().comment(&back, "It was the driver").unwrap();
    let shown = talk.phone_shows(2).await;
    assert_eq!(shown, ["Which model?", "It was the driver"]);
    talk.settled().await;
    let panel = agent.get(&format!("/issues/{SITE}/{back}")).await;
    assert!(
        !panel.text.contains("No comment reaches"),
        "{}",
        panel.words()
    );
}

/// As who answers STOP to a text message.
async fn who_wants_no_more_messages_keeps_their_request(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    talk.noa().writes("STOP");
    talk.settled().await;
    let fails = Some(Failure::new(131_050, "User has stopped marketing messages"));
    talk.noa().habit(Habit {
        fails,
        ..Habit::default()
    });
    talk.agent().comment(&request, "As you like").unwrap();
    until_async(async || {
        let kept = talk.outbound(&request).await;
        let last = kept.get(1)?;
        (last.delivery == Delivery::Failed).then_some(())
    })
    .await;
    talk.settled().await;
    let notes = talk.notes(&request);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("As you like"), "{notes:?}");
    talk.noa().habit(Habit::default());
    talk.noa().writes("I changed my mind");
    talk.settled().await;
    assert_eq!(talk.requests(), std::slice::from_ref(&request));
    let comments = talk.comments(&request);
    assert_eq!(
        comments.last().map(String::as_str),
        Some("Noa: I changed my mind")
    );
}
