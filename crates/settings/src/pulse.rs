//! How a connection is in detail: what the last tests found, and what is known without asking.

use std::sync::PoisonError;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_engine::permissions::in_use_now;

use crate::check::{self, Finding, State};
use crate::rates;
use crate::service::{Settings, Tested};

/// How old the tests' findings may be before they are made again, in milliseconds.
const TEST_EVERY_MS: i64 = 10 * 60 * 1_000;

/// Refusals of the last day that are looked at.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How a connection is in detail.
#[derive(Clone, Debug)]
pub struct Pulse {
    /// When it was last tested; `None`: not since the start.
    pub tested_at: Option<Millis>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Settings {
    /// Tests a connection in a moment, beside what goes on.
    pub(crate) fn test_soon(&self, connection: Connection) {
        let settings = self.clone();
        tokio::spawn(async move { settings.test(&connection).await });
    }

    /// Tests a connection now: credential, permissions, app user, clock.
    pub async fn test(&self, connection: &Connection) {
        let changes = self.present().changes;
        let findings = match connection {
            Connection::Site(name) => match self.site_in_use(name) {
                Some(site) => self.test_site(&site).await,
                None => return,
            },
            Connection::Workspace(name) => match self.workspace_in_use(name) {
                Some(workspace) => self.test_workspace(&workspace).await,
                None => return,
            },
            Connection::Account(name) => match self.account_in_use(name) {
                Some(account) => self.test_account(&account).await,
                None => return,
            },
        };
        let mut found = self
            .inner
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if found
            .get(connection)
            .is_none_or(|known| known.changes <= changes)
        {
            let tested = Tested {
                at: self.now(),
                changes,
                findings,
            };
            found.insert(connection.clone(), tested);
        }
        drop(found);
        if let Some(engine) = self.engine() {
            engine.probe_now();
        }
    }

    async fn test_site(&self, site: &bowline_engine::SiteConfig) -> Vec<Finding> {
        let jira = self.jira(site);
        let token = check::site_token(&jira).await;
        let works = token.state == State::Good;
        let mut findings = vec![token];
        if works {
            findings.extend(check::kind(&jira).await);
            let present = self.present();
            let bindings = present.merged.config.bindings.iter();
            for binding in bindings.filter(|binding| binding.site == site.name) {
                findings.extend(self.test_project(&jira, &site.name, &binding.project).await);
            }
        }
        findings.push(check::clock(&self.inner.transport, &site.api_url, self.now()).await);
        findings
    }

    async fn test_project(
        &self,
        jira: &bowline_jira::Client,
        site: &SiteName,
        project: &ProjectKey,
    ) -> Vec<Finding> {
        match check::permissions(jira, project.as_str()).await {
            Ok(found) => {
                let mut kept = self.found_access(site, project, &found).await;
                if kept.is_ok() {
                    kept = self.read_project_access().await.map(drop);
                }
                if let Err(error) = kept {
                    tracing::error!(%error, "what may be done in a project could not be kept");
                }
                check::of_project(project.as_str(), &found)
            }
            Err(error) => vec![Finding::bad(
                format!("project {project}"),
                error.to_string(),
            )],
        }
    }

    async fn test_workspace(&self, workspace: &bowline_engine::WorkspaceConfig) -> Vec<Finding> {
        let intercom = self.intercom(workspace);
        let mut findings = check::workspace_token(&intercom, None).await;
        if findings.iter().all(|finding| finding.state == State::Good) {
            findings.push(check::app_user(&intercom, workspace.app_user.as_deref()).await);
            findings.push(check::conversations(&intercom).await);
            findings.extend(self.test_permissions(&intercom, &workspace.name).await);
        }
        let url = &workspace.api_url;
        findings.push(check::clock(&self.inner.transport, url, self.now()).await);
        findings
    }

    async fn test_permissions(
        &self,
        intercom: &bowline_intercom::Client,
        name: &WorkspaceName,
    ) -> Vec<Finding> {
        let present = self.present();
        let mut syncs = present.merged.config.contact_syncs.iter();
        let declared = syncs.any(|one| one.workspace == *name);
        match in_use_now(&self.inner.store, name, declared).await {
            Ok(uses) => crate::app_permissions(intercom, &uses).await,
            Err(error) => {
                tracing::error!(%error, "what is in use in a workspace could not be read");
                Vec::new()
            }
        }
    }

    /// How a connection is in detail. What the tests found is renewed beside what goes on when it
    /// is old.
    ///
    /// # Errors
    /// The store fails.
    pub async fn pulse(&self, connection: &Connection) -> Result<Pulse, bowline_store::StoreError> {
        let now = self.now();
        let known = {
            let found = self
                .inner
                .found
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            found.get(connection).cloned()
        };
        if known
            .as_ref()
            .is_none_or(|tested| now.since(tested.at) > TEST_EVERY_MS)
        {
            self.test_soon(connection.clone());
        }
        let tested_at = known.as_ref().map(|tested| tested.at);
        let mut findings = known.map_or_else(Vec::new, |tested| tested.findings);
        findings.extend(self.hook_finding(connection));
        if let Connection::Site(name) = connection {
            let ends_on = self.token_ends_on(name);
            if ends_on.is_some() || self.kept_site(name.as_str()).is_some() {
                findings.push(check::token_end(ends_on.as_deref(), now));
            }
        }
        findings.push(self.queue(connection).await?);
        let since = now.plus_ms(-rates::RATE_OVER_MS);
        let pace = self.inner.store.pace(connection, since, now).await?;
        findings.push(rates::lag(&pace, now));
        findings.push(rates::errors(&pace));
        findings.push(self.refusals(connection, now).await?);
        Ok(Pulse {
            tested_at,
            findings,
        })
    }

    fn hook_finding(&self, connection: &Connection) -> Option<Finding> {
        if let Connection::Account(name) = connection {
            let accounts = self.engine()?.accounts_now();
            let known = accounts.into_iter().find(|one| one.name == *name)?;
            return Some(match known.webhook_seen_at {
                Some(_) => Finding::good("webhook", "signed deliveries arrive"),
                None => Finding::new(
                    "webhook",
                    State::Unknown,
                    "no signed delivery arrived yet; the first one proves the signing key",
                ),
            });
        }
        let all = self.engine()?.connections_now();
        let known = all.into_iter().find(|one| one.connection == *connection)?;
        let what = "webhook";
        Some(match (known.webhook_seen_at, known.expects_webhooks) {
            (Some(_), _) => Finding::good(what, "signed deliveries arrive"),
            (None, _) if known.projects.is_empty() => {
                Finding::new(what, State::Unknown, "no project is joined yet")
            }
            (None, false) => Finding::note(what, "changes are found by asking, as configured"),
            (None, true) => Finding::new(
                what,
                State::Unknown,
                "no signed delivery arrived yet. Enter the webhook on the other side; until then \
                 changes are found by asking.",
            ),
        })
    }

    async fn queue(&self, connection: &Connection) -> Result<Finding, bowline_store::StoreError> {
        let queues = self.inner.store.queues().await?;
        let waiting: i64 = queues
            .iter()
            .filter(|queue| queue.connection == *connection)
            .map(|queue| queue.waiting)
            .sum();
        Ok(match waiting {
            0 => Finding::good("queue", "nothing waits"),
            waiting => Finding::good("queue", format!("{waiting} wait")),
        })
    }

    async fn refusals(
        &self,
        connection: &Connection,
        now: Millis,
    ) -> Result<Finding, bowline_store::StoreError> {
        let refused = self.inner.store.rejected(now.plus_ms(-DAY_MS)).await?;
        let count: i64 = refused
            .iter()
            .filter(|trouble| trouble.connection == *connection)
            .map(|trouble| trouble.count)
            .sum();
        let what = "refusals";
        Ok(match count {
            0 => Finding::good(what, "nothing was refused in the last day"),
            count => Finding::note(
                what,
                format!("{count} writes were refused for good in the last day; see Problems"),
            ),
        })
    }
}
