//! A panel as it can be shown at this moment, from what was last read.

use std::collections::HashMap;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{ConversationId, IssueId, ProjectKey, SiteName, WorkspaceName};
use bowline_domain::panel::{ContactSource, Identity, PanelSettings, one_each};
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::reading::{Reading, ReadingKind};
use serde::de::DeserializeOwned;

use super::refresh::{CONTACTS_MAX, CONVERSATIONS_MAX, FRESH_MS};
use super::seen::{NamedAttribute, SeenContact, SeenConversation, SeenReporter, SeenTeammate};
use crate::shared::Shared;

/// A linked conversation.
#[derive(Clone, Debug)]
pub struct Card {
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its id.
    pub conversation: ConversationId,
    /// What was last read of it; none if that never succeeded, or if it is gone.
    pub seen: Option<SeenConversation>,
    /// When that was.
    pub read_at: Option<Millis>,
    /// Why the latest try at reading it failed.
    pub trouble: Option<String>,
    tried_at: Option<Millis>,
}

/// A contact behind the issue.
#[derive(Clone, Debug)]
pub struct ContactNow {
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// What was last read of it.
    pub seen: SeenContact,
    /// When that was.
    pub read_at: Option<Millis>,
}

/// What is known of the reporter, where contacts are found by them.
#[derive(Clone, Debug, Default)]
pub struct ReporterNow {
    /// Who; none until Jira was asked.
    pub seen: Option<SeenReporter>,
    /// Was Intercom asked for contacts with their e-mail address?
    pub looked_for: bool,
    /// Why the latest try at asking Jira or Intercom failed.
    pub trouble: Option<String>,
    tried_at: Option<Millis>,
}

impl ReporterNow {
    /// A reporter who is known.
    pub fn of(seen: SeenReporter, looked_for: bool) -> Self {
        Self {
            seen: Some(seen),
            looked_for,
            ..Self::default()
        }
    }
}

/// A panel as it can be shown now.
#[derive(Clone, Debug)]
pub struct PanelNow {
    /// What the project's binding says; `None` if the project is not joined to a workspace.
    pub settings: Option<PanelSettings>,
    /// The workspace that the project is joined to.
    pub workspace: Option<WorkspaceName>,
    /// Is anything of the issue told to its conversations, and may they be linked?
    pub linking: bool,
    /// The linked conversations, the oldest link first.
    pub conversations: Vec<Card>,
    /// Linked conversations beyond those.
    pub more: usize,
    /// The people, each once.
    pub contacts: Vec<ContactNow>,
    /// The reporter, where contacts are found by them.
    pub reporter: Option<ReporterNow>,
    /// What attributes are called.
    pub names: Vec<NamedAttribute>,
    /// Is anything being read at this moment?
    pub reading: bool,
    /// Is anything older than what counts as fresh?
    pub stale: bool,
    /// When the oldest of what is shown was read.
    pub read_at: Option<Millis>,
    teammates: HashMap<String, String>,
}

impl PanelNow {
    /// The name of a teammate or team, as far as it is known.
    pub fn teammate(&self, id: &str) -> Option<&str> {
        self.teammates.get(id).map(String::as_str)
    }
}

/// What a reading holds, if it holds something that this version can read.
pub(super) fn body<T: DeserializeOwned>(reading: &Reading) -> Option<T> {
    let body = reading.body.as_deref()?;
    serde_json::from_str(body).ok()
}

impl Shared {
    /// The panel of an issue, from what is known: nobody is asked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn panel_now(
        &self,
        (site, issue): (&SiteName, &IssueId),
        project: &ProjectKey,
    ) -> Result<PanelNow, StoreError> {
        let registry = self.registry();
        let binding = registry.binding(site, project);
        let mut links = self.store.live_links(site, issue).await?;
        let more = links.len().saturating_sub(CONVERSATIONS_MAX);
        links.truncate(CONVERSATIONS_MAX);
        let mut panel = PanelNow {
            settings: binding.map(|binding| binding.panel.clone()),
            workspace: binding.map(|binding| binding.workspace.clone()),
            linking: binding.is_some_and(|binding| binding.linking),
            conversations: self.cards(&links).await?,
            more,
            contacts: Vec::new(),
            reporter: None,
            names: Vec::new(),
            reading: self.reads.under_way(site, issue),
            stale: false,
            read_at: None,
            teammates: HashMap::new(),
        };
        let source = binding.map(|binding| binding.panel.contact_source);
        if let (Some(ContactSource::Reporter), Some(workspace)) = (source, &panel.workspace) {
            let (reporter, contacts) = self.reporter_now((site, issue), workspace).await?;
            panel.reporter = Some(reporter);
            panel.contacts = contacts;
        } else {
            panel.contacts = self.contacts_of(&panel.conversations).await?;
        }
        self.name(&mut panel).await?;
        let now = self.now();
        let old = |tried_at: Option<Millis>| tried_at.is_none_or(|at| now.since(at) >= FRESH_MS);
        panel.stale = panel
            .settings
            .as_ref()
            .is_some_and(|settings| settings.enabled)
            && (panel.conversations.iter().any(|card| old(card.tried_at))
                || panel.reporter.iter().any(|reporter| old(reporter.tried_at)));
        let read = panel.conversations.iter().filter_map(|card| card.read_at);
        let contacts = panel.contacts.iter().filter_map(|contact| contact.read_at);
        panel.read_at = read.chain(contacts).min();
        Ok(panel)
    }

    async fn cards(
        &self,
        links: &[(WorkspaceName, ConversationId)],
    ) -> Result<Vec<Card>, StoreError> {
        let ids = links
            .iter()
            .map(|(workspace, id)| (workspace.clone(), id.to_string()));
        let known = self.read_before(ReadingKind::Conversation, ids).await?;
        let cards = links.iter().map(|(workspace, conversation)| {
            let reading = known.get(&(workspace.clone(), conversation.to_string()));
            Card {
                workspace: workspace.clone(),
                conversation: conversation.clone(),
                seen: reading.and_then(body),
                read_at: reading.and_then(|reading| reading.read_at),
                trouble: reading.and_then(|reading| reading.trouble.clone()),
                tried_at: reading.map(|reading| reading.tried_at),
            }
        });
        Ok(cards.collect())
    }

    /// The contacts of the conversations, each person once.
    async fn contacts_of(&self, cards: &[Card]) -> Result<Vec<ContactNow>, StoreError> {
        let mut ids: Vec<(WorkspaceName, String)> = Vec::new();
        for card in cards {
            for contact in card.seen.iter().flat_map(|seen| &seen.contacts) {
                let id = (card.workspace.clone(), contact.clone());
                if !ids.contains(&id) && ids.len() < CONTACTS_MAX {
                    ids.push(id);
                }
            }
        }
        let contacts = self.contacts_by_id(ids).await?;
        Ok(one_each(contacts, |contact| Identity {
            id: format!("{}/{}", contact.workspace, contact.seen.id),
            email: contact.seen.email.clone(),
            lead: contact.seen.lead,
        }))
    }

    async fn contacts_by_id(
        &self,
        ids: Vec<(WorkspaceName, String)>,
    ) -> Result<Vec<ContactNow>, StoreError> {
        let known = self
            .read_before(ReadingKind::Contact, ids.iter().cloned())
            .await?;
        let contacts = ids.into_iter().filter_map(|id| {
            let reading = known.get(&id)?;
            Some(ContactNow {
                workspace: id.0,
                seen: body(reading)?,
                read_at: reading.read_at,
            })
        });
        Ok(contacts.collect())
    }

    /// The reporter, and every user and lead with their e-mail address.
    async fn reporter_now(
        &self,
        (site, issue): (&SiteName, &IssueId),
        workspace: &WorkspaceName,
    ) -> Result<(ReporterNow, Vec<ContactNow>), StoreError> {
        let connection = Connection::Site(site.clone());
        let ids = [issue.to_string()];
        let readings = self
            .store
            .readings(&connection, ReadingKind::Reporter, &ids)
            .await?;
        let Some(reading) = readings.first() else {
            return Ok((ReporterNow::default(), Vec::new()));
        };
        let mut reporter = ReporterNow {
            seen: body(reading),
            looked_for: false,
            trouble: reading.trouble.clone(),
            tried_at: Some(reading.tried_at),
        };
        let email = reporter.seen.as_ref().and_then(|seen| seen.email.clone());
        let Some(email) = email else {
            return Ok((reporter, Vec::new()));
        };
        let ids = [(workspace.clone(), email.to_lowercase())];
        let found = self.read_before(ReadingKind::SameEmail, ids).await?;
        let Some(found) = found.into_values().next() else {
            return Ok((reporter, Vec::new()));
        };
        let same: Option<Vec<String>> = body(&found);
        reporter.looked_for = same.is_some();
        reporter.trouble = found.trouble.or(reporter.trouble);
        let ids = same.into_iter().flatten().take(CONTACTS_MAX);
        let ids = ids.map(|id| (workspace.clone(), id)).collect();
        Ok((reporter, self.contacts_by_id(ids).await?))
    }

    /// What attributes and teammates are called.
    async fn name(&self, panel: &mut PanelNow) -> Result<(), StoreError> {
        let mut workspaces: Vec<WorkspaceName> = panel
            .conversations
            .iter()
            .map(|card| card.workspace.clone())
            .chain(panel.workspace.clone())
            .collect();
        workspaces.sort();
        workspaces.dedup();
        for workspace in workspaces {
            let one = [(workspace, String::new())];
            let teammates = self
                .read_before(ReadingKind::Teammates, one.clone())
                .await?;
            for reading in teammates.values() {
                let all: Vec<SeenTeammate> = body(reading).unwrap_or_default();
                let named = all.into_iter().map(|one| (one.id, one.name));
                panel.teammates.extend(named);
            }
            let names = self.read_before(ReadingKind::Attributes, one).await?;
            for reading in names.values() {
                panel
                    .names
                    .extend(body::<Vec<_>>(reading).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// What was last read of things in workspaces.
    pub(super) async fn read_before(
        &self,
        kind: ReadingKind,
        things: impl IntoIterator<Item = (WorkspaceName, String)>,
    ) -> Result<HashMap<(WorkspaceName, String), Reading>, StoreError> {
        let mut by_workspace: HashMap<WorkspaceName, Vec<String>> = HashMap::new();
        for (workspace, id) in things {
            by_workspace.entry(workspace).or_default().push(id);
        }
        let mut found = HashMap::new();
        for (workspace, ids) in by_workspace {
            let connection = Connection::Workspace(workspace.clone());
            for reading in self.store.readings(&connection, kind, &ids).await? {
                found.insert((workspace.clone(), reading.remote.clone()), reading);
            }
        }
        Ok(found)
    }
}
