//! What may be switched on: an agent's files, and an approved message after the reply window.

use super::world::{HOUR, World};
use crate::effect::Act;
use crate::ids::IssueKey;
use crate::messaging::act::{AgentFile, TalkAct};
use crate::messaging::delivery::Delivery;
use crate::messaging::plan::Report;
use crate::messaging::settings::WindowTemplate;
use crate::outcome::Reason;

fn template(by_itself: bool) -> WindowTemplate {
    WindowTemplate {
        name: "reopen".to_owned(),
        namespace: None,
        language: "en".to_owned(),
        values: vec!["{key}".to_owned()],
        text: Some("There is news about {{1}}.".to_owned()),
        by_itself,
    }
}

/// Answered, and then silent for a day and an hour.
fn late(template: Option<WindowTemplate>) -> World {
    let mut world = World::answered();
    world.desk.window_template = template;
    world.pass(25 * HOUR);
    world
}

fn last_note(world: &World) -> &str {
    let notes = world.issues[0].comments.iter();
    let last = notes.rev().find(|one| one.author == "note");
    &last.expect("a note").text
}

fn asked(asked: &str, template: Option<WindowTemplate>) -> Report {
    Report::SendTemplate {
        template: template.map(|template| (IssueKey::new("SUP-1"), template)),
        asked: asked.to_owned(),
    }
}

#[test]
fn after_the_window_the_approved_message_is_offered_and_a_person_has_it_sent() {
    let mut world = late(Some(template(false)));
    world.comment("agent", "Sorry for the wait");
    world.settle();
    assert_eq!(world.phone, ["Which model?"], "nothing is sent by itself");
    assert!(last_note(&world).contains("The ways out: wait for that; or have the approved"));
    world.report(&asked("7", Some(template(false))));
    world.report(&asked("7", Some(template(false))));
    world.settle();
    let text = "There is news about SUP-1. (SUP-1)";
    assert_eq!(world.phone, ["Which model?", text], "once for one asking");
    let kept = world.outbound.last().expect("it is kept");
    assert_eq!(kept.text, "There is news about SUP-1.");
    assert!(kept.is_template());
}

#[test]
fn the_approved_message_goes_by_itself_only_where_that_is_wanted_and_once_for_a_window() {
    let mut world = late(Some(template(true)));
    world.comment("agent", "Sorry for the wait");
    world.settle();
    world.transition("agent", "In progress");
    world.settle();
    assert_eq!(world.phone.len(), 2, "{:?}", world.phone);
    assert!(last_note(&world).contains("was sent in its place"));

    world.write("Hello?");
    world.settle();
    world.pass(25 * HOUR);
    world.comment("agent", "Late again");
    world.settle();
    assert_eq!(world.phone.len(), 3, "the next window is another one");

    let mut world = late(Some(template(true)));
    world.transition("agent", "Done");
    world.settle();
    assert_eq!(
        world.phone.len(),
        1,
        "nobody is asked to write about what ended"
    );
}

#[test]
fn without_one_or_without_need_no_approved_message_is_sent() {
    let mut world = World::answered();
    world.report(&asked("1", Some(template(false))));
    world.pass(25 * HOUR);
    world.report(&asked("2", None));
    world.archive_remotely();
    world.report(&asked("3", Some(template(false))));
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    let said = [
        Reason::ReplyWindowOpen,
        Reason::NoTemplate,
        Reason::ConversationClosed,
    ];
    for reason in said {
        assert!(world.reasons.contains(&reason.code()), "{reason}");
    }
}

/// A public comment with two files.
fn with_files(world: &mut World, text: &str) {
    world.comment("agent", text);
    let comments = &mut world.issues[0].comments;
    comments.last_mut().expect("a comment").files = 2;
    world.settle();
}

#[test]
fn files_of_public_comments_are_sent_where_that_is_switched_on() {
    let mut world = World::answered();
    world.desk.attachments_out = true;
    with_files(&mut world, "See the manual");
    let wanted = [
        "Which model?",
        "See the manual",
        "<file1.pdf>",
        "<file2.pdf>",
    ];
    assert_eq!(world.phone, wanted);
    let file = world
        .outbound
        .last()
        .and_then(super::super::delivery::Outbound::file);
    let wanted = AgentFile {
        id: "c000002-2".to_owned(),
        name: "file2.pdf".to_owned(),
    };
    assert_eq!(file, Some(wanted));
}

#[test]
fn files_do_not_go_by_sms_and_the_agent_learns_it() {
    let mut world = World::answered();
    world.desk.attachments_out = true;
    let message = world.message("on the road", "sms");
    world.receive(&message);
    world.settle();
    with_files(&mut world, "See the manual");
    assert_eq!(world.phone, ["Which model?", "See the manual"]);
    assert!(last_note(&world).contains("SMS takes no files"));
}

#[test]
fn a_file_that_reached_nobody_is_sent_again_as_a_file() {
    let mut world = World::answered();
    world.desk.attachments_out = true;
    world.pass(25 * HOUR);
    with_files(&mut world, "See the manual");
    let kept = world.outbound.last().expect("it is kept").clone();
    assert_eq!(kept.delivery, Delivery::NotSent);
    let again = |asked: &str, public| Report::SendFileAgain {
        message: kept.clone(),
        asked: asked.to_owned(),
        public,
        by: "Olive".to_owned(),
    };
    world.report(&again("1", true));
    world.write("Hello?");
    world.report(&again("2", false));
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    world.report(&again("3", true));
    world.settle();
    assert_eq!(world.phone, ["Which model?", "<file2.pdf>"]);
    let sent = world
        .outbound
        .last()
        .and_then(super::super::delivery::Outbound::file);
    assert_eq!(sent, kept.file(), "and may be sent again");
}

#[test]
fn a_message_about_a_status_that_held_no_more_is_kept_as_that_and_told_to_nobody() {
    let mut world = World::answered();
    world.transition("agent", "In progress");
    world.look();
    let message = world.outbound.last().expect("it is decided").clone();
    let report = Report::Overtaken {
        message,
        by: "Done".to_owned(),
    };
    let plan = world.report(&report);
    assert_eq!(plan.effects, Vec::new());
    assert_eq!(plan.outcome.reasons[0].code(), "status_overtaken");
    let kept = world.outbound.last().expect("it is kept").clone();
    assert!(kept.is_superseded() && world.resolved == 1);
    let again = world.report(&Report::Overtaken {
        message: kept,
        by: "Done".to_owned(),
    });
    assert_eq!(again.outcome.reasons, [Reason::AlreadyHandled]);
}

#[test]
fn a_message_that_tells_a_status_knows_what_it_says_without() {
    let mut world = World::answered();
    world.transition("agent", "Waiting");
    world.comment("agent", "The blue one?");
    let plan = world.look();
    let told = plan.effects.iter().find_map(|effect| match &effect.act {
        Act::Talk(TalkAct::Send { tells, .. }) => tells.clone(),
        _ => None,
    });
    let told = told.expect("it tells a status");
    let without = told.without.map(|text| text.as_str().to_owned());
    assert_eq!(without.as_deref(), Some("The blue one?"));
    let last = world.requests[0].status.clone().expect("it is noted");
    assert_eq!((last.change, last.name.as_str()), (told.change, "Waiting"));
}
