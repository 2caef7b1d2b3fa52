//! Telling people that a connection broke, and that it works again: by webhook and by letter, while
//! receivers are away and through the death of the process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bowline::demo::until;
use bowline_sandbox::mail::{Behaviour, Config, MailServer};
use serde_json::Value;

use crate::browser::Browser;
use crate::connections::becomes;
use crate::process::Serving;
use crate::stage::{On, Stage, on_both};

on_both!(
    each_receiver_is_told_by_itself_and_once,
    what_could_not_be_told_outlives_a_restart_and_is_told_in_order,
    a_killed_process_loses_no_alert_and_names_it_the_same
);

/// A receiver of the webhook.
#[derive(Clone, Default)]
pub(crate) struct Listener {
    behaviour: Arc<Mutex<Listening>>,
    /// What came, with the name in the header; what was refused as well.
    came: Arc<Mutex<Vec<(Value, String)>>>,
    missed: Arc<Mutex<Vec<Value>>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Listening {
    #[default]
    Takes,
    Away,
    /// Takes it and does not say so.
    Silent,
}

impl Listener {
    pub(crate) async fn start() -> (String, Self) {
        let listener = Self::default();
        let kept = listener.clone();
        let take = move |headers: HeaderMap, body: String| {
            let kept = kept.clone();
            async move {
                let value: Value = serde_json::from_str(&body).unwrap();
                let behaviour = *kept.behaviour.lock().unwrap();
                if behaviour == Listening::Away {
                    kept.missed.lock().unwrap().push(value);
                    return StatusCode::SERVICE_UNAVAILABLE;
                }
                let name = headers["idempotency-key"].to_str().unwrap().to_owned();
                kept.came.lock().unwrap().push((value, name));
                if behaviour == Listening::Silent {
                    std::future::pending::<()>().await;
                }
                StatusCode::OK
            }
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told", socket.local_addr().unwrap());
        let router = Router::new().route("/told", post(take));
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        (url, listener)
    }

    fn behave(&self, behaviour: Listening) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    async fn missed(&self, count: usize) {
        let missed = || (self.missed.lock().unwrap().len() >= count).then_some(());
        assert!(until(missed).await.is_some(), "it was not tried");
    }

    fn all(&self) -> Vec<Value> {
        let came = self.came.lock().unwrap();
        came.iter().map(|(value, _)| value.clone()).collect()
    }

    pub(crate) async fn told(&self, count: usize) -> Vec<Value> {
        let told = || (self.all().len() >= count).then_some(());
        assert!(until(told).await.is_some(), "nobody was told");
        self.all()
    }
}

async fn letters(server: &MailServer, count: usize) {
    let came = || (server.letters().len() >= count).then_some(());
    assert!(until(came).await.is_some(), "no letter came");
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The part of the configuration that names receivers.
pub(crate) fn receivers(
    webhook: Option<&str>,
    mail: Option<(&MailServer, &str)>,
) -> (String, String) {
    let webhook = webhook.map_or_else(String::new, |url| {
        format!("alert_webhook_url = \"{url}\"\n")
    });
    let mail = mail.map_or_else(String::new, |(server, to)| {
        format!(
            "[alert_mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"Bowline <bowline@example.com>\"\nto = [{to}]\n\n",
            server.addr.port()
        )
    });
    (webhook, mail)
}

pub(crate) fn configure(stage: &Stage, (webhook, mail): &(String, String)) {
    stage.edit_config("public_url = ", &format!("{webhook}public_url = "));
    let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
    let (before, after) = text.split_once("[[site]]").unwrap();
    let text = format!("{before}{mail}[[site]]{after}");
    std::fs::write(&stage.world.config_path, text).unwrap();
}

async fn breaks(stage: &Stage) {
    stage.intercom().revoke_token();
    stage.service().shared().probe_now();
    becomes(stage, "workspace", "broken").await;
}

async fn is_mended(stage: &Stage) {
    let token = stage.intercom().config().access_token.clone();
    stage.intercom().set_token(&token);
    stage.service().shared().probe_now();
    becomes(stage, "workspace", "connected").await;
}

/// Waits until nobody is being told any more, and gives the states by receiver, the latest first.
async fn told_to(stage: &Stage) -> Vec<(String, &'static str)> {
    let store = stage.store();
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    loop {
        let alerts = store.alerts(None, 100).await.unwrap();
        let sends = alerts.into_iter().flat_map(|alert| alert.sends);
        let all: Vec<(String, &str)> = sends
            .map(|send| (send.receiver, send.state.as_str()))
            .collect();
        if all.iter().all(|(_, state)| *state != "waiting") {
            return all;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "still told: {all:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn each_receiver_is_told_by_itself_and_once(on: On) {
    let server = MailServer::start(any(), Config::default()).await.unwrap();
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    let to = "\"ops@example.com\", \"Lena <lena@example.com>\"";
    configure(&stage, &receivers(Some(&url), Some((&server, to))));
    stage.start().await;
    let (issue, _) = stage.linked().await;
    // The webhook's receiver is away; nobody else waits for it.
    listener.behave(Listening::Away);
    breaks(&stage).await;
    for number in 0..2 {
        let words = format!("Comment {number}.");
        stage.lena().comment(&issue, words.as_str()).unwrap();
        stage.jira().sender().quiet().await;
    }
    letters(&server, 2).await;
    listener.missed(1).await;
    let got = server.letters();
    let mut to: Vec<&str> = got.iter().map(|letter| letter.to[0].as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["lena@example.com", "ops@example.com"]);
    let ids: Vec<_> = got
        .iter()
        .map(|letter| letter.header("Message-ID"))
        .collect();
    assert_ne!(ids[0], ids[1]);
    let letter = &got[0];
    assert_eq!(
        letter.header("Subject").unwrap(),
        "Bowline: The connection “acme” to Intercom does not work"
    );
    assert_eq!(letter.header("Auto-Submitted").unwrap(), "auto-generated");
    let body = letter.body();
    let page = stage.url("/connections/workspace/acme");
    for part in [
        "What happened: Intercom refuses the access token",
        "What it means: nothing is lost.",
        "Who can mend it: An Intercom administrator",
        "configuration file",
        "/connections/workspace/acme",
    ] {
        assert!(body.contains(part), "{part} ({page}) is not in {body}");
    }
    listener.behave(Listening::Takes);
    listener.told(1).await;
    is_mended(&stage).await;
    let told = listener.told(2).await;
    letters(&server, 4).await;
    assert_eq!(
        (&told[0]["kind"], &told[1]["kind"]),
        (&"broken".into(), &"mended".into())
    );
    assert_eq!(told[1]["works"], true);
    let names: Vec<String> = {
        let came = listener.came.lock().unwrap();
        came.iter().map(|(_, name)| name.clone()).collect()
    };
    assert_eq!(told[0]["id"], names[0].as_str());
    assert_ne!(names[0], names[1]);
    let states = told_to(&stage).await;
    assert_eq!(states.len(), 6);
    assert!(
        states.iter().all(|(_, state)| *state == "delivered"),
        "{states:?}"
    );
    assert_eq!(
        (listener.all().len(), server.letters().len()),
        (2, 4),
        "once each"
    );
}

async fn what_could_not_be_told_outlives_a_restart_and_is_told_in_order(on: On) {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare_on(on, |_| ()).await;
    configure(&stage, &receivers(Some(&url), None));
    stage.start().await;
    becomes(&stage, "workspace", "connected").await;
    listener.behave(Listening::Away);
    breaks(&stage).await;
    listener.missed(1).await;
    stage.stop().await;
    stage.start().await;
    is_mended(&stage).await;
    let news = |count| {
        let store = stage.store();
        async move {
            let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
            while store.alerts(None, 10).await.unwrap().len() < count {
                assert!(tokio::time::Instant::now() < deadline, "it is no news");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    };
    news(2).await;
    breaks(&stage).await;
    news(3).await;
    listener.behave(Listening::Takes);
    let told = listener.told(3).await;
    let kinds: Vec<&str> = told
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["broken", "mended", "broken"]);
    assert_eq!(told_to(&stage).await.len(), 3);
    assert_eq!(listener.all().len(), 3);
}

async fn a_killed_process_loses_no_alert_and_names_it_the_same(on: On) {
    let server = MailServer::start(any(), Config::default()).await.unwrap();
    let (url, listener) = Listener::start().await;
    let stage = Stage::prepare_on(on, |_| ()).await;
    configure(
        &stage,
        &receivers(Some(&url), Some((&server, "\"ops@example.com\""))),
    );
    let mut serving = Serving::connected(&stage).await;
    // Both receivers get it and do not say so before the process dies.
    listener.behave(Listening::Silent);
    server.behave(Behaviour::Silent);
    stage.intercom().revoke_token();
    let conversation = stage.conversation();
    stage.issue(stage.address(&conversation).as_str());
    listener.told(1).await;
    letters(&server, 1).await;
    serving.kill().await;
    listener.behave(Listening::Takes);
    server.behave(Behaviour::Takes);
    let mut again = Serving::start(&stage).await;
    let told = listener.told(2).await;
    letters(&server, 2).await;
    assert_eq!(told[0], told[1], "the same by the same name");
    let got = server.letters();
    assert_eq!(got[0].text, got[1].text, "the same by the same name");
    again.kill().await;
}

#[tokio::test]
async fn what_is_mended_at_once_is_no_news() {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare(|_| ()).await;
    configure(&stage, &receivers(Some(&url), None));
    stage.start().await;
    becomes(&stage, "workspace", "connected").await;
    breaks(&stage).await;
    is_mended(&stage).await;
    // What comes after it is told; that was not.
    let script = crate::api::Script::new(&stage, "administrator", &["settings"]).await;
    let made = script
        .call("POST", "/api/v1/alerts/test", None, "t-1")
        .await;
    assert_eq!(made.status, 202, "{}", made.body);
    let told = listener.told(1).await;
    assert_eq!(told[0]["kind"], "test");
    breaks(&stage).await;
    let told = listener.told(2).await;
    assert_eq!(told[1]["kind"], "broken");
    let since: jiff::Timestamp = told[1]["since"].as_str().unwrap().parse().unwrap();
    let tested: jiff::Timestamp = told[0]["at"].as_str().unwrap().parse().unwrap();
    assert!(since > tested, "it is the second break that is told");
}

#[tokio::test]
async fn what_only_a_look_shows_breaks_the_connection_and_is_told() {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare(|_| ()).await;
    configure(&stage, &receivers(Some(&url), None));
    stage.start().await;
    stage.linked().await;
    becomes(&stage, "workspace", "connected").await;
    // A permission is taken away, and nobody writes anything.
    stage.intercom().set_conversations_forbidden(true);
    stage.service().shared().probe_now();
    let reason = becomes(&stage, "workspace", "broken").await;
    assert!(reason.contains("read_conversations"), "{reason}");
    let told = listener.told(1).await;
    assert!(
        told[0]["text"]
            .as_str()
            .unwrap()
            .contains("permission was taken away")
    );
    stage.intercom().set_conversations_forbidden(false);
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "connected").await;
    listener.told(2).await;
    // The subscription ends.
    stage.intercom().set_plan_restricted(true);
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "limited").await;
    let told = listener.told(3).await;
    assert_eq!(told[2]["health"], "limited");
    stage.intercom().set_plan_restricted(false);
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "connected").await;
    listener.told(4).await;
    // The teammate as whom we write is removed.
    let bot = stage.intercom().config().admins[0].id.clone();
    stage.intercom().remove_admin(&bot);
    stage.service().shared().probe_now();
    becomes(&stage, "workspace", "broken").await;
    let told = listener.told(5).await;
    assert!(told[4]["text"].as_str().unwrap().contains(&bot));
}

#[tokio::test]
async fn a_declared_token_that_ends_soon_is_told() {
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare(|_| ()).await;
    configure(&stage, &receivers(Some(&url), None));
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let soon = today.checked_add(jiff::Span::new().days(3)).unwrap();
    stage.edit_config(
        "\ntoken = ",
        &format!("\ntoken_ends_on = \"{soon}\"\ntoken = "),
    );
    stage.start().await;
    let told = listener.told(1).await;
    assert_eq!(
        (&told[0]["health"], &told[0]["connection"]),
        (&"ends_soon".into(), &"site/acme-jira".into())
    );
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        text.contains(&soon.to_string()) && text.contains("configuration file"),
        "{text}"
    );
}

#[tokio::test]
async fn administrators_see_who_was_told_and_send_a_test() {
    let server = MailServer::start(any(), Config::default()).await.unwrap();
    server.behave(Behaviour::Refuses(550));
    let (url, listener) = Listener::start().await;
    let mut stage = Stage::prepare(|_| ()).await;
    configure(
        &stage,
        &receivers(Some(&url), Some((&server, "\"gone@example.com\""))),
    );
    stage.start().await;
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    let page = browser.get("/alerts").await;
    page.says("gone@example.com");
    page.says("Nothing yet.");
    assert!(
        !page.text.contains("/told"),
        "the address may hold a secret"
    );
    let sent = browser.send("/alerts/test", &[]).await;
    assert_eq!(sent.goes_to(), "/alerts?done=alert-test");
    listener.told(1).await;
    told_to(&stage).await;
    let page = browser.get("/alerts").await;
    page.says("Bowline: a test alert");
    page.says("given up");
    page.says("no letters for gone@example.com");
    let script = crate::api::Script::new(&stage, "owner", &["settings"]).await;
    let list = script.get("/api/v1/alerts").await;
    let sends = &list.body["items"][0]["receivers"];
    assert_eq!(
        (
            &sends[0]["receiver"],
            &sends[0]["state"],
            &sends[1]["state"]
        ),
        (
            &"mail:gone@example.com".into(),
            &"given_up".into(),
            &"delivered".into()
        )
    );
    // The same name, the same test.
    let first = script
        .call("POST", "/api/v1/alerts/test", None, "t-1")
        .await;
    let second = script
        .call("POST", "/api/v1/alerts/test", None, "t-1")
        .await;
    assert_eq!(first.body["id"], second.body["id"]);
    listener.told(2).await;
    told_to(&stage).await;
    assert_eq!(listener.all().len(), 2);
    let viewer = crate::api::Script::new(&stage, "viewer", &["read"]).await;
    assert_eq!(viewer.get("/api/v1/alerts").await.status, 403);
    let mut agent = Browser::signed_in(&stage, "agent").await;
    assert_eq!(agent.get("/alerts").await.status, 403);
}
