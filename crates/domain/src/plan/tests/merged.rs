//! Conversations that were merged into others.

use super::builders::{
    World, address, conversation_gone, conversation_merged, link_added, link_removed,
    mentioned_twice,
};
use crate::happening::Happening;
use crate::ids::ConversationId;
use crate::link::LinkEnd;

fn merged_into(conversation: &str) -> LinkEnd {
    LinkEnd::Merged(ConversationId::new(conversation))
}

#[test]
fn the_link_leads_to_the_conversation_that_goes_on() {
    let mut world = World::linked();
    let since = world.link("1").since;
    let step = world.see(&[conversation_merged("1", "7")]);
    assert_eq!(world.live(), ["7"]);
    assert_eq!(
        world.link("1").ended,
        Some(merged_into("7")),
        "the tombstone"
    );
    assert_eq!(world.link("7").since, since, "nothing is before the link");
    assert!(step.is_silent() && step.records());
    assert_eq!(step.reasons()[0], "merged");

    // The address that is still there means the other one now.
    let comment = world.comment("20", "Bob", "Told to the one that goes on.");
    let step = world.see(&[comment]);
    let told: Vec<String> = step.notes().into_iter().map(|(to, _)| to).collect();
    assert_eq!(told, ["7"]);
    let again = world.look(&[Happening::Looked]);
    assert!(again.plan.links.is_empty() && again.plan.effects.is_empty());
    assert_eq!(world.live(), ["7"]);
}

#[test]
fn the_link_still_ends_with_the_address() {
    let mut world = mentioned_twice();
    world.see(&[conversation_merged("1", "7")]);
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert_eq!(world.live(), ["7"], "the comment holds it");
    let removed = world.delete_comment("20");
    world.see(&[removed]);
    assert!(world.live().is_empty());
    assert_eq!(world.link("7").ended, Some(LinkEnd::AddressRemoved));

    // Pasted again, the old address means the conversation that goes on.
    let anew = world.describe("Cleo", &address("1"));
    let step = world.see(&[anew]);
    assert_eq!(world.live(), ["7"]);
    assert_eq!(step.texts(), ["<p><b>Cleo</b> linked ISSUE</p>"]);
}

#[test]
fn two_conversations_of_one_issue_become_one() {
    let text = format!("{} {}", address("1"), address("7"));
    let mut world = World::new(&text);
    world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["1", "7"]);
    let step = world.see(&[conversation_merged("1", "7")]);
    assert_eq!(world.live(), ["7"]);
    assert!(step.is_silent(), "it knows of the issue");
    let comment = world.comment("20", "Bob", "Once.");
    assert_eq!(world.see(&[comment]).texts().len(), 1);
    // Without its own address the one that goes on still has the other's.
    let removed = world.describe("Bob", &address("1"));
    world.see(&[removed]);
    assert_eq!(world.live(), ["7"]);
}

#[test]
fn merged_twice_is_followed_twice() {
    let mut world = World::linked();
    world.see(&[conversation_merged("1", "7")]);
    world.see(&[conversation_merged("7", "8")]);
    assert_eq!(world.live(), ["8"]);
    world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["8"]);
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(&[comment]);
    assert_eq!(world.live(), ["8"], "one more source of the same link");
}

#[test]
fn what_is_said_of_a_merged_conversation_later_harms_nothing() {
    let mut world = World::linked();
    world.see(&[conversation_merged("1", "7")]);
    for late in [
        conversation_merged("1", "7"),
        conversation_merged("1", "9"),
        conversation_merged("7", "7"),
        conversation_gone("1"),
    ] {
        let step = world.see(std::slice::from_ref(&late));
        assert!(step.plan.links.is_empty(), "{late:?}");
        assert_eq!(world.live(), ["7"], "{late:?}");
    }
    // A person who ends or makes a link by the old name means the one that goes on.
    world.see(&[link_removed("1")]);
    assert!(world.live().is_empty());
    assert_eq!(world.link("7").ended, Some(LinkEnd::ByHand));
    world.see(&[link_added("1")]);
    assert_eq!(world.live(), ["7"]);
}

#[test]
fn a_merge_is_followed_on_an_issue_that_cannot_be_read() {
    let mut world = World::linked();
    world.there = false;
    let step = world.see(&[conversation_merged("1", "7")]);
    assert_eq!(world.live(), ["7"]);
    assert!(step.plan.effects.is_empty());
    assert!(step.reasons().contains(&"merged"), "{:?}", step.reasons());
}

#[test]
fn merges_that_go_round_in_a_circle_end_somewhere() {
    let text = format!("{} {}", address("1"), address("7"));
    let mut world = World::new(&text);
    world.look(&[Happening::Looked]);
    world.see(&[conversation_merged("1", "7")]);
    world.see(&[conversation_merged("7", "1")]);
    world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"]);
}
