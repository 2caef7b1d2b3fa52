//! The store as contacts use it.

mod model;
mod prepared;
mod writes;

use std::sync::Arc;

use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{
    CompanyId, ConflictId, ContactId, RemoteCompanyId, RemoteContactId, RunId,
};
use bowline_domain::contacts::profile::Edits;
use bowline_domain::contacts::remote::RemoteContact;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

pub use model::*;
pub(crate) use prepared::Kept;
pub use prepared::Prepared;
use writes::{
    BeginRun, ClaimRun, DecideConflict, EditField, EndRun, EraseContact, ForgetMet, ImportContacts,
    JoinContacts, RemoveCopied, RestartRun, RunWaits, StopRuns, SwitchSync, TakeContacts,
    TakePages, TakeUnmet,
};

use crate::access::AuditEntry;
use crate::error::StoreError;
use crate::sql::contacts::{WORDS, companies, imported, mend, read, runs};
use crate::sql::fulltext;
use crate::store::Store;

impl Store {
    /// Takes contacts in as a list shows them.
    pub async fn take_contacts(
        &self,
        workspace: &WorkspaceName,
        contacts: Vec<RemoteContact>,
        at: Millis,
    ) -> Result<Taken, StoreError> {
        let prepared = contacts
            .into_iter()
            .map(|contact| Prepared::of(workspace, contact));
        let contacts = prepared.collect::<Result<Vec<_>, _>>()?;
        self.write(TakeContacts {
            workspace: workspace.clone(),
            contacts: Arc::new(contacts),
            at,
        })
        .await
    }

    /// A part of the contacts that are asked for.
    pub async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>, StoreError> {
        read::page(&mut self.reader().await?, query).await
    }

    /// A contact, or where it went.
    pub async fn contact(&self, id: ContactId) -> Result<Option<Found>, StoreError> {
        read::one(&mut self.reader().await?, id).await
    }

    /// A contact by its id at Intercom, or by the id of one that was merged into it.
    pub async fn contact_by_remote(
        &self,
        workspace: &WorkspaceName,
        remote: &RemoteContactId,
    ) -> Result<Option<Contact>, StoreError> {
        read::by_remote(&mut self.reader().await?, workspace, remote).await
    }

    /// The names of all fields that any contact of a workspace has, at most `limit`. All of its
    /// contacts are gone through.
    pub async fn contact_fields(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<Vec<FieldName>, StoreError> {
        read::field_names(&mut self.reader().await?, workspace, limit).await
    }

    /// The contacts of a workspace with this e-mail address, at most `limit`.
    pub async fn contacts_by_email(
        &self,
        workspace: &WorkspaceName,
        email: &str,
        limit: i64,
    ) -> Result<Vec<Contact>, StoreError> {
        read::by_email(&mut self.reader().await?, workspace, email, limit).await
    }

    /// The leads of a workspace that became known last.
    pub async fn newest_leads(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<Vec<RemoteContactId>, StoreError> {
        read::newest_leads(&mut self.reader().await?, workspace, limit).await
    }

    /// The ids at Intercom that a contact was known by before others were merged into it.
    pub async fn aliases_of(&self, id: ContactId) -> Result<Vec<String>, StoreError> {
        read::aliases(&mut self.reader().await?, id).await
    }

    /// The companies of each of these contacts that were read.
    pub async fn companies_of(
        &self,
        contacts: &[ContactId],
    ) -> Result<Vec<(ContactId, Company)>, StoreError> {
        companies::of(&mut self.reader().await?, contacts).await
    }

    /// A part of the companies that are asked for.
    pub async fn companies(&self, query: &CompanyQuery) -> Result<Vec<Company>, StoreError> {
        companies::page(&mut self.reader().await?, query).await
    }

    /// One company.
    pub async fn company(&self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        companies::one(&mut self.reader().await?, id).await
    }

    /// The company of a workspace with this id at Intercom.
    pub async fn company_by_remote(
        &self,
        workspace: &WorkspaceName,
        remote: &RemoteCompanyId,
    ) -> Result<Option<Company>, StoreError> {
        companies::by_remote(&mut self.reader().await?, workspace, remote).await
    }

    /// Questions about who somebody is that wait, the oldest first.
    pub async fn conflicts(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<Vec<Conflict>, StoreError> {
        read::conflicts(&mut self.reader().await?, workspace, limit).await
    }

    /// The question about one contact, if there is one.
    pub async fn conflict_of(&self, contact: ContactId) -> Result<Option<Conflict>, StoreError> {
        read::conflict_of(&mut self.reader().await?, contact).await
    }

    /// The issues that these conversations are linked to at the moment.
    pub async fn issues_of_conversations(
        &self,
        workspace: &WorkspaceName,
        conversations: &[ConversationId],
    ) -> Result<Vec<(ConversationId, SiteName, IssueId)>, StoreError> {
        read::issues_of(&mut self.reader().await?, workspace, conversations).await
    }

    /// What is switched on where.
    pub async fn syncs(&self) -> Result<Vec<Sync>, StoreError> {
        runs::syncs(&mut self.reader().await?).await
    }

    /// Switches the copying of a workspace on or off, or records its first sight.
    pub async fn switch_sync(
        &self,
        sync: Sync,
        entry: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        self.write(SwitchSync { sync, entry }).await
    }

    /// Begins a run; `None` if one is under way.
    pub async fn begin_run(
        &self,
        workspace: &WorkspaceName,
        kind: RunKind,
        at: Millis,
    ) -> Result<Option<RunId>, StoreError> {
        let workspace = workspace.clone();
        self.write(BeginRun {
            workspace,
            kind,
            at,
        })
        .await
    }

    /// Takes a run that nobody works until a time; `None` if somebody does or it ended.
    pub async fn claim_run(
        &self,
        run: RunId,
        at: Millis,
        until: Millis,
    ) -> Result<Option<Run>, StoreError> {
        self.write(ClaimRun { run, at, until }).await
    }

    /// Contacts of a run's workspace, after one, that Intercom's list did not show in it though they
    /// were known here before it began.
    pub async fn unmet(
        &self,
        run: &Run,
        after: ContactId,
        limit: i64,
    ) -> Result<Vec<(ContactId, RemoteContactId)>, StoreError> {
        mend::unmet(&mut self.reader().await?, run, after, limit).await
    }

    /// Takes in what was found of those, with where the run goes on.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] as with [`Store::take_pages`].
    pub async fn take_unmet(
        &self,
        (run, workspace): (RunId, &WorkspaceName),
        unmet: Unmet,
        (at, until): (Millis, Millis),
    ) -> Result<(), StoreError> {
        self.write(TakeUnmet {
            run,
            workspace: workspace.clone(),
            unmet,
            at,
            until,
        })
        .await
    }

    /// Forgets whom a run met, some at a time. Answers how many; none: all are forgotten.
    pub async fn forget_met(&self, run: RunId) -> Result<u64, StoreError> {
        self.write(ForgetMet { run }).await
    }

    /// Commits pages together with where the run goes on.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the run was taken over, stopped or ended; nothing is written
    /// then.
    pub async fn take_pages(
        &self,
        of: (RunId, &WorkspaceName),
        pages: Pages,
        (at, until): (Millis, Millis),
    ) -> Result<Taken, StoreError> {
        let (run, workspace) = (of.0, of.1.clone());
        let pages = Arc::new(pages);
        let taken = self.write(TakePages {
            run,
            workspace,
            pages: Arc::clone(&pages),
            at,
            until,
        });
        let taken = taken.await;
        // Thousands of contacts take their time to be freed, which neither the writer has nor whoever
        // brings it the next ones.
        tokio::task::spawn_blocking(move || drop(pages));
        taken
    }

    /// Puts words of contacts that wait for it into their index: on PostgreSQL, where pages leave
    /// that to be done beside them. A search finds them before, and takes longer for it.
    pub async fn merge_words(&self) -> Result<(), StoreError> {
        fulltext::merge(&mut self.reader().await?, WORDS.table).await
    }

    /// Keeps a run, and says what it waits for.
    pub async fn run_waits(
        &self,
        run: RunId,
        why: Option<String>,
        until: Millis,
    ) -> Result<(), StoreError> {
        self.write(RunWaits { run, why, until }).await
    }

    /// Has a run begin its list again: the cursor was not good any more.
    pub async fn restart_run(
        &self,
        run: RunId,
        at: Millis,
        until: Millis,
    ) -> Result<(), StoreError> {
        self.write(RestartRun { run, at, until }).await
    }

    /// Ends a run, counts, and keeps how many contacts Intercom has.
    pub async fn end_run(
        &self,
        run: RunId,
        (state, why): (RunState, Option<String>),
        theirs: Option<i64>,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(EndRun {
            run,
            state,
            theirs,
            why,
            at,
        })
        .await
    }

    /// Stops the runs of a workspace.
    pub async fn stop_runs(
        &self,
        workspace: &WorkspaceName,
        at: Millis,
    ) -> Result<u64, StoreError> {
        let workspace = workspace.clone();
        self.write(StopRuns { workspace, at }).await
    }

    /// The latest runs of a workspace, the newest first.
    pub async fn runs(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<Vec<Run>, StoreError> {
        runs::latest(&mut self.reader().await?, workspace, limit).await
    }

    /// The latest run of a workspace that failed and that no later one made up for.
    ///
    /// # Errors
    /// The database.
    pub async fn failed_run(&self, workspace: &WorkspaceName) -> Result<Option<Run>, StoreError> {
        runs::failed(&mut self.reader().await?, workspace).await
    }

    /// Sets a field of a contact, or lets Intercom's value count again. Answers whether anything
    /// changed.
    pub async fn edit_field(&self, edit: FieldEdit, entry: AuditEntry) -> Result<bool, StoreError> {
        self.write(EditField { edit, entry }).await
    }

    /// Merges one contact into another; what leads to it leads there from then on. Answers whether
    /// both were there.
    pub async fn join_contacts(
        &self,
        from: ContactId,
        into: ContactId,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(JoinContacts { from, into, entry }).await
    }

    /// Decides who somebody is: one of the candidates, or somebody of their own. Answers whether it
    /// was still asked.
    pub async fn decide_conflict(
        &self,
        id: ConflictId,
        into: Option<ContactId>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(DecideConflict { id, into, entry }).await
    }

    /// Erases a contact from every table of contacts and leaves a tombstone; what deliveries said of
    /// them is [forgotten](crate::forget) next. False if there is no such contact.
    pub async fn erase_contact(
        &self,
        id: ContactId,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(EraseContact { id, entry }).await
    }

    /// How many contacts of a workspace were erased by people here and may still be in Intercom's
    /// list.
    pub async fn erased_here(&self, workspace: &WorkspaceName) -> Result<i64, StoreError> {
        runs::erased_here(&mut self.reader().await?, workspace).await
    }

    /// What files said of somebody, and what was set above it here, also where Intercom says the same:
    /// what stays of them when what was copied is removed. Nothing of who was never in a file.
    pub async fn imported_of(&self, id: ContactId) -> Result<Edits, StoreError> {
        imported::of(&mut self.reader().await?, id).await
    }

    /// How many contacts of a workspace are listed that Intercom does not know; at most `max` are
    /// counted.
    pub async fn local_contacts(
        &self,
        workspace: &WorkspaceName,
        max: i64,
    ) -> Result<i64, StoreError> {
        read::local(&mut self.reader().await?, workspace, max).await
    }

    /// Removes a part of what was copied of a workspace and has no feedback. Who was also imported
    /// stays with what was imported and set here; companies of who stays and of tickets stay.
    pub async fn remove_copied(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<Removed, StoreError> {
        let workspace = workspace.clone();
        self.write(RemoveCopied { workspace, limit }).await
    }

    /// What lines of a file come to, without changing anything.
    pub async fn preview_import(
        &self,
        workspace: &WorkspaceName,
        people: Vec<Imported>,
        at: Millis,
    ) -> Result<Vec<ImportStep>, StoreError> {
        let workspace = workspace.clone();
        self.write(ImportContacts {
            workspace,
            people,
            by: String::new(),
            at,
            only_look: true,
        })
        .await
    }

    /// Takes lines of a file in.
    pub async fn import_contacts(
        &self,
        workspace: &WorkspaceName,
        people: Vec<Imported>,
        by: &str,
        at: Millis,
    ) -> Result<Vec<ImportStep>, StoreError> {
        let (workspace, by) = (workspace.clone(), by.to_owned());
        self.write(ImportContacts {
            workspace,
            people,
            by,
            at,
            only_look: false,
        })
        .await
    }
}
