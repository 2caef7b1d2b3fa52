//! Links that people make and end by command, and conversations that end.

use super::builders::{
    CREATED_AT, World, address, conversation_gone, created, link_added, link_removed,
    mentioned_twice,
};
use crate::happening::Happening;
use crate::link::{LinkEnd, Origin};

#[test]
fn removal_by_hand_overrules_until_the_address_is_pasted_anew() {
    let mut world = mentioned_twice();
    let step = world.see(&[link_removed("1")]);
    assert!(world.live().is_empty());
    assert!(step.is_silent() && step.records());
    assert_eq!(world.link("1").ended, Some(LinkEnd::ByHand));
    // An issue does not tell when: it was now.
    assert_eq!(world.link("1").ended_at, None);

    let unchanged = world.look(&[Happening::Looked]);
    assert!(world.live().is_empty() && unchanged.plan.effects.is_empty());
    let touched = world.edit_comment("20", "Bob", &format!("more text {}", address("1")));
    world.see(&[touched]);
    assert!(world.live().is_empty(), "the address stayed where it was");

    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert_eq!(
        world.link("1").ended,
        Some(LinkEnd::ByHand),
        "still for the same reason"
    );
    let anew = world.describe("Bob", &address("1"));
    let step = world.see(&[anew]);
    assert_eq!(world.live(), ["1"]);
    assert_eq!(step.texts(), ["<p><b>Bob</b> linked ISSUE</p>"]);
    assert_eq!(world.link("1").generation, 2);
    assert_eq!(world.link("1").ended_at, None);

    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert!(
        world.live().is_empty(),
        "the overruled comment does not hold it"
    );
}

#[test]
fn removal_by_hand_holds_for_an_address_not_seen_before() {
    let mut world = World::new(&address("1"));
    let step = world.see(&[link_removed("1")]);
    assert!(world.live().is_empty() && step.is_silent());
    world.look(&[Happening::Looked]);
    assert!(world.live().is_empty(), "a person said so");
}

#[test]
fn removal_by_hand_works_on_an_issue_that_cannot_be_read() {
    for happening in [link_removed("1"), conversation_gone("1")] {
        let mut world = World::linked();
        world.there = false;
        let step = world.see(&[happening]);
        assert!(world.live().is_empty());
        assert!(step.plan.effects.is_empty());
        world.there = true;
        world.see(&[Happening::Looked]);
        assert!(world.live().is_empty());
    }
}

#[test]
fn removal_by_hand_of_what_is_not_linked_is_explained() {
    let mut world = World::new("nothing");
    let step = world.see(&[link_removed("1")]);
    assert_eq!(step.reasons(), ["not_linked"]);
    assert!(world.links.is_empty());
}

#[test]
fn why_a_link_ended_is_not_rewritten() {
    let mut world = World::linked();
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    for late in [link_removed("1"), conversation_gone("1")] {
        let step = world.see(&[late]);
        assert!(step.plan.links.is_empty());
        assert_eq!(world.link("1").ended, Some(LinkEnd::AddressRemoved));
    }
}

#[test]
fn a_command_links_once_and_is_told_however_old_the_issue_is() {
    let mut world = World::new("nothing");
    world.settings().active_since = CREATED_AT.plus_ms(5_000);
    let step = world.see(&[link_added("1")]);
    assert_eq!(step.texts(), ["<p><b>Olga</b> linked ISSUE</p>"]);
    assert_eq!(world.link("1").sources[0].origin, Origin::Command);

    let again = world.see(&[link_added("1")]);
    assert!(again.plan.links.is_empty() && again.plan.effects.is_empty());
    assert_eq!(again.reasons(), ["nothing_changed"]);

    world.see(&[link_removed("1")]);
    assert!(world.live().is_empty());
    let step = world.see(&[link_added("1")]);
    assert_eq!(step.texts(), ["<p><b>Olga</b> linked ISSUE</p>"]);
    assert_eq!(world.link("1").generation, 2);
}

#[test]
fn a_command_tells_nothing_of_what_was_there_before() {
    let mut world = World::new("nothing");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", "before the link");
    world.see(&[link_added("1")]);
    let step = world.see(&[comment]);
    assert!(step.is_silent());
    assert_eq!(step.reasons(), ["before_link"]);
}

#[test]
fn a_command_for_another_workspace_makes_no_link() {
    let mut world = World::new("nothing");
    let other = Happening::LinkAdded {
        workspace: "beta".into(),
        conversation: "1".into(),
        by: "Olga".to_owned(),
        via: None,
        imported: false,
    };
    let step = world.see(&[other]);
    assert!(world.links.is_empty());
    assert!(step.reasons().contains(&"other_workspace"));
}

#[test]
fn the_end_of_the_conversation_ends_the_link() {
    let mut world = mentioned_twice();
    let step = world.see(&[conversation_gone("1")]);
    assert!(world.live().is_empty() && step.is_silent());
    assert_eq!(world.link("1").ended, Some(LinkEnd::ConversationGone));
    let moved = world.transition("Bob", "Done");
    let step = world.see(&[moved]);
    assert!(step.plan.effects.is_empty());
    assert_eq!(step.reasons(), ["not_linked"]);
}
