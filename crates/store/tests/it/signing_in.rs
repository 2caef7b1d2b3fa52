//! Second factors, tries to sign in, and a database that was made before there were any.

use bowline_domain::time::Millis;
use bowline_store::access::{AuditEntry, NewAccount};
use bowline_store::second_factor::{FactorCode, FactorLimit, FactorUsed, SecondFactor};
use bowline_store::sign_in_try::{Tried, TryLimit, TryName};

use crate::support::*;

on_both!(
    a_code_counts_once_and_wrong_ones_are_counted,
    who_is_half_way_comes_in_once_and_in_time,
    a_sealed_factor_is_sealed_anew_unless_it_changed,
    tries_to_sign_in_are_counted_by_all_processes_together,
    tries_are_bounded,
    a_database_that_went_further_already_takes_the_missing_step,
);

const MINUTE_MS: i64 = 60_000;

const LIMIT: FactorLimit = FactorLimit {
    failures_max: 3,
    counted_ms: 15 * MINUTE_MS,
};

fn entry(what: &str, at: Millis) -> AuditEntry {
    AuditEntry {
        at,
        who: "ana@example.com".to_owned(),
        account: None,
        what: what.to_owned(),
        subject: "something".to_owned(),
        detail: String::new(),
    }
}

fn factor(account: i64, sealed: &str) -> SecondFactor {
    SecondFactor {
        account,
        sealed: sealed.to_owned(),
        sealed_by: "k1".to_owned(),
        made_at: T0,
        confirmed_at: None,
    }
}

/// An account whose second factor counts, with the recovery codes `one` and `two`.
async fn guarded(world: &World) -> i64 {
    let store = &world.store;
    let account = NewAccount {
        email: "ana@example.com".to_owned(),
        name: "Ana".to_owned(),
        role: "agent".to_owned(),
        projects: "[]".to_owned(),
        password: None,
    };
    let id = store.add_account(account, entry("added", T0)).await;
    let id = id.unwrap().unwrap();
    assert!(store.keep_second_factor(factor(id, "s1")).await.unwrap());
    assert!(store.keep_second_factor(factor(id, "s2")).await.unwrap());
    let account = store.account(id).await.unwrap().unwrap();
    assert!(!account.second_factor, "it does not count yet");
    let codes = vec!["one".to_owned(), "two".to_owned()];
    let confirm = async || {
        let entry = entry("second_factor_on", T0);
        let confirmed = store.confirm_second_factor(id, 100, codes.clone(), entry);
        confirmed.await.unwrap()
    };
    assert!(confirm().await);
    assert!(!confirm().await, "once");
    assert!(!store.keep_second_factor(factor(id, "s3")).await.unwrap());
    assert!(store.account(id).await.unwrap().unwrap().second_factor);
    id
}

pub(crate) async fn a_code_counts_once_and_wrong_ones_are_counted(world: &World) {
    let store = &world.store;
    let id = guarded(world).await;
    let give = async |code: FactorCode, at: Millis| {
        let used = store.use_second_factor(id, code, LIMIT, entry("recovery_code_used", at));
        used.await.unwrap()
    };
    let step = FactorCode::Step;
    let recovery = |key: &str| FactorCode::Recovery(key.to_owned());
    assert_eq!(give(step(100), T0).await, FactorUsed::Wrong, "used before");
    assert_eq!(give(step(101), T0).await, FactorUsed::Right);
    assert_eq!(give(step(101), T0).await, FactorUsed::Wrong);
    assert_eq!(give(recovery("one"), T0).await, FactorUsed::Right);
    assert_eq!(give(recovery("one"), T0).await, FactorUsed::Wrong);
    assert_eq!(store.recovery_codes_left(id).await.unwrap(), 1);
    // The recovery code had the failures forgotten; two more and nothing is taken.
    assert_eq!(give(FactorCode::Nothing, T0).await, FactorUsed::Wrong);
    assert_eq!(
        give(step(9), T0.plus_ms(MINUTE_MS)).await,
        FactorUsed::Wrong
    );
    let wait = FactorUsed::Wait(13 * MINUTE_MS);
    assert_eq!(give(step(102), T0.plus_ms(2 * MINUTE_MS)).await, wait);
    let later = T0.plus_ms(15 * MINUTE_MS);
    assert_eq!(give(step(102), later).await, FactorUsed::Right);

    let codes = vec!["three".to_owned()];
    let made = store.replace_recovery_codes(id, codes.clone(), entry("recovery_codes_made", later));
    assert!(made.await.unwrap());
    assert_eq!(store.recovery_codes_left(id).await.unwrap(), 1);
    assert_eq!(give(recovery("two"), later).await, FactorUsed::Wrong);
    let removed = async || {
        let entry = entry("second_factor_off", later);
        store.remove_second_factor(id, entry).await.unwrap()
    };
    assert!(removed().await);
    assert!(!removed().await, "once");
    assert_eq!(store.recovery_codes_left(id).await.unwrap(), 0);
    let gone = store.replace_recovery_codes(id, codes, entry("recovery_codes_made", later));
    assert!(!gone.await.unwrap());
    let words = world
        .texts("SELECT what FROM audit WHERE what LIKE '%_o%' OR what LIKE '%reco%' ORDER BY id")
        .await;
    let words: Vec<&str> = words
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    let wanted = [
        "second_factor_on",
        "recovery_code_used",
        "recovery_codes_made",
        "second_factor_off",
    ];
    assert_eq!(words, wanted);
}

pub(crate) async fn who_is_half_way_comes_in_once_and_in_time(world: &World) {
    let store = &world.store;
    let id = guarded(world).await;
    let ends = T0.plus_ms(10 * MINUTE_MS);
    let go = async |key: &str, ends_at: Millis, now: Millis| {
        store
            .go_half_way(key.to_owned(), id, ends_at, now)
            .await
            .unwrap();
    };
    go("a", ends, T0).await;
    assert_eq!(store.half_way("a", T0).await.unwrap(), Some(id));
    assert_eq!(store.half_way("a", ends).await.unwrap(), None);
    assert_eq!(store.half_way("b", T0).await.unwrap(), None);
    store.leave_half_way("a".to_owned()).await.unwrap();
    assert_eq!(store.half_way("a", T0).await.unwrap(), None);
    // Whoever changes the password, or ends the sessions, ends what was half begun.
    go("c", ends, T0).await;
    store.end_sessions(id, entry("ended", T0)).await.unwrap();
    assert_eq!(store.half_way("c", T0).await.unwrap(), None);
    go("d", ends, T0).await;
    go("e", ends.plus_ms(1), ends).await;
    let rows = world.texts("SELECT key FROM half_way").await;
    assert_eq!(rows, [[Some("e".to_owned())]], "what ended is dropped");
}

pub(crate) async fn a_sealed_factor_is_sealed_anew_unless_it_changed(world: &World) {
    let store = &world.store;
    let id = guarded(world).await;
    let kept = store.second_factor(id).await.unwrap().unwrap();
    assert_eq!(
        (kept.sealed.as_str(), kept.sealed_by.as_str()),
        ("s2", "k1")
    );
    let anew = SecondFactor {
        sealed: "t2".to_owned(),
        sealed_by: "k2".to_owned(),
        ..kept
    };
    let reseal = async |from: &str| {
        let resealed = store.reseal_second_factor(anew.clone(), from.to_owned());
        resealed.await.unwrap()
    };
    assert!(!reseal("s1").await);
    assert!(reseal("s2").await);
    assert_eq!(
        store.second_factors().await.unwrap(),
        std::slice::from_ref(&anew)
    );
}

fn names(names: &[(&str, i64)]) -> Vec<TryName> {
    let name = |(name, max): &(&str, i64)| TryName {
        name: (*name).to_owned(),
        max: *max,
    };
    names.iter().map(name).collect()
}

const TRIES: TryLimit = TryLimit {
    counted_ms: 15 * MINUTE_MS,
    rows_max: 100,
};

pub(crate) async fn tries_to_sign_in_are_counted_by_all_processes_together(world: &World) {
    let other = world.other("other", 1_000_000).await;
    let both = [&world.store, &other];
    let take = async |place: usize, all: &[(&str, i64)], at: i64| {
        let tried = both[place % 2].try_sign_in(names(all), TRIES, T0.plus_ms(at));
        tried.await.unwrap()
    };
    let ana = [("ana from 1", 3), ("ana", 4)];
    for n in 0..3 {
        let tried = take(n, &ana, i64::try_from(n).unwrap() * MINUTE_MS).await;
        let Tried::Taken { rows, last } = tried else {
            panic!("{tried:?}");
        };
        assert_eq!((rows.len(), last), (2, n == 2));
    }
    let now = 2 * MINUTE_MS;
    assert_eq!(take(1, &ana, now).await, Tried::Wait(13 * MINUTE_MS));
    // From elsewhere one more is taken, and that is the last for the account.
    let elsewhere = [("ana from 2", 3), ("ana", 4)];
    let tried = take(0, &elsewhere, now).await;
    let Tried::Taken { rows, last: true } = tried else {
        panic!("{tried:?}");
    };
    assert_eq!(take(1, &elsewhere, now).await, Tried::Wait(13 * MINUTE_MS));
    // It succeeds after all: it does not count.
    other
        .sign_in_succeeded(rows, "ana from 2".to_owned())
        .await
        .unwrap();
    let tried = take(0, &elsewhere, now).await;
    assert!(
        matches!(tried, Tried::Taken { last: true, .. }),
        "{tried:?}"
    );
    // The oldest failure is over, and removed.
    assert!(matches!(
        take(0, &ana, 15 * MINUTE_MS).await,
        Tried::Taken { .. }
    ));
    let rows = world
        .texts("SELECT CAST(MIN(at) AS TEXT) FROM sign_in_try")
        .await;
    assert!(rows[0][0].as_deref().unwrap() > T0.0.to_string().as_str());
    // A clock that was set back locks nobody out for longer than the time that counts.
    let Tried::Wait(ms) = take(0, &[("ana from 1", 1)], -60 * MINUTE_MS).await else {
        panic!("the failures are of the future");
    };
    assert_eq!(ms, 15 * MINUTE_MS);
    other.close().await;
}

pub(crate) async fn tries_are_bounded(world: &World) {
    let limit = TryLimit {
        rows_max: 10,
        ..TRIES
    };
    for n in 0..30 {
        let name = format!("somebody {n}");
        let tried = world.store.try_sign_in(names(&[(&name, 3)]), limit, T0);
        assert!(matches!(tried.await.unwrap(), Tried::Taken { .. }));
    }
    let rows = world.texts("SELECT name FROM sign_in_try").await;
    assert!(rows.len() <= 10, "{}", rows.len());
    let newest = [Some("somebody 29".to_owned())];
    assert!(rows.iter().any(|row| row[..] == newest[..]));
}

/// A database of a version that had later numbers, but not this step.
async fn a_database_that_went_further_already_takes_the_missing_step(world: &World) {
    for sql in [
        "DROP TABLE second_factor",
        "DROP TABLE recovery_code",
        "DROP TABLE half_way",
        "DROP TABLE sign_in_try",
        "DELETE FROM schema_step WHERE step = 10",
    ] {
        world.execute(sql).await;
    }
    let highest = world
        .texts("SELECT CAST(MAX(step) AS TEXT) FROM schema_step")
        .await;
    let highest: i64 = highest[0][0].as_deref().unwrap().parse().unwrap();
    assert!(highest >= 14, "{highest}");
    let upgraded = world.after_crash().await;
    upgraded.second_factors().await.unwrap();
    let tried = upgraded.try_sign_in(names(&[("ana", 3)]), TRIES, T0).await;
    assert!(matches!(tried.unwrap(), Tried::Taken { .. }));
    let steps = world
        .texts("SELECT CAST(step AS TEXT) FROM schema_step WHERE step = 10")
        .await;
    assert_eq!(steps.len(), 1);
    upgraded.close().await;
}
