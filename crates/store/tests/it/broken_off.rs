//! Whoever breaks off while waiting for an answer does not keep the lanes that come with it.

use std::pin::pin;

use bowline_store::testing::{execute, texts};

use crate::support::*;

on_both!(
    a_delivery_broken_off_before_it_is_stored_frees_its_lane,
    a_delivery_broken_off_after_it_is_stored_frees_its_lane,
    many_deliveries_broken_off_free_their_lanes_though_nothing_is_written,
    a_claim_broken_off_frees_its_lanes,
    a_decision_broken_off_frees_its_lanes,
    a_settlement_that_fails_gives_its_lane_up,
    a_postponement_that_fails_gives_its_lane_up,
);

/// Lets `work` get as far as it can at once, and leaves it there.
macro_rules! start {
    ($work:expr) => {
        tokio::select! {
            biased;
            _ = &mut $work => panic!("it was over at once"),
            () = std::future::ready(()) => {}
        }
    };
}

/// Waits until a lane of events is free and takes it.
async fn freed(world: &World) {
    eventually("the lane is free", async || {
        world.store.claim_events(1, T0).await.unwrap().pop()
    })
    .await;
}

async fn a_delivery_broken_off_before_it_is_stored_frees_its_lane(world: &World) {
    {
        let mut storing = pin!(world.store.accept(event("1", "d1")));
        start!(storing);
    }
    freed(world).await;
}

async fn a_delivery_broken_off_after_it_is_stored_frees_its_lane(world: &World) {
    {
        let mut storing = pin!(world.store.accept(event("1", "d1")));
        start!(storing);
        // By now the first has its answer, which is never looked at.
        world.store.accept(event("2", "d2")).await.unwrap();
    }
    freed(world).await;
}

async fn many_deliveries_broken_off_free_their_lanes_though_nothing_is_written(world: &World) {
    let issues: Vec<String> = (1..=64).map(|issue| issue.to_string()).collect();
    {
        let storing = |issue: &String| Box::pin(world.store.accept(event(issue, issue)));
        let mut storing: Vec<_> = issues.iter().map(storing).collect();
        for one in &mut storing {
            start!(*one);
        }
    }
    eventually("all lanes are let go", async || {
        let held = "SELECT CAST(COUNT(*) AS TEXT) FROM event \
            UNION ALL SELECT CAST(COUNT(*) AS TEXT) FROM lane WHERE owner <> ''";
        let found = texts(&world.url, held).await.unwrap();
        let found: Vec<String> = found.into_iter().flatten().flatten().collect();
        (found == ["64", "0"]).then_some(())
    })
    .await;
}

async fn a_claim_broken_off_frees_its_lanes(world: &World) {
    for issue in ["1", "2"] {
        world.store.accept(left(event(issue, issue))).await.unwrap();
    }
    // Broken off sooner and later, until it comes to its end.
    for steps in (0..40).map(|doublings| 1_u64 << doublings) {
        let mut answer = None;
        {
            let mut claiming = pin!(world.store.claim_events(9, T0));
            for _ in 0..steps {
                tokio::select! {
                    biased;
                    claimed = &mut claiming => {
                        answer = Some(claimed.unwrap());
                        break;
                    }
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        // A write that waited behind it: when it is done, so is what the claim left.
        let kept = world.store.renew(T0).await.unwrap();
        if let Some(leases) = answer {
            assert_eq!((leases.len(), kept), (2, 2));
            return;
        }
        assert_eq!(kept, 0, "after {steps} steps");
    }
}

async fn a_decision_broken_off_frees_its_lanes(world: &World) {
    let (id, lease) = taken(&world.store, "1", "d1").await;
    world.store.accept(event("1", "d2")).await.unwrap();
    {
        let mut deciding = pin!(decide(
            &world.store,
            &lease,
            id,
            effects(vec![note("7", "a")])
        ));
        start!(deciding);
        world.store.accept(event("3", "d3")).await.unwrap();
    }
    freed(world).await;
    let effect = eventually("the effect is found", async || {
        world.store.claim_effects(1, T0).await.unwrap().pop()
    })
    .await;
    assert!(effect.doubtful, "nobody can say whether it was made");
}

/// Takes the table away that attempts are recorded in, and brings it back.
const AWAY: &str = "ALTER TABLE attempt RENAME TO away";
const BACK: &str = "ALTER TABLE away RENAME TO attempt";

async fn a_settlement_that_fails_gives_its_lane_up(world: &World) {
    let effect = one_note(&world.store, "7", "a").await;
    execute(&world.url, AWAY).await.unwrap();
    assert!(
        world
            .store
            .settle(settlement(&effect, confirmed("r1")))
            .await
            .is_err()
    );
    execute(&world.url, BACK).await.unwrap();
    let again = eventually("the lane is free", async || {
        world.store.claim_effects(1, T0).await.unwrap().pop()
    })
    .await;
    assert_eq!(
        (again.id, again.doubtful, again.attempts),
        (effect.id, true, 2)
    );
}

async fn a_postponement_that_fails_gives_its_lane_up(world: &World) {
    let (_, lease) = taken(&world.store, "1", "d1").await;
    execute(&world.url, "ALTER TABLE lane RENAME TO away")
        .await
        .unwrap();
    assert!(
        world
            .store
            .postpone(lease, T0.plus_ms(5), true)
            .await
            .is_err()
    );
    execute(&world.url, "ALTER TABLE away RENAME TO lane")
        .await
        .unwrap();
    // Letting go failed too; it is tried again with whatever is written next.
    world.store.renew(T0).await.unwrap();
    freed(world).await;
}
