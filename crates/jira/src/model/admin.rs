//! The account, the site, its projects and its webhooks.

use bowline_net::json::{at, filled, flag, id, list, text};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::person::Person;
use crate::client::Deployment;

/// The section of a webhook's filters that holds the JQL for issues and what hangs on them.
const JQL_SECTION: &str = "issue-related-events-section";

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// The account.
    pub person: Person,
    /// The time zone in which Jira reads dates in JQL, as an IANA name.
    pub time_zone: Option<String>,
}

impl Myself {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            person: Person::read(value)?,
            time_zone: filled(value, "timeZone"),
        })
    }
}

/// What kind of Jira answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Cloud, or anything else (Server and Data Center both say "Server").
    pub deployment: Deployment,
    /// The base address as configured in Jira.
    pub base_url: String,
    /// The version, as `10.3.4` or `1001.0.0-SNAPSHOT`.
    pub version: String,
}

impl ServerInfo {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let cloud =
            filled(value, "deploymentType").is_some_and(|t| t.eq_ignore_ascii_case("cloud"));
        Some(Self {
            deployment: if cloud {
                Deployment::Cloud
            } else {
                Deployment::DataCenter
            },
            base_url: filled(value, "baseUrl")?,
            version: text(value, "version").unwrap_or_default(),
        })
    }
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The numeric id.
    pub id: String,
    /// The key, which may change.
    pub key: String,
    /// The name.
    pub name: String,
    /// `software`, `service_desk`, `business`, … ; open-ended.
    pub type_key: Option<String>,
}

impl Project {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            key: filled(value, "key")?,
            name: text(value, "name").unwrap_or_default(),
            type_key: filled(value, "projectTypeKey"),
        })
    }
}

/// An administrator's webhook as Jira lists it. The secret is never told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminWebhook {
    /// Its id: on Cloud the end of its address.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it delivers.
    pub url: String,
    /// The events it delivers.
    pub events: Vec<String>,
    /// The JQL that limits issue events.
    pub jql: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether deliveries are signed, where Jira says so.
    pub signed: Option<bool>,
}

impl AdminWebhook {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let from_address = || {
            let own = filled(value, "self")?;
            own.trim_end_matches('/')
                .rsplit('/')
                .next()
                .map(str::to_owned)
        };
        let secret_shown = at(value, &["configuration", "SECRET"]);
        Some(Self {
            id: id(value, "id").or_else(from_address),
            name: text(value, "name").unwrap_or_default(),
            url: filled(value, "url")?,
            events: list(value, "events")
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            jql: filled(at(value, &["filters"]), JQL_SECTION),
            enabled: flag(value, "enabled")
                .or_else(|| flag(value, "active"))
                .unwrap_or(true),
            signed: flag(value, "isSigned")
                .or_else(|| secret_shown.as_str().map(|secret| !secret.is_empty())),
        })
    }
}

/// A webhook to register.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Its name in the list.
    pub name: String,
    /// Where it delivers.
    pub url: String,
    /// The events, as `jira:issue_updated`.
    pub events: Vec<String>,
    /// The JQL that limits issue events.
    pub jql: Option<String>,
    /// The secret that signs deliveries.
    pub secret: SecretString,
}

impl NewWebhook {
    /// The body that the deployment wants. Data Center ignores a top-level secret without a word
    /// and then delivers unsigned; its secret goes into the configuration.
    pub(crate) fn body(&self, deployment: Deployment) -> Value {
        let secret = self.secret.expose_secret();
        let mut body = match deployment {
            Deployment::Cloud => json!({
                "name": self.name, "url": self.url, "events": self.events,
                "description": "", "excludeBody": false, "secret": secret,
            }),
            Deployment::DataCenter => json!({
                "name": self.name, "url": self.url, "events": self.events, "active": true,
                "configuration": { "EXCLUDE_BODY": "false", "SECRET": secret },
                "sslVerificationRequired": true,
            }),
        };
        if let Some(jql) = &self.jql {
            body["filters"] = json!({ JQL_SECTION: jql });
        }
        body
    }
}
