//! Notes are HTML made of what strangers wrote.

use bowline_text::{Doc, Inline};

use super::builders::{World, address, person, status};
use crate::effect::Act;
use crate::happening::{Change, Happening};
use crate::ids::EventId;
use crate::observation::{CommentView, Person};

const HOSTILE: &str = "<img src=x onerror=alert(1)> & \"quoted\" 'single' </p><script>";

/// Every kind of note about an issue in which everything is hostile.
fn hostile_notes() -> Vec<(String, String)> {
    let mut world = World::linked();
    world.issue.summary = HOSTILE.to_owned();
    world.issue.status = status(HOSTILE);
    let hostile = || -> Person { person(HOSTILE) };
    let mut happenings = vec![
        world.comment("20", HOSTILE, HOSTILE),
        world.comment("21", HOSTILE, &format!("{HOSTILE} {}", address("2"))),
        world.assign(HOSTILE, Some(HOSTILE)),
        world.assign(HOSTILE, None),
        world.transition(HOSTILE, HOSTILE),
        world.describe(HOSTILE, &format!("{} {}", address("1"), address("3"))),
    ];
    for (event, text) in [(1, None), (2, Some(HOSTILE.to_owned()))] {
        let event = EventId(event);
        happenings.push(Happening::Asked {
            event,
            note: true,
            reopen: false,
            text,
        });
    }
    happenings.push(Happening::LinkAdded {
        workspace: "acme".into(),
        conversation: "4".into(),
        by: HOSTILE.to_owned(),
        via: None,
        imported: false,
    });
    let mut creation = World::new(&address("1"));
    creation.issue.summary = HOSTILE.to_owned();
    let born = creation.see(&[Happening::Created {
        actor: Some(hostile()),
    }]);

    let mut notes = Vec::new();
    let steps = happenings
        .into_iter()
        .map(|happening| world.see(&[happening]));
    for effect in steps.chain([born]).flat_map(|step| step.fresh) {
        if let Act::Note { html, .. } = effect.act {
            notes.push((effect.key.marker().as_str().to_owned(), html));
        }
    }
    assert!(notes.len() > 12, "every kind of note is there");
    notes
}

#[test]
fn all_text_is_escaped() {
    for (_, html) in hostile_notes() {
        assert!(
            !html.contains("<img") && !html.contains("<script"),
            "{html}"
        );
        let texts = html
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |(_, t)| t));
        for text in texts {
            assert!(!text.contains(['<', '>']), "{html}");
        }
        let entities = html.split('&').skip(1);
        for entity in entities {
            let known = ["amp;", "lt;", "gt;", "quot;", "#39;", "#x27;"];
            assert!(known.iter().any(|name| entity.starts_with(name)), "{html}");
        }
    }
}

#[test]
fn the_marker_is_once_the_fragment_of_the_issues_link() {
    for (marker, html) in hostile_notes() {
        let link = format!("<a href=\"https://jira.example.com/browse/ENG-1#{marker}\">");
        assert_eq!(html.matches(&link).count(), 1, "{html}");
        assert_eq!(html.matches(&marker).count(), 1, "{html}");
        assert_eq!(html.matches("<a ").count(), 1, "no other link: {html}");
    }
}

#[test]
fn elements_are_closed_in_order() {
    for (_, html) in hostile_notes() {
        let mut open = Vec::new();
        for tag in html
            .split('<')
            .skip(1)
            .filter_map(|part| part.split('>').next())
        {
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
                None if tag == "br" => {}
                None => open.push(tag.split(' ').next().unwrap_or(tag)),
            }
        }
        assert!(open.is_empty(), "{html}");
    }
}

#[test]
fn a_link_that_runs_something_is_shown_as_its_text() {
    let mut world = World::linked();
    let comment = world.comment("20", "Bob", "");
    let CommentView::Present(written) = &mut world.issue.comments[0] else {
        unreachable!()
    };
    written.body = Doc::paragraph(vec![Inline::link("javascript:alert(1)", "look")]);
    let texts = world.see(&[comment]).texts();
    assert_eq!(
        texts,
        ["<p><b>Bob</b> commented</p><p>look</p><p>on ISSUE</p>"]
    );
}

#[test]
fn a_summary_beyond_jiras_limit_is_cut() {
    let mut world = World::linked();
    world.issue.summary = "ß".repeat(5_000);
    let Happening::Changed(change) = world.assign("Bob", None) else {
        unreachable!()
    };
    let texts = world
        .see(&[Happening::Changed(Change {
            actor: None,
            ..change
        })])
        .texts();
    assert_eq!(texts[0].matches('ß').count(), 255);
}
