//! What others may know of what is configured and how it is: for pages and the REST API. No
//! secrets.

use bowline_domain::connection::{Connection, Health};
use bowline_domain::ids::{ConversationId, IssueKey, ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::language::Speaking;
use bowline_domain::messaging::settings::WindowTemplate;
use bowline_domain::time::Millis;
use bowline_jira::Deployment;
use bowline_store::model::Talk;

use crate::config::BindingConfig;
use crate::registry::Standing;
use crate::shared::Shared;

/// What kind of far side a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarSide {
    /// Jira Cloud.
    JiraCloud,
    /// Jira Data Center.
    JiraDataCenter,
    /// Intercom.
    Intercom,
}

impl FarSide {
    /// Its name, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::JiraCloud => "Jira Cloud",
            Self::JiraDataCenter => "Jira Data Center",
            Self::Intercom => "Intercom",
        }
    }
}

/// A configured connection and how it is.
#[derive(Clone, Debug)]
pub struct ConnectionNow {
    /// Which.
    pub connection: Connection,
    /// What kind of far side it has.
    pub far_side: FarSide,
    /// Where people open it.
    pub url: String,
    /// How it is.
    pub health: Health,
    /// Why, in words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Millis,
    /// The workspace's code, or the site's own address, once known.
    pub remote_id: Option<String>,
    /// As whom we act there, once known.
    pub actor_id: Option<String>,
    /// What they are called there, once a probe since the start told it.
    pub actor_name: Option<String>,
    /// When a signed delivery last came.
    pub webhook_seen_at: Option<Millis>,
    /// Does it expect webhooks? A site whose projects are all looked at by polling does not.
    pub expects_webhooks: bool,
    /// Its projects: of a site, the bound ones; of a workspace, those that are joined to it.
    pub projects: Vec<(SiteName, ProjectKey)>,
}

impl Shared {
    /// The approved message that the desk of a conversation has for after the reply window, if it
    /// has one, in the language of the end user.
    pub fn window_template(&self, talk: &Talk) -> Option<WindowTemplate> {
        let registry = self.registry();
        let desk = registry.desk_for(&talk.whose.account, &talk.request)?;
        Speaking::to(&desk.desk, &talk.end_user).window_template()
    }

    /// The configured connections, by kind and name.
    pub fn connections_now(&self) -> Vec<ConnectionNow> {
        let registry = self.registry();
        let mut all: Vec<ConnectionNow> = registry
            .sites
            .values()
            .map(|site| {
                let far_side = match site.config.deployment {
                    Deployment::Cloud => FarSide::JiraCloud,
                    Deployment::DataCenter => FarSide::JiraDataCenter,
                };
                let bound = registry
                    .bindings
                    .iter()
                    .filter(|binding| binding.site == site.config.name);
                now(&site.standing, far_side, site.browse_base(), bound)
            })
            .chain(registry.workspaces.values().map(|workspace| {
                let url = format!("https://{}", workspace.config.app_host);
                let bound = registry
                    .bindings
                    .iter()
                    .filter(|binding| binding.workspace == workspace.config.name);
                let connection = now(&workspace.standing, FarSide::Intercom, url, bound);
                ConnectionNow {
                    expects_webhooks: true,
                    actor_id: workspace.actor(),
                    ..connection
                }
            }))
            .collect();
        all.sort_by(|one, other| one.connection.cmp(&other.connection));
        all
    }

    /// The bindings, as configured.
    pub fn bindings_now(&self) -> Vec<BindingConfig> {
        self.registry().bindings.clone()
    }

    /// Where people open an issue; `None` if its site is not configured any more.
    pub fn issue_url(&self, site: &SiteName, key: &IssueKey) -> Option<String> {
        let registry = self.registry();
        let site = registry.sites.get(site)?;
        Some(format!("{}/browse/{key}", site.browse_base()))
    }

    /// Where people open a conversation; `None` if its workspace is not configured any more.
    pub fn conversation_url(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Option<String> {
        let registry = self.registry();
        let workspace = registry.workspaces.get(workspace)?;
        Some(workspace.conversation_url(conversation.as_str()))
    }

    /// A number that nobody else draws, to name a person's command.
    pub fn draw(&self) -> u64 {
        self.random()
    }
}

fn now<'b>(
    standing: &Standing,
    far_side: FarSide,
    url: String,
    bound: impl Iterator<Item = &'b BindingConfig>,
) -> ConnectionNow {
    let known = standing.known();
    let bound: Vec<&BindingConfig> = bound.collect();
    ConnectionNow {
        connection: standing.connection.clone(),
        far_side,
        url,
        health: known.health,
        reason: known.reason,
        since: known.since,
        remote_id: known.remote_id,
        actor_id: known.actor_id,
        actor_name: known.actor_name,
        webhook_seen_at: known.webhook_seen_at,
        expects_webhooks: bound.iter().any(|binding| binding.webhooks),
        projects: bound
            .iter()
            .map(|binding| (binding.site.clone(), binding.project.clone()))
            .collect(),
    }
}
