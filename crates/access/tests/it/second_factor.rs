//! The second factor: set up, asked for, lost.

use bowline_access::{
    ChangeRefusal, CodeRefusal, Entered, FactorState, Granted, OwnAccount, SignedIn, Visit,
};
use totp_rs::{Builder, Secret};

use crate::stage::{OTHER, PASSWORD, Stage, door, manages};

const STEP_MS: i64 = 30_000;
const MINUTE_MS: i64 = 60_000;

/// Somebody with their own account.
struct Own {
    visit: Visit,
    may: Granted<OwnAccount>,
}

async fn own(stage: &Stage, signed_in: &SignedIn) -> Own {
    let visit = stage.visit(signed_in).await.unwrap();
    let may = visit.who().granted().unwrap();
    Own { visit, may }
}

/// What the app shows now.
fn code(stage: &Stage, secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    let now = u64::try_from(stage.access.now().0 / 1_000).unwrap();
    totp.generate(now).to_string()
}

/// Sets a second factor up; gives its secret and the recovery codes.
async fn set_up(stage: &Stage, own: &Own) -> (String, Vec<String>) {
    let access = &stage.access;
    let from = door("192.0.2.1");
    let begun = access.begin_second_factor(&own.may, &own.visit, PASSWORD, &from);
    let secret = begun.await.unwrap().secret;
    let wrong = access
        .confirm_second_factor(&own.may, &own.visit, "000000")
        .await;
    assert!(matches!(wrong, Err(ChangeRefusal::Faults(_))));
    let code = code(stage, &secret);
    let confirmed = access.confirm_second_factor(&own.may, &own.visit, &code);
    (secret, confirmed.await.unwrap())
}

async fn half_way(stage: &Stage) -> String {
    let entered = stage
        .access
        .sign_in("owner@example.com", PASSWORD, &door("192.0.2.1"))
        .await
        .unwrap();
    let Entered::HalfWay(secret) = entered else {
        panic!("the second factor was not asked for");
    };
    secret
}

#[tokio::test]
async fn a_code_lets_in_once_and_a_recovery_code_when_the_app_is_lost() {
    let (stage, owner) = Stage::owned().await;
    let own = own(&stage, &owner).await;
    let (secret, codes) = set_up(&stage, &own).await;
    assert_eq!(codes.len(), 10);
    let half = half_way(&stage).await;
    let enter = async |half: &str, code: &str| {
        let access = &stage.access;
        access.enter_code(half, code, &door("192.0.2.1")).await
    };
    let used = code(&stage, &secret);
    let twice = enter(&half, &used).await;
    assert!(
        matches!(twice, Err(CodeRefusal::Wrong)),
        "the code that confirmed"
    );
    stage.clock.turn(STEP_MS);
    let next = code(&stage, &secret);
    let signed_in = enter(&half, &next).await.unwrap();
    assert!(stage.visit(&signed_in).await.is_some());
    let again = enter(&half, &next).await;
    assert!(matches!(again, Err(CodeRefusal::Over)), "once");
    let twice = enter(&half_way(&stage).await, &next).await;
    assert!(matches!(twice, Err(CodeRefusal::Wrong)), "{twice:?}");

    let typed = codes[3].to_uppercase().replace('-', " ");
    assert!(enter(&half_way(&stage).await, &typed).await.is_ok());
    let twice = enter(&half_way(&stage).await, &typed).await;
    assert!(matches!(twice, Err(CodeRefusal::Wrong)));
    let state = stage.access.own_second_factor(&own.may, &own.visit).await;
    assert_eq!(state.unwrap(), FactorState::On { codes_left: 9 });
    let audited = stage.audited().await;
    for word in ["second_factor_on", "recovery_code_used"] {
        assert_eq!(audited.iter().filter(|known| *known == word).count(), 1);
    }
}

#[tokio::test]
async fn wrong_codes_are_refused_from_everywhere_and_not_for_ever() {
    let (stage, owner) = Stage::owned().await;
    let own = own(&stage, &owner).await;
    let (secret, codes) = set_up(&stage, &own).await;
    let half = half_way(&stage).await;
    let enter = async |code: &str, from: &str| {
        let access = &stage.access;
        access.enter_code(&half, code, &door(from)).await
    };
    for n in 0..10 {
        let refused = enter("123456", &format!("192.0.2.{n}")).await;
        assert!(matches!(refused, Err(CodeRefusal::Wrong)), "{n}");
    }
    stage.clock.turn(MINUTE_MS);
    for right in [&code(&stage, &secret), &codes[0]] {
        let refused = enter(right, "192.0.2.200").await;
        assert!(matches!(refused, Err(CodeRefusal::Wait(_))), "{refused:?}");
    }
    let audited = stage.audited().await;
    assert!(audited.contains(&"sign_in_refused".to_owned()));
    stage.clock.turn(14 * MINUTE_MS);
    let over = enter(&code(&stage, &secret), "192.0.2.1").await;
    assert!(matches!(over, Err(CodeRefusal::Over)), "{over:?}");
    let half = half_way(&stage).await;
    let code = code(&stage, &secret);
    let access = &stage.access;
    assert!(access.enter_code(&half, &code, &door("")).await.is_ok());
}

#[tokio::test]
async fn the_password_comes_first_and_another_one_ends_what_was_half_begun() {
    let (stage, owner) = Stage::owned().await;
    let own = own(&stage, &owner).await;
    let (access, from) = (&stage.access, door("192.0.2.1"));
    let begun = access.begin_second_factor(&own.may, &own.visit, "wrong", &from);
    assert!(matches!(begun.await, Err(ChangeRefusal::Faults(_))));
    let (secret, old) = set_up(&stage, &own).await;
    let begun = access.begin_second_factor(&own.may, &own.visit, PASSWORD, &from);
    assert!(matches!(begun.await, Err(ChangeRefusal::Overtaken)));
    let refused = access.remove_own_second_factor(&own.may, &own.visit, "wrong", &from);
    assert!(matches!(refused.await, Err(ChangeRefusal::Faults(_))));
    let codes = access.new_recovery_codes(&own.may, &own.visit, PASSWORD, &from);
    assert_ne!(codes.await.unwrap(), old);

    let half = half_way(&stage).await;
    access
        .change_own_password(&own.may, &own.visit, PASSWORD, OTHER, &from)
        .await
        .unwrap();
    stage.clock.turn(STEP_MS);
    let right = code(&stage, &secret);
    let over = access.enter_code(&half, &right, &from).await;
    assert!(matches!(over, Err(CodeRefusal::Over)));
    // A code for a new password does not go past the second factor.
    let invited = access.reset_password(&manages(), owner.person.id).await;
    let code = invited.unwrap().code;
    let chosen = access.choose_password(&code, PASSWORD, &from).await;
    assert!(matches!(chosen.unwrap(), Entered::HalfWay(_)));
    let by = manages();
    let removed = access.remove_second_factor_of(&by, owner.person.id);
    assert!(removed.await.unwrap());
    let entered = access.sign_in("owner@example.com", PASSWORD, &from).await;
    assert!(entered.unwrap().signed_in().is_some());
}

#[tokio::test]
async fn administrators_do_not_remove_the_second_factor_of_owners() {
    let (stage, owner) = Stage::owned().await;
    let of_owner = own(&stage, &owner).await;
    set_up(&stage, &of_owner).await;
    let admin = stage.person("admin@example.com", "administrator").await;
    let may = stage.visit(&admin).await.unwrap().who().granted().unwrap();
    let refused = stage
        .access
        .remove_second_factor_of(&may, owner.person.id)
        .await;
    assert!(matches!(refused, Err(ChangeRefusal::OwnersOnly)));
}
