//! What attributes the contacts and companies of a workspace have: for those who choose which of
//! them the panel shows.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::reading::ReadingKind;

use super::now::body;
use super::refresh::CALL_DEADLINE;
use super::seen::NamedAttribute;
use crate::shared::Shared;

/// How long the list counts as fresh for somebody who chooses from it, in milliseconds: an
/// attribute that was just made in Intercom is there when the page is loaded again.
const CHOOSING_FRESH_MS: i64 = 5_000;

/// The attributes of a workspace, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct AttributesNow {
    /// Standard ones and the workspace's own.
    pub known: Vec<NamedAttribute>,
    /// When they were read; none if that never succeeded.
    pub read_at: Option<Millis>,
    /// Why the latest try at reading them failed.
    pub trouble: Option<String>,
    /// Is Intercom being asked at this moment?
    pub reading: bool,
}

impl Shared {
    /// The attributes of a workspace. Intercom is asked anew, and waited for no longer than
    /// `patience`; what it says later is there the next time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn attributes_now(
        self: &Arc<Self>,
        workspace: &WorkspaceName,
        patience: Duration,
    ) -> Result<AttributesNow, StoreError> {
        let (shared, of) = (Arc::clone(self), workspace.clone());
        let reading = tokio::spawn(async move {
            let work = Box::pin(shared.read_attributes(&of, CHOOSING_FRESH_MS));
            if let Some(Err(error)) = shared.stopping.run_until_cancelled(work).await {
                tracing::error!(workspace = %of, %error, "attributes were not read");
            }
        });
        let late = tokio::time::timeout(patience, reading).await.is_err();
        let connection = Connection::Workspace(workspace.clone());
        let known = self
            .known_thing(&connection, ReadingKind::Attributes, "")
            .await?;
        let Some(known) = known else {
            return Ok(AttributesNow {
                reading: late,
                ..AttributesNow::default()
            });
        };
        Ok(AttributesNow {
            known: body(&known).unwrap_or_default(),
            read_at: known.read_at,
            trouble: known.trouble,
            reading: late,
        })
    }

    /// Reads the attributes of a workspace unless they are fresh.
    pub(super) async fn read_attributes(
        &self,
        workspace: &WorkspaceName,
        fresh_ms: i64,
    ) -> Result<(), StoreError> {
        let connection = Connection::Workspace(workspace.clone());
        let attributes = async {
            let far = self.far(workspace)?;
            let client = far.client.clone().with_deadline(CALL_DEADLINE);
            let all = self.ask(&far.standing, client.attributes()).await?;
            Ok(all.into_iter().map(NamedAttribute::of).collect::<Vec<_>>())
        };
        let thing = (&connection, ReadingKind::Attributes, "");
        self.read_thing(thing, fresh_ms, attributes).await
    }
}
