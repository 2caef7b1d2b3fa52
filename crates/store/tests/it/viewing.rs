//! What people look at: lists of events and links, the backlog, connections, bindings.

use bowline_domain::connection::Health;
use bowline_domain::ids::{ConversationId, EventId, IssueKey, ProjectKey};
use bowline_domain::link::{Link, LinkEnd};
use bowline_domain::time::Millis;
use bowline_store::model::{
    Backlog, BindingRecord, ConnectionRecord, EventFilter, EventState, LinkFilter, NewEvent,
    OnArrival,
};

use crate::reading::keep;
use crate::support::*;

on_both!(
    events_are_listed_newest_first,
    links_are_listed_by_what_is_asked,
    the_backlog_counts_what_waits,
    connections_are_kept,
    bindings_are_kept,
);

pub(crate) async fn events_are_listed_newest_first(world: &World) {
    let mut ids: Vec<EventId> = Vec::new();
    for n in 0..6 {
        let (id, _) = fresh(
            &world
                .store
                .accept(event(&format!("{}", n % 2), &format!("d{n}")))
                .await
                .unwrap(),
        );
        ids.push(id);
    }
    let odd = NewEvent {
        on_arrival: OnArrival::Quarantine("odd".to_owned()),
        ..event("0", "odd")
    };
    ids.push(fresh(&world.store.accept(odd).await.unwrap()).0);
    let lease = world
        .store
        .claim_events(1, T0.plus_ms(LEASE_OVER))
        .await
        .unwrap()
        .remove(0);
    let head = world.store.waiting_events(&lease.lane, 1).await.unwrap()[0].id;
    decide(&world.store, &lease, head, effects(vec![]))
        .await
        .unwrap();

    let decided = ids.iter().position(|id| *id == head).unwrap();
    let waiting: Vec<usize> = (0..6).rev().filter(|n| *n != decided).collect();
    let all = EventFilter {
        limit: 100,
        ..EventFilter::default()
    };
    // In this lane some wait and some do not.
    let of_lane = |limit| EventFilter {
        lane: Some(event_lane("0")),
        limit,
        ..EventFilter::default()
    };
    let cases: [(EventFilter, Vec<usize>); 10] = [
        (of_lane(100), vec![6, 4, 2, 0]),
        (of_lane(2), vec![6, 4]),
        (
            EventFilter {
                before: Some(ids[4]),
                ..of_lane(1)
            },
            vec![2],
        ),
        (all.clone(), vec![6, 5, 4, 3, 2, 1, 0]),
        (
            EventFilter {
                limit: 2,
                ..all.clone()
            },
            vec![6, 5],
        ),
        (
            EventFilter {
                before: Some(ids[3]),
                ..all.clone()
            },
            vec![2, 1, 0],
        ),
        (
            EventFilter {
                lane: Some(event_lane("1")),
                ..all.clone()
            },
            vec![5, 3, 1],
        ),
        (
            EventFilter {
                state: Some(EventState::Quarantined),
                ..all.clone()
            },
            vec![6],
        ),
        (
            EventFilter {
                state: Some(EventState::Decided),
                ..all.clone()
            },
            vec![decided],
        ),
        (
            EventFilter {
                state: Some(EventState::Waiting),
                ..all
            },
            waiting,
        ),
    ];
    for (filter, wanted) in cases {
        let found: Vec<EventId> = world
            .store
            .events(&filter)
            .await
            .unwrap()
            .iter()
            .map(|view| view.event.id)
            .collect();
        let wanted: Vec<EventId> = wanted.into_iter().map(|n| ids[n]).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
    assert!(world.store.event(EventId(987_654)).await.unwrap().is_none());
}

pub(crate) async fn links_are_listed_by_what_is_asked(world: &World) {
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
        vec![Link {
            since: T0.plus_ms(1),
            ..link("7")
        }],
    )
    .await;
    keep(
        world,
        "12",
        None,
        vec![Link {
            workspace: "other".into(),
            ..link("7")
        }],
    )
    .await;

    let all = LinkFilter {
        limit: 100,
        ..LinkFilter::default()
    };
    let of = |text: &str| LinkFilter {
        issue: Some(text.to_owned()),
        ..all.clone()
    };
    let conversation = Some(ConversationId::new("7"));
    let cases: [(LinkFilter, &[(&str, &str)]); 9] = [
        (all.clone(), &[("10", "7"), ("11", "7"), ("12", "7")]),
        (
            LinkFilter {
                ended: true,
                ..of("10")
            },
            &[("10", "7"), ("10", "8")],
        ),
        (of("ENG-2"), &[("11", "7")]),
        (of("11"), &[("11", "7")]),
        (
            LinkFilter {
                workspace: Some("other".into()),
                ..all.clone()
            },
            &[("12", "7")],
        ),
        (
            LinkFilter {
                workspace: Some(workspace()),
                conversation,
                ..all.clone()
            },
            &[("10", "7"), ("11", "7")],
        ),
        (
            LinkFilter {
                site: Some("elsewhere".into()),
                ..all.clone()
            },
            &[],
        ),
        (
            LinkFilter {
                site: Some(site()),
                ..of("ENG-1")
            },
            &[("10", "7")],
        ),
        (
            LinkFilter {
                limit: 1,
                ..all.clone()
            },
            &[("10", "7")],
        ),
    ];
    for (filter, wanted) in cases {
        let found = world.store.links(&filter).await.unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|view| (view.issue.as_str(), view.link.conversation.as_str()))
            .collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
    let keys: Vec<Option<IssueKey>> = world
        .store
        .links(&all)
        .await
        .unwrap()
        .into_iter()
        .map(|view| view.key)
        .collect();
    assert_eq!(keys, [Some("ENG-1".into()), Some("ENG-2".into()), None]);
}

pub(crate) async fn the_backlog_counts_what_waits(world: &World) {
    assert_eq!(world.store.backlog().await.unwrap(), Backlog::default());
    for (delivery, age) in [("a", 10), ("b", 30), ("c", 20)] {
        let event = NewEvent {
            received_at: T0.plus_ms(-age),
            ..event("1", delivery)
        };
        world.store.accept(event).await.unwrap();
    }
    planned(
        &world.store,
        "2",
        vec![note("7", "a"), note("7", "b"), note("8", "a")],
    )
    .await;
    let odd = NewEvent {
        on_arrival: OnArrival::Quarantine("odd".to_owned()),
        ..event("1", "odd")
    };
    world.store.accept(odd).await.unwrap();
    let wanted = Backlog {
        events: 3,
        effects: 3,
        quarantined: 1,
        oldest_event_at: Some(T0.plus_ms(-30)),
    };
    assert_eq!(world.store.backlog().await.unwrap(), wanted);
}

pub(crate) async fn connections_are_kept(world: &World) {
    let full = ConnectionRecord {
        connection: intercom(),
        health: Health::Broken,
        reason: Some("The token was taken back.".to_owned()),
        since: T0,
        remote_id: Some("abc123".to_owned()),
        actor_id: Some("5".to_owned()),
        checked_at: Some(T0.plus_ms(1)),
        webhook_seen_at: Some(T0.plus_ms(2)),
    };
    let mut empty = connection(jira(), Health::Unchecked);
    for record in [&full, &empty] {
        world.store.put_connection(record.clone()).await.unwrap();
    }
    assert_eq!(
        world.store.connections().await.unwrap(),
        [empty.clone(), full.clone()]
    );

    // What a webhook left is not undone by a record of health.
    world
        .store
        .webhook_seen(&jira(), T0.plus_ms(9))
        .await
        .unwrap();
    empty.health = Health::Limited;
    world.store.put_connection(empty.clone()).await.unwrap();
    let mended = ConnectionRecord {
        health: Health::Connected,
        reason: None,
        ..full
    };
    world.store.put_connection(mended.clone()).await.unwrap();
    empty.webhook_seen_at = Some(T0.plus_ms(9));
    assert_eq!(world.store.connections().await.unwrap(), [empty, mended]);
}

pub(crate) async fn bindings_are_kept(world: &World) {
    let binding = |project: &str, at: Millis| BindingRecord {
        site: site(),
        project: ProjectKey::new(project),
        active_since: at,
        watermark: at,
        swept_to: None,
        swept_at: None,
    };
    world
        .store
        .activate_binding(binding("OPS", T0))
        .await
        .unwrap();
    world
        .store
        .activate_binding(binding("ENG", T0))
        .await
        .unwrap();
    let moved = BindingRecord {
        active_since: T0.plus_ms(77),
        watermark: T0.plus_ms(5),
        swept_to: Some("cursor".to_owned()),
        swept_at: Some(T0.plus_ms(6)),
        ..binding("ENG", T0)
    };
    world.store.advance_binding(moved.clone()).await.unwrap();
    world
        .store
        .advance_binding(binding("NEVER", T0))
        .await
        .unwrap();
    // One that is known stays as it is.
    world
        .store
        .activate_binding(binding("ENG", T0.plus_ms(99)))
        .await
        .unwrap();
    let kept = BindingRecord {
        active_since: T0,
        ..moved
    };
    assert_eq!(
        world.store.bindings().await.unwrap(),
        [kept, binding("OPS", T0)]
    );
}
