//! The connections that are configured, with what is known of them while running.
//!
//! A registry is replaced as a whole when the configuration changes. What is learned while running
//! (health, pace, whom we act as) lives in [`Standing`] and is handed over by name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bowline_domain::connection::{Connection, Health};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceCode, WorkspaceName};
use bowline_domain::messaging::ids::{AccountName, ChannelId, DeskName};
use bowline_domain::messaging::request::Request;
use bowline_domain::messaging::settings::{Channels, desk_of};
use bowline_domain::messaging::words::Missing;
use bowline_domain::observation::StatusCategory;
use bowline_domain::settings::{Settings, StatusMatch};
use bowline_domain::time::Millis;
use bowline_intercom as intercom;
use bowline_jira as jira;
use bowline_messagebird::ChannelProvider;
use bowline_messagebird::conversations::MessageBird;
use bowline_messagebird::whatsapp::{self, WhatsApp};
use bowline_net::Transport;

use crate::config::{
    AccountConfig, BindingConfig, ContactSyncConfig, DeskConfig, EngineConfig, ProductConfig,
    Provider, SiteConfig, WorkspaceConfig,
};
use crate::pace::Pace;

/// What is learned of a connection while running.
pub(crate) struct Standing {
    pub(crate) connection: Connection,
    pub(crate) pace: Pace,
    known: Mutex<Known>,
    /// Counts the changes of what we are connected by, so that a probe proves only what it used.
    credentials: AtomicU64,
    /// The count for which a probe succeeded.
    proven: AtomicU64,
}

/// What a probe found out, and how the connection is.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) health: Health,
    pub(crate) reason: Option<String>,
    pub(crate) since: Millis,
    /// When it began to work again after it had not, as far as this process saw that.
    pub(crate) mended_at: Option<Millis>,
    /// The workspace's code, or the site's own address.
    pub(crate) remote_id: Option<String>,
    /// As whom we act.
    pub(crate) actor_id: Option<String>,
    /// What they are called there. Not kept: the first probe after the start tells it.
    pub(crate) actor_name: Option<String>,
    pub(crate) webhook_seen_at: Option<Millis>,
}

impl Standing {
    pub(crate) fn new(connection: Connection, known: Known) -> Self {
        Self {
            connection,
            pace: Pace::new(),
            known: Mutex::new(known),
            credentials: AtomicU64::new(1),
            proven: AtomicU64::new(0),
        }
    }

    /// What we are connected by changes: until a probe said whom it reaches, nothing is written.
    pub(crate) fn doubt(&self) {
        self.credentials.fetch_add(1, Ordering::AcqRel);
    }

    /// Which credentials are in use, for [`Standing::prove`].
    pub(crate) fn credentials(&self) -> u64 {
        self.credentials.load(Ordering::Acquire)
    }

    /// A probe with these credentials found what it should.
    pub(crate) fn prove(&self, credentials: u64) {
        self.proven.fetch_max(credentials, Ordering::AcqRel);
    }

    /// Is it known whom the present credentials reach? A token of another workspace would find
    /// none of the conversations that are linked, and end the links.
    pub(crate) fn proven(&self) -> bool {
        self.proven.load(Ordering::Acquire) == self.credentials()
    }

    pub(crate) fn known(&self) -> Known {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn works(&self) -> bool {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .health
            .works()
    }
}

/// A site with its client.
pub(crate) struct Site {
    pub(crate) config: SiteConfig,
    pub(crate) client: jira::Client,
    pub(crate) standing: Arc<Standing>,
    /// The category of each status, by id, as far as it was read.
    pub(crate) categories: Mutex<HashMap<String, StatusCategory>>,
    /// The names of people that were mentioned, by id.
    pub(crate) names: Mutex<HashMap<String, String>>,
    /// What bound projects are called now, where that is not what the configuration calls them.
    pub(crate) renamed: Mutex<Renamed>,
    /// Did Jira refuse to leave the mail about an edit out? Then it is not asked again.
    pub(crate) loud: AtomicBool,
}

/// Projects whose key was changed in Jira after they were configured.
#[derive(Default)]
pub(crate) struct Renamed {
    /// The configured key, by the present one.
    pub(crate) configured: HashMap<ProjectKey, ProjectKey>,
    /// When Jira was last asked.
    pub(crate) asked_at: Option<Millis>,
}

/// How often Jira is asked what bound projects are called now, in milliseconds.
const RENAMED_EVERY_MS: i64 = 60_000;

impl Renamed {
    /// Was Jira asked so lately that what it said still counts?
    pub(crate) fn asked_lately(&self, now: Millis) -> bool {
        self.asked_at
            .is_some_and(|at| now.since(at) < RENAMED_EVERY_MS)
    }
}

impl Site {
    /// The address people open it by, without a final slash.
    pub(crate) fn browse_base(&self) -> String {
        self.config.url.as_str().trim_end_matches('/').to_owned()
    }
}

/// A workspace with its client.
pub(crate) struct Workspace {
    pub(crate) config: WorkspaceConfig,
    pub(crate) client: intercom::Client,
    pub(crate) standing: Arc<Standing>,
}

impl Workspace {
    /// The teammate as whom we write, once known.
    pub(crate) fn actor(&self) -> Option<String> {
        self.config
            .app_user
            .clone()
            .or_else(|| self.standing.known().actor_id)
    }

    /// The address people open a conversation by.
    pub(crate) fn conversation_url(&self, conversation: &str) -> String {
        let code = self
            .standing
            .known()
            .remote_id
            .unwrap_or_else(|| "_".to_owned());
        let host = &self.config.app_host;
        format!("https://{host}/a/inbox/{code}/inbox/conversation/{conversation}")
    }
}

/// An account at a messaging provider with its client.
pub(crate) struct Account {
    pub(crate) config: AccountConfig,
    pub(crate) provider: Arc<dyn ChannelProvider>,
    pub(crate) standing: Arc<Standing>,
}

pub(crate) fn provider(
    config: &AccountConfig,
    transport: &Arc<dyn Transport>,
) -> Arc<dyn ChannelProvider> {
    match config.provider {
        Provider::MessageBird => Arc::new(MessageBird::new(
            Arc::clone(transport),
            &config.api_url,
            config.access_key.clone(),
            config.signing_keys.clone(),
        )),
        Provider::WhatsApp => Arc::new(WhatsApp::new(
            Arc::clone(transport),
            config.api_url.clone(),
            whatsapp::Secrets {
                access_token: config.access_key.clone(),
                app_secrets: config.signing_keys.clone(),
                verify_token: config
                    .verify_token
                    .clone()
                    .unwrap_or_else(|| String::new().into()),
            },
        )),
    }
}

/// All that is configured.
pub(crate) struct Registry {
    pub(crate) sites: HashMap<SiteName, Arc<Site>>,
    pub(crate) workspaces: HashMap<WorkspaceName, Arc<Workspace>>,
    pub(crate) bindings: Vec<BindingConfig>,
    pub(crate) accounts: HashMap<AccountName, Arc<Account>>,
    pub(crate) desks: Vec<Arc<DeskConfig>>,
    pub(crate) contact_syncs: Vec<ContactSyncConfig>,
    pub(crate) products: Vec<ProductConfig>,
    /// Where people open Bowline, without a final slash; empty if that is not known.
    pub(crate) public_url: String,
}

impl Registry {
    /// Where people open a ticket.
    pub(crate) fn ticket_url(&self, ticket: TicketId) -> String {
        format!("{}/feedback/{ticket}", self.public_url)
    }

    /// Builds the clients. `standing` gives what is known of a connection from before.
    pub(crate) fn build(
        config: EngineConfig,
        transport: &Arc<dyn Transport>,
        standing: impl Fn(Connection) -> Arc<Standing>,
    ) -> Self {
        let sites = config.sites.into_iter().map(|config| {
            let auth = match &config.email {
                Some(email) => jira::Auth::Basic {
                    email: email.clone(),
                    token: config.token.clone(),
                },
                None => jira::Auth::Bearer {
                    token: config.token.clone(),
                },
            };
            let site = Site {
                client: jira::Client::new(
                    Arc::clone(transport),
                    config.api_url.clone(),
                    config.deployment,
                    auth,
                ),
                standing: standing(Connection::Site(config.name.clone())),
                config,
                categories: Mutex::new(HashMap::new()),
                names: Mutex::new(HashMap::new()),
                renamed: Mutex::new(Renamed::default()),
                loud: AtomicBool::new(false),
            };
            (site.config.name.clone(), Arc::new(site))
        });
        let workspaces = config.workspaces.into_iter().map(|config| {
            let workspace = Workspace {
                client: intercom::Client::new(
                    Arc::clone(transport),
                    config.api_url.clone(),
                    config.access_token.clone(),
                ),
                standing: standing(Connection::Workspace(config.name.clone())),
                config,
            };
            (workspace.config.name.clone(), Arc::new(workspace))
        });
        let accounts = config.accounts.into_iter().map(|config| {
            let account = Account {
                provider: provider(&config, transport),
                standing: standing(Connection::Account(config.name.clone())),
                config,
            };
            (account.config.name.clone(), Arc::new(account))
        });
        Self {
            sites: sites.collect(),
            workspaces: workspaces.collect(),
            bindings: config.bindings,
            accounts: accounts.collect(),
            desks: config.desks.into_iter().map(Arc::new).collect(),
            contact_syncs: config.contact_syncs,
            products: config.products,
            public_url: config.public_url.map_or_else(String::new, |url| {
                url.as_str().trim_end_matches('/').to_owned()
            }),
        }
    }

    /// The sites with projects that are joined to this workspace.
    pub(crate) fn sites_of(&self, connection: &Connection) -> Vec<Connection> {
        let Connection::Workspace(workspace) = connection else {
            return Vec::new();
        };
        let mut sites: Vec<Connection> = Vec::new();
        for binding in self
            .bindings
            .iter()
            .filter(|binding| binding.workspace == *workspace)
        {
            let site = Connection::Site(binding.site.clone());
            if !sites.contains(&site) {
                sites.push(site);
            }
        }
        sites
    }

    /// The connections that are not connected by the same means in `before`.
    pub(crate) fn connected_anew(&self, before: &Self) -> Vec<Arc<Standing>> {
        let sites = self.sites.iter().filter(|(name, site)| {
            before
                .sites
                .get(*name)
                .is_none_or(|before| !site.config.same_means(&before.config))
        });
        let workspaces = self.workspaces.iter().filter(|(name, workspace)| {
            let before = before.workspaces.get(*name);
            before.is_none_or(|before| !workspace.config.same_means(&before.config))
        });
        let accounts = self.accounts.iter().filter(|(name, account)| {
            let before = before.accounts.get(*name);
            before.is_none_or(|before| !account.config.same_means(&before.config))
        });
        sites
            .map(|(_, site)| Arc::clone(&site.standing))
            .chain(workspaces.map(|(_, workspace)| Arc::clone(&workspace.standing)))
            .chain(accounts.map(|(_, account)| Arc::clone(&account.standing)))
            .collect()
    }

    pub(crate) fn standings(&self) -> impl Iterator<Item = &Arc<Standing>> {
        let sites = self.sites.values().map(|site| &site.standing);
        sites
            .chain(
                self.workspaces
                    .values()
                    .map(|workspace| &workspace.standing),
            )
            .chain(self.accounts.values().map(|account| &account.standing))
    }

    /// The desk that serves a channel.
    pub(crate) fn desk_of(
        &self,
        account: &AccountName,
        channel: &ChannelId,
    ) -> Option<&Arc<DeskConfig>> {
        let desks = self.desks.iter().map(|config| &config.desk);
        let found = desk_of(desks, account, channel)?.name.clone();
        self.desk(&found)
    }

    /// The desk of this name.
    pub(crate) fn desk(&self, name: &DeskName) -> Option<&Arc<DeskConfig>> {
        self.desks.iter().find(|config| config.desk.name == *name)
    }

    /// The desk that serves a conversation: its own, or if that was removed the one that serves its
    /// channel now, if its requests are in the same Jira.
    pub(crate) fn desk_for(
        &self,
        account: &AccountName,
        request: &Request,
    ) -> Option<&Arc<DeskConfig>> {
        let fits = |config: &&Arc<DeskConfig>| {
            config.desk.account == *account && config.desk.site == request.site
        };
        let own = self.desk(&request.desk).filter(fits);
        own.or_else(|| self.desk_of(account, &request.route.channel).filter(fits))
    }

    /// What is missing where no desk serves a conversation.
    pub(crate) fn missing_for(&self, account: &AccountName, request: &Request) -> Missing {
        if self.accounts.contains_key(account) {
            Missing::Desk(request.desk.clone())
        } else {
            Missing::Account(account.clone())
        }
    }

    /// A channel of the account that a desk names: WhatsApp can be asked for one only.
    pub(crate) fn channel_of(&self, account: &AccountName) -> Option<ChannelId> {
        self.desks
            .iter()
            .filter(|config| config.desk.account == *account)
            .find_map(|config| match &config.desk.channels {
                Channels::Only(named) => named.first().cloned(),
                Channels::All => None,
            })
    }

    pub(crate) fn standing(&self, connection: &Connection) -> Option<&Arc<Standing>> {
        match connection {
            Connection::Site(name) => self.sites.get(name).map(|site| &site.standing),
            Connection::Workspace(name) => self
                .workspaces
                .get(name)
                .map(|workspace| &workspace.standing),
            Connection::Account(name) => self.accounts.get(name).map(|account| &account.standing),
        }
    }

    /// Does a transition rule of the site speak of a category?
    pub(crate) fn rules_by_category(&self, site: &SiteName) -> bool {
        let by_category = |status: &StatusMatch| matches!(status, StatusMatch::Category(_));
        self.bindings
            .iter()
            .filter(|binding| binding.site == *site)
            .flat_map(|binding| &binding.transitions)
            .any(|rule| by_category(&rule.from) || by_category(&rule.to))
    }

    pub(crate) fn binding(&self, site: &SiteName, project: &ProjectKey) -> Option<&BindingConfig> {
        self.bindings
            .iter()
            .find(|binding| binding.site == *site && binding.project == *project)
    }

    /// Does any binding of a site want its issues to say how many conversations are linked?
    pub(crate) fn tallies(&self, site: &SiteName) -> bool {
        let mut bindings = self.bindings.iter();
        bindings.any(|binding| binding.site == *site && binding.tally.is_on())
    }

    /// The settings of a binding, by its configured project, as the planner takes them.
    pub(crate) fn settings(
        &self,
        site: &Site,
        project: &ProjectKey,
        active_since: impl Fn(&BindingConfig) -> Millis,
        now: Millis,
    ) -> Option<Settings> {
        let binding = self.binding(&site.config.name, project)?;
        let code = self
            .workspaces
            .get(&binding.workspace)
            .and_then(|workspace| workspace.standing.known().remote_id)
            .map(WorkspaceCode::new);
        Some(Settings {
            site: site.config.name.clone(),
            site_url: site.browse_base(),
            project: project.clone(),
            workspace: binding.workspace.clone(),
            workspace_code: code,
            linking: binding.linking,
            active_since: active_since(binding),
            notify: binding.notify.clone(),
            transitions: binding.transitions.clone(),
            unassign_on_open: binding.unassign_on_open,
            wake_snoozed: binding.wake_snoozed,
            muted: binding.muted,
            contents: binding.contents,
            gather_until: (binding.coalesce_seconds > 0)
                .then(|| now.plus_ms(i64::from(binding.coalesce_seconds) * 1_000)),
        })
    }
}
