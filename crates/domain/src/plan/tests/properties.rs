//! What holds after any history, with events in any order, doubled and lost.
//!
//! A history is a list of deeds: people change the issue, administrators change the settings, and
//! events about it are delivered at some time or never. Whatever was read is the truth of that
//! moment, as it is for the engine. What must be true at each step is in [`super::history`].

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::builders::{World, settings};
use super::history::{Deed, Run, conversation, in_truth};
use crate::happening::Happening;

fn number() -> impl Strategy<Value = u8> {
    any::<u8>()
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => number().prop_map(Deed::Describe),
        4 => (number(), number()).prop_map(|(what, who)| Deed::Comment(what, who)),
        2 => (number(), number()).prop_map(|(which, what)| Deed::Edit(which, what)),
        1 => number().prop_map(Deed::Hide),
        1 => number().prop_map(Deed::DeleteComment),
        2 => Just(Deed::Assign),
        1 => Just(Deed::Transition),
        1 => any::<bool>().prop_map(Deed::Secrecy),
        2 => number().prop_map(Deed::Transfer),
        1 => any::<bool>().prop_map(Deed::Linking),
        1 => any::<bool>().prop_map(Deed::CodeKnown),
        1 => Just(Deed::DeleteIssue),
        14 => number().prop_map(Deed::Deliver),
        3 => number().prop_map(Deed::Redeliver),
        1 => number().prop_map(Deed::Lose),
        1 => Just(Deed::Reconcile),
    ]
}

/// What people and the far side do to links directly.
fn by_hand() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => number().prop_map(Deed::AddByHand),
        2 => number().prop_map(Deed::RemoveByHand),
        1 => number().prop_map(Deed::EndConversation),
    ]
}

fn history(deed: impl Strategy<Value = Deed>) -> impl Strategy<Value = (u8, Vec<Deed>)> {
    (number(), prop::collection::vec(deed, 0..DEEDS_MAX))
}

/// Deeds in one history. Enough for a link to come, go and come again under other settings.
const DEEDS_MAX: usize = 40;

/// Back where the issue is bound, with nothing left to be told.
fn come_to_rest(run: &mut Run) {
    run.act(Deed::Transfer(0));
    run.world.settings = Some(settings());
    let whole = run.lost;
    while !run.waiting.is_empty() {
        run.act(Deed::Deliver(0));
    }
    if whole {
        run.world.look(&[Happening::Looked]);
    } else {
        // Nothing was lost, so what the engine reads anyway must be enough.
        run.world.see(&[Happening::Looked]);
    }
}

fn live_in_acme(world: &World) -> BTreeSet<(String, String)> {
    let live = world
        .links
        .iter()
        .filter(|link| link.live && link.workspace.as_str() == "acme");
    live.map(|link| (link.workspace.to_string(), link.conversation.to_string()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn links_come_to_be_what_the_issue_says((described, deeds) in history(deed())) {
        let mut run = Run::new(described);
        run.unfold(&deeds);
        if run.world.there {
            come_to_rest(&mut run);
            let mut truth = in_truth(&run.world);
            truth.retain(|(workspace, _)| workspace == "acme");
            prop_assert_eq!(live_in_acme(&run.world), truth);
        } else if run.deletion_told {
            prop_assert!(run.world.live().is_empty());
        }
        run.check_told_once();
    }

    #[test]
    fn commands_keep_every_promise((described, deeds) in history(prop_oneof![8 => deed(), 2 => by_hand()])) {
        let mut run = Run::new(described);
        run.unfold(&deeds);
        let added = deeds.iter().filter_map(|deed| match deed {
            Deed::AddByHand(which) => Some(("acme".to_owned(), conversation(*which).to_owned())),
            _ => None,
        });
        let added: BTreeSet<_> = added.collect();
        if run.world.there {
            come_to_rest(&mut run);
            let allowed = &in_truth(&run.world) | &added;
            prop_assert!(live_in_acme(&run.world).is_subset(&allowed));
        }
        run.check_told_once();
    }

    #[test]
    fn events_in_order_tell_every_open_comment_to_every_linked_conversation(
        bits in 1_u8..8,
        comments in prop::collection::vec((0_u8..8, 0_u8..6), 0..6),
    ) {
        let mut run = Run::new(bits);
        run.act(Deed::Deliver(0));
        for (addresses, who) in comments {
            run.act(Deed::Comment(addresses, who));
            let id = run.comments;
            let linked = run.world.live();
            run.act(Deed::Deliver(0));
            let open = who % 6 > 1;
            for conversation in linked {
                let place = format!("acme/{conversation}");
                let word = format!("word-c{id}.");
                let told = run.told.iter().any(|(at, html)| *at == place && html.contains(&word));
                prop_assert_eq!(told, open);
            }
        }
        run.check_told_once();
    }
}
