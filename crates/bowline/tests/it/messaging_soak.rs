//! Many people at once with faults on both sides, and a second provider.

use std::collections::BTreeMap;

use bowline_sandbox::common::Disturbance;
use bowline_sandbox::common::faults::{Fault, FaultKind};

use crate::messaging_stage::Talk;
use crate::stage::{On, next_millisecond, on_both};

/// People who write, and messages of each.
const PEOPLE: usize = 12;
const MESSAGES: usize = 10;

/// Webhooks are doubled and change places, some calls to Jira are lost before or after they are
/// done: every message stands in its request, once, and in the order in which it was written.
async fn every_message_of_many_people_stands_once_and_in_order(on: On) {
    let talk = Talk::on(on).await;
    talk.bird().disturb(Disturbance {
        duplicate_every: 3,
        reorder: true,
        ..Disturbance::default()
    });
    for (kind, method, path, after) in [
        (FaultKind::DropAfter, "POST", "/servicedeskapi/request", 2),
        (FaultKind::DropBefore, "PUT", "/rest/api/3/issue/", 3),
        (FaultKind::DropAfter, "PUT", "/rest/api/3/issue/", 7),
        (
            FaultKind::StatusAfter { status: 502 },
            "PUT",
            "/rest/api/3/issue/",
            11,
        ),
        (
            FaultKind::StatusAfter { status: 504 },
            "POST",
            "/servicedeskapi/request",
            6,
        ),
    ] {
        let fault = Fault::of(kind).on(method, path).times(1).after(after);
        talk.stage.jira().faults().add(fault);
    }
    for message in 0..MESSAGES {
        for person in 0..PEOPLE {
            let phone = talk.bird().phone(&format!("+1555880{person:03}"));
            phone.writes(&format!("person {person} message {message}"));
        }
        next_millisecond();
    }
    talk.bird().disturb(Disturbance::default());
    talk.settled().await;

    let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in talk.requests() {
        for line in talk.description(&request) {
            let person = line.split(" message").next().unwrap().to_owned();
            by_person.entry(person).or_default().push(line);
        }
        assert!(talk.comments(&request).is_empty());
    }
    assert_eq!(talk.requests().len(), PEOPLE);
    for person in 0..PEOPLE {
        let wanted: Vec<String> = (0..MESSAGES)
            .map(|message| format!("person {person} message {message}"))
            .collect();
        assert_eq!(by_person[&format!("person {person}")], wanted);
    }
}

async fn jira_is_down_while_messages_arrive(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("one");
    let request = talk.request(1).await;
    talk.settled().await;
    let down = FaultKind::Status {
        status: 503,
        body: None,
        headers: Vec::new(),
    };
    talk.stage.jira().faults().add(Fault::of(down));
    for text in ["two", "three", "four"] {
        next_millisecond();
        talk.noa().writes(text);
    }
    talk.bird_quiet().await;
    assert_eq!(talk.description(&request), ["one"]);
    talk.stage.jira().faults().clear();
    talk.hasten().await;
    talk.settled().await;
    assert_eq!(talk.description(&request), ["one", "two", "three", "four"]);
}

async fn whatsapp_directly_is_a_provider_like_the_other(on: On) {
    let mut talk = Talk::prepare(on, |_| (), "channels = [\"none\"]").await;
    talk.add_whatsapp();
    talk.start().await;
    let url = talk.stage.url("/hooks/whatsapp/meta");
    let meta = talk.channels.whatsapp.state.clone();
    assert!(meta.connect_webhook(&url, "another-token").await.is_err());
    meta.connect_webhook(&url, "a-verify-token").await.unwrap();
    let phone = meta.phone("+15559900").named("Ada");
    phone.writes("Hello from WhatsApp");
    let request = talk.request(1).await;
    talk.settled().await;
    meta.sender().quiet().await;
    assert_eq!(talk.description(&request), ["Hello from WhatsApp"]);
    talk.agent().note(&request, "secret: a note").unwrap();
    talk.agent().comment(&request, "Hello Ada").unwrap();
    let came = bowline::demo::until(|| (!phone.texts().is_empty()).then(|| phone.received())).await;
    assert_eq!(came.unwrap()[0].text.as_deref(), Some("Hello Ada"));
    talk.agent().transition(&request, "Resolved", None).unwrap();
    talk.settled().await;
    phone.writes("Again");
    talk.request(2).await;
}

on_both!(
    every_message_of_many_people_stands_once_and_in_order,
    jira_is_down_while_messages_arrive,
    whatsapp_directly_is_a_provider_like_the_other
);
