//! What our account lacks in the joined projects, as it was last looked at.

use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::sql::project_access;
use crate::store::Store;
use crate::writes::{Write, write};

/// What our account lacks in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectAccess {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// The permissions that it lacks, by the platform's names; none if it has all that is needed.
    pub lacks: Vec<String>,
    /// Since when it lacks just these.
    pub since: Millis,
    /// When it was last looked at.
    pub checked_at: Millis,
}

write!(PutProjectAccess { site: SiteName, project: ProjectKey, lacks: Vec<String>, at: Millis } -> (),
    |conn, _| project_access::put(conn, (&site, &project), &lacks, at).await);
write!(ForgetProjectAccess { site: SiteName, project: ProjectKey } -> (),
    |conn, _| project_access::forget(conn, (&site, &project)).await);

impl Store {
    /// What is known of every project that was looked at.
    pub async fn project_access(&self) -> Result<Vec<ProjectAccess>, StoreError> {
        project_access::all(&mut self.reader().await?).await
    }

    /// Records what was found now.
    pub async fn put_project_access(
        &self,
        (site, project): (SiteName, ProjectKey),
        lacks: Vec<String>,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(PutProjectAccess {
            site,
            project,
            lacks,
            at,
        })
        .await
    }

    /// Forgets a project that is not joined any more.
    pub async fn forget_project_access(
        &self,
        site: SiteName,
        project: ProjectKey,
    ) -> Result<(), StoreError> {
        self.write(ForgetProjectAccess { site, project }).await
    }
}
