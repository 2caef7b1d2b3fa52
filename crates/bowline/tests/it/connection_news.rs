//! What people are told of a connection that was made on pages: that it broke, that it works again, and
//! that its token ends soon.

use serde_json::json;

use crate::alerts::Listener;
use crate::browser::Browser;
use crate::configuring::{ALLOWED, connected, form, jira_form, named, send, version};
use crate::connections::becomes;
use crate::stage::Stage;

/// An installation in which nothing is declared but who is told, and its owner's browser.
async fn watched() -> (Stage, Listener, Browser) {
    let mut stage = Stage::prepare(|_| ()).await;
    let (url, told) = Listener::start().await;
    stage
        .start_bare(&format!("{ALLOWED}\nalert_webhook_url = \"{url}\""))
        .await;
    let browser = Browser::signed_in(&stage, "owner").await;
    (stage, told, browser)
}

#[tokio::test]
async fn people_are_told_once_when_a_connection_breaks_and_once_when_it_works_again() {
    let (mut stage, told, mut browser) = watched().await;
    connected(&stage, &mut browser).await;
    becomes(&stage, "workspace", "connected").await;
    stage.intercom().revoke_token();
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "broken").await;
    assert_eq!(told.told(1).await.len(), 1);
    stage.stop().await;
    stage.start().await;
    becomes(&stage, "workspace", "broken").await;
    let token = stage.intercom().config().access_token.clone();
    stage.intercom().set_token(&token);
    becomes(&stage, "workspace", "connected").await;
    let told = told.told(2).await;
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[0]["works"], &told[1]["works"]),
        (&json!(false), &json!(true))
    );
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        text.contains("does not work") && text.contains("Developer Hub"),
        "{text}"
    );
    assert!(
        told[0]["connection"]
            .as_str()
            .unwrap()
            .starts_with("workspace/")
    );
}

#[tokio::test]
async fn a_token_that_ends_soon_is_a_problem_and_told_once() {
    let (stage, told, mut browser) = watched().await;
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let soon = today.checked_add(jiff::Span::new().days(3)).unwrap();
    let mut typed = jira_form(&stage);
    typed.push(("token_ends_on".to_owned(), soon.to_string()));
    let site = named(&send(&mut browser, "/connections/add/site", &typed).await);
    browser
        .get("/problems")
        .await
        .says(&format!("the token ends on {soon}, in 3 days"));
    let first = told.told(1).await;
    assert_eq!((first.len(), &first[0]["health"]), (1, &json!("ends_soon")));
    // The day alone is changed without the token, which nobody can read again.
    let place = format!("/connections/site/{site}");
    let credentials = format!("{place}/credentials");
    let with = |typed: &[(String, String)], changed: &[(&str, &str)]| {
        let mut typed = typed.to_vec();
        typed.retain(|(name, _)| !changed.iter().any(|(known, _)| known == name));
        typed.extend(form(changed));
        typed
    };
    let second = today
        .checked_add(jiff::Span::new().days(4))
        .unwrap()
        .to_string();
    let from = version(&browser.get(&place).await);
    let day = with(
        &typed,
        &[
            ("token", ""),
            ("token_ends_on", &second),
            ("version", &from),
        ],
    );
    // But it is sent to no other address.
    let url = ("url", "http://127.0.0.1:1");
    let refused = send(&mut browser, &credentials, &with(&day, &[url])).await;
    assert_eq!(refused.status, 422);
    refused.says("the present one is sent to no other address");
    let saved = send(&mut browser, &credentials, &day).await;
    assert_eq!(saved.goes_to(), format!("{place}?done=reconnected"));
    browser
        .get("/problems")
        .await
        .says(&format!("the token ends on {second}, in 4 days"));
    // A new token does not end on the day of the old one, unless somebody says that it does.
    let from = version(&browser.get(&place).await);
    let both = with(&typed, &[("token_ends_on", &second), ("version", &from)]);
    let asked = send(&mut browser, &credentials, &both).await;
    assert_eq!(asked.status, 422);
    asked.says("the token that is replaced ends on this day");
    let same = format!("name=\"same_end\" value=\"{second}\"");
    assert!(asked.text.contains(&same), "{}", asked.text);
    let sure = with(&both, &[("same_end", &second)]);
    let saved = send(&mut browser, &credentials, &sure).await;
    assert_eq!(saved.goes_to(), format!("{place}?done=reconnected"));
    // A new token, and the day of its end.
    let later = today.checked_add(jiff::Span::new().days(300)).unwrap();
    typed.retain(|(name, _)| name != "token_ends_on");
    typed.push(("token_ends_on".to_owned(), later.to_string()));
    typed.push(("version".to_owned(), version(&browser.get(&place).await)));
    let saved = send(&mut browser, &credentials, &typed).await;
    assert_eq!(saved.goes_to(), format!("{place}?done=reconnected"));
    let told = told.told(2).await;
    assert_eq!((told.len(), &told[1]["works"]), (2, &json!(true)));
    let page = browser.get("/problems").await;
    assert!(!page.text.contains("The token of"), "{}", page.words());
}
