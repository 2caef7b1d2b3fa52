//! The text of every note.

use super::builders::{NOTE, OFF, World, address, created, link_added, person};
use crate::happening::{Change, Happening};
use crate::ids::EventId;
use crate::observation::Person;

/// Lets something happen on an issue that is linked to conversation 1, and compares the notes.
fn told(name: &str, happen: impl FnOnce(&mut World) -> Happening, want: &[&str]) {
    let mut world = World::linked();
    let happening = happen(&mut world);
    assert_eq!(world.see(&[happening]).texts(), want, "{name}");
}

fn asked(text: Option<&str>) -> Happening {
    let text = text.map(str::to_owned);
    Happening::Asked {
        event: EventId(7),
        note: true,
        reopen: false,
        text,
    }
}

#[test]
fn each_happening_has_its_text() {
    told(
        "commented",
        |world| world.comment("20", "Bob", "Found it."),
        &["<p><b>Bob</b> commented</p><p>Found it.</p><p>on ISSUE</p>"],
    );
    told(
        "assigned",
        |world| world.assign("Bob", Some("Cleo")),
        &["<p><b>Bob</b> assigned ISSUE to <b>Cleo</b></p>"],
    );
    told(
        "unassigned",
        |world| world.assign("Bob", None),
        &["<p><b>Bob</b> unassigned ISSUE</p>"],
    );
    told(
        "moved",
        |world| world.transition("Bob", "Done"),
        &["<p><b>Bob</b> moved ISSUE from <b>To Do</b> to <b>Done</b></p>"],
    );
    told(
        "asked with text",
        |_| asked(Some("Fixed in 4.2\nplease test")),
        &["<p>Fixed in 4.2<br>please test</p><p>on ISSUE</p>"],
    );
    told(
        "asked without text",
        |_| asked(None),
        &["<p>ISSUE is now <b>To Do</b></p>"],
    );
}

#[test]
fn one_change_makes_one_note() {
    let and = |world: &mut World, assigned: Option<&str>| {
        let Happening::Changed(moved) = world.transition("Bob", "Done") else {
            unreachable!()
        };
        Happening::Changed(Change {
            assigned: Some(assigned.map(str::to_owned)),
            ..moved
        })
    };
    told(
        "moved and assigned",
        |world| and(world, Some("Cleo")),
        &[
            "<p><b>Bob</b> moved ISSUE from <b>To Do</b> to <b>Done</b> and assigned it to \
           <b>Cleo</b></p>",
        ],
    );
    told(
        "moved and unassigned",
        |world| and(world, None),
        &["<p><b>Bob</b> moved ISSUE from <b>To Do</b> to <b>Done</b> and unassigned it</p>"],
    );
    told(
        "moved, and assigning is not told",
        |world| {
            world.settings().notify.assigned = OFF;
            and(world, Some("Cleo"))
        },
        &["<p><b>Bob</b> moved ISSUE from <b>To Do</b> to <b>Done</b></p>"],
    );
    told(
        "assigned, and moving is only re-opened upon",
        |world| {
            world.settings().notify.transitioned = super::builders::REOPEN;
            and(world, Some("Cleo"))
        },
        &["<p><b>Bob</b> assigned ISSUE to <b>Cleo</b></p>"],
    );
}

#[test]
fn nameless_people_are_someone() {
    let nobody = |change: Happening, actor: Option<Person>| match change {
        Happening::Changed(change) => Happening::Changed(Change { actor, ..change }),
        other => other,
    };
    told(
        "no actor",
        |world| nobody(world.assign("Bob", None), None),
        &["<p><b>Someone</b> unassigned ISSUE</p>"],
    );
    told(
        "blank name",
        |world| nobody(world.assign("Bob", None), Some(person("  "))),
        &["<p><b>Someone</b> unassigned ISSUE</p>"],
    );
}

/// Lets something happen on an issue that is not linked, and compares the notes in conversation 1.
fn welcomed(name: &str, happen: impl FnOnce(&mut World) -> Happening, want: &[&str]) {
    let mut world = World::new("no address");
    world.see(&[created()]);
    let happening = happen(&mut world);
    let step = world.see(&[happening]);
    assert_eq!(step.texts(), want, "{name}");
    assert_eq!(world.live(), ["1"], "{name}");
    assert!(step.records(), "{name}: Jira's record is brought in step");
}

#[test]
fn a_new_link_is_told_by_what_made_it() {
    welcomed(
        "description",
        |world| world.describe("Bob", &address("1")),
        &["<p><b>Bob</b> linked ISSUE</p>"],
    );
    welcomed(
        "comment of nothing but the address",
        |world| world.comment("20", "Bob", &address("1")),
        &["<p><b>Bob</b> linked ISSUE</p>"],
    );
    welcomed(
        "comment with more text",
        |world| {
            world.comment(
                "20",
                "Bob",
                &format!("Same here: {} since noon", address("1")),
            )
        },
        &["<p><b>Bob</b> linked ISSUE</p><p>Same here:  since noon</p>"],
    );
    welcomed(
        "comment with more text, comments are not told",
        |world| {
            world.settings().notify.commented = OFF;
            world.comment("20", "Bob", &format!("Same here: {}", address("1")))
        },
        &["<p><b>Bob</b> linked ISSUE</p>"],
    );
    welcomed(
        "command",
        |_| link_added("1"),
        &["<p><b>Olga</b> linked ISSUE</p>"],
    );
    welcomed(
        "edited comment",
        |world| {
            let written = world.comment("20", "Bob", "Nothing yet");
            world.see(&[written]);
            world.edit_comment("20", "Cleo", &address("1"))
        },
        &["<p><b>Cleo</b> linked ISSUE</p>"],
    );
}

#[test]
fn creation_with_an_address_says_created_unless_that_is_off() {
    for (created_rule, want) in [
        (NOTE, "<p><b>Ann</b> created ISSUE</p>"),
        (OFF, "<p><b>Ann</b> linked ISSUE</p>"),
    ] {
        let mut world = World::new(&address("1"));
        world.settings().notify.created = created_rule;
        assert_eq!(world.see(&[created()]).texts(), [want]);
    }
}

#[test]
fn creation_is_told_by_the_creator_when_the_event_names_nobody() {
    let mut world = World::new(&address("1"));
    let step = world.see(&[Happening::Created { actor: None }]);
    assert_eq!(step.texts(), ["<p><b>Ann</b> created ISSUE</p>"]);
}

#[test]
fn a_link_found_without_an_event_is_told_by_nobody() {
    let mut world = World::new("no address");
    world.see(&[created()]);
    world.describe("Bob", &address("1"));
    assert_eq!(
        world.look(&[Happening::Looked]).texts(),
        ["<p><b>Someone</b> linked ISSUE</p>"]
    );
}

#[test]
fn a_long_text_is_cut() {
    // Intercom states no limit; a note of a megabyte is no note.
    const BYTES_MAX: usize = 10_000;
    let long = "word ".repeat(20_000);
    for happening in [0, 1] {
        let mut world = World::linked();
        let happening = match happening {
            0 => world.comment("20", "Bob", &long),
            _ => asked(Some(&long)),
        };
        let texts = world.see(&[happening]).texts();
        assert_eq!(texts.len(), 1);
        assert!(texts[0].len() < BYTES_MAX, "{} bytes", texts[0].len());
        assert!(
            texts[0].ends_with("<p>on ISSUE</p>"),
            "the issue is still named"
        );
    }
}
