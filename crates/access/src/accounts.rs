//! People: added, changed, locked out, let in again.

use std::collections::BTreeSet;

use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::access::{Account, AccountChange, Changed, Invitation, NewAccount, Session};

use crate::audit::What;
use crate::permission::{Granted, ManagePeople};
use crate::role::{Person, ProjectRef, Role, RoleKind, stored_projects};
use crate::secret::{self, digest};
use crate::{Access, AccessError};

/// How long the code for a new password may be used, in milliseconds: three days.
const INVITATION_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// The longest name and e-mail address, in letters.
const LETTERS_MAX: usize = 200;

/// What is wrong in a form, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong and how to mend it.
    pub words: String,
    /// Of a list of entries with fields of their own: which entry, from 0, and which of its fields.
    pub entry: Option<(usize, &'static str)>,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: &'static str, words: impl Into<String>) -> Self {
        Self {
            field,
            words: words.into(),
            entry: None,
        }
    }

    /// It is of this field of the entry with this number, from 0.
    #[must_use]
    pub fn of_entry(mut self, entry: usize, field: &'static str) -> Self {
        self.entry = Some((entry, field));
        self
    }
}

/// Why something is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefusal {
    /// Something in the form is wrong.
    #[error("{}", .0.iter().map(|fault| fault.words.as_str()).collect::<Vec<_>>().join(" "))]
    Faults(Vec<Fault>),
    /// Someone else changed it meanwhile.
    #[error(
        "Someone changed this meanwhile, so nothing was saved. What stands there now is what they \
         saved; make your change again if it still fits."
    )]
    Overtaken,
    /// Nobody would be left who may do everything.
    #[error(
        "This is the only active owner. Make someone else an owner first; otherwise nobody could \
         manage owners any more."
    )]
    LastOwner,
    /// Only owners may do this.
    #[error("Only an owner makes, changes or removes an owner. Ask one of them.")]
    OwnersOnly,
    /// There is no such account.
    #[error("There is no such account.")]
    Gone,
    /// Something failed.
    #[error(transparent)]
    Failed(AccessError),
}

impl From<StoreError> for ChangeRefusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(AccessError::Store(error))
    }
}

/// An account as someone typed it.
#[derive(Clone, Debug, Default)]
pub struct AccountForm {
    /// What the person is called.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The role's word.
    pub role: String,
    /// The projects of a project administrator, each as `site/PROJECT`.
    pub projects: Vec<String>,
}

impl AccountForm {
    /// The name as it is kept.
    pub(crate) fn name(&self) -> String {
        self.name.trim().to_owned()
    }

    /// The e-mail address as it is kept.
    pub(crate) fn email(&self) -> String {
        self.email.trim().to_lowercase()
    }

    /// What is wrong with name and address.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.name_fault()
            .into_iter()
            .chain(self.email_fault())
            .collect()
    }

    fn name_fault(&self) -> Option<Fault> {
        let name = self.name();
        if name.is_empty() {
            return Some(Fault::new("name", "Say what the person is called."));
        }
        let fits = name.chars().count() <= LETTERS_MAX && !name.chars().any(char::is_control);
        (!fits).then(|| Fault::new("name", format!("Use at most {LETTERS_MAX} letters.")))
    }

    fn email_fault(&self) -> Option<Fault> {
        let email = self.email();
        let whole = email.split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && host.contains('.') && !host.contains('@') && !host.ends_with('.')
        });
        let odd = |letter: char| letter.is_whitespace() || letter.is_control();
        let fits = whole && email.chars().count() <= LETTERS_MAX && !email.contains(odd);
        (!fits).then(|| {
            Fault::new(
                "email",
                "This is not an e-mail address. Write it like ana@example.com.",
            )
        })
    }

    /// The role that is meant.
    fn role(&self) -> Result<Role, Fault> {
        let kind = RoleKind::from_word(&self.role)
            .ok_or_else(|| Fault::new("role", "Choose one of the roles."))?;
        let mut projects = BTreeSet::new();
        for text in self.projects.iter().filter(|text| !text.trim().is_empty()) {
            let words = format!("“{text}” is not a project. Write it as site/PROJECT.");
            projects.insert(ProjectRef::read(text).ok_or_else(|| Fault::new("projects", words))?);
        }
        if kind == RoleKind::ProjectAdministrator && projects.is_empty() {
            let words = "Choose at least one project for a project administrator.";
            return Err(Fault::new("projects", words));
        }
        Ok(Role::new(kind, projects))
    }
}

/// Someone with what is kept of their account.
#[derive(Clone, Debug)]
pub struct Invitee {
    /// Who.
    pub person: Person,
    /// The account.
    pub account: Account,
}

/// A code for someone to choose a password with. Shown once.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The account's number.
    pub id: i64,
    /// The e-mail address.
    pub email: String,
    /// The code.
    pub code: String,
}

impl Access {
    /// Everyone, by name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn people(&self, _by: &Granted<ManagePeople>) -> Result<Vec<Invitee>, AccessError> {
        let accounts = self.store().accounts().await?;
        accounts.into_iter().map(invitee).collect()
    }

    /// At most so many people by name: those behind one of this name and number.
    ///
    /// # Errors
    /// The store fails.
    pub async fn people_part(
        &self,
        _by: &Granted<ManagePeople>,
        after: Option<&(String, i64)>,
        limit: i64,
    ) -> Result<Vec<Invitee>, AccessError> {
        let accounts = self.store().accounts_part(after, limit).await?;
        accounts.into_iter().map(invitee).collect()
    }

    /// One person.
    ///
    /// # Errors
    /// The store fails.
    pub async fn person(
        &self,
        _by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<Option<Invitee>, AccessError> {
        self.store().account(id).await?.map(invitee).transpose()
    }

    /// The sessions of someone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sessions_of(
        &self,
        _by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<Vec<Session>, AccessError> {
        Ok(self.store().sessions_of(id, self.now()).await?)
    }

    /// At most so many sessions of someone, the latest begun first: those behind one that began then
    /// and has this key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sessions_part_of(
        &self,
        _by: &Granted<ManagePeople>,
        id: i64,
        after: Option<&(Millis, String)>,
        limit: i64,
    ) -> Result<Vec<Session>, AccessError> {
        let part = self.store().sessions_part(id, self.now(), after, limit);
        Ok(part.await?)
    }

    /// Adds a person, who chooses a password with the code.
    ///
    /// # Errors
    /// Something in the form is wrong, the role may not be given, or the store fails.
    pub async fn add_person(
        &self,
        by: &Granted<ManagePeople>,
        form: &AccountForm,
    ) -> Result<Invited, ChangeRefusal> {
        let mut faults = form.faults();
        let role = form.role().map_err(|fault| faults.push(fault)).ok();
        let Some(role) = role.filter(|_| faults.is_empty()) else {
            return Err(ChangeRefusal::Faults(faults));
        };
        if !by.who().may_give(&role) {
            return Err(ChangeRefusal::OwnersOnly);
        }
        let account = NewAccount {
            email: form.email(),
            name: form.name(),
            role: role.kind().as_str().to_owned(),
            projects: stored_projects(&role),
            password: None,
        };
        let entry = self.entry(by.who(), What::PersonAdded, form.email(), role.to_string());
        let Some(id) = self.store().add_account(account, entry).await? else {
            let words = "Someone with this e-mail address is there already.";
            return Err(ChangeRefusal::Faults(vec![Fault::new("email", words)]));
        };
        self.invite(by, id, &form.email()).await
    }

    async fn invite(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
        email: &str,
    ) -> Result<Invited, ChangeRefusal> {
        let code = secret::code(&*self.inner.entropy);
        let invitation = Invitation {
            key: digest(&code),
            account: Some(id),
            made_at: self.now(),
            ends_at: self.now().plus_ms(INVITATION_MS),
        };
        let entry = self.entry(by.who(), What::PasswordReset, email, "a code was made");
        self.store().invite(invitation, Some(entry)).await?;
        Ok(Invited {
            id,
            email: email.to_owned(),
            code,
        })
    }

    /// Makes a code with which someone chooses a new password. The present password and sessions
    /// go on until it is used.
    ///
    /// # Errors
    /// There is no such account, it is an owner's and `by` is none, or the store fails.
    pub async fn reset_password(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<Invited, ChangeRefusal> {
        let person = self.known(by, id).await?.person;
        self.invite(by, id, &person.email).await
    }

    /// The account of this e-mail address.
    ///
    /// # Errors
    /// The store fails.
    pub async fn person_by_email(
        &self,
        _by: &Granted<ManagePeople>,
        email: &str,
    ) -> Result<Option<Invitee>, AccessError> {
        let email = email.trim().to_lowercase();
        let account = self.store().account_by_email(&email).await?;
        account.map(invitee).transpose()
    }

    pub(crate) async fn known(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<Invitee, ChangeRefusal> {
        let found = self.person(by, id).await.map_err(ChangeRefusal::Failed)?;
        let known = found.ok_or(ChangeRefusal::Gone)?;
        if by.who().may_give(&known.person.role) {
            Ok(known)
        } else {
            Err(ChangeRefusal::OwnersOnly)
        }
    }

    /// Changes a person's name, role and right to sign in, if the account still has this version.
    ///
    /// # Errors
    /// Something in the form is wrong, the role may not be given or taken, it is the last owner,
    /// someone changed it meanwhile, or the store fails.
    pub async fn change_person(
        &self,
        by: &Granted<ManagePeople>,
        (id, version): (i64, i64),
        form: &AccountForm,
        active: bool,
    ) -> Result<(), ChangeRefusal> {
        let known = self.known(by, id).await?;
        let mut faults: Vec<Fault> = form.name_fault().into_iter().collect();
        let role = form.role().map_err(|fault| faults.push(fault)).ok();
        let Some(role) = role.filter(|_| faults.is_empty()) else {
            return Err(ChangeRefusal::Faults(faults));
        };
        if !by.who().may_give(&role) {
            return Err(ChangeRefusal::OwnersOnly);
        }
        let detail = difference(&known, &form.name(), &role, active);
        if detail.is_empty() {
            return Ok(());
        }
        let change = AccountChange {
            id,
            version,
            name: form.name(),
            role: role.kind().as_str().to_owned(),
            projects: stored_projects(&role),
            active,
            keep_one: RoleKind::Owner.as_str(),
        };
        let entry = self.entry(by.who(), What::PersonChanged, known.account.email, detail);
        match self.store().change_account(change, entry).await? {
            Changed::Done => Ok(()),
            Changed::Overtaken => Err(ChangeRefusal::Overtaken),
            Changed::LastOne => Err(ChangeRefusal::LastOwner),
        }
    }

    /// Ends all sessions of someone.
    ///
    /// # Errors
    /// There is no such account, it is an owner's and `by` is none, or the store fails.
    pub async fn end_sessions_of(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<(), ChangeRefusal> {
        let known = self.known(by, id).await?;
        let entry = self.entry(by.who(), What::SessionEnded, known.account.email, "all");
        self.store().end_sessions(id, entry).await?;
        Ok(())
    }
}

fn invitee(account: Account) -> Result<Invitee, AccessError> {
    Ok(Invitee {
        person: Person::of(&account)?,
        account,
    })
}

/// What a change changes, in words: old and new.
fn difference(known: &Invitee, name: &str, role: &Role, active: bool) -> String {
    let mut parts = Vec::new();
    if known.account.name != name {
        parts.push(format!("name: {} → {name}", known.account.name));
    }
    if known.person.role != *role {
        parts.push(format!("role: {} → {role}", known.person.role));
    }
    if known.account.active != active {
        let word = |active| {
            if active {
                "may sign in"
            } else {
                "switched off"
            }
        };
        parts.push(format!("{} → {}", word(known.account.active), word(active)));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_kept_in_lower_case() {
        let form = |email: &str| AccountForm {
            name: "Ana".to_owned(),
            email: email.to_owned(),
            ..AccountForm::default()
        };
        for email in ["ana@example.com", " Ana.B+c@Sub.Example.COM "] {
            assert_eq!(form(email).faults(), [], "{email}");
            assert_eq!(form(email).email(), email.trim().to_lowercase());
        }
        for email in [
            "",
            "ana",
            "@example.com",
            "ana@",
            "ana@host",
            "a b@example.com",
            "a@b@c.d",
        ] {
            assert_eq!(form(email).faults().len(), 1, "{email}");
        }
    }

    #[test]
    fn a_project_administrator_needs_projects() {
        let form = |projects: &[&str]| AccountForm {
            role: "project_administrator".to_owned(),
            projects: projects.iter().map(ToString::to_string).collect(),
            ..AccountForm::default()
        };
        assert!(form(&[]).role().is_err());
        assert!(form(&["ENG"]).role().is_err());
        assert_eq!(form(&["acme/ENG", ""]).role().unwrap().projects().len(), 1);
    }
}
