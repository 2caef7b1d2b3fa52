//! Deliveries and links page by page, and how all is going.

use bowline_domain::call::Call;
use bowline_domain::effect::EffectState;
use bowline_domain::ids::{EventId, IssueId, IssueKey, ProjectKey};
use bowline_domain::link::{Link, LinkEnd};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use bowline_store::browse::{
    AnswerFilter, Day, DeliveryFilter, LinkCursor, LinkQuery, OutcomeFilter, Queue,
};
use bowline_store::model::{
    Decided, LaneKind, Lease, NewEvent, OnArrival, Settlement, TakenEffect,
};

use crate::reading::keep;
use crate::support::*;

on_both!(
    deliveries_are_found_by_what_is_asked,
    deliveries_are_found_by_how_their_calls_were_answered,
    a_page_goes_on_where_the_one_before_ended,
    rare_deliveries_are_looked_for_in_steps,
    what_waits_and_what_fails_is_counted,
    what_was_done_is_counted_by_day,
    links_are_found_page_by_page,
    what_is_asked_most_comes_first,
);

fn all() -> DeliveryFilter {
    DeliveryFilter {
        limit: 100,
        ..DeliveryFilter::default()
    }
}

fn numbers(page: &bowline_store::browse::DeliveryPage) -> Vec<EventId> {
    page.rows.iter().map(|row| row.id).collect()
}

/// Three deliveries: one told, one about which nothing was done, one in quarantine; and one that
/// waits.
struct Four {
    told: EventId,
    echo: EventId,
    odd: EventId,
    waits: EventId,
    effect: TakenEffect,
}

async fn four(world: &World) -> Four {
    let store = &world.store;
    let at = |event: NewEvent, minutes: i64| NewEvent {
        received_at: T0.plus_ms(minutes * 60_000),
        ..event
    };
    let (told, lease) = fresh(&store.accept(at(event("10", "told"), 0)).await.unwrap());
    let decided = Decided {
        issue: Some((site(), IssueId::new("10"))),
        record: Some(IssueRecord {
            project: ProjectKey::new("ENG"),
            ..record("ENG-1")
        }),
        effects: vec![note("7", "a")],
        outcome: Outcome {
            effects: 1,
            reasons: Vec::new(),
        },
        ..Decided::default()
    };
    let lease: Lease = lease.expect("the lane was idle");
    let committed = decide(store, &lease, told, decided).await.unwrap();
    let effect = committed.taken.into_iter().next().expect("one effect");

    let (echo, lease) = fresh(&store.accept(at(event("11", "echo"), 1)).await.unwrap());
    let nothing = Decided {
        outcome: Outcome::nothing(Reason::Echo),
        ..Decided::default()
    };
    decide(store, &lease.expect("the lane was idle"), echo, nothing)
        .await
        .unwrap();
    let odd = NewEvent {
        on_arrival: OnArrival::Quarantine("Odd.".to_owned()),
        connection: intercom(),
        ..at(event("12", "odd"), 2)
    };
    let (odd, _) = fresh(&store.accept(odd).await.unwrap());
    let (waits, _) = fresh(
        &store
            .accept(left(at(event("10", "waits"), 3)))
            .await
            .unwrap(),
    );
    Four {
        told,
        echo,
        odd,
        waits,
        effect,
    }
}

pub(crate) async fn deliveries_are_found_by_what_is_asked(world: &World) {
    let Four {
        told,
        echo,
        odd,
        waits,
        effect,
    } = four(world).await;
    let outcome = |outcome| DeliveryFilter {
        outcome: Some(outcome),
        ..all()
    };
    let minutes = |from: i64, until: i64| DeliveryFilter {
        from: Some(T0.plus_ms(from * 60_000)),
        until: Some(T0.plus_ms(until * 60_000)),
        ..all()
    };
    let cases: Vec<(DeliveryFilter, Vec<EventId>)> = vec![
        (all(), vec![waits, odd, echo, told]),
        (
            DeliveryFilter {
                connection: Some(intercom()),
                ..all()
            },
            vec![odd],
        ),
        (
            DeliveryFilter {
                project: Some((site(), ProjectKey::new("ENG"))),
                ..all()
            },
            vec![waits, told],
        ),
        (
            DeliveryFilter {
                lanes: Some(vec![event_lane("10"), event_lane("11")]),
                ..all()
            },
            vec![waits, echo, told],
        ),
        (
            DeliveryFilter {
                lanes: Some(Vec::new()),
                ..all()
            },
            vec![],
        ),
        (outcome(OutcomeFilter::Effects), vec![told]),
        (outcome(OutcomeFilter::Nothing), vec![echo]),
        (outcome(OutcomeFilter::Reason("echo")), vec![echo]),
        (outcome(OutcomeFilter::Reason("ping")), vec![]),
        (outcome(OutcomeFilter::Waiting), vec![waits]),
        (outcome(OutcomeFilter::Quarantined), vec![odd]),
        (
            outcome(OutcomeFilter::Effect(EffectState::Attempting)),
            vec![told],
        ),
        (
            outcome(OutcomeFilter::Effect(EffectState::Rejected)),
            vec![],
        ),
        (minutes(1, 3), vec![odd, echo]),
        (minutes(0, 1), vec![told]),
        (minutes(4, 9), vec![]),
        (
            DeliveryFilter {
                before: Some(odd),
                ..all()
            },
            vec![echo, told],
        ),
    ];
    for (filter, wanted) in cases {
        let page = world.store.deliveries(&filter).await.unwrap();
        assert_eq!(numbers(&page), wanted, "{filter:?}");
        assert!(page.next.is_none() && !page.broken_off, "{filter:?}");
    }
    let page = world.store.deliveries(&all()).await.unwrap();
    assert_eq!(page.rows[1].trouble.as_deref(), Some("Odd."));
    let issue = page.rows[0].issue.as_ref().expect("the issue is known");
    assert_eq!(
        (&issue.key, &issue.project),
        (&IssueKey::new("ENG-1"), &ProjectKey::new("ENG"))
    );
    assert!(page.rows[2].issue.is_none());
    settle(&world.store, &effect, confirmed("1")).await;
}

pub(crate) async fn deliveries_are_found_by_how_their_calls_were_answered(world: &World) {
    let found = async |answer| {
        let filter = DeliveryFilter {
            answer: Some(answer),
            ..all()
        };
        numbers(&world.store.deliveries(&filter).await.unwrap())
    };
    let Four { told, effect, .. } = four(world).await;
    let tried = |status, failure: Option<&str>| {
        let call = Call {
            method: "POST".to_owned(),
            // What others wrote is not taken for the status.
            response: Some(r#"{"status":404,"failure":"none"}"#.to_owned()),
            status,
            failure: failure.map(str::to_owned),
            ..Call::default()
        };
        Some(serde_json::to_string(&[call]).unwrap())
    };
    assert_eq!(found(AnswerFilter::Hundred(5)).await, []);
    let due = T0.plus_ms(5);
    let failed = Settlement {
        calls: tried(Some(503), None),
        ..settlement(&effect, later(due, false))
    };
    world.store.settle(failed).await.unwrap();
    assert_eq!(found(AnswerFilter::Hundred(5)).await, [told]);
    assert_eq!(found(AnswerFilter::Hundred(4)).await, []);
    assert_eq!(found(AnswerFilter::Nothing).await, []);
    let again = world.store.claim_effects(9, due).await.unwrap().remove(0);
    let silent = Settlement {
        calls: tried(None, Some("it did not answer in time")),
        ..settlement(&again, confirmed("1"))
    };
    world.store.settle(silent).await.unwrap();
    assert_eq!(found(AnswerFilter::Nothing).await, [told]);
    assert_eq!(found(AnswerFilter::Hundred(2)).await, []);
}

pub(crate) async fn a_page_goes_on_where_the_one_before_ended(world: &World) {
    let mut wanted = Vec::new();
    for n in 0..7 {
        let event = left(event("1", &format!("d{n}")));
        wanted.push(fresh(&world.store.accept(event).await.unwrap()).0);
    }
    wanted.reverse();
    let mut found = Vec::new();
    let mut filter = DeliveryFilter {
        limit: 3,
        ..DeliveryFilter::default()
    };
    loop {
        let page = world.store.deliveries(&filter).await.unwrap();
        found.extend(numbers(&page));
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    assert_eq!(found, wanted);
}

pub(crate) async fn rare_deliveries_are_looked_for_in_steps(world: &World) {
    let rare = NewEvent {
        on_arrival: OnArrival::Quarantine("Odd.".to_owned()),
        ..event("1", "rare")
    };
    let (rare, _) = fresh(&world.store.accept(rare).await.unwrap());
    // The numbers in between are not used: a step is counted in numbers.
    let far = NewEvent {
        on_arrival: OnArrival::Quarantine("Far.".to_owned()),
        ..event("1", "far")
    };
    let (far, _) = fresh(&world.store.accept(far).await.unwrap());
    world
        .execute(&format!("UPDATE event SET id = 50000 WHERE id = {far}"))
        .await;
    let mut filter = DeliveryFilter {
        connection: Some(jira()),
        ..all()
    };
    let mut pages = Vec::new();
    loop {
        let page = world.store.deliveries(&filter).await.unwrap();
        pages.push((numbers(&page), page.broken_off));
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    assert_eq!(
        pages,
        [
            (vec![EventId(50_000)], true),
            (vec![], true),
            (vec![rare], false)
        ]
    );
    let found = DeliveryFilter {
        lanes: Some(vec![event_lane("1")]),
        ..all()
    };
    let page = world.store.deliveries(&found).await.unwrap();
    assert_eq!(
        numbers(&page),
        [EventId(50_000), rare],
        "an index finds them at once"
    );
}

pub(crate) async fn what_waits_and_what_fails_is_counted(world: &World) {
    let store = &world.store;
    assert_eq!(store.queues().await.unwrap(), []);
    assert_eq!(store.oldest_waiting_effect().await.unwrap(), None);
    let Four { effect, odd, .. } = four(world).await;
    let queue = |connection, kind| Queue {
        connection,
        kind,
        waiting: 1,
    };
    assert_eq!(
        store.queues().await.unwrap(),
        [
            queue(jira(), LaneKind::Events),
            queue(intercom(), LaneKind::Effects)
        ]
    );
    assert!(store.oldest_waiting_effect().await.unwrap().is_some());

    let quarantined = store.quarantined().await.unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(
        (
            quarantined[0].cause.as_str(),
            quarantined[0].count,
            quarantined[0].event
        ),
        ("Odd.", 1, odd)
    );

    settle(store, &effect, later(T0.plus_ms(60_000), true)).await;
    let doubts = store.doubtful().await.unwrap();
    assert_eq!((doubts.len(), doubts[0].count), (1, 1));
    let again = store
        .claim_effects(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    settle(store, &again, rejected()).await;
    assert_eq!(store.doubtful().await.unwrap(), []);
    let refused = store.rejected(T0).await.unwrap();
    assert_eq!((refused.len(), refused[0].affected), (1, 1));
    assert_eq!(refused[0].connection, intercom());
    assert_eq!(store.rejected(Millis(i64::MAX)).await.unwrap(), []);

    assert_eq!(store.failing(1).await.unwrap(), []);
    let lease = store
        .claim_events(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    store.postpone(lease, T0, true).await.unwrap();
    let failing = store.failing(1).await.unwrap();
    assert_eq!(
        (failing.len(), failing[0].lanes, failing[0].failures),
        (1, 1, 1)
    );
    assert_eq!(store.failing(2).await.unwrap(), []);
}

pub(crate) async fn what_was_done_is_counted_by_day(world: &World) {
    const DAY: i64 = 86_400_000;
    let store = &world.store;
    let midnight = Millis(T0.0 / DAY * DAY);
    let at = [
        midnight.plus_ms(-1),
        midnight.plus_ms(1),
        midnight.plus_ms(2),
    ];
    let taken = planned(
        store,
        "2",
        vec![note("7", "a"), note("8", "b"), note("9", "c")],
    )
    .await;
    assert_eq!(taken.len(), 3);
    for (taken, at) in taken.iter().zip(at) {
        let done = Settlement {
            ended_at: at,
            ..settlement(taken, confirmed(&taken.id.to_string()))
        };
        store.settle(done).await.unwrap();
    }
    let day = |number: i64, notes: i64| Day {
        day: midnight.0 / DAY + number,
        notes,
        reopens: 0,
    };
    let since = midnight.plus_ms(-DAY);
    assert_eq!(store.days(since, 0).await.unwrap(), [day(-1, 1), day(0, 2)]);
    // An hour further east all of it is of one day.
    assert_eq!(store.days(since, 3_600_000).await.unwrap(), [day(0, 3)]);
    assert_eq!(
        store.days(midnight.plus_ms(2), 0).await.unwrap(),
        [day(0, 1)]
    );
}

pub(crate) async fn links_are_found_page_by_page(world: &World) {
    let since = |link: Link, ms: i64| Link {
        since: T0.plus_ms(ms),
        ..link
    };
    let ended = Link {
        live: false,
        ended: Some(LinkEnd::ByHand),
        ..link("8")
    };
    let ops = IssueRecord {
        project: ProjectKey::new("OPS"),
        ..record("OPS-1")
    };
    keep(
        world,
        "10",
        Some(record("ENG-1")),
        vec![since(link("7"), 1), since(ended, 2)],
    )
    .await;
    // Two of the same moment, in one issue.
    keep(
        world,
        "11",
        Some(ops),
        vec![since(link("5"), 3), since(link("6"), 3)],
    )
    .await;
    let query = |change: fn(&mut LinkQuery)| {
        let mut query = LinkQuery {
            limit: 10,
            ..LinkQuery::default()
        };
        change(&mut query);
        query
    };
    let cases: [(LinkQuery, &[&str]); 11] = [
        (query(|_| ()), &["6", "5", "8", "7"]),
        (
            query(|query| {
                query.site = Some(site());
                query.project = Some(ProjectKey::new("ENG"));
            }),
            &["8", "7"],
        ),
        (
            query(|query| {
                query.site = Some(site());
                query.project = Some(ProjectKey::new("ENG"));
                query.live = Some(true);
            }),
            &["7"],
        ),
        (query(|query| query.conversation = Some("8".into())), &["8"]),
        (query(|query| query.live = Some(true)), &["6", "5", "7"]),
        (query(|query| query.live = Some(false)), &["8"]),
        (
            query(|query| query.project = Some(ProjectKey::new("OPS"))),
            &["6", "5"],
        ),
        (
            query(|query| query.issue = Some("ENG-1".to_owned())),
            &["8", "7"],
        ),
        (
            query(|query| {
                query.site = Some(site());
                query.issue = Some("11".to_owned());
            }),
            &["6", "5"],
        ),
        (
            query(|query| {
                query.workspace = Some(workspace());
                query.conversation = Some("7".into());
            }),
            &["7"],
        ),
        (query(|query| query.site = Some("elsewhere".into())), &[]),
    ];
    for (query, wanted) in cases {
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let part = LinkQuery {
                after: after.clone(),
                limit: 1,
                ..query.clone()
            };
            let part = world.store.link_page(&part).await.unwrap();
            let Some(last) = part.last() else { break };
            after = Some(LinkCursor::of(last));
            found.push(last.link.conversation.to_string());
        }
        assert_eq!(found, wanted, "{query:?}");
    }
}

pub(crate) async fn what_is_asked_most_comes_first(world: &World) {
    let ended = Link {
        live: false,
        ended: Some(LinkEnd::ByHand),
        ..link("8")
    };
    keep(world, "10", Some(record("ENG-1")), vec![link("7"), ended]).await;
    keep(
        world,
        "11",
        Some(record("ENG-2")),
        vec![link("5"), link("6")],
    )
    .await;
    let most = world.store.most_asked(10).await.unwrap();
    let found: Vec<(Option<IssueKey>, i64)> = most
        .into_iter()
        .map(|asked| (asked.key, asked.conversations))
        .collect();
    assert_eq!(
        found,
        [(Some("ENG-2".into()), 2), (Some("ENG-1".into()), 1)]
    );
    assert_eq!(world.store.most_asked(1).await.unwrap().len(), 1);
    let label = world
        .store
        .issue_label(&site(), &IssueId::new("11"))
        .await
        .unwrap();
    assert_eq!(label.unwrap().key, IssueKey::new("ENG-2"));
    assert!(
        world
            .store
            .issue_label(&site(), &IssueId::new("99"))
            .await
            .unwrap()
            .is_none()
    );
}
