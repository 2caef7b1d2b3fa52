//! The rules over random histories of tagging: in whatever order a conversation is looked at, and
//! however often, a message has one ticket for each product.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::builders::*;
use crate::feedback::seen::{AuthorKind, SeenConversation};

const TAGS: [&str; 3] = ["t", "u", "v"];

/// What happens in a conversation between two looks.
#[derive(Clone, Debug)]
enum Step {
    Says(bool),
    Tag(usize, usize),
    Untag(usize, usize),
    TagWhole(usize),
    UntagWhole(usize),
    Redact(usize),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<bool>().prop_map(Step::Says),
        (0..6_usize, 0..3_usize).prop_map(|(message, tag)| Step::Tag(message, tag)),
        (0..6_usize, 0..3_usize).prop_map(|(message, tag)| Step::Untag(message, tag)),
        (0..3_usize).prop_map(Step::TagWhole),
        (0..3_usize).prop_map(Step::UntagWhole),
        (0..6_usize).prop_map(Step::Redact),
        Just(Step::Look),
        Just(Step::Look),
    ];
    proptest::collection::vec(step, 1..40)
}

fn happens(seen: &mut SeenConversation, step: &Step, whole: &mut BTreeSet<usize>) {
    match step {
        Step::Says(theirs) => {
            let kind = if *theirs {
                AuthorKind::Customer
            } else {
                AuthorKind::Ours
            };
            let part = seen.messages.len().to_string();
            seen.messages.push(message(&part, kind, &[]));
        }
        Step::Tag(index, which) => {
            if let Some(message) = seen.messages.get_mut(*index) {
                let new = tag(TAGS[*which], Some(LATER));
                if !message.tags.contains(&new) {
                    message.tags.push(new);
                }
            }
        }
        Step::Untag(index, which) => {
            if let Some(message) = seen.messages.get_mut(*index) {
                message
                    .tags
                    .retain(|on_it| on_it.tag.as_str() != TAGS[*which]);
            }
        }
        Step::TagWhole(which) => drop(whole.insert(*which)),
        Step::UntagWhole(which) => drop(whole.remove(which)),
        Step::Redact(index) => {
            if let Some(message) = seen.messages.get_mut(*index) {
                message.redacted = true;
                message.text.clear();
            }
        }
        Step::Look => {}
    }
    seen.tags = seen
        .messages
        .iter()
        .flat_map(|message| message.tags.clone())
        .collect();
    for which in whole.iter() {
        let new = tag(TAGS[*which], Some(LATER));
        if !seen.tags.contains(&new) {
            seen.tags.push(new);
        }
    }
}

proptest! {
    #[test]
    fn a_message_has_one_ticket_per_product_and_what_is_recorded_is_what_is_there(steps in steps()) {
        let products = [product(1, &["t", "u"]), product(2, &["u", "v"])];
        let mut seen = conversation(vec![customer("source", &[])], &[]);
        let (mut known, mut whole) = (Vec::new(), BTreeSet::new());
        for one in &steps {
            happens(&mut seen, one, &mut whole);
            if !matches!(one, Step::Look) {
                continue;
            }
            // `recorded` refuses a second ticket for a message.
            let before = known.len();
            let (_, after) = step(&products, &seen, known);
            prop_assert!(after.len() >= before, "a ticket is gone");
            let (again, after) = step(&products, &seen, after);
            prop_assert!(again.is_empty(), "a second look finds {again:?}");
            prop_assert!(!again.reasons.is_empty(), "unexplained");
            for ticket in &after {
                let message = seen.message(&ticket.part).unwrap();
                if message.redacted {
                    prop_assert!(ticket.erased && ticket.transcript.is_empty());
                }
                let redacted = |line: &crate::feedback::ticket::Line| {
                    seen.message(&line.part).is_some_and(|message| message.redacted)
                };
                prop_assert!(!ticket.transcript.iter().any(redacted));
            }
            known = after;
        }
    }

    #[test]
    fn looking_now_and_then_comes_to_the_same_tags_as_looking_at_the_end(steps in steps()) {
        let products = [product(1, &["t", "u"])];
        let mut seen = conversation(vec![customer("source", &[])], &[]);
        let (mut often, mut whole) = (Vec::new(), BTreeSet::new());
        for one in steps.iter().filter(|one| !matches!(one, Step::TagWhole(_) | Step::Redact(_))) {
            happens(&mut seen, one, &mut whole);
            if matches!(one, Step::Look) {
                often = step(&products, &seen, often).1;
            }
        }
        often = step(&products, &seen, often).1;
        let once = step(&products, &seen, Vec::new()).1;
        let on = |known: &[crate::feedback::ticket::KnownTicket]| -> BTreeSet<(String, String)> {
            let of = |ticket: &crate::feedback::ticket::KnownTicket| {
                let part = ticket.part.to_string();
                let tags: Vec<_> = ticket.tags.iter().filter(|(_, off)| !off).map(|(tag, _)| (part.clone(), tag.to_string())).collect();
                tags
            };
            known.iter().flat_map(of).collect()
        };
        prop_assert_eq!(on(&often), on(&once));
    }
}
