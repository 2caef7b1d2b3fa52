//! Who we are, what answers, what we may do, and the site's webhooks.

use std::collections::BTreeMap;

use bowline_net::json::{flag, list};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::Value;

use crate::client::{Call, Client, Deployment};
use crate::model::admin::{AdminWebhook, Myself, NewWebhook, Project, ServerInfo};
use crate::model::issue::Status;
use crate::model::person::Person;

impl Client {
    /// Who the credentials belong to. The first call to make: other calls may answer an unknown
    /// caller with 200 and nothing in it.
    pub async fn myself(&self) -> Result<Reply<Myself>, ApiError> {
        let call = self.api(Method::GET, &["myself"], "asking Jira who we are");
        self.send(call, Myself::read).await
    }

    /// What answers at the base address. Uses REST v2, which both deployments have, so that a
    /// site that is configured as the wrong kind is told apart; may be answered to anybody.
    pub async fn server_info(&self) -> Result<Reply<ServerInfo>, ApiError> {
        let path = ["rest", "api", "2", "serverInfo"];
        let mut call = Self::rest(Method::GET, &path, "asking what kind of Jira this is");
        call.anonymous_ok = true;
        self.send(call, ServerInfo::read).await
    }

    /// A user by account id (Cloud) or user name (Data Center), as mentions name them.
    pub async fn user(&self, id: &str) -> Result<Reply<Person>, ApiError> {
        let by = match self.deployment() {
            Deployment::Cloud => "accountId",
            Deployment::DataCenter => "username",
        };
        let call = self
            .api(Method::GET, &["user"], "reading a user")
            .query(by, id);
        self.send(call, Person::read).await
    }

    /// A project by key or id.
    pub async fn project(&self, key: &str) -> Result<Reply<Project>, ApiError> {
        let call = self.api(Method::GET, &["project", key], "reading a project");
        self.send(call, Project::read).await
    }

    /// All statuses that our account may see, with their categories.
    pub async fn statuses(&self) -> Result<Reply<Vec<Status>>, ApiError> {
        let call = self.api(Method::GET, &["status"], "reading statuses");
        self.send(call, |v| {
            Some(v.as_array()?.iter().filter_map(Status::read).collect())
        })
        .await
    }

    /// Which of these permissions our account has, in a project or (`None`) anywhere. One that
    /// Jira does not know is not in the answer.
    pub async fn my_permissions(
        &self,
        permissions: &[&str],
        project: Option<&str>,
    ) -> Result<Reply<BTreeMap<String, bool>>, ApiError> {
        let mut call = self
            .api(Method::GET, &["mypermissions"], "asking what we may do")
            .query("permissions", permissions.join(","));
        if let Some(key) = project {
            call = call.query("projectKey", key);
        }
        let wanted = |name: &String| permissions.contains(&name.as_str());
        self.send(call, |v| {
            let all = v.get("permissions")?.as_object()?;
            Some(
                all.iter()
                    // Data Center answers with all it knows.
                    .filter(|(name, _)| wanted(name))
                    .map(|(name, p)| (name.clone(), flag(p, "havePermission").unwrap_or(false)))
                    .collect(),
            )
        })
        .await
    }

    /// The administrator's webhooks. Needs a Jira administrator; Data Center from 10.0.
    pub async fn webhooks(&self) -> Result<Reply<Vec<AdminWebhook>>, ApiError> {
        let call = self.webhook_call(Method::GET, "listing webhooks");
        self.send(call, |v| {
            let items = match v {
                Value::Array(items) => items.as_slice(),
                _ => ["webhooks", "values", "results"]
                    .iter()
                    .find(|key| v.get(key).is_some())
                    .map(|key| list(v, key))?,
            };
            Some(items.iter().filter_map(AdminWebhook::read).collect())
        })
        .await
    }

    /// Registers an administrator's webhook, which is signed and does not expire.
    pub async fn register_webhook(
        &self,
        webhook: &NewWebhook,
    ) -> Result<Reply<AdminWebhook>, ApiError> {
        let call = self
            .webhook_call(Method::POST, "registering a webhook")
            .body(webhook.body(self.deployment()));
        self.send(call, AdminWebhook::read).await
    }

    fn webhook_call(&self, method: Method, doing: &'static str) -> Call {
        let path = match self.deployment() {
            Deployment::Cloud => ["rest", "webhooks", "1.0", "webhook"],
            Deployment::DataCenter => ["rest", "jira-webhook", "1.0", "webhooks"],
        };
        Self::rest(method, &path, doing)
    }
}
