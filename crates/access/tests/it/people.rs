//! People: added, changed, locked out, let in again.

use bowline_access::{ChangeRefusal, Granted, ManagePeople, SignInRefusal};

use crate::stage::{OTHER, PASSWORD, Stage, door, form, manages};

const DAY_MS: i64 = 86_400_000;

async fn manager(stage: &Stage, email: &str, role: &str) -> Granted<ManagePeople> {
    let signed_in = stage.person(email, role).await;
    let visit = stage.visit(&signed_in).await.unwrap();
    visit.who().granted().expect("the role manages people")
}

#[tokio::test]
async fn a_person_is_invited_and_chooses_a_password_once() {
    let (stage, _) = Stage::owned().await;
    let invited = stage
        .access
        .add_person(&manages(), &form("ana@example.com", "agent"))
        .await
        .unwrap();
    let choose = async |password: &str| {
        let access = &stage.access;
        access
            .choose_password(&invited.code, password, &door("192.0.2.2"))
            .await
    };
    assert!(matches!(
        choose("short").await,
        Err(ChangeRefusal::Faults(_))
    ));
    let ana = choose(PASSWORD).await.unwrap().signed_in().unwrap();
    assert_eq!(ana.person.email, "ana@example.com");
    assert!(
        matches!(choose(OTHER).await, Err(ChangeRefusal::Faults(_))),
        "used"
    );
    let twice = stage
        .access
        .add_person(&manages(), &form("ANA@example.com", "agent"))
        .await;
    assert!(matches!(twice, Err(ChangeRefusal::Faults(_))));
}

#[tokio::test]
async fn a_code_ends_after_three_days_and_with_a_newer_one() {
    let (stage, _) = Stage::owned().await;
    let ana = stage.person("ana@example.com", "agent").await;
    let older = stage
        .access
        .reset_password(&manages(), ana.person.id)
        .await
        .unwrap();
    let newer = stage
        .access
        .reset_password(&manages(), ana.person.id)
        .await
        .unwrap();
    let choose = async |code: &str| {
        stage
            .access
            .choose_password(code, OTHER, &door("192.0.2.2"))
            .await
    };
    assert!(choose(&older.code).await.is_err());
    assert!(
        stage.visit(&ana).await.is_some(),
        "nothing changes until the code is used"
    );
    stage.clock.turn(3 * DAY_MS);
    assert!(choose(&newer.code).await.is_err());
    let third = stage
        .access
        .reset_password(&manages(), ana.person.id)
        .await
        .unwrap();
    assert!(choose(&third.code).await.is_ok());
    assert!(
        stage.visit(&ana).await.is_none(),
        "a new password ends all sessions"
    );
}

#[tokio::test]
async fn administrators_do_not_touch_owners() {
    let (stage, owner) = Stage::owned().await;
    let admin = manager(&stage, "admin@example.com", "administrator").await;
    let refused = |result: Result<_, ChangeRefusal>| {
        assert!(matches!(result, Err(ChangeRefusal::OwnersOnly)));
    };
    let (access, id) = (&stage.access, owner.person.id);
    refused(
        access
            .add_person(&admin, &form("x@example.com", "owner"))
            .await
            .map(drop),
    );
    refused(access.reset_password(&admin, id).await.map(drop));
    refused(access.end_sessions_of(&admin, id).await);
    refused(
        access
            .change_person(&admin, (id, 1), &form("", "viewer"), true)
            .await,
    );
    let ben = stage.person("ben@example.com", "viewer").await;
    refused(
        access
            .change_person(&admin, (ben.person.id, 2), &form("", "owner"), true)
            .await,
    );
    access
        .change_person(&admin, (ben.person.id, 2), &form("", "agent"), true)
        .await
        .unwrap();
    assert!(stage.visit(&owner).await.is_some());
}

#[tokio::test]
async fn the_last_owner_stays_and_an_older_page_changes_nothing() {
    let (stage, owner) = Stage::owned().await;
    let access = &stage.access;
    let one = (owner.person.id, 1);
    let last = access
        .change_person(&manages(), one, &form("", "viewer"), true)
        .await;
    assert!(matches!(last, Err(ChangeRefusal::LastOwner)));
    let renamed = |name: &str| {
        let mut form = form("", "owner");
        name.clone_into(&mut form.name);
        form
    };
    access
        .change_person(&manages(), one, &renamed("First"), true)
        .await
        .unwrap();
    let stale = access
        .change_person(&manages(), one, &renamed("Second"), true)
        .await;
    assert!(matches!(stale, Err(ChangeRefusal::Overtaken)));
    let people = access.people(&manages()).await.unwrap();
    assert_eq!(people[0].person.name, "First");
}

#[tokio::test]
async fn who_is_switched_off_is_out_at_once() {
    let (stage, _) = Stage::owned().await;
    let ben = stage.person("ben@example.com", "agent").await;
    stage
        .access
        .change_person(&manages(), (ben.person.id, 2), &form("", "agent"), false)
        .await
        .unwrap();
    assert!(stage.visit(&ben).await.is_none());
    assert!(matches!(
        stage
            .access
            .sign_in("ben@example.com", PASSWORD, &door("192.0.2.2"))
            .await,
        Err(SignInRefusal::Wrong)
    ));
    let audited = stage.audited().await;
    assert_eq!(audited.last().map(String::as_str), Some("person_changed"));
}

#[tokio::test]
async fn hashes_are_never_the_password() {
    let (stage, _) = Stage::owned().await;
    stage.person("ben@example.com", "agent").await;
    let people = stage.access.people(&manages()).await.unwrap();
    let hashes: Vec<String> = people
        .into_iter()
        .filter_map(|known| known.account.password)
        .collect();
    assert_eq!(hashes.len(), 2);
    // The same password, and yet different salts.
    assert_ne!(hashes[0], hashes[1]);
    for hash in hashes {
        assert!(
            hash.starts_with("$argon2id$") && !hash.contains(PASSWORD),
            "{hash}"
        );
    }
}
