//! How far behind a connection is, and what is asked for, on both databases.

use crate::support::*;

on_both!(a_connection_has_its_pace);

pub(crate) async fn a_connection_has_its_pace(world: &World) {
    let store = &world.store;
    let now = T0.plus_ms(5_000);
    let pace = store.pace(&intercom(), T0, now).await.unwrap();
    assert_eq!((pace.oldest_at, pace.attempts, pace.failed), (None, 0, 0));
    let taken = one_note(store, "7", "a").await;
    let pace = store.pace(&intercom(), T0, now).await.unwrap();
    assert!(pace.oldest_at.is_some(), "{pace:?}");
    assert_eq!(store.pace(&jira(), T0, now).await.unwrap().oldest_at, None);
    settle(store, &taken, confirmed("p1")).await;
    let pace = store
        .pace(&intercom(), T0.plus_ms(-1_000_000), now)
        .await
        .unwrap();
    assert_eq!((pace.oldest_at, pace.attempts, pace.failed), (None, 1, 0));
    assert!(store.asked_page(None, 9).await.unwrap().is_empty());
}
