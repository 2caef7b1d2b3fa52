//! Keys that stop working, and what waits for them: only what needs them.

use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::common::Faults;
use bowline_sandbox::common::faults::{Fault, FaultKind};
use bowline_sandbox::jira::NewComment;

use crate::messaging_stage::{Talk, until_async};
use crate::stage::{On, next_millisecond, on_both};

/// The far side takes no key any more.
pub(crate) fn refuse_all(faults: &Faults) {
    let refused = FaultKind::Status {
        status: 401,
        body: None,
        headers: Vec::new(),
    };
    faults.add(Fault::of(refused));
}

pub(crate) async fn health(talk: &Talk, key: &str, wanted: &str) {
    until_async(async || {
        let all = talk.stage.store().connections().await.unwrap();
        all.into_iter()
            .find(|one| one.connection.key() == key && one.health.to_string() == wanted)
            .map(drop)
    })
    .await;
}

async fn a_broken_key_of_the_provider_holds_only_what_is_sent(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    refuse_all(talk.bird().faults());
    talk.agent().comment(&request, "Which model?").unwrap();
    health(&talk, "account/bird", "broken").await;

    talk.noa().writes("The black one");
    talk.bird().phone("+15557701").writes("Somebody new");
    talk.request(2).await;
    let noted = bowline::demo::until(|| {
        let comments = talk.comments(&request);
        comments
            .contains(&"Noa: The black one".to_owned())
            .then_some(())
    });
    assert!(noted.await.is_some(), "{:?}", talk.comments(&request));
    assert_eq!(talk.sent().len(), 0);
    assert_eq!(talk.outbound(&request).await[0].delivery, Delivery::Queued);

    talk.bird().faults().clear();
    talk.stage.configure().await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
}

async fn a_broken_key_of_jira_is_not_tried_again_and_again(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("one");
    let request = talk.request(1).await;
    talk.settled().await;
    refuse_all(talk.stage.jira().faults());
    talk.agent().comment(&request, "Which model?").unwrap();
    health(&talk, "site/acme-jira", "broken").await;
    for text in ["two", "three"] {
        next_millisecond();
        talk.noa().writes(text);
    }
    talk.bird_quiet().await;
    // It is asked again and again whether the key works; nothing else is.
    let refused = |path: &'static str| {
        let journal = talk.stage.jira().journal();
        journal.count(|entry| entry.status == 401 && entry.path.contains(path))
    };
    let probed = bowline::demo::until(|| (refused("/myself") >= 3).then_some(())).await;
    assert!(probed.is_some());
    let read = refused("/issue/");
    assert!(
        read <= 2,
        "the request was read {read} times with a key that Jira refuses"
    );

    talk.stage.jira().faults().clear();
    talk.stage.configure().await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    assert_eq!(
        talk.comments(&request),
        ["agent: Which model?", "Noa: two / three"]
    );
}

/// Waits until so many messages to the customer are decided on.
async fn decided(talk: &Talk, request: &str, count: usize) {
    until_async(async || (talk.outbound(request).await.len() >= count).then_some(())).await;
}

async fn of_the_statuses_that_waited_for_a_key_the_customer_is_told_the_last(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    refuse_all(talk.bird().faults());
    talk.agent()
        .transition(&request, "In Progress", None)
        .unwrap();
    health(&talk, "account/bird", "broken").await;
    let answer = Some(NewComment::open("The blue one?"));
    talk.agent()
        .transition(&request, "Waiting for customer", answer)
        .unwrap();
    decided(&talk, &request, 3).await;
    talk.agent()
        .transition(&request, "Waiting for support", None)
        .unwrap();
    decided(&talk, &request, 4).await;
    assert_eq!(talk.received(), ["Which model?"]);

    talk.bird().faults().clear();
    talk.stage.configure().await;
    let now = format!("Your request {request} is now: Waiting for support");
    let wanted = ["Which model?", "The blue one?", now.as_str()];
    assert_eq!(talk.phone_shows(3).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted);
    let kept = talk.outbound(&request).await;
    assert_eq!(kept.len(), 4);
    assert!(kept[1].is_superseded(), "{:?}", kept[1]);
    assert_eq!(kept[2].text, "The blue one?", "as it was sent");
    assert_eq!(
        talk.notes(&request),
        Vec::<String>::new(),
        "nobody misses it"
    );
    assert!(talk.stage.reasons().await.contains(&"status_overtaken"));

    // Every change is told again from then on.
    for to in ["In Progress", "Waiting for customer"] {
        talk.agent().transition(&request, to, None).unwrap();
    }
    assert_eq!(talk.phone_shows(5).await.len(), 5);
}

async fn an_answer_without_its_old_status_is_found_if_the_answer_to_it_is_lost(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    refuse_all(talk.bird().faults());
    let answer = Some(NewComment::open("The blue one?"));
    talk.agent()
        .transition(&request, "Waiting for customer", answer)
        .unwrap();
    health(&talk, "account/bird", "broken").await;
    decided(&talk, &request, 2).await;
    talk.agent()
        .transition(&request, "Waiting for support", None)
        .unwrap();
    decided(&talk, &request, 3).await;

    talk.bird().faults().clear();
    let lost = Fault::of(FaultKind::DropAfter)
        .on("POST", "/messages")
        .times(1);
    talk.bird().faults().add(lost);
    talk.stage.configure().await;
    let now = format!("Your request {request} is now: Waiting for support");
    let wanted = ["Which model?", "The blue one?", now.as_str()];
    assert_eq!(talk.phone_shows(3).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted);
    assert_eq!(
        talk.notes(&request),
        Vec::<String>::new(),
        "nobody is asked"
    );
}

async fn an_answer_that_was_changed_while_it_waited_is_found_as_it_was_sent(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    refuse_all(talk.bird().faults());
    let comment = talk.agent().comment(&request, "The red one?").unwrap();
    health(&talk, "account/bird", "broken").await;
    decided(&talk, &request, 2).await;
    talk.agent()
        .edit_comment(&request, comment, "The blue one?")
        .unwrap();

    talk.bird().faults().clear();
    let lost = Fault::of(FaultKind::DropAfter)
        .on("POST", "/messages")
        .times(1);
    talk.bird().faults().add(lost);
    talk.stage.configure().await;
    let wanted = ["Which model?", "The blue one?"];
    assert_eq!(talk.phone_shows(2).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted);
    assert_eq!(talk.outbound(&request).await[1].text, "The blue one?");
    assert_eq!(talk.notes(&request), Vec::<String>::new());
}

on_both!(
    an_answer_that_was_changed_while_it_waited_is_found_as_it_was_sent,
    an_answer_without_its_old_status_is_found_if_the_answer_to_it_is_lost,
    of_the_statuses_that_waited_for_a_key_the_customer_is_told_the_last,
    a_broken_key_of_the_provider_holds_only_what_is_sent,
    a_broken_key_of_jira_is_not_tried_again_and_again
);
