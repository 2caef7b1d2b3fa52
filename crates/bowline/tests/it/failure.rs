//! What goes wrong on the way, and what comes of it: nothing is lost, nothing comes twice.

use bowline::demo::Plan;
use bowline_domain::effect::EffectState;
use bowline_domain::link::LinkEnd;
use bowline_sandbox::common::{Disturbance, Fault, FaultKind};
use bowline_sandbox::intercom::ConversationState::Open;
use bowline_sandbox::jira::BOT_TOKEN;
use serde_json::json;

use crate::connections::becomes;
use crate::stage::{On, Stage, on_both};

/// A fault of calls with this method and path: lets `skip` pass, then disturbs `times`.
pub(crate) fn fault(method: &str, path: &str, skip: u32, times: u32, kind: FaultKind) -> Fault {
    Fault {
        method: Some(method.to_owned()),
        path_contains: Some(path.to_owned()),
        times: Some(times),
        skip,
        kind,
    }
}

/// The answer of this status, without anything done.
pub(crate) fn status(status: u16) -> FaultKind {
    FaultKind::Status {
        status,
        body: None,
        headers: Vec::new(),
    }
}

on_both!(
    a_note_whose_outcome_is_unknown_comes_once,
    what_was_refused_for_a_moment_comes_later,
    jira_failing_while_planning_loses_nothing,
    a_deleted_conversation_ends_its_link_and_the_others_go_on,
    doubled_reordered_and_repeated_deliveries_make_one_note_each,
    a_stop_in_the_middle_loses_nothing,
    many_notes_of_one_link_within_an_hour_wait
);

async fn a_note_whose_outcome_is_unknown_comes_once(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    let faults = [
        (
            "answered 500 after it was done",
            FaultKind::StatusAfter { status: 500 },
        ),
        (
            "answered 502 after it was done",
            FaultKind::StatusAfter { status: 502 },
        ),
        ("answered 504 before anything was done", status(504)),
        ("cut off after it was done", FaultKind::DropAfter),
        ("cut off before anything was done", FaultKind::DropBefore),
    ];
    for (number, (what, kind)) in faults.into_iter().enumerate() {
        stage
            .intercom()
            .faults()
            .add(fault("POST", "/reply", 0, 1, kind));
        let words = format!("Comment {number}.");
        stage.lena().comment(&issue, words.as_str()).unwrap();
        stage.note(&conversation, &[&words]).await;
        stage.settled().await;
        let texts = stage.texts(&conversation);
        assert_eq!(texts.len(), number + 2, "{what}: {texts:#?}");
        assert_eq!(stage.intercom().faults().list().len(), 0, "{what}");
    }
}

#[tokio::test]
async fn a_note_that_is_never_answered_comes_once() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1, FaultKind::HangAfter));
    stage
        .lena()
        .comment(&issue, "No answer to this one.")
        .unwrap();
    stage.note(&conversation, &["No answer"]).await;
    // The next note of this conversation waits for the doubt to be settled.
    stage.lena().comment(&issue, "The next one.").unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(90);
    while stage.texts(&conversation).len() < 3 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{:?}",
            stage.texts(&conversation)
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        3,
        "{:?}",
        stage.texts(&conversation)
    );
}

async fn what_was_refused_for_a_moment_comes_later(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    let too_many = FaultKind::Status {
        status: 429,
        body: None,
        headers: vec![("Retry-After".to_owned(), "1".to_owned())],
    };
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 2, too_many.clone()));
    stage
        .jira()
        .faults()
        .add(fault("GET", "/issue/", 0, 1, too_many));
    stage.lena().comment(&issue, "One.").unwrap();
    // Jira sends what happens at one moment side by side; what is told first is to be taken first.
    stage.jira().sender().quiet().await;
    stage.lena().comment(&issue, "Two.").unwrap();
    stage.note(&conversation, &["Two."]).await;
    stage.settled().await;
    let texts = stage.texts(&conversation);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(
        texts[1].contains("One.") && texts[2].contains("Two."),
        "in order: {texts:?}"
    );
}

async fn a_deleted_conversation_ends_its_link_and_the_others_go_on(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    for told in [true, false] {
        let (gone, stays) = (stage.conversation(), stage.conversation());
        let both = format!("{} {}", stage.address(&gone), stage.address(&stays));
        let issue = stage.issue(both.as_str());
        stage.note(&gone, &["created"]).await;
        stage.note(&stays, &["created"]).await;
        stage.settled().await;
        if !told {
            stage.intercom().set_topics(&[]);
        }
        stage.intercom().delete_conversation(&gone).unwrap();
        stage
            .lena()
            .comment(&issue, "For the one that is there.")
            .unwrap();
        stage.note(&stays, &["For the one that is there."]).await;
        stage.settled().await;
        assert_eq!(
            stage.links(&issue).await,
            std::slice::from_ref(&stays),
            "told: {told}"
        );
        let ended = stage.links_of(&gone).await;
        assert_eq!(ended[0].link.ended, Some(LinkEnd::ConversationGone));
        assert!(ended[0].link.ended_at.is_some());
        let named = stage
            .jira()
            .property(&issue, "intercom.conversation.links")
            .unwrap();
        assert_eq!(named["conversationIds"], json!([stays]));
    }
}

async fn jira_failing_while_planning_loses_nothing(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage
        .jira()
        .faults()
        .add(fault("GET", "/issue/", 0, 3, status(503)));
    stage
        .jira()
        .faults()
        .add(fault("GET", "/comment/", 0, 1, FaultKind::DropBefore));
    stage.lena().comment(&issue, "While Jira is down.").unwrap();
    stage.note(&conversation, &["While Jira is down."]).await;

    stage.jira().set_token("bowline-bot", None);
    stage
        .lena()
        .comment(&issue, "While the token is out.")
        .unwrap();
    let reason = becomes(&stage, "site", "broken").await;
    assert!(reason.contains("refuses the token"), "{reason}");
    stage
        .jira()
        .set_token("bowline-bot", Some("another-bot-token"));
    stage.edit_config(BOT_TOKEN, "another-bot-token");
    stage.configure().await;
    stage
        .note(&conversation, &["While the token is out."])
        .await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        3,
        "{:?}",
        stage.texts(&conversation)
    );
}

async fn doubled_reordered_and_repeated_deliveries_make_one_note_each(on: On) {
    let stage = Stage::on(on, |plan: &mut Plan| {
        plan.jira.switches.doubled_comments = true;
    })
    .await;
    let (issue, conversation) = stage.linked().await;
    stage.jira().disturb(Disturbance {
        duplicate_every: 2,
        reorder: true,
        ..Disturbance::default()
    });
    for number in 0..10 {
        stage
            .lena()
            .comment(&issue, format!("Comment <{number}>").as_str())
            .unwrap();
        if number % 3 == 0 {
            stage
                .priya()
                .assign(&issue, Some(if number % 2 == 0 { "lena" } else { "omar" }))
                .unwrap();
        }
    }
    stage.jira().disturb(Disturbance::default());
    for number in 0..10 {
        stage
            .note(&conversation, &[&format!("Comment <{number}>")])
            .await;
    }
    stage.settled().await;
    let texts = stage.texts(&conversation);
    assert_eq!(texts.len(), 1 + 10 + 4, "{texts:#?}");
}

async fn a_stop_in_the_middle_loses_nothing(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    for round in 0..3 {
        for number in 0..5 {
            stage
                .lena()
                .comment(&issue, format!("Comment {round}-{number}.").as_str())
                .unwrap();
        }
        stage.stop().await;
        stage.start().await;
    }
    for round in 0..3 {
        for number in 0..5 {
            stage
                .note(&conversation, &[&format!("Comment {round}-{number}.")])
                .await;
        }
    }
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        16,
        "{:#?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn reopening_that_failed_is_made_later_and_once() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    stage.intercom().faults().add(fault(
        "POST",
        "/parts",
        0,
        1,
        FaultKind::StatusAfter { status: 500 },
    ));
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.becomes(&conversation, Open).await;
    stage.settled().await;
    let opened = stage
        .intercom()
        .parts(&conversation)
        .iter()
        .filter(|part| part.part_type == "open")
        .count();
    assert_eq!(opened, 1);
}

async fn many_notes_of_one_link_within_an_hour_wait(on: On) {
    let limit = |plan: &mut Plan| "[limits]\nhops_per_link_hour = 4".clone_into(&mut plan.top);
    let mut stage = Stage::on(on, limit).await;
    let (issue, conversation) = stage.linked().await;
    for number in 0..2 {
        stage
            .lena()
            .comment(&issue, format!("Comment {number}.").as_str())
            .unwrap();
    }
    stage.note(&conversation, &["Comment 1."]).await;
    stage.settled().await;
    // What was posted before a restart counts after it.
    stage.stop().await;
    stage.start().await;
    for number in 2..5 {
        stage
            .lena()
            .comment(&issue, format!("Comment {number}.").as_str())
            .unwrap();
    }
    stage.note(&conversation, &["Comment 2."]).await;
    let store = stage.store();
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    // Four of the six came; the others wait, and one of them was tried in vain.
    loop {
        let backlog = store.backlog().await.unwrap();
        let came = stage.texts(&conversation).len();
        assert!(came <= 4, "{:?}", stage.texts(&conversation));
        let why = refusal(&stage).await;
        if (backlog.events, backlog.effects, came) == (0, 2, 4) && why.is_some() {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{backlog:?}, {came} came, {why:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Why a note waits, if one was tried and does.
async fn refusal(stage: &Stage) -> Option<String> {
    for event in stage.events().await {
        for effect in stage.store().effects_of(event.event.id).await.unwrap() {
            if effect.state == EffectState::Planned && effect.attempts > 0 {
                return effect.reason.filter(|why| why.contains("within an hour"));
            }
        }
    }
    None
}
