//! The rules, one by one.

use super::builders::*;
use crate::feedback::capture::{Asked, capture, title};
use crate::feedback::ids::{PartId, ProductId, TagId};
use crate::feedback::person::{CapturedCompany, lead_name, main_company};
use crate::feedback::product::{ListedTag, resolve};
use crate::feedback::seen::without_markup;
use crate::feedback::ticket::{Level, Status, TEXT_CHARS_MAX};
use crate::outcome::Reason;
use crate::time::Millis;

#[test]
fn a_tagged_message_makes_a_ticket_with_its_words_and_those_around_it() {
    let messages = vec![
        customer("source", &[]),
        ours("1", &[]),
        customer("2", &["t"]),
        ours("3", &[]),
    ];
    let (captured, known) = step(
        &[product(1, &["t"])],
        &conversation(messages, &[]),
        Vec::new(),
    );
    let [made] = captured.made.as_slice() else {
        panic!("{captured:?}")
    };
    assert_eq!((made.part.as_str(), made.level), ("2", Level::Message));
    assert_eq!(
        (made.text.as_str(), made.author.as_str()),
        ("says 2", "Noa")
    );
    let around: Vec<&str> = made
        .transcript
        .iter()
        .map(|line| line.part.as_str())
        .collect();
    assert_eq!(around, ["source", "1", "3"]);
    assert_eq!(
        captured.reasons,
        [Reason::TicketMade {
            product: "Product 1".to_owned()
        }]
    );
    assert_eq!(known.len(), 1);
}

#[test]
fn which_message_stands_for_a_conversation_that_is_tagged_as_a_whole() {
    let by = |spec: &[(&str, bool)]| {
        let messages = spec.iter().map(|(part, theirs)| {
            if *theirs {
                customer(part, &[])
            } else {
                ours(part, &[])
            }
        });
        conversation(messages.collect(), &["t"])
    };
    for (seen, wanted) in [
        (
            by(&[("source", true), ("1", false), ("2", true)]),
            Some("source"),
        ),
        (
            by(&[("source", false), ("1", true), ("2", true), ("3", false)]),
            Some("2"),
        ),
        (by(&[("source", false), ("1", false)]), None),
    ] {
        let (captured, _) = step(&[product(1, &["t"])], &seen, Vec::new());
        let part = captured.made.first().map(|made| made.part.as_str());
        assert_eq!(part, wanted);
        if wanted.is_none() {
            assert_eq!(captured.reasons, [Reason::NothingFromCustomer]);
        }
    }
}

#[test]
fn a_later_message_of_the_customer_does_not_make_another_ticket_of_the_whole() {
    let products = [product(1, &["t"])];
    let mut seen = conversation(vec![ours("source", &[]), customer("1", &[])], &["t"]);
    let (_, known) = step(&products, &seen, Vec::new());
    seen.messages.push(customer("2", &[]));
    let (captured, known) = step(&products, &seen, known);
    assert!(captured.is_empty(), "{captured:?}");
    assert_eq!(known[0].part.as_str(), "1");
}

#[test]
fn a_tag_that_a_delivery_shows_without_a_message_is_the_first_ones_though_another_has_it() {
    let seen = conversation(vec![customer("source", &[]), customer("1", &["t"])], &[]);
    let asked = Asked {
        whole: vec![TagId::new("t")],
        ..Asked::default()
    };
    let captured = capture(&[product(1, &["t"])], &seen, &[], &asked);
    let made: Vec<&str> = captured
        .made
        .iter()
        .map(|made| made.part.as_str())
        .collect();
    assert_eq!(made, ["1", "source"]);
}

#[test]
fn products_that_share_a_tag_each_get_a_ticket_and_two_tags_of_one_share_it() {
    let products = [
        product(1, &["t", "u"]),
        product(2, &["t"]),
        product(3, &["v"]),
    ];
    let seen = conversation(vec![customer("source", &["t", "u"])], &[]);
    let (captured, _) = step(&products, &seen, Vec::new());
    let made: Vec<(i64, usize)> = captured
        .made
        .iter()
        .map(|made| (made.product.0, made.tags.len()))
        .collect();
    assert_eq!(made, [(1, 2), (2, 1)]);
}

#[test]
fn taking_off_marks_and_putting_on_again_unmarks_the_same_ticket() {
    let products = [product(1, &["t"])];
    let on = conversation(vec![customer("source", &["t"])], &[]);
    let off = conversation(vec![customer("source", &[])], &[]);
    let (_, known) = step(&products, &on, Vec::new());
    let (captured, known) = step(&products, &off, known);
    assert_eq!(captured.untagged.len(), 1);
    assert_eq!(captured.reasons, [Reason::TagsFollowed]);
    let (captured, known) = step(&products, &off, known);
    assert!(captured.is_empty(), "told twice: {captured:?}");
    let (captured, known) = step(&products, &on, known);
    assert!(captured.made.is_empty());
    assert_eq!(captured.tagged.len(), 1);
    assert_eq!(known.len(), 1);
    let (captured, _) = step(&products, &on, known);
    assert_eq!(
        (captured.is_empty(), captured.reasons),
        (true, vec![Reason::TicketKnown])
    );
}

#[test]
fn only_what_was_tagged_after_the_switch_counts_unless_it_is_asked_for() {
    let products = [product(1, &["t"])];
    let mut seen = conversation(vec![customer("source", &[])], &[]);
    let told = |at: i64| Asked {
        told: vec![(TagId::new("t"), Millis(at))],
        ..Asked::default()
    };
    let backfill = |id: i64, since: i64| Asked {
        backfill: Some((ProductId(id), Millis(since))),
        ..Asked::default()
    };
    let nothing = Asked::default;
    for (at, asked, made) in [
        (Some(999_000), nothing(), 0),
        // Intercom's times are cut to seconds; the switch was within this one.
        (Some(999_001), nothing(), 1),
        (Some(1_000_000), nothing(), 1),
        (None, nothing(), 0),
        (None, told(1_200_000), 1),
        (None, told(500_000), 0),
        (Some(400_000), told(1_200_000), 0),
        (Some(500_000), backfill(1, 400_000), 1),
        (Some(300_000), backfill(1, 400_000), 0),
        (Some(500_000), backfill(2, 400_000), 0),
        (Some(1_100_000), backfill(1, 2_000_000), 1),
    ] {
        seen.messages[0].tags = vec![tag("t", at.map(Millis))];
        seen.tags = seen.messages[0].tags.clone();
        let captured = capture(&products, &seen, &[], &asked);
        assert_eq!(captured.made.len(), made, "{at:?} {asked:?}");
        let why = match (made, at) {
            (1, _) => Reason::TicketMade {
                product: "Product 1".to_owned(),
            },
            (_, None) if asked.told.is_empty() => Reason::TagTimeUnknown,
            _ => Reason::TaggedBefore {
                product: "Product 1".to_owned(),
            },
        };
        assert_eq!(captured.reasons, [why], "{at:?} {asked:?}");
    }
}

#[test]
fn a_product_that_is_off_and_a_tag_that_nobody_chose_count_for_nothing() {
    let mut off = product(1, &["t"]);
    off.on = false;
    let seen = conversation(vec![customer("source", &["t", "x"])], &[]);
    for products in [vec![off], vec![product(1, &["u"])], Vec::new()] {
        let (captured, _) = step(&products, &seen, Vec::new());
        assert_eq!(captured.reasons, [Reason::TagNotChosen]);
    }
}

#[test]
fn what_is_redacted_is_erased_and_leaves_the_transcripts_of_others() {
    let products = [product(1, &["t"])];
    let mut seen = conversation(
        vec![
            customer("source", &[]),
            customer("1", &["t"]),
            customer("2", &["t"]),
        ],
        &[],
    );
    let (_, known) = step(&products, &seen, Vec::new());
    assert_eq!(known.len(), 2);
    seen.messages[1].redacted = true;
    seen.messages[1].text.clear();
    let (captured, known) = step(&products, &seen, known);
    assert_eq!(captured.redacted, [known[0].id]);
    assert_eq!(captured.reasons, [Reason::FeedbackErased]);
    assert!(known[0].erased);
    let shows = |part: &str| {
        known[1]
            .transcript
            .iter()
            .any(|line| line.part == PartId::new(part))
    };
    assert!(shows("source") && !shows("1"));
    // Nothing new comes of a message that says nothing any more.
    let (captured, _) = step(&products, &seen, Vec::new());
    assert_eq!(captured.made.len(), 1);
}

#[test]
fn a_message_that_is_too_old_to_be_shown_keeps_its_ticket() {
    let products = [product(1, &["t"])];
    let seen = conversation(vec![customer("source", &[]), customer("1", &["t"])], &[]);
    let (_, known) = step(&products, &seen, Vec::new());
    let mut later = conversation(vec![customer("source", &[]), customer("900", &[])], &["t"]);
    later.cut = true;
    let (captured, known) = step(&products, &later, known);
    assert!(captured.is_empty(), "{captured:?}");
    later.tags.clear();
    let (captured, _) = step(&products, &later, known);
    assert_eq!(captured.untagged.len(), 1);
}

#[test]
fn notes_among_teammates_stay_out_of_transcripts() {
    let mut note = ours("1", &[]);
    note.internal = true;
    let seen = conversation(vec![customer("source", &["t"]), note], &[]);
    let (captured, _) = step(&[product(1, &["t"])], &seen, Vec::new());
    assert!(captured.made[0].transcript.is_empty());
}

#[test]
fn long_texts_are_cut_and_titles_are_one_line() {
    let mut long = customer("source", &["t"]);
    long.text = "ä".repeat(1_000_000);
    let (captured, _) = step(
        &[product(1, &["t"])],
        &conversation(vec![long], &[]),
        Vec::new(),
    );
    assert_eq!(captured.made[0].text.chars().count(), TEXT_CHARS_MAX + 1);
    assert_eq!(title("\n  Dark mode\nplease"), "Dark mode");
    assert_eq!(title(""), "(no text)");
    assert!(title(&"word ".repeat(100)).ends_with("word…"));
}

#[test]
fn tags_are_meant_by_id_first_and_by_name_without_regard_to_case() {
    let listed = |tag: &str, name: &str| ListedTag {
        tag: TagId::new(tag),
        name: name.to_owned(),
    };
    let all = [
        listed("1", "Feedback"),
        listed("2", "1"),
        listed("3", "Bug"),
    ];
    let words = ["1", "FEEDBACK", "bug", "nope"].map(str::to_owned);
    let (found, unknown) = resolve(&words, &all);
    assert_eq!(found, [all[0].clone(), all[2].clone()]);
    assert_eq!(unknown, ["nope"]);
}

#[test]
fn markup_is_taken_out_of_the_bodies_of_old_webhooks() {
    for (html, plain) in [
        ("no markup, 1 < 2", "no markup, 1 < 2"),
        ("plain & simple", "plain & simple"),
        (
            "<p>One</p>\n<p>Two<br>three &lt;b&gt;</p>",
            "One\n\nTwo\nthree <b>",
        ),
        ("<p>cut", "cut"),
    ] {
        assert_eq!(without_markup(html), plain, "{html}");
    }
}

#[test]
fn words_and_numbers_of_statuses_round_trip() {
    for status in Status::ALL {
        assert_eq!(Status::from_word(status.as_str()), Some(status));
        assert_eq!(Status::from_code(status.code()), Some(status));
    }
    assert_eq!(Status::from_code(9), None);
}

#[test]
fn of_several_companies_the_one_that_spends_most_stands() {
    let company = |id: &str, monthly_spend: i64| CapturedCompany {
        id: id.to_owned(),
        name: id.to_owned(),
        plan: None,
        monthly_spend,
    };
    let found = main_company(vec![company("a", 1), company("b", 9), company("c", 9)]);
    assert_eq!(found.unwrap().id, "b");
    assert_eq!(main_company(Vec::new()), None);
    assert_eq!(lead_name(&"6762f0aabbcc1a2b".into()), "Lead 1a2b");
}
