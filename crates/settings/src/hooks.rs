//! The webhook of a site: registered by Jira's API where the account may, otherwise entered by
//! hand.

use std::collections::BTreeSet;

use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::AccountName;
use bowline_engine::Provider;
use bowline_jira::NewWebhook;
use bowline_net::ErrorKind;
use url::Url;

use crate::check::{EVENT_NAMES, jql};
use crate::service::Settings;

/// What its list in Jira calls it.
const WEBHOOK_NAME: &str = "Bowline";

/// How the webhook of a site is in Jira.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFound {
    /// It was registered just now.
    Registered,
    /// It is there, with the joined projects and our secret.
    Kept,
    /// Our account may not; someone enters it by hand.
    ByHand,
    /// It did not work.
    Failed(String),
}

impl Settings {
    /// Where Jira delivers for a site.
    pub fn site_hook(&self, name: &SiteName) -> Url {
        self.hook(&["hooks", "jira", name.as_str()])
    }

    /// Where Intercom delivers for a workspace.
    pub fn workspace_hook(&self, name: &WorkspaceName) -> Url {
        self.hook(&["hooks", "intercom", name.as_str()])
    }

    /// Where a messaging provider delivers for an account.
    pub fn account_hook(&self, provider: Provider, name: &AccountName) -> Url {
        provider.hook_url(&self.inner.public_url, name.as_str())
    }

    /// Do Jira Cloud and Intercom deliver to us? They do by https only.
    pub fn is_reached_by_https(&self) -> bool {
        self.inner.public_url.scheme() == "https"
    }

    fn hook(&self, path: &[&str]) -> Url {
        let base = &self.inner.public_url;
        bowline_net::endpoint::endpoint(base, path).unwrap_or_else(|| base.clone())
    }

    /// The JQL that keeps a site's deliveries to its joined projects, the service projects of its
    /// desks, and those with requests of open conversations: a desk may have been removed since, or
    /// a request moved, and who answers there has to be heard.
    pub async fn site_jql(&self, name: &SiteName) -> Option<String> {
        let present = self.present();
        let bindings = present.merged.config.bindings.iter();
        let desks = present.merged.config.desks.iter();
        let open = self.inner.store.live_requests(name).await;
        let open = open.unwrap_or_else(|error| {
            tracing::warn!(%error, "the open requests of a site could not be read for its webhook");
            Vec::new()
        });
        let open: BTreeSet<ProjectKey> = open.iter().filter_map(ProjectKey::of).collect();
        let projects: Vec<&str> = bindings
            .filter(|binding| binding.site == *name)
            .map(|binding| binding.project.as_str())
            .chain(
                desks
                    .filter(|desk| desk.desk.site == *name)
                    .map(|desk| desk.service_desk.as_str()),
            )
            .chain(open.iter().map(ProjectKey::as_str))
            .collect();
        (!projects.is_empty()).then(|| jql(projects))
    }

    /// Brings the webhook of a kept site in step: it is registered, signs with our secret, and
    /// tells of the joined projects. Nothing is done before a project is joined.
    pub async fn sync_hook(&self, name: &SiteName) -> HookFound {
        let (Some(site), Some(jql)) = (self.site_in_use(name), self.site_jql(name).await) else {
            return HookFound::ByHand;
        };
        let Some((_, Ok(secrets))) = self.kept_site(name.as_str()) else {
            return HookFound::ByHand;
        };
        let url = self.site_hook(name);
        let jira = self.jira(&site);
        let refused = |error: bowline_net::ApiError| match error.kind {
            ErrorKind::Permission | ErrorKind::NotFound | ErrorKind::Auth => HookFound::ByHand,
            _ => HookFound::Failed(error.to_string()),
        };
        let all = match jira.webhooks().await {
            Ok(reply) => reply.value,
            Err(error) => return refused(error),
        };
        let secret = secrets.webhook_secret;
        let found = all.into_iter().find(|known| known.url == url.as_str());
        let kept = if let Some(known) = found {
            let changed = jira.change_webhook(&known, &jql, &secret).await;
            changed.map(|_| HookFound::Kept)
        } else {
            let new = NewWebhook {
                name: WEBHOOK_NAME.to_owned(),
                url: url.to_string(),
                events: EVENT_NAMES.map(ToOwned::to_owned).to_vec(),
                jql: Some(jql),
                secret,
            };
            let registered = jira.register_webhook(&new).await;
            registered.map(|_| HookFound::Registered)
        };
        kept.unwrap_or_else(refused)
    }
}
