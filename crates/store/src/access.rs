//! Who may sign in and what they changed: accounts, invitations, sessions, tokens, the audit log.
//!
//! Secrets never come here: passwords come as hashes, codes and tokens as digests. What a role or
//! a scope allows is decided by the crate `access`; here they are words.
//!
//! Every change is written together with its entry in the audit log.

use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::{accounts, audit, sessions, tokens};
use crate::store::Store;
use crate::writes::{Write, write};

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// The e-mail address, in lower case; unique.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The role, as a word.
    pub role: String,
    /// The projects of a project administrator, as JSON.
    pub projects: String,
    /// The hash of the password; `None` until one was chosen.
    pub password: Option<String>,
    /// May the person sign in?
    pub active: bool,
    /// Counts the changes: a change names the version that it was made from.
    pub version: i64,
    /// When it was made.
    pub made_at: Millis,
    /// When the person last signed in.
    pub signed_in_at: Option<Millis>,
    /// Are they asked for a second factor?
    pub second_factor: bool,
    /// Do they come in by a provider, too?
    pub elsewhere: bool,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The e-mail address, in lower case.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The role, as a word.
    pub role: String,
    /// The projects of a project administrator, as JSON.
    pub projects: String,
    /// The hash of the password, if one was chosen.
    pub password: Option<String>,
}

/// What an account is to be from now on.
#[derive(Clone, Debug)]
pub struct AccountChange {
    /// Which account.
    pub id: i64,
    /// The version that the change was made from.
    pub version: i64,
    /// What the person is called.
    pub name: String,
    /// The role, as a word.
    pub role: String,
    /// The projects of a project administrator, as JSON.
    pub projects: String,
    /// May the person sign in?
    pub active: bool,
    /// The role that at least one active account must keep.
    pub keep_one: &'static str,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Done,
    /// Someone else changed it meanwhile, or it is gone; nothing was changed.
    Overtaken,
    /// Nobody would be left with the role that someone must have; nothing was changed.
    LastOne,
}

/// The right to choose a password once.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The digest of its code.
    pub key: String,
    /// For whom; `None`: for the first owner.
    pub account: Option<i64>,
    /// When it was made.
    pub made_at: Millis,
    /// Until when it may be used.
    pub ends_at: Millis,
}

/// Someone who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The digest of what the browser holds.
    pub key: String,
    /// Who.
    pub account: i64,
    /// When they signed in.
    pub made_at: Millis,
    /// When something was last asked for.
    pub seen_at: Millis,
    /// When it ends at the latest.
    pub ends_at: Millis,
    /// What the browser calls itself.
    pub browser: String,
    /// Where it came from.
    pub address: String,
}

/// A token of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// The digest of the token.
    pub key: String,
    /// Whose.
    pub account: i64,
    /// What it is for, in its owner's words.
    pub name: String,
    /// Its first letters, by which its owner knows it.
    pub hint: String,
    /// What it may do: words, separated by spaces.
    pub scopes: String,
    /// When it was made.
    pub made_at: Millis,
    /// When it ends.
    pub ends_at: Millis,
    /// When it was last used.
    pub used_at: Option<Millis>,
    /// When its owner ended it.
    pub ended_at: Option<Millis>,
}

/// What is written down of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Millis,
    /// Who, in words that stay true when the account changes.
    pub who: String,
    /// The account, if it was one.
    pub account: Option<i64>,
    /// What was done, as a word that does not change.
    pub what: String,
    /// To what.
    pub subject: String,
    /// What it was before and is now, in words.
    pub detail: String,
}

/// An entry of the audit log as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditView {
    /// Its number.
    pub id: i64,
    /// The entry.
    pub entry: AuditEntry,
}

/// Which entries of the audit log, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Older than this one only.
    pub before: Option<i64>,
    /// Of this kind only.
    pub what: Option<String>,
    /// By this account only.
    pub account: Option<i64>,
    /// At most this many.
    pub limit: i64,
}

/// What is known of a write by the REST API that named itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiWrite {
    /// It is new, and noted now.
    Fresh,
    /// The same was asked before, and this was answered.
    Answered {
        /// The status of the answer.
        status: u16,
        /// Its body.
        body: String,
    },
    /// The same was asked before and is not answered yet.
    UnderWay,
    /// The name was used for another request.
    OtherRequest,
}

impl Leases for i64 {}
impl Leases for Option<i64> {}
impl Leases for Changed {}
impl Leases for ApiWrite {}
impl Leases for Option<Account> {}

write!(AddAccount { account: NewAccount, entry: AuditEntry } -> Option<i64>, |conn, _| {
    let made = accounts::add(conn, &account, entry.at).await?;
    if made.is_some() {
        audit::add(conn, &entry).await?;
    }
    Ok(made)
});
write!(ChangeAccount { change: AccountChange, entry: AuditEntry } -> Changed, |conn, _| {
    let changed = accounts::change(conn, &change).await?;
    if changed == Changed::Done {
        audit::add(conn, &entry).await?;
    }
    Ok(changed)
});
write!(Invite { invitation: Invitation, entry: Option<AuditEntry> } -> (), |conn, _| {
    accounts::invite(conn, &invitation).await?;
    match entry {
        Some(entry) => audit::add(conn, &entry).await,
        None => Ok(()),
    }
});
write!(MakeOwner { key: String, account: NewAccount, entry: AuditEntry } -> Option<i64>,
    |conn, _| accounts::make_owner(conn, &key, &account, &entry).await);
write!(ChoosePassword { key: String, password: String, entry: AuditEntry } -> Option<Account>,
    |conn, _| accounts::choose_password(conn, &key, &password, &entry).await);
write!(ChangePassword { account: i64, password: String, keep: String, entry: AuditEntry } -> (),
    |conn, _| accounts::change_password(conn, account, &password, &keep, &entry).await);
write!(StartSession { session: Session } -> (),
    |conn, _| sessions::start(conn, &session).await);
write!(SessionSeen { key: String, at: Millis } -> (),
    |conn, _| sessions::seen(conn, &key, at).await);
write!(EndSession { key: String, account: i64, entry: Option<AuditEntry> } -> bool, |conn, _| {
    let ended = sessions::end(conn, &key, account).await?;
    if let (true, Some(entry)) = (ended, entry) {
        audit::add(conn, &entry).await?;
    }
    Ok(ended)
});
write!(EndSessions { account: i64, entry: AuditEntry } -> u64, |conn, _| {
    let ended = sessions::end_all(conn, account, "").await?;
    audit::add(conn, &entry).await?;
    Ok(ended)
});
write!(AddToken { token: ApiToken, entry: AuditEntry } -> i64, |conn, _| {
    let id = tokens::add(conn, &token).await?;
    audit::add(conn, &entry).await?;
    Ok(id)
});
write!(EndToken { id: i64, account: i64, entry: AuditEntry } -> bool, |conn, _| {
    let ended = tokens::end(conn, id, account, entry.at).await?;
    if ended {
        audit::add(conn, &entry).await?;
    }
    Ok(ended)
});
write!(TokenUsed { id: i64, at: Millis } -> (), |conn, _| tokens::used(conn, id, at).await);
write!(AddAudit { entry: AuditEntry } -> (), |conn, _| audit::add(conn, &entry).await);
write!(BeginApiWrite { account: i64, key: String, request: String, at: Millis } -> ApiWrite,
    |conn, _| tokens::begin_write(conn, account, &key, &request, at).await);
write!(EndApiWrite { account: i64, key: String, status: i64, body: String } -> (),
    |conn, _| tokens::end_write(conn, account, &key, status, &body).await);

impl Store {
    /// Is there an account yet?
    pub async fn any_account(&self) -> Result<bool, StoreError> {
        accounts::any(&mut self.reader().await?).await
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        accounts::all(&mut self.reader().await?).await
    }

    /// At most so many accounts by name: those behind one of this name and number.
    pub async fn accounts_part(
        &self,
        after: Option<&(String, i64)>,
        limit: i64,
    ) -> Result<Vec<Account>, StoreError> {
        accounts::part(&mut self.reader().await?, after, limit).await
    }

    /// One account.
    pub async fn account(&self, id: i64) -> Result<Option<Account>, StoreError> {
        accounts::one(&mut self.reader().await?, id).await
    }

    /// The account with this e-mail address (in lower case).
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, StoreError> {
        accounts::by_email(&mut self.reader().await?, email).await
    }

    /// Makes an account. `None`: the e-mail address has one already.
    pub async fn add_account(
        &self,
        account: NewAccount,
        entry: AuditEntry,
    ) -> Result<Option<i64>, StoreError> {
        self.write(AddAccount { account, entry }).await
    }

    /// Changes an account. One that may not sign in any more loses its sessions.
    pub async fn change_account(
        &self,
        change: AccountChange,
        entry: AuditEntry,
    ) -> Result<Changed, StoreError> {
        self.write(ChangeAccount { change, entry }).await
    }

    /// Keeps an invitation. An older one for the same account ends by it; of those for the first
    /// owner a few are kept, because each process prints its own.
    pub async fn invite(
        &self,
        invitation: Invitation,
        entry: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        self.write(Invite { invitation, entry }).await
    }

    /// For whom a code is that can still be used: `Some(None)` for the first owner.
    pub async fn invitation(
        &self,
        key: &str,
        now: Millis,
    ) -> Result<Option<Option<i64>>, StoreError> {
        accounts::invitation(&mut self.reader().await?, key, now).await
    }

    /// Makes the first account with an invitation for it. `None`: the invitation is not valid, or
    /// there is an account already.
    pub async fn make_owner(
        &self,
        key: String,
        account: NewAccount,
        entry: AuditEntry,
    ) -> Result<Option<i64>, StoreError> {
        self.write(MakeOwner {
            key,
            account,
            entry,
        })
        .await
    }

    /// Uses an invitation up: sets the password of its account and ends the account's sessions.
    /// `None`: the invitation is not valid.
    pub async fn choose_password(
        &self,
        key: String,
        password: String,
        entry: AuditEntry,
    ) -> Result<Option<Account>, StoreError> {
        self.write(ChoosePassword {
            key,
            password,
            entry,
        })
        .await
    }

    /// Sets a password and ends all sessions of the account but the one with the key `keep`.
    pub async fn change_password(
        &self,
        account: i64,
        password: String,
        keep: String,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        self.write(ChangePassword {
            account,
            password,
            keep,
            entry,
        })
        .await
    }

    /// Keeps a session, notes that its account signed in, and drops sessions that ended.
    pub async fn start_session(&self, session: Session) -> Result<(), StoreError> {
        self.write(StartSession { session }).await
    }

    /// A session that did not end, with its account.
    pub async fn session(
        &self,
        key: &str,
        now: Millis,
    ) -> Result<Option<(Session, Account)>, StoreError> {
        sessions::one(&mut self.reader().await?, key, now).await
    }

    /// The sessions of an account that did not end, the latest used first.
    pub async fn sessions_of(&self, account: i64, now: Millis) -> Result<Vec<Session>, StoreError> {
        sessions::of(&mut self.reader().await?, account, now).await
    }

    /// At most so many of these sessions, the latest begun first: those behind one that began then and
    /// has this key.
    pub async fn sessions_part(
        &self,
        account: i64,
        now: Millis,
        after: Option<&(Millis, String)>,
        limit: i64,
    ) -> Result<Vec<Session>, StoreError> {
        sessions::part(&mut self.reader().await?, account, now, after, limit).await
    }

    /// Notes that a session is used.
    pub async fn session_seen(&self, key: String, at: Millis) -> Result<(), StoreError> {
        self.write(SessionSeen { key, at }).await
    }

    /// Ends one session of an account. Answers whether there was one.
    pub async fn end_session(
        &self,
        key: String,
        account: i64,
        entry: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.write(EndSession {
            key,
            account,
            entry,
        })
        .await
    }

    /// Ends all sessions of an account.
    pub async fn end_sessions(&self, account: i64, entry: AuditEntry) -> Result<u64, StoreError> {
        self.write(EndSessions { account, entry }).await
    }

    /// Keeps a token (its `id` is not looked at) and answers its number.
    pub async fn add_token(&self, token: ApiToken, entry: AuditEntry) -> Result<i64, StoreError> {
        self.write(AddToken { token, entry }).await
    }

    /// Ends a token of an account. Answers whether there was one.
    pub async fn end_token(
        &self,
        id: i64,
        account: i64,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(EndToken { id, account, entry }).await
    }

    /// The tokens of an account, newest first; those that ended too.
    pub async fn tokens_of(&self, account: i64) -> Result<Vec<ApiToken>, StoreError> {
        tokens::of(&mut self.reader().await?, account).await
    }

    /// A token that may be used, with its account.
    pub async fn token(
        &self,
        key: &str,
        now: Millis,
    ) -> Result<Option<(ApiToken, Account)>, StoreError> {
        tokens::one(&mut self.reader().await?, key, now).await
    }

    /// Notes that a token is used.
    pub async fn token_used(&self, id: i64, at: Millis) -> Result<(), StoreError> {
        self.write(TokenUsed { id, at }).await
    }

    /// Adds to the audit log.
    pub async fn add_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(AddAudit { entry }).await
    }

    /// Entries of the audit log, newest first.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditView>, StoreError> {
        audit::list(&mut self.reader().await?, filter).await
    }

    /// Notes a write by the REST API that named itself `key`, and says whether it is new. `request`
    /// is a digest of what is asked.
    pub async fn begin_api_write(
        &self,
        account: i64,
        key: String,
        request: String,
        at: Millis,
    ) -> Result<ApiWrite, StoreError> {
        self.write(BeginApiWrite {
            account,
            key,
            request,
            at,
        })
        .await
    }

    /// Keeps what such a write was answered.
    pub async fn end_api_write(
        &self,
        account: i64,
        key: String,
        status: u16,
        body: String,
    ) -> Result<(), StoreError> {
        let status = i64::from(status);
        self.write(EndApiWrite {
            account,
            key,
            status,
            body,
        })
        .await
    }
}
