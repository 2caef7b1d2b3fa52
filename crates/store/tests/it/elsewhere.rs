//! Identities at a provider of OpenID Connect.

use bowline_store::access::{AccountChange, AuditEntry, Invitation, NewAccount, Session};
use bowline_store::elsewhere::{Identity, Joined, MadeFor};

use crate::support::*;

on_both!(
    an_identity_is_one_accounts,
    a_sign_in_is_used_once_and_forgotten,
    a_switched_off_account_takes_no_identity,
);

fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        at: T0,
        who: "ana@example.com".to_owned(),
        account: None,
        what: what.to_owned(),
        subject: "something".to_owned(),
        detail: String::new(),
    }
}

fn identity(subject: &str) -> Identity {
    Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: subject.to_owned(),
        email: format!("{subject}@example.com"),
    }
}

fn account(name: &str) -> NewAccount {
    NewAccount {
        email: format!("{name}@example.com"),
        name: name.to_owned(),
        role: "viewer".to_owned(),
        projects: "[]".to_owned(),
        password: None,
    }
}

async fn holder(world: &World, subject: &str) -> Option<i64> {
    let found = world
        .store
        .account_of_identity("https://id.example.com", subject);
    found.await.unwrap().map(|account| account.id)
}

pub(crate) async fn an_identity_is_one_accounts(world: &World) {
    let store = &world.store;
    let make = async |subject: &str, name: &str| {
        let made = store.make_account_for(identity(subject), account(name), entry("person_added"));
        made.await.unwrap()
    };
    let MadeFor::Made(ana) = make("ana", "ana").await else {
        panic!("it is made");
    };
    assert_eq!(holder(world, "ana").await, Some(ana.id));
    assert_eq!(make("ana", "other").await, MadeFor::IdentityTaken);
    assert_eq!(make("other", "ana").await, MadeFor::AddressTaken);
    assert_eq!(holder(world, "other").await, None);
    assert_eq!(
        store
            .account_of_identity("https://other.example.com", "ana")
            .await
            .unwrap(),
        None,
        "a subject is of its issuer"
    );
    let bo = store.add_account(account("bo"), entry("person_added"));
    let bo = bo.await.unwrap().unwrap();
    let join = async |subject: &str, account: i64| {
        let joined = store.join_identity(identity(subject), account, entry("identity_joined"));
        joined.await.unwrap()
    };
    assert_eq!(join("ana", bo).await, Joined::Taken);
    assert!(matches!(join("bo", bo).await, Joined::Done(account) if account.id == bo));
    // Another one takes its place; the same one again changes nothing.
    for _ in 0..2 {
        assert!(matches!(join("bo-anew", bo).await, Joined::Done(_)));
    }
    assert_eq!(holder(world, "bo").await, None);
    assert_eq!(holder(world, "bo-anew").await, Some(bo));
    assert_eq!(join("nobody", 999).await, Joined::NoAccount);

    store.identity_used(identity("bo-anew"), T0).await.unwrap();
    let kept = store.identity_of(bo).await.unwrap().unwrap();
    assert_eq!(
        (kept.identity, kept.used_at),
        (identity("bo-anew"), Some(T0))
    );

    // An invitation is an act by which somebody joins; it is used up by it, and sessions end.
    let invitation = Invitation {
        key: "k".to_owned(),
        account: Some(bo),
        made_at: T0,
        ends_at: T0.plus_ms(1_000),
    };
    store.invite(invitation, None).await.unwrap();
    let session = Session {
        key: "s".to_owned(),
        account: bo,
        made_at: T0,
        seen_at: T0,
        ends_at: T0.plus_ms(1_000),
        browser: String::new(),
        address: String::new(),
    };
    store.start_session(session).await.unwrap();
    let invited = async |subject: &str| {
        let entry = entry("identity_joined");
        let joined = store.join_invited(identity(subject), "k".to_owned(), entry);
        joined.await.unwrap()
    };
    assert_eq!(invited("ana").await, Joined::Taken, "the invitation stays");
    assert!(matches!(invited("bo-invited").await, Joined::Done(account) if account.id == bo));
    assert_eq!(invited("bo-invited").await, Joined::NoAccount, "once");
    assert!(store.session("s", T0).await.unwrap().is_none());
    assert_eq!(holder(world, "bo-invited").await, Some(bo));

    let part = async || {
        let parted = store.part_identity(bo, entry("identity_parted"));
        parted.await.unwrap()
    };
    assert!(part().await);
    assert!(!part().await);
    assert_eq!(store.identity_of(bo).await.unwrap(), None);
}

pub(crate) async fn a_sign_in_is_used_once_and_forgotten(world: &World) {
    let store = &world.store;
    let ends_at = T0.plus_ms(1_000);
    let use_up = async |at| {
        let used = store.use_sign_in("k".to_owned(), ends_at, at);
        used.await.unwrap()
    };
    assert!(use_up(T0).await);
    assert!(!use_up(T0).await);
    assert!(!use_up(T0.plus_ms(999)).await);
    // Whoever asks after its end is told so by their own clock; the row is gone.
    assert!(use_up(T0.plus_ms(1_000)).await);
}

pub(crate) async fn a_switched_off_account_takes_no_identity(world: &World) {
    let store = &world.store;
    let bo = store.add_account(account("bo"), entry("person_added"));
    let bo = bo.await.unwrap().unwrap();
    let change = AccountChange {
        id: bo,
        version: 1,
        name: "bo".to_owned(),
        role: "viewer".to_owned(),
        projects: "[]".to_owned(),
        active: false,
        keep_one: "owner",
    };
    store
        .change_account(change, entry("person_changed"))
        .await
        .unwrap();
    let joined = store.join_identity(identity("bo"), bo, entry("identity_joined"));
    assert_eq!(joined.await.unwrap(), Joined::NoAccount);
    assert_eq!(store.identity_of(bo).await.unwrap(), None);
}
