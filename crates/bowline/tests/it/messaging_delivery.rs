//! What becomes of messages to the end user, and what the agent learns of it.

use bowline::demo::until;
use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::common::Entry;
use bowline_sandbox::common::faults::{Fault, FaultKind};
use bowline_sandbox::phones::{Failure, Habit, Inbound, Media};

use crate::messaging_stage::{ACCOUNT, Talk, until_async};
use crate::process::run;
use crate::stage::{On, next_millisecond, on_both};

async fn rule_15_after_the_window_nothing_is_sent(on: On) {
    let talk = Talk::on(on).await;
    // What the end user wrote is dated by the provider's clock: a day and an hour ago.
    let old = talk.bird().now_ms() - 25 * 60 * 60 * 1_000;
    let text = Inbound::Text("My router is red".to_owned());
    talk.noa().sends_at(text, old);
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent()
        .comment(&request, "Sorry for the wait")
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0);
    let comments = talk.comments(&request);
    let note = comments.last().unwrap();
    assert!(
        note.starts_with("note: Not delivered") && note.contains("24 hours"),
        "{note}"
    );
    let kept = talk.outbound(&request).await;
    assert_eq!(kept[0].delivery, Delivery::NotSent);

    talk.noa().writes("Hello?");
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0, "what was held is not flushed");
    talk.send_again(&request, 0).await;
    assert_eq!(talk.phone_shows(1).await, ["Sorry for the wait"]);
}

async fn rule_16_a_file_is_attached_and_named(on: On) {
    let talk = Talk::on(on).await;
    talk.noa()
        .sends_media(Media::image("router.png", b"a picture", Some("Look")));
    let request = talk.request(1).await;
    talk.settled().await;
    let files = talk.files(&request);
    assert_eq!(files.len(), 1);
    assert!(files[0].0.ends_with("-image"), "{files:?}");
    assert_eq!(files[0].1, b"a picture");
    let shown = format!("Look [image: {}]", files[0].0);
    assert_eq!(talk.description(&request), [shown]);
}

async fn rule_16_a_file_that_is_gone_is_a_sentence_in_the_request(on: On) {
    let talk = Talk::on(on).await;
    let gone = FaultKind::Status {
        status: 410,
        body: None,
        headers: Vec::new(),
    };
    talk.bird()
        .faults()
        .add(Fault::of(gone).on("GET", "/media/"));
    talk.noa()
        .sends_media(Media::image("router.png", b"a picture", None));
    let request = talk.request(1).await;
    talk.settled().await;
    let comments = talk.comments(&request);
    assert!(
        comments[0].contains("could not be attached"),
        "{comments:?}"
    );
    assert_eq!(talk.files(&request).len(), 0);
}

async fn rule_20_an_answer_from_the_providers_inbox_is_an_internal_comment(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let conversation = talk.noa().conversation().unwrap();
    talk.bird()
        .inbox_reply(&conversation, "I look at it")
        .unwrap();
    talk.settled().await;
    let comments = talk.comments(&request);
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].starts_with("note: ") && comments[0].contains("I look at it"));
    talk.noa().writes("Thanks");
    talk.settled().await;
    assert_eq!(
        talk.description(&request).len(),
        2,
        "it counts as nothing else"
    );
}

async fn rule_21_a_failed_delivery_is_told_once_and_can_be_sent_again(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let fails = Some(Failure::new(131_026, "Message undeliverable"));
    talk.noa().habit(Habit {
        fails,
        ..Habit::default()
    });
    talk.agent().comment(&request, "Which model?").unwrap();
    // The provider tells of the failure by a webhook of its own.
    becomes(&talk, &request, Delivery::Failed).await;
    talk.settled().await;
    let notes = talk.comments(&request);
    let notes: Vec<_> = notes.iter().filter(|one| one.starts_with("note")).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");

    talk.noa().habit(Habit::default());
    talk.send_again(&request, 0).await;
    until_async(async || {
        let kept = talk.outbound(&request).await;
        let again = kept.get(1)?;
        (again.delivery == Delivery::Delivered).then_some(())
    })
    .await;
    talk.settled().await;
    let kept = talk.outbound(&request).await;
    assert_eq!(kept.len(), 2, "one new effect");
}

async fn delivery_states_are_followed(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent().comment(&request, "Which model?").unwrap();
    becomes(&talk, &request, Delivery::Delivered).await;
    talk.noa().reads();
    becomes(&talk, &request, Delivery::Read).await;
}

pub(crate) async fn becomes(talk: &Talk, request: &str, delivery: Delivery) {
    until_async(async || {
        let kept = talk.outbound(request).await;
        kept.first().filter(|one| one.delivery == delivery).cloned()
    })
    .await;
}

async fn a_lost_answer_is_looked_for_and_not_sent_again(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let lost = Fault::of(FaultKind::DropAfter)
        .on("POST", "/messages")
        .times(1);
    talk.bird().faults().add(lost);
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    assert_eq!(talk.received(), ["Which model?"]);
    assert_eq!(talk.comments(&request).len(), 1, "nobody is troubled");
}

async fn a_message_that_may_be_sent_and_is_not_found_is_held(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let lost = Fault::of(FaultKind::DropBefore)
        .on("POST", "/messages")
        .times(1);
    talk.bird().faults().add(lost);
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0);
    assert_eq!(talk.outbound(&request).await[0].delivery, Delivery::Held);
    let comments = talk.comments(&request);
    assert!(
        comments.last().unwrap().contains("It is not known"),
        "{comments:?}"
    );
    talk.send_again(&request, 0).await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
}

async fn a_request_whose_answer_was_lost_is_made_once(on: On) {
    let talk = Talk::on(on).await;
    let lost = Fault::of(FaultKind::DropAfter)
        .on("POST", "/servicedeskapi/request")
        .times(1);
    talk.stage.jira().faults().add(lost);
    talk.noa().writes("My router is red");
    talk.request(1).await;
    talk.noa().writes("It blinks");
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1);
    assert_eq!(
        talk.description(&talk.requests()[0]),
        ["My router is red", "It blinks"]
    );
}

async fn a_request_whose_answer_was_lost_is_found_behind_many_others(on: On) {
    let talk = Talk::on(on).await;
    let jira = talk.stage.jira();
    let lost = Fault::of(FaultKind::DropAfter)
        .on("POST", "/servicedeskapi/request")
        .times(1);
    jira.faults().add(lost);
    let blind = FaultKind::Status {
        status: 503,
        body: None,
        headers: Vec::new(),
    };
    let blind = jira.faults().add(Fault {
        path_contains: Some("/search".to_owned()),
        ..Fault::of(blind)
    });
    talk.noa().writes("My router is red");
    let ours = talk.request(1).await;
    // More than one page of a search, made before it is looked for.
    for number in 0..120 {
        let text = format!("Request {number}");
        talk.agent().create("SUP", &text, text.as_str()).unwrap();
    }
    jira.faults().remove(blind);
    talk.hasten().await;
    talk.noa().writes("It blinks");
    let gathered = bowline::demo::until(|| (talk.description(&ours).len() == 2).then_some(()));
    assert!(gathered.await.is_some(), "{:?}", talk.description(&ours));
    talk.settled().await;
    let by_us = jira.requests("SUP").into_iter().filter(|issue| {
        let text = issue.description.as_ref();
        text.is_some_and(|body| body.as_wiki().contains("My router is red"))
    });
    assert_eq!(by_us.count(), 1);
}

async fn a_description_that_an_agent_changed_is_left_as_it_is(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent()
        .describe(&request, "Router of Noa, see the wiki")
        .unwrap();
    talk.settled().await;
    talk.noa().writes("It blinks");
    talk.settled().await;
    talk.noa().writes("and hums");
    talk.settled().await;
    let issue = talk.stage.jira().issue(&request).unwrap();
    let text = issue.description.unwrap();
    assert!(text.as_wiki().contains("see the wiki"));
    assert_eq!(talk.comments(&request), ["Noa: It blinks / and hums"]);
}

async fn messages_missed_while_down_are_fetched_and_stand_in_their_order(on: On) {
    let mut talk = Talk::on(on).await;
    talk.noa().writes("one");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.stage.stop().await;
    talk.bird().remove_webhooks();
    talk.noa().writes("two");
    next_millisecond();
    talk.noa().writes("three");
    talk.start().await;
    let all = bowline::demo::until(|| (talk.description(&request).len() == 3).then_some(())).await;
    assert!(all.is_some(), "{:?}", talk.description(&request));
    assert_eq!(talk.description(&request), ["one", "two", "three"]);
    assert_eq!(
        talk.bird().webhook_urls().len(),
        1,
        "the webhook is there again"
    );
}

async fn a_wrong_signature_is_refused_and_an_unknown_channel_explained(on: On) {
    let talk = Talk::with(on, |_| (), "channels = [\"another-channel\"]").await;
    let url = talk.stage.url(&format!("/hooks/messagebird/{ACCOUNT}"));
    let request = talk.stage.client().post(url).body("{}");
    assert_eq!(crate::stage::answer(request).await.0, 401);
    talk.noa().writes("Hello");
    talk.settled().await;
    assert_eq!(talk.requests().len(), 0);
    assert!(talk.stage.reasons().await.contains(&"channel_not_served"));
}

on_both!(
    rule_15_after_the_window_nothing_is_sent,
    rule_16_a_file_is_attached_and_named,
    rule_16_a_file_that_is_gone_is_a_sentence_in_the_request,
    rule_20_an_answer_from_the_providers_inbox_is_an_internal_comment,
    rule_21_a_failed_delivery_is_told_once_and_can_be_sent_again,
    a_request_whose_answer_was_lost_is_found_behind_many_others,
    delivery_states_are_followed,
    a_lost_answer_is_looked_for_and_not_sent_again,
    a_message_that_may_be_sent_and_is_not_found_is_held,
    a_request_whose_answer_was_lost_is_made_once,
    a_description_that_an_agent_changed_is_left_as_it_is,
    messages_missed_while_down_are_fetched_and_stand_in_their_order,
    a_wrong_signature_is_refused_and_an_unknown_channel_explained,
    what_is_mended_during_an_attempt_is_tried_again_at_once,
    a_field_that_is_required_later_holds_requests_until_it_is_filled
);

#[tokio::test]
async fn check_refuses_a_request_type_whose_required_fields_nothing_fills() {
    let talk = Talk::prepare(On::Sqlite, |_| (), "").await;
    let good = run(&talk.stage, &["check"]).await.good();
    assert!(
        good.contains("requests of the type “Get help” can be made"),
        "{good}"
    );
    assert!(good.contains("/hooks/messagebird/bird"), "{good}");
    assert!(good.contains("project in (ENG, SUP)"), "{good}");

    talk.require_impact();
    let bad = run(&talk.stage, &["check"]).await;
    assert_eq!(bad.code, Some(1));
    assert!(
        bad.out.contains("needs “Impact” (customfield_10099)"),
        "{}",
        bad.out
    );

    let fixed = "quiet_seconds = 0\nfields = { customfield_10099 = \"High\" }";
    talk.stage.edit_config("quiet_seconds = 0", fixed);
    run(&talk.stage, &["check"]).await.good();
}

async fn what_is_mended_during_an_attempt_is_tried_again_at_once(on: On) {
    let talk = Talk::on(on).await;
    talk.require_impact();
    let slow = Fault::of(FaultKind::DelayAfter { ms: 1_500 });
    let faults = talk.stage.jira().faults();
    faults.add(slow.on("POST", "/servicedeskapi/request").times(1));
    talk.noa().writes("My router is red");
    let refused = until(|| {
        let refused = |call: &Entry| call.status == 400 && call.method == "POST";
        (talk.stage.jira().journal().count(refused) > 0).then_some(())
    });
    assert!(refused.await.is_some());
    let fixed = "quiet_seconds = 0\nfields = { customfield_10099 = \"High\" }";
    talk.stage.edit_config("quiet_seconds = 0", fixed);
    talk.stage.configure().await;
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(talk.description(&request), ["My router is red"]);
}

async fn a_field_that_is_required_later_holds_requests_until_it_is_filled(on: On) {
    let talk = Talk::on(on).await;
    talk.require_impact();
    talk.noa().writes("My router is red");
    let held = until_async(async || {
        let effects = talk.effects().await;
        effects.into_iter().find(|effect| {
            effect
                .reason
                .as_deref()
                .is_some_and(|why| why.contains("(fields)"))
        })
    })
    .await;
    assert!(held.reason.unwrap().contains("Impact"));
    talk.noa().writes("It blinks");
    talk.bird_quiet().await;
    assert_eq!(talk.requests().len(), 0);

    let fixed = "quiet_seconds = 0\nfields = { customfield_10099 = \"High\" }";
    talk.stage.edit_config("quiet_seconds = 0", fixed);
    talk.stage.configure().await;
    talk.hasten().await;
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(
        talk.description(&request),
        ["My router is red", "It blinks"]
    );
}
