//! A stage with a messaging account and a desk: an end user's phone on one side, the service desk
//! on the other.

use bowline::demo::{PATIENCE, Plan, SITE, until};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{IssueId, SiteName};
use bowline_domain::messaging::delivery::Outbound;
use bowline_domain::messaging::ids::RequestRef;
use bowline_engine::shared::queue_send_again;
use bowline_sandbox::jira::{Actor, RequestField};
use bowline_sandbox::messagebird::{self, Phone};
use bowline_sandbox::phones::Line;
use bowline_sandbox::{ChannelOptions, Channels, start_channels};
use bowline_store::model::EffectView;

use crate::stage::{On, Stage};

/// The account's name in the configuration.
pub(crate) const ACCOUNT: &str = "bird";

/// The number of the end user in most tests.
pub(crate) const NOA: &str = "+15557700";

/// A stage with channels.
pub(crate) struct Talk {
    pub(crate) stage: Stage,
    pub(crate) channels: Channels,
}

impl Talk {
    /// The platforms, the channels and the service, with this in the desk besides what it needs.
    pub(crate) async fn with(on: On, change: impl FnOnce(&mut Plan), desk: &str) -> Self {
        let mut talk = Self::prepare(on, change, desk).await;
        talk.start().await;
        talk
    }

    /// With the default settings.
    pub(crate) async fn on(on: On) -> Self {
        Self::with(on, |_| (), "").await
    }

    /// The same without the service.
    pub(crate) async fn prepare(on: On, change: impl FnOnce(&mut Plan), desk: &str) -> Self {
        let stage = Stage::prepare_on(on, change).await;
        let channels = start_channels(ChannelOptions::default(), &stage.world.sandbox.neighbours)
            .await
            .unwrap();
        let config = channels.messagebird.state.config();
        let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
        let text = format!(
            "{text}\n\
             [[channel_account]]\n\
             name = \"{ACCOUNT}\"\n\
             provider = \"messagebird\"\n\
             api_url = \"{}/v1\"\n\
             access_key = \"{}\"\n\
             signing_key = \"{}\"\n\n\
             [[desk]]\n\
             name = \"support\"\n\
             account = \"{ACCOUNT}\"\n\
             site = \"{SITE}\"\n\
             service_desk = \"SUP\"\n\
             request_type = \"Get help\"\n\
             quiet_seconds = 0\n\
             {desk}\n",
            channels.messagebird.url(),
            config.access_key,
            config.signing_key,
        );
        std::fs::write(&stage.world.config_path, text).unwrap();
        Self { stage, channels }
    }

    /// An account at Meta directly, with a desk of its own.
    pub(crate) fn add_whatsapp(&self) {
        let meta = self.channels.whatsapp.state.config();
        let text = std::fs::read_to_string(&self.stage.world.config_path).unwrap();
        let text = format!(
            "{text}\n\
             [[channel_account]]\n\
             name = \"meta\"\n\
             provider = \"whatsapp\"\n\
             api_url = \"{}\"\n\
             access_key = \"{}\"\n\
             signing_key = \"{}\"\n\
             verify_token = \"a-verify-token\"\n\n\
             [[desk]]\n\
             name = \"meta-support\"\n\
             account = \"meta\"\n\
             channels = \"{}\"\n\
             site = \"{SITE}\"\n\
             service_desk = \"SUP\"\n\
             request_type = \"Get help\"\n\
             quiet_seconds = 0\n",
            self.channels.whatsapp.url(),
            meta.token,
            meta.app_secret,
            meta.phone_number_id,
        );
        std::fs::write(&self.stage.world.config_path, text).unwrap();
    }

    /// Starts the service and waits until it has registered its webhook.
    pub(crate) async fn start(&mut self) {
        self.stage.start().await;
        let registered = until(|| (!self.bird().webhook_urls().is_empty()).then_some(())).await;
        assert!(registered.is_some(), "the webhook is registered");
    }

    pub(crate) fn bird(&self) -> &messagebird::Sandbox {
        &self.channels.messagebird.state
    }

    pub(crate) fn noa(&self) -> Phone {
        self.bird().phone(NOA).named("Noa Lind")
    }

    /// An agent of the service desk.
    pub(crate) fn agent(&self) -> Actor {
        self.stage.lena()
    }

    /// The requests of the desk, oldest first, by key.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.stage.jira().requests("SUP");
        requests.into_iter().map(|issue| issue.key).collect()
    }

    /// Waits for the n-th request.
    pub(crate) async fn request(&self, number: usize) -> String {
        let found = until(|| self.requests().get(number - 1).cloned()).await;
        found.unwrap_or_else(|| panic!("request {number} came; there are {:?}", self.requests()))
    }

    /// Waits until nothing is on the way anywhere.
    pub(crate) async fn settled(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE * 2;
        loop {
            let before = self.delivered();
            tokio::time::timeout(PATIENCE, self.bird().sender().quiet())
                .await
                .expect("webhooks of the provider are delivered");
            self.stage.settled().await;
            if self.delivered() == before {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "still at work");
        }
    }

    fn delivered(&self) -> usize {
        self.bird().sender().log().len()
    }

    /// What the phone shows of what was sent to it.
    pub(crate) fn received(&self) -> Vec<String> {
        let lines = self.noa().received().into_iter();
        lines.filter_map(|line| line.text).collect()
    }

    /// Waits until the phone shows this many messages, and gives them.
    pub(crate) async fn phone_shows(&self, count: usize) -> Vec<String> {
        let shown = until(|| (self.received().len() >= count).then_some(())).await;
        assert!(shown.is_some(), "the phone shows {:?}", self.received());
        self.received()
    }

    /// A request that was answered once.
    pub(crate) async fn answered(&self) -> String {
        self.noa().writes("My router is red");
        let request = self.request(1).await;
        self.settled().await;
        self.agent().comment(&request, "Which model?").unwrap();
        self.phone_shows(1).await;
        self.settled().await;
        request
    }

    /// What the agents were told in a request.
    pub(crate) fn notes(&self, request: &str) -> Vec<String> {
        let comments = self.comments(request).into_iter();
        comments.filter(|one| one.starts_with("note: ")).collect()
    }

    /// The lines of a request's description, without who writes and when.
    pub(crate) fn description(&self, request: &str) -> Vec<String> {
        let issue = self.stage.jira().issue(request).unwrap();
        let text = issue
            .description
            .map(|body| plain(&body))
            .unwrap_or_default();
        said(&text)
    }

    /// The comments of a request: who wrote each, whether it is internal, and what it says. Those of
    /// Bowline are the end user's, or notes for agents.
    pub(crate) fn comments(&self, request: &str) -> Vec<String> {
        let issue = self.stage.jira().issue(request).unwrap();
        let comments = issue.comments.values();
        comments
            .map(|comment| {
                let text = plain(&comment.body);
                let by_us = comment.author.name == "bowline-bot";
                match (by_us, comment.is_internal()) {
                    (true, false) => format!("Noa: {}", said(&text).join(" / ")),
                    (true, true) => format!("note: {text}"),
                    (false, false) => format!("agent: {text}"),
                    (false, true) => format!("internal: {text}"),
                }
            })
            .collect()
    }

    /// What the provider was given to send, in the order of its coming.
    pub(crate) fn sent(&self) -> Vec<Line> {
        let lines = self.bird().lines().into_iter();
        lines.filter(|line| line.by_api).collect()
    }

    pub(crate) fn is_open(&self, conversation: &str) -> bool {
        let found = self.bird().conversation(conversation).unwrap();
        found.status == messagebird::Status::Active
    }

    /// The files of a request.
    pub(crate) fn files(&self, request: &str) -> Vec<(String, Vec<u8>)> {
        let issue = self.stage.jira().issue(request).unwrap();
        let files = issue.attachments.values();
        files
            .map(|file| (file.file_name.clone(), file.content.to_vec()))
            .collect()
    }

    /// What is kept of the messages to the end user of a request.
    pub(crate) async fn outbound(&self, request: &str) -> Vec<Outbound> {
        let whose = self.whose(request, SITE).await;
        self.stage.store().outbounds(&whose).await.unwrap()
    }

    /// The conversation of a request at a site.
    pub(crate) async fn whose(&self, request: &str, site: &str) -> RequestRef {
        let issue = self.stage.jira().issue(request).unwrap().id.to_string();
        let store = self.stage.store();
        let (site, issue) = (SiteName::new(site), IssueId::new(issue));
        let found = store.talk_of_issue(&site, &issue).await;
        found.unwrap().unwrap().whose
    }

    /// The request type gets a field that nothing fills.
    pub(crate) fn require_impact(&self) {
        let field = RequestField::text("customfield_10099", "Impact", true);
        self.stage
            .jira()
            .set_request_field("SUP", "Get help", field);
    }

    /// Every effect, oldest event first.
    pub(crate) async fn effects(&self) -> Vec<EffectView> {
        let mut all = Vec::new();
        for event in self.stage.events().await {
            all.extend(self.stage.store().effects_of(event.event.id).await.unwrap());
        }
        all
    }

    /// Waits until the provider has nothing more to deliver.
    pub(crate) async fn bird_quiet(&self) {
        tokio::time::timeout(PATIENCE, self.bird().sender().quiet())
            .await
            .expect("webhooks of the provider are delivered");
    }

    /// What waits for Jira is due now, as after a connection was mended.
    pub(crate) async fn hasten(&self) {
        let shared = self.stage.service().shared();
        let site = Connection::Site(SiteName::new(SITE));
        shared.store.hasten(&site, shared.now()).await.unwrap();
    }

    /// A person has a message sent again.
    pub(crate) async fn send_again(&self, request: &str, number: usize) {
        let key = self.outbound(request).await[number].key.clone();
        let shared = self.stage.service().shared();
        queue_send_again(&shared.store, &key, (shared.now(), 7))
            .await
            .unwrap();
    }
}

/// Waits until `look` finds something.
pub(crate) async fn until_async<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// What a text of Jira's says.
fn plain(body: &bowline_sandbox::jira::Body) -> String {
    bowline_text::plain::write(&bowline_text::adf::read(body.as_adf()))
}

/// What stands behind the times.
fn said(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .skip(1)
        .map(|line| match line.split_once(" UTC] ") {
            Some((_, said)) => said.to_owned(),
            None => line.to_owned(),
        })
        .collect()
}

impl Drop for Talk {
    /// Whatever a test does: no internal text of Jira's is in anything that was sent to a channel.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.channels.leaks(self.stage.jira());
            assert!(leaks.is_empty(), "internal text was sent: {leaks:?}");
        }
    }
}
