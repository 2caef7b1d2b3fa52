//! Messaging by the REST API: each answer is held against the description.

use bowline_sandbox::phones::{Failure, Habit};
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::messaging_stage::{NOA, Talk};
use crate::stage::{On, on_both};

on_both!(
    conversations_are_read_and_messages_decided_about,
    end_users_are_read_blocked_and_tied
);

async fn conversations_are_read_and_messages_decided_about(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.noa().habit(Habit {
        fails: Some(Failure::new(131_026, "Message undeliverable")),
        ..Habit::default()
    });
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    talk.noa().habit(Habit::default());

    let script = Script::new(&talk.stage, "agent", &["read", "talks"]).await;
    let desks = script.get("/api/v1/desks").await.body;
    assert_eq!(desks["items"][0]["request_type"], "Get help");
    assert_eq!(desks["accounts"][0]["health"], "connected");
    let all = script.get("/api/v1/conversations?sends=failed").await.body;
    let row = &all["items"][0];
    assert_eq!(row["issue"], json!(request));
    assert_eq!(
        (&row["not_delivered"], &row["held"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(row["can_reply"], true);
    let none = script.get("/api/v1/conversations?state=ended").await.body;
    assert_eq!(none["items"], json!([]));
    for (name, found) in [("lind", 1), ("somebody", 0)] {
        let path = format!("/api/v1/conversations?about={name}");
        let by_name = script.get(&path).await.body;
        assert_eq!(by_name["items"].as_array().unwrap().len(), found, "{name}");
    }
    let wrong = script.get("/api/v1/conversations?about=x").await;
    assert_eq!(wrong.status, 422);

    let path = format!("/api/v1/conversations/{}", row["id"].as_str().unwrap());
    let read = script.get(&path).await.body;
    assert_eq!(read["inbound"][0]["text"], "My router is red");
    assert_eq!(read["inbound"][0]["in_description"], true);
    let sent = &read["outbound"][0];
    assert_eq!(
        (&sent["state"], &sent["text"]),
        (&json!("failed"), &json!("Which model?"))
    );
    let told = read["internal"][0]["text"].as_str().unwrap();
    assert!(told.contains("Not delivered"), "{told}");
    let delivery = format!("/api/v1/deliveries/{}", sent["delivery"]);
    assert_eq!(script.get(&delivery).await.status, 200);

    let sends = format!("{path}/sends");
    let decide = async |message: &Value, what: &str, name: &str| {
        let body = json!({ "message": message, "do": what });
        script.call("POST", &sends, Some(body), name).await
    };
    let key = &sent["message"];
    assert_eq!(decide(key, "burn", "").await.status, 422);
    assert_eq!(decide(&json!("x"), "again", "").await.status, 404);
    let first = decide(key, "again", "one").await;
    assert_eq!(first.status, 202, "{}", first.body);
    let again = decide(key, "again", "one").await;
    assert_eq!(
        again.body, first.body,
        "the same answer, and nothing is made"
    );
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    assert_eq!(decide(key, "again", "two").await.status, 409);
    assert_eq!(talk.received().len(), 1, "one new effect");
    let read = script.get(&path).await.body;
    assert_eq!(read["outbound"][0]["resolved"], "sent_again");
    assert_eq!(read["outbound"][1]["state"], "delivered");
    let approved = format!("{path}/approved");
    let answer = script.call("POST", &approved, None, "three").await;
    assert_eq!(answer.status, 409, "there is none, and none is needed");
    let nobody = "/api/v1/conversations/bird/nobody/1/approved";
    assert_eq!(script.call("POST", nobody, None, "").await.status, 404);
    let nobody = script.get("/api/v1/conversations/bird/nobody/1").await;
    assert_eq!(nobody.status, 404);
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    let audit = owner.get("/audit?what=message_sent_again").await;
    audit.says("agent@example.com by the token “script”");
}

async fn end_users_are_read_blocked_and_tied(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let script = Script::new(&talk.stage, "agent", &["read", "talks"]).await;
    let all = script
        .get("/api/v1/end-users?number=%2B15557700")
        .await
        .body;
    let row = &all["items"][0];
    assert_eq!(
        (&row["name"], &row["active"]),
        (&json!("Noa Lind"), &json!(true))
    );
    let id = row["id"].as_str().unwrap();
    let path = format!("/api/v1/end-users/bird/{id}");
    let noa = script.get(&path).await.body;
    let phone = json!({ "kind": "phone", "value": NOA });
    assert!(
        noa["identities"].as_array().unwrap().contains(&phone),
        "{noa}"
    );

    let post = async |what: &str, body: Value| {
        let path = format!("{path}/{what}");
        script.call("POST", &path, Some(body), "").await
    };
    assert_eq!(post("block", json!({ "blocked": "yes" })).await.status, 422);
    assert_eq!(post("block", json!({ "blocked": true })).await.status, 202);
    talk.noa().writes("Hello?");
    talk.settled().await;
    assert_eq!(talk.description(&request), ["My router is red"]);
    let blocked = script.get("/api/v1/end-users?state=blocked").await.body;
    assert_eq!(blocked["items"].as_array().unwrap().len(), 1);
    assert_eq!(post("block", json!({ "blocked": false })).await.status, 202);

    let mut users = talk.stage.jira().users().into_iter();
    let customer = users.find(|user| user.is_customer()).unwrap();
    let tied = post("customer", json!({ "customer": customer.email })).await;
    assert_eq!(tied.status, 202, "{}", tied.body);
    assert_eq!(
        script.get(&path).await.body["customer"],
        tied.body["customer"]
    );
    let unknown = post("customer", json!({ "customer": "nobody@example.com" })).await;
    assert_eq!(unknown.status, 422);
    assert_eq!(post("customer", json!({})).await.status, 422);
    assert_eq!(
        post("customer", json!({ "customer": null })).await.status,
        202
    );
    let nobody = "/api/v1/end-users/bird/nobody";
    assert_eq!(script.get(nobody).await.status, 404);
    let body = Some(json!({ "blocked": true }));
    let gone = format!("{nobody}/block");
    assert_eq!(script.call("POST", &gone, body, "").await.status, 404);
}
