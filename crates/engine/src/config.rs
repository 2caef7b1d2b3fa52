//! What the engine is told to connect. Read from files, the environment or pages by others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bowline_domain::feedback::product::{IssueTarget, ProductSettings};
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::AccountName;
use bowline_domain::messaging::settings::Desk;
use bowline_domain::panel::PanelSettings;
use bowline_domain::settings::{NoteContents, Notify, TransitionRule};
use bowline_domain::tally::TallySettings;
use bowline_jira::Deployment;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Everything that is connected.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Jira sites.
    pub sites: Vec<SiteConfig>,
    /// Intercom workspaces.
    pub workspaces: Vec<WorkspaceConfig>,
    /// Projects joined to workspaces.
    pub bindings: Vec<BindingConfig>,
    /// Accounts at messaging providers.
    pub accounts: Vec<AccountConfig>,
    /// Desks, which turn what comes in by their channels into requests.
    pub desks: Vec<DeskConfig>,
    /// Workspaces whose contacts are copied because the configuration says so.
    pub contact_syncs: Vec<ContactSyncConfig>,
    /// Products that feedback is gathered for.
    pub products: Vec<ProductConfig>,
    /// Where people open Bowline: for links to tickets.
    pub public_url: Option<Url>,
    /// Notes that one link may get in an hour before the rest of them wait. Zero: no bound.
    pub notes_per_link_hour_max: u32,
}

/// A Jira site.
#[derive(Clone, Debug)]
pub struct SiteConfig {
    /// Its name here, also in its webhook address.
    pub name: SiteName,
    /// Cloud or Data Center.
    pub deployment: Deployment,
    /// The address that people open it by.
    pub url: Url,
    /// Where its REST API is reached.
    pub api_url: Url,
    /// The account's e-mail address (Cloud).
    pub email: Option<String>,
    /// The API token or personal access token.
    pub token: SecretString,
    /// The secrets that its webhooks may be signed with; two while one replaces the other.
    pub webhook_secrets: Vec<SecretString>,
    /// The bearer token of the notify address; without one the address does not exist.
    pub notify_token: Option<SecretString>,
    /// How often changes are looked for where webhooks tell of them.
    pub poll: Duration,
}

impl SiteConfig {
    /// Is the site reached in the same place with the same credentials?
    pub(crate) fn same_means(&self, other: &Self) -> bool {
        (&self.api_url, &self.email, self.deployment)
            == (&other.api_url, &other.email, other.deployment)
            && self.token.expose_secret() == other.token.expose_secret()
    }
}

/// An Intercom workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceConfig {
    /// Its name here, also in its webhook address.
    pub name: WorkspaceName,
    /// Where its REST API is reached.
    pub api_url: Url,
    /// The host that people open it by.
    pub app_host: String,
    /// The access token.
    pub access_token: SecretString,
    /// The secrets that its webhooks may be signed with.
    pub client_secrets: Vec<SecretString>,
    /// The teammate as whom we write; by default who the token belongs to.
    pub app_user: Option<String>,
}

impl WorkspaceConfig {
    /// Is the workspace reached in the same place, with the same credentials, as the same
    /// teammate?
    pub(crate) fn same_means(&self, other: &Self) -> bool {
        (&self.api_url, &self.app_user) == (&other.api_url, &other.app_user)
            && self.access_token.expose_secret() == other.access_token.expose_secret()
    }
}

/// A workspace whose contacts are copied.
#[derive(Clone, Debug)]
pub struct ContactSyncConfig {
    /// Which.
    pub workspace: WorkspaceName,
    /// Do changes follow? Without it only new contacts are added.
    pub updates: bool,
}

/// A project joined to a workspace.
#[derive(Clone, Debug)]
pub struct BindingConfig {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// The workspace.
    pub workspace: WorkspaceName,
    /// Is linking on?
    pub linking: bool,
    /// Do webhooks reach us? If not, changes are found by looking often.
    pub webhooks: bool,
    /// What is told when.
    pub notify: Notify,
    /// Rules for particular transitions.
    pub transitions: Vec<TransitionRule>,
    /// Does a re-opened conversation go back to the unassigned queue?
    pub unassign_on_open: bool,
    /// May a note wake a snoozed conversation?
    pub wake_snoozed: bool,
    /// Is everything silent for now?
    pub muted: bool,
    /// What of the issue a note may hold.
    pub contents: NoteContents,
    /// How long a note waits for further changes of its issue, which then go in it, in seconds.
    pub coalesce_seconds: u32,
    /// What the panel of an issue shows.
    pub panel: PanelSettings,
    /// What issues say in Jira of their linked conversations.
    pub tally: TallySettings,
}

/// An account at a messaging provider.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Its name here, also in its webhook address.
    pub name: AccountName,
    /// Which provider.
    pub provider: Provider,
    /// Where its API is reached.
    pub api_url: Url,
    /// The key or token of the API.
    pub access_key: SecretString,
    /// The keys that its webhooks may be signed with; two while one replaces the other.
    pub signing_keys: Vec<SecretString>,
    /// What WhatsApp has to name when it asks whether the webhook's address is ours.
    pub verify_token: Option<SecretString>,
    /// The complete address that the provider calls: it is part of what is signed.
    pub hook_url: Url,
    /// Is the webhook registered, and registered again when it is gone, by us?
    pub register_webhook: bool,
    /// How often messages are looked for that no webhook told of.
    pub poll: Duration,
}

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// MessageBird's Conversations API.
    MessageBird,
    /// Meta's WhatsApp Cloud API.
    WhatsApp,
}

impl Provider {
    /// The word in configurations and webhook addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageBird => "messagebird",
            Self::WhatsApp => "whatsapp",
        }
    }

    /// The complete address that the provider calls for an account of this name.
    pub fn hook_url(self, public_url: &Url, name: &str) -> Url {
        let mut hook_url = public_url.clone();
        let base = public_url.path().trim_end_matches('/').to_owned();
        hook_url.set_path(&format!("{base}/hooks/{}/{name}", self.as_str()));
        hook_url
    }
}

impl AccountConfig {
    /// Is the account reached in the same place with the same credentials?
    pub(crate) fn same_means(&self, other: &Self) -> bool {
        (&self.api_url, self.provider) == (&other.api_url, other.provider)
            && self.access_key.expose_secret() == other.access_key.expose_secret()
    }
}

/// A desk: channels of an account that feed requests of one type.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// What the planner needs of it.
    pub desk: Desk,
    /// The service desk, by the key of its project.
    pub service_desk: String,
    /// The request type, by name or id.
    pub request_type: String,
    /// In whose name requests are made; without one in our account's own.
    pub reporter: Option<String>,
    /// Fixed values of fields, by their ids.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// A product that feedback is gathered for.
#[derive(Clone, Debug)]
pub struct ProductConfig {
    /// The workspace whose tags count.
    pub workspace: WorkspaceName,
    /// What people call it.
    pub name: String,
    /// The tags, by name or id.
    pub tags: Vec<String>,
    /// The statuses of which conversations are told by a note.
    pub notes: BTreeSet<Status>,
    /// Does the status of tickets follow their issue?
    pub follow_issue: bool,
    /// May a note of it wake a snoozed conversation?
    pub wake_snoozed: bool,
    /// What statuses are called, where not as usual.
    pub status_names: BTreeMap<Status, String>,
    /// Where issues are made from tickets.
    pub issues: Option<IssueTarget>,
}

impl ProductConfig {
    /// As the product keeps it.
    pub(crate) fn settings(&self) -> ProductSettings {
        ProductSettings {
            notes: self.notes.clone(),
            follow_issue: self.follow_issue,
            wake_snoozed: self.wake_snoozed,
            status_names: self.status_names.clone(),
            issues: self.issues.clone(),
            ..ProductSettings::default()
        }
    }
}
