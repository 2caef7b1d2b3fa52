//! How links come to life and end.

use super::builders::{
    CREATED_AT, Step, World, address, address_in, created, link_added, link_removed,
    mentioned_twice,
};
use crate::happening::Happening;
use crate::link::{LinkEnd, Origin};
use crate::observation::CommentView;

#[test]
fn one_of_two_mentions_may_go() {
    for first in ["description", "comment"] {
        let mut world = mentioned_twice();
        let remove = |world: &mut World, what: &str| match what {
            "description" => world.describe("Bob", "gone"),
            _ => world.delete_comment("20"),
        };
        let happening = remove(&mut world, first);
        let step = world.see(&[happening]);
        assert_eq!(world.live(), ["1"], "{first} gone, the other holds it");
        assert!(!step.records(), "the set of links is the same");

        let second = if first == "description" {
            "comment"
        } else {
            "description"
        };
        let happening = remove(&mut world, second);
        let step = world.see(&[happening]);
        assert!(world.live().is_empty(), "{second} gone too");
        assert!(step.is_silent() && step.records());
        assert_eq!(step.reasons(), ["links_followed"]);
        assert_eq!(world.link("1").ended, Some(LinkEnd::AddressRemoved));
        assert_eq!(world.link("1").ended_at, Some(world.issue.updated_at));
    }
}

#[test]
fn a_second_mention_makes_no_second_welcome() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", &address("1"));
    let step = world.see(&[comment]);
    assert_eq!(step.texts().len(), 1, "only the comment is told");
    assert!(step.texts()[0].starts_with("<p><b>Bob</b> commented</p>"));
    assert!(!step.records());
}

#[test]
fn addresses_that_arrive_together_make_one_welcome() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &address("1"));
    let edit = world.describe("Bob", &address("1"));
    assert_eq!(
        world.see(&[comment, edit]).texts(),
        ["<p><b>Bob</b> linked ISSUE</p>"]
    );
    assert_eq!(world.link("1").sources.len(), 2);
}

#[test]
fn the_earliest_of_several_new_sources_made_the_link() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let late = world.comment("20", "Late", "first");
    world.see(&[late]);
    world.comment("21", "Early", &address("1"));
    world.edit_comment("20", "Editor", &address("1"));
    world.describe("Describer", &address("1"));
    let step = world.look(&[Happening::Looked]);
    assert_eq!(step.texts(), ["<p><b>Early</b> linked ISSUE</p>"]);
    assert_eq!(world.link("1").since, CREATED_AT.plus_ms(200));
}

#[test]
fn a_comment_may_name_two_conversations() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let comment = world.comment(
        "20",
        "Bob",
        &format!("{} and {}", address("1"), address("2")),
    );
    let notes = world.see(&[comment]).notes();
    assert_eq!(
        notes.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert!(
        notes
            .iter()
            .all(|(_, text)| text.starts_with("<p><b>Bob</b> linked ISSUE</p>"))
    );

    let edit = world.edit_comment("20", "Bob", &address("2"));
    world.see(&[edit]);
    assert_eq!(world.live(), ["2"]);
}

#[test]
fn several_conversations_are_all_told() {
    let mut world = World::new(&format!("{} {}", address("1"), address("2")));
    world.see(&[created()]);
    let third = world.comment("20", "Bob", &address("3"));
    let notes = world.see(&[third]).notes();
    assert_eq!(
        notes.len(),
        3,
        "the new one is welcomed, the others hear the comment"
    );
    let moved = world.transition("Bob", "Done");
    let step = world.see(&[moved]);
    assert_eq!(step.notes().len(), 3);
    assert_eq!(step.reopened(), ["1", "2", "3"]);
}

#[test]
fn two_issues_tell_one_conversation_apart() {
    let mut one = World::new(&address("1"));
    let mut two = World::new(&address("1"));
    two.issue.id = crate::ids::IssueId::new("10002");
    let (first, second) = (one.see(&[created()]), two.see(&[created()]));
    assert_ne!(first.fresh[0].key, second.fresh[0].key);
    assert_ne!(first.fresh[0].key.marker(), second.fresh[0].key.marker());
}

#[test]
fn an_edit_of_a_comment_adds_and_removes() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let written = world.comment("20", "Bob", "nothing");
    world.see(&[written]);
    let added = world.edit_comment("20", "Bob", &address("1"));
    world.see(&[added]);
    assert_eq!(world.live(), ["1"]);
    let removed = world.edit_comment("20", "Bob", "nothing again");
    let step = world.see(&[removed]);
    assert!(world.live().is_empty());
    assert!(step.is_silent());
}

#[test]
fn deleting_the_issue_ends_everything() {
    let mut world = mentioned_twice();
    let added = link_added("2");
    world.see(&[added]);
    let deleted = world.delete();
    let step = world.see(std::slice::from_ref(&deleted));
    assert!(world.live().is_empty());
    assert!(
        step.plan.effects.is_empty(),
        "there is nothing left to write to"
    );
    assert_eq!(step.reasons(), ["issue_gone"]);
    assert!(
        world
            .links
            .iter()
            .all(|link| link.ended == Some(LinkEnd::IssueDeleted))
    );
    assert!(world.record.as_ref().is_some_and(|record| record.deleted));

    let again = world.see(&[deleted]);
    assert!(again.plan.links.is_empty(), "once is enough");
}

#[test]
fn an_unreadable_issue_keeps_its_links() {
    let mut world = World::linked();
    world.there = false;
    let step = world.see(&[Happening::Looked]);
    assert_eq!(
        world.live(),
        ["1"],
        "a 404 may be a permission that comes back"
    );
    assert_eq!(step.reasons(), ["issue_gone"]);
}

#[test]
fn an_issue_not_shown_any_more_loses_its_links_until_it_is_shown_again() {
    let mut world = mentioned_twice();
    world.see(&[link_added("2")]);
    world.see(&[link_added("3")]);
    world.see(&[link_removed("3")]);
    world.there = false;
    let step = world.see(&[Happening::Unseen]);
    assert!(world.live().is_empty() && step.plan.effects.is_empty());
    assert_eq!(step.reasons(), ["issue_unseen"]);
    for live_before in ["1", "2"] {
        assert_eq!(world.link(live_before).ended, Some(LinkEnd::IssueUnseen));
    }
    assert_eq!(world.link("3").ended, Some(LinkEnd::ByHand));
    let record = world.record.clone().unwrap();
    assert!(!record.scanned && !record.deleted, "it may come back");
    let again = world.see(&[Happening::Unseen]);
    assert!(again.plan.links.is_empty(), "once is enough");
    let comment = world.comment("29", "Bob", "Unseen.");
    assert!(world.see(&[comment]).plan.links.is_empty());

    world.there = true;
    let step = world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["1", "2"], "not what a person ended");
    assert!(step.is_silent() && step.records());
    assert_eq!(step.reasons(), ["seen_again", "links_followed"]);
    let told = world.comment("30", "Bob", "Here I am.");
    assert_eq!(world.see(&[told]).texts().len(), 2);
}

#[test]
fn what_was_taken_out_while_the_issue_was_not_shown_does_not_come_back() {
    let mut world = World::linked();
    world.there = false;
    world.see(&[Happening::Unseen]);
    world.there = true;
    world.describe("Bob", &address("2"));
    let step = world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["2"]);
    assert_eq!(step.texts().len(), 1, "{:?}", step.texts());
}

#[test]
fn a_false_report_of_deletion_changes_nothing() {
    let mut world = World::linked();
    let step = world.see(&[Happening::Deleted]);
    assert_eq!(world.live(), ["1"]);
    assert_eq!(step.reasons(), ["still_there"]);
}

#[test]
fn an_issue_that_returns_is_looked_through_anew() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(&[comment]);
    let deleted = world.delete();
    world.see(&[deleted]);
    world.there = true;
    world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"], "the comment still holds the address");
}

#[test]
fn an_older_event_that_comes_late_does_not_revive() {
    let mut world = World::new("no address");
    let born = created();
    let comment = world.comment("20", "Bob", &address("1"));
    let edit = world.describe("Bob", &address("2"));
    world.see(&[born.clone(), comment.clone(), edit.clone()]);
    assert_eq!(world.live(), ["1", "2"]);
    let gone = [world.delete_comment("20"), world.describe("Bob", "nothing")];
    for happening in gone {
        world.see(&[happening]);
    }
    for late in [born, comment, edit, Happening::CommentEdited("20".into())] {
        let step = world.see(&[late]);
        assert!(world.live().is_empty());
        assert!(step.plan.effects.is_empty());
        assert!(!step.reasons().is_empty());
    }
}

#[test]
fn re_adding_revives_with_a_new_welcome() {
    let mut world = World::linked();
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    let added = world.describe("Cleo", &address("1"));
    let step = world.see(&[added]);
    assert_eq!(step.texts(), ["<p><b>Cleo</b> linked ISSUE</p>"]);
    let link = world.link("1");
    assert_eq!((link.generation, link.live), (2, true));
    assert_eq!(link.ended, None);
    assert_eq!(link.since, world.now);
}

#[test]
fn re_adding_is_told_even_if_an_old_event_shows_it_first() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(std::slice::from_ref(&comment));
    let removed = world.edit_comment("20", "Bob", "nothing");
    world.see(&[removed]);
    world.edit_comment("20", "Cleo", &address("1"));
    // The first delivery comes a second time, and shows the comment as it is now.
    let step = world.see(&[comment]);
    assert_eq!(step.texts(), ["<p><b>Cleo</b> linked ISSUE</p>"]);
    assert_eq!(world.link("1").since, world.now);
}

#[test]
fn only_the_bound_workspace_is_linked() {
    let url = |tail: &str| format!("https://app.intercom.com/a/{tail}");
    for (name, description, live) in [
        ("its code", address("1"), vec!["1"]),
        ("another code", address_in("betacode", "1"), vec![]),
        ("the current workspace", address_in("_", "1"), vec!["1"]),
        ("none named", url("inbox/conversation/1"), vec!["1"]),
        (
            "both",
            format!("{} {}", address_in("betacode", "1"), address("2")),
            vec!["2"],
        ),
    ] {
        let mut world = World::new(&description);
        let step = world.see(&[created()]);
        assert_eq!(world.live(), live, "{name}");
        let explained = step.reasons().contains(&"other_workspace");
        assert_eq!(explained, description.contains("betacode"), "{name}");
    }
}

#[test]
fn an_edit_to_another_workspaces_address_ends_the_link() {
    let mut world = World::linked();
    let edit = world.describe("Bob", &address_in("betacode", "1"));
    world.see(&[edit]);
    assert!(world.live().is_empty());
}

#[test]
fn a_workspace_whose_code_is_not_known_yet_loses_no_link() {
    let mut world = World::linked();
    world.settings().workspace_code = None;
    world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"]);

    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert!(world.live().is_empty(), "removals are followed meanwhile");
}

#[test]
fn what_was_read_before_the_code_was_known_is_read_again() {
    let mut world = World::new("nothing");
    let code = world.settings().workspace_code.take();
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &address("1"));
    let step = world.see(&[comment]);
    assert!(world.live().is_empty());
    assert!(
        step.reasons().contains(&"workspace_unknown"),
        "{:?}",
        step.reasons()
    );
    world.settings().workspace_code = code;
    world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"]);
}

#[test]
fn an_old_address_is_taken_over_silently() {
    let mut world = World::new(&address("1"));
    world.comment("20", "Bob", &address("2"));
    world.settings().active_since = world.now.plus_ms(1);
    world.settings().notify.created.reopen = true;
    let new = world.comment("21", "Bob", &address("3"));
    let step = world.look(&[created(), new]);
    assert_eq!(world.live(), ["1", "2", "3"]);
    assert!(step.reasons().contains(&"taken_over"));
    assert!(
        step.reopened().is_empty(),
        "the creation is as old as the link"
    );
    let welcomed: Vec<_> = step
        .notes()
        .into_iter()
        .filter(|(at, _)| at == "3")
        .collect();
    assert_eq!(welcomed.len(), 1);

    let moved = world.transition("Bob", "Done");
    assert_eq!(
        world.see(&[moved]).reopened(),
        ["1", "2", "3"],
        "from now on they are told"
    );
}

#[test]
fn recorded_ids_are_adopted_silently_at_first_sight_only() {
    let mut world = World::new("nothing");
    world.issue.recorded = vec!["1".to_owned()];
    let step = world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"]);
    assert!(step.is_silent());
    assert!(step.reasons().contains(&"taken_over"));
    assert_eq!(world.link("1").sources[0].origin, Origin::Import);

    world.issue.recorded = vec!["1".to_owned(), "2".to_owned()];
    world.look(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"], "from then on the property is ours");

    world.see(&[link_removed("1")]);
    world.look(&[Happening::Looked]);
    assert!(world.live().is_empty());
}

#[test]
fn a_recorded_id_whose_address_is_there_goes_with_the_address() {
    let mut world = World::new(&address("1"));
    world.issue.recorded = vec!["1".to_owned()];
    world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"]);
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    assert!(world.live().is_empty(), "removing the address ends it");
}

#[test]
fn our_own_record_is_not_taken_for_another_apps() {
    // Not all comments could be read, so the issue counts as never looked through, and the
    // property, which is ours by now, is read each time.
    let mut world = World::new(&address("1"));
    world.issue.comments_complete = false;
    world.look(&[created()]);
    world.issue.recorded = vec!["1".to_owned()];
    let removed = world.describe("Bob", "nothing");
    world.look(&[removed]);
    assert!(world.live().is_empty());
}

#[test]
fn a_comment_that_was_not_read_keeps_its_link() {
    let mut world = mentioned_twice();
    let removed = world.describe("Bob", "nothing");
    world.see(&[removed]);
    world.issue.comments = vec![];
    world.see(&[Happening::Looked]);
    assert_eq!(world.live(), ["1"], "nobody looked at the comments");
    world.look(&[Happening::Looked]);
    assert!(
        world.live().is_empty(),
        "all comments were read and it is not there"
    );
}

#[test]
fn a_hidden_comment_holds_nothing() {
    let mut world = World::new("nothing");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &address("1"));
    world.see(&[comment]);
    world.issue.comments = vec![CommentView::Absent("20".into())];
    world.see(&[Happening::CommentEdited("20".into())]);
    assert!(world.live().is_empty());
}

#[test]
fn nothing_is_said_of_links_when_nothing_changed() {
    let mut world = World::linked();
    let Step { plan, .. } = world.look(&[Happening::Looked]);
    assert!(plan.links.is_empty() && plan.record.is_none() && plan.effects.is_empty());
}
