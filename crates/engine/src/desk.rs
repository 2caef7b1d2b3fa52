//! Desks and channel accounts as others may know them, and whether a desk can make its requests.

use std::sync::Arc;

use bowline_domain::connection::Health;
use bowline_domain::messaging::ids::{AccountName, DeskName};
use bowline_domain::messaging::request::Request;
use bowline_domain::messaging::words::Missing;
use bowline_domain::time::Millis;
use bowline_jira::{Client as Jira, RequestType};
use bowline_net::{ApiError, ErrorKind, Transport};

use crate::config::{AccountConfig, DeskConfig, Provider};
use crate::pace::Priority;
use crate::registry::provider;
use crate::shared::Shared;

/// The fields that Bowline fills by itself.
const FILLED: [&str; 2] = ["summary", "description"];

/// What Bowline needs to be allowed in a service project, and what for.
const PERMISSIONS: &[(&str, &str)] = &[
    (
        "SERVICEDESK_AGENT",
        "to make requests in a customer's name and to comment internally",
    ),
    ("ADD_COMMENTS", "to write what customers say"),
    (
        "EDIT_OWN_COMMENTS",
        "to gather what customers say in one comment",
    ),
    (
        "EDIT_ISSUES",
        "to gather what customers say in the description",
    ),
    ("CREATE_ATTACHMENTS", "to attach the files of customers"),
];

/// The setting of a desk that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The key of its account.
    Account,
    /// Its site.
    Site,
    /// The service project, or what our account may do there.
    ServiceDesk,
    /// The request type.
    RequestType,
    /// The fixed values of fields.
    Fields,
    /// In whose name requests are made.
    Reporter,
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Is it as it should be?
    pub good: bool,
    /// Which setting it is about.
    pub about: About,
    /// What was found, in words; of what is not good also who can mend it, and how.
    pub words: String,
}

impl Finding {
    fn good(about: About, words: String) -> Self {
        Self {
            good: true,
            about,
            words,
        }
    }

    fn bad(about: About, words: String) -> Self {
        Self {
            good: false,
            about,
            words,
        }
    }
}

/// A configured desk.
#[derive(Clone, Debug)]
pub struct DeskNow {
    /// As it is configured.
    pub config: DeskConfig,
    /// Where people open its site, if that is configured.
    pub site_url: Option<String>,
}

/// A configured channel account and how it is.
#[derive(Clone, Debug)]
pub struct AccountNow {
    /// Its name.
    pub name: AccountName,
    /// Which provider.
    pub provider: Provider,
    /// The address that the provider calls.
    pub hook_url: String,
    /// Is the webhook registered by us?
    pub registers: bool,
    /// How it is.
    pub health: Health,
    /// Why, in words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Millis,
    /// Who we are there, as the provider says.
    pub known_as: Option<String>,
    /// When a signed delivery last came.
    pub webhook_seen_at: Option<Millis>,
}

impl Shared {
    /// The desks, as configured.
    pub fn desks_now(&self) -> Vec<DeskNow> {
        let registry = self.registry();
        let desks = registry.desks.iter();
        desks
            .map(|config| DeskNow {
                site_url: registry
                    .sites
                    .get(&config.desk.site)
                    .map(|site| site.browse_base()),
                config: DeskConfig::clone(config),
            })
            .collect()
    }

    /// What is missing so that a conversation is served by no desk; `None` if one serves it.
    pub fn missing_now(&self, account: &AccountName, request: &Request) -> Option<Missing> {
        let registry = self.registry();
        match registry.desk_for(account, request) {
            Some(_) => None,
            None => Some(registry.missing_for(account, request)),
        }
    }

    /// The channel accounts, by name.
    pub fn accounts_now(&self) -> Vec<AccountNow> {
        let registry = self.registry();
        let mut all: Vec<AccountNow> = registry
            .accounts
            .values()
            .map(|account| {
                let known = account.standing.known();
                AccountNow {
                    name: account.config.name.clone(),
                    provider: account.config.provider,
                    hook_url: account.config.hook_url.to_string(),
                    registers: account.config.register_webhook
                        && account.config.provider == Provider::MessageBird,
                    health: known.health,
                    reason: known.reason,
                    since: known.since,
                    known_as: known.remote_id,
                    webhook_seen_at: known.webhook_seen_at,
                }
            })
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Asks Jira and the provider now whether a desk can do its work. Empty if there is no such
    /// desk.
    pub async fn check_desk_now(&self, name: &DeskName) -> Vec<Finding> {
        let registry = self.registry();
        let Some(config) = registry.desk(name).map(Arc::clone) else {
            return Vec::new();
        };
        let mut findings = self.check_key(&config).await;
        let Some(site) = registry.sites.get(&config.desk.site) else {
            let words = format!("The site “{}” is not configured.", config.desk.site);
            findings.push(Finding::bad(About::Site, words));
            return findings;
        };
        let pace = &site.standing.pace;
        pace.turn(Priority::Interactive, &*self.clock).await;
        findings.extend(check(&site.client, &config).await);
        findings
    }

    /// Does the key of the desk's account work?
    async fn check_key(&self, config: &DeskConfig) -> Vec<Finding> {
        let registry = self.registry();
        let name = &config.desk.account;
        let Some(account) = registry.accounts.get(name) else {
            let words = format!("The channel account “{name}” is not configured.");
            return vec![Finding::bad(About::Account, words)];
        };
        let channel = registry
            .channel_of(name)
            .map(|channel| bowline_messagebird::ChannelId::new(channel.as_str()));
        let pace = &account.standing.pace;
        pace.turn(Priority::Interactive, &*self.clock).await;
        let finding = match account.provider.check(channel.as_ref()).await {
            Ok(seen) => Finding::good(
                About::Account,
                match seen.value.name {
                    Some(known_as) => {
                        format!("the key of the account “{name}” works, for {known_as}")
                    }
                    None => format!("the key of the account “{name}” works"),
                },
            ),
            Err(error) => Finding::bad(
                About::Account,
                format!(
                    "the key of the account “{name}”: {error}. An administrator takes the access key from the \
                     provider's dashboard."
                ),
            ),
        };
        vec![finding]
    }
}

/// Asks the provider who we are with an account's key, as `check` and the pages do before a key is
/// kept. WhatsApp can be asked for one channel only.
///
/// # Errors
/// As the provider refuses, or is not reached.
pub async fn try_account(
    transport: &Arc<dyn Transport>,
    account: &AccountConfig,
    channel: Option<&str>,
) -> Result<Option<String>, ApiError> {
    let channel = channel.map(bowline_messagebird::ChannelId::new);
    let provider = provider(account, transport);
    let seen = provider.check(channel.as_ref()).await?;
    Ok(seen.value.name)
}

/// The fields that no message fills and that have no default, of those that a request type needs.
pub fn needed(fields: &bowline_jira::RequestFields) -> Vec<&bowline_jira::RequestField> {
    fields.unfilled(&FILLED)
}

/// Can requests of the desk's type be made as it is configured?
pub async fn check(jira: &Jira, desk: &DeskConfig) -> Vec<Finding> {
    let found = match jira.service_desk(&desk.service_desk).await {
        Ok(reply) => reply.value,
        Err(error) => {
            let about = match error.kind {
                ErrorKind::NotFound | ErrorKind::Permission => About::ServiceDesk,
                _ => About::Site,
            };
            let words = format!(
                "{error}. Either {} is no service project, or Bowline's account is no agent there.",
                desk.service_desk
            );
            return vec![Finding::bad(about, words)];
        }
    };
    let types = match request_types(jira, &found.id).await {
        Ok(types) => types,
        Err(error) => return vec![Finding::bad(About::Site, error)],
    };
    let wanted = &desk.request_type;
    let named = types
        .iter()
        .find(|one| one.id == *wanted || one.name.to_lowercase() == wanted.to_lowercase());
    let Some(request_type) = named else {
        let known: Vec<&str> = types.iter().map(|one| one.name.as_str()).collect();
        let words = format!(
            "{} has no request type “{wanted}”; it has {}.",
            desk.service_desk,
            known.join(", ")
        );
        return vec![Finding::bad(About::RequestType, words)];
    };
    let mut findings = check_fields(jira, desk, (&found.id, request_type)).await;
    findings.extend(check_permissions(jira, desk).await);
    findings
}

/// The request types of a service desk, by the desk's own id.
///
/// # Errors
/// In words.
pub async fn request_types(jira: &Jira, service_desk: &str) -> Result<Vec<RequestType>, String> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = jira.request_types(service_desk, cursor.as_ref()).await;
        let page = page.map_err(|error| error.to_string())?.value;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

async fn check_fields(
    jira: &Jira,
    desk: &DeskConfig,
    (service_desk, request_type): (&str, &RequestType),
) -> Vec<Finding> {
    let fields = match jira.request_fields(service_desk, &request_type.id).await {
        Ok(reply) => reply.value,
        Err(error) => return vec![Finding::bad(About::RequestType, error.to_string())],
    };
    let fixed = desk.fields.keys().map(String::as_str);
    let filled: Vec<&str> = FILLED.into_iter().chain(fixed).collect();
    let mut findings: Vec<Finding> = fields
        .unfilled(&filled)
        .into_iter()
        .map(|field| {
            let words = format!(
                "the request type “{}” needs “{}” ({}), which no message fills. Give it a fixed \
                 value in the desk's `fields`, give it a default in Jira, or choose a request type \
                 without it.",
                request_type.name, field.name, field.id
            );
            Finding::bad(About::Fields, words)
        })
        .collect();
    if findings.is_empty() {
        let words = format!("requests of the type “{}” can be made", request_type.name);
        findings.push(Finding::good(About::RequestType, words));
    }
    if let (Some(reporter), false) = (&desk.reporter, fields.can_raise_on_behalf_of) {
        let words = format!(
            "Bowline's account may not make requests in the name of {reporter}: it has to be an \
             agent of {}.",
            desk.service_desk
        );
        findings.push(Finding::bad(About::Reporter, words));
    }
    findings
}

async fn check_permissions(jira: &Jira, desk: &DeskConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, why) in PERMISSIONS {
        match jira.my_permissions(&[name], Some(&desk.service_desk)).await {
            Ok(reply) if reply.value.get(*name) == Some(&true) => {}
            Ok(_) => findings.push(Finding::bad(
                About::ServiceDesk,
                format!(
                    "the account lacks {name} in {}, needed {why}. A project administrator grants it.",
                    desk.service_desk
                ),
            )),
            // Not every Jira knows every permission by this name.
            Err(error) if error.kind == ErrorKind::Data => {}
            Err(error) => {
                findings.push(Finding::bad(About::Site, error.to_string()));
                return findings;
            }
        }
    }
    findings
}
