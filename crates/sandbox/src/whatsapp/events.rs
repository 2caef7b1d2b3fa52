//! The webhook: batches of messages and states, signed with the app secret.

use serde_json::{Value, json};

use crate::common::delivery::not_2xx;
use crate::common::sign::{hmac_sha256_hex, random_uuid};
use crate::common::{Delivery, RetryPolicy};

use super::state::{News, State};

impl State {
    /// Packs what is not told yet into deliveries. Messages and states do not share a change.
    pub(super) fn pack(&mut self) {
        let Some(url) = self.callback.clone() else {
            self.news.clear();
            return;
        };
        while !self.news.is_empty() {
            let count = self.news.len().min(self.config.batch.max(1));
            let batch: Vec<News> = self.news.drain(..count).collect();
            let body = self.body(&batch).to_string().into_bytes();
            let signature = hmac_sha256_hex(&self.config.app_secret, &body);
            let headers = [
                ("content-type", "application/json".to_owned()),
                ("user-agent", "facebookexternalua (sandbox)".to_owned()),
                ("X-Hub-Signature-256", format!("sha256={signature}")),
            ];
            let retries = u32::try_from(self.config.retry_delays_ms.len()).unwrap_or(0);
            self.outbox.push(Delivery {
                url: url.clone(),
                topic: "messages".to_owned(),
                identifier: random_uuid(),
                headers: headers
                    .map(|(name, value)| (name.to_owned(), value))
                    .to_vec(),
                body,
                retry: RetryPolicy {
                    attempts: 1 + retries,
                    delay_ms: self.config.retry_delays_ms.clone(),
                    timeout_ms: self.config.webhook_timeout_ms,
                    retry_on: not_2xx,
                },
                rewrite: None,
                sign: None,
                on_answer: None,
            });
        }
    }

    fn body(&self, batch: &[News]) -> Value {
        let metadata = json!({
            "display_phone_number": self.config.display_number,
            "phone_number_id": self.config.phone_number_id,
        });
        let change = |mut value: Value| {
            value["messaging_product"] = "whatsapp".into();
            value["metadata"] = metadata.clone();
            json!({ "field": "messages", "value": value })
        };
        let (mut contacts, mut messages, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
        for news in batch {
            match news {
                News::Message(message, contact) => {
                    messages.push(message.clone());
                    if !contacts.contains(contact) {
                        contacts.push(contact.clone());
                    }
                }
                News::Status(status) => statuses.push(status.clone()),
            }
        }
        let mut changes = Vec::new();
        if !messages.is_empty() {
            changes.push(change(
                json!({ "contacts": contacts, "messages": messages }),
            ));
        }
        if !statuses.is_empty() {
            changes.push(change(json!({ "statuses": statuses })));
        }
        json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": self.config.business, "changes": changes }],
        })
    }
}
