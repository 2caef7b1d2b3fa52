//! Webhooks: which deliveries a change causes and what they look like.
//!
//! The shapes follow recorded deliveries: wiki text and REST 2 links in every body, comment events without a user
//! on Cloud and without an issue on Data Center, changelog items without `fieldId` on Data Center.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::common::clock::now_ms;
use crate::common::sign::{hmac_sha256_hex, random_uuid};
use crate::common::{Delivery, RetryPolicy};

use super::config::WebhookConfig;
use super::jql;
use super::model::{History, Hook, Issue, User};
use super::state::{Counters, State};
use super::view::View;

/// How long Jira waits for an answer, in milliseconds.
const ANSWER_TIMEOUT_MS: u64 = 20_000;
/// Most webhooks one site may have.
pub(crate) const MAX_HOOKS: usize = 100;

/// Events that can be subscribed to.
pub(crate) const EVENTS: [&str; 30] = [
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "issue_property_set",
    "issue_property_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
    "worklog_created",
    "worklog_updated",
    "worklog_deleted",
    "attachment_created",
    "attachment_deleted",
    "issuelink_created",
    "issuelink_deleted",
    "project_created",
    "project_updated",
    "project_deleted",
    "jira:version_released",
    "jira:version_unreleased",
    "jira:version_created",
    "jira:version_updated",
    "jira:version_deleted",
    "user_created",
    "user_updated",
    "user_deleted",
    "sprint_created",
    "sprint_started",
    "sprint_closed",
    "sprint_updated",
];

/// Something webhooks may be told about.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    name: &'static str,
    /// `issue_event_type_name`; empty for events without one.
    kind: &'static str,
    issue: u64,
    changes: Option<History>,
    pub(crate) comment: Option<u64>,
    property: Option<String>,
    secondary: bool,
}

impl Event {
    /// An event of the issue family.
    pub(crate) fn issue(name: &'static str, kind: &'static str, issue: u64) -> Self {
        Self {
            name,
            kind,
            issue,
            changes: None,
            comment: None,
            property: None,
            secondary: false,
        }
    }

    /// An event of the comment family.
    pub(crate) fn comment(name: &'static str, issue: u64, comment: u64) -> Self {
        Self {
            comment: Some(comment),
            ..Self::issue(name, "", issue)
        }
    }

    /// An event about an issue property.
    pub(crate) fn property(name: &'static str, issue: u64, key: &str) -> Self {
        Self {
            property: Some(key.to_owned()),
            ..Self::issue(name, "", issue)
        }
    }

    /// With a changelog.
    pub(crate) fn with_changes(mut self, history: &History) -> Self {
        self.changes = Some(history.clone());
        self
    }

    /// A consequence of another change, delivered with less hurry.
    pub(crate) fn secondary(mut self) -> Self {
        self.secondary = true;
        self
    }

    fn is_comment_event(&self) -> bool {
        self.name.starts_with("comment_")
    }
}

impl State {
    /// Registers a webhook and returns its id. An empty list of events means all.
    pub(crate) fn add_hook(&mut self, config: &WebhookConfig) -> u64 {
        let id = Counters::next(&mut self.next.hook);
        let events = if config.events.is_empty() {
            EVENTS.iter().map(|&event| event.to_owned()).collect()
        } else {
            config.events.clone()
        };
        let updated_by = self
            .users
            .first()
            .cloned()
            .expect("a site has at least its bot");
        self.hooks.push(Hook {
            id,
            name: config.name.clone(),
            description: String::new(),
            url: config.url.clone(),
            events,
            jql: config.jql.clone(),
            secret: config.secret.clone(),
            exclude_body: config.exclude_body,
            enabled: true,
            updated_ms: now_ms(),
            updated_by,
        });
        id
    }

    /// Queues the deliveries of an event.
    pub(crate) fn emit(&mut self, actor: &Arc<User>, event: &Event) {
        let deliveries = self.deliveries(actor, event);
        self.outbox.extend(deliveries);
    }

    /// The deliveries of an event, as things stand now.
    pub(crate) fn deliveries(&self, actor: &Arc<User>, event: &Event) -> Vec<Delivery> {
        let Some(issue) = self.issue(event.issue) else {
            return Vec::new();
        };
        let wanted: Vec<&Hook> = self
            .listeners(event.name)
            .filter(|hook| self.passes_filter(hook, issue))
            .collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let body = self.body(actor, event, issue).to_string().into_bytes();
        let flow = if event.secondary {
            "Secondary"
        } else {
            "Primary"
        };
        let comment = event.comment.map(|id| id.to_string()).unwrap_or_default();
        wanted
            .into_iter()
            .map(|hook| {
                let url = hook
                    .url
                    .replace("${", "{")
                    .replace("{issue.id}", &issue.id.to_string())
                    .replace("{issue.key}", &issue.key)
                    .replace("{project.key}", &self.project_of(issue).key)
                    .replace("{comment.id}", &comment);
                self.delivery(hook, url, event.name, flow, &body)
            })
            .collect()
    }

    /// Queues `project_updated`, which JQL filters do not concern.
    pub(crate) fn emit_project(&mut self, actor: &Arc<User>, project: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let name = "project_updated";
        let view = View::webhook(self);
        let mut shown = view.project(found);
        shown["projectLead"] = view.user(actor);
        shown["id"] = project.into();
        let body = json!({ "timestamp": now_ms(), "webhookEvent": name, "project": shown })
            .to_string()
            .into_bytes();
        let key = found.key.clone();
        let deliveries: Vec<Delivery> = self
            .listeners(name)
            .map(|hook| {
                self.delivery(
                    hook,
                    hook.url.replace("{project.key}", &key),
                    name,
                    "Primary",
                    &body,
                )
            })
            .collect();
        self.outbox.extend(deliveries);
    }

    fn listeners(&self, event: &str) -> impl Iterator<Item = &Hook> {
        let off = self.switches.webhooks_off;
        self.hooks.iter().filter(move |hook| {
            !off && hook.enabled && hook.events.iter().any(|name| name == event)
        })
    }

    fn passes_filter(&self, hook: &Hook, issue: &Issue) -> bool {
        if hook.jql.trim().is_empty() {
            return true;
        }
        // A filter sees everything: it belongs to the administrator who wrote it.
        let bound = jql::parse(&hook.jql)
            .and_then(|query| jql::Bound::new(&query, self, &hook.updated_by, now_ms()));
        bound.is_ok_and(|bound| bound.matches(issue))
    }

    fn delivery(&self, hook: &Hook, url: String, topic: &str, flow: &str, body: &[u8]) -> Delivery {
        let body = if hook.exclude_body {
            Vec::new()
        } else {
            body.to_vec()
        };
        let identifier = random_uuid();
        let mut headers = vec![
            (
                "content-type".to_owned(),
                "application/json; charset=UTF-8".to_owned(),
            ),
            (
                "user-agent".to_owned(),
                "Atlassian HttpClient (sandbox)".to_owned(),
            ),
        ];
        if self.is_cloud() {
            headers.push((
                "x-atlassian-webhook-identifier".to_owned(),
                identifier.clone(),
            ));
            headers.push(("x-atlassian-webhook-flow".to_owned(), flow.to_owned()));
        }
        if let Some(secret) = &hook.secret {
            headers.push((
                "x-hub-signature".to_owned(),
                format!("sha256={}", hmac_sha256_hex(secret, &body)),
            ));
        }
        let retries = u32::try_from(self.retry_delays_ms.len()).unwrap_or(0);
        Delivery {
            url,
            topic: topic.to_owned(),
            identifier,
            headers,
            body,
            retry: RetryPolicy {
                attempts: 1 + retries,
                delay_ms: self.retry_delays_ms.clone(),
                timeout_ms: ANSWER_TIMEOUT_MS,
                retry_on: worth_a_retry,
            },
            rewrite: self.is_cloud().then(|| {
                let count: crate::common::delivery::Rewrite = Arc::new(|attempt, first| {
                    let mut again = first.clone();
                    again.headers.push((
                        "x-atlassian-webhook-retry".to_owned(),
                        (attempt - 1).to_string(),
                    ));
                    again
                });
                count
            }),
            sign: None,
            on_answer: None,
        }
    }

    fn body(&self, actor: &User, event: &Event, issue: &Issue) -> Value {
        let view = View::webhook(self);
        let cloud = self.is_cloud();
        let comment_event = event.is_comment_event();
        let mut body = Map::new();
        body.insert("timestamp".into(), now_ms().into());
        body.insert("webhookEvent".into(), event.name.into());
        if !event.kind.is_empty() {
            body.insert("issue_event_type_name".into(), event.kind.into());
        }
        // Cloud never says who caused a comment event; Data Center does, except for a new comment.
        if !comment_event || (!cloud && event.name != "comment_created") {
            body.insert("user".into(), view.user(actor));
        }
        if let Some(comment) = event.comment.and_then(|id| issue.comments.get(&id)) {
            body.insert(
                "comment".into(),
                view.comment(issue.id, comment, if cloud { "properties" } else { "" }),
            );
        }
        if !comment_event {
            let with_comments = !cloud || event.name == "jira:issue_deleted";
            body.insert("issue".into(), view.webhook_issue(issue, with_comments));
        } else if cloud && !self.switches.comment_events_without_issue {
            body.insert("issue".into(), view.cut_down_issue(issue));
        }
        if let Some(history) = &event.changes {
            let items: Vec<Value> = history.items.iter().map(|item| view.change(item)).collect();
            body.insert(
                "changelog".into(),
                json!({ "id": history.id.to_string(), "items": items }),
            );
        }
        if let Some(key) = &event.property {
            let value = issue.properties.get(key).cloned().unwrap_or(Value::Null);
            body.insert("property".into(), json!({ "key": key, "value": value }));
        }
        Value::Object(body)
    }
}

/// Jira tries again after these answers and after no answer at all.
fn worth_a_retry(status: Option<u16>) -> bool {
    matches!(status, None | Some(408 | 409 | 425 | 429 | 500..=599))
}
