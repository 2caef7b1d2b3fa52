//! News that people are being told.

use crate::support::*;

on_both!(news_is_tried_by_one_process_at_a_time_until_it_is_told);

pub(crate) async fn news_is_tried_by_one_process_at_a_time_until_it_is_told(world: &World) {
    let other = world.other("other", 1_000_000).await;
    let take = async |store: &bowline_store::Store, works: bool, at: i64| {
        let (now, until) = (T0.plus_ms(at), T0.plus_ms(at + 60_000));
        let taken = store.take_alert("site/jira".to_owned(), works, now, until);
        taken.await.unwrap()
    };
    let first = take(&world.store, false, 0).await.unwrap();
    assert_eq!((first.works, first.tries), (false, 1));
    assert_eq!(take(&other, false, 0).await, None, "one tells it");
    let mut failed = first.clone();
    failed.due_at = T0.plus_ms(5_000);
    "it answered 503".clone_into(&mut failed.failure);
    world.store.alert_failed(failed.clone()).await.unwrap();
    assert_eq!(other.alert_tries().await.unwrap(), [failed]);
    assert_eq!(take(&other, false, 4_999).await, None, "not due");
    let second = take(&other, false, 5_000).await.unwrap();
    assert_eq!(
        (second.tries, second.failure.as_str()),
        (2, "it answered 503")
    );
    // A process that died while it told leaves it to the others, after its time.
    assert_eq!(take(&world.store, false, 64_999).await, None);
    assert_eq!(take(&world.store, false, 65_000).await.unwrap().tries, 3);
    // Other news is told at once, and what comes late of the older does not hold it up.
    let other_news = take(&other, true, 65_001).await.unwrap();
    assert_eq!(other_news.tries, 1);
    world.store.alert_failed(second).await.unwrap();
    assert_eq!(other.alert_tries().await.unwrap(), [other_news]);
    other.drop_alert("site/jira".to_owned()).await.unwrap();
    assert_eq!(other.alert_tries().await.unwrap(), []);
    other.close().await;
}
