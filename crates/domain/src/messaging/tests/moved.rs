//! A request that was moved to another project.

use super::world::World;
use crate::messaging::news::Role;
use crate::messaging::request::Stage;
use crate::observation::CommentVisibility;

fn notes(world: &World) -> Vec<&str> {
    let comments = world.issues[0].comments.iter();
    let notes = comments.filter(|one| one.author == "note");
    notes.map(|one| one.text.as_str()).collect()
}

fn key(world: &World) -> String {
    let (_, key) = world.requests[0].issue.clone().expect("it is made");
    key.to_string()
}

#[test]
fn where_it_is_no_request_no_comment_is_sent_and_the_agents_are_told_once() {
    let mut world = World::answered();
    world.moved = Some(("ENG-7", false));
    world.comment("agent", "The blue one?");
    world.settle();
    world.comment("developer", "It is the driver");
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    let told = notes(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("as a request any more"), "{told:?}");
    let reasons = world.reasons.iter();
    assert_eq!(reasons.filter(|one| **one == "not_a_request").count(), 2);
    assert_eq!(key(&world), "ENG-7");
    // Both sides go on: the customer writes, and is told of the status.
    world.write("Are you there?");
    world.transition("developer", "In progress");
    world.settle();
    assert_eq!(world.phone[1..], ["Your request ENG-7 is now: In progress"]);
    assert_eq!(world.stage(), Some(Stage::Commenting));

    // Moved back: what is answered is sent, and what was said outside is not.
    world.moved = Some(("SUP-9", true));
    world.comment("agent", "Here I am");
    world.settle();
    assert_eq!(world.phone[2..], ["Here I am"]);
    assert_eq!(key(&world), "SUP-9");
    // The next time is told again.
    world.moved = Some(("ENG-8", false));
    world.comment("agent", "Again?");
    world.settle();
    assert_eq!(notes(&world).len(), 2);
    assert_eq!(world.phone.len(), 3);
}

#[test]
fn what_is_restricted_or_a_customer_s_is_told_to_nobody_there() {
    let mut world = World::answered();
    world.moved = Some(("ENG-7", false));
    world.comment_as(
        "customer",
        Role::Customer,
        CommentVisibility::Unstated,
        "Hi",
    );
    world.settle();
    assert_eq!(notes(&world).len(), 0);
    assert_eq!(world.requests[0].outside, None);
}

#[test]
fn where_it_is_a_request_too_the_talk_goes_on() {
    let mut world = World::answered();
    world.moved = Some(("HLP-3", true));
    world.comment("agent", "Thank you");
    world.settle();
    assert_eq!(world.phone[1..], ["Thank you"]);
    assert_eq!(key(&world), "HLP-3");
    assert_eq!(notes(&world).len(), 0);
}
