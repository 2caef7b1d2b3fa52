//! Issues that move between projects.

use super::builders::{
    World, address, address_in, created, link_added, link_removed, settings, settings_of_beta,
};
use crate::happening::Happening;

#[test]
fn an_unbound_project_keeps_links_silent() {
    let mut world = World::linked();
    let moved = world.transfer("FREE", None);
    let step = world.see(&[moved]);
    assert_eq!(world.live(), ["1"]);
    assert!(step.plan.effects.is_empty());
    assert_eq!(step.reasons(), ["kept_silent"]);
    assert_eq!(
        world.record.as_ref().map(|record| record.key.as_str()),
        Some("FREE-7")
    );

    let comment = world.comment("20", "Bob", &address("2"));
    let step = world.see(&[comment]);
    assert!(step.plan.effects.is_empty());
    assert_eq!(world.live(), ["1"], "and makes no new ones");
}

#[test]
fn an_unbound_project_still_follows_removals() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(&[comment]);
    let moved = world.transfer("FREE", None);
    world.see(&[moved]);
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert_eq!(world.live(), ["1"]);
    let removed = world.delete_comment("20");
    let step = world.see(&[removed]);
    assert!(world.live().is_empty());
    assert!(step.is_silent() && step.records(), "Jira's record follows");
}

#[test]
fn links_speak_again_where_the_project_is_bound() {
    let mut world = World::linked();
    let moved = world.transfer("FREE", None);
    world.see(&[moved]);
    let unheard = world.comment("20", "Bob", "unheard");
    world.see(&[unheard]);
    let back = world.transfer("ENG", Some(settings()));
    let step = world.see(&[back]);
    assert!(step.is_silent());
    assert_eq!(world.link("1").generation, 1);
    let heard = world.comment("21", "Bob", "heard");
    assert_eq!(world.see(&[heard]).texts().len(), 1);
}

#[test]
fn what_was_pasted_in_an_unbound_project_links_on_return() {
    let mut world = World::linked();
    let moved = world.transfer("FREE", None);
    world.see(&[moved]);
    let pasted = world.comment("20", "Bob", &address("2"));
    world.see(&[pasted]);
    let back = world.transfer("ENG", Some(settings()));
    world.see(&[back]);
    assert_eq!(world.live(), ["1", "2"]);
}

#[test]
fn what_was_pasted_in_a_project_of_another_workspace_links_on_return() {
    let mut world = World::linked();
    let moved = world.transfer("OPS", Some(settings_of_beta()));
    world.see(&[moved]);
    let pasted = world.comment("20", "Bob", &address("2"));
    let step = world.see(&[pasted]);
    assert!(step.reasons().contains(&"other_workspace"));
    let back = world.transfer("ENG", Some(settings()));
    world.see(&[back]);
    world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1", "2"]);
}

#[test]
fn an_issue_first_seen_unbound_is_taken_over_when_its_project_is_bound() {
    let mut world = World::new(&address("1"));
    world.issue.recorded = vec!["9".to_owned()];
    world.settings = None;
    world.comment("20", "Bob", &address("2"));
    let step = world.see(&[created()]);
    assert_eq!(step.reasons(), ["not_bound"]);

    world.settings = Some(settings());
    world.settings().active_since = world.now.plus_ms(1);
    let assigned = world.assign("Bob", None);
    let step = world.see(&[assigned]);
    assert_eq!(world.live(), ["1", "2", "9"]);
    let texts = step.texts();
    assert_eq!(
        texts.len(),
        3,
        "each hears of the assignment and nothing else: {texts:#?}"
    );
    assert!(texts.iter().all(|text| text.contains("unassigned")));
}

#[test]
fn a_command_in_an_unbound_project_is_explained() {
    let mut world = World::new("nothing");
    world.settings = None;
    let step = world.see(&[link_added("1")]);
    assert!(world.links.is_empty());
    assert_eq!(step.reasons(), ["not_bound"]);
}

#[test]
fn a_link_can_be_ended_by_hand_in_an_unbound_project() {
    let mut world = World::linked();
    let moved = world.transfer("FREE", None);
    world.see(&[moved]);
    world.see(&[link_removed("1")]);
    assert!(world.live().is_empty());
}

#[test]
fn a_project_of_another_workspace_keeps_links_silent() {
    for description in [address("1"), address_in("_", "1")] {
        let mut world = World::new(&description);
        world.see(&[created()]);
        let moved = world.transfer("OPS", Some(settings_of_beta()));
        let step = world.see(&[moved]);
        assert_eq!(world.live(), ["1"]);
        assert_eq!(
            world.link("1").workspace.as_str(),
            "acme",
            "no second conversation 1"
        );
        assert!(step.plan.effects.is_empty());
        assert!(step.reasons().contains(&"kept_silent"));

        let comment = world.comment("20", "Bob", &format!("{} too", address_in("betacode", "2")));
        let notes = world.see(&[comment]).notes();
        assert_eq!(
            notes.len(),
            1,
            "only the conversation of that workspace is told"
        );
        assert_eq!(notes[0].0, "2");

        let removed = world.describe("Bob", "nothing");
        world.see(&[removed]);
        assert_eq!(world.live(), ["2"], "removals are followed");
    }
}

#[test]
fn a_renamed_key_keeps_the_effect_keys() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", "hello");
    world.see(std::slice::from_ref(&comment));
    let moved = world.transfer("NEW", Some(settings()));
    world.see(&[moved]);
    world.facts.clear();
    let step = world.look(&[comment, Happening::Looked]);
    assert!(step.fresh.is_empty(), "even if the facts were forgotten");
    let next = world.comment("21", "Bob", "hello");
    let texts = world.see(&[next]).texts();
    assert!(
        texts[0].contains("https://jira.example.com/browse/NEW-7#"),
        "the present key"
    );
}
