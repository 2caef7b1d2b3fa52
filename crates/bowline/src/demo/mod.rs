//! A whole installation on this machine: the service, a simulated Intercom, a simulated Jira and,
//! if they are asked for, simulated messaging providers, joined by real HTTP and signed webhooks.
//! The demo shows it; tests and benchmarks work it.

pub mod contacts;
pub mod feedback;
pub mod story;
pub mod talk_story;
mod teller;
mod wait;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bowline_sandbox::common::lasting_address;
use bowline_sandbox::common::page::PanelFrame;
use bowline_sandbox::jira::{BOT_TOKEN, Deployment, WebhookConfig};
use bowline_sandbox::{ChannelOptions, Channels, Options, Running, intercom, jira, start_channels};
use bowline_web::RenderMetrics;

pub use wait::{PATIENCE, until};

use crate::config::Config;
use crate::service::Service;

/// The site's name in the configuration of a world.
pub const SITE: &str = "acme-jira";

/// The workspace's name in the configuration of a world.
pub const WORKSPACE: &str = "acme";

/// The secret that the simulated Jira signs with.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret-of-the-demo";

/// The bearer token of the notify address.
pub const NOTIFY_TOKEN: &str = "a-notify-token-of-the-demo";

/// What tokens of panels in frames are signed with.
pub const PANEL_SECRET: &str = "a-panel-secret-of-the-demo-with-32-letters";

/// The MessageBird account's name in the configuration of a world with channels.
pub const BIRD: &str = "bird";

/// The WhatsApp account's name in the configuration of a world with channels.
pub const META: &str = "meta";

/// The service project of a world with channels.
pub const SERVICE_DESK: &str = "SUP";

/// What Meta names when the webhook is entered there.
pub const VERIFY_TOKEN: &str = "a-verify-token-of-the-demo";

/// How a world is made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the files go.
    pub folder: PathBuf,
    /// `None`: SQLite in the folder.
    pub database_url: Option<String>,
    /// Cloud or Data Center.
    pub deployment: Deployment,
    /// The simulated Intercom.
    pub intercom: intercom::Config,
    /// The simulated Jira; its deployment is set by `deployment`.
    pub jira: jira::Config,
    /// What stands in the binding besides site, project and workspace.
    pub binding: String,
    /// What stands at the top of the configuration besides the addresses.
    pub top: String,
    /// What stands at the end of the configuration.
    pub more: String,
    /// Where the service listens.
    pub listen: SocketAddr,
    /// Where the simulated Intercom listens.
    pub intercom_addr: SocketAddr,
    /// Where the simulated Jira listens.
    pub jira_addr: SocketAddr,
    /// The simulated messaging providers, each with a desk; `None`: there are none.
    pub channels: Option<ChannelOptions>,
}

impl Plan {
    /// A Cloud world on SQLite with the default rules, on free ports.
    pub fn new(folder: &Path) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            folder: folder.to_owned(),
            database_url: None,
            deployment: Deployment::Cloud,
            intercom: intercom::Config::default(),
            jira: jira::Config::cloud(),
            binding: String::new(),
            top: String::new(),
            more: String::new(),
            listen: any,
            intercom_addr: any,
            jira_addr: any,
            channels: None,
        }
    }

    /// The same on Data Center.
    #[must_use]
    pub fn data_center(mut self) -> Self {
        self.deployment = Deployment::DataCenter;
        self.jira = jira::Config::data_center();
        self
    }
}

/// The simulated platforms and the configuration that joins them.
pub struct World {
    /// The simulated platforms.
    pub sandbox: Running,
    /// The simulated messaging providers, if there are any.
    pub channels: Option<Channels>,
    /// The configuration file of the service.
    pub config_path: PathBuf,
    plan: Plan,
}

impl World {
    /// Starts the platforms and writes the configuration. The service is not started.
    ///
    /// # Errors
    /// A socket or file cannot be made.
    pub async fn prepare(mut plan: Plan) -> anyhow::Result<Self> {
        if plan.channels.is_some() && plan.listen.port() == 0 {
            // A messaging provider is told the service's address, so it has to be known before.
            plan.listen = lasting_address();
        }
        let options = Options {
            intercom: plan.intercom.clone(),
            intercom_addr: plan.intercom_addr,
            jira: plan.jira.clone(),
            jira_addr: plan.jira_addr,
        };
        let sandbox = bowline_sandbox::start(options)
            .await
            .context("starting the simulated platforms")?;
        let channels = match &plan.channels {
            Some(options) => Some(
                start_channels(options.clone(), &sandbox.neighbours)
                    .await
                    .context("starting the simulated messaging providers")?,
            ),
            None => None,
        };
        let config_path = plan.folder.join("bowline.toml");
        let world = Self {
            sandbox,
            channels,
            config_path,
            plan,
        };
        world.write_config(&world.plan.intercom.access_token)?;
        Ok(world)
    }

    /// Writes the configuration with this Intercom token.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_config(&self, access_token: &str) -> anyhow::Result<()> {
        std::fs::write(&self.config_path, self.config_text(access_token))
            .with_context(|| format!("writing {}", self.config_path.display()))
    }

    fn config_text(&self, access_token: &str) -> String {
        let plan = &self.plan;
        let data_dir = plan.folder.join("data");
        let database = plan
            .database_url
            .clone()
            .map_or_else(String::new, |url| format!("database_url = \"{url}\"\n"));
        let (kind, email) = match plan.deployment {
            Deployment::Cloud => (
                "cloud",
                format!("email = \"{}\"\n", plan.jira.users[0].email),
            ),
            Deployment::DataCenter => ("datacenter", String::new()),
        };
        let intercom = self.sandbox.intercom.url();
        let jira = self.sandbox.jira.url();
        format!(
            "listen = \"{listen}\"\n\
             public_url = \"http://{listen}\"\n\
             data_dir = \"{data_dir}\"\n\
             {database}{top}\n\
             [panel]\n\
             frame_hosts = [\"{jira}\"]\n\
             token_secret = \"{PANEL_SECRET}\"\n\n\
             [[site]]\n\
             name = \"{SITE}\"\n\
             kind = \"{kind}\"\n\
             url = \"{jira}\"\n\
             {email}\
             token = \"{BOT_TOKEN}\"\n\
             webhook_secret = \"{WEBHOOK_SECRET}\"\n\
             notify_token = \"{NOTIFY_TOKEN}\"\n\n\
             [[workspace]]\n\
             name = \"{WORKSPACE}\"\n\
             region = \"us\"\n\
             api_url = \"{intercom}\"\n\
             access_token = \"{access_token}\"\n\
             client_secret = \"{client_secret}\"\n\n\
             [[binding]]\n\
             site = \"{SITE}\"\n\
             project = \"ENG\"\n\
             workspace = \"{WORKSPACE}\"\n\
             {binding}\n{channels}{more}",
            channels = self.channels_text(),
            more = plan.more,
            listen = plan.listen,
            data_dir = data_dir.display(),
            top = plan.top,
            client_secret = plan.intercom.client_secret,
            binding = plan.binding,
        )
    }

    /// The accounts and desks of the messaging providers.
    fn channels_text(&self) -> String {
        let Some(channels) = &self.channels else {
            return String::new();
        };
        let (bird, meta) = (
            channels.messagebird.state.config(),
            channels.whatsapp.state.config(),
        );
        format!(
            "\n[[channel_account]]\n\
             name = \"{BIRD}\"\n\
             provider = \"messagebird\"\n\
             api_url = \"{bird_url}/v1\"\n\
             access_key = \"{}\"\n\
             signing_key = \"{}\"\n\n\
             [[channel_account]]\n\
             name = \"{META}\"\n\
             provider = \"whatsapp\"\n\
             api_url = \"{meta_url}\"\n\
             access_key = \"{}\"\n\
             signing_key = \"{}\"\n\
             verify_token = \"{VERIFY_TOKEN}\"\n\n\
             {}\n\
             {}",
            bird.access_key,
            bird.signing_key,
            meta.token,
            meta.app_secret,
            desk_text("support", BIRD, "all"),
            desk_text("whatsapp-support", META, &meta.phone_number_id),
            bird_url = channels.messagebird.url(),
            meta_url = channels.whatsapp.url(),
        )
    }

    /// The configuration as the service reads it.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn config(&self) -> anyhow::Result<Config> {
        let read = |path: &Path| std::fs::read_to_string(path);
        Config::load(Some(&self.config_path), [], &read)
            .map(|loaded| loaded.config)
            .map_err(|problems| anyhow::anyhow!("the configuration of the demo: {problems:?}"))
    }

    /// Starts the service in this process and connects both webhooks to it.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start_service(&self, render_metrics: RenderMetrics) -> anyhow::Result<Service> {
        let service = Service::start(&self.config()?, render_metrics).await?;
        self.connect_webhooks(service.addr).await?;
        Ok(service)
    }

    /// Enters the service's webhook addresses on both platforms, as an administrator does.
    ///
    /// # Errors
    /// The simulated Intercom did not get an answer from the address.
    pub async fn connect_webhooks(&self, service: SocketAddr) -> anyhow::Result<()> {
        self.sandbox.jira.state.add_webhook(&WebhookConfig {
            name: "Bowline".to_owned(),
            url: format!("http://{service}/hooks/jira/{SITE}"),
            secret: Some(WEBHOOK_SECRET.to_owned()),
            ..WebhookConfig::default()
        });
        self.sandbox
            .neighbours
            .set_product(format!("http://{service}"));
        self.sandbox.neighbours.set_panel(PanelFrame {
            site: SITE.to_owned(),
            secret: PANEL_SECRET.to_owned(),
        });
        let url = format!("http://{service}/hooks/intercom/{WORKSPACE}");
        let connected = self.sandbox.intercom.state.connect_webhook(&url).await;
        connected.map_err(|why| anyhow::anyhow!("connecting Intercom's webhook: {why}"))?;
        self.connect_channels(service).await
    }

    /// MessageBird's webhook is registered by the service; Meta's is entered by hand.
    async fn connect_channels(&self, service: SocketAddr) -> anyhow::Result<()> {
        let Some(channels) = &self.channels else {
            return Ok(());
        };
        let url = format!("http://{service}/hooks/whatsapp/{META}");
        let connected = channels.whatsapp.state.connect_webhook(&url, VERIFY_TOKEN);
        let connected = connected.await;
        connected.map_err(|why| anyhow::anyhow!("connecting WhatsApp's webhook: {why:?}"))?;
        let bird = &channels.messagebird.state;
        until(|| (!bird.webhook_urls().is_empty()).then_some(()))
            .await
            .context("the service did not register its webhook at MessageBird")
    }
}

/// A desk that makes requests of the usual type of what comes in by these channels.
fn desk_text(name: &str, account: &str, channels: &str) -> String {
    format!(
        "[[desk]]\n\
         name = \"{name}\"\n\
         account = \"{account}\"\n\
         channels = \"{channels}\"\n\
         site = \"{SITE}\"\n\
         service_desk = \"{SERVICE_DESK}\"\n\
         request_type = \"Get help\"\n\
         quiet_seconds = 1\n"
    )
}
