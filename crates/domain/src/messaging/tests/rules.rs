//! The rules of a conversation, each by its number.

use super::world::{HOUR, World, account, route};
use crate::messaging::delivery::{Delivery, Outbound, Resolution};
use crate::messaging::end_user::{EndUser, Identity, IdentityKind};
use crate::messaging::ids::{MessageId, RemoteConversationId};
use crate::messaging::inbound::{Inbound, Within};
use crate::messaging::news::Role;
use crate::messaging::plan::{Person, Report, inbound};
use crate::messaging::request::{Closing, Stage};
use crate::observation::CommentVisibility;
use crate::time::Millis;

#[test]
fn rule_01_a_first_message_makes_a_request() {
    let mut world = World::new();
    world.write("My router is red\nsince noon");
    world.settle();
    assert_eq!(world.stage(), Some(Stage::Describing));
    assert_eq!(world.issues.len(), 1);
    assert_eq!(world.issues[0].summary, "My router is red");
    assert_eq!(
        world.issues[0].description,
        ["My router is red\nsince noon"]
    );
}

#[test]
fn rule_02_until_an_agent_answers_messages_go_into_the_description() {
    let mut world = World::new();
    for day in 0..5 {
        world.write(&format!("day {day}"));
        world.settle();
        world.pass(24 * HOUR);
    }
    assert_eq!(world.stage(), Some(Stage::Describing));
    assert_eq!(world.issues.len(), 1);
    assert_eq!(
        world.issues[0].description,
        ["day 0", "day 1", "day 2", "day 3", "day 4"]
    );
    assert!(world.issues[0].comments.is_empty());
}

#[test]
fn rule_03_the_first_public_comment_is_delivered_and_ends_describing() {
    let world = World::answered();
    assert_eq!(world.phone, ["Which model?"]);
    assert_eq!(world.stage(), Some(Stage::Commenting));
    assert_eq!(world.requests[0].gathering, None);
    assert_eq!(world.outbound[0].delivery, Delivery::Sent);
}

#[test]
fn rule_04_messages_go_into_the_open_comment() {
    let mut world = World::answered();
    for text in ["The black one", "with two antennas"] {
        world.write(text);
        world.settle();
    }
    assert_eq!(
        world.issues[0].talk(),
        [
            "agent: Which model?",
            "Noa: The black one\nwith two antennas"
        ]
    );
}

#[test]
fn rule_05_without_an_open_comment_a_message_makes_one() {
    let mut world = World::answered();
    world.write("The black one");
    world.settle();
    let comment = &world.issues[0].comments[1];
    assert_eq!(comment.text, "The black one");
    assert_eq!(comment.visibility, CommentVisibility::Public);
    assert_eq!(world.issues[0].description, ["My router is red"]);
}

#[test]
fn rule_06_any_agent_comment_closes_the_open_comment_to_appending() {
    for internal in [false, true] {
        let mut world = World::answered();
        world.write("one");
        world.settle();
        if internal {
            world.internal("agent", "between");
        } else {
            world.comment("agent", "between");
        }
        world.settle();
        world.write("two");
        world.settle();
        assert_eq!(
            world.issues[0].talk(),
            [
                "agent: Which model?",
                "Noa: one",
                "agent: between",
                "Noa: two"
            ]
        );
        assert_eq!(world.phone.len(), if internal { 1 } else { 2 });
    }
}

#[test]
fn rule_06_an_internal_comment_does_not_end_describing() {
    let mut world = World::new();
    world.write("one");
    world.settle();
    world.internal("agent", "a hint");
    world.settle();
    world.write("two");
    world.settle();
    assert_eq!(world.stage(), Some(Stage::Describing));
    assert_eq!(world.issues[0].description, ["one", "two"]);
    assert!(world.phone.is_empty());
}

#[test]
fn rule_07_what_is_not_positively_public_is_never_delivered() {
    let mut world = World::new();
    world.write("one");
    world.settle();
    for answered in [false, true] {
        for visibility in [
            CommentVisibility::Internal,
            CommentVisibility::Restricted,
            CommentVisibility::Unstated,
        ] {
            world.comment_as("agent", Role::Agent, visibility, "secret");
            world.settle();
        }
        assert!(world.phone.iter().all(|text| text != "secret"));
        if !answered {
            world.comment("agent", "public");
            world.settle();
        }
    }
    assert_eq!(world.phone, ["public"]);
}

#[test]
fn rule_07_a_comment_made_public_later_is_not_sent_and_one_made_internal_in_time_neither() {
    let mut world = World::answered();
    world.internal("agent", "secret");
    world.settle();
    let last = world.issues[0].comments.last_mut().expect("a comment");
    last.visibility = CommentVisibility::Public;
    world.settle();
    world.comment("agent", "oops");
    world.look();
    let last = world.issues[0].comments.last_mut().expect("a comment");
    last.visibility = CommentVisibility::Internal;
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
}

#[test]
fn rule_07_only_agents_and_automations_are_delivered() {
    let mut world = World::answered();
    let public = CommentVisibility::Public;
    world.comment_as("participant", Role::Customer, public, "me too");
    world.comment_as("automation", Role::Agent, public, "We are looking into it");
    world.settle();
    assert_eq!(world.phone, ["Which model?", "We are looking into it"]);
}

#[test]
fn rule_08_every_status_change_is_told_by_whomever() {
    let mut world = World::answered();
    for (by, to) in [
        ("agent", "Waiting for customer"),
        ("automation", "In progress"),
        ("automation", "Waiting for customer"),
    ] {
        world.transition(by, to);
    }
    world.settle();
    assert_eq!(
        world.phone[1..],
        [
            "Your request SUP-1 is now: Waiting for customer",
            "Your request SUP-1 is now: In progress",
            "Your request SUP-1 is now: Waiting for customer",
        ]
    );
}

#[test]
fn rule_08_a_desk_has_texts_of_its_own_and_may_keep_silent() {
    let mut world = World::answered();
    let texts = &mut world.desk.notifications.by_status;
    texts.insert("in progress".to_owned(), None);
    let text = Some("{key}: we wait for you ({status})".to_owned());
    texts.insert("Waiting for customer".to_owned(), text);
    world.transition("agent", "In progress");
    world.transition("agent", "Waiting for customer");
    world.settle();
    assert_eq!(
        world.phone[1..],
        ["SUP-1: we wait for you (Waiting for customer)"]
    );
    assert!(world.reasons.contains(&"status_not_told"));
}

#[test]
fn rule_08_a_comment_and_a_transition_of_one_action_are_one_message() {
    let mut world = World::answered();
    world.transition("agent", "Waiting for customer");
    world.comment("agent", "Please try again");
    world.settle();
    assert_eq!(
        world.phone[1..],
        ["Please try again\n\nYour request SUP-1 is now: Waiting for customer"]
    );
}

#[test]
fn rule_09_done_is_told_then_the_conversation_is_archived_and_closed() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.look();
    assert_eq!(world.stage(), Some(Stage::Closed), "at once");
    assert_eq!(world.archived, 0);
    world.settle();
    assert_eq!(world.phone[1..], ["Your request SUP-1 is now: Done"]);
    assert_eq!(world.archived, 1);
}

#[test]
fn rule_09_a_last_comment_given_with_done_is_told_too() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.comment("agent", "Solved!");
    world.settle();
    assert_eq!(
        world.phone[1..],
        ["Solved!\n\nYour request SUP-1 is now: Done"]
    );
    assert_eq!(world.stage(), Some(Stage::Closed));
}

#[test]
fn rule_10_archived_at_the_provider_closes_and_tells_the_agent() {
    let mut world = World::answered();
    let plan = world.archive_remotely();
    assert_eq!(world.stage(), Some(Stage::Closed));
    assert_eq!(plan.effects.len(), 1);
    world.settle();
    let note = world.issues[0].comments.last().expect("a note");
    assert_eq!(note.visibility, CommentVisibility::Internal);
    assert!(note.text.contains("archived"));
    assert!(
        world.issues[0].changes.is_empty(),
        "the issue keeps its status"
    );
}

#[test]
fn rule_10_our_own_archiving_is_an_echo() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.settle();
    let plan = world.archive_remotely();
    assert_eq!(plan.effects, []);
}

#[test]
fn rule_11_after_the_end_nothing_goes_out_even_when_reopened() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.settle();
    let told = world.phone.len();
    world.pass(HOUR);
    world.transition("agent", "In progress");
    world.settle();
    world.pass(HOUR);
    world.comment("agent", "One more thing");
    world.internal("agent", "between us");
    world.settle();
    assert_eq!(world.phone.len(), told);
    let notes: Vec<&str> = world.issues[0]
        .comments
        .iter()
        .filter(|one| one.author == "note")
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("Not sent"), "{notes:?}");
}

#[test]
fn rule_12_a_message_after_the_end_makes_a_new_request() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.settle();
    world.write("It is red again");
    world.settle();
    assert_eq!(world.issues.len(), 2);
    assert_eq!(world.issues[1].description, ["It is red again"]);
    assert_eq!(world.stage(), Some(Stage::Describing));
    assert_eq!(
        world.requests[0].closed.map(|(_, why)| why),
        Some(Closing::Done)
    );
}

#[test]
fn rule_12_what_the_provider_put_into_the_old_conversation_can_be_answered_there() {
    let mut world = World::answered();
    world.transition("agent", "Done");
    world.look();
    // Ended by our record; it is not archived yet when the next message comes in it.
    world.write("One more thing");
    world.settle();
    assert_eq!(
        (world.requests.len(), world.archived, world.reopened),
        (2, 1, 1)
    );
}

#[test]
fn rule_12_what_was_put_into_the_old_conversation_does_not_turn_the_talk_back() {
    // Told in the wrong order: the customer wrote the late one before the old conversation was
    // archived, and the other one in a new conversation after that, whatever times they bear.
    for (first_at, late_at) in [(HOUR, 2 * HOUR), (2 * HOUR, HOUR)] {
        let mut world = World::answered();
        world.transition("agent", "Done");
        world.settle();
        let mut late = world.message("It is red again", "whatsapp");
        late.sent_at = late.sent_at.plus_ms(late_at);
        let mut first = world.message("And it is warm", "whatsapp");
        first.sent_at = first.sent_at.plus_ms(first_at);
        let new = Some(RemoteConversationId::new("conv-2"));
        first.route.conversation.clone_from(&new);
        world.receive(&first);
        world.receive(&late);
        world.settle();
        let request = world.requests.last().expect("the second");
        assert_eq!((request.generation, &request.route.conversation), (2, &new));
    }
}

#[test]
fn rule_12_within_the_time_of_the_desk_the_old_request_goes_on() {
    let mut world = World::answered();
    world.desk.reopen_within_ms = HOUR;
    world.transition("agent", "Done");
    world.settle();
    world.write("Thanks!");
    world.settle();
    assert_eq!(world.issues.len(), 1);
    assert_eq!(world.stage(), Some(Stage::Commenting));
    world.transition("agent", "Done");
    world.settle();
    world.pass(2 * HOUR);
    world.write("It is red again");
    world.settle();
    assert_eq!(world.issues.len(), 2);
}

#[test]
fn rule_13_another_channel_feeds_the_same_request_and_gets_the_answer() {
    let mut world = World::answered();
    let message = world.message("now by SMS", "sms");
    world.receive(&message);
    world.settle();
    world.comment("agent", "Fine");
    world.settle();
    assert_eq!(world.issues.len(), 1);
    assert_eq!(world.channels_used, ["whatsapp", "sms"]);
}

#[test]
fn rule_14_nothing_goes_out_before_the_end_user_wrote() {
    // There is no plan without a conversation, and none with one that is not active: what is left
    // to show is that a conversation comes from a message only.
    let mut world = World::answered();
    world.archive_remotely();
    world.settle();
    world.pass(HOUR);
    world.comment("agent", "Hello, are you still there?");
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn rule_15_after_the_window_nothing_is_sent_and_the_agent_is_told() {
    let mut world = World::answered();
    world.pass(24 * HOUR);
    world.comment("agent", "Sorry for the wait");
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    let note = &world.issues[0].comments.last().expect("a note").text;
    assert!(
        note.contains("24 hours") && note.contains("Only the customer"),
        "{note}"
    );
    assert_eq!(world.outbound[1].delivery, Delivery::NotSent);

    // The next message opens it; what was held is not flushed by itself.
    world.write("Hello?");
    world.settle();
    assert_eq!(world.phone, ["Which model?"]);
    world.comment("agent", "Here I am");
    world.settle();
    assert_eq!(world.phone, ["Which model?", "Here I am"]);
    assert_eq!(world.issues.len(), 1);
}

#[test]
fn rule_15_text_messages_have_no_window() {
    let mut world = World::new();
    let message = world.message("hello", "sms");
    world.receive(&message);
    world.settle();
    world.pass(100 * HOUR);
    world.comment("agent", "Hi");
    world.settle();
    assert_eq!(world.phone, ["Hi"]);
}

#[test]
fn rule_15_the_agent_is_reminded_once_before_the_window_ends() {
    let mut world = World::answered();
    world.pass(23 * HOUR);
    assert_eq!(world.report(&Report::WindowEnds).effects.len(), 1);
    assert_eq!(world.report(&Report::WindowEnds).effects.len(), 0);
    world.write("still there?");
    world.pass(23 * HOUR);
    assert_eq!(world.report(&Report::WindowEnds).effects.len(), 1);
}

#[test]
fn rule_16_a_file_is_attached_and_named_at_its_place() {
    let mut world = World::new();
    let message = world.with_file("Look", "router.jpg");
    world.receive(&message);
    world.settle();
    assert_eq!(world.issues[0].files, ["000001-router.jpg"]);
    assert_eq!(
        world.issues[0].description,
        ["Look [image: 000001-router.jpg]"]
    );
    let strange = Inbound {
        text: None,
        unsupported: Some("whatsappOrder".to_owned()),
        ..world.message("", "whatsapp")
    };
    world.receive(&strange);
    world.settle();
    assert!(world.issues[0].description[1].contains("whatsappOrder"));
}

#[test]
fn rule_17_an_agents_file_is_not_sent_and_that_is_told() {
    let mut world = World::answered();
    world.comment("agent", "See the manual");
    world.issues[0]
        .comments
        .last_mut()
        .expect("a comment")
        .files = 1;
    world.settle();
    assert_eq!(world.phone, ["Which model?", "See the manual"]);
    let note = &world.issues[0].comments.last().expect("a note").text;
    assert!(note.contains("did not go to the customer"), "{note}");
}

#[test]
fn rule_18_the_same_message_again_is_nothing() {
    let mut world = World::answered();
    let message = world.write("once");
    world.settle();
    let plan = world.receive(&message);
    assert_eq!((plan.effects, plan.changes.lines), (vec![], vec![]));
    world.transition("agent", "Done");
    world.settle();
    let plan = world.receive(&message);
    assert_eq!(plan.effects, [], "nor does it begin anything anew");
}

#[test]
fn rule_19_messages_stand_by_their_own_time_while_the_text_is_open() {
    let mut world = World::new();
    let (one, two) = (
        world.message("one", "whatsapp"),
        world.message("two", "whatsapp"),
    );
    world.receive(&two);
    world.settle();
    world.receive(&one);
    world.settle();
    assert_eq!(world.issues[0].description, ["one", "two"]);

    // Of one millisecond: as finely as the provider tells, else as they were told.
    let mut moment = World::new();
    for (text, sent_ns, arrived) in [("c", 7, 3), ("b", 7, 2), ("a", 6, 4)] {
        let message = Inbound {
            sent_at: Millis(1_764_000_000_100),
            received_at: Millis(1_764_000_000_200),
            within: Within { sent_ns, arrived },
            ..moment.message(text, "whatsapp")
        };
        moment.receive(&message);
        moment.settle();
    }
    assert_eq!(moment.issues[0].description, ["a", "b", "c"]);

    // A late one whose text is closed is added where the talk is; nothing is shuffled.
    let late = world.message("late", "whatsapp");
    world.comment("agent", "Which model?");
    world.settle();
    world.receive(&late);
    world.settle();
    assert_eq!(world.issues[0].description, ["one", "two"]);
    assert_eq!(world.issues[0].talk(), ["agent: Which model?", "Noa: late"]);
}

#[test]
fn rule_20_an_answer_from_the_providers_inbox_is_an_internal_comment() {
    let mut world = World::new();
    world.write("one");
    world.settle();
    let elsewhere = Report::AnsweredElsewhere {
        message: MessageId::new("x1"),
        text: "I answer from here".to_owned(),
        at: world.now,
    };
    world.report(&elsewhere);
    world.report(&elsewhere);
    world.settle();
    assert_eq!(
        world.stage(),
        Some(Stage::Describing),
        "it counts as nothing else"
    );
    let notes: Vec<_> = world.issues[0].comments.iter().collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].visibility, CommentVisibility::Internal);
    assert!(world.phone.is_empty());
}

#[test]
fn rule_21_a_failed_delivery_is_told_once() {
    let mut world = World::answered();
    for _ in 0..3 {
        let failed = Report::Delivery {
            message: world.outbound[0].clone(),
            now: Delivery::Failed,
            reason: Some("The phone is off.".to_owned()),
        };
        world.report(&failed);
    }
    world.settle();
    let notes: Vec<&str> = world.issues[0]
        .comments
        .iter()
        .filter(|one| one.author == "note")
        .map(|one| one.text.as_str())
        .collect();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("The phone is off."));
    assert_eq!(world.outbound[0].delivery, Delivery::Failed);
}

#[test]
fn rule_21_a_person_may_have_it_sent_again_with_one_new_effect() {
    let mut world = World::answered();
    let again = |world: &World| Report::SendAgain {
        message: world.outbound[0].clone(),
        asked: "e7".to_owned(),
        text: World::customer_text("Which model?"),
        by: "Olive".to_owned(),
    };
    let arrived = again(&world);
    assert_eq!(world.report(&arrived).effects, [], "it is on its way");
    let failed = Report::Delivery {
        message: world.outbound[0].clone(),
        now: Delivery::Failed,
        reason: None,
    };
    world.report(&failed);
    let ask = again(&world);
    let plan = world.report(&ask);
    assert_eq!(plan.effects.len(), 1);
    let (key, resolved) = &plan.changes.resolved[0];
    assert_eq!(*key, world.outbound[0].key, "the old one is dealt with");
    assert_eq!(resolved.how, Resolution::SentAgain);
    world.settle();
    assert_eq!(world.phone, ["Which model?", "Which model?"]);
}

#[test]
fn rule_21_a_person_may_let_it_be() {
    let mut world = World::answered();
    let let_be = |world: &World, arrived| Report::LetBe {
        message: world.outbound[0].clone(),
        arrived,
        by: "Olive".to_owned(),
    };
    let on_its_way = let_be(&world, true);
    let plan = world.report(&on_its_way);
    assert_eq!(plan.changes.resolved, [], "it is on its way");
    let held = Report::Delivery {
        message: Outbound {
            delivery: Delivery::Queued,
            ..world.outbound[0].clone()
        },
        now: Delivery::Held,
        reason: None,
    };
    world.report(&held);
    for (arrived, how) in [(true, Resolution::Arrived), (false, Resolution::Dropped)] {
        let decided = let_be(&world, arrived);
        let plan = world.report(&decided);
        assert_eq!(plan.effects, []);
        assert_eq!(plan.changes.resolved[0].1.how, how);
        assert_eq!(plan.outcome.reasons[0].code(), "let_be");
    }
}

#[test]
fn a_text_that_becomes_too_long_goes_on_in_a_comment() {
    let mut world = World::new();
    let long = "x".repeat(14_000);
    for _ in 0..5 {
        world.write(&long);
        world.settle();
    }
    assert_eq!(world.issues[0].description.len(), 2);
    assert_eq!(world.issues[0].comments.len(), 2);
    assert_eq!(world.stage(), Some(Stage::Describing));
}

#[test]
fn the_blocked_and_the_flooding_make_no_request() {
    let mut world = World::new();
    world.write("one");
    world.settle();
    world.transition("agent", "Done");
    world.settle();
    world.desk.requests_per_hour_max = 1;
    let plan = world.write("two");
    world.settle();
    assert_eq!(world.issues.len(), 1);
    assert!(world.reasons.contains(&"too_many_requests"));
    world.pass(2 * HOUR);
    if let Some(end_user) = &mut world.end_user {
        end_user.blocked = true;
    }
    world.write("three");
    world.settle();
    assert_eq!(world.issues.len(), 1);
    assert!(world.reasons.contains(&"sender_blocked"));
    drop(plan);
}

#[test]
fn a_channel_without_a_desk_is_explained() {
    let mut world = World::new();
    let message = world.message("hello", "whatsapp");
    let end_user = EndUser::new(&account(), &message.identities, None).expect("there is a sender");
    let person = Person {
        end_user,
        known: false,
        latest: None,
        seen: false,
        requests_lately: 0,
    };
    let plan = inbound(&person, &message, None);
    assert_eq!(plan.outcome.reasons[0].code(), "channel_not_served");
    assert_eq!(plan.changes, crate::messaging::plan::Changes::default());
}

#[test]
fn a_person_without_a_number_is_one_too() {
    let mut world = World::new();
    let message = Inbound {
        identities: vec![Identity {
            kind: IdentityKind::WhatsappUser,
            value: "NL.123".to_owned(),
        }],
        name: None,
        text: None,
        route: route("whatsapp"),
        sent_at: Millis(5),
        unsupported: Some("sticker".to_owned()),
        ..world.message("", "whatsapp")
    };
    world.receive(&message);
    world.settle();
    assert_eq!(world.issues[0].summary, "Message from NL.123 via WhatsApp");
}
