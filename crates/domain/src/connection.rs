//! Connections and their health.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{SiteName, WorkspaceName};
use crate::messaging::ids::AccountName;

/// Which connection: a site, a workspace or a channel account, by its configured name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// A Jira site.
    Site(SiteName),
    /// An Intercom workspace.
    Workspace(WorkspaceName),
    /// A channel account of a messaging provider.
    Account(AccountName),
}

impl Connection {
    /// One text for storage and logs: `site/acme-jira`, `workspace/acme`.
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// The reverse of [`Connection::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        let (kind, name) = key.split_once('/')?;
        match kind {
            "site" => Some(Self::Site(SiteName::new(name))),
            "workspace" => Some(Self::Workspace(WorkspaceName::new(name))),
            "account" => Some(Self::Account(AccountName::new(name))),
            _ => None,
        }
    }

    /// The configured name.
    pub fn name(&self) -> &str {
        match self {
            Self::Site(name) => name.as_str(),
            Self::Workspace(name) => name.as_str(),
            Self::Account(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(name) => write!(f, "site/{name}"),
            Self::Workspace(name) => write!(f, "workspace/{name}"),
            Self::Account(name) => write!(f, "account/{name}"),
        }
    }
}

/// What can be said of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Configured, not tried yet.
    Unchecked,
    /// The credential works.
    Connected,
    /// The far side lets us in but not to conversations (no trial or subscription). Writes wait.
    Limited,
    /// The credential does not work. Writes wait until it is mended.
    Broken,
}

impl Health {
    /// May remote calls that serve the queue be made?
    pub fn works(self) -> bool {
        matches!(self, Self::Unchecked | Self::Connected)
    }

    /// The word for storage, logs and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Connected => "connected",
            Self::Limited => "limited",
            Self::Broken => "broken",
        }
    }

    /// The reverse of [`Health::as_str`]; an unknown word is `Unchecked`.
    pub fn from_word(word: &str) -> Self {
        match word {
            "connected" => Self::Connected,
            "limited" => Self::Limited,
            "broken" => Self::Broken,
            _ => Self::Unchecked,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
