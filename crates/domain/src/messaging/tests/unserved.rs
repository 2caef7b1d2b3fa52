//! A desk that was removed while its conversations are open.

use super::world::World;
use crate::messaging::ids::{AccountName, DeskName};
use crate::messaging::news::Role;
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
