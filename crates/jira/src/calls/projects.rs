//! What a site has that settings are chosen from: projects, the statuses of a workflow, properties.

use std::sync::Arc;

use bowline_net::endpoint::endpoint;
use bowline_net::json::{flag, int, list, text};
use bowline_net::{Access, ApiError, ErrorKind, Reply, Request, Transport};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::client::{Client, DEFAULT_DEADLINE, Deployment};
use crate::model::admin::{AdminWebhook, NewWebhook, Project};
use crate::model::issue::Status;

/// Projects that are asked for at once; Jira's own maximum is 100.
const PROJECTS_AT_ONCE: usize = 100;

/// Projects that are listed at most.
const PROJECTS_MAX: usize = 5_000;

impl Client {
    /// The projects that our account may browse.
    pub async fn projects(&self) -> Result<Vec<Project>, ApiError> {
        let doing = "listing projects";
        if self.deployment() == Deployment::DataCenter {
            let call = self.api(Method::GET, &["project"], doing);
            let read = |v: &Value| Some(v.as_array()?.iter().filter_map(Project::read).collect());
            return self.send(call, read).await.map(|reply| reply.value);
        }
        let mut all: Vec<Project> = Vec::new();
        loop {
            let call = self
                .api(Method::GET, &["project", "search"], doing)
                .query("maxResults", PROJECTS_AT_ONCE.to_string())
                .query("startAt", all.len().to_string());
            let read = |v: &Value| {
                v.get("values")?.as_array()?;
                let page: Vec<Project> =
                    list(v, "values").iter().filter_map(Project::read).collect();
                Some((page, flag(v, "isLast"), int(v, "total")))
            };
            let (page, last, total) = self.send(call, read).await?.value;
            let got = page.len();
            all.extend(page);
            let known = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let done = last.unwrap_or(got == 0) || total.is_some_and(|total| known >= total);
            if got == 0 || done || all.len() >= PROJECTS_MAX {
                return Ok(all);
            }
        }
    }

    /// The statuses that issues of a project can have, each once.
    pub async fn project_statuses(&self, key: &str) -> Result<Reply<Vec<Status>>, ApiError> {
        let path = ["project", key, "statuses"];
        let call = self.api(Method::GET, &path, "reading the workflow's statuses");
        self.send(call, |v| {
            let mut all: Vec<Status> = Vec::new();
            for kind in v.as_array()? {
                for status in list(kind, "statuses").iter().filter_map(Status::read) {
                    if !all.iter().any(|known| known.id == status.id) {
                        all.push(status);
                    }
                }
            }
            Some(all)
        })
        .await
    }

    /// A property of a project; `None` if it has none of this name.
    pub async fn project_property(&self, key: &str, name: &str) -> Result<Option<Value>, ApiError> {
        let path = ["project", key, "properties", name];
        let call = self.api(Method::GET, &path, "reading a project's property");
        match self.send(call, |v| v.get("value").cloned()).await {
            Ok(reply) => Ok(Some(reply.value)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes an administrator's webhook: its events' JQL and its secret, and switches it on.
    pub async fn change_webhook(
        &self,
        webhook: &AdminWebhook,
        jql: &str,
        secret: &SecretString,
    ) -> Result<Reply<AdminWebhook>, ApiError> {
        let doing = "changing a webhook";
        let id = webhook.id.as_deref().unwrap_or_default();
        let path = match self.deployment() {
            Deployment::Cloud => ["rest", "webhooks", "1.0", "webhook", id],
            Deployment::DataCenter => ["rest", "jira-webhook", "1.0", "webhooks", id],
        };
        let body = NewWebhook {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            jql: Some(jql.to_owned()),
            secret: secret.clone(),
        }
        .body(self.deployment());
        let call = Self::rest(Method::PUT, &path, doing).body(body);
        self.send(call, AdminWebhook::read).await
    }
}

/// The cloud id of a Cloud site, which anybody may ask for. A token with scopes, and every token
/// of a service account, works only below `https://api.atlassian.com/ex/jira/{cloud id}`.
pub async fn cloud_id(transport: &Arc<dyn Transport>, site: &Url) -> Result<String, ApiError> {
    let doing = "asking for the site's cloud id";
    let url = endpoint(site, &["_edge", "tenant_info"])
        .ok_or_else(|| ApiError::new(ErrorKind::Config, doing, "the address has no paths"))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let request = Request {
        method: Method::GET,
        url,
        headers,
        body: None,
        deadline: DEFAULT_DEADLINE,
    };
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| ApiError::of_failure(&error, Access::Read, doing))?;
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    text(&value, "cloudId")
        .filter(|id| answer.is_success() && !id.is_empty())
        .ok_or_else(|| ApiError::new(ErrorKind::Config, doing, "the site does not tell it"))
}
