//! Rules: what is told, and when a conversation is re-opened.

use super::builders::{BOTH, NOTE, OFF, REOPEN, World, address, created};
use crate::effect::Act;
use crate::happening::Happening;
use crate::ids::EventId;
use crate::outcome::Reason;
use crate::settings::{CommentFilter, StatusMatch, TransitionRule, Trigger};

fn rule(from: &str, to: &str, then: Trigger) -> TransitionRule {
    let read = |text: &str| StatusMatch::read(text).expect("a status");
    TransitionRule {
        from: read(from),
        to: read(to),
        then,
    }
}

#[test]
fn a_general_trigger_and_rules_make_one_note_together() {
    for (name, general, rules, notes, reopens) in [
        ("general only", NOTE, vec![], 1, 0),
        ("general re-opens", BOTH, vec![], 1, 1),
        ("rule re-opens", NOTE, vec![rule("*", "Done", REOPEN)], 1, 1),
        ("both note", NOTE, vec![rule("*", "Done", BOTH)], 1, 1),
        ("rule only", OFF, vec![rule("*", "Done", NOTE)], 1, 0),
        ("re-open only", OFF, vec![rule("*", "Done", REOPEN)], 0, 1),
        (
            "two rules",
            OFF,
            vec![rule("*", "Done", NOTE), rule("To Do", "*", REOPEN)],
            1,
            1,
        ),
        (
            "rule of another status",
            OFF,
            vec![rule("*", "In Progress", BOTH)],
            0,
            0,
        ),
        (
            "rule from another status",
            OFF,
            vec![rule("In Progress", "Done", BOTH)],
            0,
            0,
        ),
    ] {
        let mut world = World::linked();
        world.settings().notify.transitioned = general;
        world.settings().transitions = rules;
        let moved = world.transition("Bob", "Done");
        let step = world.see(&[moved]);
        assert_eq!(
            (step.texts().len(), step.reopened().len()),
            (notes, reopens),
            "{name}"
        );
        let off = notes + reopens == 0;
        assert_eq!(
            step.reasons(),
            if off { vec!["rule_off"] } else { vec![] },
            "{name}"
        );
    }
}

#[test]
fn a_rule_names_statuses_by_name_id_or_category() {
    for (from, to, matches) in [
        ("*", "Done", true),
        ("*", "done", true),
        ("*", "5", true),
        ("*", "category:done", true),
        ("*", "category:Done", true),
        ("To Do", "Done", true),
        ("1", "5", true),
        ("category:new", "category:done", true),
        ("*", "category:new", false),
        ("*", "Don", false),
        ("Done", "*", false),
    ] {
        let mut world = World::linked();
        world.settings().notify.transitioned = OFF;
        world.settings().transitions = vec![rule(from, to, NOTE)];
        let moved = world.transition("Bob", "Done");
        assert_eq!(
            world.see(&[moved]).texts().len(),
            usize::from(matches),
            "{from} → {to}"
        );
    }
    assert!(StatusMatch::read("category:finished").is_err());
}

#[test]
fn the_note_comes_before_the_re_opening() {
    let mut world = World::linked();
    world.settings().unassign_on_open = true;
    world.settings().wake_snoozed = true;
    let moved = world.transition("Bob", "Done");
    let step = world.see(&[moved]);
    let acts: Vec<&Act> = step.fresh.iter().map(|effect| &effect.act).collect();
    assert!(matches!(
        acts[..],
        [
            Act::Note {
                wake_snoozed: true,
                ..
            },
            Act::Reopen { unassign: true, .. }
        ]
    ));
    assert_eq!(
        step.fresh[0].lane(),
        step.fresh[1].lane(),
        "so that they stay in this order"
    );
}

#[test]
fn each_trigger_may_be_off() {
    type Happen = fn(&mut World) -> Happening;
    let cases: [(&str, Happen); 3] = [
        ("assigned", |world| world.assign("Bob", None)),
        ("commented", |world| world.comment("20", "Bob", "hello")),
        ("transitioned", |world| world.transition("Bob", "Done")),
    ];
    for (trigger, happen) in cases {
        let mut world = World::linked();
        let notify = &mut world.settings().notify;
        (notify.assigned, notify.commented, notify.transitioned) = (OFF, OFF, OFF);
        let happening = happen(&mut world);
        let step = world.see(&[happening]);
        assert!(step.plan.effects.is_empty(), "{trigger}");
        let off = Reason::RuleOff {
            trigger: trigger.to_owned(),
        };
        assert_eq!(step.plan.outcome.reasons, [off]);
    }
}

#[test]
fn the_fact_that_links_re_opens_by_its_own_rule() {
    let mut world = World::new(&address("1"));
    world.settings().notify.created = BOTH;
    let step = world.see(&[created()]);
    assert_eq!((step.texts().len(), step.reopened().len()), (1, 1));

    let mut world = World::new("nothing");
    world.settings().notify.commented = REOPEN;
    world.see(&[created()]);
    let comment = world.comment("20", "Bob", &format!("see {}", address("1")));
    let step = world.see(&[comment]);
    assert_eq!(step.texts(), ["<p><b>Bob</b> linked ISSUE</p>"]);
    assert_eq!(step.reopened(), ["1"]);
}

#[test]
fn the_notify_address_asks_for_itself() {
    for (note, reopen) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut world = World::linked();
        let asked = Happening::Asked {
            event: EventId(7),
            note,
            reopen,
            text: None,
        };
        let step = world.see(&[asked]);
        assert_eq!(step.texts().len(), usize::from(note));
        assert_eq!(step.reopened().len(), usize::from(reopen));
        assert_eq!(step.reasons().is_empty(), note || reopen);
    }
}

#[test]
fn asking_twice_is_two_facts() {
    let mut world = World::linked();
    let asked = |event| Happening::Asked {
        event: EventId(event),
        note: true,
        reopen: false,
        text: None,
    };
    assert_eq!(world.see(&[asked(1)]).texts().len(), 1);
    assert_eq!(world.see(&[asked(2)]).texts().len(), 1);
    assert_eq!(world.see(&[asked(1)]).texts().len(), 0);
}

#[test]
fn a_marker_selects_comments() {
    for (text, told) in [("please #tell them", true), ("nothing to say", false)] {
        let mut world = World::linked();
        world.settings().notify.filter = CommentFilter::Marker("#tell".to_owned());
        let comment = world.comment("20", "Bob", text);
        let step = world.see(&[comment]);
        assert_eq!(step.texts().len(), usize::from(told), "{text}");
        assert_eq!(
            step.reasons(),
            if told { vec![] } else { vec!["filtered_out"] }
        );
    }
}
