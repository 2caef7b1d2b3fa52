//! Signing in at a provider of OpenID Connect: who is let in, who gets an account, and how somebody
//! joins who they are there to the account that they have here.
//!
//! An account is found by issuer and subject alone. An e-mail address never joins anything: at many
//! providers people choose theirs, or get one that was somebody else's. Who has an account joins the
//! two by an act of their own: while they are signed in, or with a code that an administrator
//! handed over.

mod decide;
mod rules;

use std::sync::PoisonError;

use bowline_store::access::{Account, NewAccount};
use bowline_store::elsewhere::{Joined, KeptIdentity, MadeFor};

use self::decide::{Decision, decide, domain_fits, identity, name_of};
pub use self::rules::{ElsewhereRefusal, ElsewhereRules, Once, PasswordsOf, ToldElsewhere};
use crate::accounts::{ChangeRefusal, Fault};
use crate::audit::What;
use crate::permission::{Granted, ManagePeople, OwnAccount, Who};
use crate::role::{Person, Role, RoleKind, stored_projects};
use crate::second_factor::Entered;
use crate::secret::{self, digest};
use crate::sign_in::{Door, Visit};
use crate::throttle::Try;
use crate::{Access, AccessError};

/// A try at coming back from a provider.
#[derive(Debug)]
pub struct ElsewhereTry(Try);

impl Access {
    /// Whose passwords are taken from now on.
    pub fn take_passwords_of(&self, whose: PasswordsOf) {
        *self
            .inner
            .passwords_of
            .write()
            .unwrap_or_else(PoisonError::into_inner) = whose;
    }

    /// Whose passwords are taken.
    pub fn passwords_of(&self) -> PasswordsOf {
        *self
            .inner
            .passwords_of
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn use_up(&self, once: &Once) -> Result<(), ElsewhereRefusal> {
        let (key, ends_at) = (digest(&once.key), once.ends_at);
        let first = self.store().use_sign_in(key, ends_at, self.now()).await?;
        first.then_some(()).ok_or(ElsewhereRefusal::UsedAlready)
    }

    /// Takes a try at coming back from a provider, before the provider is asked about it: each costs
    /// a call, and anybody can make one up. It counts as failed until it is given back.
    ///
    /// # Errors
    /// [`ElsewhereRefusal::Wait`], or the store fails.
    pub async fn try_elsewhere(&self, door: &Door) -> Result<ElsewhereTry, ElsewhereRefusal> {
        let taken = self.take_try_elsewhere(&door.address).await?;
        taken.map(ElsewhereTry).map_err(ElsewhereRefusal::Wait)
    }

    /// The try does not count: they came in, or the provider could not be reached.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_try_back(&self, taken: ElsewhereTry) -> Result<(), AccessError> {
        self.succeeded(taken.0).await
    }

    /// The try counts. The last one that is taken for now is written down.
    ///
    /// # Errors
    /// The store fails.
    pub async fn try_failed(
        &self,
        taken: ElsewhereTry,
        rules: &ElsewhereRules,
        door: &Door,
    ) -> Result<(), AccessError> {
        if !taken.0.last {
            return Ok(());
        }
        tracing::warn!(address = door.address, "sign-in elsewhere failed too often");
        let detail = format!("too many failures by {} from {}", rules.label, door.address);
        let mut entry = self.entry(&Who::CommandLine, What::SignInRefused, "", detail);
        entry.who.clone_from(&door.address);
        Ok(self.store().add_audit(entry).await?)
    }

    /// Lets somebody in whom a provider let in, or asks for the second factor that they set up here.
    ///
    /// # Errors
    /// See [`ElsewhereRefusal`].
    pub async fn enter_elsewhere(
        &self,
        told: &ToldElsewhere,
        rules: &ElsewhereRules,
        once: &Once,
        door: &Door,
    ) -> Result<Entered, ElsewhereRefusal> {
        self.use_up(once).await?;
        let entered = self.let_in_or_make(told, rules, door).await;
        if let Err(refusal) = &entered {
            self.note_elsewhere(told, refusal, door).await?;
        }
        entered
    }

    async fn let_in_or_make(
        &self,
        told: &ToldElsewhere,
        rules: &ElsewhereRules,
        door: &Door,
    ) -> Result<Entered, ElsewhereRefusal> {
        let store = self.store();
        let find = || store.account_of_identity(&told.issuer, &told.subject);
        let joined = find().await?;
        let email = told.email.as_deref().unwrap_or_default();
        let namesake = store.account_by_email(&email.trim().to_lowercase()).await?;
        let decision = decide(told, rules, joined.as_ref(), namesake.as_ref())?;
        let account = match (decision, joined) {
            (Decision::Enter, Some(account)) => account,
            (Decision::Make { email, role }, _) => {
                match self.make_for(told, rules, (&email, role)).await? {
                    MadeFor::Made(account) => account,
                    // The same person at the same moment, in another window.
                    MadeFor::IdentityTaken | MadeFor::AddressTaken => {
                        let label = rules.label.clone();
                        let taken = ElsewhereRefusal::AddressTaken { label, email };
                        find()
                            .await?
                            .filter(|account| account.active)
                            .ok_or(taken)?
                    }
                }
            }
            (Decision::Enter, None) => {
                return Err(ElsewhereRefusal::NobodyNew(rules.label.clone()));
            }
        };
        store.identity_used(identity(told), self.now()).await?;
        self.let_in(&account, rules, door).await
    }

    async fn make_for(
        &self,
        told: &ToldElsewhere,
        rules: &ElsewhereRules,
        (email, role): (&str, RoleKind),
    ) -> Result<MadeFor, ElsewhereRefusal> {
        let role = Role::new(role, std::collections::BTreeSet::new());
        let account = NewAccount {
            email: email.to_owned(),
            name: name_of(told, email),
            role: role.kind().as_str().to_owned(),
            projects: stored_projects(&role),
            password: None,
        };
        let detail = format!(
            "{role}; by {}: {} of {}",
            rules.label, told.subject, told.issuer
        );
        let mut entry = self.entry(&Who::CommandLine, What::PersonAdded, email, detail);
        email.clone_into(&mut entry.who);
        let made = self
            .store()
            .make_account_for(identity(told), account, entry);
        Ok(made.await?)
    }

    async fn let_in(
        &self,
        account: &Account,
        rules: &ElsewhereRules,
        door: &Door,
    ) -> Result<Entered, ElsewhereRefusal> {
        let person = Person::of(account)?;
        if account.second_factor {
            return Ok(self.enter(person, true, door).await?);
        }
        let how = format!("from {} by {}", door.address, rules.label);
        Ok(Entered::In(self.start_session_by(person, door, how).await?))
    }

    async fn note_elsewhere(
        &self,
        told: &ToldElsewhere,
        refusal: &ElsewhereRefusal,
        door: &Door,
    ) -> Result<(), ElsewhereRefusal> {
        if matches!(refusal, ElsewhereRefusal::Failed(_)) {
            return Ok(());
        }
        let subject = identity(told).email;
        let detail = format!("{} of {}: {refusal}", told.subject, told.issuer);
        let mut entry = self.entry(&Who::CommandLine, What::SignInRefused, subject, detail);
        entry.who.clone_from(&door.address);
        Ok(self.store().add_audit(entry).await?)
    }

    /// May the person themselves join who they are at a provider to their account? Whoever has a
    /// password gives it first, so that nobody who only finds the browser open can.
    ///
    /// # Errors
    /// The password is wrong, or the store fails.
    pub async fn may_join(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<(), ChangeRefusal> {
        let has = self.has_password(by, visit).await;
        if has.map_err(ChangeRefusal::Failed)? {
            self.password_first(visit, present, door).await?;
        }
        Ok(())
    }

    /// Joins who somebody is at a provider to the account that is signed in, in place of what was
    /// joined to it before.
    ///
    /// # Errors
    /// See [`ElsewhereRefusal`].
    pub async fn join_own(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        told: &ToldElsewhere,
        rules: &ElsewhereRules,
        once: &Once,
    ) -> Result<(), ElsewhereRefusal> {
        self.use_up(once).await?;
        domain_fits(told, rules)?;
        let person = &visit.person;
        let detail = joined_words(told, rules);
        let entry = self.entry(by.who(), What::IdentityJoined, person.email.clone(), detail);
        let joined = self.store().join_identity(identity(told), person.id, entry);
        match joined.await? {
            Joined::Done(_) => Ok(()),
            Joined::Taken => Err(ElsewhereRefusal::Taken(rules.label.clone())),
            Joined::NoAccount => Err(ElsewhereRefusal::SwitchedOff),
        }
    }

    /// Joins who somebody is at a provider to the account of a code that an administrator handed
    /// over, and lets them in.
    ///
    /// # Errors
    /// See [`ElsewhereRefusal`].
    pub async fn join_with_code(
        &self,
        code: &str,
        told: &ToldElsewhere,
        rules: &ElsewhereRules,
        (once, door): (&Once, &Door),
    ) -> Result<Entered, ElsewhereRefusal> {
        self.use_up(once).await?;
        domain_fits(told, rules)?;
        let detail = format!("with a code; {}", joined_words(told, rules));
        let entry = self.entry(&Who::CommandLine, What::IdentityJoined, "", detail);
        let key = digest(&secret::typed(code));
        let joined = self.store().join_invited(identity(told), key, entry);
        match joined.await? {
            Joined::Done(account) => {
                let used = self.store().identity_used(identity(told), self.now());
                used.await?;
                self.let_in(&account, rules, door).await
            }
            Joined::Taken => Err(ElsewhereRefusal::Taken(rules.label.clone())),
            Joined::NoAccount => Err(ElsewhereRefusal::NoInvitation),
        }
    }

    /// Who the person themselves is at a provider.
    ///
    /// # Errors
    /// The store fails.
    pub async fn own_identity(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<Option<KeptIdentity>, AccessError> {
        Ok(self.store().identity_of(visit.person.id).await?)
    }

    /// Who a person is at a provider.
    ///
    /// # Errors
    /// The store fails.
    pub async fn identity_of(
        &self,
        _by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<Option<KeptIdentity>, AccessError> {
        Ok(self.store().identity_of(id).await?)
    }

    /// Parts who somebody is at a provider from their account. Answers whether there was something.
    ///
    /// # Errors
    /// There is no such account, it is an owner's and `by` is none, or the store fails.
    pub async fn part_identity_of(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<bool, ChangeRefusal> {
        let email = self.known(by, id).await?.account.email;
        let kept = self.store().identity_of(id).await?;
        let whose = kept.map_or_else(String::new, |kept| {
            format!("; {} of {}", kept.identity.subject, kept.identity.issuer)
        });
        let detail = format!("for somebody else{whose}");
        let entry = self.entry(by.who(), What::IdentityParted, email, detail);
        Ok(self.store().part_identity(id, entry).await?)
    }

    /// Parts who the person themselves is at a provider from their account. Answers whether there
    /// was something.
    ///
    /// # Errors
    /// The password is wrong, or there is none that lets them in afterwards.
    pub async fn part_own(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<bool, ChangeRefusal> {
        let has = self.has_password(by, visit).await;
        let has = has.map_err(ChangeRefusal::Failed)?;
        if !has || !self.passwords_of().takes(visit.person.role.kind()) {
            let words = "Nothing would let you in afterwards: no password of yours is taken here. \
                         An administrator can make a code for one.";
            return Err(ChangeRefusal::Faults(vec![Fault::new("present", words)]));
        }
        self.password_first(visit, present, door).await?;
        let email = visit.person.email.clone();
        let entry = self.entry(by.who(), What::IdentityParted, email, "");
        Ok(self.store().part_identity(visit.person.id, entry).await?)
    }
}

fn joined_words(told: &ToldElsewhere, rules: &ElsewhereRules) -> String {
    format!("{} of {} ({})", told.subject, told.issuer, rules.label)
}
