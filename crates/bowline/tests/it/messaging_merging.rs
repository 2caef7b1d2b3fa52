//! Contacts that the provider joins.

use crate::messaging_stage::{NOA, Talk};
use crate::stage::{On, next_millisecond, on_both};

/// The telephone that turns out to be of the same person.
const OTHER: &str = "+15557701";

/// Two people write, the first one first; the provider joins one contact into the other.
async fn joined(on: On, first_goes: bool) {
    let talk = Talk::on(on).await;
    let other = talk.bird().phone(OTHER);
    talk.noa().writes("My router is red");
    let older = talk.request(1).await;
    talk.settled().await;
    next_millisecond();
    other.writes("It is me, from work");
    let younger = talk.request(2).await;
    talk.settled().await;
    let of = |number: &str| talk.bird().phone(number).contact().unwrap();
    let (from, into) = if first_goes {
        (NOA, OTHER)
    } else {
        (OTHER, NOA)
    };
    talk.bird().merge_contacts(&of(from), &of(into)).unwrap();
    talk.settled().await;
    let notes = talk.comments(&younger);
    assert!(
        notes.iter().any(|one| one.starts_with("note: ")),
        "the agents learn that the younger one ended: {notes:?}"
    );
    assert!(talk.comments(&older).is_empty());

    other.writes("And now?");
    talk.settled().await;
    talk.noa().writes("Hello?");
    talk.settled().await;
    assert_eq!(
        talk.description(&older),
        ["My router is red", "And now?", "Hello?"],
        "the older one goes on, whichever telephone is used"
    );
    assert_eq!(talk.requests().len(), 2);
    talk.agent().comment(&younger, "secret: too late").unwrap();
    talk.settled().await;
    assert_eq!(talk.sent().len(), 0);
}

async fn a_contact_that_is_joined_into_an_older_one_feeds_its_request(on: On) {
    joined(on, false).await;
}

async fn an_older_contact_that_is_joined_into_a_younger_one_keeps_its_request(on: On) {
    joined(on, true).await;
}

on_both!(
    a_contact_that_is_joined_into_an_older_one_feeds_its_request,
    an_older_contact_that_is_joined_into_a_younger_one_keeps_its_request
);
