//! News that people are told.

use bowline_store::Store;
use bowline_store::access::AuditEntry;
use bowline_store::alert::{AlertCame, AlertMatter, AlertState, AlertTry, NewAlert};

use crate::support::*;

on_both!(
    news_is_written_down_once_and_told_to_each_receiver_in_order,
    what_a_version_before_told_counts,
    old_alerts_go_unless_somebody_still_waits
);

/// How long a try may take, in milliseconds.
const LEASE: i64 = 60_000;

fn entry(at: i64) -> AuditEntry {
    AuditEntry {
        at: T0.plus_ms(at),
        who: "the command line".to_owned(),
        account: None,
        what: "alert_sent".to_owned(),
        subject: "site/jira".to_owned(),
        detail: String::new(),
    }
}

async fn make(
    store: &Store,
    (uid, at): (&str, i64),
    news: Option<(bool, i64)>,
    receivers: &[&str],
) -> Option<i64> {
    let alert = NewAlert {
        uid: uid.to_owned(),
        matter: "site/jira".to_owned(),
        news,
        body: format!("{{\"uid\":\"{uid}\"}}"),
        at: T0.plus_ms(at),
        receivers: receivers.iter().map(ToString::to_string).collect(),
    };
    store.make_alert(alert, entry(at)).await.unwrap()
}

async fn take(store: &Store, at: i64) -> Vec<AlertTry> {
    let (now, until) = (T0.plus_ms(at), T0.plus_ms(at + LEASE));
    let mut taken = store.take_alerts(now, until, 16).await.unwrap();
    taken.sort_by(|one, other| (one.alert, &one.receiver).cmp(&(other.alert, &other.receiver)));
    taken
}

fn named(tries: &[AlertTry]) -> Vec<(&str, &str, i64)> {
    let names = tries
        .iter()
        .map(|one| (one.uid.as_str(), one.receiver.as_str(), one.tries));
    names.collect()
}

async fn came(store: &Store, tried: &AlertTry, came: AlertCame, at: i64) -> bool {
    let told = store.alert_came(tried.clone(), came, T0.plus_ms(at));
    told.await.unwrap()
}

fn again(at: i64) -> AlertCame {
    AlertCame::Again {
        due_at: T0.plus_ms(at),
        failure: "it answered 503".to_owned(),
    }
}

pub(crate) async fn news_is_written_down_once_and_told_to_each_receiver_in_order(world: &World) {
    let (store, other) = (&world.store, world.other("other", 1_000_000).await);
    let both = ["mail:ops@example.com", "webhook"];
    let first = make(store, ("a", 0), Some((false, 0)), &both)
        .await
        .unwrap();
    // Who decided the same, or something else, from the same look is refused.
    assert_eq!(make(&other, ("b", 1), Some((false, 0)), &both).await, None);
    let matter = |works, told| AlertMatter {
        name: "site/jira".to_owned(),
        works,
        told,
    };
    assert_eq!(other.alert_matters().await.unwrap(), [matter(false, 1)]);

    let tries = take(store, 0).await;
    assert_eq!(
        named(&tries),
        [("a", "mail:ops@example.com", 1), ("a", "webhook", 1)]
    );
    assert_eq!(take(&other, 0).await, [], "one process tells it");
    assert!(came(store, &tries[0], AlertCame::Delivered, 5).await);
    assert!(came(store, &tries[1], again(5_000), 5).await);

    // It is mended, and breaks again, while the webhook is away.
    make(&other, ("c", 6), Some((true, 1)), &both)
        .await
        .unwrap();
    assert_eq!(make(store, ("d", 7), Some((false, 1)), &both).await, None);
    make(store, ("d", 7), Some((false, 2)), &both)
        .await
        .unwrap();
    let tries = take(&other, 8).await;
    assert_eq!(
        named(&tries),
        [("c", "mail:ops@example.com", 1)],
        "each receiver is told in order, and by itself"
    );
    assert!(came(&other, &tries[0], AlertCame::Delivered, 9).await);
    let tries = take(&other, 4_999).await;
    assert_eq!(named(&tries), [("d", "mail:ops@example.com", 1)]);
    let late = tries[0].clone();
    let tries = take(&other, 5_000).await;
    assert_eq!(named(&tries), [("a", "webhook", 2)]);
    let refused = AlertCame::GivenUp {
        failure: "it answered 410".to_owned(),
    };
    assert!(came(&other, &tries[0], refused, 5_001).await);
    let tries = take(store, 5_002).await;
    assert_eq!(named(&tries), [("c", "webhook", 1)]);

    // A process that died while it told leaves it to others, after its time.
    let at = 4_999 + LEASE;
    let tries = take(store, at).await;
    assert_eq!(named(&tries), [("d", "mail:ops@example.com", 2)]);
    assert!(!came(&other, &late, again(at + 1), at).await, "too late");
    assert!(came(&other, &late, AlertCame::Delivered, at).await);
    assert!(!came(store, &tries[0], again(at + 1), at).await);

    let views = store.alerts(None, 10).await.unwrap();
    let uids: Vec<&str> = views.iter().map(|view| view.uid.as_str()).collect();
    assert_eq!(uids, ["d", "c", "a"]);
    let given_up = &views[2].sends[1];
    assert_eq!(
        (given_up.state, given_up.failure.as_str(), given_up.tries),
        (AlertState::GivenUp, "it answered 410", 2)
    );
    assert_eq!(views[2].sends[0].ended_at, Some(T0.plus_ms(5)));
    assert_eq!(store.alerts(Some(first), 10).await.unwrap(), []);
    assert_eq!(other.alerts(None, 1).await.unwrap().len(), 1);

    // A connection that is no more is no matter.
    let forget = |told| store.forget_alert_matter("site/jira".to_owned(), told);
    assert!(!forget(2).await.unwrap(), "there is news of it since");
    assert!(forget(3).await.unwrap());
    assert_eq!(store.alert_matters().await.unwrap(), []);
    other.close().await;
}

pub(crate) async fn what_a_version_before_told_counts(world: &World) {
    for step in [
        "DROP TABLE alert_matter",
        "DROP TABLE alert",
        "DROP TABLE alert_send",
    ] {
        world.execute(step).await;
    }
    for (name, works) in [("site/jira", true), ("workspace/acme", false)] {
        world
            .execute(&format!(
                "INSERT INTO setting (kind, name, version, body, changed_at, changed_by) \
                 VALUES ('alert', '{name}', 1, '{{\"works\":{works},\"since\":7}}', 0, 'x')"
            ))
            .await;
    }
    world
        .execute("DELETE FROM schema_step WHERE step = 12")
        .await;
    let after = world.other("after", 2_000_000).await;
    let matters = after.alert_matters().await.unwrap();
    let told: Vec<(&str, bool)> = matters
        .iter()
        .map(|matter| (matter.name.as_str(), matter.works))
        .collect();
    assert_eq!(told, [("site/jira", true), ("workspace/acme", false)]);
    after.close().await;
}

pub(crate) async fn old_alerts_go_unless_somebody_still_waits(world: &World) {
    let store = &world.store;
    let waits = make(store, ("waits", 0), None, &["webhook"]).await.unwrap();
    let tries = take(store, 0).await;
    assert!(came(store, &tries[0], again(1_000), 0).await);
    make(store, ("told", 1), None, &["ops"]).await.unwrap();
    let tries = take(store, 1).await;
    assert!(came(store, &tries[0], AlertCame::Delivered, 1).await);
    // As if there had been many since.
    let many = bowline_store::alert::ALERTS_KEPT * 2;
    world
        .execute(&format!("UPDATE alert SET id = id - {many}"))
        .await;
    world
        .execute(&format!("UPDATE alert_send SET alert = alert - {many}"))
        .await;
    make(store, ("new", 2), None, &["webhook"]).await.unwrap();
    let views = store.alerts(None, 10).await.unwrap();
    let uids: Vec<&str> = views.iter().map(|view| view.uid.as_str()).collect();
    assert_eq!(uids, ["new", "waits"]);
    assert_eq!(views[1].id, waits - many);
}
