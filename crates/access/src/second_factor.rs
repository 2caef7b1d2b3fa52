//! The second factor: an authenticator app that knows a secret of ours, and codes for when it is
//! lost.
//!
//! It counts once a code of the app was seen, and no code is taken twice. Failures are counted in
//! the database, so that several processes take no more of them than one.

use bowline_store::second_factor::{FactorCode, FactorLimit, FactorUsed, SecondFactor};
use totp_rs::{Builder, Secret, Totp};

use crate::accounts::{ChangeRefusal, Fault};
use crate::audit::What;
use crate::permission::{Granted, ManagePeople, OwnAccount, Who};
use crate::role::Person;
use crate::secret::{self, digest};
use crate::sign_in::{Door, SignInRefusal, SignedIn, Visit};
use crate::throttle::Wait;
use crate::{Access, AccessError};

/// What authenticator apps show beside the e-mail address.
const ISSUER: &str = "Bowline";

/// Bytes of the secret: 160 bits, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// Recovery codes that somebody gets.
const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code, without its dashes.
const RECOVERY_LETTERS: usize = 16;

/// How long somebody who gave the right password may look for the code, in milliseconds.
pub const HALF_WAY_MS_MAX: i64 = 10 * 60 * 1_000;

/// Wrong codes for one account, from anywhere: whoever guesses them knows the password already.
const LIMIT: FactorLimit = FactorLimit {
    failures_max: 10,
    counted_ms: 15 * 60 * 1_000,
};

/// A text that only we can read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedText {
    /// The text, sealed.
    pub text: String,
    /// The key that opens it.
    pub key: String,
}

/// Seals what is kept and must be read again, under a key that is not in the database.
pub trait Seals: Send + Sync + 'static {
    /// Seals a text that belongs to `of`.
    ///
    /// # Errors
    /// Why it cannot, in words.
    fn seal(&self, of: &str, text: &str) -> Result<SealedText, String>;

    /// Opens a text that belongs to `of`.
    ///
    /// # Errors
    /// Why it cannot, in words.
    fn open(&self, of: &str, sealed: &SealedText) -> Result<String, String>;
}

/// To what the sealed secret of an account's second factor belongs.
pub fn factor_of(account: i64) -> String {
    format!("second_factor/{account}")
}

/// Somebody's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorState {
    /// There is none.
    Off,
    /// It is asked for.
    On {
        /// Recovery codes that are left.
        codes_left: i64,
    },
}

/// What an authenticator app needs to know.
#[derive(Clone, Debug)]
pub struct FactorSetup {
    /// The secret, to be typed.
    pub secret: String,
    /// The same as an address that apps read from a picture.
    pub address: String,
}

/// How somebody came in.
#[derive(Debug)]
pub enum Entered {
    /// All the way.
    In(SignedIn),
    /// They are asked for the second factor: what the browser keeps until then.
    HalfWay(String),
}

impl Entered {
    /// The session of somebody who is all the way in.
    pub fn signed_in(self) -> Option<SignedIn> {
        match self {
            Self::In(signed_in) => Some(signed_in),
            Self::HalfWay(_) => None,
        }
    }
}

/// Why a code does not let somebody in.
#[derive(Debug, thiserror::Error)]
pub enum CodeRefusal {
    /// It is wrong.
    #[error(
        "This code is wrong, too old, or was used already. Wait for the next one of your app, or \
         use a recovery code."
    )]
    Wrong,
    /// Too many were wrong.
    #[error("Too many codes were wrong. No code is taken for now; try again in {} minutes.", .0.minutes())]
    Wait(Wait),
    /// The password was given too long ago, or changed.
    #[error("That took too long. Sign in again from the start.")]
    Over,
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] AccessError),
}

fn totp(secret: Secret, email: &str) -> Result<Totp, AccessError> {
    Builder::new()
        .with_secret(secret)
        .with_issuer(Some(ISSUER))
        // A colon would end the name in the address.
        .with_account_name(email.replace(':', ""))
        .build()
        .map_err(|error| AccessError::Sealed(error.to_string()))
}

/// What a typed text may be.
fn understood(totp: Option<&Totp>, typed: &str, now_s: u64) -> FactorCode {
    let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.len() == RECOVERY_LETTERS {
        return FactorCode::Recovery(digest(&secret::typed(&plain)));
    }
    let step = totp.and_then(|totp| totp.check(&plain, now_s));
    let step = step.and_then(|step| i64::try_from(step).ok());
    step.map_or(FactorCode::Nothing, FactorCode::Step)
}

impl Access {
    fn now_s(&self) -> u64 {
        u64::try_from(self.now().0 / 1_000).unwrap_or(0)
    }

    fn opened(&self, factor: &SecondFactor, email: &str) -> Result<Totp, AccessError> {
        let sealed = SealedText {
            text: factor.sealed.clone(),
            key: factor.sealed_by.clone(),
        };
        let of = factor_of(factor.account);
        let text = self.inner.seals.open(&of, &sealed);
        let text = text.map_err(AccessError::Sealed)?;
        let secret = Secret::try_from_base32(text);
        totp(
            secret.map_err(|error| AccessError::Sealed(error.to_string()))?,
            email,
        )
    }

    /// New recovery codes, and their digests.
    fn recovery_codes(&self) -> (Vec<String>, Vec<String>) {
        let codes: Vec<String> = (0..RECOVERY_CODES)
            .map(|_| secret::code(&*self.inner.entropy))
            .collect();
        let digests = codes.iter().map(|code| digest(code)).collect();
        (codes, digests)
    }

    /// Lets somebody in who gave the right password, or asks for the second factor.
    pub(crate) async fn enter(
        &self,
        person: Person,
        second_factor: bool,
        door: &Door,
    ) -> Result<Entered, AccessError> {
        if !second_factor {
            return Ok(Entered::In(self.start_session(person, door).await?));
        }
        let (secret, now) = (self.new_secret(), self.now());
        let ends_at = now.plus_ms(HALF_WAY_MS_MAX);
        self.store()
            .go_half_way(digest(&secret), person.id, ends_at, now)
            .await?;
        Ok(Entered::HalfWay(secret))
    }

    /// Is somebody half way in who holds this?
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_half_way(&self, half_way: &str) -> Result<bool, AccessError> {
        let half = self.store().half_way(&digest(half_way), self.now()).await?;
        Ok(half.is_some())
    }

    /// Lets somebody in who is half way, with a code of their app or a recovery code.
    ///
    /// # Errors
    /// See [`CodeRefusal`].
    pub async fn enter_code(
        &self,
        half_way: &str,
        typed: &str,
        door: &Door,
    ) -> Result<SignedIn, CodeRefusal> {
        let key = digest(half_way);
        let half = self.store().half_way(&key, self.now()).await;
        let Some(id) = half.map_err(AccessError::from)? else {
            return Err(CodeRefusal::Over);
        };
        let account = self.store().account(id).await.map_err(AccessError::from)?;
        let factor = self.store().second_factor(id).await;
        let factor = factor.map_err(AccessError::from)?;
        let (Some(account), Some(factor)) = (account, factor) else {
            return Err(CodeRefusal::Over);
        };
        // Recovery codes are there for when the secret is lost, on our side too.
        let code = match understood(None, typed, 0) {
            FactorCode::Nothing => {
                let totp = self.opened(&factor, &account.email)?;
                understood(Some(&totp), typed, self.now_s())
            }
            recovery => recovery,
        };
        let person = Person::of(&account)?;
        let who = Who::Person(person.clone());
        let detail = format!("from {}", door.address);
        let entry = self.entry(&who, What::RecoveryCodeUsed, account.email, detail);
        let used = self
            .store()
            .use_second_factor(id, code, LIMIT, entry)
            .await
            .map_err(AccessError::from)?;
        match used {
            FactorUsed::Right => {
                let left = self.store().leave_half_way(key).await;
                left.map_err(AccessError::from)?;
                Ok(self.start_session(person, door).await?)
            }
            FactorUsed::Wrong => Err(CodeRefusal::Wrong),
            FactorUsed::Wait(ms) => Err(CodeRefusal::Wait(Wait(ms))),
        }
    }

    /// The second factor of the person themselves.
    ///
    /// # Errors
    /// The store fails.
    pub async fn own_second_factor(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<FactorState, AccessError> {
        let id = visit.person.id;
        let factor = self.store().second_factor(id).await?;
        Ok(match factor.and_then(|factor| factor.confirmed_at) {
            None => FactorState::Off,
            Some(_) => FactorState::On {
                codes_left: self.store().recovery_codes_left(id).await?,
            },
        })
    }

    /// Has the person themselves a password here?
    ///
    /// # Errors
    /// The store fails.
    pub async fn has_password(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<bool, AccessError> {
        let account = self.store().account(visit.person.id).await?;
        Ok(account.is_some_and(|account| account.password.is_some()))
    }

    /// Is this the present password of whoever is signed in?
    pub(crate) async fn present_password(
        &self,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<Option<Fault>, AccessError> {
        let person = &visit.person;
        let taken = match self.take_try(&person.email, &door.address).await? {
            Ok(taken) => taken,
            Err(wait) => {
                let words = SignInRefusal::Wait(wait).to_string();
                return Ok(Some(Fault::new("present", words)));
            }
        };
        let account = self.store().account(person.id).await?;
        let hash = account.and_then(|account| account.password);
        if self.verify(present, hash).await? {
            self.succeeded(taken).await?;
            return Ok(None);
        }
        let words = "This is not your present password.";
        Ok(Some(Fault::new("present", words)))
    }

    pub(crate) async fn password_first(
        &self,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<(), ChangeRefusal> {
        let fault = self.present_password(visit, present, door).await;
        match fault.map_err(ChangeRefusal::Failed)? {
            None => Ok(()),
            Some(fault) => Err(ChangeRefusal::Faults(vec![fault])),
        }
    }

    /// Makes a secret for the app of the person themselves. It counts once
    /// [`Access::confirm_second_factor`] saw a code of it.
    ///
    /// # Errors
    /// The password is wrong, there is a second factor already, or the store fails.
    pub async fn begin_second_factor(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<FactorSetup, ChangeRefusal> {
        self.password_first(visit, present, door).await?;
        let mut bytes = vec![0; SECRET_BYTES];
        self.inner.entropy.fill(&mut bytes);
        let secret = Secret::from(bytes);
        let sealed = self
            .inner
            .seals
            .seal(&factor_of(visit.person.id), &secret.to_base32())
            .map_err(|why| ChangeRefusal::Failed(AccessError::Sealed(why)))?;
        let factor = SecondFactor {
            account: visit.person.id,
            sealed: sealed.text,
            sealed_by: sealed.key,
            made_at: self.now(),
            confirmed_at: None,
        };
        if !self.store().keep_second_factor(factor).await? {
            return Err(ChangeRefusal::Overtaken);
        }
        let totp = totp(secret, &visit.person.email).map_err(ChangeRefusal::Failed)?;
        setup(&totp).map_err(ChangeRefusal::Failed)
    }

    /// What the app of the person themselves needs to know, as long as it does not count.
    ///
    /// # Errors
    /// The store fails, or the secret cannot be opened.
    pub async fn pending_second_factor(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<Option<FactorSetup>, AccessError> {
        let factor = self.store().second_factor(visit.person.id).await?;
        let pending = factor.filter(|factor| factor.confirmed_at.is_none());
        let totp = pending.map(|factor| self.opened(&factor, &visit.person.email));
        totp.transpose()?.as_ref().map(setup).transpose()
    }

    /// Has the second factor of the person themselves count, because they could read a code. Answers
    /// with the recovery codes, which are shown this once.
    ///
    /// # Errors
    /// The code is wrong, there is nothing to confirm, or the store fails.
    pub async fn confirm_second_factor(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        typed: &str,
    ) -> Result<Vec<String>, ChangeRefusal> {
        let (id, email) = (visit.person.id, &visit.person.email);
        let factor = self.store().second_factor(id).await?;
        let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_none()) else {
            return Err(ChangeRefusal::Overtaken);
        };
        let totp = self.opened(&factor, email).map_err(ChangeRefusal::Failed)?;
        let FactorCode::Step(step) = understood(Some(&totp), typed, self.now_s()) else {
            let words = "This is not the code that the app should show now. Is the clock of the \
                         telephone right?";
            return Err(ChangeRefusal::Faults(vec![Fault::new("code", words)]));
        };
        let (codes, digests) = self.recovery_codes();
        let entry = self.entry(by.who(), What::SecondFactorOn, email.clone(), "");
        let confirmed = self.store().confirm_second_factor(id, step, digests, entry);
        if confirmed.await? {
            Ok(codes)
        } else {
            Err(ChangeRefusal::Overtaken)
        }
    }

    /// Makes other recovery codes; the old ones end.
    ///
    /// # Errors
    /// The password is wrong, there is no second factor, or the store fails.
    pub async fn new_recovery_codes(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<Vec<String>, ChangeRefusal> {
        self.password_first(visit, present, door).await?;
        let (codes, digests) = self.recovery_codes();
        let email = visit.person.email.clone();
        let entry = self.entry(by.who(), What::RecoveryCodesMade, email, "");
        let replaced = self
            .store()
            .replace_recovery_codes(visit.person.id, digests, entry);
        if replaced.await? {
            Ok(codes)
        } else {
            Err(ChangeRefusal::Overtaken)
        }
    }

    /// Removes the second factor of the person themselves.
    ///
    /// # Errors
    /// The password is wrong, or the store fails.
    pub async fn remove_own_second_factor(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        present: &str,
        door: &Door,
    ) -> Result<(), ChangeRefusal> {
        self.password_first(visit, present, door).await?;
        let email = visit.person.email.clone();
        let entry = self.entry(by.who(), What::SecondFactorOff, email, "by themselves");
        self.store()
            .remove_second_factor(visit.person.id, entry)
            .await?;
        Ok(())
    }

    /// Removes the second factor of somebody who lost it. Answers whether there was one.
    ///
    /// # Errors
    /// There is no such account, it is an owner's and `by` is none, or the store fails.
    pub async fn remove_second_factor_of(
        &self,
        by: &Granted<ManagePeople>,
        id: i64,
    ) -> Result<bool, ChangeRefusal> {
        let known = self.known(by, id).await?;
        let email = known.account.email;
        let entry = self.entry(by.who(), What::SecondFactorOff, email, "for somebody else");
        Ok(self.store().remove_second_factor(id, entry).await?)
    }
}

fn setup(totp: &Totp) -> Result<FactorSetup, AccessError> {
    let address = totp.to_url();
    Ok(FactorSetup {
        secret: totp.secret().to_base32(),
        address: address.map_err(|error| AccessError::Sealed(error.to_string()))?,
    })
}
