//! What comes late, at the same time, or in between.

use bowline_domain::messaging::delivery::Delivery;
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::common::faults::{Fault, FaultKind};
use bowline_sandbox::common::sign::hmac_sha256_hex;
use bowline_sandbox::phones::{Inbound, Media};
use serde_json::{Value, json};

use crate::messaging_stage::Talk;
use crate::stage::{On, answer, on_both};

fn text(text: &str) -> Inbound {
    Inbound::Text(text.to_owned())
}

async fn rule_14_a_request_that_no_end_user_began_sends_nothing(on: On) {
    let talk = Talk::on(on).await;
    let raised = talk
        .agent()
        .create("SUP", "Call Noa about the router", "+15557700, please call")
        .unwrap();
    talk.agent()
        .comment(&raised, "Hello Noa, are you there?")
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0);
    assert!(talk.bird().conversations().is_empty());
}

/// The provider tells nanoseconds, and its webhooks overtake each other.
async fn rule_19_messages_of_one_millisecond_stand_as_they_were_written(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("Hello");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.bird().disturb(Disturbance {
        reorder: true,
        ..Disturbance::default()
    });
    let now = talk.bird().now_ms();
    for said in ["one", "two", "three", "four"] {
        talk.noa().sends_at(text(said), now);
    }
    talk.settled().await;
    assert_eq!(
        talk.description(&request),
        ["Hello", "one", "two", "three", "four"]
    );
}

/// WhatsApp tells whole seconds: what one delivery brings stands as it is told there.
async fn rule_19_messages_of_one_second_stand_as_one_delivery_tells_them(on: On) {
    let mut talk = Talk::prepare(on, |_| (), "channels = [\"none\"]").await;
    talk.add_whatsapp();
    talk.start().await;
    let meta = talk.channels.whatsapp.state.config();
    let second = talk.bird().now_ms() / 1_000;
    let said = ["one", "two", "three"].into_iter().zip(["c", "b", "a"]);
    let messages: Vec<Value> = said
        .map(|(said, id)| {
            json!({
                "id": format!("wamid.{id}"),
                "from": "15559900",
                "timestamp": second.to_string(),
                "type": "text",
                "text": { "body": said },
            })
        })
        .collect();
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": meta.display_number,
                "phone_number_id": meta.phone_number_id,
            },
            "contacts": [{ "wa_id": "15559900", "profile": { "name": "Ada" } }],
            "messages": messages,
        } }] }],
    })
    .to_string();
    let signature = hmac_sha256_hex(&meta.app_secret, body.as_bytes());
    let call = talk
        .stage
        .client()
        .post(talk.stage.url("/hooks/whatsapp/meta"))
        .header("X-Hub-Signature-256", format!("sha256={signature}"))
        .header("content-type", "application/json")
        .body(body);
    let (status, said) = answer(call).await;
    assert_eq!(status, 200, "{said}");
    let request = talk.request(1).await;
    talk.settled().await;
    assert_eq!(talk.description(&request), ["one", "two", "three"]);
}

async fn rule_19_a_late_message_stands_at_its_own_time_while_the_text_is_open(on: On) {
    let talk = Talk::on(on).await;
    let now = talk.bird().now_ms();
    talk.noa().sends_at(text("one"), now - 3_000);
    let request = talk.request(1).await;
    talk.noa().sends_at(text("three"), now - 1_000);
    talk.settled().await;
    talk.noa().sends_at(text("two"), now - 2_000);
    talk.settled().await;
    assert_eq!(talk.description(&request), ["one", "two", "three"]);

    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    talk.noa().sends_at(text("five"), now + 200);
    talk.settled().await;
    talk.noa().sends_at(text("four"), now + 100);
    talk.settled().await;
    assert_eq!(
        talk.comments(&request),
        ["agent: Which model?", "Noa: four / five"]
    );
}

async fn archived_between_the_decision_and_the_sending_nothing_is_sent(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let conversation = talk.noa().conversation().unwrap();
    // The provider is slow to say how the conversation is: meanwhile somebody archives it.
    let slow = FaultKind::Delay { ms: 600 };
    let slow = Fault::of(slow).on("GET", "/conversations/").times(1);
    talk.bird().faults().add(slow);
    talk.agent().comment(&request, "Are you there?").unwrap();
    let asked = bowline::demo::until(|| {
        let kept = talk.bird().faults().list().is_empty();
        kept.then_some(())
    });
    assert!(asked.await.is_some(), "the courier asks");
    talk.bird().archive(&conversation).unwrap();
    talk.settled().await;
    assert_eq!(talk.received(), ["Which model?"]);
    assert_eq!(
        talk.bird().conversations().len(),
        1,
        "nor is one begun anew"
    );
    let kept = talk.outbound(&request).await;
    assert_eq!(kept[1].delivery, Delivery::NotSent);
    let comments = talk.comments(&request);
    assert!(
        comments
            .iter()
            .any(|one| one.contains("Are you there?") && one.starts_with("note")),
        "{comments:?}"
    );
}

async fn a_comment_whose_answer_was_lost_is_found_though_an_earlier_message_came_since(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let now = talk.bird().now_ms();
    let lost = Fault::of(FaultKind::DropAfter).on("POST", "/comment");
    talk.stage.jira().faults().add(lost.times(1));
    talk.noa().sends_at(text("second"), now);
    let made = bowline::demo::until(|| (talk.comments(&request).len() == 2).then_some(()));
    assert!(made.await.is_some(), "the comment was made");
    talk.noa().sends_at(text("first"), now - 1_000);
    talk.settled().await;
    assert_eq!(
        talk.comments(&request),
        ["agent: Which model?", "Noa: first / second"],
        "each line once"
    );
}

async fn rule_16_a_file_that_is_too_large_is_a_sentence_in_the_request(on: On) {
    /// More than the simulated Jira takes.
    const BYTES: usize = 10_000_001;
    let talk = Talk::on(on).await;
    talk.noa()
        .sends_media(Media::image("huge.png", &vec![7; BYTES], None));
    let request = talk.request(1).await;
    talk.settled().await;
    let comments = talk.comments(&request);
    assert!(
        comments[0].starts_with("note: ") && comments[0].contains("could not be attached"),
        "{comments:?}"
    );
    assert_eq!(talk.files(&request).len(), 0);
    talk.noa().writes("Did it come?");
    talk.settled().await;
    assert_eq!(talk.description(&request).len(), 2, "the talk goes on");
}

async fn a_file_that_is_kept_no_more_is_a_sentence_in_the_request(on: On) {
    let mut talk = Talk::on(on).await;
    talk.stage.stop().await;
    talk.noa()
        .sends_media(Media::image("router.png", b"a picture", None));
    talk.bird().expire_media();
    talk.start().await;
    let request = talk.request(1).await;
    talk.settled().await;
    let comments = talk.comments(&request);
    assert!(
        comments[0].contains("could not be attached"),
        "{comments:?}"
    );
}

on_both!(
    rule_14_a_request_that_no_end_user_began_sends_nothing,
    rule_19_a_late_message_stands_at_its_own_time_while_the_text_is_open,
    rule_19_messages_of_one_millisecond_stand_as_they_were_written,
    rule_19_messages_of_one_second_stand_as_one_delivery_tells_them,
    archived_between_the_decision_and_the_sending_nothing_is_sent,
    a_comment_whose_answer_was_lost_is_found_though_an_earlier_message_came_since,
    rule_16_a_file_that_is_too_large_is_a_sentence_in_the_request,
    a_file_that_is_kept_no_more_is_a_sentence_in_the_request
);
