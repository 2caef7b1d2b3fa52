//! What a workspace holds.

use serde::Serialize;
use serde_json::{Map, Value};

use super::topics;

/// Where a workspace's data lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Region {
    /// United States.
    #[default]
    Us,
    /// Europe.
    Eu,
    /// Australia.
    Au,
}

impl Region {
    /// As `GET /me` names it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Eu => "EU",
            Self::Au => "AU",
        }
    }

    /// Host of the web application, as in the addresses that people copy.
    pub fn app_host(self) -> &'static str {
        match self {
            Self::Us => "app.intercom.com",
            Self::Eu => "app.eu.intercom.com",
            Self::Au => "app.au.intercom.com",
        }
    }
}

/// A teammate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Id, digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// How the simulated Intercom is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Workspace code: eight letters and digits.
    pub workspace: String,
    /// The workspace's name.
    pub workspace_name: String,
    /// Where its data lives.
    pub region: Region,
    /// The token that REST calls need.
    pub access_token: String,
    /// The app's client id, for the token exchange.
    pub client_id: String,
    /// The app's client secret: signs webhooks, and is asked for in the token exchange.
    pub client_secret: String,
    /// Marks what was done through the API, in `app_package_code`.
    pub app_package_code: String,
    /// Teammates; the token belongs to the first.
    pub admins: Vec<Admin>,
    /// Attributes that the workspace has defined for conversations; others are refused.
    pub conversation_attributes: Vec<String>,
    /// Attributes that the workspace has defined for contacts; others are refused.
    pub contact_attributes: Vec<String>,
    /// What the workspace says of its own attributes: name and description.
    pub attribute_descriptions: Vec<(String, String)>,
    /// Attributes that the workspace has defined for companies.
    pub company_attributes: Vec<String>,
    /// Where webhooks go; nowhere if absent.
    pub webhook_url: Option<String>,
    /// Topics that webhooks are sent for.
    pub topics: Vec<String>,
    /// Wait before the second attempt of a webhook, in milliseconds.
    pub webhook_retry_ms: u64,
    /// How long the receiver of a webhook may take, in milliseconds.
    pub webhook_timeout_ms: u64,
    /// Calls per ten seconds; no limit if absent.
    pub rate_limit_per_10s: Option<u32>,
    /// Wait before every REST call, in milliseconds.
    pub latency_ms: u64,
    /// How long searches do not see what was created, in milliseconds.
    pub search_lag_ms: i64,
    /// Invented contacts that the workspace has from the beginning, made by number.
    pub invented_contacts: u64,
    /// Invented companies that they belong to.
    pub invented_companies: u64,
    /// The time zone in which the workspace counts its days.
    pub timezone: String,
    /// Does `contact.merged` say who was merged? The newest documentation has it; a capture of
    /// January 2026 lacks it.
    pub tells_merged_from: bool,
    /// The app lacks the permission to read contacts and companies.
    pub contacts_forbidden: bool,
}

impl Default for Config {
    fn default() -> Self {
        let admin = |id: &str, name: &str, email: &str| Admin {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
        };
        Self {
            workspace: "sbx00001".to_owned(),
            workspace_name: "Example Shop".to_owned(),
            region: Region::Us,
            access_token: "sandbox-intercom-token".to_owned(),
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-client-secret".to_owned(),
            app_package_code: "bowline-sandbox".to_owned(),
            admins: vec![
                admin("991267459", "Bowline", "bowline@example.com"),
                admin("991267460", "Ada Moreau", "ada@example.com"),
                admin("991267461", "Ben Okafor", "ben@example.com"),
            ],
            conversation_attributes: vec!["Jira".to_owned()],
            contact_attributes: vec!["plan".to_owned(), "company_size".to_owned()],
            attribute_descriptions: vec![(
                "plan".to_owned(),
                "What the customer pays for.".to_owned(),
            )],
            company_attributes: vec!["renews_at".to_owned()],
            webhook_url: None,
            topics: topics::ALL
                .iter()
                .map(|topic| (*topic).to_owned())
                .collect(),
            webhook_retry_ms: 60_000,
            webhook_timeout_ms: 5_000,
            rate_limit_per_10s: Some(super::limit::DEFAULT_PER_WINDOW),
            latency_ms: 0,
            search_lag_ms: 0,
            invented_contacts: 0,
            invented_companies: 0,
            timezone: "UTC".to_owned(),
            tells_merged_from: false,
            contacts_forbidden: false,
        }
    }
}

/// State of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// In the inbox.
    Open,
    /// Done.
    Closed,
    /// Away from the inbox until a time, a reply, or a note.
    Snoozed,
}

impl ConversationState {
    /// As the REST API names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Snoozed => "snoozed",
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    /// `user`, `lead`, `admin` or `bot`.
    pub(crate) kind: &'static str,
    /// Contact or admin id.
    pub(crate) id: String,
    /// Name, if known.
    pub(crate) name: Option<String>,
    /// E-mail address, if known.
    pub(crate) email: Option<String>,
}

impl Author {
    pub(crate) fn is_teammate(&self) -> bool {
        self.kind == "admin"
    }
}

/// A message or event in a conversation.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "part_type is the platform's own word"
)]
pub(crate) struct Part {
    /// Unique in the workspace.
    pub(crate) id: u64,
    /// `comment`, `note`, `open`, `close`, `snoozed`, …
    pub(crate) part_type: &'static str,
    /// HTML, if it says something.
    pub(crate) body: Option<String>,
    /// Unix seconds.
    pub(crate) created_at: i64,
    /// Who did it.
    pub(crate) author: Author,
    /// Admin that the conversation went to, for assignments.
    pub(crate) assigned_to: Option<u64>,
    /// Attachments, as they are shown.
    pub(crate) attachments: Vec<Value>,
    /// Tags on this message: tag id.
    pub(crate) tags: Vec<u64>,
    /// State of the conversation after it.
    pub(crate) state: ConversationState,
    /// More about an event.
    pub(crate) event_details: Value,
    /// Whether it was done through the API.
    pub(crate) via_api: bool,
}

/// A tag on a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) tag: u64,
    pub(crate) at: i64,
    pub(crate) by: String,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) id: u64,
    pub(crate) source_id: u64,
    pub(crate) title: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) waiting_since: Option<i64>,
    pub(crate) snoozed_until: Option<i64>,
    pub(crate) state: ConversationState,
    pub(crate) read: bool,
    pub(crate) admin_assignee: u64,
    pub(crate) body: String,
    pub(crate) author: Author,
    pub(crate) source_tags: Vec<u64>,
    /// Attachments of the first message.
    pub(crate) source_files: Vec<Value>,
    /// Was the first message redacted?
    pub(crate) source_redacted: bool,
    pub(crate) contacts: Vec<String>,
    pub(crate) teammates: Vec<String>,
    pub(crate) tags: Vec<Applied>,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) parts: Vec<Part>,
    pub(crate) merged_into: Option<u64>,
}

impl Conversation {
    /// Who wrote first, in the platform's words.
    pub(crate) fn delivered_as(&self) -> &'static str {
        if self.author.is_teammate() {
            "admin_initiated"
        } else {
            "customer_initiated"
        }
    }
}

/// A user or lead.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) external_id: Option<String>,
    pub(crate) role: &'static str,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) owner_id: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) last_replied_at: Option<i64>,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) archived: bool,
}

/// A tag.
#[derive(Clone, Debug, Serialize)]
pub struct Tag {
    /// Id, digits.
    pub id: String,
    /// Name, unique without regard to case.
    pub name: String,
}

/// A note in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Id of the part.
    pub part_id: String,
    /// HTML as it was stored.
    pub body: String,
    /// Who wrote it.
    pub admin_id: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// A message or event in a conversation, as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartView {
    /// Id of the part.
    pub id: String,
    /// `comment`, `note`, `open`, …
    pub part_type: String,
    /// HTML as it was stored.
    pub body: Option<String>,
    /// `user`, `lead`, `admin` or `bot`.
    pub author_type: String,
    /// Contact or admin id.
    pub author_id: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Whether it was done through the API.
    pub via_api: bool,
}

/// A contact to be made.
#[derive(Clone, Debug, Default)]
pub struct NewContact {
    /// A lead if true, a user otherwise.
    pub lead: bool,
    /// E-mail address.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// The id that the workspace's own system uses.
    pub external_id: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Attributes that the workspace defined.
    pub custom_attributes: Map<String, Value>,
}

impl NewContact {
    /// A user with a name and an e-mail address.
    pub fn user(name: &str, email: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }
}
