//! Replays of all since a time, on both databases: planned, run part by part, taken over, ended.

use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_store::feedback::BackfillState;
use bowline_store::model::{EventSource, NewEvent, OnArrival};
use bowline_store::replays::ReplayAsked;

use crate::support::*;

on_both!(a_replay_goes_its_way);

/// Deliveries that are in quarantine: more than two parts.
const ODD: i64 = 250;

fn odd(number: i64) -> NewEvent {
    NewEvent {
        received_at: T0.plus_ms(number),
        on_arrival: OnArrival::Quarantine("odd".to_owned()),
        ..event(&(number % 7).to_string(), &format!("odd-{number}"))
    }
}

pub(crate) async fn a_replay_goes_its_way(world: &World) {
    let store = &world.store;
    let (done, lease) = taken(store, "900", "done").await;
    decide(store, &lease, done, effects(vec![note("7", "a")]))
        .await
        .unwrap();
    for number in 0..ODD {
        store.accept(odd(number)).await.unwrap();
    }
    // Of another connection, and of no connection at all: what a person did by hand.
    let other = Connection::Site("other".into());
    let elsewhere = NewEvent {
        connection: other.clone(),
        ..odd(ODD)
    };
    store.accept(elsewhere).await.unwrap();
    let by_hand = NewEvent {
        source: EventSource::Command,
        ..odd(ODD + 1)
    };
    store.accept(by_hand).await.unwrap();

    let all = ReplayAsked {
        connection: None,
        since: Millis(0),
    };
    let plan = store.plan_replay(&all).await.unwrap();
    assert_eq!(
        (plan.found, plan.quarantined, plan.effects, plan.nothing),
        (ODD + 2, ODD + 1, 1, 0)
    );
    let later = ReplayAsked {
        connection: Some(other),
        since: T0.plus_ms(100),
    };
    assert_eq!(store.plan_replay(&later).await.unwrap().again(), 1);
    assert_eq!(
        store.backlog().await.unwrap().events,
        0,
        "a plan does nothing"
    );

    // What cannot be read any more is left alone.
    let gone = "UPDATE event SET body = '' WHERE delivery = 'odd-249'";
    assert_eq!(world.execute(gone).await, 1);
    let plan = store.plan_replay(&all).await.unwrap();
    assert_eq!((plan.gone, plan.again()), (1, ODD + 1));

    let begin = || store.begin_replay((all.clone(), plan), ("Olive".to_owned(), T0), Vec::new());
    let id = begin().await.unwrap().unwrap();
    assert_eq!(begin().await.unwrap(), None, "one at a time");
    // What comes later is not taken.
    store.accept(odd(ODD + 2)).await.unwrap();

    let held = T0.plus_ms(60_000);
    let first = store.replay_part(id, T0, held).await.unwrap().unwrap();
    assert_eq!((first.looked, first.put_back), (100, 100));
    let second = world.other("second", 90_000).await;
    assert_eq!(second.replay_part(id, T0, held).await.unwrap(), None);
    // The first is gone: another process goes on where it was, and does nothing twice.
    let after = held.plus_ms(1);
    let until = after.plus_ms(60_000);
    let part = second.replay_part(id, after, until).await.unwrap().unwrap();
    assert_eq!((part.looked, part.state), (200, BackfillState::Running));
    assert_eq!(store.replay_part(id, after, until).await.unwrap(), None);
    let watched = store.replay_run(id).await.unwrap().unwrap();
    assert_eq!((watched.waiting, watched.decided()), (200, 0));
    assert_eq!(store.running_replays().await.unwrap(), [id]);

    // Cancelled: what was put back waits, the rest is as it was.
    assert!(store.cancel_replay(id, after, Vec::new()).await.unwrap());
    assert!(!store.cancel_replay(id, after, Vec::new()).await.unwrap());
    assert_eq!(second.replay_part(id, after, until).await.unwrap(), None);
    assert_eq!(store.backlog().await.unwrap().events, 200);

    // Again: those that wait are left alone, the rest is put back, each once.
    let plan = store.plan_replay(&all).await.unwrap();
    assert_eq!((plan.waiting, plan.again()), (200, ODD + 2 - 200));
    let by = ("Olive".to_owned(), after);
    let begun = store.begin_replay((all.clone(), plan), by, Vec::new());
    let id = begun.await.unwrap().unwrap();
    loop {
        let run = second.replay_part(id, after, until).await.unwrap().unwrap();
        if run.state == BackfillState::Done {
            assert_eq!((run.looked, run.put_back), (ODD + 3, plan.again()));
            break;
        }
    }
    second.close().await;
    assert_eq!(store.backlog().await.unwrap().events, ODD + 2);
    let latest = store.latest_replays(9).await.unwrap();
    let states: Vec<BackfillState> = latest.iter().map(|run| run.state).collect();
    assert_eq!(states, [BackfillState::Done, BackfillState::Cancelled]);
    assert!(store.replay_run(999).await.unwrap().is_none());
}
