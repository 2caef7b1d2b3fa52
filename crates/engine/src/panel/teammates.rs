//! What teammates are called: from what was read before; who is not known is asked for beside it.

use std::collections::HashMap;
use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_store::StoreError;
use bowline_store::reading::ReadingKind;

use super::now::body;
use super::refresh::CALL_DEADLINE;
use super::seen::SeenTeammate;
use crate::shared::Shared;

/// How long the list counts as fresh when somebody on it is not known, in milliseconds: who left
/// the workspace is not asked for again and again.
const UNKNOWN_FRESH_MS: i64 = 60_000;

impl Shared {
    /// The name of a teammate, if it was read before: nobody is asked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn teammate_now(
        &self,
        workspace: &WorkspaceName,
        id: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(self.teammates_known(workspace).await?.remove(id))
    }

    /// The names of teammates by their ids, as far as they were read before. If one of these is not
    /// among them, Intercom is asked beside it, for the next time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn teammates_named(
        self: &Arc<Self>,
        workspace: &WorkspaceName,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<HashMap<String, String>, StoreError> {
        let ids: Vec<&str> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let known = self.teammates_known(workspace).await?;
        if !ids.into_iter().all(|id| known.contains_key(id)) {
            let (shared, of) = (Arc::clone(self), workspace.clone());
            tokio::spawn(async move {
                let work = Box::pin(shared.read_teammates(&of, UNKNOWN_FRESH_MS));
                if let Some(Err(error)) = shared.stopping.run_until_cancelled(work).await {
                    tracing::error!(workspace = %of, %error, "teammates were not read");
                }
            });
        }
        Ok(known)
    }

    async fn teammates_known(
        &self,
        workspace: &WorkspaceName,
    ) -> Result<HashMap<String, String>, StoreError> {
        let connection = Connection::Workspace(workspace.clone());
        let known = self
            .known_thing(&connection, ReadingKind::Teammates, "")
            .await?;
        let all: Vec<SeenTeammate> = known.as_ref().and_then(body).unwrap_or_default();
        Ok(all.into_iter().map(|one| (one.id, one.name)).collect())
    }

    /// Reads what the teammates of a workspace are called unless that is fresh.
    pub(super) async fn read_teammates(
        &self,
        workspace: &WorkspaceName,
        fresh_ms: i64,
    ) -> Result<(), StoreError> {
        let connection = Connection::Workspace(workspace.clone());
        let teammates = async {
            let far = self.far(workspace)?;
            let client = far.client.clone().with_deadline(CALL_DEADLINE);
            let all = self.ask(&far.standing, client.admins()).await?;
            Ok(all.into_iter().map(SeenTeammate::of).collect::<Vec<_>>())
        };
        let thing = (&connection, ReadingKind::Teammates, "");
        self.read_thing(thing, fresh_ms, teammates).await
    }
}
