//! What was configured on the pages.

use bowline_store::Store;
use bowline_store::access::{AuditEntry, AuditFilter};
use bowline_store::settings::{Resealed, SettingChange, Stored};

use crate::support::*;

on_both!(
    a_setting_is_changed_from_its_present_version_only,
    a_setting_made_again_is_another_one,
    secrets_are_sealed_anew_unless_they_changed,
);

fn entry() -> AuditEntry {
    AuditEntry {
        at: T0,
        who: "ana@example.com".to_owned(),
        account: None,
        what: "changed".to_owned(),
        subject: "acme".to_owned(),
        detail: String::new(),
    }
}

fn change(body: &str, from: Option<i64>) -> SettingChange {
    SettingChange {
        kind: "site".to_owned(),
        name: "acme".to_owned(),
        from,
        body: body.to_owned(),
        sealed: Some("sealed".to_owned()),
        sealed_by: Some("k1".to_owned()),
    }
}

async fn put(store: &Store, body: &str, from: Option<i64>) -> Option<i64> {
    match store
        .put_setting(change(body, from), entry())
        .await
        .unwrap()
    {
        Stored::Done { version } => Some(version),
        Stored::Overtaken => None,
    }
}

async fn audited(store: &Store) -> usize {
    let filter = AuditFilter {
        limit: 100,
        ..AuditFilter::default()
    };
    store.audit(&filter).await.unwrap().len()
}

pub(crate) async fn a_setting_is_changed_from_its_present_version_only(world: &World) {
    let store = &world.store;
    assert_eq!(store.settings().await.unwrap(), []);
    let before = store.settings_changes().await.unwrap();
    let made = put(store, "one", None).await.unwrap();
    assert_eq!(put(store, "two", None).await, None, "there is one");
    let changed = put(store, "two", Some(made)).await.unwrap();
    assert!(changed > made);
    assert_eq!(put(store, "three", Some(made)).await, None, "overtaken");
    let rows = store.settings().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].version, &*rows[0].body), (changed, "two"));
    assert_eq!(rows[0].changed_by, "ana@example.com");
    assert_eq!(rows[0].sealed.as_deref(), Some("sealed"));
    assert!(store.settings_changes().await.unwrap() >= before + 2);
    assert_eq!(
        audited(store).await,
        2,
        "only what was done is written down"
    );
}

pub(crate) async fn a_setting_made_again_is_another_one(world: &World) {
    let store = &world.store;
    let first = put(store, "one", None).await.unwrap();
    let remove = |from| store.remove_setting("site", "acme", from, entry());
    assert_eq!(remove(first + 1).await.unwrap(), Stored::Overtaken);
    assert!(matches!(remove(first).await.unwrap(), Stored::Done { .. }));
    let again = put(store, "one", None).await.unwrap();
    assert!(again > first);
    assert_eq!(
        put(store, "two", Some(first)).await,
        None,
        "a tab from before"
    );
}

pub(crate) async fn secrets_are_sealed_anew_unless_they_changed(world: &World) {
    let store = &world.store;
    let version = put(store, "one", None).await.unwrap();
    let resealed = |version| Resealed {
        kind: "site".to_owned(),
        name: "acme".to_owned(),
        version,
        sealed: "anew".to_owned(),
        sealed_by: "k2".to_owned(),
    };
    assert!(!store.reseal(resealed(version - 1)).await.unwrap());
    assert!(store.reseal(resealed(version)).await.unwrap());
    let rows = store.settings().await.unwrap();
    assert_eq!(rows[0].version, version, "nothing else changed");
    assert_eq!(rows[0].sealed.as_deref(), Some("anew"));
    assert_eq!(rows[0].sealed_by.as_deref(), Some("k2"));
}
