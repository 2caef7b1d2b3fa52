//! What was last read of remote things is kept, and sends that were held end by a person's word.

use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectState};
use bowline_domain::ids::IssueId;
use bowline_store::model::{Decided, Ending};
use bowline_store::reading::{HeldCounts, HeldEnding, Reading, ReadingKind, Tried};

use crate::support::*;

on_both!(what_was_read_is_kept, a_held_send_ends_once);

pub(crate) async fn what_was_read_is_kept(world: &World) {
    let (store, acme) = (&world.store, Connection::Workspace(workspace()));
    let kind = ReadingKind::Conversation;
    let put = async |remote: &str, tried: Tried, ms: i64| {
        let at = T0.plus_ms(ms);
        store
            .put_reading(&acme, kind, remote, tried, at)
            .await
            .unwrap();
    };
    let get = async |remote: &str| {
        let ids = [remote.to_owned(), "unknown".to_owned()];
        let mut found = store.readings(&acme, kind, &ids).await.unwrap();
        assert!(found.len() <= 1, "{found:?}");
        found.pop()
    };
    assert_eq!(get("1").await, None);
    put("1", Tried::Failed("It is slow.".to_owned()), 1).await;
    put("1", Tried::Read("{\"n\":1}".to_owned()), 5).await;
    let read = Reading {
        remote: "1".to_owned(),
        body: Some("{\"n\":1}".to_owned()),
        read_at: Some(T0.plus_ms(5)),
        tried_at: T0.plus_ms(5),
        trouble: None,
    };
    assert_eq!(get("1").await, Some(read.clone()));
    // A slow try that began before changes nothing.
    put("1", Tried::Read("{\"n\":0}".to_owned()), 4).await;
    assert_eq!(get("1").await, Some(read.clone()));
    put("1", Tried::Failed("It is away.".to_owned()), 6).await;
    let stays = Reading {
        tried_at: T0.plus_ms(6),
        trouble: Some("It is away.".to_owned()),
        ..read
    };
    assert_eq!(get("1").await, Some(stays));
    put("1", Tried::Gone("There is none.".to_owned()), 7).await;
    let gone = get("1").await.unwrap();
    assert_eq!((gone.body, gone.read_at), (None, None));
    put("2", Tried::Read("{}".to_owned()), 20).await;
    assert_eq!(store.forget_readings(T0.plus_ms(20)).await.unwrap(), 1);
    assert_eq!(get("1").await, None);
    assert!(get("2").await.is_some());
}

fn reply(name: &str) -> Effect {
    let note = note("7", name);
    Effect {
        act: Act::Reply {
            workspace: workspace(),
            conversation: "7".into(),
            audience: bowline_domain::audience::Audience::Customer,
            html: "<p>It works now.</p>".to_owned(),
        },
        ..note
    }
}

pub(crate) async fn a_held_send_ends_once(world: &World) {
    let store = &world.store;
    let issue = IssueId::new("10");
    for (name, arrived, state) in [
        ("a", true, EffectState::Confirmed),
        ("b", false, EffectState::Dropped),
    ] {
        let made = vec![reply(name)];
        let taken = planned(store, &format!("held-{name}"), made)
            .await
            .remove(0);
        let held = Ending::Held {
            reason: "Nobody knows.".to_owned(),
        };
        settle(store, &taken, held).await;
        let waiting = store.held_of(&site(), &issue).await.unwrap();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        // Nothing is recorded of the issue, so that it has no key to be shown by.
        assert_eq!(store.held_answers(None, 10).await.unwrap(), []);
        assert_eq!(store.held_counts().await.unwrap(), HeldCounts::default());
        assert_eq!(waiting[0].effect.key, taken.effect.key);
        let said = |reason: &str, arrived| Decided {
            held: vec![HeldEnding {
                key: taken.effect.key.clone(),
                arrived,
                reason: reason.to_owned(),
            }],
            ..effects(vec![])
        };
        for (delivery, reason, arrived) in [
            ("one", "She said so.", arrived),
            ("two", "He too.", !arrived),
        ] {
            let (event, lease) = taken_by(store, &format!("{name}-{delivery}")).await;
            decide(store, &lease, event, said(reason, arrived))
                .await
                .unwrap();
        }
        let view = store.effect(taken.id).await.unwrap().unwrap();
        assert_eq!(
            (view.state, view.reason.as_deref()),
            (state, Some("She said so."))
        );
        assert!(store.held_of(&site(), &issue).await.unwrap().is_empty());
    }
}

async fn taken_by(
    store: &bowline_store::Store,
    name: &str,
) -> (bowline_domain::ids::EventId, bowline_store::model::Lease) {
    crate::support::taken(store, "10", name).await
}
