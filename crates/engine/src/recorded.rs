//! Links that Jira itself has a record of: the property of each issue with the ids of its linked
//! conversations, as another app or an earlier installation left it.

use std::sync::Arc;

use bowline_domain::ids::{IssueKey, ProjectKey, SiteName};
use bowline_jira::{self as jira, Deployment};
use bowline_net::{ApiError, ErrorKind, Reply};

use crate::health;
use crate::pace::Priority;
use crate::registry::Site;
use crate::shared::Shared;

/// Issues of a project that are gone through at most where the property cannot be searched.
pub const WALKED_ISSUES_MAX: usize = 5_000;

/// The same on Data Center, whose search does not return the property: each issue is a call.
pub const WALKED_ONE_BY_ONE_MAX: usize = 500;

/// Issues on a page of a search.
const PAGE_SIZE: u32 = 100;

/// What Jira has a record of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedLinks {
    /// The issues with the ids of their conversations, the oldest issue first.
    pub issues: Vec<(IssueKey, Vec<String>)>,
    /// Issues that were read.
    pub read: usize,
    /// Did Jira find them by the property? Otherwise all issues of the project were gone through.
    pub searched: bool,
    /// There are more issues than are gone through.
    pub cut: bool,
}

/// Why it cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum CannotRead {
    /// The site is not configured.
    #[error("The site is not connected now.")]
    NoSite,
    /// Jira does not answer as needed.
    #[error("Jira did not answer as needed: {0}")]
    Remote(ApiError),
}

/// Reads the record of linked conversations of all issues of a project. Only reads.
///
/// # Errors
/// See [`CannotRead`].
pub async fn recorded_links(
    shared: &Arc<Shared>,
    site: &SiteName,
    project: &ProjectKey,
) -> Result<RecordedLinks, CannotRead> {
    let registry = shared.registry();
    let site = registry.sites.get(site).ok_or(CannotRead::NoSite)?;
    let found = Walk { shared, site }.found(project).await;
    found.map_err(CannotRead::Remote)
}

struct Walk<'w> {
    shared: &'w Arc<Shared>,
    site: &'w Arc<Site>,
}

impl Walk<'_> {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        let standing = &self.site.standing;
        standing
            .pace
            .turn(Priority::Bulk, &*self.shared.clock)
            .await;
        match call.await {
            Ok(reply) => {
                standing.pace.learn(&reply.limits);
                Ok(reply.value)
            }
            Err(error) => {
                standing.pace.failed();
                Err(error)
            }
        }
    }

    async fn found(&self, project: &ProjectKey) -> Result<RecordedLinks, ApiError> {
        let of_project = format!("project = \"{project}\"");
        // Jira searches a property only where an app declares an index of it; elsewhere it refuses
        // the query.
        let by_property = format!(
            "{of_project} AND issue.property[intercom.conversation.links].count > 0 \
             ORDER BY created ASC"
        );
        match self.gone_through(&by_property).await {
            Ok(found) => Ok(RecordedLinks {
                searched: true,
                ..found
            }),
            Err(error) if error.kind == ErrorKind::Data => {
                let all = format!("{of_project} ORDER BY created ASC");
                let walked = self.gone_through(&all).await;
                self.told(walked).await
            }
            Err(error) => self.told(Err(error)).await,
        }
    }

    /// A failure says something of the connection, unless it was the query that was refused.
    async fn told(
        &self,
        found: Result<RecordedLinks, ApiError>,
    ) -> Result<RecordedLinks, ApiError> {
        if let Err(error) = &found {
            health::take_in(self.shared, &self.site.standing, error).await;
        }
        found
    }

    async fn gone_through(&self, jql: &str) -> Result<RecordedLinks, ApiError> {
        let returned = self.site.config.deployment == Deployment::Cloud;
        let most = if returned {
            WALKED_ISSUES_MAX
        } else {
            WALKED_ONE_BY_ONE_MAX
        };
        let read = jira::IssueRead {
            comments: false,
            changelog: false,
            link_property: true,
        };
        let mut found = RecordedLinks::default();
        let mut cursor = None;
        loop {
            let search = self
                .site
                .client
                .search(jql, read, cursor.as_ref(), PAGE_SIZE);
            let page = self.call(search).await?;
            for issue in page.items {
                if found.read >= most {
                    found.cut = true;
                    return Ok(found);
                }
                found.read += 1;
                let recorded = if returned {
                    issue.link_property
                } else {
                    let whole = self.call(self.site.client.issue(&issue.id, read)).await;
                    match whole {
                        Ok(whole) => whole.link_property,
                        Err(error) if error.kind == ErrorKind::NotFound => None,
                        Err(error) => return Err(error),
                    }
                };
                if let Some(ids) = recorded.filter(|ids| !ids.is_empty()) {
                    found.issues.push((IssueKey::new(issue.key), ids));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }
}
