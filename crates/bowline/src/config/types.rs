//! The settings as the rest of the service sees them: checked, with every default filled in.

use super::alert_mail::AlertMail;
use super::oidc::Oidc;
use super::panel::{Embedding, Panel};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// A whole, valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// The address under which people, Jira and Intercom reach the service. Without a slash at its end.
    pub public_url: Url,
    /// The folder of the SQLite file and the key file. Absolute, or relative to the working directory.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// Where `/metrics` is served.
    pub metrics: Metrics,
    /// How the log looks.
    pub log: Log,
    /// Bounds that an installation may move.
    pub limits: Limits,
    /// The file of the keys that seal secrets.
    pub key_file: PathBuf,
    /// Addresses that may be called though they are not public.
    pub network_allowed: Vec<bowline_net::Range>,
    /// A file with certificate authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Where people are told that a connection broke.
    pub alert_url: Option<Url>,
    /// By which server letters about it go, and to whom.
    pub alert_mail: Option<AlertMail>,
    /// Where tokens with scopes are used.
    pub atlassian_api_url: Url,
    /// Jira instances. Names are unique.
    pub sites: Vec<Site>,
    /// Intercom workspaces. Names are unique.
    pub workspaces: Vec<Workspace>,
    /// Project bindings. At most one per project of a site; site and workspace exist.
    pub bindings: Vec<Binding>,
    /// Accounts at messaging providers. Names are unique.
    pub channel_accounts: Vec<ChannelAccount>,
    /// Desks. Names are unique; account and site exist; a channel has one desk at most.
    pub desks: Vec<Desk>,
    /// Workspaces whose contacts are copied. Each is named once and exists.
    pub contact_syncs: Vec<ContactSync>,
    /// Products that feedback is gathered for. Names are unique in their workspace.
    pub products: Vec<Product>,
    /// How others show the issue panel in their own pages.
    pub embedding: Embedding,
    /// How people sign in at a provider, if they may.
    pub oidc: Option<Oidc>,
}

impl Config {
    /// The site of this name.
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.name == name)
    }

    /// The workspace of this name.
    pub fn workspace(&self, name: &str) -> Option<&Workspace> {
        self.workspaces
            .iter()
            .find(|workspace| workspace.name == name)
    }
}

/// Which database holds the state.
#[derive(Clone, Debug)]
pub enum Database {
    /// The embedded SQLite database in this file.
    Sqlite(PathBuf),
    /// PostgreSQL under this URL, which may hold a password.
    Postgres(SecretString),
}

impl Database {
    /// The database as a URL for a driver: `sqlite:PATH` or `postgres://…`.
    pub fn url(&self) -> SecretString {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()).into(),
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// Where the Prometheus metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// Nowhere.
    Off,
    /// At `/metrics` of the service's own address.
    Shared,
    /// At `/metrics` of an address of their own, for example one that only the monitoring can reach.
    Own(SocketAddr),
}

/// How the log looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Lines for people, or one JSON object per line.
    pub format: LogFormat,
    /// Directives of `tracing-subscriber`'s `EnvFilter`, for example `info,bowline_engine=debug`.
    pub level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Bounds that an installation may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest accepted delivery, in bytes; a larger one is answered 413.
    pub body_bytes: usize,
    /// How many deliveries are taken in at once; one more is answered 503.
    pub deliveries_at_once: usize,
    /// How long payloads are kept before they are redacted.
    pub payload_age: Duration,
    /// How many automated hops one link may make in an hour before the breaker stops it.
    pub hops_per_link_hour: u32,
    /// How long a shutdown waits for what is in flight.
    pub shutdown: Duration,
}

/// The two kinds of Jira.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SiteKind {
    /// Jira Cloud: basic authentication with e-mail and API token.
    Cloud,
    /// Jira Data Center: a personal access token as bearer.
    DataCenter,
}

/// One Jira instance.
#[derive(Clone, Debug)]
pub struct Site {
    /// Unique; part of the webhook address `/hooks/jira/{name}`.
    pub name: String,
    /// Cloud or Data Center.
    pub kind: SiteKind,
    /// The address that people see in links. Without a slash at its end.
    pub url: Url,
    /// Where REST is reached; the same as `url` unless configured. Without a slash at its end.
    pub api_url: Url,
    /// The e-mail address of the app actor. Always present for Cloud.
    pub email: Option<String>,
    /// The API token (Cloud) or personal access token (Data Center).
    pub token: SecretString,
    /// The day on which the token ends, as `2027-01-31`.
    pub token_ends_on: Option<String>,
    /// The secret with which Jira signs deliveries. Present if a binding of this site uses webhooks.
    pub webhook_secret: Option<SecretString>,
    /// The secret before it, accepted too while both are in use.
    pub webhook_secret_previous: Option<SecretString>,
    /// The bearer token of `/hooks/jira/{name}/notify`. Without it that address does not exist.
    pub notify_token: Option<SecretString>,
    /// How often the reconciler asks this site for changed issues.
    pub poll: Duration,
}

/// Where a workspace's data lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// Australia.
    Au,
}

impl Region {
    /// The address of the region's REST API, as Intercom documents it.
    pub fn api_url(self) -> &'static str {
        match self {
            Self::Us => "https://api.intercom.io",
            Self::Eu => "https://api.eu.intercom.io",
            Self::Au => "https://api.au.intercom.io",
        }
    }
}

/// One Intercom workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Unique; part of the webhook address `/hooks/intercom/{name}`. Not the workspace id, which the token tells.
    pub name: String,
    /// Where its data lives.
    pub region: Region,
    /// Where REST is reached; the region's address unless configured. Without a slash at its end.
    pub api_url: Url,
    /// The access token of the app.
    pub access_token: SecretString,
    /// The app's client secret, with which Intercom signs deliveries and canvas requests.
    pub client_secret: SecretString,
    /// The secret before it, accepted too while both are in use.
    pub client_secret_previous: Option<SecretString>,
    /// The id of the teammate as whom Bowline writes. None: who the token belongs to.
    pub app_user: Option<String>,
}

/// A Jira project joined to a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name of the site.
    pub site: String,
    /// The project key.
    pub project: String,
    /// The name of the workspace.
    pub workspace: String,
    /// Whether addresses in this project's issues make links.
    pub linking: bool,
    /// Whether Jira delivers webhooks for this project. Without them the reconciler's polling is the only source.
    pub webhooks: bool,
    /// What happens on which change.
    pub notify: Notify,
    /// Whether a conversation that Bowline re-opens goes back to the unassigned queue.
    pub unassign_on_open: bool,
    /// Whether a note may wake a snoozed conversation. If not, it is snoozed again to its old time.
    pub wake_snoozed: bool,
    /// Whether nothing is told for now; links are followed all the same.
    pub muted: bool,
    /// How long a note waits for further changes of its issue, which then go in it, in seconds.
    pub coalesce_seconds: u32,
    /// Whether a note may hold the issue's summary.
    pub note_summary: bool,
    /// Whether a note may hold the texts of comments.
    pub note_comments: bool,
    /// What the panel of an issue shows.
    pub panel: Panel,
    /// The label that an issue has as long as conversations are linked to it.
    pub linked_label: Option<String>,
    /// The id of the number field with how many there are.
    pub linked_number_field: Option<String>,
    /// Rules for single transitions, in the order of the file.
    pub transitions: Vec<TransitionRule>,
}

/// What happens on which change of an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The issue was created, or linked later.
    pub created: React,
    /// The assignee changed.
    pub assigned: React,
    /// A comment was added.
    pub commented: Commented,
    /// The status changed, from any to any.
    pub transitioned: React,
}

/// What happens to the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct React {
    /// It gets a note.
    pub note: bool,
    /// It is re-opened if it is closed.
    pub reopen: bool,
}

/// What a comment does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commented {
    /// Note and re-open.
    pub react: React,
    /// Which comments count at all.
    pub filter: CommentFilter,
}

/// Which comments are forwarded. Restricted comments never are, whatever stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentFilter {
    /// Every comment.
    All,
    /// Only those that a Service Management customer may read.
    Public,
    /// Only those that contain this text.
    Marker(String),
}

/// One `[[binding.transition]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionRule {
    /// The status before.
    pub from: StatusPattern,
    /// The status after. Never [`StatusPattern::Any`].
    pub to: StatusPattern,
    /// What happens to the conversation.
    pub react: React,
}

/// Which statuses a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusPattern {
    /// `*`
    Any,
    /// `category:done`
    Category(Category),
    /// Digits only: the id of a status.
    Id(String),
    /// The name of a status.
    Name(String),
}

/// The keys of Jira's status categories; the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// "To do".
    New,
    /// "In progress".
    Indeterminate,
    /// "Done".
    Done,
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Category(Category::New) => f.write_str("category:new"),
            Self::Category(Category::Indeterminate) => f.write_str("category:indeterminate"),
            Self::Category(Category::Done) => f.write_str("category:done"),
            Self::Id(text) | Self::Name(text) => f.write_str(text),
        }
    }
}

/// The messaging providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelProvider {
    /// MessageBird's Conversations API.
    MessageBird,
    /// Meta's WhatsApp Cloud API.
    WhatsApp,
}

/// One account at a messaging provider.
#[derive(Clone, Debug)]
pub struct ChannelAccount {
    /// Unique; part of the webhook address `/hooks/messagebird/{name}` or `/hooks/whatsapp/{name}`.
    pub name: String,
    /// Which provider.
    pub provider: ChannelProvider,
    /// Where its API is reached. Without a slash at its end.
    pub api_url: Url,
    /// The access key (MessageBird) or the system user's token (WhatsApp).
    pub access_key: SecretString,
    /// The signing key (MessageBird) or the app secret (WhatsApp).
    pub signing_key: SecretString,
    /// The one before it, accepted too while both are in use.
    pub signing_key_previous: Option<SecretString>,
    /// The token that is entered beside the webhook's address at Meta.
    pub verify_token: Option<SecretString>,
    /// Whether the webhook is registered, and registered again when it is gone.
    pub register_webhook: bool,
    /// How often messages are looked for that no webhook told of.
    pub poll: Duration,
}

/// One desk: channels of an account that feed requests of one type.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Unique.
    pub name: String,
    /// The channel account.
    pub account: String,
    /// The channels.
    pub channels: DeskChannels,
    /// The site.
    pub site: String,
    /// The key of the service project.
    pub service_desk: String,
    /// The request type, by name or id.
    pub request_type: String,
    /// In whose name requests are made: account id (Cloud) or user name (Data Center).
    pub reporter: Option<String>,
    /// Fixed values of fields, as Jira wants them.
    pub fields: std::collections::BTreeMap<String, serde_json::Value>,
    /// What the end user is told of status changes.
    pub status_notifications: StatusNotifications,
    /// The statuses that end a conversation.
    pub closing: Vec<StatusPattern>,
    /// For how long after the end a message goes on with the old request.
    pub reopen_within: Duration,
    /// How long a message waits for the next one before both are written to Jira.
    pub quiet: Duration,
    /// How many requests one sender may begin within an hour.
    pub requests_per_hour: u32,
    /// Whether files of agents are sent.
    pub attachments_out: bool,
    /// What may be sent after the reply window.
    pub window_template: Option<WindowTemplate>,
    /// The language of end users of whom none is known otherwise.
    pub language: Option<Language>,
    /// What it says in languages.
    pub texts: Vec<Texts>,
}

/// In which language an end user is written to.
pub use bowline_domain::messaging::language::{Language, Texts};

/// An approved message that may be sent after the reply window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowTemplate {
    /// Its name at the provider.
    pub name: String,
    /// Its language.
    pub language: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The values for the places in its text.
    pub values: Vec<String>,
    /// What it says.
    pub text: Option<String>,
    /// Whether it is sent by itself.
    pub by_itself: bool,
}

/// The channels of a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskChannels {
    /// All of the account that no other desk names.
    All,
    /// These, by the provider's ids.
    Only(Vec<String>),
}

/// What the end user is told of status changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusNotifications {
    /// Whether a status without a line of its own is told.
    pub others: bool,
    /// What is told then, if it is not the usual text.
    pub usual: Option<String>,
    /// By status: its text, or `None` to tell nothing.
    pub by_status: std::collections::BTreeMap<String, Option<String>>,
}

/// Where a ticket of feedback is on its way.
pub use bowline_domain::feedback::ticket::Status as TicketStatus;

/// One product that feedback is gathered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What people call it.
    pub name: String,
    /// The name of the workspace whose tags count.
    pub workspace: String,
    /// The tags, by name or id.
    pub tags: Vec<String>,
    /// The statuses of which conversations are told by a note.
    pub notes: std::collections::BTreeSet<TicketStatus>,
    /// Whether the status of tickets follows their issue.
    pub follow_issue: bool,
    /// May a note of it wake a snoozed conversation?
    pub wake_snoozed: bool,
    /// What statuses are called, where not as usual.
    pub status_names: std::collections::BTreeMap<TicketStatus, String>,
    /// Where issues are made from tickets.
    pub issues: Option<IssuePlace>,
}

/// Where issues are made from tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuePlace {
    /// The name of the site.
    pub site: String,
    /// The project key.
    pub project: String,
    /// The issue type, by name.
    pub issue_type: String,
}

/// Whether two optional secrets are the same.
pub(super) fn same_secret(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

/// A workspace whose contacts are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSync {
    /// The name of the workspace.
    pub workspace: String,
    /// Whether changes follow; without it only new contacts are added.
    pub updates: bool,
}
