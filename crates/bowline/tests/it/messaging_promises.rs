//! What is promised of messaging besides the rules, seen from outside.

use bowline_sandbox::common::sign::{jwt_hs256, sha256_hex};
use serde_json::json;

use crate::messaging_stage::{ACCOUNT, Talk};
use crate::stage::{On, answer, on_both};

on_both!(
    a_call_that_was_seen_is_refused,
    watchers_are_not_mailed_about_what_is_added
);

async fn a_call_that_was_seen_is_refused(on: On) {
    let talk = Talk::on(on).await;
    let url = talk.stage.url(&format!("/hooks/messagebird/{ACCOUNT}"));
    let body = json!({ "type": "something.else" }).to_string();
    let now = talk.stage.service().shared().now().0 / 1_000;
    let signed = |name: &str| {
        let claims = json!({
            "iss": "MessageBird", "nbf": now - 1, "exp": now + 59, "jti": name,
            "url_hash": sha256_hex(url.as_bytes()), "payload_hash": sha256_hex(body.as_bytes()),
        });
        jwt_hs256(&talk.bird().config().signing_key, &claims)
    };
    let call = async |token: &str| {
        let request = talk.stage.client().post(&url).body(body.clone());
        answer(request.header("MessageBird-Signature-JWT", token))
            .await
            .0
    };
    let first = signed("call-1");
    assert_eq!(call(&first).await, 200);
    assert_eq!(call(&first).await, 401, "a call is taken once");
    assert_eq!(call(&signed("call-2")).await, 200);
}

/// As a project administrator on Cloud, Bowline need not have anybody mailed.
async fn watchers_are_not_mailed_about_what_is_added(on: On) {
    let talk = Talk::with(on, |plan| plan.jira.users[0].admin = true, "").await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent().watch(&request).unwrap();
    let lena = talk.stage.jira().users()[1].account_id.clone();
    let updates = || {
        let mails = talk.stage.jira().mails().into_iter();
        let of = mails.filter(|mail| mail.to == lena && mail.event != "comment_created");
        of.map(|mail| mail.event).collect::<Vec<_>>()
    };
    let before = updates().len();
    talk.noa().writes("It blinks");
    talk.settled().await;
    assert_eq!(talk.description(&request).len(), 2);
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.phone_shows(1).await;
    talk.settled().await;
    for text in ["The blue one", "With a dent"] {
        talk.noa().writes(text);
        talk.settled().await;
    }
    let comments = talk.comments(&request);
    assert_eq!(
        comments.last().unwrap(),
        "Noa: The blue one / With a dent",
        "one comment was added to"
    );
    assert_eq!(updates().len(), before, "{:?}", updates());
}
