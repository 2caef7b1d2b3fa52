//! Who people are at the provider of OpenID Connect that they sign in with.

use bowline_domain::time::Millis;

use crate::access::{Account, AuditEntry, NewAccount};
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::elsewhere;
use crate::store::Store;
use crate::writes::{Write, write};

/// Who somebody is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
    /// Their e-mail address there, for people to read.
    pub email: String,
}

/// An identity as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptIdentity {
    /// The identity.
    pub identity: Identity,
    /// When it was joined to its account.
    pub joined_at: Millis,
    /// When somebody last signed in by it.
    pub used_at: Option<Millis>,
}

/// What came of making an account for an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeFor {
    /// It is made.
    Made(Account),
    /// Its e-mail address has an account already.
    AddressTaken,
    /// The identity has an account already.
    IdentityTaken,
}

/// What came of joining an identity to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is joined to this account.
    Done(Account),
    /// It is joined to another one.
    Taken,
    /// The account may not sign in, or the invitation is not valid.
    NoAccount,
}

impl Leases for MadeFor {}
impl Leases for Joined {}

write!(UseSignIn { key: String, ends_at: Millis, now: Millis } -> bool,
    |conn, _| elsewhere::use_sign_in(conn, &key, ends_at, now).await);
write!(MakeFor { identity: Identity, account: NewAccount, entry: AuditEntry } -> MadeFor,
    |conn, _| elsewhere::make_for(conn, &identity, &account, &entry).await);
write!(JoinIdentity { identity: Identity, account: i64, entry: AuditEntry } -> Joined,
    |conn, _| elsewhere::join(conn, &identity, account, &entry).await);
write!(JoinInvited { identity: Identity, key: String, entry: AuditEntry } -> Joined,
    |conn, _| elsewhere::join_invited(conn, &identity, &key, &entry).await);
write!(PartIdentity { account: i64, entry: AuditEntry } -> bool,
    |conn, _| elsewhere::part(conn, account, &entry).await);
write!(IdentityUsed { identity: Identity, at: Millis } -> (),
    |conn, _| elsewhere::used(conn, &identity, at).await);

impl Store {
    /// Notes that a sign-in at a provider came to its end. Answers no if it did before.
    pub async fn use_sign_in(
        &self,
        key: String,
        ends_at: Millis,
        now: Millis,
    ) -> Result<bool, StoreError> {
        self.write(UseSignIn { key, ends_at, now }).await
    }

    /// The account of an identity.
    pub async fn account_of_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Account>, StoreError> {
        elsewhere::account_of(&mut self.reader().await?, issuer, subject).await
    }

    /// The identity of an account.
    pub async fn identity_of(&self, account: i64) -> Result<Option<KeptIdentity>, StoreError> {
        elsewhere::of(&mut self.reader().await?, account).await
    }

    /// Makes an account for an identity that has none.
    pub async fn make_account_for(
        &self,
        identity: Identity,
        account: NewAccount,
        entry: AuditEntry,
    ) -> Result<MadeFor, StoreError> {
        self.write(MakeFor {
            identity,
            account,
            entry,
        })
        .await
    }

    /// Joins an identity to an account, in place of the one that it had.
    pub async fn join_identity(
        &self,
        identity: Identity,
        account: i64,
        entry: AuditEntry,
    ) -> Result<Joined, StoreError> {
        self.write(JoinIdentity {
            identity,
            account,
            entry,
        })
        .await
    }

    /// Uses an invitation up to join an identity to its account, in place of the one that it had.
    /// The account's sessions end. If the identity is another account's, the invitation stays.
    pub async fn join_invited(
        &self,
        identity: Identity,
        key: String,
        entry: AuditEntry,
    ) -> Result<Joined, StoreError> {
        self.write(JoinInvited {
            identity,
            key,
            entry,
        })
        .await
    }

    /// Takes the identity from an account. Answers whether there was one.
    pub async fn part_identity(&self, account: i64, entry: AuditEntry) -> Result<bool, StoreError> {
        self.write(PartIdentity { account, entry }).await
    }

    /// Notes that somebody signed in by an identity, and their e-mail address there.
    pub async fn identity_used(&self, identity: Identity, at: Millis) -> Result<(), StoreError> {
        self.write(IdentityUsed { identity, at }).await
    }
}
