//! Tokens.

use bowline_access::{ChangeLinks, Look, OwnAccount, ReadAudit, TokenForm, Who};

use crate::stage::{Stage, form, manages};

const DAY_MS: i64 = 86_400_000;

fn asked(scopes: &[&str]) -> TokenForm {
    TokenForm {
        name: "report".to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        days: "30".to_owned(),
    }
}

#[tokio::test]
async fn a_token_works_for_its_owner_within_its_scopes_until_it_ends() {
    let (stage, _) = Stage::owned().await;
    let ben = stage.person("ben@example.com", "agent").await;
    let visit = stage.visit(&ben).await.unwrap();
    let may = visit.who().granted::<OwnAccount>().unwrap();
    let make = async |scopes: &[&str]| {
        let made = stage.access.make_token(&may, &visit, &asked(scopes)).await;
        made.unwrap().token
    };
    let token = make(&["read", "audit"]).await;
    assert!(token.starts_with("bowline_"));
    let who = stage.access.token(&token).await.unwrap().unwrap();
    assert!(who.may::<Look>());
    assert!(!who.may::<ReadAudit>(), "agents do not");
    assert!(!who.may::<ChangeLinks>(), "the scope is missing");
    assert!(!who.may::<OwnAccount>(), "no token makes tokens");
    assert_eq!(who.name(), "ben@example.com by the token “report”");
    for other in ["", "bowline_", "bowline_guessed", &token[1..]] {
        assert!(
            stage.access.token(other).await.unwrap().is_none(),
            "{other}"
        );
    }
    let stored = stage.access.own_tokens(&may, &visit).await.unwrap();
    assert!(stored[0].used_at.is_some());
    assert!(
        !stored[0].key.contains(&token[8..]),
        "only its digest is kept"
    );

    let second = make(&["links"]).await;
    let stored = stage.access.own_tokens(&may, &visit).await.unwrap();
    assert!(
        stage
            .access
            .end_token(&may, &visit, stored[0].id)
            .await
            .unwrap()
    );
    assert!(stage.access.token(&second).await.unwrap().is_none());
    stage.clock.turn(30 * DAY_MS);
    assert!(
        stage.access.token(&token).await.unwrap().is_none(),
        "after its time"
    );
}

#[tokio::test]
async fn a_token_is_no_more_than_its_owner_is_now() {
    let (stage, _) = Stage::owned().await;
    let ben = stage.person("ben@example.com", "agent").await;
    let visit = stage.visit(&ben).await.unwrap();
    let may = visit.who().granted::<OwnAccount>().unwrap();
    let token = stage
        .access
        .make_token(&may, &visit, &asked(&["links"]))
        .await
        .unwrap()
        .token;
    let links = async || {
        let who = stage.access.token(&token).await.unwrap();
        who.is_some_and(|who: Who| who.may::<ChangeLinks>())
    };
    assert!(links().await);
    let change = async |version, role: &str, active| {
        let place = (ben.person.id, version);
        stage
            .access
            .change_person(&manages(), place, &form("", role), active)
            .await
            .unwrap();
    };
    change(2, "viewer", true).await;
    assert!(!links().await);
    change(3, "agent", true).await;
    assert!(links().await);
    change(4, "agent", false).await;
    assert!(!links().await);
}
