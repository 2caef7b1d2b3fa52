//! A world with the service in it, and how tests look at it.

use std::net::SocketAddr;
use std::sync::Arc;

use bowline::demo::{Plan, SITE, WEBHOOK_SECRET, WORKSPACE, World, until};
use bowline::service::Service;
use bowline_domain::ids::{ConversationId, EventId};
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::common::sign::{hmac_sha1_hex, hmac_sha256_hex};
use bowline_sandbox::intercom::{ConversationState, NewContact};
use bowline_sandbox::jira::{Actor, Body};
use bowline_sandbox::{intercom, jira};
use bowline_store::Store;
use bowline_store::model::{EventFilter, EventView, LinkFilter, LinkView};
use serde_json::Value;
use tempfile::TempDir;

/// The summary of issues that tests make.
pub(crate) const SUMMARY: &str = "Export button does nothing";

/// Where the service keeps its state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

impl On {
    /// A new database, if it is not the file that the service makes itself.
    pub(crate) fn database(self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(
                bowline_store::testing::Cluster::shared()
                    .database()
                    .unwrap(),
            ),
        }
    }
}

/// Makes each of these functions a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::stage::On::Sqlite).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::stage::On::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// A world, its service, and one customer.
pub(crate) struct Stage {
    pub(crate) world: World,
    service: Option<Service>,
    contact: String,
    connected: bool,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// The platforms without the service.
    pub(crate) async fn prepare(change: impl FnOnce(&mut Plan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = Plan::new(folder.path());
        plan.listen = bowline_sandbox::common::lasting_address();
        plan.intercom.webhook_retry_ms = 200;
        change(&mut plan);
        let world = World::prepare(plan).await.unwrap();
        let contact = world
            .sandbox
            .intercom
            .state
            .create_contact(NewContact::user("Noa Lind", "noa@example.com"))
            .unwrap();
        Self {
            world,
            service: None,
            contact,
            connected: false,
            folder,
        }
    }

    /// The platforms and the service.
    pub(crate) async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut stage = Self::prepare(change).await;
        stage.start().await;
        stage
    }

    /// The platforms and the service, with its state there.
    pub(crate) async fn on(on: On, change: impl FnOnce(&mut Plan)) -> Self {
        let mut stage = Self::prepare_on(on, change).await;
        stage.start().await;
        stage
    }

    /// The platforms without the service, whose state will be there.
    pub(crate) async fn prepare_on(on: On, change: impl FnOnce(&mut Plan)) -> Self {
        Self::prepare(|plan| {
            change(plan);
            plan.database_url = on.database();
        })
        .await
    }

    /// Cloud with the default rules.
    pub(crate) async fn cloud() -> Self {
        Self::with(|_| ()).await
    }

    /// Data Center with the default rules.
    pub(crate) async fn data_center() -> Self {
        Self::with(|plan| *plan = plan.clone().data_center()).await
    }

    /// Cloud with this in the binding.
    pub(crate) async fn binding(binding: &str) -> Self {
        Self::with(|plan| binding.clone_into(&mut plan.binding)).await
    }

    /// Starts the service, and the first time connects the webhooks to it.
    pub(crate) async fn start(&mut self) {
        let config = self.world.config().unwrap();
        let service = Service::start(&config, Arc::new(String::new))
            .await
            .unwrap();
        if !std::mem::replace(&mut self.connected, true) {
            self.world.connect_webhooks(service.addr).await.unwrap();
        }
        self.service = Some(service);
    }

    /// Starts the service with nothing declared but where it is, and this at the top of the file.
    pub(crate) async fn start_bare(&mut self, top: &str) {
        let path = &self.world.config_path;
        let whole = std::fs::read_to_string(path).unwrap();
        let (bare, _) = whole.split_once("[[site]]").unwrap();
        std::fs::write(path, format!("{bare}{top}\n")).unwrap();
        self.connected = true;
        self.start().await;
    }

    /// Stops the service in the orderly way.
    pub(crate) async fn stop(&mut self) {
        self.service.take().unwrap().stop().await;
    }

    /// Has the service take the configuration file as it is now.
    pub(crate) async fn configure(&self) {
        self.service()
            .configure(&self.world.config().unwrap())
            .await
            .unwrap();
    }

    /// Replaces a piece of the configuration file.
    pub(crate) fn edit_config(&self, from: &str, to: &str) {
        let path = &self.world.config_path;
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.service().addr
    }

    pub(crate) fn store(&self) -> Store {
        self.service().shared().store.clone()
    }

    pub(crate) fn intercom(&self) -> &intercom::Sandbox {
        &self.world.sandbox.intercom.state
    }

    pub(crate) fn jira(&self) -> &jira::Sandbox {
        &self.world.sandbox.jira.state
    }

    pub(crate) fn priya(&self) -> Actor {
        self.jira().acting("priya")
    }

    pub(crate) fn lena(&self) -> Actor {
        self.jira().acting("lena")
    }

    pub(crate) fn omar(&self) -> Actor {
        self.jira().acting("omar")
    }

    /// A teammate who is not the one that Bowline writes as.
    pub(crate) fn teammate(&self) -> String {
        self.intercom().config().admins[1].id.clone()
    }

    pub(crate) fn conversation(&self) -> String {
        self.intercom()
            .create_conversation(&self.contact, "The export button does nothing.")
            .unwrap()
    }

    pub(crate) fn address(&self, conversation: &str) -> String {
        self.intercom().conversation_address(conversation)
    }

    /// Priya creates an issue in ENG.
    pub(crate) fn issue(&self, description: impl Into<Body>) -> String {
        self.priya().create("ENG", SUMMARY, description).unwrap()
    }

    /// An issue with a new conversation in its description, after the note about it came.
    pub(crate) async fn linked(&self) -> (String, String) {
        let conversation = self.conversation();
        let issue = self.issue(self.address(&conversation).as_str());
        self.note(&conversation, &["created ", &issue]).await;
        (issue, conversation)
    }

    /// The notes of a conversation as lines of text.
    pub(crate) fn texts(&self, conversation: &str) -> Vec<String> {
        self.intercom()
            .notes(conversation)
            .iter()
            .map(|note| readable(&note.body))
            .collect()
    }

    /// Waits for a note with all these parts in its text, and gives its text.
    pub(crate) async fn note(&self, conversation: &str, parts: &[&str]) -> String {
        let holds = |text: &String| parts.iter().all(|part| text.contains(part));
        let found = until(|| self.texts(conversation).into_iter().find(holds)).await;
        found.unwrap_or_else(|| {
            panic!(
                "no note with {parts:?} came; there are {:#?}",
                self.texts(conversation)
            )
        })
    }

    /// Waits until all is done, then compares all notes of a conversation.
    #[track_caller]
    pub(crate) fn expect_notes(
        &self,
        conversation: &str,
        expected: &[&str],
    ) -> impl Future<Output = ()> + use<'_> {
        let expected: Vec<String> = expected.iter().map(|&text| text.to_owned()).collect();
        let conversation = conversation.to_owned();
        let caller = std::panic::Location::caller();
        async move {
            self.settled().await;
            assert_eq!(self.texts(&conversation), expected, "at {caller}");
        }
    }

    pub(crate) fn state(&self, conversation: &str) -> ConversationState {
        self.intercom().state(conversation).unwrap()
    }

    /// Waits until the conversation is in this state.
    pub(crate) async fn becomes(&self, conversation: &str, state: ConversationState) {
        let seen = until(|| (self.state(conversation) == state).then_some(())).await;
        assert!(
            seen.is_some(),
            "it is {:?}, not {state:?}",
            self.state(conversation)
        );
    }

    /// Waits until nothing is on the way in either direction and nothing waits in the queues.
    pub(crate) async fn settled(&self) {
        let store = self.store();
        let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE * 2;
        loop {
            self.quiet().await;
            let before = self.delivered();
            let backlog = store.backlog().await.unwrap();
            self.quiet().await;
            if backlog.events + backlog.effects == 0 && self.delivered() == before {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "still at work: {backlog:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    async fn quiet(&self) {
        let both = async {
            self.jira().sender().quiet().await;
            self.intercom().sender().quiet().await;
        };
        tokio::time::timeout(bowline::demo::PATIENCE, both)
            .await
            .expect("webhooks are delivered");
    }

    fn delivered(&self) -> usize {
        self.jira().sender().log().len() + self.intercom().sender().log().len()
    }

    /// Webhooks of Jira wait until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.jira().disturb(Disturbance {
            hold: true,
            ..Disturbance::default()
        });
    }

    pub(crate) fn release(&self) {
        self.jira().disturb(Disturbance::default());
    }

    /// Live links of an issue: the conversations.
    pub(crate) async fn links(&self, issue: &str) -> Vec<String> {
        let all = self.all_links(issue).await;
        all.into_iter()
            .filter(|view| view.link.live)
            .map(|view| view.link.conversation.to_string())
            .collect()
    }

    /// All links of an issue, ended ones too.
    pub(crate) async fn all_links(&self, issue: &str) -> Vec<LinkView> {
        let issue = self
            .jira()
            .issue(issue)
            .map_or_else(|| issue.to_owned(), |issue| issue.id.to_string());
        let filter = LinkFilter {
            issue: Some(issue),
            ended: true,
            limit: 100,
            ..LinkFilter::default()
        };
        self.store().links(&filter).await.unwrap()
    }

    /// All links of a conversation.
    pub(crate) async fn links_of(&self, conversation: &str) -> Vec<LinkView> {
        let conversation = Some(ConversationId::new(conversation));
        let filter = LinkFilter {
            conversation,
            ended: true,
            limit: 100,
            ..LinkFilter::default()
        };
        self.store().links(&filter).await.unwrap()
    }

    /// Events, oldest first.
    pub(crate) async fn events(&self) -> Vec<EventView> {
        let filter = EventFilter {
            limit: 1_000,
            ..EventFilter::default()
        };
        let mut events = self.store().events(&filter).await.unwrap();
        events.reverse();
        events
    }

    /// Waits until an event is no longer waiting.
    pub(crate) async fn decided(&self, event: i64) -> EventView {
        let store = self.store();
        let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
        loop {
            let view = store.event(EventId(event)).await.unwrap().unwrap();
            if view.state != bowline_store::model::EventState::Waiting {
                return view;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "the event still waits"
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Every reason that an event ended with, by its code.
    pub(crate) async fn reasons(&self) -> Vec<&'static str> {
        let events = self.events().await;
        let outcomes = events.iter().filter_map(|view| view.outcome.as_ref());
        outcomes
            .flat_map(|outcome| &outcome.reasons)
            .map(bowline_domain::outcome::Reason::code)
            .collect()
    }

    /// Makes all that was read for people count as old.
    pub(crate) async fn make_readings_old(&self) {
        let config = self.world.config().unwrap();
        let url = secrecy::ExposeSecret::expose_secret(&config.database.url()).to_owned();
        let sql = "UPDATE reading SET tried_at = tried_at - 3600000";
        bowline_store::testing::execute(&url, sql).await.unwrap();
    }

    pub(crate) fn client(&self) -> reqwest::Client {
        self.jira().sender().client().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// Posts a signed delivery as Jira does, and gives the status and the text of the answer.
    pub(crate) async fn deliver_jira(
        &self,
        body: &[u8],
        identifier: Option<&str>,
    ) -> (u16, String) {
        let signature = format!("sha256={}", hmac_sha256_hex(WEBHOOK_SECRET, body));
        let mut request = self
            .client()
            .post(self.url(&format!("/hooks/jira/{SITE}")))
            .header("x-hub-signature", signature)
            .header("content-type", "application/json; charset=UTF-8")
            .body(body.to_vec());
        if let Some(identifier) = identifier {
            request = request.header("x-atlassian-webhook-identifier", identifier);
        }
        answer(request).await
    }

    /// Posts a signed notification as Intercom does.
    pub(crate) async fn deliver_intercom(&self, body: &[u8]) -> (u16, String) {
        let secret = &self.intercom().config().client_secret;
        let signature = format!("sha1={}", hmac_sha1_hex(secret, body));
        let request = self
            .client()
            .post(self.url(&format!("/hooks/intercom/{WORKSPACE}")))
            .header("x-hub-signature", signature)
            .body(body.to_vec());
        answer(request).await
    }

    /// Calls Jira's REST as a person.
    pub(crate) async fn jira_rest(&self, user: &str, method: &str, path: &str, body: Value) -> u16 {
        let url = format!("{}{path}", self.world.sandbox.jira.url());
        let request = self
            .client()
            .request(method.parse().unwrap(), url)
            .basic_auth(
                format!("{user}@example.com"),
                Some(format!("token-of-{user}")),
            )
            .json(&body);
        answer(request).await.0
    }
}

/// Waits for the next millisecond, where the order of what happens is to show in its times.
pub(crate) fn next_millisecond() {
    let now = || jiff::Timestamp::now().as_millisecond();
    let before = now();
    while now() <= before + 1 {
        std::thread::yield_now();
    }
}

/// Sends and gives the status and the text of the answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// A note's HTML as one line of text.
pub(crate) fn readable(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag_on)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag_on.split_once('>').unwrap_or((tag_on, ""));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        if ["p", "br", "li", "pre", "blockquote", "ul", "ol"].contains(&name) {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
