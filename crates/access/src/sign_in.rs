//! The first visit, signing in and out, and who is signed in.

use bowline_domain::time::Millis;
use bowline_store::access::{Invitation, NewAccount, Session};

use crate::accounts::{AccountForm, ChangeRefusal, Fault};
use crate::audit::What;
use crate::password::{self, PasswordFault};
use crate::permission::{Granted, OwnAccount, Who};
use crate::role::{Person, Role, RoleKind, stored_projects};
use crate::second_factor::Entered;
use crate::secret::{self, digest};
use crate::throttle::Wait;
use crate::{Access, AccessError};

/// How long a session lasts at most, in milliseconds: 30 days.
pub const SESSION_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How long a session lasts without being used, in milliseconds: 7 days.
const SESSION_IDLE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;

/// The use of a session is noted at most so often, in milliseconds.
const SEEN_EVERY_MS: i64 = 5 * 60 * 1_000;

/// What a browser calls itself is kept up to this length, in letters.
const BROWSER_LETTERS_MAX: usize = 200;

/// What somebody reads whose password is not taken, though it is right.
const OWNERS_ONLY: &str = "Passwords are switched off here for all but owners. Use the other way to \
                           sign in on this page.";

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Door {
    /// The network address.
    pub address: String,
    /// What the browser calls itself.
    pub browser: String,
}

/// Someone who just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// What the browser keeps, in a cookie.
    pub secret: String,
    /// Who.
    pub person: Person,
}

/// Why someone is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefusal {
    /// The address or the password is wrong, or the account is switched off. Says no more on
    /// purpose.
    #[error("The e-mail address or the password is wrong.")]
    Wrong,
    /// The password is right, but passwords are not taken.
    #[error("{OWNERS_ONLY}")]
    OwnersOnly,
    /// They failed too often.
    #[error(
        "That did not work too often. Wait {} and try again, or ask an administrator to reset \
         the password.",
        minutes(*.0)
    )]
    Wait(Wait),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] AccessError),
}

pub(crate) fn minutes(wait: Wait) -> String {
    match wait.minutes() {
        1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Someone who is signed in, as a request finds them.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who.
    pub person: Person,
    /// The version of their account.
    pub version: i64,
    /// The digest of their session.
    pub session: String,
    /// What every form of theirs must carry, so that no other page can send one.
    pub form_token: String,
}

impl Visit {
    /// The owner of a token, as if they were signed in by it: none of their sessions is this one.
    pub fn by_token(who: &Who) -> Option<Self> {
        Some(Self {
            person: who.person()?.clone(),
            version: 0,
            session: String::new(),
            form_token: String::new(),
        })
    }

    /// Who, for permissions.
    pub fn who(&self) -> Who {
        Who::Person(self.person.clone())
    }
}

/// What a form of this session must carry.
fn form_token(session_secret: &str) -> String {
    digest(&format!("form {session_secret}"))
}

impl Access {
    /// The code with which the first owner is made, new at each start; `None` once there is an
    /// account. To be shown where only those see it who run the service.
    ///
    /// # Errors
    /// The store fails.
    pub async fn first_visit_code(&self) -> Result<Option<String>, AccessError> {
        if self.is_set_up().await? {
            return Ok(None);
        }
        let code = secret::code(&*self.inner.entropy);
        let invitation = Invitation {
            key: digest(&code),
            account: None,
            made_at: self.now(),
            ends_at: Millis::NEVER,
        };
        self.store().invite(invitation, None).await?;
        Ok(Some(code))
    }

    /// Is there an account?
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_set_up(&self) -> Result<bool, AccessError> {
        Ok(self.store().any_account().await?)
    }

    /// Makes the first owner with the code of the first visit, and signs them in.
    ///
    /// # Errors
    /// The code is wrong or there is an owner already, something in the form is wrong, or the
    /// store fails.
    pub async fn make_owner(
        &self,
        code: &str,
        form: &AccountForm,
        password: &str,
        door: &Door,
    ) -> Result<SignedIn, ChangeRefusal> {
        let mut faults = form.faults();
        faults.extend(password_fault(password, &form.email(), &form.name()));
        let key = digest(&secret::typed(code));
        if self.store().invitation(&key, self.now()).await? != Some(None) {
            faults.push(wrong_code());
        }
        if !faults.is_empty() {
            return Err(ChangeRefusal::Faults(faults));
        }
        let account = NewAccount {
            email: form.email(),
            name: form.name(),
            role: RoleKind::Owner.as_str().to_owned(),
            projects: stored_projects(&Role::Owner),
            password: Some(self.hash(password).await.map_err(ChangeRefusal::Failed)?),
        };
        let mut entry = self.entry(&Who::CommandLine, What::OwnerMade, form.email(), "Owner");
        entry.who = form.email();
        let made = self.store().make_owner(key, account, entry).await?;
        let Some(id) = made else {
            return Err(ChangeRefusal::Faults(vec![wrong_code()]));
        };
        let person = Person {
            id,
            email: form.email(),
            name: form.name(),
            role: Role::Owner,
        };
        let signed_in = self.start_session(person, door).await;
        signed_in.map_err(ChangeRefusal::Failed)
    }

    /// Signs someone in.
    ///
    /// # Errors
    /// See [`SignInRefusal`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        door: &Door,
    ) -> Result<Entered, SignInRefusal> {
        let email = email.trim().to_lowercase();
        let taken = match self.take_try(&email, &door.address).await? {
            Ok(taken) => taken,
            Err(wait) => return Err(SignInRefusal::Wait(wait)),
        };
        let account = self.store().account_by_email(&email).await;
        let account = account.map_err(AccessError::from)?;
        let hash = account
            .as_ref()
            .filter(|account| account.active)
            .and_then(|account| account.password.clone());
        let right = self.verify(password, hash).await?;
        let Some(account) = account.filter(|_| right) else {
            if taken.last {
                self.note_refusal(&email, door).await?;
            }
            return Err(SignInRefusal::Wrong);
        };
        self.succeeded(taken).await?;
        let person = Person::of(&account)?;
        if !self.passwords_of().takes(person.role.kind()) {
            return Err(SignInRefusal::OwnersOnly);
        }
        Ok(self.enter(person, account.second_factor, door).await?)
    }

    async fn note_refusal(&self, email: &str, door: &Door) -> Result<(), AccessError> {
        tracing::warn!(address = door.address, "sign-in failed too often");
        let detail = format!("too many wrong passwords from {}", door.address);
        let mut entry = self.entry(&Who::CommandLine, What::SignInRefused, shown(email), detail);
        entry.who = door.address.clone();
        Ok(self.store().add_audit(entry).await?)
    }

    pub(crate) async fn start_session(
        &self,
        person: Person,
        door: &Door,
    ) -> Result<SignedIn, AccessError> {
        let how = format!("from {}", door.address);
        self.start_session_by(person, door, how).await
    }

    /// Starts a session; `how` is written down.
    pub(crate) async fn start_session_by(
        &self,
        person: Person,
        door: &Door,
        how: String,
    ) -> Result<SignedIn, AccessError> {
        let (secret, now) = (self.new_secret(), self.now());
        let browser = door.browser.chars().take(BROWSER_LETTERS_MAX).collect();
        let session = Session {
            key: digest(&secret),
            account: person.id,
            made_at: now,
            seen_at: now,
            ends_at: now.plus_ms(SESSION_MS_MAX),
            browser,
            address: door.address.clone(),
        };
        self.store().start_session(session).await?;
        let who = Who::Person(person.clone());
        let entry = self.entry(&who, What::SignedIn, "", how);
        self.store().add_audit(entry).await?;
        Ok(SignedIn { secret, person })
    }

    /// Who holds this session; `None` if it ended.
    ///
    /// # Errors
    /// The store fails.
    pub async fn visit(&self, session_secret: &str) -> Result<Option<Visit>, AccessError> {
        let (key, now) = (digest(session_secret), self.now());
        let Some((session, account)) = self.store().session(&key, now).await? else {
            return Ok(None);
        };
        let unused_ms = now.since(session.seen_at);
        if unused_ms >= SESSION_IDLE_MS_MAX {
            self.store().end_session(key, account.id, None).await?;
            return Ok(None);
        }
        if unused_ms >= SEEN_EVERY_MS {
            self.store().session_seen(key.clone(), now).await?;
        }
        Ok(Some(Visit {
            person: Person::of(&account)?,
            version: account.version,
            session: key,
            form_token: form_token(session_secret),
        }))
    }

    /// Ends the session of a visit.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sign_out(&self, visit: &Visit) -> Result<(), AccessError> {
        let key = visit.session.clone();
        self.store().end_session(key, visit.person.id, None).await?;
        Ok(())
    }

    /// The sessions of the person themselves.
    ///
    /// # Errors
    /// The store fails.
    pub async fn own_sessions(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<Vec<Session>, AccessError> {
        let sessions = self.store().sessions_of(visit.person.id, self.now());
        Ok(sessions.await?)
    }

    /// At most so many sessions of the person themselves, the latest begun first: those behind one that
    /// began then and has this key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn own_sessions_part(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
        after: Option<&(Millis, String)>,
        limit: i64,
    ) -> Result<Vec<Session>, AccessError> {
        let (id, now) = (visit.person.id, self.now());
        Ok(self.store().sessions_part(id, now, after, limit).await?)
    }

    /// Ends a session of the person themselves. Answers whether there was one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_own_session(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        key: &str,
    ) -> Result<bool, AccessError> {
        let entry = self.entry(by.who(), What::SessionEnded, visit.person.email.clone(), "");
        let ended = self
            .store()
            .end_session(key.to_owned(), visit.person.id, Some(entry));
        Ok(ended.await?)
    }

    /// Changes the password of the person themselves and ends their other sessions.
    ///
    /// # Errors
    /// The present password is wrong, the new one is not taken, or the store fails.
    pub async fn change_own_password(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        new: &str,
        door: &Door,
    ) -> Result<(), ChangeRefusal> {
        let person = &visit.person;
        let present = self.present_password(visit, present, door).await;
        let present = present.map_err(ChangeRefusal::Failed)?;
        let mut faults: Vec<Fault> = present.into_iter().collect();
        faults.extend(password_fault(new, &person.email, &person.name));
        if !faults.is_empty() {
            return Err(ChangeRefusal::Faults(faults));
        }
        let hash = self.hash(new).await.map_err(ChangeRefusal::Failed)?;
        let entry = self.entry(by.who(), What::PasswordChanged, person.email.clone(), "");
        let keep = visit.session.clone();
        self.store()
            .change_password(person.id, hash, keep, entry)
            .await?;
        Ok(())
    }

    /// Chooses a password with a code that an administrator handed over, and signs in.
    ///
    /// # Errors
    /// The code is wrong or was used, the password is not taken, or the store fails.
    pub async fn choose_password(
        &self,
        code: &str,
        password: &str,
        door: &Door,
    ) -> Result<Entered, ChangeRefusal> {
        let key = digest(&secret::typed(code));
        let invited = self.store().invitation(&key, self.now()).await?.flatten();
        let account = match invited {
            Some(id) => self.store().account(id).await?,
            None => None,
        };
        let Some(account) = account else {
            return Err(ChangeRefusal::Faults(vec![wrong_code()]));
        };
        let role = Person::of(&account).map_err(ChangeRefusal::Failed)?.role;
        if !self.passwords_of().takes(role.kind()) {
            let fault = Fault::new("code", OWNERS_ONLY);
            return Err(ChangeRefusal::Faults(vec![fault]));
        }
        if let Some(fault) = password_fault(password, &account.email, &account.name) {
            return Err(ChangeRefusal::Faults(vec![fault]));
        }
        let hash = self.hash(password).await.map_err(ChangeRefusal::Failed)?;
        let entry = self.entry(&Who::CommandLine, What::PasswordChosen, "", "with a code");
        let chosen = self.store().choose_password(key, hash, entry).await?;
        let Some(account) = chosen else {
            return Err(ChangeRefusal::Faults(vec![wrong_code()]));
        };
        let person = Person::of(&account).map_err(ChangeRefusal::Failed)?;
        let entered = self.enter(person, account.second_factor, door).await;
        entered.map_err(ChangeRefusal::Failed)
    }
}

fn wrong_code() -> Fault {
    Fault::new(
        "code",
        "This code is not valid: it was mistyped, used already, or replaced by a newer one.",
    )
}

fn password_fault(password: &str, email: &str, name: &str) -> Option<Fault> {
    let fault: PasswordFault = password::check(password, email, name).err()?;
    Some(Fault::new("password", fault.to_string()))
}

/// What someone typed as an e-mail address, short enough for the audit log.
fn shown(email: &str) -> String {
    email.chars().take(100).collect()
}
