//! The app's credentials, permissions and webhook, as a person sets them in the Developer Hub.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::common::sign::random_uuid;
use crate::intercom::topics::{self, Event};

use super::Sandbox;

impl Sandbox {
    /// Makes every token invalid, as "Regenerate token" or an uninstall does.
    pub fn revoke_token(&self) {
        self.with(|state, _| state.token = None);
    }

    /// Makes this the valid token.
    pub fn set_token(&self, token: &str) {
        self.with(|state, _| state.token = Some(token.to_owned()));
    }

    /// A code for the token exchange, good once. It ends in `=`, as real ones may.
    pub fn issue_code(&self) -> String {
        let code = format!("{}=", random_uuid());
        self.with(|state, _| state.codes.insert(code.clone()));
        code
    }

    /// Registers a redirect URL at the app, as a person does in the Developer Hub.
    pub fn register_redirect(&self, url: &str) {
        self.with(|state, _| state.redirects.push(url.to_owned()));
    }

    /// The redirect URLs that are registered at the app, the default first.
    pub(crate) fn redirects(&self) -> Vec<String> {
        self.with(|state, _| state.redirects.clone())
    }

    /// Lets conversation calls fail with 403 `api_plan_restricted`, or lets them be.
    pub fn set_plan_restricted(&self, restricted: bool) {
        self.with(|state, _| state.plan_restricted = restricted);
    }

    /// Takes the permission to read and write conversations from the app, or gives it back.
    pub fn set_conversations_forbidden(&self, forbidden: bool) {
        self.with(|state, _| state.conversations_forbidden = forbidden);
    }

    /// Sends webhooks there from now on, without the check of [`Self::connect_webhook`].
    pub fn set_webhook(&self, url: Option<String>) {
        self.inner.webhook_disabled.store(false, Ordering::Relaxed);
        self.with(|state, _| state.webhook_url = url);
    }

    /// Enters a webhook as a person does in the Developer Hub: the URL must answer HEAD with 2xx,
    /// then a `ping` follows.
    ///
    /// # Errors
    /// What the URL answered instead.
    pub async fn connect_webhook(&self, url: &str) -> Result<(), String> {
        let timeout = Duration::from_millis(self.inner.config.webhook_timeout_ms);
        let answer = self
            .inner
            .sender
            .client()
            .head(url)
            .timeout(timeout)
            .send()
            .await;
        let status = answer.map_err(|error| error.to_string())?.status();
        if !status.is_success() {
            return Err(format!("HEAD {url} answered {status}"));
        }
        self.set_webhook(Some(url.to_owned()));
        self.ping();
        Ok(())
    }

    /// Sends the topic `ping`.
    pub fn ping(&self) {
        self.with(|state, _| {
            let item = json!({ "type": "ping", "message": "something something interzen" });
            state.events.push(Event {
                topic: topics::PING,
                item,
            });
        });
    }

    /// Subscribes to these topics only.
    pub fn set_topics(&self, topics: &[&str]) {
        self.with(|state, _| {
            state.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        });
    }

    /// Whether an answer 410 ended the webhook for good.
    pub fn webhook_disabled(&self) -> bool {
        self.inner.webhook_disabled.load(Ordering::Relaxed)
    }

    /// Takes a teammate away from the workspace.
    pub fn remove_admin(&self, id: &str) {
        self.with(|state, _| state.admins.retain(|admin| admin.id != id));
    }
}
