//! Coming in by a provider of OpenID Connect.

use bowline_access::{
    AccountForm, ChangeRefusal, ElsewhereRefusal, ElsewhereRules, Entered, Granted, ManagePeople,
    Once, OwnAccount, PasswordsOf, RoleKind, SignInRefusal, ToldElsewhere,
};

use crate::stage::{OTHER, PASSWORD, Stage, door, form, manages};

/// Failures from one address before the next has to wait.
const FAILURES: usize = 50;

fn told(subject: &str) -> ToldElsewhere {
    ToldElsewhere {
        issuer: "https://id.example.com".to_owned(),
        subject: subject.to_owned(),
        email: Some(format!("{subject}@example.com")),
        email_verified: Some(true),
        name: Some(subject.to_owned()),
    }
}

fn rules() -> ElsewhereRules {
    ElsewhereRules {
        label: "Example ID".to_owned(),
        domains: vec!["example.com".to_owned()],
        new_people: Some(RoleKind::Viewer),
        trust_emails: false,
    }
}

fn once(stage: &Stage, key: &str) -> Once {
    Once {
        key: key.to_owned(),
        ends_at: stage.access.now().plus_ms(600_000),
    }
}

async fn enter(stage: &Stage, subject: &str, key: &str) -> Result<Entered, ElsewhereRefusal> {
    let once = once(stage, key);
    let access = &stage.access;
    access
        .enter_elsewhere(&told(subject), &rules(), &once, &door("192.0.2.3"))
        .await
}

#[tokio::test]
async fn somebody_new_gets_one_account_and_an_answer_is_used_once() {
    let (stage, _) = Stage::owned().await;
    let first = enter(&stage, "noa", "k1")
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    assert_eq!(first.person.role.kind(), RoleKind::Viewer);
    assert_eq!(first.person.email, "noa@example.com");
    let again = enter(&stage, "noa", "k1").await;
    assert!(matches!(again, Err(ElsewhereRefusal::UsedAlready)));
    let second = enter(&stage, "noa", "k2")
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    assert_eq!(second.person.id, first.person.id);
    // Another subject with the same address is somebody else.
    let mut other = told("other");
    other.email = Some("Noa@Example.com".to_owned());
    let (once, door) = (once(&stage, "k3"), door("192.0.2.3"));
    let refused = stage
        .access
        .enter_elsewhere(&other, &rules(), &once, &door)
        .await;
    assert!(matches!(
        refused,
        Err(ElsewhereRefusal::AddressTaken { .. })
    ));
    let audited = stage.audited().await;
    let wanted = ["person_added", "signed_in", "signed_in", "sign_in_refused"];
    assert_eq!(audited[2..], wanted);
}

#[tokio::test]
async fn an_account_that_is_switched_off_stays_out() {
    let (stage, _) = Stage::owned().await;
    let noa = enter(&stage, "noa", "k1")
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    let known = stage.access.person(&manages(), noa.person.id).await;
    let version = known.unwrap().unwrap().account.version;
    let off = AccountForm {
        name: "noa".to_owned(),
        ..form("noa@example.com", "viewer")
    };
    stage
        .access
        .change_person(&manages(), (noa.person.id, version), &off, false)
        .await
        .unwrap();
    assert!(stage.visit(&noa).await.is_none());
    let refused = enter(&stage, "noa", "k2").await;
    assert!(matches!(refused, Err(ElsewhereRefusal::SwitchedOff)));
}

#[tokio::test]
async fn a_second_factor_of_ours_is_asked_for_all_the_same() {
    let (stage, owner) = Stage::owned().await;
    let visit = stage.visit(&owner).await.unwrap();
    let by: Granted<OwnAccount> = visit.who().granted().unwrap();
    stage
        .access
        .join_own(&by, &visit, &told("olive"), &rules(), &once(&stage, "k1"))
        .await
        .unwrap();
    assert!(
        enter(&stage, "olive", "k2")
            .await
            .unwrap()
            .signed_in()
            .is_some()
    );
    let door = door("192.0.2.1");
    let setup = stage
        .access
        .begin_second_factor(&by, &visit, PASSWORD, &door)
        .await
        .unwrap();
    let secret = totp_rs::Secret::try_from_base32(&setup.secret).unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(secret)
        .build_noncompliant();
    let now_s = u64::try_from(stage.access.now().0 / 1_000).unwrap();
    let code = totp.generate(now_s).to_string();
    stage
        .access
        .confirm_second_factor(&by, &visit, &code)
        .await
        .unwrap();
    let entered = enter(&stage, "olive", "k3").await.unwrap();
    assert!(matches!(entered, Entered::HalfWay(_)), "{entered:?}");
}

#[tokio::test]
async fn somebody_joins_by_an_act_of_their_own_and_parts_again() {
    let (stage, owner) = Stage::owned().await;
    let noa = enter(&stage, "noa", "k1")
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    let visit = stage.visit(&owner).await.unwrap();
    let by: Granted<OwnAccount> = visit.who().granted().unwrap();
    let (access, door) = (&stage.access, door("192.0.2.1"));
    assert!(access.may_join(&by, &visit, "wrong", &door).await.is_err());
    assert!(access.may_join(&by, &visit, PASSWORD, &door).await.is_ok());
    let join = async |who: &ToldElsewhere, key: &str| {
        let once = once(&stage, key);
        access.join_own(&by, &visit, who, &rules(), &once).await
    };
    let taken = join(&told("noa"), "k2").await;
    assert!(matches!(taken, Err(ElsewhereRefusal::Taken(_))));
    let mut elsewhere = told("olive");
    elsewhere.email = Some("olive@private.example.org".to_owned());
    let refused = join(&elsewhere, "k3").await;
    assert!(matches!(refused, Err(ElsewhereRefusal::OtherDomain { .. })));
    join(&told("olive"), "k4").await.unwrap();
    let again = join(&told("olive"), "k4").await;
    assert!(matches!(again, Err(ElsewhereRefusal::UsedAlready)));
    let entered = enter(&stage, "olive", "k5")
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    assert_eq!(entered.person.id, owner.person.id);

    assert!(access.part_own(&by, &visit, "wrong", &door).await.is_err());
    assert!(access.part_own(&by, &visit, PASSWORD, &door).await.unwrap());
    assert!(!access.part_own(&by, &visit, PASSWORD, &door).await.unwrap());
    // Who has no password has no other way in, and keeps this one.
    let visit = stage.visit(&noa).await.unwrap();
    let by: Granted<OwnAccount> = visit.who().granted().unwrap();
    assert!(access.may_join(&by, &visit, "", &door).await.is_ok());
    assert!(access.part_own(&by, &visit, "", &door).await.is_err());
    assert!(access.own_identity(&by, &visit).await.unwrap().is_some());
}

#[tokio::test]
async fn a_code_joins_once_in_place_of_a_password() {
    let (stage, _) = Stage::owned().await;
    let access = &stage.access;
    let invited = access
        .add_person(&manages(), &form("ines@example.com", "agent"))
        .await
        .unwrap();
    let refused = enter(&stage, "ines", "k1").await;
    assert!(
        matches!(refused, Err(ElsewhereRefusal::AddressTaken { .. })),
        "an invitation alone joins nothing"
    );
    let join = async |code: &str, key: &str| {
        let (once, door) = (once(&stage, key), door("192.0.2.3"));
        access
            .join_with_code(code, &told("ines"), &rules(), (&once, &door))
            .await
    };
    let wrong = join("abcd-efgh-ijkm-npqr", "k2").await;
    assert!(matches!(wrong, Err(ElsewhereRefusal::NoInvitation)));
    let typed = invited.code.to_uppercase();
    let ines = join(&typed, "k3").await.unwrap().signed_in().unwrap();
    assert_eq!(
        (ines.person.id, ines.person.role.kind()),
        (invited.id, RoleKind::Agent)
    );
    assert!(matches!(
        join(&typed, "k4").await,
        Err(ElsewhereRefusal::NoInvitation)
    ));
    assert!(
        access
            .choose_password(&typed, PASSWORD, &door("192.0.2.3"))
            .await
            .is_err(),
        "the code is used up"
    );
}

#[tokio::test]
async fn without_passwords_those_of_owners_are_taken_alone() {
    let (stage, _) = Stage::owned().await;
    let ana = stage.person("ana@example.com", "administrator").await;
    let access = &stage.access;
    let invited = access
        .reset_password(&manages(), ana.person.id)
        .await
        .unwrap();
    access.take_passwords_of(PasswordsOf::Owners);
    let door = door("192.0.2.2");
    let right = access.sign_in("ana@example.com", PASSWORD, &door).await;
    assert!(matches!(right, Err(SignInRefusal::OwnersOnly)));
    let wrong = access.sign_in("ana@example.com", OTHER, &door).await;
    assert!(
        matches!(wrong, Err(SignInRefusal::Wrong)),
        "nothing is told to who guesses"
    );
    assert!(
        access
            .choose_password(&invited.code, OTHER, &door)
            .await
            .is_err()
    );
    assert!(
        access
            .sign_in("owner@example.com", PASSWORD, &door)
            .await
            .is_ok()
    );
    access.take_passwords_of(PasswordsOf::Everyone);
    assert!(
        access
            .choose_password(&invited.code, OTHER, &door)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn who_fails_often_at_coming_back_has_to_wait_where_they_are() {
    let (stage, _) = Stage::owned().await;
    let (access, here, there) = (&stage.access, door("192.0.2.3"), door("192.0.2.4"));
    let waits = async |door| {
        let taken = access.try_elsewhere(door).await;
        match taken {
            Ok(taken) => {
                access.give_try_back(taken).await.unwrap();
                false
            }
            Err(ElsewhereRefusal::Wait(_)) => true,
            Err(other) => panic!("{other}"),
        }
    };
    // Many who come in keep nobody out.
    for _ in 0..FAILURES * 2 {
        assert!(!waits(&here).await);
    }
    for _ in 0..FAILURES {
        let taken = access.try_elsewhere(&here).await.unwrap();
        access.try_failed(taken, &rules(), &here).await.unwrap();
    }
    assert!(waits(&here).await);
    assert!(!waits(&there).await, "others are not kept out");
    let password = access.sign_in("owner@example.com", PASSWORD, &here).await;
    assert!(password.is_ok(), "nor are passwords");
    let refused = (stage.audited().await.into_iter())
        .filter(|what| what == "sign_in_refused")
        .count();
    assert_eq!(refused, 1, "written down once");
    stage.clock.turn(15 * 60 * 1_000 + 1);
    assert!(!waits(&here).await);
}

#[tokio::test]
async fn an_administrator_parts_somebody_else() {
    let (stage, _) = Stage::owned().await;
    let noa = enter(&stage, "noa", "k1").await.unwrap();
    let noa = noa.signed_in().unwrap();
    let access = &stage.access;
    let kept = access.identity_of(&manages(), noa.person.id).await.unwrap();
    assert_eq!(kept.unwrap().identity.subject, "noa");
    let part = async |id| access.part_identity_of(&manages(), id).await;
    assert!(part(noa.person.id).await.unwrap());
    assert!(!part(noa.person.id).await.unwrap(), "there is nothing more");
    assert!(matches!(part(99).await, Err(ChangeRefusal::Gone)));
    let kept = access.identity_of(&manages(), noa.person.id).await.unwrap();
    assert!(kept.is_none());
    assert!(stage.visit(&noa).await.is_some(), "the session goes on");
    // The address alone joins nobody to the account.
    let refused = enter(&stage, "noa", "k2").await;
    assert!(matches!(
        refused,
        Err(ElsewhereRefusal::AddressTaken { .. })
    ));
    let audited = stage.audited().await;
    let parted = audited.iter().filter(|what| *what == "identity_parted");
    assert_eq!(parted.count(), 1, "{audited:?}");

    // Nobody but an owner parts an owner.
    let ana = stage.person("ana@example.com", "administrator").await;
    let visit = stage.visit(&ana).await.unwrap();
    let by: Granted<ManagePeople> = visit.who().granted().unwrap();
    let olive = access.people(&by).await.unwrap();
    let olive = olive
        .iter()
        .find(|known| known.person.email == "owner@example.com");
    let refused = access.part_identity_of(&by, olive.unwrap().person.id).await;
    assert!(matches!(refused, Err(ChangeRefusal::OwnersOnly)));
}
