//! What a row about messaging means. JSON that other versions read: changed additively.

use std::collections::BTreeMap;

use bowline_engine::Provider;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::desk_texts::StoredTexts;

/// The provider of an account, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredProvider {
    /// MessageBird's Conversations API.
    #[default]
    MessageBird,
    /// Meta's WhatsApp Cloud API.
    WhatsApp,
}

impl StoredProvider {
    /// As the engine says it.
    pub fn provider(self) -> Provider {
        match self {
            Self::MessageBird => Provider::MessageBird,
            Self::WhatsApp => Provider::WhatsApp,
        }
    }
}

/// An account at a messaging provider, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredAccount {
    /// Which provider.
    pub provider: StoredProvider,
    /// Where its API is reached, if elsewhere.
    pub api_url: Option<String>,
    /// WhatsApp's id of a phone number: what the token is tried with.
    pub phone_number_id: Option<String>,
    /// Is the webhook registered by us, where that can be done?
    pub register_webhook: bool,
    /// How often messages are looked for that no webhook told of, in seconds.
    pub poll_seconds: u32,
}

/// How often messages are looked for that no webhook told of, in seconds, unless someone said
/// otherwise: the default of the configuration file.
pub const POLL_SECONDS: u32 = 300;

impl Default for StoredAccount {
    fn default() -> Self {
        Self {
            provider: StoredProvider::default(),
            api_url: None,
            phone_number_id: None,
            register_webhook: true,
            poll_seconds: POLL_SECONDS,
        }
    }
}

/// The secrets of an account.
#[derive(Clone, Debug)]
pub struct AccountSecrets {
    /// The access key or token.
    pub access_key: SecretString,
    /// What webhooks are signed with.
    pub signing_key: SecretString,
    /// The one before it.
    pub signing_key_previous: Option<SecretString>,
    /// What WhatsApp names when it asks whether the webhook's address is ours.
    pub verify_token: Option<SecretString>,
}

/// A desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredDesk {
    /// The account's name.
    pub account: String,
    /// The channels; `None`: all that no other desk names.
    pub channels: Option<Vec<String>>,
    /// The site's name.
    pub site: String,
    /// The key of the service project.
    pub service_desk: String,
    /// The request type, by id.
    pub request_type: String,
    /// What it was called when it was chosen.
    pub request_type_name: String,
    /// In whose name requests are made; without one in our account's own.
    pub reporter: Option<String>,
    /// Fixed values of fields, by their ids.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Is the end user told of a status that has no line of its own?
    pub tell_others: bool,
    /// What they are told then, if it is not the usual text.
    pub usual: Option<String>,
    /// By status: its text, or `None` to tell nothing.
    pub by_status: BTreeMap<String, Option<String>>,
    /// The statuses that end a conversation, as the configuration file writes them.
    pub closing: Vec<String>,
    /// For how long after the end a new message goes on with the old request, in seconds.
    pub reopen_within_seconds: u32,
    /// How long a message waits for the next one before both are written, in seconds.
    pub quiet_seconds: u32,
    /// Requests that one sender may begin within an hour.
    pub requests_per_hour: u32,
    /// Are files of the agent's sent?
    pub attachments_out: bool,
    /// What may be sent after the reply window has ended, if anything.
    pub window_template: Option<StoredTemplate>,
    /// The language of whom none is known otherwise.
    pub language: Option<String>,
    /// What it says in languages.
    pub texts: Vec<StoredTexts>,
}

/// An approved message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredTemplate {
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
    /// Is it sent by itself?
    pub by_itself: bool,
}

/// The defaults are those of the configuration file.
impl Default for StoredDesk {
    fn default() -> Self {
        Self {
            account: String::new(),
            channels: None,
            site: String::new(),
            service_desk: String::new(),
            request_type: String::new(),
            request_type_name: String::new(),
            reporter: None,
            fields: BTreeMap::new(),
            tell_others: true,
            usual: None,
            by_status: BTreeMap::new(),
            closing: vec!["category:done".to_owned()],
            reopen_within_seconds: 0,
            quiet_seconds: 3,
            requests_per_hour: 20,
            attachments_out: false,
            window_template: None,
            language: None,
            texts: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_versions_are_read() {
        let account: StoredAccount =
            serde_json::from_str(r#"{"provider":"whatsapp","later":1}"#).unwrap();
        assert_eq!(account.provider, StoredProvider::WhatsApp);
        assert!(account.register_webhook && account.poll_seconds == POLL_SECONDS);
        let desk: StoredDesk = serde_json::from_str(r#"{"account":"bird"}"#).unwrap();
        assert!(desk.tell_others && desk.channels.is_none());
        assert!(desk.texts.is_empty() && desk.language.is_none());
        assert_eq!((desk.quiet_seconds, desk.requests_per_hour), (3, 20));
    }
}
