//! A desk, or its account, that is removed while its conversations are open: who answers there is
//! told, and all goes on when it is made again.

use bowline::demo::until;
use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::jira::NewComment;

use crate::browser::Browser;
use crate::configuring::{form, send, version};
use crate::desk_pages::{bare_talk, bird_form, desk_form, made, with};
use crate::messaging_broken::{health, refuse_all};
use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

on_both!(
    who_answers_without_a_desk_is_told_once_and_all_is_sent_when_it_is_made_again,
    a_desk_of_another_name_that_serves_the_channel_goes_on_with_the_conversations,
    without_the_account_the_agent_is_told_which_one_is_missing,
    what_waited_for_an_account_that_is_removed_is_told,
    answers_are_sent_once_the_desk_is_back_after_a_restart,
    of_the_statuses_that_waited_only_the_one_that_still_holds_is_told
);

const CAUSE: &str = "note: Not sent: the desk “support”";

/// Waits until the agents were told something so often.
async fn told(talk: &Talk, request: &str, times: usize) -> Vec<String> {
    let found = until(|| (talk.notes(request).len() >= times).then_some(())).await;
    assert!(found.is_some(), "told: {:?}", talk.comments(request));
    talk.settled().await;
    let notes = talk.notes(request);
    assert_eq!(notes.len(), times, "{notes:?}");
    notes
}

async fn open_request(talk: &Talk) -> String {
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    request
}

async fn remove_desk(browser: &mut Browser) {
    let page = browser.get("/desk/support").await;
    page.says("One conversation of this desk is open");
    let fields = form(&[("version", &version(&page)), ("anyway", "yes")]);
    let page = send(browser, "/desk/support/remove", &fields).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-removed");
}

async fn make_desk(browser: &mut Browser, fields: &[(String, String)]) {
    let page = send(browser, "/desks/add", fields).await;
    assert_eq!(page.goes_to(), "/desks?done=desk-added", "{}", page.words());
}

async fn who_answers_without_a_desk_is_told_once_and_all_is_sent_when_it_is_made_again(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    let agent = talk.agent();
    agent.comment(&request, "Which model?").unwrap();
    talk.phone_shows(1).await;
    remove_desk(&mut browser).await;
    // Jira goes on telling of the project as long as a conversation is open.
    let page = browser.get(&format!("/connections/site/{site}")).await;
    page.says("project in (SUP)");
    // The pages say what is missing, and where it is made.
    let path = conversation(&talk, &request, &site).await;
    let page = browser.get(&path).await;
    page.says("No answer reaches this customer It needs the desk “support”");
    page.says("An administrator makes a desk of the name “support” again");
    assert!(
        page.text
            .contains("href=\"/desks\">Desks and channel accounts")
    );
    let page = browser.get(&format!("/issues/{site}/{request}")).await;
    page.says("It needs the desk “support”");

    agent
        .comment_with(&request, NewComment::internal("A tricky one"))
        .unwrap();
    talk.settled().await;
    assert!(talk.notes(&request).is_empty(), "nothing was to be sent");
    agent.comment(&request, "The blue one?").unwrap();
    let said = told(&talk, &request, 1).await;
    assert!(said[0].starts_with(CAUSE), "{said:?}");
    assert!(
        said[0].contains("The way out: an administrator"),
        "{said:?}"
    );
    agent.comment(&request, "Or the green one?").unwrap();
    // By another person: with the comments it would be one action.
    talk.stage
        .jira()
        .acting("omar")
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    talk.settled().await;
    assert_eq!(told(&talk, &request, 1).await, said, "it is said once");
    // What the customer writes is not lost.
    talk.noa().writes("The red one");
    talk.noa().writes("With a dent");
    talk.settled().await;
    let line = "Noa: The red one / With a dent".to_owned();
    let comments = talk.comments(&request);
    assert_eq!(comments.last(), Some(&line), "{comments:?}");
    assert_eq!(talk.received(), ["Which model?"]);

    make_desk(&mut browser, &desk_form(&site)).await;
    let status = format!("Your request {request} is now: Waiting for customer");
    let wanted = [
        "Which model?",
        "The blue one?",
        "Or the green one?",
        status.as_str(),
    ];
    assert_eq!(talk.phone_shows(4).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted, "nothing is sent twice");
    let page = browser.get(&path).await;
    assert!(!page.words().contains("No answer reaches"), "it is mended");
    // The panel shows how far each message came.
    let page = browser.get(&format!("/issues/{site}/{request}")).await;
    page.says("What was sent to the customer");
    assert_eq!(page.words().matches("✓ delivered").count(), 4);
    assert_eq!(talk.requests(), std::slice::from_ref(&request));
    assert_eq!(talk.notes(&request).len(), 1);

    // The next removal is a new one.
    remove_desk(&mut browser).await;
    agent.comment(&request, "Are you there?").unwrap();
    told(&talk, &request, 2).await;
    assert_eq!(talk.received().len(), 4);
}

async fn a_desk_of_another_name_that_serves_the_channel_goes_on_with_the_conversations(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    remove_desk(&mut browser).await;
    talk.agent().comment(&request, "Which model?").unwrap();
    told(&talk, &request, 1).await;
    let other = with(desk_form(&site), &[("name", "helpdesk")]);
    make_desk(&mut browser, &other).await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.noa().writes("The blue one");
    talk.settled().await;
    talk.agent().comment(&request, "Thank you").unwrap();
    assert_eq!(talk.phone_shows(2).await, ["Which model?", "Thank you"]);
    assert_eq!(talk.requests(), std::slice::from_ref(&request));
    assert_eq!(talk.notes(&request).len(), 1);
}

/// The address of the page of a request's conversation.
async fn conversation(talk: &Talk, request: &str, site: &str) -> String {
    let whose = talk.whose(request, site).await;
    format!(
        "/conversations/{}/{}/{}",
        whose.account, whose.end_user, whose.generation
    )
}

async fn of_the_statuses_that_waited_only_the_one_that_still_holds_is_told(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    remove_desk(&mut browser).await;
    let omar = talk.stage.jira().acting("omar");
    let agent = talk.agent();
    omar.transition(&request, "In Progress", None).unwrap();
    told(&talk, &request, 1).await;
    agent.comment(&request, "Which model?").unwrap();
    talk.settled().await;
    for status in ["Waiting for customer", "Resolved", "In Progress"] {
        omar.transition(&request, status, None).unwrap();
        talk.settled().await;
    }
    agent.comment(&request, "The blue one?").unwrap();
    talk.settled().await;
    omar.transition(&request, "Waiting for customer", None)
        .unwrap();
    talk.settled().await;
    assert!(talk.received().is_empty());

    make_desk(&mut browser, &desk_form(&site)).await;
    let status = format!("Your request {request} is now: Waiting for customer");
    let wanted = ["Which model?", "The blue one?", status.as_str()];
    assert_eq!(talk.phone_shows(3).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted);

    // The page says of the others why they were not sent, in their order, and asks nothing.
    let path = conversation(&talk, &request, &site).await;
    let page = browser.get(&path).await;
    page.says(
        "superseded: no desk served the conversation when the status changed, and it is “Waiting \
         for customer” by now",
    );
    assert_eq!(page.words().matches("not sent: superseded").count(), 4);
    assert!(
        !page.text.contains(&format!("action=\"{path}/sends\"")),
        "{}",
        page.words()
    );
    let whose = talk.whose(&request, &site).await;
    let all = talk.stage.store().outbounds(&whose).await.unwrap();
    let all: Vec<(bool, &str)> = all
        .iter()
        .map(|one| (one.delivery != Delivery::NotSent, one.text.as_str()))
        .collect();
    let told = |status: &str| format!("Your request {request} is now: {status}");
    let (progress, done) = (told("In Progress"), told("Resolved"));
    assert_eq!(
        all,
        [
            (false, progress.as_str()),
            (true, "Which model?"),
            (false, &status),
            (false, &done),
            (false, &progress),
            (true, "The blue one?"),
            (true, &status),
        ]
    );
    let reasons = talk.stage.reasons().await;
    assert!(reasons.contains(&"status_superseded"), "{reasons:?}");
    // The conversation did not end with the status that held in between.
    talk.noa().writes("The red one");
    talk.settled().await;
    assert_eq!(talk.requests(), std::slice::from_ref(&request));
}

async fn without_the_account_the_agent_is_told_which_one_is_missing(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    remove_desk(&mut browser).await;
    remove_account(&mut browser).await;
    talk.agent().comment(&request, "Which model?").unwrap();
    let said = told(&talk, &request, 1).await;
    let cause = "note: Not sent: the channel account “messagebird”";
    assert!(said[0].starts_with(cause), "{said:?}");
    let path = conversation(&talk, &request, &site).await;
    let page = browser.get(&path).await;
    page.says("It needs the channel account “messagebird”");
    page.says("What the customer writes does not come in either.");

    send(
        &mut browser,
        "/connections/add/messagebird",
        &bird_form(&talk),
    )
    .await;
    make_desk(&mut browser, &desk_form(&site)).await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    assert_eq!(talk.received().len(), 1);
}

async fn remove_account(browser: &mut Browser) {
    let place = "/connections/account/messagebird";
    let page = browser.get(place).await;
    page.says("One conversation of this account is open");
    let fields = form(&[("version", &version(&page))]);
    let page = send(browser, &format!("{place}/remove"), &fields).await;
    assert_eq!(page.goes_to(), "/connections?done=removed");
}

async fn what_waited_for_an_account_that_is_removed_is_told(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    refuse_all(talk.bird().faults());
    talk.agent().comment(&request, "Which model?").unwrap();
    health(&talk, "account/messagebird", "broken").await;
    remove_desk(&mut browser).await;
    remove_account(&mut browser).await;
    let said = told_at_least(&talk, &request).await;
    let cause = "note: Not sent: the channel account “messagebird”";
    assert!(said.starts_with(cause), "{said}");

    talk.bird().faults().clear();
    send(
        &mut browser,
        "/connections/add/messagebird",
        &bird_form(&talk),
    )
    .await;
    make_desk(&mut browser, &desk_form(&site)).await;
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    assert_eq!(talk.received().len(), 1);
    assert_eq!(talk.notes(&request).len(), 1);
}

/// What the agents were told while something still waits.
async fn told_at_least(talk: &Talk, request: &str) -> String {
    let found = until(|| talk.notes(request).first().cloned()).await;
    found.unwrap_or_else(|| panic!("told: {:?}", talk.comments(request)))
}

async fn answers_are_sent_once_the_desk_is_back_after_a_restart(on: On) {
    let mut talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let request = open_request(&talk).await;
    remove_desk(&mut browser).await;
    talk.agent().comment(&request, "Which model?").unwrap();
    told(&talk, &request, 1).await;
    talk.stage.stop().await;
    talk.stage.start().await;
    talk.agent().comment(&request, "The blue one?").unwrap();
    told(&talk, &request, 1).await;
    let mut browser = Browser::signed_in(&talk.stage, "administrator").await;
    make_desk(&mut browser, &desk_form(&site)).await;
    let wanted = ["Which model?", "The blue one?"];
    assert_eq!(talk.phone_shows(2).await, wanted);
    talk.settled().await;
    assert_eq!(talk.received(), wanted);
}
