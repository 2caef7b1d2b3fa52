//! The second half of mending: those who are here and were not in Intercom's list are asked for. They
//! were deleted, merged or archived while no webhook came, or the list moved under the reader.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_net::ErrorKind;
use bowline_store::contacts::{ContactChange, Phase, Unmet};

use super::contact;
use super::copy::{Halt, Worker};
use crate::registry::Workspace;

/// Between two pages of the list. Nobody waits for it, so it leaves most of Intercom's limit to
/// others: ten pages of 150 a second, a million contacts in about eleven minutes.
pub(super) const BETWEEN_PAGES: Duration = Duration::from_millis(100);

/// Contacts that are asked for by one search.
const AT_ONCE: i64 = 50;

impl Worker<'_> {
    /// Asks for those who were not met, until there are no more.
    pub(super) async fn ask_for_unmet(&mut self, workspace: &Arc<Workspace>) -> Result<(), Halt> {
        let store = &self.shared.store;
        loop {
            let cursor = self.run.cursor.as_deref();
            let after = cursor.and_then(|text| text.parse().ok()).unwrap_or(0);
            let part = store.unmet(&self.run, ContactId(after), AT_ONCE).await?;
            let last = i64::try_from(part.len()).is_ok_and(|count| count < AT_ONCE);
            let mut found = self.asked(workspace, &part).await?;
            found.last = last;
            let times = (self.shared.now(), self.until());
            let of = (self.run.id, self.name);
            self.run.cursor = found.after.map(|id| id.to_string());
            store.take_unmet(of, found, times).await?;
            self.failures = 0;
            if last {
                break;
            }
        }
        while store.forget_met(self.run.id).await? > 0 {}
        self.run.phase = Phase::Counting;
        Ok(())
    }

    /// What Intercom says of some of them.
    async fn asked(
        &self,
        workspace: &Arc<Workspace>,
        part: &[(ContactId, RemoteContactId)],
    ) -> Result<Unmet, Halt> {
        let mut found = Unmet {
            after: part.last().map(|(id, _)| *id),
            ..Unmet::default()
        };
        if part.is_empty() {
            return Ok(found);
        }
        let ids: Vec<&str> = part.iter().map(|(_, remote)| remote.as_str()).collect();
        let page = self
            .call(workspace, workspace.client.contacts_among(&ids))
            .await?;
        found.requests = 1;
        // They are listed after all; the list moved while it was read.
        let mut listed = HashSet::new();
        for read in page.contacts().filter_map(Result::ok) {
            listed.insert(read.id.clone());
            if let Ok(taken) = contact(&read) {
                found.changes.push(ContactChange::Take {
                    contact: Box::new(taken),
                    life: Some(Life::Live),
                });
            }
        }
        for id in ids.into_iter().filter(|id| !listed.contains(*id)) {
            found.requests += 1;
            self.ask_for(workspace, id, &mut found).await?;
        }
        Ok(found)
    }

    /// One whom neither the list nor a search shows. Who is not there at all is kept as not found:
    /// only Intercom's word that somebody was deleted erases them.
    async fn ask_for(
        &self,
        workspace: &Arc<Workspace>,
        id: &str,
        found: &mut Unmet,
    ) -> Result<(), Halt> {
        let remote = RemoteContactId::new(id);
        let error = match self.call(workspace, workspace.client.contact(id)).await {
            Ok(_) => {
                let life = ContactChange::SetLife(remote, Life::Archived);
                found.changes.push(life);
                return Ok(());
            }
            Err(Halt::Remote { error, cursor: _ }) => error,
            Err(halt) => return Err(halt),
        };
        let stays = error
            .canonical
            .as_deref()
            .and_then(|path| path.rsplit('/').next())
            .filter(|stays| !stays.is_empty() && *stays != id);
        match (error.kind, stays) {
            (ErrorKind::Gone, Some(stays)) => {
                found.requests += 1;
                let read = self
                    .call(workspace, workspace.client.contact(stays))
                    .await?;
                if let Ok(taken) = contact(&read) {
                    found.changes.push(ContactChange::Take {
                        contact: Box::new(taken),
                        life: None,
                    });
                }
                found.changes.push(ContactChange::Merge {
                    from: remote,
                    into: RemoteContactId::new(stays),
                });
                Ok(())
            }
            (ErrorKind::NotFound | ErrorKind::Gone, _) => {
                let life = ContactChange::SetLife(remote, Life::Missing);
                found.changes.push(life);
                Ok(())
            }
            _ => Err(Halt::Remote {
                error,
                cursor: false,
            }),
        }
    }
}
