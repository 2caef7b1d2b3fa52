//! What one simulated Jira site looks like when it starts.

use serde::{Deserialize, Serialize};

use super::automation::Automation;

/// Which of the two products the site pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deployment {
    /// Jira Cloud: REST 2 and 3, account ids, basic authentication with an API token.
    Cloud,
    /// Jira Data Center 10: REST 2 only, user names, personal access tokens.
    DataCenter,
}

/// One person or bot known to the site.
#[derive(Clone, Debug)]
pub struct UserConfig {
    /// Short handle: the user name on Data Center, and what the direct API of the sandbox accepts.
    pub name: String,
    /// Account id on Cloud, user key on Data Center.
    pub account_id: String,
    /// Name that people see.
    pub display_name: String,
    /// Address; also the user part of basic authentication on Cloud.
    pub email: String,
    /// Whether other users see the address. Cloud hides it by default.
    pub email_visible: bool,
    /// API token (Cloud) or personal access token (Data Center); `None` cannot use REST.
    pub token: Option<String>,
    /// A scoped token works only through the gateway path `/ex/jira/{cloud id}`.
    pub scoped_token: bool,
    /// Jira administrator: may manage webhooks, edit and delete everything, see restricted things.
    pub admin: bool,
    /// `atlassian`, `app` or `customer`.
    pub account_type: String,
}

impl UserConfig {
    /// A plain licensed user with an address at example.com and no token.
    pub fn person(name: &str, account_id: &str, display_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            account_id: account_id.to_owned(),
            display_name: display_name.to_owned(),
            email: format!("{name}@example.com"),
            email_visible: false,
            token: Some(format!("token-of-{name}")),
            scoped_token: false,
            admin: false,
            account_type: "atlassian".to_owned(),
        }
    }
}

/// The kind of a project, as `projectTypeKey` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectKind {
    /// `software`
    Software,
    /// `business`
    Business,
    /// `service_desk`: comments can be internal to agents.
    ServiceDesk,
}

impl ProjectKind {
    /// The value of `projectTypeKey`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Business => "business",
            Self::ServiceDesk => "service_desk",
        }
    }
}

/// One project.
#[derive(Clone, Debug)]
pub struct ProjectConfig {
    /// Key, for example `ENG`.
    pub key: String,
    /// Name that people see.
    pub name: String,
    /// Kind of project.
    pub kind: ProjectKind,
    /// Only administrators may browse it; everybody else gets 404.
    pub hidden: bool,
}

impl ProjectConfig {
    /// A software project that everybody may browse.
    pub fn software(key: &str, name: &str) -> Self {
        Self {
            key: key.to_owned(),
            name: name.to_owned(),
            kind: ProjectKind::Software,
            hidden: false,
        }
    }
}

/// One field of a request type's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestField {
    /// Field id: `summary`, `description` or a custom field.
    pub id: String,
    /// Name on the form.
    pub name: String,
    /// Whether a request needs it.
    pub required: bool,
    /// The values it may have, with their labels; anything if empty.
    pub values: Vec<(String, String)>,
}

impl RequestField {
    /// A field that may have any value.
    pub fn text(id: &str, name: &str, required: bool) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            required,
            values: Vec::new(),
        }
    }
}

/// One request type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestType {
    /// Name.
    pub name: String,
    /// Fields of its form.
    pub fields: Vec<RequestField>,
}

/// One service desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskConfig {
    /// Key of its service project.
    pub project: String,
    /// Request types, in order; their ids are 1, 2, ... across the site.
    pub request_types: Vec<RequestType>,
    /// Names of the users who are its customers.
    pub customers: Vec<String>,
}

impl DeskConfig {
    /// A desk with "Get help" (summary, description) and "Report an incident" (a description and
    /// the field Customer are required as well).
    pub fn support(project: &str, customer: &str) -> Self {
        let summary = || RequestField::text("summary", "Summary", true);
        let description = |required| RequestField::text("description", "Description", required);
        Self {
            project: project.to_owned(),
            request_types: vec![
                RequestType {
                    name: "Get help".to_owned(),
                    fields: vec![summary(), description(false)],
                },
                RequestType {
                    name: "Report an incident".to_owned(),
                    fields: vec![
                        summary(),
                        description(true),
                        RequestField::text("customfield_10050", "Customer", true),
                    ],
                },
            ],
            customers: vec![customer.to_owned()],
        }
    }
}

/// One administrator webhook that exists from the start.
#[derive(Clone, Debug, Default)]
pub struct WebhookConfig {
    /// Name shown to administrators.
    pub name: String,
    /// Where deliveries go; may contain variables such as `{issue.key}`.
    pub url: String,
    /// Event names; an empty list means every event the sandbox knows.
    pub events: Vec<String>,
    /// JQL filter for issue-related events; empty lets everything pass.
    pub jql: String,
    /// Signing secret; without one, deliveries carry no signature.
    pub secret: Option<String>,
    /// Send no body at all.
    pub exclude_body: bool,
}

/// Rate limits of the site. The numbers are the published defaults of Jira Cloud (October 2026).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests per second and endpoint for GET.
    pub get_per_second: u32,
    /// Requests per second and endpoint for POST.
    pub post_per_second: u32,
    /// Requests per second and endpoint for PUT.
    pub put_per_second: u32,
    /// Requests per second and endpoint for DELETE.
    pub delete_per_second: u32,
    /// Requests per second for GET of one issue.
    pub get_issue_per_second: u32,
    /// Writes to one issue: (count, window in milliseconds), all of which must hold.
    pub issue_writes: Vec<(u32, i64)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            get_per_second: 100,
            post_per_second: 100,
            put_per_second: 50,
            delete_per_second: 50,
            get_issue_per_second: 150,
            issue_writes: vec![(20, 2_000), (100, 30_000)],
        }
    }
}

/// Behaviour that differs between real sites and may be switched while running.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Text in webhook bodies is an ADF object instead of a wiki string.
    pub adf_in_webhooks: bool,
    /// Comment events on Cloud come without the issue. (Data Center never sends it.)
    pub comment_events_without_issue: bool,
    /// Cloud also sends `jira:issue_updated` with the comment for every comment. (Data Center always does.)
    pub doubled_comments: bool,
    /// A search page never holds more than this many issues, whatever was asked.
    pub short_pages: Option<usize>,
    /// A search with wrong credentials is answered as for an anonymous caller: 200 with no issues.
    pub anonymous_search: bool,
    /// Deliver no webhooks at all (an administrator disabled them).
    pub webhooks_off: bool,
    /// Take no attachments (an administrator disabled them).
    pub attachments_off: bool,
    /// Do not show the property of a service project's comment: only `jsdPublic` (Cloud) says
    /// that it is internal.
    pub comment_properties_hidden: bool,
    /// An installed app declares an index of the property with linked conversations, so that JQL
    /// finds issues by its count. Without one the property cannot be searched.
    pub links_searchable: bool,
}

/// The whole site.
#[derive(Clone, Debug)]
pub struct Config {
    /// Cloud or Data Center.
    pub deployment: Deployment,
    /// Address in links and `self` fields; `None` takes the address the server listens on.
    pub public_url: Option<String>,
    /// Cloud id, answered by `/_edge/tenant_info` and part of the gateway path.
    pub cloud_id: String,
    /// Everybody; the first one is the bot.
    pub users: Vec<UserConfig>,
    /// Projects in order.
    pub projects: Vec<ProjectConfig>,
    /// Service desks of service projects.
    pub desks: Vec<DeskConfig>,
    /// Rules that act on comments.
    pub automations: Vec<Automation>,
    /// Webhooks that exist from the start.
    pub webhooks: Vec<WebhookConfig>,
    /// How long a change stays invisible to search, in milliseconds.
    pub search_lag_ms: i64,
    /// Rate limits; `None` switches them off.
    pub limits: Option<Limits>,
    /// Offset of the stamps from UTC, in minutes (120 gives `+0200`).
    pub utc_offset_minutes: i32,
    /// Waits before the second and later attempts of a webhook delivery, in milliseconds.
    pub retry_delays_ms: Vec<u64>,
    /// Behaviour switches at the start.
    pub switches: Switches,
}

/// Account id of the bot on a site made by [`Config::cloud`].
pub const BOT_ACCOUNT: &str = "712020:b0b0b0b0-0000-4000-8000-0000000000b0";

/// Token of the bot on a site made by [`Config::cloud`] or [`Config::data_center`].
pub const BOT_TOKEN: &str = "sandbox-bot-token";

impl Config {
    /// A Cloud site with a bot, three colleagues, one customer, and the projects ENG, OPS, SUP and HR.
    /// HR may be browsed by administrators only. No rate limits, no search lag, no webhooks.
    pub fn cloud() -> Self {
        let bot = UserConfig {
            token: Some(BOT_TOKEN.to_owned()),
            account_type: "app".to_owned(),
            ..UserConfig::person("bowline-bot", BOT_ACCOUNT, "Bowline Bot")
        };
        let priya = UserConfig {
            admin: true,
            ..UserConfig::person(
                "priya",
                "712020:a1a1a1a1-0000-4000-8000-0000000000a1",
                "Priya Nair",
            )
        };
        let customer = UserConfig {
            account_type: "customer".to_owned(),
            token: None,
            ..UserConfig::person(
                "casey",
                "qm:c5c5c5c5-0000-4000-8000-0000000000c5",
                "Casey Customer",
            )
        };
        Self {
            deployment: Deployment::Cloud,
            public_url: None,
            cloud_id: "5a5a5a5a-0000-4000-8000-00000000c10d".to_owned(),
            users: vec![
                bot,
                UserConfig::person(
                    "lena",
                    "712020:e2e2e2e2-0000-4000-8000-0000000000e2",
                    "Lena Fischer",
                ),
                UserConfig::person("omar", "5f0000000000000000000a03", "Omar Haddad"),
                priya,
                customer,
            ],
            projects: vec![
                ProjectConfig::software("ENG", "Engineering"),
                ProjectConfig::software("OPS", "Operations"),
                ProjectConfig {
                    kind: ProjectKind::ServiceDesk,
                    ..ProjectConfig::software("SUP", "Support desk")
                },
                ProjectConfig {
                    kind: ProjectKind::Business,
                    hidden: true,
                    ..ProjectConfig::software("HR", "People")
                },
            ],
            desks: vec![DeskConfig::support("SUP", "casey")],
            automations: Vec::new(),
            webhooks: Vec::new(),
            search_lag_ms: 0,
            limits: None,
            utc_offset_minutes: 120,
            retry_delays_ms: vec![250, 500, 1_000, 2_000],
            switches: Switches::default(),
        }
    }

    /// The same site as Data Center: user keys, visible addresses, no delivery retries (none are documented).
    pub fn data_center() -> Self {
        let mut config = Self::cloud();
        config.deployment = Deployment::DataCenter;
        config.retry_delays_ms = Vec::new();
        for (user, number) in config.users.iter_mut().zip(10_100..) {
            user.account_id = format!("JIRAUSER{number}");
            user.email_visible = true;
            "atlassian".clone_into(&mut user.account_type);
        }
        config
    }
}

impl Default for Config {
    /// [`Config::cloud`].
    fn default() -> Self {
        Self::cloud()
    }
}
