//! What is never forwarded, though its addresses link.

use super::builders::{Step, World, address, created, settings};
use crate::effect::Act;
use crate::happening::Happening;
use crate::ids::EventId;
use crate::observation::CommentVisibility::{self, Internal, Public, Restricted, Unstated};
use crate::settings::CommentFilter;

const SECRET: &str = "the-secret";

#[test]
fn only_open_comments_pass_each_filter() {
    let marker = || CommentFilter::Marker("the-".to_owned());
    for (filter, visibility, reason) in [
        (CommentFilter::All, Public, None),
        (CommentFilter::All, Unstated, None),
        (CommentFilter::All, Internal, Some("restricted_comment")),
        (CommentFilter::All, Restricted, Some("restricted_comment")),
        (CommentFilter::Public, Public, None),
        (CommentFilter::Public, Unstated, Some("filtered_out")),
        (CommentFilter::Public, Internal, Some("restricted_comment")),
        (
            CommentFilter::Public,
            Restricted,
            Some("restricted_comment"),
        ),
        (marker(), Public, None),
        (marker(), Unstated, None),
        (marker(), Internal, Some("restricted_comment")),
        (marker(), Restricted, Some("restricted_comment")),
    ] {
        let name = format!("{filter:?} {visibility:?}");
        let mut world = World::linked();
        world.settings().notify.filter = filter.clone();
        let comment = world.comment_for(visibility, "20", "Bob", SECRET);
        let step = world.see(&[comment]);
        assert_eq!(step.texts().len(), usize::from(reason.is_none()), "{name}");
        assert_eq!(
            step.reasons(),
            reason.into_iter().collect::<Vec<_>>(),
            "{name}"
        );

        let mut world = World::new("nothing");
        world.settings().notify.filter = filter;
        world.see(&[created()]);
        let text = format!("{SECRET} {}", address("1"));
        let comment = world.comment_for(visibility, "20", "Bob", &text);
        let texts = world.see(&[comment]).texts();
        assert_eq!(texts.len(), 1, "{name}: its address links");
        assert_eq!(texts[0].contains(SECRET), reason.is_none(), "{name}");
    }
}

#[test]
fn a_comment_made_internal_meanwhile_is_not_forwarded() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", SECRET);
    let crate::observation::CommentView::Present(written) = &mut world.issue.comments[0] else {
        unreachable!()
    };
    written.visibility = Internal;
    let step = world.see(&[comment]);
    assert!(step.is_silent());
    assert_eq!(step.reasons(), ["restricted_comment"]);
}

fn everything(world: &mut World) -> Vec<Happening> {
    vec![
        created(),
        world.comment("20", "Bob", SECRET),
        world.assign("Bob", Some("Cleo")),
        world.transition("Bob", "Done"),
        Happening::Asked {
            event: EventId(7),
            note: true,
            reopen: true,
            text: None,
        },
    ]
}

#[test]
fn an_issue_with_a_security_level_is_linked_and_silent() {
    let mut world = World::new(&address("1"));
    world.issue.confidential = true;
    for happening in everything(&mut world) {
        let step = world.see(&[happening]);
        assert!(step.is_silent());
        assert!(step.reasons().contains(&"security_level"));
    }
    assert_eq!(world.live(), ["1"]);

    world.issue.confidential = false;
    let comment = world.comment("21", "Bob", "open now");
    assert_eq!(
        world.see(&[comment]).texts().len(),
        1,
        "what happens from now on is told"
    );
    let early = world.look(&everything(&mut World::new("")));
    assert!(
        early.texts().is_empty(),
        "what happened meanwhile stays untold"
    );
}

#[test]
fn a_comment_that_is_gone_is_not_forwarded() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", SECRET);
    world.delete_comment("20");
    let step = world.see(&[comment]);
    assert!(step.is_silent());
    assert_eq!(step.reasons(), ["comment_gone"]);
}

#[test]
fn with_linking_off_nothing_is_told_or_linked_and_removals_are_followed() {
    let mut world = World::linked();
    world.settings().linking = false;
    for happening in everything(&mut world) {
        let step = world.see(&[happening]);
        assert!(step.is_silent());
        assert_eq!(step.reasons(), ["linking_off"]);
    }
    let text = format!("{} {}", address("1"), address("2"));
    let added = world.describe("Bob", &text);
    world.see(&[added]);
    world.see(&[super::builders::link_added("3")]);
    assert_eq!(world.live(), ["1"], "nothing new");

    let removed = world.describe("Bob", &address("2"));
    let step = world.see(&[removed]);
    assert!(world.live().is_empty());
    assert!(step.records());
}

#[test]
fn what_was_pasted_while_linking_was_off_links_when_it_is_on_again() {
    let mut world = World::new("nothing");
    world.settings().linking = false;
    world.see(&[created()]);
    let comment = world.comment_for(CommentVisibility::Public, "20", "Bob", &address("1"));
    world.see(&[comment]);
    assert!(world.live().is_empty());
    world.settings = Some(settings());
    let other = world.comment("21", "Bob", "hello");
    world.see(&[other]);
    assert_eq!(world.live(), ["1"]);
}

#[test]
fn a_muted_project_follows_links_and_tells_nothing() {
    let mut world = World::linked();
    world.settings().muted = true;
    let moved = world.transition("Bob", "Done");
    let step = world.see(&[moved]);
    assert!(step.is_silent());
    assert_eq!(step.reasons(), ["muted"]);
    let text = format!("see {}", address("7"));
    let comment = world.comment("20", "Bob", &text);
    let step = world.see(&[comment]);
    assert!(step.texts().is_empty());
    assert!(world.live().contains(&"7".to_owned()), "the link is made");

    // What happened meanwhile is not told later.
    world.settings().muted = false;
    let step = world.see(&[Happening::Looked]);
    assert!(step.texts().is_empty(), "{:?}", step.texts());
    let moved = world.transition("Bob", "To Do");
    assert_eq!(world.see(&[moved]).texts().len(), 2);
}

#[test]
fn a_note_holds_no_more_than_the_project_allows() {
    let notes = |step: Step| -> Vec<String> {
        let acts = step.fresh.into_iter().map(|effect| effect.act);
        acts.filter_map(|act| match act {
            Act::Note { html, .. } => Some(html),
            _ => None,
        })
        .collect()
    };
    let mut world = World::linked();
    let summary = world.issue.summary.clone();
    world.settings().contents.comment = false;
    let comment = world.comment("20", "Bob", SECRET);
    let told = notes(world.see(&[comment]));
    assert_eq!(told.len(), 1);
    assert!(!told[0].contains(SECRET), "{told:?}");
    assert!(told[0].contains("commented on") && told[0].contains(&summary));

    world.settings().contents.summary = false;
    let text = format!("{SECRET} {}", address("9"));
    let comment = world.comment("21", "Bob", &text);
    let told = notes(world.see(&[comment]));
    assert_eq!(told.len(), 2, "one that welcomes the new link: {told:?}");
    for html in told {
        assert!(!html.contains(SECRET) && !html.contains(&summary), "{html}");
        assert!(html.contains(world.issue.key.as_str()), "{html}");
    }
}
