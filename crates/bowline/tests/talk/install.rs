//! The platforms, the channels and the configuration of a run.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bowline::demo::{Plan, SITE, WEBHOOK_SECRET, World, until};
use bowline::service::Service;
use bowline_sandbox::common::Disturbance;
use bowline_sandbox::jira::WebhookConfig;
use bowline_sandbox::messagebird;
use bowline_sandbox::{ChannelOptions, Channels, start_channels};
use bowline_store::testing::{Backend, Scratch};

/// The account's name in the configuration.
pub(crate) const ACCOUNT: &str = "bird";

/// The wait before a webhook is sent again, in milliseconds, and how often it is: whoever is down
/// for long must not lose any of them here.
const RETRY_MS: u64 = 100;
const RETRIES: usize = 1_200;

/// The platforms and the channels. The service is started by who needs it.
pub(crate) struct Install {
    pub(crate) world: World,
    pub(crate) channels: Channels,
    /// Goes with the run: the database of PostgreSQL, and the folder of everything else.
    _scratch: Option<Scratch>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) listen: std::net::SocketAddr,
}

impl Install {
    /// Prepares everything, with this in the desk besides what it needs.
    pub(crate) async fn prepare(database: Backend, desk: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scratch = (database == Backend::Postgres).then(|| Scratch::new(Backend::Postgres));
        let mut plan = Plan::new(folder.path());
        plan.database_url = scratch.as_ref().map(|scratch| scratch.url().to_owned());
        plan.jira.retry_delays_ms = vec![RETRY_MS; RETRIES];
        plan.listen = bowline_sandbox::common::lasting_address();
        let listen = plan.listen;
        let world = World::prepare(plan).await.unwrap();
        let options = ChannelOptions {
            messagebird: messagebird::Config {
                retry_delays_ms: vec![RETRY_MS; RETRIES],
                ..messagebird::Config::default()
            },
            ..ChannelOptions::default()
        };
        let channels = start_channels(options, &world.sandbox.neighbours)
            .await
            .unwrap();
        let install = Self {
            world,
            channels,
            _scratch: scratch,
            folder,
            listen,
        };
        install.configure(&install.world.config_path, desk);
        install
            .world
            .sandbox
            .jira
            .state
            .add_webhook(&WebhookConfig {
                name: "Bowline".to_owned(),
                url: format!("http://{listen}/hooks/jira/{SITE}"),
                secret: Some(WEBHOOK_SECRET.to_owned()),
                ..WebhookConfig::default()
            });
        install
    }

    fn configure(&self, path: &Path, desk: &str) {
        let bird = self.bird().config();
        let text = std::fs::read_to_string(path).unwrap();
        let text = format!(
            "{text}\n\
             [[channel_account]]\n\
             name = \"{ACCOUNT}\"\n\
             provider = \"messagebird\"\n\
             api_url = \"{}/v1\"\n\
             access_key = \"{}\"\n\
             signing_key = \"{}\"\n\
             poll_seconds = 30\n\n\
             [[desk]]\n\
             name = \"support\"\n\
             account = \"{ACCOUNT}\"\n\
             site = \"{SITE}\"\n\
             service_desk = \"SUP\"\n\
             request_type = \"Get help\"\n\
             requests_per_hour = 10000\n\
             {desk}\n",
            self.channels.messagebird.url(),
            bird.access_key,
            bird.signing_key,
        );
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn bird(&self) -> &messagebird::Sandbox {
        &self.channels.messagebird.state
    }

    pub(crate) fn jira(&self) -> &bowline_sandbox::jira::Sandbox {
        &self.world.sandbox.jira.state
    }

    /// Starts the service in this process and waits until its webhook is registered.
    pub(crate) async fn start(&self) -> Service {
        let service = Service::start(&self.world.config().unwrap(), Arc::new(String::new))
            .await
            .unwrap();
        self.registered().await;
        service
    }

    /// Waits until the provider knows the webhook's address.
    pub(crate) async fn registered(&self) {
        let there = until(|| (!self.bird().webhook_urls().is_empty()).then_some(())).await;
        assert!(there.is_some(), "the webhook is registered");
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        self.bird().faults().clear();
        self.jira().faults().clear();
        self.bird().disturb(Disturbance::default());
        self.jira().disturb(Disturbance::default());
    }

    /// Has everything been delivered that the platforms have to tell?
    pub(crate) async fn told(&self) -> bool {
        let both = async {
            self.bird().sender().quiet().await;
            self.jira().sender().quiet().await;
        };
        tokio::time::timeout(Duration::from_millis(1), both)
            .await
            .is_ok()
    }

    /// No internal text of Jira's is in anything that was sent to a channel. A notification that was
    /// held is quoted to the agents, and a later one says the same but for its status.
    pub(crate) fn assert_no_leak(&self) {
        let mut leaks = self.channels.leaks(self.jira());
        leaks.retain(|leak| !leak.words.starts_with("your request sup"));
        assert!(leaks.is_empty(), "internal text was sent: {leaks:?}");
    }

    /// Leaves the files of a failed run where they are.
    pub(crate) fn keep(self) {
        println!(
            "the files of the failed run are in {}",
            self.folder.keep().display()
        );
    }
}

/// Waits until nothing is on the way and nothing waits, or for as long as that may take. False then.
pub(crate) async fn at_rest(install: &Install, service: &Service, within: Duration) -> bool {
    let deadline = std::time::Instant::now() + within;
    let store = &service.shared().store;
    let mut before = usize::MAX;
    loop {
        let backlog = store.backlog().await.unwrap();
        let delivered = install.bird().sender().log().len() + install.jira().sender().log().len();
        let empty = backlog.events + backlog.effects == 0 && install.told().await;
        if empty && delivered == before {
            return true;
        }
        before = if empty { delivered } else { usize::MAX };
        if std::time::Instant::now() > deadline {
            println!("still at work: {backlog:?}");
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
