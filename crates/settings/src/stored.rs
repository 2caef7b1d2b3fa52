//! What a row of the store means. JSON that other versions read: changed additively.

use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::{AccountName, DeskName};
use bowline_domain::panel::PanelSettings;
use bowline_domain::settings::{CommentFilter, NoteContents, Notify, TransitionRule};
use bowline_domain::tally::TallySettings;
use bowline_domain::time::Millis;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use bowline_jira::Deployment;

use crate::stored_desk::{AccountSecrets, StoredAccount, StoredDesk};

/// The kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Jira site.
    Site,
    /// An Intercom workspace.
    Workspace,
    /// A project joined to a workspace.
    Binding,
    /// An account at a messaging provider.
    Account,
    /// A desk.
    Desk,
}

impl Kind {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Workspace => "workspace",
            Self::Binding => "binding",
            Self::Account => "account",
            Self::Desk => "desk",
        }
    }
}

/// Cloud or Data Center, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteKind {
    /// Jira Cloud.
    #[default]
    Cloud,
    /// Jira Data Center.
    DataCenter,
}

impl SiteKind {
    /// As the Jira client says it.
    pub fn deployment(self) -> Deployment {
        match self {
            Self::Cloud => Deployment::Cloud,
            Self::DataCenter => Deployment::DataCenter,
        }
    }

    /// The word in forms and in the configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::DataCenter => "datacenter",
        }
    }
}

/// A Jira site, without its secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredSite {
    /// Cloud or Data Center.
    pub kind: SiteKind,
    /// The address that people open it by, without a final slash.
    pub url: String,
    /// Where REST is reached, if elsewhere.
    pub api_url: Option<String>,
    /// The account's e-mail address (Cloud).
    pub email: Option<String>,
    /// The day on which the token ends, as `2027-01-31`, as far as someone said.
    pub token_ends_on: Option<String>,
}

/// The secrets of a site.
#[derive(Clone, Debug)]
pub struct SiteSecrets {
    /// The API token or personal access token.
    pub token: SecretString,
    /// What its webhook signs with.
    pub webhook_secret: SecretString,
    /// The one before it.
    pub webhook_secret_previous: Option<SecretString>,
}

/// An Intercom workspace, without its secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredWorkspace {
    /// `us`, `eu` or `au`.
    pub region: String,
    /// Where REST is reached, if elsewhere.
    pub api_url: Option<String>,
    /// Where teammates are asked for their consent, if elsewhere.
    pub authorize_url: Option<String>,
    /// The app's client id, where it is joined by OAuth.
    pub client_id: Option<String>,
    /// The teammate as whom we write.
    pub app_user: Option<String>,
    /// The workspace's own name, as `/me` tells it.
    pub title: Option<String>,
    /// Who the token belongs to, in words.
    pub authorized_with: Option<String>,
}

/// The secrets of a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceSecrets {
    /// The access token; `None` until a teammate gave their consent.
    pub access_token: Option<SecretString>,
    /// The app's client secret.
    pub client_secret: SecretString,
}

/// A project joined to a workspace, with what is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredBinding {
    /// The workspace's name.
    pub workspace: String,
    /// Was it parted? Its links and settings are kept.
    pub parted: bool,
    /// Who joined it, in words.
    pub joined_by: String,
    /// When.
    pub joined_at: i64,
    /// Is linking on?
    pub linking: bool,
    /// Do webhooks reach us?
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
    /// How long a note waits for further changes of its issue, in seconds.
    pub coalesce_seconds: u32,
    /// What the panel of an issue shows.
    pub panel: PanelSettings,
    /// What issues say in Jira of their linked conversations.
    pub tally: TallySettings,
}

impl Default for StoredBinding {
    fn default() -> Self {
        Self {
            workspace: String::new(),
            parted: false,
            joined_by: String::new(),
            joined_at: 0,
            linking: true,
            webhooks: true,
            notify: Notify::default(),
            transitions: Vec::new(),
            unassign_on_open: false,
            wake_snoozed: false,
            muted: false,
            contents: NoteContents::default(),
            coalesce_seconds: 0,
            panel: PanelSettings::default(),
            tally: TallySettings::default(),
        }
    }
}

impl StoredBinding {
    /// The comment filter in one text: `all`, `public` or `marker:TEXT`.
    pub fn filter_text(&self) -> String {
        match &self.notify.filter {
            CommentFilter::All => "all".to_owned(),
            CommentFilter::Public => "public".to_owned(),
            CommentFilter::Marker(text) => format!("marker:{text}"),
        }
    }
}

/// A row with its version.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// What it is.
    pub value: T,
    /// The version that a change is made from.
    pub version: i64,
    /// When it was last changed.
    pub changed_at: Millis,
    /// By whom.
    pub changed_by: String,
}

/// What is kept of all connections and bindings.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Sites; `Err` says why the secrets cannot be read.
    pub sites: Vec<(SiteName, Versioned<StoredSite>, Result<SiteSecrets, String>)>,
    /// Workspaces.
    pub workspaces: Vec<(
        WorkspaceName,
        Versioned<StoredWorkspace>,
        Result<WorkspaceSecrets, String>,
    )>,
    /// Bindings.
    pub bindings: Vec<((SiteName, ProjectKey), Versioned<StoredBinding>)>,
    /// Accounts at messaging providers.
    pub accounts: Vec<(
        AccountName,
        Versioned<StoredAccount>,
        Result<AccountSecrets, String>,
    )>,
    /// Desks.
    pub desks: Vec<(DeskName, Versioned<StoredDesk>)>,
    /// Rows that this version cannot read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_versions_are_read() {
        let site: StoredSite =
            serde_json::from_str(r#"{"url":"https://a.example.com","x":1}"#).unwrap();
        assert_eq!((site.kind, site.email), (SiteKind::Cloud, None));
        let binding: StoredBinding = serde_json::from_str(r#"{"workspace":"acme"}"#).unwrap();
        assert!(binding.linking && binding.webhooks && binding.contents.comment);
        assert!(binding.notify.transitioned.reopen);
        let contents = r#"{"contents":{"comment":false}}"#;
        let binding: StoredBinding = serde_json::from_str(contents).unwrap();
        assert!(binding.contents.summary && !binding.contents.comment);
    }
}
