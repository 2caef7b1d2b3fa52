//! The second factor from the user's side: set up, asked for, lost.

use std::sync::Arc;

use bowline::service::Service;
use bowline_sandbox::common::lasting_address;
use totp_rs::{Builder, Secret};

use crate::browser::{Browser, PASSWORD, Page};
use crate::process::run;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_second_factor_is_set_up_asked_for_and_removed,
    failures_are_counted_by_all_replicas_together
);

/// What an app shows that many steps after now. The next step is taken as well as the present one,
/// so that a test need not wait for it.
fn code(secret: &str, steps: u64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    totp.generate(now.unwrap().as_secs() + 30 * steps)
        .to_string()
}

/// What stands on a page under this id.
fn shown<'p>(page: &'p Page, id: &str) -> &'p str {
    let mark = format!("id=\"{id}\"");
    let (_, rest) = page.text.split_once(&mark).expect("it is on the page");
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split('<').next().unwrap()
}

const PLACE: &str = "/account/second-factor";

/// Sets one up; gives the secret and the recovery codes.
async fn set_up(browser: &mut Browser) -> (String, Vec<String>) {
    let begin = [("what", "begin"), ("present", PASSWORD)];
    let begun = browser.send(PLACE, &begin).await;
    assert_eq!(begun.status, 303, "{}", begun.words());
    let page = browser.get(PLACE).await;
    let secret = shown(&page, "secret").replace(' ', "");
    assert!(page.text.contains("<svg") && page.text.contains("<path d=\"M4 4h1v1h-1z"));
    let wrong = [("what", "confirm"), ("code", "000000")];
    let refused = browser.send(PLACE, &wrong).await;
    assert_eq!(refused.status, 422);
    refused.says("not the code that the app should show now");
    assert_eq!(shown(&refused, "secret").replace(' ', ""), secret);
    let right = code(&secret, 0);
    let confirmed = [("what", "confirm"), ("code", right.as_str())];
    let page = browser.send(PLACE, &confirmed).await;
    assert_eq!(page.status, 200, "{}", page.words());
    let codes: Vec<String> = shown(&page, "codes").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

/// Gives the password, on the way to a page; says where it leads.
async fn password(browser: &mut Browser, next: &str) -> String {
    browser.get("/sign-in").await;
    let fields = [
        ("email", "owner@example.com"),
        ("password", PASSWORD),
        ("next", next),
    ];
    let page = browser.send("/sign-in", &fields).await;
    assert_eq!(page.status, 303, "{}", page.words());
    page.goes_to().to_owned()
}

async fn a_second_factor_is_set_up_asked_for_and_removed(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner.get("/account").await.says("Second factor");
    let wrong = [("what", "begin"), ("present", "wrong")];
    let refused = owner.send(PLACE, &wrong).await;
    assert_eq!(refused.status, 422);
    refused.says("This is not your present password.");
    let (secret, codes) = set_up(&mut owner).await;
    let page = owner.get(PLACE).await;
    page.says("10 recovery codes are left");
    assert!(!page.text.contains(&codes[0]), "shown once");
    assert!(!page.text.contains("<svg"), "the secret is not shown again");
    let stored = stage.store().second_factors().await.unwrap();
    assert!(!stored[0].sealed.contains(&secret), "sealed at rest");

    let mut browser = Browser::new(&stage);
    let next = "/links?state=all";
    let place = password(&mut browser, next).await;
    assert_eq!(place, "/sign-in/code?next=%2Flinks%3Fstate%3Dall");
    assert_eq!(browser.cookie("bowline_session"), None);
    let links = browser.get("/links").await;
    assert!(
        links.goes_to().starts_with("/sign-in"),
        "half way is not in"
    );
    let page = browser.get(&place).await;
    page.says("The first step is done.");
    let enter = async |browser: &mut Browser, code: &str| {
        let fields = [("code", code), ("next", next)];
        browser.send("/sign-in/code", &fields).await
    };
    let refused = enter(&mut browser, "abc").await;
    assert_eq!(refused.status, 422);
    refused.says("This code is wrong, too old, or was used already.");
    let right = code(&secret, 1);
    let page = enter(&mut browser, &right).await;
    assert_eq!(
        (page.status, page.goes_to()),
        (303, next),
        "{}",
        page.words()
    );
    assert_eq!(browser.cookie("bowline_half_way"), None);
    assert_eq!(browser.get(next).await.status, 200);

    // The same code does not let in again, a recovery code does, once.
    let mut second = Browser::new(&stage);
    password(&mut second, "/").await;
    assert_eq!(enter(&mut second, &right).await.status, 422);
    assert_eq!(enter(&mut second, &codes[0]).await.status, 303);
    let mut third = Browser::new(&stage);
    password(&mut third, "/").await;
    assert_eq!(enter(&mut third, &codes[0]).await.status, 422);
    // Without the first step there is no second one.
    let mut stranger = Browser::new(&stage);
    let page = enter(&mut stranger, &codes[1]).await;
    assert_eq!(
        page.goes_to(),
        "/sign-in?next=%2Flinks%3Fstate%3Dall&ended=code"
    );
    let sign_in = page.goes_to().to_owned();
    stranger.get(&sign_in).await.says("was not entered in time");

    let made = [("what", "codes"), ("present", PASSWORD)];
    let page = owner.send(PLACE, &made).await;
    assert_ne!(shown(&page, "codes"), codes.join("\n"));
    let remove = [("what", "remove"), ("present", PASSWORD)];
    let page = owner.send(PLACE, &remove).await;
    assert_eq!(page.goes_to(), "/account?done=second-factor-off");
    assert_eq!(
        password(&mut Browser::new(&stage), "/links").await,
        "/links"
    );
    let audit = owner.get("/audit/export.csv").await.text;
    for word in [
        "second_factor_on",
        "recovery_code_used",
        "recovery_codes_made",
        "second_factor_off",
    ] {
        assert!(audit.contains(word), "{word}: {audit}");
    }
    for secret in [secret.as_str(), codes[0].as_str()] {
        assert!(!audit.contains(secret));
    }
}

/// Two processes on one database on PostgreSQL; on SQLite there is one, and it is started anew.
async fn failures_are_counted_by_all_replicas_together(on: On) {
    let mut stage = Stage::on(on, |_| ()).await;
    Browser::signed_in(&stage, "owner").await;
    let wrong = [("email", "owner@example.com"), ("password", "wrong")];
    let mut browser = Browser::new(&stage);
    for _ in 0..3 {
        assert_eq!(browser.send("/sign-in", &wrong).await.status, 422);
    }
    let replica = match on {
        On::Postgres => {
            let mut config = stage.world.config().unwrap();
            config.listen = lasting_address();
            let beside = Service::start(&config, Arc::new(String::new)).await;
            Some(beside.unwrap())
        }
        On::Sqlite => {
            stage.stop().await;
            stage.start().await;
            None
        }
    };
    browser.at(replica
        .as_ref()
        .map_or(stage.addr(), |replica| replica.addr));
    for _ in 0..2 {
        assert_eq!(browser.send("/sign-in", &wrong).await.status, 422);
    }
    browser.at(stage.addr());
    let right = [("email", "owner@example.com"), ("password", PASSWORD)];
    let page = browser.send("/sign-in", &right).await;
    assert_eq!(page.status, 429);
    page.says("That did not work too often.");
    if let Some(replica) = replica {
        replica.stop().await;
    }
}

#[tokio::test]
async fn someone_who_lost_the_telephone_is_let_in_by_an_administrator_or_the_command_line() {
    let stage = Stage::cloud().await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let mut agent = Browser::signed_in(&stage, "agent").await;
    let person = |page: &Page| {
        let (before, _) = page.text.split_once("\">The agent</a>").unwrap();
        let (_, path) = before.rsplit_once("href=\"").unwrap();
        path.to_owned()
    };
    let path = person(&owner.get("/people").await);
    let page = owner.get(&path).await;
    assert!(!page.text.contains("remove-second-factor"), "there is none");
    set_up(&mut agent).await;
    owner.get(&path).await.says("Remove the second factor");
    let remove = format!("{path}/remove-second-factor");
    let page = owner.send(&remove, &[]).await;
    assert_eq!(page.goes_to(), format!("{path}?done=second-factor-off"));
    let page = owner.send(&remove, &[]).await;
    assert_eq!(page.goes_to(), format!("{path}?done=no-second-factor"));
    agent.get("/account").await.says("Set it up");

    set_up(&mut owner).await;
    let listed = run(&stage, &["user", "list"]).await.good();
    assert!(listed.contains("second factor"), "{listed}");
    // Sealed with another key, it still opens while the service runs.
    let rotated = run(&stage, &["key", "rotate"]).await.good();
    assert!(rotated.contains("1 secrets are sealed"), "{rotated}");
    let mut browser = Browser::new(&stage);
    password(&mut browser, "/").await;
    let page = browser.send("/sign-in/code", &[("code", "123")]).await;
    assert_eq!(page.status, 422, "{}", page.words());
    let arguments = ["user", "remove-second-factor", "owner@example.com"];
    let said = run(&stage, &arguments).await.good();
    assert!(said.contains("is not asked for a second factor any more"));
    let said = run(&stage, &arguments).await.good();
    assert!(said.contains("has no second factor"), "{said}");
    assert_eq!(password(&mut Browser::new(&stage), "/").await, "/");
}
