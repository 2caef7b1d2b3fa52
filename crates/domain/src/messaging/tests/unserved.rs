//! A desk that was removed while its conversations are open.

use super::world::{MINUTE, World};
use crate::messaging::delivery::Delivery;
use crate::messaging::ids::{AccountName, DeskName};
use crate::messaging::news::Role;
use crate::messaging::request::Stage;
use crate::messaging::words::Missing;
use crate::observation::CommentVisibility;

fn left() -> World {
    let mut world = World::answered();
    world.missing = Some(Missing::Desk(DeskName::new("support")));
    world
}

fn notes(world: &World) -> Vec<&str> {
    let comments = world.issues[0].comments.iter();
    let notes = comments.filter(|one| one.author == "note");
    notes.map(|one| one.text.as_str()).collect()
}

#[test]
fn the_agents_are_told_once_and_all_is_sent_when_a_desk_serves_again() {
    let mut world = left();
    for text in ["The blue one?", "Or the green one?"] {
        world.comment("agent", text);
        world.settle();
        assert_eq!(notes(&world).len(), 1, "{:?}", notes(&world));
    }
    assert!(notes(&world)[0].starts_with("Not sent: the desk “support”"));
    world.transition("automation", "Waiting");
    world.settle();
    world.look();
    world.settle();
    assert_eq!(notes(&world).len(), 1);
    assert_eq!(world.phone, ["Which model?"]);
    world.missing = None;
    world.look();
    world.settle();
    let sent = world.phone.join(" / ");
    assert!(
        sent.starts_with("Which model? / The blue one? / Or the green one?"),
        "{sent}"
    );
    assert!(sent.contains("Waiting"), "{sent}");
    let count = world.phone.len();
    world.look();
    world.settle();
    assert_eq!(world.phone.len(), count, "nothing is sent twice");

    // The next time is told again.
    world.missing = Some(Missing::Account(AccountName::new("bird")));
    world.comment("agent", "Are you there?");
    world.settle();
    let notes = notes(&world);
    assert_eq!(notes.len(), 2);
    assert!(notes[1].starts_with("Not sent: the channel account “bird”"));
}

fn not_told(world: &World) -> Vec<(&str, &str)> {
    let outbound = world.outbound.iter();
    let not_told = outbound.filter(|one| one.delivery == Delivery::NotSent);
    not_told
        .map(|one| (one.text.as_str(), one.reason.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn of_the_statuses_that_waited_only_the_one_that_still_holds_is_told() {
    let mut world = left();
    world.transition("automation", "In progress");
    world.settle();
    world.comment("agent", "The blue one?");
    world.transition("automation", "Done");
    world.settle();
    world.comment("agent", "Or the green one?");
    world.transition("automation", "Waiting");
    world.settle();
    world.missing = None;
    world.look();
    world.settle();
    assert_eq!(
        world.phone[1..],
        [
            "The blue one?",
            "Or the green one?",
            "Your request SUP-1 is now: Waiting"
        ]
    );
    // That it was done in between ended nothing.
    assert_eq!(world.stage(), Some(Stage::Commenting));
    assert_eq!(world.archived, 0);
    let why = "superseded: no desk served the conversation when the status changed, and it is \
               “Waiting” by now";
    assert_eq!(
        not_told(&world),
        [
            ("Your request SUP-1 is now: In progress", why),
            ("Your request SUP-1 is now: Done", why)
        ]
    );
    assert!(
        world
            .outbound
            .iter()
            .filter(|one| one.is_superseded())
            .count()
            == 2
    );
    assert_eq!(world.resolved, 2, "nobody has to decide about them");
    assert!(world.reasons.contains(&"status_superseded"));

    // With a desk every change is told again.
    let count = world.phone.len();
    world.transition("automation", "In progress");
    world.transition("automation", "Waiting");
    world.settle();
    assert_eq!(world.phone.len(), count + 2);
    assert_eq!(not_told(&world).len(), 2);
}

#[test]
fn a_comment_that_was_made_with_a_status_of_the_past_is_sent_without_it() {
    let mut world = left();
    for (comment, status) in [("One moment", "In progress"), ("There you are", "Done")] {
        world.comment("agent", comment);
        world.transition("agent", status);
        world.pass(MINUTE);
        world.settle();
    }
    world.missing = None;
    world.look();
    world.settle();
    let told = &world.phone[1..];
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "One moment");
    assert!(told[1].starts_with("There you are"), "{told:?}");
    assert!(told[1].ends_with("is now: Done"), "{told:?}");
    assert_eq!(world.stage(), Some(Stage::Closed));
    assert_eq!(world.archived, 1);
}

#[test]
fn a_status_that_the_desk_keeps_silent_about_supersedes_too() {
    let mut world = left();
    world.transition("automation", "In progress");
    world.transition("automation", "Waiting");
    world.settle();
    let silent = ("Waiting".to_owned(), None);
    world.desk.notifications.by_status.extend([silent]);
    world.missing = None;
    world.look();
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    assert_eq!(not_told(&world).len(), 1);
}

#[test]
fn what_is_not_for_the_customer_is_dealt_with_and_told_to_nobody() {
    let mut world = left();
    world.internal("agent", "A tricky one");
    let public = CommentVisibility::Public;
    world.comment_as("customer", Role::Customer, public, "Me too");
    world.settle();
    assert!(notes(&world).is_empty(), "{:?}", notes(&world));
    world.missing = None;
    world.look();
    world.settle();
    assert_eq!(world.phone, ["Which model?"], "it is not sent later either");
}

#[test]
fn what_the_customer_writes_comes_behind_the_answer_that_waits() {
    let mut world = left();
    world.write("The red one");
    world.settle();
    world.comment("agent", "The blue one?");
    world.settle();
    for text in ["No", "the red one"] {
        world.write(text);
        world.settle();
    }
    let talk = world.issues[0].talk();
    let last = talk.last().map(String::as_str).unwrap_or_default();
    assert!(
        last.contains("No") && last.contains("the red one"),
        "{talk:?}"
    );
    assert!(!last.contains("The red one"), "{talk:?}");
}
