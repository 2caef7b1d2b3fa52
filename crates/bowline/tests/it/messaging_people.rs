//! What people decide about end users: who is not listened to, and which customer somebody is.

use bowline_domain::messaging::end_user::Identity;
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_engine::channel::people::PeopleError;
use bowline_sandbox::common::Disturbance;

use crate::messaging_stage::{ACCOUNT, NOA, Talk, until_async};
use crate::stage::{On, on_both};

fn account() -> AccountName {
    AccountName::new(ACCOUNT)
}

async fn noa(talk: &Talk) -> EndUserId {
    let phone = Identity::phone(NOA).unwrap();
    let found = talk.stage.store().end_user_by(&account(), &[phone]).await;
    found.unwrap().unwrap()
}

async fn a_blocked_sender_makes_no_request_and_the_reason_is_kept(on: On) {
    let talk = Talk::on(on).await;
    let shared = talk.stage.service().shared();
    let id = shared.block_number(&account(), NOA).await.unwrap();
    talk.noa().writes("Let me in");
    talk.settled().await;
    assert_eq!(talk.requests().len(), 0);
    assert!(talk.stage.reasons().await.contains(&"sender_blocked"));
    assert_eq!(noa(&talk).await, id, "who wrote is who was blocked");

    let back = shared.block_end_user(&account(), &id, false).await;
    back.unwrap();
    talk.noa().writes("Hello");
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(talk.description(&request), ["Hello"]);
}

async fn a_sender_begins_so_many_requests_an_hour(on: On) {
    let talk = Talk::with(on, |_| (), "requests_per_hour = 1").await;
    talk.noa().writes("one");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.noa().writes("two");
    talk.settled().await;
    assert_eq!(talk.description(&request), ["one", "two"], "it goes on");
    talk.agent().transition(&request, "Resolved", None).unwrap();
    talk.settled().await;
    talk.noa().writes("three");
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1);
    assert!(talk.stage.reasons().await.contains(&"too_many_requests"));
    talk.bird().phone("+15557701").writes("Somebody else");
    talk.request(2).await;
}

async fn a_customer_of_jira_is_the_reporter_from_the_next_request_on(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let first = talk.request(1).await;
    talk.settled().await;
    let shared = talk.stage.service().shared();
    let noa = noa(&talk).await;
    let tie = async |who| shared.tie_to_customer(&account(), &noa, who).await;
    let nobody = tie(Some("nobody@example.com")).await;
    assert!(matches!(nobody, Err(PeopleError::NoSuchCustomer(_))));
    let customer = talk
        .stage
        .jira()
        .users()
        .into_iter()
        .find(|user| user.is_customer());
    let customer = customer.unwrap();
    let tied = tie(Some(&customer.email)).await.unwrap();
    assert_eq!(tied.unwrap().name, customer.display_name);

    talk.agent().transition(&first, "Resolved", None).unwrap();
    talk.settled().await;
    talk.noa().writes("It is red again");
    let second = talk.request(2).await;
    let reporter = |key: &str| talk.stage.jira().issue(key).unwrap().reporter.name.clone();
    assert_eq!(reporter(&second), customer.name);
    assert_ne!(reporter(&first), customer.name);

    assert_eq!(tie(None).await.unwrap(), None);
    let stranger = EndUserId::new("nobody");
    let stranger = shared.block_end_user(&account(), &stranger, true).await;
    assert!(matches!(stranger, Err(PeopleError::NoSuchEndUser)));
}

/// Webhooks wait; what Noa writes is found in the provider's list.
async fn found_in_the_list(talk: &Talk) -> String {
    talk.bird().disturb(Disturbance {
        hold: true,
        ..Disturbance::default()
    });
    talk.noa().writes("My router is red");
    talk.stage.configure().await;
    talk.request(1).await
}

async fn name(talk: &Talk) -> Option<String> {
    let (id, store) = (noa(talk).await, talk.stage.store());
    let found = store.end_user(&account(), &id).await;
    found.unwrap().unwrap().name
}

async fn whoever_is_first_found_in_the_providers_list_has_their_name(on: On) {
    let talk = Talk::on(on).await;
    let request = found_in_the_list(&talk).await;
    assert_eq!(name(&talk).await.as_deref(), Some("Noa Lind"));
    let issue = talk.stage.jira().issue(&request).unwrap();
    let description = issue.description.unwrap();
    let text = description.as_wiki();
    assert!(text.contains("Noa Lind ("), "{text}");
    talk.bird().disturb(Disturbance::default());
    talk.settled().await;
    assert_eq!(talk.description(&request), ["My router is red"]);
}

async fn a_webhook_tells_the_name_that_the_list_did_not(on: On) {
    let talk = Talk::on(on).await;
    talk.bird().hide_contacts();
    let request = found_in_the_list(&talk).await;
    assert_eq!(name(&talk).await, None);
    talk.bird().disturb(Disturbance::default());
    until_async(async || (name(&talk).await.as_deref() == Some("Noa Lind")).then_some(())).await;
    talk.settled().await;
    assert_eq!(
        talk.description(&request),
        ["My router is red"],
        "no line twice"
    );
}

on_both!(
    whoever_is_first_found_in_the_providers_list_has_their_name,
    a_webhook_tells_the_name_that_the_list_did_not,
    a_blocked_sender_makes_no_request_and_the_reason_is_kept,
    a_sender_begins_so_many_requests_an_hour,
    a_customer_of_jira_is_the_reporter_from_the_next_request_on
);
