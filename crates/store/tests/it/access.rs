//! Accounts, invitations, sessions, tokens, the audit log.

use bowline_domain::time::Millis;
use bowline_store::Store;
use bowline_store::access::{
    Account, AccountChange, ApiToken, ApiWrite, AuditEntry, AuditFilter, Changed, Invitation,
    NewAccount, Session,
};

use crate::support::*;

on_both!(
    the_first_owner_is_made_once,
    an_account_is_changed_from_its_present_version_only,
    the_last_owner_stays,
    an_invitation_is_used_once,
    people_and_sessions_are_read_in_parts,
    sessions_end,
    tokens_end,
    the_audit_log_is_read_newest_first,
    a_named_write_is_made_once,
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

fn new(email: &str, role: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        name: "Ana".to_owned(),
        role: role.to_owned(),
        projects: "[]".to_owned(),
        password: None,
    }
}

async fn add(store: &Store, email: &str, role: &str) -> Account {
    let id = store.add_account(new(email, role), entry("added")).await;
    let id = id.unwrap().expect("the address is new");
    store.account(id).await.unwrap().unwrap()
}

fn invitation(key: &str, account: Option<i64>, ends_at: Millis) -> Invitation {
    Invitation {
        key: key.to_owned(),
        account,
        made_at: T0,
        ends_at,
    }
}

fn change(account: &Account, role: &str, active: bool) -> AccountChange {
    AccountChange {
        id: account.id,
        version: account.version,
        name: account.name.clone(),
        role: role.to_owned(),
        projects: account.projects.clone(),
        active,
        keep_one: "owner",
    }
}

async fn audited(store: &Store) -> Vec<String> {
    let filter = AuditFilter {
        limit: 100,
        ..AuditFilter::default()
    };
    let views = store.audit(&filter).await.unwrap();
    views.into_iter().map(|view| view.entry.what).collect()
}

pub(crate) async fn the_first_owner_is_made_once(world: &World) {
    let store = &world.store;
    assert!(!store.any_account().await.unwrap());
    // Each process that starts prints a code of its own; ten of them are too many to keep.
    for n in 0..10 {
        let invitation = Invitation {
            made_at: T0.plus_ms(n),
            ..invitation(&format!("code{n}"), None, Millis::NEVER)
        };
        store.invite(invitation, None).await.unwrap();
    }
    assert_eq!(store.invitation("code1", T0).await.unwrap(), None);
    assert_eq!(store.invitation("code9", T0).await.unwrap(), Some(None));
    let owner =
        |key: &str| store.make_owner(key.to_owned(), new("o@example.com", "owner"), entry("made"));
    assert_eq!(owner("wrong").await.unwrap(), None);
    let id = owner("code9").await.unwrap().expect("the code is valid");
    assert_eq!(owner("code8").await.unwrap(), None, "there is an owner");
    assert!(store.any_account().await.unwrap());
    let all = store.accounts().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].id, all[0].role.as_str()), (id, "owner"));
    assert_eq!(audited(store).await, ["made"]);
}

pub(crate) async fn an_account_is_changed_from_its_present_version_only(world: &World) {
    let store = &world.store;
    add(store, "owner@example.com", "owner").await;
    let ben = add(store, "ben@example.com", "viewer").await;
    let twice = store.add_account(new("ben@example.com", "agent"), entry("twice"));
    assert_eq!(twice.await.unwrap(), None);
    let agent = change(&ben, "agent", true);
    assert_eq!(
        store
            .change_account(agent.clone(), entry("changed"))
            .await
            .unwrap(),
        Changed::Done
    );
    assert_eq!(
        store
            .change_account(agent, entry("overtaken"))
            .await
            .unwrap(),
        Changed::Overtaken
    );
    let found = store
        .account_by_email("ben@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.role.as_str(), found.version), ("agent", 2));
    assert_eq!(audited(store).await, ["changed", "added", "added"]);
}

pub(crate) async fn the_last_owner_stays(world: &World) {
    let store = &world.store;
    let one = add(store, "one@example.com", "owner").await;
    let two = add(store, "two@example.com", "owner").await;
    let change = |account: &Account, role, active| {
        store.change_account(change(account, role, active), entry("changed"))
    };
    assert_eq!(change(&one, "owner", false).await.unwrap(), Changed::Done);
    assert_eq!(
        change(&two, "viewer", true).await.unwrap(),
        Changed::LastOne
    );
    assert_eq!(
        change(&two, "owner", false).await.unwrap(),
        Changed::LastOne
    );
    let kept = store.account(two.id).await.unwrap().unwrap();
    assert_eq!(kept, two);
}

pub(crate) async fn an_invitation_is_used_once(world: &World) {
    let store = &world.store;
    let ana = add(store, "ana@example.com", "viewer").await;
    let later = T0.plus_ms(1);
    for key in ["older", "newer"] {
        let invitation = invitation(key, Some(ana.id), later);
        store
            .invite(invitation, Some(entry("invited")))
            .await
            .unwrap();
    }
    start(store, ana.id, "before").await;
    let choose = |key: &str, at: Millis| {
        let entry = AuditEntry {
            at,
            ..entry("chosen")
        };
        store.choose_password(key.to_owned(), "hash".to_owned(), entry)
    };
    assert!(
        choose("older", T0).await.unwrap().is_none(),
        "replaced by the newer one"
    );
    assert!(choose("newer", later).await.unwrap().is_none(), "too late");
    assert_eq!(
        choose("newer", T0).await.unwrap().map(|account| account.id),
        Some(ana.id)
    );
    assert!(choose("newer", T0).await.unwrap().is_none(), "used");
    let found = store.account(ana.id).await.unwrap().unwrap();
    assert_eq!(found.password.as_deref(), Some("hash"));
    assert!(store.session("before", T0).await.unwrap().is_none());
}

async fn start(store: &Store, account: i64, key: &str) -> Session {
    let session = Session {
        key: key.to_owned(),
        account,
        made_at: T0,
        seen_at: T0,
        ends_at: T0.plus_ms(1_000),
        browser: "Firefox".to_owned(),
        address: "192.0.2.1".to_owned(),
    };
    store.start_session(session.clone()).await.unwrap();
    session
}

pub(crate) async fn sessions_end(world: &World) {
    let store = &world.store;
    let ana = add(store, "ana@example.com", "owner").await;
    let ben = add(store, "ben@example.com", "viewer").await;
    let mut first = start(store, ana.id, "a1").await;
    for key in ["a2", "a3"] {
        start(store, ana.id, key).await;
    }
    start(store, ben.id, "b1").await;
    store
        .session_seen("a1".to_owned(), T0.plus_ms(5))
        .await
        .unwrap();
    first.seen_at = T0.plus_ms(5);
    let (session, account) = store.session("a1", T0).await.unwrap().unwrap();
    assert_eq!((session, account.id), (first, ana.id));
    assert_eq!(account.signed_in_at, Some(T0));
    assert!(
        store
            .session("a1", T0.plus_ms(1_000))
            .await
            .unwrap()
            .is_none(),
        "over"
    );

    // Nobody ends another one's.
    assert!(
        !store
            .end_session("a2".to_owned(), ben.id, None)
            .await
            .unwrap()
    );
    assert!(
        store
            .end_session("a2".to_owned(), ana.id, Some(entry("ended")))
            .await
            .unwrap()
    );
    store
        .change_password(ana.id, "new".to_owned(), "a1".to_owned(), entry("password"))
        .await
        .unwrap();
    let keys = |sessions: Vec<Session>| -> Vec<String> {
        sessions.into_iter().map(|session| session.key).collect()
    };
    assert_eq!(keys(store.sessions_of(ana.id, T0).await.unwrap()), ["a1"]);
    assert_eq!(store.end_sessions(ana.id, entry("all")).await.unwrap(), 1);

    // Who may not sign in any more is out at once.
    assert!(store.session("b1", T0).await.unwrap().is_some());
    let off = change(&ben, "viewer", false);
    store.change_account(off, entry("off")).await.unwrap();
    assert!(store.session("b1", T0).await.unwrap().is_none());
}

pub(crate) async fn people_and_sessions_are_read_in_parts(world: &World) {
    let store = &world.store;
    // Names that several have, so that the number decides.
    let names = ["Ben", "Ana", "Ben", "Ana", "Cleo"];
    for (number, name) in names.iter().enumerate() {
        let account = NewAccount {
            name: (*name).to_owned(),
            ..new(&format!("{number}@example.com"), "viewer")
        };
        let made = store.add_account(account, entry("added")).await.unwrap();
        made.expect("the address is new");
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = store.accounts_part(after.as_ref(), 2).await.unwrap();
        let Some(last) = part.last() else { break };
        assert!(part.len() <= 2);
        after = Some((last.name.clone(), last.id));
        found.extend(part);
    }
    assert_eq!(found, store.accounts().await.unwrap(), "each once, by name");

    let of = found[0].id;
    for (key, account, begun, lives_ms) in [
        ("a", of, 3, 1_000),
        ("b", of, 3, 1_000),
        ("c", of, 1, 1_000),
        ("d", of, 9, 1_000),
        ("ended", of, 9, 10),
        ("other", found[1].id, 9, 1_000),
    ] {
        let session = Session {
            key: key.to_owned(),
            account,
            made_at: T0.plus_ms(begun),
            seen_at: T0,
            ends_at: T0.plus_ms(lives_ms),
            browser: "a browser".to_owned(),
            address: "192.0.2.1".to_owned(),
        };
        store.start_session(session).await.unwrap();
    }
    let (mut keys, mut after) = (Vec::new(), None);
    let now = T0.plus_ms(20);
    loop {
        let part = store.sessions_part(of, now, after.as_ref(), 1);
        let part = part.await.unwrap();
        let [session] = part.as_slice() else { break };
        keys.push(session.key.clone());
        after = Some((session.made_at, session.key.clone()));
    }
    assert_eq!(keys, ["d", "b", "a", "c"], "the latest begun first");
}

pub(crate) async fn tokens_end(world: &World) {
    let store = &world.store;
    let ana = add(store, "ana@example.com", "owner").await;
    let token = |key: &str| ApiToken {
        id: 0,
        key: key.to_owned(),
        account: ana.id,
        name: "script".to_owned(),
        hint: "bowline_abcd".to_owned(),
        scopes: "read links".to_owned(),
        made_at: T0,
        ends_at: T0.plus_ms(1_000),
        used_at: None,
        ended_at: None,
    };
    let one = store.add_token(token("k1"), entry("token")).await.unwrap();
    let two = store.add_token(token("k2"), entry("token")).await.unwrap();
    store.token_used(one, T0.plus_ms(3)).await.unwrap();
    let (found, account) = store.token("k1", T0).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.used_at, account.id),
        (one, Some(T0.plus_ms(3)), ana.id)
    );
    assert!(
        store
            .token("k1", T0.plus_ms(1_000))
            .await
            .unwrap()
            .is_none(),
        "over"
    );
    assert!(
        !store
            .end_token(two, ana.id + 1, entry("not theirs"))
            .await
            .unwrap()
    );
    assert!(store.end_token(two, ana.id, entry("ended")).await.unwrap());
    assert!(!store.end_token(two, ana.id, entry("again")).await.unwrap());
    assert!(store.token("k2", T0).await.unwrap().is_none());
    let all = store.tokens_of(ana.id).await.unwrap();
    let ids: Vec<(i64, bool)> = all
        .iter()
        .map(|token| (token.id, token.ended_at.is_some()))
        .collect();
    assert_eq!(ids, [(two, true), (one, false)]);
}

pub(crate) async fn the_audit_log_is_read_newest_first(world: &World) {
    let store = &world.store;
    for what in ["a", "b", "a"] {
        store.add_audit(entry(what)).await.unwrap();
    }
    let by_ana = AuditEntry {
        account: Some(7),
        ..entry("c")
    };
    store.add_audit(by_ana.clone()).await.unwrap();
    let all = AuditFilter {
        limit: 10,
        ..AuditFilter::default()
    };
    let views = store.audit(&all).await.unwrap();
    assert_eq!(views[0].entry, by_ana);
    let cases: [(AuditFilter, usize); 4] = [
        (all.clone(), 4),
        (
            AuditFilter {
                before: Some(views[1].id),
                ..all.clone()
            },
            2,
        ),
        (
            AuditFilter {
                what: Some("a".to_owned()),
                ..all.clone()
            },
            2,
        ),
        (
            AuditFilter {
                account: Some(7),
                limit: 1,
                ..all
            },
            1,
        ),
    ];
    for (filter, wanted) in cases {
        assert_eq!(
            store.audit(&filter).await.unwrap().len(),
            wanted,
            "{filter:?}"
        );
    }
}

pub(crate) async fn a_named_write_is_made_once(world: &World) {
    let store = &world.store;
    let begin = |account: i64, request: &str, at: Millis| {
        store.begin_api_write(account, "name".to_owned(), request.to_owned(), at)
    };
    assert_eq!(begin(1, "r1", T0).await.unwrap(), ApiWrite::Fresh);
    assert_eq!(begin(1, "r1", T0).await.unwrap(), ApiWrite::UnderWay);
    assert_eq!(
        begin(2, "r1", T0).await.unwrap(),
        ApiWrite::Fresh,
        "of another account"
    );
    store
        .end_api_write(1, "name".to_owned(), 202, "{}".to_owned())
        .await
        .unwrap();
    let answered = ApiWrite::Answered {
        status: 202,
        body: "{}".to_owned(),
    };
    assert_eq!(begin(1, "r1", T0).await.unwrap(), answered);
    assert_eq!(begin(1, "r2", T0).await.unwrap(), ApiWrite::OtherRequest);
    let days_later = T0.plus_ms(2 * 86_400_000);
    assert_eq!(
        begin(1, "r2", days_later).await.unwrap(),
        ApiWrite::Fresh,
        "forgotten"
    );
}
