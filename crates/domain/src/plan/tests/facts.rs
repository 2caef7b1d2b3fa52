//! One fact, one note: whatever delivery tells it, in whatever order.

use super::builders::{World, address, created};
use crate::happening::Happening;
use crate::observation::{CommentView, CommentVisibility};

#[test]
fn the_comment_that_carries_the_address_makes_one_note() {
    let mut world = World::new("nothing");
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &format!("see {}", address("1")));
    assert_eq!(world.see(std::slice::from_ref(&comment)).texts().len(), 1);
    let again = world.see(&[comment]);
    assert!(again.fresh.is_empty());
    assert_eq!(again.reasons(), ["already_handled"]);
}

#[test]
fn known_facts_are_told_once() {
    let mut world = World::linked();
    for happening in [
        world.comment("20", "Bob", "hello"),
        world.assign("Bob", Some("Cleo")),
        world.transition("Bob", "Done"),
    ] {
        let first = world.see(std::slice::from_ref(&happening));
        assert_eq!(first.texts().len(), 1);
        let second = world.see(&[happening.clone(), happening]);
        assert!(second.plan.effects.is_empty());
        assert_eq!(second.reasons(), ["already_handled"]);
    }
}

#[test]
fn a_fact_told_twice_in_one_event_makes_one_note() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", "hello");
    assert_eq!(world.see(&[comment.clone(), comment]).texts().len(), 1);
}

#[test]
fn an_edited_comment_makes_no_new_note() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", "hello");
    world.see(&[comment]);
    let edited = world.edit_comment("20", "Bob", "hello, all");
    let step = world.see(&[edited]);
    assert!(step.plan.effects.is_empty());
    assert_eq!(step.reasons(), ["nothing_changed"]);
}

#[test]
fn an_issue_is_older_than_its_comments_though_the_clock_says_the_same() {
    let mut world = World::new("nothing");
    let comment = world.comment("20", "Bob", &format!("see {}", address("1")));
    for view in &mut world.issue.comments {
        if let CommentView::Present(comment) = view {
            comment.created_at = world.issue.created_at;
            comment.updated_at = world.issue.created_at;
        }
    }
    assert_eq!(world.see(&[comment]).texts().len(), 1);
    let late = world.see(&[created()]);
    assert!(late.is_silent());
    assert_eq!(late.reasons(), ["before_link"]);
}

#[test]
fn what_happened_before_the_link_is_not_told() {
    let mut world = World::new("nothing");
    let comment = world.comment("20", "Bob", "before");
    let moved = world.transition("Bob", "Done");
    let edit = world.describe("Bob", &address("1"));
    assert_eq!(world.see(&[edit]).texts().len(), 1);
    for late in [created(), comment, moved] {
        let step = world.see(&[late]);
        assert!(step.is_silent());
        assert_eq!(step.reasons(), ["before_link"]);
    }
}

#[test]
fn what_happened_since_the_link_is_told_late() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", "one");
    let moved = world.transition("Bob", "Done");
    assert_eq!(world.see(&[moved]).texts().len(), 1);
    assert_eq!(world.see(&[comment]).texts().len(), 1);
}

#[test]
fn each_address_is_told_with_the_change_that_put_it_in() {
    let mut world = World::new("nothing");
    world.see(&[created()]);
    let first = world.describe("Bob", &address("1"));
    let second = world.describe("Cleo", &format!("{} {}", address("1"), address("2")));
    let third = world.describe("Dan", &format!("both {} {}", address("1"), address("2")));
    let texts = world.look(&[first, second, third]).texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("Bob") && texts[1].contains("Cleo"),
        "{texts:?}"
    );
}

#[test]
fn an_address_that_was_there_before_the_change_is_told_as_it_came() {
    let mut world = World::new(&address("1"));
    let edit = world.describe("Bob", &format!("more about {}", address("1")));
    let texts = world.look(&[created(), edit]).texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].contains("Ann") && texts[0].contains(" created "),
        "{texts:?}"
    );
}

#[test]
fn a_link_that_is_found_late_hears_what_others_were_told() {
    let mut world = World::linked();
    let linking = world.comment("20", "Bob", &format!("see {}", address("2")));
    let comment = world.comment("21", "Cleo", "hello");
    assert_eq!(world.see(std::slice::from_ref(&comment)).texts().len(), 1);
    let step = world.look(&[linking, comment.clone()]);
    let heard: Vec<bool> = step
        .texts()
        .iter()
        .map(|text| text.contains("hello"))
        .collect();
    assert_eq!(
        heard,
        [false, false, true],
        "two of the link, one of what came after it"
    );
    assert!(world.look(&[comment]).fresh.is_empty());
}

/// The linking fact is seen before its own event comes: the number of notes is the same as in order.
fn out_of_order(name: &str, setup: impl Fn(&mut World) -> Vec<Happening>, want: usize) {
    let mut texts = Vec::new();
    let mut world = World::new("nothing");
    let mut deliveries = setup(&mut world);
    deliveries.rotate_left(1);
    for happening in deliveries {
        texts.extend(world.see(&[happening]).texts());
    }
    assert_eq!(world.live(), ["1"], "{name}");
    assert_eq!(texts.len(), want, "{name}: {texts:#?}");
}

#[test]
fn a_link_seen_before_its_own_event_is_told_once() {
    out_of_order(
        "created after commented",
        |world| {
            *world = World::new(&address("1"));
            vec![created(), world.comment("20", "Bob", "hello")]
        },
        2,
    );
    out_of_order(
        "first comment after the second",
        |world| {
            vec![
                world.comment("20", "Bob", &format!("see {}", address("1"))),
                world.comment("21", "Cleo", "hello"),
            ]
        },
        2,
    );
    out_of_order(
        "written after edited",
        |world| {
            world.see(&[created()]);
            vec![
                world.comment("20", "Bob", &format!("see {}", address("1"))),
                world.edit_comment("20", "Bob", &format!("see also {}", address("1"))),
            ]
        },
        1,
    );
}

#[test]
fn a_creation_seen_early_is_told_as_creation() {
    let mut world = World::new(&address("1"));
    let comment = world.comment("20", "Bob", "hello");
    let texts = world.see(&[comment]).texts();
    assert_eq!(texts[0], "<p><b>Ann</b> created ISSUE</p>");
    assert_eq!(
        texts[1],
        "<p><b>Bob</b> commented</p><p>hello</p><p>on ISSUE</p>"
    );
}

#[test]
fn a_comment_read_in_passing_lends_no_text_unless_it_is_public() {
    // A comment inside an issue does not say all that is known of who may read it.
    for (visibility, in_passing, later) in [
        (CommentVisibility::Public, "<p>see </p>", 0),
        (CommentVisibility::Unstated, "", 1),
        (CommentVisibility::Internal, "", 0),
    ] {
        let mut world = World::new("nothing");
        let first = world.comment_for(visibility, "20", "Bob", &format!("see {}", address("1")));
        let second = world.comment("21", "Cleo", "hello");
        let texts = world.see(&[second]).texts();
        assert_eq!(
            texts[0],
            format!("<p><b>Bob</b> linked ISSUE</p>{in_passing}")
        );
        assert_eq!(world.see(&[first]).texts().len(), later, "{visibility:?}");
    }
}
