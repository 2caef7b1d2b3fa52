//! The first visit, signing in, and how sessions end.

use bowline_access::{ChangeRefusal, OwnAccount, RoleKind, SESSION_MS_MAX, SignInRefusal};

use crate::stage::{OTHER, PASSWORD, Stage, door, form};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

fn fields(refused: ChangeRefusal) -> Vec<&'static str> {
    match refused {
        ChangeRefusal::Faults(faults) => faults.iter().map(|fault| fault.field).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_first_owner_needs_the_code_and_is_made_once() {
    let stage = Stage::empty().await;
    let older = stage.access.first_visit_code().await.unwrap().unwrap();
    let newer = stage.access.first_visit_code().await.unwrap().unwrap();
    let make = async |code: &str, email: &str, password: &str| {
        let form = form(email, "");
        stage
            .access
            .make_owner(code, &form, password, &door("192.0.2.1"))
            .await
    };
    let refused = make("abcd-efgh-ijkm-npqr", "owner", "short").await;
    assert_eq!(fields(refused.unwrap_err()), ["email", "password", "code"]);
    assert!(!stage.access.is_set_up().await.unwrap());
    // Either code works: each process prints its own. It may be typed in capitals.
    let owner = make(&newer.to_uppercase(), "Owner@Example.com", PASSWORD)
        .await
        .unwrap();
    assert_eq!(owner.person.role.kind(), RoleKind::Owner);
    assert_eq!(owner.person.email, "owner@example.com");
    assert_eq!(
        fields(make(&older, "b@example.com", PASSWORD).await.unwrap_err()),
        ["code"]
    );
    assert_eq!(stage.access.first_visit_code().await.unwrap(), None);
    assert_eq!(stage.audited().await, ["owner_made", "signed_in"]);
}

#[tokio::test]
async fn a_session_is_known_by_its_secret_until_it_ends() {
    let (stage, owner) = Stage::owned().await;
    let visit = stage.visit(&owner).await.unwrap();
    assert_eq!(visit.person, owner.person);
    assert!(stage.access.visit("guessed").await.unwrap().is_none());
    assert!(
        stage.access.visit(&visit.session).await.unwrap().is_none(),
        "the digest is no secret"
    );
    stage.access.sign_out(&visit).await.unwrap();
    assert!(stage.visit(&owner).await.is_none());
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_its_time() {
    let (stage, owner) = Stage::owned().await;
    for _ in 0..4 {
        stage.clock.turn(6 * DAY_MS);
        assert!(stage.visit(&owner).await.is_some());
    }
    stage.clock.turn(SESSION_MS_MAX - 24 * DAY_MS);
    assert!(stage.visit(&owner).await.is_none(), "after its time");

    let again = stage
        .access
        .sign_in("owner@example.com", PASSWORD, &door("192.0.2.1"))
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    stage.clock.turn(7 * DAY_MS);
    assert!(stage.visit(&again).await.is_none(), "not used");
}

#[tokio::test]
async fn wrong_passwords_are_refused_alike_and_not_for_ever() {
    let (stage, _) = Stage::owned().await;
    let sign_in = async |email: &str, password: &str, from: &str| {
        stage.access.sign_in(email, password, &door(from)).await
    };
    assert!(matches!(
        sign_in("nobody@example.com", PASSWORD, "192.0.2.9").await,
        Err(SignInRefusal::Wrong)
    ));
    for _ in 0..5 {
        let refused = sign_in("owner@example.com", "wrong", "192.0.2.1").await;
        assert!(matches!(refused, Err(SignInRefusal::Wrong)));
    }
    // Even the right one has to wait then, from there; elsewhere it does not.
    let refused = sign_in("owner@example.com", PASSWORD, "192.0.2.1").await;
    assert!(matches!(refused, Err(SignInRefusal::Wait(_))));
    assert!(
        sign_in("OWNER@example.com ", PASSWORD, "192.0.2.7")
            .await
            .is_ok()
    );
    stage.clock.turn(15 * MINUTE_MS);
    assert!(
        sign_in("owner@example.com", PASSWORD, "192.0.2.1")
            .await
            .is_ok()
    );
    assert!(
        stage
            .audited()
            .await
            .contains(&"sign_in_refused".to_owned())
    );
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let (stage, here) = Stage::owned().await;
    let there = stage
        .access
        .sign_in("owner@example.com", PASSWORD, &door("192.0.2.7"))
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    let visit = stage.visit(&here).await.unwrap();
    let may = visit.who().granted::<OwnAccount>().unwrap();
    let change = async |present: &str, new: &str| {
        let access = &stage.access;
        access
            .change_own_password(&may, &visit, present, new, &door("192.0.2.1"))
            .await
    };
    let refused = change("wrong", "short").await.unwrap_err();
    assert_eq!(fields(refused), ["present", "password"]);
    assert!(stage.visit(&there).await.is_some());
    change(PASSWORD, OTHER).await.unwrap();
    assert!(stage.visit(&here).await.is_some());
    assert!(stage.visit(&there).await.is_none());
    assert!(
        stage
            .access
            .sign_in("owner@example.com", PASSWORD, &door("192.0.2.7"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    let (stage, owner) = Stage::owned().await;
    let ben = stage.person("ben@example.com", "viewer").await;
    let (owner_visit, visit) = (
        stage.visit(&owner).await.unwrap(),
        stage.visit(&ben).await.unwrap(),
    );
    let may = visit.who().granted::<OwnAccount>().unwrap();
    assert!(
        !stage
            .access
            .end_own_session(&may, &visit, &owner_visit.session)
            .await
            .unwrap()
    );
    assert!(stage.visit(&owner).await.is_some());
    assert_eq!(
        stage.access.own_sessions(&may, &visit).await.unwrap().len(),
        1
    );
}
