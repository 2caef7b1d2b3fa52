//! What was declared in the file and what was configured on pages, in one configuration.
//!
//! What is declared wins. What is set aside says why.

use std::collections::BTreeSet;
use std::time::Duration;

use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::{AccountName, DeskName};
use bowline_engine::{BindingConfig, EngineConfig, SiteConfig, WorkspaceConfig};
use bowline_intercom::{Region, api_base, app_host};
use url::Url;

use crate::merge_desk;
use crate::stored::{
    Kept, SiteSecrets, StoredBinding, StoredSite, StoredWorkspace, WorkspaceSecrets,
};

/// How often a site that was configured on a page is asked for changes that no webhook told. The
/// default of the configuration file.
const POLL: Duration = Duration::from_mins(1);

/// Why something that is kept is not in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// The configuration file declares one of the same name.
    Declared,
    /// Another site has the same address: every note would come twice.
    SameAddress {
        /// The other one.
        site: SiteName,
    },
    /// No teammate gave their consent yet.
    Unfinished,
    /// Its secrets cannot be read.
    Locked {
        /// Why.
        why: String,
    },
    /// An address in it cannot be used.
    Address,
    /// Its site is not in use.
    NoSite,
    /// Its workspace is not in use.
    NoWorkspace,
    /// Someone parted it.
    Parted,
    /// Its channel account is not in use.
    NoAccount,
    /// A desk that is in use serves one of its channels.
    SameChannel {
        /// The other one.
        desk: DeskName,
    },
}

impl Aside {
    /// What it means, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Declared => {
                "The configuration file declares one of this name, and that one is in \
                               use. Remove it there, or this one here."
                    .to_owned()
            }
            Self::SameAddress { site } => format!(
                "The site “{site}” has the same address and is in use. Every note would come twice."
            ),
            Self::Unfinished => {
                "No teammate gave their consent in Intercom yet. Until then nothing is connected."
                    .to_owned()
            }
            Self::Locked { why } => format!(
                "Its secrets cannot be read: {why}. Enter them again, or restore the key file."
            ),
            Self::Address => "Its address cannot be used. Enter it again.".to_owned(),
            Self::NoSite => "Its site is not in use; see the connections.".to_owned(),
            Self::NoWorkspace => "Its workspace is not in use; see the connections.".to_owned(),
            Self::Parted => "Someone parted it. Its links and settings are kept.".to_owned(),
            Self::NoAccount => "Its channel account is not in use; see the connections.".to_owned(),
            Self::SameChannel { desk } => format!(
                "The desk “{desk}” serves one of its channels and is in use. Name each channel at \
                 one desk only."
            ),
        }
    }
}

/// One configuration, and what is not in it.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// What the engine takes.
    pub config: EngineConfig,
    /// Sites that are kept and not in use.
    pub sites: Vec<(SiteName, Aside)>,
    /// Workspaces that are kept and not in use.
    pub workspaces: Vec<(WorkspaceName, Aside)>,
    /// Bindings that are kept and not in use.
    pub bindings: Vec<((SiteName, ProjectKey), Aside)>,
    /// Channel accounts that are kept and not in use.
    pub accounts: Vec<(AccountName, Aside)>,
    /// Desks that are kept and not in use.
    pub desks: Vec<(DeskName, Aside)>,
}

/// Puts both together.
pub fn merge(declared: &EngineConfig, kept: &Kept) -> Merged {
    let mut merged = Merged {
        config: declared.clone(),
        ..Merged::default()
    };
    for (name, row, secrets) in &kept.sites {
        match site(&merged.config, name, &row.value, secrets) {
            Ok(config) => merged.config.sites.push(config),
            Err(aside) => merged.sites.push((name.clone(), aside)),
        }
    }
    for (name, row, secrets) in &kept.workspaces {
        match workspace(&merged.config, name, &row.value, secrets) {
            Ok(config) => merged.config.workspaces.push(config),
            Err(aside) => merged.workspaces.push((name.clone(), aside)),
        }
    }
    let sites: BTreeSet<&SiteName> = merged.config.sites.iter().map(|site| &site.name).collect();
    let workspaces: BTreeSet<&WorkspaceName> = merged
        .config
        .workspaces
        .iter()
        .map(|one| &one.name)
        .collect();
    let mut bindings = Vec::new();
    for ((site, project), row) in &kept.bindings {
        let declared = declared
            .bindings
            .iter()
            .any(|binding| binding.site == *site && binding.project == *project);
        let workspace = WorkspaceName::new(row.value.workspace.as_str());
        let aside = if declared {
            Some(Aside::Declared)
        } else if row.value.parted {
            Some(Aside::Parted)
        } else if !sites.contains(site) {
            Some(Aside::NoSite)
        } else if !workspaces.contains(&workspace) {
            Some(Aside::NoWorkspace)
        } else {
            None
        };
        match aside {
            Some(aside) => merged
                .bindings
                .push(((site.clone(), project.clone()), aside)),
            None => bindings.push(binding(site, project, &row.value)),
        }
    }
    merged.config.bindings.extend(bindings);
    merge_desk::add(&mut merged, kept);
    merged
}

fn site(
    config: &EngineConfig,
    name: &SiteName,
    stored: &StoredSite,
    secrets: &Result<SiteSecrets, String>,
) -> Result<SiteConfig, Aside> {
    if config.sites.iter().any(|site| site.name == *name) {
        return Err(Aside::Declared);
    }
    let url = Url::parse(&stored.url).map_err(|_| Aside::Address)?;
    let same = config.sites.iter().find(|site| site.url == url);
    if let Some(other) = same {
        return Err(Aside::SameAddress {
            site: other.name.clone(),
        });
    }
    let api_url = match &stored.api_url {
        Some(api_url) => Url::parse(api_url).map_err(|_| Aside::Address)?,
        None => url.clone(),
    };
    let secrets = secrets
        .as_ref()
        .map_err(|why| Aside::Locked { why: why.clone() })?;
    let webhook_secrets = std::iter::once(&secrets.webhook_secret)
        .chain(&secrets.webhook_secret_previous)
        .cloned()
        .collect();
    Ok(SiteConfig {
        name: name.clone(),
        deployment: stored.kind.deployment(),
        url,
        api_url,
        email: stored.email.clone(),
        token: secrets.token.clone(),
        webhook_secrets,
        notify_token: None,
        poll: POLL,
    })
}

/// Where a workspace's data lives.
pub(crate) fn region(stored: &StoredWorkspace) -> Region {
    stored.region.parse().unwrap_or_default()
}

fn workspace(
    config: &EngineConfig,
    name: &WorkspaceName,
    stored: &StoredWorkspace,
    secrets: &Result<WorkspaceSecrets, String>,
) -> Result<WorkspaceConfig, Aside> {
    if config.workspaces.iter().any(|one| one.name == *name) {
        return Err(Aside::Declared);
    }
    let region = region(stored);
    let api_url = match &stored.api_url {
        Some(api_url) => Url::parse(api_url).map_err(|_| Aside::Address)?,
        None => api_base(region),
    };
    let secrets = secrets
        .as_ref()
        .map_err(|why| Aside::Locked { why: why.clone() })?;
    let access_token = secrets.access_token.clone().ok_or(Aside::Unfinished)?;
    Ok(WorkspaceConfig {
        name: name.clone(),
        api_url,
        app_host: app_host(region).to_owned(),
        access_token,
        client_secrets: vec![secrets.client_secret.clone()],
        app_user: stored.app_user.clone(),
    })
}

/// A binding as the engine takes it.
pub fn binding(site: &SiteName, project: &ProjectKey, stored: &StoredBinding) -> BindingConfig {
    BindingConfig {
        site: site.clone(),
        project: project.clone(),
        workspace: WorkspaceName::new(stored.workspace.as_str()),
        linking: stored.linking,
        webhooks: stored.webhooks,
        notify: stored.notify.clone(),
        transitions: stored.transitions.clone(),
        unassign_on_open: stored.unassign_on_open,
        wake_snoozed: stored.wake_snoozed,
        muted: stored.muted,
        contents: stored.contents,
        coalesce_seconds: stored.coalesce_seconds,
        panel: stored.panel.clone(),
        tally: stored.tally.clone(),
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
