//! Webhooks: what is told to whom, and how it is signed.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::common::clock::now_ms;
use crate::common::delivery::{Sign, not_2xx};
use crate::common::sign::{jwt_hs256, messagebird_hmac, random_uuid, sha256_hex};
use crate::common::{Delivery, RetryPolicy};

use super::config::{Config, Signature};
use super::model::Hook;
use super::state::State;

/// How long a JWT is good, in seconds.
const JWT_SECONDS: i64 = 60;

impl State {
    /// Tells webhooks about a conversation.
    pub(super) fn tell_conversation(&mut self, event: &'static str, id: &str, channel: &str) {
        let Some(conversation) = self.conversations.get(id) else {
            return;
        };
        let mut body = json!({
            "type": event,
            "conversation": self.show_bare(conversation, true),
        });
        if let Some(contact) = self.contacts.get(&conversation.contact) {
            body["contact"] = self.show_contact(contact, true);
        }
        self.tell(event, channel, &body);
    }

    /// Tells webhooks about a message.
    pub(super) fn tell_message(&mut self, event: &'static str, at: usize) {
        let message = &self.messages[at];
        let channel = message.channel.clone();
        let mut body = json!({ "type": event, "message": self.show_message(message) });
        if let Some(conversation) = self.conversations.get(&message.conversation) {
            body["conversation"] = self.show_bare(conversation, true);
            if let Some(contact) = self.contacts.get(&conversation.contact) {
                body["contact"] = self.show_contact(contact, true);
            }
        }
        self.tell(event, &channel, &body);
    }

    /// Tells the address that the sender named about a message's state.
    pub(super) fn report(&mut self, at: usize) {
        let message = &self.messages[at];
        let Some(url) = message.report_url.clone() else {
            return;
        };
        let mut body = json!({ "type": "message.status", "message": self.show_message(message) });
        if let Some(failure) = &message.failure {
            body["error"] = json!({ "code": failure.code, "description": failure.description });
        }
        let delivery = delivery(&self.config, &url, "message.status", &body, &Value::Null);
        self.outbox.push(delivery);
    }

    fn tell(&mut self, event: &str, channel: &str, body: &Value) {
        let wanted = |hook: &&Hook| {
            hook.enabled
                && hook.events.iter().any(|name| name == event)
                && hook.channel.as_deref().is_none_or(|only| only == channel)
        };
        let deliveries: Vec<Delivery> = self
            .hooks
            .iter()
            .filter(wanted)
            .map(|hook| delivery(&self.config, &hook.url, event, body, &hook.settings))
            .collect();
        self.outbox.extend(deliveries);
    }
}

fn delivery(
    config: &Arc<Config>,
    url: &str,
    topic: &str,
    body: &Value,
    settings: &Value,
) -> Delivery {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        (
            "user-agent".to_owned(),
            "MessageBird/Webhooks (sandbox)".to_owned(),
        ),
    ];
    let own = settings["headers"].as_object();
    headers.extend(
        own.into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))),
    );
    let target = config
        .reroute
        .iter()
        .find_map(|(from, to)| Some(format!("{to}{}", url.strip_prefix(from.as_str())?)))
        .unwrap_or_else(|| url.to_owned());
    let retries = u32::try_from(config.retry_delays_ms.len()).unwrap_or(0);
    Delivery {
        url: target,
        topic: topic.to_owned(),
        identifier: random_uuid(),
        headers,
        body: body.to_string().into_bytes(),
        retry: RetryPolicy {
            attempts: 1 + retries,
            delay_ms: config.retry_delays_ms.clone(),
            timeout_ms: config.webhook_timeout_ms,
            retry_on: not_2xx,
        },
        rewrite: None,
        sign: Some(signer(config.clone(), url.to_owned())),
        on_answer: None,
    }
}

/// Signs at every sending, for the address that was registered.
fn signer(config: Arc<Config>, url: String) -> Sign {
    Arc::new(move |body| {
        let mut headers = Vec::new();
        let now = now_ms().div_euclid(1_000);
        if matches!(config.signature, Signature::Jwt | Signature::Both) {
            let mut claims = json!({
                "iss": "MessageBird",
                "nbf": now,
                "exp": now + JWT_SECONDS,
                "jti": random_uuid(),
                "url_hash": sha256_hex(url.as_bytes()),
            });
            if !body.is_empty() {
                claims["payload_hash"] = sha256_hex(body).into();
            }
            let token = jwt_hs256(&config.signing_key, &claims);
            headers.push(("MessageBird-Signature-JWT".to_owned(), token));
        }
        if matches!(config.signature, Signature::Hmac | Signature::Both) {
            let at = now.to_string();
            let signature = messagebird_hmac(&config.signing_key, &at, &sorted_query(&url), body);
            headers.push(("MessageBird-Request-Timestamp".to_owned(), at));
            headers.push(("MessageBird-Signature".to_owned(), signature));
        }
        headers
    })
}

/// The query of an address with its parameters sorted by name.
fn sorted_query(url: &str) -> String {
    let mut pairs: Vec<&str> = url
        .split_once('?')
        .map(|(_, query)| query.split('&').collect())
        .unwrap_or_default();
    pairs.sort_by_key(|pair| pair.split('=').next().map(str::to_owned));
    pairs.join("&")
}
