//! Signing in, who may what, and what keeps others out.

use bowline_access::{Door, Look, Who};

use crate::browser::{Browser, PASSWORD};
use crate::process::run;
use crate::stage::{On, Stage, on_both};

/// Every page, with the least role that may see it.
const PAGES: &[(&str, &str)] = &[
    ("/", "viewer"),
    ("/deliveries", "viewer"),
    ("/deliveries/1", "viewer"),
    ("/deliveries/replay", "administrator"),
    ("/deliveries/replay?since=2026-01-31T08:00", "administrator"),
    ("/why", "viewer"),
    ("/why?q=ENG-1", "viewer"),
    ("/links", "viewer"),
    ("/links/import", "agent"),
    ("/links/export.csv", "viewer"),
    ("/links/export.json", "viewer"),
    ("/links/report?sort=spend", "viewer"),
    ("/links/report.csv", "viewer"),
    ("/links/report.json", "viewer"),
    ("/bindings/acme-jira/ENG/try", "project_administrator"),
    ("/problems", "viewer"),
    ("/feedback", "viewer"),
    ("/feedback?q=dark&sort=spend&status=all", "viewer"),
    ("/products", "viewer"),
    ("/help", "viewer"),
    ("/api/docs", "viewer"),
    ("/api/docs/deliveries", "viewer"),
    ("/search?q=ENG-1", "viewer"),
    ("/account", "viewer"),
    ("/account/second-factor", "viewer"),
    ("/tokens", "viewer"),
    ("/people", "administrator"),
    ("/people/1", "administrator"),
    ("/audit", "administrator"),
    ("/audit/export.csv", "administrator"),
    ("/audit/export.json", "administrator"),
    ("/audit?what=signed_in", "administrator"),
    ("/alerts", "administrator"),
    ("/connections", "viewer"),
    ("/connections/site/acme-jira", "viewer"),
    ("/connections/workspace/acme", "viewer"),
    ("/connections/add/site", "administrator"),
    ("/connections/add/workspace", "administrator"),
    ("/bindings", "viewer"),
    ("/bindings/acme-jira/ENG", "viewer"),
    ("/bindings/acme-jira/ENG/fields", "viewer"),
    ("/contacts", "agent"),
    ("/contacts?q=noa&column=email", "agent"),
    ("/companies", "agent"),
    ("/contacts/export.csv", "administrator"),
    ("/contacts/import", "administrator"),
    ("/contacts/settings", "administrator"),
    ("/issues/acme-jira/ENG-1", "viewer"),
    (
        "/issues/acme-jira/ENG-1/conversations/215475827000001",
        "viewer",
    ),
    ("/conversations", "viewer"),
    ("/conversations?window=soon&about=SUP-1", "viewer"),
    ("/end-users", "viewer"),
    ("/end-users?state=blocked", "viewer"),
    ("/desks", "viewer"),
    ("/desks?check=nothing", "viewer"),
    ("/desks/add", "administrator"),
    ("/connections/add/messagebird", "administrator"),
    ("/connections/add/whatsapp", "administrator"),
];

/// Every form, with the least role that may send it.
const FORMS: &[(&str, &str)] = &[
    ("/sign-out", "viewer"),
    ("/account/password", "viewer"),
    ("/account/second-factor", "viewer"),
    ("/people/1/remove-second-factor", "administrator"),
    ("/people/1/part-identity", "administrator"),
    ("/account/oidc", "viewer"),
    ("/account/look", "viewer"),
    ("/account/sessions/end", "viewer"),
    ("/tokens", "viewer"),
    ("/tokens/end", "viewer"),
    ("/links/add", "agent"),
    ("/links/import", "agent"),
    ("/links/remove", "agent"),
    ("/feedback/triage", "agent"),
    ("/feedback/1/change", "agent"),
    ("/feedback/1/merge", "agent"),
    ("/feedback/1/undo", "agent"),
    ("/feedback/1/split", "agent"),
    ("/feedback/1/issue", "agent"),
    ("/products", "administrator"),
    ("/products/1", "administrator"),
    ("/products/1/backfill", "administrator"),
    ("/deliveries/1/replay", "project_administrator"),
    ("/deliveries/replay", "administrator"),
    ("/people", "administrator"),
    ("/people/1", "administrator"),
    ("/people/1/reset", "administrator"),
    ("/people/1/end-sessions", "administrator"),
    ("/alerts/test", "administrator"),
    ("/connections/add/site", "administrator"),
    ("/connections/add/workspace", "administrator"),
    ("/connections/add/consent", "administrator"),
    ("/connections/site/acme-jira/credentials", "administrator"),
    ("/connections/site/acme-jira/secret", "administrator"),
    ("/connections/site/acme-jira/remove", "administrator"),
    ("/connections/site/acme-jira/test", "administrator"),
    ("/connections/workspace/acme/credentials", "administrator"),
    ("/connections/workspace/acme/app-user", "administrator"),
    ("/connections/workspace/acme/test", "administrator"),
    ("/bindings", "project_administrator"),
    ("/bindings/acme-jira/ENG/settings", "project_administrator"),
    ("/bindings/acme-jira/ENG/fields", "project_administrator"),
    ("/bindings/acme-jira/ENG/part", "project_administrator"),
    ("/contacts/1", "agent"),
    ("/contacts/1/use-intercom", "agent"),
    ("/contacts/1/decide", "agent"),
    ("/contacts/1/merge", "agent"),
    ("/contacts/1/erase", "administrator"),
    ("/contacts/import", "administrator"),
    ("/contacts/settings/switch", "administrator"),
    ("/contacts/settings/copy", "administrator"),
    ("/contacts/settings/remove", "administrator"),
    ("/issues/acme-jira/ENG-1/link", "agent"),
    ("/issues/acme-jira/ENG-1/unlink", "agent"),
    ("/issues/acme-jira/ENG-1/note", "agent"),
    ("/issues/acme-jira/ENG-1/answer", "agent"),
    ("/issues/acme-jira/ENG-1/held", "agent"),
    ("/conversations/bird/nobody/1/sends", "agent"),
    ("/conversations/bird/nobody/1/approved", "agent"),
    ("/end-users/block", "agent"),
    ("/end-users/bird/nobody/block", "agent"),
    ("/end-users/bird/nobody/customer", "agent"),
    ("/end-users/bird/nobody/language", "agent"),
    ("/desks/test", "administrator"),
    ("/desks/add", "administrator"),
    ("/desk/support/settings", "administrator"),
    ("/desk/support/remove", "administrator"),
    ("/connections/add/messagebird", "administrator"),
    ("/connections/add/whatsapp", "administrator"),
    ("/connections/account/bird/credentials", "administrator"),
];

/// The roles, the weakest first.
const ROLES: [&str; 5] = [
    "viewer",
    "agent",
    "project_administrator",
    "administrator",
    "owner",
];

fn rank(role: &str) -> usize {
    ROLES.iter().position(|known| *known == role).unwrap()
}

#[tokio::test]
async fn a_stranger_sees_no_page_and_comes_back_to_where_they_wanted_to_be() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::new(&stage);
    assert_eq!(
        browser.get("/deliveries").await.goes_to(),
        "/setup",
        "nobody has an account"
    );
    Browser::signed_in(&stage, "owner").await;
    for (path, _) in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.goes_to().starts_with("/sign-in"), "{path}");
    }
    for (path, _) in FORMS {
        let page = browser.post(path, &[], &[]).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(
            page.goes_to().starts_with("/sign-in?ended=form"),
            "{path}: {}",
            page.goes_to()
        );
    }
    let page = browser.get("/deliveries?outcome=waiting&about=ENG-1").await;
    let sign_in = page.goes_to().to_owned();
    browser.get(&sign_in).await.says("Sign in");
    let next = "/deliveries?outcome=waiting&about=ENG-1";
    let fields = [
        ("email", "owner@example.com"),
        ("password", PASSWORD),
        ("next", next),
    ];
    assert_eq!(browser.send("/sign-in", &fields).await.goes_to(), next);
    let mut again = Browser::new(&stage);
    let elsewhere = [fields[0], fields[1], ("next", "//evil.example.com")];
    assert_eq!(again.send("/sign-in", &elsewhere).await.goes_to(), "/");
}

#[tokio::test]
async fn a_session_that_ended_leads_back_to_the_same_page() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let session = browser.cookie("bowline_session").unwrap().to_owned();
    browser.send("/sign-out", &[]).await;
    assert_eq!(browser.cookie("bowline_session"), None);
    // Whoever kept the cookie has nothing by it.
    browser.keep("bowline_session", &session);
    let page = browser.get("/links?state=all").await;
    assert_eq!(
        page.goes_to(),
        "/sign-in?next=%2Flinks%3Fstate%3Dall&ended=yes"
    );
    let referer = format!("{}/people/1?x=1", stage.url(""));
    let page = browser
        .post("/people/1", &[], &[("referer", &referer)])
        .await;
    assert_eq!(
        page.goes_to(),
        "/sign-in?next=%2Fpeople%2F1%3Fx%3D1&ended=form"
    );
    let sign_in = page.goes_to().to_owned();
    browser
        .get(&sign_in)
        .await
        .says("what you sent was not saved");
}

#[tokio::test]
async fn each_role_sees_and_sends_what_it_may() {
    let stage = Stage::cloud().await;
    stage.linked().await;
    for role in ROLES {
        let mut browser = Browser::signed_in(&stage, role).await;
        for (path, least) in PAGES {
            let page = browser.get(path).await;
            if rank(role) < rank(least) {
                assert_eq!(page.status, 403, "{role} {path}");
                page.says("does not allow you");
            } else {
                let wanted = if path.starts_with("/search") {
                    303
                } else {
                    200
                };
                assert_eq!(page.status, wanted, "{role} {path}");
            }
        }
        for (path, least) in FORMS {
            // Without the token nothing happens, so the answer tells the two refusals apart.
            let page = browser.post(path, &[], &[]).await;
            assert_eq!(page.status, 403, "{role} {path}");
            if rank(role) < rank(least) {
                page.says("does not allow you");
            } else {
                page.says("from an earlier session");
            }
        }
    }
}

#[tokio::test]
async fn forms_of_others_change_nothing() {
    let stage = Stage::cloud().await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let mut other = Browser::signed_in(&stage, "agent").await;
    let theirs = other.form_token().await;
    let own = owner.form_token().await;
    let fields = |token: &str| -> Vec<(String, String)> {
        let pairs = [
            ("form_token", token),
            ("name", "Mal"),
            ("email", "mal@example.com"),
            ("role", "owner"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    };
    for (token, headers, wanted) in [
        ("", &[][..], 403),
        (theirs.as_str(), &[], 403),
        (own.as_str(), &[("sec-fetch-site", "cross-site")], 403),
        (own.as_str(), &[("sec-fetch-site", "same-site")], 403),
        (own.as_str(), &[("sec-fetch-site", "same-origin")], 200),
    ] {
        let fields = fields(token);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let page = owner.post("/people", &fields, headers).await;
        assert_eq!(page.status, wanted, "{headers:?}: {}", page.words());
        let people = owner.get("/people").await;
        assert_eq!(people.text.contains("mal@example.com"), wanted == 200);
    }
    // Before someone is signed in, forms are bound to the browser too.
    let mut stranger = Browser::new(&stage);
    let fields = [("email", "owner@example.com"), ("password", PASSWORD)];
    let page = stranger.post("/sign-in", &fields, &[]).await;
    assert_eq!(page.status, 422);
    assert_eq!(stranger.cookie("bowline_session"), None);
}

#[tokio::test]
async fn every_answer_keeps_other_pages_out() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    for path in [
        "/",
        "/nowhere",
        "/deliveries/999",
        "/people",
        "/sign-in",
        "/links/export.csv",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(
            !page.text.contains("<script>") && !page.text.contains("style=\""),
            "{path}"
        );
        assert!(!page.text.contains(" onclick="), "{path}");
    }
}

#[tokio::test]
async fn by_https_cookies_are_bound_to_the_host_and_by_http_there_is_no_such_thing() {
    let mut stage = Stage::prepare(|_| ()).await;
    stage.edit_config("public_url = \"http://", "public_url = \"https://");
    stage.start().await;
    let mut browser = Browser::new(&stage);
    let page = browser.get("/setup").await;
    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-bowline_form=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(
        page.header("strict-transport-security")
            .contains("max-age=31536000")
    );

    let stage = Stage::cloud().await;
    let page = Browser::new(&stage).get("/setup").await;
    assert!(page.header("set-cookie").starts_with("bowline_form="));
    assert_eq!(page.header("strict-transport-security"), "");
}

on_both!(a_newcomer_makes_the_owner_with_the_printed_code);

async fn a_newcomer_makes_the_owner_with_the_printed_code(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let code = stage.service().first_visit_code.clone().unwrap();
    let mut browser = Browser::new(&stage);
    browser
        .get("/setup")
        .await
        .says("Nobody has an account here yet");
    let mut fields = vec![
        ("code", "wrong"),
        ("name", "Olive"),
        ("email", "olive"),
        ("password", "short"),
    ];
    // Before there is an owner, the sign-in page is this one.
    let token = {
        let page = browser.get("/setup").await;
        let (_, rest) = page
            .text
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    fields.push(("form_token", &token));
    let page = browser.post("/setup", &fields, &[]).await;
    assert_eq!(page.status, 422);
    page.says("This code is not valid");
    page.says("This is not an e-mail address");
    page.says("It is too short");
    assert!(
        page.text.contains("value=\"Olive\""),
        "what was typed is kept"
    );
    assert!(
        !page.text.contains("value=\"short\""),
        "but a password is not sent back"
    );

    fields[0] = ("code", &code);
    fields[2] = ("email", "olive@example.com");
    fields[3] = ("password", PASSWORD);
    let page = browser.post("/setup", &fields, &[]).await;
    assert_eq!((page.status, page.goes_to()), (303, "/?done=owner"));
    browser.get("/?done=owner").await.says("You are the owner");
    assert_eq!(Browser::new(&stage).get("/setup").await.goes_to(), "/");
}

#[tokio::test]
async fn many_wrong_passwords_have_to_wait() {
    let stage = Stage::cloud().await;
    Browser::signed_in(&stage, "owner").await;
    let mut browser = Browser::new(&stage);
    let wrong = [("email", "owner@example.com"), ("password", "wrong")];
    for _ in 0..5 {
        let page = browser.send("/sign-in", &wrong).await;
        assert_eq!(page.status, 422);
        page.says("The e-mail address or the password is wrong.");
    }
    let page = browser.send("/sign-in", &wrong).await;
    assert_eq!(page.status, 429);
    page.says("Wait 15 minutes");
}

#[tokio::test]
async fn someone_locked_out_is_let_in_by_the_command_line() {
    let stage = Stage::cloud().await;
    Browser::signed_in(&stage, "owner").await;
    let added = run(
        &stage,
        &["user", "add", "ana@example.com", "--role", "agent"],
    )
    .await
    .good();
    assert!(added.contains("/welcome with the code "), "{added}");
    let reset = run(&stage, &["user", "reset", "ana@example.com"])
        .await
        .good();
    let code = reset
        .split("the code ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let mut browser = Browser::new(&stage);
    let token = browser.form_token().await;
    let fields = [
        ("form_token", token.as_str()),
        ("code", code),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.post("/welcome", &fields, &[]).await.goes_to(), "/");
    assert_eq!(browser.get("/").await.status, 200);
    let listed = run(&stage, &["user", "list"]).await.good();
    assert!(
        listed.contains("ana@example.com") && listed.contains("Agent"),
        "{listed}"
    );
    assert!(listed.contains("Owner"), "{listed}");
    let unknown = run(&stage, &["user", "reset", "nobody@example.com"]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("there is nobody"), "{unknown:?}");
    let wrong = run(&stage, &["user", "add", "x@example.com", "--role", "root"]).await;
    assert!(wrong.err.contains("Choose one of the roles"), "{wrong:?}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_works() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let page = browser
        .send("/tokens", &[("name", ""), ("days", "0")])
        .await;
    assert_eq!(page.status, 422);
    page.says("Choose at least one.");
    let page = browser
        .send(
            "/tokens",
            &[("name", "report"), ("scopes", "read"), ("days", "7")],
        )
        .await;
    let (_, rest) = page
        .text
        .split_once("id=\"token\" tabindex=\"0\">")
        .unwrap();
    let token = rest.split('<').next().unwrap();
    let access = stage.service().access();
    let who = access.token(token).await.unwrap().unwrap();
    assert!(who.may::<Look>());
    assert!(matches!(who, Who::Token { .. }));
    let list = browser.get("/tokens").await;
    assert!(!list.text.contains(token), "shown once");
    let audit = browser.get("/audit/export.csv").await;
    assert!(
        audit.text.contains("token_made") && !audit.text.contains(token),
        "{}",
        audit.text
    );
    assert!(
        audit
            .header("content-disposition")
            .contains("bowline-audit.csv")
    );
}

#[tokio::test]
async fn a_second_tab_does_not_overwrite_a_newer_change() {
    let stage = Stage::cloud().await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let access = stage.service().access();
    let manages = Who::CommandLine.granted().unwrap();
    let form = bowline_access::AccountForm {
        name: "Ben".to_owned(),
        email: "ben@example.com".to_owned(),
        role: "viewer".to_owned(),
        projects: Vec::new(),
    };
    let id = access.add_person(&manages, &form).await.unwrap().id;
    let path = format!("/people/{id}");
    let change = |name: &'static str| {
        [
            ("version", "1"),
            ("name", name),
            ("role", "viewer"),
            ("active", "yes"),
        ]
    };
    let first = browser.send(&path, &change("First tab")).await;
    assert_eq!(first.goes_to(), format!("{path}?done=person"));
    let second = browser.send(&path, &change("Second tab")).await;
    assert_eq!(second.status, 422);
    second.says("Someone changed this meanwhile");
    assert!(second.text.contains("value=\"First tab\""));
    let door = Door::default();
    assert!(
        access
            .sign_in("ben@example.com", PASSWORD, &door)
            .await
            .is_err()
    );
}
