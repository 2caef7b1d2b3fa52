//! Conversations with end users: what is stored with a decision, what couriers add, and how it is
//! found again.

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{CommentId, IssueId, IssueKey, LaneKey};
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::messaging::delivery::{Delivery, Outbound};
use bowline_domain::messaging::end_user::{EndUser, Identity, IdentityKind};
use bowline_domain::messaging::gathering::{Gathering, Line, Place};
use bowline_domain::messaging::ids::{
    AccountName, ChannelId, DeskName, EndUserId, MessageId, RemoteConversationId, RequestRef,
};
use bowline_domain::messaging::inbound::{Route, Within};
use bowline_domain::messaging::language::Language;
use bowline_domain::messaging::plan::Changes;
use bowline_domain::messaging::platform::Platform;
use bowline_domain::messaging::request::{Request, Stage};
use bowline_domain::outcome::Outcome;
use bowline_domain::time::Millis;
use bowline_store::Store;
use bowline_store::model::{
    Accepted, Decided, Decision, Ending, EventFilter, EventSource, NewEvent, OnArrival, Redacted,
    Settlement, TakenEffect, TalkChanges, Verdict,
};

use crate::support::{T0, World, on_both, site};

on_both!(
    a_conversation_is_stored_whole_and_read_back,
    an_identity_stays_with_the_first_who_has_it,
    lines_stand_in_their_order_and_once,
    lines_of_one_moment_stand_as_they_were_written,
    what_couriers_find_out_is_kept,
    outbound_messages_are_followed,
    a_message_that_waits_for_more_is_not_taken_at_once,
    what_is_held_leaves_its_lane,
    calls_and_looks_are_remembered,
    people_decide_who_is_blocked_and_which_customer_they_are,
    what_was_said_is_taken_out_once_the_conversation_is_closed
);

pub(crate) fn account() -> AccountName {
    AccountName::new("bird")
}

fn phone(number: &str) -> Identity {
    Identity {
        kind: IdentityKind::Phone,
        value: number.to_owned(),
    }
}

pub(crate) fn end_user(number: &str) -> EndUser {
    EndUser::new(&account(), &[phone(number)], Some("Noa")).unwrap()
}

pub(crate) fn whose(end_user: &EndUser, generation: u32) -> RequestRef {
    RequestRef {
        account: account(),
        end_user: end_user.id.clone(),
        generation,
    }
}

fn conversation() -> RemoteConversationId {
    RemoteConversationId::new("conv-1")
}

pub(crate) fn request(generation: u32) -> Request {
    Request {
        generation,
        desk: DeskName::new("support"),
        site: site(),
        stage: Stage::Describing,
        gathering: Some(Gathering {
            number: 1,
            place: Place::Description,
            chars: 12,
        }),
        gatherings: 1,
        route: Route {
            channel: ChannelId::new("ch-1"),
            platform: Platform::Whatsapp,
            to: phone("+31600000001"),
            conversation: Some(conversation()),
        },
        opened_at: T0,
        last_inbound_at: T0,
        reminded_of: None,
        reopening: None,
        before: None,
        unserved: None,
        outside: None,
        status: None,
        closed: None,
        issue: None,
    }
}

pub(crate) fn line(message: &str, sent_at: i64) -> Line {
    Line {
        message: MessageId::new(message),
        part: 0,
        gathering: 1,
        place: Place::Description,
        sent_at: Millis(sent_at),
        received_at: T0,
        within: Within::default(),
        text: format!("says {message}"),
    }
}

pub(crate) fn outbound(key: &str) -> Outbound {
    Outbound {
        key: EffectKey::stored(key),
        comment: Some(CommentId::new("20001")),
        channel: ChannelId::new("ch-1"),
        text: "Which model?".to_owned(),
        delivery: Delivery::Queued,
        reason: None,
        at: T0,
    }
}

/// Commits changes of a conversation, with effects, under the lane of its end user.
pub(crate) async fn change(
    store: &Store,
    whose: &RequestRef,
    changes: Changes,
    effects: Vec<Effect>,
) -> Vec<TakenEffect> {
    let lane = LaneKey::end_user_events(&whose.account, &whose.end_user);
    let all = EventFilter {
        limit: 1_000,
        ..EventFilter::default()
    };
    let count = store.events(&all).await.unwrap().len();
    let event = NewEvent {
        source: EventSource::Channel,
        connection: Connection::Account(account()),
        delivery: format!("in/{count}"),
        lane,
        topic: "message".to_owned(),
        received_at: T0,
        body: "{}".into(),
        take: true,
        on_arrival: OnArrival::Queue,
    };
    let Accepted::Fresh {
        event,
        lease: Some(lease),
    } = store.accept(event).await.unwrap()
    else {
        panic!("a fresh event in an idle lane")
    };
    let decided = Decided {
        issue: Some((site(), IssueId::new("10"))),
        facts: vec![FactKey::talked(&CommentId::new("20001"))],
        talk: Some(Box::new(TalkChanges {
            whose: whose.clone(),
            changes,
        })),
        outcome: Outcome {
            effects: effects.len(),
            reasons: Vec::new(),
        },
        effects,
        ..Decided::default()
    };
    let decision = Decision {
        lease,
        event,
        at: T0,
        verdict: Verdict::Decided(Box::new(decided)),
        take_up_to: 8,
    };
    store.decide(decision).await.unwrap().taken
}

/// An end user with a conversation.
pub(crate) async fn begun(store: &Store) -> RequestRef {
    let noa = end_user("+31600000001");
    let whose = whose(&noa, 1);
    let changes = Changes {
        end_user: Some(noa),
        request: Some(request(1)),
        lines: vec![line("m1", 5)],
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    whose
}

pub(crate) async fn a_conversation_is_stored_whole_and_read_back(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let (account, noa) = (account(), whose.end_user.clone());
    let found = store.end_user(&account, &noa).await.unwrap().unwrap();
    assert_eq!(found, end_user("+31600000001"));
    let by = store
        .end_user_by(&account, &[phone("+31600000009"), phone("+31600000001")])
        .await;
    assert_eq!(by.unwrap(), Some(noa.clone()));
    assert_eq!(
        store.latest_talk(&account, &noa).await.unwrap(),
        Some(request(1))
    );
    let talk = store.talk(&whose).await.unwrap().unwrap();
    assert_eq!((talk.whose, talk.request), (whose.clone(), request(1)));
    let active = store.talk_of_conversation(&account, &conversation()).await;
    assert_eq!(active.unwrap().unwrap().whose, whose);
    assert_eq!(
        store.live_talks().await.unwrap(),
        [(whose.clone(), request(1))]
    );
    let since = |at| store.talks_begun_since(&account, &noa, Millis(at));
    assert_eq!(since(T0.0 - 1).await.unwrap(), 1);
    assert_eq!(since(T0.0).await.unwrap(), 0);
    assert!(
        store
            .message_seen(&account, &MessageId::new("m1"))
            .await
            .unwrap()
    );
    assert!(
        !store
            .message_seen(&account, &MessageId::new("m2"))
            .await
            .unwrap()
    );
    let fact = FactKey::talked(&CommentId::new("20001"));
    let known = store
        .known_facts(&site(), &IssueId::new("10"), std::slice::from_ref(&fact))
        .await;
    assert!(known.unwrap().contains(&fact));

    let mut closed = request(1);
    closed.stage = Stage::Closed;
    let changes = Changes {
        request: Some(closed.clone()),
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    assert_eq!(
        store.latest_talk(&account, &noa).await.unwrap(),
        Some(closed)
    );
    let active = store.talk_of_conversation(&account, &conversation()).await;
    assert_eq!(active.unwrap(), None);
    let nobody = EndUserId::new("nobody");
    assert_eq!(store.end_user(&account, &nobody).await.unwrap(), None);
}

pub(crate) async fn an_identity_stays_with_the_first_who_has_it(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let other = end_user("+31600000002").with(&[phone("+31600000001")], None);
    let theirs = RequestRef {
        end_user: other.id.clone(),
        generation: 0,
        ..whose.clone()
    };
    let changes = Changes {
        end_user: Some(other),
        ..Changes::default()
    };
    change(store, &theirs, changes, Vec::new()).await;
    let by = |number: &str| {
        let identity = phone(number);
        async move { store.end_user_by(&account(), &[identity]).await.unwrap() }
    };
    assert_eq!(by("+31600000001").await, Some(whose.end_user.clone()));
    assert_eq!(by("+31600000002").await, Some(theirs.end_user.clone()));

    // They turn out to be one.
    let joined = Changes {
        joined: Some(whose.end_user.clone()),
        ..Changes::default()
    };
    change(store, &theirs, joined, Vec::new()).await;
    assert_eq!(by("+31600000002").await, Some(whose.end_user));
}

pub(crate) async fn lines_stand_in_their_order_and_once(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let changes = |lines| Changes {
        lines,
        ..Changes::default()
    };
    let later = vec![line("m3", 9), line("m2", 7)];
    change(store, &whose, changes(later), Vec::new()).await;
    change(store, &whose, changes(vec![line("m2", 1)]), Vec::new()).await;
    let names = |lines: &[bowline_store::model::WrittenLine]| -> Vec<(String, bool, Place)> {
        lines
            .iter()
            .map(|one| (one.line.message.to_string(), one.written, one.line.place))
            .collect()
    };
    let description = Place::Description;
    let lines = store.gathered(&whose, 1).await.unwrap();
    let stand = |name: &str, written, place| (name.to_owned(), written, place);
    assert_eq!(
        names(&lines),
        [
            stand("m1", false, description),
            stand("m2", false, description),
            stand("m3", false, description)
        ]
    );
    let written = vec![(MessageId::new("m1"), 0), (MessageId::new("m2"), 0)];
    store
        .lines_written(account(), written, Millis(9))
        .await
        .unwrap();
    let moved = vec![(MessageId::new("m2"), 0), (MessageId::new("m3"), 0)];
    store.lines_moved(account(), moved).await.unwrap();
    let lines = store.gathered(&whose, 1).await.unwrap();
    assert_eq!(
        names(&lines),
        [
            stand("m1", true, description),
            stand("m2", true, description),
            stand("m3", false, Place::Continued)
        ]
    );
}

/// Of one millisecond: by the provider's own time first, then as they came.
pub(crate) async fn lines_of_one_moment_stand_as_they_were_written(world: &World) {
    let whose = begun(&world.store).await;
    let at = |message: &str, sent_ns, arrived| Line {
        within: Within { sent_ns, arrived },
        ..line(message, 5)
    };
    let lines = vec![
        at("a", 2, 10),
        at("d", 1, 12),
        at("b", 2, 9),
        at("c", 0, 13),
    ];
    let changes = Changes {
        lines,
        ..Changes::default()
    };
    change(&world.store, &whose, changes, Vec::new()).await;
    let wanted = ["m1", "c", "d", "b", "a"];
    let found = world.store.gathered(&whose, 1).await.unwrap();
    let names: Vec<&str> = found.iter().map(|one| one.line.message.as_str()).collect();
    assert_eq!(names, wanted);
    let said = world.store.transcript(&whose).await.unwrap().lines;
    let names: Vec<&str> = said.iter().map(|one| one.line.message.as_str()).collect();
    assert_eq!(names, wanted);
}

pub(crate) async fn what_couriers_find_out_is_kept(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let issue = IssueId::new("10");
    assert_eq!(store.talk_of_issue(&site(), &issue).await.unwrap(), None);
    for (id, key) in [("10", "SUP-1"), ("11", "SUP-2")] {
        let made = store.request_made(whose.clone(), IssueId::new(id), IssueKey::new(key));
        made.await.unwrap();
    }
    let talk = store.talk_of_issue(&site(), &issue).await.unwrap().unwrap();
    assert_eq!(talk.whose, whose);
    assert_eq!(
        talk.request.issue,
        Some((issue.clone(), IssueKey::new("SUP-1")))
    );
    let moved = Changes {
        moved_to: Some(IssueKey::new("HLP-3")),
        ..Changes::default()
    };
    change(store, &whose, moved, Vec::new()).await;
    let talk = store.talk_of_issue(&site(), &issue).await.unwrap().unwrap();
    assert_eq!(talk.request.issue, Some((issue, IssueKey::new("HLP-3"))));

    assert_eq!(store.gathering_comment(&whose, 2).await.unwrap(), None);
    for comment in ["20001", "20002"] {
        let placed = store.gathering_placed(whose.clone(), 2, comment.to_owned());
        placed.await.unwrap();
    }
    let comment = store.gathering_comment(&whose, 2).await.unwrap();
    assert_eq!(comment, Some(CommentId::new("20002")));
}

pub(crate) async fn outbound_messages_are_followed(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let changes = Changes {
        outbound: vec![outbound("talk-send/1"), outbound("talk-send/2")],
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    let (one, two) = (
        EffectKey::stored("talk-send/1"),
        EffectKey::stored("talk-send/2"),
    );
    // What waits may say less by now; what was sent says what it said.
    let says = |text: &str| store.outbound_says(one.clone(), text.to_owned());
    says("Which one?").await.unwrap();
    store
        .outbound_sent(one.clone(), "r1".to_owned())
        .await
        .unwrap();
    says("Another one?").await.unwrap();
    let kept = store.outbound(&one).await.unwrap().unwrap().1;
    assert_eq!(kept.text, "Which one?");
    let found = store
        .outbound_by_remote(&account(), &MessageId::new("r1"))
        .await;
    let (of, sent) = found.unwrap().unwrap();
    assert_eq!((of, sent.delivery), (whose.clone(), Delivery::Sent));
    let changes = Changes {
        delivered: vec![(two.clone(), Delivery::Failed, Some("off".to_owned()))],
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    // The provider's report overtook the answer to our call: it stands.
    store
        .outbound_sent(two.clone(), "r2".to_owned())
        .await
        .unwrap();
    let (_, failed) = store.outbound(&two).await.unwrap().unwrap();
    assert_eq!(failed.delivery, Delivery::Failed);
    assert_eq!(failed.reason.as_deref(), Some("off"));
    let all = store.outbounds(&whose).await.unwrap();
    assert_eq!(all.len(), 2);
}

fn gather(whose: &RequestRef, due_at: Millis) -> Effect {
    let act = TalkAct::Gather {
        request: whose.clone(),
        gathering: 1,
        place: Place::Description,
        message: None,
        due_at,
    };
    Effect {
        key: EffectKey::talk("gather", whose, &due_at.0.to_string()),
        connection: Connection::Site(site()),
        site: site(),
        issue: IssueId::new(""),
        act: Act::Talk(act),
    }
}

pub(crate) async fn a_message_that_waits_for_more_is_not_taken_at_once(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let due_at = T0.plus_ms(3_000);
    let effects = vec![gather(&whose, due_at)];
    let taken = change(store, &whose, Changes::default(), effects).await;
    assert!(taken.is_empty());
    let lane = LaneKey::end_user_writes(&site(), &whose.account, &whose.end_user);
    assert!(store.lane_waits(&lane).await.unwrap());
    let early = store.claim_effects(8, due_at.plus_ms(-1)).await.unwrap();
    assert!(early.is_empty());
    let due = store.claim_effects(8, due_at).await.unwrap();
    assert_eq!(due.len(), 1);
    settle(
        store,
        &due[0],
        Ending::Confirmed {
            remote_id: None,
            detail: None,
        },
    )
    .await;
    assert!(!store.lane_waits(&lane).await.unwrap());
}

async fn settle(store: &Store, taken: &TakenEffect, ending: Ending) {
    let settlement = Settlement {
        effect: taken.id,
        lease: taken.lease.clone(),
        ending,
        started_at: T0,
        ended_at: T0,
        calls: None,
        go_on: true,
    };
    assert!(store.settle(settlement).await.unwrap().is_none());
}

async fn what_is_held_leaves_its_lane(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let effects = vec![gather(&whose, T0)];
    let taken = change(store, &whose, Changes::default(), effects).await;
    let reason = "it may have been sent".to_owned();
    settle(store, &taken[0], Ending::Held { reason }).await;
    assert!(
        store
            .claim_effects(8, T0.plus_ms(9_999_999))
            .await
            .unwrap()
            .is_empty()
    );
    let states = world.texts("SELECT CAST(state AS TEXT) FROM effect").await;
    assert_eq!(states, [[Some("6".to_owned())]]);
}

pub(crate) async fn calls_and_looks_are_remembered(world: &World) {
    let store = &world.store;
    let until = T0.plus_ms(60_000);
    let seen = |now| store.call_seen(account(), "jti-1".to_owned(), until, now);
    assert!(!store.call_is_known(&account(), "jti-1").await.unwrap());
    assert!(seen(T0).await.unwrap());
    assert!(!seen(T0).await.unwrap());
    assert!(store.call_is_known(&account(), "jti-1").await.unwrap());
    assert!(
        seen(until.plus_ms(1)).await.unwrap(),
        "expired calls are forgotten"
    );

    let watch = |now| store.watch("account/bird".to_owned(), now);
    assert_eq!(watch(T0).await.unwrap(), T0);
    assert_eq!(watch(until).await.unwrap(), T0);
    store
        .watched("account/bird".to_owned(), until)
        .await
        .unwrap();
    assert_eq!(watch(T0).await.unwrap(), until);
}

async fn what_was_said_is_taken_out_once_the_conversation_is_closed(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let changes = Changes {
        outbound: vec![outbound("talk-send/1")],
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    let written = vec![(MessageId::new("m1"), 0)];
    store
        .lines_written(account(), written, Millis(9))
        .await
        .unwrap();
    let said = async || {
        let lines = store.gathered(&whose, 1).await.unwrap();
        let sent = store.outbounds(&whose).await.unwrap();
        (lines[0].line.text.clone(), sent[0].text.clone())
    };
    let later = T0.plus_ms(1);
    store.redact(later, Redacted::default()).await.unwrap();
    assert_eq!(said().await.0, "says m1", "it is active");
    let mut closed = request(1);
    closed.stage = Stage::Closed;
    let changes = Changes {
        request: Some(closed),
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    store.redact(T0, Redacted::default()).await.unwrap();
    assert_eq!(said().await.1, "Which model?", "it is not old enough");
    store.redact(later, Redacted::default()).await.unwrap();
    assert_eq!(said().await, (String::new(), String::new()));
}

pub(crate) async fn people_decide_who_is_blocked_and_which_customer_they_are(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let (account, noa) = (account(), whose.end_user.clone());
    let read = || async { store.end_user(&account, &noa).await.unwrap().unwrap() };
    let block =
        |id: &EndUserId, blocked| store.end_user_blocked(account.clone(), id.clone(), blocked);
    let tie = |id: &EndUserId, customer: Option<&str>| {
        store.end_user_tied(account.clone(), id.clone(), customer.map(str::to_owned))
    };
    let speak = |id: &EndUserId, tag: Option<&str>| {
        let language = tag.and_then(Language::read);
        store.end_user_spoken_to(account.clone(), id.clone(), language)
    };
    assert!(block(&noa, true).await.unwrap());
    assert!(tie(&noa, Some("qm:noa")).await.unwrap());
    assert!(speak(&noa, Some("pt-BR")).await.unwrap());
    // A plan that saw them before does not undo it.
    let changes = Changes {
        end_user: Some(end_user("+31600000001").with(&[], Some("Noa Lind"))),
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    let now = read().await;
    assert_eq!(now.name.as_deref(), Some("Noa Lind"));
    assert!(now.blocked);
    assert_eq!(now.customer.as_deref(), Some("qm:noa"));
    assert_eq!(now.language.as_ref().map(Language::as_str), Some("pt-BR"));
    assert!(block(&noa, false).await.unwrap());
    assert!(tie(&noa, None).await.unwrap());
    let now = read().await;
    assert_eq!((now.blocked, now.customer), (false, None));
    assert!(speak(&noa, None).await.unwrap());
    assert_eq!(read().await.language, None);

    let nobody = EndUserId::new("nobody");
    assert!(!block(&nobody, true).await.unwrap());
    assert!(!tie(&nobody, None).await.unwrap());
    assert!(!speak(&nobody, None).await.unwrap());

    let stranger = end_user("+31600000009");
    let barred = store.end_user_barred(account.clone(), stranger.clone(), T0);
    barred.await.unwrap();
    let by = store.end_user_by(&account, &[phone("+31600000009")]).await;
    assert_eq!(by.unwrap(), Some(stranger.id.clone()));
    let found = store.end_user(&account, &stranger.id).await.unwrap();
    assert!(found.unwrap().blocked);
}
