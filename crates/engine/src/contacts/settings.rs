//! What is switched on, what is missing for it, and what people ask for by hand.

use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Permission, Use, permissions};
use bowline_store::StoreError;
use bowline_store::access::AuditEntry;
use bowline_store::contacts::{Removed, RunKind, Sync};

use super::call;
use crate::pace::Priority;
use crate::permissions::{Lacking, in_use_now, lacking_of};
use crate::shared::Shared;

/// Conversations of a contact that are asked for.
const CONVERSATIONS_MAX: u32 = 20;

/// What is switched on for a workspace.
#[derive(Clone, Debug)]
pub struct ContactSetting {
    /// Which.
    pub workspace: WorkspaceName,
    /// Are its contacts copied?
    pub on: bool,
    /// Do changes follow?
    pub updates: bool,
    /// Is that said by the configuration? It cannot be switched here then.
    pub declared: bool,
    /// What is known of it.
    pub sync: Sync,
}

/// A conversation of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactConversation {
    /// Its id.
    pub id: String,
    /// Its title or the beginning of its first message; may be empty.
    pub state: String,
    /// Where people open it.
    pub url: String,
}

fn unknown(workspace: &WorkspaceName) -> Sync {
    Sync {
        workspace: workspace.clone(),
        switched_on: false,
        updates: true,
        since: None,
        copied_at: None,
        swept_at: None,
        ours: None,
        theirs: None,
        counted_at: None,
    }
}

impl Shared {
    /// What is switched on, for each workspace that is configured, by name.
    pub async fn contact_settings(&self) -> Result<Vec<ContactSetting>, StoreError> {
        let known = self.store.syncs().await?;
        let registry = self.registry();
        let mut names: Vec<&WorkspaceName> = registry.workspaces.keys().collect();
        names.sort();
        let all = names.into_iter().map(|name| {
            let sync = known.iter().find(|sync| sync.workspace == *name);
            let sync = sync.cloned().unwrap_or_else(|| unknown(name));
            let declared = registry
                .contact_syncs
                .iter()
                .find(|declared| declared.workspace == *name);
            ContactSetting {
                workspace: name.clone(),
                on: declared.is_some() || sync.switched_on,
                updates: declared.map_or(sync.updates, |declared| declared.updates),
                declared: declared.is_some(),
                sync,
            }
        });
        Ok(all.collect())
    }

    /// What is switched on for one workspace; `None` if there is no such workspace.
    pub async fn contact_setting(
        &self,
        workspace: &WorkspaceName,
    ) -> Result<Option<ContactSetting>, StoreError> {
        let all = self.contact_settings().await?;
        Ok(all.into_iter().find(|one| one.workspace == *workspace))
    }

    /// Which permissions are missing to copy contacts, found out by calls that need them. Nothing
    /// is changed.
    ///
    /// # Errors
    /// In words, why it could not be found out.
    pub async fn missing_for_contacts(
        &self,
        workspace: &WorkspaceName,
    ) -> Result<Vec<Lacking>, String> {
        let registry = self.registry();
        let Some(workspace) = registry.workspaces.get(workspace) else {
            return Err("There is no such workspace in the configuration.".to_owned());
        };
        let wanted = permissions(&[Use::Contacts]).into_iter();
        let wanted: Vec<Permission> = wanted.map(|one| one.what).collect();
        let lacking = lacking_of(self, workspace, &wanted).await;
        lacking.map_err(|error| format!("Intercom could not be asked: {error}"))
    }

    /// What is in use in a workspace, and so needs something of it.
    ///
    /// # Errors
    /// The database.
    pub async fn in_use(&self, workspace: &WorkspaceName) -> Result<Vec<Use>, StoreError> {
        let registry = self.registry();
        let mut syncs = registry.contact_syncs.iter();
        let declared = syncs.any(|one| one.workspace == *workspace);
        in_use_now(&self.store, workspace, declared).await
    }

    /// Switches copying on or off by hand, and writes it down.
    ///
    /// # Errors
    /// The database.
    pub async fn switch_contacts(
        &self,
        setting: &ContactSetting,
        on: bool,
        updates: bool,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        if !on {
            self.store.stop_runs(&setting.workspace, self.now()).await?;
        }
        let sync = Sync {
            switched_on: on,
            updates,
            since: setting.sync.since.filter(|_| on),
            ..setting.sync.clone()
        };
        self.store.switch_sync(sync, Some(entry)).await?;
        self.contacts_switched.notify_waiters();
        Ok(())
    }

    /// Begins to copy everything again. False if a run is under way.
    ///
    /// # Errors
    /// The database.
    pub async fn begin_contact_run(
        &self,
        workspace: &WorkspaceName,
        kind: RunKind,
    ) -> Result<bool, StoreError> {
        let begun = self.store.begin_run(workspace, kind, self.now()).await?;
        self.contacts_switched.notify_waiters();
        Ok(begun.is_some())
    }

    /// Erases a contact, and then what deliveries say of them. False if there is none.
    ///
    /// # Errors
    /// The database. What was erased until then stays erased, and the rest goes by itself.
    pub async fn erase_contact(
        &self,
        id: ContactId,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        if !self.store.erase_contact(id, entry).await? {
            return Ok(false);
        }
        crate::forget::all(self).await?;
        Ok(true)
    }

    /// Removes all that was copied of a workspace and has no feedback. Who was also imported stays
    /// with what was imported and set here. Answers how many went, and how many stay so.
    ///
    /// # Errors
    /// The database.
    pub async fn remove_copied_contacts(
        &self,
        workspace: &WorkspaceName,
    ) -> Result<Removed, StoreError> {
        const AT_ONCE: i64 = 250;
        let mut removed = Removed::default();
        loop {
            let part = self.store.remove_copied(workspace, AT_ONCE).await?;
            if part.is_end() {
                return Ok(removed);
            }
            removed += part;
        }
    }

    /// The latest conversations of a contact, as Intercom has them at this moment.
    ///
    /// # Errors
    /// In words, why Intercom could not be asked.
    pub async fn conversations_of_contact(
        &self,
        workspace: &WorkspaceName,
        contact: &RemoteContactId,
    ) -> Result<Vec<ContactConversation>, String> {
        let registry = self.registry();
        let Some(workspace) = registry.workspaces.get(workspace) else {
            return Err("The workspace is not configured any more.".to_owned());
        };
        let asked = workspace
            .client
            .conversations_of(contact.as_str(), 0, CONVERSATIONS_MAX);
        let found = call(self, workspace, Priority::Interactive, asked)
            .await
            .map_err(|error| error.to_string())?;
        let all = found.into_iter().map(|conversation| ContactConversation {
            url: workspace.conversation_url(&conversation.id),
            state: format!("{:?}", conversation.state).to_lowercase(),
            id: conversation.id,
        });
        Ok(all.collect())
    }
}
