//! The store as contacts use it.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{
    CompanyId, ConflictId, ContactId, RemoteCompanyId, RemoteContactId, RunId,
};
use bowline_domain::contacts::matching::By;
use bowline_domain::contacts::profile::{Edit, Fields, Profile};
use bowline_domain::contacts::progress::Progress;
use bowline_domain::contacts::remote::{RemoteCompany, RemoteContact};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::audit;
use crate::sql::contacts::{change, companies, erase, mend, read, runs, take};
use crate::store::Store;
use crate::writes::{Write, write};
use crate::{committer::Writer, db::Conn};

/// What came of taking contacts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Contacts that were not known.
    pub fresh: i64,
    /// Contacts that changed.
    pub updated: i64,
    /// Contacts that say what is known, or something older.
    pub unchanged: i64,
    /// Contacts that were erased or merged away before: nothing of them is kept.
    pub passed_over: i64,
}

/// What one event means for a contact.
#[derive(Clone, Debug)]
pub enum ContactChange {
    /// It was read back. `life` if that is known.
    Take {
        /// What was read.
        contact: Box<RemoteContact>,
        /// How it is, where that is told.
        life: Option<Life>,
    },
    /// It is archived, or listed again.
    SetLife(RemoteContactId, Life),
    /// It was merged into another one.
    Merge {
        /// The one that is gone.
        from: RemoteContactId,
        /// The one that goes on.
        into: RemoteContactId,
    },
    /// It was deleted: it is erased, and stays so.
    Erase(RemoteContactId),
    /// A company was read back.
    Company(Box<RemoteCompany>),
    /// A company was deleted.
    CompanyGone(RemoteCompanyId),
}

/// Changes of contacts that an event brings, in order.
#[derive(Clone, Debug)]
pub struct ContactChanges {
    /// Of which workspace.
    pub workspace: WorkspaceName,
    /// What changes.
    pub changes: Vec<ContactChange>,
    /// When.
    pub at: Millis,
}

/// A contact as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its number.
    pub id: ContactId,
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its id at Intercom, if Intercom knows it.
    pub remote: Option<RemoteContactId>,
    /// What it is called.
    pub name: String,
    /// The e-mail address, in lower case.
    pub email: Option<String>,
    /// `user`, `lead`, or `local` for one that Intercom does not know.
    pub role: String,
    /// How it is.
    pub life: Life,
    /// Is it asked who this is?
    pub unclear: bool,
    /// Does Intercom say something else than what was edited here?
    pub differs: bool,
    /// When it was changed at Intercom.
    pub updated_at: Millis,
    /// When it came to be known here.
    pub since: Millis,
    /// All fields.
    pub profile: Profile,
}

/// Where a contact is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There.
    Here(Box<Contact>),
    /// It was merged into this one.
    Merged(ContactId),
}

/// Which contacts, the latest known first.
#[derive(Clone, Debug)]
pub struct ContactQuery {
    /// Of this workspace.
    pub workspace: WorkspaceName,
    /// With these words, or words that begin so.
    pub words: String,
    /// In this role.
    pub role: Option<String>,
    /// Which are so.
    pub life: Life,
    /// In this company.
    pub company: Option<RemoteCompanyId>,
    /// Of whom it is asked who they are.
    pub unclear: bool,
    /// Of whom Intercom says something else.
    pub differs: bool,
    /// Below this number: where the part before ended.
    pub before: Option<ContactId>,
    /// At most so many.
    pub limit: i64,
}

impl ContactQuery {
    /// All that are listed.
    pub fn all(workspace: WorkspaceName, limit: i64) -> Self {
        Self {
            workspace,
            words: String::new(),
            role: None,
            life: Life::Live,
            company: None,
            unclear: false,
            differs: false,
            before: None,
            limit,
        }
    }
}

/// A company as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its number.
    pub id: CompanyId,
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its id at Intercom.
    pub remote: RemoteCompanyId,
    /// What it is called.
    pub name: String,
    /// The name of its plan.
    pub plan: Option<String>,
    /// What it spends in a month, in hundredths of the workspace's currency.
    pub monthly_spend: Option<i64>,
    /// How many people belong to it, as Intercom says.
    pub people: Option<i64>,
    /// When it was changed at Intercom.
    pub updated_at: Millis,
    /// Was it deleted at Intercom?
    pub gone: bool,
    /// What else Intercom says.
    pub fields: Fields,
}

/// Which companies, the latest known first.
#[derive(Clone, Debug)]
pub struct CompanyQuery {
    /// Of this workspace.
    pub workspace: WorkspaceName,
    /// With these words, or words that begin so.
    pub words: String,
    /// Below this number.
    pub before: Option<CompanyId>,
    /// At most so many.
    pub limit: i64,
}

/// A question about who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its number.
    pub id: ConflictId,
    /// Who came.
    pub contact: ContactId,
    /// What they share with others.
    pub by: By,
    /// The others.
    pub candidates: Vec<ContactId>,
    /// Since when it is asked.
    pub at: Millis,
}

/// What is switched on for a workspace, and how many there were when they were last counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Which workspace.
    pub workspace: WorkspaceName,
    /// Is it switched on by a person here? What the configuration declares stands above it.
    pub switched_on: bool,
    /// Do changes follow?
    pub updates: bool,
    /// Since when, without a stop.
    pub since: Option<Millis>,
    /// When everything was last copied.
    pub copied_at: Option<Millis>,
    /// When changes were last looked for.
    pub swept_at: Option<Millis>,
    /// Contacts that are listed here and known to Intercom.
    pub ours: Option<i64>,
    /// Contacts that Intercom lists.
    pub theirs: Option<i64>,
    /// When both were counted.
    pub counted_at: Option<Millis>,
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// Copies everything.
    Copy,
    /// Looks for what changed lately.
    Sweep,
    /// Copies everything, slowly, and asks for each contact that is here and not in Intercom's list.
    Mend,
}

impl RunKind {
    /// The word by which it is stored; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sweep => "sweep",
            Self::Mend => "mend",
        }
    }
}

/// How a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// At work, or waiting to go on.
    Running,
    /// Came to its end.
    Done,
    /// Was stopped by a person, or because it was switched off.
    Stopped,
    /// Could not go on.
    Failed,
}

impl RunState {
    /// The word by which it is stored; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        [Self::Running, Self::Done, Self::Stopped]
            .into_iter()
            .find(|state| state.as_str() == word)
            .unwrap_or(Self::Failed)
    }
}

/// What a run is about at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Companies.
    Companies,
    /// Contacts.
    Contacts,
    /// Intercom's list was gone through; who is here and not in it is asked for.
    Comparing,
    /// All were gone through; how many there are is compared.
    Counting,
}

impl Phase {
    /// The word by which it is stored; it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Contacts => "contacts",
            Self::Comparing => "comparing",
            Self::Counting => "counting",
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// Of which workspace.
    pub workspace: WorkspaceName,
    /// What it does.
    pub kind: RunKind,
    /// How it is.
    pub state: RunState,
    /// What it is about.
    pub phase: Phase,
    /// Where it goes on, as Intercom says it.
    pub cursor: Option<String>,
    /// Contacts gone through since the beginning of the list.
    pub position: i64,
    /// Of so many.
    pub total: Option<i64>,
    /// When it began.
    pub began_at: Millis,
    /// When the present stretch began.
    pub resumed_at: Millis,
    /// The position then.
    pub resumed_from: i64,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Contacts that were not known.
    pub fresh: i64,
    /// Contacts that changed.
    pub updated: i64,
    /// Contacts that could not be taken in.
    pub failed: i64,
    /// Companies gone through.
    pub companies: i64,
    /// Calls that were made.
    pub requests: i64,
    /// How often it had to begin again.
    pub restarts: i64,
    /// What it waits for, in words.
    pub waiting: Option<String>,
    /// Why contacts failed, the first of them: who, and why.
    pub reasons: Vec<(String, String)>,
}

impl Run {
    /// Contacts that said what was known.
    pub fn unchanged(&self) -> i64 {
        (self.position - self.fresh - self.updated - self.failed).max(0)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.position,
            total: self.total,
            since: self.resumed_at,
            done_then: self.resumed_from,
        }
    }
}

/// Pages that were read, to be committed together with where the run goes on.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// The contacts, in the order in which they came.
    pub contacts: Vec<RemoteContact>,
    /// Items that could not be read: who, if that is known, and why.
    pub failed: Vec<(String, String)>,
    /// The companies.
    pub companies: Vec<RemoteCompany>,
    /// Where to go on; `None`: at the beginning, or it is the end.
    pub cursor: Option<String>,
    /// How many there are, as Intercom says.
    pub total: Option<i64>,
    /// Calls that this took.
    pub requests: i64,
    /// What the run is about from now on.
    pub phase: Option<Phase>,
    /// Who was met in Intercom's list, for a run that looks for those who are not in it.
    pub met: Vec<String>,
}

/// What was found of contacts that are here and were not met in Intercom's list.
#[derive(Clone, Debug, Default)]
pub struct Unmet {
    /// What changes.
    pub changes: Vec<ContactChange>,
    /// The last of them: the next are asked for after it.
    pub after: Option<ContactId>,
    /// Calls that this took.
    pub requests: i64,
    /// Are these the last?
    pub last: bool,
}

/// Reasons that a run keeps.
pub const REASONS_MAX: usize = 100;

/// A value to be set for one contact.
#[derive(Clone, Debug)]
pub struct FieldEdit {
    /// Whose.
    pub contact: ContactId,
    /// Which field.
    pub name: FieldName,
    /// The value; `None`: Intercom's counts again.
    pub edit: Option<Edit>,
}

/// Somebody from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Their id at Intercom, if the file has it.
    pub remote: Option<RemoteContactId>,
    /// The external id, if the file has it.
    pub external_id: Option<String>,
    /// The values, by field.
    pub fields: Fields,
}

/// What a line of a file comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStep {
    /// Somebody new.
    Adds,
    /// Somebody who is known.
    Edits(ContactId),
    /// Somebody who is known, of whom nothing changes.
    Same(ContactId),
    /// Several have what they are known by.
    Unclear,
}

impl Leases for Taken {}
impl Leases for Option<RunId> {}
impl Leases for Option<ContactId> {}
impl Leases for Option<Run> {}
impl Leases for Vec<ImportStep> {}
impl Leases for Option<(WorkspaceName, Vec<String>)> {}

write!(TakeContacts { workspace: WorkspaceName, contacts: Vec<RemoteContact>, at: Millis } -> Taken,
    |conn, _| take::take_in(conn, &workspace, &contacts, Some(Life::Live), at).await);
write!(SwitchSync { sync: Sync, entry: Option<AuditEntry> } -> (), |conn, _| {
    runs::switch(conn, &sync).await?;
    match entry {
        Some(entry) => audit::add(conn, &entry).await,
        None => Ok(()),
    }
});
write!(BeginRun { workspace: WorkspaceName, kind: RunKind, at: Millis } -> Option<RunId>,
    |conn, _| runs::begin(conn, &workspace, kind, at).await);
write!(ClaimRun { run: RunId, at: Millis, until: Millis } -> Option<Run>,
    |conn, writer| runs::claim(conn, run, &writer.owner, at, until).await);
write!(TakePages { run: RunId, workspace: WorkspaceName, pages: Pages, at: Millis, until: Millis } -> Taken,
    |conn, writer| runs::take_pages(conn, writer, (run, &workspace), &pages, (at, until)).await);
write!(TakeUnmet { run: RunId, workspace: WorkspaceName, unmet: Unmet, at: Millis, until: Millis } -> (),
    |conn, writer| mend::take_unmet(conn, writer, (run, &workspace), &unmet, (at, until)).await);
write!(ForgetMet { run: RunId } -> u64, |conn, _| mend::forget(conn, run).await);
write!(RunWaits { run: RunId, why: Option<String>, until: Millis } -> (),
    |conn, writer| runs::waits(conn, writer, run, why.as_deref(), until).await);
write!(RestartRun { run: RunId, at: Millis, until: Millis } -> (),
    |conn, writer| runs::restart(conn, writer, run, at, until).await);
write!(EndRun { run: RunId, state: RunState, theirs: Option<i64>, why: Option<String>, at: Millis } -> (),
    |conn, writer| runs::end(conn, writer, run, state, theirs, why.as_deref(), at).await);
write!(StopRuns { workspace: WorkspaceName, at: Millis } -> u64,
    |conn, _| runs::stop(conn, &workspace, at).await);
write!(EditField { edit: FieldEdit, entry: AuditEntry } -> bool, |conn, _| {
    let changed = change::edit(conn, &edit).await?;
    if changed {
        audit::add(conn, &entry).await?;
    }
    Ok(changed)
});
write!(JoinContacts { from: ContactId, into: ContactId, entry: AuditEntry } -> bool, |conn, _| {
    let joined = change::merge(conn, from, into, entry.at).await?;
    if joined {
        audit::add(conn, &entry).await?;
    }
    Ok(joined)
});
write!(DecideConflict { id: ConflictId, into: Option<ContactId>, entry: AuditEntry } -> bool,
|conn, _| {
    let decided = change::decide_conflict(conn, id, into, entry.at).await?;
    if decided {
        audit::add(conn, &entry).await?;
    }
    Ok(decided)
});
write!(EraseContact { id: ContactId, entry: AuditEntry } -> Option<(WorkspaceName, Vec<String>)>,
|conn, _| {
    let erased = erase::contact(conn, id, entry.at).await?;
    if erased.is_some() {
        audit::add(conn, &entry).await?;
    }
    Ok(erased)
});
write!(ErasePayloads { workspace: WorkspaceName, marks: Vec<String>, after: i64 } -> Option<i64>,
    |conn, _| erase::payloads(conn, &workspace, &marks, after).await);
write!(RemoveCopied { workspace: WorkspaceName, limit: i64 } -> u64,
    |conn, _| erase::copied(conn, &workspace, limit).await);
write!(ImportContacts { workspace: WorkspaceName, people: Vec<Imported>, by: String, at: Millis,
        only_look: bool } -> Vec<ImportStep>,
    |conn, _| change::import(conn, &workspace, &people, (&by, at), only_look).await);

impl Store {
    /// Takes contacts in as a list shows them.
    pub async fn take_contacts(
        &self,
        workspace: &WorkspaceName,
        contacts: Vec<RemoteContact>,
        at: Millis,
    ) -> Result<Taken, StoreError> {
        let workspace = workspace.clone();
        self.write(TakeContacts {
            workspace,
            contacts,
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

    /// The contacts of a workspace with this e-mail address, at most `limit`.
    pub async fn contacts_by_email(
        &self,
        workspace: &WorkspaceName,
        email: &str,
        limit: i64,
    ) -> Result<Vec<Contact>, StoreError> {
        read::by_email(&mut self.reader().await?, workspace, email, limit).await
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
        self.write(TakePages {
            run,
            workspace,
            pages,
            at,
            until,
        })
        .await
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

    /// Erases a contact from every table of contacts and leaves a tombstone. Answers the workspace
    /// and by which marks deliveries about it are known, for [`Store::erase_payloads`]; `None` if
    /// there is no such contact.
    pub async fn erase_contact(
        &self,
        id: ContactId,
        entry: AuditEntry,
    ) -> Result<Option<(WorkspaceName, Vec<String>)>, StoreError> {
        self.write(EraseContact { id, entry }).await
    }

    /// Takes the texts out of a part of the deliveries that hold one of the marks, after the event
    /// `after`. Answers up to which event it came; `None` at the end.
    pub async fn erase_payloads(
        &self,
        workspace: &WorkspaceName,
        marks: Vec<String>,
        after: i64,
    ) -> Result<Option<i64>, StoreError> {
        let workspace = workspace.clone();
        self.write(ErasePayloads {
            workspace,
            marks,
            after,
        })
        .await
    }

    /// Removes a part of what was copied of a workspace and has no feedback. Answers how many went;
    /// 0 at the end.
    pub async fn remove_copied(
        &self,
        workspace: &WorkspaceName,
        limit: i64,
    ) -> Result<u64, StoreError> {
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
