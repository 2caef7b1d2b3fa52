//! The ways in which a site or a workspace is connected on pages, beside a pasted token.

use url::Url;

use crate::browser::Browser;
use crate::configuring::{ALLOWED, bare, form, intercom_form, jira_form, named, send};
use crate::connections::becomes;
use crate::stage::{On, Stage};

#[tokio::test]
async fn intercom_is_connected_by_a_teammates_consent() {
    let stage = bare(On::Sqlite, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let intercom = stage.world.sandbox.intercom.url();
    let config = stage.intercom().config();
    let typed = form(&[
        ("client_id", &config.client_id),
        ("client_secret", &config.client_secret),
        ("api_url", &intercom),
        ("authorize_url", &format!("{intercom}/oauth")),
    ]);
    let page = send(&mut browser, "/connections/add/consent", &typed).await;
    let place = page.goes_to().to_owned();
    assert_eq!(place, "/connections/workspace/intercom");
    let page = browser.get(&place).await;
    page.says("No teammate gave their consent");
    let (_, rest) = page
        .text
        .split_once("class=\"button main\" href=\"")
        .unwrap();
    let address = rest.split('"').next().unwrap().replace("&#38;", "&");
    let address = Url::parse(&address).unwrap();
    let asked = |name: &str| {
        let found = address.query_pairs().find(|(known, _)| known == name);
        found.unwrap().1.into_owned()
    };
    assert_eq!(asked("client_id"), config.client_id);
    let back = asked("redirect_uri");
    assert_eq!(back, stage.url(&format!("{place}/back")));
    // The app knows no such return address yet.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let refused = client.get(address.clone()).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    stage.intercom().register_redirect(&back);
    let shown = client.get(address.clone()).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    let given = form(&[
        ("client_id", &asked("client_id")),
        ("state", &asked("state")),
        ("redirect_uri", &back),
    ]);
    let given = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(given)
        .finish();
    let consent = async || {
        let answer = client
            .post(format!("{intercom}/oauth"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(given.clone())
            .send()
            .await
            .unwrap();
        let to = answer.headers()["location"].to_str().unwrap().to_owned();
        to.strip_prefix(&stage.url("")).unwrap().to_owned()
    };
    // Someone else's browser cannot hand it in.
    let stolen = consent().await;
    let mut other = Browser::signed_in(&stage, "administrator").await;
    let page = other.get(&stolen).await;
    assert_eq!(page.status, 422);
    page.says("does not belong to what this browser asked for");
    assert!(stage.service().settings().config().workspaces.is_empty());
    // Nor one without a code.
    let page = browser
        .get(&format!("{place}/back?state={}", asked("state")))
        .await;
    page.says("the consent was not given");

    let back = consent().await;
    assert!(back.contains("code=") && back.contains("%3D"), "{back}");
    let page = browser.get(&back).await;
    assert_eq!(
        page.goes_to(),
        format!("{place}?done=connected"),
        "{}",
        page.words()
    );
    becomes(&stage, "workspace", "connected").await;
    // A code, and a state, are good once.
    let page = browser.get(&back).await;
    assert_eq!(page.status, 422);
    page.says("was used already");
}

#[tokio::test]
async fn a_token_with_scopes_is_recognised() {
    let mut stage = Stage::prepare(|plan| plan.jira.users[0].scoped_token = true).await;
    let gateway = format!(
        "{ALLOWED}\natlassian_api_url = \"{}\"",
        stage.world.sandbox.jira.url()
    );
    stage.start_bare(&gateway).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let made = send(&mut browser, "/connections/add/site", &jira_form(&stage)).await;
    let site = named(&made);
    let config = stage.service().settings().config();
    let path = config.sites[0].api_url.path();
    assert!(path.starts_with("/ex/jira/"), "{path}");
    becomes(&stage, "site", "connected").await;
    // This account may not register webhooks: it is shown what to enter.
    let page = browser.get(&format!("/connections/site/{site}")).await;
    let hook = stage.url(&format!("/hooks/jira/{site}"));
    assert!(page.text.contains(&hook) && page.text.contains("id=\"hook-secret\""));
    let form = form(&[]);
    let page = send(
        &mut browser,
        &format!("/connections/site/{site}/hook"),
        &form,
    )
    .await;
    page.says("A Jira administrator enters what stands here");
}

#[tokio::test]
async fn data_center_is_connected_by_its_token_alone() {
    let mut stage = Stage::prepare(|plan| {
        *plan = plan.clone().data_center();
        plan.jira.users[0].admin = true;
    })
    .await;
    stage.start_bare(ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let mut typed = jira_form(&stage);
    let page = send(&mut browser, "/connections/add/site", &typed).await;
    page.says("This is Jira Data Center, where the token stands for itself");
    typed[1].1 = String::new();
    let site = named(&send(&mut browser, "/connections/add/site", &typed).await);
    let page = send(
        &mut browser,
        "/connections/add/workspace",
        &intercom_form(&stage),
    )
    .await;
    let workspace = named(&page);
    let join = form(&[
        ("site", &site),
        ("project", "eng"),
        ("workspace", &workspace),
    ]);
    let joined = send(&mut browser, "/bindings", &join).await;
    assert_eq!(joined.status, 303, "{}", joined.words());
    let (_, conversation) = stage.linked().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
}
