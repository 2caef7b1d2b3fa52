//! When conversations are opened again, and when they are left as they are.

use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::ConversationState::{Closed, Open, Snoozed};

use crate::failure::fault;
use crate::stage::Stage;

/// The kinds of the conversation's parts, in order.
fn parts(stage: &Stage, conversation: &str) -> Vec<String> {
    stage
        .intercom()
        .parts(conversation)
        .into_iter()
        .map(|part| part.part_type)
        .collect()
}

#[tokio::test]
async fn each_trigger_notes_and_reopens_as_its_rule_says() {
    type Act = fn(&Stage, &str);
    let acts: &[(&str, Act)] = &[
        ("assigned", |stage, issue| {
            stage.priya().assign(issue, Some("lena")).unwrap();
        }),
        ("commented", |stage, issue| {
            stage.priya().comment(issue, "Words.").map(drop).unwrap();
        }),
        ("transitioned", |stage, issue| {
            stage.priya().transition(issue, "Done", None).unwrap();
        }),
    ];
    for (trigger, act) in acts {
        for (note, reopen) in [(true, false), (true, true), (false, true)] {
            let rule = format!("notify.{trigger} = {{ note = {note}, reopen = {reopen} }}");
            let stage = Stage::binding(&rule).await;
            let (issue, conversation) = stage.linked().await;
            stage.settled().await;
            stage
                .intercom()
                .close(&conversation, &stage.teammate())
                .unwrap();
            act(&stage, &issue);
            stage.settled().await;
            let mut expected = vec!["note", "close"];
            expected.extend(note.then_some("note"));
            expected.extend(reopen.then_some("open"));
            assert_eq!(parts(&stage, &conversation), expected, "{rule}");
            assert_eq!(
                stage.state(&conversation),
                if reopen { Open } else { Closed },
                "{rule}"
            );
        }
    }
}

#[tokio::test]
async fn creating_an_issue_may_reopen() {
    for (note, reopen) in [(true, false), (true, true), (false, true)] {
        let rule = format!("notify.created = {{ note = {note}, reopen = {reopen} }}");
        let stage = Stage::binding(&rule).await;
        let conversation = stage.conversation();
        stage
            .intercom()
            .close(&conversation, &stage.teammate())
            .unwrap();
        stage.issue(stage.address(&conversation).as_str());
        stage.settled().await;
        assert_eq!(
            stage.state(&conversation),
            if reopen { Open } else { Closed },
            "{rule}"
        );
    }
}

#[tokio::test]
async fn a_transition_rule_adds_to_the_general_trigger() {
    // (general, rule, where the issue goes, notes, re-opened)
    for (general, rule, to, notes, reopened) in [
        (
            "note = true, reopen = false",
            "to = \"Done\"\nnote = true\nreopen = true",
            "Done",
            1,
            true,
        ),
        (
            "note = false, reopen = false",
            "to = \"done\"\nnote = true\nreopen = true",
            "Done",
            1,
            true,
        ),
        (
            "note = false, reopen = false",
            "to = \"category:done\"\nnote = false\nreopen = true",
            "Done",
            0,
            true,
        ),
        (
            "note = false, reopen = false",
            "from = \"In Review\"\nto = \"Done\"",
            "Done",
            0,
            false,
        ),
        (
            "note = true, reopen = true",
            "to = \"Done\"\nnote = false\nreopen = false",
            "Done",
            1,
            true,
        ),
        (
            "note = true, reopen = false",
            "to = \"Done\"\nnote = true\nreopen = true",
            "In Progress",
            1,
            false,
        ),
        (
            "note = false, reopen = false",
            "from = \"10000\"\nto = \"3\"",
            "In Progress",
            1,
            true,
        ),
    ] {
        let binding =
            format!("notify.transitioned = {{ {general} }}\n[[binding.transition]]\n{rule}");
        let stage = Stage::binding(&binding).await;
        let (issue, conversation) = stage.linked().await;
        stage.settled().await;
        stage
            .intercom()
            .close(&conversation, &stage.teammate())
            .unwrap();
        stage.lena().transition(&issue, to, None).unwrap();
        stage.settled().await;
        let moved = stage
            .texts(&conversation)
            .iter()
            .filter(|text| text.contains("moved"))
            .count();
        assert_eq!(moved, notes, "{binding}");
        assert_eq!(
            stage.state(&conversation),
            if reopened { Open } else { Closed },
            "{binding}"
        );
    }
}

#[tokio::test]
async fn an_open_conversation_is_not_touched() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.settled().await;
    assert_eq!(parts(&stage, &conversation), ["note", "note"]);
}

#[tokio::test]
async fn unassign_on_open_returns_it_to_the_unassigned_queue() {
    for unassign in [false, true] {
        let stage = Stage::binding(&format!("unassign_on_open = {unassign}")).await;
        let (issue, conversation) = stage.linked().await;
        let teammate = stage.teammate();
        stage
            .intercom()
            .assign(&conversation, &teammate, &teammate)
            .unwrap();
        stage.intercom().close(&conversation, &teammate).unwrap();
        stage.lena().transition(&issue, "Done", None).unwrap();
        stage.becomes(&conversation, Open).await;
        stage.settled().await;
        let expected = (!unassign).then_some(teammate);
        assert_eq!(stage.intercom().assignee(&conversation), expected);
        assert_eq!(stage.state(&conversation), Open);
    }
}

fn tomorrow() -> i64 {
    jiff::Timestamp::now().as_second() + 86_400
}

/// A linked issue whose conversation is snoozed until a time.
async fn linked_and_snoozed() -> (Stage, String, String, i64) {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let until = tomorrow();
    stage
        .intercom()
        .snooze(&conversation, &stage.teammate(), until)
        .unwrap();
    (stage, issue, conversation, until)
}

#[tokio::test]
async fn a_snoozed_conversation_is_snoozed_again_to_its_old_time() {
    let (stage, issue, conversation, until) = linked_and_snoozed().await;
    stage.lena().comment(&issue, "One.").unwrap();
    stage.lena().comment(&issue, "Two.").unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.note(&conversation, &["moved"]).await;
    stage.settled().await;
    assert_eq!(stage.state(&conversation), Snoozed);
    assert_eq!(stage.intercom().snoozed_until(&conversation), Some(until));
    assert_eq!(stage.texts(&conversation).len(), 4);
}

#[tokio::test]
async fn a_note_right_behind_a_snooze_sees_it() {
    let (stage, issue, conversation, until) = linked_and_snoozed().await;
    // The second note is planned while the conversation is being snoozed again after the first.
    let slow = FaultKind::Delay { ms: 150 };
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/parts", 0, 1, slow));
    stage.lena().comment(&issue, "One.").unwrap();
    stage.note(&conversation, &["One."]).await;
    stage.lena().comment(&issue, "Two.").unwrap();
    stage.note(&conversation, &["Two."]).await;
    stage.settled().await;
    assert_eq!(stage.state(&conversation), Snoozed);
    assert_eq!(stage.intercom().snoozed_until(&conversation), Some(until));
}

#[tokio::test]
async fn wake_snoozed_lets_a_note_wake_it() {
    let stage = Stage::binding("wake_snoozed = true").await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .snooze(&conversation, &stage.teammate(), tomorrow())
        .unwrap();
    stage.lena().comment(&issue, "One.").unwrap();
    stage.note(&conversation, &["One."]).await;
    stage.settled().await;
    assert_eq!(stage.state(&conversation), Open);
}

#[tokio::test]
async fn a_reply_of_the_customer_in_between_keeps_it_open() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage
        .intercom()
        .snooze(&conversation, &stage.teammate(), tomorrow())
        .unwrap();
    // The second snoozing has to wait for a moment; the customer answers meanwhile.
    stage.intercom().faults().add(crate::failure::fault(
        "POST",
        "/conversations/",
        1,
        1,
        crate::failure::status(503),
    ));
    stage.lena().comment(&issue, "One.").unwrap();
    stage.note(&conversation, &["One."]).await;
    stage
        .intercom()
        .customer_reply(&conversation, "Any news?")
        .unwrap();
    stage.settled().await;
    assert_eq!(stage.state(&conversation), Open);
}
