//! What goes into the store of contacts and comes out of it.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::{
    CompanyId, ConflictId, ContactId, RemoteCompanyId, RemoteContactId, RunId,
};
use bowline_domain::contacts::matching::By;
use bowline_domain::contacts::profile::{Edit, Fields, Profile};
use bowline_domain::contacts::progress::Progress;
use bowline_domain::contacts::remote::{RemoteCompany, RemoteContact};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::Prepared;

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
    pub contacts: Vec<Prepared>,
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

/// What a part of a removal did. All zero: there is nothing more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Contacts that went.
    pub contacts: u64,
    /// Companies that went.
    pub companies: u64,
    /// Contacts that lost what Intercom says and stay with what was imported.
    pub kept: u64,
}

impl Removed {
    /// Was there nothing more?
    pub fn is_end(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, more: Self) {
        self.contacts += more.contacts;
        self.companies += more.companies;
        self.kept += more.kept;
    }
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

/// What a line of a file changes of somebody who is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedOver {
    /// Who.
    pub id: ContactId,
    /// What they are called before.
    pub known_as: String,
    /// What changes; never empty.
    pub changes: Vec<FieldChange>,
}

/// A field that gets another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub name: FieldName,
    /// The value that counts before; `None`: there is none.
    pub old: Option<FieldValue>,
    /// The value that counts then.
    pub new: FieldValue,
}

/// What a line of a file comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportStep {
    /// Somebody new.
    Adds,
    /// Somebody who is known, of whom something changes.
    Edits(ImportedOver),
    /// Somebody who is known, of whom nothing changes.
    Same(ContactId),
    /// Several have what they are known by.
    Unclear,
}
