//! What may be switched on: files of agents, and the approved message after the reply window.

use bowline_domain::ids::{IssueId, SiteName};
use bowline_domain::messaging::delivery::Delivery;
use bowline_engine::shared::queue_send_template;
use bowline_sandbox::common::faults::{Fault, FaultKind};
use bowline_sandbox::jira::{Body, Deployment, NewComment};
use bowline_sandbox::phones::Inbound;
use serde_json::json;

use crate::messaging_stage::Talk;
use crate::stage::{On, on_both};

const FILES: &str = "attachments_out = true";

/// A text that shows a file, as Jira's editor makes it.
fn showing(talk: &Talk, text: &str, file: &str) -> Body {
    if talk.stage.jira().deployment() == Deployment::Cloud {
        json!({"type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": text}]},
            {"type": "mediaGroup", "content": [{"type": "media", "attrs":
                {"type": "file", "id": "0b1c", "collection": "jira", "alt": file}}]}]})
        .into()
    } else {
        format!("{text} [^{file}]").as_str().into()
    }
}

/// What the provider was given to send, as kind and what it shows.
fn kinds(talk: &Talk) -> Vec<(String, Option<String>)> {
    let sent = talk.sent().into_iter();
    sent.map(|line| (line.kind, line.text)).collect()
}

async fn rule_17_a_file_is_not_sent_unless_that_is_switched_on(on: On) {
    let talk = Talk::on(on).await;
    let request = talk.answered().await;
    let lena = talk.agent();
    lena.attach(&request, "manual.pdf", "how it works").unwrap();
    lena.comment(&request, showing(&talk, "See", "manual.pdf"))
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 2);
    let comments = talk.comments(&request);
    let note = comments.last().unwrap();
    assert!(note.contains("did not go to the customer"), "{comments:?}");
}

async fn a_file_goes_through_the_provider_s_own_upload(on: On) {
    a_file_is_sent(Talk::with(on, |_| (), FILES).await).await;
}

#[tokio::test]
async fn a_file_is_sent_from_data_center_too() {
    let data_center = |plan: &mut bowline::demo::Plan| *plan = plan.clone().data_center();
    a_file_is_sent(Talk::with(On::Sqlite, data_center, FILES).await).await;
}

async fn a_file_is_sent(talk: Talk) {
    let request = talk.answered().await;
    let lena = talk.agent();
    lena.attach(&request, "manual.pdf", "how it works").unwrap();
    lena.attach(&request, "secret.pdf", "secret: for us")
        .unwrap();
    lena.note(&request, showing(&talk, "secret: see", "secret.pdf"))
        .unwrap();
    lena.comment(&request, showing(&talk, "See", "manual.pdf"))
        .unwrap();
    talk.settled().await;
    let sent = talk.bird().sent_files();
    let sent: Vec<_> = sent
        .iter()
        .map(|file| (file.name.as_str(), file.content.as_ref()))
        .collect();
    assert_eq!(sent, [("manual.pdf", &b"how it works"[..])]);
    assert_eq!(kinds(&talk)[2].0, "file");
    let kept = talk.outbound(&request).await;
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[2].text, "[file: manual.pdf]");
    assert_eq!(kept[2].delivery, Delivery::Delivered);
    let jira = talk.stage.world.sandbox.jira.url();
    for call in talk.bird().journal().entries() {
        let said = call.request_body.to_string();
        assert!(!said.contains(&jira), "no address of Jira's leaves: {said}");
    }
    assert!(
        talk.comments(&request)
            .iter()
            .all(|one| !one.starts_with("note"))
    );
}

async fn a_file_whose_comment_was_made_internal_in_time_is_not_sent(on: On) {
    let talk = Talk::with(on, |_| (), FILES).await;
    let request = talk.answered().await;
    // The text takes its time, and the file waits behind it.
    let slow = Fault::of(FaultKind::DelayAfter { ms: 800 }).on("POST", "/messages");
    talk.bird().faults().add(slow.times(1));
    let lena = talk.agent();
    lena.attach(&request, "manual.pdf", "how it works").unwrap();
    let comment = lena
        .comment(&request, showing(&talk, "See", "manual.pdf"))
        .unwrap();
    talk.phone_shows(2).await;
    lena.set_internal(&request, comment, true).unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 2);
    assert!(talk.bird().sent_files().is_empty());
}

async fn a_file_that_is_too_large_for_the_provider_is_told(on: On) {
    let talk = Talk::with(on, |_| (), FILES).await;
    let request = talk.answered().await;
    let refused = FaultKind::Status {
        status: 413,
        body: None,
        headers: Vec::new(),
    };
    talk.bird()
        .faults()
        .add(Fault::of(refused).on("POST", "/files"));
    let lena = talk.agent();
    lena.attach(&request, "manual.pdf", "how it works").unwrap();
    lena.comment(&request, showing(&talk, "See", "manual.pdf"))
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 2);
    let kept = talk.outbound(&request).await;
    assert_eq!(kept[2].delivery, Delivery::Failed);
    let comments = talk.comments(&request);
    assert!(
        comments.last().unwrap().contains("could not be sent"),
        "{comments:?}"
    );
}

const TEMPLATE: &str = "window_template = \"reopen\"\nwindow_template_values = [\"{key}\"]\n\
    window_template_text = \"There is news about {{1}}. Answer to hear it.\"\n";

/// A request whose end user wrote more than a day ago.
async fn late(talk: &Talk) -> String {
    let old = talk.bird().now_ms() - 25 * 60 * 60 * 1_000;
    let text = Inbound::Text("My router is red".to_owned());
    talk.noa().sends_at(text, old);
    let request = talk.request(1).await;
    talk.settled().await;
    request
}

async fn send_template(talk: &Talk, request: &str) {
    let issue = talk.stage.jira().issue(request).unwrap().id.to_string();
    let shared = talk.stage.service().shared();
    let found = shared
        .store
        .talk_of_issue(&SiteName::new(bowline::demo::SITE), &IssueId::new(issue))
        .await;
    let whose = found.unwrap().unwrap().whose;
    queue_send_template(&shared.store, &whose, (shared.now(), 7))
        .await
        .unwrap();
}

async fn after_the_window_a_person_has_the_approved_message_sent(on: On) {
    let talk = Talk::with(on, |_| (), TEMPLATE).await;
    let request = late(&talk).await;
    talk.agent()
        .comment(&request, "Sorry for the wait")
        .unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0, "nothing is sent by itself");
    let comments = talk.comments(&request);
    assert!(
        comments
            .last()
            .unwrap()
            .contains("approved message “reopen”"),
        "{comments:?}"
    );
    send_template(&talk, &request).await;
    let news = format!("There is news about {request}. Answer to hear it.");
    assert_eq!(talk.phone_shows(1).await, [news.as_str()]);
    talk.settled().await;
    let kept = talk.outbound(&request).await;
    assert_eq!(kept[1].text, news);
    assert_eq!(kept[1].delivery, Delivery::Delivered);

    // The end user writes: now an ordinary answer reaches them, and nothing else is sent.
    talk.noa().writes("Tell me");
    talk.settled().await;
    send_template(&talk, &request).await;
    talk.settled().await;
    assert!(talk.stage.reasons().await.contains(&"reply_window_open"));
    talk.send_again(&request, 0).await;
    assert_eq!(
        talk.phone_shows(2).await,
        [news.as_str(), "Sorry for the wait"]
    );
}

async fn the_approved_message_goes_by_itself_where_that_is_wanted(on: On) {
    let desk = format!("{TEMPLATE}window_template_by_itself = true");
    let talk = Talk::with(on, |_| (), &desk).await;
    let request = late(&talk).await;
    talk.agent()
        .comment(&request, "Sorry for the wait")
        .unwrap();
    talk.settled().await;
    talk.agent()
        .transition(
            &request,
            "Waiting for customer",
            Some(NewComment::open("?")),
        )
        .unwrap();
    talk.settled().await;
    let news = format!("There is news about {request}. Answer to hear it.");
    assert_eq!(talk.received(), [news.as_str()], "once for this window");
}

on_both!(
    rule_17_a_file_is_not_sent_unless_that_is_switched_on,
    a_file_goes_through_the_provider_s_own_upload,
    a_file_whose_comment_was_made_internal_in_time_is_not_sent,
    a_file_that_is_too_large_for_the_provider_is_told,
    after_the_window_a_person_has_the_approved_message_sent,
    the_approved_message_goes_by_itself_where_that_is_wanted
);
