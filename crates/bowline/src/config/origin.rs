//! Where settings came from, and what a reload changed.

use super::{
    problem::Place,
    types::{Config, same_secret},
};
use std::{collections::BTreeMap, path::PathBuf};

/// Where one setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// Declared there.
    Declared(Place),
}

/// Where each setting came from, by path: `listen`, `site.acme-jira.token`, `binding.acme-jira/ENG.notify.created.note`.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub(super) BTreeMap<String, Origin>);

impl Origins {
    /// The origin of the setting at this path; None for a path that does not exist.
    pub fn get(&self, path: &str) -> Option<&Origin> {
        self.0.get(path)
    }

    /// Whether the setting at this path is declared, so that a page must not offer to change it.
    pub fn is_declared(&self, path: &str) -> bool {
        matches!(self.get(path), Some(Origin::Declared(_)))
    }

    /// All settings with their origins, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0.iter().map(|(path, origin)| (path.as_str(), origin))
    }
}

/// Where one secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSource {
    /// The path of the setting, as in [`Origins`].
    pub path: String,
    /// The file to watch: the one that holds only this secret, or the configuration file. None: an environment variable, which cannot change while the
    /// process runs.
    pub file: Option<PathBuf>,
}

/// Something whose secrets a reload changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The site of this name.
    Site(String),
    /// The workspace of this name.
    Workspace(String),
    /// The provider that people sign in with.
    Oidc,
}

/// The connections present in both configurations whose secrets differ: those to try again with their new ones.
pub fn changed_secrets(old: &Config, new: &Config) -> Vec<Change> {
    let sites = new.sites.iter().filter(|site| {
        old.site(&site.name).is_some_and(|before| {
            !(same_secret(Some(&before.token), Some(&site.token))
                && same_secret(before.webhook_secret.as_ref(), site.webhook_secret.as_ref())
                && same_secret(
                    before.webhook_secret_previous.as_ref(),
                    site.webhook_secret_previous.as_ref(),
                )
                && same_secret(before.notify_token.as_ref(), site.notify_token.as_ref()))
        })
    });
    let workspaces = new.workspaces.iter().filter(|workspace| {
        old.workspace(&workspace.name).is_some_and(|before| {
            !(same_secret(Some(&before.access_token), Some(&workspace.access_token))
                && same_secret(Some(&before.client_secret), Some(&workspace.client_secret))
                && same_secret(
                    before.client_secret_previous.as_ref(),
                    workspace.client_secret_previous.as_ref(),
                ))
        })
    });
    let oidc = old
        .oidc
        .as_ref()
        .zip(new.oidc.as_ref())
        .filter(|(before, now)| {
            !same_secret(before.client_secret.as_ref(), now.client_secret.as_ref())
        });
    let sites = sites.map(|site| Change::Site(site.name.clone()));
    sites
        .chain(workspaces.map(|workspace| Change::Workspace(workspace.name.clone())))
        .chain(oidc.map(|_| Change::Oidc))
        .collect()
}

/// Whether anything other than the value of a secret differs, so that a restart is needed for the new configuration to hold in full.
pub fn differs_beyond_secrets(old: &Config, new: &Config) -> bool {
    // The Debug form shows every field and no secret, which is exactly what is to be compared.
    let database = !same_secret(Some(&old.database.url()), Some(&new.database.url()));
    database || format!("{old:?}") != format!("{new:?}")
}
