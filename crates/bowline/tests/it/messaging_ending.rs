//! Status notifications, and how a conversation ends.

use bowline::demo::until;
use bowline_sandbox::common::{Disturbance, Fault, FaultKind};
use bowline_sandbox::jira::{Automation, NewComment};
use bowline_sandbox::phones::Inbound;

use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

async fn rule_08_every_status_change_is_told(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
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
    let request = talk.answered().await;
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
    let request = talk.answered().await;
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
    let request = talk.answered().await;
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
    let request = talk.answered().await;
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
    let request = talk.answered().await;
    talk.noa().on("sms").writes("I am on the road now");
    talk.settled().await;
    talk.agent().comment(&request, "All right").unwrap();
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1);
    let platforms: Vec<String> = talk.sent().into_iter().map(|line| line.platform).collect();
    assert_eq!(platforms, ["whatsapp", "sms"]);
}

/// Noa writes into the conversation just before it is archived, because the request is done; that
/// she did is told afterwards. Gives the conversation.
async fn written_just_before_the_end(talk: &Talk) -> String {
    let request = talk.answered().await;
    let conversation = talk.noa().conversation().unwrap();
    talk.bird().disturb(Disturbance {
        hold: true,
        ..Disturbance::default()
    });
    talk.noa().writes("It is red again");
    talk.agent().transition(&request, "Resolved", None).unwrap();
    let archived = until(|| (!talk.is_open(&conversation)).then_some(())).await;
    assert!(archived.is_some(), "the conversation is archived");
    conversation
}

async fn rule_11_what_was_written_just_before_the_end_can_be_answered(on: On) {
    let talk = Talk::on(on).await;
    let conversation = written_just_before_the_end(&talk).await;
    talk.bird().disturb(Disturbance::default());
    let second = talk.request(2).await;
    talk.settled().await;
    assert!(talk.is_open(&conversation), "it is opened again");
    talk.agent().comment(&second, "Is it warm?").unwrap();
    let shown = talk.phone_shows(3).await;
    assert_eq!(shown[2], "Is it warm?");
    // Somebody who archives it now does end it.
    talk.bird().archive(&conversation).unwrap();
    talk.settled().await;
    let comments = talk.comments(&second);
    assert!(
        comments
            .last()
            .unwrap()
            .starts_with("note: The conversation was archived"),
        "{comments:?}"
    );
}

/// The answer to what opens it again is lost, and before it is tried again somebody archives it.
async fn rule_11_who_archives_it_while_it_is_opened_again_is_not_undone(on: On) {
    let talk = Talk::on(on).await;
    let conversation = written_just_before_the_end(&talk).await;
    let lost = Fault::of(FaultKind::DropAfter);
    let lost = lost.on("PATCH", "/conversations/").times(1);
    talk.bird().faults().add(lost);
    talk.bird().disturb(Disturbance::default());
    let second = talk.request(2).await;
    let open = until(|| talk.is_open(&conversation).then_some(())).await;
    assert!(open.is_some(), "it is opened again");
    talk.bird().archive(&conversation).unwrap();
    talk.settled().await;
    assert!(!talk.is_open(&conversation), "that is not undone");
    let comments = talk.comments(&second);
    assert!(
        comments
            .last()
            .is_some_and(|last| last.starts_with("note: The conversation was archived")),
        "{comments:?}"
    );
    talk.noa().writes("Hello?");
    talk.request(3).await;
}

async fn rule_11_our_own_archiving_ends_nothing_though_another_conversation_began(on: On) {
    let talk = Talk::on(on).await;
    let before = written_just_before_the_end(&talk).await;
    // It bears an older time than what was written before it.
    let hour_ago = talk.bird().now_ms() - 60 * 60 * 1_000;
    talk.noa()
        .sends_at(Inbound::Text("And it is warm".to_owned()), hour_ago);
    assert_ne!(talk.noa().conversation().unwrap(), before);
    talk.bird().disturb(Disturbance::default());
    let second = talk.request(2).await;
    talk.settled().await;
    assert_eq!(talk.requests().len(), 2);
    assert_eq!(
        talk.description(&second),
        ["And it is warm", "It is red again"]
    );
    assert_eq!(talk.comments(&second), Vec::<String>::new());
    talk.agent().comment(&second, "Switch it off").unwrap();
    let shown = talk.phone_shows(3).await;
    assert_eq!(shown[2], "Switch it off");
}

on_both!(
    rule_08_every_status_change_is_told,
    rule_08_what_an_automation_does_is_told_too,
    rule_09_done_is_told_then_the_conversation_is_archived,
    rules_10_to_12_archived_at_the_provider,
    rule_11_a_reopened_request_stays_closed,
    rule_11_what_was_written_just_before_the_end_can_be_answered,
    rule_11_who_archives_it_while_it_is_opened_again_is_not_undone,
    rule_11_our_own_archiving_ends_nothing_though_another_conversation_began,
    rule_13_another_channel_feeds_the_same_request
);
