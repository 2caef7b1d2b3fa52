//! Signing in at a provider of OpenID Connect: who is let in, who gets an account, and how somebody
//! joins who they are there to the account that they have here.
//!
//! An account is found by issuer and subject alone. An e-mail address never joins anything: at many
//! providers people choose theirs, or get one that was somebody else's. Who has an account joins the
//! two by an act of their own: while they are signed in, or with a code that an administrator
//! handed over.

use std::sync::PoisonError;

use bowline_domain::time::Millis;
use bowline_store::access::{Account, NewAccount};
use bowline_store::elsewhere::{Identity, Joined, KeptIdentity, MadeFor};

use crate::accounts::{AccountForm, ChangeRefusal, Fault};
use crate::audit::What;
use crate::permission::{Granted, ManagePeople, OwnAccount, Who};
use crate::role::{Person, Role, RoleKind, stored_projects};
use crate::second_factor::Entered;
use crate::secret::{self, digest};
use crate::sign_in::{Door, Visit, minutes};
use crate::throttle::{Try, Wait};
use crate::{Access, AccessError};

/// What a provider says of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldElsewhere {
    /// The provider.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Does it say that the address is theirs? `None` if it says nothing of it.
    pub email_verified: Option<bool>,
    /// What they are called.
    pub name: Option<String>,
}

/// Who may come in by a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElsewhereRules {
    /// The provider, as people call it.
    pub label: String,
    /// The domains of e-mail addresses that may come in, in lower case; empty: any.
    pub domains: Vec<String>,
    /// The role of people who have no account yet; `None`: they are not let in.
    pub new_people: Option<RoleKind>,
    /// Does an address count as theirs if the provider says nothing of it?
    pub trust_emails: bool,
}

/// The name of a sign-in, under which it is used up.
#[derive(Clone, Debug)]
pub struct Once {
    /// The name.
    pub key: String,
    /// Until when it has to be remembered.
    pub ends_at: Millis,
}

/// A try at coming back from a provider.
#[derive(Debug)]
pub struct ElsewhereTry(Try);

/// Whose passwords are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordsOf {
    /// Everyone's.
    #[default]
    Everyone,
    /// Owners' alone, so that somebody can come in when the provider fails.
    Owners,
}

impl PasswordsOf {
    /// Is the password of somebody with this role taken?
    pub fn takes(self, role: RoleKind) -> bool {
        self == Self::Everyone || role == RoleKind::Owner
    }
}

/// Why somebody who was let in elsewhere is not let in here. The texts are for people.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereRefusal {
    /// The sign-in came to its end before.
    #[error("This sign-in was used already. Nobody was signed in by it again; begin anew here.")]
    UsedAlready,
    /// There is no address.
    #[error(
        "{0} tells no e-mail address of yours, and Bowline needs one for this. Whoever manages \
         {0} can have it told."
    )]
    NoAddress(String),
    /// The address may be anybody's.
    #[error(
        "{label} does not say that the address {email} is really yours, so you are not let in by \
         it. Confirm the address there; if it cannot be, whoever runs Bowline can decide to \
         trust it (oidc.trust_emails)."
    )]
    NotVerified {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// The address is of another domain.
    #[error(
        "The address {email} is of a domain that is not let in here. Sign in at {label} as \
         somebody else, or ask whoever runs Bowline."
    )]
    OtherDomain {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// The account is switched off.
    #[error("Your account here is switched off. An administrator can switch it on again.")]
    SwitchedOff,
    /// There is no account, and none is made.
    #[error(
        "You have no account here, and {0} alone does not give you one. Ask an administrator to \
         add you: the code that they hand over lets you join the two."
    )]
    NobodyNew(String),
    /// Somebody has an account with the address.
    #[error(
        "There is an account with the address {email} here, and it is not joined to who you are \
         at {label}. If it is yours, sign in with its password and join the two under “Your \
         account”, or ask an administrator for a code."
    )]
    AddressTaken {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// Who they are there belongs to another account.
    #[error(
        "Who you are at {0} is joined to another account here. Nothing was changed. Sign in at \
         {0} as somebody else, or part it from the other account first."
    )]
    Taken(String),
    /// The code is not valid any more.
    #[error(
        "The code is not valid any more: it was used already, replaced by a newer one, or is \
         too old. Ask for a new one."
    )]
    NoInvitation,
    /// It failed too often from their address.
    #[error(
        "Signing in by the other way failed too often from your network. Wait {} and try again.",
        minutes(*.0)
    )]
    Wait(Wait),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] AccessError),
}

impl From<bowline_store::StoreError> for ElsewhereRefusal {
    fn from(error: bowline_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What is done with somebody whom a provider lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    /// They have this account.
    Enter,
    /// They get one.
    Make {
        /// With this address.
        email: String,
        /// And this role.
        role: RoleKind,
    },
}

/// The address of somebody, if it counts as theirs.
fn address(told: &ToldElsewhere, rules: &ElsewhereRules) -> Result<String, ElsewhereRefusal> {
    let form = AccountForm {
        name: "somebody".to_owned(),
        email: told.email.clone().unwrap_or_default(),
        ..AccountForm::default()
    };
    if !form.faults().is_empty() {
        return Err(ElsewhereRefusal::NoAddress(rules.label.clone()));
    }
    let email = form.email();
    if told.email_verified.unwrap_or(rules.trust_emails) {
        Ok(email)
    } else {
        Err(ElsewhereRefusal::NotVerified {
            label: rules.label.clone(),
            email,
        })
    }
}

/// Where domains are named, an address of one of them is needed.
fn domain_fits(told: &ToldElsewhere, rules: &ElsewhereRules) -> Result<(), ElsewhereRefusal> {
    if rules.domains.is_empty() {
        return Ok(());
    }
    let email = address(told, rules)?;
    let (_, domain) = email.rsplit_once('@').unwrap_or_default();
    if rules.domains.iter().any(|known| known == domain) {
        Ok(())
    } else {
        Err(ElsewhereRefusal::OtherDomain {
            label: rules.label.clone(),
            email,
        })
    }
}

/// Decides about somebody whom a provider lets in. `joined` is the account that issuer and subject
/// are joined to; `namesake` the one with the same address.
fn decide(
    told: &ToldElsewhere,
    rules: &ElsewhereRules,
    joined: Option<&Account>,
    namesake: Option<&Account>,
) -> Result<Decision, ElsewhereRefusal> {
    let off = |account: &Account| !account.active;
    if joined.is_some_and(off) {
        return Err(ElsewhereRefusal::SwitchedOff);
    }
    domain_fits(told, rules)?;
    if joined.is_some() {
        return Ok(Decision::Enter);
    }
    let email = address(told, rules)?;
    match (namesake, rules.new_people) {
        (Some(namesake), _) if off(namesake) => Err(ElsewhereRefusal::SwitchedOff),
        (Some(_), _) => Err(ElsewhereRefusal::AddressTaken {
            label: rules.label.clone(),
            email,
        }),
        (None, None) => Err(ElsewhereRefusal::NobodyNew(rules.label.clone())),
        (None, Some(role)) => Ok(Decision::Make { email, role }),
    }
}

fn identity(told: &ToldElsewhere) -> Identity {
    let email = told.email.as_deref().unwrap_or_default();
    Identity {
        issuer: told.issuer.clone(),
        subject: told.subject.clone(),
        email: email.chars().take(200).collect(),
    }
}

/// What somebody is called: as the provider says, or by the address.
fn name_of(told: &ToldElsewhere, email: &str) -> String {
    let form = AccountForm {
        name: told.name.clone().unwrap_or_default(),
        email: email.to_owned(),
        ..AccountForm::default()
    };
    if form.faults().is_empty() {
        form.name()
    } else {
        email.split('@').next().unwrap_or(email).to_owned()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(active: bool) -> Account {
        Account {
            id: 1,
            email: "ana@example.com".to_owned(),
            name: "Ana".to_owned(),
            role: "agent".to_owned(),
            projects: "[]".to_owned(),
            password: None,
            active,
            version: 1,
            made_at: Millis(0),
            signed_in_at: None,
            second_factor: false,
            elsewhere: false,
        }
    }

    fn told(email: Option<&str>, verified: Option<bool>) -> ToldElsewhere {
        ToldElsewhere {
            issuer: "https://id.example.com".to_owned(),
            subject: "7".to_owned(),
            email: email.map(ToOwned::to_owned),
            email_verified: verified,
            name: None,
        }
    }

    fn rules(domains: &[&str], new_people: Option<RoleKind>, trust_emails: bool) -> ElsewhereRules {
        ElsewhereRules {
            label: "Example ID".to_owned(),
            domains: domains.iter().map(ToString::to_string).collect(),
            new_people,
            trust_emails,
        }
    }

    fn word(decided: &Result<Decision, ElsewhereRefusal>) -> String {
        match decided {
            Ok(Decision::Enter) => "enter".to_owned(),
            Ok(Decision::Make { email, role }) => format!("make {email} {}", role.as_str()),
            Err(refusal) => {
                let debug = format!("{refusal:?}");
                let name = debug.split(|letter: char| !letter.is_ascii_alphanumeric());
                name.into_iter().next().unwrap_or_default().to_owned()
            }
        }
    }

    #[test]
    fn who_is_let_in_is_decided_by_issuer_and_subject_and_new_people_by_the_rules() {
        let own = Some("Ana@Example.com");
        let (on, off) = (account(true), account(false));
        let (yes, no, unsaid) = (Some(true), Some(false), None);
        let viewer = Some(RoleKind::Viewer);
        let any: &[&str] = &[];
        let ours: &[&str] = &["example.com"];
        let theirs: &[&str] = &["example.org"];
        for (what, told, rules, joined, namesake, wanted) in [
            // Joined: the address does not matter, unless domains are named.
            (
                "joined",
                told(own, yes),
                rules(any, None, false),
                Some(&on),
                Some(&on),
                "enter",
            ),
            (
                "no address",
                told(None, unsaid),
                rules(any, None, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "unverified",
                told(own, no),
                rules(any, viewer, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "off",
                told(own, yes),
                rules(any, viewer, false),
                Some(&off),
                Some(&off),
                "SwitchedOff",
            ),
            (
                "domain",
                told(own, yes),
                rules(ours, None, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "other domain",
                told(own, yes),
                rules(theirs, None, false),
                Some(&on),
                None,
                "OtherDomain",
            ),
            (
                "of none",
                told(None, yes),
                rules(ours, None, false),
                Some(&on),
                None,
                "NoAddress",
            ),
            (
                "unproven",
                told(own, no),
                rules(ours, None, false),
                Some(&on),
                None,
                "NotVerified",
            ),
            // New.
            (
                "new",
                told(own, yes),
                rules(any, viewer, false),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "nobody new",
                told(own, yes),
                rules(any, None, false),
                None,
                None,
                "NobodyNew",
            ),
            (
                "new, unverified",
                told(own, no),
                rules(any, viewer, false),
                None,
                None,
                "NotVerified",
            ),
            (
                "new, unsaid",
                told(own, unsaid),
                rules(any, viewer, false),
                None,
                None,
                "NotVerified",
            ),
            (
                "trusted",
                told(own, unsaid),
                rules(any, viewer, true),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "a no is a no",
                told(own, no),
                rules(any, viewer, true),
                None,
                None,
                "NotVerified",
            ),
            (
                "no address",
                told(None, yes),
                rules(any, viewer, true),
                None,
                None,
                "NoAddress",
            ),
            (
                "no address",
                told(Some("ana"), yes),
                rules(any, viewer, true),
                None,
                None,
                "NoAddress",
            ),
            (
                "domain",
                told(own, yes),
                rules(ours, viewer, false),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "other domain",
                told(own, yes),
                rules(theirs, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            (
                "a domain is not the end of another",
                told(Some("a@notexample.com"), yes),
                rules(ours, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            (
                "nor its part",
                told(Some("a@sub.example.com"), yes),
                rules(ours, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            // An address joins nothing.
            (
                "namesake",
                told(own, yes),
                rules(any, viewer, false),
                None,
                Some(&on),
                "AddressTaken",
            ),
            (
                "namesake",
                told(own, yes),
                rules(any, None, false),
                None,
                Some(&on),
                "AddressTaken",
            ),
            (
                "namesake, off",
                told(own, yes),
                rules(any, viewer, false),
                None,
                Some(&off),
                "SwitchedOff",
            ),
            (
                "namesake, unproven",
                told(own, no),
                rules(any, viewer, false),
                None,
                Some(&on),
                "NotVerified",
            ),
        ] {
            assert_eq!(
                word(&decide(&told, &rules, joined, namesake)),
                wanted,
                "{what}"
            );
        }
    }

    #[test]
    fn somebody_without_a_name_is_called_by_the_address() {
        let named = |name: &str| {
            let told = ToldElsewhere {
                name: Some(name.to_owned()),
                ..told(Some("ana@example.com"), None)
            };
            name_of(&told, "ana@example.com")
        };
        assert_eq!(named(" Ana Lind "), "Ana Lind");
        assert_eq!(named(""), "ana");
        assert_eq!(named(&"x".repeat(201)), "ana");
    }

    #[test]
    fn an_owner_always_has_a_way_in() {
        assert!(
            RoleKind::ALL
                .iter()
                .all(|role| PasswordsOf::Everyone.takes(*role))
        );
        let owners = RoleKind::ALL
            .into_iter()
            .filter(|role| PasswordsOf::Owners.takes(*role));
        assert_eq!(owners.collect::<Vec<_>>(), [RoleKind::Owner]);
    }
}
